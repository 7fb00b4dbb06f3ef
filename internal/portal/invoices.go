package portal

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/invoice"
	"huoban/internal/money"
	"huoban/internal/scope"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

const (
	pathInvoices        = "/invoices"
	pathInvoiceRequests = "/invoice-requests"
)

// invoiceRoutes are 发票管理 of a partner and 发票审核 of its vendor.
func invoiceRoutes() []Route {
	view, do := []scope.Item{scope.ItemInvoiceView}, []scope.Item{scope.ItemInvoiceRequest}
	row := func(method, path, name, title string, items []scope.Item, handle func(*Handlers, *Ctx) error) Route {
		return Route{Method: method, Path: "/o/:org" + pathInvoices + path, Name: name, Sides: partners, Items: items, Title: title, Do: handle}
	}
	draft := row(post, "", "invoices.draft", "", do, (*Handlers).invoiceDrafted)
	draft.Query = []string{"bill", "order", "customer", "pool", "address"}
	out := []Route{
		row(get, "", "invoices", "invoices.title", view, (*Handlers).invoices),
		row(get, "/new", "invoices.new", "invoices.new", do, (*Handlers).invoicePage).noList("form"),
		draft,
		row(get, "/:id", "invoices.show", "invoices.title", view, (*Handlers).invoiceShown).noList("one request and the bills it takes from"),
		row(get, "/:id/file", "invoices.file", "", view, (*Handlers).invoiceFile),
		row(get, "/:id/amendment", "invoices.amending", "invoices.amend", do, (*Handlers).invoiceAmendPage).noList("form"),
		row(post, "/:id/amendment", "invoices.amend", "", do, (*Handlers).invoiceAmended),
	}
	acts := func(out []Route, path, name string, items []scope.Item, sides []scope.Side, of []invoice.Action, again func(*Handlers, *Ctx, int, *fault.Error) error) []Route {
		for _, act := range of {
			at := slices.IndexFunc(invoice.Flow.Rows, func(r invoiceRow) bool { return r.Do == act })
			noun := invoice.Flow.Rows[at].Noun
			out = append(out, Route{Method: post, Path: "/o/:org" + path + "/:id/" + noun, Name: name + "." + noun, Sides: sides, Items: items,
				Do: func(h *Handlers, c *Ctx) error { return h.invoiceAct(c, path, act, again) }}.moves(invoice.Flow, string(act)))
		}
		return out
	}
	out = acts(out, pathInvoices, "invoices", do, partners, partnerActs, (*Handlers).invoiceDetail)
	out = append(out, invoiceProfileRoutes()...)
	out = append(out, invoiceClerkRoutes()...)
	out = append(out, invoiceEntityRoutes()...)
	return acts(out, pathInvoiceRequests, "invoice_requests", []scope.Item{scope.ItemInvoiceReview}, vendors, clerkActs, (*Handlers).invoiceRequestDetail)
}

// The acts of each side that have a button.
var (
	partnerActs = []invoice.Action{invoice.ActionSubmit, invoice.ActionDelete, invoice.ActionCancel, invoice.ActionSign, invoice.ActionReturn}
	clerkActs   = []invoice.Action{invoice.ActionAccept, invoice.ActionRefuse, invoice.ActionAgreeCancel, invoice.ActionRefuseCancel, invoice.ActionIssue, invoice.ActionPost,
		invoice.ActionAcceptReturn, invoice.ActionRefuseReturn}
)

var invoiceTone = map[invoice.State]part.Tone{invoice.StatePending: part.Warn, invoice.StateRefused: part.Bad, invoice.StateIssuing: part.Brand, invoice.StateCancelling: part.Warn,
	invoice.StateKept: part.Brand, invoice.StatePosted: part.Warn, invoice.StateIssued: part.Good, invoice.StateReturning: part.Warn, invoice.StateReturnRefused: part.Good}

// invoiceQuery is what narrows a list of requests.
type invoiceQuery struct {
	text, cycle string
	state       invoice.State
	from, until time.Time
}

func readInvoiceQuery(c *Ctx) (q invoiceQuery, err error) {
	q = invoiceQuery{text: strings.ToLower(strings.TrimSpace(c.QueryParam("q"))), cycle: strings.TrimSpace(c.QueryParam("cycle")), state: invoice.State(c.QueryParam("state"))}
	if q.state != "" && !slices.Contains(shownInvoiceStates(), q.state) || q.cycle != "" && !monthShape(q.cycle) {
		return q, notFound()
	}
	q.from, q.until, err = daysParam(c)
	return q, err
}

