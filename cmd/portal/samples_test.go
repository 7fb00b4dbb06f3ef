package main

import (
	"encoding/csv"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"huoban/internal/money"
)

// verdict is what verdicts.csv says of one file.
type verdict struct {
	file, dialect, verdict, quarantined string
	totals                              []string // "CYCLE CURRENCY LINES BILLED TAX"
}

func verdicts(t *testing.T) []verdict {
	t.Helper()
	f, err := os.Open(filepath.Join(samples, "verdicts.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []verdict
	for _, r := range rows[1:] {
		if n := len(out); n == 0 || out[n-1].file != r[0] {
			out = append(out, verdict{file: r[0], dialect: r[1], verdict: r[2], quarantined: r[4]})
		}
		if r[5] != "" {
			last := &out[len(out)-1]
			last.totals = append(last.totals, strings.Join(r[5:10], " "))
		}
	}
	return out
}

// TestSamples brings every sample through the commands into a source and vendor of its own, owned by
// one partner: what is imported, refused and billed is what the table says, to the last digit.
func TestSamples(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		w.do("source", "add", "--name", "first", "--vendor", "FIRST", "--dialect", "focus")
		w.do("org", "add", "--code", "P1", "--kind", "solution", "--name", "Partner", "--parent", "FIRST")
		for i, v := range verdicts(t) {
			vendor := fmt.Sprintf("V%02d", i)
			w.do("source", "add", "--name", vendor, "--vendor", vendor, "--dialect", v.dialect, "--default", "P1")
			path := filepath.Join(samples, filepath.FromSlash(v.file))
			if code, ok := strings.CutPrefix(v.verdict, "refused:"); ok {
				if got := w.refused("import", path, "--source", vendor); !slices.Contains(got, code) {
					t.Errorf("%s: refused for %v, the table says %s", v.file, got, code)
				}
				continue
			}
			res := w.imports(path, "--source", vendor)
			if fmt.Sprint(res.Quarantined) != v.quarantined {
				t.Errorf("%s: %d rows in quarantine, the table says %s", v.file, res.Quarantined, v.quarantined)
			}
			if diff := cmp.Diff(v.totals, w.totals(vendor, res)); diff != "" {
				t.Errorf("%s (-table +portal):\n%s", v.file, diff)
			}
		}
	})
}

// totals reads the bills of an import back: the import's own sum must be theirs.
func (w *world) totals(vendor string, res imported) []string {
	w.t.Helper()
	var out []string
	seen := map[string]bool{}
	for _, c := range res.Cycles {
		if seen[c.Cycle] {
			continue
		}
		seen[c.Cycle] = true
		for _, b := range w.bills("P1", c.Cycle, "--vendor", vendor) {
			out = append(out, strings.Join([]string{b.Cycle, b.Currency, b.LineCount.String(), b.Source, b.TaxExact}, " "))
			for _, x := range res.Cycles {
				if x.Cycle == b.Cycle && x.Currency == b.Currency && x.Total != sum(w.t, b.Source, b.TaxExact) {
					w.t.Errorf("%s %s: imported %s, billed %s and tax %s", b.Cycle, b.Currency, x.Total, b.Source, b.TaxExact)
				}
			}
		}
	}
	slices.Sort(out)
	return out
}

func sum(t *testing.T, values ...string) string {
	t.Helper()
	var s money.Exact
	for _, v := range values {
		x, err := money.ParseExact(v)
		if err != nil {
			t.Fatalf("%q: %v", v, err)
		}
		s = s.Add(x)
	}
	return s.String()
}

// TestGoogleOneBillPerCurrency: four currencies over three months, credits counted once, tax apart.
func TestGoogleOneBillPerCurrency(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		w.do("source", "add", "--name", "gcp", "--vendor", "G", "--dialect", "gcp")
		w.do("import", filepath.Join(samples, "gcp-synth/sample_billing_data.csv"), "--source", "gcp", "--final")
		w.do("map", "auto", "--source", "gcp", "--partner", "P1", "--association", "resale", "--key", "project_id")
		for _, c := range []string{"2026-03", "2026-04", "2026-05"} {
			w.do("close", "--vendor", "G", "--cycle", c, "--issue")
			var currencies []string
			for _, b := range w.bills("P1", c) {
				currencies = append(currencies, b.Currency)
				parts := sum(t, b.Consumption, b.Refund, b.Adjustment, b.Rounding)
				if b.Due != parts || b.State != "issued" {
					t.Errorf("%s %s %s: due %s, parts without tax %s", c, b.Currency, b.State, b.Due, parts)
				}
			}
			if want := []string{"AUD", "EUR", "GBP", "USD"}; !slices.Equal(currencies, want) {
				t.Errorf("%s: bills in %v, want %v", c, currencies, want)
			}
		}
		b := w.bills("P1", "2026-03", "--currency", "USD")[0]
		if b.Source != "386308.5313" || b.TaxExact != "63538.9997" || b.Due != "386308.53" {
			t.Errorf("2026-03 USD: %s, tax %s, due %s", b.Source, b.TaxExact, b.Due)
		}
	})
}

