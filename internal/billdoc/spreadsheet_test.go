package billdoc

import (
	"bytes"
	"context"
	"encoding/csv"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"huoban/internal/money"
)

// kindOfCell is what a spreadsheet makes of a field of a CSV it opens: a formula is run, a number is kept as
// a double, anything else is the text as it stands.
type kindOfCell string

const (
	cellFormula kindOfCell = "formula"
	cellNumber  kindOfCell = "number"
	cellString  kindOfCell = "text"
)

var (
	looksFormula = regexp.MustCompile(`^[\s\x{3000}]*[=+@＝＋＠－-].`)
	looksNumber  = regexp.MustCompile(`^[ ]*[-+]?(?:[0-9][0-9,]*\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?[ ]*$`)
)

func opened(field string) (kindOfCell, string) {
	switch {
	case looksNumber.MatchString(field):
		f, err := strconv.ParseFloat(strings.ReplaceAll(strings.TrimSpace(field), ",", ""), 64)
		if err != nil {
			return cellString, field
		}
		return cellNumber, strconv.FormatFloat(f, 'f', -1, 64)
	case looksFormula.MatchString(field):
		return cellFormula, field
	}
	return cellString, field
}

// hostile are texts that a spreadsheet runs, rounds or shortens when they are left alone.
var hostile = []string{"=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =HYPERLINK(1)", "\u3000=1", "＝1", "＋1", "－2+3", "＠x", "\tx", "=cmd|' /C calc'!A0",
	"1234567890123456", "12345678901234567890", "0012", "007.5", "12E34", "1e5", "622202100000000012", "云服务器", "a=b", "-", "+86 138", "'quoted", "a\"b,c", "多行\n文字"}

var figures = []string{"-1204.5", "0", "1311.10", "-0.00000001", "90000000000.12345678", "-12345678901234567890.5", "0.000000000000000000123", "1598.896509651731", "-1234567.890123456", "123456789012345", "-12345678901234.5", "0.1234567890123456"}

func sheetOf(n int, tick func()) Sheet {
	return Sheet{Name: "list", Columns: []SheetColumn{{Title: "编号"}, {Title: "文字"}, {Title: "金额", Figure: true}},
		Each: func(_ context.Context, yield func([]string) error) error {
			for i := range n {
				if i%10_000 == 0 {
					tick()
				}
				if err := yield([]string{"00" + strconv.Itoa(i), hostile[i%len(hostile)], figures[i%len(figures)]}); err != nil {
					return err
				}
			}
			return nil
		},
		Foot: func() ([][]string, error) { return [][]string{{"合计", "", "12.5"}}, nil }}
}

// unguarded is a text as it was before it was made safe.
func unguarded(s string) string {
	if t, ok := strings.CutPrefix(s, "'"); ok {
		return t
	}
	return strings.TrimSuffix(s, "\t")
}

// sameFigure tells whether a cell is the figure: one of more digits than a double keeps is text, with every one
// of them.
func sameFigure(c cellRead, want string) bool {
	if significant(want) > floatDigits {
		return c.kind == cellString && unguarded(c.text) == want
	}
	a, ok := new(big.Rat).SetString(c.text)
	b, fine := new(big.Rat).SetString(want)
	return c.kind == cellNumber && ok && fine && a.Cmp(b) == 0
}

// TestAHundredThousandRowsAsASpreadsheetReadsThem: memory stays flat while they are written, and what
// comes back is every row, every text as text and every figure to its last digit.
func TestAHundredThousandRowsAsASpreadsheetReadsThem(t *testing.T) {
	const n = 100_000
	for _, format := range []Format{FormatCSV, FormatXLSX} {
		path := filepath.Join(t.TempDir(), "list."+format.Extension())
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		var before, m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		most := uint64(0)
		err = WriteSheet(t.Context(), f, format, sheetOf(n, func() {
			runtime.GC()
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
		}))
		if err != nil || f.Close() != nil {
			t.Fatal(err)
		}
		if most > before.HeapAlloc+48<<20 {
			t.Errorf("%s: the heap grew by %d KiB", format, (most-before.HeapAlloc)>>10)
		}
		read, cr := readCSV, "" // a CSV has no bare carriage return
		if format == FormatXLSX {
			read, cr = readXLSX, "\r"
		}
		rows := 0
		read(t, path, func(cells []cellRead) {
			if rows > 0 && rows <= n {
				i := rows - 1
				if c := cells[0]; c.kind != cellString || unguarded(c.text) != "00"+strconv.Itoa(i) {
					t.Fatalf("%s row %d: number %+v", format, i, c)
				}
				if c, want := cells[1], strings.ReplaceAll(hostile[i%len(hostile)], "\r", cr); c.kind != cellString || c.text != want && c.text != "'"+want && c.text != want+"\t" {
					t.Fatalf("%s row %d: %q came back as %+v", format, i, want, c)
				}
				if c, want := cells[2], figures[i%len(figures)]; !sameFigure(c, want) {
					t.Fatalf("%s row %d: %s came back as %+v", format, i, want, c)
				}
			}
			rows++
		})
		if rows != n+2 {
			t.Errorf("%s: %d rows, want %d with heading and total", format, rows, n+2)
		}
	}
}

