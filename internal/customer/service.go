package customer

import (
	"context"
	"time"

	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/id"
	"huoban/internal/organisation"
	"huoban/internal/scope"
)

// Deps is what the service stands on.
type Deps struct {
	Store         Store
	Tx            Tx
	Log           flow.Log
	Audit         audit.Recorder
	Clock         clock.Clock
	Organisations Organisations
	People        People // set after account.New, which asks this service for windows

	// Ended is told, in the transaction, that a customer is a partner's no longer; nil tells nobody.
	Ended func(ctx context.Context, partnerID, customerID string) error

	// Switched is told, in the transaction, that the kind of an association changed; nil tells nobody.
	Switched func(ctx context.Context, partnerID, customerID string) error
}

// Service changes and reads associations and assignments.
type Service struct{ Deps }

// New makes the service.
func New(d Deps) *Service { return &Service{d} }

// Book loads every association that was ever in force. It is the program's own view.
func (s *Service) Book(ctx context.Context) (*Book, error) {
	all, err := s.Store.AllAssociations(ctx)
	if err != nil {
		return nil, err
	}
	return NewBook(all), nil
}

// Associations lists the associations inside the scope, by customer and time.
func (s *Service) Associations(ctx context.Context, sc scope.Scope) ([]Association, error) {
	if err := sc.Require(scope.ItemAssociationView, scope.ItemCustomerView); err != nil {
		return nil, err
	}
	return s.Store.VisibleAssociations(ctx, sc)
}

// AssociateInput is an association the vendor enters. Zero From is the beginning of time, zero To no
// end. Replace lets it take over from one in force: that one ends where this begins.
type AssociateInput struct {
	CustomerID, PartnerID string
	Kind                  Kind
	From, To              time.Time
	Replace               bool
}

// Validate checks what needs no look-up. Faults: customer.kind_unknown, .interval_empty.
func (in AssociateInput) Validate() error {
	if in.Kind != KindResale && in.Kind != KindReferral {
		return fault.Invalid("customer.kind_unknown", fault.Args{"kind": string(in.Kind)})
	}
	if empty(in.From, in.To) {
		return fault.Invalid("customer.interval_empty", fault.Args{"from": dayText(in.From), "to": dayText(in.To)})
	}
	return nil
}

// AssociateResult is the association and whether it is new.
type AssociateResult struct {
	Association Association
	Added       bool
}

// Associate enters an association, active at once, with the vendor's consent for both sides; what
// already stands for the whole interval is returned as it is. Faults: those of Validate,
// organisation.unknown, customer.association_overlap, .not_a_customer, .not_a_partner, .cycle_closed,
// scope.permission_missing.
func (s *Service) Associate(ctx context.Context, sc scope.Scope, in AssociateInput) (AssociateResult, error) {
	if err := in.Validate(); err != nil {
		return AssociateResult{}, err
	}
	if err := s.vendorOnly(sc); err != nil {
		return AssociateResult{}, err
	}
	var out AssociateResult
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		out = AssociateResult{}
		if err := s.parties(ctx, sc, in.CustomerID, in.PartnerID); err != nil {
			return err
		}
		known, err := s.Store.AssociationsOf(ctx, in.CustomerID)
		if err != nil {
			return err
		}
		for _, a := range known {
			if a.counts() && a.PartnerID == in.PartnerID && a.Kind == in.Kind && holds(a, in.From, in.To) {
				out.Association = a
				return nil
			}
		}
		if err := s.notSealed(ctx, in.CustomerID, in.From); err != nil {
			return err
		}
		if in.Replace {
			if known, err = s.makeRoom(ctx, sc, known, in.From, in.To); err != nil {
				return err
			}
		}
		if a := overlapping(known, in.From, in.To, ""); a != nil {
			return fault.Conflict("customer.association_overlap", overlapArgs(*a))
		}
		out = AssociateResult{Association: Association{ID: id.New(), CustomerID: in.CustomerID, PartnerID: in.PartnerID, Kind: in.Kind,
			State: StateActive, From: in.From, To: in.To, ConsentNote: ConsentByVendor, Version: 1, CreatedAt: s.Clock.Now()}, Added: true}
		return s.begin(ctx, sc, out.Association)
	})
	return out, err
}

// ProposeInput is an association one side asks the other for; a zero From is the moment of consent.
type ProposeInput struct {
	CustomerID, PartnerID string
	Kind                  Kind
}

