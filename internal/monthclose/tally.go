package monthclose

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/usage"
)

// tally reads lines through another reader and adds them up as the summaries do, so that the bills
// and the check of the summaries come from one pass.
type tally struct {
	usage.Reader
	bases map[int64]SlotBase
	sums  map[SumKey]*sums
	days  map[int64]map[string]bool
	slot  int64 // of the line before, and the day it was on: neighbours mostly share it
	begin time.Time
	end   time.Time
}

type sums struct {
	lines  int64
	amount money.Amount
	exact  money.Sum
}

func newTally(r usage.Reader, bases map[int64]SlotBase) *tally {
	return &tally{Reader: r, bases: bases, sums: map[SumKey]*sums{}, days: map[int64]map[string]bool{}}
}

// EachCharge streams the lines and counts each.
func (t *tally) EachCharge(ctx context.Context, slots []int64, fn func(*usage.Stored) error) error {
	return t.Reader.EachCharge(ctx, slots, func(l *usage.Stored) error {
		if err := t.count(l); err != nil {
			return err
		}
		return fn(l)
	})
}

func (t *tally) count(l *usage.Stored) error {
	b := t.bases[l.SlotID]
	k := SumKey{l.SlotID, l.CustomerID, l.AccountID, l.ProductID, l.Kind, l.Currency}
	s := t.sums[k]
	if s == nil {
		s = &sums{}
		t.sums[k] = s
	}
	base := l.Base(b.Column)
	if base == nil {
		base = &l.Billed
	}
	amount, err := base.Amount()
	if err != nil {
		return err
	}
	if s.amount, err = s.amount.Add(amount); err != nil {
		return err
	}
	s.lines++
	s.exact.Add(*base)
	if b.Zone != nil && (l.SlotID != t.slot || l.ChargeStart.Before(t.begin) || !l.ChargeStart.Before(t.end)) {
		t.day(l, b.Zone)
	}
	return nil
}

func (t *tally) day(l *usage.Stored, zone *time.Location) {
	if t.days[l.SlotID] == nil {
		t.days[l.SlotID] = map[string]bool{}
	}
	y, m, d := l.ChargeStart.In(zone).Date()
	t.slot, t.begin, t.end = l.SlotID, time.Date(y, m, d, 0, 0, 0, 0, zone), time.Date(y, m, d+1, 0, 0, 0, 0, zone)
	t.days[l.SlotID][t.begin.Format("2006-01-02")] = true
}

// compare names the first summary that is not the sum of its lines: fault monthclose.summary_mismatch.
func (t *tally) compare(ctx context.Context, store Store, vendorID string, c cycle.Cycle) error {
	left := len(t.sums)
	err := store.Summaries(ctx, vendorID, c, func(k SumKey, kept Sum) error {
		s := t.sums[k]
		if s == nil {
			s = &sums{}
		} else {
			left--
		}
		if s.lines != kept.Lines || s.amount != kept.Amount || !s.exact.Exact().Equal(kept.Exact) {
			return mismatch(k, fmt.Sprintf("%d × %s (%s)", kept.Lines, kept.Amount, kept.Exact), fmt.Sprintf("%d × %s (%s)", s.lines, s.amount, s.exact.Exact()))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if left != 0 {
		return mismatch(SumKey{}, "0", fmt.Sprint(left))
	}
	return nil
}

func mismatch(k SumKey, kept, computed string) error {
	return fault.Conflict("monthclose.summary_mismatch", fault.Args{"Slot": k.SlotID, "Customer": k.CustomerID, "Currency": k.Currency,
		"Kind": string(k.Kind), "Kept": kept, "Computed": computed})
}

// silent lists, by source, the days of the cycle on which no slot of it has a line.
func (t *tally) silent(c cycle.Cycle, sourceOf map[int64]string) map[string][]string {
	have, zone := map[string]map[string]bool{}, map[string]*time.Location{}
	for slot, source := range sourceOf {
		if have[source] == nil {
			have[source] = map[string]bool{}
		}
		zone[source] = t.bases[slot].Zone
		for d := range t.days[slot] {
			have[source][d] = true
		}
	}
	out := map[string][]string{}
	for source, days := range have {
		z := zone[source]
		if z == nil {
			continue
		}
		for d := c.Start(z); d.Before(c.End(z)); d = d.AddDate(0, 0, 1) {
			if day := d.Format("2006-01-02"); !days[day] {
				out[source] = append(out[source], day)
			}
		}
		slices.SortFunc(out[source], cmp.Compare[string])
	}
	return out
}
