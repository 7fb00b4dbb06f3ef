// Package allocation moves a partner's money to its customers and resellers and back (拨款, 回收).
//
// It owns who may be given money, how much, and the check of a batch row by row; it does not own balances, which it
// moves through the ledger, nor the record of what was moved (调账记录), which the ledger reads from its entries.
// Invariants: a movement is whole or nothing and has one transaction id; only customers by resale and own resellers
// are given money, above zero and to the cent, at most what is on the top-up account; what is taken back is at most
// what is there; what stands with a customer that is no longer one by resale goes back by itself, once.
//
// Spec: sales.md §2.7.1, §2.14, open-api.md §4.7, §4.8
package allocation

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/customer"
	"huoban/internal/fault"
	"huoban/internal/id"
	"huoban/internal/ledger"
	"huoban/internal/money"
	"huoban/internal/organisation"
	"huoban/internal/scope"
)

// Limits of a batch and of what is typed.
const (
	MaxRows = 200
	MaxMemo = 200
)

// Tx runs a function in one transaction; fn may be run again.
type Tx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// Ledger is what is asked of the books.
type Ledger interface {
	Post(ctx context.Context, e ledger.Entry) (ledger.Posted, error)
	State(ctx context.Context, a ledger.Account) (ledger.State, error)
	OfPartner(ctx context.Context, partnerID string) ([]ledger.State, error)
}

// Customers is what is asked of customers.
type Customers interface {
	Directory(ctx context.Context, sc scope.Scope) ([]customer.Entry, error)
	Of(ctx context.Context, customerID string) ([]customer.Association, error)
}

// Organisations is what is asked of organisations.
type Organisations interface {
	ByID(ctx context.Context, sc scope.Scope, orgID string) (organisation.Organisation, error)
	List(ctx context.Context, sc scope.Scope) ([]organisation.Organisation, error)
	Resellers(ctx context.Context, distributorID string) ([]organisation.Organisation, error)
	VendorsOf(ctx context.Context, partner organisation.Organisation) ([]organisation.Organisation, error)
}

// Deps is what the service stands on.
type Deps struct {
	Tx            Tx
	Audit         audit.Recorder
	Clock         clock.Clock
	Ledger        Ledger
	Customers     Customers
	Organisations Organisations
	// Confirmed refuses somebody who has to prove anew who he is, inside the transaction; nil asks nobody.
	Confirmed func(ctx context.Context, sc scope.Scope) error
}

// Service moves money.
type Service struct{ Deps }

// New makes the service.
func New(d Deps) *Service { return &Service{d} }

// Target is somebody money can be given to: a customer by resale, or a reseller. Held is what stands there.
type Target struct {
	ID, Code, Name string
	Reseller       bool
	Resale         bool // of a customer: in force now
	Held           money.Amount
}

// Input is a movement as it is typed; Target is a code.
type Input struct {
	VendorID, Currency string
	Target, Amount     string
	Memo               string
	Reclaim            bool
}

// Done is a movement that was made; ID is its transaction id (事务ID).
type Done struct {
	ID     string
	Target Target
	Amount money.Amount
}

// Books is what a partner has to give, and to whom.
type Books struct {
	Free    money.Amount
	Targets []Target
}

// Books lists customers and resellers with what stands with each. Faults: scope.permission_missing, allocation.unknown.
func (s *Service) Books(ctx context.Context, sc scope.Scope, vendorID, currency string) (Books, error) {
	if err := sc.Require(scope.ItemAllocate, scope.ItemFundsView); err != nil {
		return Books{}, err
	}
	if err := s.deals(ctx, sc, vendorID); err != nil {
		return Books{}, err
	}
	free, err := s.Ledger.State(ctx, ledger.Of(vendorID, sc.OrgID(), ledger.KindBalance, currency))
	if err != nil {
		return Books{}, err
	}
	out := Books{Free: free.Balance}
	states, err := s.Ledger.OfPartner(ctx, sc.OrgID())
	if err != nil {
		return out, err
	}
	held := map[string]money.Amount{}
	for _, st := range states {
		if st.Kind == ledger.KindAllocated && st.VendorID == vendorID && st.Currency == currency {
			held[st.CustomerID] = st.Balance
		}
	}
	entries, err := s.Customers.Directory(ctx, sc)
	if err != nil {
		return out, err
	}
	now := s.Clock.Now()
	for i := range entries {
		e := &entries[i]
		resale := e.Kind == customer.KindResale && e.InForce(now)
		if e.Own(sc.OrgID()) && (resale || held[e.CustomerID] > 0 || e.InForce(now)) {
			out.Targets = append(out.Targets, Target{ID: e.CustomerID, Code: e.Customer.Code, Name: e.Customer.Name, Resale: resale, Held: held[e.CustomerID]})
		}
	}
	resellers, err := s.Organisations.Resellers(ctx, sc.OrgID())
	for _, r := range resellers {
		if !slices.Contains(sc.Resellers(), r.ID) {
			continue
		}
		st, err := s.Ledger.State(ctx, ledger.Of(vendorID, r.ID, ledger.KindBalance, currency))
		if err != nil {
			return out, err
		}
		out.Targets = append(out.Targets, Target{ID: r.ID, Code: r.Code, Name: r.Name, Reseller: true, Held: st.Balance})
	}
	return out, err
}

