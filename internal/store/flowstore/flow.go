// Package flowstore keeps the transition log and the changes that wait for their time.
//
// It owns those two tables' queries; it does not own what a machine may do. Invariant: the log is
// append-only, which triggers enforce.
package flowstore

import (
	"context"
	"database/sql"
	"embed"
	"time"

	"huoban/internal/audit"
	"huoban/internal/flow"
	"huoban/internal/store"
)

//go:embed query/*.sql
var files embed.FS

var (
	q            = store.Load(files)
	qAppend      = q.Get("transition.Append")
	qLast        = q.Get("transition.Last")
	qHistory     = q.Get("transition.History")
	qDueClear    = q.Get("due.Clear")
	qDueAdd      = q.Get("due.Add")
	qDueRipe     = q.Get("due.Ripe")
	qDuePostpone = q.Get("due.Postpone")
	qDueDrop     = q.Get("due.Drop")
)

// Store implements flow.Log and flow.DueStore.
type Store struct{ db *store.DB }

// New makes the store.
func New(db *store.DB) *Store { return &Store{db} }

// Append writes one change.
func (s *Store) Append(ctx context.Context, c flow.Change) error {
	if c.RequestID == "" {
		c.RequestID = audit.RequestFrom(ctx).ID
	}
	_, err := s.db.Exec(ctx, qAppend, c.Machine, c.Entity, c.From, c.To, c.Action, c.Actor, store.At(c.At), c.Reason, c.RequestID, c.Version)
	return err
}

// Last is the newest change of an entity.
func (s *Store) Last(ctx context.Context, machine, entity string) (c flow.Change, ok bool, err error) {
	err = s.db.Each(ctx, qLast, []any{machine, entity}, func(rows *sql.Rows) error {
		ok = true
		return scan(rows, &c)
	})
	return c, ok, err
}

// History is every change of an entity, oldest first.
func (s *Store) History(ctx context.Context, machine, entity string) ([]flow.Change, error) {
	var out []flow.Change
	err := s.db.Each(ctx, qHistory, []any{machine, entity}, func(rows *sql.Rows) error {
		var c flow.Change
		err := scan(rows, &c)
		out = append(out, c)
		return err
	})
	return out, err
}

func scan(rows *sql.Rows, c *flow.Change) error {
	var at store.Instant
	err := rows.Scan(&c.Machine, &c.Entity, &c.From, &c.To, &c.Action, &c.Actor, &at, &c.Reason, &c.RequestID, &c.Version)
	c.At = at.Time
	return err
}

// ClearDue forgets what waited for the entity.
func (s *Store) ClearDue(ctx context.Context, machine, entity string) error {
	_, err := s.db.Exec(ctx, qDueClear, machine, entity)
	return err
}

// AddDue keeps changes for their time.
func (s *Store) AddDue(ctx context.Context, due []flow.DueChange) error {
	for _, d := range due {
		if _, err := s.db.Exec(ctx, qDueAdd, d.Machine, d.Entity, d.Action, store.At(d.At)); err != nil {
			return err
		}
	}
	return nil
}

// Ripe lists changes whose time has come, the oldest first.
func (s *Store) Ripe(ctx context.Context, now time.Time, limit int) ([]flow.DueChange, error) {
	var out []flow.DueChange
	err := s.db.Each(ctx, qDueRipe, []any{store.At(now), limit}, func(rows *sql.Rows) error {
		var d flow.DueChange
		var at store.Instant
		err := rows.Scan(&d.Machine, &d.Entity, &d.Action, &at, &d.Tries)
		d.At = at.Time
		out = append(out, d)
		return err
	})
	return out, err
}

// Postpone moves one change to a later time and counts the try.
func (s *Store) Postpone(ctx context.Context, d flow.DueChange, to time.Time) error {
	_, err := s.db.Exec(ctx, qDuePostpone, d.Machine, d.Entity, d.Action, store.At(d.At), store.At(to))
	return err
}

// Drop forgets one change.
func (s *Store) Drop(ctx context.Context, d flow.DueChange) error {
	_, err := s.db.Exec(ctx, qDueDrop, d.Machine, d.Entity, d.Action, store.At(d.At))
	return err
}
