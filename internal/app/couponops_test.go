package app

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"huoban/internal/account"
	"huoban/internal/coupon"
	"huoban/internal/customer"
	"huoban/internal/fault"
	"huoban/internal/message"
	"huoban/internal/money"
	"huoban/internal/organisation"
)

// ends ends a customer's association at an instant.
func (g *growing) ends(customerID string, at time.Time) {
	g.t.Helper()
	if _, err := g.a.Customers.End(g.ctx, g.op, g.associations(customerID)[0].ID, at); err != nil {
		g.t.Fatal(err)
	}
}

// joins makes a customer another partner's by resale from an instant on.
func (g *growing) joins(customerID, partner string, from time.Time) {
	g.t.Helper()
	in := customer.AssociateInput{CustomerID: customerID, PartnerID: g.orgID(partner), Kind: customer.KindResale, From: from}
	if _, err := g.a.Customers.Associate(g.ctx, g.op, in); err != nil {
		g.t.Fatal(err)
	}
}

// logged counts a voucher's operations in an organisation's log, failures apart.
func (g *growing) logged(login string, f coupon.RecordFilter) string {
	g.t.Helper()
	all, err := g.a.Coupons.Records(g.ctx, g.as(login), f)
	if err != nil {
		g.t.Fatal(err)
	}
	var out []string
	for _, r := range slices.Backward(all) {
		out = append(out, fmt.Sprintf("%d %s %s", r.Operation.Number(), r.Operation, r.Amount))
	}
	return fmt.Sprint(out)
}

// TestCouponOperations: each of the eleven operations is done by what it is called after and stands in the log with its
// number; whatever goes back is in the quota again.
func TestCouponOperations(t *testing.T) {
	eachGrowing(t, func(g *growing) {
		g.org("D", organisation.KindDistributor, "V")
		for _, r := range []string{"R1", "R2"} {
			g.org(r, organisation.KindReseller, "D")
			g.person(r, r+"-admin", account.RoleAdmin)
		}
		g.person("D", "D-admin", account.RoleAdmin)
		q := g.granted(700*yuan, nil)
		tomorrow := g.clock.Now().AddDate(0, 0, 1)
		var buyers []string
		for n := range 7 {
			buyers = append(buyers, g.buyer(n+1, customer.KindResale))
		}
		var ids []string
		for _, out := range g.issued(q.ID, 100*yuan, buyers...) {
			ids = append(ids, out.ID)
		}
		if _, err := g.a.Coupons.Do(g.ctx, g.as("P-admin"), ids[0], coupon.ActionReclaim, ""); err != nil {
			t.Fatal(err)
		}
		g.ends(buyers[1], g.clock.Now())
		g.ends(buyers[2], tomorrow) // and goes to another partner
		g.joins(buyers[2], "Q", tomorrow)
		if _, err := g.a.Customers.Switch(g.ctx, g.op, g.associations(buyers[3])[0].ID, customer.KindReferral, g.clock.Now()); err != nil {
			t.Fatal(err)
		}
		g.ordersOf(ids[4], buyers[4])
		moved := g.movesOn(tomorrow)
		g.later(48 * time.Hour)
		if _, err := g.a.Coupons.Sweep(g.ctx); err != nil {
			t.Fatal(err)
		}
		if got := g.quota(q.ID); got.Balance != 400*yuan || got.Returned != 400*yuan {
			t.Errorf("%+v", got)
		}
		g.later(200 * 24 * time.Hour) // the validity is over
		if _, err := g.a.Coupons.Sweep(g.ctx); err != nil {
			t.Fatal(err)
		}
		if back, err := g.a.Coupons.Refund(g.ctx, ids[4], "late"); err != nil || back != 20*yuan {
			t.Error(back, err)
		}
		for i, want := range []string{"[1 issue 100 2 reclaim 100]", "[1 issue 100 3 unlink 100]", "[1 issue 100 7 link 100]", "[1 issue 100 8 switch 100]", "[1 issue 100 6 reversal 30 4 expire 50 5 refund 20]",
			"[1 issue 100 4 expire 100]"} {
			if got := g.logged("P-admin", coupon.RecordFilter{CouponID: ids[i]}); got != want {
				t.Errorf("%d: %s, want %s", i, got, want)
			}
		}
		if got := g.logged("R1-admin", coupon.RecordFilter{CouponID: moved}); got != "[1 issue 40 9 move 40]" {
			t.Errorf("moved: %s", got)
		}
		if got := g.logged("D-admin", coupon.RecordFilter{}); got != "[10 grant_quota 90 10 grant_quota 60 10 grant_quota 20 11 take_quota 20]" {
			t.Errorf("the distributor: %s", got)
		}
		if c := g.voucher(ids[4]); c.Used != 30*yuan || c.Returned != 70*yuan {
			t.Errorf("%+v", c)
		}
		g.quota(q.ID)
	})
}

