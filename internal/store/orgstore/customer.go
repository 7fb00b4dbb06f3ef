package orgstore

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/scope"
	"huoban/internal/store"
)

var (
	qLinkInForce  = q.Get("association.InForce")
	qLinkOf       = q.Get("association.OfCustomer")
	qLinkAll      = q.Get("association.All")
	qLinkVendor   = q.Get("association.OfVendor")
	qLinkPartner  = q.Get("association.OfPartner")
	qLinkByID     = q.Get("association.ByID")
	qLinkInsert   = q.Get("association.Insert")
	qLinkSet      = q.Get("association.Set")
	qLinkSealed   = q.Get("association.LastSealed")
	qDirectory    = q.Get("association.Directory")
	qCares        = q.Get("assignment.Cares")
	qReach        = q.Get("association.Reach")
	qCareOf       = q.Get("assignment.OfPartner")
	qCareCustomer = q.Get("assignment.OfCustomer")
	qCareInsert   = q.Get("assignment.Insert")
	qCareEnd      = q.Get("assignment.End")
	qCareAbout    = q.Get("assignment.About")
	qCarers       = q.Get("assignment.Carers")
	qTrailPut     = q.Get("trail.Put")
	qTrailOf      = q.Get("trail.Of")
	qTrailPutAll  = q.Get("trail.PutAll")
)

// Customers implements customer.Store.
type Customers struct{ db *store.DB }

// NewCustomers makes the store.
func NewCustomers(db *store.DB) *Customers { return &Customers{db} }

func (s *Customers) links(ctx context.Context, q store.Query, args ...any) ([]customer.Association, error) {
	var out []customer.Association
	err := s.db.Each(ctx, q, args, func(rows *sql.Rows) error {
		var a customer.Association
		var from, to, created store.Instant
		err := rows.Scan(&a.ID, &a.CustomerID, &a.PartnerID, &a.Kind, &a.State, &from, &to, &a.ConsentNote, &a.Version, &created)
		a.From, a.To, a.CreatedAt = from.Time, to.Time, created.Time
		out = append(out, a)
		return err
	})
	return out, err
}

// AllAssociations lists what is or was in force.
func (s *Customers) AllAssociations(ctx context.Context) ([]customer.Association, error) {
	return s.links(ctx, qLinkInForce)
}

// AssociationsOf lists a customer's associations in every state.
func (s *Customers) AssociationsOf(ctx context.Context, customerID string) ([]customer.Association, error) {
	var out []customer.Association
	err := s.db.Cells(ctx, qLinkOf, []any{customerID}, func(c store.RowCells) (err error) {
		a := customer.Association{ID: c.Text(0), CustomerID: c.Text(1), PartnerID: c.Text(2), Kind: customer.Kind(c.Text(3)), State: customer.State(c.Text(4)), ConsentNote: c.Text(7),
			Version: c.Int(8)}
		for i, t := range map[int]*time.Time{5: &a.From, 6: &a.To, 9: &a.CreatedAt} {
			if *t, err = c.Time(i); err != nil {
				return err
			}
		}
		out = append(out, a)
		return nil
	})
	return out, err
}

// customersOf are the customers a limited scope sees, at whatever time.
func customersOf(sc scope.Scope) (ids map[string]bool, limited bool) {
	windows, limited := sc.Windows()
	ids = map[string]bool{}
	for _, w := range windows {
		ids[w.CustomerID] = true
	}
	return ids, limited
}

// VisibleAssociations lists the associations inside the scope.
func (s *Customers) VisibleAssociations(ctx context.Context, sc scope.Scope) ([]customer.Association, error) {
	switch sc.Side() {
	case scope.SideSystem:
		return s.links(ctx, qLinkAll)
	case scope.SideVendor:
		return s.links(ctx, qLinkVendor, sc.OrgID())
	case scope.SideCustomer:
		return s.links(ctx, qLinkOf, sc.OrgID())
	case scope.SidePartner:
		all, err := s.links(ctx, qLinkPartner, sc.OrgID())
		mine, limited := customersOf(sc)
		if err != nil || !limited {
			return all, err
		}
		return slices.DeleteFunc(all, func(a customer.Association) bool { return !mine[a.CustomerID] || a.PartnerID != sc.OrgID() }), nil
	}
	return nil, nil
}

