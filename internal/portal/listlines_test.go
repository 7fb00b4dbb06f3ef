package portal_test

import (
	"bytes"
	"compress/zlib"
	"io"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/PuerkitoBio/goquery"
)

// lineList is a list of lines and the figures its files have.
type lineList struct {
	path    string
	draws   map[string][]string
	formats []string
	sheet   string
	read    func(t *testing.T, table [][]string) shown
}

var people = map[string][]string{"customer": {"", "s1", "s2", "s3"}, "product": {"", "VM", "=HYPERLINK(1)", "对象存储", "@SUM(A1)", "nothing"}, "kind": {"", "consumption", "refund", "adjustment", "tax"},
	"mode": {"", "on_demand", "reserved"}, "region": {"", "eu-1"}}

func lineLists() []lineList {
	with := func(more map[string][]string) map[string][]string {
		out := map[string][]string{}
		for _, m := range []map[string][]string{people, more} {
			for k, v := range m {
				out[k] = v
			}
		}
		return out
	}
	consumed := func(amount, kind string) func(t *testing.T, table [][]string) shown {
		return func(t *testing.T, table [][]string) shown {
			s, _ := consumedIn(t, table, amount, kind)
			return s
		}
	}
	bill := func(t *testing.T, table [][]string) shown {
		s, _ := written(t, table)
		return s
	}
	return []lineList{
		{"/o/MUSHI/bills/lines", with(map[string][]string{"zero": {"", "no"}}), []string{"csv", "xlsx", "pdf"}, "明细", bill},
		{"/o/MUSHI/expenditure", with(map[string][]string{"relation": {"", "resale", "referral"}}), []string{"csv", "xlsx"}, "消费汇总", consumed("消费合计", "")},
		{"/o/MUSHI/expenditure/lines", with(map[string][]string{"relation": {"", "resale"}, "zero": {"", "all"}}), []string{"csv", "xlsx"}, "消费明细", consumed("计费金额", "类型")},
	}
}

// TestLineListsEqualTheirFiles: for random filters of the lists of lines the count, the total and the short
// code on the screen are those of every file, the PDF of a bill too, and a colleague sees the same rows.
func TestLineListsEqualTheirFiles(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		n := 50
		if strings.HasSuffix(t.Name(), "postgres") {
			n = 10
		}
		v, colleague, stranger := w.signedIn("finance"), w.signedIn("second"), w.signedIn("stranger")
		for i, x := range lineLists() {
			r := rand.New(rand.NewPCG(11, uint64(i)))
			for range n {
				address := x.path + filtered(r, tried{draws: x.draws})
				address += map[bool]string{true: "&", false: "?"}[strings.Contains(address, "?")] + "cycle=2026-01"
				page := w.page(address, v.get(address), http.StatusOK)
				if got := w.page(address, colleague.get(address), http.StatusOK); rowsText(got) != rowsText(page) || shownOn(got) != shownOn(page) {
					t.Errorf("%s: a colleague sees something else", address)
				}
				if r := stranger.get(address); r.status != http.StatusNotFound {
					t.Errorf("%s: a stranger gets %d", address, r.status)
				}
				if page.Find("tbody tr").Length() == 0 {
					continue // an empty list has no seal to compare
				}
				compareLines(t, w, x, address, page)
			}
		}
	})
}

func rowsText(page *goquery.Document) string { return page.Find("tbody").First().Text() }

func compareLines(t *testing.T, w *world, x lineList, address string, page *goquery.Document) {
	t.Helper()
	v, want, tasks := w.signedIn("finance"), shownOn(page), map[string]string{}
	for _, format := range x.formats {
		tasks[format] = v.ask(page, format)
	}
	w.work()
	for _, format := range x.formats {
		file := v.file("MUSHI", tasks[format])
		if file.status != http.StatusOK {
			t.Fatalf("%s as %s: %d", address, format, file.status)
		}
		var got shown
		switch format {
		case "csv":
			got = x.read(t, csvOf(t, file.body))
		case "xlsx":
			_, table := xlsxOf(t, file.body, x.sheet)
			got = x.read(t, table)
		case "pdf":
			words := pdfText(t, file.body)
			if !strings.Contains(words, want.code) || !strings.Contains(words, strings.TrimRight(strings.TrimRight(want.total, "0"), ".")) {
				t.Errorf("%s: the PDF does not say %s and %s", address, want.total, want.code)
			}
			continue
		}
		got.code = strings.TrimSpace(got.code)
		if !same(want, got) {
			t.Errorf("%s: page %+v, %s %+v", address, want, format, got)
		}
	}
}

var streams = regexp.MustCompile(`(?s)stream\r?\n(.*?)endstream`)

// pdfText is what the pages of a PDF say: its strings are UTF-16, in compressed streams.
func pdfText(t *testing.T, body string) string {
	t.Helper()
	var out strings.Builder
	for _, m := range streams.FindAllStringSubmatch(body, -1) {
		z, err := zlib.NewReader(bytes.NewReader([]byte(m[1])))
		if err != nil {
			continue // a font
		}
		page, _ := io.ReadAll(z)
		for _, s := range pdfStrings(page) {
			var units []uint16
			for i := 0; i+1 < len(s); i += 2 {
				units = append(units, uint16(s[i])<<8|uint16(s[i+1]))
			}
			out.WriteString(string(utf16.Decode(units)) + " ")
		}
	}
	return out.String()
}

// pdfStrings are the literals of a page that are shown.
func pdfStrings(page []byte) (out [][]byte) {
	for i := 0; i < len(page); i++ {
		if page[i] != '(' {
			continue
		}
		var s []byte
		for i++; i < len(page) && page[i] != ')'; i++ {
			if page[i] == '\\' && i+1 < len(page) {
				i++
				if page[i] == 'r' {
					s = append(s, '\r')
					continue
				}
			}
			s = append(s, page[i])
		}
		out = append(out, s)
	}
	return out
}
