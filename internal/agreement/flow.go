package agreement

import (
	"time"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/scope"
)

// State is where an agreement stands.
type State string

// The states: 草稿, 审核中, 待生效, 生效中, 已驳回, 已作废, 已到期, 已删除.
const (
	StateDraft     State = "draft"
	StateReviewing State = "reviewing"
	StateApproved  State = "approved"
	StateActive    State = "active"
	StateRefused   State = "refused"
	StateVoided    State = "voided"
	StateExpired   State = "expired"
	StateDeleted   State = "deleted"
)

// Open tells whether it holds or may come to hold.
func (s State) Open() bool {
	return s == StateDraft || s == StateReviewing || s == StateApproved || s == StateActive
}

// Action is what may be done to an agreement.
type Action string

// The actions: 提交, 通过, 驳回, 撤回, 生效, 到期, 作废, 删除.
const (
	ActionSubmit   Action = "submit"
	ActionApprove  Action = "approve"
	ActionRefuse   Action = "refuse"
	ActionWithdraw Action = "withdraw"
	ActionActivate Action = "activate"
	ActionExpire   Action = "expire"
	ActionVoid     Action = "void"
	ActionDelete   Action = "delete"
)

// Facts are what guards judge.
type Facts struct {
	PartnerID, VendorID string
	Begins, Ends        string
	Signed              bool // the scan is there
	Taken               bool // another open one is for the same payer and day
}

var (
	partnersOwn = flow.Guard[Facts]{Name: "partners_own", Code: "agreement.partner_decides", Kind: fault.KindDenied,
		Holds: func(f Facts, who scope.Scope, _ time.Time) bool { return ofPartner(&f, who) }}
	vendorsOwn = flow.Guard[Facts]{Name: "vendors_own", Code: "agreement.vendor_decides", Kind: fault.KindDenied,
		Holds: func(f Facts, who scope.Scope, _ time.Time) bool { return ofVendor(&f, who) }}
	ofEither = flow.Guard[Facts]{Name: "a_partys", Code: "agreement.party_decides", Kind: fault.KindDenied,
		Holds: func(f Facts, who scope.Scope, _ time.Time) bool { return ofPartner(&f, who) || ofVendor(&f, who) }}
	signed = flow.Guard[Facts]{Name: "signed", Code: "agreement.not_signed",
		Holds: func(f Facts, _ scope.Scope, _ time.Time) bool { return f.Signed }}
	free = flow.Guard[Facts]{Name: "no_other", Code: "agreement.taken",
		Holds: func(f Facts, _ scope.Scope, _ time.Time) bool { return !f.Taken }}
	notOver = flow.Guard[Facts]{Name: "not_over", Code: "agreement.over",
		Holds: func(f Facts, _ scope.Scope, now time.Time) bool { return cycle.Day(now) <= f.Ends }}
	begun = flow.Guard[Facts]{Name: "begun", Code: "agreement.not_begun",
		Holds: func(f Facts, _ scope.Scope, now time.Time) bool { return cycle.Day(now) >= f.Begins }}
	over = flow.Guard[Facts]{Name: "over", Code: "agreement.not_over",
		Holds: func(f Facts, _ scope.Scope, now time.Time) bool { return cycle.Day(now) > f.Ends }}
)

func ofPartner(f *Facts, who scope.Scope) bool {
	return who.Is(scope.SidePartner, f.PartnerID)
}

func ofVendor(f *Facts, who scope.Scope) bool {
	return who.Is(scope.SideVendor, f.VendorID)
}

var (
	byPartner = []scope.Item{scope.ItemFundsChange}
	byVendor  = []scope.Item{scope.ItemRemittance}
	bySystem  = []scope.Item{flow.System}
)

const spec = "sales.md §2.3"

// Flow is the machine of an agreement. The days of due are set by Service.due.
var Flow = &flow.Table[State, Action, Facts]{
	Machine: "payment_agreement",
	Path:    "/agreements/{id}",
	Start:   []State{StateDraft, StateActive},
	Final:   []State{StateVoided, StateExpired, StateDeleted},
	Within:  map[State]int{StateReviewing: ReviewDays},
	Rows: []flow.Row[State, Action, Facts]{
		{From: []State{StateDraft, StateRefused}, Do: ActionSubmit, To: StateReviewing, Who: byPartner, When: []flow.Guard[Facts]{partnersOwn, signed, notOver, free},
			Then: []string{"tell_vendor"}, Ask: flow.AskConfirm, Noun: "submission", Op: "submitPaymentAgreement", Spec: spec},
		{From: []State{StateReviewing}, Do: ActionApprove, To: StateApproved, Who: byVendor, When: []flow.Guard[Facts]{vendorsOwn, notOver},
			Then: []string{"tell_partner"}, Ask: flow.AskConfirm, Noun: "approval", Op: "approvePaymentAgreement", Spec: spec},
		{From: []State{StateReviewing}, Do: ActionRefuse, To: StateRefused, Who: byVendor, When: []flow.Guard[Facts]{vendorsOwn},
			Then: []string{"tell_partner"}, Ask: flow.AskReason, Noun: "refusal", Op: "refusePaymentAgreement", Spec: spec},
		{From: []State{StateReviewing}, Do: ActionWithdraw, To: StateDraft, Who: byPartner, When: []flow.Guard[Facts]{partnersOwn},
			Ask: flow.AskConfirm, Noun: "withdrawal", Op: "withdrawPaymentAgreement", Spec: spec},
		{From: []State{StateApproved}, Do: ActionActivate, To: StateActive, Who: bySystem, When: []flow.Guard[Facts]{begun},
			Then: []string{"credit_transfers"}, Ask: flow.AskNone, Due: &flow.Due{Days: 1, Clock: "00:00"}, Spec: spec},
		{From: []State{StateActive}, Do: ActionExpire, To: StateExpired, Who: bySystem, When: []flow.Guard[Facts]{over},
			Then: []string{"tell_partner"}, Ask: flow.AskNone, Due: &flow.Due{Days: 1, Clock: "00:00"}, Spec: spec},
		{From: []State{StateApproved, StateActive}, Do: ActionVoid, To: StateVoided, Who: append(byPartner[:1:1], byVendor...), When: []flow.Guard[Facts]{ofEither},
			Then: []string{"tell_partner", "tell_vendor"}, Ask: flow.AskReason, Noun: "invalidation", Op: "voidPaymentAgreement", Spec: spec},
		{From: []State{StateDraft, StateRefused}, Do: ActionDelete, To: StateDeleted, Who: byPartner, When: []flow.Guard[Facts]{partnersOwn},
			Ask: flow.AskConfirm, Noun: "deletion", Op: "deletePaymentAgreement", Spec: spec},
	},
}
