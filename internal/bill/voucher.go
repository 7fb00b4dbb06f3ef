package bill

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"huoban/internal/coupon"
	"huoban/internal/money"
	"huoban/internal/price"
	"huoban/internal/scope"
	"huoban/internal/usage"
)

// ItemCoupon names the voucher that paid the lines of an item.
type ItemCoupon struct {
	ID     string
	Number int64
}

// Uses finds what vouchers paid of a bill.
type Uses interface {
	BillUses(ctx context.Context, b coupon.Bill) ([]coupon.Use, error)
}

// CouponBill names the bill to 券管理.
func (d *Document) CouponBill() coupon.Bill {
	return coupon.Bill{VendorID: d.Vendor.ID, PartnerID: d.Partner.ID, Cycle: string(d.Cycle), Currency: d.Currency, EntityID: d.Entity.ID}
}

// Draw pays the lines of bills with the vouchers of their buyers, in canonical order of bills, and gives what was paid.
// Only what is bought from the vendor itself is paid: a reseller's bill comes from its distributor. The lines are read
// in the order of their charge start, no further than vouchers reach, and never held all at once.
func (s *Service) Draw(ctx context.Context, docs []Document, vouchers []coupon.Coupon) ([]coupon.Use, error) {
	var out []coupon.Use
	drawers := map[[2]string]*coupon.Drawer{}
	for i := range docs {
		d := &docs[i]
		if d.Seller.ID != d.Vendor.ID {
			continue
		}
		key := [2]string{d.Partner.ID, d.Currency}
		if drawers[key] == nil {
			var mine []coupon.Coupon
			for _, c := range vouchers {
				if c.HolderID == d.Partner.ID && c.Currency == d.Currency {
					mine = append(mine, c)
				}
			}
			drawers[key] = coupon.NewDrawer(mine)
		}
		if !drawers[key].Left() {
			continue
		}
		uses, err := s.draw(ctx, d, drawers[key])
		if err != nil {
			return nil, err
		}
		if err := d.pay(uses); err != nil {
			return nil, err
		}
		out = append(out, uses...)
	}
	return out, nil
}

// pay puts what vouchers paid on the bill, as items, and sums it anew.
func (d *Document) pay(uses []coupon.Use) error {
	if len(uses) == 0 {
		return nil
	}
	type key struct{ coupon, customer, provider, product, region, mode string }
	codes := map[string]Party{}
	for i := range d.Items {
		codes[d.Items[i].Customer.ID] = d.Items[i].Customer
	}
	at := map[key]int{}
	for i := range uses {
		u := &uses[i]
		k := key{u.CouponID, u.CustomerID, u.Provider, u.Service, u.Region, u.Mode}
		n, met := at[k]
		if !met {
			n = len(d.Items)
			at[k] = n
			d.Items = append(d.Items, Item{Customer: codes[u.CustomerID], Origin: OriginUsage, Kind: KindCoupon, Provider: u.Provider, Product: u.Service, Region: u.Region,
				Mode: usage.ChargingMode(u.Mode), Base: price.BaseBilled, Factor: money.MustExact("1"), Coupon: &ItemCoupon{u.CouponID, u.Number}})
		}
		it := &d.Items[n]
		sum, err := it.Amount.Add(-u.Amount)
		if err != nil {
			return err
		}
		it.Amount, it.LineCount = sum, it.LineCount+1
		it.BaseExact, it.Exact = sum.Exact(), sum.Exact()
	}
	SortItems(d.Items)
	d.Consumption, d.Refund, d.Adjustment, d.Coupon, d.Tax = 0, 0, 0, 0, 0
	if err := d.total(); err != nil {
		return err
	}
	d.Code = d.ComputeCode()
	for i := range uses {
		for n := range d.Items {
			it := &d.Items[n]
			if u := &uses[i]; it.Coupon != nil && it.Coupon.ID == u.CouponID && it.Customer.ID == u.CustomerID && it.Provider == u.Provider && it.Product == u.Service && it.Region == u.Region && string(it.Mode) == u.Mode {
				u.ItemNo = int64(it.No)
			}
		}
	}
	return nil
}

