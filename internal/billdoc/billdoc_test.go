package billdoc

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"

	"huoban/internal/bill"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/price"
	"huoban/internal/usage"
)

var x = money.MustExact

func item(customer, product, exact string, kind usage.Kind) bill.Item {
	amount, err := x(exact).Amount()
	if err != nil {
		panic(err)
	}
	return bill.Item{Customer: bill.Party{ID: "id-" + customer, Code: customer, Name: "=客户 " + customer}, Origin: bill.OriginUsage, Provider: "云", Product: product,
		Region: "123456789012345678", Kind: kind, RuleType: price.TypeNormal, Base: price.BaseBilled, Factor: x("1"), LineCount: 2, SourceExact: x(exact),
		BaseExact: x(exact), Exact: x(exact), Amount: amount}
}

// document is a bill with hostile names and figures of many digits.
func document() bill.Document {
	d := bill.Document{ID: "surrogate", Vendor: bill.Party{ID: "id-v", Code: "V"}, Partner: bill.Party{ID: "id-p", Code: "P1", Name: "伙伴有限公司"},
		Seller: bill.Party{ID: "id-v", Code: "V"}, Entity: bill.Party{ID: "id-e", Code: "main"}, Cycle: cycle.Must("2024-09"), Currency: "USD",
		State: bill.StateIssued, IssuedAt: time.Date(2024, 10, 5, 1, 2, 3, 0, time.UTC), OverrideNote: "=1+1",
		Items: []bill.Item{item("c1", "@SUM(A1)", "22.62192672899", usage.KindConsumption), item("c1", "磁盘", "-2.3417", usage.KindAdjustment),
			item("c2", "磁盘", "90000000000.12345678", usage.KindConsumption), item("c2", "+1", "7.5", usage.KindTax)}}
	var source money.Exact
	for i := range d.Items {
		it := &d.Items[i]
		it.No = i + 1
		d.LineCount += it.LineCount
		switch it.Kind {
		case usage.KindTax:
			d.Tax, d.TaxExact = it.Amount, it.Exact
			continue
		case usage.KindAdjustment:
			d.Adjustment += it.Amount
		default:
			d.Consumption += it.Amount
		}
		source = source.Add(it.SourceExact)
	}
	d.SourceTotal, d.ExactTotal = source, source
	d.Due, d.Rounding, d.Floored = bill.PayableTotal(d.Total(), d.Currency)
	d.Code = d.ComputeCode()
	return d
}

func eachLine(_ context.Context, d *bill.Document, fn func(*bill.LineRow) error) error {
	for i := range d.Items {
		it := &d.Items[i]
		r := bill.LineRow{Origin: it.Origin, Customer: it.Customer, SourceName: "src", File: bill.File{Delivery: 3, Name: "a.csv"}, Base: it.Base,
			BaseAmount: it.BaseExact, Exact: it.Exact, Amount: it.Amount, Chosen: price.Unpriced(),
			Line: usage.Stored{Line: usage.Line{LineNo: int64(i + 2), Kind: it.Kind, Billed: it.SourceExact, Product: usage.Product{Service: it.Product}}}}
		if err := fn(&r); err != nil {
			return err
		}
	}
	return nil
}

func write(t *testing.T, f Format, by bill.By, docs ...bill.Document) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(t.Context(), &b, f, docs, Options{By: by, Lines: eachLine, Filter: "全部"}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// sumColumn adds the cells under a heading, with and without tax rows told apart by a tax column.
func sumColumn(t *testing.T, rows [][]string, name string) money.Exact {
	t.Helper()
	at, sum := -1, money.Exact{}
	for i, h := range rows[0] {
		if h == name {
			at = i
		}
	}
	for _, r := range rows[1:] {
		if at >= 0 && at < len(r) && r[at] != "" {
			v, err := money.ParseExact(unguarded(strings.ReplaceAll(r[at], ",", "")))
			if err != nil {
				t.Fatalf("%s %q: %v", name, r[at], err)
			}
			sum = sum.Add(v)
		}
	}
	return sum
}

func jsonRows(t *testing.T, body []byte, list string) [][]string {
	t.Helper()
	var parsed struct{ Bills []map[string]any }
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&parsed); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	var rows []any
	if list == "" {
		for _, b := range parsed.Bills {
			rows = append(rows, b)
		}
	} else {
		rows = parsed.Bills[0][list].([]any)
	}
	out := [][]string{{"amount", "tax", "amount_due", "line_count"}}
	for _, r := range rows {
		row := make([]string, len(out[0]))
		for i, h := range out[0] {
			switch v := r.(map[string]any)[h].(type) {
			case string:
				row[i] = v
			case json.Number:
				row[i] = v.String()
			}
		}
		out = append(out, row)
	}
	return out
}

