package ssostore

import (
	"context"
	"database/sql"
	"time"

	"huoban/internal/sso/registry"
	"huoban/internal/store"
)

var (
	qInsertTest = q.Get("sso.InsertTest")
	qTest       = q.Get("sso.Test")
	qTests      = q.Get("sso.Tests")
	qPurgeTests = q.Get("sso.PurgeTests")
)

// InsertTest writes the result of a test.
func (s *Store) InsertTest(ctx context.Context, t registry.TestRow) error {
	_, err := s.db.Exec(ctx, qInsertTest, t.ID, t.PlatformID, t.RequestID, store.At(t.At), t.Passed, t.Code, t.PlatformVersion, t.Sealed, t.KEKID, store.At(t.ExpiresAt))
	return err
}

func (s *Store) tests(ctx context.Context, query store.Query, args ...any) ([]registry.TestRow, error) {
	var out []registry.TestRow
	err := s.db.Each(ctx, query, args, func(rows *sql.Rows) error {
		var t registry.TestRow
		var at, expires store.Instant
		err := rows.Scan(&t.ID, &t.PlatformID, &t.RequestID, &at, &t.Passed, &t.Code, &t.PlatformVersion, &t.Sealed, &t.KEKID, &expires)
		t.At, t.ExpiresAt = at.Time, expires.Time
		out = append(out, t)
		return err
	})
	return out, err
}

// Test reads one that has not expired.
func (s *Store) Test(ctx context.Context, testID string, now time.Time) (registry.TestRow, bool, error) {
	return first(s.tests(ctx, qTest, testID, store.At(now)))
}

// Tests reads the newest of a registration that have not expired.
func (s *Store) Tests(ctx context.Context, platformID string, now time.Time, limit int) ([]registry.TestRow, error) {
	return s.tests(ctx, qTests, platformID, store.At(now), limit)
}

// PurgeTests removes those that have.
func (s *Store) PurgeTests(ctx context.Context, now time.Time) error {
	_, err := s.db.Exec(ctx, qPurgeTests, store.At(now))
	return err
}
