// Package foureyes is the rule that two persons decide what is worth much (双人复核).
//
// It owns the amounts above which a kind of decision needs a second person, who may change them, and the guards
// other machines put into their rows; it does not own any decision. Invariants: without a limit of its own a kind
// always needs two persons; the sign of an amount does not matter; a change of a limit is written down with what
// stood before; the same login is one person.
//
// A machine whose entries are made by staff takes Second: whoever made the entry does not decide it where two are
// needed. A machine that staff only decides takes a state between two approvals: Alone on the row that approves at
// once, Second on the row that approves after a first approval.
//
// Spec: sales.md §5, docs/month-close.md
package foureyes

import (
	"context"
	"slices"
	"time"

	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/flow"
	"huoban/internal/money"
	"huoban/internal/scope"
)

// Kind is what is decided.
type Kind string

// The kinds: 调账, 提现, 汇款认领, 券额度, 授信.
const (
	KindAdjustment Kind = "adjustment"
	KindWithdrawal Kind = "withdrawal"
	KindClaim      Kind = "claim"
	KindQuota      Kind = "quota"
	KindCredit     Kind = "credit"
)

// Kinds in the order of the settings page.
var Kinds = []Kind{KindAdjustment, KindWithdrawal, KindClaim, KindQuota, KindCredit}

// Label is the key of the kind's name.
func (k Kind) Label() string { return "foureyes.kind." + string(k) }

// Limit is the amount up to and with which one person decides; above it two do.
type Limit struct {
	VendorID  string
	Kind      Kind
	Currency  string
	Amount    money.Amount
	ChangedBy string
	ChangedAt time.Time
	Version   int64 // 0: never set
}

// Limits are a vendor's, to be asked without another look at the store.
type Limits []Limit

// Of is the limit of a kind in a currency; ok is false where none is set and everything needs two.
func (l Limits) Of(kind Kind, currency string) (Limit, bool) {
	i := slices.IndexFunc(l, func(x Limit) bool { return x.Kind == kind && x.Currency == currency })
	if i < 0 {
		return Limit{Kind: kind, Currency: currency}, false
	}
	return l[i], true
}

// Needed tells whether an amount needs a second person.
func (l Limits) Needed(kind Kind, currency string, amount money.Exact) bool {
	limit, set := l.Of(kind, currency)
	if amount.Sign() < 0 {
		amount = amount.Neg()
	}
	return !set || amount.Cmp(limit.Amount.Exact()) > 0
}

// Case is what the guards judge: who acted first and whether a second person is needed.
type Case struct {
	First  string // login of who made the entry or approved it first; "" nobody yet
	Needed bool
}

// Second lets only another person than the first decide, where two are needed. Fault: foureyes.same_person.
func Second[F any](of func(F) Case) flow.Guard[F] {
	return flow.Guard[F]{Name: "second_person", Code: "foureyes.same_person", Kind: fault.KindDenied,
		Holds: func(f F, who scope.Scope, _ time.Time) bool {
			c := of(f)
			return !c.Needed || c.First != who.Login()
		},
		Args: func(f F, _ time.Time) fault.Args { return fault.Args{"Login": of(f).First} }}
}

// Alone refuses to decide at once what two have to decide. Fault: foureyes.two_needed.
func Alone[F any](of func(F) Case) flow.Guard[F] {
	return flow.Guard[F]{Name: "one_person", Code: "foureyes.two_needed",
		Holds: func(f F, _ scope.Scope, _ time.Time) bool { return !of(f).Needed }}
}

// Store keeps limits.
type Store interface {
	Limits(ctx context.Context, vendorID string) ([]Limit, error)
	// SaveLimit writes a limit if the stored version is as given; 0 = there is none.
	SaveLimit(ctx context.Context, l Limit, version int64) (bool, error)
}

// Tx runs a function in one transaction; fn may be run again.
type Tx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// Service reads and changes limits.
type Service struct {
	Tx    Tx
	Store Store
	Audit audit.Recorder
	Clock clock.Clock
}

// Of gives the limits of a vendor, for the program's own decisions.
func (s *Service) Of(ctx context.Context, vendorID string) (Limits, error) {
	return s.Store.Limits(ctx, vendorID)
}

// List gives the limits of the actor's vendor. Fault: scope.permission_missing.
func (s *Service) List(ctx context.Context, sc scope.Scope) (Limits, error) {
	if err := sc.Require(scope.ItemLimitView, scope.ItemLimitChange); err != nil {
		return nil, err
	}
	return s.Store.Limits(ctx, sc.OrgID())
}

// SetInput is a change of one limit, made on a page that showed Version.
type SetInput struct {
	Kind     Kind
	Currency string
	Amount   string
	Version  int64
}

// Set changes a limit of the actor's vendor; the same amount again changes nothing. Faults:
// foureyes.kind_unknown, .currency_unknown, .amount_malformed, .changed_meanwhile, scope.permission_missing.
func (s *Service) Set(ctx context.Context, sc scope.Scope, in SetInput) (Limit, error) {
	if err := sc.Require(scope.ItemLimitChange); err != nil {
		return Limit{}, err
	}
	if !slices.Contains(Kinds, in.Kind) {
		return Limit{}, fault.Invalid("foureyes.kind_unknown", nil)
	}
	if !money.KnownCurrency(in.Currency) {
		return Limit{}, fault.Invalid("foureyes.currency_unknown", fault.Args{"currency": in.Currency})
	}
	exact, err := money.ParseExact(in.Amount)
	if err != nil || exact.Sign() < 0 {
		return Limit{}, fault.Invalid("foureyes.amount_malformed", fault.Args{"amount": in.Amount})
	}
	amount, err := exact.Amount()
	if err != nil || !amount.IsCents() {
		return Limit{}, fault.Invalid("foureyes.amount_malformed", fault.Args{"amount": in.Amount})
	}
	var out Limit
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		all, err := s.Store.Limits(ctx, sc.OrgID())
		if err != nil {
			return err
		}
		was, set := Limits(all).Of(in.Kind, in.Currency)
		if set && was.Amount == amount {
			out = was
			return nil
		}
		meanwhile := fault.Conflict("foureyes.changed_meanwhile", fault.Args{"by": was.ChangedBy, "at": was.ChangedAt.In(cycle.Zone).Format("2006-01-02 15:04:05"), "amount": was.Amount.String()})
		if was.Version != in.Version {
			return meanwhile
		}
		out = Limit{VendorID: sc.OrgID(), Kind: in.Kind, Currency: in.Currency, Amount: amount, ChangedBy: sc.Login(), ChangedAt: s.Clock.Now(), Version: was.Version + 1}
		won, err := s.Store.SaveLimit(ctx, out, was.Version)
		if err != nil {
			return err
		}
		if !won {
			return meanwhile
		}
		detail := map[string]any{"kind": string(in.Kind), "currency": in.Currency, "to": amount.String()}
		if set {
			detail["from"] = was.Amount.String()
		}
		return s.Audit.Record(ctx, audit.Entry{Actor: sc.Login(), OrgID: sc.OrgID(), Action: "limit.set", Object: "limit:" + string(in.Kind) + "/" + in.Currency, Detail: detail})
	})
	return out, err
}
