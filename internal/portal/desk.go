package portal

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"huoban/internal/calendar"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/sorted"
	"huoban/web/templates/custview"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

const pathDesk = "/ops"

// maxPicked is how many things one batch may decide.
const maxPicked = 100

// deskRoutes are 受理中心: what waits for the vendor's staff, decided together or one by one.
func deskRoutes() []Route {
	row := func(method, path, name string, items []scope.Item, title string, do func(*Handlers, *Ctx) error) Route {
		return Route{Method: method, Path: "/o/:org" + pathDesk + path, Name: name, Sides: vendors, Items: items, Title: title, Do: do}
	}
	decide := row(post, "/decisions", "desk.decide", everybody, "", (*Handlers).deskDecide)
	decide.Query = []string{"pick"}
	return append([]Route{row(get, "", "desk", everybody, "desk.title", (*Handlers).desk), decide}, deskSettingRoutes()...)
}

var deskSorts = []string{"since", "newest", "kind"}

// waiting is a row with its source and how it stands against its service time.
type waiting struct {
	deskRow
	source  *deskSource
	passed  int // working days since
	due     time.Time
	late    bool
	unknown []int // years counted by weekends alone
}

// deskWaiting is everything that waits for the actor, what is due first before the rest.
func (h *Handlers) deskWaiting(c *Ctx) ([]waiting, error) {
	days, err := h.Desk.Calendar(c.ctx(), c.Org.ID)
	if err != nil {
		return nil, err
	}
	var out []waiting
	now := h.Clock.Now()
	for i := range deskSources {
		source := &deskSources[i]
		if !source.seen(c) {
			continue
		}
		rows, err := source.load(h, c)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			if source.machine != nil && !slices.Contains(source.states, r.state) {
				continue
			}
			out = append(out, against(days, source, r, now))
		}
	}
	sorted.By(out, func(a, b waiting) int { return cmp.Or(dueFirst(a.due, b.due), a.since.Compare(b.since)) })
	return out, nil
}

// against sets a row against its service time: late is what more working days have passed than it has.
func against(days *calendar.Calendar, source *deskSource, r deskRow, now time.Time) waiting {
	w := waiting{deskRow: r, source: source, due: r.due}
	if !r.since.IsZero() {
		w.passed, w.unknown = days.Between(r.since, now)
	}
	if n := source.within(r.state); w.due.IsZero() && n > 0 && !r.since.IsZero() {
		var more []int
		w.due, more = days.Due(r.since, n)
		w.unknown = append(w.unknown, more...)
	}
	w.late = !w.due.IsZero() && now.After(w.due)
	return w
}

// dueFirst orders by time, what has none last.
func dueFirst(a, b time.Time) int {
	switch {
	case a.IsZero() && b.IsZero():
		return 0
	case a.IsZero():
		return 1
	case b.IsZero():
		return -1
	}
	return a.Compare(b)
}

// DeskDue counts what waits for an actor beyond its service time, and what is due today.
func (h *Handlers) DeskDue(ctx context.Context, sc scope.Scope, org organisation.Organisation) (late, today int, err error) {
	c, err := h.reading(ctx, lists["desk"], sc, org, nil, "")
	if err != nil {
		return 0, 0, err
	}
	all, err := h.deskWaiting(c)
	day := calendar.DayOf(h.Clock.Now())
	for i := range all {
		switch {
		case all[i].late:
			late++
		case !all[i].due.IsZero() && calendar.DayOf(all[i].due) == day:
			today++
		}
	}
	return late, today, err
}

// deskQuery is what narrows the desk.
type deskQuery struct {
	role, kind, sort, text string
	late                   bool
}

func readDeskQuery(c *Ctx) (deskQuery, error) {
	q := deskQuery{role: c.QueryParam("desk"), kind: c.QueryParam("kind"), sort: c.QueryParam("sort"), late: c.QueryParam("late") == "yes", text: strings.ToLower(clipped(strings.TrimSpace(c.QueryParam("q"))))}
	known := (q.role == "" || slices.Contains(deskRoles, q.role)) && (q.sort == "" || slices.Contains(deskSorts, q.sort)) &&
		(q.kind == "" || slices.ContainsFunc(deskSources, func(s deskSource) bool { return s.kind == q.kind }))
	if !known {
		return q, notFound()
	}
	return q, nil
}

