package account

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"huoban/internal/fault"
	"huoban/internal/id"
	"huoban/internal/organisation"
	"huoban/internal/scope"
)

var (
	loginShape = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{N}._@+-]{1,63}$`)
	emailShape = regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[^@\s]+$`)
	phoneShape = regexp.MustCompile(`^\+?[0-9][0-9 ()-]{3,30}$`)
)

// loginKey is the form in which logins are compared.
func loginKey(login string) string { return strings.ToLower(strings.TrimSpace(login)) }

func malformedLogin(login string) error {
	return fault.Invalid("account.login_malformed", fault.Args{"login": clip(login)})
}

func clip(s string) string {
	r := []rune(strings.ToValidUTF8(s, "?"))
	if len(r) > 64 {
		return string(r[:64]) + "…"
	}
	return string(r)
}

func checkText(s string, least, most int) error {
	n := utf8.RuneCountInString(strings.TrimSpace(s))
	if n < least || n > most || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		return fault.Invalid("account.name_malformed", nil)
	}
	return nil
}

// AddPersonInput names a new person. KeepPassword leaves out the forced change at first sign-in; the
// demo uses it, where the password is printed for everybody anyway.
type AddPersonInput struct {
	OrgCode      string
	Login        string
	Name         string
	Phone        string
	Email        string
	Roles        []string
	Password     string
	KeepPassword bool
}

// Validate checks what needs no look-up. Faults: account.login_malformed, .name_malformed,
// .email_malformed, .phone_malformed, those of CheckPassword.
func (in AddPersonInput) Validate() error {
	if !loginShape.MatchString(in.Login) {
		return malformedLogin(in.Login)
	}
	if err := (Contact{in.Name, in.Phone, in.Email}).Validate(); err != nil {
		return err
	}
	return CheckPassword(in.Password, in.Login)
}

// Contact is what may be changed about a person at any time.
type Contact struct{ Name, Phone, Email string }

// Validate checks the fields; phone and e-mail may be empty.
func (c Contact) Validate() error {
	if err := checkText(c.Name, 1, 100); err != nil {
		return err
	}
	if c.Email != "" && (len(c.Email) > 254 || !emailShape.MatchString(c.Email)) {
		return fault.Invalid("account.email_malformed", nil)
	}
	if c.Phone != "" && !phoneShape.MatchString(c.Phone) {
		return fault.Invalid("account.phone_malformed", nil)
	}
	return nil
}

// AddPersonResult is the person and whether it is new.
type AddPersonResult struct {
	Person Person
	Added  bool
}

// AddPerson makes a person with roles. The same login, organisation and roles again change nothing,
// the password least of all. Faults: those of Validate and CheckRoles, organisation.unknown,
// account.login_taken, scope.permission_missing.
func (s *Service) AddPerson(ctx context.Context, sc scope.Scope, in AddPersonInput) (AddPersonResult, error) {
	in.Login = strings.TrimSpace(in.Login)
	if strings.TrimSpace(in.Name) == "" {
		in.Name = in.Login
	}
	org, err := s.staffOf(ctx, sc, in.OrgCode)
	if err != nil {
		return AddPersonResult{}, err
	}
	known, err := s.Roles(ctx, org)
	if err != nil {
		return AddPersonResult{}, err
	}
	roles := normalRoles(in.Roles)
	if err := CheckRoles(roles, known); err != nil {
		return AddPersonResult{}, err
	}
	if err := within(sc, itemsOf(roles, known)); err != nil {
		return AddPersonResult{}, err
	}
	if again, found, err := s.sameAgain(ctx, in.Login, org, roles); err != nil || found {
		return again, err
	}
	if err := in.Validate(); err != nil {
		return AddPersonResult{}, err
	}
	hash, err := s.hasher.hash(ctx, in.Password)
	if err != nil {
		return AddPersonResult{}, err
	}
	p := Person{ID: id.New(), OrgID: org.ID, Login: in.Login, Name: strings.TrimSpace(in.Name), Phone: in.Phone, Email: in.Email,
		State: PersonActive, MustChange: !in.KeepPassword, CreatedAt: s.Clock.Now(), PasswordChangedAt: s.Clock.Now()}
	out := AddPersonResult{Person: p, Added: true}
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		if again, found, err := s.sameAgain(ctx, in.Login, org, roles); err != nil || found {
			out = again
			return err
		}
		if err := s.Store.InsertPerson(ctx, p, hash); err != nil {
			return err
		}
		if err := s.Store.SetGrants(ctx, p.ID, org.ID, roles); err != nil {
			return err
		}
		return s.recordPerson(ctx, sc.Login(), p, "person.add", map[string]any{"organisation": org.Code, "roles": roles})
	})
	return out, err
}

func (s *Service) sameAgain(ctx context.Context, login string, org organisation.Organisation, roles []string) (AddPersonResult, bool, error) {
	c, err := s.Store.Credentials(ctx, loginKey(login))
	if fault.Is(err, fault.KindNotFound) {
		return AddPersonResult{}, false, nil
	}
	if err != nil {
		return AddPersonResult{}, false, err
	}
	held, err := s.rolesIn(ctx, c.ID, org.ID)
	if err != nil {
		return AddPersonResult{}, false, err
	}
	if c.OrgID != org.ID || !slices.Equal(held, roles) {
		return AddPersonResult{}, false, fault.Conflict("account.login_taken", fault.Args{"login": login})
	}
	return AddPersonResult{Person: c.Person}, true, nil
}

