package ingest

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"

	"huoban/internal/fault"
)

// maxRecord bounds one CSV row, so that a quote that never closes cannot eat memory.
const maxRecord = 8 << 20

// csvRows reads comma-separated text as RFC 4180 has it, with the separators clouds use. Fields
// point into a buffer that is used again for each record.
type csvRows struct {
	body   io.Closer
	in     *bufio.Reader
	comma  byte
	header []string
	line   int64 // physical line on which the next record begins
	ascii  bool  // only ASCII so far, so that the text may yet turn out to be GB18030
	raw    []byte
	flat   []byte   // unquoted fields that contained quotes
	fields [][]byte // of the record
}

func openCSV(p Part) (Rows, error) {
	body, err := p.Open()
	if err != nil {
		return nil, err
	}
	rows, err := NewCSV(body)
	if err != nil {
		_ = body.Close()
		return nil, err
	}
	return rows, nil
}

// NewCSV reads text in any encoding Decode knows. The first record that is not blank is the header.
func NewCSV(body io.ReadCloser) (Rows, error) {
	text, encoding, err := Decode(body)
	if err != nil {
		return nil, err
	}
	c := &csvRows{body: body, in: bufio.NewReaderSize(text, 256<<10), line: 1, comma: ',', ascii: encoding == "utf-8"}
	var rec Record
	first, _ := c.in.Peek(64 << 10)
	c.comma = separator(first)
	switch err := c.Next(&rec); {
	case err == io.EOF:
		return nil, fault.Invalid("ingest.file_empty", nil)
	case err != nil:
		var row *RowError
		if errors.As(err, &row) {
			return nil, fault.Invalid("ingest.header_unreadable", nil).Because(err)
		}
		return nil, err
	}
	c.header = make([]string, len(rec.Fields))
	for i, f := range rec.Fields {
		c.header[i] = string(bytes.TrimSpace(f))
	}
	return c, nil
}

// separator is the one of comma, semicolon and tab that stands most often outside quotes in the
// first line.
func separator(text []byte) byte {
	var commas, semicolons, tabs int
	quoted := false
	for _, ch := range text {
		switch {
		case ch == '"':
			quoted = !quoted
		case quoted:
		case ch == '\n' && commas+semicolons+tabs > 0:
			return mostOf(commas, semicolons, tabs)
		case ch == ',':
			commas++
		case ch == ';':
			semicolons++
		case ch == '\t':
			tabs++
		}
	}
	return mostOf(commas, semicolons, tabs)
}

func mostOf(commas, semicolons, tabs int) byte {
	switch {
	case semicolons > commas && semicolons > tabs:
		return ';'
	case tabs > commas:
		return '\t'
	}
	return ','
}

func (c *csvRows) Header() []string { return c.header }

func (c *csvRows) Close() error { return c.body.Close() }

// Next reads one record. Rows without any content are passed over, as spreadsheets leave them at the
// end.
func (c *csvRows) Next(rec *Record) error {
	for {
		rec.Line, rec.Fields, rec.Raw = c.line, nil, nil
		if err := c.readRecord(); err != nil {
			return err
		}
		if len(bytes.TrimRight(c.raw, "\r\n")) == 0 {
			continue
		}
		rec.Raw = c.raw
		if err := c.split(); err != nil {
			return err
		}
		if blank(c.fields) {
			continue
		}
		rec.Fields = c.fields
		if err := c.toUTF8(); err != nil {
			return err
		}
		if c.header != nil && len(c.fields) != len(c.header) {
			return &RowError{Code: "ingest.row_width",
				Args: fault.Args{"want": len(c.header), "have": len(c.fields)}}
		}
		return nil
	}
}

// readRecord takes physical lines until no quoted field is open.
func (c *csvRows) readRecord() error {
	c.raw = c.raw[:0]
	state := atField
	for {
		piece, err := c.in.ReadSlice('\n')
		c.raw = append(c.raw, piece...)
		state = c.scan(piece, state)
		if len(c.raw) > maxRecord {
			return fault.Invalid("ingest.row_too_long", fault.Args{"line": c.line})
		}
		switch {
		case err == bufio.ErrBufferFull:
			continue
		case err == io.EOF:
			if len(c.raw) == 0 {
				return io.EOF
			}
			if state == inQuotes {
				return fault.Invalid("ingest.quote_open", fault.Args{"line": c.line})
			}
			c.line++
			return nil
		case err != nil:
			return broken(err)
		}
		if state != inQuotes {
			c.line += int64(bytes.Count(c.raw, newline))
			return nil
		}
	}
}

