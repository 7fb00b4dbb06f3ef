package e2e

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"huoban/internal/audit"
	"huoban/internal/cycle"
	"huoban/internal/i18n"
	"huoban/internal/money"
)

// shownRow is a row of a list by the headings of its columns; an amount is written with all its decimals.
type shownRow map[string]string

// shownRows reads the list as it stands. The unit of a heading is left out.
func (b *tab) shownRows() []shownRow {
	b.t.Helper()
	return value[[]shownRow](b, `(() => {
		const heads = [...document.querySelectorAll('#lines thead th')].map(h => h.textContent.replace(/\s*\([A-Z]{3}\)\s*$/, '').trim());
		const text = c => (c.querySelector('[title]')?.title || c.textContent).trim();
		return [...document.querySelectorAll('#lines tbody tr:not(.why)')].map(r => Object.fromEntries([...r.cells].map((c, i) => [heads[i], text(c)])));
	})()`)
}

// filterBy chooses the option of a filter by the arrow keys and asks for the list; it gives the value.
func (b *tab) filterBy(name string) string {
	b.t.Helper()
	b.tabTo("#q-" + name)
	b.press(kb.ArrowDown)
	chosen := value[string](b, "document.activeElement.value")
	if chosen == "" {
		b.t.Fatalf("the arrow key chooses nothing for %s", name)
	}
	b.follow(".hb-filter button[type=submit]")
	if !strings.Contains(b.where(), name+"=") || !b.truth("document.querySelector('.hb-tool .hb-tag')") {
		b.t.Errorf("the filter by %s does not show: %s", name, b.where())
	}
	return chosen
}

// allRows turns every page of the list and gives its rows and the total of all.
func (b *tab) allRows() (rows []shownRow, total string) {
	b.t.Helper()
	const next = ".hb-pager .btn-list > a:last-child"
	for range 50 {
		rows = append(rows, b.shownRows()...)
		if !b.truth("document.querySelector('" + next + "')") {
			return rows, value[string](b, "(c => c.querySelector('[title]').title)([...document.querySelectorAll('#lines tfoot tr')].pop().cells[1])")
		}
		b.follow(next)
	}
	b.t.Fatal("the list has no end")
	return nil, ""
}

// export asks for a CSV from the page, waits for it in the records and gives what is downloaded.
func (b *tab) export() [][]string {
	b.t.Helper()
	folder := b.t.TempDir()
	info, err := chromedp.Call(b.ctx, target.GetTargetInfo, target.GetTargetInfoParams{})
	if err != nil {
		b.t.Fatal(err)
	}
	b.must(chromedp.Call(b.ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorAllow, BrowserContextID: info.TargetInfo.BrowserContextID, DownloadPath: folder}))
	b.tabTo("[data-shortcut=e]")
	b.press(kb.Enter)
	b.until("export menu", "document.querySelector('#export:popover-open')")
	b.follow("#export form:has(input[name=format][value=csv]) button")
	b.follow("main a[href$='/exports']")
	b.until("file", "document.querySelector('#exports tbody tr a[download]')")
	b.tabTo("#exports a[download]")
	b.press(kb.Enter)
	var found []string
	for end := time.Now().Add(time.Minute); len(found) == 0; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			b.t.Fatal("nothing is downloaded")
		}
		if found, err = filepath.Glob(filepath.Join(folder, "*.csv")); err != nil {
			b.t.Fatal(err)
		}
	}
	body, err := os.ReadFile(found[0])
	if err != nil {
		b.t.Fatal(err)
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))))
	r.FieldsPerRecord = -1
	all, err := r.ReadAll()
	if err != nil {
		b.t.Fatal(err)
	}
	return all
}

