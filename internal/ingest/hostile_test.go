package ingest_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/ingest"
	_ "huoban/internal/ingest/parquetrows"
	"huoban/internal/usage"
)

// hostileCells are what a cell may be turned into.
var hostileCells = []string{"", " ", "NaN", "Inf", "-Infinity", "1e400", "1e999", "1e-999", "-0", "+1", "0x10", "1,234.56", "1.234,56", "９９", "1_000", "∞",
	"99999999999999999999999999999999999999.9", "0." + strings.Repeat("0", 300) + "1", strings.Repeat("9", 4000), "0000-00-00", "2026-02-30", "2026-13-01T00:00:00Z",
	"9999-12-31T23:59:59Z", "-0001-01-01T00:00:00Z", "1970-01-01T00:00:00+99:99", "2024-02-29T24:00:00Z", "2016-12-31T23:59:60Z", "9/31/2025", "45000.5",
	"=1+1", "+cmd|' /C calc'!A0", "@SUM(A1)", "-2+3", "\t=1", "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' OR 1=1 --", "${jndi:ldap://x}", "{{7*7}}", "%s%n%x",
	"\u202e12.5", "1\u200b2", "\ufeff1", "a\x00b", "\xff\xfe", "\xc3\x28", "\xed\xa0\x80", "a\r\nb", "a\"b", "\"", `{"a":`, `{"a":{"b":[1,2,{"c":null}]}}`, `[[[[[[[[[[`, "null", "NULL", "true",
	"USD", "usd", "XXX", "ＵＳＤ", "CNY\u0301", "../../etc/passwd", `..\..\x`, "C:\\x", "/dev/zero", strings.Repeat("长", 3000), strings.Repeat("\"", 99), "~", "''"}

// hostileFile is one input: its name says what the reader takes it for.
type hostileFile struct {
	name string
	body []byte
}

// seeds are the beginnings of the small samples.
func seeds(t testing.TB) []hostileFile {
	t.Helper()
	var out []hostileFile
	err := filepath.WalkDir(samples, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		ext := filepath.Ext(path)
		info, err := e.Info()
		if err != nil || !slices.Contains([]string{".csv", ".xlsx", ".parquet", ".gz", ".zip"}, ext) || ext != ".csv" && info.Size() > 200<<10 {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		limit := int64(1 << 20)
		if ext == ".csv" {
			limit = 12 << 10
		}
		body, err := io.ReadAll(io.LimitReader(f, limit))
		out = append(out, hostileFile{filepath.Base(path), body})
		return err
	})
	if err != nil || len(out) < 20 {
		t.Fatalf("%d samples: %v", len(out), err)
	}
	body, err := os.ReadFile("testdata/focus.parquet") // the head of a sample, by tools/parquetmake
	if err != nil {
		t.Fatal(err)
	}
	for range len(out) / 8 {
		out = append(out, hostileFile{"focus.parquet", body})
	}
	return out
}

// hostile makes the n-th input from the samples; the same n gives the same bytes.
func hostile(all []hostileFile, n uint64) hostileFile {
	r := rand.New(rand.NewPCG(n, 0x68756f62616e))
	in := all[r.IntN(len(all))]
	body := slices.Clone(in.body)
	text := strings.HasSuffix(in.name, ".csv")
	for range 1 + r.IntN(3) {
		if text && r.IntN(4) > 0 {
			body = bendText(r, body)
		} else {
			body = bendBytes(r, body)
		}
	}
	return wrapHostile(r, hostileFile{in.name, body})
}

func bendText(r *rand.Rand, body []byte) []byte {
	lines := strings.Split(string(body), "\n")
	at := r.IntN(len(lines))
	cells := strings.Split(lines[at], ",")
	cell := r.IntN(len(cells))
	bad := hostileCells[r.IntN(len(hostileCells))]
	switch r.IntN(14) {
	case 0, 1, 2, 3:
		cells[cell] = bad
		lines[at] = strings.Join(cells, ",")
	case 4:
		cells[cell] = `"` + strings.ReplaceAll(bad, `"`, `""`) + `"`
		lines[at] = strings.Join(cells, ",")
	case 5: // a broken quote
		lines[at] = lines[at][:r.IntN(len(lines[at])+1)] + `"` + lines[at][r.IntN(len(lines[at])+1):]
	case 6: // duplicate column
		for i, l := range lines {
			lines[i] = l + "," + strings.SplitN(l, ",", 2)[0]
		}
	case 7: // a row of many columns
		lines[at] += strings.Repeat(",", 1+r.IntN(20000))
	case 8:
		lines[0] = bad + "," + lines[0]
	case 9:
		lines = append(lines, lines[at], lines[at])
	case 10: // two currencies, two periods
		lines[at] = strings.NewReplacer("USD", "CNY", "2024-", "2025-", "2023-", "2031-", "202410", "203101").Replace(lines[at])
	case 11:
		return []byte(strings.Join(lines, "\r"))
	case 12:
		return []byte("\ufeff" + strings.Join(lines, "\r\n"))
	default:
		return utf16of(strings.Join(lines, "\n"), r.IntN(2) == 0)
	}
	return []byte(strings.Join(lines, "\n"))
}

