// Package anomaly finds what is unusual in what customers consume: a sudden rise, a product that is new, days without
// a charge; and keeps what people said of it.
//
// It owns the rules, the marks and their explanations; it does not own consumption nor who sees which customer
// (expenditure). Invariants: a mark follows from figures alone, so that it is never stored; an explanation belongs to a
// partner and to a mark that the person who gave it could see.
//
// Spec: docs/expenditure.md
package anomaly

import (
	"fmt"
	"math"
	"slices"

	"huoban/internal/cycle"
	"huoban/internal/money"
)

// Kind is what is unusual.
type Kind string

// The kinds.
const (
	KindSurge   Kind = "surge"        // more than usual
	KindNew     Kind = "new_service"  // a product that was not used before
	KindMissing Kind = "missing_days" // no charge on days that have one
)

// Kinds in the order they are offered.
var Kinds = []Kind{KindSurge, KindNew, KindMissing}

// Label is the key of the kind's name.
func (k Kind) Label() string { return "anomaly.kind." + string(k) }

// The rules. Amounts are in the currency of the figures.
const (
	Before     = 6    // months that are looked back to
	Sigmas     = 3    // a rise above the mean of the months before, in standard deviations …
	SigmaFrom  = 3    // … of at least so many months …
	SigmaLeast = 0.10 // … and by at least so much of the mean
	Rise       = 0.50 // or a rise above the month before
	Least      = 1000 // and in either case by at least this amount
	NewLeast   = 100  // a new product is marked from this amount on
	Steady     = 0.9  // of the days of the month before had a charge, where a day without one is marked
)

// Product is one that no month before had.
type Product struct {
	Name   string
	Amount money.Exact
}

// History is a customer's figures of the judged days of a month and of the same days of the months before. Sums are of
// the first Days days; of a month that is over, of all.
type History struct {
	Now    money.Exact
	Past   []money.Exact // the newest first; a month in which nothing was consumed is left out
	New    []Product
	Lines  []int64 // of this month by day, the judged days only
	Before []int64 // of the month before by day
}

// Mark is one thing that is unusual. Subject tells marks of a kind apart: the product, or the days.
type Mark struct {
	Kind    Kind
	Subject string
	Amount  money.Exact // of the judged days, or of the product
	Last    money.Exact // the same days of the month before
	Mean    float64     // of the months before, where BySigma
	Sigma   float64
	BySigma bool
	ByRise  bool
	From    int // the first day without a charge
	To      int // the last
}

// Judge finds what is unusual in a customer's figures, rises first.
func Judge(c cycle.Cycle, h History) []Mark {
	var out []Mark
	if m, ok := surge(h); ok {
		out = append(out, m)
	}
	if len(h.Past) > 0 {
		for _, s := range h.New {
			if s.Amount.Decimal().InexactFloat64() >= NewLeast {
				out = append(out, Mark{Kind: KindNew, Subject: s.Name, Amount: s.Amount})
			}
		}
	}
	return append(out, missing(c, h)...)
}

func surge(h History) (Mark, bool) {
	if len(h.Past) == 0 {
		return Mark{}, false
	}
	now, last := h.Now.Decimal().InexactFloat64(), h.Past[0].Decimal().InexactFloat64()
	m := Mark{Kind: KindSurge, Amount: h.Now, Last: h.Past[0], ByRise: last > 0 && now > last*(1+Rise) && now-last >= Least}
	if past := h.Past[:min(len(h.Past), Before)]; len(past) >= SigmaFrom {
		for _, x := range past {
			m.Mean += x.Decimal().InexactFloat64() / float64(len(past))
		}
		for _, x := range past {
			d := x.Decimal().InexactFloat64() - m.Mean
			m.Sigma += d * d / float64(len(past)-1)
		}
		m.Sigma = math.Sqrt(m.Sigma)
		m.BySigma = now > m.Mean+Sigmas*m.Sigma && now-m.Mean >= max(Least, SigmaLeast*m.Mean)
	}
	return m, m.ByRise || m.BySigma
}

// missing finds days without a charge between days that had one nearly always.
func missing(c cycle.Cycle, h History) []Mark {
	with := 0
	for _, n := range h.Before {
		if n > 0 {
			with++
		}
	}
	if len(h.Before) == 0 || float64(with) < Steady*float64(len(h.Before)) {
		return nil
	}
	var out []Mark
	for d := 0; d < len(h.Lines); d++ {
		if h.Lines[d] > 0 {
			continue
		}
		end := d
		for end+1 < len(h.Lines) && h.Lines[end+1] == 0 {
			end++
		}
		out = append(out, Mark{Kind: KindMissing, Subject: fmt.Sprintf("%s-%02d/%02d", c, d+1, end+1), From: d + 1, To: end + 1})
		d = end
	}
	return out
}

// Percent is the rise against the month before in per cent; ok is false against nothing.
func (m *Mark) Percent() (p float64, ok bool) {
	last := m.Last.Decimal().InexactFloat64()
	if last <= 0 {
		return 0, false
	}
	return (m.Amount.Decimal().InexactFloat64()/last - 1) * 100, true
}

// Known tells whether a kind is one of ours.
func Known(k Kind) bool { return slices.Contains(Kinds, k) }