// voucherBatch is how many lines of one customer and slot are read at a time.
const voucherBatch = 200

// lineStream gives the lines of a customer in a slot, or its shares, in order of charge start.
type lineStream struct {
	customer Party
	rank     int // of the slot; shares come last
	slot     Slot
	shares   bool
	from     usage.Place
	rows     []LineRow
	done     bool
}

func (a *lineStream) before(b *lineStream) int {
	x, y := &a.rows[0], &b.rows[0]
	return cmp.Or(strings.Compare(x.Place.Start, y.Place.Start), strings.Compare(a.customer.Code, b.customer.Code), cmp.Compare(a.rank, b.rank),
		slices.Compare(x.Place.Key[:], y.Place.Key[:]), cmp.Compare(x.Place.Occurrence, y.Place.Occurrence))
}

// fill reads on when nothing is left, until there is a line or there are no more.
func (a *lineStream) fill(ctx context.Context, w *walker, until time.Time) error {
	for len(a.rows) == 0 && !a.done {
		lines, err := w.s.LineStore.CustomerLines(ctx, a.slot.ID, a.customer.ID, w.doc.Currency, LineFilter{Kind: usage.KindConsumption}, a.from, false, voucherBatch)
		if err != nil {
			return err
		}
		a.done = len(lines) < voucherBatch
		for i := range lines {
			if !lines[i].ChargeStart.Before(until) {
				a.done = true
				break
			}
			a.from = lines[i].Place()
			row, ok, err := w.price(&lines[i], a.from, a.customer, OriginUsage)
			if err != nil {
				return err
			}
			if ok {
				a.rows = append(a.rows, *row)
			}
		}
	}
	return nil
}

// draw walks over the lines of a bill as their customers bought them.
func (s *Service) draw(ctx context.Context, d *Document, drawer *coupon.Drawer) ([]coupon.Use, error) {
	ctx = scope.AsSystem(ctx, "vouchers")
	w, err := s.walker(ctx, scope.System("system"), d)
	if err != nil {
		return nil, err
	}
	from, until := drawer.Span()
	streams, err := w.streams(ctx, from, until)
	if err != nil {
		return nil, err
	}
	var out []coupon.Use
	for drawer.Left() && len(streams) > 0 {
		first := 0
		for i := range streams {
			if streams[i].before(streams[first]) < 0 {
				first = i
			}
		}
		a := streams[first]
		out = append(out, d.paid(drawer, a, &a.rows[0], int64(len(out)))...)
		a.rows = a.rows[1:]
		if err := a.fill(ctx, w, until); err != nil {
			return nil, err
		}
		if len(a.rows) == 0 {
			streams = slices.Delete(streams, first, first+1)
		}
	}
	return out, nil
}

// paid is what vouchers pay of one line.
func (d *Document) paid(drawer *coupon.Drawer, a *lineStream, r *LineRow, seq int64) []coupon.Use {
	l := &r.Line
	line := coupon.Line{BuyerID: d.Partner.ID, CustomerID: a.customer.ID, Service: l.Product.Service, SKU: l.Product.SKU, Region: l.Product.Region, Mode: string(l.Product.ChargingMode), Currency: d.Currency,
		At: l.ChargeStart, Order: r.Amount}
	var out []coupon.Use
	for i, p := range drawer.Take(&line, r.Amount) {
		out = append(out, coupon.Use{CouponID: p.CouponID, Number: p.Number, VendorID: d.Vendor.ID, Cycle: string(d.Cycle), PartnerID: d.Partner.ID, Currency: d.Currency, EntityID: d.Entity.ID,
			CustomerID: a.customer.ID, Customer: a.customer.Code, Seq: seq + int64(i) + 1, SlotID: r.Place.SlotID, Start: r.Place.Start, Key: slices.Clone(r.Place.Key[:]), Occurrence: r.Place.Occurrence,
			Part: a.shares, Provider: l.Account.Provider, Service: line.Service, SKU: line.SKU, Region: line.Region, Mode: line.Mode, Line: r.Amount, Before: p.Before, Amount: p.Amount})
	}
	return out
}

