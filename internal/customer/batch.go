package customer

import (
	"context"
	"time"

	"huoban/internal/fault"
	"huoban/internal/scope"
)

// MaxBatch is how many customers are assigned or taken back at once.
const MaxBatch = 100

// BatchInput gives customers into a manager's care now, or with an empty PersonID takes them back. Replace
// lets customers pass from another manager.
type BatchInput struct {
	PersonID    string
	CustomerIDs []string
	Replace     bool
}

// Validate checks what needs no look-up. Faults: customer.batch_empty, .batch_too_long.
func (in BatchInput) Validate() error {
	if len(in.CustomerIDs) == 0 {
		return fault.Invalid("customer.batch_empty", nil)
	}
	if len(in.CustomerIDs) > MaxBatch {
		return fault.Invalid("customer.batch_too_long", fault.Args{"count": len(in.CustomerIDs), "max": MaxBatch})
	}
	return nil
}

// Step is what a batch does with one customer.
type Step struct {
	Entry
	Refusal *fault.Error // why it cannot be done; nil = it can
	Same    bool         // it is so already
}

// plan judges a batch against the customers there are.
func (in BatchInput) plan(all []Entry, partnerID string, now time.Time) ([]Step, error) {
	byID := map[string]*Entry{}
	for i := range all {
		if all[i].Own(partnerID) {
			byID[all[i].CustomerID] = &all[i]
		}
	}
	met := map[string]bool{}
	var out []Step
	for _, id := range in.CustomerIDs {
		e := byID[id]
		if e == nil {
			return nil, fault.NotFound("customer.unknown", nil)
		}
		if met[id] {
			continue
		}
		met[id] = true
		step := Step{Entry: *e, Same: e.Manager.ID == in.PersonID}
		switch {
		case in.PersonID != "" && !e.InForce(now):
			step.Refusal, step.Same = fault.Conflict("customer.not_associated", nil), false
		case in.PersonID != "" && !step.Same && e.Manager.ID != "" && !in.Replace:
			step.Refusal = fault.Conflict("customer.assigned", nil)
		}
		out = append(out, step)
	}
	return out, nil
}

// Plan tells what a batch would do, customer by customer, and does nothing. Faults: those of Validate and
// Directory, customer.unknown, .not_manager, .other_team, scope.permission_missing.
func (s *Service) Plan(ctx context.Context, sc scope.Scope, in BatchInput) ([]Step, error) {
	if err := in.Validate(); err != nil {
		return nil, err
	}
	if err := mayAssign(sc); err != nil {
		return nil, err
	}
	if in.PersonID != "" {
		if err := s.checkManager(ctx, sc, in.PersonID); err != nil {
			return nil, err
		}
	}
	all, err := s.Directory(ctx, sc) // of a 客户经理主管: what the team has
	if err != nil {
		return nil, err
	}
	return in.plan(all, sc.OrgID(), s.Clock.Now())
}

// AssignAll does a batch, all of it or nothing, and gives how many customers changed hands. The first
// customer that cannot be is the refusal. Faults: those of Plan, Assign and Unassign.
func (s *Service) AssignAll(ctx context.Context, sc scope.Scope, in BatchInput) (int, error) {
	changed := 0
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		changed = 0
		steps, err := s.Plan(ctx, sc, in)
		if err != nil {
			return err
		}
		for i := range steps {
			switch {
			case steps[i].Refusal != nil:
				return steps[i].Refusal
			case steps[i].Same:
				continue
			case in.PersonID == "":
				err = s.Unassign(ctx, sc, steps[i].CustomerID)
			default:
				_, err = s.Assign(ctx, sc, AssignInput{CustomerID: steps[i].CustomerID, PersonID: in.PersonID})
			}
			if err != nil {
				return err
			}
			changed++
		}
		return nil
	})
	return changed, err
}
