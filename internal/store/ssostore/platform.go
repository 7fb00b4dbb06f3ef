// Package ssostore keeps partners' sales platforms, the consoles of hosted ones, their documents and our keys.
//
// It owns the queries of the sso_ tables that package sso/registry speaks of; it does not own who may see a
// row. Invariant: a registration is written by compare-and-set on its version, which every write raises.
package ssostore

import (
	"context"
	"database/sql"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"huoban/internal/sso"
	"huoban/internal/sso/registry"
	"huoban/internal/store"
)

//go:embed query/*.sql
var files embed.FS

var (
	q               = store.Load(files)
	qInsertPlatform = q.Get("sso.InsertPlatform")
	qUpdatePlatform = q.Get("sso.UpdatePlatform")
	qPlatform       = q.Get("sso.Platform")
	qPlatformByType = q.Get("sso.PlatformByType")
	qPlatforms      = q.Get("sso.Platforms")
	qEntityHolders  = q.Get("sso.EntityHolders")
	qSessionHashes  = q.Get("sso.SessionHashes")
	qEndSessionRows = q.Get("sso.EndSessionRows")
	qRevokeSession  = q.Get("sso.RevokeSession")
	qCerts          = q.Get("sso.Certs")
	qPutCert        = q.Get("sso.PutCert")
	qSetCertState   = q.Get("sso.SetCertState")
	qWarnCert       = q.Get("sso.WarnCert")
	qEndingCerts    = q.Get("sso.EndingCerts")
	qReturns        = q.Get("sso.Returns")
	qInsertReturn   = q.Get("sso.InsertReturn")
	qSetReturnState = q.Get("sso.SetReturnState")
)

// Store implements registry.Store.
type Store struct{ db *store.DB }

// New makes the store.
func New(db *store.DB) *Store { return &Store{db} }

var _ registry.Store = (*Store)(nil)

