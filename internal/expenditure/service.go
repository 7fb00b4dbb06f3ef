package expenditure

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"huoban/internal/coupon"
	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/scope"
	"huoban/internal/usage"
)

// Slot is a visible delivery of a cycle as this package needs it.
type Slot struct {
	ID         int64
	SourceID   string
	SourceName string
	BaseIsList bool // the source's base column is the list price
}

// Sum is a kept sum of a customer's lines in a slot. Base is the sum of the source's base column,
// where billed stands in for what a line lacks.
type Sum struct {
	SlotID          int64
	Product, Region string
	Mode            usage.ChargingMode
	Kind            usage.Kind
	Currency        string
	Lines           int64
	Base, Billed    money.Exact
}

// Amount is one line as sums need it.
type Amount struct {
	Product, Region string
	Mode            usage.ChargingMode
	Kind            usage.Kind
	Currency        string
	Billed          money.Exact
	List            *money.Exact
}

// Store reads what customers consumed. A span outside the scope holds nothing.
type Store interface {
	Own(ctx context.Context, sc scope.Scope) (Party, error)
	// Links and Care are those of the acting partner and its resellers.
	Links(ctx context.Context, sc scope.Scope) ([]Link, error)
	Care(ctx context.Context, sc scope.Scope) ([]Care, error)
	// Slots are the active slots of the cycle, of every vendor, by vendor, source and delivery.
	Slots(ctx context.Context, c cycle.Cycle) ([]Slot, error)
	// Sums are those of the span's customer whatever the time; one whose lines are not all in the span
	// is of use only to say where lines are.
	Sums(ctx context.Context, sc scope.Scope, s *Span, c cycle.Cycle) ([]Sum, error)
	// Bounds are the first and last charge of the span's customer in a slot.
	Bounds(ctx context.Context, sc scope.Scope, s *Span, slotID int64) (first, last time.Time, err error)
	// Amounts streams the customer's lines of a slot within the span, of the filter's resource, account and order.
	Amounts(ctx context.Context, sc scope.Scope, s *Span, slotID int64, f Filter, fn func(*Amount) error) error
	// Days are the kept days of the active slots of the cycle, of all customers the organisation ever dealt with,
	// of which the caller keeps those it sees. Moments streams a customer's lines of a slot within the span.
	Days(ctx context.Context, sc scope.Scope, c cycle.Cycle) ([]Day, error)
	Moments(ctx context.Context, sc scope.Scope, s *Span, slotID int64, fn func(*Moment) error) error
	// Lines is a page of the customer's lines of a slot within the span, in key order after a place; going
	// back, against that order before it. The zero place is where either begins. With lines comes the version they
	// were read at, without any 0.
	Lines(ctx context.Context, sc scope.Scope, s *Span, slotID int64, f Filter, at usage.Place, back bool, limit int) (lines []Line, version int64, err error)
	// SpreadSlots are the active slots of the cycle with lines that wait to be spread.
	SpreadSlots(ctx context.Context, c cycle.Cycle) ([]int64, error)
	// OfAccount are the customers with charges of an account in those cycles, Weight the lines ByNumber would look
	// at, and ByNumber lines whose key begins so: all among the customers the organisation ever dealt with, of
	// which the caller keeps those it sees.
	OfAccount(ctx context.Context, sc scope.Scope, from, to cycle.Cycle, account string) ([]string, error)
	Weight(ctx context.Context, sc scope.Scope, at cycle.Cycle) (lines int64, err error)
	ByNumber(ctx context.Context, sc scope.Scope, at cycle.Cycle, begins []byte) ([]Place, error)
	// Batches are the deliveries of a cycle, active or replaced, with each customer the organisation ever dealt with
	// that has lines in them; the caller keeps those it sees.
	Batches(ctx context.Context, sc scope.Scope, c cycle.Cycle) ([]BatchOf, error)
	// Before are the cycles before one of which any delivery counts, the newest first.
	Before(ctx context.Context, c cycle.Cycle) ([]cycle.Cycle, error)
	// Version moves with every change of spans and slots, in the change's own transaction.
	Version(ctx context.Context) (int64, error)
}

// Tx reads from one snapshot.
type Tx interface {
	InRead(ctx context.Context, fn func(ctx context.Context) error) error
}

