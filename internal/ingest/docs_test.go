package ingest_test

import (
	"os"
	"strings"
	"testing"

	"huoban/internal/ingest"
)

// Each dialect read here, its short names and, for our own format, each column stand in the docs.
func TestFormatsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/formats.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range ingest.Dialects() {
		for _, name := range append([]string{d.Name}, d.Aliases...) {
			if !strings.Contains(string(text), "`"+name+"`") {
				t.Errorf("dialect %s is not documented", name)
			}
		}
		if d.Name != "huoban" {
			continue
		}
		for _, f := range d.Fields {
			if !strings.Contains(string(text), "`"+f.Cells[0]+"`") {
				t.Errorf("column %s of our own format is not documented", f.Cells[0])
			}
		}
	}
}

// The example of our own format in the docs can be read as it stands.
func TestDocumentedExample(t *testing.T) {
	text, err := os.ReadFile("../../docs/formats.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "```\nline_id,")
	example, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatal("no example")
	}
	lines, bads, _ := read(t, ingest.Source{Dialect: "huoban"}, "line_id,"+example)
	if len(lines) != 2 || len(bads) != 0 {
		t.Errorf("%d lines, %+v", len(lines), bads)
	}
}
