package peak

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"huoban/internal/audit"
	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/expenditure"
	"huoban/internal/fault"
	"huoban/internal/scope"
)

// Filter narrows the list; an empty field is any. Customer is a code, Manager a key or a login.
type Filter struct {
	Cycle             cycle.Cycle
	Customer, Manager string
	Relation          customer.Kind
	Product, Usage    string
}

// Row is a month of a series as somebody sees it.
type Row struct {
	Entry
	State    State
	Customer expenditure.Party
	Relation customer.Kind
	Manager  expenditure.Person
}

// Known tells whether the billing point is shown: not before the result of the month may be asked for.
func (r *Row) Known() bool { return r.State == StateCharged }

// List is what a scope sees of a cycle.
type List struct {
	Rows     []Row
	Choices  expenditure.Choices // customers and managers
	Products []string
	Usages   []string
	Since    time.Time // from when a manager's figures count
}

// List is every series with points in a cycle, by customer, product and resource. A month belongs to whom its charge belongs: it
// is made at ChargedAt, and who had the customer then sees it, as with every charge of 客户消费. Faults:
// expenditure.cycle_out_of_range, .customer_unknown, .manager_unknown, scope.permission_missing.
func (s *Service) List(ctx context.Context, sc scope.Scope, f Filter) (*List, error) {
	now := s.Clock.Now()
	if err := expenditure.CheckCycle(f.Cycle, now); err != nil {
		return nil, err
	}
	out := &List{}
	err := s.Tx.InRead(ctx, func(ctx context.Context) error {
		seen, err := s.Spans.Seen(ctx, sc, expenditure.Filter{Cycle: f.Cycle, Customer: f.Customer, Manager: f.Manager, Relation: f.Relation})
		if err != nil {
			return err
		}
		entries, err := s.Store.Months(ctx, sc, f.Cycle)
		if err != nil {
			return err
		}
		*out = List{Choices: seen.People, Since: seen.Since}
		for i := range entries {
			row, ok := rowOf(&entries[i], seen, now)
			if !ok {
				continue
			}
			out.Products, out.Usages = append(out.Products, row.Product), append(out.Usages, row.UsageType)
			if (f.Product == "" || row.Product == f.Product) && (f.Usage == "" || row.UsageType == f.Usage) {
				out.Rows = append(out.Rows, row)
			}
		}
		return nil
	})
	for _, list := range []*[]string{&out.Products, &out.Usages} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	slices.SortFunc(out.Rows, func(a, b Row) int {
		return cmp.Or(strings.Compare(a.Customer.Code, b.Customer.Code), strings.Compare(a.Product, b.Product), strings.Compare(a.Resource, b.Resource),
			strings.Compare(a.UsageType, b.UsageType), strings.Compare(a.Series.ID, b.Series.ID))
	})
	return out, err
}

// rowOf is an entry under the span that holds its charge; false where none does.
func rowOf(e *Entry, seen *expenditure.Seen, now time.Time) (Row, bool) {
	span := seen.At(e.CustomerID, ChargedAt(e.Cycle))
	if span == nil {
		return Row{}, false
	}
	return Row{Entry: *e, State: StateOf(e.Cycle, now), Customer: span.Customer, Relation: span.Relation, Manager: span.Manager}, true
}

// Details are a month of a series with its points.
type Details struct {
	Row
	Days   []DayPoints
	Hidden int // points of days on which somebody else had the customer
}

// DayPoints are the points of a day that are seen, and what became of each.
type DayPoints struct {
	Kept
	Day
	Marks [PointsPerDay]Mark
}

// At is the instant of a slot.
func (d *DayPoints) At(slot int) time.Time {
	day, err := cycle.ParseDay(d.Date)
	if err != nil {
		return time.Time{}
	}
	return day.Add(time.Duration(slot) * Interval)
}

