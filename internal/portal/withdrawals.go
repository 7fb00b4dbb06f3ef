package portal

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"huoban/internal/fault"
	"huoban/internal/foureyes"
	"huoban/internal/i18n"
	"huoban/internal/organisation"
	"huoban/internal/passcode"
	"huoban/internal/scope"
	"huoban/internal/sorted"
	"huoban/internal/withdrawal"
	"huoban/web/templates/growview"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

const (
	pathWithdrawals = "/funds/withdrawals"
	pathPayouts     = "/payouts"
)

// withdrawalRoutes are 提现 of a partner, and its review and payment by the vendor.
func withdrawalRoutes() []Route {
	view, may := []scope.Item{scope.ItemFundsView, scope.ItemWithdraw}, []scope.Item{scope.ItemWithdraw}
	desk := []scope.Item{scope.ItemPayoutView, scope.ItemPayoutReview, scope.ItemPayoutPay}
	out := []Route{
		{Method: get, Path: "/o/:org" + pathWithdrawals, Name: "withdrawals", Sides: partners, Items: view, Title: "withdrawal.title", Do: (*Handlers).withdrawals},
		{Method: get, Path: "/o/:org" + pathWithdrawals + "/new", Name: "withdrawals.new", Sides: partners, Items: may, Query: []string{"vendor"}, Title: "withdrawal.new", NoList: "form", Do: (*Handlers).withdrawalPage},
		{Method: post, Path: "/o/:org" + pathWithdrawals, Name: "withdrawals.apply", Sides: partners, Items: may, Query: []string{"vendor", "entry"}, Do: (*Handlers).withdrawalApplied},
		{Method: get, Path: "/o/:org" + pathWithdrawals + "/:id", Name: "withdrawals.show", Sides: partners, Items: view, Title: "withdrawal.title", Do: (*Handlers).withdrawalShown},
		{Method: get, Path: "/o/:org" + pathPayouts, Name: "payouts", Sides: vendors, Items: desk, Title: "withdrawal.review", Do: (*Handlers).payouts},
		{Method: get, Path: "/o/:org" + pathPayouts + "/:id", Name: "payouts.show", Sides: vendors, Items: desk, Title: "withdrawal.review", Do: (*Handlers).withdrawalShown},
	}
	for _, r := range withdrawal.Flow.Rows {
		do := r.Do
		row := Route{Method: post, Path: "/o/:org" + pathPayouts + "/:id/" + r.Noun, Name: "payouts." + r.Noun, Sides: vendors, Items: r.Who[:1], Do: func(h *Handlers, c *Ctx) error { return h.withdrawalAct(c, do) }}.moves(withdrawal.Flow, string(do))
		if r.Who[0] == scope.ItemWithdraw {
			row.Path, row.Name, row.Sides = "/o/:org"+pathWithdrawals+"/:id/"+r.Noun, "withdrawals."+r.Noun, partners
		}
		out = append(out, row)
	}
	return out
}

var withdrawalTone = map[withdrawal.State]part.Tone{withdrawal.StatePending: part.Brand, withdrawal.StateSecond: part.Brand, withdrawal.StatePaying: part.Brand, withdrawal.StateDone: part.Good,
	withdrawal.StateFailed: part.Warn, withdrawal.StateRefused: part.Bad, withdrawal.StateReturned: part.Bad}

// shownStates are those a list is narrowed to: what is deleted is in no list.
func shownStates() []withdrawal.State {
	return slices.DeleteFunc(withdrawal.Flow.States(), func(s withdrawal.State) bool { return s == withdrawal.StateDeleted })
}

func withdrawalStatus(c *Ctx, r *withdrawal.Request) *part.Status {
	tone := withdrawalTone[r.State]
	if c.Scope.Side() == scope.SideVendor && (r.State == withdrawal.StatePending || r.State == withdrawal.StateSecond || r.State == withdrawal.StatePaying) {
		tone = part.Warn // somebody here must act
	}
	return c.explained("withdrawal", r.ID, string(r.State), tone)
}

