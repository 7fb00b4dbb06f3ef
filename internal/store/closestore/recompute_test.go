package closestore_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"huoban/internal/attribution"
	"huoban/internal/bill"
	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/delivery"
	_ "huoban/internal/ingest/workbook"
	"huoban/internal/monthclose"
	"huoban/internal/price"
	"huoban/internal/scope"
	"huoban/internal/source"
	"huoban/internal/store"
	"huoban/internal/store/storetest"
)

// python finds the interpreter of the independent script; CI must have one.
func python(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("python3 is missing: the independent script must run")
		}
		t.Skip("python3 is missing (make test brings it)")
	}
	return path
}

// plainBill is a bill as `portal bill --format json` shows it, as far as the script compares.
type plainBill struct {
	Partner     string `json:"partner"`
	Cycle       string `json:"cycle"`
	Currency    string `json:"currency"`
	Entity      string `json:"entity"`
	LineCount   int64  `json:"line_count"`
	Consumption string `json:"consumption"`
	Refund      string `json:"refund"`
	Adjustment  string `json:"adjustment"`
	Coupon      string `json:"coupon"`
	Rounding    string `json:"rounding"`
	Tax         string `json:"tax"`
	AmountDue   string `json:"amount_due"`
	SourceTotal string `json:"source_total"`
	ExactTotal  string `json:"exact_total"`
	Residue     string `json:"residue"`
}

// sample is one file of the samples as a vendor of its own.
type sample struct {
	dialect, key, file, partner string
}

var samples = map[string]sample{
	"focus":     {"focus", "", "focus-1.0/focus_sample.csv", "P1"},
	"gcp":       {"gcp", "project_id", "gcp-synth/sample_billing_data.csv", "P2"},
	"cur":       {"aws-cur", "", "focus-converters/sample-anonymous-aws-export-dataset.csv", "P3"},
	"oci":       {"oci", "compartment_id", "focus-converters/reports_cost-csv_0000000030000269.csv", "P4"},
	"azure":     {"azure-cost", "", "finops-toolkit/EA_ActualCost_Small.csv", "P5"},
	"hw-bill":   {"huawei-partner-bill", "", "huawei/customerBill_202410.tar.gz", "P6"},
	"hw-detail": {"huawei-bill-detail", "", "huawei/partner_bill_detail_202410.csv", "P6"},
	"hw-book":   {"huawei-bill-detail", "", "huawei/partner_bill_detail_202411.xlsx", "P6"},
}

const ruleHead = "partner,customer,provider,product,charging_mode,region,type,base,factor,valid_from,valid_to\n"

// TestIndependentScript closes every sample and has a script in another language, which sees raw files
// and the two CSVs only, compute each bill again.
func TestIndependentScript(t *testing.T) {
	interpreter := python(t)
	root := filepath.Join("..", "..", "..")
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := newRoad(t, db)
		r.clock.Set(time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC))
		for name, s := range samples {
			t.Run(name, func(t *testing.T) {
				r.t = t
				file := filepath.Join(root, "data", "samples", s.file)
				added, err := r.sources.Add(r.ctx, operator, source.AddInput{Vendor: "V-" + name, Name: name, Dialect: s.dialect, KeyColumn: s.key})
				r.must(err)
				vendor := added.Source.VendorID
				_, err = r.imports.Import(r.ctx, operator, delivery.Input{Source: name, Paths: []string{file}, Final: delivery.FinalMark{All: true}})
				r.must(err)
				_, err = r.mapping.Auto(r.ctx, operator, attribution.AutoInput{Source: name, Partner: s.partner, Association: customer.KindResale, Key: s.key})
				r.must(err)
				var mapFile bytes.Buffer
				r.must(r.mapping.Export(r.ctx, operator, name, &mapFile))
				rules := ruleHead + s.partner + ",,,,,,normal,billed,0.85,,\n" + s.partner + ",,,,on_demand,,promotion,list,0.7,,\n" +
					s.partner + ",,,,one_time,,no_discount,billed,1,,\n"
				_, err = r.prices.Import(r.ctx, operator, price.ImportInput{VendorID: vendor, File: strings.NewReader(rules)})
				r.must(err)
				bills := r.issueAll(vendor, mapFile.String())
				world := map[string]any{"sources": []map[string]any{{"name": name, "vendor": "V-" + name, "dialect": s.dialect, "key_column": s.key,
					"files": []string{absolute(t, file)}}}, "map": "map.csv", "price": "price.csv"}
				out := runScript(t, interpreter, root, world, mapFile.String(), rules, bills)
				if !strings.Contains(out, "agree to the last digit") {
					t.Error(out)
				}
				bills[0].Consumption += "1"
				if out := runScript(t, interpreter, root, world, mapFile.String(), rules, bills); !strings.Contains(out, "consumption is") {
					t.Errorf("a wrong figure was not found: %s", out)
				}
			})
		}
	})
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	out, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// issueAll closes every cycle of a vendor that has lines and gives its bills.
func (r *road) issueAll(vendorID, _ string) []plainBill {
	r.t.Helper()
	known, err := r.close.Store.Known(r.ctx)
	r.must(err)
	for _, k := range known {
		if k.VendorID == vendorID {
			_, err := r.close.Run(r.ctx, operator, monthclose.Input{VendorID: vendorID, Cycle: k.Cycle, Issue: true})
			r.must(err)
		}
	}
	return r.plain(vendorID, "")
}

