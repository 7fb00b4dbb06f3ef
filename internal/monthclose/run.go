package monthclose

import (
	"context"
	"errors"
	"slices"
	"time"

	"huoban/internal/audit"
	"huoban/internal/bill"
	"huoban/internal/coupon"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/scope"
)

// Input is one close.
type Input struct {
	VendorID string
	Cycle    cycle.Cycle
	Issue    bool // go on to issued; otherwise to draft
	DryRun   bool // look at everything, write nothing
	Discard  bool // throw the draft away first, and stop there unless Issue or Redraft
	Redraft  bool // with Discard: draft again
	Override string
}

// Validate checks the form. Faults: cycle.malformed, monthclose.vendor_missing.
func (in Input) Validate() error {
	if in.VendorID == "" {
		return fault.Invalid("monthclose.vendor_missing", nil)
	}
	_, err := cycle.Parse(string(in.Cycle))
	return err
}

// Result is what a close did. Of a run that wrote, the documents are without their items.
type Result struct {
	Explanation
	Done    []string // the actions of this run; empty: nothing was to do
	Nothing bool
}

// attempts bounds how often a run goes on after somebody else moved the same close.
const attempts = 8

// Run walks a close to its draft or to issued, going on from wherever it stands. Run again when it is
// there, it does nothing. Two runs at once move it once: the loser goes on from what the winner did.
// Faults: monthclose.refused with every reason, monthclose.already_issued where a draft shall be
// discarded, those of Explain, scope.permission_missing,
// flow.changed_meanwhile.
func (s *Service) Run(ctx context.Context, sc scope.Scope, in Input) (Result, error) {
	if err := in.Validate(); err != nil {
		return Result{}, err
	}
	if err := s.allow(sc, in.VendorID, scope.ItemCloseRun); err != nil {
		return Result{}, err
	}
	if clean(in.Override) != "" {
		if err := sc.Require(scope.ItemCloseOverride); err != nil {
			return Result{}, err
		}
	}
	if in.DryRun {
		return s.dryRun(ctx, sc, in)
	}
	var res Result
	var looked []Check // what the run looked at, with the warnings of the draft
	for try := 0; ; {
		do, err := s.next(ctx, &in)
		if err != nil {
			return res, err
		}
		if do == "" {
			break
		}
		checks, err := s.do(ctx, sc, Act{VendorID: in.VendorID, Cycle: in.Cycle, Do: do, Override: in.Override})
		if err == nil {
			res.Done = append(res.Done, string(do))
			if len(looked) == 0 || do == ActionDraft {
				looked = checks
			}
			continue
		}
		if try++; try >= attempts || !lostRace(err) {
			return res, err
		}
	}
	res.Nothing = len(res.Done) == 0
	err := s.report(ctx, sc, in, &res)
	if len(looked) > 0 {
		res.Checks = looked
	}
	return res, err
}

// lostRace tells whether somebody else moved the close first.
func lostRace(err error) bool {
	return fault.HasCode(err, "flow.changed_meanwhile") || fault.HasCode(err, "flow.not_from_state") || fault.HasCode(err, "store.exists") ||
		fault.HasCode(err, "monthclose.data_changed")
}

func (s *Service) report(ctx context.Context, sc scope.Scope, in Input, res *Result) error {
	return s.Tx.InRead(ctx, func(ctx context.Context) error {
		var err error
		if res.Status, err = s.Status(ctx, sc, in.VendorID, in.Cycle); err != nil {
			return err
		}
		res.Documents, err = s.heads(ctx, in.VendorID, in.Cycle)
		return err
	})
}

// dryRun refuses as the close would and shows the bills.
func (s *Service) dryRun(ctx context.Context, sc scope.Scope, in Input) (Result, error) {
	ex, err := s.Explain(ctx, sc, in.VendorID, in.Cycle)
	res := Result{Explanation: ex}
	if err != nil {
		return res, err
	}
	note := ex.Close.override()
	if clean(in.Override) != "" {
		note = Override{Reason: in.Override, By: sc.Login()}
	}
	return res, Refusal(Facts{Checks: ex.Checks, Override: note}.Blocking(sc))
}

