package peak

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/id"
	"huoban/internal/ingest"
	"huoban/internal/scope"
	"huoban/internal/source"
)

// Deps is what the service stands on.
type Deps struct {
	Store         Store
	Tx            Tx
	Sources       Sources
	Organisations Organisations
	Rules         Rules
	Spans         Spans
	Audit         audit.Recorder
	Clock         clock.Clock
	Locks         Locks // nil: no other process works on this database
}

// Service imports points and answers what months came to.
type Service struct {
	Deps
	OpenDays int // days held in memory while a file is read; 0 is the default
}

// New makes the service.
func New(d Deps) *Service { return &Service{Deps: d} }

// Limits of an import: days held in memory at 2.4 kB each, and rows of the quarantine that are kept and shown.
const (
	openDays = 8192
	keptBad  = 10_000
	shownBad = 20
)

// Input is what is imported.
type Input struct {
	Source string
	Paths  []string
	DryRun bool
}

// Outcome is what became of an import.
type Outcome struct {
	Import
	SameContent bool  `json:"same_content"`
	DryRun      bool  `json:"dry_run"`
	Bad         []Bad `json:"bad_rows"` // the first of them; all stand in the quarantine
}

// Import reads files of points. The same files again change nothing while none of their days was replaced since. A day of a
// resource that was there before is replaced whole by the points of the new file, which is kept as its
// trace. Rows that cannot be read stand aside in the quarantine and the others count; a file of none that can is refused.
//
// Faults: those of ingest.Open, peak.column_missing, peak.column_twice, peak.nothing_read, source.unknown,
// scope.permission_missing.
func (s *Service) Import(ctx context.Context, sc scope.Scope, in Input) (Outcome, error) {
	if err := sc.Require(scope.ItemDeliveryImport); err != nil {
		return Outcome{}, err
	}
	src, err := s.Sources.ByName(ctx, sc, in.Source)
	if err != nil {
		return Outcome{}, err
	}
	handed, err := ingest.Open(in.Paths)
	if err != nil {
		return Outcome{}, err
	}
	defer handed.Close()
	sha, err := digest(handed.Parts)
	if err != nil {
		return Outcome{}, err
	}
	if s.Locks != nil {
		unlock, err := s.Locks.Lock(ctx, "peak "+src.VendorID)
		if err != nil {
			return Outcome{}, err
		}
		defer unlock()
	}
	if known, same, err := s.known(ctx, src.VendorID, sha); err != nil || same {
		known.Source = src.Name
		return Outcome{Import: known, SameContent: same, DryRun: in.DryRun, Bad: []Bad{}}, err
	}
	r, err := s.reading(ctx, sc, &src, handed.Parts, sha)
	if err != nil {
		return Outcome{}, err
	}
	err = r.run(ctx, handed.Parts)
	if err == nil && !in.DryRun {
		err = s.Tx.InBulk(ctx, func(ctx context.Context) error { return r.publish(ctx, sc) })
	}
	if err != nil || in.DryRun {
		clear := s.Tx.InTx(context.WithoutCancel(ctx), func(ctx context.Context) error { return s.Store.Discard(ctx, r.out.ID) })
		r.out.ID, r.out.Number = "", 0
		err = errors.Join(err, clear)
	}
	r.out.DryRun = in.DryRun
	return r.out, err
}

// digest is the hash of what was handed over, whatever the files are called.
func digest(parts []ingest.Part) (string, error) {
	all := sha256.New()
	for _, p := range parts {
		body, err := p.Open()
		if err != nil {
			return "", ingest.InFile(p.Name, err)
		}
		one := sha256.New()
		_, err = io.Copy(one, body)
		if err = errors.Join(err, body.Close()); err != nil {
			return "", ingest.InFile(p.Name, err)
		}
		all.Write(one.Sum(nil))
	}
	return hex.EncodeToString(all.Sum(nil)), nil
}

// known finds an import of the same content all of whose days are in force.
func (s *Service) known(ctx context.Context, vendorID, sha string) (Import, bool, error) {
	all, err := s.Store.ByContent(ctx, vendorID, sha)
	if err != nil {
		return Import{}, false, err
	}
	for _, m := range all {
		if overtaken, err := s.Store.Overtaken(ctx, m.ID); err != nil || !overtaken {
			return m, err == nil, err
		}
	}
	return Import{}, false, nil
}

