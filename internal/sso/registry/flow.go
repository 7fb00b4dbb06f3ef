package registry

import (
	"time"

	"huoban/internal/flow"
	"huoban/internal/scope"
	"huoban/internal/sso"
)

// Action is what may happen to a registration.
type Action string

// The actions of a registration.
const (
	ActionPassTest         Action = "pass_test"
	ActionRevise           Action = "revise"
	ActionActivate         Action = "activate"
	ActionActivateUntested Action = "activate_untested"
	ActionDisable          Action = "disable"
	ActionEnable           Action = "enable"
	ActionDelete           Action = "delete"
)

// Facts judge a registration's actions.
type Facts struct {
	HasMetadata bool
	UsableKey   bool // a signing certificate that is in force and strong, or weak under a waiver
	EntityFree  bool // no other active registration has the entity id
	Held        bool // the operator disabled it
}

var (
	hasMetadata = flow.Guard[Facts]{Name: "has_metadata", Code: "sso.reg.no_metadata",
		Holds: func(f Facts, _ scope.Scope, _ time.Time) bool { return f.HasMetadata }}
	usableKey = flow.Guard[Facts]{Name: "usable_key", Code: "sso.md.weak_key",
		Holds: func(f Facts, _ scope.Scope, _ time.Time) bool { return f.UsableKey || !f.HasMetadata }}
	entityFree = flow.Guard[Facts]{Name: "entity_free", Code: "sso.md.entity_taken",
		Holds: func(f Facts, _ scope.Scope, _ time.Time) bool { return f.EntityFree }}
	notHeld = flow.Guard[Facts]{Name: "not_held", Code: "sso.reg.held",
		Holds: func(f Facts, sc scope.Scope, _ time.Time) bool { return !f.Held || sc.Side() == scope.SideSystem }}
	ready = []flow.Guard[Facts]{hasMetadata, usableKey, entityFree}
)

// Flow is the machine of a registration.
var Flow = &flow.Table[sso.State, Action, Facts]{
	Machine: "platform",
	Path:    "/support/capability/access-config/{id}",
	Start:   []sso.State{sso.StateDraft},
	Final:   []sso.State{sso.StateDeleted},
	Rows: []flow.Row[sso.State, Action, Facts]{
		{From: []sso.State{sso.StateDraft}, Do: ActionPassTest, To: sso.StateTested, Who: []scope.Item{flow.System}, Spec: "docs/sso.md"},
		{From: []sso.State{sso.StateTested}, Do: ActionRevise, To: sso.StateDraft, Who: []scope.Item{flow.System}, Spec: "docs/sso.md"},
		{From: []sso.State{sso.StateTested}, Do: ActionActivate, To: sso.StateActive, Who: []scope.Item{scope.ItemAccessConfigChange},
			When: ready, Ask: flow.AskConfirm, Noun: "activate", Spec: "docs/sso.md"},
		{From: []sso.State{sso.StateDraft}, Do: ActionActivateUntested, To: sso.StateActive, Who: []scope.Item{flow.System}, When: ready, Spec: "docs/sso.md"},
		{From: []sso.State{sso.StateActive}, Do: ActionDisable, To: sso.StateDisabled, Who: []scope.Item{scope.ItemAccessConfigChange},
			Then: []string{"end_sessions"}, Ask: flow.AskReason, Noun: "disable", Spec: "docs/sso.md"},
		{From: []sso.State{sso.StateDisabled}, Do: ActionEnable, To: sso.StateActive, Who: []scope.Item{scope.ItemAccessConfigChange},
			When: append([]flow.Guard[Facts]{notHeld}, ready...), Ask: flow.AskConfirm, Noun: "enable", Spec: "docs/sso.md"},
		{From: []sso.State{sso.StateDraft, sso.StateTested, sso.StateDisabled}, Do: ActionDelete, To: sso.StateDeleted,
			Who: []scope.Item{scope.ItemAccessConfigChange}, Ask: flow.AskReason, Noun: "delete", Spec: "docs/sso.md"},
	},
}