func (q *deskQuery) takes(w *waiting) bool {
	return (q.role == "" || w.source.role == q.role) && (q.kind == "" || w.source.kind == q.kind) && (!q.late || w.late) &&
		(q.text == "" || strings.Contains(strings.ToLower(w.title.Text+"\x00"+w.title.Note+"\x00"+w.who+"\x00"+w.by), q.text))
}

func (q *deskQuery) order(all []waiting) {
	switch q.sort {
	case "since":
		sorted.By(all, func(a, b waiting) int { return dueFirst(a.since, b.since) })
	case "newest":
		sorted.By(all, func(a, b waiting) int { return b.since.Compare(a.since) })
	case "kind":
		at := func(w *waiting) int {
			return slices.IndexFunc(deskSources, func(s deskSource) bool { return s.kind == w.source.kind })
		}
		sorted.By(all, func(a, b waiting) int { return at(&a) - at(&b) })
	}
}

// desk is the inbox.
func (h *Handlers) desk(c *Ctx) error { return h.deskPage(c, http.StatusOK, nil) }

func (h *Handlers) deskPage(c *Ctx, status int, refused *fault.Error) error {
	q, err := readDeskQuery(c)
	if err != nil {
		return err
	}
	all, err := h.deskWaiting(c)
	if err != nil {
		return err
	}
	title := c.T("desk.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title})}, Flash: c.done(), Pages: deskTabs(c, q.role, all), Filter: deskFilter(c, &q)}
	p.Refusal, p.Conflict = lost(c, refused, c.withQuery(pathDesk, "desk", q.role))
	for _, link := range []struct {
		key, path string
		items     []scope.Item
	}{{"desk.calendar.title", pathDeskCalendar, calendarItems}, {"desk.limits.title", pathDeskLimits, limitItems}} {
		if c.Scope.Has(link.items...) {
			p.Header.Plain, p.Header.Buttons = true, append(p.Header.Buttons, part.Link{Text: c.T(link.key), Href: c.at(link.path)})
		}
	}
	if years := unknownYears(all); len(years) > 0 {
		p.Notes = []string{c.T("desk.unknown_years", "Years", join(years, c.T("portal.list.comma")))}
	}
	if _, err := h.board(c, &p, "desk"); err != nil {
		return err
	}
	if slices.ContainsFunc(all, func(w waiting) bool { return q.takes(&w) && len(w.source.acts) > 0 }) {
		p.Batch = deskBatch(c, "")
	}
	return c.page(status, p.Page())
}

// deskTabs are everything and each inbox in which something of the actor's may wait, with what waits there.
func deskTabs(c *Ctx, now string, all []waiting) []part.Tab {
	tab := func(role, text string) part.Tab {
		n := 0
		for i := range all {
			if role == "" || all[i].source.role == role {
				n++
			}
		}
		return part.Tab{Text: c.T("desk.tab", "Name", text, "Count", n), Href: c.withQuery(pathDesk, "desk", role), Current: role == now}
	}
	out := []part.Tab{tab("", c.T("desk.all"))}
	for _, role := range deskRoles {
		if role == now || slices.ContainsFunc(deskSources, func(s deskSource) bool { return s.role == role && s.seen(c) && len(s.items) > 0 }) ||
			slices.ContainsFunc(all, func(w waiting) bool { return w.source.role == role }) {
			out = append(out, tab(role, c.T("account.role.vendor."+role)))
		}
	}
	return out
}

func deskFilter(c *Ctx, q *deskQuery) *part.Filter {
	kind := part.FilterField{Name: "kind", Label: c.T("desk.kind"), Value: q.kind, Options: []part.Option{{Label: c.T("ops.filter.any")}}}
	for i := range deskSources {
		if s := &deskSources[i]; s.seen(c) && (q.role == "" || s.role == q.role) {
			kind.Options = append(kind.Options, part.Option{Value: s.kind, Label: c.T("desk.kind." + s.kind)})
		}
	}
	sort := part.FilterField{Name: "sort", Label: c.T("desk.sort"), Value: q.sort, More: true, Options: []part.Option{{Label: c.T("desk.sort.due")}}}
	for _, s := range deskSorts {
		sort.Options = append(sort.Options, part.Option{Value: s, Label: c.T("desk.sort." + s)})
	}
	late := part.FilterField{Name: "late", Label: c.T("desk.within"), Value: yes(q.late), Options: []part.Option{{Label: c.T("ops.filter.any")}, {Value: "yes", Label: c.T("desk.late_only")}}}
	f := &part.Filter{Action: c.at(pathDesk), Reset: c.withQuery(pathDesk, "desk", q.role), Fields: []part.FilterField{{Name: "q", Label: c.T("desk.q"), Value: c.QueryParam("q")}, kind, late, sort}}
	if q.role != "" {
		f.Hidden = []part.Hidden{{Name: "desk", Value: q.role}}
	}
	return f
}

func unknownYears(all []waiting) []string {
	var out []string
	for i := range all {
		for _, y := range all[i].unknown {
			if text := calendarYear(y); !slices.Contains(out, text) {
				out = append(out, text)
			}
		}
	}
	slices.Sort(out)
	return out
}

// readDesk lists what waits for the actor and stands in the chosen inbox.
func (h *Handlers) readDesk(c *Ctx) (*sheet, error) {
	q, err := readDeskQuery(c)
	if err != nil {
		return nil, err
	}
	all, err := h.deskWaiting(c)
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: []listColumn{{key: "what", title: c.T("desk.what"), note: c.T("desk.detail")}, {key: "kind", title: c.T("desk.kind"), note: c.T("desk.role")}, {key: "who", title: c.T("desk.who"), note: c.T("desk.by")},
		{key: "amount", title: c.T("desk.amount"), note: c.T("desk.two"), num: true, money: true}, {key: "since", title: c.T("desk.since"), note: c.T("desk.passed"), class: "num-l"},
		{key: "due", title: c.T("desk.due"), note: c.T("desk.within"), class: "m"}}, empty: part.Empty{Title: c.T("desk.empty"), Text: c.T("desk.empty_text")}}
	if q.role != "" {
		s.narrowed("desk", c.T("account.role.vendor."+q.role))
	}
	if q.kind != "" {
		s.narrowed("kind", c.T("desk.kind."+q.kind))
	}
	if q.late {
		s.narrowed("late", c.T("desk.late_only"))
	}
	s.narrowed("q", c.QueryParam("q"))
	q.order(all)
	for i := range all {
		if w := &all[i]; q.takes(w) {
			s.add(h.deskCells(c, w))
		}
	}
	return s, nil
}

