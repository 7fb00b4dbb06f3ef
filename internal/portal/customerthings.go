package portal

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/expenditure"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/money"
	"huoban/internal/scope"
	"huoban/internal/sorted"
	"huoban/internal/usage"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

// mostThings is how many lines of a month are gathered into resources and orders; more are left to 消费明细.
const mostThings = 50_000

// customerResources is what a customer has and ordered, as far as the lines of a month tell.
func (h *Handlers) customerResources(c *Ctx) error {
	r, at, err := h.customerMonth(c)
	if err != nil {
		return err
	}
	code := r.Customer.Code
	title := c.T("customers.resources.of", "Customer", code)
	p := opsview.Board{Header: part.Header{Title: title, Crumbs: c.crumbs(part.Link{Text: c.T("customers.title"), Href: c.at(pathCustomers)}, part.Link{Text: code, Href: c.at(pathCustomers + "/" + r.CustomerID)}, part.Link{Text: c.T("customers.resources.title")}),
		Buttons: []part.Link{{Text: c.T("customers.resources.lines"), Href: c.withQuery("/expenditure/lines", "cycle", string(at), "customer", code)}}}}
	month := part.FilterField{Name: "cycle", Label: c.T("part.cycle.name"), Value: string(at)}
	for i := range expenditure.Months {
		x := string(h.month().Add(-i))
		month.Options = append(month.Options, part.Option{Value: x, Label: x})
	}
	path := c.at(pathCustomers + "/" + r.CustomerID + "/resources")
	p.Filter = &part.Filter{Action: path, Reset: path, Fields: []part.FilterField{month}}
	c.ruled(&p.Header, &p.Rules)
	for _, kind := range []string{"customer.resources", "customer.orders"} {
		g, err := h.titled(c, kind, strings.ReplaceAll(kind, ".", "-"), c.T("exports.kind."+kind))
		if err != nil {
			return err
		}
		p.Grids = append(p.Grids, g)
	}
	return c.page(http.StatusOK, p.Page())
}

// customerMonth is the customer of the address, one of the partner's own, and the month that is asked for.
func (h *Handlers) customerMonth(c *Ctx) (*customer.Record, cycle.Cycle, error) {
	if err := c.Scope.Require(scope.ItemExpenditureView); err != nil {
		return nil, "", err
	}
	at := h.month()
	if text := c.QueryParam("cycle"); text != "" {
		asked, err := cycle.Parse(text)
		if err != nil || asked > at || asked < at.Add(1-expenditure.Months) {
			return nil, "", notFound()
		}
		at = asked
	}
	r, err := h.Customers.Record(c.ctx(), c.Scope, c.Param("id"))
	if err == nil && !r.Own(c.Org.ID) {
		err = notFound()
	}
	return r, at, err
}

// thing is a resource or an order with what it came to in one currency.
type thing struct {
	id, name, product, region, order, currency string
	mode                                       usage.ChargingMode
	kinds                                      []usage.Kind
	first, last                                time.Time
	lines                                      int64
	amount                                     money.Exact
}

func (t *thing) take(r *expenditure.LineRow) {
	if at := r.Line.ChargeStart; t.lines == 0 || at.Before(t.first) {
		t.first = at
	}
	if at := r.Line.ChargeStart; at.After(t.last) {
		t.last = at
	}
	t.lines++
	t.amount = t.amount.Add(r.Line.Billed)
	for _, k := range t.kinds {
		if k == r.Line.Kind {
			return
		}
	}
	t.kinds = append(t.kinds, r.Line.Kind)
}

// gathered gathers the lines of a month by what key says; lines without a key count for none. Tax is no consumption.
// many tells that the lines are too many to be gathered.
func (h *Handlers) gathered(c *Ctx, code string, at cycle.Cycle, key func(*expenditure.LineRow) string) (out []*thing, many bool, err error) {
	met := map[string]*thing{}
	f := expenditure.Filter{Cycle: at, Customer: code}
	err = h.eachCurrency(c, f, func(s *expenditure.Summary) {
		if many = many || s.Total.Lines > mostThings; err != nil || many || s.Currency == "" {
			return
		}
		f.Currency = s.Currency
		_, err = h.Expenditure.EachLine(c.ctx(), c.Scope, f, func(r *expenditure.LineRow) error {
			k := key(r)
			if k == "" || r.Line.Kind == usage.KindTax {
				return nil
			}
			k += "\x00" + s.Currency
			t := met[k]
			if t == nil {
				p, x := r.Line.Product, r.Line.Resource
				t = &thing{id: x.ID, name: x.Name, product: p.Service, region: p.Region, order: x.OrderNo, currency: s.Currency, mode: p.ChargingMode}
				met[k] = t
				out = append(out, t)
			}
			t.take(r)
			return nil
		})
	})
	if fault.Is(err, fault.KindNotFound) {
		err = nil // the scope counts nothing of the customer
	}
	return out, many, err
}

