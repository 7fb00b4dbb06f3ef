package registry

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"time"

	"huoban/internal/fault"
	"huoban/internal/scope"
	"huoban/internal/sso"
	"huoban/internal/sso/metadata"
)

// renew registers a console anew under its old id, so that the names its customers have there stay. A console that
// was disabled is in use again.
func (s *Service) renew(ctx context.Context, sc scope.Scope, known, c Console, row DocumentRow, dry bool) (Console, error) {
	if known.PartnerID != c.PartnerID {
		return known, fault.Conflict("sso.reg.console_taken", fault.Args{"entity": c.EntityID})
	}
	c.ID, c.Version, c.CreatedBy, c.CreatedAt, c.LastAssertionAt = known.ID, known.Version, known.CreatedBy, known.CreatedAt, known.LastAssertionAt
	old, ok, err := s.Store.Document(ctx, known.MetadataID)
	if err != nil {
		return known, err
	}
	if ok && string(old.SHA256) == string(row.SHA256) && sameConsole(known, c) {
		return known, nil
	}
	if dry {
		return c, nil
	}
	return c, s.putConsole(ctx, sc, c, row, "console.renew")
}

// putConsole writes a console and the document it is from, over the one of its version.
func (s *Service) putConsole(ctx context.Context, sc scope.Scope, c Console, row DocumentRow, action string) error {
	row.OwnerID = c.ID
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		won, err := s.Store.UpdateConsole(ctx, c)
		if err != nil {
			return err
		}
		if !won {
			return fault.Conflict("sso.reg.changed", nil)
		}
		if err := s.Store.InsertDocument(ctx, row); err != nil {
			return err
		}
		if err := s.fetchAgain(ctx, c, row.Cache); err != nil {
			return err
		}
		return s.recordConsole(ctx, sc, c, action, map[string]any{"acs": len(c.ACS), "name_id": string(c.NameIDFormat), "certificates": len(c.Certs)})
	})
}

// fetchAgain says when the document of a console is due, or that it never is.
func (s *Service) fetchAgain(ctx context.Context, c Console, cache time.Duration) error {
	if c.Source != SourceURL {
		return s.Store.DropFetch(ctx, c.ID)
	}
	now := s.Clock.Now()
	return s.Store.PutFetch(ctx, FetchRow{OwnerID: c.ID, NextAt: metadata.Next(now, cache, jitter()), LastOKAt: now})
}

// sameConsole tells whether two say the same of everything that is asked for or read from a document.
func sameConsole(a, b Console) bool {
	said := func(c Console) string {
		x := c.Console
		x.ACS, x.Certs, x.Attributes, x.Ciphers = append([]sso.Endpoint{}, x.ACS...), append([]sso.Certificate{}, x.Certs...), append([]sso.Release{}, x.Attributes...), append([]string{}, x.Ciphers...)
		slices.SortStableFunc(x.Certs, func(a, b sso.Certificate) int {
			return order(a.Use == sso.CertUseEncryption) - order(b.Use == sso.CertUseEncryption)
		})
		b, err := json.Marshal([]any{x, c.Source, c.MetadataURL})
		if err != nil {
			return ""
		}
		return string(b)
	}
	return said(a) == said(b)
}

// order puts certificates that only encrypt after the others, as a row keeps them.
func order(encrypts bool) int {
	if encrypts {
		return 1
	}
	return 0
}

// refreshConsole fetches a console's document again. What adds or drops certificates while a known one stays, and
// sends answers nowhere but to known hosts, is put in force; anything else changes nothing until the operator
// registers the console anew. Faults: sso.md.*, sso.reg.*.
func (s *Service) refreshConsole(ctx context.Context, known Console) error {
	last, _, err := s.Store.Document(ctx, known.MetadataID)
	if err != nil {
		return err
	}
	body, etag, err := s.Fetch.Fetch(ctx, known.MetadataURL, last.ETag)
	if err != nil {
		return errors.Join(err, s.consoleFailed(ctx, known, fault.From(err).Code))
	}
	if body == nil {
		body, etag = []byte(last.XML), last.ETag
	}
	c, row, err := s.newerConsole(known, body, etag)
	if err != nil {
		return errors.Join(err, s.consoleFailed(ctx, known, fault.From(err).Code))
	}
	c.ID, c.Version, c.CreatedBy, c.CreatedAt, c.LastAssertionAt = known.ID, known.Version, known.CreatedBy, known.CreatedAt, known.LastAssertionAt
	if sameConsole(known, c) {
		return s.Tx.InTx(ctx, func(ctx context.Context) error { return s.fetchAgain(ctx, known, row.Cache) })
	}
	return s.putConsole(ctx, self, c, row, "console.metadata")
}

