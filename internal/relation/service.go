package relation

import (
	"context"
	"slices"
	"strings"
	"time"

	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/customer"
	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/id"
	"huoban/internal/message"
	"huoban/internal/organisation"
	"huoban/internal/scope"
)

// Tx runs a function in one transaction; fn may be run again.
type Tx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// Store keeps requests. ByID answers not_found "relation.unknown".
type Store interface {
	ByID(ctx context.Context, id string) (Request, error)
	// Of lists the requests of a customer or a partner, the newest first.
	OfCustomer(ctx context.Context, customerID string) ([]Request, error)
	OfPartner(ctx context.Context, partnerID string) ([]Request, error)
	Insert(ctx context.Context, r Request) error
	// Set writes state and answer if state and version are as loaded.
	Set(ctx context.Context, r Request, from State, version int64) (bool, error)
}

// Customers is what is asked of associations.
type Customers interface {
	Of(ctx context.Context, customerID string) ([]customer.Association, error)
	End(ctx context.Context, sc scope.Scope, associationID string, at time.Time) (customer.Association, error)
	Switch(ctx context.Context, sc scope.Scope, associationID string, to customer.Kind, at time.Time) (customer.Association, error)
}

// Organisations is what is asked of organisations.
type Organisations interface {
	ByID(ctx context.Context, sc scope.Scope, orgID string) (organisation.Organisation, error)
	Suspended(ctx context.Context, orgID string) (bool, error)
}

// Deps is what the service stands on.
type Deps struct {
	Store         Store
	Tx            Tx
	Log           flow.Log
	Audit         audit.Recorder
	Clock         clock.Clock
	Customers     Customers
	Organisations Organisations
	Teller        message.Teller

	// Confirmed refuses, inside the transaction of the act, somebody who has to prove anew who he is; nil asks nobody.
	Confirmed func(ctx context.Context, sc scope.Scope) error
}

// Service takes and answers requests.
type Service struct{ Deps }

// New makes the service.
func New(d Deps) *Service { return &Service{d} }

// sideOf is the side the actor asks or answers for, with its parties; only administrators of a whole side do.
// Faults: scope.permission_missing, customer.not_a_party.
func sideOf(sc scope.Scope) (Side, error) {
	if err := sc.Require(scope.ItemAssociationChange); err != nil {
		return "", err
	}
	switch {
	case sc.Side() == scope.SidePartner && !sc.IsLimited():
		return SidePartner, nil
	case sc.Side() == scope.SideCustomer:
		return SideCustomer, nil
	}
	return "", fault.Denied("customer.not_a_party", nil)
}

// List gives the requests inside the scope, the newest first. Fault: scope.permission_missing.
func (s *Service) List(ctx context.Context, sc scope.Scope) ([]Request, error) {
	if err := sc.Require(scope.ItemAssociationView, scope.ItemAssociationChange); err != nil {
		return nil, err
	}
	switch sc.Side() {
	case scope.SideCustomer:
		return s.Store.OfCustomer(ctx, sc.OrgID())
	case scope.SidePartner:
		all, err := s.Store.OfPartner(ctx, sc.OrgID())
		windows, limited := sc.Windows()
		if err != nil || !limited {
			return all, err
		}
		return slices.DeleteFunc(all, func(r Request) bool {
			return !slices.ContainsFunc(windows, func(w scope.Window) bool { return w.CustomerID == r.CustomerID })
		}), nil
	}
	return nil, nil
}

// Find gives one inside the scope. Faults: relation.unknown, scope.permission_missing.
func (s *Service) Find(ctx context.Context, sc scope.Scope, requestID string) (Request, error) {
	all, err := s.List(ctx, sc)
	if err != nil {
		return Request{}, err
	}
	i := slices.IndexFunc(all, func(r Request) bool { return r.ID == requestID })
	if i < 0 {
		return Request{}, fault.NotFound("relation.unknown", nil)
	}
	return all[i], nil
}

// Check is one condition of asking.
type Check struct {
	Name    string
	Refusal *fault.Error // nil: it holds
}

// Precheck tells of each condition whether it holds, and does nothing. Faults: those of sideOf, customer.unknown.
func (s *Service) Precheck(ctx context.Context, sc scope.Scope, customerID string, kind Kind, to customer.Kind) ([]Check, customer.Association, error) {
	side, err := sideOf(sc)
	if err != nil {
		return nil, customer.Association{}, err
	}
	a, err := s.association(ctx, sc, side, customerID)
	if err != nil {
		return nil, a, err
	}
	facts, err := s.facts(scope.AsSystem(ctx, "suspension"), a, Request{Kind: kind, To: to, By: side})
	if err != nil {
		return nil, a, err
	}
	var out []Check
	now := s.Clock.Now()
	for _, g := range Checks {
		c := Check{Name: g.Name}
		if !g.Holds(facts, sc, now) {
			var args fault.Args
			if g.Args != nil {
				args = g.Args(facts, now)
			}
			c.Refusal = fault.Conflict(g.Code, args)
		}
		out = append(out, c)
	}
	return out, a, nil
}