// ordersOf lets a voucher of 100 pay two orders, of which one is given back, taken again and paid after all.
func (g *growing) ordersOf(id, buyer string) {
	g.t.Helper()
	order := func(name string, amount money.Amount) coupon.Order {
		return coupon.Order{ID: name, Line: coupon.Line{CustomerID: buyer, Currency: "CNY", At: g.clock.Now(), Order: amount}}
	}
	for name, amount := range map[string]money.Amount{"kept": 30 * yuan, "late": 20 * yuan} {
		if paid, err := g.a.Coupons.Pay(g.ctx, id, order(name, amount)); err != nil || paid != amount {
			g.t.Fatal(paid, err)
		}
	}
	if out, err := g.a.Coupons.Reverse(g.ctx, id, "kept"); err != nil || out != 0 {
		g.t.Error("reversed without a refund:", out, err)
	}
	if back, err := g.a.Coupons.Refund(g.ctx, id, "kept"); err != nil || back != 30*yuan {
		g.t.Fatal(back, err)
	}
	for i := range 2 { // once
		if out, err := g.a.Coupons.Reverse(g.ctx, id, "kept"); err != nil || out != []money.Amount{30 * yuan, 0}[i] {
			g.t.Error(out, err)
		}
	}
	if c := g.voucher(id); c.Balance != 50*yuan || c.Used != 50*yuan {
		g.t.Errorf("%+v", c)
	}
}

// movesOn gives R1 a part of D's quota, and R2; a customer of R1 with a voucher goes to R2. One more quota is taken back.
func (g *growing) movesOn(at time.Time) (voucher string) {
	g.t.Helper()
	parent := g.granted(90*yuan, func(in *coupon.GrantInput) { in.PartnerID = g.orgID("D") })
	share := func(reseller string, amount money.Amount) string {
		out, err := g.a.Coupons.Share(g.ctx, g.as("D-admin"), coupon.ShareInput{QuotaID: parent.ID, ResellerIDs: []string{g.orgID(reseller)}, Amount: amount})
		if err != nil || out[0].Refusal != nil {
			g.t.Fatal(out, err)
		}
		return out[0].ID
	}
	own, other := share("R1", 60*yuan), share("R2", 20*yuan)
	if _, err := g.a.Coupons.QuotaDo(g.ctx, g.as("D-admin"), other, coupon.QuotaReclaim, "", 0); err != nil {
		g.t.Fatal(err)
	}
	g.org("M", organisation.KindCustomer, "")
	id := g.orgID("M")
	g.joins(id, "R1", g.clock.Now().AddDate(0, -1, 0))
	out, err := g.a.Coupons.Issue(g.ctx, g.as("R1-admin"), coupon.IssueInput{QuotaID: own, Most: coupon.MaxPage, Rows: []coupon.IssueRow{{CustomerID: id, Face: 40 * yuan}}})
	if err != nil || out[0].Refusal != nil {
		g.t.Fatal(out, err)
	}
	g.ends(id, at)
	g.joins(id, "R2", at)
	return out[0].ID
}

