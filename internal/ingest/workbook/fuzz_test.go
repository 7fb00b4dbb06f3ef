package workbook

import (
	"testing"

	"huoban/internal/fault"
)

// FuzzSheet: whatever stands in the parts, reading ends with rows or a fault of the file.
func FuzzSheet(f *testing.F) {
	good := minimal("")
	f.Add(headRow+`<row r="2"><c r="A2" s="1"><v>44103</v></c></row>`, good["xl/sharedStrings.xml"], good["xl/styles.xml"])
	f.Add(headRow+`<row r="2"><c t="s"><v>1</v></c><c t="str"><f/><v/></c></row>`, `<sst><si/></sst>`, `<styleSheet><cellXfs><xf/></cellXfs></styleSheet>`)
	f.Add(`<row><c r="A1"><is><t>x</t></is></c>`, `<sst><si><t>`, ``)
	f.Fuzz(func(t *testing.T, sheet, shared, styles string) {
		body := zipped(t, minimal(sheet, "xl/sharedStrings.xml", shared, "xl/styles.xml", styles))
		if _, _, err := readAll(body); err != nil && fault.Is(err, fault.KindInternal) {
			t.Errorf("%v", err)
		}
	})
}
