package company

import (
	"context"

	"huoban/internal/fault"
	"huoban/internal/organisation"
	"huoban/internal/paper"
	"huoban/internal/scope"
)

// keep keeps the licence a change brings; without one it does nothing.
func (s *Service) keep(ctx context.Context, sc scope.Scope, org organisation.Organisation, c *Change, licence []byte) error {
	if len(licence) == 0 {
		return nil
	}
	vendors, err := s.Vendors(ctx, org)
	if err != nil {
		return err
	}
	p := paper.Paper{SubjectID: c.ID, VendorID: org.ID, PartnerID: org.ID, By: sc.Login(), At: c.CreatedAt}
	if len(vendors) > 0 {
		p.VendorID = vendors[0].ID
	}
	_, _, err = paper.Keep(ctx, s.Papers, p, licence)
	return err
}

// Licence tells of the licence of a change in sight, and whether it brings one.
func (s *Service) Licence(ctx context.Context, c *Change) (paper.Paper, bool, error) {
	return s.Papers.Paper(ctx, c.ID)
}

// Newest tells which approved change brought the licence that stands, "" where none did. Fault: organisation.unknown.
func (s *Service) Newest(ctx context.Context, sc scope.Scope, org organisation.Organisation) (changeID string, p paper.Paper, err error) {
	if sc.OrgID() != org.ID {
		return "", p, fault.NotFound("organisation.unknown", fault.Args{"code": ""})
	}
	if changeID, err = s.Store.LicensedChange(ctx, org.ID); err == nil && changeID != "" {
		p, _, err = s.Papers.Paper(ctx, changeID)
	}
	return changeID, p, err
}

// LicenceFile is the licence of a change in sight, and its body, written down as taken: for who changes the profile and
// who reviews it. Faults: company.change_unknown, paper.none, scope.permission_missing.
func (s *Service) LicenceFile(ctx context.Context, sc scope.Scope, changeID string) (Change, paper.Paper, []byte, error) {
	if err := sc.Require(scope.ItemProfileChange, scope.ItemOrgView); err != nil {
		return Change{}, paper.Paper{}, nil, err
	}
	c, err := s.Change(ctx, sc, changeID)
	if err != nil {
		return c, paper.Paper{}, nil, err
	}
	p, body, err := paper.Read(ctx, s.Papers, c.ID)
	if err == nil {
		err = s.Tx.InTx(ctx, func(ctx context.Context) error {
			return s.record(ctx, sc, c.OrgID, "company.download_licence", "company_change:"+c.ID, map[string]any{"sha": p.SHA})
		})
	}
	return c, p, body, err
}
