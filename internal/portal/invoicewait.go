package portal

import (
	"context"

	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/invoice"
	"huoban/internal/scope"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

// deskInvoices is what waits for the clerks of a vendor.
func (h *Handlers) deskInvoices(c *Ctx) ([]deskRow, error) {
	all, err := h.Invoices.List(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	names, err := h.orgNames(c)
	var out []deskRow
	for i := range all {
		r := &all[i]
		if !waitsForIssuer(r.State) {
			continue
		}
		out = append(out, deskRow{id: r.ID, state: string(r.State), title: opsview.Cell{Text: r.Number, Note: kindText(c, r), Href: c.at(pathInvoiceRequests + "/" + r.ID)}, who: names[r.PartnerID].Name, by: r.Login,
			since: r.ChangedAt, sums: sums{{r.Currency, r.Amount.Exact()}}})
	}
	return out, err
}

// deskInvoice decides by the state a request is in. A state without decision is refused by the machine.
func deskInvoice(by map[invoice.State]invoice.Action) func(h *Handlers, ctx context.Context, c *Ctx, id, reason string) error {
	return func(h *Handlers, ctx context.Context, c *Ctx, id, reason string) error {
		r, err := h.Invoices.Find(ctx, c.Scope, id)
		if err != nil {
			return err
		}
		do, known := by[r.State]
		if !known {
			return fault.Conflict("invoice.decided", fault.Args{"state": "invoice.state." + string(r.State)})
		}
		_, err = h.Invoices.Do(ctx, c.Scope, id, invoice.Deed{Do: do, Reason: reason})
		return err
	}
}

// invoiceDuties are letters to sign for and requests that were refused.
func (h *Handlers) invoiceDuties(c *Ctx) ([]duty, error) {
	if h.Invoices == nil || c.Scope.IsLimited() || !c.Scope.Has(scope.ItemInvoiceView) || !c.Scope.Has(scope.ItemInvoiceRequest) {
		return nil, nil
	}
	all, err := h.Invoices.List(c.ctx(), c.Scope)
	var out []duty
	for i := range all {
		r := &all[i]
		d := duty{kind: dutyInvoice, title: c.T("work.invoice", "Number", r.Number, "Amount", i18n.Money(r.Amount, r.Currency)), since: r.ChangedAt, cure: part.Link{Text: c.T("work.invoice_cure"), Href: c.at(pathInvoices + "/" + r.ID)}}
		switch r.State {
		case invoice.StatePosted:
			d.text, d.due = c.T("work.invoice_posted"), r.Received()
		case invoice.StateRefused:
			d.text = r.Reason
		default:
			continue
		}
		out = append(out, d)
	}
	return out, err
}
