package portal

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"huoban/internal/customer"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/passcode"
	"huoban/internal/relation"
	"huoban/internal/scope"
	"huoban/internal/sorted"
	"huoban/web/templates/growview"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

const (
	pathRelations   = "/associations"
	pathDissolution = pathPartner + "/dissolution"
)

// relationRoutes are 关联关系: what was asked and happened, and the asking and answering of both sides.
func relationRoutes() []Route {
	change, both := []scope.Item{scope.ItemAssociationChange}, []scope.Side{scope.SidePartner, scope.SideCustomer}
	out := []Route{
		{Method: get, Path: "/o/:org" + pathRelations, Name: "relations", Sides: partners, Items: []scope.Item{scope.ItemAssociationView}, Title: "relations.title", Do: (*Handlers).relations},
		{Method: get, Path: "/o/:org" + pathRelations + "/:id", Name: "relations.show", Sides: both, Items: []scope.Item{scope.ItemAssociationView}, Title: "relations.title", NoList: "one request and its answer", Do: (*Handlers).relationShown},
		{Method: get, Path: "/o/:org" + pathCustomers + "/:id/relation", Name: "relations.new", Sides: partners, Items: change, Title: "relations.change", NoList: "form", Do: (*Handlers).relationPage},
		{Method: post, Path: "/o/:org" + pathCustomers + "/:id/relation", Name: "relations.ask", Sides: partners, Items: change, Do: (*Handlers).relationAsked},
		{Method: get, Path: "/o/:org" + pathDissolution, Name: "partner.dissolving", Sides: []scope.Side{scope.SideCustomer}, Items: change, Title: "relations.dissolve", NoList: "form", Do: (*Handlers).relationPage},
		{Method: post, Path: "/o/:org" + pathDissolution, Name: "partner.dissolve", Sides: []scope.Side{scope.SideCustomer}, Items: change, Do: (*Handlers).relationAsked},
	}
	for _, do := range relation.Flow.Actions() {
		r, _ := relation.Flow.Lookup(relation.StateAwaitingCustomer, do)
		if r.Noun == "" { // the portal's own
			continue
		}
		out = append(out, Route{Method: post, Path: "/o/:org" + pathRelations + "/:id/" + r.Noun, Name: "relations." + r.Noun, Sides: both, Items: change,
			Do: func(h *Handlers, c *Ctx) error { return h.relationAct(c, do) }}.moves(relation.Flow, string(do)))
	}
	return out
}

var relationTone = map[relation.State]part.Tone{relation.StateAwaitingCustomer: part.Warn, relation.StateAwaitingPartner: part.Warn, relation.StateAgreed: part.Good, relation.StateRefused: part.Bad}

// The operations a list may be narrowed to.
const opAssociate = "associate"

var relationOps = []string{opAssociate, string(relation.KindSwitch), string(relation.KindDissolve)}

