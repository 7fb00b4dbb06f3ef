package portal

import (
	"context"
	"net/http"
	"strconv"

	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/invoice"
	"huoban/internal/scope"
	"huoban/web/templates/part"
	"huoban/web/templates/ssoview"
)

const pathInvoiceProfile = pathInvoices + "/profile"

// invoiceProfileRoutes are 发票信息与地址: the one title of a partner, and where its letters go.
func invoiceProfileRoutes() []Route {
	view, do := []scope.Item{scope.ItemInvoiceView}, []scope.Item{scope.ItemInvoiceRequest}
	row := func(method, path, name, title string, items []scope.Item, handle func(*Handlers, *Ctx) error) Route {
		return Route{Method: method, Path: "/o/:org" + path, Name: name, Sides: partners, Items: items, Title: title, Do: handle}
	}
	return []Route{
		row(get, pathInvoiceProfile, "invoices.profile", "invoices.profile", view, (*Handlers).invoiceProfile).noList("one title and a few addresses"),
		row(post, pathInvoiceProfile, "invoices.title", "", do, (*Handlers).invoiceTitled),
		row(post, "/invoices/addresses", "invoices.address", "", do, (*Handlers).invoiceAddressed),
		row(post, "/invoices/addresses/:id/removal", "invoices.unaddress", "", do, (*Handlers).invoiceUnaddressed),
	}
}

func (h *Handlers) invoiceProfile(c *Ctx) error {
	return h.invoiceProfilePage(c, http.StatusOK, nil, nil)
}

// invoiceProfilePage shows title and addresses; what is stored is masked, and a field left empty keeps it.
func (h *Handlers) invoiceProfilePage(c *Ctx, status int, refused *fault.Error, typed *invoice.Title) error {
	t, found, err := h.Invoices.TitleOf(c.ctx(), c.Scope)
	if err != nil {
		return err
	}
	all, err := h.Invoices.Addresses(c.ctx(), c.Scope)
	if err != nil {
		return err
	}
	may := c.Scope.Has(scope.ItemInvoiceRequest)
	title := c.T("invoices.profile")
	page := ssoview.Access{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("invoices.title"), Href: c.at(pathInvoices)}, part.Link{Text: title})}, Flash: c.done(), Refusal: refusalOf(c, refused)}
	page.Sheets = append(page.Sheets, titleSheet(c, &t, found, may, typed), addressSheet(c, all, may))
	c.ruled(&page.Header, &page.Rules)
	return c.page(status, page.Page())
}

func titleSheet(c *Ctx, t *invoice.Title, found, may bool, typed *invoice.Title) ssoview.Sheet {
	s := ssoview.Sheet{ID: "title", Title: c.T("invoices.title_of"), Width: "w6", Notes: []string{c.T("invoices.title_note")}}
	if found {
		s.Items = []part.Item{{Label: c.T("invoices.title_kind"), Text: c.T("invoice.title_kind." + string(t.Kind))}, {Label: c.T("invoices.title_name"), Text: t.Name}, {Label: c.T("invoice.title.tax_no"), Text: or(maskedTail(t.TaxNo), i18n.Nothing), Mono: true},
			{Label: c.T("invoice.title.bank"), Text: or(t.Bank, i18n.Nothing)}, {Label: c.T("invoice.title.account"), Text: or(maskedTail(t.Account), i18n.Nothing), Mono: true}, {Label: c.T("invoice.title.address"), Text: or(maskedTail(t.Address), i18n.Nothing)},
			{Label: c.T("invoice.title.phone"), Text: or(maskedTail(t.Phone), i18n.Nothing)}, {Label: c.T("invoices.title_version"), Text: c.T("invoices.title_since", "Version", t.Version, "At", i18n.DateTime(t.CreatedAt), "Who", t.CreatedBy)}}
	}
	if !may {
		return s
	}
	shown := *t
	shown.TaxNo, shown.Account, shown.Address, shown.Phone = "", "", "", ""
	if typed != nil {
		shown = *typed
	}
	kind := part.Field{Name: "title_kind", Label: c.T("invoices.title_kind"), Type: "select", Value: string(shown.Kind)}
	for _, k := range invoice.TitleKinds {
		kind.Options = append(kind.Options, part.Option{Value: string(k), Label: c.T("invoice.title_kind." + string(k))})
	}
	keep := ""
	if found {
		keep = c.T("invoices.keep")
	}
	fields := []part.Field{kind, {Name: "title_name", Label: c.T("invoices.title_name"), Value: shown.Name, Required: true, MaxLength: 100},
		{Name: "tax_no", Label: c.T("invoice.title.tax_no"), Value: shown.TaxNo, Hint: maskedTail(t.TaxNo), Help: join(present(c.T("invoices.tax_help"), keep), " "), MaxLength: 20, Autocomplete: "off"},
		{Name: "bank", Label: c.T("invoice.title.bank"), Value: shown.Bank, MaxLength: 100}, {Name: "account", Label: c.T("invoice.title.account"), Value: shown.Account, Hint: maskedTail(t.Account), Help: keep, Autocomplete: "off", MaxLength: 40},
		{Name: "registered", Label: c.T("invoice.title.address"), Value: shown.Address, Hint: maskedTail(t.Address), Help: keep, MaxLength: 200}, {Name: "telephone", Label: c.T("invoice.title.phone"), Value: shown.Phone, Hint: maskedTail(t.Phone), Help: keep, Autocomplete: "off", MaxLength: 31}}
	s.Forms = []ssoview.Form{{Action: c.at(pathInvoiceProfile), Submit: c.T("members.save"), Hidden: append(fresh(), part.Hidden{Name: "title_version", Value: strconv.FormatInt(t.Version, 10)}), Fields: fields}}
	return s
}

