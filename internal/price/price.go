// Package price is the settlement price (结算价): what a buyer owes for a charge.
//
// It owns price rules, the book of a vendor and the choice of one rule for one charge. It does not
// own amounts of bills (bill) nor customers and partners (they are named by id and code).
//
// Invariants: a version of a rule never changes; (vendor, seq) names one state of the book for ever;
// at most one rule is chosen and the choice does not depend on the order rules are kept in; a tie is
// refused when a rule is saved, never decided when a bill is made. See docs/price.md.
package price

import (
	"strings"
	"time"

	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/usage"
)

// Type is the kind of price (价格类型); a higher type wins over every lower one.
type Type string

// The price types: 普通, 促销, 无折扣, 特价.
const (
	TypeNormal     Type = "normal"
	TypePromotion  Type = "promotion"
	TypeNoDiscount Type = "no_discount"
	TypeSpecial    Type = "special"
)

var typeRank = map[Type]int{TypeNormal: 1, TypePromotion: 2, TypeNoDiscount: 3, TypeSpecial: 4}

// Base is the column of a line the factor applies to.
type Base string

// The base columns: 官网价, 合同价, 账单金额.
const (
	BaseList       Base = "list"
	BaseContracted Base = "contracted"
	BaseBilled     Base = "billed"
)

// State tells whether a version counts.
type State string

// A draft version counts in simulations only.
const (
	StateDraft  State = "draft"
	StateActive State = "active"
)

// Date is a day "2026-10-31"; "" is unbounded. Text order is time order.
type Date string

// DateOf is the local day of an instant in a zone.
func DateOf(t time.Time, zone *time.Location) Date { return Date(t.In(zone).Format("2006-01-02")) }

// ParseDate reads a day, or a month as its first day; empty is unbounded. Fault: price.date_malformed.
func ParseDate(text string) (Date, error) {
	if text == "" {
		return "", nil
	}
	full := text
	if len(text) == len("2006-01") {
		full += "-01"
	}
	if t, err := time.Parse("2006-01-02", full); err != nil || t.Year() < 1900 {
		return "", fault.Invalid("price.date_malformed", fault.Args{"Value": clip(text)})
	}
	return Date(full), nil
}

// Dims are what a rule names; an empty field is any. Provider, product and region are compared
// without regard to case; product is a line's service or its SKU.
type Dims struct {
	PartnerID, CustomerID     string
	Provider, Product, Region string
	Mode                      usage.ChargingMode
}

// Count is the number of named dimensions.
func (d Dims) Count() int {
	n := 0
	for _, v := range d.values() {
		if v != "" {
			n++
		}
	}
	return n
}

func (d Dims) values() [6]string {
	return [6]string{d.PartnerID, d.CustomerID, fold(d.Provider), fold(d.Product), fold(string(d.Mode)), fold(d.Region)}
}

func fold(s string) string { return strings.ToLower(s) }

// Rule is one immutable version of a price rule.
type Rule struct {
	ID, VendorID    string
	Number, Version int64
	State           State
	Seq, EndedSeq   int64 // counts for book states Seq <= s < EndedSeq; EndedSeq 0 is still in force
	Dims
	ForReseller bool // the named partner is a 云经销商
	Type        Type
	Base        Base
	Factor      money.Exact
	ValidFrom   Date // half open [ValidFrom, ValidTo) by the local day of the charge start
	ValidTo     Date
	CreatedBy   string
	CreatedAt   time.Time
}

// InForce tells whether the version belongs to state seq of the book.
func (r *Rule) InForce(seq int64) bool {
	return r.State == StateActive && r.Seq <= seq && (r.EndedSeq == 0 || r.EndedSeq > seq)
}

func (r *Rule) holds(day Date) bool {
	return r.ValidFrom <= day && (r.ValidTo == "" || day < r.ValidTo)
}

func (r *Rule) overlaps(o *Rule) bool {
	return (r.ValidTo == "" || o.ValidFrom < r.ValidTo) && (o.ValidTo == "" || r.ValidFrom < o.ValidTo)
}

// identity is what a new version of a rule shares with the version before.
func (r *Rule) identity() string {
	v := r.Dims.values()
	return strings.Join(v[:], "\x00") + "\x00" + string(r.Type) + "\x00" + string(r.ValidFrom)
}

func clip(s string) string {
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}