// AssociationByID finds one. Fault: customer.association_unknown.
func (s *Customers) AssociationByID(ctx context.Context, id string) (a customer.Association, err error) {
	var from, to, created store.Instant
	err = s.db.Row(ctx, qLinkByID, "customer.association_unknown", []any{id},
		&a.ID, &a.CustomerID, &a.PartnerID, &a.Kind, &a.State, &from, &to, &a.ConsentNote, &a.Version, &created)
	a.From, a.To, a.CreatedAt = from.Time, to.Time, created.Time
	return a, err
}

// InsertAssociation writes a new association.
func (s *Customers) InsertAssociation(ctx context.Context, a customer.Association) error {
	_, err := s.db.Exec(ctx, qLinkInsert, a.ID, a.CustomerID, a.PartnerID, string(a.Kind), string(a.State),
		store.At(a.From), store.At(a.To), a.ConsentNote, a.Version, store.At(a.CreatedAt))
	return err
}

// SetAssociation writes state, interval and consent if state and version are as loaded.
func (s *Customers) SetAssociation(ctx context.Context, a customer.Association, from customer.State, version int64) (bool, error) {
	n, err := s.db.Exec(ctx, qLinkSet, a.ID, string(from), version, string(a.State), store.At(a.From), store.At(a.To), a.ConsentNote)
	return n == 1, err
}

// LastSealed is the newest issued cycle in which the customer has lines, with the zone in which it ended
// last. A cycle is the month in the zone of its source, not in that of the portal.
func (s *Customers) LastSealed(ctx context.Context, customerID string) (last cycle.Cycle, zone *time.Location, err error) {
	zone = time.UTC
	err = s.db.Each(ctx, qLinkSealed, []any{customerID}, func(rows *sql.Rows) error {
		var c cycle.Cycle
		var name string
		if err := rows.Scan(&c, &name); err != nil {
			return err
		}
		z, err := cycle.ParseZone(name)
		if err != nil {
			return err
		}
		if c > last || c == last && c.End(z).After(c.End(zone)) {
			last, zone = c, z
		}
		return nil
	})
	return last, zone, err
}

func (s *Customers) care(ctx context.Context, q store.Query, args ...any) ([]customer.Assignment, error) {
	var out []customer.Assignment
	err := s.db.Each(ctx, q, args, func(rows *sql.Rows) error {
		var a customer.Assignment
		var from, to, created store.Instant
		err := rows.Scan(&a.ID, &a.PartnerID, &a.CustomerID, &a.PersonID, &from, &to, &a.CreatedBy, &created)
		a.From, a.To, a.CreatedAt = from.Time, to.Time, created.Time
		out = append(out, a)
		return err
	})
	return out, err
}

// Directory lists the associations of a partner and its resellers with names.
func (s *Customers) Directory(ctx context.Context, partnerID string) ([]customer.Entry, error) {
	var out []customer.Entry
	err := s.db.Each(ctx, qDirectory, []any{partnerID}, func(rows *sql.Rows) error {
		var e customer.Entry
		var from, to, created store.Instant
		err := rows.Scan(&e.ID, &e.CustomerID, &e.PartnerID, &e.Kind, &e.State, &from, &to, &e.ConsentNote, &e.Version, &created,
			&e.Customer.Code, &e.Customer.Name, &e.Partner.Code, &e.Partner.Name)
		e.From, e.To, e.CreatedAt = from.Time, to.Time, created.Time
		e.Customer.ID, e.Partner.ID = e.CustomerID, e.PartnerID
		out = append(out, e)
		return err
	})
	return out, err
}

