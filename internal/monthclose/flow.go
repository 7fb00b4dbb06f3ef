package monthclose

import (
	"slices"
	"strings"
	"time"

	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/scope"
)

// Action is a move of a close.
type Action string

// The actions: 冻结, 出初稿, 复核, 出账, 废弃初稿, 解冻.
const (
	ActionFreeze  Action = "freeze"
	ActionDraft   Action = "draft"
	ActionReview  Action = "review"
	ActionIssue   Action = "issue"
	ActionDiscard Action = "discard"
	ActionThaw    Action = "thaw"
)

// Facts is what the guards judge: the checks of the gate and the override, if one was given.
type Facts struct {
	Checks   []Check
	Override Override
}

// Override lets a close go on in spite of blockers that allow it; the reason stands on the bills.
type Override struct {
	Reason string
	By     string
}

// Blocking are the blockers the override does not lift.
func (f Facts) Blocking(who scope.Scope) []Check {
	var out []Check
	for _, c := range Blockers(f.Checks) {
		lifted := c.Overridable && strings.TrimSpace(f.Override.Reason) != "" && who.Has(scope.ItemCloseOverride)
		if !lifted {
			out = append(out, c)
		}
	}
	return out
}

var ready = flow.Guard[Facts]{
	Name: "ready", Code: "monthclose.not_ready",
	Holds: func(f Facts, who scope.Scope, _ time.Time) bool { return len(f.Blocking(who)) == 0 },
	Args: func(f Facts, _ time.Time) fault.Args {
		return fault.Args{"Count": len(Blockers(f.Checks))}
	},
}

// overriding asks for the reason where nothing but blockers that the actor may override stands in the way.
var overriding = []flow.Field[Facts]{{Name: "override", Kind: flow.FieldLines, Required: true, Max: flow.MaxReason, Case: "blocked, and may be overridden",
	If: func(f Facts, who scope.Scope) bool {
		blocking := f.Blocking(who)
		return len(blocking) > 0 && who.Has(scope.ItemCloseOverride) && !slices.ContainsFunc(blocking, func(c Check) bool { return !c.Overridable })
	}, Help: func(Facts) string { return "ops.close.override_help" }}}

// Flow is the machine of a month close. See docs/month-close.md.
var Flow = &flow.Table[State, Action, Facts]{
	Machine: "close",
	Path:    "/closes/{id}",
	Start:   []State{StateOpen},
	Final:   []State{StateIssued},
	Rows: []flow.Row[State, Action, Facts]{
		{From: []State{StateOpen}, Do: ActionFreeze, To: StateFrozen, Who: []scope.Item{scope.ItemCloseRun},
			When: []flow.Guard[Facts]{ready}, Ask: flow.AskConfirm, Fields: overriding, Noun: "freeze", Spec: "docs/month-close.md"},
		{From: []State{StateFrozen}, Do: ActionThaw, To: StateOpen, Who: []scope.Item{scope.ItemCloseRun},
			Ask: flow.AskConfirm, Noun: "thaw", Spec: "docs/month-close.md"},
		{From: []State{StateFrozen}, Do: ActionDraft, To: StateDraft, Who: []scope.Item{scope.ItemCloseRun},
			When: []flow.Guard[Facts]{ready}, Then: []string{"save_bills"}, Ask: flow.AskNone, Fields: overriding, Noun: "draft", Spec: "docs/month-close.md"},
		{From: []State{StateDraft, StateReviewed}, Do: ActionDiscard, To: StateOpen, Who: []scope.Item{scope.ItemCloseRun},
			Then: []string{"remove_bills"}, Ask: flow.AskConfirm, Noun: "discard", Spec: "docs/month-close.md"},
		{From: []State{StateDraft}, Do: ActionReview, To: StateReviewed, Who: []scope.Item{scope.ItemCloseReview},
			When: []flow.Guard[Facts]{ready}, Then: []string{"review_bills"}, Ask: flow.AskConfirm, Fields: overriding, Noun: "review", Spec: "docs/month-close.md"},
		{From: []State{StateReviewed}, Do: ActionIssue, To: StateIssued, Who: []scope.Item{scope.ItemCloseIssue},
			When: []flow.Guard[Facts]{ready}, Then: []string{"issue_bills", "seal_slots"}, Ask: flow.AskConfirm, Fields: overriding, Noun: "issue", Spec: "docs/month-close.md"},
	},
}
