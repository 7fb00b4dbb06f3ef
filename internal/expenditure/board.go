package expenditure

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/scope"
	"huoban/internal/usage"
)

// By is what 消费看板 groups consumption by.
type By string

// The groupings.
const (
	ByProduct  By = "product"
	ByMode     By = "mode"
	ByRelation By = "relation"
	ByManager  By = "manager"
	ByCustomer By = "customer"
)

// Groupings are all there are, in the order they are offered.
var Groupings = []By{ByProduct, ByMode, ByRelation, ByManager, ByCustomer}

// Order is what the groups of 消费看板 are ordered by, the largest first; names from their beginning.
type Order string

// The orders.
const (
	OrderTotal  Order = "total"
	OrderLast   Order = "last"   // of the last cycle
	OrderChange Order = "change" // from the cycle before the last to the last
	OrderName   Order = "name"
)

// Orders are all there are, in the order they are offered.
var Orders = []Order{OrderTotal, OrderLast, OrderChange, OrderName}

// BoardFilter is what 消费看板 shows: the cycles from First to Last, grouped. Filter narrows it as it narrows
// 客户消费; its cycle is not read.
type BoardFilter struct {
	Filter
	First, Last cycle.Cycle
	By          By
	Order       Order
	Top         int  // so many groups, the others in one; 0 = all
	Zero        bool // also groups that have nothing but zero
}

// Group is a row of 消费看板. Of Customer and Manager one is set where the grouping is by it.
type Group struct {
	Key      string // a product, mode, relation, customer code or manager's key; "" = what has none
	Customer Party
	Manager  Person
	Others   int       // so many groups behind the first ones stand in this; 0 = it is one
	Cells    []Figures // by cycle
	Total    Figures
}

// Change is from the cycle before the last to the last; nothing where there is one cycle only.
func (g *Group) Change() money.Exact {
	n := len(g.Cells)
	if n < 2 {
		return money.Exact{}
	}
	return g.Cells[n-1].Amount().Sub(g.Cells[n-2].Amount())
}

// zero tells whether there is no amount in any cycle.
func (g *Group) zero() bool {
	return !slices.ContainsFunc(g.Cells, func(f Figures) bool {
		return !f.Consumption.IsZero() || !f.Refund.IsZero() || !f.Adjustment.IsZero()
	})
}

// Board is what was consumed over some cycles by group, in order. Amounts are exact, so that groups and
// cycles sum to the total.
type Board struct {
	Currency string
	Cycles   []cycle.Cycle
	Groups   []Group
	Cells    []Figures // of all groups, by cycle
	Total    Figures
	Choices  Choices
	Since    time.Time // as of Summary
}

// CheckSpan refuses cycles in the wrong order or out of reach. Faults: expenditure.span_reversed, those of
// CheckCycle.
func CheckSpan(first, last cycle.Cycle, now time.Time) error {
	if first > last {
		return fault.Invalid("expenditure.span_reversed", fault.Args{"first": string(first), "last": string(last)})
	}
	if err := CheckCycle(first, now); err != nil {
		return err
	}
	return CheckCycle(last, now)
}

// Board sums cycles up by group. A manager's customers count from the moment of their assignment, where 客户消费
// begins on the next day. Who asks the same again gets the same board, which is not to be changed. Faults: those of
// Summarise.
func (s *Service) Board(ctx context.Context, sc scope.Scope, f BoardFilter) (*Board, error) {
	if err := sc.Require(scope.ItemExpenditureView, scope.ItemExpenditureCustomers); err != nil {
		return nil, err
	}
	var out *Board
	err := s.Tx.InRead(ctx, func(ctx context.Context) error {
		version, err := s.Store.Version(ctx)
		if err != nil {
			return err
		}
		key := daysKey{sc.Key(), f}
		if out = s.memo.board(version, key); out != nil {
			return nil
		}
		b := &boardMaker{f: f, rows: map[string]map[string]*Group{}, cells: map[string][]Figures{}}
		for c := f.First; c <= f.Last; c = c.Next() {
			b.cycles = append(b.cycles, c)
		}
		for i, c := range b.cycles {
			one := f.Filter
			one.Cycle = c
			v, err := s.viewAs(ctx, sc, one, customer.CountDashboard)
			if err != nil {
				return err
			}
			if err := b.add(ctx, v, i); err != nil {
				return err
			}
			if err := b.vouchers(ctx, v, i); err != nil {
				return err
			}
		}
		out = b.board()
		s.memo.keepBoard(version, key, out)
		return nil
	})
	return out, err
}

type boardMaker struct {
	f       BoardFilter
	cycles  []cycle.Cycle
	rows    map[string]map[string]*Group // by currency and key; tax stands in no group
	cells   map[string][]Figures         // of all, by currency
	choices Choices
	since   time.Time
}

