package portal_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/xuri/excelize/v2"

	"huoban/internal/account"
	"huoban/internal/app"
	"huoban/internal/clock"
	"huoban/internal/export"
	"huoban/internal/money"
	"huoban/internal/monthclose"
	"huoban/internal/organisation"
	"huoban/internal/outbox"
	"huoban/internal/source"
	"huoban/internal/store/exportstore"
	"huoban/internal/store/jobstore"
	"huoban/internal/store/storetest"
)

// onBoth runs a test over the whole portal on each engine, with an issued bill of January for MUSHI.
func onBoth(t *testing.T, run func(t *testing.T, w *world)) {
	t.Run("sqlite", func(t *testing.T) { run(t, issuedWorld(t, "")) })
	t.Run("postgres", func(t *testing.T) { run(t, issuedWorld(t, storetest.PostgresURL(t))) })
}

func issuedWorld(t *testing.T, db string) *world {
	t.Helper()
	ctx := context.Background()
	w := &world{t: t, clock: clock.At(time.Date(2026, 2, 3, 8, 0, 0, 0, time.UTC))}
	s := app.Settings{Addr: "127.0.0.1:0", BaseURL: "http://localhost:8080", Data: t.TempDir(), DB: db, ExportKeep: 7 * 24 * time.Hour}
	a, err := app.Open(ctx, s, app.Options{Clock: w.clock, Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))})
	w.must(err)
	t.Cleanup(func() { w.must(a.Close()) })
	w.app = a
	handler, err := a.Handler()
	w.must(err)
	srv := httptest.NewServer(handler)
	t.Cleanup(srv.Close)
	w.url = srv.URL
	for _, o := range []organisation.AddInput{{Code: "NOVA", Kind: organisation.KindVendor, Name: "Nova Cloud"},
		{Code: "MUSHI", Kind: organisation.KindSolution, Name: "Mushi Digital", ParentCode: "NOVA"},
		{Code: "LUMI", Kind: organisation.KindSolution, Name: "Lumi Digital", ParentCode: "NOVA"}} {
		_, err := a.Organisations.Add(ctx, operator, o)
		w.must(err)
	}
	for _, u := range []struct{ org, login, role string }{{"NOVA", "boss", account.RoleAdmin}, {"MUSHI", "partner", account.RoleAdmin},
		{"MUSHI", "finance", account.RoleFinance}, {"MUSHI", "second", account.RoleFinance}, {"LUMI", "stranger", account.RoleAdmin}} {
		_, err := a.Accounts.AddPerson(ctx, operator, account.AddPersonInput{OrgCode: u.org, Login: u.login, Roles: []string{u.role}, Password: password, KeepPassword: true})
		w.must(err)
	}
	_, err = a.Sources.Add(ctx, operator, source.AddInput{Vendor: "NOVA", Name: "nova", Dialect: "focus"})
	w.must(err)
	w.visitor("boss").imported(charges(), "final", "all")
	w.mapped()
	vendor, err := a.Organisations.ByCode(ctx, operator, "NOVA")
	w.must(err)
	_, err = a.Closes.Run(ctx, operator, monthclose.Input{VendorID: vendor.ID, Cycle: "2026-01", Issue: true})
	w.must(err)
	return w
}

// charges is a file of consumption, refunds, credits, tax and zeros of several customers, with names a
// spreadsheet would run.
func charges() string {
	text := focusHead
	services := []string{"VM", "=HYPERLINK(1)", "对象存储", "@SUM(A1)"}
	for i := range 60 {
		sub, service := "s"+strconv.Itoa(i%3+1), services[i%4]
		kind, class, cost := "Usage", "", fmt.Sprintf("%d.%07d", i, i*7919%10_000_000)
		switch {
		case i%10 == 3:
			kind = "Tax"
		case i%10 == 7:
			kind, cost = "Credit", "-"+cost
		case i%10 == 9:
			class, cost = "Correction", "-1.25"
		case i%10 == 5:
			cost = "0"
		}
		text += strings.Join([]string{"2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", fmt.Sprintf("2026-01-03T%02d:00:00Z", i%24), "2026-01-04T00:00:00Z", "acct", "Account", "USD",
			sub, "客户" + sub, service, "Compute", kind, class, "=1+1", "Usage-Based", "Nova", "Nova", "Nova", cost, cost, cost, cost, "r-" + strconv.Itoa(i), ""}, ",") + "\n"
	}
	return text
}