func monthShape(s string) bool {
	_, err := time.Parse("2006-01", s)
	return err == nil
}

// shownInvoiceStates are those a list can show.
func shownInvoiceStates() []invoice.State {
	return slices.DeleteFunc(invoice.Flow.States(), func(s invoice.State) bool { return s == invoice.StateDeleted })
}

func (q *invoiceQuery) takes(r *invoice.Request) bool {
	at := r.SubmittedAt
	if at.IsZero() {
		at = r.CreatedAt
	}
	if q.state != "" && r.State != q.state || !within(at, q.from, q.until) {
		return false
	}
	if q.cycle != "" && !slices.ContainsFunc(r.Parts, func(p invoice.Part) bool { return string(p.Cycle) == q.cycle }) {
		return false
	}
	return q.text == "" || strings.Contains(strings.ToLower(r.Number), q.text) || strings.Contains(strings.ToLower(r.InvoiceNumber), q.text) ||
		slices.ContainsFunc(r.Parts, func(p invoice.Part) bool { return strings.Contains(strings.ToLower(p.OrderNo), q.text) })
}

func invoiceFilter(c *Ctx, path string) *part.Filter {
	return &part.Filter{Action: c.at(path), Reset: c.at(path), Fields: []part.FilterField{{Name: "cycle", Label: c.T("bill.column.cycle"), Value: c.QueryParam("cycle"), Hint: "2026-10"},
		choiceOf(c, "state", c.T("opsview.col.state"), "invoice.state.", invoice.State(c.QueryParam("state")), shownInvoiceStates()),
		{Name: "q", Label: c.T("invoices.filter.q"), Value: c.QueryParam("q")}, dayField(c, "from"), dayField(c, "to")}}
}

// invoices is the list of a partner, with what it may ask for and what it may not, and why.
func (h *Handlers) invoices(c *Ctx) error {
	title := c.T("invoices.title")
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: title})}, Flash: c.done(), Filter: invoiceFilter(c, pathInvoices)}
	if c.Scope.Has(scope.ItemInvoiceRequest) {
		p.Header.Buttons = []part.Link{{Text: c.T("invoices.new"), Href: c.at(pathInvoices + "/new")}}
	}
	p.Header.Buttons = append(p.Header.Buttons, part.Link{Text: c.T("invoices.profile"), Href: c.at(pathInvoices + "/profile")})
	var err error
	p.Figures = true
	if p.Facts, err = h.invoiceFacts(c); err != nil {
		return err
	}
	if _, err = h.board(c, &p, "invoices"); err != nil {
		return err
	}
	return c.page(http.StatusOK, p.Page())
}

