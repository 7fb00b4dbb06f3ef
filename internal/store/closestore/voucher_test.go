package closestore_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"huoban/internal/audit"
	"huoban/internal/coupon"
	"huoban/internal/fault"
	"huoban/internal/id"
	"huoban/internal/money"
	"huoban/internal/monthclose"
	"huoban/internal/store"
	"huoban/internal/store/auditstore"
	"huoban/internal/store/couponstore"
	"huoban/internal/store/flowstore"
	"huoban/internal/store/storetest"
	"huoban/internal/usage"
)

var paidOf = map[string]string{}

// vouchered gives the world 券管理 and Sol's vouchers, each changed as a case wants it.
func vouchered(t *testing.T, w *world, vouchers ...func(*coupon.Coupon)) *coupon.Service {
	t.Helper()
	chain := audit.NewChain(auditstore.New(w.db), w.clock, audit.Key([32]byte{1, 2, 3}))
	s := coupon.New(coupon.Deps{Store: couponstore.New(w.db), Tx: w.db, Log: flowstore.New(w.db), Audit: chain, Clock: w.clock})
	w.close.Vouchers, w.close.Compute.Vouchers, w.close.Compute.LineStore = s, s, w.bills
	for i, change := range vouchers {
		c := coupon.Coupon{ID: id.New(), VendorID: w.org["Nova"], Number: int64(i + 1), IssuerID: w.org["Nova"], HolderID: w.org["Sol"], Level: coupon.LevelPartner, Kind: coupon.KindVoucher,
			Currency: "USD", Face: 10e8, State: coupon.StateUsable, From: august.Start(time.UTC), To: august.End(time.UTC), IssuedBy: "ops", Version: 1, CreatedAt: w.clock.Now(), Changed: w.clock.Now()}
		change(&c)
		c.Balance = c.Face
		if err := w.db.InTx(w.ctx, func(ctx context.Context) error { return s.Store.InsertCoupons(ctx, []coupon.Coupon{c}) }); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (w *world) left(s *coupon.Service) string {
	w.t.Helper()
	all, err := s.Store.Coupons(w.ctx, coupon.SideVendor, w.org["Nova"])
	if err != nil {
		w.t.Fatal(err)
	}
	slices.SortFunc(all, func(a, b coupon.Coupon) int { return int(a.Number - b.Number) })
	out := ""
	for _, c := range all {
		if !c.Balanced() {
			w.t.Fatalf("not balanced: %+v", c)
		}
		out += fmt.Sprintf("%s %s %s; ", c.Name(), c.Balance, c.State)
	}
	return out
}

// TestCloseWithVouchers: lines are paid in the order the customers bought them, by vouchers for named customers first,
// only where every limit holds; a refund gives nothing back; both engines write the same bytes, and again is the same.
func TestCloseWithVouchers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.deliver(august, true, line{customer: "Ana", key: "a-2", billed: "7", day: 9}, line{customer: "Ana", key: "a-1", billed: "5.5", day: 2}, line{customer: "Ana", key: "a-3", billed: "3.25", day: 1},
			line{customer: "Ana", key: "a-4", billed: "-2", day: 20, kind: usage.KindRefund}, line{customer: "Ana", key: "a-5", billed: "100", day: 21}, line{customer: "Ben", key: "b-1", billed: "50", day: 3},
			line{customer: "Cho", key: "c-1", billed: "50", day: 3})
		s := vouchered(t, w,
			func(c *coupon.Coupon) { c.Face = 4e8 },
			func(c *coupon.Coupon) { c.Face, c.Limits.Customers = 3e8, []string{w.org["Ana"]} },
			func(c *coupon.Coupon) { c.Face, c.Limits.MinOrder, c.Limits.MaxOrder = 2e8, 6e8, 7e8 },
			func(c *coupon.Coupon) { c.Face, c.Limits.Regions = 9e8, []string{"us-1"} },
			func(c *coupon.Coupon) {
				c.Face, c.From = 9e8, august.Start(time.UTC).AddDate(0, 1, 0)
				c.To = c.From.AddDate(0, 1, 0)
			},
			func(c *coupon.Coupon) { c.Face, c.Currency = 9e8, "CNY" })
		w.mustRun(august, false)
		before := w.left(s)
		draft := w.bill(august, "Sol", "USD")
		// day 1: 3.25 takes 3 of the named one and 0.25 of the first; day 2: 5.5 takes its 3.75; day 9: 7 is within 6–7: 2
		if draft.Coupon.String() != "-9" || draft.Due.String() != "104.75" {
			t.Errorf("the draft: %s, due %s", draft.Coupon, draft.Due)
		}
		uses, err := s.BillUses(w.ctx, draft.CouponBill())
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, u := range uses {
			got += fmt.Sprintf("%s %s %s/%s %s; ", u.Start[8:10], coupon.Name(u.Number), u.Amount, u.Before, u.Line)
		}
		if got != "02 QJ00000002 3/3.25 3.25; 02 QJ00000001 0.25/0.25 3.25; 03 QJ00000001 3.75/5.5 5.5; 10 QJ00000003 2/7 7; " {
			t.Errorf("the uses: %s", got)
		}
		if all, err := s.Store.VendorUses(w.ctx, w.org["Nova"]); err != nil || len(all) != 0 {
			t.Errorf("a draft is no use: %v %v", all, err)
		}
		w.mustRun(august, true)
		if after := w.left(s); after == before || after != "QJ00000001 0 used; QJ00000002 0 used; QJ00000003 0 used; QJ00000004 9 usable; QJ00000005 9 usable; QJ00000006 9 usable; " {
			t.Errorf("after the issue: %s", after)
		}
		issued := w.canonical(august)
		if again := w.mustRun(august, true); !again.Nothing || w.canonical(august) != issued {
			t.Errorf("the second run did %v", again.Done)
		}
		for engine, other := range paidOf {
			if other != issued {
				t.Errorf("the canonical export differs from that of %s:\n%s\n%s", engine, other, issued)
			}
		}
		paidOf[string(db.Engine())] = issued
		w.replayed(s)
	})
}

