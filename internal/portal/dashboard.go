package portal

import (
	"slices"
	"strconv"

	"huoban/internal/anomaly"
	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/expenditure"
	"huoban/internal/i18n"
	"huoban/internal/money"
	"huoban/internal/scope"
	"huoban/internal/usage"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

const (
	pathDashboard   = "/dashboards/expenditure"
	dashboardMonths = 6 // of the page without a choice
)

// dashboardRoutes are 消费看板 and 客户看板.
func dashboardRoutes() []Route {
	return []Route{{Method: get, Path: "/o/:org" + pathDashboard, Name: "dashboards.expenditure", Sides: partners, Items: []scope.Item{scope.ItemExpenditureView},
		Query: []string{"customer", "manager"}, Title: "dashboard.title", Do: (*Handlers).dashboard},
		{Method: get, Path: "/o/:org" + pathCustomerDashboard, Name: "dashboards.customers", Sides: partners, Items: []scope.Item{scope.ItemCustomerView}, Also: []scope.Item{scope.ItemExpenditureView},
			Query: []string{"manager"}, Title: "dashboard.customers.title", Do: (*Handlers).customerDashboard}}
}

// The tabs of 消费看板: how much there was, how it came about over time, and what it is made of.
var dashboardTabs = []string{"", "trend", "share"}

// How the trend is drawn; the first is drawn without a choice.
var dashboardDraws = []string{"stacked", "lines"}

// dashboardTops are how many groups one may ask for, the others in one row.
var dashboardTops = []string{"", "3", "5", "10", "20"}

// dashboardFilter reads the state of the page, all of it in the URL.
func (h *Handlers) dashboardFilter(c *Ctx) (expenditure.BoardFilter, error) {
	now := h.Clock.Now()
	at := cycle.Of(now, cycle.Zone)
	f := expenditure.BoardFilter{First: at.Add(1 - dashboardMonths), Last: at, By: expenditure.By(c.QueryParam("by")), Order: expenditure.Order(c.QueryParam("sort")), Zero: c.QueryParam("zero") == "all",
		Filter: expenditure.Filter{Customer: c.QueryParam("customer"), Manager: c.QueryParam("manager"),
			Relation: customer.Kind(c.QueryParam("relation")), Product: c.QueryParam("product"), Mode: usage.ChargingMode(c.QueryParam("mode")), Currency: c.QueryParam("currency")}}
	if f.By == "" {
		f.By = expenditure.Groupings[0]
	}
	if f.Order == "" {
		f.Order = expenditure.Orders[0]
	}
	if !slices.Contains(expenditure.Groupings, f.By) || !slices.Contains(expenditure.Orders, f.Order) || !slices.Contains(dashboardTops, c.QueryParam("top")) {
		return f, notFound()
	}
	f.Top, _ = strconv.Atoi(c.QueryParam("top"))
	for name, into := range map[string]*cycle.Cycle{"from": &f.First, "to": &f.Last} {
		if text := c.QueryParam(name); text != "" {
			one, err := cycle.Parse(text)
			if err != nil {
				return f, notFound()
			}
			*into = one
		}
	}
	return f, expenditure.CheckSpan(f.First, f.Last, now)
}

// dashboard shows what was consumed over some months: as a whole, over time or by share, with the table of the
// same rows.
func (h *Handlers) dashboard(c *Ctx) error {
	tab, draw := c.QueryParam("tab"), c.QueryParam("draw")
	if !slices.Contains(dashboardTabs, tab) || draw != "" && !slices.Contains(dashboardDraws, draw) {
		return notFound()
	}
	f, err := h.dashboardFilter(c)
	if err != nil {
		return err
	}
	return h.shelled(c, func() (*opsview.Board, bool, error) { return h.dashboardBoard(c, &f, tab) })
}

// dashboardBoard is the page of a tab; lasting, where no estimate on it waits for the days to be summed.
func (h *Handlers) dashboardBoard(c *Ctx, f *expenditure.BoardFilter, tab string) (board *opsview.Board, lasts bool, err error) {
	b, err := h.Expenditure.Board(c.ctx(), c.Scope, *f)
	if err != nil {
		return nil, false, err
	}
	title := c.T("dashboard.title")
	p := &opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title})}, Flash: c.done(), Notes: []string{c.T("dashboard.note")}, Filter: h.dashboardChoices(c, f, b)}
	p.Pages = dashboardPages(c, tab)
	if c.Scope.IsLimited() {
		since := c.T("expenditure.since_never")
		if !b.Since.IsZero() {
			since = c.T("dashboard.since", "At", i18n.DateTime(b.Since))
		}
		p.Notes = append([]string{since}, p.Notes...)
	}
	lasts = true
	if len(b.Groups) > 0 {
		if lasts, err = h.dashboardPictures(c, f, tab, b, p); err != nil {
			return nil, false, err
		}
	}
	if len(p.Charts) == 1 {
		p.Charts[0].Wide = true
	}
	_, err = h.board(c, p, "dashboard.expenditure")
	return p, lasts, err
}

