// Package withdrawalstore keeps withdrawals.
//
// It owns the queries of withdrawal and withdrawal_part; it does not own balances.
package withdrawalstore

import (
	"context"
	"database/sql"
	"embed"
	"time"

	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/store"
	"huoban/internal/withdrawal"
)

//go:embed query/*.sql
var files embed.FS

var (
	q           = store.Load(files)
	qByID       = q.Get("withdrawal.ByID")
	qList       = q.Get("withdrawal.List")
	qParts      = q.Get("withdrawal.Parts")
	qInsert     = q.Get("withdrawal.Insert")
	qInsertPart = q.Get("withdrawal.InsertPart")
	qSet        = q.Get("withdrawal.Set")
	qTaken      = q.Get("withdrawal.Taken")
	qPayee      = q.Get("withdrawal.Payee")
)

// Store implements withdrawal.Store.
type Store struct{ db *store.DB }

// New makes the store.
func New(db *store.DB) *Store { return &Store{db} }

func scan(rows *sql.Rows) (withdrawal.Request, error) {
	var r withdrawal.Request
	var amount int64
	var due, created, changed store.Instant
	err := rows.Scan(&r.ID, &r.Number, &r.VendorID, &r.PartnerID, &r.Currency, &r.EntityID, &r.Kind, &r.Voluntary, &amount, &r.Payee.Bank, &r.Payee.Branch, &r.Payee.Account, &r.Payee.Holder,
		&r.Memo, &r.Login, &r.State, &r.FirstBy, &r.Reason, &r.Receipt, &due, &r.Version, &created, &changed)
	r.Amount, r.DueAt, r.CreatedAt, r.ChangedAt = money.Amount(amount), due.Time, created.Time, changed.Time
	return r, err
}

// ByID finds one, without its parts. Fault: withdrawal.unknown.
func (s *Store) ByID(ctx context.Context, id string) (r withdrawal.Request, err error) {
	err = s.db.Each(ctx, qByID, []any{id}, func(rows *sql.Rows) (err error) {
		r, err = scan(rows)
		return err
	})
	if err == nil && r.ID == "" {
		err = fault.NotFound("withdrawal.unknown", nil)
	}
	return r, err
}

// Parts are the incoming entries one takes, with how much of each.
func (s *Store) Parts(ctx context.Context, id string) (parts []withdrawal.Part, err error) {
	err = s.db.Each(ctx, qParts, []any{id}, func(rows *sql.Rows) error {
		var p withdrawal.Part
		var amount int64
		var at store.Instant
		err := rows.Scan(&p.EntryID, &p.Way, &p.Number, &at, &amount)
		p.At, p.Amount = at.Time, money.Amount(amount)
		parts = append(parts, p)
		return err
	})
	return parts, err
}

// The widest span there is, for a filter without one.
var (
	early = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	late  = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
)

// List lists what matches, the newest first, without parts.
func (s *Store) List(ctx context.Context, f withdrawal.Filter) ([]withdrawal.Request, error) {
	from, until := f.From, f.Until
	if from.IsZero() {
		from = early
	}
	if until.IsZero() {
		until = late
	}
	var out []withdrawal.Request
	err := s.db.Each(ctx, qList, []any{f.VendorID, f.PartnerID, string(f.State), string(f.Kind), store.At(from), store.At(until)}, func(rows *sql.Rows) error {
		r, err := scan(rows)
		out = append(out, r)
		return err
	})
	return out, err
}

// Insert writes a new one with its parts.
func (s *Store) Insert(ctx context.Context, r withdrawal.Request) error {
	_, err := s.db.Exec(ctx, qInsert, r.ID, r.Number, r.VendorID, r.PartnerID, r.Currency, r.EntityID, string(r.Kind), r.Voluntary, int64(r.Amount), r.Payee.Bank, r.Payee.Branch, r.Payee.Account,
		r.Payee.Holder, r.Memo, r.Login, string(r.State), store.At(r.DueAt), r.Version, store.At(r.CreatedAt))
	for _, p := range r.Parts {
		if err != nil {
			return err
		}
		_, err = s.db.Exec(ctx, qInsertPart, r.ID, p.EntryID, string(p.Way), p.Number, store.At(p.At), int64(p.Amount))
	}
	return err
}

// Set writes a move.
func (s *Store) Set(ctx context.Context, r withdrawal.Request, from withdrawal.State, version int64) (bool, error) {
	n, err := s.db.Exec(ctx, qSet, r.ID, string(from), version, string(r.State), r.FirstBy, r.Reason, r.Receipt, store.At(r.DueAt), store.At(r.ChangedAt))
	return n == 1, err
}

// Taken sums what requests that are not undone took, by entry, and names those that went back the way they came in vain.
func (s *Store) Taken(ctx context.Context, vendorID, partnerID string) (map[string]money.Amount, map[string]bool, error) {
	taken, returned := map[string]money.Amount{}, map[string]bool{}
	err := s.db.Each(ctx, qTaken, []any{vendorID, partnerID}, func(rows *sql.Rows) error {
		var entry string
		var amount int64
		var kind withdrawal.Kind
		var state withdrawal.State
		if err := rows.Scan(&entry, &amount, &kind, &state); err != nil {
			return err
		}
		if state == withdrawal.StateReturned && kind == withdrawal.KindOriginal {
			returned[entry] = true
		}
		if state.Undone() {
			return nil
		}
		sum, err := taken[entry].Add(money.Amount(amount))
		taken[entry] = sum
		return err
	})
	return taken, returned, err
}

// Payee reads the account used last.
func (s *Store) Payee(ctx context.Context, partnerID string) (p withdrawal.Payee, err error) {
	err = s.db.Each(ctx, qPayee, []any{partnerID}, func(rows *sql.Rows) error {
		return rows.Scan(&p.Bank, &p.Branch, &p.Account, &p.Holder)
	})
	return p, err
}