// none writes an absent key as null.
func none(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func raw(b []byte) any {
	if len(b) == 0 {
		return nil
	}
	return b
}

var bindings = map[sso.Binding]string{"": "", sso.BindingRedirect: "redirect", sso.BindingPost: "post"}

func binding(s string) sso.Binding {
	for b, name := range bindings {
		if name == s {
			return b
		}
	}
	return ""
}

func encode(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

// InsertPlatform writes a registration.
func (s *Store) InsertPlatform(ctx context.Context, p registry.Platform) error {
	acs, err := encode(p.ACSURLs)
	if err != nil {
		return err
	}
	mapping, err := encode(p.Mapping)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, qInsertPlatform, p.ID, p.Version, p.PartnerID, p.Key, p.EntityID, acs, p.AccountType, p.Name, string(p.State), p.IdPEntityID, p.SSOURL,
		bindings[p.SSOBinding], p.SLOURL, p.SLOResponseURL, bindings[p.SLOBinding], string(p.Source), p.MetadataURL, none(p.MetadataID), raw(p.PinnedSigner),
		p.SignRequests, p.WantResponseSigned, p.WantEncrypted, p.AllowIdPInitiated, string(p.FirstEntry), p.AuthnContextMin, int64(p.MaxAuthnAge/time.Second),
		int64(p.Skew/time.Second), mapping, none(p.DefaultReturnID), p.NotifyURL, p.SharedEntityOK, store.At(p.WeakKeyUntil), p.CreatedBy, store.At(p.CreatedAt), store.At(p.UpdatedAt),
		p.Association, p.Held)
	return err
}

// UpdatePlatform writes a registration over the one of its version.
func (s *Store) UpdatePlatform(ctx context.Context, p registry.Platform) (bool, error) {
	acs, err := encode(p.ACSURLs)
	if err != nil {
		return false, err
	}
	mapping, err := encode(p.Mapping)
	if err != nil {
		return false, err
	}
	n, err := s.db.Exec(ctx, qUpdatePlatform, p.ID, p.Version, acs, p.AccountType, p.Name, string(p.State), p.IdPEntityID, p.SSOURL, bindings[p.SSOBinding], p.SLOURL,
		p.SLOResponseURL, bindings[p.SLOBinding], string(p.Source), p.MetadataURL, none(p.MetadataID), raw(p.PinnedSigner), p.SignRequests, p.WantResponseSigned,
		p.WantEncrypted, p.AllowIdPInitiated, string(p.FirstEntry), p.AuthnContextMin, int64(p.MaxAuthnAge/time.Second), int64(p.Skew/time.Second), mapping,
		none(p.DefaultReturnID), p.NotifyURL, p.SharedEntityOK, store.At(p.WeakKeyUntil), store.At(p.UpdatedAt), p.Association, p.Held)
	return n == 1, err
}

func (s *Store) platforms(ctx context.Context, q store.Query, args ...any) ([]registry.Platform, error) {
	var out []registry.Platform
	err := s.db.Each(ctx, q, args, func(rows *sql.Rows) error {
		var p registry.Platform
		var acs, state, ssoBinding, sloBinding, source, first, mapping string
		var age, skew int64
		var weak, created, updated store.Instant
		err := rows.Scan(&p.ID, &p.Version, &p.PartnerID, &p.Key, &p.EntityID, &acs, &p.AccountType, &p.Name, &state, &p.IdPEntityID, &p.SSOURL, &ssoBinding,
			&p.SLOURL, &p.SLOResponseURL, &sloBinding, &source, &p.MetadataURL, &p.MetadataID, &p.PinnedSigner, &p.SignRequests, &p.WantResponseSigned,
			&p.WantEncrypted, &p.AllowIdPInitiated, &first, &p.AuthnContextMin, &age, &skew, &mapping, &p.DefaultReturnID, &p.NotifyURL, &p.SharedEntityOK,
			&weak, &p.CreatedBy, &created, &updated, &p.Association, &p.Held)
		if err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(acs), &p.ACSURLs); err != nil {
			return fmt.Errorf("acs_urls of %s: %w", p.ID, err)
		}
		if err := json.Unmarshal([]byte(mapping), &p.Mapping); err != nil {
			return fmt.Errorf("mapping of %s: %w", p.ID, err)
		}
		p.State, p.SSOBinding, p.SLOBinding, p.Source, p.FirstEntry = sso.State(state), binding(ssoBinding), binding(sloBinding), registry.Source(source), sso.FirstEntry(first)
		p.MaxAuthnAge, p.Skew = time.Duration(age)*time.Second, time.Duration(skew)*time.Second
		p.WeakKeyUntil, p.CreatedAt, p.UpdatedAt = weak.Time, created.Time, updated.Time
		out = append(out, p)
		return nil
	})
	return out, err
}

func first[T any](list []T, err error) (T, bool, error) {
	var zero T
	if err != nil || len(list) == 0 {
		return zero, false, err
	}
	return list[0], true, nil
}

// Platform reads one by id or key.
func (s *Store) Platform(ctx context.Context, idOrKey string) (registry.Platform, bool, error) {
	return first(s.platforms(ctx, qPlatform, idOrKey))
}

// PlatformByType reads one by the platform's mark.
func (s *Store) PlatformByType(ctx context.Context, accountType string) (registry.Platform, bool, error) {
	return first(s.platforms(ctx, qPlatformByType, accountType))
}

// Platforms reads those of a partner, or all.
func (s *Store) Platforms(ctx context.Context, partnerID string) ([]registry.Platform, error) {
	return s.platforms(ctx, qPlatforms, partnerID)
}

// EntityHolders reads the active ones with an entity id.
func (s *Store) EntityHolders(ctx context.Context, entityID string) ([]registry.Platform, error) {
	return s.platforms(ctx, qEntityHolders, entityID)
}

// EndSessions ends sessions that came from a registration.
func (s *Store) EndSessions(ctx context.Context, platformID, by string, at time.Time) (int64, error) {
	var hashes [][]byte
	err := s.db.Each(ctx, qSessionHashes, []any{platformID}, func(rows *sql.Rows) error {
		var h []byte
		err := rows.Scan(&h)
		hashes = append(hashes, h)
		return err
	})
	if err != nil {
		return 0, err
	}
	for _, h := range hashes {
		if _, err := s.db.Exec(ctx, qRevokeSession, h, store.At(at)); err != nil {
			return 0, err
		}
	}
	return s.db.Exec(ctx, qEndSessionRows, platformID, store.At(at), by)
}

