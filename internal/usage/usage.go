// Package usage is the imported line (明细): what a cloud's cost export says about one charge.
//
// It owns the line's columns, what a line counts as, and its identity inside a delivery. It does not
// own reading files (ingest), finding the customer (attribution) or pricing (price).
//
// Invariants: amounts are exact as delivered; null is not zero; a line belongs to the cycle of its
// billing period in the zone of its source, and its charge time never moves it to another.
package usage

import (
	"time"

	"huoban/internal/cycle"
	"huoban/internal/money"
)

// Kind is what a line counts as on a bill.
type Kind string

// The kinds: 消费, 退款, 调账, 税.
const (
	KindConsumption Kind = "consumption"
	KindRefund      Kind = "refund"
	KindAdjustment  Kind = "adjustment"
	KindTax         Kind = "tax"
)

// The customers that are none.
const (
	CustomerUnmapped = ""  // no rule found one; blocks the close
	CustomerSpread   = "~" // waits to be spread over the source's customers
)

// Hash is the first 16 bytes of SHA-256 over length-prefixed fields.
type Hash [16]byte

// Account says who delivered and who consumed, in the source's own words.
type Account struct {
	Provider, Publisher, Issuer        string
	BillingAccount, BillingAccountName string
	SubAccount, SubAccountName         string
	SourceKey                          string // value of the key column chosen for the source: tag, resource group, compartment, project
}

// Product says what was charged.
type Product struct {
	Service, ServiceCategory         string
	SKU, SKUPrice, Description       string
	Region, RegionName               string
	ChargeCategory, ChargeClass      string
	ChargeFrequency, PricingCategory string
	ChargingMode                     ChargingMode
	Unit                             string
}

// ChargingMode is 计费模式.
type ChargingMode string

// The charging modes.
const (
	ModeOnDemand     ChargingMode = "on_demand"    // 按需
	ModeSubscription ChargingMode = "subscription" // 包年/包月
	ModeReserved     ChargingMode = "reserved"     // 预留实例
	ModeSavingsPlan  ChargingMode = "savings_plan" // 节省计划
	ModeOneTime      ChargingMode = "one_time"     // 一次性
)

// Resource is the thing that ran; Tags is canonical JSON (sorted keys) or "". OrderNo is the order (订单号) it was
// bought by, "" for what is charged by use and where the export names none.
type Resource struct{ ID, Name, Type, Tags, OrderNo string }

// Line is one imported row, validated.
type Line struct {
	FileNo      int
	LineNo      int64 // 1-based physical line in the file where the record begins; row number in Parquet
	Cycle       cycle.Cycle
	ChargeStart time.Time
	ChargeEnd   time.Time
	Account     Account
	Product     Product
	Resource    Resource
	Kind        Kind
	Currency    string
	Billed      money.Exact
	List        *money.Exact
	Contracted  *money.Exact
	Effective   *money.Exact
	Quantity    *money.Exact

	Key        Hash  // identity: the native line key, or the content without InvoiceId and x_ columns
	Content    Hash  // every column that counts; differs from Key only where the source has native keys
	Occurrence int64 // ordinal among lines of equal Key in one delivery and cycle, from 0
	Correction bool  // FOCUS ChargeClass=Correction
}

// Base is the amount of the base column; nil if the source left it out.
func (l *Line) Base(column string) *money.Exact {
	switch column {
	case "list":
		return l.List
	case "contracted":
		return l.Contracted
	}
	return &l.Billed
}

// KindOf says what a charge counts as (Source: FOCUS ChargeCategory and ChargeClass, and the
// portal's rule): Usage and Purchase are consumption whatever the sign, unless a correction below
// zero or an unsubscription, which are refunds; other corrections, Adjustment and Credit are
// adjustments; Tax stands apart.
func KindOf(category string, correction, unsubscribed bool, billed money.Exact) Kind {
	switch {
	case category == "Tax":
		return KindTax
	case unsubscribed, correction && billed.Sign() < 0:
		return KindRefund
	case category == "Usage" || category == "Purchase":
		if correction {
			return KindAdjustment
		}
		return KindConsumption
	}
	return KindAdjustment
}
