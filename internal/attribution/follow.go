package attribution

import (
	"context"
	"sort"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/source"
	"huoban/internal/usage"
)

// follower lets lines of a source follow a change of its rules.
type follower struct {
	s        *Service
	src      *source.Source
	was, is  *Resolver
	moved    map[movedKey]*Moved
	remapped map[remapKey]*Move
	diffs    map[usage.SummaryKey]usage.Sum
}

type movedKey struct {
	cycle              cycle.Cycle
	currency, from, to string
	issued             bool
}

type remapKey struct {
	cycle                   cycle.Cycle
	currency, key, from, to string
}

// follow moves the lines of open cycles, refuses where a month is being closed, and hands the moves of
// issued cycles to the Remapper. Faults: attribution.cycle_not_open, attribution.spread_closed.
func (s *Service) follow(ctx context.Context, src *source.Source, was, is *Resolver) ([]Moved, error) {
	f := &follower{s: s, src: src, was: was, is: is, moved: map[movedKey]*Moved{}, remapped: map[remapKey]*Move{}}
	slots, err := s.Store.SlotsOfSource(ctx, src.ID, "")
	if err != nil {
		return nil, err
	}
	byCycle := map[cycle.Cycle][]usage.Slot{}
	for _, slot := range slots {
		byCycle[slot.Cycle] = append(byCycle[slot.Cycle], slot)
	}
	var refused []*fault.Error
	for _, c := range sortedCycles(byCycle) {
		month, err := s.Store.CycleState(ctx, src.VendorID, c)
		if err != nil {
			return nil, err
		}
		switch month {
		case "open":
			err = f.open(ctx, byCycle[c])
		case "issued":
			err = f.issued(ctx, c, byCycle[c])
		default:
			var n int64
			if n, err = f.affected(ctx, byCycle[c]); err == nil && n > 0 {
				refused = append(refused, fault.Conflict("attribution.cycle_not_open", fault.Args{"cycle": string(c), "state": month,
					"vendor": src.Vendor, "count": n}))
			}
		}
		if err != nil {
			return nil, err
		}
	}
	switch {
	case len(refused) == 1:
		return nil, refused[0]
	case len(refused) > 1:
		return nil, fault.Refused("attribution.refused", refused)
	}
	if err := f.hand(ctx); err != nil {
		return nil, err
	}
	return f.list(ctx)
}

// Follow brings staged lines of a source to the rules in force.
func (s *Service) Follow(ctx context.Context, sourceID string, slots []int64) error {
	src, err := s.sourceByID(ctx, sourceID)
	if err != nil {
		return err
	}
	is, _, err := s.Resolver(ctx, sourceID)
	if err != nil {
		return err
	}
	f := &follower{s: s, src: src, is: is, moved: map[movedKey]*Moved{}}
	for _, slot := range slots {
		if err := f.slot(ctx, usage.Slot{ID: slot}, false); err != nil {
			return err
		}
	}
	return nil
}

func sortedCycles(m map[cycle.Cycle][]usage.Slot) []cycle.Cycle {
	out := make([]cycle.Cycle, 0, len(m))
	for c := range m {
		out = append(out, c)
	}
	sort.Slice(out, func(i, j int) bool { return out[i] < out[j] })
	return out
}

// open moves lines of what counts, and of what would count again after a reversal.
func (f *follower) open(ctx context.Context, slots []usage.Slot) error {
	for _, slot := range slots {
		if slot.State == usage.SlotActive || slot.State == usage.SlotSuperseded {
			if err := f.slot(ctx, slot, slot.State == usage.SlotActive); err != nil {
				return err
			}
		}
	}
	return nil
}

// group is the lines of one slot, customer and account.
type group struct {
	customer string
	account  usage.Hash
}

// groups sorts a slot's sums into what changes as a whole and what must be looked at line by line.
// Groups whose lines cannot change are left out.
func (f *follower) groups(ctx context.Context, slot int64) (whole map[group][]usage.Summary, single map[string]map[usage.Hash]bool, accounts map[usage.Hash]usage.Account, err error) {
	sums, err := f.s.Store.SummariesOf(ctx, slot)
	if err != nil {
		return nil, nil, nil, err
	}
	ids := map[usage.Hash]bool{}
	for _, x := range sums {
		ids[x.AccountID] = true
	}
	if accounts, err = f.s.Store.Accounts(ctx, ids); err != nil {
		return nil, nil, nil, err
	}
	whole, single = map[group][]usage.Summary{}, map[string]map[usage.Hash]bool{}
	for _, x := range sums {
		a := accounts[x.AccountID]
		c, rule, steady := f.is.steady(&a)
		if f.was != nil && steady {
			if oldC, oldRule, oldSteady := f.was.steady(&a); oldSteady && oldC == c && oldRule == rule {
				continue
			}
		}
		if steady {
			g := group{x.CustomerID, x.AccountID}
			whole[g] = append(whole[g], x)
			continue
		}
		if single[x.CustomerID] == nil {
			single[x.CustomerID] = map[usage.Hash]bool{}
		}
		single[x.CustomerID][x.AccountID] = true
	}
	return whole, single, accounts, nil
}

