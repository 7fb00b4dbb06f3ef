package payment

import (
	"context"
	"strconv"
	"time"

	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/ledger"
	"huoban/internal/money"
	"huoban/internal/scope"
)

// Tx runs a function in one transaction; fn may be run again.
type Tx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// Ledger is the part of the books that paying needs.
type Ledger interface {
	Post(ctx context.Context, e ledger.Entry) (ledger.Posted, error)
	State(ctx context.Context, a ledger.Account) (ledger.State, error)
}

// Service collects bills and takes repayments. Told hears of a collected bill in its transaction, Low of a balance that
// fell below its threshold; both may be nil.
type Service struct {
	Store  Store
	Tx     Tx
	Ledger Ledger
	Log    flow.Log
	Audit  audit.Recorder
	Clock  clock.Clock
	Told   func(ctx context.Context, b Bill) error
	Low    func(ctx context.Context, a Alert, balance money.Amount) error
}

var system = scope.System("system")

// batch bounds how many bills one run of Collect takes.
const batch = 500

// Collect takes what is due from the balances, every bill in a transaction of its own, and gives how many it took. A
// bill is collected once; what is not covered remains as arrears.
func (s *Service) Collect(ctx context.Context) (int, error) {
	now := s.Clock.Now()
	list, err := s.Store.Ripe(ctx, cycle.Of(now, cycle.Zone), batch)
	if err != nil {
		return 0, err
	}
	n := 0
	for i := range list {
		if now.Before(list[i].DueAt()) {
			continue
		}
		if err := s.Tx.InTx(ctx, func(ctx context.Context) error { return s.collect(ctx, list[i].ID, now) }); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func (s *Service) load(ctx context.Context, billID string) (Bill, error) {
	list, err := s.Store.Bills(ctx, Filter{BillID: billID})
	if err == nil && len(list) == 0 {
		err = fault.NotFound("payment.bill_unknown", nil)
	}
	if err != nil {
		return Bill{}, err
	}
	return list[0], nil
}

func (s *Service) collect(ctx context.Context, billID string, now time.Time) error {
	b, err := s.load(ctx, billID)
	if err != nil || b.State != StateIssued { // another replica was first, or it was paid before
		return err
	}
	if err := s.begin(ctx, &b, system, now); err != nil {
		return err
	}
	taken, err := s.fromCustomers(ctx, &b)
	if err != nil {
		return err
	}
	cash := ledger.Of(b.VendorID, b.PartnerID, ledger.KindBalance, b.Currency)
	st, err := s.Ledger.State(ctx, cash)
	if err != nil {
		return err
	}
	if part := min(st.Balance, b.Remaining()-taken); part > 0 {
		if err := s.take(ctx, &b, cash, part, ledger.DetailDeduct, "auto", system); err != nil {
			return err
		}
		taken += part
	}
	do := ActionFallDue
	switch {
	case taken == b.Remaining():
		do = ActionPay
	case taken > 0:
		do = ActionPayPart
	}
	if err := s.move(ctx, system, &b, do, taken, now); err != nil {
		return err
	}
	if s.Told != nil {
		if err := s.Told(ctx, b); err != nil {
			return err
		}
	}
	return s.record(ctx, system, &b, "payment.collect", taken)
}

// begin writes the first state, in which every payment starts.
func (s *Service) begin(ctx context.Context, b *Bill, who scope.Scope, now time.Time) error {
	if b.Version > 0 {
		return nil
	}
	won, err := s.Store.Begin(ctx, *b, now)
	if err == nil && !won {
		err = flow.Lost(ctx, s.Log, Flow.Machine, b.ID)
	}
	if err != nil {
		return err
	}
	b.Version, b.State = 1, StateIssued
	return Flow.Begin(ctx, s.Log, b.ID, StateIssued, who, now, nil)
}

// fromCustomers takes what was allocated to customers for their own share of the bill.
func (s *Service) fromCustomers(ctx context.Context, b *Bill) (taken money.Amount, err error) {
	shares, err := s.Store.Shares(ctx, b.ID)
	if err != nil {
		return 0, err
	}
	for i, x := range shares {
		with := ledger.With(b.VendorID, b.PartnerID, x.CustomerID, b.Currency)
		st, err := s.Ledger.State(ctx, with)
		if err != nil {
			return taken, err
		}
		part := min(st.Balance, x.Amount, b.Remaining()-taken)
		part, _ = part.TruncMinor(b.Currency)
		if part <= 0 {
			continue
		}
		if err := s.take(ctx, b, with, part, "usage", "auto/"+strconv.Itoa(i), system); err != nil {
			return taken, err
		}
		taken += part
	}
	return taken, nil
}

// take posts one part of a payment, and passes it on where the seller is a distributor.
func (s *Service) take(ctx context.Context, b *Bill, from ledger.Account, part money.Amount, detail ledger.Detail, key string, who scope.Scope) error {
	key = b.reference() + "/" + key
	p, err := s.Ledger.Post(ctx, ledger.Entry{VendorID: b.VendorID, Type: ledger.TypeDeduct, Detail: detail, Key: key, Reference: b.reference(), Number: b.Code, CustomerID: from.CustomerID,
		Memo: string(b.Cycle), Actor: who.Login(), Lines: []ledger.Line{{Account: from, Amount: -part}, {Account: b.settled(), Amount: part}}})
	if err == nil && p.Again { // the money moved before: nothing may be counted a second time
		err = fault.Conflict("payment.repeated", nil)
	}
	if err != nil || b.SellerID == b.VendorID {
		return err
	}
	_, err = s.Ledger.Post(ctx, ledger.Entry{VendorID: b.VendorID, Type: ledger.TypeTransfer, Detail: ledger.DetailToBalance, Key: key + "/on", Reference: b.reference(), Number: b.Code,
		Memo: string(b.Cycle), Actor: who.Login(), Lines: []ledger.Line{{Account: b.settled(), Amount: -part}, {Account: ledger.Of(b.VendorID, b.SellerID, ledger.KindBalance, b.Currency), Amount: part}}})
	return err
}

func (s *Service) move(ctx context.Context, who scope.Scope, b *Bill, do Action, taken money.Amount, now time.Time) error {
	f := Facts{DueAt: b.DueAt(), Remaining: b.Remaining(), Amount: taken}
	return Flow.Fire(ctx, s.Log, flow.Move[State, Action, Facts]{Entity: b.ID, State: b.State, Version: b.Version, Do: do, Facts: f, Who: who, Now: now},
		func(ctx context.Context, to State) (bool, error) {
			b.State, b.Paid = to, b.Paid+taken
			if to == StatePaid {
				b.SettledAt = now
			}
			won, err := s.Store.Set(ctx, *b, now)
			b.Version++
			return won, err
		})
}

func (s *Service) record(ctx context.Context, who scope.Scope, b *Bill, action string, taken money.Amount) error {
	return s.Audit.Record(ctx, audit.Entry{Actor: who.Login(), OrgID: b.PartnerID, Action: action, Object: "bill:" + b.Code, Outcome: audit.OutcomeDone,
		Detail: map[string]any{"cycle": string(b.Cycle), "currency": b.Currency, "paid": taken.String(), "remaining": b.Remaining().String()}})
}

// Repay pays on a bill from the partner's balance (还款). key makes it happen once; older bills of the same vendor and
// currency are paid first. Faults: payment.bill_unknown, .older_first, .amount_malformed, .more_than_due, .repeated,
// ledger.balance_short, flow.not_from_state, scope.permission_missing.
func (s *Service) Repay(ctx context.Context, sc scope.Scope, billID string, amount money.Amount, key string) (Bill, error) {
	var b Bill
	if err := sc.Require(scope.ItemFundsChange); err != nil {
		return b, err
	}
	if amount <= 0 || !amount.IsCents() {
		return b, fault.Invalid("payment.amount_malformed", nil)
	}
	err := s.Tx.InTx(ctx, func(ctx context.Context) (err error) {
		if b, err = s.load(ctx, billID); err != nil {
			return err
		}
		if sc.Side() != scope.SidePartner || b.PartnerID != sc.OrgID() {
			return fault.NotFound("payment.bill_unknown", nil)
		}
		if err := s.olderFirst(ctx, &b); err != nil {
			return err
		}
		now := s.Clock.Now()
		do := ActionPayPart
		if amount == b.Remaining() {
			do = ActionPay
		}
		f := Facts{DueAt: b.DueAt(), Remaining: b.Remaining(), Amount: amount}
		who := scope.System(sc.Login())                                  // the machine is the program's, the act is the person's
		if _, err := Flow.Decide(b.State, do, f, who, now); err != nil { // before any money moves
			return Flow.Told(ctx, s.Log, b.ID, err)
		}
		if err := s.begin(ctx, &b, who, now); err != nil {
			return err
		}
		cash := ledger.Of(b.VendorID, b.PartnerID, ledger.KindBalance, b.Currency)
		if err := s.take(ctx, &b, cash, amount, ledger.DetailWriteOff, "repay/"+key, who); err != nil {
			return err
		}
		if err := s.move(ctx, who, &b, do, amount, now); err != nil {
			return err
		}
		return s.record(ctx, sc, &b, "payment.repay", amount)
	})
	return b, err
}

func (s *Service) olderFirst(ctx context.Context, b *Bill) error {
	list, err := s.Store.Bills(ctx, Filter{VendorID: b.VendorID, PartnerID: b.PartnerID, Open: true})
	for i := range list {
		if o := &list[i]; err == nil && o.Currency == b.Currency && o.Cycle < b.Cycle && o.InArrears() {
			return fault.Conflict("payment.older_first", fault.Args{"cycle": string(o.Cycle), "amount": o.Remaining().String(), "currency": o.Currency})
		}
	}
	return err
}

// Bills lists what the actor pays or is owed, the newest first: a partner's own, a vendor's all. Fault:
// scope.permission_missing.
func (s *Service) Bills(ctx context.Context, sc scope.Scope, f Filter) ([]Bill, error) {
	switch sc.Side() {
	case scope.SideVendor:
		if err := sc.Require(scope.ItemLedgerView); err != nil {
			return nil, err
		}
		f.VendorID = sc.OrgID()
	case scope.SidePartner:
		if err := sc.Require(scope.ItemFundsView); err != nil {
			return nil, err
		}
		if f.PartnerID == "" {
			f.PartnerID = sc.OrgID()
		}
	default:
		return nil, nil
	}
	list, err := s.Store.Bills(ctx, f)
	out := make([]Bill, 0, len(list))
	for i := len(list) - 1; i >= 0; i-- {
		if sees(sc, &list[i]) {
			out = append(out, list[i])
		}
	}
	return out, err
}

// Bill is one of Bills. Faults: payment.bill_unknown, scope.permission_missing.
func (s *Service) Bill(ctx context.Context, sc scope.Scope, billID string) (Bill, error) {
	list, err := s.Bills(ctx, sc, Filter{BillID: billID})
	if err == nil && len(list) == 0 {
		err = fault.NotFound("payment.bill_unknown", nil)
	}
	if err != nil {
		return Bill{}, err
	}
	return list[0], nil
}

// Arrears is what a partner owes after collection, for rules of other packages: invoices want it paid first. vendorID
// "" = all vendors. It asks for no permission.
func (s *Service) Arrears(ctx context.Context, vendorID, partnerID string) ([]Arrears, error) {
	list, err := s.Store.Bills(ctx, Filter{VendorID: vendorID, PartnerID: partnerID, Open: true})
	return ArrearsOf(list), err
}

// CycleInArrears tells whether bills of a cycle are overdue.
func (s *Service) CycleInArrears(ctx context.Context, vendorID, partnerID string, c cycle.Cycle) (bool, error) {
	list, err := s.Store.Bills(ctx, Filter{VendorID: vendorID, PartnerID: partnerID, Open: true})
	for i := range list {
		if list[i].Cycle == c && list[i].InArrears() {
			return true, err
		}
	}
	return false, err
}

// Unpaid is what remains of a partner's overdue bills, by key of the bill. It asks for no permission.
func (s *Service) Unpaid(ctx context.Context, partnerID string) (map[string]money.Amount, error) {
	list, err := s.Store.Bills(ctx, Filter{PartnerID: partnerID, Open: true})
	out := map[string]money.Amount{}
	for i := range list {
		if list[i].InArrears() {
			out[list[i].ID] = list[i].Remaining()
		}
	}
	return out, err
}
