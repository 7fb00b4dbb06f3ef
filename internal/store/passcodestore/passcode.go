// Package passcodestore keeps verification codes and the choices about them.
//
// It owns the queries of passcode and passcode_choice; it does not own limits.
package passcodestore

import (
	"context"
	"database/sql"
	"embed"
	"time"

	"huoban/internal/passcode"
	"huoban/internal/store"
)

//go:embed query/*.sql
var files embed.FS

var (
	q          = store.Load(files)
	qChoice    = q.Get("passcode.Choice")
	qSetChoice = q.Get("passcode.SetChoice")
	qInsert    = q.Get("passcode.Insert")
	qLatest    = q.Get("passcode.Latest")
	qSent      = q.Get("passcode.Sent")
	qMiss      = q.Get("passcode.Miss")
	qUse       = q.Get("passcode.Use")
	qPurge     = q.Get("passcode.Purge")
)

// Store implements passcode.Store.
type Store struct{ db *store.DB }

// New makes the store.
func New(db *store.DB) *Store { return &Store{db} }

// Choice reads one; who chose nothing is not asked, and reached by mail.
func (s *Store) Choice(ctx context.Context, orgID, personID string) (passcode.Choice, error) {
	c := passcode.Choice{Channel: passcode.ChannelMail}
	err := s.db.Each(ctx, qChoice, []any{orgID, personID}, func(rows *sql.Rows) error { return rows.Scan(&c.On, &c.Channel) })
	return c, err
}

// SetChoice writes one.
func (s *Store) SetChoice(ctx context.Context, orgID, personID string, c passcode.Choice, at time.Time) error {
	_, err := s.db.Exec(ctx, qSetChoice, orgID, personID, c.On, string(c.Channel), store.At(at))
	return err
}

// Insert writes a code.
func (s *Store) Insert(ctx context.Context, c passcode.Code) error {
	_, err := s.db.Exec(ctx, qInsert, c.ID, c.OrgID, c.PersonID, string(c.Operation), c.Content, c.Seal, string(c.Channel), c.SentTo, store.At(c.SentAt), store.At(c.ExpiresAt))
	return err
}

// Latest finds the newest of a person for an operation.
func (s *Store) Latest(ctx context.Context, orgID, personID string, op passcode.Operation) (c passcode.Code, ok bool, err error) {
	err = s.db.Each(ctx, qLatest, []any{personID, orgID, string(op)}, func(rows *sql.Rows) error {
		var sent, expires, used store.Instant
		err := rows.Scan(&c.ID, &c.OrgID, &c.PersonID, &c.Operation, &c.Content, &c.Seal, &c.Channel, &c.SentTo, &c.Wrong, &sent, &expires, &used)
		c.SentAt, c.ExpiresAt, c.UsedAt, ok = sent.Time, expires.Time, used.Time, true
		return err
	})
	return c, ok, err
}

// Sent counts those of a person since.
func (s *Store) Sent(ctx context.Context, personID string, since time.Time) (n int64, last time.Time, err error) {
	err = s.db.Each(ctx, qSent, []any{personID, store.At(since)}, func(rows *sql.Rows) error {
		var newest store.Instant
		err := rows.Scan(&n, &newest)
		last = newest.Time
		return err
	})
	return n, last, err
}

// Miss counts a wrong try.
func (s *Store) Miss(ctx context.Context, id string) error {
	_, err := s.db.Exec(ctx, qMiss, id)
	return err
}

// Use ends one that is not used.
func (s *Store) Use(ctx context.Context, id string, now time.Time) (bool, error) {
	n, err := s.db.Exec(ctx, qUse, id, store.At(now))
	return n == 1, err
}

// Purge forgets those sent before.
func (s *Store) Purge(ctx context.Context, before time.Time) (int64, error) {
	return s.db.Exec(ctx, qPurge, store.At(before))
}
