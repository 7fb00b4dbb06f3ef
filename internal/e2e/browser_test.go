package e2e

import (
	"context"
	_ "embed"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

//go:embed testdata/axe/axe.min.js
var axeSource string

// The two widths of the design: a desk and a phone.
const (
	desk  = 1440
	phone = 390
)

// chromium starts a browser, or leaves the test out where there is none and nobody insists.
func chromium(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("no Chromium: CI must run the browser tests")
		}
		t.Skip("no Chromium (make test installs it)")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("lang", "zh-CN"), chromedp.Flag("accept-lang", "zh-CN"), chromedp.Flag("force-prefers-reduced-motion", true))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("Chromium does not start: %v", err)
	}
	return ctx
}

// tab is one tab of the browser and what went wrong in it.
type tab struct {
	t    *testing.T
	ctx  context.Context
	base string

	mu       sync.Mutex
	troubles []string
}

// newTab opens a tab with cookies of its own that watches its console and its requests.
func newTab(t *testing.T, browser context.Context, base string, width int) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	b := &tab{t: t, ctx: ctx, base: base}
	if err := chromedp.Listen(ctx, b.watch); err != nil {
		t.Fatal(err)
	}
	b.must(chromedp.Call(ctx, log.Enable, cdp.Empty{}))
	b.must(chromedp.Call(ctx, network.Enable, network.EnableParams{}))
	b.width(width)
	return b
}

func (b *tab) watch(event any) {
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.trouble("script failed: " + e.ExceptionDetails.Text + " " + e.ExceptionDetails.URL)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			b.trouble(fmt.Sprintf("console: %s", e.Args[0].Value))
		}
	case *log.EventEntryAdded:
		// An error page is an answer with that status; the browser notes it as if a file were missing.
		page := e.Entry.Source == log.EntrySourceNetwork && !strings.Contains(e.Entry.URL, "/static/")
		if e.Entry.Level == log.EntryLevelError && !page {
			b.trouble("console: " + e.Entry.Text + " " + e.Entry.URL)
		}
	case *network.EventLoadingFailed:
		if !e.Canceled {
			b.trouble("a request failed: " + e.ErrorText + " " + string(e.BlockedReason))
		}
	case *network.EventResponseReceived:
		if u := e.Response.URL; e.Response.Status >= 400 && strings.HasPrefix(u, b.base+"/static/") {
			b.trouble(fmt.Sprintf("%s answers %d", u, e.Response.Status))
		}
	case *network.EventRequestWillBeSent:
		if u := e.Request.URL; !strings.HasPrefix(u, b.base+"/") && !strings.HasPrefix(u, "data:") {
			b.trouble("a request leaves the host: " + u)
		}
	}
}

func (b *tab) trouble(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.troubles = append(b.troubles, text)
}

// quiet reports what went wrong since the last time.
func (b *tab) quiet(where string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, text := range b.troubles {
		b.t.Errorf("%s: %s", where, text)
	}
	b.troubles = nil
}

func (b *tab) must(_ cdp.Empty, err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *tab) run(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.t.Fatalf("at %s: %v", b.where(), err)
	}
}

// status is what the page was answered with.
func (b *tab) status() int {
	b.t.Helper()
	return value[int](b, "performance.getEntriesByType('navigation')[0].responseStatus")
}

// unfold opens everything a page folds away.
func (b *tab) unfold() {
	b.t.Helper()
	b.truth("(() => { for (const d of document.querySelectorAll('main details')) d.open = true; return true; })()")
	b.until("unfolded", "!document.querySelector('.htmx-request, .htmx-settling')")
}

func (b *tab) where() string {
	address, err := chromedp.Run(b.ctx, chromedp.Location())
	if err != nil {
		return err.Error()
	}
	return strings.TrimPrefix(address, b.base)
}

func (b *tab) width(px int) {
	b.t.Helper()
	height := int64(900)
	if px == phone {
		height = 844
	}
	b.must(chromedp.Call(b.ctx, emulation.SetDeviceMetricsOverride,
		emulation.SetDeviceMetricsOverrideParams{Width: int64(px), Height: height, DeviceScaleFactor: 1, Mobile: px == phone}))
}

func (b *tab) open(path string) {
	b.t.Helper()
	b.run(chromedp.Navigate(b.base + path))
}

// value evaluates a script; a promise is awaited.
func value[T any](b *tab, script string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("at %s: %v", b.where(), err)
	}
	return v
}

func (b *tab) truth(script string) bool {
	b.t.Helper()
	return value[bool](b, "!!("+script+")")
}

func (b *tab) text(selector string) string {
	b.t.Helper()
	return value[string](b, fmt.Sprintf("(document.querySelector(%q) || {innerText: ''}).innerText", selector))
}

// until waits for something to become true; how long only bounds a test that fails.
func (b *tab) until(what, script string) {
	b.t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		yes, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("!!("+script+")")) // fails while a page goes
		if err == nil && yes {
			return
		}
	}
	b.shot("never-" + what)
	b.t.Fatalf("never: %s, at %s", what, b.where())
}

// signIn takes the session of a client that signed in over HTTP.
func (b *tab) signIn(c *client) {
	b.t.Helper()
	u, err := url.Parse(b.base)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, k := range c.http.Jar.Cookies(u) {
		if _, err := chromedp.Call(b.ctx, network.SetCookie, network.SetCookieParams{Name: k.Name, Value: k.Value, URL: b.base}); err != nil {
			b.t.Fatal(err)
		}
	}
}

// ----- keyboard -----

