package prospect

import (
	"time"

	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/scope"
)

// Action is what may be done to a registration.
type Action string

// The actions: 提交报备, 通过, 不通过, 关联, 失效.
const (
	ActionSubmit    Action = "submit"
	ActionApprove   Action = "approve"
	ActionRefuse    Action = "refuse"
	ActionAssociate Action = "associate"
	ActionLapse     Action = "lapse"
)

// Match is how the customer of a registration is known already.
type Match string

// The matches, the strongest last.
const (
	MatchNone  Match = ""
	MatchOwn   Match = "own"   // by another open registration of the same partner
	MatchYours Match = "yours" // as a customer of the same partner
	MatchTaken Match = "taken" // by somebody else, whoever that is
)

// Facts are what the guards judge.
type Facts struct {
	PartnerID, VendorID string
	PersonID            string // who filed it
	Open                int    // open registrations of the partner, without this one
	HasPhone, HasEmail  bool   // of who can be asked back at the partner
	Match               Match
	Granted             bool // the partner may win customers for the vendor
}

var (
	partnersOwn = flow.Guard[Facts]{Name: "partners_own", Code: "prospect.partner_decides", Kind: fault.KindDenied,
		Holds: func(f Facts, who scope.Scope, _ time.Time) bool {
			return who.Side() == scope.SideSystem || who.Is(scope.SidePartner, f.PartnerID)
		}}
	vendorReviews = flow.Guard[Facts]{Name: "vendor_reviews", Code: "prospect.vendor_reviews", Kind: fault.KindDenied,
		Holds: func(f Facts, who scope.Scope, _ time.Time) bool { return who.SeesVendor(f.VendorID) }}
	granted = flow.Guard[Facts]{Name: "granted", Code: "prospect.not_granted",
		Holds: func(f Facts, _ scope.Scope, _ time.Time) bool { return f.Granted }}
	contactOnFile = flow.Guard[Facts]{Name: "contact_on_file", Code: "prospect.contact_missing",
		Holds: func(f Facts, _ scope.Scope, _ time.Time) bool { return f.HasPhone && f.HasEmail }}
	roomLeft = flow.Guard[Facts]{Name: "room_left", Code: "prospect.too_many",
		Holds: func(f Facts, _ scope.Scope, _ time.Time) bool { return f.Open < MaxOpen },
		Args:  func(f Facts, _ time.Time) fault.Args { return fault.Args{"count": f.Open, "limit": MaxOpen} }}
	notTwice = flow.Guard[Facts]{Name: "not_twice", Code: "prospect.duplicate",
		Holds: func(f Facts, _ scope.Scope, _ time.Time) bool { return f.Match != MatchOwn }}
	notYours = flow.Guard[Facts]{Name: "not_yours", Code: "prospect.already_customer",
		Holds: func(f Facts, _ scope.Scope, _ time.Time) bool { return f.Match != MatchYours }}
	notTaken = flow.Guard[Facts]{Name: "not_taken", Code: "prospect.taken",
		Holds: func(f Facts, _ scope.Scope, _ time.Time) bool { return f.Match != MatchTaken }}
)

var (
	filers    = []scope.Item{scope.ItemProspectChange}
	reviewers = []scope.Item{scope.ItemProspectReview}
	nobody    = []scope.Item{flow.System}
)

// Flow is the machine of a registration.
var Flow = &flow.Table[State, Action, Facts]{
	Machine: "prospect",
	Path:    "/prospects/{id}",
	Start:   []State{StateDraft},
	Final:   []State{StateRefused, StateAssociated},
	Within:  map[State]int{StatePending: 2},
	Rows: []flow.Row[State, Action, Facts]{
		{From: []State{StateDraft, StateLapsed}, Do: ActionSubmit, To: StatePending, Who: filers,
			When: []flow.Guard[Facts]{partnersOwn, granted, contactOnFile, roomLeft, notTwice, notYours, notTaken}, Then: []string{"tell_vendor"},
			Ask: flow.AskConfirm, Noun: "submission", Op: "submitProspect", Spec: "sales.md §2.6, 3.2"},
		{From: []State{StatePending}, Do: ActionApprove, To: StateRegistered, Who: reviewers,
			When: []flow.Guard[Facts]{vendorReviews, granted, notTaken}, Then: []string{"tell_filer"},
			Ask: flow.AskConfirm, Noun: "approval", Op: "approveProspect", Spec: "sales.md §3.2"},
		{From: []State{StatePending}, Do: ActionRefuse, To: StateRefused, Who: reviewers,
			When: []flow.Guard[Facts]{vendorReviews}, Then: []string{"tell_filer"},
			Ask: flow.AskReason, Noun: "refusal", Op: "refuseProspect", Spec: "sales.md §3.2"},
		{From: []State{StateRegistered}, Do: ActionAssociate, To: StateAssociated, Who: nobody, Spec: "sales.md §3.2"},
		{From: []State{StateRegistered}, Do: ActionLapse, To: StateLapsed, Who: nobody, Then: []string{"tell_filer"},
			Due: &flow.Due{Days: Days}, Spec: "sales.md §2.6, 3.2"},
	},
}
