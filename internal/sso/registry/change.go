package registry

import (
	"context"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/scope"
	"huoban/internal/sso"
)

// jitter keeps replicas and registrations apart.
func jitter() float64 { return rand.Float64() }

func (s *Service) facts(ctx context.Context, p Platform) (Facts, error) {
	f := Facts{HasMetadata: p.MetadataID != "", EntityFree: true, Held: p.Held}
	certs, err := s.Store.Certs(ctx, p.ID)
	if err != nil {
		return f, err
	}
	var list []sso.Certificate
	for _, c := range certs {
		list = append(list, c.Certificate)
	}
	f.UsableKey = usable(list, p, s.Clock.Now())
	if p.IdPEntityID == "" || p.SharedEntityOK {
		return f, nil
	}
	holders, err := s.Store.EntityHolders(ctx, p.IdPEntityID)
	for _, h := range holders {
		f.EntityFree = f.EntityFree && h.ID == p.ID
	}
	return f, err
}

// Actions lists what the actor may do to a registration now, each with its refusal where there is one.
func (s *Service) Actions(ctx context.Context, sc scope.Scope, p Platform) ([]flow.Button, error) {
	f, err := s.facts(ctx, p)
	if err != nil {
		return nil, err
	}
	return Flow.Allowed(p.State, f, sc, s.Clock.Now()), nil
}

// fire does an action inside the running transaction.
func (s *Service) fire(ctx context.Context, sc scope.Scope, p *Platform, do Action, reason string) error {
	f, err := s.facts(ctx, *p)
	if err != nil {
		return err
	}
	from := p.State
	err = Flow.Fire(ctx, s.Log, flow.Move[sso.State, Action, Facts]{Entity: p.ID, State: p.State, Version: p.Version, Do: do, Facts: f, Who: sc,
		Now: s.Clock.Now(), Reason: reason}, func(ctx context.Context, to sso.State) (bool, error) {
		next := *p
		next.State, next.UpdatedAt = to, s.Clock.Now()
		next.Held = to == sso.StateDisabled && sc.Side() == scope.SideSystem
		won, err := s.Store.UpdatePlatform(ctx, next)
		if err == nil && won {
			next.Version++
			*p = next
		}
		return won, err
	})
	if err != nil {
		return err
	}
	if err := s.switched(ctx, sc, p.PartnerID, from, p.State); err != nil {
		return err
	}
	detail := map[string]any{"from": string(from), "to": string(p.State)}
	if reason = strings.TrimSpace(reason); reason != "" {
		detail["reason"] = reason
	}
	return s.record(ctx, sc, *p, "platform."+string(do), detail)
}

// switched lets customers know where what was on is off, or the other way round.
func (s *Service) switched(ctx context.Context, sc scope.Scope, partnerID string, from, to sso.State) error {
	off, on := from == sso.StateActive && to == sso.StateDisabled, from == sso.StateDisabled && to == sso.StateActive
	if s.Switched == nil || !off && !on {
		return nil
	}
	actor := ""
	if sc.Side() == scope.SidePartner {
		actor = sc.Login()
	}
	return s.Switched(ctx, partnerID, actor, off)
}

// Done is what became of an action.
type Done struct {
	Platform Platform
	Ended    int64 // sessions that were ended
}

// Do does an action of the machine. endSessions ends, with a disabled registration, the sessions that came from
// it. What is already as wished stays so. Faults: sso.reg.unknown, sso.reg.no_metadata, sso.md.weak_key,
// sso.md.entity_taken, flow.*.
func (s *Service) Do(ctx context.Context, sc scope.Scope, name string, do Action, reason string, endSessions bool) (Done, error) {
	var out Done
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		out = Done{}
		p, err := s.mine(ctx, sc, name)
		if err == nil {
			err = sc.Require(scope.ItemAccessConfigChange)
		}
		if err != nil {
			return err
		}
		if err := flow.Overtaken(ctx, s.Log, Flow.Machine, p.ID); err != nil {
			return err
		}
		if already(p.State, do) {
			out.Platform, err = s.hold(ctx, sc, p, do, reason)
			return err
		}
		if do == ActionActivate && p.State == sso.StateDraft && sc.Side() == scope.SideSystem {
			do = ActionActivateUntested
		}
		if err := s.fire(ctx, sc, &p, do, reason); err != nil {
			return err
		}
		if endSessions && p.State != sso.StateActive {
			if out.Ended, err = s.Store.EndSessions(ctx, p.ID, sc.Login(), s.Clock.Now()); err != nil {
				return err
			}
		}
		out.Platform = p
		return nil
	})
	return out, err
}

