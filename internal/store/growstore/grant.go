package growstore

import (
	"context"
	"database/sql"

	"huoban/internal/grant"
	"huoban/internal/store"
)

var (
	qGrant       = q.Get("grant.ByID")
	qBetween     = q.Get("grant.Between")
	qGrants      = q.Get("grant.List")
	qInsertGrant = q.Get("grant.Insert")
	qSetGrant    = q.Get("grant.Set")
)

// Grants implements grant.Store.
type Grants struct{ db *store.DB }

// NewGrants makes the store.
func NewGrants(db *store.DB) *Grants { return &Grants{db} }

func (s *Grants) list(ctx context.Context, q store.Query, args ...any) ([]grant.Grant, error) {
	var out []grant.Grant
	err := s.db.Each(ctx, q, args, func(rows *sql.Rows) error {
		var g grant.Grant
		var asked, decided, created, changed store.Instant
		err := rows.Scan(&g.ID, &g.VendorID, &g.PartnerID, &g.State, &g.Version, &g.Plea, &g.AskedBy, &asked, &g.Reason, &g.DecidedBy, &decided, &created, &changed)
		g.AskedAt, g.DecidedAt, g.CreatedAt, g.ChangedAt = asked.Time, decided.Time, created.Time, changed.Time
		out = append(out, g)
		return err
	})
	return out, err
}

func first(list []grant.Grant, err error) (grant.Grant, bool, error) {
	if err != nil || len(list) == 0 {
		return grant.Grant{}, false, err
	}
	return list[0], true, nil
}

// Grant finds one.
func (s *Grants) Grant(ctx context.Context, id string) (grant.Grant, bool, error) {
	return first(s.list(ctx, qGrant, id))
}

// Between finds that of a vendor with a partner.
func (s *Grants) Between(ctx context.Context, vendorID, partnerID string) (grant.Grant, bool, error) {
	return first(s.list(ctx, qBetween, vendorID, partnerID))
}

// Grants lists those of a vendor or of a partner, what changed last first.
func (s *Grants) Grants(ctx context.Context, vendorID, partnerID string) ([]grant.Grant, error) {
	return s.list(ctx, qGrants, vendorID, partnerID)
}

// InsertGrant writes a new one.
func (s *Grants) InsertGrant(ctx context.Context, g grant.Grant) error {
	_, err := s.db.Exec(ctx, qInsertGrant, g.ID, g.VendorID, g.PartnerID, string(g.State), g.Plea, g.AskedBy, store.At(g.AskedAt), g.Reason, g.DecidedBy, store.At(g.DecidedAt), store.At(g.CreatedAt))
	return err
}

// SetGrant moves one that is still as it was loaded.
func (s *Grants) SetGrant(ctx context.Context, g grant.Grant, from grant.State, version int64) (bool, error) {
	n, err := s.db.Exec(ctx, qSetGrant, g.ID, string(from), version, string(g.State), g.Plea, g.AskedBy, store.At(g.AskedAt), g.Reason, g.DecidedBy, store.At(g.DecidedAt), store.At(g.ChangedAt))
	return n == 1, err
}