// next is the action that brings the close nearer to its goal, "" when it is there.
func (s *Service) next(ctx context.Context, in *Input) (Action, error) {
	cl, err := s.Store.Load(ctx, in.VendorID, in.Cycle)
	if err != nil {
		return "", err
	}
	if in.Discard {
		switch cl.State {
		case StateDraft, StateReviewed:
			return ActionDiscard, nil
		case StateFrozen:
			if !in.Issue && !in.Redraft {
				return ActionThaw, nil
			}
		case StateIssued:
			return "", fault.Conflict("monthclose.already_issued", fault.Args{"Cycle": string(in.Cycle)})
		}
		in.Discard = false
		if !in.Issue && !in.Redraft {
			return "", nil
		}
	}
	switch cl.State {
	case StateOpen:
		return ActionFreeze, nil
	case StateFrozen:
		return ActionDraft, nil
	case StateDraft:
		if in.Issue {
			return ActionReview, nil
		}
		return s.standing(ctx, cl)
	case StateReviewed:
		if in.Issue {
			return ActionIssue, nil
		}
		return s.standing(ctx, cl)
	}
	return "", nil
}

// standing refuses to call a stale draft done.
func (s *Service) standing(ctx context.Context, cl Close) (Action, error) {
	_, g, err := s.gate(ctx, cl.VendorID, cl.Cycle)
	if err != nil {
		return "", err
	}
	if c := g.fresh(); c != nil && c.Severity == SeverityBlocker {
		return "", Refusal([]Check{*c})
	}
	return "", nil
}

// Act is one action on a close.
type Act struct {
	VendorID string
	Cycle    cycle.Cycle
	Do       Action
	Override string // reason; needs the permission
	Reason   string
}

// Do records a step, then acts in one transaction. Faults: monthclose.refused with every reason,
// flow.not_from_state, flow.changed_meanwhile, scope.permission_missing, monthclose.summary_mismatch,
// monthclose.draft_stale.
func (s *Service) Do(ctx context.Context, sc scope.Scope, a Act) error {
	_, err := s.do(ctx, sc, a)
	return err
}

// do also gives what was checked.
func (s *Service) do(ctx context.Context, sc scope.Scope, a Act) ([]Check, error) {
	if err := s.allow(sc, a.VendorID, rowItems(a.Do)...); err != nil {
		return nil, err
	}
	if clean(a.Override) != "" {
		if err := sc.Require(scope.ItemCloseOverride); err != nil {
			return nil, err
		}
	}
	step, err := s.begin(ctx, sc, a)
	if err != nil {
		return nil, err
	}
	if err := s.point(string(a.Do) + ".recorded"); err != nil {
		return nil, err
	}
	checks, err := s.prepareAndAct(ctx, sc, a, step)
	if err != nil {
		if second := s.failed(ctx, a, step, err); second != nil {
			return nil, errors.Join(err, second)
		}
		return nil, err
	}
	return checks, s.point(string(a.Do) + ".done")
}

func rowItems(do Action) []scope.Item {
	for _, r := range Flow.Rows {
		if r.Do == do {
			return r.Who
		}
	}
	return []scope.Item{scope.ItemCloseRun}
}

// begin refuses what cannot go on, and otherwise records the close and the step it is about to take.
func (s *Service) begin(ctx context.Context, sc scope.Scope, a Act) (Step, error) {
	st := Step{Step: string(a.Do), State: StepBegun, BegunAt: s.Clock.Now()}
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		cl, g, err := s.gate(ctx, a.VendorID, a.Cycle)
		if err != nil {
			return err
		}
		if err := s.judge(ctx, sc, cl, g, a); err != nil {
			return err
		}
		if err := flow.Overtaken(ctx, s.Log, Flow.Machine, cl.Key()); err != nil { // before a step is written of what will be refused
			return err
		}
		if cl.Version == 0 {
			cl.Version = 1
			if err := s.Store.Insert(ctx, cl); err != nil {
				return err
			}
			if err := Flow.Begin(ctx, s.Log, cl.Key(), StateOpen, sc, st.BegunAt, nil); err != nil {
				return err
			}
		}
		if st.Run, err = s.Store.LastRun(ctx, a.VendorID, a.Cycle); err != nil {
			return err
		}
		if a.Do == ActionFreeze || st.Run == 0 {
			st.Run++
		}
		return s.Store.BeginStep(ctx, a.VendorID, a.Cycle, st)
	})
	return st, err
}