// replayed pays the lines anew with just what was paid, as a verification does.
func (w *world) replayed(s *coupon.Service) {
	w.t.Helper()
	doc := w.bill(august, "Sol", "USD")
	again, err := w.close.Compute.ComputeAt(w.ctx, w.org["Nova"], august, doc.PriceSeq)
	if err != nil {
		w.t.Fatal(err)
	}
	vouchers, err := s.Replayed(w.ctx, doc.CouponBill())
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.close.Compute.Draw(w.ctx, again.Documents, vouchers); err != nil {
		w.t.Fatal(err)
	}
	for i := range again.Documents {
		if d := &again.Documents[i]; d.Partner.Code == "Sol" && d.Currency == "USD" && d.Code != doc.Code {
			w.t.Errorf("recomputed %s, kept %s", d.Code, doc.Code)
		}
	}
}

// TestVoucherChangedAfterDraft: a draft is stale once a voucher it was paid with has changed, and drafting again takes
// what there is; throwing a draft away leaves the vouchers whole.
func TestVoucherChangedAfterDraft(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.deliver(august, true, line{customer: "Ana", key: "a-1", billed: "8", day: 2})
		s := vouchered(t, w, func(c *coupon.Coupon) { c.Face = 5e8 })
		w.mustRun(august, false)
		all, err := s.Usable(w.ctx, w.org["Nova"])
		if err != nil || len(all) != 1 {
			t.Fatalf("%v %v", all, err)
		}
		next := all[0]
		next.Balance, next.Returned = 2e8, 3e8
		if err := db.InTx(w.ctx, func(ctx context.Context) error {
			_, err := s.Store.SetCoupon(ctx, next, next.State, next.Version)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.run(august, true); !fault.HasCode(err, "monthclose.refused") {
			t.Errorf("issued with what is not there: %v", err)
		}
		if _, err := w.close.Run(w.ctx, operator, monthclose.Input{VendorID: w.org["Nova"], Cycle: august, Discard: true, Override: "days"}); err != nil {
			t.Fatal(err)
		}
		if planned, err := s.Store.Planned(w.ctx, w.org["Nova"], string(august)); err != nil || len(planned) != 0 {
			t.Errorf("after the discard: %v %v", planned, err)
		}
		w.mustRun(august, true)
		if doc := w.bill(august, "Sol", "USD"); doc.Coupon != money.Amount(-2e8) || w.left(s) != "QJ00000001 0 used; " {
			t.Errorf("%s, %s", doc.Coupon, w.left(s))
		}
	})
}
