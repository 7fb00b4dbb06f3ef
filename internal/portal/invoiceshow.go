package portal

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/i18n"
	"huoban/internal/invoice"
	"huoban/internal/scope"
	"huoban/web/templates/invoiceview"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

// invoiceRow is a row of the machine, for who looks its paths up.
type invoiceRow = flow.Row[invoice.State, invoice.Action, invoice.Facts]

func (h *Handlers) invoiceShown(c *Ctx) error { return h.invoiceDetail(c, http.StatusOK, nil) }

// invoiceDetail is a request as the partner sees it; a draft is the preview of the invoice.
func (h *Handlers) invoiceDetail(c *Ctx, status int, refused *fault.Error) error {
	r, p, err := h.invoiceShow(c, pathInvoices, c.T("invoices.title"), refused)
	if err != nil {
		return err
	}
	if r.State.Amendable() && c.Scope.Has(scope.ItemInvoiceRequest) {
		p.Header.Buttons = append(p.Header.Buttons, part.Link{Text: c.T("invoices.amend"), Href: c.at(pathInvoices + "/" + r.ID + "/amendment")})
	}
	c.ruled(&p.Header, &p.Rules)
	return c.page(status, p.Page())
}

// invoiceShow is what both sides see of a request.
func (h *Handlers) invoiceShow(c *Ctx, path, list string, refused *fault.Error) (invoice.Request, *invoiceview.Show, error) {
	r, err := h.Invoices.Find(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return r, nil, err
	}
	here := c.at(path + "/" + r.ID)
	p := &invoiceview.Show{Header: part.Header{Title: c.T("invoices.of", "Number", r.Number), Amount: i18n.Money(r.Amount, r.Currency), Label: c.T("invoices.total"),
		Crumbs: c.crumbs(part.Link{Text: list, Href: c.at(path)}, part.Link{Text: r.Number}), Status: c.explained("invoice", "now", string(r.State), invoiceTone[r.State])},
		Flash: c.done(), Note: nextText(c, &r), Eye: c.factsEye(path+"/"+r.ID, c.T("invoices.eye"))}
	p.Refusal, p.Conflict = lost(c, refused, here)
	if days, timed := invoice.Flow.Within[r.State]; timed && h.Desk != nil {
		calendar, err := h.Desk.Calendar(c.ctx(), r.VendorID)
		if err != nil {
			return r, nil, err
		}
		due, _ := calendar.Due(r.ChangedAt, days)
		p.Due = c.T("invoices.by_day", "Day", i18n.DateTime(due)[:10])
	}
	if r.State == invoice.StatePosted {
		p.Due = c.T("invoices.received_on", "Day", i18n.DateTime(r.Received())[:10])
	}
	if r.Reason != "" && (r.State == invoice.StateRefused || r.State == invoice.StateKept || r.State == invoice.StateReturnRefused) {
		why := part.Check{Tone: part.Bad, Title: c.T("invoices.reason"), Text: r.Reason}
		if r.State == invoice.StateRefused && path == pathInvoices && c.Scope.Has(scope.ItemInvoiceRequest) {
			why.Cure = &part.Link{Text: c.T("invoices.amend"), Href: c.at(pathInvoices + "/" + r.ID + "/amendment")}
		}
		p.Checks = append(p.Checks, why)
	}
	buttons, err := h.Invoices.Allowed(c.ctx(), c.Scope, r)
	if err != nil {
		return r, nil, err
	}
	set, err := h.Invoices.Setting(c.ctx(), r.VendorID)
	if err != nil {
		return r, nil, err
	}
	h.invoiceButtons(c, p, &r, buttons, &set, here)
	if p.Facts, err = h.invoiceItems(c, &r, &set); err != nil {
		return r, nil, err
	}
	names, err := h.partNames(c, r.Parts)
	if err != nil {
		return r, nil, err
	}
	p.Grid = invoiceParts(c, &r, names)
	files, err := h.Invoices.Files(c.ctx(), c.Scope, &r)
	if err != nil {
		return r, nil, err
	}
	for _, f := range files {
		p.Files = append(p.Files, part.Link{Text: c.T("invoices.download", "Format", strings.ToUpper(string(f.Format)), "Size", i18n.Count((f.Bytes+1023)/1024)), Href: here + "/file?format=" + string(f.Format)})
	}
	changes, err := h.Invoices.History(c.ctx(), r.ID)
	p.Trail, p.Steps = history(c, invoice.Flow.Machine, changes), h.invoiceSteps(c, &r, changes)
	return r, p, err
}

