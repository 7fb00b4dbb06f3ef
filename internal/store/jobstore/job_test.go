package jobstore_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"huoban/internal/clock"
	"huoban/internal/fault"
	"huoban/internal/outbox"
	"huoban/internal/store"
	"huoban/internal/store/jobstore"
	"huoban/internal/store/storetest"
)

var start = time.Date(2026, 11, 5, 4, 0, 0, 0, time.UTC)

type bench struct {
	db    *store.DB
	store *jobstore.Store
	clock *clock.Fixed
	queue *outbox.Queue
}

func newBench(db *store.DB) *bench {
	c, s := clock.At(start), jobstore.New(db)
	return &bench{db, s, c, outbox.NewQueue(s, c)}
}

func (b *bench) worker(h outbox.Handler) *outbox.Worker {
	w := outbox.NewWorker(b.db, b.store, b.clock, nil)
	w.Handle("work", h)
	return w
}

func (b *bench) enqueue(t *testing.T, j outbox.NewJob) (id string, fresh bool) {
	t.Helper()
	err := b.db.InTx(context.Background(), func(ctx context.Context) (err error) {
		id, fresh, err = b.queue.Enqueue(ctx, j)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return id, fresh
}

func (b *bench) job(t *testing.T, id string) outbox.Job {
	t.Helper()
	var kind, key string
	q := store.Query{Name: "test.JobKey", Text: "select kind, job_key from job where id = $1"}
	if err := b.db.Row(context.Background(), q, "test.no_job", []any{id}, &kind, &key); err != nil {
		t.Fatal(err)
	}
	j, err := b.queue.ByKey(context.Background(), kind, key)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func TestOneKeyOneJob(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBench(db)
		first, fresh := b.enqueue(t, outbox.NewJob{Kind: "work", Key: "k", Payload: map[string]int{"n": 1}})
		again, fresh2 := b.enqueue(t, outbox.NewJob{Kind: "work", Key: "k", Payload: map[string]int{"n": 2}})
		other, fresh3 := b.enqueue(t, outbox.NewJob{Kind: "other", Key: "k"})
		if !fresh || fresh2 || !fresh3 || first != again || other == first {
			t.Fatal(fresh, fresh2, fresh3, first, again, other)
		}
		if j := b.job(t, first); string(j.Payload) != `{"n":1}` || j.State != outbox.StateWaiting || !j.RunAt.Equal(start) {
			t.Fatalf("%+v", j)
		}
		stop := errors.New("stop")
		_ = db.InTx(context.Background(), func(ctx context.Context) error {
			_, _, _ = b.queue.Enqueue(ctx, outbox.NewJob{Kind: "work", Key: "gone"})
			return stop
		})
		if _, err := b.queue.ByKey(context.Background(), "work", "gone"); !fault.HasCode(err, "outbox.job_unknown") {
			t.Fatalf("a rolled back job exists: %v", err)
		}
	})
}

func TestRetryWithGrowingPausesThenFail(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b, ctx, runs := newBench(db), context.Background(), 0
		w := b.worker(func(context.Context, outbox.Job, outbox.Progress) error { runs++; return errors.New("no luck\x00") })
		id, _ := b.enqueue(t, outbox.NewJob{Kind: "work", MaxAttempts: 3})
		for i, pause := range []time.Duration{5 * time.Second, 20 * time.Second} {
			if did, err := w.Once(ctx); !did || err != nil {
				t.Fatal(did, err)
			}
			j := b.job(t, id)
			if j.State != outbox.StateWaiting || j.LastError != "no luck" || j.RunAt.Sub(b.clock.Now()) != pause {
				t.Fatalf("try %d: %+v", i, j)
			}
			if did, _ := w.Once(ctx); did {
				t.Fatal("ran before its time")
			}
			b.clock.Set(j.RunAt)
		}
		if err := w.Drain(ctx); err != nil {
			t.Fatal(err)
		}
		if j := b.job(t, id); j.State != outbox.StateFailed || runs != 3 || j.Attempts != 3 {
			t.Fatalf("%d runs, %+v", runs, j)
		}
	})
}

func TestPermanentErrorsAndPanicsFailAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBench(db)
		w := b.worker(func(_ context.Context, j outbox.Job, _ outbox.Progress) error {
			if j.Key == "panic" {
				panic("oh")
			}
			return fmt.Errorf("wrapped: %w", outbox.Permanent(errors.New("never")))
		})
		one, _ := b.enqueue(t, outbox.NewJob{Kind: "work", Key: "never"})
		two, _ := b.enqueue(t, outbox.NewJob{Kind: "work", Key: "panic"})
		if err := w.Drain(context.Background()); err != nil {
			t.Fatal(err)
		}
		for id, text := range map[string]string{one: "wrapped: never", two: "panic: oh"} {
			if j := b.job(t, id); j.State != outbox.StateFailed || j.LastError != text || j.Attempts != 1 {
				t.Fatalf("%+v", j)
			}
		}
	})
}

func TestADeadWorkersJobIsTakenOver(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBench(db)
		id, _ := b.enqueue(t, outbox.NewJob{Kind: "work", MaxAttempts: 2})
		ctx, kill := context.WithCancel(context.Background())
		first := b.worker(func(ctx context.Context, _ outbox.Job, _ outbox.Progress) error {
			kill()
			<-ctx.Done()
			return ctx.Err()
		})
		if _, err := first.Once(ctx); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if j := b.job(t, id); j.State != outbox.StateRunning || !j.LeaseUntil.Equal(start.Add(outbox.Lease)) {
			t.Fatalf("%+v", j)
		}
		runs := 0
		second := b.worker(func(_ context.Context, j outbox.Job, _ outbox.Progress) error { runs++; return nil })
		if err := second.Drain(context.Background()); err != nil || runs != 0 {
			t.Fatal("took a leased job", err)
		}
		b.clock.Set(start.Add(outbox.Lease))
		if err := second.Drain(context.Background()); err != nil || runs != 1 {
			t.Fatal(runs, err)
		}
		if j := b.job(t, id); j.State != outbox.StateDone || j.Attempts != 2 || !j.LeaseUntil.IsZero() {
			t.Fatalf("%+v", j)
		}
	})
}

func TestALastTryThatDiedFails(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBench(db)
		id, _ := b.enqueue(t, outbox.NewJob{Kind: "work", MaxAttempts: 1})
		ctx, kill := context.WithCancel(context.Background())
		w := b.worker(func(ctx context.Context, _ outbox.Job, _ outbox.Progress) error {
			kill()
			<-ctx.Done()
			return ctx.Err()
		})
		_, _ = w.Once(ctx)
		b.clock.Set(start.Add(time.Hour))
		if err := w.Drain(context.Background()); err != nil {
			t.Fatal(err)
		}
		if j := b.job(t, id); j.State != outbox.StateFailed || j.LastError != "lease ended" {
			t.Fatalf("%+v", j)
		}
	})
}

func TestALostLeaseMayNotReport(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBench(db)
		id, _ := b.enqueue(t, outbox.NewJob{Kind: "work"})
		quick := b.worker(func(context.Context, outbox.Job, outbox.Progress) error { return nil })
		var lost error
		slow := b.worker(func(ctx context.Context, _ outbox.Job, progress outbox.Progress) error {
			if err := progress(ctx, 1, 10); err != nil {
				return err
			}
			b.clock.Set(b.clock.Now().Add(2 * outbox.Lease)) // asleep for longer than its lease
			if err := quick.Drain(ctx); err != nil {
				return err
			}
			lost = progress(ctx, 2, 10)
			return lost
		})
		if _, err := slow.Once(context.Background()); err != nil {
			t.Fatal(err)
		}
		if !fault.HasCode(lost, "outbox.lease_lost") {
			t.Fatalf("progress after the loss: %v", lost)
		}
		if j := b.job(t, id); j.State != outbox.StateDone || j.ProgressDone != 1 || j.ProgressTotal != 10 {
			t.Fatalf("%+v", j)
		}
	})
}

func TestManyWorkersDoEachJobOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBench(db)
		const jobs = 20
		for i := range jobs {
			b.enqueue(t, outbox.NewJob{Kind: "work", Key: fmt.Sprint(i)})
		}
		var mu sync.Mutex
		ran := map[string]int{}
		var all sync.WaitGroup
		for range 4 {
			w := b.worker(func(_ context.Context, j outbox.Job, _ outbox.Progress) error {
				mu.Lock()
				defer mu.Unlock()
				ran[j.Key]++
				return nil
			})
			all.Go(func() {
				for {
					did, err := w.Once(context.Background())
					if err != nil && !fault.Is(err, fault.KindUnavailable) {
						t.Error(err)
						return
					}
					if !did && err == nil {
						return
					}
				}
			})
		}
		all.Wait()
		if err := b.worker(func(_ context.Context, j outbox.Job, _ outbox.Progress) error { ran[j.Key]++; return nil }).Drain(context.Background()); err != nil {
			t.Fatal(err)
		}
		for i := range jobs {
			if ran[fmt.Sprint(i)] != 1 {
				t.Errorf("job %d ran %d times", i, ran[fmt.Sprint(i)])
			}
		}
		if n, err := b.store.Count(context.Background()); err != nil || n[outbox.StateDone] != jobs {
			t.Fatal(n, err)
		}
	})
}

func TestPurgeAndUnknownKinds(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b, ctx := newBench(db), context.Background()
		b.enqueue(t, outbox.NewJob{Kind: "work", Key: "old"})
		b.enqueue(t, outbox.NewJob{Kind: "unknown", Key: "waits for a newer program"})
		w := b.worker(func(context.Context, outbox.Job, outbox.Progress) error { return nil })
		if err := w.Drain(ctx); err != nil {
			t.Fatal(err)
		}
		var n int64
		err := db.InTx(ctx, func(ctx context.Context) (err error) { n, err = b.store.Purge(ctx, start.Add(time.Second)); return err })
		if err != nil || n != 1 {
			t.Fatal(n, err)
		}
		if c, _ := b.store.Count(ctx); c[outbox.StateWaiting] != 1 || c[outbox.StateDone] != 0 {
			t.Fatal(c)
		}
	})
}

type desk struct{ sent []outbox.Letter }

func (d *desk) Send(_ context.Context, l outbox.Letter) error {
	d.sent = append(d.sent, l)
	if len(d.sent) == 1 {
		return errors.New("greylisted")
	}
	return nil
}

func (d *desk) Write(_ context.Context, m outbox.Mail) (string, string, error) {
	if m.Code == "" {
		return "", "", errors.New("no such text")
	}
	return m.Lang + " " + m.Code, fmt.Sprint(m.Args["cycle"]), nil
}

func TestMailIsSentAgainUnderTheSameID(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b, ctx, d := newBench(db), context.Background(), &desk{}
		w := outbox.NewWorker(db, b.store, b.clock, nil)
		w.Handle(outbox.KindMail, outbox.MailHandler(d, d))
		err := db.InTx(ctx, func(ctx context.Context) error {
			for _, m := range []outbox.Mail{{To: "a@example.com", Lang: "en", Code: "bill.issued", Args: fault.Args{"cycle": "2026-10"}}, {To: "b@example.com"}} {
				if err := outbox.SendMail(ctx, b.queue, "bill/"+m.To, m); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := w.Drain(ctx); err != nil {
				t.Fatal(err)
			}
			b.clock.Set(b.clock.Now().Add(time.Minute))
		}
		if len(d.sent) != 2 || d.sent[0] != d.sent[1] || d.sent[0].Subject != "en bill.issued" || d.sent[0].Text != "2026-10" || d.sent[0].ID == "" {
			t.Fatalf("%+v", d.sent)
		}
		if j, err := b.queue.ByKey(ctx, outbox.KindMail, "bill/b@example.com"); err != nil || j.State != outbox.StateFailed {
			t.Fatal(j, err)
		}
	})
}

func TestRunStopsWithItsContext(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBench(db)
		ctx, stop := context.WithCancel(context.Background())
		id, _ := b.enqueue(t, outbox.NewJob{Kind: "work"})
		ticked := make(chan struct{}, 100)
		w := b.worker(func(context.Context, outbox.Job, outbox.Progress) error { return nil })
		w.Every("tick", time.Hour, func(context.Context) error { ticked <- struct{}{}; return errors.New("logged, not fatal") })
		done := make(chan struct{})
		go func() { w.Run(ctx, 2); close(done) }()
		<-ticked
		for b.job(t, id).State != outbox.StateDone {
			time.Sleep(5 * time.Millisecond)
		}
		stop()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			t.Fatal("did not stop")
		}
	})
}