// Propose begins an association that waits for the other side's consent: a partner proposes to a
// customer, a customer to a partner. Proposing the same again returns what waits. Faults:
// customer.kind_unknown, .association_overlap, .not_a_customer, .not_a_partner, .not_a_party,
// scope.permission_missing.
func (s *Service) Propose(ctx context.Context, sc scope.Scope, in ProposeInput) (Association, error) {
	if err := sc.Require(scope.ItemAssociationChange); err != nil {
		return Association{}, err
	}
	if err := (AssociateInput{Kind: in.Kind}).Validate(); err != nil {
		return Association{}, err
	}
	state := StateAwaitingCustomer
	switch {
	case sc.Is(scope.SidePartner, in.PartnerID):
	case sc.Is(scope.SideCustomer, in.CustomerID):
		state = StateAwaitingPartner
	default:
		return Association{}, fault.Denied("customer.not_a_party", nil)
	}
	var out Association
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		// Whom one proposes to is not in one's scope yet; its existence shows only by consent.
		if err := s.parties(ctx, scope.System(sc.Login()), in.CustomerID, in.PartnerID); err != nil {
			return err
		}
		known, err := s.Store.AssociationsOf(ctx, in.CustomerID)
		if err != nil {
			return err
		}
		for _, a := range known {
			if a.PartnerID == in.PartnerID && a.State == state && a.Kind == in.Kind {
				out = a
				return nil
			}
			if a.PartnerID == in.PartnerID && a.counts() && covers(a.From, a.To, s.Clock.Now()) {
				return fault.Conflict("customer.association_overlap", overlapArgs(a))
			}
		}
		out = Association{ID: id.New(), CustomerID: in.CustomerID, PartnerID: in.PartnerID, Kind: in.Kind, State: state,
			Version: 1, CreatedAt: s.Clock.Now()}
		return s.begin(ctx, sc, out)
	})
	return out, err
}

// Of lists the associations of a customer, for the program's own decisions.
func (s *Service) Of(ctx context.Context, customerID string) ([]Association, error) {
	return s.Store.AssociationsOf(ctx, customerID)
}

// Agree is a proposal of one side with the consent of the other, given in the same moment: a customer who comes
// from its partner's platform accepts what the partner proposes by sending it. Faults: those of Propose and Do.
func (s *Service) Agree(ctx context.Context, proposer, accepter scope.Scope, in ProposeInput) (Association, error) {
	var out Association
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		a, err := s.Propose(ctx, proposer, in)
		if err != nil {
			return err
		}
		out, err = s.Do(ctx, accepter, DoInput{ID: a.ID, Do: ActionAccept})
		return err
	})
	return out, err
}

func (s *Service) begin(ctx context.Context, sc scope.Scope, a Association) error {
	if err := s.Store.InsertAssociation(ctx, a); err != nil {
		return err
	}
	if err := Flow.Begin(ctx, s.Log, a.ID, a.State, sc, s.Clock.Now(), nil); err != nil {
		return err
	}
	return s.record(ctx, sc, a, "association.begin")
}

// DoInput is an action on an association; At is when an ending takes effect (zero = now).
type DoInput struct {
	ID     string
	Do     Action
	Reason string
	At     time.Time
	Void   bool // with ActionEnd: it shall never have been in force
}

// Do fires an action of the machine. A consent makes the association start now. Faults:
// customer.association_unknown, .cycle_closed, .interval_empty, those of flow.Fire.
func (s *Service) Do(ctx context.Context, sc scope.Scope, in DoInput) (Association, error) {
	var out Association
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		a, err := s.find(ctx, sc, in.ID)
		if err != nil {
			return err
		}
		now := s.Clock.Now()
		next := a
		switch in.Do {
		case ActionAccept:
			next.From, next.ConsentNote = now, consentAccepted+sc.Login()
		case ActionEnd:
			if in.Void {
				next.From, next.To, err = s.voided(ctx, a)
			} else {
				next.To, err = s.endOf(ctx, a, in.At, now)
			}
			if err != nil {
				return err
			}
		}
		facts := Facts{CustomerID: a.CustomerID, PartnerID: a.PartnerID}
		if in.Do == ActionAccept {
			known, err := s.Store.AssociationsOf(ctx, a.CustomerID)
			if err != nil {
				return err
			}
			facts.Overlap = overlapping(known, next.From, next.To, a.ID)
		}
		err = Flow.Fire(ctx, s.Log, flow.Move[State, Action, Facts]{Entity: a.ID, State: a.State, Version: a.Version, Do: in.Do,
			Facts: facts, Who: sc, Now: now, Reason: in.Reason}, func(ctx context.Context, to State) (bool, error) {
			next.State, next.Version = to, a.Version+1
			return s.Store.SetAssociation(ctx, next, a.State, a.Version)
		})
		if err != nil {
			return err
		}
		if in.Do == ActionEnd {
			if err := s.endAssignments(ctx, sc, next); err != nil {
				return err
			}
			if s.Ended != nil && !next.InForce(now) {
				if err := s.Ended(ctx, next.PartnerID, next.CustomerID); err != nil {
					return err
				}
			}
		}
		out = next
		return s.record(ctx, sc, next, "association."+string(in.Do))
	})
	return out, err
}

