package portal

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"huoban/internal/customer"
	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/grant"
	"huoban/internal/i18n"
	"huoban/internal/prospect"
	"huoban/internal/scope"
	"huoban/internal/sorted"
	"huoban/web/templates/growview"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

const pathProspects = "/prospects"

// prospectRoutes are 客户拓展: what a partner registers of the customers it is winning.
func prospectRoutes() []Route {
	row := func(method, path, name, title string, item scope.Item, do func(*Handlers, *Ctx) error) Route {
		return Route{Method: method, Path: "/o/:org" + pathProspects + path, Name: name, Sides: partners, Items: []scope.Item{item}, Title: title, Do: do}
	}
	file := row(post, "", "prospects.file", "", scope.ItemProspectChange, (*Handlers).prospectFiled)
	file.Query = []string{"vendor"}
	return []Route{
		row(get, "", "prospects", "prospects.title", scope.ItemProspectView, (*Handlers).prospects),
		row(get, "/new", "prospects.new", "prospects.new", scope.ItemProspectChange, (*Handlers).prospectPage).noList("form"),
		file,
		row(get, "/:id", "prospects.show", "prospects.title", scope.ItemProspectView, (*Handlers).prospectShown),
		row(get, "/:id/amendment", "prospects.amending", "prospects.amend", scope.ItemProspectChange, (*Handlers).amendPage).noList("form"),
		row(post, "/:id/amendment", "prospects.amend", "", scope.ItemProspectChange, (*Handlers).prospectAmended),
		row(post, "/:id/submission", "prospects.submission", "", scope.ItemProspectChange, func(h *Handlers, c *Ctx) error {
			return h.prospectAct(c, pathProspects, prospect.ActionSubmit, (*Handlers).prospectDetail)
		}).moves(prospect.Flow, string(prospect.ActionSubmit)),
	}
}

var prospectTone = map[prospect.State]part.Tone{prospect.StatePending: part.Warn, prospect.StateRegistered: part.Good, prospect.StateRefused: part.Bad, prospect.StateAssociated: part.Good}

var prospectSorts = []string{"newest", "ending", "name"}

// prospectQuery is what narrows the list.
type prospectQuery struct {
	text, sort  string
	state       prospect.State
	kind        prospect.Kind
	relation    customer.Kind
	from, until time.Time
}

func readProspectQuery(c *Ctx) (q prospectQuery, err error) {
	q = prospectQuery{text: strings.ToLower(strings.TrimSpace(c.QueryParam("q"))), sort: c.QueryParam("sort"), state: prospect.State(c.QueryParam("state")),
		kind: prospect.Kind(c.QueryParam("kind")), relation: customer.Kind(c.QueryParam("relation"))}
	known := (q.sort == "" || slices.Contains(prospectSorts, q.sort)) && (q.state == "" || slices.Contains(prospect.Flow.States(), q.state)) &&
		slices.Contains([]prospect.Kind{"", prospect.KindCompany, prospect.KindPerson}, q.kind) && slices.Contains([]customer.Kind{"", customer.KindResale, customer.KindReferral}, q.relation)
	if !known {
		return q, notFound()
	}
	q.from, q.until, err = daysParam(c)
	return q, err
}

// daysParam reads the days from and to; the end is the day after.
func daysParam(c *Ctx) (from, until time.Time, err error) {
	if from, err = dayParam(c, "from"); err != nil {
		return from, until, err
	}
	if until, err = dayParam(c, "to"); err == nil && !until.IsZero() {
		until = until.AddDate(0, 0, 1)
	}
	return from, until, err
}

func within(at, from, until time.Time) bool {
	return (from.IsZero() || !at.Before(from)) && (until.IsZero() || at.Before(until))
}

func (q *prospectQuery) takes(p *prospect.Prospect) bool {
	return (q.text == "" || strings.Contains(strings.ToLower(p.Name), q.text)) && (q.state == "" || p.State == q.state) && (q.kind == "" || p.Kind == q.kind) &&
		(q.relation == "" || p.Relation == q.relation) && within(p.CreatedAt, q.from, q.until)
}

