package portal

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"huoban/internal/contract"
	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/i18n"
	"huoban/internal/passcode"
	"huoban/internal/scope"
	"huoban/internal/sorted"
	"huoban/web/templates/growview"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

const pathContracts = "/contracts"

// contractRoutes are 合同管理: a partner's contracts, and where its vendor reviews and registers them.
func contractRoutes() []Route {
	see, may := []scope.Item{scope.ItemContractView, scope.ItemContractReviewView, scope.ItemContractReview}, []scope.Item{scope.ItemContractChange, scope.ItemContractReview}
	at := "/o/:org" + pathContracts
	rows := []Route{
		{Method: get, Path: at, Name: "contracts", Sides: traders, Items: see, Title: "contracts.title", Do: (*Handlers).contracts},
		{Method: get, Path: at + "/new", Name: "contracts.new", Sides: traders, Items: may, Query: []string{"vendor", "partner"}, Title: "contracts.apply", NoList: "form", Do: (*Handlers).contractPage},
		{Method: post, Path: at, Name: "contracts.make", Sides: traders, Items: may, Query: []string{"vendor", "partner"}, Do: (*Handlers).contractMade},
		{Method: get, Path: at + "/:id", Name: "contracts.show", Sides: traders, Items: see, Title: "contracts.title", Do: (*Handlers).contractShown},
		{Method: get, Path: at + "/:id/amendment", Name: "contracts.amending", Sides: partners, Items: may[:1], Title: "contracts.amend", NoList: "form", Do: (*Handlers).contractAmendPage},
		{Method: post, Path: at + "/:id/payment", Name: "contracts.pay", Sides: partners, Items: may[:1], Do: (*Handlers).contractPaid},
		{Method: get, Path: at + "/:id/paper", Name: "contracts.paper", Sides: traders, Items: see, Do: (*Handlers).contractPaper},
		{Method: post, Path: at + "/:id/paper", Name: "contracts.sign", Sides: traders, Items: may, Do: (*Handlers).contractSigned},
	}
	rows = append(rows, Route{Method: post, Path: at + "/:id/amendment", Name: "contracts.amendment", Sides: partners, Items: may[:1], Do: (*Handlers).contractAmended}.moves(contract.Flow, string(contract.ActionAmend)))
	for i := range contract.Flow.Rows {
		r := &contract.Flow.Rows[i]
		if r.Noun == "" || r.Do == contract.ActionAmend {
			continue
		}
		sides := partners
		if r.Who[0] == scope.ItemContractReview {
			sides = vendors
		}
		rows = append(rows, Route{Method: post, Path: at + "/:id/" + r.Noun, Name: "contracts." + r.Noun, Sides: sides, Items: r.Who, Do: func(h *Handlers, c *Ctx) error { return h.contractAct(c, r.Do) }}.moves(contract.Flow, string(r.Do)))
	}
	return rows
}

var (
	contractTone  = map[contract.State]part.Tone{contract.StateReviewing: part.Brand, contract.StateApproved: part.Brand, contract.StateEffective: part.Good, contract.StateRefused: part.Bad, contract.StateTerminated: part.Bad}
	contractSorts = []string{"ending", "amount"}
)

func shownContractStates(c *Ctx) []contract.State {
	return slices.DeleteFunc(contract.Flow.States(), func(s contract.State) bool {
		return s == contract.StateDeleted || s == contract.StateDraft && c.Scope.Side() == scope.SideVendor
	})
}

func contractStatus(c *Ctx, x *contract.Contract) *part.Status {
	tone := contractTone[x.State]
	if x.State == contract.StateReviewing && c.Scope.Side() == scope.SideVendor {
		tone = part.Warn // somebody here must act
	}
	return c.explained(contract.Flow.Machine, x.ID, string(x.State), tone)
}

