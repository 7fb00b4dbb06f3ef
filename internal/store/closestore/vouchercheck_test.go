package closestore_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"huoban/internal/coupon"
	"huoban/internal/money"
	"huoban/internal/store"
	"huoban/internal/store/storetest"
	"huoban/internal/usage"
)

// TestCloseAsChecked closes months of random lines with random vouchers on both engines. Whatever was paid, the checker
// had said so; and where something is left of a line and of a voucher, it had refused: the page's answer is the close's.
func TestCloseAsChecked(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		random := rand.New(rand.NewPCG(31, 7))
		w := newWorld(t, db)
		w.vary = func(p *usage.Product) {
			p.Service, p.SKU = []string{"Compute", "Disk"}[random.IntN(2)], []string{"small", "large", ""}[random.IntN(3)]
			p.Region, p.ChargingMode = []string{"eu-1", "us-1"}[random.IntN(2)], []usage.ChargingMode{usage.ModeOnDemand, usage.ModeSubscription}[random.IntN(2)]
		}
		var lines []line
		for n := range 90 {
			l := line{customer: []string{"Ana", "Ben", "Ana", "Cho"}[random.IntN(4)], key: fmt.Sprintf("k-%03d", n), billed: fmt.Sprintf("%d.%02d", random.IntN(20), random.IntN(100)), day: random.IntN(30)}
			if random.IntN(10) == 0 {
				l.kind, l.billed = usage.KindRefund, "-"+l.billed
			}
			lines = append(lines, l)
		}
		w.deliver(august, true, lines...)
		var changes []func(*coupon.Coupon)
		for range 24 {
			changes = append(changes, w.someVoucher(random))
		}
		s := vouchered(t, w, changes...)
		before, err := s.Store.Coupons(w.ctx, coupon.SideVendor, w.org["Nova"])
		if err != nil {
			t.Fatal(err)
		}
		w.mustRun(august, true)
		doc := w.bill(august, "Sol", "USD")
		uses, err := s.BillUses(w.ctx, doc.CouponBill())
		if err != nil {
			t.Fatal(err)
		}
		paid, spent := map[string]money.Amount{}, map[string]money.Amount{}
		by := map[string]map[string]bool{}
		for _, u := range uses {
			at := string(u.Key)
			paid[at] += u.Amount
			spent[u.CouponID] += u.Amount
			if by[at] == nil {
				by[at] = map[string]bool{}
			}
			by[at][u.CouponID] = true
		}
		if len(uses) < 15 {
			t.Errorf("only %d uses", len(uses))
		}
		w.asChecked(before, paid, spent, by)
	})
}

// someVoucher is one of Sol's with limits at random.
func (w *world) someVoucher(random *rand.Rand) func(*coupon.Coupon) {
	face, from := money.Amount(random.Int64N(4000)+1)*1e6, random.IntN(20)
	least, customers, frozen, region, mode := money.Amount(random.Int64N(10))*1e8, random.IntN(4), random.IntN(8) == 0, random.IntN(3), random.IntN(3)
	product := random.IntN(3)
	most := money.Amount(random.Int64N(12)) * 1e8
	return func(c *coupon.Coupon) {
		c.Face, c.Frozen, c.From = face, frozen, c.From.AddDate(0, 0, from)
		if customers < 2 {
			c.Limits.Customers = []string{w.org[[]string{"Ana", "Ben"}[customers]]}
		}
		if product == 0 {
			c.Limits.Services, c.Limits.Products = []string{"Compute"}, []string{"small", "large"}
		}
		if most > 0 {
			c.Limits.MinOrder, c.Limits.MaxOrder = least, least+most
		}
		if region == 0 {
			c.Limits.Regions = []string{"us-1"}
		}
		if mode == 0 {
			c.Limits.Modes = []string{string(usage.ModeOnDemand)}
		}
	}
}

// asChecked asks the checker about every line Sol bought and every voucher.
func (w *world) asChecked(vouchers []coupon.Coupon, paid, spent map[string]money.Amount, by map[string]map[string]bool) {
	w.t.Helper()
	asked := 0
	judge := func(l *usage.Stored) error {
		amount, err := l.Billed.Amount()
		if err != nil {
			return err
		}
		by, paid := by[string(l.Key[:])], paid[string(l.Key[:])]
		buyer := map[string]string{w.org["Ana"]: w.org["Sol"], w.org["Ben"]: w.org["Dis"]}[l.CustomerID] // Cho buys by referral: on nobody's bill
		for i := range vouchers {
			c := &vouchers[i]
			asked++
			says := l.Kind == usage.KindConsumption && amount > 0 && c.Fits(&coupon.Line{BuyerID: buyer, CustomerID: l.CustomerID, Service: l.Product.Service, SKU: l.Product.SKU, Region: l.Product.Region,
				Mode: string(l.Product.ChargingMode), Currency: l.Currency, At: l.ChargeStart, Order: amount}, true)
			switch {
			case by[c.ID] && !says:
				w.t.Errorf("%s paid %s of %s, the checker refuses", c.Name(), amount, l.ChargeStart.Format(time.DateOnly))
			case says && !by[c.ID] && paid < amount && spent[c.ID] < c.Face:
				w.t.Errorf("%s and a line of %s of %s both have something left, the checker agrees", c.Name(), amount, l.ChargeStart.Format(time.DateOnly))
			}
		}
		return nil
	}
	for _, customer := range []string{"Ana", "Ben", "Cho"} {
		if err := w.usage.EachLineOf(w.ctx, w.slots[august], w.org[customer], judge); err != nil {
			w.t.Fatal(err)
		}
	}
	if asked < 1000 {
		w.t.Errorf("%d pairs", asked)
	}
}
