package expenditure

import (
	"context"
	"slices"
	"strings"
	"time"

	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/money"
	"huoban/internal/scope"
	"huoban/internal/usage"
)

// Day is what a customer was charged on a day (GMT+8) in a slot, without tax.
type Day struct {
	SlotID     int64
	CustomerID string
	Currency   string
	Day        string // 2026-05-14
	Lines      int64
	Billed     money.Exact
}

// Moment is the charge of one line.
type Moment struct {
	At       time.Time
	Kind     usage.Kind
	Currency string
	Billed   money.Exact
}

// maxMoments bounds how many lines one question reads because their days are not kept yet.
const maxMoments = 300_000

// MonthDays is what was charged on each day of a month: those before its first day stand on the first, those
// after its last on the last.
type MonthDays struct {
	Cycle   cycle.Cycle
	Amounts []money.Exact
	Lines   []int64
}

// Until is the sum of the first days of the month, at most all of them.
func (m *MonthDays) Until(days int) (x money.Exact) {
	for _, a := range m.Amounts[:min(days, len(m.Amounts))] {
		x = x.Add(a)
	}
	return x
}

// Count is the number of lines of the first days.
func (m *MonthDays) Count(days int) (n int64) {
	for _, k := range m.Lines[:min(days, len(m.Lines))] {
		n += k
	}
	return n
}

// CustomerDays is a customer's days of some months.
type CustomerDays struct {
	Customer Party
	Manager  Person // who looks after it at the end of the time; zero = nobody
	Months   []MonthDays
	Products map[string][]ProductMonth // by product, a figure for each of the last ProductMonths months
}

// ProductMonths is for how many months, the last of a book, products are told apart.
const ProductMonths = 7

// ProductMonth is what a product was charged in a month, without tax.
type ProductMonth struct {
	Lines  int64
	Amount money.Exact
}

// DayBook is what the customers of a scope were charged day by day over some months, in one currency.
type DayBook struct {
	Currency  string
	Cycles    []cycle.Cycle
	Customers []CustomerDays // by code
	Known     int            // so many days of the last month are known: up to the last on which anybody was charged
	Ready     bool           // false: too many lines whose days are not kept yet
	Choices   Choices
}

// All is the whole of a book by day.
func (b *DayBook) All() []MonthDays {
	out := emptyMonths(b.Cycles)
	for i := range b.Customers {
		for m := range out {
			for d := range out[m].Amounts {
				out[m].Amounts[d] = out[m].Amounts[d].Add(b.Customers[i].Months[m].Amounts[d])
				out[m].Lines[d] += b.Customers[i].Months[m].Lines[d]
			}
		}
	}
	return out
}

func emptyMonths(cycles []cycle.Cycle) []MonthDays {
	out := make([]MonthDays, len(cycles))
	for i, c := range cycles {
		n := daysOf(c)
		out[i] = MonthDays{c, make([]money.Exact, n), make([]int64, n)}
	}
	return out
}

func daysOf(c cycle.Cycle) int {
	return int(c.End(cycle.Zone).Sub(c.Start(cycle.Zone)) / (24 * time.Hour))
}

// Days gives what customers were charged by day, as 消费看板 counts them; of the filter customer, manager, relation
// and currency are read. Faults: those of Summarise.
func (s *Service) Days(ctx context.Context, sc scope.Scope, f BoardFilter) (*DayBook, error) {
	var out *DayBook
	err := s.Tx.InRead(ctx, func(ctx context.Context) error {
		version, err := s.Store.Version(ctx)
		if err != nil {
			return err
		}
		key := daysKey{sc.Key(), f}
		if out = s.memo.book(version, key); out != nil {
			return sc.Require(scope.ItemExpenditureView, scope.ItemExpenditureCustomers)
		}
		m := &dayMaker{books: map[string]map[string]*CustomerDays{}, ready: true}
		for c := f.First; c <= f.Last; c = c.Next() {
			m.cycles = append(m.cycles, c)
		}
		for i, c := range m.cycles {
			one := Filter{Cycle: c, Currency: f.Currency, Customer: f.Customer, Manager: f.Manager, Relation: f.Relation}
			v, err := s.viewAs(ctx, sc, one, customer.CountDashboard)
			if err != nil {
				return err
			}
			if err := m.month(ctx, v, i); err != nil {
				return err
			}
		}
		if out = m.book(f.Filter); out.Ready {
			s.memo.keepBook(version, key, out)
		}
		return nil
	})
	return out, err
}

