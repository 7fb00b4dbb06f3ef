package portal

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/expenditure"
	"huoban/internal/expenditureexport"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/money"
	"huoban/internal/scope"
	"huoban/internal/usage"
	"huoban/web/templates/expview"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

// consumers are the sides that see 客户消费: partners for their customers, customers for themselves.
var consumers = []scope.Side{scope.SidePartner, scope.SideCustomer}

func expenditureRoutes() []Route {
	row := func(method, path, name string, item scope.Item, do func(*Handlers, *Ctx) error) Route {
		return Route{Method: method, Path: "/o/:org/expenditure" + path, Name: name, Sides: consumers, Items: []scope.Item{item},
			Query: []string{"customer", "manager"}, Title: "expenditure.title", Do: do}
	}
	return []Route{
		row(get, "", "expenditure", scope.ItemExpenditureView, (*Handlers).expenditureSummary),
		row(post, "", "expenditure.reveal", scope.ItemRevealMasked, (*Handlers).expenditureSummaryRevealed),
		row(get, "/lines", "expenditure.lines", scope.ItemExpenditureView, (*Handlers).expenditureLines),
		row(post, "/lines", "expenditure.lines.reveal", scope.ItemRevealMasked, (*Handlers).expenditureRevealed),
		{Method: get, Path: "/o/:org" + pathArchive, Name: "expenditure.archive", Sides: consumers, Items: []scope.Item{scope.ItemExpenditureView}, Title: "expenditure.tab.archive", Do: (*Handlers).archived},
		{Method: post, Path: "/o/:org" + pathArchive, Name: "expenditure.archive.ask", Sides: consumers, Items: []scope.Item{scope.ItemExpenditureExport}, Do: (*Handlers).askArchive},
	}
}

// expenditureFields are what narrows a page, in the order they are offered; the summary has no zero.
var expenditureFields = []string{"customer", "relation", "manager", "product", "mode", "kind", "region", "from", "until", "account", "resource", "order", "zero", "currency"}

// billKinds are the bills a page may be narrowed to by one press.
var billKinds = []usage.Kind{"", usage.KindConsumption, usage.KindRefund}

// peopleFields make no sense to a customer that looks at itself.
var peopleFields = []string{"customer", "relation", "manager"}

// consumption is the state of a page, all of it in the URL.
type consumption struct {
	page   string // "" or "lines"
	filter expenditure.Filter
	params chosen
	pairs  []pair // params and the cycle, in order of name, as they stand in an address
	at     expenditure.LinePlace
	cols   []string // shown
	size   int
	people bool
	hollow bool // a shell is being made
	words  repeated
}

// chosen are parameters with their values.
type chosen []pair

// Get is the value of a parameter; "" where it is not set.
func (p chosen) Get(name string) string {
	for i := range p {
		if p[i].name == name {
			return p[i].value
		}
	}
	return ""
}

// consumptionParams are the parameters of a page besides month and place.
var consumptionParams = append(slices.Clone(expenditureFields), "size", "cols")

func (h *Handlers) consumption(c *Ctx, page string) (*consumption, error) {
	e := &consumption{page: page, params: make(chosen, 0, len(consumptionParams)), at: expenditure.LinePlace{Cursor: c.QueryParam("after")}, size: pageSizes[0], people: c.Scope.Side() != scope.SideCustomer}
	if before := c.QueryParam("before"); e.at.Cursor == "" && before != "" {
		e.at = expenditure.LinePlace{Cursor: before, Back: true}
	}
	for _, name := range consumptionParams {
		if v := c.param(name); v != "" {
			e.params = append(e.params, pair{name, v})
		}
	}
	if n, err := strconv.Atoi(e.params.Get("size")); err == nil && slices.Contains(pageSizes, n) {
		e.size = n
	}
	now := h.Clock.Now()
	at := cycle.Of(now, cycle.Zone)
	if text := c.param("cycle"); text != "" {
		var err error
		if at, err = cycle.Parse(text); err != nil {
			return nil, fault.NotFound("request.no_page", nil)
		}
	}
	e.filter = expenditure.Filter{Cycle: at, Currency: e.params.Get("currency"), Customer: e.params.Get("customer"), Relation: customer.Kind(e.params.Get("relation")),
		Manager: e.params.Get("manager"), Product: e.params.Get("product"), Region: e.params.Get("region"), Mode: usage.ChargingMode(e.params.Get("mode")),
		Kind: usage.Kind(e.params.Get("kind")), From: e.params.Get("from"), Until: e.params.Get("until"), Resource: strings.TrimSpace(e.params.Get("resource")),
		Account: strings.TrimSpace(e.params.Get("account")), Order: strings.TrimSpace(e.params.Get("order")), NonZero: page == "lines" && e.params.Get("zero") != "all"}
	e.pairs = append(make([]pair, 0, 12), pair{"cycle", url.QueryEscape(string(at))})
	for _, p := range e.params {
		e.pairs = setPair(e.pairs, p.name, url.QueryEscape(p.value))
	}
	return e, expenditure.CheckCycle(at, now)
}

