package portal

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/invoice"
	"huoban/internal/scope"
	"huoban/web/templates/part"
	"huoban/web/templates/ssoview"
)

const pathInvoiceEntities = pathInvoiceRequests + "/entities"

// invoiceEntityRoutes say since when a vendor's contracting entities issue nothing but 数电票.
func invoiceEntityRoutes() []Route {
	return []Route{
		{Method: get, Path: "/o/:org" + pathInvoiceEntities, Name: "invoice_requests.entities", Sides: vendors, Items: []scope.Item{scope.ItemInvoiceReviewView}, Title: "invoice_entities.title", NoList: "one setting for each entity",
			Do: func(h *Handlers, c *Ctx) error { return h.invoiceEntities(c, http.StatusOK, nil) }},
		{Method: post, Path: "/o/:org" + pathInvoiceEntities, Name: "invoice_requests.digital", Sides: vendors, Items: []scope.Item{scope.ItemEntityChange}, Also: []scope.Item{scope.ItemInvoiceReviewView}, Query: []string{"entity"},
			Do: (*Handlers).invoiceDigital},
		{Method: post, Path: "/o/:org" + pathInvoiceRequests + "/settings", Name: "invoice_requests.settings", Sides: vendors, Items: []scope.Item{scope.ItemEntityChange}, Also: []scope.Item{scope.ItemInvoiceReviewView}, Do: (*Handlers).invoiceSettings},
	}
}

func (h *Handlers) invoiceEntities(c *Ctx, status int, refused *fault.Error) error {
	list, err := h.Orgs.Entities(c.ctx(), c.Org.ID)
	if err != nil {
		return err
	}
	since, err := h.Invoices.Digital(c.ctx(), c.Scope)
	if err != nil {
		return err
	}
	title := c.T("invoice_entities.title")
	page := ssoview.Access{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("invoice_requests.title"), Href: c.at(pathInvoiceRequests)}, part.Link{Text: title})}, Flash: c.done(), Refusal: refusalOf(c, refused),
		Notes: []string{c.T("invoice_entities.note")}}
	for _, e := range list {
		from, text := "", c.T("invoice_entities.mixed", "Media", mediaWords(c, invoice.KindOrdinary), "Special", mediaWords(c, invoice.KindSpecial))
		if at, set := since[e.ID]; set {
			from = cycle.Day(at)
			text = c.T("invoice_entities.digital", "From", from)
		}
		s := ssoview.Sheet{ID: "entity-" + strings.ToLower(e.Code), Title: e.Name, Width: "w6", Items: []part.Item{{Label: c.T("invoice_entities.code"), Text: e.Code, Mono: true}, {Label: c.T("invoices.medium"), Text: text}}}
		if c.Scope.Has(scope.ItemEntityChange) {
			s.Forms = []ssoview.Form{{Action: c.at(pathInvoiceEntities), Submit: c.T("members.save"), Quiet: true, Hidden: append(fresh(), part.Hidden{Name: "entity", Value: e.Code}),
				Fields: []part.Field{{Name: "from", Label: c.T("invoice_entities.from"), Value: from, Hint: "2026-12-01", Help: c.T("invoice_entities.from_help"), MaxLength: 10}}}}
		}
		page.Sheets = append(page.Sheets, s)
	}
	post, err := h.letterSheet(c)
	if err != nil {
		return err
	}
	page.Sheets = append(page.Sheets, post)
	return c.page(status, page.Page())
}

// letterSheet is how the vendor sends paper invoices: the days until one counts as received, and its couriers.
func (h *Handlers) letterSheet(c *Ctx) (ssoview.Sheet, error) {
	set, err := h.Invoices.Setting(c.ctx(), c.Org.ID)
	s := ssoview.Sheet{ID: "letters", Title: c.T("invoice_letters.title"), Width: "w6", Items: []part.Item{{Label: c.T("invoice_letters.days"), Text: c.T("invoice_letters.days_text", "Days", set.SignDays)}}}
	for _, x := range set.Couriers {
		s.Items = append(s.Items, part.Item{Label: x.Name, Text: cmp.Or(x.Link, c.T("invoice_letters.no_link"))})
	}
	if c.Scope.Has(scope.ItemEntityChange) {
		days, lines := strconv.Itoa(set.SignDays), invoice.CourierText(set.Couriers)
		if c.Request().Method == http.MethodPost && c.Request().PostForm.Has("couriers") {
			days, lines = c.FormValue("sign_days"), c.FormValue("couriers")
		}
		s.Forms = []ssoview.Form{{Action: c.at(pathInvoiceRequests + "/settings"), Submit: c.T("members.save"), Quiet: true, Hidden: fresh(),
			Fields: []part.Field{{Name: "sign_days", Label: c.T("invoice_letters.days"), Value: days, Numeric: true, Required: true, MaxLength: 2, Help: c.T("invoice_letters.days_help", "Least", invoice.LeastSignDays, "Most", invoice.MostSignDays)},
				{Name: "couriers", Label: c.T("invoice_letters.couriers"), Type: "textarea", Value: lines, Help: c.T("invoice_letters.couriers_help", "Mark", invoice.TrackingMark)}}}}
	}
	return s, err
}

// invoiceSettings takes that of the acting vendor.
func (h *Handlers) invoiceSettings(c *Ctx) error {
	err := h.once(c, func(ctx context.Context) (answer, error) {
		days, err := strconv.Atoi(strings.TrimSpace(c.FormValue("sign_days")))
		if err != nil {
			return answer{}, fault.Invalid("invoice.sign_days", fault.Args{"least": invoice.LeastSignDays, "most": invoice.MostSignDays})
		}
		list, err := invoice.ReadCouriers(c.FormValue("couriers"))
		if err != nil {
			return answer{}, err
		}
		return answer{Location: c.withQuery(pathInvoiceEntities, "done", "invoice_setting")}, h.Invoices.SetSetting(ctx, c.Scope, invoice.Setting{SignDays: days, Couriers: list})
	})
	return c.refusedOr(err, func(status int, f *fault.Error) error { return h.invoiceEntities(c, status, f) })
}

func mediaWords(c *Ctx, k invoice.Kind) string {
	var out []string
	for _, m := range invoice.Media(k, false) {
		out = append(out, c.T("invoice.medium."+string(m)))
	}
	return join(out, c.T("portal.list.comma"))
}

// invoiceDigital takes a day, or nothing.
func (h *Handlers) invoiceDigital(c *Ctx) error {
	err := h.once(c, func(ctx context.Context) (answer, error) {
		e, err := h.Orgs.EntityByCode(ctx, c.Org.ID, c.FormValue("entity"))
		if err != nil {
			return answer{}, err
		}
		var from time.Time
		if text := strings.TrimSpace(c.FormValue("from")); text != "" {
			if from, err = cycle.ParseDay(text); err != nil {
				return answer{}, fault.Invalid("invoice.date_malformed", nil)
			}
		}
		return answer{Location: c.withQuery(pathInvoiceEntities, "done", "invoice_digital")}, h.Invoices.SetDigital(ctx, c.Scope, e.ID, from)
	})
	if err == nil {
		return nil
	}
	return c.refuse(err, func(status int, f *fault.Error) error { return h.invoiceEntities(c, status, f) })
}
