// Package signon is the jump of a partner's customer into the portal (跳转登录): the request that begins it, the
// one transaction that spends the answer, who the customer is here, and the session that ends with either side.
//
// It owns requests, tickets, links and the index of sessions by their subject; it does not own the reading of
// messages (sso), registrations and keys, or the cookie (session).
//
// Invariants: a request is answered once and a message taken once, whatever replica they reach; a customer is
// found by (partner, xAccountId) alone, never by a name, an e-mail or a telephone number; a link is made only
// after the customer's consent, and to an existing account only after its owner signed in to it here; what is
// asserted fills nothing that a person edited.
package signon

import (
	"context"
	"time"

	"huoban/internal/account"
	"huoban/internal/customer"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/sso"
)

// Peer is what is asked of a registration here.
type Peer struct {
	ID, Key     string
	Partner     organisation.Organisation
	AccountType string
	FirstEntry  sso.FirstEntry
	Association customer.Kind // of who comes in for the first time; empty: 代售
	NotifyURL   string
	Sign        func(data []byte) ([]byte, error) // with the key of our side, RSA-SHA256; nil without one
}

// Seen is a message that was taken; it is refused until it could not be valid any more.
type Seen struct {
	Scope, Kind, ID string
	Until           time.Time
}

// Asserted is what an accepted message says of the customer. Values are as received.
type Asserted struct {
	XAccountID      string            `json:"x_account_id"`
	XUserID         string            `json:"x_user_id"`
	Name            string            `json:"name,omitempty"`
	Mobile          string            `json:"mobile,omitempty"`
	Email           string            `json:"email,omitempty"`
	Attributes      map[string]string `json:"attributes,omitempty"`
	NameID          string            `json:"name_id"`
	Format          string            `json:"format,omitempty"`
	NameQualifier   string            `json:"name_qualifier,omitempty"`
	SPNameQualifier string            `json:"sp_name_qualifier,omitempty"`
	SessionIndex    string            `json:"session_index,omitempty"`
	AuthnContext    string            `json:"authn_context,omitempty"`
	AuthnAt         time.Time         `json:"authn_at"`
	NotOnOrAfter    time.Time         `json:"not_on_or_after,omitzero"` // of the session, if the platform says
	AssertionID     string            `json:"assertion_id"`
	DriftMS         int64             `json:"drift_ms"`
}

// Ticket is where an accepted answer stands between the platform and the page it leads to. Asserted is set while
// nobody is signed in by it yet.
type Ticket struct {
	Hash        []byte
	PeerID      string
	BrowserHash []byte
	State       TicketState
	ReturnID    string
	Path, Query string
	FirstLogin  bool
	Asserted    Asserted
	CustomerID  string
	PersonID    string
	CreatedAt   time.Time
	ExpiresAt   time.Time
	SpentAt     time.Time
}

// TicketState says what the page of a ticket has to do.
type TicketState string

// The states: signed in, lead on; known, but another session may be open; not known yet; closed by the customer,
// whose partner is to be told.
const (
	TicketEntered TicketState = "entered"
	TicketKnown   TicketState = "known"
	TicketNew     TicketState = "new"
	TicketClosed  TicketState = "closed"
)

// Link binds a user of a platform to a person here. UserID is empty for an account made in advance whose person
// has not come yet.
type Link struct {
	ID, PartnerID, AccountType, XAccountID, XUserID, CustomerID, UserID string
	BoundHow                                                            string
	LastAsserted                                                        string
	Bound                                                               bool
	BoundAt                                                             time.Time
}

// Known is the customer of an account of a platform, the link of one of its users, if there is or was one, and
// who that is: id, organisation, login, name and state.
type Known struct {
	CustomerID string
	Link       Link
	Person     account.Person
}

// How a link came about.
const (
	BoundByAPI     = "api"
	BoundFirst     = "first_entry"
	BoundProved    = "proved"
	endedByPeer    = "peer"
	endedHere      = "here"
	endedByRule    = "rule"
	sideSP         = "sp"
	SideIdP        = "idp" // of a refusal at a hosted platform
	kindBindResult = "sso.bind_result"
)

