package e2e

import (
	"bytes"
	"context"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// The main tasks by the keyboard alone, beside those of testKeyboard, testSupervisor and testRoleMaker; docs/keyboard.md
// lists them all.

// jump presses g and the letter of a page.
func (b *tab) jump(letter, to string) {
	b.t.Helper()
	b.press("g", letter)
	b.until("the page of g "+letter, "location.pathname === '"+to+"' && document.readyState === 'complete'")
}

// testManagerDay: a customer manager looks at the dashboard, opens the lines behind a figure, reads one of the customers,
// narrows the dashboard to it, and keeps that as a view to come back to.
func testManagerDay(t *testing.T, w *world, browser context.Context) {
	b := newTab(t, browser, w.url, desk)
	b.signIn(w.signIn(t, "guangzhu-manager"))
	b.open("/o/GUANGZHU")
	b.jump("v", "/o/GUANGZHU/dashboards/expenditure")
	b.clean("a manager's dashboard")
	const figure = "#list-dashboard-expenditure tbody td a[href*='/expenditure/lines']"
	shown := value[string](b, "document.querySelector(\""+figure+"\").title")
	b.follow(figure)
	if at := b.where(); !strings.Contains(at, "/expenditure/lines?") || !strings.Contains(at, "product=") {
		t.Fatalf("a figure leads to %s", at)
	}
	if total := value[string](b, "[...document.querySelectorAll('#lines tfoot tr')].pop().querySelector('[title]').title"); total != shown || total == "" {
		t.Errorf("the figure is %q, its lines sum to %q", shown, total)
	}
	b.jump("u", "/o/GUANGZHU/customers")
	code := value[string](b, "document.querySelector('#list-customers tbody th .hb-s').textContent.trim()")
	b.follow("#list-customers tbody th a")
	if text := b.text("main"); !strings.Contains(text, code) {
		t.Errorf("the customer %s is not on its page", code)
	}
	b.clean("a manager's customer")
	b.jump("v", "/o/GUANGZHU/dashboards/expenditure")
	b.tabTo("#q-customer")
	for range 20 {
		if b.press(kb.ArrowDown); b.truth("document.activeElement.value === '" + code + "'") {
			break
		}
	}
	b.follow(".hb-filter button[type=submit]")
	b.tabTo("button[popovertarget=views]")
	b.press(kb.Enter)
	b.until("views open", "document.querySelector('#views:popover-open')")
	b.tabTo("#view-name")
	b.press("My customer")
	b.follow("#views form button[type=submit]")
	b.open("/o/GUANGZHU/dashboards/expenditure") // on another day
	b.tabTo("button[popovertarget=views]")
	b.press(kb.Enter)
	b.until("views open", "document.querySelector('#views:popover-open')")
	b.follow("#views a[href*='customer=" + code + "']")
	if !b.truth("document.querySelector('#q-customer').value === '"+code+"'") || !b.truth("document.querySelector('"+strings.ReplaceAll(figure, "'", `"`)+"')") {
		t.Errorf("the view leads to %s", b.where())
	}
	b.quiet("a manager's day")
}

// testRegistering: a partner's manager files a registration, the vendor approves it, and the manager sees so.
func testRegistering(t *testing.T, w *world, browser context.Context) {
	b := newTab(t, browser, w.url, desk)
	b.signIn(w.signIn(t, "qiheng-manager"))
	b.open("/o/QIHENG")
	b.jump("t", "/o/QIHENG/prospects")
	b.follow("main a[href$='/prospects/new']")
	for _, field := range [][2]string{{"#f-name", "Cedar Works"}, {"#f-phone", "13912345678"}, {"#f-industry", "machines"}} {
		b.tabTo(field[0])
		b.press(field[1])
	}
	b.follow("button[name=do][value=submit]")
	b.open("/o/QIHENG/prospects")
	b.follow("#list-prospects tbody th a")
	mine := b.where()
	before := b.text(".hb-head .hb-status")

	v := newTab(t, browser, w.url, desk)
	v.signIn(w.signIn(t, "hengluo-operations"))
	v.open("/o/HENGLUO")
	area := value[string](v, "document.querySelector('.hb-mega a[href$=\"/registrations\"]').closest('.hb-mega').id")
	v.tabTo("button[popovertarget=" + area + "]")
	v.press(kb.Enter)
	v.until("menu open", "document.querySelector('.hb-mega:popover-open')")
	v.follow(".hb-mega:popover-open a[href$='/registrations']")
	v.follow("#list-registrations tbody th a[href$='" + path.Base(mine) + "']")
	v.tabTo("[data-open=do-approve-dialog]")
	v.press(kb.Enter)
	v.until("the question", "document.querySelector('#do-approve-dialog[open]')")
	v.follow("#do-approve-dialog button.btn-primary")
	v.quiet("a registration approved")

	b.run(chromedp.Reload())
	if after := b.text(".hb-head .hb-status"); after == before || after == "" {
		t.Errorf("after the approval the registration is %q, before it was %q", after, before)
	}
	b.quiet("a registration")
}

// testStatementRead: a customer opens its newest statement from the first page, on a phone, and takes the PDF.
func testStatementRead(t *testing.T, w *world, tabs context.Context) {
	b := newTab(t, tabs, w.url, phone)
	b.signIn(w.signIn(t, "yuqiao-admin"))
	b.open("/o/YUQIAO")
	b.clean("a customer's first page")
	const newest = "main table a[href*='/billing/statements/']"
	total := value[string](b, "document.querySelector(\""+newest+"\").closest('tr').querySelector('.m').innerText.trim()")
	b.follow(newest)
	if text := b.text("main"); total == "" || !strings.Contains(text, total) {
		t.Errorf("%s is not on the statement: %s", total, text)
	}
	b.clean("a customer's statement")
	folder := t.TempDir()
	info, err := chromedp.Call(b.ctx, target.GetTargetInfo, target.GetTargetInfoParams{})
	if err != nil {
		t.Fatal(err)
	}
	b.must(chromedp.Call(b.ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorAllow, BrowserContextID: info.TargetInfo.BrowserContextID, DownloadPath: folder}))
	b.tabTo("main a[href$='/pdf']")
	b.press(kb.Enter)
	var body []byte
	for end := time.Now().Add(time.Minute); len(body) == 0; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("no PDF is downloaded")
		}
		if found, _ := filepath.Glob(filepath.Join(folder, "*.pdf")); len(found) > 0 {
			if body, err = os.ReadFile(found[0]); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !bytes.HasPrefix(body, []byte("%PDF-")) {
		t.Errorf("the file begins with %q", body[:min(8, len(body))])
	}
	b.quiet("a customer's statement")
}
