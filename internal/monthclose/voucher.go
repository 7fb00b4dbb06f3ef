package monthclose

import (
	"context"
	"time"

	"huoban/internal/bill"
	"huoban/internal/coupon"
)

// Vouchers are what partners' bills are paid with before they are due.
type Vouchers interface {
	Usable(ctx context.Context, vendorID string) ([]coupon.Coupon, error)
	// Plan keeps what a draft will be paid with instead of what was planned before; Settle takes it out of the vouchers.
	Plan(ctx context.Context, vendorID, cycle string, uses []coupon.Use, at time.Time) error
	Settle(ctx context.Context, vendorID, cycle string, at time.Time) error
}

// drawn pays the bills of a draft with the vouchers of their partners. An estimate is not paid.
func (s *Service) drawn(ctx context.Context, vendorID string, res *bill.Result) ([]coupon.Use, error) {
	if s.Vouchers == nil {
		return nil, nil
	}
	all, err := s.Vouchers.Usable(ctx, vendorID)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return s.Compute.Draw(ctx, res.Documents, all)
}
