package grant

import (
	"time"

	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/scope"
)

// State is where a grant stands.
type State string

// The states: 待审核, 已授权, 已驳回, 已撤回, 已收回.
const (
	StateAsked     State = "asked"
	StateGranted   State = "granted"
	StateRefused   State = "refused"
	StateWithdrawn State = "withdrawn"
	StateRevoked   State = "revoked"
)

// Action is what may be done to a grant.
type Action string

// The actions: 申请授权, 通过, 驳回, 撤回, 授权, 收回授权.
const (
	ActionAsk      Action = "ask"
	ActionApprove  Action = "approve"
	ActionRefuse   Action = "refuse"
	ActionWithdraw Action = "withdraw"
	ActionGive     Action = "give"
	ActionRevoke   Action = "revoke"
)

// Facts are what the guards judge.
type Facts struct{ PartnerID, VendorID string }

var (
	partnersOwn = flow.Guard[Facts]{Name: "partners_own", Code: "grant.partner_decides", Kind: fault.KindDenied,
		Holds: func(f Facts, who scope.Scope, _ time.Time) bool {
			return who.Side() == scope.SidePartner && who.OrgID() == f.PartnerID
		}}
	vendorsOwn = flow.Guard[Facts]{Name: "vendors_own", Code: "grant.vendor_decides", Kind: fault.KindDenied,
		Holds: func(f Facts, who scope.Scope, _ time.Time) bool {
			return who.Side() == scope.SideVendor && who.OrgID() == f.VendorID
		}}
)

var (
	byPartner = []scope.Item{scope.ItemProspectChange}
	byVendor  = []scope.Item{scope.ItemProspectReview}
)

const spec = "sales.md §2.6"

// Flow is the machine of a grant. It has no end: what was refused, withdrawn or revoked is asked for or given again.
var Flow = &flow.Table[State, Action, Facts]{
	Machine: "prospect_grant",
	Path:    "/prospect-grants/{id}",
	Start:   []State{StateAsked, StateGranted},
	Within:  map[State]int{StateAsked: ReviewDays},
	Rows: []flow.Row[State, Action, Facts]{
		{From: []State{StateRefused, StateWithdrawn, StateRevoked}, Do: ActionAsk, To: StateAsked, Who: byPartner, When: []flow.Guard[Facts]{partnersOwn},
			Then: []string{"tell_vendor"}, Ask: flow.AskReason, Noun: "application", Op: "askProspectGrant", Spec: spec},
		{From: []State{StateAsked}, Do: ActionApprove, To: StateGranted, Who: byVendor, When: []flow.Guard[Facts]{vendorsOwn},
			Then: []string{"tell_partner"}, Ask: flow.AskConfirm, Noun: "approval", Op: "approveProspectGrant", Spec: spec},
		{From: []State{StateAsked}, Do: ActionRefuse, To: StateRefused, Who: byVendor, When: []flow.Guard[Facts]{vendorsOwn},
			Then: []string{"tell_partner"}, Ask: flow.AskReason, Noun: "refusal", Op: "refuseProspectGrant", Spec: spec},
		{From: []State{StateAsked}, Do: ActionWithdraw, To: StateWithdrawn, Who: byPartner, When: []flow.Guard[Facts]{partnersOwn},
			Ask: flow.AskConfirm, Noun: "withdrawal", Op: "withdrawProspectGrant", Spec: spec},
		{From: []State{StateRefused, StateWithdrawn, StateRevoked}, Do: ActionGive, To: StateGranted, Who: byVendor, When: []flow.Guard[Facts]{vendorsOwn},
			Then: []string{"tell_partner"}, Ask: flow.AskReason, Noun: "grant", Op: "giveProspectGrant", Spec: spec},
		{From: []State{StateGranted}, Do: ActionRevoke, To: StateRevoked, Who: byVendor, When: []flow.Guard[Facts]{vendorsOwn},
			Then: []string{"close_links", "tell_partner"}, Ask: flow.AskReason, Noun: "revocation", Op: "revokeProspectGrant", Spec: spec},
	},
}