// withColumns looks up which columns the page shows.
func (h *Handlers) withColumns(c *Ctx, e *consumption) (err error) {
	e.cols, err = h.shownColumns(c, e.kind(), e.people)
	if e.page != "" && e.filter.Order != "" && e.params.Get("cols") == "" && !slices.Contains(e.cols, "order") {
		e.cols = append(e.cols, "order")
	}
	return err
}

// kind is the list a page shows.
func (e *consumption) kind() string {
	if e.page == "" {
		return expenditureexport.KindSummary
	}
	return expenditureexport.KindLines
}

// expenditureHere is the same page of the list.
func (c *Ctx) expenditureHere(e *consumption) string {
	if e.at.Back {
		return c.expenditureLink(e, e.page, "before", e.at.Cursor)
	}
	return c.expenditureLink(e, e.page, "after", e.at.Cursor)
}

// consumptionColumns is the form that changes the columns.
func consumptionColumns(c *Ctx, e *consumption) *part.Columns {
	fixed := c.T("expenditure.fixed.lines")
	if e.page == "" {
		if fixed = c.T("expenditure.fixed.summary"); !e.people {
			fixed = c.T("expenditure.fixed.own")
		}
	}
	return c.lineColumnsForm(e.kind(), c.expenditureLink(e, e.page, "cols", ""), e.cols, e.people, fixed, func(key string) string {
		switch key {
		case "consumption", "refund", "adjustment":
			return c.T("expenditure.figure." + key)
		}
		return c.T("expenditure.col." + key)
	})
}

// maskedColumns are those of 客户消费 that name people, each with an eye of its own.
var maskedColumns = []string{"customer", "manager"}

// consumptionEye shows the names in a column of a page; open is the column that is shown.
func consumptionEye(c *Ctx, e *consumption, column, open string) *part.Eye {
	if !e.people || !c.Scope.Has(scope.ItemRevealMasked) {
		return nil
	}
	action := holePlace.mark()
	if !e.hollow {
		action = c.expenditureHere(e)
	}
	return &part.Eye{Action: action, Open: open == column, Name: c.T("expenditure.col." + column), Hidden: []part.Hidden{{Name: "column", Value: column}}}
}

// revealedColumn writes down that a column of 客户消费 is shown in clear, and says which.
func (h *Handlers) revealedColumn(c *Ctx, list string) (string, error) {
	column := c.Request().PostFormValue("column")
	if column == "" {
		column = maskedColumns[0]
	}
	if !slices.Contains(maskedColumns, column) {
		return "", notFound()
	}
	return column, h.reveal(c, list, column)
}

// managerText names a 客户经理; masked, by the number that tells people apart.
func managerText(p expenditure.Person, open bool) string {
	switch {
	case p.ID == "":
		return i18n.Nothing
	case open:
		return p.Called()
	}
	return maskName(p.Called()) + " · " + p.Number()
}

// managerCell has the number below the name.
func managerCell(c *Ctx, p expenditure.Person) opsview.Cell {
	if p.ID == "" {
		return opsview.Cell{Text: i18n.Nothing}
	}
	out := c.personal(p.Called())
	out.Note = p.Number()
	return out
}

// expenditureLink is a page of 客户消费 with parameters changed; an empty value takes one off. It stands on
// a page fifty times, so its parameters are put in order once.
func (c *Ctx) expenditureLink(e *consumption, page string, change ...string) string {
	var space [12]pair
	pairs := append(space[:0], e.pairs...)
	if page != e.page { // each page has columns of its own
		pairs = setPair(pairs, "cols", "")
	}
	for i := 0; i+1 < len(change); i += 2 {
		pairs = setPair(pairs, change[i], url.QueryEscape(change[i+1]))
	}
	path := "/expenditure"
	if page != "" {
		path = "/expenditure/" + page
	}
	var text [256]byte
	b := append(append(append(text[:0], "/o/"...), c.Org.Code...), path...)
	sign := byte('?')
	for i := range pairs {
		if p := &pairs[i]; p.value != "" {
			b = append(append(append(append(b, sign), p.name...), '='), p.value...)
			sign = '&'
		}
	}
	return string(b)
}

