package expenditure

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"

	"huoban/internal/fault"
	"huoban/internal/scope"
	"huoban/internal/usage"
)

// Summarise is what was consumed in a cycle, by customer, relation, product and charging mode.
// Faults: expenditure.customer_unknown, .manager_unknown, scope.permission_missing.
func (s *Service) Summarise(ctx context.Context, sc scope.Scope, f Filter) (*Summary, error) {
	var out *Summary
	err := s.Tx.InRead(ctx, func(ctx context.Context) error {
		v, err := s.view(ctx, sc, f)
		if err != nil {
			return err
		}
		g, err := v.gather(ctx)
		if err != nil {
			return err
		}
		out = &Summary{Currency: g.choices.currency(f), Choices: g.choices, Since: v.since()}
		for _, r := range g.rows[out.Currency] {
			out.Rows = append(out.Rows, *r)
			out.Total.Merge(r.Figures)
		}
		slices.SortFunc(out.Rows, func(a, b Row) int {
			return cmp.Or(strings.Compare(a.Customer.Code, b.Customer.Code), strings.Compare(string(a.Relation), string(b.Relation)),
				b.Amount().Cmp(a.Amount()), strings.Compare(a.Product, b.Product), strings.Compare(string(a.Mode), string(b.Mode)))
		})
		return nil
	})
	return out, err
}

// List is a page of lines and what the whole list holds, in order of customer code, source, charge
// time and line key. A page before the first is the first.
// Faults: those of Summarise, expenditure.cursor_malformed.
func (s *Service) List(ctx context.Context, sc scope.Scope, f Filter, at LinePlace, limit int) (*Totals, *LinePage, error) {
	limit = min(max(limit, 1), 1000)
	from, err := parseCursor(at.Cursor)
	if err != nil {
		return nil, nil, err
	}
	how := step{from, at.Back && at.Cursor != "", limit + 1}
	totals, page, err := s.again(ctx, sc, f, how, limit)
	if err != nil || page != nil {
		return totals, page, err
	}
	err = s.Tx.InRead(ctx, func(ctx context.Context) error {
		v, err := s.view(ctx, sc, f)
		if err != nil {
			return err
		}
		if totals, err = v.total(ctx); err != nil {
			return err
		}
		v.f.Currency = totals.Currency
		if page, err = v.page(ctx, how, limit); err == nil {
			v.keep(f, totals)
		}
		return err
	})
	return totals, page, err
}

// again answers a question that was asked before without a snapshot: the version only ever grows, so that nothing has
// changed since the question was kept if what is read last comes with the same one. No page means to ask anew.
func (s *Service) again(ctx context.Context, sc scope.Scope, f Filter, how step, limit int) (*Totals, *LinePage, error) {
	q := s.memo.question(questionKey{sc.Key(), f})
	if q == nil {
		return nil, nil, nil
	}
	v := q.view
	page, err := v.page(ctx, how, limit)
	if err == nil && v.told == 0 {
		v.told, err = s.Store.Version(ctx)
	}
	if err != nil || v.told != v.version {
		return nil, nil, err
	}
	return q.totals, page, nil
}

// EachLine streams all lines a filter takes, in the order of List, and gives what they amount to as read
// from the same snapshot. Faults: those of Summarise.
func (s *Service) EachLine(ctx context.Context, sc scope.Scope, f Filter, fn func(*LineRow) error) (*Totals, error) {
	var totals *Totals
	err := s.Tx.InRead(ctx, func(ctx context.Context) error {
		v, err := s.view(ctx, sc, f)
		if err != nil {
			return err
		}
		if totals, err = v.total(ctx); err != nil {
			return err
		}
		v.f.Currency = totals.Currency
		return v.walk(ctx, step{batch: 2000}, func(r *LineRow, _ mark) error { return fn(r) })
	})
	return totals, err
}

func (v *view) totals(ctx context.Context) (*Totals, error) {
	var currencies []string
	var figures []*Figures // of them
	choices, err := v.survey(ctx, false, func(p *piece) {
		i := slices.Index(currencies, p.Currency)
		if i < 0 {
			i = len(currencies)
			currencies, figures = append(currencies, p.Currency), append(figures, &Figures{})
		}
		figures[i].count(p.Kind, p.Lines, p.Billed, p.Discount)
	})
	if err != nil {
		return nil, err
	}
	t := &Totals{Currency: choices.currency(v.f), Choices: choices, Since: v.since()}
	if i := slices.Index(currencies, t.Currency); i >= 0 {
		t.Lines, t.Amount, t.Tax = figures[i].Lines, figures[i].Amount(), figures[i].Tax
	}
	if v.f.NonZero {
		t.Lines = -1
	}
	return t, nil
}

