package portal

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"

	"huoban/internal/anomaly"
	"huoban/internal/cycle"
	"huoban/internal/expenditure"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/money"
	"huoban/internal/scope"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

const pathAnomalies = pathDashboard + "/anomalies"

// anomalyDays are as many days as must be judged before the running month is looked at without a choice.
const anomalyDays = 3

// anomalyRoutes are the marks of what is unusual on 消费看板, and what is said of them.
func anomalyRoutes() []Route {
	items := []scope.Item{scope.ItemExpenditureView}
	return []Route{
		{Method: get, Path: "/o/:org" + pathAnomalies, Name: "dashboards.anomalies", Sides: partners, Items: items, Title: "anomaly.title", Do: (*Handlers).anomalies},
		{Method: post, Path: "/o/:org" + pathAnomalies, Name: "dashboards.anomalies.explain", Sides: partners, Items: []scope.Item{scope.ItemExpenditureView, scope.ItemExpenditureCustomers},
			Query: []string{"customer"}, Do: (*Handlers).explainAnomaly},
	}
}

// anomalyReport is what is unusual in the cycle the address names; without one, in the running one once it is old
// enough to be judged.
func (h *Handlers) anomalyReport(c *Ctx) (*anomaly.Report, error) {
	now := h.Clock.Now()
	running := cycle.Of(now, cycle.Zone)
	at, currency := running, c.param("currency")
	if text := c.param("cycle"); text != "" {
		var err error
		if at, err = cycle.Parse(text); err != nil {
			return nil, notFound()
		}
		if err := expenditure.CheckCycle(at, now); err != nil {
			return nil, err
		}
		return h.Anomalies.List(c.ctx(), c.Scope, at, currency)
	}
	r, err := h.Anomalies.List(c.ctx(), c.Scope, at, currency)
	if err == nil && r.Ready && r.Days < anomalyDays {
		r, err = h.Anomalies.List(c.ctx(), c.Scope, at.Prev(), currency)
	}
	return r, err
}

func (h *Handlers) anomalies(c *Ctx) error {
	if kind := c.QueryParam("kind"); kind != "" && !anomaly.Known(anomaly.Kind(kind)) || !slices.Contains([]string{"", "open", "explained"}, c.QueryParam("state")) {
		return notFound()
	}
	r, err := h.anomalyReport(c)
	if err != nil {
		return err
	}
	title := c.T("anomaly.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("dashboard.title"), Href: c.at(pathDashboard)}, part.Link{Text: title})},
		Flash: c.done(), Pages: dashboardPages(c, "anomalies"), Notes: []string{c.T("anomaly.note", "Before", int64(anomaly.Before), "Sigmas", int64(anomaly.Sigmas), "Least", int64(anomaly.Least), "NewLeast", int64(anomaly.NewLeast))}}
	switch {
	case !r.Ready:
		p.Notes = append([]string{c.T("anomaly.preparing")}, p.Notes...)
	case r.Days > 0 && r.Cycle == cycle.Of(h.Clock.Now(), cycle.Zone):
		p.Notes = append([]string{c.T("anomaly.judged", "Cycle", string(r.Cycle), "Days", int64(r.Days))}, p.Notes...)
	}
	p.Filter = h.anomalyFilter(c, r)
	if _, err := h.board(c, &p, "dashboard.anomalies"); err != nil {
		return err
	}
	return c.page(http.StatusOK, p.Page())
}

func (h *Handlers) anomalyFilter(c *Ctx, r *anomaly.Report) *part.Filter {
	any := part.Option{Label: c.T("ops.filter.any")}
	kind := part.FilterField{Name: "kind", Label: c.T("anomaly.kind"), Value: c.QueryParam("kind"), Options: []part.Option{any}}
	for _, k := range anomaly.Kinds {
		kind.Options = append(kind.Options, part.Option{Value: string(k), Label: c.T(k.Label())})
	}
	state := part.FilterField{Name: "state", Label: c.T("anomaly.state"), Value: c.QueryParam("state"), Options: []part.Option{any, {Value: "open", Label: c.T("anomaly.open")}, {Value: "explained", Label: c.T("anomaly.explained")}}}
	out := &part.Filter{Action: c.at(pathAnomalies), Reset: c.at(pathAnomalies), Fields: []part.FilterField{{Name: "cycle", Label: c.T("part.cycle.name"), Value: string(r.Cycle), Options: h.monthOptions()}, kind, state}}
	if len(r.Choices.Currencies) > 1 {
		currency := part.FilterField{Name: "currency", Label: c.T("dashboard.filter.currency"), Value: r.Currency, More: true}
		for _, x := range r.Choices.Currencies {
			currency.Options = append(currency.Options, part.Option{Value: x, Label: x})
		}
		out.Fields = append(out.Fields, currency)
	}
	return out
}

