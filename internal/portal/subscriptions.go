package portal

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/money"
	"huoban/internal/scope"
	"huoban/internal/subscription"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

const pathSubscriptions = "/subscriptions"

func (c *Ctx) atDispatch(d *subscription.Dispatch) string {
	return c.at(pathSubscriptions + "/" + d.SubscriptionID + "/dispatches/" + d.ID)
}

// subscriptionRoutes are 客户消费订阅: targets of monthly files, and each file on its way there.
func subscriptionRoutes() []Route {
	row := func(method, path, name, title string, item scope.Item, do func(*Handlers, *Ctx) error) Route {
		return Route{Method: method, Path: "/o/:org" + path, Name: name, Sides: partners, Items: []scope.Item{item}, Title: title, Do: do}
	}
	view, change := scope.ItemSubscriptionView, scope.ItemSubscriptionChange
	out := []Route{
		row(get, pathSubscriptions, "subscriptions", "subscription.title", view, (*Handlers).subscriptions),
		row(get, pathSubscriptions+"/new", "subscriptions.new", "subscription.new", change, (*Handlers).subscriptionPage).noList("form"),
		row(post, pathSubscriptions, "subscriptions.add", "", change, (*Handlers).saveSubscription),
		row(get, pathSubscriptions+"/:id", "subscriptions.show", "subscription.title", view, (*Handlers).subscriptionShown),
		row(get, pathSubscriptions+"/:id/settings", "subscriptions.settings", "subscription.edit", change, (*Handlers).subscriptionPage).noList("form"),
		row(post, pathSubscriptions+"/:id/settings", "subscriptions.change", "", change, (*Handlers).saveSubscription),
		row(post, pathSubscriptions+"/:id/test", "subscriptions.test", "", change, (*Handlers).testSubscription),
		row(get, pathSubscriptions+"/:id/dispatches/:dispatch", "dispatches.show", "subscription.dispatch", view, (*Handlers).dispatchShown),
		row(post, pathSubscriptions+"/:id/dispatches/:dispatch/resending", "dispatches.resend", "", change, (*Handlers).resendDispatch).moves(subscription.DispatchFlow, string(subscription.ActionResend)),
	}
	for _, do := range subscription.Flow.Actions() {
		from := subscription.StateOn
		if do == subscription.ActionResume {
			from = subscription.StateOff
		}
		r, _ := subscription.Flow.Lookup(from, do)
		out = append(out, row(post, pathSubscriptions+"/:id/"+r.Noun, "subscriptions."+r.Noun, "", change, func(h *Handlers, c *Ctx) error { return h.subscriptionAct(c, do) }).moves(subscription.Flow, string(do)))
	}
	return out
}

var (
	subscriptionTone = map[subscription.State]part.Tone{subscription.StateOn: part.Good}
	dispatchTone     = map[subscription.DispatchState]part.Tone{subscription.DispatchWaiting: part.Warn, subscription.DispatchDelivered: part.Good, subscription.DispatchFailed: part.Bad}
)

func (h *Handlers) subscriptions(c *Ctx) error {
	title := c.T("subscription.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("expenditure.title"), Href: c.at("/expenditure")}, part.Link{Text: title})}, Flash: c.done(),
		Notes: []string{c.T("subscription.note")}}
	if c.Scope.Has(scope.ItemSubscriptionChange) {
		p.Header.Buttons = []part.Link{{Text: c.T("subscription.new"), Href: c.at(pathSubscriptions + "/new")}}
	}
	if _, err := h.board(c, &p, "subscriptions"); err != nil {
		return err
	}
	return c.page(http.StatusOK, p.Page())
}

func contentText(c *Ctx, x subscription.Content, f subscription.Format) string {
	return c.T("subscription.content."+string(x)) + " · " + fileFormat(f)
}

func fileFormat(f subscription.Format) string {
	if f == subscription.FormatGzip {
		return "CSV (gzip)"
	}
	return "CSV"
}

