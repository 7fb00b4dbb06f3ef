package invoice

import (
	"context"
	"slices"

	"huoban/internal/fault"
	"huoban/internal/money"
)

// Held is what requests of a partner to a vendor hold in a currency, and the requests, the newest first. Money that
// paid for it cannot be taken out until they are cancelled or returned: whoever pays out asks here, in its own
// transaction.
func (s *Service) Held(ctx context.Context, partnerID, vendorID, currency string) (money.Amount, []Request, error) {
	list, err := s.Store.OfPartner(ctx, partnerID)
	if err != nil {
		return 0, nil, err
	}
	list = slices.DeleteFunc(list, func(r Request) bool { return !r.State.Holds() || r.VendorID != vendorID || r.Currency != currency })
	var sum money.Amount
	for i := range list {
		if sum, err = sum.Add(list[i].Amount); err != nil {
			return 0, nil, err
		}
	}
	return sum, list, nil
}

// HeldOf is what requests hold of single bills, by key of the bill, and the request that holds most of each.
func (s *Service) HeldOf(ctx context.Context, partnerID string, bills []string) (map[string]money.Amount, map[string]Request, error) {
	list, err := s.Store.OfPartner(ctx, partnerID)
	if err != nil {
		return nil, nil, err
	}
	sums, most := map[string]money.Amount{}, map[string]money.Amount{}
	by := map[string]Request{}
	for i := range list {
		if !list[i].State.Holds() {
			continue
		}
		for _, p := range list[i].Parts {
			if !slices.Contains(bills, p.BillID) {
				continue
			}
			sums[p.BillID] += p.Amount
			if p.Amount > most[p.BillID] {
				most[p.BillID], by[p.BillID] = p.Amount, list[i]
			}
		}
	}
	return sums, by, nil
}

// RefuseWithdrawal is the refusal of taking out invoiced money: how much is held, by which request, and the request
// whose return frees it ("id"; its page is /o/<partner>/invoices/<id>).
func RefuseWithdrawal(held money.Amount, by Request) *fault.Error {
	return fault.Conflict("invoice.withdrawal_held", fault.Args{"amount": held.String(), "currency": by.Currency, "number": by.Number, "id": by.ID})
}
