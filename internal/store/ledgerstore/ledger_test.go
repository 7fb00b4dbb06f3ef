package ledgerstore_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/ledger"
	"huoban/internal/money"
	"huoban/internal/scope"
	"huoban/internal/store"
	"huoban/internal/store/auditstore"
	"huoban/internal/store/ledgerstore"
	"huoban/internal/store/storetest"
)

var (
	noon  = time.Date(2026, 10, 5, 4, 0, 0, 0, time.UTC)
	yuan  = money.Unit
	items = []scope.Item{scope.ItemFundsView, scope.ItemLedgerView}
	alice = scope.Partner("P", "alice", "alice", items, nil)
	dora  = scope.Partner("D", "dora", "dora", items, []string{"R"})
	chen  = scope.Vendor("V", "chen", "chen", items)
	carl  = scope.Customer("c1", "carl", "carl", nil)
)

type world struct {
	t       *testing.T
	db      *store.DB
	clock   *clock.Fixed
	service *ledger.Service
}

// newWorld has vendors V and W, solution partner P, distributor D with reseller R, and the customers c1 and c2.
func newWorld(t *testing.T, db *store.DB) *world {
	w := &world{t: t, db: db, clock: clock.At(noon)}
	insert := store.Query{Name: "test.org", Text: "INSERT INTO organisation (id, code, kind, name, parent_id, created_at) VALUES ($1, $2, $3, $4, $5, $6)"}
	w.in(func(ctx context.Context) error {
		for _, o := range [][3]string{{"V", "vendor", ""}, {"W", "vendor", ""}, {"P", "solution", ""}, {"D", "distributor", ""}, {"R", "reseller", "D"}, {"c1", "customer", ""}, {"c2", "customer", ""}} {
			var parent any
			if o[2] != "" {
				parent = o[2]
			}
			if _, err := db.Exec(ctx, insert, o[0], strings.ToUpper(o[0]), o[1], o[0], parent, store.At(noon)); err != nil {
				return err
			}
		}
		deals := store.Query{Name: "test.deal", Text: "INSERT INTO partnership (vendor_id, partner_id, entity_id, created_at) VALUES ('V', $1, NULL, $2)"}
		for _, partner := range []string{"P", "D"} {
			if _, err := db.Exec(ctx, deals, partner, store.At(noon)); err != nil {
				return err
			}
		}
		return nil
	})
	w.service = &ledger.Service{Store: ledgerstore.New(db), Tx: db, Clock: w.clock, Audit: audit.NewChain(auditstore.New(db), w.clock, audit.Key{1})}
	return w
}

func (w *world) in(fn func(ctx context.Context) error) {
	w.t.Helper()
	if err := w.db.InTx(context.Background(), fn); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) post(e ledger.Entry) {
	w.t.Helper()
	if _, err := w.service.Post(context.Background(), e); err != nil {
		w.t.Fatal(err)
	}
}

func topUp(partner, key string, amount money.Amount) ledger.Entry {
	return ledger.Entry{VendorID: "V", Type: ledger.TypeRecharge, Detail: ledger.DetailRecharge, Key: key, Reference: "top_up:" + key, Number: "N-" + key, Actor: "alice",
		Lines: []ledger.Line{{Account: ledger.Of("V", partner, ledger.KindBalance, "CNY"), Amount: amount}, {Account: ledger.Counter("V", ledger.KindBank, "CNY"), Amount: -amount}}}
}

func spend(partner, key string, amount money.Amount) ledger.Entry {
	return ledger.Entry{VendorID: "V", Type: ledger.TypeDeduct, Detail: ledger.DetailDeduct, Key: key, Reference: "bill:" + key, Actor: "system",
		Lines: []ledger.Line{{Account: ledger.Of("V", partner, ledger.KindBalance, "CNY"), Amount: -amount}, {Account: ledger.Counter("V", ledger.KindSettled, "CNY"), Amount: amount}}}
}