// hold takes over what the partner disabled itself, so that it stays so until the operator enables it.
func (s *Service) hold(ctx context.Context, sc scope.Scope, p Platform, do Action, reason string) (Platform, error) {
	if do != ActionDisable || p.Held || sc.Side() != scope.SideSystem {
		return p, nil
	}
	p.Held = true
	if err := s.save(ctx, &p); err != nil {
		return p, err
	}
	return p, s.record(ctx, sc, p, "platform.hold", map[string]any{"reason": strings.TrimSpace(reason)})
}

func already(state sso.State, do Action) bool {
	switch do {
	case ActionActivate, ActionEnable:
		return state == sso.StateActive
	case ActionDisable:
		return state == sso.StateDisabled
	}
	return false
}

// Waive lets a weak key of theirs verify until then; staff alone may. Faults: sso.reg.unknown, .waiver_long.
func (s *Service) Waive(ctx context.Context, sc scope.Scope, name string, until time.Time) (Platform, error) {
	if sc.Side() != scope.SideSystem {
		return Platform{}, fault.Denied("sso.reg.operator_only", nil)
	}
	if until.After(s.Clock.Now().Add(maxWaiver)) {
		return Platform{}, fault.Invalid("sso.reg.waiver_long", fault.Args{"days": 180})
	}
	return s.edit(ctx, sc, name, "platform.waive", func(p *Platform) (map[string]any, error) {
		p.WeakKeyUntil = until
		return map[string]any{"until": until.UTC().Format(time.RFC3339)}, nil
	})
}

// Passed notes that a test of the registration passed every check: a draft is tested now.
func (s *Service) Passed(ctx context.Context, platformID string) error {
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		p, ok, err := s.Store.Platform(ctx, platformID)
		if err != nil || !ok || p.State != sso.StateDraft {
			return err
		}
		return s.fire(ctx, scope.System("sso"), &p, ActionPassTest, "")
	})
}

// Options are the switches and texts of a registration that its administrator may set.
type Options struct {
	Name               string
	AccountType        string // only until it is active
	SignRequests       bool
	WantResponseSigned bool
	WantEncrypted      bool
	AllowIdPInitiated  bool
	FirstEntry         sso.FirstEntry
	Association        string
	MaxAuthnAge        time.Duration
	Skew               time.Duration
	NotifyURL          string
}

// OptionsOf gives them as they are.
func OptionsOf(p Platform) Options {
	return Options{p.Name, p.AccountType, p.SignRequests, p.WantResponseSigned, p.WantEncrypted, p.AllowIdPInitiated, p.FirstEntry, p.Association, p.MaxAuthnAge, p.Skew, p.NotifyURL}
}

// SetOptions writes them. Faults: sso.reg.*.
func (s *Service) SetOptions(ctx context.Context, sc scope.Scope, name string, o Options) (Platform, error) {
	return s.edit(ctx, sc, name, "platform.options", func(p *Platform) (map[string]any, error) {
		if o.AccountType != p.AccountType {
			if p.State != sso.StateDraft && p.State != sso.StateTested {
				return nil, fault.Conflict("sso.reg.type_fixed", nil)
			}
			if _, taken, err := s.Store.PlatformByType(ctx, o.AccountType); err != nil {
				return nil, err
			} else if taken {
				return nil, fault.Conflict("sso.reg.type_taken", fault.Args{"type": o.AccountType})
			}
		}
		p.Name, p.AccountType, p.SignRequests, p.WantResponseSigned, p.WantEncrypted = strings.TrimSpace(o.Name), o.AccountType, o.SignRequests, o.WantResponseSigned, o.WantEncrypted
		p.AllowIdPInitiated, p.FirstEntry, p.Association, p.MaxAuthnAge, p.Skew, p.NotifyURL = o.AllowIdPInitiated, o.FirstEntry, o.Association, o.MaxAuthnAge, o.Skew, o.NotifyURL
		return map[string]any{"options": o}, s.checkPlatform(*p)
	})
}

// SetMapping writes which attribute fills which field. Fault: sso.reg.mapping.
func (s *Service) SetMapping(ctx context.Context, sc scope.Scope, name string, names map[string]string) (Platform, error) {
	return s.edit(ctx, sc, name, "platform.mapping", func(p *Platform) (map[string]any, error) {
		err := setMapping(&p.Mapping, names)
		return map[string]any{"mapping": names}, err
	})
}

