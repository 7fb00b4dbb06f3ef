package idemstore_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"huoban/internal/clock"
	"huoban/internal/fault"
	"huoban/internal/idempotency"
	"huoban/internal/store"
	"huoban/internal/store/idemstore"
	"huoban/internal/store/storetest"
)

// Two replicas that get the same request work at it one after the other; other requests wait for nobody.
func TestAlone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, c := context.Background(), clock.At(start)
		here, there := idempotency.New(db, idemstore.New(db), c), idempotency.New(db, idemstore.New(db), c)
		leave, err := here.Alone(ctx, request("k1", "a"))
		if err != nil {
			t.Fatal(err)
		}
		other, err := there.Alone(ctx, request("k2", "a"))
		if err != nil {
			t.Fatal(err)
		}
		other()
		stop, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := there.Alone(stop, request("k1", "a")); !errors.Is(err, context.Canceled) {
			t.Errorf("who gave up waiting: %v", err)
		}
		came := make(chan func(), 1)
		go func() {
			leave, err := there.Alone(ctx, request("k1", "a"))
			if err != nil {
				t.Error(err)
			}
			came <- leave
		}()
		select {
		case <-came:
			t.Fatal("both work at it")
		case <-time.After(250 * time.Millisecond):
		}
		leave()
		(<-came)()
		if none, err := here.Alone(ctx, request("", "a")); err != nil {
			t.Error(err)
		} else {
			none()
		}
		if _, err := here.Alone(ctx, request("a b", "a")); !fault.HasCode(err, "idempotency.key_invalid") {
			t.Error(err)
		}
	})
}

// A replica that died is waited for as long as its lease; one that works on and on keeps it.
func TestAloneOutlivesAReplica(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, c, s := context.Background(), clock.At(start), idemstore.New(db)
		r := request("k1", "a")
		take := func(holder string) (won bool) {
			t.Helper()
			err := db.InTx(ctx, func(ctx context.Context) (err error) {
				won, err = s.Take(ctx, r, holder, c.Now(), c.Now().Add(idempotency.Lease))
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return won
		}
		if !take("dead") || take("next") {
			t.Fatal("the first one holds it")
		}
		c.Set(start.Add(idempotency.Lease - time.Microsecond))
		if take("next") {
			t.Error("the lease has not run out")
		}
		c.Set(start.Add(idempotency.Lease))
		k := idempotency.New(db, s, c)
		k.Beat = time.Millisecond
		leave, err := k.Alone(ctx, r)
		if err != nil {
			t.Fatal(err)
		}
		c.Set(start.Add(3 * idempotency.Lease / 2))
		for range 100 { // beats come while it works
			var until store.Instant
			if err := db.Writer().QueryRowContext(ctx, "SELECT until FROM idempotency_work").Scan(&until); err != nil {
				t.Fatal(err)
			}
			if until.Time.After(start.Add(2 * idempotency.Lease)) {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		c.Set(start.Add(2*idempotency.Lease + time.Second))
		if take("late") {
			t.Error("it was taken from who works at it")
		}
		if err := db.InTx(ctx, func(ctx context.Context) error { return s.Leave(ctx, r, "dead") }); err != nil || take("late") {
			t.Error("who died took another off", err)
		}
		leave()
		if !take("late") {
			t.Error("who left holds it still")
		}
	})
}
