package portal_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/xuri/excelize/v2"

	"huoban/internal/account"
	"huoban/internal/money"
	"huoban/internal/portal"
	"huoban/internal/source"
)

// otherExports are the lists with producers of their own.
var otherExports = map[string]string{"bills": "bill", "bills.products": "bill.products", "bills.customers": "bill.customers", "bills.lines": "bill.lines",
	"expenditure": "expenditure", "expenditure.lines": "expenditure.lines"}

// TestEveryListIsExported: a page is a list with an export, or says why it is none.
func TestEveryListIsExported(t *testing.T) {
	kinds := portal.ListKinds()
	for _, r := range portal.Routes() {
		if r.Method != http.MethodGet || !portal.Titled(r.Name) {
			continue
		}
		listed := otherExports[r.Name] != ""
		for _, route := range kinds {
			listed = listed || route == r.Name
		}
		if excused := portal.NoList(r.Name) != ""; listed == excused {
			t.Errorf("%s (%s): a list %v, excused %v", r.Name, r.Path, listed, excused)
		}
	}
	w := issuedWorld(t, "")
	for kind := range kinds {
		if r := w.visitor("boss").program().post("/o/NOVA/exports", "list", kind, "format", "pdf"); !strings.Contains(r.body, "export.format_unknown") {
			t.Errorf("%s: %d %s", kind, r.status, r.body)
		}
	}
}

// tried is a list to be compared with its files.
type tried struct {
	kind  string
	who   string
	org   string
	page  string              // address
	draws map[string][]string // values of the filter; "" is not set
}

// tries are all lists over the world of TestListsEqualTheirFiles.
func tries(late, bad string) []tried {
	at := "/deliveries/" + late
	bill := map[string][]string{"cycle": {"", "2026-01", "2026-02"}, "currency": {"", "USD"}, "partner": {"", "MUSHI"}, "vendor": {"", "NOVA"}}
	return []tried{
		{"adjustments", "boss", "NOVA", "/adjustments", map[string][]string{"state": {"", "proposed", "approved", "rejected"}}},
		{"deliveries", "boss", "NOVA", "/deliveries", map[string][]string{"source": {"", "nova", "second"}}},
		{"delivery.changes", "boss", "NOVA", at + "/changes", map[string][]string{"slot": {""}}},
		{"delivery.rules", "boss", "NOVA", at + "/rules", map[string][]string{"outcome": {"", "passed", "failed", "not_checkable"}, "level": {"", "MUST", "SHOULD", "MAY"}, "column": {"", "BilledCost", "ChargePeriodStart"}}},
		{"quarantine", "boss", "NOVA", "/deliveries/" + bad + "/quarantine", map[string][]string{"state": {"", "open", "corrected", "dropped"}}},
		{"closes", "boss", "NOVA", "/closes", nil},
		{"closes.bills", "boss", "NOVA", "/closes/2026-01", nil},
		{"sources", "boss", "NOVA", "/sources", nil},
		{"sources.periods", "boss", "NOVA", "/sources", nil},
		{"mapping", "boss", "NOVA", "/mapping", map[string][]string{"source": {"", "nova", "second"}, "q": {"", "s1", "S", "客户", "nothing", "k"}}},
		{"mapping.unmapped", "boss", "NOVA", "/mapping", map[string][]string{"source": {"", "nova", "second"}}},
		{"prices", "boss", "NOVA", "/prices", map[string][]string{"q": {"", "mushi", "0.", "VM", "nothing"}, "type": {"", "normal", "special", "promotion"}}},
		{"prices.history", "boss", "NOVA", "/prices", map[string][]string{"rule": {"1", "2", "3"}}},
		{"prices.drafts", "boss", "NOVA", "/prices/simulation", nil},
		{"prices.simulation", "boss", "NOVA", "/prices/simulation", map[string][]string{"cycle": {"", "2026-01", "2026-02"}}},
		{"audit", "boss", "NOVA", "/audit", map[string][]string{"actor": {"", "operator", "boss"}, "action": {"", "delivery", "account", "export", "price.import"}, "outcome": {"", "done", "refused"}, "request": {"", "no-such-number"}, "from": {"", "2026-02-03"}, "to": {"", "2026-02-03", "2026-02-01"}}},
		{"members", "boss", "NOVA", "/members", map[string][]string{"q": {"", "bo", "nobody"}, "role": {"", "admin", "auditor"}, "state": {"", "active", "disabled"}}},
		{"roles", "boss", "NOVA", "/roles", nil},
		{"company.changes", "boss", "NOVA", "/company-changes", map[string][]string{"state": {"", "reviewing", "approved"}}},
		{"news", "boss", "NOVA", "/news", nil},
		{"announcements", "boss", "NOVA", "/announcements", map[string][]string{"state": {"", "shown", "withdrawn"}}},
		{"messages", "boss", "NOVA", "/messages", map[string][]string{"category": {"", "system", "bill"}, "unread": {"", "yes"}, "q": {"", "导出", "FILE", "nothing", "%"}}},
		{"bill.history", "finance", "MUSHI", "/bills/history", bill},
		{"bill.adjustments", "finance", "MUSHI", "/bills/adjustments", bill},
		{"bills", "boss", "NOVA", "/bills", map[string][]string{"cycle": {"2026-02"}, "vendor": {"", "NOVA"}}},
	}
}