type cellRead struct {
	kind kindOfCell
	text string // as the spreadsheet shows it
}

func readCSV(t *testing.T, path string, fn func([]cellRead)) {
	t.Helper()
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text, ok := bytes.CutPrefix(body, []byte("\ufeff"))
	if !ok {
		t.Fatal("no byte order mark: a spreadsheet would not read Chinese")
	}
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		cells := make([]cellRead, len(row))
		for i, field := range row {
			cells[i].kind, cells[i].text = opened(field)
		}
		fn(cells)
	}
}

func readXLSX(t *testing.T, path string, fn func([]cellRead)) {
	t.Helper()
	book, err := excelize.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	rows, err := book.Rows("list")
	if err != nil {
		t.Fatal(err)
	}
	for no := 1; rows.Next(); no++ {
		row, err := rows.Columns(excelize.Options{RawCellValue: true})
		if err != nil {
			t.Fatal(err)
		}
		cells := make([]cellRead, len(row))
		for i, text := range row {
			cells[i] = cellRead{cellString, text}
			if i == 2 && no > 1 {
				if x, err := money.ParseExact(text); err == nil && significant(x.String()) <= floatDigits {
					cells[i].kind = cellNumber
				}
			}
		}
		fn(cells)
	}
}

// TestTextsAsASpreadsheetKeepsThem: what a cell or a sheet's name may not hold is replaced or cut, anything
// else comes back as it was, for another library and for our own reader.
func TestTextsAsASpreadsheetKeepsThem(t *testing.T) {
	const clef = "\U0001D11E" // two places
	long := strings.Repeat("字", cellText-1)
	want := map[string]string{
		"  spaces, <b> & \"quotes\" ]]> 'x'": "  spaces, <b> & \"quotes\" ]]> 'x'",
		"_x000D_ and _x005F_ stay, _x5_ too": "_x000D_ and _x005F_ stay, _x5_ too",
		"a\r\nb\tc ":                         "a\r\nb\tc ",
		"bell\a, nul\x00, broken\xff":        "bell\uFFFD, nul\uFFFD, broken\uFFFD",
		"\uFFFE\uFFFF\uFFFD" + clef:          "\uFFFD\uFFFD\uFFFD" + clef,
		long + "字":                           long + "字",
		long + clef:                          long + "…",
		long + "字字":                          long + "…",
	}
	texts := slices.Sorted(maps.Keys(want))
	var out bytes.Buffer
	err := WriteSheet(t.Context(), &out, FormatXLSX, Sheet{Name: "a/b:c[" + strings.Repeat("长", 40), Columns: make([]SheetColumn, len(texts)),
		Each: func(_ context.Context, yield func([]string) error) error { return yield(texts) },
		Foot: func() ([][]string, error) { return nil, nil }})
	if err != nil {
		t.Fatal(err)
	}
	name := "a b c " + strings.Repeat("长", 25)
	path := filepath.Join(t.TempDir(), "x.xlsx")
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	book, err := excelize.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	rows, err := book.GetRows(name, excelize.Options{RawCellValue: true})
	if err != nil || len(rows) != 2 || len(rows[1]) != len(texts) {
		t.Fatalf("sheet %q: %d rows, %v", name, len(rows), err)
	}
	for i, text := range texts {
		if got := rows[1][i]; got != want[text] {
			t.Errorf("%.40q came back as %.40q, want %.40q", text, got, want[text])
		}
	}
	for i, want := range map[int]string{0: "A", 25: "Z", 26: "AA", 701: "ZZ", 702: "AAA"} {
		if got := columnName(i); got != want {
			t.Errorf("column %d is %s, want %s", i, got, want)
		}
	}
	for _, none := range []string{"inf", "NaN", "0x10", "1_000", "12a", "1e400"} {
		if c := cellOf(classExact, none, false); c.number {
			t.Errorf("%s is a number: %+v", none, c)
		}
	}
}

// TestReadingOfASpreadsheet: the reading above is not blind.
func TestReadingOfASpreadsheet(t *testing.T) {
	for field, want := range map[string]kindOfCell{"=1+1": cellFormula, "+1+1": cellFormula, "@SUM(A1)": cellFormula, "-1+1": cellFormula, "-1.5": cellNumber, "1234567890123456": cellNumber,
		"0012": cellNumber, "1e5": cellNumber, "'=1": cellString, "0012\t": cellString, "\t=1": cellFormula, "云": cellString, "": cellString} {
		if got, _ := opened(field); got != want {
			t.Errorf("%q opens as %s, want %s", field, got, want)
		}
	}
	if _, got := opened("1234567890123456789"); got == "1234567890123456789" {
		t.Error("a long number was not rounded")
	}
}