// relations lists every association, change and end.
func (h *Handlers) relations(c *Ctx) error {
	title := c.T("relations.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title})}, Flash: c.done(), Notes: []string{c.T("relations.note", "Months", relation.QuietMonths)}}
	p.Filter = &part.Filter{Action: c.at(pathRelations), Reset: c.at(pathRelations), Fields: []part.FilterField{{Name: "q", Label: c.T("customers.filter.q"), Value: c.QueryParam("q")},
		choiceOf(c, "kind", c.T("relations.operation"), "relation.kind.", c.QueryParam("kind"), relationOps),
		choiceOf(c, "state", c.T("opsview.col.state"), "relation.state.", relation.State(c.QueryParam("state")), relation.Flow.States()), dayField(c, "from"), dayField(c, "to")}}
	if _, err := h.board(c, &p, "relations"); err != nil {
		return err
	}
	return c.page(http.StatusOK, p.Page())
}

// happening is one row of the operations: a request, or an association that began or ended by itself.
type happening struct {
	at, effective time.Time
	op            string
	from, to      customer.Kind
	by            string
	customerID    string
	request       *relation.Request
	id            string
}

func (x *happening) state() relation.State {
	if x.request == nil {
		return relation.StateAgreed
	}
	return x.request.State
}

// readRelations lists the operations of the partner's own associations, the newest first.
func (h *Handlers) readRelations(c *Ctx) (*sheet, error) {
	op, state, text := c.QueryParam("kind"), relation.State(c.QueryParam("state")), strings.ToLower(strings.TrimSpace(c.QueryParam("q")))
	if op != "" && !slices.Contains(relationOps, op) || state != "" && !slices.Contains(relation.Flow.States(), state) {
		return nil, notFound()
	}
	from, until, err := daysParam(c)
	if err != nil {
		return nil, err
	}
	all, err := h.happenings(c)
	if err != nil {
		return nil, err
	}
	names, err := h.Customers.Names(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: []listColumn{customerColumn(c), {key: "operation", title: c.T("relations.operation"), note: c.T("relations.mode")}, {key: "by", title: c.T("relations.by")}, {key: "at", title: c.T("relations.at"), class: "num-l"},
		{key: "effective", title: c.T("relations.effective"), class: "num-l"}, {key: "state", title: c.T("opsview.col.state"), note: c.T("relations.answer")}},
		empty: part.Empty{Title: c.T("list.empty"), Text: c.T("list.empty_text")}}
	for i := range all {
		x := &all[i]
		who := names[x.customerID]
		if op != "" && x.op != op || state != "" && x.state() != state || !within(x.at, from, until) ||
			text != "" && !strings.Contains(strings.ToLower(who.Name), text) && !strings.Contains(strings.ToLower(who.Code), text) {
			continue
		}
		s.add(h.relationRow(c, x, who))
	}
	s.narrowed("q", c.QueryParam("q"))
	narrowedWords(c, s, [][3]string{{"kind", op, "relation.kind."}, {"state", string(state), "relation.state."}})
	return s, nil
}

func (h *Handlers) relationRow(c *Ctx, x *happening, who customer.Party) sheetRow {
	name := c.personal(who.Name)
	name.Note, name.Href = who.Code, c.at(pathCustomers+"/"+x.customerID)
	status := opsview.Cell{Status: &part.Status{Text: c.T("relation.state." + string(x.state())), Tone: relationTone[x.state()]}}
	if x.request != nil {
		name.Href, status.Note = c.at(pathRelations+"/"+x.request.ID), x.request.Answer
	}
	return sheetRow{key: x.id, about: who.Code, at: x.at, mark: marks(x.op, string(x.state()), string(x.from), string(x.to), bound(x.effective)),
		cells: []opsview.Cell{name, {Text: c.T("relation.kind." + x.op), Note: modeChange(c, x.from, x.to)}, {Text: x.by}, {Text: bound(x.at)}, {Text: bound(x.effective)}, status}}
}

// modeChange says the mode, or from which to which.
func modeChange(c *Ctx, from, to customer.Kind) string {
	if to == "" || to == from {
		return c.T(from.Label())
	}
	return c.T(from.Label()) + " → " + c.T(to.Label())
}

// happenings are the requests, and what began or ended without one.
func (h *Handlers) happenings(c *Ctx) ([]happening, error) {
	requests, err := h.Relations.List(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	list, err := h.Customers.Associations(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	var out []happening
	explained := map[string]bool{}
	for i := range requests {
		r := &requests[i]
		out = append(out, happening{at: r.CreatedAt, effective: r.EffectiveAt, op: string(r.Kind), from: r.From, to: r.To, by: c.T("relation.side."+string(r.By)) + " · " + r.Login, customerID: r.CustomerID, request: r, id: r.ID})
		if r.State == relation.StateAgreed {
			explained[r.CustomerID+bound(r.EffectiveAt)] = true
		}
	}
	for i := range list {
		a := &list[i]
		if a.PartnerID != c.Org.ID || a.State != customer.StateActive && a.State != customer.StateEnded {
			continue
		}
		by := ""
		if key := a.ConsentLabel(); key != "" {
			by = c.T(key)
		}
		if !explained[a.CustomerID+bound(a.From)] {
			out = append(out, happening{at: a.CreatedAt, effective: a.From, op: opAssociate, from: a.Kind, by: by, customerID: a.CustomerID, id: a.ID})
		}
		if !a.To.IsZero() && a.State == customer.StateEnded && !explained[a.CustomerID+bound(a.To)] {
			out = append(out, happening{at: a.To, effective: a.To, op: string(relation.KindDissolve), from: a.Kind, customerID: a.CustomerID, id: a.ID + "/end"})
		}
	}
	sorted.By(out, func(a, b happening) int { return b.at.Compare(a.at) })
	return out, nil
}

func (h *Handlers) relationShown(c *Ctx) error { return h.relationDetail(c, http.StatusOK, nil) }

// relationDetail is one request with what the actor may answer.
func (h *Handlers) relationDetail(c *Ctx, status int, refused *fault.Error) error {
	r, err := h.Relations.Find(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return err
	}
	title := c.T(r.Kind.Label())
	back := part.Link{Text: c.T("relations.title"), Href: c.at(pathRelations)}
	if c.Scope.Side() == scope.SideCustomer {
		back = part.Link{Text: c.T("ssoview.partner.title"), Href: c.at(pathPartner)}
	}
	d := growview.Detail{Header: part.Header{Title: title, Crumbs: c.crumbs(back, part.Link{Text: title}), Status: relationStatus(c, &r)}, Flash: c.done()}
	d.Refusal, d.Conflict = lost(c, refused, c.at(pathRelations+"/"+r.ID))
	if d.Facts, err = h.relationFacts(c, &r); err != nil {
		return err
	}
	if d.Buttons, err = h.relationButtons(c, &r); err != nil {
		return err
	}
	changes, err := h.Relations.History(c.ctx(), r.ID)
	if err != nil {
		return err
	}
	d.Trail = history(c, relation.Flow.Machine, changes)
	return c.page(status, d.Page())
}

func relationStatus(c *Ctx, r *relation.Request) *part.Status {
	return &part.Status{Text: c.T("relation.state." + string(r.State)), Tone: relationTone[r.State], Meaning: c.T("relations.meaning." + string(r.State)), Next: c.T("relations.next." + string(r.State))}
}

func (h *Handlers) relationButtons(c *Ctx, r *relation.Request) ([]part.Button, error) {
	buttons, err := h.Relations.Allowed(c.ctx(), c.Scope, *r)
	return flowButtons(c, buttons, c.at(pathRelations+"/"+r.ID), c.T(r.Kind.Label()), r.Version), err
}

func (h *Handlers) relationFacts(c *Ctx, r *relation.Request) ([]part.Item, error) {
	items := []part.Item{{Label: c.T("relations.operation"), Text: c.T(r.Kind.Label())}, {Label: c.T("relations.mode"), Text: modeChange(c, r.From, r.To)}, {Label: c.T("relations.by"), Text: c.T("relation.side."+string(r.By)) + " · " + r.Login},
		{Label: c.T("relations.at"), Text: i18n.DateTime(r.CreatedAt)}, {Label: c.T("relations.when"), Text: c.T(r.When.Label())}, {Label: c.T("relations.reason"), Text: r.Reason},
		{Label: c.T("relations.decided"), Text: bound(r.DecidedAt)}, {Label: c.T("relations.effective"), Text: bound(r.EffectiveAt)}, {Label: c.T("relations.answer"), Text: r.Answer}}
	if c.Scope.Side() == scope.SidePartner {
		names, err := h.Customers.Names(c.ctx(), c.Scope)
		if err != nil {
			return nil, err
		}
		who := names[r.CustomerID]
		items = append([]part.Item{{Label: c.T("customers.col.customer"), Text: c.personal(who.Name).Text + " · " + who.Code, Href: c.at(pathCustomers + "/" + r.CustomerID)}}, items...)
	}
	return slices.DeleteFunc(items, func(x part.Item) bool { return x.Text == "" }), nil
}

// relationAct answers or withdraws.
func (h *Handlers) relationAct(c *Ctx, do relation.Action) error {
	err := h.proven(c, passcode.OpRelation, c.at(pathRelations+"/"+c.Param("id")), func(ctx context.Context) (answer, error) {
		r, err := h.Relations.Do(ctx, c.Scope, c.Param("id"), do, c.in("reason"))
		to := c.withQuery(pathRelations+"/"+r.ID, "done", "relation_"+string(do))
		return answer{Location: to, Body: map[string]any{"id": r.ID, "state": string(r.State)}}, err
	})
	if err == nil {
		return nil
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.relationDetail(c, status, f) })
}
