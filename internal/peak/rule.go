package peak

import (
	"math/bits"
	"slices"

	"github.com/shopspring/decimal"

	"huoban/internal/money"
)

// Result is what the points of a series in a month come to.
type Result struct {
	Points    int          // delivered
	Effective int          // of them on effective days
	Days      int          // effective ones
	Dropped   int          // the highest, which are not charged
	Billing   *money.Exact // nil: no effective day
	Peak      *money.Exact // the highest of all
}

// cut is one in so many: five per cent.
const cut = 20

// EffectiveDays is Effective ÷ 288, to twenty decimals.
func (r *Result) EffectiveDays() money.Exact {
	return money.FromDecimal(decimal.NewFromInt(int64(r.Effective)).DivRound(decimal.NewFromInt(PointsPerDay), 20))
}

// Fee is point × unit price × discount × effective days ÷ days of the month, rounded once to eight decimals, half away from
// zero. The effective days stand in it as points ÷ 288, not as their twenty decimals, so that a full month costs exactly a
// whole one.
func Fee(point, price, discount money.Exact, effective, days int) (money.Amount, error) {
	whole := point.Mul(price).Mul(discount).Decimal().Mul(decimal.NewFromInt(int64(effective)))
	return money.FromDecimal(whole.DivRound(decimal.NewFromInt(int64(days)*PointsPerDay), 8)).Amount()
}

// Compute finds the billing point of a month from its days. The vendor's documents (price-cdn/cdn_01_0160 and
// ListResourceUsageSummary.actual_days) say: points of effective days are sorted from the highest down, the top 5 % are
// taken away, the highest that is left is the billing point, and a month that is not full is charged by
// points ÷ 288 ÷ days of the month. What they leave open is settled here:
//
//   - An effective day is a day of GMT+8 with at least one point above zero. Points of other days count nowhere.
//   - How many go: 5 % rounded down, ⌊n ÷ 20⌋. No more than five per cent may be given away, and a part of a point cannot be.
//     Of fewer than 20 points none goes, so one point alone is the billing point.
//   - Ties: equal points are points of their own. Of equal ones the earlier is dropped first, so which of them is marked
//     as the billing point is certain; its size is the same whichever it is.
//   - A missing point is none: it is not taken as zero, is not sorted, and makes the effective days less by 1 ÷ 288. A day with all
//     its 288 points counts as exactly one.
func Compute(days []*Day) Result {
	var r Result
	scale := uint8(0)
	for _, d := range days {
		r.Points += d.Len()
		if d.Effective() {
			r.Days++
			r.Effective += d.Len()
			scale = max(scale, d.Scale)
		}
	}
	if r.Days == 0 {
		return r
	}
	r.Dropped = r.Effective / cut
	var billing, peak money.Exact
	if points, ok := level(days, scale, r.Effective); ok {
		billing, peak = exactOf(nth(points, r.Dropped), scale), exactOf(slices.Max(points), scale)
	} else { // sizes too different for one scale
		all := make([]money.Exact, 0, r.Effective)
		for _, d := range days {
			if d.Effective() {
				for slot := range PointsPerDay {
					if d.Has(slot) {
						all = append(all, d.Value(slot))
					}
				}
			}
		}
		slices.SortFunc(all, func(a, b money.Exact) int { return b.Cmp(a) })
		billing, peak = all[r.Dropped], all[0]
	}
	r.Billing, r.Peak = &billing, &peak
	return r
}

// level is the points of effective days at one scale.
func level(days []*Day, scale uint8, n int) ([]int64, bool) {
	points := make([]int64, 0, n)
	for _, d := range days {
		if !d.Effective() {
			continue
		}
		if d.Scale == scale {
			points = d.Append(points)
			continue
		}
		for slot := range PointsPerDay {
			if !d.Has(slot) {
				continue
			}
			v, ok := grown(d.values[slot], scale-d.Scale)
			if !ok {
				return nil, false
			}
			points = append(points, v)
		}
	}
	return points, true
}

// nth is the value that stands at place n, from 0, when points are sorted from the highest down. It orders them only as far
// as that needs: each round parts what is left into greater, equal and smaller around a middle value, so that many
// equal points, as idle lines have, cost one round. Rounds that do not get on end in a sort.
func nth(points []int64, n int) int64 {
	for tries := 2 * bits.Len(uint(len(points))); len(points) > 12 && tries > 0; tries-- {
		pivot := middle(points)
		greater, smaller := part(points, pivot)
		switch {
		case n < greater:
			points = points[:greater]
		case n < smaller:
			return pivot
		default:
			points, n = points[smaller:], n-smaller
		}
	}
	slices.SortFunc(points, func(a, b int64) int {
		switch {
		case a > b:
			return -1
		case a < b:
			return 1
		}
		return 0
	})
	return points[n]
}

// middle is the median of nine points spread over all.
func middle(p []int64) int64 {
	step := (len(p) - 1) / 8
	if step == 0 {
		return median(p[0], p[len(p)/2], p[len(p)-1])
	}
	return median(median(p[0], p[step], p[2*step]), median(p[3*step], p[4*step], p[5*step]), median(p[6*step], p[7*step], p[8*step]))
}

func median(a, b, c int64) int64 { return max(min(a, b), min(max(a, b), c)) }

// part puts the points greater than the pivot first, then its equals, then the smaller ones, and gives where equals and smaller
// ones begin.
func part(p []int64, pivot int64) (equals, smaller int) {
	lo, i, hi := 0, 0, len(p)
	for i < hi {
		switch v := p[i]; {
		case v > pivot:
			p[i], p[lo] = p[lo], v
			lo, i = lo+1, i+1
		case v < pivot:
			hi--
			p[i], p[hi] = p[hi], v
		default:
			i++
		}
	}
	return lo, hi
}

// Mark says what became of a point.
type Mark int

// The marks: it counted, it was one of the highest five per cent, it is the billing point, or its day has no traffic.
const (
	MarkCounted Mark = iota
	MarkDropped
	MarkBilling
	MarkIdle
)

// Marks says of every point, by day and slot, what became of it under a result of Compute.
func Marks(days []*Day, r Result) [][PointsPerDay]Mark {
	out := make([][PointsPerDay]Mark, len(days))
	if r.Billing == nil {
		for i := range out {
			for slot := range PointsPerDay {
				out[i][slot] = MarkIdle
			}
		}
		return out
	}
	above := 0
	eachEffective(days, r, func(i, slot int, cmp int) {
		if cmp > 0 {
			above++
			out[i][slot] = MarkDropped
		}
	})
	equal := 0
	eachEffective(days, r, func(i, slot int, cmp int) {
		if cmp != 0 {
			return
		}
		switch {
		case above+equal < r.Dropped:
			out[i][slot] = MarkDropped
		case above+equal == r.Dropped:
			out[i][slot] = MarkBilling
		}
		equal++
	})
	for i, d := range days {
		if !d.Effective() {
			for slot := range PointsPerDay {
				out[i][slot] = MarkIdle
			}
		}
	}
	return out
}

// eachEffective goes over the points of effective days and compares each with the billing point.
func eachEffective(days []*Day, r Result, fn func(day, slot, cmp int)) {
	for i, d := range days {
		if !d.Effective() {
			continue
		}
		for slot := range PointsPerDay {
			if d.Has(slot) {
				fn(i, slot, d.Value(slot).Cmp(*r.Billing))
			}
		}
	}
}
