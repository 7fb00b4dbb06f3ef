package invoice

import (
	"context"
	"strings"
	"time"

	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/money"
	"huoban/internal/scope"
)

// Deed is an action with what its form asks for.
type Deed struct {
	Do           Action
	Reason       string
	Paper        Paper        // of issue and post
	Amount       money.Amount // of a return: 0 is the whole, and nothing else is taken
	RedConfirmed bool         // of a return
	Back         Letter       // of a return of paper
}

// Do fires an action of a person. Faults: invoice.unknown, .reason_long, those of Paper.Check, of the guards and of
// flow.Fire, invoice.number_taken.
func (s *Service) Do(ctx context.Context, sc scope.Scope, requestID string, d Deed) (Request, error) {
	var out Request
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := see(sc); err != nil {
			return err
		}
		r, err := s.Store.ByID(ctx, sc, requestID) // what was deleted too, so that who acts on it is told by whom
		if err != nil {
			return err
		}
		out, err = s.fire(ctx, sc, r, d)
		return err
	})
	return out, err
}

// FireDue is the flow.FireDue of this machine.
func (s *Service) FireDue(ctx context.Context, entity, action string, who scope.Scope, _ time.Time) error {
	r, err := s.Store.ByID(ctx, who, entity)
	if err != nil {
		return err
	}
	_, err = s.fire(ctx, who, r, Deed{Do: Action(action)})
	return err
}

func (s *Service) fire(ctx context.Context, sc scope.Scope, r Request, d Deed) (Request, error) {
	now := s.Clock.Now()
	next := r
	next.ChangedAt = now
	d.Reason = strings.TrimSpace(strings.ReplaceAll(d.Reason, "\r\n", "\n"))
	if !text(d.Reason, 0, MaxReason, true) {
		return r, fault.Invalid("invoice.reason_long", fault.Args{"limit": MaxReason})
	}
	facts, err := s.facts(ctx, sc, &r)
	if err != nil {
		return r, err
	}
	days := map[Action]int{}
	switch d.Do {
	case ActionSubmit:
		if next.Title, _, err = s.Store.Title(ctx, r.PartnerID); err != nil {
			return r, err
		}
		next.SubmittedAt, next.Reason, next.RedConfirmed, next.ReturnReason, next.Back = now, "", false, "", Letter{}
		next.PersonID, next.Login = sc.PersonID(), sc.Login()
	case ActionRefuse, ActionRefuseCancel, ActionRefuseReturn:
		next.Reason = d.Reason
	case ActionIssue, ActionPost:
		if err := s.note(ctx, sc, &next, &facts, d); err != nil {
			return r, err
		}
		set, err := s.Setting(ctx, r.VendorID)
		if err != nil {
			return r, err
		}
		if days[ActionSignByTime] = set.SignDays; d.Do == ActionPost {
			next.SignBy = now.AddDate(0, 0, set.SignDays)
		}
	case ActionReturn:
		if next.Back, err = d.Back.check(r.Medium); err != nil {
			return r, err
		}
		next.Reason, next.ReturnReason, next.RedConfirmed = "", d.Reason, d.RedConfirmed
		facts.Part, facts.RedConfirmed = d.Amount != 0 && d.Amount != r.Amount, d.RedConfirmed
	}
	err = Flow.Fire(ctx, s.Log, flow.Move[State, Action, Facts]{Entity: r.ID, State: r.State, Version: r.Version, Do: d.Do, Facts: facts, Who: sc, Now: now, Reason: d.Reason, DueDays: days},
		func(ctx context.Context, to State) (bool, error) {
			next.State, next.Version = to, r.Version+1
			return s.Store.Set(ctx, next, r.State, r.Version)
		})
	if err != nil {
		return r, err
	}
	if err := s.record(ctx, sc, &next, "invoice."+string(d.Do), map[string]any{"reason": d.Reason, "invoice_number": next.InvoiceNumber, "return_tracking": next.Back.Tracking}); err != nil {
		return next, err
	}
	return next, s.tell(ctx, &next, d.Do)
}

// note takes what the issuer says of the invoice it made, where the issuer's person may do that now.
func (s *Service) note(ctx context.Context, sc scope.Scope, next *Request, facts *Facts, d Deed) error {
	facts.HasNumber, facts.HasTracking = true, true
	if _, err := Flow.Decide(next.State, d.Do, *facts, sc, s.Clock.Now()); err != nil {
		return Flow.Told(ctx, s.Log, next.ID, err)
	}
	if err := d.Paper.Check(next.Medium, s.Clock.Now()); err != nil {
		return err
	}
	next.InvoiceCode, next.InvoiceNumber, next.InvoicedOn, next.Courier, next.Tracking = d.Paper.Code, d.Paper.Number, d.Paper.On, d.Paper.Courier, d.Paper.Tracking
	taken, err := s.Store.NumberTaken(ctx, next.IssuerID, next.InvoiceCode, next.InvoiceNumber, next.ID)
	if err != nil {
		return err
	}
	if taken {
		return fault.Conflict("invoice.number_taken", fault.Args{"number": next.InvoiceNumber})
	}
	facts.HasNumber, facts.HasTracking = next.InvoiceNumber != "", next.Courier != "" && next.Tracking != ""
	return nil
}