// newerConsole is what a newer document makes of a console, if it may do so by itself.
func (s *Service) newerConsole(known Console, body []byte, etag string) (Console, DocumentRow, error) {
	doc, e, err := s.parseConsole(body, known.EntityID)
	if err != nil {
		return known, DocumentRow{}, err
	}
	in := ConsoleInput{URL: known.MetadataURL, PartnerID: known.PartnerID}.over(known)
	c, row, _, err := s.readConsole(self, in, body, etag, doc, e)
	if err != nil {
		return known, row, err
	}
	if code := jumps(known, c); code != "" {
		return known, row, fault.Conflict(code, nil)
	}
	return c, row, nil
}

// jumps is the code of a document that would take a console over.
func jumps(known, c Console) string {
	stays := func(x sso.Certificate) bool {
		return slices.ContainsFunc(c.Certs, func(y sso.Certificate) bool { return x.Fingerprint == y.Fingerprint })
	}
	if len(known.Certs) > 0 && !slices.ContainsFunc(known.Certs, stays) {
		return metadata.CodeKeyJump
	}
	hosts := map[string]bool{}
	for _, text := range addresses(known) {
		hosts[hostOf(text)] = true
	}
	for _, text := range addresses(c) {
		if !hosts[hostOf(text)] {
			return metadata.CodeHostChanged
		}
	}
	return ""
}

func addresses(c Console) []string {
	var out []string
	for _, e := range c.ACS {
		out = append(out, e.URL)
	}
	for _, text := range []string{c.SLO, c.SLOResponse} {
		if text != "" {
			out = append(out, text)
		}
	}
	return out
}

func hostOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// consoleFailed notes that a console's document could not be got, read or taken; the first time in a row stands in
// the log of changes.
func (s *Service) consoleFailed(ctx context.Context, c Console, code string) error {
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		f, _, err := s.Store.FetchOf(ctx, c.ID)
		if err != nil {
			return err
		}
		now := s.Clock.Now()
		again := f.Failures > 0 && f.LastCode == code
		f.OwnerID, f.Failures, f.LastCode, f.LeaseUntil, f.LeaseBy = c.ID, f.Failures+1, code, time.Time{}, ""
		f.NextAt = metadata.Retry(now, f.Failures, jitter())
		if f.FailingSince.IsZero() {
			f.FailingSince = now
		}
		if err := s.Store.PutFetch(ctx, f); err != nil || again {
			return err
		}
		return s.recordConsole(ctx, self, c, "console.metadata_failing", map[string]any{"code": code})
	})
}

// refreshOwner fetches the document of whatever is registered under an id.
func (s *Service) refreshOwner(ctx context.Context, ownerID string) error {
	c, ok, err := s.Store.ConsoleByID(ctx, ownerID)
	if err != nil {
		return err
	}
	if ok {
		return s.refreshConsole(ctx, c)
	}
	_, err = s.Refresh(ctx, self, ownerID)
	return err
}

// newConsole keeps a console that was not known.
func (s *Service) newConsole(ctx context.Context, sc scope.Scope, c Console, row DocumentRow) error {
	if _, err := s.Host(ctx, sc, c.PartnerID); err != nil {
		return err
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.Store.InsertConsole(ctx, c); err != nil {
			return err
		}
		if err := s.Store.InsertDocument(ctx, row); err != nil {
			return err
		}
		if err := s.fetchAgain(ctx, c, row.Cache); err != nil {
			return err
		}
		return s.recordConsole(ctx, sc, c, "console.add", map[string]any{"acs": len(c.ACS), "name_id": string(c.NameIDFormat)})
	})
}
