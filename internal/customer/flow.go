package customer

import (
	"time"

	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/scope"
)

// Action is what may be done to an association.
type Action string

// The actions.
const (
	ActionAccept   Action = "accept"
	ActionRefuse   Action = "refuse"
	ActionWithdraw Action = "withdraw"
	ActionEnd      Action = "end"
)

// Facts are what the guards judge: whose association it is, and one it would overlap.
type Facts struct {
	CustomerID string
	PartnerID  string
	Overlap    *Association
}

var (
	customerDecides = flow.Guard[Facts]{Name: "customer_decides", Code: "customer.customer_decides", Kind: fault.KindDenied,
		Holds: func(f Facts, who scope.Scope, _ time.Time) bool { return isSide(who, scope.SideCustomer, f.CustomerID) }}
	partnerDecides = flow.Guard[Facts]{Name: "partner_decides", Code: "customer.partner_decides", Kind: fault.KindDenied,
		Holds: func(f Facts, who scope.Scope, _ time.Time) bool { return isSide(who, scope.SidePartner, f.PartnerID) }}
	vendorDecides = flow.Guard[Facts]{Name: "vendor_decides", Code: "customer.vendor_decides", Kind: fault.KindDenied,
		Holds: func(_ Facts, who scope.Scope, _ time.Time) bool {
			return who.Side() == scope.SideSystem || who.Side() == scope.SideVendor
		}}
	noOverlap = flow.Guard[Facts]{Name: "no_overlap", Code: "customer.association_overlap",
		Holds: func(f Facts, _ scope.Scope, _ time.Time) bool { return f.Overlap == nil },
		Args:  func(f Facts, _ time.Time) fault.Args { return overlapArgs(*f.Overlap) }}
)

func isSide(who scope.Scope, side scope.Side, orgID string) bool {
	return who.Side() == scope.SideSystem || who.Side() == side && who.OrgID() == orgID
}

func overlapArgs(a Association) fault.Args {
	return fault.Args{"from": dayText(a.From), "to": dayText(a.To)}
}

// Flow is the machine of an association. What the vendor enters begins active; a proposal begins
// with the side that has not consented yet.
var Flow = &flow.Table[State, Action, Facts]{
	Machine: "association",
	Path:    "/associations/{id}",
	Start:   []State{StateAwaitingCustomer, StateAwaitingPartner, StateActive},
	Final:   []State{StateRefused, StateWithdrawn, StateEnded},
	Rows: []flow.Row[State, Action, Facts]{
		{From: []State{StateAwaitingCustomer}, Do: ActionAccept, To: StateActive, Who: deciders,
			When: []flow.Guard[Facts]{customerDecides, noOverlap}, Ask: flow.AskConfirm, Noun: "consent",
			Op: "acceptAssociation", Spec: "sales.md §3.3"},
		{From: []State{StateAwaitingPartner}, Do: ActionAccept, To: StateActive, Who: deciders,
			When: []flow.Guard[Facts]{partnerDecides, noOverlap}, Ask: flow.AskConfirm, Noun: "consent",
			Op: "acceptAssociation", Spec: "sales.md §3.3"},
		{From: []State{StateAwaitingCustomer}, Do: ActionRefuse, To: StateRefused, Who: deciders,
			When: []flow.Guard[Facts]{customerDecides}, Ask: flow.AskReason, Noun: "refusal", Op: "refuseAssociation", Spec: "sales.md §3.3"},
		{From: []State{StateAwaitingPartner}, Do: ActionRefuse, To: StateRefused, Who: deciders,
			When: []flow.Guard[Facts]{partnerDecides}, Ask: flow.AskReason, Noun: "refusal", Op: "refuseAssociation", Spec: "sales.md §3.3"},
		{From: []State{StateAwaitingCustomer}, Do: ActionWithdraw, To: StateWithdrawn, Who: deciders,
			When: []flow.Guard[Facts]{partnerDecides}, Ask: flow.AskConfirm, Noun: "withdrawal", Op: "withdrawAssociation", Spec: "sales.md §3.3"},
		{From: []State{StateAwaitingPartner}, Do: ActionWithdraw, To: StateWithdrawn, Who: deciders,
			When: []flow.Guard[Facts]{customerDecides}, Ask: flow.AskConfirm, Noun: "withdrawal", Op: "withdrawAssociation", Spec: "sales.md §3.3"},
		{From: []State{StateActive}, Do: ActionEnd, To: StateEnded, Who: deciders,
			When: []flow.Guard[Facts]{vendorDecides}, Then: []string{"end_assignments"}, Ask: flow.AskConfirm, Noun: "ending",
			Op: "endAssociation", Spec: "sales.md §3.3"},
	},
}

var deciders = []scope.Item{scope.ItemAssociationChange}
