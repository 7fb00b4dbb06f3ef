package app

import (
	"context"
	"testing"

	"huoban/internal/audit"
	"huoban/internal/bill"
	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/expenditure"
	"huoban/internal/money"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/usage"
)

// checkFigures holds the figures of pages against the bills of the demo world: the reasons of every
// change sum to it, and what a partner's customers consumed by resale is what its bills come from.
func checkFigures(t *testing.T, a *App) {
	ctx := audit.WithRequest(context.Background(), audit.Request{SystemUser: "test"})
	orgs, err := a.Organisations.List(ctx, scope.System("operator"))
	if err != nil {
		t.Fatal(err)
	}
	changes, consumed := 0, 0
	for _, o := range orgs {
		if !o.Kind.IsPartner() {
			continue
		}
		sc := scope.Partner(o.ID, "p", "l", []scope.Item{scope.ItemExpenditureView}, resellersOf(orgs, o))
		var before []bill.Document
		for c := cycle.Cycle("2026-04"); c <= "2026-11"; c = c.Next() {
			docs, err := a.BillsOf(ctx, scope.System("operator"), o, c)
			if err != nil {
				t.Fatal(err)
			}
			changes += checkChanges(t, before, docs)
			consumed += checkConsumption(t, a, sc, o, c, docs)
			before = docs
		}
	}
	if changes < 30 || consumed < 30 {
		t.Errorf("only %d changes and %d bills were checked", changes, consumed)
	}
}

func resellersOf(orgs []organisation.Organisation, o organisation.Organisation) (ids []string) {
	for _, r := range orgs {
		if r.ParentID == o.ID {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

func checkChanges(t *testing.T, before, docs []bill.Document) (n int) {
	t.Helper()
	for i := range docs {
		d := &docs[i]
		var old *bill.Document
		want := d.Due
		for k := range before {
			if b := &before[k]; b.Vendor == d.Vendor && b.Partner == d.Partner && b.Currency == d.Currency && b.Entity == d.Entity {
				old, want = b, d.Due-b.Due
			}
		}
		var sum money.Exact
		reasons := bill.Change(old, d)
		for _, r := range reasons {
			sum = sum.Add(r.Amount)
		}
		if !sum.Equal(want.Exact()) || len(reasons) > bill.MaxReasons {
			t.Errorf("%s %s: %d reasons sum to %s, the difference is %s", d.Partner.Code, d.Cycle, len(reasons), sum, want)
		}
		n++
	}
	return n
}

// checkConsumption compares with the items of the partner's own bills, corrections apart.
func checkConsumption(t *testing.T, a *App, sc scope.Scope, o organisation.Organisation, c cycle.Cycle, docs []bill.Document) (n int) {
	t.Helper()
	type figures struct {
		lines  int64
		amount money.Exact
	}
	want := map[string]figures{}
	for i := range docs {
		if docs[i].Partner.ID != o.ID {
			continue
		}
		n++
		f := want[docs[i].Currency]
		for _, it := range docs[i].Items {
			if it.Origin == bill.OriginAdjustment || it.Kind == bill.KindCoupon { // what a voucher paid is no consumption
				continue
			}
			f.lines += it.LineCount
			if it.Kind != usage.KindTax {
				f.amount = f.amount.Add(it.SourceExact)
			}
		}
		want[docs[i].Currency] = f
	}
	for currency, w := range want {
		var got, listed figures
		s, err := a.Expenditure.Summarise(t.Context(), sc, expenditure.Filter{Cycle: c, Currency: currency})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range s.Rows {
			if r.Relation != customer.KindReferral {
				got.lines, got.amount = got.lines+r.Lines, got.amount.Add(r.Amount())
			}
		}
		_, err = a.Expenditure.EachLine(t.Context(), sc, expenditure.Filter{Cycle: c, Currency: currency}, func(r *expenditure.LineRow) error {
			if r.Relation != customer.KindReferral {
				listed.lines++
				if r.Line.Kind != usage.KindTax {
					listed.amount = listed.amount.Add(r.Line.Billed)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for what, g := range map[string]figures{"summary": got, "lines": listed} {
			if g.lines != w.lines || !g.amount.Equal(w.amount) {
				t.Errorf("%s %s %s: %s of %d lines and %s, bills have %d and %s", o.Code, c, currency, what, g.lines, g.amount, w.lines, w.amount)
			}
		}
	}
	return n
}
