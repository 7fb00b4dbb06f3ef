package monthclose

import (
	"context"
	"slices"
	"strings"

	"huoban/internal/audit"
	"huoban/internal/bill"
	"huoban/internal/clock"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/scope"
)

// Service runs month closes.
type Service struct {
	Tx      Tx
	Store   Store
	Bills   Bills
	Compute *bill.Service
	Books   bill.Books
	Audit   audit.Recorder
	Log     flow.Log
	Clock   clock.Clock
	// Vouchers pay the bills of a draft; nil: nobody has any.
	Vouchers Vouchers
	// Told is called inside the transaction of an issue, to notify partners, with the bills but not their
	// items; may be nil.
	Told func(ctx context.Context, vendorID string, c cycle.Cycle, docs []bill.Document) error
	// Checkpoint is called between the parts of a step; an error there ends the run like a kill would.
	// Only tests set it.
	Checkpoint func(point string) error

	estimates estimates
}

func (s *Service) point(name string) error {
	if s.Checkpoint == nil {
		return nil
	}
	return s.Checkpoint(name)
}

// Status is where a close stands and what it would say now.
type Status struct {
	Close    Close
	Vendor   string
	Stage    Stage
	Checks   []Check
	Steps    []Step
	Actions  []flow.Button
	Deadline Deadline
}

// Status reads a close with its checks, without reading lines. Faults: scope.permission_missing,
// monthclose.vendor_unknown.
func (s *Service) Status(ctx context.Context, sc scope.Scope, vendorID string, c cycle.Cycle) (Status, error) {
	if err := s.allow(sc, vendorID, scope.ItemCloseView); err != nil {
		return Status{}, err
	}
	var out Status
	err := s.Tx.InRead(ctx, func(ctx context.Context) error {
		cl, g, err := s.gate(ctx, vendorID, c)
		if err != nil {
			return err
		}
		out = Status{Close: cl, Vendor: g.Vendor, Stage: cl.State.Stage(), Deadline: DeadlineAt(c, cl.State, g.Now)}
		if cl.State != StateIssued {
			out.Checks = g.Checks()
		}
		out.Actions = Flow.Allowed(cl.State, Facts{Checks: out.Checks, Override: cl.override()}, sc, g.Now)
		out.Steps, err = s.Store.Steps(ctx, vendorID, c)
		return err
	})
	return out, err
}

func (s *Service) allow(sc scope.Scope, vendorID string, items ...scope.Item) error {
	if !sc.SeesVendor(vendorID) {
		return fault.NotFound("monthclose.vendor_unknown", nil)
	}
	return sc.Require(items...)
}

func (c Close) override() Override { return Override{Reason: c.OverrideNote, By: c.OverrideBy} }

// gate loads a close and everything its checks are decided from.
func (s *Service) gate(ctx context.Context, vendorID string, c cycle.Cycle) (Close, Gate, error) {
	cl, err := s.Store.Load(ctx, vendorID, c)
	if err != nil {
		return cl, Gate{}, err
	}
	g, err := s.Store.Gate(ctx, vendorID, c)
	if err != nil {
		return cl, g, err
	}
	g.Now, g.State = s.Clock.Now(), cl.State
	if cl.State == StateDraft || cl.State == StateReviewed {
		g.Stale, err = s.stale(ctx, cl)
	}
	return cl, g, err
}

// stale tells whether a draft is older than its lines, attribution, adjustments or price rules.
func (s *Service) stale(ctx context.Context, cl Close) (bool, error) {
	data, err := s.Store.Fingerprint(ctx, cl.VendorID, cl.Cycle)
	if err != nil {
		return false, err
	}
	seq, err := s.Books.Seq(ctx, cl.VendorID)
	return data != cl.Data || seq != cl.PriceSeq, err
}

// Explanation is a dry run: what stands in the way, what was checked, and the bills a draft would
// hold.
type Explanation struct {
	Status
	Documents []bill.Document
	Loose     []bill.LooseSum
	Fallbacks []bill.Fallback
}

// Explain is everything but the writing: every blocker, warning and passed check at once, and the
// documents. Faults: scope.permission_missing, monthclose.vendor_unknown,
// monthclose.summary_mismatch and those of bill.Builder.
func (s *Service) Explain(ctx context.Context, sc scope.Scope, vendorID string, c cycle.Cycle) (Explanation, error) {
	var out Explanation
	err := s.Tx.InRead(ctx, func(ctx context.Context) error {
		st, err := s.Status(ctx, sc, vendorID, c)
		if err != nil {
			return err
		}
		out = Explanation{Status: st}
		if st.Close.State == StateIssued {
			out.Documents, err = s.kept(ctx, vendorID, c)
			return err
		}
		res, silent, err := s.compute(ctx, vendorID, c)
		if err != nil {
			return err
		}
		if _, err := s.drawn(ctx, vendorID, res); err != nil {
			return err
		}
		out.Documents, out.Loose, out.Fallbacks = res.Documents, res.Loose, res.Fallbacks
		_, g, err := s.gate(ctx, vendorID, c)
		if err != nil {
			return err
		}
		g.Silent, g.Strays = silent, strays(res)
		out.Checks = g.Checks()
		return nil
	})
	return out, err
}

