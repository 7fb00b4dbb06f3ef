package portal

import (
	"sync"
	"time"
)

// stillTrue is how long what was read for an actor is shown again. Every change of what it was read from moves the
// version and with it drops the actor; only what begins or ends by the clock alone can be this late.
const stillTrue = time.Minute

// remembered is something read for an actor, for as long as the actor is kept and no longer than stillTrue.
type remembered[T any] struct {
	mu    sync.Mutex
	at    time.Time // zero = never read
	value T
}

// get gives what is remembered at now, or reads it.
func (r *remembered[T]) get(now time.Time, read func() (T, error)) (T, error) {
	r.mu.Lock()
	value, at := r.value, r.at
	r.mu.Unlock()
	if !at.IsZero() && !now.Before(at) && now.Sub(at) < stillTrue {
		return value, nil
	}
	value, err := read()
	if err == nil {
		r.mu.Lock()
		r.value, r.at = value, now
		r.mu.Unlock()
	}
	return value, err
}
