package ingest_test

import (
	"encoding/csv"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"huoban/internal/fault"
	"huoban/internal/ingest"
	"huoban/internal/money"
	"huoban/internal/usage"
)

const samples = "../../data/samples"

type total struct {
	lines       int
	billed, tax money.Exact
}

// readAll reads one sample as a delivery of its own: totals per "cycle currency", or the refusal.
func readAll(path, dialect string) (map[string]*total, ingest.Stats, error) {
	d, err := ingest.Open([]string{path})
	if err != nil {
		return nil, ingest.Stats{}, err
	}
	defer func() { _ = d.Close() }()
	totals, sum := map[string]*total{}, ingest.Stats{}
	for _, p := range d.Parts {
		r, err := ingest.NewReader(p, ingest.Source{Dialect: dialect})
		if err != nil {
			return nil, sum, err
		}
		err = eachLine(r, func(l *usage.Line) {
			key := string(l.Cycle) + " " + l.Currency
			t := totals[key]
			if t == nil {
				t = &total{}
				totals[key] = t
			}
			t.lines++
			if l.Kind == usage.KindTax {
				t.tax = t.tax.Add(l.Billed)
			} else {
				t.billed = t.billed.Add(l.Billed)
			}
		})
		_ = r.Close()
		if err == nil && r.Stats().Amortised != nil {
			err = fault.Conflict("delivery.amortised", nil)
		}
		if err != nil {
			return nil, sum, err
		}
		s := r.Stats()
		sum.Rows, sum.Lines, sum.Bad = sum.Rows+s.Rows, sum.Lines+s.Lines, sum.Bad+s.Bad
	}
	return totals, sum, nil
}

func eachLine(r *ingest.Reader, fn func(*usage.Line)) error {
	for {
		l, _, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if l != nil {
			fn(l)
		}
	}
}

// verdict gives the rows a sample has in verdicts.csv.
func verdict(path, dialect string, refusedRows string) [][]string {
	name, _ := filepath.Rel(samples, path)
	name = filepath.ToSlash(name)
	totals, s, err := readAll(path, dialect)
	if err != nil {
		return [][]string{{name, dialect, "refused:" + fault.From(err).Code, refusedRows, "", "", "", "", "", ""}}
	}
	rows, bad := strconv.FormatInt(s.Rows, 10), strconv.FormatInt(s.Bad, 10)
	if len(totals) == 0 {
		return [][]string{{name, dialect, "quarantined", rows, bad, "", "", "", "", ""}}
	}
	var out [][]string
	for _, key := range sorted(totals) {
		t := totals[key]
		month, code, _ := strings.Cut(key, " ")
		out = append(out, []string{name, dialect, "imported", rows, bad, month, code,
			strconv.Itoa(t.lines), t.billed.String(), t.tax.String()})
	}
	return out
}

func sorted(m map[string]*total) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	for i := range keys {
		for j := i + 1; j < len(keys); j++ {
			if keys[j] < keys[i] {
				keys[i], keys[j] = keys[j], keys[i]
			}
		}
	}
	return keys
}

// TestVerdicts compares what the readers make of every sample with data/samples/verdicts.csv, whose
// figures were computed apart from this package.
func TestVerdicts(t *testing.T) {
	f, err := os.Open(filepath.Join(samples, "verdicts.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	table, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][][]string{}
	for _, row := range table[1:] {
		want[row[0]] = append(want[row[0]], row)
	}
	seen := 0
	err = filepath.WalkDir(samples, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Ext(path) != ".csv" || e.Name() == "verdicts.csv" {
			return err
		}
		name, _ := filepath.Rel(samples, path)
		rows := want[filepath.ToSlash(name)]
		if rows == nil {
			t.Errorf("%s has no verdict", name)
			return nil
		}
		seen++
		if diff := cmp.Diff(rows, verdict(path, rows[0][1], rows[0][3])); diff != "" {
			t.Errorf("%s (-table +reader):\n%s", name, diff)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen != len(want) {
		t.Errorf("%d samples, but %d in the table", seen, len(want))
	}
}