func (s *Service) rolesIn(ctx context.Context, personID, orgID string) ([]string, error) {
	grants, err := s.Store.Grants(ctx, personID)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, g := range grants {
		if g.OrgID == orgID {
			out = append(out, g.Role)
		}
	}
	return normalRoles(out), nil
}

// staffOf is the organisation whose people the actor may change: any for the system, else its own.
func (s *Service) staffOf(ctx context.Context, sc scope.Scope, orgCode string) (organisation.Organisation, error) {
	org, err := s.Organisations.ByCode(ctx, self(), orgCode)
	if err != nil {
		return organisation.Organisation{}, err
	}
	if sc.Side() != scope.SideSystem && sc.OrgID() != org.ID {
		return organisation.Organisation{}, fault.NotFound("organisation.unknown", fault.Args{"code": clip(orgCode)})
	}
	return org, sc.Require(scope.ItemStaffChange)
}

// target is a person the actor may change, with the organisation acted for.
func (s *Service) target(ctx context.Context, sc scope.Scope, login string) (Person, error) {
	c, err := s.Store.Credentials(ctx, loginKey(login))
	if err != nil {
		if fault.Is(err, fault.KindNotFound) {
			return Person{}, fault.NotFound("account.unknown", fault.Args{"login": clip(login)})
		}
		return Person{}, err
	}
	if sc.Side() != scope.SideSystem && sc.OrgID() != c.OrgID {
		return Person{}, fault.NotFound("account.unknown", fault.Args{"login": clip(login)})
	}
	if err := sc.Require(scope.ItemStaffChange); err != nil {
		return c.Person, err
	}
	return c.Person, s.outranked(ctx, sc, c.Person)
}

// SetRoles replaces the roles a person holds in an organisation; persons of elsewhere become members
// that way, which only the operator may do. No roles end a membership, though never in the person's
// own organisation. A 主管 who stops being one leaves his managers without, to be placed again. Nobody changes
// the own roles, or gives what he has not himself. Faults: those of CheckRoles, account.unknown, .last_admin,
// .own_roles, .beyond, .outranked, organisation.unknown.
func (s *Service) SetRoles(ctx context.Context, sc scope.Scope, login, orgCode string, roles []string) error {
	org, err := s.staffOf(ctx, sc, orgCode)
	if err != nil {
		return err
	}
	p, err := s.target(ctx, sc, login)
	if err != nil {
		return err
	}
	roles = normalRoles(roles)
	if len(roles) > 0 || p.OrgID == org.ID {
		if roles, err = s.givable(ctx, sc, org, roles); err != nil {
			return err
		}
	}
	if p.ID == sc.PersonID() {
		return fault.Conflict("account.own_roles", nil)
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		before, err := s.rolesIn(ctx, p.ID, org.ID)
		if err != nil || slices.Equal(before, roles) {
			return err
		}
		if slices.Contains(before, RoleAdmin) && !slices.Contains(roles, RoleAdmin) {
			if err := s.otherAdmin(ctx, org, p.ID); err != nil {
				return err
			}
		}
		if err := s.Store.SetGrants(ctx, p.ID, org.ID, roles); err != nil {
			return err
		}
		if err := s.leaveTeams(ctx, sc, p, before, roles); err != nil {
			return err
		}
		return s.recordPerson(ctx, sc.Login(), p, "person.set_roles",
			map[string]any{"organisation": org.Code, "before": before, "after": roles})
	})
}

// leaveTeams keeps supervisor ties true after a change of roles.
func (s *Service) leaveTeams(ctx context.Context, sc scope.Scope, p Person, before, after []string) error {
	if slices.Contains(before, RoleManager) && !slices.Contains(after, RoleManager) && p.SupervisorID != "" {
		p.SupervisorID = ""
		if err := s.Store.UpdatePerson(ctx, p); err != nil {
			return err
		}
	}
	if !slices.Contains(before, RoleSupervisor) || slices.Contains(after, RoleSupervisor) {
		return nil
	}
	n, err := s.Store.ReleaseTeam(ctx, p.ID)
	if err != nil || n == 0 {
		return err
	}
	return s.recordPerson(ctx, sc.Login(), p, "person.release_team", map[string]any{"managers": n})
}

// otherAdmin refuses to leave an organisation without anybody who could let people in.
func (s *Service) otherAdmin(ctx context.Context, org organisation.Organisation, personID string) error {
	grants, err := s.Store.GrantsOf(ctx, org.ID)
	if err != nil {
		return err
	}
	for _, g := range grants {
		if g.Role != RoleAdmin || g.PersonID == personID {
			continue
		}
		p, err := s.Store.PersonByID(ctx, g.PersonID)
		if err != nil {
			return err
		}
		if p.State == PersonActive {
			return nil
		}
	}
	return fault.Conflict("account.last_admin", fault.Args{"organisation": org.Code})
}

