// Package auditstore keeps the chain of audit entries.
//
// It owns the queries of audit and audit_head; it does not own hashing. Invariant: a transaction moves the
// head before it writes its first row, so that concurrent writers meet at one row and the loser is run
// again. Further rows of it, those of others that share it too, move the head once more at its end.
package auditstore

import (
	"bytes"
	"context"
	"database/sql"
	"embed"
	"math"
	"time"

	"huoban/internal/audit"
	"huoban/internal/fault"
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

// headKey names the end of the chain as the running transaction will leave it.
type headKey struct{}

// pending is that end, and how far audit_head has been moved yet.
type pending struct {
	head  audit.Head
	moved audit.Head
}

// Head reads the end of the chain; before the first row it is empty.
func (s *Store) Head(ctx context.Context) (h audit.Head, err error) {
	if p, ok := s.db.Late(ctx, headKey{}); ok {
		return p.(pending).head, nil
	}
	h.Hash = []byte{}
	err = s.db.Each(ctx, qHead, nil, func(rows *sql.Rows) error { return rows.Scan(&h.Seq, &h.Hash, &h.KeyID) })
	return h, err
}

// Append writes the row after prev, if that is the end of the chain, and makes the row the end.
func (s *Store) Append(ctx context.Context, prev audit.Head, r audit.Row, keyID string) (bool, error) {
	next := pending{head: audit.Head{Seq: r.Seq, Hash: r.Hash, KeyID: keyID}}
	if kept, ok := s.db.Late(ctx, headKey{}); ok {
		p := kept.(pending)
		if next.moved = p.moved; !same(p.head, prev) {
			return false, nil
		}
	} else {
		if ok, err := s.move(ctx, prev, next.head); err != nil || !ok {
			return false, err
		}
		next.moved = next.head
	}
	_, err := s.db.Exec(ctx, qAppend, r.Seq, store.At(r.At), r.Actor, r.OnBehalf, r.OrgID, r.Action, r.Object, r.Outcome, r.Detail,
		r.RequestID, r.IP, r.Prev, r.Hash)
	if err == nil {
		err = s.db.SetLate(ctx, headKey{}, next, s.settle)
	}
	return err == nil, err
}

func same(a, b audit.Head) bool {
	return a.Seq == b.Seq && a.KeyID == b.KeyID && bytes.Equal(a.Hash, b.Hash)
}

// move makes to the end of the chain, unless it is another one than from.
func (s *Store) move(ctx context.Context, from, to audit.Head) (bool, error) {
	if from.KeyID == "" {
		n, err := s.db.Exec(ctx, qFirstHead, to.Seq, to.Hash, to.KeyID)
		return n == 1, err
	}
	n, err := s.db.Exec(ctx, qMoveHead, to.Seq, to.Hash, from.Seq, from.Hash, from.KeyID)
	return n == 1, err
}

// settle moves the head to where the transaction's last row left the chain.
func (s *Store) settle(ctx context.Context, value any) error {
	p := value.(pending)
	if same(p.head, p.moved) {
		return nil
	}
	ok, err := s.move(ctx, p.moved, p.head)
	if err == nil && !ok {
		err = fault.Unavailable("audit.head_moved", nil)
	}
	return err
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
