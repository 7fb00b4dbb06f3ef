package app

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"huoban/internal/account"
	"huoban/internal/coupon"
	"huoban/internal/customer"
	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/organisation"
	"huoban/internal/relation"
)

const yuan money.Amount = 1e8

// granted is a quota of P.
func (g *growing) granted(value money.Amount, change func(*coupon.GrantInput)) coupon.Quota {
	g.t.Helper()
	in := coupon.GrantInput{PartnerID: g.orgID("P"), Kind: coupon.KindVoucher, Currency: "CNY", Value: value, From: g.clock.Now().AddDate(0, 0, -1), To: g.clock.Now().AddDate(0, 6, 0)}
	if change != nil {
		change(&in)
	}
	q, _, err := g.a.Coupons.Grant(g.ctx, g.as("v-ops"), in)
	if err != nil {
		g.t.Fatal(err)
	}
	return *q
}

func (g *growing) orgID(code string) string {
	g.t.Helper()
	o, err := g.a.Organisations.ByCode(g.ctx, g.op, code)
	if err != nil {
		g.t.Fatal(err)
	}
	return o.ID
}

// buyer is a customer of P.
func (g *growing) buyer(n int, kind customer.Kind) string {
	g.t.Helper()
	code := fmt.Sprintf("C%03d", n)
	g.org(code, organisation.KindCustomer, "")
	id := g.orgID(code)
	if _, err := g.a.Customers.Associate(g.ctx, g.op, customer.AssociateInput{CustomerID: id, PartnerID: g.orgID("P"), Kind: kind, From: g.clock.Now().AddDate(0, -1, 0)}); err != nil {
		g.t.Fatal(err)
	}
	return id
}

func (g *growing) issued(quotaID string, face money.Amount, customers ...string) []coupon.Outcome {
	g.t.Helper()
	in := coupon.IssueInput{QuotaID: quotaID, Most: coupon.MaxBatch}
	for _, c := range customers {
		in.Rows = append(in.Rows, coupon.IssueRow{CustomerID: c, Face: face})
	}
	out, err := g.a.Coupons.Issue(g.ctx, g.as("P-admin"), in)
	if err != nil {
		g.t.Fatal(err)
	}
	return out
}

func (g *growing) quota(id string) coupon.Quota {
	g.t.Helper()
	q, err := g.a.Coupons.Quota(g.ctx, g.op, id)
	if err != nil {
		g.t.Fatal(err)
	}
	if !q.Balanced() {
		g.t.Fatalf("not balanced: %+v", q)
	}
	return q
}

func (g *growing) voucher(id string) coupon.Coupon {
	g.t.Helper()
	c, err := g.a.Coupons.Coupon(g.ctx, g.op, id)
	if err != nil {
		g.t.Fatal(err)
	}
	if !c.Balanced() {
		g.t.Fatalf("not balanced: %+v", c)
	}
	return c
}

// TestCouponRoom: a quota goes to customers and back; a customer by referral, another's and one twice get nothing, and
// the log of the partner tells of each.
func TestCouponRoom(t *testing.T) {
	eachGrowing(t, func(g *growing) {
		q := g.granted(100*yuan, nil)
		a, b, referral := g.buyer(1, customer.KindResale), g.buyer(2, customer.KindResale), g.buyer(3, customer.KindReferral)
		out := g.issued(q.ID, 40*yuan, a, a, referral, "nobody", b)
		want := []string{"", "coupon.customer_twice", "coupon.not_resale", "coupon.customer_unknown", ""}
		for i := range out {
			code := ""
			if out[i].Refusal != nil {
				code = out[i].Refusal.Code
			}
			if code != want[i] {
				t.Errorf("%d: %q, want %q", i, code, want[i])
			}
		}
		if again := g.issued(q.ID, 40*yuan, g.buyer(4, customer.KindResale)); again[0].Refusal == nil || again[0].Refusal.Code != "coupon.quota_short" {
			t.Errorf("beyond the quota: %+v", again[0])
		}
		if now := g.quota(q.ID); now.Balance != 20*yuan || now.Issued != 80*yuan {
			t.Errorf("%+v", now)
		}
		for _, login := range []string{"Q-admin", "P-cm"} {
			if _, err := g.a.Coupons.Coupon(g.ctx, g.as(login), out[0].ID); !fault.Is(err, fault.KindNotFound) && !fault.Is(err, fault.KindDenied) {
				t.Errorf("%s sees the voucher: %v", login, err)
			}
			if _, err := g.a.Coupons.Quota(g.ctx, g.as(login), q.ID); !fault.Is(err, fault.KindNotFound) && !fault.Is(err, fault.KindDenied) {
				t.Errorf("%s sees the quota: %v", login, err)
			}
		}
		if _, err := g.a.Coupons.Do(g.ctx, g.as("P-admin"), out[0].ID, coupon.ActionReclaim, ""); err != nil {
			t.Fatal(err)
		}
		if now := g.quota(q.ID); now.Balance != 60*yuan || now.Returned != 40*yuan {
			t.Errorf("after the reclaim: %+v", now)
		}
		_, err := g.a.Coupons.Do(g.ctx, g.as("P-admin"), out[0].ID, coupon.ActionReclaim, "")
		g.refused("twice", err, "flow.not_from_state")
		log, err := g.a.Coupons.Records(g.ctx, g.as("P-admin"), coupon.RecordFilter{})
		if err != nil {
			t.Fatal(err)
		}
		count := map[string]int{}
		for _, r := range log {
			count[string(r.Operation)+"/"+r.Code]++
		}
		if fmt.Sprint(count) != "map[grant_quota/:1 issue/:2 issue/coupon.customer_twice:1 issue/coupon.not_resale:1 issue/coupon.quota_short:1 reclaim/:1]" {
			t.Errorf("%v", count)
		}
	})
}

