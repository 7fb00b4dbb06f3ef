package exportstore_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/export"
	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/message"
	"huoban/internal/outbox"
	"huoban/internal/scope"
	"huoban/internal/store"
	"huoban/internal/store/auditstore"
	"huoban/internal/store/exportstore"
	"huoban/internal/store/flowstore"
	"huoban/internal/store/jobstore"
	"huoban/internal/store/messagestore"
	"huoban/internal/store/storetest"
)

var (
	start = time.Date(2026, 11, 5, 4, 0, 0, 0, time.UTC)
	own   = []scope.Item{scope.ItemExportOwn}
	lin   = scope.Partner("P1", "lin", "lin", own, nil)
	chen  = scope.Partner("P1", "chen", "chen", own, nil)
	admin = scope.Partner("P1", "wang", "wang", []scope.Item{scope.ItemExportOwn, scope.ItemExportAll}, nil)
)

type scopes map[string]scope.Scope

func (s scopes) ScopeOf(_ context.Context, _, personID string) (scope.Scope, error) {
	sc, ok := s[personID]
	if !ok {
		return scope.Scope{}, fault.Denied("scope.permission_missing", fault.Args{"item": ""})
	}
	return sc, nil
}

type bench struct {
	db      *store.DB
	clock   *clock.Fixed
	service *export.Service
	worker  *outbox.Worker
	timer   *flow.Timer
	bell    *message.Box
	log     *flowstore.Store
	audit   *auditstore.Store
	store   *exportstore.Store
	scopes  scopes
}

func newBench(db *store.DB, produce export.Producer) *bench {
	c := clock.At(start)
	b := &bench{db: db, clock: c, bell: message.New(db, messagestore.New(db), c), log: flowstore.New(db), audit: auditstore.New(db),
		store: exportstore.New(db), scopes: scopes{"lin": lin}}
	jobs := jobstore.New(db)
	b.service = export.New(export.Deps{Tx: db, Store: b.store, Log: b.log, Jobs: outbox.NewQueue(jobs, c),
		Audit: audit.NewChain(b.audit, c, audit.Key{1}), Bell: b.bell, Scopes: b.scopes, Clock: c})
	b.service.Register("lines", produce)
	b.worker = outbox.NewWorker(db, jobs, c, nil)
	b.worker.Handle(export.KindRun, b.service.Handler())
	b.timer = flow.NewTimer(db, b.log, c, map[string]flow.FireDue{"export": b.service.FireDue})
	return b
}

func (b *bench) request(t *testing.T, sc scope.Scope) export.Task {
	t.Helper()
	task, err := b.service.Request(context.Background(), sc, export.Request{Kind: "lines", Format: "csv", Params: map[string]string{"cycle": "2026-10"}})
	if err != nil {
		t.Fatal(err)
	}
	return task
}