// SetSupervisor puts a 客户经理 under a 客户经理主管 of the same organisation; an empty login takes
// the manager out of the team. Faults: account.unknown, .not_manager, .not_supervisor.
func (s *Service) SetSupervisor(ctx context.Context, sc scope.Scope, login, supervisorLogin string) error {
	p, err := s.target(ctx, sc, login)
	if err != nil {
		return err
	}
	var boss Person
	if supervisorLogin != "" {
		if boss, err = s.target(ctx, sc, supervisorLogin); err != nil {
			return err
		}
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		held, err := s.rolesIn(ctx, p.ID, p.OrgID)
		if err != nil {
			return err
		}
		if !slices.Contains(held, RoleManager) {
			return fault.Conflict("account.not_manager", fault.Args{"login": p.Login})
		}
		if boss.ID != "" {
			held, err := s.rolesIn(ctx, boss.ID, p.OrgID)
			if err != nil {
				return err
			}
			if !slices.Contains(held, RoleSupervisor) {
				return fault.Conflict("account.not_supervisor", fault.Args{"login": boss.Login})
			}
		}
		if p.SupervisorID == boss.ID {
			return nil
		}
		p.SupervisorID = boss.ID
		if err := s.Store.UpdatePerson(ctx, p); err != nil {
			return err
		}
		return s.recordPerson(ctx, sc.Login(), p, "person.set_supervisor", map[string]any{"supervisor": boss.Login})
	})
}

// SetContact changes name, phone and e-mail. Faults: those of Contact.Validate, account.unknown.
func (s *Service) SetContact(ctx context.Context, sc scope.Scope, login string, c Contact) error {
	if err := c.Validate(); err != nil {
		return err
	}
	p, err := s.target(ctx, sc, login)
	if err != nil {
		return err
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		if p.Name == c.Name && p.Phone == c.Phone && p.Email == c.Email {
			return nil
		}
		p.Name, p.Phone, p.Email = strings.TrimSpace(c.Name), c.Phone, c.Email
		if err := s.Store.UpdatePerson(ctx, p); err != nil {
			return err
		}
		return s.recordPerson(ctx, sc.Login(), p, "person.set_contact", nil)
	})
}

// VouchEmail notes, by the operator's word, that a person's e-mail address is its own: by it consoles may know the
// person. Doing it again changes nothing. Faults: account.unknown, .no_email, scope.permission_missing.
func (s *Service) VouchEmail(ctx context.Context, sc scope.Scope, login string) error {
	if sc.Side() != scope.SideSystem {
		return fault.Denied("scope.permission_missing", fault.Args{"item": string(scope.ItemStaffChange)})
	}
	p, err := s.target(ctx, sc, login)
	if err != nil {
		return err
	}
	if p.Email == "" {
		return fault.Invalid("account.no_email", fault.Args{"login": p.Login})
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		ok, err := s.Store.VerifyEmail(ctx, p.ID, p.Email, s.Clock.Now())
		if err != nil || !ok {
			return err
		}
		return s.recordPerson(ctx, sc.Login(), p, "person.verify_email", nil)
	})
}

// Disable stops a person from signing in and ends every session. Faults: account.unknown,
// .last_admin, .own_account.
func (s *Service) Disable(ctx context.Context, sc scope.Scope, login string) error {
	return s.setState(ctx, sc, login, PersonDisabled)
}

// Enable lets a disabled person sign in again. Faults: account.unknown.
func (s *Service) Enable(ctx context.Context, sc scope.Scope, login string) error {
	return s.setState(ctx, sc, login, PersonActive)
}

func (s *Service) setState(ctx context.Context, sc scope.Scope, login string, to PersonState) error {
	p, err := s.target(ctx, sc, login)
	if err != nil || p.State == to {
		return err
	}
	if p.ID == sc.PersonID() {
		return fault.Conflict("account.own_account", nil)
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		p, action := p, "person.enable"
		if to == PersonDisabled {
			action = "person.disable"
			if err := s.leave(ctx, sc, p); err != nil {
				return err
			}
		}
		p.State = to
		if err := s.Store.UpdatePerson(ctx, p); err != nil {
			return err
		}
		return s.recordPerson(ctx, sc.Login(), p, action, nil)
	})
}

// leave does what goes with disabling: nobody is left without an administrator, no session lives on.
func (s *Service) leave(ctx context.Context, sc scope.Scope, p Person) error {
	memberships, err := s.memberships(ctx, p.ID)
	if err != nil {
		return err
	}
	for _, m := range memberships {
		if slices.Contains(m.Roles, RoleAdmin) && sc.Side() != scope.SideSystem {
			if err := s.otherAdmin(ctx, m.Organisation, p.ID); err != nil {
				return err
			}
		}
	}
	if err := s.Store.RemoveContact(ctx, p.OrgID, p.ID); err != nil {
		return err
	}
	if err := s.Store.EndLinks(ctx, p.ID, s.Clock.Now()); err != nil {
		return err
	}
	return s.Sessions.RevokePerson(ctx, p.ID, "")
}
