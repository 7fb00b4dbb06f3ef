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
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
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
