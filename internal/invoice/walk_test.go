package invoice

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/scope"
)

// TestLongWalk takes 100,000 random steps of both sides and of time: never is more held of a bill or of an order than
// it is worth, what is held is exactly what the requests in a holding state say, and money that is held is refused to
// whoever would take it out.
func TestLongWalk(t *testing.T) {
	const steps = 100_000
	ctx := context.Background()
	taken, moved := 0, map[Action]int{}
	rng := rand.New(rand.NewPCG(7, 2026))
	for taken < steps {
		m, s, at, partner, clerk := newMemory(12)
		if err := s.SetTitle(ctx, partner, aTitle(), 0); err != nil {
			t.Fatal(err)
		}
		if err := s.AddAddress(ctx, partner, aPost()); err != nil {
			t.Fatal(err)
		}
		for range 500 { // a world each, because what was asked for in it stays
			taken++
			if rng.IntN(20) == 0 {
				at.Set(at.Now().Add(time.Duration(rng.IntN(72)) * time.Hour))
			}
			if rng.IntN(30) == 0 {
				clear(m.unpaid)
				d := m.bills[rng.IntN(len(m.bills))]
				m.unpaid[d.ID] = money.Amount(rng.IntN(2)) * yuan
			}
			before := worth(m)
			do, err := randomStep(ctx, rng, m, s, partner, clerk)
			if err == nil {
				moved[do]++
			} else if k := fault.From(err).Kind; k == fault.KindInternal {
				t.Fatalf("%s: %v", do, err)
			}
			holds(t, ctx, m, s, partner)
			if err != nil && worth(m) != before {
				t.Fatalf("%s was refused (%v) and changed what is held", do, err)
			}
		}
	}
	for _, do := range Flow.Actions() {
		if moved[do] == 0 && do != ActionSignByTime {
			t.Errorf("in %d steps nobody could %s", taken, do)
		}
	}
	t.Logf("%d steps, moves %v", taken, moved)
}

// worth is everything that is held.
func worth(m *memory) (sum money.Amount) {
	for i := range m.requests {
		if m.requests[i].State.Holds() {
			sum += m.requests[i].Amount
		}
	}
	return sum
}

func randomStep(ctx context.Context, rng *rand.Rand, m *memory, s *Service, partner, clerk scope.Scope) (Action, error) {
	if len(m.requests) == 0 || rng.IntN(12) == 0 {
		_, err := s.Draft(ctx, partner, randomInput(rng, m))
		return "draft", err
	}
	r := m.requests[rng.IntN(len(m.requests))]
	if r.State.Amendable() && rng.IntN(3) == 0 {
		_, err := s.Amend(ctx, partner, r.ID, randomInput(rng, m))
		return "amend", err
	}
	if r.Medium.IsFile() && r.State == StateIssuing && len(m.files[r.ID]) == 0 {
		_, err := s.Upload(ctx, clerk, r.ID, []byte("<EInvoice/>"))
		return "upload", err
	}
	who := partner
	if rng.IntN(2) == 0 {
		who = clerk
	}
	actions := Flow.Actions()
	do := actions[rng.IntN(len(actions))]
	if rng.IntN(4) > 0 { // mostly what the page offers
		buttons, err := s.Allowed(ctx, who, r)
		if err != nil || len(buttons) == 0 {
			return "look", err
		}
		do = Action(buttons[rng.IntN(len(buttons))].Action)
	}
	d := Deed{Do: do, Reason: "walk", RedConfirmed: rng.IntN(3) > 0}
	if rng.IntN(5) == 0 {
		d.Amount = r.Amount - yuan*money.Amount(rng.IntN(2))
	}
	d.Paper = Paper{Code: "033002600111", Number: fmt.Sprintf("%08d", rng.IntN(1e8)), On: cycle.Day(s.Clock.Now()), Courier: "SF", Tracking: "1"}
	if r.Medium == MediumDigital {
		d.Paper.Code, d.Paper.Number = "", fmt.Sprintf("%020d", rng.IntN(1e9))
	}
	_, err := s.Do(ctx, who, r.ID, d)
	return d.Do, err
}

