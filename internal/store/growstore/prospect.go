// Package growstore keeps what brings customers to partners: grants to distributors, registrations (报备) and invitations.
//
// It owns the queries of prospect_grant, prospect, invitation and invitation_try; it does not own their rules. Invariant: what is
// listed names the partner or the vendor it is listed for.
package growstore

import (
	"context"
	"database/sql"
	"embed"
	"time"

	"huoban/internal/prospect"
	"huoban/internal/store"
)

//go:embed query/*.sql
var files embed.FS

var (
	q           = store.Load(files)
	qByID       = q.Get("prospect.ByID")
	qOfPartner  = q.Get("prospect.OfPartner")
	qOfVendor   = q.Get("prospect.OfVendor")
	qEnding     = q.Get("prospect.Ending")
	qInsert     = q.Get("prospect.Insert")
	qSet        = q.Get("prospect.Set")
	qSetDetails = q.Get("prospect.SetDetails")
	qReminded   = q.Get("prospect.Reminded")
	qCountOpen  = q.Get("prospect.CountOpen")
	qRivals     = q.Get("prospect.Rivals")
	qKnownAs    = q.Get("prospect.KnownAs")
)

// Prospects implements prospect.Store.
type Prospects struct{ db *store.DB }

// NewProspects makes the store.
func NewProspects(db *store.DB) *Prospects { return &Prospects{db} }

type scanner interface{ Scan(dest ...any) error }

func scanProspect(row scanner) (p prospect.Prospect, err error) {
	var submitted, decided, expires, reminded, created, changed store.Instant
	err = row.Scan(&p.ID, &p.VendorID, &p.PartnerID, &p.PersonID, &p.Login, &p.Kind, &p.Name, &p.Phone, &p.Email, &p.Industry, &p.Relation, &p.Remark, &p.State,
		&p.Reason, &submitted, &decided, &p.DecidedBy, &expires, &reminded, &p.CustomerID, &p.Version, &created, &changed)
	p.SubmittedAt, p.DecidedAt, p.ExpiresAt, p.RemindedAt, p.CreatedAt, p.ChangedAt = submitted.Time, decided.Time, expires.Time, reminded.Time, created.Time, changed.Time
	return p, err
}

func (s *Prospects) list(ctx context.Context, q store.Query, args ...any) ([]prospect.Prospect, error) {
	var out []prospect.Prospect
	err := s.db.Each(ctx, q, args, func(rows *sql.Rows) error {
		p, err := scanProspect(rows)
		out = append(out, p)
		return err
	})
	return out, err
}

// ByID finds one. Fault: prospect.unknown.
func (s *Prospects) ByID(ctx context.Context, id string) (prospect.Prospect, error) {
	list, err := s.list(ctx, qByID, id)
	if err == nil && len(list) == 0 {
		err = missing("prospect.unknown")
	}
	if err != nil {
		return prospect.Prospect{}, err
	}
	return list[0], nil
}

// OfPartner lists a partner's, the newest first.
func (s *Prospects) OfPartner(ctx context.Context, partnerID string) ([]prospect.Prospect, error) {
	return s.list(ctx, qOfPartner, partnerID)
}

// OfVendor lists a vendor's, the newest first.
func (s *Prospects) OfVendor(ctx context.Context, vendorID string) ([]prospect.Prospect, error) {
	return s.list(ctx, qOfVendor, vendorID)
}

// Ending lists registered ones that end before an instant, whose filer was not reminded.
func (s *Prospects) Ending(ctx context.Context, before time.Time) ([]prospect.Prospect, error) {
	return s.list(ctx, qEnding, store.At(before))
}

// Insert writes a new one.
func (s *Prospects) Insert(ctx context.Context, p prospect.Prospect, k prospect.Keys) error {
	_, err := s.db.Exec(ctx, qInsert, p.ID, p.VendorID, p.PartnerID, p.PersonID, p.Login, string(p.Kind), p.Name, p.Phone, p.Email, k.Name, k.Phone, k.Email,
		p.Industry, string(p.Relation), p.Remark, string(p.State), p.Version, store.At(p.CreatedAt))
	return err
}

// Set writes state and what belongs to it.
func (s *Prospects) Set(ctx context.Context, p prospect.Prospect, from prospect.State, version int64) (bool, error) {
	n, err := s.db.Exec(ctx, qSet, p.ID, string(from), version, string(p.State), p.Reason, store.At(p.SubmittedAt), store.At(p.DecidedAt), p.DecidedBy,
		store.At(p.ExpiresAt), store.At(p.RemindedAt), key(p.CustomerID), store.At(p.ChangedAt))
	return n == 1, err
}

// SetDetails writes what the partner says.
func (s *Prospects) SetDetails(ctx context.Context, p prospect.Prospect, k prospect.Keys, version int64) (bool, error) {
	n, err := s.db.Exec(ctx, qSetDetails, p.ID, version, string(p.Kind), p.Name, p.Phone, p.Email, k.Name, k.Phone, k.Email, p.Industry, string(p.Relation),
		p.Remark, store.At(p.ChangedAt))
	return n == 1, err
}

// Reminded notes that the filer was told.
func (s *Prospects) Reminded(ctx context.Context, id string, at time.Time) error {
	_, err := s.db.Exec(ctx, qReminded, id, store.At(at))
	return err
}

// CountOpen counts a partner's open ones besides one.
func (s *Prospects) CountOpen(ctx context.Context, partnerID, besides string) (n int, err error) {
	err = s.db.Row(ctx, qCountOpen, "prospect.unknown", []any{partnerID, besides}, &n)
	return n, err
}

// Rivals are the open ones that share a key.
func (s *Prospects) Rivals(ctx context.Context, vendorID string, k prospect.Keys, besides string) ([]prospect.Rival, error) {
	var out []prospect.Rival
	err := s.db.Each(ctx, qRivals, []any{vendorID, besides, k.Name, k.Phone, k.Email}, func(rows *sql.Rows) error {
		var r prospect.Rival
		err := rows.Scan(&r.ID, &r.PartnerID)
		out = append(out, r)
		return err
	})
	return out, err
}

// KnownAs are the associations in force of customers that share a key.
func (s *Prospects) KnownAs(ctx context.Context, k prospect.Keys, at time.Time) ([]prospect.Known, error) {
	var out []prospect.Known
	err := s.db.Each(ctx, qKnownAs, []any{k.Name, k.Phone, k.Email, store.At(at)}, func(rows *sql.Rows) error {
		var x prospect.Known
		err := rows.Scan(&x.CustomerID, &x.PartnerID)
		out = append(out, x)
		return err
	})
	return out, err
}

// key is null for none.
func key(id string) any {
	if id == "" {
		return nil
	}
	return id
}