func (h *Handlers) deskCells(c *Ctx, w *waiting) sheetRow {
	what := w.title
	if len(w.source.acts) > 0 {
		what.Tick = &part.Tick{Form: deskForm, Name: "pick", Value: w.source.kind + "/" + w.id, Label: c.T("desk.pick", "What", what.Text)}
	}
	amount := moneyCell(w.sums)
	if w.two {
		amount.Note = c.T("desk.two_needed")
	}
	since := opsview.Cell{Text: bound(w.since)}
	if !w.since.IsZero() {
		since.Note = c.T("desk.passed_days", "Count", w.passed)
	}
	due := opsview.Cell{Status: &part.Status{Text: c.T("desk.no_due"), Tone: part.Grey}}
	if !w.due.IsZero() {
		due = opsview.Cell{Status: &part.Status{Text: c.T("desk.left", "At", i18n.Date(w.due.In(calendar.Zone))), Tone: part.Warn}}
		if w.late {
			due.Status = &part.Status{Text: c.T("desk.overdue", "At", i18n.Date(w.due.In(calendar.Zone))), Tone: part.Bad}
		}
	}
	if n := w.source.within(w.state); n > 0 {
		due.Note = c.T("desk.service", "Count", n)
	}
	return sheetRow{key: w.source.kind + "/" + w.id, at: w.since, mark: marks(w.source.kind, w.state, bound(w.since), bound(w.due), w.sums.mark()), sums: w.sums,
		cells: []opsview.Cell{what, {Text: c.T("desk.kind." + w.source.kind), Note: c.T("account.role.vendor." + w.source.role)}, {Text: w.who, Note: w.by}, amount, since, due}}
}

