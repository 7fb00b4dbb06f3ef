package signon

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"huoban/internal/account"
	"huoban/internal/audit"
	"huoban/internal/customer"
	"huoban/internal/fault"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/sso"
)

// Ticket gives a ticket to the browser it was made for. Fault: sso.ticket.unknown, alike for one that is
// unknown, over, or another browser's.
func (s *Service) Ticket(ctx context.Context, ticket string, browser []byte) (Ticket, error) {
	t, ok, err := s.Store.Ticket(ctx, TicketHash(ticket))
	if err != nil {
		return Ticket{}, err
	}
	if !ok || !s.Clock.Now().Before(t.ExpiresAt) || len(t.BrowserHash) == 0 || !bytes.Equal(browser, t.BrowserHash) {
		return Ticket{}, fault.NotFound("sso.ticket.unknown", nil)
	}
	return t, nil
}

// EnterInput is a customer's word on the page of a ticket.
type EnterInput struct {
	Peer      Peer
	Ticket    Ticket
	Consent   bool
	IP, Agent string
	Keep      map[string]string // values of the browser's session that the new one takes over
}

// Entered is who came in, by which session, and what the partner is told.
type Entered struct {
	Token  string
	Person account.Person
	Told   *BindResult // nil when the partner is not told
}

// Enter opens the session of a ticket whose customer is known. Faults: sso.ticket.unknown, sso.acct.*.
func (s *Service) Enter(ctx context.Context, in EnterInput) (Entered, error) {
	var out Entered
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		now := s.Clock.Now()
		p, known, err := s.known(ctx, in.Peer, in.Ticket.Asserted, now)
		if err != nil {
			return err
		}
		if !known {
			return denied("sso.acct.unlinked")
		}
		return s.finish(ctx, in, p, now, &out)
	})
	return out, err
}

// Create makes the customer, its person and the association its consent stands for, and lets it in. Somebody who
// was created meanwhile, in another window, just comes in. Faults: sso.link.consent, sso.link.not_bound,
// sso.ticket.unknown.
func (s *Service) Create(ctx context.Context, in EnterInput) (Entered, error) {
	if in.Peer.FirstEntry != sso.FirstEntryCreate {
		return Entered{}, denied("sso.link.not_bound")
	}
	if !in.Consent {
		return Entered{}, fault.Invalid("sso.link.consent", nil)
	}
	var out Entered
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		now, a := s.Clock.Now(), in.Ticket.Asserted
		p, known, err := s.known(ctx, in.Peer, a, now)
		if err != nil {
			return err
		}
		if known {
			return s.finish(ctx, in, p, now, &out)
		}
		code := codeFor(in.Peer.AccountType)
		name := displayName(a)
		org, err := s.Orgs.EnsureCustomer(ctx, self(), code, name)
		if err != nil {
			return err
		}
		if p, err = s.person(ctx, org, code, a, account.RoleAdmin); err != nil {
			return err
		}
		if err := s.agree(ctx, in.Peer, org, p); err != nil {
			return err
		}
		if err := s.bind(ctx, in.Peer, org.ID, p, a, BoundFirst, now); err != nil {
			return err
		}
		if err := s.finish(ctx, in, p, now, &out); err != nil {
			return err
		}
		return s.tell(ctx, in.Peer, a, org, p, 1, &out)
	})
	return out, err
}

