package portal_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"huoban/internal/audit"
)

// looked is what a search finds besides pages: the addresses, and the text of the list.
func (v *visitor) looked(org, q string) (hrefs []string, text string) {
	v.w.t.Helper()
	page := v.w.page(q, v.get("/o/"+org+"/search?q="+url.QueryEscape(q)), http.StatusOK)
	hits := page.Find(".hb-hits li")
	return hits.Find("a").Map(func(_ int, s *goquery.Selection) string { return s.AttrOr("href", "") }), hits.Text()
}

// TestSearchFindsThings: customers by name, code and account, and bills, lines, deliveries, adjustments, files and
// requests by their numbers, are found by whoever may see them, lead to where they stand, and are found by nobody else.
func TestSearchFindsThings(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.listsWorld()
		boss, partner, stranger := w.signedIn("boss"), w.signedIn("partner"), w.signedIn("stranger")
		lines := "/o/MUSHI/expenditure/lines?cycle=2026-01"
		page := w.page(lines, partner.get(lines), http.StatusOK)
		line := strings.TrimSpace(page.Find("tbody tr").Eq(7).Find("th").Text())
		file := partner.ask(page, "csv")
		w.work()
		bill := w.page("bill", partner.get("/o/MUSHI/bills/lines?cycle=2026-01"), http.StatusOK)
		seal := strings.TrimSpace(bill.Find(".hb-seal .hb-mono, .hb-seal code").Last().Text())
		if seal == "" {
			seal = strings.TrimSpace(bill.Find(".hb-seal").Children().Last().Text())
		}
		code := csvOf(t, partner.file("MUSHI", file).body)
		short := strings.TrimSpace(code[len(code)-1][1])
		entry := strings.TrimSpace(w.page("adjustments", boss.get("/o/NOVA/adjustments"), http.StatusOK).Find("tbody tr").First().Find("td, th").First().Find(".hb-mono").First().Text())
		done, err := w.app.AuditStore.Before(t.Context(), "", true, audit.Filter{Actor: "boss"}, 1<<60, 1)
		w.must(err)
		if len(done) == 0 || done[0].RequestID == "" {
			t.Fatal("the audit names no request")
		}
		for _, x := range []struct {
			who, org, q, leads string // "" = nothing but pages, if any
			says               string
		}{
			{"partner", "MUSHI", "客户S2", "/o/MUSHI/expenditure?customer=s2", "客*** · s2"},
			{"partner", "MUSHI", "s2", "/o/MUSHI/expenditure?customer=s2", ""},
			{"stranger", "LUMI", "S1", "/o/LUMI/expenditure?customer=CUSTL", "C*** · CUSTL"}, // whose account is s1 in another source
			{"partner", "MUSHI", strings.ToLower(line), "/o/MUSHI/expenditure/lines?", line},
			{"partner", "MUSHI", seal, "/o/MUSHI/bills?", "2026-01"},
			{"partner", "MUSHI", "2026-01", "/o/MUSHI/bills?", seal},
			{"partner", "MUSHI", short, "/o/MUSHI/exports?code=" + short, "expenditure"},
			{"boss", "NOVA", "s2", "/o/NOVA/mapping?q=s2&source=nova", "客*** · s2"},
			{"boss", "NOVA", "nova/1", "/o/NOVA/deliveries/", "nova/1"},
			{"boss", "NOVA", entry, "/o/NOVA/adjustments?state=", "2026"},
			{"boss", "NOVA", done[0].RequestID, "/o/NOVA/audit?request=" + done[0].RequestID, done[0].Action},
			{"boss", "NOVA", seal, "/o/NOVA/bills?", "Mushi"},
			{"boss", "NOVA", "%", "", ""}, // is searched for, not a sign that stands for anything
		} {
			hrefs, text := w.signedIn(x.who).looked(x.org, x.q)
			if x.leads == "" {
				if len(hrefs) > 0 {
					t.Errorf("%s finds %v for %q", x.who, hrefs, x.q)
				}
				continue
			}
			if len(hrefs) == 0 || !strings.HasPrefix(hrefs[0], x.leads) || !strings.Contains(text, x.says) {
				t.Errorf("%s looking for %q finds %v: %s", x.who, x.q, hrefs, text)
				continue
			}
			there := w.page(x.q, w.signedIn(x.who).get(strings.Split(hrefs[0], "#")[0]), http.StatusOK)
			if x.says == line && strings.TrimSpace(there.Find("tbody tr").First().Find("th").Text()) != line {
				t.Errorf("%s leads to %s", line, there.Find("tbody tr").First().Text())
			}
			if x.leads == "/o/MUSHI/exports?code="+short && there.Find("#exports tbody tr").Length() != 1 {
				t.Errorf("the records show %s", there.Find("#exports").Text())
			}
			if hrefs, text := stranger.looked("LUMI", x.q); x.who != "stranger" && len(hrefs) > 0 || len(hrefs) > 1 {
				t.Errorf("a stranger looking for %q finds %v: %s", x.q, hrefs, text)
			}
		}
		if hrefs, _ := w.signedIn("second").looked("MUSHI", short); len(hrefs) > 0 {
			t.Errorf("a colleague finds another's file: %v", hrefs)
		}
	})
}

// TestSearchCostsTheSame: the number of statements of a search does not grow with what there is to find.
func TestSearchCostsTheSame(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		var n atomic.Int64
		cost := func(q string) int64 {
			v := w.signedIn("partner")
			v.get("/o/MUSHI/search?q=" + url.QueryEscape(q)) // what is kept between requests is there
			n.Store(0)
			w.app.DB.Watch(func(string) { n.Add(1) })
			defer w.app.DB.Watch(nil)
			v.get("/o/MUSHI/search?q=" + url.QueryEscape(q))
			return n.Load()
		}
		none, many, number := cost("nobody"), cost("s"), cost("12345678")
		if many != none || number > none+6 {
			t.Errorf("%d statements find nothing, %d several customers, %d a number", none, many, number)
		}
		if none > 14 {
			t.Errorf("a search takes %d statements", none)
		}
	})
}
