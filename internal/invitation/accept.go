package invitation

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"huoban/internal/account"
	"huoban/internal/customer"
	"huoban/internal/fault"
	"huoban/internal/id"
	"huoban/internal/message"
	"huoban/internal/organisation"
	"huoban/internal/prospect"
	"huoban/internal/scope"
)

// Arrival is what stands behind a link: who invites, and to what.
type Arrival struct {
	Invitation Invitation
	Partner    organisation.Organisation
	Registered *prospect.Prospect // nil for a general link
}

// errOver is the one answer for every link that does not open.
func errOver() error { return fault.NotFound("invitation.link_over", nil) }

// Open finds what stands behind a link. Fault: invitation.link_over, alike for one that never was, is over, was used
// or withdrawn, and for one of a partner that is suspended or whose grant was taken back.
func (s *Service) Open(ctx context.Context, token string) (Arrival, error) {
	i, err := s.Store.ByHash(ctx, hashOf(token))
	if fault.Is(err, fault.KindNotFound) {
		return Arrival{}, errOver()
	}
	if err != nil {
		return Arrival{}, err
	}
	if !i.State.Opens() || i.Over(s.Clock.Now()) {
		return Arrival{}, errOver()
	}
	a := Arrival{Invitation: i}
	if a.Partner, err = s.Organisations.ByID(ctx, self(), i.PartnerID); err != nil {
		return a, err
	}
	if stopped, err := s.Organisations.Suspended(ctx, i.PartnerID); err != nil || stopped {
		if err == nil {
			err = errOver()
		}
		return Arrival{}, err
	}
	if open, err := s.Grants.Open(ctx, i.VendorID, i.PartnerID); err != nil || !open {
		if err == nil {
			err = errOver()
		}
		return Arrival{}, err
	}
	if i.ProspectID != "" {
		p, err := s.Prospects.Find(ctx, self(), i.ProspectID)
		if err != nil {
			return a, err
		}
		a.Registered = &p
	}
	return a, nil
}

// RegisterInput is what a new customer types.
type RegisterInput struct {
	Token           string
	Company         string
	Name            string
	Phone, Email    string
	Login, Password string
	Consent         bool
	Code            string // of the organisation; empty makes one, as whoever comes by a link has no say in it
}

// Joined is the customer that was associated, and its person.
type Joined struct {
	Organisation organisation.Organisation
	Person       account.Person
	Partner      organisation.Organisation
}

// Register makes a customer and its administrator and associates it by its consent, all or nothing. What refuses the
// association is kept as a try. Faults: invitation.link_over, .consent_missing, .login_refused, .refused with the
// reasons, organisation.name_malformed, those of a contact and of a password.
func (s *Service) Register(ctx context.Context, in RegisterInput) (Joined, error) {
	if err := in.check(); err != nil {
		return Joined{}, err
	}
	var out Joined
	err := s.attempt(ctx, in.Token, in.Company, "", func(ctx context.Context, a *Arrival) ([]Reason, error) {
		out = Joined{Partner: a.Partner}
		keys := prospect.KeysOf(prospect.Details{Name: in.Company, Phone: in.Phone, Email: in.Email})
		reasons, err := s.reasonsNew(ctx, a, keys)
		if err != nil || len(reasons) > 0 {
			return reasons, err
		}
		if out.Organisation, out.Person, err = s.create(ctx, a, in); err != nil {
			return nil, err
		}
		return nil, s.join(ctx, a, out.Organisation, out.Person, keys)
	})
	return out, err
}

func (in *RegisterInput) check() error {
	for _, x := range []*string{&in.Company, &in.Name, &in.Phone, &in.Email, &in.Login} {
		*x = strings.TrimSpace(*x)
	}
	if err := organisation.CheckName(in.Company); err != nil {
		return err
	}
	if in.Phone == "" {
		return fault.Invalid("account.phone_malformed", nil)
	}
	if err := (account.Contact{Name: in.Name, Phone: in.Phone, Email: in.Email}).Validate(); err != nil {
		return err
	}
	err := account.AddPersonInput{Login: in.Login, Name: in.Name, Phone: in.Phone, Email: in.Email, Password: in.Password}.Validate()
	if fault.HasCode(err, "account.login_malformed") {
		return errLogin()
	}
	if err != nil {
		return err
	}
	if !in.Consent {
		return fault.Invalid("invitation.consent_missing", nil)
	}
	return nil
}

// errLogin says no more than that another name is wanted.
func errLogin() error { return fault.Invalid("invitation.login_refused", nil) }

// create makes the organisation, known to the vendor of the invitation, and its administrator.
func (s *Service) create(ctx context.Context, a *Arrival, in RegisterInput) (organisation.Organisation, account.Person, error) {
	vendor := scope.Vendor(a.Invitation.VendorID, "", "invitation", []scope.Item{scope.ItemOrgChange})
	made, err := s.Organisations.Add(ctx, vendor, organisation.AddInput{Code: cmp.Or(in.Code, newCode()), Kind: organisation.KindCustomer, Name: in.Company})
	if err != nil {
		return organisation.Organisation{}, account.Person{}, err
	}
	p, err := s.People.AddPerson(ctx, self(), account.AddPersonInput{OrgCode: made.Organisation.Code, Login: in.Login, Name: in.Name, Phone: in.Phone,
		Email: in.Email, Roles: []string{account.RoleAdmin}, Password: in.Password, KeepPassword: true})
	if fault.HasCode(err, "account.login_taken") {
		err = errLogin()
	}
	return made.Organisation, p.Person, err
}

