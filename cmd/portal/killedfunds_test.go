package main

import (
	"fmt"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"huoban/internal/money"
	"huoban/internal/store"
)

// TestSpendingKilled lets 64 clients pay a bill from one balance, cent by cent, and kills the server at a random point.
// What was acknowledged is there; what was not is asked for again with its key and counts once; together they never
// spend more than there is, and the books balance. PORTAL_FAULT_ROUNDS=200 RUN=TestSpendingKilled scripts/faults.sh is
// the long form.
func TestSpendingKilled(t *testing.T) {
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			k := newKills(t, engine)
			rounds := setting("PORTAL_FAULT_ROUNDS", 1)
			known, unsure := 0, 0
			for i := range rounds {
				a, u := k.spendingRound(i)
				known, unsure = known+a, unsure+u
				if t.Failed() {
					t.FailNow()
				}
			}
			t.Logf("%s: %d rounds, %d payments acknowledged, %d asked for again; lost 0, doubled 0", engine, rounds, known, unsure)
		})
	}
}

// spenders is how many clients spend at once, and each of them tries so often: together twice what there is.
const (
	spenders = 64
	tries    = 3
)

// spent is one payment that was asked for.
type spent struct {
	key    string
	status int    // 0 = no answer
	paid   string // what was paid on the bill by then, as the answer says
}

func (k *kills) spendingRound(round int) (known, unsure int) {
	t := k.base.t
	w, end := k.base.clone()
	defer end()
	s := w.serve()
	v := s.signIn("paul")
	billID := w.one("select id from bill where cycle = '2025-01' and partner_id = (select id from organisation where code = 'P1')")
	w.topUpOne(v)
	pay := func(key string) spent {
		a, err := v.send(http.MethodPost, "/o/P1/funds/bills/"+billID+"/payment", key, "amount", "0.01")
		if err != nil {
			return spent{key: key}
		}
		x := spent{key: key, status: a.status}
		if a.status == http.StatusOK {
			x.paid = decode[struct{ Paid string }](t, []byte(a.body)).Paid
		} else if a.status != http.StatusConflict && a.status != http.StatusServiceUnavailable {
			t.Errorf("a payment: %d %.300s", a.status, a.body)
		}
		return x
	}
	after := 50*time.Millisecond + time.Duration(k.random.Float64()*float64(1200*time.Millisecond))
	timer := time.AfterFunc(after, s.kill)
	defer timer.Stop()
	asked := make([]spent, spenders*tries)
	var all sync.WaitGroup
	for i := range spenders {
		all.Go(func() {
			for j := range tries {
				asked[i*tries+j] = pay(fmt.Sprintf("spend-%d-%d-%d", round, i, j))
			}
		})
	}
	all.Wait()
	s.kill()
	again := w.serve()
	defer again.kill()
	v.base = again.url
	paid := 0
	for i := range asked {
		x := &asked[i]
		switch x.status {
		case http.StatusOK:
			known++
		case 0, http.StatusServiceUnavailable:
			unsure++
		}
		y := pay(x.key) // once more, whatever was heard of it
		if x.status == http.StatusOK && (y.status != http.StatusOK || y.paid != x.paid) {
			t.Errorf("killed after %v: %s was acknowledged with %s paid, and is now %d %s\n%s", after, x.key, x.paid, y.status, y.paid, again.log)
		}
		if y.status == http.StatusOK {
			paid++
		}
	}
	again.kill()
	w.spentCents(paid)
	w.whole()
	return known, unsure
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

// spentCents wants exactly so many payments of a cent, on the bill, in the balance and in the entries.
func (w *world) spentCents(n int) {
	w.t.Helper()
	cent := int64(money.Unit / 100)
	for query, want := range map[string]int64{
		"select cast(count(*) as text) from ledger_entry where detail = 'writeoff'":                                                                    int64(n),
		"select cast(coalesce(sum(paid_e8), 0) as text) from bill_payment":                                                                             int64(n) * cent,
		"select cast(balance_e8 as text) from ledger_account where kind = 'balance' and partner_id is not null":                                        int64(money.Unit) - int64(n)*cent,
		"select cast(sum(amount_e8) as text) from ledger_line":                                                                                         0,
		"select cast(count(*) as text) from ledger_account a where balance_e8 <> (select sum(amount_e8) from ledger_line l where l.account_id = a.id)": 0,
	} {
		if got := w.one(query); got != fmt.Sprint(want) {
			w.t.Errorf("%s: %s, want %d", query, got, want)
		}
	}
	if n > 100 {
		w.t.Errorf("%d payments from a hundred cents", n)
	}
}
