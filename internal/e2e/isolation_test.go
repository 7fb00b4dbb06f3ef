package e2e

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"huoban/internal/portal"
)

// testOrganisations: somebody else's organisation is answered exactly as one that does not exist.
func testOrganisations(t *testing.T, w *world) {
	found := w.find(t, vendor)
	c := w.signIn(t, partnerFin)
	for _, r := range portal.Routes() {
		if !inOrg(r) {
			continue
		}
		address := func(org string) string {
			found["org"] = org
			return found.fill(r, "")
		}
		for _, tweaks := range [][]tweak{nil, {asProgram}} {
			foreign, absent := c.do(r.Method, address(otherOrg), "", tweaks...), c.do(r.Method, address(noOrg), "", tweaks...)
			c.want(foreign, http.StatusNotFound, r.Method+" "+address(otherOrg))
			if foreign.status != absent.status || foreign.body != absent.body {
				t.Errorf("%s tells a foreign organisation from an absent one:\n%s", r.Name, firstDifference(foreign.body, absent.body))
			}
		}
	}
}

// testBillNames: a bill of others named by a parameter is answered as one that does not exist.
func testBillNames(t *testing.T, w *world) {
	fin := w.signIn(t, partnerFin)
	other := w.signIn(t, "xingzhu-finance")
	entity := entityOf(t, other, "/o/"+otherOrg+"/bills/lines?cycle="+otherCycle+"&currency="+aCurrency(t, other))
	why := whyOf(t, other, "/o/"+otherOrg+"/bills/lines?cycle="+otherCycle+"&currency="+aCurrency(t, other))
	own := "cycle=" + theCycle
	for _, page := range []string{"", "/products", "/customers", "/lines", "/adjustments", "/explanation"} {
		base := "/o/" + partner + "/bills" + page + "?figure=due&format=csv&"
		for _, q := range []struct{ name, foreign, absent string }{
			{"partner", own + "&partner=" + otherOrg, own + "&partner=" + noOrg},
			{"vendor", own + "&vendor=QINGYUN", own + "&vendor=" + noOrg},
			{"partner and vendor", "cycle=" + otherCycle + "&vendor=QINGYUN&partner=" + otherOrg, "cycle=" + otherCycle + "&vendor=X&partner=" + noOrg},
			{"entity", own + "&entity=" + url.QueryEscape(entity+"-Q"), own + "&entity=" + noOrg},
		} {
			foreign, absent := fin.get(base+q.foreign), fin.get(base+q.absent)
			fin.want(foreign, http.StatusNotFound, page+" "+q.name)
			if foreign.body != absent.body {
				t.Errorf("%s tells a foreign %s from an absent one:\n%s", page, q.name, firstDifference(foreign.body, absent.body))
			}
		}
	}
	lines := "/o/" + partner + "/bills/lines?" + own
	mine := fin.want(fin.get(lines), http.StatusOK, "own lines")
	named := fin.want(fin.get(lines+"&why="+url.QueryEscape(why)), http.StatusNotFound, "a foreign line")
	if absent := fin.get(lines + "&why=" + noOrg); named.body != absent.body {
		t.Errorf("a foreign line is told from an absent one:\n%s", firstDifference(named.body, absent.body))
	}
	export := func(vendorCode, partnerCode string) reply {
		return fin.post("/o/"+partner+"/exports", "list", "bill.lines", "format", "csv", "cycle", otherCycle, "vendor", vendorCode, "partner", partnerCode, "currency", "USD")
	}
	foreign, absent := export("QINGYUN", otherOrg), export("X", noOrg)
	fin.want(foreign, http.StatusNotFound, "export of a foreign bill")
	if foreign.body != absent.body {
		t.Errorf("an export tells a foreign bill from an absent one:\n%s", firstDifference(foreign.body, absent.body))
	}
	code := other.get("/o/"+otherOrg+"/bills/lines?cycle="+otherCycle+"&currency="+aCurrency(t, other)).page(t).Find("select[name=customer] option").Last().AttrOr("value", "")
	if code == "" {
		t.Fatal("no customer of " + otherOrg)
	}
	for _, page := range []string{"/bills/lines?" + own, "/expenditure?", "/expenditure/lines?"} {
		theirs, none := fin.get("/o/"+partner+page+"&customer="+code), fin.get("/o/"+partner+page+"&customer="+strings.Repeat("Z", len(code)))
		if theirs.status != none.status || strings.ReplaceAll(theirs.body, code, strings.Repeat("Z", len(code))) != none.body {
			t.Errorf("%s tells a foreign customer from an absent one: %d and %d", page, theirs.status, none.status)
		}
	}
	for _, secret := range []string{otherOrg, "星渚", "QINGYUN", "青屿"} {
		if strings.Contains(mine.body, secret) {
			t.Errorf("the lines of %s show %q", partner, secret)
		}
	}
}

