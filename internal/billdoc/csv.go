package billdoc

import (
	"context"
	"encoding/csv"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"huoban/internal/bill"
)

// longDigits is from how many digits on spreadsheets change a number they read (1.23457E+11).
const longDigits = 12

// writeCSV writes UTF-8 with a byte order mark, so that spreadsheets read Chinese, and a row per bill,
// product, customer or line. Figures are plain decimals with every digit; those of more than a spreadsheet
// keeps of a number are text to it, as in a workbook. Text is guarded (see guard).
func writeCSV(ctx context.Context, out io.Writer, docs []bill.Document, o Options) error {
	if _, err := io.WriteString(out, "\ufeff"); err != nil {
		return err
	}
	w := csv.NewWriter(out)
	w.UseCRLF = true
	columns := append(billKey[:len(billKey):len(billKey)], overviewColumns...)
	if o.By != bill.ByNothing {
		columns = append(billKey[:len(billKey):len(billKey)], split(&bill.Document{}, o).columns...)
	}
	if err := w.Write(o.head(columns)); err != nil {
		return err
	}
	put := func(row []string) error {
		for i := range row {
			row[i] = columns[i].cell(row[i])
		}
		return w.Write(row)
	}
	for i := range docs {
		d := &docs[i]
		if o.By == bill.ByNothing {
			if err := put(append(keyCells(d), overviewCells(d, o)...)); err != nil {
				return err
			}
			continue
		}
		t, n := split(d, o), int64(0)
		err := t.rows(ctx, func(row []string) error {
			n++
			return put(append(keyCells(d), row...))
		})
		if err != nil {
			return err
		}
		if !o.Foot {
			continue
		}
		for _, row := range foot(d, t, n, o) {
			if err := put(append(keyCells(d), row...)); err != nil {
				return err
			}
		}
	}
	w.Flush()
	return w.Error()
}

// cell is a value as its column stands in a CSV.
func (c column) cell(value string) string {
	switch {
	case c.class == classText || !isNumber(value): // a change like +4.1% stands in a column of figures
		return guard(value)
	case significant(value) <= floatDigits:
		return value
	case strings.HasPrefix(value, "-"):
		return "'" + value // a minus before what is no number begins a formula
	}
	return value + "\t"
}

// isNumber tells a figure as it is written, -12.50, from whatever else stands among figures, nothing included.
func isNumber(s string) bool {
	s = strings.TrimPrefix(s, "-")
	point := strings.IndexByte(s, '.')
	for i := range len(s) {
		if i != point && (s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return s != "" && point != 0 && point != len(s)-1
}

// guard keeps a spreadsheet from running a text as a formula (a leading apostrophe) and from changing a
// text it takes for a number: a long id it would round, zeros in front it would drop, an id like 12E34
// it would calculate (a tab behind it, which it does not show and which begins nothing).
func guard(s string) string {
	if isFormula(s) {
		return "'" + s
	}
	if numberlike.MatchString(s) {
		return s + "\t"
	}
	return s
}

// isFormula tells whether a spreadsheet may take a text for a formula.
func isFormula(s string) bool {
	if s == "" {
		return false
	}
	t := strings.TrimLeft(s, blanks)
	return strings.ContainsRune("\t\r\n", rune(s[0])) || t != "" && strings.ContainsAny(t[:1], "=+-@\t\r\n") || hasAnyPrefix(t, "＝", "＋", "－", "＠")
}

// Disarm writes a value of a CSV that programs read too: a figure and most texts as they are, one that a spreadsheet
// might run behind an apostrophe. Rearm takes that apostrophe off; Rearm(Disarm(s)) is s.
func Disarm(s string) string {
	if !isNumber(s) && isFormula(strings.TrimLeft(s, "'")) {
		return "'" + s
	}
	return s
}

// Rearm reads a value that Disarm wrote.
func Rearm(s string) string {
	if rest, ok := strings.CutPrefix(s, "'"); ok && isFormula(strings.TrimLeft(rest, "'")) {
		return rest
	}
	return s
}

// blanks are what a spreadsheet may take off before it looks for a formula.
const blanks = " \u00a0\u3000\ufeff\u200b\x00"

// numberlike is text that a spreadsheet reads as a number and does not keep as it was written.
var numberlike = regexp.MustCompile(`^(?:[0-9]{` + strconv.Itoa(longDigits) + `,}|0[0-9]+(?:\.[0-9]*)?|[0-9]+(?:\.[0-9]*)?[eE][+-]?[0-9]+)$`)

func hasAnyPrefix(s string, prefixes ...string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(s, p) })
}