// pair is a parameter of an address, its value as it stands there.
type pair struct{ name, value string }

// setPair sets a parameter among others in order of name.
func setPair(pairs []pair, name, value string) []pair {
	i := 0
	for i < len(pairs) && pairs[i].name < name {
		i++
	}
	if i < len(pairs) && pairs[i].name == name {
		pairs[i].value = value
		return pairs
	}
	return slices.Insert(pairs, i, pair{name, value})
}

// expenditureDoc is what the pages share; since is from when figures count for a scope limited to assigned
// customers.
func (h *Handlers) expenditureDoc(c *Ctx, e *consumption, since time.Time) expview.Doc {
	d := expview.Doc{People: e.people, Notice: c.T("expenditure.notice"), Flash: c.exported(),
		Header: part.Header{Title: c.T("expenditure.title"), Fresh: h.freshly(c), Cycle: h.consumptionPicker(c, e),
			Crumbs: c.crumbs(part.Link{Text: c.T("expenditure.title")})},
		Print: c.Org.Name + " · " + c.T("expenditure.title") + " " + string(e.filter.Cycle)}
	c.ruled(&d.Header, &d.Rules)
	if e.people && c.Scope.IsLimited() {
		d.Since = c.T("expenditure.since_never")
		if !since.IsZero() {
			d.Since = c.T("expenditure.since", "Day", i18n.Date(since))
		}
		d.Header.Rules = rulesAt
		for _, key := range []string{"dashboard", "expenditure", "performance", "until", "team"} {
			d.Rules = append(d.Rules, c.T("expenditure.rule."+key))
		}
	}
	for _, page := range []string{"", "lines"} {
		key := page
		if key == "" {
			key = "summary"
		}
		d.Tabs = append(d.Tabs, part.Tab{Text: c.T("expenditure.tab." + key), Href: c.expenditureLink(e, page), Current: page == e.page})
	}
	d.Tabs = append(d.Tabs, part.Tab{Text: c.T("expenditure.tab.peaks"), Href: c.withQuery(pathPeaks, "cycle", string(e.filter.Cycle))}, part.Tab{Text: c.T("expenditure.tab.archive"), Href: c.at(pathArchive)})
	for _, kind := range billKinds {
		key := string(kind)
		if key == "" {
			key = "all"
		}
		d.Kinds = append(d.Kinds, part.Tab{Text: c.T("expenditure.kind." + key), Href: c.expenditureLink(e, e.page, "kind", string(kind)), Current: kind == e.filter.Kind})
	}
	d.Notes = []string{c.T("expenditure.note.tax"), c.T("expenditure.note.spread")}
	if e.page == "" && e.filter.Cycle == h.month() {
		d.Notice += " " + c.T("peak.summary_note")
	}
	return d
}

// freshly says as of when a page is. It is the one word of the clock on a page that is kept.
func (h *Handlers) freshly(c *Ctx) string {
	if c.marked {
		return holeFresh.mark()
	}
	return c.T("expenditure.fresh", "At", i18n.Moment(c.ctx(), h.Clock.Now()))
}

// consumptionPicker offers this month and the eighteen before.
func (h *Handlers) consumptionPicker(c *Ctx, e *consumption) *part.CyclePicker {
	now := cycle.Of(h.Clock.Now(), cycle.Zone)
	at, oldest := e.filter.Cycle, now.Add(-expenditure.Months)
	open := func(to cycle.Cycle) string {
		if to > now || to < oldest {
			return ""
		}
		return c.expenditureLink(e, e.page, "cycle", string(to))
	}
	p := &part.CyclePicker{Current: string(at), Note: c.T("expenditure.cycle_note", "Months", int64(expenditure.Months)), This: open(now), Last: open(now.Prev()),
		Prev: open(at.Prev()), Next: open(at.Next()), Year: string(at)[:4], State: part.Tag{Text: c.T("expenditure.month.past"), Tone: part.Good}}
	if at == now {
		p.State = part.Tag{Text: c.T("expenditure.month.running"), Tone: part.Warn}
	}
	first, last := cycle.Cycle(p.Year+"-01"), cycle.Cycle(p.Year+"-12")
	if first.Prev() >= oldest {
		p.PrevYear = open(max(at.Add(-12), oldest))
	}
	if last < now {
		p.NextYear = open(min(at.Add(12), now))
	}
	p.Months = make([]part.CycleMonth, 0, 12)
	for m := time.January; m <= time.December; m++ {
		one := first.Add(int(m) - 1)
		p.Months = append(p.Months, part.CycleMonth{Name: i18n.MonthName(c.ctx(), m), Current: one == at, Href: open(one)})
	}
	return p
}

