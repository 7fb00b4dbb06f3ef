package portal

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"huoban/internal/i18n"
	"huoban/internal/organisation"
	"huoban/internal/scope"
)

// visit is a request of somebody who holds the items, at a page below /o/NOVA.
func visit(sc scope.Scope, path string) (*Handlers, *Ctx) {
	rows := table()
	h := &Handlers{pages: pagesOf(rows)}
	r := httptest.NewRequest("GET", "/o/NOVA"+path, nil)
	r = r.WithContext(i18n.With(r.Context(), i18n.En))
	c := &Ctx{Context: echo.New().NewContext(r, httptest.NewRecorder()), Scope: sc, Org: organisation.Organisation{Code: "NOVA"}}
	return h, c
}

// actors are an administrator of each side.
func actors() map[scope.Side]scope.Scope {
	return map[scope.Side]scope.Scope{
		scope.SidePartner:  scope.Partner("p", "1", "partner", scope.Items(scope.SidePartner), nil),
		scope.SideVendor:   scope.Vendor("v", "2", "vendor", scope.Items(scope.SideVendor)),
		scope.SideCustomer: scope.Customer("c", "3", "customer", scope.Items(scope.SideCustomer)),
	}
}

func everyPlace() map[string]place {
	all := map[string]place{}
	for _, a := range menu {
		if a.page.key != "" {
			all[a.key+" "+a.page.key] = a.page
		}
		for _, g := range a.columns {
			for _, p := range g.places {
				all[a.key+" "+g.key+" "+p.key] = p
			}
		}
	}
	for _, p := range besides {
		all["besides "+p.key] = p
	}
	return all
}

func TestEveryEntryIsAPageWithAName(t *testing.T) {
	h, _ := visit(scope.Scope{}, "")
	for name, p := range everyPlace() {
		if _, built := h.pages[p.path]; !built {
			t.Errorf("%s leads to %s, which no route serves", name, p.path)
		}
		if !i18n.Has(p.key) {
			t.Errorf("%s has no name", name)
		}
	}
}

func TestAreasAndColumnsStandInOrder(t *testing.T) {
	var areas, columns []string
	for _, a := range menu {
		if slices.Contains(a.sides, scope.SidePartner) {
			areas = append(areas, i18n.T(t.Context(), a.key))
		}
		if a.key == "nav.area.sales" {
			for _, g := range a.columns {
				columns = append(columns, i18n.T(t.Context(), g.key))
			}
		}
	}
	if got, want := strings.Join(areas, " "), "主页 计划 能力 构建 销售 交付 权益 组织 支持"; got != want {
		t.Errorf("the top bar is %s, want %s", got, want)
	}
	if got, want := strings.Join(columns, " "), "拓新 客户 激励 账务 云商店 云经销商 运营看板"; got != want {
		t.Errorf("the panel of 销售 is %s, want %s", got, want)
	}
}

func TestLettersLeadToOnePageEach(t *testing.T) {
	for side, sc := range actors() {
		h, c := visit(sc, "")
		letters := map[string]string{}
		note := func(p place) {
			if p.shortcut == "" {
				return
			}
			if other, taken := letters[p.shortcut]; taken && other != p.path {
				t.Errorf("%s: g %s leads to %q and %q", side, p.shortcut, other, p.path)
			}
			letters[p.shortcut] = p.path
		}
		for _, a := range h.areas(c) {
			note(a.page)
			for _, g := range a.columns {
				for _, p := range g.places {
					note(p)
				}
			}
		}
		for _, p := range besides {
			note(p)
		}
	}
}

// TestMenuShowsWhatMayBeSeen: without the item of a page the entry is gone, and with it an area that
// then holds nothing.
func TestMenuShowsWhatMayBeSeen(t *testing.T) {
	h, c := visit(scope.Partner("p", "1", "x", []scope.Item{scope.ItemHomeAccount, scope.ItemBillView}, nil), "/bills")
	nav := h.nav(c)
	var names []string
	for _, a := range nav.Areas {
		names = append(names, a.Text(c.ctx()))
		pages := 0
		for _, g := range a.Groups {
			pages += len(g.Items)
		}
		if pages == 1 {
			t.Errorf("the panel %s opens for one page", a.Text(c.ctx()))
		}
	}
	if got := strings.Join(names, " "); got != "Home Sales Organisation" {
		t.Errorf("the menu is %s", got)
	}
	if sales := nav.Areas[1]; sales.Href != "/o/NOVA/bills" || !sales.Current {
		t.Errorf("an area of one page is %+v", sales.NavItem)
	}
	h, c = visit(scope.Scope{}, "/expenditure")
	if got := h.nav(c).Areas; len(got) != 0 {
		t.Errorf("nobody sees %+v", got)
	}
}

func TestCrumbsFollowTheMenu(t *testing.T) {
	all := actors()
	for _, x := range []struct {
		side       scope.Side
		path, want string
	}{
		{scope.SidePartner, "/bills/lines", "Sales / Billing"}, {scope.SidePartner, "/expenditure", "Sales / Customers"},
		{scope.SidePartner, "/messages", "Home"}, {scope.SidePartner, "/audit", "Organisation / Security"},
		{scope.SideVendor, "/closes/2026-10", "Billing / Month close"}, {scope.SideVendor, "/work", ""}, {scope.SideVendor, "/exports", "Desk"}, {scope.SideCustomer, "/expenditure/lines", "Billing center / Costs"},
	} {
		h, c := visit(all[x.side], x.path)
		var texts []string
		for _, l := range h.trail(c) {
			texts = append(texts, l.Text)
		}
		if got := strings.Join(texts, " / "); got != x.want {
			t.Errorf("%s at %s: %q, want %q", x.side, x.path, got, x.want)
		}
	}
}