// newCode is a code nobody had yet.
func newCode() string {
	raw := make([]byte, 6)
	_, _ = rand.Read(raw) // never fails
	return "C" + strings.ToUpper(hex.EncodeToString(raw))
}

// Join associates the customer of a person who signed in. Faults: invitation.link_over, .consent_missing,
// .not_admin, .refused with the reasons.
func (s *Service) Join(ctx context.Context, p account.Person, token string, consent bool) (Joined, error) {
	if !consent {
		return Joined{}, fault.Invalid("invitation.consent_missing", nil)
	}
	org, err := s.OwnedBy(ctx, p)
	if err != nil {
		return Joined{}, err
	}
	var out Joined
	err = s.attempt(ctx, token, org.Name, org.ID, func(ctx context.Context, a *Arrival) ([]Reason, error) {
		out = Joined{Organisation: org, Person: p, Partner: a.Partner}
		keys := prospect.KeysOf(prospect.Details{Name: org.Name, Phone: p.Phone, Email: p.Email})
		reasons, err := s.reasonsKnown(ctx, a, org, keys)
		if err != nil || len(reasons) > 0 {
			return reasons, err
		}
		return nil, s.join(ctx, a, org, p, keys)
	})
	return out, err
}

// OwnedBy is the customer a person may decide for. Fault: invitation.not_admin.
func (s *Service) OwnedBy(ctx context.Context, p account.Person) (organisation.Organisation, error) {
	list, err := s.People.Memberships(ctx, p)
	if err != nil {
		return organisation.Organisation{}, err
	}
	for _, m := range list {
		for _, role := range m.Roles {
			if m.Organisation.ID == p.OrgID && role == account.RoleAdmin {
				return m.Organisation, nil
			}
		}
	}
	return organisation.Organisation{}, fault.Conflict("invitation.not_admin", nil)
}

// attempt runs one customer's attempt; what refuses it is written down, and then told.
func (s *Service) attempt(ctx context.Context, token, name, customerID string, do func(ctx context.Context, a *Arrival) ([]Reason, error)) error {
	var refused []Reason
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		refused = nil
		a, err := s.Open(ctx, token)
		if err != nil {
			return err
		}
		if refused, err = do(ctx, &a); err != nil || len(refused) == 0 {
			return err
		}
		return s.refuse(ctx, &a, name, customerID, refused[0])
	})
	if err != nil {
		return err
	}
	if len(refused) == 0 {
		return nil
	}
	var reasons []*fault.Error
	for _, r := range refused {
		reasons = append(reasons, fault.Conflict(told[r], nil))
	}
	return fault.Refused("invitation.refused", reasons)
}

// told is what the customer itself is told of a reason: never what others did.
var told = map[Reason]string{ReasonRegistrations: "invitation.registration_over", ReasonPhoneDiffers: "invitation.phone_differs", ReasonReserved: "invitation.reserved",
	ReasonIsPartner: "invitation.is_partner", ReasonOtherPartner: "invitation.other_partner", ReasonAlreadyYours: "invitation.already_associated",
	ReasonAccountOld: "invitation.account_old", ReasonSuspended: "invitation.suspended"}

// refuse keeps a try that failed; a link that many use stays as it is.
func (s *Service) refuse(ctx context.Context, a *Arrival, name, customerID string, r Reason) error {
	t := Try{ID: id.New(), InvitationID: a.Invitation.ID, At: s.Clock.Now(), Customer: name, CustomerID: customerID, Reason: r}
	if err := s.Store.InsertTry(ctx, t); err != nil {
		return err
	}
	if a.Invitation.General() {
		return s.record(ctx, self(), a.Invitation, "invitation.fail", map[string]any{"reason": string(r)})
	}
	_, err := s.fire(ctx, self(), a.Invitation, ActionFail, func(i *Invitation) { i.Reason = r })
	return err
}

// reasonsNew judges somebody who registers now.
func (s *Service) reasonsNew(ctx context.Context, a *Arrival, k prospect.Keys) ([]Reason, error) {
	reasons := a.registration()
	if a.Registered != nil && prospect.PhoneKey(a.Registered.Phone) != k.Phone {
		reasons = append(reasons, ReasonPhoneDiffers)
	}
	byOther, _, err := s.Prospects.Reserved(ctx, a.Invitation.VendorID, a.Invitation.PartnerID, k)
	if byOther {
		reasons = append(reasons, ReasonReserved)
	}
	return reasons, err
}

// registration judges what the link rests on.
func (a *Arrival) registration() []Reason {
	if a.Registered != nil && a.Registered.State != prospect.StateRegistered {
		return []Reason{ReasonRegistrations}
	}
	return nil
}