// Session is a session that began with a platform's word, as a logout of either side finds it.
type Session struct {
	ID, PeerID, CustomerID, UserID string
	Hash                           []byte
	Asserted                       Asserted
	CreatedAt                      time.Time
	EndedAt                        time.Time
	EndedBy                        string
}

// Refusal is what staff learn of a sign-in that did not come about.
type Refusal struct {
	Ref, Side, Route, PeerID, PartnerID, Code, Step, Facts string
	MessageSHA                                             []byte
	IssuerSeen, RequestID, IP, Agent                       string
	At                                                     time.Time
}

// Store keeps requests, messages, tickets, links and sessions. Writing methods need a running transaction.
type Store interface {
	InsertRequest(ctx context.Context, r sso.Request) error
	RequestByID(ctx context.Context, id string) (sso.Request, bool, error)
	// Consume marks a request answered; false when it was.
	Consume(ctx context.Context, id string, at time.Time) (bool, error)
	// Spend writes messages; false when one of them is known.
	Spend(ctx context.Context, list []Seen, at time.Time) (bool, error)

	InsertTicket(ctx context.Context, t Ticket) error
	Ticket(ctx context.Context, hash []byte) (Ticket, bool, error)
	// MoveTicket changes a ticket from a state, once; false when it is in another.
	MoveTicket(ctx context.Context, t Ticket, from TicketState) (bool, error)

	// Known gives what is known of a platform's user; false when nothing is of the account.
	Known(ctx context.Context, partnerID, xAccountID, xUserID string) (Known, bool, error)
	// LinkOf gives the newest link of a user, bound or not any more.
	LinkOf(ctx context.Context, partnerID, xAccountID, xUserID string) (Link, bool, error)
	CustomerOf(ctx context.Context, partnerID, xAccountID string) (string, bool, error)
	LinksOfCustomer(ctx context.Context, customerID string) ([]Link, error)
	// InsertLink writes the link, and the account if it is new; false when one of them is taken.
	InsertLink(ctx context.Context, l Link) (bool, error)
	SetLink(ctx context.Context, l Link, at time.Time) error
	UnbindCustomer(ctx context.Context, partnerID, customerID string, at time.Time) (int64, error)

	InsertSession(ctx context.Context, s Session) error
	Session(ctx context.Context, id string) (Session, bool, error)
	// Living says of a session whether it has not ended, its registration is still active, and its customer the
	// partner's at that instant.
	Living(ctx context.Context, id string, at time.Time) (bool, error)
	// SetAuthn notes what a new sign-in of a session's person said.
	SetAuthn(ctx context.Context, id string, a Asserted) error
	SessionsOfSubject(ctx context.Context, peerID string, a Asserted) ([]Session, error)
	SessionsOfPerson(ctx context.Context, personID string) ([]Session, error)
	// NamedBefore gives the latest session of another customer that the platform named so.
	NamedBefore(ctx context.Context, peerID, nameID, customerID string) (Session, bool, error)
	EndSession(ctx context.Context, id, by string, at time.Time) (bool, error)
	EndOfPartner(ctx context.Context, partnerID, customerID, by string, at time.Time) ([]Session, error)

	InsertAccepted(ctx context.Context, peerID string, p sso.Purpose, customerID string, a Asserted, ip string, at time.Time) error
	// RepeatRefusal counts one more of the same code, address and registration since then; ref is that one's.
	RepeatRefusal(ctx context.Context, r Refusal, since time.Time) (ref string, ok bool, err error)
	InsertRefusal(ctx context.Context, r Refusal) error
	// Purge removes requests, messages and tickets that expired before, and refusals older than keep.
	Purge(ctx context.Context, expired, refused time.Time) (int64, error)
}

// Tx runs a function in one transaction; fn may be run again.
type Tx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// Associations is what is asked of associations.
type Associations interface {
	Of(ctx context.Context, customerID string) ([]customer.Association, error)
	// Agree makes the association that the partner proposed by its platform and the customer just accepted.
	Agree(ctx context.Context, proposer, accepter scope.Scope, in customer.ProposeInput) (customer.Association, error)
}
