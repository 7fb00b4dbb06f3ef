package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"huoban/internal/app"
	"huoban/internal/clock"
	"huoban/internal/coupon"
	"huoban/internal/cycle"
	"huoban/internal/foureyes"
	"huoban/internal/money"
)

// through opens the world's portal in this process at its clock, for what no command does.
func (w *world) through(fn func(ctx context.Context, a *app.App) error) {
	w.t.Helper()
	now, err := time.Parse(time.RFC3339, w.clock)
	if err != nil {
		w.t.Fatal(err)
	}
	a, err := app.Open(w.t.Context(), app.Settings{Addr: "127.0.0.1:0", Data: w.data, DB: w.db}, app.Options{Clock: clock.At(now)})
	if err != nil {
		w.t.Fatal(err)
	}
	defer a.Close()
	if err := fn(w.t.Context(), a); err != nil {
		w.t.Fatal(err)
	}
}

// grants lets somebody of the vendor grant quotas and vouchers; customers in limits are codes.
func (w *world) grants(login string, all ...coupon.GrantInput) {
	w.t.Helper()
	w.through(func(ctx context.Context, a *app.App) error {
		ctx, sc, err := a.Operator(ctx, login, "test")
		if err != nil {
			return err
		}
		for _, currency := range []string{"CNY", "USD"} { // below this one person decides alone
			if _, err := a.FourEyes.Set(ctx, sc, foureyes.SetInput{Kind: foureyes.KindQuota, Currency: currency, Amount: "1000000"}); err != nil {
				return err
			}
		}
		for _, in := range all {
			partner, err := a.Organisations.ByCode(ctx, sc, in.PartnerID)
			if err != nil {
				return err
			}
			in.PartnerID = partner.ID
			for i, code := range in.Limits.Customers {
				customer, err := a.Organisations.ByCode(ctx, sc, code)
				if err != nil {
					return err
				}
				in.Limits.Customers[i] = customer.ID
			}
			if in.Kind == "" {
				in.Kind = coupon.KindVoucher
			}
			if _, _, err := a.Coupons.Grant(ctx, sc, in); err != nil {
				return fmt.Errorf("%s %s: %w", partner.Code, in.Value, err)
			}
		}
		return nil
	})
}

// february is a voucher for a partner's bill of February, in whole units.
func february(partner string, face int64, limits coupon.Limits) coupon.GrantInput {
	return coupon.GrantInput{PartnerID: partner, Direct: true, Currency: "CNY", Value: money.Amount(face) * money.Unit, From: cycle.Cycle("2025-02").Start(cycle.Zone),
		To: cycle.Cycle("2025-06").Start(cycle.Zone), Limits: limits}
}

// aMonthVouchered gives the world of aMonthIn what pays February's bills line by line, and P1 a quota for its customers.
func (w *world) aMonthVouchered() {
	w.t.Helper()
	quota, dollars := february("P1", 1000, coupon.Limits{}), february("P1", 900, coupon.Limits{})
	quota.Direct, dollars.Currency = false, "USD"
	w.grants("anna", quota, dollars, february("P1", 500, coupon.Limits{}), february("P1", 300, coupon.Limits{Customers: []string{"C3"}}),
		february("P1", 400, coupon.Limits{Services: []string{"Product 1", "Product 2"}}), february("P1", 5000, coupon.Limits{MinOrder: 50 * money.Unit, MaxOrder: 80 * money.Unit}),
		february("D1", 700, coupon.Limits{}))
}

// TestVouchersKilled kills the server while a partner issues vouchers and takes them back, the vendor grants and
// recalls, and a bill is drafted and issued with vouchers. What was acknowledged is there once; what was not is asked
// for again with its key and counts once; every quota is what remains and what was issued less what came back.
// PORTAL_FAULT_ROUNDS=200 RUN=TestVouchersKilled scripts/faults.sh is the long form.
func TestVouchersKilled(t *testing.T) {
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			k := newKills(t, engine)
			rounds := setting("PORTAL_FAULT_ROUNDS", 1)
			known, unsure := 0, 0
			for i := range rounds {
				a, u := k.voucherRound(i)
				known, unsure = known+a, unsure+u
				if t.Failed() {
					t.FailNow()
				}
			}
			t.Logf("%s: %d rounds, %d acts on vouchers acknowledged, %d asked for again; lost 0, doubled 0", engine, rounds, known, unsure)
		})
	}
}

