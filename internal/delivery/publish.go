package delivery

import (
	"context"
	"slices"
	"sort"

	"huoban/internal/attribution"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/ingest"
	"huoban/internal/money"
	"huoban/internal/scope"
	"huoban/internal/source"
	"huoban/internal/usage"
)

// counts tells whether a slot is part of what is known of its period.
func counts(s usage.SlotState) bool { return s == usage.SlotActive || s == usage.SlotLate }

// stateIssued and stateOpen are the month's states that take a delivery, each in its way.
const (
	stateOpen   = "open"
	stateIssued = "issued"
)

// publishAttempts bounds how often other deliveries may come between comparing and publishing.
const publishAttempts = 5

// plan is what publishing means for one cycle of a delivery.
type plan struct {
	slot  int64
	cycle cycle.Cycle
	month string // state of the vendor's month
	prior int64  // newest known slot before; 0 if none, or in append mode
	diff  *comparison
}

// publish makes the delivery visible by one transaction. Comparing is done before it and done again
// if another delivery was published meanwhile.
func (im *importing) publish(ctx context.Context) error {
	if err := im.emptyPeriods(ctx); err != nil {
		return err
	}
	for attempt := 0; ; attempt++ {
		plans, err := im.plan(ctx)
		if err != nil {
			return err
		}
		err = im.s.Tx.InBulk(ctx, func(ctx context.Context) error { return im.commit(ctx, plans) })
		if !fault.HasCode(err, "delivery.overtaken") || attempt == publishAttempts {
			return err
		}
	}
}

// emptyPeriods gives a named final period without lines a slot of its own where the whole delivery is
// empty: that month the source charged nothing.
func (im *importing) emptyPeriods(ctx context.Context) error {
	for _, c := range im.in.Final.Cycles {
		if _, ok := im.w.slots[c]; ok || im.w.lines > 0 {
			continue
		}
		slot, err := im.s.addSlot(ctx, &im.d, c)
		if err != nil {
			return err
		}
		im.w.slots[c] = slot
	}
	return nil
}

func (im *importing) cycles() []cycle.Cycle {
	out := make([]cycle.Cycle, 0, len(im.w.slots))
	for c := range im.w.slots {
		out = append(out, c)
	}
	slices.Sort(out)
	return out
}

func (im *importing) plan(ctx context.Context) ([]plan, error) {
	var plans []plan
	d, _ := ingest.Lookup(im.src.Dialect)
	for _, c := range im.cycles() {
		p := plan{slot: im.w.slots[c], cycle: c}
		var err error
		if p.month, err = im.s.Store.CycleState(ctx, im.src.VendorID, c); err != nil {
			return nil, err
		}
		known, err := im.prior(ctx, c)
		if err != nil {
			return nil, err
		}
		switch {
		case im.src.Mode == source.ModeAppend:
			err = im.refuseRepeats(ctx, &p, known)
			if err == nil {
				p.diff, err = im.allNew(p.slot)
			}
		case len(known) == 0:
			p.diff, err = im.allNew(p.slot)
		default:
			p.prior = known[len(known)-1]
			p.diff, err = compare(ctx, im.s.Store, p.prior, p.slot, d.NativeKey || p.month == stateIssued)
		}
		if err != nil {
			return nil, err
		}
		plans = append(plans, p)
	}
	return plans, nil
}

// prior lists the slots that are known of the period, newest last.
func (im *importing) prior(ctx context.Context, c cycle.Cycle) ([]int64, error) {
	slots, err := im.s.Store.SlotsOfSource(ctx, im.src.ID, c)
	var out []int64
	for _, s := range slots {
		if counts(s.State) {
			out = append(out, s.ID)
		}
	}
	return out, err
}

func (im *importing) refuseRepeats(ctx context.Context, p *plan, known []int64) error {
	for _, old := range known {
		fileNo, line, found, err := im.s.Store.Repeat(ctx, p.slot, old)
		if err != nil {
			return err
		}
		if found {
			return fault.Conflict("delivery.repeated_line", fault.Args{"file": im.files[fileNo-1].Name, "line": line,
				"cycle": string(p.cycle), "source": im.src.Name})
		}
	}
	return nil
}

// allNew is the difference to nothing, taken from the sums.
func (im *importing) allNew(slot int64) (*comparison, error) {
	totals, err := im.w.sums.totals()
	if err != nil {
		return nil, err
	}
	c := &comparison{byCurrency: map[string]*Change{}, moved: map[identity]bool{}}
	for k, sum := range totals {
		if k.slot == slot {
			x := c.of(k.currency)
			x.Added, x.AddedSum = x.Added+sum.lines, x.AddedSum.Add(sum.billed)
		}
	}
	return c, nil
}

