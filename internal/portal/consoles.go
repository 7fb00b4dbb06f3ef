package portal

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/sorted"
	"huoban/internal/sso"
	"huoban/internal/sso/registry"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
	"huoban/web/templates/ssoview"
)

const pathConsoles = "/consoles"

// consoleRoutes are the consoles that customers of hosted platforms go to: a vendor's staff register them and look
// after their own.
func consoleRoutes() []Route {
	see, may := []scope.Item{scope.ItemConsoleView, scope.ItemConsoleChange}, []scope.Item{scope.ItemConsoleChange}
	all, one := "/o/:org"+pathConsoles, "/o/:org"+pathConsoles+"/:id"
	row := func(path, name string, do func(*Handlers, *Ctx) error, query ...string) Route {
		return Route{Method: post, Path: path, Name: name, Sides: vendors, Items: may, Query: query, Do: do}
	}
	return []Route{
		{Method: get, Path: all, Name: "consoles", Sides: vendors, Items: see, Title: "consoles.title", Do: (*Handlers).consoles},
		{Method: get, Path: all + "/new", Name: "consoles.new", Sides: vendors, Items: may, Title: "consoles.new", NoList: "form", Do: (*Handlers).consoleNew},
		row(all, "consoles.add", (*Handlers).consoleAdd, "partner"),
		{Method: get, Path: one, Name: "consoles.show", Sides: vendors, Items: see, Title: "consoles.title", NoList: "one console and its newest documents", Do: (*Handlers).consoleShown},
		row(one+"/metadata", "consoles.metadata", (*Handlers).consoleMetadata),
		row(one+"/refresh", "consoles.refresh", (*Handlers).consoleRefresh),
		row(one+"/confirmation", "consoles.confirm", (*Handlers).consoleConfirm, "document"),
		row(one+"/settings", "consoles.settings", (*Handlers).consoleSettings),
		row(one+"/disable", "consoles.disable", (*Handlers).consoleDisable),
		row(one+"/enable", "consoles.enable", (*Handlers).consoleEnable),
	}
}

func (c *Ctx) consoleAt(id, rest string) string { return c.at(pathConsoles + "/" + id + rest) }

