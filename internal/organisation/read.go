package organisation

import (
	"context"

	"huoban/internal/fault"
	"huoban/internal/id"
	"huoban/internal/scope"
)

// List gives the organisations inside the scope in order of kind and code.
func (s *Service) List(ctx context.Context, sc scope.Scope) ([]Organisation, error) {
	return s.store.Visible(ctx, sc)
}

// ByCode gives an organisation inside the scope. Faults: organisation.unknown.
func (s *Service) ByCode(ctx context.Context, sc scope.Scope, code string) (Organisation, error) {
	if sc.Side() == scope.SideSystem {
		o, err := s.store.ByCode(ctx, code)
		return o, withCode(err, code)
	}
	o, err := s.seen(ctx, sc, func(o Organisation) bool { return o.Code == code })
	return o, withCode(err, code)
}

// ByID gives an organisation inside the scope. Faults: organisation.unknown.
func (s *Service) ByID(ctx context.Context, sc scope.Scope, orgID string) (Organisation, error) {
	if sc.Side() == scope.SideSystem {
		return s.store.ByID(ctx, orgID)
	}
	return s.seen(ctx, sc, func(o Organisation) bool { return o.ID == orgID })
}

// seen finds an organisation among those of the scope. It never looks for the name itself, so that one
// outside the scope costs the same statements as one that does not exist.
func (s *Service) seen(ctx context.Context, sc scope.Scope, is func(o Organisation) bool) (Organisation, error) {
	if sc.Side() != scope.SideNobody {
		if own, err := s.store.ByID(ctx, sc.OrgID()); err != nil || is(own) {
			return own, err
		}
	}
	all, err := s.store.Visible(ctx, sc)
	if err != nil {
		return Organisation{}, err
	}
	for _, o := range all {
		if is(o) {
			return o, nil
		}
	}
	return Organisation{}, fault.NotFound("organisation.unknown", nil)
}

// Resellers lists a distributor's resellers (云经销商) in order of code. It serves the making of
// scopes and the program's own work; pages list through List.
func (s *Service) Resellers(ctx context.Context, distributorID string) ([]Organisation, error) {
	return s.store.Resellers(ctx, distributorID)
}

// VendorsOf lists the vendors a partner deals with; a reseller's are those of its distributor.
func (s *Service) VendorsOf(ctx context.Context, partner Organisation) ([]Organisation, error) {
	if partner.Kind == KindReseller {
		return s.store.VendorsOf(ctx, partner.ParentID)
	}
	return s.store.VendorsOf(ctx, partner.ID)
}

// EntityInput names a contracting entity.
type EntityInput struct {
	VendorID, Code, Name string
	TaxInDue             bool
}

// AddEntity adds a contracting entity (签约主体) to a vendor; the same again changes nothing.
// Faults: organisation.code_malformed, .name_malformed, .entity_taken, scope.permission_missing.
func (s *Service) AddEntity(ctx context.Context, sc scope.Scope, in EntityInput) (Entity, error) {
	if err := s.mayChangeEntity(sc, in.VendorID); err != nil {
		return Entity{}, err
	}
	if err := CheckCode(KindVendor, in.Code); err != nil {
		return Entity{}, err
	}
	if err := CheckName(in.Name); err != nil {
		return Entity{}, err
	}
	e := Entity{ID: id.New(), VendorID: in.VendorID, Code: in.Code, Name: in.Name, TaxInDue: in.TaxInDue}
	err := s.tx.InTx(ctx, func(ctx context.Context) error {
		all, err := s.store.Entities(ctx, in.VendorID)
		if err != nil {
			return err
		}
		for _, known := range all {
			if known.Code != in.Code {
				continue
			}
			if known.Name != in.Name || known.TaxInDue != in.TaxInDue {
				return fault.Conflict("organisation.entity_taken", fault.Args{"code": in.Code})
			}
			e = known
			return nil
		}
		if err := s.store.InsertEntity(ctx, e); err != nil {
			return err
		}
		return s.record(ctx, sc, in.VendorID, "entity.add", in.Code, map[string]any{"name": in.Name, "tax_in_due": in.TaxInDue})
	})
	return e, err
}

