package portal

import (
	"cmp"
	"context"
	"net/http"
	"strings"

	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/invoice"
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

// invoiceForm asks what is to be invoiced, and then how; was is the request that is amended. What is wrong with a form
// that was sent is said at the second step, which has all that was typed.
func (h *Handlers) invoiceForm(c *Ctx, status int, refused *fault.Error, was *invoice.Request) error {
	title, path := c.T("invoices.new"), pathInvoices+"/new"
	crumbs := []part.Link{{Text: c.T("invoices.title"), Href: c.at(pathInvoices)}}
	if was != nil {
		title, path = c.T("invoices.amend"), pathInvoices+"/"+was.ID+"/amendment"
		crumbs = append(crumbs, part.Link{Text: was.Number, Href: c.at(pathInvoices + "/" + was.ID)})
	}
	header := part.Header{Title: title, Crumbs: c.crumbs(append(crumbs, part.Link{Text: title})...)}
	if was != nil && !was.State.Amendable() {
		why := fault.Conflict("invoice.not_amendable", fault.Args{"state": "invoice.state." + string(was.State)})
		return h.nothingPage(c, status, header, part.Empty{Title: i18n.FaultText(c.ctx(), why), Text: c.T("invoice.next." + string(was.State)), Button: &part.Link{Text: c.T("invoices.of", "Number", was.Number), Href: c.at(pathInvoices + "/" + was.ID)}})
	}
	p, err := h.readPick(c, path, was)
	if err != nil {
		return err
	}
	if len(p.offers) == 0 {
		return h.nothingPage(c, status, header, part.Empty{Title: c.T("invoices.nothing"), Text: c.T("invoices.nothing_text")})
	}
	opened := was != nil && len(c.QueryParams()) == 0 // an amendment begins with how, what it takes stays unless asked
	if p.method != invoice.MethodAmount && refused == nil && c.FormValue("step") != "details" && !opened {
		return h.pickPage(c, status, header, p)
	}
	if len(p.chosen) == 0 && p.method != invoice.MethodAmount {
		return h.pickAgain(c, status, header, p, cmp.Or(refused, fault.Invalid("invoice.nothing_chosen", nil)))
	}
	return h.detailsPage(c, status, header, p, refused)
}

// invoiceFields ask for everything but what is taken.
func (h *Handlers) invoiceFields(c *Ctx, was *invoice.Request) ([]part.Field, error) {
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

func whyText(c *Ctx, why []*fault.Error) string {
	var out []string
	for _, f := range why {
		out = append(out, i18n.FaultText(c.ctx(), f))
	}
	return join(out, c.T("portal.list.comma"))
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
	for _, text := range formList(c, "customer") {
		billID, customerID, _ := strings.Cut(text, " ")
		in.Customers = append(in.Customers, invoice.CustomerKey{BillID: billID, CustomerID: customerID})
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
