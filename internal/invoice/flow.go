package invoice

import (
	"huoban/internal/flow"
	"huoban/internal/scope"
)

// State is where a request stands.
type State string

// The states: 草稿, 待审核, 已驳回, 开票中, 撤销中, 已撤销, 开票中(撤销失败), 待签收, 已开票, 已开票(退票中),
// 已开票(退票驳回), 已退票, and 已删除, which no list shows.
const (
	StateDraft         State = "draft"
	StatePending       State = "pending"
	StateRefused       State = "refused"
	StateIssuing       State = "issuing"
	StateCancelling    State = "cancelling"
	StateCancelled     State = "cancelled"
	StateKept          State = "cancel_refused"
	StatePosted        State = "posted"
	StateIssued        State = "issued"
	StateReturning     State = "returning"
	StateReturnRefused State = "return_refused"
	StateReturned      State = "returned"
	StateDeleted       State = "deleted"
)

// Action is what may be done to a request.
type Action string

// The actions: 提交, 撤销, 删除, 签收, 自动签收, 退票 of the partner; 审核通过, 驳回, 同意撤销, 驳回撤销, 开具, 寄出,
// 确认退票, 驳回退票 of the issuer.
const (
	ActionSubmit       Action = "submit"
	ActionCancel       Action = "cancel"
	ActionDelete       Action = "delete"
	ActionAccept       Action = "accept"
	ActionRefuse       Action = "refuse"
	ActionAgreeCancel  Action = "agree_cancel"
	ActionRefuseCancel Action = "refuse_cancel"
	ActionIssue        Action = "issue"
	ActionPost         Action = "post"
	ActionSign         Action = "sign"
	ActionSignByTime   Action = "sign_by_time"
	ActionReturn       Action = "return"
	ActionAcceptReturn Action = "accept_return"
	ActionRefuseReturn Action = "refuse_return"
)

const (
	specRules = "docs/invoices.md#rules"
	specFlow  = "docs/invoices.md#states"
)

var (
	askers  = []scope.Item{scope.ItemInvoiceRequest}
	clerks  = []scope.Item{scope.ItemInvoiceReview}
	either  = []scope.Item{scope.ItemInvoiceRequest, scope.ItemInvoiceReview}
	program = []scope.Item{flow.System}
)

type (
	row    = flow.Row[State, Action, Facts]
	guards = []flow.Guard[Facts]
	fields = []flow.Field[Facts]
)

// What the issuer notes of the invoice, and what the partner says of one it sends back.
var (
	number = flow.Field[Facts]{Name: "invoice_number", Kind: flow.FieldDigits, Required: true, Max: 20, Help: func(f Facts) string { return "invoices.paper.number_help." + string(f.Medium) }}
	code   = flow.Field[Facts]{Name: "invoice_code", Kind: flow.FieldDigits, Required: true, Max: 12, Case: "not digital", If: func(f Facts, _ scope.Scope) bool { return f.Medium != MediumDigital }}
	day    = flow.Field[Facts]{Name: "invoiced_on", Kind: flow.FieldDate, Required: true, Max: 10}
	letter = fields{{Name: "courier", Kind: flow.FieldText, Required: true, Max: 60}, {Name: "tracking", Kind: flow.FieldText, Required: true, Max: 60}}
	back   = fields{{Name: "courier", Kind: flow.FieldText, Max: 60, Case: "paper", If: isLetter}, {Name: "tracking", Kind: flow.FieldText, Max: 60, Case: "paper", If: isLetter, Help: func(Facts) string { return "invoices.return.letter_help" }},
		{Name: "red_confirmed", Kind: flow.FieldTick, Required: true, Max: 4, Case: "special", If: func(f Facts, _ scope.Scope) bool { return f.Kind == KindSpecial }}}
)

func isLetter(f Facts, _ scope.Scope) bool { return !f.Medium.IsFile() }