// dashboardPictures are the figures and pictures of a tab, and whether they wait for nothing.
func (h *Handlers) dashboardPictures(c *Ctx, f *expenditure.BoardFilter, tab string, b *expenditure.Board, p *opsview.Board) (lasts bool, err error) {
	o, waits, err := h.dashboardOutlook(c, f)
	if err != nil {
		return false, err
	}
	if tab == "" {
		r, err := h.anomalyReport(c)
		if err != nil {
			return false, err
		}
		waits = waits || !r.Ready
		p.Facts = dashboardFacts(c, b, o, r)
	}
	if tab != "share" {
		p.Charts = append(p.Charts, h.dashboardTrend(c, f, b, o))
	}
	if tab != "trend" {
		p.Charts = append(p.Charts, dashboardShare(c, f, b))
	}
	return !waits, nil
}

// dashboardPages are the pages of 消费看板. Those of the board keep what is chosen.
func dashboardPages(c *Ctx, current string) []part.Tab {
	link := func(tab string) string {
		if slices.Contains(dashboardTabs, current) {
			return dashboardLink(c, "tab", tab)
		}
		return dashboardTab(c, tab)
	}
	var out []part.Tab
	for _, one := range dashboardTabs {
		key := one
		if key == "" {
			key = "overview"
		}
		out = append(out, part.Tab{Text: c.T("dashboard.tab." + key), Href: link(one), Current: one == current})
	}
	return append(out, part.Tab{Text: c.T("anomaly.title"), Href: c.at(pathAnomalies), Current: current == "anomalies"},
		part.Tab{Text: c.T("forecast.title"), Href: c.at(pathForecast), Current: current == "forecast"})
}

// dashboardOutlook estimates the running month where the page shows it and its filter can be estimated; nil elsewhere.
// It waits while the days are still being summed.
func (h *Handlers) dashboardOutlook(c *Ctx, f *expenditure.BoardFilter) (o *outlook, waits bool, err error) {
	if f.Last != cycle.Of(h.Clock.Now(), cycle.Zone) || f.Product != "" || f.Mode != "" {
		return nil, false, nil
	}
	if o, err = h.outlookOf(c, f.Filter); err != nil || !o.ok {
		return nil, o != nil && !o.ready, err
	}
	return o, false, nil
}

func (h *Handlers) dashboardChoices(c *Ctx, f *expenditure.BoardFilter, b *expenditure.Board) *part.Filter {
	field := func(name, value string, more bool, options ...part.Option) part.FilterField {
		return part.FilterField{Name: name, Label: c.T("dashboard.filter." + name), Value: value, Options: options, More: more}
	}
	all := part.Option{Label: c.T("ops.filter.any")}
	by := field("by", string(f.By), false)
	for _, g := range expenditure.Groupings {
		by.Options = append(by.Options, part.Option{Value: string(g), Label: c.T("dashboard.by." + string(g))})
	}
	months := h.monthOptions()
	relation := field("relation", string(f.Relation), true, all)
	for _, k := range []customer.Kind{customer.KindResale, customer.KindReferral} {
		relation.Options = append(relation.Options, part.Option{Value: string(k), Label: c.T(k.Label())})
	}
	customers, managers, products, modes := field("customer", f.Customer, true, all), field("manager", f.Manager, true, all), field("product", f.Product, true, all), field("mode", string(f.Mode), true, all)
	for _, x := range b.Choices.Customers {
		if c.open {
			c.saw(x.Code)
		}
		customers.Options = append(customers.Options, part.Option{Value: x.Code, Label: c.personal(x.Name).Text + " · " + x.Code})
	}
	managers.Options = append(managers.Options, part.Option{Value: expenditure.Nobody, Label: c.T("customers.manager.none")})
	for _, x := range b.Choices.Managers {
		managers.Options = append(managers.Options, part.Option{Value: x.ID, Label: managerText(x, c.open)})
	}
	for _, x := range b.Choices.Products {
		products.Options = append(products.Options, part.Option{Value: x, Label: x})
	}
	for _, x := range b.Choices.Modes {
		modes.Options = append(modes.Options, part.Option{Value: string(x), Label: modeText(c, x)})
	}
	out := &part.Filter{Action: c.at(pathDashboard), Reset: c.at(pathDashboard), Fields: []part.FilterField{by, field("from", string(f.First), false, months...), field("to", string(f.Last), false, months...),
		customers, managers, relation, products, modes}}
	if len(b.Choices.Currencies) > 1 {
		currency := field("currency", b.Currency, true)
		for _, x := range b.Choices.Currencies {
			currency.Options = append(currency.Options, part.Option{Value: x, Label: x})
		}
		out.Fields = append(out.Fields, currency)
	}
	out.Fields = append(out.Fields, dashboardSettings(c, f)...)
	if tab := c.QueryParam("tab"); tab != "" {
		out.Hidden = append(out.Hidden, part.Hidden{Name: "tab", Value: tab})
		out.Reset = dashboardTab(c, tab)
	}
	return out
}

