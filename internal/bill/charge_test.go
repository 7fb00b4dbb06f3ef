package bill_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"huoban/internal/bill"
	"huoban/internal/money"
	"huoban/internal/price"
	"huoban/internal/usage"
)

// anyCharges are lines of every standing around the moves of customers and the breaks of prices.
func anyCharges(t *rapid.T) []*usage.Stored {
	var lines []*usage.Stored
	for i := range rapid.IntRange(0, 40).Draw(t, "lines") {
		exact := func(label string) *money.Exact {
			v := x(fmt.Sprintf("%d.%011d", rapid.IntRange(-3, 3).Draw(t, label), rapid.IntRange(0, 99999999999).Draw(t, label)))
			return &v
		}
		l := line(rapid.SampledFrom([]string{"cs", "cr", "cf", "cm", "alone", "S", "", "~"}).Draw(t, "customer"), exact("billed").String(),
			kind(rapid.SampledFrom([]usage.Kind{usage.KindConsumption, usage.KindRefund, usage.KindTax}).Draw(t, "kind")),
			in(rapid.SampledFrom([]string{"USD", "CNY"}).Draw(t, "currency")), slot(rapid.Int64Range(1, 2).Draw(t, "slot")),
			at(moved.Add(time.Duration(rapid.IntRange(-30, 30).Draw(t, "hour"))*time.Hour)))
		l.Product.Service = rapid.SampledFrom([]string{"Compute", "Storage"}).Draw(t, "service")
		l.ProductID = l.Product.Hash()
		if i%3 > 0 {
			l.List = exact("list")
		}
		lines = append(lines, l)
	}
	return lines
}

func anyBook() []price.Rule {
	return []price.Rule{rule(1, "", "0.85"), rule(2, "R", "0.9123"),
		rule(3, "S", "0.7", func(r *price.Rule) {
			r.Product, r.Base, r.ValidFrom, r.ValidTo = "Storage", price.BaseList, "2024-09-15", "2024-09-16"
		})}
}

// TestPartsAreTheWhole: lines taken by group, in several parts brought together, give what the lines give
// one by one.
func TestPartsAreTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := config(rapid.Bool().Draw(t, "tax in due"), anyBook()...)
		one, err := bill.NewBuilder(cfg)
		if err != nil {
			t.Fatal(err)
		}
		whole, _ := bill.NewBuilder(cfg)
		parts := make([]*bill.Builder, rapid.IntRange(1, 3).Draw(t, "parts"))
		groups := make([]map[usage.SummaryKey]*usage.Group, len(parts))
		for i := range parts {
			if parts[i], err = whole.Part(); err != nil {
				t.Fatal(err)
			}
			groups[i] = map[usage.SummaryKey]*usage.Group{}
		}
		for _, l := range anyCharges(t) {
			if err := one.Add(l); err != nil {
				t.Fatal(err)
			}
			p := rapid.IntRange(0, len(parts)-1).Draw(t, "part")
			g := groups[p][l.SummaryKey()]
			if g == nil {
				g = usage.GroupOf(l)
				g.No = len(groups[p])
				groups[p][l.SummaryKey()] = g
			}
			if err := parts[p].Take(g, &usage.Charge{Start: l.ChargeStart, Billed: l.Billed, List: l.List}); err != nil {
				t.Fatal(err)
			}
		}
		for _, p := range parts {
			if err := whole.Merge(p); err != nil {
				t.Fatal(err)
			}
		}
		want, err := one.Result()
		if err != nil {
			t.Fatal(err)
		}
		got, err := whole.Result()
		if err != nil || fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) || !reflect.DeepEqual(codes(got), codes(want)) {
			t.Fatalf("in parts %+v (%v), one by one %+v", got, err, want)
		}
	})
}

func codes(r *bill.Result) (out []string) {
	for i := range r.Documents {
		out = append(out, r.Documents[i].Code)
	}
	return out
}

// TestSteadyIsTold: a group is steady between two instants exactly where every line between has the price
// of the first.
func TestSteadyIsTold(t *testing.T) {
	cfg := config(false, anyBook()...)
	for _, c := range []struct {
		customer, service string
		slot              int64
		first, last       time.Time
		want              bool
	}{
		{"cs", "Compute", 1, moved.Add(-time.Hour), moved.Add(-time.Microsecond), true},
		{"cs", "Compute", 1, moved.Add(-time.Microsecond), moved, false}, // a day on which some price breaks
		{"cs", "Compute", 1, moved.Add(24*time.Hour - 1), moved.Add(24 * time.Hour), false},
		{"cs", "Compute", 2, moved.Add(-8 * time.Hour), moved.Add(16*time.Hour - 1), true}, // days of GMT+8
		{"cs", "Compute", 2, moved.Add(-8*time.Hour - 1), moved, false},
		{"cm", "Compute", 2, moved.Add(-1), moved, false}, // the customer moves
		{"", "Compute", 1, moved.Add(-99 * time.Hour), moved.Add(99 * time.Hour), true},
		{"alone", "Compute", 1, moved.Add(-99 * time.Hour), moved.Add(99 * time.Hour), true},
		{"cf", "Compute", 1, moved.Add(-99 * time.Hour), moved.Add(99 * time.Hour), true},
	} {
		b, err := bill.NewBuilder(cfg)
		if err != nil {
			t.Fatal(err)
		}
		l := line(c.customer, "1", slot(c.slot))
		l.Product.Service = c.service
		got, err := b.Steady(usage.GroupOf(l), c.first, c.last)
		if err != nil || got != c.want {
			t.Errorf("%s in slot %d from %s to %s: steady %v (%v), want %v", c.customer, c.slot, c.first, c.last, got, err, c.want)
		}
	}
}
