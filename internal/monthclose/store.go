package monthclose

import (
	"context"
	"time"

	"huoban/internal/bill"
	"huoban/internal/cycle"
	"huoban/internal/money"
	"huoban/internal/scope"
	"huoban/internal/usage"
)

// Tx runs a function in one transaction; fn may be run again.
type Tx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
	InRead(ctx context.Context, fn func(ctx context.Context) error) error
}

// Known is a cycle of a vendor that has a record or lines.
type Known struct {
	VendorID, Vendor string
	Cycle            cycle.Cycle
	State            State
}

// SumKey and Sum are one row of the summaries kept beside the lines.
type SumKey struct {
	SlotID               int64
	CustomerID           string
	AccountID, ProductID usage.Hash
	Kind                 usage.Kind
	Currency             string
}

// Sum is what the lines of a key add up to.
type Sum struct {
	Lines  int64
	Amount money.Amount
	Exact  money.Exact
}

// SlotBase is what sums of a slot need: the source's base column, and its zone for the days.
type SlotBase struct {
	Column string
	Zone   *time.Location
}

// Store keeps closes.
type Store interface {
	// Load reads a close; one never recorded is open with version 0.
	Load(ctx context.Context, vendorID string, c cycle.Cycle) (Close, error)
	States(ctx context.Context, vendorID string) (map[cycle.Cycle]State, error)
	Insert(ctx context.Context, c Close) error
	// Save writes a close whose former state and version are as loaded; it raises the version.
	Save(ctx context.Context, c Close, from State) (bool, error)
	Known(ctx context.Context) ([]Known, error)
	// VendorCode answers not_found monthclose.vendor_unknown.
	VendorCode(ctx context.Context, vendorID string) (string, error)
	Seal(ctx context.Context, vendorID string, c cycle.Cycle) error

	BeginStep(ctx context.Context, vendorID string, c cycle.Cycle, st Step) error
	EndStep(ctx context.Context, vendorID string, c cycle.Cycle, st Step) error
	LastRun(ctx context.Context, vendorID string, c cycle.Cycle) (int64, error)
	Steps(ctx context.Context, vendorID string, c cycle.Cycle) ([]Step, error)

	// Gate reads what the refusals are decided from, without Now, State, Stale and Silent.
	Gate(ctx context.Context, vendorID string, c cycle.Cycle) (Gate, error)
	// Fingerprint names everything a draft is computed from except the price book.
	Fingerprint(ctx context.Context, vendorID string, c cycle.Cycle) (string, error)
	Summaries(ctx context.Context, vendorID string, c cycle.Cycle, fn func(SumKey, Sum) error) error
	// AnyLine tells whether a slot has a line that starts in [from, to).
	AnyLine(ctx context.Context, slotID int64, from, to time.Time) (bool, error)
	SlotBases(ctx context.Context, vendorID string, c cycle.Cycle) (map[int64]SlotBase, error)
}

// Bills keeps the documents of a close.
type Bills interface {
	// SaveDraft replaces the bills of the cycle, whole; they get state draft.
	SaveDraft(ctx context.Context, vendorID string, c cycle.Cycle, docs []bill.Document, at time.Time) error
	RemoveDraft(ctx context.Context, vendorID string, c cycle.Cycle) error
	// SetState moves every bill of the cycle from a state to the next and tells how many there were.
	SetState(ctx context.Context, vendorID string, c cycle.Cycle, from, to bill.State, at time.Time) (int64, error)
	// List reads kept bills without their items.
	List(ctx context.Context, sc scope.Scope, f bill.Filter) ([]bill.Document, error)
	// WithItems reads kept bills in canonical order.
	WithItems(ctx context.Context, sc scope.Scope, f bill.Filter) ([]bill.Document, error)
}
