package delivery

import (
	"context"
	"errors"
	"io"
	"strings"

	"huoban/internal/attribution"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/id"
	"huoban/internal/ingest"
	"huoban/internal/source"
	"huoban/internal/usage"
)

// writer turns the rows of an import into batches. A batch is one transaction that also moves the
// delivery's progress on; records up to the progress of an interrupted run are counted, not written.
type writer struct {
	im       *importing
	resolver *attribution.Resolver
	state    string // of the rules the resolver stands for
	resumed  int64
	own      bool // ownKeys

	count   *counter
	slots   map[cycle.Cycle]int64
	sums    *tally
	dims    *dimensions
	report  *report
	records int64
	written int64
	lines   int64
	bad     int64
	skipped int64

	batch   *batch
	writing *batch     // handed over last; free for use again when its outcome is known
	under   chan error // result of the batch being written; nil if there is none
}

// batch is what one transaction writes. Its memory is used again.
type batch struct {
	lines []usage.Stored
	order []*usage.Stored
	rows  []Quarantined
	fresh usage.Dims
}

func (b *batch) size() int { return len(b.lines) + len(b.rows) }

func newBatch() *batch { return &batch{fresh: usage.NewDims()} }

// empty makes a batch ready for other rows.
func (b *batch) empty() *batch {
	if b == nil {
		return newBatch()
	}
	b.lines, b.rows, b.fresh = b.lines[:0], nil, usage.NewDims()
	return b
}

// ownKeys tells whether the source appends lines that carry a key of their own. The same key twice is a
// repeat then, also in one file; without such keys equal rows are several charges.
func ownKeys(src *source.Source) bool {
	d, _ := ingest.Lookup(src.Dialect)
	return src.Mode == source.ModeAppend && d.NativeKey
}

func newWriter(ctx context.Context, im *importing) (*writer, error) {
	resolver, state, err := im.s.Rules.Resolver(ctx, im.src.ID)
	if err != nil {
		return nil, err
	}
	w := &writer{im: im, resolver: resolver, state: state, resumed: im.d.Progress, written: im.d.Progress, count: newCounter(),
		slots: map[cycle.Cycle]int64{}, sums: newTally(), dims: newDimensions(),
		batch: newBatch()}
	w.own = ownKeys(im.src)
	slots, err := im.s.Store.SlotsOfDelivery(ctx, im.d.ID)
	for _, slot := range slots {
		w.slots[slot.Cycle] = slot.ID
	}
	return w, err
}

// part reads one file. Faults: those of ingest, delivery.amortised.
func (w *writer) part(ctx context.Context, p ingest.Part, f *File) error {
	r, err := ingest.NewReader(p, w.im.src.Reading())
	if err != nil {
		return err
	}
	defer r.Close()
	f.Header = r.Header()
	if w.im.d.Dialect == "" {
		w.im.d.Dialect, w.im.d.Format = r.Dialect(), r.Version()
	}
	if w.report == nil && strings.HasPrefix(r.Dialect(), "focus") {
		w.report = newReport()
	}
	if w.report != nil {
		w.report.file(r.Version(), f.Header)
	}
	var raw []byte
	r.SetTap(func(rec *ingest.Record) {
		raw = rec.Raw
		if w.report != nil {
			w.report.row(p.No, rec)
		}
	})
	for {
		l, bad, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return ingest.InFile(p.Name, err)
		}
		if bad == nil {
			if bad, err = w.line(ctx, p, l, raw); err != nil {
				return err
			}
		}
		if bad != nil {
			w.quarantine(p, bad)
		} else {
			f.LineCount++
		}
		if err := w.step(ctx, p); err != nil {
			return err
		}
	}
	w.tell(p)
	stats := r.Stats()
	w.skipped += stats.Skipped
	if e := stats.Amortised; e != nil {
		return fault.Conflict("delivery.amortised", fault.Args{"file": p.Name, "line": e.LineNo, "column": e.Column, "value": e.Value})
	}
	return nil
}

// line attributes, numbers and sums a line and puts it into the batch.
func (w *writer) line(ctx context.Context, p ingest.Part, l *usage.Line, raw []byte) (*ingest.Bad, error) {
	sum, err := l.Sum(w.im.src.Base)
	if err != nil {
		f := fault.From(err)
		return &ingest.Bad{LineNo: l.LineNo, Value: l.Billed.String(), Code: f.Code, Args: f.Args, Raw: strings.TrimRight(string(raw), "\r\n"),
			Cycle: l.Cycle}, nil
	}
	w.batch.lines = append(w.batch.lines, usage.Stored{Line: *l})
	st := &w.batch.lines[len(w.batch.lines)-1]
	st.FileNo, st.Amount = p.No, sum.Amount
	if st.Occurrence, err = w.count.next(l.Cycle, l.Key); err != nil {
		return nil, err
	}
	if st.Occurrence > 0 && w.own {
		return nil, fault.Conflict("delivery.repeated_line", fault.Args{"file": p.Name, "line": l.LineNo, "cycle": string(l.Cycle),
			"source": w.im.src.Name})
	}
	st.CustomerID, st.RuleID = w.resolver.Resolve(&st.Line)
	slot, ok := w.slots[l.Cycle]
	if !ok {
		if slot, err = w.im.s.addSlot(ctx, &w.im.d, l.Cycle); err != nil {
			return nil, err
		}
		w.slots[l.Cycle] = slot
	}
	st.SlotID = slot
	fresh := &w.batch.fresh
	if w.records < w.resumed {
		written := usage.NewDims()
		fresh = &written
	}
	w.dims.name(st, fresh)
	if err := w.sums.add(st.SummaryKey(), sum); err != nil {
		return nil, err
	}
	w.lines++
	if w.records < w.resumed {
		w.batch.lines = w.batch.lines[:len(w.batch.lines)-1]
	}
	return nil, nil
}

