package bill_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"huoban/internal/bill"
	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/money"
	"huoban/internal/price"
	"huoban/internal/usage"
)

var x = money.MustExact

// The cast: vendor V sells to solution partner S and to distributor D, D to reseller R. Customer cs
// buys from S, cr from R, cf from S by referral, cm moved from S to R in mid-September.
var moved = time.Date(2024, 9, 15, 0, 0, 0, 0, time.UTC)

func directory(taxInDue bool) *bill.Directory {
	org := func(id, kind, parent string) bill.Org {
		return bill.Org{ID: "id-" + id, Code: id, Name: id, Kind: kind, ParentID: parent}
	}
	link := func(c, p string, kind customer.Kind, from, to time.Time) customer.Association {
		return customer.Association{ID: c + p, CustomerID: "id-" + c, PartnerID: "id-" + p, Kind: kind, State: customer.StateActive, From: from, To: to}
	}
	never := time.Time{}
	return bill.NewDirectory([]bill.Org{org("V", "vendor", ""), org("S", "solution", ""), org("D", "distributor", ""), org("R", "reseller", "id-D"),
		org("cs", "customer", ""), org("cr", "customer", ""), org("cf", "customer", ""), org("cm", "customer", ""), org("alone", "customer", "")},
		customer.NewBook([]customer.Association{link("cs", "S", customer.KindResale, never, never), link("cr", "R", customer.KindResale, never, never),
			link("cf", "S", customer.KindReferral, never, never), link("cm", "S", customer.KindResale, never, moved),
			link("cm", "R", customer.KindResale, moved, never)}),
		[]bill.Entity{{ID: "e1", Code: "main", IsDefault: true, TaxInDue: taxInDue}, {ID: "e2", Code: "abroad"}},
		map[string]string{"src2": "e2"}, nil)
}

func line(customerCode, billed string, change ...func(*usage.Stored)) *usage.Stored {
	l := &usage.Stored{SlotID: 1, Line: usage.Line{ChargeStart: time.Date(2024, 9, 10, 5, 0, 0, 0, time.UTC), Kind: usage.KindConsumption,
		Currency: "USD", Billed: x(billed), Account: usage.Account{Provider: "AWS"}, Product: usage.Product{Service: "Compute", Region: "eu"}}}
	if customerCode != "" && customerCode != "~" {
		customerCode = "id-" + customerCode
	}
	l.CustomerID = customerCode
	for _, f := range change {
		f(l)
	}
	return l
}

func kind(k usage.Kind) func(*usage.Stored) { return func(l *usage.Stored) { l.Kind = k } }
func in(currency string) func(*usage.Stored) {
	return func(l *usage.Stored) { l.Currency = currency }
}
func at(t time.Time) func(*usage.Stored) { return func(l *usage.Stored) { l.ChargeStart = t } }
func slot(n int64) func(*usage.Stored)   { return func(l *usage.Stored) { l.SlotID = n } }

func rule(n int64, partner, factor string, change ...func(*price.Rule)) price.Rule {
	r := price.Rule{ID: fmt.Sprint("r", n), VendorID: "id-V", Number: n, Version: 1, State: price.StateActive, Seq: 1, Type: price.TypeNormal,
		Base: price.BaseBilled, Factor: x(factor)}
	if partner != "" {
		r.PartnerID = "id-" + partner
	}
	for _, f := range change {
		f(&r)
	}
	return r
}

func config(taxInDue bool, rules ...price.Rule) bill.Config {
	return bill.Config{VendorID: "id-V", Cycle: "2024-09", Book: price.NewBook("id-V", 1, rules), Parties: directory(taxInDue),
		Slots: []bill.Slot{{ID: 1, SourceID: "src1", SourceName: "one", Zone: time.UTC}, {ID: 2, SourceID: "src2", SourceName: "two", Zone: cycle.Zone}}}
}

