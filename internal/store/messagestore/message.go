// Package messagestore keeps messages.
//
// It owns the queries of message; it does not own dedupe rules. Invariant: every query names the
// person and the organisation.
package messagestore

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"strings"
	"time"

	"huoban/internal/fault"
	"huoban/internal/message"
	"huoban/internal/store"
)

//go:embed query/*.sql
var files embed.FS

var (
	q            = store.Load(files)
	qInsert      = q.Get("message.Insert")
	qRepeated    = q.Get("message.Repeated")
	qList        = q.Get("message.List")
	qNewer       = q.Get("message.Newer")
	qCount       = q.Get("message.Count")
	qUnread      = q.Get("message.Unread")
	qMarkRead    = q.Get("message.MarkRead")
	qMarkAllRead = q.Get("message.MarkAllRead")
)

// end is after every message, for the first page.
var end = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// Store implements message.Store.
type Store struct{ db *store.DB }

// New makes the store.
func New(db *store.DB) *Store { return &Store{db} }

// Insert writes an unread message.
func (s *Store) Insert(ctx context.Context, m message.Message, digest []byte) error {
	args, err := json.Marshal(m.Notice.Args)
	if err != nil {
		return err
	}
	n := m.Notice
	_, err = s.db.Exec(ctx, qInsert, m.ID, n.OrgID, n.PersonID, string(n.Category), n.Code, string(args), n.Link, digest, store.At(m.At))
	return err
}

// Repeated tells whether the person got the same digest after since.
func (s *Store) Repeated(ctx context.Context, orgID, personID string, digest []byte, since time.Time) (bool, error) {
	n, err := s.count(ctx, qRepeated, personID, orgID, digest, store.At(since))
	return n > 0, err
}

func (s *Store) count(ctx context.Context, q store.Query, args ...any) (n int64, err error) {
	err = s.db.Row(ctx, q, "", args, &n)
	return n, err
}

// List reads messages before the cursor, newest first.
func (s *Store) List(ctx context.Context, orgID, personID string, f message.Filter, after message.Cursor, limit int) ([]message.Message, error) {
	if after.At.IsZero() {
		after.At = end
	}
	return s.read(ctx, qList, []any{personID, orgID, store.At(after.At), after.ID, string(f.Category), flag(f.Unread), limit, until(f), f.Until.ID, pattern(f), codes(f)})
}

// Newer reads messages after the cursor, oldest first.
func (s *Store) Newer(ctx context.Context, orgID, personID string, f message.Filter, from message.Cursor, limit int) ([]message.Message, error) {
	return s.read(ctx, qNewer, []any{personID, orgID, store.At(from.At), from.ID, string(f.Category), flag(f.Unread), limit, until(f), f.Until.ID, pattern(f), codes(f)})
}

// Count counts messages.
func (s *Store) Count(ctx context.Context, orgID, personID string, f message.Filter) (int64, error) {
	return s.count(ctx, qCount, personID, orgID, string(f.Category), flag(f.Unread), until(f), f.Until.ID, pattern(f), codes(f))
}

func until(f message.Filter) store.Instant {
	if f.Until.At.IsZero() {
		return store.At(end)
	}
	return store.At(f.Until.At)
}

// pattern finds the text in the arguments as they are kept. % and _ stand for anything, as elsewhere; a backslash
// would escape on PostgreSQL alone and stands for one sign.
func pattern(f message.Filter) string {
	if f.Text == "" {
		return ""
	}
	return "%" + strings.ReplaceAll(strings.ToLower(f.Text), `\`, "_") + "%"
}

func codes(f message.Filter) string { return "|" + strings.Join(f.Codes, "|") + "|" }

func flag(on bool) int {
	if on {
		return 1
	}
	return 0
}

func (s *Store) read(ctx context.Context, q store.Query, args []any) ([]message.Message, error) {
	var out []message.Message
	err := s.db.Each(ctx, q, args, func(rows *sql.Rows) error {
		var m message.Message
		var category, args string
		var at, read store.Instant
		if err := rows.Scan(&m.ID, &m.Notice.OrgID, &m.Notice.PersonID, &category, &m.Notice.Code, &args, &m.Notice.Link, &at, &read); err != nil {
			return err
		}
		m.Notice.Category, m.At, m.ReadAt = message.Category(category), at.Time, read.Time
		m.Notice.Args = fault.Args{}
		out = append(out, m)
		return json.Unmarshal([]byte(args), &out[len(out)-1].Notice.Args)
	})
	return out, err
}

// Unread counts unread messages.
func (s *Store) Unread(ctx context.Context, orgID, personID string) (n int64, err error) {
	err = s.db.Cells(ctx, qUnread, []any{personID, orgID}, func(c store.RowCells) error {
		n = c.Int(0)
		return nil
	})
	return n, err
}

// MarkRead marks one message; false when the person has none of that id.
func (s *Store) MarkRead(ctx context.Context, orgID, personID, id string, at time.Time) (bool, error) {
	n, err := s.db.Exec(ctx, qMarkRead, personID, orgID, id, store.At(at))
	return n == 1, err
}

// MarkAllRead marks every unread message.
func (s *Store) MarkAllRead(ctx context.Context, orgID, personID string, at time.Time) (int64, error) {
	return s.db.Exec(ctx, qMarkAllRead, personID, orgID, store.At(at))
}
