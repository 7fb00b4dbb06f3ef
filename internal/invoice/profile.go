package invoice

import (
	"context"
	"time"

	"huoban/internal/audit"
	"huoban/internal/fault"
	"huoban/internal/id"
	"huoban/internal/scope"
)

// TitleOf is the valid title of the acting partner. Fault: scope.permission_missing.
func (s *Service) TitleOf(ctx context.Context, sc scope.Scope) (Title, bool, error) {
	if err := see(sc); err != nil || sc.Side() != scope.SidePartner {
		return Title{}, false, err
	}
	return s.Store.Title(ctx, sc.OrgID())
}

// SetTitle makes the title of a partner that has none, or its next version; the same again changes nothing. There is
// never a second one. Version is the one that was amended, 0 for the first. Faults: those of Title.Check,
// invoice.title_only_one, .title_changed, scope.permission_missing.
func (s *Service) SetTitle(ctx context.Context, sc scope.Scope, t Title, version int64) error {
	if err := ask(sc); err != nil {
		return err
	}
	if err := t.Check(); err != nil {
		return err
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		was, found, err := s.Store.Title(ctx, sc.OrgID())
		if err != nil {
			return err
		}
		if found && t.says(&was) {
			return nil
		}
		if found && version == 0 {
			return fault.Conflict("invoice.title_only_one", fault.Args{"name": was.Name})
		}
		if was.Version != version {
			return fault.Conflict("invoice.title_changed", nil)
		}
		t.PartnerID, t.Version, t.CreatedBy, t.CreatedAt = sc.OrgID(), version+1, sc.Login(), s.Clock.Now()
		if err := s.Store.InsertTitle(ctx, t); err != nil {
			return err
		}
		return s.keep(ctx, sc, "invoice.title", "invoice_title:"+sc.OrgID(), map[string]any{"version": t.Version, "kind": string(t.Kind)})
	})
}

// says tells whether two titles say the same.
func (t *Title) says(o *Title) bool {
	return t.Kind == o.Kind && t.Name == o.Name && t.TaxNo == o.TaxNo && t.Bank == o.Bank && t.Account == o.Account && t.Address == o.Address && t.Phone == o.Phone
}

// Addresses are those of the acting partner. Fault: scope.permission_missing.
func (s *Service) Addresses(ctx context.Context, sc scope.Scope) ([]Address, error) {
	if err := see(sc); err != nil || sc.Side() != scope.SidePartner {
		return nil, err
	}
	return s.Store.Addresses(ctx, sc.OrgID())
}

// AddAddress keeps one more; the same again changes nothing. Faults: those of Post.Check, invoice.too_many_addresses,
// scope.permission_missing.
func (s *Service) AddAddress(ctx context.Context, sc scope.Scope, p Post) error {
	if err := ask(sc); err != nil {
		return err
	}
	if err := p.Check(); err != nil {
		return err
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		all, err := s.Store.Addresses(ctx, sc.OrgID())
		if err != nil {
			return err
		}
		for i := range all {
			if all[i].Post == p {
				return nil
			}
		}
		if len(all) >= MaxAddresses {
			return fault.Conflict("invoice.too_many_addresses", fault.Args{"limit": MaxAddresses})
		}
		a := Address{ID: id.New(), PartnerID: sc.OrgID(), Post: p, CreatedBy: sc.Login(), CreatedAt: s.Clock.Now()}
		if err := s.Store.InsertAddress(ctx, a); err != nil {
			return err
		}
		return s.keep(ctx, sc, "invoice.address_add", "invoice_address:"+a.ID, nil)
	})
}

// DropAddress takes an address off the list; requests keep what they say. Faults: invoice.address_unknown,
// scope.permission_missing.
func (s *Service) DropAddress(ctx context.Context, sc scope.Scope, addressID string) error {
	if err := ask(sc); err != nil {
		return err
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		if _, err := s.Store.AddressByID(ctx, sc.OrgID(), addressID); err != nil {
			return err
		}
		if err := s.Store.RetireAddress(ctx, sc.OrgID(), addressID); err != nil {
			return err
		}
		return s.keep(ctx, sc, "invoice.address_drop", "invoice_address:"+addressID, nil)
	})
}

// Digital says since when entities of the acting vendor issue nothing but 数电票, by key of the entity.
// Fault: scope.permission_missing.
func (s *Service) Digital(ctx context.Context, sc scope.Scope) (map[string]time.Time, error) {
	if err := sc.Require(scope.ItemInvoiceReviewView); err != nil {
		return nil, err
	}
	return s.Store.DigitalFrom(ctx, sc.OrgID())
}

// SetDigital says from when on an entity of the acting vendor issues nothing but 数电票; the zero time takes it back.
// Faults: invoice.entity_unknown, scope.permission_missing.
func (s *Service) SetDigital(ctx context.Context, sc scope.Scope, entityID string, from time.Time) error {
	if err := sc.Require(scope.ItemEntityChange); err != nil {
		return err
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.Store.SetDigital(ctx, sc.OrgID(), entityID, from, sc.Login(), s.Clock.Now()); err != nil {
			return err
		}
		return s.keep(ctx, sc, "invoice.digital", "contracting_entity:"+entityID, map[string]any{"from": from.Format(time.DateOnly)})
	})
}

func (s *Service) keep(ctx context.Context, sc scope.Scope, action, object string, detail map[string]any) error {
	return s.Audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: sc.OrgID(), Action: action, Object: object, Outcome: audit.OutcomeDone, Detail: detail})
}
