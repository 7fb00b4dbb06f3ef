package relation

import (
	"time"

	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/scope"
)

// Action is what may be done to a request.
type Action string

// The actions: 同意, 驳回, 撤回, 失效.
const (
	ActionAgree    Action = "agree"
	ActionRefuse   Action = "refuse"
	ActionWithdraw Action = "withdraw"
	ActionLapse    Action = "lapse"
)

// Facts are what guards and checks judge.
type Facts struct {
	CustomerID, PartnerID string
	InForce               bool          // the association holds now
	Kind                  customer.Kind // its mode
	EndsAt                time.Time     // it has an end already
	Suspended             bool          // the customer's account is
	Asked                 Side          // who asks
	Wish                  Kind
	To                    customer.Kind
	Open                  bool      // another request waits
	OwnLast, OtherLast    time.Time // when the sides asked last
}

var (
	customerDecides = flow.Guard[Facts]{Name: "customer_decides", Code: "relation.customer_decides", Kind: fault.KindDenied,
		Holds: func(f Facts, who scope.Scope, _ time.Time) bool {
			return who.Is(scope.SideCustomer, f.CustomerID)
		}}
	partnerDecides = flow.Guard[Facts]{Name: "partner_decides", Code: "relation.partner_decides", Kind: fault.KindDenied,
		Holds: func(f Facts, who scope.Scope, _ time.Time) bool {
			return who.Is(scope.SidePartner, f.PartnerID) && !who.IsLimited()
		}}
	inForce = flow.Guard[Facts]{Name: "in_force", Code: "relation.not_in_force",
		Holds: func(f Facts, _ scope.Scope, _ time.Time) bool { return f.InForce }}
	notEnding = flow.Guard[Facts]{Name: "not_ending", Code: "relation.ending",
		Holds: func(f Facts, _ scope.Scope, _ time.Time) bool { return f.EndsAt.IsZero() },
		Args:  func(f Facts, _ time.Time) fault.Args { return fault.Args{"at": dayText(f.EndsAt)} }}
	notSuspended = flow.Guard[Facts]{Name: "not_suspended", Code: "relation.suspended",
		Holds: func(f Facts, _ scope.Scope, _ time.Time) bool { return !f.Suspended }}
	otherMode = flow.Guard[Facts]{Name: "other_mode", Code: "relation.same_mode",
		Holds: func(f Facts, _ scope.Scope, _ time.Time) bool { return f.Wish != KindSwitch || f.To != f.Kind }}
	noneOpen = flow.Guard[Facts]{Name: "none_open", Code: "relation.open",
		Holds: func(f Facts, _ scope.Scope, _ time.Time) bool { return !f.Open }}
	quietSelf = flow.Guard[Facts]{Name: "quiet_self", Code: "relation.asked_lately",
		Holds: func(f Facts, _ scope.Scope, now time.Time) bool { return over(f.OwnLast, now) },
		Args: func(f Facts, _ time.Time) fault.Args {
			return fault.Args{"at": dayText(again(f.OwnLast)), "months": QuietMonths}
		}}
	quietOther = flow.Guard[Facts]{Name: "quiet_other", Code: "relation.customer_asked_lately",
		Holds: func(f Facts, _ scope.Scope, now time.Time) bool {
			return f.Asked != SidePartner || over(f.OtherLast, now)
		},
		Args: func(f Facts, _ time.Time) fault.Args {
			return fault.Args{"at": dayText(again(f.OtherLast)), "months": QuietMonths}
		}}
)

// Checks are what must hold before a side may ask, in the order a page lists them.
var Checks = []flow.Guard[Facts]{inForce, notEnding, noneOpen, quietSelf, quietOther, notSuspended, otherMode}

// again is when a side that asked then may ask again: the same day three months on (GMT+08:00).
func again(last time.Time) time.Time { return last.In(cycle.Zone).AddDate(0, QuietMonths, 0) }

func over(last, now time.Time) bool { return last.IsZero() || !now.Before(again(last)) }

func dayText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(cycle.Zone).Format("2006-01-02 15:04")
}

var deciders = []scope.Item{scope.ItemAssociationChange}

// Flow is the machine of a request.
var Flow = &flow.Table[State, Action, Facts]{
	Machine: "relation",
	Path:    "/associations/{id}",
	Start:   []State{StateAwaitingCustomer, StateAwaitingPartner},
	Final:   []State{StateAgreed, StateRefused, StateWithdrawn, StateLapsed},
	Rows: []flow.Row[State, Action, Facts]{
		{From: []State{StateAwaitingCustomer}, Do: ActionAgree, To: StateAgreed, Who: deciders, When: []flow.Guard[Facts]{customerDecides, inForce, notEnding, notSuspended},
			Then: []string{"change_association", "tell_asker"}, Ask: flow.AskConfirm, Noun: "consent", Op: "agreeRelation", Spec: "sales.md §3.3"},
		{From: []State{StateAwaitingPartner}, Do: ActionAgree, To: StateAgreed, Who: deciders, When: []flow.Guard[Facts]{partnerDecides, inForce, notEnding, notSuspended},
			Then: []string{"change_association", "tell_asker"}, Ask: flow.AskConfirm, Noun: "consent", Op: "agreeRelation", Spec: "sales.md §3.3"},
		{From: []State{StateAwaitingCustomer}, Do: ActionRefuse, To: StateRefused, Who: deciders, When: []flow.Guard[Facts]{customerDecides},
			Then: []string{"tell_asker"}, Ask: flow.AskReason, Noun: "refusal", Op: "refuseRelation", Spec: "sales.md §3.3"},
		{From: []State{StateAwaitingPartner}, Do: ActionRefuse, To: StateRefused, Who: deciders, When: []flow.Guard[Facts]{partnerDecides},
			Then: []string{"tell_asker"}, Ask: flow.AskReason, Noun: "refusal", Op: "refuseRelation", Spec: "sales.md §3.3"},
		{From: []State{StateAwaitingCustomer}, Do: ActionWithdraw, To: StateWithdrawn, Who: deciders, When: []flow.Guard[Facts]{partnerDecides},
			Ask: flow.AskConfirm, Noun: "withdrawal", Op: "withdrawRelation", Spec: "sales.md §3.3"},
		{From: []State{StateAwaitingPartner}, Do: ActionWithdraw, To: StateWithdrawn, Who: deciders, When: []flow.Guard[Facts]{customerDecides},
			Ask: flow.AskConfirm, Noun: "withdrawal", Op: "withdrawRelation", Spec: "sales.md §3.3"},
		{From: []State{StateAwaitingCustomer, StateAwaitingPartner}, Do: ActionLapse, To: StateLapsed, Who: []scope.Item{flow.System}, Then: []string{"tell_asker"},
			Due: &flow.Due{Days: AnswerDays}, Spec: "docs/customers-won.md"},
	},
}