// same tells whether the period stays as it is. A period that is new is never the same, even empty.
func (p *plan) same() bool { return p.prior != 0 && p.diff.none() }

func (im *importing) commit(ctx context.Context, plans []plan) error {
	s := im.s
	if err := im.still(ctx, plans); err != nil {
		return err
	}
	followed, err := im.w.settle(ctx)
	if err != nil {
		return err
	}
	if im.w.bad == 0 && !slices.ContainsFunc(plans, func(p plan) bool { return !p.same() }) {
		return im.nothingNew(ctx)
	}
	if err := refuseClosing(im.src, plans); err != nil {
		return err
	}
	im.res.DeliveryID, im.res.Number, im.res.SameContent = im.d.ID, im.d.Number, false
	im.res.Warnings = []Warning{}
	now := s.Clock.Now()
	system := scope.System(im.sc.Login())
	if err := Flow.Begin(ctx, s.Log, im.d.ID, StateReceiving, im.sc, im.d.ReceivedAt, nil); err != nil {
		return err
	}
	err = Flow.Fire(ctx, s.Log, flow.Move[State, Action, Facts]{Entity: im.d.ID, State: StateReceiving, Version: 1, Do: ActionPublish,
		Who: system, Now: now}, func(ctx context.Context, to State) (bool, error) { return s.Store.SetDeliveryState(ctx, im.d, to, now) })
	if err != nil {
		return err
	}
	if err := im.activate(ctx, plans, followed); err != nil {
		return err
	}
	if err := im.account(ctx, plans); err != nil {
		return err
	}
	if im.src.Mode == source.ModeSnapshot {
		if err := s.followSlots(ctx, system, im.src.ID, im.d.ID); err != nil {
			return err
		}
	}
	err = s.record(ctx, im.sc, im.src.VendorID, "delivery.publish", "delivery:"+im.src.Name+"/"+itoa(im.d.Number), map[string]any{
		"content_sha": im.d.ContentSHA, "added": im.res.Added, "removed": im.res.Removed, "changed": im.res.Changed,
		"quarantined": im.res.Quarantined})
	if err != nil {
		return err
	}
	return im.final(ctx, im.cycles(), im.d.ID)
}

// still refuses, to be planned anew, if what was compared with is not the newest any more.
func (im *importing) still(ctx context.Context, plans []plan) error {
	for _, p := range plans {
		month, err := im.s.Store.CycleState(ctx, im.src.VendorID, p.cycle)
		if err != nil {
			return err
		}
		known, err := im.prior(ctx, p.cycle)
		if err != nil {
			return err
		}
		newest := int64(0)
		if len(known) > 0 && im.src.Mode == source.ModeSnapshot {
			newest = known[len(known)-1]
		}
		if newest != p.prior || month != p.month {
			return fault.Conflict("delivery.overtaken", nil)
		}
	}
	return nil
}

// nothingNew removes what was staged: the content is what is known already.
func (im *importing) nothingNew(ctx context.Context) error {
	for _, slot := range im.w.slots {
		if err := im.s.Store.DeleteSlot(ctx, slot); err != nil {
			return err
		}
	}
	if err := im.s.Store.RemoveDelivery(ctx, im.d.ID); err != nil {
		return err
	}
	im.res.SameContent = true
	return im.final(ctx, im.cycles(), "")
}

// refuseClosing refuses content that differs for a month that is being closed.
func refuseClosing(src *source.Source, plans []plan) error {
	var reasons []*fault.Error
	for _, p := range plans {
		if !p.same() && p.month != stateOpen && p.month != stateIssued {
			reasons = append(reasons, fault.Conflict("delivery.cycle_not_open", fault.Args{"cycle": string(p.cycle), "state": p.month,
				"vendor": src.Vendor}))
		}
	}
	switch len(reasons) {
	case 0:
		return nil
	case 1:
		return reasons[0]
	}
	return fault.Refused("delivery.refused", reasons)
}

// activate moves the slots and writes their sums.
func (im *importing) activate(ctx context.Context, plans []plan, followed bool) error {
	s, lines := im.s, map[int64]int64{}
	var kept []int64
	for _, p := range plans {
		if p.same() {
			if err := s.Store.DeleteSlot(ctx, p.slot); err != nil {
				return err
			}
			continue
		}
		kept = append(kept, p.slot)
	}
	totals, err := im.w.sums.totals()
	if err != nil {
		return err
	}
	for k, sum := range totals {
		lines[k.slot] += sum.lines
	}
	if err := im.writeSums(ctx, kept); err != nil {
		return err
	}
	if followed {
		if err := s.Rules.Follow(ctx, im.src.ID, kept); err != nil {
			return err
		}
	}
	for _, p := range plans {
		if p.same() {
			continue
		}
		if err := s.Store.SetSlotCount(ctx, p.slot, lines[p.slot]); err != nil {
			return err
		}
		if err := s.Store.EnsurePeriod(ctx, im.src.ID, p.cycle); err != nil {
			return err
		}
		if err := s.enter(ctx, im.src, im.d.ID, p); err != nil {
			return err
		}
	}
	return nil
}

