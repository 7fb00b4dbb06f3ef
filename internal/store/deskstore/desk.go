// Package deskstore keeps what the vendor's back office sets for itself.
//
// It owns the queries of calendar_day, calendar_year and approval_limit; it does not own their rules.
package deskstore

import (
	"context"
	"database/sql"
	"embed"
	"time"

	"huoban/internal/calendar"
	"huoban/internal/desk"
	"huoban/internal/foureyes"
	"huoban/internal/money"
	"huoban/internal/store"
)

//go:embed query/*.sql
var files embed.FS

var (
	q            = store.Load(files)
	qChanges     = q.Get("desk.Changes")
	qSaveChange  = q.Get("desk.SaveChange")
	qDropChange  = q.Get("desk.DropChange")
	qVouched     = q.Get("desk.Vouched")
	qSaveVouched = q.Get("desk.SaveVouched")
	qDropVouched = q.Get("desk.DropVouched")
	qLimits      = q.Get("desk.Limits")
	qAddLimit    = q.Get("desk.AddLimit")
	qSetLimit    = q.Get("desk.SetLimit")

	qReminded     = q.Get("desk.Reminded")
	qMarkReminded = q.Get("desk.MarkReminded")
)

// Store implements desk.Store and foureyes.Store.
type Store struct{ db *store.DB }

// New makes the store.
func New(db *store.DB) *Store { return &Store{db} }

// Changes reads the days a vendor set.
func (s *Store) Changes(ctx context.Context, vendorID string) ([]desk.Change, error) {
	var out []desk.Change
	err := s.db.Each(ctx, qChanges, []any{vendorID}, func(rows *sql.Rows) error {
		var c desk.Change
		var at store.Instant
		err := rows.Scan(&c.VendorID, &c.Day, &c.Kind, &c.Note, &c.By, &at)
		c.At = at.Time
		out = append(out, c)
		return err
	})
	return out, err
}

// SaveChange writes a day.
func (s *Store) SaveChange(ctx context.Context, c desk.Change) error {
	_, err := s.db.Exec(ctx, qSaveChange, c.VendorID, string(c.Day), string(c.Kind), c.Note, c.By, store.At(c.At))
	return err
}

// DropChange forgets a day.
func (s *Store) DropChange(ctx context.Context, vendorID string, d calendar.Day) error {
	_, err := s.db.Exec(ctx, qDropChange, vendorID, string(d))
	return err
}

// Vouched reads the years a vendor vouches for.
func (s *Store) Vouched(ctx context.Context, vendorID string) ([]desk.Vouched, error) {
	var out []desk.Vouched
	err := s.db.Each(ctx, qVouched, []any{vendorID}, func(rows *sql.Rows) error {
		var v desk.Vouched
		var at store.Instant
		err := rows.Scan(&v.VendorID, &v.Year, &v.By, &at)
		v.At = at.Time
		out = append(out, v)
		return err
	})
	return out, err
}

// SaveVouched writes a year.
func (s *Store) SaveVouched(ctx context.Context, v desk.Vouched) error {
	_, err := s.db.Exec(ctx, qSaveVouched, v.VendorID, int64(v.Year), v.By, store.At(v.At))
	return err
}

// DropVouched forgets a year.
func (s *Store) DropVouched(ctx context.Context, vendorID string, year int) error {
	_, err := s.db.Exec(ctx, qDropVouched, vendorID, int64(year))
	return err
}

// Limits reads a vendor's limits.
func (s *Store) Limits(ctx context.Context, vendorID string) ([]foureyes.Limit, error) {
	var out []foureyes.Limit
	err := s.db.Each(ctx, qLimits, []any{vendorID}, func(rows *sql.Rows) error {
		var l foureyes.Limit
		var at store.Instant
		var amount int64
		err := rows.Scan(&l.VendorID, &l.Kind, &l.Currency, &amount, &l.Version, &l.ChangedBy, &at)
		l.Amount, l.ChangedAt = money.Amount(amount), at.Time
		out = append(out, l)
		return err
	})
	return out, err
}

// SaveLimit writes a limit over the version it was read with.
func (s *Store) SaveLimit(ctx context.Context, l foureyes.Limit, version int64) (bool, error) {
	args := []any{l.VendorID, string(l.Kind), l.Currency, int64(l.Amount), l.Version, l.ChangedBy, store.At(l.ChangedAt)}
	if version == 0 {
		n, err := s.db.Exec(ctx, qAddLimit, args...)
		return n == 1, err
	}
	n, err := s.db.Exec(ctx, qSetLimit, append(args, version)...)
	return n == 1, err
}

// Reminded tells whether a vendor's staff were told on that day.
func (s *Store) Reminded(ctx context.Context, vendorID string, d calendar.Day) (bool, error) {
	var n int64
	err := s.db.Each(ctx, qReminded, []any{vendorID, string(d)}, func(rows *sql.Rows) error { return rows.Scan(&n) })
	return n > 0, err
}

// MarkReminded notes that they are told; false when somebody did before.
func (s *Store) MarkReminded(ctx context.Context, vendorID string, d calendar.Day, at time.Time) (bool, error) {
	n, err := s.db.Exec(ctx, qMarkReminded, vendorID, string(d), store.At(at))
	return n == 1, err
}
