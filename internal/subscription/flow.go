package subscription

import (
	"time"

	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/scope"
)

// State is where a subscription stands.
type State string

// The states: 启用, 停用, 已删除.
const (
	StateOn    State = "on"
	StateOff   State = "off"
	StateEnded State = "ended"
)

// Action is what may be done to a subscription.
type Action string

// The actions: 停用, 启用, 删除.
const (
	ActionPause  Action = "pause"
	ActionResume Action = "resume"
	ActionEnd    Action = "end"
)

// Facts are what the guards judge.
type Facts struct {
	OrgID string
}

// wholeSide: files hold all customers of the partner, so whoever sees some of them alone has no say.
var wholeSide = flow.Guard[Facts]{Name: "whole_side", Code: "subscription.whole_side", Kind: fault.KindDenied,
	Holds: func(f Facts, who scope.Scope, _ time.Time) bool {
		return who.Side() == scope.SideSystem || who.Is(scope.SidePartner, f.OrgID) && !who.IsLimited()
	}}

var (
	changers = []scope.Item{scope.ItemSubscriptionChange}
	system   = []scope.Item{flow.System}
	ours     = []flow.Guard[Facts]{wholeSide}
)

// Flow is the machine of a subscription.
var Flow = &flow.Table[State, Action, Facts]{
	Machine: "subscription",
	Path:    "/subscriptions/{id}",
	Start:   []State{StateOn},
	Final:   []State{StateEnded},
	Rows: []flow.Row[State, Action, Facts]{
		{From: []State{StateOn}, Do: ActionPause, To: StateOff, Who: changers, When: ours, Ask: flow.AskConfirm, Noun: "pause", Op: "pauseSubscription", Spec: "sales.md §2.9"},
		{From: []State{StateOff}, Do: ActionResume, To: StateOn, Who: changers, When: ours, Then: []string{"send_waiting"}, Ask: flow.AskNone, Noun: "resumption", Op: "resumeSubscription", Spec: "sales.md §2.9"},
		{From: []State{StateOn, StateOff}, Do: ActionEnd, To: StateEnded, Who: changers, When: ours, Then: []string{"forget_secret"}, Ask: flow.AskConfirm, Noun: "ending", Op: "endSubscription", Spec: "sales.md §2.9"},
	},
}

// DispatchState is where a file on its way stands.
type DispatchState string

// The states: 投递中, 已送达, 投递失败, 文件已过期.
const (
	DispatchWaiting   DispatchState = "waiting"
	DispatchDelivered DispatchState = "delivered"
	DispatchFailed    DispatchState = "failed"
	DispatchExpired   DispatchState = "expired"
)

// DispatchAction is what may happen to it.
type DispatchAction string

// The actions. Resend (重新投递) carries the same bytes under the same number.
const (
	ActionDeliver DispatchAction = "deliver"
	ActionGiveUp  DispatchAction = "give_up"
	ActionResend  DispatchAction = "resend"
	ActionExpire  DispatchAction = "expire"
)

// DispatchFacts judge it.
type DispatchFacts struct {
	Facts
	Subscription State
}

var (
	wholeSideToo = flow.Guard[DispatchFacts]{Name: wholeSide.Name, Code: wholeSide.Code, Kind: wholeSide.Kind,
		Holds: func(f DispatchFacts, who scope.Scope, now time.Time) bool { return wholeSide.Holds(f.Facts, who, now) }}
	switchedOn = flow.Guard[DispatchFacts]{Name: "switched_on", Code: "subscription.is_off",
		Holds: func(f DispatchFacts, _ scope.Scope, _ time.Time) bool { return f.Subscription == StateOn }}
)

// DispatchFlow is the machine of a file on its way.
var DispatchFlow = &flow.Table[DispatchState, DispatchAction, DispatchFacts]{
	Machine: "dispatch",
	Path:    "/subscriptions/{subscription}/dispatches/{id}",
	Start:   []DispatchState{DispatchWaiting},
	Final:   []DispatchState{DispatchExpired},
	Rows: []flow.Row[DispatchState, DispatchAction, DispatchFacts]{
		{From: []DispatchState{DispatchWaiting}, Do: ActionDeliver, To: DispatchDelivered, Who: system, Spec: "docs/subscription.md"},
		{From: []DispatchState{DispatchWaiting}, Do: ActionGiveUp, To: DispatchFailed, Who: system, Then: []string{"tell_partner"}, Spec: "docs/subscription.md"},
		{From: []DispatchState{DispatchDelivered, DispatchFailed}, Do: ActionResend, To: DispatchWaiting, Who: changers, When: []flow.Guard[DispatchFacts]{wholeSideToo, switchedOn},
			Then: []string{"enqueue"}, Ask: flow.AskConfirm, Noun: "resending", Op: "resendDispatch", Spec: "docs/subscription.md"},
		{From: []DispatchState{DispatchDelivered, DispatchFailed}, Do: ActionExpire, To: DispatchExpired, Who: system, Then: []string{"drop_file"}, Due: &flow.Due{Days: KeepDays}, Spec: "docs/subscription.md"},
	},
}
