package account

import (
	"context"
	"slices"

	"huoban/internal/organisation"
	"huoban/internal/scope"
)

// Reach is whose data roles show.
type Reach string

// The reaches: 本组织全部客户, 下属客户经理的客户, 本人负责的客户; a vendor's and a customer's people see their
// organisation.
const (
	ReachAll  Reach = "all"
	ReachTeam Reach = "team"
	ReachOwn  Reach = "own"
	ReachOrg  Reach = "organisation"
)

// Label is the key of the reach's name.
func (r Reach) Label() string { return "account.reach." + string(r) }

// ReachOf is whose data a person with the roles sees.
func ReachOf(side scope.Side, roles []string) Reach {
	manager, supervisor := narrowed(side, normalRoles(roles))
	switch {
	case side != scope.SidePartner:
		return ReachOrg
	case manager:
		return ReachOwn
	case supervisor:
		return ReachTeam
	}
	return ReachAll
}

// Widens tells whether a 客户经理 or 客户经理主管 would see all customers for holding another role too, and did
// not before.
func Widens(side scope.Side, before, after []string) bool {
	if ReachOf(side, after) != ReachAll || !slices.Contains(after, RoleManager) && !slices.Contains(after, RoleSupervisor) {
		return false
	}
	return len(before) == 0 || ReachOf(side, before) != ReachAll
}

// Preview is the scope somebody with the roles would have in the organisation, without customers of his own;
// draft stands for a role that is not saved yet. It is for showing, not for reading with.
func (s *Service) Preview(ctx context.Context, org organisation.Organisation, roles []string, draft *Role) (scope.Scope, error) {
	known, err := s.Roles(ctx, org)
	if err != nil {
		return scope.Scope{}, err
	}
	if draft != nil {
		known = slices.DeleteFunc(known, func(r Role) bool { return r.Code == draft.Code })
		d := *draft
		d.Items = union(everyRole, d.Items)
		known = append(known, d)
	}
	items, side := itemsOf(roles, known), SideOf(org.Kind)
	switch side {
	case scope.SideVendor:
		return scope.Vendor(org.ID, "", "", items), nil
	case scope.SideCustomer:
		return scope.Customer(org.ID, "", "", items), nil
	}
	var below []string
	if org.Kind == organisation.KindDistributor {
		list, err := s.Organisations.Resellers(ctx, org.ID)
		if err != nil {
			return scope.Scope{}, err
		}
		for _, r := range list {
			below = append(below, r.ID)
		}
	}
	sc := scope.Partner(org.ID, "", "", items, below)
	if ReachOf(side, roles) != ReachAll {
		sc = sc.Limited(nil)
	}
	return sc, nil
}

func isPreset(side scope.Side, code string) bool {
	return slices.ContainsFunc(presets, func(p preset) bool { return p.side == side && p.code == code })
}

// AlwaysHeld are the items every role carries by itself.
func AlwaysHeld() []scope.Item { return slices.Clone(everyRole) }

// MayGive says why the actor may not give the roles to anybody, nil if it may. Faults: those of CheckRoles,
// account.beyond, scope.permission_missing.
func (s *Service) MayGive(ctx context.Context, sc scope.Scope, roles []string) error {
	org, err := s.ownOrg(ctx, sc)
	if err != nil {
		return err
	}
	_, err = s.givable(ctx, sc, org, roles)
	return err
}

// MaySaveRole says why the actor may not save a role as it is, nil if it may. Faults: those of CheckCustomRole,
// account.beyond, scope.permission_missing.
func (s *Service) MaySaveRole(_ context.Context, sc scope.Scope, r Role) error {
	if err := sc.Require(scope.ItemRoleChange); err != nil {
		return err
	}
	if err := CheckCustomRole(r); err != nil {
		return err
	}
	return within(sc, r.Items)
}

// Holding tells who holds each role of an organisation, by its code.
func (s *Service) Holding(ctx context.Context, orgID string) (map[string][]string, error) {
	grants, err := s.Store.GrantsOf(ctx, orgID)
	out := map[string][]string{}
	for _, g := range grants {
		out[g.Role] = append(out[g.Role], g.PersonID)
	}
	return out, err
}
