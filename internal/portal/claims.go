package portal

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"huoban/internal/agreement"
	"huoban/internal/fault"
	"huoban/internal/foureyes"
	"huoban/internal/i18n"
	"huoban/internal/money"
	"huoban/internal/scope"
	"huoban/internal/topup"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

const pathClaims = "/remittance-claims"

// claimRoutes are 汇款认领: a partner's own claims, and where 财经 of the vendor decides them.
func claimRoutes() []Route {
	see := []scope.Item{scope.ItemFundsView, scope.ItemLedgerView}
	at := "/o/:org" + pathClaims
	rows := []Route{
		{Method: get, Path: at, Name: "claims", Sides: traders, Items: see, Title: "claims.title", Do: (*Handlers).claims},
		{Method: post, Path: at, Name: "claims.make", Sides: partners, Items: []scope.Item{scope.ItemFundsChange}, Query: []string{"vendor"}, Do: (*Handlers).makeClaim},
	}
	for i := range topup.ClaimFlow.Rows {
		r := &topup.ClaimFlow.Rows[i]
		sides := vendors
		if r.Do == topup.ClaimWithdraw {
			sides = partners
		}
		rows = append(rows, Route{Method: post, Path: at + "/:id/" + r.Noun, Name: "claims." + string(r.Do), Sides: sides, Items: r.Who, Do: func(h *Handlers, c *Ctx) error { return h.decideClaim(c, r.Do) }}.moves(topup.ClaimFlow, string(r.Do)))
	}
	return rows
}

var claimTone = map[topup.ClaimState]part.Tone{topup.ClaimReviewing: part.Warn, topup.ClaimSecond: part.Warn, topup.ClaimApproved: part.Good, topup.ClaimRefused: part.Bad}

func (h *Handlers) claims(c *Ctx) error { return h.claimsPage(c, http.StatusOK, nil) }

