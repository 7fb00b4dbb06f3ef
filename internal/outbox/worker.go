package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"huoban/internal/clock"
	"huoban/internal/fault"
)

// Lease is how long a worker holds a job without renewing; renewed every third of it.
const Lease = 60 * time.Second

// keepDone is how long done jobs stay, for progress pages and their keys.
const keepDone = 7 * 24 * time.Hour

type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// Permanent marks an error that trying again cannot cure: the job fails at once.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return permanent{err}
}

// IsPermanent tells whether err was marked so.
func IsPermanent(err error) bool {
	var p permanent
	return errors.As(err, &p)
}

// pause before try n+1 after n failed ones: 5 s, 20 s, 80 s … at most an hour.
func pause(n int64) time.Duration {
	d := 5 * time.Second
	for ; n > 1 && d < time.Hour; n-- {
		d *= 4
	}
	return min(d, time.Hour)
}

// Worker takes ready jobs and does them. Several workers and replicas share one table: a job is
// taken by compare-and-set, and a worker that dies is replaced when its lease ends.
type Worker struct {
	tx       InTx
	store    Store
	clock    clock.Clock
	log      *slog.Logger
	handlers map[string]Handler
	lease    time.Duration
	poll     time.Duration
	every    []periodic
}

type periodic struct {
	name string
	gap  time.Duration
	do   func(ctx context.Context) error
}

// NewWorker makes a worker without handlers. log may be nil.
func NewWorker(tx InTx, store Store, c clock.Clock, log *slog.Logger) *Worker {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Worker{tx: tx, store: store, clock: c, log: log, handlers: map[string]Handler{}, lease: Lease, poll: time.Second}
}

// Handle names the handler of a kind; before Run.
func (w *Worker) Handle(kind string, h Handler) { w.handlers[kind] = h }

// Every runs do about every gap while Run runs, on each replica: due transitions, purges, the audit
// head. do must be safe to run twice at once.
func (w *Worker) Every(name string, gap time.Duration, do func(ctx context.Context) error) {
	w.every = append(w.every, periodic{name, gap, do})
}

// Run works with n jobs at a time until ctx ends; running jobs see the end through their ctx, and
// what they left is taken up again after their lease.
func (w *Worker) Run(ctx context.Context, n int) {
	var all sync.WaitGroup
	for range n {
		all.Go(func() { w.loop(ctx) })
	}
	for _, p := range append(slices.Clone(w.every), periodic{"outbox.purge", time.Hour, w.purge}) {
		all.Go(func() { w.repeat(ctx, p) })
	}
	all.Wait()
}

func (w *Worker) loop(ctx context.Context) {
	for ctx.Err() == nil {
		did, err := w.Once(ctx)
		if err != nil && ctx.Err() == nil {
			w.log.ErrorContext(ctx, "jobs", "error", err)
		}
		if did && err == nil {
			continue
		}
		wait(ctx, w.poll)
	}
}

func (w *Worker) repeat(ctx context.Context, p periodic) {
	for ctx.Err() == nil {
		if err := p.do(ctx); err != nil && ctx.Err() == nil {
			w.log.ErrorContext(ctx, "periodic work", "name", p.name, "error", err)
		}
		wait(ctx, p.gap)
	}
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func (w *Worker) purge(ctx context.Context) error {
	return w.tx.InTx(ctx, func(ctx context.Context) error {
		_, err := w.store.Purge(ctx, w.clock.Now().Add(-keepDone))
		return err
	})
}

// Drain does ready jobs until none is ready; for commands and tests.
func (w *Worker) Drain(ctx context.Context) error {
	for {
		did, err := w.Once(ctx)
		if err != nil || !did {
			return err
		}
	}
}

// Once takes and does one ready job; did is false when none was ready.
func (w *Worker) Once(ctx context.Context) (did bool, err error) {
	j, ok, err := w.take(ctx)
	if err != nil || !ok {
		return false, err
	}
	return true, w.do(ctx, j)
}

func (w *Worker) take(ctx context.Context) (Job, bool, error) {
	kinds := make([]string, 0, len(w.handlers))
	for k := range w.handlers {
		kinds = append(kinds, k)
	}
	slices.Sort(kinds)
	if len(kinds) == 0 {
		return Job{}, false, nil
	}
	ready, err := w.store.Ready(ctx, kinds, w.clock.Now(), 8)
	if err != nil {
		return Job{}, false, err
	}
	for _, j := range ready {
		mine, dead := j, j.State == StateRunning && j.Attempts >= j.MaxAttempts
		now := w.clock.Now()
		if dead { // its last worker died, and there is no try left
			mine.State, mine.LastError, mine.LeaseUntil, mine.DoneAt = StateFailed, "lease ended", time.Time{}, now
		} else {
			mine.State, mine.Attempts, mine.LeaseUntil = StateRunning, j.Attempts+1, now.Add(w.lease)
		}
		won := false
		err := w.tx.InTx(ctx, func(ctx context.Context) (err error) {
			won, err = w.store.Update(ctx, mine)
			return err
		})
		if err != nil {
			return Job{}, false, err
		}
		if won && !dead {
			mine.Version++
			return mine, true, nil
		}
	}
	return Job{}, false, nil
}

// held is a running job with its lease; heartbeat and progress write it, one at a time.
type held struct {
	w        *Worker
	mu       sync.Mutex
	job      Job
	lost     bool
	cancel   context.CancelFunc
	reported time.Time
}

var errLeaseLost = fault.Conflict("outbox.lease_lost", nil)

// write changes the job if the lease is still held.
func (h *held) write(ctx context.Context, change func(j *Job)) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.writeLocked(ctx, change)
}