// formOf are the fields of the export button of a format.
func formOf(t *testing.T, page *goquery.Document, format string) []string {
	t.Helper()
	form := page.Find("#export form, [id^='export-'] form").FilterFunction(func(_ int, s *goquery.Selection) bool {
		return s.Find("input[name=format]").AttrOr("value", "") == format
	})
	if form.Length() != 1 {
		t.Fatalf("%d buttons for %s", form.Length(), format)
	}
	var pairs []string
	form.Find("input").Each(func(_ int, s *goquery.Selection) {
		pairs = append(pairs, s.AttrOr("name", ""), s.AttrOr("value", ""))
	})
	return append(pairs, "action", form.AttrOr("action", ""))
}

// ask presses the button of a format on a page and gives the task.
func (v *visitor) ask(page *goquery.Document, format string) string {
	v.w.t.Helper()
	f := formOf(v.w.t, page, format)
	action := f[len(f)-1]
	r := v.program().post(action, f[:len(f)-2]...)
	var got struct{ Task, State string }
	if r.status != http.StatusOK || json.Unmarshal([]byte(r.body), &got) != nil || got.Task == "" || got.State != "processing" {
		v.w.t.Fatalf("%s: %d %s", format, r.status, r.body)
	}
	return got.Task
}

func (w *world) work() {
	w.t.Helper()
	w.must(w.app.Worker.Drain(context.Background()))
}

// file downloads a finished task.
func (v *visitor) file(org, task string) reply {
	v.w.t.Helper()
	return v.get("/o/" + org + "/exports/" + task + "/file")
}

func digits(s string) string { return regexp.MustCompile(`[^0-9.-]`).ReplaceAllString(s, "") }

// shown is what a list says of itself: rows, total and short code.
type shown struct {
	rows        int64 // -1: not said
	total, code string
}

func shownOn(page *goquery.Document) shown {
	s := shown{rows: -1}
	if n, err := strconv.ParseInt(digits(page.Find(".hb-tool [role=status]").First().Text()), 10, 64); err == nil {
		s.rows = n
	}
	seal := page.Find(".hb-seal").First()
	s.total, s.code = digits(strings.ReplaceAll(seal.Find("b").Text(), "−", "-")), seal.Find("code").Text()
	return s
}

// written reads the same from a table: rows before the total, and what stands in the foot.
func written(t *testing.T, rows [][]string) (shown, [][]string) {
	t.Helper()
	head := rows[0]
	amount, kind, label := slices.Index(head, "金额"), slices.Index(head, "类型"), 4
	if amount < 0 || kind < 0 {
		t.Fatalf("columns %v", head)
	}
	cell := func(r []string, i int) string {
		if i < len(r) {
			return r[i]
		}
		return ""
	}
	s, lines, sum := shown{}, [][]string{}, money.Exact{}
	for _, r := range rows[1:] {
		switch cell(r, label) {
		case "合计":
			s.total = digits(cell(r, amount))
		case "行数合计":
			s.rows, _ = strconv.ParseInt(cell(r, label+1), 10, 64)
		case "校验码":
			s.code = cell(r, label+1)
		case "税额", "筛选条件":
		default:
			lines = append(lines, r)
			if cell(r, kind) != "税" {
				sum = sum.Add(money.MustExact(digits(cell(r, amount))))
			}
		}
	}
	if int64(len(lines)) != s.rows {
		t.Errorf("%d rows stand in the file, it says %d", len(lines), s.rows)
	}
	if sum.String() != money.MustExact(s.total).String() {
		t.Errorf("rows sum to %s, the file says %s", sum, s.total)
	}
	return s, lines
}

