package portal_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"huoban/internal/audit"
)

const priceHead = "partner,customer,provider,product,charging_mode,region,type,base,factor,valid_from,valid_to\n"

func priceFile(rows string) map[string]string {
	return map[string]string{"prices.csv": priceHead + rows}
}

func (w *world) priceCounts(r reply) (added, changed, same int) {
	w.t.Helper()
	var res struct {
		Added   int `json:"rules_added"`
		Changed int `json:"rules_changed"`
		Same    int `json:"rules_same"`
	}
	w.must(json.Unmarshal([]byte(r.body), &res))
	return res.Added, res.Changed, res.Same
}

func TestPriceFile(t *testing.T) {
	w := newWorld(t)
	boss := w.visitor("boss")
	boss.both("/o/NOVA/prices")
	boss.both("/o/NOVA/prices/new")
	file := priceFile("MUSHI,,,,,,normal,billed,0.8,,\n")
	dry := w.page("dry run", boss.hand("/o/NOVA/prices", "file", file, "dry_run", "true"), http.StatusOK)
	if !strings.Contains(dry.Find("#rules tbody").Text(), "0.8") || boss.both("/o/NOVA/prices").Find("#rules tbody tr").Length() != 0 {
		t.Error("a dry run shows the rule and keeps none")
	}
	if r := boss.hand("/o/NOVA/prices", "file", file); r.location != "/o/NOVA/prices?done=prices_imported" {
		t.Fatalf("%d %s", r.status, text(r.body))
	}
	for _, try := range []struct {
		file                 map[string]string
		added, changed, same int
	}{{file, 0, 0, 1}, {priceFile("MUSHI,,,,,,normal,billed,0.7,,\n"), 0, 1, 0}} {
		r := boss.program().hand("/o/NOVA/prices", "file", try.file)
		if added, changed, same := w.priceCounts(r); added != try.added || changed != try.changed || same != try.same {
			t.Errorf("%d %s", r.status, r.body)
		}
	}
	if n := boss.both("/o/NOVA/prices?rule=1").Find("#history tbody tr").Length(); n != 2 {
		t.Errorf("%d versions, want 2", n)
	}
	for query, want := range map[string]int{"q=mushi": 1, "q=none": 0, "type=normal": 1, "type=special": 0} {
		if n := boss.both("/o/NOVA/prices?" + query).Find("#rules tbody tr").Length(); n != want {
			t.Errorf("%s: %d rules, want %d", query, n, want)
		}
	}
	for name, rows := range map[string]string{"unknown partner": "NONE,,,,,,normal,billed,0.8,,\n", "bad factor": "MUSHI,,,,,,normal,billed,x,,\n", "nothing": ""} {
		if w.page(name, boss.hand("/o/NOVA/prices", "file", priceFile(rows)), http.StatusUnprocessableEntity).Find(".hb-refusal").Length() != 1 {
			t.Errorf("%s: no refusal shown", name)
		}
	}
	for _, path := range []string{"/prices?rule=9", "/prices?rule=x", "/prices?type=x", "/prices/simulation?cycle=x"} {
		if r := boss.get("/o/NOVA" + path); r.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, r.status)
		}
	}
	if r := w.visitor("stranger").get("/o/OTHER/prices?rule=1"); r.status != http.StatusNotFound {
		t.Errorf("a rule of another vendor: %d", r.status)
	}
	if r := w.visitor("auditor").hand("/o/NOVA/prices", "file", file); r.status != http.StatusForbidden {
		t.Errorf("the auditor imports prices: %d", r.status)
	}
}

