package messagestore_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"huoban/internal/clock"
	"huoban/internal/fault"
	"huoban/internal/message"
	"huoban/internal/scope"
	"huoban/internal/store"
	"huoban/internal/store/messagestore"
	"huoban/internal/store/storetest"
)

var start = time.Date(2026, 11, 5, 4, 0, 0, 0, time.UTC)

func notice(person string, n int) message.Notice {
	return message.Notice{OrgID: "P1", PersonID: person, Category: message.CategoryBill, Code: "bill.issued",
		Args: fault.Args{"n": float64(n), "cycle": "2026-10"}, Link: "/o/P1/bills"}
}

func tell(t *testing.T, db *store.DB, box *message.Box, list ...message.Notice) error {
	t.Helper()
	return db.InTx(context.Background(), func(ctx context.Context) error { return box.Notify(ctx, list...) })
}

func TestTheBell(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, c := context.Background(), clock.At(start)
		box := message.New(db, messagestore.New(db), c)
		lin, chen := scope.Partner("P1", "lin", "lin", nil, nil), scope.Partner("P1", "chen", "chen", nil, nil)
		elsewhere := scope.Partner("P2", "lin", "lin", nil, nil)
		for i := range 25 {
			if err := tell(t, db, box, notice("lin", i)); err != nil {
				t.Fatal(err)
			}
			if i%5 == 0 {
				c.Set(c.Now().Add(time.Second))
			}
		}
		other := notice("chen", 1)
		other.Category, other.Code = message.CategorySystem, "system.hello"
		if err := tell(t, db, box, other); err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		var cursor message.Cursor
		order := ""
		for pages := 0; ; pages++ {
			p, err := box.List(ctx, lin, message.Filter{}, cursor, 7)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range p.Messages {
				key := m.At.Format(time.RFC3339Nano) + m.ID
				if seen[m.ID] || order != "" && key >= order || m.Notice.PersonID != "lin" || m.Notice.Args["cycle"] != "2026-10" {
					t.Fatalf("page %d: %+v", pages, m)
				}
				seen[m.ID], order = true, key
			}
			if p.Next == nil {
				break
			}
			cursor = *p.Next
		}
		if len(seen) != 25 {
			t.Fatalf("saw %d", len(seen))
		}
		for _, k := range []struct {
			sc   scope.Scope
			want int64
		}{{lin, 25}, {chen, 1}, {elsewhere, 0}, {scope.System("operator"), 0}, {scope.Scope{}, 0}} {
			if n, err := box.Unread(ctx, k.sc); n != k.want || err != nil {
				t.Errorf("%s unread: %d, want %d, %v", k.sc.Login(), n, k.want, err)
			}
		}
		p, _ := box.List(ctx, chen, message.Filter{Category: message.CategorySystem, Unread: true}, message.Cursor{}, 0)
		if len(p.Messages) != 1 {
			t.Fatalf("chen: %+v", p)
		}
		id := p.Messages[0].ID
		if err := box.MarkRead(ctx, lin, id); !fault.HasCode(err, "message.unknown") {
			t.Fatalf("lin marked chen's message: %v", err)
		}
		for range 2 {
			if err := box.MarkRead(ctx, chen, id); err != nil {
				t.Fatal(err)
			}
			c.Set(c.Now().Add(time.Hour))
		}
		p, _ = box.List(ctx, chen, message.Filter{}, message.Cursor{}, 10)
		if !p.Messages[0].ReadAt.Equal(c.Now().Add(-2 * time.Hour)) {
			t.Fatalf("the first reading counts: %v", p.Messages[0].ReadAt)
		}
		if p, _ = box.List(ctx, chen, message.Filter{Unread: true}, message.Cursor{}, 10); len(p.Messages) != 0 {
			t.Fatal("a read message is listed as unread")
		}
		if n, err := box.MarkAllRead(ctx, lin); n != 25 || err != nil {
			t.Fatal(n, err)
		}
		if n, _ := box.Unread(ctx, lin); n != 0 {
			t.Fatal(n)
		}
	})
}

func TestARepeatIsToldOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		c := clock.At(start)
		box := message.New(db, messagestore.New(db), c)
		lin := scope.Partner("P1", "lin", "lin", nil, nil)
		for _, k := range []struct {
			after time.Duration
			n     message.Notice
			total int64
		}{
			{0, notice("lin", 1), 1},
			{0, notice("lin", 1), 1},
			{0, notice("lin", 2), 2},
			{29 * time.Second, notice("lin", 1), 2},
			{time.Second, notice("lin", 1), 3},
		} {
			c.Set(c.Now().Add(k.after))
			if err := tell(t, db, box, k.n); err != nil {
				t.Fatal(err)
			}
			if n, _ := box.Unread(context.Background(), lin); n != k.total {
				t.Fatalf("after %s: %d messages, want %d", k.after, n, k.total)
			}
		}
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				if err := tell(t, db, box, notice("lin", 9)); err != nil && !fault.Is(err, fault.KindUnavailable) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n, _ := box.Unread(context.Background(), lin); n != 4 {
			t.Fatalf("four at once made %d", n)
		}
		for i, n := range []message.Notice{{PersonID: "x", Category: "gossip", Code: "a.b"}, {Category: message.CategoryBill, Code: "a.b"}, {PersonID: "x", Category: message.CategoryBill}} {
			if err := tell(t, db, box, n); !fault.HasCode(err, "message.notice_invalid") {
				t.Error(fmt.Sprint(i), err)
			}
		}
	})
}
