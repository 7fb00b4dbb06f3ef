package creditline

import (
	"time"

	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/foureyes"
	"huoban/internal/scope"
)

// State is where a change stands.
type State string

// The states: 待复核, 已生效, 已驳回, 已撤回.
const (
	StateProposed  State = "proposed"
	StateApproved  State = "approved"
	StateRefused   State = "refused"
	StateWithdrawn State = "withdrawn"
)

// Action is what may be done with a change that waits.
type Action string

// The actions: 通过, 驳回, 撤回.
const (
	ActionApprove  Action = "approve"
	ActionRefuse   Action = "refuse"
	ActionWithdraw Action = "withdraw"
)

// Facts is what the guards judge.
type Facts struct {
	VendorID string
	foureyes.Case
}

var (
	vendorsOwn = flow.Guard[Facts]{Name: "vendors_own", Code: "creditline.not_own", Kind: fault.KindDenied,
		Holds: func(f Facts, who scope.Scope, _ time.Time) bool { return who.OrgID() == f.VendorID }}
	proposersOwn = flow.Guard[Facts]{Name: "proposers_own", Code: "creditline.not_proposer", Kind: fault.KindDenied,
		Holds: func(f Facts, who scope.Scope, _ time.Time) bool { return who.Login() == f.First }}
	second   = foureyes.Second(func(f Facts) foureyes.Case { return f.Case })
	deciders = []scope.Item{scope.ItemCreditChange}
)

const spec = "docs/funds.md#credit-lines"

// Flow is the machine of a change. One that a single person may make begins approved.
var Flow = &flow.Table[State, Action, Facts]{
	Machine: "credit_change",
	Path:    "/ledger/credit-lines/{id}",
	Start:   []State{StateProposed, StateApproved},
	Final:   []State{StateApproved, StateRefused, StateWithdrawn},
	Within:  map[State]int{StateProposed: 1},
	Rows: []flow.Row[State, Action, Facts]{
		{From: []State{StateProposed}, Do: ActionApprove, To: StateApproved, Who: deciders, When: []flow.Guard[Facts]{vendorsOwn, second}, Then: []string{"set_line"},
			Ask: flow.AskConfirm, Noun: "approval", Op: "approveCreditLine", Spec: spec},
		{From: []State{StateProposed}, Do: ActionRefuse, To: StateRefused, Who: deciders, When: []flow.Guard[Facts]{vendorsOwn, second},
			Ask: flow.AskReason, Noun: "refusal", Op: "refuseCreditLine", Spec: spec},
		{From: []State{StateProposed}, Do: ActionWithdraw, To: StateWithdrawn, Who: deciders, When: []flow.Guard[Facts]{vendorsOwn, proposersOwn},
			Ask: flow.AskConfirm, Noun: "withdrawal", Op: "withdrawCreditLine", Spec: spec},
	},
}
