// Package statement is the customer statement (客户对账单): what a partner asks of its own customer for an issued
// cycle, and why.
//
// It owns the partner's rules of mark-up and discount, its letter head, the computation from the partner bill, the
// life of a statement and its numbering. It does not own the bill (bill), the layout of files (billdoc,
// statementexport) or storage.
//
// Invariants: a statement is made of one issued bill and holds each of the customer's items once, tax apart; an
// amount is base × factor, rounded once; lines + tax + rounding = total; once issued nothing of it changes, a
// correction is a further statement that names it; what the partner pays and the rule it used stand in Costing
// alone, which no reader but the partner is given.
//
// Spec: docs/statement.md
package statement

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"huoban/internal/bill"
	"huoban/internal/cycle"
	"huoban/internal/money"
	"huoban/internal/usage"
)

// Statement is one statement. Subtotal + Tax + Rounding = Total. Cost and Source are zero for everybody but
// the partner.
type Statement struct {
	ID             string
	PartnerID      string
	Partner        bill.Party
	Customer       bill.Party
	BillID         string
	Cycle          cycle.Cycle
	Currency       string
	State          State
	Version        int64
	Serial         int64 // counts the partner's statements of the cycle; 0 until issued
	Number         string
	ReplacesID     string
	ReplacesNumber string
	LineCount      int64 // lines of consumption it is made of
	Subtotal       money.Amount
	TaxRate        money.Exact
	Tax            money.Amount
	Rounding       money.Amount
	Total          money.Amount
	RuleSeq        int64 // state of the partner's rules
	HeadVersion    int64
	Code           string
	CreatedBy      string
	CreatedAt      time.Time
	IssuedAt       time.Time
	SentAt         time.Time
	Cost           money.Amount
	Source         money.Exact // Σ billed
	Lines          []Line
}

// Margin is what is left to the partner before tax and rounding.
func (s *Statement) Margin() money.Amount { return s.Subtotal - s.Cost }

// Live tells whether the statement is what the customer is asked for.
func (s *Statement) Live() bool { return s.State == StateIssued || s.State == StateSent }

// Line is one line of a statement: consumption of equal dimensions under one rule.
type Line struct {
	No        int
	Origin    bill.Origin
	Provider  string
	Product   string
	Region    string
	Mode      usage.ChargingMode
	Kind      usage.Kind
	Corrects  cycle.Cycle // of an adjustment
	LineCount int64
	Amount    money.Amount
	Costing   *Costing // nil for everybody but the partner
}

// Costing is the partner's side of a line: the items of its bill, what they cost, and the rule.
type Costing struct {
	Items       []int
	Source      money.Exact // Σ billed
	Cost        money.Amount
	RuleNumber  int64 // 0: no rule, billed × 1
	RuleVersion int64
	Base        Base
	Factor      money.Exact
	Exact       money.Exact // base × factor
}

// BaseAmount is what the factor was put on.
func (c *Costing) BaseAmount() money.Exact {
	if c.Base == BaseCost {
		return c.Cost.Exact()
	}
	return c.Source
}

// Filter narrows a list of statements; an empty field is any.
type Filter struct {
	Cycle      cycle.Cycle
	CustomerID string
	BillID     string
	Currency   string
	State      State
	Live       bool
}

// Digits of a serial in a number.
const serialDigits = 4

func numberOf(c cycle.Cycle, serial int64) string {
	digits := make([]byte, 0, 8)
	for n := serial; n > 0 || len(digits) < serialDigits; n /= 10 {
		digits = append(digits, byte('0'+n%10))
	}
	for i, j := 0, len(digits)-1; i < j; i, j = i+1, j-1 {
		digits[i], digits[j] = digits[j], digits[i]
	}
	return "ST" + strings.ReplaceAll(string(c), "-", "") + "-" + string(digits)
}

// seal totals the lines, adds tax and cuts to the currency's minor unit, as bills are. A total below zero is kept:
// it is the customer's credit. Fault: money.out_of_range.
func (s *Statement) seal() error {
	var err error
	var source money.Sum
	s.Subtotal, s.Cost, s.LineCount = 0, 0, 0
	for i := range s.Lines {
		l := &s.Lines[i]
		l.No = i + 1
		s.LineCount += l.LineCount
		if s.Subtotal, err = s.Subtotal.Add(l.Amount); err != nil {
			return err
		}
		if s.Cost, err = s.Cost.Add(l.Costing.Cost); err != nil {
			return err
		}
		source.Add(l.Costing.Source)
	}
	s.Source = source.Exact()
	if s.Tax, err = s.Subtotal.Exact().Mul(s.TaxRate).Amount(); err != nil {
		return err
	}
	sum, err := s.Subtotal.Add(s.Tax)
	if err != nil {
		return err
	}
	_, s.Rounding, _ = bill.PayableTotal(sum, s.Currency)
	s.Total = sum + s.Rounding
	s.Code = s.code()
	return nil
}

// code is the short code (校验码): of what the customer reads, and of nothing the partner keeps to itself.
func (s *Statement) code() string {
	type row struct {
		Origin, Provider, Product, Region, Mode, Kind, Corrects string
		Count                                                   int64
		Amount                                                  string
	}
	rows := make([]row, len(s.Lines))
	for i := range s.Lines {
		l := &s.Lines[i]
		rows[i] = row{string(l.Origin), l.Provider, l.Product, l.Region, string(l.Mode), string(l.Kind), string(l.Corrects), l.LineCount, l.Amount.String()}
	}
	body, err := json.Marshal([]any{s.Partner.Code, s.Customer.Code, s.Cycle, s.Currency, s.TaxRate.String(), s.Tax.String(), s.Rounding.String(), s.Total.String(), rows})
	if err != nil {
		panic("statement: code of plain fields: " + err.Error())
	}
	sum := sha256.Sum256(body)
	text := strings.ToUpper(hex.EncodeToString(sum[:4]))
	return text[:4] + "-" + text[4:]
}