// readAnomalies lists the marks, what nobody explained first.
func (h *Handlers) readAnomalies(c *Ctx) (*sheet, error) {
	r, err := h.anomalyReport(c)
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: []listColumn{customerColumn(c), {key: "manager", title: c.T("customers.col.manager"), personal: true}, {key: "kind", title: c.T("anomaly.kind")}, {key: "what", title: c.T("anomaly.what")},
		{key: "amount", title: c.T("anomaly.amount"), num: true}, {key: "change", title: c.T("anomaly.change"), num: true}, {key: "state", title: c.T("anomaly.state"), note: c.T("anomaly.by")}},
		empty: part.Empty{Title: c.T("anomaly.none"), Text: c.T("anomaly.none_text")}}
	for i := range r.Found {
		f := &r.Found[i]
		if kind := c.QueryParam("kind"); kind != "" && string(f.Kind) != kind {
			continue
		}
		if state := c.QueryParam("state"); state == "open" && f.Note != nil || state == "explained" && f.Note == nil {
			continue
		}
		s.add(anomalyRow(c, r, f))
	}
	s.narrowed("", string(r.Cycle))
	if k := c.QueryParam("kind"); k != "" {
		s.narrowed("kind", c.T(anomaly.Kind(k).Label()))
	}
	if k := c.QueryParam("state"); k != "" {
		s.narrowed("state", c.T("anomaly."+k))
	}
	return s, nil
}

func anomalyRow(c *Ctx, r *anomaly.Report, f *anomaly.Found) sheetRow {
	name := c.personal(f.Customer.Name)
	name.Note = f.Customer.Code
	lines := []string{"cycle", string(r.Cycle), "currency", r.Currency, "customer", f.Customer.Code, "zero", "all"}
	change := opsview.Cell{Text: i18n.Nothing}
	amount := exactMoney(f.Amount, r.Currency)
	figure := opsview.Cell{Text: amount.Text, Full: amount.Full, Raw: f.Amount.String()}
	switch f.Kind {
	case anomaly.KindNew:
		lines = append(lines, "product", f.Subject)
	case anomaly.KindMissing:
		figure = opsview.Cell{Text: i18n.Nothing}
	case anomaly.KindSurge:
		diff := f.Amount.Sub(f.Last)
		change = opsview.Cell{Text: signed(diff, r.Currency).Text, Note: growth(f.Amount, f.Last), Full: i18n.ExactMoney(diff, r.Currency), Raw: diff.String()}
	}
	if f.Kind != anomaly.KindMissing {
		figure.Href = c.withQuery("/expenditure/lines", lines...)
	}
	state := opsview.Cell{Tag: &part.Tag{Text: c.T("anomaly.open"), Tone: part.Warn}}
	if f.Note != nil {
		state = opsview.Cell{Text: f.Note.Text, Note: c.T("anomaly.said", "Who", managerText(f.Note.Person, c.open), "At", i18n.DateTime(f.Note.At))}
	} else if c.Scope.Has(scope.ItemExpenditureCustomers) {
		state.Buttons = []part.Button{explainButton(c, r, f)}
	}
	key := fmt.Sprintf("%s\x00%s\x00%s", f.Customer.Code, f.Kind, f.Subject)
	return sheetRow{key: key, about: f.Customer.Code, mark: marks(f.Amount.String(), f.Last.String(), state.Text), cells: []opsview.Cell{name, {Text: managerText(f.Manager, c.open), Masked: !c.open && f.Manager.ID != ""},
		{Tag: &part.Tag{Text: c.T(f.Kind.Label())}}, {Text: anomalyText(c, r, f)}, figure, change, state}}
}

