package main

import (
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	lineHead = "line_id,cycle,charge_start,product,category,currency,billed,list,sub_account\n"
	mapHead  = "source,key,customer,partner,association,valid_from,valid_to\n"
	ruleHead = "partner,customer,provider,product,charging_mode,region,type,base,factor,valid_from,valid_to\n"
)

// busyBills are the bills of a busy world.
var busyBills = []string{"P1 2024-09", "P2 2024-09", "P1 2024-10", "P2 2024-10", "P1 2025-01", "D1 2025-01", "R1 2025-01", "P1 2025-02", "D1 2025-02", "R1 2025-02",
	"P1 2026-03", "P1 2026-04"}

// busy fills a world with everything a bill may rest on: two vendors with a third of their own lines,
// price rules, a distributor and its reseller, spread tax, a remap and late lines after the close, a
// staff adjustment, an override and open months.
func (w *world) busy() {
	w.t.Helper()
	w.do("source", "add", "--name", "focus", "--vendor", "ACME", "--dialect", "focus")
	w.do("import", filepath.Join(samples, "focus-1.0/focus_sample.csv"), "--source", "focus", "--final")
	w.do("map", "auto", "--source", "focus", "--partner", "P1", "--association", "resale")
	w.do("price", "import", w.file("acme.csv", ruleHead+"P1,,,,,,normal,billed,0.85,,\nP1,,,,,us-west-2,promotion,list,0.7,,\n"))
	w.do("close", "--vendor", "ACME", "--cycle", "2024-09", "--issue")
	w.do("map", "import", w.file("move.csv", mapHead+"focus,68974153460,MOVED,P2,resale,,\n"))

	w.do("source", "add", "--name", "own", "--vendor", "V", "--dialect", "huoban", "--mode", "snapshot", "--zone", "UTC", "--loose", "spread")
	w.do("org", "add", "--code", "D1", "--kind", "distributor", "--name", "Distributor", "--parent", "V")
	w.do("org", "add", "--code", "R1", "--kind", "reseller", "--name", "Reseller", "--parent", "D1")
	w.do("import", w.file("jan.csv", lineHead+"1,2025-01,2025-01-02,Server,usage,CNY,100.123456789,120,a1\n2,2025-01,2025-01-03,Disk,usage,CNY,50.5,60,a2\n"+
		"3,2025-01,2025-01-03,Disk,refund,CNY,-7.25,-7.25,a3\n4,2025-01,2025-01-09,Disk,usage,CNY,30,30,a3\n5,2025-01,2025-01-31,Tax,tax,CNY,10,10,\n"), "--source", "own")
	w.do("map", "import", w.file("own.csv", mapHead+"own,a1,C1,R1,resale,,\nown,a2,C2,D1,resale,,\nown,a3,C3,P1,resale,,\n"))
	w.do("price", "import", "--vendor", "V", w.file("v.csv", ruleHead+"D1,,,,,,normal,billed,0.731,,\nR1,,,,,,normal,list,0.917,,\n"))
	w.do("close", "--vendor", "V", "--cycle", "2025-01", "--issue", "--override", "confirmed by the cloud")
	w.do("import", w.file("late.csv", lineHead+"1,2025-01,2025-01-02,Server,usage,CNY,100.123456789,120,a1\n2,2025-01,2025-01-03,Disk,usage,CNY,50.5,60,a2\n"+
		"3,2025-01,2025-01-03,Disk,refund,CNY,-7.25,-7.25,a3\n6,2025-01,2025-01-10,Disk,usage,CNY,33.3,33.3,a3\n5,2025-01,2025-01-31,Tax,tax,CNY,10,10,\n"), "--source", "own")
	w.do("import", w.file("feb.csv", lineHead+"7,2025-02,2025-02-02,Server,usage,CNY,41.5,50,a1\n8,2025-02,2025-02-02,Server,usage,CNY,12,12,a3\n"), "--source", "own", "--final")
	pw := w.file("pw", "Long-enough-Passw0rd!\n")
	w.do("user", "add", "--org", "V", "--login", "anna", "--role", "finance", "--password-file", pw)
	w.do("user", "add", "--org", "V", "--login", "boris", "--role", "finance", "--password-file", pw)
	entry := decode[struct{ Adjustments []struct{ ID string } }](w.t, w.do("--json", "--as", "anna", "adjustment", "propose", "--vendor", "V", "--partner", "P1",
		"--corrects", "2025-01", "--currency", "CNY", "--amount", "-2.5", "--reason", "goodwill"))
	w.do("--as", "boris", "adjustment", "approve", entry.Adjustments[0].ID)
	w.do("close", "--vendor", "V", "--cycle", "2025-02", "--issue")

	w.do("source", "add", "--name", "gcp", "--vendor", "G", "--dialect", "gcp")
	w.do("import", filepath.Join(samples, "gcp-synth/sample_billing_data.csv"), "--source", "gcp", "--final")
	w.do("map", "auto", "--source", "gcp", "--partner", "P1", "--association", "resale", "--key", "project_id")
	w.do("close", "--vendor", "G", "--cycle", "2026-03", "--issue")
}

