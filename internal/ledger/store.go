package ledger

import (
	"context"
	"time"

	"huoban/internal/money"
)

// Tx runs a function in one transaction; fn may be run again. Inside a running transaction it joins it.
type Tx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// Store keeps the books.
type Store interface {
	// Account reads one; found tells whether it was ever opened.
	Account(ctx context.Context, id string) (s State, found bool, err error)
	// Open writes a new account with nothing in it.
	Open(ctx context.Context, s State) error
	// Move writes the balance, seq and time of an account that still has the seq it was read with.
	Move(ctx context.Context, s State, seq int64) (bool, error)
	// SetLine writes the credit line of an account that has that seq.
	SetLine(ctx context.Context, id string, line money.Amount, seq int64) (bool, error)

	// ByKey finds what was posted under a key, with its lines.
	ByKey(ctx context.Context, vendorID, key string) (p Posted, found bool, err error)
	InsertEntry(ctx context.Context, p Posted) error
	InsertLine(ctx context.Context, p Posted, no int, s State) error

	// Accounts lists the accounts of a vendor's books, of one partner when it is named, by partner, currency, kind and customer.
	Accounts(ctx context.Context, vendorID, partnerID string) ([]State, error)
	// OfPartner lists the accounts of a partner in all books.
	OfPartner(ctx context.Context, partnerID string) ([]State, error)
	// OfCustomer lists what stands with a customer.
	OfCustomer(ctx context.Context, customerID string) ([]State, error)

	// Movements reads the lines of an account that match, from seq on (exclusive, 0 = the end) downwards, or upwards.
	Movements(ctx context.Context, f Filter, seq int64, up bool, limit int) ([]Movement, error)
	// Totals sums what matches.
	Totals(ctx context.Context, f Filter) (Totals, error)
	// Before is the balance an account had before an instant: that after its last line earlier than it.
	Before(ctx context.Context, accountID string, at time.Time) (money.Amount, error)
	// Adjustments lists allocations to and reclaims from customers of a partner, from a place on, the nearest first.
	Adjustments(ctx context.Context, f AdjustFilter, at AdjustAt, newer bool, limit int) ([]Adjustment, error)
	AdjustTotals(ctx context.Context, f AdjustFilter) ([]AdjustTotal, error)
	// Sums adds up all lines of a vendor's books by account.
	Sums(ctx context.Context, vendorID string) ([]Sum, error)
}
