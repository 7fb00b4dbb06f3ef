package coupon

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"huoban/internal/fault"
	"huoban/internal/money"
)

// TestOrderConditions: what a customer's voucher wants of an order, each limit with its own case and its bounds.
func TestOrderConditions(t *testing.T) {
	all := Limits{Services: []string{"ECS"}, Products: []string{"s6.large"}, Regions: []string{"cn-north-4"}, Modes: []string{"subscription"}, Orders: []string{"new", "renewal"},
		MinOrder: 100 * yuan, MaxOrder: 200 * yuan}
	good := voucher(1, 30*yuan, func(c *Coupon) { c.Level, c.HolderID, c.Limits = LevelCustomer, "c", all })
	order := func(change func(*Order)) *Order {
		o := &Order{ID: "o", Line: Line{CustomerID: "c", Service: "ECS", SKU: "s6.large", Region: "cn-north-4", Mode: "subscription", OrderKind: "new", Currency: "CNY", At: noon, Order: 150 * yuan}}
		change(o)
		return o
	}
	for what, x := range map[string]struct {
		why string // "" fits
		c   func(*Coupon)
		o   func(*Order)
	}{
		"as it stands":           {"", nil, func(*Order) {}},
		"at the least":           {"", nil, func(o *Order) { o.Order = 100 * yuan }},
		"a cent below the least": {"min_order", nil, func(o *Order) { o.Order = 100*yuan - yuan/100 }},
		"at the most":            {"", nil, func(o *Order) { o.Order = 200 * yuan }},
		"a cent above the most":  {"max_order", nil, func(o *Order) { o.Order = 200*yuan + yuan/100 }},
		"another region":         {"region", nil, func(o *Order) { o.Region = "cn-east-3" }},
		"no region":              {"region", nil, func(o *Order) { o.Region = "" }},
		"another service":        {"service", nil, func(o *Order) { o.Service = "OBS" }},
		"another product":        {"product", nil, func(o *Order) { o.SKU = "s6.small" }},
		"another mode":           {"mode", nil, func(o *Order) { o.Mode = "on_demand" }},
		"a renewal":              {"", nil, func(o *Order) { o.OrderKind = "renewal" }},
		"a change":               {"order", nil, func(o *Order) { o.OrderKind = "change" }},
		"any kind of order":      {"", func(c *Coupon) { c.Limits.Orders = nil }, func(o *Order) { o.OrderKind = "change" }},
		"another's":              {"customer", nil, func(o *Order) { o.CustomerID = "d" }},
		"other money":            {"currency", nil, func(o *Order) { o.Currency = "USD" }},
		"its first moment":       {"", nil, func(o *Order) { o.At = noon.AddDate(0, 0, -14) }},
		"before it":              {"validity", nil, func(o *Order) { o.At = noon.AddDate(0, 0, -14).Add(-1) }},
		"its end":                {"validity", nil, func(o *Order) { o.At = noon.AddDate(0, 0, 16) }},
		"with a discount":        {"discount", nil, func(o *Order) { o.Discounted = true }},
		"arrears":                {"arrears", nil, func(o *Order) { o.Arrears = true }},
		"locked by itself":       {"", func(c *Coupon) { c.LockOrder = "o" }, func(*Order) {}},
		"locked by another":      {"locked", func(c *Coupon) { c.LockOrder = "x" }, func(*Order) {}},
		"frozen":                 {"frozen", func(c *Coupon) { c.Frozen = true }, func(*Order) {}},
		"empty":                  {"balance", func(c *Coupon) { c.Balance = 0 }, func(*Order) {}},
		"taken back":             {"state", func(c *Coupon) { c.State = StateReclaimed }, func(*Order) {}},
		"a partner's":            {"level", func(c *Coupon) { c.Level, c.HolderID = LevelPartner, "" }, func(*Order) {}},
	} {
		c := good
		if x.c != nil {
			x.c(&c)
		}
		if got := failing(c.OrderConditions(order(x.o))); got != x.why {
			t.Errorf("%s: %q, want %q", what, got, x.why)
		}
	}
}

// failing joins the names of the conditions that do not hold.
func failing(all []Condition) (names string) {
	for _, x := range all {
		if !x.Holds {
			names += x.Name
		}
	}
	return names
}