func dashboardTab(c *Ctx, tab string) string { return c.withQuery(pathDashboard, "tab", tab) }

// dashboardSettings are 高级设置: the order, how many groups, how they are drawn, and whether those of zero show.
func dashboardSettings(c *Ctx, f *expenditure.BoardFilter) []part.FilterField {
	field := func(name, value string) part.FilterField {
		return part.FilterField{Name: name, Label: c.T("dashboard.filter." + name), Value: value, More: true}
	}
	order, top, draw, zero := field("sort", string(f.Order)), field("top", c.QueryParam("top")), field("draw", c.QueryParam("draw")), field("zero", c.QueryParam("zero"))
	for _, x := range expenditure.Orders {
		order.Options = append(order.Options, part.Option{Value: string(x), Label: c.T("dashboard.sort." + string(x))})
	}
	for _, x := range dashboardTops {
		label := c.T("dashboard.top.all")
		if x != "" {
			label = c.T("dashboard.top.first", "Count", x)
		}
		top.Options = append(top.Options, part.Option{Value: x, Label: label})
	}
	for _, x := range dashboardDraws {
		draw.Options = append(draw.Options, part.Option{Value: x, Label: c.T("dashboard.draw." + x)})
	}
	zero.Options = []part.Option{{Label: c.T("dashboard.zero.without")}, {Value: "all", Label: c.T("dashboard.zero.all")}}
	return []part.FilterField{order, top, draw, zero}
}

// dashboardFacts are the figures one wants first. What is paid is what is payable less what vouchers paid. What is
// estimated and what is unusual stand behind what is booked, each with a page of its own.
func dashboardFacts(c *Ctx, b *expenditure.Board, o *outlook, r *anomaly.Report) []part.Item {
	figure := func(key string, x money.Exact) part.Item {
		return part.Item{Label: c.T("dashboard.fact." + key), Text: exactMoney(x, b.Currency).Text}
	}
	out := []part.Item{figure("payable", b.Total.Amount()), figure("paid", b.Total.Paid()), figure("consumption", b.Total.Consumption), figure("refund", b.Total.Refund), figure("tax", b.Total.Tax)}
	if n := len(b.Cycles); n > 1 {
		last, before := b.Cells[n-1].Amount(), b.Cells[n-2].Amount()
		text := signed(last.Sub(before), b.Currency).Text
		if percent := growth(last, before); percent != "" {
			text += " (" + percent + ")"
		}
		out = append(out, part.Item{Label: c.T("dashboard.fact.change", "Last", string(b.Cycles[n-1]), "Before", string(b.Cycles[n-2])), Text: text})
	}
	if o != nil {
		hit, of := o.hits()
		out = append(out, part.Item{Label: c.T("forecast.fact.likely", "Cycle", string(o.cycle)), Wide: true, Href: c.withQuery(pathForecast, "customer", c.QueryParam("customer"), "manager", c.QueryParam("manager"), "currency", c.QueryParam("currency")),
			Text: c.T("forecast.short", "Amount", i18n.Money(o.estimate.Likely, o.currency), "Low", i18n.Money(o.estimate.Low, o.currency), "High", i18n.Money(o.estimate.High, o.currency), "Hit", hit, "Of", of)})
	}
	if r.Ready && r.Days > 0 {
		out = append(out, part.Item{Label: c.T("anomaly.fact", "Cycle", string(r.Cycle)), Text: c.T("anomaly.count", "Open", int64(r.Open()), "Count", int64(len(r.Found))), Href: c.withQuery(pathAnomalies, "cycle", string(r.Cycle), "currency", c.QueryParam("currency"))})
	}
	return out
}

// groupText names a group as 客户消费 does, people masked.
func groupText(c *Ctx, by expenditure.By, g *expenditure.Group) string {
	if g.Others > 0 {
		return c.T("dashboard.others_of", "Count", int64(g.Others))
	}
	switch by {
	case expenditure.ByMode:
		return modeText(c, usage.ChargingMode(g.Key))
	case expenditure.ByRelation:
		return relationText(c, customer.Kind(g.Key))
	case expenditure.ByManager:
		if g.Manager.ID == "" {
			return c.T("customers.manager.none")
		}
		return managerText(g.Manager, c.open)
	case expenditure.ByCustomer:
		return c.personal(g.Customer.Name).Text + " · " + g.Customer.Code
	}
	return productText(c, g.Key)
}

