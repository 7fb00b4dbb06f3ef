package app

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"huoban/internal/account"
	"huoban/internal/coupon"
	"huoban/internal/customer"
	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/organisation"
	"huoban/internal/scope"
)

// couponWalker does at random what people, orders and time do to quotas and vouchers.
type couponWalker struct {
	*growing
	rand     *rand.Rand
	ctx      context.Context
	who      map[string]scope.Scope
	buyers   []string
	reseller string
	quotas   []string
	vouchers []string
	order    int
	paid     [][2]string // voucher and order
	done     map[string]int
}

// pick takes one of the newest.
func pick[T any](w *couponWalker, list []T) T {
	list = list[max(0, len(list)-40):]
	return list[w.rand.IntN(len(list))]
}

func (w *couponWalker) amount() money.Amount { return money.Amount(w.rand.Int64N(5000)+1) * 1e6 }

// step does one thing; a refusal is as good as a deed, any other error is not.
func (w *couponWalker) step() error {
	s := w.a.Coupons
	now := w.clock.Now()
	acts := map[string]func() error{
		"grant": func() error {
			q, _, err := s.Grant(w.ctx, w.who["v-ops"], coupon.GrantInput{PartnerID: pick(w, []string{w.orgID("P"), w.orgID("D")}), Kind: coupon.KindVoucher, Currency: "CNY",
				Value: w.amount() * 100, From: now, To: now.AddDate(0, 0, w.rand.IntN(60)+1)})
			if q != nil {
				w.quotas = append(w.quotas, q.ID)
			}
			return err
		},
		"issue": func() error {
			out, err := s.Issue(w.ctx, w.who["P-admin"], coupon.IssueInput{QuotaID: pick(w, w.quotas), Most: 10, Rows: []coupon.IssueRow{{CustomerID: pick(w, w.buyers), Face: w.amount()},
				{CustomerID: pick(w, w.buyers), Face: w.amount()}}})
			for _, x := range out {
				if x.Refusal == nil {
					w.vouchers = append(w.vouchers, x.ID)
				}
			}
			return err
		},
		"share": func() error {
			out, err := s.Share(w.ctx, w.who["D-admin"], coupon.ShareInput{QuotaID: pick(w, w.quotas), ResellerIDs: []string{w.reseller}, Amount: w.amount()})
			if err == nil && out[0].Refusal == nil {
				w.quotas = append(w.quotas, out[0].ID)
			}
			return err
		},
		"quota": func() error {
			do := pick(w, coupon.QuotaFlow.Actions())
			_, err := s.QuotaDo(w.ctx, w.who[pick(w, []string{"v-ops", "v-fin", "D-admin"})], pick(w, w.quotas), do, "理由", w.amount()-25e8)
			return err
		},
		"pay": func() error {
			w.order++
			id := pick(w, w.vouchers)
			paid, err := s.Pay(w.ctx, id, coupon.Order{ID: fmt.Sprint(w.order), Line: coupon.Line{CustomerID: w.holder(id), Currency: "CNY", At: now, Order: w.amount()}})
			if paid > 0 {
				w.paid = append(w.paid, [2]string{id, fmt.Sprint(w.order)})
			}
			return err
		},
		"refund": func() error {
			one := pick(w, w.paid)
			_, err := s.Refund(w.ctx, one[0], one[1])
			return err
		},
		"reclaim": func() error {
			_, err := s.Reclaim(w.ctx, w.who["P-admin"], []string{pick(w, w.vouchers), pick(w, w.vouchers)}, "")
			return err
		},
		"reverse": func() error {
			one := pick(w, w.paid)
			_, err := s.Reverse(w.ctx, one[0], one[1])
			return err
		},
		"recover": func() error {
			return s.Recover(w.ctx, w.op, w.orgID("P"), pick(w, w.buyers), pick(w, []coupon.Operation{coupon.OpUnlink, coupon.OpSwitch, coupon.OpLink}))
		},
		"time": func() error {
			w.clock.Set(now.Add(6 * 3600 * 1e9))
			_, err := s.Sweep(w.ctx)
			return err
		},
	}
	names := []string{"grant", "issue", "issue", "issue", "share", "quota", "pay", "pay", "pay", "refund", "reverse", "reclaim"}
	name := pick(w, names)
	if n := w.rand.IntN(200); n == 0 {
		name = "time"
	} else if n == 1 {
		name = "recover"
	}
	err := acts[name]()
	outcome := "done"
	if err != nil {
		outcome = fault.From(err).Code
	}
	w.done[name+" "+outcome]++
	if fault.Is(err, fault.KindInternal) || fault.Is(err, fault.KindUnavailable) {
		return err
	}
	return nil
}