// streams begin where the first voucher does; those without a line are left out.
func (w *walker) streams(ctx context.Context, from, until time.Time) ([]*lineStream, error) {
	var out []*lineStream
	add := func(a *lineStream) error {
		err := a.fill(ctx, w, until)
		if len(a.rows) > 0 {
			out = append(out, a)
		}
		return err
	}
	for _, c := range w.customers() {
		for n, slot := range w.cfg.Slots {
			a := &lineStream{customer: c, rank: n, slot: slot, from: usage.Place{SlotID: slot.ID, CustomerID: c.ID, Start: from.UTC().Format(usage.StartText), Occurrence: -1}}
			if err := add(a); err != nil {
				return nil, err
			}
		}
		a := &lineStream{customer: c, rank: len(w.cfg.Slots), shares: true, done: true}
		w.yield = func(r *LineRow, _ cursor) error {
			if r.Line.Kind == usage.KindConsumption && !r.Line.ChargeStart.Before(from) && r.Line.ChargeStart.Before(until) {
				a.rows = append(a.rows, *r)
			}
			return nil
		}
		if err := w.parts(ctx, c, 0); err != nil {
			return nil, err
		}
		slices.SortStableFunc(a.rows, func(x, y LineRow) int { return strings.Compare(x.Place.Start, y.Place.Start) })
		if err := add(a); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// vouchers yields what vouchers paid of the bill, a row each, in the order in which they paid.
func (w *walker) vouchers(ctx context.Context, skip int) error {
	if w.s.Vouchers == nil || !slices.ContainsFunc(w.doc.Items, func(it Item) bool { return it.Kind == KindCoupon && w.filter.takes(&it) }) {
		return nil
	}
	uses, err := w.s.Vouchers.BillUses(scope.AsSystem(ctx, "vouchers"), w.doc.CouponBill())
	if err != nil {
		return err
	}
	for n := range w.places(len(uses), skip) {
		u := &uses[n]
		i := slices.IndexFunc(w.doc.Items, func(it Item) bool { return int64(it.No) == u.ItemNo })
		if i < 0 || !w.filter.takes(&w.doc.Items[i]) {
			continue
		}
		if err := w.yield(w.useRow(u, &w.doc.Items[i]), cursor{Phase: phaseVouchers, Skip: n + 1}); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) useRow(u *coupon.Use, it *Item) *LineRow {
	r := &LineRow{Origin: OriginUsage, Customer: it.Customer, Base: price.BaseBilled, BaseAmount: u.Line.Exact(), Exact: (-u.Amount).Exact(), Amount: -u.Amount, Use: u,
		Chosen: price.Chosen{Base: price.BaseBilled, Factor: money.MustExact("1")}}
	r.Place = usage.Place{SlotID: u.SlotID, CustomerID: u.CustomerID, Start: u.Start, Occurrence: u.Occurrence}
	copy(r.Place.Key[:], u.Key)
	if u.Part {
		r.Place.CustomerID, r.Origin = usage.CustomerSpread, OriginSpread
	}
	l := &r.Line
	l.SlotID, l.CustomerID, l.Kind, l.Currency = u.SlotID, u.CustomerID, KindCoupon, u.Currency
	l.Account.Provider, l.Product.Service, l.Product.SKU, l.Product.Region, l.Product.ChargingMode = u.Provider, u.Service, u.SKU, u.Region, usage.ChargingMode(u.Mode)
	l.ChargeStart = startOf(u.Start)
	l.ChargeEnd = l.ChargeStart
	if s, err := w.pricer.slot(u.SlotID); err == nil {
		r.SourceName, r.Zone = s.SourceName, s.Zone
	}
	return r
}

// startOf reads a charge start as it is kept.
func startOf(text string) time.Time {
	t, _ := time.Parse(usage.StartText, text)
	return t
}
