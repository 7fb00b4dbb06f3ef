package auditstore_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/fault"
	"huoban/internal/scope"
	"huoban/internal/store"
	"huoban/internal/store/auditstore"
	"huoban/internal/store/storetest"
)

var start = time.Date(2026, 11, 5, 4, 0, 0, 0, time.UTC)

type bench struct {
	db    *store.DB
	store *auditstore.Store
	chain *audit.Chain
	clock *clock.Fixed
	key   audit.Key
}

func newBench(db *store.DB) *bench {
	b := &bench{db: db, store: auditstore.New(db), clock: clock.At(start), key: audit.Key{1, 2, 3}}
	b.chain = audit.NewChain(b.store, b.clock, b.key)
	return b
}

func (b *bench) record(t *testing.T, n int) {
	t.Helper()
	ctx := audit.WithRequest(context.Background(), audit.Request{ID: "req-1", IP: "192.0.2.7", OnBehalf: "P1", SystemUser: "ops"})
	for i := range n {
		err := b.db.InTx(ctx, func(ctx context.Context) error {
			return b.chain.Record(ctx, audit.Entry{Actor: "lin", OrgID: fmt.Sprintf("org-%d", i%2), Action: "delivery.publish",
				Object: fmt.Sprintf("delivery:%d", i), Detail: map[string]any{"rows": i, "名称": "<a&b>"}})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// raw runs SQL behind the program's back, with the append-only triggers out of the way.
func (b *bench) raw(t *testing.T, statements ...string) {
	t.Helper()
	unlock := []string{"ALTER TABLE audit DISABLE TRIGGER ALL"}
	if b.db.Engine() == store.SQLite {
		unlock = []string{"DROP TRIGGER IF EXISTS audit_no_update", "DROP TRIGGER IF EXISTS audit_no_delete", "DROP TRIGGER IF EXISTS audit_no_replace"}
	}
	for _, s := range append(unlock, statements...) {
		if _, err := b.db.Writer().Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func (b *bench) verify(t *testing.T, heads ...audit.PublishedHead) audit.Report {
	t.Helper()
	rep, err := audit.Verify(context.Background(), b.store, b.key, heads)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func TestChainIsWhole(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBench(db)
		if rep := b.verify(t); rep.Broken != nil || rep.Rows != 0 {
			t.Fatalf("empty chain: %+v", rep)
		}
		b.record(t, 1203)
		rep := b.verify(t)
		if rep.Broken != nil || rep.Rows != 1203 || rep.Head.Seq != 1203 {
			t.Fatalf("whole chain: %+v", rep)
		}
		rows, err := b.store.After(context.Background(), 0, 1)
		if err != nil {
			t.Fatal(err)
		}
		r := rows[0]
		if r.RequestID != "req-1" || r.IP != "192.0.2.7" || r.OnBehalf != "P1" || r.Outcome != audit.OutcomeDone ||
			!r.At.Equal(start) || r.Detail != `{"rows":0,"system_user":"ops","名称":"<a&b>"}` {
			t.Fatalf("row: %+v", r)
		}
	})
}

func TestEveryTamperingIsFound(t *testing.T) {
	const five = "WHERE seq = 5"
	set := func(column, value string) []string {
		return []string{"UPDATE audit SET " + column + " = " + value + " " + five}
	}
	cases := []struct {
		name string
		sql  []string
		code string
		seq  int64
	}{
		{"at", set("at", "'2026-11-05T04:00:00.000001Z'"), "audit.row_changed", 5},
		{"actor", set("actor", "'chen'"), "audit.row_changed", 5},
		{"on_behalf", set("on_behalf", "''"), "audit.row_changed", 5},
		{"org_id", set("org_id", "'org-9'"), "audit.row_changed", 5},
		{"action", set("action", "'delivery.revert'"), "audit.row_changed", 5},
		{"object", set("object", "'delivery:0'"), "audit.row_changed", 5},
		{"outcome", set("outcome", "'refused'"), "audit.row_changed", 5},
		{"detail", set("detail", "replace(detail, ':4', ':5')"), "audit.row_changed", 5},
		{"request_id", set("request_id", "'req-2'"), "audit.row_changed", 5},
		{"ip", set("ip", "'192.0.2.8'"), "audit.row_changed", 5},
		{"prev", []string{"UPDATE audit SET prev = (SELECT prev FROM audit WHERE seq = 4) " + five}, "audit.row_changed", 5},
		{"hash", []string{"UPDATE audit SET hash = (SELECT hash FROM audit WHERE seq = 4) " + five}, "audit.row_changed", 5},
		{"seq", []string{"UPDATE audit SET seq = 99 " + five}, "audit.row_missing", 5},
		{"delete", []string{"DELETE FROM audit " + five}, "audit.row_missing", 5},
		{"delete the first", []string{"DELETE FROM audit WHERE seq = 1"}, "audit.row_missing", 1},
		{"delete and close the gap", []string{"DELETE FROM audit " + five, "UPDATE audit SET seq = seq - 100 WHERE seq > 5",
			"UPDATE audit SET seq = seq + 99 WHERE seq < 0"}, "audit.row_changed", 5},
		{"swap two rows", []string{"UPDATE audit SET seq = -1 " + five, "UPDATE audit SET seq = 5 WHERE seq = 6", "UPDATE audit SET seq = 6 WHERE seq = -1"},
			"audit.row_changed", 5},
		{"insert a copy at the end", []string{`INSERT INTO audit (seq, at, actor, on_behalf, org_id, action, object, outcome, detail, request_id, ip, prev, hash)
			SELECT 11, at, actor, on_behalf, org_id, action, object, outcome, detail, request_id, ip, prev, hash FROM audit ` + five}, "audit.row_changed", 11},
		{"cut the tail", []string{"DELETE FROM audit WHERE seq > 7"}, "audit.tail_cut", 8},
		{"empty the table", []string{"DELETE FROM audit"}, "audit.tail_cut", 1},
		{"lose the head", []string{"DELETE FROM audit_head"}, "audit.head_differs", 10},
		{"move the head", []string{"UPDATE audit_head SET seq = 9"}, "audit.head_differs", 10},
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				b := newBench(db)
				b.raw(t, "DELETE FROM audit", "DELETE FROM audit_head")
				b.record(t, 10)
				b.raw(t, c.sql...)
				rep := b.verify(t)
				if rep.Broken == nil {
					t.Fatal("not found")
				}
				if rep.Broken.Code != c.code || rep.Broken.Args["seq"] != c.seq {
					t.Fatalf("got %v, want %s at %d", rep.Broken, c.code, c.seq)
				}
			})
		}
	})
}

func TestPublishedHeadsShowACleverCut(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b, ctx := newBench(db), context.Background()
		path := filepath.Join(t.TempDir(), "audit-heads")
		pub := audit.NewPublisher(b.store, b.clock, path)
		if wrote, err := pub.Daily(ctx); wrote || err != nil {
			t.Fatalf("an empty chain has no head: %v %v", wrote, err)
		}
		b.record(t, 4)
		for i, want := range []bool{true, false} {
			if wrote, err := pub.Daily(ctx); wrote != want || err != nil {
				t.Fatalf("day 1, call %d: %v %v", i, wrote, err)
			}
		}
		b.record(t, 4)
		b.clock.Set(start.Add(12 * time.Hour)) // still the 5th in UTC, the 6th at 00:00 in GMT+8
		if wrote, err := pub.Daily(ctx); !wrote || err != nil {
			t.Fatalf("day 2: %v %v", wrote, err)
		}
		b.record(t, 2)
		heads, err := audit.ReadHeads(path)
		if err != nil || len(heads) != 2 || heads[1].Seq != 8 || heads[1].Date != "2026-11-06" {
			t.Fatalf("heads %v %v", heads, err)
		}
		if rep := b.verify(t, heads...); rep.Broken != nil {
			t.Fatal(rep.Broken)
		}
		// Whoever cuts the tail and moves the head as well leaves a chain that is whole in itself.
		b.raw(t, "DELETE FROM audit WHERE seq > 6", "UPDATE audit_head SET seq = 6, hash = (SELECT hash FROM audit WHERE seq = 6)")
		if rep := b.verify(t); rep.Broken != nil {
			t.Fatalf("without the heads file: %v", rep.Broken)
		}
		rep := b.verify(t, heads...)
		if !fault.HasCode(rep.Broken, "audit.tail_cut") || rep.Broken.Args["seq"] != int64(7) || rep.Broken.Args["known"] != int64(8) {
			t.Fatalf("with the heads file: %v", rep.Broken)
		}
		// A tail written again, even with the right key, differs from the published head.
		b.record(t, 3)
		if rep := b.verify(t, heads...); !fault.HasCode(rep.Broken, "audit.head_differs") || rep.Broken.Args["seq"] != int64(8) {
			t.Fatalf("rewritten tail: %v", rep.Broken)
		}
		if err := os.WriteFile(path, []byte("2026-11-05 x y\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := audit.ReadHeads(path); !fault.HasCode(err, "audit.heads_unreadable") {
			t.Fatal(err)
		}
	})
}