func randomInput(rng *rand.Rand, m *memory) Input {
	in := Input{Method: Methods[rng.IntN(3)], Kind: []Kind{KindOrdinary, KindSpecial}[rng.IntN(2)], Medium: []Medium{MediumPaper, MediumPaper, MediumElectronic, MediumDigital}[rng.IntN(4)],
		Email: "a@b.example", AddressID: m.posts[0].ID, CourierOK: rng.IntN(2) == 0}
	pick := func() string { return m.bills[rng.IntN(len(m.bills))].ID }
	switch in.Method {
	case MethodCycle:
		for range 1 + rng.IntN(2) {
			if rng.IntN(3) == 0 {
				in.Customers = append(in.Customers, CustomerKey{pick(), []string{"c1", "c2", "c3"}[rng.IntN(3)]})
				continue
			}
			in.Bills = append(in.Bills, pick())
		}
	case MethodOrder:
		for range 1 + rng.IntN(2) {
			in.Orders = append(in.Orders, OrderKey{pick(), []string{"CS-A", "CS-B", "CS-C"}[rng.IntN(3)]})
		}
	case MethodAmount:
		in.PoolBill, in.Amount = pick(), money.Amount(1+rng.IntN(300_000))*1e6
	}
	return in
}

// holds checks the invariants.
func holds(t *testing.T, ctx context.Context, m *memory, s *Service, partner scope.Scope) {
	t.Helper()
	held, orders, customers := map[string]money.Amount{}, map[[2]string]money.Amount{}, map[[2]string]money.Amount{}
	for i := range m.requests {
		r := &m.requests[i]
		var sum money.Amount
		for _, p := range r.Parts {
			sum += p.Amount
			if r.State.Holds() {
				held[p.BillID] += p.Amount
				if p.OrderNo != "" {
					orders[[2]string{p.BillID, p.OrderNo}] += p.Amount
				}
				if p.CustomerID != "" {
					customers[[2]string{p.BillID, p.CustomerID}] += p.Amount
				}
			}
		}
		if sum != r.Amount || r.State.Holds() && !r.Amount.IsCents() {
			t.Fatalf("request %s: parts sum to %s, amount %s", r.Number, sum, r.Amount)
		}
	}
	for i := range m.bills {
		d := &m.bills[i]
		if held[d.ID] > d.Due || held[d.ID] < 0 {
			t.Fatalf("%s of bill %s are held, which is due %s", held[d.ID], d.ID, d.Due)
		}
		shares, _ := m.Shares(ctx, partner, d)
		for _, x := range shares {
			if customers[[2]string{d.ID, x.Customer.ID}] > x.Amount {
				t.Fatalf("%s of customer %s are held, whose part is %s", customers[[2]string{d.ID, x.Customer.ID}], x.Customer.ID, x.Amount)
			}
		}
		for _, o := range m.orders(d) {
			if orders[[2]string{d.ID, o.OrderNo}] > o.Amount {
				t.Fatalf("order %s is held twice", o.OrderNo)
			}
		}
	}
	sum, _, err := s.Held(ctx, "p", "v", "CNY")
	if err != nil || sum != worth(m) {
		t.Fatalf("held %s, requests say %s: %v", sum, worth(m), err)
	}
}

