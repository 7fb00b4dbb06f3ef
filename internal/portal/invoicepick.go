package portal

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/invoice"
	"huoban/internal/money"
	"huoban/web/templates/invoiceview"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

// pickSize is how many bills, customers or orders one page offers.
const pickSize = 50

// invoicePick is what is being picked and how: by bill, by customer of a bill, by order, or by amount.
type invoicePick struct {
	method invoice.Method
	of     string // "customer": a customer's part of a cycle
	path   string // of the form, new or an amendment
	was    *invoice.Request
	offers []invoice.Offer
	chosen []string
	month  string
	text   string
	page   int

	refused *fault.Error
}

// ticks is the name a tick is sent as.
func (p *invoicePick) ticks() string {
	switch {
	case p.of != "":
		return "customer"
	case p.method == invoice.MethodOrder:
		return "order"
	}
	return "bill"
}

// readPick reads what is ticked and what is looked for. A request that is amended begins with what it has.
func (h *Handlers) readPick(c *Ctx, path string, was *invoice.Request) (*invoicePick, error) {
	p := &invoicePick{method: invoice.Method(c.FormValue("method")), of: c.FormValue("of"), path: path, was: was, text: strings.TrimSpace(c.FormValue("q")), page: 1}
	if was != nil && p.method == "" {
		p.method = was.Method
		if len(was.Parts) > 0 && was.Parts[0].CustomerID != "" && was.Parts[0].OrderNo == "" {
			p.of = "customer"
		}
	}
	p.method = cmp.Or(p.method, invoice.MethodCycle)
	if !slices.Contains(invoice.Methods, p.method) || p.of != "" && (p.of != "customer" || p.method != invoice.MethodCycle) {
		return nil, notFound()
	}
	if text := c.FormValue("page"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 1e6 {
			return nil, notFound()
		}
		p.page = n
	}
	p.chosen = formList(c, p.ticks())
	if was != nil && c.FormValue("method") == "" {
		for i := range was.Parts {
			p.chosen = append(p.chosen, tickOf(&was.Parts[i]))
		}
	}
	var err error
	if p.offers, err = h.Invoices.Offers(c.ctx(), c.Scope); err != nil || len(p.offers) == 0 {
		return p, err
	}
	p.month, err = p.cycleShown(c)
	return p, err
}

// tickOf is how a part is sent: the key of its bill, and its order or customer behind it.
func tickOf(x *invoice.Part) string {
	return strings.TrimSpace(x.BillID + " " + cmp.Or(x.OrderNo, x.CustomerID))
}

// cycleShown is the cycle whose orders or customers are offered: the newest with something left unless another is asked
// for.
func (p *invoicePick) cycleShown(c *Ctx) (string, error) {
	month := c.FormValue("cycle")
	if month == "" && p.was != nil && len(p.was.Parts) > 0 {
		month = string(p.was.Parts[0].Cycle)
	}
	if at := slices.IndexFunc(p.offers, func(o invoice.Offer) bool { return o.Free > 0 && len(o.Why) == 0 }); at >= 0 {
		month = cmp.Or(month, string(p.offers[at].Bill.Cycle))
	}
	month = cmp.Or(month, string(p.offers[0].Bill.Cycle))
	if !slices.ContainsFunc(p.offers, func(o invoice.Offer) bool { return string(o.Bill.Cycle) == month }) {
		return "", notFound()
	}
	return month, nil
}

// tabs are the ways of picking.
func (p *invoicePick) tabs(c *Ctx) []part.Tab {
	tab := func(text string, method invoice.Method, of string) part.Tab {
		return part.Tab{Text: c.T(text), Href: c.withQuery(p.path, "method", string(method), "of", of), Current: p.method == method && p.of == of}
	}
	return []part.Tab{tab("invoice.method.cycle", invoice.MethodCycle, ""), tab("invoices.method.customer", invoice.MethodCycle, "customer"), tab("invoice.method.order", invoice.MethodOrder, ""), tab("invoice.method.amount", invoice.MethodAmount, "")}
}

