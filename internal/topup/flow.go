package topup

import (
	"time"

	"huoban/internal/flow"
	"huoban/internal/foureyes"
	"huoban/internal/money"
)

// RemittanceState is where an incoming transfer stands: 待认领, 已到账 (matched by itself), 已认领.
type RemittanceState string

// The states of a remittance.
const (
	RemittanceUnclaimed RemittanceState = "unclaimed"
	RemittanceCredited  RemittanceState = "credited"
	RemittanceClaimed   RemittanceState = "claimed"
)

// RemittanceAction is what moves a remittance: 认领, 自动匹配.
type RemittanceAction string

// RemittanceClaim happens when a claim on it is approved, RemittanceMatch when an agreement comes to cover its payer.
const (
	RemittanceClaim RemittanceAction = "claim"
	RemittanceMatch RemittanceAction = "match"
)

// RemittanceFlow is the machine of an incoming transfer.
var RemittanceFlow = &flow.Table[RemittanceState, RemittanceAction, Facts]{
	Machine: "remittance",
	Start:   []RemittanceState{RemittanceUnclaimed, RemittanceCredited},
	Final:   []RemittanceState{RemittanceCredited, RemittanceClaimed},
	Rows: []flow.Row[RemittanceState, RemittanceAction, Facts]{
		{From: []RemittanceState{RemittanceUnclaimed}, Do: RemittanceClaim, To: RemittanceClaimed, Who: bySystem, Then: []string{"post_entry"}, Ask: flow.AskNone, Spec: "docs/funds.md"},
		{From: []RemittanceState{RemittanceUnclaimed}, Do: RemittanceMatch, To: RemittanceCredited, Who: bySystem, Then: []string{"post_entry"}, Ask: flow.AskNone, Spec: "docs/funds.md"},
	},
}

// ClaimState is where a claim stands: 审核中, 待复核, 已认领, 已驳回, 已撤回.
type ClaimState string

// The states of a claim.
const (
	ClaimReviewing ClaimState = "reviewing"
	ClaimSecond    ClaimState = "second_review"
	ClaimApproved  ClaimState = "approved"
	ClaimRefused   ClaimState = "refused"
	ClaimWithdrawn ClaimState = "withdrawn"
)

// ClaimAction is what moves a claim: 通过, 初审通过, 复核通过, 驳回, 撤回.
type ClaimAction string

// The actions.
const (
	ClaimApprove       ClaimAction = "approve"
	ClaimForward       ClaimAction = "forward"
	ClaimApproveSecond ClaimAction = "approve_second"
	ClaimRefuse        ClaimAction = "refuse"
	ClaimWithdraw      ClaimAction = "withdraw"
)

// ClaimFlow is the machine of 汇款认领.
var ClaimFlow = &flow.Table[ClaimState, ClaimAction, Facts]{
	Machine: "remittance_claim",
	Path:    "/remittance-claims/{id}",
	Start:   []ClaimState{ClaimReviewing},
	Final:   []ClaimState{ClaimApproved, ClaimRefused, ClaimWithdrawn},
	Within:  map[ClaimState]int{ClaimReviewing: 1, ClaimSecond: 1},
	Rows: []flow.Row[ClaimState, ClaimAction, Facts]{
		{From: []ClaimState{ClaimReviewing}, Do: ClaimApprove, To: ClaimApproved, Who: byVendor, When: []flow.Guard[Facts]{vendorsOwn, payerAgreed, foureyes.Alone(caseOf)}, Then: []string{"claim_remittance"},
			Ask: flow.AskConfirm, Noun: "approval", Op: "approveRemittanceClaim", Spec: "docs/funds.md"},
		{From: []ClaimState{ClaimReviewing}, Do: ClaimForward, To: ClaimSecond, Who: byVendor, When: []flow.Guard[Facts]{vendorsOwn, payerAgreed, together}, Then: []string{"note_first"},
			Ask: flow.AskConfirm, Noun: "first-approval", Op: "forwardRemittanceClaim", Spec: "docs/funds.md"},
		{From: []ClaimState{ClaimSecond}, Do: ClaimApproveSecond, To: ClaimApproved, Who: byVendor, When: []flow.Guard[Facts]{vendorsOwn, payerAgreed, foureyes.Second(caseOf)}, Then: []string{"claim_remittance"},
			Ask: flow.AskConfirm, Noun: "second-approval", Op: "approveRemittanceClaim", Spec: "docs/funds.md"},
		{From: []ClaimState{ClaimReviewing, ClaimSecond}, Do: ClaimRefuse, To: ClaimRefused, Who: byVendor, When: []flow.Guard[Facts]{vendorsOwn},
			Ask: flow.AskReason, Noun: "refusal", Op: "refuseRemittanceClaim", Spec: "docs/funds.md"},
		{From: []ClaimState{ClaimReviewing, ClaimSecond}, Do: ClaimWithdraw, To: ClaimWithdrawn, Who: byPartner, When: []flow.Guard[Facts]{partnersOwn},
			Ask: flow.AskConfirm, Noun: "withdrawal", Op: "withdrawRemittanceClaim", Spec: "docs/funds.md"},
	},
}

// Remittance is a line of the vendor's bank statement. PartnerID is whose it became.
type Remittance struct {
	ID, VendorID            string
	BankRef                 string
	State                   RemittanceState
	Version                 int64
	AccountNo               string
	PayerName, PayerAccount string
	Currency                string
	Amount                  money.Amount
	PaidOn                  string // of the bank, "2026-11-05"
	Purpose                 string
	PartnerID, PartnerCode  string
	ImportedBy              string
	ImportedAt, ChangedAt   time.Time
}

// Claim is what a partner says about a transfer.
type Claim struct {
	ID, VendorID, PartnerID  string
	PartnerCode, PartnerName string
	RemittanceID             string
	State                    ClaimState
	Version                  int64
	Currency                 string
	Amount                   money.Amount
	PaidOn                   string
	PayerName                string
	Note                     string
	CreatedBy                string
	CreatedAt                time.Time
	DecidedBy                string // of who approved it first, while it waits for another
	DecidedAt                time.Time
	Reason                   string
}

// Account is 专属汇款账号 of a partner at a vendor.
type Account struct {
	VendorID, PartnerID, Number string
	OpenedBy                    string
	OpenedAt                    time.Time
}

// Masked shows the last four digits of a bank account number.
func Masked(number string) string {
	r := []rune(number)
	if len(r) <= 4 {
		return "****"
	}
	return "**** " + string(r[len(r)-4:])
}
