package flow

import (
	"context"
	"errors"
	"time"

	"huoban/internal/clock"
	"huoban/internal/fault"
	"huoban/internal/scope"
)

// DueStore keeps what waits for its time; internal/store/flowstore implements it.
type DueStore interface {
	// Ripe lists changes whose time has come, the oldest first.
	Ripe(ctx context.Context, now time.Time, limit int) ([]DueChange, error)
	// Postpone moves one change to a later time and counts the try.
	Postpone(ctx context.Context, d DueChange, to time.Time) error
	// Drop forgets one change.
	Drop(ctx context.Context, d DueChange) error
}

// FireDue fires a due action on an entity as the system, inside the running transaction. The
// machine's noun provides it; it loads the entity and calls its table's Fire.
type FireDue func(ctx context.Context, entity, action string, who scope.Scope, now time.Time) error

// Timer fires due actions.
type Timer struct {
	tx interface {
		InTx(ctx context.Context, fn func(ctx context.Context) error) error
	}
	store DueStore
	clock clock.Clock
	fire  map[string]FireDue // by machine
}

// NewTimer makes a timer for the machines that have due rows.
func NewTimer(tx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}, store DueStore, c clock.Clock, fire map[string]FireDue) *Timer {
	return &Timer{tx: tx, store: store, clock: c, fire: fire}
}

// retryAfter is how long a refused due action waits before it is tried again.
const retryAfter = time.Hour

// Tick fires everything that is due and gives how many fired; errors of single entities are joined
// and do not stop the others. Several replicas may tick at once: a move is a compare-and-set.
func (t *Timer) Tick(ctx context.Context) (fired int, err error) {
	var failed error
	for {
		now := t.clock.Now()
		ripe, err := t.store.Ripe(ctx, now, 100)
		if err != nil || len(ripe) == 0 {
			return fired, errors.Join(failed, err)
		}
		for _, d := range ripe {
			ok, err := t.one(ctx, d, now)
			if err != nil {
				failed = errors.Join(failed, err)
				if ctx.Err() != nil {
					return fired, failed
				}
			}
			if ok {
				fired++
			}
		}
	}
}

// one fires a due action. A state that has moved on drops it; any other refusal postpones it, so
// that the queue always gets shorter.
func (t *Timer) one(ctx context.Context, d DueChange, now time.Time) (bool, error) {
	fire, known := t.fire[d.Machine]
	refusal := t.tx.InTx(ctx, func(ctx context.Context) error {
		if !known {
			return fault.Invalid("flow.unknown_action", fault.Args{"machine": d.Machine, "action": d.Action})
		}
		return fire(ctx, d.Entity, d.Action, scope.System("system"), now)
	})
	if refusal == nil {
		return true, nil
	}
	err := t.tx.InTx(ctx, func(ctx context.Context) error {
		if fault.HasCode(refusal, "flow.not_from_state") || fault.Is(refusal, fault.KindNotFound) {
			return t.store.Drop(ctx, d)
		}
		return t.store.Postpone(ctx, d, now.Add(retryAfter))
	})
	if err == nil && fault.Is(refusal, fault.KindConflict) {
		return false, nil // a refusal by a guard or a lost race is no failure
	}
	return false, errors.Join(refusal, err)
}
