package ledger

import (
	"context"
	"slices"
	"strings"
	"time"

	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/fault"
	"huoban/internal/id"
	"huoban/internal/money"
	"huoban/internal/scope"
)

// Service posts entries and reads the books. Watch hears of each account an entry moved, in its transaction, with the
// balance before; it may be nil.
type Service struct {
	Store Store
	Tx    Tx
	Audit audit.Recorder
	Clock clock.Clock
	Watch func(ctx context.Context, st State, before money.Amount) error
}

// Post writes an entry and moves its accounts, in the caller's transaction or in one of its own; accounts are opened
// when they are first named. The same key again moves nothing and gives what was posted. Who may do it is the caller's
// affair, and so is the record of the act. Faults: those of Entry.Check, ledger.balance_short, .key_reused,
// .moved_meanwhile.
func (s *Service) Post(ctx context.Context, e Entry) (Posted, error) {
	e.Memo = strings.TrimSpace(e.Memo)
	if err := e.Check(); err != nil {
		return Posted{}, err
	}
	var out Posted
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		was, found, err := s.Store.ByKey(ctx, e.VendorID, e.Key)
		if err != nil {
			return err
		}
		if found {
			if !was.sameAs(&e) {
				return fault.Conflict("ledger.key_reused", fault.Args{"key": e.Key})
			}
			out, out.Again = was, true
			return nil
		}
		out, err = s.post(ctx, e)
		return err
	})
	return out, err
}

func (s *Service) post(ctx context.Context, e Entry) (Posted, error) {
	p := Posted{Entry: e, ID: id.New(), At: s.Clock.Now()}
	p.Lines = sorted(e.Lines) // one order for all, so that two entries never wait for each other crosswise
	states := make([]State, len(p.Lines))
	for i, l := range p.Lines {
		st, err := s.open(ctx, l.Account, p.At)
		if err != nil {
			return p, err
		}
		if st.LastAt.After(p.At) {
			p.At = st.LastAt
		}
		states[i] = st
	}
	if err := s.Store.InsertEntry(ctx, p); err != nil {
		return p, err
	}
	for i, l := range p.Lines {
		st, seq := &states[i], states[i].Seq
		after, err := st.after(l.Amount)
		if err != nil {
			return p, err
		}
		st.Balance, st.Seq, st.LastAt = after, seq+1, p.At
		if moved, err := s.Store.Move(ctx, *st, seq); err != nil || !moved {
			return p, orMoved(err)
		}
		if err := s.Store.InsertLine(ctx, p, i+1, *st); err != nil {
			return p, err
		}
		p.After = append(p.After, after)
	}
	return p, s.told(ctx, &p, states)
}

func (s *Service) told(ctx context.Context, p *Posted, states []State) error {
	if s.Watch == nil {
		return nil
	}
	for i := range states {
		if err := s.Watch(ctx, states[i], states[i].Balance-p.Lines[i].Amount); err != nil {
			return err
		}
	}
	return nil
}

func orMoved(err error) error {
	if err == nil {
		err = fault.Conflict("ledger.moved_meanwhile", nil)
	}
	return err
}

func (s *Service) open(ctx context.Context, a Account, now time.Time) (State, error) {
	st, found, err := s.Store.Account(ctx, a.ID())
	if err != nil || found {
		return st, err
	}
	st = State{Account: a, CreatedAt: now}
	return st, s.Store.Open(ctx, st)
}

// State reads an account; one that was never opened is empty.
func (s *Service) State(ctx context.Context, a Account) (State, error) {
	st, found, err := s.Store.Account(ctx, a.ID())
	if !found {
		st = State{Account: a}
	}
	return st, err
}

// Wallet is what a partner has in one vendor's books and currency.
type Wallet struct {
	VendorID, PartnerID, Currency string
	Balance, Credit, CreditLine   money.Amount // 充值账户, what is left of the credit line, the whole line
	Frozen, Allocated             money.Amount // 冻结金额, 已拨款 with all customers together
}

// Total is 账户余额: cash and what is left of the credit line. What was allocated is in neither.
func (w Wallet) Total() money.Amount { return w.Balance + w.Credit }

// Allocatable is 可拨款账户, which is no account but what may go to customers now: cash; the credit line is not given on.
func (w Wallet) Allocatable() money.Amount { return w.Balance }

// CreditUsed is what was taken from the credit line.
func (w Wallet) CreditUsed() money.Amount { return w.CreditLine - w.Credit }

// Wallets gathers accounts by books, partner and currency, in this order.
func Wallets(list []State) []Wallet {
	var out []Wallet
	for _, st := range list {
		if st.PartnerID == "" {
			continue
		}
		i := slices.IndexFunc(out, func(w Wallet) bool {
			return w.VendorID == st.VendorID && w.PartnerID == st.PartnerID && w.Currency == st.Currency
		})
		if i < 0 {
			i, out = len(out), append(out, Wallet{VendorID: st.VendorID, PartnerID: st.PartnerID, Currency: st.Currency})
		}
		w := &out[i]
		switch st.Kind {
		case KindBalance:
			w.Balance = st.Balance
		case KindCredit:
			w.Credit, w.CreditLine = st.Balance, st.Line
		case KindFrozen:
			w.Frozen = st.Balance
		case KindAllocated:
			w.Allocated += st.Balance
		}
	}
	return out
}

