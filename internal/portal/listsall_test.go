package portal_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"huoban/internal/app"
	"huoban/internal/clock"
	"huoban/internal/portal"
)

// corner is where a list has rows in the demo world: a page, or the pages its links with via in their address lead to.
type corner struct{ who, page, via string }

// corners are the lists that the world of tries does not fill. A list that is in neither fails TestDemoListsEqualTheirFiles.
var corners = map[string]corner{
	"customers":               {"qiheng-admin", "/o/QIHENG/customers", ""},
	"customer.products":       {"qiheng-admin", "/o/QIHENG/customers", "/customers/"},
	"customer.resources":      {"qiheng-admin", "/o/QIHENG/customers", "/resources"},
	"customer.orders":         {"qiheng-admin", "/o/QIHENG/customers", "/resources"},
	"customer.managers":       {"qiheng-admin", "/o/QIHENG/customers", "/customers/"},
	"customer.associations":   {"qiheng-admin", "/o/QIHENG/customers", "/customers/"},
	"peaks":                   {"qiheng-admin", "/o/QIHENG/peaks", ""},
	"peak.imports":            {"hengluo-admin", "/o/HENGLUO/peak-imports", ""},
	"peak.bad_rows":           {"hengluo-admin", "/o/HENGLUO/peak-imports", "/peak-imports/"},
	"expenditure.older":       {"qiheng-admin", "/o/QIHENG/expenditure/archive", ""},
	"peak.days":               {"qiheng-admin", "/o/QIHENG/peaks", "/peaks/"},
	"peak.points":             {"qiheng-admin", "/o/QIHENG/peaks", "/peaks/"},
	"prospects":               {"qiheng-admin", "/o/QIHENG/prospects", ""},
	"invitations":             {"qiheng-admin", "/o/QIHENG/prospects/invitations", ""},
	"invitation.tries":        {"qiheng-admin", "/o/QIHENG/prospects/invitations", "/invitations/"},
	"prospect.invitations":    {"qiheng-admin", "/o/QIHENG/prospects", "/prospects/"},
	"grants":                  {"hengluo-admin", "/o/HENGLUO/prospect-grants", ""},
	"registrations":           {"hengluo-admin", "/o/HENGLUO/registrations", ""},
	"relations":               {"qiheng-admin", "/o/QIHENG/associations", ""},
	"quotas":                  {"qiheng-admin", "/o/QIHENG/coupons/quotas", ""},
	"quotas.shared":           {"guangzhu-admin", "/o/GUANGZHU/coupons/shared", ""},
	"quota.coupons":           {"qiheng-admin", "/o/QIHENG/coupons/quotas", "/quotas/"},
	"coupons":                 {"qiheng-admin", "/o/QIHENG/coupons", ""},
	"coupon.used":             {"qiheng-admin", "/o/QIHENG/coupons", "/coupons/0"},
	"coupon.uses":             {"qiheng-admin", "/o/QIHENG/coupons/uses", ""},
	"coupon.records":          {"qiheng-admin", "/o/QIHENG/coupons/records", ""},
	"assignments":             {"qiheng-admin", "/o/QIHENG/assignments", ""},
	"assignments.customers":   {"qiheng-admin", "/o/QIHENG/assignments", "/assignments/"},
	"dashboard.expenditure":   {"qiheng-admin", "/o/QIHENG/dashboards/expenditure", ""},
	"dashboard.anomalies":     {"qiheng-admin", "/o/QIHENG/dashboards/expenditure/anomalies?cycle=2026-10", ""},
	"dashboard.forecast":      {"qiheng-admin", "/o/QIHENG/dashboards/expenditure/forecast", ""},
	"dashboard.customers":     {"qiheng-admin", "/o/QIHENG/dashboards/customers", ""},
	"allocations":             {"guangzhu-admin", "/o/GUANGZHU/funds/allocations", ""},
	"withdrawals":             {"qiheng-admin", "/o/QIHENG/funds/withdrawals", ""},
	"withdrawal.parts":        {"qiheng-admin", "/o/QIHENG/funds/withdrawals", "/withdrawals/"},
	"payouts":                 {"hengluo-admin", "/o/HENGLUO/payouts", ""},
	"payout.parts":            {"hengluo-admin", "/o/HENGLUO/payouts", "/payouts/"},
	"subscriptions":           {"qiheng-admin", "/o/QIHENG/subscriptions", ""},
	"subscription.dispatches": {"qiheng-admin", "/o/QIHENG/subscriptions", "/subscriptions/"},
	"dispatch.tries":          {"qiheng-admin", "", "/dispatches/"},
	"statements":              {"qiheng-admin", "/o/QIHENG/statements", ""},
	"statement.lines":         {"qiheng-admin", "/o/QIHENG/statements", "/statements/0"},
	"statement.rules":         {"qiheng-admin", "/o/QIHENG/statements/rules", ""},
	"statement.rule_history":  {"qiheng-admin", "/o/QIHENG/statements/rules", ""},
	"statement.heads":         {"qiheng-admin", "/o/QIHENG/statements/letterhead", ""},
	"statements.own":          {"yuqiao-admin", "/o/YUQIAO/billing/statements", ""},
	"statement.own_lines":     {"yuqiao-admin", "/o/YUQIAO/billing/statements", "/statements/"},
	"invoices":                {"qiheng-admin", "/o/QIHENG/invoices", ""},
	"invoice_requests":        {"hengluo-admin", "/o/HENGLUO/invoice-requests", ""},
	"reconciliations":         {"qiheng-admin", "/o/QIHENG/reconciliations", ""},
	"reconcile.rows":          {"qiheng-admin", "/o/QIHENG/reconciliations", "/reconciliations/"},
	"funds.accounts":          {"qiheng-admin", "/o/QIHENG/funds", ""},
	"funds.movements":         {"qiheng-admin", "/o/QIHENG/funds/movements", ""},
	"funds.bills":             {"qiheng-admin", "/o/QIHENG/funds/bills", ""},
	"funds.adjustments":       {"qiheng-admin", "/o/QIHENG/funds/adjustments", ""},
	"topups":                  {"qiheng-admin", "/o/QIHENG/funds/top-ups", ""},
	"agreements":              {"hengluo-admin", "/o/HENGLUO/agreements", ""},
	"contracts":               {"qiheng-admin", "/o/QIHENG/contracts", ""},
	"contract.plan":           {"qiheng-admin", "/o/QIHENG/contracts", "/contracts/"},
	"claims":                  {"hengluo-admin", "/o/HENGLUO/remittance-claims", ""},
	"remittances":             {"hengluo-admin", "/o/HENGLUO/remittances?q=demo-qiheng&from=2026-01-05&to=2026-11-01", ""},
	"credit_lines":            {"hengluo-admin", "/o/HENGLUO/ledger/credit-lines", ""},
	"ledger":                  {"hengluo-admin", "/o/HENGLUO/ledger", ""},
	"desk":                    {"hengluo-admin", "/o/HENGLUO/ops", ""},
	"calendar":                {"hengluo-admin", "/o/HENGLUO/ops/calendar", ""},
	"limits":                  {"hengluo-admin", "/o/HENGLUO/ops/limits", ""},
	"partner.trail":           {"yuqiao-admin", "/o/YUQIAO/partner/trail", ""},
	"consoles":                {"hengluo-admin", "/o/HENGLUO/consoles", ""},
}

