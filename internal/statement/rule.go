package statement

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/price"
	"huoban/internal/sorted"
)

// Base is the amount a rule's factor is put on.
type Base string

// The bases: the customer's consumption as delivered (消费金额), or what the partner pays for it (结算成本).
const (
	BaseBilled Base = "billed"
	BaseCost   Base = "cost"
)

// Bases lists them; the first is what counts without a rule.
var Bases = []Base{BaseBilled, BaseCost}

// Rule says what a partner asks of its customers: base × factor. Customer and product are any where empty. A content
// is never changed: a change is a further version, and Seq and EndedSeq name the states of the partner's rules
// between which it is in force.
type Rule struct {
	ID         string
	PartnerID  string
	Number     int64
	Version    int64
	Seq        int64
	EndedSeq   int64 // 0 = in force
	CustomerID string
	Product    string
	Base       Base
	Factor     money.Exact
	ValidFrom  price.Date // first day, "" = always
	ValidTo    price.Date // the first day it is no longer valid, "" = for ever
	CreatedBy  string
	CreatedAt  time.Time
}

// inForce tells whether the rule is part of that state of the book.
func (r *Rule) inForce(seq int64) bool { return r.Seq <= seq && (r.EndedSeq == 0 || r.EndedSeq > seq) }

func (r *Rule) holds(day price.Date) bool {
	return (r.ValidFrom == "" || r.ValidFrom <= day) && (r.ValidTo == "" || day < r.ValidTo)
}

func (r *Rule) takes(customerID, product string) bool {
	return (r.CustomerID == "" || r.CustomerID == customerID) && (r.Product == "" || strings.EqualFold(r.Product, product))
}

// rank orders rules that take the same line: a customer's beats a product's, and both together beat either.
func (r *Rule) rank() int {
	n := 0
	if r.CustomerID != "" {
		n += 2
	}
	if r.Product != "" {
		n++
	}
	return n
}

// ties tells whether neither rule could win over the other for some line on some day.
func (r *Rule) ties(o *Rule) bool {
	return r.Number != o.Number && r.CustomerID == o.CustomerID && strings.EqualFold(r.Product, o.Product) &&
		(r.ValidTo == "" || o.ValidFrom < r.ValidTo) && (o.ValidTo == "" || r.ValidFrom < o.ValidTo)
}

func (r *Rule) same(o *Rule) bool {
	return r.CustomerID == o.CustomerID && r.Product == o.Product && r.Base == o.Base && r.Factor.Equal(o.Factor) && r.ValidFrom == o.ValidFrom && r.ValidTo == o.ValidTo
}

// Limits of a rule.
const (
	maxProduct  = 200
	maxDecimals = 8
)

var maxFactor = money.MustExact("1000")

// check refuses a rule nobody could mean. Faults: statement.base_unknown, .factor_range, .product_too_long,
// .interval_empty.
func (r *Rule) check() error {
	switch {
	case !slices.Contains(Bases, r.Base):
		return fault.Invalid("statement.base_unknown", nil)
	case r.Factor.Sign() < 0 || r.Factor.Cmp(maxFactor) > 0 || r.Factor.Scale() > maxDecimals:
		return fault.Invalid("statement.factor_range", fault.Args{"max": maxFactor.String(), "decimals": maxDecimals})
	case utf8.RuneCountInString(r.Product) > maxProduct || strings.ContainsFunc(r.Product, func(c rune) bool { return c < ' ' }):
		return fault.Invalid("statement.product_too_long", fault.Args{"max": maxProduct})
	case r.ValidFrom != "" && r.ValidTo != "" && r.ValidFrom >= r.ValidTo:
		return fault.Invalid("statement.interval_empty", nil)
	}
	return nil
}

// Book is a state of a partner's rules.
type Book struct {
	seq   int64
	rules []Rule
}

// NewBook keeps the versions that are in force at seq, by number.
func NewBook(versions []Rule, seq int64) *Book {
	b := &Book{seq: seq}
	for _, r := range versions {
		if r.inForce(seq) {
			b.rules = append(b.rules, r)
		}
	}
	sorted.By(b.rules, func(x, y Rule) int { return cmp.Compare(x.Number, y.Number) })
	return b
}

// newest is the last state the versions make.
func newest(versions []Rule) (seq int64) {
	for i := range versions {
		seq = max(seq, versions[i].Seq, versions[i].EndedSeq)
	}
	return seq
}

// Seq names the state.
func (b *Book) Seq() int64 { return b.seq }

// Rules are those in force.
func (b *Book) Rules() []Rule { return slices.Clone(b.rules) }

// Choose gives the rule of a customer's product on a day; nil where none says anything, which is billed × 1.
func (b *Book) Choose(customerID, product string, day price.Date) *Rule {
	var best *Rule
	for i := range b.rules {
		r := &b.rules[i]
		if r.takes(customerID, product) && r.holds(day) && (best == nil || r.rank() > best.rank()) {
			best = r
		}
	}
	return best
}

// turns tells whether a customer's rules change on a day after first and not after last.
func (b *Book) turns(customerID string, first, last price.Date) bool {
	for i := range b.rules {
		r := &b.rules[i]
		if r.CustomerID != "" && r.CustomerID != customerID {
			continue
		}
		for _, d := range []price.Date{r.ValidFrom, r.ValidTo} {
			if d > first && d <= last {
				return true
			}
		}
	}
	return false
}

// tie is a rule in force that the given one would tie with.
func (b *Book) tie(r *Rule) *Rule {
	for i := range b.rules {
		if b.rules[i].ties(r) {
			return &b.rules[i]
		}
	}
	return nil
}