// Flow is the machine of a request.
var Flow = &flow.Table[State, Action, Facts]{
	Machine: "invoice",
	Path:    "/invoices/{id}",
	Start:   []State{StateDraft},
	Final:   []State{StateReturned, StateDeleted},
	Within:  map[State]int{StatePending: ReviewDays, StateIssuing: IssueDays, StateKept: IssueDays, StateCancelling: ReturnDays, StateReturning: ReturnDays},
	Rows: []row{
		{From: []State{StateDraft, StateRefused, StateCancelled}, Do: ActionSubmit, To: StatePending, Who: askers,
			When: guards{partnersOwn, oneTitle, titleComplete, specialCompany, mediumOffered, reachable, courierAgreed, sellerByOrder, oneEntity, billsIssued,
				noArrears, afterThird, noRefundOpen, amountFree}, Then: []string{"hold_amounts", "tell_clerks"},
			Ask: flow.AskConfirm, Noun: "submission", Op: "submitInvoice", Spec: specRules},
		{From: []State{StateDraft, StateRefused, StateCancelled}, Do: ActionDelete, To: StateDeleted, Who: askers, When: guards{partnersOwn},
			Ask: flow.AskConfirm, Noun: "deletion", Op: "deleteInvoice", Spec: specFlow},
		{From: []State{StatePending}, Do: ActionCancel, To: StateCancelled, Who: askers, When: guards{partnersOwn, online}, Then: []string{"free_amounts", "tell_clerks"},
			Ask: flow.AskConfirm, Noun: "cancellation", Op: "cancelInvoice", Spec: specFlow},
		{From: []State{StateIssuing}, Do: ActionCancel, To: StateCancelling, Who: askers, When: guards{partnersOwn, online, cancelPaper}, Then: []string{"tell_clerks"},
			Ask: flow.AskConfirm, Noun: "cancellation", Op: "cancelInvoice", Spec: specFlow},
		{From: []State{StatePending}, Do: ActionAccept, To: StateIssuing, Who: clerks, When: guards{issuersOwn}, Then: []string{"tell_partner"},
			Ask: flow.AskConfirm, Noun: "acceptance", Op: "acceptInvoice", Spec: specFlow},
		{From: []State{StatePending}, Do: ActionRefuse, To: StateRefused, Who: clerks, When: guards{issuersOwn}, Then: []string{"free_amounts", "tell_partner"},
			Ask: flow.AskReason, Noun: "refusal", Op: "refuseInvoice", Spec: specFlow},
		{From: []State{StateCancelling}, Do: ActionAgreeCancel, To: StateCancelled, Who: clerks, When: guards{issuersOwn}, Then: []string{"free_amounts", "tell_partner"},
			Ask: flow.AskConfirm, Noun: "cancellation-approval", Op: "agreeInvoiceCancellation", Spec: specFlow},
		{From: []State{StateCancelling}, Do: ActionRefuseCancel, To: StateKept, Who: clerks, When: guards{issuersOwn}, Then: []string{"tell_partner"},
			Ask: flow.AskReason, Noun: "cancellation-refusal", Op: "refuseInvoiceCancellation", Spec: specFlow},
		{From: []State{StateIssuing, StateKept}, Do: ActionIssue, To: StateIssued, Who: clerks, When: guards{issuersOwn, asFile, numbered, fileThere}, Then: []string{"tell_partner"},
			Ask: flow.AskForm, Fields: fields{number, code, day}, Noun: "issue", Op: "issueInvoice", Spec: specFlow},
		{From: []State{StateIssuing, StateKept}, Do: ActionPost, To: StatePosted, Who: clerks, When: guards{issuersOwn, asLetter, numbered, tracked}, Then: []string{"tell_partner"},
			Ask: flow.AskForm, Fields: append(fields{number, code, day}, letter...), Noun: "posting", Op: "postInvoice", Spec: specFlow},
		{From: []State{StatePosted}, Do: ActionSign, To: StateIssued, Who: askers, When: guards{partnersOwn}, Then: []string{"tell_clerks"},
			Ask: flow.AskConfirm, Noun: "signing", Op: "signInvoice", Spec: specFlow},
		{From: []State{StatePosted}, Do: ActionSignByTime, To: StateIssued, Who: program, Then: []string{"tell_partner"},
			Due: &flow.Due{Days: SignDays, Setting: "invoice_setting.sign_days"}, Spec: specFlow},
		{From: []State{StateIssued, StateReturnRefused}, Do: ActionReturn, To: StateReturning, Who: either, When: guards{partyOwn, online, wholeOnly, redConfirmed}, Then: []string{"tell_clerks"},
			Ask: flow.AskReason, Fields: back, Noun: "return", Op: "returnInvoice", Spec: specRules},
		{From: []State{StateReturning}, Do: ActionAcceptReturn, To: StateReturned, Who: clerks, When: guards{issuersOwn}, Then: []string{"free_amounts", "tell_partner"},
			Ask: flow.AskConfirm, Noun: "return-approval", Op: "acceptInvoiceReturn", Spec: specFlow},
		{From: []State{StateReturning}, Do: ActionRefuseReturn, To: StateReturnRefused, Who: clerks, When: guards{issuersOwn}, Then: []string{"tell_partner"},
			Ask: flow.AskReason, Noun: "return-refusal", Op: "refuseInvoiceReturn", Spec: specFlow},
	},
}
