package coupon

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"huoban/internal/fault"
	"huoban/internal/flow/flowtest"
	"huoban/internal/money"
	"huoban/internal/scope"
)

const yuan money.Amount = 1e8

var noon = time.Date(2026, 10, 15, 4, 0, 0, 0, time.UTC)

func TestQuotaMachine(t *testing.T) {
	flowtest.All(t, QuotaFlow, "coupon_quota", "state")
	items := []scope.Item{scope.ItemCouponGrant, scope.ItemCouponReview, scope.ItemQuotaReclaim}
	vendor, stranger := scope.Vendor("v", "x", "lin", items), scope.Vendor("w", "y", "mei", items)
	same := scope.Vendor("v", "z", "hao", items)
	good := QuotaFacts{VendorID: "v", OwnerID: "p", GiverID: "v", Login: "hao", Balance: 5 * yuan, Change: -5 * yuan, To: noon}
	with := func(change func(*QuotaFacts)) QuotaFacts { f := good; change(&f); return f }
	pair := func(who, other scope.Scope, bad QuotaFacts) flowtest.Examples[QuotaFacts] {
		return flowtest.Examples[QuotaFacts]{Pass: flowtest.Example[QuotaFacts]{Facts: good, Who: who, Now: noon}, Refuse: flowtest.Example[QuotaFacts]{Facts: bad, Who: other, Now: noon}}
	}
	flowtest.Guards(t, QuotaFlow, map[string]flowtest.Examples[QuotaFacts]{
		"vendors_own":    pair(vendor, stranger, good),
		"givers_own":     pair(vendor, stranger, good),
		"second_person":  pair(vendor, same, good),
		"change_fits":    pair(vendor, vendor, with(func(f *QuotaFacts) { f.Change = -6 * yuan })),
		"validity_over":  pair(vendor, vendor, with(func(f *QuotaFacts) { f.To = noon.Add(time.Second) })),
		"something_left": pair(vendor, vendor, with(func(f *QuotaFacts) { f.Balance = 0 })),
	})
	if _, err := QuotaFlow.Decide(QuotaAdjusting, QuotaSettle, with(func(f *QuotaFacts) { f.Alone = true }), same, noon); err != nil {
		t.Errorf("a small change by one person: %v", err)
	}
}

func TestMachine(t *testing.T) {
	flowtest.All(t, Flow, "coupon", "state")
	items := []scope.Item{scope.ItemCouponGrant, scope.ItemCouponReview, scope.ItemCouponReclaim}
	vendor, stranger, same := scope.Vendor("v", "x", "lin", items), scope.Vendor("w", "y", "mei", items), scope.Vendor("v", "z", "hao", items)
	good := Facts{VendorID: "v", IssuerID: "v", HolderID: "p", Login: "hao", To: noon}
	with := func(change func(*Facts)) Facts { f := good; change(&f); return f }
	pair := func(pass Facts, who, other scope.Scope, bad Facts) flowtest.Examples[Facts] {
		return flowtest.Examples[Facts]{Pass: flowtest.Example[Facts]{Facts: pass, Who: who, Now: noon}, Refuse: flowtest.Example[Facts]{Facts: bad, Who: other, Now: noon}}
	}
	isLocked, isFrozen := with(func(f *Facts) { f.Locked = true }), with(func(f *Facts) { f.Frozen = true })
	flowtest.Guards(t, Flow, map[string]flowtest.Examples[Facts]{
		"vendors_own":   pair(good, vendor, stranger, good),
		"issuers_own":   pair(good, vendor, stranger, good),
		"second_person": pair(good, vendor, same, good),
		"not_locked":    pair(good, vendor, vendor, isLocked),
		"locked":        pair(isLocked, vendor, vendor, good),
		"not_frozen":    pair(good, vendor, vendor, isFrozen),
		"frozen":        pair(isFrozen, vendor, vendor, good),
		"nothing_left":  pair(good, vendor, vendor, with(func(f *Facts) { f.Balance = yuan })),
		"validity_over": pair(good, vendor, vendor, with(func(f *Facts) { f.To = noon.Add(time.Second) })),
		"cycle_issued":  pair(good, vendor, vendor, with(func(f *Facts) { f.CycleOpen = true })),
		"still_valid":   pair(with(func(f *Facts) { f.To = noon.Add(time.Second) }), vendor, vendor, good),
	})
}

