package portal

import (
	"testing"

	"huoban/internal/customer"
	"huoban/internal/expenditure"
	"huoban/internal/money"
	"huoban/internal/scope"
)

// However the figures are divided, the parts add up to the whole, and what stands before the discount less the discount is the
// amount.
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
	e := &consumption{people: true}
	splits := consumptionSplits(c, e, s)
	if len(splits) != 2 || len(splits[0].Rows) != 3 || len(splits[1].Rows) != 2 {
		t.Fatalf("%+v", splits)
	}
	for _, split := range splits {
		for i := range split.Rows {
			if i > 0 && split.Rows[i].Name == split.Rows[i-1].Name {
				t.Errorf("%s: %s twice", split.ID, split.Rows[i].Name)
			}
		}
		if split.Total.Amount.Full != exactly(s.Total.Amount(), "CNY").Full || split.Total.List.Full != exactly(x("22.12345679"), "CNY").Full {
			t.Errorf("%s: %+v", split.ID, split.Total)
		}
	}
	if vm := splits[1].Rows[0]; vm.Name != "VM" || vm.List.Full != exactly(x("21.623456789"), "CNY").Full || vm.Discount.Full != exactly(x("9.5"), "CNY").Full {
		t.Errorf("%+v", vm)
	}
	for i, want := range []bool{true, true, false} { // the greatest discount first; the partner's own use leads nowhere
		if got := splits[0].Rows[i].Href != ""; got != want {
			t.Errorf("%+v", splits[0].Rows[i])
		}
	}
	e.people = false
	if splits = consumptionSplits(c, e, s); len(splits) != 1 {
		t.Errorf("a customer sees associations: %+v", splits)
	}
}
