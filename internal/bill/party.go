package bill

import (
	"time"
)

// Org is an organisation as pricing needs it.
type Org struct {
	ID, Code, Name, Kind, ParentID string
}

// Relation is how a customer belongs to a partner.
type Relation string

// The relations: 代售 enters the partner bill, 顾问销售 does not.
const (
	RelationResale   Relation = "resale"
	RelationReferral Relation = "referral"
)

// Link is the partner of a customer during [From, To); zero times are unbounded.
type Link struct {
	PartnerID string
	Relation  Relation
	From, To  time.Time
}

// Covers tells whether the instant lies in the interval.
func (l Link) Covers(at time.Time) bool {
	return (l.From.IsZero() || !at.Before(l.From)) && (l.To.IsZero() || at.Before(l.To))
}

// Parties answers who buys what from whom. A partner's own organisation standing as customer is its
// own partner, by resale.
type Parties interface {
	Org(id string) (Org, bool)
	// PartnerAt finds the customer's partner at an instant. Also without a partner (ok false) the
	// link says for which interval the answer holds.
	PartnerAt(customerID string, at time.Time) (l Link, ok bool)
	// Entity is the contracting entity (签约主体) of a buyer for lines of a source: the source's own,
	// else the one agreed with the partner, else the vendor's default. taxInDue tells whether its
	// bills count tax into the amount due.
	Entity(sourceID, partnerID string) (e Party, taxInDue bool, ok bool)
}

// Slot is what pricing must know of a slot: whose it is and in which zone its days are.
type Slot struct {
	ID         int64
	SourceID   string
	SourceName string
	Zone       *time.Location
}
