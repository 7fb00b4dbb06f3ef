package ledger

import (
	"context"
	"slices"

	"huoban/internal/money"
	"huoban/internal/scope"
)

// Sum is what the lines of an account add up to, beside the balance kept with it. Debit is what went down (借方),
// Credit what went up (贷方), both positive. LastAfter is the balance its last line tells.
type Sum struct {
	State
	Lines         int64
	Debit, Credit money.Amount
	LastAfter     money.Amount
}

// Sound tells whether the account's lines, its last line and its kept balance agree.
func (s *Sum) Sound() bool {
	return s.Credit-s.Debit == s.Balance && s.LastAfter == s.Balance && s.Lines == s.Seq && (s.Balance >= 0 || s.mayOverdraw())
}

// TrialRow is one currency of the trial balance.
type TrialRow struct {
	Currency      string
	Accounts      []Sum
	Debit, Credit money.Amount
	Broken        []string // ids of accounts that do not agree with their lines
}

// Balanced tells whether the books of the currency are sound: both sides are equal and no account is broken.
func (r *TrialRow) Balanced() bool { return r.Debit == r.Credit && len(r.Broken) == 0 }

// Trial gathers sums by currency, in the order of currencies. Fault: money.out_of_range.
func Trial(sums []Sum) ([]TrialRow, error) {
	var out []TrialRow
	for _, s := range sums {
		i := slices.IndexFunc(out, func(r TrialRow) bool { return r.Currency == s.Currency })
		if i < 0 {
			i, out = len(out), append(out, TrialRow{Currency: s.Currency})
		}
		r := &out[i]
		var err error
		if r.Debit, err = r.Debit.Add(s.Debit); err != nil {
			return nil, err
		}
		if r.Credit, err = r.Credit.Add(s.Credit); err != nil {
			return nil, err
		}
		if !s.Sound() {
			r.Broken = append(r.Broken, s.ID())
		}
		r.Accounts = append(r.Accounts, s)
	}
	slices.SortFunc(out, func(a, b TrialRow) int {
		if a.Currency < b.Currency {
			return -1
		}
		return 1
	})
	return out, nil
}

// TrialBalance adds up the whole books of the vendor (试算平衡). Fault: scope.permission_missing.
func (s *Service) TrialBalance(ctx context.Context, sc scope.Scope) ([]TrialRow, error) {
	if err := sc.Require(scope.ItemLedgerView); err != nil {
		return nil, err
	}
	return s.trialOf(ctx, sc.OrgID())
}

// Check adds up the books of a vendor for the program itself.
func (s *Service) Check(ctx context.Context, vendorID string) ([]TrialRow, error) {
	return s.trialOf(ctx, vendorID)
}

func (s *Service) trialOf(ctx context.Context, vendorID string) ([]TrialRow, error) {
	sums, err := s.Store.Sums(ctx, vendorID)
	if err != nil {
		return nil, err
	}
	return Trial(sums)
}
