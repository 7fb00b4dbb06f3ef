package ingest

import (
	"io"
	"sync"

	"huoban/internal/fault"
)

// Format is how a part's rows are written.
type Format string

// The formats known here; others are registered.
const (
	FormatCSV     Format = "csv"
	FormatParquet Format = "parquet"
	FormatXLSX    Format = "xlsx"
)

// Part is one file of rows, unpacked.
type Part struct {
	No     int    // position in the delivery, from 1
	Name   string // path inside the delivery, archive and member joined by "!/"
	Format Format
	Size   int64 // unpacked bytes; -1 if only reading tells
	open   func() (io.ReadCloser, error)
}

// NewPart makes a part of a body that lies elsewhere, as in the portal's kept files.
func NewPart(no int, name string, f Format, size int64, open func() (io.ReadCloser, error)) Part {
	return Part{No: no, Name: name, Format: f, Size: size, open: open}
}

// Open gives the unpacked body from its beginning. It may be called again.
func (p Part) Open() (io.ReadCloser, error) { return p.open() }

// Rows opens the part as a table. Faults: ingest.format_unknown, ingest.header_unreadable,
// ingest.header_duplicate, ingest.file_broken.
func (p Part) Rows() (Rows, error) {
	formatsMu.RLock()
	open := formats[p.Format]
	formatsMu.RUnlock()
	if open == nil {
		return nil, fault.Invalid("ingest.format_unknown", fault.Args{"file": p.Name})
	}
	rows, err := open(p)
	if err != nil {
		return nil, InFile(p.Name, err)
	}
	return rows, nil
}

var (
	formatsMu sync.RWMutex
	formats   = map[Format]func(Part) (Rows, error){FormatCSV: openCSV}
)

// RegisterFormat says how parts of a format are read. It is called from init.
func RegisterFormat(f Format, open func(Part) (Rows, error)) {
	formatsMu.Lock()
	defer formatsMu.Unlock()
	formats[f] = open
}

// Delivery is what was handed over, expanded into parts in the order in which they are read.
type Delivery struct {
	Parts   []Part
	Ignored []string // files in folders and archives that are no cost export by their name
	spool   string   // folder of members that cannot be read in place; "" if none
}