// Wallet reads one partner's in one currency, for rules of other packages. It asks for no permission.
func (s *Service) Wallet(ctx context.Context, vendorID, partnerID, currency string) (Wallet, error) {
	list, err := s.Store.Accounts(ctx, vendorID, partnerID)
	for _, w := range Wallets(list) {
		if w.Currency == currency {
			return w, err
		}
	}
	return Wallet{VendorID: vendorID, PartnerID: partnerID, Currency: currency}, err
}

// Accounts lists the accounts in sight: a partner's own and those of its resellers, a vendor's whole books, what
// stands with a customer. partnerID narrows; "" = all. Faults: scope.permission_missing, ledger.account_unknown.
func (s *Service) Accounts(ctx context.Context, sc scope.Scope, partnerID string) ([]State, error) {
	switch sc.Side() {
	case scope.SideVendor:
		if err := sc.Require(scope.ItemLedgerView); err != nil {
			return nil, err
		}
		return s.Store.Accounts(ctx, sc.OrgID(), partnerID)
	case scope.SidePartner:
		if err := sc.Require(scope.ItemFundsView); err != nil {
			return nil, err
		}
		return s.ofPartner(ctx, sc, partnerID)
	case scope.SideCustomer:
		return s.Store.OfCustomer(ctx, sc.OrgID())
	}
	return nil, unknown()
}

func unknown() error { return fault.NotFound("ledger.account_unknown", nil) }

// ofPartner reads a partner's accounts, or those of one of its resellers.
func (s *Service) ofPartner(ctx context.Context, sc scope.Scope, partnerID string) ([]State, error) {
	if partnerID == "" {
		partnerID = sc.OrgID()
	}
	if !seesPartner(sc, partnerID) {
		return nil, unknown()
	}
	return s.Store.OfPartner(ctx, partnerID)
}

func seesPartner(sc scope.Scope, partnerID string) bool {
	return partnerID == sc.OrgID() || slices.Contains(sc.Resellers(), partnerID)
}

// SetCreditLine gives a partner a credit line, or another one: 渠道经理 or 财经 of the vendor. What is used stays used,
// so a line cannot fall below it. key makes it happen once. Faults: ledger.line_malformed, .line_in_use,
// scope.permission_missing, those of Post.
func (s *Service) SetCreditLine(ctx context.Context, sc scope.Scope, partnerID, currency string, line money.Amount, memo, key string) (State, error) {
	var out State
	if sc.Side() != scope.SideSystem {
		if err := sc.Require(scope.ItemCreditChange); err != nil {
			return out, err
		}
	}
	a := Of(sc.OrgID(), partnerID, KindCredit, currency)
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		if was, found, err := s.Store.ByKey(ctx, a.VendorID, key); err != nil || found && was.Detail == DetailAdjustCredit {
			if err == nil {
				out, err = s.State(ctx, a)
			}
			return err
		}
		st, err := s.State(ctx, a)
		if err != nil {
			return err
		}
		if err := s.CheckLine(st, line); err != nil {
			return err
		}
		if line == st.Line {
			out = st
			return nil
		}
		if out, err = s.moveLine(ctx, sc, st, line, memo, key); err != nil {
			return err
		}
		return s.Audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: a.VendorID, Action: "ledger.set_credit_line", Object: "organisation:" + partnerID, Outcome: audit.OutcomeDone,
			Detail: map[string]any{"currency": currency, "before": st.Line.String(), "after": line.String(), "memo": memo}})
	})
	return out, err
}

// CheckLine refuses a line an account cannot have. Faults: ledger.account_malformed, .currency_unknown, .line_malformed,
// .line_in_use.
func (s *Service) CheckLine(st State, line money.Amount) error {
	if err := st.Account.check(); err != nil {
		return err
	}
	if line < 0 || !line.IsCents() {
		return fault.Invalid("ledger.line_malformed", nil)
	}
	if used := st.Line - st.Balance; line < used {
		return fault.Conflict("ledger.line_in_use", fault.Args{"used": used.String(), "currency": st.Currency})
	}
	return nil
}

func (s *Service) moveLine(ctx context.Context, sc scope.Scope, st State, line money.Amount, memo, key string) (State, error) {
	by := line - st.Line
	_, err := s.Post(ctx, Entry{VendorID: st.VendorID, Type: TypeAdjust, Detail: DetailAdjustCredit, Key: key, Reference: "credit_line:" + st.PartnerID, Memo: memo, Actor: sc.Login(),
		Lines: []Line{{Account: st.Account, Amount: by}, {Account: Counter(st.VendorID, KindCreditLine, st.Currency), Amount: -by}}})
	if err != nil {
		return st, err
	}
	if st, err = s.State(ctx, st.Account); err != nil {
		return st, err
	}
	if moved, err := s.Store.SetLine(ctx, st.ID(), line, st.Seq); err != nil || !moved {
		return st, orMoved(err)
	}
	st.Line = line
	return st, nil
}