// reading is one run of an import.
type reading struct {
	s       *Service
	src     *source.Source
	out     Outcome
	owners  owners
	series  map[string]*Series // by what tells them apart
	fresh   []Series           // not yet written
	open    map[dayKey]*Day
	written map[dayKey]bool // days that stand in the store already, perhaps not whole
	prices  map[SeriesMonth]Price
	bad     []Bad           // not yet written
	badKept int             // written
	used    map[string]bool // series with points in this import
	now     time.Time
	last    struct { // of the row before
		key string
		*Series
	}
}

type dayKey struct{ series, date string }

func (s *Service) reading(ctx context.Context, sc scope.Scope, src *source.Source, parts []ingest.Part, sha string) (*reading, error) {
	r := &reading{s: s, src: src, series: map[string]*Series{}, open: map[dayKey]*Day{}, written: map[dayKey]bool{}, prices: map[SeriesMonth]Price{}, used: map[string]bool{}, now: s.Clock.Now()}
	names := make([]string, len(parts))
	for i, p := range parts {
		names[i] = p.Name
	}
	r.out = Outcome{Import: Import{ID: id.New(), VendorID: src.VendorID, SourceID: src.ID, Source: src.Name, Name: strings.Join(names, ", "), SHA: sha, State: ImportStaging,
		Actor: sc.Login(), ReceivedAt: r.now}, Bad: []Bad{}}
	if len(r.out.Name) > maxCell {
		r.out.Name = strings.ToValidUTF8(r.out.Name[:maxCell], "") + "…"
	}
	known, err := s.Store.Series(ctx, src.VendorID)
	if err != nil {
		return nil, err
	}
	for i := range known {
		r.series[seriesKey(&known[i])] = &known[i]
	}
	if r.owners, err = s.owners(ctx, sc, src); err != nil {
		return nil, err
	}
	return r, s.Tx.InTx(ctx, func(ctx context.Context) error {
		stale, err := s.Store.Staging(ctx, src.VendorID) // of imports that were killed
		if err != nil {
			return err
		}
		for _, old := range stale {
			if err := s.Store.Discard(ctx, old); err != nil {
				return err
			}
		}
		return s.Store.InsertImport(ctx, r.out.Import)
	})
}

// seriesKey is what tells series of a vendor apart; the unit is not among it, because a resource has one.
func seriesKey(x *Series) string {
	return strings.Join([]string{x.CustomerID, x.Product, x.Resource, x.UsageType}, "\x00")
}

func (r *reading) run(ctx context.Context, parts []ingest.Part) error {
	for i := range parts {
		if err := r.file(ctx, &parts[i]); err != nil {
			return ingest.InFile(parts[i].Name, err)
		}
	}
	if err := r.flush(ctx); err != nil {
		return err
	}
	if r.out.Points == 0 {
		return fault.Refused("peak.nothing_read", reasons(r.out.Bad))
	}
	r.out.Resources, r.out.Days = int64(len(r.used)), int64(len(r.written))
	return nil
}

// reasons are the first rows that could not be read, as faults.
func reasons(rows []Bad) (out []*fault.Error) {
	for _, b := range rows {
		args := fault.Args{"line": b.Line}
		for k, v := range b.Args {
			args[k] = v
		}
		out = append(out, fault.Invalid(b.Code, args))
	}
	return out
}

func (r *reading) file(ctx context.Context, p *ingest.Part) error {
	rows, err := p.Rows()
	if err != nil {
		return err
	}
	defer rows.Close()
	in, err := newReader(rows)
	if err != nil {
		return err
	}
	var x row
	for n := 0; ; n++ {
		if n%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		err := in.next(&x, r.now)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = r.take(&x)
		}
		if err != nil && !r.aside(p.Name, in, err) {
			return err
		}
		if len(r.open) >= r.limit() || len(r.bad) >= 1000 {
			if err := r.flush(ctx); err != nil {
				return err
			}
		}
	}
}

func (r *reading) limit() int {
	if r.s.OpenDays > 0 {
		return r.s.OpenDays
	}
	return openDays
}

// aside puts a row that cannot be read into the quarantine; false for an error that is not of the row.
func (r *reading) aside(file string, in *reader, err error) bool {
	b := Bad{File: file, Line: in.rec.Line, Raw: strings.ToValidUTF8(string(in.rec.Raw[:min(len(in.rec.Raw), 2000)]), "\uFFFD")}
	var own *rowError
	var broken *ingest.RowError
	switch {
	case errors.As(err, &own):
		b.Code, b.Args, b.Column, b.Value = own.code, own.args, spellings[own.column][0], own.value
	case errors.As(err, &broken):
		b.Code, b.Args, b.Column, b.Value = broken.Code, broken.Args, broken.Column, broken.Value
	default:
		return false
	}
	b.Raw = strings.ReplaceAll(b.Raw, "\x00", "")
	r.out.Quarantined++
	if len(r.out.Bad) < shownBad {
		r.out.Bad = append(r.out.Bad, b)
	}
	if r.badKept+len(r.bad) < keptBad {
		r.bad = append(r.bad, b)
	}
	return true
}

