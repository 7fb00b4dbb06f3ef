package portal

import (
	"net/http"
	"slices"

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
	var trail []trailed
	now := h.Clock.Now()
	for _, a := range list {
		partner, err := h.Orgs.ByID(c.ctx(), c.Scope, a.PartnerID)
		if err != nil {
			return err
		}
		if a.InForce(now) {
			p.Facts = partnerFacts(c, a, partner)
		}
		trail = append(trail, associationTrail(c, a, partner)...)
	}
	if h.SignOn != nil {
		more, err := h.linked(c, &p)
		if err != nil {
			return err
		}
		trail = append(trail, more...)
	}
	if len(p.Facts) == 0 && len(trail) == 0 {
		p.Empty = &part.Empty{Title: c.T("ssoview.partner.none"), Text: c.T("ssoview.partner.none_text")}
		return c.page(http.StatusOK, p.Page())
	}
	slices.SortStableFunc(trail, func(a, b trailed) int { return b.at.Compare(a.at) })
	for _, t := range trail {
		t.ev.When = i18n.DateTime(t.at)
		p.Trail = append(p.Trail, t.ev)
	}
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

func associationTrail(c *Ctx, a customer.Association, partner organisation.Organisation) []trailed {
	var out []trailed
	begun := a.From
	if begun.IsZero() {
		begun = a.CreatedAt
	}
	if a.State == customer.StateActive || a.State == customer.StateEnded {
		out = append(out, trailed{begun, part.Event{Text: c.T("ssoview.partner.trail_began", "Partner", partner.Name), Tone: part.Good}})
	}
	if a.State == customer.StateEnded && !a.To.IsZero() {
		out = append(out, trailed{a.To, part.Event{Text: c.T("ssoview.partner.trail_ended", "Partner", partner.Name), Tone: part.Warn}})
	}
	return out
}

// linked adds the accounts of platforms; one's own sign-ins by them stand in the trail.
func (h *Handlers) linked(c *Ctx, p *ssoview.Partner) ([]trailed, error) {
	var trail []trailed
	links, err := h.SignOn.LinksOfCustomer(c.ctx(), c.Scope.OrgID())
	if err != nil {
		return nil, err
	}
	for _, l := range links {
		state := "unbound"
		if l.Bound {
			state = "bound"
		}
		p.Links = append(p.Links, ssoview.LinkRow{Account: l.XAccountID, User: l.XUserID, Platform: l.AccountType, Since: i18n.DateTime(l.BoundAt),
			How: c.T("ssoview.how." + l.BoundHow), State: c.T("ssoview.state." + state)})
		trail = append(trail, trailed{l.BoundAt, part.Event{Text: c.T("ssoview.partner.trail_linked", "Account", l.XAccountID), Note: c.T("ssoview.how." + l.BoundHow)}})
	}
	own, err := h.SignOn.SessionsOfPerson(c.ctx(), c.Scope.PersonID())
	if err != nil {
		return nil, err
	}
	for _, e := range own {
		if e.CustomerID == c.Scope.OrgID() {
			trail = append(trail, trailed{e.CreatedAt, part.Event{Text: c.T("ssoview.partner.trail_in"), Who: e.Asserted.XUserID}})
		}
	}
	return trail, nil
}
