package arch

import (
	"bytes"
	"cmp"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

var (
	link     = regexp.MustCompile(`\[[^\]]*\]\(([^()\s]+)\)`)
	heading  = regexp.MustCompile(`(?m)^#{1,6} +(.+?) *$`)
	fence    = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
	codeSpan = regexp.MustCompile("`[^`\n]*`")
)

// documents gives every Markdown file of ours; samples keep the texts of others as they were.
func documents(t *testing.T, root string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		n := d.Name()
		if d.IsDir() {
			if strings.HasPrefix(n, ".") && path != root || slices.Contains([]string{"node_modules", "testdata", "LICENSES"}, n) {
				return filepath.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(n, ".md") {
			out = append(out, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestLinks: every relative link of a document leads to a file, and to a heading where it names one.
func TestLinks(t *testing.T) {
	root := moduleRoot(t)
	files := documents(t, root)
	if len(files) < 15 {
		t.Fatalf("only %d documents found", len(files))
	}
	seen := 0
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		rel, _ := filepath.Rel(root, file)
		for _, m := range link.FindAllSubmatch(codeSpan.ReplaceAll(fence.ReplaceAll(body, nil), nil), -1) {
			seen++
			if why := broken(root, file, string(m[1])); why != "" {
				t.Errorf("%s: %s: %s", rel, m[1], why)
			}
		}
	}
	if seen < 30 {
		t.Errorf("only %d links found", seen)
	}
}

// broken says what is wrong with a link, "" if nothing. Links to other hosts are not asked for.
func broken(root, from, target string) string {
	u, err := url.Parse(target)
	if err != nil {
		return err.Error()
	}
	if u.Scheme != "" || u.Host != "" {
		return ""
	}
	file := from
	if u.Path != "" {
		file = filepath.Join(filepath.Dir(from), filepath.FromSlash(u.Path))
	}
	if rel, err := filepath.Rel(root, file); err != nil || strings.HasPrefix(rel, "..") {
		return "leads out of the repository"
	}
	st, err := os.Stat(file)
	if err != nil {
		return "no such file"
	}
	if u.Fragment == "" || st.IsDir() {
		return ""
	}
	body, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	for _, m := range heading.FindAllSubmatch(fence.ReplaceAll(body, nil), -1) {
		if anchor(string(m[1])) == u.Fragment {
			return ""
		}
	}
	return "no such heading"
}

// anchor is a heading's fragment as forges make it: lower case, spaces as dashes, punctuation dropped.
func anchor(text string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(text) {
		switch {
		case r == ' ':
			b.WriteByte('-')
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(r)
		}
	}
	return b.String()
}

// TestBroken shows that the check can fail.
func TestBroken(t *testing.T) {
	root := t.TempDir()
	from := filepath.Join(root, "a.md")
	if err := os.WriteFile(from, []byte("# One two (三)\n\n```\n# not a heading\n```\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for target, want := range map[string]bool{
		"a.md": true, "#one-two-三": true, "https://example.invalid/x": true,
		"b.md": false, "#two": false, "#not-a-heading": false, "../a.md": false,
	} {
		if got := broken(root, from, target); (got == "") != want {
			t.Errorf("%s: %q", target, got)
		}
	}
}

// TestGlossary: every domain package stands in a row of the glossary, and every row names a package there is.
func TestGlossary(t *testing.T) {
	root := moduleRoot(t)
	body, err := os.ReadFile(filepath.Join(root, "docs/glossary.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for line := range bytes.Lines(body) {
		cells := strings.Split(string(line), "|")
		if len(cells) < 5 {
			continue
		}
		for _, span := range codeSpan.FindAllString(cells[3], -1) {
			name, ident, _ := strings.Cut(strings.Trim(span, "`"), ".")
			named[name] = true
			if !declared(t, filepath.Join(root, "internal", name), ident) {
				t.Errorf("the glossary names %s, which does not exist", span)
			}
		}
	}
	found := 0
	for _, p := range packages(t) {
		name, ok := strings.CutPrefix(p.ImportPath, "huoban/internal/")
		if !ok || layer(p.ImportPath) != "domain" || strings.Contains(name, "/") {
			continue
		}
		found++
		if !named[name] {
			t.Errorf("package %s has no row in docs/glossary.md", name)
		}
	}
	if found < 10 {
		t.Errorf("only %d domain packages found", found)
	}
}

// A table that is rebuilt has another name while it is: created, then renamed in the same migration.
var (
	created = regexp.MustCompile(`(?m)^CREATE TABLE ([a-z_]+)`)
	renamed = regexp.MustCompile(`(?m)^ALTER TABLE ([a-z_]+) RENAME TO ([a-z_]+);`)
)

// TestDataModel: every table stands in docs/data-model.md, and every table named there exists.
func TestDataModel(t *testing.T) {
	root := moduleRoot(t)
	body, err := os.ReadFile(filepath.Join(root, "docs/data-model.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for line := range bytes.Lines(body) {
		cells := strings.Split(string(line), "|")
		if len(cells) != 5 {
			continue
		}
		for _, span := range codeSpan.FindAllString(cells[2], -1) {
			named[strings.Trim(span, "`")] = true
		}
	}
	files, err := filepath.Glob(filepath.Join(root, "internal/store/migrate/sql/*.sql"))
	if err != nil {
		t.Fatal(err)
	}
	tables := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		last := map[string]string{}
		for _, m := range renamed.FindAllSubmatch(text, -1) {
			last[string(m[1])] = string(m[2])
		}
		for _, m := range created.FindAllSubmatch(text, -1) {
			name := cmp.Or(last[string(m[1])], string(m[1]))
			tables[name] = true
			if !named[name] {
				t.Errorf("table %s is not in docs/data-model.md", name)
			}
		}
	}
	for name := range named {
		if !tables[name] {
			t.Errorf("docs/data-model.md names table %s, which does not exist", name)
		}
	}
	if len(tables) < 30 {
		t.Errorf("only %d tables found", len(tables))
	}
}

// declared tells whether a package's files declare a name; "" asks for the package alone.
func declared(t *testing.T, dir, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	at := regexp.MustCompile(`(?m)^(type |func |var |const |\t)` + regexp.QuoteMeta(name) + `\b`)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if name == "" || at.Match(body) {
			return true
		}
	}
	return false
}
