package portal_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// harmful are beginnings of texts that a spreadsheet would run: formulas by every sign that begins one, behind blanks and
// quotes, in full width, as DDE, and behind what ends a cell.
var harmful = []string{
	`=1+1`, `+1+1`, `-2+3`, `@SUM(1+9)*cmd|' /C calc'!A0`, "\t=1+1", "\r=1+1", "\n=1+1", `＝1+1`, `＋1`, `－1`, `＠SUM(1)`, ` =1+1`, "\u3000=1", "\u200b=1", "\u00a0=1",
	`=cmd|' /C calc'!A0`, `=DDE("cmd";"/C calc";"1")`, `=HYPERLINK("https://x.example","a")`, `"=1+1`, `",=1+1,"`, `'=1+1`, `;=1+1`, `-`, `=`,
}

// harmed are the columns people and deliveries fill with text of their own; {prefix} goes before what stands there.
var harmed = map[string][]string{
	"organisation": {"name"}, "contracting_entity": {"name"}, "account_dim": {"sub_account_name", "source_key"}, "product_dim": {"service", "description", "region_name"}, "resource_dim": {"resource", "name", "order_no"},
	"adjustment": {"reason"}, "announcement": {"title_zh", "title_en"}, "audit": {"on_behalf", "object"}, "calendar_day": {"note"}, "company_change": {"name", "name_en", "address", "was_name"}, "coupon": {"memo", "reason", "lock_order"},
	"coupon_quota": {"memo", "reason"}, "coupon_record": {"remark"}, "coupon_use": {"service", "region", "order_id"}, "custom_role": {"name"}, "customer_label": {"label"}, "delivery_file": {"name"},
	"invitation": {"label", "address"}, "invitation_try": {"customer_name"}, "invoice_part": {"order_no"}, "dispatch_try": {"detail"}, "dispatch": {"file_name"}, "subscription": {"name", "bucket"},
	"invoice_request": {"number", "title_name", "title_tax_no", "title_bank", "title_account", "title_address", "recipient", "remark", "reason", "courier", "tracking", "invoice_number", "return_reason"},
	"ledger_entry":    {"number", "memo"}, "map_rule": {"key"}, "contract": {"number", "paper_no", "title", "remark", "reason"}, "payment_agreement": {"number", "payer", "remark", "reason"}, "month_close": {"override_note"}, "peak_series": {"resource", "name", "region"}, "peak_import": {"name"}, "peak_quarantine": {"file", "value"}, "person": {"name"},
	"price_rule": {"product", "region"}, "prospect": {"name", "industry", "remark", "reason"}, "quarantine": {"value", "raw", "column_name"}, "relation_request": {"reason", "answer"},
	"remittance": {"bank_ref", "account_no", "payer_name", "purpose"}, "remittance_claim": {"payer_name", "note", "reason"}, "reconcile_row": {"row_key"}, "reconcile_run": {"left_label", "right_label"},
	"sso_sp": {"name"}, "statement": {"customer_name", "number"}, "statement_head": {"name", "note", "contact", "bank"}, "statement_line": {"product", "region"}, "statement_rule": {"product"},
	"top_up": {"number", "gateway_ref"}, "transition_log": {"reason"}, "withdrawal": {"number", "bank", "branch", "account", "holder", "memo", "reason", "receipt"}, "withdrawal_part": {"number"},
	"customer_trail": {"what", "actor"},
}

// textless are the lists of which no column is filled by anybody: figures, days and the portal's own words.
var textless = map[string]string{
	"closes":                "what stands in the way, in the portal's words",
	"contract.plan":         "days, amounts and the portal's words",
	"customer.orders":       "one order, before whose texts stands nothing a spreadsheet takes for a formula; the same texts are disarmed in customer.resources",
	"customer.associations": "kinds and days", "invitation.tries": "times and reasons, in the portal's words", "limits": "amounts and the portal's words", "expenditure.older": "months and figures", "peak.days": "figures", "peak.points": "figures",
	"deliveries": "names of sources are of letters and digits", "sources": "names of sources are of letters and digits", "sources.periods": "names of sources are of letters and digits",
}

