package conformance

import (
	"encoding/csv"
	"os"
	"strings"
	"testing"
)

func TestEveryRuleIsReportedOnce(t *testing.T) {
	c := New("1.2", []string{"BilledCost"})
	res := c.Results()
	if len(res) != 621 {
		t.Fatalf("%d rules, want 621", len(res))
	}
	count := map[Verdict]int{}
	for _, r := range res {
		count[r.Verdict]++
	}
	if count[VerdictNotCheckable] != 201 {
		t.Errorf("%d rules are not machine-checkable, want the model's 201 dynamic ones", count[VerdictNotCheckable])
	}
	if count[VerdictNotApplicable] != 0 {
		t.Errorf("%d rules do not apply to the model's own version", count[VerdictNotApplicable])
	}
}

func cells(row []string) [][]byte {
	out := make([][]byte, len(row))
	for i, v := range row {
		out[i] = []byte(v)
	}
	return out
}

func result(t *testing.T, c *Checker, rule string) Result {
	t.Helper()
	for _, r := range c.Results() {
		if r.Rule == rule {
			return r
		}
	}
	t.Fatalf("no rule %s", rule)
	return Result{}
}

func TestRules(t *testing.T) {
	head := []string{"BilledCost", "BillingCurrency", "ChargeCategory", "CommitmentDiscountId", "CommitmentDiscountStatus",
		"ListUnitPrice", "PricingQuantity", "ListCost", "SkuPriceId", "SkuId", "BillingPeriodStart", "CapacityReservationId", "CapacityReservationStatus"}
	good := "1.5,USD,Usage,NULL,NULL,0.5,2,1.0,P1,S1,2024-09-01T00:00:00Z,,"
	for _, c := range []struct {
		name, rule, row string
		failed          int64
	}{
		{"good currency", "BillingCurrency-C-004-M", good, 0},
		{"null currency", "BillingCurrency-C-004-M", "1.5,,Usage,,,0.5,2,1,P1,S1,2024-09-01T00:00:00Z,,", 1},
		{"exponent is numeric", "BilledCost-C-002-M", "1.5E-8,USD,Usage,,,0.5,2,1,P1,S1,2024-09-01T00:00:00Z,,", 0},
		{"plus is not", "BilledCost-C-002-M", "+1.5,USD,Usage,,,0.5,2,1,P1,S1,2024-09-01T00:00:00Z,,", 1},
		{"status without commitment", "CommitmentDiscountStatus-C-003-C", "1.5,USD,Usage,,Used,0.5,2,1,P1,S1,2024-09-01T00:00:00Z,,", 1},
		{"no status without commitment", "CommitmentDiscountStatus-C-003-C", good, 0},
		{"price of a tax", "ListUnitPrice-C-004-C", "1.5,USD,Tax,,,0.5,2,1,P1,S1,2024-09-01T00:00:00Z,,", 1},
		{"price of usage", "ListUnitPrice-C-004-C", good, 0},
		{"reservation without status", "CapacityReservationStatus-C-004-C", "1.5,USD,Usage,,,0.5,2,1,P1,S1,2024-09-01T00:00:00Z,CR1,", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := New("1.2", head)
			k.Row(1, 2, cells(strings.Split(c.row, ",")))
			r := result(t, k, c.rule)
			if r.Failed != c.failed {
				t.Errorf("%s: %d of %d failed, want %d (%s)", c.rule, r.Failed, r.Checked, c.failed, r.Sentence)
			}
			if c.failed > 0 && (len(r.Samples) != 1 || r.Samples[0].Line != 2 || r.Verdict != VerdictFailed) {
				t.Errorf("%s: %+v", c.rule, r)
			}
		})
	}
}

func TestLaterColumnsDoNotApplyToEarlierVersions(t *testing.T) {
	c := New("1.0", nil)
	for _, r := range c.Results() {
		if r.Column == "InvoiceId" && r.Verdict != VerdictNotApplicable && r.Verdict != VerdictNotCheckable {
			t.Errorf("%s is %s for FOCUS 1.0", r.Rule, r.Verdict)
		}
	}
	if r := result(t, New("1.0", nil), "BilledCost-C-002-M"); r.Verdict != VerdictPassed || r.Checked != 0 {
		t.Errorf("a rule about an absent column has nothing to check: %+v", r)
	}
}

// TestSample: facts counted in the FOCUS 1.0 sample by other means (data/samples/README.md).
func TestSample(t *testing.T) {
	f, err := os.Open("../../data/samples/focus-1.0/focus_sample.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rd := csv.NewReader(f)
	head, err := rd.Read()
	if err != nil {
		t.Fatal(err)
	}
	rows, err := rd.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	c := New("1.0", head)
	for i, r := range rows {
		c.Row(1, int64(i+2), cells(r))
	}
	for _, w := range []struct {
		rule   string
		failed int64
	}{
		{"BillingPeriodStart-C-002-M", 1000}, // no T, no zone in the text
		{"BilledCost-C-001-M", 0},
		{"ListUnitPrice-C-010-C", 25},  // unit price × quantity is not the list cost
		{"ChargeFrequency-C-003-M", 7}, // "Usage-based"
	} {
		if r := result(t, c, w.rule); r.Failed != w.failed {
			t.Errorf("%s (%s): %d failed of %d, want %d", w.rule, r.Sentence, r.Failed, r.Checked, w.failed)
		}
	}
}
