package company

import (
	"context"
	"strings"
	"time"

	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/id"
	"huoban/internal/organisation"
	"huoban/internal/paper"
	"huoban/internal/scope"
)

// State is where a change stands: 审核中, 审核通过, 审核不通过, 已撤回.
type State string

// The states.
const (
	StateReviewing State = "reviewing"
	StateApproved  State = "approved"
	StateRefused   State = "refused"
	StateWithdrawn State = "withdrawn"
)

// Action is what moves a change.
type Action string

// The actions: 通过, 驳回, 撤回.
const (
	ActionApprove  Action = "approve"
	ActionRefuse   Action = "refuse"
	ActionWithdraw Action = "withdraw"
)

// Facts is what the guards judge.
type Facts struct{ OrgID string }

var itsOwn = flow.Guard[Facts]{Name: "its_own", Code: "company.not_own", Kind: fault.KindDenied,
	Holds: func(f Facts, who scope.Scope, _ time.Time) bool { return who.OrgID() == f.OrgID }}

// Flow is the machine of a change of company information.
var Flow = &flow.Table[State, Action, Facts]{
	Machine: "company_change",
	Path:    "/company-changes/{id}",
	Start:   []State{StateReviewing},
	Final:   []State{StateApproved, StateRefused, StateWithdrawn},
	Within:  map[State]int{StateReviewing: 3},
	Rows: []flow.Row[State, Action, Facts]{
		{From: []State{StateReviewing}, Do: ActionApprove, To: StateApproved, Who: []scope.Item{scope.ItemOrgChange}, Then: []string{"write_profile"},
			Ask: flow.AskConfirm, Noun: "approval", Op: "approveCompanyChange", Spec: "docs/scope.md"},
		{From: []State{StateReviewing}, Do: ActionRefuse, To: StateRefused, Who: []scope.Item{scope.ItemOrgChange},
			Ask: flow.AskReason, Noun: "refusal", Op: "refuseCompanyChange", Spec: "docs/scope.md"},
		{From: []State{StateReviewing}, Do: ActionWithdraw, To: StateWithdrawn, Who: []scope.Item{scope.ItemProfileChange},
			When: []flow.Guard[Facts]{itsOwn}, Ask: flow.AskConfirm, Noun: "withdrawal", Op: "withdrawCompanyChange", Spec: "docs/scope.md"},
	},
}

// Change is one proposal, with what stood when it was made.
type Change struct {
	ID        string
	OrgID     string
	OrgCode   string
	OrgName   string
	State     State
	Version   int64
	New, Was  Reviewed
	CreatedBy string
	CreatedAt time.Time
	DecidedBy string
	DecidedAt time.Time
	Reason    string
}

// Check trims and refuses what could not stand on a document. Faults: company.name_malformed, .address_malformed.
func (r *Reviewed) Check() error {
	r.Name, r.NameEN, r.Address = strings.TrimSpace(r.Name), strings.TrimSpace(r.NameEN), strings.TrimSpace(r.Address)
	if !text(r.Name, 1, MaxName, false) || !text(r.NameEN, 0, MaxName, false) {
		return fault.Invalid("company.name_malformed", fault.Args{"limit": MaxName})
	}
	if !text(r.Address, 0, MaxAddress, false) {
		return fault.Invalid("company.address_malformed", fault.Args{"limit": MaxAddress})
	}
	return nil
}

