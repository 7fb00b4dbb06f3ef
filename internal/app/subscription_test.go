package app

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"huoban/internal/account"
	"huoban/internal/attribution"
	"huoban/internal/cycle"
	"huoban/internal/delivery"
	"huoban/internal/fault"
	"huoban/internal/monthclose"
	"huoban/internal/outbox"
	"huoban/internal/source"
	"huoban/internal/subscription"
)

// receiver is a webhook that keeps what it accepted; refuse says what it answers to the n-th request.
type receiver struct {
	mu     sync.Mutex
	heard  int
	bodies map[string]string // by dispatch
	files  map[string]string
	refuse func(n int) int
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.heard++
	body, err := io.ReadAll(q.Body)
	if status := r.refuse(r.heard); err != nil || status != 0 {
		w.WriteHeader(status)
		return
	}
	r.bodies[q.Header.Get("X-Huoban-Delivery")], r.files[q.Header.Get("X-Huoban-Delivery")] = string(body), q.Header.Get("X-Huoban-File")
}

// consumed brings a month of two customers of P and closes it.
func (g *growing) consumed(name string, month cycle.Cycle, lines string) {
	g.t.Helper()
	path := filepath.Join(g.t.TempDir(), name+".csv")
	head := "line_id,cycle,charge_start,product,category,currency,billed,list,sub_account\n"
	if err := os.WriteFile(path, []byte(head+lines), 0o600); err != nil {
		g.t.Fatal(err)
	}
	if _, err := g.a.Deliveries.Import(g.ctx, g.op, delivery.Input{Source: name, Paths: []string{path}, Final: delivery.FinalMark{Cycles: []cycle.Cycle{month}}}); err != nil {
		g.t.Fatal(err)
	}
}

func (g *growing) source(name string) {
	g.t.Helper()
	if _, err := g.a.Sources.Add(g.ctx, g.op, source.AddInput{Vendor: "V", Name: name, Dialect: "huoban", Zone: "+08:00"}); err != nil {
		g.t.Fatal(err)
	}
	rules := "source,key,customer,partner,association,valid_from,valid_to\n" + name + ",a1,C1,P,resale,,\n" + name + ",a2,C2,P,referral,,\n"
	if _, err := g.a.Attribution.Import(g.ctx, g.op, attribution.ImportInput{File: strings.NewReader(rules)}); err != nil {
		g.t.Fatal(err)
	}
}

func (g *growing) issue(month cycle.Cycle) {
	g.t.Helper()
	v, err := g.a.Organisations.ByCode(g.ctx, g.op, "V")
	if err != nil {
		g.t.Fatal(err)
	}
	if _, err := g.a.Closes.Run(g.ctx, g.op, monthclose.Input{VendorID: v.ID, Cycle: month, Issue: true}); err != nil {
		g.t.Fatal(err)
	}
}

// work does the jobs that are ready.
func (g *growing) work() {
	g.t.Helper()
	if _, err := g.a.Subscriptions.Scan(g.ctx); err != nil {
		g.t.Fatal(err)
	}
	for _, w := range []*outbox.Worker{g.a.Worker, g.a.Courier} {
		if err := w.Drain(g.ctx); err != nil {
			g.t.Fatal(err)
		}
	}
}

// TestSubscription: a file is made when its month is issued, carried until it is accepted, sent again with the same
// bytes under the same number, and made anew when the data of the month are others.
func TestSubscription(t *testing.T) {
	eachGrowing(t, func(g *growing) {
		r := &receiver{bodies: map[string]string{}, files: map[string]string{}, refuse: func(n int) int {
			if n <= 3 {
				return http.StatusInternalServerError
			}
			return 0
		}}
		srv := httptest.NewServer(r)
		defer srv.Close()
		g.person("P", "P-finance", account.RoleFinance)
		admin, finance := g.as("P-admin"), g.as("P-finance")
		in := subscription.Input{Name: "files", Kind: subscription.KindWebhook, Address: srv.URL, Secret: "0123456789abcdef", Content: subscription.ContentLines, Format: subscription.FormatCSV, FirstCycle: "2026-09"}
		if _, err := g.a.Subscriptions.Add(g.ctx, g.as("P-cm"), in); !fault.Is(err, fault.KindDenied) {
			t.Errorf("a 客户经理 subscribes: %v", err)
		}
		x, err := g.a.Subscriptions.Add(g.ctx, finance, in)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(x.Sealed, []byte(in.Secret)) || x.Hint != "cdef" {
			t.Errorf("the secret is kept as %q, shown as %q", x.Sealed, x.Hint)
		}
		if _, err := g.a.Subscriptions.ByID(g.ctx, g.as("Q-admin"), x.ID); !fault.Is(err, fault.KindNotFound) {
			t.Errorf("a stranger finds it: %v", err)
		}
		g.source("own")
		g.consumed("own", "2026-09", "1,2026-09,2026-09-03,ECS,usage,CNY,10.5,11,a1\n2,2026-09,2026-09-04,OBS,usage,CNY,0.00000001,1,a2\n3,2026-09,2026-09-05,ECS,usage,USD,7,7,a2\n")
		if g.work(); r.heard != 0 {
			t.Error("a file before the month was issued")
		}
		g.issue("2026-09")
		for range 6 {
			g.work()
			g.later(time.Minute)
		}
		list, err := g.a.Subscriptions.Dispatches(g.ctx, admin, x.ID)
		if err != nil || len(list) != 2 || r.heard != 5 {
			t.Fatalf("%d dispatches after %d requests, %v", len(list), r.heard, err)
		}
		for _, d := range list {
			if d.State != subscription.DispatchDelivered || d.No != 1 || r.files[d.ID] != d.FileName || int64(len(r.bodies[d.ID])) != d.Bytes {
				t.Errorf("%+v: %q", d, r.bodies[d.ID])
			}
			if d.Currency == "CNY" && (d.Amount != "10.50000001" || strings.Count(r.bodies[d.ID], "\n") != 3 || !strings.Contains(r.bodies[d.ID], ",C2,") || strings.Contains(r.bodies[d.ID], "C1 Ltd")) {
				t.Errorf("%+v: %q", d, r.bodies[d.ID])
			}
		}
		g.resent(r, x, list[0])
		g.further(r, x)
	})
}

