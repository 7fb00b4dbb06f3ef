// Package jobstore keeps durable jobs.
//
// It owns the queries of job; it does not own leases or retries. Invariant: every change is a
// compare-and-set on the version.
package jobstore

import (
	"context"
	"database/sql"
	"embed"
	"strings"
	"time"

	"huoban/internal/outbox"
	"huoban/internal/sorted"
	"huoban/internal/store"
)

//go:embed query/*.sql
var files embed.FS

var (
	q       = store.Load(files)
	qInsert = q.Get("job.Insert")
	qByKey  = q.Get("job.ByKey")
	qReady  = q.Get("job.Ready")
	qUpdate = q.Get("job.Update")
	qPurge  = q.Get("job.Purge")
	qCount  = q.Get("job.Count")
)

// Store implements outbox.Store.
type Store struct{ db *store.DB }

// New makes the store.
func New(db *store.DB) *Store { return &Store{db} }

// Insert writes a waiting job unless its kind and key exist.
func (s *Store) Insert(ctx context.Context, j outbox.Job) (bool, error) {
	n, err := s.db.Exec(ctx, qInsert, j.ID, j.Kind, j.Key, string(j.Payload), string(j.State), store.At(j.RunAt), j.MaxAttempts, store.At(j.CreatedAt))
	return n == 1, err
}

type row struct {
	j                              outbox.Job
	payload, state                 string
	runAt, lease, createdAt, ended store.Instant
}

func (r *row) dest() []any {
	return []any{&r.j.ID, &r.j.Kind, &r.j.Key, &r.payload, &r.state, &r.runAt, &r.lease, &r.j.Attempts, &r.j.MaxAttempts, &r.j.LastError,
		&r.j.ProgressDone, &r.j.ProgressTotal, &r.createdAt, &r.ended, &r.j.Version}
}

func (r *row) job() outbox.Job {
	j := r.j
	j.Payload, j.State = []byte(r.payload), outbox.State(r.state)
	j.RunAt, j.LeaseUntil, j.CreatedAt, j.DoneAt = r.runAt.Time, r.lease.Time, r.createdAt.Time, r.ended.Time
	return j
}

// ByKey gives a job; fault outbox.job_unknown.
func (s *Store) ByKey(ctx context.Context, kind, key string) (outbox.Job, error) {
	var r row
	err := s.db.Row(ctx, qByKey, "outbox.job_unknown", []any{kind, key}, r.dest()...)
	return r.job(), err
}

// Ready lists jobs of the kinds whose time has come, the longest waiting first.
func (s *Store) Ready(ctx context.Context, kinds []string, now time.Time, limit int) ([]outbox.Job, error) {
	var out []outbox.Job
	for _, kind := range kinds {
		err := s.db.Each(ctx, qReady, []any{store.At(now), limit, kind}, func(rows *sql.Rows) error {
			var r row
			err := rows.Scan(r.dest()...)
			out = append(out, r.job())
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	sorted.By(out, func(a, b outbox.Job) int {
		if c := a.RunAt.Compare(b.RunAt); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return out[:min(len(out), limit)], nil
}

// Update writes every changeable field if the version still is j.Version.
func (s *Store) Update(ctx context.Context, j outbox.Job) (bool, error) {
	n, err := s.db.Exec(ctx, qUpdate, j.Kind, j.Version, string(j.State), store.At(j.RunAt), store.At(j.LeaseUntil), j.Attempts, j.LastError,
		j.ProgressDone, j.ProgressTotal, store.At(j.DoneAt), j.Key)
	return n == 1, err
}

// Purge removes done jobs older than before.
func (s *Store) Purge(ctx context.Context, before time.Time) (int64, error) {
	return s.db.Exec(ctx, qPurge, store.At(before))
}

// Count tells how many jobs stand in each state.
func (s *Store) Count(ctx context.Context) (map[outbox.State]int64, error) {
	out := map[outbox.State]int64{}
	err := s.db.Each(ctx, qCount, nil, func(rows *sql.Rows) error {
		var state string
		var n int64
		err := rows.Scan(&state, &n)
		out[outbox.State(state)] = n
		return err
	})
	return out, err
}
