// Package verify recomputes everything a bill rests on and compares (校验).
//
// It owns the comparison: audit chain, kept files, lines parsed again, sums, mapping and price rules
// against the digests in the chain, adjustment lines from the lines they move, and every issued bill
// from its lines. It changes nothing and repairs nothing.
//
// Invariants: a figure is never compared with a copy of itself, always with one computed from what
// lies below it; the first differences of every table are named with key, column, stored and
// recomputed value.
package verify

import (
	"context"
	"fmt"

	"huoban/internal/adjustment"
	"huoban/internal/attribution"
	"huoban/internal/audit"
	"huoban/internal/bill"
	"huoban/internal/coupon"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/price"
	"huoban/internal/scope"
	"huoban/internal/source"
	"huoban/internal/usage"
)

// Difference is one stored value that is not what it should be.
type Difference struct {
	Table      string `json:"table"`
	Key        string `json:"key"`
	Column     string `json:"column"`
	Stored     string `json:"stored"`
	Recomputed string `json:"recomputed"`
}

// Report is what a verification looked at and what it found.
type Report struct {
	AuditRows   int64        `json:"audit_rows"`
	Files       int64        `json:"files"`
	Lines       int64        `json:"lines"`
	Summaries   int64        `json:"summaries"`
	MapRules    int64        `json:"map_rules"`
	PriceRules  int64        `json:"price_rules"`
	Adjustments int64        `json:"adjustments"`
	Bills       int64        `json:"bills"`
	Items       int64        `json:"items"`
	Differences []Difference `json:"differences"`
	Dropped     int64        `json:"differences_left_out"`
}

// Whole tells whether nothing differs.
func (r *Report) Whole() bool { return len(r.Differences) == 0 }

// Fault is verify.failed with the first difference, or nil.
func (r *Report) Fault() error {
	if r.Whole() {
		return nil
	}
	return fault.Conflict("verify.failed", fault.Args{"Count": int64(len(r.Differences)) + r.Dropped})
}

// perTable bounds how many differences of one table are listed.
const perTable = 20

func (r *Report) add(table, key, column, stored, recomputed string) {
	n := 0
	for _, d := range r.Differences {
		if d.Table == table {
			n++
		}
	}
	if n >= perTable {
		r.Dropped++
		return
	}
	r.Differences = append(r.Differences, Difference{table, key, column, stored, recomputed})
}

// same adds a difference unless both are equal.
func (r *Report) same(table, key, column string, stored, recomputed any) {
	if a, b := fmt.Sprint(stored), fmt.Sprint(recomputed); a != b {
		r.add(table, key, column, a, b)
	}
}

// Vendor is one vendor and the cycles that have bills.
type Vendor struct {
	ID, Code string
	Issued   []cycle.Cycle
}

// Slot is a slot as verification sees it.
type Slot struct {
	ID, LineCount int64
	Cycle         cycle.Cycle
	State         string
	Sealed        bool
}

// File is one delivered file and its kept body.
type File struct {
	No                  int
	Name, SHA, Format   string
	Bytes, LineCount    int64
	KeptBytes, KeptRows int64 // of kept_file
	Kept                bool
}

// Delivery is one delivery with its files and slots.
type Delivery struct {
	ID, SourceID, State string
	Number, LineCount   int64
	Files               []File
	Slots               []Slot
}

// Store reads the tables as they are.
type Store interface {
	Vendors(ctx context.Context) ([]Vendor, error)
	Deliveries(ctx context.Context, sourceID string) ([]Delivery, error)
	// Chunk is one kept piece. Fault: not_found verify.chunk_missing.
	Chunk(ctx context.Context, sha string, no int64) (firstLine int64, body []byte, err error)
	// Amounts are the stored amounts of up to n lines after a place, in key order.
	Amounts(ctx context.Context, slot int64, after *usage.Stored, n int) ([]int64, error)
	Summaries(ctx context.Context, slot int64) ([]usage.Summary, error)
	// Moved are the kept lines an adjustment moves, and how many moves there are.
	Moved(ctx context.Context, adjustmentID string) (lines []usage.Stored, moves int64, err error)
}

// Sources, Rules, Prices and Bills are the stores of their areas.
type (
	Sources interface {
		OfVendor(ctx context.Context, vendorID string) ([]source.Source, error)
	}
	Rules interface {
		AllRules(ctx context.Context, sourceID string) ([]attribution.Rule, error)
	}
	Prices interface {
		Versions(ctx context.Context, vendorID string) ([]price.Rule, error)
	}
	Bills interface {
		WithItems(ctx context.Context, sc scope.Scope, f bill.Filter) ([]bill.Document, error)
	}
)

// Service verifies.
type Service struct {
	Store   Store
	Sources Sources
	Rules   Rules
	Prices  Prices
	Bills   Bills
	Reader  usage.Reader
	Compute *bill.Service
	Adjust  *adjustment.Service
	Chain   audit.Store
	Key     audit.Key
	Heads   []audit.PublishedHead
	// Vouchers gives what bills were paid with; nil: no bill was.
	Vouchers interface {
		Replayed(ctx context.Context, b coupon.Bill) ([]coupon.Coupon, error)
	}
}

// Run verifies everything. It gives an error only if it could not read; what differs is in the
// report.
func (s *Service) Run(ctx context.Context) (*Report, error) {
	r := &Report{Differences: []Difference{}}
	log, err := s.chain(ctx, r)
	if err != nil {
		return r, err
	}
	vendors, err := s.Store.Vendors(ctx)
	if err != nil {
		return r, err
	}
	for _, v := range vendors {
		if err := s.vendor(ctx, r, v, log); err != nil {
			return r, err
		}
	}
	log.gone(r)
	return r, nil
}

func (s *Service) vendor(ctx context.Context, r *Report, v Vendor, log *attested) error {
	sources, err := s.Sources.OfVendor(ctx, v.ID)
	if err != nil {
		return err
	}
	for i := range sources {
		if err := s.source(ctx, r, &sources[i], log); err != nil {
			return err
		}
	}
	if err := s.priceRules(ctx, r, v, log); err != nil {
		return err
	}
	if err := s.adjustments(ctx, r, v, log); err != nil {
		return err
	}
	for _, c := range v.Issued {
		if err := s.bills(ctx, r, v, c, log); err != nil {
			return err
		}
	}
	return nil
}
