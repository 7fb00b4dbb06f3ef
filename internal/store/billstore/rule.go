package billstore

import (
	"context"
	"database/sql"

	"huoban/internal/fault"
	"huoban/internal/organisation"
	"huoban/internal/price"
	"huoban/internal/store"
	"huoban/internal/usage"
)

var (
	priceVersions = set.Get("price.Versions")
	priceInsert   = set.Get("price.Insert")
	priceEnd      = set.Get("price.End")
	priceActivate = set.Get("price.Activate")
	priceOrgs     = set.Get("price.Orgs")
)

// Versions are all versions of a vendor's rules by number and version.
func (s *Store) Versions(ctx context.Context, vendorID string) ([]price.Rule, error) {
	var out []price.Rule
	err := s.db.Each(ctx, priceVersions, []any{vendorID}, func(rows *sql.Rows) error {
		var r price.Rule
		var state, mode, typ, base, from, to, kind string
		var factor store.Decimal
		var at store.Instant
		if err := rows.Scan(&r.ID, &r.VendorID, &r.Number, &r.Version, &state, &r.Seq, &r.EndedSeq, &r.PartnerID, &r.CustomerID,
			&r.Provider, &r.Product, &mode, &r.Region, &typ, &base, &factor, &from, &to, &r.CreatedBy, &at, &kind); err != nil {
			return err
		}
		r.State, r.Mode, r.Type, r.Base = price.State(state), usage.ChargingMode(mode), price.Type(typ), price.Base(base)
		r.Factor, r.ValidFrom, r.ValidTo, r.CreatedAt = factor.Exact, price.Date(from), price.Date(to), at.Time
		r.ForReseller = kind == string(organisation.KindReseller)
		out = append(out, r)
		return nil
	})
	return out, err
}

// Insert writes a version.
func (s *Store) Insert(ctx context.Context, r price.Rule) error {
	_, err := s.db.Exec(ctx, priceInsert, r.ID, r.VendorID, r.Number, r.Version, string(r.State), r.Seq, orNull(r.PartnerID),
		orNull(r.CustomerID), r.Provider, r.Product, string(r.Mode), r.Region, string(r.Type), string(r.Base), store.Dec(r.Factor),
		string(r.ValidFrom), string(r.ValidTo), r.CreatedBy, store.At(r.CreatedAt))
	return err
}

// End takes a version out of the book from seq on. Fault: price.changed_meanwhile.
func (s *Store) End(ctx context.Context, ruleID string, seq int64) error {
	return s.oneRule(ctx, priceEnd, ruleID, seq)
}

// Activate puts a draft into the book from seq on. Fault: price.changed_meanwhile.
func (s *Store) Activate(ctx context.Context, ruleID string, seq int64) error {
	return s.oneRule(ctx, priceActivate, ruleID, seq)
}

func (s *Store) oneRule(ctx context.Context, q store.Query, ruleID string, seq int64) error {
	n, err := s.db.Exec(ctx, q, ruleID, seq)
	if err == nil && n != 1 {
		err = fault.Conflict("price.changed_meanwhile", nil)
	}
	return err
}

// Orgs are all organisations, as a price file names them.
func (s *Store) Orgs(ctx context.Context) ([]price.Org, error) {
	var out []price.Org
	err := s.db.Each(ctx, priceOrgs, nil, func(rows *sql.Rows) error {
		var o price.Org
		if err := rows.Scan(&o.ID, &o.Code, &o.Kind); err != nil {
			return err
		}
		out = append(out, o)
		return nil
	})
	return out, err
}