// demoWorld is a small invented world on the embedded database, in which every list above has rows.
func demoWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, clock: clock.At(time.Date(2026, 11, 20, 2, 0, 0, 0, time.UTC))}
	s := app.Settings{Addr: "127.0.0.1:0", BaseURL: "http://localhost:8080", Data: t.TempDir(), ExportKeep: 7 * 24 * time.Hour, Dev: true}
	a, err := app.Open(context.Background(), s, app.Options{Clock: w.clock, Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))})
	w.must(err)
	t.Cleanup(func() { w.must(a.Close()) })
	w.app = a
	w.must2(a.DemoWorld(context.Background(), app.DemoSize{Months: 7, Customers: 3}, nil))
	handler, err := a.Handler()
	w.must(err)
	srv := httptest.NewServer(handler)
	t.Cleanup(srv.Close)
	w.url = srv.URL
	v := w.actor("qiheng-admin")
	for path, form := range map[string][]string{
		"/o/QIHENG/reconciliations": {"cycle", "2026-09", "with", "cycle", "against", "2026-08", "match", "product"},
		"/o/QIHENG/funds/top-ups":   {"vendor", "HENGLUO", "currency", "CNY", "amount", "1234.56", "channel", "simulator"},
	} {
		if r := v.post(path, form...); r.status != http.StatusSeeOther {
			t.Fatalf("%s: %d %s", path, r.status, text(r.body))
		}
	}
	for _, q := range []string{"INSERT INTO peak_quarantine (import_id, number, file, line_no, name, value, code, args, raw) SELECT id, 1, name, 7, 'value', '-1', 'peak.value_negative', '{\"value\":\"-1\"}', '' FROM peak_import",
		"INSERT INTO dispatch_try (dispatch_id, try_no, began_at, ended_at, status, code, detail) SELECT id, 1, '2026-11-19T07:00:00.000000Z', '2026-11-19T07:00:01.000000Z', 503, '', 'slow down' FROM dispatch",
		"INSERT INTO calendar_day (vendor_id, on_day, kind, note, changed_by, changed_at) SELECT id, '2026-12-19', 'work', 'stocktaking', 'hengluo-admin', '2026-11-19T07:00:00.000000Z' FROM organisation WHERE code = 'HENGLUO'"} {
		w.must2(a.DB.Writer().Exec(q))
	}
	return w
}

