package ingest

import (
	"huoban/internal/cycle"
	"huoban/internal/fault"
)

// Record is one row as delivered. Its bytes are valid until the next call of Rows.Next.
type Record struct {
	Line   int64    // physical line on which it begins, from 1; row number in formats without lines
	Fields [][]byte // one per header cell; nil is null
	Raw    []byte   // the row as it stands in the file; nil in formats without text
}

// Rows is a table being read, whatever its format. CSV lives here; Parquet and workbooks register
// theirs by RegisterFormat.
type Rows interface {
	Header() []string
	// Next fills rec. It returns io.EOF at the end, a *RowError if this record alone is broken
	// (rec has Line and Raw), and any other error if the file cannot be read on.
	Next(rec *Record) error
	Close() error
}

// RowError is why a single record could not be read.
type RowError struct {
	Column string
	Value  string
	Code   string
	Args   fault.Args
}

// Error is the text for logs.
func (e *RowError) Error() string { return e.Code + " " + e.Column + " " + e.Value }

// Bad is a row for the quarantine.
type Bad struct {
	LineNo int64
	Column string      // header cell, "" if the row as a whole is wrong
	Value  string      // what stands there, shortened
	Code   string      // reason; its sentence tells the cure too
	Args   fault.Args  // of the code's sentence; column and value are among them
	Raw    string      // the row as delivered; for formats without text a CSV row of its cells
	Cycle  cycle.Cycle // "" if the row does not say
}

// Stats is what a reader has seen so far.
type Stats struct {
	Rows    int64 // records after the header
	Lines   int64 // became lines
	Bad     int64 // went to quarantine
	Skipped int64 // other provider, account or currency than the source's
	Asides  int64 // totals and remarks, which are no charges

	// Amortised is the first row that only an amortised cost file has; nil in a file of actual cost.
	Amortised *Evidence
}

// Evidence is the row that shows a file to hold amortised cost.
type Evidence struct {
	LineNo int64
	Column string
	Value  string
}
