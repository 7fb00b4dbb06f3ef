// Package billdoc writes partner bills as files: JSON, CSV, XLSX, PDF and the canonical export.
//
// It owns columns, layout and escaping; every figure comes from one bill.Document, so that all
// formats agree. It does not own words: column and value names go through Options.Words, and without
// it files carry stable field names and codes for scripts.
//
// Invariants: money is written as decimal text, except in XLSX, whose numbers are what Excel can hold
// and whose longer figures are text; no cell can start a formula; the canonical export holds no
// surrogate key and no clock.
package billdoc

import (
	"context"
	"io"

	"huoban/internal/bill"
	"huoban/internal/fault"
)

// Format is a file format.
type Format string

// The formats.
const (
	FormatJSON      Format = "json"
	FormatCSV       Format = "csv"
	FormatXLSX      Format = "xlsx"
	FormatPDF       Format = "pdf"
	FormatCanonical Format = "canonical"
)

// Formats lists all formats.
var Formats = []Format{FormatJSON, FormatCSV, FormatXLSX, FormatPDF, FormatCanonical}

// MediaType is the format's type for the web.
func (f Format) MediaType() string {
	switch f {
	case FormatCSV:
		return "text/csv; charset=utf-8"
	case FormatXLSX:
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	case FormatPDF:
		return "application/pdf"
	}
	return "application/json"
}

// Extension is the file name's ending, without dot.
func (f Format) Extension() string {
	if f == FormatCanonical {
		return "json"
	}
	return string(f)
}

// EachLine streams the lines of a document, filtered as the caller wants.
type EachLine func(ctx context.Context, doc *bill.Document, fn func(*bill.LineRow) error) error

// Options says what to write.
type Options struct {
	By     bill.By
	Words  func(key string) string   // translates "bill.column.<name>", "bill.<field>.<value>"; nil: names and codes
	Name   func(p bill.Party) string // how a customer is shown, for masking; nil: its name
	Lines  EachLine                  // needed for ByLine
	Filter string                    // the filter in words, shown in XLSX and PDF
	Foot   bool                      // end each split with total, count, filter and code, in CSV too
	Select bill.LineFilter           // what Lines was narrowed by; with Foot its totals are those of the page
}

// Write writes bills, which need their items, in canonical order.
// Faults: bill.format_unknown, bill.split_unknown.
func Write(ctx context.Context, w io.Writer, f Format, docs []bill.Document, o Options) error {
	switch o.By {
	case bill.ByNothing, bill.ByProduct, bill.ByCustomer:
	case bill.ByLine:
		if o.Lines == nil {
			return fault.Invalid("bill.split_unknown", fault.Args{"By": string(o.By)})
		}
	default:
		return fault.Invalid("bill.split_unknown", fault.Args{"By": string(o.By)})
	}
	switch f {
	case FormatJSON:
		return writeJSON(ctx, w, docs, o)
	case FormatCSV:
		return writeCSV(ctx, w, docs, o)
	case FormatXLSX:
		return writeXLSX(ctx, w, docs, o)
	case FormatPDF:
		return writePDF(ctx, w, docs, o, true)
	case FormatCanonical:
		return writeCanonical(ctx, w, docs, o)
	}
	return fault.Invalid("bill.format_unknown", fault.Args{"Format": string(f)})
}

func (o Options) word(key, plain string) string {
	if o.Words == nil {
		return plain
	}
	return o.Words(key)
}

// value is a code as people read it, or the code itself.
func (o Options) value(prefix, code string) string {
	if code == "" {
		return ""
	}
	return o.word(prefix+code, code)
}

func (o Options) name(p bill.Party) string {
	if o.Name == nil {
		return p.Name
	}
	return o.Name(p)
}
