// Package arch checks the laws of the house: who may import whom, where the clock is read, what the
// module may depend on.
package arch

import (
	"bufio"
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

type pkg struct {
	ImportPath  string
	Imports     []string
	TestImports []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports", "huoban/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var p pkg
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 10 {
		t.Fatalf("only %d packages found", len(all))
	}
	return all
}

var leaves = []string{"money", "cycle", "clock", "calendar", "fault", "id", "sorted", "grammar"}

// layer names the room of a package; see docs/architecture.md.
func layer(path string) string {
	rest, ok := strings.CutPrefix(path, "huoban/")
	if !ok {
		return "outside"
	}
	parts := strings.Split(rest, "/")
	switch {
	case parts[0] == "cmd":
		return "cmd"
	case parts[0] == "web":
		return "web"
	case rest == "data":
		return "leaf"
	case parts[0] != "internal":
		return "tool"
	}
	switch n := parts[1]; {
	case slices.Contains(leaves, n):
		return "leaf"
	case n == "app", n == "portal", n == "api", n == "session", n == "store", n == "i18n", n == "flow":
		return n
	case n == "arch", n == "e2e":
		return "test"
	}
	return "domain"
}

// allowed says which layers a layer may import from ours.
var allowed = map[string][]string{
	"leaf":    {"leaf"},
	"flow":    {"leaf", "domain", "flow"}, // flow needs scope and audit; their own imports keep the graph acyclic
	"domain":  {"leaf", "flow", "domain"},
	"store":   {"leaf", "flow", "domain", "store"},
	"session": {"leaf", "domain", "session"},
	"i18n":    {"leaf", "i18n"},
	"web":     {"leaf", "flow", "i18n", "web"},
	"portal":  {"leaf", "flow", "domain", "i18n", "web", "session", "portal"},
	"api":     {"leaf", "flow", "domain", "i18n", "api"},
	"app":     {"leaf", "flow", "domain", "i18n", "web", "session", "portal", "api", "store", "app"},
	"cmd":     {"leaf", "flow", "domain", "i18n", "app"},
}

func TestImports(t *testing.T) {
	for _, p := range packages(t) {
		from := layer(p.ImportPath)
		may, checked := allowed[from]
		if !checked || strings.Contains(p.ImportPath, "/storetest") {
			continue
		}
		for _, imp := range p.Imports {
			to := layer(imp)
			if to == "outside" {
				continue
			}
			if !slices.Contains(may, to) {
				t.Errorf("%s (%s) may not import %s (%s)", p.ImportPath, from, imp, to)
			}
		}
	}
}

// technical libraries and the only layers that may know them.
var homes = map[string][]string{
	"github.com/labstack/echo/v4": {"portal", "api", "app"},
	"github.com/a-h/templ":        {"web", "portal", "app"},
	"modernc.org/sqlite":          {"store"},
	"github.com/jackc/pgx/v5":     {"store"},
	"database/sql":                {"store"},
	"net/http":                    {"portal", "api", "app", "session", "web", "cmd", "i18n"},
}

func TestHomes(t *testing.T) {
	for _, p := range packages(t) {
		from := layer(p.ImportPath)
		if from == "tool" || from == "test" {
			continue
		}
		for _, imp := range p.Imports {
			for lib, rooms := range homes {
				if (imp == lib || strings.HasPrefix(imp, lib+"/")) && !slices.Contains(rooms, from) {
					t.Errorf("%s (%s) may not import %s", p.ImportPath, from, imp)
				}
			}
		}
	}
}

// TestClock keeps time.Now in package clock.
func TestClock(t *testing.T) {
	eachSource(t, func(path string, file *ast.File, fset *token.FileSet) {
		if strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "internal/clock/") || strings.HasPrefix(path, "tools/") {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == "time" && x.Obj == nil && sel.Sel.Name == "Now" {
				t.Errorf("%s: time.Now outside package clock", fset.Position(sel.Pos()))
			}
			return true
		})
	})
}

var star = regexp.MustCompile(`(?i)select\s+([a-z_]+\.)?\*`)

// TestNoSelectStar: a query lists its columns, so that a migration cannot change its meaning.
func TestNoSelectStar(t *testing.T) {
	root := moduleRoot(t)
	err := filepath.WalkDir(filepath.Join(root, "internal/store"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".sql") {
			return err
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if star.Match(body) {
			t.Errorf("%s selects *", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestDependencies: a new direct dependency is a decision, written in data/allowed-modules.txt.
func TestDependencies(t *testing.T) {
	root := moduleRoot(t)
	file, err := os.Open(filepath.Join(root, "internal/arch/allowed-modules.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	known := map[string]bool{}
	for s := bufio.NewScanner(file); s.Scan(); {
		line, _, _ := strings.Cut(s.Text(), "#")
		if f := strings.Fields(line); len(f) > 0 {
			known[f[0]] = true
		}
	}
	cmd := exec.Command("go", "list", "-m", "-f", "{{if not (or .Indirect .Main)}}{{.Path}}{{end}}", "all")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range strings.Fields(string(out)) {
		if !known[m] {
			t.Errorf("direct dependency %s is not in internal/arch/allowed-modules.txt", m)
		}
	}
}

func moduleRoot(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Dir(strings.TrimSpace(string(out)))
}

func eachSource(t *testing.T, see func(path string, file *ast.File, fset *token.FileSet)) {
	t.Helper()
	root := moduleRoot(t)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		if d.IsDir() {
			if n := d.Name(); strings.HasPrefix(n, ".") && n != "." || n == "node_modules" || n == "testdata" {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		see(rel, file, fset)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
