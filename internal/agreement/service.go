package agreement

import (
	"context"
	"slices"
	"strings"
	"time"

	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/id"
	"huoban/internal/message"
	"huoban/internal/paper"
	"huoban/internal/scope"
)

// Tx runs a function in one transaction; fn may be run again.
type Tx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// Filter narrows a list; empty fields narrow nothing.
type Filter struct {
	VendorID, PartnerID string
	State               State
	Kind                Kind
}

// Store keeps agreements. Lists leave deleted ones out, the newest first.
type Store interface {
	paper.Store
	Agreement(ctx context.Context, id string) (Agreement, bool, error)
	Agreements(ctx context.Context, f Filter) ([]Agreement, error)
	InsertAgreement(ctx context.Context, a Agreement) error
	// SetAgreement writes what a move changes if state and version are as loaded.
	SetAgreement(ctx context.Context, a Agreement, from State, version int64) (bool, error)
}

// Deps is what the service stands on. Vendors are those a partner deals with, Names those it goes by itself; Holds hears,
// in its transaction, of an agreement that came into force.
type Deps struct {
	Store   Store
	Tx      Tx
	Log     flow.Log
	Audit   audit.Recorder
	Clock   clock.Clock
	Teller  message.Teller
	Vendors func(ctx context.Context, partnerID string) ([]string, error)
	Names   func(ctx context.Context, partnerID string) ([]string, error)
	Holds   func(ctx context.Context, a Agreement) error
}

// Service makes, reviews and ends agreements.
type Service struct{ Deps }

// New makes the service.
func New(d Deps) *Service { return &Service{d} }

func unknown() error { return fault.NotFound("agreement.unknown", nil) }

// sees tells whether an agreement is in the actor's sight: a vendor's once it was submitted.
func sees(a *Agreement, sc scope.Scope) bool {
	switch sc.Side() {
	case scope.SidePartner:
		return a.PartnerID == sc.OrgID()
	case scope.SideVendor:
		return a.VendorID == sc.OrgID() && a.State != StateDeleted && a.State != StateDraft
	}
	return sc.Side() == scope.SideSystem
}

func mayView(sc scope.Scope) error {
	if sc.Side() == scope.SideVendor {
		return sc.Require(scope.ItemLedgerView, scope.ItemRemittance)
	}
	return sc.Require(scope.ItemFundsView)
}

// List gives what the actor sees. Fault: scope.permission_missing.
func (s *Service) List(ctx context.Context, sc scope.Scope, f Filter) ([]Agreement, error) {
	if err := mayView(sc); err != nil {
		return nil, err
	}
	if f.PartnerID, f.VendorID = sc.OrgID(), ""; sc.Side() == scope.SideVendor {
		f.PartnerID, f.VendorID = "", sc.OrgID()
	}
	list, err := s.Store.Agreements(ctx, f)
	return slices.DeleteFunc(list, func(a Agreement) bool { return !sees(&a, sc) }), err
}

// Find gives one in sight. Faults: agreement.unknown, scope.permission_missing.
func (s *Service) Find(ctx context.Context, sc scope.Scope, agreementID string) (Agreement, error) {
	a, err := s.find(ctx, sc, agreementID)
	if err == nil && a.State == StateDeleted {
		return Agreement{}, unknown()
	}
	return a, err
}

// find gives a partner what it deleted too, so that who acts on it is told by whom.
func (s *Service) find(ctx context.Context, sc scope.Scope, agreementID string) (Agreement, error) {
	a, found, err := s.Store.Agreement(ctx, agreementID)
	if err == nil && (!found || !sees(&a, sc)) {
		err = unknown()
	}
	if err == nil && sc.Side() != scope.SideSystem {
		err = mayView(sc)
	}
	return a, err
}

