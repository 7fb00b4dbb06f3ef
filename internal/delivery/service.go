package delivery

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"

	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/scope"
	"huoban/internal/usage"
)

// Deps is what the service stands on.
type Deps struct {
	Store   Store
	Tx      Tx
	Sources Sources
	Rules   Rules
	Correct Correcter
	Log     flow.Log
	Audit   audit.Recorder
	Clock   clock.Clock
	Locks   Locks // nil: no other process works on this database

	BatchRows int // records per transaction; 0 is the default
}

// Service imports, compares and reverts deliveries.
type Service struct {
	Deps
	busy sync.Map // source id → *sync.Mutex
}

const batchRows = 10_000

// New makes the service.
func New(d Deps) *Service {
	if d.BatchRows <= 0 {
		d.BatchRows = batchRows
	}
	return &Service{Deps: d}
}

// Locks keeps other processes from the same work until unlock, or until this process ends.
type Locks interface {
	Lock(ctx context.Context, name string) (unlock func(), err error)
}

// one lets one import per source run, in this program and in others on the same database: the next one
// waits, and then finds what the first one published.
func (s *Service) one(ctx context.Context, sourceID string) (func(), error) {
	v, _ := s.busy.LoadOrStore(sourceID, &sync.Mutex{})
	m := v.(*sync.Mutex)
	m.Lock()
	if s.Locks == nil {
		return m.Unlock, nil
	}
	unlock, err := s.Locks.Lock(ctx, "import "+sourceID)
	if err != nil {
		m.Unlock()
		return nil, err
	}
	return func() { unlock(); m.Unlock() }, nil
}

// List gives published and superseded deliveries in scope, newest first, of one source if named.
// Faults: scope.permission_missing, source.unknown.
func (s *Service) List(ctx context.Context, sc scope.Scope, sourceName string, limit int) ([]Delivery, error) {
	if err := sc.Require(scope.ItemDeliveryView); err != nil {
		return nil, err
	}
	f := Filter{Limit: limit}
	if sourceName != "" {
		src, err := s.Sources.ByName(ctx, sc, sourceName)
		if err != nil {
			return nil, err
		}
		f.SourceID = src.ID
	}
	all, err := s.Store.Deliveries(ctx, sc, f)
	out := make([]Delivery, 0, len(all))
	for _, d := range all {
		if d.State != StateReceiving {
			out = append(out, d)
		}
	}
	return out, err
}

// Find gives a delivery by its id or as "source/number". Faults: delivery.unknown,
// scope.permission_missing.
func (s *Service) Find(ctx context.Context, sc scope.Scope, ref string) (Delivery, error) {
	if err := sc.Require(scope.ItemDeliveryView); err != nil {
		return Delivery{}, err
	}
	id := ref
	if name, number, ok := strings.Cut(ref, "/"); ok {
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return Delivery{}, fault.NotFound("delivery.unknown", fault.Args{"delivery": ref})
		}
		if id, err = s.Store.DeliveryIDByNumber(ctx, name, n); err != nil {
			return Delivery{}, err
		}
	}
	return s.byID(ctx, sc, id, ref)
}

func (s *Service) byID(ctx context.Context, sc scope.Scope, id, ref string) (Delivery, error) {
	if id != "" {
		list, err := s.Store.Deliveries(ctx, sc, Filter{ID: id, Limit: 1})
		if err != nil {
			return Delivery{}, err
		}
		if len(list) == 1 {
			return list[0], nil
		}
	}
	return Delivery{}, fault.NotFound("delivery.unknown", fault.Args{"delivery": ref})
}

// Details is a delivery with what it brought.
type Details struct {
	Delivery
	Parts    []File        `json:"parts"`
	Changes  []Change      `json:"cycles"`
	Residues []Residue     `json:"residues"`
	Warnings []Warning     `json:"warnings"`
	Actions  []flow.Button `json:"-"`
}

// Show gives a delivery with parts, changes, residues and what may be done to it. Faults:
// delivery.unknown, scope.permission_missing.
func (s *Service) Show(ctx context.Context, sc scope.Scope, ref string) (Details, error) {
	d, err := s.Find(ctx, sc, ref)
	if err != nil {
		return Details{}, err
	}
	out := Details{Delivery: d}
	if out.Parts, err = s.Store.DeliveryFiles(ctx, d.ID); err != nil {
		return out, err
	}
	if out.Changes, err = s.Store.Changes(ctx, d.ID); err != nil {
		return out, err
	}
	if out.Warnings, err = s.Store.Warnings(ctx, d.ID); err != nil {
		return out, err
	}
	slots, err := s.Store.SlotsOfDelivery(ctx, d.ID)
	if err != nil {
		return out, err
	}
	if out.Residues, err = s.residues(ctx, slots); err != nil {
		return out, err
	}
	facts, err := s.facts(ctx, d)
	if err != nil {
		return out, err
	}
	out.Actions = Flow.Allowed(d.State, facts, sc, s.Clock.Now())
	return out, nil
}

// Periods lists source × cycle in scope, with the days of each month that have no line. Faults:
// scope.permission_missing.
func (s *Service) Periods(ctx context.Context, sc scope.Scope, sourceID string, c cycle.Cycle) ([]Period, error) {
	if err := sc.Require(scope.ItemDeliveryView); err != nil {
		return nil, err
	}
	periods, err := s.Store.Periods(ctx, sc, sourceID, c)
	if err != nil {
		return nil, err
	}
	for i := range periods {
		p := &periods[i]
		src, err := s.Sources.ByName(ctx, sc, p.Source)
		if err != nil {
			return nil, err
		}
		slots, err := s.Store.SlotsOfSource(ctx, p.SourceID, p.Cycle)
		if err != nil {
			return nil, err
		}
		slots = slices.DeleteFunc(slots, func(x usage.Slot) bool { return x.State != usage.SlotActive })
		if p.DaysWithout, err = s.DaysWithout(ctx, &src, slots); err != nil {
			return nil, err
		}
	}
	return periods, nil
}

// MarkFinal declares a delivered period final. Faults: delivery.period_unknown, delivery.month_not_over,
// source.unknown, scope.permission_missing.
func (s *Service) MarkFinal(ctx context.Context, sc scope.Scope, sourceName string, c cycle.Cycle) error {
	if err := sc.Require(scope.ItemDeliveryImport); err != nil {
		return err
	}
	src, err := s.Sources.ByName(ctx, sc, sourceName)
	if err != nil {
		return err
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		_, err := s.markFinal(ctx, sc, &src, FinalMark{Cycles: []cycle.Cycle{c}}, []cycle.Cycle{c}, "")
		return err
	})
}

func (s *Service) record(ctx context.Context, sc scope.Scope, vendorID, action, object string, detail map[string]any) error {
	return s.Audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: vendorID, Action: action, Object: object, Outcome: "done", Detail: detail})
}