// harm lets every text that came from outside begin with something harmful. What may not be changed is changed
// nevertheless: its triggers are taken away.
func (w *world) harm() {
	w.t.Helper()
	db := w.app.DB.Writer()
	rows, err := db.Query("SELECT name FROM sqlite_master WHERE type = 'trigger'")
	w.must(err)
	var names []string
	for rows.Next() {
		var name string
		w.must(rows.Scan(&name))
		names = append(names, name)
	}
	w.must(rows.Err())
	for _, name := range names {
		w.must2(db.Exec("DROP TRIGGER " + name))
	}
	w.must2(db.Exec("INSERT INTO custom_role (org_id, code, name, updated_at) SELECT id, 'odd', 'odd', '2026-01-01T00:00:00.000000Z' FROM organisation WHERE code = 'NOVA'"))
	for table, columns := range harmed {
		for i, column := range columns {
			choice, args := "", []any{}
			for k, h := range harmful {
				choice += fmt.Sprintf(" WHEN %d THEN $%d", k, k+1)
				args = append(args, h)
			}
			// the row's own length and last letter choose, so that neighbours differ and a run is like the one before
			q := fmt.Sprintf("UPDATE %s SET %s = CASE (length(%[2]s) * 7 + coalesce(unicode(substr(%[2]s, -1)), 0) + %d) %% %d%s END || %[2]s WHERE %[2]s <> ''", table, column, i, len(harmful), choice)
			if _, err := db.Exec(q, args...); err != nil {
				w.t.Fatalf("%s.%s: %v", table, column, err)
			}
		}
	}
}

// personal are the names, numbers and addresses of people and customers as they stand in the database.
func (w *world) personal() (out []string) {
	w.t.Helper()
	for _, q := range []string{"SELECT name FROM organisation WHERE kind = 'customer'", "SELECT name FROM prospect", "SELECT phone FROM prospect", "SELECT email FROM prospect", "SELECT recipient FROM invoice_request",
		"SELECT email FROM invoice_request", "SELECT phone FROM invoice_request", "SELECT account_no FROM remittance", "SELECT payer_account FROM remittance", "SELECT account FROM withdrawal", "SELECT customer_name FROM statement",
		"SELECT phone FROM person", "SELECT email FROM person"} {
		rows, err := w.app.DB.Writer().Query(q)
		w.must(err)
		for rows.Next() {
			var name string
			w.must(rows.Scan(&name))
			if name = bare(name); len([]rune(name)) > 3 {
				out = append(out, name)
			}
		}
		w.must(rows.Err())
	}
	return out
}

var aNumber = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)

// harms tells whether a spreadsheet may take a text for a formula.
func harms(s string) bool {
	t := strings.TrimLeft(s, " \u00a0\u3000\ufeff\u200b\x00")
	for _, sign := range []string{"=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"} {
		if strings.HasPrefix(t, sign) || strings.HasPrefix(s, sign) {
			return !aNumber.MatchString(s)
		}
	}
	return false
}

