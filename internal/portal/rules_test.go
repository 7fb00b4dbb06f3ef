package portal_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

// A page with figures or states leads to the rules it counts and shows by, in both languages.
func TestRulesStandOnThePage(t *testing.T) {
	w := newWorld(t)
	boss, us := w.visitor("boss"), w.visitor("partner")
	for path, v := range map[string]*visitor{"/o/NOVA": boss, "/o/NOVA/work": boss, "/o/NOVA/deliveries": boss, "/o/NOVA/closes": boss, "/o/NOVA/prices": boss, "/o/NOVA/mapping": boss, "/o/NOVA/sources": boss,
		"/o/NOVA/adjustments": boss, "/o/NOVA/audit": boss, "/o/NOVA/messages": boss, "/o/NOVA/exports": boss, "/o/NOVA/announcements": boss, "/o/NOVA/company-changes": boss, "/o/NOVA/members": boss, "/o/NOVA/roles": boss,
		"/o/MUSHI": us, "/o/MUSHI/bills": us, "/o/MUSHI/expenditure": us, "/o/MUSHI/customers": us, "/o/MUSHI/assignments": us, "/o/MUSHI/dashboards/expenditure": us, "/o/MUSHI/dashboards/customers": us, "/o/MUSHI/profile": us} {
		doc := v.both(path)
		if doc.Find(".hb-head a[href='#page-rules']").Length() != 1 || doc.Find("#page-rules li").Length() == 0 {
			t.Errorf("%s: %d links to %d rules", path, doc.Find(".hb-head a[href='#page-rules']").Length(), doc.Find("#page-rules li").Length())
		}
	}
}

// Who types without Chinese finds a page by its pinyin or the first letters of it.
func TestSearchByPinyin(t *testing.T) {
	w := newWorld(t)
	us := w.visitor("partner")
	for q, want := range map[string]string{"khgl": "/o/MUSHI/customers", "kehufen": "/o/MUSHI/assignments", "ZZCY": "/o/MUSHI/members", "juese": "/o/MUSHI/roles", "members": "/o/MUSHI/members"} {
		doc := w.page("search", us.get("/o/MUSHI/search?q="+q), http.StatusOK)
		found := false
		doc.Find("main a").Each(func(_ int, s *goquery.Selection) { found = found || s.AttrOr("href", "") == want })
		if !found {
			t.Errorf("%q does not find %s", q, want)
		}
	}
	if doc := w.page("search", us.get("/o/MUSHI/search?q=yuejie"), http.StatusOK); strings.Contains(doc.Find("main").Text(), "/closes") {
		t.Error("a page that is not the actor's is found")
	}
}
