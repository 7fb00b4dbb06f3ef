package flowstore_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"huoban/internal/audit"
	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/store"
	"huoban/internal/store/flowstore"
	"huoban/internal/store/storetest"
)

var start = time.Date(2026, 11, 5, 4, 0, 0, 0, time.UTC)

func TestLog(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := flowstore.New(db)
		ctx := audit.WithRequest(context.Background(), audit.Request{ID: "req-7"})
		want := []flow.Change{
			{Machine: "m", Entity: "e", To: "a", Action: "begin", Actor: "lin", At: start, Version: 1, RequestID: "req-7"},
			{Machine: "m", Entity: "e", From: "a", To: "b", Action: "go", Actor: "chen", At: start, Version: 2, Reason: "因为", RequestID: "req-8"},
		}
		err := db.InTx(ctx, func(ctx context.Context) error {
			for i, c := range want {
				if i == 0 {
					c.RequestID = ""
				}
				if err := s.Append(ctx, c); err != nil {
					return err
				}
			}
			return s.Append(ctx, flow.Change{Machine: "m", Entity: "f", To: "a", Action: "begin", At: start, Version: 1})
		})
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.History(ctx, "m", "e")
		if err != nil || len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
			t.Fatalf("%+v %v", got, err)
		}
		if last, ok, err := s.Last(ctx, "m", "e"); !ok || err != nil || last != want[1] {
			t.Fatal(last, ok, err)
		}
		if _, ok, err := s.Last(ctx, "m", "absent"); ok || err != nil {
			t.Fatal(ok, err)
		}
		err = db.InTx(ctx, func(ctx context.Context) error { return s.Append(ctx, want[1]) })
		if !fault.Is(err, fault.KindConflict) {
			t.Fatalf("one version was logged twice: %v", err)
		}
		if err := s.Append(ctx, want[0]); err == nil {
			t.Fatal("written outside a transaction")
		}
	})
}

func TestDue(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, ctx := flowstore.New(db), context.Background()
		in := func(fn func(ctx context.Context) error) {
			t.Helper()
			if err := db.InTx(ctx, fn); err != nil {
				t.Fatal(err)
			}
		}
		d := flow.DueChange{Machine: "m", Entity: "e", Action: "expire", At: start}
		remind := flow.DueChange{Machine: "m", Entity: "e", Action: "remind", At: start.Add(-time.Hour)}
		in(func(ctx context.Context) error {
			return s.AddDue(ctx, []flow.DueChange{{Machine: "m", Entity: "e", Action: "expire", At: start.AddDate(0, 0, 9)}})
		})
		in(func(ctx context.Context) error { return s.AddDue(ctx, []flow.DueChange{d, remind}) }) // a newer time replaces
		ripe, err := s.Ripe(ctx, start, 10)
		if err != nil || len(ripe) != 2 || ripe[0].Action != "remind" || ripe[1] != d {
			t.Fatalf("%+v %v", ripe, err)
		}
		if ripe, _ = s.Ripe(ctx, start.Add(-time.Microsecond), 10); len(ripe) != 1 {
			t.Fatalf("%+v", ripe)
		}
		in(func(ctx context.Context) error { return s.Postpone(ctx, d, start.Add(time.Hour)) })
		in(func(ctx context.Context) error { return s.Drop(ctx, d) }) // postponed meanwhile: not the same any more
		if ripe, _ = s.Ripe(ctx, start.Add(time.Hour), 10); len(ripe) != 2 || ripe[1].Tries != 1 {
			t.Fatalf("%+v", ripe)
		}
		in(func(ctx context.Context) error { return s.ClearDue(ctx, "m", "e") })
		if ripe, _ = s.Ripe(ctx, start.AddDate(1, 0, 0), 10); len(ripe) != 0 {
			t.Fatalf("%+v", ripe)
		}
	})
}

// TestOneOfManyWins fires one action on one entity from many sides at once: the log shows one move.
func TestOneOfManyWins(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := flowstore.New(db)
		var won atomic.Int64
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				err := db.InTx(context.Background(), func(ctx context.Context) error {
					if _, ok, err := s.Last(ctx, "m", "e"); err != nil || ok {
						if err == nil {
							err = flow.Lost(ctx, s, "m", "e")
						}
						return err
					}
					return s.Append(ctx, flow.Change{Machine: "m", Entity: "e", To: "a", Action: "begin", Actor: fmt.Sprint(i), At: start, Version: 1})
				})
				switch {
				case err == nil:
					won.Add(1)
				case !fault.Is(err, fault.KindConflict) && !fault.Is(err, fault.KindUnavailable):
					t.Error(err)
				}
			})
		}
		all.Wait()
		if h, _ := s.History(context.Background(), "m", "e"); len(h) != 1 || won.Load() != 1 {
			t.Fatalf("%d moves, %d winners", len(h), won.Load())
		}
	})
}