// anomalyText says with figures why there is a mark.
func anomalyText(c *Ctx, r *anomaly.Report, f *anomaly.Found) string {
	round := func(x float64) string { return i18n.Money(amountOf(x), r.Currency) }
	switch f.Kind {
	case anomaly.KindNew:
		return c.T("anomaly.text.new", "Product", productText(c, f.Subject), "Before", int64(anomaly.Before))
	case anomaly.KindMissing:
		return c.T("anomaly.text.missing", "From", int64(f.From), "To", int64(f.To), "Cycle", string(r.Cycle))
	}
	var parts []string
	if f.ByRise {
		parts = append(parts, c.T("anomaly.text.rise", "Last", exactMoney(f.Last, r.Currency).Text, "Percent", growth(f.Amount, f.Last)))
	}
	if f.BySigma {
		parts = append(parts, c.T("anomaly.text.sigma", "Mean", round(f.Mean), "Sigma", round(f.Sigma), "Bound", round(f.Mean+anomaly.Sigmas*f.Sigma)))
	}
	return join(parts, c.T("portal.list.comma"))
}

// amountOf is a computed figure to two decimals.
func amountOf(x float64) money.Amount { return money.Amount(math.Round(x*100)) * 1_000_000 }

func explainButton(c *Ctx, r *anomaly.Report, f *anomaly.Found) part.Button {
	hidden := append(fresh(), part.Hidden{Name: "cycle", Value: string(r.Cycle)}, part.Hidden{Name: "currency", Value: r.Currency}, part.Hidden{Name: "kind", Value: string(f.Kind)},
		part.Hidden{Name: "subject", Value: f.Subject}, part.Hidden{Name: "customer", Value: f.Customer.Code}, part.Hidden{Name: "next", Value: lists["dashboard.anomalies"].link(c)})
	id := fmt.Sprintf("explain-%s-%s-%x", f.Customer.Code, f.Kind, f.Subject)
	return part.Button{ID: id, Text: c.T("anomaly.explain"), Action: c.at(pathAnomalies), Hidden: hidden, Dialog: &part.Dialog{Title: c.T("anomaly.explain_ask", "Customer", c.personal(f.Customer.Name).Text),
		Points: []string{anomalyText(c, r, f), c.T("anomaly.explain_point")}, Confirm: c.T("anomaly.explain"),
		Fields: []part.Field{{Name: "text", Label: c.T("anomaly.text"), Type: "textarea", Required: true, MaxLength: anomaly.MaxNote}}}}
}

// explainAnomaly keeps what is said of a mark. Faults: those of anomaly.Explain.
func (h *Handlers) explainAnomaly(c *Ctx) error {
	if err := c.readForm(); err != nil {
		return err
	}
	at, err := cycle.Parse(c.param("cycle"))
	if err != nil {
		return notFound()
	}
	n := anomaly.Note{Cycle: at, Currency: c.param("currency"), Kind: anomaly.Kind(c.param("kind")), Subject: c.param("subject"), Text: c.param("text")}
	r, err := h.anomalyReport(c)
	if err != nil {
		return err
	}
	for i := range r.Found {
		if r.Found[i].Customer.Code == c.param("customer") {
			n.CustomerID = r.Found[i].Customer.ID
		}
	}
	if n.CustomerID == "" {
		return fault.NotFound("anomaly.unknown", nil)
	}
	next := c.param("next")
	if next == "" {
		next = c.at(pathAnomalies)
	}
	return h.once(c, func(ctx context.Context) (answer, error) {
		return answer{Location: withDone(next, "anomaly_explained"), Body: map[string]any{"cycle": string(n.Cycle), "customer": c.param("customer"), "kind": string(n.Kind), "subject": n.Subject}},
			h.Anomalies.Explain(ctx, c.Scope, n)
	})
}

// anomalyDuties is one row for all that nobody explained.
func (h *Handlers) anomalyDuties(c *Ctx) ([]duty, error) {
	if !c.Scope.Has(scope.ItemExpenditureView, scope.ItemExpenditureCustomers) {
		return nil, nil
	}
	r, err := h.anomalyReport(c)
	if err != nil || r.Open() == 0 {
		return nil, err
	}
	return []duty{{kind: dutyAnomaly, title: c.T("work.anomaly", "Cycle", string(r.Cycle), "Count", int64(r.Open())), text: c.T("work.anomaly_text"),
		cure: part.Link{Text: c.T("work.anomaly_cure"), Href: c.withQuery(pathAnomalies, "cycle", string(r.Cycle), "state", "open")}}}, nil
}