// TestCouponBatchSizes: ten on the page, a hundred by file, a hundred resellers, a hundred to take back; one more is
// refused as a whole and nothing is written.
func TestCouponBatchSizes(t *testing.T) {
	eachGrowing(t, func(g *growing) {
		q := g.granted(1000*yuan, func(in *coupon.GrantInput) { in.Limits.Customers = []string{g.buyer(1, customer.KindResale)} })
		rows := func(n int) (out []coupon.IssueRow) {
			for i := range n {
				out = append(out, coupon.IssueRow{CustomerID: fmt.Sprint("nobody", i), Face: yuan})
			}
			return out
		}
		names := func(n int) (out []string) {
			for i := range n {
				out = append(out, fmt.Sprint("nobody", i))
			}
			return out
		}
		sc := g.as("P-admin")
		for what, x := range map[string]struct {
			refused bool
			do      func() error
		}{
			"ten on the page": {false, func() error {
				_, err := g.a.Coupons.Issue(g.ctx, sc, coupon.IssueInput{QuotaID: q.ID, Most: coupon.MaxPage, Rows: rows(10)})
				return err
			}},
			"eleven": {true, func() error {
				_, err := g.a.Coupons.Issue(g.ctx, sc, coupon.IssueInput{QuotaID: q.ID, Most: coupon.MaxPage, Rows: rows(11)})
				return err
			}},
			"a hundred by file": {false, func() error {
				_, err := g.a.Coupons.Issue(g.ctx, sc, coupon.IssueInput{QuotaID: q.ID, Most: coupon.MaxBatch, Rows: rows(100)})
				return err
			}},
			"a hundred and one": {true, func() error {
				_, err := g.a.Coupons.Preview(g.ctx, sc, coupon.IssueInput{QuotaID: q.ID, Most: coupon.MaxBatch, Rows: rows(101)})
				return err
			}},
			"shares": {true, func() error {
				_, err := g.a.Coupons.Share(g.ctx, sc, coupon.ShareInput{QuotaID: q.ID, ResellerIDs: names(101), Amount: yuan})
				return err
			}},
			"taken back": {true, func() error {
				_, err := g.a.Coupons.Reclaim(g.ctx, sc, names(101), "")
				return err
			}},
		} {
			if err := x.do(); x.refused != fault.HasCode(err, "coupon.too_many") || !x.refused && err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		// A quota for named customers is a whitelist.
		out := g.issued(q.ID, yuan, g.orgID("C001"), g.buyer(2, customer.KindResale))
		if out[0].Refusal != nil || out[1].Refusal == nil || out[1].Refusal.Code != "coupon.customer_outside" {
			t.Errorf("%+v", out)
		}
		if now := g.quota(q.ID); now.Issued != yuan {
			t.Errorf("%+v", now)
		}
	})
}

// TestCouponReminds: a week before its end who has a quota or a voucher with something left is told, once.
func TestCouponReminds(t *testing.T) {
	eachGrowing(t, func(g *growing) {
		q := g.granted(100*yuan, func(in *coupon.GrantInput) { in.To = g.clock.Now().AddDate(0, 0, 10) })
		g.granted(50*yuan, nil)
		id := g.buyer(1, customer.KindResale)
		g.person("C001", "c-admin", account.RoleAdmin)
		v := g.issued(q.ID, 30*yuan, id)[0]
		told := func(login string) (codes []string) {
			t.Helper()
			page, err := g.a.Messages.List(g.ctx, g.as(login), message.Filter{}, message.Cursor{}, 50)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range page.Messages {
				if c := m.Notice.Code; c == "coupon_ending" || c == "coupon_quota_ending" {
					codes = append(codes, fmt.Sprintf("%s %v %v", c, m.Notice.Args["Name"], m.Notice.Args["Amount"]))
				}
			}
			return codes
		}
		for i, days := range []int{0, 4, 1} { // ten days before, six, five
			g.later(time.Duration(days) * 24 * time.Hour)
			n, err := g.a.Coupons.Remind(g.ctx)
			if err != nil || n != []int{0, 2, 0}[i] {
				t.Errorf("%d days on: %d told, %v", days, n, err)
			}
		}
		if got := told("P-admin"); fmt.Sprint(got) != "[coupon_quota_ending "+q.Name()+" 70]" {
			t.Errorf("the partner: %v", got)
		}
		if got := told("c-admin"); fmt.Sprint(got) != "[coupon_ending "+v.Name+" 30]" {
			t.Errorf("the customer: %v", got)
		}
	})
}

// TestCouponBuyer: a partner's voucher is for the bill a customer's lines stand on: its own, or its resellers'.
func TestCouponBuyer(t *testing.T) {
	eachGrowing(t, func(g *growing) {
		g.org("D", organisation.KindDistributor, "V")
		g.org("R", organisation.KindReseller, "D")
		g.org("M", organisation.KindCustomer, "")
		g.joins(g.orgID("M"), "R", g.clock.Now().AddDate(0, -1, 0))
		own, referral := g.buyer(1, customer.KindResale), g.buyer(2, customer.KindReferral)
		now := g.clock.Now()
		for what, x := range map[string]struct {
			id, want string
			at       time.Time
		}{"own": {own, g.orgID("P"), now}, "before": {own, "", now.AddDate(0, -2, 0)}, "by referral": {referral, "", now}, "a reseller's": {g.orgID("M"), g.orgID("D"), now}, "nobody's": {"x", "", now}} {
			if got, err := g.a.Coupons.Buyer(g.ctx, x.id, x.at); err != nil || got != x.want {
				t.Errorf("%s: %q %v", what, got, err)
			}
		}
	})
}