// take notes a point.
func (r *reading) take(x *row) error {
	s, err := r.seriesOf(x)
	if err != nil {
		return err
	}
	if err := r.priced(s, x); err != nil {
		return err
	}
	k := dayKey{s.ID, x.date}
	d := r.open[k]
	if d == nil {
		d = &Day{}
		r.open[k] = d
	}
	known, wide := d.Put(x.slot, x.coefficient, x.scale)
	switch {
	case wide:
		return wrong(colValue, x.cells[colValue], "peak.value_long")
	case known && !d.Same(x.slot, x.coefficient, x.scale):
		return wrong(colTime, x.cells[colTime], "peak.point_twice")
	case !known:
		r.out.Points++
	}
	r.used[s.ID] = true
	return nil
}

// seriesOf finds the series of a row, or makes one.
func (r *reading) seriesOf(x *row) (*Series, error) {
	var space [5 * maxCell]byte
	key := space[:0]
	for _, c := range []int{colCustomer, colAccount, colProduct, colResource, colUsage, colUnit} {
		key = append(append(key, x.cells[c]...), 0)
	}
	key = append(key, x.date...)
	if r.last.Series != nil && r.last.key == string(key) {
		return r.last.Series, nil
	}
	owner, err := r.owners.of(x)
	if err != nil {
		return nil, err
	}
	want := Series{VendorID: r.src.VendorID, CustomerID: owner, Product: string(x.cells[colProduct]), Resource: string(x.cells[colResource]), Name: string(x.cells[colName]),
		Region: string(x.cells[colRegion]), UsageType: string(x.cells[colUsage]), Unit: string(x.cells[colUnit])}
	for _, c := range []int{colProduct, colResource, colName, colRegion, colUsage, colUnit} {
		if bad := !clean(x.cells[c]); bad {
			return nil, wrong(c, x.cells[c], "peak.cell_malformed")
		}
	}
	s := r.series[seriesKey(&want)]
	switch {
	case s == nil:
		want.ID = id.New()
		s = &want
		r.series[seriesKey(s)] = s
		r.fresh = append(r.fresh, want)
	case s.Unit != want.Unit:
		e := wrong(colUnit, x.cells[colUnit], "peak.unit_differs")
		e.args["unit"] = s.Unit
		return nil, e
	}
	r.last.key, r.last.Series = string(key), s
	return s, nil
}

// priced notes the price a row names; a month has one.
func (r *reading) priced(s *Series, x *row) error {
	if len(x.cells[colPrice]) == 0 && len(x.cells[colDiscount]) == 0 && len(x.cells[colGuaranteed]) == 0 {
		return nil
	}
	p, err := x.price()
	if err != nil {
		return err
	}
	k := SeriesMonth{s.ID, cycle.Of(x.at, cycle.Zone)}
	if was, known := r.prices[k]; known && !samePrice(was, p) {
		return wrong(colPrice, x.cells[colPrice], "peak.price_differs")
	}
	r.prices[k] = p
	return nil
}

func samePrice(a, b Price) bool {
	return a.text() == b.text()
}

func (p Price) text() string {
	out := p.Currency
	for _, x := range []interface{ String() string }{opt{p.Unit}, opt{p.Discount}, opt{p.Guaranteed}} {
		out += "|" + x.String()
	}
	return out
}