// exactly shows an exact amount: two decimals, all of them on demand.
func exactly(x money.Exact, currency string) part.Money {
	a, err := x.Amount()
	if err != nil {
		return part.Money{Text: i18n.Exact(x)}
	}
	return part.Money{Text: i18n.MoneyPlain(a, currency), Full: i18n.ExactMoney(x, currency)}
}

func (h *Handlers) expenditureSummary(c *Ctx) error { return h.summary(c, "") }

// expenditureSummaryRevealed shows the customers' names in clear, once, and writes down that it did.
func (h *Handlers) expenditureSummaryRevealed(c *Ctx) error {
	column, err := h.revealedColumn(c, "expenditure")
	if err != nil {
		return err
	}
	return h.summary(c, column)
}

func (h *Handlers) summary(c *Ctx, open string) error {
	e, err := h.consumption(c, "")
	if err != nil {
		return err
	}
	s, err := h.Expenditure.Summarise(c.ctx(), c.Scope, e.filter)
	if err != nil {
		return err
	}
	if err := h.withColumns(c, e); err != nil {
		return err
	}
	d := h.expenditureDoc(c, e, s.Since)
	page := expview.Summary{Doc: d, Unit: s.Currency, Columns: e.cols, Filter: consumptionFilter(c, e, s.Choices, s.Currency),
		Tool: part.Tool{Count: c.T("expenditure.rows", "Count", int64(len(s.Rows))), Conditions: consumptionConditions(c, e, s.Choices), Refresh: c.expenditureLink(e, e.page)}}
	if page.Tool.Views, err = h.views(c, c.expenditureLink(e, e.page)); err != nil {
		return err
	}
	if len(s.Rows) == 0 {
		page.Empty = emptyConsumption(c, e)
		return c.page(http.StatusOK, page.Page())
	}
	page.Equation, page.Facts = consumptionEquation(c, s), consumptionFacts(c, e, s)
	page.Splits = consumptionSplits(c, e, s)
	page.Eye, page.Tool.Columns = consumptionEye(c, e, "customer", open), consumptionColumns(c, e)
	page.Total = consumptionRow(c, s.Currency, s.Total)
	page.Total.Customer = c.T("expenditure.total.all")
	begin, end := pageOfRows(s.Rows, e)
	for i := range s.Rows[begin:end] {
		r := &s.Rows[begin+i]
		row := consumptionRow(c, s.Currency, r.Figures)
		row.Customer, row.Relation, row.Product, row.Mode = r.Customer.Name, relationText(c, r.Relation), productText(c, r.Product), modeText(c, r.Mode)
		row.Href = c.expenditureLink(e, "lines", "customer", r.Customer.Code, "relation", string(r.Relation), "product", r.Product, "mode", string(r.Mode), "zero", "all", "currency", s.Currency)
		if e.people && open == "customer" {
			c.saw(r.Customer.Code)
		}
		if e.people && open != "customer" {
			row.Customer, row.Masked = maskName(r.Customer.Name)+" · "+r.Customer.Code, true
		}
		if !e.people {
			row.Href = c.expenditureLink(e, "lines", "product", r.Product, "mode", string(r.Mode), "zero", "all", "currency", s.Currency)
		}
		page.Rows = append(page.Rows, row)
	}
	page.Tool.Export = exportOfConsumption(c, e, expenditureexport.KindSummary, s.Currency, page.Tool.Count)
	page.Pager = consumptionPager(c, e, c.T("expenditure.range", "From", int64(begin+1), "To", int64(end), "Count", int64(len(s.Rows))))
	page.Pager.Seal = consumptionSeal(s.Total.Amount(), s.Currency, s.Code(e.filter))
	if end < len(s.Rows) {
		page.Pager.Next = c.expenditureLink(e, e.page, "after", rowKey(&s.Rows[end-1]))
	}
	if begin > 0 {
		page.Pager.First, page.Pager.Prev = c.expenditureLink(e, e.page), c.expenditureLink(e, e.page, "before", rowKey(&s.Rows[begin]))
	}
	return c.page(http.StatusOK, page.Page())
}

