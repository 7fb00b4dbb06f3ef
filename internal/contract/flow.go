package contract

import (
	"time"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/scope"
)

// State is where a contract stands.
type State string

// The states: 草稿, 审核中, 待生效, 已生效, 已驳回, 已终止, 已到期, 已删除.
const (
	StateDraft      State = "draft"
	StateReviewing  State = "reviewing"
	StateApproved   State = "approved"
	StateEffective  State = "effective"
	StateRefused    State = "refused"
	StateTerminated State = "terminated"
	StateEnded      State = "ended"
	StateDeleted    State = "deleted"
)

// Action is what may be done to a contract.
type Action string

// The actions: 修改, 提交, 通过, 驳回, 撤回, 生效, 到期, 终止, 删除.
const (
	ActionAmend     Action = "amend"
	ActionSubmit    Action = "submit"
	ActionApprove   Action = "approve"
	ActionRefuse    Action = "refuse"
	ActionWithdraw  Action = "withdraw"
	ActionActivate  Action = "activate"
	ActionEnd       Action = "end"
	ActionTerminate Action = "terminate"
	ActionDelete    Action = "delete"
)

// Facts are what guards judge.
type Facts struct {
	PartnerID, VendorID string
	Begins, Ends        string
}

var (
	partnersOwn = flow.Guard[Facts]{Name: "partners_own", Code: "contract.partner_decides", Kind: fault.KindDenied,
		Holds: func(f Facts, who scope.Scope, _ time.Time) bool {
			return who.Is(scope.SidePartner, f.PartnerID)
		}}
	vendorsOwn = flow.Guard[Facts]{Name: "vendors_own", Code: "contract.vendor_decides", Kind: fault.KindDenied,
		Holds: func(f Facts, who scope.Scope, _ time.Time) bool {
			return who.Is(scope.SideVendor, f.VendorID)
		}}
	notOver = flow.Guard[Facts]{Name: "not_over", Code: "contract.over",
		Holds: func(f Facts, _ scope.Scope, now time.Time) bool { return cycle.Day(now) <= f.Ends }}
	begun = flow.Guard[Facts]{Name: "begun", Code: "contract.not_begun",
		Holds: func(f Facts, _ scope.Scope, now time.Time) bool { return cycle.Day(now) >= f.Begins }}
	over = flow.Guard[Facts]{Name: "over", Code: "contract.not_over",
		Holds: func(f Facts, _ scope.Scope, now time.Time) bool { return cycle.Day(now) > f.Ends }}
)

var (
	byPartner = []scope.Item{scope.ItemContractChange}
	byVendor  = []scope.Item{scope.ItemContractReview}
	bySystem  = []scope.Item{flow.System}
)

const spec = "sales.md §2.5"

// Flow is the machine of a contract. The days of due are set by Service.due.
var Flow = &flow.Table[State, Action, Facts]{
	Machine: "contract",
	Path:    "/contracts/{id}",
	Start:   []State{StateDraft, StateApproved},
	Final:   []State{StateTerminated, StateEnded, StateDeleted},
	Within:  map[State]int{StateReviewing: ReviewDays},
	Rows: []flow.Row[State, Action, Facts]{
		{From: []State{StateDraft, StateRefused}, Do: ActionSubmit, To: StateReviewing, Who: byPartner, When: []flow.Guard[Facts]{partnersOwn, notOver},
			Then: []string{"tell_vendor"}, Ask: flow.AskConfirm, Noun: "submission", Op: "submitContract", Spec: spec},
		{From: []State{StateDraft, StateRefused}, Do: ActionAmend, To: StateDraft, Who: byPartner, When: []flow.Guard[Facts]{partnersOwn},
			Ask: flow.AskConfirm, Noun: "amendment", Op: "amendContract", Spec: spec},
		{From: []State{StateReviewing}, Do: ActionApprove, To: StateApproved, Who: byVendor, When: []flow.Guard[Facts]{vendorsOwn, notOver},
			Then: []string{"tell_partner"}, Ask: flow.AskConfirm, Noun: "approval", Op: "approveContract", Spec: spec},
		{From: []State{StateReviewing}, Do: ActionRefuse, To: StateRefused, Who: byVendor, When: []flow.Guard[Facts]{vendorsOwn},
			Then: []string{"tell_partner"}, Ask: flow.AskReason, Noun: "refusal", Op: "refuseContract", Spec: spec},
		{From: []State{StateReviewing}, Do: ActionWithdraw, To: StateDraft, Who: byPartner, When: []flow.Guard[Facts]{partnersOwn},
			Ask: flow.AskConfirm, Noun: "withdrawal", Op: "withdrawContract", Spec: spec},
		{From: []State{StateApproved}, Do: ActionActivate, To: StateEffective, Who: bySystem, When: []flow.Guard[Facts]{begun},
			Ask: flow.AskNone, Due: &flow.Due{Days: 1, Clock: "00:00"}, Spec: spec},
		{From: []State{StateEffective}, Do: ActionEnd, To: StateEnded, Who: bySystem, When: []flow.Guard[Facts]{over},
			Then: []string{"tell_partner"}, Ask: flow.AskNone, Due: &flow.Due{Days: 1, Clock: "00:00"}, Spec: spec},
		{From: []State{StateApproved, StateEffective}, Do: ActionTerminate, To: StateTerminated, Who: byVendor, When: []flow.Guard[Facts]{vendorsOwn},
			Then: []string{"tell_partner"}, Ask: flow.AskReason, Noun: "termination", Op: "terminateContract", Spec: spec},
		{From: []State{StateDraft, StateRefused}, Do: ActionDelete, To: StateDeleted, Who: byPartner, When: []flow.Guard[Facts]{partnersOwn},
			Ask: flow.AskConfirm, Noun: "deletion", Op: "deleteContract", Spec: spec},
	},
}