// harmless reads a file and wants no cell of it to be run; it tells how many had been disarmed.
func harmless(t *testing.T, name, format, body string) (table [][]string, disarmed int) {
	t.Helper()
	if format == "csv" {
		table = csvOf(t, body)
		for _, r := range table {
			for _, cell := range r {
				if harms(cell) {
					t.Errorf("%s as CSV: %q is run", name, cell)
				}
				if rest, quoted := strings.CutPrefix(cell, "'"); quoted && harms(rest) {
					disarmed++
				}
			}
		}
		return table, disarmed
	}
	z, err := zip.NewReader(strings.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range z.File {
		r, err := part.Open()
		if err != nil {
			t.Fatal(err)
		}
		xml, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(xml, []byte("<f>")) || bytes.Contains(xml, []byte("<f ")) || strings.Contains(part.Name, "externalLink") {
			t.Errorf("%s as XLSX: %s has a formula", name, part.Name)
		}
	}
	sheet := bookSheet(t, body)
	f, table := xlsxOf(t, body, sheet)
	defer f.Close()
	for i, r := range table {
		for k, cell := range r {
			if !harms(cell) {
				continue
			}
			at, err := excelize.CoordinatesToCellName(k+1, i+1)
			if err != nil {
				t.Fatal(err)
			}
			if kind, err := f.GetCellType(sheet, at); err != nil || kind != excelize.CellTypeInlineString && kind != excelize.CellTypeSharedString {
				t.Errorf("%s as XLSX: %s is of type %v, %v: %q", name, at, kind, err, cell)
			}
		}
	}
	return table, 0
}

// TestHarmfulTexts: the lists of tries and those with producers of their own, in their world made harmful, give files
// of which nothing is run.
func TestHarmfulTexts(t *testing.T) {
	w := issuedWorld(t, "")
	late, bad := w.listsWorld()
	w.say()
	w.harm()
	for _, x := range tries(late, bad) {
		if x.kind == "messages" { // those of the files before; one that begins with a name
			w.must2(w.app.DB.Writer().Exec(`UPDATE message SET code = 'invoice_submit', args = '{"Partner":"=1+1","Number":"IV-1"}'`))
		}
		disarmed, read := 0, 0
		for _, by := range drawnOnce(x) {
			v, address := w.signedIn(x.who), narrowed("/o/"+x.org+x.page, by)
			page := w.page(address, v.get(address), http.StatusOK)
			for _, format := range []string{"csv", "xlsx"} {
				if action, pairs := formIn(page, x.kind, format); action != "" {
					disarmed, read = disarmed+w.disarmedIn(t, v, x.kind, x.org, format, pairs), read+1
				}
			}
		}
		if reason := textless[x.kind]; read == 0 || (disarmed == 0) != (reason != "") {
			t.Errorf("%s: %d texts were disarmed in %d files; excuse %q", x.kind, disarmed, read, reason)
		}
	}
	rows := w.signedIn("boss").get("/o/NOVA/deliveries/" + bad + "/quarantine.csv")
	if _, n := harmless(t, "quarantine.export", "csv", rows.body); rows.status != http.StatusOK || n == 0 {
		t.Errorf("rows to be corrected: %d, %d texts were disarmed", rows.status, n)
	}
	v := w.signedIn("finance")
	for _, kind := range otherExports {
		disarmed := 0
		for _, format := range []string{"csv", "xlsx"} {
			disarmed += w.disarmedIn(t, v, kind, "MUSHI", format, []string{"list", kind, "format", format, "cycle", "2026-01", "vendor", "NOVA", "partner", "MUSHI", "currency", "USD"})
		}
		if disarmed == 0 {
			t.Errorf("%s: nothing was disarmed", kind)
		}
	}
}

// drawnOnce sets nothing, and each value of a filter once.
func drawnOnce(x tried) []url.Values {
	out := []url.Values{nil}
	for name, values := range x.draws {
		for _, v := range values {
			if v != "" {
				out = append(out, url.Values{name: {v}})
			}
		}
	}
	return out
}

// disarmedIn asks for a file and looks at it.
func (w *world) disarmedIn(t *testing.T, v *visitor, kind, org, format string, pairs []string) int {
	t.Helper()
	r := v.program().post("/o/"+org+"/exports", pairs...)
	task := taskOf(r.body)
	if r.status != http.StatusOK || task == "" {
		t.Fatalf("%s as %s: %d %s", kind, format, r.status, r.body)
	}
	w.work()
	file := v.file(org, task)
	if file.status != http.StatusOK {
		t.Fatalf("%s as %s: %d %s", kind, format, file.status, text(file.body))
	}
	_, n := harmless(t, kind, format, file.body)
	return n
}

func taskOf(body string) string {
	m := regexp.MustCompile(`"task":\s*"([^"]+)"`).FindStringSubmatch(body)
	if m == nil {
		return ""
	}
	return m[1]
}