// TestCouponEndsOfAssociation: what ends or changes an association takes vouchers back, at once or when its time comes.
func TestCouponEndsOfAssociation(t *testing.T) {
	eachGrowing(t, func(g *growing) {
		j, admin := g.married()
		id := j.Organisation.ID
		g.later(time.Hour)
		q := g.granted(100*yuan, nil)
		r, err := g.a.Relations.Ask(g.ctx, g.as("P-admin"), asking(id, relation.KindSwitch, relation.WhenConsent))
		if err == nil {
			_, err = g.a.Relations.Do(g.ctx, g.as(admin), r.ID, relation.ActionAgree, "")
		}
		if err != nil {
			t.Fatal(err)
		}
		out := g.issued(q.ID, 30*yuan, id)
		if out[0].Refusal != nil {
			t.Fatalf("%+v", out[0])
		}
		if r, err = g.a.Relations.Ask(g.ctx, g.as(admin), asking("", relation.KindDissolve, relation.WhenNextMonth)); err == nil {
			_, err = g.a.Relations.Do(g.ctx, g.as("P-admin"), r.ID, relation.ActionAgree, "")
		}
		if err != nil {
			t.Fatal(err)
		}
		if c := g.voucher(out[0].ID); c.State != coupon.StateUsable {
			t.Errorf("before the end: %s", c.State)
		}
		g.later(20 * 24 * time.Hour)
		if _, err := g.a.Coupons.Sweep(g.ctx); err != nil {
			t.Fatal(err)
		}
		if c, q := g.voucher(out[0].ID), g.quota(q.ID); c.State != coupon.StateReclaimed || q.Balance != 100*yuan {
			t.Errorf("after the end: %s, %v", c.State, q.Balance)
		}
		own, err := g.a.Coupons.Coupons(g.ctx, g.as(admin))
		if err != nil || len(own) != 0 {
			t.Errorf("the customer still sees it: %+v %v", own, err)
		}
		log, err := g.a.Coupons.Records(g.ctx, g.as("P-admin"), coupon.RecordFilter{CouponID: out[0].ID})
		if err != nil || len(log) != 2 || log[0].Operation != coupon.OpUnlink || log[0].Amount != 30*yuan {
			t.Errorf("%+v %v", log, err)
		}
	})
}

// TestCouponSecondPerson: above the amount the vendor's second person decides, below it nobody.
func TestCouponSecondPerson(t *testing.T) {
	eachGrowing(t, func(g *growing) {
		g.person("V", "v-fin", account.RoleFinance)
		q := g.granted(100_001*yuan, nil)
		if q.State != coupon.QuotaPending {
			t.Fatal(q.State)
		}
		if _, err := g.a.Coupons.Quota(g.ctx, g.as("P-admin"), q.ID); !fault.Is(err, fault.KindNotFound) {
			t.Errorf("the partner sees what was not approved: %v", err)
		}
		if _, err := g.a.Coupons.QuotaDo(g.ctx, g.as("v-ops"), q.ID, coupon.QuotaApprove, "", 0); !fault.Is(err, fault.KindDenied) {
			t.Errorf("by who granted it: %v", err)
		}
		if _, err := g.a.Coupons.QuotaDo(g.ctx, g.as("v-fin"), q.ID, coupon.QuotaApprove, "", 0); err != nil {
			t.Fatal(err)
		}
		if _, err := g.a.Coupons.Quota(g.ctx, g.as("P-admin"), q.ID); err != nil {
			t.Error(err)
		}
		if _, err := g.a.Coupons.QuotaDo(g.ctx, g.as("v-ops"), q.ID, coupon.QuotaAdjust, "", -yuan); err != nil {
			t.Fatal(err)
		}
		_, err := g.a.Coupons.Issue(g.ctx, g.as("P-admin"), coupon.IssueInput{QuotaID: q.ID, Most: 10, Rows: []coupon.IssueRow{{CustomerID: g.buyer(1, customer.KindResale), Face: yuan}}})
		g.refused("while it is adjusted", err, "coupon.quota_not_usable")
		if _, err := g.a.Coupons.QuotaDo(g.ctx, g.as("v-fin"), q.ID, coupon.QuotaSettle, "", 0); err != nil {
			t.Fatal(err)
		}
		if now := g.quota(q.ID); now.Value != 100_000*yuan {
			t.Errorf("%v", now.Value)
		}
	})
}

