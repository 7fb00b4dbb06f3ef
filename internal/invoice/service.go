package invoice

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"huoban/internal/audit"
	"huoban/internal/bill"
	"huoban/internal/clock"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/id"
	"huoban/internal/money"
	"huoban/internal/scope"
)

// Deps is what the service stands on. Arrears, Refunds and Orders may be nil.
type Deps struct {
	Store         Store
	Tx            Tx
	Bills         Bills
	Arrears       Arrears
	Refunds       Refunds
	Orders        Orders
	Organisations Organisations
	People        People
	Bell          Bell
	Log           flow.Log
	Audit         audit.Recorder
	Clock         clock.Clock
}

// Service is what pages ask.
type Service struct{ Deps }

// New makes the service.
func New(d Deps) *Service { return &Service{d} }

// see refuses who may not look at invoices at all: 客户经理 of a partner see single customers, never its invoices.
func see(sc scope.Scope) error {
	switch sc.Side() {
	case scope.SideSystem:
		return nil
	case scope.SidePartner:
		if sc.IsLimited() {
			return fault.Denied("scope.permission_missing", fault.Args{"item": string(scope.ItemInvoiceView)})
		}
		return sc.Require(scope.ItemInvoiceView)
	}
	return sc.Require(scope.ItemInvoiceReviewView)
}

// ask refuses who may not ask for invoices.
func ask(sc scope.Scope) error {
	if sc.Side() != scope.SidePartner || sc.IsLimited() {
		return fault.Denied("scope.permission_missing", fault.Args{"item": string(scope.ItemInvoiceRequest)})
	}
	return sc.Require(scope.ItemInvoiceRequest)
}

// List are the requests in sight, the newest first: a partner's own, or those made to a vendor, which has no drafts.
// Fault: scope.permission_missing.
func (s *Service) List(ctx context.Context, sc scope.Scope) ([]Request, error) {
	if err := see(sc); err != nil {
		return nil, err
	}
	switch sc.Side() {
	case scope.SidePartner:
		return s.Store.OfPartner(ctx, sc.OrgID())
	case scope.SideVendor:
		return s.Store.OfVendor(ctx, sc.OrgID())
	}
	return nil, nil
}

// Find is one of List. Faults: invoice.unknown, scope.permission_missing.
func (s *Service) Find(ctx context.Context, sc scope.Scope, requestID string) (Request, error) {
	if err := see(sc); err != nil {
		return Request{}, err
	}
	r, err := s.Store.ByID(ctx, sc, requestID)
	if err == nil && r.State == StateDeleted {
		return Request{}, fault.NotFound("invoice.unknown", nil)
	}
	return r, err
}

// Offer is an issued bill and what of it may be invoiced.
type Offer struct {
	Bill   bill.Document
	Held   money.Amount
	Free   money.Amount
	Unpaid money.Amount
	Opens  time.Time
	Why    []*fault.Error // why it cannot be invoiced now; empty = it can
}

// Offers are the issued bills a vendor sold to the acting partner, the newest first; one that is due nothing is left
// out. Faults: scope.permission_missing.
func (s *Service) Offers(ctx context.Context, sc scope.Scope) ([]Offer, error) {
	if err := see(sc); err != nil || sc.Side() != scope.SidePartner {
		return nil, err
	}
	return s.offers(ctx, sc, "")
}

func (s *Service) offers(ctx context.Context, sc scope.Scope, besides string) ([]Offer, error) {
	docs, err := s.bills(ctx, sc)
	if err != nil {
		return nil, err
	}
	book, err := s.book(ctx, sc.OrgID(), besides)
	if err != nil {
		return nil, err
	}
	var out []Offer
	for i := range docs {
		d := &docs[i]
		if d.Due <= 0 {
			continue
		}
		o := Offer{Bill: *d, Held: book.held[d.ID], Free: d.Due - book.held[d.ID], Unpaid: book.unpaid[d.ID], Opens: OpensAt(d.Cycle)}
		o.Why = s.why(sc, Take{Cycle: d.Cycle, EntityID: d.Entity.ID, Issued: true, Free: o.Free, Asked: o.Free, Unpaid: o.Unpaid}, guards{noArrears, afterThird, amountFree})
		out = append(out, o)
	}
	slices.SortStableFunc(out, func(a, b Offer) int { return strings.Compare(string(b.Bill.Cycle), string(a.Bill.Cycle)) })
	return out, nil
}

