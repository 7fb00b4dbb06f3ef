package billdoc

import (
	"context"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"huoban/internal/bill"
)

const (
	sheetRows   = 1_000_000 // Excel ends at 1,048,576
	cellText    = 32_767    // longest text of a cell
	floatDigits = 15        // digits a double keeps whatever they are
)

// xlsx is a workbook being written: a sheet with the figures of every bill, and one or more with the
// split. Rows are streamed to disk, so memory does not grow with them.
type xlsx struct {
	f      *excelize.File
	o      Options
	amount int // style: up to eight decimals
	bold   int
	sheet  *excelize.StreamWriter
	name   string
	part   int
	row    int
}

func writeXLSX(ctx context.Context, out io.Writer, docs []bill.Document, o Options) (err error) {
	x := &xlsx{f: excelize.NewFile(), o: o}
	defer func() {
		if e := x.f.Close(); err == nil {
			err = e
		}
	}()
	format := "#,##0.00######"
	if x.amount, err = x.f.NewStyle(&excelize.Style{CustomNumFmt: &format}); err != nil {
		return err
	}
	if x.bold, err = x.f.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}}); err != nil {
		return err
	}
	overview := o.word("bill.sheet.overview", "overview")
	if err = x.f.SetSheetName("Sheet1", overview); err != nil {
		return err
	}
	if err = x.overview(overview, docs); err != nil {
		return err
	}
	if o.By != bill.ByNothing {
		if err = x.splits(ctx, docs); err != nil {
			return err
		}
	}
	return x.finish(out)
}

// finish writes the workbook without holding it in memory.
func (x *xlsx) finish(out io.Writer) (err error) {
	z := newSortedZip(out)
	defer func() { err = errors.Join(err, z.remove()) }()
	x.f.SetZipWriter(func(io.Writer) excelize.ZipWriter { return z })
	_, err = x.f.WriteTo(io.Discard)
	return err
}

func (x *xlsx) overview(name string, docs []bill.Document) error {
	if err := x.open(name); err != nil {
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
	return x.sheet.Flush()
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
				if err := x.sheet.Flush(); err != nil {
					return err
				}
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
	return x.sheet.Flush()
}

// next begins a further sheet of the split with its heading.
func (x *xlsx) next(title string, columns []column) error {
	x.part++
	name := title
	if x.part > 1 {
		name += " " + strconv.Itoa(x.part)
	}
	if _, err := x.f.NewSheet(name); err != nil {
		return err
	}
	if err := x.open(name); err != nil {
		return err
	}
	return x.put(nil, x.o.head(columns), true)
}

func (x *xlsx) open(name string) (err error) {
	x.name, x.row = name, 0
	if x.sheet, err = x.f.NewStreamWriter(name); err != nil {
		return err
	}
	if err = x.sheet.SetColWidth(1, 40, 16); err != nil {
		return err
	}
	return x.sheet.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"})
}

func (x *xlsx) put(columns []column, row []string, bold bool) error {
	x.row++
	cells := make([]any, len(row))
	for i, text := range row {
		kind := classText
		if columns != nil {
			kind = columns[i].class
		}
		cells[i] = x.cell(kind, text, bold)
	}
	return x.sheet.SetRow("A"+strconv.Itoa(x.row), cells)
}

// cell is a number where Excel holds it exactly, else text: ids, and figures of more than 15 digits.
func (x *xlsx) cell(kind class, text string, bold bool) excelize.Cell {
	c := excelize.Cell{Value: clipCell(text)}
	if bold {
		c.StyleID = x.bold
	}
	switch {
	case text == "" || kind == classText:
	case kind == classCount:
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			c.Value = n
		}
	case significant(text) <= floatDigits:
		if v, err := strconv.ParseFloat(text, 64); err == nil {
			c.Value = v
			if kind == classAmount {
				c.StyleID = x.amount
			}
		}
	}
	return c
}

func significant(text string) int {
	return len(strings.TrimLeft(strings.NewReplacer("-", "", ".", "").Replace(text), "0"))
}

func clipCell(s string) string {
	if r := []rune(s); len(r) > cellText {
		return string(r[:cellText-1]) + "…"
	}
	return s
}
