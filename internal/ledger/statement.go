package ledger

import (
	"context"
	"fmt"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/scope"
)

// Filter narrows the movements of one account. From is inclusive, Until exclusive; zero values do not narrow. A row of
// Seq above UpTo is not counted, so that a list stays what it was while it is read.
type Filter struct {
	AccountID   string
	From, Until time.Time
	Type        Type
	Detail      Detail
	Direction   int // 1 income, 2 expense, as the open API has it; 0 both
	CustomerID  string
	UpTo        int64
}

// Movement is a line of an account as 收支明细 shows it.
type Movement struct {
	EntryID    string
	Seq        int64
	At         time.Time
	Type       Type
	Detail     Detail
	Reference  string
	Number     string
	CustomerID string
	Memo       string
	Actor      string
	Amount     money.Amount
	After      money.Amount
}

// Income tells whether it came in.
func (m *Movement) Income() bool { return m.Amount > 0 }

// Serial is 流水号: unique along an account, and in the order of time.
func (m *Movement) Serial(zone *time.Location) string {
	return fmt.Sprintf("%s-%06d", m.At.In(zone).Format("20060102150405"), m.Seq)
}

// Totals is what a filter amounts to. Opening and Closing are the balances before and after its span, whatever else
// it narrows by; without other narrowing Opening + In − Out = Closing.
type Totals struct {
	Count            int
	In, Out          money.Amount // Out is positive
	Opening, Closing money.Amount
	LastSeq          int64
	LastAt           time.Time
}

// StatementMonths is how far back partners and customers ask for 收支明细 themselves, on the page and in files; what is
// older the vendor looks up for them.
const StatementMonths = 12

// Since is the first day that can be asked for at an instant, GMT+8: the same day twelve months ago, or the last of that
// month.
func Since(now time.Time) time.Time {
	y, m, d := now.In(cycle.Zone).Date()
	first := time.Date(y, m-StatementMonths, 1, 0, 0, 0, 0, cycle.Zone)
	return first.AddDate(0, 0, min(d, first.AddDate(0, 1, -1).Day())-1)
}

// reach keeps a filter within what may be asked for; without a beginning it begins there. Faults:
// ledger.filter_malformed, .too_old (from).
func (s *Service) reach(sc scope.Scope, f Filter) (Filter, error) {
	if f.Type != "" && !f.Type.Known() || f.Direction < 0 || f.Direction > 2 || !f.From.IsZero() && !f.Until.IsZero() && f.Until.Before(f.From) {
		return f, fault.Invalid("ledger.filter_malformed", nil)
	}
	if sc.Side() != scope.SidePartner && sc.Side() != scope.SideCustomer {
		return f, nil
	}
	since := Since(s.Clock.Now())
	if !f.From.IsZero() && f.From.Before(since) || !f.Until.IsZero() && !f.Until.After(since) {
		return f, fault.Invalid("ledger.too_old", fault.Args{"from": since.Format(time.DateOnly)})
	}
	if f.From.IsZero() {
		f.From = since
	}
	return f, nil
}

// Statement gives the account of a filter and what it amounts to. The account must be one in sight: a partner's own or
// its reseller's, one of the vendor's books, one that stands with the customer. Faults: ledger.account_unknown,
// .filter_malformed, .too_old, scope.permission_missing.
func (s *Service) Statement(ctx context.Context, sc scope.Scope, a Account, f Filter) (State, Totals, error) {
	var t Totals
	f, err := s.reach(sc, f)
	if err != nil {
		return State{}, t, err
	}
	f.AccountID = a.ID()
	st, err := s.visible(ctx, sc, a)
	if err != nil {
		return st, t, err
	}
	if t, err = s.Store.Totals(ctx, f); err != nil {
		return st, t, err
	}
	if !f.From.IsZero() {
		if t.Opening, err = s.Store.Before(ctx, f.AccountID, f.From); err != nil {
			return st, t, err
		}
	}
	t.Closing = st.Balance
	if !f.Until.IsZero() {
		t.Closing, err = s.Store.Before(ctx, f.AccountID, f.Until)
	}
	return st, t, err
}

// Movements reads the rows of a filter whose account was given by Statement, from a seq on (exclusive; 0 = the end of
// the list) towards older ones, or newer ones.
func (s *Service) Movements(ctx context.Context, sc scope.Scope, a Account, f Filter, seq int64, newer bool, limit int) ([]Movement, error) {
	f, err := s.reach(sc, f)
	if err != nil {
		return nil, err
	}
	f.AccountID = a.ID()
	if _, err := s.visible(ctx, sc, a); err != nil {
		return nil, err
	}
	return s.Store.Movements(ctx, f, seq, newer, limit)
}

func (s *Service) visible(ctx context.Context, sc scope.Scope, a Account) (State, error) {
	item, sees := scope.ItemFundsView, false
	switch sc.Side() {
	case scope.SideVendor:
		item, sees = scope.ItemLedgerView, a.VendorID == sc.OrgID()
	case scope.SidePartner:
		sees = seesPartner(sc, a.PartnerID)
	case scope.SideCustomer:
		sees = a.CustomerID == sc.OrgID()
	}
	if !sees {
		return State{}, unknown()
	}
	if sc.Side() != scope.SideCustomer {
		if err := sc.Require(item); err != nil {
			return State{}, err
		}
	}
	return s.State(ctx, a)
}

// AdjustFilter narrows 调账记录. Zero values do not narrow.
type AdjustFilter struct {
	PartnerID   string
	CustomerID  string
	Type        Type // TypeAllocate, TypeReclaim or TypeUnbind; "" = these three
	From, Until time.Time
	EntryID     string
	UpTo        AdjustAt // what is newer is not counted, so that a list stays what it was while it is read; zero = all
}

// AdjustAt is a place in 调账记录, whose order is that of time.
type AdjustAt struct {
	At      time.Time
	EntryID string
	Line    int
}

// AdjustTotal is what matches in one currency; Amount is what was given less what came back.
type AdjustTotal struct {
	Currency string
	Count    int
	Amount   money.Amount
}

// Adjustment is money that went to a customer or came back (调账记录). Amount is positive.
type Adjustment struct {
	AdjustAt
	Type       Type
	VendorID   string
	PartnerID  string
	CustomerID string
	Currency   string
	Amount     money.Amount
	Number     string
	Memo       string
	Actor      string
}

// Adjustments reads allocations and reclaims of a partner or its reseller from a place on (exclusive; zero = the newest)
// towards older ones, or newer ones. Faults: ledger.account_unknown, scope.permission_missing.
func (s *Service) Adjustments(ctx context.Context, sc scope.Scope, f AdjustFilter, at AdjustAt, newer bool, limit int) ([]Adjustment, error) {
	if err := adjustable(sc, &f); err != nil {
		return nil, err
	}
	return s.Store.Adjustments(ctx, f, at, newer, limit)
}

// AdjustTotals adds up what Adjustments lists. Faults: those of Adjustments.
func (s *Service) AdjustTotals(ctx context.Context, sc scope.Scope, f AdjustFilter) ([]AdjustTotal, error) {
	if err := adjustable(sc, &f); err != nil {
		return nil, err
	}
	return s.Store.AdjustTotals(ctx, f)
}

func adjustable(sc scope.Scope, f *AdjustFilter) error {
	if err := sc.Require(scope.ItemFundsView); err != nil {
		return err
	}
	if f.PartnerID == "" {
		f.PartnerID = sc.OrgID()
	}
	if sc.Side() != scope.SidePartner || !seesPartner(sc, f.PartnerID) {
		return unknown()
	}
	return nil
}