func csvOf(t *testing.T, body string) [][]string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(body, "\ufeff"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func xlsxOf(t *testing.T, body, sheet string) (*excelize.File, [][]string) {
	t.Helper()
	f, err := excelize.OpenReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := f.GetRows(sheet, excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	return f, rows
}

func same(a, b shown) bool {
	return (a.rows < 0 || a.rows == b.rows) && money.MustExact(a.total).String() == money.MustExact(b.total).String() && a.code == b.code && a.code != ""
}

const january = "/o/MUSHI/bills/lines?cycle=2026-01"

var lineFilters = []string{"", "&customer=s2", "&kind=consumption", "&kind=tax", "&kind=refund", "&kind=adjustment&customer=s1", "&product=VM",
	"&product=%3DHYPERLINK(1)", "&product=%E5%AF%B9%E8%B1%A1%E5%AD%98%E5%82%A8&kind=consumption", "&zero=no", "&product=nothing", "&customer=s3&zero=no&kind=consumption"}

func TestExportsEqualTheList(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		v := w.visitor("finance")
		for _, filter := range lineFilters {
			page := w.page(filter, v.get(january+filter), http.StatusOK)
			want := shownOn(page)
			if page.Find("tbody tr").Length() == 0 { // an empty list has no seal
				want.total, want.code = "0", shownOn(w.page("all", v.get(january), http.StatusOK)).code
			}
			tasks := map[string]string{}
			for _, format := range []string{"csv", "xlsx", "pdf"} {
				tasks[format] = v.ask(page, format)
			}
			w.work()
			file := v.file("MUSHI", tasks["csv"])
			if !strings.HasPrefix(file.body, "\ufeff") || file.header.Get("Content-Type") != "text/csv; charset=utf-8" ||
				!strings.Contains(file.header.Get("Content-Disposition"), "MUSHI-2026-01-USD-lines.csv") {
				t.Fatalf("%s: %d %v %.80s", filter, file.status, file.header, file.body)
			}
			got, lines := written(t, csvOf(t, file.body))
			if !same(want, got) {
				t.Errorf("%s: page %+v, CSV %+v", filter, want, got)
			}
			for _, r := range lines {
				for _, cell := range r {
					if strings.HasPrefix(cell, "=") || strings.HasPrefix(cell, "@") || strings.Contains(cell, "客户s") {
						t.Errorf("%s: cell %q", filter, cell)
					}
				}
			}
			book, rows := xlsxOf(t, v.file("MUSHI", tasks["xlsx"]).body, "明细")
			if got, _ := written(t, rows); !same(want, got) {
				t.Errorf("%s: page %+v, XLSX %+v", filter, want, got)
			}
			for row := range rows {
				at, _ := excelize.CoordinatesToCellName(17, row+1)
				if f, _ := book.GetCellFormula("明细", at); f != "" {
					t.Errorf("a formula in %s: %s", at, f)
				}
			}
			if pdf := v.file("MUSHI", tasks["pdf"]); !strings.HasPrefix(pdf.body, "%PDF-") {
				t.Errorf("%s: no PDF", filter)
			}
		}
		records := v.both("/o/MUSHI/exports")
		if first := records.Find("tbody tr").First().Text(); !strings.Contains(first, "s3") || !strings.Contains(first, "金额 ≠ 0") {
			t.Error("the records do not say the filter")
		}
	})
}

func TestExportsOfTheWholeBillAndSplits(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		v := w.visitor("finance")
		for tab, name := range map[string]string{"": "", "/products": "-products", "/customers": "-customers", "/adjustments": ""} {
			page := w.page(tab, v.get("/o/MUSHI/bills"+tab+"?cycle=2026-01"), http.StatusOK)
			if tab == "/adjustments" && page.Find("#export").Length() == 0 {
				continue // without rows there is nothing to export
			}
			code := page.Find(".hb-seal code").First().Text()
			task := v.ask(page, "csv")
			w.work()
			file := v.file("MUSHI", task)
			if file.status != http.StatusOK || !strings.Contains(file.header.Get("Content-Disposition"), "USD"+name+".csv") || !strings.Contains(file.body, code) {
				t.Errorf("%s: %d %v, code %s", tab, file.status, file.header, code)
			}
			if tab == "/products" {
				amount := slices.Index(csvOf(t, file.body)[0], "金额")
				total := page.Find("tfoot td.m").Text()
				for _, r := range csvOf(t, file.body) {
					if r[4] == "合计" && fmt.Sprintf("%.2f", toFloat(t, r[amount])) != digits(total) {
						t.Errorf("the file sums to %s, the page to %s", r[amount], total)
					}
				}
			}
		}
	})
}

