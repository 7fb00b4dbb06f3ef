// Package expenditure is 客户消费: what every customer in scope consumed, resale and referral alike.
//
// It owns who sees which customer's charges during which time, the summary and the list of lines. It
// does not own bills, prices or storage, and never shows what a partner pays.
//
// Invariants: a charge is seen by the partner the customer belonged to at the charge's time, by a
// manager only while the customer was assigned, and by nobody else; amounts are exact as delivered,
// so that rows sum to their totals without rounding; tax stands apart.
package expenditure

import (
	"strings"
	"time"

	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/usage"
)

// Months is how far one can look back.
const Months = 18

// Party is an organisation as pages name it.
type Party struct{ ID, Code, Name string }

// Person is a 客户经理.
type Person struct{ ID, Login, Name string }

// Called is the name of somebody, or the login of one who gave none.
func (p Person) Called() string {
	if p.Name == "" {
		return p.Login
	}
	return p.Name
}

// Number tells people apart whose names are masked; it is the end of their key.
func (p Person) Number() string {
	id := strings.ReplaceAll(p.ID, "-", "")
	return strings.ToUpper(id[max(0, len(id)-8):])
}

// Is tells whether a filter means this person, by key or login.
func (p Person) Is(named string) bool { return p.ID != "" && (p.ID == named || p.Login == named) }

// Nobody is the manager a filter names to get what nobody looked after.
const Nobody = "none"

// Filter says what is asked for; an empty field is any. Customer is a code, Manager a key or a login, or Nobody.
type Filter struct {
	Cycle           cycle.Cycle
	Currency        string // "" = the only one, or the first there is
	Customer        string
	Relation        customer.Kind
	Manager         string
	Product, Region string
	Mode            usage.ChargingMode
	Kind            usage.Kind
	NonZero         bool // lines only

	From, Until string `json:",omitempty"` // days of the cycle, both included, in GMT+8 as YYYY-MM-DD
	Resource    string `json:",omitempty"` // its key or its name
	Account     string `json:",omitempty"` // the customer's account at the cloud, or its name
	Order       string `json:",omitempty"` // 订单号 of what was bought
}

// Named tells whether the filter names a resource, an account or an order, which only lines know, so that sums kept by
// product do not do.
func (f *Filter) Named() bool { return f.Resource != "" || f.Account != "" || f.Order != "" }

// days are the bounds of the days asked for; zero where there are none. Fault: expenditure.days_malformed.
func (f *Filter) days() (from, to time.Time, err error) {
	if f.From == "" && f.Until == "" {
		return from, to, nil
	}
	from, to = f.Cycle.Start(cycle.Zone), f.Cycle.End(cycle.Zone)
	begin, end := from, to
	if f.From != "" {
		from, err = cycle.ParseDay(f.From)
	}
	if f.Until != "" && err == nil {
		to, err = cycle.ParseDay(f.Until)
		to = to.AddDate(0, 0, 1)
	}
	if err != nil || from.Before(begin) || to.After(end) || !from.Before(to) {
		return from, to, fault.Invalid("expenditure.days_malformed", fault.Args{"cycle": string(f.Cycle)})
	}
	return from, to, nil
}

// CheckCycle refuses what lies further back than Months or after now. Fault:
// expenditure.cycle_out_of_range.
func CheckCycle(c cycle.Cycle, now time.Time) error {
	current := cycle.Of(now, cycle.Zone)
	if c > current || c < current.Add(-Months) {
		return fault.Invalid("expenditure.cycle_out_of_range", fault.Args{"months": Months})
	}
	return nil
}

// Figures are sums of exact billed amounts, without tax but for Tax. Discount is Σ(list − billed) over
// lines that have a list price, tax apart.
type Figures struct {
	Lines                                          int64
	Consumption, Refund, Adjustment, Tax, Discount money.Exact
	Coupon                                         money.Exact // what vouchers paid of it on issued bills
}

// Amount is what was consumed in all, without tax.
func (f Figures) Amount() money.Exact { return f.Consumption.Add(f.Refund).Add(f.Adjustment) }

func (f *Figures) count(kind usage.Kind, lines int64, billed, discount money.Exact) {
	f.Lines += lines
	switch kind {
	case usage.KindTax:
		f.Tax = f.Tax.Add(billed)
		return
	case usage.KindRefund:
		f.Refund = f.Refund.Add(billed)
	case usage.KindAdjustment:
		f.Adjustment = f.Adjustment.Add(billed)
	default:
		f.Consumption = f.Consumption.Add(billed)
	}
	f.Discount = f.Discount.Add(discount)
}

// Paid is what was paid for it: all of it but what vouchers paid (实付 = 应付 − 券).
func (f Figures) Paid() money.Exact { return f.Amount().Sub(f.Coupon) }

// Merge adds other figures.
func (f *Figures) Merge(o Figures) {
	f.Lines += o.Lines
	f.Consumption, f.Refund, f.Adjustment = f.Consumption.Add(o.Consumption), f.Refund.Add(o.Refund), f.Adjustment.Add(o.Adjustment)
	f.Tax, f.Discount, f.Coupon = f.Tax.Add(o.Tax), f.Discount.Add(o.Discount), f.Coupon.Add(o.Coupon)
}

// Row is one row of the summary.
type Row struct {
	Customer Party
	Relation customer.Kind // "" = the partner's own, or a customer that looks at itself
	Product  string
	Mode     usage.ChargingMode
	Figures
}

// Choices are what the filters offer within the scope.
type Choices struct {
	Customers  []Party
	Managers   []Person
	Currencies []string
	Products   []string
	Regions    []string
	Modes      []usage.ChargingMode
}

// Summary is 消费汇总: rows by customer, product and charging mode.
type Summary struct {
	Currency string // "" = nothing was consumed
	Rows     []Row
	Total    Figures
	Choices  Choices
	Since    time.Time // from when a manager's figures count; zero for everybody else
}

// Totals is what a whole list of lines holds. Lines is -1 where only lines above or below zero are
// listed, whose number is not kept.
type Totals struct {
	Currency    string
	Lines       int64
	Amount, Tax money.Exact
	Choices     Choices
	Since       time.Time // as of Summary
	Version     int64     // of what pages show, when it was so

	code string // "" until they are kept
}

// Line is a charge as a list shows it. Product and Resource are everybody's: they are not to be changed, and of the
// product service, region and charging mode are known, of the resource its id, name and order.
type Line struct {
	ChargeStart time.Time
	Key         usage.Hash
	Occurrence  int64
	Kind        usage.Kind
	Currency    string
	Billed      money.Exact
	List        money.Exact
	Listed      bool // there is a list price
	Product     *usage.Product
	Resource    *usage.Resource
}

// LineRow is a line of the list: a delivered one, or the customer's part of a spread one.
type LineRow struct {
	Line     *Line
	Key      usage.Hash // of the delivered line; for a part, of the whole
	Occur    int64      // which of the equal ones, from 0
	Customer Party
	Relation customer.Kind
	Manager  Person
	Spread   bool
}

// LinePlace is where a page of lines stands: after a cursor, or before it; the first page after none.
type LinePlace struct {
	Cursor string
	Back   bool
}

// LinePage is a page of lines. Next is the cursor the page behind it stands after, Prev the one the page
// before it stands before; empty where there is none.
type LinePage struct {
	Rows []LineRow
	Prev string
	Next string
	Sum  money.Exact // of the rows of this page, tax apart
}