// withdrawalFilter reads the address. Fault: not found for what does not exist.
func withdrawalFilter(c *Ctx) (withdrawal.Filter, error) {
	f := withdrawal.Filter{State: withdrawal.State(c.QueryParam("state")), Kind: withdrawal.Kind(c.QueryParam("kind"))}
	if f.State != "" && !slices.Contains(shownStates(), f.State) || f.Kind != "" && !slices.Contains(withdrawal.Kinds, f.Kind) {
		return f, notFound()
	}
	var err error
	f.From, f.Until, err = daysParam(c)
	return f, err
}

// payoutSorts are the orders of what waits for a vendor beside the usual one, what waits for somebody first.
var payoutSorts = []string{"newest", "amount"}

func withdrawalFields(c *Ctx) []part.FilterField {
	return []part.FilterField{{Name: "q", Label: c.T("withdrawal.filter.q"), Value: c.QueryParam("q")},
		choiceOf(c, "state", c.T("opsview.col.state"), "withdrawal.state.", withdrawal.State(c.QueryParam("state")), shownStates()),
		choiceOf(c, "kind", c.T("withdrawal.kind"), "withdrawal.kind.", withdrawal.Kind(c.QueryParam("kind")), withdrawal.Kinds), dayField(c, "from"), dayField(c, "to")}
}

func (h *Handlers) withdrawals(c *Ctx) error {
	title := c.T("withdrawal.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title})}, Flash: c.done(),
		Filter: &part.Filter{Action: c.at(pathWithdrawals), Reset: c.at(pathWithdrawals), Fields: withdrawalFields(c)}}
	if c.Scope.Has(scope.ItemWithdraw) {
		p.Header.Buttons = []part.Link{{Text: c.T("withdrawal.new"), Href: c.at(pathWithdrawals + "/new")}}
	}
	if _, err := h.board(c, &p, "withdrawals"); err != nil {
		return err
	}
	return c.page(http.StatusOK, p.Page())
}

func (h *Handlers) payouts(c *Ctx) error {
	title := c.T("withdrawal.review")
	sorting := folded(choiceOf(c, "sort", c.T("prospects.filter.sort"), "withdrawal.sort.", c.QueryParam("sort"), payoutSorts))
	sorting.Options[0].Label = c.T("withdrawal.sort.waiting")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title})}, Flash: c.done(),
		Filter: &part.Filter{Action: c.at(pathPayouts), Reset: c.at(pathPayouts), Fields: append(withdrawalFields(c), sorting)}}
	if _, err := h.board(c, &p, "payouts"); err != nil {
		return err
	}
	return c.page(http.StatusOK, p.Page())
}

func (h *Handlers) readWithdrawals(c *Ctx) (*sheet, error) {
	return h.withdrawalSheet(c, pathWithdrawals)
}
func (h *Handlers) readPayouts(c *Ctx) (*sheet, error) { return h.withdrawalSheet(c, pathPayouts) }

