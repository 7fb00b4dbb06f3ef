package portal

import (
	"net/http"
	"strings"

	"huoban/internal/customer"
	"huoban/internal/i18n"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/sorted"
	"huoban/web/templates/part"
	"huoban/web/templates/ssoview"
)

// myPartner is 我的合作伙伴: the association, what the partner may do, the accounts of its platform, and what
// happened between the two.
func (h *Handlers) myPartner(c *Ctx) error {
	list, err := h.Customers.Associations(c.ctx(), c.Scope)
	if err != nil {
		return err
	}
	title := c.T("ssoview.partner.title")
	p := ssoview.Partner{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title})}, Flash: c.done(), May: partnerMay(c)}
	now := h.Clock.Now()
	for _, a := range list {
		partner, err := h.Orgs.ByID(c.ctx(), c.Scope, a.PartnerID)
		if err != nil {
			return err
		}
		if a.InForce(now) {
			p.Facts = partnerFacts(c, a, partner)
			contact, err := h.partnerContact(c, a)
			if err != nil {
				return err
			}
			p.Facts = append(p.Facts, contact...)
			if contact, err = h.partnerContacts(c, a); err != nil {
				return err
			}
			p.Facts = append(p.Facts, contact...)
			if c.Scope.Has(scope.ItemAssociationChange) && a.To.IsZero() {
				p.Header.Buttons = []part.Link{{Text: c.T("relations.dissolve"), Href: c.at(pathDissolution)}}
			}
		}
	}
	if err := h.partnerRequests(c, &p); err != nil {
		return err
	}
	if h.SignOn != nil {
		if err := h.linked(c, &p); err != nil {
			return err
		}
	}
	trail, err := h.trailOf(c)
	if err != nil {
		return err
	}
	if len(p.Facts) == 0 && len(trail) == 0 {
		p.Empty = &part.Empty{Title: c.T("ssoview.partner.none"), Text: c.T("ssoview.partner.none_text")}
		return c.page(http.StatusOK, p.Page())
	}
	if p.Trail, err = h.timeline(c, trail); err != nil {
		return err
	}
	p.All = part.Link{Text: c.T("trail.all", "Count", int64(len(trail))), Href: c.at(pathTrail)}
	return c.page(http.StatusOK, p.Page())
}

func partnerFacts(c *Ctx, a customer.Association, partner organisation.Organisation) []part.Item {
	out := []part.Item{{Label: c.T("ssoview.partner.name"), Text: partner.Name}, {Label: c.T("ssoview.partner.code"), Text: partner.Code, Mono: true},
		{Label: c.T("ssoview.partner.kind"), Text: c.T(a.Kind.Label())}}
	if !a.From.IsZero() {
		out = append(out, part.Item{Label: c.T("ssoview.partner.from"), Text: i18n.DateTime(a.From)})
	}
	if key := a.ConsentLabel(); key != "" {
		out = append(out, part.Item{Label: c.T("ssoview.partner.consent"), Text: c.T(key)})
	}
	return out
}

// partnerContact is who looks after the customer at the partner, with the phone and address the partner keeps of him.
func (h *Handlers) partnerContact(c *Ctx, a customer.Association) ([]part.Item, error) {
	personID, err := h.Customers.CarerOf(scope.AsSystem(c.ctx(), "carer"), a.PartnerID, a.CustomerID)
	if err != nil || personID == "" {
		return nil, err
	}
	p, err := h.Accounts.PersonByID(scope.AsSystem(c.ctx(), "carer"), personID)
	if err != nil {
		return nil, err
	}
	out := []part.Item{{Label: c.T("ssoview.partner.contact"), Text: p.Name}}
	for key, text := range map[string]string{"prospects.phone": p.Phone, "prospects.email": p.Email} {
		if text != "" {
			out = append(out, part.Item{Label: c.T(key), Text: text})
		}
	}
	sorted.By(out[1:], func(a, b part.Item) int { return strings.Compare(a.Label, b.Label) })
	return out, nil
}

// partnerContacts are those the partner names to its customers (客户联系人); without any, its administrators.
func (h *Handlers) partnerContacts(c *Ctx, a customer.Association) ([]part.Item, error) {
	people, err := h.Accounts.Contacts(scope.AsSystem(c.ctx(), "contacts"), a.PartnerID)
	var out []part.Item
	for _, p := range people {
		if text := join(present(p.Name, p.Phone, p.Email), " · "); text != "" {
			out = append(out, part.Item{Label: c.T("ssoview.partner.contacts"), Text: text})
		}
	}
	return out, err
}

// partnerRequests adds what is asked of the customer, and what it asked, the newest first; only the newest that is
// answered stays.
func (h *Handlers) partnerRequests(c *Ctx, p *ssoview.Partner) error {
	list, err := h.Relations.List(c.ctx(), c.Scope)
	if err != nil {
		return err
	}
	for i := range list {
		r := &list[i]
		if i > 0 && !r.State.Open() {
			continue
		}
		one := ssoview.Asked{Title: c.T(r.Kind.Label()), Href: c.at(pathRelations + "/" + r.ID), Status: *relationStatus(c, r)}
		if one.Facts, err = h.relationFacts(c, r); err != nil {
			return err
		}
		if one.Buttons, err = h.relationButtons(c, r); err != nil {
			return err
		}
		if r.State.Open() {
			p.Header.Buttons = nil
		}
		p.Asked = append(p.Asked, one)
	}
	return nil
}

// linked adds the accounts of platforms.
func (h *Handlers) linked(c *Ctx, p *ssoview.Partner) error {
	links, err := h.SignOn.LinksOfCustomer(c.ctx(), c.Scope.OrgID())
	for _, l := range links {
		state := "unbound"
		if l.Bound {
			state = "bound"
		}
		p.Links = append(p.Links, ssoview.LinkRow{Account: l.XAccountID, User: l.XUserID, Platform: l.AccountType, Since: i18n.DateTime(l.BoundAt),
			How: c.T("ssoview.how." + l.BoundHow), State: c.T("ssoview.state." + state)})
	}
	return err
}
