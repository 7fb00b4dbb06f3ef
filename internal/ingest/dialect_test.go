package ingest_test

import (
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/ingest"
	"huoban/internal/usage"
)

// read makes the lines and the bad rows of a text.
func read(t *testing.T, s ingest.Source, text string) ([]usage.Line, []*ingest.Bad, *ingest.Reader) {
	t.Helper()
	rows, err := ingest.NewCSV(io.NopCloser(strings.NewReader(text)))
	if err != nil {
		t.Fatal(err)
	}
	r, err := ingest.NewRowReader(rows, s)
	if err != nil {
		t.Fatal(err)
	}
	var lines []usage.Line
	var bads []*ingest.Bad
	for {
		l, bad, err := r.Next()
		switch {
		case err == io.EOF:
			return lines, bads, r
		case err != nil:
			t.Fatal(err)
		case bad != nil:
			bads = append(bads, bad)
		default:
			lines = append(lines, *l)
		}
	}
}

// one reads a text of a single good row.
func one(t *testing.T, s ingest.Source, text string) usage.Line {
	t.Helper()
	lines, bads, _ := read(t, s, text)
	if len(lines) != 1 {
		t.Fatalf("%d lines, quarantined %+v", len(lines), bads)
	}
	return lines[0]
}

const focusHead = "BilledCost,BillingCurrency,BillingPeriodStart,BillingPeriodEnd,ChargePeriodStart,ChargePeriodEnd," +
	"ChargeCategory,ChargeClass,ChargeFrequency,ListCost,ContractedCost,ServiceName,RegionId,RegionName,ChargeDescription," +
	"PricingCategory,CommitmentDiscountId,CommitmentDiscountType,CommitmentDiscountCategory,SubAccountId,InvoiceId,x_Note,Tags\n"

func focusRow(over map[string]string) string {
	cells := map[string]string{
		"BilledCost": "1.5", "BillingCurrency": "USD",
		"BillingPeriodStart": "2025-01-01T00:00:00Z", "BillingPeriodEnd": "2025-02-01T00:00:00Z",
		"ChargePeriodStart": "2025-01-03T00:00:00Z", "ChargePeriodEnd": "2025-01-04T00:00:00Z",
		"ChargeCategory": "Usage", "ServiceName": "Compute",
	}
	for k, v := range over {
		cells[k] = v
	}
	var row []string
	for _, h := range strings.Split(strings.TrimSpace(focusHead), ",") {
		row = append(row, `"`+strings.ReplaceAll(cells[h], `"`, `""`)+`"`)
	}
	return strings.Join(row, ",") + "\n"
}

func TestHuaweiPeriod(t *testing.T) {
	row := focusHead + focusRow(map[string]string{
		"BillingPeriodStart": "2024-12-31T16:00:00Z", "BillingPeriodEnd": "2025-01-31T15:59:59Z",
		"ChargePeriodStart": "2025-01-30T16:00:00Z", "ChargePeriodEnd": "2025-01-31T15:59:59Z",
		"ChargeCategory": "Purchase", "ChargeFrequency": "One-Time",
	})
	for _, s := range []ingest.Source{
		{Dialect: "focus-huawei"}, {Dialect: "huawei"}, {Dialect: "focus", Zone: cycle.Zone},
	} {
		l := one(t, s, row)
		if l.Cycle != "2025-01" {
			t.Errorf("%s: cycle %s", s.Dialect, l.Cycle)
		}
		if want := time.Date(2025, 1, 31, 16, 0, 0, 0, time.UTC); !l.ChargeEnd.Equal(want) {
			t.Errorf("%s: end %s", s.Dialect, l.ChargeEnd)
		}
	}
	if l := one(t, ingest.Source{Dialect: "focus"}, row); l.Cycle != "2024-12" {
		t.Errorf("in UTC: cycle %s", l.Cycle)
	}
	if l := one(t, ingest.Source{Dialect: "huawei"}, row); l.Product.ChargingMode != usage.ModeSubscription {
		t.Errorf("mode %s", l.Product.ChargingMode)
	}
}