// TestNewerDeliveryReplaces: the final month file stands in place of the preliminary one.
func TestNewerDeliveryReplaces(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		w.do("source", "add", "--name", "aws", "--vendor", "A", "--dialect", "aws-cur")
		w.do("import", filepath.Join(samples, "koku-testdata/aws_2023-06-01-not-final.csv"), "--source", "aws")
		w.do("map", "auto", "--source", "aws", "--partner", "P1", "--association", "resale")
		res := w.imports(filepath.Join(samples, "koku-testdata/aws_2023-06-01.csv"), "--source", "aws", "--final")
		w.do("map", "auto", "--source", "aws", "--partner", "P1", "--association", "resale") // its account number is another
		if res.Added != 0 || res.Removed != 0 {
			t.Errorf("added %d, removed %d: the invoice number is content, not key", res.Added, res.Removed)
		}
		b := w.bills("P1", "2023-06")
		if len(b) != 1 || b[0].LineCount != "3" || b[0].Source != "30" || b[0].Currency != "NOK" {
			t.Errorf("%+v, want one bill of 3 lines, 30 NOK", b)
		}
		w.do("close", "--vendor", "A", "--cycle", "2023-06", "--issue")
	})
}

// TestAmortisedNeverBeside: amortised cost is refused in either order, with or without the actual file,
// alone or in one delivery with it.
func TestAmortisedNeverBeside(t *testing.T) {
	actual, amortised := filepath.Join(samples, "finops-toolkit/EA_ActualCost_Small.csv"), filepath.Join(samples, "finops-toolkit/EA_AmortizedCost_Small.csv")
	eachEngine(t, func(t *testing.T, w *world) {
		for _, order := range [][]string{{actual, amortised}, {amortised, actual}} {
			name := "ms" + fmt.Sprint(order[0] == actual)
			w.do("source", "add", "--name", name, "--vendor", name, "--dialect", "azure-cost")
			for _, file := range order {
				if file == actual {
					w.do("import", file, "--source", name)
				} else if got := w.refused("import", file, "--source", name); !slices.Contains(got, "delivery.amortised") {
					t.Errorf("refused for %v", got)
				}
			}
			if got := w.refused("import", actual, amortised, "--source", name); !slices.Contains(got, "delivery.amortised") {
				t.Errorf("both together: refused for %v", got)
			}
			w.do("map", "auto", "--source", name, "--partner", "P1", "--association", "resale")
			if b := w.bills("P1", "2023-09", "--vendor", name); len(b) != 1 || b[0].Source != "8.5450077867419368" {
				t.Errorf("%+v, want the actual cost alone", b)
			}
		}
	})
}

// TestMonthOfTheVendorsZone: a Chinese month written in UTC with inclusive ends is that month.
func TestMonthOfTheVendorsZone(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		file := w.file("huawei.csv", `BillingPeriodStart,BillingPeriodEnd,ChargePeriodStart,ChargePeriodEnd,BilledCost,EffectiveCost,ListCost,ContractedCost,BillingCurrency,ChargeCategory,ChargeFrequency,ProviderName,PublisherName,InvoiceIssuerName,ServiceName,ServiceCategory,BillingAccountId,SubAccountId,RegionId,SkuId
2024-12-31T16:00:00Z,2025-01-31T15:59:59Z,2024-12-31T16:00:00Z,2024-12-31T16:59:59Z,1.25,1.25,1.25,1.25,CNY,Usage,Usage-Based,Huawei Cloud,Huawei Cloud,Huawei Cloud,ECS,Compute,acc,sub-1,cn-north-4,s1
2024-12-31T16:00:00Z,2025-01-31T15:59:59Z,2025-01-31T15:00:00Z,2025-01-31T15:59:59Z,2.5,2.5,2.5,2.5,CNY,Usage,Usage-Based,Huawei Cloud,Huawei Cloud,Huawei Cloud,ECS,Compute,acc,sub-1,cn-north-4,s1
`)
		for name, more := range map[string][]string{"hw": {"--dialect", "huawei"}, "plain": {"--dialect", "focus", "--zone", "+08:00"}} {
			w.do(append([]string{"source", "add", "--name", name, "--vendor", name}, more...)...)
			res := w.imports(file, "--source", name)
			if len(res.Cycles) != 1 || res.Cycles[0].Cycle != "2025-01" || res.Cycles[0].Total != "3.75" {
				t.Errorf("%s: %+v, want 2025-01 with 3.75", name, res.Cycles)
			}
		}
	})
}

