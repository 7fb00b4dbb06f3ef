package expenditurestore

import (
	"context"

	"huoban/internal/cycle"
	"huoban/internal/expenditure"
	"huoban/internal/scope"
	"huoban/internal/store"
)

var qBatches = set.Get("expenditure.Batches")

// Batches are the deliveries of the cycle with customers the organisation ever dealt with.
func (s *Store) Batches(ctx context.Context, sc scope.Scope, at cycle.Cycle) ([]expenditure.BatchOf, error) {
	if sc.Side() != scope.SidePartner {
		return nil, nil
	}
	var out []expenditure.BatchOf
	err := s.db.Cells(ctx, qBatches, []any{string(at), sc.OrgID()}, func(c store.RowCells) (err error) {
		b := expenditure.BatchOf{Batch: expenditure.Batch{SlotID: c.Int(0), Source: c.Text(1), Delivery: c.Int(2), Active: c.Text(4) == "active"}, CustomerID: c.Text(5)}
		b.At, err = c.Time(3)
		out = append(out, b)
		return err
	})
	return out, err
}
