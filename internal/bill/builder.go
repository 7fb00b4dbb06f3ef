package bill

import (
	"cmp"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/price"
	"huoban/internal/usage"
)

// Config is everything besides lines that a bill depends on.
type Config struct {
	VendorID string
	Cycle    cycle.Cycle
	Book     *price.Book
	Parties  Parties
	Slots    []Slot
}

// Result is what a run over the lines of a vendor's cycle gives.
type Result struct {
	Documents []Document // in canonical order, state estimate
	Loose     []LooseSum // lines that are on no bill, in canonical order
	Fallbacks []Fallback // lines whose rule names a column they lack, in order of rule
	PriceSeq  int64
}

// LooseSum is lines on no bill, by standing, customer and currency. StandingUnmapped blocks a close,
// as does StandingSpread when the parts of spread lines were not given.
type LooseSum struct {
	Standing  Standing
	Customer  Party
	Currency  string
	LineCount int64
	Billed    money.Exact
}

// Fallback counts lines priced on billed because the base column of their rule is absent.
type Fallback struct {
	RuleNumber, RuleVersion int64
	Base                    price.Base // the absent one
	Currency                string
	LineCount               int64
	Billed                  money.Exact
}

// Builder turns lines into documents. It holds one accumulator per group and none per line, so
// memory does not grow with the number of lines. Not for concurrent use.
type Builder struct {
	pricer    *Pricer
	docs      map[docKey]*docSum
	loose     map[looseKey]*looseSum
	fallbacks map[fallbackKey]*looseSum
	spread    int64
	heaps     []heap // by the number of the group
}

type docKey struct{ buyer, currency, entity string }

type docSum struct {
	leg   Leg
	items map[itemKey]*itemSum
}

// itemKey is what the lines of an item share. The customer's partner and the zone of the source are
// not part of it: they decide which document and which rule, and those are.
type itemKey struct {
	customer, provider, product, region string
	mode                                usage.ChargingMode
	kind                                usage.Kind
	origin                              Origin
	ruleID                              string
	base                                price.Base
	adjustment                          string
}

type itemSum struct {
	number, version   int64
	typ               price.Type
	factor            money.Exact
	count             int64
	source, base, sum money.Sum
	amount            money.Amount
	adjusts           *Adjusts
}

type looseKey struct {
	standing           Standing
	customer, currency string
}

type fallbackKey struct {
	number, version int64
	base            price.Base
	currency        string
}

type looseSum struct {
	count  int64
	billed money.Sum
}

// NewBuilder starts a run. Fault: bill.vendor_unknown.
func NewBuilder(cfg Config) (*Builder, error) {
	p, err := NewPricer(cfg)
	if err != nil {
		return nil, err
	}
	return &Builder{pricer: p, docs: map[docKey]*docSum{}, loose: map[looseKey]*looseSum{},
		fallbacks: map[fallbackKey]*looseSum{}}, nil
}

// Add counts a line as kept. A line that waits to be spread counts by its shares only (AddShare).
// Faults: those of Pricer.Legs, money.out_of_range.
func (b *Builder) Add(l *usage.Stored) error { return b.add(l, OriginUsage) }

// AddShare counts a customer's part of a spread line.
func (b *Builder) AddShare(s *usage.Share) error {
	b.spread++
	return b.add(&s.Part, OriginSpread)
}

func (b *Builder) add(l *usage.Stored, origin Origin) error {
	legs, standing, err := b.pricer.Legs(l)
	if err != nil {
		return err
	}
	if standing != StandingBilled {
		s := b.looseOf(looseKey{standing, l.CustomerID, l.Currency})
		s.count++
		s.billed.Add(l.Billed)
		return nil
	}
	for i := range legs {
		if err := b.addLeg(&legs[i], l, origin); err != nil {
			return err
		}
	}
	return nil
}

func (b *Builder) looseOf(k looseKey) *looseSum {
	s := b.loose[k]
	if s == nil {
		s = &looseSum{}
		b.loose[k] = s
	}
	return s
}

func (b *Builder) fallbackOf(c *price.Chosen, currency string) *looseSum {
	k := fallbackKey{c.Number(), c.Version(), c.Base, currency}
	s := b.fallbacks[k]
	if s == nil {
		s = &looseSum{}
		b.fallbacks[k] = s
	}
	return s
}

func (b *Builder) addLeg(leg *Leg, l *usage.Stored, origin Origin) error {
	c := &leg.Chosen
	base, used, fallback := c.Column(&l.Line)
	if fallback {
		s := b.fallbackOf(c, l.Currency)
		s.count++
		s.billed.Add(l.Billed)
	}
	it := b.doc(leg, l.Currency).item(itemKey{customer: l.CustomerID, provider: l.Account.Provider,
		product: l.Product.Service, region: l.Product.Region, mode: l.Product.ChargingMode, kind: l.Kind,
		origin: origin, ruleID: c.ID(), base: used})
	return it.take(c, base, l.Billed)
}

func (b *Builder) doc(leg *Leg, currency string) *docSum {
	k := docKey{leg.Buyer.ID, currency, leg.Entity.ID}
	d := b.docs[k]
	if d == nil {
		d = &docSum{leg: *leg, items: map[itemKey]*itemSum{}}
		b.docs[k] = d
	}
	return d
}