// A time without zone is local for Chinese clouds and UTC for the others.
func TestNaiveTimes(t *testing.T) {
	row := focusHead + focusRow(map[string]string{"BillingPeriodStart": "2025-01-01 00:00:00", "ChargePeriodStart": "2025-01-03 00:00:00"})
	for dialect, want := range map[string]string{
		"focus": "2025-01-03T00:00:00Z", "azure": "2025-01-03T00:00:00Z", "aws": "2025-01-03T00:00:00Z",
		"huawei": "2025-01-02T16:00:00Z", "alibaba": "2025-01-02T16:00:00Z", "tencent": "2025-01-02T16:00:00Z",
	} {
		l := one(t, ingest.Source{Dialect: dialect}, row)
		if got := l.ChargeStart.Format(time.RFC3339); got != want || l.Cycle != "2025-01" {
			t.Errorf("%s: %s in %s", dialect, got, l.Cycle)
		}
	}
}

func TestFocusDeviations(t *testing.T) {
	zero := focusHead + focusRow(map[string]string{"ListCost": "0", "ContractedCost": "0.00"})
	if l := one(t, ingest.Source{Dialect: "azure"}, zero); l.List != nil || l.Contracted != nil {
		t.Errorf("azure: zero stands for unknown, got %v %v", l.List, l.Contracted)
	}
	if l := one(t, ingest.Source{Dialect: "focus"}, zero); l.List == nil || !l.List.IsZero() {
		t.Errorf("focus: zero is zero, got %v", l.List)
	}
	null := focusHead + focusRow(map[string]string{"ListCost": "NULL", "ContractedCost": "(null)", "RegionId": "NULL", "RegionName": "us-x"})
	l := one(t, ingest.Source{Dialect: "alibaba"}, null)
	if l.List != nil || l.Contracted != nil || l.Product.Region != "us-x" {
		t.Errorf("alibaba: %v %v %q", l.List, l.Contracted, l.Product.Region)
	}
	link := focusHead + focusRow(map[string]string{"ChargeDescription": "https://console.example/bill/77"})
	if l := one(t, ingest.Source{Dialect: "tencent"}, link); l.Product.Description != "" {
		t.Errorf("tencent: description %q", l.Product.Description)
	}
	// A source that bills by a column the row leaves empty cannot bill the row.
	_, bads, _ := read(t, ingest.Source{Dialect: "alibaba", Base: "contracted"}, null)
	if len(bads) != 1 || bads[0].Code != "ingest.base_missing" || bads[0].Cycle != "2025-01" {
		t.Errorf("base: %+v", bads)
	}
}

func TestFocusKindsAndModes(t *testing.T) {
	for _, c := range []struct {
		cells map[string]string
		kind  usage.Kind
		mode  usage.ChargingMode
	}{
		{map[string]string{"ChargeFrequency": "Usage-based"}, usage.KindConsumption, usage.ModeOnDemand},
		{map[string]string{"BilledCost": "-2"}, usage.KindConsumption, usage.ModeOnDemand},
		{map[string]string{"ChargeCategory": "Purchase", "ChargeFrequency": "Recurring"}, usage.KindConsumption, usage.ModeSubscription},
		{map[string]string{"ChargeCategory": "Purchase", "ChargeFrequency": "One-Time"}, usage.KindConsumption, usage.ModeOneTime},
		{map[string]string{"ChargeCategory": "purchase"}, usage.KindConsumption, usage.ModeSubscription},
		{map[string]string{"ChargeClass": "Correction", "BilledCost": "-2"}, usage.KindRefund, usage.ModeOnDemand},
		{map[string]string{"ChargeClass": "Correction"}, usage.KindAdjustment, usage.ModeOnDemand},
		{map[string]string{"ChargeCategory": "Credit", "BilledCost": "-2"}, usage.KindAdjustment, usage.ModeOneTime},
		{map[string]string{"ChargeCategory": "Tax", "ChargeClass": "Correction", "BilledCost": "-2"}, usage.KindTax, usage.ModeOneTime},
		{map[string]string{"PricingCategory": "Committed", "CommitmentDiscountCategory": "Spend"}, usage.KindConsumption, usage.ModeSavingsPlan},
		{map[string]string{"PricingCategory": "Committed", "CommitmentDiscountType": "Savings Plan"}, usage.KindConsumption, usage.ModeSavingsPlan},
		{map[string]string{"CommitmentDiscountId": "r-1", "CommitmentDiscountType": "Reservation"}, usage.KindConsumption, usage.ModeReserved},
	} {
		l := one(t, ingest.Source{Dialect: "focus"}, focusHead+focusRow(c.cells))
		if l.Kind != c.kind || l.Product.ChargingMode != c.mode {
			t.Errorf("%v: %s, %s", c.cells, l.Kind, l.Product.ChargingMode)
		}
	}
}

