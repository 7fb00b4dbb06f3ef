package coupon

import (
	"context"
	"time"

	"huoban/internal/fault"
	"huoban/internal/id"
	"huoban/internal/money"
)

// Usable are the vouchers of a vendor's partners that may pay bills.
func (s *Service) Usable(ctx context.Context, vendorID string) ([]Coupon, error) {
	all, err := s.Store.Coupons(ctx, SideVendor, vendorID)
	var out []Coupon
	for _, c := range all {
		if c.Level == LevelPartner && c.State == StateUsable && !c.Frozen && c.LockOrder == "" && c.Balance > 0 {
			out = append(out, c)
		}
	}
	return out, err
}

// Plan keeps what vouchers will pay of a draft, in the transaction that saves it, instead of what was planned before.
func (s *Service) Plan(ctx context.Context, vendorID, cycle string, uses []Use, at time.Time) error {
	if err := s.Store.RemovePlan(ctx, vendorID, cycle); err != nil || len(uses) == 0 {
		return err
	}
	for i := range uses {
		uses[i].ID, uses[i].At, uses[i].Drafted = id.New(), at, true
	}
	return s.Store.InsertUses(ctx, uses)
}

// Settle takes what a draft planned out of the vouchers, in the transaction that issues its bills. Fault:
// coupon.changed_since where a voucher no longer has what it shall pay.
func (s *Service) Settle(ctx context.Context, vendorID, cycle string, at time.Time) error {
	planned, err := s.Store.Planned(ctx, vendorID, cycle)
	if err != nil || len(planned) == 0 {
		return err
	}
	var order []string
	sums := map[string]money.Amount{}
	for _, u := range planned {
		if _, met := sums[u.CouponID]; !met {
			order = append(order, u.CouponID)
		}
		sums[u.CouponID] += u.Amount
	}
	for _, couponID := range order {
		c, err := s.coupon(ctx, couponID)
		if err != nil {
			return err
		}
		if c.Balance < sums[couponID] {
			return fault.Conflict("coupon.changed_since", fault.Args{"name": c.Name()})
		}
		next := c
		next.Balance, next.Used, next.UsedAt = c.Balance-sums[couponID], c.Used+sums[couponID], at
		do := ActionSpend
		if next.Balance == 0 {
			do = ActionExhaust
		}
		if _, err := s.move(ctx, c, next, do); err != nil {
			return err
		}
	}
	return s.Store.IssuePlan(ctx, vendorID, cycle, at)
}

// BillUses lists what vouchers paid, or will pay, of a bill.
func (s *Service) BillUses(ctx context.Context, b Bill) ([]Use, error) {
	return s.Store.BillUses(ctx, b)
}

// PartnerUses lists what vouchers paid on a partner's issued bills of a cycle.
func (s *Service) PartnerUses(ctx context.Context, partnerID, cycle string) ([]Use, error) {
	return s.Store.PartnerUses(ctx, partnerID, cycle)
}

// Replayed are the vouchers a bill was paid with, each with just what it paid: paying the same lines with them again
// gives the same uses, because a voucher pays lines in order until it has nothing left.
func (s *Service) Replayed(ctx context.Context, b Bill) ([]Coupon, error) {
	uses, err := s.Store.BillUses(ctx, b)
	if err != nil {
		return nil, err
	}
	at := map[string]int{}
	var out []Coupon
	for _, u := range uses {
		n, met := at[u.CouponID]
		if !met {
			c, err := s.coupon(ctx, u.CouponID)
			if err != nil {
				return nil, err
			}
			c.State, c.Frozen, c.LockOrder, c.Balance, c.Used = StateUsable, false, "", 0, 0
			n = len(out)
			at[u.CouponID] = n
			out = append(out, c)
		}
		out[n].Balance += u.Amount
	}
	return out, nil
}
