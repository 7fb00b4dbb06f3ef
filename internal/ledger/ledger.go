// Package ledger is the books a vendor keeps of its partners' money (资金): accounts, and entries that move amounts
// between them.
//
// It owns accounts, trade types, the posting of entries, the list of a partner's movements (收支明细) and the trial
// balance. It does not own why money moves: top-ups, payments of bills, allocations and withdrawals are other
// packages, which post here inside their own transactions.
//
// Invariants: the lines of an entry sum to zero in each currency; the balance kept with an account is the sum of its
// lines, and each line tells the balance after it; an account of a partner or customer never falls below zero; one
// key is posted once; nothing that was posted is changed or removed, which triggers in the database enforce; along an
// account time never runs backwards.
//
// Spec: docs/funds.md
package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"huoban/internal/fault"
	"huoban/internal/money"
)

// Kind is what an account is for.
type Kind string

// The accounts of a partner: 充值账户, 信用账户 (its balance is what is left of the credit line), 冻结金额 (taken from
// the top-up account until something is decided), 已拨款 (what stands with one customer).
const (
	KindBalance   Kind = "balance"
	KindCredit    Kind = "credit"
	KindFrozen    Kind = "frozen"
	KindAllocated Kind = "allocated"
)

// The vendor's own accounts, which stand against those of partners and may have either sign: 银行存款, 在线支付渠道,
// 待认领汇款, 已收账款, 授信额度, 提现在途, 激励返点, 核销调整, 现金券额度.
const (
	KindBank       Kind = "bank"
	KindGateway    Kind = "gateway"
	KindSuspense   Kind = "suspense"
	KindSettled    Kind = "settled"
	KindCreditLine Kind = "credit_line"
	KindPayout     Kind = "payout"
	KindIncentive  Kind = "incentive"
	KindWriteOff   Kind = "write_off"
	KindCoupon     Kind = "coupon"
)

var (
	partnerKinds = []Kind{KindBalance, KindCredit, KindFrozen, KindAllocated}
	vendorKinds  = []Kind{KindBank, KindGateway, KindSuspense, KindSettled, KindCreditLine, KindPayout, KindIncentive, KindWriteOff, KindCoupon}
)

// Kinds lists all kinds, those of partners first.
func Kinds() []Kind { return slices.Concat(partnerKinds, vendorKinds) }

// Label is the key of the kind's name.
func (k Kind) Label() string { return "ledger.kind." + string(k) }

// APIType is the account_type of the open API; 0 for what it does not know.
func (k Kind) APIType() int { return map[Kind]int{KindBalance: 1, KindCredit: 2, KindAllocated: 8}[k] }

// Account names an account: whose books, whose money, with which customer it stands, what for and in which currency.
// PartnerID is empty for the vendor's own accounts; CustomerID is set for KindAllocated alone.
type Account struct {
	VendorID, PartnerID, CustomerID string
	Kind                            Kind
	Currency                        string
}

// Of names a partner's own account.
func Of(vendorID, partnerID string, kind Kind, currency string) Account {
	return Account{VendorID: vendorID, PartnerID: partnerID, Kind: kind, Currency: currency}
}

// Counter names an account of the vendor itself.
func Counter(vendorID string, kind Kind, currency string) Account {
	return Account{VendorID: vendorID, Kind: kind, Currency: currency}
}

// With names the account of a partner's money that stands with a customer.
func With(vendorID, partnerID, customerID, currency string) Account {
	return Account{VendorID: vendorID, PartnerID: partnerID, CustomerID: customerID, Kind: KindAllocated, Currency: currency}
}