// consoles lists them, with how long their certificates last and what of their documents waits.
func (h *Handlers) consoles(c *Ctx) error {
	title := c.T("consoles.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title})}, Flash: c.done(), Notes: []string{c.T("consoles.intro")}}
	if c.Scope.Has(scope.ItemConsoleChange) && h.Access.Usable() == nil {
		p.Header.Buttons = []part.Link{{Text: c.T("consoles.new"), Href: c.at(pathConsoles + "/new")}}
	}
	if _, err := h.board(c, &p, "consoles"); err != nil {
		return err
	}
	return c.page(http.StatusOK, p.Page())
}

// readConsoles is the list, for its page and its file.
func (h *Handlers) readConsoles(c *Ctx) (*sheet, error) {
	all, err := h.Access.ConsoleStatuses(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	names, err := h.partnerNames(c)
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: []listColumn{{key: "name", title: c.T("access.hosted.console"), note: "entityID"}, {key: "partner", title: c.T("consoles.partner")}, {key: "state", title: c.T("access.state"), class: "m"},
		{key: "named", title: c.T("access.hosted.named")}, {key: "given", title: c.T("access.hosted.given")}, {key: "sealed", title: c.T("access.hosted.sealed")}, {key: "rules", title: c.T("access.hosted.rules")},
		{key: "cert", title: c.T("access.cert_left")}, {key: "metadata", title: c.T("access.metadata_state"), note: c.T("access.why")}, {key: "last", title: c.T("access.last_signin")}},
		empty: part.Empty{Title: c.T("access.hosted.none"), Text: c.T("consoles.empty_text")}}
	for i := range all {
		s.add(h.consoleRow(c, &all[i], names))
	}
	return s, nil
}

func (h *Handlers) consoleRow(c *Ctx, x *registry.ConsoleStatus, names map[string]string) sheetRow {
	left, last := opsview.Cell{Text: "–"}, "–"
	if x.CertDaysLeft != nil {
		left = opsview.Cell{Text: daysLeft(c, *x.CertDaysLeft), Note: i18n.Date(x.CertEnds)}
	}
	if !x.LastAssertionAt.IsZero() {
		last = i18n.DateTime(x.LastAssertionAt)
	}
	document := opsview.Cell{Text: c.T("access.document.applied")}
	switch {
	case x.Waits != nil:
		document = opsview.Cell{Status: &part.Status{Text: c.T("access.document.pending"), Tone: part.Warn}, Note: i18n.FaultText(c.ctx(), fault.Conflict(x.Waits.Code, nil))}
	case x.Failing != nil:
		document = opsview.Cell{Status: &part.Status{Text: c.T("consoles.failing"), Tone: part.Bad}, Note: i18n.FaultText(c.ctx(), fault.Conflict(x.Failing.LastCode, nil))}
	}
	given := releases(c, x.Console.Console)
	return sheetRow{key: x.ID, mark: marks(x.Name, x.EntityID, string(x.State), given, string(x.Encrypt)), at: x.UpdatedAt, cells: []opsview.Cell{
		{Text: x.Name, Note: x.EntityID, Href: c.consoleAt(x.ID, "")}, {Text: partnerText(c, x.PartnerID, names)}, {Status: platformState(c, x.ID, x.State)},
		{Text: c.T("access.hosted.format." + formatName(x.NameIDFormat))}, {Text: given}, {Text: c.T("access.hosted.encrypt." + string(x.Encrypt))},
		{Text: consoleRules(c, x.Console.Console)}, left, document, {Text: last}}}
}

// partnerNames are the names of the partners the actor deals with.
func (h *Handlers) partnerNames(c *Ctx) (map[string]string, error) {
	all, err := h.Orgs.List(c.ctx(), c.Scope)
	names := map[string]string{}
	for _, o := range all {
		if o.Kind.IsPartner() {
			names[o.ID] = o.Name
		}
	}
	return names, err
}

func partnerText(c *Ctx, partnerID string, names map[string]string) string {
	if partnerID == "" {
		return c.T("consoles.everybody")
	}
	return names[partnerID]
}

func (h *Handlers) consoleNew(c *Ctx) error { return h.consoleForm(c, http.StatusOK, nil) }

// consoleForm registers a console from its document; what it is given is set on its page afterwards.
func (h *Handlers) consoleForm(c *Ctx, status int, refused *fault.Error) error {
	title := c.T("consoles.new")
	p := ssoview.Access{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("consoles.title"), Href: c.at(pathConsoles)}, part.Link{Text: title})}, Refusal: refusalOf(c, refused)}
	if err := h.Access.Usable(); err != nil {
		p.Notes = []string{i18n.FaultText(c.ctx(), faultOf(err))}
		return c.page(status, p.Page())
	}
	all, err := h.Orgs.List(c.ctx(), c.Scope)
	if err != nil {
		return err
	}
	choice := part.Field{Name: "partner", Label: c.T("consoles.partner"), Type: "select", Value: c.FormValue("partner"), Help: c.T("consoles.partner_help"), Options: []part.Option{{Label: c.T("consoles.everybody")}}}
	sorted.By(all, func(a, b organisation.Organisation) int { return strings.Compare(a.Code, b.Code) })
	for _, o := range all {
		if o.Kind.IsPartner() {
			choice.Options = append(choice.Options, part.Option{Value: o.Code, Label: o.Name + " " + o.Code})
		}
	}
	file, address := documentParts(c)
	p.Sheets = []ssoview.Sheet{{ID: "new", Title: title, Notes: []string{c.T("consoles.new_text")}, Forms: []ssoview.Form{{Action: c.at(pathConsoles), Submit: title, Upload: true, Hidden: fresh(),
		Fields: []part.Field{file, address, {Name: "title", Label: c.T("access.name"), Value: c.FormValue("title"), Help: c.T("access.name_help"), MaxLength: 100}, choice}}}}}
	return c.page(status, p.Page())
}

// consoleAdd registers a console, or one that is known anew.
func (h *Handlers) consoleAdd(c *Ctx) error {
	err := c.readDocument()
	if err == nil {
		err = h.onceApart(c, func(ctx context.Context) (answer, error) {
			partnerID := ""
			if code := strings.TrimSpace(c.FormValue("partner")); code != "" {
				p, err := h.Orgs.ByCode(ctx, c.Scope, code)
				if err == nil && !p.Kind.IsPartner() {
					err = fault.NotFound("organisation.unknown", fault.Args{"code": code})
				}
				if err != nil {
					return answer{}, err
				}
				partnerID = p.ID
			}
			body, address, _, err := c.document()
			if err != nil {
				return answer{}, err
			}
			x, _, err := h.Access.AddConsole(ctx, c.Scope, registry.ConsoleInput{Metadata: body, URL: address, PartnerID: partnerID, Name: c.FormValue("title")})
			return answer{Location: c.consoleAt(x.ID, "?done=console_added"), Body: consoleBody(c, x)}, err
		})
	}
	if err == nil {
		return nil
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.consoleForm(c, status, f) })
}

