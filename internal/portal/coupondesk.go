package portal

import (
	"context"
	"slices"

	"huoban/internal/coupon"
	"huoban/internal/foureyes"
	"huoban/internal/money"
	"huoban/web/templates/opsview"
)

// deskQuotas are quotas, and changes of quotas, that wait for a second person.
func (h *Handlers) deskQuotas(c *Ctx) ([]deskRow, error) {
	all, err := h.Coupons.Quotas(c.ctx(), c.Scope, false)
	if err != nil {
		return nil, err
	}
	limits, err := h.FourEyes.Of(c.ctx(), c.Org.ID)
	if err != nil {
		return nil, err
	}
	names, err := h.couponNames(c)
	var out []deskRow
	for i := range all {
		q := &all[i]
		amount := q.Value
		if q.State == coupon.QuotaAdjusting {
			amount = q.Change
		}
		out = append(out, h.couponRow(limits, deskRow{id: q.ID, state: string(q.State), who: names.text(c, q.OwnerID), by: q.ProposedBy, since: q.Changed,
			title: opsview.Cell{Text: q.Name(), Note: c.T("coupon_quota.state." + string(q.State)), Href: c.at(pathQuotas + "/" + q.ID)}}, q.Currency, amount))
	}
	return out, err
}

// deskCoupons are vouchers to partners that wait for a second person.
func (h *Handlers) deskCoupons(c *Ctx) ([]deskRow, error) {
	all, err := h.Coupons.Coupons(c.ctx(), c.Scope)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(x coupon.Coupon) bool { return x.State != coupon.StateInactive })
	limits, err := h.FourEyes.Of(c.ctx(), c.Org.ID)
	if err != nil {
		return nil, err
	}
	names, err := h.couponNames(c)
	var out []deskRow
	for i := range all {
		x := &all[i]
		out = append(out, h.couponRow(limits, deskRow{id: x.ID, state: string(x.State), who: names.text(c, x.HolderID), by: x.IssuedBy, since: x.Changed,
			title: opsview.Cell{Text: x.Name(), Note: c.T(x.Kind.Label()), Href: c.at(pathCoupons + "/" + x.ID)}}, x.Currency, x.Face))
	}
	return out, err
}

func (h *Handlers) couponRow(limits foureyes.Limits, r deskRow, currency string, amount money.Amount) deskRow {
	r.sums, r.two = sums{{currency, amount.Exact()}}, limits.Needed(foureyes.KindQuota, currency, amount.Exact())
	return r
}

// approveQuota approves a quota, or the change of one.
func (h *Handlers) approveQuota(ctx context.Context, c *Ctx, id, _ string) error {
	q, err := h.Coupons.Quota(ctx, c.Scope, id)
	if err != nil {
		return err
	}
	do := coupon.QuotaApprove
	if q.State == coupon.QuotaAdjusting {
		do = coupon.QuotaSettle
	}
	_, err = h.Coupons.QuotaDo(ctx, c.Scope, id, do, "", 0)
	return err
}

func (h *Handlers) refuseQuota(ctx context.Context, c *Ctx, id, reason string) error {
	_, err := h.Coupons.QuotaDo(ctx, c.Scope, id, coupon.QuotaRefuse, reason, 0)
	return err
}

func deskCoupon(do coupon.Action) func(h *Handlers, ctx context.Context, c *Ctx, id, reason string) error {
	return func(h *Handlers, ctx context.Context, c *Ctx, id, reason string) error {
		_, err := h.Coupons.Do(ctx, c.Scope, id, do, reason)
		return err
	}
}
