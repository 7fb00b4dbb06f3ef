// Package liststore keeps what a person chose of a list: which columns, in which order.
//
// It owns the queries of list_columns; it does not own which columns a list has. Invariant: every query
// names the person.
package liststore

import (
	"context"
	"embed"
	"strings"

	"huoban/internal/clock"
	"huoban/internal/store"
)

//go:embed query/*.sql
var files embed.FS

var (
	q     = store.Load(files)
	qOf   = q.Get("columns.Of")
	qSet  = q.Get("columns.Set")
	qDrop = q.Get("columns.Drop")
)

// Store keeps columns.
type Store struct {
	db    *store.DB
	clock clock.Clock
}

// New makes the store.
func New(db *store.DB, c clock.Clock) *Store { return &Store{db, c} }

// Columns gives the keys a person chose, by list; a list where nothing was chosen has none.
func (s *Store) Columns(ctx context.Context, personID string) (map[string][]string, error) {
	chosen := map[string][]string{}
	err := s.db.Cells(ctx, qOf, []any{personID}, func(c store.RowCells) error {
		if keys := c.Text(1); keys != "" {
			chosen[c.Text(0)] = strings.Split(keys, ",")
		}
		return nil
	})
	return chosen, err
}

// SetColumns keeps a choice; no keys are the list's own columns again.
func (s *Store) SetColumns(ctx context.Context, personID, list string, keys []string) error {
	if len(keys) == 0 {
		_, err := s.db.Exec(ctx, qDrop, personID, list)
		return err
	}
	_, err := s.db.Exec(ctx, qSet, personID, list, strings.Join(keys, ","), store.At(s.clock.Now()))
	return err
}
