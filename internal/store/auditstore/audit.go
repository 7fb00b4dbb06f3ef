// Package auditstore keeps the chain of audit entries.
//
// It owns the queries of audit and audit_head; it does not own hashing. Invariant: a transaction moves the
// head before anything else of the chain, so that concurrent writers meet at one row and the loser is run
// again. Its rows, those of others that share it too, are written together before its commit, with the head
// moved once more if they are several.
package auditstore

import (
	"bytes"
	"context"
	"database/sql"
	"embed"
	"math"
	"sync"
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

// endKey names the end of the chain as the running transaction will leave it.
type endKey struct{}

// end is the head with every row of the transaction, how far audit_head has been moved yet, and the rows
// that are still to be written. It is not changed once it is kept, because a member that shares the
// transaction may be undone.
type end struct {
	head  audit.Head
	moved audit.Head
	rows  []audit.Row
}

// Head reads the end of the chain; before the first row it is empty.
func (s *Store) Head(ctx context.Context) (h audit.Head, err error) {
	if e, ok := s.db.Late(ctx, endKey{}); ok {
		return e.(end).head, nil
	}
	h.Hash = []byte{}
	err = s.db.Each(ctx, qHead, nil, func(rows *sql.Rows) error { return rows.Scan(&h.Seq, &h.Hash, &h.KeyID) })
	return h, err
}

// Append puts the row after prev, if that is the end of the chain, and makes the row the end.
func (s *Store) Append(ctx context.Context, prev audit.Head, r audit.Row, keyID string) (bool, error) {
	var e end
	if kept, ok := s.db.Late(ctx, endKey{}); ok {
		if e = kept.(end); !same(e.head, prev) {
			return false, nil
		}
	} else {
		e.moved = audit.Head{Seq: r.Seq, Hash: r.Hash, KeyID: keyID}
		if ok, err := s.move(ctx, prev, e.moved); err != nil || !ok {
			return false, err
		}
	}
	if len(e.rows) == atOnce {
		if err := s.insert(ctx, e.rows); err != nil {
			return false, err
		}
		e.rows = nil
	}
	e.head, e.rows = audit.Head{Seq: r.Seq, Hash: r.Hash, KeyID: keyID}, append(e.rows, r)
	err := s.db.SetLate(ctx, endKey{}, e, s.settle)
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

// settle writes the rows of the transaction and moves the head past the last one.
func (s *Store) settle(ctx context.Context, kept any) error {
	e := kept.(end)
	if err := s.insert(ctx, e.rows); err != nil || same(e.head, e.moved) {
		return err
	}
	ok, err := s.move(ctx, e.moved, e.head)
	if err == nil && !ok {
		err = fault.Unavailable("audit.head_moved", nil)
	}
	return err
}

// flush writes what the running transaction has recorded, for who reads rows in it.
func (s *Store) flush(ctx context.Context) error {
	kept, ok := s.db.Late(ctx, endKey{})
	if !ok {
		return nil
	}
	e := kept.(end)
	if err := s.insert(ctx, e.rows); err != nil {
		return err
	}
	e.rows = nil
	return s.db.SetLate(ctx, endKey{}, e, s.settle)
}

// atOnce is how many rows are written by one statement at most.
const atOnce = 32

// appends are statements of 1, 2, 4 … atOnce rows: a few texts that stay prepared serve any number.
var appends = sync.OnceValue(func() (out []store.Query) {
	const columns = 13
	text := qAppend.Text
	for n := 1; n <= atOnce; n++ {
		if n&(n-1) == 0 {
			out = append(out, store.Query{Name: qAppend.Name, Text: text})
		}
		text += ", (" + store.In(n*columns+1, columns) + ")"
	}
	return out
})

// insert writes rows in their order, as many as it can by each statement.
func (s *Store) insert(ctx context.Context, rows []audit.Row) error {
	for at := len(appends()) - 1; at >= 0; at-- {
		for n := 1 << at; len(rows) >= n; rows = rows[n:] {
			args := make([]any, 0, 13*n)
			for _, r := range rows[:n] {
				args = append(args, r.Seq, store.At(r.At), r.Actor, r.OnBehalf, r.OrgID, r.Action, r.Object, r.Outcome, r.Detail,
					r.RequestID, r.IP, r.Prev, r.Hash)
			}
			if _, err := s.db.Exec(ctx, appends()[at], args...); err != nil {
				return err
			}
		}
	}
	return nil
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
	if err := s.flush(ctx); err != nil {
		return out, err
	}
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
	if err := s.flush(ctx); err != nil {
		return nil, err
	}
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
