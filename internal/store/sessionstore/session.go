// Package sessionstore keeps sessions by the hash of their token.
//
// It owns that table's queries; it does not own expiry.
package sessionstore

import (
	"bytes"
	"context"
	"database/sql"
	"embed"
	"time"

	"huoban/internal/account"
	"huoban/internal/store"
)

//go:embed query/*.sql
var files embed.FS

var (
	q             = store.Load(files)
	qFind         = q.Get("session.Find")
	qLook         = q.Get("session.Look")
	qSave         = q.Get("session.Save")
	qTouch        = q.Get("session.Touch")
	qRevoke       = q.Get("session.Revoke")
	qRevokeHandle = q.Get("session.RevokeHandle")
	qRevokePerson = q.Get("session.RevokePerson")
	qOfPerson     = q.Get("session.OfPerson")
	qPurge        = q.Get("session.Purge")
)

// nothing is what remains of a session's data when it ends.
var nothing = []byte{}

// Store is what package session asks for.
type Store struct{ db *store.DB }

// New makes the store.
func New(db *store.DB) *Store { return &Store{db} }

func (s *Store) list(ctx context.Context, q store.Query, arg any) ([]account.Session, error) {
	var out []account.Session
	err := s.db.Each(ctx, q, []any{arg}, func(rows *sql.Rows) error {
		var r account.Session
		var created, seen, expires store.Instant
		err := rows.Scan(&r.TokenHash, &r.Handle, &r.PersonID, &r.Data, &r.IP, &r.Agent, &created, &seen, &expires)
		r.CreatedAt, r.SeenAt, r.ExpiresAt = created.Time, seen.Time, expires.Time
		out = append(out, r)
		return err
	})
	return out, err
}

// Find finds a living session.
func (s *Store) Find(ctx context.Context, tokenHash []byte) (r account.Session, ok bool, err error) {
	err = s.db.Cells(ctx, qFind, []any{tokenHash}, func(c store.RowCells) error {
		r = account.Session{TokenHash: bytes.Clone(c.Bytes(0)), Handle: c.Text(1), PersonID: c.Text(2), Data: bytes.Clone(c.Bytes(3)), IP: c.Text(4), Agent: c.Text(5)}
		ok = true
		for i, at := range []*time.Time{&r.CreatedAt, &r.SeenAt, &r.ExpiresAt} {
			if *at, err = c.Time(6 + i); err != nil {
				return err
			}
		}
		return nil
	})
	return r, ok && err == nil, err
}

// Look finds a living session as far as each request needs it, with what else each page begins with.
func (s *Store) Look(ctx context.Context, tokenHash []byte, orgCode string) (r account.Session, ok bool, err error) {
	err = s.db.Cells(ctx, qLook, []any{tokenHash, orgCode}, func(c store.RowCells) error {
		r = account.Session{TokenHash: tokenHash, Data: bytes.Clone(c.Bytes(0)), Version: c.Int(3), Unread: c.Int(4)}
		ok = true
		if r.SeenAt, err = c.Time(1); err == nil {
			r.ExpiresAt, err = c.Time(2)
		}
		return err
	})
	return r, ok && err == nil, err
}

// Save writes a session; an ended one stays ended.
func (s *Store) Save(ctx context.Context, r account.Session) error {
	_, err := s.db.Exec(ctx, qSave, r.TokenHash, r.Handle, r.PersonID, r.Data, r.IP, r.Agent,
		store.At(r.CreatedAt), store.At(r.SeenAt), store.At(r.ExpiresAt))
	return err
}

// Touch notes that a session was seen.
func (s *Store) Touch(ctx context.Context, tokenHash []byte, at time.Time) error {
	_, err := s.db.Exec(ctx, qTouch, tokenHash, store.At(at))
	return err
}

// Revoke ends the session of a token.
func (s *Store) Revoke(ctx context.Context, tokenHash []byte, at time.Time) error {
	_, err := s.db.Exec(ctx, qRevoke, tokenHash, store.At(at), nothing)
	return err
}

// RevokeHandle ends one session of a person; false when there is none.
func (s *Store) RevokeHandle(ctx context.Context, personID, handle string, at time.Time) (bool, error) {
	n, err := s.db.Exec(ctx, qRevokeHandle, personID, handle, store.At(at), nothing)
	return n == 1, err
}

// RevokePerson ends the sessions of a person except one, and tells how many.
func (s *Store) RevokePerson(ctx context.Context, personID, exceptHandle string, at time.Time) (int64, error) {
	return s.db.Exec(ctx, qRevokePerson, personID, exceptHandle, store.At(at), nothing)
}

// OfPerson lists a person's living sessions.
func (s *Store) OfPerson(ctx context.Context, personID string) ([]account.Session, error) {
	return s.list(ctx, qOfPerson, personID)
}

// Purge removes sessions that would have expired before.
func (s *Store) Purge(ctx context.Context, expiredBefore time.Time) (int64, error) {
	return s.db.Exec(ctx, qPurge, store.At(expiredBefore))
}