// fixed is what every step of a pick carries on.
func (p *invoicePick) fixed() []part.Hidden {
	out := []part.Hidden{{Name: "method", Value: string(p.method)}}
	if p.of != "" {
		out = append(out, part.Hidden{Name: "of", Value: p.of})
	}
	return out
}

// pickPage is the first step.
func (h *Handlers) pickPage(c *Ctx, status int, header part.Header, p *invoicePick) error {
	v := invoiceview.Pick{Header: header, Refusal: refusalOf(c, p.refused), Tabs: p.tabs(c), Action: c.at(p.path), Hidden: p.fixed(), Name: p.ticks()}
	total, err := 0, error(nil)
	switch {
	case p.of != "":
		total, err = h.offerShares(c, &v, p)
	case p.method == invoice.MethodOrder:
		total, err = h.offerOrders(c, &v, p)
	default:
		total = offerBills(c, &v, p)
	}
	if err != nil {
		return err
	}
	shown := 0
	for i := range v.Rows {
		r := &v.Rows[i]
		if slices.Contains(p.chosen, r.Value) {
			r.Checked = r.Off == ""
			shown++
		}
	}
	for _, x := range p.chosen { // on other pages, or left out by the search
		if !slices.ContainsFunc(v.Rows, func(r opsview.Tick) bool { return r.Value == x }) {
			v.Hidden = append(v.Hidden, part.Hidden{Name: v.Name, Value: x})
		}
	}
	v.Count = c.T("invoices.pick.count", "Count", int64(total))
	if len(p.chosen) > 0 {
		v.Count += c.T("invoices.pick.chosen", "Count", int64(len(p.chosen)), "Elsewhere", int64(len(p.chosen)-shown))
	}
	if p.page > 1 {
		v.Prev = strconv.Itoa(p.page - 1)
	}
	if p.page*pickSize < total {
		v.Next = strconv.Itoa(p.page + 1)
	}
	return c.page(status, v.Page())
}

// wordField is the search, monthField the choice of a cycle.
func (p *invoicePick) wordField(c *Ctx, key string) part.FilterField {
	return part.FilterField{Name: "q", Label: c.T(key), Value: p.text}
}

func (p *invoicePick) monthField(c *Ctx) part.FilterField {
	f := part.FilterField{Name: "cycle", Label: c.T("bill.column.cycle"), Value: p.month}
	for i := range p.offers {
		if o := (part.Option{Value: string(p.offers[i].Bill.Cycle), Label: string(p.offers[i].Bill.Cycle)}); !slices.Contains(f.Options, o) {
			f.Options = append(f.Options, o)
		}
	}
	return f
}

// stretch cuts the page out of a list.
func stretch[T any](list []T, page int) []T {
	from := min((page-1)*pickSize, len(list))
	return list[from:min(from+pickSize, len(list))]
}

// offerBills offers whole bills, what can be invoiced first.
func offerBills(c *Ctx, v *invoiceview.Pick, p *invoicePick) int {
	v.Fields = []part.FilterField{p.wordField(c, "invoices.pick.cycle")}
	v.Heads = []opsview.Head{{Text: c.T("bill.column.cycle")}, {Text: c.T("invoices.entity")}, {Text: c.T("invoices.col.due"), Num: true}, {Text: c.T("invoices.col.held"), Num: true}, {Text: c.T("invoices.col.free"), Num: true, Class: "m"}}
	list := slices.Clone(p.offers)
	if p.text != "" {
		list = slices.DeleteFunc(list, func(o invoice.Offer) bool {
			return !strings.Contains(strings.ToLower(string(o.Bill.Cycle)+" "+o.Bill.Entity.Name+" "+o.Bill.Vendor.Name), strings.ToLower(p.text))
		})
	}
	slices.SortStableFunc(list, func(a, b invoice.Offer) int { return min(len(a.Why), 1) - min(len(b.Why), 1) })
	for _, o := range stretch(list, p.page) {
		b := &o.Bill
		row := opsview.Tick{Value: b.ID, Cells: []opsview.Cell{{Text: string(b.Cycle)}, {Text: entityName(&o)}, amountCell(b.Due, b.Currency), amountCell(o.Held, b.Currency), amountCell(o.Free, b.Currency)}}
		row.Off, row.Cure = offText(c, o.Why)
		v.Rows = append(v.Rows, row)
	}
	return len(list)
}