// resent: the same bytes under the same number.
func (g *growing) resent(r *receiver, x subscription.Subscription, d subscription.Dispatch) {
	t := g.t
	before := r.bodies[d.ID]
	delete(r.bodies, d.ID)
	if _, err := g.a.Subscriptions.Resend(g.ctx, g.as("Q-admin"), x.ID, d.ID); !fault.Is(err, fault.KindNotFound) {
		t.Errorf("a stranger resends: %v", err)
	}
	if _, err := g.a.Subscriptions.Resend(g.ctx, g.as("P-admin"), x.ID, d.ID); err != nil {
		t.Fatal(err)
	}
	if g.work(); r.bodies[d.ID] != before {
		t.Errorf("sent again: %q, was %q", r.bodies[d.ID], before)
	}
	if _, err := g.a.Subscriptions.Do(g.ctx, g.as("P-admin"), x.ID, subscription.ActionPause); err != nil {
		t.Fatal(err)
	}
	_, err := g.a.Subscriptions.Resend(g.ctx, g.as("P-admin"), x.ID, d.ID)
	g.refused("while it is off", err, "subscription.is_off")
	if _, err := g.a.Subscriptions.Do(g.ctx, g.as("P-admin"), x.ID, subscription.ActionResume); err != nil {
		t.Fatal(err)
	}
}

// further: other content makes further versions, the same data none; three days without acceptance are the end, and an
// ended subscription has no secret.
func (g *growing) further(r *receiver, x subscription.Subscription) {
	t, admin := g.t, g.as("P-admin")
	heard := r.heard
	if g.work(); r.heard != heard {
		t.Error("the same data were sent twice")
	}
	in := subscription.Input{Name: "sums", Kind: subscription.KindWebhook, Address: x.Address, Content: subscription.ContentSummary, Format: subscription.FormatGzip, FirstCycle: "2026-09"}
	if _, err := g.a.Subscriptions.Change(g.ctx, admin, x.ID, in); err != nil {
		t.Fatal(err)
	}
	r.refuse = func(int) int { return http.StatusTooManyRequests }
	for range 80 {
		g.work()
		g.later(time.Hour + time.Minute)
	}
	list, err := g.a.Subscriptions.Dispatches(g.ctx, admin, x.ID)
	if err != nil || len(list) != 4 {
		t.Fatalf("%d dispatches, %v", len(list), err)
	}
	failed := 0
	for i := range list {
		d := &list[i]
		if d.State != subscription.DispatchFailed {
			continue
		}
		tries, err := g.a.Subscriptions.Tries(g.ctx, d)
		if failed++; err != nil || d.No != 2 || int64(len(tries)) != d.Tries || d.Tries < 60 || tries[0].Status != http.StatusTooManyRequests {
			t.Errorf("%+v after %d tries, %v", d, len(tries), err)
		}
	}
	if failed != 2 {
		t.Errorf("%d dispatches failed", failed)
	}
	if n, err := g.a.Messages.Unread(g.ctx, admin); err != nil || n == 0 {
		t.Errorf("%d messages, %v", n, err)
	}
	if _, err := g.a.Subscriptions.Do(g.ctx, admin, x.ID, subscription.ActionEnd); err != nil {
		t.Fatal(err)
	}
	if kept, err := g.a.Subscriptions.Store.ByID(g.ctx, x.ID); err != nil || len(kept.Sealed) != 0 || kept.Hint != "" {
		t.Errorf("an ended one keeps %q, %v", kept.Sealed, err)
	}
}
