package portal

import (
	"context"
	"net/http"
	"strings"

	"huoban/internal/adjustment"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/scope"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

var adjustmentTone = map[adjustment.State]part.Tone{adjustment.StateProposed: part.Warn, adjustment.StateApproved: part.Good, adjustment.StateRejected: part.Grey}

// adjustmentRoutes are entries by staff and the decision of a second person.
func adjustmentRoutes() []Route {
	row := func(method, path, name string, item scope.Item, title string, do func(*Handlers, *Ctx) error) Route {
		return Route{Method: method, Path: "/o/:org/adjustments" + path, Name: name, Sides: vendors, Items: []scope.Item{item}, Title: title, Do: do}
	}
	out := []Route{
		row(get, "", "adjustments", scope.ItemAdjustmentView, "ops.adjustment.title", (*Handlers).adjustments),
		row(get, "/new", "adjustments.new", scope.ItemAdjustmentPropose, "ops.propose.title", (*Handlers).proposePage).noList("form"),
		row(post, "", "adjustments.propose", scope.ItemAdjustmentPropose, "", (*Handlers).propose),
	}
	out[2].Query = []string{"partner", "customer"}
	for i := range adjustment.Flow.Rows {
		r := &adjustment.Flow.Rows[i]
		decide := row(post, "/:id/"+r.Noun, "adjustments."+r.Noun, scope.ItemAdjustmentApprove, "",
			func(h *Handlers, c *Ctx) error { return h.decideAdjustment(c, r.Do) }).moves(adjustment.Flow, string(r.Do))
		decide.Items = r.Who
		out = append(out, decide)
	}
	return out
}

func (h *Handlers) adjustments(c *Ctx) error { return h.adjustmentList(c, http.StatusOK, nil) }

// adjustmentList lists a vendor's adjustments, those that wait for a decision first.
func (h *Handlers) adjustmentList(c *Ctx, status int, refused *fault.Error) error {
	title := c.T("ops.adjustment.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title})}, Flash: c.done(), Filter: adjustmentFilter(c, c.QueryParam("state"))}
	p.Refusal, p.Conflict = lost(c, refused, c.at("/adjustments"))
	if c.Scope.Has(scope.ItemAdjustmentPropose) {
		p.Header.Buttons = []part.Link{{Text: c.T("ops.propose.title"), Href: c.at("/adjustments/new")}}
	}
	if _, err := h.board(c, &p, "adjustments"); err != nil {
		return err
	}
	return c.page(status, p.Page())
}

func adjustmentFilter(c *Ctx, state string) *part.Filter {
	field := part.FilterField{Name: "state", Label: c.T("opsview.col.state"), Value: state, Options: []part.Option{{Label: c.T("ops.filter.any")}}}
	for _, s := range adjustment.Flow.States() {
		field.Options = append(field.Options, part.Option{Value: string(s), Label: c.T("adjustment.state." + string(s))})
	}
	return &part.Filter{Action: c.at("/adjustments"), Reset: c.at("/adjustments"), Fields: []part.FilterField{field}}
}

// sideOf is the side of a pair; late lines stand on none and add to their customer.
func sideOf(a *adjustment.Adjustment) adjustment.Side {
	if a.Side == adjustment.SideNone {
		return adjustment.SideIn
	}
	return a.Side
}

func (h *Handlers) proposePage(c *Ctx) error { return h.proposeForm(c, http.StatusOK, nil) }

// proposeForm shows the form with what was typed; a link may fill it too.
func (h *Handlers) proposeForm(c *Ctx, status int, refused *fault.Error) error {
	orgs, err := h.Orgs.List(c.ctx(), c.Scope)
	if err != nil {
		return err
	}
	partner := part.Field{Name: "partner", Label: c.T("ops.propose.partner"), Type: "select", Required: true, Value: c.FormValue("partner"), Options: []part.Option{{}}}
	for _, o := range orgs {
		if o.Kind.IsPartner() {
			partner.Options = append(partner.Options, part.Option{Value: o.Code, Label: o.Name + " · " + o.Code})
		}
	}
	title := c.T("ops.propose.title")
	p := opsview.Propose{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("ops.adjustment.title"), Href: c.at("/adjustments")}, part.Link{Text: title})},
		Action: c.at("/adjustments"), Submit: c.T("ops.propose.submit"), Hidden: fresh(), Refusal: refusalOf(c, refused), Notes: []string{c.T("ops.propose.note_second"), c.T("ops.propose.note_cycle")},
		Fields: []part.Field{partner,
			{Name: "customer", Label: c.T("ops.propose.customer"), Value: c.FormValue("customer"), Help: c.T("ops.propose.customer_help")},
			{Name: "cycle", Label: c.T("ops.propose.cycle"), Value: c.FormValue("cycle"), Hint: "2026-10", Required: true},
			{Name: "currency", Label: c.T("opsview.draft.currency"), Value: c.FormValue("currency"), Hint: "CNY", Required: true, MaxLength: 3},
			{Name: "amount", Label: c.T("ops.propose.amount"), Value: c.FormValue("amount"), Help: c.T("ops.propose.amount_help"), Required: true},
			{Name: "reason", Label: c.T("ops.reason"), Type: "textarea", Value: c.FormValue("reason"), Required: true, MaxLength: 500}}}
	return c.page(status, p.Page())
}