func TestSimulation(t *testing.T) {
	for _, program := range []bool{false, true} {
		w := newWorld(t)
		boss := w.visitor("boss")
		boss.imported(focus("s1 VM 1.5", "s2 VM 2.25"))
		w.mapped()
		boss.both("/o/NOVA/prices/simulation?cycle=2026-01")
		draft := func(factor string) {
			r := boss.hand("/o/NOVA/prices", "file", priceFile("MUSHI,,,,,,normal,billed,"+factor+",,\n"), "draft", "true")
			if r.location != "/o/NOVA/prices/simulation?done=prices_drafted" {
				t.Fatalf("%d %s", r.status, text(r.body))
			}
		}
		draft("0.5")
		row := boss.both("/o/NOVA/prices/simulation?cycle=2026-01").Find("#bills tbody tr").First().Text()
		for _, want := range []string{"3.75", "1.875", "-1.875"} {
			if !strings.Contains(strings.ReplaceAll(row, "−", "-"), want) {
				t.Errorf("the bill does not show %s: %s", want, row)
			}
		}
		act := boss.withKey("discard-1")
		act.json = program
		for _, step := range []struct{ noun, body string }{{"discarding", `{"discarded":1}`}, {"activation", `{"activated":1}`}} {
			act.key = step.noun
			first, again := act.post("/o/NOVA/prices/drafts/"+step.noun), act.post("/o/NOVA/prices/drafts/"+step.noun)
			if first.status >= 400 || again.status != first.status || again.body != first.body || again.location != first.location || again.header.Get("Idempotent-Replayed") == "" {
				t.Errorf("%s: %d %s, then %d %s", step.noun, first.status, first.body, again.status, again.body)
			}
			if program && first.body != step.body {
				t.Errorf("%s: %s", step.noun, first.body)
			}
			if n := boss.both("/o/NOVA/prices/simulation?cycle=2026-01").Find("#drafts tbody tr").Length(); n != 0 {
				t.Errorf("%d drafts after %s", n, step.noun)
			}
			draft("0.25")
		}
		if r := w.visitor("auditor").post("/o/NOVA/prices/drafts/activation"); r.status != http.StatusForbidden {
			t.Errorf("the auditor activates: %d", r.status)
		}
	}
}

func TestMappingAndSources(t *testing.T) {
	w := newWorld(t)
	boss := w.visitor("boss")
	boss.both("/o/NOVA/sources")
	boss.imported(focus("s1 VM 1.5", "s2 VM 2.25"), "final", "all")
	if row := boss.both("/o/NOVA/sources").Find("#periods tbody").Text(); !strings.Contains(row, "2026-01") || !strings.Contains(row, "终稿") {
		t.Errorf("the cycle of the source: %s", row)
	}
	before := boss.both("/o/NOVA/mapping?source=nova")
	if sums := before.Find("#unmapped tbody").Text(); before.Find("#unmapped tbody tr").Length() != 2 || !strings.Contains(sums, "2.25") {
		t.Errorf("unmapped keys: %s", sums)
	}
	w.mapped()
	after := boss.both("/o/NOVA/mapping")
	if after.Find("#unmapped tbody tr").Length() != 0 || after.Find("#rules tbody tr").Length() != 2 {
		t.Errorf("after mapping: %s", after.Find("#unmapped, #rules").Text())
	}
	for query, want := range map[string]int{"q=S1": 1, "q=none": 0} {
		if n := boss.both("/o/NOVA/mapping?" + query).Find("#rules tbody tr").Length(); n != want {
			t.Errorf("%s: %d rules, want %d", query, n, want)
		}
	}
	rows := "source,key,customer,partner,association,valid_from,valid_to\n"
	for _, n := range strings.Fields("a b c d e") {
		for _, m := range strings.Fields("0 1 2 3 4 5 6 7 8 9 10") {
			rows += "nova,k" + n + m + ",CUST,MUSHI,resale,,\n"
		}
	}
	if r := boss.program().hand("/o/NOVA/mapping", "file", map[string]string{"map.csv": rows}); r.status != http.StatusOK {
		t.Fatalf("%d %s", r.status, r.body)
	}
	seen := map[string]bool{}
	for at := "/o/NOVA/mapping?source=nova"; at != ""; {
		doc := boss.both(at)
		doc.Find("#rules tbody th").Each(func(_ int, s *selection) { seen[strings.TrimSpace(s.Text())] = true })
		at = doc.Find(".hb-pager a[href*='after=']").AttrOr("href", "")
	}
	if len(seen) != 57 {
		t.Errorf("%d keys on all pages, want 57", len(seen))
	}
	if r := boss.get("/o/NOVA/mapping?source=none"); r.status != http.StatusNotFound {
		t.Errorf("unknown source: %d", r.status)
	}
	if r := w.visitor("stranger").get("/o/OTHER/mapping?source=nova"); r.status != http.StatusNotFound {
		t.Errorf("a source of another vendor: %d", r.status)
	}
}

