package i18n

import (
	"regexp"
	"strings"
	"testing"
	"text/template"
)

var (
	asked   = regexp.MustCompile(`\.([A-Za-z_][A-Za-z_0-9]*)`)
	literal = regexp.MustCompile(`eq \.([A-Za-z_]+) "([^"]*)"`)
)

// values are what an argument of a sentence may be: missing, empty, a text, and each text it is compared with.
func values(text, name string) []any {
	out := []any{nil, "", "值 <b> 1"}
	for _, m := range literal.FindAllStringSubmatch(text, -1) {
		if m[1] == name {
			out = append(out, m[2])
		}
	}
	return out
}

// TestSentencesReadAsTemplates: every form of every sentence says what text/template makes of it, whatever is
// missing; up to 400 choices of arguments where it asks, else 4.
func TestSentencesReadAsTemplates(t *testing.T) {
	trees, compared := 0, 0
	for _, l := range Langs {
		for key, s := range texts.sentence[l] {
			for _, f := range []*form{s.one, s.other} {
				if f == nil {
					continue
				}
				if f.tree != nil {
					trees++
				}
				compared += sameAsTemplate(t, key, f)
			}
		}
	}
	if trees < 100 || compared < 5000 {
		t.Errorf("only %d trees and %d choices were compared", trees, compared)
	}
}

func sameAsTemplate(t *testing.T, key string, f *form) int {
	want, err := template.New(key).Parse(f.text)
	if err != nil {
		t.Fatalf("%s: %v", key, err)
	}
	args := map[string]any{}
	var names []string
	for _, action := range regexp.MustCompile(`\{\{.*?\}\}`).FindAllString(f.text, -1) {
		for _, m := range asked.FindAllStringSubmatch(action, -1) {
			if _, ok := args[m[1]]; !ok {
				names = append(names, m[1])
				args[m[1]] = nil
			}
		}
	}
	n, most := 0, 4
	if f.tree != nil {
		most = 400
	}
	var try func(left []string)
	try = func(left []string) {
		if n == most {
			return
		}
		if len(left) > 0 {
			for _, v := range values(f.text, left[0]) {
				if args[left[0]] = v; v == nil {
					delete(args, left[0])
				}
				try(left[1:])
			}
			return
		}
		n++
		var b strings.Builder
		if err := want.Execute(&b, args); err != nil {
			return // eq of a missing value is an error there, and false here
		}
		if got, err := f.fill(args); err != nil || got != b.String() {
			t.Errorf("%s with %v: %q, %v, want %q", key, args, got, err, b.String())
		}
	}
	try(names)
	return n
}

// TestAmountsWithTheirCurrencyAreMoney: in both ways a sentence is put together; what is no number or has no
// currency stays as it is given.
func TestAmountsWithTheirCurrencyAreMoney(t *testing.T) {
	for _, c := range []struct{ amount, currency, want string }{
		{"80000", "CNY", "剩 ¥80,000.00。"},
		{"-949524.925", "CNY", "剩 −¥949,524.925。"},
		{"1001A", "CNY", "剩 1001A CNY。"},
		{"", "CNY", "剩  CNY。"},
	} {
		f := newForm("剩 {{.Left}} {{.Currency}}。")
		got, err := f.fill(map[string]any{"Left": c.amount, "Currency": c.currency})
		if err != nil || got != c.want {
			t.Errorf("filled %q, %v, want %q", got, err, c.want)
		}
		if got, ok := texts.join(nil, ZhCN, f.parts, []any{"Currency", c.currency, "Left", c.amount}); !ok || string(got) != c.want {
			t.Errorf("joined %q, %v, want %q", got, ok, c.want)
		}
	}
	f := newForm("{{.Left}} {{.Currency}}")
	if said, ok := texts.join(nil, ZhCN, f.parts, []any{"Left", "1"}); ok {
		t.Errorf("without its currency: %q", said)
	}
}

// TestSentencesThatAskTooMuch: what walk does not know is refused, not left out.
func TestSentencesThatAskTooMuch(t *testing.T) {
	for _, text := range []string{"{{range .X}}a{{end}}", "{{.X.Y}}", "{{printf .X}}", "{{$x := .X}}", "{{.X | len}}", "{{if and .X .Y}}a{{end}}",
		"{{if .X}}{{template \"y\"}}{{end}}", "{{if eq .X .Y}}a{{end}}", "{{if}}", "{{with .X}}{{len .}}{{end}}", "{{with .X}}a{{else}}{{break}}{{end}}"} {
		if got, err := newForm(text).fill(map[string]any{"X": "x"}); err == nil {
			t.Errorf("%s says %q", text, got)
		}
	}
}
