package portal

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"huoban/internal/account"
	"huoban/internal/customer"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/web/templates/custview"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

func (h *Handlers) assignPage(c *Ctx) error { return h.assignForm(c, http.StatusOK, nil) }

// assignForm offers the customers nobody looks after, or with all=yes also those of other managers.
func (h *Handlers) assignForm(c *Ctx, status int, refused *fault.Error) error {
	team, all, err := h.pickable(c)
	if err != nil {
		return err
	}
	person, chosen := c.FormValue("person"), c.chosen()
	if person != "" && !slices.ContainsFunc(team, func(p account.Person) bool { return p.ID == person }) {
		return notFound()
	}
	title, whole := c.T("assignments.assign"), c.FormValue("all") == "yes" || len(chosen) > 0
	who := part.Field{Name: "person", Label: c.T("customers.col.manager"), Type: "select", Value: person, Required: true, Options: []part.Option{{}}}
	for _, p := range team {
		who.Options = append(who.Options, part.Option{Value: p.ID, Label: carerText(c, customer.Carer{ID: p.ID, Login: p.Login, Name: p.Name})})
	}
	p := custview.Pick{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("assignments.title"), Href: c.at(pathAssignments)}, part.Link{Text: title})},
		Refusal: refusalOf(c, refused), Action: c.at(pathAssignments), Fields: []part.Field{who}, Submit: c.T("assignments.preview"), Notes: []string{c.T("assignments.note")},
		Hidden: []part.Hidden{{Name: "preview", Value: "yes"}}, Heads: []opsview.Head{{Text: c.T("customers.col.customer")}, {Text: c.T("customers.filter.relation")}, {Text: c.T("customers.col.manager")}}}
	p.Filter = &part.Filter{Action: c.at(pathAssignments + "/new"), Reset: c.at(pathAssignments + "/new"), Fields: []part.FilterField{{Name: "all", Label: c.T("assignments.which"), Value: yes(whole),
		Options: []part.Option{{Label: c.T("assignments.which.free")}, {Value: "yes", Label: c.T("assignments.which.all")}}}}}
	if person != "" {
		p.Filter.Hidden = []part.Hidden{{Name: "person", Value: person}}
	}
	if whole {
		p.Hidden = append(p.Hidden, part.Hidden{Name: "all", Value: "yes"})
	}
	for i := range all {
		if e := &all[i]; whole || e.Manager.ID == "" {
			row := pickRow(c, e, chosen)
			if e.Manager.ID != "" && e.Manager.ID == person {
				row.Off, row.Checked = c.T("assignments.same"), false
			}
			p.Rows = append(p.Rows, row)
		}
	}
	switch {
	case len(team) == 0:
		p.Empty = &part.Empty{Title: c.T("assignments.empty"), Text: c.T("assignments.empty_text")}
	case len(p.Rows) == 0:
		p.Empty = &part.Empty{Title: c.T("assignments.all_cared"), Text: c.T("assignments.all_cared_text")}
	}
	return c.page(status, p.Page())
}

func yes(v bool) string {
	if v {
		return "yes"
	}
	return ""
}

// chosen are the customers a form or an address names, by code.
func (c *Ctx) chosen() []string {
	if c.Request().Form == nil {
		_ = c.FormValue("customer") // reads the form
	}
	return c.Request().Form["customer"]
}

// pickable is the team and the customers it may be given.
func (h *Handlers) pickable(c *Ctx) ([]account.Person, []customer.Entry, error) {
	team, err := h.team(c)
	if err != nil {
		return nil, nil, err
	}
	all, err := h.ownInForce(c)
	return team, all, err
}