// TestLimitSizes: ten services and ten products of a voucher, cents, bounds that do not cross, kinds that are known.
func TestLimitSizes(t *testing.T) {
	of := func(n int) (out []string) {
		for i := range n {
			out = append(out, fmt.Sprint(i))
		}
		return out
	}
	for what, x := range map[string]struct {
		code string
		l    Limits
	}{
		"ten services": {"", Limits{Services: of(MaxLimit)}}, "eleven": {"coupon.limit_too_many", Limits{Services: of(MaxLimit + 1)}},
		"ten products": {"", Limits{Products: of(MaxLimit)}}, "eleven products": {"coupon.limit_too_many", Limits{Products: of(MaxLimit + 1)}},
		"regions": {"coupon.limit_too_many", Limits{Regions: of(MaxOwnLimit + 1)}}, "customers": {"coupon.limit_too_many", Limits{Customers: of(MaxOwnLimit + 1)}},
		"orders": {"", Limits{Orders: OrderKinds}}, "unknown order": {"coupon.order_kind_unknown", Limits{Orders: []string{"gift"}}},
		"below zero": {"coupon.order_amount_wrong", Limits{MinOrder: -1e6}}, "half a cent": {"coupon.order_amount_wrong", Limits{MaxOrder: yuan + 5e5}},
		"equal bounds": {"", Limits{MinOrder: yuan, MaxOrder: yuan}}, "crossed": {"coupon.order_bounds_crossed", Limits{MinOrder: 2 * yuan, MaxOrder: yuan}},
	} {
		l := x.l.Tidy()
		if err := l.validate(MaxLimit); x.code == "" && err != nil || x.code != "" && !fault.HasCode(err, x.code) {
			t.Errorf("%s: %v", what, err)
		}
	}
	in := GrantInput{Direct: true, Kind: KindVoucher, Currency: "CNY", Value: yuan, Limits: Limits{Orders: []string{"new"}}}
	if err := in.Validate(); !fault.HasCode(err, "coupon.order_kind_of_bill") {
		t.Errorf("a partner's voucher for new orders: %v", err)
	}
}

// mayPay is the rule of a bill's lines once more, in other words: what a close shall do with one voucher and one line.
func mayPay(c *Coupon, l *Line) bool {
	among := func(list []string, what string) bool {
		for _, x := range list {
			if x == what {
				return true
			}
		}
		return len(list) == 0
	}
	if c.Level != LevelPartner || c.State != StateUsable || c.Frozen || c.LockOrder != "" || c.Balance == 0 || c.HolderID != l.BuyerID || c.Currency != l.Currency || l.Order <= 0 {
		return false
	}
	if l.At.Before(c.From) || l.At.Equal(c.To) || l.At.After(c.To) || l.Order < c.Limits.MinOrder || c.Limits.MaxOrder > 0 && l.Order > c.Limits.MaxOrder {
		return false
	}
	return among(c.Limits.Services, l.Service) && among(c.Limits.Products, l.SKU) && among(c.Limits.Regions, l.Region) && among(c.Limits.Modes, l.Mode) &&
		among(c.Limits.Orders, l.OrderKind) && among(c.Limits.Customers, l.CustomerID)
}

// TestCheckerIsTheClose: for any voucher and any line what the checker says is what the close does, and what the rule says.
func TestCheckerIsTheClose(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		some := func(label string, of ...string) []string {
			if rapid.IntRange(0, 2).Draw(rt, label+"?") > 0 {
				return nil
			}
			return slices.Compact(slices.Sorted(slices.Values(rapid.SliceOfN(rapid.SampledFrom(of), 1, 3).Draw(rt, label))))
		}
		one := func(label string, of ...string) string { return rapid.SampledFrom(of).Draw(rt, label) }
		often := func(label string) bool { return rapid.IntRange(0, 7).Draw(rt, label) == 0 }
		amount := func(label string) money.Amount { return money.Amount(rapid.Int64Range(0, 30).Draw(rt, label)) * yuan }
		c := voucher(1, amount("face")+yuan, func(c *Coupon) {
			c.Limits = Limits{Services: some("services", "ECS", "OBS"), Products: some("products", "a", "b", ""), Regions: some("regions", "n", "e"), Modes: some("modes", "on_demand", "subscription"),
				Customers: some("customers", "c", "d"), MinOrder: amount("least")}
			if rapid.Bool().Draw(rt, "bounded") {
				c.Limits.MaxOrder = c.Limits.MinOrder + amount("more")
			}
			c.Frozen, c.HolderID, c.Currency = often("frozen"), one("holder", "p", "p", "q"), one("currency", "CNY", "CNY", "USD")
			if often("locked") {
				c.LockOrder = "o"
			}
			if often("level") {
				c.Level, c.HolderID = LevelCustomer, "c"
			}
			if often("state") {
				c.State = rapid.SampledFrom(Flow.States()).Draw(rt, "which state")
			}
			if often("spent") {
				c.Balance, c.Used = 0, c.Face
			}
		})
		l := &Line{BuyerID: one("buyer", "p", "p", "q"), CustomerID: one("customer", "c", "d"), Service: one("service", "ECS", "OBS"), SKU: one("sku", "a", "b", ""), Region: one("region", "n", "e", ""),
			Mode: one("mode", "on_demand", "subscription"), Currency: one("money", "CNY", "CNY", "USD"), Order: amount("order") - yuan, At: c.From.Add(time.Duration(rapid.Int64Range(-2, 31).Draw(rt, "day")) * 24 * time.Hour)}
		said := failing(c.Conditions(l, true)) == "" && l.Order > 0
		done := len(NewDrawer([]Coupon{c}).Take(l, l.Order)) == 1
		if want := mayPay(&c, l); said != want || done != want {
			rt.Fatalf("rule %v, checker %v (%s), close %v: %+v %+v", want, said, failing(c.Conditions(l, true)), done, c, l)
		}
	})
}