func build(t testing.TB, cfg bill.Config, lines ...*usage.Stored) *bill.Result {
	t.Helper()
	b, err := bill.NewBuilder(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		if err := b.Add(l); err != nil {
			t.Fatal(err)
		}
	}
	r, err := b.Result()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func figures(d *bill.Document) string {
	return fmt.Sprintf("%s←%s %s %s: %s %s %s %s tax %s due %s source %s exact %s residue %s lines %d", d.Partner.Code, d.Seller.Code, d.Currency, d.Entity.Code,
		d.Consumption, d.Refund, d.Adjustment, d.Rounding, d.Tax, d.Due, d.SourceTotal, d.ExactTotal, d.Residue(), d.LineCount)
}

func TestBills(t *testing.T) {
	for _, c := range []struct {
		name  string
		cfg   bill.Config
		lines []*usage.Stored
		want  []string
	}{
		{"the bill equals the file", config(false), []*usage.Stored{line("cs", "22.62192672899"), line("cs", "-2.3417", kind(usage.KindAdjustment))},
			[]string{"S←V USD main: 22.62192673 0 -2.3417 -0.00022673 tax 0 due 20.28 source 20.28022672899 exact 20.28022672899 residue -0.00000000101 lines 2"}},
		{"a factor of 0.85", config(false, rule(1, "", "0.85")), []*usage.Stored{line("cs", "22.62192672899"), line("cs", "-2.3417", kind(usage.KindAdjustment))},
			[]string{"S←V USD main: 19.22863772 0 -1.990445 -0.00819272 tax 0 due 17.23 source 20.28022672899 exact 17.2381927196415 residue -0.0000000003585 lines 2"}},
		{"each line is rounded once", config(false), []*usage.Stored{line("cs", "0.000000005"), line("cs", "0.000000005"), line("cs", "-0.000000005")},
			[]string{"S←V USD main: 0.00000001 0 0 -0.00000001 tax 0 due 0 source 0.000000005 exact 0.000000005 residue -0.000000005 lines 3"}},
		{"refunds beyond consumption", config(false), []*usage.Stored{line("cs", "1"), line("cs", "-3.456", kind(usage.KindRefund))},
			[]string{"S←V USD main: 1 -3.456 0 0.006 tax 0 due 0 source -2.456 exact -2.456 residue 0 lines 2"}},
		{"tax stands apart", config(false), []*usage.Stored{line("cs", "100.129"), line("cs", "6.005", kind(usage.KindTax))},
			[]string{"S←V USD main: 100.129 0 0 -0.009 tax 6.005 due 100.12 source 100.129 exact 100.129 residue 0 lines 2"}},
		{"tax in the amount due", config(true), []*usage.Stored{line("cs", "100.129"), line("cs", "6.005", kind(usage.KindTax))},
			[]string{"S←V USD main: 100.129 0 0 -0.004 tax 6.005 due 106.13 source 100.129 exact 100.129 residue 0 lines 2"}},
		{"minor units", config(false), []*usage.Stored{line("cs", "12.9999", in("JPY")), line("cs", "12.9999", in("KWD"))},
			[]string{"S←V JPY main: 12.9999 0 0 -0.9999 tax 0 due 12 source 12.9999 exact 12.9999 residue 0 lines 1",
				"S←V KWD main: 12.9999 0 0 -0.0009 tax 0 due 12.999 source 12.9999 exact 12.9999 residue 0 lines 1"}},
		{"distributor and reseller", config(false, rule(1, "", "0.7"), rule(2, "R", "0.9")), []*usage.Stored{line("cr", "10")},
			[]string{"D←V USD main: 7 0 0 0 tax 0 due 7 source 10 exact 7 residue 0 lines 1", "R←D USD main: 9 0 0 0 tax 0 due 9 source 10 exact 9 residue 0 lines 1"}},
		{"entities are billed apart", config(false), []*usage.Stored{line("cs", "1"), line("cs", "2", slot(2))},
			[]string{"S←V USD abroad: 2 0 0 0 tax 0 due 2 source 2 exact 2 residue 0 lines 1", "S←V USD main: 1 0 0 0 tax 0 due 1 source 1 exact 1 residue 0 lines 1"}},
		{"a customer moves", config(false), []*usage.Stored{line("cm", "1", at(moved.Add(-time.Microsecond))), line("cm", "2", at(moved))},
			[]string{"D←V USD main: 2 0 0 0 tax 0 due 2 source 2 exact 2 residue 0 lines 1", "R←D USD main: 2 0 0 0 tax 0 due 2 source 2 exact 2 residue 0 lines 1",
				"S←V USD main: 1 0 0 0 tax 0 due 1 source 1 exact 1 residue 0 lines 1"}},
		{"a partner's own consumption", config(false), []*usage.Stored{line("S", "1")}, []string{"S←V USD main: 1 0 0 0 tax 0 due 1 source 1 exact 1 residue 0 lines 1"}},
		{"the day is the source's", config(false, rule(1, "", "0.5", func(r *price.Rule) { r.ValidFrom = "2024-09-11" })),
			[]*usage.Stored{line("cs", "1", at(time.Date(2024, 9, 10, 16, 0, 0, 0, time.UTC))), line("cs", "1", slot(2), at(time.Date(2024, 9, 10, 16, 0, 0, 0, time.UTC)))},
			[]string{"S←V USD abroad: 0.5 0 0 0 tax 0 due 0.5 source 1 exact 0.5 residue 0 lines 1", "S←V USD main: 1 0 0 0 tax 0 due 1 source 1 exact 1 residue 0 lines 1"}},
	} {
		r := build(t, c.cfg, c.lines...)
		if len(r.Documents) != len(c.want) {
			t.Errorf("%s: %d bills, want %d", c.name, len(r.Documents), len(c.want))
			continue
		}
		for i := range r.Documents {
			if got := figures(&r.Documents[i]); got != c.want[i] {
				t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want[i])
			}
		}
	}
}

