package account

import (
	"context"
	"slices"
	"strings"

	"huoban/internal/fault"
	"huoban/internal/id"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/sorted"
)

// MaxContacts is how many 客户联系人 an organisation names to its customers.
const MaxContacts = 5

// Member is a person as 组织成员 shows it: with the roles held in the organisation, the link that is open, and
// whether customers are given the name.
type Member struct {
	Person
	Roles   []string
	Link    *Link // open; nil otherwise
	Contact bool  // 客户联系人
	Foreign bool  // belongs to another organisation and only holds roles here
}

// Members lists the persons of the actor's organisation by login, and those of elsewhere who hold roles in it.
// Fault: scope.permission_missing.
func (s *Service) Members(ctx context.Context, sc scope.Scope) ([]Member, error) {
	if err := sc.Require(scope.ItemStaffView); err != nil {
		return nil, err
	}
	people, err := s.Store.Staff(ctx, sc)
	if err != nil {
		return nil, err
	}
	grants, err := s.Store.GrantsOf(ctx, sc.OrgID())
	if err != nil {
		return nil, err
	}
	links, err := s.Store.OpenLinks(ctx, sc.OrgID(), s.Clock.Now())
	if err != nil {
		return nil, err
	}
	contacts, err := s.Store.Contacts(ctx, sc.OrgID())
	if err != nil {
		return nil, err
	}
	var out []Member
	for _, p := range people {
		out = append(out, Member{Person: p, Contact: slices.Contains(contacts, p.ID)})
	}
	for _, g := range grants {
		i := slices.IndexFunc(out, func(m Member) bool { return m.ID == g.PersonID })
		if i < 0 {
			p, err := s.Store.PersonByID(ctx, g.PersonID)
			if err != nil {
				return nil, err
			}
			out, i = append(out, Member{Person: p, Foreign: true}), len(out)
		}
		out[i].Roles = append(out[i].Roles, g.Role)
	}
	for i := range links {
		if at := slices.IndexFunc(out, func(m Member) bool { return m.ID == links[i].PersonID }); at >= 0 {
			out[at].Link = &links[i]
		}
	}
	sorted.By(out, func(a, b Member) int { return strings.Compare(loginKey(a.Login), loginKey(b.Login)) })
	return out, nil
}

// Member finds one of Members. Fault: account.unknown.
func (s *Service) Member(ctx context.Context, sc scope.Scope, personID string) (Member, error) {
	all, err := s.Members(ctx, sc)
	if err != nil {
		return Member{}, err
	}
	for i := range all {
		if all[i].ID == personID {
			return all[i], nil
		}
	}
	return Member{}, fault.NotFound("account.unknown", fault.Args{"login": ""})
}

// mine is a person of the actor's own organisation whom it may change.
func (s *Service) mine(ctx context.Context, sc scope.Scope, personID string) (Person, error) {
	all, err := s.Store.Staff(ctx, sc) // looked for among the own, so that another's costs what an absent one does
	if err != nil {
		return Person{}, err
	}
	i := slices.IndexFunc(all, func(p Person) bool { return p.ID == personID })
	if i < 0 {
		return Person{}, fault.NotFound("account.unknown", fault.Args{"login": ""})
	}
	return s.target(ctx, sc, all[i].Login)
}

// InviteInput names a new person, who chooses the password.
type InviteInput struct {
	Login, Name, Phone, Email string
	Roles                     []string
}

// Invite makes a person without a password in the actor's organisation and opens a link for it, sent by mail
// where that is possible. The same again changes nothing. Faults: account.login_malformed, .login_taken, .beyond,
// those of Contact.Validate and CheckRoles, scope.permission_missing.
func (s *Service) Invite(ctx context.Context, sc scope.Scope, in InviteInput) (AddPersonResult, error) {
	in.Login, in.Name = strings.TrimSpace(in.Login), strings.TrimSpace(in.Name)
	org, err := s.ownOrg(ctx, sc)
	if err != nil {
		return AddPersonResult{}, err
	}
	roles, err := s.givable(ctx, sc, org, in.Roles)
	if err != nil {
		return AddPersonResult{}, err
	}
	if !loginShape.MatchString(in.Login) {
		return AddPersonResult{}, malformedLogin(in.Login)
	}
	if err := (Contact{in.Name, in.Phone, in.Email}).Validate(); err != nil {
		return AddPersonResult{}, err
	}
	var out AddPersonResult
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		if again, found, err := s.sameAgain(ctx, in.Login, org, roles); err != nil || found {
			out = again
			return err
		}
		now := s.Clock.Now()
		p := Person{ID: id.New(), OrgID: org.ID, Login: in.Login, Name: in.Name, Phone: in.Phone, Email: in.Email, State: PersonActive, CreatedAt: now, PasswordChangedAt: now}
		if err := s.Store.InsertPerson(ctx, p, ""); err != nil {
			return err
		}
		if err := s.Store.SetGrants(ctx, p.ID, org.ID, roles); err != nil {
			return err
		}
		out = AddPersonResult{Person: p, Added: true}
		if err := s.recordPerson(ctx, sc.Login(), p, "person.add", map[string]any{"organisation": org.Code, "roles": roles}); err != nil {
			return err
		}
		return s.openLink(ctx, sc.Login(), p, LinkInvitation)
	})
	return out, err
}