// ownInForce are the partner's own customers in force. Fault: not found for a chosen one that is none of them.
func (h *Handlers) ownInForce(c *Ctx) ([]customer.Entry, error) {
	all, err := h.Customers.Directory(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	now := h.Clock.Now()
	all = slices.DeleteFunc(all, func(e customer.Entry) bool { return !e.Own(c.Org.ID) || !e.InForce(now) })
	for _, code := range c.chosen() {
		if !slices.ContainsFunc(all, func(e customer.Entry) bool { return e.Customer.Code == code }) {
			return nil, notFound()
		}
	}
	return all, nil
}

func pickRow(c *Ctx, e *customer.Entry, chosen []string) opsview.Tick {
	name := c.personal(e.Customer.Name)
	name.Note = e.Customer.Code
	manager := c.T("customers.manager.none")
	if e.Manager.ID != "" {
		manager = carerText(c, e.Manager)
	}
	return opsview.Tick{Value: e.Customer.Code, Checked: slices.Contains(chosen, e.Customer.Code), Cells: []opsview.Cell{name, {Text: c.T(e.Kind.Label())}, {Text: manager}}}
}

func (h *Handlers) withdrawPage(c *Ctx) error { return h.withdrawForm(c, http.StatusOK, nil) }

// withdrawForm offers the customers that have a manager, of one manager if the address names one.
func (h *Handlers) withdrawForm(c *Ctx, status int, refused *fault.Error) error {
	team, all, err := h.pickable(c)
	if err != nil {
		return err
	}
	person := c.FormValue("person")
	if person != "" && !slices.ContainsFunc(team, func(p account.Person) bool { return p.ID == person }) {
		return notFound()
	}
	title := c.T("assignments.withdraw")
	p := custview.Pick{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("assignments.title"), Href: c.at(pathAssignments)}, part.Link{Text: title})},
		Refusal: refusalOf(c, refused), Action: c.at(pathAssignments + "/withdrawal"), Submit: c.T("assignments.preview"), Notes: []string{c.T("expenditure.rule.until")},
		Hidden: []part.Hidden{{Name: "preview", Value: "yes"}}, Heads: []opsview.Head{{Text: c.T("customers.col.customer")}, {Text: c.T("customers.filter.relation")}, {Text: c.T("customers.col.manager")}}}
	if person != "" {
		p.Hidden = append(p.Hidden, part.Hidden{Name: "person", Value: person})
	}
	for i := range all {
		if m := all[i].Manager.ID; m != "" && (person == "" || m == person) {
			p.Rows = append(p.Rows, pickRow(c, &all[i], c.chosen()))
		}
	}
	if len(p.Rows) == 0 {
		p.Empty = &part.Empty{Title: c.T("assignments.none"), Text: c.T("assignments.none_text")}
	}
	return c.page(status, p.Page())
}

func (h *Handlers) assign(c *Ctx) error {
	return h.batch(c, pathAssignments, "assigned", (*Handlers).assignForm)
}

func (h *Handlers) withdraw(c *Ctx) error {
	return h.batch(c, pathAssignments+"/withdrawal", "withdrawn", (*Handlers).withdrawForm)
}

// batch shows what a batch would do where the form asks for that, and does it otherwise, whole or not at all.
func (h *Handlers) batch(c *Ctx, path, done string, again func(*Handlers, *Ctx, int, *fault.Error) error) error {
	if err := c.readForm(); err != nil {
		return err
	}
	in, err := h.batchInput(c, done == "assigned")
	if err == nil && c.FormValue("preview") == "yes" {
		var steps []customer.Step
		if steps, err = h.Customers.Plan(c.ctx(), c.Scope, in); err == nil {
			return h.confirm(c, path, in, steps)
		}
	} else if err == nil {
		if err = h.once(c, func(ctx context.Context) (answer, error) {
			n, err := h.Customers.AssignAll(ctx, c.Scope, in)
			return answer{Location: c.withQuery(pathAssignments, "done", done), Body: map[string]any{"changed": n}}, err
		}); err == nil {
			return nil
		}
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return again(h, c, status, f) })
}

