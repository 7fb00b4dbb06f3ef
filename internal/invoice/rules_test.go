package invoice

import (
	"archive/zip"
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/fault"
)

// TestCouriers: names differ, a link is of https and of one host, with the number in it.
func TestCouriers(t *testing.T) {
	for lines, want := range map[string]int{"": 0, "EMS\r\n顺丰 速运 https://sf.example/q?no={no}\n\n": 2, "EMS\nEMS": -1, "EMS http://ems.example/{no}": -1, "EMS https://ems.example/": -1, "EMS https://{no}.example/": -1,
		"EMS https://ems.example{no}/x": -1, "EMS https://a@ems.example/{no}": -1, "EMS javascript://x/{no}": -1, "https://ems.example/{no}": -1, strings.Repeat("长", 61): -1} {
		list, err := ReadCouriers(lines)
		if (err == nil) != (want >= 0) || err == nil && len(list) != want {
			t.Errorf("%q: %v %v", lines, list, err)
		}
		if again, err := ReadCouriers(CourierText(list)); err != nil || !slices.Equal(again, list) {
			t.Errorf("%q again: %v %v", lines, again, err)
		}
	}
	var many strings.Builder
	for i := range MaxCouriers + 1 {
		fmt.Fprintf(&many, "C%d\n", i)
	}
	if _, err := ReadCouriers(many.String()); !fault.HasCode(err, "invoice.couriers_many") {
		t.Error(err)
	}
}

func TestTaxNumber(t *testing.T) {
	const good = "914403001922038216" // its check signs computed by the standard's example of weights, see below
	if !TaxNumber(good) || !TaxNumber("91110000802100433B") || !TaxNumber("9144030071526726XG") {
		t.Fatal("numbers that are in use are refused")
	}
	for i := range len(good) { // every single wrong sign is found
		for _, sign := range taxSigns {
			if wrong := good[:i] + string(sign) + good[i+1:]; wrong != good && TaxNumber(wrong) {
				t.Errorf("%s passes", wrong)
			}
		}
	}
	for i := range len(good) - 1 { // and every two neighbours that changed places
		if wrong := good[:i] + good[i+1:i+2] + good[i:i+1] + good[i+2:]; wrong != good && TaxNumber(wrong) {
			t.Errorf("%s passes", wrong)
		}
	}
	for _, bad := range []string{"", good[:17], good + "0", strings.ToLower("91110000802100433B"), "91440300192203821I", "税" + good[3:], "91330100MA2XXXXX7C"} {
		if TaxNumber(bad) {
			t.Errorf("%q passes", bad)
		}
	}
}