func (b *bench) state(t *testing.T, id string, want export.State) export.Task {
	t.Helper()
	task, err := b.store.ByID(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	if task.State != want {
		t.Fatalf("state %s, want %s: %+v", task.State, want, task)
	}
	return task
}

// big is a file of several pieces whose last one is not full.
var big = bytes.Repeat([]byte("2026-10,示例,1.23\r\n"), 50_000)

func writeBig(_ context.Context, sc scope.Scope, t export.Task, w io.Writer) (export.Produced, error) {
	for rest := big; len(rest) > 0; {
		n := min(len(rest), 33_333)
		if _, err := w.Write(rest[:n]); err != nil {
			return export.Produced{}, err
		}
		rest = rest[n:]
	}
	return export.Produced{FileName: sc.Login() + "." + t.Format, ContentType: "text/csv", Rows: 50_000}, nil
}

func TestFromRequestToExpiry(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, b := context.Background(), newBench(db, writeBig)
		task := b.request(t, lin)
		if _, _, err := b.service.Open(ctx, lin, task.ID); !fault.HasCode(err, "export.not_ready") {
			t.Fatal(err)
		}
		if err := b.worker.Drain(ctx); err != nil {
			t.Fatal(err)
		}
		done := b.state(t, task.ID, export.StateDone)
		sum := sha256.Sum256(big)
		if done.Bytes != int64(len(big)) || done.SHA != hex.EncodeToString(sum[:]) || done.FileName != "lin.csv" || done.Rows != 50_000 ||
			!done.ExpiresAt.Equal(start.AddDate(0, 0, 7)) || string(done.Params) != `{"cycle":"2026-10"}` {
			t.Fatalf("%+v", done)
		}
		_, file, err := b.service.Open(ctx, lin, task.ID)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(file); err != nil || !bytes.Equal(got, big) {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
		if n, _ := b.bell.Unread(ctx, lin); n != 1 {
			t.Fatalf("%d messages", n)
		}
		b.clock.Set(start.AddDate(0, 0, 7).Add(-time.Second))
		if n, err := b.timer.Tick(ctx); n != 0 || err != nil {
			t.Fatal("expired early", n, err)
		}
		b.clock.Set(start.AddDate(0, 0, 7))
		if _, _, err := b.service.Open(ctx, lin, task.ID); !fault.HasCode(err, "export.expired") {
			t.Fatal("open between the deadline and the job", err)
		}
		if n, err := b.timer.Tick(ctx); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		b.state(t, task.ID, export.StateExpired)
		if _, err := b.store.Piece(ctx, task.ID, 0); !fault.HasCode(err, "export.piece_missing") {
			t.Fatal("the file is still there", err)
		}
		if n, err := b.timer.Tick(ctx); n != 0 || err != nil {
			t.Fatal(n, err)
		}
		history := ""
		changes, _ := b.log.History(ctx, "export", task.ID)
		for _, c := range changes {
			history += fmt.Sprintf("%s>%s by %s; ", c.Action, c.To, c.Actor)
		}
		if history != "begin>processing by lin; complete>done by system; expire>expired by system; " {
			t.Fatal(history)
		}
		rep, err := audit.Verify(ctx, b.audit, audit.Key{1}, nil)
		if err != nil || rep.Broken != nil || rep.Rows != 4 {
			t.Fatalf("%+v %v", rep, err)
		}
	})
}

func TestOthersSeeNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, b := context.Background(), newBench(db, writeBig)
		task := b.request(t, lin)
		operators := b.request(t, scope.System("operator"))
		if err := b.worker.Drain(ctx); err != nil {
			t.Fatal(err)
		}
		b.state(t, operators.ID, export.StateDone)
		for _, who := range []scope.Scope{chen, scope.Partner("P2", "lin", "lin", own, nil), scope.Partner("P1", "lin", "lin", nil, nil), {}} {
			if _, err := b.service.ByID(ctx, who, task.ID); !fault.HasCode(err, "export.unknown") {
				t.Error(err)
			}
			if _, _, err := b.service.Open(ctx, who, task.ID); !fault.HasCode(err, "export.unknown") {
				t.Error(err)
			}
			if _, err := b.service.Retry(ctx, who, task.ID); !fault.HasCode(err, "export.unknown") {
				t.Error(err)
			}
			if p, err := b.service.List(ctx, who, export.Cursor{}, 10); err != nil || len(p.Tasks) != 0 {
				t.Error(p, err)
			}
		}
		if _, err := b.service.ByID(ctx, lin, operators.ID); !fault.HasCode(err, "export.unknown") {
			t.Error("a person sees the operator's task", err)
		}
		for _, c := range []struct {
			who  scope.Scope
			want int
		}{{lin, 1}, {scope.System("operator"), 2}, {admin, 1}, {scope.Partner("P2", "li", "li", []scope.Item{scope.ItemExportAll}, nil), 0}} {
			if p, err := b.service.List(ctx, c.who, export.Cursor{}, 10); err != nil || len(p.Tasks) != c.want {
				t.Error(c.who.Login(), p, err)
			}
		}
		if _, _, err := b.service.Open(ctx, admin, task.ID); err != nil {
			t.Error("who may see all exports cannot", err)
		}
		if n := b.service.Actions(admin, export.Task{ID: "x", OrgID: "P1", PersonID: "lin", State: export.StateFailed}); n[0].Enabled {
			t.Error("retried somebody else's export")
		}
		if _, err := b.service.Request(ctx, scope.Partner("P1", "lin", "lin", nil, nil), export.Request{Kind: "lines", Format: "csv"}); !fault.HasCode(err, "scope.permission_missing") {
			t.Error(err)
		}
		if _, err := b.service.Request(ctx, scope.Scope{}, export.Request{Kind: "lines", Format: "csv"}); !fault.HasCode(err, "export.nobody") {
			t.Error(err)
		}
		if _, err := b.service.Request(ctx, lin, export.Request{Kind: "all", Format: "csv"}); !fault.HasCode(err, "export.kind_unknown") {
			t.Error(err)
		}
		if _, err := b.service.Request(ctx, lin, export.Request{Kind: "lines", Format: "exe"}); !fault.HasCode(err, "export.format_unknown") {
			t.Error(err)
		}
	})
}