// Propose asks the vendor to review names, address and licence, the file of a 营业执照; without one the name stays. Faults:
// those of Check and of paper.Recognise, company.nothing_changed, .licence_missing, .change_open, scope.permission_missing.
func (s *Service) Propose(ctx context.Context, sc scope.Scope, org organisation.Organisation, in Reviewed, licence []byte) (Change, error) {
	if err := sc.Require(scope.ItemProfileChange); err != nil {
		return Change{}, err
	}
	if err := in.Check(); err != nil {
		return Change{}, err
	}
	if len(licence) > 0 {
		if _, err := paper.Recognise(licence); err != nil {
			return Change{}, err
		}
	}
	var c Change
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		p, err := s.Of(ctx, sc, org)
		if err != nil {
			return err
		}
		if p.Reviewed == in && len(licence) == 0 {
			return fault.Conflict("company.nothing_changed", nil)
		}
		if p.Name != in.Name && len(licence) == 0 {
			return fault.Invalid("company.licence_missing", nil)
		}
		all, err := s.Store.ChangesOf(ctx, org.ID)
		if err != nil {
			return err
		}
		for i := range all {
			if all[i].State == StateReviewing {
				return fault.Conflict("company.change_open", nil)
			}
		}
		c = Change{ID: id.New(), OrgID: org.ID, OrgCode: org.Code, OrgName: org.Name, State: StateReviewing, Version: 1, New: in, Was: p.Reviewed, CreatedBy: sc.Login(), CreatedAt: s.Clock.Now()}
		if err := s.Store.InsertChange(ctx, c); err != nil {
			return err
		}
		if err := Flow.Begin(ctx, s.Log, c.ID, c.State, sc, c.CreatedAt, nil); err != nil {
			return err
		}
		if err := s.keep(ctx, sc, org, &c, licence); err != nil {
			return err
		}
		return s.record(ctx, sc, org.ID, "company.propose", "company_change:"+c.ID, map[string]any{"name": in.Name, "name_en": in.NameEN, "address": in.Address, "licence": len(licence) > 0})
	})
	return c, err
}

// Changes lists the changes in sight, the newest first: a partner's own, or those of a vendor's partners.
func (s *Service) Changes(ctx context.Context, sc scope.Scope) ([]Change, error) {
	switch sc.Side() {
	case scope.SideVendor:
		if err := sc.Require(scope.ItemOrgView); err != nil {
			return nil, err
		}
		return s.Store.ChangesFor(ctx, sc.OrgID())
	case scope.SidePartner:
		return s.Store.ChangesOf(ctx, sc.OrgID())
	}
	return nil, nil
}

// Change finds one of Changes. Fault: company.change_unknown.
func (s *Service) Change(ctx context.Context, sc scope.Scope, changeID string) (Change, error) {
	all, err := s.Changes(ctx, sc)
	if err != nil {
		return Change{}, err
	}
	for i := range all {
		if all[i].ID == changeID {
			return all[i], nil
		}
	}
	return Change{}, fault.NotFound("company.change_unknown", nil)
}

// Decide approves, refuses or withdraws. What is approved stands in the profile at once. Faults:
// company.change_unknown, .not_own, flow.not_from_state, .changed_meanwhile, .reason_missing, scope.permission_missing.
func (s *Service) Decide(ctx context.Context, sc scope.Scope, changeID string, do Action, reason string) (Change, error) {
	var c Change
	err := s.Tx.InTx(ctx, func(ctx context.Context) (err error) {
		if c, err = s.Change(ctx, sc, changeID); err != nil {
			return err
		}
		now := s.Clock.Now()
		reason = strings.TrimSpace(reason)
		if !text(reason, 0, 500, true) {
			return fault.Invalid("company.reason_long", fault.Args{"limit": 500})
		}
		err = Flow.Fire(ctx, s.Log, flow.Move[State, Action, Facts]{Entity: c.ID, State: c.State, Version: c.Version, Do: do, Facts: Facts{OrgID: c.OrgID}, Who: sc, Now: now, Reason: reason},
			func(ctx context.Context, to State) (bool, error) {
				won, err := s.Store.DecideChange(ctx, c, to, sc.Login(), reason, now)
				c.State, c.DecidedBy, c.DecidedAt, c.Reason = to, sc.Login(), now, reason
				return won, err
			})
		if err != nil {
			return err
		}
		if do == ActionApprove {
			if err := s.write(ctx, sc, &c, now); err != nil {
				return err
			}
		}
		if s.Told != nil && do != ActionWithdraw {
			if err := s.Told(ctx, c); err != nil {
				return err
			}
		}
		return s.record(ctx, sc, c.OrgID, "company."+string(do), "company_change:"+c.ID, map[string]any{"reason": reason})
	})
	return c, err
}

func (s *Service) write(ctx context.Context, sc scope.Scope, c *Change, now time.Time) error {
	p, _, err := s.Store.Profile(ctx, c.OrgID)
	if err != nil {
		return err
	}
	p.OrgID, p.Reviewed, p.UpdatedBy, p.UpdatedAt = c.OrgID, c.New, sc.Login(), now
	return s.Store.SaveProfile(ctx, p)
}
