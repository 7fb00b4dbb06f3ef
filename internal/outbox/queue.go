package outbox

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"huoban/internal/clock"
	"huoban/internal/id"
)

// DefaultAttempts is how often a job is tried: with the pauses of pause, about two hours.
const DefaultAttempts = 8

// InTx is the transactor.
type InTx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// Queue enqueues jobs and answers how far one is.
type Queue struct {
	store Store
	clock clock.Clock
}

// NewQueue makes the Enqueuer.
func NewQueue(store Store, c clock.Clock) *Queue { return &Queue{store, c} }

// Enqueue puts a job into the running transaction, unless its kind and key exist already.
func (q *Queue) Enqueue(ctx context.Context, n NewJob) (string, bool, error) {
	payload := json.RawMessage("null")
	if n.Payload != nil {
		body, err := json.Marshal(n.Payload)
		if err != nil {
			return "", false, fmt.Errorf("job %s: %w", n.Kind, err)
		}
		payload = body
	}
	now := q.clock.Now()
	j := Job{ID: id.New(), Kind: n.Kind, Payload: payload, State: StateWaiting, RunAt: n.RunAt, CreatedAt: now, Version: 1,
		MaxAttempts: cmp.Or(n.MaxAttempts, DefaultAttempts)}
	j.Key = cmp.Or(n.Key, j.ID)
	if j.RunAt.IsZero() {
		j.RunAt = now
	}
	fresh, err := q.store.Insert(ctx, j)
	if err != nil || fresh {
		return j.ID, fresh, err
	}
	old, err := q.store.ByKey(ctx, n.Kind, j.Key)
	return old.ID, false, err
}

// ByKey gives a job, for progress pages; fault outbox.job_unknown. Whose job it is, the caller knows.
func (q *Queue) ByKey(ctx context.Context, kind, key string) (Job, error) {
	return q.store.ByKey(ctx, kind, key)
}