// ownOrg is the organisation the actor acts for, whose people it may change.
func (s *Service) ownOrg(ctx context.Context, sc scope.Scope) (organisation.Organisation, error) {
	org, err := s.Organisations.ByID(ctx, self(), sc.OrgID())
	if err != nil {
		return org, err
	}
	return org, sc.Require(scope.ItemStaffChange)
}

// givable are roles that may be held together and that hold nothing the actor has not.
func (s *Service) givable(ctx context.Context, sc scope.Scope, org organisation.Organisation, roles []string) ([]string, error) {
	known, err := s.Roles(ctx, org)
	if err != nil {
		return nil, err
	}
	roles = normalRoles(roles)
	if err := CheckRoles(roles, known); err != nil {
		return nil, err
	}
	return roles, within(sc, itemsOf(roles, known))
}

// within refuses to give what the actor has not: nobody makes himself or others more than he is.
// Fault: account.beyond.
func within(sc scope.Scope, items []scope.Item) error {
	n := 0
	for _, i := range items {
		if !sc.Has(i) {
			n++
		}
	}
	if n > 0 {
		return fault.Conflict("account.beyond", fault.Args{"count": n})
	}
	return nil
}

// outranked refuses an actor who wants to change somebody who may do more. Fault: account.outranked.
func (s *Service) outranked(ctx context.Context, sc scope.Scope, p Person) error {
	if sc.Side() == scope.SideSystem || p.ID == sc.PersonID() {
		return nil
	}
	org, err := s.Organisations.ByID(ctx, self(), p.OrgID)
	if err != nil {
		return err
	}
	known, err := s.Roles(ctx, org)
	if err != nil {
		return err
	}
	held, err := s.rolesIn(ctx, p.ID, p.OrgID)
	if err != nil {
		return err
	}
	if within(sc, itemsOf(held, known)) != nil {
		return fault.Conflict("account.outranked", nil)
	}
	return nil
}

// InviteAgain ends the open link of a person who has no password yet and opens another.
// Faults: account.unknown, .has_password, .disabled, .outranked.
func (s *Service) InviteAgain(ctx context.Context, sc scope.Scope, personID string) error {
	p, err := s.mine(ctx, sc, personID)
	if err != nil {
		return err
	}
	if p.HasPassword {
		return fault.Conflict("account.has_password", nil)
	}
	if p.State != PersonActive {
		return fault.Conflict("account.disabled", nil)
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error { return s.openLink(ctx, sc.Login(), p, LinkInvitation) })
}

// Reset takes a person's password away, ends every session and opens a link to choose another; the second factor
// stays. It could take over an account, so who asks has shown lately who it is. Faults: account.unknown,
// .own_account_reset, .disabled, .outranked.
func (s *Service) Reset(ctx context.Context, sc scope.Scope, personID string) error {
	p, err := s.mine(ctx, sc, personID)
	if err != nil {
		return err
	}
	switch {
	case p.ID == sc.PersonID():
		return fault.Conflict("account.own_account_reset", nil)
	case p.State != PersonActive:
		return fault.Conflict("account.disabled", nil)
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.Store.UpdatePassword(ctx, p.ID, "", false, s.Clock.Now()); err != nil {
			return err
		}
		if err := s.Sessions.RevokePerson(ctx, p.ID, ""); err != nil {
			return err
		}
		if err := s.recordPerson(ctx, sc.Login(), p, "person.reset_password", nil); err != nil {
			return err
		}
		return s.openLink(ctx, sc.Login(), p, LinkReset)
	})
}

// ResetFactor takes the second factor of somebody away who lost it, and ends every session. Who asks has shown lately
// who it is. Faults: account.unknown, .factor_none, .own_account_reset, .outranked.
func (s *Service) ResetFactor(ctx context.Context, sc scope.Scope, personID string) error {
	p, err := s.mine(ctx, sc, personID)
	if err != nil {
		return err
	}
	switch {
	case p.ID == sc.PersonID():
		return fault.Conflict("account.own_account_reset", nil)
	case !p.HasTOTP:
		return fault.Conflict("account.factor_none", nil)
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.dropFactor(ctx, p.ID); err != nil {
			return err
		}
		if err := s.Sessions.RevokePerson(ctx, p.ID, ""); err != nil {
			return err
		}
		return s.recordPerson(ctx, sc.Login(), p, "person.reset_factor", nil)
	})
}

