package billstore

import (
	"context"
	"database/sql"

	"huoban/internal/bill"
	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/store"
)

var (
	partyOrgs         = set.Get("party.Orgs")
	partyAssociations = set.Get("party.Associations")
	partyEntities     = set.Get("party.Entities")
	partySourceEntity = set.Get("party.SourceEntities")
	partyAgreed       = set.Get("party.Agreed")
	partySlots        = set.Get("party.Slots")
)

// Parties loads who buys from whom, for one vendor.
func (s *Store) Parties(ctx context.Context, vendorID string) (bill.Parties, error) {
	var orgs []bill.Org
	err := s.db.Each(ctx, partyOrgs, nil, func(rows *sql.Rows) error {
		var o bill.Org
		orgs = append(orgs, o)
		last := &orgs[len(orgs)-1]
		return rows.Scan(&last.ID, &last.Code, &last.Name, &last.Kind, &last.ParentID)
	})
	if err != nil {
		return nil, err
	}
	links, err := s.associations(ctx)
	if err != nil {
		return nil, err
	}
	var entities []bill.Entity
	err = s.db.Each(ctx, partyEntities, []any{vendorID}, func(rows *sql.Rows) error {
		var e bill.Entity
		if err := rows.Scan(&e.ID, &e.Code, &e.Name, &e.IsDefault, &e.TaxInDue); err != nil {
			return err
		}
		entities = append(entities, e)
		return nil
	})
	if err != nil {
		return nil, err
	}
	ofSource, err := s.pairs(ctx, partySourceEntity, vendorID)
	if err != nil {
		return nil, err
	}
	agreed, err := s.pairs(ctx, partyAgreed, vendorID)
	if err != nil {
		return nil, err
	}
	return bill.NewDirectory(orgs, customer.NewBook(links), entities, ofSource, agreed), nil
}

func (s *Store) associations(ctx context.Context) ([]customer.Association, error) {
	var out []customer.Association
	err := s.db.Each(ctx, partyAssociations, nil, func(rows *sql.Rows) error {
		var a customer.Association
		var kind, state string
		var from, to store.Instant
		if err := rows.Scan(&a.ID, &a.CustomerID, &a.PartnerID, &kind, &state, &from, &to); err != nil {
			return err
		}
		a.Kind, a.State, a.From, a.To = customer.Kind(kind), customer.State(state), from.Time, to.Time
		out = append(out, a)
		return nil
	})
	return out, err
}

func (s *Store) pairs(ctx context.Context, q store.Query, vendorID string) (map[string]string, error) {
	out := map[string]string{}
	err := s.db.Each(ctx, q, []any{vendorID}, func(rows *sql.Rows) error {
		var k, v string
		if err := rows.Scan(&k, &v); err != nil {
			return err
		}
		if v != "" {
			out[k] = v
		}
		return nil
	})
	return out, err
}

// Slots are the active slots of the cycle in order of source name and delivery.
func (s *Store) Slots(ctx context.Context, vendorID string, c cycle.Cycle) ([]bill.Slot, error) {
	var out []bill.Slot
	err := s.db.Each(ctx, partySlots, []any{vendorID, string(c)}, func(rows *sql.Rows) error {
		var x bill.Slot
		var zone string
		if err := rows.Scan(&x.ID, &x.SourceID, &x.SourceName, &zone); err != nil {
			return err
		}
		var err error
		x.Zone, err = cycle.ParseZone(zone)
		out = append(out, x)
		return err
	})
	return out, err
}
