// Package outbox runs durable jobs: whatever must happen after a transaction, and survive a crash.
//
// It owns the job, its lease, retries and progress, and the kind "mail"; it does not own storage nor
// what other kinds do. Invariants: a job is enqueued in the transaction that needs it; one kind and
// key exist once; a job may run more than once, so handlers are idempotent; only the holder of the
// lease may report.
package outbox

import (
	"context"
	"encoding/json"
	"time"
)

// State is where a job stands.
type State string

// The states of a job.
const (
	StateWaiting State = "waiting"
	StateRunning State = "running"
	StateDone    State = "done"
	StateFailed  State = "failed"
)

// Job is one durable task.
type Job struct {
	ID            string
	Kind          string
	Key           string // idempotency key within the kind
	Payload       json.RawMessage
	State         State
	RunAt         time.Time
	LeaseUntil    time.Time
	Attempts      int64 // including the running one
	MaxAttempts   int64
	LastError     string
	ProgressDone  int64
	ProgressTotal int64 // 0 = unknown
	CreatedAt     time.Time
	DoneAt        time.Time
	Version       int64
}

// Last tells whether this run is the job's last attempt.
func (j Job) Last() bool { return j.Attempts >= j.MaxAttempts }

// NewJob is what is enqueued. RunAt zero = at once; MaxAttempts 0 = 8; Key empty = a new one.
type NewJob struct {
	Kind        string
	Key         string
	Payload     any // marshalled as JSON
	RunAt       time.Time
	MaxAttempts int64
}

// Enqueuer puts a job into the running transaction. fresh is false when the kind and key exist
// already; then nothing was written and id is the existing job's.
type Enqueuer interface {
	Enqueue(ctx context.Context, j NewJob) (id string, fresh bool, err error)
}

// Progress reports how far a job is; it is written at most once a second, and fails with
// outbox.lease_lost when another worker took the job over. It is called outside transactions: what a
// rolled back transaction reported would not have happened.
type Progress func(ctx context.Context, done, total int64) error

// Handler does a job of its kind. An error is tried again later with growing pauses, unless it is
// wrapped by Permanent or the attempts are used up.
type Handler func(ctx context.Context, j Job, progress Progress) error

// Store keeps jobs; internal/store/jobstore implements it. Writing methods need a running
// transaction.
type Store interface {
	Insert(ctx context.Context, j Job) (fresh bool, err error)
	ByKey(ctx context.Context, kind, key string) (Job, error)
	// Ready lists jobs whose time has come, and running ones whose lease ended.
	Ready(ctx context.Context, kinds []string, now time.Time, limit int) ([]Job, error)
	// Update writes every changeable field if the version still is j.Version, and raises it.
	Update(ctx context.Context, j Job) (won bool, err error)
	// Purge removes done jobs older than before.
	Purge(ctx context.Context, before time.Time) (int64, error)
	// Count tells how many jobs stand in each state.
	Count(ctx context.Context) (map[State]int64, error)
}
