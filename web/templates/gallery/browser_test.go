package gallery

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"huoban/internal/i18n"
)

const axePath = "../../../internal/e2e/testdata/axe/axe.min.js"

// browser starts a headless Chromium. Without one the test is skipped, except where CI=true promises it.
func browser(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("no Chromium found although CI=true")
		}
		t.Skip("no Chromium found")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU)
	alloc, cancel := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 8*time.Minute)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	return ctx
}

type finding struct {
	ID    string   `json:"id"`
	Help  string   `json:"help"`
	Nodes []string `json:"nodes"`
}

const runAxe = `axe.run(document, {resultTypes: ['violations']}).then(r => JSON.stringify(
	r.violations.map(v => ({id: v.id, help: v.help, nodes: v.nodes.slice(0, 4).map(n => n.target.join(' ') + ' :: ' + (n.any[0]?.message || n.failureSummary))}))))`

// TestPagesAreAccessible runs axe over every page in light and dark, wide and narrow, and looks for
// reports of the content security policy and for pages that scroll sideways. With PORTAL_SHOTS set to
// a folder it leaves pictures there.
func TestPagesAreAccessible(t *testing.T) {
	ctx := browser(t)
	axe, err := os.ReadFile(axePath)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(Handler())
	t.Cleanup(srv.Close)
	complaints := listen(ctx)
	for _, e := range Entries() {
		for _, theme := range []string{"light", "dark"} {
			for _, width := range []int64{1440, 390} {
				name := fmt.Sprintf("%s.%s.%d", e.Name, theme, width)
				t.Run(name, func(t *testing.T) {
					lang := i18n.ZhCN
					if theme == "dark" {
						lang = i18n.En
					}
					complaints()
					url := fmt.Sprintf("%s/%s?theme=%s&lang=%s", srv.URL, e.Name, theme, lang)
					if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 900), chromedp.Navigate(url)); err != nil {
						t.Fatal(err)
					}
					shoot(t, ctx, name)
					wide, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.documentElement.scrollWidth > innerWidth`))
					if err != nil {
						t.Fatal(err)
					}
					raw, err := chromedp.Run(ctx, chromedp.Evaluate[string](string(axe)+";"+runAxe, chromedp.EvalAwaitPromise))
					if err != nil {
						t.Fatal(err)
					}
					var found []finding
					if err := json.Unmarshal([]byte(raw), &found); err != nil {
						t.Fatal(err)
					}
					for _, f := range found {
						t.Errorf("%s: %s: %q", f.ID, f.Help, f.Nodes)
					}
					if wide {
						t.Error("the page scrolls sideways")
					}
					for _, c := range complaints() {
						t.Errorf("console: %s", c)
					}
				})
			}
		}
	}
}

// listen gathers what the browser complains of; each call gives what came since the one before.
func listen(ctx context.Context) func() []string {
	var mu sync.Mutex
	var seen []string
	messages := chromedp.Console(ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			if m.Type == chromedp.ConsoleError || m.Type == chromedp.ConsoleException {
				mu.Lock()
				seen = append(seen, m.String())
				mu.Unlock()
			}
		}
	}()
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		out := seen
		seen = nil
		return out
	}
}

func shoot(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	dir := os.Getenv("PORTAL_SHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestOpenedPartsAreAccessible opens every menu, popover and dialog and runs axe over each.
func TestOpenedPartsAreAccessible(t *testing.T) {
	ctx := browser(t)
	axe, err := os.ReadFile(axePath)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(Handler())
	t.Cleanup(srv.Close)
	for _, name := range []string{"bill", "bill-lines", "delivery", "close"} {
		for _, theme := range []string{"light", "dark"} {
			for _, width := range []int64{1440, 390} {
				url := fmt.Sprintf("%s/%s?theme=%s&lang=en", srv.URL, name, theme)
				if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 900), chromedp.Navigate(url)); err != nil {
					t.Fatal(err)
				}
				ids, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](`[...document.querySelectorAll('[popover], dialog')].map(x => x.id)`))
				if err != nil {
					t.Fatal(err)
				}
				if len(ids) < 4 {
					t.Fatalf("%s has only %v to open", name, ids)
				}
				for _, id := range ids {
					t.Run(fmt.Sprintf("%s.%s.%s.%d", name, id, theme, width), func(t *testing.T) { openAndCheck(t, ctx, string(axe), id, name, theme, width) })
				}
			}
		}
	}
}

func openAndCheck(t *testing.T, ctx context.Context, axe, id, name, theme string, width int64) {
	// opened by its own button, because that is what it is placed by
	open := fmt.Sprintf(`(() => { const x = document.getElementById(%[1]q);
		const b = [...document.querySelectorAll('[popovertarget="%[1]s"], [commandfor="%[1]s"]:not([data-close])')].find(b => b.checkVisibility());
		if (x.matches('dialog')) x.showModal(); else if (b) b.click(); else return 'hidden';
		const r = x.getBoundingClientRect(); return r.left >= -1 && r.right <= innerWidth + 1 && r.width > 40 ? 'inside' : 'outside'; })()`, id)
	where, err := chromedp.Run(ctx, chromedp.Evaluate[string](open))
	if err != nil {
		t.Fatal(err)
	}
	if where == "hidden" {
		return // folded away at this width
	}
	if where != "inside" {
		t.Error("it does not stand within the window")
	}
	shoot(t, ctx, fmt.Sprintf("open.%s.%s.%s.%d", name, id, theme, width))
	raw, err := chromedp.Run(ctx, chromedp.Evaluate[string](axe+";"+runAxe, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	if raw != "[]" {
		t.Error(raw)
	}
	shut := fmt.Sprintf(`(() => { const x = document.getElementById(%q); x.matches('dialog') ? x.close() : x.hidePopover(); })()`, id)
	if err := chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](shut)); err != nil {
		t.Fatal(err)
	}
}

// TestKeyboardAlone uses the keys a person without a mouse has.
func TestKeyboardAlone(t *testing.T) {
	ctx, cancel := context.WithTimeout(browser(t), 45*time.Second)
	t.Cleanup(cancel)
	srv := httptest.NewServer(Handler())
	t.Cleanup(srv.Close)
	is := func(what, expression string) {
		t.Helper()
		got, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expression))
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if !got {
			t.Errorf("%s: not so", what)
		}
	}
	eventually := func(what, expression string) {
		t.Helper()
		for range 50 {
			got, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expression))
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			if got {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
		t.Errorf("%s: not so after five seconds", what)
	}
	press := func(keys string) {
		t.Helper()
		if err := chromedp.Do(ctx, chromedp.KeyEvent(keys)); err != nil {
			t.Fatal(err)
		}
	}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1440, 900), chromedp.Navigate(srv.URL+"/bill-lines?theme=light&lang=en")); err != nil {
		t.Fatal(err)
	}
	press("\t")
	is("the first stop skips to the content", `document.activeElement.matches('.hb-skip')`)
	press("?")
	is("? lists the shortcuts", `document.getElementById('keys').open`)
	press("\x1b")
	is("Esc closes the list", `!document.getElementById('keys').open`)
	away := func() {
		t.Helper()
		if err := chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](`document.activeElement.blur()`)); err != nil {
			t.Fatal(err)
		}
	}
	press("f")
	is("f goes to the filter", `document.activeElement.id === 'q-customer'`)
	if err := chromedp.Do(ctx, chromedp.KeyEvent("k", chromedp.KeyModifiers(chromedp.ModifierCtrl))); err != nil {
		t.Fatal(err)
	}
	is("Ctrl-K goes to the page search, even from a field", `document.activeElement.matches('[data-search]')`)
	away()
	press("/")
	is("/ goes to the page search", `document.activeElement.matches('[data-search]')`)
	away()
	press("j")
	press("j")
	is("j j stands on the second row", `document.activeElement.closest('tr').id === 'line-2'`)
	press("k")
	is("k goes back", `document.activeElement.closest('tr').id === 'line-1'`)
	is("the list is marked, to see it replaced", `(document.querySelector('#lines').dataset.old = '1') === '1'`)
	is("what is focused is in view", `(() => { const r = document.activeElement.getBoundingClientRect(); return r.top >= 52 && r.bottom <= innerHeight; })()`)
	press("\r")
	eventually("Enter asks for why and keeps its place", `document.querySelector('#lines').dataset.old !== '1' && document.activeElement.closest('tr')?.id === 'line-1'`)
	press("e")
	is("e opens the export", `document.getElementById('export').matches(':popover-open')`)
	// the browser tells of an opened popover a moment after it opened
	if err := chromedp.Do(ctx, chromedp.WaitVisible(`[popovertarget=export][aria-expanded=true]`)); err != nil {
		t.Fatalf("its button does not say that it is open: %v", err)
	}
	press("\x1b")
	if err := chromedp.Do(ctx, chromedp.Click(`.hb-tools > [data-theme-form] button`)); err != nil {
		t.Fatal(err)
	}
	is("the theme turns at once", `document.documentElement.dataset.bsTheme === 'dark'`)
	is("no opened row lost its why", `document.querySelectorAll('.hb-why').length === 1`)
}
