package billdoc

import (
	"context"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"

	"huoban/internal/bill"
)

const (
	sheetRows   = 1_000_000 // Excel ends at 1,048,576
	sheetTitle  = 31        // longest name of a sheet
	cellText    = 32_767    // longest text of a cell, in UTF-16 units
	floatDigits = 15        // digits a double keeps whatever they are
)

// xlsx is a workbook being written: a sheet with the figures of every bill, and one or more with the
// split. Rows are streamed to disk, so memory does not grow with them.
type xlsx struct {
	*book
	o    Options
	part int
}

func writeXLSX(ctx context.Context, out io.Writer, docs []bill.Document, o Options) (err error) {
	x := &xlsx{o: o}
	if x.book, err = newBook(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, x.remove()) }()
	if err = x.overview(o.word("bill.sheet.overview", "overview"), docs); err != nil {
		return err
	}
	if o.By != bill.ByNothing {
		if err = x.splits(ctx, docs); err != nil {
			return err
		}
	}
	return x.finish(out)
}

func (x *xlsx) overview(name string, docs []bill.Document) error {
	if err := x.begin(name); err != nil {
		return err
	}
	columns := append(billKey[:len(billKey):len(billKey)], overviewColumns...)
	if err := x.put(nil, x.o.head(columns), true); err != nil {
		return err
	}
	for i := range docs {
		if err := x.put(columns, append(keyCells(&docs[i]), overviewCells(&docs[i], x.o)...), false); err != nil {
			return err
		}
	}
	return nil
}

func (x *xlsx) splits(ctx context.Context, docs []bill.Document) error {
	columns := append(billKey[:len(billKey):len(billKey)], split(&bill.Document{}, x.o).columns...)
	title := x.o.word("bill.sheet."+string(x.o.By), splitKey[x.o.By])
	if err := x.next(title, columns); err != nil {
		return err
	}
	var rows int64
	for i := range docs {
		d := &docs[i]
		t := split(d, x.o)
		sum := lineSum{}
		err := t.rows(ctx, func(row []string) error {
			rows++
			sum.add(t.columns, row)
			if x.row >= sheetRows {
				if err := x.next(title, columns); err != nil {
					return err
				}
			}
			return x.put(columns, append(keyCells(d), row...), false)
		})
		if err != nil {
			return err
		}
		total := [][]string{t.total}
		switch {
		case x.o.Foot:
			total = foot(d, t, sum.rows, x.o)
		case t.total == nil:
			total[0] = sum.cells(t.columns, x.o)
		}
		for _, row := range total {
			if err := x.put(columns, append(keyCells(d), row...), true); err != nil {
				return err
			}
		}
	}
	for _, note := range [][2]string{{"rows", count(rows)}, {"filter", x.o.Filter}} {
		if note[1] == "" || x.o.Foot {
			continue
		}
		if err := x.put([]column{{class: classText}, {class: classText}}, []string{x.o.word("bill.column."+note[0], note[0]), note[1]}, false); err != nil {
			return err
		}
	}
	return nil
}

// next begins a further sheet of the split with its heading.
func (x *xlsx) next(title string, columns []column) error {
	x.part++
	name := title
	if x.part > 1 {
		no := " " + strconv.Itoa(x.part)
		name = clipUTF16(title, sheetTitle-len(no)) + no
	}
	if err := x.begin(name); err != nil {
		return err
	}
	return x.put(nil, x.o.head(columns), true)
}

func (x *xlsx) put(columns []column, row []string, bold bool) error {
	cells := make([]bookCell, len(row))
	for i, text := range row {
		kind := classText
		if columns != nil {
			kind = columns[i].class
		}
		cells[i] = cellOf(kind, text, bold)
	}
	return x.book.put(cells)
}

// cellOf is a number where a spreadsheet holds it exactly, else text: ids, and figures of more than 15 digits.
func cellOf(kind class, text string, bold bool) bookCell {
	c := bookCell{text: clipCell(text)}
	if bold {
		c.style = styleBold
	}
	switch {
	case text == "" || kind == classText:
	case kind == classCount:
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			c.text, c.number = strconv.FormatInt(n, 10), true
		}
	case significant(text) <= floatDigits:
		if v, ok := decimal(text); ok {
			c.text, c.number = v, true
			if kind == classAmount {
				c.style = styleAmount
			}
		}
	}
	return c
}

func significant(text string) int {
	return len(strings.TrimLeft(strings.NewReplacer("-", "", ".", "").Replace(text), "0"))
}

func clipCell(s string) string {
	if len(s) <= cellText || len(utf16.Encode([]rune(s))) <= cellText {
		return s
	}
	return clipUTF16(s, cellText-1) + "…"
}
