package app

import (
	"bytes"
	"testing"
	"time"

	"huoban/internal/agreement"
	"huoban/internal/money"
	"huoban/internal/scope"
	"huoban/internal/topup"
)

// payers is a partner with a remittance account at a vendor, both by whoever sees to its funds.
type payers struct {
	*growing
	partner, other, vendor scope.Scope
	number                 string
}

func newPayers(g *growing) *payers {
	p := &payers{growing: g}
	org := func(code string) string {
		o, err := g.a.Organisations.ByCode(g.ctx, g.op, code)
		if err != nil {
			g.t.Fatal(err)
		}
		return o.ID
	}
	p.partner, p.other, p.vendor = demoClerk(org("P"), "P"), demoClerk(org("Q"), "Q"), demoCashier(org("V"), "V")
	own, err := g.a.TopUps.OpenAccount(g.ctx, p.partner, p.vendor.OrgID())
	if err != nil {
		g.t.Fatal(err)
	}
	p.number = own.Number
	return p
}

func (p *payers) pays(ref, payer, day, to string) topup.Imported {
	p.t.Helper()
	out, err := p.a.TopUps.Import(p.ctx, p.vendor, []topup.BankLine{{Ref: ref, PaidOn: day, Currency: "CNY", Amount: 100 * money.Unit, PayerName: payer, PayerAccount: "6222000012345678", AccountNo: to}})
	if err != nil {
		p.t.Fatal(err)
	}
	return out
}

func (p *payers) balance(want money.Amount) {
	p.t.Helper()
	w, err := p.a.Ledger.Wallet(p.ctx, p.vendor.OrgID(), p.partner.OrgID(), "CNY")
	if err != nil || w.Balance != want {
		p.t.Errorf("balance %v %v, want %v", w.Balance, err, want)
	}
}

func (p *payers) make(kind agreement.Kind, payer, begins, ends string) agreement.Agreement {
	p.t.Helper()
	a, err := p.a.Agreements.Make(p.ctx, p.partner, agreement.Input{VendorID: p.vendor.OrgID(), Kind: kind, PayerKind: agreement.PayerCompany, Payer: payer, Begins: begins, Ends: ends})
	if err != nil {
		p.t.Fatal(err)
	}
	return a
}

func (p *payers) do(sc scope.Scope, a agreement.Agreement, do agreement.Action) agreement.Agreement {
	p.t.Helper()
	out, err := p.a.Agreements.Do(p.ctx, sc, a.ID, do, "因为")
	if err != nil {
		p.t.Fatalf("%s: %v", do, err)
	}
	return out
}

func (p *payers) tick() {
	p.t.Helper()
	if _, err := p.a.timer().Tick(p.ctx); err != nil {
		p.t.Fatal(err)
	}
}

var scan = []byte("%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n")

// TestAnotherPayer: what another company transfers is held until an agreement covers it, is credited by itself when one
// comes into force, and is held again once it is void or over.
func TestAnotherPayer(t *testing.T) {
	eachGrowing(t, func(g *growing) {
		p := newPayers(g) // 15 October
		p.pays("own", "P LTD", "2026-10-15", p.number)
		p.balance(100 * money.Unit)
		if out := p.pays("held", "启衡控股", "2026-10-15", p.number); out.Credited != 0 || out.Unclaimed != 1 {
			t.Errorf("%+v", out)
		}
		p.balance(100 * money.Unit)
		claim := topup.ClaimInput{VendorID: p.vendor.OrgID(), Currency: "CNY", Amount: 100 * money.Unit, PaidOn: "2026-10-15", PayerName: "启衡 控股", PayerTail: "5678"}
		_, err := g.a.TopUps.MakeClaim(g.ctx, p.partner, claim)
		g.refused("a claim without an agreement", err, "topup.payer_not_agreed")

		a := p.make(agreement.KindStanding, "启衡控股", "2026-10-10", "2026-11-30")
		_, err = g.a.Agreements.Do(g.ctx, p.partner, a.ID, agreement.ActionSubmit, "")
		g.refused("nothing signed", err, "agreement.not_signed")
		_, err = g.a.Agreements.Find(g.ctx, p.vendor, a.ID)
		g.refused("a draft to the vendor", err, "agreement.unknown")
		_, err = g.a.Agreements.Find(g.ctx, p.other, a.ID)
		g.refused("another partner", err, "agreement.unknown")
		g.refused("a scan that is none", g.a.Agreements.Sign(g.ctx, p.partner, a.ID, []byte("hello")), "paper.unreadable")
		if err := g.a.Agreements.Sign(g.ctx, p.partner, a.ID, scan); err != nil {
			t.Fatal(err)
		}
		a = p.do(p.partner, a, agreement.ActionSubmit)
		g.refused("a scan that is under review", g.a.Agreements.Sign(g.ctx, p.partner, a.ID, scan), "agreement.closed")
		_, err = g.a.Agreements.Do(g.ctx, p.partner, a.ID, agreement.ActionApprove, "")
		g.refused("its own partner approves", err, "scope.permission_missing")
		if _, kept, body, err := g.a.Agreements.Paper(g.ctx, p.vendor, a.ID); err != nil || kept.Format != "pdf" || !bytes.Equal(body, scan) {
			t.Error(kept, err)
		}
		_, _, _, err = g.a.Agreements.Paper(g.ctx, p.other, a.ID)
		g.refused("another's scan", err, "agreement.unknown")
		if a = p.do(p.vendor, a, agreement.ActionApprove); a.State != agreement.StateActive {
			t.Errorf("approved on one of its days: %s", a.State)
		}
		p.balance(200 * money.Unit) // what was held is credited, once
		p.tick()
		p.balance(200 * money.Unit)
		p.pays("covered", "启衡控股", "2026-10-16", p.number)
		p.balance(300 * money.Unit)
		_, err = g.a.Agreements.Make(g.ctx, p.partner, agreement.Input{VendorID: p.vendor.OrgID(), Kind: agreement.KindSingle, PayerKind: agreement.PayerCompany, Payer: "启衡控股", Begins: "2026-10-15"})
		g.refused("two for one payer and day", err, "agreement.taken")
		_, err = g.a.Agreements.Make(g.ctx, p.partner, agreement.Input{VendorID: p.vendor.OrgID(), Kind: agreement.KindSingle, PayerKind: agreement.PayerCompany, Payer: "p ltd", Begins: "2026-10-15"})
		g.refused("its own name", err, "agreement.own_name")

		g.clock.Set(time.Date(2026, 11, 30, 15, 59, 59, 0, time.UTC))
		p.tick()
		if a, err = g.a.Agreements.Find(g.ctx, p.partner, a.ID); err != nil || a.State != agreement.StateActive {
			t.Fatal("ended in its last second", a.State, err)
		}
		g.clock.Set(time.Date(2026, 11, 30, 16, 0, 0, 0, time.UTC))
		p.tick()
		if a, err = g.a.Agreements.Find(g.ctx, p.partner, a.ID); err != nil || a.State != agreement.StateExpired {
			t.Fatal("not over", a.State, err)
		}
		p.pays("late", "启衡控股", "2026-12-01", p.number)
		p.balance(300 * money.Unit)
		p.pays("of its last day", "启衡控股", "2026-11-30", p.number)
		p.balance(400 * money.Unit)
	})
}