// filtered draws a filter.
func filtered(r *rand.Rand, x tried) string {
	v := url.Values{}
	names := make([]string, 0, len(x.draws))
	for name := range x.draws {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if value := x.draws[name][r.IntN(len(x.draws[name]))]; value != "" {
			v.Set(name, value)
		}
	}
	if len(v) == 0 {
		return ""
	}
	return "?" + v.Encode()
}

// formIn are the fields of the export button of a list and format.
func formIn(page *goquery.Document, kind, format string) (action string, pairs []string) {
	page.Find("#export-" + strings.ReplaceAll(kind, ".", "-") + " form").Each(func(_ int, form *goquery.Selection) {
		if form.Find("input[name=format]").AttrOr("value", "") != format {
			return
		}
		action = form.AttrOr("action", "")
		form.Find("input").Each(func(_ int, s *goquery.Selection) { pairs = append(pairs, s.AttrOr("name", ""), s.AttrOr("value", "")) })
	})
	return action, pairs
}

// wholeList reads all pages of a list as they stand on the screen: the text of every cell, and what is said of all.
func wholeList(t *testing.T, v *visitor, address, kind string) (rows [][]string, total, code string) {
	t.Helper()
	return readPages(t, v, address, kind, func([][]string) bool { return false })
}

// readPages reads the pages of a list until it has seen enough.
func readPages(t *testing.T, v *visitor, address, kind string, enough func([][]string) bool) (rows [][]string, total, code string) {
	t.Helper()
	for at := address; at != ""; {
		page := v.w.page(at, v.get(at), http.StatusOK)
		card := page.Find("#columns-" + strings.ReplaceAll(kind, ".", "-") + ", #export-" + strings.ReplaceAll(kind, ".", "-")).First().Closest("section")
		if card.Length() == 0 {
			t.Fatalf("%s: %s has no card", at, kind)
		}
		card.Find("tbody tr").Each(func(_ int, tr *goquery.Selection) {
			var cells []string
			tr.Find("th, td:not(.acts)").Each(func(_ int, s *goquery.Selection) { cells = append(cells, shownText(s)) })
			rows = append(rows, cells)
		})
		seal := card.Find(".hb-seal").First()
		if total, code = seal.Find("b").Text(), seal.Find("code").Text(); code == "" {
			t.Fatalf("%s: no short code", at)
		}
		next := ""
		if enough(rows) {
			break
		}
		card.Find(".hb-pager a").Each(func(_ int, a *goquery.Selection) {
			if strings.TrimSpace(a.Text()) == "下一页" {
				next = a.AttrOr("href", "")
			}
		})
		at = next
	}
	return rows, total, code
}