// End ends an association in force at that instant (zero = now).
func (s *Service) End(ctx context.Context, sc scope.Scope, associationID string, at time.Time) (Association, error) {
	return s.Do(ctx, sc, DoInput{ID: associationID, Do: ActionEnd, At: at})
}

// Allowed lists what the actor may do with the association, with reasons where not.
func (s *Service) Allowed(ctx context.Context, sc scope.Scope, a Association) ([]flow.Button, error) {
	known, err := s.Store.AssociationsOf(ctx, a.CustomerID)
	if err != nil {
		return nil, err
	}
	now := s.Clock.Now()
	facts := Facts{CustomerID: a.CustomerID, PartnerID: a.PartnerID}
	if a.State != StateActive {
		facts.Overlap = overlapping(known, now, a.To, a.ID)
	}
	return Flow.Allowed(a.State, facts, sc, now), nil
}

func (s *Service) endOf(ctx context.Context, a Association, at, now time.Time) (time.Time, error) {
	if at.IsZero() {
		at = now
	}
	if !a.To.IsZero() && at.After(a.To) {
		at = a.To
	}
	if empty(a.From, at) {
		at = a.From
	}
	return at, s.notSealed(ctx, a.CustomerID, at)
}

// voided is the empty interval of an association that never was in force; one without a start keeps the
// moment of its entry as both ends.
func (s *Service) voided(ctx context.Context, a Association) (from, to time.Time, err error) {
	at := a.From
	if at.IsZero() {
		at = a.CreatedAt
	}
	return at, at, s.notSealed(ctx, a.CustomerID, a.From)
}

func (s *Service) find(ctx context.Context, sc scope.Scope, associationID string) (Association, error) {
	a, err := s.Store.AssociationByID(ctx, associationID)
	if err != nil {
		return a, err
	}
	seen := sc.Side() == scope.SideSystem || isSide(sc, scope.SidePartner, a.PartnerID) || isSide(sc, scope.SideCustomer, a.CustomerID)
	if sc.Side() == scope.SideVendor {
		_, err := s.Organisations.ByID(ctx, sc, a.CustomerID)
		if err != nil && !fault.Is(err, fault.KindNotFound) {
			return Association{}, err
		}
		seen = err == nil
	}
	if !seen {
		return Association{}, fault.NotFound("customer.association_unknown", nil)
	}
	return a, nil
}

func (s *Service) vendorOnly(sc scope.Scope) error {
	if err := sc.Require(scope.ItemAssociationChange); err != nil {
		return err
	}
	if sc.Side() != scope.SideSystem && sc.Side() != scope.SideVendor {
		return fault.Denied("customer.vendor_decides", nil)
	}
	return nil
}

// parties checks that both organisations are what they must be.
func (s *Service) parties(ctx context.Context, sc scope.Scope, customerID, partnerID string) error {
	c, err := s.Organisations.ByID(ctx, sc, customerID)
	if err != nil {
		return err
	}
	p, err := s.Organisations.ByID(ctx, sc, partnerID)
	if err != nil {
		return err
	}
	if c.Kind != organisation.KindCustomer {
		return fault.Invalid("customer.not_a_customer", fault.Args{"code": c.Code})
	}
	if !p.Kind.IsPartner() {
		return fault.Invalid("customer.not_a_partner", fault.Args{"code": p.Code})
	}
	return nil
}

