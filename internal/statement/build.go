package statement

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"huoban/internal/bill"
	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/money"
	"huoban/internal/price"
	"huoban/internal/sorted"
	"huoban/internal/usage"
)

// eachLine streams the lines of one customer of a bill.
type eachLine func(ctx context.Context, doc *bill.Document, customerID string, fn func(*bill.LineRow) error) error

// builder makes the statements of one issued bill.
type builder struct {
	doc         *bill.Document
	book        *Book
	links       *customer.Book
	resellers   []string
	lines       eachLine
	first, last price.Date // days of the cycle
}

func newBuilder(doc *bill.Document, book *Book, links *customer.Book, resellers []string, lines eachLine) *builder {
	first := price.DateOf(doc.Cycle.Start(time.UTC), time.UTC)
	last := price.DateOf(doc.Cycle.End(time.UTC).AddDate(0, 0, -1), time.UTC)
	return &builder{doc: doc, book: book, links: links, resellers: resellers, lines: lines, first: first, last: last}
}

// belonging says whose customer somebody on the bill is. A distributor's bill holds the customers of its resellers
// too, who get their statements from the reseller.
type belonging int

const (
	foreign belonging = iota
	own
	shared // was the partner's own at one time and a reseller's at another
)

func (b *builder) belongs(customerID string) belonging {
	mine, theirs := false, false
	for _, a := range b.links.Of(customerID) {
		switch {
		case a.PartnerID == b.doc.Partner.ID && a.Kind == customer.KindResale:
			mine = true
		case slices.Contains(b.resellers, a.PartnerID):
			theirs = true
		}
	}
	switch {
	case !mine:
		return foreign
	case theirs:
		return shared
	}
	return own
}

// all makes a statement for each customer of the bill that is the partner's own, in order of codes.
func (b *builder) all(ctx context.Context, only string) ([]*Statement, error) {
	var out []*Statement
	seen := map[string]bool{}
	for i := range b.doc.Items {
		c := b.doc.Items[i].Customer
		if c.ID == "" || seen[c.ID] || only != "" && c.ID != only || b.belongs(c.ID) == foreign {
			continue
		}
		seen[c.ID] = true
		s, err := b.one(ctx, c)
		if err != nil {
			return nil, err
		}
		if s != nil {
			out = append(out, s)
		}
	}
	sorted.By(out, func(x, y *Statement) int { return strings.Compare(x.Customer.Code, y.Customer.Code) })
	return out, nil
}

// one makes the statement of a customer; nil where nothing is asked of it. The items of the bill do unless the rules
// change within the cycle or the customer changed hands: then every line is looked at.
func (b *builder) one(ctx context.Context, c bill.Party) (*Statement, error) {
	g := groups{at: map[groupKey]int{}}
	whose := b.belongs(c.ID)
	if whose == own && !b.book.turns(c.ID, b.first, b.last) {
		for i := range b.doc.Items {
			if it := &b.doc.Items[i]; it.Customer.ID == c.ID && it.Kind != usage.KindTax {
				g.add(b.rule(c.ID, it.Product, b.dayOf(it)), part{it: it, lines: it.LineCount, source: it.SourceExact, cost: it.Amount})
			}
		}
	} else if err := b.byLine(ctx, c.ID, whose, &g); err != nil {
		return nil, err
	}
	if len(g.list) == 0 {
		return nil, nil
	}
	s := &Statement{PartnerID: b.doc.Partner.ID, Partner: b.doc.Partner, Customer: c, BillID: b.doc.ID, Cycle: b.doc.Cycle, Currency: b.doc.Currency, RuleSeq: b.book.seq}
	var err error
	s.Lines, err = g.lines()
	return s, err
}

func (b *builder) rule(customerID, product string, day price.Date) *Rule {
	return b.book.Choose(customerID, product, day)
}

// dayOf is the day an item is judged by: the first of its cycle, of the corrected one for an adjustment.
func (b *builder) dayOf(it *bill.Item) price.Date {
	if it.Adjusts != nil {
		return price.DateOf(it.Adjusts.CorrectsCycle.Start(time.UTC), time.UTC)
	}
	return b.first
}

// within brings a day into the cycle: a charge may begin before the month it is billed in.
func (b *builder) within(day price.Date) price.Date { return min(max(day, b.first), b.last) }

func (b *builder) byLine(ctx context.Context, customerID string, whose belonging, g *groups) error {
	mine := func(at time.Time) bool {
		partnerID, _, ok := b.links.PartnerAt(customerID, at)
		return whose == own || ok && partnerID == b.doc.Partner.ID
	}
	return b.lines(ctx, b.doc, customerID, func(r *bill.LineRow) error {
		if r.Item != nil {
			if r.Item.Kind != usage.KindTax && mine(r.Item.Adjusts.CorrectsCycle.Start(cycle.Zone)) {
				it := r.Item
				g.add(b.rule(customerID, it.Product, b.dayOf(it)), part{it: it, lines: it.LineCount, source: it.SourceExact, cost: it.Amount})
			}
			return nil
		}
		if r.Line.Kind == usage.KindTax || !mine(r.Line.ChargeStart) {
			return nil
		}
		it := b.itemOf(customerID, r)
		day := b.within(price.DateOf(r.Line.ChargeStart, r.Zone))
		g.add(b.rule(customerID, it.Product, day), part{it: it, lines: 1, source: r.Line.Billed, cost: r.Amount})
		return nil
	})
}