const deskForm = "desk-batch"

// deskBatch is the form the ticks of the list belong to.
func deskBatch(c *Ctx, reason string) *opsview.Batch {
	return &opsview.Batch{ID: deskForm, Title: c.T("desk.batch"), Action: c.at(pathDesk + "/decisions"), Hidden: []part.Hidden{{Name: "preview", Value: "yes"}}, Submit: c.T("desk.preview"),
		Fields: []part.Field{{Name: "verdict", Label: c.T("desk.verdict"), Type: "select", Options: []part.Option{{Value: deskApprove, Label: c.T("desk.verdict.approve")}, {Value: deskRefuse, Label: c.T("desk.verdict.refuse")}}},
			{Name: "reason", Label: c.T("desk.reason"), Type: "textarea", Value: reason, MaxLength: 500, Help: c.T("desk.reason_help")}}}
}

// picked is one thing of a batch.
type picked struct {
	source *deskSource
	act    *deskAct
	id     string
	value  string
}

// deskPicked reads what is to be decided; what the actor may not decide is not there.
// Faults: desk.nothing_picked, .too_many, .verdict_unknown, .not_together.
func (h *Handlers) deskPicked(c *Ctx) ([]picked, error) {
	verdict := c.FormValue("verdict")
	if verdict != deskApprove && verdict != deskRefuse {
		return nil, fault.Invalid("desk.verdict_unknown", nil)
	}
	var out []picked
	for _, value := range c.list("pick") {
		kind, id, _ := strings.Cut(value, "/")
		i := slices.IndexFunc(deskSources, func(s deskSource) bool { return s.kind == kind })
		if i < 0 || !deskSources[i].seen(c) || slices.ContainsFunc(out, func(p picked) bool { return p.value == value }) {
			return nil, notFound()
		}
		n := slices.IndexFunc(deskSources[i].acts, func(a deskAct) bool { return a.verdict == verdict })
		if n < 0 {
			return nil, fault.Invalid("desk.not_together", fault.Args{"Kind": "desk.kind." + kind})
		}
		out = append(out, picked{&deskSources[i], &deskSources[i].acts[n], id, value})
	}
	switch {
	case len(out) == 0:
		return nil, fault.Invalid("desk.nothing_picked", nil)
	case len(out) > maxPicked:
		return nil, fault.Invalid("desk.too_many", fault.Args{"limit": maxPicked})
	case verdict == deskRefuse && strings.TrimSpace(c.FormValue("reason")) == "":
		return nil, fault.Invalid("desk.reason_missing", nil)
	}
	return out, nil
}

// deskDecide shows what a batch would do where the form asks for that, and does it otherwise, whole or not at all.
func (h *Handlers) deskDecide(c *Ctx) error {
	if err := c.readForm(); err != nil {
		return err
	}
	list, err := h.deskPicked(c)
	if err == nil && c.FormValue("preview") == "yes" {
		return h.deskPreview(c, list)
	}
	if err == nil {
		err = h.once(c, func(ctx context.Context) (answer, error) {
			for _, p := range list {
				if err := p.act.do(h, ctx, c, p.id, c.FormValue("reason")); err != nil {
					return answer{}, err
				}
			}
			return answer{Location: c.withQuery(pathDesk, "done", "desk_"+c.FormValue("verdict")), Body: map[string]any{"decided": len(list), "verdict": c.FormValue("verdict")}}, nil
		})
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.deskPage(c, status, f) })
}