// Cares lists a partner's assignments with the names of the managers.
func (s *Customers) Cares(ctx context.Context, partnerID string) ([]customer.Care, error) {
	var out []customer.Care
	err := s.db.Each(ctx, qCares, []any{partnerID}, func(rows *sql.Rows) error {
		var c customer.Care
		var from, to, created store.Instant
		err := rows.Scan(&c.ID, &c.PartnerID, &c.CustomerID, &c.PersonID, &from, &to, &c.CreatedBy, &created, &c.Manager.Login, &c.Manager.Name)
		c.From, c.To, c.CreatedAt, c.Manager.ID = from.Time, to.Time, created.Time, c.PersonID
		out = append(out, c)
		return err
	})
	return out, err
}

// Assignments lists a partner's assignments.
func (s *Customers) Assignments(ctx context.Context, partnerID string) ([]customer.Assignment, error) {
	return s.care(ctx, qCareOf, partnerID)
}

// AssignmentsOfCustomer lists those of one customer.
func (s *Customers) AssignmentsOfCustomer(ctx context.Context, partnerID, customerID string) ([]customer.Assignment, error) {
	return s.care(ctx, qCareCustomer, partnerID, customerID)
}

// AssignmentsAbout lists those of a customer at every partner.
func (s *Customers) AssignmentsAbout(ctx context.Context, customerID string) ([]customer.Assignment, error) {
	return s.care(ctx, qCareAbout, customerID)
}

// Carers lists the people who looked after a customer.
func (s *Customers) Carers(ctx context.Context, customerID string) ([]customer.Carer, error) {
	var out []customer.Carer
	err := s.db.Each(ctx, qCarers, []any{customerID}, func(rows *sql.Rows) error {
		var c customer.Carer
		err := rows.Scan(&c.ID, &c.Login, &c.Name)
		out = append(out, c)
		return err
	})
	return out, err
}

// PutSeen notes an act, or counts one of the day up.
func (s *Customers) PutSeen(ctx context.Context, x customer.Seen, code, day string) error {
	_, err := s.db.Exec(ctx, qTrailPut, x.ID, code, x.PartnerID, string(x.Act), x.Actor, x.What, day, store.At(x.LastAt))
	return err
}

// PutSeenByAll notes an act for every customer of the partner at that instant.
func (s *Customers) PutSeenByAll(ctx context.Context, x customer.Seen, day string) error {
	_, err := s.db.Exec(ctx, qTrailPutAll, x.ID, x.PartnerID, string(x.Act), day, store.At(x.LastAt), x.Actor, x.What)
	return err
}

// SeenOf lists the acts that concern a customer.
func (s *Customers) SeenOf(ctx context.Context, customerID string) ([]customer.Seen, error) {
	var out []customer.Seen
	err := s.db.Each(ctx, qTrailOf, []any{customerID}, func(rows *sql.Rows) error {
		var x customer.Seen
		var first, last store.Instant
		err := rows.Scan(&x.ID, &x.PartnerID, &x.Act, &x.Actor, &x.What, &first, &last, &x.Times)
		x.FirstAt, x.LastAt = first.Time, last.Time
		out = append(out, x)
		return err
	})
	return out, err
}

// InsertAssignment writes a new assignment.
func (s *Customers) InsertAssignment(ctx context.Context, a customer.Assignment) error {
	_, err := s.db.Exec(ctx, qCareInsert, a.ID, a.PartnerID, a.CustomerID, a.PersonID, store.At(a.From), store.At(a.To), a.CreatedBy, store.At(a.CreatedAt))
	return err
}

// EndAssignment sets the end.
func (s *Customers) EndAssignment(ctx context.Context, id string, to time.Time) error {
	_, err := s.db.Exec(ctx, qCareEnd, id, store.At(to))
	return err
}

// Reach is by what each customer of a partner is reached.
func (s *Customers) Reach(ctx context.Context, partnerID string) (map[string]customer.Contact, error) {
	out := map[string]customer.Contact{}
	err := s.db.Each(ctx, qReach, []any{partnerID}, func(rows *sql.Rows) error {
		var id string
		var x customer.Contact
		if err := rows.Scan(&id, &x.Phone, &x.Email); err != nil {
			return err
		}
		if _, met := out[id]; !met {
			out[id] = x
		}
		return nil
	})
	return out, err
}
