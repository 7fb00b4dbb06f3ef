package e2e

import (
	"context"
	"fmt"
	"html/template"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"huoban/internal/app"
)

// sheetVar names the folder of the contact sheets (make sheet).
const sheetVar = "PORTAL_TEST_SHEET"

// sheetMost is how large a sheet may be, and sheetPages what stands on it.
const sheetMost = 400 << 10

var sheetPages = []struct{ name, who, path string }{
	{"主页 (manager)", "guangzhu-manager", "/o/GUANGZHU"},
	{"客户拓展", "qiheng-admin", "/o/QIHENG/prospects"},
	{"客户管理", "qiheng-admin", "/o/QIHENG/customers"},
	{"设置标签", "qiheng-admin", "/o/QIHENG/customers/labels"},
	{"客户分配", "qiheng-admin", "/o/QIHENG/assignments"},
	{"关联关系操作记录", "qiheng-admin", "/o/QIHENG/associations"},
	{"消费汇总", "qiheng-admin", "/o/QIHENG/expenditure"},
	{"消费明细", "qiheng-admin", "/o/QIHENG/expenditure/lines"},
	{"月结95峰值", "qiheng-admin", "/o/QIHENG/peaks"},
	{"客户对账单", "qiheng-admin", "/o/QIHENG/statements"},
	{"对账比对", "qiheng-admin", ""},
	{"客户看板", "guangzhu-admin", "/o/GUANGZHU/dashboards/customers"},
	{"消费看板", "qiheng-admin", "/o/QIHENG/dashboards/expenditure"},
	{"消费趋势", "qiheng-admin", "/o/QIHENG/dashboards/expenditure?tab=trend"},
	{"异常", "qiheng-admin", "/o/QIHENG/dashboards/expenditure/anomalies"},
	{"预测", "qiheng-admin", "/o/QIHENG/dashboards/expenditure/forecast"},
	{"组织成员", "qiheng-admin", "/o/QIHENG/members"},
	{"角色", "qiheng-admin", "/o/QIHENG/roles"},
	{"基本信息", "guangzhu-admin", "/o/GUANGZHU/profile"},
	{"消息", "qiheng-admin", "/o/QIHENG/messages"},
	{"报备审核 (vendor)", "hengluo-operations", "/o/HENGLUO/registrations"},
	{"主页 (customer)", "yuqiao-admin", "/o/YUQIAO"},
	{"对账单 (customer)", "yuqiao-admin", "/o/YUQIAO/billing/statements"},
	{"我的合作伙伴 (customer)", "yuqiao-admin", "/o/YUQIAO/partner"},
	{"邀请 (public)", "", "invite"},
	{"伙伴查询 (public)", "", "/partners"},
}

// thumb is the upper part of a page, made small.
func (b *tab) thumb(width int) []byte {
	b.t.Helper()
	quality, high, scale := int64(85), 980.0, 0.21
	if width == phone {
		high, scale = 760, 0.36
	}
	r, err := chromedp.Call(b.ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatJpeg, Quality: &quality,
		Clip: &page.Viewport{Width: float64(width), Height: high, Scale: scale}})
	if err != nil {
		b.t.Fatal(err)
	}
	return r.Data
}

// sheetRow is a page in the four guises of a width; a thumb is the address of its picture.
type sheetRow struct {
	Name   string
	Thumbs []string
}

var sheetHTML = template.Must(template.New("").Parse(`<!DOCTYPE html><meta charset="utf-8"><style>
body{margin:10px;font:12px/16px sans-serif;background:#e9edef;display:grid;grid-template-columns:repeat({{.Across}},max-content);gap:8px 14px}
h1{grid-column:1/-1;margin:0;font-size:15px}h2{margin:0 0 2px;font-size:12px;font-weight:600}div{display:flex;gap:3px}img{border:1px solid #c3ccd1}</style>
<h1>{{.Title}}</h1>{{range .Rows}}<section><h2>{{.Name}}</h2><div>{{range .Thumbs}}<img src="{{.}}">{{end}}</div></section>{{end}}`))

// bindSheet lays rows of thumbs out on one picture, no larger than it may be.
func bindSheet(t *testing.T, browser context.Context, file, title string, across int, rows []sheetRow, pictures map[string][]byte) {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body := pictures[strings.TrimPrefix(r.URL.Path, "/")]; body != nil {
			_, _ = w.Write(body)
			return
		}
		if err := sheetHTML.Execute(w, map[string]any{"Title": title, "Across": across, "Rows": rows}); err != nil {
			t.Error(err)
		}
	}))
	defer srv.Close()
	b := newTab(t, browser, srv.URL, desk)
	b.open("/")
	size := value[[]float64](b, "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
	beyond := true
	for quality := int64(75); quality > 10; quality -= 5 {
		r, err := chromedp.Call(b.ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatWebp, Quality: &quality,
			CaptureBeyondViewport: &beyond, Clip: &page.Viewport{Width: size[0], Height: size[1], Scale: 1}})
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Data) <= sheetMost {
			if err := os.WriteFile(file, r.Data, 0o644); err != nil {
				t.Fatal(err)
			}
			t.Logf("%s: %.0f × %.0f, %d KB at quality %d", file, size[0], size[1], len(r.Data)>>10, quality)
			return
		}
	}
	t.Errorf("%s does not get below %d bytes", file, sheetMost)
}

// contactSheets pictures the main pages of customers, managers and dashboards in both languages, themes and widths: a
// sheet for each width.
func contactSheets(t *testing.T, browser context.Context, folder string) {
	w := demoWorld(t, app.DemoSize{})
	compared := w.compare(t, w.signIn(t, "qiheng-admin"), "QIHENG")
	invite := w.generalLink(t, "qiheng-admin")
	for _, width := range []int{desk, phone} {
		rows, pictures := make([]sheetRow, len(sheetPages)), map[string][]byte{}
		for _, g := range guises {
			if g.width != width {
				continue
			}
			tabs := map[string]*tab{}
			for i, p := range sheetPages {
				b := tabs[p.who]
				if b == nil {
					b = newTab(t, browser, w.url, width)
					b.signIn(w.signedInAs(t, p.who, g))
					tabs[p.who] = b
				}
				at := p.path
				switch at {
				case "":
					at = compared
				case "invite":
					at = invite
				}
				b.open(at)
				if status := b.status(); status != http.StatusOK {
					t.Errorf("%s: %d", at, status)
				}
				b.fits(p.name)
				name := fmt.Sprint(i, "-", len(rows[i].Thumbs), ".jpg")
				rows[i].Name, pictures[name], rows[i].Thumbs = p.name, b.thumb(width), append(rows[i].Thumbs, name)
			}
		}
		across := 1
		if width == phone {
			across = 3
		}
		bindSheet(t, browser, filepath.Join(folder, fmt.Sprint("pages-", width, ".webp")),
			fmt.Sprint(width, " px: 简体中文 light, dark · English light, dark"), across, rows, pictures)
	}
}