// Where the scan of a record stands.
const (
	atField = iota
	inField
	inQuotes
	afterQuote
)

// scan tells whether the record goes on after the piece. A quote opens a field only at its begin,
// so that an inch sign inside a text does not swallow the rows after it.
func (c *csvRows) scan(piece []byte, state int) int {
	if state == atField && bytes.IndexByte(piece, '"') < 0 {
		return atField
	}
	for i := 0; i < len(piece); i++ {
		ch := piece[i]
		switch state {
		case inQuotes:
			end := bytes.IndexByte(piece[i:], '"')
			if end < 0 {
				return inQuotes
			}
			i += end
			state = afterQuote
		case atField:
			switch ch {
			case '"':
				state = inQuotes
			case c.comma:
			default:
				state = inField
			}
		default:
			switch {
			case ch == c.comma:
				state = atField
			case ch == '"' && state == afterQuote:
				state = inQuotes
			default:
				state = inField
			}
		}
	}
	return state
}

var newline = []byte{'\n'}

// split cuts the record into fields. A quote in the middle of an unquoted field is kept as it is;
// text after a closing quote makes the row bad.
func (c *csvRows) split() error {
	c.fields, c.flat = c.fields[:0], c.flat[:0]
	rest := c.raw
	if n := len(rest); n > 0 && rest[n-1] == '\n' {
		rest = rest[:n-1]
	}
	if n := len(rest); n > 0 && rest[n-1] == '\r' {
		rest = rest[:n-1]
	}
	if cap(c.flat) < len(rest) {
		c.flat = make([]byte, 0, 2*len(rest)) // never grows below, so fields stay valid
	}
	for {
		if len(rest) == 0 || rest[0] != '"' {
			end := bytes.IndexByte(rest, c.comma)
			if end < 0 {
				c.fields = append(c.fields, rest[:len(rest):len(rest)])
				return nil
			}
			c.fields = append(c.fields, rest[:end:end])
			rest = rest[end+1:]
			continue
		}
		field, after, ok := c.unquote(rest[1:])
		if !ok {
			return &RowError{Code: "ingest.row_quotes", Args: fault.Args{"field": len(c.fields) + 1}}
		}
		c.fields = append(c.fields, field)
		if len(after) == 0 {
			return nil
		}
		rest = after[1:]
	}
}

// unquote reads up to the closing quote; after begins with the separator or is empty.
func (c *csvRows) unquote(text []byte) (field, after []byte, ok bool) {
	start, plain := len(c.flat), true
	from := text
	for {
		end := bytes.IndexByte(text, '"')
		if end < 0 {
			return nil, nil, false
		}
		if end+1 < len(text) && text[end+1] == '"' {
			plain = false
			c.flat = append(c.flat, text[:end+1]...)
			text = text[end+2:]
			continue
		}
		after = text[end+1:]
		if len(after) > 0 && after[0] != c.comma {
			return nil, nil, false
		}
		if plain {
			return from[:end:end], after, true
		}
		c.flat = append(c.flat, text[:end]...)
		return c.flat[start:len(c.flat):len(c.flat)], after, true
	}
}

func blank(fields [][]byte) bool {
	for _, f := range fields {
		if len(f) > 0 {
			return false
		}
	}
	return true
}

// toUTF8 meets a file whose first Chinese text comes after the part that decided its encoding.
// Separators and quotes are never second bytes in GB18030, so the record was split rightly.
func (c *csvRows) toUTF8() error {
	if isASCII(c.raw) {
		return nil
	}
	if utf8.Valid(c.raw) {
		c.ascii = false
		return nil
	}
	for i, f := range c.fields {
		if utf8.Valid(f) {
			continue
		}
		text, err := simplifiedchinese.GB18030.NewDecoder().Bytes(f)
		if !c.ascii || err != nil || bytes.Contains(text, unknownRune) {
			return &RowError{Code: "ingest.row_encoding", Args: fault.Args{"field": i + 1}}
		}
		c.fields[i] = text
	}
	return nil
}

func isASCII(text []byte) bool {
	const high = 0x8080808080808080
	for len(text) >= 8 {
		if binary.LittleEndian.Uint64(text)&high != 0 {
			return false
		}
		text = text[8:]
	}
	for _, ch := range text {
		if ch >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// broken is the fault of a body that stops or does not unpack.
func broken(err error) error {
	if f := (*fault.Error)(nil); errors.As(err, &f) {
		return f
	}
	return fault.Invalid("ingest.file_broken", nil).Because(err)
}
