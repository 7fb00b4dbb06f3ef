package billdoc

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"huoban/internal/bill"
	"huoban/internal/usage"
)

// TestFootIsThePages: with Foot a filtered list ends with the page's total, tax apart, its rows, filter
// and short code, in every format of a list.
func TestFootIsThePages(t *testing.T) {
	d := document()
	for _, f := range []bill.LineFilter{{}, {CustomerID: "id-c1"}, {Kind: usage.KindTax}, {CustomerID: "id-c2", Kind: usage.KindConsumption}, {Product: "none"}} {
		totals, rows := d.LineTotals(f), 0
		filtered := func(ctx context.Context, d *bill.Document, fn func(*bill.LineRow) error) error {
			rows = 0
			i := -1
			return eachLine(ctx, d, func(r *bill.LineRow) error {
				i++
				if it := d.Items[i]; f.CustomerID != "" && f.CustomerID != it.Customer.ID || f.Kind != "" && f.Kind != it.Kind || f.Product != "" && f.Product != it.Product {
					return nil
				}
				rows++
				return fn(r)
			})
		}
		o := Options{By: bill.ByLine, Lines: filtered, Filter: "客户 c1", Foot: true, Select: f}
		check := func(format string, table [][]string) {
			t.Helper()
			want := map[string]string{"total": totals.Amount.String(), "rows": count(int64(rows)), "filter": "客户 c1", "code": d.Code}
			if totals.Tax != 0 {
				want["tax"] = totals.Tax.String()
			}
			got, amount := map[string]string{}, slices.Index(table[0], "amount")
			for _, r := range table[1:] {
				switch label := r[len(billKey)]; label {
				case "total", "tax":
					got[label] = unguarded(strings.ReplaceAll(r[amount], ",", ""))
				case "rows", "filter", "code":
					got[label] = r[len(billKey)+1]
				}
			}
			for label, text := range want {
				if got[label] != text {
					t.Errorf("%+v in %s: %s is %q, want %q", f, format, label, got[label], text)
				}
			}
			if len(got) != len(want) || len(table)-1-len(got) != rows {
				t.Errorf("%+v in %s: foot %v, %d rows", f, format, got, len(table)-1)
			}
		}
		var b bytes.Buffer
		if err := Write(t.Context(), &b, FormatCSV, []bill.Document{d}, o); err != nil {
			t.Fatal(err)
		}
		check("CSV", csvRows(t, b.Bytes()))
		b.Reset()
		if err := Write(t.Context(), &b, FormatXLSX, []bill.Document{d}, o); err != nil {
			t.Fatal(err)
		}
		book, err := excelize.OpenReader(&b)
		if err != nil {
			t.Fatal(err)
		}
		sheet, err := book.GetRows("lines", excelize.Options{RawCellValue: true})
		if err != nil {
			t.Fatal(err)
		}
		check("XLSX", sheet)
		b.Reset()
		if err := writePDF(t.Context(), &b, []bill.Document{d}, o, false); err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{totals.Amount.String(), totals.Tax.String(), d.Code} {
			if !bytes.Contains(b.Bytes(), shown(text)) {
				t.Errorf("%+v: %s does not stand in the PDF", f, text)
			}
		}
	}
}
