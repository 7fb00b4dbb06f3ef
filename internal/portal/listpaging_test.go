package portal_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"huoban/internal/money"
)

// TestLineListsPageBack: the pages of a list of lines, walked to the end and back by the links of their pager,
// are the same pages, at both sizes and with a filter.
func TestLineListsPageBack(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		v := w.signedIn("finance")
		for _, at := range []string{"/o/MUSHI/bills/lines?cycle=2026-01", "/o/MUSHI/expenditure/lines?cycle=2026-01&zero=all", "/o/MUSHI/bills/lines?cycle=2026-01&kind=consumption", "/o/MUSHI/expenditure?cycle=2026-01&size=20",
			"/o/MUSHI/bills/lines?cycle=2026-01&size=50"} {
			var forth []string
			page := w.page(at, v.get(at), http.StatusOK)
			for range 10 {
				forth = append(forth, rowsText(page))
				next := pagerLink(page, "after")
				if next == "" {
					break
				}
				page = w.page(next, v.get(next), http.StatusOK)
			}
			for i := len(forth) - 2; i >= 0; i-- {
				back := pagerLink(page, "before")
				if back == "" {
					t.Fatalf("%s: no way back from page %d", at, i+2)
				}
				page = w.page(back, v.get(back), http.StatusOK)
				if got := rowsText(page); got != forth[i] {
					t.Errorf("%s: page %d is another on the way back:\n%s\n%s", at, i+1, forth[i], got)
				}
			}
			if pagerLink(page, "before") != "" {
				t.Errorf("%s: there is a page before the first", at)
			}
			if strings.Contains(at, "lines?cycle=2026-01") && !strings.Contains(at, "kind") && len(forth) < 2 {
				t.Errorf("%s has one page: nothing to turn", at)
			}
		}
	})
}

// pagerLink is where the pager leads with that parameter; "" where it does not.
func pagerLink(page *goquery.Document, param string) string {
	found := ""
	page.Find(".hb-pager a").Each(func(_ int, s *goquery.Selection) {
		href := s.AttrOr("href", "")
		if u, err := url.Parse(href); err == nil && u.Query().Get(param) != "" {
			found = href
		}
	})
	return found
}

// TestChangesAfterCorrections: rows that were corrected in quarantine count among the changes of their delivery,
// so that number and total of the list stay those of its rows and of its file.
func TestChangesAfterCorrections(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		boss := w.signedIn("boss")
		february := strings.NewReplacer("2026-02-01T00:00:00Z,2026-01-03", "2026-03-01T00:00:00Z,2026-02-03", "2026-01-", "2026-02-")
		boss.imported(february.Replace(focus("s1 VM 1.5", "s2 Disk 2", "s1 Gone 3")))
		at := boss.imported(february.Replace(focus("s1 VM 2.25", "s2 Disk oops", "s3 DB 4", "s1 Net nope")))
		check := func(when, total string) {
			t.Helper()
			page := w.page(when, boss.get(at+"/changes"), http.StatusOK)
			sum, n := money.Exact{}, 0
			page.Find("tbody tr").Each(func(_ int, s *goquery.Selection) {
				n++
				x, err := money.ParseExact(strings.NewReplacer("−", "-", "$", "", ",", "").Replace(strings.TrimSpace(s.Find("td.m").Text())))
				w.must(err)
				sum = sum.Add(x)
			})
			got := shownOn(page)
			if n == 0 || got.rows != int64(n) || sum.String() != total || !strings.Contains(got.total, strings.TrimPrefix(total, "-")) {
				t.Errorf("%s: %d rows of %s, the page says %+v, want %s", when, n, sum, got, total)
			}
			task := boss.ask(page, "csv")
			w.work()
			if file := boss.file("NOVA", task); file.status != http.StatusOK || !strings.Contains(file.body, strconv.Itoa(n)) {
				t.Errorf("%s: the file answers %d", when, file.status)
			}
		}
		check("before", "-0.25")
		file := boss.get(at + "/quarantine.csv").body
		if r := boss.program().hand(at+"/quarantine", "file", map[string]string{"c.csv": strings.NewReplacer("oops", "2.5", "nope", "7").Replace(file)}); r.status != http.StatusOK {
			t.Fatalf("%d %s", r.status, r.body)
		}
		check("after", "9.25")
	})
}
