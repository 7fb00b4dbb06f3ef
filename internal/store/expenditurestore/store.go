// Package expenditurestore reads what customers consumed.
//
// It owns the SQL; whose charges a scope sees and when is decided by expenditure.Visible. Invariant:
// a span that the scope does not reach holds nothing, so that a mistake of a caller shows no line.
package expenditurestore

import (
	"context"
	"database/sql"
	"embed"
	"slices"
	"time"

	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/expenditure"
	"huoban/internal/scope"
	"huoban/internal/store"
	"huoban/internal/usage"
)

//go:embed query/*.sql
var files embed.FS

var (
	set         = store.Load(files)
	qOwn        = set.Get("expenditure.Own")
	qLinks      = set.Get("expenditure.Links")
	qCare       = set.Get("expenditure.Care")
	qSlots      = set.Get("expenditure.Slots")
	qBefore     = set.Get("expenditure.Before")
	qSpread     = set.Get("expenditure.SpreadSlots")
	qSums       = set.Get("expenditure.Sums")
	qBounds     = set.Get("expenditure.Bounds")
	qAmounts    = set.Get("expenditure.Amounts")
	qLines      = set.Get("expenditure.Lines")
	qAllLines   = set.Get("expenditure.AllLines")
	qLinesBack  = set.Get("expenditure.LinesBack")
	qAmountsOf  = set.Get("expenditure.AmountsOf")
	qLinesOf    = set.Get("expenditure.LinesOf")
	qBackOf     = set.Get("expenditure.LinesBackOf")
	qProduct    = set.Get("expenditure.Product")
	qResources  = set.Get("expenditure.Resources")
	qOfAccount  = set.Get("expenditure.OfAccount")
	qWeight     = set.Get("expenditure.Weight")
	qByNumber   = set.Get("expenditure.ByNumber")
	_           = expenditure.Store((*Store)(nil))
	beforeAll   = time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC) // the zero time cannot be written
	afterAll    = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
	unknownCode = "expenditure.customer_unknown"
)

// Store reads expenditure.
type Store struct {
	db        *store.DB
	products  kept[usage.Product]
	resources kept[usage.Resource]
}

// New makes the store.
func New(db *store.DB) *Store { return &Store{db: db} }

// reaches tells whether a span can have come from the scope.
func reaches(sc scope.Scope, s *expenditure.Span) bool {
	switch sc.Side() {
	case scope.SideCustomer:
		return s.Customer.ID == sc.OrgID()
	case scope.SidePartner:
		at := s.From
		if at.IsZero() {
			at = beforeAll
		}
		return (s.Partner.ID == sc.OrgID() || slices.Contains(sc.Resellers(), s.Partner.ID)) && sc.SeesCustomerAt(s.Customer.ID, at)
	}
	return false
}

// Own is the acting organisation.
func (s *Store) Own(ctx context.Context, sc scope.Scope) (p expenditure.Party, err error) {
	err = s.db.Row(ctx, qOwn, unknownCode, []any{sc.OrgID()}, &p.ID, &p.Code, &p.Name)
	return p, err
}

// Version counts the changes of what pages show.
func (s *Store) Version(ctx context.Context) (int64, error) { return s.db.Version(ctx) }

// Links are the associations of the acting partner and its resellers that were ever in force.
func (s *Store) Links(ctx context.Context, sc scope.Scope) ([]expenditure.Link, error) {
	if sc.Side() != scope.SidePartner {
		return nil, nil
	}
	var out []expenditure.Link
	err := s.db.Cells(ctx, qLinks, []any{sc.OrgID()}, func(c store.RowCells) (err error) {
		l := expenditure.Link{Customer: expenditure.Party{ID: c.Text(0), Code: c.Text(1), Name: c.Text(2)},
			Partner: expenditure.Party{ID: c.Text(3), Code: c.Text(4), Name: c.Text(5)}, Kind: customer.Kind(c.Text(6))}
		l.From, l.To, err = between(c, 7)
		out = append(out, l)
		return err
	})
	return out, err
}

// between reads the two ends of an interval.
func between(c store.RowCells, i int) (from, to time.Time, err error) {
	if from, err = c.Time(i); err == nil {
		to, err = c.Time(i + 1)
	}
	return from, to, err
}

