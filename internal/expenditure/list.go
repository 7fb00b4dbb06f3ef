package expenditure

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
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
		g, err := v.gather(ctx, true)
		if err != nil {
			return err
		}
		out = &Summary{Currency: g.currency(f), Choices: g.choices}
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
// time and line key; after is the Next of the page before.
// Faults: those of Summarise, expenditure.cursor_malformed.
func (s *Service) List(ctx context.Context, sc scope.Scope, f Filter, after string, limit int) (*Totals, *LinePage, error) {
	limit = min(max(limit, 1), 1000)
	from, err := parseCursor(after)
	if err != nil {
		return nil, nil, err
	}
	var totals *Totals
	var page *LinePage
	err = s.Tx.InRead(ctx, func(ctx context.Context) error {
		v, err := s.view(ctx, sc, f)
		if err != nil {
			return err
		}
		if totals, err = v.totals(ctx); err != nil {
			return err
		}
		v.f.Currency = totals.Currency
		page, err = v.page(ctx, from, limit)
		return err
	})
	return totals, page, err
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
		if totals, err = v.totals(ctx); err != nil {
			return err
		}
		v.f.Currency = totals.Currency
		return v.walk(ctx, cursor{}, 2000, func(r *LineRow, _ cursor) error { return fn(r) })
	})
	return totals, err
}

func (v *view) totals(ctx context.Context) (*Totals, error) {
	g, err := v.gather(ctx, false)
	if err != nil {
		return nil, err
	}
	t := &Totals{Currency: g.currency(v.f), Choices: g.choices}
	for _, r := range g.rows[t.Currency] {
		t.Lines += r.Lines
		t.Amount, t.Tax = t.Amount.Add(r.Amount()), t.Tax.Add(r.Tax)
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

func (c cursor) String() string {
	b, err := json.Marshal(c)
	if err != nil {
		panic("expenditure: cursor of plain fields: " + err.Error())
	}
	return base64.RawURLEncoding.EncodeToString(b)
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

func (v *view) page(ctx context.Context, from cursor, limit int) (*LinePage, error) {
	page := LinePage{Rows: make([]LineRow, 0, min(limit, 100))}
	var at cursor
	err := v.walk(ctx, from, limit+1, func(r *LineRow, c cursor) error {
		if len(page.Rows) == limit {
			page.Next = at.String()
			return errEnough
		}
		page.Rows, at = append(page.Rows, *r), c
		if r.Line.Kind != usage.KindTax {
			page.Sum = page.Sum.Add(r.Line.Billed)
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return &page, err
}

func (v *view) walk(ctx context.Context, from cursor, batch int, yield func(*LineRow, cursor) error) error {
	if err := v.load(ctx); err != nil {
		return err
	}
	for _, spans := range v.groups {
		id := spans[0].Customer.ID
		start := cursor{Customer: id}
		if from.Customer != "" {
			if id != from.Customer {
				continue // before the cursor
			}
			start, from = from, cursor{}
		}
		if !start.Shares {
			if err := v.walkSlots(ctx, spans, start, batch, yield); err != nil {
				return err
			}
			start = cursor{Customer: id, Shares: true}
		}
		if err := v.walkShares(spans, start.Skip, yield); err != nil {
			return err
		}
	}
	return nil
}

func (v *view) walkSlots(ctx context.Context, spans []Span, from cursor, batch int, yield func(*LineRow, cursor) error) error {
	sums, err := v.sumsOf(ctx, &spans[0])
	if err != nil {
		return err
	}
	for _, slot := range v.slots {
		if from.Slot != 0 && from.Slot != slot.ID || !slices.ContainsFunc(sums, func(s Sum) bool { return s.SlotID == slot.ID }) {
			continue
		}
		after := from.place()
		from = cursor{}
		for i := range spans {
			if err := v.walkSpan(ctx, &spans[i], slot.ID, after, batch, yield); err != nil {
				return err
			}
		}
	}
	return nil
}

func (v *view) walkSpan(ctx context.Context, s *Span, slotID int64, after usage.Place, batch int, yield func(*LineRow, cursor) error) error {
	for {
		lines, err := v.s.Store.Lines(ctx, v.sc, s, slotID, v.f, after, batch)
		if err != nil {
			return err
		}
		row := &LineRow{Customer: s.Customer, Relation: s.Relation, Manager: s.Manager}
		for i := range lines {
			p := lines[i].Place()
			row.Line, row.Place = lines[i], p
			if err := yield(row, cursor{Customer: s.Customer.ID, Slot: slotID, Start: p.Start, Key: p.Key[:], Occur: p.Occurrence}); err != nil {
				return err
			}
			after = p
		}
		if len(lines) < batch {
			return nil
		}
	}
}

func (v *view) walkShares(spans []Span, skip int, yield func(*LineRow, cursor) error) error {
	for n, sh := range v.shares[spans[0].Customer.ID] {
		l := sh.Part
		s := spanAt(spans, l.ChargeStart)
		a := Amount{Product: l.Product.Service, Region: l.Product.Region, Mode: l.Product.ChargingMode, Kind: l.Kind}
		if n < skip || s == nil || l.Currency != v.f.Currency || !v.f.takes(&a) || v.f.NonZero && l.Billed.IsZero() {
			continue
		}
		row := &LineRow{Line: l, Place: sh.Of, Customer: s.Customer, Relation: s.Relation, Manager: s.Manager, Spread: true}
		if err := yield(row, cursor{Customer: s.Customer.ID, Shares: true, Skip: n + 1}); err != nil {
			return err
		}
	}
	return nil
}