func TestAppendOnly(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBench(db)
		b.record(t, 2)
		for _, s := range []string{"UPDATE audit SET actor = 'x' WHERE seq = 1", "DELETE FROM audit WHERE seq = 2",
			"UPDATE transition_log SET actor = 'x'", "DELETE FROM transition_log"} {
			if strings.Contains(s, "transition_log") {
				seed(t, db)
			}
			if _, err := db.Writer().Exec(s); err == nil {
				t.Errorf("allowed: %s", s)
			}
		}
		replace := "INSERT OR REPLACE INTO audit (seq, at, actor, on_behalf, org_id, action, object, outcome, detail, request_id, ip, prev, hash) " +
			"SELECT seq, at, 'x', on_behalf, org_id, action, object, outcome, detail, request_id, ip, prev, hash FROM audit WHERE seq = 1"
		if db.Engine() == store.Postgres {
			replace = "TRUNCATE audit"
		}
		if _, err := db.Writer().Exec(replace); err == nil {
			t.Errorf("allowed: %s", replace)
		}
		if rep := b.verify(t); rep.Broken != nil {
			t.Fatal(rep.Broken)
		}
	})
}

var seeded = 0

func seed(t *testing.T, db *store.DB) {
	seeded++
	_, err := db.Writer().Exec(fmt.Sprintf(`INSERT INTO transition_log (machine, entity, from_state, to_state, action, actor, at, reason, request_id, version)
		VALUES ('m', 'e%d', '', 'a', 'begin', 'x', '2026-11-05T04:00:00.000000Z', '', '', 1)`, seeded))
	if err != nil {
		t.Fatal(err)
	}
}

