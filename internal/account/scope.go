package account

import (
	"context"
	"slices"
	"sort"

	"huoban/internal/audit"
	"huoban/internal/fault"
	"huoban/internal/organisation"
	"huoban/internal/scope"
)

// PersonByID gives a person for a session. Faults: account.unknown.
func (s *Service) PersonByID(ctx context.Context, personID string) (Person, error) {
	return s.Store.PersonByID(ctx, personID)
}

// PersonByLogin gives a person by login in any case. Faults: account.unknown.
func (s *Service) PersonByLogin(ctx context.Context, login string) (Person, error) {
	c, err := s.Store.Credentials(ctx, loginKey(login))
	if fault.Is(err, fault.KindNotFound) {
		return Person{}, fault.NotFound("account.unknown", fault.Args{"login": clip(login)})
	}
	return c.Person, err
}

// Memberships lists the organisations the person may act for, its own first.
func (s *Service) Memberships(ctx context.Context, p Person) ([]Membership, error) {
	out, err := s.memberships(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	for i := range out {
		if err := s.name(ctx, &out[i]); err != nil {
			return nil, err
		}
	}
	sort.SliceStable(out, func(i, j int) bool {
		a, b := out[i].Organisation, out[j].Organisation
		if (a.ID == p.OrgID) != (b.ID == p.OrgID) {
			return a.ID == p.OrgID
		}
		return a.Code < b.Code
	})
	return out, nil
}

// name fills in what the custom roles of a membership are called.
func (s *Service) name(ctx context.Context, m *Membership) error {
	side := SideOf(m.Organisation.Kind)
	if !slices.ContainsFunc(m.Roles, func(code string) bool { return !isPreset(side, code) }) {
		return nil
	}
	custom, err := s.Store.CustomRoles(ctx, m.Organisation.ID)
	m.Named = map[string]string{}
	for _, r := range custom {
		m.Named[r.Code] = r.Name
	}
	return err
}

func (s *Service) memberships(ctx context.Context, personID string) ([]Membership, error) {
	grants, err := s.Store.Grants(ctx, personID)
	if err != nil {
		return nil, err
	}
	var out []Membership
	for _, g := range grants {
		i := slices.IndexFunc(out, func(m Membership) bool { return m.Organisation.ID == g.OrgID })
		if i < 0 {
			o, err := s.Organisations.ByID(ctx, self(), g.OrgID)
			if err != nil {
				return nil, err
			}
			out, i = append(out, Membership{Organisation: o}), len(out)
		}
		out[i].Roles = append(out[i].Roles, g.Role)
	}
	return out, nil
}

// ScopeOf is what the person may see and do when acting for the organisation, by id or code. An
// organisation the person is no member of is answered as an absent one; so is every one for a
// disabled person. Faults: organisation.unknown.
func (s *Service) ScopeOf(ctx context.Context, p Person, org string) (scope.Scope, error) {
	unknown := fault.NotFound("organisation.unknown", fault.Args{"code": clip(org)})
	if p.State != PersonActive {
		return scope.Scope{}, unknown
	}
	all, err := s.memberships(ctx, p.ID)
	if err != nil {
		return scope.Scope{}, err
	}
	i := slices.IndexFunc(all, func(m Membership) bool { return m.Organisation.ID == org || m.Organisation.Code == org })
	if i < 0 {
		return scope.Scope{}, unknown
	}
	return s.scopeIn(ctx, p, all[i])
}

func (s *Service) scopeIn(ctx context.Context, p Person, m Membership) (scope.Scope, error) {
	org := m.Organisation
	known, err := s.Roles(ctx, org)
	if err != nil {
		return scope.Scope{}, err
	}
	items := itemsOf(m.Roles, known)
	switch SideOf(org.Kind) {
	case scope.SideVendor:
		return scope.Vendor(org.ID, p.ID, p.Login, items), nil
	case scope.SideCustomer:
		return scope.Customer(org.ID, p.ID, p.Login, items), nil
	case scope.SidePartner:
		return s.partnerScope(ctx, p, m, items)
	}
	return scope.Scope{}, nil
}

// partnerScope adds a distributor's resellers, and narrows 客户经理 and 客户经理主管 who hold no other
// role to the customers assigned to them or to their team.
func (s *Service) partnerScope(ctx context.Context, p Person, m Membership, items []scope.Item) (scope.Scope, error) {
	org := m.Organisation
	var resellers []string
	if org.Kind == organisation.KindDistributor {
		below, err := s.Organisations.Resellers(ctx, org.ID)
		if err != nil {
			return scope.Scope{}, err
		}
		for _, r := range below {
			resellers = append(resellers, r.ID)
		}
	}
	sc := scope.Partner(org.ID, p.ID, p.Login, items, resellers)
	manager, supervisor := narrowed(scope.SidePartner, m.Roles)
	if !manager && !supervisor {
		return sc, nil
	}
	people := []string{p.ID}
	if supervisor {
		team, err := s.Store.Team(ctx, org.ID, p.ID)
		if err != nil {
			return scope.Scope{}, err
		}
		people = team
	}
	if len(people) == 0 {
		return sc.Limited(nil), nil
	}
	windows, err := s.Windows.Windows(ctx, org.ID, people)
	if err != nil {
		return scope.Scope{}, err
	}
	return sc.Limited(windows), nil
}

// Roles lists the roles persons of the organisation may hold: presets, then its own by code.
func (s *Service) Roles(ctx context.Context, org organisation.Organisation) ([]Role, error) {
	side := SideOf(org.Kind)
	custom, err := s.Store.CustomRoles(ctx, org.ID)
	if err != nil {
		return nil, err
	}
	out := Presets(side)
	for _, r := range custom {
		r.Side = side
		r.Items = union(everyRole, r.Items)
		out = append(out, r)
	}
	return out, nil
}

// AllPresets lists the presets of every side, for `portal role list`.
func AllPresets() []Role {
	var out []Role
	for _, side := range []scope.Side{scope.SideVendor, scope.SidePartner, scope.SideCustomer} {
		out = append(out, Presets(side)...)
	}
	return out
}

// SaveRole makes or replaces a custom role of the organisation; it may hold what the actor holds. Faults: those
// of CheckCustomRole, account.role_name_taken, .beyond, organisation.unknown, scope.permission_missing.
func (s *Service) SaveRole(ctx context.Context, sc scope.Scope, orgCode string, r Role) error {
	org, err := s.roleOrg(ctx, sc, orgCode)
	if err != nil {
		return err
	}
	r.OrgID, r.Side, r.Preset, r.Items = org.ID, SideOf(org.Kind), false, union(r.Items)
	if err := CheckCustomRole(r); err != nil {
		return err
	}
	if err := within(sc, r.Items); err != nil {
		return err
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		custom, err := s.Store.CustomRoles(ctx, org.ID)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(custom, func(k Role) bool { return k.Code != r.Code && k.Name == r.Name }) {
			return fault.Conflict("account.role_name_taken", fault.Args{"name": r.Name})
		}
		if err := s.Store.SaveRole(ctx, r, s.Clock.Now()); err != nil {
			return err
		}
		return s.recordRole(ctx, sc, org, "role.save", r)
	})
}

