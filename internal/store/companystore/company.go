// Package companystore keeps what partners say about themselves.
//
// It owns the queries of company_profile, company_logo and company_change; it does not own review.
package companystore

import (
	"context"
	"database/sql"
	"embed"
	"strings"
	"time"

	"huoban/internal/company"
	"huoban/internal/store"
)

//go:embed query/*.sql
var files embed.FS

var (
	q             = store.Load(files)
	qProfile      = q.Get("company.Profile")
	qLogoSha      = q.Get("company.LogoSha")
	qSaveProfile  = q.Get("company.SaveProfile")
	qSaveLogo     = q.Get("company.SaveLogo")
	qDropLogo     = q.Get("company.DropLogo")
	qLogoOf       = q.Get("company.LogoOf")
	qLogo         = q.Get("company.Logo")
	qListed       = q.Get("company.Listed")
	qInsertChange = q.Get("company.InsertChange")
	qDecide       = q.Get("company.DecideChange")
	qChangesOf    = q.Get("company.ChangesOf")
	qChangesFor   = q.Get("company.ChangesFor")
	qLicensed     = q.Get("company.LicensedChange")
)

// Store implements company.Store.
type Store struct{ db *store.DB }

// New makes the store.
func New(db *store.DB) *Store { return &Store{db} }

// Profile reads one.
func (s *Store) Profile(ctx context.Context, orgID string) (p company.Profile, found bool, err error) {
	err = s.db.Each(ctx, qProfile, []any{orgID}, func(rows *sql.Rows) error {
		var at store.Instant
		found = true
		err := rows.Scan(&p.OrgID, &p.Name, &p.NameEN, &p.Address, &p.Intro, &p.Website, &p.Phone, &p.Listed, &p.UpdatedBy, &at)
		p.UpdatedAt = at.Time
		return err
	})
	if err != nil {
		return p, found, err
	}
	err = s.db.Each(ctx, qLogoSha, []any{orgID}, func(rows *sql.Rows) error { return rows.Scan(&p.Logo) })
	return p, found, err
}

// SaveProfile writes one.
func (s *Store) SaveProfile(ctx context.Context, p company.Profile) error {
	_, err := s.db.Exec(ctx, qSaveProfile, p.OrgID, p.Name, p.NameEN, p.Address, p.Intro, p.Website, p.Phone, p.Listed, p.UpdatedBy, store.At(p.UpdatedAt))
	return err
}

// SaveLogo writes a logo.
func (s *Store) SaveLogo(ctx context.Context, orgID, sha string, body []byte, at time.Time) error {
	_, err := s.db.Exec(ctx, qSaveLogo, orgID, sha, body, store.At(at))
	return err
}

// DropLogo removes it.
func (s *Store) DropLogo(ctx context.Context, orgID string) error {
	_, err := s.db.Exec(ctx, qDropLogo, orgID)
	return err
}

// LogoOf reads a logo of an organisation.
func (s *Store) LogoOf(ctx context.Context, orgID, sha string) ([]byte, bool, error) {
	return s.body(ctx, qLogoOf, orgID, sha)
}

// Logo reads a logo of somebody who is listed.
func (s *Store) Logo(ctx context.Context, sha string) ([]byte, bool, error) {
	return s.body(ctx, qLogo, sha, true)
}

func (s *Store) body(ctx context.Context, q store.Query, args ...any) (body []byte, found bool, err error) {
	err = s.db.Each(ctx, q, args, func(rows *sql.Rows) error {
		found = true
		return rows.Scan(&body)
	})
	return body, found, err
}

// Listed finds who lets itself be found.
func (s *Store) Listed(ctx context.Context, text string, limit int) ([]company.Listing, error) {
	if text != "" {
		text = "%" + strings.ReplaceAll(text, `\`, "_") + "%"
	}
	var out []company.Listing
	err := s.db.Each(ctx, qListed, []any{true, text, int64(limit)}, func(rows *sql.Rows) error {
		var l company.Listing
		err := rows.Scan(&l.Code, &l.Kind, &l.Name, &l.NameEN, &l.Intro, &l.Website, &l.Phone, &l.Logo)
		out = append(out, l)
		return err
	})
	return out, err
}

// InsertChange writes a new change.
func (s *Store) InsertChange(ctx context.Context, c company.Change) error {
	_, err := s.db.Exec(ctx, qInsertChange, c.ID, c.OrgID, string(c.State), c.Version, c.New.Name, c.New.NameEN, c.New.Address, c.Was.Name, c.Was.NameEN, c.Was.Address, c.CreatedBy, store.At(c.CreatedAt))
	return err
}

// DecideChange moves one that is still as it was loaded.
func (s *Store) DecideChange(ctx context.Context, c company.Change, to company.State, by, reason string, at time.Time) (bool, error) {
	n, err := s.db.Exec(ctx, qDecide, c.ID, c.Version, string(to), by, store.At(at), reason)
	return n == 1, err
}

// ChangesOf lists an organisation's own.
func (s *Store) ChangesOf(ctx context.Context, orgID string) ([]company.Change, error) {
	return s.changes(ctx, qChangesOf, orgID)
}

// LicensedChange finds the approved change that brought the newest licence.
func (s *Store) LicensedChange(ctx context.Context, orgID string) (id string, err error) {
	err = s.db.Each(ctx, qLicensed, []any{orgID}, func(rows *sql.Rows) error { return rows.Scan(&id) })
	return id, err
}

// ChangesFor lists those of partners that deal with the vendor.
func (s *Store) ChangesFor(ctx context.Context, vendorID string) ([]company.Change, error) {
	return s.changes(ctx, qChangesFor, vendorID)
}

func (s *Store) changes(ctx context.Context, q store.Query, arg string) ([]company.Change, error) {
	var out []company.Change
	err := s.db.Each(ctx, q, []any{arg}, func(rows *sql.Rows) error {
		var c company.Change
		var created, decided store.Instant
		err := rows.Scan(&c.ID, &c.OrgID, &c.OrgCode, &c.OrgName, &c.State, &c.Version, &c.New.Name, &c.New.NameEN, &c.New.Address, &c.Was.Name, &c.Was.NameEN, &c.Was.Address,
			&c.CreatedBy, &created, &c.DecidedBy, &decided, &c.Reason)
		c.CreatedAt, c.DecidedAt = created.Time, decided.Time
		out = append(out, c)
		return err
	})
	return out, err
}
