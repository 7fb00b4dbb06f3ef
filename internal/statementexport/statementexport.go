// Package statementexport makes the files of customer statements (客户对账单): the PDF and workbook of one, and the
// archive of all of a cycle for the export task.
//
// It owns what stands in a file and in which order; it does not own amounts (statement), layout (billdoc), the task
// (export) nor words. Invariants: a file is made of a public statement and so holds neither cost nor rule; the files
// of an archive add up to the list they were made from, or the archive is not handed out.
package statementexport

import (
	"bytes"
	"context"
	"io"
	"strconv"
	"strings"

	"huoban/internal/bill"
	"huoban/internal/billdoc"
	"huoban/internal/cycle"
	"huoban/internal/money"
	"huoban/internal/statement"
)

// Words translates for a language.
type Words func(lang string) func(key string) string

// Renderer makes the PDF of a statement.
func Renderer(words Words) statement.Render {
	return func(_ context.Context, s *statement.Statement, h *statement.Head, logo []byte, lang string) ([]byte, error) {
		word := words(lang)
		l := billdoc.Letter{Title: word("statement.title"), Logo: logo, Sender: sender(h), Facts: facts(s, word), At: s.IssuedAt, Foot: s.Number + "   " + word("bill.column.code") + " " + s.Code,
			Columns: []billdoc.LetterColumn{{Title: word("bill.column.product"), Width: 62}, {Title: word("bill.column.region"), Width: 26}, {Title: word("bill.column.charging_mode"), Width: 26},
				{Title: word("bill.column.kind"), Width: 22}, {Title: word("bill.column.line_count"), Width: 14, Figure: true}, {Title: word("bill.column.amount"), Width: 30, Figure: true}}}
		for i := range s.Lines {
			x := &s.Lines[i]
			l.Rows = append(l.Rows, []string{Product(x), x.Region, value(word, "bill.mode.", string(x.Mode)), kind(word, x), strconv.FormatInt(x.LineCount, 10), Fixed(x.Amount, s.Currency)})
		}
		for _, t := range totals(s, word) {
			l.Totals = append(l.Totals, [2]string{t[0], t[1]})
		}
		if h.Bank != "" {
			l.Notes = append(l.Notes, word("statement.head.bank")+" "+h.Bank)
		}
		if h.Note != "" {
			l.Notes = append(l.Notes, h.Note)
		}
		var out bytes.Buffer
		err := billdoc.WriteLetter(&out, &l)
		return out.Bytes(), err
	}
}

func sender(h *statement.Head) []string {
	var out []string
	for _, line := range []string{h.Name, h.Address, h.Contact} {
		for part := range strings.Lines(line) {
			if part = strings.TrimSpace(part); part != "" {
				out = append(out, part)
			}
		}
	}
	return out
}

func facts(s *statement.Statement, word func(string) string) [][2]string {
	out := [][2]string{{word("statement.col.number"), s.Number}, {word("statement.col.customer"), s.Customer.Name + " " + s.Customer.Code}, {word("bill.column.cycle"), string(s.Cycle)},
		{word("bill.column.currency"), s.Currency}, {word("statement.col.issued"), s.IssuedAt.In(cycle.Zone).Format("2006-01-02")}}
	if s.ReplacesNumber != "" {
		out = append(out, [2]string{word("statement.col.replaces"), s.ReplacesNumber})
	}
	return out
}

// totals are the sum of a statement in writing; the last is what is asked for.
func totals(s *statement.Statement, word func(string) string) [][2]string {
	return [][2]string{{word("statement.col.subtotal"), Fixed(s.Subtotal, s.Currency)}, {word("bill.column.tax") + " " + s.Percent() + "%", Fixed(s.Tax, s.Currency)},
		{word("bill.column.rounding"), Fixed(s.Rounding, s.Currency)}, {word("statement.col.total"), s.Currency + " " + Fixed(s.Total, s.Currency)}}
}

// Fixed is an amount with the decimals of its currency, and more where it has more.
func Fixed(a money.Amount, currency string) string {
	text := a.String()
	digits := money.MinorDigits(currency)
	whole, rest, _ := strings.Cut(text, ".")
	for len(rest) < digits {
		rest += "0"
	}
	if rest == "" {
		return whole
	}
	return whole + "." + rest
}

// Product is what a line is for.
func Product(l *statement.Line) string {
	if l.Product == "" {
		return l.Provider
	}
	return l.Product
}

func kind(word func(string) string, l *statement.Line) string {
	text := value(word, "bill.kind.", string(l.Kind))
	if l.Origin == bill.OriginAdjustment {
		text = word("bill.kind.adjustment")
	}
	if l.Corrects != "" {
		text += " " + string(l.Corrects)
	}
	return text
}

func value(word func(string) string, prefix, code string) string {
	if code == "" {
		return ""
	}
	return word(prefix + code)
}

// WriteXLSX writes a statement as a workbook.
func WriteXLSX(ctx context.Context, w io.Writer, s *statement.Statement, word func(string) string) error {
	s = s.Public()
	sheet := billdoc.Sheet{Name: s.Number, Columns: []billdoc.SheetColumn{{Title: word("bill.column.provider")}, {Title: word("bill.column.product")}, {Title: word("bill.column.region")},
		{Title: word("bill.column.charging_mode")}, {Title: word("bill.column.kind")}, {Title: word("bill.column.line_count"), Figure: true}, {Title: word("bill.column.amount"), Figure: true}}}
	sheet.Each = func(_ context.Context, yield func([]string) error) error {
		for i := range s.Lines {
			l := &s.Lines[i]
			if err := yield([]string{l.Provider, l.Product, l.Region, value(word, "bill.mode.", string(l.Mode)), kind(word, l), strconv.FormatInt(l.LineCount, 10), l.Amount.String()}); err != nil {
				return err
			}
		}
		return nil
	}
	sheet.Foot = func() ([][]string, error) {
		var out [][]string
		for _, t := range [][2]string{{word("statement.col.subtotal"), s.Subtotal.String()}, {word("bill.column.tax") + " " + s.Percent() + "%", s.Tax.String()},
			{word("bill.column.rounding"), s.Rounding.String()}, {word("statement.col.total"), s.Total.String()}} {
			out = append(out, []string{t[0], "", "", "", "", "", t[1]})
		}
		for _, f := range append(facts(s, word), [2]string{word("bill.column.code"), s.Code}) {
			out = append(out, []string{f[0], f[1], "", "", "", "", ""})
		}
		return out, nil
	}
	return billdoc.WriteSheet(ctx, w, billdoc.FormatXLSX, sheet)
}

// FileName names the file of a statement.
func FileName(s *statement.Statement, format string) string {
	return s.Number + "-" + s.Customer.Code + "." + format
}
