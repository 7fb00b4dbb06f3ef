package billdoc

import (
	"context"
	"encoding/csv"
	"errors"
	"io"

	"huoban/internal/fault"
)

// SheetColumn is a column of a Sheet. Figures are decimals as exact as they are given.
type SheetColumn struct {
	Title  string
	Figure bool
}

// Sheet is a list that is no bill, written as one table. Each streams its rows; Foot is asked for the
// rows that end it once all others are written.
type Sheet struct {
	Name    string
	Columns []SheetColumn
	Each    func(ctx context.Context, yield func(row []string) error) error
	Foot    func() ([][]string, error)
}

// WriteSheet writes a list as CSV or XLSX with the same guards as bills. Fault: bill.format_unknown.
func WriteSheet(ctx context.Context, w io.Writer, f Format, s Sheet) error {
	switch f {
	case FormatCSV:
		return s.writeCSV(ctx, w)
	case FormatXLSX:
		return s.writeXLSX(ctx, w)
	}
	return fault.Invalid("bill.format_unknown", fault.Args{"Format": string(f)})
}

func (s *Sheet) columns() (columns []column, head []string) {
	for _, c := range s.Columns {
		kind := classText
		if c.Figure {
			kind = classExact
		}
		columns, head = append(columns, column{c.Title, kind}), append(head, c.Title)
	}
	return columns, head
}

func (s *Sheet) writeCSV(ctx context.Context, out io.Writer) error {
	if _, err := io.WriteString(out, "\ufeff"); err != nil {
		return err
	}
	w := csv.NewWriter(out)
	w.UseCRLF = true
	columns, head := s.columns()
	put := func(row []string) error {
		for i := range row {
			row[i] = columns[i].cell(row[i])
		}
		return w.Write(row)
	}
	if err := w.Write(head); err != nil {
		return err
	}
	if err := s.all(ctx, put, put); err != nil {
		return err
	}
	w.Flush()
	return w.Error()
}

// all gives the rows, then those of the foot.
func (s *Sheet) all(ctx context.Context, row, last func([]string) error) error {
	if err := s.Each(ctx, row); err != nil {
		return err
	}
	foot, err := s.Foot()
	if err != nil {
		return err
	}
	for _, r := range foot {
		if err := last(r); err != nil {
			return err
		}
	}
	return nil
}

func (s *Sheet) writeXLSX(ctx context.Context, out io.Writer) (err error) {
	x := &xlsx{}
	if x.book, err = newBook(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, x.remove()) }()
	columns, _ := s.columns()
	if err = x.next(s.Name, columns); err != nil {
		return err
	}
	err = s.all(ctx, func(row []string) error {
		if x.row >= sheetRows {
			if err := x.next(s.Name, columns); err != nil {
				return err
			}
		}
		return x.put(columns, row, false)
	}, func(row []string) error { return x.put(columns, row, true) })
	if err != nil {
		return err
	}
	return x.finish(out)
}