func give(partner, customer, key string, amount money.Amount) ledger.Entry {
	return ledger.Entry{VendorID: "V", Type: ledger.TypeAllocate, Detail: ledger.DetailAllocate, Key: key, CustomerID: customer, Actor: "alice",
		Lines: []ledger.Line{{Account: ledger.Of("V", partner, ledger.KindBalance, "CNY"), Amount: -amount}, {Account: ledger.With("V", partner, customer, "CNY"), Amount: amount}}}
}

func (w *world) sound(vendor string) {
	w.t.Helper()
	rows, err := w.service.Check(context.Background(), vendor)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, r := range rows {
		if !r.Balanced() {
			w.t.Errorf("%s %s: debit %v, credit %v, broken %v", vendor, r.Currency, r.Debit, r.Credit, r.Broken)
		}
	}
}

// TestAdjustmentsByPages: 调账记录 is read in pages both ways, over movements of one instant too, and what came after a page
// was opened is in none of them.
func TestAdjustmentsByPages(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		w.post(topUp("P", "1", 100*yuan))
		for i := range 7 {
			w.clock.Set(noon.Add(time.Duration(i/3) * time.Hour)) // three at once
			w.post(give("P", []string{"c1", "c2"}[i%2], fmt.Sprint("g", i), yuan))
		}
		newest, err := w.service.Adjustments(ctx, alice, ledger.AdjustFilter{}, ledger.AdjustAt{}, false, 1)
		if err != nil || len(newest) != 1 {
			t.Fatal(newest, err)
		}
		f := ledger.AdjustFilter{UpTo: newest[0].AdjustAt}
		w.clock.Set(noon.Add(9 * time.Hour))
		w.post(give("P", "c1", "late", yuan))
		var all []ledger.AdjustAt
		for at := (ledger.AdjustAt{}); ; at = all[len(all)-1] {
			page, err := w.service.Adjustments(ctx, alice, f, at, false, 2)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range page {
				all = append(all, a.AdjustAt)
			}
			if len(page) < 2 {
				break
			}
		}
		seen := map[string]bool{}
		for i, a := range all {
			seen[a.EntryID] = true
			if i > 0 && a.At.After(all[i-1].At) {
				t.Errorf("%v after %v", a, all[i-1])
			}
		}
		if len(all) != 7 || len(seen) != 7 {
			t.Errorf("%d movements, %d different", len(all), len(seen))
		}
		back, err := w.service.Adjustments(ctx, alice, f, all[4], true, 2)
		if err != nil || len(back) != 2 || back[0].AdjustAt != all[3] || back[1].AdjustAt != all[2] {
			t.Errorf("%+v %v", back, err)
		}
		for _, c := range []struct {
			f     ledger.AdjustFilter
			count int
		}{{f, 7}, {ledger.AdjustFilter{}, 8}, {ledger.AdjustFilter{CustomerID: "c2"}, 3}, {ledger.AdjustFilter{Type: ledger.TypeReclaim}, 0}, {ledger.AdjustFilter{From: noon.Add(time.Hour), UpTo: f.UpTo}, 4}} {
			totals, err := w.service.AdjustTotals(ctx, alice, c.f)
			n, sum := 0, money.Amount(0)
			for _, x := range totals {
				n, sum = n+x.Count, sum+x.Amount
			}
			if err != nil || n != c.count || sum != money.Amount(c.count)*yuan {
				t.Errorf("%+v: %+v %v", c.f, totals, err)
			}
		}
		if _, err := w.service.AdjustTotals(ctx, dora, ledger.AdjustFilter{PartnerID: "P"}); !fault.HasCode(err, "ledger.account_unknown") {
			t.Errorf("another partner's: %v", err)
		}
	})
}