// flush writes what was gathered, so that memory stays bounded in whatever order a file comes.
func (r *reading) flush(ctx context.Context) error {
	if len(r.open) == 0 && len(r.fresh) == 0 && len(r.bad) == 0 {
		return nil
	}
	keys := make([]dayKey, 0, len(r.open))
	for k := range r.open {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b dayKey) int {
		return strings.Compare(a.series+a.date, b.series+b.date)
	})
	var again repeated
	err := r.s.Tx.InBulk(ctx, func(ctx context.Context) error {
		again = repeated{}
		if err := r.s.Store.InsertSeries(ctx, r.fresh); err != nil {
			return err
		}
		days := make([]Kept, 0, len(keys))
		for _, k := range keys {
			d := *r.open[k]
			if r.written[k] {
				if err := r.merge(ctx, k, &d, &again); err != nil {
					return err
				}
			}
			days = append(days, Kept{SeriesID: k.series, Date: k.date, Packed: d.Pack()})
		}
		if err := r.s.Store.PutDays(ctx, r.out.ID, days); err != nil {
			return err
		}
		return r.s.Store.PutBad(ctx, r.out.ID, r.badKept, r.bad)
	})
	if err != nil {
		return err
	}
	for _, k := range keys {
		r.written[k] = true
	}
	clear(r.open)
	r.badKept, r.fresh, r.bad = r.badKept+len(r.bad), nil, nil
	r.out.Points -= again.points
	r.out.Quarantined += again.differ
	return nil
}

// repeated counts points that came again after their day was written.
type repeated struct{ points, differ int64 }

// merge adds the points of a day that were written before. One that comes again keeps its first value, as every repeated
// point does; where the two differ it counts as quarantined, though its row is gone.
func (r *reading) merge(ctx context.Context, k dayKey, d *Day, again *repeated) error {
	packed, err := r.s.Store.StagedDay(ctx, r.out.ID, k.series, k.date)
	if err != nil {
		return err
	}
	var before Day
	if err := before.Unpack(packed); err != nil {
		return err
	}
	for slot := range PointsPerDay {
		if d.Has(slot) {
			known, wide := before.Put(slot, d.values[slot], d.Scale)
			switch {
			case wide:
				return fault.Invalid("peak.value_long", fault.Args{"column": spellings[colValue][0], "value": d.Value(slot).String()})
			case known:
				again.points++
				if !before.Same(slot, d.values[slot], d.Scale) {
					again.differ++
				}
			}
		}
	}
	*d = before
	return nil
}

// publish puts the import in force and computes the months it touched.
func (r *reading) publish(ctx context.Context, sc scope.Scope) error {
	s := r.s
	replaced, err := s.Store.Publish(ctx, r.out.ID)
	if err != nil {
		return err
	}
	for k, p := range r.prices {
		if err := s.Store.PutPrice(ctx, r.out.ID, k.SeriesID, k.Cycle, p); err != nil {
			return err
		}
	}
	months, err := s.Store.Touched(ctx, r.out.ID)
	if err != nil {
		return err
	}
	if err := s.recompute(ctx, months, r.now); err != nil {
		return err
	}
	list, err := s.Store.Imports(ctx, r.out.VendorID, 1)
	if err != nil {
		return err
	}
	r.out.Number = 1
	if len(list) > 0 {
		r.out.Number = list[0].Number + 1
	}
	r.out.State, r.out.Replaced = ImportActive, replaced
	if err := s.Store.UpdateImport(ctx, r.out.Import); err != nil {
		return err
	}
	return s.Audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: r.out.VendorID, Action: "peak.import", Object: "peak_import:" + r.out.ID,
		Detail: map[string]any{"source": r.src.Name, "number": r.out.Number, "sha256": r.out.SHA, "points": r.out.Points, "resources": r.out.Resources, "days": r.out.Days,
			"replaced": r.out.Replaced, "quarantined": r.out.Quarantined}})
}

// recompute finds the results of months whose points changed.
func (s *Service) recompute(ctx context.Context, months []SeriesMonth, now time.Time) error {
	for _, k := range months {
		_, days, err := s.days(ctx, k.SeriesID, k.Cycle)
		if err != nil {
			return err
		}
		if len(days) == 0 {
			if err := s.Store.DropMonth(ctx, k.SeriesID, k.Cycle); err != nil {
				return err
			}
			continue
		}
		m := Month{SeriesID: k.SeriesID, Cycle: k.Cycle, Result: Compute(days), ChangedAt: now}
		if m.Price, err = s.Store.PriceOf(ctx, k.SeriesID, k.Cycle); err != nil {
			return err
		}
		if err := s.Store.PutMonth(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

// days reads the points in force of a month.
func (s *Service) days(ctx context.Context, seriesID string, at cycle.Cycle) ([]Kept, []*Day, error) {
	kept, err := s.Store.Days(ctx, seriesID, at)
	if err != nil {
		return nil, nil, err
	}
	days := make([]*Day, len(kept))
	for i := range kept {
		days[i] = &Day{}
		if err := days[i].Unpack(kept[i].Packed); err != nil {
			return nil, nil, err
		}
	}
	return kept, days, nil
}