// judge gathers every reason against the action at once.
func (s *Service) judge(ctx context.Context, sc scope.Scope, cl Close, g Gate, a Act) error {
	row, ok := Flow.Lookup(cl.State, a.Do)
	if !ok {
		_, err := Flow.Decide(cl.State, a.Do, Facts{}, sc, g.Now)
		return Flow.Told(ctx, s.Log, cl.Key(), err)
	}
	if len(row.When) == 0 {
		return nil
	}
	return Refusal(Facts{Checks: g.Checks(), Override: a.override(cl, sc)}.Blocking(sc))
}

// override is the reason given now, else the one recorded before.
func (a Act) override(cl Close, sc scope.Scope) Override {
	if r := clean(a.Override); r != "" {
		return Override{Reason: r, By: sc.Login()}
	}
	return cl.override()
}

// failed records why a step ended, unless the close was moved by somebody else meanwhile.
func (s *Service) failed(ctx context.Context, a Act, st Step, cause error) error {
	var stop *stopped
	if errors.As(cause, &stop) || lostRace(cause) {
		return nil
	}
	st.State, st.Detail, st.DoneAt = StepFailed, fault.From(cause).Code, s.Clock.Now()
	return s.Tx.InTx(context.WithoutCancel(ctx), func(ctx context.Context) error {
		return s.Store.EndStep(ctx, a.VendorID, a.Cycle, st)
	})
}

// stopped marks an error of a checkpoint: the process is as good as killed and writes nothing more.
type stopped struct{ error }

// Unwrap gives the error of the checkpoint.
func (s *stopped) Unwrap() error { return s.error }

// prepared is a draft computed from one snapshot, with the name of what it was computed from.
type prepared struct {
	res    *bill.Result
	data   string
	silent map[string][]string
	uses   []coupon.Use // what vouchers will pay
}

