// Package reconcilestore keeps comparisons of lists (对账比对).
//
// It owns their SQL; the rules are those of package reconcile.
package reconcilestore

import (
	"context"
	"database/sql"
	"embed"
	"slices"
	"time"

	"huoban/internal/fault"
	"huoban/internal/reconcile"
	"huoban/internal/store"
)

//go:embed query/*.sql
var files embed.FS

var (
	set        = store.Load(files)
	qInsert    = set.Get("reconcile.Insert")
	qList      = set.Get("reconcile.List")
	qRows      = set.Get("reconcile.Rows")
	qRowsBack  = set.Get("reconcile.RowsBack")
	qPurgeRows = set.Get("reconcile.PurgeRows")
	qPurge     = set.Get("reconcile.Purge")

	_ reconcile.Store = (*Store)(nil)
)

// Store keeps comparisons.
type Store struct{ db *store.DB }

// New makes the store.
func New(db *store.DB) *Store { return &Store{db} }

// Insert writes a comparison.
func (s *Store) Insert(ctx context.Context, r *reconcile.Run) error {
	t := &r.Totals
	added, removed, changed := t.By[reconcile.ClassAdded], t.By[reconcile.ClassRemoved], t.By[reconcile.ClassChanged]
	_, err := s.db.Exec(ctx, qInsert, r.ID, r.OrgID, r.PersonID, r.Login, string(r.Key), r.Currency, r.Left, r.Right, t.LeftRows, t.RightRows, store.Dec(t.Left), store.Dec(t.Right),
		added.Rows, store.Dec(added.Sum), removed.Rows, store.Dec(removed.Sum), changed.Rows, store.Dec(changed.Sum), t.By[reconcile.ClassSame].Rows, store.At(r.CreatedAt), store.At(r.ExpiresAt))
	return err
}

// AddRows writes differences.
func (s *Store) AddRows(ctx context.Context, runID string, rows []reconcile.Row) error {
	if len(rows) == 0 {
		return nil
	}
	i := 0
	_, err := s.db.Bulk(ctx, "reconcile_row", []string{"run_id", "row_no", "class", "row_key", "left_exact", "right_exact"}, func() ([]any, bool, error) {
		if i == len(rows) {
			return nil, false, nil
		}
		r := &rows[i]
		i++
		return []any{runID, r.No, string(r.Class), r.Key, store.Dec(r.Left), store.Dec(r.Right)}, true, nil
	})
	return err
}

func (s *Store) list(ctx context.Context, id, orgID, personID string) ([]reconcile.Run, error) {
	var out []reconcile.Run
	err := s.db.Each(ctx, qList, []any{id, orgID, personID}, func(rows *sql.Rows) error {
		var r reconcile.Run
		var key string
		var left, right, added, removed, changed store.Decimal
		var a, b, c, same int64
		var created, expires store.Instant
		if err := rows.Scan(&r.ID, &r.OrgID, &r.PersonID, &r.Login, &key, &r.Currency, &r.Left, &r.Right, &r.Totals.LeftRows, &r.Totals.RightRows, &left, &right, &a, &added, &b, &removed,
			&c, &changed, &same, &created, &expires); err != nil {
			return err
		}
		r.Key, r.Totals.Left, r.Totals.Right, r.CreatedAt, r.ExpiresAt = reconcile.Key(key), left.Exact, right.Exact, created.Time, expires.Time
		r.Totals.By = map[reconcile.Class]reconcile.Count{reconcile.ClassAdded: {Rows: a, Sum: added.Exact}, reconcile.ClassRemoved: {Rows: b, Sum: removed.Exact},
			reconcile.ClassChanged: {Rows: c, Sum: changed.Exact}, reconcile.ClassSame: {Rows: same}}
		out = append(out, r)
		return nil
	})
	return out, err
}

// List are a person's comparisons, the newest first.
func (s *Store) List(ctx context.Context, orgID, personID string) ([]reconcile.Run, error) {
	return s.list(ctx, "", orgID, personID)
}

// ByID is one comparison. Fault: reconcile.unknown.
func (s *Store) ByID(ctx context.Context, id string) (reconcile.Run, error) {
	list, err := s.list(ctx, id, "", "")
	if err != nil {
		return reconcile.Run{}, err
	}
	if id == "" || len(list) != 1 {
		return reconcile.Run{}, fault.NotFound("reconcile.unknown", nil)
	}
	return list[0], nil
}

// Rows are differences after a number, or before it.
func (s *Store) Rows(ctx context.Context, runID string, c reconcile.Class, after int64, back bool, limit int) ([]reconcile.Row, error) {
	q := qRows
	if back {
		q = qRowsBack
	}
	var out []reconcile.Row
	err := s.db.Each(ctx, q, []any{runID, string(c), after, int64(limit)}, func(rows *sql.Rows) error {
		var r reconcile.Row
		var class string
		var left, right store.Decimal
		err := rows.Scan(&r.No, &class, &r.Key, &left, &right)
		r.Class, r.Left, r.Right = reconcile.Class(class), left.Exact, right.Exact
		out = append(out, r)
		return err
	})
	if back {
		slices.Reverse(out)
	}
	return out, err
}

// Purge removes what expired before.
func (s *Store) Purge(ctx context.Context, before time.Time) (int64, error) {
	if _, err := s.db.Exec(ctx, qPurgeRows, store.At(before)); err != nil {
		return 0, err
	}
	return s.db.Exec(ctx, qPurge, store.At(before))
}