// Service answers what customers consumed.
type Service struct {
	Tx     Tx
	Store  Store
	Reader usage.Reader

	memo   memo
	daysAt atomic.Int64 // the version at which the kept days were looked through

	// Vouchers tells what partners' vouchers paid on issued bills; nil: nothing.
	Vouchers interface {
		PartnerUses(ctx context.Context, partnerID, cycle string) ([]coupon.Use, error)
	}
}

// view is one question: the spans it may look at, and what it has read already.
type view struct {
	s       *Service
	sc      scope.Scope
	f       Filter
	all     []Span  // in scope
	people  Choices // customers and managers in scope
	version int64
	told    int64 // the version that came with what was read last; 0 = none did
	groups  [][]Span
	slots   []Slot
	spread  []int64
	sums    map[string][]Sum
	shares  map[string][]usage.Share // nil until read
}

func (s *Service) view(ctx context.Context, sc scope.Scope, f Filter) (*view, error) {
	return s.viewAs(ctx, sc, f, customer.CountExpenditure)
}

// viewAs is a view that counts a manager's customers as a page does.
func (s *Service) viewAs(ctx context.Context, sc scope.Scope, f Filter, count customer.Count) (*view, error) {
	if err := sc.Require(scope.ItemExpenditureView, scope.ItemExpenditureCustomers); err != nil {
		return nil, err
	}
	version, err := s.Store.Version(ctx)
	if err != nil {
		return nil, err
	}
	v := &view{s: s, sc: sc, f: f, version: version, sums: map[string][]Sum{}}
	seen, err := s.reach(ctx, sc, count, version)
	if err != nil {
		return nil, err
	}
	v.all, v.people = seen.spans, seen.people
	month, err := s.month(ctx, sc, f.Cycle, version)
	if err != nil {
		return nil, err
	}
	v.slots, v.spread = month.slots, month.spread
	if f.Customer != "" && !slices.ContainsFunc(v.all, func(x Span) bool { return x.Customer.Code == f.Customer }) {
		return nil, fault.NotFound("expenditure.customer_unknown", nil)
	}
	if f.Manager != "" && f.Manager != Nobody && !slices.ContainsFunc(v.all, func(x Span) bool { return x.Manager.Is(f.Manager) }) {
		return nil, fault.NotFound("expenditure.manager_unknown", nil)
	}
	from, to, err := f.days()
	if err != nil {
		return nil, err
	}
	for _, x := range narrowed(v.all, f) {
		if !from.IsZero() {
			inside := false
			if x, inside = within(x, from, to); !inside {
				continue
			}
		}
		n := len(v.groups) - 1
		if n < 0 || v.groups[n][0].Customer.ID != x.Customer.ID {
			v.groups = append(v.groups, nil)
			n++
		}
		v.groups[n] = append(v.groups[n], x)
	}
	return v, nil
}

