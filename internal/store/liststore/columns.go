// Package liststore keeps what a person chose of a list: which columns, in which order, and the filters he
// gave a name (视图).
//
// It owns the queries of list_columns, list_view and view_mail; it does not own which columns a list has nor what an
// address means. Invariant: every query
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

	qViews    = q.Get("view.Of")
	qSetView  = q.Get("view.Set")
	qDropView = q.Get("view.Drop")
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

// Views gives each view a person named: its organisation, page, name and filter, in the order of the names.
func (s *Store) Views(ctx context.Context, personID string, fn func(orgID, path, name, query string)) error {
	return s.db.Cells(ctx, qViews, []any{personID}, func(c store.RowCells) error {
		fn(c.Text(0), c.Text(1), c.Text(2), c.Text(3))
		return nil
	})
}

// SetView keeps a view; one of the same name is replaced.
func (s *Store) SetView(ctx context.Context, personID, orgID, path, name, query string) error {
	_, err := s.db.Exec(ctx, qSetView, personID, orgID, path, name, query, store.At(s.clock.Now()))
	return err
}

// DropView gives a view up, and its letters.
func (s *Store) DropView(ctx context.Context, personID, orgID, path, name string) error {
	if err := s.DropMail(ctx, personID, orgID, path, name); err != nil {
		return err
	}
	_, err := s.db.Exec(ctx, qDropView, personID, orgID, path, name)
	return err
}
