package portal

import (
	"net/http"
	"net/url"

	"huoban/internal/delivery"
	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/i18n"
	"huoban/internal/scope"
	"huoban/web/templates/part"
)

var everybody = []scope.Item{scope.ItemHomeAccount}

// opsQuery are the query and form parameters that name stored things.
var opsQuery = map[string][]string{"deliveries": {"source"}, "deliveries.new": {"source"}, "deliveries.import": {"source"},
	"deliveries.changes": {"slot"}, "quarantine.drop": {"row"}}

// opsRoutes are home, the bell and the vendor's back office: deliveries and the month close.
func opsRoutes() []Route {
	row := func(method, path, name string, sides []scope.Side, items []scope.Item, title string, do func(*Handlers, *Ctx) error) Route {
		return Route{Method: method, Path: "/o/:org" + path, Name: name, Sides: sides, Items: items, Title: title, Do: do}
	}
	ops := func(method, path, name string, item scope.Item, title string, do func(*Handlers, *Ctx) error) Route {
		return row(method, path, name, vendors, []scope.Item{item}, title, do)
	}
	routes := []Route{
		row(get, "", "home", nil, everybody, "ops.home.title", (*Handlers).home).noList("summary of other lists"),
		row(get, pathSearch, "search", nil, everybody, "search.title", (*Handlers).search).noList("what was looked for, each with a link to it"),
		row(get, "/messages", "messages", nil, everybody, "ops.messages.title", (*Handlers).messages),
		row(get, pathMessageSettings, "messages.settings", nil, everybody, "messages.settings", (*Handlers).messageSettings).noList("form"),
		row(post, pathMessageSettings, "messages.settings.save", nil, everybody, "", (*Handlers).saveMessageSettings),
		row(post, "/notices/:notice/dismissal", "notices.dismiss", nil, everybody, "", (*Handlers).dismissNotice),
		row(post, "/messages/reading", "messages.read_all", nil, everybody, "", (*Handlers).readMessages),
		row(post, "/messages/:message/reading", "messages.read", nil, everybody, "", (*Handlers).readMessage),

		ops(get, "/deliveries", "deliveries", scope.ItemDeliveryView, "ops.deliveries.title", (*Handlers).deliveries),
		ops(get, "/deliveries/new", "deliveries.new", scope.ItemDeliveryImport, "ops.upload.title", (*Handlers).uploadPage).noList("form"),
		ops(post, "/deliveries", "deliveries.import", scope.ItemDeliveryImport, "", (*Handlers).upload),
		ops(get, "/imports/:import", "imports.show", scope.ItemDeliveryImport, "ops.import.title", (*Handlers).importPage).noList("progress of one import"),
		ops(get, "/deliveries/:id", "deliveries.show", scope.ItemDeliveryView, "ops.delivery.title", (*Handlers).delivery).noList("one delivery; its lists have pages"),
		ops(get, "/deliveries/:id/rules", "deliveries.rules", scope.ItemDeliveryView, "ops.rules.title", (*Handlers).deliveryRules),
		ops(get, "/deliveries/:id/changes", "deliveries.changes", scope.ItemDeliveryView, "ops.changes.title", (*Handlers).deliveryChanges),
		ops(post, "/deliveries/:id/reversal", "deliveries.revert", scope.ItemDeliveryRevert, "", (*Handlers).revertDelivery).moves(delivery.Flow, string(delivery.ActionRevert)),
		ops(post, "/deliveries/:id/finality", "deliveries.final", scope.ItemDeliveryImport, "", (*Handlers).markFinal),
		ops(get, "/deliveries/:id/quarantine", "quarantine", scope.ItemQuarantineView, "ops.quarantine.title", (*Handlers).quarantine),
		ops(get, "/deliveries/:id/quarantine.csv", "quarantine.export", scope.ItemQuarantineView, "", (*Handlers).quarantineFile),
		ops(post, "/deliveries/:id/quarantine", "quarantine.retry", scope.ItemQuarantineResolve, "", (*Handlers).retryQuarantine),
		ops(post, "/deliveries/:id/quarantine/dropping", "quarantine.drop", scope.ItemQuarantineResolve, "", (*Handlers).dropQuarantine),

		ops(get, "/closes", "closes", scope.ItemCloseView, "ops.closes.title", (*Handlers).closes),
		ops(get, "/closes/:cycle", "closes.show", scope.ItemCloseView, "ops.close.title", (*Handlers).closePage),
	}
	for i := range routes {
		routes[i].Query = opsQuery[routes[i].Name]
	}
	routes = append(append(append(routes, mapRoutes()...), closeActions()...), peakImportRoutes()...)
	return append(routes, adjustmentRoutes()...)
}

// withQuery writes an address; empty values are left out.
func (c *Ctx) withQuery(path string, pairs ...string) string {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			v.Set(pairs[i], pairs[i+1])
		}
	}
	if len(v) > 0 {
		path += "?" + v.Encode()
	}
	return c.at(path)
}

