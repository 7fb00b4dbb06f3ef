package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"huoban/internal/id"
)

const samples = "../../data/samples"

// world is one portal with its own data folder and database, used through its commands in this
// process.
type world struct {
	t      *testing.T
	engine string
	data   string // PORTAL_DATA
	db     string // PORTAL_DB; empty is SQLite
	clock  string // PORTAL_CLOCK; empty is now
}

// eachEngine runs a test on SQLite and on PostgreSQL.
func eachEngine(t *testing.T, fn func(t *testing.T, w *world)) {
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			fn(t, newWorld(t, engine))
		})
	}
}

func newWorld(t *testing.T, engine string) *world {
	t.Helper()
	w := &world{t: t, engine: engine, data: filepath.Join(t.TempDir(), "state")}
	if engine == "postgres" {
		w.db = emptyPostgres(t)
	}
	return w
}

// emptyPostgres makes a database that the test's end removes.
func emptyPostgres(t *testing.T) string {
	t.Helper()
	server := os.Getenv("PORTAL_TEST_PG")
	if server == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("PORTAL_TEST_PG is not set: CI must run both engines")
		}
		t.Skip("PORTAL_TEST_PG is not set (make test starts a server itself)")
	}
	admin, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	name := "w_" + strings.ReplaceAll(id.New(), "-", "")
	if _, err := admin.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = admin.ExecContext(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)")
		admin.Close()
	})
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

// exec runs a command and gives its exit code, stdout and stderr.
func (w *world) exec(args ...string) (int, []byte, string) {
	w.t.Helper()
	var stdout, stderr bytes.Buffer
	all := []string{"--data", w.data, "--db", w.db}
	if w.clock != "" {
		all = append(all, "--dev", "--clock", w.clock)
	}
	code := run(w.t.Context(), append(all, args...), &stdout, &stderr)
	return code, stdout.Bytes(), stderr.String()
}

// do runs a command that must be done and gives its stdout.
func (w *world) do(args ...string) []byte {
	w.t.Helper()
	code, stdout, stderr := w.exec(args...)
	if code != exitDone {
		w.t.Fatalf("%s: exit %d on %s\n%s", strings.Join(args, " "), code, w.engine, stderr)
	}
	return stdout
}

// refused runs a command that must be refused and gives the codes of the refusal and its reasons.
func (w *world) refused(args ...string) []string {
	w.t.Helper()
	code, stdout, stderr := w.exec(append([]string{"--json"}, args...)...)
	if code != exitRefused {
		w.t.Fatalf("%s: exit %d on %s, want a refusal\n%s%s", strings.Join(args, " "), code, w.engine, stdout, stderr)
	}
	doc := decode[struct {
		Refused struct {
			Code    string
			Reasons []struct{ Code string }
		}
	}](w.t, stdout)
	codes := []string{doc.Refused.Code}
	for _, r := range doc.Refused.Reasons {
		codes = append(codes, r.Code)
	}
	return codes
}

// file writes a file the test makes up.
func (w *world) file(name, content string) string {
	w.t.Helper()
	path := filepath.Join(filepath.Dir(w.data), name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return path
}

func decode[T any](t *testing.T, body []byte) T {
	t.Helper()
	var v T
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return v
}

// billDoc is what a test reads of a bill.
type billDoc struct {
	Partner, Seller, Cycle, Currency, Entity, State string
	LineCount                                       json.Number `json:"line_count"`
	Consumption, Refund, Adjustment, Rounding, Tax  string
	Due                                             string `json:"amount_due"`
	Source                                          string `json:"source_total"`
	Exact                                           string `json:"exact_total"`
	TaxExact                                        string `json:"tax_exact"`
	Residue                                         string
	Products, Customers, Lines                      []map[string]any
}

// bills reads a partner's bills of a cycle.
func (w *world) bills(partner, cycle string, more ...string) []billDoc {
	w.t.Helper()
	out := w.do(append([]string{"bill", "--partner", partner, "--cycle", cycle, "--format", "json"}, more...)...)
	return decode[struct{ Bills []billDoc }](w.t, out).Bills
}

// imported is what an import says of itself.
type imported struct {
	Added, Removed, Changed, Quarantined, Rows int64
	Cycles                                     []struct {
		Cycle, Currency string
		LineCount       int64 `json:"line_count"`
		Total           string
	}
}

func (w *world) imports(args ...string) imported {
	w.t.Helper()
	return decode[imported](w.t, w.do(append([]string{"--json", "import"}, args...)...))
}

// canonical is the canonical export of the bills named "PARTNER CYCLE".
func (w *world) canonical(bills ...string) string {
	w.t.Helper()
	var b strings.Builder
	for _, one := range bills {
		partner, cycle, _ := strings.Cut(one, " ")
		fmt.Fprintf(&b, "%s\n%s", one, w.do("bill", "--partner", partner, "--cycle", cycle, "--format", "canonical"))
	}
	return b.String()
}
