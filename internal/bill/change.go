package bill

import (
	"cmp"
	"math/big"
	"slices"
	"strings"

	"huoban/internal/money"
	"huoban/internal/price"
	"huoban/internal/usage"
)

// ReasonKind says why more or less is due than the month before.
type ReasonKind string

// The reasons, in the order they are told.
const (
	ReasonNewCustomers  ReasonKind = "new_customers"  // consumed now and not before
	ReasonLostCustomers ReasonKind = "lost_customers" // consumed before and not now
	ReasonUsage         ReasonKind = "usage"          // base change × factor before
	ReasonPrice         ReasonKind = "price"          // what another factor makes of the same base
	ReasonRefunds       ReasonKind = "refunds"
	ReasonAdjustments   ReasonKind = "adjustments"
	ReasonCoupons       ReasonKind = "coupons"
	ReasonTax           ReasonKind = "tax" // where tax is due with the bill
	ReasonRounding      ReasonKind = "rounding"
	ReasonOthers        ReasonKind = "others" // the smallest, folded
)

var reasonOrder = []ReasonKind{ReasonNewCustomers, ReasonLostCustomers, ReasonUsage, ReasonPrice, ReasonRefunds,
	ReasonAdjustments, ReasonCoupons, ReasonTax, ReasonRounding, ReasonOthers}

// MaxReasons is how many reasons a change has at most.
const MaxReasons = 7

// Reason is a part of the difference between two bills. Amount has at most eight decimals.
type Reason struct {
	Kind   ReasonKind
	Amount money.Exact
	From   []Contributor // the largest first; none for rounding
	Of     []ReasonKind  // what others folds
}

// Contributor is a customer, and for usage and price a product, that a reason comes from.
type Contributor struct {
	Customer Party
	Product  string
	Amount   money.Exact
}

// Change explains in at most MaxReasons reasons why more or less is due on one bill than on another;
// they sum exactly to now.Due − old.Due. A nil bill is one of nothing. A reason of zero is left out.
func Change(old, now *Document) []Reason {
	if old == nil {
		old = &Document{}
	}
	if now == nil {
		now = &Document{}
	}
	c := change{}
	c.consumption(old, now)
	for kind, reason := range map[usage.Kind]ReasonKind{usage.KindRefund: ReasonRefunds, usage.KindAdjustment: ReasonAdjustments, KindCoupon: ReasonCoupons} {
		c.kind(reason, kind, old, -1)
		c.kind(reason, kind, now, 1)
	}
	if old.TaxInDue {
		c.kind(ReasonTax, usage.KindTax, old, -1)
	}
	if now.TaxInDue {
		c.kind(ReasonTax, usage.KindTax, now, 1)
	}
	c.add(ReasonRounding, Contributor{Amount: cut(now).Sub(cut(old))})
	return c.reasons()
}

// cut is what rounding, and the floor at nothing, make of the total.
func cut(d *Document) money.Exact { return d.Due.Exact().Sub(d.Total().Exact()) }

type contributorKey struct{ customer, product string }

// change gathers contributors by reason.
type change map[ReasonKind]map[contributorKey]*Contributor

func (c change) add(kind ReasonKind, part Contributor) {
	if c[kind] == nil {
		c[kind] = map[contributorKey]*Contributor{}
	}
	k := contributorKey{part.Customer.ID, part.Product}
	if have := c[kind][k]; have != nil {
		have.Amount = have.Amount.Add(part.Amount)
		return
	}
	c[kind][k] = &part
}

func (c change) kind(reason ReasonKind, kind usage.Kind, d *Document, sign int) {
	for i := range d.Items {
		if it := &d.Items[i]; it.Kind == kind {
			amount := it.Amount.Exact()
			if sign < 0 {
				amount = amount.Neg()
			}
			c.add(reason, Contributor{Customer: it.Customer, Amount: amount})
		}
	}
}

// volumeKey is what has one price at a time: the lines of a customer that a rule's dimensions tell apart.
type volumeKey struct {
	customer, provider, product, region string
	mode                                usage.ChargingMode
}

// volume is the consumption of a key on one bill. weight is Σ|base|, weighted Σ|base| × factor, so
// that their quotient lies between the factors used whatever the signs.
type volume struct {
	customer                           Party
	column                             price.Base
	mixed                              bool // several base columns
	base, source, amount               money.Exact
	weight, weighted                   money.Exact
	sourceWeight, amountWeight, factor money.Exact
	factors                            int // different ones
}

func abs(x money.Exact) money.Exact {
	if x.Sign() < 0 {
		return x.Neg()
	}
	return x
}

