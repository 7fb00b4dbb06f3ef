package portal

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"huoban/internal/fault"
	"huoban/internal/grant"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/web/templates/growview"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

const pathGrants = "/prospect-grants"

// grantRoutes are 客户拓展授权: what lets a distributor win customers, to the vendor and to the distributor alike.
func grantRoutes() []Route {
	see, act := []scope.Item{scope.ItemProspectView, scope.ItemProspectReviewView}, []scope.Item{scope.ItemProspectChange, scope.ItemProspectReview}
	row := func(method, path, name, title string, items []scope.Item, do func(*Handlers, *Ctx) error, query ...string) Route {
		return Route{Method: method, Path: "/o/:org" + pathGrants + path, Name: name, Sides: traders, Items: items, Title: title, Query: query, Do: do}
	}
	out := []Route{
		row(get, "", "grants", "grants.title", see, (*Handlers).grants),
		row(get, "/new", "grants.new", "grants.new", act, (*Handlers).grantAsking, "vendor", "partner").noList("form"),
		row(post, "", "grants.begin", "", act, (*Handlers).grantBegun, "vendor", "partner"),
		row(get, "/:id", "grants.show", "grants.title", see, (*Handlers).grantShown).noList("one grant"),
	}
	for i := range grant.Flow.Rows {
		r := &grant.Flow.Rows[i]
		one := row(post, "/:id/"+r.Noun, "grants."+r.Noun, "", r.Who, func(h *Handlers, c *Ctx) error { return h.grantAct(c, r.Do) })
		if one.Sides = partners; r.Who[0] == scope.ItemProspectReview {
			one.Sides = vendors
		}
		out = append(out, one.moves(grant.Flow, string(r.Do)))
	}
	return out
}

var (
	grantTone   = map[grant.State]part.Tone{grant.StateAsked: part.Brand, grant.StateGranted: part.Good, grant.StateRefused: part.Bad, grant.StateRevoked: part.Bad}
	grantStates = append(grant.Flow.States(), grantNone)
)

// grantNone is how a list calls a distributor that has no grant and never asked.
const grantNone grant.State = "none"

func grantStatus(c *Ctx, id string, s grant.State) *part.Status {
	tone := grantTone[s]
	if s == grant.StateAsked && c.Scope.Side() == scope.SideVendor {
		tone = part.Warn // somebody here must act
	}
	return c.explained(grant.Flow.Machine, id, string(s), tone)
}

// beginning is how the actor makes a grant with another side, and the words for it.
type beginning struct {
	may                     bool
	title, why, help, after string
}

func (c *Ctx) begins() beginning {
	if c.Scope.Side() == scope.SideVendor {
		return beginning{c.Scope.Has(scope.ItemProspectReview), "grants.give", "grants.give_why", "grants.give_help", "grant_give"}
	}
	return beginning{c.Scope.Has(scope.ItemProspectChange), "grants.ask", "grants.ask_why", "grants.ask_help", "grant_ask"}
}

// otherSide is the parameter that names with whom a grant is made, and other the code it has.
func (c *Ctx) otherSide() string {
	if c.Scope.Side() == scope.SideVendor {
		return "partner"
	}
	return "vendor"
}

func (c *Ctx) other() string {
	if c.Scope.Side() == scope.SideVendor {
		return c.FormValue("partner")
	}
	return c.FormValue("vendor")
}

func (h *Handlers) grants(c *Ctx) error {
	title := c.T("grants.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title})}, Flash: c.done(),
		Filter: &part.Filter{Action: c.at(pathGrants), Reset: c.at(pathGrants), Fields: []part.FilterField{{Name: "q", Label: c.T("grants.filter.q"), Value: c.QueryParam("q")},
			choiceOf(c, "state", c.T("opsview.col.state"), grant.Flow.Machine+".state.", grant.State(c.QueryParam("state")), grantStates)}}}
	if _, err := h.board(c, &p, "grants"); err != nil {
		return err
	}
	return c.page(http.StatusOK, p.Page())
}