func utf16of(s string, big bool) []byte {
	out := []byte{0xff, 0xfe}
	if big {
		out = []byte{0xfe, 0xff}
	}
	for _, c := range s {
		if c > 0xffff {
			c = 0xd800 // half a pair
		}
		if big {
			out = append(out, byte(c>>8), byte(c))
		} else {
			out = append(out, byte(c), byte(c>>8))
		}
	}
	return out
}

func bendBytes(r *rand.Rand, body []byte) []byte {
	if len(body) == 0 {
		return []byte{0}
	}
	at := r.IntN(len(body))
	switch r.IntN(8) {
	case 0:
		return body[:at] // cut short
	case 1:
		for range 1 + r.IntN(16) {
			body[r.IntN(len(body))] ^= byte(1 << r.IntN(8))
		}
	case 2: // the end, where Parquet and zip keep their directories
		for i := max(0, len(body)-1-r.IntN(64)); i < len(body); i++ {
			body[i] = byte(r.IntN(256))
		}
	case 3: // a length that lies
		for i := at; i < min(len(body), at+4); i++ {
			body[i] = 0xff
		}
	case 4:
		return append(body[:at:at], body[r.IntN(len(body)):]...)
	case 5:
		return append(body, body[:at]...)
	case 6:
		return slices.Insert(body, at, 0, 0, 0)
	default:
		return slices.Insert(body, at, bytes.Repeat([]byte{body[at]}, 1+r.IntN(5000))...)
	}
	return body
}

