package portal_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"huoban/internal/cycle"
)

// What waits is shown to those who may do it, with the time left, and leads to where it is done.
func TestWork(t *testing.T) {
	w := newWorld(t)
	boss := w.visitor("boss")
	boss.imported(focus("s1 VM 1.5", "s2 VM 2.25"))
	w.clock.Set(time.Date(2026, 2, 4, 9, 30, 0, 0, cycle.Zone))
	doc := w.visitor("boss").both("/o/NOVA/work")
	row := doc.Find(".hb-duties li").FilterFunction(func(_ int, s *goquery.Selection) bool { return strings.Contains(s.Text(), "3.75") })
	if href, _ := row.Find("a.btn").Attr("href"); row.Length() != 1 || href != "/o/NOVA/closes/2026-01#checks" || !strings.Contains(row.Text(), "02-05 12:00 前，还剩 1 天") {
		t.Errorf("%d rows, %s: %s", row.Length(), href, row.Text())
	}
	w.clock.Set(time.Date(2026, 2, 8, 9, 30, 0, 0, cycle.Zone))
	boss = w.visitor("boss")
	first := boss.both("/o/NOVA/work?kind=close").Find(".hb-duties li")
	if first.Length() != 1 || !strings.Contains(first.Text(), "已逾期 2 天") {
		t.Errorf("%d rows: %s", first.Length(), first.Text())
	}
	if got := w.visitor("auditor").both("/o/NOVA/work").Find(".hb-duties").Text(); strings.Contains(got, "未归属") {
		t.Errorf("the auditor, who may not map, is told to: %s", got)
	}
	if r := boss.get("/o/NOVA/work?kind=nonsense"); r.status != http.StatusNotFound {
		t.Errorf("a kind there is not: %d", r.status)
	}
}
