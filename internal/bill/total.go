package bill

import (
	"cmp"
	"slices"
	"strings"

	"huoban/internal/money"
	"huoban/internal/usage"
)

// PayableTotal is 抹零, the one place where a bill is rounded beyond 1e-8: the total is cut toward
// zero to the currency's minor unit, rounding says by how much (total + rounding = what is kept),
// and what is below zero is not due.
func PayableTotal(total money.Amount, currency string) (due, rounding money.Amount, floored bool) {
	kept, dropped := total.TruncMinor(currency)
	if kept < 0 {
		return 0, -dropped, true
	}
	return kept, -dropped, false
}

// total sums the items into the document. Fault: money.out_of_range.
func (d *Document) total() error {
	var source, exact, tax money.Sum
	d.LineCount = 0
	for i := range d.Items {
		it := &d.Items[i]
		d.LineCount += it.LineCount
		part := map[usage.Kind]*money.Amount{usage.KindConsumption: &d.Consumption, usage.KindRefund: &d.Refund,
			usage.KindAdjustment: &d.Adjustment, usage.KindTax: &d.Tax, KindCoupon: &d.Coupon}[it.Kind]
		sum, err := part.Add(it.Amount)
		if err != nil {
			return err
		}
		*part = sum
		if it.Kind == usage.KindTax {
			tax.Add(it.Exact)
			continue
		}
		source.Add(it.SourceExact)
		exact.Add(it.Exact)
	}
	d.SourceTotal, d.ExactTotal, d.TaxExact = source.Exact(), exact.Exact(), tax.Exact()
	parts := []money.Amount{d.Consumption, d.Refund, d.Adjustment, d.Coupon}
	if d.TaxInDue {
		parts = append(parts, d.Tax)
	}
	var total money.Amount
	for _, p := range parts {
		var err error
		if total, err = total.Add(p); err != nil {
			return err
		}
	}
	d.Due, d.Rounding, d.Floored = PayableTotal(total, d.Currency)
	return nil
}

// SortDocuments brings bills to canonical order: by codes, never by ids.
func SortDocuments(docs []Document) {
	slices.SortFunc(docs, func(a, b Document) int {
		return cmp.Or(strings.Compare(a.Vendor.Code, b.Vendor.Code), strings.Compare(string(a.Cycle), string(b.Cycle)),
			strings.Compare(a.Partner.Code, b.Partner.Code), strings.Compare(a.Currency, b.Currency),
			strings.Compare(a.Entity.Code, b.Entity.Code))
	})
}

// SortItems brings items to canonical order and numbers them from 1.
func SortItems(items []Item) {
	slices.SortFunc(items, compareItems)
	for i := range items {
		items[i].No = i + 1
	}
}

func compareItems(a, b Item) int {
	return cmp.Or(strings.Compare(a.Customer.Code, b.Customer.Code), cmp.Compare(originRank[a.Origin], originRank[b.Origin]),
		cmp.Compare(kindRank[a.Kind], kindRank[b.Kind]), strings.Compare(a.Provider, b.Provider),
		strings.Compare(a.Product, b.Product), strings.Compare(a.Region, b.Region),
		strings.Compare(string(a.Mode), string(b.Mode)), compareAdjusts(a.Adjusts, b.Adjusts),
		cmp.Compare(a.RuleNumber, b.RuleNumber), cmp.Compare(a.RuleVersion, b.RuleVersion),
		strings.Compare(string(a.Base), string(b.Base)), compareCoupons(a.Coupon, b.Coupon),
		a.SourceExact.Cmp(b.SourceExact), a.Exact.Cmp(b.Exact))
}

var (
	originRank = map[Origin]int{OriginUsage: 1, OriginSpread: 2, OriginAdjustment: 3}
	kindRank   = map[usage.Kind]int{usage.KindConsumption: 1, usage.KindRefund: 2, usage.KindAdjustment: 3, KindCoupon: 4, usage.KindTax: 5}
)

func compareCoupons(a, b *ItemCoupon) int {
	if a == nil || b == nil {
		return 0
	}
	return cmp.Compare(a.Number, b.Number)
}

func compareAdjusts(a, b *Adjusts) int {
	if a == nil || b == nil {
		return 0
	}
	return cmp.Or(strings.Compare(string(a.CorrectsCycle), string(b.CorrectsCycle)), strings.Compare(a.Source, b.Source),
		strings.Compare(a.Key, b.Key), strings.Compare(a.Kind, b.Kind), strings.Compare(a.Side, b.Side),
		strings.Compare(a.Reason, b.Reason))
}
