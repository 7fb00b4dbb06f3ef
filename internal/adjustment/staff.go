package adjustment

import (
	"context"
	"strings"
	"unicode/utf8"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/foureyes"
	"huoban/internal/id"
	"huoban/internal/money"
	"huoban/internal/price"
	"huoban/internal/scope"
	"huoban/internal/usage"
)

// Proposal is an entry by staff, waiting for a second person.
type Proposal struct {
	VendorID   string
	PartnerID  string // who is billed
	CustomerID string // for whom; empty is the partner itself
	Corrects   cycle.Cycle
	Currency   string
	Amount     string // decimal text; below zero is in the partner's favour
	Reason     string
}

const maxReason = 500

// Validate checks what needs no store. Faults: adjustment.partner_missing, adjustment.reason_missing,
// adjustment.reason_too_long, adjustment.amount_zero, adjustment.amount_scale,
// adjustment.currency_unknown, cycle.malformed, money.malformed, money.out_of_range.
func (p Proposal) Validate() (money.Amount, error) {
	if p.PartnerID == "" {
		return 0, fault.Invalid("adjustment.partner_missing", nil)
	}
	if strings.TrimSpace(p.Reason) == "" {
		return 0, fault.Invalid("adjustment.reason_missing", nil)
	}
	if utf8.RuneCountInString(p.Reason) > maxReason {
		return 0, fault.Invalid("adjustment.reason_too_long", fault.Args{"Limit": maxReason})
	}
	if _, err := cycle.Parse(string(p.Corrects)); err != nil {
		return 0, err
	}
	if !money.KnownCurrency(p.Currency) {
		return 0, fault.Invalid("adjustment.currency_unknown", fault.Args{"Currency": p.Currency})
	}
	x, err := money.ParseExact(strings.TrimSpace(p.Amount))
	if err != nil {
		return 0, err
	}
	if x.IsZero() {
		return 0, fault.Invalid("adjustment.amount_zero", nil)
	}
	if x.Scale() > 8 {
		return 0, fault.Invalid("adjustment.amount_scale", fault.Args{"Amount": x.String()})
	}
	return x.Amount()
}

// Propose enters an adjustment; it counts once a second person approves it. Faults: those of
// Validate, scope.permission_missing, adjustment.partner_unknown.
func (s *Service) Propose(ctx context.Context, sc scope.Scope, in Proposal) (Adjustment, error) {
	if err := sc.Require(scope.ItemAdjustmentPropose); err != nil {
		return Adjustment{}, err
	}
	amount, err := in.Validate()
	if err != nil {
		return Adjustment{}, err
	}
	if !sc.SeesVendor(in.VendorID) {
		return Adjustment{}, fault.NotFound("adjustment.partner_unknown", nil)
	}
	var a Adjustment
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.checkParties(ctx, &in); err != nil {
			return err
		}
		into, err := s.Cycles.OpenFor(ctx, in.VendorID, in.Corrects)
		if err != nil {
			return err
		}
		a = s.entry(sc, in, into, amount)
		if err := s.Store.Insert(ctx, &a); err != nil {
			return err
		}
		if err := Flow.Begin(ctx, s.Log, a.ID, a.State, sc, a.CreatedAt, nil); err != nil {
			return err
		}
		return s.record(ctx, sc, "adjustment.propose", &a)
	})
	return a, err
}

// checkParties wants a partner that deals with the vendor, and gives the customer its default.
func (s *Service) checkParties(ctx context.Context, in *Proposal) error {
	parties, err := s.Parties.Parties(ctx, in.VendorID)
	if err != nil {
		return err
	}
	org, ok := parties.Org(in.PartnerID)
	if _, _, deals := parties.Entity("", in.PartnerID); !ok || !deals || org.Kind == "customer" || org.Kind == "vendor" {
		return fault.NotFound("adjustment.partner_unknown", nil)
	}
	if in.CustomerID == "" {
		in.CustomerID = in.PartnerID
	}
	if _, ok := parties.Org(in.CustomerID); !ok {
		return fault.NotFound("adjustment.customer_unknown", nil)
	}
	return nil
}