// maskedTail keeps the last four signs.
func maskedTail(s string) string {
	r := []rune(s)
	if len(r) == 0 {
		return ""
	}
	return "***" + string(r[max(len(r)-4, len(r)/2):])
}

func addressSheet(c *Ctx, all []invoice.Address, may bool) ssoview.Sheet {
	s := ssoview.Sheet{ID: "addresses", Title: c.T("invoices.addresses"), Width: "w6", Notes: []string{c.T("invoices.addresses_note", "Limit", invoice.MaxAddresses)}}
	for i := range all {
		s.Items = append(s.Items, part.Item{Label: i18n.DateTime(all[i].CreatedAt), Text: postText(c, &all[i].Post)})
		if may {
			s.Forms = append(s.Forms, ssoview.Form{Action: c.at("/invoices/addresses/" + all[i].ID + "/removal"), Submit: c.T("invoices.address_drop", "Region", all[i].Region, "Recipient", maskName(all[i].Recipient)), Quiet: true, Hidden: fresh()})
		}
	}
	if may && len(all) < invoice.MaxAddresses {
		s.Forms = append(s.Forms, ssoview.Form{Action: c.at("/invoices/addresses"), Submit: c.T("invoices.address_add"), Hidden: fresh(), Fields: []part.Field{
			{Name: "recipient", Label: c.T("invoices.recipient"), Value: c.FormValue("recipient"), Required: true, MaxLength: 50, Autocomplete: "off"}, {Name: "phone", Label: c.T("invoices.phone"), Value: c.FormValue("phone"), Required: true, Autocomplete: "off", MaxLength: 31},
			{Name: "region", Label: c.T("invoices.region"), Value: c.FormValue("region"), Required: true, Hint: c.T("invoices.region_hint"), MaxLength: 60}, {Name: "detail", Label: c.T("invoices.detail"), Value: c.FormValue("detail"), Required: true, MaxLength: 200},
			{Name: "postcode", Label: c.T("invoices.postcode"), Value: c.FormValue("postcode"), Numeric: true, MaxLength: 6}}})
	}
	return s
}

func (h *Handlers) invoiceTitled(c *Ctx) error {
	if err := c.readForm(); err != nil {
		return err
	}
	t := invoice.Title{Kind: invoice.TitleKind(c.FormValue("title_kind")), Name: c.FormValue("title_name"), TaxNo: c.FormValue("tax_no"), Bank: c.FormValue("bank"), Account: c.FormValue("account"),
		Address: c.FormValue("registered"), Phone: c.FormValue("telephone")}
	err := h.once(c, func(ctx context.Context) (answer, error) {
		version, err := strconv.ParseInt(or(c.FormValue("title_version"), "0"), 10, 64)
		if err != nil {
			return answer{}, malformed(err)
		}
		was, found, err := h.Invoices.TitleOf(ctx, c.Scope)
		if err != nil {
			return answer{}, err
		}
		next := t
		if found && version > 0 { // what is masked on the page is kept by an empty field
			next.TaxNo, next.Account, next.Address, next.Phone = or(t.TaxNo, was.TaxNo), or(t.Account, was.Account), or(t.Address, was.Address), or(t.Phone, was.Phone)
		}
		return answer{Location: c.withQuery(pathInvoiceProfile, "done", "invoice_title")}, h.Invoices.SetTitle(ctx, c.Scope, next, version)
	})
	if err == nil {
		return nil
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.invoiceProfilePage(c, status, f, &t) })
}

func (h *Handlers) invoiceAddressed(c *Ctx) error {
	if err := c.readForm(); err != nil {
		return err
	}
	p := invoice.Post{Recipient: c.FormValue("recipient"), Phone: c.FormValue("phone"), Region: c.FormValue("region"), Detail: c.FormValue("detail"), Postcode: c.FormValue("postcode")}
	err := h.once(c, func(ctx context.Context) (answer, error) {
		return answer{Location: c.withQuery(pathInvoiceProfile, "done", "invoice_address")}, h.Invoices.AddAddress(ctx, c.Scope, p)
	})
	if err == nil {
		return nil
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.invoiceProfilePage(c, status, f, nil) })
}

func (h *Handlers) invoiceUnaddressed(c *Ctx) error {
	return h.once(c, func(ctx context.Context) (answer, error) {
		return answer{Location: c.withQuery(pathInvoiceProfile, "done", "invoice_unaddress")}, h.Invoices.DropAddress(ctx, c.Scope, c.Param("id"))
	})
}