// compareFile holds every cell of the file against the row of the list, the file it was imported from, or
// what the address says of the bill.
func compareFile(t *testing.T, file [][]string, rows []shownRow, total string, bill map[string]string) {
	t.Helper()
	head, body := file[0], file[1:]
	end := slices.IndexFunc(body, func(r []string) bool { return slices.Contains(r, "合计") })
	if end != len(rows) {
		t.Fatalf("the file has %d rows, the list %d", end, len(rows))
	}
	_, original := sample(t, "samples/gcp-synth/sample_billing_data.csv")
	at := func(name string) int { return slices.Index(head, name) }
	for i, row := range body[:end] {
		var line int
		if _, err := fmt.Sscan(row[at("行号")], &line); err != nil || line < 2 || line-2 >= len(original) {
			t.Fatalf("row %d names line %q", i+1, row[at("行号")])
		}
		for k, cell := range row {
			cell = strings.TrimPrefix(strings.TrimSuffix(cell, "\t"), "'") // long numbers are kept as text this way
			if want, ok := cellOf(head[k], rows[i], bill); ok {
				if !alike(cell, want) {
					t.Errorf("row %d, %s: the file says %q, the list %q", i+1, head[k], cell, want)
				}
			} else if k != at("行号") && cell != "" && !slices.ContainsFunc(original[line-2], func(v string) bool { return alike(cell, v) }) {
				t.Errorf("row %d, %s: %q stands neither in the list nor in line %d of the imported file", i+1, head[k], cell, line)
			}
		}
	}
	if got := body[end][at("金额")]; !alike(got, total) {
		t.Errorf("the total is %q in the file and %q in the list", got, total)
	}
}

// cellOf says what the list shows for a column of the file.
func cellOf(column string, row shownRow, bill map[string]string) (string, bool) {
	if v, ok := bill[column]; ok {
		return v, true
	}
	if column == "消费开始" { // the list shows the hour of the portal, the file the instant
		at, err := time.ParseInLocation("2006-01-02 15:04", row["消费时间"], cycle.Zone)
		if err != nil {
			return err.Error(), true
		}
		return at.UTC().Format("2006-01-02T15:04"), true
	}
	if column == "舍入前金额" || column == "原始金额" {
		column = "基价" // nobody has a price of his own here, so that the factor is one
	}
	v, ok := row[column]
	return v, ok
}

// alike compares texts, and figures by value: the list groups digits and names the currency.
func alike(cell, shown string) bool {
	if cell == shown {
		return true
	}
	if a, err := time.Parse(time.RFC3339, cell); err == nil {
		b, err := time.Parse(time.RFC3339, shown)
		return err == nil && a.Equal(b) || err != nil && strings.HasPrefix(cell, shown) && shown != ""
	}
	plain := strings.NewReplacer(",", "", "−", "-", "$", "", "¥", "", "A", "", " ", "", i18n.Symbol("AUD"), "").Replace(shown)
	a, errA := money.ParseExact(cell)
	b, errB := money.ParseExact(plain)
	if errA != nil || errB != nil {
		return false
	}
	rounded, err := a.Amount() // the title of an amount has the eight decimals that are booked
	shownAs, wrong := b.Amount()
	return a.Equal(b) || err == nil && wrong == nil && rounded == shownAs
}

// revealed counts the rows of the audit that say somebody saw the names of a list.
func (w *world) revealed(t *testing.T, list string) int {
	t.Helper()
	seen, err := w.app.AuditStore.Before(t.Context(), "", true, audit.Filter{Action: "column.reveal", Object: "list:" + list}, math.MaxInt64, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return len(seen)
}

// testJourney filters a list, turns its pages, exports it, compares the file, and shows the masked names.
func (b *tab) testJourney(w *world) {
	t := b.t
	t.Helper()
	list := b.where()
	b.filterBy("kind")
	rows, total := b.allRows()
	if len(rows) < 21 {
		t.Errorf("only %d rows: nothing to turn", len(rows))
	}
	for _, r := range rows {
		if !strings.Contains(r["客户名称"], "***") {
			t.Fatalf("the name %q is not masked", r["客户名称"])
		}
	}
	file := b.export()
	bill := map[string]string{"伙伴": otherOrg, "账期": otherCycle, "来历": "导入明细", "来源": "qingyun-gcp", "文件": "sample_billing_data.csv",
		"云": "Google Cloud", "基价列": "账单金额", "价格类型": "普通"}
	bill["币种"], bill["签约主体"] = queryOf(t, list, "currency"), queryOf(t, list, "entity")
	compareFile(t, file, rows, total, bill)

	b.open(list) // as from the address bar
	before := w.revealed(t, "bill.lines")
	b.follow("main th form button")
	if b.truth("document.querySelector('#lines tbody').innerText.includes('***')") {
		t.Error("the names stay masked")
	}
	if n := w.revealed(t, "bill.lines") - before; n != 1 {
		t.Errorf("%d rows of the audit say that the names were shown", n)
	}
	b.open(list)
	b.quiet("journey")
}
