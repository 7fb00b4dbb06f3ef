package portal

import (
	"net/http"
	"strings"
	"time"

	"huoban/internal/attribution"
	"huoban/internal/price"
	"huoban/internal/scope"
	"huoban/internal/source"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

// unmappedMost bounds how many keys without a customer are listed by cycle.
const unmappedMost = 10_000

// mapping lists the rules in force of one source, and above them the keys nobody has yet.
func (h *Handlers) mapping(c *Ctx) error {
	name, _, all, err := h.mappedSource(c)
	if err != nil {
		return err
	}
	title := c.T("backoffice.map.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title})}, Flash: c.done()}
	c.ruled(&p.Header, &p.Rules)
	if len(all) == 0 {
		if name != "" {
			return notFound()
		}
		p.Grids = []opsview.Grid{{ID: "rules", Title: title, Empty: &part.Empty{Title: c.T("backoffice.sources.empty"), Text: c.T("backoffice.sources.empty_text")}}}
		return c.page(http.StatusOK, p.Page())
	}
	if c.Scope.Has(scope.ItemMapChange) {
		p.Header.Buttons = []part.Link{{Text: c.T("ops.map.title"), Href: c.at("/mapping/new")}}
	}
	p.Filter = mappingFilter(c, all, name, strings.TrimSpace(c.QueryParam("q")))
	rules, err := h.titled(c, "mapping", "rules", c.T("backoffice.map.rules"))
	if err != nil {
		return err
	}
	unmapped, err := h.titled(c, "mapping.unmapped", "unmapped", c.T("backoffice.map.unmapped"))
	if err != nil {
		return err
	}
	p.Grids = []opsview.Grid{unmapped, rules}
	return c.page(http.StatusOK, p.Page())
}

func mappingFilter(c *Ctx, list []source.Source, name, q string) *part.Filter {
	choice := part.FilterField{Name: "source", Label: c.T("opsview.col.source"), Value: name}
	for i := range list {
		choice.Options = append(choice.Options, part.Option{Value: list[i].Name, Label: list[i].Name})
	}
	return &part.Filter{Action: c.at("/mapping"), Reset: c.at("/mapping"), Fields: []part.FilterField{choice, {Name: "q", Label: c.T("backoffice.map.search"), Value: q}}}
}

// ruleAt is the place of a rule in the list: rules are ordered by key and, under one key, by time.
func ruleAt(r *attribution.Rule) string {
	return r.Key + "\x00" + string(r.Kind) + "\x00" + r.From.UTC().Format(time.RFC3339) + "\x00" + r.ID
}

// validText is a half-open span of days.
func validText(c *Ctx, from, to price.Date, always, forever bool) string {
	switch {
	case always && forever:
		return c.T("backoffice.valid.always")
	case always:
		return c.T("backoffice.valid.until", "To", string(to))
	case forever:
		return c.T("backoffice.valid.since", "From", string(from))
	}
	return c.T("backoffice.valid.between", "From", string(from), "To", string(to))
}
