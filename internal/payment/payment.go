// Package payment collects issued bills (账单支付): from the balance on the 5th, and by the partner after that.
//
// It owns what was paid on a bill, its states, arrears (欠款) and the alert of a low balance; it does not own the bill,
// whose figures never change, nor the money, which the ledger moves.
//
// Invariants: what is paid on a bill is the sum of the ledger entries that refer to it and never more than is due; a
// bill is collected once by itself, at 12:00 GMT+8 of the 5th or when it is issued later; the oldest bill is paid first;
// arrears are what is unpaid of bills that were collected.
//
// Spec: docs/funds.md
package payment

import (
	"context"
	"slices"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/ledger"
	"huoban/internal/money"
	"huoban/internal/scope"
)

// State is where the payment of a bill stands: 已出账, 未还清, 部分还款, 已还清.
type State string

// The states.
const (
	StateIssued State = "issued"
	StateUnpaid State = "unpaid"
	StatePartly State = "partly_paid"
	StatePaid   State = "paid"
)

// Bill is an issued bill as its payment sees it.
type Bill struct {
	ID                            string
	VendorID, PartnerID, SellerID string
	VendorCode, VendorName        string
	PartnerCode, PartnerName      string
	Cycle                         cycle.Cycle
	Currency                      string
	Code                          string
	EntityCode, EntityName        string
	Due, Paid                     money.Amount
	State                         State
	Version                       int64 // 0 = nothing is kept yet
	IssuedAt                      time.Time
	SettledAt                     time.Time
}

// Remaining is what is still to be paid.
func (b *Bill) Remaining() money.Amount { return b.Due - b.Paid }

// DueAt is when it is collected: 12:00 of the 5th, or when it was issued if that was later.
func (b *Bill) DueAt() time.Time {
	due := b.Cycle.BillReady()
	if b.IssuedAt.After(due) {
		return b.IssuedAt
	}
	return due
}

// InArrears tells whether what remains is overdue.
func (b *Bill) InArrears() bool { return b.State == StateUnpaid || b.State == StatePartly }

func (b *Bill) reference() string { return "bill:" + b.ID }

// Filter narrows bills. Zero values do not narrow. Open are those that are not paid.
type Filter struct {
	VendorID, PartnerID, BillID string
	Open                        bool
}

// Share is what a bill asks for one customer.
type Share struct {
	CustomerID string
	Amount     money.Amount
}

// Store keeps payments.
type Store interface {
	// Bills lists issued bills of which something is due, the oldest first.
	Bills(ctx context.Context, f Filter) ([]Bill, error)
	// Ripe lists issued bills of cycles before one that were never collected, the oldest first.
	Ripe(ctx context.Context, before cycle.Cycle, limit int) ([]Bill, error)
	// Shares sums a bill by customer.
	Shares(ctx context.Context, billID string) ([]Share, error)
	// Begin writes the first state of a bill's payment; false if another did.
	Begin(ctx context.Context, b Bill, at time.Time) (bool, error)
	// Set writes state, what is paid and when it was settled, if the version is as loaded.
	Set(ctx context.Context, b Bill, at time.Time) (bool, error)

	Alert(ctx context.Context, vendorID, partnerID, currency string) (Alert, bool, error)
	Alerts(ctx context.Context, partnerID string) ([]Alert, error)
	SaveAlert(ctx context.Context, a Alert) error
	DropAlert(ctx context.Context, a Alert) error
}

// Arrears are a partner's overdue bills at one vendor in one currency.
type Arrears struct {
	VendorID, PartnerID, Currency string
	Amount                        money.Amount
	Bills                         int
	Oldest                        cycle.Cycle
}

// ArrearsOf adds up what is overdue, by vendor, partner and currency.
func ArrearsOf(bills []Bill) []Arrears {
	var out []Arrears
	for i := range bills {
		b := &bills[i]
		if !b.InArrears() || b.Remaining() <= 0 {
			continue
		}
		j := slices.IndexFunc(out, func(a Arrears) bool {
			return a.VendorID == b.VendorID && a.PartnerID == b.PartnerID && a.Currency == b.Currency
		})
		if j < 0 {
			j, out = len(out), append(out, Arrears{VendorID: b.VendorID, PartnerID: b.PartnerID, Currency: b.Currency, Oldest: b.Cycle})
		}
		a := &out[j]
		a.Amount, a.Bills, a.Oldest = a.Amount+b.Remaining(), a.Bills+1, min(a.Oldest, b.Cycle)
	}
	return out
}

// seller names the other side of what is paid: the vendor's own account, and for the reseller's bill the distributor.
func (b *Bill) settled() ledger.Account {
	return ledger.Counter(b.VendorID, ledger.KindSettled, b.Currency)
}

// sees tells whether the bill is the actor's to look at.
func sees(sc scope.Scope, b *Bill) bool {
	return sc.SeesBill(b.VendorID, b.SellerID, b.PartnerID)
}