func csvRows(t *testing.T, body []byte) [][]string {
	t.Helper()
	text, ok := strings.CutPrefix(string(body), "\ufeff")
	if !ok {
		t.Error("no byte order mark")
	}
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// xlsxRows reads raw cells up to the total row; last is that row.
func xlsxRows(t *testing.T, body []byte, sheet string) (rows [][]string, last []string) {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := f.GetRows(sheet, excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		if len(r) > 4 && r[4] == "total" {
			return rows, r
		}
		rows = append(rows, r)
	}
	return rows, nil
}

func TestFormatsAgree(t *testing.T) {
	d := document()
	for by, list := range map[bill.By]string{bill.ByProduct: "products", bill.ByCustomer: "customers", bill.ByLine: "lines"} {
		wantAmount, wantTax := d.Stored().Exact(), d.Tax.Exact()
		if by == bill.ByLine {
			wantAmount, wantTax = wantAmount.Add(wantTax), money.Exact{} // lines carry tax in amount, told apart by kind
		}
		xl, total := xlsxRows(t, write(t, FormatXLSX, by, d), list)
		for name, rows := range map[string][][]string{"json": jsonRows(t, write(t, FormatJSON, by, d), list), "csv": csvRows(t, write(t, FormatCSV, by, d)), "xlsx": xl} {
			if got := sumColumn(t, rows, "amount"); !got.Equal(wantAmount) {
				t.Errorf("%s by %s: amounts sum to %s, the bill says %s", name, by, got, wantAmount)
			}
			if got := sumColumn(t, rows, "tax"); !got.Equal(wantTax) {
				t.Errorf("%s by %s: tax sums to %s, the bill says %s", name, by, got, wantTax)
			}
		}
		if got := sumColumn(t, [][]string{xl[0], total}, "amount"); !got.Equal(wantAmount) {
			t.Errorf("xlsx total by %s: %s, the bill says %s", by, got, wantAmount)
		}
	}
	for name, rows := range map[string][][]string{"json": jsonRows(t, write(t, FormatJSON, bill.ByNothing, d, d), ""), "csv": csvRows(t, write(t, FormatCSV, bill.ByNothing, d, d))} {
		if got := sumColumn(t, rows, "amount_due"); !got.Equal(d.Due.Exact().Add(d.Due.Exact())) || len(rows) != 3 {
			t.Errorf("%s: %d rows, due %s", name, len(rows), got)
		}
	}
}

func TestJSONContract(t *testing.T) {
	var got struct{ Bills []map[string]any }
	if err := json.Unmarshal(write(t, FormatJSON, bill.ByNothing, document()), &got); err != nil {
		t.Fatal(err)
	}
	b := got.Bills[0]
	for name, want := range map[string]any{"partner": "P1", "cycle": "2024-09", "currency": "USD", "entity": "main", "state": "issued", "line_count": 8.0,
		"consumption": "90000000022.74538351", "refund": "0", "adjustment": "-2.3417", "rounding": "-0.00368351", "tax": "7.5", "amount_due": "90000000020.4",
		"source_total": "90000000020.40368350899", "exact_total": "90000000020.40368350899", "residue": "-0.00000000101"} {
		if b[name] != want {
			t.Errorf("%s is %v, want %v", name, b[name], want)
		}
	}
	if string(write(t, FormatJSON, bill.ByNothing)) != "{\"bills\": [\n]}\n" {
		t.Error("no bills is not an empty list")
	}
}

func TestNoFormulasInCSV(t *testing.T) {
	rows := csvRows(t, write(t, FormatCSV, bill.ByLine, document()))
	for _, r := range rows[1:] {
		for i, c := range r {
			if c != "" && strings.ContainsRune("=+@", rune(c[0])) {
				t.Errorf("column %s begins a formula: %q", rows[0][i], c)
			}
		}
	}
	if got := csvRows(t, write(t, FormatCSV, bill.ByProduct, document()))[1][6]; got != "123456789012345678\t" {
		t.Errorf("a long id is %q", got)
	}
	for in, want := range map[string]string{"": "", "abc": "abc", "-1": "'-1", "\tx": "'\tx", "12345": "12345", "＝1": "'＝1", "123456789012": "123456789012\t", "007": "007\t", "0": "0", "0.5": "0.5", "12E34": "12E34\t", " =1": "' =1", "12345678901a": "12345678901a"} {
		if got := guard(in); got != want {
			t.Errorf("guard(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestNoFormulasAmongFigures: what is no number in a column of figures is text there too.
func TestNoFormulasAmongFigures(t *testing.T) {
	figures := column{class: classExact}
	for in, want := range map[string]string{"": "", "0": "0", "-1.5": "-1.5", "12.25": "12.25", "+4.1%": "'+4.1%", "-1+2": "'-1+2", "=1": "'=1", "-": "'-", "1.2.3": "1.2.3", "90000000000.12345678": "90000000000.12345678\t",
		"-90000000000.12345678": "'-90000000000.12345678", "–": "–", "@x": "'@x"} {
		if got := figures.cell(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

// TestDisarmedTextsComeBack: what is written for programs runs nowhere and is read as it was.
func TestDisarmedTextsComeBack(t *testing.T) {
	for _, s := range []string{"", "a", "-12.5", "12", "=1+1", "'=1+1", "''-2", "'", "it's", "'quoted'", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "＝1", " =1", "\u200b=1", `"=1`, "--1", "'-5", "-"} {
		out := Disarm(s)
		if isFormula(out) && !isNumber(out) {
			t.Errorf("%q is run", out)
		}
		if back := Rearm(out); back != s {
			t.Errorf("%q came back as %q", s, back)
		}
	}
	if Disarm("-12.5") != "-12.5" || Disarm("abc") != "abc" {
		t.Error("a harmless value was changed")
	}
}

func TestXLSXKeepsDigitsAndText(t *testing.T) {
	body := write(t, FormatXLSX, bill.ByProduct, document())
	f, err := excelize.OpenReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := f.GetRows("products", excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	for cell, want := range map[string]excelize.CellType{"F2": excelize.CellTypeInlineString, "G2": excelize.CellTypeInlineString} {
		if got, err := f.GetCellType("products", cell); err != nil || got != want {
			t.Errorf("%s is of type %v, %v", cell, got, err)
		}
	}
	if formula, err := f.GetCellFormula("products", "F2"); err != nil || formula != "" {
		t.Errorf("a name became the formula %q, %v", formula, err)
	}
	found := false
	for _, r := range rows {
		for _, c := range r {
			found = found || c == "90000000000.12345678"
		}
	}
	if !found {
		t.Errorf("a figure of 19 digits was rounded: %v", rows)
	}
	if rows[len(rows)-1][1] != "全部" || rows[len(rows)-2][1] != "3" {
		t.Errorf("filter and number of rows: %v", rows[len(rows)-2:])
	}
}

func TestPDFSaysWhatTheBillSays(t *testing.T) {
	d := document()
	var b bytes.Buffer
	if err := writePDF(t.Context(), &b, []bill.Document{d}, Options{Words: func(k string) string { return "词 🐼 " + k }}, false); err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{d.Due.String(), d.Consumption.String(), d.Adjustment.String(), d.Tax.String(), d.Rounding.String(), d.Residue().String(),
		d.Code, "伙伴有限公司", "磁盘", "@SUM", d.Stored().String()} {
		if !bytes.Contains(b.Bytes(), shown(s)) {
			t.Errorf("the PDF does not show %q", s)
		}
	}
	var again bytes.Buffer
	if err := writePDF(t.Context(), &again, []bill.Document{d}, Options{Words: func(k string) string { return "词 🐼 " + k }}, false); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), again.Bytes()) {
		t.Error("the same bill gives another file")
	}
	for _, by := range []bill.By{bill.ByCustomer, bill.ByLine} {
		if out := write(t, FormatPDF, by, d, d); !bytes.HasPrefix(out, []byte("%PDF-")) {
			t.Errorf("by %s: no PDF", by)
		}
	}
}

// TestBothScriptsHaveLetters: a font without a letter draws boxes of one width.
func TestBothScriptsHaveLetters(t *testing.T) {
	ts, err := newTypesetter()
	if err != nil {
		t.Fatal(err)
	}
	ts.size = 10
	if i, w := ts.width("i"), ts.width("W"); i >= w || i == 0 {
		t.Errorf("i is %v wide, W %v", i, w)
	}
	if one, two := ts.width("伙"), ts.width("伙伴"); one == 0 || two != 2*one {
		t.Errorf("伙 is %v wide, 伙伴 %v", one, two)
	}
	got := ""
	for _, r := range runs("P1 伙伴…\t🐼é") {
		got += r.font + ":" + r.text + "|"
	}
	if want := "latin:P1 |cjk:伙伴|latin:… |cjk:□|latin:é|"; got != want {
		t.Errorf("runs %s, want %s", got, want)
	}
}

// shown is how text stands in an uncompressed page: UTF-16, special bytes escaped.
func shown(s string) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(s)) {
		for _, c := range []byte{byte(u >> 8), byte(u)} {
			switch c {
			case '(', ')', '\\':
				out = append(out, '\\', c)
			case '\r':
				out = append(out, '\\', 'r')
			default:
				out = append(out, c)
			}
		}
	}
	return out
}

func TestCanonicalHoldsNoKeysAndNoClock(t *testing.T) {
	d := document()
	first := write(t, FormatCanonical, bill.ByLine, d)
	for _, bad := range []string{"id-", "surrogate", "2024-10-05"} {
		if bytes.Contains(first, []byte(bad)) {
			t.Errorf("%q stands in %s", bad, first)
		}
	}
	d.ID, d.IssuedAt, d.DraftedAt = "other", time.Now(), time.Now()
	for i := range d.Items {
		d.Items[i].Customer.ID = "other"
	}
	if got := write(t, FormatCanonical, bill.ByLine, d); !bytes.Equal(got, first) {
		t.Errorf("keys or times changed the canonical export:\n%s\n%s", got, first)
	}
	if !json.Valid(first) {
		t.Errorf("not JSON: %s", first)
	}
}

func TestSimulation(t *testing.T) {
	before, after := document(), document()
	after.Due -= 5e8
	other := document()
	other.Partner.Code = "P2"
	var b bytes.Buffer
	err := WriteSimulation(&b, &bill.Simulation{Cycle: "2024-09", OldSeq: 4, Bills: []bill.Comparison{{Old: &before, New: &after}, {New: &other}},
		Fallbacks: []bill.Fallback{{RuleNumber: 3, RuleVersion: 1, Base: price.BaseList, Currency: "USD", LineCount: 2, Billed: x("1.5")}}})
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Bills []struct {
			Partner, Difference string
			Before, After       *struct{ Amount_due string }
		}
		Absent_base []struct{ Rule, Base string }
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Bills[0].Difference != "-5" || got.Bills[1].Before != nil || got.Bills[1].Partner != "P2" || got.Bills[1].Difference != other.Due.String() ||
		got.Bills[0].Before.Amount_due != before.Due.String() || got.Absent_base[0].Rule != "3.1" {
		t.Errorf("%s", b.String())
	}
}

func TestUnknownFormat(t *testing.T) {
	if err := Write(t.Context(), &bytes.Buffer{}, "doc", nil, Options{}); !fault.HasCode(err, "bill.format_unknown") {
		t.Error(err)
	}
	if err := Write(t.Context(), &bytes.Buffer{}, FormatCSV, nil, Options{By: "month"}); !fault.HasCode(err, "bill.split_unknown") {
		t.Error(err)
	}
}
