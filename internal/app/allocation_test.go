package app

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"huoban/internal/allocation"
	"huoban/internal/customer"
	"huoban/internal/fault"
	"huoban/internal/ledger"
	"huoban/internal/money"
	"huoban/internal/relation"
	"huoban/internal/scope"
)

// TestAllocations: only customers by resale are given money, to the cent and no more than there is; a batch is whole or
// nothing, with a reason per row; sixty-four at once never overspend; and what stands with a customer that leaves goes
// back once.
func TestAllocations(t *testing.T) {
	eachGrowing(t, func(g *growing) {
		j, admin := g.married()
		x := allocating{growing: g, sc: g.as("P-admin"), customer: j.Organisation.ID, code: j.Organisation.Code}
		self, err := g.a.Organisations.ByID(g.ctx, scope.System("test"), x.sc.OrgID())
		if err != nil {
			t.Fatal(err)
		}
		vendors, err := g.a.Organisations.VendorsOf(g.ctx, self)
		if err != nil || len(vendors) == 0 {
			t.Fatal(vendors, err)
		}
		x.vendor = vendors[0].ID
		g.recharge(x.vendor, self.ID, 100*money.Unit)
		g.refused("a referral customer", x.move(x.in("1", false)), "allocation.not_resale")
		g.later(time.Hour)
		x.agreed(x.sc, g.as(admin), relation.AskInput{CustomerID: x.customer, Kind: relation.KindSwitch, To: customer.KindResale, When: relation.WhenConsent, Reason: "代售", Understood: true})
		x.refusals()
		made := g.crowd(64, "allocation.balance_short", func(int) error { return x.move(x.in("3", false)) })
		if free, there := x.held(); made != 33 || free != money.Unit || there != 99*money.Unit {
			t.Errorf("%d made, %v free, %v there", made, free, there)
		}
		if err := x.move(x.in("9", true)); err != nil {
			t.Error(err)
		}
		x.swept(0)
		x.agreed(g.as(admin), x.sc, relation.AskInput{Kind: relation.KindDissolve, When: relation.WhenConsent, Reason: "换伙伴", Understood: true})
		g.later(time.Second)
		x.swept(1)
		x.swept(0)
		if free, there := x.held(); free != 100*money.Unit || there != 0 {
			t.Errorf("after the end: %v %v", free, there)
		}
		for _, v := range vendors {
			g.balanced(v.ID)
		}
	})
}

// allocating is a partner that gives money to a customer and takes it back.
type allocating struct {
	*growing
	sc                     scope.Scope
	vendor, customer, code string
}

func (x *allocating) in(amount string, reclaim bool) allocation.Input {
	return allocation.Input{VendorID: x.vendor, Currency: "CNY", Target: x.code, Amount: amount, Reclaim: reclaim}
}

func (x *allocating) move(rows ...allocation.Input) error {
	_, err := x.a.Allocations.Move(x.ctx, x.sc, rows)
	return err
}

// agreed asks for a change of the relation, to which the other side agrees.
func (x *allocating) agreed(asks, agrees scope.Scope, in relation.AskInput) {
	x.t.Helper()
	r, err := x.a.Relations.Ask(x.ctx, asks, in)
	if err == nil {
		_, err = x.a.Relations.Do(x.ctx, agrees, r.ID, relation.ActionAgree, "")
	}
	if err != nil {
		x.t.Fatal(err)
	}
}

// held is what is free, and what stands with the customer.
func (x *allocating) held() (free, there money.Amount) {
	x.t.Helper()
	b, err := x.a.Allocations.Books(x.ctx, x.sc, x.vendor, "CNY")
	if err != nil {
		x.t.Fatal(err)
	}
	for _, to := range b.Targets {
		if to.ID == x.customer {
			there = to.Held
		}
	}
	return b.Free, there
}

// refusals: none of them moves anything.
func (x *allocating) refusals() {
	x.t.Helper()
	for _, amount := range []string{"", "0", "-5", "0.001", "abc"} {
		x.refused(amount, x.move(x.in(amount, false)), "allocation.amount_malformed")
	}
	x.refused("more than there is", x.move(x.in("100.01", false)), "allocation.balance_short")
	x.refused("more than was given", x.move(x.in("0.01", true)), "allocation.held_short")
	if _, err := x.a.Allocations.Move(x.ctx, x.as("P-cm"), []allocation.Input{x.in("1", false)}); !fault.Is(err, fault.KindDenied) {
		x.t.Errorf("a 客户经理 allocates: %v", err)
	}
	stranger := x.in("1", false)
	stranger.Target = "no such"
	x.refused("half a batch", x.move(x.in("60", false), stranger), "allocation.target_unknown")
	plan, err := x.a.Allocations.Plan(x.ctx, x.sc, []allocation.Input{x.in("60", false), x.in("60", false), stranger, x.in("50", true)})
	if err != nil || plan[0].Refusal != nil || plan[1].Refusal == nil || plan[1].Refusal.Code != "allocation.balance_short" || plan[2].Refusal == nil || plan[3].Refusal != nil {
		x.t.Errorf("the plan: %+v %v", plan, err)
	}
	if free, there := x.held(); free != 100*money.Unit || there != 0 {
		x.t.Errorf("what was refused moved something: %v %v", free, there)
	}
}

// swept: so many accounts of customers that are none by resale any more go back.
func (x *allocating) swept(want int) {
	x.t.Helper()
	if n, err := x.a.Allocations.Sweep(x.ctx); err != nil || n != want {
		x.t.Errorf("%d went back, want %d: %v", n, want, err)
	}
}

// recharge books money into a partner's top-up account.
func (g *growing) recharge(vendorID, partnerID string, amount money.Amount) {
	g.t.Helper()
	_, err := g.a.Ledger.Post(g.ctx, ledger.Entry{VendorID: vendorID, Type: ledger.TypeRecharge, Detail: ledger.DetailRecharge, Key: "t", Actor: "test",
		Lines: []ledger.Line{{Account: ledger.Of(vendorID, partnerID, ledger.KindBalance, "CNY"), Amount: amount}, {Account: ledger.Counter(vendorID, ledger.KindBank, "CNY"), Amount: -amount}}})
	if err != nil {
		g.t.Fatal(err)
	}
}

// crowd has n clients act at once, each until it is through or refused with the code, and tells how many are through.
func (g *growing) crowd(n int, code string, act func(client int) error) int64 {
	g.t.Helper()
	var made atomic.Int64
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			for {
				err := act(i)
				switch {
				case err == nil:
					made.Add(1)
				case fault.HasCode(err, "ledger.moved_meanwhile") || fault.Is(err, fault.KindUnavailable):
					continue
				case !fault.HasCode(err, code):
					g.t.Errorf("client %d: %v", i, err)
				}
				return
			}
		})
	}
	all.Wait()
	return made.Load()
}

// balanced holds a vendor's books to their sums.
func (g *growing) balanced(vendorID string) {
	g.t.Helper()
	rows, err := g.a.Ledger.Check(g.ctx, vendorID)
	if err != nil {
		g.t.Fatal(err)
	}
	for i := range rows {
		if !rows[i].Balanced() {
			g.t.Errorf("the books do not balance: %+v", rows[i])
		}
	}
}