func (d *docSum) item(k itemKey) *itemSum {
	it := d.items[k]
	if it == nil {
		it = &itemSum{}
		d.items[k] = it
	}
	return it
}

// AddAdjustment puts an adjustment line on the bill of each buyer it is priced for. It keeps the
// prices it comes with: they belong to the cycle it corrects.
// Faults: bill.partner_unknown, bill.entity_missing, money.out_of_range.
func (b *Builder) AddAdjustment(a *Adjustment) error {
	for i := range a.Prices {
		p := &a.Prices[i]
		chain, err := b.pricer.chain(p.PartnerID)
		if err != nil {
			return err
		}
		leg := Leg{Buyer: chain[len(chain)-1], Seller: b.pricer.vendor}
		if len(chain) > 1 {
			leg.Seller = chain[0]
		}
		var ok bool
		if leg.Entity, leg.TaxInDue, ok = b.pricer.cfg.Parties.Entity(a.SourceID, leg.Buyer.ID); !ok {
			return fault.Conflict("bill.entity_missing", fault.Args{"vendor": b.pricer.vendor.Code})
		}
		kind := p.Kind
		if kind == "" {
			kind = usage.KindAdjustment
		}
		it := b.doc(&leg, a.Currency).item(itemKey{customer: a.CustomerID, kind: kind,
			origin: OriginAdjustment, ruleID: p.RuleID, base: p.Base, adjustment: a.ID})
		it.number, it.version, it.typ, it.factor = p.RuleNumber, p.RuleVersion, p.RuleType, p.Factor
		it.adjusts = &a.Adjusts
		it.count += p.LineCount
		it.source.Add(p.SourceExact)
		it.base.Add(p.BaseExact)
		it.sum.Add(p.Exact)
		if it.amount, err = it.amount.Add(p.Amount); err != nil {
			return err
		}
	}
	return nil
}

// Result closes the run. Fault: money.out_of_range.
func (b *Builder) Result() (*Result, error) {
	r := &Result{PriceSeq: b.pricer.cfg.Book.Seq()}
	var err error
	if r.Documents, err = b.documents(); err != nil {
		return nil, err
	}
	for k, s := range b.loose {
		if k.standing == StandingSpread && b.spread > 0 {
			continue // counted by its parts
		}
		r.Loose = append(r.Loose, LooseSum{k.standing, b.party(k.customer), k.currency, s.count, s.billed.Exact()})
	}
	slices.SortFunc(r.Loose, func(x, y LooseSum) int {
		return cmp.Or(strings.Compare(string(x.Standing), string(y.Standing)),
			strings.Compare(x.Customer.Code, y.Customer.Code), strings.Compare(x.Currency, y.Currency))
	})
	for k, s := range b.fallbacks {
		r.Fallbacks = append(r.Fallbacks, Fallback{k.number, k.version, k.base, k.currency, s.count, s.billed.Exact()})
	}
	slices.SortFunc(r.Fallbacks, func(x, y Fallback) int {
		return cmp.Or(cmp.Compare(x.RuleNumber, y.RuleNumber), cmp.Compare(x.RuleVersion, y.RuleVersion),
			strings.Compare(x.Currency, y.Currency))
	})
	return r, nil
}

// documents closes the bills, on as many goroutines as there are processors: sorting their items and
// naming them by their content is all that is left to do.
func (b *Builder) documents() ([]Document, error) {
	out := make([]Document, len(b.docs))
	var closing errgroup.Group
	closing.SetLimit(runtime.GOMAXPROCS(0))
	n := 0
	for k, d := range b.docs {
		at := &out[n]
		n++
		closing.Go(func() error {
			doc, err := b.document(k, d)
			if err == nil {
				*at = *doc
			}
			return err
		})
	}
	if err := closing.Wait(); err != nil || n == 0 {
		return nil, err
	}
	SortDocuments(out)
	return out, nil
}

func (b *Builder) party(id string) Party {
	o, _ := b.pricer.cfg.Parties.Org(id)
	return Party{ID: id, Code: o.Code, Name: o.Name}
}

func (b *Builder) document(k docKey, s *docSum) (*Document, error) {
	d := &Document{Vendor: partyOf(b.pricer.vendor), Partner: partyOf(s.leg.Buyer), Seller: partyOf(s.leg.Seller),
		Entity: s.leg.Entity, Cycle: b.pricer.cfg.Cycle, Currency: k.currency, State: StateEstimate,
		TaxInDue: s.leg.TaxInDue, PriceSeq: b.pricer.cfg.Book.Seq()}
	for ik, is := range s.items {
		d.Items = append(d.Items, Item{Customer: b.party(ik.customer), Origin: ik.origin, Provider: ik.provider,
			Product: ik.product, Region: ik.region, Mode: ik.mode, Kind: ik.kind, RuleID: ik.ruleID,
			RuleNumber: is.number, RuleVersion: is.version, RuleType: is.typ, Base: ik.base, Factor: is.factor,
			LineCount: is.count, SourceExact: is.source.Exact(), BaseExact: is.base.Exact(), Exact: is.sum.Exact(),
			Amount: is.amount, Adjusts: is.adjusts})
	}
	SortItems(d.Items)
	if err := d.total(); err != nil {
		return nil, err
	}
	d.Code = d.ComputeCode()
	return d, nil
}

func partyOf(o Org) Party { return Party{ID: o.ID, Code: o.Code, Name: o.Name} }
