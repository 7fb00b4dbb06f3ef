package main

import (
	"bytes"
	"compress/zlib"
	"io"
	"strings"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"
)

// plain gives the words and figures of a document as text, whatever its format.
func plain(format string, body []byte) string {
	switch format {
	case "xlsx":
		return xlsxText(body)
	case "pdf":
		return pdfText(body)
	}
	return string(body)
}

// xlsxText is every cell of every sheet, a tab between cells.
func xlsxText(body []byte) string {
	f, err := excelize.OpenReader(bytes.NewReader(body))
	if err != nil {
		return ""
	}
	defer f.Close()
	var b strings.Builder
	for _, sheet := range f.GetSheetList() {
		rows, err := f.GetRows(sheet, excelize.Options{RawCellValue: true})
		if err != nil {
			return ""
		}
		for _, r := range rows {
			b.WriteString(strings.Join(r, "\t") + "\n")
		}
	}
	return b.String()
}

// pdfText is the text of the pages: strings in UTF-16 inside deflated streams, one a line; runs that
// follow each other stand without a space between, as they are seen.
func pdfText(body []byte) string {
	var b strings.Builder
	for {
		_, rest, ok := bytes.Cut(body, []byte("stream\n"))
		if !ok {
			return b.String()
		}
		body = rest
		z, err := zlib.NewReader(bytes.NewReader(rest))
		if err != nil {
			continue
		}
		page, err := io.ReadAll(z)
		if err == nil && bytes.Contains(page, []byte(")Tj")) {
			pageText(&b, page)
		}
	}
}

func pageText(b *strings.Builder, page []byte) {
	for {
		i := bytes.IndexByte(page, '(')
		if i < 0 {
			return
		}
		page = page[i+1:]
		var raw []byte
		for len(page) > 0 && page[0] != ')' {
			c := page[0]
			page = page[1:]
			if c == '\\' {
				c, page = page[0], page[1:]
				if c == 'r' {
					c = '\r'
				}
			}
			raw = append(raw, c)
		}
		var units []uint16
		for j := 0; j+1 < len(raw); j += 2 {
			units = append(units, uint16(raw[j])<<8|uint16(raw[j+1]))
		}
		b.WriteString(string(utf16.Decode(units)) + "\n")
	}
}
