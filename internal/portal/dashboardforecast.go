package portal

import (
	"net/http"
	"slices"

	"huoban/internal/anomaly"
	"huoban/internal/cycle"
	"huoban/internal/expenditure"
	"huoban/internal/forecast"
	"huoban/internal/i18n"
	"huoban/internal/money"
	"huoban/internal/scope"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

const pathForecast = pathDashboard + "/forecast"

// forecastRoutes are what the running month may come to, and how estimates of that day came out before.
func forecastRoutes() []Route {
	return []Route{{Method: get, Path: "/o/:org" + pathForecast, Name: "dashboards.forecast", Sides: partners, Items: []scope.Item{scope.ItemExpenditureView},
		Query: []string{"customer", "manager"}, Title: "forecast.title", Do: (*Handlers).forecastPage}}
}

// outlook is the estimate of the running month, and what the same method said on that day of the months before.
type outlook struct {
	cycle    cycle.Cycle
	currency string
	day      int // known days of the running month
	so       money.Exact
	estimate forecast.Estimate
	ok       bool // there is an estimate
	ready    bool
	trials   []forecast.Trial
	choices  expenditure.Choices
}

// hits says how often estimates of this day held.
func (o *outlook) hits() (hit, of int64) {
	return int64(forecast.Hits(o.trials)), int64(len(o.trials))
}

// outlookOf estimates what is asked for by customer, manager, relation and currency; products and modes are not
// estimated.
func (h *Handlers) outlookOf(c *Ctx, f expenditure.Filter) (*outlook, error) {
	now := h.Clock.Now()
	running := cycle.Of(now, cycle.Zone)
	q := anomaly.BookOf(running, f.Currency)
	q.Customer, q.Manager, q.Relation = f.Customer, f.Manager, f.Relation
	book, err := h.Expenditure.Days(c.ctx(), c.Scope, q)
	if err != nil {
		return nil, err
	}
	o := &outlook{cycle: running, currency: book.Currency, ready: book.Ready, choices: book.Choices}
	if !book.Ready {
		return o, nil
	}
	var months []forecast.Month
	for _, m := range book.All() {
		months = append(months, forecast.Month{Cycle: m.Cycle, Days: m.Amounts})
	}
	last := len(months) - 1
	o.day = anomaly.Judged(running, book.Known, now)
	for _, x := range months[last].Days[:min(o.day, len(months[last].Days))] {
		o.so = o.so.Add(x)
	}
	o.estimate, o.ok = forecast.At(months[:last], months[last], o.day)
	o.trials = forecast.Replay(months[:last], max(o.day, 1))
	return o, nil
}

// forecastFilter is the part of the state that an estimate takes.
func forecastFilter(c *Ctx) expenditure.Filter {
	f := expenditure.Filter{Customer: c.QueryParam("customer"), Manager: c.QueryParam("manager"), Currency: c.QueryParam("currency")}
	return f
}

func (h *Handlers) forecastPage(c *Ctx) error {
	o, err := h.outlookOf(c, forecastFilter(c))
	if err != nil {
		return err
	}
	title := c.T("forecast.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("dashboard.title"), Href: c.at(pathDashboard)}, part.Link{Text: title})},
		Pages: dashboardPages(c, "forecast"), Notes: []string{c.T("forecast.note", "Least", int64(forecast.Least), "Most", int64(forecast.Most))}, Filter: forecastChoices(c, o)}
	switch {
	case !o.ready:
		p.Notes = append([]string{c.T("anomaly.preparing")}, p.Notes...)
	case !o.ok:
		p.Notes = append([]string{c.T("forecast.none", "Cycle", string(o.cycle))}, p.Notes...)
	default:
		hit, of := o.hits()
		p.Facts = []part.Item{{Label: c.T("forecast.fact.booked", "Cycle", string(o.cycle), "Day", int64(o.day)), Text: exactMoney(o.so, o.currency).Text},
			{Label: c.T("forecast.fact.likely", "Cycle", string(o.cycle)), Text: c.T("forecast.about", "Amount", i18n.Money(o.estimate.Likely, o.currency))},
			{Label: c.T("forecast.fact.range"), Text: c.T("forecast.range", "Low", i18n.Money(o.estimate.Low, o.currency), "High", i18n.Money(o.estimate.High, o.currency))},
			{Label: c.T("forecast.fact.method"), Text: c.T("forecast.method", "Months", int64(o.estimate.Months))},
			{Label: c.T("forecast.fact.hits", "Day", int64(o.day)), Text: c.T("forecast.hits", "Hit", hit, "Of", of)}}
		p.Charts = []part.Chart{forecastChart(c, o)}
	}
	if _, err := h.board(c, &p, "dashboard.forecast"); err != nil {
		return err
	}
	return c.page(http.StatusOK, p.Page())
}

func forecastChoices(c *Ctx, o *outlook) *part.Filter {
	all := part.Option{Label: c.T("ops.filter.any")}
	customers := part.FilterField{Name: "customer", Label: c.T("dashboard.filter.customer"), Value: c.QueryParam("customer"), Options: []part.Option{all}}
	managers := part.FilterField{Name: "manager", Label: c.T("dashboard.filter.manager"), Value: c.QueryParam("manager"), Options: []part.Option{all, {Value: expenditure.Nobody, Label: c.T("customers.manager.none")}}}
	for _, x := range o.choices.Customers {
		customers.Options = append(customers.Options, part.Option{Value: x.Code, Label: c.personal(x.Name).Text + " · " + x.Code})
	}
	for _, x := range o.choices.Managers {
		managers.Options = append(managers.Options, part.Option{Value: x.ID, Label: managerText(x, c.open)})
	}
	out := &part.Filter{Action: c.at(pathForecast), Reset: c.at(pathForecast), Fields: []part.FilterField{customers, managers}}
	if len(o.choices.Currencies) > 1 {
		currency := part.FilterField{Name: "currency", Label: c.T("dashboard.filter.currency"), Value: o.currency}
		for _, x := range o.choices.Currencies {
			currency.Options = append(currency.Options, part.Option{Value: x, Label: x})
		}
		out.Fields = append(out.Fields, currency)
	}
	return out
}

// forecastChart shows what past months came to beside what was estimated, and of the running month what is booked
// and, outlined, what may be added.
func forecastChart(c *Ctx, o *outlook) part.Chart {
	chart := part.Chart{ID: "outlook", Kind: part.ChartStacked, Title: c.T("forecast.chart"), Head: c.T("part.cycle.name"), Note: c.T("forecast.chart_note"), Wide: true, Series: []part.Series{{Name: c.T("forecast.booked")}, {Name: c.T("forecast.rest"), Guess: true}}}
	point := func(x money.Exact) part.Point {
		text := exactMoney(x, o.currency)
		return part.Point{Size: x.Decimal().InexactFloat64(), Text: text.Text, Full: text.Full}
	}
	add := func(at cycle.Cycle, booked, rest part.Point) {
		chart.Names, chart.Short = append(chart.Names, string(at)), append(chart.Short, string(at)[2:])
		chart.Series[0].Points, chart.Series[1].Points = append(chart.Series[0].Points, booked), append(chart.Series[1].Points, rest)
	}
	for _, t := range o.trials {
		add(t.Cycle, point(t.Actual), part.Point{Missing: true})
	}
	add(o.cycle, point(o.so), forecastRest(o))
	return chart
}

// forecastRest is what an estimate has beyond what is booked.
func forecastRest(o *outlook) part.Point {
	rest := o.estimate.Likely.Exact().Sub(o.so)
	return part.Point{Size: max(0, rest.Decimal().InexactFloat64()), Text: exactMoney(rest, o.currency).Text, Guess: true}
}

// readForecast lists what would have been estimated on the same day of each month before, the newest first.
func (h *Handlers) readForecast(c *Ctx) (*sheet, error) {
	o, err := h.outlookOf(c, forecastFilter(c))
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: []listColumn{{key: "cycle", title: c.T("part.cycle.name")}, {key: "day", title: c.T("forecast.col.day"), num: true}, {key: "low", title: c.T("forecast.col.low"), num: true}, {key: "likely", title: c.T("forecast.col.likely"), num: true},
		{key: "high", title: c.T("forecast.col.high"), num: true}, {key: "actual", title: c.T("forecast.col.actual"), num: true}, {key: "error", title: c.T("forecast.col.error"), num: true}, {key: "hit", title: c.T("forecast.col.hit")}},
		empty: part.Empty{Title: c.T("forecast.empty"), Text: c.T("forecast.empty_text", "Least", int64(forecast.Least))}}
	figure := func(x money.Exact) opsview.Cell {
		text := exactMoney(x, o.currency)
		return opsview.Cell{Text: text.Text, Full: text.Full, Raw: x.String()}
	}
	for _, t := range slices.Backward(o.trials) {
		e := &t.Estimate
		hit := opsview.Cell{Tag: &part.Tag{Text: c.T("forecast.missed"), Tone: part.Warn}}
		if t.Hit {
			hit.Tag = &part.Tag{Text: c.T("forecast.hit"), Tone: part.Good}
		}
		actual := figure(t.Actual)
		actual.Href = c.withQuery("/expenditure", "cycle", string(t.Cycle), "currency", o.currency, "customer", c.QueryParam("customer"), "manager", c.QueryParam("manager"))
		s.add(sheetRow{key: string(t.Cycle), mark: marks(e.Low.String(), e.Likely.String(), e.High.String(), t.Actual.String()), cells: []opsview.Cell{{Text: string(t.Cycle)}, countCell(int64(e.Day)),
			figure(e.Low.Exact()), figure(e.Likely.Exact()), figure(e.High.Exact()), actual, {Text: growth(e.Likely.Exact(), t.Actual)}, hit}})
	}
	return s, nil
}
