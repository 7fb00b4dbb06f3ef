package portal

import (
	"net/http"
	"slices"
	"strings"

	"huoban/internal/coupon"
	"huoban/internal/i18n"
	"huoban/internal/scope"
	"huoban/web/templates/growview"
	"huoban/web/templates/part"
)

// couponCheck answers why a voucher can or cannot pay something: each condition, and whether it holds.
func (h *Handlers) couponCheck(c *Ctx) error {
	x, err := h.Coupons.Coupon(c.ctx(), c.Scope, c.Param("id"))
	if err != nil {
		return err
	}
	names, err := h.couponNames(c)
	if err != nil {
		return err
	}
	at := c.at(pathCoupons + "/" + x.ID)
	d := growview.Detail{Header: part.Header{Title: c.T("coupons.check"), Crumbs: c.crumbs(part.Link{Text: c.T("coupons.title"), Href: c.at(pathCoupons)}, part.Link{Text: x.Name(), Href: at}, part.Link{Text: c.T("coupons.check")})},
		Facts: append(couponFacts(c, &x, names), boundItems(c, &x.Limits, x.Currency, names)...)}
	field := func(name, key string) part.FilterField {
		return part.FilterField{Name: name, Label: c.T(key), Value: c.QueryParam(name)}
	}
	d.Filter = &part.Filter{Action: at + "/check", Reset: at + "/check", Fields: []part.FilterField{field("customer", "customers.col.code"), field("service", "coupon.limit.title.service"), field("product", "coupon.limit.title.product"),
		field("region", "coupon.limit.title.region"), choiceOf(c, "mode", c.T("coupon.limit.title.mode"), "bills.mode.", c.QueryParam("mode"), modeNames), field("amount", "coupons.order_amount"), field("currency", "coupons.currency"), field("day", "coupons.day")}}
	if x.Level == coupon.LevelCustomer {
		d.Filter.Fields = append(d.Filter.Fields, choiceOf(c, "orders", c.T("coupon.limit.title.order"), "coupon.order.", c.QueryParam("orders"), coupon.OrderKinds),
			choiceOf(c, "special", c.T("coupons.special"), "coupons.special.", c.QueryParam("special"), []string{"discount", "arrears"}))
	}
	o, err := h.checkedOrder(c, &x, names)
	if err != nil {
		f := faultOf(err)
		d.Refusal = refusalOf(c, f)
		return c.page(http.StatusOK, d.Page())
	}
	all := x.OrderConditions(&o)
	if x.Level == coupon.LevelPartner {
		all = x.Conditions(&o.Line, true)
	}
	failed := 0
	for _, k := range all {
		one := part.Check{Tone: part.Good, Title: c.T("coupon.condition." + k.Name)}
		if !k.Holds {
			failed++
			one.Tone, one.Text = part.Bad, h.whyNot(c, &x, &k, names)
		}
		d.Checks = append(d.Checks, one)
	}
	d.Flash = &part.Flash{Tone: part.Good, Text: c.T("coupons.check.fine")}
	if failed > 0 {
		d.Flash = &part.Flash{Tone: part.Warn, Text: c.T("coupons.check.failed", "Count", failed)}
	}
	return c.page(http.StatusOK, d.Page())
}

// whyNot says what the voucher wants and what there is.
func (h *Handlers) whyNot(c *Ctx, x *coupon.Coupon, k *coupon.Condition, names couponNames) string {
	want := slices.Clone(k.Want)
	for i := range want {
		switch k.Name {
		case "customer":
			want[i] = names.text(c, want[i])
		case "state":
			want[i] = c.T("coupon.state." + want[i])
		}
	}
	is := k.Is
	switch k.Name {
	case "mode":
		want, is = worded(c, "bills.mode.", want), join(worded(c, "bills.mode.", present(is)), "")
	case "min_order", "max_order", "balance":
		for i := range want {
			want[i] = checkedAmount(want[i], x.Currency)
		}
		is = checkedAmount(is, x.Currency)
	case "order":
		want, is = worded(c, "coupon.order.", want), join(worded(c, "coupon.order.", present(is)), "")
	case "buyer":
		want[0] = names.text(c, k.Want[0])
		if is = names.text(c, k.Is); is == "" {
			is = c.T("coupons.check.no_bill")
		}
	case "customer":
		is = names.text(c, k.Is)
	case "state":
		is = c.T("coupon.state." + k.Is)
	case "level":
		return c.T("coupons.check.level", "Level", c.T(x.Level.Label()))
	}
	if len(want) == 0 { // the condition itself says what is wanted
		return is
	}
	return c.T("coupons.check.differs", "Want", join(present(want...), c.T("portal.list.comma")), "Is", is)
}

func checkedAmount(text, currency string) string {
	a, err := couponAmount(text)
	if err != nil {
		return text
	}
	return i18n.Money(a, currency)
}

// checkedOrder is what the address asks about; what it leaves out is taken as the voucher wants it.
func (h *Handlers) checkedOrder(c *Ctx, x *coupon.Coupon, names couponNames) (coupon.Order, error) {
	first := func(name string, list []string) string {
		if v := strings.TrimSpace(c.QueryParam(name)); v != "" || len(list) == 0 {
			return v
		}
		return list[0]
	}
	l := x.Limits
	o := coupon.Order{ID: "check", Line: coupon.Line{Service: first("service", l.Services), SKU: first("product", l.Products), Region: first("region", l.Regions), Mode: first("mode", l.Modes), OrderKind: first("orders", l.Orders),
		Currency: strings.ToUpper(first("currency", []string{x.Currency})), At: h.Clock.Now(), Order: max(l.MinOrder, 1e6)}, Discounted: c.QueryParam("special") == "discount", Arrears: c.QueryParam("special") == "arrears"}
	if x.LockOrder != "" {
		o.ID = "another"
	}
	day, err := couponDay(c.QueryParam("day"), 0)
	if err != nil {
		return o, err
	}
	if !day.IsZero() {
		o.At = day
	}
	if text := c.QueryParam("amount"); text != "" {
		if o.Order, err = couponAmount(text); err != nil {
			return o, err
		}
	}
	o.CustomerID = x.HolderID
	if x.Level == coupon.LevelPartner {
		o.CustomerID = first("", l.Customers)
	}
	if code := strings.TrimSpace(c.QueryParam("customer")); code != "" {
		o.CustomerID = code // of nobody known
		for id, p := range names.all {
			if strings.EqualFold(p.Code, code) {
				o.CustomerID = id
			}
		}
	}
	if c.Scope.Side() == scope.SideCustomer {
		o.CustomerID = c.Org.ID
	}
	o.BuyerID = x.HolderID
	if x.Level == coupon.LevelPartner && o.CustomerID != "" {
		o.BuyerID, err = h.Coupons.Buyer(c.ctx(), o.CustomerID, o.At)
	}
	return o, err
}

// modeNames are the charging modes a voucher may be limited to.
var modeNames = []string{"on_demand", "subscription", "reserved", "savings_plan", "one_time"}

// worded are values in the reader's language.
func worded(c *Ctx, prefix string, values []string) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = c.T(prefix + v)
	}
	return out
}