// readGrants lists the grants in sight, and after them those with whom there is none.
func (h *Handlers) readGrants(c *Ctx) (*sheet, error) {
	state, text := grant.State(c.QueryParam("state")), strings.ToLower(strings.TrimSpace(c.QueryParam("q")))
	if state != "" && !slices.Contains(grantStates, state) {
		return nil, notFound()
	}
	list, err := h.Grants.List(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	missing, err := h.Grants.Missing(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	names, err := h.orgNames(c)
	if err != nil {
		return nil, err
	}
	vendor := c.Scope.Side() == scope.SideVendor
	other := c.T("withdrawal.col.vendor")
	if vendor {
		other = c.T("grants.col.partner")
	}
	s := &sheet{columns: []listColumn{{key: "with", title: other, note: c.T("registrations.partner_code")}, {key: "plea", title: c.T("grants.col.plea")}, {key: "asked", title: c.T("grants.col.asked"), note: c.T("grants.col.by"), class: "num-l"},
		{key: "decided", title: c.T("company.decided"), note: c.T("company.decided_by"), class: "num-l"}, {key: "state", title: c.T("opsview.col.state"), note: c.T("company.reason")}},
		empty: part.Empty{Title: c.T("grants.empty"), Text: c.T("grants.empty_text")}}
	takes := func(o *organisation.Organisation, st grant.State) bool {
		return (state == "" || st == state) && (text == "" || strings.Contains(strings.ToLower(o.Name+"\n"+o.Code), text))
	}
	for i := range list {
		g := &list[i]
		o := names[g.VendorID]
		if vendor {
			o = names[g.PartnerID]
		}
		if !takes(&o, g.State) {
			continue
		}
		s.add(sheetRow{key: g.ID, at: g.ChangedAt, mark: marks(string(g.State), g.Plea, g.Reason), cells: []opsview.Cell{{Text: o.Name, Note: o.Code, Href: c.at(pathGrants + "/" + g.ID)}, {Text: g.Plea},
			{Text: bound(g.AskedAt), Note: g.AskedBy}, {Text: bound(g.DecidedAt), Note: g.DecidedBy}, {Status: grantStatus(c, g.ID, g.State), Note: g.Reason}}})
	}
	may := c.begins().may
	for i := range missing {
		o := &missing[i]
		if !takes(o, grantNone) {
			continue
		}
		with := opsview.Cell{Text: o.Name, Note: o.Code}
		if may {
			with.Href = c.withQuery(pathGrants+"/new", c.otherSide(), o.Code)
		}
		s.add(sheetRow{key: o.ID, at: o.CreatedAt, cells: []opsview.Cell{with, {}, {}, {}, {Status: grantStatus(c, o.ID, grantNone)}}})
	}
	s.narrowed("q", c.QueryParam("q"))
	narrowedWords(c, s, [][3]string{{"state", string(state), grant.Flow.Machine + ".state."}})
	return s, nil
}

func (h *Handlers) grantShown(c *Ctx) error { return h.grantDetail(c, http.StatusOK, nil) }

// grantDetail is one grant with what may be done and what happened.
func (h *Handlers) grantDetail(c *Ctx, status int, refused *fault.Error) error {
	g, err := h.Grants.Find(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return err
	}
	names, err := h.partyNames(c)
	if err != nil {
		return err
	}
	at, name := c.at(pathGrants+"/"+g.ID), names[g.PartnerID]
	d := growview.Detail{Header: part.Header{Title: c.T("grants.of", "Name", name), Crumbs: c.crumbs(part.Link{Text: c.T("grants.title"), Href: c.at(pathGrants)}, part.Link{Text: name}), Status: grantStatus(c, g.ID, g.State)}, Flash: c.done()}
	d.Refusal, d.Conflict = lost(c, refused, at)
	d.Facts = slices.DeleteFunc([]part.Item{{Label: c.T("grants.col.partner"), Text: name}, {Label: c.T("withdrawal.col.vendor"), Text: names[g.VendorID]}, {Label: c.T("grants.col.plea"), Text: g.Plea},
		{Label: c.T("grants.col.asked"), Text: join(present(bound(g.AskedAt), g.AskedBy), " · ")}, {Label: c.T("company.decided"), Text: join(present(bound(g.DecidedAt), g.DecidedBy), " · ")}, {Label: c.T("company.reason"), Text: g.Reason}},
		func(x part.Item) bool { return x.Text == "" })
	if g.State == grant.StateGranted && c.Scope.Side() == scope.SidePartner {
		d.Header.Buttons = []part.Link{{Text: c.T("prospects.title"), Href: c.at(pathProspects)}}
	}
	d.Buttons = flowButtons(c, h.Grants.Allowed(c.Scope, &g), at, name, g.Version)
	changes, err := h.Grants.History(c.ctx(), g.ID)
	if err != nil {
		return err
	}
	d.Trail = history(c, grant.Flow.Machine, changes)
	c.ruled(&d.Header, &d.Laws)
	return c.page(status, d.Page())
}

func (h *Handlers) grantAsking(c *Ctx) error { return h.grantAsked(c, http.StatusOK, nil) }

// grantAsked asks with whom and why; where nobody is left it says so.
func (h *Handlers) grantAsked(c *Ctx, status int, refused *fault.Error) error {
	missing, err := h.Grants.Missing(c.ctx(), c.Scope)
	if err != nil {
		return err
	}
	words := c.begins()
	title := c.T(words.title)
	f := growview.Form{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("grants.title"), Href: c.at(pathGrants)}, part.Link{Text: title})}, Refusal: refusalOf(c, refused), Action: c.at(pathGrants), Hidden: fresh(),
		Submits: []growview.Submit{{Value: "begin", Text: title}}, Notes: c.rules()}
	if len(missing) == 0 {
		f.Off, f.Checks = true, []part.Check{{Tone: part.Good, Title: c.T("grants.nobody"), Text: c.T("grants.nobody_text"), Cure: &part.Link{Text: c.T("grants.title"), Href: c.at(pathGrants)}}}
		return c.page(status, f.Page())
	}
	with := part.Field{Name: c.otherSide(), Label: c.T("withdrawal.col.vendor"), Type: "select", Value: c.other(), Required: true}
	if c.Scope.Side() == scope.SideVendor {
		with.Label = c.T("grants.col.partner")
	}
	for i := range missing {
		with.Options = append(with.Options, part.Option{Value: missing[i].Code, Label: missing[i].Name})
	}
	f.Fields = []part.Field{with, {Name: "reason", Label: c.T(words.why), Type: "textarea", Value: c.FormValue("reason"), Required: true, MaxLength: grant.MaxReason, Help: c.T(words.help)}}
	return c.page(status, f.Page())
}

