package customer

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"huoban/internal/fault"
	"huoban/internal/scope"
	"huoban/internal/sorted"
)

// Party is an organisation as lists name it.
type Party struct{ ID, Code, Name string }

// Carer is a 客户经理 as lists name it.
type Carer struct{ ID, Login, Name string }

// Is tells whether a filter means this person, by key or login.
func (c Carer) Is(named string) bool { return c.ID != "" && (c.ID == named || c.Login == named) }

// Care is an assignment with the name of the manager.
type Care struct {
	Assignment
	Manager Carer
}

// Runs tells whether the manager looks after the customer at that instant.
func (c Care) Runs(at time.Time) bool { return !empty(c.From, c.To) && covers(c.From, c.To, at) }

// Entry is a customer of a partner: the association that holds now, or else the newest there was, and who
// looks after the customer now.
type Entry struct {
	Association
	Customer, Partner Party
	Manager           Carer     // zero: nobody
	Managed           time.Time // since when
}

// Own tells whether the customer is the partner's own, not one of its resellers'.
func (e *Entry) Own(partnerID string) bool { return e.PartnerID == partnerID }

// Record is all that is known about a customer and its partner.
type Record struct {
	Entry
	Associations []Association // the newest first
	Cares        []Care        // the newest first
}

// Directory lists the customers of the acting partner, and those of its resellers if it may see them, by
// name. A limited scope sees those assigned to it now. Faults: customer.not_a_party, scope.permission_missing.
func (s *Service) Directory(ctx context.Context, sc scope.Scope) ([]Entry, error) {
	rows, cares, err := s.known(ctx, sc)
	if err != nil {
		return nil, err
	}
	now := s.Clock.Now()
	windows, limited := sc.Windows()
	best := map[string]int{}
	var out []Entry
	for _, r := range rows {
		if limited && !slices.ContainsFunc(windows, func(w scope.Window) bool { return w.CustomerID == r.CustomerID && covers(w.From, w.To, now) }) {
			continue
		}
		key := r.PartnerID + "/" + r.CustomerID
		at, met := best[key]
		if !met {
			best[key] = len(out)
			out = append(out, r)
		} else if nearer(&r, &out[at], now) {
			out[at] = r
		}
	}
	for i := range out {
		out[i].tend(cares, now)
	}
	sorted.By(out, func(a, b Entry) int {
		return cmp.Or(strings.Compare(a.Customer.Name, b.Customer.Name), strings.Compare(a.CustomerID, b.CustomerID), strings.Compare(a.PartnerID, b.PartnerID))
	})
	return out, nil
}

// tend fills in who looks after the customer at that instant.
func (e *Entry) tend(cares []Care, at time.Time) {
	for _, c := range cares {
		if c.CustomerID == e.CustomerID && c.PartnerID == e.PartnerID && c.Runs(at) {
			e.Manager, e.Managed = c.Manager, c.From
		}
	}
}

// nearer tells whether an association says more about now than another: it holds, or it is newer.
func nearer(a, b *Entry, now time.Time) bool {
	if x, y := a.InForce(now), b.InForce(now); x != y {
		return x
	}
	return a.CreatedAt.After(b.CreatedAt)
}

// known reads what the scope may see of its customers, whatever the time.
func (s *Service) known(ctx context.Context, sc scope.Scope) ([]Entry, []Care, error) {
	if err := sc.Require(scope.ItemCustomerView); err != nil {
		return nil, nil, err
	}
	if sc.Side() != scope.SidePartner {
		return nil, nil, fault.Denied("customer.not_a_party", nil)
	}
	rows, err := s.Store.Directory(ctx, sc.OrgID())
	if err != nil {
		return nil, nil, err
	}
	cares, err := s.Store.Cares(ctx, sc.OrgID())
	if err != nil {
		return nil, nil, err
	}
	windows, limited := sc.Windows()
	resellers := sc.Has(scope.ItemResellerCustomerView)
	rows = slices.DeleteFunc(rows, func(e Entry) bool {
		return !e.Own(sc.OrgID()) && (limited || !resellers) ||
			limited && !slices.ContainsFunc(windows, func(w scope.Window) bool { return w.CustomerID == e.CustomerID })
	})
	return rows, cares, nil
}

// Record is one customer of the acting partner, or of a reseller of it. A limited scope sees a customer that
// was assigned to it at some time, and of its managers only those during that time.
// Faults: customer.unknown, those of Directory.
func (s *Service) Record(ctx context.Context, sc scope.Scope, customerID string) (*Record, error) {
	rows, cares, err := s.known(ctx, sc)
	if err != nil {
		return nil, err
	}
	now := s.Clock.Now()
	var r *Record
	for i := range rows {
		e := &rows[i]
		if e.CustomerID != customerID {
			continue
		}
		if r == nil {
			r = &Record{Entry: *e}
		} else if nearer(e, &r.Entry, now) {
			r.Entry = *e
		}
		r.Associations = append(r.Associations, e.Association)
	}
	if r == nil {
		return nil, fault.NotFound("customer.unknown", nil)
	}
	r.tend(cares, now)
	windows, limited := sc.Windows()
	for _, c := range cares {
		if c.CustomerID == customerID && !empty(c.From, c.To) && (!limited || slices.ContainsFunc(windows, func(w scope.Window) bool {
			return w.CustomerID == customerID && overlap(w.From, w.To, c.From, c.To)
		})) {
			r.Cares = append(r.Cares, c)
		}
	}
	sorted.By(r.Associations, func(a, b Association) int { return b.CreatedAt.Compare(a.CreatedAt) })
	sorted.By(r.Cares, func(a, b Care) int { return b.From.Compare(a.From) })
	return r, nil
}

// Names are the customers the scope sees or once saw, by key. Faults: those of Directory.
func (s *Service) Names(ctx context.Context, sc scope.Scope) (map[string]Party, error) {
	rows, _, err := s.known(ctx, sc)
	if err != nil {
		return nil, err
	}
	out := map[string]Party{}
	for i := range rows {
		out[rows[i].CustomerID] = rows[i].Customer
	}
	return out, nil
}

// Contact is by what a customer is reached.
type Contact struct{ Phone, Email string }

// Reach is by what the partner's own customers with an association in force are reached, by key; a limited scope has those
// assigned to it now. Faults: those of Directory.
func (s *Service) Reach(ctx context.Context, sc scope.Scope) (map[string]Contact, error) {
	all, err := s.Directory(ctx, sc)
	if err != nil {
		return nil, err
	}
	known, err := s.Store.Reach(scope.AsSystem(ctx, "customers' administrators"), sc.OrgID()) // people of other organisations, shown masked
	out, now := map[string]Contact{}, s.Clock.Now()
	for i := range all {
		if x, has := known[all[i].CustomerID]; has && all[i].Own(sc.OrgID()) && all[i].InForce(now) {
			out[all[i].CustomerID] = x
		}
	}
	return out, err
}
