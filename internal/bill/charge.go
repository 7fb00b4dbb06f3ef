package bill

import (
	"slices"
	"time"

	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/price"
	"huoban/internal/usage"
)

// heap is a group of lines as a builder adds it up: who buys it at what price, while that holds, and the
// items the lines go to. Neighbours in a group have one price, so that a line costs a comparison of its
// start and the additions.
type heap struct {
	from, to time.Time // while the legs hold; zero is unbounded
	found    bool
	loose    *looseSum // of lines on no bill
	legs     []heapLeg
}

type heapLeg struct {
	leg  *Leg
	doc  *docSum
	item [len(bases)]*itemSum // by base column used
}

// bases are the columns a price may apply to.
var bases = [...]price.Base{price.BaseBilled, price.BaseList, price.BaseContracted}

// Part is one of several runs over the lines of a cycle that go on at once; Merge brings it back.
func (b *Builder) Part() (*Builder, error) { return NewBuilder(b.pricer.cfg) }

// Take counts a line of a group. Faults: those of Pricer.Legs, money.out_of_range.
func (b *Builder) Take(g *usage.Group, c *usage.Charge) error {
	h, err := b.heap(g, c.Start)
	if err != nil {
		return err
	}
	if h.loose != nil {
		h.loose.count++
		h.loose.billed.Add(c.Billed)
		return nil
	}
	for i := range h.legs {
		if err := b.takeLeg(&h.legs[i], g, c); err != nil {
			return err
		}
	}
	return nil
}

// Steady tells whether all lines of the group that start between two instants have the same buyers and
// prices. Faults: those of Pricer.Legs.
func (b *Builder) Steady(g *usage.Group, first, last time.Time) (bool, error) {
	h, err := b.heap(g, first)
	if err != nil {
		return false, err
	}
	return h.holds(last), nil
}

func (h *heap) holds(at time.Time) bool {
	return h.found && (h.from.IsZero() || !at.Before(h.from)) && (h.to.IsZero() || at.Before(h.to))
}

func (b *Builder) heap(g *usage.Group, start time.Time) (*heap, error) {
	if g.No >= len(b.heaps) {
		b.heaps = append(b.heaps, make([]heap, g.No+1-len(b.heaps))...)
	}
	h := &b.heaps[g.No]
	if h.holds(start) {
		return h, nil
	}
	legs, standing, from, to, err := b.pricer.span(g, start)
	if err != nil {
		return nil, err
	}
	*h = heap{from: from, to: to, found: true}
	if standing != StandingBilled {
		h.loose = b.looseOf(looseKey{standing, g.CustomerID, g.Currency})
		return h, nil
	}
	for i := range legs {
		h.legs = append(h.legs, heapLeg{leg: &legs[i], doc: b.doc(&legs[i], g.Currency)})
	}
	return h, nil
}

func (b *Builder) takeLeg(hl *heapLeg, g *usage.Group, c *usage.Charge) error {
	chosen := &hl.leg.Chosen
	base, used := c.Base(string(chosen.Base)), chosen.Base
	if base == nil {
		base, used = &c.Billed, price.BaseBilled
		s := b.fallbackOf(chosen, g.Currency)
		s.count++
		s.billed.Add(c.Billed)
	}
	at := slices.Index(bases[:], used)
	if at < 0 {
		return fault.New(fault.KindInternal, "bill.base_unknown", fault.Args{"base": string(used)})
	}
	it := hl.item[at]
	if it == nil {
		it = hl.doc.item(itemKey{customer: g.CustomerID, provider: g.Provider, product: g.Service, region: g.Region, mode: g.Mode,
			kind: g.Kind, origin: OriginUsage, ruleID: chosen.ID(), base: used})
		hl.item[at] = it
	}
	return it.take(chosen, base, c.Billed)
}

// take counts a line in the item: base × factor, rounded once.
func (it *itemSum) take(c *price.Chosen, base *money.Exact, billed money.Exact) error {
	if it.count == 0 {
		it.number, it.version, it.typ, it.factor = c.Number(), c.Version(), c.Type, c.Factor
	}
	amount, err := it.sum.AddProduct(*base, c.Factor)
	if err != nil {
		return err
	}
	if it.amount, err = it.amount.Add(amount); err != nil {
		return err
	}
	it.count++
	it.source.Add(billed)
	it.base.Add(*base)
	return nil
}

// Merge adds what another run with the same configuration counted. Fault: money.out_of_range.
func (b *Builder) Merge(o *Builder) error {
	for k, d := range o.docs {
		mine := b.docs[k]
		if mine == nil {
			b.docs[k] = d
			continue
		}
		for ik, it := range d.items {
			to := mine.items[ik]
			if to == nil {
				mine.items[ik] = it
				continue
			}
			if err := to.merge(it); err != nil {
				return err
			}
		}
	}
	for k, s := range o.loose {
		b.looseOf(k).merge(s)
	}
	for k, s := range o.fallbacks {
		if b.fallbacks[k] == nil {
			b.fallbacks[k] = &looseSum{}
		}
		b.fallbacks[k].merge(s)
	}
	b.spread += o.spread
	return nil
}

func (it *itemSum) merge(o *itemSum) (err error) {
	it.amount, err = it.amount.Add(o.amount)
	it.count += o.count
	it.source.AddSum(&o.source)
	it.base.AddSum(&o.base)
	it.sum.AddSum(&o.sum)
	return err
}

func (s *looseSum) merge(o *looseSum) {
	s.count += o.count
	s.billed.AddSum(&o.billed)
}
