package expenditure

import (
	"context"
	"maps"
	"slices"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/money"
	"huoban/internal/scope"
)

// Pace compares a running cycle with the one before, over equally many days.
type Pace struct {
	Until, Before time.Time // exclusive: as far as the running cycle has charges, and the same time a month earlier
	Rows          []PaceRow // by currency
}

// PaceRow is consumption without tax in one currency: so far, over the same days of the cycle before,
// and in the whole cycle before.
type PaceRow struct {
	Currency        string
	Now, Same, Past money.Exact
}

// Pace is what the actor's customers have consumed in a cycle so far, against the cycle before. The
// time is cut after the last day (GMT+8) on which a visible charge starts; a month that is shorter ends
// the comparison at its end. Nil when the cycle has no visible charge.
// Faults: those of Summarise.
func (s *Service) Pace(ctx context.Context, sc scope.Scope, c cycle.Cycle) (*Pace, error) {
	var out *Pace
	err := s.Tx.InRead(ctx, func(ctx context.Context) error {
		out = nil
		v, err := s.view(ctx, sc, Filter{Cycle: c})
		if err != nil {
			return err
		}
		last, err := v.last(ctx)
		if err != nil || last.IsZero() {
			return err
		}
		p := &Pace{Until: dayAfter(last)}
		p.Before = sameTime(p.Until, c)
		rows := map[string]*PaceRow{}
		if err := v.addTo(ctx, rows, func(r *PaceRow) *money.Exact { return &r.Now }); err != nil {
			return err
		}
		past, err := s.view(ctx, sc, Filter{Cycle: c.Prev()})
		if err != nil {
			return err
		}
		if err := past.addTo(ctx, rows, func(r *PaceRow) *money.Exact { return &r.Past }); err != nil {
			return err
		}
		past.cut(p.Before)
		if err := past.addTo(ctx, rows, func(r *PaceRow) *money.Exact { return &r.Same }); err != nil {
			return err
		}
		for _, currency := range slices.Sorted(maps.Keys(rows)) {
			p.Rows = append(p.Rows, *rows[currency])
		}
		out = p
		return nil
	})
	return out, err
}

func dayAfter(at time.Time) time.Time {
	y, m, d := at.In(cycle.Zone).Date()
	return time.Date(y, m, d+1, 0, 0, 0, 0, cycle.Zone)
}

// sameTime is as far into the cycle before c as until is into c, at most to its end.
func sameTime(until time.Time, c cycle.Cycle) time.Time {
	past := c.Prev()
	at := past.Start(cycle.Zone).Add(until.Sub(c.Start(cycle.Zone)))
	if end := past.End(cycle.Zone); at.After(end) || !until.Before(c.End(cycle.Zone)) {
		return end
	}
	return at
}

// last is the start of the newest visible charge; zero if there is none.
func (v *view) last(ctx context.Context) (newest time.Time, err error) {
	for _, spans := range v.groups {
		sums, err := v.sumsOf(ctx, &spans[0])
		if err != nil {
			return newest, err
		}
		for _, slot := range v.slots {
			if len(ofSlot(sums, slot.ID)) == 0 {
				continue
			}
			_, at, err := v.s.Store.Bounds(ctx, v.sc, &spans[0], slot.ID)
			if err != nil {
				return newest, err
			}
			if at.After(newest) && spanAt(spans, at) != nil {
				newest = at
			}
		}
	}
	return newest, nil
}

// cut leaves of the spans what lies before an instant.
func (v *view) cut(at time.Time) {
	var groups [][]Span
	for _, spans := range v.groups {
		var kept []Span
		for _, s := range spans {
			if x, ok := within(s, s.From, at); ok {
				kept = append(kept, x)
			}
		}
		if len(kept) > 0 {
			groups = append(groups, kept)
		}
	}
	v.groups = groups
}

func (v *view) addTo(ctx context.Context, rows map[string]*PaceRow, of func(r *PaceRow) *money.Exact) error {
	return v.each(ctx, false, func(p *piece) {
		var f Figures
		f.count(p.Kind, p.Lines, p.Billed, money.Exact{})
		r := rows[p.Currency]
		if r == nil {
			r = &PaceRow{Currency: p.Currency}
			rows[p.Currency] = r
		}
		sum := of(r)
		*sum = sum.Add(f.Amount())
	})
}
