package organisation

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"huoban/internal/audit"
	"huoban/internal/fault"
	"huoban/internal/scope"
)

// Suspension says that a partner may not bring customers in for the moment, and why.
type Suspension struct {
	OrgID, Reason, By string
	Since             time.Time
}

const (
	maxReason     = 500
	actionSuspend = "organisation.suspend"
)

// Suspend keeps a partner's customers from coming in by its platform, and ends what they have open at their next
// request; once more changes nothing. Faults: organisation.unknown, .operator_suspends, .reason_malformed,
// .not_partner.
func (s *Service) Suspend(ctx context.Context, sc scope.Scope, code, reason string) (Organisation, error) {
	return s.setSuspended(ctx, sc, code, reason, actionSuspend, func(ctx context.Context, o Organisation, reason string) (bool, error) {
		return s.store.SetSuspension(ctx, Suspension{OrgID: o.ID, Reason: reason, By: sc.Login(), Since: s.clock.Now()})
	})
}

// Resume takes a suspension back; without one it changes nothing. Faults: those of Suspend.
func (s *Service) Resume(ctx context.Context, sc scope.Scope, code, reason string) (Organisation, error) {
	return s.setSuspended(ctx, sc, code, reason, "organisation.resume", func(ctx context.Context, o Organisation, _ string) (bool, error) {
		return s.store.EndSuspension(ctx, o.ID)
	})
}

func (s *Service) setSuspended(ctx context.Context, sc scope.Scope, code, reason, action string, set func(context.Context, Organisation, string) (bool, error)) (Organisation, error) {
	if sc.Side() != scope.SideSystem {
		return Organisation{}, fault.Denied("organisation.operator_suspends", nil)
	}
	reason = strings.TrimSpace(reason)
	if reason == "" || utf8.RuneCountInString(reason) > maxReason || !utf8.ValidString(reason) {
		return Organisation{}, fault.Invalid("organisation.reason_malformed", fault.Args{"limit": maxReason})
	}
	var o Organisation
	err := s.tx.InTx(ctx, func(ctx context.Context) (err error) {
		if o, err = s.ByCode(ctx, sc, code); err != nil {
			return err
		}
		if !o.Kind.IsPartner() {
			return fault.Invalid("organisation.not_partner", fault.Args{"code": o.Code, "kind": string(o.Kind)})
		}
		changed, err := set(ctx, o, reason)
		if err != nil || !changed {
			return err
		}
		if s.Told != nil {
			if err := s.Told(ctx, o.ID, action == actionSuspend); err != nil {
				return err
			}
		}
		return s.audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: o.ID, Action: action, Object: "organisation:" + o.Code, Outcome: audit.OutcomeDone, Detail: map[string]any{"reason": reason}})
	})
	return o, err
}

// Suspensions are the suspensions by organisation.
func (s *Service) Suspensions(ctx context.Context) (map[string]Suspension, error) {
	list, err := s.store.Suspensions(ctx)
	out := map[string]Suspension{}
	for _, x := range list {
		out[x.OrgID] = x
	}
	return out, err
}

// Suspended tells whether an organisation is.
func (s *Service) Suspended(ctx context.Context, orgID string) (bool, error) {
	all, err := s.Suspensions(ctx)
	_, is := all[orgID]
	return is, err
}
