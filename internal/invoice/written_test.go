package invoice

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"huoban/internal/fault"
)

// TestRulesAreWritten: the table of docs/invoices.md names every rule of the machine with the code it refuses by, no
// other, and for each the test that holds it on both sides.
func TestRulesAreWritten(t *testing.T) {
	text, err := os.ReadFile("../../docs/invoices.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := ""
	for _, name := range []string{"flow_test.go", "rules_test.go", "walk_test.go", "written_test.go"} {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		tests += string(body)
	}
	who := []string{"partners_own", "issuers_own", "party_own", "as_file", "as_letter"} // whose hand it takes, not what is asked
	guards := map[string]string{}
	for _, r := range Flow.Rows {
		for _, g := range r.When {
			if !slices.Contains(who, g.Name) {
				guards[g.Name] = g.Code
			}
		}
	}
	quoted := regexp.MustCompile("`([^`]+)`")
	written := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) != 6 || strings.TrimSpace(cells[1]) == "rule" || strings.HasPrefix(cells[1], "---") {
			continue
		}
		for _, m := range quoted.FindAllStringSubmatch(cells[2], -1) {
			if written[m[1]] = true; guards[m[1]] == "" {
				t.Errorf("%s is no rule of the machine", m[1])
			} else if !strings.Contains(cells[3], guards[m[1]]) && !strings.Contains(cells[3], "…") {
				t.Errorf("%s refuses by %s, the table says %s", m[1], guards[m[1]], cells[3])
			}
		}
		held := quoted.FindAllStringSubmatch(cells[4], -1)
		if len(held) == 0 {
			t.Errorf("no test is named for %s", cells[1])
		}
		for _, m := range held {
			if !strings.Contains(tests, "func "+m[1]+"(t ") {
				t.Errorf("there is no test %s", m[1])
			}
		}
	}
	for name := range guards {
		if !written[name] {
			t.Errorf("%s is not written in docs/invoices.md", name)
		}
	}
}

// TestLetterBack: courier and number of a paper invoice that goes back are given together, and a file has neither.
func TestLetterBack(t *testing.T) {
	for _, c := range []struct {
		name string
		l    Letter
		m    Medium
		want Letter
		code string
	}{
		{"both", Letter{" 顺路速运 ", " SL1 "}, MediumPaper, Letter{"顺路速运", "SL1"}, ""},
		{"none yet", Letter{}, MediumPaper, Letter{}, ""},
		{"no number", Letter{Courier: "顺路速运"}, MediumPaper, Letter{}, "invoice.back_half"},
		{"no courier", Letter{Tracking: "SL1"}, MediumPaper, Letter{}, "invoice.back_half"},
		{"too long", Letter{"顺路速运", strings.Repeat("1", 61)}, MediumPaper, Letter{}, "invoice.courier_malformed"},
		{"two lines", Letter{"顺路\n速运", "SL1"}, MediumPaper, Letter{}, "invoice.courier_malformed"},
		{"a file", Letter{"顺路速运", "SL1"}, MediumDigital, Letter{}, ""},
	} {
		got, err := c.l.check(c.m)
		if c.code == "" && (err != nil || got != c.want) || c.code != "" && !fault.HasCode(err, c.code) {
			t.Errorf("%s: %+v %v", c.name, got, err)
		}
	}
}
