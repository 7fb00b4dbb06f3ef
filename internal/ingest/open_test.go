package ingest_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"huoban/internal/fault"
	"huoban/internal/ingest"
)

type file struct{ name, body string }

func gz(t *testing.T, body string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := io.WriteString(w, body)
	if err = firstOf(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func zipped(t *testing.T, files ...file) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		w, err := z.Create(f.name)
		if err == nil {
			_, err = io.WriteString(w, f.body)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func tarred(t *testing.T, files ...file) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		h := &tar.Header{Name: f.name, Mode: 0o600, Size: int64(len(f.body)), Typeflag: tar.TypeReg}
		if target, ok := strings.CutPrefix(f.body, "-> "); ok {
			h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, target, 0
		}
		err := w.WriteHeader(h)
		if err == nil && h.Size > 0 {
			_, err = io.WriteString(w, f.body)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func put(t *testing.T, dir string, files ...file) {
	t.Helper()
	for _, f := range files {
		path := filepath.Join(dir, f.name)
		if err := firstOf(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(f.body), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
}

// contents opens everything twice, as a resumed import does, and gives "name: body".
func contents(d *ingest.Delivery) ([]string, error) {
	var out []string
	for _, p := range d.Parts {
		var body []byte
		for range 2 {
			r, err := p.Open()
			if err != nil {
				return nil, err
			}
			body, err = io.ReadAll(r)
			if err = firstOf(err, r.Close()); err != nil {
				return nil, err
			}
		}
		out = append(out, p.Name+": "+strings.TrimSpace(string(body)))
	}
	return out, nil
}

func TestOpen(t *testing.T) {
	const a, b = "h\n1\n", "h\n2\n"
	for name, c := range map[string]struct {
		files []file
		open  string
		want  []string
	}{
		"file":          {[]file{{"x.csv", a}}, "x.csv", []string{"x.csv: h\n1"}},
		"gz":            {[]file{{"x.csv.gz", gz(t, a)}}, "x.csv.gz", []string{"x.csv: h\n1"}},
		"gz by content": {[]file{{"export", gz(t, a)}}, "export", []string{"export: h\n1"}},
		"folder": {[]file{{"f/b.csv", b}, {"f/a/x.csv", a}, {"f/.hidden.csv", a}, {"f/readme.md", "no"}}, "f",
			[]string{"a/x.csv: h\n1", "b.csv: h\n2"}},
		"zip": {[]file{{"x.zip", zipped(t, file{"b.csv", b}, file{"dir/a.csv", a}, file{"__MACOSX/b.csv", "?"})}}, "x.zip",
			[]string{"x.zip!/b.csv: h\n2", "x.zip!/dir/a.csv: h\n1"}},
		"zip of gz": {[]file{{"x.zip", zipped(t, file{"b.csv.gz", gz(t, b)})}}, "x.zip", []string{"x.zip!/b.csv: h\n2"}},
		"zip of zip": {[]file{{"x.zip", zipped(t, file{"y.zip", zipped(t, file{"b.csv", b})})}}, "x.zip",
			[]string{"x.zip!/y.zip!/b.csv: h\n2"}},
		"tar.gz": {[]file{{"customerBill_202501.tar.gz", gz(t, tarred(t, file{"b_2.csv", b}, file{"b_1.csv", a}))}},
			"customerBill_202501.tar.gz",
			[]string{"customerBill_202501.tar.gz!/b_1.csv: h\n1", "customerBill_202501.tar.gz!/b_2.csv: h\n2"}},
		"tar": {[]file{{"x.tar", tarred(t, file{"a.csv", a})}}, "x.tar", []string{"x.tar!/a.csv: h\n1"}},
		"manifest": {[]file{
			{"f/20230601/r-Manifest.json", `{"reportKeys":["bucket/r/20230601/one/r-1.csv.gz","bucket/r/20230601/one/r-2.csv.gz"]}`},
			{"f/20230601/one/r-2.csv.gz", gz(t, b)}, {"f/20230601/one/r-1.csv.gz", gz(t, a)}, {"f/20230601/one/r-Manifest.json", `{"reportKeys":["r-1.csv.gz"]}`},
			{"f/20230601/zero/r-1.csv.gz", gz(t, "stale")},
			{"f/20230701/r-Manifest.json", `{"dataFiles":["s3://bucket/r/20230701/r.csv"]}`}, {"f/20230701/r.csv", a},
			{"f/other.csv", b},
		}, "f", []string{"one/r-1.csv: h\n1", "one/r-2.csv: h\n2", "r.csv: h\n1", "other.csv: h\n2"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			put(t, dir, c.files...)
			d, err := ingest.Open([]string{filepath.Join(dir, c.open)})
			if err != nil {
				t.Fatal(err)
			}
			got, err := contents(d)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			for i, p := range d.Parts {
				if p.No != i+1 || p.Format != ingest.FormatCSV {
					t.Errorf("part %+v", p)
				}
			}
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	whole := gz(t, strings.Repeat("h,h2\n1,2\n", 5000))
	deep := zipped(t, file{"y.zip", zipped(t, file{"z.zip", zipped(t, file{"b.csv", "h\n"})})})
	for name, c := range map[string]struct{ file, body, code string }{
		"traversal in zip":  {"x.zip", zipped(t, file{"../../etc/b.csv", "h\n"}), "ingest.archive_path"},
		"backslashes":       {"x.zip", zipped(t, file{`..\b.csv`, "h\n"}), "ingest.archive_path"},
		"absolute in tar":   {"x.tar", tarred(t, file{"/b.csv", "h\n"}), "ingest.archive_path"},
		"symlink in tar":    {"x.tar", tarred(t, file{"b.csv", "-> /etc/passwd"}), "ingest.archive_link"},
		"too deep":          {"x.zip", deep, "ingest.archive_nested"},
		"gz of gz":          {"x.csv.gz", gz(t, gz(t, "h\n1\n")), "ingest.archive_nested"},
		"cut gz":            {"x.csv.gz", whole[:len(whole)-9], "ingest.file_broken"},
		"cut zip":           {"x.zip", zipped(t, file{"b.csv", "h\n"})[:40], "ingest.archive_broken"},
		"cut tar.gz":        {"x.tar.gz", gz(t, tarred(t, file{"b.csv", "h\n"}))[:60], "ingest.file_broken"},
		"nothing in it":     {"x.zip", zipped(t, file{"readme.md", "h\n"}), "ingest.no_parts"},
		"manifest is text":  {"manifest.json", "no", "ingest.manifest_malformed"},
		"manifest is empty": {"manifest.json", "{}", "ingest.manifest_malformed"},
		"part is missing":   {"manifest.json", `{"reportKeys":["a/b.csv"]}`, "ingest.manifest_part"},
		"part lies outside": {"manifest.json", `{"reportKeys":["../b.csv"]}`, "ingest.archive_path"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			put(t, dir, file{c.file, c.body})
			d, err := ingest.Open([]string{filepath.Join(dir, c.file)})
			if err == nil {
				_, err = contents(d)
				_ = d.Close()
			}
			if !fault.HasCode(err, c.code) {
				t.Errorf("got %v, want %s", err, c.code)
			}
		})
	}
	if _, err := ingest.Open([]string{filepath.Join(t.TempDir(), "none.csv")}); !fault.HasCode(err, "ingest.path_unreadable") {
		t.Errorf("got %v", err)
	}
}

func TestSameFileTwice(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, file{"f/a.csv", "h\n"})
	if _, err := ingest.Open([]string{filepath.Join(dir, "f", "a.csv"), filepath.Join(dir, "f")}); !fault.HasCode(err, "ingest.path_twice") {
		t.Errorf("got %v", err)
	}
}

func TestLinkInFolder(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, file{"f/a.csv", "h\n"}, file{"secret.csv", "h\n"})
	if err := os.Symlink(filepath.Join(dir, "secret.csv"), filepath.Join(dir, "f", "b.csv")); err != nil {
		t.Fatal(err)
	}
	if _, err := ingest.Open([]string{filepath.Join(dir, "f")}); !fault.HasCode(err, "ingest.archive_link") {
		t.Errorf("got %v", err)
	}
}

func TestLimits(t *testing.T) {
	dir := t.TempDir()
	zeros := strings.Repeat("0", 80<<20)
	put(t, dir, file{"bomb.csv.gz", gz(t, zeros)}, file{"bomb.zip", zipped(t, file{"b.csv", zeros})},
		file{"many/1.csv", "h\n"}, file{"many/2.csv", "h\n"}, file{"big.tar", tarred(t, file{"1.csv", strings.Repeat("1", 5000)})})
	for _, c := range []struct {
		path   string
		limits ingest.Limits
		code   string
	}{
		{"bomb.csv.gz", ingest.Limits{Bytes: 1 << 40, Parts: 9, Ratio: 100}, "ingest.limit_ratio"},
		{"bomb.zip", ingest.Limits{Bytes: 1 << 40, Parts: 9, Ratio: 100}, "ingest.limit_ratio"},
		{"bomb.csv.gz", ingest.Limits{Bytes: 1 << 20, Parts: 9, Ratio: 1 << 20}, "ingest.limit_bytes"},
		{"bomb.zip", ingest.Limits{Bytes: 1 << 20, Parts: 9, Ratio: 1 << 20}, "ingest.limit_bytes"},
		{"big.tar", ingest.Limits{Bytes: 4000, Parts: 9, Ratio: 1000}, "ingest.limit_bytes"},
		{"many", ingest.Limits{Bytes: 1 << 20, Parts: 1, Ratio: 1000}, "ingest.limit_parts"},
	} {
		c.limits.Spool = t.TempDir()
		d, err := ingest.OpenWithin([]string{filepath.Join(dir, c.path)}, c.limits)
		if err == nil {
			_, err = contents(d)
			_ = d.Close()
		}
		if !fault.HasCode(err, c.code) {
			t.Errorf("%s: got %v, want %s", c.path, err, c.code)
		}
		if left, _ := os.ReadDir(c.limits.Spool); len(left) > 0 {
			t.Errorf("%s left %v behind", c.path, left)
		}
	}
}

// TestReadmesArePassedOver: notes that lie beside the exports of a folder are no exports.
func TestReadmesArePassedOver(t *testing.T) {
	dir := t.TempDir()
	for name, body := range map[string]string{"README.txt": "how to read this", "license.txt": "free", "a.csv": "x,y\n1,2\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d, err := ingest.Open([]string{dir})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if len(d.Parts) != 1 || len(d.Ignored) != 2 {
		t.Fatalf("parts %v, ignored %v", d.Parts, d.Ignored)
	}
}