// bills are the partner's issued bills from a vendor itself: what it owes a distributor the distributor invoices.
func (s *Service) bills(ctx context.Context, sc scope.Scope) ([]bill.Document, error) {
	docs, err := s.Bills.List(ctx, sc, bill.Filter{PartnerID: sc.OrgID()})
	return slices.DeleteFunc(docs, func(d bill.Document) bool {
		return d.State != bill.StateIssued || d.Seller.ID != d.Vendor.ID || d.Partner.ID != sc.OrgID()
	}), err
}

// book is what requests hold and what is unpaid, by bill.
type book struct {
	held   map[string]money.Amount
	orders map[[2]string]money.Amount
	// customers is what parts and orders of a customer hold of a bill, whole what parts of its cycle alone do.
	customers, whole map[[2]string]money.Amount
	unpaid           map[string]money.Amount
}

func (s *Service) book(ctx context.Context, partnerID, besides string) (*book, error) {
	b := &book{held: map[string]money.Amount{}, orders: map[[2]string]money.Amount{}, customers: map[[2]string]money.Amount{}, whole: map[[2]string]money.Amount{}}
	claims, err := s.Store.Claims(ctx, partnerID, besides)
	if err != nil {
		return nil, err
	}
	for _, c := range claims {
		b.held[c.BillID] += c.Amount
		if c.OrderNo != "" {
			b.orders[[2]string{c.BillID, c.OrderNo}] += c.Amount
		}
		if key := [2]string{c.BillID, c.CustomerID}; c.CustomerID != "" {
			b.customers[key] += c.Amount
			if c.OrderNo == "" {
				b.whole[key] += c.Amount
			}
		}
	}
	if s.Arrears != nil {
		b.unpaid, err = s.Arrears.Unpaid(ctx, partnerID)
	}
	return b, err
}

// Input is what a partner asks for. Bills and Customers are the bills of MethodCycle, whole or a customer's part of
// them, Orders those of MethodOrder, and Amount,
// Vendor, Entity and Currency what MethodAmount takes from the oldest bills on.
type Input struct {
	Method    Method
	Bills     []string
	Customers []CustomerKey
	Orders    []OrderKey
	Amount    money.Amount
	PoolBill  string // any bill of the vendor, entity and currency the amount is taken from
	Kind      Kind
	Medium    Medium
	AddressID string
	Email     string
	Remark    string
	CourierOK bool
}

// Draft keeps what is asked for, to be looked at before it is submitted; nothing is held yet. Faults:
// invoice.method_unknown, .kind_unknown, .choice_mixed, .nothing_chosen, .too_many, .bill_unknown, .order_unknown,
// .customer_unknown, .currencies_mixed, .amount_malformed, .amount_beyond, .email_malformed, .remark_malformed, .address_unknown,
// scope.permission_missing.
func (s *Service) Draft(ctx context.Context, sc scope.Scope, in Input) (Request, error) {
	if err := ask(sc); err != nil {
		return Request{}, err
	}
	var r Request
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		r = Request{ID: id.New(), PartnerID: sc.OrgID(), Issuer: IssuerVendor, State: StateDraft, Version: 1, PersonID: sc.PersonID(), Login: sc.Login(), CreatedAt: s.Clock.Now()}
		r.ChangedAt = r.CreatedAt
		if err := s.fill(ctx, sc, &r, in); err != nil {
			return err
		}
		if err := s.number(ctx, &r); err != nil {
			return err
		}
		if err := s.Store.Insert(ctx, r); err != nil {
			return err
		}
		if err := Flow.Begin(ctx, s.Log, r.ID, r.State, sc, r.CreatedAt, nil); err != nil {
			return err
		}
		return s.record(ctx, sc, &r, "invoice.draft", nil)
	})
	return r, err
}