func TestManyWritersOneChain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBench(db)
		const writers, each = 6, 15
		var wg sync.WaitGroup
		errs := make(chan error, writers*each)
		for w := range writers {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for i := range each {
					errs <- db.InTx(context.Background(), func(ctx context.Context) error {
						return b.chain.Record(ctx, audit.Entry{Actor: fmt.Sprint("w", w), Action: "x.y", Object: fmt.Sprint("x:", i)})
					})
				}
			}()
		}
		wg.Wait()
		close(errs)
		done := int64(0)
		for err := range errs {
			switch {
			case err == nil:
				done++
			case !fault.Is(err, fault.KindUnavailable):
				t.Error(err)
			}
		}
		rep := b.verify(t)
		// A writer that lost its place too often may be told to try again, but nothing may be half done.
		if rep.Broken != nil || rep.Rows != done || done < writers*each/2 {
			t.Fatalf("%d of %d done, report %+v", done, writers*each, rep)
		}
	})
}

func TestARolledBackActLeavesNoTrace(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBench(db)
		b.record(t, 1)
		stop := errors.New("stop")
		err := db.InTx(context.Background(), func(ctx context.Context) error {
			for range 3 {
				if err := b.chain.Record(ctx, audit.Entry{Action: "a.b", Object: "a:1"}); err != nil {
					return err
				}
			}
			return stop
		})
		if !errors.Is(err, stop) {
			t.Fatal(err)
		}
		b.record(t, 1)
		if rep := b.verify(t); rep.Broken != nil || rep.Rows != 2 {
			t.Fatalf("%+v", rep)
		}
	})
}

