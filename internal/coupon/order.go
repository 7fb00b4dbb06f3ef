package coupon

import (
	"context"
	"slices"

	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/id"
	"huoban/internal/money"
	"huoban/internal/scope"
)

// Order is what a customer pays as one. One order uses one voucher; it is not for arrears, and not beside a discount of
// the order.
type Order struct {
	ID         string
	Line       // Order is the amount before the voucher
	Discounted bool
	Arrears    bool
}

// OrderConditions are those of Conditions and what an order adds.
func (c *Coupon) OrderConditions(o *Order) []Condition {
	all := c.Conditions(&o.Line, false)
	for i := range all {
		if all[i].Name == "locked" {
			all[i].Holds = c.LockOrder == "" || c.LockOrder == o.ID
		}
	}
	return append(all, Condition{Name: "discount", Holds: !o.Discounted}, Condition{Name: "arrears", Holds: !o.Arrears})
}

// Offered are the vouchers of a customer that may pay an order, the one that ends first before the others.
func (s *Service) Offered(ctx context.Context, sc scope.Scope, o Order) ([]Coupon, error) {
	all, err := s.Coupons(ctx, sc)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(c Coupon) bool {
		return slices.ContainsFunc(c.OrderConditions(&o), func(x Condition) bool { return !x.Holds })
	})
	slices.SortStableFunc(all, func(a, b Coupon) int { return a.To.Compare(b.To) })
	return all, nil
}

// Lock keeps a voucher for an order until it is paid or given up. Faults: coupon.unknown, .not_fitting, .locked, those of
// flow.Fire.
func (s *Service) Lock(ctx context.Context, couponID string, o Order) (Coupon, error) {
	return s.step(ctx, couponID, func(ctx context.Context, c Coupon) (Coupon, error) {
		if c.LockOrder == o.ID {
			return c, nil
		}
		next := c
		next.LockOrder = o.ID
		if c.LockOrder == "" {
			if err := fitting(&c, &o); err != nil {
				return c, err
			}
		}
		return s.move(ctx, c, next, ActionLock)
	})
}