func (h *Handlers) claimsPage(c *Ctx, status int, refused *fault.Error) error {
	title := c.T("claims.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title})}, Flash: c.done()}
	if c.Scope.Side() == scope.SidePartner {
		p = h.fundsBoard(c, pathClaims, "claims.title")
	} else {
		p.Pages = ledgerPages(c, pathClaims)
		if flash := c.exported(); flash != nil {
			p.Flash = flash
		}
	}
	p.Refusal, p.Conflict = lost(c, refused, c.at(pathClaims))
	if p.Refusal != nil && c.Scope.Has(scope.ItemFundsChange) && refused.Code == "topup.payer_not_agreed" {
		p.Refusal.Button = &part.Link{Text: c.T("agreements.new"), Href: c.withQuery(pathAgreements+"/new", "vendor", c.FormValue("vendor"), "kind", string(agreement.KindSingle), "payer", c.FormValue("payer"), "begins", c.FormValue("paid_on"))}
	}
	state := part.FilterField{Name: "state", Label: c.T("opsview.col.state"), Value: c.QueryParam("state"), Options: []part.Option{{Label: c.T("ops.filter.any")}}}
	for _, s := range topup.ClaimFlow.States() {
		state.Options = append(state.Options, part.Option{Value: string(s), Label: c.T("remittance_claim.state." + string(s))})
	}
	filter := &part.Filter{Action: c.at(pathClaims), Reset: c.at(pathClaims), Fields: append([]part.FilterField{state}, paidFields(c, c.T("claims.q"))...)}
	if c.Scope.Side() == scope.SidePartner && c.Scope.Has(scope.ItemFundsChange) {
		vendors, currencies, err := h.fundChoices(c, nil)
		if err != nil {
			return err
		}
		fields := append(choiceFields(c, vendors, currencies), part.Field{Name: "amount", Label: c.T("claims.amount"), Numeric: true, Required: true}, part.Field{Name: "paid_on", Label: c.T("claims.paid_on"), Hint: "2026-11-05", Required: true},
			part.Field{Name: "payer", Label: c.T("claims.payer"), Value: c.Org.Name, Required: true, MaxLength: 200}, part.Field{Name: "tail", Label: c.T("claims.tail"), Required: true, MaxLength: 4, Numeric: true}, part.Field{Name: "remark", Label: c.T("ledger.col.memo"), MaxLength: 500})
		p.Notes = []string{c.T("claims.note")}
		p.Buttons = []part.Button{{ID: "claim", Text: c.T("claims.make"), Primary: true, Action: c.at(pathClaims), Hidden: fresh(), Dialog: &part.Dialog{Title: c.T("claims.make"), Points: []string{c.T("claims.point")}, Fields: fields, Confirm: c.T("claims.submit")}}}
	}
	p.Filter = filter
	if _, err := h.board(c, &p, "claims"); err != nil {
		return err
	}
	return c.page(status, p.Page())
}

func (h *Handlers) readClaims(c *Ctx) (*sheet, error) {
	state := topup.ClaimState(c.QueryParam("state"))
	if state != "" && !slices.Contains(topup.ClaimFlow.States(), state) {
		return nil, notFound()
	}
	paid, err := paidFilterOf(c)
	if err != nil {
		return nil, err
	}
	list, err := h.TopUps.Claims(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	vendor := c.Scope.Side() == scope.SideVendor
	s := &sheet{empty: part.Empty{Title: c.T("claims.empty"), Text: c.T("claims.empty_text")}}
	if vendor {
		s.columns = []listColumn{{key: "partner", title: c.T("ledger.col.partner"), note: c.T("company.code")}}
	}
	s.columns = append(s.columns, listColumn{key: "paid", title: c.T("claims.paid_on"), class: "num-l"}, listColumn{key: "payer", title: c.T("claims.payer"), note: c.T("ledger.col.memo")}, listColumn{key: "amount", title: c.T("claims.amount"), num: true, money: true, class: "m"},
		listColumn{key: "at", title: c.T("claims.at"), note: c.T("ledger.col.by"), class: "num-l"}, listColumn{key: "decided", title: c.T("company.decided"), note: c.T("company.reason"), class: "num-l"}, listColumn{key: "state", title: c.T("opsview.col.state")})
	if state != "" {
		s.narrowed("state", c.T("remittance_claim.state."+string(state)))
	}
	paid.narrow(c, s)
	for i := range list {
		x := &list[i]
		if state != "" && x.State != state || !paid.takes(x.PaidOn, x.PayerName, x.Note, x.PartnerCode, x.PartnerName) {
			continue
		}
		row := sheetRow{key: x.ID, at: latestOf(x.CreatedAt, x.DecidedAt), mark: marks(string(x.State), x.Amount.String()), sums: sums{{x.Currency, x.Amount.Exact()}}}
		if vendor {
			row.cells = []opsview.Cell{{Text: x.PartnerName, Note: x.PartnerCode}}
		}
		acts, err := h.claimActs(c, x)
		if err != nil {
			return nil, err
		}
		row.cells = append(row.cells, opsview.Cell{Text: x.PaidOn}, opsview.Cell{Text: x.PayerName, Note: x.Note}, amountCell(x.Amount, x.Currency), opsview.Cell{Text: i18n.DateTime(x.CreatedAt), Note: x.CreatedBy}, opsview.Cell{Text: bound(x.DecidedAt), Note: x.Reason},
			opsview.Cell{Status: &part.Status{Text: c.T("remittance_claim.state." + string(x.State)), Tone: claimTone[x.State]}, Buttons: acts})
		s.add(row)
	}
	return s, nil
}

// claimActs are what may be done with a claim; that its payer has no agreement is said where it would be approved.
func (h *Handlers) claimActs(c *Ctx, x *topup.Claim) ([]part.Button, error) {
	var out []part.Button
	all, err := h.TopUps.ClaimActions(c.ctx(), c.Scope, x)
	if err != nil {
		return nil, err
	}
	for _, b := range all {
		if !b.Enabled {
			if b.Refusal.Code == "topup.payer_not_agreed" {
				out = append(out, part.Button{ID: b.Action + "-" + x.ID, Text: c.T(b.Label()), Off: true, Hint: hint(c, b.Refusal)})
			}
			continue
		}
		amount := i18n.Money(x.Amount, x.Currency)
		button := actionButton(c, b, c.at(pathClaims+"/"+x.ID+"/"+b.Noun), amount, x.Version)
		button.ID, button.Hint, button.Primary = b.Action+"-"+x.ID, "", !button.Danger && b.Action != string(topup.ClaimWithdraw)
		button.Dialog.Title, button.Dialog.Points = c.T("claims.ask."+b.Action, "Amount", amount), []string{c.T("claims.point." + b.Action)}
		out = append(out, button)
	}
	return out, nil
}

func (h *Handlers) makeClaim(c *Ctx) error {
	if err := c.readForm(); err != nil {
		return err
	}
	err := h.onceWithAmount(c, func(ctx context.Context, vendorID string, amount money.Amount) (answer, error) {
		x, err := h.TopUps.MakeClaim(ctx, c.Scope, topup.ClaimInput{VendorID: vendorID, Currency: c.FormValue("currency"), Amount: amount, PaidOn: strings.TrimSpace(c.FormValue("paid_on")), PayerName: c.FormValue("payer"), PayerTail: c.FormValue("tail"), Note: c.FormValue("remark")})
		return claimAnswer(c, &x, "claim_made"), err
	})
	return c.refuse(err, func(status int, f *fault.Error) error { return h.claimsPage(c, status, f) })
}

func claimAnswer(c *Ctx, x *topup.Claim, done string) answer {
	return answer{Location: c.withQuery(pathClaims, "done", done), Body: map[string]any{"id": x.ID, "state": string(x.State), "amount": x.Amount.String(), "currency": x.Currency}}
}

func (h *Handlers) decideClaim(c *Ctx, do topup.ClaimAction) error {
	if err := c.readForm(); err != nil {
		return err
	}
	err := h.once(c, func(ctx context.Context) (answer, error) {
		x, err := h.TopUps.Decide(ctx, c.Scope, c.Param("id"), do, c.in("reason"))
		return claimAnswer(c, &x, "claim_"+string(do)), err
	})
	return c.refuse(err, func(status int, f *fault.Error) error { return h.claimsPage(c, status, f) })
}

// deskClaims are claims, for the desk of 财经.
func (h *Handlers) deskClaims(c *Ctx) ([]deskRow, error) {
	list, err := h.TopUps.Claims(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	limits, err := h.FourEyes.Of(c.ctx(), c.Org.ID)
	var out []deskRow
	for i := range list {
		x := &list[i]
		out = append(out, deskRow{id: x.ID, state: string(x.State), title: opsview.Cell{Text: c.T("claims.of", "Amount", i18n.Money(x.Amount, x.Currency)), Note: x.PayerName + " · " + x.PaidOn, Href: c.withQuery(pathClaims, "state", string(x.State))},
			who: x.PartnerName, by: x.CreatedBy, since: latestOf(x.CreatedAt, x.DecidedAt), sums: sums{{x.Currency, x.Amount.Exact()}}, two: limits.Needed(foureyes.KindClaim, x.Currency, x.Amount.Exact())})
	}
	return out, err
}

func (h *Handlers) approveClaim(ctx context.Context, c *Ctx, id, _ string) error {
	_, err := h.TopUps.Approve(ctx, c.Scope, id)
	return err
}

func (h *Handlers) refuseClaim(ctx context.Context, c *Ctx, id, reason string) error {
	_, err := h.TopUps.Decide(ctx, c.Scope, id, topup.ClaimRefuse, reason)
	return err
}

// arrearsDuties are bills that are overdue.
func (h *Handlers) arrearsDuties(c *Ctx) ([]duty, error) {
	if !c.Scope.Has(scope.ItemFundsChange) {
		return nil, nil
	}
	list, err := h.Payments.Arrears(c.ctx(), "", c.Org.ID)
	var out []duty
	for _, a := range list {
		out = append(out, duty{kind: dutyArrears, title: c.T("work.arrears", "Amount", i18n.Money(a.Amount, a.Currency)), text: c.T("work.arrears_text", "Count", int64(a.Bills), "Cycle", string(a.Oldest)), since: a.Oldest.BillReady(),
			cure: part.Link{Text: c.T("funds.repay"), Href: c.at(pathFunds + "/bills")}})
	}
	return out, err
}
