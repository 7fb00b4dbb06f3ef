package customer

import (
	"context"
	"slices"
	"strings"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/id"
	"huoban/internal/scope"
	"huoban/internal/sorted"
)

// Act is what a partner's person did with what is known of a customer.
type Act string

// The acts that are kept: a name shown in clear, a file that holds the customer, what the operator does to its partner,
// and the partner's platform switched off and on.
const (
	ActReveal  Act = "reveal"
	ActExport  Act = "export"
	ActSuspend Act = "suspend"
	ActResume  Act = "resume"
)

// Seen is one day's acts of a person on one list, as far as they concern a customer.
type Seen struct {
	ID, PartnerID   string
	Act             Act
	Actor, What     string // login; kind of the list
	FirstAt, LastAt time.Time
	Times           int64
}

// Saw notes that people of a partner saw or took customers by these codes, in the running transaction or one of its
// own. Only what a partner does is noted; codes that are no customer's are passed over.
func (s *Service) Saw(ctx context.Context, sc scope.Scope, act Act, what string, codes []string) error {
	if sc.Side() != scope.SidePartner || len(codes) == 0 {
		return nil
	}
	codes = slices.Clone(codes)
	slices.Sort(codes)
	codes = slices.Compact(codes)
	now := s.Clock.Now()
	x := Seen{PartnerID: sc.OrgID(), Act: act, Actor: sc.Login(), What: what, FirstAt: now, LastAt: now, Times: 1}
	for some := range slices.Chunk(codes, sawAtOnce) { // a file may hold very many, and others want to write too
		err := s.Tx.InTx(ctx, func(ctx context.Context) error {
			for _, code := range some {
				x.ID = id.New()
				if err := s.Store.PutSeen(ctx, x, code, cycle.Day(now)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

const sawAtOnce = 500

// PartnerSuspended lets the customers of a partner know that it was suspended or may go on, in the running transaction.
func (s *Service) PartnerSuspended(ctx context.Context, partnerID string, suspended bool) error {
	return s.tellAll(ctx, Seen{PartnerID: partnerID}, suspended)
}

// PlatformSwitched lets the customers of a partner know that its sales platform was switched off or on, and by whom of
// the partner, in the running transaction.
func (s *Service) PlatformSwitched(ctx context.Context, partnerID, actor string, off bool) error {
	return s.tellAll(ctx, Seen{PartnerID: partnerID, Actor: actor, What: whatPlatform}, off)
}

// whatPlatform tells the state of a partner's platform from that of the partner.
const whatPlatform = "platform"

func (s *Service) tellAll(ctx context.Context, x Seen, off bool) error {
	x.ID, x.Act, x.LastAt = id.New(), ActResume, s.Clock.Now()
	if off {
		x.Act = ActSuspend
	}
	return s.Store.PutSeenByAll(ctx, x, cycle.Day(x.LastAt))
}

// Event is a line of what a partner did that concerns a customer.
type Event struct {
	Key       string // for ever
	At        time.Time
	Kind      EventKind
	PartnerID string
	What      string // the action of an association, the kind of a list
	Actor     string // login; empty when it is not known
	From      Carer  // of a customer that passes on
	To        Carer
	Times     int64
	Reason    string
}

// EventKind sorts them.
type EventKind string

// The kinds.
const (
	EventAssociation EventKind = "association"
	EventCare        EventKind = "care"
	EventReveal      EventKind = "reveal"
	EventExport      EventKind = "export"
	EventSuspend     EventKind = "suspend"
)

// EventKinds are all of them, in the order of the filter.
var EventKinds = []EventKind{EventAssociation, EventCare, EventReveal, EventExport, EventSuspend}

// Trail is everything partners did that concerns the acting customer, the newest first: associations, who looked after
// it, whose names were shown in clear and which files held it. Faults: customer.not_a_party, scope.permission_missing.
func (s *Service) Trail(ctx context.Context, sc scope.Scope) ([]Event, error) {
	if err := sc.Require(scope.ItemAssociationView); err != nil {
		return nil, err
	}
	if sc.Side() != scope.SideCustomer {
		return nil, fault.Denied("customer.not_a_party", nil)
	}
	var out []Event
	list, err := s.Store.AssociationsOf(ctx, sc.OrgID())
	if err != nil {
		return nil, err
	}
	for _, a := range list {
		changes, err := s.Log.History(ctx, Flow.Machine, a.ID)
		if err != nil {
			return nil, err
		}
		out = append(out, associationEvents(a, changes)...)
	}
	cares, err := s.CareOf(ctx, sc)
	if err != nil {
		return nil, err
	}
	out = append(out, careEvents(cares, s.Clock.Now())...)
	seen, err := s.Store.SeenOf(ctx, sc.OrgID())
	if err != nil {
		return nil, err
	}
	for _, x := range seen {
		kind := EventKind(x.Act)
		if x.Act == ActResume {
			kind = EventSuspend
		}
		if kind == EventSuspend && x.What == whatPlatform {
			x.What = whatPlatform + "_" + string(x.Act)
		} else if kind == EventSuspend {
			x.What = string(x.Act)
		}
		out = append(out, Event{Key: x.ID, At: x.LastAt, Kind: kind, PartnerID: x.PartnerID, What: x.What, Actor: x.Actor, Times: x.Times})
	}
	Newest(out)
	return out, nil
}

// Newest puts events in the order of the trail.
func Newest(list []Event) {
	sorted.By(list, func(a, b Event) int {
		if c := b.At.Compare(a.At); c != 0 {
			return c
		}
		return strings.Compare(b.Key, a.Key)
	})
}

// associationEvents are the moves of an association; one that was entered without a log is its own beginning and end.
func associationEvents(a Association, changes []flow.Change) []Event {
	var out []Event
	for _, c := range changes {
		what := c.Action
		if c.From == "" {
			what = "begin." + c.To
		}
		out = append(out, Event{Key: a.ID + "/" + c.At.UTC().Format(time.RFC3339Nano) + "/" + what, At: c.At, Kind: EventAssociation, PartnerID: a.PartnerID, What: what, Actor: c.Actor, Reason: c.Reason})
	}
	if len(out) == 0 && a.counts() {
		out = append(out, Event{Key: a.ID + "/begin", At: a.CreatedAt, Kind: EventAssociation, PartnerID: a.PartnerID, What: "begin." + string(StateActive)})
	}
	return out
}

// careEvents: one manager's end that is another's beginning is a passing on; nothing is told before its time.
func careEvents(cares []Care, now time.Time) []Event {
	var out []Event
	ended := map[string]int{} // partner and instant → the event of the end
	cares = slices.DeleteFunc(slices.Clone(cares), func(c Care) bool { return empty(c.From, c.To) })
	for _, c := range cares {
		if !c.To.IsZero() && !c.To.After(now) {
			ended[c.PartnerID+c.To.String()] = len(out)
			out = append(out, Event{Key: c.ID + "/end", At: c.To, Kind: EventCare, PartnerID: c.PartnerID, What: "end", From: c.Manager})
		}
	}
	for _, c := range cares {
		if c.From.After(now) {
			continue
		}
		if i, passed := ended[c.PartnerID+c.From.String()]; passed {
			out[i].What, out[i].To, out[i].Actor = "pass", c.Manager, c.CreatedBy
			continue
		}
		out = append(out, Event{Key: c.ID + "/begin", At: c.From, Kind: EventCare, PartnerID: c.PartnerID, What: "begin", To: c.Manager, Actor: c.CreatedBy})
	}
	return out
}

// CareOf is who looked after the acting customer, and looks after it now, at any partner, by time. Faults:
// customer.not_a_party, scope.permission_missing.
func (s *Service) CareOf(ctx context.Context, sc scope.Scope) ([]Care, error) {
	if err := sc.Require(scope.ItemAssociationView); err != nil {
		return nil, err
	}
	if sc.Side() != scope.SideCustomer {
		return nil, fault.Denied("customer.not_a_party", nil)
	}
	list, err := s.Store.AssignmentsAbout(ctx, sc.OrgID())
	if err != nil {
		return nil, err
	}
	names, err := s.Store.Carers(scope.AsSystem(ctx, "carers"), sc.OrgID()) // staff of another organisation, shown masked
	out := make([]Care, 0, len(list))
	for _, a := range list {
		c := Care{Assignment: a, Manager: Carer{ID: a.PersonID}}
		if i := slices.IndexFunc(names, func(x Carer) bool { return x.ID == a.PersonID }); i >= 0 {
			c.Manager = names[i]
		}
		out = append(out, c)
	}
	return out, err
}