// fitting refuses a voucher with the names of the conditions that do not hold.
func fitting(c *Coupon, o *Order) error {
	var names []string
	for _, x := range c.OrderConditions(o) {
		if !x.Holds {
			names = append(names, "coupon.condition."+x.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return fault.Conflict("coupon.not_fitting", fault.Args{"reasons": names})
}

// Unlock frees a voucher of an order that was given up; one that is not locked by it stays as it is.
func (s *Service) Unlock(ctx context.Context, couponID, orderID string) (Coupon, error) {
	return s.step(ctx, couponID, func(ctx context.Context, c Coupon) (Coupon, error) {
		if c.LockOrder != orderID {
			return c, nil
		}
		next := c
		next.LockOrder = ""
		return s.move(ctx, c, next, ActionUnlock)
	})
}

// Pay spends a voucher for an order: as much as the order wants and the voucher has. The same order is paid once: again
// it answers what was paid. Faults: coupon.unknown, .not_fitting, those of flow.Fire.
func (s *Service) Pay(ctx context.Context, couponID string, o Order) (paid money.Amount, err error) {
	_, err = s.step(ctx, couponID, func(ctx context.Context, c Coupon) (Coupon, error) {
		paid = 0
		before, err := s.Store.OrderUses(ctx, &c, o.ID)
		if err != nil {
			return c, err
		}
		for i := range before {
			if before[i].CouponID == c.ID && before[i].Amount > 0 {
				paid = before[i].Amount
				return c, nil
			}
		}
		if len(before) > 0 {
			return c, fault.Conflict("coupon.order_has_voucher", nil)
		}
		if err := fitting(&c, &o); err != nil {
			return c, err
		}
		paid = min(o.Order, c.Balance)
		next := c
		next.Balance, next.Used, next.LockOrder, next.UsedAt = c.Balance-paid, c.Used+paid, "", s.Clock.Now()
		do := ActionSpend
		if next.Balance == 0 {
			do = ActionExhaust
		}
		if next, err = s.move(ctx, c, next, do); err != nil {
			return c, err
		}
		return next, s.Store.InsertUses(ctx, []Use{s.orderUse(&c, &o, paid)})
	})
	return paid, err
}

func (s *Service) orderUse(c *Coupon, o *Order, amount money.Amount) Use {
	return Use{ID: id.New(), CouponID: c.ID, Number: c.Number, VendorID: c.VendorID, PartnerID: c.IssuerID, Currency: c.Currency, CustomerID: c.HolderID, OrderID: o.ID,
		Service: o.Service, SKU: o.SKU, Region: o.Region, Mode: o.Mode, Line: o.Order, Before: o.Order, Amount: amount, At: s.Clock.Now()}
}

// Refund gives back what an order that was cancelled had paid, once: to the voucher while it is valid, else to its quota
// (退订回收). Faults: coupon.unknown, .order_unpaid.
func (s *Service) Refund(ctx context.Context, couponID, orderID string) (back money.Amount, err error) {
	_, err = s.step(ctx, couponID, func(ctx context.Context, c Coupon) (Coupon, error) {
		back = 0
		before, err := s.Store.Uses(ctx, c.ID, orderID)
		if err != nil {
			return c, err
		}
		for i := range before {
			back += before[i].Amount
		}
		if len(before) == 0 {
			return c, fault.Conflict("coupon.order_unpaid", nil)
		}
		if back <= 0 {
			back = 0
			return c, nil
		}
		next := c
		if (c.State == StateUsable || c.State == StateUsed) && s.Clock.Now().Before(c.To) {
			next.Balance, next.Used = c.Balance+back, c.Used-back
			if next, err = s.move(ctx, c, next, ActionRestore); err != nil {
				return c, err
			}
		} else {
			next.Used, next.Returned, next.Changed = c.Used-back, c.Returned+back, s.Clock.Now()
			next.Version = c.Version + 1
			ok, err := s.Store.SetCoupon(ctx, next, c.State, c.Version)
			if err == nil && !ok {
				err = fault.Conflict("flow.changed_meanwhile", nil)
			}
			if err != nil {
				return c, err
			}
			if err := s.returned(ctx, scope.System("system"), &next, back, OpRefund, ""); err != nil {
				return c, err
			}
		}
		o := Order{ID: orderID, Line: Line{Order: before[0].Line, Service: before[0].Service, SKU: before[0].SKU, Region: before[0].Region, Mode: before[0].Mode}}
		return next, s.Store.InsertUses(ctx, []Use{s.orderUse(&c, &o, -back)})
	})
	return back, err
}

// Reverse takes out again what Refund gave back, because the refund was called off (退款充值撤销), once: out of the voucher,
// or of the quota it went back to. Faults: coupon.unknown, .order_unpaid, .quota_short, .quota_not_usable, those of
// flow.Fire.
func (s *Service) Reverse(ctx context.Context, couponID, orderID string) (out money.Amount, err error) {
	_, err = s.step(ctx, couponID, func(ctx context.Context, c Coupon) (Coupon, error) {
		out = 0
		before, err := s.Store.Uses(ctx, c.ID, orderID)
		if err != nil {
			return c, err
		}
		sum, last := money.Amount(0), money.Amount(0)
		for i := range before {
			sum += before[i].Amount
			if before[i].Amount < 0 {
				last = -before[i].Amount
			}
		}
		if len(before) == 0 {
			return c, fault.Conflict("coupon.order_unpaid", nil)
		}
		if sum > 0 || last == 0 {
			return c, nil // nothing was given back, or it was taken out again
		}
		next, err := s.takeOut(ctx, c, last)
		if err != nil {
			return c, err
		}
		out = last
		e := entry{op: OpReversal, vendorID: c.VendorID, coupon: &next, customer: c.HolderID, amount: last, currency: c.Currency, operator: "system", from: c.IssuerID, to: c.HolderID}
		if err := s.records(ctx, e); err != nil {
			return c, err
		}
		o := Order{ID: orderID, Line: Line{Order: before[0].Line, Service: before[0].Service, SKU: before[0].SKU, Region: before[0].Region, Mode: before[0].Mode}}
		return next, s.Store.InsertUses(ctx, []Use{s.orderUse(&c, &o, last)})
	})
	return out, err
}

// takeOut makes an amount count as used again: of a voucher's balance, or where that went back meanwhile, of its quota's.
func (s *Service) takeOut(ctx context.Context, c Coupon, amount money.Amount) (Coupon, error) {
	next := c
	next.Used = c.Used + amount
	if c.State == StateUsable && c.Balance >= amount {
		next.Balance = c.Balance - amount
		do := ActionSpend
		if next.Balance == 0 {
			do = ActionExhaust
		}
		return s.move(ctx, c, next, do)
	}
	if c.Returned < amount {
		return c, fault.Conflict("coupon.quota_short", fault.Args{"balance": c.Balance.String(), "amount": amount.String(), "currency": c.Currency})
	}
	next.Returned, next.Changed, next.Version = c.Returned-amount, s.Clock.Now(), c.Version+1
	ok, err := s.Store.Recall(ctx, c.QuotaID, amount, next.Changed)
	if err == nil && !ok {
		err = fault.Conflict("coupon.quota_short", fault.Args{"balance": "0", "amount": amount.String(), "currency": c.Currency})
	}
	if err != nil {
		return c, err
	}
	if ok, err = s.Store.SetCoupon(ctx, next, c.State, c.Version); err == nil && !ok {
		err = fault.Conflict("flow.changed_meanwhile", nil)
	}
	return next, err
}

func (s *Service) step(ctx context.Context, couponID string, fn func(ctx context.Context, c Coupon) (Coupon, error)) (Coupon, error) {
	var out Coupon
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		c, err := s.coupon(ctx, couponID)
		if err != nil {
			return err
		}
		out, err = fn(ctx, c)
		return err
	})
	return out, err
}

// move fires one of the program's own actions with what it makes of the voucher.
func (s *Service) move(ctx context.Context, c, next Coupon, do Action) (Coupon, error) {
	facts, err := s.facts(ctx, &c)
	if err != nil {
		return c, err
	}
	facts.Balance = next.Balance
	now := s.Clock.Now()
	next.Changed = now
	who := scope.System("system")
	err = Flow.Fire(ctx, s.Log, flow.Move[State, Action, Facts]{Entity: c.ID, State: c.State, Version: c.Version, Do: do, Facts: facts, Who: who, Now: now},
		func(ctx context.Context, to State) (bool, error) {
			next.State, next.Version = to, c.Version+1
			return s.Store.SetCoupon(ctx, next, c.State, c.Version)
		})
	if err != nil {
		return c, err
	}
	return next, s.audit(ctx, who, "coupon."+string(do), "coupon:"+c.ID, couponDetail(&next), c.IssuerID, c.HolderID)
}
