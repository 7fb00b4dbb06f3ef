// Package forecast says what a running month may come to.
//
// It owns the method and its trial on past months; it does not own what was booked, storage or words. The method
// (同期完成比): in each of up to six complete months before, what was charged on a day after this one stood in some
// proportion to what was charged on a day until then. The running month's rate so far, by the mean of these proportions
// for each day that is left, gives what it may come to; the smallest and the largest of them give the range. Invariants:
// an estimate is made of nothing but what was known by its day; it is never an amount that was booked.
//
// Spec: docs/expenditure.md
package forecast

import (
	"huoban/internal/cycle"
	"huoban/internal/money"
)

// The method takes between Least and Most complete months, and its range is never narrower than Margin on either side.
const (
	Least  = 3
	Most   = 6
	Margin = 0.01
)

// Month is a month's amounts by day: all days of a complete one.
type Month struct {
	Cycle cycle.Cycle
	Days  []money.Exact
}

func (m Month) until(days int) (x float64) {
	var sum money.Exact
	for _, a := range m.Days[:min(days, len(m.Days))] {
		sum = sum.Add(a)
	}
	return sum.Decimal().InexactFloat64()
}

func (m Month) total() float64 { return m.until(len(m.Days)) }

// Estimate is what a month may come to, from so many days of it and so many months before.
type Estimate struct {
	Day, Months       int
	Low, Likely, High money.Amount
}

// Holds tells whether the month came out within the range.
func (e Estimate) Holds(actual money.Exact) bool {
	return actual.Cmp(e.Low.Exact()) >= 0 && actual.Cmp(e.High.Exact()) <= 0
}

// At estimates a month of which the first days are known, from complete months before it in order of time. False:
// fewer than Least of them say anything, nothing was charged yet, or an amount is out of bounds.
func At(before []Month, running Month, day int) (Estimate, bool) {
	so := running.until(day)
	if day < 1 || so <= 0 {
		return Estimate{}, false
	}
	low, high, sum, n := 0.0, 0.0, 0.0, 0
	for i := len(before) - 1; i >= 0 && n < Most; i-- {
		rest, ok := proportion(before[i], day, len(running.Days))
		if !ok {
			continue
		}
		if n == 0 || rest < low {
			low = rest
		}
		if n == 0 || rest > high {
			high = rest
		}
		sum, n = sum+rest, n+1
	}
	if n < Least {
		return Estimate{}, false
	}
	likely := so * (1 + sum/float64(n))
	e := Estimate{Day: day, Months: n}
	var ok [3]bool
	e.Likely, ok[0] = amount(likely)
	e.Low, ok[1] = amount(min(so*(1+low), likely*(1-Margin)))
	e.High, ok[2] = amount(max(so*(1+high), likely*(1+Margin)))
	return e, ok[0] && ok[1] && ok[2]
}

// proportion is what a complete month says of one with so many days: how much the days that are left bring for each
// unit until the day. A month too short to have the day is cut as many days before its end. False: it says nothing.
func proportion(m Month, day, days int) (float64, bool) {
	until := day
	if until >= len(m.Days) || day >= days {
		until = len(m.Days) - (days - day)
	}
	total := m.total()
	known := m.until(until)
	if until < 1 || known <= 0 || total <= 0 {
		return 0, false
	}
	if until >= len(m.Days) {
		return 0, true // nothing is left
	}
	after, so := (total-known)/float64(len(m.Days)-until), known/float64(until)
	return after / so * float64(days-day) / float64(day), true
}

// amount is a figure to two decimals; no estimate is finer.
func amount(x float64) (money.Amount, bool) {
	const cent = money.Amount(1_000_000)
	if x < 0 || x > 9e9 {
		return 0, false
	}
	return money.Amount(x*100+0.5) * cent, true
}

// Trial is what would have been estimated on a day of a past month, with only what was known then.
type Trial struct {
	Cycle    cycle.Cycle
	Estimate Estimate
	Actual   money.Exact
	Hit      bool
}

// Replay makes the estimate of a day for each complete month that has enough before it, in order of time.
func Replay(complete []Month, day int) []Trial {
	var out []Trial
	for i, m := range complete {
		if day >= len(m.Days) {
			continue // that day the month was over
		}
		known := Month{m.Cycle, make([]money.Exact, len(m.Days))} // what came later is not there to look at
		copy(known.Days, m.Days[:day])
		e, ok := At(complete[:i], known, day)
		if !ok {
			continue
		}
		var actual money.Exact
		for _, x := range m.Days {
			actual = actual.Add(x)
		}
		out = append(out, Trial{m.Cycle, e, actual, e.Holds(actual)})
	}
	return out
}

// Hits counts the trials that held.
func Hits(all []Trial) (n int) {
	for _, t := range all {
		if t.Hit {
			n++
		}
	}
	return n
}