// reasonsKnown judges a customer that has an account.
func (s *Service) reasonsKnown(ctx context.Context, a *Arrival, org organisation.Organisation, k prospect.Keys) ([]Reason, error) {
	if org.Kind != organisation.KindCustomer {
		return []Reason{ReasonIsPartner}, nil
	}
	now := s.Clock.Now()
	reasons := a.registration()
	list, err := s.Customers.Of(ctx, org.ID)
	if err != nil {
		return nil, err
	}
	for _, x := range list {
		if x.InForce(now) || x.State == customer.StateActive && x.From.After(now) {
			if x.PartnerID == a.Invitation.PartnerID {
				reasons = append(reasons, ReasonAlreadyYours)
			} else {
				reasons = append(reasons, ReasonOtherPartner)
			}
			break
		}
	}
	if a.Registered == nil && now.Sub(org.CreatedAt) > YoungDays*24*time.Hour {
		reasons = append(reasons, ReasonAccountOld)
	}
	if a.Registered != nil && k.Phone != "" && prospect.PhoneKey(a.Registered.Phone) != k.Phone {
		reasons = append(reasons, ReasonPhoneDiffers)
	}
	stopped, err := s.Organisations.Suspended(ctx, org.ID)
	if err != nil {
		return nil, err
	}
	if stopped {
		reasons = append(reasons, ReasonSuspended)
	}
	byOther, _, err := s.Prospects.Reserved(ctx, a.Invitation.VendorID, a.Invitation.PartnerID, k)
	if byOther {
		reasons = append(reasons, ReasonReserved)
	}
	return reasons, err
}

// join writes the association the consent stands for, and what follows from it: the invitation is accepted, the
// registration came true, the inviting 客户经理 looks after the customer from this moment.
func (s *Service) join(ctx context.Context, a *Arrival, org organisation.Organisation, p account.Person, k prospect.Keys) error {
	i := a.Invitation
	items := []scope.Item{scope.ItemAssociationChange, scope.ItemAssignmentChange}
	inviter := scope.Partner(i.PartnerID, "", i.Label, items, nil)
	made, err := s.Customers.Agree(ctx, inviter, scope.Customer(org.ID, p.ID, p.Login, items), customer.ProposeInput{CustomerID: org.ID, PartnerID: i.PartnerID, Kind: i.Relation})
	if err != nil {
		return err
	}
	registration := i.ProspectID
	if registration == "" {
		if _, registration, err = s.Prospects.Reserved(ctx, i.VendorID, i.PartnerID, k); err != nil {
			return err
		}
	}
	if registration != "" {
		if err := s.Prospects.Associated(ctx, inviter, registration, org.ID); err != nil {
			return err
		}
	}
	if err := s.accepted(ctx, i, org); err != nil {
		return err
	}
	if err := s.own(ctx, inviter, i, org, made.From); err != nil {
		return err
	}
	return s.tell(ctx, i, org)
}

func (s *Service) accepted(ctx context.Context, i Invitation, org organisation.Organisation) error {
	now := s.Clock.Now()
	if err := s.Store.InsertTry(ctx, Try{ID: id.New(), InvitationID: i.ID, At: now, Customer: org.Name, CustomerID: org.ID}); err != nil {
		return err
	}
	if i.General() {
		if err := s.Store.Count(ctx, i.ID, org.ID); err != nil {
			return err
		}
		return s.record(ctx, self(), i, "invitation.accept", map[string]any{"customer": org.Code})
	}
	_, err := s.fire(ctx, self(), i, ActionAccept, func(n *Invitation) { n.Joined, n.CustomerID, n.Reason = i.Joined+1, org.ID, "" })
	if err != nil {
		return err
	}
	return s.supersede(ctx, self(), i.ProspectID, i.ID)
}

// own gives the customer into the care of who invited it, if that is a 客户经理.
func (s *Service) own(ctx context.Context, inviter scope.Scope, i Invitation, org organisation.Organisation, from time.Time) error {
	if i.PersonID == "" {
		return nil
	}
	ok, _, err := s.People.Manager(ctx, i.PartnerID, i.PersonID)
	if err != nil || !ok {
		return err
	}
	_, err = s.Customers.Assign(ctx, inviter, customer.AssignInput{CustomerID: org.ID, PersonID: i.PersonID, From: from})
	return err
}

func (s *Service) tell(ctx context.Context, i Invitation, org organisation.Organisation) error {
	people, err := s.People.Holders(ctx, i.PartnerID, scope.ItemAssociationChange)
	if err != nil {
		return err
	}
	if i.PersonID != "" && !slices.Contains(people, i.PersonID) {
		people = append(people, i.PersonID)
	}
	t := message.Teller{Organisations: s.Organisations, People: s.People, Bell: s.Bell}
	return t.Ring(ctx, i.PartnerID, people, message.Notice{Category: message.CategoryCustomer, Code: "customer_joined", Args: fault.Args{"Name": prospect.Masked(org.Name), "Label": i.Label}, Link: "/customers/" + org.ID})
}
