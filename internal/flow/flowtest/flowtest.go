// Package flowtest holds the tests that every state machine gets without writing them.
//
// It owns the matrix golden, the static checks, the label and CHECK list comparison, the guard
// examples and the random walks; it does not own any machine. Run tests with -update to rewrite
// goldens.
package flowtest

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/scope"
)

var update = flag.Bool("update", false, "rewrite golden files")

// All runs every test that needs no example: the table's own checks, the matrix golden, the labels
// in both languages and the CHECK list of column in table (table empty = no table).
func All(t *testing.T, m flow.Machine, table, column string) {
	t.Helper()
	t.Run("checks", func(t *testing.T) {
		for _, err := range m.Check() {
			t.Error(err)
		}
	})
	t.Run("matrix", func(t *testing.T) { Matrix(t, m) })
	t.Run("labels", func(t *testing.T) { Labels(t, m) })
	if table != "" {
		t.Run("check list", func(t *testing.T) { CheckList(t, m, table, column) })
	}
}

// Actor is a column of the matrix.
type Actor struct {
	Name string
	Who  scope.Scope
}

// Matrix compares state × action × actor with testdata/<machine>.matrix. Actors are: nobody, a person
// without any item, one person per permission item that the table names, and the system.
func Matrix(t *testing.T, m flow.Machine) {
	t.Helper()
	actors := []Actor{{"nobody", scope.Scope{}}, {"no item", scope.Vendor("org", "person", "login", nil)}}
	for _, item := range items(m.Describe()) {
		actors = append(actors, Actor{item, scope.Vendor("org", "person", "login", []scope.Item{scope.Item(item)})})
	}
	MatrixOf(t, m, append(actors, Actor{"system", scope.System("system")}))
}

// MatrixOf is Matrix for given actors, such as every preset role.
func MatrixOf(t *testing.T, m flow.Machine, actors []Actor) {
	t.Helper()
	d := m.Describe()
	var b strings.Builder
	for _, s := range d.States {
		for _, a := range d.Actions {
			fmt.Fprintf(&b, "%s %s", s, a)
			if r := rowOf(d, s, a); r != nil {
				fmt.Fprintf(&b, " -> %s", r.To)
				for i := range r.When {
					fmt.Fprintf(&b, " when %s else %s", r.When[i], r.Codes[i])
				}
			}
			b.WriteByte('\n')
			for _, who := range actors {
				verdict := "may"
				if err := m.Permits(s, a, who.Who); err != nil {
					verdict = fault.From(err).Code
				}
				fmt.Fprintf(&b, "  %-24s %s\n", who.Name, verdict)
			}
		}
	}
	Golden(t, d.Machine+".matrix", b.String())
}

// Golden compares got with testdata/<name>.
func Golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (run with -update to write it)", err)
	}
	if string(want) == got {
		return
	}
	w, g := strings.Split(string(want), "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		if i >= len(w) || i >= len(g) || w[i] != g[i] {
			t.Fatalf("%s differs from line %d on\nwant %q\n got %q", path, i+1, at(w, i), at(g, i))
		}
	}
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(end)"
}

func items(d flow.Description) []string {
	var out []string
	for _, r := range d.Rows {
		for _, w := range r.Who {
			if w != string(flow.System) && w != string(flow.Anyone) && !slices.Contains(out, w) {
				out = append(out, w)
			}
		}
	}
	slices.Sort(out)
	return out
}

func rowOf(d flow.Description, state, action string) *flow.DescribedRow {
	for i := range d.Rows {
		if d.Rows[i].Do == action && slices.Contains(d.Rows[i].From, state) {
			return &d.Rows[i]
		}
	}
	return nil
}

// Labels checks that every state, action and guard's code has a text in both languages.
func Labels(t *testing.T, m flow.Machine) {
	t.Helper()
	d := m.Describe()
	var keys []string
	for _, s := range d.States {
		keys = append(keys, d.Machine+".state."+s)
	}
	for _, r := range d.Rows {
		keys = append(keys, d.Machine+".action."+r.Do)
		for _, c := range r.Codes {
			keys = append(keys, "fault."+c)
		}
		for _, in := range r.Asks {
			keys = append(keys, in.Label)
		}
	}
	for _, lang := range []string{"zh-CN", "en"} {
		texts := catalog(t, lang)
		for _, k := range keys {
			if texts[k] == "" {
				t.Errorf("%s has no text for %s", lang, k)
			}
		}
	}
}

func catalog(t *testing.T, lang string) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(Root(t), "internal/i18n/catalog/*."+lang+".json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no catalogues for %s: %v", lang, err)
	}
	all := map[string]string{}
	for _, p := range paths {
		body, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		var part map[string]any
		if err := json.Unmarshal(body, &part); err != nil {
			t.Fatalf("%s: %v", p, err)
		}
		for k, v := range part {
			if s, ok := v.(string); ok {
				all[k] = s
			} else {
				all[k] = "plural"
			}
		}
	}
	return all
}

