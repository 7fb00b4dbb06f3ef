package usage

import (
	"sort"

	"huoban/internal/money"
)

// Weight is what a customer spent: the basis by which lines without sub-account are spread.
type Weight struct {
	CustomerID string
	Code       string // breaks ties, so that parts do not depend on surrogate keys
	Total      money.Exact
}

// Weights keeps the customers that take part in a spread, those with a total above zero, in order of
// code.
func Weights(all []Weight) []Weight {
	var out []Weight
	for _, w := range all {
		if w.CustomerID != CustomerUnmapped && w.CustomerID != CustomerSpread && w.Total.Sign() > 0 {
			out = append(out, w)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Code < out[j].Code })
	return out
}

// SpreadDigits is the least number of decimals a part is cut to.
const SpreadDigits = 8

// Spread divides an amount by weights so that the parts sum to it exactly: each part is cut toward
// zero at 10^-max(8, scale of the amount), and the units left over go to the largest remainders, ties
// by code. Weights must come from Weights and not be empty.
func Spread(amount money.Exact, weights []Weight) []money.Exact {
	totals := make([]money.Exact, len(weights))
	for i, w := range weights {
		totals[i] = w.Total
	}
	return money.Split(amount, totals, SpreadDigits)
}

// SpreadLine divides a line over customers; without weights it stays whole and unmapped. Billed,
// List, Contracted and Effective are divided, quantity is not.
func SpreadLine(l *Stored, weights []Weight) []Share {
	place := l.Place()
	if len(weights) == 0 {
		part := *l
		part.CustomerID = CustomerUnmapped
		return []Share{{Of: place, Part: part}}
	}
	out := make([]Share, len(weights))
	for i, w := range weights {
		out[i] = Share{Of: place, Part: *l}
		out[i].Part.CustomerID = w.CustomerID
	}
	for i, p := range Spread(l.Billed, weights) {
		out[i].Part.Billed = p
	}
	for _, f := range []func(*Line) **money.Exact{
		func(l *Line) **money.Exact { return &l.List },
		func(l *Line) **money.Exact { return &l.Contracted },
		func(l *Line) **money.Exact { return &l.Effective },
	} {
		whole := *f(&l.Line)
		if whole == nil {
			continue
		}
		for i, p := range Spread(*whole, weights) {
			*f(&out[i].Part.Line) = &p
		}
	}
	return out
}

// StartText is a charge start as the store writes it, fixed in width so that text order is time order.
const StartText = "2006-01-02T15:04:05.000000Z"

// Place is where the line is kept.
func (s *Stored) Place() Place {
	p := Place{SlotID: s.SlotID, CustomerID: s.CustomerID, Start: s.ChargeStart.UTC().Format(StartText), Key: s.Key, Occurrence: s.Occurrence}
	if s.Moved {
		p.CustomerID = s.KeptUnder
	}
	return p
}
