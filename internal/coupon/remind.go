package coupon

import (
	"context"
	"time"

	"huoban/internal/customer"
	"huoban/internal/fault"
	"huoban/internal/organisation"
	"huoban/internal/scope"
)

// RemindDays is how long before the end of their validity the owners of quotas and vouchers are told, once.
const RemindDays = 7

// Remind tells owners what ends soon with something left, each quota and voucher once, and gives how many.
func (s *Service) Remind(ctx context.Context) (told int, err error) {
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		told = 0
		until := s.Clock.Now().AddDate(0, 0, RemindDays)
		quotas, err := s.Store.EndingQuotas(ctx, until)
		if err != nil {
			return err
		}
		for i := range quotas {
			q := &quotas[i]
			args := fault.Args{"Name": q.Name(), "Amount": q.Balance.String(), "Currency": q.Currency, "At": dayText(q.To)}
			if err := s.ending(ctx, q.ID, "", q.OwnerID, scope.ItemQuotaView, "coupon_quota_ending", "/coupons/quotas/"+q.ID, args); err != nil {
				return err
			}
		}
		coupons, err := s.Store.EndingCoupons(ctx, until)
		if err != nil {
			return err
		}
		for i := range coupons {
			c := &coupons[i]
			item := scope.ItemCouponView
			if c.Level == LevelCustomer {
				item = scope.ItemCouponOwn
			}
			args := fault.Args{"Name": c.Name(), "Amount": c.Balance.String(), "Currency": c.Currency, "At": dayText(c.To)}
			if err := s.ending(ctx, "", c.ID, c.HolderID, item, "coupon_ending", "/coupons/"+c.ID, args); err != nil {
				return err
			}
		}
		told = len(quotas) + len(coupons)
		return nil
	})
	return told, err
}

func (s *Service) ending(ctx context.Context, quotaID, couponID, orgID string, item scope.Item, code, page string, args fault.Args) error {
	if err := s.Store.Reminded(ctx, quotaID, couponID); err != nil {
		return err
	}
	return s.tell(ctx, orgID, item, code, page, args)
}

// Buyer is on whose bill by the vendor a customer's lines of an instant stand: its partner's by resale, or that partner's
// distributor's; "" on nobody's.
func (s *Service) Buyer(ctx context.Context, customerID string, at time.Time) (string, error) {
	all, err := s.Customers.Of(ctx, customerID)
	if err != nil {
		return "", err
	}
	for _, a := range all {
		if !a.InForce(at) || a.Kind != customer.KindResale {
			continue
		}
		partner, err := s.Organisations.ByID(ctx, scope.System("system"), a.PartnerID)
		if err == nil && partner.Kind == organisation.KindReseller {
			return partner.ParentID, nil
		}
		return a.PartnerID, err
	}
	return "", nil
}
