package portal

import (
	"strings"

	"huoban/internal/scope"
	"huoban/web/templates/layout"
)

// place is an entry of the menu and the permission that shows it. An entry whose page is not built does
// not stand here.
type place struct {
	key      string
	path     string // below /o/:org
	sides    []scope.Side
	items    []scope.Item
	shortcut string
}

func (p place) shown(c *Ctx) bool {
	for _, s := range p.sides {
		if s == c.Scope.Side() {
			return c.Scope.Has(p.items...)
		}
	}
	return false
}

type area struct {
	key    string
	groups []placeGroup
}

type placeGroup struct {
	key    string
	places []place
}

// menu is the navigation, in the order of the original.
var menu = []area{
	{"nav.area.sales", []placeGroup{
		{"nav.group.customers", []place{{"expenditure.title", "/expenditure", consumers, []scope.Item{scope.ItemExpenditureView}, "e"}}},
		{"nav.group.finance", []place{{"nav.page.bills", "/bills", partners, []scope.Item{scope.ItemBillView}, "b"}}},
	}},
	{"nav.area.operate", []placeGroup{
		{"nav.group.month", []place{
			{"work.title", "/work", vendors, []scope.Item{scope.ItemHomeAccount}, "w"},
			{"nav.page.deliveries", "/deliveries", vendors, []scope.Item{scope.ItemDeliveryView}, "d"},
			{"nav.page.close", "/closes", vendors, []scope.Item{scope.ItemCloseView}, "c"},
			{"nav.page.adjustments", "/adjustments", vendors, []scope.Item{scope.ItemAdjustmentView}, "a"},
			{"nav.page.bills", "/bills", vendors, []scope.Item{scope.ItemBillView}, "b"},
			{"exports.title", "/exports", vendors, []scope.Item{scope.ItemExportOwn}, "x"},
		}},
		{"nav.group.rules", []place{
			{"backoffice.sources.title", "/sources", vendors, []scope.Item{scope.ItemSourceView}, ""},
			{"backoffice.map.title", "/mapping", vendors, []scope.Item{scope.ItemMapView}, ""},
			{"backoffice.prices.title", "/prices", vendors, []scope.Item{scope.ItemPriceView}, ""},
		}},
	}},
	{"nav.area.organisation", []placeGroup{
		{"nav.group.security", []place{{"backoffice.audit.title", "/audit", anySide, []scope.Item{scope.ItemAuditView}, ""}}},
	}},
}

// navOf is the menu as this actor may see it; empty groups and areas are left out.
func navOf(c *Ctx) layout.Nav {
	here := c.Request().URL.Path
	home := layout.NavItem{Key: "nav.area.home", Href: c.at(""), Current: here == c.at("") || here == c.at("/"), Shortcut: "h"}
	nav := layout.Nav{Areas: []layout.Area{{NavItem: home}}}
	for _, a := range menu {
		out := layout.Area{NavItem: layout.NavItem{Key: a.key}}
		for _, g := range a.groups {
			group := layout.NavGroup{Key: g.key}
			for _, p := range g.places {
				if !p.shown(c) {
					continue
				}
				href := c.at(p.path)
				current := here == href || strings.HasPrefix(here, href+"/")
				group.Items = append(group.Items, layout.NavItem{Key: p.key, Href: href, Current: current, Shortcut: p.shortcut})
				out.Current = out.Current || current
			}
			if len(group.Items) > 0 {
				out.Groups = append(out.Groups, group)
			}
		}
		if len(out.Groups) == 0 {
			continue
		}
		nav.Areas = append(nav.Areas, out)
		if out.Current {
			nav.Side = out.Groups
		}
	}
	return nav
}