// TestUndoneMembersLeaveTheChainWhole: transactions that share a commit write several rows each, and some of
// them fail after that; the head moves past the rows that stand and no others.
func TestUndoneMembersLeaveTheChainWhole(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b, stop := newBench(db), errors.New("stop")
		var wg sync.WaitGroup
		var rows atomic.Int64
		for w := range 8 {
			wg.Go(func() {
				for i := range 12 {
					fails := (w+i)%3 == 0
					err := db.InTx(context.Background(), func(ctx context.Context) error {
						for range 1 + i%3 {
							if err := b.chain.Record(ctx, audit.Entry{Actor: fmt.Sprint("w", w), Action: "x.y", Object: fmt.Sprint("x:", i)}); err != nil {
								return err
							}
						}
						head, err := b.store.Head(ctx)
						if err != nil || head.Seq == 0 {
							return fmt.Errorf("head %d inside: %w", head.Seq, err)
						}
						if i%5 == 0 { // who reads sees what is not yet committed
							if last, err := b.store.Before(ctx, "", true, audit.Filter{}, 0, 1); err != nil || last[0].Seq != head.Seq {
								return fmt.Errorf("%+v is last before %d: %w", last, head.Seq, err)
							}
						}
						if fails {
							return stop
						}
						return nil
					})
					switch {
					case fails && !errors.Is(err, stop) && !fault.Is(err, fault.KindUnavailable), !fails && err != nil && !fault.Is(err, fault.KindUnavailable):
						t.Error(err)
					case err == nil:
						rows.Add(int64(1 + i%3))
					}
				}
			})
		}
		wg.Wait()
		if rep := b.verify(t); rep.Broken != nil || rep.Rows != rows.Load() || rep.Head.Seq != rep.Rows || rep.Rows < 40 {
			t.Fatalf("%d rows stand, report %+v", rows.Load(), rep)
		}
	})
}

// TestManyRowsOfOneAct: rows that are written by several statements stand in their order, and a transaction
// that is undone after the first of them leaves none.
func TestManyRowsOfOneAct(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b, stop := newBench(db), errors.New("stop")
		var total int64
		for _, n := range []int64{1, 2, 3, 31, 32, 33, 64, 95, 101} {
			for _, outcome := range []error{stop, nil} {
				err := db.InTx(t.Context(), func(ctx context.Context) error {
					for i := range n {
						if err := b.chain.Record(ctx, audit.Entry{Action: "x.y", Object: fmt.Sprint("x:", i)}); err != nil {
							return err
						}
					}
					if span, err := b.store.Span(ctx, "", true, audit.Filter{}); err != nil || span.Count != total+n || span.Newest != total+n {
						return fmt.Errorf("%+v of %d: %w", span, total+n, err)
					}
					return outcome
				})
				if !errors.Is(err, outcome) {
					t.Fatal(n, err)
				}
			}
			total += n
			if rep := b.verify(t); rep.Broken != nil || rep.Rows != total {
				t.Fatalf("%d rows, report %+v", total, rep)
			}
		}
	})
}

// TestTwoProgramsOneChain: what one program remembers of the chain's end was undone, and another one wrote
// a row of the same number meanwhile; the chain must hold all the same.
func TestTwoProgramsOneChain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b, other := newBench(db), newBench(db)
		b.record(t, 2)
		other.record(t, 1)
		stop := errors.New("stop")
		err := db.InTx(context.Background(), func(ctx context.Context) error {
			if err := b.chain.Record(ctx, audit.Entry{Action: "a.b", Object: "a:1"}); err != nil {
				return err
			}
			return stop
		})
		if !errors.Is(err, stop) {
			t.Fatal(err)
		}
		other.record(t, 1)
		b.record(t, 2)
		other.record(t, 2)
		if rep := b.verify(t); rep.Broken != nil || rep.Rows != 8 {
			t.Fatalf("%+v", rep)
		}
	})
}