// choiceOf is a filter with words of the catalogue below a prefix; nothing chosen is any.
func choiceOf[S ~string](c *Ctx, name, label, prefix string, value S, options []S) part.FilterField {
	f := part.FilterField{Name: name, Label: label, Value: string(value), Options: []part.Option{{Label: c.T("ops.filter.any")}}}
	for _, o := range options {
		f.Options = append(f.Options, part.Option{Value: string(o), Label: c.T(prefix + string(o))})
	}
	return f
}

func dayField(c *Ctx, name string) part.FilterField {
	return part.FilterField{Name: name, Label: c.T("prospects.filter." + name), Value: c.QueryParam(name), Hint: "2026-10-01", More: true}
}

func folded(f part.FilterField) part.FilterField {
	f.More = true
	return f
}

var relations = []customer.Kind{customer.KindResale, customer.KindReferral}

// growTabs are the two lists of 客户拓展.
func growTabs(c *Ctx, current string) []part.Tab {
	return []part.Tab{{Text: c.T("prospects.tab"), Href: c.at(pathProspects), Current: current == pathProspects},
		{Text: c.T("invitations.title"), Href: c.at(pathInvitations), Current: current == pathInvitations}}
}

// prospects lists what the partner registered.
func (h *Handlers) prospects(c *Ctx) error {
	q, err := readProspectQuery(c)
	if err != nil {
		return err
	}
	title := c.T("prospects.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title})}, Flash: c.done(), Tabs: growTabs(c, pathProspects)}
	sorting := choiceOf(c, "sort", c.T("prospects.filter.sort"), "prospects.sort.", q.sort, prospectSorts[1:])
	sorting.Options[0].Label = c.T("prospects.sort.newest")
	p.Filter = &part.Filter{Action: c.at(pathProspects), Reset: c.at(pathProspects), Fields: []part.FilterField{{Name: "q", Label: c.T("prospects.filter.q"), Value: c.QueryParam("q")},
		choiceOf(c, "state", c.T("opsview.col.state"), "prospect.state.", q.state, prospect.Flow.States()),
		folded(choiceOf(c, "kind", c.T("prospects.kind"), "prospect.kind.", q.kind, []prospect.Kind{prospect.KindCompany, prospect.KindPerson})),
		folded(choiceOf(c, "relation", c.T("prospects.relation"), "association.kind.", q.relation, relations)), dayField(c, "from"), dayField(c, "to"), folded(sorting)}}
	open, err := h.Prospects.OpenOf(c.ctx(), c.Org.ID)
	if err != nil {
		return err
	}
	p.Notes = []string{c.T("prospects.room", "Open", open, "Limit", prospect.MaxOpen, "Days", prospect.Days)}
	closed, err := h.growClosed(c)
	if err != nil {
		return err
	}
	if closed != nil {
		p.Checks = []part.Check{*closed}
	}
	if c.Scope.Has(scope.ItemProspectChange) && closed == nil {
		p.Header.Buttons = []part.Link{{Text: c.T("prospects.new"), Href: c.at(pathProspects + "/new")}, {Text: c.T("invitations.new"), Href: c.at(pathInvitations + "/new")}}
	}
	if grant.Needed(c.Org.Kind) {
		p.Header.Buttons = append(p.Header.Buttons, part.Link{Text: c.T("grants.title"), Href: c.at(pathGrants)})
	}
	if _, err := h.board(c, &p, "prospects"); err != nil {
		return err
	}
	return c.page(http.StatusOK, p.Page())
}

// readProspects lists the registrations.
func (h *Handlers) readProspects(c *Ctx) (*sheet, error) {
	q, err := readProspectQuery(c)
	if err != nil {
		return nil, err
	}
	all, err := h.Prospects.List(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(p prospect.Prospect) bool { return !q.takes(&p) })
	switch q.sort {
	case "ending":
		sorted.By(all, func(a, b prospect.Prospect) int { return endOf(&a).Compare(endOf(&b)) })
	case "name":
		sorted.By(all, func(a, b prospect.Prospect) int {
			return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
		})
	}
	s := &sheet{columns: []listColumn{{key: "customer", title: c.T("prospects.col.customer"), note: c.T("prospects.kind"), personal: true}, {key: "phone", title: c.T("prospects.phone"), note: c.T("prospects.email"), personal: true},
		{key: "relation", title: c.T("prospects.relation")}, {key: "by", title: c.T("prospects.col.by"), note: c.T("prospects.col.created")},
		{key: "ends", title: c.T("prospects.col.ends"), note: c.T("prospects.col.left"), class: "num-l"}, {key: "state", title: c.T("opsview.col.state"), note: c.T("prospects.col.reason")}},
		empty: part.Empty{Title: c.T("prospects.empty"), Text: c.T("prospects.empty_text")}}
	closed, err := h.growClosed(c)
	if err != nil {
		return nil, err
	}
	if c.Scope.Has(scope.ItemProspectChange) && closed == nil {
		s.empty.Button = &part.Link{Text: c.T("prospects.new"), Href: c.at(pathProspects + "/new")}
	}
	now := h.Clock.Now()
	for i := range all {
		p := &all[i]
		cells := append(prospectCells(c, p, pathProspects), opsview.Cell{Text: c.T(p.Relation.Label())}, opsview.Cell{Text: p.Login, Note: i18n.DateTime(p.CreatedAt)}, endsCell(c, p, now), prospectState(c, p))
		s.add(sheetRow{key: p.ID, at: p.ChangedAt, mark: marks(string(p.State), string(p.Relation), bound(p.ExpiresAt)), cells: cells})
	}
	s.narrowed("q", c.QueryParam("q"))
	narrowedWords(c, s, [][3]string{{"state", string(q.state), "prospect.state."}, {"kind", string(q.kind), "prospect.kind."}, {"relation", string(q.relation), "association.kind."},
		{"sort", q.sort, "prospects.sort."}})
	return s, nil
}

// narrowedWords says what a list is narrowed to: parameter, value, and where its words stand; then the days.
func narrowedWords(c *Ctx, s *sheet, of [][3]string) {
	for _, x := range of {
		if x[1] != "" {
			s.narrowed(x[0], c.T(x[2]+x[1]))
		}
	}
	for _, name := range []string{"from", "to"} {
		if day := c.QueryParam(name); day != "" {
			s.narrowed(name, c.T("prospects.filter."+name)+" "+day)
		}
	}
}

// endOf puts what has no end last.
func endOf(p *prospect.Prospect) time.Time {
	if p.State != prospect.StateRegistered {
		return time.Unix(1<<40, 0)
	}
	return p.ExpiresAt
}

// prospectCells are the name and the contact, masked until the eye is used.
func prospectCells(c *Ctx, p *prospect.Prospect, path string) []opsview.Cell {
	name := c.personal(p.Name)
	name.Note, name.Href = c.T(p.Kind.Label()), c.at(path+"/"+p.ID)
	phone, email := c.veiled(p.Phone), c.veiled(p.Email)
	return []opsview.Cell{name, {Text: phone, Note: email, Masked: !c.open}}
}

// veiled is a phone or an address, masked until the eye is used.
func (c *Ctx) veiled(s string) string {
	if c.open {
		return s
	}
	return masked(s)
}

// endsCell says until when a registration holds and how long that is.
func endsCell(c *Ctx, p *prospect.Prospect, now time.Time) opsview.Cell {
	if p.ExpiresAt.IsZero() {
		return opsview.Cell{}
	}
	cell := opsview.Cell{Text: i18n.DateTime(p.ExpiresAt)}
	if p.State == prospect.StateRegistered && p.ExpiresAt.After(now) {
		cell.Note = c.T("prospects.left", "Count", days(p.ExpiresAt.Sub(now)))
	}
	return cell
}

func prospectState(c *Ctx, p *prospect.Prospect) opsview.Cell {
	return opsview.Cell{Status: &part.Status{Text: c.T("prospect.state." + string(p.State)), Tone: prospectTone[p.State]}, Note: p.Reason}
}

func (h *Handlers) prospectShown(c *Ctx) error { return h.prospectDetail(c, http.StatusOK, nil) }

// prospectDetail is one registration with what may be done, its invitations and what happened.
func (h *Handlers) prospectDetail(c *Ctx, status int, refused *fault.Error) error {
	p, err := h.Prospects.Find(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return err
	}
	name := c.personal(p.Name).Text
	d := growview.Detail{Header: part.Header{Title: c.T("prospects.of", "Name", name), Crumbs: c.crumbs(part.Link{Text: c.T("prospects.title"), Href: c.at(pathProspects)}, part.Link{Text: name}),
		Status: &part.Status{Text: c.T("prospect.state." + string(p.State)), Tone: prospectTone[p.State], Meaning: c.T("prospects.meaning." + string(p.State)), Next: c.T("prospects.next." + string(p.State))}},
		Flash: c.done(), Facts: h.prospectFacts(c, &p), Eye: c.factsEye(pathProspects+"/"+p.ID, c.T("prospects.col.customer"))}
	d.Refusal, d.Conflict = lost(c, refused, c.at(pathProspects+"/"+p.ID))
	buttons, err := h.Prospects.Allowed(c.ctx(), c.Scope, p)
	if err != nil {
		return err
	}
	d.Buttons = flowButtons(c, buttons, c.at(pathProspects+"/"+p.ID), name, p.Version)
	if c.Scope.Has(scope.ItemProspectChange) {
		if p.State == prospect.StateRegistered {
			d.Header.Buttons = append(d.Header.Buttons, part.Link{Text: c.T("invitations.new"), Href: c.withQuery(pathInvitations+"/new", "prospect", p.ID)})
		}
		if p.State != prospect.StateRefused && p.State != prospect.StateAssociated {
			d.Header.Buttons = append(d.Header.Buttons, part.Link{Text: c.T("prospects.amend"), Href: c.at(pathProspects + "/" + p.ID + "/amendment")})
		}
	}
	if p.CustomerID != "" && h.may(c, pathCustomers) {
		d.Header.Buttons = append(d.Header.Buttons, part.Link{Text: c.T("prospects.customer"), Href: c.at(pathCustomers + "/" + p.CustomerID)})
	}
	grid, err := h.titled(c, "prospect.invitations", "prospect-invitations", c.T("exports.kind.prospect.invitations"))
	if err != nil {
		return err
	}
	d.Grids = []opsview.Grid{grid}
	changes, err := h.Prospects.History(c.ctx(), p.ID)
	if err != nil {
		return err
	}
	d.Trail = history(c, prospect.Flow.Machine, changes)
	return c.page(status, d.Page())
}

// factsEye opens the masked facts of a page, once, by a recorded POST.
func (c *Ctx) factsEye(path, name string) *part.Eye {
	if !c.Scope.Has(scope.ItemRevealMasked) {
		return nil
	}
	return &part.Eye{Action: c.at(path + "/names"), Open: c.open, Name: name}
}

// flowButtons are the actions of a machine that the actor has permission for, on the version the page shows.
func flowButtons(c *Ctx, all []flow.Button, path, object string, version int64) []part.Button {
	var out []part.Button
	for _, b := range all {
		if b.Refusal != nil && b.Refusal.Kind == fault.KindDenied {
			continue
		}
		out = append(out, actionButton(c, b, path+"/"+b.Noun, object, version))
	}
	return out
}

func (h *Handlers) prospectFacts(c *Ctx, p *prospect.Prospect) []part.Item {
	items := []part.Item{{Label: c.T("prospects.col.customer"), Text: c.personal(p.Name).Text}, {Label: c.T("prospects.kind"), Text: c.T(p.Kind.Label())},
		{Label: c.T("prospects.phone"), Text: c.veiled(p.Phone)}, {Label: c.T("prospects.email"), Text: c.veiled(p.Email)}, {Label: c.T("prospects.industry"), Text: p.Industry},
		{Label: c.T("prospects.relation"), Text: c.T(p.Relation.Label())}, {Label: c.T("prospects.col.by"), Text: p.Login}, {Label: c.T("prospects.col.created"), Text: i18n.DateTime(p.CreatedAt)},
		{Label: c.T("prospects.submitted"), Text: bound(p.SubmittedAt)}, {Label: c.T("prospects.decided"), Text: bound(p.DecidedAt)}, {Label: c.T("prospects.col.reason"), Text: p.Reason}, {Label: c.T("prospects.remark"), Text: p.Remark}}
	ends := endsCell(c, p, h.Clock.Now())
	items = append(items, part.Item{Label: c.T("prospects.col.ends"), Text: join(present(ends.Text, ends.Note), " · ")})
	return slices.DeleteFunc(items, func(x part.Item) bool { return x.Text == "" })
}

// present are the texts that say something.
func present(of ...string) []string {
	return slices.DeleteFunc(of, func(s string) bool { return s == "" })
}

func (h *Handlers) prospectPage(c *Ctx) error { return h.prospectForm(c, http.StatusOK, nil) }

// prospectForm asks who the customer is.
func (h *Handlers) prospectForm(c *Ctx, status int, refused *fault.Error) error {
	title := c.T("prospects.new")
	f := growview.Form{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("prospects.title"), Href: c.at(pathProspects)}, part.Link{Text: title})}, Refusal: refusalOf(c, refused),
		Action: c.at(pathProspects), Hidden: fresh(), Submits: []growview.Submit{{Value: "submit", Text: c.T("prospects.submit")}, {Value: "save", Text: c.T("prospects.save")}},
		Notes: []string{c.T("prospects.rule.days", "Days", prospect.Days), c.T("prospects.rule.room", "Limit", prospect.MaxOpen), c.T("prospects.rule.phone"), c.T("prospects.rule.conflict"), c.T("prospects.rule.contact")}}
	closed, err := h.growClosed(c)
	if err != nil {
		return err
	}
	if closed != nil {
		f.Checks, f.Off = []part.Check{*closed}, true
	}
	vendors, err := h.Prospects.Vendors(c.ctx(), c.Scope)
	if err != nil {
		return err
	}
	if len(vendors) > 1 {
		choice := part.Field{Name: "vendor", Label: c.T("prospects.vendor"), Type: "select", Value: c.FormValue("vendor"), Required: true, Options: []part.Option{{}}}
		for _, v := range vendors {
			choice.Options = append(choice.Options, part.Option{Value: v.Code, Label: v.Name})
		}
		f.Fields = append(f.Fields, choice)
	}
	f.Fields = append(f.Fields, prospectFields(c, nil)...)
	return c.page(status, f.Page())
}