// TestClaimOfAnother: a single agreement holds at once for its day; a claim whose agreement was made void meanwhile is not
// approved, for its day or a later one; one that lies ahead takes effect by the clock.
func TestClaimOfAnother(t *testing.T) {
	eachGrowing(t, func(g *growing) {
		p := newPayers(g)
		p.pays("1", "云帆科技", "2026-10-15", "")
		claim := topup.ClaimInput{VendorID: p.vendor.OrgID(), Currency: "CNY", Amount: 100 * money.Unit, PaidOn: "2026-10-15", PayerName: "云帆科技", PayerTail: "5678"}
		a := p.make(agreement.KindSingle, "云帆科技", "2026-10-15", "")
		if a.State != agreement.StateActive {
			t.Fatalf("%+v", a)
		}
		c, err := g.a.TopUps.MakeClaim(g.ctx, p.partner, claim)
		if err != nil {
			t.Fatal(err)
		}
		_, err = g.a.Agreements.Do(g.ctx, p.other, a.ID, agreement.ActionVoid, "不是我的")
		g.refused("a stranger makes it void", err, "agreement.unknown")
		_, err = g.a.Agreements.Do(g.ctx, p.partner, a.ID, agreement.ActionVoid, " ")
		g.refused("void without a reason", err, "flow.reason_missing")
		p.do(p.vendor, a, agreement.ActionVoid)
		buttons, err := g.a.TopUps.ClaimActions(g.ctx, p.vendor, &c)
		if err != nil || len(buttons) == 0 || buttons[0].Enabled {
			t.Error(buttons, err)
		}
		_, err = g.a.TopUps.Decide(g.ctx, p.vendor, c.ID, topup.ClaimApprove, "")
		g.refused("approved without its agreement", err, "topup.payer_not_agreed")
		p.make(agreement.KindSingle, "云帆科技", "2026-10-15", "")
		if _, err := g.a.TopUps.Decide(g.ctx, p.vendor, c.ID, topup.ClaimApprove, ""); err != nil {
			t.Error(err)
		}
		p.balance(100 * money.Unit)

		ahead := p.make(agreement.KindStanding, "云帆科技", "2026-10-20", "2026-12-31")
		if err := g.a.Agreements.Sign(g.ctx, p.partner, ahead.ID, scan); err != nil {
			t.Fatal(err)
		}
		p.do(p.partner, ahead, agreement.ActionSubmit)
		if ahead = p.do(p.vendor, ahead, agreement.ActionApprove); ahead.State != agreement.StateApproved {
			t.Errorf("in force before its day: %s", ahead.State)
		}
		g.clock.Set(time.Date(2026, 10, 19, 16, 0, 0, 0, time.UTC))
		p.tick()
		if ahead, err = g.a.Agreements.Find(g.ctx, p.partner, ahead.ID); err != nil || ahead.State != agreement.StateActive {
			t.Error(ahead.State, err)
		}
	})
}
