package portal

import (
	"net/http"
	"slices"

	"huoban/internal/fault"
	"huoban/internal/hosted"
	"huoban/internal/i18n"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/web/templates/hostedview"
	"huoban/web/templates/layout"
	"huoban/web/templates/part"
	"huoban/web/templates/signview"
)

// platformChoice lists where a customer of the platform can go: its own pages here, and consoles.
func (h *Handlers) platformChoice(c *Ctx, at *hostAt, org organisation.Organisation) error {
	list, err := h.Access.ConsolesOf(c.ctx(), at.Host)
	if err != nil {
		return err
	}
	consents, err := h.Hosted.Consents(c.ctx(), c.Person.ID)
	if err != nil {
		return err
	}
	p := hostedview.Choice{Header: part.Header{Title: c.T("hostedview.title", "Partner", at.partner.Name)}, Customer: org.Name, Leave: at.path("/leaving")}
	if p.Own, err = h.ownPages(c, org); err != nil {
		return err
	}
	for _, con := range list {
		one := hostedview.Console{Name: con.Name, Host: hostOf(con.Endpoints()[0].URL), Action: "/saml/idp/" + at.Key + "/launch/" + con.ID}
		for _, k := range consents {
			if k.ConsoleID == con.ID && k.Given == hosted.Given(con, con.NameIDFormat) {
				one.Known, one.Forget = i18n.DateTime(k.At), at.path("/consoles/"+con.ID+"/withdrawal")
			}
		}
		p.Consoles = append(p.Consoles, one)
	}
	return c.page(http.StatusOK, p.Page())
}

// ownPages are the customer's own in the portal: what it consumed, as far as the person may see it.
func (h *Handlers) ownPages(c *Ctx, org organisation.Organisation) (*part.Link, error) {
	sc, err := h.Accounts.ScopeOf(c.ctx(), c.Person, org.ID)
	if err != nil {
		return nil, err
	}
	to := "/o/" + org.Code
	if sc.Has(scope.ItemExpenditureView) {
		to += "/expenditure"
	}
	return &part.Link{Text: c.T("hostedview.choice.own_name"), Href: to}, nil
}

// platformWithdrawn takes a remembered consent back, on the platform's page.
func (h *Handlers) platformWithdrawn(c *Ctx) error {
	at, err := h.hostByPartner(c)
	if err != nil {
		return err
	}
	return h.withdrawn(c, at.path(""))
}

// consoleWithdrawn is the same on the page of one's own account.
func (h *Handlers) consoleWithdrawn(c *Ctx) error { return h.withdrawn(c, layout.PathSessions) }

func (h *Handlers) withdrawn(c *Ctx, next string) error {
	unknown := fault.NotFound("hosted.consent_unknown", nil)
	if c.Person.ID == "" || h.Access == nil || h.Hosted == nil {
		return unknown
	}
	// What one did not agree to oneself is looked up no further, so that a console of others is as absent as none.
	list, err := h.Hosted.Consents(c.ctx(), c.Person.ID)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(list, func(k hosted.Consent) bool { return k.ConsoleID == c.Param("sp") }) {
		return unknown
	}
	if done, err := h.stepUp(c, next); done || err != nil {
		return err
	}
	con, _, err := h.Access.ConsoleByID(c.ctx(), c.Param("sp"))
	if err != nil {
		return err
	}
	if err := h.Hosted.Withdraw(c.ctx(), c.Person, con.ID, con.EntityID); err != nil {
		return err
	}
	return c.seeOther(next)
}

// consoled lists the consoles that get what they are granted without a question.
func (h *Handlers) consoled(c *Ctx) ([]signview.Consoled, error) {
	if h.Hosted == nil || h.Access == nil {
		return nil, nil
	}
	list, err := h.Hosted.Consents(c.ctx(), c.Person.ID)
	var out []signview.Consoled
	for _, k := range list {
		con, ok, err := h.Access.ConsoleByID(c.ctx(), k.ConsoleID)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, signview.Consoled{Name: con.Name, Since: i18n.DateTime(k.At), Forget: "/account/consoles/" + con.ID + "/withdrawal"})
		}
	}
	return out, err
}