// prospectFields are the fields of a registration. What is masked of one that stands is left empty: empty keeps it.
func prospectFields(c *Ctx, p *prospect.Prospect) []part.Field {
	kind := part.Field{Name: "kind", Label: c.T("prospects.kind"), Type: "select", Value: c.FormValue("kind"), Options: []part.Option{
		{Value: string(prospect.KindCompany), Label: c.T(prospect.KindCompany.Label())}, {Value: string(prospect.KindPerson), Label: c.T(prospect.KindPerson.Label())}}}
	name := part.Field{Name: "name", Label: c.T("prospects.col.customer"), Value: c.FormValue("name"), Required: true, MaxLength: prospect.MaxName}
	phone := part.Field{Name: "phone", Label: c.T("prospects.phone"), Value: c.FormValue("phone"), Required: true, Help: c.T("prospects.phone_help"), Autocomplete: "off"}
	email := part.Field{Name: "email", Label: c.T("prospects.email"), Value: c.FormValue("email"), Help: c.T("prospects.email_help"), Autocomplete: "off"}
	industry := part.Field{Name: "industry", Label: c.T("prospects.industry"), Value: c.FormValue("industry"), MaxLength: 60}
	relation := part.Field{Name: "relation", Label: c.T("prospects.relation"), Type: "select", Value: c.FormValue("relation")}
	for _, k := range relations {
		relation.Options = append(relation.Options, part.Option{Value: string(k), Label: c.T(k.Label())})
	}
	remark := part.Field{Name: "remark", Label: c.T("prospects.remark"), Type: "textarea", Value: c.FormValue("remark"), MaxLength: prospect.MaxRemark}
	if p == nil {
		return []part.Field{kind, name, phone, email, industry, relation, remark}
	}
	for f, was := range map[*part.Field]string{&name: maskName(p.Name), &phone: masked(p.Phone), &email: masked(p.Email)} {
		f.Required, f.Hint, f.Help = false, was, c.T("prospects.keep")
	}
	kind.Value, relation.Value = cmp.Or(kind.Value, string(p.Kind)), cmp.Or(relation.Value, string(p.Relation))
	industry.Value, remark.Value = cmp.Or(industry.Value, p.Industry), cmp.Or(remark.Value, p.Remark)
	if p.State.Open() {
		return []part.Field{phone, email, industry, relation, remark}
	}
	return []part.Field{kind, name, phone, email, industry, relation, remark}
}

