package portal

import (
	"regexp"
	"strings"

	"huoban/internal/adjustment"
	"huoban/internal/audit"
	"huoban/internal/bill"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/scope"
	"huoban/web/templates/homeview"
)

// foundMost bounds what is shown of one kind of thing.
const foundMost = 20

// The numbers people copy from pages, files and error messages. One that looks like none of them costs no
// statement.
var (
	sealCode      = regexp.MustCompile(`^[0-9A-F]{4}-[0-9A-F]{4}$`)
	adjustmentNo  = regexp.MustCompile(`^A[0-9A-F]{8}$`)
	deliveryNo    = regexp.MustCompile(`^[^/\s]+/[0-9]{1,9}$`)
	requestNumber = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
)

// finder looks for one kind of thing; path is the page it is shown on, without which nobody is told of it.
type finder struct {
	path string
	find func(h *Handlers, c *Ctx, q string) ([]homeview.Hit, error)
}

var finders = []finder{
	{"/bills", (*Handlers).findBills},
	{"/expenditure", (*Handlers).findConsumption},
	{"/deliveries", (*Handlers).findDelivery},
	{"/adjustments", (*Handlers).findAdjustment},
	{"/mapping", (*Handlers).findMapped},
	{"/exports", (*Handlers).findExports},
	{"/audit", (*Handlers).findRequest},
}

// things are customers and numbered things that fit, all read under the actor's scope by a number of
// statements that does not grow with what there is.
func (h *Handlers) things(c *Ctx, q string) ([]homeview.Hit, error) {
	if r := []rune(q); len(r) > maxQuery {
		return nil, nil
	}
	var out []homeview.Hit
	for _, f := range finders {
		if q == "" || !h.may(c, f.path) {
			continue
		}
		hits, err := f.find(h, c, q)
		if err != nil {
			return nil, err
		}
		out = append(out, hits[:min(len(hits), foundMost)]...)
	}
	return out, nil
}

// findBills finds bills by their short code, or those of a cycle.
func (h *Handlers) findBills(c *Ctx, q string) ([]homeview.Hit, error) {
	var f bill.Filter
	if at, err := cycle.Parse(q); err == nil {
		f.Cycle = at
	} else if f.Code = strings.ToUpper(q); !sealCode.MatchString(f.Code) {
		return nil, nil
	}
	docs, err := h.BillList.List(c.ctx(), c.Scope, f)
	var out []homeview.Hit
	for i := range docs {
		d := &docs[i]
		out = append(out, homeview.Hit{Name: c.T("search.bill", "Cycle", string(d.Cycle), "Partner", d.Partner.Name), Href: c.billLink("", d), Above: []string{c.T("bills.title")},
			Note: d.Vendor.Name + " · " + i18n.Money(d.Due, d.Currency) + " · " + d.Code})
	}
	return out, err
}

// findConsumption finds customers by name, code or account, masked as everywhere, and lines by number.
func (h *Handlers) findConsumption(c *Ctx, q string) ([]homeview.Hit, error) {
	customers, lines, err := h.Expenditure.Find(c.ctx(), c.Scope, q, h.month(), foundMost)
	var out []homeview.Hit
	for _, x := range customers {
		out = append(out, homeview.Hit{Name: maskName(x.Customer.Name) + " · " + x.Customer.Code, Href: c.withQuery("/expenditure", "customer", x.Customer.Code),
			Above: []string{c.T("expenditure.col.customer")}})
	}
	for _, x := range lines {
		values := []string{"cycle", string(x.Place.Cycle), "currency", x.Place.Currency, "zero", "all", "after", x.Cursor}
		who := x.Place.Product
		if c.Scope.Side() != scope.SideCustomer {
			values, who = append(values, "customer", x.Customer.Code), who+" · "+x.Customer.Code
		}
		out = append(out, homeview.Hit{Name: x.Number, Href: c.withQuery("/expenditure/lines", values...) + "#line-" + x.Number, Above: []string{c.T("expenditure.tab.lines")},
			Note: string(x.Place.Cycle) + " · " + who})
	}
	return out, err
}

// findDelivery finds a delivery by its number.
func (h *Handlers) findDelivery(c *Ctx, q string) ([]homeview.Hit, error) {
	if !deliveryNo.MatchString(q) {
		return nil, nil
	}
	d, err := h.Deliveries.Find(c.ctx(), c.Scope, q)
	if err != nil {
		return nil, absent(err)
	}
	return []homeview.Hit{{Name: deliveryName(&d), Href: c.deliveryLink(&d, ""), Above: []string{c.T("ops.deliveries.title")},
		Note: c.T("delivery.state."+string(d.State)) + " · " + i18n.DateTime(d.ReceivedAt)}}, nil
}

// absent is no error where something was looked for and is not there, or not for the actor.
func absent(err error) error {
	if f := faultOf(err); f.Kind == fault.KindNotFound {
		return nil
	}
	return err
}

// findAdjustment finds an adjustment by its number.
func (h *Handlers) findAdjustment(c *Ctx, q string) ([]homeview.Hit, error) {
	if q = strings.ToUpper(q); !adjustmentNo.MatchString(q) {
		return nil, nil
	}
	all, err := h.Adjustments.List(c.ctx(), c.Scope, adjustment.Filter{VendorID: c.Org.ID})
	var out []homeview.Hit
	for i := range all {
		if a := &all[i]; "A"+short(a.ID) == q {
			out = append(out, homeview.Hit{Name: q, Href: c.withQuery("/adjustments", "state", string(a.State)), Above: []string{c.T("ops.adjustment.title")},
				Note: c.T("ops.adjustment.into", "Corrects", string(a.Corrects), "Cycle", string(a.Cycle))})
		}
	}
	return out, err
}

// findMapped finds a vendor's customers by account, code or name.
func (h *Handlers) findMapped(c *Ctx, q string) ([]homeview.Hit, error) {
	found, err := h.Attribution.Find(c.ctx(), c.Scope, strings.ToLower(q), foundMost)
	var out []homeview.Hit
	for _, x := range found {
		out = append(out, homeview.Hit{Name: maskName(x.Name) + " · " + x.Code, Href: c.withQuery("/mapping", "source", x.Source, "q", x.Code), Above: []string{c.T("expenditure.col.customer")},
			Note: x.Source + " · " + x.Key})
	}
	return out, err
}

// findExports finds files by the short code they share with their page.
func (h *Handlers) findExports(c *Ctx, q string) ([]homeview.Hit, error) {
	if q = strings.ToUpper(q); !sealCode.MatchString(q) {
		return nil, nil
	}
	tasks, err := h.Exports.Find(c.ctx(), c.Scope, q)
	if err != nil || len(tasks) == 0 {
		return nil, err
	}
	return []homeview.Hit{{Name: q, Href: c.withQuery("/exports", "code", q), Above: []string{c.T("exports.title")}, Note: tasks[0].FileName}}, nil
}

// findRequest finds what a request did by the number an error page showed.
func (h *Handlers) findRequest(c *Ctx, q string) ([]homeview.Hit, error) {
	if q = strings.ToLower(q); !requestNumber.MatchString(q) {
		return nil, nil
	}
	page, err := h.AuditBook.Older(c.ctx(), c.Scope, audit.Filter{Request: q}, 0, 1)
	if err != nil || len(page.Rows) == 0 {
		return nil, err
	}
	return []homeview.Hit{{Name: q, Href: c.withQuery("/audit", "request", q), Above: []string{c.T("backoffice.audit.title")}, Note: i18n.DateTime(page.Rows[0].At) + " · " + page.Rows[0].Action}}, nil
}