// readSubscriptions lists the targets with what became of their last file.
func (h *Handlers) readSubscriptions(c *Ctx) (*sheet, error) {
	list, err := h.Subscriptions.List(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: []listColumn{{key: "name", title: c.T("subscription.name")}, {key: "target", title: c.T("subscription.target"), note: c.T("subscription.kind")}, {key: "content", title: c.T("subscription.content")},
		{key: "first", title: c.T("subscription.first"), class: "num-l"}, {key: "state", title: c.T("opsview.col.state")}, {key: "last", title: c.T("subscription.last"), note: c.T("subscription.dispatch_state")}},
		empty: part.Empty{Title: c.T("subscription.empty"), Text: c.T("subscription.empty_text")}}
	if c.Scope.Has(scope.ItemSubscriptionChange) {
		s.empty.Button = &part.Link{Text: c.T("subscription.new"), Href: c.at(pathSubscriptions + "/new")}
	}
	for i := range list {
		x := &list[i]
		files, err := h.Subscriptions.Dispatches(c.ctx(), c.Scope, x.ID)
		if err != nil {
			return nil, err
		}
		last := opsview.Cell{Text: i18n.Nothing}
		if len(files) > 0 {
			d := &files[0]
			last = opsview.Cell{Text: string(d.Cycle), Note: c.T("dispatch.state." + string(d.State)), Href: c.atDispatch(d)}
		}
		s.add(sheetRow{key: x.ID, at: x.ChangedAt, mark: marks(x.Name, string(x.Kind), x.Where(), string(x.Content), string(x.Format), string(x.State), last.Text, last.Note),
			cells: []opsview.Cell{{Text: x.Name, Href: c.at(pathSubscriptions + "/" + x.ID)}, {Text: x.Where(), Note: c.T("subscription.kind." + string(x.Kind)), Mono: true}, {Text: contentText(c, x.Content, x.Format)},
				{Text: string(x.FirstCycle)}, {Status: &part.Status{Text: c.T("subscription.state." + string(x.State)), Tone: subscriptionTone[x.State]}}, last}})
	}
	return s, nil
}

func (h *Handlers) subscriptionShown(c *Ctx) error {
	return h.subscriptionDetail(c, http.StatusOK, nil)
}

// subscriptionDetail is one target: how it is set, whether it answers, and what was carried there.
func (h *Handlers) subscriptionDetail(c *Ctx, status int, refused *fault.Error) error {
	x, err := h.Subscriptions.ByID(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return err
	}
	at := c.at(pathSubscriptions + "/" + x.ID)
	p := opsview.Board{Header: part.Header{Title: x.Name, Crumbs: c.crumbs(part.Link{Text: c.T("subscription.title"), Href: c.at(pathSubscriptions)}, part.Link{Text: x.Name}),
		Status: c.explained("subscription", "now", string(x.State), subscriptionTone[x.State])}, Flash: c.done(), Facts: subscriptionFacts(c, &x)}
	p.Refusal, p.Conflict = lost(c, refused, at)
	if c.Scope.Has(scope.ItemSubscriptionChange) {
		p.Header.Buttons = []part.Link{{Text: c.T("subscription.edit"), Href: at + "/settings"}}
		p.Buttons = append([]part.Button{{ID: "do-test", Text: c.T("subscription.test"), Action: at + "/test", Hidden: fresh(), Hint: c.T("subscription.test_hint")}}, flowButtons(c, h.Subscriptions.Allowed(c.Scope, &x), at, x.Name, x.Version)...)
	}
	g, err := h.titled(c, "subscription.dispatches", "dispatches", c.T("exports.kind.subscription.dispatches"))
	if err != nil {
		return err
	}
	p.Grids = []opsview.Grid{g}
	c.ruled(&p.Header, &p.Rules)
	return c.page(status, p.Page())
}

