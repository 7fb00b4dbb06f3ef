package invoice

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"huoban/internal/bill"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/scope"
)

var mailbox = regexp.MustCompile(`^[^@\s<>",;:\\()\[\]]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$`)

// OrderKey names an order on a bill.
type OrderKey struct{ BillID, OrderNo string }

// Order is an order (订单) as the lines of one bill carry it: what it costs there, tax apart as on the bill.
type Order struct {
	OrderNo  string
	Customer bill.Party
	Product  string
	Lines    int64
	Amount   money.Amount
}

// Orders finds the orders whose numbers the lines of an issued bill carry.
type Orders interface {
	OfBill(ctx context.Context, sc scope.Scope, doc *bill.Document) ([]Order, error)
}

// OrderOffer is an order and what of it may be invoiced.
type OrderOffer struct {
	Order
	Bill   bill.Document
	Free   money.Amount
	Unpaid money.Amount
	Why    []*fault.Error
}

// OrderOffers are the orders of the partner's issued bills of a cycle. An order is invoiced whole, as far as its
// bill still has room: what a refund took off the bill later cannot be invoiced.
// Fault: scope.permission_missing.
func (s *Service) OrderOffers(ctx context.Context, sc scope.Scope, c cycle.Cycle) ([]OrderOffer, error) {
	if err := see(sc); err != nil || sc.Side() != scope.SidePartner || s.Orders == nil {
		return nil, err
	}
	offers, err := s.offers(ctx, sc, "")
	if err != nil {
		return nil, err
	}
	held, err := s.book(ctx, sc.OrgID(), "")
	if err != nil {
		return nil, err
	}
	var out []OrderOffer
	for i := range offers {
		if offers[i].Bill.Cycle != c {
			continue
		}
		list, err := s.Orders.OfBill(ctx, sc, &offers[i].Bill)
		if err != nil {
			return nil, err
		}
		for _, o := range list {
			out = append(out, s.offerOrder(sc, &offers[i], o, held.orders[[2]string{offers[i].Bill.ID, o.OrderNo}]))
		}
	}
	return out, nil
}

func (s *Service) offerOrder(sc scope.Scope, of *Offer, o Order, held money.Amount) OrderOffer {
	cents := payable(o.Amount, of.Bill.Currency)
	out := OrderOffer{Order: o, Bill: of.Bill, Free: min(cents-held, of.Free), Unpaid: of.Unpaid}
	now := s.Clock.Now()
	f := Facts{EntityID: of.Bill.Entity.ID, Amount: cents, Takes: []Take{{Cycle: of.Bill.Cycle, OrderNo: o.OrderNo, EntityID: of.Bill.Entity.ID, Issued: true, Free: out.Free, Asked: cents, Unpaid: of.Unpaid}}}
	for _, g := range (guards{noArrears, amountFree}) {
		if !g.Holds(f, sc, now) {
			out.Why = append(out.Why, fault.Conflict(g.Code, g.Args(f, now)))
		}
	}
	return out
}

// payable cuts to the currency's minor unit, as the bill does: parts never sum to more than the whole.
func payable(a money.Amount, currency string) money.Amount {
	kept, _ := a.TruncMinor(currency)
	return kept
}

// pick chooses the parts and with them vendor, entity and currency.
func (s *Service) pick(ctx context.Context, sc scope.Scope, r *Request, in Input) error {
	offers, err := s.offers(ctx, sc, r.ID)
	if err != nil {
		return err
	}
	byID := map[string]*Offer{}
	for i := range offers {
		byID[offers[i].Bill.ID] = &offers[i]
	}
	r.Parts, r.Amount = nil, 0
	other := map[Method]bool{MethodCycle: len(in.Orders) > 0 || in.PoolBill != "", MethodOrder: len(in.Bills) > 0 || in.PoolBill != "", MethodAmount: len(in.Bills) > 0 || len(in.Orders) > 0}
	if other[in.Method] {
		return fault.Invalid("invoice.choice_mixed", nil)
	}
	switch in.Method {
	case MethodCycle:
		err = pickBills(r, byID, in.Bills)
	case MethodOrder:
		err = s.pickOrders(ctx, sc, r, byID, in.Orders)
	case MethodAmount:
		err = pickAmount(r, offers, byID[in.PoolBill], in.Amount)
	}
	if err != nil {
		return err
	}
	if len(r.Parts) > MaxParts {
		return fault.Invalid("invoice.too_many", fault.Args{"limit": MaxParts})
	}
	first := byID[r.Parts[0].BillID]
	r.VendorID, r.IssuerID, r.EntityID, r.Currency = first.Bill.Vendor.ID, first.Bill.Vendor.ID, first.Bill.Entity.ID, first.Bill.Currency
	for i := range r.Parts {
		p := &r.Parts[i]
		d := &byID[p.BillID].Bill
		if d.Vendor.ID != r.VendorID || d.Currency != r.Currency {
			return fault.Invalid("invoice.currencies_mixed", nil)
		}
		p.Cycle, p.BillDue = d.Cycle, d.Due
		if r.Amount, err = r.Amount.Add(p.Amount); err != nil {
			return err
		}
	}
	return nil
}