// ID is the key of the account: the same name is the same account, whoever opens it.
func (a Account) ID() string {
	sum := sha256.Sum256([]byte(strings.Join([]string{a.VendorID, a.PartnerID, a.CustomerID, string(a.Kind), a.Currency}, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// mayOverdraw tells whether the account may fall below zero.
func (a Account) mayOverdraw() bool { return a.PartnerID == "" }

func (a Account) check() error {
	kinds := partnerKinds
	if a.PartnerID == "" {
		kinds = vendorKinds
	}
	if a.VendorID == "" || !slices.Contains(kinds, a.Kind) || (a.CustomerID != "") != (a.Kind == KindAllocated) {
		return fault.Invalid("ledger.account_malformed", fault.Args{"kind": string(a.Kind)})
	}
	if !money.KnownCurrency(a.Currency) {
		return fault.Invalid("ledger.currency_unknown", fault.Args{"currency": clip(a.Currency)})
	}
	return nil
}

// State is an account as it stands. Seq counts its lines; Line is the whole credit line of a credit account.
type State struct {
	Account
	Balance   money.Amount
	Line      money.Amount
	Seq       int64
	LastAt    time.Time
	CreatedAt time.Time
}

// Line moves an account by an amount, up when positive.
type Line struct {
	Account Account
	Amount  money.Amount
}

// Entry is one movement to be posted. Key makes it happen once per vendor; Reference is what it is about in the words
// of its own area ("bill:…"), Number what people call it (an order, a bill's code); CustomerID the customer concerned.
type Entry struct {
	VendorID   string
	Type       Type
	Detail     Detail
	Key        string
	Reference  string
	Number     string
	CustomerID string
	Memo       string
	Actor      string
	Lines      []Line
}

// Posted is an entry in the books. Again tells that its key had been posted before, and nothing moved now.
type Posted struct {
	Entry
	ID    string
	At    time.Time
	Again bool
	After []money.Amount // the balances after it, by line
}

// Limits of what is written down.
const (
	MaxLines = 202
	MaxKey   = 200
	MaxMemo  = 500
)

// Check refuses an entry that could not stand in books. Faults: ledger.type_unknown, .key_malformed, .memo_long,
// .lines_missing, .account_malformed, .account_twice, .other_vendor, .currency_unknown, .amount_zero, .unbalanced,
// money.out_of_range.
func (e *Entry) Check() error {
	if !e.Type.allows(e.Detail) {
		return fault.Invalid("ledger.type_unknown", fault.Args{"type": clip(string(e.Type)), "detail": clip(string(e.Detail))})
	}
	if e.Key == "" || len(e.Key) > MaxKey || len(e.Reference) > MaxKey || len(e.Number) > MaxKey {
		return fault.Invalid("ledger.key_malformed", fault.Args{"limit": MaxKey})
	}
	if len([]rune(e.Memo)) > MaxMemo {
		return fault.Invalid("ledger.memo_long", fault.Args{"limit": MaxMemo})
	}
	if len(e.Lines) < 2 || len(e.Lines) > MaxLines {
		return fault.Invalid("ledger.lines_missing", fault.Args{"limit": MaxLines})
	}
	sums, seen := map[string]money.Amount{}, map[Account]bool{}
	for _, l := range e.Lines {
		if err := l.Account.check(); err != nil {
			return err
		}
		switch {
		case l.Account.VendorID != e.VendorID:
			return fault.Invalid("ledger.other_vendor", nil)
		case l.Amount == 0:
			return fault.Invalid("ledger.amount_zero", nil)
		case seen[l.Account]:
			return fault.Invalid("ledger.account_twice", nil)
		}
		seen[l.Account] = true
		sum, err := sums[l.Account.Currency].Add(l.Amount)
		if err != nil {
			return err
		}
		sums[l.Account.Currency] = sum
	}
	for currency, sum := range sums {
		if sum != 0 {
			return fault.Invalid("ledger.unbalanced", fault.Args{"currency": currency, "sum": sum.String()})
		}
	}
	return nil
}

// after is the balance an account has once a line is posted. Fault: ledger.balance_short, money.out_of_range.
func (s *State) after(amount money.Amount) (money.Amount, error) {
	next, err := s.Balance.Add(amount)
	if err != nil {
		return 0, err
	}
	if amount < 0 && next < 0 && !s.mayOverdraw() {
		return 0, fault.Conflict("ledger.balance_short", fault.Args{"account": s.Kind.Label(), "available": s.Balance.String(),
			"needed": (-amount).String(), "currency": s.Currency})
	}
	return next, nil
}

// sameAs tells whether two entries say the same; the actor and words may differ.
func (e *Entry) sameAs(other *Entry) bool {
	return e.VendorID == other.VendorID && e.Type == other.Type && e.Detail == other.Detail && e.Reference == other.Reference &&
		e.CustomerID == other.CustomerID && slices.Equal(sorted(e.Lines), sorted(other.Lines))
}

func sorted(lines []Line) []Line {
	out := slices.Clone(lines)
	slices.SortFunc(out, func(a, b Line) int { return strings.Compare(a.Account.ID(), b.Account.ID()) })
	return out
}

func clip(s string) string {
	if r := []rune(strings.ToValidUTF8(s, "?")); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return strings.ToValidUTF8(s, "?")
}
