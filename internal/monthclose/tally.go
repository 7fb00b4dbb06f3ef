package monthclose

import (
	"context"
	"fmt"
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
	parts []*tallyPart
	sums  map[SumKey]*sums // of all parts, once they are read
}

// tallyPart counts the lines of one part of the reading before it hands them on.
type tallyPart struct {
	to    usage.Charges
	bases map[int64]SlotBase
	sums  []sums // by the number of the group
	days  map[int64]map[string]bool
	slot  int64 // of the line before, and the day it was on: neighbours mostly share it
	begin time.Time
	end   time.Time
}

type sums struct {
	key    SumKey
	base   string
	lines  int64
	amount money.Amount
	exact  money.Sum
}

func newTally(r usage.Reader, bases map[int64]SlotBase) *tally {
	return &tally{Reader: r, bases: bases}
}

// EachCharge reads the lines and counts each.
func (t *tally) EachCharge(ctx context.Context, q usage.ChargeQuery, part func() (usage.Charges, error)) error {
	for _, b := range t.bases {
		q.Others = q.Others || usage.OtherBase(b.Column)
	}
	err := t.Reader.EachCharge(ctx, q, func() (usage.Charges, error) {
		to, err := part()
		p := &tallyPart{to: to, bases: t.bases, days: map[int64]map[string]bool{}}
		t.parts = append(t.parts, p)
		return p, err
	})
	if err != nil {
		return err
	}
	return t.gather()
}

// gather brings the sums of the parts together.
func (t *tally) gather() (err error) {
	n := 0
	for _, p := range t.parts {
		n += len(p.sums)
	}
	t.sums = make(map[SumKey]*sums, n)
	for _, p := range t.parts {
		for i := range p.sums {
			s := &p.sums[i]
			if s.lines == 0 {
				continue
			}
			to := t.sums[s.key]
			if to == nil {
				t.sums[s.key] = s
				continue
			}
			if to.amount, err = to.amount.Add(s.amount); err != nil {
				return err
			}
			to.lines += s.lines
			to.exact.AddSum(&s.exact)
		}
	}
	return nil
}

// Take counts a line.
func (p *tallyPart) Take(g *usage.Group, c *usage.Charge) error {
	if g.No >= len(p.sums) {
		p.sums = append(p.sums, make([]sums, g.No+1-len(p.sums))...)
	}
	s := &p.sums[g.No]
	if s.lines == 0 {
		s.key, s.base = SumKey{g.SlotID, g.CustomerID, g.AccountID, g.ProductID, g.Kind, g.Currency}, p.bases[g.SlotID].Column
	}
	base := c.Base(s.base)
	if base == nil {
		base = &c.Billed
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
	p.day(g.SlotID, c.Start)
	return p.to.Take(g, c)
}

// Steady notes the days of a group's first and last line.
func (p *tallyPart) Steady(g *usage.Group, first, last time.Time) (bool, error) {
	p.day(g.SlotID, first)
	p.day(g.SlotID, last)
	return p.to.Steady(g, first, last)
}

func (p *tallyPart) day(slot int64, at time.Time) {
	if slot == p.slot && !at.Before(p.begin) && at.Before(p.end) {
		return
	}
	zone := p.bases[slot].Zone
	if zone == nil {
		return
	}
	if p.days[slot] == nil {
		p.days[slot] = map[string]bool{}
	}
	y, m, d := at.In(zone).Date()
	p.slot, p.begin, p.end = slot, time.Date(y, m, d, 0, 0, 0, 0, zone), time.Date(y, m, d+1, 0, 0, 0, 0, zone)
	p.days[slot][p.begin.Format(dayForm)] = true
}

const dayForm = "2006-01-02"

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

// silent lists, by source, the days of the cycle on which no slot of it has a line. A day that no part
// met is looked for: of a steady group only its first and last day are known.
func (t *tally) silent(ctx context.Context, store Store, c cycle.Cycle, sourceOf map[int64]string) (map[string][]string, error) {
	slotsOf, zone := map[string][]int64{}, map[string]*time.Location{}
	for slot, source := range sourceOf {
		slotsOf[source] = append(slotsOf[source], slot)
		zone[source] = t.bases[slot].Zone
	}
	out := map[string][]string{}
	for source, slots := range slotsOf {
		z := zone[source]
		if z == nil {
			continue
		}
		for d := c.Start(z); d.Before(c.End(z)); d = d.AddDate(0, 0, 1) {
			heard, err := t.heard(ctx, store, slots, d)
			if err != nil {
				return nil, err
			}
			if !heard {
				out[source] = append(out[source], d.Format(dayForm))
			}
		}
	}
	return out, nil
}

func (t *tally) heard(ctx context.Context, store Store, slots []int64, day time.Time) (bool, error) {
	name := day.Format(dayForm)
	for _, p := range t.parts {
		for _, slot := range slots {
			if p.days[slot][name] {
				return true, nil
			}
		}
	}
	for _, slot := range slots {
		if found, err := store.AnyLine(ctx, slot, day, day.AddDate(0, 0, 1)); found || err != nil {
			return found, err
		}
	}
	return false, nil
}
