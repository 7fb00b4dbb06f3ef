package bill

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"huoban/internal/money"
	"huoban/internal/price"
	"huoban/internal/usage"
)

func itemOf(customer, product string, kind usage.Kind, base, factor string) Item {
	x, f := money.MustExact(base), money.MustExact(factor)
	exact := x.Mul(f)
	amount, err := exact.Amount()
	if err != nil {
		panic(err)
	}
	return Item{Customer: Party{ID: customer, Code: customer}, Product: product, Kind: kind, Base: price.BaseBilled, Factor: f,
		SourceExact: x, BaseExact: x, Exact: exact, Amount: amount, LineCount: 1}
}

func documentOf(t interface{ Fatal(...any) }, taxInDue bool, items ...Item) *Document {
	d := &Document{Currency: "CNY", TaxInDue: taxInDue, Items: items}
	SortItems(d.Items)
	if err := d.total(); err != nil {
		t.Fatal(err)
	}
	return d
}

func sumOf(reasons []Reason) (sum money.Exact) {
	for _, r := range reasons {
		sum = sum.Add(r.Amount)
	}
	return sum
}

func tell(reasons []Reason) (out string) {
	for _, r := range reasons {
		out += fmt.Sprintf("%s %s", r.Kind, r.Amount)
		for _, p := range r.From {
			out += fmt.Sprintf(" [%s/%s %s]", p.Customer.Code, p.Product, p.Amount)
		}
		out += "; "
	}
	return out
}

func TestChangeNamesTheReasons(t *testing.T) {
	c, r, a := usage.KindConsumption, usage.KindRefund, usage.KindAdjustment
	for _, x := range []struct {
		name     string
		old, now []Item
		want     string
	}{
		{"nothing", nil, nil, ""},
		{"equal", []Item{itemOf("a", "vm", c, "10", "0.8")}, []Item{itemOf("a", "vm", c, "10", "0.8")}, ""},
		{"new customer", []Item{itemOf("a", "vm", c, "10", "0.8")}, []Item{itemOf("a", "vm", c, "10", "0.8"), itemOf("b", "vm", c, "5", "0.8")}, "new_customers 4 [b/ 4]; "},
		{"lost customer", []Item{itemOf("a", "vm", c, "10", "0.8"), itemOf("b", "vm", c, "5", "0.8")}, []Item{itemOf("b", "vm", c, "5", "0.8")}, "lost_customers -8 [a/ -8]; "},
		{"usage", []Item{itemOf("a", "vm", c, "10", "0.8")}, []Item{itemOf("a", "vm", c, "15", "0.8")}, "usage 4 [a/vm 4]; "},
		{"price", []Item{itemOf("a", "vm", c, "10", "0.8")}, []Item{itemOf("a", "vm", c, "10", "0.9")}, "price 1 [a/vm 1]; "},
		{"usage and price", []Item{itemOf("a", "vm", c, "10", "0.8")}, []Item{itemOf("a", "vm", c, "20", "0.9")}, "usage 8 [a/vm 8]; price 2 [a/vm 2]; "},
		{"another product of a customer that stays", []Item{itemOf("a", "vm", c, "10", "0.8")}, []Item{itemOf("a", "disk", c, "20", "0.9")}, "usage 10 [a/disk 18] [a/vm -8]; "},
		{"refund and adjustment", []Item{itemOf("a", "vm", r, "-1", "1")}, []Item{itemOf("a", "vm", c, "20", "1"), itemOf("a", "vm", a, "3", "1")},
			"new_customers 20 [a/ 20]; refunds 1 [a/ 1]; adjustments 3 [a/ 3]; rounding -1; "},
		{"rounding", []Item{itemOf("a", "vm", c, "10.001", "1")}, []Item{itemOf("a", "vm", c, "10.009", "1")}, "usage 0.008 [a/vm 0.008]; rounding -0.008; "},
		{"below zero", []Item{itemOf("a", "vm", c, "10", "1")}, []Item{itemOf("a", "vm", c, "10", "1"), itemOf("a", "vm", r, "-25", "1")}, "refunds -25 [a/ -25]; rounding 15; "},
	} {
		old, now := documentOf(t, false, x.old...), documentOf(t, false, x.now...)
		if got := tell(Change(old, now)); got != x.want {
			t.Errorf("%s: %s, want %s", x.name, got, x.want)
		}
	}
}