// batchInput reads whom and whose; what is out of sight is not found.
func (h *Handlers) batchInput(c *Ctx, assigns bool) (customer.BatchInput, error) {
	in := customer.BatchInput{Replace: c.FormValue("all") == "yes"}
	_, all, err := h.pickable(c)
	if err != nil {
		return in, err
	}
	for _, code := range c.chosen() {
		i := slices.IndexFunc(all, func(e customer.Entry) bool { return e.Customer.Code == code })
		in.CustomerIDs = append(in.CustomerIDs, all[i].CustomerID)
	}
	person := strings.TrimSpace(c.FormValue("person"))
	if assigns && person == "" {
		return in, fault.Invalid("customer.manager_missing", nil)
	}
	if person != "" {
		if _, err := h.member(c, person); err != nil {
			return in, err
		}
	}
	if assigns {
		in.PersonID = person
	}
	return in, nil
}

// confirm lists what a batch would do with each customer.
func (h *Handlers) confirm(c *Ctx, path string, in customer.BatchInput, steps []customer.Step) error {
	if wantsJSON(c.Request()) {
		return c.JSON(http.StatusOK, planBody(steps))
	}
	title := c.T("assignments.confirm")
	p := custview.Confirm{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("assignments.title"), Href: c.at(pathAssignments)}, part.Link{Text: title})},
		Action: c.at(path), Hidden: fresh(), Back: part.Link{Text: c.T("assignments.back"), Href: c.at(pathAssignments)}, Notes: []string{c.T("expenditure.rule.until")}, Submit: c.T("assignments.withdraw_now")}
	to := i18n.Nothing
	if in.PersonID != "" {
		m, err := h.member(c, in.PersonID)
		if err != nil {
			return err
		}
		to = carerText(c, customer.Carer{ID: m.ID, Login: m.Login, Name: m.Name})
		p.Hidden = append(p.Hidden, part.Hidden{Name: "person", Value: in.PersonID})
		p.Notes = []string{c.T("assignments.note")}
		p.Submit = c.T("assignments.assign_now")
		p.Facts = []part.Item{{Label: c.T("assignments.to"), Text: to}, {Label: c.T("customers.show.counts"), Text: i18n.Date(customer.CountExpenditure.From(h.Clock.Now()))}}
	}
	if in.Replace {
		p.Hidden = append(p.Hidden, part.Hidden{Name: "all", Value: "yes"})
	}
	p.Facts = append([]part.Item{{Label: c.T("assignments.col.customers"), Text: i18n.Count(int64(len(steps)))}}, p.Facts...)
	p.Grid = opsview.Grid{ID: "steps", Title: c.T("assignments.steps"), Heads: []opsview.Head{{Text: c.T("customers.col.customer")}, {Text: c.T("assignments.from")}, {Text: c.T("assignments.to")}, {Text: c.T("assignments.effect")}}}
	for i := range steps {
		st := &steps[i]
		p.Hidden = append(p.Hidden, part.Hidden{Name: "customer", Value: st.Customer.Code})
		p.Off = p.Off || st.Refusal != nil
		p.Grid.Rows = append(p.Grid.Rows, stepCells(c, st, to))
	}
	return c.page(http.StatusOK, p.Page())
}

func stepCells(c *Ctx, st *customer.Step, to string) []opsview.Cell {
	name, from := c.personal(st.Customer.Name), i18n.Nothing
	name.Note = st.Customer.Code
	if st.Manager.ID != "" {
		from = carerText(c, st.Manager)
	}
	effect := opsview.Cell{Status: &part.Status{Text: c.T("assignments.effect.change"), Tone: part.Good}}
	switch {
	case st.Refusal != nil:
		effect = opsview.Cell{Status: &part.Status{Text: i18n.FaultText(c.ctx(), st.Refusal), Tone: part.Bad}}
	case st.Same:
		effect = opsview.Cell{Status: &part.Status{Text: c.T("assignments.effect.same"), Tone: part.Grey}}
	}
	return []opsview.Cell{name, {Text: from}, {Text: to}, effect}
}

func planBody(steps []customer.Step) map[string]any {
	list := make([]map[string]any, len(steps))
	for i := range steps {
		list[i] = map[string]any{"customer": steps[i].Customer.Code, "same": steps[i].Same}
		if f := steps[i].Refusal; f != nil {
			list[i]["refused"] = f.Code
		}
	}
	return map[string]any{"customers": list}
}