// deals lets an unlimited person of a partner act towards a vendor it deals with; a reseller's vendor is its
// distributor's.
func (s *Service) deals(ctx context.Context, sc scope.Scope, vendorID string) error {
	if sc.Side() != scope.SidePartner || sc.IsLimited() {
		return fault.Denied("allocation.partner_decides", nil)
	}
	self, err := s.Organisations.ByID(ctx, scope.System("system"), sc.OrgID())
	if err != nil {
		return err
	}
	vendors, err := s.Organisations.VendorsOf(ctx, self)
	if err == nil && !slices.ContainsFunc(vendors, func(v organisation.Organisation) bool { return v.ID == vendorID }) {
		err = fault.NotFound("allocation.unknown", nil)
	}
	return err
}

// AmountOf reads an amount as people type it: above zero, two decimals at most. Fault: allocation.amount_malformed.
func AmountOf(text string) (money.Amount, error) {
	text = strings.ReplaceAll(strings.TrimSpace(text), ",", "")
	if x, err := money.ParseExact(text); err == nil {
		if a, err := x.Amount(); err == nil && a > 0 && a.IsCents() && a.Exact().Equal(x) {
			return a, nil
		}
	}
	r := []rune(strings.ToValidUTF8(text, "?"))
	return 0, fault.Invalid("allocation.amount_malformed", fault.Args{"value": string(r[:min(len(r), 40)])})
}

// judge finds the target of an input and refuses what may not be. b is what stands, and is moved along, so that the
// rows of a batch are judged one after the other.
func (b *Books) judge(in *Input) (int, money.Amount, error) {
	i := slices.IndexFunc(b.Targets, func(t Target) bool { return strings.EqualFold(t.Code, strings.TrimSpace(in.Target)) })
	if i < 0 {
		return 0, 0, fault.Invalid("allocation.target_unknown", nil)
	}
	t := &b.Targets[i]
	amount, err := AmountOf(in.Amount)
	switch {
	case err != nil:
		return i, 0, err
	case utf8.RuneCountInString(in.Memo) > MaxMemo:
		return i, 0, fault.Invalid("allocation.memo_long", fault.Args{"limit": MaxMemo})
	case in.Reclaim && amount > t.Held:
		return i, 0, fault.Conflict("allocation.held_short", fault.Args{"held": t.Held.String(), "currency": in.Currency})
	case in.Reclaim:
		b.Free, t.Held = b.Free+amount, t.Held-amount
		return i, amount, nil
	case !t.Reseller && !t.Resale:
		return i, 0, fault.Conflict("allocation.not_resale", nil)
	case amount > b.Free:
		return i, 0, fault.Conflict("allocation.balance_short", fault.Args{"free": b.Free.String(), "currency": in.Currency})
	}
	b.Free, t.Held = b.Free-amount, t.Held+amount
	return i, amount, nil
}

// Verdict is what would come of a row of a batch.
type Verdict struct {
	Input
	Name    string
	Amount  money.Amount
	Refusal *fault.Error // nil: it would be made
}

// Plan judges rows one after the other and does nothing. Faults: allocation.rows_missing, .rows_many, those of Books.
func (s *Service) Plan(ctx context.Context, sc scope.Scope, rows []Input) ([]Verdict, error) {
	switch {
	case len(rows) == 0:
		return nil, fault.Invalid("allocation.rows_missing", nil)
	case len(rows) > MaxRows:
		return nil, fault.Invalid("allocation.rows_many", fault.Args{"limit": MaxRows, "count": len(rows)})
	}
	b, err := s.Books(ctx, sc, rows[0].VendorID, rows[0].Currency)
	if err != nil {
		return nil, err
	}
	out := make([]Verdict, len(rows))
	for i := range rows {
		v := Verdict{Input: rows[i]}
		at, amount, err := b.judge(&rows[i])
		if err != nil {
			v.Refusal = fault.From(err)
		}
		if v.Refusal == nil || v.Refusal.Code != "allocation.target_unknown" {
			v.Name = b.Targets[at].Name
		}
		v.Amount = amount
		out[i] = v
	}
	return out, nil
}

