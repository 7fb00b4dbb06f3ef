package statement

import (
	"context"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/scope"
)

// Actions lists what the actor may do with a statement.
func (s *Service) Actions(ctx context.Context, sc scope.Scope, x *Statement) ([]flow.Button, error) {
	if sc.Side() != scope.SidePartner {
		return nil, nil
	}
	f, err := s.facts(ctx, x)
	return Flow.Allowed(x.State, f, sc, s.Clock.Now()), err
}

// History is what happened to a statement, oldest first.
func (s *Service) History(ctx context.Context, x *Statement) ([]flow.Change, error) {
	return s.Log.History(ctx, Flow.Machine, x.ID)
}

func (s *Service) facts(ctx context.Context, x *Statement) (Facts, error) {
	f := Facts{PartnerID: x.PartnerID, RuleSeq: x.RuleSeq, HeadVersion: x.HeadVersion}
	if x.State != StateDraft {
		return f, nil
	}
	versions, err := s.Store.Rules(ctx, x.PartnerID)
	if err != nil {
		return f, err
	}
	h, _, err := s.Store.Head(ctx, x.PartnerID, 0)
	f.BookSeq, f.HeadNow = newest(versions), h.Version
	return f, err
}

// Do fires an action of the machine. Faults: statement.unknown, those of flow.Fire.
func (s *Service) Do(ctx context.Context, sc scope.Scope, statementID string, do Action, reason string) (Statement, error) {
	var out Statement
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := partnerOnly(sc, scope.ItemStatementView); err != nil {
			return err
		}
		x, err := s.Store.ByID(ctx, sc, statementID)
		if err != nil {
			return err
		}
		f, err := s.facts(ctx, &x)
		if err != nil {
			return err
		}
		if err := s.fire(ctx, sc, &x, f, do, reason); err != nil {
			return err
		}
		out = x
		return s.record(ctx, sc, "statement."+string(do), &x, nil)
	})
	return out, err
}

// DoAll issues or sends everything of a cycle that waits for it, whole or not at all, and tells how many there
// were. Corrections are issued one by one. Faults: statement.unknown, those of flow.Fire.
func (s *Service) DoAll(ctx context.Context, sc scope.Scope, c cycle.Cycle, do Action) (int, error) {
	if err := partnerOnly(sc, scope.ItemStatementIssue); err != nil {
		return 0, err
	}
	from := map[Action]State{ActionIssue: StateDraft, ActionSend: StateIssued}[do]
	if from == "" || c == "" {
		return 0, fault.NotFound("statement.unknown", nil)
	}
	var done []*Statement
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		done = nil
		list, err := s.Store.List(ctx, sc, Filter{Cycle: c, State: from})
		if err != nil || len(list) == 0 {
			return err
		}
		f, err := s.facts(ctx, &list[0])
		if err != nil {
			return err
		}
		for i := range list {
			x := &list[i]
			if do == ActionIssue && x.ReplacesID != "" {
				continue
			}
			f.PartnerID, f.RuleSeq, f.HeadVersion = x.PartnerID, x.RuleSeq, x.HeadVersion
			if err := s.fire(ctx, sc, x, f, do, ""); err != nil {
				return err
			}
			done = append(done, x)
		}
		if len(done) == 0 {
			return nil
		}
		return s.recordMany(ctx, sc, "statement."+string(do)+"_all", c, done)
	})
	return len(done), err
}

func (s *Service) discard(ctx context.Context, sc scope.Scope, x *Statement) error {
	return s.fire(ctx, sc, x, Facts{PartnerID: x.PartnerID}, ActionDiscard, "")
}

// fire makes one move with its effects inside the running transaction.
func (s *Service) fire(ctx context.Context, sc scope.Scope, x *Statement, f Facts, do Action, reason string) error {
	now := s.Clock.Now()
	before := *x
	next := *x
	err := Flow.Fire(ctx, s.Log, flow.Move[State, Action, Facts]{Entity: x.ID, State: x.State, Version: x.Version, Do: do, Facts: f, Who: sc, Now: now, Reason: reason},
		func(ctx context.Context, to State) (bool, error) {
			next.State, next.Version = to, before.Version+1
			switch do {
			case ActionIssue:
				last, err := s.Store.LastSerial(ctx, x.PartnerID, x.Cycle)
				if err != nil {
					return false, err
				}
				next.Serial, next.Number, next.IssuedAt = last+1, numberOf(x.Cycle, last+1), now
				if err := s.replace(ctx, sc, &next); err != nil {
					return false, err
				}
			case ActionSend:
				next.SentAt = now
			}
			return s.Store.Set(ctx, &next, before.State, before.Version)
		})
	if err != nil {
		return err
	}
	*x = next
	if do == ActionSend && s.Sent != nil {
		return s.Sent(ctx, x)
	}
	return nil
}

// replace takes the corrected statement out of force. One that was withdrawn meanwhile stays withdrawn.
func (s *Service) replace(ctx context.Context, sc scope.Scope, x *Statement) error {
	if x.ReplacesID == "" {
		return nil
	}
	old, err := s.Store.ByID(ctx, sc, x.ReplacesID)
	if err != nil || !old.Live() {
		return err
	}
	return s.fire(ctx, scope.System(sc.Login()), &old, Facts{PartnerID: old.PartnerID}, ActionReplace, x.Number)
}
