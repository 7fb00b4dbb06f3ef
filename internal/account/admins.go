package account

import (
	"context"
	"slices"
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
