package invoice

import (
	"context"
	"maps"
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

// OrderKey names an order on a bill, CustomerKey a customer's part of one.
type (
	OrderKey    struct{ BillID, OrderNo string }
	CustomerKey struct{ BillID, CustomerID string }
)

// Order is an order (订单) as the lines of one bill carry it: what it costs there, tax apart as on the bill.
type Order struct {
	OrderNo  string
	Customer bill.Party
	Product  string
	Lines    int64
	Amount   money.Amount
}

// Share is a customer's part of one bill: all that stands there with the customer, tax apart as on the bill.
type Share struct {
	Customer bill.Party
	Lines    int64
	Amount   money.Amount
}

// OrderFilter narrows the orders of a bill: a text in number, customer or product, and a stretch of them.
type OrderFilter struct {
	Text        string
	Skip, Limit int
}

// Orders finds what an issued bill consists of: its customers, and the orders whose numbers its lines carry.
type Orders interface {
	Shares(ctx context.Context, sc scope.Scope, doc *bill.Document) ([]Share, error)
	// Page gives a stretch of the orders by customer and number, and how many there are.
	Page(ctx context.Context, sc scope.Scope, doc *bill.Document, f OrderFilter) ([]Order, int, error)
	// Some gives those of the numbers that are there.
	Some(ctx context.Context, sc scope.Scope, doc *bill.Document, numbers []string) ([]Order, error)
}

// OrderOffer is an order and what of it may be invoiced.
type OrderOffer struct {
	Order
	Bill   bill.Document
	Free   money.Amount
	Unpaid money.Amount
	Why    []*fault.Error
}

// OrderOffers are a stretch of the orders of the partner's issued bills of a cycle, and how many there are. An order is
// invoiced whole, as far as its bill still has room: what a refund took off the bill later cannot be invoiced.
// Fault: scope.permission_missing.
func (s *Service) OrderOffers(ctx context.Context, sc scope.Scope, c cycle.Cycle, f OrderFilter) ([]OrderOffer, int, error) {
	offers, held, err := s.offersOf(ctx, sc, c)
	if err != nil {
		return nil, 0, err
	}
	var out []OrderOffer
	total, skip := 0, f.Skip
	for i := range offers {
		part := OrderFilter{Text: f.Text, Skip: max(skip, 0), Limit: f.Limit - len(out)}
		list, n, err := s.Orders.Page(ctx, sc, &offers[i].Bill, part)
		if err != nil {
			return nil, 0, err
		}
		for _, o := range list {
			out = append(out, s.offerOrder(sc, &offers[i], o, held))
		}
		total, skip = total+n, skip-n
	}
	return out, total, nil
}

// offersOf are the offers of one cycle, and the book.
func (s *Service) offersOf(ctx context.Context, sc scope.Scope, c cycle.Cycle) ([]Offer, *book, error) {
	if err := see(sc); err != nil || sc.Side() != scope.SidePartner || s.Orders == nil {
		return nil, nil, err
	}
	offers, err := s.offers(ctx, sc, "")
	if err != nil {
		return nil, nil, err
	}
	held, err := s.book(ctx, sc.OrgID(), "")
	return slices.DeleteFunc(offers, func(o Offer) bool { return o.Bill.Cycle != c }), held, err
}

// free is what is left of an order: nothing where its customer's cycle is invoiced as a whole.
func (b *book) free(billID string, o *Order, cents money.Amount) money.Amount {
	if b.whole[[2]string{billID, o.Customer.ID}] > 0 {
		return 0
	}
	return cents - b.orders[[2]string{billID, o.OrderNo}]
}

func (s *Service) offerOrder(sc scope.Scope, of *Offer, o Order, held *book) OrderOffer {
	cents := payable(o.Amount, of.Bill.Currency)
	out := OrderOffer{Order: o, Bill: of.Bill, Free: min(held.free(of.Bill.ID, &o, cents), of.Free), Unpaid: of.Unpaid}
	out.Why = s.why(sc, Take{Cycle: of.Bill.Cycle, OrderNo: o.OrderNo, EntityID: of.Bill.Entity.ID, Issued: true, Free: out.Free, Asked: cents, Unpaid: of.Unpaid}, guards{noArrears, amountFree})
	return out
}

// why are the rules a single part breaks.
func (s *Service) why(sc scope.Scope, t Take, rules guards) (out []*fault.Error) {
	now := s.Clock.Now()
	f := Facts{EntityID: t.EntityID, Amount: t.Asked, Takes: []Take{t}}
	for _, g := range rules {
		if !g.Holds(f, sc, now) {
			out = append(out, fault.Conflict(g.Code, g.Args(f, now)))
		}
	}
	return out
}

// ShareOffer is a customer's part of a bill and what of it may be invoiced.
type ShareOffer struct {
	Share
	Bill bill.Document
	Free money.Amount
	Why  []*fault.Error
}

// ShareOffers are the customers of the partner's issued bills of a cycle: 客户账期. What is not above zero is left out.
// Fault: scope.permission_missing.
func (s *Service) ShareOffers(ctx context.Context, sc scope.Scope, c cycle.Cycle) ([]ShareOffer, error) {
	offers, held, err := s.offersOf(ctx, sc, c)
	if err != nil {
		return nil, err
	}
	var out []ShareOffer
	for i := range offers {
		o := &offers[i]
		list, err := s.Orders.Shares(ctx, sc, &o.Bill)
		if err != nil {
			return nil, err
		}
		for _, x := range list {
			one := ShareOffer{Share: x, Bill: o.Bill, Free: shareFree(o, &x, held)}
			one.Why = s.why(sc, Take{Cycle: o.Bill.Cycle, EntityID: o.Bill.Entity.ID, Issued: true, Free: one.Free, Asked: one.Free, Unpaid: o.Unpaid}, guards{noArrears, afterThird, amountFree})
			out = append(out, one)
		}
	}
	return out, nil
}

// shareFree is what is left of a customer's part, as far as the bill still has room.
func shareFree(of *Offer, x *Share, held *book) money.Amount {
	return max(0, min(of.Free, payable(x.Amount, of.Bill.Currency)-held.customers[[2]string{of.Bill.ID, x.Customer.ID}]))
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
	wholes := len(in.Bills) + len(in.Customers)
	other := map[Method]bool{MethodCycle: len(in.Orders) > 0 || in.PoolBill != "", MethodOrder: wholes > 0 || in.PoolBill != "", MethodAmount: wholes > 0 || len(in.Orders) > 0}
	if other[in.Method] {
		return fault.Invalid("invoice.choice_mixed", nil)
	}
	switch in.Method {
	case MethodCycle:
		err = s.pickCycles(ctx, sc, r, byID, in)
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
	for _, billID := range slices.Compact(slices.Sorted(slices.Values(bills))) {
		o := byID[billID]
		if o == nil {
			return fault.NotFound("invoice.bill_unknown", nil)
		}
		r.Parts = append(r.Parts, Part{BillID: billID, Amount: max(o.Free, 0)})
	}
	return nil
}

// pickCycles takes whole bills and customers' parts of bills.
func (s *Service) pickCycles(ctx context.Context, sc scope.Scope, r *Request, byID map[string]*Offer, in Input) error {
	if err := pickBills(r, byID, in.Bills); err != nil {
		return err
	}
	if len(in.Customers) == 0 {
		return someChosen(r)
	}
	held, err := s.book(ctx, sc.OrgID(), r.ID)
	if err != nil {
		return err
	}
	keys := slices.Clone(in.Customers)
	slices.SortFunc(keys, func(a, b CustomerKey) int {
		return strings.Compare(a.BillID+" "+a.CustomerID, b.BillID+" "+b.CustomerID)
	})
	for _, k := range slices.Compact(keys) {
		o := byID[k.BillID]
		if o == nil || s.Orders == nil {
			return fault.NotFound("invoice.bill_unknown", nil)
		}
		x, err := s.share(ctx, sc, &o.Bill, k.CustomerID)
		if err != nil {
			return err
		}
		r.Parts = append(r.Parts, Part{BillID: k.BillID, CustomerID: k.CustomerID, Amount: shareFree(o, &x, held)})
	}
	return nil
}

// share is a customer's part of a bill. Fault: invoice.customer_unknown.
func (s *Service) share(ctx context.Context, sc scope.Scope, doc *bill.Document, customerID string) (Share, error) {
	list, err := s.Orders.Shares(ctx, sc, doc)
	if err != nil {
		return Share{}, err
	}
	at := slices.IndexFunc(list, func(x Share) bool { return x.Customer.ID == customerID })
	if at < 0 || customerID == "" {
		return Share{}, fault.NotFound("invoice.customer_unknown", nil)
	}
	return list[at], nil
}

func someChosen(r *Request) error {
	if len(r.Parts) == 0 {
		return fault.Invalid("invoice.nothing_chosen", nil)
	}
	return nil
}

func (s *Service) pickOrders(ctx context.Context, sc scope.Scope, r *Request, byID map[string]*Offer, keys []OrderKey) error {
	asked := map[string][]string{}
	for _, k := range keys {
		if byID[k.BillID] == nil || s.Orders == nil {
			return fault.NotFound("invoice.bill_unknown", nil)
		}
		asked[k.BillID] = append(asked[k.BillID], k.OrderNo)
	}
	for _, billID := range slices.Sorted(maps.Keys(asked)) {
		doc := &byID[billID].Bill
		numbers := slices.Compact(slices.Sorted(slices.Values(asked[billID])))
		if len(r.Parts)+len(numbers) > MaxParts {
			return fault.Invalid("invoice.too_many", fault.Args{"limit": MaxParts})
		}
		list, err := s.Orders.Some(ctx, sc, doc, numbers)
		if err != nil {
			return err
		}
		for _, no := range numbers {
			at := slices.IndexFunc(list, func(x Order) bool { return x.OrderNo == no })
			if at < 0 || no == "" {
				return fault.NotFound("invoice.order_unknown", nil)
			}
			r.Parts = append(r.Parts, Part{BillID: billID, OrderNo: no, CustomerID: list[at].Customer.ID, Amount: payable(list[at].Amount, doc.Currency)})
		}
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
			switch {
			case p.OrderNo != "":
				t.Free = min(t.Free, held.free(p.BillID, &Order{OrderNo: p.OrderNo, Customer: bill.Party{ID: p.CustomerID}}, p.Amount))
			case p.CustomerID != "":
				x, err := s.share(ctx, sc, &o.Bill, p.CustomerID)
				if err != nil {
					return nil, err
				}
				t.Free = min(t.Free, shareFree(o, &x, held))
			}
		}
		out = append(out, t)
	}
	return out, nil
}
