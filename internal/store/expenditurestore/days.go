package expenditurestore

import (
	"context"
	"slices"
	"strings"

	"huoban/internal/cycle"
	"huoban/internal/expenditure"
	"huoban/internal/money"
	"huoban/internal/scope"
	"huoban/internal/store"
	"huoban/internal/usage"
)

var (
	qDays       = set.Get("expenditure.Days")
	qMoments    = set.Get("expenditure.Moments")
	qSummedDays = set.Get("expenditure.SummedDays")
	qKeptDays   = set.Get("expenditure.KeptDays")
	qDayLines   = set.Get("expenditure.LinesOfDays")
	qForgetDays = set.Get("expenditure.ForgetDays")
	qDropDays   = set.Get("expenditure.DropDays")

	dayColumns = []string{"slot_id", "customer_id", "currency", "day", "line_count", "billed"}
)

// Days are the kept days of the active slots of the cycle, of all customers the organisation ever dealt with.
func (s *Store) Days(ctx context.Context, sc scope.Scope, at cycle.Cycle) ([]expenditure.Day, error) {
	var out []expenditure.Day
	err := s.db.Cells(ctx, qDays, []any{string(at), sc.OrgID()}, func(c store.RowCells) (err error) {
		d := expenditure.Day{SlotID: c.Int(0), CustomerID: c.Text(1), Currency: c.Text(2), Day: c.Text(3), Lines: c.Int(4)}
		d.Billed, _, err = c.Exact(5)
		out = append(out, d)
		return err
	})
	return out, err
}

// Moments streams the charges of the customer's lines of a slot within the span.
func (s *Store) Moments(ctx context.Context, sc scope.Scope, span *expenditure.Span, slotID int64, fn func(*expenditure.Moment) error) error {
	if !reaches(sc, span) {
		return nil
	}
	from, to := bounds(span)
	return s.db.Cells(ctx, qMoments, []any{slotID, span.Customer.ID, from, to}, func(c store.RowCells) (err error) {
		m := expenditure.Moment{Kind: usage.Kind(c.Text(1)), Currency: c.Text(2)}
		if m.At, err = c.Time(0); err != nil {
			return err
		}
		if m.Billed, _, err = c.Exact(3); err != nil {
			return err
		}
		return fn(&m)
	})
}

// dayTotal is what a customer's part of a slot amounts to in a currency.
type dayTotal struct {
	lines  int64
	billed money.Exact
}

// dayTotals reads one of the two sides that are compared.
func (s *Store) dayTotals(ctx context.Context, q store.Query, args ...any) (map[expenditure.SlotCustomer]map[string]dayTotal, error) {
	out := map[expenditure.SlotCustomer]map[string]dayTotal{}
	err := s.db.Cells(ctx, q, args, func(c store.RowCells) error {
		key, currency := expenditure.SlotCustomer{SlotID: c.Int(0), CustomerID: c.Text(1)}, c.Text(2)
		billed, _, err := c.Exact(4)
		if out[key] == nil {
			out[key] = map[string]dayTotal{}
		}
		t := out[key][currency]
		out[key][currency] = dayTotal{t.lines + c.Int(3), t.billed.Add(billed)}
		return err
	})
	return out, err
}

// StaleDays compares what is kept by day with the sums, in one snapshot.
func (s *Store) StaleDays(ctx context.Context, from cycle.Cycle) ([]expenditure.SlotCustomer, error) {
	var out []expenditure.SlotCustomer
	err := s.db.InRead(ctx, func(ctx context.Context) error {
		sums, err := s.dayTotals(ctx, qSummedDays, string(from))
		if err != nil {
			return err
		}
		kept, err := s.dayTotals(ctx, qKeptDays)
		if err != nil {
			return err
		}
		for key, want := range sums {
			if !sameTotals(want, kept[key]) {
				out = append(out, key)
			}
		}
		for key := range kept {
			if sums[key] == nil {
				out = append(out, key)
			}
		}
		return nil
	})
	slices.SortFunc(out, func(a, b expenditure.SlotCustomer) int {
		if a.SlotID != b.SlotID {
			return int(a.SlotID - b.SlotID)
		}
		return strings.Compare(a.CustomerID, b.CustomerID)
	})
	return out, err
}

func sameTotals(a, b map[string]dayTotal) bool {
	if len(a) != len(b) {
		return false
	}
	for currency, x := range a {
		if y, ok := b[currency]; !ok || x.lines != y.lines || !x.billed.Equal(y.billed) {
			return false
		}
	}
	return true
}

// KeepDays makes the days of a customer's part of a slot anew. Two programs may do so at once: each writes the same.
func (s *Store) KeepDays(ctx context.Context, of expenditure.SlotCustomer) error {
	type key struct{ currency, day string }
	return s.db.InTx(ctx, func(ctx context.Context) error {
		days := map[key]dayTotal{}
		err := s.db.Cells(ctx, qDayLines, []any{of.SlotID, of.CustomerID}, func(c store.RowCells) error {
			at, err := c.Time(0)
			if err != nil {
				return err
			}
			billed, _, err := c.Exact(2)
			k := key{c.Text(1), at.In(cycle.Zone).Format("2006-01-02")}
			days[k] = dayTotal{days[k].lines + 1, days[k].billed.Add(billed)}
			return err
		})
		if err != nil {
			return err
		}
		if _, err := s.db.Exec(ctx, qForgetDays, of.SlotID, of.CustomerID); err != nil {
			return err
		}
		order := make([]key, 0, len(days))
		for k := range days {
			order = append(order, k)
		}
		slices.SortFunc(order, func(a, b key) int { return strings.Compare(a.currency+a.day, b.currency+b.day) })
		_, err = s.db.Bulk(ctx, "usage_day", dayColumns, func() ([]any, bool, error) {
			if len(order) == 0 {
				return nil, false, nil
			}
			k := order[0]
			order = order[1:]
			return []any{of.SlotID, of.CustomerID, k.currency, k.day, days[k].lines, days[k].billed.String()}, true, nil
		})
		return err
	})
}

// DropDays forgets the days of slots that are not active, and of cycles before.
func (s *Store) DropDays(ctx context.Context, before cycle.Cycle) error {
	return s.db.InTx(ctx, func(ctx context.Context) error {
		_, err := s.db.Exec(ctx, qDropDays, string(before))
		return err
	})
}
