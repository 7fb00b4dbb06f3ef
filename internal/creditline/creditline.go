// Package creditline is the change of a partner's credit line (信用额度调整) by its vendor's staff.
//
// It owns the change, who proposed and who decided it; it does not own the line itself, which is in the books, nor the
// amount above which two persons decide. Invariants: a line is set once per change, by the change's own key; of a partner
// and currency one change waits at most, and while it waits nobody makes another; who proposed a change that needs two
// persons does not decide it.
//
// Spec: docs/funds.md#credit-lines
package creditline

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/foureyes"
	"huoban/internal/id"
	"huoban/internal/ledger"
	"huoban/internal/money"
	"huoban/internal/scope"
)

// Change is a line that is to be, or was, another.
type Change struct {
	ID          string
	VendorID    string
	PartnerID   string
	PartnerCode string // of a reading
	PartnerName string
	Currency    string
	Was, Line   money.Amount
	Memo        string
	State       State
	Version     int64
	CreatedBy   string
	CreatedAt   time.Time
	DecidedBy   string
	DecidedAt   time.Time
	Reason      string
}

// Weight is what two persons are asked about: a line that is raised counts whole, so that many small steps do not go round
// the limit; one that is lowered counts by what is taken off.
func (c *Change) Weight() money.Amount {
	if c.Line > c.Was {
		return c.Line
	}
	return c.Was - c.Line
}

// Store keeps changes; internal/store/ledgerstore implements it.
type Store interface {
	Insert(ctx context.Context, c Change) error
	// Set decides one that is still as it was loaded.
	Set(ctx context.Context, c Change, from State) (bool, error)
	ByID(ctx context.Context, changeID string) (Change, bool, error)
	// Of lists a vendor's, what waits first.
	Of(ctx context.Context, vendorID string) ([]Change, error)
	// Waiting is the change of a line that waits, if any.
	Waiting(ctx context.Context, vendorID, partnerID, currency string) (Change, bool, error)
}

// Books are the lines themselves; *ledger.Service has them.
type Books interface {
	State(ctx context.Context, a ledger.Account) (ledger.State, error)
	CheckLine(st ledger.State, line money.Amount) error
	SetCreditLine(ctx context.Context, sc scope.Scope, partnerID, currency string, line money.Amount, memo, key string) (ledger.State, error)
}

// Service proposes and decides.
type Service struct {
	Tx interface {
		InTx(ctx context.Context, fn func(ctx context.Context) error) error
	}
	Store  Store
	Books  Books
	Log    flow.Log
	Audit  audit.Recorder
	Clock  clock.Clock
	Limits func(ctx context.Context, vendorID string) (foureyes.Limits, error)
}

// Input is a line wanted.
type Input struct {
	PartnerID string
	Currency  string
	Line      money.Amount
	Memo      string
}

// Propose sets a line where one person may, and keeps the change for a second person elsewhere. The line there is already
// changes nothing. Faults: creditline.waiting, ledger.line_malformed, .line_in_use, .currency_unknown, .memo_long,
// scope.permission_missing.
func (s *Service) Propose(ctx context.Context, sc scope.Scope, in Input) (Change, error) {
	var c Change
	if err := sc.Require(scope.ItemCreditChange); err != nil {
		return c, err
	}
	in.Memo = strings.TrimSpace(in.Memo)
	if utf8.RuneCountInString(in.Memo) > ledger.MaxMemo {
		return c, fault.Invalid("ledger.memo_long", fault.Args{"limit": ledger.MaxMemo})
	}
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		if w, waits, err := s.Store.Waiting(ctx, sc.OrgID(), in.PartnerID, in.Currency); err != nil || waits {
			if err == nil {
				err = fault.Conflict("creditline.waiting", fault.Args{"login": w.CreatedBy, "line": w.Line.String(), "currency": w.Currency})
			}
			return err
		}
		st, err := s.Books.State(ctx, ledger.Of(sc.OrgID(), in.PartnerID, ledger.KindCredit, in.Currency))
		if err == nil {
			err = s.Books.CheckLine(st, in.Line)
		}
		if err != nil {
			return err
		}
		now := s.Clock.Now()
		c = Change{ID: id.New(), VendorID: sc.OrgID(), PartnerID: in.PartnerID, Currency: in.Currency, Was: st.Line, Line: in.Line, Memo: in.Memo, State: StateApproved, Version: 1, CreatedBy: sc.Login(), CreatedAt: now}
		if c.Line == c.Was {
			return nil
		}
		needed, err := s.needed(ctx, &c)
		if err != nil {
			return err
		}
		if needed {
			c.State = StateProposed
		} else {
			c.DecidedBy, c.DecidedAt = sc.Login(), now
		}
		if err := s.Store.Insert(ctx, c); err != nil {
			return err
		}
		if err := Flow.Begin(ctx, s.Log, c.ID, c.State, sc, now, nil); err != nil {
			return err
		}
		if !needed {
			return s.set(ctx, sc, &c)
		}
		return s.record(ctx, sc, &c, "credit_line.propose")
	})
	return c, err
}