// errTried ends a try: nothing of it stays.
var errTried = errors.New("only tried")

// deskPreview tries each decision in a transaction of its own that is taken back, so that what it says is what the
// service would answer. Those that are refused are left out of the batch.
func (h *Handlers) deskPreview(c *Ctx, list []picked) error {
	all, err := h.deskWaiting(c)
	if err != nil {
		return err
	}
	verdict, reason := c.FormValue("verdict"), strings.TrimSpace(c.FormValue("reason"))
	title := c.T("desk.confirm")
	p := custview.Confirm{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("desk.title"), Href: c.at(pathDesk)}, part.Link{Text: title})},
		Action: c.at(pathDesk + "/decisions"), Hidden: append(fresh(), part.Hidden{Name: "verdict", Value: verdict}, part.Hidden{Name: "reason", Value: reason}), Back: part.Link{Text: c.T("desk.back"), Href: c.at(pathDesk)},
		Notes: []string{c.T("desk.whole")}, Submit: c.T("desk.verdict." + verdict),
		Grid: opsview.Grid{ID: "batch", Title: c.T("desk.batch"), Heads: []opsview.Head{{Text: c.T("desk.what")}, {Text: c.T("desk.kind")}, {Text: c.T("desk.who")}, {Text: c.T("desk.amount"), Num: true}, {Text: c.T("desk.outcome")}}}}
	var done []map[string]any
	able := 0
	for _, x := range list {
		refusal, err := h.deskTry(c, x, reason)
		if err != nil {
			return err
		}
		one := map[string]any{"pick": x.value}
		effect := opsview.Cell{Status: &part.Status{Text: c.T("desk.outcome." + verdict), Tone: part.Good}}
		if refusal != nil {
			one["refused"] = refusal.Code
			effect = opsview.Cell{Status: &part.Status{Text: c.T("desk.outcome.left_out"), Tone: part.Bad}, Note: join(i18n.FaultReasons(c.ctx(), refusal), c.T("portal.list.comma"))}
		} else {
			able++
			p.Hidden = append(p.Hidden, part.Hidden{Name: "pick", Value: x.value})
		}
		done = append(done, one)
		row := []opsview.Cell{{Text: i18n.Nothing}, {Text: c.T("desk.kind." + x.source.kind)}, {}, {}, effect}
		if i := slices.IndexFunc(all, func(w waiting) bool { return w.source == x.source && w.id == x.id }); i >= 0 {
			row[0], row[2], row[3] = all[i].title, opsview.Cell{Text: all[i].who, Note: all[i].by}, moneyCell(all[i].sums)
		}
		p.Grid.Rows = append(p.Grid.Rows, row)
	}
	if wantsJSON(c.Request()) {
		return c.JSON(http.StatusOK, map[string]any{"verdict": verdict, "items": done})
	}
	p.Off = able == 0
	p.Facts = []part.Item{{Label: c.T("desk.verdict"), Text: c.T("desk.verdict." + verdict)}, {Label: c.T("desk.able"), Text: i18n.Count(int64(able)) + " / " + i18n.Count(int64(len(list)))}}
	if reason != "" {
		p.Facts = append(p.Facts, part.Item{Label: c.T("desk.reason"), Text: reason})
	}
	return c.page(http.StatusOK, p.Page())
}

// deskTry is what a decision would be answered; what is not there is not there for the whole batch.
func (h *Handlers) deskTry(c *Ctx, x picked, reason string) (*fault.Error, error) {
	err := h.Tx.InTx(c.ctx(), func(ctx context.Context) error {
		if err := x.act.do(h, ctx, c, x.id, reason); err != nil {
			return err
		}
		return errTried
	})
	if errors.Is(err, errTried) {
		return nil, nil
	}
	switch f := faultOf(err); f.Kind {
	case fault.KindConflict, fault.KindDenied, fault.KindInvalid:
		return f, nil
	}
	return nil, err
}