func TestLooseLines(t *testing.T) {
	r := build(t, config(false), line("", "1"), line("", "2"), line("~", "3"), line("alone", "4"), line("cf", "5"))
	got := ""
	for _, l := range r.Loose {
		got += fmt.Sprintf("%s %s %s×%d; ", l.Standing, l.Customer.Code, l.Billed, l.LineCount)
	}
	if want := "alone alone 4×1; referral cf 5×1; spread  3×1; unmapped  3×2; "; got != want || len(r.Documents) != 0 {
		t.Errorf("loose %q, want %q; %d bills", got, want, len(r.Documents))
	}
}

func TestSpreadCountsByItsParts(t *testing.T) {
	b, err := bill.NewBuilder(config(false))
	if err != nil {
		t.Fatal(err)
	}
	whole := line("~", "10", kind(usage.KindTax))
	if err := b.Add(whole); err != nil {
		t.Fatal(err)
	}
	for _, p := range []*usage.Stored{line("cs", "3.33333333", kind(usage.KindTax)), line("cr", "6.66666667", kind(usage.KindTax))} {
		if err := b.AddShare(&usage.Share{Of: whole.Place(), Part: *p}); err != nil {
			t.Fatal(err)
		}
	}
	r, err := b.Result()
	if err != nil || len(r.Loose) != 0 || len(r.Documents) != 3 {
		t.Fatalf("%d loose, %d bills, %v", len(r.Loose), len(r.Documents), err)
	}
	if d := r.Documents[2]; d.Tax.String() != "3.33333333" || d.Items[0].Origin != bill.OriginSpread {
		t.Errorf("S has tax %s, origin %s", d.Tax, d.Items[0].Origin)
	}
}

func TestAbsentBaseIsToldAndBilled(t *testing.T) {
	list := x("20")
	r := build(t, config(false, rule(1, "", "0.5", func(r *price.Rule) { r.Base = price.BaseList })),
		line("cs", "10"), line("cs", "10", func(l *usage.Stored) { l.List = &list }))
	d := r.Documents[0]
	if len(d.Items) != 2 || d.Consumption.String() != "15" {
		t.Fatalf("%d items, %s", len(d.Items), d.Consumption)
	}
	if d.Items[0].Base != price.BaseBilled || d.Items[0].RuleNumber != 1 || d.Items[1].Base != price.BaseList {
		t.Errorf("bases %s and %s", d.Items[0].Base, d.Items[1].Base)
	}
	if len(r.Fallbacks) != 1 || r.Fallbacks[0].LineCount != 1 || r.Fallbacks[0].Base != price.BaseList {
		t.Errorf("fallbacks %+v", r.Fallbacks)
	}
}

func TestAdjustmentLines(t *testing.T) {
	b, err := bill.NewBuilder(config(false))
	if err != nil {
		t.Fatal(err)
	}
	a := bill.Adjustment{Adjusts: bill.Adjusts{ID: "a1", Kind: "remap", CorrectsCycle: "2024-08", Source: "one", Key: "k", Side: "in"}, SourceID: "src1",
		CustomerID: "id-cr", Currency: "USD", Prices: []bill.AdjustmentPrice{
			{PartnerID: "id-D", RuleID: "r1", RuleNumber: 1, RuleVersion: 1, Base: price.BaseBilled, Factor: x("0.7"), LineCount: 2, SourceExact: x("10"), BaseExact: x("10"), Exact: x("7"), Amount: 7e8},
			{PartnerID: "id-R", Base: price.BaseBilled, Factor: x("1"), LineCount: 2, SourceExact: x("10"), BaseExact: x("10"), Exact: x("10"), Amount: 10e8}}}
	if err := b.AddAdjustment(&a); err != nil {
		t.Fatal(err)
	}
	r, err := b.Result()
	if err != nil || len(r.Documents) != 2 {
		t.Fatal(len(r.Documents), err)
	}
	for i, want := range []string{"D←V USD main: 0 0 7 0 tax 0 due 7 source 10 exact 7 residue 0 lines 2", "R←D USD main: 0 0 10 0 tax 0 due 10 source 10 exact 10 residue 0 lines 2"} {
		if got := figures(&r.Documents[i]); got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
	}
	if bytes.Contains(r.Documents[1].Canonical(), []byte("id-")) || bytes.Contains(r.Documents[1].Canonical(), []byte("a1")) {
		t.Errorf("a surrogate key in %s", r.Documents[1].Canonical())
	}
}

