package parquetrows

import (
	"encoding/csv"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"huoban/internal/ingest"
	"huoban/internal/money"
)

const sample = "../../../data/samples/focus-1.0/focus_sample.csv"

// TestEveryShapeReadsAsTheCSV: the same rows as CSV and as Parquet in the shapes exports use, written
// by a tool that shares no code with this reader.
func TestEveryShapeReadsAsTheCSV(t *testing.T) {
	f, err := os.Open(sample)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"-cost", "decimal", "-tags", "map", "-codec", "zstd", "-group", "300"},
		{"-cost", "decimal", "-tags", "text", "-codec", "snappy", "-group", "7"},
		{"-cost", "double", "-tags", "map", "-codec", "snappy", "-group", "1000"},
		{"-cost", "double", "-tags", "text", "-codec", "zstd", "-group", "100"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "focus.parquet")
			cmd := exec.Command("go", append([]string{"run", "../../../tools/parquetmake", "-in", sample, "-out", path}, args...)...)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			compare(t, path, want)
		})
	}
}

func compare(t *testing.T, path string, want [][]string) {
	t.Helper()
	d, err := ingest.Open([]string{path})
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Parts) != 1 || d.Parts[0].Format != ingest.FormatParquet {
		t.Fatalf("parts %+v", d.Parts)
	}
	rows, err := d.Parts[0].Rows()
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	at := map[string]int{}
	for i, name := range rows.Header() {
		at[name] = i
	}
	var rec ingest.Record
	for n, w := range want[1:] {
		if err := rows.Next(&rec); err != nil {
			t.Fatalf("row %d: %v", n+1, err)
		}
		if rec.Line != int64(n+1) {
			t.Fatalf("row %d is called %d", n+1, rec.Line)
		}
		for c, name := range want[0] {
			got := rec.Fields[at[name]]
			if w[c] == "NULL" || w[c] == "" {
				if got != nil {
					t.Errorf("row %d %s: %q, want null", n+1, name, got)
				}
				continue
			}
			if !same(name, string(got), w[c]) {
				t.Errorf("row %d %s: %q, want %q", n+1, name, got, w[c])
			}
		}
	}
	if err := rows.Next(&rec); !errors.Is(err, io.EOF) {
		t.Errorf("after the last row: %v", err)
	}
}

func same(name, got, want string) bool {
	switch {
	case strings.HasSuffix(name, "Cost"):
		a, errA := money.ParseExact(got)
		b, errB := money.ParseExact(want)
		return errA == nil && errB == nil && a.Equal(b)
	case strings.HasSuffix(name, "PeriodStart"), strings.HasSuffix(name, "PeriodEnd"):
		return got == strings.Replace(want, " ", "T", 1)+"Z"
	case name == "Tags":
		return len(got) > 0 && got[0] == '{' && strings.Count(got, `":`) == strings.Count(want, `":`)
	}
	return got == want
}

// TestBrokenFileIsRefused: bytes that are no Parquet, and a file cut in the middle.
func TestBrokenFileIsRefused(t *testing.T) {
	good := filepath.Join(t.TempDir(), "good.parquet")
	if out, err := exec.Command("go", "run", "../../../tools/parquetmake", "-in", sample, "-out", good).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	body, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"cut": body[:len(body)/2], "text": []byte("PAR1 no parquet PAR1"), "flipped": flip(body)} {
		path := filepath.Join(t.TempDir(), name+".parquet")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		d, err := ingest.Open([]string{path})
		if err != nil {
			continue
		}
		rows, err := d.Parts[0].Rows()
		if err != nil {
			continue
		}
		var rec ingest.Record
		for err == nil {
			err = rows.Next(&rec)
		}
		if errors.Is(err, io.EOF) {
			t.Errorf("%s was read to its end", name)
		}
		rows.Close()
	}
}

func flip(b []byte) []byte {
	c := append([]byte(nil), b...)
	for i := 4; i < len(c)/2; i += 97 {
		c[i] ^= 0xff
	}
	return c
}
