package bill

import (
	"time"

	"huoban/internal/customer"
	"huoban/internal/organisation"
)

// Directory is Parties held in memory: one vendor's view of organisations, associations and
// contracting entities. It does not follow later changes.
type Directory struct {
	orgs     map[string]Org
	links    *customer.Book
	entities map[string]Entity
	fallback string
	ofSource map[string]string // source id → entity id, where a source has its own
	agreed   map[string]string // partner id → entity id, where one was agreed
}

// Entity is a contracting entity of the vendor and how it bills.
type Entity struct {
	ID, Code, Name      string
	IsDefault, TaxInDue bool
}

// NewDirectory takes what was loaded. ofSource and agreed may leave sources and partners out.
func NewDirectory(orgs []Org, links *customer.Book, entities []Entity, ofSource, agreed map[string]string) *Directory {
	d := &Directory{orgs: make(map[string]Org, len(orgs)), links: links, entities: map[string]Entity{}, ofSource: ofSource, agreed: agreed}
	for _, o := range orgs {
		d.orgs[o.ID] = o
	}
	for _, e := range entities {
		d.entities[e.ID] = e
		if e.IsDefault {
			d.fallback = e.ID
		}
	}
	return d
}

// Org finds an organisation.
func (d *Directory) Org(id string) (Org, bool) {
	o, ok := d.orgs[id]
	return o, ok
}

// PartnerAt is the customer's association in force at the instant; a partner is its own.
func (d *Directory) PartnerAt(customerID string, at time.Time) (Link, bool) {
	if organisation.Kind(d.orgs[customerID].Kind).IsPartner() {
		return Link{PartnerID: customerID, Relation: RelationResale}, true
	}
	if a, ok := d.links.At(customerID, at); ok {
		return Link{PartnerID: a.PartnerID, Relation: Relation(a.Kind), From: a.From, To: a.To}, true
	}
	gap := Link{}
	for _, a := range d.links.Of(customerID) {
		if !a.To.IsZero() && !a.To.After(at) && a.To.After(gap.From) {
			gap.From = a.To
		}
		if a.From.After(at) && (gap.To.IsZero() || a.From.Before(gap.To)) {
			gap.To = a.From
		}
	}
	return gap, false
}

// Entity is the source's own entity, else the one agreed with the partner (a reseller's is agreed
// with its distributor), else the vendor's default.
func (d *Directory) Entity(sourceID, partnerID string) (Party, bool, bool) {
	for _, id := range []string{d.ofSource[sourceID], d.agreed[partnerID], d.agreed[d.orgs[partnerID].ParentID], d.fallback} {
		if e, ok := d.entities[id]; ok && id != "" {
			return Party{ID: e.ID, Code: e.Code, Name: e.Name}, e.TaxInDue, true
		}
	}
	return Party{}, false, false
}
