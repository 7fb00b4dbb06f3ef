package idemstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"huoban/internal/clock"
	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/idempotency"
	"huoban/internal/store"
	"huoban/internal/store/flowstore"
	"huoban/internal/store/idemstore"
	"huoban/internal/store/storetest"
)

var start = time.Date(2026, 11, 5, 4, 0, 0, 0, time.UTC)

// effect leaves a trace that counts how often a request took effect.
func effect(s *flowstore.Store, entity string) func(ctx context.Context) (idempotency.Outcome, error) {
	return func(ctx context.Context) (idempotency.Outcome, error) {
		h, err := s.History(ctx, "m", entity)
		if err != nil {
			return idempotency.Outcome{}, err
		}
		n := int64(len(h) + 1)
		err = s.Append(ctx, flow.Change{Machine: "m", Entity: entity, To: "x", Action: "do", At: start, Version: n})
		return idempotency.Outcome{Status: 303, Location: fmt.Sprintf("/x/%d", n), Body: []byte(`{"n":1}`)}, err
	}
}

func request(key, body string) idempotency.Request {
	return idempotency.Request{Actor: "P1/lin", Key: key, Digest: idempotency.Digest([]byte("POST"), []byte("/x"), []byte(body))}
}

func TestOneEffectOneAnswer(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, c, log := context.Background(), clock.At(start), flowstore.New(db)
		k := idempotency.New(db, idemstore.New(db), c)
		first, replayed, err := k.Do(ctx, request("k1", "a"), effect(log, "e"))
		if err != nil || replayed {
			t.Fatal(replayed, err)
		}
		again, replayed, err := k.Do(ctx, request("k1", "a"), effect(log, "e"))
		if err != nil || !replayed || again.Status != 303 || again.Location != first.Location || string(again.Body) != string(first.Body) {
			t.Fatal(again, replayed, err)
		}
		if _, _, err := k.Do(ctx, request("k1", "b"), effect(log, "e")); !fault.HasCode(err, "idempotency.mismatch") {
			t.Fatal(err)
		}
		other := request("k1", "a")
		other.Actor = "P2/wang"
		if _, replayed, err := k.Do(ctx, other, effect(log, "e")); replayed || err != nil {
			t.Fatal("another actor's key was taken for this one", replayed, err)
		}
		if h, _ := log.History(ctx, "m", "e"); len(h) != 2 {
			t.Fatalf("%d effects", len(h))
		}
		c.Set(start.Add(24 * time.Hour))
		if _, replayed, _ := k.Do(ctx, request("k1", "a"), effect(log, "e")); !replayed {
			t.Fatal("forgotten within a day")
		}
		c.Set(start.Add(idempotency.Kept))
		if _, replayed, err := k.Do(ctx, request("k1", "b"), effect(log, "e")); replayed || err != nil {
			t.Fatal("an expired key was not free", replayed, err)
		}
		if n, err := k.Purge(ctx); n != 1 || err != nil {
			t.Fatal("purge", n, err) // the other actor's
		}
	})
}

func TestARefusedRequestKeepsNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, log := context.Background(), flowstore.New(db)
		k := idempotency.New(db, idemstore.New(db), clock.At(start))
		refused := errors.New("refused")
		_, _, err := k.Do(ctx, request("k", "a"), func(ctx context.Context) (idempotency.Outcome, error) {
			o, _ := effect(log, "e")(ctx)
			return o, refused
		})
		if !errors.Is(err, refused) {
			t.Fatal(err)
		}
		if h, _ := log.History(ctx, "m", "e"); len(h) != 0 {
			t.Fatal("a refused request left a trace")
		}
		if _, replayed, err := k.Do(ctx, request("k", "corrected"), effect(log, "e")); replayed || err != nil {
			t.Fatal(replayed, err)
		}
		for _, bad := range []string{strings.Repeat("k", 129), "a b", "键"} {
			if _, _, err := k.Do(ctx, request(bad, "a"), effect(log, "e")); !fault.HasCode(err, "idempotency.key_invalid") {
				t.Error(bad, err)
			}
		}
		for range 2 { // without a key each request counts
			if _, replayed, err := k.Do(ctx, idempotency.Request{Actor: "x"}, effect(log, "e")); replayed || err != nil {
				t.Fatal(replayed, err)
			}
		}
	})
}

func TestDuplicatesAtOnceHaveOneEffect(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		log := flowstore.New(db)
		k := idempotency.New(db, idemstore.New(db), clock.At(start))
		var fresh, replays atomic.Int64
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				o, replayed, err := k.Do(context.Background(), request("same", "a"), effect(log, "e"))
				switch {
				case fault.Is(err, fault.KindUnavailable):
				case err != nil:
					t.Error(err)
				case o.Location != "/x/1":
					t.Errorf("answered %s", o.Location)
				case replayed:
					replays.Add(1)
				default:
					fresh.Add(1)
				}
			})
		}
		all.Wait()
		if h, _ := log.History(context.Background(), "m", "e"); len(h) != 1 || fresh.Load() != 1 || replays.Load() == 0 {
			t.Fatalf("%d effects, %d fresh, %d replays", len(h), fresh.Load(), replays.Load())
		}
	})
}

func TestDigestBindsParts(t *testing.T) {
	if string(idempotency.Digest([]byte("a"), []byte("bc"))) == string(idempotency.Digest([]byte("ab"), []byte("c"))) {
		t.Fatal("two requests share a digest")
	}
}
