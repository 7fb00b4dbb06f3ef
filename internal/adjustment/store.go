package adjustment

import (
	"context"
	"time"

	"huoban/internal/bill"
	"huoban/internal/cycle"
	"huoban/internal/scope"
	"huoban/internal/usage"
)

// Tx runs a function in one transaction; fn may be run again.
type Tx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// Filter narrows a list; empty fields are any.
type Filter struct {
	VendorID string
	Cycle    cycle.Cycle
	State    State
	Kind     Kind
}

// Store keeps adjustments. ByID answers not_found adjustment.unknown.
type Store interface {
	// Insert writes the head, then its prices. Moves are added by AddMove.
	Insert(ctx context.Context, a *Adjustment) error
	AddMove(ctx context.Context, id string, m Move) error
	ByID(ctx context.Context, sc scope.Scope, id string) (Adjustment, error)
	// List gives adjustments with prices, without moves, in canonical order.
	List(ctx context.Context, sc scope.Scope, f Filter) ([]Adjustment, error)
	Moves(ctx context.Context, sc scope.Scope, id string, fn func(Move) error) error
	// Decide is the compare-and-set of a decision; it also sets the cycle the line goes into.
	Decide(ctx context.Context, a *Adjustment, to State, by string, at time.Time) (bool, error)
	// BilledSeq is the state of the price book with which the customer's lines of the key stand
	// billed in the cycle: that of the newest remap that moved them there, else that of the close.
	BilledSeq(ctx context.Context, vendorID, sourceID, key, customerID, currency string, c cycle.Cycle) (int64, error)
	SourceName(ctx context.Context, sourceID string) (string, error)
	// Weights are what the customers of a source were billed for in the active slots of a cycle, by
	// currency: the basis on which its lines without sub-account were spread.
	Weights(ctx context.Context, sourceID string, c cycle.Cycle) (map[string][]usage.Weight, error)
	// Slots are all slots of the cycle, whatever their state, with the zone of their source.
	Slots(ctx context.Context, vendorID string, c cycle.Cycle) ([]bill.Slot, error)
}

// Cycles answers where a correction goes; monthclose.Service implements it.
type Cycles interface {
	// OpenFor is the cycle itself while it is open, else the earliest still open cycle of the vendor
	// after it, recorded if it was not.
	OpenFor(ctx context.Context, vendorID string, corrected cycle.Cycle) (cycle.Cycle, error)
}

// PartyBook gives who buys from whom, for one vendor.
type PartyBook interface {
	Parties(ctx context.Context, vendorID string) (bill.Parties, error)
}