// Care is who looked after the customers of the acting partner and its resellers.
func (s *Store) Care(ctx context.Context, sc scope.Scope) ([]expenditure.Care, error) {
	if sc.Side() != scope.SidePartner {
		return nil, nil
	}
	var out []expenditure.Care
	err := s.db.Cells(ctx, qCare, []any{sc.OrgID()}, func(c store.RowCells) (err error) {
		x := expenditure.Care{PartnerID: c.Text(0), CustomerID: c.Text(1), Manager: expenditure.Person{ID: c.Text(2), Login: c.Text(3), Name: c.Text(4)}}
		x.From, x.To, err = between(c, 5)
		out = append(out, x)
		return err
	})
	return out, err
}

// Slots are the active slots of the cycle by vendor, source and delivery.
func (s *Store) Slots(ctx context.Context, at cycle.Cycle) ([]expenditure.Slot, error) {
	var out []expenditure.Slot
	err := s.db.Cells(ctx, qSlots, []any{string(at)}, func(c store.RowCells) error {
		out = append(out, expenditure.Slot{ID: c.Int(0), SourceID: c.Text(1), SourceName: c.Text(2), BaseIsList: c.Text(3) == "list"})
		return nil
	})
	return out, err
}

// Before are the cycles before one of which any delivery counts, the newest first.
func (s *Store) Before(ctx context.Context, at cycle.Cycle) ([]cycle.Cycle, error) {
	var out []cycle.Cycle
	err := s.db.Cells(ctx, qBefore, []any{string(at)}, func(c store.RowCells) error {
		out = append(out, cycle.Cycle(c.Text(0)))
		return nil
	})
	return out, err
}

// SpreadSlots are the active slots of the cycle with lines that wait to be spread.
func (s *Store) SpreadSlots(ctx context.Context, at cycle.Cycle) ([]int64, error) {
	var out []int64
	err := s.db.Cells(ctx, qSpread, []any{string(at)}, func(c store.RowCells) error {
		out = append(out, c.Int(0))
		return nil
	})
	return out, err
}