func aCurrency(t *testing.T, c *client) string {
	t.Helper()
	doc := c.get("/o/" + otherOrg + "/bills?cycle=" + otherCycle).page(t)
	for _, href := range doc.Find("main a[href*='currency=']").Map(attr("href")) {
		return queryOf(t, href, "currency")
	}
	t.Fatal("no bill of " + otherOrg)
	return ""
}

func entityOf(t *testing.T, c *client, page string) string {
	t.Helper()
	doc := c.get(page).page(t)
	return doc.Find("input[type=hidden][name=entity]").AttrOr("value", "")
}

func whyOf(t *testing.T, c *client, page string) string {
	t.Helper()
	href := c.get(page).page(t).Find("a[data-why]").First().AttrOr("href", "")
	if href == "" {
		t.Fatal("no line on " + page)
	}
	return queryOf(t, href, "why")
}

// testManager: the preset 客户经理 has no bill.
func testManager(t *testing.T, w *world) {
	c := w.signIn(t, "yunxiu-manager")
	for _, page := range []string{"/bills", "/bills/lines", "/bills/products", "/bills/customers", "/bills/explanation?figure=due", "/bills?cycle=2024-09"} {
		c.want(c.get("/o/"+partner+page), http.StatusForbidden, page)
	}
	c.want(c.post("/o/"+partner+"/exports", "list", "bill.lines", "format", "csv", "cycle", theCycle), http.StatusForbidden, "export")
	if home := c.want(c.get("/o/"+partner), http.StatusOK, "home"); strings.Contains(home.body, "/o/"+partner+"/bills") {
		t.Error("the menu of somebody without bills leads to bills")
	}
}

// testTwoTabs: one person, one session, two organisations at the same time.
func testTwoTabs(t *testing.T, w *world) {
	c := w.signIn(t, twoHats)
	shows := map[string][2]string{ // what a page of the organisation shows, and never shows
		partner:  {"云岫数科", "/o/" + otherOrg + "/bills"},
		otherOrg: {"星渚信息", "/o/" + partner + "/bills"},
	}
	var wg sync.WaitGroup
	for range 8 {
		for org, words := range shows {
			wg.Go(func() {
				r := c.get("/o/" + org + "/bills?cycle=" + map[string]string{partner: theCycle, otherOrg: otherCycle}[org])
				if r.status != http.StatusOK || !strings.Contains(r.body, words[0]) || strings.Contains(r.body, words[1]) {
					t.Errorf("tab of %s: %d, mixed with the other", org, r.status)
				}
			})
		}
	}
	wg.Wait()
	c.want(c.get("/o/"+partner+"/bills?cycle="+otherCycle+"&partner="+otherOrg), http.StatusNotFound, "the other hat's bill in this tab")
	orgs := c.get("/o/" + partner).page(t).Find("#account form[action='/preferences/role'] button").Map(attr("value"))
	for _, org := range []string{partner, otherOrg} {
		if !slices.Contains(orgs, org) {
			t.Errorf("the account menu does not offer %s", org)
		}
	}
}

func firstDifference(a, b string) string {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			from := max(0, i-120)
			return "…" + a[from:min(len(a), i+80)] + "\n…" + b[from:min(len(b), i+80)]
		}
	}
	return "one is the beginning of the other"
}