// tooMany is what an empty list says where the lines are too many.
func tooMany(c *Ctx, many bool) part.Empty {
	if many {
		return part.Empty{Title: c.T("customers.resources.many"), Text: c.T("customers.resources.many_text", "Count", int64(mostThings))}
	}
	return part.Empty{Title: c.T("customers.resources.none"), Text: c.T("customers.resources.none_text")}
}

// readCustomerResources lists the resources that were charged in a month, the dearest first.
func (h *Handlers) readCustomerResources(c *Ctx) (*sheet, error) {
	r, at, err := h.customerMonth(c)
	if err != nil {
		return nil, err
	}
	list, many, err := h.gathered(c, r.Customer.Code, at, func(x *expenditure.LineRow) string {
		if x.Line.Resource.ID == "" {
			return ""
		}
		return x.Line.Resource.ID + "\x00" + x.Line.Product.Service + "\x00" + string(x.Line.Product.ChargingMode)
	})
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: []listColumn{{key: "resource", title: c.T("customers.resources.resource"), note: c.T("customers.resources.id")}, {key: "product", title: c.T("expenditure.col.product"), note: c.T("expenditure.col.mode")},
		{key: "region", title: c.T("expenditure.col.region")}, {key: "first", title: c.T("customers.resources.first"), class: "num-l"}, {key: "last", title: c.T("customers.resources.last"), class: "num-l"},
		{key: "lines", title: c.T("expenditure.col.lines"), num: true}, {key: "amount", title: c.T("customers.resources.amount"), num: true, money: true, class: "m"}}, empty: tooMany(c, many)}
	sorted.By(list, func(a, b *thing) int { return cmp.Or(b.amount.Cmp(a.amount), strings.Compare(a.id, b.id)) })
	for _, t := range list {
		worth := sums{{t.currency, t.amount}}
		s.add(sheetRow{key: marks(t.id, t.product, string(t.mode), t.currency), mark: worth.mark(), sums: worth, cells: []opsview.Cell{
			{Text: or(t.name, t.id), Note: t.id, Href: c.withQuery("/expenditure/lines", "cycle", string(at), "customer", r.Customer.Code, "resource", t.id, "zero", "all", "currency", t.currency)},
			{Text: productText(c, t.product), Note: modeText(c, t.mode)}, {Text: t.region}, {Text: i18n.DateTime(t.first)}, {Text: i18n.DateTime(t.last)}, countCell(t.lines), moneyCell(worth)}})
	}
	s.narrowed("cycle", string(at))
	return s, nil
}

// readCustomerOrders lists the orders that were charged in a month, the newest first.
func (h *Handlers) readCustomerOrders(c *Ctx) (*sheet, error) {
	r, at, err := h.customerMonth(c)
	if err != nil {
		return nil, err
	}
	list, many, err := h.gathered(c, r.Customer.Code, at, func(x *expenditure.LineRow) string { return x.Line.Resource.OrderNo })
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: []listColumn{{key: "order", title: c.T("expenditure.col.order")}, {key: "product", title: c.T("expenditure.col.product"), note: c.T("expenditure.col.mode")}, {key: "resource", title: c.T("customers.resources.resource"), note: c.T("customers.resources.id")}, {key: "kind", title: c.T("expenditure.col.kind")},
		{key: "first", title: c.T("customers.resources.charged"), class: "num-l"}, {key: "lines", title: c.T("expenditure.col.lines"), num: true}, {key: "amount", title: c.T("customers.resources.amount"), num: true, money: true, class: "m"}}, empty: tooMany(c, many)}
	sorted.By(list, func(a, b *thing) int { return cmp.Or(b.first.Compare(a.first), strings.Compare(a.order, b.order)) })
	for _, t := range list {
		worth := sums{{t.currency, t.amount}}
		var kinds []string
		for _, k := range t.kinds {
			kinds = append(kinds, c.T("bills.kind."+string(k)))
		}
		s.add(sheetRow{key: marks(t.order, t.currency), mark: worth.mark(), sums: worth, cells: []opsview.Cell{
			{Text: t.order, Mono: true, Href: c.withQuery("/expenditure/lines", "cycle", string(at), "customer", r.Customer.Code, "order", t.order, "zero", "all", "currency", t.currency)},
			{Text: productText(c, t.product), Note: modeText(c, t.mode)}, {Text: t.name, Note: t.id}, {Text: join(kinds, " · ")}, {Text: i18n.DateTime(t.first)}, countCell(t.lines), moneyCell(worth)}})
	}
	s.narrowed("cycle", string(at))
	return s, nil
}