// newContract is the way to the form: 合同申请 of a partner, 登记线下合同 of a vendor.
func (c *Ctx) newContract() *part.Link {
	switch {
	case c.Scope.Side() == scope.SidePartner && c.Scope.Has(scope.ItemContractChange):
		return &part.Link{Text: c.T("contracts.apply"), Href: c.at(pathContracts + "/new")}
	case c.Scope.Side() == scope.SideVendor && c.Scope.Has(scope.ItemContractReview):
		return &part.Link{Text: c.T("contracts.register"), Href: c.at(pathContracts + "/new")}
	}
	return nil
}

func (h *Handlers) contracts(c *Ctx) error {
	title := c.T("contracts.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title})}, Flash: c.done()}
	kind := c.QueryParam("kind")
	p.Tabs = []part.Tab{{Text: c.T("ops.filter.any"), Href: c.at(pathContracts), Current: kind == ""}}
	for _, k := range contract.Kinds {
		p.Tabs = append(p.Tabs, part.Tab{Text: c.T(k.Label()), Href: c.withQuery(pathContracts, "kind", string(k)), Current: kind == string(k)})
	}
	if link := c.newContract(); link != nil {
		p.Header.Buttons = []part.Link{*link}
	}
	sorting := choiceOf(c, "sort", c.T("prospects.filter.sort"), "contracts.sort.", c.QueryParam("sort"), contractSorts)
	sorting.Options[0].Label = c.T("agreements.sort.newest")
	p.Filter = &part.Filter{Action: c.at(pathContracts), Reset: c.at(pathContracts), Fields: []part.FilterField{{Name: "q", Label: c.T("contracts.filter.q"), Value: c.QueryParam("q")},
		choiceOf(c, "state", c.T("opsview.col.state"), "contract.state.", contract.State(c.QueryParam("state")), shownContractStates(c)),
		folded(choiceOf(c, "kind", c.T("contracts.kind"), "contracts.kind.", contract.Kind(kind), contract.Kinds)), dayField(c, "from"), dayField(c, "to"), folded(sorting)}}
	if _, err := h.board(c, &p, "contracts"); err != nil {
		return err
	}
	return c.page(http.StatusOK, p.Page())
}

func (h *Handlers) readContracts(c *Ctx) (*sheet, error) {
	f, sort := contract.Filter{State: contract.State(c.QueryParam("state")), Kind: contract.Kind(c.QueryParam("kind"))}, c.QueryParam("sort")
	from, until, err := daysParam(c)
	if f.State != "" && !slices.Contains(shownContractStates(c), f.State) || f.Kind != "" && !slices.Contains(contract.Kinds, f.Kind) || sort != "" && !slices.Contains(contractSorts, sort) {
		err = notFound()
	}
	if err != nil {
		return nil, err
	}
	list, err := h.Contracts.List(c.ctx(), c.Scope, f)
	if err != nil {
		return nil, err
	}
	other, err := h.counterparty(c)
	if err != nil {
		return nil, err
	}
	switch sort {
	case "ending":
		sorted.By(list, func(a, b contract.Contract) int {
			return cmp.Or(strings.Compare(a.Ends, b.Ends), strings.Compare(a.ID, b.ID))
		})
	case "amount":
		sorted.By(list, func(a, b contract.Contract) int {
			return cmp.Or(strings.Compare(a.Currency, b.Currency), cmp.Compare(b.Amount, a.Amount), strings.Compare(a.ID, b.ID))
		})
	}
	s := &sheet{columns: []listColumn{{key: "number", title: c.T("contracts.number"), note: c.T("contracts.paper_no")}, {key: "title", title: c.T("contracts.name"), note: c.T("contracts.kind")}, {key: "with", title: other.title},
		{key: "begins", title: c.T("agreements.begins"), class: "num-l"}, {key: "ends", title: c.T("agreements.ends"), class: "num-l"}, {key: "made", title: c.T("agreements.made"), note: c.T("agreements.by"), class: "num-l"},
		{key: "amount", title: c.T("contracts.amount"), num: true, money: true, class: "m"}, {key: "state", title: c.T("opsview.col.state"), note: c.T("company.reason")}},
		empty: part.Empty{Title: c.T("contracts.empty"), Text: c.T("contracts.empty_text"), Button: c.newContract()}}
	text := strings.ToLower(strings.TrimSpace(c.QueryParam("q")))
	for i := range list {
		x := &list[i]
		with := other.of(x.VendorID, x.PartnerID)
		if text != "" && !strings.Contains(strings.ToLower(join([]string{x.Number, x.PaperNo, x.Title, with}, "\n")), text) || !within(x.CreatedAt, from, until) {
			continue
		}
		worth := sums{{x.Currency, x.Amount.Exact()}}
		s.add(sheetRow{key: x.ID, at: x.ChangedAt, mark: marks(string(x.State), x.Amount.String(), x.Title, x.Begins, x.Ends), sums: worth, cells: []opsview.Cell{{Text: x.Number, Note: x.PaperNo, Href: c.at(pathContracts + "/" + x.ID)},
			{Text: x.Title, Note: c.T(x.Kind.Label())}, {Text: with}, {Text: i18n.DateTime(x.BeginsAt())}, {Text: i18n.DateTime(x.EndsAt())}, {Text: i18n.DateTime(x.CreatedAt), Note: x.CreatedBy}, moneyCell(worth), {Status: contractStatus(c, x), Note: x.Reason}}})
	}
	s.narrowed("q", c.QueryParam("q"))
	narrowedWords(c, s, [][3]string{{"state", string(f.State), "contract.state."}, {"kind", string(f.Kind), "contracts.kind."}, {"sort", sort, "contracts.sort."}})
	return s, nil
}

func (h *Handlers) contractShown(c *Ctx) error { return h.contractDetail(c, http.StatusOK, nil) }

// contractFacts are what a contract says, kept or not yet.
func (h *Handlers) contractFacts(c *Ctx, x *contract.Contract) ([]part.Item, error) {
	names, err := h.partyNames(c)
	if err != nil {
		return nil, err
	}
	book, err := h.Orgs.EntityBook(c.ctx(), x.VendorID)
	if err != nil {
		return nil, err
	}
	entity, _ := book.ByID(x.EntityID)
	items := []part.Item{{Label: c.T("contracts.name"), Text: x.Title}, {Label: c.T("contracts.kind"), Text: c.T(x.Kind.Label())}, {Label: c.T("contracts.paper_no"), Text: x.PaperNo}, {Label: c.T("withdrawal.col.partner"), Text: names[x.PartnerID]},
		{Label: c.T("withdrawal.col.vendor"), Text: names[x.VendorID]}, {Label: c.T("contracts.entity"), Text: entity.Name}, {Label: c.T("contracts.amount"), Text: i18n.Money(x.Amount, x.Currency)},
		{Label: c.T("agreements.begins"), Text: i18n.DateTime(x.BeginsAt())}, {Label: c.T("agreements.ends"), Text: i18n.DateTime(x.EndsAt())}, {Label: c.T("prospects.remark"), Text: x.Remark}}
	return slices.DeleteFunc(items, func(i part.Item) bool { return i.Text == "" }), nil
}

// contractDetail is one contract with its plan, its scan, what may be done and what happened.
func (h *Handlers) contractDetail(c *Ctx, status int, refused *fault.Error) error {
	x, err := h.Contracts.Find(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return err
	}
	at := c.at(pathContracts + "/" + x.ID)
	d := growview.Detail{Header: part.Header{Title: c.T("contracts.one", "Number", x.Number), Crumbs: c.crumbs(part.Link{Text: c.T("contracts.title"), Href: c.at(pathContracts)}, part.Link{Text: x.Number}), Status: contractStatus(c, &x)}, Flash: c.done()}
	d.Refusal, d.Conflict = lost(c, refused, at)
	if d.Refusal != nil && refused.Code == "ledger.balance_short" {
		d.Refusal.Button = &part.Link{Text: c.T("topup.title"), Href: c.at(pathTopUps)}
	}
	if d.Facts, err = h.contractFacts(c, &x); err != nil {
		return err
	}
	paid := contract.Paid(x.Plan)
	if x.Kind == contract.KindOnline {
		d.Facts = append(d.Facts, part.Item{Label: c.T("contracts.paid"), Text: i18n.Money(paid, x.Currency)}, part.Item{Label: c.T("contracts.unpaid"), Text: i18n.Money(x.Amount-paid, x.Currency)})
	}
	for _, i := range []part.Item{{Label: c.T("agreements.made"), Text: i18n.DateTime(x.CreatedAt) + " · " + x.CreatedBy}, {Label: c.T("prospects.submitted"), Text: bound(x.SubmittedAt)},
		{Label: c.T("company.decided"), Text: join(present(bound(x.DecidedAt), x.DecidedBy), " · ")}, {Label: c.T("company.reason"), Text: x.Reason}} {
		if i.Text != "" {
			d.Facts = append(d.Facts, i)
		}
	}
	p, found, err := h.Contracts.Signed(c.ctx(), &x)
	if err != nil {
		return err
	}
	if d.Facts = append(d.Facts, paperItem(c, &p, found, at)); contract.MaySign(&x, c.Scope) {
		d.Upload = paperForm(c, at)
	}
	if x.State.Amendable() && c.Scope.Has(scope.ItemContractChange) && c.Scope.Side() == scope.SidePartner {
		d.Header.Buttons = append(d.Header.Buttons, part.Link{Text: c.T("contracts.amend"), Href: at + "/amendment"})
	}
	d.Buttons = flowButtons(c, slices.DeleteFunc(h.Contracts.Allowed(c.Scope, &x), func(b flow.Button) bool { return b.Action == string(contract.ActionAmend) }), at, x.Number, x.Version)
	grid, err := h.titled(c, "contract.plan", "plan", c.T("contracts.plan"))
	if err != nil {
		return err
	}
	d.Grids = []opsview.Grid{grid}
	changes, err := h.Contracts.History(c.ctx(), x.ID)
	if err != nil {
		return err
	}
	d.Trail = history(c, contract.Flow.Machine, changes)
	c.ruled(&d.Header, &d.Laws)
	return c.page(status, d.Page())
}

// readContractPlan lists what is to be paid when, and what was: the bill of a contract.
func (h *Handlers) readContractPlan(c *Ctx) (*sheet, error) {
	x, err := h.Contracts.Find(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return nil, err
	}
	may := c.Scope.Side() == scope.SidePartner && c.Scope.Has(scope.ItemContractChange) && x.State == contract.StateEffective && x.Kind == contract.KindOnline
	s := &sheet{columns: []listColumn{{key: "no", title: c.T("contracts.plan_no")}, {key: "promised", title: c.T("contracts.promised"), class: "num-l"}, {key: "amount", title: c.T("contracts.due"), num: true, money: true, class: "m"},
		{key: "paid", title: c.T("contracts.paid_at"), note: c.T("agreements.by"), class: "num-l"}, {key: "state", title: c.T("opsview.col.state")}}, empty: part.Empty{Title: c.T("list.empty"), Text: c.T("list.empty_text")}}
	today := i18n.Date(h.Clock.Now())
	for i := range x.Plan {
		n := &x.Plan[i]
		no, worth := strconv.FormatInt(n.No, 10), sums{{x.Currency, n.Amount.Exact()}}
		state, paid := opsview.Cell{Status: &part.Status{Text: c.T("contracts.item.paid"), Tone: part.Good}}, opsview.Cell{Text: bound(n.PaidAt), Note: n.PaidBy}
		switch {
		case x.Kind == contract.KindOffline:
			state = opsview.Cell{Text: c.T("contracts.item.offline")}
		case n.PaidAt.IsZero():
			word, tone := "contracts.item.open", part.Brand
			if n.PromisedOn < today {
				word, tone = "contracts.item.late", part.Warn
			}
			if state = (opsview.Cell{Status: &part.Status{Text: c.T(word), Tone: tone}}); may {
				state.Buttons = []part.Button{{ID: "pay-" + no, Text: c.T("contracts.pay"), Primary: true, Action: c.at(pathContracts + "/" + x.ID + "/payment"), Hidden: append(fresh(), part.Hidden{Name: "plan_no", Value: no}),
					Dialog: &part.Dialog{Title: c.T("contracts.pay_ask", "Amount", i18n.Money(n.Amount, x.Currency)), Points: []string{c.T("contracts.pay_point")}, Confirm: c.T("contracts.pay")}}}
			}
		}
		s.add(sheetRow{key: no, at: latestOf(x.CreatedAt, n.PaidAt), mark: marks(n.Amount.String(), bound(n.PaidAt)), sums: worth, cells: []opsview.Cell{{Text: no}, {Text: n.PromisedOn}, moneyCell(worth), paid, state}})
	}
	return s, nil
}

func (h *Handlers) contractPaper(c *Ctx) error {
	x, p, body, err := h.Contracts.Paper(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return err
	}
	return c.givePaper(x.Number, &p, body)
}

func (h *Handlers) contractSigned(c *Ctx) error {
	return c.keepPaper(pathContracts, h.Contracts.Sign, func(status int, f *fault.Error) error { return h.contractDetail(c, status, f) })
}

func (h *Handlers) contractAct(c *Ctx, do contract.Action) error {
	err := h.once(c, func(ctx context.Context) (answer, error) {
		x, err := h.Contracts.Do(ctx, c.Scope, c.Param("id"), do, c.in("reason"))
		to := pathContracts + "/" + x.ID
		if do == contract.ActionDelete {
			to = pathContracts
		}
		return answer{Location: c.withQuery(to, "done", "contract_"+string(do)), Body: map[string]any{"id": x.ID, "state": string(x.State)}}, err
	})
	return c.refusedOr(err, func(status int, f *fault.Error) error { return h.contractDetail(c, status, f) })
}

// contractPaid pays one item of the plan, with the code where it is switched on.
func (h *Handlers) contractPaid(c *Ctx) error {
	at := pathContracts + "/" + c.Param("id")
	err := h.proven(c, passcode.OpContract, c.at(at), func(ctx context.Context) (answer, error) {
		no, err := strconv.ParseInt(c.FormValue("plan_no"), 10, 64)
		if err != nil {
			return answer{}, fault.NotFound("contract.item_unknown", nil)
		}
		x, err := h.Contracts.Pay(ctx, c.Scope, c.Param("id"), no)
		return answer{Location: c.withQuery(at, "done", "contract_paid"), Body: map[string]any{"id": x.ID, "paid": contract.Paid(x.Plan).String(), "currency": x.Currency}}, err
	})
	return c.refusedOr(err, func(status int, f *fault.Error) error { return h.contractDetail(c, status, f) })
}

// deskContracts are contracts, for the desk of 财经.
func (h *Handlers) deskContracts(c *Ctx) ([]deskRow, error) {
	list, err := h.Contracts.List(c.ctx(), c.Scope, contract.Filter{State: contract.StateReviewing})
	if err != nil {
		return nil, err
	}
	names, err := h.partyNames(c)
	var out []deskRow
	for i := range list {
		x := &list[i]
		out = append(out, deskRow{id: x.ID, state: string(x.State), title: opsview.Cell{Text: x.Title, Note: x.Begins + " – " + x.Ends, Href: c.at(pathContracts + "/" + x.ID)}, who: names[x.PartnerID], by: x.CreatedBy, since: x.SubmittedAt, sums: sums{{x.Currency, x.Amount.Exact()}}})
	}
	return out, err
}

func deskContract(do contract.Action) func(h *Handlers, ctx context.Context, c *Ctx, id, reason string) error {
	return func(h *Handlers, ctx context.Context, c *Ctx, id, reason string) error {
		_, err := h.Contracts.Do(ctx, c.Scope, id, do, reason)
		return err
	}
}