// Sums are the kept sums of the span's customer in the cycle.
func (s *Store) Sums(ctx context.Context, sc scope.Scope, span *expenditure.Span, at cycle.Cycle) ([]expenditure.Sum, error) {
	if !reaches(sc, span) {
		return nil, nil
	}
	out := make([]expenditure.Sum, 0, 64)
	ids := make([]usage.Hash, 0, 64)
	err := s.db.Cells(ctx, qSums, []any{string(at), span.Customer.ID}, func(c store.RowCells) (err error) {
		x := expenditure.Sum{SlotID: c.Int(0), Kind: usage.Kind(c.Text(2)), Currency: c.Text(3), Lines: c.Int(4)}
		if x.Base, _, err = c.Exact(5); err != nil {
			return err
		}
		if x.Billed, _, err = c.Exact(6); err != nil {
			return err
		}
		out, ids = append(out, x), append(ids, usage.Hash(c.Bytes(1)))
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i := range out {
		p, err := s.product(ctx, ids[i])
		if err != nil {
			return nil, err
		}
		out[i].Product, out[i].Region, out[i].Mode = p.Service, p.Region, p.ChargingMode
	}
	return out, nil
}

// Bounds are the first and last charge of the span's customer in a slot.
func (s *Store) Bounds(ctx context.Context, sc scope.Scope, span *expenditure.Span, slotID int64) (first, last time.Time, err error) {
	if !reaches(sc, span) {
		return first, last, nil
	}
	var from, to store.Instant
	err = s.db.Row(ctx, qBounds, unknownCode, []any{slotID, span.Customer.ID}, &from, &to)
	return from.Time, to.Time, err
}

// bounds are the ends of a span as queries take them.
func bounds(s *expenditure.Span) (from, to store.Instant) {
	from, to = store.At(s.From), store.At(s.To)
	if s.From.IsZero() {
		from = store.At(beforeAll)
	}
	if s.To.IsZero() {
		to = store.At(afterAll)
	}
	return from, to
}

// Amounts streams the customer's lines of a slot within the span, of the filter's resource, account and order.
func (s *Store) Amounts(ctx context.Context, sc scope.Scope, span *expenditure.Span, slotID int64, f expenditure.Filter, fn func(*expenditure.Amount) error) error {
	if !reaches(sc, span) {
		return nil
	}
	from, to := bounds(span)
	query, args := qAmounts, []any{slotID, span.Customer.ID, from, to}
	if f.Named() {
		query, args = qAmountsOf, append(args, f.Resource, f.Account, f.Order)
	}
	return s.db.Each(ctx, query, args, func(rows *sql.Rows) error {
		var a expenditure.Amount
		var mode, kind string
		var billed, list store.Decimal
		if err := rows.Scan(&a.Product, &a.Region, &mode, &kind, &a.Currency, &billed, &list); err != nil {
			return err
		}
		a.Mode, a.Kind, a.Billed, a.List = usage.ChargingMode(mode), usage.Kind(kind), billed.Exact, list.Ptr()
		return fn(&a)
	})
}

// Lines is a page of the customer's lines of a slot within the span, in key order after a place or against
// it before one (zero: from the beginning, or the end), with the dimensions people look at, and the version they were
// read at, 0 where there are none.
func (s *Store) Lines(ctx context.Context, sc scope.Scope, span *expenditure.Span, slotID int64, f expenditure.Filter, at usage.Place, back bool, limit int) ([]expenditure.Line, int64, error) {
	if !reaches(sc, span) {
		return nil, 0, nil
	}
	from, to := bounds(span)
	query, other := qLines, to
	begin, end := from.UTC().Format(usage.StartText), to.UTC().Format(usage.StartText)
	switch {
	case back:
		query, other = qLinesBack, from
		if at.Start == "" || at.Start > end {
			at = usage.Place{Start: end, Occurrence: -1}
		}
	case at.Start < begin:
		at = usage.Place{Start: begin, Occurrence: -1}
	}
	byProduct := f.Product != "" || f.Region != "" || f.Mode != ""
	var out []expenditure.Line
	var ids []dimensions
	args := []any{slotID, span.Customer.ID, at.Start, at.Key[:], at.Occurrence, other, f.Currency}
	switch named := f.Named(); {
	case !byProduct && f.Kind == "" && !back && !named:
		query, args = qAllLines, append(args, flag(f.NonZero), int64(limit))
	default:
		args = append(args, flag(byProduct), f.Product, f.Region, string(f.Mode), string(f.Kind), flag(f.NonZero), int64(limit))
		if named {
			if args = append(args, f.Resource, f.Account, f.Order); back {
				query = qBackOf
			} else {
				query = qLinesOf
			}
		}
	}
	if limit <= 100 { // a page is read whole; longer lists grow as they come
		out, ids = make([]expenditure.Line, 0, limit), make([]dimensions, 0, limit)
	}
	kind := usage.KindConsumption // of the line before
	version := int64(0)
	err := s.db.Cells(ctx, query, args, func(c store.RowCells) error {
		out, ids = append(out, expenditure.Line{Currency: f.Currency, Kind: kind}), append(ids, dimensions{})
		l := &out[len(out)-1]
		err := fillLine(c, l, &ids[len(ids)-1])
		if kind = l.Kind; version == 0 {
			version = c.Int(8)
		}
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	return out, version, s.name(ctx, out, ids)
}

func flag(on bool) int64 {
	if on {
		return 1
	}
	return 0
}

// fillLine takes what people look at of a line, and nothing else: each column costs as much as finding
// the row. A kind the line has already needs no memory where it is the same.
func fillLine(c store.RowCells, l *expenditure.Line, ids *dimensions) (err error) {
	if l.ChargeStart, err = c.Time(0); err != nil {
		return err
	}
	copy(l.Key[:], c.Bytes(1))
	l.Occurrence, l.Kind = c.Int(2), usage.Kind(c.Word(3, string(l.Kind)))
	if l.Billed, _, err = c.Exact(4); err != nil {
		return err
	}
	if l.List, l.Listed, err = c.Exact(5); err != nil {
		return err
	}
	copy(ids.product[:], c.Bytes(6))
	copy(ids.resource[:], c.Bytes(7))
	return nil
}
