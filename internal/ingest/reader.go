package ingest

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/usage"
)

// Reader turns the rows of one part into lines. It is used by one goroutine.
type Reader struct {
	rows    Rows
	bound   *Bound
	mapper  Mapper
	version string
	rec     Record
	line    usage.Line
	stats   Stats
	aside   bool // the row read last is no charge
	tap     func(*Record)
}

// NewReader opens a part for a source. Faults are of the whole delivery: the file cannot be read,
// its header is not of the source's dialect, columns are missing.
func NewReader(p Part, s Source) (*Reader, error) {
	rows, err := p.Rows()
	if err != nil {
		return nil, err
	}
	r, err := newReader(rows, s, p.Name)
	if err != nil {
		_ = rows.Close()
		return nil, InFile(p.Name, err)
	}
	return r, nil
}

// NewRowReader is NewReader over a table that is open already. The reader closes it.
func NewRowReader(rows Rows, s Source) (*Reader, error) { return newReader(rows, s, "") }

func newReader(rows Rows, s Source, file string) (*Reader, error) {
	b, version, err := bind(rows.Header(), s)
	if err != nil {
		return nil, err
	}
	b.File = file
	m, err := b.Dialect.Build(b)
	if err != nil {
		return nil, err
	}
	return &Reader{rows: rows, bound: b, mapper: m, version: version}, nil
}

// Dialect is the name of the dialect in use.
func (r *Reader) Dialect() string { return r.bound.Dialect.Name }

// Version is the version the header shows, as for FOCUS "1.2"; "" if the dialect has none.
func (r *Reader) Version() string { return r.version }

// Header gives the header cells as delivered.
func (r *Reader) Header() []string { return r.bound.Header.Cells }

// Columns says which header cell each field is read from; fields the file lacks are absent.
func (r *Reader) Columns() map[string]string {
	m := map[string]string{}
	for f, i := range r.bound.col {
		if i >= 0 {
			m[f] = r.bound.Header.Cells[i]
		}
	}
	return m
}

// Stats is what has been read so far.
func (r *Reader) Stats() Stats { return r.stats }

// SetTap has fn see each record before it is mapped, for conformance checks. fn keeps nothing of it.
func (r *Reader) SetTap(fn func(*Record)) { r.tap = fn }

// Close frees the part.
func (r *Reader) Close() error { return r.rows.Close() }

// Next gives the next line, or the next row for the quarantine, or an error: io.EOF at the end,
// anything else a fault of the whole delivery. The line is valid until the next call; its strings
// and amounts may be kept.
func (r *Reader) Next() (*usage.Line, *Bad, error) {
	for {
		err := r.rows.Next(&r.rec)
		var broken *RowError
		switch {
		case errors.As(err, &broken):
			r.stats.Rows++
			r.stats.Bad++
			return nil, r.bad(broken, ""), nil
		case err != nil:
			return nil, nil, err
		}
		r.stats.Rows++
		if e := r.unkeepable(); e != nil {
			r.stats.Bad++
			return nil, r.bad(e, ""), nil
		}
		if r.tap != nil {
			r.tap(&r.rec)
		}
		l, bad := r.read()
		switch {
		case bad != nil:
			r.stats.Bad++
			return nil, bad, nil
		case l == nil && r.aside:
			r.stats.Asides++
			continue
		case l == nil:
			r.stats.Skipped++
			continue
		}
		r.stats.Lines++
		return l, nil, nil
	}
}

// unkeepable finds a cell that no database keeps: with the zero character, or from a format without text
// of its own, with bytes that are no UTF-8. One such cell would refuse the whole delivery.
func (r *Reader) unkeepable() *RowError {
	if r.rec.Raw != nil && bytes.IndexByte(r.rec.Raw, 0) < 0 {
		return nil
	}
	for i, f := range r.rec.Fields {
		if bytes.IndexByte(f, 0) < 0 && (r.rec.Raw != nil || utf8.Valid(f)) {
			continue
		}
		column := ""
		if cells := r.bound.Header.Cells; i < len(cells) {
			column = cells[i]
		}
		return &RowError{Column: column, Value: string(f), Code: "ingest.row_encoding", Args: fault.Args{"field": column}}
	}
	return nil
}

// keepable is a text as near to what was delivered as a database takes it.
func keepable(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "\ufffd")
}

func (r *Reader) read() (*usage.Line, *Bad) {
	b := r.bound
	r.line = usage.Line{LineNo: r.rec.Line}
	b.problem, b.cycle = nil, ""
	ok := r.mapper.Map(&r.rec, &r.line)
	r.aside = !ok
	if b.problem == nil && ok {
		if !b.wanted(&r.line) {
			return nil, nil
		}
		b.check(&r.line)
	}
	if b.problem != nil {
		return nil, r.bad(b.problem, b.cycle)
	}
	if !ok {
		return nil, nil
	}
	if b.amortised != nil && r.stats.Amortised == nil {
		b.amortised.LineNo = r.rec.Line
		r.stats.Amortised = b.amortised
	}
	r.line.Key, r.line.Content = r.mapper.Identity(&r.rec, &r.line)
	return &r.line, nil
}

func (r *Reader) bad(e *RowError, c cycle.Cycle) *Bad {
	args := fault.Args{}
	for k, v := range e.Args {
		args[k] = v
	}
	value := keepable(clip(e.Value))
	args["column"], args["value"] = e.Column, value
	return &Bad{
		LineNo: r.rec.Line, Column: e.Column, Value: value, Code: e.Code, Args: args,
		Raw: keepable(rawText(&r.rec)), Cycle: c,
	}
}

// rawText is the row as delivered, or its cells as CSV where the format has no text.
func rawText(rec *Record) string {
	if rec.Raw != nil {
		return strings.TrimRight(string(rec.Raw), "\r\n")
	}
	var b strings.Builder
	for i, f := range rec.Fields {
		if i > 0 {
			b.WriteByte(',')
		}
		if strings.ContainsAny(string(f), ",\"\r\n") {
			b.WriteString(`"` + strings.ReplaceAll(string(f), `"`, `""`) + `"`)
			continue
		}
		b.Write(f)
	}
	return b.String()
}

// clip shortens a value for display.
func clip(s string) string {
	const most = 120
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// InFile adds the file's name to a fault of the delivery.
func InFile(name string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	f := fault.From(err)
	if f.Args == nil {
		f.Args = fault.Args{}
	}
	if _, set := f.Args["file"]; !set {
		f.Args["file"] = name
	}
	return f
}