type dayMaker struct {
	cycles  []cycle.Cycle
	books   map[string]map[string]*CustomerDays // by currency and customer
	choices Choices
	read    int64 // lines read one by one
	ready   bool
}

func (m *dayMaker) month(ctx context.Context, v *view, at int) error {
	choices := v.people
	kept, err := v.s.Store.Days(ctx, v.sc, m.cycles[at])
	if err != nil {
		return err
	}
	days := map[string][]Day{}
	for _, d := range kept {
		days[d.CustomerID] = append(days[d.CustomerID], d)
	}
	for _, spans := range v.groups {
		sums, err := v.sumsOf(ctx, &spans[0])
		if err != nil {
			return err
		}
		if len(sums) == 0 {
			continue
		}
		for _, x := range sums {
			if !slices.Contains(choices.Currencies, x.Currency) {
				choices.Currencies = append(slices.Clone(choices.Currencies), x.Currency)
			}
		}
		if err := m.customer(ctx, v, spans, sums, days[spans[0].Customer.ID], at); err != nil {
			return err
		}
	}
	m.choices.merge(choices)
	if at >= len(m.cycles)-ProductMonths && m.ready {
		if err := v.each(ctx, false, func(p *piece) { m.product(p, at) }); err != nil {
			return err
		}
	}
	if len(v.spread) == 0 {
		return nil
	}
	return v.eachShare(ctx, func(p *piece) {
		if p.Kind != usage.KindTax {
			m.add(p.Span, p.Currency, p.At, at, 1, p.Billed)
		}
	})
}

