package billdoc

import (
	"archive/zip"
	"bufio"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Styles of a cell, as they stand in bookStyles.
const (
	stylePlain = iota
	styleBold
	styleAmount // thousands apart, two to eight decimals
)

// Parts of a workbook that never change. A part whose name ends .xml is a sheet unless it is listed, so that
// the list can stand first, where programs look that guess what a file is, before anyone knows how many
// sheets follow.
const (
	bookHead  = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
	bookMain  = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
	bookLink  = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	bookLinks = "http://schemas.openxmlformats.org/package/2006/relationships"
	bookType  = "application/vnd.openxmlformats-officedocument.spreadsheetml."

	bookTypes = bookHead + `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
		`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
		`<Default Extension="xml" ContentType="` + bookType + `worksheet+xml"/>` +
		`<Override PartName="/xl/workbook.xml" ContentType="` + bookType + `sheet.main+xml"/>` +
		`<Override PartName="/xl/styles.xml" ContentType="` + bookType + `styles+xml"/></Types>`
	bookRoot = bookHead + `<Relationships xmlns="` + bookLinks + `">` +
		`<Relationship Id="rId1" Type="` + bookLink + `/officeDocument" Target="xl/workbook.xml"/></Relationships>`
	bookStyles = bookHead + `<styleSheet xmlns="` + bookMain + `">` +
		`<numFmts count="1"><numFmt numFmtId="164" formatCode="#,##0.00######"/></numFmts>` +
		`<fonts count="2"><font><sz val="11"/><name val="Calibri"/><family val="2"/></font>` +
		`<font><b/><sz val="11"/><name val="Calibri"/><family val="2"/></font></fonts>` +
		`<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>` +
		`<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>` +
		`<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>` +
		`<cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>` +
		`<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>` +
		`<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>` +
		`<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>`

	// sheetHead keeps the heading in sight and gives forty columns room for a figure.
	sheetHead = bookHead + `<worksheet xmlns="` + bookMain + `"><sheetViews><sheetView workbookViewId="0">` +
		`<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>` +
		`<cols><col min="1" max="40" width="16" customWidth="1"/></cols><sheetData>`
	sheetFoot = `</sheetData></worksheet>`
)

// book writes a workbook: sheets of texts and numbers, one after the other, row by row, so that any number of
// rows takes no memory. It is collected in a temporary file and handed over when it is whole. The same rows
// give the same bytes. Formulas, which nobody wants in a list, it cannot write. We write the eight tags
// ourselves because the library for workbooks made the program much larger than what it does (docs/adr/0014).
type book struct {
	spool  *os.File
	zip    *zip.Writer
	sheets []string
	out    *bufio.Writer // the sheet being written
	row    int
}

func newBook() (*book, error) {
	spool, err := os.CreateTemp("", "portal-xlsx-")
	if err != nil {
		return nil, err
	}
	b := &book{spool: spool, zip: zip.NewWriter(spool)}
	for _, part := range [][2]string{{"[Content_Types].xml", bookTypes}, {"_rels/.rels", bookRoot}, {"xl/styles.xml", bookStyles}} {
		if err := b.part(part[0], part[1]); err != nil {
			return nil, errors.Join(err, b.remove())
		}
	}
	return b, nil
}

func (b *book) part(name, text string) error {
	w, err := b.zip.Create(name)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, text)
	return err
}

// begin ends the sheet before and starts the next one.
func (b *book) begin(name string) error {
	if err := b.end(); err != nil {
		return err
	}
	b.sheets, b.row = append(b.sheets, sheetName(name)), 0
	part, err := b.zip.Create("xl/worksheets/sheet" + strconv.Itoa(len(b.sheets)) + ".xml")
	if err != nil {
		return err
	}
	b.out = bufio.NewWriterSize(part, 32<<10)
	_, err = b.out.WriteString(sheetHead)
	return err
}

func (b *book) end() error {
	if b.out == nil {
		return nil
	}
	_, _ = b.out.WriteString(sheetFoot)
	err := b.out.Flush()
	b.out = nil
	return err
}

// bookCell is a text, or a number written in decimals.
type bookCell struct {
	text   string
	number bool
	style  int
}

