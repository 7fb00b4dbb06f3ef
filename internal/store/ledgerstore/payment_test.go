package ledgerstore_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"huoban/internal/fault"
	"huoban/internal/foureyes"
	"huoban/internal/ledger"
	"huoban/internal/money"
	"huoban/internal/payment"
	"huoban/internal/scope"
	"huoban/internal/store"
	"huoban/internal/store/flowstore"
	"huoban/internal/store/ledgerstore"
	"huoban/internal/store/storetest"
	"huoban/internal/topup"
)

var (
	changes = []scope.Item{scope.ItemFundsView, scope.ItemFundsChange}
	payer   = scope.Partner("P", "alice", "alice", changes, nil)
	owing   = scope.Partner("R", "rosa", "rosa", changes, nil)
	cashier = scope.Vendor("V", "chen", "chen", []scope.Item{scope.ItemLedgerView, scope.ItemRemittance})
)

// bill issues a bill of V over an amount; seller is V, or the distributor.
func (w *world) bill(id, partner, seller, cycle string, due money.Amount, issued time.Time) {
	entity := store.Query{Name: "test.entity", Text: "INSERT INTO contracting_entity (id, vendor_id, code, name, is_default, tax_in_due) VALUES ('e', 'V', 'main', 'Main', $1, $2) ON CONFLICT (id) DO NOTHING"}
	insert := store.Query{Name: "test.bill", Text: `INSERT INTO bill (id, vendor_id, partner_id, seller_id, cycle, currency, entity_id, state, version, line_count, consumption_e8, refund_e8, adjustment_e8, coupon_e8, rounding_e8, tax_e8,
tax_in_due, due_e8, source_total, exact_total, tax_exact, price_seq, code, override_note, drafted_at, issued_at) VALUES ($1, 'V', $2, $3, $4, 'CNY', 'e', 'issued', 1, 1, $5, 0, 0, 0, 0, 0, $6, $5, '0', '0', '0', 0, $1, '', $7, $7)`}
	w.in(func(ctx context.Context) error {
		if _, err := w.db.Exec(ctx, entity, true, false); err != nil {
			return err
		}
		_, err := w.db.Exec(ctx, insert, id, partner, seller, cycle, int64(due), false, store.At(issued))
		return err
	})
}

func (w *world) payments() *payment.Service {
	return &payment.Service{Store: ledgerstore.NewPayments(w.db), Tx: w.db, Ledger: w.service, Log: flowstore.New(w.db), Audit: w.service.Audit, Clock: w.clock}
}

func (w *world) state(s *payment.Service, billID string, state payment.State, paid money.Amount) payment.Bill {
	w.t.Helper()
	list, err := s.Store.Bills(context.Background(), payment.Filter{BillID: billID})
	if err != nil || len(list) != 1 || list[0].State != state || list[0].Paid != paid {
		w.t.Fatalf("%s: %+v %v, want %s %v", billID, list, err, state, paid)
	}
	return list[0]
}

// TestCollect: nothing before noon of the 5th, then the oldest bill first, each once however many replicas collect;
// what is not covered is repaid later, the oldest first, once per key; a reseller's payment reaches its distributor.
func TestCollect(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		s := w.payments()
		fourth := time.Date(2026, 10, 4, 2, 0, 0, 0, time.UTC)
		w.clock.Set(fourth)
		w.bill("b8", "P", "V", "2026-08", 30*yuan, fourth)
		w.bill("b9", "P", "V", "2026-09", 50*yuan, fourth)
		w.bill("r9", "R", "D", "2026-09", 20*yuan, fourth)
		w.post(topUp("P", "1", 60*yuan))
		w.post(topUp("R", "2", 25*yuan))
		if n, err := s.Collect(ctx); err != nil || n != 1 {
			t.Fatal(n, err) // August's day is over
		}
		w.state(s, "b8", payment.StatePaid, 30*yuan)
		w.state(s, "b9", payment.StateIssued, 0)
		w.clock.Set(time.Date(2026, 10, 5, 3, 59, 59, 999999000, time.UTC))
		if n, err := s.Collect(ctx); err != nil || n != 0 {
			t.Fatal(n, err)
		}
		w.clock.Set(time.Date(2026, 10, 5, 4, 0, 0, 0, time.UTC)) // 12:00 in GMT+8
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				if _, err := s.Collect(ctx); err != nil && !fault.Is(err, fault.KindConflict) && !fault.Is(err, fault.KindUnavailable) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		w.state(s, "b9", payment.StatePartly, 30*yuan)
		w.state(s, "r9", payment.StatePaid, 20*yuan)
		if st, _ := w.service.State(ctx, ledger.Of("V", "D", ledger.KindBalance, "CNY")); st.Balance != 20*yuan {
			t.Errorf("the distributor has %v", st.Balance)
		}
		owed, err := s.Arrears(ctx, "V", "P")
		if err != nil || len(owed) != 1 || owed[0].Amount != 20*yuan || owed[0].Oldest != "2026-09" {
			t.Errorf("%+v %v", owed, err)
		}
		if in, err := s.CycleInArrears(ctx, "V", "P", "2026-09"); err != nil || !in {
			t.Error(in, err)
		}
		if open, err := s.Unpaid(ctx, "P"); err != nil || len(open) != 1 || open["b9"] != 20*yuan {
			t.Error(open, err)
		}
		w.repay(s)
		w.sound("V")
	})
}

