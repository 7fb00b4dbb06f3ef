package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// testKeyboard is the main job without a mouse: sign in, choose a cycle, filter, export, show masked
// names, and ask a line why, down to the row of the imported file; then language and theme.
func testKeyboard(t *testing.T, w *world, browser context.Context, width int) {
	b := newTab(t, browser, w.url, width)
	b.open("/login")
	if !b.truth("document.activeElement.matches('#f-username, input[name=username]')") {
		b.tabTo("input[name=username]")
	}
	b.press("xingzhu-admin")
	b.tabTo("input[name=password]")
	b.press(password)
	b.press(kb.Enter)
	b.until("signed in", "location.pathname === '/o/XINGZHU' && document.readyState === 'complete'")

	if width == phone {
		b.tabTo(".hb-burger")
	} else {
		b.tabTo(".hb-nav button[popovertarget]")
	}
	b.press(kb.Enter)
	b.until("menu open", "document.querySelector('.hb-mega:popover-open')")
	b.follow(".hb-mega:popover-open a[href='/o/XINGZHU/bills']")

	b.tabTo("button[popovertarget=cycles]")
	b.press(kb.Enter)
	b.until("picker open", "document.querySelector('#cycles:popover-open')")
	b.follow("#cycles a[href*='cycle=2026-04']")
	if !strings.Contains(b.where(), "cycle=2026-04") {
		t.Fatalf("the picker led to %s", b.where())
	}
	b.follow("main table a[href*='currency=USD']")
	b.follow(".hb-tabs a[href*='/bills/lines']")
	b.testJourney(w)
	b.tabTo("a[data-why]")
	b.press(kb.Enter)
	b.until("why open", "document.querySelector('section.hb-why') && !document.querySelector('.htmx-request, .htmx-settling')")
	chain := b.text(".hb-chain")
	if !strings.Contains(chain, "sample_billing_data.csv") {
		t.Errorf("the explanation does not name the file: %s", chain)
	}
	b.tabTo(".hb-source > summary")
	b.press(kb.Enter)
	b.until("original row", "document.querySelector('.hb-source[open] tbody tr')")
	checkOriginal(t, b, chain)
	b.quiet("why")
	b.axe(fmt.Sprintf("why at %d", width), "document")
	b.fits("why")

	before := b.where()
	b.changeLanguage(width)
	if b.where() != before {
		t.Errorf("the language switch leads from %s to %s", before, b.where())
	}
	b.until("English", "document.documentElement.lang === 'en'")
	b.tabTo(".hb-tools [data-theme-form] button")
	b.press(kb.Enter)
	b.until("dark", "document.documentElement.dataset.bsTheme === 'dark'")
	b.until("theme kept", "performance.getEntriesByType('resource').some(r => r.name.endsWith('/preferences/theme'))")
	b.run(chromedp.Reload())
	b.until("dark after a reload", "document.documentElement.dataset.bsTheme === 'dark' && document.documentElement.lang === 'en'")

	b.tabTo(".hb-who")
	b.press(kb.Enter)
	b.until("account menu", "document.querySelector('#account:popover-open')")
	b.press(kb.Escape)
	b.until("account menu closed", "!document.querySelector('#account:popover-open')")
	b.press(kb.Enter)
	b.follow("#account form[action='/logout'] button")
	if b.where() != "/login" {
		t.Errorf("sign-out leads to %s", b.where())
	}
	b.quiet("keyboard")
}

// changeLanguage uses what the width shows: the button of the bar, or the account menu.
func (b *tab) changeLanguage(width int) {
	b.t.Helper()
	if width == phone {
		b.tabTo(".hb-who")
		b.press(kb.Enter)
		b.until("account menu", "document.querySelector('#account:popover-open')")
		b.follow("#account button[value=en]")
		return
	}
	b.follow(".hb-tools form[action='/preferences/language'] button")
}

// checkOriginal compares the row shown with the row of the file the explanation names.
func checkOriginal(t *testing.T, b *tab, chain string) {
	t.Helper()
	cells := value[map[string]string](b, `Object.fromEntries([...document.querySelectorAll('.hb-source tbody tr')].map(r => [r.cells[0].textContent, r.cells[1].textContent]))`)
	header, rows := sample(t, "samples/gcp-synth/sample_billing_data.csv")
	line := 0
	for _, word := range strings.Fields(strings.NewReplacer("第", " ", "行", " ").Replace(chain)) {
		n := 0
		if _, err := fmt.Sscanf(word, "%d", &n); err == nil && n > 1 && n-2 < len(rows) && matches(cells, header, rows[n-2]) {
			line = n
		}
	}
	if line == 0 {
		t.Errorf("no line named by the explanation is the row shown: %s\n%v", chain, cells)
	}
}

func matches(cells map[string]string, header, row []string) bool {
	for i, name := range header {
		if shown, ok := cells[name]; !ok || strings.TrimSpace(shown) != strings.TrimSpace(row[i]) && row[i] != "" {
			return false
		}
	}
	return true
}