// put writes the next row; empty cells are left out.
func (b *book) put(cells []bookCell) error {
	b.row++
	no := strconv.Itoa(b.row)
	w := b.out
	_, _ = w.WriteString(`<row r="` + no + `">`)
	for i, c := range cells {
		if c.text == "" && c.style == stylePlain {
			continue
		}
		_, _ = w.WriteString(`<c r="`)
		_, _ = w.WriteString(columnName(i))
		_, _ = w.WriteString(no)
		if c.style != stylePlain {
			_, _ = w.WriteString(`" s="`)
			_ = w.WriteByte('0' + byte(c.style))
		}
		switch {
		case c.text == "":
			_, _ = w.WriteString(`"/>`)
		case c.number:
			_, _ = w.WriteString(`"><v>`)
			_, _ = w.WriteString(c.text)
			_, _ = w.WriteString(`</v></c>`)
		default:
			_, _ = w.WriteString(`" t="inlineStr"><is><t xml:space="preserve">`)
			writeXString(w, c.text)
			_, _ = w.WriteString(`</t></is></c>`)
		}
	}
	_, err := w.WriteString(`</row>`)
	return err
}

// finish writes the workbook.
func (b *book) finish(out io.Writer) error {
	if err := b.end(); err != nil {
		return err
	}
	var sheets, links strings.Builder
	for i, name := range b.sheets {
		no := strconv.Itoa(i + 1)
		sheets.WriteString(`<sheet name="`)
		writeXString(&sheets, name)
		sheets.WriteString(`" sheetId="` + no + `" r:id="rId` + no + `"/>`)
		links.WriteString(`<Relationship Id="rId` + no + `" Type="` + bookLink + `/worksheet" Target="worksheets/sheet` + no + `.xml"/>`)
	}
	links.WriteString(`<Relationship Id="rId` + strconv.Itoa(len(b.sheets)+1) + `" Type="` + bookLink + `/styles" Target="styles.xml"/>`)
	err := b.part("xl/workbook.xml", bookHead+`<workbook xmlns="`+bookMain+`" xmlns:r="`+bookLink+`"><bookViews><workbookView activeTab="0"/></bookViews>`+
		`<sheets>`+sheets.String()+`</sheets></workbook>`)
	if err != nil {
		return err
	}
	if err := b.part("xl/_rels/workbook.xml.rels", bookHead+`<Relationships xmlns="`+bookLinks+`">`+links.String()+`</Relationships>`); err != nil {
		return err
	}
	if err := b.zip.Close(); err != nil {
		return err
	}
	if _, err := b.spool.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err = io.Copy(out, b.spool)
	return err
}

// remove takes the temporary file away.
func (b *book) remove() error { return errors.Join(b.spool.Close(), os.Remove(b.spool.Name())) }

// columnName counts A, B … Z, AA, AB …
func columnName(i int) string {
	var name [4]byte
	at := len(name)
	for i++; i > 0; i = (i - 1) / 26 {
		at--
		name[at] = 'A' + byte((i-1)%26)
	}
	return string(name[at:])
}

// sheetName is what a spreadsheet bears as a name: up to 31 places, no sign of a path, no quote at an end.
func sheetName(name string) string {
	name = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`:\/?*[]`, r) {
			return ' '
		}
		return r
	}, name)
	return strings.Trim(clipUTF16(name, sheetTitle), "'")
}

// clipUTF16 cuts a text to n places as spreadsheets count them.
func clipUTF16(s string, n int) string {
	if len(s) <= n {
		return s
	}
	places := 0
	for i, r := range s {
		if places += utf16.RuneLen(r); places > n {
			return s[:i]
		}
	}
	return s
}

// writeXString writes a text with what XML keeps for itself escaped, white space as it is, and what XML
// cannot hold as the replacement sign. A text that looks like the escape _x000D_ gets its first sign escaped,
// since a spreadsheet would read a carriage return.
func writeXString(w io.StringWriter, s string) {
	from := 0
	for i, r := range s {
		var as string
		switch {
		case r == '&':
			as = "&amp;"
		case r == '<':
			as = "&lt;"
		case r == '>':
			as = "&gt;"
		case r == '"':
			as = "&#34;"
		case r == '\t':
			as = "&#9;"
		case r == '\r':
			as = "&#13;"
		case r == '_' && looksEscaped(s[i:]):
			as = "_x005F_"
		case r == '\n', r >= ' ' && r < utf8.RuneError:
			continue
		case r > utf8.RuneError && r != 0xFFFE && r != 0xFFFF:
			continue
		default:
			as = "\uFFFD"
		}
		_, _ = w.WriteString(s[from:i])
		_, _ = w.WriteString(as)
		_, size := utf8.DecodeRuneInString(s[i:])
		from = i + size
	}
	_, _ = w.WriteString(s[from:])
}

func looksEscaped(s string) bool {
	if len(s) < 7 || s[1] != 'x' || s[6] != '_' {
		return false
	}
	_, err := strconv.ParseUint(s[2:6], 16, 16)
	return err == nil
}

// decimal is a number as a cell holds it; false where a text is none.
func decimal(text string) (string, bool) {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || strings.Trim(text, "0123456789.-") != "" {
		return "", false
	}
	return strconv.FormatFloat(v, 'f', -1, 64), true
}