// TestOffers: what can be invoiced is what is left of the bill, and what cannot says why.
func TestOffers(t *testing.T) {
	ctx := context.Background()
	m, s, at, partner, clerk := newMemory(3)
	m.unpaid["b2026-02"] = yuan
	m.bills = append(m.bills, m.bills[0], m.bills[0])
	m.bills[3].ID, m.bills[3].Seller.ID = "from a distributor", "d"
	m.bills[4].ID, m.bills[4].Due = "nothing due", 0
	at.Set(time.Date(2026, 4, 3, 15, 59, 59, 0, time.UTC)) // 23:59:59 of the 3rd
	list, err := s.Offers(ctx, partner)
	if err != nil || len(list) != 3 {
		t.Fatal(len(list), err)
	}
	codes := func(o *Offer) (out []string) {
		for _, f := range o.Why {
			out = append(out, f.Code)
		}
		return out
	}
	if list[0].Bill.Cycle != "2026-03" || !slices.Equal(codes(&list[0]), []string{"invoice.too_early"}) || !slices.Equal(codes(&list[1]), []string{"invoice.arrears_first"}) || len(list[2].Why) != 0 {
		t.Fatalf("%v %v %v", codes(&list[0]), codes(&list[1]), codes(&list[2]))
	}
	if none, err := s.Offers(ctx, clerk); len(none) != 0 || err != nil {
		t.Error("a vendor has no offers", none, err)
	}
	if _, err := s.Offers(ctx, partner.Limited(nil)); !fault.Is(err, fault.KindDenied) {
		t.Error("a 客户经理 sees them", err)
	}
}

// TestWithdrawalOfInvoicedMoney: it is refused by the request that holds it, and freed by its cancellation.
func TestWithdrawalOfInvoicedMoney(t *testing.T) {
	ctx := context.Background()
	m, s, at, partner, _ := newMemory(2)
	at.Set(at.Now().AddDate(0, 0, 10))
	if err := s.SetTitle(ctx, partner, aTitle(), 0); err != nil {
		t.Fatal(err)
	}
	r, err := s.Draft(ctx, partner, Input{Method: MethodCycle, Bills: []string{"b2026-01"}, Kind: KindOrdinary, Medium: MediumElectronic, Email: "a@b.example"})
	if err != nil {
		t.Fatal(err)
	}
	if sum, list, _ := s.Held(ctx, "p", "v", "CNY"); sum != 0 || len(list) != 0 {
		t.Fatal("a draft holds", sum)
	}
	if _, err := s.Do(ctx, partner, r.ID, Deed{Do: ActionSubmit}); err != nil {
		t.Fatal(err)
	}
	sum, list, err := s.Held(ctx, "p", "v", "CNY")
	of, by, _ := s.HeldOf(ctx, "p", []string{"b2026-01", "b2026-02"})
	if err != nil || sum != m.bills[0].Due || len(list) != 1 || of["b2026-01"] != sum || of["b2026-02"] != 0 || by["b2026-01"].ID != r.ID {
		t.Fatal(sum, len(list), of, err)
	}
	f := RefuseWithdrawal(sum, list[0])
	if f.Code != "invoice.withdrawal_held" || f.Args["id"] != r.ID || f.Args["number"] != r.Number || f.Args["amount"] != "1000" {
		t.Fatal(f)
	}
	if other, _, _ := s.Held(ctx, "p", "v", "USD"); other != 0 {
		t.Error("another currency is held", other)
	}
	if _, err := s.Do(ctx, partner, r.ID, Deed{Do: ActionCancel}); err != nil {
		t.Fatal(err)
	}
	if sum, _, _ := s.Held(ctx, "p", "v", "CNY"); sum != 0 {
		t.Error("a cancelled request holds", sum)
	}
}

// TestOneTitle: there is never a second, and an amendment of a stale one is refused.
func TestOneTitle(t *testing.T) {
	ctx := context.Background()
	m, s, _, partner, _ := newMemory(1)
	if err := s.SetTitle(ctx, partner, aTitle(), 0); err != nil {
		t.Fatal(err)
	}
	if err := s.SetTitle(ctx, partner, aTitle(), 0); err != nil || m.title.Version != 1 {
		t.Fatal("the same again", err)
	}
	next := aTitle()
	next.Name = "启珩云服务有限公司"
	if err := s.SetTitle(ctx, partner, next, 0); !fault.HasCode(err, "invoice.title_only_one") {
		t.Fatal(err)
	}
	if err := s.SetTitle(ctx, partner, next, 1); err != nil || m.title.Version != 2 {
		t.Fatal(err)
	}
	next.Name = "另一家公司"
	if err := s.SetTitle(ctx, partner, next, 1); !fault.HasCode(err, "invoice.title_changed") {
		t.Fatal(err)
	}
}