// ShowLink gives the open link of a person, for handing it over where no mail arrives; that it was looked at is
// recorded. Faults: account.unknown, .link_none, .outranked.
func (s *Service) ShowLink(ctx context.Context, sc scope.Scope, personID string) (Link, string, error) {
	p, err := s.mine(ctx, sc, personID)
	if err != nil {
		return Link{}, "", err
	}
	all, err := s.Store.OpenLinks(ctx, p.OrgID, s.Clock.Now())
	if err != nil {
		return Link{}, "", err
	}
	i := slices.IndexFunc(all, func(l Link) bool { return l.PersonID == p.ID })
	if i < 0 {
		return Link{}, "", fault.Conflict("account.link_none", nil)
	}
	err = s.Tx.InTx(ctx, func(ctx context.Context) error { return s.recordPerson(ctx, sc.Login(), p, "person.show_link", nil) })
	return all[i], s.LinkToken(all[i].ID), err
}

// SetCustomerContact names a person to the organisation's customers, or no longer. Faults: account.unknown,
// .contacts_full, .disabled, .outranked.
func (s *Service) SetCustomerContact(ctx context.Context, sc scope.Scope, personID string, on bool) error {
	p, err := s.mine(ctx, sc, personID)
	if err != nil {
		return err
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		all, err := s.Store.Contacts(ctx, p.OrgID)
		if err != nil || slices.Contains(all, p.ID) == on {
			return err
		}
		if !on {
			if err := s.Store.RemoveContact(ctx, p.OrgID, p.ID); err != nil {
				return err
			}
			return s.recordPerson(ctx, sc.Login(), p, "person.remove_contact", nil)
		}
		if p.State != PersonActive {
			return fault.Conflict("account.disabled", nil)
		}
		if len(all) >= MaxContacts {
			return fault.Conflict("account.contacts_full", fault.Args{"max": MaxContacts})
		}
		if err := s.Store.AddContact(ctx, p.OrgID, p.ID, s.Clock.Now()); err != nil {
			return err
		}
		return s.recordPerson(ctx, sc.Login(), p, "person.add_contact", nil)
	})
}

// Contacts are the 客户联系人 of an organisation by name; without any, its administrators.
func (s *Service) Contacts(ctx context.Context, orgID string) ([]Person, error) {
	ids, err := s.Store.Contacts(ctx, orgID)
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		grants, err := s.Store.GrantsOf(ctx, orgID)
		if err != nil {
			return nil, err
		}
		for _, g := range grants {
			if g.Role == RoleAdmin {
				ids = append(ids, g.PersonID)
			}
		}
	}
	var out []Person
	for _, personID := range ids {
		p, err := s.Store.PersonByID(ctx, personID)
		if err != nil {
			return nil, err
		}
		if p.State == PersonActive {
			out = append(out, p)
		}
	}
	sorted.By(out, func(a, b Person) int { return strings.Compare(a.Name+a.ID, b.Name+b.ID) })
	return out, nil
}

// MayChange says why the actor may not change a person at all, nil if it may.
func (s *Service) MayChange(ctx context.Context, sc scope.Scope, m *Member) error {
	if err := sc.Require(scope.ItemStaffChange); err != nil {
		return err
	}
	if m.Foreign {
		return fault.Conflict("account.foreign", nil)
	}
	return s.outranked(ctx, sc, m.Person)
}

// MayLeave says why a person cannot be disabled, nil if it can.
func (s *Service) MayLeave(ctx context.Context, sc scope.Scope, m *Member) error {
	if m.ID == sc.PersonID() {
		return fault.Conflict("account.own_account", nil)
	}
	memberships, err := s.memberships(ctx, m.ID)
	if err != nil {
		return err
	}
	for _, x := range memberships {
		if slices.Contains(x.Roles, RoleAdmin) {
			if err := s.otherAdmin(ctx, x.Organisation, m.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// DeleteRoleFor removes a custom role; those who hold it get another in its place. An empty replacement takes the
// role from nobody and is refused while somebody holds it. Faults: those of DeleteRole and SetRoles.
func (s *Service) DeleteRoleFor(ctx context.Context, sc scope.Scope, orgCode, code, replacement string) error {
	org, err := s.roleOrg(ctx, sc, orgCode)
	if err != nil {
		return err
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		if replacement != "" && replacement != code {
			if err := s.replaceRole(ctx, sc, org, code, replacement); err != nil {
				return err
			}
		}
		return s.DeleteRole(ctx, sc, orgCode, code)
	})
}

func (s *Service) replaceRole(ctx context.Context, sc scope.Scope, org organisation.Organisation, code, replacement string) error {
	grants, err := s.Store.GrantsOf(ctx, org.ID)
	if err != nil {
		return err
	}
	for _, g := range grants {
		if g.Role != code {
			continue
		}
		p, err := s.Store.PersonByID(ctx, g.PersonID)
		if err != nil {
			return err
		}
		held, err := s.rolesIn(ctx, p.ID, org.ID)
		if err != nil {
			return err
		}
		held = append(slices.DeleteFunc(held, func(r string) bool { return r == code }), replacement)
		if err := s.SetRoles(ctx, sc, p.Login, org.Code, held); err != nil {
			return err
		}
	}
	return nil
}
