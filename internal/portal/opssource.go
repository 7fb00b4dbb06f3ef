package portal

import (
	"net/http"

	"huoban/internal/cycle"
	"huoban/internal/scope"
	"huoban/internal/source"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

// sourceRoutes show where files come from and how far every month is.
func sourceRoutes() []Route {
	return []Route{
		{Method: get, Path: "/o/:org/sources", Name: "sources", Sides: vendors, Items: []scope.Item{scope.ItemSourceView}, Title: "backoffice.sources.title", Do: (*Handlers).sources},
		{Method: get, Path: "/o/:org/sources/new", Name: "sources.new", Sides: vendors, Items: []scope.Item{scope.ItemSourceChange}, Title: "backoffice.source.title", NoList: "form", Do: (*Handlers).sourcePage},
		{Method: post, Path: "/o/:org/sources", Name: "sources.add", Sides: vendors, Query: []string{"default", "loose", "entity"}, Items: []scope.Item{scope.ItemSourceChange}, Do: (*Handlers).addSource},
	}
}

// sources lists a vendor's sources, and below what each has delivered by cycle.
func (h *Handlers) sources(c *Ctx) error {
	list, err := h.Sources.List(c.ctx(), c.Scope)
	if err != nil {
		return err
	}
	title := c.T("backoffice.sources.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title})}}
	c.ruled(&p.Header, &p.Rules)
	p.Flash = c.done()
	if c.Scope.Has(scope.ItemDeliveryImport) && len(list) > 0 {
		p.Header.Buttons = []part.Link{{Text: c.T("ops.upload.title"), Href: c.at("/deliveries/new")}}
	}
	if c.Scope.Has(scope.ItemSourceChange) {
		p.Header.Buttons = append(p.Header.Buttons, part.Link{Text: c.T("backoffice.source.title"), Href: c.at("/sources/new")})
	}
	g, err := h.titled(c, "sources", "sources", title)
	if err != nil {
		return err
	}
	p.Grids = []opsview.Grid{g}
	if len(list) > 0 && c.Scope.Has(scope.ItemDeliveryView) {
		g, err := h.titled(c, "sources.periods", "periods", c.T("backoffice.periods.title"))
		if err != nil {
			return err
		}
		p.Grids = append(p.Grids, g)
	}
	return c.page(http.StatusOK, p.Page())
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

// cycleHref leads to the close of a cycle for those who may see it.
func cycleHref(c *Ctx, cy cycle.Cycle) string {
	if !c.Scope.Has(scope.ItemCloseView) {
		return ""
	}
	return c.at("/closes/" + string(cy))
}
