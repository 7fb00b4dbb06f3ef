package subscription

import (
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/cycle"
	"huoban/internal/expenditure"
	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/id"
	"huoban/internal/outbox"
	"huoban/internal/scope"
)

// Tx runs a function in one transaction; fn may be run again.
type Tx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// Sealer keeps secrets closed, each for one purpose.
type Sealer interface {
	Seal(plain []byte, purpose string) (sealed []byte, under string, err error)
	Open(sealed []byte, under, purpose string) ([]byte, error)
}

// Deps are what the service stands on.
type Deps struct {
	Tx      Tx
	Store   Store
	Log     flow.Log
	Audit   audit.Recorder
	Clock   clock.Clock
	Jobs    outbox.Enqueuer
	Seal    Sealer
	Carrier Carrier
	Reader  Reader
	Mask    func(name string) string
	// Scope is what the whole partner sees, in the name of the subscription.
	Scope func(ctx context.Context, orgID, login string) (scope.Scope, error)
	// Holds is told, before a file is sent, whom it holds something of.
	Holds func(ctx context.Context, sc scope.Scope, what string, customers []string) error
	// Told is called in the transaction in which the portal gives a dispatch up.
	Told func(ctx context.Context, s *Subscription, d *Dispatch) error
}

// Service keeps subscriptions, makes their files and has them carried.
type Service struct{ Deps }

// New makes the service.
func New(d Deps) *Service { return &Service{d} }

func (s *Service) may(sc scope.Scope, items ...scope.Item) error {
	if err := sc.Require(items...); err != nil {
		return err
	}
	if !wholeSide.Holds(Facts{sc.OrgID()}, sc, s.Clock.Now()) {
		return fault.Denied(wholeSide.Code, nil)
	}
	return nil
}

// List gives the partner's subscriptions. Faults: scope.permission_missing, subscription.whole_side.
func (s *Service) List(ctx context.Context, sc scope.Scope) ([]Subscription, error) {
	if err := s.may(sc, scope.ItemSubscriptionView, scope.ItemSubscriptionChange); err != nil {
		return nil, err
	}
	return s.Store.OfOrg(ctx, sc.OrgID())
}

// ByID gives one of them. Faults: those of List, subscription.unknown.
func (s *Service) ByID(ctx context.Context, sc scope.Scope, subscriptionID string) (Subscription, error) {
	if err := s.may(sc, scope.ItemSubscriptionView, scope.ItemSubscriptionChange); err != nil {
		return Subscription{}, err
	}
	x, err := s.find(ctx, sc, subscriptionID)
	if err == nil && x.State == StateEnded {
		err = fault.NotFound("subscription.unknown", nil)
	}
	if err != nil {
		return Subscription{}, err
	}
	return x, nil
}

// find gives what was ended too, so that who acts on it is told by whom.
func (s *Service) find(ctx context.Context, sc scope.Scope, subscriptionID string) (Subscription, error) {
	x, err := s.Store.ByID(ctx, subscriptionID)
	if err == nil && x.OrgID != sc.OrgID() {
		return Subscription{}, fault.NotFound("subscription.unknown", nil)
	}
	return x, err
}

// Dispatches are the files of a subscription, the newest first. Faults: those of ByID.
func (s *Service) Dispatches(ctx context.Context, sc scope.Scope, subscriptionID string) ([]Dispatch, error) {
	if _, err := s.ByID(ctx, sc, subscriptionID); err != nil {
		return nil, err
	}
	return s.Store.Dispatches(ctx, subscriptionID, "")
}

// Dispatch is one file with its subscription. Faults: those of ByID, subscription.dispatch_unknown.
func (s *Service) Dispatch(ctx context.Context, sc scope.Scope, subscriptionID, dispatchID string) (Dispatch, Subscription, error) {
	x, err := s.ByID(ctx, sc, subscriptionID)
	if err != nil {
		return Dispatch{}, Subscription{}, err
	}
	d, err := s.Store.Dispatch(ctx, dispatchID)
	if err == nil && d.SubscriptionID != x.ID {
		err = fault.NotFound("subscription.dispatch_unknown", nil)
	}
	if err != nil {
		return Dispatch{}, Subscription{}, err
	}
	return d, x, nil
}

