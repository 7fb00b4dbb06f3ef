package portal

import (
	"context"
	"net/http"
	"slices"

	"huoban/internal/company"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/paper"
	"huoban/internal/scope"
	"huoban/web/templates/growview"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

const pathCompanyChanges = "/company-changes"

// companyChangeRoutes are 公司信息变更: a partner's own record of them, and where the vendor reviews those of its partners.
func companyChangeRoutes() []Route {
	see := []scope.Item{scope.ItemOrgView, scope.ItemHomeAccount}
	at := "/o/:org" + pathCompanyChanges
	rows := []Route{
		{Method: get, Path: at, Name: "company.changes", Sides: traders, Items: see, Title: "company.changes", Do: (*Handlers).companyChanges},
		{Method: get, Path: at + "/:id", Name: "company.changes.show", Sides: traders, Items: see, Title: "company.changes", NoList: "one change, before and after", Do: (*Handlers).companyChange},
	}
	rows = append(rows, Route{Method: get, Path: at + "/:id/paper", Name: "company.changes.paper", Sides: traders, Items: []scope.Item{scope.ItemOrgView, scope.ItemProfileChange}, Do: (*Handlers).companyLicence})
	for i := range company.Flow.Rows {
		r := company.Flow.Rows[i]
		sides := vendors
		if r.Do == company.ActionWithdraw {
			sides = partners
		}
		rows = append(rows, Route{Method: post, Path: at + "/:id/" + r.Noun, Name: "company.changes." + string(r.Do), Sides: sides, Items: r.Who,
			Do: func(h *Handlers, c *Ctx) error { return h.decideChange(c, r.Do) }}.moves(company.Flow, string(r.Do)))
	}
	return rows
}

var companyStates = []company.State{company.StateReviewing, company.StateApproved, company.StateRefused, company.StateWithdrawn}

var companyTone = map[company.State]part.Tone{company.StateReviewing: part.Warn, company.StateApproved: part.Good, company.StateRefused: part.Bad}

func companyStatus(c *Ctx, x *company.Change) *part.Status {
	next := "company.next." + string(x.State)
	if x.State == company.StateReviewing && c.Scope.Side() == scope.SideVendor {
		next = "company.next.review"
	}
	return &part.Status{ID: "cc-" + x.ID, Text: c.T("company_change.state." + string(x.State)), Tone: companyTone[x.State], Meaning: c.T("company.meaning." + string(x.State)), Next: c.T(next)}
}

func (h *Handlers) companyChanges(c *Ctx) error {
	title := c.T("company.changes")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title})}, Flash: c.done()}
	state := part.FilterField{Name: "state", Label: c.T("opsview.col.state"), Value: c.QueryParam("state"), Options: []part.Option{{Label: c.T("ops.filter.any")}}}
	for _, s := range companyStates {
		state.Options = append(state.Options, part.Option{Value: string(s), Label: c.T("company_change.state." + string(s))})
	}
	p.Filter = &part.Filter{Action: c.at(pathCompanyChanges), Reset: c.at(pathCompanyChanges), Fields: []part.FilterField{state}}
	if _, err := h.board(c, &p, "company.changes"); err != nil {
		return err
	}
	return c.page(http.StatusOK, p.Page())
}

func (h *Handlers) readCompanyChanges(c *Ctx) (*sheet, error) {
	state := company.State(c.QueryParam("state"))
	if state != "" && !slices.Contains(companyStates, state) {
		return nil, notFound()
	}
	all, err := h.Company.Changes(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: []listColumn{{key: "company", title: c.T("company.name"), note: c.T("company.code")}, {key: "what", title: c.T("company.what")}, {key: "at", title: c.T("company.at"), note: c.T("ops.fact.by"), class: "num-l"},
		{key: "decided", title: c.T("company.decided"), note: c.T("company.decided_by"), class: "num-l"}, {key: "state", title: c.T("opsview.col.state"), class: "m"}},
		empty: part.Empty{Title: c.T("company.no_changes"), Text: c.T("company.no_changes_text")}}
	if c.Scope.Has(scope.ItemProfileChange) {
		s.empty.Button = &part.Link{Text: c.T("company.title"), Href: c.at(pathProfile)}
	}
	if state != "" {
		s.narrowed("state", c.T("company_change.state."+string(state)))
	}
	for i := range all {
		x := &all[i]
		if state != "" && x.State != state {
			continue
		}
		s.add(sheetRow{key: x.ID, at: latestOf(x.CreatedAt, x.DecidedAt), mark: marks(string(x.State), x.New.Name, x.New.NameEN, x.New.Address), cells: []opsview.Cell{{Text: x.Was.Name, Note: x.OrgCode, Href: c.at(pathCompanyChanges + "/" + x.ID)},
			{Text: join(changedWords(c, x), c.T("portal.list.comma"))}, {Text: i18n.DateTime(x.CreatedAt), Note: x.CreatedBy}, {Text: bound(x.DecidedAt), Note: x.DecidedBy}, {Status: companyStatus(c, x)}}})
	}
	return s, nil
}

