package payment

import (
	"time"

	"huoban/internal/flow"
	"huoban/internal/money"
	"huoban/internal/scope"
)

// Action is what moves the payment of a bill.
type Action string

// The actions: 到期未足额扣款, 部分还款, 还清.
const (
	ActionFallDue Action = "fall_due"
	ActionPayPart Action = "pay_part"
	ActionPay     Action = "pay"
)

// Facts is what the guards judge.
type Facts struct {
	DueAt     time.Time
	Remaining money.Amount
	Amount    money.Amount // what is paid now
}

var (
	isDue = flow.Guard[Facts]{Name: "is_due", Code: "payment.not_due",
		Holds: func(f Facts, _ scope.Scope, now time.Time) bool { return !now.Before(f.DueAt) }}
	notMore = flow.Guard[Facts]{Name: "not_more", Code: "payment.more_than_due",
		Holds: func(f Facts, _ scope.Scope, _ time.Time) bool { return f.Amount > 0 && f.Amount <= f.Remaining }}
	whole = flow.Guard[Facts]{Name: "whole", Code: "payment.not_whole",
		Holds: func(f Facts, _ scope.Scope, _ time.Time) bool { return f.Amount == f.Remaining }}
)

// Who may pay is judged before: the machine is moved by the program, in the name of whoever pays.
var bySystem = []scope.Item{flow.System}

// Flow is the machine of a bill's payment.
var Flow = &flow.Table[State, Action, Facts]{
	Machine: "bill_payment",
	Start:   []State{StateIssued},
	Final:   []State{StatePaid},
	Rows: []flow.Row[State, Action, Facts]{
		{From: []State{StateIssued}, Do: ActionFallDue, To: StateUnpaid, Who: bySystem, When: []flow.Guard[Facts]{isDue}, Ask: flow.AskNone, Spec: "docs/funds.md"},
		{From: []State{StateIssued, StateUnpaid, StatePartly}, Do: ActionPayPart, To: StatePartly, Who: bySystem, When: []flow.Guard[Facts]{notMore},
			Then: []string{"post_entry"}, Ask: flow.AskNone, Spec: "docs/funds.md"},
		{From: []State{StateIssued, StateUnpaid, StatePartly}, Do: ActionPay, To: StatePaid, Who: bySystem, When: []flow.Guard[Facts]{notMore, whole},
			Then: []string{"post_entry"}, Ask: flow.AskNone, Spec: "docs/funds.md"},
	},
}
