package delivery

import (
	"time"

	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/scope"
)

// State is where a delivery stands.
type State string

// The states: 接收中, 已发布, 已被替换, 已撤销.
const (
	StateReceiving  State = "receiving"
	StatePublished  State = "published"
	StateSuperseded State = "superseded"
	StateReverted   State = "reverted"
)

// Action is what is done to a delivery.
type Action string

// The actions.
const (
	ActionPublish   Action = "publish"
	ActionSupersede Action = "supersede"
	ActionRestore   Action = "restore"
	ActionRevert    Action = "revert"
)

// Facts are what the guards judge.
type Facts struct {
	NotOpen   string // a cycle of the delivery that is not open, with its state; empty if all are
	Replaced  bool   // one of its cycles was replaced by a newer delivery
	LateLines bool   // it brought lines into an issued cycle
}

var cyclesOpen = flow.Guard[Facts]{
	Name: "cycles_open", Code: "delivery.revert_closed",
	Holds: func(f Facts, _ scope.Scope, _ time.Time) bool { return f.NotOpen == "" && !f.LateLines },
	Args:  func(f Facts, _ time.Time) fault.Args { return fault.Args{"Cycle": f.NotOpen} },
}

var newest = flow.Guard[Facts]{
	Name: "newest", Code: "delivery.revert_replaced",
	Holds: func(f Facts, _ scope.Scope, _ time.Time) bool { return !f.Replaced },
}

// Flow is the machine of a delivery. Before it is published a delivery is visible to nobody and is
// removed, not moved, if it fails.
var Flow = &flow.Table[State, Action, Facts]{
	Machine: "delivery",
	Path:    "/deliveries/{id}",
	Start:   []State{StateReceiving},
	Final:   []State{StateReverted},
	Rows: []flow.Row[State, Action, Facts]{
		{From: []State{StateReceiving}, Do: ActionPublish, To: StatePublished, Who: []scope.Item{flow.System},
			Then: []string{"activate_slots", "supersede_replaced", "correct_issued_cycles"}, Spec: "docs/deliveries.md"},
		{From: []State{StatePublished}, Do: ActionSupersede, To: StateSuperseded, Who: []scope.Item{flow.System},
			Spec: "docs/deliveries.md"},
		{From: []State{StateSuperseded}, Do: ActionRestore, To: StatePublished, Who: []scope.Item{flow.System},
			Spec: "docs/deliveries.md"},
		{From: []State{StatePublished}, Do: ActionRevert, To: StateReverted, Who: []scope.Item{scope.ItemDeliveryRevert},
			When: []flow.Guard[Facts]{cyclesOpen, newest}, Then: []string{"restore_predecessors"},
			Ask: flow.AskReason, Noun: "reversal", Op: "revertDelivery", Spec: "docs/deliveries.md"},
	},
}
