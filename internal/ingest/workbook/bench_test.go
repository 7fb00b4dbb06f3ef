package workbook

import (
	"fmt"
	"strings"
	"testing"
)

func BenchmarkOpen(b *testing.B) {
	body := zipped(b, minimal(headRow))
	for range b.N {
		if _, _, err := readAll(body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRows(b *testing.B) {
	var sheet strings.Builder
	sheet.WriteString(headRow)
	const n = 20_000
	for i := 2; i <= n; i++ {
		fmt.Fprintf(&sheet, `<row r="%d"><c r="A%d" t="s"><v>1</v></c><c r="B%d"><v>%d.25</v></c><c r="C%d" t="inlineStr"><is><t>text %d</t></is></c></row>`, i, i, i, i, i, i)
	}
	body := zipped(b, minimal(sheet.String()))
	b.SetBytes(int64(sheet.Len()))
	b.ResetTimer()
	for range b.N {
		if _, _, err := readAll(body); err != nil {
			b.Fatal(err)
		}
	}
}
