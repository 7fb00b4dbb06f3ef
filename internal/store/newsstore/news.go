// Package newsstore keeps announcements.
//
// It owns the queries of announcement; it does not own audiences.
package newsstore

import (
	"context"
	"database/sql"
	"embed"
	"time"

	"huoban/internal/news"
	"huoban/internal/store"
)

//go:embed query/*.sql
var files embed.FS

var (
	q         = store.Load(files)
	qInsert   = q.Get("news.Insert")
	qWithdraw = q.Get("news.Withdraw")
	qOfVendor = q.Get("news.OfVendor")
	qReaching = q.Get("news.Reaching")
)

// Store implements news.Store.
type Store struct{ db *store.DB }

// New makes the store.
func New(db *store.DB) *Store { return &Store{db} }

// Insert writes an announcement.
func (s *Store) Insert(ctx context.Context, i news.Item) error {
	_, err := s.db.Exec(ctx, qInsert, i.ID, i.VendorID, string(i.Audience), i.TitleZH, i.TitleEN, i.BodyZH, i.BodyEN, store.At(i.StartsAt), store.At(i.EndsAt), i.CreatedBy, store.At(i.CreatedAt))
	return err
}

// Withdraw takes one back; false when it was already.
func (s *Store) Withdraw(ctx context.Context, id string, at time.Time) (bool, error) {
	n, err := s.db.Exec(ctx, qWithdraw, id, store.At(at))
	return n == 1, err
}

// OfVendor lists all of a vendor.
func (s *Store) OfVendor(ctx context.Context, vendorID string) ([]news.Item, error) {
	return s.read(ctx, qOfVendor, vendorID)
}

// Reaching lists those in force of every vendor the organisation deals with.
func (s *Store) Reaching(ctx context.Context, orgID string, now time.Time) ([]news.Item, error) {
	return s.read(ctx, qReaching, orgID, store.At(now))
}

func (s *Store) read(ctx context.Context, q store.Query, args ...any) ([]news.Item, error) {
	var out []news.Item
	err := s.db.Each(ctx, q, args, func(rows *sql.Rows) error {
		var i news.Item
		var starts, ends, created, withdrawn store.Instant
		err := rows.Scan(&i.ID, &i.VendorID, &i.Vendor, &i.Audience, &i.TitleZH, &i.TitleEN, &i.BodyZH, &i.BodyEN, &starts, &ends, &i.CreatedBy, &created, &withdrawn)
		i.StartsAt, i.EndsAt, i.CreatedAt, i.WithdrawnAt = starts.Time, ends.Time, created.Time, withdrawn.Time
		out = append(out, i)
		return err
	})
	return out, err
}