// Show is one month of a series. Who had the customer when it was charged sees the result; of the points, those of the time
// in which the customer was his. Faults: peak.series_unknown, those of List.
func (s *Service) Show(ctx context.Context, sc scope.Scope, seriesID string, at cycle.Cycle) (*Details, error) {
	now := s.Clock.Now()
	if err := expenditure.CheckCycle(at, now); err != nil {
		return nil, err
	}
	out := &Details{}
	err := s.Tx.InRead(ctx, func(ctx context.Context) error {
		*out = Details{}
		seen, err := s.Spans.Seen(ctx, sc, expenditure.Filter{Cycle: at})
		if err != nil {
			return err
		}
		e, ok, err := s.Store.MonthOf(ctx, sc, seriesID, at)
		if err != nil {
			return err
		}
		if ok {
			out.Row, ok = rowOf(&e, seen, now)
		}
		if !ok {
			return fault.NotFound("peak.series_unknown", nil)
		}
		kept, days, err := s.days(ctx, seriesID, at)
		if err != nil {
			return err
		}
		marks := Marks(days, Compute(days))
		for i := range kept {
			d := DayPoints{Kept: kept[i], Day: *days[i], Marks: marks[i]}
			d.Packed = nil
			out.Hidden += d.hide(seen, e.CustomerID)
			if d.Len() > 0 {
				out.Days = append(out.Days, d)
			}
		}
		return nil
	})
	return out, err
}

// hide takes away the points of times the scope does not see, and counts them.
func (d *DayPoints) hide(seen *expenditure.Seen, customerID string) int {
	begin := d.At(0)
	if span := seen.At(customerID, begin); span != nil && span.Whole(begin, d.At(PointsPerDay-1)) {
		return 0
	}
	n := 0
	for slot := range PointsPerDay {
		if d.Has(slot) && seen.At(customerID, d.At(slot)) == nil {
			d.has[slot/64] &^= 1 << (slot % 64)
			n++
		}
	}
	return n
}

// Imports lists what was handed over, the newest first. Fault: scope.permission_missing.
func (s *Service) Imports(ctx context.Context, sc scope.Scope, limit int) ([]Import, error) {
	if err := sc.Require(scope.ItemDeliveryView); err != nil {
		return nil, err
	}
	vendor := ""
	if sc.Side() == scope.SideVendor {
		vendor = sc.OrgID()
	}
	return s.Store.Imports(ctx, vendor, limit)
}

// named finds an import in scope. Fault: peak.import_unknown.
func (s *Service) named(ctx context.Context, sc scope.Scope, importID string) (Import, error) {
	m, err := s.Store.ByID(ctx, importID)
	if err == nil && (m.State == ImportStaging || sc.Side() == scope.SideVendor && m.VendorID != sc.OrgID()) {
		err = fault.NotFound("peak.import_unknown", nil)
	}
	return m, err
}

// Quarantine lists the rows of an import that could not be read. Faults: peak.import_unknown, scope.permission_missing.
func (s *Service) Quarantine(ctx context.Context, sc scope.Scope, importID string) (Import, []Bad, error) {
	if err := sc.Require(scope.ItemQuarantineView); err != nil {
		return Import{}, nil, err
	}
	m, err := s.named(ctx, sc, importID)
	if err != nil {
		return m, nil, err
	}
	rows, err := s.Store.BadRows(ctx, importID, keptBad)
	return m, rows, err
}

// Revert takes an import back: the points it took the place of count again. One whose days a later import replaced stays; that one
// goes first. Done twice it changes nothing. Faults: peak.import_unknown, peak.overtaken, scope.permission_missing.
func (s *Service) Revert(ctx context.Context, sc scope.Scope, importID string) (Import, error) {
	if err := sc.Require(scope.ItemDeliveryRevert); err != nil {
		return Import{}, err
	}
	var out Import
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		m, err := s.named(ctx, sc, importID)
		if out = m; err != nil || m.State == ImportReverted {
			return err
		}
		overtaken, err := s.Store.Overtaken(ctx, importID)
		if err != nil {
			return err
		}
		if overtaken {
			return fault.Conflict("peak.overtaken", fault.Args{"number": m.Number})
		}
		months, err := s.Store.Touched(ctx, importID)
		if err != nil {
			return err
		}
		if err := s.Store.Withdraw(ctx, importID); err != nil {
			return err
		}
		if err := s.recompute(ctx, months, s.Clock.Now()); err != nil {
			return err
		}
		out.State = ImportReverted
		if err := s.Store.UpdateImport(ctx, out); err != nil {
			return err
		}
		return s.Audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: m.VendorID, Action: "peak.revert", Object: "peak_import:" + m.ID, Detail: map[string]any{"number": m.Number}})
	})
	return out, err
}
