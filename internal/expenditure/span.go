package expenditure

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"huoban/internal/customer"
	"huoban/internal/scope"
)

// Link is an association that was in force during [From, To); zero times are unbounded.
type Link struct {
	Customer, Partner Party
	Kind              customer.Kind
	From, To          time.Time
}

// Care is a customer in the care of a manager of a partner during [From, To).
type Care struct {
	PartnerID, CustomerID string
	Manager               Person
	From, To              time.Time
}

// Span is a time during which a customer's charges are seen, with what held during it.
type Span struct {
	Customer Party
	Partner  Party
	Relation customer.Kind
	Manager  Person // zero: nobody looked after the customer
	From, To time.Time
}

// Whole tells whether the span holds every instant between first and last.
func (s *Span) Whole(first, last time.Time) bool {
	return (s.From.IsZero() || !first.Before(s.From)) && (s.To.IsZero() || last.Before(s.To))
}

func (s *Span) covers(at time.Time) bool { return s.Whole(at, at) }

// Visible is the one place that says whose charges a scope sees and when: a customer its own; a
// partner those of its customers while they are, and its own; a manager those of the assigned
// customers while they are assigned and the partner's; a distributor also those of its resellers'
// customers. links and care may hold more than the scope sees; own is the acting organisation. Spans
// of a customer do not overlap; they come by customer code and time.
func Visible(sc scope.Scope, own Party, links []Link, care []Care) []Span {
	var out []Span
	switch sc.Side() {
	case scope.SideCustomer:
		out = append(out, Span{Customer: own})
	case scope.SidePartner:
		if !sc.IsLimited() {
			out = append(out, Span{Customer: own, Partner: own})
		}
		for _, l := range links {
			if l.Partner.ID == sc.OrgID() || slices.Contains(sc.Resellers(), l.Partner.ID) {
				out = append(out, watched(sc, l, care)...)
			}
		}
	}
	slices.SortFunc(out, func(a, b Span) int {
		return cmp.Or(strings.Compare(a.Customer.Code, b.Customer.Code), a.From.Compare(b.From), strings.Compare(a.Partner.Code, b.Partner.Code))
	})
	return out
}

// counted is a partner's scope as a page counts: a customer who was assigned counts from where the page says. One
// who passed from one manager of a team to another was the supervisor's all the time.
func counted(sc scope.Scope, count customer.Count) scope.Scope {
	windows, limited := sc.Windows()
	if !limited || sc.Side() != scope.SidePartner {
		return sc
	}
	of := map[string][]Span{}
	for _, w := range windows {
		if !empty(w.From, w.To) {
			of[w.CustomerID] = append(of[w.CustomerID], Span{From: w.From, To: w.To})
		}
	}
	var out []scope.Window
	for id, spans := range of {
		for _, s := range merged(spans) {
			out = append(out, scope.Window{CustomerID: id, From: count.From(s.From), To: s.To})
		}
	}
	return sc.Limited(out)
}

// countedCare moves the beginning of each care in the same way.
func countedCare(care []Care, count customer.Count) []Care {
	out := slices.Clone(care)
	for i := range out {
		out[i].From = count.From(out[i].From)
	}
	return out
}

// watched is an association within the windows of the scope, cut where its manager changes.
func watched(sc scope.Scope, l Link, care []Care) []Span {
	whole := []Span{{Customer: l.Customer, Partner: l.Partner, Relation: l.Kind, From: l.From, To: l.To}}
	if empty(l.From, l.To) {
		return nil
	}
	if windows, limited := sc.Windows(); limited {
		whole = nil
		for _, w := range windows {
			if s, ok := within(Span{Customer: l.Customer, Partner: l.Partner, Relation: l.Kind, From: l.From, To: l.To}, w.From, w.To); ok && w.CustomerID == l.Customer.ID {
				whole = append(whole, s)
			}
		}
		whole = merged(whole)
	}
	var out []Span
	for _, s := range whole {
		out = append(out, byManager(s, care)...)
	}
	return out
}

// merged joins spans that touch or overlap: a person and a supervisor may have had the same customer.
func merged(all []Span) []Span {
	slices.SortFunc(all, func(a, b Span) int { return a.From.Compare(b.From) })
	var out []Span
	for _, s := range all {
		n := len(out) - 1
		if n >= 0 && (out[n].To.IsZero() || !s.From.After(out[n].To)) {
			if !out[n].To.IsZero() && (s.To.IsZero() || s.To.After(out[n].To)) {
				out[n].To = s.To
			}
			continue
		}
		out = append(out, s)
	}
	return out
}

// byManager cuts a span at the assignments of its partner.
func byManager(s Span, care []Care) []Span {
	cuts := []time.Time{s.From}
	for _, c := range care {
		if c.PartnerID != s.Partner.ID || c.CustomerID != s.Customer.ID || empty(c.From, c.To) {
			continue
		}
		for _, at := range []time.Time{c.From, c.To} {
			if !at.IsZero() && s.covers(at) && !at.Equal(s.From) {
				cuts = append(cuts, at)
			}
		}
	}
	slices.SortFunc(cuts, time.Time.Compare)
	cuts = slices.CompactFunc(cuts, time.Time.Equal)
	var out []Span
	for i, from := range cuts {
		part := s
		part.From = from
		if i+1 < len(cuts) {
			part.To = cuts[i+1]
		}
		for _, c := range care {
			in := Span{From: c.From, To: c.To}
			if c.PartnerID == s.Partner.ID && c.CustomerID == s.Customer.ID && !empty(c.From, c.To) && (from.IsZero() && c.From.IsZero() || !from.IsZero() && in.covers(from)) {
				part.Manager = c.Manager
			}
		}
		out = append(out, part)
	}
	return out
}

func within(s Span, from, to time.Time) (Span, bool) {
	if s.From.IsZero() || from.After(s.From) {
		s.From = from
	}
	if s.To.IsZero() || (!to.IsZero() && to.Before(s.To)) {
		s.To = to
	}
	return s, !empty(s.From, s.To)
}

func empty(from, to time.Time) bool { return !from.IsZero() && !to.IsZero() && !from.Before(to) }

// cares tells whether the filter means charges in that manager's care.
func (f *Filter) cares(p Person) bool {
	return f.Manager == "" || p.Is(f.Manager) || f.Manager == Nobody && p.ID == ""
}

// narrowed keeps the spans a filter names.
func narrowed(spans []Span, f Filter) []Span {
	var out []Span
	for _, s := range spans {
		if (f.Customer == "" || s.Customer.Code == f.Customer) && (f.Relation == "" || s.Relation == f.Relation) && f.cares(s.Manager) {
			out = append(out, s)
		}
	}
	return out
}
