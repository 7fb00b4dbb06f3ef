package accountstore

import (
	"context"
	"database/sql"
	"time"

	"huoban/internal/account"
	"huoban/internal/store"
)

// Throttle reads the failures of a login or an address; the zero value when there are none.
func (s *Store) Throttle(ctx context.Context, kind, key string) (account.Throttle, error) {
	var t account.Throttle
	err := s.db.Each(ctx, qThrottleOne, []any{kind, key}, func(rows *sql.Rows) error {
		var last, until store.Instant
		err := rows.Scan(&t.Failures, &last, &until)
		t.LastAt, t.LockedUntil = last.Time, until.Time
		return err
	})
	return t, err
}

// SaveThrottle writes them.
func (s *Store) SaveThrottle(ctx context.Context, kind, key string, t account.Throttle) error {
	_, err := s.db.Exec(ctx, qThrottleSave, kind, key, t.Failures, store.At(t.LastAt), store.At(t.LockedUntil))
	return err
}

// ClearThrottle forgets them.
func (s *Store) ClearThrottle(ctx context.Context, kind, key string) error {
	_, err := s.db.Exec(ctx, qThrottleClear, kind, key)
	return err
}

// PurgeThrottles forgets those last seen before.
func (s *Store) PurgeThrottles(ctx context.Context, before time.Time) error {
	_, err := s.db.Exec(ctx, qThrottlePurge, store.At(before))
	return err
}

// Factor reads a second factor.
func (s *Store) Factor(ctx context.Context, personID string) (f account.Factor, ok bool, err error) {
	err = s.db.Each(ctx, qFactorOne, []any{personID}, func(rows *sql.Rows) error {
		var confirmed store.Instant
		ok = true
		err := rows.Scan(&f.PersonID, &f.Secret, &f.Counter, &confirmed)
		f.ConfirmedAt = confirmed.Time
		return err
	})
	return f, ok, err
}

// SaveFactor writes it.
func (s *Store) SaveFactor(ctx context.Context, f account.Factor) error {
	_, err := s.db.Exec(ctx, qFactorSave, f.PersonID, f.Secret, f.Counter, store.At(f.ConfirmedAt))
	return err
}

// DeleteFactor removes it.
func (s *Store) DeleteFactor(ctx context.Context, personID string) error {
	_, err := s.db.Exec(ctx, qFactorDelete, personID)
	return err
}

// AdvanceFactor moves the counter forward; false when it was not behind.
func (s *Store) AdvanceFactor(ctx context.Context, personID string, counter int64) (bool, error) {
	n, err := s.db.Exec(ctx, qFactorAdvance, personID, counter)
	return n == 1, err
}

// ReplaceRecovery replaces the recovery codes by these hashes.
func (s *Store) ReplaceRecovery(ctx context.Context, personID string, hashes [][]byte) error {
	if _, err := s.db.Exec(ctx, qRecoveryClear, personID); err != nil {
		return err
	}
	for _, h := range hashes {
		if _, err := s.db.Exec(ctx, qRecoveryAdd, personID, h); err != nil {
			return err
		}
	}
	return nil
}

// SpendRecovery uses a recovery code once.
func (s *Store) SpendRecovery(ctx context.Context, personID string, hash []byte, at time.Time) (bool, error) {
	n, err := s.db.Exec(ctx, qRecoverySpend, personID, hash, store.At(at))
	return n == 1, err
}

// InsertSetup keeps a new set-up link and ends earlier ones.
func (s *Store) InsertSetup(ctx context.Context, hash []byte, createdAt, expiresAt time.Time) error {
	if _, err := s.db.Exec(ctx, qSetupEndAll, store.At(createdAt)); err != nil {
		return err
	}
	_, err := s.db.Exec(ctx, qSetupAdd, hash, store.At(createdAt), store.At(expiresAt))
	return err
}

// SetupOpen tells whether the link still opens.
func (s *Store) SetupOpen(ctx context.Context, hash []byte, now time.Time) (bool, error) {
	var n int64
	err := s.db.Row(ctx, qSetupOpen, "account.setup_refused", []any{hash, store.At(now)}, &n)
	return n > 0, err
}

// SpendSetup uses the link once.
func (s *Store) SpendSetup(ctx context.Context, hash []byte, now time.Time) (bool, error) {
	n, err := s.db.Exec(ctx, qSetupSpend, hash, store.At(now))
	return n == 1, err
}
