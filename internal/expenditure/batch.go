package expenditure

import (
	"context"
	"slices"
	"strings"
	"time"

	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/scope"
	"huoban/internal/usage"
)

// Batch is a delivery of a cycle with lines of customers in scope, whether it counts now or was replaced.
type Batch struct {
	SlotID   int64
	Source   string
	Delivery int64
	At       time.Time
	Active   bool
}

// BatchOf is a batch and one of its customers.
type BatchOf struct {
	Batch
	CustomerID string
}

// Batches are the deliveries of a cycle that hold lines of customers in scope, the newest first. Faults:
// scope.permission_missing.
func (s *Service) Batches(ctx context.Context, sc scope.Scope, c cycle.Cycle) ([]Batch, error) {
	var out []Batch
	err := s.Tx.InRead(ctx, func(ctx context.Context) error {
		v, err := s.view(ctx, sc, Filter{Cycle: c})
		if err != nil {
			return err
		}
		out, err = v.batches(ctx)
		return err
	})
	return out, err
}

func (v *view) batches(ctx context.Context) ([]Batch, error) {
	all, err := v.s.Store.Batches(ctx, v.sc, v.f.Cycle)
	if err != nil {
		return nil, err
	}
	mine := map[string]bool{}
	for _, x := range v.all {
		mine[x.Customer.ID] = true
	}
	var out []Batch
	for _, b := range all {
		if mine[b.CustomerID] && !slices.ContainsFunc(out, func(o Batch) bool { return o.SlotID == b.SlotID }) {
			out = append(out, b.Batch)
		}
	}
	slices.SortFunc(out, func(a, b Batch) int {
		if a.Source != b.Source {
			return strings.Compare(a.Source, b.Source)
		}
		return int(b.Delivery - a.Delivery)
	})
	return out, nil
}

// EachBatchLine streams the lines of one delivery of the filter's cycle that are in scope, by customer code and
// charge time; parts of spread lines are not among them. Faults: expenditure.batch_unknown, those of Summarise.
func (s *Service) EachBatchLine(ctx context.Context, sc scope.Scope, f Filter, slotID int64, fn func(*LineRow) error) error {
	return s.Tx.InRead(ctx, func(ctx context.Context) error {
		v, err := s.viewAs(ctx, sc, f, customer.CountExpenditure)
		if err != nil {
			return err
		}
		known, err := v.batches(ctx)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(known, func(b Batch) bool { return b.SlotID == slotID }) {
			return fault.NotFound("expenditure.batch_unknown", nil)
		}
		for _, spans := range v.groups {
			for i := range spans {
				err := v.walkSpan(ctx, &spans[i], slotID, usage.Place{}, step{batch: 2000}, func(r *LineRow, _ mark) error { return fn(r) })
				if err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// Currency is the one a cycle is shown in where none is chosen; "" where nothing was consumed.
func (s *Service) Currency(ctx context.Context, sc scope.Scope, f Filter) (currency string, err error) {
	err = s.Tx.InRead(ctx, func(ctx context.Context) error {
		v, err := s.view(ctx, sc, f)
		if err != nil {
			return err
		}
		t, err := v.total(ctx)
		if err == nil {
			currency = t.Currency
		}
		return err
	})
	return currency, err
}
