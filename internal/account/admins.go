package account

import (
	"context"
	"slices"
	"strings"

	"huoban/internal/scope"
	"huoban/internal/sorted"
)

// Administrators names the active administrators of an organisation, for "who can help".
func (s *Service) Administrators(ctx context.Context, orgID string) ([]string, error) {
	grants, err := s.Store.GrantsOf(ctx, orgID)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, g := range grants {
		if g.Role != RoleAdmin {
			continue
		}
		p, err := s.Store.PersonByID(ctx, g.PersonID)
		if err != nil {
			return nil, err
		}
		if p.State == PersonActive {
			names = append(names, p.Name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// Holders gives the active persons of an organisation who hold an item, for notices.
func (s *Service) Holders(ctx context.Context, orgID string, item scope.Item) ([]string, error) {
	org, err := s.Organisations.ByID(ctx, self(), orgID)
	if err != nil {
		return nil, err
	}
	roles, err := s.Roles(ctx, org)
	if err != nil {
		return nil, err
	}
	grants, err := s.Store.GrantsOf(ctx, orgID)
	if err != nil {
		return nil, err
	}
	held := map[string][]string{}
	for _, g := range grants {
		held[g.PersonID] = append(held[g.PersonID], g.Role)
	}
	var out []string
	for personID, codes := range held {
		if !slices.Contains(itemsOf(codes, roles), item) {
			continue
		}
		p, err := s.Store.PersonByID(ctx, personID)
		if err != nil {
			return nil, err
		}
		if p.State == PersonActive {
			out = append(out, personID)
		}
	}
	slices.Sort(out)
	return out, nil
}

// Team is a person and those among the managers whose supervisor it is.
func Team(managers []Person, personID string) []string {
	out := []string{personID}
	for i := range managers {
		if managers[i].SupervisorID == personID {
			out = append(out, managers[i].ID)
		}
	}
	return out
}

// Managers lists the active 客户经理 of an organisation by login.
func (s *Service) Managers(ctx context.Context, orgID string) ([]Person, error) {
	grants, err := s.Store.GrantsOf(ctx, orgID)
	if err != nil {
		return nil, err
	}
	var out []Person
	for _, g := range grants {
		if g.Role != RoleManager {
			continue
		}
		p, err := s.Store.PersonByID(ctx, g.PersonID)
		if err != nil {
			return nil, err
		}
		if p.State == PersonActive {
			out = append(out, p)
		}
	}
	sorted.By(out, func(a, b Person) int { return strings.Compare(a.Login, b.Login) })
	return out, nil
}
