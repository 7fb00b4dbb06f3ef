package e2e

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"huoban/internal/cycle"
)

// tourVar names the folder of the pictures of docs/tour.md; without it none are made.
const tourVar = "PORTAL_TEST_TOUR"

const tourLine = "1,311.10"

// testTour walks docs/tour.md: from sign-in to why a line is 1,311.10, in five clicks.
func testTour(t *testing.T, w *world, browser context.Context) {
	b := newTab(t, browser, w.url, desk)
	b.must(chromedp.Call(b.ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 1280, Height: 800, DeviceScaleFactor: 1}))
	month := string(cycle.Of(w.app.Clock.Now(), cycle.Zone).Add(-1))
	clicks := 0
	click := func(selector, reached string) {
		t.Helper()
		clicks++
		if n := value[int](b, "document.querySelectorAll(`"+selector+"`).length"); n == 0 {
			b.shot("tour")
			t.Fatalf("click %d: no %s at %s", clicks, selector, b.where())
		}
		b.run(chromedp.Click(selector))
		b.until(reached, "document.readyState === 'complete' && !document.querySelector('.htmx-request, .htmx-settling') && "+reached)
	}
	b.open("/login")
	b.run(chromedp.SendKeys("input[name=username]", "guangzhu-finance"), chromedp.SendKeys("input[name=password]", password))
	picture(b, "0-sign-in")
	b.run(chromedp.Click("form:has([name=password]) button[type=submit]"))
	b.until("home", "document.readyState === 'complete' && location.pathname === '/o/GUANGZHU'")
	picture(b, "1-home")

	click("main a[href*='/bills'][href*='cycle="+month+"'][href*='partner=GUANGZHU']", "document.querySelector('.hb-tabs')")
	picture(b, "2-bill")
	click(".hb-tabs a[href*='/bills/customers']", "location.pathname.endsWith('/customers')")
	picture(b, "3-customers")
	click("main table a[href*='customer=GUIYUAN']", "location.pathname.endsWith('/lines')")
	found := b.truth(`(() => {
		const row = [...document.querySelectorAll('#lines tbody tr')].find(r => r.textContent.includes('` + tourLine + `'));
		row?.querySelector('[data-why]').setAttribute('data-tour', '');
		row?.scrollIntoView({block: 'center'});
		return row;
	})()`)
	if !found {
		b.shot("tour")
		t.Fatalf("no line of %s at %s", tourLine, b.where())
	}
	picture(b, "4-lines")
	click("[data-tour]", "document.querySelector('section.hb-why')")
	chain := b.text("section.hb-why")
	for _, word := range []string{"1,311.098", "1,598.9", "0.82", "hengluo-cloud-" + month} {
		if !strings.Contains(chain, word) {
			t.Errorf("the explanation does not say %q: %s", word, chain)
		}
	}
	b.truth("(() => { document.querySelector('section.hb-why').scrollIntoView({block: 'center'}); return true; })()")
	picture(b, "5-why")
	click(".hb-source > summary", "document.querySelector('.hb-source[open] tbody tr')")
	if cost := value[string](b, "[...document.querySelectorAll('.hb-source tbody tr')].find(r => r.cells[0].textContent === 'BilledCost').cells[1].textContent"); cost != "1598.9" {
		t.Errorf("the row of the file says BilledCost %q", cost)
	}
	b.truth("(() => { document.querySelector('.hb-source').scrollIntoView({block: 'start'}); scrollBy(0, -120); return true; })()")
	if top := value[float64](b, "document.querySelector('.hb-top').getBoundingClientRect().top"); top != 0 {
		t.Errorf("scrolled down, the bar stands at %v", top)
	}
	if !b.truth(`(() => {
		const cell = [...document.querySelectorAll('.hb-source tbody tr')].find(r => r.cells[0].textContent === 'BilledCost').cells[1], at = cell.getBoundingClientRect();
		return cell.contains(document.elementFromPoint(at.left + 4, at.top + at.height / 2));
	})()`) {
		t.Error("something lies over the cost as delivered")
	}
	picture(b, "6-row")
	if clicks != 5 {
		t.Errorf("%d clicks", clicks)
	}
	b.open("/o/GUANGZHU/search")
	if recent := b.text("[data-recent]"); !strings.Contains(recent, month) || !b.truth("document.querySelector('[data-recent] a').href.includes('/bills/lines')") {
		t.Errorf("the search offers as opened last: %q", recent)
	}
	b.quiet("tour")
}

// picture keeps what the window shows for docs/tour.md.
func picture(b *tab, name string) {
	b.t.Helper()
	folder := os.Getenv(tourVar)
	if folder == "" {
		return
	}
	quality := int64(82)
	r, err := chromedp.Call(b.ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatWebp, Quality: &quality})
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".webp"), r.Data, 0o644); err != nil {
		b.t.Fatal(err)
	}
}
