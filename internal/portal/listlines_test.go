package portal_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/PuerkitoBio/goquery"

	"huoban/internal/account"
	"huoban/internal/audit"
	"huoban/internal/customer"
)

// lineList is a list of lines and the figures its files have.
type lineList struct {
	kind    string
	path    string
	columns []string // that can be chosen
	whole   bool     // its files have all columns in any case
	draws   map[string][]string
	formats []string
	sheet   string
	read    func(t *testing.T, table [][]string) shown
}

var people = map[string][]string{"customer": {"", "s1", "s2", "s3"}, "product": {"", "VM", "=HYPERLINK(1)", "对象存储", "@SUM(A1)", "nothing"}, "kind": {"", "consumption", "refund", "adjustment", "tax"},
	"mode": {"", "on_demand", "reserved"}, "region": {"", "eu-1"}}

func lineLists() []lineList {
	with := func(more map[string][]string) map[string][]string {
		out := map[string][]string{}
		for _, m := range []map[string][]string{people, more} {
			for k, v := range m {
				out[k] = v
			}
		}
		return out
	}
	consumed := func(amount, kind string) func(t *testing.T, table [][]string) shown {
		return func(t *testing.T, table [][]string) shown {
			s, _ := consumedIn(t, table, amount, kind)
			return s
		}
	}
	bill := func(t *testing.T, table [][]string) shown {
		s, _ := written(t, table)
		return s
	}
	return []lineList{
		{"bill.lines", "/o/MUSHI/bills/lines", []string{"charged", "customer", "product", "mode", "region", "kind", "base", "factor", "resource", "rule"}, true, with(map[string][]string{"zero": {"", "no"}}), []string{"csv", "xlsx", "pdf"}, "明细", bill},
		{"expenditure", "/o/MUSHI/expenditure", []string{"relation", "product", "mode", "lines", "consumption", "refund", "adjustment", "discount"}, false, with(map[string][]string{"relation": {"", "resale", "referral"}, "from": {"", "2026-01-05"}, "account": {"", "nobody"}}), []string{"csv", "xlsx"}, "消费汇总", consumed("消费合计", "")},
		{"expenditure.lines", "/o/MUSHI/expenditure/lines", []string{"charged", "customer", "relation", "manager", "product", "resource", "order", "region", "mode", "kind", "list"}, false, with(map[string][]string{"relation": {"", "resale"}, "zero": {"", "all"}, "until": {"", "2026-01-20"}, "resource": {"", "", "nothing"}, "order": {"", "", "", "CS1"}}), []string{"csv", "xlsx"}, "消费明细", consumed("计费金额", "类型")},
	}
}

// TestLineListsEqualTheirFiles: for random filters of the lists of lines the count, the total and the short
// code on the screen are those of every file, the PDF of a bill too, and a colleague sees the same rows.
func TestLineListsEqualTheirFiles(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		n := 50
		if strings.HasSuffix(t.Name(), "postgres") {
			n = 10
		}
		v, colleague, stranger := w.signedIn("finance"), w.signedIn("second"), w.signedIn("stranger")
		for i, x := range lineLists() {
			r := rand.New(rand.NewPCG(11, uint64(i)))
			for range n {
				address := x.path + filtered(r, tried{draws: x.draws})
				address += map[bool]string{true: "&", false: "?"}[strings.Contains(address, "?")] + "cycle=2026-01"
				cols := drawn(r, x)
				if len(cols) > 0 {
					address += "&cols=" + strings.Join(cols, ",")
				}
				page := w.page(address, v.get(address), http.StatusOK)
				if got := w.page(address, colleague.get(address), http.StatusOK); rowsText(got) != rowsText(page) || shownOn(got) != shownOn(page) {
					t.Errorf("%s: a colleague sees something else", address)
				}
				if r := stranger.get(address); r.status != http.StatusNotFound {
					t.Errorf("%s: a stranger gets %d", address, r.status)
				}
				if page.Find("tbody tr").Length() == 0 {
					continue // an empty list has no seal to compare
				}
				compareColumns(t, x, address, page, cols)
				compareLines(t, w, x, address, page)
			}
		}
	})
}