// compute makes the bills from the lines, and checks the summaries on the way.
func (s *Service) compute(ctx context.Context, vendorID string, c cycle.Cycle) (*bill.Result, map[string][]string, error) {
	bases, err := s.Store.SlotBases(ctx, vendorID, c)
	if err != nil {
		return nil, nil, err
	}
	t := newTally(s.Compute.Reader, bases)
	svc := *s.Compute
	svc.Reader = t
	res, err := svc.Compute(ctx, vendorID, c)
	if err != nil {
		return nil, nil, err
	}
	if err := t.compare(ctx, s.Store, vendorID, c); err != nil {
		return nil, nil, err
	}
	slots, err := s.Compute.Store.Slots(ctx, vendorID, c)
	if err != nil {
		return nil, nil, err
	}
	sourceOf := map[int64]string{}
	for _, sl := range slots {
		sourceOf[sl.ID] = sl.SourceID
	}
	silent, err := t.silent(ctx, s.Store, c, sourceOf)
	return res, silent, err
}

// Stage is what partners see of a cycle.
func (s *Service) Stage(ctx context.Context, vendorID string, c cycle.Cycle) (Stage, error) {
	cl, err := s.Store.Load(ctx, vendorID, c)
	return cl.State.Stage(), err
}

// OpenFor is where a correction of a cycle goes: the cycle itself while it is open, else the earliest
// still open cycle of the vendor after it, recorded if it was not. It runs inside the transaction of
// the correction and touches the record, so that a freeze at the same time is a conflict.
func (s *Service) OpenFor(ctx context.Context, vendorID string, corrected cycle.Cycle) (cycle.Cycle, error) {
	states, err := s.Store.States(ctx, vendorID)
	if err != nil {
		return "", err
	}
	into := corrected
	if st, known := states[corrected]; known && !st.TakesData() {
		into = NextOpen(corrected, states)
	}
	if _, known := states[into]; !known {
		cl := Close{VendorID: vendorID, Cycle: into, State: StateOpen, Version: 1}
		if err := s.Store.Insert(ctx, cl); err != nil {
			return "", err
		}
		err = Flow.Begin(ctx, s.Log, cl.Key(), StateOpen, scope.System("system"), s.Clock.Now(), nil)
	}
	return into, err
}

// Deadlines are the cycles of a vendor that ended and are not issued, with what is due. An empty
// vendor is every vendor.
func (s *Service) Deadlines(ctx context.Context, vendorID string) ([]Deadline, error) {
	known, err := s.Store.Known(ctx)
	if err != nil {
		return nil, err
	}
	now := s.Clock.Now()
	var out []Deadline
	for _, k := range known {
		if vendorID != "" && k.VendorID != vendorID {
			continue
		}
		d := DeadlineAt(k.Cycle, k.State, now)
		if d.VendorID = k.VendorID; d.Remind || d.Overdue {
			out = append(out, d)
		}
	}
	return out, nil
}

// remindStep marks in the record that the reminder of a cycle was sent.
const remindStep = "remind"

// Remind tells once of every cycle whose reminder is due and that is not issued: a job calls it from
// 09:00 GMT+8 on the 5th on. tell runs inside the transaction that keeps the mark.
func (s *Service) Remind(ctx context.Context, tell func(ctx context.Context, d Deadline) error) (int, error) {
	due, err := s.Deadlines(ctx, "")
	if err != nil {
		return 0, err
	}
	sent := 0
	for _, d := range due {
		told := false
		err := s.Tx.InTx(ctx, func(ctx context.Context) error {
			told = false
			steps, err := s.Store.Steps(ctx, d.VendorID, d.Cycle)
			if err != nil || slices.ContainsFunc(steps, func(st Step) bool { return st.Step == remindStep }) {
				return err
			}
			st := Step{Step: remindStep, State: StepDone, BegunAt: s.Clock.Now(), DoneAt: s.Clock.Now()}
			if err := s.Store.BeginStep(ctx, d.VendorID, d.Cycle, st); err != nil {
				return err
			}
			if err := s.Store.EndStep(ctx, d.VendorID, d.Cycle, st); err != nil {
				return err
			}
			told = true
			return tell(ctx, d)
		})
		if err != nil {
			return sent, err
		}
		if told {
			sent++
		}
	}
	return sent, nil
}

// kept reads the stored bills of a cycle.
func (s *Service) kept(ctx context.Context, vendorID string, c cycle.Cycle) ([]bill.Document, error) {
	return s.Bills.WithItems(ctx, scope.System("system"), bill.Filter{VendorID: vendorID, Cycle: c})
}

// heads reads them without their items.
func (s *Service) heads(ctx context.Context, vendorID string, c cycle.Cycle) ([]bill.Document, error) {
	return s.Bills.List(ctx, scope.System("system"), bill.Filter{VendorID: vendorID, Cycle: c})
}

func clean(reason string) string { return strings.TrimSpace(reason) }
