package main

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"huoban/internal/money"
	"huoban/internal/store"
)

// TestSpendingKilled lets 64 clients pay a bill from one balance and give vouchers from one quota, cent by cent, and kills
// the server after a random number of answers. What was acknowledged is there; what was not is asked for again with its key and counts
// once; together they never spend more than there is, and the books balance.
// PORTAL_FAULT_ROUNDS=200 RUN=TestSpendingKilled scripts/faults.sh is the long form.
func TestSpendingKilled(t *testing.T) {
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			k := newKills(t, engine)
			rounds := setting("PORTAL_FAULT_ROUNDS", 1)
			var all tally
			for i := range rounds {
				one := k.spendingRound(i)
				all.paid, all.given, all.refused, all.unsure = all.paid+one.paid, all.given+one.given, all.refused+one.refused, all.unsure+one.unsure
				if t.Failed() {
					t.FailNow()
				}
			}
			t.Logf("%s: %d rounds, acknowledged %d payments, %d vouchers and %d refusals, asked for again %d; lost 0, doubled 0", engine, rounds, all.paid, all.given, all.refused, all.unsure)
		})
	}
}

// tally counts what the clients heard before the kill.
type tally struct{ paid, given, refused, unsure int }

// spenders is how many clients spend at once; each tries so often to pay and so often to give: together twice what there is.
const (
	spenders = 64
	tries    = 3
)

// spending is one of the two ways in which a cent goes.
type spending struct {
	path string
	form []string
	done func(body string) bool // whether an answer says that it went
}

// spent is one cent that was asked for.
type spent struct {
	key    string
	status int // 0 = no answer
	went   bool
	body   string
}

// try asks for one cent. What is refused for lack of money is answered as well as what is done.
func (v *caller) try(t *testing.T, x *spending, key string) spent {
	a, err := v.send(http.MethodPost, x.path, key, x.form...)
	if err != nil {
		return spent{key: key}
	}
	if a.status != http.StatusOK && a.status != http.StatusConflict && a.status != http.StatusServiceUnavailable {
		t.Errorf("%s: %d %.300s", x.path, a.status, a.body)
	}
	return spent{key: key, status: a.status, went: a.status == http.StatusOK && x.done(a.body), body: a.body}
}

func (k *kills) spendingRound(round int) tally {
	t := k.base.t
	w, end := k.base.clone()
	defer end()
	s := w.serve()
	v := s.signIn("paul")
	billID := w.one("select id from bill where cycle = '2025-01' and partner_id = (select id from organisation where code = 'P1')")
	w.topUpOne(v)
	quotaID := w.grantOne(s.signIn("anna"))
	ways := [2]spending{
		{"/o/P1/funds/bills/" + billID + "/payment", []string{"amount", "0.01"}, func(string) bool { return true }},
		{"/o/P1/coupons/quotas/" + quotaID + "/issue", []string{"customer", "C3", "face", "0.01"}, func(body string) bool { return !strings.Contains(body, "error_code") }},
	}
	asked := make([]spent, spenders*tries*len(ways))
	after := int64(1 + k.random.IntN(len(asked)*3/4)) // so many answers, and then a moment, in which all clients wait for one
	moment := time.Duration(k.random.Float64() * float64(5*time.Millisecond))
	var answered atomic.Int64
	var all sync.WaitGroup
	for i := range spenders {
		all.Go(func() {
			for j := range tries * len(ways) {
				asked[i*tries*len(ways)+j] = v.try(t, &ways[(i+j)%len(ways)], fmt.Sprintf("spend-%d-%d-%d", round, i, j))
				if answered.Add(1) == after {
					time.AfterFunc(moment, s.kill)
				}
			}
		})
	}
	all.Wait()
	s.kill()
	again := w.serve()
	defer again.kill()
	v.base = again.url
	var heard tally
	var gone [len(ways)]int
	for i := range asked {
		x, way := &asked[i], (i/(tries*len(ways))+i%(tries*len(ways)))%len(ways)
		heard.add(x, way)
		y := v.try(t, &ways[way], x.key) // once more, whatever was heard of it
		if x.status == http.StatusOK && (y.status != http.StatusOK || y.body != x.body) {
			t.Errorf("killed after %d answers: %s was acknowledged with %s, and is now %d %s\n%s", after, x.key, x.body, y.status, y.body, again.log)
		}
		if y.went {
			gone[way]++
		}
	}
	again.kill()
	w.spentCents(gone[0], gone[1], quotaID)
	w.whole()
	return heard
}