func prospectDetails(c *Ctx) prospect.Details {
	return prospect.Details{Kind: prospect.Kind(c.FormValue("kind")), Name: c.FormValue("name"), Phone: c.FormValue("phone"), Email: c.FormValue("email"), Industry: c.FormValue("industry"),
		Relation: customer.Kind(c.FormValue("relation")), Remark: c.FormValue("remark")}
}

// prospectFiled keeps a customer, and with do=submit hands it to the vendor.
func (h *Handlers) prospectFiled(c *Ctx) error {
	err := h.once(c, func(ctx context.Context) (answer, error) {
		in := prospect.FileInput{Details: prospectDetails(c), Submit: c.FormValue("do") != "save"}
		var err error
		if in.VendorID, err = h.orgID(ctx, c, c.FormValue("vendor"), "prospect.vendor_unknown"); err != nil {
			return answer{}, err
		}
		p, err := h.Prospects.File(ctx, c.Scope, in)
		done := "prospect_filed"
		if p.State == prospect.StatePending {
			done = "prospect_submit"
		}
		return answer{Location: c.withQuery(pathProspects+"/"+p.ID, "done", done), Body: prospectBody(&p)}, err
	})
	if err == nil {
		return nil
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.prospectForm(c, status, f) })
}

func prospectBody(p *prospect.Prospect) map[string]any {
	return map[string]any{"id": p.ID, "state": string(p.State)}
}

