package adjustment

import (
	"time"

	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/scope"
)

// Action is a decision on an entry by staff.
type Action string

// The actions: 通过, 驳回.
const (
	ActionApprove Action = "approve"
	ActionReject  Action = "reject"
)

// Facts is what the guards judge.
type Facts struct {
	CreatedBy string
	One       bool // the amount is within the vendor's limit: whoever made the entry may decide it
}

var secondPerson = flow.Guard[Facts]{
	Name: "second_person", Code: "adjustment.same_person", Kind: fault.KindDenied,
	Holds: func(f Facts, who scope.Scope, _ time.Time) bool { return f.One || who.Login() != f.CreatedBy },
	Args:  func(f Facts, _ time.Time) fault.Args { return fault.Args{"Login": f.CreatedBy} },
}

// Flow is the machine of an adjustment. What the program computes from lines begins approved.
var Flow = &flow.Table[State, Action, Facts]{
	Machine: "adjustment",
	Path:    "/adjustments/{id}",
	Start:   []State{StateProposed, StateApproved},
	Final:   []State{StateApproved, StateRejected},
	Within:  map[State]int{StateProposed: 2},
	Rows: []flow.Row[State, Action, Facts]{
		{From: []State{StateProposed}, Do: ActionApprove, To: StateApproved, Who: []scope.Item{scope.ItemAdjustmentApprove},
			When: []flow.Guard[Facts]{secondPerson}, Ask: flow.AskConfirm, Noun: "approval", Op: "approveAdjustment", Spec: "docs/month-close.md"},
		{From: []State{StateProposed}, Do: ActionReject, To: StateRejected, Who: []scope.Item{scope.ItemAdjustmentApprove},
			When: []flow.Guard[Facts]{secondPerson}, Ask: flow.AskReason, Noun: "rejection", Op: "rejectAdjustment", Spec: "docs/month-close.md"},
	},
}