// Move makes movements, all or none. Faults: those of Plan and of the first row that is refused, ledger.balance_short,
// those of Confirmed, scope.permission_missing.
func (s *Service) Move(ctx context.Context, sc scope.Scope, rows []Input) ([]Done, error) {
	if err := sc.Require(scope.ItemAllocate); err != nil {
		return nil, err
	}
	var out []Done
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		out = nil
		if _, err := s.Plan(ctx, sc, rows); err != nil {
			return err
		}
		b, err := s.Books(ctx, sc, rows[0].VendorID, rows[0].Currency)
		if err != nil {
			return err
		}
		for i := range rows {
			at, amount, err := b.judge(&rows[i])
			if err != nil {
				return err
			}
			d, err := s.post(ctx, sc, &rows[i], b.Targets[at], amount)
			if err != nil {
				return err
			}
			out = append(out, d)
		}
		if s.Confirmed == nil {
			return nil
		}
		return s.Confirmed(ctx, sc)
	})
	return out, err
}

func (s *Service) post(ctx context.Context, sc scope.Scope, in *Input, t Target, amount money.Amount) (Done, error) {
	kind, detail, verb, signed := ledger.TypeAllocate, ledger.DetailAllocate, "allocation.allocate", amount
	if in.Reclaim {
		kind, detail, verb, signed = ledger.TypeReclaim, ledger.DetailReclaim, "allocation.reclaim", -amount
	}
	own := ledger.Of(in.VendorID, sc.OrgID(), ledger.KindBalance, in.Currency)
	there := ledger.With(in.VendorID, sc.OrgID(), t.ID, in.Currency)
	e := ledger.Entry{VendorID: in.VendorID, Type: kind, Detail: detail, Key: "allocation/" + id.New(), Reference: "allocation:" + sc.OrgID(), Memo: strings.TrimSpace(in.Memo), Actor: sc.Login(), CustomerID: t.ID}
	if t.Reseller {
		there, e.CustomerID = ledger.Of(in.VendorID, t.ID, ledger.KindBalance, in.Currency), ""
		e.Number = t.Code
	}
	e.Lines = []ledger.Line{{Account: own, Amount: -signed}, {Account: there, Amount: signed}}
	p, err := s.Ledger.Post(ctx, e)
	if err != nil {
		return Done{}, err
	}
	return Done{p.ID, t, amount}, s.record(ctx, sc.Login(), sc.OrgID(), t.ID, verb, p.ID, in.Currency, amount)
}

// record writes one line for each side.
func (s *Service) record(ctx context.Context, login, partnerID, targetID, verb, entryID, currency string, amount money.Amount) error {
	return audit.RecordFor(ctx, s.Audit, audit.Entry{Actor: login, Action: verb, Object: "ledger_entry:" + entryID, Outcome: audit.OutcomeDone,
		Detail: map[string]any{"partner": partnerID, "target": targetID, "amount": amount.String(), "currency": currency}}, partnerID, targetID)
}

// Sweep brings back what stands with customers that are no longer a partner's by resale (解绑回收), and tells how many
// accounts that were. Done again it finds nothing.
func (s *Service) Sweep(ctx context.Context) (n int, err error) {
	orgs, err := s.Organisations.List(ctx, scope.System("system"))
	if err != nil {
		return 0, err
	}
	for _, o := range orgs {
		if !o.Kind.IsPartner() {
			continue
		}
		states, err := s.Ledger.OfPartner(ctx, o.ID)
		if err != nil {
			return n, err
		}
		for _, st := range states {
			if st.Kind != ledger.KindAllocated || st.Balance <= 0 {
				continue
			}
			back, err := s.unbind(ctx, st.Account)
			if err != nil {
				return n, err
			}
			if back {
				n++
			}
		}
	}
	return n, nil
}

// unbind brings one account back, if its customer is no longer the partner's by resale.
func (s *Service) unbind(ctx context.Context, a ledger.Account) (back bool, err error) {
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		back = false
		all, err := s.Customers.Of(ctx, a.CustomerID)
		if err != nil {
			return err
		}
		now := s.Clock.Now()
		if slices.ContainsFunc(all, func(x customer.Association) bool {
			return x.PartnerID == a.PartnerID && x.Kind == customer.KindResale && x.InForce(now)
		}) {
			return nil
		}
		st, err := s.Ledger.State(ctx, a)
		if err != nil || st.Balance <= 0 {
			return err
		}
		p, err := s.Ledger.Post(ctx, ledger.Entry{VendorID: a.VendorID, Type: ledger.TypeUnbind, Detail: ledger.DetailUnbind, Key: "allocation/unbind/" + id.New(), Reference: "allocation:" + a.PartnerID, Actor: "system", CustomerID: a.CustomerID,
			Lines: []ledger.Line{{Account: a, Amount: -st.Balance}, {Account: ledger.Of(a.VendorID, a.PartnerID, ledger.KindBalance, a.Currency), Amount: st.Balance}}})
		if err != nil {
			return err
		}
		back = true
		return s.record(ctx, "system", a.PartnerID, a.CustomerID, "allocation.unbind", p.ID, a.Currency, st.Balance)
	})
	return back, err
}
