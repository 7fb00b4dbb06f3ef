package app

import (
	"context"

	"huoban/internal/bill"
	"huoban/internal/cycle"
	"huoban/internal/organisation"
	"huoban/internal/scope"
)

// BillsOf gives a partner's bills of a cycle in canonical order, from every vendor: kept ones where a
// draft exists, estimates of open cycles.
func (a *App) BillsOf(ctx context.Context, sc scope.Scope, partner organisation.Organisation, c cycle.Cycle) ([]bill.Document, error) {
	known, err := a.Closes.Store.Known(ctx)
	if err != nil {
		return nil, err
	}
	out := []bill.Document{}
	for _, k := range known {
		if k.Cycle != c {
			continue
		}
		docs, err := a.Closes.Estimate(ctx, sc, k.VendorID, c)
		if err != nil {
			return nil, err
		}
		for i := range docs {
			if docs[i].Partner.ID == partner.ID {
				out = append(out, docs[i])
			}
		}
	}
	return out, nil
}