// TestOracleAppends: eighteen decimals add up, and what came before does not come twice.
func TestOracleAppends(t *testing.T) {
	eachEngine(t, func(t *testing.T, w *world) {
		sample := filepath.Join(samples, "focus-converters/reports_cost-csv_0000000030000269.csv")
		body, err := os.ReadFile(sample)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.SplitAfter(string(body), "\n")
		first, rest := w.file("day1.csv", strings.Join(lines[:101], "")), w.file("day2.csv", lines[0]+strings.Join(lines[101:], ""))
		w.do("source", "add", "--name", "oci", "--vendor", "O", "--dialect", "oci")
		w.do("import", first, "--source", "oci")
		w.do("import", rest, "--source", "oci", "--final")
		w.do("map", "auto", "--source", "oci", "--partner", "P1", "--association", "resale")
		check := func(when string) {
			t.Helper()
			b := w.bills("P1", "2023-11")
			if len(b) != 1 || b[0].LineCount != "506" || b[0].Source != "2.523589325400648027" {
				t.Errorf("%s: %+v", when, b)
			}
		}
		check("two days")
		if res := w.imports(first, "--source", "oci"); res.Added != 0 {
			t.Errorf("the same day again added %d", res.Added)
		}
		check("the same day again")
		// The whole month in another file: every row is a repeat.
		if code, out, _ := w.exec("--json", "import", sample, "--source", "oci"); code == exitDone {
			if res := decode[imported](t, out); res.Added != 0 {
				t.Errorf("repeats added %d", res.Added)
			}
		}
		check("repeats")
		if got := w.refused("import", w.file("other.csv", "a,b\n1,2\n"), "--source", "oci"); len(got) == 0 {
			t.Error("a file of another kind was taken")
		}
	})
}

// TestParquetGivesTheSameBill: the same rows as Parquet in every shape make the same bill.
func TestParquetGivesTheSameBill(t *testing.T) {
	tool := filepath.Join(t.TempDir(), "parquetmake")
	if out, err := exec.Command("go", "build", "-o", tool, "../../tools/parquetmake").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	sample := filepath.Join(samples, "focus-1.0/focus_sample.csv")
	shapes := [][]string{{"-cost", "decimal", "-tags", "map", "-codec", "zstd", "-group", "300"}, {"-cost", "double", "-tags", "text", "-codec", "snappy", "-group", "100"}}
	var files []string
	for i, shape := range shapes {
		file := filepath.Join(t.TempDir(), fmt.Sprintf("focus%d.parquet", i))
		if out, err := exec.Command(tool, append([]string{"-in", sample, "-out", file}, shape...)...).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		files = append(files, file)
	}
	eachEngine(t, func(t *testing.T, w *world) {
		var want billDoc
		for i, file := range append([]string{sample}, files...) {
			name := fmt.Sprintf("f%d", i)
			w.do("source", "add", "--name", name, "--vendor", name, "--dialect", "focus")
			w.do("import", file, "--source", name, "--final")
			w.do("map", "auto", "--source", name, "--partner", "P1", "--association", "resale")
			got := w.bills("P1", "2024-09", "--vendor", name, "--by", "product")[0]
			got.Seller, got.Entity = "", ""
			if i == 0 {
				want = got
				continue
			}
			if diff := cmp.Diff(want, got); diff != "" || got.Source != "20.28022672899" {
				t.Errorf("%v: source total %s (-csv +parquet):\n%s", shapes[i-1], got.Source, diff)
			}
		}
	})
}