// TestCouponShares: a distributor's part for a reseller is taken from its own quota and comes back whole.
func TestCouponShares(t *testing.T) {
	eachGrowing(t, func(g *growing) {
		g.org("D", organisation.KindDistributor, "V")
		g.org("R", organisation.KindReseller, "D")
		g.person("D", "D-admin", account.RoleAdmin)
		g.person("R", "R-admin", account.RoleAdmin)
		q := g.granted(100*yuan, func(in *coupon.GrantInput) { in.PartnerID = g.orgID("D") })
		out, err := g.a.Coupons.Share(g.ctx, g.as("D-admin"), coupon.ShareInput{QuotaID: q.ID, ResellerIDs: []string{g.orgID("R"), g.orgID("P")}, Amount: 60 * yuan})
		if err != nil || out[0].Refusal != nil || out[1].Refusal == nil || out[1].Refusal.Code != "coupon.reseller_unknown" {
			t.Fatalf("%+v %v", out, err)
		}
		if _, err := g.a.Coupons.Quota(g.ctx, g.as("R-admin"), out[0].ID); err != nil {
			t.Error(err)
		}
		for _, login := range []string{"D-admin", "R-admin"} {
			log, err := g.a.Coupons.Records(g.ctx, g.as(login), coupon.RecordFilter{})
			if n := map[string]int{"D-admin": 2, "R-admin": 1}[login]; err != nil || len(log) != n || log[0].Operation != coupon.OpGrantQuota {
				t.Errorf("%s: %+v %v", login, log, err)
			}
		}
		if _, err := g.a.Coupons.QuotaDo(g.ctx, g.as("R-admin"), out[0].ID, coupon.QuotaReclaim, "", 0); !fault.Is(err, fault.KindDenied) {
			t.Errorf("the reseller takes it from itself: %v", err)
		}
		if _, err := g.a.Coupons.QuotaDo(g.ctx, g.as("D-admin"), out[0].ID, coupon.QuotaReclaim, "", 0); err != nil {
			t.Fatal(err)
		}
		if own, child := g.quota(q.ID), g.quota(out[0].ID); own.Balance != 100*yuan || child.Balance != 0 || child.State != coupon.QuotaReclaimed {
			t.Errorf("%+v %+v", own, child)
		}
	})
}

// TestCouponRace: 64 clients cut from one quota and pay with one voucher at once: no more leaves than there was, and
// nothing that was answered is missing.
func TestCouponRace(t *testing.T) {
	eachGrowing(t, func(g *growing) {
		const clients, each = 64, 3
		q := g.granted(100*yuan, nil)
		var buyers []string
		for n := range clients {
			buyers = append(buyers, g.buyer(n+1, customer.KindResale))
		}
		sc := g.as("P-admin")
		var wg sync.WaitGroup
		var mu sync.Mutex
		got := map[string]bool{}
		begin := make(chan struct{})
		for n := range clients {
			wg.Go(func() {
				<-begin
				for range each {
					out, err := g.a.Coupons.Issue(g.ctx, sc, coupon.IssueInput{QuotaID: q.ID, Most: 10, Rows: []coupon.IssueRow{{CustomerID: buyers[n], Face: yuan}}})
					mu.Lock()
					if err != nil {
						t.Error(err)
					} else if out[0].Refusal == nil {
						got[out[0].ID] = true
					} else if out[0].Refusal.Code != "coupon.quota_short" {
						t.Error(out[0].Refusal)
					}
					mu.Unlock()
				}
			})
		}
		close(begin)
		wg.Wait()
		all, err := g.a.Coupons.Coupons(g.ctx, sc)
		if now := g.quota(q.ID); err != nil || now.Balance != 0 || len(got) != 100 || len(all) != 100 {
			t.Fatalf("%d answered, %d kept, %v left: %v", len(got), len(all), now.Balance, err)
		}
		for i := range all {
			if !got[all[i].ID] {
				t.Errorf("%s was not answered", all[i].ID)
			}
		}
		g.spendAtOnce(clients)
	})
}