// prepareAndAct computes a draft before the writing transaction, so that nobody waits for the reading
// of the lines; the transaction saves it only if nothing changed since.
func (s *Service) prepareAndAct(ctx context.Context, sc scope.Scope, a Act, st Step) ([]Check, error) {
	var ready prepared
	if a.Do == ActionDraft {
		err := s.Tx.InRead(ctx, func(ctx context.Context) error {
			var err error
			if ready.data, err = s.Store.Fingerprint(ctx, a.VendorID, a.Cycle); err != nil {
				return err
			}
			ready.res, ready.silent, err = s.compute(ctx, a.VendorID, a.Cycle)
			if err == nil {
				ready.uses, err = s.drawn(ctx, a.VendorID, ready.res)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return s.act(ctx, sc, a, st, ready)
}

// act does the step in one transaction.
func (s *Service) act(ctx context.Context, sc scope.Scope, a Act, st Step, ready prepared) (checks []Check, err error) {
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		cl, g, err := s.gate(ctx, a.VendorID, a.Cycle)
		if err != nil {
			return err
		}
		g.Silent = ready.silent
		if ready.res != nil {
			g.Strays = strays(ready.res)
		}
		checks = g.Checks()
		if err := s.judge(ctx, sc, cl, g, a); err != nil {
			return err
		}
		over := cl.override()
		if len(Blockers(checks)) > 0 {
			over = a.override(cl, sc)
		}
		from, now := cl.State, s.Clock.Now()
		facts := Facts{Checks: checks, Override: over}
		err = Flow.Fire(ctx, s.Log, flow.Move[State, Action, Facts]{Entity: cl.Key(), State: cl.State, Version: cl.Version, Do: a.Do,
			Facts: facts, Who: sc, Now: now, Reason: a.Reason}, func(ctx context.Context, to State) (bool, error) {
			noted := cl.OverrideNote != over.Reason
			cl.State, cl.OverrideNote, cl.OverrideBy = to, over.Reason, over.By
			if noted && (a.Do == ActionReview || a.Do == ActionIssue) {
				if err := s.note(ctx, cl); err != nil {
					return false, err
				}
			}
			if err := s.effects(ctx, &cl, a.Do, ready); err != nil {
				return false, err
			}
			return s.Store.Save(ctx, cl, from)
		})
		if err != nil {
			return err
		}
		if err := s.point(string(a.Do) + ".written"); err != nil {
			return &stopped{err}
		}
		st.State, st.DoneAt = StepDone, now
		if err := s.Store.EndStep(ctx, a.VendorID, a.Cycle, st); err != nil {
			return err
		}
		return s.record(ctx, sc, g.Vendor, cl, a.Do)
	})
	return checks, err
}

// strays counts customers with lines but without partner.
func strays(res *bill.Result) int64 {
	seen := map[string]bool{}
	for _, l := range res.Loose {
		if l.Standing == bill.StandingAlone {
			seen[l.Customer.ID] = true
		}
	}
	return int64(len(seen))
}

// effects are the named effects of the action, in the transaction of its move. Bills are issued and
// slots sealed before the close is written, because an issued close refuses both.
func (s *Service) effects(ctx context.Context, cl *Close, do Action, ready prepared) error {
	now := s.Clock.Now()
	switch do {
	case ActionFreeze:
		cl.FrozenAt = now
	case ActionThaw:
		*cl = cl.reopened()
	case ActionDraft:
		return s.draft(ctx, cl, ready)
	case ActionDiscard:
		*cl = cl.reopened()
		if s.Vouchers != nil {
			if err := s.Vouchers.Plan(ctx, cl.VendorID, string(cl.Cycle), nil, now); err != nil {
				return err
			}
		}
		return s.Bills.RemoveDraft(ctx, cl.VendorID, cl.Cycle)
	case ActionReview:
		cl.ReviewedAt = now
		return s.moveBills(ctx, cl, bill.ActionReview, bill.StateReviewed, time.Time{})
	case ActionIssue:
		return s.issue(ctx, cl)
	}
	return nil
}

// note puts a reason given after the draft on the bills it is for.
func (s *Service) note(ctx context.Context, cl Close) error {
	docs, err := s.kept(ctx, cl.VendorID, cl.Cycle)
	if err != nil {
		return err
	}
	reviewed := 0
	for i := range docs {
		if docs[i].State == bill.StateReviewed {
			reviewed++
		}
		docs[i].OverrideNote = cl.OverrideNote
		docs[i].Code = docs[i].ComputeCode()
	}
	if err := s.Bills.SaveDraft(ctx, cl.VendorID, cl.Cycle, docs, cl.DraftedAt); err != nil || reviewed == 0 {
		return err
	}
	_, err = s.Bills.SetState(ctx, cl.VendorID, cl.Cycle, bill.StateDraft, bill.StateReviewed, time.Time{})
	return err
}

// draft saves the prepared bills. Fault: monthclose.data_changed when lines, attribution or prices
// are no longer those they were computed from; a run then computes again.
func (s *Service) draft(ctx context.Context, cl *Close, ready prepared) error {
	now := s.Clock.Now()
	cl.Data, cl.PriceSeq, cl.DraftedAt = ready.data, ready.res.PriceSeq, now
	changed, err := s.stale(ctx, *cl)
	if err != nil {
		return err
	}
	if changed {
		return fault.Conflict("monthclose.data_changed", fault.Args{"Cycle": string(cl.Cycle)})
	}
	docs := slices.Clone(ready.res.Documents)
	for i := range docs {
		d := &docs[i]
		d.State, d.DraftedAt = bill.StateDraft, now
		if d.OverrideNote != cl.OverrideNote { // the code is of all that stands on the bill, but not of its state
			d.OverrideNote = cl.OverrideNote
			d.Code = d.ComputeCode()
		}
	}
	if err := s.Bills.SaveDraft(ctx, cl.VendorID, cl.Cycle, docs, now); err != nil {
		return err
	}
	if s.Vouchers != nil {
		if err := s.Vouchers.Plan(ctx, cl.VendorID, string(cl.Cycle), slices.Clone(ready.uses), now); err != nil {
			return err
		}
	}
	return s.eachBill(ctx, cl, func(d *bill.Document) error {
		return bill.Flow.Begin(ctx, s.Log, d.ID, bill.StateDraft, scope.System("system"), now, nil)
	})
}

func (s *Service) eachBill(ctx context.Context, cl *Close, do func(d *bill.Document) error) error {
	docs, err := s.heads(ctx, cl.VendorID, cl.Cycle)
	if err != nil {
		return err
	}
	for i := range docs {
		if err := do(&docs[i]); err != nil {
			return err
		}
	}
	return nil
}

// moveBills takes every bill of the cycle to its next state; at is the time of issue.
func (s *Service) moveBills(ctx context.Context, cl *Close, do bill.Action, to bill.State, at time.Time) error {
	var from bill.State
	var moved int64
	err := s.eachBill(ctx, cl, func(d *bill.Document) error {
		from = d.State
		moved++
		return bill.Flow.Fire(ctx, s.Log, flow.Move[bill.State, bill.Action, struct{}]{Entity: d.ID, State: d.State, Version: d.Version, Do: do,
			Who: scope.System("system"), Now: s.Clock.Now()}, func(context.Context, bill.State) (bool, error) { return true, nil })
	})
	if err != nil || moved == 0 {
		return err
	}
	n, err := s.Bills.SetState(ctx, cl.VendorID, cl.Cycle, from, to, at)
	if err == nil && n != moved {
		err = fault.Conflict("monthclose.data_changed", fault.Args{"Cycle": string(cl.Cycle)})
	}
	return err
}

func (s *Service) issue(ctx context.Context, cl *Close) error {
	cl.IssuedAt = s.Clock.Now()
	if err := s.Store.Seal(ctx, cl.VendorID, cl.Cycle); err != nil {
		return err
	}
	if s.Vouchers != nil {
		if err := s.Vouchers.Settle(ctx, cl.VendorID, string(cl.Cycle), cl.IssuedAt); err != nil {
			return err
		}
	}
	if err := s.moveBills(ctx, cl, bill.ActionIssue, bill.StateIssued, cl.IssuedAt); err != nil {
		return err
	}
	if s.Told == nil {
		return nil
	}
	docs, err := s.heads(ctx, cl.VendorID, cl.Cycle)
	if err != nil {
		return err
	}
	return s.Told(ctx, cl.VendorID, cl.Cycle, docs)
}

func (s *Service) record(ctx context.Context, sc scope.Scope, vendor string, cl Close, do Action) error {
	detail := map[string]any{"state": string(cl.State), "price_seq": cl.PriceSeq}
	if cl.OverrideNote != "" {
		detail["override"], detail["override_by"] = cl.OverrideNote, cl.OverrideBy
	}
	if do == ActionIssue {
		docs, err := s.heads(ctx, cl.VendorID, cl.Cycle)
		if err != nil {
			return err
		}
		codes := map[string]any{}
		for i := range docs {
			codes[docs[i].Partner.Code+"/"+docs[i].Currency+"/"+docs[i].Entity.Code] = docs[i].Code
		}
		detail["bills"] = codes
	}
	return s.Audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: cl.VendorID, Action: "close." + string(do),
		Object: "close:" + vendor + "/" + string(cl.Cycle), Outcome: "done", Detail: detail})
}
