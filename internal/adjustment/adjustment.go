// Package adjustment is the adjustment line (调账行): what corrects an issued cycle on the bills of an
// open one.
//
// It owns the kinds of adjustment (a remap, lines that came late, an entry by staff), their pairing,
// their price line by line, and the two-person rule. It does not own the choice of the cycle
// (monthclose), price rules (price) or the documents (bill).
//
// Invariants: an issued cycle is never written; a remap makes one pair per key, source cycle and
// currency whose base sums to zero; a line that was moved before is moved on from where it is now;
// what is taken away is priced as it was billed, what is added is priced by the rules valid at the
// lines' charge time; nobody approves an own
// entry above the limit of the vendor, which is none until one is set.
//
// Spec: docs/month-close.md
package adjustment

import (
	"slices"
	"time"

	"huoban/internal/bill"
	"huoban/internal/cycle"
	"huoban/internal/money"
	"huoban/internal/usage"
)

// Kind says why an adjustment exists.
type Kind string

// The kinds: 重新归属, 迟到明细, 人工调账.
const (
	KindRemap Kind = "remap"
	KindLate  Kind = "late"
	KindStaff Kind = "staff"
)

// Label is the key of the kind's text.
func (k Kind) Label() string { return "adjustment.kind." + string(k) }

// State is where an adjustment stands; only approved ones enter bills.
type State string

// The states. What the program computes from lines is approved from the start.
const (
	StateProposed State = "proposed"
	StateApproved State = "approved"
	StateRejected State = "rejected"
)

// Side tells what an adjustment does to its customer.
type Side string

// The sides of a pair; an entry by staff has none.
const (
	SideOut  Side = "out"
	SideIn   Side = "in"
	SideNone Side = ""
)

// Label is the key of the side's text; "" for none.
func (s Side) Label() string {
	if s == SideNone {
		return ""
	}
	return "adjustment.side." + string(s)
}

// Adjustment is one adjustment line.
type Adjustment struct {
	ID, VendorID string
	Cycle        cycle.Cycle // the open cycle whose bills carry it
	Corrects     cycle.Cycle
	Kind         Kind
	State        State
	Version      int64
	PairID       string
	Side         Side
	SourceID     string // empty for staff
	Key          string
	CustomerID   string // empty for the out side of a line nobody was billed for
	PartnerID    string // staff only: the partner billed
	Currency     string
	Base         money.Exact // Σ billed of the moved lines, with the sign of the side, tax apart
	TaxBase      money.Exact
	LineCount    int64
	PriceSeq     int64 // state of the price book
	Reason       string
	CreatedBy    string
	CreatedAt    time.Time
	ApprovedBy   string
	ApprovedAt   time.Time
	Prices       []Price
	Moves        []Move
}

// Price is what an adjustment is worth for one buyer under one rule and column.
type Price = bill.AdjustmentPrice

// Move is a line an adjustment moves, by its place in the sealed or late slot. Sign is −1 where the
// line is taken away.
type Move struct {
	Place usage.Place
	Sign  int64
}

// Line is the adjustment as the bill builder takes it. sourceName names the source.
func (a *Adjustment) Line(sourceName string) bill.Adjustment {
	return bill.Adjustment{
		Adjusts: bill.Adjusts{ID: a.ID, Kind: string(a.Kind), CorrectsCycle: a.Corrects, Source: sourceName, Key: a.Key,
			Side: string(a.Side), Reason: a.Reason},
		SourceID: a.SourceID, CustomerID: a.CustomerID, Currency: a.Currency,
		Prices: slices.Clone(a.Prices),
	}
}
