package portal

import (
	"net/http"
	"slices"
	"strings"

	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/organisation"
	"huoban/internal/prospect"
	"huoban/internal/scope"
	"huoban/internal/sorted"
	"huoban/web/templates/growview"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

const pathRegistrations = "/registrations"

// registrationRoutes are 报备审核: what partners registered, and the vendor's decision.
func registrationRoutes() []Route {
	row := func(method, path, name, title string, item scope.Item, do func(*Handlers, *Ctx) error) Route {
		return Route{Method: method, Path: "/o/:org" + pathRegistrations + path, Name: name, Sides: vendors, Items: []scope.Item{item}, Title: title, Do: do}
	}
	out := []Route{
		row(get, "", "registrations", "registrations.title", scope.ItemProspectReviewView, (*Handlers).registrations),
		row(get, "/:id", "registrations.show", "registrations.title", scope.ItemProspectReviewView, (*Handlers).registrationShown).noList("one registration and its decision"),
	}
	for _, do := range []prospect.Action{prospect.ActionApprove, prospect.ActionRefuse} {
		r, _ := prospect.Flow.Lookup(prospect.StatePending, do)
		out = append(out, row(post, "/:id/"+r.Noun, "registrations."+r.Noun, "", scope.ItemProspectReview, func(h *Handlers, c *Ctx) error {
			return h.prospectAct(c, pathRegistrations, do, (*Handlers).registrationDetail)
		}).moves(prospect.Flow, string(do)))
	}
	return out
}

// reviewStates are those a vendor meets, what waits first.
var reviewStates = []prospect.State{prospect.StatePending, prospect.StateRegistered, prospect.StateRefused, prospect.StateLapsed, prospect.StateAssociated}

func (h *Handlers) registrations(c *Ctx) error {
	title := c.T("registrations.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title})}, Flash: c.done(), Notes: []string{c.T("registrations.note", "Days", prospect.Days)},
		Filter: &part.Filter{Action: c.at(pathRegistrations), Reset: c.at(pathRegistrations), Fields: []part.FilterField{{Name: "q", Label: c.T("registrations.filter.q"), Value: c.QueryParam("q")},
			choiceOf(c, "state", c.T("opsview.col.state"), "prospect.state.", prospect.State(c.QueryParam("state")), reviewStates), dayField(c, "from"), dayField(c, "to")}}}
	if _, err := h.board(c, &p, "registrations"); err != nil {
		return err
	}
	return c.page(http.StatusOK, p.Page())
}

// readRegistrations lists what was submitted to the vendor, what waits for its decision first.
func (h *Handlers) readRegistrations(c *Ctx) (*sheet, error) {
	state, text := prospect.State(c.QueryParam("state")), strings.ToLower(strings.TrimSpace(c.QueryParam("q")))
	if state != "" && !slices.Contains(reviewStates, state) {
		return nil, notFound()
	}
	from, until, err := daysParam(c)
	if err != nil {
		return nil, err
	}
	all, err := h.Prospects.List(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	names, err := h.orgNames(c)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(p prospect.Prospect) bool {
		partner := names[p.PartnerID]
		return state != "" && p.State != state || !within(p.SubmittedAt, from, until) ||
			text != "" && !strings.Contains(strings.ToLower(p.Name), text) && !strings.Contains(strings.ToLower(partner.Name), text) && !strings.Contains(strings.ToLower(partner.Code), text)
	})
	sorted.By(all, func(a, b prospect.Prospect) int {
		if x, y := a.State == prospect.StatePending, b.State == prospect.StatePending; x != y {
			if x {
				return -1
			}
			return 1
		}
		return b.SubmittedAt.Compare(a.SubmittedAt)
	})
	s := &sheet{columns: []listColumn{{key: "customer", title: c.T("prospects.col.customer"), note: c.T("prospects.kind"), personal: true}, {key: "phone", title: c.T("prospects.phone"), note: c.T("prospects.email"), personal: true},
		{key: "partner", title: c.T("registrations.partner"), note: c.T("registrations.partner_code")}, {key: "relation", title: c.T("prospects.relation")},
		{key: "submitted", title: c.T("prospects.submitted"), note: c.T("prospects.col.by"), class: "num-l"}, {key: "ends", title: c.T("prospects.col.ends"), note: c.T("prospects.col.left"), class: "num-l"},
		{key: "state", title: c.T("opsview.col.state"), note: c.T("prospects.col.reason")}},
		empty: part.Empty{Title: c.T("registrations.empty"), Text: c.T("registrations.empty_text")}}
	now := h.Clock.Now()
	for i := range all {
		p := &all[i]
		cells := append(prospectCells(c, p, pathRegistrations), opsview.Cell{Text: names[p.PartnerID].Name, Note: names[p.PartnerID].Code}, opsview.Cell{Text: c.T(p.Relation.Label())},
			opsview.Cell{Text: i18n.DateTime(p.SubmittedAt), Note: p.Login}, endsCell(c, p, now), prospectState(c, p))
		s.add(sheetRow{key: p.ID, at: p.ChangedAt, mark: marks(string(p.State), p.PartnerID, bound(p.SubmittedAt)), cells: cells})
	}
	s.narrowed("q", c.QueryParam("q"))
	narrowedWords(c, s, [][3]string{{"state", string(state), "prospect.state."}})
	return s, nil
}

// orgNames are the organisations the actor sees, by key.
func (h *Handlers) orgNames(c *Ctx) (map[string]organisation.Organisation, error) {
	list, err := h.Orgs.List(c.ctx(), c.Scope)
	out := map[string]organisation.Organisation{}
	for _, o := range list {
		out[o.ID] = o
	}
	return out, err
}

func (h *Handlers) registrationShown(c *Ctx) error {
	return h.registrationDetail(c, http.StatusOK, nil)
}

// registrationDetail is one registration as the vendor reviews it.
func (h *Handlers) registrationDetail(c *Ctx, status int, refused *fault.Error) error {
	p, err := h.Prospects.Find(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return err
	}
	names, err := h.orgNames(c)
	if err != nil {
		return err
	}
	name := c.personal(p.Name).Text
	d := growview.Detail{Header: part.Header{Title: c.T("prospects.of", "Name", name), Crumbs: c.crumbs(part.Link{Text: c.T("registrations.title"), Href: c.at(pathRegistrations)}, part.Link{Text: name}),
		Status: &part.Status{Text: c.T("prospect.state." + string(p.State)), Tone: prospectTone[p.State], Meaning: c.T("prospects.meaning." + string(p.State)), Next: c.T("registrations.next." + string(p.State))}},
		Flash: c.done(), Eye: c.factsEye(pathRegistrations+"/"+p.ID, c.T("prospects.col.customer"))}
	d.Facts = append([]part.Item{{Label: c.T("registrations.partner"), Text: names[p.PartnerID].Name}}, h.prospectFacts(c, &p)...)
	d.Refusal, d.Conflict = lost(c, refused, c.at(pathRegistrations+"/"+p.ID))
	buttons, err := h.Prospects.Allowed(c.ctx(), c.Scope, p)
	if err != nil {
		return err
	}
	d.Buttons = flowButtons(c, buttons, c.at(pathRegistrations+"/"+p.ID), name, p.Version)
	changes, err := h.Prospects.History(c.ctx(), p.ID)
	if err != nil {
		return err
	}
	d.Trail = history(c, prospect.Flow.Machine, changes)
	return c.page(status, d.Page())
}