func (b *tab) press(keys ...string) {
	b.t.Helper()
	for _, k := range keys {
		b.run(chromedp.KeyEvent(k))
	}
}

// tabTo presses Tab until the element has the focus, as somebody without a mouse does.
func (b *tab) tabTo(selector string) {
	b.t.Helper()
	for range 150 {
		b.press(kb.Tab)
		if b.truth(fmt.Sprintf("document.activeElement.matches(%q)", selector)) {
			if !b.truth(focusSeen) {
				b.t.Errorf("at %s the focus on %s does not show", b.where(), selector)
			}
			return
		}
	}
	b.shot("no-focus")
	b.t.Fatalf("Tab never reaches %s at %s", selector, b.where())
}

// focusSeen: the focused element is on the screen and its outline or shadow shows.
const focusSeen = `(() => {
  const e = document.activeElement, r = e.getBoundingClientRect(), s = getComputedStyle(e);
  const onScreen = r.width > 0 && r.height > 0 && r.bottom > 0 && r.top < innerHeight && r.right > 0 && r.left < innerWidth;
  return onScreen && ((s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0) || s.boxShadow !== 'none');
})()`

// follow presses Enter on a link or button and waits for the page it leads to, whole or swapped in.
func (b *tab) follow(selector string) {
	b.t.Helper()
	b.tabTo(selector)
	b.truth("window.stays = location.href")
	b.press(kb.Enter)
	b.until("a page after "+selector, "window.stays !== location.href && document.readyState === 'complete' && !document.querySelector('.htmx-request, .htmx-settling')")
}

// ----- what every page must be -----

type violation struct {
	ID    string
	Help  string
	Nodes []struct {
		HTML   string
		Target []any
	}
}

// axe runs every rule of axe-core on the page as it stands, or on a part of it.
func (b *tab) axe(where, part string) {
	b.t.Helper()
	if !b.truth("window.axe") {
		b.truth("(() => {" + axeSource + "; return true; })()")
	}
	found := value[[]violation](b, fmt.Sprintf(`axe.run(%s, {resultTypes: ['violations']}).then(r => r.violations.map(v => ({ID: v.id, Help: v.help,
		Nodes: v.nodes.slice(0, 3).map(n => ({HTML: n.html.slice(0, 240), Target: n.target}))})))`, part))
	for _, v := range found {
		for _, n := range v.Nodes {
			b.t.Errorf("%s: axe %s (%s): %v %s", where, v.ID, v.Help, n.Target, n.HTML)
		}
	}
}

// fits: the page itself never scrolls sideways.
func (b *tab) fits(where string) {
	b.t.Helper()
	wide := value[string](b, `(() => {
		const w = document.documentElement.clientWidth;
		if (document.documentElement.scrollWidth <= w && document.body.scrollWidth <= w) return '';
		const out = [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > w + 1 && !e.closest('.hb-scroll, .hb-tabs, svg, [popover]:not(:popover-open), dialog:not([open])'));
		return document.documentElement.scrollWidth + ' px of ' + w + ': ' + out.slice(0, 3).map(e => e.outerHTML.slice(0, 120)).join(' | ');
	})()`)
	if wide != "" {
		b.t.Errorf("%s: wider than the screen: %s", where, wide)
	}
	over := value[string](b, `(() => {
		const edge = Math.min(...[...document.querySelectorAll('.hb-tools > *')].filter(e => e.checkVisibility()).map(e => e.getBoundingClientRect().left));
		const areas = [...document.querySelectorAll('.hb-nav > *')].filter(e => e.checkVisibility() && e.getBoundingClientRect().right > edge + 1);
		const cards = innerWidth > 640 ? [] : [...document.querySelectorAll('.hb-table.cards tr')].filter(r => r.querySelectorAll(':scope > td.m').length > 1);
		return [...areas, ...cards].slice(0, 3).map(e => e.outerHTML.slice(0, 160)).join(' | ');
	})()`)
	if over != "" {
		b.t.Errorf("%s: lies over its neighbour: %s", where, over)
	}
}

var keyShape = regexp.MustCompile(`\b(account|backoffice|bills|billview|close|errview|exports|exportview|fault|homeview|layout|message|nav|ops|opsview|part|portal|signview)\.[a-z_]+(\.[a-z_]+)*\b`)

// worded: no key of the catalogue and no empty template stands on the page, and the language is told.
func (b *tab) worded(where, lang string) {
	b.t.Helper()
	text := value[string](b, "document.body.innerText + ' ' + document.title + ' ' + [...document.querySelectorAll('[aria-label],[title],[placeholder]')].map(e => [e.ariaLabel, e.title, e.placeholder].join(' ')).join(' ')")
	for _, word := range append(keyShape.FindAllString(text, 5), regexp.MustCompile(`<no value>|%![a-z]\(|\{\{|undefined|NaN`).FindAllString(text, 5)...) {
		if strings.HasSuffix(word, ".css") || strings.HasSuffix(word, ".csv") {
			continue
		}
		b.t.Errorf("%s: %q stands in the text", where, word)
	}
	if told := value[string](b, "document.documentElement.lang"); told != lang {
		b.t.Errorf("%s: lang is %q, want %q", where, told, lang)
	}
}

// shot keeps a picture of what a failing test sees, when a folder for pictures is named.
func (b *tab) shot(name string) {
	folder := os.Getenv(shotsVar)
	if folder == "" {
		return
	}
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Logf("no picture of %s: %v", name, err)
		return
	}
	if err := os.WriteFile(filepath.Join(folder, notInName.ReplaceAllString(name, "-")+".png"), png, 0o600); err != nil {
		b.t.Log(err)
	}
}