// drawn are some columns of a list in any order; one time in three none are named. What the figures of the
// files are read by is among them.
func drawn(r *rand.Rand, x lineList) []string {
	if r.IntN(3) == 0 {
		return nil
	}
	var out []string
	for _, i := range r.Perm(len(x.columns)) {
		if r.IntN(2) == 0 || x.columns[i] == "kind" || x.columns[i] == "product" {
			out = append(out, x.columns[i])
		}
	}
	return out
}

// compareColumns: as many columns as were asked for, and totals that stand under the last of them.
func compareColumns(t *testing.T, x lineList, address string, page *goquery.Document, cols []string) {
	t.Helper()
	heads, fixed := headsOf(page.Find("main table").First()), 2
	if x.whole {
		fixed = 3 // the one that opens a row
	}
	if len(cols) > 0 && len(heads) != len(cols)+fixed {
		t.Errorf("%s: columns %q", address, heads)
	}
	page.Find("main table").First().Find("tr:not(.why)").Each(func(_ int, tr *goquery.Selection) {
		n := 0
		tr.Children().Each(func(_ int, s *goquery.Selection) {
			span, err := strconv.Atoi(s.AttrOr("colspan", "1"))
			if err != nil {
				t.Error(err)
			}
			n += span
		})
		if n != len(heads) {
			t.Errorf("%s: a row of %d cells under %d columns: %s", address, n, len(heads), tr.Text())
		}
	})
}

// TestColumnsOfLines: the columns of a list of lines are kept for the person, stand in the address, and are
// those of the file where it takes them; names are masked on every list until the eye is used.
func TestColumnsOfLines(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		v, other := w.signedIn("finance"), w.signedIn("second")
		for _, x := range lineLists() {
			at := x.path + "?cycle=2026-01"
			before := w.page(at, v.get(at), http.StatusOK)
			usual := headsOf(before.Find("main table").First())
			off, gone := []string{x.columns[0]}, usual[1]
			if x.whole {
				off, gone = append(off, "region", "resource", "rule"), usual[2]
			}
			if slices.Contains(x.columns, "order") { // shown when it is chosen, or asked for
				off = append(off, "order")
			}
			action, pairs := columnsFormOf(before, x.kind, off...)
			r := v.post(action, append(pairs, "move", "up:kind")...)
			if r.status != http.StatusSeeOther || !strings.Contains(r.location, "cols=") {
				t.Fatalf("%s: %d %s", at, r.status, r.location)
			}
			want := headsOf(w.page(at, v.get(at), http.StatusOK).Find("main table").First())
			if len(want) != len(usual)-1 || slices.Contains(want, gone) {
				t.Errorf("%s: %q, not %q without %q", at, want, usual, gone)
			}
			if got := headsOf(w.page(at, other.get(r.location), http.StatusOK).Find("main table").First()); !slices.Equal(got, want) {
				t.Errorf("a colleague with the link to %s: %q, want %q", at, got, want)
			}
			if got := headsOf(w.page(at, other.get(at), http.StatusOK).Find("main table").First()); !slices.Equal(got, usual) {
				t.Errorf("a colleague at %s: %q, want %q", at, got, usual)
			}
			page := w.page(at, v.get(at), http.StatusOK)
			task := v.ask(page, "csv")
			w.work()
			head := csvOf(t, v.file("MUSHI", task).body)[0]
			if !x.whole && slices.Contains(head, gone) {
				t.Errorf("%s: the file still has %q: %q", at, gone, head)
			}
			if x.whole && len(head) < 30 {
				t.Errorf("%s: the file has %q", at, head)
			}
			action, pairs = columnsFormOf(page, x.kind)
			v.post(action, append(pairs, "reset", "yes")...)
			if got := headsOf(w.page(at, v.get(at), http.StatusOK).Find("main table").First()); !slices.Equal(got, usual) {
				t.Errorf("%s after the reset: %q", at, got)
			}
		}
	})
}