// act is one request that was sent and what was heard of it.
type act struct {
	who  *caller
	path string
	key  string
	form []string
	got  answer // status 0: nothing
}

// voucherRound works on vouchers with several clients until the server is killed, and again after it.
type voucherRound struct {
	t     *testing.T
	w     *world
	round int
	mu    sync.Mutex
	acts  []*act
	gone  bool // the server; whoever notices stops
}

// ask sends one request; a client stops at the first that is not answered.
func (r *voucherRound) ask(who *caller, path, key string, form ...string) (answer, bool) {
	x := &act{who: who, path: path, key: fmt.Sprintf("vouchers-%d-%s", r.round, key), form: form}
	a, err := who.send(http.MethodPost, path, x.key, form...)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.acts = append(r.acts, x)
	if err != nil {
		r.gone = true
		return a, false
	}
	x.got = a
	if a.status != http.StatusOK && a.status != http.StatusConflict && a.status != http.StatusServiceUnavailable {
		r.t.Errorf("%s: %d %.300s", path, a.status, a.body)
	}
	return a, !r.gone
}

// given is what is read of an answer.
type given struct {
	ID   string
	Rows []struct {
		ID, Amount string
		Code       string `json:"error_code"`
	}
}

// issues lets P1 issue vouchers to both of its customers and take every other back.
func (r *voucherRound) issues(client int, who *caller, quota string) {
	for i := range 80 {
		a, on := r.ask(who, "/o/P1/coupons/quotas/"+quota+"/issue", fmt.Sprintf("issue-%d-%d", client, i), "customer", "C3", "customer", "C4", "face", "7.25")
		if !on {
			return
		}
		if a.status != http.StatusOK || i%2 == 1 {
			continue
		}
		for _, row := range decode[given](r.t, []byte(a.body)).Rows {
			if row.Code != "" {
				continue
			}
			if _, on := r.ask(who, "/o/P1/coupons/"+row.ID+"/reclaim", "reclaim-"+row.ID); !on {
				return
			}
		}
	}
}

// recalls lets the vendor grant P1 vouchers for its bill and take every other back, which makes drafts stale.
func (r *voucherRound) recalls(who *caller) {
	for i := range 80 {
		a, on := r.ask(who, "/o/V/coupons/grant", fmt.Sprintf("grant-%d", i), "partner", "P1", "what", "direct", "kind", "voucher", "currency", "CNY", "value", "60.5", "begins", "2025-02-01", "ends", "2025-05-31")
		if !on {
			return
		}
		if a.status == http.StatusOK && i%2 == 0 {
			id := decode[given](r.t, []byte(a.body)).ID
			if _, on := r.ask(who, "/o/V/coupons/"+id+"/reclaim", "recall-"+id); !on {
				return
			}
		}
	}
}

// closes drafts February's bills with what vouchers there are until they can be issued.
func (r *voucherRound) closes(who *caller) {
	for try := range 20 {
		for _, step := range []string{"freeze", "draft", "review", "issue"} {
			a, on := r.ask(who, "/o/V/closes/2025-02/"+step, fmt.Sprintf("%s-%d", step, try))
			if !on || step == "issue" && a.status == http.StatusOK {
				return
			}
		}
		if _, on := r.ask(who, "/o/V/closes/2025-02/discard", fmt.Sprintf("discard-%d", try)); !on {
			return
		}
	}
}

