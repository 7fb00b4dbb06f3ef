package portal

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"huoban/internal/bill"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/monthclose"
	"huoban/internal/scope"
	"huoban/web/templates/billview"
	"huoban/web/templates/part"
)

// billQuery are the parameters that name a bill.
var billQuery = []string{"vendor", "partner", "entity"}

func billRoutes() []Route {
	row := func(method, path, name string, item scope.Item, query []string, do func(*Handlers, *Ctx) error) Route {
		return Route{Method: method, Path: "/o/:org/bills" + path, Name: name, Sides: traders, Items: []scope.Item{item},
			Query: append(slices.Clone(billQuery), query...), Title: "bills.title", Do: do}
	}
	return []Route{
		row(get, "", "bills", scope.ItemBillView, nil, (*Handlers).billOverview),
		row(get, "/products", "bills.products", scope.ItemBillView, nil, (*Handlers).billProducts),
		row(get, "/customers", "bills.customers", scope.ItemBillView, nil, (*Handlers).billCustomers),
		row(post, "/customers", "bills.customers.reveal", scope.ItemRevealMasked, nil, (*Handlers).billCustomersRevealed),
		row(get, "/lines", "bills.lines", scope.ItemBillView, []string{"customer", "why"}, (*Handlers).billLines),
		row(post, "/lines", "bills.lines.reveal", scope.ItemRevealMasked, []string{"customer", "why"}, (*Handlers).billLinesRevealed),
		row(get, "/history", "bills.history", scope.ItemBillView, nil, (*Handlers).billHistory),
		row(get, "/adjustments", "bills.adjustments", scope.ItemBillView, nil, (*Handlers).billAdjustments),
		row(get, "/explanation", "bills.explanation", scope.ItemBillExplain, []string{"customer"}, (*Handlers).billExplain).noList("one figure; its groups are rows of the lines"),
	}
}

// statement is what a bill page works on: the cycles the actor may choose, and the bill chosen.
type statement struct {
	cycles map[cycle.Cycle]monthclose.State // the least advanced state where vendors differ
	cycle  cycle.Cycle
	docs   []bill.Document // of the cycle, in scope
	doc    *bill.Document  // nil: none, or several to choose from
}

// statement reads cycle and bill from the URL; what is left out is the last issued cycle and the only
// bill there is.
func (h *Handlers) statement(c *Ctx) (*statement, error) {
	ctx := c.ctx()
	known, err := h.knownCycles(c)
	if err != nil {
		return nil, err
	}
	st := &statement{cycles: map[cycle.Cycle]monthclose.State{}}
	for _, k := range known {
		if old, ok := st.cycles[k.Cycle]; !ok || stateRank[k.State] < stateRank[old] {
			st.cycles[k.Cycle] = k.State
		}
	}
	if text := c.param("cycle"); text != "" {
		if st.cycle, err = cycle.Parse(text); err != nil {
			return nil, fault.NotFound("request.no_page", nil)
		}
	} else if st.cycle = st.latest(); st.cycle == "" {
		return st, nil
	}
	for _, k := range known {
		if k.Cycle != st.cycle {
			continue
		}
		docs, err := h.Closes.Estimate(ctx, c.Scope, k.VendorID, st.cycle)
		if err != nil {
			return nil, err
		}
		st.docs = append(st.docs, docs...)
	}
	return st, st.choose(c)
}

// stateRank orders the states of a close.
var stateRank = map[monthclose.State]int{monthclose.StateOpen: 1, monthclose.StateFrozen: 2, monthclose.StateDraft: 3,
	monthclose.StateReviewed: 4, monthclose.StateIssued: 5}

// knownCycles are the cycles of the vendors the actor's organisation is, or deals with.
func (h *Handlers) knownCycles(c *Ctx) ([]monthclose.Known, error) {
	all, err := h.Closes.Store.Known(c.ctx())
	if err != nil {
		return nil, err
	}
	mine := map[string]bool{}
	switch c.Scope.Side() {
	case scope.SideVendor:
		mine[c.Org.ID] = true
	case scope.SidePartner:
		vendors, err := h.Orgs.VendorsOf(c.ctx(), c.Org)
		if err != nil {
			return nil, err
		}
		for _, v := range vendors {
			mine[v.ID] = true
		}
	}
	return slices.DeleteFunc(all, func(k monthclose.Known) bool { return !mine[k.VendorID] }), nil
}

