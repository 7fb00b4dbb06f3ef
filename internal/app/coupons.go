package app

import (
	"context"
	"time"

	"huoban/internal/coupon"
	"huoban/internal/cycle"
	"huoban/internal/monthclose"
	"huoban/internal/passcode"
	"huoban/internal/scope"
	"huoban/internal/store/couponstore"
)

// wireCoupons joins 券管理 with the associations whose end takes vouchers back.
func (a *App) wireCoupons() {
	a.Coupons = coupon.New(coupon.Deps{Store: couponstore.New(a.DB), Tx: a.DB, Log: a.FlowLog, Audit: a.Audit, Clock: a.Clock, Organisations: a.Organisations,
		Customers: a.Customers, Teller: a.teller(), Cycles: openCycles{a.Closes}, Confirmed: a.Passcodes.Guard(passcode.OpCoupon), Limits: a.FourEyes.Of})
	a.Closes.Vouchers, a.Bills.Vouchers = a.Coupons, a.Coupons
	a.Expenditure.Vouchers = a.Coupons
	ended := a.Customers.Ended
	a.Customers.Ended = func(ctx context.Context, partnerID, customerID string) error {
		if ended != nil {
			if err := ended(ctx, partnerID, customerID); err != nil {
				return err
			}
		}
		return a.Coupons.Recover(ctx, scope.System("system"), partnerID, customerID, coupon.OpUnlink)
	}
	a.Customers.Switched = func(ctx context.Context, partnerID, customerID string) error {
		return a.Coupons.Recover(ctx, scope.System("system"), partnerID, customerID, coupon.OpSwitch)
	}
}

// openCycles tells whether the close of the cycle of an instant still lies ahead.
type openCycles struct{ closes *monthclose.Service }

// Open implements coupon.Cycles.
func (o openCycles) Open(ctx context.Context, vendorID string, at time.Time) (bool, error) {
	stage, err := o.closes.Stage(ctx, vendorID, cycle.Of(at, cycle.Zone))
	return stage != monthclose.StageFinal, err
}
