// Package exportstore keeps export tasks and the pieces of their files.
//
// It owns the queries of export_task and export_piece; it does not own who may see a task: the
// service compares its owner. Invariant: a task changes by compare-and-set on state and version.
package exportstore

import (
	"context"
	"database/sql"
	"embed"
	"time"

	"huoban/internal/export"
	"huoban/internal/fault"
	"huoban/internal/store"
)

//go:embed query/*.sql
var files embed.FS

var (
	q           = store.Load(files)
	qInsert     = q.Get("export.Insert")
	qByID       = q.Get("export.ByID")
	qOwn        = q.Get("export.Own")
	qOfOrg      = q.Get("export.OfOrg")
	qAll        = q.Get("export.All")
	qByCode     = q.Get("export.ByCode")
	qUpdate     = q.Get("export.Update")
	qPutPiece   = q.Get("export.PutPiece")
	qPiece      = q.Get("export.Piece")
	qDropPieces = q.Get("export.DropPieces")
)

// end is after every task, for the first page.
var end = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// Store implements export.Store.
type Store struct{ db *store.DB }

// New makes the store.
func New(db *store.DB) *Store { return &Store{db} }

func absent(id string) any {
	if id == "" {
		return nil
	}
	return id
}

// Insert writes a new task.
func (s *Store) Insert(ctx context.Context, t export.Task) error {
	_, err := s.db.Exec(ctx, qInsert, t.ID, absent(t.OrgID), absent(t.PersonID), t.Login, t.Kind, t.Format, string(t.Params), string(t.State),
		t.Version, store.At(t.RequestedAt))
	return err
}

type row struct {
	t                         export.Task
	params, state             string
	requested, done, expiring store.Instant
}

func (r *row) dest() []any {
	t := &r.t
	return []any{&t.ID, &t.OrgID, &t.PersonID, &t.Login, &t.Kind, &t.Format, &r.params, &t.FileName, &t.ContentType, &r.state, &t.Version,
		&r.requested, &r.done, &r.expiring, &t.Bytes, &t.Rows, &t.SHA, &t.Failure, &t.Code}
}

func (r *row) task() export.Task {
	t := r.t
	t.Params, t.State = []byte(r.params), export.State(r.state)
	t.RequestedAt, t.DoneAt, t.ExpiresAt = r.requested.Time, r.done.Time, r.expiring.Time
	return t
}

// ByID gives a task; fault export.unknown.
func (s *Store) ByID(ctx context.Context, id string) (export.Task, error) {
	var t export.Task
	found := false
	err := s.db.Cells(ctx, qByID, []any{id}, func(c store.RowCells) (err error) {
		found = true
		t = export.Task{ID: c.Text(0), OrgID: c.Text(1), PersonID: c.Text(2), Login: c.Text(3), Kind: c.Text(4), Format: c.Text(5),
			Params: []byte(c.Text(6)), FileName: c.Text(7), ContentType: c.Text(8), State: export.State(c.Text(9)), Version: c.Int(10),
			Bytes: c.Int(14), Rows: c.Int(15), SHA: c.Text(16), Failure: c.Text(17)}
		for i, at := range []*time.Time{&t.RequestedAt, &t.DoneAt, &t.ExpiresAt} {
			if *at, err = c.Time(11 + i); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && !found {
		err = fault.NotFound("export.unknown", nil)
	}
	return t, err
}

// Update writes state, file and failure if state and version still are as given.
func (s *Store) Update(ctx context.Context, t export.Task, wasState export.State, wasVersion int64) (bool, error) {
	n, err := s.db.Exec(ctx, qUpdate, t.ID, string(wasState), wasVersion, string(t.State), t.FileName, t.ContentType, store.At(t.DoneAt),
		store.At(t.ExpiresAt), t.Bytes, t.Rows, t.SHA, t.Failure, t.Code)
	return n == 1, err
}

// List reads tasks before the cursor, newest first: a person's, an organisation's, or all.
func (s *Store) List(ctx context.Context, orgID, personID string, after export.Cursor, limit int) ([]export.Task, error) {
	if after.At.IsZero() {
		after.At = end
	}
	query, args := qOwn, []any{orgID, personID, store.At(after.At), after.ID, limit}
	switch {
	case orgID == "":
		query, args = qAll, []any{store.At(after.At), after.ID, limit}
	case personID == "":
		query, args = qOfOrg, []any{orgID, store.At(after.At), after.ID, limit}
	}
	return s.tasks(ctx, query, args...)
}

// ByCode reads the newest tasks of a short code.
func (s *Store) ByCode(ctx context.Context, orgID, personID, code string, limit int) ([]export.Task, error) {
	return s.tasks(ctx, qByCode, orgID, personID, code, limit)
}

func (s *Store) tasks(ctx context.Context, query store.Query, args ...any) ([]export.Task, error) {
	var out []export.Task
	err := s.db.Each(ctx, query, args, func(rows *sql.Rows) error {
		var r row
		err := rows.Scan(r.dest()...)
		out = append(out, r.task())
		return err
	})
	return out, err
}

// PutPiece writes one piece of a file.
func (s *Store) PutPiece(ctx context.Context, taskID string, no int64, body []byte) error {
	_, err := s.db.Exec(ctx, qPutPiece, taskID, no, body)
	return err
}

// Piece reads one piece of a file; fault export.piece_missing.
func (s *Store) Piece(ctx context.Context, taskID string, no int64) (body []byte, err error) {
	err = s.db.Row(ctx, qPiece, "export.piece_missing", []any{taskID, no}, &body)
	return body, err
}

// DropPieces removes the file of a task.
func (s *Store) DropPieces(ctx context.Context, taskID string) error {
	_, err := s.db.Exec(ctx, qDropPieces, taskID)
	return err
}