func (w *world) repay(s *payment.Service) {
	t, ctx := w.t, context.Background()
	w.clock.Set(time.Date(2026, 11, 6, 0, 0, 0, 0, time.UTC))
	w.bill("b10", "P", "V", "2026-10", 10*yuan, w.clock.Now())
	if _, err := s.Repay(ctx, payer, "b9", 20*yuan, "k"); !fault.HasCode(err, "ledger.balance_short") {
		t.Error(err)
	}
	w.post(topUp("P", "3", 30*yuan))
	for code, c := range map[string]struct {
		who    scope.Scope
		bill   string
		amount money.Amount
	}{"payment.bill_unknown": {owing, "b9", yuan}, "payment.older_first": {payer, "b10", yuan}, "payment.more_than_due": {payer, "b9", 20*yuan + money.Unit/100},
		"payment.amount_malformed": {payer, "b9", 1}, "scope.permission_missing": {alice, "b9", yuan}} {
		if _, err := s.Repay(ctx, c.who, c.bill, c.amount, "x"); !fault.HasCode(err, code) {
			t.Errorf("%v, want %s", err, code)
		}
	}
	if b, err := s.Repay(ctx, payer, "b9", 5*yuan, "k1"); err != nil || b.State != payment.StatePartly || b.Remaining() != 15*yuan {
		t.Fatal(b, err)
	}
	if _, err := s.Repay(ctx, payer, "b9", 5*yuan, "k1"); !fault.HasCode(err, "payment.repeated") {
		t.Error(err)
	}
	if b, err := s.Repay(ctx, payer, "b9", 15*yuan, "k2"); err != nil || b.State != payment.StatePaid || b.SettledAt.IsZero() {
		t.Fatal(b, err)
	}
	if _, err := s.Repay(ctx, payer, "b9", yuan, "k3"); !fault.HasCode(err, "flow.not_from_state") {
		t.Error(err)
	}
	if b, err := s.Repay(ctx, payer, "b10", 10*yuan, "k4"); err != nil || b.State != payment.StatePaid { // before it is collected
		t.Fatal(b, err)
	}
	if n, err := s.Collect(ctx); err != nil || n != 0 {
		t.Error(n, err)
	}
}

// TestAlert: people are told when the balance falls through the threshold, not again below it.
func TestAlert(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		s := w.payments()
		var told []money.Amount
		s.Low = func(_ context.Context, _ payment.Alert, balance money.Amount) error {
			told = append(told, balance)
			return nil
		}
		w.service.Watch = s.Watch
		a := payment.Alert{VendorID: "V", Currency: "CNY", Threshold: 50 * yuan}
		if err := s.SetAlert(ctx, payer, a, []string{"W"}); !fault.HasCode(err, "payment.vendor_unknown") {
			t.Error(err)
		}
		if err := s.SetAlert(ctx, payer, a, []string{"V"}); err != nil {
			t.Fatal(err)
		}
		w.post(topUp("P", "1", 100*yuan))
		for i, spent := range []money.Amount{50 * yuan, yuan, yuan} {
			w.post(spend("P", string(rune('a'+i)), spent))
		}
		if len(told) != 1 || told[0] != 49*yuan {
			t.Error(told)
		}
		a.Threshold = 0
		if err := s.SetAlert(ctx, payer, a, []string{"V"}); err != nil {
			t.Fatal(err)
		}
		if list, err := s.Alerts(ctx, payer); err != nil || len(list) != 0 {
			t.Error(list, err)
		}
	})
}