// invoiceButtons are what may be done. What keeps a request from being submitted is listed as checks, each with its
// cure, rather than in the space under a button.
func (h *Handlers) invoiceButtons(c *Ctx, p *invoiceview.Show, r *invoice.Request, all []flow.Button, set *invoice.Setting, here string) {
	for _, b := range all {
		if b.Refusal != nil && b.Refusal.Kind == fault.KindDenied {
			continue
		}
		one := actionButton(c, b, here+"/"+b.Noun, r.Number, r.Version)
		switch invoice.Action(b.Action) {
		case invoice.ActionSubmit:
			one.Primary = true
			if b.Refusal != nil {
				one.Hint = c.T("invoices.see_checks")
				p.Checks = append(p.Checks, h.invoiceChecks(c, b.Refusal)...)
			}
		case invoice.ActionAccept, invoice.ActionSign:
			one.Primary = true
		case invoice.ActionReturn:
			returnAsks(c, one.Dialog, r)
		case invoice.ActionIssue, invoice.ActionPost:
			one.Primary = true
			nameCouriers(c, one.Dialog, set)
			if b.Refusal != nil && (b.Refusal.Code == "invoice.paper_is_posted" || b.Refusal.Code == "invoice.file_is_not_posted" || b.Refusal.Code == "flow.refused" && r.Medium == invoice.MediumPaper) {
				continue // the other of the two is theirs
			}
		}
		p.Buttons = append(p.Buttons, one)
	}
}

// returnAsks says in the dialog of a return what follows of it.
func returnAsks(c *Ctx, d *part.Dialog, r *invoice.Request) {
	if d != nil {
		d.Points = append(d.Points, c.T("invoices.return."+string(r.Medium)))
	}
}

// nameCouriers lists the vendor's couriers where a letter's is asked for.
func nameCouriers(c *Ctx, d *part.Dialog, set *invoice.Setting) {
	var names []string
	for _, x := range set.Couriers {
		names = append(names, x.Name)
	}
	for i := 0; d != nil && i < len(d.Fields); i++ {
		if d.Fields[i].Name == "courier" {
			d.Fields[i].Help = join(names, c.T("portal.list.comma"))
		}
	}
}

// invoiceRowActs is what a list offers to be done with a request, what may not be with its reason, and where it is read.
func (h *Handlers) invoiceRowActs(c *Ctx, r *invoice.Request) opsview.Cell {
	here := c.at(pathInvoices + "/" + r.ID)
	var out opsview.Cell
	for _, b := range h.Invoices.Offered(c.Scope, r) {
		if b.Refusal != nil && b.Refusal.Kind == fault.KindDenied {
			continue
		}
		one := actionButton(c, b, here+"/"+b.Noun, r.Number, r.Version)
		one.ID += "-" + r.ID
		if b.Enabled {
			one.Hint = "" // its dialog says it
		}
		if invoice.Action(b.Action) == invoice.ActionReturn {
			returnAsks(c, one.Dialog, r)
		}
		out.Buttons = append(out.Buttons, one)
	}
	if r.State.Amendable() && c.Scope.Has(scope.ItemInvoiceRequest) {
		out.Links = append(out.Links, part.Link{Text: c.T("invoices.amend_row"), Href: here + "/amendment"})
	}
	if r.State.Downloadable() && r.Medium.IsFile() {
		out.Links = append(out.Links, part.Link{Text: c.T("invoices.download_row"), Href: here + "/file"})
	}
	out.Links = append(out.Links, part.Link{Text: c.T("invoices.preview_row"), Href: here})
	return out
}

