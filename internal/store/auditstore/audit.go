// Package auditstore keeps the chain of audit entries.
//
// It owns the queries of audit and audit_head; it does not own hashing. Invariant: the head is moved
// before the row is written, so that concurrent writers meet at one row and the loser is run again.
package auditstore

import (
	"context"
	"database/sql"
	"embed"
	"math"
	"time"

	"huoban/internal/audit"
	"huoban/internal/store"
)

//go:embed query/*.sql
var files embed.FS

var (
	q          = store.Load(files)
	qHead      = q.Get("audit.Head")
	qFirstHead = q.Get("audit.FirstHead")
	qMoveHead  = q.Get("audit.MoveHead")
	qAppend    = q.Get("audit.Append")
	qAfter     = q.Get("audit.After")
	qBefore    = q.Get("audit.Before")
	qNewer     = q.Get("audit.Newer")
	qSpan      = q.Get("audit.Span")
)

// Store implements audit.Store.
type Store struct{ db *store.DB }

// New makes the store.
func New(db *store.DB) *Store { return &Store{db} }

// Head reads the end of the chain; before the first row it is empty.
func (s *Store) Head(ctx context.Context) (h audit.Head, err error) {
	h.Hash = []byte{}
	err = s.db.Each(ctx, qHead, nil, func(rows *sql.Rows) error { return rows.Scan(&h.Seq, &h.Hash, &h.KeyID) })
	return h, err
}

// Append moves the head from prev to the row and writes the row.
func (s *Store) Append(ctx context.Context, prev audit.Head, r audit.Row, keyID string) (bool, error) {
	var n int64
	var err error
	if prev.KeyID == "" {
		n, err = s.db.Exec(ctx, qFirstHead, r.Seq, r.Hash, keyID)
	} else {
		n, err = s.db.Exec(ctx, qMoveHead, r.Seq, r.Hash, prev.Seq, prev.Hash, prev.KeyID)
	}
	if err != nil || n == 0 {
		return false, err
	}
	_, err = s.db.Exec(ctx, qAppend, r.Seq, store.At(r.At), r.Actor, r.OnBehalf, r.OrgID, r.Action, r.Object, r.Outcome, r.Detail,
		r.RequestID, r.IP, r.Prev, r.Hash)
	return err == nil, err
}

// After reads rows in order.
func (s *Store) After(ctx context.Context, seq int64, limit int) ([]audit.Row, error) {
	return s.rows(ctx, qAfter, []any{seq, limit})
}

var (
	dawn = time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC)
	dusk = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
)

// Before reads rows that match, newest first.
func (s *Store) Before(ctx context.Context, orgID string, all bool, f audit.Filter, before int64, limit int) ([]audit.Row, error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	if f.Until > 0 {
		before = min(before, f.Until+1)
	}
	return s.rows(ctx, qBefore, append(append([]any{before}, narrowed(orgID, all, f, limit)...), f.Request))
}

// Newer reads rows that match, oldest first.
func (s *Store) Newer(ctx context.Context, orgID string, all bool, f audit.Filter, seq int64, limit int) ([]audit.Row, error) {
	return s.rows(ctx, qNewer, append([]any{seq}, append(narrowed(orgID, all, f, limit), until(f), f.Request)...))
}

// Span counts rows that match.
func (s *Store) Span(ctx context.Context, orgID string, all bool, f audit.Filter) (out audit.Span, err error) {
	args := narrowed(orgID, all, f, 0)
	err = s.db.Row(ctx, qSpan, "", append(append([]any{until(f)}, args[:len(args)-1]...), f.Request), &out.Count, &out.Newest)
	return out, err
}

func until(f audit.Filter) int64 {
	if f.Until > 0 {
		return f.Until
	}
	return math.MaxInt64
}

// narrowed are the parameters of a filter, from the second on.
func narrowed(orgID string, all bool, f audit.Filter, limit int) []any {
	every := 0
	if all {
		every = 1
	}
	from, to := f.From, f.To
	if from.IsZero() {
		from = dawn
	}
	if to.IsZero() {
		to = dusk
	}
	return []any{orgID, every, f.Actor, f.Action, f.Object, f.Outcome, store.At(from), store.At(to), limit}
}

func (s *Store) rows(ctx context.Context, q store.Query, args []any) ([]audit.Row, error) {
	var out []audit.Row
	err := s.db.Each(ctx, q, args, func(rows *sql.Rows) error {
		var r audit.Row
		var at store.Instant
		err := rows.Scan(&r.Seq, &at, &r.Actor, &r.OnBehalf, &r.OrgID, &r.Action, &r.Object, &r.Outcome, &r.Detail, &r.RequestID,
			&r.IP, &r.Prev, &r.Hash)
		r.At = at.Time
		out = append(out, r)
		return err
	})
	return out, err
}