// Make files an agreement: a standing one as 草稿, which wants its scan; a single one holds at once. Faults: those of
// Input.check; agreement.vendor_unknown, .own_name, .taken, scope.permission_missing.
func (s *Service) Make(ctx context.Context, sc scope.Scope, in Input) (Agreement, error) {
	var a Agreement
	if err := sc.Require(scope.ItemFundsChange); err != nil {
		return a, err
	}
	in = in.tidy()
	now := s.Clock.Now()
	if err := in.check(now); err != nil {
		return a, err
	}
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		vendors, err := s.Vendors(ctx, sc.OrgID())
		if err == nil && (sc.Side() != scope.SidePartner || !slices.Contains(vendors, in.VendorID)) {
			err = fault.NotFound("agreement.vendor_unknown", nil)
		}
		if err != nil {
			return err
		}
		names, err := s.Names(ctx, sc.OrgID())
		if err == nil && slices.ContainsFunc(names, func(n string) bool { return SameName(n, in.Payer) }) {
			err = fault.Invalid("agreement.own_name", fault.Args{"name": in.Payer})
		}
		if err != nil {
			return err
		}
		a = Agreement{ID: id.New(), VendorID: in.VendorID, PartnerID: sc.OrgID(), Kind: in.Kind, PayerKind: in.PayerKind, Payer: in.Payer, Begins: in.Begins, Ends: in.Ends, Remark: in.Remark,
			State: StateDraft, Version: 1, CreatedBy: sc.Login(), CreatedAt: now, ChangedAt: now}
		a.Number = id.Number("DF", cycle.Day(now), a.ID)
		if a.Kind == KindSingle {
			a.State, a.SubmittedAt = StateActive, now
		}
		taken, err := s.taken(ctx, &a)
		if err == nil && taken {
			err = fault.Conflict("agreement.taken", nil)
		}
		if err != nil {
			return err
		}
		if err := s.Store.InsertAgreement(ctx, a); err != nil {
			return err
		}
		if err := Flow.Begin(ctx, s.Log, a.ID, a.State, sc, now, s.due(&a, now)); err != nil {
			return err
		}
		if err := s.record(ctx, sc, &a, "agreement.make"); err != nil || a.State != StateActive {
			return err
		}
		return s.hold(ctx, &a)
	})
	return a, err
}

// taken tells whether another open agreement of the partner is for the same payer and one of its days.
func (s *Service) taken(ctx context.Context, a *Agreement) (bool, error) {
	list, err := s.Store.Agreements(ctx, Filter{VendorID: a.VendorID, PartnerID: a.PartnerID})
	return slices.ContainsFunc(list, func(x Agreement) bool {
		return x.ID != a.ID && x.State.Open() && SameName(x.Payer, a.Payer) && x.Begins <= a.Ends && a.Begins <= x.Ends
	}), err
}

// due says in how many days what waits for an agreement is due.
func (s *Service) due(a *Agreement, now time.Time) map[Action]int {
	return map[Action]int{ActionActivate: cycle.DaysUntil(now, a.Begins), ActionExpire: cycle.DaysUntil(now, a.Ends) + 1}
}

// Sign keeps the scan of an agreement that is not submitted; another replaces it. Faults: those of Find and
// paper.Recognise; agreement.closed, scope.permission_missing.
func (s *Service) Sign(ctx context.Context, sc scope.Scope, agreementID string, body []byte) error {
	if err := sc.Require(scope.ItemFundsChange); err != nil {
		return err
	}
	if _, err := paper.Recognise(body); err != nil {
		return err
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		a, err := s.Find(ctx, sc, agreementID)
		if err != nil {
			return err
		}
		if a.State != StateDraft && a.State != StateRefused {
			return fault.Conflict("agreement.closed", nil)
		}
		_, another, err := paper.Keep(ctx, s.Store, paper.Paper{SubjectID: a.ID, VendorID: a.VendorID, PartnerID: a.PartnerID, By: sc.Login(), At: s.Clock.Now()}, body)
		if err != nil || !another {
			return err
		}
		return s.record(ctx, sc, &a, "agreement.sign")
	})
}

// Paper is the scan of an agreement in sight, and its body, written down as taken. Faults: those of Find, paper.none.
func (s *Service) Paper(ctx context.Context, sc scope.Scope, agreementID string) (Agreement, paper.Paper, []byte, error) {
	a, err := s.Find(ctx, sc, agreementID)
	if err != nil {
		return a, paper.Paper{}, nil, err
	}
	p, body, err := paper.Read(ctx, s.Store, a.ID)
	if err == nil {
		err = s.Tx.InTx(ctx, func(ctx context.Context) error { return s.record(ctx, sc, &a, "agreement.download") })
	}
	return a, p, body, err
}

// Signed tells whether there is a scan, and which.
func (s *Service) Signed(ctx context.Context, a *Agreement) (paper.Paper, bool, error) {
	return s.Store.Paper(ctx, a.ID)
}

func (s *Service) facts(ctx context.Context, a *Agreement) (Facts, error) {
	f := Facts{PartnerID: a.PartnerID, VendorID: a.VendorID, Begins: a.Begins, Ends: a.Ends}
	if a.State != StateDraft && a.State != StateRefused {
		return f, nil
	}
	_, signed, err := s.Store.Paper(ctx, a.ID)
	if err == nil {
		f.Signed = signed
		f.Taken, err = s.taken(ctx, a)
	}
	return f, err
}

// Allowed lists what the actor may do, with reasons where not.
func (s *Service) Allowed(ctx context.Context, sc scope.Scope, a *Agreement) ([]flow.Button, error) {
	f, err := s.facts(ctx, a)
	if err != nil {
		return nil, err
	}
	return Flow.Allowed(a.State, f, sc, s.Clock.Now()), nil
}

// History is what happened to one, the oldest first.
func (s *Service) History(ctx context.Context, agreementID string) ([]flow.Change, error) {
	return s.Log.History(ctx, Flow.Machine, agreementID)
}