// writeSums writes the sums of the slots that are kept.
func (im *importing) writeSums(ctx context.Context, kept []int64) error {
	next, err := im.w.sums.each()
	if err != nil {
		return err
	}
	return im.s.Store.WriteSummaries(ctx, func() (usage.Summary, bool, error) {
		for {
			x, more, err := next()
			if err != nil || !more || slices.Contains(kept, x.SlotID) {
				return x, more, err
			}
		}
	})
}

// enter makes a slot the newest of its period: active in an open month, late in an issued one.
func (s *Service) enter(ctx context.Context, src *source.Source, deliveryID string, p plan) error {
	if p.month == stateIssued {
		if err := s.move(ctx, p.slot, usage.SlotStaging, usage.SlotLate, p.prior); err != nil {
			return err
		}
		return s.late(ctx, src, deliveryID, p)
	}
	if err := s.Store.EnsureCycle(ctx, src.VendorID, p.cycle); err != nil {
		return err
	}
	if p.prior != 0 {
		old, err := s.Store.Slot(ctx, p.prior)
		if err != nil {
			return err
		}
		if err := s.move(ctx, old.ID, usage.SlotActive, usage.SlotSuperseded, old.Replaces); err != nil {
			return err
		}
	}
	return s.move(ctx, p.slot, usage.SlotStaging, usage.SlotActive, p.prior)
}

func (s *Service) move(ctx context.Context, slot int64, from, to usage.SlotState, replaces int64) error {
	won, err := s.Store.SetSlotState(ctx, slot, from, to, replaces)
	if err == nil && !won {
		err = fault.Conflict("delivery.overtaken", nil)
	}
	return err
}

// late hands the difference of an issued cycle to the maker of adjustment lines.
func (s *Service) late(ctx context.Context, src *source.Source, deliveryID string, p plan) error {
	if p.diff.none() {
		return nil
	}
	if s.Correct == nil {
		return fault.Conflict("delivery.cycle_not_open", fault.Args{"cycle": string(p.cycle), "state": p.month, "vendor": src.Vendor})
	}
	resolver, _, err := s.Rules.Resolver(ctx, src.ID)
	if err != nil {
		return err
	}
	change := LateChange{SourceID: src.ID, Source: src.Name, VendorID: src.VendorID, DeliveryID: deliveryID, Cycle: p.cycle, NewSlot: p.slot}
	if p.prior != 0 {
		change.OldSlots = []int64{p.prior}
	}
	change.Added = func(ctx context.Context, fn func(*usage.Stored) error) error {
		return s.oneSide(ctx, p, resolver, func(_, is *usage.Stored) *usage.Stored { return is }, fn)
	}
	change.Removed = func(ctx context.Context, fn func(*usage.Stored) error) error {
		return s.oneSide(ctx, p, resolver, func(was, _ *usage.Stored) *usage.Stored { return was }, fn)
	}
	return s.Correct.Late(ctx, change)
}

const fillPage = 512

// oneSide streams one side of a difference with dimensions and with the customers of the rules in
// force.
func (s *Service) oneSide(ctx context.Context, p plan, resolver *attribution.Resolver, pick func(was, is *usage.Stored) *usage.Stored, fn func(*usage.Stored) error) error {
	var page []usage.Stored
	give := func() error {
		if err := s.Store.Fill(ctx, page); err != nil {
			return err
		}
		for i := range page {
			l := &page[i]
			l.KeptUnder = l.CustomerID
			l.CustomerID, l.RuleID = resolver.Resolve(&l.Line)
			l.Moved = l.KeptUnder != l.CustomerID
			if err := fn(l); err != nil {
				return err
			}
		}
		page = page[:0]
		return nil
	}
	err := eachDifference(ctx, s.Store, p.prior, p.slot, nil, func(was, is *usage.Stored) error {
		l := pick(was, is)
		if l == nil || p.diff.moved[identity{l.Key, l.Occurrence}] {
			return nil
		}
		if page = append(page, *l); len(page) < fillPage {
			return nil
		}
		return give()
	})
	if err != nil {
		return err
	}
	return give()
}