func toFloat(t *testing.T, s string) float64 {
	t.Helper()
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestAskingForAFile(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		v := w.visitor("finance")
		page := w.page("lines", v.get(january+"&kind=consumption&done=export"), http.StatusOK)
		if !strings.Contains(page.Find("[data-flash=good]").Text(), "导出任务创建成功") || page.Find("[data-flash=good] a").AttrOr("href", "") != "/o/MUSHI/exports" {
			t.Error("the page does not say that the task was made")
		}
		f := formOf(t, page, "csv")
		for range 2 { // a button pressed twice asks once
			r := v.post(f[len(f)-1], f[:len(f)-2]...)
			if r.status != http.StatusSeeOther || !strings.HasPrefix(r.location, "/o/MUSHI/bills/lines?") || !strings.Contains(r.location, "done=export") || !strings.Contains(r.location, "kind=consumption") {
				t.Fatalf("%d %s %s", r.status, r.location, text(r.body))
			}
		}
		records := v.both("/o/MUSHI/exports")
		if records.Find("tbody tr").Length() != 1 || !strings.Contains(records.Find("tbody").Text(), "处理中") || records.Find("a[download]").Length() != 0 {
			t.Errorf("records before the file: %s", records.Find("tbody").Text())
		}
		if records.Find("#exports").AttrOr("hx-get", "") == "" {
			t.Error("a list with work in it does not refresh itself")
		}
		for path, want := range map[string]int{"/o/MUSHI/exports?list=bill.lines&format=exe&cycle=2026-01": 422, "/o/MUSHI/exports?list=all&format=csv&cycle=2026-01": 422,
			"/o/MUSHI/exports?list=bill&format=csv&cycle=2026-01&partner=LUMI": 404, "/o/MUSHI/exports?list=bill.lines&format=csv&cycle=2026-01&customer=s9": 404,
			"/o/MUSHI/exports?list=bill&format=csv&cycle=2024-01": 404, "/o/LUMI/exports?list=bill&format=csv&cycle=2026-01": 404} {
			if r := v.post(path); r.status != want {
				t.Errorf("%s: %d, want %d", path, r.status, want)
			}
		}
		w.work()
		records = v.both("/o/MUSHI/exports")
		if records.Find("a[download]").Length() != 1 || records.Find("#exports").AttrOr("hx-get", "") != "" || !strings.Contains(records.Text(), "已完成") {
			t.Errorf("records after: %s", records.Find("tbody").Text())
		}
		bell := v.both("/o/MUSHI/messages")
		if bell.Find(`tbody a[href="/o/MUSHI/exports"]`).Length() == 0 {
			t.Error("the bell does not lead to the file")
		}
		if r := w.visitor("boss").post("/o/NOVA/exports", "list", "bill", "format", "pdf", "cycle", "2026-01", "partner", "MUSHI"); r.status != http.StatusSeeOther {
			t.Errorf("the vendor asks for its partner's bill: %d", r.status)
		}
	})
}

func TestExportsOfOthersAreAbsent(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		v, second, admin, stranger := w.visitor("finance"), w.visitor("second"), w.visitor("partner"), w.visitor("stranger")
		task := v.ask(w.page("lines", v.get(january), http.StatusOK), "csv")
		w.work()
		for who, at := range map[*visitor]string{second: "MUSHI", stranger: "LUMI"} {
			for _, path := range []string{"/file", "/retry"} {
				address := "/o/" + at + "/exports/" + task + path
				r := who.get(address)
				if path == "/retry" {
					r = who.post(address)
				}
				if r.status != http.StatusNotFound {
					t.Errorf("%s: %d", address, r.status)
				}
			}
			if n := w.page("list", who.get("/o/"+at+"/exports"), http.StatusOK).Find("tbody tr").Length(); n != 0 {
				t.Errorf("%s sees %d tasks", at, n)
			}
		}
		if r := stranger.file("MUSHI", task); r.status != http.StatusNotFound {
			t.Errorf("an organisation that is not one's own: %d", r.status)
		}
		if r := v.file("MUSHI", "nothing"); r.status != http.StatusNotFound {
			t.Errorf("an absent task: %d", r.status)
		}
		if r := admin.file("MUSHI", task); r.status != http.StatusOK {
			t.Errorf("who may see all: %d", r.status)
		}
		if list := admin.both("/o/MUSHI/exports"); list.Find("tbody tr").Length() != 1 || !strings.Contains(list.Find("tbody").Text(), "finance") {
			t.Error("who may see all does not see whose it is")
		}
	})
}

