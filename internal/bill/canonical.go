package bill

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"huoban/internal/coupon"
)

// canonicalBill is the canonical document: codes instead of keys, no clock, money as text, fields in
// fixed order. What is not in it does not change the code.
type canonicalBill struct {
	Vendor       string          `json:"vendor"`
	Partner      string          `json:"partner"`
	Seller       string          `json:"seller"`
	Entity       string          `json:"entity"`
	Cycle        string          `json:"cycle"`
	Currency     string          `json:"currency"`
	State        string          `json:"state,omitempty"`
	Code         string          `json:"code,omitempty"`
	LineCount    int64           `json:"line_count"`
	Consumption  string          `json:"consumption"`
	Refund       string          `json:"refund"`
	Adjustment   string          `json:"adjustment"`
	Coupon       string          `json:"coupon"`
	Rounding     string          `json:"rounding"`
	Tax          string          `json:"tax"`
	TaxInDue     bool            `json:"tax_in_due"`
	AmountDue    string          `json:"amount_due"`
	SourceTotal  string          `json:"source_total"`
	ExactTotal   string          `json:"exact_total"`
	TaxExact     string          `json:"tax_exact"`
	Residue      string          `json:"residue"`
	OverrideNote string          `json:"override_note"`
	Items        []canonicalItem `json:"items"`
}

type canonicalItem struct {
	Customer     string            `json:"customer"`
	Origin       string            `json:"origin"`
	Kind         string            `json:"kind"`
	Provider     string            `json:"provider"`
	Product      string            `json:"product"`
	Region       string            `json:"region"`
	ChargingMode string            `json:"charging_mode"`
	Rule         string            `json:"rule"`
	RuleType     string            `json:"rule_type"`
	Base         string            `json:"base"`
	Factor       string            `json:"factor"`
	LineCount    int64             `json:"line_count"`
	SourceExact  string            `json:"source_exact"`
	BaseExact    string            `json:"base_exact"`
	Exact        string            `json:"exact"`
	Amount       string            `json:"amount"`
	Adjusts      *canonicalAdjusts `json:"adjusts,omitempty"`
	Coupon       string            `json:"coupon,omitempty"`
}

type canonicalAdjusts struct {
	Kind   string `json:"kind"`
	Cycle  string `json:"cycle"`
	Source string `json:"source"`
	Key    string `json:"key"`
	Side   string `json:"side"`
	Reason string `json:"reason"`
}

// RuleName is how a price rule is written: "3.2" is version 2 of rule 3, "" is no rule.
func RuleName(number, version int64) string {
	if number == 0 {
		return ""
	}
	return fmt.Sprintf("%d.%d", number, version)
}

// Canonical is the canonical document as JSON: the same bytes for the same bill, whatever engine,
// run or machine.
func (d *Document) Canonical() []byte { return d.canonical(true) }

// ComputeCode is the 校验码 of the content: four and four digits of its SHA-256. The state is not part
// of it, so that a draft keeps its code when it is issued unchanged.
func (d *Document) ComputeCode() string {
	sum := sha256.Sum256(d.canonical(false))
	h := strings.ToUpper(hex.EncodeToString(sum[:4]))
	return h[:4] + "-" + h[4:]
}

func (d *Document) canonical(withState bool) []byte {
	c := canonicalBill{Vendor: d.Vendor.Code, Partner: d.Partner.Code, Seller: d.Seller.Code, Entity: d.Entity.Code,
		Cycle: string(d.Cycle), Currency: d.Currency, LineCount: d.LineCount, Consumption: d.Consumption.String(),
		Refund: d.Refund.String(), Adjustment: d.Adjustment.String(), Coupon: d.Coupon.String(), Rounding: d.Rounding.String(),
		Tax: d.Tax.String(), TaxInDue: d.TaxInDue, AmountDue: d.Due.String(), SourceTotal: d.SourceTotal.String(),
		ExactTotal: d.ExactTotal.String(), TaxExact: d.TaxExact.String(), Residue: d.Residue().String(),
		OverrideNote: d.OverrideNote, Items: make([]canonicalItem, len(d.Items))}
	if withState {
		c.State, c.Code = string(d.State), d.Code
	}
	for i := range d.Items {
		c.Items[i] = d.Items[i].canonical()
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(c); err != nil {
		panic("bill: canonical document of plain fields: " + err.Error())
	}
	return b.Bytes()
}

func (it *Item) canonical() canonicalItem {
	c := canonicalItem{Customer: it.Customer.Code, Origin: string(it.Origin), Kind: string(it.Kind), Provider: it.Provider,
		Product: it.Product, Region: it.Region, ChargingMode: string(it.Mode), Rule: RuleName(it.RuleNumber, it.RuleVersion),
		RuleType: string(it.RuleType), Base: string(it.Base), Factor: it.Factor.String(), LineCount: it.LineCount,
		SourceExact: it.SourceExact.String(), BaseExact: it.BaseExact.String(), Exact: it.Exact.String(),
		Amount: it.Amount.String()}
	if it.Coupon != nil {
		c.Coupon = coupon.Name(it.Coupon.Number)
	}
	if a := it.Adjusts; a != nil {
		c.Adjusts = &canonicalAdjusts{a.Kind, string(a.CorrectsCycle), a.Source, a.Key, a.Side, a.Reason}
	}
	return c
}