// A rule that takes another column: the billed amounts compare, not the bases.
func TestChangeAcrossBaseColumns(t *testing.T) {
	old, now := itemOf("a", "vm", usage.KindConsumption, "100", "0.8"), itemOf("a", "vm", usage.KindConsumption, "200", "0.45")
	now.Base, now.SourceExact = price.BaseList, money.MustExact("100")
	if got := tell(Change(documentOf(t, false, old), documentOf(t, false, now))); got != "price 10 [a/vm 10]; " {
		t.Error(got)
	}
}

func TestChangeFoldsTheSmallest(t *testing.T) {
	c := usage.KindConsumption
	old := documentOf(t, true, itemOf("lost", "vm", c, "100", "1"), itemOf("a", "vm", c, "100", "0.8"), itemOf("a", "vm", usage.KindTax, "3", "1"))
	now := documentOf(t, true, itemOf("new", "vm", c, "70", "1"), itemOf("a", "vm", c, "150", "0.9"), itemOf("a", "vm", usage.KindTax, "9.005", "1"),
		itemOf("a", "vm", usage.KindRefund, "-5", "1"), itemOf("a", "vm", usage.KindAdjustment, "4", "1"), itemOf("a", "vm", KindCoupon, "-2", "1"))
	got := Change(old, now)
	if len(got) != MaxReasons || !sumOf(got).Equal((now.Due - old.Due).Exact()) {
		t.Fatalf("%d reasons sum to %s: %s", len(got), sumOf(got), tell(got))
	}
	if last := got[len(got)-1]; last.Kind != ReasonOthers || fmt.Sprint(last.Of) != "[adjustments coupons rounding]" || last.Amount.String() != "1.995" {
		t.Errorf("%s, others of %v", tell(got), last.Of)
	}
}

func drawDocument(t *rapid.T, name string) *Document {
	kinds := []usage.Kind{usage.KindConsumption, usage.KindConsumption, usage.KindRefund, usage.KindAdjustment, usage.KindTax, KindCoupon}
	var items []Item
	for i := range rapid.IntRange(0, 25).Draw(t, name) {
		kind := rapid.SampledFrom(kinds).Draw(t, "kind")
		base := fmt.Sprintf("%d.%010d", rapid.Int64Range(-9, 99999).Draw(t, "whole"), rapid.Int64Range(0, 9999999999).Draw(t, "part"))
		if rapid.IntRange(0, 9).Draw(t, "zero") == 0 {
			base = "0"
		}
		it := itemOf(fmt.Sprint("c", rapid.IntRange(1, 5).Draw(t, "customer")), fmt.Sprint("p", rapid.IntRange(1, 3).Draw(t, "product")), kind, base,
			rapid.SampledFrom([]string{"1", "0.8", "0.85", "0.333333"}).Draw(t, "factor"))
		it.Base = rapid.SampledFrom([]price.Base{price.BaseBilled, price.BaseBilled, price.BaseList}).Draw(t, "base")
		it.SourceExact = it.SourceExact.Add(money.MustExact(fmt.Sprint(i % 3)))
		items = append(items, it)
	}
	return documentOf(t, rapid.Bool().Draw(t, "tax"), items...)
}

func TestChangeSumsToTheDifference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		old, now := drawDocument(t, "old"), drawDocument(t, "now")
		got := Change(old, now)
		if want := (now.Due - old.Due).Exact(); !sumOf(got).Equal(want) {
			t.Fatalf("reasons sum to %s, the bills differ by %s: %s", sumOf(got), want, tell(got))
		}
		if len(got) > MaxReasons {
			t.Fatalf("%d reasons", len(got))
		}
		seen := map[ReasonKind]bool{}
		for _, r := range got {
			if r.Amount.IsZero() || r.Amount.Scale() > 8 || seen[r.Kind] {
				t.Fatalf("reason %+v", r)
			}
			seen[r.Kind] = true
			var of money.Exact
			for i, p := range r.From {
				of = of.Add(p.Amount)
				if i > 0 && abs(p.Amount).Cmp(abs(r.From[i-1].Amount)) > 0 {
					t.Fatalf("contributors out of order: %s", tell(got))
				}
			}
			if r.Kind != ReasonRounding && r.Kind != ReasonOthers && !of.Equal(r.Amount) {
				t.Fatalf("contributors of %s sum to %s, not %s", r.Kind, of, r.Amount)
			}
		}
		if back := Change(now, old); !sumOf(back).Equal(sumOf(got).Neg()) {
			t.Fatal("the way back differs")
		}
		if same := Change(now, now); len(same) > 0 {
			t.Fatalf("a bill differs from itself: %s", tell(same))
		}
		if whole := Change(nil, now); !sumOf(whole).Equal(now.Due.Exact()) {
			t.Fatalf("from nothing: %s", tell(whole))
		}
	})
}
