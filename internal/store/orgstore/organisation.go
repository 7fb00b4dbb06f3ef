// Package orgstore keeps organisations, partnerships, contracting entities, associations and manager
// assignments.
//
// It owns those tables' queries, among them which organisations a scope sees; it does not own rules.
package orgstore

import (
	"context"
	"database/sql"
	"embed"
	"slices"

	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/store"
)

//go:embed query/*.sql
var files embed.FS

var (
	q                  = store.Load(files)
	qOrgByID           = q.Get("organisation.ByID")
	qOrgByCode         = q.Get("organisation.ByCode")
	qOrgInsert         = q.Get("organisation.Insert")
	qOrgAll            = q.Get("organisation.All")
	qOrgVendor         = q.Get("organisation.VisibleToVendor")
	qOrgPartner        = q.Get("organisation.VisibleToPartner")
	qOrgCustomer       = q.Get("organisation.VisibleToCustomer")
	qOrgResellers      = q.Get("organisation.Resellers")
	qOrgVendorsOf      = q.Get("organisation.VendorsOf")
	qVendorCustomerAdd = q.Get("vendor_customer.Add")
	qDealOne           = q.Get("partnership.One")
	qDealOfVendor      = q.Get("partnership.OfVendor")
	qDealAdd           = q.Get("partnership.Add")
	qDealSetEntity     = q.Get("partnership.SetEntity")
	qEntityOfVendor    = q.Get("entity.OfVendor")
	qEntityInsert      = q.Get("entity.Insert")
	qEntityClear       = q.Get("entity.ClearDefault")
	qEntityMake        = q.Get("entity.MakeDefault")
)

// Organisations implements organisation.Store.
type Organisations struct{ db *store.DB }

// NewOrganisations makes the store.
func NewOrganisations(db *store.DB) *Organisations { return &Organisations{db} }

// nullText is how an absent key is written.
func nullText(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }

type scanner interface{ Scan(dest ...any) error }

func scanOrg(row scanner, o *organisation.Organisation) error {
	var parent sql.NullString
	var at store.Instant
	err := row.Scan(&o.ID, &o.Code, &o.Kind, &o.Name, &parent, &at)
	o.ParentID, o.CreatedAt = parent.String, at.Time
	return err
}

func (s *Organisations) one(ctx context.Context, q store.Query, arg string) (o organisation.Organisation, err error) {
	var parent sql.NullString
	var at store.Instant
	err = s.db.Row(ctx, q, "organisation.unknown", []any{arg}, &o.ID, &o.Code, &o.Kind, &o.Name, &parent, &at)
	o.ParentID, o.CreatedAt = parent.String, at.Time
	return o, err
}

func (s *Organisations) list(ctx context.Context, q store.Query, args ...any) ([]organisation.Organisation, error) {
	var out []organisation.Organisation
	err := s.db.Each(ctx, q, args, func(rows *sql.Rows) error {
		var o organisation.Organisation
		err := scanOrg(rows, &o)
		out = append(out, o)
		return err
	})
	return out, err
}

// ByID finds an organisation. Fault: organisation.unknown.
func (s *Organisations) ByID(ctx context.Context, id string) (organisation.Organisation, error) {
	return s.one(ctx, qOrgByID, id)
}

// ByCode finds an organisation. Fault: organisation.unknown.
func (s *Organisations) ByCode(ctx context.Context, code string) (organisation.Organisation, error) {
	return s.one(ctx, qOrgByCode, code)
}

// Insert writes a new organisation.
func (s *Organisations) Insert(ctx context.Context, o organisation.Organisation) error {
	_, err := s.db.Exec(ctx, qOrgInsert, o.ID, o.Code, string(o.Kind), o.Name, nullText(o.ParentID), store.At(o.CreatedAt))
	return err
}