func TestFailAndRetry(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, runs := context.Background(), 0
		b := newBench(db, func(ctx context.Context, sc scope.Scope, t export.Task, w io.Writer) (export.Produced, error) {
			if runs++; runs <= 3 {
				_, _ = w.Write(big) // half a file is never seen
				return export.Produced{}, errors.New("disk")
			}
			return writeBig(ctx, sc, t, w)
		})
		task := b.request(t, lin)
		for range 3 {
			if err := b.worker.Drain(ctx); err != nil {
				t.Fatal(err)
			}
			b.clock.Set(b.clock.Now().Add(10 * time.Minute))
		}
		if failed := b.state(t, task.ID, export.StateFailed); failed.Failure != "internal" || runs != 3 {
			t.Fatalf("%d runs, %+v", runs, failed)
		}
		if _, err := b.store.Piece(ctx, task.ID, 0); !fault.HasCode(err, "export.piece_missing") {
			t.Fatal("a failed file is kept", err)
		}
		buttons := b.service.Actions(lin, b.state(t, task.ID, export.StateFailed))
		if len(buttons) != 1 || !buttons[0].Enabled || buttons[0].Label() != "export.action.retry" {
			t.Fatalf("%+v", buttons)
		}
		if _, err := b.service.Retry(ctx, lin, task.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := b.service.Retry(ctx, lin, task.ID); !fault.HasCode(err, "flow.not_from_state") {
			t.Fatal(err)
		}
		if err := b.worker.Drain(ctx); err != nil {
			t.Fatal(err)
		}
		b.state(t, task.ID, export.StateDone)
		if n, _ := b.bell.Unread(ctx, lin); n != 2 {
			t.Fatalf("%d messages", n)
		}
	})
}

func TestALostRightFailsAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, b := context.Background(), newBench(db, writeBig)
		task := b.request(t, lin)
		delete(b.scopes, "lin")
		if err := b.worker.Drain(ctx); err != nil {
			t.Fatal(err)
		}
		if failed := b.state(t, task.ID, export.StateFailed); failed.Failure != "scope.permission_missing" {
			t.Fatalf("%+v", failed)
		}
	})
}

func TestAnAbandonedTaskFailsInTheEnd(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, b := context.Background(), newBench(db, writeBig)
		task := b.request(t, lin) // no worker ever runs
		b.clock.Set(start.AddDate(0, 0, 1))
		if n, err := b.timer.Tick(ctx); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		if failed := b.state(t, task.ID, export.StateFailed); failed.Failure != "export.timed_out" {
			t.Fatalf("%+v", failed)
		}
		if err := b.worker.Drain(ctx); err != nil { // the job comes late and does nothing
			t.Fatal(err)
		}
		b.state(t, task.ID, export.StateFailed)
	})
}

func TestListPages(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, b := context.Background(), newBench(db, writeBig)
		for i := range 7 {
			b.request(t, lin)
			if i%2 == 0 {
				b.clock.Set(b.clock.Now().Add(time.Second))
			}
		}
		seen := map[string]bool{}
		for cursor := (export.Cursor{}); ; {
			p, err := b.service.List(ctx, lin, cursor, 3)
			if err != nil {
				t.Fatal(err)
			}
			for _, task := range p.Tasks {
				if seen[task.ID] {
					t.Fatal("seen twice")
				}
				seen[task.ID] = true
			}
			if p.Next == nil {
				break
			}
			cursor = *p.Next
		}
		if len(seen) != 7 {
			t.Fatalf("saw %d", len(seen))
		}
	})
}
