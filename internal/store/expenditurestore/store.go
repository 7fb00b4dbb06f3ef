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
	qSpread     = set.Get("expenditure.SpreadSlots")
	qSums       = set.Get("expenditure.Sums")
	qBounds     = set.Get("expenditure.Bounds")
	qAmounts    = set.Get("expenditure.Amounts")
	qLines      = set.Get("expenditure.Lines")
	_           = expenditure.Store((*Store)(nil))
	beforeAll   = time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC) // the zero time cannot be written
	afterAll    = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
	unknownCode = "expenditure.customer_unknown"
)

// Store reads expenditure.
type Store struct{ db *store.DB }

// New makes the store.
func New(db *store.DB) *Store { return &Store{db} }

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

// Links are the associations of the acting partner and its resellers that were ever in force.
func (s *Store) Links(ctx context.Context, sc scope.Scope) ([]expenditure.Link, error) {
	if sc.Side() != scope.SidePartner {
		return nil, nil
	}
	var out []expenditure.Link
	err := s.db.Each(ctx, qLinks, []any{sc.OrgID()}, func(rows *sql.Rows) error {
		var l expenditure.Link
		var kind string
		var from, to store.Instant
		err := rows.Scan(&l.Customer.ID, &l.Customer.Code, &l.Customer.Name, &l.Partner.ID, &l.Partner.Code, &l.Partner.Name, &kind, &from, &to)
		l.Kind, l.From, l.To = customer.Kind(kind), from.Time, to.Time
		out = append(out, l)
		return err
	})
	return out, err
}

// Care is who looked after the customers of the acting partner and its resellers.
func (s *Store) Care(ctx context.Context, sc scope.Scope) ([]expenditure.Care, error) {
	if sc.Side() != scope.SidePartner {
		return nil, nil
	}
	var out []expenditure.Care
	err := s.db.Each(ctx, qCare, []any{sc.OrgID()}, func(rows *sql.Rows) error {
		var c expenditure.Care
		var from, to store.Instant
		err := rows.Scan(&c.PartnerID, &c.CustomerID, &c.Manager.ID, &c.Manager.Login, &c.Manager.Name, &from, &to)
		c.From, c.To = from.Time, to.Time
		out = append(out, c)
		return err
	})
	return out, err
}

// Slots are the active slots of the cycle by vendor, source and delivery.
func (s *Store) Slots(ctx context.Context, c cycle.Cycle) ([]expenditure.Slot, error) {
	var out []expenditure.Slot
	err := s.db.Each(ctx, qSlots, []any{string(c)}, func(rows *sql.Rows) error {
		var x expenditure.Slot
		var base string
		err := rows.Scan(&x.ID, &x.SourceID, &x.SourceName, &base)
		x.BaseIsList = base == "list"
		out = append(out, x)
		return err
	})
	return out, err
}

// SpreadSlots are the active slots of the cycle with lines that wait to be spread.
func (s *Store) SpreadSlots(ctx context.Context, c cycle.Cycle) ([]int64, error) {
	var out []int64
	err := s.db.Each(ctx, qSpread, []any{string(c)}, func(rows *sql.Rows) error {
		var n int64
		err := rows.Scan(&n)
		out = append(out, n)
		return err
	})
	return out, err
}

// Sums are the kept sums of the span's customer in the cycle.
func (s *Store) Sums(ctx context.Context, sc scope.Scope, span *expenditure.Span, c cycle.Cycle) ([]expenditure.Sum, error) {
	if !reaches(sc, span) {
		return nil, nil
	}
	var out []expenditure.Sum
	err := s.db.Each(ctx, qSums, []any{string(c), span.Customer.ID}, func(rows *sql.Rows) error {
		var x expenditure.Sum
		var mode, kind string
		var base, billed store.Decimal
		err := rows.Scan(&x.SlotID, &x.Product, &x.Region, &mode, &kind, &x.Currency, &x.Lines, &base, &billed)
		x.Mode, x.Kind, x.Base, x.Billed = usage.ChargingMode(mode), usage.Kind(kind), base.Exact, billed.Exact
		out = append(out, x)
		return err
	})
	return out, err
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

// Amounts streams the customer's lines of a slot within the span.
func (s *Store) Amounts(ctx context.Context, sc scope.Scope, span *expenditure.Span, slotID int64, fn func(*expenditure.Amount) error) error {
	if !reaches(sc, span) {
		return nil
	}
	from, to := bounds(span)
	return s.db.Each(ctx, qAmounts, []any{slotID, span.Customer.ID, from, to}, func(rows *sql.Rows) error {
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

// Lines is a page of the customer's lines of a slot within the span, in key order after a place
// (zero: from the beginning), with the dimensions people look at.
func (s *Store) Lines(ctx context.Context, sc scope.Scope, span *expenditure.Span, slotID int64, f expenditure.Filter, after usage.Place, limit int) ([]usage.Stored, error) {
	if !reaches(sc, span) {
		return nil, nil
	}
	from, to := bounds(span)
	if begin := from.UTC().Format(usage.StartText); after.Start < begin {
		after = usage.Place{Start: begin, Occurrence: -1}
	}
	nonZero := int64(0)
	if f.NonZero {
		nonZero = 1
	}
	var out []usage.Stored
	args := []any{slotID, span.Customer.ID, after.Start, after.Key[:], after.Occurrence, to, f.Currency, f.Product, f.Region, string(f.Kind),
		string(f.Mode), nonZero, int64(limit)}
	err := s.db.Each(ctx, qLines, args, func(rows *sql.Rows) error {
		l := usage.Stored{SlotID: slotID, CustomerID: span.Customer.ID}
		if err := scanLine(rows, &l); err != nil {
			return err
		}
		l.Cycle = f.Cycle
		out = append(out, l)
		return nil
	})
	return out, err
}

func scanLine(rows *sql.Rows, l *usage.Stored) error {
	var start, end store.Instant
	var key []byte
	var fileNo int64
	var kind, mode string
	var billed, list, contracted, effective, quantity store.Decimal
	a, p, r := &l.Account, &l.Product, &l.Resource
	err := rows.Scan(&start, &key, &l.Occurrence, &end, &fileNo, &l.LineNo, &kind, &l.Currency, &billed, &list, &contracted, &effective, &quantity,
		&a.Provider, &a.SubAccount, &a.SubAccountName, &p.Service, &p.SKU, &p.Description, &p.Region, &p.RegionName, &mode, &p.Unit,
		&r.ID, &r.Name, &r.Type, &r.Tags)
	if err != nil {
		return err
	}
	l.ChargeStart, l.ChargeEnd, l.FileNo, l.Kind, p.ChargingMode = start.Time, end.Time, int(fileNo), usage.Kind(kind), usage.ChargingMode(mode)
	l.Billed, l.List, l.Contracted, l.Effective, l.Quantity = billed.Exact, list.Ptr(), contracted.Ptr(), effective.Ptr(), quantity.Ptr()
	copy(l.Key[:], key)
	return nil
}