// TestNamesOfLinesAreMasked: customers' names stand in clear on no page of bills and consumption, until the eye
// is used, which is recorded.
func TestNamesOfLinesAreMasked(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		v, finance := w.signedIn("partner"), w.signedIn("finance") // who may not see names
		for _, path := range []string{"/bills", "/bills/products", "/bills/customers", "/bills/lines", "/bills/adjustments", "/bills/explanation?figure=due", "/expenditure", "/expenditure/lines"} {
			at := "/o/MUSHI" + path + map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")] + "cycle=2026-01"
			if page := w.page(at, v.get(at), http.StatusOK); strings.Contains(page.Find("main").Text(), "客户s") {
				t.Errorf("%s shows a name", at)
			}
		}
		for list, path := range map[string]string{"bill.customers": "/bills/customers", "bill.lines": "/bills/lines", "expenditure": "/expenditure", "expenditure.lines": "/expenditure/lines"} {
			at := "/o/MUSHI" + path + "?cycle=2026-01"
			eye := w.page(at, v.get(at), http.StatusOK).Find("thead form").AttrOr("action", "")
			if eye == "" {
				t.Errorf("%s has no eye", at)
				continue
			}
			if open := w.page(eye, v.post(eye), http.StatusOK); !strings.Contains(open.Find("tbody").Text(), "客户s") {
				t.Errorf("%s shows no name: %s", eye, open.Find("tbody").Text())
			}
			if page := w.page(at, v.get(at), http.StatusOK); strings.Contains(page.Find("tbody").Text(), "客户s") {
				t.Errorf("%s stays open", at)
			}
			if w.page(at, finance.get(at), http.StatusOK).Find("thead form").Length() > 0 || finance.post(eye).status != http.StatusForbidden {
				t.Errorf("%s is opened without the permission", at)
			}
			if r := w.signedIn("stranger").post(eye); r.status != http.StatusNotFound {
				t.Errorf("a stranger at %s: %d", eye, r.status)
			}
			if n := w.revealed(list); n != 1 {
				t.Errorf("%d entries of the eye of %s", n, list)
			}
		}
	})
}

// TestManagersAreMasked: a 客户经理 is masked like a customer, on the page, in its filter and in the file, until the
// eye of that column is used; the number shown beside tells two people of one initial apart.
func TestManagersAreMasked(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		_, err := w.app.Accounts.AddPerson(ctx, operator, account.AddPersonInput{OrgCode: "MUSHI", Login: "carer", Name: "李经理", Roles: []string{account.RoleManager}, Password: password, KeepPassword: true})
		w.must(err)
		carer, err := w.app.Accounts.PersonByLogin(ctx, "carer")
		w.must(err)
		boss, err := w.app.Accounts.PersonByLogin(ctx, "partner")
		w.must(err)
		sc, err := w.app.Accounts.ScopeOf(ctx, boss, "MUSHI")
		w.must(err)
		s1, err := w.app.Organisations.ByCode(ctx, operator, "s1")
		w.must(err)
		_, err = w.app.Customers.Assign(ctx, sc, customer.AssignInput{CustomerID: s1.ID, PersonID: carer.ID, From: time.Date(2025, 12, 1, 0, 0, 0, 0, time.UTC)})
		w.must(err)
		v := w.signedIn("partner")
		at := "/o/MUSHI/expenditure/lines?cycle=2026-01"
		page := w.page(at, v.get(at), http.StatusOK)
		if text := page.Find("body").Text(); strings.Contains(text, "李经理") || strings.Contains(text, "carer") || !strings.Contains(page.Find("tbody").Text(), "李*** · ") {
			t.Errorf("the manager stands there: %s", page.Find("tbody").Text())
		}
		option := page.Find("select[name=manager] option").Last()
		if text := option.Text(); !strings.HasPrefix(text, "李*** · ") {
			t.Errorf("the filter offers %q", text)
		}
		chosen := at + "&manager=" + option.AttrOr("value", "")
		page = w.page(chosen, v.get(chosen), http.StatusOK)
		if text := page.Find(".hb-tool").Text(); strings.Contains(text, "carer") || !strings.Contains(text, "李*** · ") {
			t.Errorf("the condition says %q", text)
		}
		if rows := page.Find("tbody tr"); rows.Length() == 0 || rows.Length() != rows.FilterFunction(func(_ int, s *goquery.Selection) bool { return strings.Contains(s.Text(), "李*** · ") }).Length() {
			t.Errorf("the filter leaves %s", rows.Text())
		}
		task := v.ask(page, "csv")
		w.work()
		if body := v.file("MUSHI", task).body; strings.Contains(body, "李经理") || strings.Contains(body, "carer") || !strings.Contains(body, "李*** · ") {
			t.Errorf("the file says %s", body)
		}
		open := w.page(at, v.post(at, "column", "manager"), http.StatusOK)
		if text := open.Find("tbody").Text(); !strings.Contains(text, "李经理") || strings.Contains(text, "客户s") || open.Find("thead [role=img]").Length() != 1 {
			t.Errorf("the eye shows %s", text)
		}
		if r := v.post(at, "column", "product"); r.status != http.StatusNotFound {
			t.Errorf("an eye of a column that is not masked: %d", r.status)
		}
		seen, err := w.app.AuditStore.Before(ctx, "", true, audit.Filter{Action: "column.reveal", Object: "list:expenditure.lines"}, math.MaxInt64, 10)
		w.must(err)
		if len(seen) != 1 || !strings.Contains(seen[0].Detail, `"column":"manager"`) {
			t.Errorf("the audit says %+v", seen)
		}
	})
}

