package portal

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/invoice"
	"huoban/web/templates/custview"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

func (h *Handlers) invoicePage(c *Ctx) error { return h.invoiceForm(c, http.StatusOK, nil, nil) }

func (h *Handlers) invoiceAmendPage(c *Ctx) error {
	return h.invoiceAmendForm(c, http.StatusOK, nil)
}

func (h *Handlers) invoiceAmendForm(c *Ctx, status int, refused *fault.Error) error {
	r, err := h.Invoices.Find(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return err
	}
	return h.invoiceForm(c, status, refused, &r)
}

// invoiceForm asks what is to be invoiced and how; was is the request that is amended.
func (h *Handlers) invoiceForm(c *Ctx, status int, refused *fault.Error, was *invoice.Request) error {
	title, path := c.T("invoices.new"), pathInvoices+"/new"
	crumbs := []part.Link{{Text: c.T("invoices.title"), Href: c.at(pathInvoices)}}
	method := invoice.Method(c.FormValue("method"))
	p := custview.Pick{Refusal: refusalOf(c, refused), Action: c.at(pathInvoices), Submit: c.T("invoices.preview")}
	if was != nil {
		title, path, method = c.T("invoices.amend"), pathInvoices+"/"+was.ID+"/amendment", cmp.Or(method, was.Method)
		crumbs = append(crumbs, part.Link{Text: was.Number, Href: c.at(pathInvoices + "/" + was.ID)})
		p.Action = c.at(path)
	}
	method = cmp.Or(method, invoice.MethodCycle)
	if !slices.Contains(invoice.Methods, method) {
		return notFound()
	}
	p.Header = part.Header{Title: title, Crumbs: c.crumbs(append(crumbs, part.Link{Text: title})...)}
	p.Hidden = append(fresh(), part.Hidden{Name: "method", Value: string(method)})
	choice := choiceOf(c, "method", c.T("invoices.col.method"), "invoice.method.", method, invoice.Methods)
	choice.Options = choice.Options[1:]
	p.Filter = &part.Filter{Action: c.at(path), Reset: c.at(path), Fields: []part.FilterField{choice}}
	offers, err := h.Invoices.Offers(c.ctx(), c.Scope)
	if err != nil {
		return err
	}
	if was != nil && !was.State.Amendable() {
		why := fault.Conflict("invoice.not_amendable", fault.Args{"state": "invoice.state." + string(was.State)})
		p.Filter, p.Empty = nil, &part.Empty{Title: i18n.FaultText(c.ctx(), why), Text: c.T("invoice.next." + string(was.State)), Button: &part.Link{Text: c.T("invoices.of", "Number", was.Number), Href: c.at(pathInvoices + "/" + was.ID)}}
		return c.page(status, p.Page())
	}
	if len(offers) == 0 {
		p.Empty = &part.Empty{Title: c.T("invoices.nothing"), Text: c.T("invoices.nothing_text")}
		return c.page(status, p.Page())
	}
	if p.Fields, err = h.invoiceFields(c, method, was); err != nil {
		return err
	}
	switch method {
	case invoice.MethodCycle:
		pickBills(c, &p, offers, was)
	case invoice.MethodOrder:
		err = h.pickOrders(c, &p, offers, was)
	case invoice.MethodAmount:
		pickPool(c, &p, offers, was)
	}
	p.Notes = []string{c.T("invoices.note.preview"), c.T("invoices.note.courier", "Amount", i18n.Money(invoice.CourierFrom, invoice.CourierCurrency))}
	if err != nil {
		return err
	}
	return c.page(status, p.Page())
}

