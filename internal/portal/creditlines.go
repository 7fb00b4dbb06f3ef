package portal

import (
	"context"
	"net/http"
	"slices"

	"huoban/internal/creditline"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

const pathCreditLines = pathLedger + "/credit-lines"

// creditLineRoutes are 信用额度调整: changes of partners' lines, those that wait for a second person first.
func creditLineRoutes() []Route {
	see, may := []scope.Item{scope.ItemLedgerView}, []scope.Item{scope.ItemCreditChange}
	at := "/o/:org" + pathCreditLines
	rows := []Route{{Method: get, Path: at, Name: "credit_lines", Sides: vendors, Items: see, Title: "creditlines.title", Do: (*Handlers).creditLines},
		{Method: post, Path: at, Name: "ledger.credit", Sides: vendors, Items: may, Query: []string{"partner"}, Do: (*Handlers).setCreditLine}}
	for i := range creditline.Flow.Rows {
		r := &creditline.Flow.Rows[i]
		rows = append(rows, Route{Method: post, Path: at + "/:id/" + r.Noun, Name: "credit_lines." + r.Noun, Sides: vendors, Items: r.Who,
			Do: func(h *Handlers, c *Ctx) error { return h.decideCreditLine(c, r.Do) }}.moves(creditline.Flow, string(r.Do)))
	}
	return rows
}

var creditTone = map[creditline.State]part.Tone{creditline.StateProposed: part.Warn, creditline.StateApproved: part.Good, creditline.StateRefused: part.Bad}

func (h *Handlers) creditLines(c *Ctx) error { return h.creditLinesPage(c, http.StatusOK, nil) }

func (h *Handlers) creditLinesPage(c *Ctx, status int, refused *fault.Error) error {
	title := c.T("creditlines.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("ledger.title"), Href: c.at(pathLedger)}, part.Link{Text: title})}, Flash: c.done(), Pages: ledgerPages(c, pathCreditLines),
		Notes: []string{c.T("creditlines.note")}}
	if flash := c.exported(); flash != nil {
		p.Flash = flash
	}
	p.Refusal, p.Conflict = lost(c, refused, c.at(pathCreditLines))
	if c.Scope.Has(scope.ItemCreditChange) {
		names, err := h.ledgerNames(c)
		if err != nil {
			return err
		}
		p.Buttons = []part.Button{creditButton(c, names)}
	}
	p.Filter = &part.Filter{Action: c.at(pathCreditLines), Reset: c.at(pathCreditLines), Fields: []part.FilterField{
		choiceOf(c, "state", c.T("opsview.col.state"), "credit_change.state.", creditline.State(c.QueryParam("state")), creditline.Flow.States())}}
	if _, err := h.board(c, &p, "credit_lines"); err != nil {
		return err
	}
	return c.page(status, p.Page())
}

func (h *Handlers) readCreditLines(c *Ctx) (*sheet, error) {
	state := creditline.State(c.QueryParam("state"))
	if state != "" && !slices.Contains(creditline.Flow.States(), state) {
		return nil, notFound()
	}
	list, err := h.Credits.List(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: []listColumn{{key: "partner", title: c.T("ledger.col.partner"), note: c.T("company.code")}, {key: "was", title: c.T("creditlines.was"), num: true}, {key: "line", title: c.T("creditlines.line"), num: true, class: "m"},
		{key: "at", title: c.T("creditlines.at"), note: c.T("ledger.col.by"), class: "num-l"}, {key: "decided", title: c.T("company.decided"), note: c.T("company.decided_by"), class: "num-l"}, {key: "memo", title: c.T("ledger.col.memo"), note: c.T("company.reason")},
		{key: "state", title: c.T("opsview.col.state")}}, empty: part.Empty{Title: c.T("creditlines.empty"), Text: c.T("creditlines.empty_text")}}
	if state != "" {
		s.narrowed("state", c.T("credit_change.state."+string(state)))
	}
	for i := range list {
		x := &list[i]
		if state != "" && x.State != state {
			continue
		}
		s.add(sheetRow{key: x.ID, at: latestOf(x.CreatedAt, x.DecidedAt), mark: marks(string(x.State), x.Was.String(), x.Line.String()), cells: []opsview.Cell{{Text: x.PartnerName, Note: x.PartnerCode}, amountCell(x.Was, x.Currency), amountCell(x.Line, x.Currency),
			{Text: i18n.DateTime(x.CreatedAt), Note: x.CreatedBy}, {Text: bound(x.DecidedAt), Note: x.DecidedBy}, {Text: or(x.Memo, i18n.Nothing), Note: x.Reason},
			{Status: &part.Status{Text: c.T("credit_change.state." + string(x.State)), Tone: creditTone[x.State]}, Buttons: h.creditActs(c, x)}}})
	}
	return s, nil
}

// creditActs are what may be done with a change; to whoever proposed it the page says why somebody else approves it.
func (h *Handlers) creditActs(c *Ctx, x *creditline.Change) []part.Button {
	var out []part.Button
	for _, b := range h.Credits.Allowed(c.Scope, x) {
		if !b.Enabled && (b.Action != string(creditline.ActionApprove) || b.Refusal.Code != "foureyes.same_person") {
			continue
		}
		button := actionButton(c, b, c.at(pathCreditLines+"/"+x.ID+"/"+b.Noun), x.PartnerName, x.Version)
		button.ID, button.Primary = b.Action+"-"+x.ID, b.Action == string(creditline.ActionApprove)
		if b.Enabled {
			button.Hint = ""
		}
		out = append(out, button)
	}
	return out
}

// setCreditLine sets a line, or keeps the change for a second person.
func (h *Handlers) setCreditLine(c *Ctx) error {
	if err := c.readForm(); err != nil {
		return err
	}
	amount, err := typedAmount(c.FormValue("amount"))
	if err == nil {
		err = h.once(c, func(ctx context.Context) (answer, error) {
			partner, err := h.Orgs.ByCode(ctx, c.Scope, c.FormValue("partner"))
			if err == nil && !partner.Kind.IsPartner() {
				err = fault.NotFound("organisation.unknown", fault.Args{"code": partner.Code})
			}
			if err != nil {
				return answer{}, err
			}
			x, err := h.Credits.Propose(ctx, c.Scope, creditline.Input{PartnerID: partner.ID, Currency: c.FormValue("currency"), Line: amount, Memo: c.FormValue("remark")})
			done := map[bool]string{true: "credit_set", false: "credit_waits"}[x.State == creditline.StateApproved]
			return answer{Location: c.withQuery(pathCreditLines, "done", done), Body: creditBody(&partner, &x)}, err
		})
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.creditLinesPage(c, status, f) })
}