func (w *world) topUps(gateways ...topup.Gateway) *topup.Service {
	return topup.New(topup.Deps{Store: ledgerstore.NewTopUps(w.db), Tx: w.db, Ledger: w.service, Log: flowstore.New(w.db), Audit: w.service.Audit, Clock: w.clock, Gateways: gateways,
		Vendors: func(context.Context, string) ([]string, error) { return []string{"V"}, nil },
		Limits: func(context.Context, string) (foureyes.Limits, error) {
			return foureyes.Limits{{Kind: foureyes.KindClaim, Currency: "CNY", Amount: 30 * yuan, Version: 1}}, nil
		}})
}

// TestOnline: a payment is credited once however often the gateway tells of it; without the gateway nothing begins.
func TestOnline(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		if _, err := w.topUps().Begin(ctx, payer, "V", "simulator", "CNY", 5*yuan); !fault.HasCode(err, "topup.gateway_unknown") {
			t.Fatal(err)
		}
		s := w.topUps(topup.Simulator{})
		if _, err := s.Begin(ctx, payer, "W", "simulator", "CNY", 5*yuan); !fault.HasCode(err, "topup.vendor_unknown") {
			t.Fatal(err)
		}
		x, err := s.Begin(ctx, payer, "V", "simulator", "CNY", 5*yuan)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Do(ctx, owing, x.ID, topup.ActionPay); !fault.HasCode(err, "topup.unknown") {
			t.Error(err)
		}
		if x, err = s.Do(ctx, payer, x.ID, topup.ActionPay); err != nil || x.GatewayRef == "" {
			t.Fatal(x, err)
		}
		for range 3 {
			if x, err = s.Finish(ctx, x.ID, "simulator", true); err != nil || x.State != topup.StateSucceeded {
				t.Fatal(x, err)
			}
		}
		if _, err := s.Finish(ctx, x.ID, "simulator", false); !fault.HasCode(err, "flow.not_from_state") {
			t.Error(err)
		}
		if st, _ := w.service.State(ctx, ledger.Of("V", "P", ledger.KindBalance, "CNY")); st.Balance != 5*yuan || st.Seq != 1 {
			t.Errorf("%+v", st)
		}
		w.sound("V")
	})
}

// TestRemittances: a transfer to a remittance account is credited, another waits until its claim is approved; a
// statement imported twice does nothing, and a claim finds only what it can name.
func TestRemittances(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		s := w.topUps()
		own, err := s.OpenAccount(ctx, payer, "V")
		if err != nil {
			t.Fatal(err)
		}
		if again, err := s.OpenAccount(ctx, payer, "V"); err != nil || again.Number != own.Number {
			t.Fatal(again, err)
		}
		line := func(ref, to string, amount money.Amount) topup.BankLine {
			return topup.BankLine{Ref: ref, PaidOn: "2026-10-05", Currency: "CNY", Amount: amount, PayerName: "广渚 数字", PayerAccount: "6222000012345678", AccountNo: to}
		}
		statement := []topup.BankLine{line("1", own.Number, 40*yuan), line("2", "", 30*yuan), line("3", "8866000000000000", 7*yuan)}
		if done, err := s.Import(ctx, cashier, statement); err != nil || done != (topup.Imported{Rows: 3, Credited: 1, Unclaimed: 2}) {
			t.Fatal(done, err)
		}
		if done, err := s.Import(ctx, cashier, statement); err != nil || done != (topup.Imported{Rows: 3, Known: 3}) {
			t.Fatal(done, err)
		}
		statement[0].Amount++
		if _, err := s.Import(ctx, cashier, append(statement[:1:1], line("4", "", yuan))); err == nil {
			t.Fatal("a line that differs was passed over")
		}
		in := topup.ClaimInput{VendorID: "V", Currency: "CNY", Amount: 30 * yuan, PaidOn: "2026-10-05", PayerName: "广渚数字", PayerTail: "5678"}
		wrong := in
		wrong.PayerTail = "5679"
		if _, err := s.MakeClaim(ctx, payer, wrong); !fault.HasCode(err, "topup.nothing_fits") {
			t.Error(err)
		}
		w.claims(s, in)
		if st, _ := w.service.State(ctx, ledger.Of("V", "P", ledger.KindBalance, "CNY")); st.Balance != 70*yuan {
			t.Errorf("%+v", st)
		}
		if st, _ := w.service.State(ctx, ledger.Counter("V", ledger.KindSuspense, "CNY")); st.Balance != 7*yuan {
			t.Errorf("%+v", st)
		}
		w.sound("V")
	})
}