// pickBills takes all that is left of each bill; one of which nothing is left keeps its place, so that the check
// names it.
func pickBills(r *Request, byID map[string]*Offer, bills []string) error {
	bills = slices.Compact(slices.Sorted(slices.Values(bills)))
	for _, billID := range bills {
		o := byID[billID]
		if o == nil {
			return fault.NotFound("invoice.bill_unknown", nil)
		}
		r.Parts = append(r.Parts, Part{BillID: billID, Amount: max(o.Free, 0)})
	}
	return someChosen(r)
}

func someChosen(r *Request) error {
	if len(r.Parts) == 0 {
		return fault.Invalid("invoice.nothing_chosen", nil)
	}
	return nil
}

func (s *Service) pickOrders(ctx context.Context, sc scope.Scope, r *Request, byID map[string]*Offer, keys []OrderKey) error {
	slices.SortFunc(keys, func(a, b OrderKey) int { return strings.Compare(a.BillID+" "+a.OrderNo, b.BillID+" "+b.OrderNo) })
	known := map[string][]Order{}
	for _, k := range slices.Compact(keys) {
		o := byID[k.BillID]
		if o == nil || s.Orders == nil {
			return fault.NotFound("invoice.bill_unknown", nil)
		}
		if _, read := known[k.BillID]; !read {
			list, err := s.Orders.OfBill(ctx, sc, &o.Bill)
			if err != nil {
				return err
			}
			known[k.BillID] = list
		}
		at := slices.IndexFunc(known[k.BillID], func(x Order) bool { return x.OrderNo == k.OrderNo })
		if at < 0 || k.OrderNo == "" {
			return fault.NotFound("invoice.order_unknown", nil)
		}
		r.Parts = append(r.Parts, Part{BillID: k.BillID, OrderNo: k.OrderNo, Amount: payable(known[k.BillID][at].Amount, o.Bill.Currency)})
	}
	return someChosen(r)
}

// pickAmount takes an amount from the oldest bills on that can be invoiced now.
func pickAmount(r *Request, offers []Offer, pool *Offer, amount money.Amount) error {
	if pool == nil {
		return fault.Invalid("invoice.nothing_chosen", nil)
	}
	if kept := payable(amount, pool.Bill.Currency); amount <= 0 || kept != amount {
		return fault.Invalid("invoice.amount_malformed", nil)
	}
	left, free := amount, money.Amount(0)
	for i := len(offers) - 1; i >= 0; i-- {
		o := &offers[i]
		if len(o.Why) > 0 || !samePool(&o.Bill, &pool.Bill) {
			continue
		}
		free += o.Free
		if take := min(left, o.Free); take > 0 {
			r.Parts = append(r.Parts, Part{BillID: o.Bill.ID, Amount: take})
			left -= take
		}
	}
	if left > 0 {
		return fault.Invalid("invoice.amount_beyond", fault.Args{"free": free.String()})
	}
	return nil
}

// samePool tells whether two bills may stand on one invoice.
func samePool(a, b *bill.Document) bool {
	return a.Vendor.ID == b.Vendor.ID && a.Entity.ID == b.Entity.ID && a.Currency == b.Currency
}

// takes sets the parts of a request beside what there is of their bills and orders.
func (s *Service) takes(ctx context.Context, sc scope.Scope, r *Request) ([]Take, error) {
	offers, err := s.offers(ctx, sc, r.ID)
	if err != nil {
		return nil, err
	}
	held, err := s.book(ctx, r.PartnerID, r.ID)
	if err != nil {
		return nil, err
	}
	asked := map[string]money.Amount{}
	for i := range r.Parts {
		asked[r.Parts[i].BillID] += r.Parts[i].Amount
	}
	var out []Take
	for i := range r.Parts {
		p := &r.Parts[i]
		t := Take{Cycle: p.Cycle, OrderNo: p.OrderNo, EntityID: r.EntityID, Asked: p.Amount}
		if at := slices.IndexFunc(offers, func(o Offer) bool { return o.Bill.ID == p.BillID }); at >= 0 {
			o := &offers[at]
			t.Issued, t.EntityID, t.Unpaid, t.Free = true, o.Bill.Entity.ID, o.Unpaid, o.Free-(asked[p.BillID]-p.Amount)
			if p.OrderNo != "" {
				t.Free = min(t.Free, p.Amount-held.orders[[2]string{p.BillID, p.OrderNo}])
			}
		}
		out = append(out, t)
	}
	return out, nil
}
