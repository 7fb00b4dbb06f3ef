package workbook

import (
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
)

// mostColumns is XFD, the last column a sheet can have; mostRow its last row.
const (
	mostColumns = 16384
	mostRow     = 1 << 20
)

// sheet reads the rows of one sheet.
type sheet struct {
	book *book
	scan *scan
	line int64 // number of the row last read
	in   bool  // inside sheetData
	done bool
	cell [][]byte
	buf  []byte
}

func (b *book) openSheet(i int) (*sheet, error) {
	s, err := b.scan(b.sheets[i])
	if err != nil {
		return nil, err
	}
	return &sheet{book: b, scan: s}, nil
}

func (s *sheet) close() { s.scan.close() }

// row gives the cells of the next row that has any content, empty ones nil; valid until the next
// call. io.EOF after the last.
func (s *sheet) row() ([][]byte, error) {
	for !s.done {
		tok, err := s.scan.token()
		if err == io.EOF && !s.in {
			break
		}
		if err != nil {
			return nil, broken(err)
		}
		switch v := tok.(type) {
		case xml.StartElement:
			switch {
			case v.Name.Local == "sheetData":
				s.in = true
			case s.in && v.Name.Local == "row":
				if err := s.begin(v); err != nil {
					return nil, err
				}
				filled, err := s.cells()
				if err != nil {
					return nil, err
				}
				if filled {
					return s.cell, nil
				}
			}
		case xml.EndElement:
			if v.Name.Local == "sheetData" {
				s.done = true
			}
		}
	}
	s.done = true
	return nil, io.EOF
}

// begin takes the row's number, which may only grow.
func (s *sheet) begin(el xml.StartElement) error {
	line := s.line + 1
	if r := attr(el, "r"); r != "" {
		n, err := strconv.ParseInt(r, 10, 64)
		if err != nil || n < line || n > mostRow {
			return broken(errors.New("row number " + r))
		}
		line = n
	}
	s.line, s.cell, s.buf = line, s.cell[:0], s.buf[:0]
	return nil
}

// cells reads to the end of the row.
func (s *sheet) cells() (filled bool, err error) {
	for {
		tok, err := s.scan.token()
		if err != nil {
			return false, broken(err)
		}
		switch v := tok.(type) {
		case xml.StartElement:
			if v.Name.Local != "c" {
				continue
			}
			at := len(s.cell)
			if r := attr(v, "r"); r != "" {
				if at = column(r); at < len(s.cell) {
					return false, broken(errors.New("cell " + r))
				}
			}
			if at >= mostColumns {
				return false, broken(errors.New("column"))
			}
			text, err := s.value(v)
			if err != nil {
				return false, err
			}
			for len(s.cell) < at {
				s.cell = append(s.cell, nil)
			}
			s.cell = append(s.cell, text)
			filled = filled || text != nil
		case xml.EndElement:
			if v.Name.Local == "row" {
				return filled, nil
			}
		}
	}
}

// column is the zero-based column of "AB12"; mostColumns if it is none.
func column(ref string) int {
	n := 0
	for i := 0; i < len(ref); i++ {
		ch := ref[i] &^ 0x20 // upper case
		if ch < 'A' || ch > 'Z' {
			if i == 0 {
				return mostColumns
			}
			break
		}
		if n = n*26 + int(ch-'A') + 1; n > mostColumns {
			return mostColumns
		}
	}
	return n - 1
}

// value reads the cell that was just opened; nil if it is empty.
func (s *sheet) value(el xml.StartElement) ([]byte, error) {
	kind, styled := attr(el, "t"), attr(el, "s")
	raw, err := s.content()
	if err != nil || len(raw) == 0 {
		return nil, err
	}
	text := string(raw)
	switch kind {
	case "s":
		if text, err = s.book.shared.at(text); err != nil {
			return nil, err
		}
	case "b":
		text = map[string]string{"1": "TRUE", "0": "FALSE"}[strings.TrimSpace(text)]
	case "", "n":
		text = s.book.number(strings.TrimSpace(text), styled)
	}
	if text == "" {
		return nil, nil
	}
	start := len(s.buf)
	s.buf = append(s.buf, text...) // earlier cells keep the array they point into
	return s.buf[start:len(s.buf):len(s.buf)], nil
}

// content is the stored value, or the text written in place, up to the end of the cell. The formula
// beside a value is passed over.
func (s *sheet) content() ([]byte, error) {
	var out []byte
	inV := false
	for {
		tok, err := s.scan.token()
		if err != nil {
			return nil, broken(err)
		}
		switch v := tok.(type) {
		case xml.StartElement:
			switch v.Name.Local {
			case "v":
				inV = true
			case "is":
				if out, err = s.scan.text("is"); err != nil {
					return nil, broken(err)
				}
			default:
				if err := s.scan.skip(); err != nil {
					return nil, err
				}
			}
		case xml.EndElement:
			switch v.Name.Local {
			case "v":
				inV = false
			case "c":
				return out, nil
			}
		case xml.CharData:
			if inV {
				if len(out)+len(v) > mostPiece {
					return nil, broken(errTooMuch)
				}
				out = append(out, v...)
			}
		}
	}
}