// cursor is a place in the walk: customers by code, each with its slots, then its shares.
type cursor struct {
	Customer string `json:"c,omitempty"`
	Shares   bool   `json:"p,omitempty"`
	Slot     int64  `json:"s,omitempty"`
	Start    string `json:"t,omitempty"`
	Key      []byte `json:"k,omitempty"`
	Occur    int64  `json:"o,omitempty"`
	Skip     int    `json:"n,omitempty"`
}

// json is what the place is written as in an address.
func (c cursor) json() []byte {
	type plain cursor
	b, err := json.Marshal(plain(c))
	if err != nil {
		panic("expenditure: cursor of plain fields: " + err.Error())
	}
	return b
}

// String is the place for an address. Two stand on each page, so they are written as json writes them but not by it,
// unless a text holds what it would escape: keys and times do not.
func (c cursor) String() string {
	if strings.ContainsFunc(c.Customer+c.Start, func(r rune) bool {
		return r < ' ' || r > '~' || r == '"' || r == '\\' || r == '<' || r == '>' || r == '&'
	}) {
		return base64.RawURLEncoding.EncodeToString(c.json())
	}
	var space [256]byte
	b := append(space[:0], '{')
	text := func(name, v string) {
		if v != "" {
			b = append(append(append(append(b, name...), '"'), v...), '"', ',')
		}
	}
	number := func(name string, n int64) {
		if n != 0 {
			b = append(strconv.AppendInt(append(b, name...), n, 10), ',')
		}
	}
	text(`"c":`, c.Customer)
	if c.Shares {
		b = append(b, `"p":true,`...)
	}
	number(`"s":`, c.Slot)
	text(`"t":`, c.Start)
	if len(c.Key) > 0 {
		b = append(base64.StdEncoding.AppendEncode(append(b, `"k":"`...), c.Key), '"', ',')
	}
	number(`"o":`, c.Occur)
	number(`"n":`, int64(c.Skip))
	if n := len(b) - 1; b[n] == ',' {
		b = b[:n]
	}
	return base64.RawURLEncoding.EncodeToString(append(b, '}'))
}

// mark is where a row of a walk stands; few of them become cursors.
type mark struct {
	customer string
	slot     int64
	line     *Line // nil for a share
	skip     int   // so many shares stand before the next one
}

func (m mark) cursor() cursor {
	if m.line == nil {
		return cursor{Customer: m.customer, Shares: true, Skip: m.skip}
	}
	p := m.line.place(m.slot, m.customer)
	return cursor{Customer: m.customer, Slot: p.SlotID, Start: p.Start, Key: p.Key[:], Occur: p.Occurrence}
}

func (l *Line) place(slotID int64, customerID string) usage.Place {
	return usage.Place{SlotID: slotID, CustomerID: customerID, Start: l.ChargeStart.UTC().Format(usage.StartText), Key: l.Key, Occurrence: l.Occurrence}
}

