package portal

import (
	"context"
	"net/http"
	"strings"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/ingest"
	"huoban/internal/source"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

func (h *Handlers) sourcePage(c *Ctx) error { return h.sourceForm(c, http.StatusOK, nil) }

// sourceForm declares a source; what was typed stays, a link may fill it too.
func (h *Handlers) sourceForm(c *Ctx, status int, refused *fault.Error) error {
	entities, err := h.Orgs.Entities(c.ctx(), c.Org.ID)
	if err != nil {
		return err
	}
	own := part.Option{Label: c.T("backoffice.source.own")}
	dialect := part.Field{Name: "dialect", Label: c.T("backoffice.sources.reading"), Type: "select", Required: true, Value: c.FormValue("dialect"), Options: []part.Option{{}}}
	for _, d := range ingest.Dialects() {
		dialect.Options = append(dialect.Options, part.Option{Value: d.Name, Label: d.Name})
	}
	mode := part.Field{Name: "mode", Label: c.T("backoffice.source.mode"), Type: "select", Value: c.FormValue("mode"), Help: c.T("backoffice.source.mode_help"), Options: []part.Option{own,
		{Value: string(source.ModeSnapshot), Label: c.T("ops.mode.snapshot")}, {Value: string(source.ModeAppend), Label: c.T("ops.mode.append")}}}
	base := part.Field{Name: "base", Label: c.T("backoffice.source.base"), Type: "select", Value: c.FormValue("base"), Options: []part.Option{own}}
	for _, b := range []string{"billed", "contracted", "list"} {
		base.Options = append(base.Options, part.Option{Value: b, Label: c.T("backoffice.source.base." + b)})
	}
	entity := part.Field{Name: "entity", Label: c.T("bills.fact.entity"), Type: "select", Value: c.FormValue("entity"), Options: []part.Option{{Label: c.T("backoffice.source.no_entity")}}}
	for _, e := range entities {
		entity.Options = append(entity.Options, part.Option{Value: e.Code, Label: e.Name + " · " + e.Code})
	}
	text := func(name, key, hint string) part.Field {
		return part.Field{Name: name, Label: c.T("backoffice.source." + key), Value: c.FormValue(name), Hint: hint, Help: c.T("backoffice.source." + key + "_help")}
	}
	name := text("name", "name", "")
	name.Required, name.MaxLength = true, 63
	title := c.T("backoffice.source.title")
	p := opsview.Propose{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("backoffice.sources.title"), Href: c.at("/sources")}, part.Link{Text: title})},
		Action: c.at("/sources"), Submit: c.T("backoffice.source.submit"), Hidden: fresh(), Refusal: refusalOf(c, refused),
		Notes: []string{c.T("backoffice.source.note_fixed"), c.T("backoffice.source.note_next")},
		Fields: []part.Field{name, dialect, text("zone", "zone", "+08:00"), mode, base, text("key", "key", "tag:project"), text("providers", "providers", ""),
			text("accounts", "accounts", ""), text("currencies", "currencies", "CNY"), text("default", "default", ""), text("loose", "loose", "spread"), entity,
			text("from", "from", "2026-10"), text("until", "until", "")}}
	return c.page(status, p.Page())
}

// commaList reads words separated by commas, Chinese ones too.
func commaList(text string) []string {
	var out []string
	for _, w := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == '，' || r == '、' }) {
		if w = strings.TrimSpace(w); w != "" {
			out = append(out, w)
		}
	}
	return out
}

// addSource declares a source of the vendor; the same declaration again changes nothing.
func (h *Handlers) addSource(c *Ctx) error {
	err := h.once(c, func(ctx context.Context) (answer, error) {
		of := func(name string) string { return strings.TrimSpace(c.Request().PostFormValue(name)) }
		in := source.AddInput{Vendor: c.Org.Code, Name: of("name"), Dialect: of("dialect"), Zone: of("zone"), Mode: source.Mode(of("mode")), Base: of("base"), KeyColumn: of("key"),
			Providers: commaList(of("providers")), Accounts: commaList(of("accounts")), Currencies: commaList(strings.ToUpper(of("currencies"))), Default: of("default"), Loose: of("loose"),
			Entity: of("entity"), From: cycle.Cycle(of("from")), Until: cycle.Cycle(of("until"))}
		res, err := h.Sources.Add(ctx, c.Scope, in)
		if f := faultOf(err); err != nil && f.Kind == fault.KindNotFound { // of an organisation named in the form, not of the page
			err = fault.Invalid(f.Code, f.Args)
		}
		return answer{Location: c.at("/sources?done=source"), Body: map[string]any{"source": res.Source, "added": res.Added}}, err
	})
	if err == nil {
		return nil
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.sourceForm(c, status, f) })
}
