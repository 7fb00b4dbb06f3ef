package orgstore

import (
	"context"
	"database/sql"

	"huoban/internal/organisation"
	"huoban/internal/store"
)

var (
	qSuspensionAll = q.Get("suspension.All")
	qSuspensionSet = q.Get("suspension.Set")
	qSuspensionEnd = q.Get("suspension.End")
)

// Suspensions lists what is suspended.
func (s *Organisations) Suspensions(ctx context.Context) ([]organisation.Suspension, error) {
	var out []organisation.Suspension
	err := s.db.Each(ctx, qSuspensionAll, nil, func(rows *sql.Rows) error {
		var x organisation.Suspension
		var at store.Instant
		err := rows.Scan(&x.OrgID, &x.Reason, &x.By, &at)
		x.Since = at.Time
		out = append(out, x)
		return err
	})
	return out, err
}

// SetSuspension suspends; false when it is so already.
func (s *Organisations) SetSuspension(ctx context.Context, x organisation.Suspension) (bool, error) {
	n, err := s.db.Exec(ctx, qSuspensionSet, x.OrgID, x.Reason, x.By, store.At(x.Since))
	return n == 1, err
}

// EndSuspension takes it back; false when there is none.
func (s *Organisations) EndSuspension(ctx context.Context, orgID string) (bool, error) {
	n, err := s.db.Exec(ctx, qSuspensionEnd, orgID)
	return n == 1, err
}
