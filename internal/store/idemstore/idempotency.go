// Package idemstore keeps idempotency keys and the outcomes behind them.
//
// It owns the queries of idempotency_key; it does not own what a request is. Invariant: a key is
// claimed and its outcome kept in one transaction, so a claimed key without outcome is never seen.
package idemstore

import (
	"context"
	"embed"
	"time"

	"huoban/internal/idempotency"
	"huoban/internal/store"
)

//go:embed query/*.sql
var files embed.FS

var (
	q      = store.Load(files)
	qClaim = q.Get("idempotency.Claim")
	qRead  = q.Get("idempotency.Read")
	qKeep  = q.Get("idempotency.Keep")
	qPurge = q.Get("idempotency.Purge")
	qTake  = q.Get("idempotency.Take")
	qHold  = q.Get("idempotency.Hold")
	qLeave = q.Get("idempotency.Leave")
)

// Store implements idempotency.Store.
type Store struct{ db *store.DB }

// New makes the store.
func New(db *store.DB) *Store { return &Store{db} }

// Claim writes the key unless it exists and has not expired.
func (s *Store) Claim(ctx context.Context, r idempotency.Request, now, expires time.Time) (bool, error) {
	n, err := s.db.Exec(ctx, qClaim, r.Actor, r.Key, r.Digest, []byte{}, store.At(now), store.At(expires))
	return n == 1, err
}

// Read gives the digest and outcome of a key; fault idempotency.unknown.
func (s *Store) Read(ctx context.Context, actor, key string) (digest []byte, o idempotency.Outcome, err error) {
	err = s.db.Row(ctx, qRead, "idempotency.unknown", []any{actor, key}, &digest, &o.Status, &o.Location, &o.Body)
	return digest, o, err
}

// Keep writes the outcome of a claimed key.
func (s *Store) Keep(ctx context.Context, actor, key string, o idempotency.Outcome) error {
	body := o.Body
	if body == nil {
		body = []byte{}
	}
	_, err := s.db.Exec(ctx, qKeep, actor, key, o.Status, o.Location, body)
	return err
}

// Purge removes expired keys.
func (s *Store) Purge(ctx context.Context, now time.Time) (int64, error) {
	return s.db.Exec(ctx, qPurge, store.At(now))
}

// Take writes who works at a request, unless somebody does.
func (s *Store) Take(ctx context.Context, r idempotency.Request, holder string, now, until time.Time) (bool, error) {
	n, err := s.db.Exec(ctx, qTake, r.Actor, r.Key, holder, store.At(until), store.At(now))
	return n == 1, err
}

// Hold makes the holder's lease last longer.
func (s *Store) Hold(ctx context.Context, r idempotency.Request, holder string, until time.Time) error {
	_, err := s.db.Exec(ctx, qHold, r.Actor, r.Key, holder, store.At(until))
	return err
}

// Leave takes the holder off.
func (s *Store) Leave(ctx context.Context, r idempotency.Request, holder string) error {
	_, err := s.db.Exec(ctx, qLeave, r.Actor, r.Key, holder)
	return err
}