// edit changes a registration; a change that changes nothing is none.
func (s *Service) edit(ctx context.Context, sc scope.Scope, name, action string, change func(p *Platform) (map[string]any, error)) (Platform, error) {
	var p Platform
	err := s.Tx.InTx(ctx, func(ctx context.Context) (err error) {
		if p, err = s.change(ctx, sc, name); err != nil {
			return err
		}
		before := OptionsOf(p)
		mapping, until := p.Mapping, p.WeakKeyUntil
		detail, err := change(&p)
		if err != nil {
			return err
		}
		if OptionsOf(p) == before && p.Mapping == mapping && p.WeakKeyUntil.Equal(until) {
			return nil
		}
		if err := s.save(ctx, &p); err != nil {
			return err
		}
		return s.record(ctx, sc, p, action, detail)
	})
	return p, err
}

// AddReturn allows an address to return to; a partner's own wish waits for staff. One that is there already stays
// as it is. Faults: sso.reg.return_malformed, .returns_many.
func (s *Service) AddReturn(ctx context.Context, sc scope.Scope, name, text string) (sso.Return, error) {
	r, err := s.parseReturn(sc, text)
	if err != nil {
		return r, err
	}
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		p, err := s.change(ctx, sc, name)
		if err != nil {
			return err
		}
		known, err := s.Store.Returns(ctx, p.ID)
		if err != nil {
			return err
		}
		for _, k := range known {
			if k.Scheme != r.Scheme || k.Host != r.Host || k.Port != r.Port || k.PathPrefix != r.PathPrefix || k.State == sso.ReturnStateRemoved {
				continue
			}
			if k.State == r.State || k.State == sso.ReturnStateApproved {
				r = k
				return nil
			}
			r.ID, r.ShortKey = k.ID, k.ShortKey
			_, err := s.setReturn(ctx, sc, p, k.ID, r.State)
			return err
		}
		if len(known) >= maxReturns {
			return fault.Conflict("sso.reg.returns_many", fault.Args{"limit": maxReturns})
		}
		if err := s.Store.InsertReturn(ctx, p.ID, r, sc.Login(), s.Clock.Now()); err != nil {
			return err
		}
		if err := s.save(ctx, &p); err != nil {
			return err
		}
		return s.record(ctx, sc, p, "platform.return_add", map[string]any{"address": ReturnText(r), "state": string(r.State)})
	})
	return r, err
}

// ApproveReturn allows an address that a partner asked for; staff alone may. One that is allowed stays so. Faults:
// sso.reg.unknown, .operator_only, .return_unknown.
func (s *Service) ApproveReturn(ctx context.Context, sc scope.Scope, name, text string) (sso.Return, error) {
	if sc.Side() != scope.SideSystem {
		return sso.Return{}, fault.Denied("sso.reg.operator_only", nil)
	}
	var out sso.Return
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		p, err := s.change(ctx, sc, name)
		if err != nil {
			return err
		}
		known, err := s.Store.Returns(ctx, p.ID)
		if err != nil {
			return err
		}
		for _, r := range known {
			if r.State == sso.ReturnStateRemoved || ReturnText(r) != text && r.ID != text {
				continue
			}
			if out = r; r.State == sso.ReturnStateApproved {
				return nil
			}
			out.State = sso.ReturnStateApproved
			_, err := s.setReturn(ctx, sc, p, r.ID, out.State)
			return err
		}
		return fault.NotFound("sso.reg.return_unknown", fault.Args{"address": text})
	})
	return out, err
}

// RemoveReturn allows an address no longer. Fault: sso.reg.unknown.
func (s *Service) RemoveReturn(ctx context.Context, sc scope.Scope, name, returnID string) error {
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		p, err := s.change(ctx, sc, name)
		if err != nil {
			return err
		}
		found, err := s.setReturn(ctx, sc, p, returnID, sso.ReturnStateRemoved)
		if err == nil && !found {
			return unknown
		}
		return err
	})
}

func (s *Service) setReturn(ctx context.Context, sc scope.Scope, p Platform, returnID string, state sso.ReturnState) (bool, error) {
	found, err := s.Store.SetReturnState(ctx, p.ID, returnID, state, sc.Login(), s.Clock.Now())
	if err != nil || !found {
		return found, err
	}
	if err := s.save(ctx, &p); err != nil {
		return true, err
	}
	return true, s.record(ctx, sc, p, "platform.return_"+string(state), map[string]any{"return": returnID})
}

// ReturnText is an allowed address as it is written.
func ReturnText(r sso.Return) string {
	host := r.Host
	if r.Port != 0 {
		host += ":" + strconv.Itoa(r.Port)
	}
	return r.Scheme + "://" + host + r.PathPrefix
}
