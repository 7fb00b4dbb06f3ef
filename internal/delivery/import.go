package delivery

import (
	"context"
	"errors"
	"slices"
	"sort"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/id"
	"huoban/internal/ingest"
	"huoban/internal/scope"
	"huoban/internal/source"
)

// errDryRun ends a dry run's transaction, so that nothing of it stays.
var errDryRun = errors.New("dry run")

// errEnough ends a walk whose page is full.
var errEnough = errors.New("enough")

// Import reads files into a source. It is idempotent: the same content again writes nothing, an
// interrupted import is taken up where it stopped. A dry run is the same inside one transaction that
// is thrown away. Faults: those of ingest, source.unknown, delivery.amortised, delivery.empty,
// delivery.repeated_file, delivery.repeated_line, delivery.cycle_not_open, delivery.month_not_over,
// delivery.final_not_delivered, delivery.gone, money.out_of_range, scope.permission_missing.
func (s *Service) Import(ctx context.Context, sc scope.Scope, in Input) (Result, error) {
	if err := sc.Require(scope.ItemDeliveryImport); err != nil {
		return Result{}, err
	}
	src, err := s.Sources.ByName(ctx, sc, in.Source)
	if err != nil {
		return Result{}, err
	}
	handed, err := ingest.Open(in.Paths)
	if err != nil {
		return Result{}, err
	}
	defer handed.Close()
	files, content, err := digest(handed.Parts)
	if err != nil {
		return Result{}, err
	}
	done, err := s.one(ctx, src.ID)
	if err != nil {
		return Result{}, err
	}
	defer done()
	im := &importing{s: s, sc: sc, src: &src, in: in, parts: handed.Parts, files: files, content: content}
	if !in.DryRun {
		err = im.run(ctx)
		return im.res, err
	}
	err = s.Tx.InBulk(ctx, func(ctx context.Context) error {
		again := *im
		if err := again.run(ctx); err != nil {
			return err
		}
		im.res = again.res
		return errDryRun
	})
	if errors.Is(err, errDryRun) {
		err = nil
		im.res.DeliveryID, im.res.Number = "", 0
	}
	return im.res, err
}

// importing is one run of an import.
type importing struct {
	s       *Service
	sc      scope.Scope
	src     *source.Source
	in      Input
	parts   []ingest.Part
	files   []File
	content string

	d   Delivery
	w   *writer
	res Result
}

func (im *importing) run(ctx context.Context) error {
	im.res = Result{Source: im.src.Name, DryRun: im.in.DryRun, Files: len(im.files), Cycles: []Change{}, Residues: []Residue{},
		Warnings: []Warning{}, Final: []cycle.Cycle{}}
	same, cycles, err := im.known(ctx)
	if err != nil {
		return err
	}
	if same {
		im.res.SameContent = true
		return im.final(ctx, cycles, "")
	}
	if err := im.begin(ctx); err != nil {
		return err
	}
	err = im.readAndKeep(ctx)
	if im.w != nil {
		defer func() { im.w.sums.close() }()
	}
	if err == nil {
		err = im.publish(ctx)
	}
	if err != nil {
		return im.giveUp(ctx, err)
	}
	return nil
}

// known tells whether these very files are what is newest of the source already, and for which
// cycles. In append mode a file that was delivered before among new ones is refused.
func (im *importing) known(ctx context.Context) (bool, []cycle.Cycle, error) {
	s := im.s
	all, err := s.Store.Deliveries(ctx, scope.System(im.sc.Login()), Filter{SourceID: im.src.ID, State: StatePublished})
	if err != nil {
		return false, nil, err
	}
	number := map[string]int64{}
	for _, d := range all {
		number[d.ID] = d.Number
	}
	for _, d := range all {
		if d.ContentSHA != im.content {
			continue
		}
		if cycles, newest, err := im.newest(ctx, d, number); err != nil || newest {
			return newest, cycles, err
		}
	}
	if im.src.Mode == source.ModeAppend {
		return im.knownFiles(ctx)
	}
	return false, nil, nil
}

