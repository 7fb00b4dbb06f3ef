package withdrawal

import (
	"time"

	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/scope"
)

// State is where a request stands.
type State string

// The states: 待审核, 待复核, 处理中, 已完成, 付款失败, 已驳回, 已撤销, 已退回, 已删除.
const (
	StatePending   State = "pending"
	StateSecond    State = "second_review"
	StatePaying    State = "processing"
	StateDone      State = "done"
	StateFailed    State = "failed"
	StateRefused   State = "refused"
	StateCancelled State = "cancelled"
	StateReturned  State = "returned"
	StateDeleted   State = "deleted"
)

// Open tells whether the request still waits for somebody.
func (s State) Open() bool {
	return s == StatePending || s == StateSecond || s == StatePaying || s == StateFailed
}

// Undone tells whether the money of the request is back on the balance.
func (s State) Undone() bool {
	return s == StateRefused || s == StateCancelled || s == StateReturned || s == StateDeleted
}

// Action is what may be done to a request.
type Action string

// The actions: 审核通过, 初审通过, 复核通过, 驳回, 撤销, 付款成功, 付款失败, 重新付款, 退回余额, 删除.
const (
	ActionApprove Action = "approve"
	ActionForward Action = "forward"
	ActionSecond  Action = "approve_second"
	ActionRefuse  Action = "refuse"
	ActionCancel  Action = "cancel"
	ActionSucceed Action = "succeed"
	ActionFail    Action = "fail"
	ActionRetry   Action = "retry"
	ActionReturn  Action = "return"
	ActionDelete  Action = "delete"
)

// Facts are what guards judge.
type Facts struct {
	PartnerID, VendorID string
	First               string // who agreed first
	TwoNeeded           bool   // the amount needs two persons
}

var (
	ofPartner = flow.Guard[Facts]{Name: "partner_decides", Code: "withdrawal.partner_decides", Kind: fault.KindDenied,
		Holds: func(f Facts, who scope.Scope, _ time.Time) bool {
			return who.Is(scope.SidePartner, f.PartnerID) && !who.IsLimited()
		}}
	ofVendor = flow.Guard[Facts]{Name: "vendor_decides", Code: "withdrawal.vendor_decides", Kind: fault.KindDenied,
		Holds: func(f Facts, who scope.Scope, _ time.Time) bool {
			return who.Side() == scope.SideSystem || who.Is(scope.SideVendor, f.VendorID)
		}}
	alone = flow.Guard[Facts]{Name: "one_person", Code: "withdrawal.two_needed",
		Holds: func(f Facts, _ scope.Scope, _ time.Time) bool { return !f.TwoNeeded }}
	together = flow.Guard[Facts]{Name: "two_persons", Code: "withdrawal.one_enough",
		Holds: func(f Facts, _ scope.Scope, _ time.Time) bool { return f.TwoNeeded }}
	second = flow.Guard[Facts]{Name: "second_person", Code: "withdrawal.same_person",
		Holds: func(f Facts, who scope.Scope, _ time.Time) bool { return who.Login() != f.First },
		Args:  func(f Facts, _ time.Time) fault.Args { return fault.Args{"login": f.First} }}
)

var (
	applicants = []scope.Item{scope.ItemWithdraw}
	reviewers  = []scope.Item{scope.ItemPayoutReview}
	payers     = []scope.Item{scope.ItemPayoutPay, flow.System}
)

const spec = "sales.md §2.3, §3.10"

// Flow is the machine of a request. What a bank answers is part of it: succeed and fail are done by the program, or by
// staff who read the answer.
var Flow = &flow.Table[State, Action, Facts]{
	Machine: "withdrawal",
	Path:    "/payouts/{id}",
	Start:   []State{StatePending},
	Final:   []State{StateDone, StateCancelled, StateReturned, StateDeleted},
	Within:  map[State]int{StatePending: ReviewDays, StateSecond: ReviewDays, StatePaying: PayDays},
	Rows: []flow.Row[State, Action, Facts]{
		{From: []State{StatePending}, Do: ActionApprove, To: StatePaying, Who: reviewers, When: []flow.Guard[Facts]{ofVendor, alone},
			Then: []string{"take_from_frozen", "tell_partner"}, Ask: flow.AskConfirm, Noun: "approval", Op: "approveWithdrawal", Spec: spec},
		{From: []State{StatePending}, Do: ActionForward, To: StateSecond, Who: reviewers, When: []flow.Guard[Facts]{ofVendor, together},
			Then: []string{"note_first"}, Ask: flow.AskConfirm, Noun: "first-approval", Op: "forwardWithdrawal", Spec: spec},
		{From: []State{StateSecond}, Do: ActionSecond, To: StatePaying, Who: reviewers, When: []flow.Guard[Facts]{ofVendor, second},
			Then: []string{"take_from_frozen", "tell_partner"}, Ask: flow.AskConfirm, Noun: "second-approval", Op: "approveWithdrawal", Spec: spec},
		{From: []State{StatePending, StateSecond}, Do: ActionRefuse, To: StateRefused, Who: reviewers, When: []flow.Guard[Facts]{ofVendor},
			Then: []string{"free_amount", "tell_partner"}, Ask: flow.AskReason, Noun: "refusal", Op: "refuseWithdrawal", Spec: spec},
		{From: []State{StatePending, StateSecond}, Do: ActionCancel, To: StateCancelled, Who: applicants, When: []flow.Guard[Facts]{ofPartner},
			Then: []string{"free_amount"}, Ask: flow.AskConfirm, Noun: "cancellation", Op: "cancelWithdrawal", Spec: spec},
		{From: []State{StatePaying}, Do: ActionSucceed, To: StateDone, Who: payers, When: []flow.Guard[Facts]{ofVendor},
			Then: []string{"settle_payout", "tell_partner"}, Ask: flow.AskForm, Fields: []flow.Field[Facts]{{Name: "receipt", Kind: flow.FieldText, Max: MaxName}},
			Noun: "settlement", Op: "settleWithdrawal", Spec: spec},
		{From: []State{StatePaying}, Do: ActionFail, To: StateFailed, Who: payers, When: []flow.Guard[Facts]{ofVendor},
			Then: []string{"back_to_frozen"}, Ask: flow.AskReason, Noun: "failure", Op: "failWithdrawal", Spec: spec},
		{From: []State{StateFailed}, Do: ActionRetry, To: StatePaying, Who: payers, When: []flow.Guard[Facts]{ofVendor},
			Then: []string{"take_from_frozen"}, Ask: flow.AskConfirm, Noun: "repetition", Op: "retryWithdrawal", Spec: spec},
		{From: []State{StateFailed}, Do: ActionReturn, To: StateReturned, Who: payers, When: []flow.Guard[Facts]{ofVendor},
			Then: []string{"free_amount", "tell_partner"}, Ask: flow.AskReason, Noun: "return", Op: "returnWithdrawal", Spec: spec},
		{From: []State{StateRefused}, Do: ActionDelete, To: StateDeleted, Who: applicants, When: []flow.Guard[Facts]{ofPartner},
			Ask: flow.AskConfirm, Noun: "deletion", Op: "deleteWithdrawal", Spec: spec},
	},
}
