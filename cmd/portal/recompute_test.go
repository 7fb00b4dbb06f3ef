package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// recompute runs the independent script over a folder with world.json and bill files.
func recompute(t *testing.T, world string, bills ...string) (int, string) {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("python3 is missing: the independent script must run")
		}
		t.Skip("python3 is missing (make test brings it)")
	}
	cmd := exec.Command(python, append([]string{"../../tools/recompute/recompute.py", world}, bills...)...)
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// figures of a bill the script recomputes.
var recomputed = []string{"line_count", "consumption", "refund", "adjustment", "coupon", "rounding", "tax", "amount_due", "source_total", "exact_total", "residue"}

// TestIndependentRecomputation closes samples of five clouds, one of them with a remap after its close,
// and one made-up file with spread tax, a distributor and its reseller. A script that never sees the
// database recomputes every closed bill from raw files, map CSV and price CSV, and agrees to the last
// digit; it finds each figure that is altered by one digit.
func TestIndependentRecomputation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "sqlite")
	dir := filepath.Dir(w.data)
	type source struct {
		Name    string   `json:"name"`
		Vendor  string   `json:"vendor"`
		Dialect string   `json:"dialect"`
		Zone    string   `json:"zone,omitempty"`
		Key     string   `json:"key_column,omitempty"`
		Loose   string   `json:"loose,omitempty"`
		Files   []string `json:"files"`
	}
	own := w.file("own.csv", lineHead+"1,2025-01,2025-01-02,Server,usage,CNY,100.123456789,120,a1\n2,2025-01,2025-01-03,Disk,usage,CNY,50.5,60,a2\n"+
		"3,2025-01,2025-01-03,Disk,refund,CNY,-7.25,-7.25,a3\n4,2025-01,2025-01-09,Disk,usage,CNY,30.000000001,30,a3\n5,2025-01,2025-01-31,Tax,tax,CNY,10,10,\n"+
		"6,2025-01,2025-01-31,Support,purchase,CNY,3.333333333,4,\n")
	path := func(name string) string {
		full, err := filepath.Abs(filepath.Join(samples, name))
		if err != nil {
			t.Fatal(err)
		}
		return full
	}
	sources := []source{
		{Name: "focus", Vendor: "F", Dialect: "focus", Files: []string{path("focus-1.0/focus_sample.csv")}},
		{Name: "gcp", Vendor: "G", Dialect: "gcp", Key: "project_id", Files: []string{path("gcp-synth/sample_billing_data.csv")}},
		{Name: "cur", Vendor: "A", Dialect: "aws-cur", Files: []string{path("focus-converters/sample-anonymous-aws-export-dataset.csv")}},
		{Name: "oci", Vendor: "O", Dialect: "oci", Files: []string{path("focus-converters/reports_cost-csv_0000000030000269.csv")}, Key: "compartment_id"},
		{Name: "azure", Vendor: "M", Dialect: "azure-cost", Files: []string{path("finops-toolkit/EA_ActualCost_Small.csv")}},
		{Name: "own", Vendor: "V", Dialect: "huoban", Zone: "UTC", Loose: "spread", Files: []string{own}},
	}
	closed := map[string][]string{"F": {"2024-09"}, "G": {"2026-03", "2026-04"}, "A": {"2023-11"}, "O": {"2023-11"}, "M": {"2023-09"}, "V": {"2025-01"}}
	partners := map[string][]string{"F": {"P1", "P2"}, "G": {"P3"}, "A": {"P4"}, "O": {"P5"}, "M": {"P6"}, "V": {"D1", "R1", "P7"}}
	rules := map[string]string{
		"F": "P1,,,,,,normal,billed,0.85,,\nP1,,AWS,,on_demand,,promotion,list,0.7,,\nP2,,,,,,special,contracted,1.1,,\n",
		"G": "P3,,,,,,normal,list,0.93,2026-03-10,2026-04-20\n", "A": "P4,,,,on_demand,,normal,billed,0.777,,\n",
		"O": "P5,,,,,,normal,billed,0.123456789,,\n", "M": "P6,,,,,,no_discount,billed,1,,\n",
		"V": "D1,,,,,,normal,billed,0.731,,\nR1,,,,,,normal,list,0.917,,\n",
	}
	w.do("source", "add", "--name", "focus", "--vendor", "F", "--dialect", "focus")
	w.do("org", "add", "--code", "P2", "--kind", "solution", "--name", "Second", "--parent", "F")
	for _, s := range sources {
		args := []string{"source", "add", "--name", s.Name, "--vendor", s.Vendor, "--dialect", s.Dialect, "--zone", s.Zone, "--loose", s.Loose}
		w.do(args...)
		w.do("import", s.Files[0], "--source", s.Name, "--final")
		if s.Vendor == "V" {
			w.do("org", "add", "--code", "D1", "--kind", "distributor", "--name", "Distributor", "--parent", "V")
			w.do("org", "add", "--code", "R1", "--kind", "reseller", "--name", "Reseller", "--parent", "D1")
			w.do("map", "import", w.file("v-map.csv", mapHead+"own,a1,C1,R1,resale,,\nown,a2,C2,D1,resale,,\nown,a3,C3,P7,resale,,\n"))
		} else {
			w.do("map", "auto", "--source", s.Name, "--partner", partners[s.Vendor][0], "--association", "resale", "--key", s.Key)
		}
		w.do("price", "import", "--vendor", s.Vendor, w.file(s.Vendor+"-price.csv", ruleHead+rules[s.Vendor]))
		w.file(s.Vendor+"-map-before.csv", string(w.do("map", "export", "--source", s.Name)))
		for _, c := range closed[s.Vendor] {
			w.do("close", "--vendor", s.Vendor, "--cycle", c, "--issue")
		}
	}
	// One sub-account moves to another partner after the close; October then carries the pair.
	w.do("map", "import", w.file("move.csv", mapHead+"focus,68974153460,MOVED,P2,resale,,\n"))
	w.file("F-map-after.csv", string(w.do("map", "export", "--source", "focus")))
	w.do("close", "--vendor", "F", "--cycle", "2024-10", "--issue")
	closed["F"] = append(closed["F"], "2024-10")

	total := 0
	for _, s := range sources {
		world := map[string]any{"sources": []source{s}, "map": s.Vendor + "-map-before.csv", "price": s.Vendor + "-price.csv", "parents": map[string]string{"R1": "D1"}}
		if s.Vendor == "F" {
			world["remaps"] = []map[string]string{{"map": "F-map-after.csv", "cycle": "2024-09", "into": "2024-10"}}
		}
		raw, err := json.Marshal(world)
		if err != nil {
			t.Fatal(err)
		}
		facts := w.file(s.Vendor+"-world.json", string(raw))
		var files []string
		for _, partner := range partners[s.Vendor] {
			for _, c := range closed[s.Vendor] {
				out := w.do("bill", "--partner", partner, "--vendor", s.Vendor, "--cycle", c, "--format", "json")
				total += len(decode[struct{ Bills []any }](t, out).Bills)
				files = append(files, w.file(fmt.Sprintf("%s-%s-%s.json", s.Vendor, partner, c), string(out)))
			}
		}
		code, out := recompute(t, facts, files...)
		if code != 0 || !strings.Contains(out, "agree to the last digit") {
			t.Errorf("%s: exit %d\n%s", s.Name, code, out)
			continue
		}
		if s.Vendor == "V" {
			w.altered(facts, files[0], dir)
		}
	}
	if total < 17 {
		t.Errorf("%d bills were compared", total)
	}
}

// altered changes one digit of one figure at a time and wants the script to name it.
func (w *world) altered(facts, file, dir string) {
	w.t.Helper()
	body, err := os.ReadFile(file)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, figure := range recomputed {
		doc := decode[map[string][]map[string]any](w.t, body)
		doc["bills"][0][figure] = nextDigit(doc["bills"][0][figure])
		raw, err := json.Marshal(doc)
		if err != nil {
			w.t.Fatal(err)
		}
		name := filepath.Join(dir, "altered.json")
		if err := os.WriteFile(name, raw, 0o600); err != nil {
			w.t.Fatal(err)
		}
		if code, out := recompute(w.t, facts, name); code != 1 || !strings.Contains(out, figure+" is ") {
			w.t.Errorf("%s altered in %s: exit %d\n%s", figure, filepath.Base(file), code, out)
		}
	}
}

// nextDigit is a figure whose last digit is another.
func nextDigit(v any) any {
	text := fmt.Sprint(v)
	last := text[len(text)-1]
	text = text[:len(text)-1] + string('0'+(last-'0'+1)%10)
	if _, ok := v.(json.Number); ok {
		return json.Number(text)
	}
	return text
}