// TestOrderDoesNotMatter: the same lines in any order give the same canonical bills; every identity
// of the overview holds; groups add up to the document.
func TestOrderDoesNotMatter(t *testing.T) {
	cfg := config(false, rule(1, "", "0.85"), rule(2, "R", "0.9123"), rule(3, "S", "1.5", func(r *price.Rule) { r.Type, r.Region = price.TypeSpecial, "us" }))
	rapid.Check(t, func(t *rapid.T) {
		var lines []*usage.Stored
		for range rapid.IntRange(1, 25).Draw(t, "n") {
			c := rapid.SampledFrom([]string{"cs", "cr", "cm", "S"}).Draw(t, "customer")
			billed := fmt.Sprintf("%d.%018d", rapid.Int64Range(-1000, 1000).Draw(t, "units"), rapid.Int64Range(0, 1e18-1).Draw(t, "fraction"))
			lines = append(lines, line(c, billed, kind(rapid.SampledFrom([]usage.Kind{"consumption", "refund", "adjustment", "tax"}).Draw(t, "kind")),
				in(rapid.SampledFrom([]string{"USD", "JPY"}).Draw(t, "currency")), slot(rapid.Int64Range(1, 2).Draw(t, "slot")),
				func(l *usage.Stored) { l.Product.Region = rapid.SampledFrom([]string{"us", "eu"}).Draw(t, "region") }))
		}
		canonical := func() []byte {
			b, err := bill.NewBuilder(cfg)
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range lines {
				if err := b.Add(l); err != nil {
					t.Fatal(err)
				}
			}
			r, err := b.Result()
			if err != nil {
				t.Fatal(err)
			}
			var out []byte
			for i := range r.Documents {
				checkIdentities(t, &r.Documents[i])
				out = append(out, r.Documents[i].Canonical()...)
			}
			return out
		}
		want := canonical()
		rand.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
		if got := canonical(); !bytes.Equal(got, want) {
			t.Fatalf("another order gives\n%s\nnot\n%s", got, want)
		}
	})
}

func checkIdentities(t *rapid.T, d *bill.Document) {
	if total := d.Consumption + d.Refund + d.Adjustment + d.Coupon + d.Rounding; total != d.Due && !(d.Floored && d.Due == 0 && total < 0) {
		t.Fatalf("%s does not add up", figures(d))
	}
	if !d.ExactTotal.Sub(d.Residue()).Equal(d.Stored().Exact()) {
		t.Fatalf("%s: residue", figures(d))
	}
	for _, by := range []bill.By{bill.ByProduct, bill.ByCustomer} {
		var sum, tax money.Amount
		var n int64
		for _, g := range d.Groups(by) {
			sum, tax, n = sum+g.Amount, tax+g.Tax, n+g.LineCount
		}
		if sum != d.Stored() || tax != d.Tax || n != d.LineCount {
			t.Fatalf("groups by %s: %s, tax %s, %d lines; %s", by, sum, tax, n, figures(d))
		}
	}
}

func TestPayableTotal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := money.Amount(rapid.Int64Range(-1e17, 1e17).Draw(t, "total"))
		cur := rapid.SampledFrom([]string{"CNY", "JPY", "KWD"}).Draw(t, "currency")
		due, rounding, floored := bill.PayableTotal(total, cur)
		kept := total + rounding
		if k, rest := kept.TruncMinor(cur); k != kept || rest != 0 {
			t.Fatalf("%s keeps %s", total, kept)
		}
		if (rounding > 0 && total > 0) || (rounding < 0 && total < 0) {
			t.Fatalf("%s was rounded away from zero by %s", total, rounding)
		}
		if floored != (kept < 0) || (floored && due != 0) || (!floored && due != kept) {
			t.Fatalf("%s: due %s, floored %v", total, due, floored)
		}
	})
}

func TestCodeFollowsContentOnly(t *testing.T) {
	d := build(t, config(false), line("cs", "1")).Documents[0]
	code := d.Code
	d.State, d.ID, d.IssuedAt = bill.StateIssued, "other", moved
	if len(code) != 9 || code[4] != '-' || d.ComputeCode() != code {
		t.Errorf("code %q became %q", code, d.ComputeCode())
	}
	d.Items[0].Amount++
	if d.ComputeCode() == code {
		t.Error("a changed digit left the code as it was")
	}
}
