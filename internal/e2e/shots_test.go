package e2e

import (
	"fmt"
	"html/template"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"huoban/internal/app"
	"huoban/web/templates/gallery"
)

// shotsVar names the folder of the pictures (make shots).
const shotsVar = "PORTAL_TEST_SHOTS"

// guises are all there are.
var guises = []guise{
	{"zh-CN", desk, "light"}, {"zh-CN", desk, "dark"}, {"en", desk, "light"}, {"en", desk, "dark"},
	{"zh-CN", phone, "light"}, {"zh-CN", phone, "dark"}, {"en", phone, "light"}, {"en", phone, "dark"},
}

// album is a folder of pictures and their table of contents.
type album struct {
	folder string
	mu     sync.Mutex
	rows   map[string]map[string]string // by what is shown and guise
}

var notInName = regexp.MustCompile(`[^a-zA-Z0-9.]+`)

// whole is a picture of the whole page. JPEG, because losslessly the pictures take most of the time.
func (b *tab) whole() ([]byte, error) {
	size := value[[]float64](b, "[document.documentElement.clientWidth, Math.max(document.documentElement.scrollHeight, innerHeight)]")
	quality, fast, beyond := int64(80), true, true
	r, err := chromedp.Call(b.ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatJpeg, Quality: &quality, OptimizeForSpeed: &fast,
		CaptureBeyondViewport: &beyond, Clip: &page.Viewport{Width: size[0], Height: size[1], Scale: 1}})
	return r.Data, err
}

// take makes a picture of the whole page as it stands.
func (a *album) take(b *tab, what string, g guise) {
	b.t.Helper()
	picture, err := b.whole()
	if err != nil {
		b.t.Errorf("no picture of %s: %v", what, err)
		return
	}
	folder := notInName.ReplaceAllString(g.String(), "-")
	name := strings.Trim(notInName.ReplaceAllString(what, "-"), "-")
	file := filepath.Join(folder, name[:min(len(name), 120)]+".jpg")
	a.mu.Lock()
	if a.rows[what] == nil {
		a.rows[what] = map[string]string{}
	}
	a.rows[what][g.String()] = file
	a.mu.Unlock()
	if err := os.MkdirAll(filepath.Join(a.folder, folder), 0o750); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(a.folder, file), picture, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

var contents = template.Must(template.New("").Parse(`<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Pages</title>
<style>body{font:13px sans-serif}td,th{vertical-align:top;text-align:left;padding:4px}img{max-height:180px;max-width:240px;border:1px solid #ccc}</style>
<table><tr><th></th>{{range .Guises}}<th>{{.}}</th>{{end}}</tr>
{{range .Rows}}{{$files := .Files}}<tr><th>{{.What}}</th>{{range $.Guises}}<td>{{with index $files .}}<a href="{{.}}"><img loading="lazy" alt="" src="{{.}}"></a>{{end}}</td>{{end}}</tr>
{{end}}</table></html>
`))

// bind writes the table of contents.
func (a *album) bind(t *testing.T) {
	t.Helper()
	type row struct {
		What  string
		Files map[string]string
	}
	shown := struct {
		Guises []string
		Rows   []row
	}{}
	for _, g := range guises {
		shown.Guises = append(shown.Guises, g.String())
	}
	for _, what := range sorted(a.rows) {
		shown.Rows = append(shown.Rows, row{what, a.rows[what]})
	}
	f, err := os.Create(filepath.Join(a.folder, "index.html"))
	if err == nil {
		err = contents.Execute(f, shown)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestShots makes a picture of every page for every kind of actor, in both widths, languages and themes,
// and looks for what a picture would show: a page wider than the screen, a bare key, a failed request, an
// error in the console. The first actor who sees a page is pictured in all eight, the others in one. Without
// a folder to keep them it only shows that the pictures can be made: the sample pages, in two of the eight.
func TestShots(t *testing.T) {
	browser := chromium(t)
	if folder := os.Getenv(sheetVar); folder != "" {
		contactSheets(t, browser, folder)
		return
	}
	folder := os.Getenv(shotsVar)
	if folder == "" {
		a := &album{folder: t.TempDir(), rows: map[string]map[string]string{}}
		(&survey{browser: browser}).gallery(t, a, []guise{guises[0], guises[7]})
		a.bind(t)
		b := newTab(t, browser, "data:,", phone)
		bindSheet(t, browser, filepath.Join(a.folder, "sheet.webp"), "none", 1, []sheetRow{{"blank", []string{"x"}}}, map[string][]byte{"x": b.thumb(phone)})
		return
	}
	w := demoWorld(t, app.DemoSize{})
	a := &album{folder: folder, rows: map[string]map[string]string{}}
	t.Run("tour", func(t *testing.T) { testTour(t, w, browser) })
	enrolSecond(t, w)
	delivered := deliverMore(t, w)
	v := newSurvey(w, browser)
	v.at = func(b *tab, s stop, g guise) {
		a.take(b, s.title(), g)
		b.axe(s.told(g), "document")
	}
	v.inside = func(b *tab, s stop, g guise, id string) {
		a.take(b, s.title()+" with "+id, g)
		b.axe(s.told(g)+" with "+id, "'#"+id+"'")
	}
	for _, round := range rounds(guises) {
		t.Run("import "+round[0].String(), func(t *testing.T) { v.importing(t, round) })
	}
	stops, pages := w.stopsOf(t, curated(t, w, delivered), w.cast())
	t.Run("pages", func(t *testing.T) { v.run(t, stops, guises) })
	t.Run("parts", func(t *testing.T) { v.gallery(t, a, guises) })
	v.complete(t, pages, guises)
	a.bind(t)
	t.Logf("%d pages and states, %s", len(a.rows), filepath.Join(folder, "index.html"))
}

// title names a stop in the album: who sees what.
func (s stop) title() string {
	if s.name != "" {
		return strings.TrimSpace(strings.Join([]string{s.route, s.name, s.who}, " "))
	}
	path := s.path
	if s.route != "" {
		path = s.route
		if _, query, ok := strings.Cut(s.path, "?"); ok && !s.once {
			path += " " + query
		}
	}
	return strings.TrimSpace(path + " " + s.who)
}

// gallery pictures the sample pages, which hold states that a running portal shows rarely.
func (v *survey) gallery(t *testing.T, a *album, in []guise) {
	srv := httptest.NewServer(gallery.Handler())
	t.Cleanup(srv.Close)
	for _, g := range in {
		t.Run(g.String(), func(t *testing.T) {
			b := newTab(t, v.browser, srv.URL, g.width)
			for _, e := range gallery.Entries() {
				where := "gallery " + e.Name
				b.open(fmt.Sprintf("/%s?lang=%s&theme=%s", e.Name, g.lang, g.theme))
				b.worded(where+" "+g.String(), g.lang)
				a.take(b, where, g)
				b.fits(where + " " + g.String())
				b.quiet(where + " " + g.String())
			}
		})
	}
}
