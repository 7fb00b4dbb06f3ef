// Package hosted is the sales platform that the portal hosts for partners without one (托管销售平台): what a console
// asked about a customer, whether that customer is the partner's own, what is handed over, and under which name.
//
// It owns questions, consents, the names customers have at consoles and the index of their sessions there; it does
// not own the reading and writing of messages (sso), registrations and keys (registry), or sign-in (account, session).
//
// Invariants: a question is answered once and a message taken once, whatever replica they reach; nothing is handed
// over to a console before the customer saw what and agreed; a persistent name is the same at one console for ever
// and tells nothing at another; a partner's platform sends only the customers associated with it.
package hosted

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"strings"
	"time"

	"huoban/internal/account"
	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/customer"
	"huoban/internal/fault"
	"huoban/internal/organisation"
	"huoban/internal/sso"
)

// How long things live.
const (
	QuestionLife = 15 * time.Minute // between a console's question and the customer's answer
	keepExpired  = 24 * time.Hour
)

// Question is what waits for a customer: a console asked, or the customer wishes to go there (no RequestID).
type Question struct {
	Hash       []byte
	HostID     string
	ConsoleID  string
	RequestID  string
	ACS        string
	Format     sso.NameIDFormat
	Context    string
	RelayState string
	ForceAuthn bool
	Passive    bool
	CreatedAt  time.Time
	ExpiresAt  time.Time
	AnsweredAt time.Time
}

// Answer says where the answer goes; status is empty for a success.
func (q Question) Answer(status string) sso.Answer {
	return sso.Answer{ACS: sso.Endpoint{URL: q.ACS, Binding: sso.BindingPost}, InResponseTo: q.RequestID, RelayState: q.RelayState, Status: status}
}

// Consent is what a person agreed to hand over to a console whenever it goes there.
type Consent struct {
	PersonID, ConsoleID, CustomerID string
	Given                           string
	At                              time.Time
}

// Visit is a session of a customer at a console, which a logout of either side can end.
type Visit struct {
	ID, HostID, ConsoleID, CustomerID, PersonID string
	Group                                       []byte // of the visits of one session here
	NameID                                      sso.NameID
	SessionIndex                                string
	Context                                     string
	Released                                    []string // names of the attributes
	AuthnAt, Until, CreatedAt, EndedAt          time.Time
}

// Store keeps them. Writing methods need a running transaction.
type Store interface {
	Leaver

	// Spend writes a message; false when it is known.
	Spend(ctx context.Context, scope, kind, messageID string, until, at time.Time) (bool, error)

	InsertQuestion(ctx context.Context, q Question) error
	Question(ctx context.Context, hash []byte) (Question, bool, error)
	// AnswerQuestion marks a question answered; false when it was.
	AnswerQuestion(ctx context.Context, hash []byte, at time.Time) (bool, error)

	// NameOf gives the name a person has at a console.
	NameOf(ctx context.Context, personID, consoleID string) (string, bool, error)
	// InsertName gives a person a name at a console unless it has one.
	InsertName(ctx context.Context, customerID, personID, consoleID, name string, at time.Time) error

	Consent(ctx context.Context, personID, consoleID string) (Consent, bool, error)
	ConsentsOf(ctx context.Context, personID string) ([]Consent, error)
	PutConsent(ctx context.Context, c Consent) error
	// DropConsent takes one back; false when there is none.
	DropConsent(ctx context.Context, personID, consoleID string) (bool, error)

	InsertVisit(ctx context.Context, v Visit) error
	TouchConsole(ctx context.Context, consoleID string, at time.Time) error
	// EmailVerified is when a person's e-mail address was proved; false if it never was.
	EmailVerified(ctx context.Context, personID string) (bool, error)
	// Purge removes questions and signings out that expired before.
	Purge(ctx context.Context, before time.Time) (int64, error)
}

// Tx runs a function in one transaction; fn may be run again.
type Tx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// People is what is asked of accounts.
type People interface {
	Memberships(ctx context.Context, p account.Person) ([]account.Membership, error)
}

// Associations is what is asked of associations.
type Associations interface {
	Of(ctx context.Context, customerID string) ([]customer.Association, error)
}

// Deps is what the service stands on.
type Deps struct {
	Store        Store
	Tx           Tx
	Audit        audit.Recorder
	Clock        clock.Clock
	People       People
	Associations Associations
	Consoles     Consoles
	Sessions     Sessions
}

// Service answers consoles for hosted platforms.
type Service struct{ Deps }

// New makes the service.
func New(d Deps) *Service { return &Service{d} }

var lower32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}