// changedWords name the parts that differ.
func changedWords(c *Ctx, x *company.Change) []string {
	var out []string
	if x.Was == x.New { // the licence alone
		return []string{c.T("company.licence")}
	}
	for _, f := range []struct{ key, was, now string }{{"company.name", x.Was.Name, x.New.Name}, {"company.name_en", x.Was.NameEN, x.New.NameEN}, {"company.address", x.Was.Address, x.New.Address}} {
		if f.was != f.now {
			out = append(out, c.T(f.key))
		}
	}
	return out
}

func (h *Handlers) companyChange(c *Ctx) error { return h.companyChangePage(c, http.StatusOK, nil) }

// companyChangePage shows a change before and after, and what may be decided.
func (h *Handlers) companyChangePage(c *Ctx, status int, refused *fault.Error) error {
	x, err := h.Company.Change(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return err
	}
	title := x.Was.Name + " · " + i18n.Date(x.CreatedAt)
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("company.changes"), Href: c.at(pathCompanyChanges)}, part.Link{Text: title}), Status: companyStatus(c, &x)}, Flash: c.done(),
		Facts: []part.Item{{Label: c.T("company.code"), Text: x.OrgCode, Mono: true}, {Label: c.T("company.on_bills"), Text: x.OrgName}, {Label: c.T("company.at"), Text: i18n.DateTime(x.CreatedAt)}, {Label: c.T("ops.fact.by"), Text: x.CreatedBy}}}
	p.Refusal, p.Conflict = lost(c, refused, c.at(pathCompanyChanges+"/"+x.ID))
	if x.DecidedBy != "" {
		p.Facts = append(p.Facts, part.Item{Label: c.T("company.decided"), Text: i18n.DateTime(x.DecidedAt)}, part.Item{Label: c.T("company.decided_by"), Text: x.DecidedBy})
	}
	if x.Reason != "" {
		p.Facts = append(p.Facts, part.Item{Label: c.T("company.reason"), Text: x.Reason})
	}
	scan, found, err := h.Company.Licence(c.ctx(), &x)
	if err != nil {
		return err
	}
	p.Facts = append(p.Facts, licenceItem(c, &scan, found, x.ID))
	g := opsview.Grid{ID: "parts", Title: c.T("company.what"), Heads: []opsview.Head{{Text: c.T("company.part")}, {Text: c.T("company.was")}, {Text: c.T("company.now")}}}
	was, now := reviewedItems(c, &x.Was), reviewedItems(c, &x.New)
	for i := range was {
		after := opsview.Cell{Text: now[i].Text}
		if was[i].Text != now[i].Text {
			after.Note = c.T("company.differs")
		}
		g.Rows = append(g.Rows, []opsview.Cell{{Text: was[i].Label}, {Text: was[i].Text}, after})
	}
	p.Grids = []opsview.Grid{g}
	for _, b := range company.Flow.Allowed(x.State, company.Facts{OrgID: x.OrgID}, c.Scope, h.Clock.Now()) {
		if r, ok := company.Flow.Lookup(x.State, company.Action(b.Action)); !ok || !c.Scope.Has(r.Who...) {
			continue // of the other side
		}
		button := actionButton(c, b, c.at(pathCompanyChanges+"/"+x.ID+"/"+b.Noun), x.Was.Name, x.Version)
		button.ID, button.Hint, button.Primary = b.Action, "", b.Action == string(company.ActionApprove)
		button.Dialog.Title, button.Dialog.Points = c.T("company.ask."+b.Action), []string{c.T("company.point." + b.Action)}
		p.Buttons = append(p.Buttons, button)
	}
	if x.State == company.StateRefused && c.Scope.Has(scope.ItemProfileChange) {
		p.Header.Buttons = []part.Link{{Text: c.T("company.again"), Href: c.withQuery(pathProfile+"/change", "from", x.ID)}}
	}
	return c.page(status, p.Page())
}

// licenceItem is the fact that leads to the licence of a change, for those who may have it.
func licenceItem(c *Ctx, p *paper.Paper, found bool, changeID string) part.Item {
	out := paperItem(c, p, found, c.at(pathCompanyChanges+"/"+changeID))
	if out.Label = c.T("company.licence"); !c.Scope.Has(scope.ItemOrgView, scope.ItemProfileChange) {
		out.Href = ""
	}
	return out
}

