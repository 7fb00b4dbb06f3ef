package ingest_test

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"testing"

	"huoban/internal/ingest"
)

// endless writes rows that differ in everything a cache could keep.
type endless struct {
	rows, at int
	buf      bytes.Buffer
}

func (e *endless) Read(p []byte) (int, error) {
	for e.buf.Len() < len(p) && e.at < e.rows {
		if e.at == 0 {
			e.buf.WriteString("BilledCost,BillingCurrency,BillingPeriodStart,ChargePeriodStart,ChargeCategory,ResourceId,Tags\n")
		}
		e.at++
		fmt.Fprintf(&e.buf, "0.%d,USD,2025-01-01T00:00:00Z,2025-01-%02dT00:00:00Z,Usage,resource-%d,\"{\"\"job\"\":\"\"%d\"\"}\"\n",
			e.at, 1+e.at%28, e.at, e.at)
	}
	if e.buf.Len() == 0 {
		return 0, io.EOF
	}
	return e.buf.Read(p)
}

// Memory does not grow with the file.
func TestFlatMemory(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	rows, err := ingest.NewCSV(io.NopCloser(&endless{rows: 300_000}))
	if err != nil {
		t.Fatal(err)
	}
	r, err := ingest.NewRowReader(rows, ingest.Source{Dialect: "focus"})
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; ; n++ {
		_, bad, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil || bad != nil {
			t.Fatal(err, bad)
		}
		if n%50_000 == 0 {
			if now := heap(); now > before+48<<20 {
				t.Fatalf("%d MiB in use after %d rows", (now-before)>>20, n)
			}
		}
	}
	if s := r.Stats(); s.Lines != 300_000 {
		t.Errorf("%+v", s)
	}
}