// withdrawalSheet lists requests; a vendor sees of whom.
func (h *Handlers) withdrawalSheet(c *Ctx, path string) (*sheet, error) {
	f, err := withdrawalFilter(c)
	if err != nil {
		return nil, err
	}
	list, err := h.Withdrawals.List(c.ctx(), c.Scope, f)
	if err != nil {
		return nil, err
	}
	names, err := h.partyNames(c)
	if err != nil {
		return nil, err
	}
	sort := ""
	if path == pathPayouts {
		if sort = c.QueryParam("sort"); sort != "" && !slices.Contains(payoutSorts, sort) {
			return nil, notFound()
		}
		sortPayouts(list, sort)
	}
	text := strings.ToLower(strings.TrimSpace(c.QueryParam("q")))
	s := &sheet{columns: []listColumn{{key: "number", title: c.T("withdrawal.col.number"), note: c.T("withdrawal.kind")}, {key: "applied", title: c.T("withdrawal.col.applied"), note: c.T("withdrawal.col.by"), class: "num-l"},
		{key: "state", title: c.T("opsview.col.state"), note: c.T("withdrawal.reason")}, {key: "due", title: c.T("withdrawal.col.due"), class: "num-l"},
		{key: "amount", title: c.T("withdrawal.col.amount"), num: true, money: true, class: "m"}}, empty: part.Empty{Title: c.T("withdrawal.empty"), Text: c.T("withdrawal.empty_text")}}
	if path == pathPayouts {
		s.columns = slices.Insert(s.columns, 1, listColumn{key: "partner", title: c.T("withdrawal.col.partner")})
	} else if s.columns = append(s.columns, listColumn{key: "acts", title: c.T("list.acts"), acts: true}); c.Scope.Has(scope.ItemWithdraw) {
		s.empty.Button = &part.Link{Text: c.T("withdrawal.new"), Href: c.at(pathWithdrawals + "/new")}
	}
	for i := range list {
		r := &list[i]
		who := names[r.PartnerID]
		if text != "" && !strings.Contains(strings.ToLower(r.Number), text) && !(path == pathPayouts && strings.Contains(strings.ToLower(who), text)) {
			continue
		}
		worth := sums{{r.Currency, r.Amount.Exact()}}
		due := ""
		if r.State.Open() {
			due = bound(r.DueAt)
		}
		cells := []opsview.Cell{{Text: r.Number, Note: c.T(r.Kind.Label()), Href: c.at(path + "/" + r.ID)}, {Text: i18n.DateTime(r.CreatedAt), Note: r.Login}, {Status: withdrawalStatus(c, r), Note: r.Reason}, {Text: due}, moneyCell(worth)}
		if path == pathPayouts {
			cells = slices.Insert(cells, 1, opsview.Cell{Text: who})
		} else {
			here := c.at(path + "/" + r.ID)
			acts := opsview.Cell{Links: []part.Link{{Text: c.T("withdrawal.detail_row"), Href: here}}, Buttons: flowButtons(c, h.Withdrawals.Offered(c.Scope, r), here, r.Number, r.Version)}
			for k := range acts.Buttons {
				acts.Buttons[k].ID, acts.Buttons[k].Hint = acts.Buttons[k].ID+"-"+r.ID, ""
			}
			cells = append(cells, acts)
		}
		s.add(sheetRow{key: r.ID, at: r.ChangedAt, mark: marks(string(r.State), r.Amount.String(), r.Reason), sums: worth, cells: cells})
	}
	s.narrowed("q", c.QueryParam("q"))
	narrowedWords(c, s, [][3]string{{"state", string(f.State), "withdrawal.state."}, {"kind", string(f.Kind), "withdrawal.kind."}, {"sort", sort, "withdrawal.sort."}})
	return s, nil
}

// sortPayouts puts what waits for the vendor first, the soonest due before the rest, or sorts by what is chosen.
func sortPayouts(list []withdrawal.Request, by string) {
	newest := func(a, b *withdrawal.Request) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), strings.Compare(b.ID, a.ID))
	}
	soonest := func(a, b *withdrawal.Request) int {
		x, y := a.State.Open(), b.State.Open()
		switch {
		case x && y:
			return cmp.Or(a.DueAt.Compare(b.DueAt), strings.Compare(a.ID, b.ID))
		case x:
			return -1
		case y:
			return 1
		}
		return newest(a, b)
	}
	sorted.By(list, func(a, b withdrawal.Request) int {
		switch by {
		case "newest":
			return newest(&a, &b)
		case "amount":
			return cmp.Or(strings.Compare(a.Currency, b.Currency), cmp.Compare(b.Amount, a.Amount), strings.Compare(a.ID, b.ID))
		}
		return soonest(&a, &b)
	})
}