func creditBody(partner *organisation.Organisation, x *creditline.Change) map[string]any {
	return map[string]any{"id": x.ID, "partner": partner.Code, "was": x.Was.String(), "line": x.Line.String(), "currency": x.Currency, "state": string(x.State)}
}

func (h *Handlers) decideCreditLine(c *Ctx, do creditline.Action) error {
	err := h.once(c, func(ctx context.Context) (answer, error) {
		x, err := h.Credits.Decide(ctx, c.Scope, c.Param("id"), do, c.in("reason"))
		return answer{Location: c.withQuery(pathCreditLines, "done", "credit_"+string(do)), Body: creditBody(&organisation.Organisation{Code: x.PartnerCode}, &x)}, err
	})
	return c.refusedOr(err, func(status int, f *fault.Error) error { return h.creditLinesPage(c, status, f) })
}

// deskCredits are changes that wait for a second person.
func (h *Handlers) deskCredits(c *Ctx) ([]deskRow, error) {
	list, err := h.Credits.List(c.ctx(), c.Scope)
	var out []deskRow
	for i := range list {
		x := &list[i]
		if x.State == creditline.StateProposed {
			out = append(out, deskRow{id: x.ID, state: string(x.State), title: opsview.Cell{Text: c.T("creditlines.of", "From", i18n.Money(x.Was, x.Currency), "To", i18n.Money(x.Line, x.Currency)), Note: x.Memo, Href: c.withQuery(pathCreditLines, "state", string(x.State))},
				who: x.PartnerName, by: x.CreatedBy, since: x.CreatedAt, sums: sums{{x.Currency, x.Line.Exact()}}, two: true})
		}
	}
	return out, err
}

// deskCredit decides a change from the desk.
func deskCredit(do creditline.Action) func(h *Handlers, ctx context.Context, c *Ctx, id, reason string) error {
	return func(h *Handlers, ctx context.Context, c *Ctx, id, reason string) error {
		_, err := h.Credits.Decide(ctx, c.Scope, id, do, reason)
		return err
	}
}