func (s *Store) certs(ctx context.Context, q store.Query, args ...any) ([]registry.CertRow, error) {
	var out []registry.CertRow
	err := s.db.Each(ctx, q, args, func(rows *sql.Rows) error {
		var c registry.CertRow
		var use, state string
		var fingerprint []byte
		var before, after, warned store.Instant
		if err := rows.Scan(&c.ID, &c.IdPID, &use, &fingerprint, &c.DER, &before, &after, &c.MetadataID, &state, &warned, &c.WarnedDays); err != nil {
			return err
		}
		c.Use, c.State, c.Fingerprint = sso.CertUse(use), sso.CertState(state), hex.EncodeToString(fingerprint)
		c.NotBefore, c.NotAfter, c.WarnedAt = before.Time, after.Time, warned.Time
		out = append(out, c)
		return nil
	})
	return out, err
}

// Certs reads the certificates of a registration.
func (s *Store) Certs(ctx context.Context, platformID string) ([]registry.CertRow, error) {
	return s.certs(ctx, qCerts, platformID)
}

// EndingCerts reads current ones that end before the instant.
func (s *Store) EndingCerts(ctx context.Context, before time.Time) ([]registry.CertRow, error) {
	return s.certs(ctx, qEndingCerts, store.At(before))
}

// PutCert inserts a certificate or sets its state.
func (s *Store) PutCert(ctx context.Context, c registry.CertRow, at time.Time) error {
	fingerprint, err := hex.DecodeString(c.Fingerprint)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, qPutCert, c.ID, c.IdPID, string(c.Use), fingerprint, c.DER, store.At(c.NotBefore), store.At(c.NotAfter), c.MetadataID, string(c.State), store.At(at))
	return err
}

// SetCertState writes a certificate's state.
func (s *Store) SetCertState(ctx context.Context, certID string, state sso.CertState) error {
	_, err := s.db.Exec(ctx, qSetCertState, certID, string(state))
	return err
}

// WarnCert notes a warning, once for each count of days.
func (s *Store) WarnCert(ctx context.Context, c registry.CertRow, days int, at time.Time) (bool, error) {
	n, err := s.db.Exec(ctx, qWarnCert, c.ID, store.At(at), int64(days))
	return n == 1, err
}

// Returns reads the addresses that are allowed or wait.
func (s *Store) Returns(ctx context.Context, platformID string) ([]sso.Return, error) {
	var out []sso.Return
	err := s.db.Each(ctx, qReturns, []any{platformID}, func(rows *sql.Rows) error {
		var r sso.Return
		var state string
		if err := rows.Scan(&r.ID, &r.ShortKey, &r.Scheme, &r.Host, &r.Port, &r.PathPrefix, &r.Label, &state); err != nil {
			return err
		}
		r.State = sso.ReturnState(state)
		out = append(out, r)
		return nil
	})
	return out, err
}

// InsertReturn writes an address.
func (s *Store) InsertReturn(ctx context.Context, platformID string, r sso.Return, by string, at time.Time) error {
	approved := store.Instant{}
	if r.State == sso.ReturnStateApproved {
		approved = store.At(at)
	} else {
		by = ""
	}
	_, err := s.db.Exec(ctx, qInsertReturn, r.ID, platformID, r.ShortKey, r.Scheme, r.Host, int64(r.Port), r.PathPrefix, r.Label, string(r.State), by, approved, store.At(at))
	return err
}

// SetReturnState writes an address's state; false when it is none of the registration's.
func (s *Store) SetReturnState(ctx context.Context, platformID, returnID string, state sso.ReturnState, by string, at time.Time) (bool, error) {
	n, err := s.db.Exec(ctx, qSetReturnState, platformID, returnID, string(state), by, store.At(at))
	return n == 1, err
}
