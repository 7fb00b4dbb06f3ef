package withdrawal

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/id"
	"huoban/internal/ledger"
	"huoban/internal/message"
	"huoban/internal/money"
	"huoban/internal/organisation"
	"huoban/internal/scope"
)

// Tx runs a function in one transaction; fn may be run again.
type Tx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// Filter narrows a list. Zero values do not.
type Filter struct {
	VendorID, PartnerID string
	State               State
	Kind                Kind
	From, Until         time.Time
}

// Store keeps requests. Lists are newest first and leave deleted ones out.
type Store interface {
	// ByID answers not_found "withdrawal.unknown".
	ByID(ctx context.Context, id string) (Request, error)
	Parts(ctx context.Context, id string) ([]Part, error) // asked only of what the actor may see
	List(ctx context.Context, f Filter) ([]Request, error)
	Insert(ctx context.Context, r Request) error
	// Set writes what a move changes if state and version are as loaded.
	Set(ctx context.Context, r Request, from State, version int64) (bool, error)
	// Taken is what requests that are not undone took of entries, and which entries went back in vain.
	Taken(ctx context.Context, vendorID, partnerID string) (taken map[string]money.Amount, returned map[string]bool, err error)
	// Payee is the account used last; empty when there is none.
	Payee(ctx context.Context, partnerID string) (Payee, error)
}

// Ledger is what is asked of the books.
type Ledger interface {
	Post(ctx context.Context, e ledger.Entry) (ledger.Posted, error)
	State(ctx context.Context, a ledger.Account) (ledger.State, error)
	Incoming(ctx context.Context, a ledger.Account) ([]ledger.Movement, error)
	OfPartner(ctx context.Context, partnerID string) ([]ledger.State, error)
	Spent(ctx context.Context, vendorID, partnerID, currency string) (money.Amount, error)
}

// Origin says by which way and to which contracting entity an entry came in.
type Origin struct {
	Way              Way
	EntityID, Entity string
}

// Organisations is what is asked of organisations.
type Organisations interface {
	ByID(ctx context.Context, sc scope.Scope, orgID string) (organisation.Organisation, error)
	VendorsOf(ctx context.Context, partner organisation.Organisation) ([]organisation.Organisation, error)
}

// Deps is what the service stands on. Hooks that are nil ask nobody.
type Deps struct {
	Store         Store
	Tx            Tx
	Log           flow.Log
	Audit         audit.Recorder
	Clock         clock.Clock
	Ledger        Ledger
	Organisations Organisations
	Teller        message.Teller

	// Origins tells of movements of a partner how they came in; those left out came by transfer.
	Origins func(ctx context.Context, vendorID, partnerID string, list []ledger.Movement) (map[string]Origin, error)
	// Identity is the verified name of a partner; ok is false where it is not verified.
	Identity func(ctx context.Context, partnerID string) (name string, ok bool, err error)
	// Invoiced is what invoices hold, and the refusal that leads to their return.
	Invoiced func(ctx context.Context, partnerID, vendorID, currency string) (money.Amount, func(money.Amount) *fault.Error, error)
	// Apart is what was spent on what no invoice is asked for: contracts.
	Apart func(ctx context.Context, vendorID, partnerID, currency string) (money.Amount, error)
	// TwoNeeded tells whether two persons have to agree to an amount.
	TwoNeeded func(ctx context.Context, vendorID, currency string, amount money.Amount) (bool, error)
	// DueBy is the end of the n-th working day after an instant, by the vendor's calendar.
	DueBy func(ctx context.Context, vendorID string, from time.Time, days int) (time.Time, error)
	// Confirmed refuses somebody who has to prove anew who he is, inside the transaction.
	Confirmed func(ctx context.Context, sc scope.Scope) error
}

// Service takes, reviews and pays withdrawals.
type Service struct{ Deps }

// New makes the service.
func New(d Deps) *Service { return &Service{d} }