func subscriptionFacts(c *Ctx, x *subscription.Subscription) []part.Item {
	items := []part.Item{{Label: c.T("subscription.kind"), Text: c.T("subscription.kind." + string(x.Kind))}, {Label: c.T("subscription.address." + string(x.Kind)), Text: x.Address}}
	if x.Kind == subscription.KindBucket {
		style := "virtual"
		if x.PathStyle {
			style = "path"
		}
		items = append(items, part.Item{Label: c.T("subscription.bucket"), Text: x.Bucket}, part.Item{Label: c.T("subscription.prefix"), Text: x.Prefix}, part.Item{Label: c.T("subscription.region"), Text: x.Region},
			part.Item{Label: c.T("subscription.style"), Text: c.T("subscription.style." + style)}, part.Item{Label: "AK", Text: x.AccessKey})
	}
	items = append(items, part.Item{Label: c.T("subscription.secret." + string(x.Kind)), Text: "••••••••" + x.Hint}, part.Item{Label: c.T("subscription.content"), Text: contentText(c, x.Content, x.Format)},
		part.Item{Label: c.T("subscription.first"), Text: string(x.FirstCycle)}, part.Item{Label: c.T("ops.fact.by"), Text: x.CreatedBy + " · " + i18n.DateTime(x.CreatedAt)})
	tested := part.Item{Label: c.T("subscription.tested"), Text: c.T("subscription.tested_never")}
	if !x.TestedAt.IsZero() {
		tested.Text = i18n.DateTime(x.TestedAt) + " · " + carryText(c, x.TestCode, "")
	}
	items = append(items, tested)
	return slices.DeleteFunc(items, func(i part.Item) bool { return i.Text == "" })
}

// carryText says what became of a try.
func carryText(c *Ctx, code, detail string) string {
	if code == "" {
		return c.T("subscription.carried")
	}
	return c.say("fault."+code, map[string]any{"detail": detail, "class": ""})
}

// readDispatches lists the files of a subscription, the newest first.
func (h *Handlers) readDispatches(c *Ctx) (*sheet, error) {
	x, err := h.Subscriptions.ByID(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return nil, err
	}
	list, err := h.Subscriptions.Dispatches(c.ctx(), c.Scope, x.ID)
	if err != nil {
		return nil, err
	}
	num := func(key string) listColumn {
		return listColumn{key: key, title: c.T("subscription.col." + key), num: true}
	}
	s := &sheet{columns: []listColumn{{key: "file", title: c.T("subscription.col.file"), note: c.T("subscription.col.number")}, {key: "cycle", title: c.T("reconcile.cycle"), class: "num-l"}, num("version"), num("rows"), num("bytes"), num("tries"),
		{key: "state", title: c.T("opsview.col.state"), note: c.T("subscription.col.why")}, {key: "next", title: c.T("subscription.col.next"), class: "num-l"}, {key: "made", title: c.T("subscription.col.made"), class: "num-l"}},
		empty: part.Empty{Title: c.T("subscription.none"), Text: c.T("subscription.none_text")}}
	for i := range list {
		d := &list[i]
		why := ""
		if d.State != subscription.DispatchDelivered && d.LastCode != "" {
			why = carryText(c, d.LastCode, "")
		}
		s.add(sheetRow{key: d.ID, at: dispatchedAt(d), mark: marks(d.FileName, d.SHA, string(d.State), strconv.FormatInt(d.Tries, 10)), cells: []opsview.Cell{{Text: d.FileName, Href: c.atDispatch(d), Note: d.ID, Mono: true}, {Text: string(d.Cycle)},
			countCell(d.No), countCell(d.Rows), {Text: i18n.Bytes(d.Bytes), Raw: strconv.FormatInt(d.Bytes, 10)}, countCell(d.Tries),
			{Status: &part.Status{Text: c.T("dispatch.state." + string(d.State)), Tone: dispatchTone[d.State]}, Note: why}, {Text: nextTry(&x, d)}, {Text: i18n.DateTime(d.CreatedAt)}}})
	}
	return s, nil
}

// nextTry is when a file is carried next; nothing is while its target is off.
func nextTry(x *subscription.Subscription, d *subscription.Dispatch) string {
	if x.State != subscription.StateOn {
		return ""
	}
	return bound(d.NextAt)
}

func amountText(d *subscription.Dispatch) string {
	x, err := money.ParseExact(d.Amount)
	if err != nil {
		return d.Amount + " " + d.Currency
	}
	return i18n.ExactMoney(x, d.Currency)
}

func dispatchedAt(d *subscription.Dispatch) time.Time {
	if d.DoneAt.IsZero() {
		return d.CreatedAt
	}
	return d.DoneAt
}