// revealed counts the entries of the audit that say somebody saw the names of a list.
func (w *world) revealed(list string) int {
	w.t.Helper()
	seen, err := w.app.AuditStore.Before(context.Background(), "", true, audit.Filter{Action: "column.reveal", Object: "list:" + list}, math.MaxInt64, 1000)
	w.must(err)
	return len(seen)
}

func rowsText(page *goquery.Document) string { return page.Find("tbody").First().Text() }

func compareLines(t *testing.T, w *world, x lineList, address string, page *goquery.Document) {
	t.Helper()
	v, want, tasks := w.signedIn("finance"), shownOn(page), map[string]string{}
	for _, format := range x.formats {
		tasks[format] = v.ask(page, format)
	}
	w.work()
	for _, format := range x.formats {
		file := v.file("MUSHI", tasks[format])
		if file.status != http.StatusOK {
			t.Fatalf("%s as %s: %d", address, format, file.status)
		}
		var got shown
		switch format {
		case "csv":
			got = x.read(t, csvOf(t, file.body))
		case "xlsx":
			_, table := xlsxOf(t, file.body, x.sheet)
			got = x.read(t, table)
		case "pdf":
			words := pdfText(t, file.body)
			if !strings.Contains(words, want.code) || !strings.Contains(words, strings.TrimRight(strings.TrimRight(want.total, "0"), ".")) {
				t.Errorf("%s: the PDF does not say %s and %s", address, want.total, want.code)
			}
			continue
		}
		got.code = strings.TrimSpace(got.code)
		if !same(want, got) {
			t.Errorf("%s: page %+v, %s %+v", address, want, format, got)
		}
	}
}

var streams = regexp.MustCompile(`(?s)stream\r?\n(.*?)endstream`)

// pdfText is what the pages of a PDF say: its strings are UTF-16, in compressed streams.
func pdfText(t *testing.T, body string) string {
	t.Helper()
	var out strings.Builder
	for _, m := range streams.FindAllStringSubmatch(body, -1) {
		z, err := zlib.NewReader(bytes.NewReader([]byte(m[1])))
		if err != nil {
			continue // a font
		}
		page, _ := io.ReadAll(z)
		for _, s := range pdfStrings(page) {
			var units []uint16
			for i := 0; i+1 < len(s); i += 2 {
				units = append(units, uint16(s[i])<<8|uint16(s[i+1]))
			}
			out.WriteString(string(utf16.Decode(units)) + " ")
		}
	}
	return out.String()
}

// pdfStrings are the literals of a page that are shown.
func pdfStrings(page []byte) (out [][]byte) {
	for i := 0; i < len(page); i++ {
		if page[i] != '(' {
			continue
		}
		var s []byte
		for i++; i < len(page) && page[i] != ')'; i++ {
			if page[i] == '\\' && i+1 < len(page) {
				i++
				if page[i] == 'r' {
					s = append(s, '\r')
					continue
				}
			}
			s = append(s, page[i])
		}
		out = append(out, s)
	}
	return out
}