// Tries are the attempts on a dispatch that was found, the newest first.
func (s *Service) Tries(ctx context.Context, d *Dispatch) ([]Try, error) {
	return s.Store.Tries(ctx, d.ID)
}

func (s *Service) record(ctx context.Context, who scope.Scope, x *Subscription, action string, detail map[string]any) error {
	return s.Audit.Record(ctx, audit.Entry{Actor: who.Login(), OrgID: x.OrgID, Action: action, Object: "subscription:" + x.ID, Detail: detail})
}

func (in *Input) put(x *Subscription) {
	x.Name, x.Kind, x.Address, x.Bucket, x.Prefix, x.Region, x.PathStyle, x.AccessKey = in.Name, in.Kind, in.Address, in.Bucket, in.Prefix, in.Region, in.PathStyle, in.AccessKey
	x.Content, x.Format, x.FirstCycle = in.Content, in.Format, cycle.Cycle(in.FirstCycle)
}

// Add makes a subscription that is switched on. Faults: those of Validate and of Carrier.Check, subscription.too_many.
func (s *Service) Add(ctx context.Context, sc scope.Scope, in Input) (Subscription, error) {
	if err := s.checked(sc, &in, true); err != nil {
		return Subscription{}, err
	}
	now := s.Clock.Now()
	x := Subscription{ID: id.New(), OrgID: sc.OrgID(), State: StateOn, Version: 1, CreatedBy: sc.Login(), CreatedAt: now, ChangedAt: now}
	in.put(&x)
	if err := s.shut(&x, in.Secret); err != nil {
		return Subscription{}, err
	}
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		known, err := s.Store.OfOrg(ctx, sc.OrgID())
		if err != nil {
			return err
		}
		if len(known) >= MaxOfOrg {
			return fault.Conflict("subscription.too_many", fault.Args{"limit": MaxOfOrg})
		}
		if err := s.Store.Insert(ctx, &x); err != nil {
			return err
		}
		if err := Flow.Begin(ctx, s.Log, x.ID, x.State, sc, now, nil); err != nil {
			return err
		}
		return s.record(ctx, sc, &x, "subscription.add", detailOf(&x))
	})
	return x, err
}

// Change writes what a person set; an empty secret stays as it is unless the kind of target is another. Faults: those
// of Add and ByID.
func (s *Service) Change(ctx context.Context, sc scope.Scope, subscriptionID string, in Input) (Subscription, error) {
	x, err := s.ByID(ctx, sc, subscriptionID)
	if err != nil {
		return x, err
	}
	if err := s.checked(sc, &in, in.Kind != x.Kind); err != nil {
		return x, err
	}
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		now, err := s.ByID(ctx, sc, subscriptionID)
		if err != nil {
			return err
		}
		x = now
		in.put(&x)
		if in.Secret != "" {
			if err := s.shut(&x, in.Secret); err != nil {
				return err
			}
		}
		x.ChangedAt, x.TestedAt, x.TestCode = s.Clock.Now(), time.Time{}, ""
		if err := s.update(ctx, &x); err != nil {
			return err
		}
		detail := detailOf(&x)
		detail["secret_changed"] = in.Secret != ""
		return s.record(ctx, sc, &x, "subscription.change", detail)
	})
	return x, err
}

func (s *Service) checked(sc scope.Scope, in *Input, fresh bool) error {
	if err := s.may(sc, scope.ItemSubscriptionChange); err != nil {
		return err
	}
	if err := in.Validate(fresh, s.Clock.Now()); err != nil {
		return err
	}
	return s.Carrier.Check(in.Address)
}

func detailOf(x *Subscription) map[string]any {
	return map[string]any{"name": x.Name, "kind": x.Kind, "where": x.Where(), "content": x.Content, "format": x.Format, "first_cycle": x.FirstCycle}
}

