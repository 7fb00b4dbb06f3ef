package adjustment

import (
	"cmp"
	"slices"

	"huoban/internal/bill"
	"huoban/internal/money"
	"huoban/internal/price"
	"huoban/internal/usage"
)

// worth sums what lines are worth for each buyer of a customer.
type worth struct {
	pricer *bill.Pricer
	sums   map[worthKey]*Price
}

type worthKey struct {
	partner, rule string
	base          price.Base
	kind          usage.Kind
}

func newWorth(pricer *bill.Pricer) *worth { return &worth{pricer: pricer, sums: map[worthKey]*Price{}} }

// add counts one line for the customer with a sign; a customer nobody is billed for counts nothing.
// Faults: those of bill.Pricer.Legs, money.out_of_range.
func (w *worth) add(l *usage.Stored, customerID string, sign int64) error {
	moved := *l
	moved.CustomerID = customerID
	legs, _, err := w.pricer.Legs(&moved)
	if err != nil {
		return err
	}
	for i := range legs {
		base, used, _ := legs[i].Chosen.Column(&l.Line)
		if err := w.count(legs[i].Buyer.ID, legs[i].Chosen, used, l, *base, sign); err != nil {
			return err
		}
	}
	return nil
}

func (w *worth) count(partnerID string, chosen price.Chosen, used price.Base, l *usage.Stored, base money.Exact, sign int64) error {
	kind := usage.KindAdjustment
	if l.Kind == usage.KindTax {
		kind = usage.KindTax
	}
	key := worthKey{partnerID, chosen.ID(), used, kind}
	sum := w.sums[key]
	if sum == nil {
		sum = &Price{PartnerID: partnerID, Kind: kind, RuleID: chosen.ID(), RuleNumber: chosen.Number(), RuleVersion: chosen.Version(),
			RuleType: chosen.Type, Base: used, Factor: chosen.Factor}
		w.sums[key] = sum
	}
	exact := signed(base.Mul(chosen.Factor), sign)
	amount, err := exact.Amount()
	if err != nil {
		return err
	}
	if sum.Amount, err = sum.Amount.Add(amount); err != nil {
		return err
	}
	sum.LineCount++
	sum.SourceExact = sum.SourceExact.Add(signed(l.Billed, sign))
	sum.BaseExact = sum.BaseExact.Add(signed(base, sign))
	sum.Exact = sum.Exact.Add(exact)
	return nil
}

func signed(x money.Exact, sign int64) money.Exact {
	if sign < 0 {
		return x.Neg()
	}
	return x
}

// prices are the sums in a fixed order.
func (w *worth) prices() []Price {
	out := make([]Price, 0, len(w.sums))
	for _, s := range w.sums {
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b Price) int {
		return cmp.Or(cmp.Compare(a.PartnerID, b.PartnerID), cmp.Compare(a.RuleNumber, b.RuleNumber),
			cmp.Compare(a.RuleVersion, b.RuleVersion), cmp.Compare(a.Base, b.Base), cmp.Compare(a.Kind, b.Kind))
	})
	return out
}