// association is the one between the actor and the customer that holds now, or else the newest. Fault:
// customer.unknown.
func (s *Service) association(ctx context.Context, sc scope.Scope, side Side, customerID string) (customer.Association, error) {
	if side == SideCustomer {
		customerID = sc.OrgID()
	}
	all, err := s.Customers.Of(ctx, customerID)
	if err != nil {
		return customer.Association{}, err
	}
	now := s.Clock.Now()
	var best customer.Association
	for _, a := range all {
		mine := side == SideCustomer || a.PartnerID == sc.OrgID()
		if mine && (a.InForce(now) || best.ID == "" || !best.InForce(now) && a.CreatedAt.After(best.CreatedAt)) {
			best = a
		}
	}
	if best.ID == "" {
		return best, fault.NotFound("customer.unknown", nil)
	}
	return best, nil
}

func (s *Service) facts(ctx context.Context, a customer.Association, r Request) (Facts, error) {
	now := s.Clock.Now()
	f := Facts{CustomerID: a.CustomerID, PartnerID: a.PartnerID, InForce: a.InForce(now), Kind: a.Kind, EndsAt: a.To, Asked: r.By, Wish: r.Kind, To: r.To}
	if !f.InForce {
		f.EndsAt = time.Time{}
	}
	var err error
	if f.Suspended, err = s.Organisations.Suspended(ctx, a.CustomerID); err != nil {
		return f, err
	}
	known, err := s.Store.OfCustomer(ctx, a.CustomerID)
	for _, k := range known {
		if k.ID == r.ID || k.PartnerID != a.PartnerID {
			continue
		}
		f.Open = f.Open || k.State.Open()
		last := &f.OwnLast
		if k.By != r.By {
			last = &f.OtherLast
		}
		if k.CreatedAt.After(*last) {
			*last = k.CreatedAt
		}
	}
	return f, err
}

// Ask begins a request that waits for the other side. Faults: those of Validate, of Precheck and of the checks,
// relation.refused with several.
func (s *Service) Ask(ctx context.Context, sc scope.Scope, in AskInput) (Request, error) {
	in.Reason = strings.TrimSpace(in.Reason)
	if err := in.Validate(); err != nil {
		return Request{}, err
	}
	side, err := sideOf(sc)
	if err != nil {
		return Request{}, err
	}
	if side == SideCustomer && in.Kind != KindDissolve {
		return Request{}, fault.Denied("relation.partner_decides", nil)
	}
	var out Request
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		checks, a, err := s.Precheck(ctx, sc, in.CustomerID, in.Kind, in.To)
		if err != nil {
			return err
		}
		if err := refusals(checks); err != nil {
			return err
		}
		if err := s.confirmed(ctx, sc); err != nil {
			return err
		}
		now := s.Clock.Now()
		out = Request{ID: id.New(), CustomerID: a.CustomerID, PartnerID: a.PartnerID, AssociationID: a.ID, Kind: in.Kind, From: a.Kind, By: side, Login: sc.Login(),
			When: in.When, Reason: in.Reason, State: StateAwaitingCustomer, Version: 1, CreatedAt: now, ChangedAt: now}
		if in.Kind == KindSwitch {
			out.To = in.To
		}
		if side == SideCustomer {
			out.State = StateAwaitingPartner
		}
		if err := s.Store.Insert(ctx, out); err != nil {
			return err
		}
		if err := Flow.Begin(ctx, s.Log, out.ID, out.State, sc, now, nil); err != nil {
			return err
		}
		if err := s.record(ctx, sc, out, "relation.ask"); err != nil {
			return err
		}
		return s.tell(ctx, out, "relation_asked")
	})
	return out, err
}

func refusals(checks []Check) error {
	var reasons []*fault.Error
	for _, c := range checks {
		if c.Refusal != nil {
			reasons = append(reasons, c.Refusal)
		}
	}
	switch len(reasons) {
	case 0:
		return nil
	case 1:
		return reasons[0]
	}
	return fault.Refused("relation.refused", reasons)
}

func (s *Service) confirmed(ctx context.Context, sc scope.Scope) error {
	if s.Confirmed == nil {
		return nil
	}
	return s.Confirmed(ctx, sc)
}