// Visible lists the organisations inside the scope.
func (s *Organisations) Visible(ctx context.Context, sc scope.Scope) ([]organisation.Organisation, error) {
	switch sc.Side() {
	case scope.SideSystem:
		return s.list(ctx, qOrgAll)
	case scope.SideVendor:
		return s.list(ctx, qOrgVendor, sc.OrgID())
	case scope.SideCustomer:
		return s.list(ctx, qOrgCustomer, sc.OrgID())
	case scope.SidePartner:
		all, err := s.list(ctx, qOrgPartner, sc.OrgID())
		mine, limited := customersOf(sc)
		if err != nil || !limited {
			return all, err
		}
		return slices.DeleteFunc(all, func(o organisation.Organisation) bool { return o.Kind == organisation.KindCustomer && !mine[o.ID] }), nil
	}
	return nil, nil
}

// Resellers lists a distributor's resellers.
func (s *Organisations) Resellers(ctx context.Context, distributorID string) ([]organisation.Organisation, error) {
	return s.list(ctx, qOrgResellers, distributorID)
}

// VendorsOf lists the vendors a partner deals with directly.
func (s *Organisations) VendorsOf(ctx context.Context, partnerID string) ([]organisation.Organisation, error) {
	return s.list(ctx, qOrgVendorsOf, partnerID)
}

// AddVendorCustomer notes that the vendor entered the customer.
func (s *Organisations) AddVendorCustomer(ctx context.Context, vendorID, customerID string) error {
	_, err := s.db.Exec(ctx, qVendorCustomerAdd, vendorID, customerID)
	return err
}

// Partnership finds one partnership.
func (s *Organisations) Partnership(ctx context.Context, vendorID, partnerID string) (p organisation.Partnership, ok bool, err error) {
	list, err := s.deals(ctx, qDealOne, vendorID, partnerID)
	if err != nil || len(list) == 0 {
		return p, false, err
	}
	return list[0], true, nil
}

// Partnerships lists a vendor's partnerships.
func (s *Organisations) Partnerships(ctx context.Context, vendorID string) ([]organisation.Partnership, error) {
	return s.deals(ctx, qDealOfVendor, vendorID)
}

func (s *Organisations) deals(ctx context.Context, q store.Query, args ...any) ([]organisation.Partnership, error) {
	var out []organisation.Partnership
	err := s.db.Each(ctx, q, args, func(rows *sql.Rows) error {
		var p organisation.Partnership
		var entity sql.NullString
		var at store.Instant
		err := rows.Scan(&p.VendorID, &p.PartnerID, &entity, &at)
		p.EntityID, p.CreatedAt = entity.String, at.Time
		out = append(out, p)
		return err
	})
	return out, err
}

// AddPartnership writes a new partnership.
func (s *Organisations) AddPartnership(ctx context.Context, p organisation.Partnership) error {
	_, err := s.db.Exec(ctx, qDealAdd, p.VendorID, p.PartnerID, nullText(p.EntityID), store.At(p.CreatedAt))
	return err
}

// SetPartnershipEntity chooses the entity of a partner's bills; empty is the vendor's default.
func (s *Organisations) SetPartnershipEntity(ctx context.Context, vendorID, partnerID, entityID string) error {
	_, err := s.db.Exec(ctx, qDealSetEntity, vendorID, partnerID, nullText(entityID))
	return err
}

// Entities lists a vendor's contracting entities.
func (s *Organisations) Entities(ctx context.Context, vendorID string) ([]organisation.Entity, error) {
	var out []organisation.Entity
	err := s.db.Each(ctx, qEntityOfVendor, []any{vendorID}, func(rows *sql.Rows) error {
		var e organisation.Entity
		err := rows.Scan(&e.ID, &e.VendorID, &e.Code, &e.Name, &e.IsDefault, &e.TaxInDue)
		out = append(out, e)
		return err
	})
	return out, err
}

// InsertEntity writes a new contracting entity.
func (s *Organisations) InsertEntity(ctx context.Context, e organisation.Entity) error {
	_, err := s.db.Exec(ctx, qEntityInsert, e.ID, e.VendorID, e.Code, e.Name, e.IsDefault, e.TaxInDue)
	return err
}

// SetDefaultEntity moves the default; the unique index allows no instant with two.
func (s *Organisations) SetDefaultEntity(ctx context.Context, vendorID, entityID string) error {
	if _, err := s.db.Exec(ctx, qEntityClear, vendorID, false); err != nil {
		return err
	}
	_, err := s.db.Exec(ctx, qEntityMake, vendorID, entityID, true)
	return err
}