func (h *held) writeLocked(ctx context.Context, change func(j *Job)) error {
	if h.lost {
		return errLeaseLost
	}
	next := h.job
	change(&next)
	won := false
	err := h.w.tx.InTx(ctx, func(ctx context.Context) (err error) {
		won, err = h.w.store.Update(ctx, next)
		return err
	})
	if err != nil {
		return err
	}
	if !won {
		h.lost = true
		h.cancel()
		return errLeaseLost
	}
	next.Version++
	h.job = next
	return nil
}

func (h *held) progress(ctx context.Context, done, total int64) error {
	if !h.mu.TryLock() {
		return nil // the lease is being renewed; the next report will do
	}
	defer h.mu.Unlock()
	now := h.w.clock.Now()
	if now.Sub(h.reported) < time.Second && done != total {
		if h.lost {
			return errLeaseLost
		}
		return nil
	}
	h.reported = now
	return h.writeLocked(context.WithoutCancel(ctx), func(j *Job) {
		j.ProgressDone, j.ProgressTotal, j.LeaseUntil = done, total, now.Add(h.w.lease)
	})
}

func (w *Worker) do(ctx context.Context, j Job) error {
	work, cancel := context.WithCancel(ctx)
	defer cancel()
	h := &held{w: w, job: j, cancel: cancel}
	stop := make(chan struct{})
	var beat sync.WaitGroup
	beat.Go(func() { h.beat(work, stop) })
	err := safely(func() error { return w.handlers[j.Kind](work, j, h.progress) })
	close(stop)
	beat.Wait()
	if ctx.Err() != nil && err != nil {
		return ctx.Err() // shutting down: the lease ends by itself and another run takes over
	}
	end := h.write(context.WithoutCancel(ctx), func(j *Job) { w.settle(j, err) })
	if end != nil && !errors.Is(end, errLeaseLost) {
		return end
	}
	if err != nil {
		w.log.WarnContext(ctx, "job", "kind", j.Kind, "id", j.ID, "attempt", j.Attempts, "error", err)
	}
	return nil
}

// settle says what becomes of a job after a run.
func (w *Worker) settle(j *Job, err error) {
	now := w.clock.Now()
	j.LeaseUntil = time.Time{}
	switch {
	case err == nil:
		j.State, j.DoneAt, j.LastError = StateDone, now, ""
	case IsPermanent(err) || j.Last():
		j.State, j.DoneAt, j.LastError = StateFailed, now, text(err)
	default:
		j.State, j.RunAt, j.LastError = StateWaiting, now.Add(pause(j.Attempts)), text(err)
	}
}

// beat renews the lease in real time, however long the handler is silent.
func (h *held) beat(ctx context.Context, stop <-chan struct{}) {
	tick := time.NewTicker(h.w.lease / 3)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ctx.Done():
			return
		case <-tick.C:
			err := h.write(ctx, func(j *Job) { j.LeaseUntil = h.w.clock.Now().Add(h.w.lease) })
			if err != nil && !errors.Is(err, errLeaseLost) && ctx.Err() == nil {
				h.w.log.ErrorContext(ctx, "job lease", "id", h.job.ID, "error", err)
			}
		}
	}
}

// safely turns a handler's panic into a permanent error, so that one job cannot stop the others.
func safely(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = Permanent(fmt.Errorf("panic: %v", p))
		}
	}()
	return do()
}

// text is the error as both engines can keep it.
func text(err error) string {
	s := strings.ReplaceAll(err.Error(), "\x00", "")
	return strings.ToValidUTF8(s[:min(len(s), 1000)], "")
}