func (b *boardMaker) add(ctx context.Context, v *view, at int) error {
	choices, err := v.survey(ctx, false, func(p *piece) {
		rows := b.rows[p.Currency]
		if rows == nil {
			rows = map[string]*Group{}
			b.rows[p.Currency], b.cells[p.Currency] = rows, make([]Figures, len(b.cycles))
		}
		if b.cells[p.Currency][at].count(p.Kind, p.Lines, p.Billed, p.Discount); p.Kind == usage.KindTax {
			return
		}
		key := b.key(p)
		g := rows[key]
		if g == nil {
			g = &Group{Key: key, Cells: make([]Figures, len(b.cycles))}
			switch b.f.By {
			case ByCustomer:
				g.Customer = p.Span.Customer
			case ByManager:
				g.Manager = p.Span.Manager
			}
			rows[key] = g
		}
		g.Cells[at].count(p.Kind, p.Lines, p.Billed, p.Discount)
	})
	b.choices.merge(choices)
	if since := v.since(); !since.IsZero() && (b.since.IsZero() || since.Before(b.since)) {
		b.since = since
	}
	return err
}

// vouchers takes what the partner's vouchers paid of the lines the board holds out of what was paid for them.
func (b *boardMaker) vouchers(ctx context.Context, v *view, at int) error {
	if v.s.Vouchers == nil || v.sc.Side() != scope.SidePartner {
		return nil
	}
	uses, err := v.s.Vouchers.PartnerUses(ctx, v.sc.OrgID(), string(b.cycles[at]))
	if err != nil {
		return err
	}
	for i := range uses {
		u := &uses[i]
		start, err := time.Parse(usage.StartText, u.Start)
		if err != nil {
			return err
		}
		for _, spans := range v.groups {
			n := slices.IndexFunc(spans, func(s Span) bool { return s.Customer.ID == u.CustomerID && s.covers(start) })
			if n < 0 {
				continue
			}
			p := &piece{Span: &spans[n]}
			p.Currency, p.Product, p.Region, p.Mode, p.Kind = u.Currency, u.Service, u.Region, usage.ChargingMode(u.Mode), usage.KindConsumption
			if g := b.rows[u.Currency][b.key(p)]; g != nil && v.f.takes(&p.Amount) {
				g.Cells[at].Coupon = g.Cells[at].Coupon.Add(u.Amount.Exact())
				b.cells[u.Currency][at].Coupon = b.cells[u.Currency][at].Coupon.Add(u.Amount.Exact())
			}
			break
		}
	}
	return nil
}

func (b *boardMaker) key(p *piece) string {
	switch b.f.By {
	case ByMode:
		return string(p.Mode)
	case ByRelation:
		return string(p.Span.Relation)
	case ByManager:
		return p.Span.Manager.ID
	case ByCustomer:
		return p.Span.Customer.Code
	}
	return p.Product
}

func (b *boardMaker) board() *Board {
	out := &Board{Cycles: b.cycles, Choices: b.choices, Since: b.since}
	out.Currency = out.Choices.currency(b.f.Filter)
	if out.Cells = b.cells[out.Currency]; out.Cells == nil {
		out.Cells = make([]Figures, len(b.cycles))
	}
	for i := range out.Cells {
		out.Total.Merge(out.Cells[i])
	}
	for _, g := range b.rows[out.Currency] {
		for i := range g.Cells {
			g.Total.Merge(g.Cells[i])
		}
		if b.f.Zero || !g.zero() {
			out.Groups = append(out.Groups, *g)
		}
	}
	slices.SortFunc(out.Groups, func(a, b2 Group) int { return b.f.Order.compare(&a, &b2) })
	if n := b.f.Top; n > 0 && len(out.Groups) > n+1 {
		out.Groups = append(out.Groups[:n:n], rest(out.Groups[n:]))
	}
	return out
}

// compare orders two groups; those that are equal stand by their keys.
func (o Order) compare(a, b *Group) int {
	worth := func(g *Group) money.Exact {
		switch o {
		case OrderLast:
			return g.Cells[len(g.Cells)-1].Amount()
		case OrderChange:
			return g.Change()
		}
		return g.Total.Amount()
	}
	if o == OrderName {
		return strings.Compare(a.Key, b.Key)
	}
	return cmp.Or(worth(b).Cmp(worth(a)), strings.Compare(a.Key, b.Key))
}

// rest is what several groups have together.
func rest(groups []Group) Group {
	out := Group{Others: len(groups), Cells: make([]Figures, len(groups[0].Cells))}
	for i := range groups {
		for n := range out.Cells {
			out.Cells[n].Merge(groups[i].Cells[n])
		}
		out.Total.Merge(groups[i].Total)
	}
	return out
}

// merge adds what another cycle offers.
func (c *Choices) merge(o Choices) {
	c.Customers, c.Managers = o.Customers, o.Managers
	c.Currencies, c.Products, c.Regions, c.Modes = joined(c.Currencies, o.Currencies), joined(c.Products, o.Products), joined(c.Regions, o.Regions), joined(c.Modes, o.Modes)
}

func joined[T cmp.Ordered](a, b []T) []T {
	out := append(slices.Clone(a), b...)
	slices.Sort(out)
	return slices.Compact(out)
}