func (w *world) claims(s *topup.Service, in topup.ClaimInput) {
	t, ctx := w.t, context.Background()
	c, err := s.MakeClaim(ctx, payer, in)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.MakeClaim(ctx, owing, in); !fault.HasCode(err, "topup.nothing_fits") {
		t.Error("two partners claim one transfer:", err)
	}
	if _, err := s.Decide(ctx, cashier, c.ID, topup.ClaimRefuse, " "); !fault.HasCode(err, "flow.reason_missing") {
		t.Error(err)
	}
	if _, err := s.Decide(ctx, owing, c.ID, topup.ClaimWithdraw, ""); !fault.HasCode(err, "topup.claim_unknown") {
		t.Error(err)
	}
	if _, err := s.Decide(ctx, cashier, c.ID, topup.ClaimRefuse, "凭证不清"); err != nil {
		t.Fatal(err)
	}
	if c, err = s.MakeClaim(ctx, payer, in); err != nil { // it may be claimed again
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if _, err := s.Decide(ctx, cashier, c.ID, topup.ClaimApprove, ""); err != nil && !fault.Is(err, fault.KindConflict) && !fault.Is(err, fault.KindUnavailable) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if list, err := s.Claims(ctx, cashier); err != nil || len(list) != 2 || list[0].State == topup.ClaimReviewing {
		t.Error(list, err)
	}
}

// TestClaimOfTwo: above the vendor's amount one person approves first, another second, and nothing is credited between.
func TestClaimOfTwo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newWorld(t, db), context.Background()
		s := w.topUps()
		line := topup.BankLine{Ref: "two", PaidOn: "2026-10-05", Currency: "CNY", Amount: 31 * yuan, PayerName: "广渚数字", PayerAccount: "6222000012345678"}
		if _, err := s.Import(ctx, cashier, []topup.BankLine{line}); err != nil {
			t.Fatal(err)
		}
		c, err := s.MakeClaim(ctx, payer, topup.ClaimInput{VendorID: "V", Currency: "CNY", Amount: line.Amount, PaidOn: line.PaidOn, PayerName: line.PayerName, PayerTail: "5678"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Decide(ctx, cashier, c.ID, topup.ClaimApprove, ""); !fault.HasCode(err, "foureyes.two_needed") {
			t.Fatal("by one alone:", err)
		}
		if c, err = s.Approve(ctx, cashier, c.ID); err != nil || c.State != topup.ClaimSecond {
			t.Fatal(c.State, err)
		}
		if r, _, err := s.Store.Remittance(ctx, c.RemittanceID); err != nil || r.State != topup.RemittanceUnclaimed {
			t.Error("credited after the first of two:", r.State, err)
		}
		if _, err := s.Approve(ctx, cashier, c.ID); !fault.HasCode(err, "foureyes.same_person") {
			t.Fatal("by the same again:", err)
		}
		other := scope.Vendor("V", "ma", "ma", []scope.Item{scope.ItemLedgerView, scope.ItemRemittance})
		if c, err = s.Approve(ctx, other, c.ID); err != nil || c.State != topup.ClaimApproved {
			t.Fatal(c.State, err)
		}
		if r, _, err := s.Store.Remittance(ctx, c.RemittanceID); err != nil || r.State != topup.RemittanceClaimed {
			t.Error(r.State, err)
		}
		w.sound("V")
	})
}