// account keeps counts, changes, the conformance report and warnings, and fills the result.
func (im *importing) account(ctx context.Context, plans []plan) error {
	s := im.s
	var err error
	if im.res.Cycles, err = im.changes(plans); err != nil {
		return err
	}
	im.res.LineCount, im.res.Quarantined, im.res.Skipped = im.w.lines, im.w.bad, im.w.skipped
	im.res.Added, im.res.Removed, im.res.Changed = 0, 0, 0
	for _, c := range im.res.Cycles {
		im.res.Added, im.res.Removed, im.res.Changed = im.res.Added+c.Added, im.res.Removed+c.Removed, im.res.Changed+c.Changed
	}
	if err := s.Store.PutChanges(ctx, im.d.ID, im.res.Cycles); err != nil {
		return err
	}
	for _, f := range im.files {
		if err := s.Store.PutFile(ctx, im.d.ID, f); err != nil {
			return err
		}
	}
	if err := s.Store.WriteConformance(ctx, im.d.ID, im.w.report.results()); err != nil {
		return err
	}
	if err := im.warn(ctx, plans); err != nil {
		return err
	}
	slots, err := s.Store.SlotsOfDelivery(ctx, im.d.ID)
	if err != nil {
		return err
	}
	if im.res.Residues, err = s.residues(ctx, slots); err != nil {
		return err
	}
	im.d.LineCount, im.d.Quarantined, im.d.Skipped = im.w.lines, im.w.bad, im.w.skipped
	return s.Store.SetDeliveryCounts(ctx, im.d, im.res.Warnings)
}

// changes lists what the delivery means by cycle and currency, with its own totals.
func (im *importing) changes(plans []plan) ([]Change, error) {
	totals, err := im.w.sums.totals()
	if err != nil {
		return nil, err
	}
	out := []Change{}
	for _, p := range plans {
		for _, x := range p.diff.byCurrency {
			x.LineCount, x.Total, x.Stored = 0, money.Exact{}, 0 // a transaction may run again
		}
		for k, sum := range totals {
			if k.slot == p.slot {
				x := p.diff.of(k.currency)
				x.LineCount, x.Total, x.Stored = x.LineCount+sum.lines, x.Total.Add(sum.billed), x.Stored+sum.stored
			}
		}
		list := p.diff.list()
		if len(list) == 0 {
			list = []Change{{}}
		}
		for _, x := range list {
			x.Cycle, x.Late = p.cycle, p.month == stateIssued && !p.same()
			out = append(out, x)
		}
	}
	return out, nil
}

// followSlots brings the states of a source's other deliveries to those of their slots.
func (s *Service) followSlots(ctx context.Context, system scope.Scope, sourceID, but string) error {
	others, err := s.Store.Idle(ctx, sourceID, but)
	if err != nil {
		return err
	}
	now := s.Clock.Now()
	for _, o := range others {
		do := ActionSupersede
		switch {
		case o.State == StatePublished && o.LiveSlots == 0:
		case o.State == StateSuperseded && o.LiveSlots > 0:
			do = ActionRestore
		default:
			continue
		}
		d := Delivery{ID: o.ID, State: o.State, Version: o.Version}
		err := Flow.Fire(ctx, s.Log, flow.Move[State, Action, Facts]{Entity: o.ID, State: o.State, Version: o.Version, Do: do, Who: system, Now: now},
			func(ctx context.Context, to State) (bool, error) { return s.Store.SetDeliveryState(ctx, d, to, now) })
		if err != nil {
			return err
		}
	}
	return nil
}

// residues lists, per cycle, customer and currency, what exact amounts have beyond the stored ones.
func (s *Service) residues(ctx context.Context, slots []usage.Slot) ([]Residue, error) {
	orgs, err := s.Store.Orgs(ctx)
	if err != nil {
		return nil, err
	}
	type key struct{ cycle, customer, currency string }
	sums := map[key]usage.Sum{}
	for _, slot := range slots {
		err := s.Store.EachSummary(ctx, slot.ID, func(x *usage.Summary) error {
			k := key{string(slot.Cycle), x.CustomerID, x.Currency}
			total := sums[k]
			if err := total.Add(x.Sum); err != nil {
				return err
			}
			sums[k] = total
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	out := []Residue{}
	for k, v := range sums {
		if r := v.Exact.Sub(v.Amount.Exact()); !r.IsZero() {
			name := k.customer
			if o, ok := orgs[k.customer]; ok {
				name = o.Code
			}
			out = append(out, Residue{Cycle: cycle.Cycle(k.cycle), Customer: name, Currency: k.currency, Residue: r})
		}
	}
	sort.Slice(out, func(i, j int) bool {
		a, b := out[i], out[j]
		switch {
		case a.Cycle != b.Cycle:
			return a.Cycle < b.Cycle
		case a.Customer != b.Customer:
			return a.Customer < b.Customer
		}
		return a.Currency < b.Currency
	})
	return out, nil
}
