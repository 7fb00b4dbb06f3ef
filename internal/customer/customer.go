// Package customer is which partner a customer belongs to (关联) and who looks after it (客户分配).
//
// It owns associations and manager assignments, both half-open intervals. It does not own the
// organisations themselves or what the customer consumed.
//
// Invariants: at any instant a customer has at most one association in force and at most one manager
// per partner; an association that ended still answers for the time it was in force.
package customer

import (
	"strings"
	"time"

	"huoban/internal/cycle"
)

// Kind is how a partner serves the customer.
type Kind string

// The kinds: 代售 (the partner buys and is billed), 顾问销售 (the customer is billed directly).
const (
	KindResale   Kind = "resale"
	KindReferral Kind = "referral"
)

// Label is the key of the kind's name.
func (k Kind) Label() string { return "association.kind." + string(k) }

// State is where an association stands.
type State string

// The states.
const (
	StateAwaitingCustomer State = "awaiting_customer" // the partner proposed, the customer decides
	StateAwaitingPartner  State = "awaiting_partner"  // the customer proposed, the partner decides
	StateActive           State = "active"
	StateRefused          State = "refused"
	StateWithdrawn        State = "withdrawn"
	StateEnded            State = "ended"
)

// ConsentByVendor is the consent note of an association the vendor entered: active at once.
const ConsentByVendor = "entered_by_vendor"

// consentAccepted begins the note of a consent; the login of who gave it follows.
const consentAccepted = "accepted_by:"

// Association ties a customer to a partner during [From, To); a zero From is the beginning of time,
// a zero To has no end.
type Association struct {
	ID, CustomerID, PartnerID string
	Kind                      Kind
	State                     State
	From, To                  time.Time
	ConsentNote               string
	Version                   int64
	CreatedAt                 time.Time
}

// ConsentLabel is the key of how the association came to be agreed; empty while it is not.
func (a Association) ConsentLabel() string {
	switch {
	case a.ConsentNote == ConsentByVendor:
		return "association.consent.entered_by_vendor"
	case strings.HasPrefix(a.ConsentNote, consentAccepted):
		return "association.consent.accepted"
	}
	return ""
}

// Assignment is a customer in the care of a 客户经理 of a partner during [From, To).
type Assignment struct {
	ID, PartnerID, CustomerID, PersonID string
	From, To                            time.Time
	CreatedBy                           string
	CreatedAt                           time.Time
}

// covers tells whether at lies in [from, to), zero bounds being open.
func covers(from, to, at time.Time) bool {
	return (from.IsZero() || !at.Before(from)) && (to.IsZero() || at.Before(to))
}

// overlap tells whether two half-open intervals share an instant.
func overlap(aFrom, aTo, bFrom, bTo time.Time) bool {
	return !empty(aFrom, aTo) && !empty(bFrom, bTo) && before(aFrom, bTo) && before(bFrom, aTo)
}

func before(from, to time.Time) bool { return from.IsZero() || to.IsZero() || from.Before(to) }

func empty(from, to time.Time) bool { return !before(from, to) }

// counts tells whether the association says who the partner was while it was in force.
func (a Association) counts() bool { return a.State == StateActive || a.State == StateEnded }

// InForce tells whether the partner serves the customer at that instant.
func (a Association) InForce(at time.Time) bool { return a.counts() && covers(a.From, a.To, at) }

// dayText writes a bound for a sentence, in the portal's own zone; "" is unbounded.
func dayText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(cycle.Zone).Format("2006-01-02 15:04")
}