// TicketHash is how the database knows a ticket.
func TicketHash(ticket string) []byte {
	sum := sha256.Sum256([]byte("sso.question\x00" + ticket))
	return sum[:]
}

// GroupHash is how the database knows the visits of one session.
func GroupHash(group string) []byte {
	sum := sha256.Sum256([]byte("sso.visits\x00" + group))
	return sum[:]
}

// NewGroup names the visits that one session will make.
func NewGroup() string { return lower32.EncodeToString(random(16)) }

// Ask takes a verified question of a console once and gives the ticket under which the customer answers it. Fault:
// sso.idp.replay.
func (s *Service) Ask(ctx context.Context, h sso.Host, r sso.AuthnRequest) (string, error) {
	q := Question{HostID: h.ID, ConsoleID: r.Console.ID, RequestID: r.ID, ACS: r.ACS.URL, Format: r.NameIDFormat, Context: r.Context, RelayState: r.RelayState,
		ForceAuthn: r.ForceAuthn, Passive: r.IsPassive}
	return s.wait(ctx, q, func(ctx context.Context, now time.Time) error {
		ok, err := s.Store.Spend(ctx, r.Console.ID, "authn_request", r.ID, r.KeepUntil, now)
		if err == nil && !ok {
			err = sso.Refuse(sso.CodeIdPReplay, "spendRequest", "", r.ID)
		}
		return err
	})
}

// Wish is the customer's own: to go to a console, which did not ask.
func (s *Service) Wish(ctx context.Context, h sso.Host, c sso.Console, acs sso.Endpoint) (string, error) {
	q := Question{HostID: h.ID, ConsoleID: c.ID, ACS: acs.URL, Format: c.NameIDFormat}
	return s.wait(ctx, q, func(context.Context, time.Time) error { return nil })
}

func (s *Service) wait(ctx context.Context, q Question, first func(ctx context.Context, now time.Time) error) (string, error) {
	ticket, now := lower32.EncodeToString(random(16)), s.Clock.Now()
	q.Hash, q.CreatedAt, q.ExpiresAt = TicketHash(ticket), now, now.Add(QuestionLife)
	return ticket, s.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := first(ctx, now); err != nil {
			return err
		}
		return s.Store.InsertQuestion(ctx, q)
	})
}

// Question finds what waits under a ticket at a host. Faults: hosted.question_unknown, .question_over.
func (s *Service) Question(ctx context.Context, h sso.Host, ticket string) (Question, error) {
	q, ok, err := s.Store.Question(ctx, TicketHash(ticket))
	switch {
	case err != nil:
		return q, err
	case !ok || q.HostID != h.ID:
		return q, fault.NotFound("hosted.question_unknown", nil)
	case !q.AnsweredAt.IsZero() || !s.Clock.Now().Before(q.ExpiresAt):
		return q, fault.Conflict("hosted.question_over", nil)
	}
	return q, nil
}

// CustomerOf is the customer a person stands for at a partner's platform. Fault: sso.acct.unlinked.
func (s *Service) CustomerOf(ctx context.Context, p account.Person, partnerID string) (organisation.Organisation, error) {
	if p.State != account.PersonActive {
		return organisation.Organisation{}, fault.Denied("sso.acct.suspended", nil)
	}
	members, err := s.People.Memberships(ctx, p)
	if err != nil {
		return organisation.Organisation{}, err
	}
	now := s.Clock.Now()
	for _, m := range members {
		if m.Organisation.Kind != organisation.KindCustomer {
			continue
		}
		list, err := s.Associations.Of(ctx, m.Organisation.ID)
		if err != nil {
			return organisation.Organisation{}, err
		}
		for _, a := range list {
			if a.PartnerID == partnerID && a.InForce(now) {
				return m.Organisation, nil
			}
		}
	}
	return organisation.Organisation{}, fault.Denied("sso.acct.unlinked", nil)
}

// NewSessionIndex names a session to a console.
func NewSessionIndex() string { return "_" + hex.EncodeToString(random(16)) }

// Given says in one line what a console is granted: another line is another grant.
func Given(c sso.Console, f sso.NameIDFormat) string {
	parts := []string{string(f)}
	for _, r := range c.Attributes {
		parts = append(parts, r.Name+"="+r.Field)
	}
	return strings.Join(parts, "\n")
}

// Purge removes what has expired; an hourly job calls it.
func (s *Service) Purge(ctx context.Context) (n int64, err error) {
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		n, err = s.Store.Purge(ctx, s.Clock.Now().Add(-keepExpired))
		return err
	})
	return n, err
}