func unknown() error { return fault.NotFound("withdrawal.unknown", nil) }

// List gives what the actor sees: a partner its own, a vendor those asked of it. Fault: scope.permission_missing.
func (s *Service) List(ctx context.Context, sc scope.Scope, f Filter) ([]Request, error) {
	switch sc.Side() {
	case scope.SidePartner:
		if err := sc.Require(scope.ItemFundsView, scope.ItemWithdraw); err != nil {
			return nil, err
		}
		f.PartnerID, f.VendorID = sc.OrgID(), ""
	case scope.SideVendor:
		if err := sc.Require(scope.ItemPayoutView, scope.ItemPayoutReview, scope.ItemPayoutPay); err != nil {
			return nil, err
		}
		f.VendorID = sc.OrgID()
	default:
		return nil, unknown()
	}
	return s.Store.List(ctx, f)
}

// Find gives one in sight. Faults: withdrawal.unknown, scope.permission_missing.
func (s *Service) Find(ctx context.Context, sc scope.Scope, requestID string) (Request, error) {
	r, err := s.find(ctx, sc, requestID)
	if err == nil && r.State == StateDeleted {
		return Request{}, unknown()
	}
	return r, err
}

// find gives what was deleted too, so that who acts on it is told by whom.
func (s *Service) find(ctx context.Context, sc scope.Scope, requestID string) (Request, error) {
	r, err := s.Store.ByID(ctx, requestID)
	if err != nil {
		return r, err
	}
	items := []scope.Item{scope.ItemFundsView, scope.ItemWithdraw}
	mine := sc.Side() == scope.SidePartner && r.PartnerID == sc.OrgID()
	if sc.Side() == scope.SideVendor {
		mine, items = r.VendorID == sc.OrgID(), []scope.Item{scope.ItemPayoutView, scope.ItemPayoutReview, scope.ItemPayoutPay}
	}
	if !mine && sc.Side() != scope.SideSystem {
		return Request{}, unknown()
	}
	if err := sc.Require(items...); err != nil {
		return r, err
	}
	r.Parts, err = s.Store.Parts(ctx, r.ID)
	return r, err
}

// Payee is the account the partner used last.
func (s *Service) Payee(ctx context.Context, sc scope.Scope) (Payee, error) {
	return s.Store.Payee(ctx, sc.OrgID())
}

// Apply freezes an amount and asks the vendor to pay it. Faults: those of Input.check, AmountOf and Source.Fits;
// withdrawal.unverified, .source_unknown, .source_short, .source_twice, .entities_mixed, .not_enough, .holder_differs;
// the refusal of invoices, those of Confirmed, scope.permission_missing.
func (s *Service) Apply(ctx context.Context, sc scope.Scope, in Input) (Request, error) {
	in = in.normal()
	if err := in.check(); err != nil {
		return Request{}, err
	}
	var out Request
	err := s.Tx.InTx(ctx, func(ctx context.Context) (err error) {
		if out, err = s.plan(ctx, sc, in); err != nil {
			return err
		}
		if err := s.Store.Insert(ctx, out); err != nil {
			return err
		}
		if err := Flow.Begin(ctx, s.Log, out.ID, out.State, sc, out.CreatedAt, nil); err != nil {
			return err
		}
		if err := s.move(ctx, sc, &out, "freeze", ledger.TypeFrozen, ledger.DetailFreeze, ledger.KindBalance, ledger.KindFrozen); err != nil {
			return err
		}
		if err := s.record(ctx, sc, &out, "withdrawal.apply"); err != nil {
			return err
		}
		if err := s.tell(ctx, &out, out.VendorID, scope.ItemPayoutReview, "withdrawal_asked"); err != nil {
			return err
		}
		if s.Confirmed == nil {
			return nil
		}
		return s.Confirmed(ctx, sc)
	})
	return out, err
}

