package portal

import (
	"testing"

	"huoban/internal/customer"
	"huoban/internal/expenditure"
	"huoban/internal/money"
	"huoban/internal/scope"
)

// However the figures are divided, the parts add up to the whole.
func TestSplitsAddUp(t *testing.T) {
	_, c := visit(scope.Partner("o", "p", "l", []scope.Item{scope.ItemExpenditureView}, nil), "/expenditure")
	x := money.MustExact
	s := &expenditure.Summary{Currency: "CNY"}
	for _, r := range []struct {
		relation              customer.Kind
		product               string
		billed, refund, given string
	}{{"resale", "VM", "10.123456789", "-1", "2.5"}, {"referral", "VM", "3", "0", "7"}, {"", "Disk", "1", "0", "0"}, {"resale", "Disk", "0.000000001", "0", "-0.5"}} {
		f := expenditure.Figures{Lines: 1, Consumption: x(r.billed), Refund: x(r.refund), Discount: x(r.given)}
		s.Rows = append(s.Rows, expenditure.Row{Relation: r.relation, Product: r.product, Figures: f})
		s.Total.Merge(f)
	}
	for name, key := range map[string]func(*expenditure.Row) string{"relation": func(r *expenditure.Row) string { return string(r.Relation) }, "product": func(r *expenditure.Row) string { return r.Product }} {
		var sum expenditure.Figures
		seen := map[string]bool{}
		for _, part := range shares(s, key) {
			sum.Merge(part.Figures)
			if seen[part.key] {
				t.Errorf("%s %q stands twice", name, part.key)
			}
			seen[part.key] = true
		}
		if !sum.Amount().Equal(s.Total.Amount()) || !sum.Discount.Equal(s.Total.Discount) || sum.Lines != s.Total.Lines {
			t.Errorf("by %s: %+v, the page has %+v", name, sum, s.Total)
		}
	}
	splits := consumptionSplits(c, &consumption{people: true}, s)
	if len(splits) != 3 || splits[2].Off == "" || splits[2].Parts != nil || len(splits[0].Parts) != 3 || len(splits[1].Parts) != 2 {
		t.Fatalf("%+v", splits)
	}
	for i, want := range []bool{true, true, false} { // the greatest discount first; the partner's own use leads nowhere
		if got := splits[0].Parts[i].Href != ""; got != want {
			t.Errorf("%+v", splits[0].Parts[i])
		}
	}
	if splits = consumptionSplits(c, &consumption{}, s); len(splits) != 2 || splits[0].ID != "by-product" {
		t.Errorf("a customer sees associations: %+v", splits)
	}
}