// propose enters an adjustment; it counts once a second person approves it.
func (h *Handlers) propose(c *Ctx) error {
	err := h.once(c, func(ctx context.Context) (answer, error) {
		in := adjustment.Proposal{VendorID: c.Org.ID, Corrects: cycle.Cycle(c.FormValue("cycle")), Currency: strings.ToUpper(strings.TrimSpace(c.FormValue("currency"))),
			Amount: c.FormValue("amount"), Reason: c.FormValue("reason")}
		var err error
		if in.PartnerID, err = h.orgID(ctx, c, c.FormValue("partner"), "adjustment.partner_unknown"); err != nil {
			return answer{}, err
		}
		if in.CustomerID, err = h.orgID(ctx, c, c.FormValue("customer"), "adjustment.customer_unknown"); err != nil {
			return answer{}, err
		}
		a, err := h.Adjustments.Propose(ctx, c.Scope, in)
		return answer{Location: c.at("/adjustments?done=proposed"), Body: adjustmentBody(&a)}, err
	})
	if err == nil {
		return nil
	}
	if f := faultOf(err); f.Kind == fault.KindNotFound && strings.HasPrefix(f.Code, "adjustment.") && !wantsJSON(c.Request()) {
		return h.proposeForm(c, http.StatusUnprocessableEntity, f)
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.proposeForm(c, status, f) })
}

// orgID finds an organisation in scope by its code; an empty code is none.
func (h *Handlers) orgID(ctx context.Context, c *Ctx, code, unknown string) (string, error) {
	if code = strings.TrimSpace(code); code == "" {
		return "", nil
	}
	o, err := h.Orgs.ByCode(ctx, c.Scope, code)
	if fault.Is(err, fault.KindNotFound) {
		err = fault.NotFound(unknown, nil)
	}
	return o.ID, err
}

func adjustmentBody(a *adjustment.Adjustment) map[string]any {
	return map[string]any{"id": a.ID, "state": string(a.State), "cycle": string(a.Cycle), "corrects": string(a.Corrects), "currency": a.Currency, "amount": a.Base.String()}
}

// decideAdjustment approves or rejects; the service refuses whoever entered it.
func (h *Handlers) decideAdjustment(c *Ctx, do adjustment.Action) error {
	err := h.once(c, func(ctx context.Context) (answer, error) {
		var a adjustment.Adjustment
		var err error
		if do == adjustment.ActionApprove {
			a, err = h.Adjustments.Approve(ctx, c.Scope, c.Param("id"))
		} else {
			a, err = h.Adjustments.Reject(ctx, c.Scope, c.Param("id"), c.in("reason"))
		}
		return answer{Location: c.at("/adjustments?done=adjustment_" + string(do)), Body: adjustmentBody(&a)}, err
	})
	if err == nil {
		return nil
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.adjustmentList(c, status, f) })
}