// invoiceChecks are the rules a request breaks, each with the page that cures it.
func (h *Handlers) invoiceChecks(c *Ctx, f *fault.Error) []part.Check {
	reasons := f.Reason
	if len(reasons) == 0 {
		reasons = []*fault.Error{f}
	}
	var out []part.Check
	for _, one := range reasons {
		check := part.Check{Tone: part.Bad, Title: i18n.FaultText(c.ctx(), one), Text: cureText(c, one)}
		switch one.Code {
		case "invoice.one_title", "invoice.title_incomplete", "invoice.special_needs_company":
			check.Cure = &part.Link{Text: c.T("invoices.profile"), Href: c.at(pathInvoices + "/profile")}
		case "invoice.arrears_first":
			check.Cure = &part.Link{Text: c.T("funds.repay"), Href: c.at(pathFunds + "/bills")}
		case "invoice.recipient_missing", "invoice.medium_refused", "invoice.courier_unagreed", "invoice.amount_taken", "invoice.entities_mixed":
			check.Cure = &part.Link{Text: c.T("invoices.amend"), Href: c.at(pathInvoices + "/" + c.Param("id") + "/amendment")}
		}
		out = append(out, check)
	}
	return out
}

// invoiceSteps are the stages of a request; a letter has two more than a file.
func (h *Handlers) invoiceSteps(c *Ctx, r *invoice.Request, changes []flow.Change) []part.Step {
	names := []string{"submit", "review", "issue"}
	if !r.Medium.IsFile() {
		names = append(names, "post", "sign")
	}
	names = append(names, "done")
	at, stop := 0, false
	switch r.State {
	case invoice.StatePending:
		at = 1
	case invoice.StateRefused:
		at, stop = 1, true
	case invoice.StateCancelled:
		at, stop = 1, true
	case invoice.StateIssuing, invoice.StateKept, invoice.StateCancelling:
		at = 2
	case invoice.StatePosted:
		at = 4
	case invoice.StateIssued, invoice.StateReturning, invoice.StateReturnRefused:
		at = len(names)
	case invoice.StateReturned:
		at, stop = len(names)-1, true
	}
	out := make([]part.Step, len(names))
	for i, name := range names {
		out[i] = part.Step{Text: c.T("invoices.step." + name)}
		switch {
		case i < at:
			out[i].State = part.StepDone
		case i == at && stop:
			out[i].State, out[i].Note = part.StepStop, c.T("invoice.state."+string(r.State))
		case i == at:
			out[i].State = part.StepNow
		}
	}
	for i := range out {
		if x := stepTaken(names[i], changes); x != nil && (out[i].State == part.StepDone || out[i].State == part.StepStop) {
			out[i].Note = strings.TrimSpace(out[i].Note + " " + i18n.Moment(c.ctx(), x.At) + " " + c.by(x.Actor))
		}
	}
	return out
}

// stepActs are the actions that take a request over a step.
var stepActs = map[string][]invoice.Action{"submit": {invoice.ActionSubmit}, "review": {invoice.ActionAccept, invoice.ActionRefuse, invoice.ActionCancel}, "issue": {invoice.ActionIssue, invoice.ActionPost, invoice.ActionAgreeCancel},
	"post": {invoice.ActionPost}, "sign": {invoice.ActionSign, invoice.ActionSignByTime}, "done": {invoice.ActionAcceptReturn}}

// stepTaken is the last change that took the step.
func stepTaken(name string, changes []flow.Change) *flow.Change {
	for i := len(changes) - 1; i >= 0; i-- {
		if slices.Contains(stepActs[name], invoice.Action(changes[i].Action)) {
			return &changes[i]
		}
	}
	return nil
}

// nextText says what comes next; a letter that arrived has no file to take.
func nextText(c *Ctx, r *invoice.Request) string {
	if r.State == invoice.StateIssued && !r.Medium.IsFile() {
		return c.T("invoices.next.signed")
	}
	return c.T("invoice.next." + string(r.State))
}

