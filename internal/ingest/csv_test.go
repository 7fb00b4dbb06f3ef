package ingest_test

import (
	"encoding/csv"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"huoban/internal/fault"
	"huoban/internal/ingest"
)

// rowsOf reads a text whole: "line: field|field" per record, "line! code" per bad one.
func rowsOf(text string) (header []string, rows []string, err error) {
	t, err := ingest.NewCSV(io.NopCloser(strings.NewReader(text)))
	if err != nil {
		return nil, nil, err
	}
	var rec ingest.Record
	for {
		err := t.Next(&rec)
		var bad *ingest.RowError
		switch {
		case err == io.EOF:
			return t.Header(), rows, nil
		case errors.As(err, &bad):
			rows = append(rows, fmtInt(rec.Line)+"! "+bad.Code)
			continue
		case err != nil:
			return t.Header(), rows, err
		}
		var cells []string
		for _, f := range rec.Fields {
			cells = append(cells, string(f))
		}
		rows = append(rows, fmtInt(rec.Line)+": "+strings.Join(cells, "|"))
	}
}

func fmtInt(n int64) string { return strconv.FormatInt(n, 10) }

func TestCSV(t *testing.T) {
	long := strings.Repeat("x", 600<<10)
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"plain":                    {"a,b\n1,2\n3,\n", []string{"2: 1|2", "3: 3|"}},
		"no newline at the end":    {"a,b\n1,2", []string{"2: 1|2"}},
		"CRLF":                     {"a,b\r\n1,2\r\n", []string{"2: 1|2"}},
		"quotes":                   {"a,b\n\"1,5\",\"say \"\"hi\"\"\"\n", []string{`2: 1,5|say "hi"`}},
		"empty quotes":             {"a,b\n\"\",\"\"\n\"\",x\n", []string{"3: |x"}},
		"line break in a field":    {"a,b\n\"1\n2\",3\n4,5\n", []string{"2: 1\n2|3", "4: 4|5"}},
		"inch sign":                {"a,b\ndisk 5\" fast,2\n3,4\n", []string{"2: disk 5\" fast|2", "3: 3|4"}},
		"text after quote":         {"a,b\n\"1\"x,2\n3,4\n", []string{"2! ingest.row_quotes", "3: 3|4"}},
		"too few":                  {"a,b\n1\n3,4\n", []string{"2! ingest.row_width", "3: 3|4"}},
		"too many":                 {"a,b\n1,2,3\n3,4\n", []string{"2! ingest.row_width", "3: 3|4"}},
		"blank lines":              {"\n\na,b\n\n1,2\n,\n\n", []string{"5: 1|2"}},
		"semicolons":               {"a;b\n1,5;2\n", []string{"2: 1,5|2"}},
		"tabs":                     {"a\tb\n1\t2\n", []string{"2: 1|2"}},
		"byte order mark":          {"\ufeffa,b\n1,2\n", []string{"2: 1|2"}},
		"larger than the buffer":   {"a,b\n" + long + ",2\n3,4\n", []string{"2: " + long + "|2", "3: 3|4"}},
		"large quoted with breaks": {"a,b\n\"" + long + "\n\"\"\",2\n3,4\n", []string{"2: " + long + "\n\"|2", "4: 3|4"}},
		"damaged row among UTF-8":  {"a,b\n云云,2\n\xff\xfe,4\n5,6\n", []string{"2: 云云|2", "3! ingest.row_encoding", "4: 5|6"}},
		"not text":                 {"a,b\n\xff\xff\xff\xff\xff,2\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, rows, err := rowsOf(c.text)
			if c.want == nil {
				if !fault.HasCode(err, "ingest.encoding_unknown") {
					t.Fatalf("got %v, %v", rows, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, rows); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCSVFaults(t *testing.T) {
	for text, code := range map[string]string{
		"":                  "ingest.file_empty",
		"\n\n":              "ingest.file_empty",
		"a,b\n\"1,2\n3,4\n": "ingest.quote_open",
		"a,\"b\"x\n1,2\n":   "ingest.header_unreadable",
		"a,b\n\x00\x01\x00": "ingest.encoding_unknown",
		"a,b\n\"" + strings.Repeat("y\n", 5<<20) + "\"\n": "ingest.row_too_long",
	} {
		if _, _, err := rowsOf(text); !fault.HasCode(err, code) {
			t.Errorf("%.20q: got %v, want %s", text, err, code)
		}
	}
}

func TestEncodings(t *testing.T) {
	const text = "名称,金额\n云服务器,1.5\n对象存储,2\n"
	want := []string{"2: 云服务器|1.5", "3: 对象存储|2"}
	gb, err := simplifiedchinese.GB18030.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	le, _ := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(text)
	be, _ := unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().String(text)
	bare, _ := unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewEncoder().String("name,amount\nserver,1\n")
	for name, body := range map[string]string{"utf-8": text, "gb18030": gb, "utf-16le": le, "utf-16be": be} {
		header, rows, err := rowsOf(body)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(want, rows); diff != "" || header[0] != "名称" {
			t.Errorf("%s: %v %s", name, header, diff)
		}
	}
	if _, rows, err := rowsOf(bare); err != nil || len(rows) != 1 || rows[0] != "2: server|1" {
		t.Errorf("utf-16 without mark: %q %v", rows, err)
	}
}

// Chinese text may come only after the piece that decides the encoding.
func TestLateChinese(t *testing.T) {
	gb, err := simplifiedchinese.GB18030.NewEncoder().String("云服务器")
	if err != nil {
		t.Fatal(err)
	}
	head := "a,b\n" + strings.Repeat("0123456789,1\n", 30<<10)
	_, rows, err := rowsOf(head + gb + ",2\n")
	if err != nil || rows[len(rows)-1] != fmtInt(30<<10+2)+": 云服务器|2" {
		t.Errorf("got %q, %v", rows[len(rows)-1], err)
	}
	_, rows, err = rowsOf(head + "云,2\n" + gb + ",2\n")
	if err != nil || !strings.HasSuffix(rows[len(rows)-1], "! ingest.row_encoding") {
		t.Errorf("a mixture: got %q, %v", rows[len(rows)-1], err)
	}
}

// FuzzCSV: whatever the standard reader accepts, ours splits alike; nothing makes it panic or run on.
func FuzzCSV(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "a,b\n\"1\n2\",3\n", "a\n\"\"\"\"\n", "a,b\r\nx,\"y\"\r\n", "a;b\n1;2", "\xff\xfea\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		header, rows, err := rowsOf(text)
		if err != nil || strings.ContainsAny(text, "\r;\t\x00\ufeff") || strings.Contains(text, "! ") || !utf8.ValidString(text) {
			return
		}
		std, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil || len(std) == 0 || len(std[0]) != len(header) {
			return
		}
		var want []string
		for _, rec := range std[1:] {
			if strings.Join(rec, "") != "" {
				want = append(want, strings.Join(rec, "|"))
			}
		}
		var got []string
		for _, r := range rows {
			_, cells, _ := strings.Cut(r, ": ")
			got = append(got, cells)
		}
		if strings.Join(std[0], "") == "" {
			return // a header of empty cells is passed over
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	})
}
