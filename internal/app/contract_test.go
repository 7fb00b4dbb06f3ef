package app

import (
	"testing"
	"time"

	"huoban/internal/contract"
	"huoban/internal/flow"
	"huoban/internal/money"
	"huoban/internal/scope"
)

// TestContract: an application is reviewed, in force and over by the clock; each item is paid once, whatever many ask for
// at once, and no more than there is; a contract on paper is the vendor's to write and the partner's to read.
func TestContract(t *testing.T) {
	eachGrowing(t, func(g *growing) { // 15 October
		p := newPayers(g)
		vendor, partner := p.vendor.OrgID(), p.partner.OrgID()
		clerk := scope.Partner(partner, "", "p-finance", []scope.Item{scope.ItemContractView, scope.ItemContractChange}, nil)
		other := scope.Partner(p.other.OrgID(), "", "q-finance", []scope.Item{scope.ItemContractView, scope.ItemContractChange}, nil)
		desk := scope.Vendor(vendor, "", "v-finance", []scope.Item{scope.ItemContractReviewView, scope.ItemContractReview})
		in := contract.Input{VendorID: vendor, Title: "年度服务", Currency: "CNY", Begins: "2026-10-20", Ends: "2026-12-31", Plan: "2026-10-01 60\n2026-11-30 60"}
		x, err := g.a.Contracts.Make(g.ctx, clerk, in, true)
		if err != nil || x.State != contract.StateReviewing || x.Amount != 120*money.Unit || x.EntityID == "" {
			t.Fatalf("%+v %v", x, err)
		}
		do := func(sc scope.Scope, do contract.Action) contract.State {
			t.Helper()
			out, err := g.a.Contracts.Do(g.ctx, sc, x.ID, do, "因为")
			if err != nil {
				t.Fatalf("%s: %v", do, err)
			}
			return out.State
		}
		_, err = g.a.Contracts.Do(g.ctx, clerk, x.ID, contract.ActionApprove, "")
		g.refused("its own partner approves", err, "scope.permission_missing")
		_, err = g.a.Contracts.Find(g.ctx, other, x.ID)
		g.refused("another partner", err, "contract.unknown")
		do(clerk, contract.ActionWithdraw)
		_, err = g.a.Contracts.Find(g.ctx, desk, x.ID)
		g.refused("a draft to the vendor", err, "contract.unknown")
		do(clerk, contract.ActionSubmit)
		do(desk, contract.ActionRefuse)
		g.amended(x.ID, clerk, other, desk, in)
		do(clerk, contract.ActionSubmit)
		if s := do(desk, contract.ActionApprove); s != contract.StateApproved {
			t.Errorf("in force before its day: %s", s)
		}
		_, err = g.a.Contracts.Pay(g.ctx, clerk, x.ID, 1)
		g.refused("paid before its day", err, "contract.not_in_force")
		g.clock.Set(time.Date(2026, 10, 19, 16, 0, 0, 0, time.UTC))
		p.tick()
		_, err = g.a.Contracts.Pay(g.ctx, clerk, x.ID, 1)
		g.refused("paid of nothing", err, "ledger.balance_short")
		g.recharge(vendor, partner, 200*money.Unit)
		_, err = g.a.Contracts.Pay(g.ctx, desk, x.ID, 1)
		g.refused("the vendor pays", err, "scope.permission_missing")
		_, err = g.a.Contracts.Pay(g.ctx, clerk, x.ID, 3)
		g.refused("an item there is not", err, "contract.item_unknown")
		paid := g.crowd(16, "contract.item_paid", func(int) error {
			_, err := g.a.Contracts.Pay(g.ctx, clerk, x.ID, 1)
			return err
		})
		if p.balance(140 * money.Unit); paid != 1 {
			t.Errorf("paid %d times", paid)
		}
		if x, err = g.a.Contracts.Find(g.ctx, desk, x.ID); err != nil || contract.Paid(x.Plan) != 60*money.Unit || x.State != contract.StateEffective {
			t.Errorf("%+v %v", x, err)
		}
		g.clock.Set(time.Date(2026, 12, 31, 16, 0, 0, 0, time.UTC))
		p.tick()
		if x, err = g.a.Contracts.Find(g.ctx, clerk, x.ID); err != nil || x.State != contract.StateEnded {
			t.Error(x.State, err)
		}
		g.onPaper(desk, clerk, other)
	})
}

