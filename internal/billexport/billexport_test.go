package billexport

import (
	"context"
	"encoding/json"
	"io"
	"runtime"
	"strconv"
	"testing"

	"huoban/internal/bill"
	"huoban/internal/billdoc"
	"huoban/internal/cycle"
	"huoban/internal/export"
	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/monthclose"
	"huoban/internal/price"
	"huoban/internal/scope"
	"huoban/internal/usage"
)

// many is a bill of n equal lines, each a millionth.
type many struct {
	n, tell int64 // lines there are, lines the bill tells of
}

func (m many) document() bill.Document {
	d := bill.Document{Vendor: bill.Party{ID: "v", Code: "V"}, Partner: bill.Party{ID: "p", Code: "P1", Name: "伙伴"}, Seller: bill.Party{ID: "v", Code: "V"},
		Entity: bill.Party{Code: "main"}, Cycle: cycle.Must("2026-01"), Currency: "USD", LineCount: m.tell,
		Items: []bill.Item{{Customer: bill.Party{ID: "c", Code: "C1", Name: "客户甲"}, Product: "虚拟机", Kind: usage.KindConsumption, LineCount: m.tell, Amount: money.Amount(100 * m.tell)}}}
	d.Consumption = d.Items[0].Amount
	d.Code = d.ComputeCode()
	return d
}

// EachLine gives the lines one at a time.
func (m many) EachLine(_ context.Context, _ scope.Scope, d *bill.Document, _ bill.LineFilter, fn func(*bill.LineRow) error) error {
	for i := range m.n {
		exact := money.MustExact("0.000001")
		r := bill.LineRow{Customer: d.Items[0].Customer, SourceName: "source", File: bill.File{Delivery: 1, Name: "january.csv"}, Chosen: price.Unpriced(), Base: price.BaseBilled,
			BaseAmount: exact, Exact: exact, Amount: 100, Line: usage.Stored{Line: usage.Line{LineNo: i, Kind: usage.KindConsumption, Billed: exact,
				Product: usage.Product{Service: "虚拟机", Description: "hour " + strconv.FormatInt(i, 10)}, Resource: usage.Resource{ID: "resource-" + strconv.FormatInt(i, 10)}}}}
		if err := fn(&r); err != nil {
			return err
		}
	}
	return nil
}

func (m many) deps() Deps {
	return Deps{Lines: m, Words: func(string) func(string) string { return func(key string) string { return key } },
		Known: func(context.Context) ([]monthclose.Known, error) {
			return []monthclose.Known{{VendorID: "v", Vendor: "V", Cycle: "2026-01"}}, nil
		},
		Estimate: func(_ context.Context, sc scope.Scope, vendorID string, _ cycle.Cycle) ([]bill.Document, error) {
			if !sc.SeesBill(vendorID, "v", "p") {
				return nil, nil
			}
			return []bill.Document{m.document()}, nil
		}}
}

func taskOf(t *testing.T, kind, format string) export.Task {
	t.Helper()
	params, err := json.Marshal(Params{Vendor: "V", Partner: "P1", Cycle: "2026-01", Currency: "USD", Entity: "main"})
	if err != nil {
		t.Fatal(err)
	}
	return export.Task{Kind: kind, Format: format, Params: params}
}

var buyer = scope.Partner("p", "lin", "lin", []scope.Item{scope.ItemBillExport}, nil)

// peak counts what is written and notes the most memory in use.
type peak struct {
	bytes int64
	heap  uint64
	next  int64
}

func (p *peak) Write(b []byte) (int, error) {
	p.bytes += int64(len(b))
	if p.bytes >= p.next {
		p.look()
		p.next = p.bytes + 4<<20
	}
	return len(b), nil
}

func (p *peak) look() {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	p.heap = max(p.heap, m.HeapAlloc)
}

// watched looks at the memory while lines are read too: a workbook is written only at its end.
type watched struct {
	many
	p *peak
}

