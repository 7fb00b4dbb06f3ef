package closestore_test

import (
	"context"
	"testing"
	"time"

	"huoban/internal/adjustment"
	"huoban/internal/attribution"
	"huoban/internal/bill"
	"huoban/internal/cycle"
	"huoban/internal/delivery"
	"huoban/internal/fault"
	"huoban/internal/scope"
	"huoban/internal/store"
	"huoban/internal/store/storetest"
	"huoban/internal/usage"
)

// linesOf streams the lines of a key in a slot.
func (w *world) linesOf(slot int64, key string) func(context.Context, func(*usage.Stored) error) error {
	return func(ctx context.Context, fn func(*usage.Stored) error) error {
		return w.usage.EachLine(ctx, []int64{slot}, func(l *usage.Stored) error {
			if l.Account.SubAccount != key {
				return nil
			}
			return fn(l)
		})
	}
}

func (w *world) remap(c cycle.Cycle, key, from, to string) {
	w.t.Helper()
	err := w.db.InTx(w.ctx, func(ctx context.Context) error {
		return w.adjust.Remap(ctx, []attribution.Move{{SourceID: w.source, Source: "nova", VendorID: w.org["Nova"], Key: key, Cycle: c,
			Currency: "USD", From: w.org[from], To: w.org[to], Lines: w.linesOf(w.slots[c], key)}})
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) adjustments(f adjustment.Filter) []adjustment.Adjustment {
	w.t.Helper()
	f.VendorID = w.org["Nova"]
	list, err := w.adjust.List(w.ctx, operator, f)
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

func TestRemapAfterClose(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.usual(august)
		w.priceFile("Sol,,,,,,normal,billed,0.9,,", "Dis,,,,,,normal,list,0.8,,", "Res,,,,,,normal,billed,0.95,,")
		w.mustRun(august, true)
		before := w.canonical(august)
		w.priceFile("Res,,,,,,promotion,billed,0.5,2026-08-01,2026-09-01")
		w.remap(august, "a-1", "Ana", "Ben")
		if w.canonical(august) != before {
			t.Error("the closed bill changed")
		}
		list := w.adjustments(adjustment.Filter{Cycle: september})
		if len(list) != 2 || list[0].Side != adjustment.SideOut || list[1].Side != adjustment.SideIn || list[0].PairID != list[1].PairID {
			t.Fatalf("pair: %+v", list)
		}
		out, in := list[0], list[1]
		if !out.Base.Add(in.Base).IsZero() || in.Base.String() != "12.623456789" || out.LineCount != 2 {
			t.Errorf("base %s and %s", out.Base, in.Base)
		}
		if len(out.Prices) != 1 || out.Prices[0].Amount.String() != "-11.36111111" || out.Prices[0].PartnerID != w.org["Sol"] {
			t.Errorf("out: %+v", out.Prices)
		}
		// Dis pays 0.8 of the list price where a line has one, and of the billed amount where not.
		got := map[string]string{}
		for _, p := range in.Prices {
			got[p.PartnerID+string(p.Base)] = p.Amount.String()
		}
		if got[w.org["Res"]+"billed"] != "6.31172839" {
			t.Errorf("in for the reseller: %v", got)
		}
		if got[w.org["Dis"]+"list"] != "9.6" || got[w.org["Dis"]+"billed"] != "2" {
			t.Errorf("in for the distributor: %v", got)
		}
		moved := 0
		store := w.adjust.Store
		if err := store.Moves(w.ctx, operator, in.ID, func(m adjustment.Move) error { moved++; return nil }); err != nil || moved != 2 {
			t.Errorf("%d moved lines, %v", moved, err)
		}
		w.deliver(september, true, line{customer: "Ana", key: "a-1", billed: "20", day: 1}, line{customer: "Ben", key: "b-1", billed: "10", day: 1})
		w.clock.Set(time.Date(2026, 10, 3, 0, 0, 0, 0, time.UTC))
		w.mustRun(september, true)
		sol := w.bill(september, "Sol", "USD")
		if sol.Consumption.String() != "18" || sol.Adjustment.String() != "-11.36111111" || sol.Due.String() != "6.63" {
			t.Errorf("Sol in September: %s %s due %s", sol.Consumption, sol.Adjustment, sol.Due)
		}
		for _, it := range sol.Items {
			if it.Origin == bill.OriginAdjustment && (it.Adjusts == nil || it.Adjusts.CorrectsCycle != august || it.Adjusts.Key != "a-1" || it.Adjusts.Side != "out") {
				t.Errorf("the adjustment item names %+v", it.Adjusts)
			}
		}
		// Moved on from where it is now, to a referral customer: out of Ben as he was billed, into nothing.
		w.remap(august, "a-1", "Ben", "Cho")
		list = w.adjustments(adjustment.Filter{Cycle: october})
		if len(list) != 2 || len(list[1].Prices) != 0 {
			t.Fatalf("second pair: %+v", list)
		}
		for _, p := range list[0].Prices {
			if p.PartnerID == w.org["Res"] && p.Amount.String() != "-"+got[w.org["Res"]+"billed"] {
				t.Errorf("taken back %s of %s", p.Amount, got[w.org["Res"]+"billed"])
			}
		}
		refused(t, w, "update adjustment set base = '1' where cycle = '2026-09'")
		refused(t, w, "update adjustment_price set amount_e8 = 0")
		refused(t, w, "delete from adjustment_move")
	})
}

func TestLateLines(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.usual(august)
		w.mustRun(august, true)
		before := w.canonical(august)
		late := w.slot(august, "late", line{customer: "Ana", key: "a-1", billed: "4", day: 9}, line{customer: "Ana", key: "a-1", billed: "1", kind: usage.KindTax, day: 9})
		err := w.db.InTx(w.ctx, func(ctx context.Context) error {
			return w.adjust.Late(ctx, delivery.LateChange{SourceID: w.source, Source: "nova", VendorID: w.org["Nova"], DeliveryID: w.delivery, Cycle: august,
				OldSlots: []int64{w.slots[august]}, NewSlot: late, Added: w.linesOf(late, "a-1"), Removed: w.linesOf(w.slots[august], "a-2")})
		})
		if err != nil {
			t.Fatal(err)
		}
		list := w.adjustments(adjustment.Filter{Kind: adjustment.KindLate})
		if len(list) != 2 || list[0].Cycle != september {
			t.Fatalf("late: %+v", list)
		}
		docs, err := w.close.Estimate(w.ctx, operator, w.org["Nova"], september)
		if err != nil || len(docs) != 1 {
			t.Fatalf("%d estimates, %v", len(docs), err)
		}
		// 4 came late, the refund of −1.25 vanished and is taken back; the tax stays apart.
		if d := docs[0]; d.Adjustment.String() != "5.25" || d.Tax.String() != "1" || d.Due.String() != "5.25" {
			t.Errorf("adjustment %s, tax %s, due %s", d.Adjustment, d.Tax, d.Due)
		}
		if w.canonical(august) != before {
			t.Error("the closed bill changed")
		}
	})
}