// itemOf is the item of the bill a line was counted in.
func (b *builder) itemOf(customerID string, r *bill.LineRow) *bill.Item {
	l := &r.Line
	for i := range b.doc.Items {
		it := &b.doc.Items[i]
		if it.Customer.ID == customerID && it.Origin == r.Origin && it.Kind == l.Kind && it.Provider == l.Account.Provider && it.Product == l.Product.Service &&
			it.Region == l.Product.Region && it.Mode == l.Product.ChargingMode && it.RuleNumber == r.Chosen.Number() && it.RuleVersion == r.Chosen.Version() && it.Base == r.Base {
			return it
		}
	}
	return &bill.Item{Customer: r.Customer, Origin: r.Origin, Provider: l.Account.Provider, Product: l.Product.Service, Region: l.Product.Region,
		Mode: l.Product.ChargingMode, Kind: l.Kind}
}

// part is what goes into a line: an item of the bill or a line of it.
type part struct {
	it     *bill.Item
	lines  int64
	source money.Exact
	cost   money.Amount
}

type groupKey struct {
	origin                    bill.Origin
	provider, product, region string
	mode                      usage.ChargingMode
	kind                      usage.Kind
	corrects                  cycle.Cycle
	number, version           int64
}

type group struct {
	key    groupKey
	rule   *Rule
	items  []int
	lines  int64
	source money.Sum
	cost   money.Sum
}

type groups struct {
	at   map[groupKey]int
	list []*group
}

func (g *groups) add(r *Rule, p part) {
	k := groupKey{origin: p.it.Origin, provider: p.it.Provider, product: p.it.Product, region: p.it.Region, mode: p.it.Mode, kind: p.it.Kind}
	if p.it.Adjusts != nil {
		k.corrects = p.it.Adjusts.CorrectsCycle
	}
	if r != nil {
		k.number, k.version = r.Number, r.Version
	}
	n, ok := g.at[k]
	if !ok {
		n = len(g.list)
		g.at[k] = n
		g.list = append(g.list, &group{key: k, rule: r})
	}
	x := g.list[n]
	x.lines += p.lines
	x.source.Add(p.source)
	x.cost.Add(p.cost.Exact())
	if p.it.No > 0 && !slices.Contains(x.items, p.it.No) {
		x.items = append(x.items, p.it.No)
	}
}

var (
	one         = money.MustExact("1")
	originOrder = map[bill.Origin]int{bill.OriginUsage: 1, bill.OriginSpread: 2, bill.OriginAdjustment: 3}
	kindOrder   = map[usage.Kind]int{usage.KindConsumption: 1, usage.KindRefund: 2, usage.KindAdjustment: 3}
)

// lines prices the groups and brings them into order. Fault: money.out_of_range.
func (g *groups) lines() ([]Line, error) {
	sorted.By(g.list, func(a, b *group) int {
		x, y := &a.key, &b.key
		return cmp.Or(cmp.Compare(originOrder[x.origin], originOrder[y.origin]), cmp.Compare(kindOrder[x.kind], kindOrder[y.kind]), strings.Compare(x.provider, y.provider),
			strings.Compare(x.product, y.product), strings.Compare(x.region, y.region), strings.Compare(string(x.mode), string(y.mode)), strings.Compare(string(x.kind), string(y.kind)),
			strings.Compare(string(x.corrects), string(y.corrects)), cmp.Compare(x.number, y.number), cmp.Compare(x.version, y.version))
	})
	out := make([]Line, len(g.list))
	for i, x := range g.list {
		c := &Costing{Items: x.items, Source: x.source.Exact(), Base: BaseBilled, Factor: one}
		var err error
		if c.Cost, err = x.cost.Exact().Amount(); err != nil {
			return nil, err
		}
		if x.rule != nil {
			c.RuleNumber, c.RuleVersion, c.Base, c.Factor = x.rule.Number, x.rule.Version, x.rule.Base, x.rule.Factor
		}
		slices.Sort(c.Items)
		c.Exact = c.BaseAmount().Mul(c.Factor)
		out[i] = Line{No: i + 1, Origin: x.key.origin, Provider: x.key.provider, Product: x.key.product, Region: x.key.region, Mode: x.key.mode, Kind: x.key.kind,
			Corrects: x.key.corrects, LineCount: x.lines, Costing: c}
		if out[i].Amount, err = c.Exact.Amount(); err != nil {
			return nil, err
		}
	}
	return out, nil
}
