// Package parquetrows reads Parquet files as tables of text cells for ingest.
//
// It owns how a Parquet value is written as text: decimals exactly, binary floating point in its
// shortest exact form, timestamps in UTC, maps and lists as JSON with sorted keys. It does not own
// what a column means. Import it for its effect: it registers the format.
//
// Invariants: memory holds one batch of rows and a page per column of one row group, bounded whatever the
// file says about itself; a null is a nil cell, never "".
package parquetrows

import (
	"errors"
	"io"
	"os"

	"github.com/parquet-go/parquet-go"

	"huoban/internal/fault"
	"huoban/internal/ingest"
)

func init() { ingest.RegisterFormat(ingest.FormatParquet, open) }

const batch = 256

type rows struct {
	file   *os.File
	size   int64
	pq     *parquet.File
	header []string
	fields []field
	group  int
	now    parquet.Rows
	buf    []parquet.Row
	at, n  int
	line   int64
	cells  [][]byte
}

// open copies the part to an unlinked temporary file, because Parquet is read from its end.
func open(p ingest.Part) (ingest.Rows, error) {
	body, err := p.Open()
	if err != nil {
		return nil, err
	}
	defer body.Close()
	f, err := os.CreateTemp("", "portal-parquet-*")
	if err != nil {
		return nil, err
	}
	_ = os.Remove(f.Name())
	size, err := io.Copy(f, body)
	if err != nil {
		f.Close()
		return nil, err
	}
	r, err := newRows(f, size)
	if err != nil {
		f.Close()
		return nil, err
	}
	return r, nil
}

func newRows(f *os.File, size int64) (r *rows, err error) {
	defer caught(&err)
	if err := checkFooter(f, size); err != nil {
		return nil, err
	}
	pq, err := parquet.OpenFile(f, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, broken(err)
	}
	r = &rows{file: f, size: size, pq: pq, buf: make([]parquet.Row, batch)}
	column := 0
	for _, node := range pq.Schema().Fields() {
		fd, err := newField(node, column)
		if err != nil {
			return nil, err
		}
		column += fd.leaves
		r.fields = append(r.fields, fd)
		r.header = append(r.header, node.Name())
	}
	r.cells = make([][]byte, len(r.fields))
	return r, nil
}

// caught turns a panic of the decoder, which a hostile file can cause, into a broken file.
func caught(err *error) {
	if p := recover(); p != nil {
		*err = fault.Invalid("ingest.file_broken", fault.Args{"detail": "parquet"})
	}
}

// Header gives the top-level columns.
func (r *rows) Header() []string { return r.header }

// Next gives the next row; its line is the row number.
func (r *rows) Next(rec *ingest.Record) (err error) {
	defer caught(&err)
	for r.at >= r.n {
		if err := r.fill(); err != nil {
			return err
		}
	}
	row := r.buf[r.at]
	r.at++
	r.line++
	i := 0
	for f := range r.fields {
		from := i
		end := r.fields[f].first + r.fields[f].leaves
		for i < len(row) && row[i].Column() < end {
			i++
		}
		r.cells[f] = r.fields[f].text(row[from:i], r.cells[f][:0])
	}
	rec.Line, rec.Fields, rec.Raw = r.line, r.cells, nil
	return nil
}

// fill reads the next batch, going on to the next row group where one ends.
func (r *rows) fill() error {
	if r.now == nil {
		groups := r.pq.RowGroups()
		if r.group >= len(groups) {
			return io.EOF
		}
		if err := checkGroup(r.file, r.size, r.pq, r.group); err != nil {
			return err
		}
		r.now = groups[r.group].Rows()
		r.group++
	}
	n, err := r.now.ReadRows(r.buf)
	r.at, r.n = 0, n
	if errors.Is(err, io.EOF) {
		err = r.now.Close()
		r.now = nil
	}
	if err != nil {
		return broken(err)
	}
	return nil
}

// Close frees the temporary file.
func (r *rows) Close() error {
	if r.now != nil {
		_ = r.now.Close()
	}
	return r.file.Close()
}