// SetDefaultEntity chooses the entity that stands on bills of partners without one of their own.
// Faults: organisation.entity_unknown, scope.permission_missing.
func (s *Service) SetDefaultEntity(ctx context.Context, sc scope.Scope, vendorID, code string) error {
	if err := s.mayChangeEntity(sc, vendorID); err != nil {
		return err
	}
	return s.tx.InTx(ctx, func(ctx context.Context) error {
		e, err := s.EntityByCode(ctx, vendorID, code)
		if err != nil || e.IsDefault {
			return err
		}
		if err := s.store.SetDefaultEntity(ctx, vendorID, e.ID); err != nil {
			return err
		}
		return s.record(ctx, sc, vendorID, "entity.set_default", code, nil)
	})
}

// AssignEntity makes the partner's bills stand under that entity; an empty code returns it to the
// vendor's default. Faults: organisation.entity_unknown, .no_partnership, scope.permission_missing.
func (s *Service) AssignEntity(ctx context.Context, sc scope.Scope, vendorID, partnerID, code string) error {
	if err := s.mayChangeEntity(sc, vendorID); err != nil {
		return err
	}
	return s.tx.InTx(ctx, func(ctx context.Context) error {
		partner, err := s.store.ByID(ctx, partnerID)
		if err != nil {
			return err
		}
		p, ok, err := s.store.Partnership(ctx, vendorID, partnerID)
		if err != nil {
			return err
		}
		if !ok {
			return fault.Conflict("organisation.no_partnership", fault.Args{"partner": partner.Code})
		}
		var e Entity
		if code != "" {
			if e, err = s.EntityByCode(ctx, vendorID, code); err != nil {
				return err
			}
		}
		if p.EntityID == e.ID {
			return nil
		}
		if err := s.store.SetPartnershipEntity(ctx, vendorID, partnerID, e.ID); err != nil {
			return err
		}
		return s.record(ctx, sc, vendorID, "partnership.set_entity", partner.Code, map[string]any{"entity": code})
	})
}

func (s *Service) mayChangeEntity(sc scope.Scope, vendorID string) error {
	if !sc.SeesVendor(vendorID) {
		return fault.NotFound("organisation.unknown", fault.Args{"code": ""})
	}
	return sc.Require(scope.ItemEntityChange)
}

// Entities lists a vendor's contracting entities in order of code.
func (s *Service) Entities(ctx context.Context, vendorID string) ([]Entity, error) {
	return s.store.Entities(ctx, vendorID)
}

// EntityByCode finds one. Faults: organisation.entity_unknown.
func (s *Service) EntityByCode(ctx context.Context, vendorID, code string) (Entity, error) {
	all, err := s.store.Entities(ctx, vendorID)
	if err != nil {
		return Entity{}, err
	}
	for _, e := range all {
		if e.Code == code {
			return e, nil
		}
	}
	return Entity{}, fault.NotFound("organisation.entity_unknown", fault.Args{"code": clip(code)})
}

// EntityBook tells, for one vendor, under which entity each partner's bill stands.
type EntityBook struct {
	byID      map[string]Entity
	byPartner map[string]string
	fallback  Entity
}

// EntityBook loads the vendor's entities and partnerships once. Faults: organisation.entity_unknown
// when the vendor has no default.
func (s *Service) EntityBook(ctx context.Context, vendorID string) (*EntityBook, error) {
	all, err := s.store.Entities(ctx, vendorID)
	if err != nil {
		return nil, err
	}
	deals, err := s.store.Partnerships(ctx, vendorID)
	if err != nil {
		return nil, err
	}
	b := &EntityBook{byID: map[string]Entity{}, byPartner: map[string]string{}}
	for _, e := range all {
		b.byID[e.ID] = e
		if e.IsDefault {
			b.fallback = e
		}
	}
	if b.fallback.ID == "" {
		return nil, fault.NotFound("organisation.entity_unknown", fault.Args{"code": ""})
	}
	for _, p := range deals {
		b.byPartner[p.PartnerID] = p.EntityID
	}
	return b, nil
}

// ByID finds one of the book.
func (b *EntityBook) ByID(entityID string) (Entity, bool) {
	e, ok := b.byID[entityID]
	return e, ok
}

// Of is the entity of the partner's bills: its own, else the vendor's default.
func (b *EntityBook) Of(partnerID string) Entity {
	if e, ok := b.byID[b.byPartner[partnerID]]; ok {
		return e
	}
	return b.fallback
}