// actor is the browser of somebody of the demo world, opened once.
func (w *world) actor(login string) *visitor {
	w.t.Helper()
	if w.people == nil {
		w.people = map[string]*visitor{}
	}
	if w.people[login] == nil {
		v := w.nobody()
		if r := v.post("/login", "username", login, "password", "Huoban-demo-2026"); r.status != http.StatusSeeOther {
			w.t.Fatalf("sign in as %s: %d", login, r.status)
		}
		w.people[login] = v
	}
	return w.people[login]
}

// cardOf is the part of a page that shows a list.
func cardOf(page *goquery.Document, kind string) *goquery.Selection {
	id := strings.ReplaceAll(kind, ".", "-")
	return page.Find("#export-" + id + ", #columns-" + id).First().Closest("section")
}

// find gives the address at which the list has rows.
func (x corner) find(t *testing.T, w *world, kind string) (string, *goquery.Document) {
	t.Helper()
	v := w.actor(x.who)
	at := []string{x.page}
	if x.page == "" { // a page of a page
		first := w.page("subscriptions", v.get("/o/QIHENG/subscriptions"), http.StatusOK).Find("main td a[href*='/subscriptions/'], main th a[href*='/subscriptions/']").AttrOr("href", "")
		at = []string{first}
	}
	if x.via != "" {
		at = w.page(kind, v.get(at[0]), http.StatusOK).Find("main td a[href*='" + x.via + "'], main th a[href*='" + x.via + "']").Map(func(_ int, a *goquery.Selection) string { return a.AttrOr("href", "") })
	}
	for _, address := range at[:min(len(at), 20)] {
		page := w.page(kind, v.get(address), http.StatusOK)
		if cardOf(page, kind).Find("tbody tr").Length() > 0 {
			return address, page
		}
	}
	t.Fatalf("%s has no row on any of %q", kind, at)
	return "", nil
}

// narrowings are ways to narrow a list that its page offers, none first: of the first and last choices, a word of the
// first row, a word nobody has, and days, four, and two of these together.
func narrowings(page *goquery.Document, card *goquery.Selection) (out []url.Values) {
	word := strings.Join(strings.Fields(card.Find("tbody tr").First().Find(".hb-s, .hb-mono").First().Text()), "")
	card.Find("form.hb-filter").First().Find("select[name], input[name]").Each(func(_ int, s *goquery.Selection) {
		name := s.AttrOr("name", "")
		var values []string
		switch {
		case s.Is("select"):
			values = s.Find("option:not([selected])").Map(func(_ int, o *goquery.Selection) string { return o.AttrOr("value", "") })
			values = slices.DeleteFunc(values, func(v string) bool { return v == "" })
			for len(values) > 2 { // the first and the last
				values = slices.Delete(values, 1, 2)
			}
		case name == "q":
			values = []string{word, "nobody-is-called-so"}
		case s.AttrOr("placeholder", "") == "2026-10-01" || s.AttrOr("type", "") == "date":
			values = []string{"2026-10-15"}
		}
		for _, v := range values {
			if v != "" {
				out = append(out, url.Values{name: {v}})
			}
		}
	})
	rand.New(rand.NewPCG(3, uint64(len(out)))).Shuffle(len(out), func(i, k int) { out[i], out[k] = out[k], out[i] })
	out = out[:min(len(out), 4)]
	if len(out) > 1 {
		both := maps.Clone(out[0])
		maps.Copy(both, out[1])
		out = append(out, both)
	}
	return append([]url.Values{nil}, out...)
}

// narrowed is an address with some parameters set.
func narrowed(address string, by url.Values) string {
	path, query, _ := strings.Cut(address, "?")
	v, err := url.ParseQuery(query)
	if err != nil {
		panic(err)
	}
	if maps.Copy(v, by); len(v) > 0 {
		path += "?" + v.Encode()
	}
	return path
}