// consoleBody is what a program is told of a console.
func consoleBody(c *Ctx, x registry.Console) map[string]any {
	return map[string]any{"id": x.ID, "location": c.consoleAt(x.ID, ""), "entity": x.EntityID, "state": string(x.State)}
}

// consoleChange does something to the console of the address and leads back to its page.
func (h *Handlers) consoleChange(c *Ctx, done string, change func(ctx context.Context, id string) (registry.Console, error)) error {
	id := c.Param("id")
	err := h.onceApart(c, func(ctx context.Context) (answer, error) {
		x, err := change(ctx, id)
		return answer{Location: c.consoleAt(id, "?done="+done), Body: consoleBody(c, x)}, err
	})
	if err == nil {
		return nil
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.consoleDetail(c, status, f) })
}

func (h *Handlers) consoleMetadata(c *Ctx) error {
	if err := c.readDocument(); err != nil {
		return err
	}
	return h.consoleChange(c, "console_metadata", func(ctx context.Context, id string) (registry.Console, error) {
		return h.Access.ReplaceConsole(ctx, c.Scope, id, []byte(c.FormValue("metadata")), strings.TrimSpace(c.FormValue("url")))
	})
}

// consoleRefresh fetches the document now; one that would take the console over waits, which the page says.
func (h *Handlers) consoleRefresh(c *Ctx) error {
	return h.consoleChange(c, "console_refreshed", func(ctx context.Context, id string) (registry.Console, error) {
		taken, err := h.Access.RefreshConsole(ctx, c.Scope, id)
		if err == nil && taken.Code != "" {
			err = fault.Conflict(taken.Code, nil) // kept, but not in force: the page says what is to be done
		}
		return taken.Console, err
	})
}

func (h *Handlers) consoleConfirm(c *Ctx) error {
	return h.consoleChange(c, "console_metadata", func(ctx context.Context, id string) (registry.Console, error) {
		if c.FormValue("document") == "" {
			return registry.Console{}, notFound()
		}
		return h.Access.ConfirmConsole(ctx, c.Scope, id, c.FormValue("document"))
	})
}

// givenAs is the name of a field of ours in the form of what a console is given.
func givenAs(field string) string { return "to_" + field }

// consoleSettings sets what a console is given and how; a box that is not ticked is off, a field without a name is not
// handed over.
func (h *Handlers) consoleSettings(c *Ctx) error {
	return h.consoleChange(c, "console_saved", func(ctx context.Context, id string) (registry.Console, error) {
		known, err := h.Access.FindConsole(ctx, c.Scope, id)
		if err != nil {
			return known, err
		}
		in := registry.ConsoleSettings{Name: c.FormValue("title"), NameIDFormat: nameFormats[c.FormValue("name_id")], Encrypt: sso.Encrypt(c.FormValue("encrypt")),
			RequireSigned: ticked(c.FormValue("require_signed"))}
		for _, field := range registry.ReleaseFields {
			for _, name := range strings.Fields(c.FormValue(givenAs(field))) {
				r := sso.Release{Name: name, Field: field}
				if i := slices.IndexFunc(known.Attributes, func(x sso.Release) bool { return x.Name == name }); i >= 0 {
					r.NameFormat = known.Attributes[i].NameFormat
				}
				in.Attributes = append(in.Attributes, r)
			}
		}
		x, _, err := h.Access.SetConsole(ctx, c.Scope, id, in)
		return x, err
	})
}

var nameFormats = map[string]sso.NameIDFormat{"persistent": sso.NameIDPersistent, "transient": sso.NameIDTransient, "email": sso.NameIDEmail}

func (h *Handlers) consoleDisable(c *Ctx) error {
	return h.consoleChange(c, "console_disabled", func(ctx context.Context, id string) (registry.Console, error) {
		reason := strings.TrimSpace(c.FormValue("reason"))
		if reason == "" {
			if _, err := h.Access.FindConsole(ctx, c.Scope, id); err != nil {
				return registry.Console{}, err
			}
			return registry.Console{}, fault.Invalid("flow.reason_missing", nil)
		}
		return h.Access.DisableConsole(ctx, c.Scope, id, reason)
	})
}

func (h *Handlers) consoleEnable(c *Ctx) error {
	return h.consoleChange(c, "console_enabled", func(ctx context.Context, id string) (registry.Console, error) {
		return h.Access.EnableConsole(ctx, c.Scope, id)
	})
}
