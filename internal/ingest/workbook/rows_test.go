package workbook

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"huoban/internal/fault"
	"huoban/internal/ingest"
)

// part makes a part of a workbook in memory.
func part(body []byte) ingest.Part {
	return ingest.NewPart(1, "bill.xlsx", ingest.FormatXLSX, int64(len(body)), func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(body)), nil
	})
}

// readAll gives the header and the rows as "line: cell|cell", absent cells as "-".
func readAll(body []byte) (header []string, rows []string, err error) {
	r, err := part(body).Rows()
	if err != nil {
		return nil, nil, err
	}
	defer r.Close()
	var rec ingest.Record
	for {
		err := r.Next(&rec)
		var bad *ingest.RowError
		switch {
		case err == io.EOF:
			return r.Header(), rows, nil
		case errors.As(err, &bad):
			rows = append(rows, fmt.Sprintf("%d! %s", rec.Line, bad.Code))
			continue
		case err != nil:
			return r.Header(), rows, err
		}
		var cells []string
		for _, f := range rec.Fields {
			if f == nil {
				cells = append(cells, "-")
				continue
			}
			cells = append(cells, string(f))
		}
		rows = append(rows, fmt.Sprintf("%d: %s", rec.Line, strings.Join(cells, "|")))
	}
}

// zipped makes a workbook of its parts.
func zipped(t testing.TB, parts map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for name, text := range parts {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

const (
	relations = `<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">`
	office    = `http://schemas.openxmlformats.org/officeDocument/2006/relationships/`
)

// minimal is a workbook with one sheet, written by hand.
func minimal(sheetData string, more ...string) map[string]string {
	m := map[string]string{
		"_rels/.rels":     relations + `<Relationship Id="r1" Type="` + office + `officeDocument" Target="/xl/workbook.xml"/></Relationships>`,
		"xl/workbook.xml": `<workbook xmlns:r="x"><workbookPr/><sheets><sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": relations + `<Relationship Id="r1" Type="` + office + `worksheet" Target="worksheets/sheet1.xml"/>` +
			`<Relationship Id="r2" Type="` + office + `sharedStrings" Target="sharedStrings.xml"/>` +
			`<Relationship Id="r3" Type="` + office + `styles" Target="/xl/styles.xml"/></Relationships>`,
		"xl/sharedStrings.xml": `<sst><si><t>客户ID</t></si><si><r><t>账</t></r><r><t xml:space="preserve">期</t></r><rPh><t>zhang</t></rPh></si>` +
			`<si><t>a_x000A_b</t></si></sst>`,
		"xl/styles.xml": `<styleSheet><numFmts><numFmt numFmtId="164" formatCode="yyyy&quot;年&quot;m&quot;月&quot;"/>` +
			`<numFmt numFmtId="165" formatCode="[$-409]yyyy-mm-dd hh:mm:ss;@"/><numFmt numFmtId="166" formatCode="#,##0.00&quot; USD yd&quot;"/></numFmts>` +
			`<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/>` +
			`<xf numFmtId="166"/><xf numFmtId="22"/></cellXfs></styleSheet>`,
		"xl/worksheets/sheet1.xml": `<worksheet><sheetData>` + sheetData + `</sheetData><mergeCells/></worksheet>`,
	}
	for i := 0; i+1 < len(more); i += 2 {
		m[more[i]] = more[i+1]
	}
	return m
}

const headRow = `<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1" t="inlineStr"><is><t>x</t></is></c></row>`

func TestCells(t *testing.T) {
	body := zipped(t, minimal(headRow+
		`<row r="3"><c r="A3" t="s"><v>2</v></c><c r="C3"><v>0.30000000000000004</v></c></row>`+
		`<row r="4"><c r="A4"><v>1.1000000000000001</v></c><c r="B4"><v>12345678901234567890.123456789</v></c><c r="C4"><v>1.81E-8</v></c></row>`+
		`<row r="5"><c r="A5" s="1"><v>44103</v></c><c r="B5" s="2"><v>44075</v></c><c r="C5" s="3"><v>44102.375</v></c></row>`+
		`<row r="6"><c r="A6" s="4"><v>44102</v></c><c r="B6" s="5"><v>44102.999999</v></c><c r="C6" t="str"><f>"a"&amp;"b"</f><v>ab</v></c></row>`+
		`<row><c><v>7</v></c><c t="b"><v>1</v></c><c t="e"><v>#N/A</v></c></row>`+
		`<row r="8"/><row r="9"><c r="A9"><f>SUM(A1)</f></c></row>`+
		`<row r="10"><c r="A10"><v>1</v></c><c r="D10"><v>4</v></c></row>`+
		`<row r="11"><c r="A11"><v>1</v></c><c r="D11" s="1"/></row>`))
	header, rows, err := readAll(body)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"客户ID", "账期", "x"}, header); diff != "" {
		t.Error(diff)
	}
	want := []string{
		"3: a\nb|-|0.30000000000000004",
		"4: 1.1|12345678901234567890.123456789|1.81E-8",
		"5: 2020-09-29|2020-09-01|2020-09-28 09:00:00",
		"6: 44102|2020-09-29 00:00:00|ab",
		"7: 7|TRUE|#N/A",
		"10! ingest.row_width",
		"11: 1|-|-",
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestDates1904(t *testing.T) {
	m := minimal(headRow + `<row r="2"><c r="A2" s="1"><v>42641</v></c></row>`)
	m["xl/workbook.xml"] = strings.Replace(m["xl/workbook.xml"], "<workbookPr/>", `<workbookPr date1904="1"/>`, 1)
	if _, rows, err := readAll(zipped(t, m)); err != nil || len(rows) != 1 || rows[0] != "2: 2020-09-29|-|-" {
		t.Errorf("%v %v", rows, err)
	}
}

// What a spreadsheet program's library writes: several sheets, a title above the header, days as
// days, and a table that goes on in a further sheet.
func TestSheets(t *testing.T) {
	book := excelize.NewFile()
	set := func(sheet, cell string, row ...any) {
		t.Helper()
		if err := book.SetSheetRow(sheet, cell, &row); err != nil {
			t.Fatal(err)
		}
	}
	head := []any{"客户ID", "账期", "账单类型", "计费模式", "客户交易时间", "客户消费金额(USD)"}
	for _, name := range []string{"one", "two", "other"} {
		if _, err := book.NewSheet(name); err != nil {
			t.Fatal(err)
		}
	}
	set("Sheet1", "A1", "说明")
	set("one", "A1", "伙伴账单明细")
	set("one", "A3", head...)
	at := time.Date(2020, 9, 28, 9, 0, 0, 0, time.UTC)
	set("one", "A4", "c1", "2020-09", "消费", "按需", at, 1.1)
	set("two", "A1", head...)
	set("two", "A2", "c2", "2020-09", "消费", "按需", "2020-09-28 09:00:00 GMT+08:00", 0.1)
	set("other", "A1", "客户ID", "合计")
	set("other", "A2", "c2", 99)
	var out bytes.Buffer
	if err := book.Write(&out); err != nil {
		t.Fatal(err)
	}
	r, err := ingest.NewReader(part(out.Bytes()), ingest.Source{Dialect: "huawei-bill-detail"})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var got []string
	for {
		l, bad, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil || bad != nil {
			t.Fatalf("%v %+v", err, bad)
		}
		got = append(got, fmt.Sprint(l.LineNo, l.Account.SubAccount, " ", l.Billed, " ", l.ChargeEnd.UTC().Format(time.DateTime)))
	}
	want := []string{"4c1 1.1 2020-09-28 01:00:00", "6c2 0.1 2020-09-28 01:00:00"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// Without a known header the first row is taken as one, so that what is missing can be named.
func TestUnknownHeader(t *testing.T) {
	body := zipped(t, minimal(`<row r="2"><c r="A2" t="inlineStr"><is><t>客户ID</t></is></c><c r="B2" t="inlineStr"><is><t>金额</t></is></c></row>`+
		`<row r="3"><c r="A3"><v>1</v></c><c r="B3"><v>2</v></c></row>`))
	header, rows, err := readAll(body)
	if err != nil || strings.Join(header, "|") != "客户ID|金额" || len(rows) != 1 || rows[0] != "3: 1|2" {
		t.Errorf("%v %v %v", header, rows, err)
	}
	_, err = ingest.NewReader(part(body), ingest.Source{Dialect: "huawei-bill-detail"})
	if !fault.HasCode(err, "ingest.columns_missing") || !strings.Contains(err.Error(), "客户消费金额") {
		t.Errorf("%v", err)
	}
}

// Nothing a file says of itself is believed.
func TestHostile(t *testing.T) {
	good := zipped(t, minimal(headRow))
	long := strings.Repeat("x", mostPiece+1<<16)
	for name, c := range map[string]struct {
		body []byte
		code string
	}{
		"no zip":         {[]byte("PK\x03\x04 and then nothing of the kind"), "ingest.file_broken"},
		"cut short":      {good[:len(good)-40], "ingest.file_broken"},
		"nothing inside": {zipped(t, nil), "ingest.file_broken"},
		"no sheet":       {zipped(t, minimal("", "xl/workbook.xml", `<workbook><sheets/></workbook>`)), "ingest.file_empty"},
		"empty sheet":    {zipped(t, minimal("")), "ingest.file_empty"},
		"a sheet that is not there": {zipped(t, minimal("", "xl/_rels/workbook.xml.rels",
			relations+`<Relationship Id="r1" Type="`+office+`worksheet" Target="../../../etc/passwd"/></Relationships>`)), "ingest.file_broken"},
		"XML cut short":           {zipped(t, minimal(headRow, "xl/worksheets/sheet1.xml", `<worksheet><sheetData>`+headRow+`<row r="2"><c r="A2"><v>1`)), "ingest.file_broken"},
		"sheet ends in the table": {zipped(t, minimal(headRow, "xl/worksheets/sheet1.xml", `<worksheet><sheetData>`+headRow)), "ingest.file_broken"},
		"rows out of order":       {zipped(t, minimal(headRow+`<row r="5"><c><v>1</v></c></row><row r="5"><c><v>1</v></c></row>`)), "ingest.file_broken"},
		"cells out of order":      {zipped(t, minimal(headRow+`<row r="2"><c r="B2"><v>1</v></c><c r="A2"><v>1</v></c></row>`)), "ingest.file_broken"},
		"no such column":          {zipped(t, minimal(headRow+`<row r="2"><c r="ZZZZZZZZ2"><v>1</v></c></row>`)), "ingest.file_broken"},
		"no such string":          {zipped(t, minimal(headRow+`<row r="2"><c r="A2" t="s"><v>99</v></c></row>`)), "ingest.file_broken"},
		"negative string":         {zipped(t, minimal(headRow+`<row r="2"><c r="A2" t="s"><v>-1</v></c></row>`)), "ingest.file_broken"},
		"deep":                    {zipped(t, minimal(strings.Repeat("<a>", 100))), "ingest.file_broken"},
		"entities": {zipped(t, minimal(headRow, "xl/sharedStrings.xml",
			`<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><sst><si><t>&b;</t></si></sst>`)), "ingest.file_broken"},
		"endless text":      {zipped(t, minimal(headRow+`<row r="2"><c r="A2"><v>`+long+`</v></c></row>`)), "ingest.file_broken"},
		"endless attribute": {zipped(t, minimal(headRow+`<row r="2" x="`+long+`"/>`)), "ingest.file_broken"},
		"zip bomb":          {bomb(t), "ingest.limit_ratio"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, rows, err := readAll(c.body); !fault.HasCode(err, c.code) {
				t.Errorf("%v after %d rows, want %s", err, len(rows), c.code)
			}
		})
	}
}

// bomb is a small workbook with hundreds of MiB of empty rows.
func bomb(t testing.TB) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for name, text := range minimal("") {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(name, "sheet1.xml") {
			_, err = io.WriteString(w, text)
		} else {
			_, err = io.WriteString(w, "<worksheet><sheetData>"+headRow)
			blank := strings.Repeat("<row></row>", 1<<14)
			for i := 0; i < 400 && err == nil; i++ {
				_, err = io.WriteString(w, blank)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Memory does not grow with the sheet or its strings.
func TestFlatMemory(t *testing.T) {
	var sheet, strs strings.Builder
	sheet.WriteString(headRow)
	strs.WriteString(`<sst><si><t>客户ID</t></si><si><t>账期</t></si>`)
	const n = 60_000
	for i := 2; i <= n; i++ {
		fmt.Fprintf(&sheet, `<row r="%d"><c r="A%d" t="s"><v>%d</v></c><c r="B%d"><v>%d.25</v></c></row>`, i, i, i, i, i)
		fmt.Fprintf(&strs, `<si><t>%0200d</t></si>`, i)
	}
	strs.WriteString(`</sst>`)
	body := zipped(t, minimal(sheet.String(), "xl/sharedStrings.xml", strs.String()))
	sheet.Reset()
	strs.Reset()
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	r, err := part(body).Rows()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var rec ingest.Record
	for i := 2; i <= n; i++ {
		if err := r.Next(&rec); err != nil {
			t.Fatal(err)
		}
		if i%20_000 != 0 {
			continue
		}
		if want := fmt.Sprintf("%0200d", i); string(rec.Fields[0]) != want {
			t.Fatalf("row %d: %s", i, rec.Fields[0])
		}
		if now := heap(); now > before+8<<20 {
			t.Fatalf("%d rows hold %d KiB more", i, (now-before)>>10)
		}
	}
}
