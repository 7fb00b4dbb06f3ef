// Package noticestore keeps site notices and who dismissed them.
//
// It owns the queries of site_notice; it does not own who may set one. Invariant: what is shown names
// the organisation and the person.
package noticestore

import (
	"context"
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

// Shown reads what stands over the person's pages at some time between the two.
func (s *Store) Shown(ctx context.Context, orgID, personID string, from, to time.Time, limit int) ([]notice.Notice, error) {
	return s.read(ctx, qShown, orgID, personID, store.At(from), store.At(to), int64(limit))
}

// Dismiss notes that the person took it off; false when he had already.
func (s *Store) Dismiss(ctx context.Context, noticeID, personID string, at time.Time) (bool, error) {
	n, err := s.db.Exec(ctx, qDismiss, noticeID, personID, store.At(at))
	return n == 1, err
}

// read goes below database/sql, which would plan the query again each time.
func (s *Store) read(ctx context.Context, q store.Query, args ...any) ([]notice.Notice, error) {
	var out []notice.Notice
	err := s.db.Cells(ctx, q, args, func(c store.RowCells) (err error) {
		n := notice.Notice{ID: c.Text(0), VendorID: c.Text(1), Level: notice.Level(c.Text(2)), TextZH: c.Text(3), TextEN: c.Text(4), CreatedBy: c.Text(7)}
		for i, at := range []*time.Time{5: &n.StartsAt, 6: &n.EndsAt, 8: &n.CreatedAt, 9: &n.ClearedAt} {
			if at == nil {
				continue
			}
			if *at, err = c.Time(i); err != nil {
				return err
			}
		}
		out = append(out, n)
		return nil
	})
	return out, err
}