// Do agrees, refuses or withdraws. A consent changes the association in the same transaction. Faults: relation.unknown,
// those of the guards and of flow.Fire, customer.cycle_closed.
func (s *Service) Do(ctx context.Context, sc scope.Scope, requestID string, do Action, reason string) (Request, error) {
	var out Request
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		r, err := s.Find(ctx, sc, requestID)
		if err != nil {
			return err
		}
		facts, err := s.now(ctx, r)
		if err != nil {
			return err
		}
		now := s.Clock.Now()
		next := r
		next.ChangedAt, next.DecidedAt, next.DecidedBy, next.Answer = now, now, sc.Login(), strings.TrimSpace(reason)
		if do == ActionAgree {
			next.EffectiveAt = r.When.At(now)
		}
		err = Flow.Fire(ctx, s.Log, flow.Move[State, Action, Facts]{Entity: r.ID, State: r.State, Version: r.Version, Do: do, Facts: facts, Who: sc, Now: now, Reason: reason},
			func(ctx context.Context, to State) (bool, error) {
				next.State, next.Version = to, r.Version+1
				return s.Store.Set(ctx, next, r.State, r.Version)
			})
		if err != nil {
			return err
		}
		if do == ActionAgree {
			if err := s.change(ctx, sc, next); err != nil {
				return err
			}
		}
		if do != ActionWithdraw {
			if err := s.confirmed(ctx, sc); err != nil {
				return err
			}
		}
		out = next
		if err := s.record(ctx, sc, next, "relation."+string(do)); err != nil || do == ActionWithdraw {
			return err
		}
		return s.tell(ctx, next, "relation_"+string(do))
	})
	return out, err
}

// FireDue is the flow.FireDue of this machine: what nobody answered lapses, and changes nothing.
func (s *Service) FireDue(ctx context.Context, entity, action string, who scope.Scope, now time.Time) error {
	r, err := s.Store.ByID(ctx, entity)
	if err != nil {
		return err
	}
	facts, err := s.now(ctx, r)
	if err != nil {
		return err
	}
	next := r
	next.ChangedAt, next.DecidedAt, next.DecidedBy = now, now, who.Login()
	err = Flow.Fire(ctx, s.Log, flow.Move[State, Action, Facts]{Entity: r.ID, State: r.State, Version: r.Version, Do: Action(action), Facts: facts, Who: who, Now: now},
		func(ctx context.Context, to State) (bool, error) {
			next.State, next.Version = to, r.Version+1
			return s.Store.Set(ctx, next, r.State, r.Version)
		})
	if err != nil {
		return err
	}
	if err := s.record(ctx, who, next, "relation."+action); err != nil {
		return err
	}
	return s.tell(ctx, next, "relation_"+action)
}

// change makes the association what both agreed on.
func (s *Service) change(ctx context.Context, sc scope.Scope, r Request) (err error) {
	both := scope.System(sc.Login())
	if r.Kind == KindDissolve {
		_, err = s.Customers.End(ctx, both, r.AssociationID, r.EffectiveAt)
		return err
	}
	_, err = s.Customers.Switch(ctx, both, r.AssociationID, r.To, r.EffectiveAt)
	return err
}

// now are the facts of a request that stands.
func (s *Service) now(ctx context.Context, r Request) (Facts, error) {
	all, err := s.Customers.Of(ctx, r.CustomerID)
	if err != nil {
		return Facts{}, err
	}
	i := slices.IndexFunc(all, func(a customer.Association) bool { return a.ID == r.AssociationID })
	if i < 0 {
		return Facts{CustomerID: r.CustomerID, PartnerID: r.PartnerID}, nil
	}
	return s.facts(ctx, all[i], r)
}

// Allowed lists what the actor may do, with reasons where not.
func (s *Service) Allowed(ctx context.Context, sc scope.Scope, r Request) ([]flow.Button, error) {
	facts, err := s.now(scope.AsSystem(ctx, "suspension"), r)
	if err != nil {
		return nil, err
	}
	return Flow.Allowed(r.State, facts, sc, s.Clock.Now()), nil
}

// History is what happened to one, the oldest first.
func (s *Service) History(ctx context.Context, requestID string) ([]flow.Change, error) {
	return s.Log.History(ctx, Flow.Machine, requestID)
}

// tell writes to the side that did not act: to who is asked, or to who asked.
func (s *Service) tell(ctx context.Context, r Request, code string) error {
	toPartner := (r.By == SideCustomer) == (code == "relation_asked")
	orgID, other, page := r.CustomerID, r.PartnerID, "/partner"
	if toPartner {
		orgID, other, page = r.PartnerID, r.CustomerID, "/associations/"+r.ID
	}
	from, err := s.Organisations.ByID(ctx, scope.System("system"), other)
	if err != nil {
		return err
	}
	name := from.Name
	if toPartner {
		name = from.Code // names of customers are masked
	}
	return s.Teller.Tell(ctx, orgID, scope.ItemAssociationChange, message.Notice{Category: message.CategoryCustomer, Code: code, Args: fault.Args{"Name": name, "Kind": string(r.Kind)}, Link: page})
}

// record writes one line for each side.
func (s *Service) record(ctx context.Context, sc scope.Scope, r Request, action string) error {
	detail := map[string]any{"kind": string(r.Kind), "customer": r.CustomerID, "partner": r.PartnerID, "association": r.AssociationID, "state": string(r.State), "when": string(r.When)}
	if r.To != "" {
		detail["to"] = string(r.To)
	}
	if !r.EffectiveAt.IsZero() {
		detail["effective"] = dayText(r.EffectiveAt)
	}
	return audit.RecordFor(ctx, s.Audit, audit.Entry{Actor: sc.Login(), Action: action, Object: "relation:" + r.ID, Outcome: audit.OutcomeDone, Detail: detail}, r.PartnerID, r.CustomerID)
}
