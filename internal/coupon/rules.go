package coupon

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/money"
)

func dayText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(cycle.Zone).Format("2006-01-02 15:04")
}

// Tidy sorts the lists and takes what is empty or double out of them.
func (l Limits) Tidy() Limits {
	for _, list := range []*[]string{&l.Services, &l.Products, &l.Regions, &l.Modes, &l.Customers, &l.Orders} {
		var out []string
		for _, v := range *list {
			if v = strings.TrimSpace(v); v != "" {
				out = append(out, v)
			}
		}
		slices.Sort(out)
		*list = slices.Compact(out)
	}
	return l
}

// validate checks the sizes and bounds. Faults: coupon.limit_too_many, .order_kind_unknown, .order_amount_wrong,
// .order_bounds_crossed.
func (l *Limits) validate(most int) error {
	for name, list := range map[string][]string{"service": l.Services, "product": l.Products} {
		if len(list) > most {
			return fault.Invalid("coupon.limit_too_many", fault.Args{"what": "coupon.limit." + name, "limit": most})
		}
	}
	if len(l.Regions) > MaxOwnLimit || len(l.Modes) > MaxOwnLimit || len(l.Customers) > MaxOwnLimit {
		return fault.Invalid("coupon.limit_too_many", fault.Args{"what": "coupon.limit.region", "limit": MaxOwnLimit})
	}
	for _, o := range l.Orders {
		if !slices.Contains(OrderKinds, o) {
			return fault.Invalid("coupon.order_kind_unknown", nil)
		}
	}
	for _, a := range []money.Amount{l.MinOrder, l.MaxOrder} {
		if a < 0 || !a.IsCents() {
			return fault.Invalid("coupon.order_amount_wrong", nil)
		}
	}
	if l.MaxOrder > 0 && l.MinOrder > l.MaxOrder {
		return fault.Invalid("coupon.order_bounds_crossed", nil)
	}
	return nil
}

// Narrowed is what a voucher is limited to when it is cut from something with the limits of outer: an empty list takes
// outer's, bounds take the narrower. Fault: coupon.wider_than_quota.
func (l Limits) Narrowed(outer Limits) (Limits, error) {
	wider := func(what string) error {
		return fault.Invalid("coupon.wider_than_quota", fault.Args{"what": "coupon.limit." + what})
	}
	for _, p := range []struct {
		what string
		in   *[]string
		of   []string
	}{{"service", &l.Services, outer.Services}, {"product", &l.Products, outer.Products}, {"region", &l.Regions, outer.Regions},
		{"mode", &l.Modes, outer.Modes}, {"customer", &l.Customers, outer.Customers}, {"order", &l.Orders, outer.Orders}} {
		if len(p.of) == 0 {
			continue
		}
		if len(*p.in) == 0 {
			*p.in = slices.Clone(p.of)
			continue
		}
		for _, v := range *p.in {
			if !slices.Contains(p.of, v) {
				return l, wider(p.what)
			}
		}
	}
	if l.MinOrder == 0 {
		l.MinOrder = outer.MinOrder
	} else if l.MinOrder < outer.MinOrder {
		return l, wider("min_order")
	}
	if l.MaxOrder == 0 {
		l.MaxOrder = outer.MaxOrder
	} else if outer.MaxOrder > 0 && l.MaxOrder > outer.MaxOrder {
		return l, wider("max_order")
	}
	if l.MaxOrder > 0 && l.MinOrder > l.MaxOrder {
		return l, fault.Invalid("coupon.order_bounds_crossed", nil)
	}
	return l, nil
}

// checkAmount refuses what no quota, voucher or payment may be. Faults: coupon.amount_wrong.
func checkAmount(a money.Amount) error {
	if a <= 0 || !a.IsCents() {
		return fault.Invalid("coupon.amount_wrong", nil)
	}
	return nil
}

func checkMemo(memo string) error {
	if utf8.RuneCountInString(memo) > MaxMemo {
		return fault.Invalid("coupon.memo_too_long", fault.Args{"limit": MaxMemo})
	}
	return nil
}

// checkTimes refuses a validity that is empty or over. Fault: coupon.validity_wrong.
func checkTimes(from, to, now time.Time) error {
	if from.IsZero() || to.IsZero() || !from.Before(to) || !now.Before(to) {
		return fault.Invalid("coupon.validity_wrong", nil)
	}
	return nil
}

// Line is what shall be paid: a line of a bill or an order.
type Line struct {
	CustomerID, Service, SKU, Region, Mode string
	Currency                               string
	OrderKind                              string       // of OrderKinds; a line of a bill has none
	BuyerID                                string       // at the close: whose bill the line stands on
	At                                     time.Time    // when the customer bought it
	Order                                  money.Amount // of the order; at the close of the line itself
}

// Condition is one thing that must hold before a voucher pays a line. Want and Is are what the voucher says and what the
// line has, as they are kept; a caller words them.
type Condition struct {
	Name  string
	Holds bool
	Want  []string
	Is    string
}

// Conditions judges a voucher against a line, all conditions in the order a page lists them. It asks nothing of what is
// left of the line.
func (c *Coupon) Conditions(l *Line, atClose bool) []Condition {
	in := func(name string, list []string, is string) Condition {
		return Condition{Name: name, Holds: len(list) == 0 || slices.Contains(list, is), Want: list, Is: is}
	}
	out := []Condition{{Name: "state", Holds: c.State == StateUsable, Want: []string{string(StateUsable)}, Is: string(c.State)},
		{Name: "frozen", Holds: !c.Frozen},
		{Name: "locked", Holds: c.LockOrder == "", Is: c.LockOrder},
		{Name: "balance", Holds: c.Balance > 0, Is: c.Balance.String()},
		{Name: "level", Holds: atClose == (c.Level == LevelPartner), Is: string(c.Level)},
		{Name: "validity", Holds: !l.At.Before(c.From) && l.At.Before(c.To), Want: []string{dayText(c.From), dayText(c.To)}, Is: dayText(l.At)},
		{Name: "currency", Holds: l.Currency == c.Currency, Want: []string{c.Currency}, Is: l.Currency}}
	if c.Level == LevelCustomer {
		out = append(out, Condition{Name: "customer", Holds: c.HolderID == l.CustomerID, Want: []string{c.HolderID}, Is: l.CustomerID})
	} else {
		out = append(out, Condition{Name: "buyer", Holds: c.HolderID == l.BuyerID, Want: []string{c.HolderID}, Is: l.BuyerID}, in("customer", c.Limits.Customers, l.CustomerID))
	}
	return append(out, in("service", c.Limits.Services, l.Service), in("product", c.Limits.Products, l.SKU), in("region", c.Limits.Regions, l.Region), in("mode", c.Limits.Modes, l.Mode), in("order", c.Limits.Orders, l.OrderKind),
		Condition{Name: "min_order", Holds: l.Order >= c.Limits.MinOrder, Want: []string{c.Limits.MinOrder.String()}, Is: l.Order.String()},
		Condition{Name: "max_order", Holds: c.Limits.MaxOrder == 0 || l.Order <= c.Limits.MaxOrder, Want: []string{c.Limits.MaxOrder.String()}, Is: l.Order.String()})
}

// Fits tells whether every condition holds.
func (c *Coupon) Fits(l *Line, atClose bool) bool {
	return !slices.ContainsFunc(c.Conditions(l, atClose), func(x Condition) bool { return !x.Holds })
}