// Bind links the platform's account to the customer of a person who has just signed in to it here. Faults:
// sso.link.blocked, .other_partner, .consent, sso.ticket.unknown.
func (s *Service) Bind(ctx context.Context, in EnterInput, p account.Person) (Entered, error) {
	if !in.Consent {
		return Entered{}, fault.Invalid("sso.link.consent", nil)
	}
	var out Entered
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		now, a := s.Clock.Now(), in.Ticket.Asserted
		known, ok, err := s.Store.CustomerOf(ctx, in.Peer.Partner.ID, a.XAccountID)
		if err != nil {
			return err
		}
		org, err := s.owned(ctx, p)
		if err != nil {
			return err
		}
		if ok && known != org.ID {
			return denied("sso.link.blocked")
		}
		if err := s.free(ctx, in.Peer.Partner.ID, org.ID, now); err != nil {
			return err
		}
		if err := s.associated(ctx, in.Peer.Partner.ID, org.ID, now); err != nil {
			if !fault.HasCode(err, "sso.acct.unlinked") {
				return err
			}
			if err := s.agree(ctx, in.Peer, org, p); err != nil {
				return err
			}
		}
		if err := s.bind(ctx, in.Peer, org.ID, p, a, BoundProved, now); err != nil {
			return err
		}
		if err := s.finish(ctx, in, p, now, &out); err != nil {
			return err
		}
		return s.tell(ctx, in.Peer, a, org, p, 1, &out)
	})
	return out, err
}

// Cancel closes the ticket; the partner is told that nothing was bound. Fault: sso.ticket.unknown.
func (s *Service) Cancel(ctx context.Context, in EnterInput) (Entered, error) {
	var out Entered
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		now := s.Clock.Now()
		t := in.Ticket
		t.State, t.SpentAt = TicketClosed, now
		if err := s.move(ctx, t, in.Ticket.State); err != nil {
			return err
		}
		if err := s.record(ctx, in.Peer, "", "sso.cancel", "", audit.OutcomeRefused, in.Ticket.Asserted); err != nil {
			return err
		}
		return s.tell(ctx, in.Peer, in.Ticket.Asserted, organisation.Organisation{}, account.Person{}, 0, &out)
	})
	return out, err
}

func (s *Service) move(ctx context.Context, t Ticket, from TicketState) error {
	ok, err := s.Store.MoveTicket(ctx, t, from)
	if err == nil && !ok {
		err = fault.NotFound("sso.ticket.unknown", nil)
	}
	return err
}

// finish spends the ticket and opens the session.
func (s *Service) finish(ctx context.Context, in EnterInput, p account.Person, now time.Time, out *Entered) error {
	t := in.Ticket
	t.State, t.SpentAt, t.PersonID, t.CustomerID = TicketEntered, now, p.ID, p.OrgID
	if err := s.move(ctx, t, in.Ticket.State); err != nil {
		return err
	}
	token, err := s.open(ctx, in.Peer, p, in.Ticket.Asserted, visit{in.IP, in.Agent, in.Keep}, now)
	*out = Entered{Token: token, Person: p}
	return err
}

// owned is the customer the person may decide for. Fault: sso.link.blocked.
func (s *Service) owned(ctx context.Context, p account.Person) (organisation.Organisation, error) {
	list, err := s.People.Memberships(ctx, p)
	if err != nil {
		return organisation.Organisation{}, err
	}
	for _, m := range list {
		for _, role := range m.Roles {
			if m.Organisation.Kind == organisation.KindCustomer && m.Organisation.ID == p.OrgID && role == account.RoleAdmin {
				return m.Organisation, nil
			}
		}
	}
	return organisation.Organisation{}, denied("sso.link.blocked")
}

// free: a customer belongs to one partner at a time. Fault: sso.link.other_partner.
func (s *Service) free(ctx context.Context, partnerID, customerID string, now time.Time) error {
	list, err := s.Associations.Of(ctx, customerID)
	if err != nil {
		return err
	}
	for _, a := range list {
		if a.PartnerID != partnerID && a.InForce(now) {
			return denied("sso.link.other_partner")
		}
	}
	return nil
}

