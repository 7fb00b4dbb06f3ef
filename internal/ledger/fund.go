package ledger

import (
	"context"

	"huoban/internal/money"
)

// mostIncoming bounds what rules look at.
const mostIncoming = 10_000

// Incoming lists what came into an account, the newest first, for rules of other packages. It asks for no permission.
func (s *Service) Incoming(ctx context.Context, a Account) ([]Movement, error) {
	return s.Store.Movements(ctx, Filter{AccountID: a.ID(), Direction: 1}, 0, false, mostIncoming)
}

// Spent is what a partner's top-up and credit accounts paid, less what was refunded to them. It asks for no permission.
func (s *Service) Spent(ctx context.Context, vendorID, partnerID, currency string) (money.Amount, error) {
	var sum money.Amount
	for _, kind := range []Kind{KindBalance, KindCredit} {
		for _, t := range []Type{TypeDeduct, TypeRefund} {
			totals, err := s.Store.Totals(ctx, Filter{AccountID: Of(vendorID, partnerID, kind, currency).ID(), Type: t})
			if err != nil {
				return 0, err
			}
			if sum, err = sum.Add(totals.Out - totals.In); err != nil {
				return 0, err
			}
		}
	}
	return sum, nil
}

// OfPartner lists a partner's accounts in all books, for rules of other packages. It asks for no permission.
func (s *Service) OfPartner(ctx context.Context, partnerID string) ([]State, error) {
	return s.Store.OfPartner(ctx, partnerID)
}
