package bill

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"strings"
	"time"

	"huoban/internal/coupon"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/price"
	"huoban/internal/scope"
	"huoban/internal/usage"
)

// LineStore reads the lines behind a bill.
type LineStore interface {
	// CustomerLines is a page of a customer's lines in one slot, in key order after a place; going back,
	// against that order before it. The zero place is where either begins.
	CustomerLines(ctx context.Context, slotID int64, customerID, currency string, f LineFilter, from usage.Place, back bool, limit int) ([]usage.Stored, error)
	Files(ctx context.Context, vendorID string, c cycle.Cycle) (map[FileKey]File, error)
}

// FileKey is a file of a delivery, by the slot its lines are in.
type FileKey struct {
	SlotID int64
	FileNo int
}

// File says where a line was delivered.
type File struct {
	Delivery int64
	Name     string
}

// LineFilter narrows the lines of a bill; an empty field is any.
type LineFilter struct {
	CustomerID      string
	Product, Region string
	Kind            usage.Kind
	Mode            usage.ChargingMode
	NonZero         bool
}

func (f LineFilter) takes(it *Item) bool {
	return (f.CustomerID == "" || f.CustomerID == it.Customer.ID) && (f.Product == "" || f.Product == it.Product) &&
		(f.Region == "" || f.Region == it.Region) && (f.Kind == "" || f.Kind == it.Kind) && (f.Mode == "" || f.Mode == it.Mode)
}

func (f LineFilter) takesLine(l *usage.Stored) bool {
	return f.takes(&Item{Customer: Party{ID: l.CustomerID}, Product: l.Product.Service, Region: l.Product.Region, Kind: l.Kind, Mode: l.Product.ChargingMode})
}

// LineRow is a line of a bill with its price: an imported line, a customer's part of a spread one, or
// an adjustment line, which has Adjusts and no Line of its own.
type LineRow struct {
	Line       usage.Stored
	Place      usage.Place // where the delivered line is kept; for a part, that of the whole
	Origin     Origin
	Customer   Party
	SourceName string
	Zone       *time.Location // of the source; nil for an adjustment line
	File       File
	Chosen     price.Chosen
	Base       price.Base // the column used
	BaseAmount money.Exact
	Exact      money.Exact
	Amount     money.Amount
	Adjusts    *Adjusts
	Item       *Item       // for an adjustment line
	Use        *coupon.Use // for what a voucher paid of the line at Place
}

// LinePlace is where a page of lines stands: after a cursor, or before it; the first page after none.
type LinePlace struct {
	Cursor string
	Back   bool
}

// LinePage is a page of lines. Next is the cursor the page behind it stands after, Prev the one the page
// before it stands before; empty where there is none.
type LinePage struct {
	Rows []LineRow
	Prev string
	Next string
	Sum  money.Amount // of the rows of this page, tax apart
}

// LineTotals is what the whole list holds, from the items: equal to the rows of an export. Under
// NonZero the count is unknown (-1), the sums are the same.
type LineTotals struct {
	Count       int64
	Amount, Tax money.Amount
	Source      money.Exact
}

// LineTotals sums the items a filter takes.
func (d *Document) LineTotals(f LineFilter) LineTotals {
	var t LineTotals
	for i := range d.Items {
		it := &d.Items[i]
		if !f.takes(it) {
			continue
		}
		t.Count += it.LineCount
		if it.Kind == usage.KindTax {
			t.Tax += it.Amount
			continue
		}
		t.Amount += it.Amount
		t.Source = t.Source.Add(it.SourceExact)
	}
	if f.NonZero {
		t.Count = -1
	}
	return t
}

// cursor is a place in the walk over a bill's lines: customers by code, each with its slots, then its
// shares; adjustment lines at the end.
type cursor struct {
	Customer string `json:"c,omitempty"`
	Phase    int    `json:"p"`
	Slot     int64  `json:"s,omitempty"`
	Start    string `json:"t,omitempty"`
	Key      []byte `json:"k,omitempty"`
	Occur    int64  `json:"o,omitempty"`
	Skip     int    `json:"n,omitempty"`
}