// entityName is the contracting entity, with its vendor where that is called otherwise.
func entityName(o *invoice.Offer) string {
	if o.Bill.Entity.Name == o.Bill.Vendor.Name {
		return o.Bill.Entity.Name
	}
	return o.Bill.Vendor.Name + " · " + o.Bill.Entity.Name
}

// offText says why something cannot be ticked, and where what is owed is paid.
func offText(c *Ctx, why []*fault.Error) (string, *part.Link) {
	if len(why) == 0 {
		return "", nil
	}
	if slices.ContainsFunc(why, func(f *fault.Error) bool { return f.Code == "invoice.arrears_first" }) {
		return whyText(c, why), &part.Link{Text: c.T("funds.repay"), Href: c.at(pathFunds + "/bills")}
	}
	return whyText(c, why), nil
}

// offerShares offers the customers of a cycle.
func (h *Handlers) offerShares(c *Ctx, v *invoiceview.Pick, p *invoicePick) (int, error) {
	v.Fields = []part.FilterField{p.monthField(c), p.wordField(c, "invoices.pick.customer")}
	v.Heads = []opsview.Head{{Text: c.T("invoices.col.customer")}, {Text: c.T("bill.column.cycle")}, {Text: c.T("billview.col.lines"), Num: true}, {Text: c.T("invoices.col.share"), Num: true}, {Text: c.T("invoices.col.free"), Num: true, Class: "m"}}
	list, err := h.Invoices.ShareOffers(c.ctx(), c.Scope, cycle.Cycle(p.month))
	if err != nil {
		return 0, err
	}
	if p.text != "" {
		list = slices.DeleteFunc(list, func(o invoice.ShareOffer) bool {
			return !strings.Contains(strings.ToLower(o.Customer.Code+" "+o.Customer.Name), strings.ToLower(p.text))
		})
	}
	for _, o := range stretch(list, p.page) {
		name := c.personal(o.Customer.Name)
		name.Note = o.Customer.Code
		row := opsview.Tick{Value: o.Bill.ID + " " + o.Customer.ID, Cells: []opsview.Cell{name, {Text: string(o.Bill.Cycle)}, {Text: i18n.Count(o.Lines)}, amountCell(o.Amount, o.Bill.Currency), amountCell(o.Free, o.Bill.Currency)}}
		row.Off, row.Cure = offText(c, o.Why)
		v.Rows = append(v.Rows, row)
	}
	if len(list) == 0 {
		v.Empty = &part.Empty{Title: c.T("invoices.no_shares"), Text: c.T("invoices.no_shares_text")}
	}
	return len(list), nil
}

// offerOrders offers a page of the orders of a cycle.
func (h *Handlers) offerOrders(c *Ctx, v *invoiceview.Pick, p *invoicePick) (int, error) {
	v.Fields = []part.FilterField{p.monthField(c), p.wordField(c, "invoices.pick.order")}
	v.Heads = []opsview.Head{{Text: c.T("invoices.col.order")}, {Text: c.T("invoices.col.customer")}, {Text: c.T("bill.column.cycle")}, {Text: c.T("invoices.col.cost"), Num: true}, {Text: c.T("invoices.col.free"), Num: true, Class: "m"}}
	list, total, err := h.Invoices.OrderOffers(c.ctx(), c.Scope, cycle.Cycle(p.month), invoice.OrderFilter{Text: p.text, Skip: (p.page - 1) * pickSize, Limit: pickSize})
	if err != nil {
		return 0, err
	}
	for i := range list {
		o := &list[i]
		row := opsview.Tick{Value: o.Bill.ID + " " + o.OrderNo, Cells: []opsview.Cell{{Text: o.OrderNo, Note: o.Product}, {Text: c.personal(o.Customer.Name).Text + " " + o.Customer.Code}, {Text: string(o.Bill.Cycle)}, amountCell(o.Amount, o.Bill.Currency), amountCell(max(o.Free, 0), o.Bill.Currency)}}
		row.Off, row.Cure = offText(c, o.Why)
		v.Rows = append(v.Rows, row)
	}
	if total == 0 {
		v.Empty = &part.Empty{Title: c.T("invoices.no_orders"), Text: c.T("invoices.no_orders_text")}
		if p.text != "" {
			v.Empty.Title = c.T("list.empty")
		}
	}
	return total, nil
}