func (s *Service) shut(x *Subscription, secret string) (err error) {
	x.Hint = hint(secret)
	x.Sealed, x.SealedBy, err = s.Seal.Seal([]byte(secret), "subscription:"+x.ID)
	return err
}

// target is where a subscription is carried to. Fault: subscription.secret_lost.
func (s *Service) target(x *Subscription) (Target, error) {
	secret, err := s.Seal.Open(x.Sealed, x.SealedBy, "subscription:"+x.ID)
	if err != nil {
		return Target{}, fault.Unavailable("subscription.secret_lost", nil).Because(err)
	}
	return Target{Kind: x.Kind, Address: x.Address, Bucket: x.Bucket, Prefix: x.Prefix, Region: x.Region, PathStyle: x.PathStyle, AccessKey: x.AccessKey, Secret: string(secret)}, nil
}

func (s *Service) update(ctx context.Context, x *Subscription) error {
	won, err := s.Store.Update(ctx, x)
	if err == nil && !won {
		err = flow.Lost(ctx, s.Log, Flow.Machine, x.ID)
	}
	x.Version++
	return err
}

// Allowed lists what the actor may do with a subscription.
func (s *Service) Allowed(sc scope.Scope, x *Subscription) []flow.Button {
	return Flow.Allowed(x.State, Facts{x.OrgID}, sc, s.Clock.Now())
}

// AllowedDispatch lists what the actor may do with a file.
func (s *Service) AllowedDispatch(sc scope.Scope, x *Subscription, d *Dispatch) []flow.Button {
	return DispatchFlow.Allowed(d.State, DispatchFacts{Facts{x.OrgID}, x.State}, sc, s.Clock.Now())
}

// Do switches a subscription off or on, or ends it. What waits while it is off is carried when it is on again. Faults:
// those of ByID, flow.not_from_state.
func (s *Service) Do(ctx context.Context, sc scope.Scope, subscriptionID string, do Action) (Subscription, error) {
	var x Subscription
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		err := s.may(sc, scope.ItemSubscriptionView, scope.ItemSubscriptionChange)
		if err != nil {
			return err
		}
		if x, err = s.find(ctx, sc, subscriptionID); err != nil {
			return err
		}
		now := s.Clock.Now()
		err = Flow.Fire(ctx, s.Log, flow.Move[State, Action, Facts]{Entity: x.ID, State: x.State, Version: x.Version, Do: do, Facts: Facts{x.OrgID}, Who: sc, Now: now},
			func(ctx context.Context, to State) (bool, error) {
				x.State, x.ChangedAt = to, now
				if to == StateEnded {
					x.Sealed, x.SealedBy, x.Hint = nil, "", ""
				}
				won, err := s.Store.Update(ctx, &x)
				x.Version++
				return won, err
			})
		if err != nil {
			return err
		}
		if do == ActionResume {
			if err := s.again(ctx, &x, now); err != nil {
				return err
			}
		}
		return s.record(ctx, sc, &x, "subscription."+string(do), nil)
	})
	return x, err
}

// again enqueues what waited while a subscription was off.
func (s *Service) again(ctx context.Context, x *Subscription, now time.Time) error {
	all, err := s.Store.Dispatches(ctx, x.ID, "")
	if err != nil {
		return err
	}
	for i := range all {
		d := &all[i]
		if d.State != DispatchWaiting {
			continue
		}
		d.NextAt, d.RoundAt, d.RoundTries = now, now, 0
		if err := s.put(ctx, d); err != nil {
			return err
		}
		if err := s.enqueue(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) put(ctx context.Context, d *Dispatch) error {
	won, err := s.Store.UpdateDispatch(ctx, d)
	if err == nil && !won {
		err = flow.Lost(ctx, s.Log, DispatchFlow.Machine, d.ID)
	}
	d.Version++
	return err
}

// Resend has a file carried once more: the same bytes under the same number. Faults: those of Dispatch,
// subscription.is_off, flow.not_from_state.
func (s *Service) Resend(ctx context.Context, sc scope.Scope, subscriptionID, dispatchID string) (Dispatch, error) {
	var d Dispatch
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		var x Subscription
		var err error
		if d, x, err = s.Dispatch(ctx, sc, subscriptionID, dispatchID); err != nil {
			return err
		}
		now := s.Clock.Now()
		if err := s.move(ctx, sc, &x, &d, ActionResend, func(d *Dispatch) {
			d.RoundAt, d.RoundTries, d.NextAt, d.DoneAt = now, 0, now, time.Time{}
		}); err != nil {
			return err
		}
		if err := s.enqueue(ctx, &d); err != nil {
			return err
		}
		return s.record(ctx, sc, &x, "subscription.resend", map[string]any{"dispatch": d.ID, "file": d.FileName})
	})
	return d, err
}