// plan is the request an input makes, with everything that could refuse it.
func (s *Service) plan(ctx context.Context, sc scope.Scope, in Input) (Request, error) {
	now := s.Clock.Now()
	st, err := s.Standing(ctx, sc, in.VendorID, in.Currency)
	if err != nil {
		return Request{}, err
	}
	name, refusal, err := s.identity(ctx, sc.OrgID())
	if err != nil {
		return Request{}, err
	}
	if refusal != nil {
		return Request{}, refusal
	}
	r := Request{ID: id.New(), VendorID: in.VendorID, PartnerID: sc.OrgID(), Currency: in.Currency, Kind: in.Kind, Voluntary: in.Voluntary, Memo: in.Memo,
		Login: sc.Login(), State: StatePending, Version: 1, CreatedAt: now, ChangedAt: now}
	r.Number = numberOf(r.ID, now)
	if in.Kind != KindOriginal {
		r.Payee = in.Payee
	}
	if in.Kind == KindRebate && name != "" && in.Payee.Holder != name {
		return r, fault.Invalid("withdrawal.holder_differs", fault.Args{"name": name})
	}
	if err := r.take(&st, in, now); err != nil {
		return r, err
	}
	if r.Amount > st.Free {
		return r, s.tooMuch(ctx, &r, &st)
	}
	r.DueAt, err = s.due(ctx, &r, ReviewDays)
	return r, err
}

// tooMuch says what keeps an amount from being taken.
func (s *Service) tooMuch(ctx context.Context, r *Request, st *Standing) error {
	if r.Amount <= st.Balance && st.Invoiced > 0 {
		_, refuse, err := s.invoiced(ctx, r.PartnerID, r.VendorID, r.Currency, st.Balance)
		if err != nil {
			return err
		}
		if refuse != nil {
			return refuse(st.Invoiced)
		}
	}
	return fault.Conflict("withdrawal.not_enough", fault.Args{"asked": r.Amount.String(), "free": st.Free.String(), "currency": r.Currency})
}

// take fills the parts from the sources.
func (r *Request) take(st *Standing, in Input, now time.Time) error {
	var reasons []*fault.Error
	for _, t := range in.Takes {
		amount, err := AmountOf(t.Amount)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(st.Sources, func(x Source) bool { return x.EntryID == t.EntryID })
		if i < 0 {
			return fault.Conflict("withdrawal.source_unknown", nil)
		}
		x := &st.Sources[i]
		if slices.ContainsFunc(r.Parts, func(p Part) bool { return p.EntryID == t.EntryID }) {
			return fault.Invalid("withdrawal.source_twice", nil)
		}
		if f := x.Fits(in.Kind, in.Voluntary, now); f != nil {
			reasons = append(reasons, f)
			continue
		}
		if amount > x.Left() {
			reasons = append(reasons, fault.Conflict("withdrawal.source_short", fault.Args{"number": x.Number, "left": x.Left().String(), "currency": r.Currency}))
			continue
		}
		if len(r.Parts) > 0 && r.EntityID != x.EntityID {
			return fault.Conflict("withdrawal.entities_mixed", nil)
		}
		r.EntityID = x.EntityID
		r.Parts = append(r.Parts, Part{EntryID: x.EntryID, Way: x.Way, Number: x.Number, At: x.At, Amount: amount})
		if r.Amount, err = r.Amount.Add(amount); err != nil {
			return err
		}
	}
	switch len(reasons) {
	case 0:
		return nil
	case 1:
		return reasons[0]
	}
	return fault.Refused("withdrawal.refused", reasons)
}

func (s *Service) due(ctx context.Context, r *Request, days int) (time.Time, error) {
	if s.DueBy == nil {
		return time.Time{}, nil
	}
	return s.DueBy(ctx, r.VendorID, s.Clock.Now(), days)
}