// agree: the partner proposed by sending the customer here, the customer accepts.
func (s *Service) agree(ctx context.Context, peer Peer, org organisation.Organisation, p account.Person) error {
	items := []scope.Item{scope.ItemAssociationChange}
	_, err := s.Associations.Agree(ctx, scope.Partner(peer.Partner.ID, "", "sso:"+peer.Partner.Code, items, nil),
		scope.Customer(org.ID, p.ID, p.Login, items), customer.ProposeInput{CustomerID: org.ID, PartnerID: peer.Partner.ID, Kind: cmp.Or(peer.Association, customer.KindResale)})
	return err
}

var errTaken = fault.Unavailable("store.busy", nil)

// bind writes the link. Two first entries at once meet at its unique key: who loses begins again and is let in.
func (s *Service) bind(ctx context.Context, peer Peer, customerID string, p account.Person, a Asserted, how string, now time.Time) error {
	ok, err := s.Store.InsertLink(ctx, Link{PartnerID: peer.Partner.ID, AccountType: peer.AccountType, XAccountID: a.XAccountID, XUserID: a.XUserID,
		CustomerID: customerID, UserID: p.ID, BoundHow: how, LastAsserted: lastAsserted(a), BoundAt: now, Bound: true})
	if err != nil {
		return err
	}
	if !ok {
		return errTaken
	}
	if err := s.warnMoved(ctx, peer, customerID, a); err != nil {
		return err
	}
	return s.record(ctx, peer, customerID, "sso.link", p.Login, audit.OutcomeDone, a)
}

// warnMoved tells the partner that its platform named this customer as it named another before. The two stay
// apart: a name that lasts is no key here, but a platform that moves one has mixed up accounts, or people.
func (s *Service) warnMoved(ctx context.Context, peer Peer, customerID string, a Asserted) error {
	if a.Format == string(sso.NameIDTransient) || a.NameID == "" {
		return nil
	}
	other, found, err := s.Store.NamedBefore(ctx, peer.ID, a.NameID, customerID)
	if err != nil || !found {
		return err
	}
	err = s.Audit.Record(ctx, audit.Entry{Actor: "sso", OrgID: peer.Partner.ID, Action: "sso.warn.nameid_moved", Object: "platform:" + peer.AccountType, Outcome: audit.OutcomeDone,
		Detail: map[string]any{"registration": peer.Key, "x_account_id": a.XAccountID, "before": other.Asserted.XAccountID}})
	if err != nil || s.Moved == nil {
		return err
	}
	return s.Moved(ctx, peer, a.XAccountID, other.Asserted.XAccountID)
}

// join makes a person of an account that is known: the first of one made in advance owns it, a later one looks.
func (s *Service) join(ctx context.Context, peer Peer, customerID string, l Link, a Asserted, now time.Time) (account.Person, error) {
	org, err := s.Orgs.ByID(ctx, self(), customerID)
	if err != nil {
		return account.Person{}, err
	}
	if l.UserID != "" { // the same person again, after the customer came back to the partner
		p, err := s.People.PersonByID(ctx, l.UserID)
		if err != nil {
			return account.Person{}, err
		}
		if p.State != account.PersonActive {
			return account.Person{}, denied("sso.acct.suspended")
		}
		return p, s.bind(ctx, peer, customerID, p, a, l.BoundHow, now)
	}
	role := account.RoleViewer
	if l.Bound {
		role = account.RoleAdmin
	}
	p, err := s.person(ctx, org, codeFor(peer.AccountType), a, role)
	if err != nil {
		return account.Person{}, err
	}
	if !l.Bound {
		return p, s.bind(ctx, peer, customerID, p, a, BoundFirst, now)
	}
	l.UserID, l.LastAsserted = p.ID, lastAsserted(a)
	if err := s.Store.SetLink(ctx, l, now); err != nil {
		return account.Person{}, err
	}
	return p, s.record(ctx, peer, customerID, "sso.link", p.Login, audit.OutcomeDone, a)
}

func (s *Service) person(ctx context.Context, org organisation.Organisation, login string, a Asserted, role string) (account.Person, error) {
	return s.People.AddLinked(ctx, self(), account.AddLinkedInput{Org: org, Login: login, Name: displayName(a), Phone: fitPhone(a.Mobile),
		Email: fitEmail(a.Email), Role: role})
}