func (s *Service) move(ctx context.Context, who scope.Scope, x *Subscription, d *Dispatch, do DispatchAction, change func(*Dispatch)) error {
	return DispatchFlow.Fire(ctx, s.Log, flow.Move[DispatchState, DispatchAction, DispatchFacts]{Entity: d.ID, State: d.State, Version: d.Version, Do: do, Facts: DispatchFacts{Facts{x.OrgID}, x.State}, Who: who, Now: s.Clock.Now()},
		func(ctx context.Context, to DispatchState) (bool, error) {
			d.State = to
			change(d)
			won, err := s.Store.UpdateDispatch(ctx, d)
			d.Version++
			return won, err
		})
}

// FireDue is the flow.FireDue of a dispatch: the bytes of an old one are dropped.
func (s *Service) FireDue(ctx context.Context, entity, action string, who scope.Scope, _ time.Time) error {
	d, err := s.Store.Dispatch(ctx, entity)
	if err != nil {
		return err
	}
	x, err := s.Store.ByID(ctx, d.SubscriptionID)
	if err != nil {
		return err
	}
	if err := s.move(ctx, who, &x, &d, DispatchAction(action), func(*Dispatch) {}); err != nil {
		return err
	}
	return s.Store.DropPieces(ctx, d.ID)
}

// testText is what a test carries.
const testText = "huoban,test\n"

// Test carries a few bytes at once and notes how it went; nothing is sent again. Faults: those of ByID.
func (s *Service) Test(ctx context.Context, sc scope.Scope, subscriptionID string) (Outcome, error) {
	x, err := s.ByID(ctx, sc, subscriptionID)
	if err == nil {
		err = s.may(sc, scope.ItemSubscriptionChange)
	}
	if err != nil {
		return Outcome{}, err
	}
	t, err := s.target(&x)
	if err != nil {
		return Outcome{}, err
	}
	out := s.Carrier.Carry(ctx, t, Parcel{ID: "test-" + x.ID, Event: "test", Name: "huoban-test.csv", ContentType: FormatCSV.MediaType(), SHA: sumOf(testText), Bytes: int64(len(testText)),
		Open: func() io.Reader { return strings.NewReader(testText) }})
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		x, err := s.ByID(ctx, sc, subscriptionID)
		if err != nil {
			return err
		}
		x.TestedAt, x.TestCode = s.Clock.Now(), out.Code
		if err := s.update(ctx, &x); err != nil {
			return err
		}
		return s.record(ctx, sc, &x, "subscription.test", map[string]any{"code": out.Code, "status": out.Status})
	})
	return out, err
}

// FirstCycles are the cycles a subscription may begin with, the newest first.
func FirstCycles(now time.Time) []cycle.Cycle {
	var out []cycle.Cycle
	for i := range expenditure.Months + 1 {
		out = append(out, cycle.Of(now, cycle.Zone).Add(-i))
	}
	return out
}

// newest is the last version of a file there is.
func newest(all []Dispatch, currency string) *Dispatch {
	i := slices.IndexFunc(all, func(d Dispatch) bool { return d.Currency == currency })
	if i < 0 {
		return nil
	}
	best := &all[i]
	for j := range all {
		if all[j].Currency == currency && all[j].No > best.No {
			best = &all[j]
		}
	}
	return best
}