// slot moves the lines of one open slot and keeps its sums right.
func (f *follower) slot(ctx context.Context, slot usage.Slot, tell bool) error {
	f.diffs = map[usage.SummaryKey]usage.Sum{}
	whole, single, accounts, err := f.groups(ctx, slot.ID)
	if err != nil {
		return err
	}
	for _, customer := range sortedKeys(single) {
		err := f.s.Store.EachLineOf(ctx, slot.ID, customer, func(l *usage.Stored) error {
			if !single[customer][l.AccountID] {
				return nil
			}
			return f.line(ctx, l, tell)
		})
		if err != nil {
			return err
		}
	}
	plan := map[usage.Hash]AccountMove{}
	for g, sums := range whole {
		a := accounts[g.account]
		to, rule, _ := f.is.steady(&a)
		plan[g.account] = AccountMove{g.account, to, rule}
		if to == g.customer {
			continue
		}
		for _, x := range sums {
			if err := f.shift(x.SummaryKey, to, x.Sum); err != nil {
				return err
			}
			if tell {
				f.note(slot.Cycle, x.Currency, g.customer, to, false, x.Lines, x.Billed)
			}
		}
	}
	moves := make([]AccountMove, 0, len(plan))
	for _, m := range plan {
		moves = append(moves, m)
	}
	sort.Slice(moves, func(i, j int) bool { return string(moves[i].Account[:]) < string(moves[j].Account[:]) })
	if err := f.s.Store.MoveAccounts(ctx, slot.ID, moves); err != nil {
		return err
	}
	return f.s.Store.AddToSummaries(ctx, f.diffs)
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

func (f *follower) line(ctx context.Context, l *usage.Stored, tell bool) error {
	to, rule := f.is.Resolve(&l.Line)
	if to == l.CustomerID && rule == l.RuleID {
		return nil
	}
	if err := f.s.Store.MoveLine(ctx, l, to, rule); err != nil {
		return err
	}
	if to == l.CustomerID {
		return nil
	}
	sum, err := l.Sum(f.src.Base)
	if err != nil {
		return err
	}
	if tell {
		f.note(l.Cycle, l.Currency, l.CustomerID, to, false, 1, l.Billed)
	}
	return f.shift(l.SummaryKey(), to, sum)
}

// shift takes a sum from one customer to another.
func (f *follower) shift(k usage.SummaryKey, to string, sum usage.Sum) error {
	for _, step := range []struct {
		customer string
		sum      usage.Sum
	}{{k.CustomerID, sum.Neg()}, {to, sum}} {
		k.CustomerID = step.customer
		total := f.diffs[k]
		if err := total.Add(step.sum); err != nil {
			return err
		}
		f.diffs[k] = total
	}
	return nil
}

func (f *follower) note(c cycle.Cycle, currency, from, to string, issued bool, lines int64, billed money.Exact) {
	k := movedKey{c, currency, from, to, issued}
	if f.moved[k] == nil {
		f.moved[k] = &Moved{Cycle: c, Currency: currency, From: from, To: to, Issued: issued}
	}
	m := f.moved[k]
	m.LineCount, m.Billed = m.LineCount+lines, m.Billed.Add(billed)
}

// affected counts lines of a month being closed whose customer would change.
func (f *follower) affected(ctx context.Context, slots []usage.Slot) (int64, error) {
	var n int64
	for _, slot := range slots {
		if slot.State != usage.SlotActive {
			continue
		}
		err := f.eachChange(ctx, slot.ID, func(*usage.Stored, string, string) error { n++; return nil })
		if err != nil {
			return 0, err
		}
	}
	return n, nil
}

// eachChange calls fn for every line of a slot that the old and the new rules give different
// customers.
func (f *follower) eachChange(ctx context.Context, slot int64, fn func(l *usage.Stored, from, to string) error) error {
	whole, single, _, err := f.groups(ctx, slot)
	if err != nil {
		return err
	}
	for g := range whole {
		if single[g.customer] == nil {
			single[g.customer] = map[usage.Hash]bool{}
		}
		single[g.customer][g.account] = true
	}
	for _, customer := range sortedKeys(single) {
		err := f.s.Store.EachLineOf(ctx, slot, customer, func(l *usage.Stored) error {
			if !single[customer][l.AccountID] {
				return nil
			}
			from, _ := f.was.Resolve(&l.Line)
			to, _ := f.is.Resolve(&l.Line)
			if from == to {
				return nil
			}
			return fn(l, from, to)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// newestKnown is what is known of an issued period: the newest late slot, or what was billed; where
// deliveries add up, all of them.
func (f *follower) newestKnown(slots []usage.Slot) []int64 {
	var active, late []int64
	for _, slot := range slots {
		switch slot.State {
		case usage.SlotActive:
			active = append(active, slot.ID)
		case usage.SlotLate:
			late = append(late, slot.ID)
		}
	}
	switch {
	case f.src.Mode == source.ModeAppend:
		return append(active, late...)
	case len(late) > 0:
		return late[len(late)-1:]
	}
	return active
}

// issued gathers the moves of a closed month.
func (f *follower) issued(ctx context.Context, c cycle.Cycle, slots []usage.Slot) error {
	known := f.newestKnown(slots)
	for _, slot := range known {
		err := f.eachChange(ctx, slot, func(l *usage.Stored, from, to string) error {
			if from == usage.CustomerSpread || to == usage.CustomerSpread {
				return fault.Conflict("attribution.spread_closed", fault.Args{"cycle": string(c), "vendor": f.src.Vendor})
			}
			k := remapKey{c, l.Currency, f.key(&l.Line), from, to}
			m := f.remapped[k]
			if m == nil {
				m = &Move{SourceID: f.src.ID, Source: f.src.Name, VendorID: f.src.VendorID, Key: k.key, Cycle: c, Currency: l.Currency,
					From: from, To: to, Lines: f.lines(known, k)}
				f.remapped[k] = m
			}
			m.LineCount, m.Billed = m.LineCount+1, m.Billed.Add(l.Billed)
			f.note(c, l.Currency, from, to, true, 1, l.Billed)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// key names the rule that moves a line: the new one, else the one that ended.
func (f *follower) key(l *usage.Line) string {
	if _, rule := f.is.find(l); rule != nil {
		return rule.Key
	}
	return f.was.Key(l)
}

func (f *follower) lines(slots []int64, k remapKey) func(context.Context, func(*usage.Stored) error) error {
	return func(ctx context.Context, fn func(*usage.Stored) error) error {
		for _, slot := range slots {
			err := f.eachChange(ctx, slot, func(l *usage.Stored, from, to string) error {
				if (remapKey{k.cycle, l.Currency, f.key(&l.Line), from, to}) != k {
					return nil
				}
				return fn(l)
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
}

// hand gives all moves of issued cycles to the Remapper, in an order that does not depend on maps.
func (f *follower) hand(ctx context.Context) error {
	if len(f.remapped) == 0 {
		return nil
	}
	keys := make([]remapKey, 0, len(f.remapped))
	for k := range f.remapped {
		keys = append(keys, k)
	}
	sort.Slice(keys, func(i, j int) bool {
		a, b := keys[i], keys[j]
		switch {
		case a.cycle != b.cycle:
			return a.cycle < b.cycle
		case a.key != b.key:
			return a.key < b.key
		case a.currency != b.currency:
			return a.currency < b.currency
		case a.from != b.from:
			return a.from < b.from
		}
		return a.to < b.to
	})
	if f.s.Remap == nil {
		return fault.Conflict("attribution.cycle_not_open", fault.Args{"cycle": string(keys[0].cycle), "state": "issued", "vendor": f.src.Vendor,
			"count": f.remapped[keys[0]].LineCount})
	}
	moves := make([]Move, len(keys))
	for i, k := range keys {
		moves[i] = *f.remapped[k]
	}
	return f.s.Remap.Remap(ctx, moves)
}

// list gives what moved with customers by code.
func (f *follower) list(ctx context.Context) ([]Moved, error) {
	out := []Moved{}
	orgs, err := f.s.Store.Orgs(ctx)
	if err != nil {
		return nil, err
	}
	code := func(id string) string {
		if o, ok := orgs[id]; ok {
			return o.Code
		}
		return id
	}
	for _, m := range f.moved {
		m.From, m.To = code(m.From), code(m.To)
		out = append(out, *m)
	}
	sort.Slice(out, func(i, j int) bool {
		a, b := out[i], out[j]
		switch {
		case a.Cycle != b.Cycle:
			return a.Cycle < b.Cycle
		case a.Currency != b.Currency:
			return a.Currency < b.Currency
		case a.From != b.From:
			return a.From < b.From
		}
		return a.To < b.To
	})
	return out, nil
}