func (c *tally) add(x *spent, way int) {
	switch {
	case x.status == 0 || x.status == http.StatusServiceUnavailable:
		c.unsure++
	case !x.went:
		c.refused++
	case way == 0:
		c.paid++
	default:
		c.given++
	}
}

// topUpOne brings one unit of money in, which pays a hundred times.
func (w *world) topUpOne(v *caller) {
	w.t.Helper()
	a, err := v.send(http.MethodPost, "/o/P1/funds/top-ups", "top", "vendor", "V", "currency", "CNY", "amount", "1", "channel", "simulator")
	if err != nil || a.status != http.StatusOK {
		w.t.Fatalf("a top-up: %v %d %.300s", err, a.status, a.body)
	}
	at := "/o/P1/funds/top-ups/" + decode[struct{ ID string }](w.t, []byte(a.body)).ID
	for _, step := range [][]string{{"/payment"}, {"/simulation", "outcome", "paid"}, {"/simulation", "outcome", "paid"}} { // told twice, credited once
		if a, err = v.send(http.MethodPost, at+step[0], "", step[1:]...); err != nil || a.status != http.StatusOK {
			w.t.Fatalf("%s: %v %d %.300s", step[0], err, a.status, a.body)
		}
	}
}

// grantOne gives the partner a quota of one unit of money, of which a hundred vouchers can be cut.
func (w *world) grantOne(v *caller) (quotaID string) {
	w.t.Helper()
	a, err := v.send(http.MethodPost, "/o/V/coupons/grant", "grant", "partner", "P1", "what", "quota", "kind", "voucher", "currency", "CNY", "value", "1", "begins", "2025-03-01", "ends", "2025-12-31")
	if err != nil || a.status != http.StatusOK {
		w.t.Fatalf("a quota: %v %d %.300s", err, a.status, a.body)
	}
	return decode[struct{ ID string }](w.t, []byte(a.body)).ID
}

// one reads one value of the world's database as text.
func (w *world) one(query string) (value string) {
	w.t.Helper()
	target := w.db
	if target == "" {
		target = filepath.Join(w.data, "portal.db")
	}
	db, err := store.Open(w.t.Context(), target)
	if err != nil {
		w.t.Fatal(err)
	}
	defer db.Close()
	if err := db.Row(w.t.Context(), store.Query{Name: "test", Text: query}, "none", nil, &value); err != nil {
		w.t.Fatal(err)
	}
	return value
}

// spentCents wants exactly so many payments of a cent, on the bill, in the balance and in the entries, and so many vouchers
// of a cent, with their records and out of the quota.
func (w *world) spentCents(paid, given int, quotaID string) {
	w.t.Helper()
	cent := int64(money.Unit / 100)
	its := " quota_id = '" + quotaID + "'"
	for query, want := range map[string]int64{
		"select cast(count(*) as text) from ledger_entry where detail = 'writeoff'":                                                                    int64(paid),
		"select cast(coalesce(sum(paid_e8), 0) as text) from bill_payment":                                                                             int64(paid) * cent,
		"select cast(balance_e8 as text) from ledger_account where kind = 'balance' and partner_id is not null":                                        int64(money.Unit) - int64(paid)*cent,
		"select cast(sum(amount_e8) as text) from ledger_line":                                                                                         0,
		"select cast(count(*) as text) from ledger_account a where balance_e8 <> (select sum(amount_e8) from ledger_line l where l.account_id = a.id)": 0,
		"select cast(count(distinct number) as text) from coupon where" + its:                                                                          int64(given),
		"select cast(coalesce(sum(balance_e8), 0) as text) from coupon where face_e8 = balance_e8 and" + its:                                           int64(given) * cent,
		"select cast(count(*) as text) from coupon_record where code = '' and coupon_id in (select id from coupon where" + its + ")":                   int64(given),
		"select cast(balance_e8 as text) from coupon_quota where id = '" + quotaID + "'":                                                               int64(money.Unit) - int64(given)*cent,
		"select cast(issued_e8 as text) from coupon_quota where id = '" + quotaID + "'":                                                                int64(given) * cent,
	} {
		if got := w.one(query); got != fmt.Sprint(want) {
			w.t.Errorf("%s: %s, want %d", query, got, want)
		}
	}
	if paid > 100 || given > 100 {
		w.t.Errorf("%d payments and %d vouchers from a hundred cents each", paid, given)
	}
}
