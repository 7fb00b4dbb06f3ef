package i18n

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"
	"testing/fstest"
)

// root is the module's folder, seen from this package.
const root = "../.."

func TestCataloguesMatchKeyForKey(t *testing.T) {
	catalogs := os.DirFS(".")
	names, err := fs.Glob(catalogs, "catalog/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		zh, en := strings.TrimSuffix(name, ".zh-CN.json"), strings.TrimSuffix(name, ".en.json")
		if zh == name && en == name {
			t.Errorf("%s: a catalogue is named <area>.zh-CN.json or <area>.en.json", name)
		}
		area := min(zh, en)
		for _, l := range Langs {
			if _, err := fs.Stat(catalogs, area+"."+string(l)+".json"); err != nil {
				t.Errorf("%s has no %s", area, l)
			}
		}
	}
	for _, pair := range [][2]Lang{{ZhCN, En}, {En, ZhCN}} {
		for key := range texts.known[pair[0]] {
			if !texts.known[pair[1]][key] {
				t.Errorf("key %s stands in %s but not in %s", key, pair[0], pair[1])
			}
		}
	}
}

var (
	cjk  = regexp.MustCompile(`\p{Han}`)
	args = regexp.MustCompile(`\{\{\s*\.([A-Za-z0-9_]+)\s*\}\}`)
)

// rawText reads the catalogues as text, because a sentence that was read is taken apart.
func rawText(t *testing.T, l Lang) map[string]string {
	t.Helper()
	out := map[string]string{}
	catalogs := os.DirFS(".")
	names, _ := fs.Glob(catalogs, "catalog/*."+string(l)+".json")
	line := regexp.MustCompile(`(?m)^\s*"([^"]+)"\s*:\s*(.*?),?\s*$`)
	for _, name := range names {
		data, err := fs.ReadFile(catalogs, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range line.FindAllStringSubmatch(string(data), -1) {
			out[m[1]] = m[2]
		}
	}
	return out
}

func argNames(text string) []string {
	var out []string
	for _, m := range args.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(out, m[1]) {
			out = append(out, m[1])
		}
	}
	sort.Strings(out)
	return out
}

func TestNoHalfTranslatedKey(t *testing.T) {
	zh, en := rawText(t, ZhCN), rawText(t, En)
	for key, text := range en {
		if text == `""` || zh[key] == `""` {
			t.Errorf("%s: empty text", key)
		}
		if cjk.MatchString(text) {
			t.Errorf("%s: Chinese in the English text %s", key, text)
		}
		// A Chinese sentence with no Chinese sign is an English one left behind; single words such as
		// CSV or GMT+08:00 are the same in both.
		if !cjk.MatchString(zh[key]) && len(strings.Fields(args.ReplaceAllString(zh[key], ""))) > 3 {
			t.Errorf("%s: the Chinese text is not translated: %s", key, zh[key])
		}
		if a, b := argNames(zh[key]), argNames(text); !slices.Equal(a, b) {
			t.Errorf("%s: arguments differ: zh-CN %v, en %v", key, a, b)
		}
	}
}

// sources reads every hand-written Go and templ file outside tests.
func sources(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if path != root && (strings.HasPrefix(name, ".") || name == "data" || name == "node_modules") {
				return filepath.SkipDir
			}
			return nil
		}
		ours := strings.HasSuffix(name, ".templ") ||
			strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") && !strings.HasSuffix(name, "_templ.go")
		if !ours {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		b.Write(data)
		b.WriteByte('\n')
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// derived keys are built from data: a fault's code, a machine's states and actions.
var derived = regexp.MustCompile(`^fault\.|\.(state|action|field)\.|^(association|adjustment|platform|coupon|coupon_quota|withdrawal|payment_agreement|prospect_grant|contract|invoice|subscription|dispatch)\.(meaning|next)\.|^currency\.name\.`)

func TestNoUnusedKey(t *testing.T) {
	code := sources(t)
	prefixes := regexp.MustCompile(`"([a-z_]+(?:\.[a-z_0-9]+)+[._])"`).FindAllStringSubmatch(code, -1)
	for key := range texts.known[ZhCN] {
		if derived.MatchString(key) || strings.Contains(code, `"`+key+`"`) {
			continue
		}
		built := slices.ContainsFunc(prefixes, func(p []string) bool { return strings.HasPrefix(key, p[1]) })
		if !built {
			t.Errorf("key %s is used nowhere", key)
		}
	}
}

func TestEveryKeyAndFaultOfTheSourceHasText(t *testing.T) {
	code := sources(t)
	seen := map[string]bool{}
	want := func(key, kind string) {
		if !seen[key] && !Has(key) {
			t.Errorf("%s %s stands in no catalogue", kind, key)
		}
		seen[key] = true
	}
	for _, m := range regexp.MustCompile(`i18n\.T\(\s*ctx,\s*"([^"]+)"[,)]`).FindAllStringSubmatch(code, -1) {
		want(m[1], "key")
	}
	faults := regexp.MustCompile(`fault\.(?:Invalid|NotFound|Conflict|Denied|Unavailable|Refused|New\(fault\.Kind[A-Za-z]+,)\s*\(?\s*"([a-z_0-9.]+)"`)
	for _, m := range faults.FindAllStringSubmatch(code, -1) {
		want("fault."+m[1], "fault")
	}
}

func TestNoKeyStandsTwice(t *testing.T) {
	for _, key := range texts.twice {
		t.Errorf("%s stands in another file too", key)
	}
	b, err := load(fstest.MapFS{
		"catalog/a.zh-CN.json": {Data: []byte(`{"x.y": "一"}`)}, "catalog/b.zh-CN.json": {Data: []byte(`{"x.y": "二"}`)},
		"catalog/a.en.json": {Data: []byte(`{"x.y": "one"}`)},
	})
	if err != nil || len(b.twice) != 1 || !strings.Contains(b.twice[0], "x.y") {
		t.Fatalf("a key in two files was not noticed: %v %v", b.twice, err)
	}
}

// An English sentence that counts things says one of them in the singular.
func TestEnglishCountsOneThing(t *testing.T) {
	many := regexp.MustCompile(`\{\{\.[Cc]ount\}\} (?:more |further |unmapped |quarantined )?([a-z]+)`)
	for key, text := range rawText(t, En) {
		m := many.FindStringSubmatch(text)
		if m != nil && m[1] != "is" && strings.HasSuffix(m[1], "s") && texts.sentence[En][key].one == nil && key != "fault.account.role_count" { // which is never one
			t.Errorf("%s says “1 %s”: give it the forms one and other", key, m[1])
		}
	}
}
