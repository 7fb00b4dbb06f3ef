package grant

import (
	"context"
	"slices"
	"strings"
	"time"

	"huoban/internal/audit"
	"huoban/internal/clock"
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

// Store keeps grants. Lists have the newest first.
type Store interface {
	Grant(ctx context.Context, id string) (Grant, bool, error)
	Between(ctx context.Context, vendorID, partnerID string) (Grant, bool, error)
	Grants(ctx context.Context, vendorID, partnerID string) ([]Grant, error) // an empty side is any
	InsertGrant(ctx context.Context, g Grant) error
	// SetGrant writes what a move changes if state and version are as loaded.
	SetGrant(ctx context.Context, g Grant, from State, version int64) (bool, error)
}

// Organisations is what is asked of organisations.
type Organisations interface {
	ByID(ctx context.Context, sc scope.Scope, orgID string) (organisation.Organisation, error)
	List(ctx context.Context, sc scope.Scope) ([]organisation.Organisation, error)
	VendorsOf(ctx context.Context, partner organisation.Organisation) ([]organisation.Organisation, error)
}

// Deps is what the service stands on.
type Deps struct {
	Store         Store
	Tx            Tx
	Log           flow.Log
	Audit         audit.Recorder
	Clock         clock.Clock
	Organisations Organisations
	Teller        message.Teller
}

// Service asks for, gives and takes back grants.
type Service struct{ Deps }

// New makes the service.
func New(d Deps) *Service { return &Service{d} }

func self() scope.Scope { return scope.System("grant") }

func unknown() error { return fault.NotFound("grant.unknown", nil) }

func sees(g *Grant, sc scope.Scope) bool {
	switch sc.Side() {
	case scope.SidePartner:
		return g.PartnerID == sc.OrgID()
	case scope.SideVendor:
		return g.VendorID == sc.OrgID()
	}
	return sc.Side() == scope.SideSystem
}

// Open tells whether a partner may win customers for a vendor now.
func (s *Service) Open(ctx context.Context, vendorID, partnerID string) (bool, error) {
	partner, err := s.Organisations.ByID(ctx, self(), partnerID)
	if err != nil || !Needed(partner.Kind) {
		return err == nil, err
	}
	g, found, err := s.Store.Between(ctx, vendorID, partnerID)
	return found && g.State == StateGranted, err
}

// List gives the grants in sight, the newest first. Fault: scope.permission_missing.
func (s *Service) List(ctx context.Context, sc scope.Scope) ([]Grant, error) {
	if err := sc.Require(scope.ItemProspectView, scope.ItemProspectReviewView); err != nil {
		return nil, err
	}
	switch sc.Side() {
	case scope.SideVendor:
		return s.Store.Grants(ctx, sc.OrgID(), "")
	case scope.SidePartner:
		return s.Store.Grants(ctx, "", sc.OrgID())
	}
	return nil, nil
}

// Missing are the other sides with which there is no grant yet: to a vendor its distributors, to a distributor its
// vendors; to everybody else nobody. Faults: those of List.
func (s *Service) Missing(ctx context.Context, sc scope.Scope) ([]organisation.Organisation, error) {
	known, err := s.List(ctx, sc)
	if err != nil {
		return nil, err
	}
	var all []organisation.Organisation
	other := func(g *Grant) string { return g.PartnerID }
	if sc.Side() == scope.SideVendor {
		all, err = s.Organisations.List(ctx, sc)
		all = slices.DeleteFunc(all, func(o organisation.Organisation) bool { return !Needed(o.Kind) })
	} else if all, err = s.vendors(ctx, sc); err == nil {
		other = func(g *Grant) string { return g.VendorID }
	}
	return slices.DeleteFunc(all, func(o organisation.Organisation) bool {
		return slices.ContainsFunc(known, func(g Grant) bool { return other(&g) == o.ID })
	}), err
}

// vendors are those a distributor deals with.
func (s *Service) vendors(ctx context.Context, sc scope.Scope) ([]organisation.Organisation, error) {
	own, err := s.Organisations.ByID(ctx, sc, sc.OrgID())
	if err != nil || !Needed(own.Kind) {
		return nil, err
	}
	return s.Organisations.VendorsOf(ctx, own)
}

// Find gives one in sight. Faults: grant.unknown, scope.permission_missing.
func (s *Service) Find(ctx context.Context, sc scope.Scope, grantID string) (Grant, error) {
	g, found, err := s.Store.Grant(ctx, grantID)
	if err == nil && (!found || !sees(&g, sc)) {
		err = unknown()
	}
	if err == nil && sc.Side() != scope.SideSystem {
		err = sc.Require(scope.ItemProspectView, scope.ItemProspectReviewView)
	}
	return g, err
}

// Begin makes the grant with another side that has none yet: a distributor asks its vendor, a vendor gives it unasked.
// Faults: grant.other_unknown, .there_already, .reason_missing, scope.permission_missing.
func (s *Service) Begin(ctx context.Context, sc scope.Scope, otherID, reason string) (Grant, error) {
	now := s.Clock.Now()
	g := Grant{ID: id.New(), VendorID: otherID, PartnerID: sc.OrgID(), State: StateAsked, Version: 1, AskedBy: sc.Login(), AskedAt: now, CreatedAt: now, ChangedAt: now}
	item, do := scope.ItemProspectChange, ActionAsk
	if sc.Side() == scope.SideVendor {
		g.VendorID, g.PartnerID, g.State, g.AskedBy, g.AskedAt, g.DecidedBy, g.DecidedAt = sc.OrgID(), otherID, StateGranted, "", time.Time{}, sc.Login(), now
		item, do = scope.ItemProspectReview, ActionGive
	}
	if err := sc.Require(item); err != nil {
		return g, err
	}
	reason, err := checkReason(reason)
	if err != nil {
		return g, err
	}
	if do == ActionAsk {
		g.Plea = reason
	} else {
		g.Reason = reason
	}
	return g, s.Tx.InTx(ctx, func(ctx context.Context) error {
		if _, found, err := s.Store.Between(ctx, g.VendorID, g.PartnerID); err != nil || found {
			if err == nil {
				err = fault.Conflict("grant.there_already", nil)
			}
			return err
		}
		missing, err := s.Missing(ctx, sc)
		if err == nil && !slices.ContainsFunc(missing, func(o organisation.Organisation) bool { return o.ID == otherID }) {
			err = fault.NotFound("grant.other_unknown", nil)
		}
		if err != nil {
			return err
		}
		if err := s.Store.InsertGrant(ctx, g); err != nil {
			return err
		}
		if err := Flow.Begin(ctx, s.Log, g.ID, g.State, sc, now, nil); err != nil {
			return err
		}
		if err := s.record(ctx, sc, &g, do); err != nil {
			return err
		}
		return s.tell(ctx, &g, do)
	})
}

// Allowed lists what the actor may do, with reasons where not.
func (s *Service) Allowed(sc scope.Scope, g *Grant) []flow.Button {
	return Flow.Allowed(g.State, Facts{PartnerID: g.PartnerID, VendorID: g.VendorID}, sc, s.Clock.Now())
}

// History is what happened to one, the oldest first.
func (s *Service) History(ctx context.Context, grantID string) ([]flow.Change, error) {
	return s.Log.History(ctx, Flow.Machine, grantID)
}

// Do fires an action of a person. Faults: those of Find, of the guards and of flow.Fire; grant.reason_missing.
func (s *Service) Do(ctx context.Context, sc scope.Scope, grantID string, do Action, reason string) (Grant, error) {
	var out Grant
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		g, err := s.Find(ctx, sc, grantID)
		if err != nil {
			return err
		}
		now := s.Clock.Now()
		next := g
		next.ChangedAt, next.Version = now, g.Version+1
		reason = strings.TrimSpace(reason)
		if reason != "" {
			if reason, err = checkReason(reason); err != nil {
				return err
			}
		}
		switch do {
		case ActionAsk:
			next.Plea, next.AskedBy, next.AskedAt, next.Reason, next.DecidedBy, next.DecidedAt = reason, sc.Login(), now, "", "", time.Time{}
		case ActionWithdraw:
		default:
			next.Reason, next.DecidedBy, next.DecidedAt = reason, sc.Login(), now
		}
		err = Flow.Fire(ctx, s.Log, flow.Move[State, Action, Facts]{Entity: g.ID, State: g.State, Version: g.Version, Do: do, Facts: Facts{PartnerID: g.PartnerID, VendorID: g.VendorID}, Who: sc, Now: now, Reason: reason},
			func(ctx context.Context, to State) (bool, error) {
				next.State = to
				return s.Store.SetGrant(ctx, next, g.State, g.Version)
			})
		if err != nil {
			return err
		}
		out = next
		if err := s.record(ctx, sc, &next, do); err != nil {
			return err
		}
		return s.tell(ctx, &next, do)
	})
	return out, err
}