func TestTitle(t *testing.T) {
	whole := Title{Kind: TitleCompany, Name: "云岫数科（杭州）有限公司", TaxNo: " 9144 0300 1922 0382 16 ", Bank: "杭州银行", Account: "6222 0210 0112 3456", Address: "杭州市西湖区 1 号", Phone: "0571-88888888"}
	for _, c := range []struct {
		name string
		edit func(*Title)
		code string
	}{
		{"whole", func(*Title) {}, ""},
		{"a company without number", func(x *Title) { x.TaxNo = "" }, "invoice.tax_number"},
		{"an organisation without number", func(x *Title) { x.Kind, x.TaxNo = TitleOrganisation, "" }, ""},
		{"an organisation with a wrong one", func(x *Title) { x.Kind, x.TaxNo = TitleOrganisation, "914403001922038217" }, "invoice.tax_number"},
		{"a person", func(x *Title) { x.Kind, x.TaxNo = TitlePersonal, "whatever" }, ""},
		{"no kind", func(x *Title) { x.Kind = "" }, "invoice.title_kind"},
		{"one character", func(x *Title) { x.Name = "云" }, "invoice.title_name"},
		{"a line break", func(x *Title) { x.Name = "云岫\n数科" }, "invoice.title_name"},
		{"an account of letters", func(x *Title) { x.Account = "abc" }, "invoice.account_malformed"},
		{"a phone of letters", func(x *Title) { x.Phone = "call me" }, "invoice.phone_malformed"},
	} {
		x := whole
		c.edit(&x)
		if err := x.Check(); c.code == "" && err != nil || c.code != "" && !fault.HasCode(err, c.code) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if err := whole.Check(); err != nil || whole.TaxNo != "914403001922038216" || whole.Account != "6222021001123456" {
		t.Errorf("%+v %v", whole, err)
	}
	if x := (Title{Bank: "b"}); strings.Join(x.Missing(), " ") != "tax_no account address phone" {
		t.Error(x.Missing())
	}
}

func TestPaper(t *testing.T) {
	now := time.Date(2026, 11, 20, 15, 59, 0, 0, time.UTC) // 23:59 of the 20th in GMT+8
	for _, c := range []struct {
		name string
		p    Paper
		m    Medium
		code string
	}{
		{"数电票", Paper{Number: "26332000000012345678", On: "2026-11-20"}, MediumDigital, ""},
		{"数电票 with a code", Paper{Number: "26332000000012345678", Code: "3300204130", On: "2026-11-20"}, MediumDigital, "invoice.code_malformed"},
		{"数电票 of 8 digits", Paper{Number: "12345678", On: "2026-11-20"}, MediumDigital, "invoice.number_malformed"},
		{"paper", Paper{Number: "12345678", Code: "3300204130", On: "2026-11-20"}, MediumPaper, ""},
		{"a code of 12", Paper{Number: "12345678", Code: "033002041301", On: "2026-11-20"}, MediumElectronic, ""},
		{"a code of 11", Paper{Number: "12345678", Code: "03300204130", On: "2026-11-20"}, MediumElectronic, "invoice.code_malformed"},
		{"tomorrow", Paper{Number: "12345678", Code: "3300204130", On: "2026-11-21"}, MediumPaper, "invoice.date_future"},
		{"no date", Paper{Number: "12345678", Code: "3300204130", On: "2026-11-31"}, MediumPaper, "invoice.date_malformed"},
	} {
		if err := c.p.Check(c.m, now); c.code == "" && err != nil || c.code != "" && !fault.HasCode(err, c.code) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestRecognise(t *testing.T) {
	archive := func(name string) []byte {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		f, err := w.Create(name)
		if err == nil {
			_, err = f.Write([]byte("<ofd:OFD/>"))
		}
		if err != nil || w.Close() != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for _, c := range []struct {
		name string
		body []byte
		want Format
		code string
	}{
		{"ofd", archive("OFD.xml"), FormatOFD, ""},
		{"another archive", archive("word/document.xml"), "", "invoice.file_unreadable"},
		{"half an archive", archive("OFD.xml")[:20], "", "invoice.file_unreadable"},
		{"pdf", []byte("%PDF-1.7\n…\n%%EOF\n"), FormatPDF, ""},
		{"half a pdf", []byte("%PDF-1.7\n"), "", "invoice.file_unreadable"},
		{"xml", []byte(`<?xml version="1.0"?><EInvoice><No>1</No></EInvoice>`), FormatXML, ""},
		{"xml that is not closed", []byte(`<EInvoice><No>1</EInvoice>`), "", "invoice.file_unreadable"},
		{"xml with a document type", []byte(`<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>`), "", "invoice.file_unreadable"},
		{"deep xml", []byte(strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100)), "", "invoice.file_unreadable"},
		{"a page", []byte("<!doctype html><html><script>alert(1)</script></html>"), "", "invoice.file_unreadable"},
		{"a program", []byte("\x7fELF"), "", "invoice.file_unreadable"},
		{"nothing", nil, "", "invoice.file_empty"},
		{"too much", append([]byte("%PDF-"), make([]byte, MaxFile)...), "", "invoice.file_large"},
	} {
		got, err := Recognise(c.body)
		if got != c.want || c.code == "" && err != nil || c.code != "" && !fault.HasCode(err, c.code) {
			t.Errorf("%s: %q %v", c.name, got, err)
		}
	}
}

func TestOpensAt(t *testing.T) {
	for _, c := range []struct {
		of   cycle.Cycle
		want string
	}{{"2026-10", "2026-11-04"}, {"2026-12", "2027-01-04"}, {"2028-02", "2028-03-04"}} {
		if got := OpensAt(c.of).In(cycle.Zone).Format(time.DateOnly); got != c.want {
			t.Errorf("%s: %s", c.of, got)
		}
	}
}
