package customer

import (
	"context"
	"slices"
	"sort"
	"time"

	"huoban/internal/audit"
	"huoban/internal/fault"
	"huoban/internal/id"
	"huoban/internal/scope"
)

// AssignInput gives a customer into a manager's care from an instant on; the zero From is now. When a page
// begins to count is its own matter (Count).
type AssignInput struct {
	CustomerID, PersonID string
	From                 time.Time
}

// Assign gives a customer of the acting partner to one of its 客户经理; the manager before ends there.
// A 客户经理主管 assigns to the own team only. The same again changes nothing. Faults:
// customer.not_a_party, .not_associated, .not_manager, .other_team, .assigned_later,
// scope.permission_missing.
func (s *Service) Assign(ctx context.Context, sc scope.Scope, in AssignInput) (Assignment, error) {
	if err := mayAssign(sc); err != nil {
		return Assignment{}, err
	}
	from := in.From
	if from.IsZero() {
		from = s.Clock.Now()
	}
	var out Assignment
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.checkManager(ctx, sc, in.PersonID); err != nil {
			return err
		}
		known, err := s.Store.AssociationsOf(ctx, in.CustomerID)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(known, func(a Association) bool {
			return a.PartnerID == sc.OrgID() && a.State == StateActive && overlap(a.From, a.To, from, time.Time{})
		}) {
			return fault.Conflict("customer.not_associated", nil)
		}
		before, err := s.Store.AssignmentsOfCustomer(ctx, sc.OrgID(), in.CustomerID)
		if err != nil {
			return err
		}
		for _, a := range before {
			switch {
			case empty(a.From, a.To) || !runs(from, a.To):
			case a.PersonID == in.PersonID && !a.From.After(from) && a.To.IsZero():
				out = a
				return nil
			case a.From.After(from):
				return fault.Conflict("customer.assigned_later", fault.Args{"from": dayText(a.From)})
			default:
				if err := s.Store.EndAssignment(ctx, a.ID, from); err != nil {
					return err
				}
				if a.To = from; empty(a.From, a.To) {
					continue
				}
				if err := s.recordAssignment(ctx, sc, a, "assignment.end"); err != nil {
					return err
				}
			}
		}
		out = Assignment{ID: id.New(), PartnerID: sc.OrgID(), CustomerID: in.CustomerID, PersonID: in.PersonID, From: from,
			CreatedBy: sc.Login(), CreatedAt: s.Clock.Now()}
		if err := s.Store.InsertAssignment(ctx, out); err != nil {
			return err
		}
		return s.recordAssignment(ctx, sc, out, "assignment.begin")
	})
	return out, err
}

// runs tells whether an interval with that end still runs at from.
func runs(from, to time.Time) bool { return to.IsZero() || from.Before(to) }

// Unassign takes a customer back from its manager, now. Nothing to take back changes nothing.
// Faults: customer.not_a_party, .other_team, scope.permission_missing.
func (s *Service) Unassign(ctx context.Context, sc scope.Scope, customerID string) error {
	if err := mayAssign(sc); err != nil {
		return err
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		return s.endCare(ctx, sc, sc.OrgID(), customerID, s.Clock.Now(), true)
	})
}

// endCare ends every assignment of the customer that runs at that instant or begins later.
func (s *Service) endCare(ctx context.Context, sc scope.Scope, partnerID, customerID string, at time.Time, teamOnly bool) error {
	all, err := s.Store.AssignmentsOfCustomer(ctx, partnerID, customerID)
	if err != nil {
		return err
	}
	for _, a := range all {
		if empty(a.From, a.To) || !runs(at, a.To) {
			continue
		}
		if teamOnly {
			if err := s.ownTeam(ctx, sc, a.PersonID); err != nil {
				return err
			}
		}
		to := at
		if a.From.After(at) {
			to = a.From
		}
		if err := s.Store.EndAssignment(ctx, a.ID, to); err != nil {
			return err
		}
		a.To = to
		if err := s.recordAssignment(ctx, sc, a, "assignment.end"); err != nil {
			return err
		}
	}
	return nil
}

