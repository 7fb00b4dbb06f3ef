// Package contract is 合同商务: contracts of a partner with its vendor, applied for online or signed on paper.
//
// It owns contracts, their payment plans and their review; it does not own money, which it moves through the ledger, nor
// the scan (paper). Invariants: what is under review or was agreed is never changed; the amount is the sum of the plan; an item
// of the plan is paid once, whole, while the contract is in force; contracts on paper come from the vendor alone.
//
// Spec: sales.md §2.5; docs/funds.md
package contract

import (
	"strings"
	"time"
	"unicode/utf8"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/money"
)

// Kind is 合同类型.
type Kind string

// The kinds: 线上合同, 线下合同.
const (
	KindOnline  Kind = "online"
	KindOffline Kind = "offline"
)

// Kinds in the order of the tabs.
var Kinds = []Kind{KindOnline, KindOffline}

// Label is the key of the kind's name.
func (k Kind) Label() string { return "contracts.kind." + string(k) }

// The bounds of what is typed: BackMonths is how far back 承诺付款时间 may lie.
const (
	MaxTitle   = 100
	MaxPaperNo = 60
	MaxRemark  = 500
	MaxPlan    = 24
	MaxMonths  = 60
	BackMonths = 12
)

// ReviewDays are the working days a review takes.
const ReviewDays = 3

// Contract is one. Days are those of GMT+8, both included: "2026-11-05". PaperNo is the number a paper carries.
type Contract struct {
	ID, VendorID, PartnerID string
	EntityID                string
	Number, PaperNo         string
	Kind                    Kind
	Title                   string
	Currency                string
	Amount                  money.Amount
	Begins, Ends            string
	Remark                  string
	State                   State
	Version                 int64
	CreatedBy               string
	CreatedAt               time.Time
	SubmittedAt             time.Time
	DecidedBy               string
	DecidedAt               time.Time
	Reason                  string
	EndedAt                 time.Time // when it was terminated
	ChangedAt               time.Time
	Plan                    []Item // where it was asked for
}

// Item is one of 付款计划: what is to be paid when, and what was.
type Item struct {
	No         int64
	PromisedOn string
	Amount     money.Amount
	PaidAt     time.Time
	PaidBy     string
}

// PlanText writes a plan as Input.Plan has it.
func PlanText(plan []Item) string {
	var b strings.Builder
	for i := range plan {
		amount := plan[i].Amount.Fixed8()
		b.WriteString(plan[i].PromisedOn + " " + amount[:len(amount)-6] + "\n") // amounts of a plan have two decimals
	}
	return b.String()
}

// Paid sums what was paid of a plan.
func Paid(plan []Item) (sum money.Amount) {
	for i := range plan {
		if !plan[i].PaidAt.IsZero() {
			sum += plan[i].Amount
		}
	}
	return sum
}

// BeginsAt is the instant of 生效时间.
func (c *Contract) BeginsAt() time.Time { return cycle.DayAt(c.Begins, 0) }

// EndsAt is the first instant at which it is in force no more.
func (c *Contract) EndsAt() time.Time {
	if !c.EndedAt.IsZero() {
		return c.EndedAt
	}
	return cycle.DayAt(c.Ends, 1)
}

// Input is what is said about a contract. Plan has a line for each payment, "2026-11-30 50000.00". PartnerID and PaperNo
// are for those on paper.
type Input struct {
	VendorID, PartnerID string
	PaperNo, Title      string
	Currency            string
	Begins, Ends        string
	Plan, Remark        string
}

// parse judges an input on a day and gives its plan. Faults: contract.title_missing, .paper_no_missing, .remark_long,
// .currency_unknown, .day_malformed, .ends_first, .too_long, .over; those of readPlan.
func (in *Input) parse(kind Kind, now time.Time) ([]Item, error) {
	for _, s := range []*string{&in.Title, &in.PaperNo, &in.Remark, &in.Begins, &in.Ends, &in.Currency} {
		*s = strings.TrimSpace(*s)
	}
	switch {
	case in.Title == "" || utf8.RuneCountInString(in.Title) > MaxTitle:
		return nil, fault.Invalid("contract.title_missing", fault.Args{"limit": MaxTitle})
	case kind == KindOffline && in.PaperNo == "" || utf8.RuneCountInString(in.PaperNo) > MaxPaperNo:
		return nil, fault.Invalid("contract.paper_no_missing", fault.Args{"limit": MaxPaperNo})
	case utf8.RuneCountInString(in.Remark) > MaxRemark:
		return nil, fault.Invalid("contract.remark_long", fault.Args{"limit": MaxRemark})
	case !money.KnownCurrency(in.Currency):
		return nil, fault.Invalid("contract.currency_unknown", nil)
	case cycle.DayAt(in.Begins, 0).IsZero() || cycle.DayAt(in.Ends, 0).IsZero():
		return nil, fault.Invalid("contract.day_malformed", nil)
	case in.Ends < in.Begins:
		return nil, fault.Invalid("contract.ends_first", nil)
	case in.Ends >= cycle.DayAt(in.Begins, 0).AddDate(0, MaxMonths, 0).Format(time.DateOnly):
		return nil, fault.Invalid("contract.too_long", fault.Args{"months": MaxMonths})
	case in.Ends < cycle.Day(now):
		return nil, fault.Invalid("contract.over", nil)
	}
	return in.readPlan(now)
}

// readPlan reads the lines of a plan, in the order of their days. Faults: contract.plan_missing, .plan_malformed, .plan_early,
// .plan_late.
func (in *Input) readPlan(now time.Time) ([]Item, error) {
	var plan []Item
	first := cycle.DayAt(cycle.Day(now), 0).AddDate(0, -BackMonths, 0).Format(time.DateOnly)
	for n, line := range strings.Split(strings.TrimSpace(in.Plan), "\n") {
		words := strings.Fields(strings.NewReplacer("，", " ", "\t", " ", "　", " ", ";", " ").Replace(line))
		if len(words) == 0 {
			continue
		}
		args := fault.Args{"line": n + 1}
		if len(words) != 2 || cycle.DayAt(words[0], 0).IsZero() {
			return nil, fault.Invalid("contract.plan_malformed", args)
		}
		x, err := money.ParseExact(strings.ReplaceAll(words[1], ",", ""))
		if err != nil {
			return nil, fault.Invalid("contract.plan_malformed", args)
		}
		amount, err := x.Amount()
		switch {
		case err != nil || amount <= 0 || !amount.IsCents() || !amount.Exact().Equal(x):
			return nil, fault.Invalid("contract.plan_malformed", args)
		case words[0] < first:
			return nil, fault.Invalid("contract.plan_early", fault.Args{"line": n + 1, "months": BackMonths})
		case words[0] > in.Ends:
			return nil, fault.Invalid("contract.plan_late", args)
		}
		plan = append(plan, Item{PromisedOn: words[0], Amount: amount})
	}
	if len(plan) == 0 || len(plan) > MaxPlan {
		return nil, fault.Invalid("contract.plan_missing", fault.Args{"limit": MaxPlan})
	}
	sortPlan(plan)
	return plan, nil
}
