package bill_test

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"testing"
	"time"

	"huoban/internal/price"
	"huoban/internal/usage"
)

// sample reads the FOCUS 1.0 sample without the importer, every line as customer cs.
func sample(t *testing.T) []*usage.Stored {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "data", "samples", "focus-1.0", "focus_sample.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	for i, h := range rows[0] {
		at[h] = i
	}
	var out []*usage.Stored
	for _, r := range rows[1:] {
		if r[at["BillingPeriodStart"]][:7] != "2024-09" {
			continue
		}
		start, err := time.Parse("2006-01-02 15:04:05", r[at["ChargePeriodStart"]])
		if err != nil {
			t.Fatal(err)
		}
		billed := x(r[at["BilledCost"]])
		out = append(out, &usage.Stored{SlotID: 1, CustomerID: "id-cs", Line: usage.Line{ChargeStart: start, Currency: r[at["BillingCurrency"]],
			Kind: usage.KindOf(r[at["ChargeCategory"]], r[at["ChargeClass"]] == "Correction", false, billed), Billed: billed,
			Account: usage.Account{Provider: r[at["ProviderName"]]}, Product: usage.Product{Service: r[at["ServiceName"]], Region: r[at["RegionId"]]}}})
	}
	return out
}

func TestFOCUSSample(t *testing.T) {
	lines := sample(t)
	for _, c := range []struct {
		rules              []price.Rule
		due, exact, source string
	}{
		{nil, "20.28", "20.28022672899", "20.28022672899"},
		{[]price.Rule{rule(1, "", "0.85")}, "17.23", "17.2381927196415", "20.28022672899"},
	} {
		r := build(t, config(false, c.rules...), lines...)
		d := r.Documents[0]
		if len(r.Documents) != 1 || d.LineCount != 999 || d.Due.String() != c.due || d.ExactTotal.String() != c.exact || d.SourceTotal.String() != c.source {
			t.Errorf("%d bills: %s", len(r.Documents), figures(&d))
		}
		if len(c.rules) > 0 {
			continue
		}
		exact := map[usage.Kind]string{}
		for _, k := range []usage.Kind{usage.KindConsumption, usage.KindRefund, usage.KindAdjustment} {
			sum := x("0")
			for _, it := range d.Items {
				if it.Kind == k {
					sum = sum.Add(it.Exact)
				}
			}
			exact[k] = sum.String()
		}
		if exact["consumption"] != "22.62192672899" || exact["refund"] != "0" || exact["adjustment"] != "-2.3417" {
			t.Errorf("exact parts %v", exact)
		}
		checkSum := d.Consumption + d.Refund + d.Adjustment + d.Rounding
		if checkSum != d.Due {
			t.Errorf("%s does not add up", figures(&d))
		}
	}
}