// partsTaken are the parts of what is ticked as the second step shows them; what is not there any more is left out.
func (h *Handlers) partsTaken(c *Ctx, p *invoicePick) (*opsview.Grid, error) {
	g := &opsview.Grid{ID: "parts", Title: c.T("invoices.parts"), Heads: []opsview.Head{{Text: c.T("bill.column.cycle")}, {Text: c.T("invoices.col.part")}, {Text: c.T("invoices.entity")}, {Text: c.T("invoices.col.this"), Num: true, Class: "m"}}}
	parts, err := h.Invoices.Preview(c.ctx(), c.Scope, p.input())
	if err != nil {
		return nil, err
	}
	names, err := h.partNames(c, parts)
	if err != nil {
		return nil, err
	}
	var all sums
	for i := range parts {
		x := &parts[i]
		at := slices.IndexFunc(p.offers, func(o invoice.Offer) bool { return o.Bill.ID == x.BillID })
		if at < 0 {
			continue
		}
		o := &p.offers[at]
		all = all.add(sum{o.Bill.Currency, x.Amount.Exact()})
		g.Rows = append(g.Rows, []opsview.Cell{{Text: string(o.Bill.Cycle)}, partCell(c, x, names), {Text: entityName(o)}, amountCell(x.Amount, o.Bill.Currency)})
	}
	var lines []part.Money
	for _, x := range all {
		lines = append(lines, exactMoney(x.amount, x.currency))
	}
	g.Totals = []opsview.Total{{Label: c.T("invoices.total"), Lines: lines, At: 3}}
	return g, nil
}

// partNames are the customers of parts, for those who may see customers.
func (h *Handlers) partNames(c *Ctx, parts []invoice.Part) (map[string]string, error) {
	if !slices.ContainsFunc(parts, func(x invoice.Part) bool { return x.CustomerID != "" }) {
		return nil, nil
	}
	known, err := h.fundNames(c)
	out := map[string]string{}
	for id, x := range known {
		out[id] = c.personal(x.Name).Text + " " + x.Code
	}
	return out, err
}

// partCell names what of a bill a part takes.
func partCell(c *Ctx, x *invoice.Part, names map[string]string) opsview.Cell {
	switch {
	case x.OrderNo != "":
		return opsview.Cell{Text: x.OrderNo, Mono: true, Note: names[x.CustomerID]}
	case x.CustomerID != "":
		return opsview.Cell{Text: c.T("invoices.part.customer"), Note: names[x.CustomerID]}
	}
	return opsview.Cell{Text: c.T("invoices.whole_bill")}
}

// input is what is ticked, as a request is made of it.
func (p *invoicePick) input() invoice.Input {
	in := invoice.Input{Method: p.method}
	for _, text := range p.chosen {
		billID, rest, _ := strings.Cut(text, " ")
		switch {
		case p.of != "":
			in.Customers = append(in.Customers, invoice.CustomerKey{BillID: billID, CustomerID: rest})
		case p.method == invoice.MethodOrder:
			in.Orders = append(in.Orders, invoice.OrderKey{BillID: billID, OrderNo: rest})
		default:
			in.Bills = append(in.Bills, billID)
		}
	}
	return in
}

