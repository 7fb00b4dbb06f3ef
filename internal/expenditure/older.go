package expenditure

import (
	"context"
	"slices"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/scope"
)

// Kept is for how many months consumption is kept at hand; what is older is archived.
const Kept = 36

// MostArchived is how many months one file from the archive holds.
const MostArchived = 12

// Age is where the consumption of a month is found.
type Age string

// The ages: on the pages; behind them and kept at hand; archived. Of what no page shows files can be asked for. Lines of
// issued cycles are never removed, because bills stand on them.
const (
	AgeOpen     Age = "open"
	AgeKept     Age = "kept"
	AgeArchived Age = "archived"
)

// AgeOf is where a month is found when the running one is now.
func AgeOf(c, now cycle.Cycle) Age {
	switch {
	case c >= now.Add(-Months):
		return AgeOpen
	case c >= now.Add(-Kept):
		return AgeKept
	}
	return AgeArchived
}

// CheckOlder refuses months that pages still show, none, or too many for a file. Faults: expenditure.archive_none,
// .archive_many, .archive_open.
func CheckOlder(months []cycle.Cycle, now cycle.Cycle) error {
	switch {
	case len(months) == 0:
		return fault.Invalid("expenditure.archive_none", nil)
	case len(months) > MostArchived:
		return fault.Invalid("expenditure.archive_many", fault.Args{"months": MostArchived})
	}
	for _, c := range months {
		if AgeOf(c, now) == AgeOpen {
			return fault.Invalid("expenditure.archive_open", fault.Args{"cycle": string(c), "months": Months})
		}
	}
	return nil
}

// Older is what was consumed in a month behind those of the pages, in one currency.
type Older struct {
	Cycle cycle.Cycle
	Age   Age
	Figures
	Currency string
}

// Older are those months, the newest first, each with its currencies in order. Fault: scope.permission_missing.
func (s *Service) Older(ctx context.Context, sc scope.Scope, now cycle.Cycle) ([]Older, error) {
	var out []Older
	err := s.Tx.InRead(ctx, func(ctx context.Context) error {
		out = nil
		if err := sc.Require(scope.ItemExpenditureView, scope.ItemExpenditureCustomers); err != nil {
			return err
		}
		months, err := s.Store.Before(ctx, now.Add(-Months))
		if err != nil {
			return err
		}
		for _, c := range months {
			found, err := s.ofMonth(ctx, sc, c)
			if err != nil {
				return err
			}
			for i := range found {
				found[i].Age = AgeOf(c, now)
			}
			out = append(out, found...)
		}
		return nil
	})
	return out, err
}

// OfMonth is what was consumed in a month by currency, whatever its age. Fault: scope.permission_missing.
func (s *Service) OfMonth(ctx context.Context, sc scope.Scope, c cycle.Cycle) (out []Older, err error) {
	err = s.Tx.InRead(ctx, func(ctx context.Context) error {
		out, err = s.ofMonth(ctx, sc, c)
		return err
	})
	return out, err
}

func (s *Service) ofMonth(ctx context.Context, sc scope.Scope, c cycle.Cycle) ([]Older, error) {
	v, err := s.view(ctx, sc, Filter{Cycle: c})
	if err != nil {
		return nil, err
	}
	var out []Older
	_, err = v.survey(ctx, false, func(p *piece) {
		i := slices.IndexFunc(out, func(o Older) bool { return o.Currency == p.Currency })
		if i < 0 {
			i = len(out)
			out = append(out, Older{Cycle: c, Currency: p.Currency})
		}
		out[i].count(p.Kind, p.Lines, p.Billed, p.Discount)
	})
	slices.SortFunc(out, func(a, b Older) int {
		if a.Currency < b.Currency {
			return -1
		}
		return 1
	})
	return out, err
}