func (h *Handlers) dispatchShown(c *Ctx) error { return h.dispatchDetail(c, http.StatusOK, nil) }

// dispatchDetail is one file on its way and every try.
func (h *Handlers) dispatchDetail(c *Ctx, status int, refused *fault.Error) error {
	d, x, err := h.Subscriptions.Dispatch(c.ctx(), c.Scope, c.Param("id"), c.Param("dispatch"))
	if err != nil {
		return err
	}
	at := c.atDispatch(&d)
	p := opsview.Board{Header: part.Header{Title: d.FileName, Crumbs: c.crumbs(part.Link{Text: c.T("subscription.title"), Href: c.at(pathSubscriptions)}, part.Link{Text: x.Name, Href: c.at(pathSubscriptions + "/" + x.ID)}, part.Link{Text: d.FileName}),
		Status: c.explained("dispatch", "now", string(d.State), dispatchTone[d.State])}, Flash: c.done()}
	p.Refusal, p.Conflict = lost(c, refused, at)
	p.Facts = []part.Item{{Label: c.T("subscription.target"), Text: x.Where(), Href: c.at(pathSubscriptions + "/" + x.ID)}, {Label: c.T("subscription.col.number"), Text: d.ID}, {Label: c.T("reconcile.cycle"), Text: string(d.Cycle)},
		{Label: c.T("subscription.col.version"), Text: strconv.FormatInt(d.No, 10)}, {Label: c.T("subscription.content"), Text: contentText(c, d.Content, d.Format)}, {Label: c.T("subscription.col.rows"), Text: i18n.Count(d.Rows)},
		{Label: c.T("expenditure.figure.amount"), Text: amountText(&d)}, {Label: c.T("subscription.col.bytes"), Text: i18n.Bytes(d.Bytes)}, {Label: "SHA-256", Text: d.SHA},
		{Label: c.T("subscription.col.made"), Text: i18n.DateTime(d.CreatedAt)}, {Label: c.T("subscription.col.next"), Text: nextTry(&x, &d)}}
	p.Facts = slices.DeleteFunc(p.Facts, func(i part.Item) bool { return i.Text == "" })
	p.Buttons = flowButtons(c, h.Subscriptions.AllowedDispatch(c.Scope, &x, &d), at, d.FileName, d.Version)
	g, err := h.titled(c, "dispatch.tries", "tries", c.T("exports.kind.dispatch.tries"))
	if err != nil {
		return err
	}
	p.Grids = []opsview.Grid{g}
	c.ruled(&p.Header, &p.Rules)
	return c.page(status, p.Page())
}

// readDispatchTries lists the tries of a dispatch, the newest first.
func (h *Handlers) readDispatchTries(c *Ctx) (*sheet, error) {
	d, _, err := h.Subscriptions.Dispatch(c.ctx(), c.Scope, c.Param("id"), c.Param("dispatch"))
	if err != nil {
		return nil, err
	}
	list, err := h.Subscriptions.Tries(c.ctx(), &d)
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: []listColumn{{key: "no", title: c.T("subscription.col.try"), num: true}, {key: "began", title: c.T("subscription.col.began"), class: "num-l"}, {key: "took", title: c.T("subscription.col.took"), num: true},
		{key: "outcome", title: c.T("subscription.col.outcome"), note: c.T("subscription.col.answer")}},
		empty: part.Empty{Title: c.T("subscription.no_tries"), Text: c.T("subscription.no_tries_text")}}
	for _, t := range list {
		tone := part.Bad
		if t.Code == "" {
			tone = part.Good
		}
		took := strconv.FormatInt(t.EndedAt.Sub(t.BeganAt).Milliseconds(), 10) + " ms"
		s.add(sheetRow{key: strconv.FormatInt(t.No, 10), at: t.EndedAt, mark: marks(t.Code, t.Detail, took), cells: []opsview.Cell{countCell(t.No), {Text: i18n.DateTime(t.BeganAt)}, {Text: took},
			{Status: &part.Status{Text: carryText(c, t.Code, t.Detail), Tone: tone}, Note: t.Detail}}})
	}
	return s, nil
}