// newest tells whether no later delivery touched the cycles of d.
func (im *importing) newest(ctx context.Context, d Delivery, number map[string]int64) ([]cycle.Cycle, bool, error) {
	changes, err := im.s.Store.Changes(ctx, d.ID)
	if err != nil {
		return nil, false, err
	}
	var cycles []cycle.Cycle
	for _, c := range changes {
		if len(cycles) == 0 || cycles[len(cycles)-1] != c.Cycle {
			cycles = append(cycles, c.Cycle)
		}
	}
	if im.src.Mode == source.ModeAppend {
		return cycles, true, nil
	}
	for _, c := range cycles {
		slots, err := im.s.Store.SlotsOfSource(ctx, im.src.ID, c)
		if err != nil {
			return nil, false, err
		}
		for _, slot := range slots {
			if counts(slot.State) && number[slot.DeliveryID] > d.Number {
				return nil, false, nil
			}
		}
	}
	return cycles, true, nil
}

func (im *importing) knownFiles(ctx context.Context) (bool, []cycle.Cycle, error) {
	var repeated []string
	for _, f := range im.files {
		known, err := im.s.Store.FileKnown(ctx, im.src.ID, f.SHA)
		if err != nil {
			return false, nil, err
		}
		if known {
			repeated = append(repeated, f.Name)
		}
	}
	switch {
	case len(repeated) == len(im.files):
		return true, nil, nil
	case len(repeated) > 0:
		return false, nil, fault.Conflict("delivery.repeated_file", fault.Args{"file": repeated[0], "count": len(repeated), "source": im.src.Name})
	}
	return false, nil, nil
}

