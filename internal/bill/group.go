package bill

import (
	"slices"

	"huoban/internal/cycle"
	"huoban/internal/money"
	"huoban/internal/usage"
)

// Filter narrows a list of bills; an empty field is any.
type Filter struct {
	VendorID, PartnerID string
	Cycle               cycle.Cycle
	Currency, EntityID  string
	Code                string // 校验码
}

// Total is what is due before rounding: the sum PayableTotal cut.
func (d *Document) Total() money.Amount {
	t := d.Stored()
	if d.TaxInDue {
		t += d.Tax
	}
	return t
}

// By says by what a bill is split.
type By string

// The splits: 按产品, 按客户, 明细.
const (
	ByNothing  By = ""
	ByProduct  By = "product"
	ByCustomer By = "customer"
	ByLine     By = "line"
)

// Group is a part of a bill. For ByProduct provider, product, region and mode name it, for ByCustomer
// the customer. Figures add up to the document's. Amount leaves tax out.
type Group struct {
	Customer                  Party
	Provider, Product, Region string
	Mode                      usage.ChargingMode
	LineCount                 int64
	Consumption, Refund       money.Amount
	Adjustment, Coupon, Tax   money.Amount
	Amount                    money.Amount
	Source, Exact             money.Exact
	Items                     []int // numbers of the items it is made of
}

// Groups splits a bill by product or customer, in order of names and codes. Refunds and adjustments
// stand where their lines say; an adjustment line has no product.
func (d *Document) Groups(by By) []Group {
	type key struct {
		customer, provider, product, region string
		mode                                usage.ChargingMode
	}
	at := map[key]int{}
	var out []Group
	for i := range d.Items {
		it := &d.Items[i]
		k := key{customer: it.Customer.ID}
		g := Group{Customer: it.Customer}
		if by == ByProduct {
			k = key{"", it.Provider, it.Product, it.Region, it.Mode}
			g = Group{Provider: it.Provider, Product: it.Product, Region: it.Region, Mode: it.Mode}
		}
		n, ok := at[k]
		if !ok {
			n = len(out)
			at[k] = n
			out = append(out, g)
		}
		out[n].add(it)
	}
	slices.SortStableFunc(out, func(a, b Group) int {
		return compareItems(Item{Customer: a.Customer, Provider: a.Provider, Product: a.Product, Region: a.Region, Mode: a.Mode},
			Item{Customer: b.Customer, Provider: b.Provider, Product: b.Product, Region: b.Region, Mode: b.Mode})
	})
	return out
}

// add cannot leave the range: the document's own totals were checked.
func (g *Group) add(it *Item) {
	g.LineCount += it.LineCount
	g.Items = append(g.Items, it.No)
	switch it.Kind {
	case usage.KindConsumption:
		g.Consumption += it.Amount
	case usage.KindRefund:
		g.Refund += it.Amount
	case usage.KindAdjustment:
		g.Adjustment += it.Amount
	case KindCoupon:
		g.Coupon += it.Amount
	case usage.KindTax:
		g.Tax += it.Amount
		return
	}
	g.Amount += it.Amount
	g.Source, g.Exact = g.Source.Add(it.SourceExact), g.Exact.Add(it.Exact)
}

// Merge adds the figures of another group.
func (g *Group) Merge(o *Group) {
	g.LineCount += o.LineCount
	g.Consumption += o.Consumption
	g.Refund += o.Refund
	g.Adjustment += o.Adjustment
	g.Coupon += o.Coupon
	g.Tax += o.Tax
	g.Amount += o.Amount
	g.Source, g.Exact = g.Source.Add(o.Source), g.Exact.Add(o.Exact)
	g.Items = append(g.Items, o.Items...)
}