func (s *Service) addSlot(ctx context.Context, d *Delivery, c cycle.Cycle) (slot int64, err error) {
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		slot, err = s.Store.AddSlot(ctx, usage.Slot{DeliveryID: d.ID, SourceID: d.SourceID, VendorID: d.VendorID, Cycle: c})
		return err
	})
	return slot, err
}

func (w *writer) quarantine(p ingest.Part, b *ingest.Bad) {
	w.bad++
	if w.records < w.resumed {
		return
	}
	w.batch.rows = append(w.batch.rows, Quarantined{ID: id.New(), DeliveryID: w.im.d.ID, FileNo: p.No, LineNo: b.LineNo, Cycle: b.Cycle,
		Column: b.Column, Value: b.Value, Code: b.Code, Args: b.Args, Raw: b.Raw})
}

// step counts a record and writes the batch when it is full.
func (w *writer) step(ctx context.Context, p ingest.Part) error {
	w.records++
	if w.records%4096 == 0 {
		w.tell(p)
	}
	if w.batch.size() < w.im.s.BatchRows {
		return nil
	}
	w.tell(p)
	return w.flush(ctx)
}

func (w *writer) tell(p ingest.Part) {
	if w.im.in.Progress != nil {
		w.im.in.Progress(Progress{File: p.Name, FileNo: p.No, Files: len(w.im.parts), Rows: w.records, Quarantined: w.bad,
			Resumed: min(w.resumed, w.records)})
	}
}

// flush hands the batch over to be written while reading goes on; one batch is under way at a time. In
// a dry run everything shares one transaction, so that the writing is waited for.
func (w *writer) flush(ctx context.Context) error {
	if err := w.wait(); err != nil || w.records <= w.written {
		return err
	}
	full, from, to := w.batch, w.written, w.records
	w.batch, w.writing, w.written = w.writing.empty(), full, w.records
	if w.im.in.DryRun {
		return w.write(ctx, full, from, to)
	}
	done := make(chan error, 1)
	w.under = done
	go func() { done <- w.write(ctx, full, from, to) }()
	return nil
}

// release gives back what only the reading needs, before the sums are sorted and written.
func (w *writer) release() {
	w.count.close()
	w.count, w.dims, w.batch, w.writing = nil, nil, nil, nil
}

// wait gives the outcome of the batch under way.
func (w *writer) wait() error {
	if w.under == nil {
		return nil
	}
	err := <-w.under
	w.under = nil
	return err
}

func (w *writer) write(ctx context.Context, b *batch, from, to int64) error {
	store := w.im.s.Store
	b.order = b.order[:0]
	for i := range b.lines {
		b.order = append(b.order, &b.lines[i])
	}
	return w.im.s.Tx.InBulk(ctx, func(ctx context.Context) error {
		if err := store.SetProgress(ctx, w.im.d.ID, from, to, w.im.s.Clock.Now()); err != nil {
			return err
		}
		if err := store.WriteLines(ctx, b.order, b.fresh); err != nil {
			return err
		}
		return store.WriteQuarantine(ctx, b.rows)
	})
}

// settle brings sums and attribution of the staged lines to what is kept and in force, where an
// interrupted run or a change of rules met this import. It runs inside the publishing transaction,
// before sums are written.
func (w *writer) settle(ctx context.Context) (followed bool, err error) {
	_, state, err := w.im.s.Rules.Resolver(ctx, w.im.src.ID)
	if err != nil {
		return false, err
	}
	if w.resumed == 0 {
		return state != w.state, nil
	}
	sums := newTally()
	for _, slot := range w.slots {
		err := w.im.s.Store.EachLine(ctx, []int64{slot}, func(l *usage.Stored) error {
			one, err := l.Sum(w.im.src.Base)
			if err != nil {
				return err
			}
			return sums.add(l.SummaryKey(), one)
		})
		if err != nil {
			sums.close()
			return false, err
		}
	}
	w.sums.close()
	w.sums = sums
	return true, nil
}

// dimensions gives lines the hashes of their repeating columns and remembers which were written.
type dimensions struct {
	accounts  map[usage.Account]usage.Hash
	products  map[usage.Product]usage.Hash
	resources map[usage.Resource]usage.Hash
}

const resourcesKept = 1 << 14

func newDimensions() *dimensions {
	return &dimensions{map[usage.Account]usage.Hash{}, map[usage.Product]usage.Hash{}, map[usage.Resource]usage.Hash{}}
}

func (d *dimensions) name(l *usage.Stored, fresh *usage.Dims) {
	var ok bool
	if l.AccountID, ok = d.accounts[l.Account]; !ok {
		l.AccountID = l.Account.Hash()
		d.accounts[l.Account], fresh.Accounts[l.AccountID] = l.AccountID, l.Account
	}
	if l.ProductID, ok = d.products[l.Product]; !ok {
		if len(d.products) >= resourcesKept {
			clear(d.products)
		}
		l.ProductID = l.Product.Hash()
		d.products[l.Product], fresh.Products[l.ProductID] = l.ProductID, l.Product
	}
	if l.ResourceID, ok = d.resources[l.Resource]; !ok {
		if len(d.resources) >= resourcesKept {
			clear(d.resources)
		}
		l.ResourceID = l.Resource.Hash()
		d.resources[l.Resource], fresh.Resources[l.ResourceID] = l.ResourceID, l.Resource
	}
}
