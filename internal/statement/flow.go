package statement

import (
	"time"

	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/scope"
)

// State is where a statement stands.
type State string

// The states of a statement.
const (
	StateDraft     State = "draft"     // 草稿
	StateIssued    State = "issued"    // 已出具: numbered, unchangeable, seen by the customer
	StateSent      State = "sent"      // 已发送
	StateWithdrawn State = "withdrawn" // 已撤回
	StateReplaced  State = "replaced"  // 已更正, by a further statement
	StateDiscarded State = "discarded" // 已放弃
)

// Shown are the states a customer sees.
var Shown = []State{StateIssued, StateSent, StateWithdrawn, StateReplaced}

// Action is what may happen to a statement.
type Action string

// The actions.
const (
	ActionIssue    Action = "issue"
	ActionSend     Action = "send"
	ActionWithdraw Action = "withdraw"
	ActionDiscard  Action = "discard"
	ActionReplace  Action = "replace"
)

// Facts judge the actions: whose statement it is, and what it was made with against what stands now.
type Facts struct {
	PartnerID   string
	RuleSeq     int64
	BookSeq     int64
	HeadVersion int64
	HeadNow     int64
}

var (
	partnerOwn = flow.Guard[Facts]{Name: "partner_own", Code: "statement.not_own", Kind: fault.KindDenied,
		Holds: func(f Facts, who scope.Scope, _ time.Time) bool {
			return who.Side() == scope.SideSystem || who.Is(scope.SidePartner, f.PartnerID) && !who.IsLimited()
		}}
	headSet = flow.Guard[Facts]{Name: "head_set", Code: "statement.head_missing",
		Holds: func(f Facts, _ scope.Scope, _ time.Time) bool { return f.HeadNow > 0 }}
	rulesCurrent = flow.Guard[Facts]{Name: "rules_current", Code: "statement.rules_changed",
		Holds: func(f Facts, _ scope.Scope, _ time.Time) bool {
			return f.RuleSeq == f.BookSeq && f.HeadVersion == f.HeadNow
		}}
)

var (
	issuers = []scope.Item{scope.ItemStatementIssue}
	makers  = []scope.Item{scope.ItemStatementChange}
)

// Flow is the machine of a statement.
var Flow = &flow.Table[State, Action, Facts]{
	Machine: "statement",
	Path:    "/statements/{id}",
	Start:   []State{StateDraft},
	Final:   []State{StateWithdrawn, StateReplaced, StateDiscarded},
	Rows: []flow.Row[State, Action, Facts]{
		{From: []State{StateDraft}, Do: ActionIssue, To: StateIssued, Who: issuers, When: []flow.Guard[Facts]{partnerOwn, headSet, rulesCurrent},
			Then: []string{"number", "replace_former"}, Ask: flow.AskConfirm, Noun: "issuance", Op: "issueStatement", Spec: "docs/statement.md"},
		{From: []State{StateDraft}, Do: ActionDiscard, To: StateDiscarded, Who: makers, When: []flow.Guard[Facts]{partnerOwn},
			Ask: flow.AskConfirm, Noun: "discarding", Op: "discardStatement", Spec: "docs/statement.md"},
		{From: []State{StateIssued}, Do: ActionSend, To: StateSent, Who: issuers, When: []flow.Guard[Facts]{partnerOwn},
			Then: []string{"notify_customer"}, Ask: flow.AskConfirm, Noun: "sending", Op: "sendStatement", Spec: "docs/statement.md"},
		{From: []State{StateIssued, StateSent}, Do: ActionWithdraw, To: StateWithdrawn, Who: issuers, When: []flow.Guard[Facts]{partnerOwn},
			Ask: flow.AskReason, Noun: "withdrawal", Op: "withdrawStatement", Spec: "docs/statement.md"},
		{From: []State{StateIssued, StateSent}, Do: ActionReplace, To: StateReplaced, Who: []scope.Item{flow.System}, Ask: flow.AskNone, Spec: "docs/statement.md"},
	},
}