// move posts the amount of a request from one of the partner's accounts to another, or to a vendor's.
func (s *Service) move(ctx context.Context, sc scope.Scope, r *Request, step string, t ledger.Type, d ledger.Detail, from, to ledger.Kind) error {
	account := func(k ledger.Kind) ledger.Account {
		if k == ledger.KindPayout || k == ledger.KindBank {
			return ledger.Counter(r.VendorID, k, r.Currency)
		}
		return ledger.Of(r.VendorID, r.PartnerID, k, r.Currency)
	}
	_, err := s.Ledger.Post(ctx, ledger.Entry{VendorID: r.VendorID, Type: t, Detail: d, Key: fmt.Sprintf("withdrawal/%s/%d/%s", r.ID, r.Version, step), Reference: "withdrawal:" + r.ID,
		Number: r.Number, Memo: r.Memo, Actor: sc.Login(), Lines: []ledger.Line{{Account: account(from), Amount: -r.Amount}, {Account: account(to), Amount: r.Amount}}})
	return err
}

// DoInput is a step of a request.
type DoInput struct {
	Do      Action
	Reason  string
	Receipt string // of succeed
}

// Do reviews, pays, cancels or deletes. Faults: withdrawal.unknown, .receipt_malformed, those of the guards and of
// flow.Fire, scope.permission_missing.
func (s *Service) Do(ctx context.Context, sc scope.Scope, requestID string, in DoInput) (Request, error) {
	in.Receipt = strings.TrimSpace(in.Receipt)
	if len([]rune(in.Receipt)) > MaxName {
		return Request{}, fault.Invalid("withdrawal.receipt_malformed", fault.Args{"limit": MaxName})
	}
	var out Request
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		r, err := s.find(ctx, sc, requestID)
		if err != nil {
			return err
		}
		facts, err := s.facts(ctx, &r)
		if err != nil {
			return err
		}
		next, now := r, s.Clock.Now()
		next.ChangedAt, next.Version = now, r.Version+1
		if err := s.changed(ctx, sc, &next, in); err != nil {
			return err
		}
		err = Flow.Fire(ctx, s.Log, flow.Move[State, Action, Facts]{Entity: r.ID, State: r.State, Version: r.Version, Do: in.Do, Facts: facts, Who: sc, Now: now, Reason: in.Reason},
			func(ctx context.Context, to State) (bool, error) {
				next.State = to
				return s.Store.Set(ctx, next, r.State, r.Version)
			})
		if err != nil {
			return err
		}
		if err := s.effects(ctx, sc, &next, in.Do); err != nil {
			return err
		}
		out = next
		return s.record(ctx, sc, &next, "withdrawal."+string(in.Do))
	})
	return out, err
}

// changed is what an action writes beside the state.
func (s *Service) changed(ctx context.Context, sc scope.Scope, r *Request, in DoInput) (err error) {
	switch in.Do {
	case ActionForward:
		r.FirstBy = sc.Login()
	case ActionApprove, ActionSecond, ActionRetry:
		r.DueAt, err = s.due(ctx, r, PayDays)
		r.Reason = ""
	case ActionRefuse, ActionFail, ActionReturn:
		r.Reason = strings.TrimSpace(in.Reason)
	case ActionSucceed:
		r.Receipt = in.Receipt
	}
	return err
}

