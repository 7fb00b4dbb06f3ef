package allocation

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"huoban/internal/fault"
	_ "huoban/internal/ingest/workbook" // registers the format
)

// TestReadFile: a CSV and a workbook with the template's headings, in any order, give the same rows; what is no such file
// is refused by its name.
func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	file := func(name, body string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	want := [][]string{{"C1", "1,234.50", "一月"}, {"C2", "-3", ""}, {"=1+1", "x", "备注，带逗号"}}
	book := excelize.NewFile()
	for i, row := range append([][]string{{"金额", "备注", "客户编码"}}, [][]string{{"1,234.50", "一月", "C1"}, {"-3", "", "C2"}, {"x", "备注，带逗号", "=1+1"}}...) {
		for k, cell := range row {
			at, err := excelize.CoordinatesToCellName(k+1, i+1)
			if err != nil {
				t.Fatal(err)
			}
			if err := book.SetCellStr("Sheet1", at, cell); err != nil {
				t.Fatal(err)
			}
		}
	}
	xlsx := filepath.Join(dir, "rows.xlsx")
	if err := book.SaveAs(xlsx); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{xlsx, file("rows.csv", "\ufeff客户编码,金额,备注\r\nC1,\"1,234.50\",一月\r\nC2,-3,\r\n,,\r\n=1+1,x,备注，带逗号\r\n")} {
		got, err := ReadFile(path)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q %v", filepath.Ext(path), got, err)
		}
	}
	for _, template := range []string{"allocations.csv", "allocations.xlsx"} {
		if _, err := ReadFile(filepath.Join("..", "..", "web", "static", template)); !fault.HasCode(err, "allocation.rows_missing") {
			t.Errorf("%s: %v", template, err)
		}
	}
	var many strings.Builder
	many.WriteString("Code,Amount\n")
	for i := range MaxRows + 1 {
		fmt.Fprintf(&many, "C%d,1\n", i)
	}
	for code, body := range map[string]string{"allocation.column_missing": "客户,金额\nC1,1\n", "allocation.rows_missing": "客户编码,金额,备注\n", "allocation.rows_many": many.String()} {
		if _, err := ReadFile(file(code+".csv", body)); !fault.HasCode(err, code) {
			t.Errorf("%s: %v", code, err)
		}
	}
}