// endAssignments goes with the end of an association.
func (s *Service) endAssignments(ctx context.Context, sc scope.Scope, a Association) error {
	return s.endCare(ctx, sc, a.PartnerID, a.CustomerID, a.To, false)
}

func mayAssign(sc scope.Scope) error {
	if err := sc.Require(scope.ItemAssignmentChange); err != nil {
		return err
	}
	if sc.Side() != scope.SidePartner {
		return fault.Denied("customer.not_a_party", nil)
	}
	return nil
}

func (s *Service) checkManager(ctx context.Context, sc scope.Scope, personID string) error {
	ok, _, err := s.People.Manager(ctx, sc.OrgID(), personID)
	if err != nil {
		return err
	}
	if !ok {
		return fault.Invalid("customer.not_manager", nil)
	}
	return s.ownTeam(ctx, sc, personID)
}

// ownTeam confines a 客户经理主管 to the own managers; a scope that is not limited passes.
func (s *Service) ownTeam(ctx context.Context, sc scope.Scope, personID string) error {
	if !sc.IsLimited() {
		return nil
	}
	_, boss, err := s.People.Manager(ctx, sc.OrgID(), personID)
	if err == nil && boss != sc.PersonID() {
		err = fault.Denied("customer.other_team", nil)
	}
	return err
}

// Assignments lists the acting partner's assignments, ended ones too, by customer and time. A
// limited scope sees those of its own customers. Faults: customer.not_a_party, scope.permission_missing.
func (s *Service) Assignments(ctx context.Context, sc scope.Scope) ([]Assignment, error) {
	if err := sc.Require(scope.ItemAssignmentView); err != nil {
		return nil, err
	}
	if sc.Side() != scope.SidePartner {
		return nil, fault.Denied("customer.not_a_party", nil)
	}
	all, err := s.Store.Assignments(ctx, sc.OrgID())
	if err != nil {
		return nil, err
	}
	windows, limited := sc.Windows()
	if !limited {
		return all, nil
	}
	return slices.DeleteFunc(all, func(a Assignment) bool {
		return !slices.ContainsFunc(windows, func(w scope.Window) bool { return w.CustomerID == a.CustomerID })
	}), nil
}

// Windows tells which customers the persons look after at the partner, and when; it makes the
// limited scope of 客户经理 and 客户经理主管.
func (s *Service) Windows(ctx context.Context, partnerID string, personIDs []string) ([]scope.Window, error) {
	all, err := s.Store.Assignments(ctx, partnerID)
	if err != nil {
		return nil, err
	}
	var out []scope.Window
	for _, a := range all {
		if slices.Contains(personIDs, a.PersonID) && !empty(a.From, a.To) {
			out = append(out, scope.Window{CustomerID: a.CustomerID, From: a.From, To: a.To})
		}
	}
	sort.Slice(out, func(i, j int) bool {
		if out[i].CustomerID != out[j].CustomerID {
			return out[i].CustomerID < out[j].CustomerID
		}
		return out[i].From.Before(out[j].From)
	})
	return out, nil
}

func (s *Service) recordAssignment(ctx context.Context, sc scope.Scope, a Assignment, action string) error {
	return s.Audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: a.PartnerID, Action: action, Object: "customer:" + a.CustomerID,
		Outcome: "done", Detail: map[string]any{"person": a.PersonID, "from": dayText(a.From), "to": dayText(a.To)}})
}

// CarerOf is who looks after a customer at the partner now; empty is nobody. It serves what a customer is shown of its
// partner, and the program's own decisions.
func (s *Service) CarerOf(ctx context.Context, partnerID, customerID string) (string, error) {
	all, err := s.Store.AssignmentsOfCustomer(ctx, partnerID, customerID)
	now := s.Clock.Now()
	for _, a := range all {
		if !empty(a.From, a.To) && covers(a.From, a.To, now) {
			return a.PersonID, nil
		}
	}
	return "", err
}