func TestBadRows(t *testing.T) {
	for _, c := range []struct {
		column, value, code string
	}{
		{"BilledCost", "1,234.50", "ingest.number_comma"},
		{"BilledCost", "+1", "ingest.number_malformed"},
		{"BilledCost", "1e300", "ingest.number_range"},
		{"BilledCost", "100000000000000", "ingest.number_range"},
		{"BilledCost", "NULL", "ingest.value_missing"},
		{"ListCost", "abc", "ingest.number_malformed"},
		{"BillingCurrency", "", "ingest.value_missing"},
		{"BillingCurrency", "XQX", "ingest.currency_unknown"},
		{"BillingPeriodStart", "", "ingest.value_missing"},
		{"BillingPeriodStart", "2025-02-30", "ingest.time_malformed"},
		{"ChargePeriodStart", "yesterday", "ingest.time_malformed"},
		{"ChargePeriodStart", "", "ingest.value_missing"},
		{"ChargePeriodEnd", "2024-12-01", "ingest.period_backwards"},
		{"ChargeCategory", "Gift", "ingest.category_unknown"},
		{"ChargeCategory", "null", "ingest.value_missing"},
	} {
		text := focusHead + focusRow(nil) + focusRow(map[string]string{c.column: c.value}) + focusRow(map[string]string{"BilledCost": "2"})
		lines, bads, r := read(t, ingest.Source{Dialect: "focus"}, text)
		if len(lines) != 2 || len(bads) != 1 {
			t.Errorf("%s=%q: %d lines, %+v", c.column, c.value, len(lines), bads)
			continue
		}
		b := bads[0]
		if b.Code != c.code || b.Column != c.column || b.LineNo != 3 || !strings.Contains(b.Raw, "Compute") {
			t.Errorf("%s=%q: %+v", c.column, c.value, b)
		}
		if s := r.Stats(); s.Rows != 3 || s.Lines != 2 || s.Bad != 1 {
			t.Errorf("stats %+v", s)
		}
	}
}

