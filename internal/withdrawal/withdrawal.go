// Package withdrawal gives a partner's money back to it (提现): by the way it came, to a bank account, or incentives to
// the account of the company itself.
//
// It owns the request, which money may be taken by which of the three kinds, what may be taken now and why not more,
// and the review with its payment; it does not own balances, which it moves through the ledger in its own
// transactions, nor what is invoiced. Invariants: a request is made of money that came in and is taken from no other
// request; its amount is frozen from the application on and is either paid or back on the balance at the end, once;
// the credit line and what is invoiced are never taken; where the amount needs two, two persons agreed.
//
// Spec: sales.md §2.3 提现, §3.10
package withdrawal

import (
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/money"
)

// Kind is how money goes back.
type Kind string

// The kinds: 原路提现, 银行卡提现, 激励返点提现.
const (
	KindOriginal Kind = "original"
	KindCard     Kind = "card"
	KindRebate   Kind = "rebate"
)

// Kinds in the order of the form.
var Kinds = []Kind{KindOriginal, KindCard, KindRebate}

// Label is the key of the kind's name.
func (k Kind) Label() string { return "withdrawal.kind." + string(k) }

// Way is how money came in.
type Way string

// The ways: 支付宝, 微信, 银联, 网银, 转账汇款, 交易模式变更, 激励返点.
const (
	WayAlipay    Way = "alipay"
	WayWeChat    Way = "wechat"
	WayUnionPay  Way = "unionpay"
	WayBank      Way = "bank"
	WayTransfer  Way = "transfer"
	WayTradeMode Way = "trade_mode"
	WayRebate    Way = "rebate"
)

// Label is the key of the way's name.
func (w Way) Label() string { return "withdrawal.way." + string(w) }

// How long a payment platform takes money back.
const (
	WalletMonths   = 11 // 支付宝, 微信
	UnionPayMonths = 3
)

// ComputingEntity is the contracting entity with rules of its own.
const ComputingEntity = "华为云计算技术有限公司"

// Limits of what is typed.
const (
	MaxParts = 50
	MaxMemo  = 200
	MaxName  = 100
)

// ReviewDays and PayDays are the working days a review and a payment take.
const (
	ReviewDays = 1
	PayDays    = 3
)

// Source is money that came in, by an entry of the ledger.
type Source struct {
	EntryID  string
	Number   string
	At       time.Time
	Way      Way
	EntityID string
	Entity   string // the name of the contracting entity it was paid to
	Amount   money.Amount
	Taken    money.Amount // by requests that are not undone
	Returned bool         // going back the way it came failed
}

// Left is what can still be taken of it.
func (s *Source) Left() money.Amount { return s.Amount - s.Taken }

// aged tells whether the platform it came by no longer takes it back, and after how many months that is.
func (s *Source) aged(now time.Time) (bool, int) {
	months := 0
	switch s.Way {
	case WayAlipay, WayWeChat:
		months = WalletMonths
	case WayUnionPay:
		months = UnionPayMonths
	default:
		return false, 0
	}
	return !now.Before(s.At.In(cycle.Zone).AddDate(0, months, 0)), months
}

// Fits tells why money may not go back by a kind; nil = it may. voluntary says that its owner does not want the way it
// came. Faults: withdrawal.not_rebate, .rebate_only, .way_aged (months), .original_first (months), .original_instead.
func (s *Source) Fits(k Kind, voluntary bool, now time.Time) *fault.Error {
	aged, months := s.aged(now)
	switch {
	case k == KindRebate && s.Way != WayRebate:
		return fault.Conflict("withdrawal.not_rebate", nil)
	case k != KindRebate && s.Way == WayRebate:
		return fault.Conflict("withdrawal.rebate_only", nil)
	case k == KindRebate, k == KindCard && (voluntary || s.Returned || s.Way == WayTradeMode):
		return nil
	case k == KindOriginal && s.Way == WayTradeMode:
		return fault.Conflict("withdrawal.no_way_back", nil)
	case k == KindOriginal && s.Returned:
		return fault.Conflict("withdrawal.came_back", nil)
	case k == KindOriginal && aged && s.Entity != ComputingEntity:
		return fault.Conflict("withdrawal.way_aged", fault.Args{"months": months})
	case k == KindOriginal, k == KindCard && aged && s.Entity != ComputingEntity:
		return nil
	}
	return fault.Conflict("withdrawal.original_instead", nil)
}

// Payee is the account money is paid to.
type Payee struct{ Bank, Branch, Account, Holder string }

var accountShape = regexp.MustCompile(`^[0-9]{8,30}$`)