// A tax line that comes late is spread by what the closed cycle billed, as it would have been then.
func TestLateSpread(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.deliver(august, true, line{customer: "Ana", key: "a-1", billed: "1", day: 1}, line{customer: "Ben", key: "b-1", billed: "2", day: 1})
		w.mustRun(august, true)
		late := w.slot(august, "late", line{customer: "~", billed: "1", kind: usage.KindTax, day: 9})
		err := w.db.InTx(w.ctx, func(ctx context.Context) error {
			return w.adjust.Late(ctx, delivery.LateChange{SourceID: w.source, Source: "nova", VendorID: w.org["Nova"], DeliveryID: w.delivery, Cycle: august,
				NewSlot: late, Added: w.linesOf(late, ""), Removed: w.linesOf(late, "none")})
		})
		if err != nil {
			t.Fatal(err)
		}
		docs, err := w.close.Estimate(w.ctx, operator, w.org["Nova"], september)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, d := range docs {
			got[d.Partner.Code] = d.Tax.String()
		}
		if got["Sol"] != "0.33333333" || got["Res"] != "0.66666667" || got["Dis"] != "0.66666667" {
			t.Errorf("tax parts %v", got)
		}
	})
}

func TestStaffAdjustment(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.usual(august)
		w.mustRun(august, true)
		items := []scope.Item{scope.ItemAdjustmentPropose, scope.ItemAdjustmentApprove, scope.ItemAdjustmentView}
		lin := scope.Vendor(w.org["Nova"], "p1", "lin", items)
		mei := scope.Vendor(w.org["Nova"], "p2", "mei", items)
		in := adjustment.Proposal{VendorID: w.org["Nova"], PartnerID: w.org["Sol"], CustomerID: w.org["Ana"], Corrects: august, Currency: "USD",
			Amount: "-3.5", Reason: "outage credit"}
		a, err := w.adjust.Propose(w.ctx, lin, in)
		if err != nil || a.State != adjustment.StateProposed || a.Cycle != september {
			t.Fatalf("%+v, %v", a, err)
		}
		if _, err := w.adjust.Approve(w.ctx, lin, a.ID); !fault.HasCode(err, "adjustment.same_person") {
			t.Errorf("the same person: %v", err)
		}
		w.deliver(september, true, line{customer: "Ana", key: "a-1", billed: "20", day: 1})
		w.clock.Set(time.Date(2026, 10, 3, 0, 0, 0, 0, time.UTC))
		if _, err := w.run(september, true); !fault.HasCode(err, "monthclose.adjustment_undecided") {
			t.Errorf("a proposal nobody decided: %v", err)
		}
		if a, err = w.adjust.Approve(w.ctx, mei, a.ID); err != nil || a.State != adjustment.StateApproved || a.ApprovedBy != "mei" {
			t.Fatalf("%+v, %v", a, err)
		}
		if _, err := w.adjust.Reject(w.ctx, mei, a.ID, "no"); !fault.HasCode(err, "flow.not_from_state") {
			t.Errorf("decided twice: %v", err)
		}
		w.mustRun(september, true)
		d := w.bill(september, "Sol", "USD")
		if d.Adjustment.String() != "-3.5" || d.Due.String() != "16.5" {
			t.Errorf("adjustment %s, due %s", d.Adjustment, d.Due)
		}
		stranger := scope.Partner(w.org["Sol"], "p3", "sol", items, nil)
		if _, err := w.adjust.Propose(w.ctx, stranger, in); !fault.HasCode(err, "adjustment.partner_unknown") {
			t.Errorf("a partner proposes: %v", err)
		}
	})
}

func TestProposalChecks(t *testing.T) {
	good := adjustment.Proposal{VendorID: "v", PartnerID: "p", Corrects: august, Currency: "USD", Amount: "1", Reason: "r"}
	for code, change := range map[string]func(*adjustment.Proposal){
		"adjustment.partner_missing":  func(p *adjustment.Proposal) { p.PartnerID = "" },
		"adjustment.reason_missing":   func(p *adjustment.Proposal) { p.Reason = "  " },
		"adjustment.amount_zero":      func(p *adjustment.Proposal) { p.Amount = "0.0" },
		"adjustment.amount_scale":     func(p *adjustment.Proposal) { p.Amount = "0.000000001" },
		"adjustment.currency_unknown": func(p *adjustment.Proposal) { p.Currency = "usd" },
		"cycle.malformed":             func(p *adjustment.Proposal) { p.Corrects = "2026-13" },
		"money.malformed":             func(p *adjustment.Proposal) { p.Amount = "1,000" },
	} {
		p := good
		change(&p)
		if _, err := p.Validate(); !fault.HasCode(err, code) {
			t.Errorf("want %s, got %v", code, err)
		}
	}
	if _, err := good.Validate(); err != nil {
		t.Error(err)
	}
}