// figure is an amount as pages write it.
var figure = regexp.MustCompile(`^[−+-]?[¥$A-Z]*[0-9][0-9,]*(\.[0-9]+)?$`)

// shownText is the main text of a cell, without the small type and buttons below it.
func shownText(s *goquery.Selection) string {
	c := s.Clone()
	c.Find(".hb-3, .hb-acts, form, [popover], dialog").Remove()
	c.Find("[title]").Each(func(_ int, s *goquery.Selection) { // a figure with all its digits
		if whole := s.AttrOr("title", ""); figure.MatchString(whole) {
			s.SetText(whole)
		}
	})
	text := strings.Join(strings.Fields(c.Text()), " ")
	if text == "--" {
		return ""
	}
	return text
}

// plain takes grouping, currency signs and typographic signs off a figure, and the tab off a code.
func plain(s string) string {
	s = strings.NewReplacer("−", "-", ",", "", "¥", "", "$", "", "\t", "", " ", "", "'", "", "·", "").Replace(s)
	if x, err := money.ParseExact(s); err == nil {
		return x.String()
	}
	return s
}

// listFile is what a file says.
type listFile struct {
	code   string
	rows   [][]string // by the columns of the page
	count  int64
	totals []string
}

func readList(t *testing.T, table [][]string, heads []string) listFile {
	t.Helper()
	f, at := listFile{}, make([]int, len(heads))
	for i, h := range heads {
		if at[i] = slices.Index(table[0], h); at[i] < 0 {
			t.Fatalf("the file has no column %q: %q", h, table[0])
		}
	}
	cell := func(r []string, i int) string {
		if i < len(r) {
			return r[i]
		}
		return ""
	}
	end := slices.IndexFunc(table[1:], func(r []string) bool { return cell(r, 0) == "合计" || cell(r, 0) == "行数合计" }) + 1
	for _, r := range table[1:end] {
		var cells []string
		for _, i := range at {
			cells = append(cells, cell(r, i))
		}
		f.rows = append(f.rows, cells)
	}
	for _, r := range table[end:] {
		switch r[0] {
		case "合计":
			f.totals = append(f.totals, strings.Join(r[1:], " "))
		case "行数合计":
			f.count, _ = strconv.ParseInt(r[1], 10, 64)
		case "校验码":
			f.code = strings.TrimSpace(r[1]) // one like 324E-4549 would be a number and has a tab behind it
		}
	}
	return f
}

// TestListsEqualTheirFiles: for random filters of every list the rows, the total and the short code on the
// screen are those of the XLSX and of the CSV, and a colleague who opens the link sees the same.
func TestListsEqualTheirFiles(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		n := 50
		if strings.HasSuffix(t.Name(), "postgres") {
			n = 10
		}
		late, bad := w.listsWorld()
		w.say()
		for i, x := range tries(late, bad) {
			r := rand.New(rand.NewPCG(7, uint64(i)))
			seen, most := map[string]bool{}, 0
			for range n {
				if filter := filtered(r, x); !seen[filter] {
					seen[filter] = true
					most = max(most, compareList(t, w, x, "/o/"+x.org+x.page+filter))
				}
			}
			if most == 0 {
				t.Errorf("%s has no row under any filter", x.kind)
			}
		}
	})
}

// say lets the vendor announce something and a partner ask for a change of its name.
func (w *world) say() {
	w.t.Helper()
	boss := w.visitor("boss")
	for _, title := range []string{"Maintenance", "Prices"} {
		if r := boss.post("/o/NOVA/announcements", "audience", "all", "title_zh", title, "title_en", title, "body_zh", "正文", "body_en", "text"); r.status != http.StatusSeeOther {
			w.t.Fatalf("announce: %d %s", r.status, r.body)
		}
	}
	if r := w.visitor("partner").rename("licence.pdf", licence, "木石数字", "company_en", "Mushi"); r.status != http.StatusSeeOther {
		w.t.Fatalf("change: %d %s", r.status, r.body)
	}
}