// Root is the module's folder.
func Root(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
	}
	t.Fatal("no go.mod above the test")
	return ""
}

var createTable = regexp.MustCompile(`(?s)CREATE TABLE (\w+) \((.*?)\n\)`)

// CheckList compares the CHECK (column IN (…)) list of the newest migration that makes a table, or makes it anew under
// the name <table>_new, with the states.
func CheckList(t *testing.T, m flow.Machine, table, column string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(Root(t), "internal/store/migrate/sql/*.sql"))
	if err != nil {
		t.Fatal(err)
	}
	list := regexp.MustCompile(`CHECK \(` + regexp.QuoteMeta(column) + ` IN \(([^)]*)\)\)`)
	var got []string
	for _, p := range paths {
		body, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range createTable.FindAllStringSubmatch(string(body), -1) {
			if c[1] != table && c[1] != table+"_new" {
				continue
			}
			in := list.FindStringSubmatch(c[2])
			if in == nil {
				t.Fatalf("%s.%s has no CHECK list in %s", table, column, filepath.Base(p))
			}
			got = nil
			for _, v := range strings.Split(in[1], ",") {
				got = append(got, strings.Trim(strings.TrimSpace(v), "'"))
			}
		}
	}
	if got == nil {
		t.Fatalf("no migration makes the table %s", table)
	}
	want := slices.Clone(m.Describe().States)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Fatalf("%s.%s allows %v, the machine has %v", table, column, got, want)
	}
}

// Example is one case a guard judges.
type Example[F any] struct {
	Facts F
	Who   scope.Scope
	Now   time.Time
}

// Examples are a case a guard lets pass and one it refuses.
type Examples[F any] struct{ Pass, Refuse Example[F] }

// Guards checks every guard of the table against its two examples, by guard name; a guard without
// examples fails.
func Guards[S ~string, A ~string, F any](t *testing.T, table *flow.Table[S, A, F], examples map[string]Examples[F]) {
	t.Helper()
	used := map[string]bool{}
	for _, r := range table.Rows {
		for _, g := range r.When {
			e, ok := examples[g.Name]
			if !ok {
				t.Errorf("guard %s has no examples", g.Name)
				continue
			}
			used[g.Name] = true
			if !g.Holds(e.Pass.Facts, e.Pass.Who, e.Pass.Now) {
				t.Errorf("guard %s refuses its passing example", g.Name)
			}
			if g.Holds(e.Refuse.Facts, e.Refuse.Who, e.Refuse.Now) {
				t.Errorf("guard %s lets its refused example pass", g.Name)
			}
		}
	}
	for name := range examples {
		if !used[name] {
			t.Errorf("examples for %s, which no row uses", name)
		}
	}
}

// WalkSpec says how a random walk is made.
type WalkSpec[S ~string, A ~string, F any] struct {
	// Facts and Who draw the circumstances of a step.
	Facts func(rt *rapid.T, state S) F
	Who   func(rt *rapid.T) scope.Scope
	Now   time.Time
	// Begin is called at the start of each walk; Step after each legal move; Invariant after both.
	Begin     func(rt *rapid.T, state S)
	Step      func(rt *rapid.T, from S, do A, to S, facts F)
	Invariant func(rt *rapid.T, state S)
}

// Walk takes random steps and checks the invariant after each. Decide and Allowed must agree at
// every state.
func Walk[S ~string, A ~string, F any](t *testing.T, table *flow.Table[S, A, F], w WalkSpec[S, A, F]) {
	t.Helper()
	rapid.Check(t, func(rt *rapid.T) {
		state := rapid.SampledFrom(table.Start).Draw(rt, "start")
		if w.Begin != nil {
			w.Begin(rt, state)
		}
		for range rapid.IntRange(1, 20).Draw(rt, "steps") {
			do := rapid.SampledFrom(table.Actions()).Draw(rt, "action")
			facts, who := w.Facts(rt, state), w.Who(rt)
			row, err := table.Decide(state, do, facts, who, w.Now)
			agree(rt, table, state, do, facts, who, w.Now, err)
			if err != nil {
				continue
			}
			if w.Step != nil {
				w.Step(rt, state, do, row.To, facts)
			}
			state = row.To
			if w.Invariant != nil {
				w.Invariant(rt, state)
			}
		}
	})
}

func agree[S ~string, A ~string, F any](rt *rapid.T, table *flow.Table[S, A, F], state S, do A, facts F, who scope.Scope, now time.Time, err error) {
	for _, b := range table.Allowed(state, facts, who, now) {
		if b.Action == string(do) && b.Enabled != (err == nil) {
			rt.Fatalf("state %s: Allowed says %v for %s, Decide says %v", state, b.Enabled, do, err)
		}
	}
}