func TestNarrowed(t *testing.T) {
	outer := Limits{Services: []string{"ECS", "OBS"}, Regions: []string{"cn-north-4"}, Orders: []string{"new", "renewal"}, MinOrder: 10 * yuan, MaxOrder: 100 * yuan}
	got, err := Limits{Services: []string{"ECS"}}.Narrowed(outer)
	if err != nil || len(got.Services) != 1 || len(got.Regions) != 1 || len(got.Orders) != 2 || got.MinOrder != 10*yuan || got.MaxOrder != 100*yuan {
		t.Errorf("%+v %v", got, err)
	}
	for what, l := range map[string]Limits{"service": {Services: []string{"ECS", "RDS"}}, "order": {Orders: []string{"renewal", "change"}}, "region": {Regions: []string{"cn-east-3"}}, "lower minimum": {MinOrder: 9 * yuan},
		"higher maximum": {MaxOrder: 101 * yuan}} {
		if _, err := l.Narrowed(outer); !fault.HasCode(err, "coupon.wider_than_quota") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := (Limits{MinOrder: 20 * yuan}).Narrowed(Limits{MaxOrder: 10 * yuan}); !fault.HasCode(err, "coupon.order_bounds_crossed") {
		t.Errorf("crossed: %v", err)
	}
}

// voucher is one of a partner that pays everything of October.
func voucher(number int64, face money.Amount, change func(*Coupon)) Coupon {
	c := Coupon{ID: Name(number), Number: number, HolderID: "p", Level: LevelPartner, Currency: "CNY", Face: face, Balance: face, State: StateUsable,
		From: noon.AddDate(0, 0, -14), To: noon.AddDate(0, 0, 16)}
	if change != nil {
		change(&c)
	}
	return c
}

func line(change func(*Line)) *Line {
	l := &Line{BuyerID: "p", CustomerID: "c", Service: "ECS", SKU: "s6.large", Region: "cn-north-4", Mode: "on_demand", Currency: "CNY", At: noon, Order: 50 * yuan}
	if change != nil {
		change(l)
	}
	return l
}

// TestConditions: each condition refuses its own case and nothing else, at both ends of its bounds.
func TestConditions(t *testing.T) {
	all := Limits{Services: []string{"ECS"}, Products: []string{"s6.large"}, Regions: []string{"cn-north-4"}, Modes: []string{"on_demand"}, Customers: []string{"c"},
		MinOrder: 50 * yuan, MaxOrder: 50 * yuan}
	good := voucher(1, yuan, func(c *Coupon) { c.Limits = all })
	if !good.Fits(line(nil), true) {
		t.Fatalf("it fits nowhere: %+v", good.Conditions(line(nil), true))
	}
	for name, bad := range map[string]struct {
		c func(*Coupon)
		l func(*Line)
	}{
		"state": {c: func(c *Coupon) { c.State = StateExpired }}, "frozen": {c: func(c *Coupon) { c.Frozen = true }}, "locked": {c: func(c *Coupon) { c.LockOrder = "x" }},
		"balance": {c: func(c *Coupon) { c.Balance = 0 }}, "validity": {l: func(l *Line) { l.At = noon.AddDate(0, 0, 16) }},
		"currency": {l: func(l *Line) { l.Currency = "USD" }}, "buyer": {l: func(l *Line) { l.BuyerID = "q" }}, "customer": {l: func(l *Line) { l.CustomerID = "d" }}, "service": {l: func(l *Line) { l.Service = "OBS" }},
		"product": {l: func(l *Line) { l.SKU = "s6.small" }}, "region": {l: func(l *Line) { l.Region = "cn-east-3" }}, "mode": {l: func(l *Line) { l.Mode = "subscription" }},
		"min_order": {l: func(l *Line) { l.Order = 50*yuan - 1 }}, "max_order": {l: func(l *Line) { l.Order = 50*yuan + 1 }},
	} {
		c, l := good, line(nil)
		if bad.c != nil {
			bad.c(&c)
		}
		if bad.l != nil {
			bad.l(l)
		}
		for _, x := range c.Conditions(l, true) {
			if x.Holds == (x.Name == name) {
				t.Errorf("the case of %s: %s says %v", name, x.Name, x.Holds)
			}
		}
	}
	early := line(func(l *Line) { l.At = good.From })
	if !good.Fits(early, true) || good.Fits(line(func(l *Line) { l.At = good.From.Add(-1) }), true) {
		t.Error("the validity begins elsewhere")
	}
	if good.Fits(line(nil), false) {
		t.Error("a partner's voucher pays an order")
	}
}

// TestDrawerOrder: vouchers for named customers go first, then those that end first, then the older; what is left of a
// line is paid by the next.
func TestDrawerOrder(t *testing.T) {
	named := voucher(4, 10*yuan, func(c *Coupon) { c.Limits.Customers = []string{"c"}; c.To = noon.AddDate(0, 1, 0) })
	soon := voucher(3, 10*yuan, func(c *Coupon) { c.To = noon.AddDate(0, 0, 2) })
	d := NewDrawer([]Coupon{voucher(2, 10*yuan, nil), voucher(1, 10*yuan, nil), soon, named})
	paid := d.Take(line(nil), 35*yuan)
	want := []Paid{{named.ID, 4, 35 * yuan, 10 * yuan}, {soon.ID, 3, 25 * yuan, 10 * yuan}, {Name(1), 1, 15 * yuan, 10 * yuan}, {Name(2), 2, 5 * yuan, 5 * yuan}}
	if len(paid) != len(want) {
		t.Fatalf("%+v", paid)
	}
	for i := range want {
		if paid[i] != want[i] {
			t.Errorf("%d: %+v, want %+v", i, paid[i], want[i])
		}
	}
	if got := d.Take(line(func(l *Line) { l.CustomerID = "d" }), 100*yuan); len(got) != 1 || got[0].Amount != 5*yuan || d.Left() {
		t.Errorf("the rest: %+v", got)
	}
	if got := d.Take(line(nil), -5*yuan); got != nil {
		t.Errorf("a refund took %+v", got)
	}
}

// TestDrawerKeepsSums: whatever lines and vouchers, no voucher pays more than its face, no line more than its amount, and
// the order in which vouchers are given changes nothing.
func TestDrawerKeepsSums(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var all []Coupon
		for n := range rapid.IntRange(1, 6).Draw(rt, "vouchers") {
			all = append(all, voucher(int64(n+1), money.Amount(rapid.Int64Range(1, 40).Draw(rt, "face"))*1e6, func(c *Coupon) {
				c.To = noon.AddDate(0, 0, rapid.IntRange(-1, 3).Draw(rt, "to"))
				if rapid.Bool().Draw(rt, "named") {
					c.Limits.Customers = []string{"c"}
				}
				c.Limits.MinOrder = money.Amount(rapid.Int64Range(0, 2).Draw(rt, "min")) * 5e6
			}))
		}
		other := make([]Coupon, len(all))
		for i := range all {
			other[len(all)-1-i] = all[i]
		}
		a, b := NewDrawer(all), NewDrawer(other)
		spent := map[string]money.Amount{}
		for range rapid.IntRange(0, 20).Draw(rt, "lines") {
			amount := money.Amount(rapid.Int64Range(-5, 40).Draw(rt, "amount")) * 1e5
			l := line(func(l *Line) {
				l.Order = amount
				l.CustomerID = rapid.SampledFrom([]string{"c", "d"}).Draw(rt, "customer")
			})
			x, y := a.Take(l, amount), b.Take(l, amount)
			if len(x) != len(y) {
				rt.Fatalf("%+v, %+v", x, y)
			}
			sum := money.Amount(0)
			for i := range x {
				if x[i] != y[i] || x[i].Amount <= 0 || x[i].Before != amount-sum {
					rt.Fatalf("%+v, %+v", x[i], y[i])
				}
				sum += x[i].Amount
				spent[x[i].CouponID] += x[i].Amount
			}
			if sum > max(amount, 0) {
				rt.Fatalf("%v paid of %v", sum, amount)
			}
		}
		for i := range all {
			if spent[all[i].ID] > all[i].Face {
				rt.Fatalf("%s paid %v", all[i].ID, spent[all[i].ID])
			}
		}
	})
}

func TestOperationNumbers(t *testing.T) {
	if len(Operations) != 11 || OpIssue.Number() != 1 || OpMove.Number() != 9 || OpTakeQuota.Number() != 11 {
		t.Error("the numbers of the operations moved")
	}
}