// invoiceItems is what the invoice says and where it goes.
func (h *Handlers) invoiceItems(c *Ctx, r *invoice.Request, set *invoice.Setting) ([]part.Item, error) {
	orgs, err := h.orgNames(c)
	if err != nil {
		return nil, err
	}
	t := &r.Title
	items := []part.Item{{Label: c.T("invoices.title_of"), Text: titleText(c, r)}, {Label: c.T("invoice.title.tax_no"), Text: c.veiled(t.TaxNo), Mono: true}, {Label: c.T("invoices.col.kind"), Text: kindText(c, r)},
		{Label: c.T("invoices.content"), Text: c.T("invoices.content." + invoice.Content)}, {Label: c.T("invoices.issuer"), Text: orgs[r.IssuerID].Name}, {Label: c.T("invoices.partner"), Text: orgs[r.PartnerID].Name},
		{Label: c.T("invoice.title.bank"), Text: t.Bank}, {Label: c.T("invoice.title.account"), Text: c.veiled(t.Account), Mono: true}, {Label: c.T("invoice.title.address"), Text: c.veiled(t.Address)}, {Label: c.T("invoice.title.phone"), Text: c.veiled(t.Phone)}}
	if r.Medium.IsFile() {
		items = append(items, part.Item{Label: c.T("invoices.email"), Text: c.veiled(r.Email)})
	} else {
		items = append(items, part.Item{Label: c.T("invoices.post_to"), Text: postText(c, &r.Post)})
		payer := "issuer"
		if invoice.OwnCourier(r.Medium, r.Amount, r.Currency) {
			payer = "partner"
		}
		items = append(items, part.Item{Label: c.T("invoices.courier_paid"), Text: c.T("invoices.courier_paid." + payer)})
	}
	items = append(items, part.Item{Label: c.T("invoices.paper.number"), Text: r.InvoiceNumber, Mono: true}, part.Item{Label: c.T("invoices.paper.code"), Text: r.InvoiceCode, Mono: true},
		part.Item{Label: c.T("invoices.paper.on"), Text: r.InvoicedOn}, part.Item{Label: c.T("invoices.paper.letter"), Text: strings.TrimSpace(r.Courier + " " + r.Tracking), Href: set.Follow(r.Courier, r.Tracking)}, part.Item{Label: c.T("invoices.return_reason"), Text: r.ReturnReason}, part.Item{Label: c.T("invoices.return_letter"), Text: strings.TrimSpace(r.Back.Courier + " " + r.Back.Tracking)},
		part.Item{Label: c.T("invoices.remark"), Text: r.Remark})
	return slices.DeleteFunc(items, func(x part.Item) bool { return x.Text == "" }), nil
}

// postText is an address on one line; the person and the house are masked until the eye is used.
func postText(c *Ctx, p *invoice.Post) string {
	if p.Recipient == "" {
		return ""
	}
	if !c.open {
		return c.T("invoices.post_line", "Region", p.Region, "Detail", "***", "Recipient", maskName(p.Recipient), "Phone", maskPhone(p.Phone))
	}
	return c.T("invoices.post_line", "Region", p.Region, "Detail", strings.TrimSpace(p.Detail+" "+p.Postcode), "Recipient", p.Recipient, "Phone", p.Phone)
}

// invoiceParts lists the bills and orders a request takes from.
func invoiceParts(c *Ctx, r *invoice.Request, names map[string]string) opsview.Grid {
	g := opsview.Grid{ID: "parts", Title: c.T("invoices.parts"), Heads: []opsview.Head{{Text: c.T("bill.column.cycle")}, {Text: c.T("invoices.col.part")}, {Text: c.T("invoices.col.due"), Num: true}, {Text: c.T("invoices.col.this"), Num: true, Class: "m"}}}
	for _, p := range r.Parts {
		g.Rows = append(g.Rows, []opsview.Cell{{Text: string(p.Cycle), Href: c.withQuery("/bills", "cycle", string(p.Cycle))}, partCell(c, &p, names), amountCell(p.BillDue, r.Currency), amountCell(p.Amount, r.Currency)})
	}
	g.Totals = []opsview.Total{{Label: c.T("invoices.total"), Lines: []part.Money{exactMoney(r.Amount.Exact(), r.Currency)}, At: 3}}
	return g
}

// invoiceFile is a download of the electronic invoice, in the only format there is or the one asked for.
func (h *Handlers) invoiceFile(c *Ctx) error {
	format := invoice.Format(c.QueryParam("format"))
	r, format, body, err := h.Invoices.Download(c.ctx(), c.Scope, c.Param("id"), format)
	if err != nil {
		return err
	}
	name := r.Number + "." + string(format)
	head := c.Response().Header()
	head.Set("Content-Disposition", `attachment; filename="`+asciiName(name)+`"; filename*=UTF-8''`+url.PathEscape(name))
	head.Set("Cache-Control", "private, no-store")
	return c.Blob(http.StatusOK, format.ContentType(), body)
}
