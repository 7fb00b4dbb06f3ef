// Package idempotency makes a repeated request have one effect and one answer.
//
// It owns the key per actor, the request's digest and the kept outcome; it does not own storage.
// Invariants: the outcome is kept in the transaction of its effect, so either both exist or none; a
// refused request keeps nothing and may be sent again.
package idempotency

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"time"

	"huoban/internal/clock"
	"huoban/internal/fault"
	"huoban/internal/id"
)

// Kept is how long an outcome is remembered.
const Kept = 48 * time.Hour

// Request identifies one request. Actor is who sent it (organisation and person, or access key).
type Request struct {
	Actor  string
	Key    string
	Digest []byte // see Digest
}

// Outcome is what is answered again.
type Outcome struct {
	Status   int
	Location string
	Body     []byte
}

// Digest of a request's parts (method, path, body …), each bound by its length.
func Digest(parts ...[]byte) []byte {
	h := sha256.New()
	for _, p := range parts {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		h.Write(n[:])
		h.Write(p)
	}
	return h.Sum(nil)
}

// Store keeps keys; internal/store/idemstore implements it.
type Store interface {
	// Claim writes the key unless it exists and has not expired; fresh tells which.
	Claim(ctx context.Context, r Request, now, expires time.Time) (fresh bool, err error)
	Read(ctx context.Context, actor, key string) (digest []byte, o Outcome, err error)
	Keep(ctx context.Context, actor, key string, o Outcome) error
	Purge(ctx context.Context, now time.Time) (int64, error)

	// Take writes who works at a request, unless somebody else does whose lease has not run out; won tells.
	Take(ctx context.Context, r Request, holder string, now, until time.Time) (won bool, err error)
	// Hold makes the lease of the holder last longer.
	Hold(ctx context.Context, r Request, holder string, until time.Time) error
	// Leave takes the holder off.
	Leave(ctx context.Context, r Request, holder string) error
}

// InTx is the transactor.
type InTx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// Keeper runs requests once.
type Keeper struct {
	tx    InTx
	store Store
	clock clock.Clock

	Beat time.Duration // how often who works at a request says so
}

// New makes a keeper.
func New(tx InTx, store Store, c clock.Clock) *Keeper {
	return &Keeper{tx: tx, store: store, clock: c, Beat: Lease / 3}
}

// Do runs fn in one transaction and keeps its outcome, or gives the outcome kept before (replayed).
// Without a key fn just runs. Faults: idempotency.mismatch when the key was used for another request,
// idempotency.key_invalid, and those of fn.
func (k *Keeper) Do(ctx context.Context, r Request, fn func(ctx context.Context) (Outcome, error)) (o Outcome, replayed bool, err error) {
	if r.Key == "" {
		err = k.tx.InTx(ctx, func(ctx context.Context) error { o, err = fn(ctx); return err })
		return o, false, err
	}
	if err := r.check(); err != nil {
		return Outcome{}, false, err
	}
	err = k.tx.InTx(ctx, func(ctx context.Context) error {
		now := k.clock.Now()
		fresh, err := k.store.Claim(ctx, r, now, now.Add(Kept))
		if err != nil {
			return err
		}
		if replayed = !fresh; replayed {
			digest, kept, err := k.store.Read(ctx, r.Actor, r.Key)
			if err != nil {
				return err
			}
			if string(digest) != string(r.Digest) {
				return fault.Conflict("idempotency.mismatch", fault.Args{"key": r.Key})
			}
			o = kept
			return nil
		}
		if o, err = fn(ctx); err != nil {
			return err
		}
		return k.store.Keep(ctx, r.Actor, r.Key, o)
	})
	if err != nil {
		return Outcome{}, false, err
	}
	return o, replayed, nil
}

func (r *Request) check() error {
	if len(r.Key) > 128 || !printable(r.Key) {
		return fault.Invalid("idempotency.key_invalid", fault.Args{"max": 128})
	}
	return nil
}

// Lease is how long a request is left to who works at it and says nothing any more: a replica that died.
const Lease = 30 * time.Second

// pause is how long who waits for another's work waits before it looks again.
const pause = 100 * time.Millisecond

// Alone waits until nobody works at the request, in this process or another, and keeps others out until leave is called.
// It is for work that makes its own transactions; without a key nothing is waited for. Fault: idempotency.key_invalid.
func (k *Keeper) Alone(ctx context.Context, r Request) (leave func(), err error) {
	if r.Key == "" {
		return func() {}, nil
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	holder := id.New()
	for {
		won := false
		err := k.tx.InTx(ctx, func(ctx context.Context) (err error) {
			now := k.clock.Now()
			won, err = k.store.Take(ctx, r, holder, now, now.Add(Lease))
			return err
		})
		if err != nil {
			return nil, err
		}
		if won {
			return k.hold(context.WithoutCancel(ctx), r, holder), nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// hold says again and again that somebody works at the request, until leave is called.
func (k *Keeper) hold(ctx context.Context, r Request, holder string) (leave func()) {
	over, quiet := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(quiet)
		beat := time.NewTicker(k.Beat)
		defer beat.Stop()
		for {
			select {
			case <-over:
				return
			case <-beat.C:
				_ = k.tx.InTx(ctx, func(ctx context.Context) error { return k.store.Hold(ctx, r, holder, k.clock.Now().Add(Lease)) }) // the next beat tries again
			}
		}
	}()
	return func() {
		close(over)
		<-quiet
		_ = k.tx.InTx(ctx, func(ctx context.Context) error { return k.store.Leave(ctx, r, holder) }) // else the lease runs out
	}
}

// Purge forgets what has expired.
func (k *Keeper) Purge(ctx context.Context) (n int64, err error) {
	err = k.tx.InTx(ctx, func(ctx context.Context) error { n, err = k.store.Purge(ctx, k.clock.Now()); return err })
	return n, err
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] < 0x21 || s[i] > 0x7e {
			return false
		}
	}
	return true
}