func (h *Handlers) grantBegun(c *Ctx) error {
	err := h.once(c, func(ctx context.Context) (answer, error) {
		other, err := h.orgID(ctx, c, c.other(), "grant.other_unknown")
		if err != nil {
			return answer{}, err
		}
		g, err := h.Grants.Begin(ctx, c.Scope, other, c.FormValue("reason"))
		return answer{Location: c.withQuery(pathGrants+"/"+g.ID, "done", c.begins().after), Body: grantBody(&g)}, err
	})
	return c.refusedOr(err, func(status int, f *fault.Error) error { return h.grantAsked(c, status, f) })
}

func grantBody(g *grant.Grant) map[string]any {
	return map[string]any{"id": g.ID, "state": string(g.State)}
}

func (h *Handlers) grantAct(c *Ctx, do grant.Action) error {
	err := h.once(c, func(ctx context.Context) (answer, error) {
		g, err := h.Grants.Do(ctx, c.Scope, c.Param("id"), do, c.in("reason"))
		return answer{Location: c.withQuery(pathGrants+"/"+g.ID, "done", "grant_"+string(do)), Body: grantBody(&g)}, err
	})
	return c.refusedOr(err, func(status int, f *fault.Error) error { return h.grantDetail(c, status, f) })
}

// growClosed says that the partner may not win customers for any of its vendors, and where that is asked for; nil where it
// may for one of them.
func (h *Handlers) growClosed(c *Ctx) (*part.Check, error) {
	if !grant.Needed(c.Org.Kind) {
		return nil, nil
	}
	list, err := h.Grants.List(c.ctx(), c.Scope)
	if err != nil || slices.ContainsFunc(list, func(g grant.Grant) bool { return g.State == grant.StateGranted }) {
		return nil, err
	}
	check := &part.Check{Tone: part.Warn, Title: c.T("grants.closed"), Text: c.T("grants.closed_text"), Cure: &part.Link{Text: c.T("grants.ask"), Href: c.at(pathGrants + "/new")}}
	if len(list) > 0 {
		check.Title, check.Text = c.T("grants.closed_"+string(list[0].State)), list[0].Reason
		check.Cure = &part.Link{Text: c.T("grants.see"), Href: c.at(pathGrants + "/" + list[0].ID)}
	}
	return check, nil
}

// deskGrants are requests of distributors, for the desk of 渠道经理.
func (h *Handlers) deskGrants(c *Ctx) ([]deskRow, error) {
	list, err := h.Grants.List(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	names, err := h.partyNames(c)
	var out []deskRow
	for i := range list {
		g := &list[i]
		out = append(out, deskRow{id: g.ID, state: string(g.State), title: opsview.Cell{Text: c.T("desk.kind.grant"), Note: g.Plea, Href: c.at(pathGrants + "/" + g.ID)}, who: names[g.PartnerID], by: g.AskedBy, since: g.AskedAt})
	}
	return out, err
}

func deskGrant(do grant.Action) func(h *Handlers, ctx context.Context, c *Ctx, id, reason string) error {
	return func(h *Handlers, ctx context.Context, c *Ctx, id, reason string) error {
		_, err := h.Grants.Do(ctx, c.Scope, id, do, reason)
		return err
	}
}
