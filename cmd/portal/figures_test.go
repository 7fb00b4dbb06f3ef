package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"huoban/internal/i18n"
	"huoban/internal/money"
)

// TestEveryFormatAgrees: the issued bill of the FOCUS sample as JSON, CSV, XLSX and PDF, whole and by
// product, customer and line, with a price rule and without.
func TestEveryFormatAgrees(t *testing.T) {
	want := map[string]map[string]string{
		"1": {"due": "20.28", "exact_total": "20.28022672899", "source_total": "20.28022672899",
			"consumption": "22.62192672899", "refund": "0", "adjustment": "-2.3417"},
		"0.85": {"due": "17.23", "exact_total": "17.2381927196415", "source_total": "20.28022672899",
			"consumption": "19.2286377196415", "refund": "0", "adjustment": "-1.990445"},
	}
	w := newWorld(t, "sqlite")
	for factor, figures := range want {
		w.data = filepath.Join(t.TempDir(), factor)
		w.do("source", "add", "--name", "focus", "--vendor", "ACME", "--dialect", "focus")
		w.do("import", filepath.Join(samples, "focus-1.0/focus_sample.csv"), "--source", "focus", "--final")
		w.do("map", "auto", "--source", "focus", "--partner", "P1", "--association", "resale")
		if factor != "1" {
			w.do("price", "import", w.file("rules.csv", "partner,factor\nP1,"+factor+"\n"))
		}
		w.do("close", "--vendor", "ACME", "--cycle", "2024-09", "--issue")
		b := w.bills("P1", "2024-09")[0]
		got := map[string]string{"due": b.Due, "exact_total": b.Exact, "source_total": b.Source}
		for _, by := range []string{"product", "customer", "line"} {
			var first map[string]string
			for _, format := range []string{"json", "csv", "xlsx"} {
				body := w.do("bill", "--partner", "P1", "--cycle", "2024-09", "--by", by, "--format", format)
				sums := sumsOf(t, by, rowsOf(t, format, by, body))
				if by == "line" {
					for _, part := range []string{"consumption", "refund", "adjustment"} {
						got[part] = sums["exact "+part]
					}
				}
				if sums["line_count"] != "999" || sums["amount"] != sum(t, b.Consumption, b.Refund, b.Adjustment) || sums["exact"] != b.Exact || sums["source"] != b.Source {
					t.Errorf("× %s by %s as %s: %v, the bill says %+v", factor, by, format, sums, b)
				}
				if first == nil {
					first = sums
				} else if diff := cmp.Diff(first, sums); diff != "" {
					t.Errorf("× %s by %s (-json +%s):\n%s", factor, by, format, diff)
				}
			}
		}
		if diff := cmp.Diff(figures, got); diff != "" {
			t.Errorf("× %s (-want +bill):\n%s", factor, diff)
		}
		if sum(t, b.Consumption, b.Refund, b.Adjustment, b.Rounding) != b.Due || sum(t, b.Consumption, b.Refund, b.Adjustment, b.Residue) != b.Exact || b.Residue == "0" {
			t.Errorf("× %s: the parts of %+v do not add up", factor, b)
		}
		w.wholeDocument(b)
	}
}

// wholeDocument looks for the figures of a bill in the documents that show it without a split.
func (w *world) wholeDocument(b billDoc) {
	for _, format := range []string{"csv", "xlsx", "pdf", "canonical"} {
		body := plain(format, w.do("bill", "--partner", "P1", "--cycle", "2024-09", "--format", format))
		for _, figure := range []string{b.Due, b.Consumption, b.Adjustment, b.Rounding, b.Source, b.Exact, b.Residue} {
			if !strings.Contains(body, figure) && !(format == "xlsx" && len(figure) > 15) {
				w.t.Errorf("%s does not show %s", format, figure)
			}
		}
	}
}

// sumsOf adds up the columns of a split; lines carry kind and exact amount.
func sumsOf(t *testing.T, by string, rows []map[string]string) map[string]string {
	t.Helper()
	if by != "line" {
		return map[string]string{"line_count": total(t, rows, "line_count"), "amount": total(t, rows, "amount"), "tax": total(t, rows, "tax"),
			"exact": total(t, rows, "exact_total"), "source": total(t, rows, "source_total"), "consumption": total(t, rows, "consumption"),
			"refund": total(t, rows, "refund"), "adjustment": total(t, rows, "adjustment")}
	}
	kinds := map[string][]map[string]string{}
	for _, r := range rows {
		kinds[strings.ToLower(r["kind"])] = append(kinds[strings.ToLower(r["kind"])], r)
	}
	out := map[string]string{"line_count": strconv.Itoa(len(rows)), "amount": total(t, rows, "amount"),
		"exact": total(t, rows, "exact"), "source": total(t, rows, "billed")}
	for _, kind := range []string{"consumption", "refund", "adjustment"} {
		out["exact "+kind] = total(t, kinds[kind], "exact")
	}
	return out
}

// rowsOf reads a split back, its columns by their names in files for scripts.
func rowsOf(t *testing.T, format, by string, body []byte) []map[string]string {
	t.Helper()
	switch format {
	case "json":
		return jsonRows(t, by, body)
	case "csv":
		text, ok := strings.CutPrefix(string(body), "\ufeff")
		if !ok {
			t.Error("a CSV without byte order mark opens as garbage in Excel")
		}
		all, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		return named(all[0], all[1:])
	}
	f, err := excelize.OpenReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := f.GetRows(f.GetSheetList()[1], excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	columns := map[string]string{} // heading → name
	for _, name := range []string{"line_count", "amount", "tax", "exact_total", "source_total", "consumption", "refund", "adjustment", "kind", "exact", "billed"} {
		columns[english(t, "bill.column."+name)] = name
	}
	head := slices.Clone(all[0])
	for i, h := range head {
		head[i] = columns[h]
	}
	var rows [][]string
	for _, r := range all[1:] {
		if len(r) > 0 && r[0] == "P1" && !slices.Contains(r, english(t, "bill.column.total")) {
			rows = append(rows, r)
		}
	}
	return named(head, rows)
}

func total(t *testing.T, rows []map[string]string, column string) string {
	t.Helper()
	var s money.Exact
	for _, r := range rows {
		v, ok := r[column]
		if !ok {
			t.Fatalf("no column %s in %v", column, r)
		}
		x, err := money.ParseExact(v)
		if err != nil {
			t.Fatalf("%s %q: %v", column, v, err)
		}
		s = s.Add(x)
	}
	return s.String()
}

func english(t *testing.T, key string) string {
	return i18n.T(i18n.With(t.Context(), i18n.En), key)
}

func named(head []string, rows [][]string) []map[string]string {
	var out []map[string]string
	for _, r := range rows {
		row := map[string]string{}
		for i, h := range head {
			if i < len(r) {
				row[h] = r[i]
			} else {
				row[h] = ""
			}
		}
		out = append(out, row)
	}
	return out
}

func jsonRows(t *testing.T, by string, body []byte) []map[string]string {
	t.Helper()
	doc := decode[struct{ Bills []map[string]any }](t, body)
	var out []map[string]string
	for _, b := range doc.Bills {
		for _, r := range b[by+"s"].([]any) {
			row := map[string]string{}
			for k, v := range r.(map[string]any) {
				switch x := v.(type) {
				case string:
					row[k] = x
				case json.Number:
					row[k] = x.String()
				}
			}
			out = append(out, row)
		}
	}
	return out
}
