package bill

import (
	"huoban/internal/flow"
	"huoban/internal/scope"
)

// Action is a move of a kept bill.
type Action string

// The actions: 复核, 出账. A bill moves only with the close of its cycle.
const (
	ActionReview Action = "review"
	ActionIssue  Action = "issue"
)

// Flow is the machine of a kept bill (初稿 → 终稿). A discarded draft is deleted with its close; an
// issued bill never changes again.
var Flow = &flow.Table[State, Action, struct{}]{
	Machine: "bill",
	Path:    "/bills/{id}",
	Start:   []State{StateDraft},
	Final:   []State{StateIssued},
	Rows: []flow.Row[State, Action, struct{}]{
		{From: []State{StateDraft}, Do: ActionReview, To: StateReviewed, Who: []scope.Item{flow.System}, Ask: flow.AskNone, Spec: "docs/month-close.md"},
		{From: []State{StateReviewed}, Do: ActionIssue, To: StateIssued, Who: []scope.Item{flow.System}, Ask: flow.AskNone, Spec: "docs/month-close.md"},
	},
}
