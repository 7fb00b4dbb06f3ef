// Package noticestore keeps site notices and who dismissed them.
//
// It owns the queries of site_notice; it does not own who may set one. Invariant: what is shown names
// the organisation and the person.
package noticestore

import (
	"context"
	"database/sql"
	"embed"
	"time"

	"huoban/internal/notice"
	"huoban/internal/store"
)

//go:embed query/*.sql
var files embed.FS

var (
	q        = store.Load(files)
	qInsert  = q.Get("notice.Insert")
	qClear   = q.Get("notice.Clear")
	qByID    = q.Get("notice.ByID")
	qList    = q.Get("notice.List")
	qShown   = q.Get("notice.Shown")
	qDismiss = q.Get("notice.Dismiss")
)

// Store implements notice.Store.
type Store struct{ db *store.DB }

// New makes the store.
func New(db *store.DB) *Store { return &Store{db} }

// Insert writes a notice.
func (s *Store) Insert(ctx context.Context, n notice.Notice) error {
	var vendor any
	if n.VendorID != "" {
		vendor = n.VendorID
	}
	_, err := s.db.Exec(ctx, qInsert, n.ID, vendor, string(n.Level), n.TextZH, n.TextEN, store.At(n.StartsAt), store.At(n.EndsAt), n.CreatedBy, store.At(n.CreatedAt))
	return err
}

// Clear marks a notice cleared; false when it was already, or is none.
func (s *Store) Clear(ctx context.Context, noticeID string, at time.Time) (bool, error) {
	n, err := s.db.Exec(ctx, qClear, noticeID, store.At(at))
	return n == 1, err
}

// ByID reads one.
func (s *Store) ByID(ctx context.Context, noticeID string) (notice.Notice, bool, error) {
	list, err := s.read(ctx, qByID, noticeID)
	if err != nil || len(list) == 0 {
		return notice.Notice{}, false, err
	}
	return list[0], true, nil
}

// List reads all.
func (s *Store) List(ctx context.Context) ([]notice.Notice, error) { return s.read(ctx, qList) }

// Shown reads what stands over the person's pages.
func (s *Store) Shown(ctx context.Context, orgID, personID string, now time.Time, limit int) ([]notice.Notice, error) {
	return s.read(ctx, qShown, orgID, personID, store.At(now), limit)
}

// Dismiss notes that the person took it off; false when he had already.
func (s *Store) Dismiss(ctx context.Context, noticeID, personID string, at time.Time) (bool, error) {
	n, err := s.db.Exec(ctx, qDismiss, noticeID, personID, store.At(at))
	return n == 1, err
}

func (s *Store) read(ctx context.Context, q store.Query, args ...any) ([]notice.Notice, error) {
	var out []notice.Notice
	err := s.db.Each(ctx, q, args, func(rows *sql.Rows) error {
		var n notice.Notice
		var level string
		var starts, ends, created, cleared store.Instant
		if err := rows.Scan(&n.ID, &n.VendorID, &level, &n.TextZH, &n.TextEN, &starts, &ends, &n.CreatedBy, &created, &cleared); err != nil {
			return err
		}
		n.Level, n.StartsAt, n.EndsAt, n.CreatedAt, n.ClearedAt = notice.Level(level), starts.Time, ends.Time, created.Time, cleared.Time
		out = append(out, n)
		return nil
	})
	return out, err
}