// whole wants audit chain and recomputation to agree.
func (w *world) whole() {
	w.t.Helper()
	w.do("verify")
	w.do("audit", "verify")
}

// beside is another world with the same key, for a database that came from w.
func (w *world) beside(name, db string) *world {
	w.t.Helper()
	to := &world{t: w.t, engine: w.engine, data: filepath.Join(w.t.TempDir(), name), db: db, clock: w.clock}
	if err := os.MkdirAll(to.data, 0o700); err != nil {
		w.t.Fatal(err)
	}
	for _, file := range []string{"portal.key", "audit-heads.jsonl"} {
		body, err := os.ReadFile(filepath.Join(w.data, file))
		if os.IsNotExist(err) {
			continue
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(to.data, file), body, 0o600)
		}
		if err != nil {
			w.t.Fatal(err)
		}
	}
	return to
}

// TestEnginesAreOneProduct: the same road on SQLite, on SQLite again and on PostgreSQL gives the same
// bytes; so does a database moved to the other engine, there and back, and one restored from a backup
// of either.
func TestEnginesAreOneProduct(t *testing.T) {
	t.Parallel()
	lite, again, pg := newWorld(t, "sqlite"), newWorld(t, "sqlite"), newWorld(t, "postgres")
	var want string
	for i, w := range []*world{lite, again, pg} {
		w.busy()
		got := w.canonical(busyBills...)
		if i == 0 {
			want = got
			if strings.Contains(want, lite.data) || strings.Count(want, `"partner"`) < len(busyBills) {
				t.Fatalf("not what a canonical export holds:\n%.2000s", want)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%d on %s (-first +this):\n%.4000s", i, w.engine, diff)
		}
	}
	lite.whole()
	pg.whole()

	check := func(name string, w *world) {
		t.Helper()
		if diff := cmp.Diff(want, w.canonical(busyBills...)); diff != "" {
			t.Errorf("%s (-before +after):\n%.4000s", name, diff)
		}
		w.whole()
	}
	toPG := lite.beside("to-postgres", emptyPostgres(t))
	lite.do("migrate", "--to", toPG.db)
	check("moved to PostgreSQL", toPG)
	if got := lite.refused("migrate", "--to", toPG.db); len(got) == 0 {
		t.Error("a target that is not empty was taken")
	}
	toLite := pg.beside("to-sqlite", "")
	pg.do("migrate", "--to", filepath.Join(toLite.data, "portal.db"))
	check("moved to SQLite", toLite)
	back := toLite.beside("back", emptyPostgres(t))
	toLite.do("migrate", "--to", back.db)
	check("moved back to PostgreSQL", back)

	for _, from := range []*world{lite, pg} {
		file := filepath.Join(t.TempDir(), from.engine+".backup")
		from.do("backup", file)
		restored := from.beside("restored-"+from.engine, "")
		if from.engine == "postgres" {
			restored.db = emptyPostgres(t)
		}
		restored.do("restore", file)
		check("restored on "+from.engine, restored)
		if code, _, _ := restored.exec("restore", file); code != exitRefused {
			t.Errorf("restored over a database that is not empty: exit %d", code)
		}
		if code, _, _ := from.exec("backup", file); code != exitRefused {
			t.Errorf("a backup wrote over a file: exit %d", code)
		}
	}
}

// copyOf copies a SQLite world, so that it can be damaged.
func (w *world) copyOf(name string) *world {
	w.t.Helper()
	to := &world{t: w.t, engine: w.engine, data: filepath.Join(w.t.TempDir(), name)}
	err := filepath.WalkDir(w.data, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(to.data, strings.TrimPrefix(path, w.data))
		if e.IsDir() {
			return os.MkdirAll(target, 0o700)
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, body, 0o600)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return to
}

// damage writes into the database file behind the portal's back, all triggers gone.
func (w *world) damage(text string) {
	w.t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(w.data, "portal.db"))
	if err != nil {
		w.t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(w.t.Context(), "select name from sqlite_master where type = 'trigger'")
	if err != nil {
		w.t.Fatal(err)
	}
	var drops []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			w.t.Fatal(err)
		}
		drops = append(drops, "drop trigger "+name)
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
	rows.Close()
	for _, q := range append(drops, text) {
		res, err := db.ExecContext(w.t.Context(), q)
		if err != nil {
			w.t.Fatalf("%s: %v", q, err)
		}
		if n, _ := res.RowsAffected(); q == text && n == 0 {
			w.t.Fatalf("%s: no row", q)
		}
	}
}

// TestTamperingIsFound: one digit altered behind the portal's back is found by the commands, and the
// audit chain names its first broken row.
func TestTamperingIsFound(t *testing.T) {
	t.Parallel()
	whole := newWorld(t, "sqlite")
	whole.busy()
	whole.whole()
	for i, c := range []struct{ table, set string }{
		{"kept_chunk", "body = cast(substr(body, 1, 40) || (case when substr(body, 41, 1) = x'41' then x'42' else x'41' end) || substr(body, 42) as blob) where chunk_no = 0"},
		{"usage_line", "billed = '100.123456788' where billed = '100.123456789'"},
		{"usage_line", "amount_e8 = amount_e8 + 1 where billed = '50.5'"},
		{"usage_line", "occurrence = 1 where billed = '50.5'"},
		{"usage_summary", "amount_e8 = amount_e8 + 1 where currency = 'EUR'"},
		{"map_rule", "key = 'a9' where key = 'a3'"},
		{"price_rule", "factor = '0.732' where factor = '0.731'"},
		{"bill", "due_e8 = due_e8 + 1 where cycle = '2025-01'"},
		{"bill", "price_seq = price_seq + 1 where cycle = '2025-01'"},
		{"bill", "vendor_id = 'x' || substr(vendor_id, 2) where cycle = '2025-02'"},
		{"bill_item", "amount_e8 = amount_e8 + 1 where item_no = 1"},
		{"adjustment", "base = '-2.6' where base = '-2.5'"},
		{"audit", "detail = replace(detail, '0.731', '0.732') where detail like '%0.731%'"},
	} {
		w := whole.copyOf(fmt.Sprint(i))
		w.damage("update " + c.table + " set " + c.set)
		code, out, stderr := w.exec("--json", "verify")
		report := decode[struct {
			Differences []struct{ Table, Key string }
		}](t, out)
		if code != exitRefused || !slices.ContainsFunc(report.Differences, func(d struct{ Table, Key string }) bool { return d.Table == c.table }) {
			t.Errorf("%s %s: exit %d, found %v %s", c.table, c.set, code, report.Differences, stderr)
		}
	}
	w := whole.copyOf("audit")
	w.damage("update audit set actor = 'nobody' where seq in (5, 9)")
	if code, _, stderr := w.exec("audit", "verify"); code != exitRefused || !strings.Contains(stderr, "5") || strings.Contains(stderr, "9") {
		t.Errorf("exit %d: %s", code, stderr)
	}
	w = whole.copyOf("cut")
	w.damage("delete from audit where seq = (select max(seq) from audit)")
	if code, out, stderr := w.exec("audit", "verify"); code != exitRefused {
		t.Logf("a cut tail is seen once a head was published: exit %d %s%s", code, out, stderr)
	}
}
