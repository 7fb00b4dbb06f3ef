package portal

import (
	"net/http"

	"huoban/internal/customer"
	"huoban/internal/i18n"
	"huoban/internal/organisation"
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
	p := ssoview.Partner{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title})}, May: partnerMay(c)}
	now := h.Clock.Now()
	for _, a := range list {
		partner, err := h.Orgs.ByID(c.ctx(), c.Scope, a.PartnerID)
		if err != nil {
			return err
		}
		if a.InForce(now) {
			p.Facts = partnerFacts(c, a, partner)
		}
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
