package expenditure

import (
	"context"
	"slices"
	"time"

	"huoban/internal/scope"
)

// Seen is which customers a scope sees and when, for pages whose charges are no lines.
type Seen struct {
	People Choices   // customers and managers in scope, whatever the filter
	Since  time.Time // as of Summary
	spans  map[string][]Span
}

// At is the span that holds an instant of a customer; nil where the scope, or the filter, has none.
func (s *Seen) At(customerID string, at time.Time) *Span { return spanAt(s.spans[customerID], at) }

// Seen gives the spans a filter takes, as 客户消费 counts them. Faults: expenditure.customer_unknown,
// .manager_unknown, scope.permission_missing.
func (s *Service) Seen(ctx context.Context, sc scope.Scope, f Filter) (*Seen, error) {
	var out *Seen
	err := s.Tx.InRead(ctx, func(ctx context.Context) error {
		v, err := s.view(ctx, sc, f)
		if err != nil {
			return err
		}
		out = &Seen{People: v.people, Since: v.since(), spans: map[string][]Span{}}
		for _, spans := range v.groups {
			out.spans[spans[0].Customer.ID] = slices.Clone(spans)
		}
		return nil
	})
	return out, err
}
