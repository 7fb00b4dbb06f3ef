package portal

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"huoban/internal/coupon"
	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/expenditure"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/scope"
	"huoban/internal/sorted"
	"huoban/web/templates/opsview"
	"huoban/web/templates/part"
)

// customerMonths is how many months the trend of a customer shows.
const customerMonths = 6

// customerShown is one customer: who looks after it, what it consumes, and how it came and went.
func (h *Handlers) customerShown(c *Ctx) error {
	r, err := h.Customers.Record(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return err
	}
	if c.open {
		c.saw(r.Customer.Code)
	}
	name := c.personal(r.Customer.Name).Text + " · " + r.Customer.Code
	p := opsview.Board{Flash: c.done(), Header: part.Header{Title: c.T("customers.show.of", "Customer", name), Crumbs: c.crumbs(part.Link{Text: c.T("customers.title"), Href: c.at(pathCustomers)}, part.Link{Text: name}),
		Status: c.explained("association", "now", string(r.State), stateTone[r.State])}, Facts: customerFacts(c, r)}
	c.ruled(&p.Header, &p.Rules)
	own := r.Own(c.Org.ID)
	if !own {
		p.Notes = []string{c.T("customers.show.of_reseller", "Reseller", r.Partner.Name)}
	}
	if own && c.Scope.Has(scope.ItemExpenditureView) {
		p.Header.Buttons = []part.Link{{Text: c.T("customers.show.spending"), Href: c.withQuery("/expenditure", "customer", r.Customer.Code)}}
		p.Header.Buttons = append(p.Header.Buttons, part.Link{Text: c.T("customers.resources.title"), Href: c.at(pathCustomers + "/" + r.CustomerID + "/resources")})
		if p.Charts, err = h.customerTrend(c, r); err != nil {
			return err
		}
	}
	if own {
		cards, err := h.customerCards(c, r)
		if err != nil {
			return err
		}
		p.Facts = append(p.Facts, cards...)
	}
	if own && c.Scope.Has(scope.ItemAssignmentChange) && r.InForce(h.Clock.Now()) {
		p.Header.Buttons = append(p.Header.Buttons, part.Link{Text: c.T("assignments.assign"), Href: c.withQuery(pathAssignments+"/new", "customer", r.Customer.Code)})
	}
	if own {
		labels, err := h.Customers.Labels(c.ctx(), c.Scope)
		if err != nil {
			return err
		}
		words := part.Item{Label: c.T("labels.col"), Text: i18n.Nothing}
		if list := labels[r.CustomerID]; len(list) > 0 {
			words.Text = join(list, " · ")
		}
		if c.Scope.Has(scope.ItemCustomerLabel) && r.InForce(h.Clock.Now()) {
			words.Href = c.withQuery(pathLabels, "customer", r.Customer.Code)
		}
		p.Facts = append(p.Facts, words)
	}
	if own && c.Scope.Has(scope.ItemAssociationChange) && !c.Scope.IsLimited() && r.InForce(h.Clock.Now()) {
		p.Header.Buttons = append(p.Header.Buttons, part.Link{Text: c.T("relations.change"), Href: c.at(pathCustomers + "/" + r.CustomerID + "/relation")})
	}
	lists := []string{"customer.associations"}
	if own {
		lists = []string{"customer.managers", "customer.associations"}
		if p.Charts != nil {
			lists = slices.Insert(lists, 0, "customer.products")
		}
	}
	for _, kind := range lists {
		g, err := h.titled(c, kind, strings.ReplaceAll(kind, ".", "-"), c.T("exports.kind."+kind))
		if err != nil {
			return err
		}
		p.Grids = append(p.Grids, g)
	}
	return c.page(http.StatusOK, p.Page())
}

func customerFacts(c *Ctx, r *customer.Record) []part.Item {
	since := sinceCell(c, &r.Entry)
	out := []part.Item{{Label: c.T("customers.col.customer"), Text: c.personal(r.Customer.Name).Text}, {Label: c.T("customers.col.code"), Text: r.Customer.Code, Mono: true},
		{Label: c.T("customers.filter.relation"), Text: c.T(r.Kind.Label())}, {Label: c.T("customers.col.since"), Text: since.Text}}
	if since.Note != "" {
		out = append(out, part.Item{Label: c.T("customers.col.consent"), Text: since.Note})
	}
	if !r.Own(c.Org.ID) {
		return append(out, part.Item{Label: c.T("customers.col.reseller"), Text: r.Partner.Name})
	}
	manager := carerCell(c, &r.Entry)
	out = append(out, part.Item{Label: c.T("customers.col.manager"), Text: manager.Text, Href: manager.Href})
	if manager.Note != "" {
		out = append(out, part.Item{Label: c.T("customers.col.managed"), Text: manager.Note})
	}
	return out
}

