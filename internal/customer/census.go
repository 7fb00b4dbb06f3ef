package customer

import (
	"context"
	"slices"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/scope"
)

// Month is how many customers came and went in a month.
type Month struct {
	Cycle        cycle.Cycle
	Begun, Ended int
}

// Census counts a partner's customers.
type Census struct {
	Customers    int // that belong to the partner now
	Associations int // that were ever in force
	Quarter      int // begun in the running quarter
	Kinds        map[Kind]int
	Unassigned   int // customers of now without a manager
	Months       []Month
}

// begun is when an association came to be; one from the beginning of time counts when it was entered.
func (a Association) begun() time.Time {
	if a.From.IsZero() {
		return a.CreatedAt
	}
	return a.From
}

// count makes the census of entries that hold now and of all associations of those customers, over months.
func count(now time.Time, entries []Entry, all []Association, partnerID string, first, last cycle.Cycle) Census {
	out := Census{Kinds: map[Kind]int{}}
	mine := map[string]bool{}
	for i := range entries {
		e := &entries[i]
		if !e.Own(partnerID) {
			continue
		}
		mine[e.CustomerID] = true
		if e.InForce(now) {
			out.Customers++
			out.Kinds[e.Kind]++
			if e.Manager.ID == "" {
				out.Unassigned++
			}
		}
	}
	for c := first; c <= last; c = c.Next() {
		out.Months = append(out.Months, Month{Cycle: c})
	}
	quarter := quarterOf(now)
	for _, a := range all {
		if a.PartnerID != partnerID || !mine[a.CustomerID] || !a.counts() || empty(a.From, a.To) || a.begun().After(now) {
			continue
		}
		out.Associations++
		if !a.begun().Before(quarter) {
			out.Quarter++
		}
		for i := range out.Months {
			m := &out.Months[i]
			if in(m.Cycle, a.begun()) {
				m.Begun++
			}
			if !a.To.IsZero() && !a.To.After(now) && in(m.Cycle, a.To) {
				m.Ended++
			}
		}
	}
	return out
}

func in(c cycle.Cycle, at time.Time) bool { return cycle.Of(at, cycle.Zone) == c }

// quarterOf is the beginning of the quarter (GMT+8).
func quarterOf(now time.Time) time.Time {
	y, m, _ := now.In(cycle.Zone).Date()
	return time.Date(y, (m-1)/3*3+1, 1, 0, 0, 0, 0, cycle.Zone)
}

// Nobody stands for customers that no manager looks after.
const Nobody = "none"

// In tells whether a manager, named by key or login, looks after the customer now; "" is anybody.
func (e *Entry) In(managed string) bool {
	return managed == "" || e.Manager.Is(managed) || managed == Nobody && e.Manager.ID == ""
}

// Census counts the customers the scope sees now, with their associations over months; managed keeps those in the care of
// one manager. Faults: those of Directory.
func (s *Service) Census(ctx context.Context, sc scope.Scope, first, last cycle.Cycle, managed string) (Census, error) {
	entries, err := s.Directory(ctx, sc)
	if err != nil {
		return Census{}, err
	}
	entries = slices.DeleteFunc(entries, func(e Entry) bool { return !e.In(managed) })
	all, err := s.Store.VisibleAssociations(ctx, sc)
	if err != nil {
		return Census{}, err
	}
	return count(s.Clock.Now(), entries, all, sc.OrgID(), first, last), nil
}