// invoiceFacts sums what can be asked for now, what is being asked for, and what cannot be yet.
func (h *Handlers) invoiceFacts(c *Ctx) ([]part.Item, error) {
	offers, err := h.Invoices.Offers(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	var now, held, later sums
	var open, shut []string
	for i := range offers {
		o := &offers[i]
		currency := o.Bill.Currency
		held = held.add(sum{currency, o.Held.Exact()})
		switch {
		case o.Free <= 0:
		case len(o.Why) > 0:
			later = later.add(sum{currency, o.Free.Exact()})
			shut = append(shut, whyText(c, o.Why))
		default:
			now = now.add(sum{currency, o.Free.Exact()})
			open = append(open, string(o.Bill.Cycle))
		}
	}
	text := func(s sums) string { return cmp.Or(join(s.texts(), " · "), i18n.Nothing) }
	slices.Sort(open)
	open = slices.Compact(open)
	can := part.Item{Label: c.T("invoices.sum.now"), Text: text(now)}
	if n := len(open); n > 0 {
		can.Note = c.T("invoices.sum.cycles", "Count", int64(n), "From", open[0], "To", open[n-1])
	}
	return []part.Item{can, {Label: c.T("invoices.sum.held"), Text: text(held)}, {Label: c.T("invoices.sum.later"), Text: text(later), Note: join(lastOf(shut, 3), " · ")}}, nil
}

func lastOf(list []string, n int) []string { return list[max(0, len(list)-n):] }

// readInvoices lists the requests of the partner.
func (h *Handlers) readInvoices(c *Ctx) (*sheet, error) { return h.readInvoiceList(c, pathInvoices) }

func (h *Handlers) readInvoiceList(c *Ctx, path string) (*sheet, error) {
	q, err := readInvoiceQuery(c)
	if err != nil {
		return nil, err
	}
	all, err := h.Invoices.List(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	clerk := path == pathInvoiceRequests
	s := &sheet{columns: []listColumn{{key: "number", title: c.T("invoices.col.number"), note: c.T("invoices.col.method")}, {key: "cycle", title: c.T("bill.column.cycle"), class: "num-l"},
		{key: "asked", title: c.T("invoices.col.asked"), note: c.T("invoices.col.by"), class: "num-l"}, {key: "kind", title: c.T("invoices.col.kind"), note: c.T("invoices.col.title")},
		{key: "amount", title: c.T("invoices.col.amount"), num: true, money: true, class: "m"}, {key: "state", title: c.T("opsview.col.state")},
		{key: "says", title: c.T("invoices.col.says")}, {key: "paper", title: c.T("invoices.col.paper"), note: c.T("invoices.col.on"), class: "num-l"}},
		empty: part.Empty{Title: c.T("invoices.empty"), Text: c.T("invoices.empty_text")}}
	names := map[string]string{}
	if !clerk {
		s.columns = append(s.columns, listColumn{key: "acts", title: c.T("list.acts"), acts: true})
	} else {
		s.columns = slices.Insert(s.columns, 1, listColumn{key: "partner", title: c.T("registrations.partner"), note: c.T("registrations.partner_code")})
		s.empty.Text = c.T("invoice_requests.empty_text")
		if slices.SortStableFunc(all, waitingFirst); len(all) > 0 {
			orgs, err := h.orgNames(c)
			if err != nil {
				return nil, err
			}
			for id, o := range orgs {
				names[id] = o.Name + "\x00" + o.Code
			}
		}
	}
	for i := range all {
		r := &all[i]
		name, code, _ := strings.Cut(names[r.PartnerID], "\x00")
		if !q.takes(r) && !(clerk && q.state == "" && q.text != "" && strings.Contains(strings.ToLower(name+" "+code), q.text)) {
			continue
		}
		cells := invoiceCells(c, r, path)
		if !clerk {
			cells = append(cells, h.invoiceRowActs(c, r))
		} else {
			cells = slices.Insert(cells, 1, opsview.Cell{Text: name, Note: code})
		}
		s.add(sheetRow{key: r.ID, at: r.ChangedAt, mark: marks(string(r.State), r.Number, r.Amount.String(), r.Currency, r.InvoiceNumber), sums: sums{{r.Currency, r.Amount.Exact()}}, cells: cells})
	}
	s.narrowed("cycle", q.cycle)
	s.narrowed("q", c.QueryParam("q"))
	narrowedWords(c, s, [][3]string{{"state", string(q.state), "invoice.state."}})
	return s, nil
}

// waitingFirst puts what waits for the issuer before the rest, the oldest of it first.
func waitingFirst(a, b invoice.Request) int {
	x, y := waitsForIssuer(a.State), waitsForIssuer(b.State)
	switch {
	case x && y:
		return a.ChangedAt.Compare(b.ChangedAt)
	case x:
		return -1
	case y:
		return 1
	}
	return b.ChangedAt.Compare(a.ChangedAt)
}

func waitsForIssuer(s invoice.State) bool {
	switch s {
	case invoice.StatePending, invoice.StateIssuing, invoice.StateCancelling, invoice.StateKept, invoice.StateReturning:
		return true
	}
	return false
}

func invoiceCells(c *Ctx, r *invoice.Request, path string) []opsview.Cell {
	at := r.SubmittedAt
	if at.IsZero() {
		at = r.CreatedAt
	}
	return []opsview.Cell{{Text: r.Number, Mono: true, Href: c.at(path + "/" + r.ID), Note: c.T("invoice.method." + string(r.Method))}, {Text: cyclesOf(c, r)},
		{Text: i18n.DateTime(at), Note: r.Login}, {Text: kindText(c, r), Note: titleText(c, r)}, amountCell(r.Amount, r.Currency),
		{Status: c.explained("invoice", r.ID, string(r.State), invoiceTone[r.State])}, {Text: invoiceSays(c, r, path)}, {Text: r.InvoiceNumber, Mono: true, Note: r.InvoicedOn}}
}

// cyclesOf names the cycles of a request, at most three of them.
func cyclesOf(c *Ctx, r *invoice.Request) string {
	var out []string
	for _, p := range r.Parts {
		out = append(out, string(p.Cycle))
	}
	slices.Sort(out)
	out = slices.Compact(out)
	if n := len(out); n > 3 {
		return c.T("invoices.cycles", "First", out[0], "Last", out[n-1], "Count", int64(n))
	}
	return join(out, c.T("portal.list.comma"))
}

func kindText(c *Ctx, r *invoice.Request) string {
	return c.T("invoice.kind."+string(r.Kind)) + " · " + c.T("invoice.medium."+string(r.Medium))
}

// titleText is the title; a person's name is masked until the eye of the page is used.
func titleText(c *Ctx, r *invoice.Request) string {
	if r.Title.Kind == invoice.TitlePersonal {
		return c.personal(r.Title.Name).Text
	}
	return r.Title.Name
}

// invoiceSays is what a list says of a request beside its state.
func invoiceSays(c *Ctx, r *invoice.Request, path string) string {
	switch r.State {
	case invoice.StateRefused, invoice.StateKept, invoice.StateReturnRefused:
		if r.Reason != "" {
			return r.Reason
		}
	case invoice.StatePosted:
		return c.T("invoices.says.posted", "Courier", r.Courier, "Tracking", r.Tracking)
	case invoice.StateIssued:
		if !r.Medium.IsFile() {
			return c.T("invoices.says.signed")
		}
	}
	if path == pathInvoiceRequests {
		return c.T("invoice_requests.next." + string(r.State))
	}
	return c.T("invoice.next." + string(r.State))
}

// invoiceAct fires an action, from the page of the partner or of the issuer.
func (h *Handlers) invoiceAct(c *Ctx, path string, do invoice.Action, again func(*Handlers, *Ctx, int, *fault.Error) error) error {
	err := h.once(c, func(ctx context.Context) (answer, error) {
		d := invoice.Deed{Do: do, Reason: c.in("reason"), RedConfirmed: c.in("red_confirmed") == "true",
			Paper: invoice.Paper{Code: c.in("invoice_code"), Number: c.in("invoice_number"), On: c.in("invoiced_on"), Courier: c.in("courier"), Tracking: c.in("tracking")}}
		if do == invoice.ActionReturn {
			d.Back = invoice.Letter{Courier: d.Paper.Courier, Tracking: d.Paper.Tracking}
		}
		if text := strings.TrimSpace(c.FormValue("amount")); text != "" {
			amount, err := readAmount(text)
			if err != nil {
				return answer{}, err
			}
			d.Amount = amount
		}
		r, err := h.Invoices.Do(ctx, c.Scope, c.Param("id"), d)
		if err != nil {
			return answer{}, err
		}
		a := answer{Location: c.withQuery(path+"/"+r.ID, "done", "invoice_"+string(do)), Body: h.invoiceBody(ctx, c, &r)}
		if do == invoice.ActionDelete {
			a.Location = c.withQuery(path, "done", "invoice_delete")
		}
		return a, nil
	})
	if err == nil {
		return nil
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return again(h, c, status, f) })
}

// readAmount reads an amount. Fault: invoice.amount_malformed.
func readAmount(text string) (money.Amount, error) {
	x, err := money.ParseExact(strings.ReplaceAll(strings.TrimSpace(text), ",", ""))
	if err != nil {
		return 0, fault.Invalid("invoice.amount_malformed", nil)
	}
	a, err := x.Amount()
	if err != nil || !a.Exact().Equal(x) {
		return 0, fault.Invalid("invoice.amount_malformed", nil)
	}
	return a, nil
}

// invoiceBody is a request as a program reads it, with what may be done next.
func (h *Handlers) invoiceBody(ctx context.Context, c *Ctx, r *invoice.Request) map[string]any {
	body := map[string]any{"id": r.ID, "number": r.Number, "state": string(r.State), "amount": r.Amount.String(), "currency": r.Currency, "version": r.Version,
		"invoice_number": r.InvoiceNumber, "tracking": r.Tracking, "reason": r.Reason}
	buttons, err := h.Invoices.Allowed(ctx, c.Scope, *r)
	if err != nil {
		return body
	}
	actions := []map[string]any{}
	for _, b := range buttons {
		if b.Refusal != nil && b.Refusal.Kind == fault.KindDenied {
			continue
		}
		one := map[string]any{"action": b.Action, "noun": b.Noun, "enabled": b.Enabled}
		if b.Refusal != nil {
			one["refusal"] = b.Refusal.Code
		}
		actions = append(actions, one)
	}
	body["available_actions"] = actions
	return body
}