// wrapHostile packs some inputs, well and badly.
func wrapHostile(r *rand.Rand, in hostileFile) hostileFile {
	var b bytes.Buffer
	names := []string{in.name, "../" + in.name, "/etc/" + in.name, `..\` + in.name, "a/../../" + in.name, "C:/" + in.name, "x\x00.csv", strings.Repeat("d/", 200) + in.name, ".csv", "", "con.csv", "\u202evsc.exe.csv"}
	name := names[r.IntN(len(names))]
	switch r.IntN(12) {
	case 0:
		w := gzip.NewWriter(&b)
		_, _ = w.Write(in.body)
		_ = w.Close()
		in = hostileFile{in.name + ".gz", b.Bytes()}
	case 1: // a bomb: kilobytes that become many megabytes
		w := gzip.NewWriter(&b)
		_, _ = w.Write(in.body)
		zeros := make([]byte, 1<<20)
		much := 1 + r.IntN(4)
		if r.IntN(20) == 0 {
			much = 66 // more than the limit
		}
		for range much {
			_, _ = w.Write(zeros)
		}
		_ = w.Close()
		in = hostileFile{in.name + ".gz", b.Bytes()}
	case 2, 3:
		w := zip.NewWriter(&b)
		for range 1 + r.IntN(3) {
			if f, err := w.Create(name); err == nil {
				_, _ = f.Write(in.body)
			}
		}
		_ = w.Close()
		in = hostileFile{"x.zip", b.Bytes()}
	case 4:
		z := gzip.NewWriter(&b)
		w := tar.NewWriter(z)
		h := &tar.Header{Name: name, Size: int64(len(in.body)), Mode: 0o600, Typeflag: []byte{tar.TypeReg, tar.TypeSymlink, tar.TypeLink, tar.TypeFifo}[r.IntN(4)], Linkname: "/etc/passwd"}
		if h.Typeflag != tar.TypeReg {
			h.Size = 0
		}
		if w.WriteHeader(h) == nil && h.Size > 0 {
			_, _ = w.Write(in.body)
		}
		_ = w.Close()
		_ = z.Close()
		in = hostileFile{"x.tar.gz", b.Bytes()}
	default:
		return in
	}
	if r.IntN(3) == 0 {
		in.body = bendBytes(r, in.body)
	}
	return in
}

// outcome is what became of one input.
type outcome struct {
	lines, bad int
	code       string // of the refusal
	broken     string // what must not be
}

func swallow(in hostileFile, dir, dialect string) (o outcome) {
	defer func() {
		if p := recover(); p != nil {
			o.broken = fmt.Sprintf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	path := filepath.Join(dir, strings.Map(func(c rune) rune {
		if c == '/' || c == 0 || c == '\\' {
			return '_'
		}
		return c
	}, in.name))
	if err := os.WriteFile(path, in.body, 0o600); err != nil {
		return outcome{broken: err.Error()}
	}
	defer os.Remove(path)
	refuse := func(err error) outcome {
		var f *fault.Error
		if !errors.As(err, &f) || f.Code == "" || f.Kind == fault.KindInternal {
			o.broken = fmt.Sprintf("an error that is no refusal: %v", err)
			return o
		}
		o.code = f.Code
		return o
	}
	d, err := ingest.OpenWithin([]string{path}, ingest.Limits{Bytes: 64 << 20, Parts: 50, Ratio: 1000, Spool: dir})
	if err != nil {
		return refuse(err)
	}
	defer func() { _ = d.Close() }()
	for _, p := range d.Parts {
		if err := o.part(p, dialect); err != nil {
			return refuse(err)
		}
	}
	return o
}

func (o *outcome) part(p ingest.Part, dialect string) error {
	rows, err := p.Rows()
	if err != nil {
		return err
	}
	if found, _, ok := ingest.Detect(rows.Header()); ok {
		dialect = found
	}
	r, err := ingest.NewRowReader(rows, ingest.Source{Dialect: dialect})
	if err != nil {
		_ = rows.Close()
		return err
	}
	defer func() { _ = r.Close() }()
	for o.lines+o.bad < 200_000 {
		l, bad, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case bad != nil:
			o.bad++
			if bad.Code == "" || !utf8.ValidString(bad.Value) {
				o.broken = fmt.Sprintf("a quarantined row without code or with broken text: %+v", bad)
			}
		default:
			o.lines++
			if why := unsound(l); why != "" {
				o.broken = why
			}
		}
	}
	return nil
}

// unsound says what no accepted line may be.
func unsound(l *usage.Line) string {
	if _, err := cycle.Parse(string(l.Cycle)); err != nil || l.Currency == "" || l.Kind == "" || l.ChargeEnd.Before(l.ChargeStart) {
		return fmt.Sprintf("accepted: cycle %q, currency %q, kind %q, %s to %s", l.Cycle, l.Currency, l.Kind, l.ChargeStart, l.ChargeEnd)
	}
	for _, s := range []string{l.Currency, l.Account.SubAccount, l.Account.SourceKey, l.Product.Service, l.Product.Region, l.Product.SKU, l.Resource.ID, l.Resource.Name, l.Resource.Tags} {
		if !utf8.ValidString(s) || strings.Contains(s, "\x00") {
			return fmt.Sprintf("accepted: %q cannot be stored", s)
		}
	}
	return ""
}

// TestHostile hands generated inputs to every reader: each ends as lines, as rows for the quarantine or
// as a refusal with a code, without panic and within bounds. PORTAL_HOSTILE says how many (scripts/fuzz.sh
// runs 100,000) and PORTAL_HOSTILE_FROM from which on; 1 from a number repeats one.
func TestHostile(t *testing.T) {
	count, first := uint64(400), uint64(0)
	if v, err := strconv.ParseUint(os.Getenv("PORTAL_HOSTILE"), 10, 64); err == nil {
		count = v
	}
	if v, err := strconv.ParseUint(os.Getenv("PORTAL_HOSTILE_FROM"), 10, 64); err == nil {
		first = v
	}
	all, dir := seeds(t), t.TempDir()
	var dialects []string
	for _, d := range ingest.Dialects() {
		dialects = append(dialects, d.Name)
	}
	codes, accepted, rows, aside := map[string]int{}, 0, 0, 0
	var peak uint64
	for n := first; n < first+count; n++ {
		in := hostile(all, n)
		hang := time.AfterFunc(2*time.Minute, func() { panic(fmt.Sprintf("input %d (%s, %d bytes) does not end", n, in.name, len(in.body))) })
		o := swallow(in, dir, dialects[n%uint64(len(dialects))])
		hang.Stop()
		if o.broken != "" {
			t.Errorf("input %d (%s): %s\nrepeat with PORTAL_HOSTILE=1 PORTAL_HOSTILE_FROM=%d", n, in.name, o.broken, n)
		}
		rows, aside = rows+o.lines, aside+o.bad
		if o.code == "" {
			accepted++
		} else {
			codes[o.code]++
		}
		if n%64 == 0 || count == 1 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapInuse)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%d files are left behind: %v", len(left), err)
	}
	if peak > 768<<20 {
		t.Errorf("%d MiB of heap", peak>>20)
	}
	refused := 0
	for _, c := range codes {
		refused += c
	}
	t.Logf("%d hostile inputs: %d read to the end, %d refused with %d codes; %d lines, %d rows for the quarantine; heap at most %d MiB", count, accepted, refused, len(codes), rows, aside, peak>>20)
	if count >= 400 && (accepted == 0 || aside == 0 || len(codes) < 10) {
		t.Errorf("the inputs are too tame: %v", codes)
	}
}