// since is from when the cycle counts for a scope that is limited to assigned customers, of what the filter
// takes; zero where there is no such limit or nothing counts at all.
func (v *view) since() time.Time {
	if _, limited := v.sc.Windows(); !limited || v.sc.Side() != scope.SidePartner {
		return time.Time{}
	}
	begin, end := v.f.Cycle.Start(cycle.Zone), v.f.Cycle.End(cycle.Zone)
	var first time.Time
	for _, spans := range v.groups {
		for _, s := range spans {
			if from := latest(s.From, begin); s.covers(from) && from.Before(end) && (first.IsZero() || from.Before(first)) {
				first = from
			}
		}
	}
	return first
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// sumsOf reads the kept sums of a customer once.
func (v *view) sumsOf(ctx context.Context, s *Span) ([]Sum, error) {
	if have, ok := v.sums[s.Customer.ID]; ok {
		return have, nil
	}
	v.told = 0
	sums, err := v.s.sums(ctx, v.sc, s, v.f.Cycle, v.version)
	if v.sums != nil {
		v.sums[s.Customer.ID] = sums
	}
	return sums, err
}

// piece is an amount of one span, of one line or of many.
type piece struct {
	Amount
	Span     *Span
	Lines    int64
	Discount money.Exact
	At       time.Time // of a share only
}

// each gives everything consumed in the spans, from the kept sums where all lines of a slot lie in
// one span, else line by line. Where discount is asked for, a slot's sums do only if they know it.
func (v *view) each(ctx context.Context, discount bool, fn func(*piece)) error {
	for _, spans := range v.groups {
		sums, err := v.sumsOf(ctx, &spans[0])
		if err != nil {
			return err
		}
		for _, slot := range v.slots {
			mine := ofSlot(sums, slot.ID)
			if len(mine) == 0 {
				continue
			}
			if err := v.slot(ctx, slot, spans, mine, discount, fn); err != nil {
				return err
			}
		}
	}
	return v.eachShare(ctx, fn)
}

// ofSlot are the sums of a slot; all stand in order of slots.
func ofSlot(sums []Sum, slotID int64) []Sum {
	from := slices.IndexFunc(sums, func(s Sum) bool { return s.SlotID == slotID })
	if from < 0 {
		return nil
	}
	to := from
	for to < len(sums) && sums[to].SlotID == slotID {
		to++
	}
	return sums[from:to]
}

func (v *view) slot(ctx context.Context, slot Slot, spans []Span, sums []Sum, discount bool, fn func(*piece)) error {
	if !v.f.Named() && (!discount || slot.BaseIsList) {
		whole, err := v.whole(ctx, slot.ID, spans)
		if err != nil {
			return err
		}
		if whole != nil {
			p := &piece{Span: whole} // fn keeps none
			for i := range sums {
				s := &sums[i]
				p.Amount, p.Lines, p.Discount = Amount{s.Product, s.Region, s.Mode, s.Kind, s.Currency, s.Billed, nil}, s.Lines, money.Exact{}
				if slot.BaseIsList {
					p.Discount = s.Base.Sub(s.Billed)
				}
				fn(p)
			}
			return nil
		}
	}
	for i := range spans {
		err := v.s.Store.Amounts(ctx, v.sc, &spans[i], slot.ID, v.f, func(a *Amount) error {
			fn(&piece{*a, &spans[i], 1, a.discount(), time.Time{}})
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *Amount) discount() money.Exact {
	if a.List == nil {
		return money.Exact{}
	}
	return a.List.Sub(a.Billed)
}

// whole is the span that holds every line of the slot; nil if none does.
func (v *view) whole(ctx context.Context, slotID int64, spans []Span) (*Span, error) {
	if len(spans) == 1 && spans[0].From.IsZero() && spans[0].To.IsZero() {
		return &spans[0], nil
	}
	first, last, err := v.s.Store.Bounds(ctx, v.sc, &spans[0], slotID)
	if err != nil {
		return nil, err
	}
	for i := range spans {
		if spans[i].Whole(first, last) {
			return &spans[i], nil
		}
	}
	return nil, nil
}

// load reads the shares of spread lines once. A line is shared by what its source's customers were
// billed in the cycle, so all slots of such a source are needed.
func (v *view) load(ctx context.Context) error {
	if v.shares != nil {
		return nil
	}
	v.shares = map[string][]usage.Share{}
	if len(v.spread) == 0 {
		return nil
	}
	sources := map[string]bool{}
	for _, s := range v.slots {
		if slices.Contains(v.spread, s.ID) {
			sources[s.SourceID] = true
		}
	}
	var ids []int64
	for _, s := range v.slots {
		if sources[s.SourceID] {
			ids = append(ids, s.ID)
		}
	}
	mine := map[string]bool{}
	for _, g := range v.groups {
		mine[g[0].Customer.ID] = true
	}
	return v.s.Reader.Shares(scope.AsSystem(ctx, "shares"), ids, func(sh usage.Share) error {
		if mine[sh.Part.CustomerID] {
			v.shares[sh.Part.CustomerID] = append(v.shares[sh.Part.CustomerID], sh)
		}
		return nil
	})
}

// spanAt is the span of the customer that holds the instant.
func spanAt(spans []Span, at time.Time) *Span {
	for i := range spans {
		if spans[i].covers(at) {
			return &spans[i]
		}
	}
	return nil
}

func (v *view) eachShare(ctx context.Context, fn func(*piece)) error {
	if err := v.load(ctx); err != nil {
		return err
	}
	for _, spans := range v.groups {
		for _, sh := range v.shares[spans[0].Customer.ID] {
			l := &sh.Part
			if s := spanAt(spans, l.ChargeStart); s != nil && v.f.names(l) {
				a := Amount{l.Product.Service, l.Product.Region, l.Product.ChargingMode, l.Kind, l.Currency, l.Billed, l.List}
				fn(&piece{a, s, 1, a.discount(), l.ChargeStart})
			}
		}
	}
	return nil
}

// takes tells whether the filter's own columns let an amount pass, currency apart.
func (f *Filter) takes(a *Amount) bool {
	return (f.Product == "" || f.Product == a.Product) && (f.Region == "" || f.Region == a.Region) &&
		(f.Mode == "" || f.Mode == a.Mode) && (f.Kind == "" || f.Kind == a.Kind)
}

// names tells whether a line is of the filter's resource, account and order.
func (f *Filter) names(l *usage.Stored) bool {
	return (f.Resource == "" || l.Resource.ID == f.Resource || l.Resource.Name == f.Resource) &&
		(f.Account == "" || l.Account.SubAccount == f.Account || l.Account.SubAccountName == f.Account) && (f.Order == "" || l.Resource.OrderNo == f.Order)
}

// gathered is everything of a view, by row and currency.
type gathered struct {
	rows    map[string]map[rowKey]*Row // by currency
	choices Choices
}

type rowKey struct {
	customer, product string
	relation          customer.Kind
	mode              usage.ChargingMode
}

func (v *view) gather(ctx context.Context) (*gathered, error) {
	g := &gathered{rows: map[string]map[rowKey]*Row{}}
	var err error
	g.choices, err = v.survey(ctx, true, func(p *piece) {
		rows := g.rows[p.Currency]
		if rows == nil {
			rows = map[rowKey]*Row{}
			g.rows[p.Currency] = rows
		}
		k := rowKey{p.Span.Customer.ID, p.Product, p.Span.Relation, p.Mode}
		if rows[k] == nil {
			rows[k] = &Row{Customer: p.Span.Customer, Relation: p.Span.Relation, Product: p.Product, Mode: p.Mode}
		}
		rows[k].count(p.Kind, p.Lines, p.Billed, p.Discount)
	})
	return g, err
}

// survey gives what there is to choose from, and fn what the filter takes.
func (v *view) survey(ctx context.Context, discount bool, fn func(*piece)) (Choices, error) {
	c := v.people
	var currencies, products, regions offers[string]
	var modes offers[usage.ChargingMode]
	err := v.each(ctx, discount, func(p *piece) {
		currencies.add(p.Currency)
		products.add(p.Product)
		regions.add(p.Region)
		modes.add(p.Mode)
		if v.f.takes(&p.Amount) {
			fn(p)
		}
	})
	c.Currencies, c.Products, c.Regions, c.Modes = currencies.sorted(), products.sorted(), regions.sorted(), modes.sorted()
	return c, err
}

// offers collects different values. There are few of most, which are found sooner by looking at each.
type offers[T ~string] struct {
	list []T
	seen map[T]bool
}

const fewOffers = 16

func (o *offers[T]) add(v T) {
	switch {
	case v == "":
	case o.seen != nil:
		if !o.seen[v] {
			o.seen[v] = true
			o.list = append(o.list, v)
		}
	case !slices.Contains(o.list, v):
		if o.list = append(o.list, v); len(o.list) > fewOffers {
			o.seen = map[T]bool{}
			for _, known := range o.list {
				o.seen[known] = true
			}
		}
	}
}

func (o *offers[T]) sorted() []T {
	slices.Sort(o.list)
	return o.list
}

// currency is the one asked for, or the first there is.
func (c *Choices) currency(f Filter) string {
	if f.Currency != "" || len(c.Currencies) == 0 {
		return f.Currency
	}
	return c.Currencies[0]
}

// people are the customers and managers of spans.
func people(all []Span) (c Choices) {
	for _, s := range all {
		if n := len(c.Customers); n == 0 || c.Customers[n-1].ID != s.Customer.ID { // a customer's spans stand together
			c.Customers = append(c.Customers, s.Customer)
		}
		if s.Manager.ID != "" && !slices.Contains(c.Managers, s.Manager) {
			c.Managers = append(c.Managers, s.Manager)
		}
	}
	return c
}
