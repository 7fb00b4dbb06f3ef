package portal

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"

	"huoban/internal/attribution"
	"huoban/internal/i18n"
	"huoban/internal/monthclose"
	"huoban/internal/organisation"
	"huoban/internal/price"
	"huoban/internal/scope"
	"huoban/internal/source"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

const (
	rulesPage     = 50
	unmappedShown = 20
)

// mapping lists the rules in force of one source, and above them the keys nobody has yet.
func (h *Handlers) mapping(c *Ctx) error {
	name, q := c.QueryParam("source"), strings.TrimSpace(c.QueryParam("q"))
	list, err := h.Sources.OfVendor(c.ctx(), c.Org.ID)
	if err != nil {
		return err
	}
	if name == "" && len(list) > 0 {
		name = list[0].Name
	}
	title := c.T("backoffice.map.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title})}, Flash: c.done()}
	if len(list) == 0 {
		if name != "" {
			return notFound()
		}
		p.Grids = []opsview.Grid{{ID: "rules", Title: title, Empty: &part.Empty{Title: c.T("backoffice.sources.empty"), Text: c.T("backoffice.sources.empty_text")}}}
		return c.page(http.StatusOK, p.Page())
	}
	rules, err := h.Attribution.Rules(c.ctx(), c.Scope, name)
	if err != nil {
		return err
	}
	orgs, err := h.Deliveries.Store.Orgs(c.ctx())
	if err != nil {
		return err
	}
	if c.Scope.Has(scope.ItemMapChange) {
		p.Header.Buttons = []part.Link{{Text: c.T("ops.map.title"), Href: c.at("/mapping/new")}}
	}
	p.Filter = mappingFilter(c, list, name, q)
	unmapped, err := h.unmappedGrid(c, name)
	if err != nil {
		return err
	}
	zone := time.UTC
	if i := slices.IndexFunc(list, func(s source.Source) bool { return s.Name == name }); i >= 0 {
		zone = list[i].Location() // the days of a map file are the source's
	}
	grid, err := ruleGrid(c, rules, orgs, zone, name, q)
	if err != nil {
		return err
	}
	p.Grids = []opsview.Grid{unmapped, grid}
	return c.page(http.StatusOK, p.Page())
}

func mappingFilter(c *Ctx, list []source.Source, name, q string) *part.Filter {
	choice := part.FilterField{Name: "source", Label: c.T("opsview.col.source"), Value: name}
	for i := range list {
		choice.Options = append(choice.Options, part.Option{Value: list[i].Name, Label: list[i].Name})
	}
	return &part.Filter{Action: c.at("/mapping"), Reset: c.at("/mapping"), Fields: []part.FilterField{choice, {Name: "q", Label: c.T("backoffice.map.search"), Value: q}}}
}

// unmappedGrid sums by key what no rule of the source claims, in every cycle not yet issued.
func (h *Handlers) unmappedGrid(c *Ctx, name string) (opsview.Grid, error) {
	g := opsview.Grid{ID: "unmapped", Title: c.T("backoffice.map.unmapped"),
		Heads: []opsview.Head{{Text: c.T("backoffice.map.key")}, {Text: c.T("opsview.col.cycles")}, {Text: c.T("opsview.col.rows"), Num: true}, {Text: c.T("opsview.col.sum"), Num: true}},
		Empty: &part.Empty{Title: c.T("backoffice.map.all_mapped"), Text: c.T("backoffice.map.all_mapped_text")}}
	known, err := h.knownCycles(c)
	if err != nil {
		return g, err
	}
	slices.SortFunc(known, func(a, b monthclose.Known) int { return strings.Compare(string(b.Cycle), string(a.Cycle)) })
	for _, k := range known {
		if k.State == monthclose.StateIssued {
			continue
		}
		sums, err := h.Attribution.Unmapped(c.ctx(), c.Org.ID, k.Cycle, unmappedShown)
		if err != nil {
			return g, err
		}
		for i := range sums {
			for _, key := range sums[i].Keys {
				if key.Source != name {
					continue
				}
				text := key.Key
				if text == "" {
					text = c.T("backoffice.map.no_key")
				}
				m := exactMoney(key.Billed, sums[i].Currency)
				g.Rows = append(g.Rows, []opsview.Cell{{Text: text, Mono: true, Note: key.Name}, {Text: string(k.Cycle), Href: cycleHref(c, k.Cycle)},
					{Text: i18n.Count(key.LineCount)}, {Text: m.Text, Full: m.Full}})
			}
		}
	}
	if len(g.Rows) > 0 {
		g.Tool = &part.Tool{Count: c.T("backoffice.map.unmapped_count", "Count", int64(len(g.Rows)))}
	}
	return g, nil
}

// ruleAt is the place of a rule in the list: rules are ordered by key and, under one key, by time.
func ruleAt(r *attribution.Rule) string {
	return r.Key + "\x00" + string(r.Kind) + "\x00" + r.From.UTC().Format(time.RFC3339) + "\x00" + r.ID
}

func ruleGrid(c *Ctx, rules []attribution.Rule, orgs map[string]organisation.Organisation, zone *time.Location, name, q string) (opsview.Grid, error) {
	after, err := base64.RawURLEncoding.DecodeString(c.QueryParam("after"))
	if err != nil {
		return opsview.Grid{}, notFound()
	}
	search := strings.ToLower(q)
	rules = slices.DeleteFunc(rules, func(r attribution.Rule) bool {
		o := orgs[r.OrgID]
		return !strings.Contains(strings.ToLower(r.Key+"\n"+o.Code+"\n"+o.Name), search)
	})
	slices.SortFunc(rules, func(a, b attribution.Rule) int { return strings.Compare(ruleAt(&a), ruleAt(&b)) })
	total := len(rules)
	first := 0
	for first < total && len(after) > 0 && ruleAt(&rules[first]) <= string(after) {
		first++
	}
	last := min(first+rulesPage, total)
	here := func(after string) string { return c.withQuery("/mapping", "source", name, "q", q, "after", after) }
	g := opsview.Grid{ID: "rules", Title: c.T("backoffice.map.rules"), Tool: &part.Tool{Count: c.T("backoffice.map.count", "Count", int64(total)), Refresh: here("")},
		Heads: []opsview.Head{{Text: c.T("backoffice.map.key")}, {Text: c.T("backoffice.map.customer")}, {Text: c.T("backoffice.valid")}, {Text: c.T("ops.fact.by")}},
		Empty: &part.Empty{Title: c.T("backoffice.map.empty"), Text: c.T("backoffice.map.empty_text")},
		Pager: &part.Pager{Range: c.T("backoffice.map.range", "First", first+1, "Last", last, "Count", int64(total))}}
	for i := first; i < last; i++ {
		r := &rules[i]
		o := orgs[r.OrgID]
		g.Rows = append(g.Rows, []opsview.Cell{{Text: r.Key, Mono: true}, {Text: o.Name, Note: o.Code},
			{Text: validText(c, price.DateOf(r.From, zone), price.DateOf(r.To, zone), r.From.IsZero(), r.To.IsZero())},
			{Text: r.CreatedBy, Note: i18n.DateTime(r.CreatedAt)}})
	}
	if first > 0 {
		g.Pager.First = here("")
	}
	if last < total {
		g.Pager.Next = here(base64.RawURLEncoding.EncodeToString([]byte(ruleAt(&rules[last-1]))))
	}
	return g, nil
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
