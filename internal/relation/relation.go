// Package relation changes what a partner and a customer are to each other (关联关系): another mode (关联模式变更), or the
// end of it (解除关联), asked by one side and agreed to by the other.
//
// It owns the request, its machine and the checks before one. It does not own the association itself (customer),
// which it changes only once both sides agreed.
//
// Invariants: an association changes by a request only with the consent of the side that did not ask; a customer has
// at most one open request; a side asks once in three months, and a partner not within three months of its customer.
//
// Spec: sales.md §3.3
package relation

import (
	"time"
	"unicode/utf8"

	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/fault"
)

// AnswerDays is how long a request waits for its answer.
const AnswerDays = 30

// QuietMonths is how long a side waits before it asks again.
const QuietMonths = 3

// MaxReason is how long a reason may be.
const MaxReason = 500

// Kind is what is asked.
type Kind string

// The kinds: 关联模式变更, 解除关联.
const (
	KindSwitch   Kind = "switch"
	KindDissolve Kind = "dissolve"
)

// Label is the key of the kind's name.
func (k Kind) Label() string { return "relation.kind." + string(k) }

// Side is who asked.
type Side string

// The sides.
const (
	SidePartner  Side = "partner"
	SideCustomer Side = "customer"
)

// When is from when a change holds.
type When string

// The moments: at the consent, or with the next month (GMT+08:00).
const (
	WhenConsent   When = "consent"
	WhenNextMonth When = "next_month"
)

// Label is the key of the moment's name.
func (w When) Label() string { return "relation.when." + string(w) }

// At is the instant a change holds from, if it is agreed to now.
func (w When) At(now time.Time) time.Time {
	if w == WhenNextMonth {
		return cycle.Of(now, cycle.Zone).End(cycle.Zone).UTC()
	}
	return now
}

// State is where a request stands.
type State string

// The states.
const (
	StateAwaitingCustomer State = "awaiting_customer"
	StateAwaitingPartner  State = "awaiting_partner"
	StateAgreed           State = "agreed"
	StateRefused          State = "refused"
	StateWithdrawn        State = "withdrawn"
	StateLapsed           State = "lapsed" // nobody answered in time
)

// Open tells whether the request waits for somebody.
func (s State) Open() bool { return s == StateAwaitingCustomer || s == StateAwaitingPartner }

// Request is one side's wish.
type Request struct {
	ID, CustomerID, PartnerID, AssociationID string
	Kind                                     Kind
	From, To                                 customer.Kind // the mode that is, and the one asked for
	By                                       Side
	Login                                    string
	When                                     When
	Reason                                   string
	State                                    State
	EffectiveAt                              time.Time // once agreed
	DecidedAt                                time.Time
	DecidedBy, Answer                        string
	Version                                  int64
	CreatedAt, ChangedAt                     time.Time
}

// AskInput is a wish as it is typed.
type AskInput struct {
	CustomerID string
	Kind       Kind
	To         customer.Kind // of a switch
	When       When
	Reason     string
	Understood bool
}

// Validate checks what needs no look-up. Faults: relation.kind_unknown, .when_unknown, .reason_missing,
// .reason_too_long, .not_understood.
func (in AskInput) Validate() error {
	switch {
	case in.Kind != KindSwitch && in.Kind != KindDissolve, in.Kind == KindSwitch && in.To != customer.KindResale && in.To != customer.KindReferral:
		return fault.Invalid("relation.kind_unknown", nil)
	case in.When != WhenConsent && in.When != WhenNextMonth:
		return fault.Invalid("relation.when_unknown", nil)
	case in.Reason == "":
		return fault.Invalid("relation.reason_missing", nil)
	case utf8.RuneCountInString(in.Reason) > MaxReason:
		return fault.Invalid("relation.reason_too_long", fault.Args{"limit": MaxReason})
	case !in.Understood:
		return fault.Invalid("relation.not_understood", nil)
	}
	return nil
}