func (s *Service) needed(ctx context.Context, c *Change) (bool, error) {
	limits, err := s.Limits(ctx, c.VendorID)
	return limits.Needed(foureyes.KindCredit, c.Currency, c.Weight().Exact()), err
}

func (s *Service) set(ctx context.Context, sc scope.Scope, c *Change) error {
	_, err := s.Books.SetCreditLine(ctx, sc, c.PartnerID, c.Currency, c.Line, c.Memo, "credit_change/"+c.ID)
	return err
}

func (s *Service) record(ctx context.Context, sc scope.Scope, c *Change, action string) error {
	return s.Audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: c.VendorID, Action: action, Object: "organisation:" + c.PartnerID,
		Detail: map[string]any{"currency": c.Currency, "before": c.Was.String(), "after": c.Line.String(), "memo": c.Memo, "reason": c.Reason}})
}

// List gives the changes of the actor's vendor, what waits first. Fault: scope.permission_missing.
func (s *Service) List(ctx context.Context, sc scope.Scope) ([]Change, error) {
	if err := sc.Require(scope.ItemLedgerView, scope.ItemCreditChange); err != nil {
		return nil, err
	}
	return s.Store.Of(ctx, sc.OrgID())
}

// Find reads one of List. Fault: creditline.unknown.
func (s *Service) Find(ctx context.Context, sc scope.Scope, changeID string) (Change, error) {
	if err := sc.Require(scope.ItemLedgerView, scope.ItemCreditChange); err != nil {
		return Change{}, err
	}
	c, found, err := s.Store.ByID(ctx, changeID)
	if err == nil && (!found || sc.Side() != scope.SideVendor || c.VendorID != sc.OrgID()) {
		c, err = Change{}, fault.NotFound("creditline.unknown", nil)
	}
	return c, err
}

// facts: a change that waits waits because two persons are needed, whatever the limit became since.
func facts(c *Change) Facts {
	return Facts{VendorID: c.VendorID, Case: foureyes.Case{First: c.CreatedBy, Needed: c.State == StateProposed}}
}

// Allowed are what the actor may do with a change.
func (s *Service) Allowed(sc scope.Scope, c *Change) []flow.Button {
	return Flow.Allowed(c.State, facts(c), sc, s.Clock.Now())
}

// Decide approves, refuses or withdraws a change; what is approved is set at once. Faults: creditline.unknown, .not_own,
// .not_proposer, foureyes.same_person, ledger.line_in_use, those of flow.Fire.
func (s *Service) Decide(ctx context.Context, sc scope.Scope, changeID string, do Action, reason string) (Change, error) {
	var c Change
	err := s.Tx.InTx(ctx, func(ctx context.Context) (err error) {
		if c, err = s.Find(ctx, sc, changeID); err != nil {
			return err
		}
		now, from, version := s.Clock.Now(), c.State, c.Version
		err = Flow.Fire(ctx, s.Log, flow.Move[State, Action, Facts]{Entity: c.ID, State: from, Version: version, Do: do, Facts: facts(&c), Who: sc, Now: now, Reason: reason},
			func(ctx context.Context, to State) (bool, error) {
				next := c
				next.State, next.DecidedBy, next.DecidedAt, next.Reason = to, sc.Login(), now, strings.TrimSpace(reason)
				won, err := s.Store.Set(ctx, next, from)
				next.Version++
				c = next
				return won, err
			})
		if err != nil {
			return err
		}
		if c.State == StateApproved {
			if err := s.set(ctx, sc, &c); err != nil {
				return err
			}
		}
		return s.record(ctx, sc, &c, "credit_line."+string(do))
	})
	return c, err
}