func TestAnExportSurvivesItsWorker(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		ctx, v := context.Background(), w.visitor("finance")
		task := v.ask(w.page("lines", v.get(january), http.StatusOK), "csv")
		jobs, files := jobstore.New(w.app.DB), exportstore.New(w.app.DB)
		job, err := w.app.Queue.ByKey(ctx, export.KindRun, task+"/1")
		w.must(err)
		// A worker took the job, wrote part of a file and died.
		job.State, job.Attempts, job.LeaseUntil, job.ProgressDone, job.ProgressTotal = outbox.StateRunning, 1, w.clock.Now().Add(outbox.Lease), 30, 60
		w.must(w.app.DB.InTx(ctx, func(ctx context.Context) error {
			if _, err := jobs.Update(ctx, job); err != nil {
				return err
			}
			for no := range int64(3) {
				if err := files.PutPiece(ctx, task, no, bytes.Repeat([]byte("half"), 100)); err != nil {
					return err
				}
			}
			return nil
		}))
		w.work()
		if r := v.file("MUSHI", task); r.status != http.StatusConflict {
			t.Errorf("half a file: %d", r.status)
		}
		if list := v.both("/o/MUSHI/exports"); !strings.Contains(list.Find("tbody").Text(), "已写 30 / 60 行") {
			t.Errorf("no progress: %s", list.Find("tbody").Text())
		}
		w.clock.Set(w.clock.Now().Add(outbox.Lease + time.Second))
		w.work()
		file := v.file("MUSHI", task)
		done, err := files.ByID(ctx, task)
		w.must(err)
		sum := sha256.Sum256([]byte(file.body))
		if file.status != http.StatusOK || hex.EncodeToString(sum[:]) != done.SHA || file.header.Get("Content-Length") != strconv.Itoa(len(file.body)) {
			t.Errorf("%d, %d bytes, want %d", file.status, len(file.body), done.Bytes)
		}
		if got, _ := written(t, csvOf(t, file.body)); got.rows != 60 {
			t.Errorf("%d rows", got.rows)
		}
	})
}

func TestAnExportExpires(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		v := w.visitor("finance")
		task := v.ask(w.page("lines", v.get(january), http.StatusOK), "csv")
		w.work()
		w.clock.Set(w.clock.Now().Add(7*24*time.Hour - time.Minute))
		v = w.visitor("finance")
		if r := v.file("MUSHI", task); r.status != http.StatusOK {
			t.Errorf("before its time: %d", r.status)
		}
		w.clock.Set(w.clock.Now().Add(2 * time.Minute))
		if r := v.file("MUSHI", task); r.status != http.StatusNotFound {
			t.Errorf("after its time: %d", r.status)
		}
		if list := v.both("/o/MUSHI/exports"); !strings.Contains(list.Find("tbody").Text(), "已过期") || list.Find("a[download]").Length() != 0 {
			t.Errorf("records: %s", list.Find("tbody").Text())
		}
	})
}

func TestALostRightAndARetry(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		ctx, v := context.Background(), w.visitor("finance")
		task := v.ask(w.page("lines", v.get(january), http.StatusOK), "xlsx")
		w.must(w.app.Accounts.SetRoles(ctx, operator, "finance", "MUSHI", []string{account.RoleManager}))
		w.work()
		w.must(w.app.Accounts.SetRoles(ctx, operator, "finance", "MUSHI", []string{account.RoleFinance}))
		v = w.visitor("finance")
		list := v.both("/o/MUSHI/exports")
		retry := list.Find("tbody form")
		if !strings.Contains(list.Find("tbody").Text(), "失败") || !strings.Contains(list.Find("tbody").Text(), "不在权限范围") || retry.Length() != 1 {
			t.Fatalf("records: %s", list.Find("tbody").Text())
		}
		if n := w.visitor("partner").both("/o/MUSHI/exports").Find("tbody form").Length(); n != 0 {
			t.Error("somebody else is offered the retry")
		}
		if r := v.post(retry.AttrOr("action", "")); r.status != http.StatusSeeOther || r.location != "/o/MUSHI/exports?done=retry" {
			t.Fatalf("retry: %d %s", r.status, r.location)
		}
		if r := v.post(retry.AttrOr("action", "")); r.status != http.StatusConflict {
			t.Errorf("a second retry: %d", r.status)
		}
		w.work()
		if r := v.file("MUSHI", task); r.status != http.StatusOK {
			t.Errorf("after the retry: %d", r.status)
		}
	})
}
