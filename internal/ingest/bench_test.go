package ingest_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"huoban/internal/ingest"
)

// grown repeats the FOCUS sample with customers and months changed, so that rows differ.
func grown(b *testing.B, times int) []byte {
	b.Helper()
	text, err := os.ReadFile(filepath.Join(samples, "focus-1.0", "focus_sample.csv"))
	if err != nil {
		b.Fatal(err)
	}
	header, body, _ := bytes.Cut(text, []byte{'\n'})
	out := append(append([]byte{}, header...), '\n')
	for i := range times {
		day := []byte("2024-09-" + strconv.Itoa(10+i%20))
		out = append(out, bytes.ReplaceAll(body, []byte("2024-09-05"), day)...)
	}
	return out
}

func BenchmarkFocus(b *testing.B) {
	text := grown(b, 50)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	lines := 0
	for b.Loop() {
		rows, err := ingest.NewCSV(io.NopCloser(bytes.NewReader(text)))
		if err != nil {
			b.Fatal(err)
		}
		r, err := ingest.NewRowReader(rows, ingest.Source{Dialect: "focus"})
		if err != nil {
			b.Fatal(err)
		}
		for {
			l, _, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
			if l != nil {
				lines++
			}
		}
	}
	b.ReportMetric(float64(lines)/b.Elapsed().Seconds(), "lines/s")
}

// BenchmarkSplit is the CSV splitter alone.
func BenchmarkSplit(b *testing.B) {
	text := grown(b, 50)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		rows, err := ingest.NewCSV(io.NopCloser(bytes.NewReader(text)))
		if err != nil {
			b.Fatal(err)
		}
		var rec ingest.Record
		for rows.Next(&rec) == nil {
		}
	}
}