// begin takes up an interrupted import of the same content, clears away others, or makes a new
// delivery.
func (im *importing) begin(ctx context.Context) error {
	s := im.s
	left, err := s.Store.Deliveries(ctx, scope.System(im.sc.Login()), Filter{SourceID: im.src.ID, State: StateReceiving})
	if err != nil {
		return err
	}
	for _, d := range left {
		if d.ContentSHA == im.content && d.Files == len(im.files) && im.d.ID == "" {
			im.d = d
			continue
		}
		if err := s.remove(ctx, d.ID); err != nil {
			return err
		}
	}
	if im.d.ID == "" {
		im.d = Delivery{ID: id.New(), SourceID: im.src.ID, Source: im.src.Name, VendorID: im.src.VendorID, State: StateReceiving, Version: 1,
			ContentSHA: im.content, ReceivedAt: s.Clock.Now(), Actor: im.sc.Login(), Files: len(im.files)}
		err := s.Tx.InTx(ctx, func(ctx context.Context) error {
			n, err := s.Store.InsertDelivery(ctx, im.d)
			if err != nil {
				return err
			}
			im.d.Number = n
			for _, f := range im.files {
				if err := s.Store.PutFile(ctx, im.d.ID, f); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// keepAll keeps the bodies of all parts; files are as they stood before reading, which fills in more.
func (im *importing) keepAll(ctx context.Context, files []File) error {
	for i, p := range im.parts {
		if err := im.s.keep(ctx, p, files[i]); err != nil {
			return err
		}
	}
	return nil
}

// readAndKeep keeps the bodies while lines are read from them, because packing takes a core of its own.
// A dry run does all in one transaction, which has one user at a time. Neither is under way when it
// returns: a refused import is taken away as a whole.
func (im *importing) readAndKeep(ctx context.Context) error {
	if im.in.DryRun {
		if err := im.keepAll(ctx, im.files); err != nil {
			return err
		}
		return im.read(ctx)
	}
	both, stop := context.WithCancel(ctx)
	defer stop()
	kept, files := make(chan error, 1), slices.Clone(im.files)
	go func() {
		err := im.keepAll(both, files)
		if err != nil {
			stop()
		}
		kept <- err
	}()
	err := im.read(both)
	if err != nil {
		stop()
	}
	return firstCause(err, <-kept)
}

// firstCause is the error that made the other one: what was only cancelled is not the cause.
func firstCause(a, b error) error {
	if a == nil || b != nil && cancelled(a) && !cancelled(b) {
		return b
	}
	return a
}

func cancelled(err error) bool {
	return errors.Is(err, context.Canceled)
}

// giveUp removes what a refused import wrote. What an interruption leaves is kept, to be resumed.
func (im *importing) giveUp(ctx context.Context, err error) error {
	f := fault.From(err)
	if f.Kind == fault.KindInternal || f.Kind == fault.KindUnavailable || f.Code == "delivery.gone" || ctx.Err() != nil || im.in.DryRun {
		return err
	}
	if e := im.s.remove(ctx, im.d.ID); e != nil {
		return errors.Join(err, e)
	}
	return err
}

// remove takes an unpublished delivery away.
func (s *Service) remove(ctx context.Context, deliveryID string) error {
	return s.Tx.InBulk(ctx, func(ctx context.Context) error {
		slots, err := s.Store.SlotsOfDelivery(ctx, deliveryID)
		if err != nil {
			return err
		}
		for _, slot := range slots {
			if err := s.Store.DeleteSlot(ctx, slot.ID); err != nil {
				return err
			}
		}
		return s.Store.RemoveDelivery(ctx, deliveryID)
	})
}

// keepInterrupted is how long an interrupted import can be taken up; no running one is silent so long.
const keepInterrupted = 24 * time.Hour

// Clean removes what imports left that were interrupted more than a day ago. It may be called at any
// time: running imports, also those of other programs, and recent leftovers stay.
func (s *Service) Clean(ctx context.Context) (int, error) {
	left, err := s.Store.Deliveries(ctx, scope.System("system"), Filter{State: StateReceiving})
	if err != nil {
		return 0, err
	}
	removed, stale := 0, s.Clock.Now().Add(-keepInterrupted)
	for _, d := range left {
		if d.ReceivedAt.After(stale) || d.TouchedAt.After(stale) {
			continue
		}
		if err := s.remove(ctx, d.ID); err != nil {
			return removed, err
		}
		removed++
	}
	return removed, nil
}

// read streams every part through the writer.
func (im *importing) read(ctx context.Context) error {
	w, err := newWriter(ctx, im)
	if err != nil {
		return err
	}
	im.w = w
	defer w.release()
	defer func() {
		w.report.stop()
		_ = w.wait() // a refused import removes its batches; the one under way must have ended
	}()
	for i, p := range im.parts {
		if err := w.part(ctx, p, &im.files[i]); err != nil {
			return err
		}
	}
	if err := w.flush(ctx); err != nil {
		return err
	}
	if err := w.wait(); err != nil {
		return err
	}
	if w.lines == 0 && w.bad == 0 && len(im.in.Final.Cycles) == 0 {
		return fault.Invalid("delivery.empty", fault.Args{"source": im.src.Name, "skipped": w.skipped})
	}
	return nil
}

// final marks periods of a delivery final; asked for alone it is its own transaction.
func (im *importing) final(ctx context.Context, cycles []cycle.Cycle, deliveryID string) error {
	if !im.in.Final.asked() {
		return nil
	}
	return im.s.Tx.InTx(ctx, func(ctx context.Context) error {
		marked, err := im.s.markFinal(ctx, im.sc, im.src, im.in.Final, cycles, deliveryID)
		im.res.Final = marked
		return err
	})
}

// markFinal marks what was asked for among the cycles of a delivery.
func (s *Service) markFinal(ctx context.Context, sc scope.Scope, src *source.Source, mark FinalMark, delivered []cycle.Cycle, deliveryID string) ([]cycle.Cycle, error) {
	now, zone := s.Clock.Now(), src.Location()
	wanted := mark.Cycles
	if mark.All {
		for _, c := range delivered {
			if c.Over(now, zone) {
				wanted = append(wanted, c)
			}
		}
	}
	sort.Slice(wanted, func(i, j int) bool { return wanted[i] < wanted[j] })
	marked := []cycle.Cycle{}
	for _, c := range wanted {
		if !c.Over(now, zone) {
			return nil, fault.Conflict("delivery.month_not_over", fault.Args{"cycle": string(c), "source": src.Name})
		}
		periods, err := s.Store.Periods(ctx, scope.System(sc.Login()), src.ID, c)
		if err != nil {
			return nil, err
		}
		if len(periods) == 0 {
			return nil, fault.Conflict("delivery.period_unknown", fault.Args{"cycle": string(c), "source": src.Name})
		}
		fresh, err := s.Store.MarkFinal(ctx, src.ID, c, now, sc.Login(), deliveryID)
		if err != nil {
			return nil, err
		}
		if !fresh {
			continue
		}
		marked = append(marked, c)
		if err := s.record(ctx, sc, src.VendorID, "period.mark_final", "source:"+src.Name, map[string]any{"cycle": string(c)}); err != nil {
			return nil, err
		}
	}
	return marked, nil
}