func (w *couponWalker) holder(id string) string {
	c, err := w.a.Coupons.Coupon(w.ctx, w.op, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return c.HolderID
}

// sums checks every quota against what was cut from it, and every voucher against what it paid.
func (w *couponWalker) sums() {
	w.t.Helper()
	store := w.a.Coupons.Store
	quotas, err := store.Quotas(w.ctx, coupon.SideVendor, w.orgID("V"))
	if err != nil {
		w.t.Fatal(err)
	}
	vouchers, err := store.Coupons(w.ctx, coupon.SideVendor, w.orgID("V"))
	if err != nil {
		w.t.Fatal(err)
	}
	uses, err := store.VendorUses(w.ctx, w.orgID("V"))
	if err != nil {
		w.t.Fatal(err)
	}
	used, out, back := map[string]money.Amount{}, map[string]money.Amount{}, map[string]money.Amount{}
	for _, u := range uses {
		used[u.CouponID] += u.Amount
	}
	for _, c := range vouchers {
		if !c.Balanced() || c.Used != used[c.ID] {
			w.t.Fatalf("voucher %+v, its uses %v", c, used[c.ID])
		}
		out[c.QuotaID] += c.Face
		back[c.QuotaID] += c.Returned
	}
	for _, q := range quotas {
		if q.ParentID != "" {
			taken := money.Amount(0)
			if q.State == coupon.QuotaReclaimed {
				taken = q.Issued - out[q.ID]
				out[q.ID] += taken
			}
			out[q.ParentID] += q.Value
			back[q.ParentID] += taken
		}
	}
	for _, q := range quotas {
		if q.GiverID == w.orgID("V") && q.State == coupon.QuotaReclaimed {
			out[q.ID] = q.Issued // the vendor took the rest itself
		}
		if !q.Balanced() || q.Issued != out[q.ID] || q.Returned != back[q.ID] {
			w.t.Fatalf("quota %+v: cut %v, came back %v", q, out[q.ID], back[q.ID])
		}
	}
}

// TestCouponWalk: whatever is done in whatever order, each quota is what remains and what was issued less what came back,
// and each voucher what remains, what it paid and what was taken back. PORTAL_LONG=1 walks 100,000 steps.
func TestCouponWalk(t *testing.T) {
	steps := 2000
	if os.Getenv("PORTAL_LONG") != "" {
		steps = 100_000
	}
	eachGrowing(t, func(g *growing) {
		w := &couponWalker{growing: g, rand: rand.New(rand.NewPCG(7, 11)), ctx: g.ctx, who: map[string]scope.Scope{}, done: map[string]int{}}
		g.person("V", "v-fin", account.RoleFinance)
		g.org("D", organisation.KindDistributor, "V")
		g.org("R", organisation.KindReseller, "D")
		g.person("D", "D-admin", account.RoleAdmin)
		w.reseller = g.orgID("R")
		for n := range 5 {
			w.buyers = append(w.buyers, g.buyer(n+1, customer.KindResale))
		}
		for _, login := range []string{"v-ops", "v-fin", "P-admin", "D-admin"} {
			w.who[login] = g.as(login)
		}
		q := g.granted(10_000*yuan, nil)
		w.quotas = []string{q.ID}
		w.vouchers = []string{g.issued(q.ID, yuan, w.buyers[0])[0].ID}
		w.paid = [][2]string{{w.vouchers[0], "none"}}
		for n := 0; n < steps; n += 500 {
			err := g.a.DB.InTx(g.ctx, func(ctx context.Context) error {
				w.ctx = ctx
				for range 500 {
					if err := w.step(); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			w.ctx = g.ctx
			if n < 2000 || n%5000 == 0 {
				w.sums()
			}
		}
		w.sums()
		for _, must := range []string{"issue done", "share done", "pay done", "refund done", "reverse done", "quota done", "reclaim done"} {
			if w.done[must] == 0 {
				t.Errorf("never %s: %v", must, w.done)
			}
		}
	})
}