// tell writes to the vendor of what is to be reviewed, and to the distributor of what was decided.
func (s *Service) tell(ctx context.Context, g *Grant, do Action) error {
	to, item := g.PartnerID, scope.ItemProspectChange
	switch do {
	case ActionWithdraw:
		return nil
	case ActionAsk:
		to, item = g.VendorID, scope.ItemProspectReview
	}
	partner, err := s.Teller.Name(ctx, g.PartnerID)
	if err != nil {
		return err
	}
	return s.Teller.Tell(ctx, to, item, message.Notice{Category: message.CategoryCustomer, Code: "grant_" + string(do), Args: fault.Args{"Partner": partner, "Reason": g.Reason}, Link: "/prospect-grants/" + g.ID})
}

// record writes one line for each side.
func (s *Service) record(ctx context.Context, sc scope.Scope, g *Grant, do Action) error {
	detail := map[string]any{"state": string(g.State), "vendor": g.VendorID, "partner": g.PartnerID}
	if said := g.Reason; said != "" && do != ActionWithdraw {
		detail["reason"] = said
	}
	if do == ActionAsk {
		detail["plea"] = g.Plea
	}
	return audit.RecordFor(ctx, s.Audit, audit.Entry{Actor: sc.Login(), Action: "grant." + string(do), Object: "prospect_grant:" + g.ID, Outcome: audit.OutcomeDone, Detail: detail}, g.PartnerID, g.VendorID)
}