// The key does not depend on the order of columns, on InvoiceId, on x_ columns or on how a null is
// written; any other cell changes it.
func TestFocusKey(t *testing.T) {
	src := ingest.Source{Dialect: "focus"}
	plain := one(t, src, focusHead+focusRow(nil))
	same := []string{
		focusHead + focusRow(map[string]string{"InvoiceId": "INV-7", "x_Note": "final"}),
		focusHead + focusRow(map[string]string{"ListCost": "NULL", "SubAccountId": "(null)"}),
		"ServiceName,ChargeCategory,ChargePeriodEnd,ChargePeriodStart,BillingPeriodEnd,BillingPeriodStart,BillingCurrency,BilledCost,Tags\r\n" +
			"Compute,Usage,2025-01-04T00:00:00Z,2025-01-03T00:00:00Z,2025-02-01T00:00:00Z,2025-01-01T00:00:00Z,USD,1.5,\r\n",
	}
	for i, text := range same {
		if l := one(t, src, text); l.Key != plain.Key || l.Content != plain.Content {
			t.Errorf("variant %d has another key", i)
		}
	}
	for _, column := range []string{"BilledCost", "SubAccountId", "ServiceName", "Tags"} {
		if l := one(t, src, focusHead+focusRow(map[string]string{column: "2"})); l.Key == plain.Key {
			t.Errorf("%s does not count", column)
		}
	}
	// Two cells cannot trade places unseen.
	a := one(t, src, focusHead+focusRow(map[string]string{"RegionId": "ab", "RegionName": "c"}))
	b := one(t, src, focusHead+focusRow(map[string]string{"RegionId": "a", "RegionName": "bc"}))
	if a.Key == b.Key {
		t.Error("fields are not told apart")
	}
}

func TestVersions(t *testing.T) {
	base := []string{"BilledCost", "BillingCurrency", "BillingPeriodStart", "ChargePeriodStart", "ChargeCategory"}
	for column, want := range map[string]string{
		"ContractedCost": "1.0", "SkuMeter": "1.1", "InvoiceId": "1.2", "HostProviderName": "1.3", "InvoiceDetailId": "1.4",
	} {
		if d, v, ok := ingest.Detect(append(base, column)); !ok || d != "focus" || v != want {
			t.Errorf("%s: %s %s", column, d, v)
		}
	}
}

func newReader(s ingest.Source, header string) error {
	rows, err := ingest.NewCSV(io.NopCloser(strings.NewReader(header + "\n")))
	if err == nil {
		_, err = ingest.NewRowReader(rows, s)
	}
	return err
}

func TestWholeFileFaults(t *testing.T) {
	focus := strings.TrimSpace(focusHead)
	for _, c := range []struct {
		source ingest.Source
		header string
		code   string
	}{
		{ingest.Source{Dialect: "nothing"}, focus, "ingest.dialect_unknown"},
		{ingest.Source{Dialect: "focus", Base: "net"}, focus, "ingest.base_unknown"},
		{ingest.Source{Dialect: "focus", Columns: map[string]string{"bild": "x"}}, focus, "ingest.field_unknown"},
		{ingest.Source{Dialect: "focus", Currencies: []string{"usd"}}, focus, "ingest.currency_unknown"},
		{ingest.Source{Dialect: "focus"}, focus + ",Tags", "ingest.header_duplicate"},
		{ingest.Source{Dialect: "aws-cur"}, focus, "ingest.wrong_dialect"},
		{ingest.Source{Dialect: "focus"}, "identity/LineItemId,identity/TimeInterval,lineItem/UnblendedCost", "ingest.wrong_dialect"},
		{ingest.Source{Dialect: "focus"}, "a,b,c", "ingest.not_dialect"},
		{ingest.Source{Dialect: "focus"}, strings.Replace(focus, "BillingCurrency,", "", 1), "ingest.columns_missing"},
		{ingest.Source{Dialect: "focus", Columns: map[string]string{"billed": "Net"}}, focus, "ingest.columns_missing"},
		{ingest.Source{Dialect: "focus", KeyColumn: "CostCenter"}, focus, "ingest.key_column_missing"},
		{ingest.Source{Dialect: "focus"}, "ContractCommitmentId,ContractId,BillingCurrency", "ingest.not_cost_and_usage"},
		{ingest.Source{Dialect: "focus"}, "InvoiceDetailId,InvoiceDetailGrain,BilledCost,ChargeCategory,BillingPeriodStart", "ingest.not_cost_and_usage"},
		{ingest.Source{Dialect: "focus"}, "BillingPeriodStart,BillingPeriodEnd,BillingPeriodStatus", "ingest.not_cost_and_usage"},
		{ingest.Source{Dialect: "gcp"}, "cost,currency,invoice.month,usage_start_time", "ingest.columns_missing"},
	} {
		if err := newReader(c.source, c.header); !fault.HasCode(err, c.code) {
			t.Errorf("%+v %.30s: got %v, want %s", c.source, c.header, err, c.code)
		}
	}
}