const (
	phaseLines = iota
	phaseShares
	phaseAdjustments
	phaseVouchers
)

func (c cursor) String() string {
	b, err := json.Marshal(c)
	if err != nil {
		panic("bill: cursor of plain fields: " + err.Error())
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
	if err != nil || len(c.Key) > 16 || c.Skip < 0 {
		return c, fault.Invalid("bill.cursor_malformed", nil).Because(err)
	}
	return c, nil
}

func (c cursor) place() usage.Place {
	p := usage.Place{SlotID: c.Slot, CustomerID: c.Customer, Start: c.Start, Occurrence: c.Occur}
	copy(p.Key[:], c.Key)
	return p
}

// errEnough ends a walk when a page is full.
var errEnough = errors.New("bill: page full")

// Lines is a page of a bill's lines in order of customer code, source, charge time and line key. doc needs
// its items; it may be an estimate. A page before the first is the first.
// Faults: bill.unknown, bill.cursor_malformed.
func (s *Service) Lines(ctx context.Context, sc scope.Scope, doc *Document, f LineFilter, at LinePlace, limit int) (LinePage, error) {
	limit = min(max(limit, 1), 1000)
	from, err := parseCursor(at.Cursor)
	if err != nil {
		return LinePage{}, err
	}
	back := at.Back && at.Cursor != ""
	var page LinePage
	var first, last cursor
	batch, more := limit+1, false
	if f.NonZero {
		batch = max(batch, 1000) // zeros stand in long rows
	}
	err = s.walk(ctx, sc, doc, f, step{from, back, batch}, func(r *LineRow, c cursor) error {
		if len(page.Rows) == limit {
			more = true
			return errEnough
		}
		if len(page.Rows) == 0 {
			first = c
		}
		page.Rows, last = append(page.Rows, *r), c
		if r.kind() != usage.KindTax {
			page.Sum += r.Amount
		}
		return nil
	})
	switch {
	case err != nil && !errors.Is(err, errEnough):
		return page, err
	case len(page.Rows) == 0:
		if back {
			return s.Lines(ctx, sc, doc, f, LinePlace{}, limit)
		}
		return page, nil
	case back:
		slices.Reverse(page.Rows)
		first, last = last, first
	}
	if back && more || !back && at.Cursor != "" {
		page.Prev = first.String()
	}
	if back || more {
		page.Next = last.String()
	}
	return page, nil
}

// EachLine streams all lines a filter takes, in the order of Lines. Fault: bill.unknown.
func (s *Service) EachLine(ctx context.Context, sc scope.Scope, doc *Document, f LineFilter, fn func(*LineRow) error) error {
	return s.walk(ctx, sc, doc, f, step{batch: 2000}, func(r *LineRow, _ cursor) error { return fn(r) })
}

func (r *LineRow) kind() usage.Kind {
	if r.Item != nil {
		return r.Item.Kind
	}
	return r.Line.Kind
}

// step is how a walk goes: from where, which way, and how many lines it reads at a time.
type step struct {
	from  cursor
	back  bool
	batch int
}

// walker holds what a walk needs.
type walker struct {
	s      *Service
	doc    *Document
	filter LineFilter
	pricer *Pricer
	cfg    Config
	files  map[FileKey]File
	step
	yield  func(*LineRow, cursor) error
	shares map[string][]usage.Share // customer → parts, loaded when first needed
}

func (s *Service) walk(ctx context.Context, sc scope.Scope, doc *Document, f LineFilter, how step, yield func(*LineRow, cursor) error) error {
	w, err := s.walker(ctx, sc, doc)
	if err != nil {
		return err
	}
	w.filter, w.step, w.yield = f, how, yield
	from := w.from
	if w.back {
		if from.Phase == phaseVouchers {
			if err := w.vouchers(ctx, from.Skip); err != nil {
				return err
			}
			from = cursor{Phase: phaseAdjustments}
		}
		if from.Phase == phaseAdjustments {
			if err := w.adjustments(from.Skip); err != nil {
				return err
			}
			from = cursor{}
		}
		return w.everyone(ctx, from)
	}
	if from.Phase < phaseAdjustments {
		if err := w.everyone(ctx, from); err != nil {
			return err
		}
		from = cursor{}
	}
	if from.Phase < phaseVouchers {
		if err := w.adjustments(from.Skip); err != nil {
			return err
		}
		from = cursor{}
	}
	return w.vouchers(ctx, from.Skip)
}

// everyone walks over the customers from a cursor, or over all of them.
func (w *walker) everyone(ctx context.Context, from cursor) error {
	for _, c := range inOrder(w.customers(), w.back) {
		if from.Customer != "" && c.ID != from.Customer {
			continue // on the other side of the cursor
		}
		start := from
		from = cursor{}
		if err := w.customer(ctx, c, start); err != nil {
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

// places are those of a list of n behind a cursor's, the way the walk goes; skip counts the rows up to and
// with the cursor's own, 0 means from where the walk begins.
func (w *walker) places(n, skip int) iter.Seq[int] {
	return func(yield func(int) bool) {
		at, by := skip, 1
		if w.back {
			if at, by = skip-2, -1; skip == 0 {
				at = n - 1
			}
		}
		for ; at >= 0 && at < n; at += by {
			if !yield(at) {
				return
			}
		}
	}
}

func (s *Service) walker(ctx context.Context, sc scope.Scope, doc *Document) (*walker, error) {
	if !sc.SeesBill(doc.Vendor.ID, doc.Seller.ID, doc.Partner.ID) {
		return nil, fault.NotFound("bill.unknown", nil)
	}
	book, err := s.Books.Book(ctx, doc.Vendor.ID, doc.PriceSeq)
	if err != nil {
		return nil, err
	}
	cfg, err := s.Config(ctx, doc.Vendor.ID, doc.Cycle, book)
	if err != nil {
		return nil, err
	}
	pricer, err := NewPricer(cfg)
	if err != nil {
		return nil, err
	}
	files, err := s.LineStore.Files(ctx, doc.Vendor.ID, doc.Cycle)
	if err != nil {
		return nil, err
	}
	return &walker{s: s, doc: doc, pricer: pricer, cfg: cfg, files: files}, nil
}

// customers are those with lines or shares the filter takes, by code.
func (w *walker) customers() []Party {
	var out []Party
	for i := range w.doc.Items {
		it := &w.doc.Items[i]
		if it.Origin != OriginAdjustment && w.filter.takes(it) && !slices.ContainsFunc(out, func(p Party) bool { return p.ID == it.Customer.ID }) {
			out = append(out, it.Customer)
		}
	}
	slices.SortFunc(out, func(a, b Party) int { return strings.Compare(a.Code, b.Code) })
	return out
}

// customer walks over a customer's lines, then its shares; back the other way round.
func (w *walker) customer(ctx context.Context, c Party, from cursor) error {
	if w.back && (from.Customer == "" || from.Phase == phaseShares) {
		if err := w.parts(ctx, c, from.Skip); err != nil {
			return err
		}
		from = cursor{}
	}
	if from.Phase == phaseLines {
		for _, slot := range inOrder(w.cfg.Slots, w.back) {
			if from.Slot != 0 && from.Slot != slot.ID {
				continue
			}
			if err := w.slot(ctx, c, slot, from.place()); err != nil {
				return err
			}
			from = cursor{}
		}
	}
	if w.back {
		return nil
	}
	return w.parts(ctx, c, from.Skip)
}

func (w *walker) slot(ctx context.Context, c Party, slot Slot, from usage.Place) error {
	for {
		lines, err := w.s.LineStore.CustomerLines(ctx, slot.ID, c.ID, w.doc.Currency, w.filter, from, w.back, w.batch)
		if err != nil {
			return err
		}
		for i := range lines {
			p := lines[i].Place()
			row, ok, err := w.price(&lines[i], p, c, OriginUsage)
			if err != nil {
				return err
			}
			if ok {
				if err := w.yield(row, cursor{Customer: c.ID, Slot: slot.ID, Start: p.Start, Key: p.Key[:], Occur: p.Occurrence}); err != nil {
					return err
				}
			}
			from = p
		}
		if len(lines) < w.batch {
			return nil
		}
	}
}

// price finds the line's price on this bill; ok is false for a line that is on another.
func (w *walker) price(l *usage.Stored, place usage.Place, c Party, origin Origin) (*LineRow, bool, error) {
	legs, _, err := w.pricer.Legs(l)
	if err != nil {
		return nil, false, err
	}
	for i := range legs {
		if legs[i].Buyer.ID != w.doc.Partner.ID || legs[i].Entity.ID != w.doc.Entity.ID || l.Currency != w.doc.Currency {
			continue
		}
		base, used, _ := legs[i].Chosen.Column(&l.Line)
		r := &LineRow{Line: *l, Place: place, Origin: origin, Customer: c, File: w.files[FileKey{l.SlotID, l.FileNo}],
			Chosen: legs[i].Chosen, Base: used, BaseAmount: *base, Exact: base.Mul(legs[i].Chosen.Factor)}
		if s, err := w.pricer.slot(l.SlotID); err == nil {
			r.SourceName, r.Zone = s.SourceName, s.Zone
		}
		if r.Amount, err = r.Exact.Amount(); err != nil {
			return nil, false, err
		}
		return r, !w.filter.NonZero || r.Amount != 0, nil
	}
	return nil, false, nil
}

// slots are all slots of the cycle: how a line is shared depends on every one of its source.
func (w *walker) slots() []int64 {
	ids := make([]int64, len(w.cfg.Slots))
	for i := range w.cfg.Slots {
		ids[i] = w.cfg.Slots[i].ID
	}
	return ids
}

// parts yields the customer's shares of spread lines.
func (w *walker) parts(ctx context.Context, c Party, skip int) error {
	spread := slices.ContainsFunc(w.doc.Items, func(it Item) bool { return it.Origin == OriginSpread && it.Customer.ID == c.ID })
	if !spread {
		return nil
	}
	if w.shares == nil {
		w.shares = map[string][]usage.Share{}
		err := w.s.Reader.Shares(scope.AsSystem(ctx, "shares"), w.slots(), func(sh usage.Share) error {
			w.shares[sh.Part.CustomerID] = append(w.shares[sh.Part.CustomerID], sh)
			return nil
		})
		if err != nil {
			return err
		}
	}
	shares := w.shares[c.ID]
	for n := range w.places(len(shares), skip) {
		sh := &shares[n]
		if !w.filter.takesLine(&sh.Part) {
			continue
		}
		row, ok, err := w.price(&sh.Part, sh.Of, c, OriginSpread)
		if err != nil {
			return err
		}
		if ok {
			if err := w.yield(row, cursor{Customer: c.ID, Phase: phaseShares, Skip: n + 1}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *walker) adjustments(skip int) error {
	for n := range w.places(len(w.doc.Items), skip) {
		it := &w.doc.Items[n]
		if it.Origin != OriginAdjustment || !w.filter.takes(it) || (w.filter.NonZero && it.Amount == 0) {
			continue
		}
		row := &LineRow{Origin: OriginAdjustment, Customer: it.Customer, SourceName: it.Adjusts.Source, Base: it.Base,
			BaseAmount: it.BaseExact, Exact: it.Exact, Amount: it.Amount, Adjusts: it.Adjusts, Item: it,
			Chosen: price.Chosen{Type: it.RuleType, Base: it.Base, Factor: it.Factor}}
		if err := w.yield(row, cursor{Phase: phaseAdjustments, Skip: n + 1}); err != nil {
			return err
		}
	}
	return nil
}