// TestStatementReachesBackTwelveMonths: to partners and customers nothing shows that is older, and its sum is the opening
// balance; the vendor sees all of it.
func TestStatementReachesBackTwelveMonths(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		at := func(text string) time.Time {
			x, err := time.ParseInLocation("2006-01-02 15:04:05.999999", text, cycle.Zone)
			if err != nil {
				t.Fatal(err)
			}
			return x
		}
		for i, when := range []string{"2027-02-28 23:59:59.999999", "2027-03-01 00:00:00", "2027-03-31 12:00:00", "2028-02-29 23:59:59"} {
			w.clock.Set(at(when))
			w.post(topUp("P", fmt.Sprint(i), 10*yuan))
		}
		cash := ledger.Of("V", "P", ledger.KindBalance, "CNY")
		for _, c := range []struct {
			now     string
			who     scope.Scope
			from    string // "" = not set
			to      string
			count   int
			opening money.Amount
			refused string
		}{
			{"2028-02-29 23:59:59.999999", alice, "", "", 4, 0, ""}, // the 29th reaches back to the last of February
			{"2028-03-01 00:00:00", alice, "", "", 3, 10 * yuan, ""},
			{"2028-03-01 00:00:00", alice, "2027-03-01 00:00:00", "", 3, 10 * yuan, ""},
			{"2028-03-01 00:00:00", alice, "2027-02-28 00:00:00", "", 0, 0, "2027-03-01"},
			{"2028-03-01 00:00:00", alice, "", "2027-03-01 00:00:00", 0, 0, "2027-03-01"},
			{"2028-03-31 23:59:59", alice, "", "", 2, 20 * yuan, ""},
			{"2028-04-01 00:00:00", alice, "", "", 1, 30 * yuan, ""},
			{"2029-03-01 00:00:00", alice, "", "", 0, 40 * yuan, ""},
			{"2029-03-01 00:00:00", chen, "", "", 4, 0, ""},
			{"2029-03-01 00:00:00", chen, "2027-02-28 00:00:00", "2027-03-01 00:00:00", 1, 0, ""},
		} {
			w.clock.Set(at(c.now))
			var f ledger.Filter
			if c.from != "" {
				f.From = at(c.from)
			}
			if c.to != "" {
				f.Until = at(c.to)
			}
			_, got, err := w.service.Statement(ctx, c.who, cash, f)
			if c.refused != "" {
				if x := fault.From(err); x.Code != "ledger.too_old" || x.Args["from"] != c.refused {
					t.Errorf("%+v: %v", c, err)
				}
				if _, err := w.service.Movements(ctx, c.who, cash, f, 0, false, 10); !fault.HasCode(err, "ledger.too_old") {
					t.Errorf("%+v: rows: %v", c, err)
				}
				continue
			}
			rows, wrong := w.service.Movements(ctx, c.who, cash, f, 0, false, 10)
			if err != nil || wrong != nil || got.Count != c.count || len(rows) != c.count || got.Opening != c.opening || got.Opening+got.In-got.Out != got.Closing && c.to == "" {
				t.Errorf("%+v: %+v, %d rows, %v %v", c, got, len(rows), err, wrong)
			}
		}
	})
}

