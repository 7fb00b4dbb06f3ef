package portal

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strings"

	"huoban/internal/bill"
	"huoban/internal/fault"
	"huoban/internal/organisation"
	"huoban/internal/price"
	"huoban/internal/scope"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

var priceTypes = []price.Type{price.TypeNormal, price.TypePromotion, price.TypeNoDiscount, price.TypeSpecial}

// priceRoutes are the vendor's settlement prices: the rules, a price file, and what drafts would change.
func priceRoutes() []Route {
	row := func(method, path, name string, item scope.Item, title string, do func(*Handlers, *Ctx) error) Route {
		return Route{Method: method, Path: "/o/:org/prices" + path, Name: name, Sides: vendors, Items: []scope.Item{item}, Title: title, Do: do}
	}
	out := []Route{
		row(get, "", "prices", scope.ItemPriceView, "backoffice.prices.title", (*Handlers).prices),
		row(get, "/new", "prices.new", scope.ItemPriceChange, "backoffice.prices.import", (*Handlers).pricePage).noList("form"),
		row(post, "", "prices.import", scope.ItemPriceChange, "", (*Handlers).priceFile),
		row(get, "/simulation", "prices.simulation", scope.ItemPriceSimulate, "backoffice.simulation.title", (*Handlers).simulation),
		row(post, "/drafts/activation", "prices.activate", scope.ItemPriceChange, "", (*Handlers).activatePrices),
		row(post, "/drafts/discarding", "prices.discard", scope.ItemPriceChange, "", (*Handlers).discardPrices),
	}
	out[0].Query = []string{"rule"}
	return out
}

// prices lists the rules in force; with a rule's number also every version of it.
func (h *Handlers) prices(c *Ctx) error {
	q, kind := strings.TrimSpace(c.QueryParam("q")), price.Type(c.QueryParam("type"))
	drafts, err := h.Prices.Drafts(c.ctx(), c.Scope, c.Org.ID)
	if err != nil {
		return err
	}
	title := c.T("backoffice.prices.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title}), Buttons: priceButtons(c)}, Flash: c.done(), Filter: priceFilter(c, q, kind)}
	c.ruled(&p.Header, &p.Rules)
	if len(drafts) > 0 {
		p.Notes = []string{c.T("backoffice.prices.drafts_wait", "Count", int64(len(drafts)))}
	}
	if number := c.QueryParam("rule"); number != "" {
		g, err := h.titled(c, "prices.history", "history", c.T("backoffice.prices.history", "Number", number))
		if err != nil {
			return err
		}
		p.Grids = append(p.Grids, g)
	}
	rules, err := h.titled(c, "prices", "rules", c.T("backoffice.prices.rules"))
	if err != nil {
		return err
	}
	p.Grids = append(p.Grids, rules)
	return c.page(http.StatusOK, p.Page())
}

func priceButtons(c *Ctx) (out []part.Link) {
	if c.Scope.Has(scope.ItemPriceChange) {
		out = append(out, part.Link{Text: c.T("backoffice.prices.import"), Href: c.at("/prices/new")})
	}
	if c.Scope.Has(scope.ItemPriceSimulate) {
		out = append(out, part.Link{Text: c.T("backoffice.simulation.title"), Href: c.at("/prices/simulation")})
	}
	return out
}

func priceFilter(c *Ctx, q string, kind price.Type) *part.Filter {
	choice := part.FilterField{Name: "type", Label: c.T("bill.column.rule_type"), Value: string(kind), Options: []part.Option{{Label: c.T("ops.filter.any")}}}
	for _, t := range priceTypes {
		choice.Options = append(choice.Options, part.Option{Value: string(t), Label: c.T("bill.rule_type." + string(t))})
	}
	return &part.Filter{Action: c.at("/prices"), Reset: c.at("/prices"), Fields: []part.FilterField{{Name: "q", Label: c.T("backoffice.prices.search"), Value: q}, choice}}
}

// dimsText names what a rule is limited to beside partner and customer.
func dimsText(c *Ctx, r *price.Rule) string {
	var out []string
	for _, text := range []string{r.Provider, r.Product, r.Region} {
		if text != "" {
			out = append(out, text)
		}
	}
	if r.Mode != "" {
		out = append(out, modeText(c, r.Mode))
	}
	if len(out) == 0 {
		return c.T("backoffice.prices.any")
	}
	return strings.Join(out, " · ")
}

func priceLine(c *Ctx, r *price.Rule, orgs map[string]organisation.Organisation) string {
	text := []string{bill.RuleName(r.Number, r.Version), dimsText(c, r), r.Factor.String()}
	for _, id := range []string{r.PartnerID, r.CustomerID} {
		text = append(text, orgs[id].Name, orgs[id].Code)
	}
	return strings.Join(text, "\n")
}

func (h *Handlers) pricePage(c *Ctx) error {
	return h.priceForm(c, http.StatusOK, uploadForm{}, nil)
}

func (h *Handlers) priceForm(c *Ctx, status int, in uploadForm, refused *fault.Error) error {
	title := c.T("backoffice.prices.import")
	p := opsview.Upload{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("backoffice.prices.title"), Href: c.at("/prices")}, part.Link{Text: title})},
		Action: c.at("/prices"), Refusal: refusalOf(c, refused), Submit: title,
		Notes: []string{c.T("backoffice.prices.note_columns", "Columns", strings.Join(price.Columns, ", ")), c.T("backoffice.prices.note_whole"), c.T("backoffice.prices.note_draft")},
		Fields: []part.Field{{Name: "file", Label: c.T("backoffice.prices.file"), Type: "file", Accept: ".csv", Required: true},
			{Name: "draft", Label: c.T("backoffice.prices.as_draft"), Type: "checkbox", Value: in.draft},
			{Name: "dry_run", Label: c.T("ops.upload.dry"), Type: "checkbox", Value: in.dryRun}}}
	return c.page(status, p.Page())
}