// rowKey names a row of the summary in a URL.
func rowKey(r *expenditure.Row) string {
	return url.Values{"c": {r.Customer.Code}, "r": {string(r.Relation)}, "p": {r.Product}, "m": {string(r.Mode)}}.Encode()
}

// pageOfRows is the page after the row the URL names, or before it; an unknown one begins anew.
func pageOfRows(rows []expenditure.Row, e *consumption) (begin, end int) {
	if e.at.Cursor != "" {
		i := slices.IndexFunc(rows, func(r expenditure.Row) bool { return rowKey(&r) == e.at.Cursor })
		if begin = i + 1; e.at.Back {
			begin = max(0, i-e.size)
		}
	}
	return begin, min(begin+e.size, len(rows))
}

func consumptionRow(c *Ctx, currency string, f expenditure.Figures) expview.Row {
	m := func(x money.Exact) part.Money { return exactly(x, currency) }
	return expview.Row{Lines: i18n.Count(f.Lines), Consumption: m(f.Consumption), Refund: m(f.Refund), Adjustment: m(f.Adjustment), Discount: m(f.Discount), Amount: m(f.Amount())}
}

func consumptionEquation(c *Ctx, s *expenditure.Summary) *part.Equation {
	eq := &part.Equation{ID: "figures", Title: c.T("expenditure.figures")}
	for _, f := range []struct {
		key string
		x   money.Exact
	}{{"consumption", s.Total.Consumption}, {"refund", s.Total.Refund}, {"adjustment", s.Total.Adjustment}} {
		text, full := largely(f.x, s.Currency)
		eq.Terms = append(eq.Terms, part.Term{Label: c.T("expenditure.figure." + f.key), Head: text, Lines: []part.Link{{Text: full}}})
	}
	text, full := largely(s.Total.Amount(), s.Currency)
	eq.Sum = part.Sum{Label: c.T("expenditure.figure.amount"), Amount: text, Lines: []part.Link{{Text: full}}}
	return eq
}

// largely is an exact amount to two decimals with its currency, and whole.
func largely(x money.Exact, currency string) (text, full string) {
	full = i18n.ExactMoney(x, currency)
	if a, err := x.Amount(); err == nil {
		return i18n.Money(a, currency), full
	}
	return full, full
}

func consumptionFacts(c *Ctx, e *consumption, s *expenditure.Summary) []part.Item {
	return []part.Item{
		{Label: c.T("expenditure.figure.discount"), Text: i18n.ExactMoney(s.Total.Discount, s.Currency)},
		{Label: c.T("expenditure.figure.tax"), Text: i18n.ExactMoney(s.Total.Tax, s.Currency), Href: c.expenditureLink(e, "lines", "kind", string(usage.KindTax), "currency", s.Currency)},
		{Label: c.T("expenditure.col.lines"), Text: i18n.Count(s.Total.Lines), Href: c.expenditureLink(e, "lines", "zero", "all", "currency", s.Currency)},
		{Label: c.T("expenditure.currency"), Text: i18n.CurrencyName(c.ctx(), s.Currency)},
	}
}

func consumptionPager(c *Ctx, e *consumption, text string) part.Pager {
	p := part.Pager{Range: text}
	for _, n := range pageSizes {
		p.Sizes = append(p.Sizes, part.Tab{Text: strconv.Itoa(n), Href: c.expenditureLink(e, e.page, "size", strconv.Itoa(n)), Current: n == e.size})
	}
	return p
}

func emptyConsumption(c *Ctx, e *consumption) *part.Empty {
	return &part.Empty{Title: c.T("expenditure.empty"), Text: c.T("expenditure.empty_text"),
		Button: &part.Link{Text: c.T("expenditure.reset"), Href: c.at("/expenditure?cycle=" + string(e.filter.Cycle))}}
}

func relationText(c *Ctx, k customer.Kind) string {
	if k == "" {
		return c.T("expenditure.own")
	}
	return c.T(k.Label())
}

func productText(c *Ctx, name string) string {
	if name == "" {
		return c.T("bills.product.none")
	}
	return name
}