func (h *Handlers) subscriptionPage(c *Ctx) error {
	return h.subscriptionForm(c, http.StatusOK, nil)
}

// subscriptionForm asks where to and what. The secret is never filled in.
func (h *Handlers) subscriptionForm(c *Ctx, status int, refused *fault.Error) error {
	title, action := c.T("subscription.new"), c.at(pathSubscriptions)
	crumbs := []part.Link{{Text: c.T("subscription.title"), Href: c.at(pathSubscriptions)}}
	v := map[string]string{"kind": string(subscription.KindBucket), "content": string(subscription.ContentLines), "format": string(subscription.FormatGzip), "style": "virtual", "cycle": string(subscription.FirstCycles(h.Clock.Now())[0])}
	secretHelp := c.T("subscription.secret_help", "Min", int64(subscription.MinSecret))
	id := c.Param("id")
	if id != "" {
		x, err := h.Subscriptions.ByID(c.ctx(), c.Scope, id)
		if err != nil {
			return err
		}
		title, action = c.T("subscription.edit"), c.at(pathSubscriptions+"/"+x.ID+"/settings")
		crumbs = append(crumbs, part.Link{Text: x.Name, Href: c.at(pathSubscriptions + "/" + x.ID)})
		v = map[string]string{"name": x.Name, "kind": string(x.Kind), "address": x.Address, "bucket": x.Bucket, "prefix": x.Prefix, "region": x.Region, "access": x.AccessKey, "content": string(x.Content), "format": string(x.Format), "cycle": string(x.FirstCycle), "style": "virtual"}
		if x.PathStyle {
			v["style"] = "path"
		}
		secretHelp = c.T("subscription.secret_keep", "Hint", x.Hint)
	}
	if c.Request().Method == post {
		for _, name := range []string{"name", "kind", "address", "bucket", "prefix", "region", "style", "access", "content", "format", "cycle"} {
			v[name] = c.FormValue(name)
		}
	}
	text := func(name string) part.Field {
		return part.Field{Name: name, Label: c.T("subscription." + name), Value: v[name], MaxLength: 400}
	}
	choice := func(name string, values []string, label func(string) string) part.Field {
		f := part.Field{Name: name, Label: c.T("subscription." + name), Type: "select", Value: v[name]}
		for _, x := range values {
			f.Options = append(f.Options, part.Option{Value: x, Label: label(x)})
		}
		return f
	}
	keyed := func(prefix string) func(string) string { return func(x string) string { return c.T(prefix + x) } }
	name, address, bucket, prefix, region, access := text("name"), text("address"), text("bucket"), text("prefix"), text("region"), text("access")
	name.Required, address.Required = true, true
	address.Hint, address.Help = "https://obs.cn-north-4.myhuaweicloud.com", c.T("subscription.address_help")
	bucket.Help, prefix.Help, region.Hint = c.T("subscription.bucket_help"), c.T("subscription.prefix_help"), "cn-north-4"
	access.Label, access.Autocomplete = c.T("subscription.access"), "off"
	var cycles []string
	for _, x := range subscription.FirstCycles(h.Clock.Now()) {
		cycles = append(cycles, string(x))
	}
	first := choice("cycle", cycles, func(x string) string { return x })
	first.Label, first.Help = c.T("subscription.first"), c.T("subscription.first_help")
	p := opsview.Propose{Header: part.Header{Title: title, Crumbs: c.crumbs(append(crumbs, part.Link{Text: title})...)}, Action: action, Submit: c.T("statement.rule.save"), Hidden: fresh(), Refusal: refusalOf(c, refused),
		Notes: []string{c.T("subscription.note"), c.T("subscription.note_masked")},
		Fields: []part.Field{name, choice("kind", []string{string(subscription.KindBucket), string(subscription.KindWebhook)}, keyed("subscription.kind.")), address, bucket, prefix, region,
			choice("style", []string{"virtual", "path"}, keyed("subscription.style.")), access,
			{Name: "secret", Label: c.T("subscription.secret"), Type: "password", Autocomplete: "new-password", Required: id == "", Help: secretHelp, MaxLength: 400},
			choice("content", []string{string(subscription.ContentLines), string(subscription.ContentSummary)}, keyed("subscription.content.")),
			choice("format", []string{string(subscription.FormatGzip), string(subscription.FormatCSV)}, func(x string) string { return fileFormat(subscription.Format(x)) }), first}}
	return c.page(status, p.Page())
}