// priceFile takes in a price file; the same file again changes nothing, so that no key is needed.
func (h *Handlers) priceFile(c *Ctx) error {
	form, path, done, err := h.oneFile(c)
	defer done()
	var res price.ImportResult
	if err == nil {
		res, err = h.importPrices(c, path, form)
	}
	if err != nil {
		if f := faultOf(err); f.Kind == fault.KindNotFound && !wantsJSON(c.Request()) { // the file names what is not there; the address itself is
			return h.priceForm(c, http.StatusUnprocessableEntity, form, f)
		}
		return c.refuse(err, func(status int, f *fault.Error) error { return h.priceForm(c, status, form, f) })
	}
	switch {
	case wantsJSON(c.Request()):
		return c.JSON(http.StatusOK, map[string]any{"dry_run": res.DryRun, "rules_added": res.Added, "rules_changed": res.Changed, "rules_same": res.Same})
	case form.dry():
		return h.priceDryRun(c, &res)
	case ticked(form.draft):
		return c.seeOther(c.at("/prices/simulation?done=prices_drafted"))
	}
	return c.seeOther(c.at("/prices?done=prices_imported"))
}

func (h *Handlers) importPrices(c *Ctx, path string, form uploadForm) (res price.ImportResult, err error) {
	f, err := os.Open(path)
	if err != nil {
		return res, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return h.Prices.Import(c.ctx(), c.Scope, price.ImportInput{VendorID: c.Org.ID, File: f, DryRun: form.dry(), Draft: ticked(form.draft)})
}

// priceDryRun shows what a price file would do; nothing of it was kept.
func (h *Handlers) priceDryRun(c *Ctx, res *price.ImportResult) error {
	title := c.T("ops.dry.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("backoffice.prices.title"), Href: c.at("/prices")}, part.Link{Text: title}),
		Buttons: []part.Link{{Text: c.T("backoffice.prices.import"), Href: c.at("/prices/new")}}}, Flash: &part.Flash{Tone: part.Good, Text: c.T("ops.dry.text")},
		Notes: []string{c.T("backoffice.prices.effect", "Added", res.Added, "Changed", res.Changed, "Same", res.Same)}}
	s, err := h.priceSheet(c, res.Rules, false)
	if err != nil {
		return err
	}
	p.Grids = []opsview.Grid{s.whole("rules", c.T("backoffice.prices.written"), part.Empty{Title: c.T("backoffice.prices.nothing"), Text: c.T("backoffice.prices.nothing_text")})}
	return c.page(http.StatusOK, p.Page())
}

func (h *Handlers) activatePrices(c *Ctx) error {
	return h.settleDrafts(c, "/prices?done=prices_activated", "activated", h.Prices.Activate)
}

func (h *Handlers) discardPrices(c *Ctx) error {
	return h.settleDrafts(c, "/prices?done=prices_discarded", "discarded", h.Prices.Discard)
}

func (h *Handlers) settleDrafts(c *Ctx, to, name string, do func(context.Context, scope.Scope, string) (int, error)) error {
	err := h.once(c, func(ctx context.Context) (answer, error) {
		n, err := do(ctx, c.Scope, c.Org.ID)
		return answer{Location: c.at(to), Body: map[string]int{name: n}}, err
	})
	if err == nil {
		return nil
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.simulationPage(c, status, f) })
}