func parseCursor(text string) (c cursor, err error) {
	if text == "" {
		return c, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	if err != nil || len(c.Key) > len(usage.Hash{}) || c.Skip < 0 {
		return c, fault.Invalid("expenditure.cursor_malformed", nil).Because(err)
	}
	return c, nil
}

func (c cursor) place() usage.Place {
	p := usage.Place{SlotID: c.Slot, CustomerID: c.Customer, Start: c.Start, Occurrence: c.Occur}
	copy(p.Key[:], c.Key)
	return p
}

// errEnough ends a walk when a page is full.
var errEnough = errors.New("expenditure: page full")

// step is how a walk goes: from where, which way, and how many lines it reads at a time.
type step struct {
	from  cursor
	back  bool
	batch int
}

func (v *view) page(ctx context.Context, how step, limit int) (*LinePage, error) {
	page := LinePage{Rows: make([]LineRow, 0, min(limit, 100))}
	var first, last mark
	more := false
	err := v.walk(ctx, how, func(r *LineRow, at mark) error {
		if len(page.Rows) == limit {
			more = true
			return errEnough
		}
		if len(page.Rows) == 0 {
			first = at
		}
		page.Rows, last = append(page.Rows, *r), at
		if r.Line.Kind != usage.KindTax {
			page.Sum = page.Sum.Add(r.Line.Billed)
		}
		return nil
	})
	switch {
	case err != nil && !errors.Is(err, errEnough):
		return nil, err
	case len(page.Rows) == 0:
		if how.back {
			return v.page(ctx, step{batch: how.batch}, limit)
		}
		return &page, nil
	case how.back:
		slices.Reverse(page.Rows)
		first, last = last, first
	}
	if how.back && more || !how.back && how.from.Customer != "" {
		page.Prev = first.cursor().String()
	}
	if how.back || more {
		page.Next = last.cursor().String()
	}
	return &page, nil
}

func (v *view) walk(ctx context.Context, how step, yield func(*LineRow, mark) error) error {
	if err := v.load(ctx); err != nil {
		return err
	}
	from := how.from
	for _, spans := range inOrder(v.groups, how.back) {
		if from.Customer != "" && spans[0].Customer.ID != from.Customer {
			continue // on the other side of the cursor
		}
		start := from
		from = cursor{}
		if err := v.walkCustomer(ctx, spans, start, how, yield); err != nil {
			return err
		}
	}
	return nil
}

// inOrder is a list the way a walk goes.
func inOrder[T any](list []T, back bool) []T {
	if back {
		list = slices.Clone(list)
		slices.Reverse(list)
	}
	return list
}

// walkCustomer goes over a customer's lines, then its shares; back the other way round.
func (v *view) walkCustomer(ctx context.Context, spans []Span, from cursor, how step, yield func(*LineRow, mark) error) error {
	if how.back && (from.Customer == "" || from.Shares) {
		if err := v.walkShares(spans, from.Skip, true, yield); err != nil {
			return err
		}
		from = cursor{}
	}
	if !from.Shares {
		if err := v.walkSlots(ctx, spans, from, how, yield); err != nil {
			return err
		}
		from = cursor{}
	}
	if how.back {
		return nil
	}
	return v.walkShares(spans, from.Skip, false, yield)
}

func (v *view) walkSlots(ctx context.Context, spans []Span, from cursor, how step, yield func(*LineRow, mark) error) error {
	sums, err := v.sumsOf(ctx, &spans[0])
	if err != nil {
		return err
	}
	spans = inOrder(spans, how.back)
	for _, slot := range inOrder(v.slots, how.back) {
		if from.Slot != 0 && from.Slot != slot.ID || !slices.ContainsFunc(sums, func(s Sum) bool { return s.SlotID == slot.ID }) {
			continue
		}
		at := from.place()
		from = cursor{}
		for i := range spans {
			if err := v.walkSpan(ctx, &spans[i], slot.ID, at, how, yield); err != nil {
				return err
			}
		}
	}
	return nil
}

func (v *view) walkSpan(ctx context.Context, s *Span, slotID int64, at usage.Place, how step, yield func(*LineRow, mark) error) error {
	for {
		lines, version, err := v.s.Store.Lines(ctx, v.sc, s, slotID, v.f, at, how.back, how.batch)
		if err != nil {
			return err
		}
		v.told = version
		row := &LineRow{Customer: s.Customer, Relation: s.Relation, Manager: s.Manager}
		for i := range lines {
			l := &lines[i]
			row.Line, row.Key, row.Occur = l, l.Key, l.Occurrence
			if err := yield(row, mark{customer: s.Customer.ID, slot: slotID, line: l}); err != nil {
				return err
			}
		}
		if len(lines) < how.batch {
			return nil
		}
		at = lines[len(lines)-1].place(slotID, s.Customer.ID)
	}
}

// walkShares goes over a customer's shares behind the skip'th of them, or back over those before it; skip 0
// is where either begins.
func (v *view) walkShares(spans []Span, skip int, back bool, yield func(*LineRow, mark) error) error {
	shares := v.shares[spans[0].Customer.ID]
	n, by := skip, 1
	if back {
		if n, by = skip-2, -1; skip == 0 {
			n = len(shares) - 1
		}
	}
	for ; n >= 0 && n < len(shares); n += by {
		sh := &shares[n]
		l := sh.Part
		s := spanAt(spans, l.ChargeStart)
		a := Amount{Product: l.Product.Service, Region: l.Product.Region, Mode: l.Product.ChargingMode, Kind: l.Kind}
		if s == nil || l.Currency != v.f.Currency || !v.f.takes(&a) || !v.f.names(&l) || v.f.NonZero && l.Billed.IsZero() {
			continue
		}
		shown := &Line{ChargeStart: l.ChargeStart, Key: l.Key, Occurrence: l.Occurrence, Kind: l.Kind, Currency: l.Currency, Billed: l.Billed, Product: &l.Product, Resource: &l.Resource}
		if l.List != nil {
			shown.List, shown.Listed = *l.List, true
		}
		row := &LineRow{Line: shown, Key: sh.Of.Key, Occur: sh.Of.Occurrence, Customer: s.Customer, Relation: s.Relation, Manager: s.Manager, Spread: true}
		if err := yield(row, mark{customer: s.Customer.ID, skip: n + 1}); err != nil {
			return err
		}
	}
	return nil
}