// partyNames are the organisations in sight by id.
func (h *Handlers) partyNames(c *Ctx) (map[string]string, error) {
	all, err := h.Orgs.List(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	out := map[string]string{c.Org.ID: c.Org.Name}
	for i := range all {
		out[all[i].ID] = all[i].Name
	}
	return out, nil
}

// counterparty is the other side of what a partner and its vendor share: the word for it, and who it is.
type counterparty struct {
	title  string
	names  map[string]string
	vendor bool // is the actor
}

func (h *Handlers) counterparty(c *Ctx) (counterparty, error) {
	names, err := h.partyNames(c)
	if c.Scope.Side() == scope.SideVendor {
		return counterparty{c.T("withdrawal.col.partner"), names, true}, err
	}
	return counterparty{c.T("withdrawal.col.vendor"), names, false}, err
}

func (p *counterparty) of(vendorID, partnerID string) string {
	if p.vendor {
		return p.names[partnerID]
	}
	return p.names[vendorID]
}

func (h *Handlers) withdrawalShown(c *Ctx) error { return h.withdrawalDetail(c, http.StatusOK, nil) }

func (c *Ctx) withdrawalsAt() (path, title string) {
	if c.Scope.Side() == scope.SideVendor {
		return pathPayouts, c.T("withdrawal.review")
	}
	return pathWithdrawals, c.T("withdrawal.title")
}

// withdrawalDetail is one request with what the actor may do.
func (h *Handlers) withdrawalDetail(c *Ctx, status int, refused *fault.Error) error {
	r, err := h.Withdrawals.Find(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return err
	}
	path, list := c.withdrawalsAt()
	d := growview.Detail{Header: part.Header{Title: c.T("withdrawal.one", "Number", r.Number), Crumbs: c.crumbs(part.Link{Text: list, Href: c.at(path)}, part.Link{Text: r.Number}), Status: withdrawalStatus(c, &r)}, Flash: c.done()}
	d.Refusal, d.Conflict = lost(c, refused, c.at(path+"/"+r.ID))
	if d.Facts, err = h.withdrawalFacts(c, &r); err != nil {
		return err
	}
	buttons, err := h.Withdrawals.Allowed(c.ctx(), c.Scope, &r)
	if err != nil {
		return err
	}
	d.Buttons = flowButtons(c, buttons, c.at(path+"/"+r.ID), r.Number, r.Version)
	kind := "withdrawal.parts"
	if path == pathPayouts {
		kind = "payout.parts"
	}
	grid, err := h.titled(c, kind, "parts", c.T("withdrawal.parts"))
	if err != nil {
		return err
	}
	d.Grids = []opsview.Grid{grid}
	changes, err := h.Withdrawals.History(c.ctx(), r.ID)
	if err != nil {
		return err
	}
	d.Trail = history(c, withdrawal.Flow.Machine, changes)
	return c.page(status, d.Page())
}

func (h *Handlers) withdrawalFacts(c *Ctx, r *withdrawal.Request) ([]part.Item, error) {
	names, err := h.partyNames(c)
	if err != nil {
		return nil, err
	}
	account := r.Payee.MaskedAccount()
	if c.Scope.Has(scope.ItemPayoutPay) && c.Scope.Side() == scope.SideVendor {
		account = r.Payee.Account // who pays has to know it
	}
	items := []part.Item{{Label: c.T("withdrawal.col.amount"), Text: i18n.Money(r.Amount, r.Currency)}, {Label: c.T("withdrawal.kind"), Text: c.T(r.Kind.Label())},
		{Label: c.T("withdrawal.col.partner"), Text: names[r.PartnerID]}, {Label: c.T("withdrawal.col.vendor"), Text: names[r.VendorID]},
		{Label: c.T("withdrawal.holder"), Text: r.Payee.Holder}, {Label: c.T("withdrawal.bank"), Text: join(present(r.Payee.Bank, r.Payee.Branch), " · ")}, {Label: c.T("withdrawal.account"), Text: account, Mono: true},
		{Label: c.T("withdrawal.col.applied"), Text: i18n.DateTime(r.CreatedAt) + " · " + r.Login}, {Label: c.T("withdrawal.memo"), Text: r.Memo}, {Label: c.T("withdrawal.first_by"), Text: r.FirstBy},
		{Label: c.T("withdrawal.reason"), Text: r.Reason}, {Label: c.T("withdrawal.receipt"), Text: r.Receipt, Mono: true}}
	if r.State.Open() {
		items = append(items, part.Item{Label: c.T("withdrawal.col.due"), Text: bound(r.DueAt)})
	}
	return slices.DeleteFunc(items, func(x part.Item) bool { return x.Text == "" }), nil
}

// readWithdrawalParts lists what a request takes of which incoming payments.
func (h *Handlers) readWithdrawalParts(c *Ctx) (*sheet, error) {
	r, err := h.Withdrawals.Find(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: []listColumn{{key: "number", title: c.T("withdrawal.col.incoming")}, {key: "came", title: c.T("withdrawal.col.came"), class: "num-l"}, {key: "way", title: c.T("withdrawal.col.way")},
		{key: "amount", title: c.T("withdrawal.col.take"), num: true, money: true, class: "m"}}, empty: part.Empty{Title: c.T("list.empty"), Text: c.T("list.empty_text")}}
	for i := range r.Parts {
		p := &r.Parts[i]
		worth := sums{{r.Currency, p.Amount.Exact()}}
		s.add(sheetRow{key: p.EntryID, at: p.At, mark: p.Amount.String(), sums: worth, cells: []opsview.Cell{{Text: or(p.Number, i18n.Nothing)}, {Text: i18n.DateTime(p.At)}, {Text: c.T(p.Way.Label())}, moneyCell(worth)}})
	}
	return s, nil
}

// withdrawalAct reviews, pays, cancels or deletes.
func (h *Handlers) withdrawalAct(c *Ctx, do withdrawal.Action) error {
	path, _ := c.withdrawalsAt()
	err := h.once(c, func(ctx context.Context) (answer, error) {
		r, err := h.Withdrawals.Do(ctx, c.Scope, c.Param("id"), withdrawal.DoInput{Do: do, Reason: c.in("reason"), Receipt: c.in("receipt")})
		to := c.withQuery(path+"/"+r.ID, "done", "withdrawal_"+string(do))
		if do == withdrawal.ActionDelete {
			to = c.withQuery(path, "done", "withdrawal_delete")
		}
		return answer{Location: to, Body: map[string]any{"id": r.ID, "state": string(r.State)}}, err
	})
	return c.refusedOr(err, func(status int, f *fault.Error) error { return h.withdrawalDetail(c, status, f) })
}

// book is one vendor's books in a currency, as a form chooses among them.
type book struct {
	vendor   organisation.Organisation
	currency string
}

// booksOf lists the vendors a partner deals with, each in the currencies money stands in there, and in CNY where none does.
func (h *Handlers) booksOf(c *Ctx) ([]book, error) {
	vendors, err := h.Orgs.VendorsOf(c.ctx(), c.Org)
	if err != nil {
		return nil, err
	}
	var out []book
	for _, v := range vendors {
		currencies, err := h.Withdrawals.Currencies(c.ctx(), c.Scope, v.ID)
		if err != nil {
			return nil, err
		}
		if len(currencies) == 0 {
			currencies = []string{"CNY"}
		}
		for _, x := range currencies {
			out = append(out, book{v, x})
		}
	}
	return out, nil
}

// chosenBook is the one a form names, else the first. Fault: not found for one that is not there.
func (c *Ctx) chosenBook(of []book) (book, error) {
	vendor, currency := c.FormValue("vendor"), c.FormValue("currency")
	for _, b := range of {
		if (vendor == "" || b.vendor.Code == vendor) && (currency == "" || b.currency == currency) {
			return b, nil
		}
	}
	return book{}, notFound()
}

// openedBook is the book a page or a form is about, among those there are.
func (h *Handlers) openedBook(c *Ctx) (books []book, b book, err error) {
	if books, err = h.booksOf(c); err == nil {
		b, err = c.chosenBook(books)
	}
	return books, b, err
}

// postedBook is the book a form names.
func (h *Handlers) postedBook(c *Ctx) (book, error) {
	if err := c.readForm(); err != nil {
		return book{}, err
	}
	_, b, err := h.openedBook(c)
	return b, err
}

func (h *Handlers) withdrawalApplied(c *Ctx) error {
	b, err := h.postedBook(c)
	if err != nil {
		return err
	}
	in := withdrawalInput(c, &b)
	err = h.proven(c, passcode.OpWithdraw, c.withQuery(pathWithdrawals+"/new", "vendor", b.vendor.Code, "currency", b.currency, "kind", string(in.Kind)), func(ctx context.Context) (answer, error) {
		r, err := h.Withdrawals.Apply(ctx, c.Scope, in)
		return answer{Location: c.withQuery(pathWithdrawals+"/"+r.ID, "done", "withdrawal_applied"), Body: map[string]any{"id": r.ID, "number": r.Number, "state": string(r.State)}}, err
	})
	return c.refusedOr(err, func(status int, f *fault.Error) error { return h.withdrawalForm(c, status, f) })
}

func withdrawalInput(c *Ctx, b *book) withdrawal.Input {
	in := withdrawal.Input{VendorID: b.vendor.ID, Currency: b.currency, Kind: withdrawal.Kind(c.FormValue("kind")), Voluntary: c.FormValue("voluntary") == "true", Memo: c.FormValue("memo"),
		Payee: withdrawal.Payee{Bank: c.FormValue("bank"), Branch: c.FormValue("branch"), Account: c.FormValue("account"), Holder: c.FormValue("holder")}}
	entries, takes := c.list("entry"), c.list("take")
	for i := range min(len(entries), len(takes)) {
		in.Takes = append(in.Takes, withdrawal.Take{EntryID: entries[i], Amount: takes[i]})
	}
	return in
}

func bookFilter(c *Ctx, books []book, b *book, path string) *part.Filter {
	if len(books) < 2 {
		return nil
	}
	vendor := part.FilterField{Name: "vendor", Label: c.T("withdrawal.col.vendor"), Value: b.vendor.Code}
	currency := part.FilterField{Name: "currency", Label: c.T("withdrawal.currency"), Value: b.currency}
	for _, x := range books {
		if !slices.ContainsFunc(vendor.Options, func(o part.Option) bool { return o.Value == x.vendor.Code }) {
			vendor.Options = append(vendor.Options, part.Option{Value: x.vendor.Code, Label: x.vendor.Name})
		}
		if x.vendor.ID == b.vendor.ID {
			currency.Options = append(currency.Options, part.Option{Value: x.currency, Label: x.currency})
		}
	}
	return &part.Filter{Action: c.at(path), Reset: c.at(path), Fields: []part.FilterField{vendor, currency}}
}

// deskWithdrawals are the requests that wait for the vendor's staff.
func (h *Handlers) deskWithdrawals(c *Ctx) ([]deskRow, error) {
	list, err := h.Withdrawals.List(c.ctx(), c.Scope, withdrawal.Filter{})
	if err != nil {
		return nil, err
	}
	names, err := h.partyNames(c)
	if err != nil {
		return nil, err
	}
	limits, err := h.FourEyes.Of(c.ctx(), c.Org.ID)
	var out []deskRow
	for i := range list {
		r := &list[i]
		if r.State.Open() {
			out = append(out, deskRow{id: r.ID, state: string(r.State), title: opsview.Cell{Text: r.Number, Note: c.T(r.Kind.Label()), Href: c.at(pathPayouts + "/" + r.ID)}, who: names[r.PartnerID], by: r.Login,
				since: r.ChangedAt, sums: sums{{r.Currency, r.Amount.Exact()}}, two: limits.Needed(foureyes.KindWithdrawal, r.Currency, r.Amount.Exact())})
		}
	}
	return out, err
}

// approveWithdrawal agrees as far as the actor may: at once, as the first of two, or as the second.
func (h *Handlers) approveWithdrawal(ctx context.Context, c *Ctx, id, _ string) error {
	r, err := h.Withdrawals.Find(ctx, c.Scope, id)
	if err != nil {
		return err
	}
	do := withdrawal.ActionApprove
	if r.State == withdrawal.StateSecond {
		do = withdrawal.ActionSecond
	}
	_, err = h.Withdrawals.Do(ctx, c.Scope, id, withdrawal.DoInput{Do: do})
	if fault.HasCode(err, "withdrawal.two_needed") {
		_, err = h.Withdrawals.Do(ctx, c.Scope, id, withdrawal.DoInput{Do: withdrawal.ActionForward})
	}
	return err
}
