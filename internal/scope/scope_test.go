package scope

import (
	"slices"
	"testing"
	"time"

	"huoban/internal/fault"
)

// The cast: vendor v, distributor d with resellers r1 and r2, solution partner p, customers c1 and c2.
func TestSeesBill(t *testing.T) {
	distributor := Partner("d", "1", "d", nil, []string{"r1", "r2"})
	for _, c := range []struct {
		name                  string
		who                   Scope
		vendor, seller, buyer string
		want                  bool
	}{
		{"vendor, own sale", Vendor("v", "1", "v", nil), "v", "v", "d", true},
		{"vendor, sold on", Vendor("v", "1", "v", nil), "v", "d", "r1", true},
		{"another vendor", Vendor("w", "1", "w", nil), "v", "v", "d", false},
		{"distributor, bought", distributor, "v", "v", "d", true},
		{"distributor, sold", distributor, "v", "d", "r1", true},
		{"distributor, another's reseller", distributor, "v", "d2", "r9", false},
		{"distributor, a partner's", distributor, "v", "v", "p", false},
		{"reseller, bought", Partner("r1", "1", "r", nil, nil), "v", "d", "r1", true},
		{"reseller, its distributor's buy side", Partner("r1", "1", "r", nil, nil), "v", "v", "d", false},
		{"reseller, its neighbour's", Partner("r1", "1", "r", nil, nil), "v", "d", "r2", false},
		{"manager", Partner("d", "1", "m", nil, []string{"r1"}).Limited([]Window{{CustomerID: "c1"}}), "v", "v", "d", false},
		{"customer", Customer("c1", "1", "c", nil), "v", "v", "p", false},
		{"nobody", Scope{}, "v", "v", "d", false},
		{"system", System("operator"), "v", "v", "d", true},
	} {
		if got := c.who.SeesBill(c.vendor, c.seller, c.buyer); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestSeesCustomerAt(t *testing.T) {
	from := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	manager := Partner("p", "1", "m", nil, nil).Limited([]Window{{CustomerID: "c1", From: from, To: from.AddDate(0, 0, 7)}, {CustomerID: "c2", From: from}})
	for _, c := range []struct {
		who      Scope
		customer string
		at       time.Time
		want     bool
	}{
		{manager, "c1", from.Add(-time.Microsecond), false}, {manager, "c1", from, true}, {manager, "c1", from.AddDate(0, 0, 7), false},
		{manager, "c2", from.AddDate(9, 0, 0), true}, {manager, "c3", from, false},
		{Partner("p", "1", "m", nil, nil).Limited(nil), "c1", from, false},
		{Partner("p", "1", "a", nil, nil), "c1", from, true},
		{Customer("c1", "1", "c", nil), "c1", from, true}, {Customer("c1", "1", "c", nil), "c2", from, false},
		{Scope{}, "c1", from, false},
	} {
		if got := c.who.SeesCustomerAt(c.customer, c.at); got != c.want {
			t.Errorf("%s %s at %s: %v", c.who.Login(), c.customer, c.at, got)
		}
	}
}

func TestBuyersAndItems(t *testing.T) {
	d := Partner("d", "1", "d", []Item{ItemBillView}, []string{"r1"})
	if ids, all := d.Buyers(); all || !slices.Equal(ids, []string{"d", "r1"}) {
		t.Errorf("%v %v", ids, all)
	}
	if ids, all := d.Limited(nil).Buyers(); all || len(ids) > 0 {
		t.Error("a limited scope sees bills")
	}
	if ids, all := (Scope{}).Buyers(); all || len(ids) > 0 {
		t.Error("nobody sees bills")
	}
	if err := d.Require(ItemCloseIssue); !fault.HasCode(err, "scope.permission_missing") || !fault.Is(err, fault.KindDenied) {
		t.Errorf("%v", err)
	}
	if d.Require(ItemCloseIssue, ItemBillView) != nil || System("x").Require(ItemCloseIssue) != nil || (Scope{}).Has(ItemBillView) {
		t.Error("any one item is enough, the system holds all, nobody none")
	}
}

func TestKey(t *testing.T) {
	base := Partner("p", "1", "a", []Item{ItemBillView}, []string{"r1", "r2"})
	same := Partner("p", "2", "b", []Item{ItemBillView}, []string{"r2", "r1"})
	if base.Key() != same.Key() {
		t.Error("equal sight, different keys")
	}
	for name, other := range map[string]Scope{
		"items":     Partner("p", "1", "a", nil, []string{"r1", "r2"}),
		"resellers": Partner("p", "1", "a", []Item{ItemBillView}, nil),
		"limit":     base.Limited(nil),
		"window":    base.Limited([]Window{{CustomerID: "c"}}),
		"side":      Vendor("p", "1", "a", []Item{ItemBillView}),
		"org":       Partner("q", "1", "a", []Item{ItemBillView}, []string{"r1", "r2"}),
	} {
		if other.Key() == base.Key() {
			t.Errorf("%s does not show in the key", name)
		}
	}
}

// A caller cannot widen a scope through a slice it handed in or got out.
func TestScopeIsAValue(t *testing.T) {
	windows := []Window{{CustomerID: "c1"}}
	s := Partner("p", "1", "m", nil, nil).Limited(windows)
	windows[0].CustomerID = "c2"
	got, _ := s.Windows()
	got[0].CustomerID = "c3"
	if again, _ := s.Windows(); again[0].CustomerID != "c1" {
		t.Errorf("%v", again)
	}
}

func TestCatalogue(t *testing.T) {
	seen := map[Item]bool{}
	for _, p := range catalogue {
		if seen[p.Item] {
			t.Errorf("%s stands twice", p.Item)
		}
		seen[p.Item] = true
		if len(p.Sides) == 0 || p.Menu == "" || p.Act == "" {
			t.Errorf("%+v is incomplete", p)
		}
	}
	if len(Catalogue(SideNobody)) > 0 || len(Items(SideVendor)) == 0 {
		t.Error("nobody carries items, vendors do")
	}
}
