package e2e

import (
	"math"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"huoban/internal/audit"
	"huoban/internal/money"
)

const otherFin = "xingzhu-finance"

// exactOf reads an amount with all its decimals from a cell.
func exactOf(t *testing.T, cell *selection) money.Exact {
	t.Helper()
	text := cell.Find("[title]").AttrOr("title", strings.TrimSpace(cell.Text()))
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '−':
			return '-'
		case r >= '0' && r <= '9', r == '.', r == '-':
			return r
		}
		return -1
	}, text)
	x, err := money.ParseExact(text)
	if err != nil {
		t.Fatalf("amount %q: %v", text, err)
	}
	return x
}

// testExpenditure walks 客户消费: all pages of the details sum to their total and to the summary, names
// are masked until shown, and what is another's is absent.
func testExpenditure(t *testing.T, w *world) {
	c := w.signIn(t, otherFin)
	base := "/o/" + otherOrg + "/expenditure"
	summary := c.want(c.get(base+"?cycle="+otherCycle), http.StatusOK, "summary").page(t)
	if !strings.Contains(summary.Text(), "客户消费不是伙伴账单") {
		t.Error("nothing says that this is no bill")
	}
	want := exactOf(t, summary.Find("#summary tfoot td").Last())
	var sum, total money.Exact
	rows, code := 0, ""
	for next := base + "/lines?zero=all&size=50&cycle=" + otherCycle; next != ""; {
		page := c.want(c.get(next), http.StatusOK, next).page(t)
		page.Find("#lines tbody tr").Each(func(_ int, tr *selection) {
			rows++
			if !strings.Contains(tr.Text(), "***") {
				t.Errorf("a name in clear: %s", tr.Text())
			}
			if !strings.Contains(tr.Text(), "税") {
				sum = sum.Add(exactOf(t, tr.Find("td").Last()))
			}
		})
		total = exactOf(t, page.Find("#lines tfoot td").Last())
		code = page.Find("#q-customer option").Last().AttrOr("value", "")
		next = page.Find(".hb-pager .btn-list a").Last().AttrOr("href", "")
		if u, err := url.Parse(next); err != nil || u.Query().Get("after") == "" || rows > 5000 {
			break
		}
	}
	if rows == 0 || !sum.Equal(total) || !total.Equal(want) {
		t.Errorf("%d rows sum to %s, the list says %s, the summary %s", rows, sum, total, want)
	}
	lines := base + "/lines?cycle=" + otherCycle
	c.want(c.post(lines), http.StatusForbidden, "names without permission")
	admin := w.signIn(t, "xingzhu-admin")
	revealed := func() int {
		filter := audit.Filter{Action: "column.reveal", Object: "list:expenditure.lines"}
		seen, err := w.app.AuditStore.Before(t.Context(), "", true, filter, math.MaxInt64, 1000)
		if err != nil {
			t.Fatal(err)
		}
		return len(seen)
	}
	before := revealed()
	shown := admin.want(admin.post(lines), http.StatusOK, "names in clear")
	if strings.Contains(shown.page(t).Find("#lines tbody").Text(), "***") {
		t.Error("the names stay masked")
	}
	if n := revealed() - before; n != 1 {
		t.Errorf("%d rows of the audit say that names were shown", n)
	}
	if code == "" {
		t.Fatal("no customer to choose")
	}
	foreign := w.signIn(t, partnerFin)
	for _, page := range []string{"", "/lines"} {
		at := "/o/" + partner + "/expenditure" + page + "?cycle=2026-04&"
		for _, name := range []string{"customer", "manager"} {
			theirs, absent := foreign.get(at+name+"="+code), foreign.get(at+name+"="+noOrg)
			foreign.want(theirs, http.StatusNotFound, page+" "+name)
			if theirs.body != absent.body {
				t.Errorf("%s tells a foreign %s from an absent one:\n%s", page, name, firstDifference(theirs.body, absent.body))
			}
		}
		if r := foreign.get("/o/" + partner + "/expenditure" + page + "?cycle=2024-09"); r.status < 400 || r.status >= 500 || !strings.Contains(r.body, "18") {
			t.Errorf("a cycle too far back: %d", r.status)
		}
	}
}
