package signon

import (
	"context"
	"time"

	"huoban/internal/account"
	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/fault"
	"huoban/internal/organisation"
	"huoban/internal/outbox"
	"huoban/internal/scope"
	"huoban/internal/sso"
)

// Opener makes and ends sessions inside the running transaction; package session implements it.
type Opener interface {
	// Open keeps a session of the person and gives its token and the token's hash.
	Open(ctx context.Context, personID, ip, agent string, values map[string]string, until time.Time) (token string, hash []byte, err error)
	// EndByHash ends a session.
	EndByHash(ctx context.Context, hash []byte) error
}

// People is what is asked of accounts.
type People interface {
	PersonByID(ctx context.Context, personID string) (account.Person, error)
	Memberships(ctx context.Context, p account.Person) ([]account.Membership, error)
	AddLinked(ctx context.Context, sc scope.Scope, in account.AddLinkedInput) (account.Person, error)
}

// Organisations is what is asked of organisations.
type Organisations interface {
	ByID(ctx context.Context, sc scope.Scope, orgID string) (organisation.Organisation, error)
	EnsureCustomer(ctx context.Context, sc scope.Scope, code, name string) (organisation.Organisation, error)
}

// Deps is what the service stands on.
type Deps struct {
	Store        Store
	Tx           Tx
	Audit        audit.Recorder
	Clock        clock.Clock
	Sessions     Opener
	People       People
	Orgs         Organisations
	Associations Associations
	Queue        outbox.Enqueuer
	// Moved tells the partner's administrators, in the running transaction, that a name of its platform came with
	// another account than before; nil tells nobody.
	Moved func(ctx context.Context, peer Peer, account, before string) error
}

// Service decides who comes in.
type Service struct{ Deps }

// New makes the service.
func New(d Deps) *Service { return &Service{d} }

// self is the scope of what the program does for a customer who comes in.
func self() scope.Scope { return scope.System("sso") }

// Values a session carries: its entry of the index, when it ends and how long it may lie idle.
const (
	ValueSession = "sso"
	ValueUntil   = "until"
	ValuePartner = "sso_partner" // id of the partner
)

// AcceptInput is an answer whose every check has passed. Request is nil for one that nobody asked for.
type AcceptInput struct {
	Peer      Peer
	Request   *sso.Request
	Asserted  Asserted
	Messages  []Seen
	Browser   []byte      // hash of the browser's secret
	To        Destination // where an unasked answer leads
	IP, Agent string
}

// Accepted is what the browser gets: the ticket it goes on with, and the token of a session if one was opened.
type Accepted struct {
	Ticket string
	Token  string
}

// Accept spends request and messages, finds the customer and opens the session, all or nothing. An answer
// nobody asked for opens no session here: another customer's may be open in that browser, which does not show
// before the browser comes to a page of ours. Faults: sso.req.used, sso.replay.assertion, sso.acct.*, sso.link.*.
func (s *Service) Accept(ctx context.Context, in AcceptInput) (Accepted, error) {
	var out Accepted
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		now := s.Clock.Now()
		if err := s.spend(ctx, in, now); err != nil {
			return err
		}
		ticket, hash := newTicket()
		t := Ticket{Hash: hash, PeerID: in.Peer.ID, BrowserHash: in.Browser, State: TicketNew, Asserted: in.Asserted, ReturnID: in.To.ReturnID,
			Path: in.To.Path, Query: in.To.Query, CreatedAt: now, ExpiresAt: now.Add(ticketLife)}
		if r := in.Request; r != nil {
			t.ReturnID, t.Path, t.Query, t.FirstLogin = r.ReturnID, r.Path, r.Query, r.FirstLogin
		}
		out = Accepted{Ticket: ticket}
		p, known, err := s.known(ctx, in.Peer, in.Asserted, now)
		if err != nil {
			return err
		}
		if !known {
			if in.Peer.FirstEntry == sso.FirstEntryOff {
				return denied("sso.link.not_bound")
			}
			return s.Store.InsertTicket(ctx, t)
		}
		t.PersonID, t.CustomerID, t.State = p.ID, p.OrgID, TicketKnown
		if in.Request != nil {
			t.State = TicketEntered
			if out.Token, err = s.open(ctx, in.Peer, p, in.Asserted, visit{ip: in.IP, agent: in.Agent}, now); err != nil {
				return err
			}
		}
		return s.Store.InsertTicket(ctx, t)
	})
	return out, err
}

// spend takes request and messages, each once.
func (s *Service) spend(ctx context.Context, in AcceptInput, now time.Time) error {
	if in.Request != nil {
		ok, err := s.Store.Consume(ctx, in.Request.ID, now)
		if err != nil {
			return err
		}
		if !ok {
			return denied("sso.req.used")
		}
	}
	ok, err := s.Store.Spend(ctx, in.Messages, now)
	if err == nil && !ok {
		err = denied("sso.replay.assertion")
	}
	return err
}

func denied(code string) *fault.Error { return fault.Denied(code, nil) }

// known finds the person of the platform's user. A user who is new to a known account becomes its member, able
// to look only. Faults: sso.acct.suspended, .unlinked.
func (s *Service) known(ctx context.Context, peer Peer, a Asserted, now time.Time) (account.Person, bool, error) {
	k, known, err := s.Store.Known(ctx, peer.Partner.ID, a.XAccountID, a.XUserID)
	if err != nil || !known {
		return account.Person{}, false, err
	}
	if err := s.associated(ctx, peer.Partner.ID, k.CustomerID, now); err != nil {
		return account.Person{}, false, err
	}
	l, p := k.Link, k.Person
	if !l.Bound || l.UserID == "" {
		p, err = s.join(ctx, peer, k.CustomerID, l, a, now)
		return p, err == nil, err
	}
	if p.State != account.PersonActive {
		return account.Person{}, false, denied("sso.acct.suspended")
	}
	if text := lastAsserted(a); text != l.LastAsserted {
		l.LastAsserted = text
		return p, true, s.Store.SetLink(ctx, l, now)
	}
	return p, true, nil
}

// associated: the partner speaks for a customer while the customer is its own.
func (s *Service) associated(ctx context.Context, partnerID, customerID string, now time.Time) error {
	list, err := s.Associations.Of(ctx, customerID)
	if err != nil {
		return err
	}
	for _, a := range list {
		if a.PartnerID == partnerID && a.InForce(now) {
			return nil
		}
	}
	return denied("sso.acct.unlinked")
}