// companyLicence sends the licence of a change.
func (h *Handlers) companyLicence(c *Ctx) error {
	x, p, body, err := h.Company.LicenceFile(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return err
	}
	return c.givePaper(x.OrgCode+"-licence-"+i18n.Date(x.CreatedAt), &p, body)
}

func (h *Handlers) decideChange(c *Ctx, do company.Action) error {
	if err := c.readForm(); err != nil {
		return err
	}
	err := h.once(c, func(ctx context.Context) (answer, error) {
		x, err := h.Company.Decide(ctx, c.Scope, c.Param("id"), do, c.in("reason"))
		return answer{Location: c.withQuery(pathCompanyChanges+"/"+c.Param("id"), "done", "company_"+string(do)), Body: map[string]any{"id": x.ID, "state": string(x.State)}}, err
	})
	return c.refuse(err, func(status int, f *fault.Error) error { return h.companyChangePage(c, status, f) })
}

// changePage begins with what stands, or with what was refused.
func (h *Handlers) changePage(c *Ctx) error {
	p, err := h.Company.Of(c.ctx(), c.Scope, c.Org)
	if err != nil {
		return err
	}
	r := p.Reviewed
	if id := c.QueryParam("from"); id != "" {
		x, err := h.Company.Change(c.ctx(), c.Scope, id)
		if err != nil {
			return err
		}
		r = x.New
	}
	return h.changeForm(c, r, http.StatusOK, nil)
}

func (h *Handlers) changeForm(c *Ctx, r company.Reviewed, status int, refused *fault.Error) error {
	title := c.T("company.change")
	field := func(name, key, value string, most int, required bool) part.Field {
		return part.Field{Name: name, Label: c.T(key), Value: value, MaxLength: most, Required: required}
	}
	p := growview.Form{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("company.title"), Href: c.at(pathProfile)}, part.Link{Text: title})}, Refusal: refusalOf(c, refused), Action: c.at(pathProfile + "/change/paper"), Hidden: fresh(), Files: true,
		Fields: []part.Field{field("company", "company.name", r.Name, company.MaxName, true), field("company_en", "company.name_en", r.NameEN, company.MaxName, false), field("postal", "company.address", r.Address, company.MaxAddress, false),
			{Name: "file", Label: c.T("company.licence"), Type: "file", Accept: paper.Accept, Help: c.T("company.licence_help", "Limit", paper.MaxFile>>20)}},
		Submits: []growview.Submit{{Value: "propose", Text: c.T("company.submit")}}, Notes: []string{c.T("page.rule.company.1"), c.T("page.rule.company.5"), c.T("page.rule.company.2"), c.T("page.rule.company.3")}}
	return c.page(status, p.Page())
}

// proposeChange takes names, address and, where the form brings one, the licence.
func (h *Handlers) proposeChange(c *Ctx) error {
	var licence []byte
	var err error
	if bringsPaper(c.Request()) {
		if licence, err = c.paperBody(); fault.HasCode(err, "paper.none") {
			err = nil
		}
	}
	if err == nil {
		err = c.readForm()
	}
	r := company.Reviewed{Name: c.FormValue("company"), NameEN: c.FormValue("company_en"), Address: c.FormValue("postal")}
	if err == nil {
		err = h.once(c, func(ctx context.Context) (answer, error) {
			x, err := h.Company.Propose(ctx, c.Scope, c.Org, r, licence)
			at := c.withQuery(pathProfile, "done", "company_proposed")
			return answer{Location: at, Body: map[string]any{"location": at, "change": x.ID}}, err
		})
	}
	return c.refusedOr(err, func(status int, f *fault.Error) error { return h.changeForm(c, r, status, f) })
}

// companyDuties are changes that wait for the vendor's review.
func (h *Handlers) companyDuties(c *Ctx) ([]duty, error) {
	if !c.Scope.Has(scope.ItemOrgChange) || !c.Scope.Has(scope.ItemOrgView) {
		return nil, nil
	}
	all, err := h.Company.Changes(c.ctx(), c.Scope)
	var out []duty
	for i := range all {
		if x := &all[i]; x.State == company.StateReviewing {
			out = append(out, duty{kind: dutyCompany, title: c.T("work.company", "Name", x.Was.Name), text: join(changedWords(c, x), c.T("portal.list.comma")), since: x.CreatedAt,
				cure: part.Link{Text: c.T("work.company_cure"), Href: c.at(pathCompanyChanges + "/" + x.ID)}})
		}
	}
	return out, err
}