func subscriptionInput(c *Ctx) subscription.Input {
	return subscription.Input{Name: c.FormValue("name"), Kind: subscription.Kind(c.FormValue("kind")), Address: c.FormValue("address"), Bucket: c.FormValue("bucket"), Prefix: c.FormValue("prefix"), Region: c.FormValue("region"),
		PathStyle: c.FormValue("style") == "path", AccessKey: c.FormValue("access"), Secret: c.FormValue("secret"), Content: subscription.Content(c.FormValue("content")), Format: subscription.Format(c.FormValue("format")), FirstCycle: c.FormValue("cycle")}
}

// saveSubscription adds a target or changes one. Where it sends customers' figures elsewhere it wants the person itself.
func (h *Handlers) saveSubscription(c *Ctx) error {
	err := c.readForm()
	if err != nil {
		return err
	}
	id, in, back := c.Param("id"), subscriptionInput(c), c.at(pathSubscriptions+"/new")
	elsewhere := true
	if id != "" {
		x, err := h.Subscriptions.ByID(c.ctx(), c.Scope, id)
		if err != nil {
			return err
		}
		elsewhere, back = x.Elsewhere(in), c.at(pathSubscriptions+"/"+x.ID+"/settings")
	}
	if elsewhere {
		if led, err := h.stepUp(c, back); led || err != nil {
			return err
		}
	}
	err = h.once(c, func(ctx context.Context) (answer, error) {
		var x subscription.Subscription
		var err error
		if id != "" {
			x, err = h.Subscriptions.Change(ctx, c.Scope, id, in)
		} else {
			x, err = h.Subscriptions.Add(ctx, c.Scope, in)
		}
		return answer{Location: c.at(pathSubscriptions + "/" + x.ID + "?done=subscription_saved"), Body: map[string]any{"id": x.ID, "state": string(x.State)}}, err
	})
	if err == nil {
		return nil
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.subscriptionForm(c, status, f) })
}

// testSubscription carries a few bytes while the person waits.
func (h *Handlers) testSubscription(c *Ctx) error {
	c.unhurried()
	err := h.onceApart(c, func(ctx context.Context) (answer, error) {
		out, err := h.Subscriptions.Test(ctx, c.Scope, c.Param("id"))
		if err == nil && out.Code != "" {
			err = fault.Conflict(out.Code, fault.Args{"detail": out.Detail, "class": ""})
		}
		return answer{Location: c.at(pathSubscriptions + "/" + c.Param("id") + "?done=subscription_test"), Body: map[string]any{"status": out.Status}}, err
	})
	if err == nil {
		return nil
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.subscriptionDetail(c, status, f) })
}

// subscriptionAct switches a target off or on, or ends it.
func (h *Handlers) subscriptionAct(c *Ctx, do subscription.Action) error {
	err := h.once(c, func(ctx context.Context) (answer, error) {
		x, err := h.Subscriptions.Do(ctx, c.Scope, c.Param("id"), do)
		to := c.withQuery(pathSubscriptions+"/"+x.ID, "done", "subscription_"+string(do))
		if do == subscription.ActionEnd {
			to = c.withQuery(pathSubscriptions, "done", "subscription_"+string(do))
		}
		return answer{Location: to, Body: map[string]any{"id": x.ID, "state": string(x.State)}}, err
	})
	if err == nil {
		return nil
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.subscriptionDetail(c, status, f) })
}

// resendDispatch has a file carried once more.
func (h *Handlers) resendDispatch(c *Ctx) error {
	err := h.once(c, func(ctx context.Context) (answer, error) {
		d, err := h.Subscriptions.Resend(ctx, c.Scope, c.Param("id"), c.Param("dispatch"))
		return answer{Location: c.atDispatch(&d) + "?done=dispatch_resend", Body: map[string]any{"id": d.ID, "state": string(d.State)}}, err
	})
	if err == nil {
		return nil
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.dispatchDetail(c, status, f) })
}