func TestSourceSettings(t *testing.T) {
	text := focusHead + focusRow(map[string]string{"Tags": `{"team":"a","env":"prod"}`, "SubAccountId": "s1"}) +
		focusRow(map[string]string{"BillingCurrency": "EUR", "Tags": `"team": "b"`})
	lines, _, _ := read(t, ingest.Source{Dialect: "focus", KeyColumn: "tag:team"}, text)
	if lines[0].Account.SourceKey != "a" || lines[1].Account.SourceKey != "b" {
		t.Errorf("tag keys %q %q", lines[0].Account.SourceKey, lines[1].Account.SourceKey)
	}
	if want := `{"env":"prod","team":"a"}`; lines[0].Resource.Tags != want {
		t.Errorf("tags %s", lines[0].Resource.Tags)
	}
	lines, _, r := read(t, ingest.Source{Dialect: "focus", KeyColumn: "SubAccountId", Currencies: []string{"USD"}}, text)
	if len(lines) != 1 || r.Stats().Skipped != 1 || lines[0].Account.SourceKey != "s1" {
		t.Errorf("narrowed: %d lines, %+v", len(lines), r.Stats())
	}
	l := one(t, ingest.Source{Dialect: "focus", Columns: map[string]string{"billed": "ListCost"}},
		focusHead+focusRow(map[string]string{"ListCost": "7"}))
	if l.Billed.String() != "7" {
		t.Errorf("override: %s", l.Billed)
	}
}

// What a bill's becoming final changes is content, not identity.
func TestNotFinalThenFinal(t *testing.T) {
	keys := map[usage.Hash]usage.Hash{}
	for i, name := range []string{"aws_2023-06-01-not-final.csv", "aws_2023-06-01.csv"} {
		d, err := ingest.Open([]string{filepath.Join(samples, "koku-testdata", name)})
		if err != nil {
			t.Fatal(err)
		}
		r, err := ingest.NewReader(d.Parts[0], ingest.Source{Dialect: "aws-cur"})
		if err != nil {
			t.Fatal(err)
		}
		err = eachLine(r, func(l *usage.Line) {
			before, seen := keys[l.Key]
			if seen != (i == 1) || seen && before == l.Content {
				t.Errorf("%s line %d: seen %v, same content %v", name, l.LineNo, seen, before == l.Content)
			}
			keys[l.Key] = l.Content
		})
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Close()
	}
	if len(keys) != 3 {
		t.Errorf("%d lines", len(keys))
	}
}

// FuzzRow: whatever stands in a row, it becomes one sound line or one quarantined row.
func FuzzRow(f *testing.F) {
	for _, s := range []string{"1.5", "1e-9", "2025-01-01T00:00:00Z", "Usage", "NULL", `{"a":1}`, "\"", "9/1/2023"} {
		for column := range 23 {
			f.Add(s, column)
		}
	}
	names := strings.Split(strings.TrimSpace(focusHead), ",")
	f.Fuzz(func(t *testing.T, value string, column int) {
		if column < 0 || column >= len(names) || strings.Contains(value, "\x00") || !utf8.ValidString(value) {
			return
		}
		lines, bads, r := read(t, ingest.Source{Dialect: "focus"}, focusHead+focusRow(map[string]string{names[column]: value}))
		if len(lines)+len(bads) != 1 || r.Stats().Rows != 1 {
			t.Fatalf("%d lines, %d bad", len(lines), len(bads))
		}
		for _, l := range lines {
			if _, err := cycle.Parse(string(l.Cycle)); err != nil || l.ChargeEnd.Before(l.ChargeStart) || l.Currency == "" || l.Kind == "" {
				t.Fatalf("%+v", l)
			}
		}
	})
}