func volumes(d *Document) (map[volumeKey]*volume, map[string]bool) {
	out, customers := map[volumeKey]*volume{}, map[string]bool{}
	for i := range d.Items {
		it := &d.Items[i]
		if it.Kind != usage.KindConsumption {
			continue
		}
		customers[it.Customer.ID] = true
		k := volumeKey{it.Customer.ID, it.Provider, it.Product, it.Region, it.Mode}
		v := out[k]
		if v == nil {
			v = &volume{customer: it.Customer, column: it.Base, factor: it.Factor, factors: 1}
			out[k] = v
		}
		if !v.factor.Equal(it.Factor) {
			v.factors++
		}
		v.mixed = v.mixed || v.column != it.Base
		v.base, v.source, v.amount = v.base.Add(it.BaseExact), v.source.Add(it.SourceExact), v.amount.Add(it.Amount.Exact())
		weight := abs(it.BaseExact)
		v.weight, v.weighted = v.weight.Add(weight), v.weighted.Add(weight.Mul(it.Factor))
		v.sourceWeight, v.amountWeight = v.sourceWeight.Add(abs(it.SourceExact)), v.amountWeight.Add(abs(it.Amount.Exact()))
	}
	return out, customers
}

func (c change) consumption(old, now *Document) {
	before, had := volumes(old)
	after, have := volumes(now)
	for k, n := range after {
		o := before[k]
		switch {
		case !had[k.customer]:
			c.add(ReasonNewCustomers, Contributor{Customer: n.customer, Amount: n.amount})
		case o == nil:
			c.add(ReasonUsage, Contributor{n.customer, k.product, n.amount})
		default:
			used, priced := split(o, n)
			c.add(ReasonUsage, Contributor{n.customer, k.product, used})
			c.add(ReasonPrice, Contributor{n.customer, k.product, priced})
		}
	}
	for k, o := range before {
		switch {
		case !have[k.customer]:
			c.add(ReasonLostCustomers, Contributor{Customer: o.customer, Amount: o.amount.Neg()})
		case after[k] == nil:
			c.add(ReasonUsage, Contributor{o.customer, k.product, o.amount.Neg()})
		}
	}
}

// split divides the change of a key: the change of its base at the factor before is usage, the rest
// is price. Where the base columns differ their amounts cannot be compared, and the billed ones stand
// in with what was paid per unit of them.
func split(o, n *volume) (used, priced money.Exact) {
	diff := n.amount.Sub(o.amount)
	if o.factors == 1 && n.factors == 1 && o.factor.Equal(n.factor) && o.column == n.column && !o.mixed && !n.mixed {
		return diff, money.Exact{}
	}
	base, of, per := n.base.Sub(o.base), o.weighted, o.weight
	if o.mixed || n.mixed || o.column != n.column {
		base, of, per = n.source.Sub(o.source), o.amountWeight, o.sourceWeight
	}
	if per.IsZero() {
		return diff, money.Exact{}
	}
	r := rat(base)
	r.Mul(r, rat(of)).Quo(r, rat(per))
	used = money.MustExact(r.FloatString(8))
	return used, diff.Sub(used)
}

func rat(x money.Exact) *big.Rat {
	r, _ := new(big.Rat).SetString(x.String()) // an Exact writes itself as a plain number
	return r
}

func (c change) reasons() []Reason {
	var out []Reason
	for _, kind := range reasonOrder {
		r := Reason{Kind: kind}
		for _, p := range c[kind] {
			r.Amount = r.Amount.Add(p.Amount)
			if p.Customer.ID+p.Product != "" && !p.Amount.IsZero() {
				r.From = append(r.From, *p)
			}
		}
		if r.Amount.IsZero() && len(r.From) == 0 {
			continue
		}
		sortContributors(r.From)
		out = append(out, r)
	}
	out = slices.DeleteFunc(out, func(r Reason) bool { return r.Amount.IsZero() })
	if len(out) <= MaxReasons {
		return out
	}
	return fold(out)
}

// fold keeps the largest reasons in their order and sums the rest into others.
func fold(all []Reason) []Reason {
	bySize := slices.Clone(all)
	slices.SortStableFunc(bySize, func(a, b Reason) int { return abs(b.Amount).Cmp(abs(a.Amount)) })
	rest := Reason{Kind: ReasonOthers}
	for _, r := range bySize[MaxReasons-1:] {
		rest.Amount = rest.Amount.Add(r.Amount)
		rest.From, rest.Of = append(rest.From, r.From...), append(rest.Of, r.Kind)
	}
	sortContributors(rest.From)
	out := slices.DeleteFunc(slices.Clone(all), func(r Reason) bool { return slices.Contains(rest.Of, r.Kind) })
	if rest.Amount.IsZero() {
		return out
	}
	return append(out, rest)
}

func sortContributors(list []Contributor) {
	slices.SortFunc(list, func(a, b Contributor) int {
		return cmp.Or(abs(b.Amount).Cmp(abs(a.Amount)), strings.Compare(a.Customer.Code, b.Customer.Code), strings.Compare(a.Product, b.Product),
			a.Amount.Cmp(b.Amount))
	})
}
