package invitation

import (
	"time"

	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/scope"
)

// Action is what may be done to an invitation.
type Action string

// The actions: 重新发送, 撤回, 关联, 失败, 过期.
const (
	ActionResend   Action = "resend"
	ActionWithdraw Action = "withdraw"
	ActionAccept   Action = "accept"
	ActionFail     Action = "fail"
	ActionExpire   Action = "expire"
)

// Facts are what the guards judge.
type Facts struct {
	PartnerID  string
	Registered bool // it is a general link, or its registration is in force
	Over       bool // its time is up
	Granted    bool // the partner may win customers for the vendor
}

var (
	partnersOwn = flow.Guard[Facts]{Name: "partners_own", Code: "invitation.partner_decides", Kind: fault.KindDenied,
		Holds: func(f Facts, who scope.Scope, _ time.Time) bool {
			return who.Side() == scope.SideSystem || who.Is(scope.SidePartner, f.PartnerID)
		}}
	registered = flow.Guard[Facts]{Name: "registered", Code: "invitation.not_registered",
		Holds: func(f Facts, _ scope.Scope, _ time.Time) bool { return f.Registered }}
	granted = flow.Guard[Facts]{Name: "granted", Code: "prospect.not_granted",
		Holds: func(f Facts, _ scope.Scope, _ time.Time) bool { return f.Granted }}
	inTime = flow.Guard[Facts]{Name: "in_time", Code: "invitation.link_over", Kind: fault.KindNotFound,
		Holds: func(f Facts, _ scope.Scope, _ time.Time) bool { return !f.Over }}
)

var (
	inviters = []scope.Item{scope.ItemProspectChange}
	nobody   = []scope.Item{flow.System}
)

// Flow is the machine of an invitation. The customer's consent is fired by the program: who consents has no account
// before, and the page of the link is no entity of an organisation.
var Flow = &flow.Table[State, Action, Facts]{
	Machine: "invitation",
	Path:    "/prospects/invitations/{id}",
	Start:   []State{StateSent},
	Final:   []State{StateWithdrawn, StateAssociated},
	Rows: []flow.Row[State, Action, Facts]{
		{From: []State{StateSent, StateFailed, StateExpired}, Do: ActionResend, To: StateSent, Who: inviters,
			When: []flow.Guard[Facts]{partnersOwn, granted, registered}, Then: []string{"new_link", "send_mail"}, Ask: flow.AskConfirm, Noun: "sending",
			Op: "resendInvitation", Spec: "sales.md §2.6"},
		{From: []State{StateSent, StateFailed}, Do: ActionWithdraw, To: StateWithdrawn, Who: inviters,
			When: []flow.Guard[Facts]{partnersOwn}, Ask: flow.AskConfirm, Noun: "withdrawal", Op: "withdrawInvitation", Spec: "sales.md §2.6"},
		{From: []State{StateSent, StateFailed}, Do: ActionAccept, To: StateAssociated, Who: nobody,
			When: []flow.Guard[Facts]{inTime, granted}, Then: []string{"associate", "assign_manager", "tell_inviter"}, Spec: "sales.md §2.6, 3.3"},
		{From: []State{StateSent, StateFailed}, Do: ActionFail, To: StateFailed, Who: nobody, Spec: "sales.md §2.6"},
		{From: []State{StateSent, StateFailed}, Do: ActionExpire, To: StateExpired, Who: nobody,
			Due: &flow.Due{Days: Days}, Spec: "sales.md §2.6"},
	},
}
