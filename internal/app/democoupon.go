package app

import (
	"context"
	"fmt"
	"slices"

	"huoban/internal/coupon"
	"huoban/internal/cycle"
	"huoban/internal/demo"
	"huoban/internal/fault"
	"huoban/internal/foureyes"
	"huoban/internal/money"
	"huoban/internal/scope"
)

const demoYuan money.Amount = 1e8

// billVouchers lets the vendor give partners what pays their bills line by line from a month on; done twice it changes
// nothing.
func (m *demoMaker) billVouchers(ctx context.Context, c cycle.Cycle) error {
	ctx, vendor, err := m.app.Operator(ctx, lower(demo.Vendor)+"-operations", "demo")
	if err != nil {
		return err
	}
	if err := m.limit(ctx, vendor.OrgID(), foureyes.KindQuota, "100000"); err != nil {
		return err
	}
	known, err := m.app.Coupons.Coupons(ctx, vendor)
	if err != nil {
		return err
	}
	for _, v := range m.world.Vouchers(c) {
		if slices.ContainsFunc(known, func(x coupon.Coupon) bool { return x.Memo == v.Memo }) {
			continue
		}
		in := coupon.GrantInput{Direct: true, Kind: coupon.KindVoucher, Currency: "CNY", Value: money.Amount(v.Value) * demoYuan, From: v.From, To: v.To, Memo: v.Memo,
			Limits: coupon.Limits{Services: v.Services, Regions: v.Regions, MinOrder: money.Amount(v.MinOrder) * demoYuan, MaxOrder: money.Amount(v.MaxOrder) * demoYuan}}
		partner, err := m.app.Organisations.ByCode(ctx, m.sc, v.Partner)
		if err != nil {
			return err
		}
		in.PartnerID = partner.ID
		for _, code := range v.Customers {
			customer, err := m.app.Organisations.ByCode(ctx, m.sc, code)
			if fault.Is(err, fault.KindNotFound) {
				continue // a world too small for it
			}
			if err != nil {
				return err
			}
			in.Limits.Customers = append(in.Limits.Customers, customer.ID)
		}
		if len(in.Limits.Customers) < len(v.Customers) {
			continue
		}
		if _, _, err := m.app.Coupons.Grant(ctx, vendor, in); err != nil {
			return err
		}
	}
	return nil
}

// coupons lets a few quotas be granted, shared and issued, an order be paid and one voucher be taken back. What is
// granted begins now, so that no bill of a month that is over changes.
func (m *demoMaker) coupons(ctx context.Context) error {
	who := map[string]scope.Scope{}
	for _, login := range []string{"hengluo-operations", "qiheng-finance", lower(demo.Distributor) + "-admin"} {
		_, sc, err := m.app.Operator(ctx, login, "demo")
		if err != nil {
			return err
		}
		who[login] = sc
	}
	vendor := who["hengluo-operations"]
	known, err := m.app.Coupons.Quotas(ctx, vendor, false)
	if err != nil || len(known) > 0 {
		return err
	}
	if err := m.limit(ctx, vendor.OrgID(), foureyes.KindQuota, "100000"); err != nil {
		return err
	}
	now := m.app.Clock.Now()
	id := func(code string) string {
		o, e := m.app.Organisations.ByCode(ctx, m.sc, code)
		if e != nil && err == nil {
			err = e
		}
		return o.ID
	}
	grant := func(partner string, value money.Amount, change func(*coupon.GrantInput)) (q *coupon.Quota) {
		in := coupon.GrantInput{PartnerID: id(partner), Kind: coupon.KindVoucher, Currency: "CNY", Value: value, From: now, To: now.AddDate(0, 6, 0), Memo: "2026 下半年市场活动"}
		if change != nil {
			change(&in)
		}
		if err == nil {
			q, _, err = m.app.Coupons.Grant(ctx, vendor, in)
		}
		return q
	}
	open := grant("QIHENG", 50_000*demoYuan, nil)
	narrow := grant("QIHENG", 8_000*demoYuan, func(in *coupon.GrantInput) {
		in.Limits, in.Memo = coupon.Limits{Regions: []string{"cn-north-2"}, MinOrder: 100 * demoYuan, MaxOrder: 20_000 * demoYuan}, "华北区新客"
	})
	wide := grant(demo.Distributor, 80_000*demoYuan, nil)
	grant("YANSHI", 200_000*demoYuan, func(in *coupon.GrantInput) { in.Memo = "超过复核金额，等待复核" })
	grant("QIHENG", 12_000*demoYuan, func(in *coupon.GrantInput) { in.Direct, in.Memo = true, "抵扣下月起的伙伴账单" })
	if err != nil {
		return fmt.Errorf("demo: coupons: %w", err)
	}
	resellers, err := m.app.Organisations.Resellers(ctx, id(demo.Distributor))
	if err != nil {
		return err
	}
	share := coupon.ShareInput{QuotaID: wide.ID, Amount: 10_000 * demoYuan}
	for _, r := range resellers {
		share.ResellerIDs = append(share.ResellerIDs, r.ID)
	}
	if _, err := m.app.Coupons.Share(ctx, who[lower(demo.Distributor)+"-admin"], share); err != nil {
		return err
	}
	return m.vouchers(ctx, who["qiheng-finance"], open, narrow)
}

// vouchers gives QIHENG's customers some, of which one pays an order and one is taken back.
func (m *demoMaker) vouchers(ctx context.Context, sc scope.Scope, open, narrow *coupon.Quota) error {
	now := m.app.Clock.Now()
	all, err := m.app.Customers.Directory(ctx, sc)
	if err != nil {
		return err
	}
	in := coupon.IssueInput{QuotaID: open.ID, Most: coupon.MaxPage, Memo: "上云扶持"}
	for i := range all {
		if all[i].InForce(now) && all[i].Own(sc.OrgID()) && len(in.Rows) < 5 { // those by referral are refused, and recorded so
			in.Rows = append(in.Rows, coupon.IssueRow{CustomerID: all[i].CustomerID, Face: 1_000 * demoYuan})
		}
	}
	out, err := m.app.Coupons.Issue(ctx, sc, in)
	if err != nil {
		return err
	}
	good := out[:0]
	for _, x := range out {
		if x.Refusal == nil {
			good = append(good, x)
		}
	}
	if len(good) < 3 {
		return fmt.Errorf("demo: %d vouchers", len(good))
	}
	order := coupon.Order{ID: "CS2610300021", Line: coupon.Line{CustomerID: good[0].OrgID, Service: "弹性云服务器", Region: "cn-north-2", Mode: "subscription", Currency: "CNY", At: now, Order: 680 * demoYuan}}
	if _, err := m.app.Coupons.Pay(ctx, good[0].ID, order); err != nil {
		return err
	}
	if _, err := m.app.Coupons.Do(ctx, sc, good[1].ID, coupon.ActionReclaim, ""); err != nil {
		return err
	}
	_, err = m.app.Coupons.Issue(ctx, sc, coupon.IssueInput{QuotaID: narrow.ID, Most: coupon.MaxPage, Rows: []coupon.IssueRow{{CustomerID: good[2].OrgID, Face: 500 * demoYuan}}})
	return err
}