var notInCode = regexp.MustCompile(`[^A-Za-z0-9_.-]`)

// codeFor makes a code nobody had yet, which tells where the account came from.
func codeFor(accountType string) string {
	head := strings.Trim(notInCode.ReplaceAllString(accountType, ""), "._-")
	if head == "" {
		head = "c"
	}
	return strings.ToLower(head[:min(len(head), 40)]) + "-" + sso.NewToken()[:16]
}

// displayName is a name to show; keys stay as they came.
func displayName(a Asserted) string {
	name := strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, norm.NFC.String(a.Name)))
	if name == "" {
		name = a.XAccountID
	}
	if r := []rune(name); len(r) > 100 {
		name = string(r[:100])
	}
	return name
}

// fitEmail and fitPhone keep a contact that has the form of one; it stays unverified.
func fitEmail(s string) string {
	if (account.Contact{Name: "-", Email: s}).Validate() != nil {
		return ""
	}
	return s
}

func fitPhone(s string) string {
	if (account.Contact{Name: "-", Phone: s}).Validate() != nil {
		return ""
	}
	return s
}

func lastAsserted(a Asserted) string {
	b, _ := json.Marshal(map[string]string{"name": a.Name, "mobile": a.Mobile, "email": a.Email}) // strings never fail
	return string(b)
}

// visit is where a sign-in comes from.
type visit struct {
	ip, agent string
	keep      map[string]string
}

// open keeps the session and its entry in the index, and records who came in.
func (s *Service) open(ctx context.Context, peer Peer, p account.Person, a Asserted, v visit, now time.Time) (string, error) {
	until := now.Add(maxSession)
	if !a.NotOnOrAfter.IsZero() && a.NotOnOrAfter.Before(until) {
		until = a.NotOnOrAfter
	}
	entry := Session{ID: newID(), PeerID: peer.ID, CustomerID: p.OrgID, UserID: p.ID, Asserted: a, CreatedAt: now}
	values := map[string]string{ValueSession: entry.ID, ValueUntil: until.UTC().Format(time.RFC3339), ValuePartner: peer.Partner.ID}
	for k, text := range v.keep {
		values[k] = text
	}
	token, hash, err := s.Sessions.Open(ctx, p.ID, v.ip, v.agent, values, until)
	if err != nil {
		return "", err
	}
	entry.Hash = hash
	if err := s.Store.InsertSession(ctx, entry); err != nil {
		return "", err
	}
	if err := s.Store.InsertAccepted(ctx, peer.ID, sso.PurposeSignIn, p.OrgID, a, v.ip, now); err != nil {
		return "", err
	}
	return token, s.record(ctx, peer, p.OrgID, "person.sign_in", p.Login, audit.OutcomeDone, a)
}

// record writes one line for the customer and one for the partner; a customer nobody knows has none.
func (s *Service) record(ctx context.Context, peer Peer, customerID, action, login, outcome string, a Asserted) error {
	detail := map[string]any{"how": "saml", "partner": peer.Partner.Code, "registration": peer.Key, "assertion": a.AssertionID, "x_account_id": a.XAccountID}
	object := "platform:" + peer.AccountType
	who := login
	if who == "" {
		who = "unknown"
	} else if action == "person.sign_in" {
		object = "person:" + login
	}
	if customerID != "" {
		if err := s.Audit.Record(ctx, audit.Entry{Actor: who, OrgID: customerID, Action: action, Object: object, Outcome: outcome, Detail: detail}); err != nil {
			return err
		}
		if action == "person.sign_in" {
			return nil
		}
	}
	return s.Audit.Record(ctx, audit.Entry{Actor: who, OrgID: peer.Partner.ID, Action: action, Object: object, Outcome: outcome, Detail: detail})
}