// DeleteRole removes a custom role nobody holds. Faults: account.role_unknown, .role_held.
func (s *Service) DeleteRole(ctx context.Context, sc scope.Scope, orgCode, code string) error {
	org, err := s.roleOrg(ctx, sc, orgCode)
	if err != nil {
		return err
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		custom, err := s.Store.CustomRoles(ctx, org.ID)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(custom, func(r Role) bool { return r.Code == code })
		if i < 0 {
			return fault.NotFound("account.role_unknown", fault.Args{"role": clip(code), "known": codes(custom)})
		}
		held, err := s.Store.GrantsOf(ctx, org.ID)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(held, func(g Grant) bool { return g.Role == code }) {
			return fault.Conflict("account.role_held", fault.Args{"role": code})
		}
		if err := s.Store.DeleteRole(ctx, org.ID, code); err != nil {
			return err
		}
		return s.recordRole(ctx, sc, org, "role.delete", custom[i])
	})
}

func (s *Service) roleOrg(ctx context.Context, sc scope.Scope, orgCode string) (organisation.Organisation, error) {
	org, err := s.Organisations.ByCode(ctx, self(), orgCode)
	if err != nil {
		return org, err
	}
	if sc.Side() != scope.SideSystem && sc.OrgID() != org.ID {
		return org, fault.NotFound("organisation.unknown", fault.Args{"code": clip(orgCode)})
	}
	return org, sc.Require(scope.ItemRoleChange)
}