// Do fires an action of a person; what is approved on one of its days holds at once. Faults: agreement.unknown, those of
// the guards and of flow.Fire.
func (s *Service) Do(ctx context.Context, sc scope.Scope, agreementID string, do Action, reason string) (Agreement, error) {
	var out Agreement
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		a, err := s.find(ctx, sc, agreementID)
		if err != nil {
			return err
		}
		if out, err = s.fire(ctx, sc, a, do, reason); err != nil {
			return err
		}
		if do == ActionApprove && cycle.Day(s.Clock.Now()) >= out.Begins {
			out, err = s.fire(ctx, scope.System("system"), out, ActionActivate, "")
		}
		return err
	})
	return out, err
}

// FireDue is the flow.FireDue of this machine.
func (s *Service) FireDue(ctx context.Context, entity, action string, who scope.Scope, _ time.Time) error {
	a, found, err := s.Store.Agreement(ctx, entity)
	if err == nil && !found {
		err = unknown()
	}
	if err == nil {
		_, err = s.fire(ctx, who, a, Action(action), "")
	}
	return err
}

func (s *Service) fire(ctx context.Context, sc scope.Scope, a Agreement, do Action, reason string) (Agreement, error) {
	facts, err := s.facts(ctx, &a)
	if err != nil {
		return a, err
	}
	now, next := s.Clock.Now(), a
	next.ChangedAt, next.Version = now, a.Version+1
	switch do {
	case ActionSubmit:
		next.SubmittedAt, next.DecidedBy, next.DecidedAt, next.Reason = now, "", time.Time{}, ""
	case ActionApprove, ActionRefuse:
		next.DecidedBy, next.DecidedAt, next.Reason = sc.Login(), now, strings.TrimSpace(reason)
	case ActionVoid:
		next.EndedAt, next.Reason = now, strings.TrimSpace(reason)
	}
	err = Flow.Fire(ctx, s.Log, flow.Move[State, Action, Facts]{Entity: a.ID, State: a.State, Version: a.Version, Do: do, Facts: facts, Who: sc, Now: now, Reason: reason, DueDays: s.due(&a, now)},
		func(ctx context.Context, to State) (bool, error) {
			next.State = to
			return s.Store.SetAgreement(ctx, next, a.State, a.Version)
		})
	if err != nil {
		return a, err
	}
	if err := s.record(ctx, sc, &next, "agreement."+string(do)); err != nil {
		return next, err
	}
	if do == ActionActivate {
		if err := s.hold(ctx, &next); err != nil {
			return next, err
		}
	}
	return next, s.tell(ctx, sc, &next, do)
}

func (s *Service) hold(ctx context.Context, a *Agreement) error {
	if s.Holds == nil {
		return nil
	}
	return s.Holds(ctx, *a)
}

// tell writes to whom an action concerns: the vendor of what is to be reviewed, the partner of what was decided, the other
// side of what was made void.
func (s *Service) tell(ctx context.Context, sc scope.Scope, a *Agreement, do Action) error {
	to := map[Action][]string{ActionSubmit: {a.VendorID}, ActionApprove: {a.PartnerID}, ActionRefuse: {a.PartnerID}, ActionExpire: {a.PartnerID}, ActionVoid: {a.VendorID, a.PartnerID}}[do]
	if len(to) == 0 {
		return nil
	}
	partner, err := s.Teller.Name(ctx, a.PartnerID)
	if err != nil {
		return err
	}
	n := message.Notice{Category: message.CategoryBill, Code: "agreement_" + string(do), Args: fault.Args{"Number": a.Number, "Partner": partner, "Payer": a.Payer, "Reason": a.Reason}, Link: "/agreements/" + a.ID}
	for _, orgID := range to {
		item := scope.ItemFundsChange
		if orgID == a.VendorID {
			item = scope.ItemRemittance
		}
		if orgID == sc.OrgID() {
			continue
		}
		if err := s.Teller.Tell(ctx, orgID, item, n); err != nil {
			return err
		}
	}
	return nil
}

// record writes one line for each side that sees the agreement.
func (s *Service) record(ctx context.Context, sc scope.Scope, a *Agreement, action string) error {
	detail := map[string]any{"number": a.Number, "kind": string(a.Kind), "payer": a.Payer, "begins": a.Begins, "ends": a.Ends, "state": string(a.State)}
	if a.Reason != "" {
		detail["reason"] = a.Reason
	}
	orgs := []string{a.PartnerID}
	if a.State != StateDraft && a.State != StateDeleted {
		orgs = append(orgs, a.VendorID)
	}
	return audit.RecordFor(ctx, s.Audit, audit.Entry{Actor: sc.Login(), Action: action, Object: "payment_agreement:" + a.ID, Outcome: audit.OutcomeDone, Detail: detail}, orgs...)
}