// customerCards are what stands with a customer: what it may spend, its vouchers, and what it spent lately.
func (h *Handlers) customerCards(c *Ctx, r *customer.Record) ([]part.Item, error) {
	reach, err := h.Customers.Reach(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	var out []part.Item
	if x := reach[r.CustomerID]; x.Phone != "" || x.Email != "" {
		out = append(out, part.Item{Label: c.T("prospects.phone"), Text: or(c.veiled(x.Phone), i18n.Nothing)}, part.Item{Label: c.T("prospects.email"), Text: or(c.veiled(x.Email), i18n.Nothing)})
	}
	if c.Scope.Has(scope.ItemExpenditureView) {
		spent, err := h.spentLately(c, r)
		if err != nil {
			return nil, err
		}
		out = append(out, spent...)
	}
	free, err := h.allocated(c)
	if err != nil {
		return nil, err
	}
	if own, has := free[r.CustomerID]; has {
		item := part.Item{Label: c.T("customers.col.free"), Text: sumsText(own)}
		if c.Scope.Has(scope.ItemAllocate) && r.Kind == customer.KindResale && r.InForce(h.Clock.Now()) {
			item.Href = c.withQuery(pathAllocations+"/new", "to", r.Customer.Code)
		}
		out = append(out, item)
	}
	if !c.Scope.Has(scope.ItemCouponView) || h.Coupons == nil {
		return out, nil
	}
	vouchers, err := h.Coupons.Coupons(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	var usable, ending int64
	now := h.Clock.Now()
	for i := range vouchers {
		if x := &vouchers[i]; x.HolderID == r.CustomerID && x.State == coupon.StateUsable && !x.Frozen {
			if usable++; x.To.Before(now.AddDate(0, 0, couponSoon)) {
				ending++
			}
		}
	}
	return append(out, part.Item{Label: c.T("customers.card.coupons"), Text: c.T("customers.card.coupons_text", "Count", usable, "Ending", ending, "Days", couponSoon), Href: c.withQuery(pathCoupons, "q", r.Customer.Code)}), nil
}

// couponSoon is how many days before its end a voucher is told of.
const couponSoon = 7

// spentLately is what a customer spent this month and the one before.
func (h *Handlers) spentLately(c *Ctx, r *customer.Record) ([]part.Item, error) {
	var out []part.Item
	for i, key := range []string{"customers.col.spent", "customers.card.last"} {
		at := h.month().Add(-i)
		var all sums
		err := h.eachCurrency(c, expenditure.Filter{Cycle: at, Customer: r.Customer.Code}, func(s *expenditure.Summary) {
			if s.Currency != "" {
				all = all.add(sum{s.Currency, s.Total.Amount()})
			}
		})
		if err != nil && !fault.Is(err, fault.KindNotFound) {
			return nil, err
		}
		out = append(out, part.Item{Label: c.T(key), Text: sumsText(all), Href: c.withQuery("/expenditure", "cycle", string(at), "customer", r.Customer.Code)})
	}
	return out, nil
}

// sumsText writes the sums of all currencies; nothing is a dash.
func sumsText(of sums) string {
	var out []string
	for _, x := range of {
		out = append(out, exactMoney(x.amount, x.currency).Text)
	}
	return or(join(out, " · "), i18n.Nothing)
}

// consumedBy is what a customer consumed in a cycle; nil where the scope counts nothing of it.
func (h *Handlers) consumedBy(c *Ctx, code, currency string, at cycle.Cycle) (*expenditure.Summary, error) {
	s, err := h.Expenditure.Summarise(c.ctx(), c.Scope, expenditure.Filter{Cycle: at, Customer: code, Currency: currency})
	if fault.Is(err, fault.KindNotFound) {
		return nil, nil
	}
	return s, err
}

// customerTrend draws the last months in the currency of the newest with consumption.
func (h *Handlers) customerTrend(c *Ctx, r *customer.Record) ([]part.Chart, error) {
	now := cycle.Of(h.Clock.Now(), cycle.Zone)
	chart := part.Chart{ID: "trend", Kind: part.ChartBars, Title: c.T("customers.show.trend"), Head: c.T("part.cycle.name"), Note: c.T("customers.show.trend_note")}
	points := make([]part.Point, customerMonths)
	currency := ""
	for i := customerMonths - 1; i >= 0; i-- {
		at := now.Add(i - customerMonths + 1)
		s, err := h.consumedBy(c, r.Customer.Code, currency, at)
		if err != nil {
			return nil, err
		}
		if s == nil || s.Currency == "" || s.Total.Lines == 0 {
			points[i] = part.Point{Missing: true}
			continue
		}
		currency = s.Currency
		amount := s.Total.Amount()
		points[i] = part.Point{Size: amount.Decimal().InexactFloat64(), Text: exactMoney(amount, currency).Text, On: at == now, Guess: at == now,
			Href: c.withQuery("/expenditure", "cycle", string(at), "customer", r.Customer.Code, "currency", currency)}
	}
	for i := range points {
		at := string(now.Add(i - customerMonths + 1))
		chart.Names, chart.Short = append(chart.Names, at), append(chart.Short, at[2:])
	}
	chart.Series = []part.Series{{Name: c.T("customers.show.trend"), Points: points}}
	return []part.Chart{chart}, nil
}

// readCustomerProducts lists what the customer consumed this month by product and charging mode.
func (h *Handlers) readCustomerProducts(c *Ctx) (*sheet, error) {
	r, err := h.Customers.Record(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return nil, err
	}
	if err := c.Scope.Require(scope.ItemExpenditureView); err != nil {
		return nil, err
	}
	at := cycle.Of(h.Clock.Now(), cycle.Zone)
	s := &sheet{columns: []listColumn{{key: "product", title: c.T("expenditure.col.product")}, {key: "mode", title: c.T("expenditure.col.mode")},
		{key: "lines", title: c.T("expenditure.col.lines"), num: true}, {key: "amount", title: c.T("customers.col.spent"), num: true, money: true, class: "m"}},
		empty: part.Empty{Title: c.T("customers.show.no_products"), Text: c.T("customers.show.no_products_text")}}
	err = h.eachCurrency(c, expenditure.Filter{Cycle: at, Customer: r.Customer.Code}, func(x *expenditure.Summary) {
		sorted.By(x.Rows, func(a, b expenditure.Row) int { return b.Amount().Cmp(a.Amount()) })
		for i := range x.Rows {
			s.add(productRow(c, r, &x.Rows[i], x.Currency, at))
		}
	})
	if fault.Is(err, fault.KindNotFound) {
		err = nil // the scope counts nothing of the customer
	}
	return s, err
}

func productRow(c *Ctx, r *customer.Record, x *expenditure.Row, currency string, at cycle.Cycle) sheetRow {
	worth := sums{{currency, x.Amount()}}
	lines := c.withQuery("/expenditure/lines", "cycle", string(at), "customer", r.Customer.Code, "product", x.Product, "mode", string(x.Mode), "zero", "all", "currency", currency)
	return sheetRow{key: marks(currency, x.Product, string(x.Mode), string(x.Relation)), mark: worth.mark(), sums: worth,
		cells: []opsview.Cell{{Text: productText(c, x.Product), Href: lines}, {Text: modeText(c, x.Mode)}, countCell(x.Lines), moneyCell(worth)}}
}

// readCustomerAssociations lists the associations of the customer with the partner and its resellers.
func (h *Handlers) readCustomerAssociations(c *Ctx) (*sheet, error) {
	r, err := h.Customers.Record(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return nil, err
	}
	s := &sheet{columns: []listColumn{{key: "begun", title: c.T("customers.show.begun"), class: "num-l"}, {key: "ended", title: c.T("customers.show.ended"), class: "num-l"},
		{key: "relation", title: c.T("customers.filter.relation")}, {key: "consent", title: c.T("customers.col.consent")}, {key: "state", title: c.T("opsview.col.state")}},
		empty: part.Empty{Title: c.T("list.empty"), Text: c.T("list.empty_text")}}
	for i := range r.Associations {
		a := &r.Associations[i]
		consent := ""
		if key := a.ConsentLabel(); key != "" {
			consent = c.T(key)
		}
		s.add(sheetRow{key: a.ID, at: a.CreatedAt, mark: marks(string(a.State), string(a.Kind)), cells: []opsview.Cell{{Text: bound(a.From)}, {Text: bound(a.To)}, {Text: c.T(a.Kind.Label())},
			{Text: consent}, {Status: c.explained("association", a.ID, string(a.State), stateTone[a.State])}}})
	}
	return s, nil
}

// bound writes one end of an interval; an open one is nothing.
func bound(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return i18n.DateTime(t)
}

// readCustomerManagers lists who looked after the customer and when, the newest first.
func (h *Handlers) readCustomerManagers(c *Ctx) (*sheet, error) {
	r, err := h.Customers.Record(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return nil, err
	}
	if !r.Own(c.Org.ID) {
		return nil, notFound()
	}
	s := &sheet{columns: []listColumn{{key: "manager", title: c.T("customers.col.manager"), personal: true}, {key: "from", title: c.T("customers.col.managed"), class: "num-l"},
		{key: "counts", title: c.T("customers.show.counts"), class: "num-l"}, {key: "to", title: c.T("customers.show.taken"), class: "num-l"}, {key: "by", title: c.T("ops.fact.by")}},
		empty: part.Empty{Title: c.T("customers.show.no_managers"), Text: c.T("customers.show.no_managers_text")}}
	for i := range r.Cares {
		x := &r.Cares[i]
		s.add(sheetRow{key: x.ID, at: latestOf(x.CreatedAt, x.To), mark: marks(x.PersonID, bound(x.From), bound(x.To)), cells: []opsview.Cell{{Text: carerText(c, x.Manager), Masked: !c.open}, {Text: bound(x.From)},
			{Text: i18n.Date(customer.CountExpenditure.From(x.From))}, {Text: bound(x.To)}, {Text: x.CreatedBy}}})
	}
	return s, nil
}

func latestOf(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