func TestStatement(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		day := func(n int) time.Time { return noon.AddDate(0, 0, n) }
		w.post(topUp("P", "1", 100*yuan))
		w.clock.Set(day(1))
		w.post(spend("P", "2", 30*yuan+1))
		w.clock.Set(day(2))
		w.post(give("P", "c1", "3", 20*yuan))
		w.clock.Set(day(3))
		w.post(topUp("P", "4", 5*yuan))
		cash := ledger.Of("V", "P", ledger.KindBalance, "CNY")
		for name, c := range map[string]struct {
			f                      ledger.Filter
			count                  int
			opening, in, out, last money.Amount
			serials                []int64
		}{
			"all":        {ledger.Filter{}, 4, 0, 105 * yuan, 50*yuan + 1, 55*yuan - 1, []int64{4, 3, 2, 1}},
			"middle":     {ledger.Filter{From: day(1), Until: day(3)}, 2, 100 * yuan, 0, 50*yuan + 1, 50*yuan - 1, []int64{3, 2}},
			"type":       {ledger.Filter{Type: ledger.TypeRecharge}, 2, 0, 105 * yuan, 0, 55*yuan - 1, []int64{4, 1}},
			"detail":     {ledger.Filter{Detail: ledger.DetailAllocate}, 1, 0, 0, 20 * yuan, 55*yuan - 1, []int64{3}},
			"income":     {ledger.Filter{Direction: 1}, 2, 0, 105 * yuan, 0, 55*yuan - 1, []int64{4, 1}},
			"expense":    {ledger.Filter{Direction: 2}, 2, 0, 0, 50*yuan + 1, 55*yuan - 1, []int64{3, 2}},
			"customer":   {ledger.Filter{CustomerID: "c1"}, 1, 0, 0, 20 * yuan, 55*yuan - 1, []int64{3}},
			"not beyond": {ledger.Filter{UpTo: 2}, 2, 0, 100 * yuan, 30*yuan + 1, 55*yuan - 1, []int64{2, 1}},
			"nothing":    {ledger.Filter{From: day(9)}, 0, 55*yuan - 1, 0, 0, 55*yuan - 1, nil},
		} {
			_, got, err := w.service.Statement(ctx, alice, cash, c.f)
			if err != nil || got.Count != c.count || got.Opening != c.opening || got.In != c.in || got.Out != c.out || got.Closing != c.last {
				t.Errorf("%s: %+v %v", name, got, err)
			}
			rows, err := w.service.Movements(ctx, alice, cash, c.f, 0, false, 10)
			var serials []int64
			for _, m := range rows {
				serials = append(serials, m.Seq)
			}
			if err != nil || !slices.Equal(serials, c.serials) {
				t.Errorf("%s: %v %v", name, serials, err)
			}
		}
		rows, err := w.service.Movements(ctx, alice, cash, ledger.Filter{}, 2, true, 1)
		if err != nil || len(rows) != 1 || rows[0].Seq != 3 || rows[0].Serial(time.UTC) != "20261007040000-000003" || rows[0].After != 50*yuan-1 || rows[0].CustomerID != "c1" {
			t.Errorf("%+v %v", rows, err)
		}
		list, err := w.service.Adjustments(ctx, alice, ledger.AdjustFilter{}, ledger.AdjustAt{}, false, 10)
		if err != nil || len(list) != 1 || list[0].Amount != 20*yuan || list[0].CustomerID != "c1" || list[0].Type != ledger.TypeAllocate {
			t.Errorf("%+v %v", list, err)
		}
		w.sound("V")
	})
}

// TestWhoseBooks: everybody sees its own and nothing else, and what is foreign is unknown.
func TestWhoseBooks(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.post(topUp("P", "1", 100*yuan))
		w.post(topUp("R", "2", 50*yuan))
		w.post(give("P", "c1", "3", 20*yuan))
		cash := ledger.Of("V", "P", ledger.KindBalance, "CNY")
		for name, c := range map[string]struct {
			who     scope.Scope
			partner string
			account ledger.Account
			sees    bool
			count   int
		}{
			"own":                   {alice, "", cash, true, 2},
			"of the reseller":       {dora, "R", ledger.Of("V", "R", ledger.KindBalance, "CNY"), true, 1},
			"of a stranger":         {dora, "P", cash, false, 0},
			"the vendor's":          {chen, "", ledger.Counter("V", ledger.KindBank, "CNY"), true, 4},
			"another vendor":        {scope.Vendor("W", "x", "x", items), "", cash, false, 0},
			"counter of the vendor": {alice, "V", ledger.Counter("V", ledger.KindBank, "CNY"), false, 0},
			"with the customer":     {carl, "", ledger.With("V", "P", "c1", "CNY"), true, 1},
			"cash to the customer":  {carl, "", cash, false, 1},
		} {
			ctx := scope.With(context.Background(), c.who)
			list, err := w.service.Accounts(ctx, c.who, c.partner)
			if len(list) != c.count || err != nil && !fault.HasCode(err, "ledger.account_unknown") {
				t.Errorf("%s: %d accounts, %v", name, len(list), err)
			}
			_, total, err := w.service.Statement(ctx, c.who, c.account, ledger.Filter{})
			if c.sees && (err != nil || total.Count == 0) || !c.sees && !fault.HasCode(err, "ledger.account_unknown") {
				t.Errorf("%s: %+v %v", name, total, err)
			}
		}
		if _, err := w.service.Accounts(context.Background(), scope.Partner("P", "x", "x", nil, nil), ""); !fault.HasCode(err, "scope.permission_missing") {
			t.Error(err)
		}
	})
}