// done is the message after a redirect: the address names it, the catalogue has its words.
func (c *Ctx) done() *part.Flash {
	key := "ops.done." + c.QueryParam("done")
	if !i18n.Has(key) {
		return nil
	}
	return &part.Flash{Tone: part.Good, Text: c.T(key)}
}

// say translates a key with the arguments of a fault or warning.
func (c *Ctx) say(key string, args map[string]any) string {
	pairs := make([]any, 0, 2*len(args))
	for k, v := range args {
		pairs = append(pairs, k, v)
	}
	return c.T(key, pairs...)
}

// cureText is what to do about a refusal, "" where nothing is written down.
func cureText(c *Ctx, f *fault.Error) string { return i18n.FaultCure(c.ctx(), f) }

// refusalOf shows every reason with its cure.
func refusalOf(c *Ctx, f *fault.Error) *part.Refusal {
	if f == nil {
		return nil
	}
	r := &part.Refusal{Title: i18n.FaultText(c.ctx(), f), Text: cureText(c, f)}
	for _, one := range f.Reason {
		text := i18n.FaultText(c.ctx(), one)
		if cure := cureText(c, one); cure != "" {
			text += c.T("ops.refusal.cure", "Cure", cure)
		}
		r.Steps = append(r.Steps, text)
	}
	return r
}

// refuse answers a refused form by its page again, with the reasons; a program, and whoever may not or
// asks for what is not there, gets the ordinary answer.
func (c *Ctx) refuse(err error, page func(status int, f *fault.Error) error) error {
	f := faultOf(err)
	switch f.Kind {
	case fault.KindInternal, fault.KindDenied, fault.KindNotFound, fault.KindUnauthenticated:
		return err
	}
	if wantsJSON(c.Request()) {
		return err
	}
	if gone := page(statusOf[f.Kind], f); !fault.Is(gone, fault.KindNotFound) {
		return gone
	}
	return err // what the page is of was deleted meanwhile: the error's own page says by whom
}

// lost tells apart that somebody was first: who, when and by which move, what the page showed and what holds now.
func lost(c *Ctx, f *fault.Error, again string) (*part.Refusal, *part.Conflict) {
	by := ""
	if f != nil && (f.Code == "flow.changed_meanwhile" || f.Code == "flow.not_from_state") {
		by, _ = f.Args["by"].(string)
	}
	if by == "" && (f == nil || f.Code != "flow.changed_meanwhile") {
		return refusalOf(c, f), nil
	}
	x := &part.Conflict{Text: i18n.FaultText(c.ctx(), f), Again: part.Link{Text: c.T("ops.refusal.reload"), Href: again}}
	word := func(name string) string {
		key, _ := f.Args[name].(string)
		if !i18n.Has(key) {
			return ""
		}
		return c.T(key)
	}
	if was := word("was"); was != "" {
		x.Rows = []part.ConflictRow{{Name: c.T("ops.conflict.state"), Saw: was, Now: word("state")}}
	}
	if action := word("action"); action != "" {
		x.Rows = append(x.Rows, part.ConflictRow{Name: c.T("ops.conflict.action"), Saw: action, Now: c.T("ops.conflict.not_done")})
	}
	return nil, x
}

// by names who did something: the portal's own hand is no login.
func (c *Ctx) by(login string) string {
	if login == "system" || login == "operator" {
		return c.T("portal.by." + login)
	}
	return login
}

// history writes moves of a machine, the newest first.
func history(c *Ctx, machine string, changes []flow.Change) []part.Event {
	var out []part.Event
	for i := len(changes) - 1; i >= 0; i-- {
		x := changes[i]
		e := part.Event{Text: c.T(machine + ".action." + x.Action), When: i18n.DateTime(x.At), Who: c.by(x.Actor), Note: x.Reason, Tone: part.Brand}
		if x.From == "" {
			e.Text = c.T(machine + ".state." + x.To)
		}
		out = append(out, e)
	}
	return out
}

// hint says why a button is off.
func hint(c *Ctx, f *fault.Error) string {
	if f == nil {
		return ""
	}
	if f.Code == "scope.permission_missing" {
		return c.T("ops.hint.permission")
	}
	return join(i18n.FaultReasons(c.ctx(), f), c.T("portal.list.comma"))
}

func notFound() error { return fault.NotFound("request.no_page", nil) }

// flashFault is a refusal beside a page that shows everything else.
func flashFault(c *Ctx, err error) (*part.Flash, error) {
	f := faultOf(err)
	if statusOf[f.Kind] >= http.StatusInternalServerError {
		return nil, err
	}
	return &part.Flash{Tone: part.Bad, Text: join(i18n.FaultReasons(c.ctx(), f), c.T("portal.list.comma"))}, nil
}
