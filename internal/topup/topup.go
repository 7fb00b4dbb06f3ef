// Package topup brings money into the top-up account (充值): through an online gateway, by a transfer to the partner's
// own remittance account number (专属汇款账号), or by a claim of a transfer that came without it (汇款认领).
//
// It owns top-ups, remittance accounts, the lines of the vendor's bank statements and the claims on them; it does not
// own balances (ledger) or who may pay for a partner (agreement). Invariants: a top-up, a transfer and a claim credit an
// account once; a transfer is credited to one partner, and what somebody else paid only under an agreement in force on
// the day; a partner never learns of a transfer it cannot name by amount, day and payer.
//
// Spec: docs/funds.md
package topup

import (
	"context"
	"time"

	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/foureyes"
	"huoban/internal/money"
	"huoban/internal/scope"
)

// State is where an online top-up stands: 待支付, 处理中, 成功, 失败, 已取消.
type State string

// The states.
const (
	StatePending    State = "pending"
	StateProcessing State = "processing"
	StateSucceeded  State = "succeeded"
	StateFailed     State = "failed"
	StateCancelled  State = "cancelled"
)

// Action is what moves a top-up.
type Action string

// The actions: 去支付, 支付成功, 支付失败, 取消.
const (
	ActionPay     Action = "pay"
	ActionSucceed Action = "succeed"
	ActionFail    Action = "fail"
	ActionCancel  Action = "cancel"
)

// TopUp is one online top-up. Number is what people call it.
type TopUp struct {
	ID, VendorID, PartnerID string
	Number                  string
	State                   State
	Version                 int64
	Gateway, GatewayRef     string
	Currency                string
	Amount                  money.Amount
	CreatedBy               string
	CreatedAt, ChangedAt    time.Time
}

// The bounds of one top-up.
const (
	MinAmount = money.Unit
	MaxAmount = 10_000_000 * money.Unit
)

// Facts is what the guards judge. Case is of a claim alone.
type Facts struct {
	PartnerID, VendorID string
	Strange             bool   // somebody else paid, without an agreement in force on the day
	Payer, Day          string // for the refusal
	foureyes.Case
}

var (
	partnersOwn = flow.Guard[Facts]{Name: "partners_own", Code: "topup.not_own", Kind: fault.KindDenied,
		Holds: func(f Facts, who scope.Scope, _ time.Time) bool {
			return who.Is(scope.SidePartner, f.PartnerID)
		}}
	vendorsOwn = flow.Guard[Facts]{Name: "vendors_own", Code: "topup.not_own", Kind: fault.KindDenied,
		Holds: func(f Facts, who scope.Scope, _ time.Time) bool {
			return who.Is(scope.SideVendor, f.VendorID)
		}}
	payerAgreed = flow.Guard[Facts]{Name: "payer_agreed", Code: "topup.payer_not_agreed",
		Holds: func(f Facts, _ scope.Scope, _ time.Time) bool { return !f.Strange },
		Args:  func(f Facts, _ time.Time) fault.Args { return fault.Args{"payer": f.Payer, "day": f.Day} }}
	caseOf   = func(f Facts) foureyes.Case { return f.Case }
	together = flow.Guard[Facts]{Name: "two_persons", Code: "topup.one_enough",
		Holds: func(f Facts, _ scope.Scope, _ time.Time) bool { return f.Needed }}
	byPartner = []scope.Item{scope.ItemFundsChange}
	byVendor  = []scope.Item{scope.ItemRemittance}
	bySystem  = []scope.Item{flow.System}
)

// Flow is the machine of an online top-up.
var Flow = &flow.Table[State, Action, Facts]{
	Machine: "top_up",
	Path:    "/funds/top-ups/{id}",
	Start:   []State{StatePending},
	Final:   []State{StateSucceeded, StateFailed, StateCancelled},
	Rows: []flow.Row[State, Action, Facts]{
		{From: []State{StatePending}, Do: ActionPay, To: StateProcessing, Who: byPartner, When: []flow.Guard[Facts]{partnersOwn}, Ask: flow.AskNone, Noun: "payment", Spec: "docs/funds.md"},
		{From: []State{StatePending, StateProcessing}, Do: ActionSucceed, To: StateSucceeded, Who: bySystem, Then: []string{"post_entry"}, Ask: flow.AskNone, Spec: "docs/funds.md"},
		{From: []State{StatePending, StateProcessing}, Do: ActionFail, To: StateFailed, Who: bySystem, Ask: flow.AskNone, Spec: "docs/funds.md"},
		{From: []State{StatePending}, Do: ActionCancel, To: StateCancelled, Who: byPartner, When: []flow.Guard[Facts]{partnersOwn}, Ask: flow.AskConfirm, Noun: "cancellation", Spec: "docs/funds.md"},
	},
}

// Gateway takes payments online. What it tells of their result comes through Service.Finish.
type Gateway interface {
	// Name is stored with the top-up and is the end of its label, topup.gateway.<name>.
	Name() string
	// Begin opens a payment and gives the gateway's own number of it. The same top-up again gives the same number.
	Begin(ctx context.Context, t TopUp) (ref string, err error)
}

// Simulator is a gateway that takes no money. It is for development alone; the portal offers it under --dev only.
type Simulator struct{}

// Name implements Gateway.
func (Simulator) Name() string { return "simulator" }

// Begin implements Gateway.
func (Simulator) Begin(_ context.Context, t TopUp) (string, error) { return "SIM-" + t.Number, nil }

// Label is the key of a gateway's name.
func Label(gateway string) string { return "topup.gateway." + gateway }
