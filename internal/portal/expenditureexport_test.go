package portal_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"huoban/internal/account"
	"huoban/internal/money"
)

// consumedIn reads an expenditure file: what stands in its foot, and its rows.
func consumedIn(t *testing.T, rows [][]string, amountTitle, kindTitle string) (shown, [][]string) {
	t.Helper()
	amount, kind := slices.Index(rows[0], amountTitle), slices.Index(rows[0], kindTitle)
	if amount < 0 {
		t.Fatalf("columns %v", rows[0])
	}
	at := func(r []string, i int) string {
		if i < 0 || i >= len(r) {
			return ""
		}
		return r[i]
	}
	var s shown
	var lines [][]string
	sum := money.Exact{}
	for _, r := range rows[1:] {
		switch r[0] {
		case "合计":
			s.total = at(r, amount)
		case "行数合计":
			s.rows, _ = strconv.ParseInt(at(r, 1), 10, 64)
		case "校验码":
			s.code = at(r, 1)
		case "税额", "筛选条件":
		default:
			lines = append(lines, r)
			if at(r, kind) != "税" {
				sum = sum.Add(money.MustExact(digits(at(r, amount))))
			}
		}
	}
	if int64(len(lines)) != s.rows || !sum.Equal(money.MustExact(s.total)) {
		t.Errorf("%d rows of %s stand in the file, it says %d of %s", len(lines), sum, s.rows, s.total)
	}
	return s, lines
}

func TestConsumptionExportsEqualThePages(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		v := w.visitor("finance")
		for path, filters := range map[string][]string{
			"":       {"", "&customer=s2", "&kind=refund", "&product=VM", "&relation=resale&mode=on_demand"},
			"/lines": {"", "&zero=all", "&customer=s1&kind=consumption", "&kind=tax&zero=all", "&product=%3DHYPERLINK(1)"},
		} {
			for _, filter := range filters {
				name, sheet, amount, kind := path+filter, "消费汇总", "消费合计", ""
				if path != "" {
					sheet, amount, kind = "消费明细", "计费金额", "类型"
				}
				page := w.page(name, v.get("/o/MUSHI/expenditure"+path+"?cycle=2026-01"+filter), http.StatusOK)
				want := shownOn(page)
				if want.code == "" || want.total == "" || page.Find("#export form").Length() != 2 {
					t.Fatalf("%s: the page shows %+v and %d buttons", name, want, page.Find("#export form").Length())
				}
				csvTask, xlsxTask := v.ask(page, "csv"), v.ask(page, "xlsx")
				w.work()
				file := v.file("MUSHI", csvTask)
				if file.status != http.StatusOK || !strings.Contains(file.header.Get("Content-Disposition"), "expenditure-2026-01-USD") {
					t.Fatalf("%s: %d %v", name, file.status, file.header)
				}
				got, lines := consumedIn(t, csvOf(t, file.body), amount, kind)
				if !same(want, got) {
					t.Errorf("%s: page %+v, CSV %+v", name, want, got)
				}
				for _, cell := range slices.Concat(lines...) {
					if strings.HasPrefix(cell, "=") || strings.HasPrefix(cell, "@") || strings.Contains(cell, "客户s") {
						t.Errorf("%s: cell %q", name, cell)
					}
				}
				_, rows := xlsxOf(t, v.file("MUSHI", xlsxTask).body, sheet)
				if got, _ := consumedIn(t, rows, amount, kind); !same(want, got) {
					t.Errorf("%s: page %+v, XLSX %+v", name, want, got)
				}
			}
		}
	})
}

func TestAskingForAConsumptionFile(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		v := w.visitor("finance")
		page := w.page("lines", v.get("/o/MUSHI/expenditure/lines?cycle=2026-01&customer=s1"), http.StatusOK)
		f := formOf(t, page, "csv")
		r := v.post(f[len(f)-1], f[:len(f)-2]...)
		if r.status != http.StatusSeeOther || !strings.HasPrefix(r.location, "/o/MUSHI/expenditure/lines?") || !strings.Contains(r.location, "done=export") {
			t.Fatalf("%d %s", r.status, r.location)
		}
		if !strings.Contains(w.page("back", v.get(r.location), http.StatusOK).Find("[data-flash=good]").Text(), "导出任务创建成功") {
			t.Error("the page does not say that the task was made")
		}
		w.work()
		if text := v.both("/o/MUSHI/exports").Find("tbody").Text(); !strings.Contains(text, "客户消费明细") || !strings.Contains(text, "s1") || !strings.Contains(text, "已完成") {
			t.Errorf("the records say %s", text)
		}
		for query, want := range map[string]int{"list=expenditure&format=pdf&cycle=2026-01": 422, "list=expenditure&format=csv&cycle=2024-01": 422,
			"list=expenditure&format=csv&cycle=2026-01&customer=s9": 404, "list=expenditure.lines&format=csv&cycle=2026-01&manager=nobody": 404} {
			if r := v.post("/o/MUSHI/exports?" + query); r.status != want {
				t.Errorf("%s: %d, want %d", query, r.status, want)
			}
		}
		// A manager has expenditure and no bills; the vendor has bills and no such page.
		_, err := w.app.Accounts.AddPerson(t.Context(), operator, account.AddPersonInput{OrgCode: "MUSHI", Login: "seller", Roles: []string{account.RoleManager}, Password: password, KeepPassword: true})
		w.must(err)
		seller := w.visitor("seller")
		for query, want := range map[string]int{"list=bill&format=csv&cycle=2026-01": 403, "list=expenditure&format=csv&cycle=2026-01": 303} {
			if r := seller.post("/o/MUSHI/exports?" + query); r.status != want {
				t.Errorf("a manager asks %s: %d, want %d", query, r.status, want)
			}
		}
		if r := w.visitor("boss").post("/o/NOVA/exports?list=expenditure&format=csv&cycle=2026-01"); r.status != http.StatusNotFound {
			t.Errorf("the vendor: %d", r.status)
		}
	})
}

// TestAPageThatCannotBeShown: nothing was to be done, and the sentence stands there once.
func TestAPageThatCannotBeShown(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		page := w.page("old", w.visitor("finance").get("/o/MUSHI/expenditure?cycle=2023-01"), http.StatusUnprocessableEntity)
		main := page.Find("main").Text()
		if page.Find("h1").Text() != "无法显示此页面" || strings.Contains(main, "操作没有执行") || strings.Count(main, "18") != 1 {
			t.Errorf("the page says %s", main)
		}
	})
}