// customer takes the kept days of each slot where they amount to its sums and no span begins or ends within one;
// else its lines.
func (m *dayMaker) customer(ctx context.Context, v *view, spans []Span, sums []Sum, days []Day, at int) error {
	for _, slot := range v.slots {
		of := ofSlot(sums, slot.ID)
		lines := int64(0)
		for _, x := range of {
			lines += x.Lines
		}
		if lines == 0 {
			continue
		}
		var mine []Day
		for _, d := range days {
			if d.SlotID == slot.ID {
				mine = append(mine, d)
			}
		}
		if whole(of, mine) && m.byDay(spans, mine, at) {
			continue
		}
		if m.read += lines; m.read > maxMoments {
			m.ready = false
			return nil
		}
		for i := range spans {
			err := v.s.Store.Moments(ctx, v.sc, &spans[i], slot.ID, func(x *Moment) error {
				if x.Kind != usage.KindTax {
					m.add(&spans[i], x.Currency, x.At, at, 1, x.Billed)
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// whole tells whether days amount to the sums they were made of, tax apart.
func whole(sums []Sum, days []Day) bool {
	type total struct {
		lines  int64
		billed money.Exact
	}
	left := map[string]total{}
	for _, x := range sums {
		if x.Kind != usage.KindTax {
			t := left[x.Currency]
			left[x.Currency] = total{t.lines + x.Lines, t.billed.Add(x.Billed)}
		}
	}
	for _, d := range days {
		t := left[d.Currency]
		left[d.Currency] = total{t.lines - d.Lines, t.billed.Sub(d.Billed)}
	}
	for _, t := range left {
		if t.lines != 0 || !t.billed.IsZero() {
			return false
		}
	}
	return true
}

// byDay adds kept days to the spans that hold them; false, and nothing added, if a span begins or ends within one.
func (m *dayMaker) byDay(spans []Span, days []Day, at int) bool {
	found := make([]*Span, len(days))
	for i, d := range days {
		start, err := cycle.ParseDay(d.Day)
		if err != nil {
			return false
		}
		last := start.AddDate(0, 0, 1).Add(-time.Microsecond)
		for k := range spans {
			if s := &spans[k]; s.Whole(start, last) {
				found[i] = s
			} else if s.touches(start, last) {
				return false
			}
		}
	}
	for i, d := range days {
		if found[i] != nil {
			start, _ := cycle.ParseDay(d.Day)
			m.add(found[i], d.Currency, start, at, d.Lines, d.Billed)
		}
	}
	return true
}

// touches tells whether the span has any instant between first and last.
func (s *Span) touches(first, last time.Time) bool {
	return (s.From.IsZero() || !last.Before(s.From)) && (s.To.IsZero() || first.Before(s.To))
}

func (m *dayMaker) of(s *Span, currency string) *CustomerDays {
	of := m.books[currency]
	if of == nil {
		of = map[string]*CustomerDays{}
		m.books[currency] = of
	}
	c := of[s.Customer.Code]
	if c == nil {
		c = &CustomerDays{Customer: s.Customer, Months: emptyMonths(m.cycles), Products: map[string][]ProductMonth{}}
		of[s.Customer.Code] = c
	}
	return c
}

func (m *dayMaker) product(p *piece, at int) {
	if p.Kind == usage.KindTax {
		return
	}
	c := m.of(p.Span, p.Currency)
	if c.Products[p.Product] == nil {
		c.Products[p.Product] = make([]ProductMonth, ProductMonths)
	}
	x := &c.Products[p.Product][at-len(m.cycles)+ProductMonths]
	x.Lines, x.Amount = x.Lines+p.Lines, x.Amount.Add(p.Billed)
}

func (m *dayMaker) add(s *Span, currency string, when time.Time, at int, lines int64, billed money.Exact) {
	c := m.of(s, currency)
	c.Manager = s.Manager // the months and spans come in order of time
	month := &c.Months[at]
	day := int(when.Sub(m.cycles[at].Start(cycle.Zone)) / (24 * time.Hour))
	if when.Before(m.cycles[at].Start(cycle.Zone)) {
		day = 0
	}
	day = min(day, len(month.Amounts)-1)
	month.Amounts[day], month.Lines[day] = month.Amounts[day].Add(billed), month.Lines[day]+lines
}

func (m *dayMaker) book(f Filter) *DayBook {
	out := &DayBook{Cycles: m.cycles, Ready: m.ready, Choices: m.choices}
	out.Currency = out.Choices.currency(f)
	for _, c := range m.books[out.Currency] {
		out.Customers = append(out.Customers, *c)
		last := c.Months[len(c.Months)-1]
		for d := range last.Lines {
			if last.Lines[d] > 0 {
				out.Known = max(out.Known, d+1)
			}
		}
	}
	slices.SortFunc(out.Customers, func(a, b CustomerDays) int { return strings.Compare(a.Customer.Code, b.Customer.Code) })
	return out
}

// DayKeeper keeps the days of slots.
type DayKeeper interface {
	// StaleDays names the customers of active slots, from a cycle on, whose kept days do not amount to their sums.
	StaleDays(ctx context.Context, from cycle.Cycle) ([]SlotCustomer, error)
	// KeepDays makes them anew from the lines.
	KeepDays(ctx context.Context, of SlotCustomer) error
	// DropDays forgets those of slots that are not active, and of cycles before.
	DropDays(ctx context.Context, before cycle.Cycle) error
}

// SlotCustomer is a customer's part of a slot.
type SlotCustomer struct {
	SlotID     int64
	CustomerID string
}

// KeepDays brings the kept days of the months one can look back to up to date, and tells how many customers' parts of
// slots were made anew.
func (s *Service) KeepDays(ctx context.Context, keeper DayKeeper, now time.Time) (int, error) {
	version, err := s.Store.Version(ctx)
	if err != nil || version == s.daysAt.Load() {
		return 0, err
	}
	from := cycle.Of(now, cycle.Zone).Add(-Months)
	if err := keeper.DropDays(ctx, from); err != nil {
		return 0, err
	}
	stale, err := keeper.StaleDays(ctx, from)
	if err != nil {
		return 0, err
	}
	for i, x := range stale {
		if err := keeper.KeepDays(ctx, x); err != nil {
			return i, err
		}
	}
	s.daysAt.Store(version)
	return len(stale), nil
}