// effects moves the money of an action and tells the partner.
func (s *Service) effects(ctx context.Context, sc scope.Scope, r *Request, do Action) error {
	var err error
	switch do {
	case ActionApprove, ActionSecond, ActionRetry:
		err = s.move(ctx, sc, r, "send", ledger.TypeFrozen, ledger.DetailClearFrozen, ledger.KindFrozen, ledger.KindPayout)
	case ActionFail:
		err = s.move(ctx, sc, r, "fail", ledger.TypeFrozen, ledger.DetailFreeze, ledger.KindPayout, ledger.KindFrozen)
	case ActionSucceed:
		err = s.move(ctx, sc, r, "settle", ledger.TypeTransfer, ledger.DetailToBalance, ledger.KindPayout, ledger.KindBank)
	case ActionRefuse, ActionCancel, ActionReturn:
		err = s.move(ctx, sc, r, "free", ledger.TypeFrozen, ledger.DetailUnfreeze, ledger.KindFrozen, ledger.KindBalance)
	}
	if err != nil {
		return err
	}
	if code := map[Action]string{ActionApprove: "withdrawal_approved", ActionSecond: "withdrawal_approved", ActionRefuse: "withdrawal_refused", ActionSucceed: "withdrawal_done", ActionReturn: "withdrawal_returned"}[do]; code != "" {
		return s.tell(ctx, r, r.PartnerID, scope.ItemWithdraw, code)
	}
	return nil
}

func (s *Service) facts(ctx context.Context, r *Request) (Facts, error) {
	f := Facts{PartnerID: r.PartnerID, VendorID: r.VendorID, First: r.FirstBy}
	if s.TwoNeeded == nil {
		return f, nil
	}
	var err error
	f.TwoNeeded, err = s.TwoNeeded(ctx, r.VendorID, r.Currency, r.Amount)
	return f, err
}

// Allowed lists what the actor may do, with reasons where not.
func (s *Service) Allowed(ctx context.Context, sc scope.Scope, r *Request) ([]flow.Button, error) {
	facts, err := s.facts(ctx, r)
	if err != nil {
		return nil, err
	}
	return Flow.Allowed(r.State, facts, sc, s.Clock.Now()), nil
}

// Offered is what its partner may do with a request of a list: nothing of it depends on more than the request.
func (s *Service) Offered(sc scope.Scope, r *Request) []flow.Button {
	return Flow.Allowed(r.State, Facts{PartnerID: r.PartnerID, VendorID: r.VendorID, First: r.FirstBy}, sc, s.Clock.Now())
}

// History is what happened to one, the oldest first.
func (s *Service) History(ctx context.Context, requestID string) ([]flow.Change, error) {
	return s.Log.History(ctx, Flow.Machine, requestID)
}

// tell writes to whoever of a side holds an item.
func (s *Service) tell(ctx context.Context, r *Request, orgID string, item scope.Item, code string) error {
	partner, err := s.Teller.Name(ctx, r.PartnerID)
	if err != nil {
		return err
	}
	page := "/funds/withdrawals/"
	if orgID == r.VendorID {
		page = "/payouts/"
	}
	return s.Teller.Tell(ctx, orgID, item, message.Notice{Category: message.CategoryBill, Code: code,
		Args: fault.Args{"Number": r.Number, "Partner": partner, "Amount": r.Amount.String() + " " + r.Currency, "Reason": r.Reason}, Link: page + r.ID})
}

// record writes one line for each side.
func (s *Service) record(ctx context.Context, sc scope.Scope, r *Request, action string) error {
	detail := map[string]any{"number": r.Number, "kind": string(r.Kind), "amount": r.Amount.String(), "currency": r.Currency, "state": string(r.State), "partner": r.PartnerID}
	if r.Reason != "" {
		detail["reason"] = r.Reason
	}
	return audit.RecordFor(ctx, s.Audit, audit.Entry{Actor: sc.Login(), Action: action, Object: "withdrawal:" + r.ID, Outcome: audit.OutcomeDone, Detail: detail}, r.PartnerID, r.VendorID)
}

// Currencies are those in which the actor has money with a vendor.
func (s *Service) Currencies(ctx context.Context, sc scope.Scope, vendorID string) ([]string, error) {
	states, err := s.Ledger.OfPartner(ctx, sc.OrgID())
	if err != nil {
		return nil, err
	}
	var out []string
	for _, w := range ledger.Wallets(states) {
		if w.VendorID == vendorID && !slices.Contains(out, w.Currency) {
			out = append(out, w.Currency)
		}
	}
	return out, nil
}
