package app

import (
	"fmt"
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
		id, code := j.Organisation.ID, j.Organisation.Code
		sc := g.as("P-admin")
		self, err := g.a.Organisations.ByID(g.ctx, scope.System("test"), sc.OrgID())
		if err != nil {
			t.Fatal(err)
		}
		vendors, err := g.a.Organisations.VendorsOf(g.ctx, self)
		if err != nil || len(vendors) == 0 {
			t.Fatal(vendors, err)
		}
		v := vendors[0].ID
		in := func(amount string, reclaim bool) allocation.Input {
			return allocation.Input{VendorID: v, Currency: "CNY", Target: code, Amount: amount, Reclaim: reclaim}
		}
		move := func(rows ...allocation.Input) error {
			_, err := g.a.Allocations.Move(g.ctx, sc, rows)
			return err
		}
		if _, err := g.a.Ledger.Post(g.ctx, ledger.Entry{VendorID: v, Type: ledger.TypeRecharge, Detail: ledger.DetailRecharge, Key: "t", Actor: "test",
			Lines: []ledger.Line{{Account: ledger.Of(v, self.ID, ledger.KindBalance, "CNY"), Amount: 100 * money.Unit}, {Account: ledger.Counter(v, ledger.KindBank, "CNY"), Amount: -100 * money.Unit}}}); err != nil {
			t.Fatal(err)
		}
		g.refused("a referral customer", move(in("1", false)), "allocation.not_resale")
		g.later(time.Hour)
		r, err := g.a.Relations.Ask(g.ctx, sc, relation.AskInput{CustomerID: id, Kind: relation.KindSwitch, To: customer.KindResale, When: relation.WhenConsent, Reason: "代售", Understood: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, err = g.a.Relations.Do(g.ctx, g.as(admin), r.ID, relation.ActionAgree, ""); err != nil {
			t.Fatal(err)
		}
		for _, amount := range []string{"", "0", "-5", "0.001", "abc"} {
			g.refused(amount, move(in(amount, false)), "allocation.amount_malformed")
		}
		g.refused("more than there is", move(in("100.01", false)), "allocation.balance_short")
		g.refused("more than was given", move(in("0.01", true)), "allocation.held_short")
		if _, err := g.a.Allocations.Move(g.ctx, g.as("P-cm"), []allocation.Input{in("1", false)}); !fault.Is(err, fault.KindDenied) {
			t.Errorf("a 客户经理 allocates: %v", err)
		}
		stranger := in("1", false)
		stranger.Target = "no such"
		g.refused("half a batch", move(in("60", false), stranger), "allocation.target_unknown")
		plan, err := g.a.Allocations.Plan(g.ctx, sc, []allocation.Input{in("60", false), in("60", false), stranger, in("50", true)})
		if err != nil || plan[0].Refusal != nil || plan[1].Refusal == nil || plan[1].Refusal.Code != "allocation.balance_short" || plan[2].Refusal == nil || plan[3].Refusal != nil {
			t.Errorf("the plan: %+v %v", plan, err)
		}
		held := func() (free, there money.Amount) {
			b, err := g.a.Allocations.Books(g.ctx, sc, v, "CNY")
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range b.Targets {
				if x.ID == id {
					there = x.Held
				}
			}
			return b.Free, there
		}
		if free, there := held(); free != 100*money.Unit || there != 0 {
			t.Errorf("what was refused moved something: %v %v", free, there)
		}
		var made atomic.Int64
		var wait sync.WaitGroup
		for i := range 64 {
			wait.Add(1)
			go func() {
				defer wait.Done()
				for {
					err := move(in("3", false))
					switch {
					case err == nil:
						made.Add(1)
					case fault.HasCode(err, "ledger.moved_meanwhile") || fault.Is(err, fault.KindUnavailable):
						continue
					case !fault.HasCode(err, "allocation.balance_short"):
						t.Error(fmt.Sprint(i), err)
					}
					return
				}
			}()
		}
		wait.Wait()
		if free, there := held(); made.Load() != 33 || free != money.Unit || there != 99*money.Unit {
			t.Errorf("%d made, %v free, %v there", made.Load(), free, there)
		}
		if err := move(in("9", true)); err != nil {
			t.Error(err)
		}
		if n, err := g.a.Allocations.Sweep(g.ctx); err != nil || n != 0 {
			t.Errorf("of a customer by resale %d went back: %v", n, err)
		}
		if r, err = g.a.Relations.Ask(g.ctx, g.as(admin), relation.AskInput{Kind: relation.KindDissolve, When: relation.WhenConsent, Reason: "换伙伴", Understood: true}); err != nil {
			t.Fatal(err)
		}
		if _, err = g.a.Relations.Do(g.ctx, sc, r.ID, relation.ActionAgree, ""); err != nil {
			t.Fatal(err)
		}
		g.later(time.Second)
		for i, want := range []int{1, 0} {
			if n, err := g.a.Allocations.Sweep(g.ctx); err != nil || n != want {
				t.Errorf("sweep %d: %d went back, want %d: %v", i, n, want, err)
			}
		}
		if free, there := held(); free != 100*money.Unit || there != 0 {
			t.Errorf("after the end: %v %v", free, there)
		}
		for _, x := range vendors {
			rows, err := g.a.Ledger.Check(g.ctx, x.ID)
			if err != nil {
				t.Fatal(err)
			}
			for i := range rows {
				if !rows[i].Balanced() {
					t.Errorf("the books do not balance: %+v", rows[i])
				}
			}
		}
	})
}