// invoiceFields ask for everything but what is taken.
func (h *Handlers) invoiceFields(c *Ctx, method invoice.Method, was *invoice.Request) ([]part.Field, error) {
	if was == nil {
		was = &invoice.Request{Kind: invoice.KindOrdinary, Medium: invoice.MediumElectronic}
	}
	kind := part.Field{Name: "kind", Label: c.T("invoices.kind"), Type: "select", Value: cmp.Or(c.FormValue("kind"), string(was.Kind)), Help: c.T("invoices.kind_help")}
	for _, k := range []invoice.Kind{invoice.KindOrdinary, invoice.KindSpecial} {
		kind.Options = append(kind.Options, part.Option{Value: string(k), Label: c.T("invoice.kind." + string(k))})
	}
	medium := part.Field{Name: "medium", Label: c.T("invoices.medium"), Type: "select", Value: cmp.Or(c.FormValue("medium"), string(was.Medium)), Help: c.T("invoices.medium_help")}
	for _, m := range []invoice.Medium{invoice.MediumElectronic, invoice.MediumDigital, invoice.MediumPaper} {
		medium.Options = append(medium.Options, part.Option{Value: string(m), Label: c.T("invoice.medium." + string(m))})
	}
	all, err := h.Invoices.Addresses(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	to := part.Field{Name: "address", Label: c.T("invoices.post_to"), Type: "select", Value: cmp.Or(c.FormValue("address"), was.AddressID), Help: c.T("invoices.post_help"), Options: []part.Option{{Label: c.T("invoices.post_none")}}}
	for i := range all {
		to.Options = append(to.Options, part.Option{Value: all[i].ID, Label: postText(c, &all[i].Post)})
	}
	email := part.Field{Name: "email", Label: c.T("invoices.email"), Value: c.FormValue("email"), Help: c.T("invoices.email_help"), Autocomplete: "off", MaxLength: 120}
	if was.Email != "" {
		email.Hint, email.Help = masked(was.Email), c.T("invoices.email_keep")
	}
	remark := part.Field{Name: "remark", Label: c.T("invoices.remark"), Value: cmp.Or(c.FormValue("remark"), was.Remark), MaxLength: invoice.MaxRemark}
	courier := part.Field{Name: "courier_ok", Label: c.T("invoices.courier_ok", "Amount", i18n.Money(invoice.CourierFrom, invoice.CourierCurrency)), Type: "checkbox", Value: cmp.Or(c.FormValue("courier_ok"), trueText(was.CourierOK))}
	return []part.Field{kind, medium, to, email, remark, courier}, nil
}

func pickBills(c *Ctx, p *custview.Pick, offers []invoice.Offer, was *invoice.Request) {
	p.Tick, p.Heads = "bill", []string{c.T("bill.column.cycle"), c.T("invoices.entity"), c.T("invoices.col.due"), c.T("invoices.col.held"), c.T("invoices.col.free")}
	chosen := formList(c, "bill")
	for i := range offers {
		o := &offers[i]
		own := was != nil && slices.ContainsFunc(was.Parts, func(x invoice.Part) bool { return x.BillID == o.Bill.ID })
		row := custview.Row{Value: o.Bill.ID, Checked: slices.Contains(chosen, o.Bill.ID) || len(chosen) == 0 && own, Cells: []opsview.Cell{{Text: string(o.Bill.Cycle), Note: o.Bill.Vendor.Name}, {Text: o.Bill.Entity.Name},
			amountCell(o.Bill.Due, o.Bill.Currency), amountCell(o.Held, o.Bill.Currency), amountCell(o.Free, o.Bill.Currency)}}
		if len(o.Why) > 0 {
			row.Off, row.Checked = whyText(c, o.Why), false
		}
		p.Rows = append(p.Rows, row)
	}
}

func whyText(c *Ctx, why []*fault.Error) string {
	var out []string
	for _, f := range why {
		out = append(out, i18n.FaultText(c.ctx(), f))
	}
	return join(out, c.T("portal.list.comma"))
}

// pickOrders offers the orders of one cycle: the newest with something left unless another is asked for.
func (h *Handlers) pickOrders(c *Ctx, p *custview.Pick, offers []invoice.Offer, was *invoice.Request) error {
	month := c.FormValue("cycle")
	if month == "" && was != nil && len(was.Parts) > 0 {
		month = string(was.Parts[0].Cycle)
	}
	if at := slices.IndexFunc(offers, func(o invoice.Offer) bool { return o.Free > 0 && len(o.Why) == 0 }); at >= 0 {
		month = cmp.Or(month, string(offers[at].Bill.Cycle))
	}
	month = cmp.Or(month, string(offers[0].Bill.Cycle))
	cycles := part.FilterField{Name: "cycle", Label: c.T("bill.column.cycle"), Value: month}
	for i := range offers {
		if o := (part.Option{Value: string(offers[i].Bill.Cycle), Label: string(offers[i].Bill.Cycle)}); !slices.Contains(cycles.Options, o) {
			cycles.Options = append(cycles.Options, o)
		}
	}
	if !slices.ContainsFunc(cycles.Options, func(o part.Option) bool { return o.Value == month }) {
		return notFound()
	}
	p.Filter.Fields = append(p.Filter.Fields, cycles)
	p.Hidden = append(p.Hidden, part.Hidden{Name: "cycle", Value: month})
	p.Tick, p.Heads = "order", []string{c.T("invoices.col.order"), c.T("invoices.col.customer"), c.T("invoices.col.cost"), c.T("invoices.col.free")}
	list, err := h.Invoices.OrderOffers(c.ctx(), c.Scope, cycle.Cycle(month))
	if err != nil {
		return err
	}
	chosen := formList(c, "order")
	for i := range list {
		o := &list[i]
		value := o.Bill.ID + " " + o.OrderNo
		own := was != nil && slices.ContainsFunc(was.Parts, func(x invoice.Part) bool { return x.BillID == o.Bill.ID && x.OrderNo == o.OrderNo })
		row := custview.Row{Value: value, Checked: slices.Contains(chosen, value) || len(chosen) == 0 && own,
			Cells: []opsview.Cell{{Text: o.OrderNo, Note: o.Product}, {Text: c.personal(o.Customer.Name).Text}, amountCell(o.Amount, o.Bill.Currency), amountCell(max(o.Free, 0), o.Bill.Currency)}}
		if len(o.Why) > 0 {
			row.Off, row.Checked = whyText(c, o.Why), false
		}
		p.Rows = append(p.Rows, row)
	}
	if len(list) == 0 {
		p.Empty = &part.Empty{Title: c.T("invoices.no_orders"), Text: c.T("invoices.no_orders_text")}
	}
	return nil
}

// pickPool offers the vendor, entity and currency an amount is taken from, and says how much there is.
func pickPool(c *Ctx, p *custview.Pick, offers []invoice.Offer, was *invoice.Request) {
	pool := part.Field{Name: "pool", Label: c.T("invoices.pool"), Type: "select", Value: c.FormValue("pool"), Required: true, Help: c.T("invoices.pool_help")}
	type key struct{ vendor, entity, currency string }
	sums := map[key]sum{}
	first := map[key]*invoice.Offer{}
	var order []key
	for i := range offers {
		o := &offers[i]
		k := key{o.Bill.Vendor.ID, o.Bill.Entity.ID, o.Bill.Currency}
		if first[k] == nil {
			first[k], order = o, append(order, k)
		}
		if was != nil && pool.Value == "" && slices.ContainsFunc(was.Parts, func(x invoice.Part) bool { return x.BillID == o.Bill.ID }) {
			pool.Value = first[k].Bill.ID
		}
		if len(o.Why) == 0 {
			sums[k] = sum{k.currency, sums[k].amount.Add(o.Free.Exact())}
		}
	}
	for _, k := range order {
		o := first[k]
		pool.Options = append(pool.Options, part.Option{Value: o.Bill.ID, Label: o.Bill.Entity.Name + " · " + i18n.ExactMoney(sums[k].amount, k.currency)})
	}
	amount := part.Field{Name: "amount", Label: c.T("invoices.col.amount"), Value: c.FormValue("amount"), Required: true, Help: c.T("invoices.amount_help")}
	if was != nil && amount.Value == "" && was.Method == invoice.MethodAmount {
		amount.Value = was.Amount.String()
	}
	p.Fields = append([]part.Field{pool, amount}, p.Fields...)
}

// formList are the values of a name that a form or an address gives several times.
func formList(c *Ctx, name string) []string {
	if c.Request().Form == nil {
		_ = c.FormValue(name) // reads the form
	}
	return c.Request().Form[name]
}

// invoiceInput reads the form.
func invoiceInput(c *Ctx, was *invoice.Request) (invoice.Input, error) {
	in := invoice.Input{Method: invoice.Method(c.FormValue("method")), Bills: formList(c, "bill"), PoolBill: c.FormValue("pool"), Kind: invoice.Kind(c.FormValue("kind")), Medium: invoice.Medium(c.FormValue("medium")),
		AddressID: c.FormValue("address"), Email: c.FormValue("email"), Remark: c.FormValue("remark"), CourierOK: c.FormValue("courier_ok") == "true"}
	if was != nil && in.Email == "" {
		in.Email = was.Email // it is shown masked; empty keeps it
	}
	for _, text := range formList(c, "order") {
		billID, number, _ := strings.Cut(text, " ")
		in.Orders = append(in.Orders, invoice.OrderKey{BillID: billID, OrderNo: number})
	}
	if in.Method == invoice.MethodAmount {
		var err error
		if in.Amount, err = readAmount(c.FormValue("amount")); err != nil {
			return in, err
		}
	}
	return in, nil
}

func (h *Handlers) invoiceDrafted(c *Ctx) error {
	err := h.once(c, func(ctx context.Context) (answer, error) {
		in, err := invoiceInput(c, nil)
		if err != nil {
			return answer{}, err
		}
		r, err := h.Invoices.Draft(ctx, c.Scope, in)
		if err != nil {
			return answer{}, err
		}
		return answer{Location: c.withQuery(pathInvoices+"/"+r.ID, "done", "invoice_draft"), Body: h.invoiceBody(ctx, c, &r)}, nil
	})
	if err == nil {
		return nil
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.invoiceForm(c, status, f, nil) })
}

func (h *Handlers) invoiceAmended(c *Ctx) error {
	err := h.once(c, func(ctx context.Context) (answer, error) {
		was, err := h.Invoices.Find(ctx, c.Scope, c.Param("id"))
		if err != nil {
			return answer{}, err
		}
		in, err := invoiceInput(c, &was)
		if err != nil {
			return answer{}, err
		}
		r, err := h.Invoices.Amend(ctx, c.Scope, was.ID, in)
		if err != nil {
			return answer{}, err
		}
		return answer{Location: c.withQuery(pathInvoices+"/"+r.ID, "done", "invoice_amend"), Body: h.invoiceBody(ctx, c, &r)}, nil
	})
	if err == nil {
		return nil
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.invoiceAmendForm(c, status, f) })
}