// Preview are the parts an input would take now, with nothing kept. Faults: those of Draft about what is chosen.
func (s *Service) Preview(ctx context.Context, sc scope.Scope, in Input) ([]Part, error) {
	if err := ask(sc); err != nil {
		return nil, err
	}
	r := Request{PartnerID: sc.OrgID()}
	err := s.pick(ctx, sc, &r, in)
	return r.Parts, err
}

// Amend changes what is asked for, while nothing is held. Faults: those of Draft, invoice.unknown,
// .not_amendable, flow.changed_meanwhile.
func (s *Service) Amend(ctx context.Context, sc scope.Scope, requestID string, in Input) (Request, error) {
	if err := ask(sc); err != nil {
		return Request{}, err
	}
	var r Request
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		was, err := s.Find(ctx, sc, requestID)
		if err != nil {
			return err
		}
		if !was.State.Amendable() {
			return fault.Conflict("invoice.not_amendable", fault.Args{"state": "invoice.state." + string(was.State)})
		}
		r = was
		r.ChangedAt = s.Clock.Now()
		if err := s.fill(ctx, sc, &r, in); err != nil {
			return err
		}
		if r.VendorID != was.VendorID { // numbers are the vendor's
			if err := s.number(ctx, &r); err != nil {
				return err
			}
		}
		won, err := s.Store.Set(ctx, r, was.State, was.Version)
		if err != nil {
			return err
		}
		if !won {
			return flow.Lost(ctx, s.Log, Flow.Machine, r.ID)
		}
		r.Version++
		if err := s.Store.SetParts(ctx, r.ID, r.Parts); err != nil {
			return err
		}
		return s.record(ctx, sc, &r, "invoice.amend", nil)
	})
	return r, err
}

// Amendable tells whether what is asked for may be changed in the state.
func (s State) Amendable() bool { return s == StateDraft || s == StateRefused || s == StateCancelled }

// fill puts the input into a request and picks its parts.
func (s *Service) fill(ctx context.Context, sc scope.Scope, r *Request, in Input) error {
	r.Method, r.Kind, r.Medium, r.CourierOK = in.Method, in.Kind, in.Medium, in.CourierOK
	r.Email, r.Remark = strings.TrimSpace(in.Email), strings.TrimSpace(in.Remark)
	switch {
	case !slices.Contains(Methods, in.Method):
		return fault.Invalid("invoice.method_unknown", nil)
	case in.Kind != KindOrdinary && in.Kind != KindSpecial:
		return fault.Invalid("invoice.kind_unknown", nil)
	case in.Medium != MediumPaper && !in.Medium.IsFile():
		return fault.Invalid("invoice.medium_unknown", nil)
	case r.Email != "" && !mailbox.MatchString(r.Email):
		return fault.Invalid("invoice.email_malformed", nil)
	case !text(r.Remark, 0, MaxRemark, false):
		return fault.Invalid("invoice.remark_malformed", fault.Args{"limit": MaxRemark})
	}
	r.AddressID, r.Post = "", Post{}
	if in.AddressID != "" {
		a, err := s.Store.AddressByID(ctx, sc.OrgID(), in.AddressID)
		if err != nil {
			return err
		}
		r.AddressID, r.Post = a.ID, a.Post
	}
	t, _, err := s.Store.Title(ctx, sc.OrgID())
	if err != nil {
		return err
	}
	r.Title = t
	return s.pick(ctx, sc, r, in)
}

// number gives the next of the vendor's day.
func (s *Service) number(ctx context.Context, r *Request) error {
	prefix := "IV-" + r.CreatedAt.In(cycle.Zone).Format("20060102") + "-"
	n, err := s.Store.LastSerial(ctx, r.VendorID, prefix)
	r.Number = fmt.Sprintf("%s%04d", prefix, n+1)
	return err
}

