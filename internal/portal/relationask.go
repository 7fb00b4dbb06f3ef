package portal

import (
	"cmp"
	"context"
	"net/http"

	"huoban/internal/customer"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/passcode"
	"huoban/internal/relation"
	"huoban/internal/scope"
	"huoban/web/templates/growview"
	"huoban/web/templates/part"
)

func (h *Handlers) relationPage(c *Ctx) error { return h.relationForm(c, http.StatusOK, nil) }

// asks tells whom a form is about and where it stands: a partner's about one of its customers, a customer's about itself.
func (c *Ctx) asks() (customerID, path string, back part.Link) {
	if c.Scope.Side() == scope.SideCustomer {
		return c.Org.ID, pathDissolution, part.Link{Text: c.T("ssoview.partner.title"), Href: c.at(pathPartner)}
	}
	id := c.Param("id")
	return id, pathCustomers + "/" + id + "/relation", part.Link{Text: c.T("customers.title"), Href: c.at(pathCustomers)}
}

// relationForm lists what must hold with the way to cure it, and asks when all of it does.
func (h *Handlers) relationForm(c *Ctx, status int, refused *fault.Error) error {
	customerID, path, back := c.asks()
	kind := relation.Kind(cmp.Or(c.FormValue("kind"), string(relation.KindDissolve)))
	checks, a, err := h.Relations.Precheck(c.ctx(), c.Scope, customerID, kind, "")
	if err != nil {
		return err
	}
	title := c.T("relations.change")
	if c.Scope.Side() == scope.SideCustomer {
		title = c.T("relations.dissolve")
	}
	f := growview.Form{Header: part.Header{Title: title, Crumbs: c.crumbs(back, part.Link{Text: title})}, Refusal: refusalOf(c, refused), Action: c.at(path), Hidden: fresh(),
		Facts: []part.Item{{Label: c.T("relations.mode"), Text: c.T(a.Kind.Label())}}, Again: &part.Link{Text: c.T("relations.recheck"), Href: c.at(path)},
		Submits: []growview.Submit{{Value: "ask", Text: c.T("relations.ask")}}, Notes: []string{c.T("relations.rule.consent"), c.T("relations.rule.quiet", "Months", relation.QuietMonths), c.T("relations.rule.effects")}}
	if c.Scope.Side() == scope.SidePartner {
		names, err := h.Customers.Names(c.ctx(), c.Scope)
		if err != nil {
			return err
		}
		who := names[customerID]
		f.Facts = append([]part.Item{{Label: c.T("customers.col.customer"), Text: c.personal(who.Name).Text + " · " + who.Code, Href: c.at(pathCustomers + "/" + customerID)}}, f.Facts...)
	}
	for _, x := range checks {
		one := part.Check{Tone: part.Good, Title: c.T("relations.check." + x.Name)}
		if x.Refusal != nil {
			one.Tone, one.Text, f.Off = part.Bad, i18n.FaultText(c.ctx(), x.Refusal), true
			one.Cure = h.relationCure(c, x.Refusal, customerID)
		}
		f.Checks = append(f.Checks, one)
	}
	f.Fields = relationFields(c, a.Kind, kind)
	return c.page(status, f.Page())
}

// relationCure leads to where a check that fails is cured.
func (h *Handlers) relationCure(c *Ctx, f *fault.Error, customerID string) *part.Link {
	switch f.Code {
	case "relation.open", "relation.asked_lately", "relation.customer_asked_lately", "relation.ending":
		if c.Scope.Side() == scope.SideCustomer {
			return &part.Link{Text: c.T("ssoview.partner.title"), Href: c.at(pathPartner)}
		}
		return &part.Link{Text: c.T("relations.title"), Href: c.at(pathRelations)}
	case "relation.not_in_force":
		if c.Scope.Side() == scope.SidePartner {
			return &part.Link{Text: c.T("relations.customer"), Href: c.at(pathCustomers + "/" + customerID)}
		}
	}
	return nil
}

func relationFields(c *Ctx, now customer.Kind, kind relation.Kind) []part.Field {
	when := part.Field{Name: "when", Label: c.T("relations.when"), Type: "select", Value: c.FormValue("when")}
	for _, w := range []relation.When{relation.WhenConsent, relation.WhenNextMonth} {
		when.Options = append(when.Options, part.Option{Value: string(w), Label: c.T(w.Label())})
	}
	fields := []part.Field{when, {Name: "reason", Label: c.T("relations.reason"), Type: "textarea", Value: c.FormValue("reason"), Required: true, MaxLength: relation.MaxReason},
		{Name: "understood", Label: c.T("relations.understood"), Type: "checkbox", Value: c.FormValue("understood"), Required: true}}
	if c.Scope.Side() == scope.SideCustomer {
		return fields
	}
	other := otherKind(now)
	what := part.Field{Name: "kind", Label: c.T("relations.operation"), Type: "select", Value: string(kind), Options: []part.Option{
		{Value: string(relation.KindDissolve), Label: c.T(relation.KindDissolve.Label())}, {Value: string(relation.KindSwitch), Label: c.T("relations.switch_to", "Mode", c.T(other.Label()))}}}
	return append([]part.Field{what}, fields...)
}

func otherKind(k customer.Kind) customer.Kind {
	if k == customer.KindResale {
		return customer.KindReferral
	}
	return customer.KindResale
}

// relationAsked sends the request to the other side.
func (h *Handlers) relationAsked(c *Ctx) error {
	customerID, path, _ := c.asks()
	err := h.proven(c, passcode.OpRelation, c.at(path), func(ctx context.Context) (answer, error) {
		in := relation.AskInput{CustomerID: customerID, Kind: relation.KindDissolve, When: relation.When(c.FormValue("when")), Reason: c.FormValue("reason"), Understood: c.FormValue("understood") == "true"}
		if c.Scope.Side() == scope.SidePartner {
			in.Kind = relation.Kind(c.FormValue("kind"))
			_, a, err := h.Relations.Precheck(ctx, c.Scope, customerID, in.Kind, "")
			if err != nil {
				return answer{}, err
			}
			in.To = otherKind(a.Kind)
		}
		r, err := h.Relations.Ask(ctx, c.Scope, in)
		return answer{Location: c.withQuery(pathRelations+"/"+r.ID, "done", "relation_asked"), Body: map[string]any{"id": r.ID, "state": string(r.State)}}, err
	})
	if err == nil {
		return nil
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.relationForm(c, status, f) })
}
