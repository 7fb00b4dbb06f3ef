package bill

import (
	"huoban/internal/cycle"
	"huoban/internal/money"
	"huoban/internal/price"
	"huoban/internal/usage"
)

// Config is everything besides lines that a bill depends on.
type Config struct {
	VendorID string
	Cycle    cycle.Cycle
	Book     *price.Book
	Parties  Parties
	Slots    []Slot
}

// Result is what a run over the lines of a vendor's cycle gives.
type Result struct {
	Documents []Document // in canonical order, state estimate
	Unmapped  []LooseSum // lines without customer: no bill holds them, the close refuses
	Unspread  []LooseSum // lines that wait to be spread and have no shares
	Alone     []LooseSum // lines of customers without partner at the charge time
	Referral  []LooseSum // lines of 顾问销售 customers: in 客户消费, on no bill
	Fallbacks []Fallback // lines whose rule names a column they lack
	Book      int64      // price seq
}

// LooseSum is lines on no bill, by customer and currency.
type LooseSum struct {
	CustomerID string
	Currency   string
	LineCount  int64
	Billed     money.Exact
}

// Fallback counts lines priced on billed because the base column of their rule is absent.
type Fallback struct {
	RuleID     string
	RuleNumber int64
	Base       price.Base // the absent one
	LineCount  int64
	Billed     money.Exact
}

var _ = usage.KindTax