// latest is the last issued cycle, or the last there is.
func (st *statement) latest() cycle.Cycle {
	var issued, last cycle.Cycle
	for c, state := range st.cycles {
		last = max(last, c)
		if state == monthclose.StateIssued {
			issued = max(issued, c)
		}
	}
	if issued != "" {
		return issued
	}
	return last
}

// choose narrows the bills by the URL. A name that fits no bill is answered as an absent page.
func (st *statement) choose(c *Ctx) error {
	fits := func(d *bill.Document) bool {
		for name, have := range map[string]string{"vendor": d.Vendor.Code, "partner": d.Partner.Code, "currency": d.Currency, "entity": d.Entity.Code} {
			if want := c.param(name); want != "" && want != have {
				return false
			}
		}
		return true
	}
	named := c.param("vendor")+c.param("partner")+c.param("currency")+c.param("entity") != ""
	all := len(st.docs)
	st.docs = slices.DeleteFunc(slices.Clone(st.docs), func(d bill.Document) bool { return !fits(&d) })
	if len(st.docs) == 1 {
		st.doc = &st.docs[0]
	}
	if named && len(st.docs) == 0 && (all > 0 || c.param("partner") != "") {
		return fault.NotFound("request.no_page", nil)
	}
	return nil
}

// link is the address of a page of this bill.
func (c *Ctx) billLink(page string, d *bill.Document, more ...string) string {
	v := url.Values{}
	if d != nil {
		v.Set("cycle", string(d.Cycle))
		v.Set("vendor", d.Vendor.Code)
		v.Set("partner", d.Partner.Code)
		v.Set("currency", d.Currency)
		v.Set("entity", d.Entity.Code)
	}
	for i := 0; i+1 < len(more); i += 2 {
		if more[i+1] != "" {
			v.Set(more[i], more[i+1])
		}
	}
	if page != "" {
		page = "/" + page
	}
	return c.at("/bills" + page + "?" + v.Encode())
}

// cycleLink is this page for another cycle, other parameters of the bill kept.
func (c *Ctx) cycleLink(to cycle.Cycle) string {
	v := url.Values{"cycle": {string(to)}}
	for _, name := range []string{"vendor", "partner", "currency", "entity"} {
		if x := c.QueryParam(name); x != "" {
			v.Set(name, x)
		}
	}
	return c.Request().URL.Path + "?" + v.Encode()
}

var stageTone = map[monthclose.Stage]part.Tone{
	monthclose.StageEstimate: part.Warn, monthclose.StageDraft: part.Brand, monthclose.StageFinal: part.Good,
}

func stageTag(c *Ctx, s monthclose.State) part.Tag {
	return part.Tag{Text: c.T("bills.stage." + string(s.Stage())), Tone: stageTone[s.Stage()]}
}

// picker is the choice of cycle: never later than now.
func (h *Handlers) picker(c *Ctx, st *statement) *part.CyclePicker {
	now := cycle.Of(h.Clock.Now(), cycle.Zone)
	p := &part.CyclePicker{Current: string(st.cycle), Note: c.T("bills.cycle.note"), This: c.cycleLink(now), Last: c.cycleLink(now.Prev())}
	if state, ok := st.cycles[st.cycle]; ok {
		p.State = stageTag(c, state)
	}
	p.Prev = c.cycleLink(st.cycle.Prev())
	if st.cycle < now {
		p.Next = c.cycleLink(st.cycle.Next())
	}
	p.Year = string(st.cycle)[:4]
	p.PrevYear = c.cycleLink(st.cycle.Add(-12))
	if st.cycle.Add(12) <= now {
		p.NextYear = c.cycleLink(st.cycle.Add(12))
	}
	for m := time.January; m <= time.December; m++ {
		at := cycle.Cycle(p.Year + "-" + twoDigits(int(m)))
		one := part.CycleMonth{Name: i18n.MonthName(c.ctx(), m), Current: at == st.cycle}
		if at <= now {
			one.Href = c.cycleLink(at)
		}
		if state, ok := st.cycles[at]; ok {
			one.State = c.T("bills.stage." + string(state.Stage()))
			one.Href = c.cycleLink(at)
		}
		p.Months = append(p.Months, one)
	}
	return p
}