func compareList(t *testing.T, w *world, x tried, address string) int {
	t.Helper()
	v := w.signedIn(x.who)
	page := w.page(address, v.get(address), http.StatusOK)
	var heads []string
	card := page.Find("#export-" + strings.ReplaceAll(x.kind, ".", "-")).Closest("section")
	card.Find("thead th:not(.acts)").Each(func(_ int, s *goquery.Selection) { heads = append(heads, shownText(s)) })
	tasks := map[string]string{}
	for _, format := range []string{"csv", "xlsx"} {
		action, pairs := formIn(page, x.kind, format)
		if action == "" {
			t.Fatalf("%s: no button for %s of %s", address, format, x.kind)
		}
		reply := v.program().post(action, pairs...)
		var got struct{ Task string }
		if reply.status != http.StatusOK || json.Unmarshal([]byte(reply.body), &got) != nil {
			t.Fatalf("%s as %s: %d %s", address, format, reply.status, reply.body)
		}
		tasks[format] = got.Task
		if pinned := fieldOf(pairs, "query"); format == "csv" && strings.Contains(pinned, "until=") { // a list that grows is compared as it stood
			address = strings.Split(address, "?")[0] + "?" + pinned
		}
	}
	rows, total, code := wholeList(t, v, address, x.kind)
	w.work()
	colleague := w.signedIn("second-" + x.who)
	if x.kind != "messages" {
		if others, otherTotal, otherCode := wholeList(t, colleague, address, x.kind); fmt.Sprint(others) != fmt.Sprint(rows) || otherTotal != total || otherCode != code {
			t.Errorf("%s: a colleague sees %d rows, %s, %s; not %d, %s, %s", address, len(others), otherTotal, otherCode, len(rows), total, code)
		}
	}
	stranger := w.signedIn("stranger")
	if r := stranger.get(address); r.status != http.StatusNotFound {
		t.Errorf("%s: a stranger gets %d", address, r.status)
	}
	for _, format := range []string{"csv", "xlsx"} {
		file := v.file(x.org, tasks[format])
		if file.status != http.StatusOK {
			t.Fatalf("%s as %s: %d %s", address, format, file.status, text(file.body))
		}
		var table [][]string
		if format == "csv" {
			table = csvOf(t, file.body)
		} else {
			_, table = xlsxOf(t, file.body, bookSheet(t, file.body))
		}
		got := readList(t, table, heads)
		if got.code != code || got.count != int64(len(rows)) || len(got.rows) != len(rows) {
			t.Errorf("%s as %s: %d rows (says %d), code %s; the page has %d, %s", address, format, len(got.rows), got.count, got.code, len(rows), code)
			continue
		}
		for i := range rows {
			for k := range heads {
				if a, b := plain(rows[i][k]), plain(got.rows[i][k]); a != b && !sameRounded(a, b) {
					t.Errorf("%s as %s: row %d, %s: the page shows %q, the file %q", address, format, i, heads[k], rows[i][k], got.rows[i][k])
				}
			}
		}
		for _, one := range got.totals {
			if !strings.Contains(plain(total), plain(strings.Fields(strings.ReplaceAll(one, "USD", ""))[0])) {
				t.Errorf("%s as %s: total %q, the page shows %q", address, format, one, total)
			}
		}
	}
	return len(rows)
}

func fieldOf(pairs []string, name string) string {
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i] == name {
			return pairs[i+1]
		}
	}
	return ""
}

// sameRounded tells whether a figure of the page is that of the file, to two decimals.
func sameRounded(page, file string) bool {
	a, err := strconv.ParseFloat(page, 64)
	b, wrong := strconv.ParseFloat(file, 64)
	return err == nil && wrong == nil && a-b < 0.0051 && b-a < 0.0051
}