func TestAuditPage(t *testing.T) {
	w := newWorld(t)
	boss := w.visitor("boss")
	boss.imported(focus("s1 VM 1"))
	if n := boss.both("/o/NOVA/audit?action=delivery").Find("#entries tbody tr").Length(); n == 0 {
		t.Error("the import is no entry")
	}
	if n := boss.both("/o/NOVA/audit?actor=nobody").Find("#entries tbody tr").Length(); n != 0 {
		t.Errorf("%d entries of nobody", n)
	}
	if n := boss.both("/o/NOVA/audit?from=2026-02-04").Find("#entries tbody tr").Length(); n != 0 {
		t.Errorf("%d entries of tomorrow", n)
	}
	if n := boss.both("/o/NOVA/audit?to=2026-02-03").Find("#entries tbody tr").Length(); n == 0 {
		t.Error("the last day does not count")
	}
	if w.page("bad day", boss.get("/o/NOVA/audit?from=x"), http.StatusUnprocessableEntity).Find(".hb-refusal").Length() != 1 {
		t.Error("a bad day is not refused")
	}
	if strings.Contains(w.visitor("stranger").both("/o/OTHER/audit?action=delivery").Find("#entries").Text(), "nova") {
		t.Error("another vendor's entries")
	}
	w.visitor("partner").both("/o/MUSHI/audit")
	if r := w.visitor("partner").post("/o/MUSHI/audit/verification"); r.status != http.StatusNotFound {
		t.Errorf("a partner verifies: %d", r.status)
	}
	for range 60 {
		w.must(w.app.DB.InTx(context.Background(), func(ctx context.Context) error {
			o, err := w.app.Organisations.ByCode(ctx, operator, "NOVA")
			if err != nil {
				return err
			}
			return w.app.Audit.Record(ctx, audit.Entry{Actor: "robot", OrgID: o.ID, Action: "robot.walk", Object: "robot:1"})
		}))
	}
	rows := 0
	for at := "/o/NOVA/audit?action=robot"; at != ""; {
		doc := boss.both(at)
		rows += doc.Find("#entries tbody tr").Length()
		at = doc.Find(".hb-pager a[href*='after=']").AttrOr("href", "")
	}
	if rows != 60 {
		t.Errorf("%d entries on all pages, want 60", rows)
	}
}

func TestAuditVerification(t *testing.T) {
	w := newWorld(t)
	auditor := w.visitor("auditor")
	r := auditor.withKey("v1").post("/o/NOVA/audit/verification")
	if r.location != "/o/NOVA/audit?action=audit.verify" {
		t.Fatalf("%d %s", r.status, text(r.body))
	}
	if doc := auditor.both(r.location); !strings.Contains(doc.Text(), "审计链完整") {
		t.Error("the page does not say that the chain is whole")
	}
	if again := auditor.withKey("v1").post("/o/NOVA/audit/verification"); again.header.Get("Idempotent-Replayed") == "" {
		t.Error("verified twice under one key")
	}
	if r := auditor.program().post("/o/NOVA/audit/verification"); r.status != http.StatusOK || !strings.Contains(r.body, `"whole":true`) {
		t.Errorf("%d %s", r.status, r.body)
	}
	w.tampered()
	if r := auditor.program().post("/o/NOVA/audit/verification"); !strings.Contains(r.body, `"whole":false`) || !strings.Contains(r.body, "audit.row_changed") {
		t.Errorf("%d %s", r.status, r.body)
	}
	if flash := auditor.both("/o/NOVA/audit?action=audit.verify").Text(); !strings.Contains(flash, "第 3 条已被改动") {
		t.Error("the page does not name the first broken row")
	}
}

// tampered changes an entry behind the program's back.
func (w *world) tampered() {
	w.t.Helper()
	for _, s := range []string{"DROP TRIGGER audit_no_update", "UPDATE audit SET actor = 'somebody else' WHERE seq = 3"} {
		w.must2(w.app.DB.Writer().Exec(s))
	}
}