func twoDigits(n int) string {
	if n < 10 {
		return "0" + string(rune('0'+n))
	}
	return "1" + string(rune('0'+n-10))
}

// billDoc is what every page of a bill shows; tab names the current one.
func (h *Handlers) billDoc(c *Ctx, st *statement, tab string) billview.Doc {
	d := billview.Doc{Header: part.Header{Title: c.T("bills.title"),
		Crumbs: c.crumbs(part.Link{Text: c.T("bills.title")})}}
	c.ruled(&d.Header, &d.Rules)
	if st.cycle == "" {
		return d
	}
	d.Header.Cycle, d.Flash = h.picker(c, st), c.exported()
	doc := st.doc
	if doc == nil {
		return d
	}
	switch {
	case !doc.IssuedAt.IsZero():
		d.Header.Fresh = c.T("bills.fresh.issued", "At", i18n.Moment(c.ctx(), doc.IssuedAt))
	case !doc.DraftedAt.IsZero():
		d.Header.Fresh = c.T("bills.fresh.draft", "At", i18n.Moment(c.ctx(), doc.DraftedAt))
	default:
		d.Header.Fresh = c.T("bills.fresh.estimate")
	}
	if doc.OverrideNote != "" {
		d.Bar = &part.Flash{Tone: part.Warn, Text: c.T("bills.override", "Reason", doc.OverrideNote)}
	}
	for _, t := range []string{"", "products", "customers", "lines", "adjustments"} {
		key := t
		if key == "" {
			key = "overview"
		}
		d.Tabs = append(d.Tabs, part.Tab{Text: c.T("bills.tab." + key), Href: c.billLink(t, doc), Current: key == tab})
	}
	d.Print = doc.Partner.Name + " · " + c.T("bills.title") + " " + string(doc.Cycle) + " · " + c.T("bills.stage."+string(stageOf(doc))) + " · " + doc.Code
	d.Notes = []string{c.T("bills.note.unit", "Currency", i18n.CurrencyName(c.ctx(), doc.Currency)), c.T("bills.note.sums")}
	return d
}

func stageOf(d *bill.Document) monthclose.Stage {
	switch d.State {
	case bill.StateIssued:
		return monthclose.StageFinal
	case bill.StateDraft, bill.StateReviewed:
		return monthclose.StageDraft
	}
	return monthclose.StageEstimate
}

// billPage finds the bill and hands over to show; without one bill it shows the choice, or why there
// is none.
func (h *Handlers) billPage(c *Ctx, tab string, show func(st *statement, d billview.Doc) error) error {
	st, err := h.statement(c)
	if err != nil {
		return err
	}
	d := h.billDoc(c, st, tab)
	if st.doc != nil {
		return show(st, d)
	}
	page := billview.List{Doc: d}
	if len(st.docs) == 0 {
		page.Empty = &part.Empty{Title: c.T("bills.empty.title"), Text: c.T("bills.empty.text")}
		return c.page(http.StatusOK, page.Page())
	}
	if page.Grid, err = h.gridOf(c, lists["bills"], h.billSheet(c, st, tab)); err != nil {
		return err
	}
	page.Grid.Caption = c.T("billview.choose.caption")
	return c.page(http.StatusOK, page.Page())
}

func pageOf(tab string) string {
	if tab == "overview" {
		return ""
	}
	return tab
}

func severalPartners(docs []bill.Document) bool {
	for i := range docs {
		if docs[i].Partner.ID != docs[0].Partner.ID {
			return true
		}
	}
	return false
}
