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
	"huoban/internal/sorted"
	"huoban/internal/sso"
	"huoban/internal/sso/metadata"
)

// renew registers a console anew under its old id, so that the names its customers have there stay. A console that
// was disabled is in use again.
func (s *Service) renew(ctx context.Context, sc scope.Scope, known, c Console, row DocumentRow, dry bool) (Console, error) {
	if known.PartnerID != c.PartnerID {
		return known, fault.Conflict("sso.reg.console_taken", fault.Args{"entity": c.EntityID})
	}
	state := c.State
	c = known.with(c)
	c.State = state
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
		if err := s.writeConsole(ctx, &c); err != nil {
			return err
		}
		if err := s.Store.DropWaiting(ctx, c.ID, sc.Login(), s.Clock.Now()); err != nil {
			return err
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
		sorted.By(x.Certs, func(a, b sso.Certificate) int {
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

// ConsoleTaken is what became of a newer document of a console: nothing is new, it is in force, or it waits.
type ConsoleTaken struct {
	Console  Console
	Effect   metadata.Effect
	Code     string // why it waits
	Document string // id, where it was kept
}

// RefreshConsole fetches a console's document now. Faults: those of changeConsole, sso.reg.no_url, sso.md.*.
func (s *Service) RefreshConsole(ctx context.Context, sc scope.Scope, name string) (ConsoleTaken, error) {
	c, err := s.changeConsole(ctx, sc, name)
	if err != nil {
		return ConsoleTaken{}, err
	}
	if c.Source != SourceURL {
		return ConsoleTaken{}, fault.Conflict("sso.reg.no_url", nil)
	}
	return s.refreshConsole(ctx, sc, c)
}

// refreshConsole fetches a console's document again. What adds or drops certificates while a known one stays, and
// sends answers nowhere but to known hosts, is put in force; anything else is kept, changes nothing, and waits for
// who looks after the console. Faults: sso.md.*, sso.reg.*.
func (s *Service) refreshConsole(ctx context.Context, sc scope.Scope, known Console) (ConsoleTaken, error) {
	last, _, err := s.Store.Document(ctx, known.MetadataID)
	if err != nil {
		return ConsoleTaken{}, err
	}
	body, etag, err := s.Fetch.Fetch(ctx, known.MetadataURL, last.ETag)
	if err != nil {
		return ConsoleTaken{}, errors.Join(err, s.consoleFailed(ctx, known, fault.From(err).Code))
	}
	if body == nil {
		body, etag = []byte(last.XML), last.ETag
	}
	c, row, err := s.newerConsole(sc, known, known.MetadataURL, body, etag)
	if err != nil {
		return ConsoleTaken{}, errors.Join(err, s.consoleFailed(ctx, known, fault.From(err).Code))
	}
	if sameConsole(known, c) {
		return ConsoleTaken{Console: known, Effect: metadata.EffectNothing}, s.Tx.InTx(ctx, func(ctx context.Context) error { return s.fetchAgain(ctx, known, row.Cache) })
	}
	if row.Code = jumps(known, c); row.Code != "" {
		return s.waits(ctx, sc, known, c, row)
	}
	return ConsoleTaken{Console: c, Effect: metadata.EffectApply, Document: row.ID}, s.putConsole(ctx, sc, c, row, "console.metadata")
}

// newerConsole is what a newer document makes of a console.
func (s *Service) newerConsole(sc scope.Scope, known Console, address string, body []byte, etag string) (Console, DocumentRow, error) {
	doc, e, err := s.parseConsole(body, known.EntityID)
	if err != nil {
		return known, DocumentRow{}, err
	}
	if e.ID != known.EntityID {
		return known, DocumentRow{}, fault.Conflict(metadata.CodeEntityChanged, nil)
	}
	in := ConsoleInput{URL: address, PartnerID: known.PartnerID}.over(known)
	c, row, _, err := s.readConsole(sc, in, body, etag, doc, e)
	row.OwnerID = known.ID
	return known.with(c), row, err
}

// waits keeps a document that would take a console over until somebody confirms it, and tells who looks after the
// console. The same again is told once.
func (s *Service) waits(ctx context.Context, sc scope.Scope, known, c Console, row DocumentRow) (ConsoleTaken, error) {
	out := ConsoleTaken{Console: known, Effect: metadata.EffectPending, Code: row.Code, Document: row.ID}
	row.State, row.DecidedBy, row.DecidedAt, row.Diff = DocumentPending, "", time.Time{}, consoleDiff(known, c)
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.fetchAgain(ctx, known, row.Cache); err != nil {
			return err
		}
		last, err := s.Store.Documents(ctx, known.ID, 1)
		if err != nil {
			return err
		}
		if len(last) == 1 && last[0].State == DocumentPending && string(last[0].SHA256) == string(row.SHA256) {
			out.Document = last[0].ID
			return nil
		}
		if err := s.Store.DropWaiting(ctx, known.ID, sc.Login(), s.Clock.Now()); err != nil {
			return err
		}
		if err := s.Store.InsertDocument(ctx, row); err != nil {
			return err
		}
		args := fault.Args{"Name": known.Name, "Added": len(row.Diff.Added), "Removed": len(row.Diff.Removed)}
		if err := s.Told(ctx, News{Console: &known, Code: "sso_console_metadata_pending", Args: args, Once: row.ID}); err != nil {
			return err
		}
		return s.recordConsole(ctx, sc, known, "console.metadata_pending", map[string]any{"document": row.ID, "code": row.Code})
	})
	return out, err
}

// consoleDiff is what a document would change of certificates and of the addresses messages go to.
func consoleDiff(known, c Console) metadata.Diff {
	var d metadata.Diff
	for _, pair := range []struct {
		a, b Console
		into *[]string
	}{{c, known, &d.Added}, {known, c, &d.Removed}} {
		for _, x := range pair.a.Certs {
			there := slices.ContainsFunc(pair.b.Certs, func(y sso.Certificate) bool { return x.Fingerprint == y.Fingerprint })
			if !there && !slices.Contains(*pair.into, x.Fingerprint) {
				*pair.into = append(*pair.into, x.Fingerprint)
			}
		}
	}
	for _, text := range addresses(c) {
		if !slices.Contains(addresses(known), text) {
			d.SSO = text
			break
		}
	}
	return d
}

// ConfirmConsole puts a document of a console in force that waits for it; an empty id is the one that waits. Faults:
// those of changeConsole, sso.md.not_pending, sso.md.*.
func (s *Service) ConfirmConsole(ctx context.Context, sc scope.Scope, name, documentID string) (Console, error) {
	known, err := s.changeConsole(ctx, sc, name)
	if err != nil {
		return known, err
	}
	if documentID == "" {
		st, err := s.statuses(ctx, []Console{known})
		if err != nil {
			return known, err
		}
		if st[0].Waits != nil {
			documentID = st[0].Waits.ID
		}
	}
	d, ok, err := s.Store.Document(ctx, documentID)
	if err != nil {
		return known, err
	}
	over := fault.Conflict("sso.md.not_pending", fault.Args{"document": documentID})
	if !ok || d.OwnerID != known.ID || d.State != DocumentPending {
		return known, over
	}
	c, _, err := s.newerConsole(sc, known, known.MetadataURL, []byte(d.XML), d.ETag)
	if err != nil {
		return known, err
	}
	c.MetadataID, c.UpdatedAt = d.ID, s.Clock.Now()
	return c, s.Tx.InTx(ctx, func(ctx context.Context) error {
		won, err := s.Store.DecideDocument(ctx, d.ID, DocumentApplied, sc.Login(), s.Clock.Now())
		if err == nil && !won {
			err = over
		}
		if err != nil {
			return err
		}
		if err := s.writeConsole(ctx, &c); err != nil {
			return err
		}
		if err := s.fetchAgain(ctx, c, d.Cache); err != nil {
			return err
		}
		return s.recordConsole(ctx, sc, c, "console.metadata", map[string]any{"document": d.ID, "certificates": len(c.Certs)})
	})
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
		_, err := s.refreshConsole(ctx, self, c)
		return err
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