// facts gathers what the guards judge.
// basics are the facts the request says itself.
func basics(r *Request) Facts {
	return Facts{PartnerID: r.PartnerID, VendorID: r.VendorID, IssuerID: r.IssuerID, Issuer: r.Issuer, Goods: r.Goods, Method: r.Method, Kind: r.Kind, Medium: r.Medium,
		Currency: r.Currency, Amount: r.Amount, EntityID: r.EntityID, HasEmail: r.Email != "", HasPost: r.Post.Recipient != "", CourierOK: r.CourierOK,
		HasNumber: r.InvoiceNumber != "", HasTracking: r.Courier != "" && r.Tracking != "", RedConfirmed: r.RedConfirmed, TitleKind: r.Title.Kind, Missing: r.Title.Missing()}
}

func (s *Service) facts(ctx context.Context, sc scope.Scope, r *Request) (Facts, error) {
	f := basics(r)
	files, err := s.Store.Files(ctx, r.ID)
	if err != nil {
		return f, err
	}
	f.HasFile = len(files) > 0
	if !r.State.Amendable() || sc.Side() != scope.SidePartner {
		return f, nil
	}
	return f, s.chosen(ctx, sc, r, &f)
}

// chosen adds what only a submission is judged by.
func (s *Service) chosen(ctx context.Context, sc scope.Scope, r *Request, f *Facts) error {
	t, found, err := s.Store.Title(ctx, r.PartnerID)
	if err != nil {
		return err
	}
	if found {
		f.Titles, f.TitleKind, f.Missing = 1, t.Kind, t.Missing()
	}
	digital, err := s.Store.DigitalFrom(ctx, r.VendorID)
	if err != nil {
		return err
	}
	from, set := digital[r.EntityID]
	f.Digital = set && !s.Clock.Now().Before(from)
	if f.Takes, err = s.takes(ctx, sc, r); err != nil || s.Refunds == nil {
		return err
	}
	var orders []string
	for i := range r.Parts {
		if r.Parts[i].OrderNo != "" {
			orders = append(orders, r.Parts[i].OrderNo)
		}
	}
	if len(orders) > 0 {
		f.Refunds, err = s.Refunds.Open(ctx, r.PartnerID, orders)
	}
	return err
}

// Allowed lists what the actor may do, with reasons where not. What the form of an action asks for is taken as given.
func (s *Service) Allowed(ctx context.Context, sc scope.Scope, r Request) ([]flow.Button, error) {
	f, err := s.facts(ctx, sc, &r)
	if err != nil {
		return nil, err
	}
	f.HasNumber, f.HasTracking, f.RedConfirmed = true, true, true
	return Flow.Allowed(r.State, f, sc, s.Clock.Now()), nil
}

// Offered is what its partner may do with a request of a list, but for the submission, which is judged on the page of the
// request.
func (s *Service) Offered(sc scope.Scope, r *Request) []flow.Button {
	f := basics(r)
	f.RedConfirmed = true
	return slices.DeleteFunc(Flow.Allowed(r.State, f, sc, s.Clock.Now()), func(b flow.Button) bool { return b.Action == string(ActionSubmit) })
}

// History is what happened to one, the oldest first.
func (s *Service) History(ctx context.Context, requestID string) ([]flow.Change, error) {
	return s.Log.History(ctx, Flow.Machine, requestID)
}

func (s *Service) record(ctx context.Context, sc scope.Scope, r *Request, action string, more map[string]any) error {
	detail := map[string]any{"state": string(r.State), "vendor": r.VendorID, "number": r.Number, "amount": r.Amount.String(), "currency": r.Currency, "method": string(r.Method)}
	for k, v := range more {
		if v != "" {
			detail[k] = v
		}
	}
	return s.Audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: r.PartnerID, Action: action, Object: "invoice:" + r.ID, Outcome: audit.OutcomeDone, Detail: detail})
}