func (g *growing) spendAtOnce(clients int) {
	q := g.granted(50*yuan, nil)
	one := g.issued(q.ID, 50*yuan, g.orgID("C001"))[0]
	var wg sync.WaitGroup
	var mu sync.Mutex
	var spent money.Amount
	for n := range clients {
		wg.Go(func() {
			o := coupon.Order{ID: fmt.Sprintf("O%d", n/2), Line: coupon.Line{CustomerID: one.OrgID, Currency: "CNY", At: g.clock.Now(), Order: 3 * yuan}}
			paid, err := g.a.Coupons.Pay(g.ctx, one.ID, o) // every order is paid by two clients
			var f *fault.Error
			if err != nil && !(errors.As(err, &f) && f.Kind == fault.KindConflict) {
				g.t.Error(err)
			}
			mu.Lock()
			spent += paid
			mu.Unlock()
		})
	}
	wg.Wait()
	c := g.voucher(one.ID)
	uses, err := g.a.Coupons.Uses(g.ctx, g.as("P-admin"), one.ID)
	var sum money.Amount
	seen := map[string]bool{}
	for i := range uses {
		if seen[uses[i].OrderID] {
			g.t.Errorf("%s was paid twice", uses[i].OrderID)
		}
		seen[uses[i].OrderID] = true
		sum += uses[i].Amount
	}
	if err != nil || c.Used != sum || c.Used > 50*yuan || c.State != coupon.StateUsed {
		g.t.Errorf("%v used, %v recorded, answered %v: %v", c.Used, sum, spent, err)
	}
}

// TestCouponOrders: an order locks, pays and gives back once; after the validity what comes back goes to the quota.
func TestCouponOrders(t *testing.T) {
	eachGrowing(t, func(g *growing) {
		q := g.granted(100*yuan, func(in *coupon.GrantInput) {
			in.Limits = coupon.Limits{Regions: []string{"cn-north-4"}, MinOrder: 10 * yuan, MaxOrder: 20 * yuan}
		})
		id := g.buyer(1, customer.KindResale)
		v := g.issued(q.ID, 30*yuan, id)[0]
		order := func(n string, amount money.Amount, region string) coupon.Order {
			return coupon.Order{ID: n, Line: coupon.Line{CustomerID: id, Region: region, Currency: "CNY", At: g.clock.Now(), Order: amount}}
		}
		for what, o := range map[string]coupon.Order{"below": order("a", 10*yuan-1, "cn-north-4"), "above": order("b", 20*yuan+1, "cn-north-4"), "elsewhere": order("c", 15*yuan, "cn-east-3")} {
			_, err := g.a.Coupons.Pay(g.ctx, v.ID, o)
			g.refused(what, err, "coupon.not_fitting")
		}
		if _, err := g.a.Coupons.Lock(g.ctx, v.ID, order("1", 20*yuan, "cn-north-4")); err != nil {
			t.Fatal(err)
		}
		_, err := g.a.Coupons.Pay(g.ctx, v.ID, order("2", 20*yuan, "cn-north-4"))
		g.refused("locked by another", err, "coupon.not_fitting")
		_, err = g.a.Coupons.Do(g.ctx, g.as("P-admin"), v.ID, coupon.ActionReclaim, "")
		g.refused("reclaimed while locked", err, "coupon.locked")
		for range 2 {
			if paid, err := g.a.Coupons.Pay(g.ctx, v.ID, order("1", 20*yuan, "cn-north-4")); err != nil || paid != 20*yuan {
				t.Fatal(paid, err)
			}
		}
		if c := g.voucher(v.ID); c.Balance != 10*yuan || c.LockOrder != "" {
			t.Errorf("%+v", c)
		}
		if paid, err := g.a.Coupons.Pay(g.ctx, v.ID, order("3", 20*yuan, "cn-north-4")); err != nil || paid != 10*yuan {
			t.Error(paid, err)
		}
		for i := range 2 {
			if back, err := g.a.Coupons.Refund(g.ctx, v.ID, "3"); err != nil || back != []money.Amount{10 * yuan, 0}[i] {
				t.Error(back, err)
			}
		}
		if c := g.voucher(v.ID); c.Balance != 10*yuan || c.State != coupon.StateUsable {
			t.Errorf("given back: %+v", c)
		}
		g.later(200 * 24 * time.Hour)
		if _, err := g.a.Coupons.Sweep(g.ctx); err != nil {
			t.Fatal(err)
		}
		if c := g.voucher(v.ID); c.State != coupon.StateExpired || c.Returned != 10*yuan {
			t.Errorf("over: %+v", c)
		}
		if back, err := g.a.Coupons.Refund(g.ctx, v.ID, "1"); err != nil || back != 20*yuan {
			t.Error(back, err)
		}
		if c, q := g.voucher(v.ID), g.quota(q.ID); c.Used != 0 || q.Balance != 100*yuan || q.State != coupon.QuotaInvalid {
			t.Errorf("%+v %+v", c, q)
		}
	})
}