// backLink leads to the first step with everything ticked.
func (p *invoicePick) backLink(c *Ctx) *part.Link {
	q := url.Values{"method": {string(p.method)}, "cycle": {p.month}, p.ticks(): p.chosen}
	if p.of != "" {
		q.Set("of", p.of)
	}
	return &part.Link{Text: c.T("invoices.pick.again"), Href: c.at(p.path) + "?" + q.Encode()}
}

// poolFields offer the vendor, entity and currency an amount is taken from, and say how much there is.
func (p *invoicePick) poolFields(c *Ctx) []part.Field {
	pool := part.Field{Name: "pool", Label: c.T("invoices.pool"), Type: "select", Value: c.FormValue("pool"), Required: true, Help: c.T("invoices.pool_help")}
	type key struct{ vendor, entity, currency string }
	left := map[key]money.Exact{}
	first := map[key]*invoice.Offer{}
	var order []key
	for i := range p.offers {
		o := &p.offers[i]
		k := key{o.Bill.Vendor.ID, o.Bill.Entity.ID, o.Bill.Currency}
		if first[k] == nil {
			first[k], order = o, append(order, k)
		}
		if p.was != nil && pool.Value == "" && slices.ContainsFunc(p.was.Parts, func(x invoice.Part) bool { return x.BillID == o.Bill.ID }) {
			pool.Value = first[k].Bill.ID
		}
		if len(o.Why) == 0 {
			left[k] = left[k].Add(o.Free.Exact())
		}
	}
	for _, k := range order {
		pool.Options = append(pool.Options, part.Option{Value: first[k].Bill.ID, Label: entityName(first[k]) + " · " + i18n.ExactMoney(left[k], k.currency)})
	}
	amount := part.Field{Name: "amount", Label: c.T("invoices.col.amount"), Value: c.FormValue("amount"), Required: true, Numeric: true, Help: c.T("invoices.amount_help")}
	if p.was != nil && amount.Value == "" && p.was.Method == invoice.MethodAmount {
		amount.Value = p.was.Amount.String()
	}
	return []part.Field{pool, amount}
}

// detailsPage is the second step; picking by amount has only this one.
func (h *Handlers) detailsPage(c *Ctx, status int, header part.Header, p *invoicePick, refused *fault.Error) error {
	v := invoiceview.Details{Header: header, Refusal: refusalOf(c, refused), Action: c.at(pathInvoices), Submit: c.T("invoices.preview"), Hidden: append(fresh(), p.fixed()...),
		Notes: []string{c.T("invoices.note.preview"), c.T("invoices.note.courier", "Amount", i18n.Money(invoice.CourierFrom, invoice.CourierCurrency))}}
	if p.was != nil {
		v.Action = c.at(p.path)
	}
	fields, err := h.invoiceFields(c, p.was)
	if err != nil {
		return err
	}
	if p.method == invoice.MethodAmount {
		v.Tabs, v.Fields = p.tabs(c), append(p.poolFields(c), fields...)
		return c.page(status, v.Page())
	}
	if v.Grid, err = h.partsTaken(c, p); err != nil {
		why := faultOf(err)
		if statusOf[why.Kind] >= http.StatusInternalServerError {
			return err
		}
		if why.Kind == fault.KindNotFound {
			p.chosen = nil // what is not there cannot be taken off
		}
		return h.pickAgain(c, max(status, statusOf[why.Kind]), header, p, why)
	}
	for _, x := range p.chosen {
		v.Hidden = append(v.Hidden, part.Hidden{Name: p.ticks(), Value: x})
	}
	v.Fields, v.Back = fields, p.backLink(c)
	return c.page(status, v.Page())
}

// nothingPage stands where nothing can be picked.
func (h *Handlers) nothingPage(c *Ctx, status int, header part.Header, empty part.Empty) error {
	return c.page(status, opsview.Board{Header: header, Grids: []opsview.Grid{{ID: "none", Caption: header.Title, Empty: &empty}}}.Page())
}

// pickAgain is the first step with what is wrong with the choice.
func (h *Handlers) pickAgain(c *Ctx, status int, header part.Header, p *invoicePick, why *fault.Error) error {
	p.refused = why
	return h.pickPage(c, status, header, p)
}