// amended: what was refused is given other terms, which the vendor sees when they are submitted; then they stand.
func (g *growing) amended(id string, clerk, other, desk scope.Scope, in contract.Input) {
	g.t.Helper()
	stale := flow.WithSeen(g.ctx, contract.Flow.Machine, id, 1)
	first := in
	in.Title, in.Plan = "年度服务（修订）", "2026-10-01 10.50\n2026-11-30 20\n2026-12-01 30"
	_, err := g.a.Contracts.Amend(g.ctx, other, id, in, false)
	g.refused("another amends it", err, "contract.unknown")
	_, err = g.a.Contracts.Amend(g.ctx, desk, id, in, false)
	g.refused("the vendor amends it", err, "scope.permission_missing")
	_, err = g.a.Contracts.Amend(stale, clerk, id, in, false)
	g.refused("from a page before the refusal", err, "flow.changed_meanwhile")
	in.Plan = "2025-01-01 1"
	_, err = g.a.Contracts.Amend(g.ctx, clerk, id, in, false)
	g.refused("a day too long ago", err, "contract.plan_early")
	in.Plan = "2026-10-01 10.50\n2026-11-30 20\n2026-12-01 30"
	if _, err := g.a.Contracts.Amend(g.ctx, clerk, id, in, false); err != nil {
		g.t.Fatal(err)
	}
	x, err := g.a.Contracts.Find(g.ctx, clerk, id)
	if err != nil || x.State != contract.StateDraft || x.Title != in.Title || x.Amount != 60*money.Unit+money.Unit/2 || len(x.Plan) != 3 || x.Plan[2].No != 3 || contract.PlanText(x.Plan) != "2026-10-01 10.50\n2026-11-30 20.00\n2026-12-01 30.00\n" {
		g.t.Fatalf("%+v %v", x, err)
	}
	_, err = g.a.Contracts.Find(g.ctx, desk, id)
	g.refused("what is not submitted again, to the vendor", err, "contract.unknown")
	if x, err = g.a.Contracts.Amend(g.ctx, clerk, id, first, true); err != nil || x.State != contract.StateReviewing || x.Amount != 120*money.Unit || x.Reason != "" {
		g.t.Fatalf("%+v %v", x, err)
	}
	_, err = g.a.Contracts.Amend(g.ctx, clerk, id, in, false)
	g.refused("under review", err, "flow.not_from_state")
	if x, err = g.a.Contracts.Find(g.ctx, desk, id); err != nil || x.Title != first.Title || len(x.Plan) != 2 {
		g.t.Fatalf("%+v %v", x, err)
	}
	if _, err := g.a.Contracts.Do(g.ctx, clerk, id, contract.ActionWithdraw, ""); err != nil {
		g.t.Fatal(err)
	}
}

func (g *growing) onPaper(desk, clerk, other scope.Scope) {
	in := contract.Input{PartnerID: clerk.OrgID(), PaperNo: "HL-7", Title: "线下框架", Currency: "CNY", Begins: "2026-12-01", Ends: "2027-12-31", Plan: "2026-12-31 10"}
	x, err := g.a.Contracts.Make(g.ctx, desk, in, true)
	if err != nil || x.Kind != contract.KindOffline || x.State != contract.StateEffective {
		g.t.Fatalf("%+v %v", x, err)
	}
	g.refused("the partner replaces the scan", g.a.Contracts.Sign(g.ctx, clerk, x.ID, scan), "contract.closed")
	if err := g.a.Contracts.Sign(g.ctx, desk, x.ID, scan); err != nil {
		g.t.Error(err)
	}
	if _, p, body, err := g.a.Contracts.Paper(g.ctx, clerk, x.ID); err != nil || p.Format != "pdf" || len(body) != len(scan) {
		g.t.Error(p, err)
	}
	_, _, _, err = g.a.Contracts.Paper(g.ctx, other, x.ID)
	g.refused("another's scan", err, "contract.unknown")
	_, err = g.a.Contracts.Pay(g.ctx, clerk, x.ID, 1)
	g.refused("paid online", err, "contract.not_in_force")
	_, err = g.a.Contracts.Do(g.ctx, clerk, x.ID, contract.ActionTerminate, "不要了")
	g.refused("the partner ends it", err, "scope.permission_missing")
	if x, err = g.a.Contracts.Do(g.ctx, desk, x.ID, contract.ActionTerminate, "双方协商"); err != nil || x.State != contract.StateTerminated {
		g.t.Error(x.State, err)
	}
}