func (r *road) plain(vendorID string, c cycle.Cycle) []plainBill {
	docs, err := r.bills.WithItems(r.ctx, scope.System("operator"), bill.Filter{VendorID: vendorID, Cycle: c})
	r.must(err)
	out := []plainBill{}
	for i := range docs {
		d := &docs[i]
		out = append(out, plainBill{d.Partner.Code, string(d.Cycle), d.Currency, "", d.LineCount, d.Consumption.String(), d.Refund.String(),
			d.Adjustment.String(), d.Coupon.String(), d.Rounding.String(), d.Tax.String(), d.Due.String(), d.SourceTotal.String(), d.ExactTotal.String(), d.Residue().String()})
	}
	return out
}

func runScript(t *testing.T, interpreter, root string, world map[string]any, mapFile, rules string, bills []plainBill) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, body []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, body, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("map.csv", []byte(mapFile))
	write("price.csv", []byte(rules))
	facts, err := json.Marshal(world)
	if err != nil {
		t.Fatal(err)
	}
	documents, err := json.Marshal(map[string]any{"bills": bills})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(interpreter, filepath.Join(root, "tools", "recompute", "recompute.py"), write("world.json", facts), write("bills.json", documents))
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	out, _ := cmd.CombinedOutput()
	return string(out)
}

// TestIndependentRemap moves a sub-account after the close; the script computes the pair from the two
// map files.
func TestIndependentRemap(t *testing.T) {
	interpreter := python(t)
	root := filepath.Join("..", "..", "..")
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := newRoad(t, db)
		file := filepath.Join(root, "data", "samples", "focus-1.0", "focus_sample.csv")
		r.source("focus")
		r.imported(file)
		r.mapped()
		vendor := r.vendor()
		rules := ruleHead + "P1,,,,,,normal,billed,0.85,,\nP2,,,,,,normal,list,0.9,,\n"
		_, err := r.mapping.Import(r.ctx, operator, attribution.ImportInput{File: strings.NewReader("source,key,customer,partner,association,valid_from,valid_to\nfocus,no-such-account,B9,P2,resale,,\n")})
		r.must(err)
		_, err = r.prices.Import(r.ctx, operator, price.ImportInput{VendorID: vendor, File: strings.NewReader(rules)})
		r.must(err)
		r.issue("2024-09")
		var before bytes.Buffer
		r.must(r.mapping.Export(r.ctx, operator, "focus", &before))
		old := string(r.canonical(vendor, "2024-09"))
		key := busiest(before.String())
		_, err = r.mapping.Import(r.ctx, operator, attribution.ImportInput{File: strings.NewReader("source,key,customer,partner,association,valid_from,valid_to\nfocus," + key + ",B9,P2,resale,,\n")})
		r.must(err)
		if string(r.canonical(vendor, "2024-09")) != old {
			t.Error("the issued bill changed")
		}
		var after bytes.Buffer
		r.must(r.mapping.Export(r.ctx, operator, "focus", &after))
		r.issue("2024-10")
		world := map[string]any{"sources": []map[string]any{{"name": "focus", "vendor": "Nova", "dialect": "focus", "files": []string{absolute(t, file)}}},
			"map": "map.csv", "price": "price.csv", "remaps": []map[string]any{{"map": "later.csv", "cycle": "2024-09", "into": "2024-10"}}}
		dir := t.TempDir()
		later := filepath.Join(dir, "later.csv")
		if err := os.WriteFile(later, after.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		world["remaps"].([]map[string]any)[0]["map"] = later
		bills := append(r.plain(vendor, "2024-09"), r.plain(vendor, "2024-10")...)
		if len(bills) != 3 {
			t.Fatalf("%d bills", len(bills))
		}
		if out := runScript(t, interpreter, root, world, before.String(), rules, bills); !strings.Contains(out, "agree to the last digit") {
			t.Error(out)
		}
		if rep := r.verified(); !rep.Whole() {
			t.Errorf("verification: %+v", rep.Differences)
		}
	})
}

func (r *road) canonical(vendorID string, c cycle.Cycle) []byte {
	docs, err := r.bills.WithItems(r.ctx, operator, bill.Filter{VendorID: vendorID, Cycle: c})
	r.must(err)
	var out []byte
	for i := range docs {
		out = append(out, docs[i].Canonical()...)
	}
	return out
}

// busiest is the key of the first rule of a map file that names a real sub-account.
func busiest(mapFile string) string {
	for _, line := range strings.Split(mapFile, "\n")[1:] {
		cells := strings.Split(line, ",")
		if len(cells) > 2 && cells[1] != "no-such-account" {
			return cells[1]
		}
	}
	return ""
}