// Staff lists the persons inside the scope in order of organisation and login. The organisations are
// those the persons belong to; roles are the ones held there. Fault: scope.permission_missing.
func (s *Service) Staff(ctx context.Context, sc scope.Scope) ([]Staff, error) {
	if err := sc.Require(scope.ItemStaffView); err != nil {
		return nil, err
	}
	people, err := s.Store.Staff(ctx, sc)
	if err != nil {
		return nil, err
	}
	orgs := map[string]organisation.Organisation{}
	held := map[string][]string{}
	out := make([]Staff, 0, len(people))
	for _, p := range people {
		if _, ok := orgs[p.OrgID]; !ok {
			o, err := s.Organisations.ByID(ctx, self(), p.OrgID)
			if err != nil {
				return nil, err
			}
			orgs[p.OrgID] = o
			grants, err := s.Store.GrantsOf(ctx, p.OrgID)
			if err != nil {
				return nil, err
			}
			for _, g := range grants {
				held[g.PersonID+"/"+g.OrgID] = append(held[g.PersonID+"/"+g.OrgID], g.Role)
			}
		}
		out = append(out, Staff{Person: p, OrgCode: orgs[p.OrgID].Code, Roles: normalRoles(held[p.ID+"/"+p.OrgID])})
	}
	sort.SliceStable(out, func(i, j int) bool {
		if out[i].OrgCode != out[j].OrgCode {
			return out[i].OrgCode < out[j].OrgCode
		}
		return out[i].Login < out[j].Login
	})
	return out, nil
}

func (s *Service) recordRole(ctx context.Context, sc scope.Scope, org organisation.Organisation, action string, r Role) error {
	return s.Audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: org.ID, Action: action, Object: "role:" + org.Code + "/" + r.Code,
		Outcome: "done", Detail: map[string]any{"name": r.Name, "items": r.Items}})
}

// Manager tells whether the person is an active 客户经理 of the organisation, and under whom.
func (s *Service) Manager(ctx context.Context, orgID, personID string) (ok bool, supervisorID string, err error) {
	p, err := s.Store.PersonByID(ctx, personID)
	if fault.Is(err, fault.KindNotFound) {
		return false, "", nil
	}
	if err != nil {
		return false, "", err
	}
	held, err := s.rolesIn(ctx, personID, orgID)
	return slices.Contains(held, RoleManager) && p.State == PersonActive, p.SupervisorID, err
}

// ListRoles lists the roles of an organisation; without a code, for the operator, the presets of every
// side. Faults: organisation.unknown, scope.permission_missing.
func (s *Service) ListRoles(ctx context.Context, sc scope.Scope, orgCode string) ([]Role, error) {
	if err := sc.Require(scope.ItemRoleView); err != nil {
		return nil, err
	}
	if orgCode == "" && sc.Side() == scope.SideSystem {
		return AllPresets(), nil
	}
	org, err := s.Organisations.ByCode(ctx, self(), orgCode)
	if err != nil {
		return nil, err
	}
	if sc.Side() != scope.SideSystem && sc.OrgID() != org.ID {
		return nil, fault.NotFound("organisation.unknown", fault.Args{"code": clip(orgCode)})
	}
	return s.Roles(ctx, org)
}
