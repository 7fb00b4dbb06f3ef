package usage

import (
	"context"

	"huoban/internal/cycle"
	"huoban/internal/money"
)

// SlotState is where a slot stands; only active slots count.
type SlotState string

// The slot states.
const (
	SlotStaging    SlotState = "staging"
	SlotActive     SlotState = "active"
	SlotSuperseded SlotState = "superseded"
	SlotLate       SlotState = "late"
	SlotReverted   SlotState = "reverted"
)

// Slot is the lines of one delivery for one cycle.
type Slot struct {
	ID                             int64
	DeliveryID, SourceID, VendorID string
	Cycle                          cycle.Cycle
	State                          SlotState
	Sealed                         bool
	Replaces                       int64 // the slot that was newest before; 0 if none
	LineCount                      int64
}

// Place is the clustered key of a stored line.
type Place struct {
	SlotID     int64
	CustomerID string
	Start      string // charge start as the store's fixed-width text, so that it compares as kept
	Key        Hash
	Occurrence int64
}

// Stored is a line as kept.
type Stored struct {
	Line
	SlotID     int64
	CustomerID string // organisation id, CustomerUnmapped or CustomerSpread
	RuleID     string // attribution rule that chose the customer; empty = source default
	AccountID  Hash
	ProductID  Hash
	ResourceID Hash
	Amount     money.Amount // the base column rounded once; set where a line is written, not where it is read

	// Moved lines of an issued cycle stay under the customer they were billed to, KeptUnder, while
	// CustomerID is whom the rules in force name.
	Moved     bool
	KeptUnder string
}

// Reader streams stored lines in key order (customer, charge start, key, occurrence) slot by slot.
// Dimensions are filled in. It is the program's own view and takes no scope: only use cases that
// compute for everybody (close, verify) hold it; pages read through scoped queries.
//
// EachCharge reads every line of slots for the few things a price depends on, in any order, by several
// goroutines at once: part is called for each of them before any line is read, and what it gives takes the
// lines of that goroutine alone and must not use the store.
type Reader interface {
	EachCharge(ctx context.Context, q ChargeQuery, part func() (Charges, error)) error
	EachLine(ctx context.Context, slots []int64, fn func(*Stored) error) error
	ActiveSlots(ctx context.Context, vendorID string, c cycle.Cycle) ([]Slot, error)
	Shares(ctx context.Context, slots []int64, fn func(Share) error) error
}

// Share is a customer's part of a spread line: Part is the line with Billed, List and Contracted
// replaced by the share (List and Contracted split by the same weights). The parts sum to the line.
type Share struct {
	Of   Place
	Part Stored
}
