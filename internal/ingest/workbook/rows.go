// Package workbook reads XLSX files as tables of text cells for ingest.
//
// It owns which sheet is the table and where its header stands, and how a cell's value is written as
// text: numbers as the file stores them, days and times as ISO text. It does not own what a column
// means. Import it for its effect: it registers the format.
//
// Invariants: memory holds one row and a bounded part of the shared strings, whatever the file says
// about itself; nothing of a workbook is computed, so a formula counts with the value stored beside
// it; an empty cell is nil.
package workbook

import (
	"archive/zip"
	"errors"
	"io"
	"os"
	"slices"

	"huoban/internal/fault"
	"huoban/internal/ingest"
)

func init() { ingest.RegisterFormat(ingest.FormatXLSX, open) }

// headerWithin is how many rows of a sheet may stand above its header: titles and remarks.
const headerWithin = 20

type rows struct {
	book   *book
	sheet  *sheet
	next   int // index of the sheet after this one
	header []string
	base   int64 // rows of the sheets read before
	cells  [][]byte
}

// open copies the part to an unlinked temporary file, because a zip is read from its end.
func open(p ingest.Part) (ingest.Rows, error) {
	body, err := p.Open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = body.Close() }()
	f, err := spool()
	if err != nil {
		return nil, err
	}
	size, err := io.Copy(f, body)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	r, err := newRows(f, size)
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return r, nil
}

// spool is a temporary file without a name.
func spool() (*os.File, error) {
	f, err := os.CreateTemp("", "portal-workbook-*")
	if err != nil {
		return nil, err
	}
	_ = os.Remove(f.Name())
	return f, nil
}

func newRows(f *os.File, size int64) (*rows, error) {
	z, err := zip.NewReader(f, size)
	if err != nil {
		return nil, broken(err)
	}
	b, err := newBook(z)
	if err != nil {
		return nil, err
	}
	b.file = f
	r := &rows{book: b}
	if err := r.findHeader(); err != nil {
		b.closeShared()
		return nil, err
	}
	return r, nil
}

// findHeader takes the first sheet with a header some dialect knows. Without one, the first row of
// the first sheet that has any is the header, so that what is missing can be named.
func (r *rows) findHeader() error {
	first, firstLine := -1, int64(0)
	for i := range r.book.sheets {
		header, err := r.within(i, func(s *sheet, header []string) bool {
			if first < 0 {
				first, firstLine = i, s.line
			}
			_, _, known := ingest.Detect(header)
			return known
		})
		if err != nil || header != nil {
			r.header = header
			return err
		}
	}
	if first < 0 {
		return fault.Invalid("ingest.file_empty", nil)
	}
	s, err := r.book.openSheet(first)
	if err != nil {
		return err
	}
	for s.line < firstLine {
		cells, err := s.row()
		if err != nil {
			s.close()
			return broken(err)
		}
		r.header = texts(cells)
	}
	r.sheet, r.next = s, len(r.book.sheets)
	return nil
}

// texts are the cells without the empty ones at the end.
func texts(cells [][]byte) []string {
	out := make([]string, len(cells))
	n := 0
	for i, c := range cells {
		if out[i] = trimmed(c); out[i] != "" {
			n = i + 1
		}
	}
	return out[:n]
}

// Header gives the column names.
func (r *rows) Header() []string { return r.header }

// Next gives the next row that is not empty; its line is the row number the sheet shows. A table
// that goes on in a further sheet under the same header is read to its end, its rows numbered on.
func (r *rows) Next(rec *ingest.Record) error {
	for {
		if r.sheet == nil {
			return io.EOF
		}
		cells, err := r.sheet.row()
		if err == io.EOF {
			if err := r.goOn(); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		rec.Line, rec.Fields, rec.Raw = r.base+r.sheet.line, nil, nil
		r.cells = append(r.cells[:0], cells...)
		have := len(cells)
		for have > len(r.header) && cells[have-1] == nil {
			have--
		}
		for len(r.cells) < len(r.header) {
			r.cells = append(r.cells, nil)
		}
		rec.Fields = r.cells[:len(r.header)]
		if have > len(r.header) {
			rec.Fields = r.cells[:have]
			return &ingest.RowError{Code: "ingest.row_width", Args: fault.Args{"want": len(r.header), "have": have}}
		}
		return nil
	}
}

// goOn opens the next sheet with the same header, if there is one.
func (r *rows) goOn() error {
	r.base += r.sheet.line
	r.sheet.close()
	r.sheet = nil
	for i := r.next; i < len(r.book.sheets); i++ {
		header, err := r.within(i, func(_ *sheet, header []string) bool { return slices.Equal(header, r.header) })
		if err != nil || header != nil {
			return err
		}
	}
	return nil
}

// within opens a sheet and reads as far as a header may stand. It stays open behind the row that fits, which
// is given; without one it is closed.
func (r *rows) within(i int, fits func(s *sheet, header []string) bool) ([]string, error) {
	r.next = i + 1
	s, err := r.book.openSheet(i)
	if err != nil {
		return nil, err
	}
	for range headerWithin {
		cells, err := s.row()
		if err == io.EOF {
			break
		}
		if err != nil {
			s.close()
			return nil, err
		}
		if header := texts(cells); fits(s, header) {
			r.sheet = s
			return header, nil
		}
	}
	s.close()
	return nil, nil
}

// Close frees the temporary files.
func (r *rows) Close() error {
	if r.sheet != nil {
		r.sheet.close()
	}
	r.book.closeShared()
	return r.book.file.Close()
}

// broken is the fault of a workbook that cannot be read.
func broken(err error) error {
	if f := (*fault.Error)(nil); errors.As(err, &f) {
		return f
	}
	return fault.Invalid("ingest.file_broken", fault.Args{"detail": "xlsx"}).Because(err)
}
