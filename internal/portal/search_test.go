package portal

import (
	"slices"
	"strings"
	"testing"

	"huoban/internal/scope"
)

func found(h *Handlers, c *Ctx, q string) []string {
	var out []string
	for _, hit := range h.find(c, q) {
		out = append(out, strings.TrimPrefix(hit.Href, "/o/NOVA"))
	}
	return out
}

func TestSearchFindsPagesByEveryName(t *testing.T) {
	all := actors()
	for _, x := range []struct {
		side    scope.Side
		q, best string
	}{
		{scope.SidePartner, "伙伴账单", "/bills"}, {scope.SidePartner, "partner BILL", "/bills"}, {scope.SidePartner, "伙伴账务 > 伙伴账单", "/bills"},
		{scope.SidePartner, "客户业务 客户消费", "/expenditure"}, {scope.SidePartner, "销售 / 客户", "/customers"}, {scope.SidePartner, "消费明细", "/expenditure/lines"},
		{scope.SidePartner, "export", "/exports"}, {scope.SideVendor, "价格 试算", "/prices/simulation"}, {scope.SideVendor, "month close", "/closes"},
	} {
		h, c := visit(all[x.side], "/search")
		if got := found(h, c, x.q); len(got) == 0 || got[0] != x.best {
			t.Errorf("%s searching %q finds %v, want %s first", x.side, x.q, got, x.best)
		}
	}
}

func TestSearchShowsOnlyWhatMayBeOpened(t *testing.T) {
	for side, sc := range actors() {
		h, c := visit(sc, "/search")
		every := found(h, c, "")
		if len(every) == 0 || slices.Contains(every, "/search") {
			t.Errorf("%s: every page is %v", side, every)
		}
		for _, path := range every {
			if !h.may(c, path) || strings.Contains(path, ":") {
				t.Errorf("%s is offered %s", side, path)
			}
		}
	}
	h, c := visit(scope.Partner("p", "1", "manager", []scope.Item{scope.ItemHomeAccount, scope.ItemExpenditureView}, nil), "/search")
	if got := found(h, c, "伙伴账单"); len(got) != 0 {
		t.Errorf("without the permission the bill is found: %v", got)
	}
	if got := found(h, c, "no such page anywhere"); len(got) != 0 {
		t.Errorf("nonsense finds %v", got)
	}
	if got := found(h, c, strings.Repeat("长", 4000)); len(got) != 0 {
		t.Errorf("a very long question finds %v", got)
	}
}

func TestFormerPathsLeadToPages(t *testing.T) {
	h, _ := visit(scope.Scope{}, "")
	paths := formerPaths(h.pages)
	for _, f := range former {
		if _, built := h.pages[f.path]; !built {
			t.Errorf("%s leads to %s, which no route serves", f.was, f.path)
		}
		if paths[f.was] != f.path {
			t.Errorf("%s leads to %q, want %s", f.was, paths[f.was], f.path)
		}
	}
	for was, path := range map[string]string{"销售/伙伴账务/伙伴账单": "/bills", "销售/账务/伙伴账单": "/bills", "账务/伙伴账单": "/bills", "Sales/Billing/Partner bills": "/bills",
		"伙伴账务/业绩激励对账": "", "伙伴账务": ""} {
		if got := paths[was]; got != path {
			t.Errorf("%s leads to %q, want %q", was, got, path)
		}
	}
}
