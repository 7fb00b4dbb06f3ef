package e2e

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"huoban/internal/portal"
)

// readers are the calls that take a parameter of a request by its name.
var readers = []string{"QueryParam", "FormValue", "param"}

// TestParametersAreDeclared: a handler reads no parameter that the route table does not declare as naming
// a stored thing, and that is not known to name none.
func TestParametersAreDeclared(t *testing.T) {
	declared := map[string]bool{}
	for _, r := range portal.Routes() {
		for _, p := range r.IDs {
			declared[p] = true
		}
	}
	files, err := filepath.Glob("../portal/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no source of the portal", err)
	}
	seen := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		set := token.NewFileSet()
		tree, err := parser.ParseFile(set, file, text, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			name, ok := parameter(n)
			if !ok {
				return true
			}
			seen++
			if !declared[name] && !slices.Contains(plainParams, name) {
				t.Errorf("%s reads the parameter %q: declare it in Query of its route if it names a stored thing, else add it to plainParams (matrixids_test.go)",
					set.Position(n.Pos()), name)
			}
			return true
		})
	}
	if seen < 50 {
		t.Errorf("only %d readings of parameters found: the names of the calls have changed", seen)
	}
}

// parameter is the name a call reads: c.QueryParam("name"), and Get("name") of a form.
func parameter(n ast.Node) (string, bool) {
	call, ok := n.(*ast.CallExpr)
	if !ok || len(call.Args) != 1 {
		return "", false
	}
	fun, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return "", false
	}
	if !slices.Contains(readers, fun.Sel.Name) {
		on, isField := fun.X.(*ast.SelectorExpr)
		if fun.Sel.Name != "Get" || !isField || !slices.Contains([]string{"PostForm", "Form", "params"}, on.Sel.Name) {
			return "", false
		}
	}
	lit, ok := call.Args[0].(*ast.BasicLit)
	if !ok {
		return "", false
	}
	name, err := strconv.Unquote(lit.Value)
	return name, err == nil
}
