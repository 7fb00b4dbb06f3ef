package portal

import (
	"context"
	"net/http"
	"slices"

	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/money"
	"huoban/internal/passcode"
	"huoban/internal/scope"
	"huoban/internal/topup"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

const pathTopUps = pathFunds + "/top-ups"

// topUpRoutes are 充值: online, and the partner's remittance account number.
func topUpRoutes() []Route {
	row := func(method, path, name, title string, item scope.Item, do func(*Handlers, *Ctx) error) Route {
		return Route{Method: method, Path: "/o/:org" + pathTopUps + path, Name: name, Sides: partners, Items: []scope.Item{item}, Title: title, Do: do}
	}
	out := []Route{
		row(get, "", "topups", "topup.title", scope.ItemFundsView, (*Handlers).topUps),
		row(post, "", "topups.begin", "", scope.ItemFundsChange, (*Handlers).beginTopUp),
		row(post, "/account", "topups.account", "", scope.ItemFundsChange, (*Handlers).openRemitAccount),
		row(post, "/:id/simulation", "topups.simulate", "", scope.ItemFundsChange, (*Handlers).simulateTopUp),
	}
	out[1].Query, out[2].Query = []string{"vendor"}, []string{"vendor"}
	for i := range topup.Flow.Rows {
		r := &topup.Flow.Rows[i]
		if r.Noun != "" {
			out = append(out, row(post, "/:id/"+r.Noun, "topups."+string(r.Do), "", scope.ItemFundsChange, func(h *Handlers, c *Ctx) error { return h.actOnTopUp(c, r.Do) }).moves(topup.Flow, string(r.Do)))
		}
	}
	return out
}

var topUpTone = map[topup.State]part.Tone{topup.StatePending: part.Warn, topup.StateProcessing: part.Brand, topup.StateSucceeded: part.Good, topup.StateFailed: part.Bad}

func (h *Handlers) topUps(c *Ctx) error { return h.topUpsPage(c, http.StatusOK, nil) }

// topUpsPage shows how money can be paid in, and what was paid in online.
func (h *Handlers) topUpsPage(c *Ctx, status int, refused *fault.Error) error {
	p := h.fundsBoard(c, "/top-ups", "topup.title")
	p.Refusal, p.Conflict = lost(c, refused, c.at(pathTopUps))
	vendors, currencies, err := h.fundChoices(c, nil)
	if err != nil {
		return err
	}
	accounts, err := h.TopUps.Accounts(c.ctx(), c.Scope)
	if err != nil {
		return err
	}
	may := c.Scope.Has(scope.ItemFundsChange)
	for _, v := range vendors {
		if a, open := accounts[v.ID]; open {
			p.Facts = append(p.Facts, part.Item{Label: c.T("topup.account_of", "Vendor", v.Name), Text: a.Number, Mono: true}, part.Item{Label: c.T("topup.opened"), Text: i18n.DateTime(a.OpenedAt)})
			continue
		}
		if may {
			p.Buttons = append(p.Buttons, part.Button{ID: "open-" + v.Code, Text: c.T("topup.open", "Vendor", v.Name), Action: c.at(pathTopUps + "/account"), Hidden: append(fresh(), part.Hidden{Name: "vendor", Value: v.Code}), Hint: c.T("topup.open_hint")})
		}
	}
	p.Notes = []string{c.T("topup.note_transfer"), c.T("topup.note_claim")}
	if may {
		p.Buttons = append([]part.Button{h.topUpButton(c, choiceFields(c, vendors, currencies))}, p.Buttons...)
	}
	if _, err := h.board(c, &p, "topups"); err != nil {
		return err
	}
	return c.page(status, p.Page())
}

// topUpButton offers the online channels, or says that there is none.
func (h *Handlers) topUpButton(c *Ctx, fields []part.Field) part.Button {
	b := part.Button{ID: "online", Text: c.T("topup.online"), Primary: true}
	names := h.TopUps.GatewayNames()
	if len(names) == 0 {
		b.Off, b.Hint = true, c.T("fault.topup.gateway_unknown")
		return b
	}
	way := part.Field{Name: "channel", Label: c.T("topup.channel"), Type: "select", Required: true}
	for _, n := range names {
		way.Options = append(way.Options, part.Option{Value: n, Label: c.T(topup.Label(n))})
	}
	b.Action, b.Hidden = c.at(pathTopUps), fresh()
	b.Dialog = &part.Dialog{Title: c.T("topup.online"), Points: []string{c.T("topup.online_point")}, Confirm: c.T("topup.begin"),
		Fields: append(fields, part.Field{Name: "amount", Label: c.T("topup.amount"), Numeric: true, Required: true}, way)}
	return b
}

func (h *Handlers) readTopUps(c *Ctx) (*sheet, error) {
	state := topup.State(c.QueryParam("state"))
	if state != "" && !slices.Contains(topup.Flow.States(), state) {
		return nil, notFound()
	}
	list, err := h.TopUps.TopUps(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: []listColumn{{key: "number", title: c.T("topup.number"), note: c.T("topup.reference")}, {key: "at", title: c.T("ledger.col.at"), note: c.T("ledger.col.by"), class: "num-l"}, {key: "channel", title: c.T("topup.channel")},
		{key: "amount", title: c.T("topup.amount"), num: true, money: true, class: "m"}, {key: "state", title: c.T("opsview.col.state")}},
		empty: part.Empty{Title: c.T("topup.empty"), Text: c.T("topup.empty_text")}}
	if state != "" {
		s.narrowed("state", c.T("top_up.state."+string(state)))
	}
	for i := range list {
		t := &list[i]
		if state != "" && t.State != state {
			continue
		}
		s.add(sheetRow{key: t.ID, at: t.ChangedAt, mark: marks(string(t.State), t.Amount.String()), sums: sums{{t.Currency, t.Amount.Exact()}},
			cells: []opsview.Cell{{Text: t.Number, Note: t.GatewayRef, Mono: true}, {Text: i18n.DateTime(t.CreatedAt), Note: t.CreatedBy}, {Text: c.T(topup.Label(t.Gateway))}, amountCell(t.Amount, t.Currency),
				{Status: &part.Status{Text: c.T("top_up.state." + string(t.State)), Tone: topUpTone[t.State]}, Buttons: h.topUpActs(c, t)}}})
	}
	return s, nil
}

// topUpActs are what may be done with a top-up; the simulator's two results are offered in its own name.
func (h *Handlers) topUpActs(c *Ctx, t *topup.TopUp) []part.Button {
	if !c.Scope.Has(scope.ItemFundsChange) {
		return nil
	}
	var out []part.Button
	at := c.at(pathTopUps + "/" + t.ID)
	for _, b := range h.TopUps.Actions(c.Scope, t) {
		if b.Enabled {
			out = append(out, part.Button{ID: b.Action + "-" + t.ID, Text: c.T(b.Label()), Primary: b.Action == string(topup.ActionPay), Action: at + "/" + b.Noun, Hidden: append(fresh(), seen(t.Version))})
		}
	}
	if t.State == topup.StateProcessing && t.Gateway == (topup.Simulator{}).Name() && slices.Contains(h.TopUps.GatewayNames(), t.Gateway) {
		for _, x := range []string{"paid", "refused"} {
			out = append(out, part.Button{ID: x + "-" + t.ID, Text: c.T("topup.simulate." + x), Action: at + "/simulation", Hidden: append(fresh(), part.Hidden{Name: "outcome", Value: x})})
		}
	}
	return out
}

func (h *Handlers) beginTopUp(c *Ctx) error {
	if err := c.readForm(); err != nil {
		return err
	}
	err := h.onceWithAmount(c, func(ctx context.Context, vendorID string, amount money.Amount) (answer, error) {
		t, err := h.TopUps.Begin(ctx, c.Scope, vendorID, c.FormValue("channel"), c.FormValue("currency"), amount)
		return topUpAnswer(c, &t, "topup_begun"), err
	})
	return c.refuse(err, func(status int, f *fault.Error) error { return h.topUpsPage(c, status, f) })
}

func topUpAnswer(c *Ctx, t *topup.TopUp, done string) answer {
	return answer{Location: c.withQuery(pathTopUps, "done", done), Body: map[string]any{"id": t.ID, "number": t.Number, "state": string(t.State), "amount": t.Amount.String(), "currency": t.Currency}}
}

func (h *Handlers) actOnTopUp(c *Ctx, do topup.Action) error {
	if err := c.readForm(); err != nil {
		return err
	}
	err := h.once(c, func(ctx context.Context) (answer, error) {
		t, err := h.TopUps.Do(ctx, c.Scope, c.Param("id"), do)
		return topUpAnswer(c, &t, "topup_"+string(do)), err
	})
	return c.refuse(err, func(status int, f *fault.Error) error { return h.topUpsPage(c, status, f) })
}

// simulateTopUp says what the simulated gateway would; without it there is nothing to say.
func (h *Handlers) simulateTopUp(c *Ctx) error {
	if err := c.readForm(); err != nil {
		return err
	}
	err := h.once(c, func(ctx context.Context) (answer, error) {
		if _, err := h.TopUps.TopUp(ctx, c.Scope, c.Param("id")); err != nil {
			return answer{}, err
		}
		t, err := h.TopUps.Finish(ctx, c.Param("id"), (topup.Simulator{}).Name(), c.FormValue("outcome") == "paid")
		return topUpAnswer(c, &t, "topup_"+string(t.State)), err
	})
	return c.refuse(err, func(status int, f *fault.Error) error { return h.topUpsPage(c, status, f) })
}

// openRemitAccount always asks for a code.
func (h *Handlers) openRemitAccount(c *Ctx) error {
	err := h.proven(c, passcode.OpRemittance, c.at(pathTopUps), func(ctx context.Context) (answer, error) {
		vendor, err := h.vendorOf(c, c.FormValue("vendor"))
		if err != nil {
			return answer{}, err
		}
		a, err := h.TopUps.OpenAccount(ctx, c.Scope, vendor.ID)
		return answer{Location: c.withQuery(pathTopUps, "done", "account_opened"), Body: map[string]any{"number": a.Number}}, err
	})
	return c.refuse(err, func(status int, f *fault.Error) error { return h.topUpsPage(c, status, f) })
}