func TestHostileTextAndOtherKey(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b, ctx := newBench(db), context.Background()
		err := db.InTx(ctx, func(ctx context.Context) error {
			return b.chain.Record(ctx, audit.Entry{Actor: "a\x00b\n2026 forged\xff" + strings.Repeat("长", 400), Action: "session.sign_in",
				Object: "person:\u2028", Outcome: audit.OutcomeRefused, Detail: map[string]any{"login": "\x00\x1b[31m\xff"}})
		})
		if err != nil {
			t.Fatal(err)
		}
		if rep := b.verify(t); rep.Broken != nil {
			t.Fatal(rep.Broken)
		}
		rows, _ := b.store.After(ctx, 0, 1)
		if len(rows[0].Actor) > 512 || strings.ContainsAny(rows[0].Actor, "\x00\n") {
			t.Fatalf("actor %q", rows[0].Actor)
		}
		other := audit.NewChain(b.store, b.clock, audit.Key{9})
		err = db.InTx(ctx, func(ctx context.Context) error { return other.Record(ctx, audit.Entry{Action: "a.b"}) })
		if !fault.HasCode(err, "audit.other_key") {
			t.Fatal(err)
		}
		rep, err := audit.Verify(ctx, b.store, audit.Key{9}, nil)
		if err != nil || !fault.HasCode(rep.Broken, "audit.other_key") {
			t.Fatal(rep, err)
		}
	})
}

func TestBookShowsEachOrganisationItsOwn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b, ctx := newBench(db), context.Background()
		b.record(t, 20)
		book := audit.NewBook(db, b.store, b.chain)
		view := []scope.Item{scope.ItemAuditView}
		sc := scope.Vendor("org-1", "p", "lin", view)
		var seen []int64
		for before, pages := int64(0), 0; ; pages++ {
			page, err := book.List(ctx, sc, audit.Filter{Action: "delivery"}, before, 4)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range page.Rows {
				if r.OrgID != "org-1" {
					t.Fatalf("saw %+v", r)
				}
				seen = append(seen, r.Seq)
			}
			if before = page.Next; before == 0 {
				break
			}
		}
		if len(seen) != 10 || seen[0] != 20 || seen[9] != 2 {
			t.Fatalf("seen %v", seen)
		}
		for _, c := range []struct {
			sc   scope.Scope
			f    audit.Filter
			want int
		}{
			{scope.System("operator"), audit.Filter{Action: "delivery"}, 20},
			{scope.System("operator"), audit.Filter{Action: "deliver"}, 0},
			{scope.System("operator"), audit.Filter{Object: "delivery:3"}, 1},
			{scope.System("operator"), audit.Filter{Action: "delivery.publish", From: start.Add(time.Second)}, 0},
			{scope.System("operator"), audit.Filter{Action: "delivery.publish", To: start.Add(time.Second), Actor: "lin"}, 20},
			{scope.System("operator"), audit.Filter{Outcome: audit.OutcomeRefused}, 0},
			{scope.Partner("org-2", "p", "x", view, nil), audit.Filter{Action: "delivery"}, 0},
		} {
			page, err := book.List(ctx, c.sc, c.f, 0, 50)
			if err != nil || len(page.Rows) != c.want {
				t.Errorf("%+v: %d rows, %v", c.f, len(page.Rows), err)
			}
		}
		for _, who := range []scope.Scope{{}, scope.Vendor("org-1", "p", "lin", nil)} {
			if _, err := book.List(ctx, who, audit.Filter{}, 0, 50); !fault.HasCode(err, "scope.permission_missing") {
				t.Error(err)
			}
		}
		page, err := book.List(ctx, sc, audit.Filter{Action: "audit.read"}, 0, 50)
		if err != nil || len(page.Rows) != 1 {
			t.Fatalf("reading is recorded once per opening: %v %v", page.Rows, err)
		}
		if rep := b.verify(t); rep.Broken != nil {
			t.Fatal(rep.Broken)
		}
	})
}