// linesOfGroup leads to 客户消费 of a cycle, narrowed to what stands in a cell; "" where no filter takes just that.
func linesOfGroup(c *Ctx, f *expenditure.BoardFilter, g *expenditure.Group, at cycle.Cycle, currency string) string {
	v, ok := narrowedTo(f, g)
	if !ok {
		return ""
	}
	return c.withQuery("/expenditure/lines", "cycle", string(at), "currency", currency, "zero", "all", "customer", v["customer"], "manager", v["manager"], "relation", v["relation"], "product", v["product"], "mode", v["mode"])
}

// narrowedTo is the filter of the page narrowed to a group. Several groups in one, and what has no name, cannot be
// asked for.
func narrowedTo(f *expenditure.BoardFilter, g *expenditure.Group) (map[string]string, bool) {
	v := map[string]string{"customer": f.Customer, "manager": f.Manager, "relation": string(f.Relation), "product": f.Product, "mode": string(f.Mode)}
	key := g.Key
	if f.By == expenditure.ByManager && key == "" {
		key = expenditure.Nobody
	}
	v[string(f.By)] = key
	return v, key != "" && g.Others == 0
}

// readDashboard lists the groups with a column for each cycle.
func (h *Handlers) readDashboard(c *Ctx) (*sheet, error) {
	f, err := h.dashboardFilter(c)
	if err != nil {
		return nil, err
	}
	b, err := h.Expenditure.Board(c.ctx(), c.Scope, f)
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: []listColumn{{key: "group", title: c.T("dashboard.by." + string(f.By)), personal: f.By == expenditure.ByCustomer || f.By == expenditure.ByManager}},
		empty: part.Empty{Title: c.T("expenditure.empty"), Text: c.T("expenditure.empty_text")}}
	for _, at := range b.Cycles {
		s.columns = append(s.columns, listColumn{key: string(at), title: string(at), num: true})
	}
	s.columns = append(s.columns, listColumn{key: "total", title: c.T("dashboard.fact.payable"), num: true, money: true, class: "m"}, listColumn{key: "paid", title: c.T("dashboard.fact.paid"), num: true},
		listColumn{key: "share", title: c.T("dashboard.share_of"), num: true}, listColumn{key: "change", title: c.T("dashboard.change"), num: true})
	whole := b.Total.Amount()
	for i := range b.Groups {
		s.add(dashboardRow(c, &f, b, &b.Groups[i], whole))
	}
	s.narrowed("", c.T("dashboard.span", "First", string(f.First), "Last", string(f.Last)))
	for _, name := range []string{"customer", "manager", "relation", "product", "mode"} {
		if c.QueryParam(name) != "" {
			s.narrowed(name, c.T("dashboard.filter."+name))
		}
	}
	return s, nil
}

func dashboardRow(c *Ctx, f *expenditure.BoardFilter, b *expenditure.Board, g *expenditure.Group, whole money.Exact) sheetRow {
	worth := sums{{b.Currency, g.Total.Amount()}}
	name := opsview.Cell{Text: groupText(c, f.By, g)}
	mark := ""
	cells := []opsview.Cell{name}
	for n := range g.Cells {
		x := g.Cells[n].Amount()
		short := exactMoney(x, b.Currency)
		cell := opsview.Cell{Text: short.Text, Full: i18n.ExactMoney(x, b.Currency), Raw: x.String()}
		if g.Cells[n].Lines > 0 {
			cell.Href = linesOfGroup(c, f, g, b.Cycles[n], b.Currency)
		}
		cells, mark = append(cells, cell), mark+x.String()+" "
	}
	paid, change := exactMoney(g.Total.Paid(), b.Currency), signed(g.Change(), b.Currency)
	cells = append(cells, moneyCell(worth), opsview.Cell{Text: paid.Text, Full: paid.Full, Raw: g.Total.Paid().String()}, opsview.Cell{Text: shareText(worth[0].amount, whole)})
	if len(g.Cells) < 2 {
		cells = append(cells, opsview.Cell{Text: i18n.Nothing})
	} else {
		cells = append(cells, opsview.Cell{Text: change.Text, Full: i18n.ExactMoney(g.Change(), b.Currency), Raw: g.Change().String()})
	}
	key := string(f.By) + "\x00" + g.Key
	if g.Others > 0 {
		key += "\x00others"
	}
	return sheetRow{key: key, about: g.Customer.Code, mark: mark, sums: worth, cells: cells}
}

// shareText is a part of a whole in per cent; nothing where there is no whole.
func shareText(x, whole money.Exact) string {
	own, err := x.Amount()
	all, err2 := whole.Amount()
	if err != nil || err2 != nil || all <= 0 {
		return i18n.Nothing
	}
	return i18n.Percent(own, all)
}