// TestDemoListsEqualTheirFiles: in a world whose texts were made to do harm, every list that tries does not know has rows
// somewhere; under every filter its page offers, rows, figures to the last digit, totals and short code are those of the
// CSV and of the XLSX; no file begins a formula or names a customer, and every file but those without free text has
// had some to disarm.
func TestDemoListsEqualTheirFiles(t *testing.T) {
	w := demoWorld(t)
	w.harm()
	w.must2(w.app.DB.Writer().Exec("UPDATE slot SET cycle = '2025-01' WHERE cycle = '2026-05'")) // a month behind those of the pages
	clear := w.personal()
	known := map[string]bool{}
	for _, x := range tries("", "") {
		known[x.kind] = true
	}
	for kind := range portal.ListKinds() {
		if _, here := corners[kind]; here == known[kind] {
			t.Errorf("the list %q is to have a row in corners or in tries", kind)
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(corners)) {
		t.Run(kind, func(t *testing.T) {
			x := corners[kind]
			address, page := x.find(t, w, kind)
			disarmed := 0
			ways := narrowings(page, cardOf(page, kind))
			for _, narrow := range ways {
				disarmed += compareDemoList(t, w, kind, x.who, narrowed(address, narrow), clear)
			}
			if reason := textless[kind]; (disarmed == 0) != (reason != "") {
				t.Errorf("%s: %d texts were disarmed; excuse %q", kind, disarmed, reason)
			}
		})
	}
}

// compareDemoList compares a list with its files and tells how many cells of them were disarmed.
func compareDemoList(t *testing.T, w *world, kind, who, address string, clear []string) (disarmed int) {
	t.Helper()
	v := w.actor(who)
	org := strings.Split(address, "/")[2]
	r := v.get(address)
	if r.status == http.StatusUnprocessableEntity {
		return 0 // a span that ends before it begins
	}
	page := w.page(address, r, http.StatusOK)
	card := cardOf(page, kind)
	if card.Find("tbody tr").Length() == 0 {
		return 0
	}
	var heads []string
	card.Find("thead th:not(.acts)").Each(func(_ int, s *goquery.Selection) { heads = append(heads, shownText(s)) })
	tasks := map[string]string{}
	for _, format := range []string{"csv", "xlsx"} {
		action, pairs := formIn(page, kind, format)
		reply := v.program().post(action, pairs...)
		var got struct{ Task string }
		if reply.status != http.StatusOK || json.Unmarshal([]byte(reply.body), &got) != nil {
			t.Fatalf("%s as %s: %d %s", address, format, reply.status, reply.body)
		}
		tasks[format] = got.Task
		if pinned := fieldOf(pairs, "query"); format == "csv" && strings.Contains(pinned, "until=") {
			address = strings.Split(address, "?")[0] + "?" + pinned
		}
	}
	if large := card.Find(".hb-pager a[href*='size=100']").AttrOr("href", ""); large != "" {
		address = large
	}
	rows, total, code := pagesOf(t, v, address, kind)
	w.work()
	for _, format := range []string{"csv", "xlsx"} {
		file := v.file(org, tasks[format])
		if file.status != http.StatusOK {
			t.Fatalf("%s as %s: %d %s", address, format, file.status, text(file.body))
		}
		table, n := harmless(t, address, format, file.body)
		disarmed += n
		unnamed(t, address+" as "+format, table, clear)
		got := readList(t, table, heads)
		if got.code != code || got.count != int64(len(got.rows)) || len(got.rows) != len(rows) && !(len(rows) == someRows && len(got.rows) > someRows) {
			t.Errorf("%s as %s: %d rows (says %d), code %s; the page has %d, %s", address, format, len(got.rows), got.count, got.code, len(rows), code)
			continue
		}
		for i := range rows {
			for k := range heads {
				if a, b := bare(rows[i][k]), bare(got.rows[i][k]); a != b && !(strings.HasSuffix(a, "B") && aNumber.MatchString(b)) { // a file has all bytes
					t.Fatalf("%s as %s: row %d, %s: the page shows %q, the file %q", address, format, i, heads[k], a, b)
				}
			}
		}
		for _, one := range got.totals {
			if figure := strings.Fields(one); !slices.ContainsFunc(strings.Split(total, " · "), func(s string) bool { return bare(s) == bare(figure[len(figure)-1]) || bare(s) == bare(figure[0]) }) {
				t.Errorf("%s as %s: total %q, the page shows %q", address, format, one, total)
			}
		}
	}
	return disarmed
}

// someRows is how much of a list of thousands is read on the screen; its short code stands for the others.
const someRows = 1000

// pagesOf reads the pages of a list, as wholeList does, up to someRows.
func pagesOf(t *testing.T, v *visitor, address, kind string) (rows [][]string, total, code string) {
	t.Helper()
	seen := func(rows [][]string) bool { return len(rows) >= someRows }
	return readPages(t, v, address, kind, seen)
}

// bare is the text of a cell without what page and file write differently: blanks and marks of figures.
func bare(s string) string {
	return plain(strings.Join(strings.Fields(strings.NewReplacer("\u200b", "", "¥", "", "US$", "", "CNY", "", "USD", "", "—", "").Replace(s)), ""))
}

func unnamed(t *testing.T, what string, table [][]string, clear []string) {
	t.Helper()
	for _, r := range table {
		said := bare(strings.Join(r, "\x00"))
		for _, name := range clear {
			if strings.Contains(said, name) {
				t.Fatalf("%s: %q names %q", what, r, name)
			}
		}
	}
}