func (k *kills) voucherRound(round int) (known, unsure int) {
	w, end := k.base.clone()
	defer end()
	quota := w.one("select id from coupon_quota")
	s := w.serve()
	paul, anna := s.signIn("paul"), s.signIn("anna")
	r := &voucherRound{t: k.base.t, w: w, round: round}
	after := 50*time.Millisecond + time.Duration(k.random.Float64()*float64(time.Second))
	timer := time.AfterFunc(after, s.kill)
	defer timer.Stop()
	var all sync.WaitGroup
	for client := range 6 {
		all.Go(func() { r.issues(client, paul, quota) })
	}
	all.Go(func() { r.recalls(anna) })
	all.Go(func() { r.closes(anna) })
	all.Wait()
	s.kill()
	again := w.serve()
	defer again.kill()
	paul.base, anna.base = again.url, again.url
	issued, failed := 0, 0
	for _, x := range r.acts {
		if x.got.status == http.StatusOK {
			known++
		} else if x.got.status != http.StatusConflict {
			unsure++
		}
		y, err := x.who.send(http.MethodPost, x.path, x.key, x.form...) // once more, whatever was heard of it
		if err != nil {
			r.t.Fatal(err)
		}
		if x.got.status == http.StatusOK && (y.status != http.StatusOK || y.body != x.got.body) {
			r.t.Errorf("killed after %v: %s %s was acknowledged:\n%s\nand is now %d\n%s\n%s", after, x.path, x.key, x.got.body, y.status, y.body, again.log)
		}
		if y.status == http.StatusOK && slices.Contains(x.form, "7.25") {
			for _, row := range decode[given](r.t, []byte(y.body)).Rows {
				if row.Code == "" {
					issued++
				} else {
					failed++
				}
			}
		}
	}
	again.kill()
	w.vouchersAddUp(issued, failed)
	if code, _, stderr := w.exec("close", "--vendor", "V", "--cycle", "2025-02", "--discard", "--issue"); code != exitDone && w.one("select state from month_close where cycle = '2025-02'") != "issued" {
		r.t.Errorf("killed after %v: the close cannot go on: %d\n%s", after, code, stderr)
	}
	w.vouchersAddUp(issued, failed)
	w.whole()
	return known, unsure
}

// vouchersAddUp wants quotas, vouchers, uses, records and states to tell the same; so many vouchers were issued to
// customers, and so many refused for want of balance.
func (w *world) vouchersAddUp(issued, failed int) {
	w.t.Helper()
	for query, want := range map[string]int{
		"select count(*) from coupon_quota where value_e8 <> balance_e8 + issued_e8 - returned_e8 or balance_e8 < 0":                                                                                                      0,
		"select count(*) from coupon where face_e8 <> balance_e8 + used_e8 + returned_e8 or balance_e8 < 0":                                                                                                               0,
		"select count(*) from coupon_quota q where issued_e8 <> (select coalesce(sum(face_e8), 0) from coupon c where c.quota_id = q.id)":                                                                                 0,
		"select count(*) from coupon_quota q where returned_e8 <> (select coalesce(sum(returned_e8), 0) from coupon c where c.quota_id = q.id)":                                                                           0,
		"select count(*) from coupon c where used_e8 <> (select coalesce(sum(amount_e8), 0) from coupon_use u where u.coupon_id = c.id and not u.drafted)":                                                                0,
		"select count(*) from coupon_use u where drafted and not exists (select 1 from bill b where b.vendor_id = u.vendor_id and b.cycle = u.cycle and b.partner_id = u.partner_id)":                                     0,
		"select count(*) from coupon where state = 'reclaimed' and (balance_e8 <> 0 or returned_e8 = 0)":                                                                                                                  0,
		"select count(*) from coupon c where 1 <> (select count(*) from coupon_record r where r.coupon_id = c.id and r.org_id = c.issuer_id and r.operation = 'issue' and r.code = '')":                                   0,
		"select count(*) from coupon c where (case when state = 'reclaimed' then 1 else 0 end) <> (select count(*) from coupon_record r where r.coupon_id = c.id and r.org_id = c.issuer_id and r.operation = 'reclaim')": 0,
		"select count(*) from coupon where level = 'customer'":                                         issued,
		"select count(*) from coupon_record where operation = 'issue' and code = 'coupon.quota_short'": failed,
	} {
		if got := w.one("select cast((" + query + ") as text)"); got != fmt.Sprint(want) {
			w.t.Errorf("%s: %s, want %d", query, got, want)
		}
	}
}
