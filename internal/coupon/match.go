package coupon

import (
	"cmp"
	"slices"
	"time"

	"huoban/internal/money"
)

// Drawer pays the lines of one bill with the vouchers of its partner (转售 rule): the lines come in the order the
// customers bought them; for each, vouchers limited to named customers are taken before the others, then those that end
// first, then the older. What they paid stays paid: a refund that comes later gives nothing back.
type Drawer struct{ coupons []Coupon }

// NewDrawer takes the vouchers that may pay, whatever their order.
func NewDrawer(all []Coupon) *Drawer {
	d := &Drawer{slices.Clone(all)}
	slices.SortFunc(d.coupons, func(a, b Coupon) int {
		if a.Named() != b.Named() {
			if a.Named() {
				return -1
			}
			return 1
		}
		return cmp.Or(a.To.Compare(b.To), cmp.Compare(a.Number, b.Number))
	})
	return d
}

// Left tells whether any voucher can still pay something.
func (d *Drawer) Left() bool {
	return slices.ContainsFunc(d.coupons, func(c Coupon) bool { return c.Balance > 0 })
}

// Span is when a line must have been bought for any voucher to pay it: [from, to).
func (d *Drawer) Span() (from, to time.Time) {
	for i := range d.coupons {
		c := &d.coupons[i]
		if from.IsZero() || c.From.Before(from) {
			from = c.From
		}
		if c.To.After(to) {
			to = c.To
		}
	}
	return from, to
}

// Paid is what one voucher pays of a line; Before is what was left of the line.
type Paid struct {
	CouponID       string
	Number         int64
	Before, Amount money.Amount
}

// Take pays a line as far as vouchers reach. A line without a positive amount takes nothing.
func (d *Drawer) Take(l *Line, amount money.Amount) []Paid {
	var out []Paid
	left := amount
	for i := range d.coupons {
		c := &d.coupons[i]
		if left <= 0 {
			break
		}
		if c.Balance <= 0 || !c.Fits(l, true) {
			continue
		}
		part := min(left, c.Balance)
		out = append(out, Paid{c.ID, c.Number, left, part})
		c.Balance -= part
		c.Used += part
		left -= part
	}
	return out
}
