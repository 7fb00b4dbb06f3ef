// Package bill is the partner bill (伙伴账单): what one partner owes for one cycle, currency and
// contracting entity, and why.
//
// It owns the computation from lines and price rules to documents, their totals, their code and the
// explanation of a figure. It does not own the month close, the adjustment's life (monthclose), the
// files a bill is written to (billdoc) or storage.
//
// Invariants: a line is rounded once per buyer, to 1e-8, half away from zero; PayableTotal is the one
// function that rounds further; sums of items are the totals of the document; the same lines, book
// and associations give the same document byte for byte, whatever the order of reading.
package bill

import (
	"time"

	"huoban/internal/cycle"
	"huoban/internal/money"
	"huoban/internal/price"
	"huoban/internal/usage"
)

// State is where a document stands: 预估 (estimate), 初稿 (draft, reviewed), 终稿 (issued).
type State string

// The states of a bill.
const (
	StateEstimate State = "estimate"
	StateDraft    State = "draft"
	StateReviewed State = "reviewed"
	StateIssued   State = "issued"
)

// KindCoupon is 代金券抵扣: what a voucher of the partner paid of a line.
const KindCoupon usage.Kind = "coupon"

// Origin is where an item's lines come from.
type Origin string

// The origins.
const (
	OriginUsage      Origin = "usage"
	OriginSpread     Origin = "spread"
	OriginAdjustment Origin = "adjustment"
)

// Party is an organisation as a bill names it.
type Party struct{ ID, Code, Name string }

// Document is one bill. Amounts without tax unless TaxInDue:
// Consumption + Refund + Adjustment + Coupon + Rounding = Due unless Floored.
type Document struct {
	ID           string // empty for an estimate
	Vendor       Party
	Partner      Party // the buyer
	Seller       Party // the vendor, or the distributor of a reseller
	Entity       Party
	Cycle        cycle.Cycle
	Currency     string
	State        State
	Version      int64
	LineCount    int64
	Consumption  money.Amount
	Refund       money.Amount
	Adjustment   money.Amount
	Coupon       money.Amount
	Rounding     money.Amount
	Tax          money.Amount
	TaxInDue     bool
	Floored      bool // the total is below zero, so that nothing is due
	Due          money.Amount
	SourceTotal  money.Exact // Σ exact billed amounts of the lines, without tax
	ExactTotal   money.Exact // Σ exact base × factor, without tax
	TaxExact     money.Exact
	PriceSeq     int64
	Code         string // 校验码, from the canonical document
	OverrideNote string
	DraftedAt    time.Time
	IssuedAt     time.Time
	Items        []Item
}

// Stored is the sum of the stored figures that ExactTotal is compared with.
func (d *Document) Stored() money.Amount {
	return d.Consumption + d.Refund + d.Adjustment + d.Coupon
}

// Residue is what the exact sum has beyond the stored one; shown, never added.
func (d *Document) Residue() money.Exact { return d.ExactTotal.Sub(d.Stored().Exact()) }

// Item is the lines of a bill that share customer, dimensions and price.
type Item struct {
	No          int
	Customer    Party
	Origin      Origin
	Provider    string
	Product     string
	Region      string
	Mode        usage.ChargingMode
	Kind        usage.Kind
	RuleID      string // empty: no rule, billed × 1
	RuleNumber  int64
	RuleVersion int64
	RuleType    price.Type
	Base        price.Base // the column used; billed where the rule's own column is absent on the lines
	Factor      money.Exact
	LineCount   int64
	SourceExact money.Exact // Σ billed
	BaseExact   money.Exact // Σ base column
	Exact       money.Exact // Σ base × factor
	Amount      money.Amount
	Adjusts     *Adjusts    // for OriginAdjustment
	Coupon      *ItemCoupon // for KindCoupon
}

// Adjusts names what an adjustment line corrects, without surrogate keys except ID.
type Adjusts struct {
	ID            string
	Kind          string // remap, late, staff
	CorrectsCycle cycle.Cycle
	Source        string // name of the source
	Key           string
	Side          string // out, in or ""
	Reason        string
}

// Adjustment is an adjustment line ready to stand on the bills of an open cycle: priced for each
// buyer in the cycle it corrects.
type Adjustment struct {
	Adjusts
	SourceID   string
	CustomerID string
	Currency   string
	Prices     []AdjustmentPrice
}

// AdjustmentPrice is what the adjustment is worth for one buyer under one rule. SourceExact is the
// billed amount of the moved lines, BaseExact their base column. Kind is adjustment, or tax for moved
// tax lines, which stay apart on the bill as they were.
type AdjustmentPrice struct {
	PartnerID   string
	Kind        usage.Kind
	RuleID      string
	RuleNumber  int64
	RuleVersion int64
	RuleType    price.Type
	Base        price.Base
	Factor      money.Exact
	LineCount   int64
	SourceExact money.Exact
	BaseExact   money.Exact
	Exact       money.Exact
	Amount      money.Amount
}