// bookSheet is the only sheet of a workbook.
func bookSheet(t *testing.T, body string) string {
	t.Helper()
	f, err := excelize.OpenReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return f.GetSheetList()[0]
}

// signedIn is a person's browser, opened once.
func (w *world) signedIn(login string) *visitor {
	w.t.Helper()
	if w.people == nil {
		w.people = map[string]*visitor{}
	}
	if w.people[login] == nil {
		w.people[login] = w.visitor(login)
	}
	return w.people[login]
}

// listsWorld adds to the issued January a second source with rows nobody can read, late lines, entries by
// staff, prices and drafts, so that every list has something; it gives the delivery of late lines and that of bad rows.
func (w *world) listsWorld() (late, bad string) {
	w.t.Helper()
	ctx := context.Background()
	for _, u := range []struct{ org, login, role string }{{"NOVA", "second-boss", account.RoleAdmin}, {"MUSHI", "second-finance", account.RoleFinance}} {
		_, err := w.app.Accounts.AddPerson(ctx, operator, account.AddPersonInput{OrgCode: u.org, Login: u.login, Roles: []string{u.role}, Password: password, KeepPassword: true})
		w.must(err)
	}
	_, err := w.app.Sources.Add(ctx, operator, source.AddInput{Vendor: "NOVA", Name: "second", Dialect: "focus"})
	w.must(err)
	boss := w.signedIn("boss")
	later := strings.Replace(charges(), ",VM,", ",Late VM,", 3)
	at := boss.imported(strings.Replace(later, "1.0007919", "2.0007919", -1))
	feb := strings.NewReplacer("2026-01-", "2026-02-", "2026-02-01T00:00:00Z,2026-02-01", "2026-02-01T00:00:00Z,2026-03-01").Replace(focus("s1 VM 1.5", "s9 Disk 2.25", "s8 Disk x"))
	feb = strings.ReplaceAll(feb, "2026-01-01T00:00:00Z,2026-02-01", "2026-02-01T00:00:00Z,2026-03-01")
	r := boss.hand("/o/NOVA/deliveries", "files", map[string]string{"feb.csv": feb}, "source", "second")
	if r.status != http.StatusSeeOther {
		w.t.Fatalf("february: %d %s", r.status, text(r.body))
	}
	if r := boss.program().hand("/o/NOVA/mapping", "file", map[string]string{"map.csv": "source,key,customer,partner,association,valid_from,valid_to\nsecond,s1,CUSTL,LUMI,resale,,\n"}); r.status != http.StatusOK {
		w.t.Fatalf("map: %d %s", r.status, r.body)
	}
	for i, amount := range []string{"-12.5", "3", "1234567.891"} {
		r := boss.post("/o/NOVA/adjustments", "partner", "MUSHI", "cycle", "2026-01", "currency", "USD", "amount", amount, "reason", "=goodwill "+strconv.Itoa(i))
		if r.status != http.StatusSeeOther {
			w.t.Fatalf("entry: %d %s", r.status, text(r.body))
		}
	}
	for draft, rows := range map[string]string{"": "MUSHI,,,,,,normal,billed,0.8,,\nMUSHI,,,VM,,,special,billed,0.5,,\n,,,,,,normal,billed,0.95,,\n", "true": "MUSHI,,,,,,normal,billed,0.7,,\n"} {
		if r := boss.hand("/o/NOVA/prices", "file", priceFile(rows), "draft", draft); r.status != http.StatusSeeOther {
			w.t.Fatalf("prices: %d %s", r.status, text(r.body))
		}
	}
	return strings.TrimPrefix(at, "/o/NOVA/deliveries/"), strings.TrimSuffix(strings.TrimPrefix(r.location, "/o/NOVA/deliveries/"), "?done=imported")
}