// Check refuses what no bank would take. Faults: withdrawal.bank_missing, .branch_missing, .account_malformed,
// .holder_missing.
func (p *Payee) Check() error {
	for _, x := range []struct{ text, code string }{{p.Bank, "withdrawal.bank_missing"}, {p.Branch, "withdrawal.branch_missing"}, {p.Holder, "withdrawal.holder_missing"}} {
		if n := utf8.RuneCountInString(x.text); n == 0 || n > MaxName {
			return fault.Invalid(x.code, fault.Args{"limit": MaxName})
		}
	}
	if !accountShape.MatchString(p.Account) {
		return fault.Invalid("withdrawal.account_malformed", nil)
	}
	return nil
}

// MaskedAccount keeps the last four figures.
func (p *Payee) MaskedAccount() string {
	if len(p.Account) <= 4 {
		return p.Account
	}
	return "**** " + p.Account[len(p.Account)-4:]
}

// Part is what is taken of one source.
type Part struct {
	EntryID string
	Way     Way
	Number  string
	At      time.Time
	Amount  money.Amount
}

// Request is one withdrawal.
type Request struct {
	ID, Number, VendorID, PartnerID string
	Currency, EntityID              string
	Kind                            Kind
	Voluntary                       bool
	Amount                          money.Amount
	Payee                           Payee // empty where it goes back the way it came
	Memo                            string
	Login                           string // who applied
	State                           State
	FirstBy                         string // who agreed first, where two are needed
	Reason                          string // of a refusal or a failed payment
	Receipt                         string // what the bank calls the payment
	DueAt                           time.Time
	Version                         int64
	CreatedAt, ChangedAt            time.Time
	Parts                           []Part
}

// numberOf is what people call a request: the day, and six figures of its id.
func numberOf(id string, now time.Time) string {
	return fmt.Sprintf("TX%s%s", now.In(cycle.Zone).Format("20060102"), strings.ToUpper(id[len(id)-6:]))
}

// Take is what a form takes of a source.
type Take struct{ EntryID, Amount string }

// Input is a withdrawal as it is typed.
type Input struct {
	VendorID, Currency string
	Kind               Kind
	Voluntary          bool
	Takes              []Take
	Payee              Payee
	Memo               string
}

// normal trims what was typed and drops sources nothing is taken of.
func (in Input) normal() Input {
	p := &in.Payee
	for _, s := range []*string{&p.Bank, &p.Branch, &p.Holder, &in.Memo} {
		*s = strings.TrimSpace(*s)
	}
	p.Account = strings.Join(strings.Fields(p.Account), "")
	var takes []Take
	for _, t := range in.Takes {
		if t.Amount = strings.TrimSpace(t.Amount); t.Amount != "" && t.Amount != "0" {
			takes = append(takes, t)
		}
	}
	in.Takes = takes
	return in
}

// check judges what needs no look-up. Faults: withdrawal.kind_unknown, .nothing_taken, .too_many, .memo_long, those of
// Payee.Check.
func (in *Input) check() error {
	switch {
	case in.Kind != KindOriginal && in.Kind != KindCard && in.Kind != KindRebate:
		return fault.Invalid("withdrawal.kind_unknown", nil)
	case len(in.Takes) == 0:
		return fault.Invalid("withdrawal.nothing_taken", nil)
	case len(in.Takes) > MaxParts:
		return fault.Invalid("withdrawal.too_many", fault.Args{"limit": MaxParts})
	case utf8.RuneCountInString(in.Memo) > MaxMemo:
		return fault.Invalid("withdrawal.memo_long", fault.Args{"limit": MaxMemo})
	case in.Kind != KindOriginal:
		return in.Payee.Check()
	}
	return nil
}

// AmountOf reads an amount as people type it: above zero, two decimals at most. Fault: withdrawal.amount_malformed.
func AmountOf(text string) (money.Amount, error) {
	text = strings.ReplaceAll(strings.TrimSpace(text), ",", "")
	x, err := money.ParseExact(text)
	if err == nil {
		var a money.Amount
		if a, err = x.Amount(); err == nil && a > 0 && a.IsCents() && a.Exact().Equal(x) {
			return a, nil
		}
	}
	r := []rune(strings.ToValidUTF8(text, "?"))
	return 0, fault.Invalid("withdrawal.amount_malformed", fault.Args{"value": string(r[:min(len(r), 40)])})
}

// Standing is what a partner may take now of one vendor's books in a currency, and what keeps it from more.
type Standing struct {
	VendorID, Currency string
	Balance            money.Amount // of the top-up account
	Pending            money.Amount // frozen by requests that are under way
	Invoiced           money.Amount // of the balance: what is invoiced and would have to be returned first
	Free               money.Amount // Balance − Invoiced
	Sources            []Source
	Reached            map[Kind]money.Amount // what the sources of a kind amount to, Free at most
}

// Blocker is a reason why nothing, or not more, can be taken; Link names where it is cured.
type Blocker struct {
	Refusal *fault.Error
	Whole   bool // nothing at all can be taken
}