func (h *Handlers) amendPage(c *Ctx) error { return h.amendForm(c, http.StatusOK, nil) }

func (h *Handlers) amendForm(c *Ctx, status int, refused *fault.Error) error {
	p, err := h.Prospects.Find(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return err
	}
	title := c.T("prospects.amend")
	f := growview.Form{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("prospects.title"), Href: c.at(pathProspects)},
		part.Link{Text: c.personal(p.Name).Text, Href: c.at(pathProspects + "/" + p.ID)}, part.Link{Text: title})}, Refusal: refusalOf(c, refused),
		Action: c.at(pathProspects + "/" + p.ID + "/amendment"), Hidden: fresh(), Fields: prospectFields(c, &p), Submits: []growview.Submit{{Value: "save", Text: c.T("prospects.save")}}}
	if p.State.Open() {
		f.Notes = []string{c.T("prospects.rule.open")}
	}
	return c.page(status, f.Page())
}

func (h *Handlers) prospectAmended(c *Ctx) error {
	err := h.once(c, func(ctx context.Context) (answer, error) {
		p, err := h.Prospects.Find(ctx, c.Scope, c.Param("id"))
		if err != nil {
			return answer{}, err
		}
		d := prospectDetails(c)
		d.Kind, d.Relation = cmp.Or(d.Kind, p.Kind), cmp.Or(d.Relation, p.Relation)
		d.Name, d.Phone, d.Email = cmp.Or(d.Name, p.Name), cmp.Or(d.Phone, p.Phone), cmp.Or(d.Email, p.Email)
		p, err = h.Prospects.Amend(ctx, c.Scope, p.ID, d)
		return answer{Location: c.withQuery(pathProspects+"/"+p.ID, "done", "prospect_amended"), Body: prospectBody(&p)}, err
	})
	if err == nil {
		return nil
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.amendForm(c, status, f) })
}

// prospectAct fires an action of the machine, from the page of the partner or the vendor.
func (h *Handlers) prospectAct(c *Ctx, path string, do prospect.Action, again func(*Handlers, *Ctx, int, *fault.Error) error) error {
	err := h.once(c, func(ctx context.Context) (answer, error) {
		p, err := h.Prospects.Do(ctx, c.Scope, c.Param("id"), do, c.in("reason"))
		return answer{Location: c.withQuery(path+"/"+p.ID, "done", "prospect_"+string(do)), Body: prospectBody(&p)}, err
	})
	if err == nil {
		return nil
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return again(h, c, status, f) })
}