func (w watched) EachLine(ctx context.Context, sc scope.Scope, d *bill.Document, f bill.LineFilter, fn func(*bill.LineRow) error) error {
	n := 0
	return w.many.EachLine(ctx, sc, d, f, func(r *bill.LineRow) error {
		if n++; n%10_000 == 0 {
			w.p.look()
		}
		return fn(r)
	})
}

// TestAPDFIsWholeOrRefused: a PDF never leaves lines out.
func TestAPDFIsWholeOrRefused(t *testing.T) {
	for _, m := range []many{{billdoc.PDFLines + 1, billdoc.PDFLines + 1}, {billdoc.PDFLines + 1, -1}} {
		if _, err := m.deps().produce(t.Context(), buyer, taskOf(t, KindLines, "pdf"), io.Discard); !fault.HasCode(err, "export.pdf_too_long") {
			t.Errorf("%d lines: %v", m.n, err)
		}
	}
	if err := CheckLines(KindLines, "pdf", billdoc.PDFLines+1); !fault.HasCode(err, "export.pdf_too_long") {
		t.Error(err)
	}
	for _, ok := range []error{CheckLines(KindLines, "pdf", billdoc.PDFLines), CheckLines(KindLines, "pdf", -1), CheckLines(KindLines, "xlsx", 1_000_000), CheckLines(KindBill, "pdf", 1_000_000)} {
		if ok != nil {
			t.Error(ok)
		}
	}
}

// TestMemoryIsFlat: five times the lines, a hundred thousand, take no more memory.
func TestMemoryIsFlat(t *testing.T) {
	for _, format := range []string{"csv", "xlsx", "json"} {
		kind := KindLines
		if format == "json" {
			kind = KindBill
		}
		var heaps []uint64
		for _, n := range []int64{20_000, 100_000} {
			p := &peak{}
			d := many{n, n}.deps()
			d.Lines = watched{many{n, n}, p}
			out, err := d.produce(t.Context(), buyer, taskOf(t, kind, format), p)
			if err != nil || out.Rows != n {
				t.Fatal(out, err)
			}
			heaps = append(heaps, p.heap)
			t.Logf("%s: %d lines, %d bytes, %d KiB in use at most", format, n, p.bytes, p.heap>>10)
		}
		if heaps[1] > heaps[0]+8<<20 || heaps[1] > 96<<20 {
			t.Errorf("%s: %d KiB for 20,000 lines, %d KiB for 100,000", format, heaps[0]>>10, heaps[1]>>10)
		}
	}
}

func TestAFileThatDiffersFromItsPageIsNotMade(t *testing.T) {
	for _, m := range []many{{99, 100}, {101, 100}} {
		_, err := m.deps().produce(t.Context(), buyer, taskOf(t, KindLines, "csv"), io.Discard)
		if !fault.HasCode(err, "export.changed_meanwhile") {
			t.Errorf("%+v: %v", m, err)
		}
	}
}

func TestWhoMayNot(t *testing.T) {
	d := many{10, 10}.deps()
	for code, who := range map[string]scope.Scope{"scope.permission_missing": scope.Partner("p", "lin", "lin", nil, nil),
		"bill.unknown": scope.Partner("q", "lin", "lin", []scope.Item{scope.ItemBillExport}, nil)} {
		if _, err := d.produce(t.Context(), who, taskOf(t, KindLines, "csv"), io.Discard); !fault.HasCode(err, code) {
			t.Errorf("%v, want %s", err, code)
		}
	}
	task := taskOf(t, KindLines, "json")
	if _, err := d.produce(t.Context(), buyer, task, io.Discard); !fault.HasCode(err, "export.format_unknown") {
		t.Error(err)
	}
	task.Format, task.Params = "csv", []byte(`{"vendor":"V","partner":"P1","cycle":"2026-01","currency":"USD","entity":"main","customer":"C9"}`)
	if _, err := d.produce(t.Context(), buyer, task, io.Discard); !fault.HasCode(err, "bill.unknown") {
		t.Error(err)
	}
}