// notSealed refuses to change whose a customer was in a cycle that is issued: its bills could no
// longer be recomputed.
func (s *Service) notSealed(ctx context.Context, customerID string, from time.Time) error {
	last, zone, err := s.Store.LastSealed(ctx, customerID)
	if err != nil || last == "" {
		return err
	}
	if end := last.End(zone); from.IsZero() || from.Before(end) {
		return fault.Conflict("customer.cycle_closed", fault.Args{"cycle": string(last), "from": end.Format("2006-01-02")})
	}
	return nil
}

// makeRoom ends what is in force at from, and takes back what lies wholly inside [from, to), so that
// another may take the interval.
func (s *Service) makeRoom(ctx context.Context, sc scope.Scope, known []Association, from, to time.Time) ([]Association, error) {
	for i, a := range known {
		if a.State != StateActive || !overlap(a.From, a.To, from, to) {
			continue
		}
		inside := (from.IsZero() || !a.From.IsZero() && !a.From.Before(from)) &&
			(to.IsZero() || !a.To.IsZero() && !a.To.After(to))
		if !inside && (from.IsZero() || !covers(a.From, a.To, from)) {
			continue
		}
		ended, err := s.Do(ctx, sc, DoInput{ID: a.ID, Do: ActionEnd, At: from, Void: inside})
		if err != nil {
			return nil, err
		}
		known[i] = ended
	}
	return known, nil
}

func overlapping(known []Association, from, to time.Time, except string) *Association {
	for i, a := range known {
		if a.ID != except && a.counts() && overlap(a.From, a.To, from, to) {
			return &known[i]
		}
	}
	return nil
}

// holds tells whether the association is in force during all of [from, to).
func holds(a Association, from, to time.Time) bool {
	startsEarly := a.From.IsZero() || !from.IsZero() && !from.Before(a.From)
	endsLate := a.To.IsZero() || !to.IsZero() && !to.After(a.To)
	return startsEarly && endsLate && !empty(a.From, a.To)
}

func (s *Service) record(ctx context.Context, sc scope.Scope, a Association, action string) error {
	return s.Audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: a.PartnerID, Action: action, Object: "association:" + a.ID, Outcome: "done",
		Detail: map[string]any{"customer": a.CustomerID, "partner": a.PartnerID, "kind": string(a.Kind), "state": string(a.State),
			"from": dayText(a.From), "to": dayText(a.To), "consent": a.ConsentNote}})
}

// Switch gives an association another kind from an instant on: the one in force ends there and another begins, and who
// looks after the customer stays. It is what both sides agreed on; the program does it. Faults:
// customer.association_unknown, .not_associated, .cycle_closed, those of flow.Fire.
func (s *Service) Switch(ctx context.Context, sc scope.Scope, associationID string, to Kind, at time.Time) (Association, error) {
	if err := (AssociateInput{Kind: to}).Validate(); err != nil {
		return Association{}, err
	}
	if err := s.vendorOnly(sc); err != nil {
		return Association{}, err
	}
	var out Association
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		a, err := s.find(ctx, sc, associationID)
		if err != nil {
			return err
		}
		if a.State != StateActive || !covers(a.From, a.To, at) {
			return fault.Conflict("customer.not_associated", nil)
		}
		if err := s.notSealed(ctx, a.CustomerID, at); err != nil {
			return err
		}
		now, next := s.Clock.Now(), a
		next.To = at
		err = Flow.Fire(ctx, s.Log, flow.Move[State, Action, Facts]{Entity: a.ID, State: a.State, Version: a.Version, Do: ActionEnd,
			Facts: Facts{CustomerID: a.CustomerID, PartnerID: a.PartnerID}, Who: sc, Now: now}, func(ctx context.Context, state State) (bool, error) {
			next.State, next.Version = state, a.Version+1
			return s.Store.SetAssociation(ctx, next, a.State, a.Version)
		})
		if err != nil {
			return err
		}
		if err := s.record(ctx, sc, next, "association.end"); err != nil {
			return err
		}
		out = Association{ID: id.New(), CustomerID: a.CustomerID, PartnerID: a.PartnerID, Kind: to, State: StateActive, From: at, To: a.To,
			ConsentNote: consentAccepted + sc.Login(), Version: 1, CreatedAt: now}
		if err := s.begin(ctx, sc, out); err != nil || s.Switched == nil || !out.InForce(now) {
			return err
		}
		return s.Switched(ctx, out.PartnerID, out.CustomerID)
	})
	return out, err
}
