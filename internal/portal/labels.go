package portal

import (
	"context"
	"net/http"
	"slices"

	"huoban/internal/customer"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/scope"
	"huoban/web/templates/custview"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

const pathLabels = pathCustomers + "/labels"

// labelRoutes set the labels of one or many customers.
func labelRoutes() []Route {
	return []Route{
		{Method: get, Path: "/o/:org" + pathLabels, Name: "customers.labels", Sides: partners, Items: []scope.Item{scope.ItemCustomerLabel}, Title: "labels.title", NoList: "form", Query: []string{"customer"}, Do: (*Handlers).labelPage},
		{Method: post, Path: "/o/:org" + pathLabels, Name: "customers.label", Sides: partners, Items: []scope.Item{scope.ItemCustomerLabel}, Query: []string{"customer"}, Do: (*Handlers).labelled},
	}
}

func (h *Handlers) labelPage(c *Ctx) error { return h.labelForm(c, http.StatusOK, nil) }

// labelForm offers the partner's customers to tick, with the labels they have.
func (h *Handlers) labelForm(c *Ctx, status int, refused *fault.Error) error {
	all, labels, err := h.labelable(c)
	if err != nil {
		return err
	}
	title := c.T("labels.title")
	p := custview.Pick{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("customers.title"), Href: c.at(pathCustomers)}, part.Link{Text: title})}, Refusal: refusalOf(c, refused),
		Action: c.at(pathLabels), Submit: c.T("assignments.preview"), Hidden: []part.Hidden{{Name: "preview", Value: "yes"}}, Notes: []string{c.T("labels.note", "Limit", customer.MaxLabels)},
		Fields: []part.Field{{Name: "add", Label: c.T("labels.add"), Value: c.FormValue("add"), Help: c.T("labels.split"), Autocomplete: "off"},
			{Name: "remove", Label: c.T("labels.remove"), Value: c.FormValue("remove"), Autocomplete: "off"}},
		Heads: []opsview.Head{{Text: c.T("customers.col.customer")}, {Text: c.T("customers.filter.relation")}, {Text: c.T("labels.col")}}}
	if known := knownLabels(labels); len(known) > 0 {
		p.Fields[1].Help = c.T("labels.known", "Labels", join(known, c.T("portal.list.comma")))
	}
	chosen := c.chosen()
	for i := range all {
		e := &all[i]
		name := c.personal(e.Customer.Name)
		name.Note = e.Customer.Code
		p.Rows = append(p.Rows, opsview.Tick{Value: e.Customer.Code, Checked: slices.Contains(chosen, e.Customer.Code),
			Cells: []opsview.Cell{name, {Text: c.T(e.Kind.Label())}, {Text: join(labels[e.CustomerID], " · ")}}})
	}
	if len(p.Rows) == 0 {
		p.Empty = &part.Empty{Title: c.T("customers.empty"), Text: c.T("customers.empty_text")}
	}
	return c.page(status, p.Page())
}

// labelable are the partner's own customers in force, and their labels. Fault: not found for a customer out of sight.
func (h *Handlers) labelable(c *Ctx) ([]customer.Entry, map[string][]string, error) {
	all, err := h.ownInForce(c)
	if err != nil {
		return nil, nil, err
	}
	labels, err := h.Customers.Labels(c.ctx(), c.Scope)
	return all, labels, err
}

// knownLabels are the labels in use, each once.
func knownLabels(of map[string][]string) []string {
	var out []string
	for _, list := range of {
		out = append(out, list...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// labelled shows what would change where the form asks for that, and changes it otherwise.
func (h *Handlers) labelled(c *Ctx) error {
	if err := c.readForm(); err != nil {
		return err
	}
	all, _, err := h.labelable(c)
	if err != nil {
		return err
	}
	in := customer.LabelInput{Add: customer.SplitLabels(c.FormValue("add")), Remove: customer.SplitLabels(c.FormValue("remove"))}
	for _, code := range c.chosen() {
		i := slices.IndexFunc(all, func(e customer.Entry) bool { return e.Customer.Code == code })
		in.CustomerIDs = append(in.CustomerIDs, all[i].CustomerID)
	}
	if c.FormValue("preview") == "yes" {
		var steps []customer.LabelStep
		if steps, err = h.Customers.PlanLabels(c.ctx(), c.Scope, in); err == nil {
			return h.labelConfirm(c, steps)
		}
	} else {
		err = h.once(c, func(ctx context.Context) (answer, error) {
			n, err := h.Customers.SetLabels(ctx, c.Scope, in)
			return answer{Location: c.withQuery(pathCustomers, "done", "labelled"), Body: map[string]any{"changed": n}}, err
		})
	}
	if err == nil {
		return nil
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.labelForm(c, status, f) })
}

// labelConfirm lists the labels before and after.
func (h *Handlers) labelConfirm(c *Ctx, steps []customer.LabelStep) error {
	if wantsJSON(c.Request()) {
		list := make([]map[string]any, len(steps))
		for i := range steps {
			list[i] = map[string]any{"customer": steps[i].Customer.Code, "before": steps[i].Before, "after": steps[i].After, "same": steps[i].Same()}
			if f := steps[i].Refusal; f != nil {
				list[i]["refused"] = f.Code
			}
		}
		return c.JSON(http.StatusOK, map[string]any{"customers": list})
	}
	title := c.T("labels.confirm")
	p := custview.Confirm{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("customers.title"), Href: c.at(pathCustomers)}, part.Link{Text: title})}, Action: c.at(pathLabels),
		Hidden: append(fresh(), part.Hidden{Name: "add", Value: c.FormValue("add")}, part.Hidden{Name: "remove", Value: c.FormValue("remove")}), Submit: c.T("labels.set"),
		Back: part.Link{Text: c.T("assignments.back"), Href: c.at(pathLabels)}, Facts: []part.Item{{Label: c.T("assignments.col.customers"), Text: i18n.Count(int64(len(steps)))}}}
	p.Grid = opsview.Grid{ID: "steps", Title: c.T("assignments.steps"), Heads: []opsview.Head{{Text: c.T("customers.col.customer")}, {Text: c.T("labels.before")}, {Text: c.T("labels.after")}, {Text: c.T("assignments.effect")}}}
	for i := range steps {
		st := &steps[i]
		name := c.personal(st.Customer.Name)
		name.Note = st.Customer.Code
		effect := opsview.Cell{Status: &part.Status{Text: c.T("assignments.effect.change"), Tone: part.Good}}
		switch {
		case st.Refusal != nil:
			effect, p.Off = opsview.Cell{Status: &part.Status{Text: i18n.FaultText(c.ctx(), st.Refusal), Tone: part.Bad}}, true
		case st.Same():
			effect = opsview.Cell{Status: &part.Status{Text: c.T("assignments.effect.same"), Tone: part.Grey}}
		}
		p.Hidden = append(p.Hidden, part.Hidden{Name: "customer", Value: st.Customer.Code})
		p.Grid.Rows = append(p.Grid.Rows, []opsview.Cell{name, {Text: join(st.Before, " · ")}, {Text: join(st.After, " · ")}, effect})
	}
	return c.page(http.StatusOK, p.Page())
}
