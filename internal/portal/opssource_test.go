package portal_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestDeclareSource(t *testing.T) {
	w := newWorld(t)
	boss := w.visitor("boss")
	form := boss.both("/o/NOVA/sources/new")
	if n := form.Find("select[name=dialect] option").Length(); n < 8 {
		t.Errorf("%d formats offered", n)
	}
	for name, fields := range map[string][]string{
		"no name":         {"dialect", "focus"},
		"a bad zone":      {"name", "new", "dialect", "focus", "zone", "Mars"},
		"no such format":  {"name", "new", "dialect", "cuneiform"},
		"a bad cycle":     {"name", "new", "dialect", "focus", "from", "2026-13"},
		"nobody":          {"name", "new", "dialect", "focus", "default", "NOBODY"},
		"end first":       {"name", "new", "dialect", "focus", "from", "2026-02", "until", "2026-01"},
		"somebody else's": {"name", "theirs", "dialect", "focus", "entity", "NONE"},
	} {
		r := boss.post("/o/NOVA/sources", fields...)
		doc := w.page(name, r, http.StatusUnprocessableEntity)
		if doc.Find(".hb-refusal").Length() != 1 {
			t.Errorf("%s: no refusal", name)
		}
		for i := 0; i+1 < len(fields); i += 2 {
			if box := doc.Find("input[name=" + fields[i] + "]"); box.Length() == 1 && box.AttrOr("value", "") != fields[i+1] {
				t.Errorf("%s: %s is lost", name, fields[i])
			}
		}
	}
	good := []string{"name", "feed-2", "dialect", "aws-cur", "mode", "append", "currencies", "usd， cny", "from", "2026-01"}
	for range 2 { // the same declaration again changes nothing
		if r := boss.post("/o/NOVA/sources", good...); r.location != "/o/NOVA/sources?done=source" {
			t.Fatalf("%d %s %s", r.status, r.location, text(r.body))
		}
	}
	if got := boss.both("/o/NOVA/sources").Find("main").Text(); strings.Count(got, "feed-2") == 0 {
		t.Error("the new source is not listed")
	}
	if r := boss.post("/o/NOVA/sources", "name", "feed-2", "dialect", "gcp"); r.status != http.StatusConflict && r.status != http.StatusUnprocessableEntity {
		t.Errorf("a taken name: %d", r.status)
	}
	if r := w.visitor("auditor").post("/o/NOVA/sources", good...); r.status != http.StatusForbidden {
		t.Errorf("the auditor declares a source: %d", r.status)
	}
	if r := w.visitor("stranger").post("/o/NOVA/sources", good...); r.status != http.StatusNotFound {
		t.Errorf("a stranger declares a source: %d", r.status)
	}
}