// TestSealed: what was posted is neither changed nor removed, and a balance does not move without a line.
func TestSealed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.post(topUp("P", "1", 100*yuan))
		for _, text := range []string{"UPDATE ledger_entry SET memo = 'x'", "DELETE FROM ledger_entry", "UPDATE ledger_line SET amount_e8 = 1", "DELETE FROM ledger_line",
			"DELETE FROM ledger_account", "UPDATE ledger_account SET balance_e8 = 1", "UPDATE ledger_account SET partner_id = 'D'", "UPDATE ledger_account SET seq = 0",
			"UPDATE ledger_account SET balance_e8 = -1, seq = 2 WHERE partner_id = 'P'"} {
			err := db.InTx(context.Background(), func(ctx context.Context) error {
				_, err := db.Exec(ctx, store.Query{Name: "test.break", Text: text})
				return err
			})
			if !fault.HasCode(err, "store.refused") {
				t.Errorf("%s: %v", text, err)
			}
		}
		w.sound("V")
	})
}

// TestManyClientsSpendOneBalance: 64 clients spend 1 yuan at a time of 100, each key twice. A hundred succeed once,
// the others are refused, and nothing is lost.
func TestManyClientsSpendOneBalance(t *testing.T) {
	const clients, tries, has = 64, 4, 100
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.post(topUp("P", "start", has*yuan))
		var won, short atomic.Int64
		var all sync.WaitGroup
		for i := range clients {
			all.Go(func() {
				for j := range tries {
					key := fmt.Sprintf("%d/%d", i, j/2) // the second of a pair repeats the first
					p, err := w.service.Post(context.Background(), spend("P", key, yuan))
					switch {
					case err == nil && !p.Again:
						won.Add(1)
					case fault.HasCode(err, "ledger.balance_short"):
						short.Add(1)
					case err != nil:
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		st, err := w.service.State(context.Background(), ledger.Of("V", "P", ledger.KindBalance, "CNY"))
		if err != nil || won.Load() != has || st.Balance != 0 || st.Seq != has+1 || short.Load() == 0 {
			t.Errorf("%d won, %d short, %+v %v", won.Load(), short.Load(), st, err)
		}
		w.sound("V")
	})
}

// TestStoreWalk: a shorter walk than that of the package, on both engines; a reading after each hundred steps agrees.
func TestStoreWalk(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		r := rand.New(rand.NewPCG(75, 76))
		for block := range 12 {
			w.in(func(ctx context.Context) error { // many in one transaction, a refused one leaves nothing
				for i := range 100 {
					amount, key := money.Amount(1+r.Int64N(int64(90*yuan))), fmt.Sprint(block, "/", i)
					e := topUp("P", key, amount)
					switch r.IntN(4) {
					case 1:
						e = spend("P", key, amount)
					case 2:
						e = give("P", []string{"c1", "c2"}[r.IntN(2)], key, amount)
					case 3:
						e = topUp("R", key, amount)
					}
					st, err := w.service.State(ctx, ledger.Of("V", "P", ledger.KindBalance, "CNY"))
					if err != nil {
						return err
					}
					if e.Type != ledger.TypeRecharge && st.Balance < amount {
						continue
					}
					if _, err := w.service.Post(ctx, e); err != nil {
						return err
					}
				}
				return nil
			})
			w.sound("V")
		}
	})
}