func (s *Service) entry(sc scope.Scope, in Proposal, into cycle.Cycle, amount money.Amount) Adjustment {
	a := Adjustment{ID: id.New(), VendorID: in.VendorID, Cycle: into, Corrects: in.Corrects, Kind: KindStaff, State: StateProposed, Version: 1,
		CustomerID: in.CustomerID, PartnerID: in.PartnerID, Currency: in.Currency, Base: amount.Exact(), LineCount: 1,
		Reason: strings.TrimSpace(in.Reason), CreatedBy: sc.Login(), CreatedAt: s.Clock.Now()}
	a.PairID = a.ID
	a.Prices = StaffPrices(&a)
	return a
}

// StaffPrices is what an entry by staff is worth: the amount as entered, for the partner named.
func StaffPrices(a *Adjustment) []Price {
	amount, err := a.Base.Amount()
	if err != nil {
		return nil
	}
	return []Price{{PartnerID: a.PartnerID, Kind: usage.KindAdjustment, RuleType: price.TypeNormal, Base: price.BaseBilled,
		Factor: money.MustExact("1"), LineCount: 1, SourceExact: a.Base, BaseExact: a.Base, Exact: a.Base, Amount: amount}}
}

// Approve lets a proposal count, in the cycle it was entered for or, if that is no longer open, in
// the next open one. Faults: adjustment.unknown, adjustment.same_person, flow.not_from_state,
// flow.changed_meanwhile, scope.permission_missing.
func (s *Service) Approve(ctx context.Context, sc scope.Scope, adjustmentID string) (Adjustment, error) {
	return s.decide(ctx, sc, adjustmentID, ActionApprove, "")
}

// Reject ends a proposal. Faults: those of Approve, flow.reason_missing.
func (s *Service) Reject(ctx context.Context, sc scope.Scope, adjustmentID, reason string) (Adjustment, error) {
	return s.decide(ctx, sc, adjustmentID, ActionReject, reason)
}

func (s *Service) decide(ctx context.Context, sc scope.Scope, adjustmentID string, do Action, reason string) (Adjustment, error) {
	var out Adjustment
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		a, err := s.Store.ByID(ctx, sc, adjustmentID)
		if err != nil {
			return err
		}
		if do == ActionApprove {
			if a.Cycle, err = s.Cycles.OpenFor(ctx, a.VendorID, a.Cycle); err != nil {
				return err
			}
		}
		facts, err := s.facts(ctx, &a)
		if err != nil {
			return err
		}
		now := s.Clock.Now()
		err = Flow.Fire(ctx, s.Log, flow.Move[State, Action, Facts]{Entity: a.ID, State: a.State, Version: a.Version, Do: do,
			Facts: facts, Who: sc, Now: now, Reason: reason},
			func(ctx context.Context, to State) (bool, error) { return s.Store.Decide(ctx, &a, to, sc.Login(), now) })
		if err != nil {
			return err
		}
		if out, err = s.Store.ByID(ctx, sc, adjustmentID); err != nil {
			return err
		}
		return s.record(ctx, sc, "adjustment."+string(do), &out)
	})
	return out, err
}

// facts asks whether the amount needs a second person; a service that knows no limits always wants one.
func (s *Service) facts(ctx context.Context, a *Adjustment) (Facts, error) {
	if s.Limits == nil {
		return Facts{CreatedBy: a.CreatedBy}, nil
	}
	limits, err := s.Limits(ctx, a.VendorID)
	return FactsOf(a, limits), err
}

// FactsOf judges an entry under a vendor's limits.
func FactsOf(a *Adjustment, limits foureyes.Limits) Facts {
	return Facts{CreatedBy: a.CreatedBy, One: !limits.Needed(foureyes.KindAdjustment, a.Currency, a.Base)}
}

// List shows adjustments of a vendor to its staff. Fault: scope.permission_missing.
func (s *Service) List(ctx context.Context, sc scope.Scope, f Filter) ([]Adjustment, error) {
	if err := sc.Require(scope.ItemAdjustmentView); err != nil {
		return nil, err
	}
	return s.Store.List(ctx, sc, f)
}
