package portal

import (
	"net/http"

	"huoban/internal/cycle"
	"huoban/internal/delivery"
	"huoban/internal/i18n"
	"huoban/internal/scope"
	"huoban/internal/source"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

// sourceRoutes show where files come from and how far every month is.
func sourceRoutes() []Route {
	return []Route{
		{Method: get, Path: "/o/:org/sources", Name: "sources", Sides: vendors, Items: []scope.Item{scope.ItemSourceView}, Title: "backoffice.sources.title", Do: (*Handlers).sources},
		{Method: get, Path: "/o/:org/sources/new", Name: "sources.new", Sides: vendors, Items: []scope.Item{scope.ItemSourceChange}, Title: "backoffice.source.title", Do: (*Handlers).sourcePage},
		{Method: post, Path: "/o/:org/sources", Name: "sources.add", Sides: vendors, Query: []string{"default", "loose", "entity"}, Items: []scope.Item{scope.ItemSourceChange}, Do: (*Handlers).addSource},
	}
}

// sources lists a vendor's sources, and below what each has delivered by cycle.
func (h *Handlers) sources(c *Ctx) error {
	list, err := h.Sources.List(c.ctx(), c.Scope)
	if err != nil {
		return err
	}
	last := map[string]*delivery.Delivery{}
	var periods []delivery.Period
	if c.Scope.Has(scope.ItemDeliveryView) {
		for i := range list {
			newest, err := h.Deliveries.List(c.ctx(), c.Scope, list[i].Name, 1)
			if err != nil {
				return err
			}
			if len(newest) > 0 {
				last[list[i].Name] = &newest[0]
			}
			of, err := h.Deliveries.Periods(c.ctx(), c.Scope, list[i].ID, "")
			if err != nil {
				return err
			}
			periods = append(periods, of...)
		}
	}
	title := c.T("backoffice.sources.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title})}}
	p.Flash = c.done()
	if c.Scope.Has(scope.ItemDeliveryImport) && len(list) > 0 {
		p.Header.Buttons = []part.Link{{Text: c.T("ops.upload.title"), Href: c.at("/deliveries/new")}}
	}
	if c.Scope.Has(scope.ItemSourceChange) {
		p.Header.Buttons = append(p.Header.Buttons, part.Link{Text: c.T("backoffice.source.title"), Href: c.at("/sources/new")})
	}
	p.Grids = []opsview.Grid{sourceGrid(c, list, last)}
	if len(list) > 0 && c.Scope.Has(scope.ItemDeliveryView) {
		p.Grids = append(p.Grids, periodGrid(c, periods))
	}
	return c.page(http.StatusOK, p.Page())
}

func sourceGrid(c *Ctx, list []source.Source, last map[string]*delivery.Delivery) opsview.Grid {
	g := opsview.Grid{ID: "sources", Title: c.T("backoffice.sources.title"), Tool: &part.Tool{Count: c.T("backoffice.sources.count", "Count", int64(len(list))), Refresh: c.at("/sources")},
		Heads: []opsview.Head{{Text: c.T("opsview.col.source")}, {Text: c.T("backoffice.sources.reading")}, {Text: c.T("backoffice.sources.key")},
			{Text: c.T("backoffice.sources.default")}, {Text: c.T("backoffice.sources.span")}, {Text: c.T("backoffice.sources.last")}},
		Empty: &part.Empty{Title: c.T("backoffice.sources.empty"), Text: c.T("backoffice.sources.empty_text")}}
	for i := range list {
		s := &list[i]
		fallback := s.DefaultOrg
		if fallback == "" {
			fallback = c.T("ops.customer.unmapped")
		}
		row := []opsview.Cell{{Text: s.Name, Mono: true},
			{Text: s.Dialect, Note: c.T("ops.mode."+string(s.Mode)) + c.T("portal.list.comma") + s.Zone},
			{Text: s.KeyColumn, Mono: true}, {Text: fallback, Note: c.T("backoffice.loose." + string(s.Loose))}, {Text: spanText(c, s)}, {}}
		if d := last[s.Name]; d != nil {
			row[5] = opsview.Cell{Text: deliveryName(d), Href: c.deliveryLink(d, ""), Mono: true, Note: i18n.DateTime(d.ReceivedAt)}
		}
		g.Rows = append(g.Rows, row)
	}
	return g
}

// spanText is from when and until when deliveries are expected.
func spanText(c *Ctx, s *source.Source) string {
	from := s.From
	if from == "" {
		from = s.FirstDelivered
	}
	switch {
	case from == "" && s.Until == "":
		return ""
	case s.Until == "":
		return c.T("backoffice.sources.since", "From", string(from))
	}
	return c.T("backoffice.sources.between", "From", string(from), "Until", string(s.Until))
}

func periodGrid(c *Ctx, periods []delivery.Period) opsview.Grid {
	g := opsview.Grid{ID: "periods", Title: c.T("backoffice.periods.title"), Tool: &part.Tool{Count: c.T("backoffice.periods.count", "Count", int64(len(periods)))},
		Heads: []opsview.Head{{Text: c.T("opsview.col.cycles")}, {Text: c.T("opsview.col.source")}, {Text: c.T("backoffice.periods.final")}, {Text: c.T("backoffice.periods.missing")}},
		Empty: &part.Empty{Title: c.T("ops.deliveries.empty"), Text: c.T("ops.deliveries.empty_text")}}
	for i := len(periods) - 1; i >= 0; i-- {
		x := &periods[i]
		state := part.Status{Text: c.T("backoffice.periods.not_final"), Tone: part.Warn}
		note := ""
		if x.Final {
			state = part.Status{Text: c.T("backoffice.periods.is_final"), Tone: part.Good}
			if x.FinalAt != nil {
				note = i18n.DateTime(*x.FinalAt)
			}
			if x.FinalBy != "" {
				note += " " + x.FinalBy
			}
		}
		missing := opsview.Cell{}
		if n := len(x.DaysWithout); n > 0 {
			missing.Text = c.T("backoffice.periods.days", "Count", int64(n))
		}
		g.Rows = append(g.Rows, []opsview.Cell{{Text: string(x.Cycle), Href: cycleHref(c, x.Cycle)}, {Text: x.Source, Href: c.withQuery("/deliveries", "source", x.Source)},
			{Status: &state, Note: note}, missing})
	}
	return g
}

// cycleHref leads to the close of a cycle for those who may see it.
func cycleHref(c *Ctx, cy cycle.Cycle) string {
	if !c.Scope.Has(scope.ItemCloseView) {
		return ""
	}
	return c.at("/closes/" + string(cy))
}
