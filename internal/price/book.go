package price

import (
	"cmp"
	"slices"

	"huoban/internal/money"
	"huoban/internal/sorted"
	"huoban/internal/usage"
)

// Book is every rule of a vendor that is in force at one state, indexed for lookup. It is read only
// and safe for use by several readers.
type Book struct {
	vendorID string
	seq      int64
	rules    []*Rule
	byDims   map[bookKey][]*Rule
	breaks   []Date
}

type bookKey struct{ partner, customer, product string }

// NewBook takes the rules in force at seq out of rules, which may hold any versions of the vendor.
func NewBook(vendorID string, seq int64, rules []Rule) *Book {
	var live []*Rule
	for i := range rules {
		if r := &rules[i]; r.VendorID == vendorID && r.InForce(seq) {
			live = append(live, r)
		}
	}
	return index(vendorID, seq, live)
}

func index(vendorID string, seq int64, live []*Rule) *Book {
	b := &Book{vendorID: vendorID, seq: seq, rules: live, byDims: map[bookKey][]*Rule{}}
	sorted.By(b.rules, func(x, y *Rule) int { return cmp.Compare(x.Number, y.Number) })
	days := map[Date]bool{}
	for _, r := range b.rules {
		k := bookKey{r.PartnerID, r.CustomerID, fold(r.Product)}
		b.byDims[k] = append(b.byDims[k], r)
		for _, d := range []Date{r.ValidFrom, r.ValidTo} {
			if d != "" && !days[d] {
				days[d] = true
				b.breaks = append(b.breaks, d)
			}
		}
	}
	slices.Sort(b.breaks)
	return b
}

// VendorID is whose book it is.
func (b *Book) VendorID() string { return b.vendorID }

// Seq is the state of the book; what was priced with it names it.
func (b *Book) Seq() int64 { return b.seq }

// Rules are the rules of this state in order of number.
func (b *Book) Rules() []*Rule { return b.rules }

// Breaks are the days on which the answer of Resolve may change, ascending: between two of them it
// is constant for equal dimensions.
func (b *Book) Breaks() []Date { return b.breaks }

// Overlaid is the book with drafts standing in for what they would become: a draft replaces the
// active version of its number, a new number is added. The seq stays that of the base book.
func (b *Book) Overlaid(drafts []Rule) *Book {
	replaced := map[int64]bool{}
	for i := range drafts {
		replaced[drafts[i].Number] = true
	}
	var live []*Rule
	for _, r := range b.rules {
		if !replaced[r.Number] {
			live = append(live, r)
		}
	}
	for i := range drafts {
		live = append(live, &drafts[i])
	}
	return index(b.vendorID, b.seq, live)
}

// Query is one charge as a buyer sees it.
type Query struct {
	PartnerID  string // the buyer
	Reseller   bool   // the buyer is a 云经销商: only rules naming it apply
	CustomerID string
	Provider   string
	Product    string // service
	SKU        string
	Mode       usage.ChargingMode
	Region     string
	On         Date // local day of the charge start
}

// Chosen is the price of a charge. Without a rule it is billed × 1.
type Chosen struct {
	Rule   *Rule // nil: no rule
	Type   Type
	Base   Base
	Factor money.Exact
}

var one = money.MustExact("1")

// Unpriced is the price without a rule: the bill equals the file.
func Unpriced() Chosen { return Chosen{Type: TypeNormal, Base: BaseBilled, Factor: one} }

// ID, Number and Version name the rule; empty and 0 without one.
func (c Chosen) ID() string {
	if c.Rule == nil {
		return ""
	}
	return c.Rule.ID
}

// Number is the rule's number, 0 without a rule.
func (c Chosen) Number() int64 {
	if c.Rule == nil {
		return 0
	}
	return c.Rule.Number
}

// Version is the rule's version, 0 without a rule.
func (c Chosen) Version() int64 {
	if c.Rule == nil {
		return 0
	}
	return c.Rule.Version
}

// Column picks the amount the factor applies to. Where the rule's own column is absent on the line
// it is the billed amount, and fallback is true.
func (c Chosen) Column(l *usage.Line) (amount *money.Exact, used Base, fallback bool) {
	if x := l.Base(string(c.Base)); x != nil {
		return x, c.Base, false
	}
	return &l.Billed, BaseBilled, true
}

// Resolve chooses the price: highest type first, then the most named dimensions, then a product
// named by SKU over one named by service.
func (b *Book) Resolve(q Query) Chosen {
	var best *Rule
	for _, r := range b.candidates(q) {
		if b.applies(r, q) == "" && (best == nil || beats(r, best, q)) {
			best = r
		}
	}
	if best == nil {
		return Unpriced()
	}
	return Chosen{Rule: best, Type: best.Type, Base: best.Base, Factor: best.Factor}
}

func (b *Book) candidates(q Query) []*Rule {
	if len(b.rules) == 0 {
		return nil
	}
	var out []*Rule
	partners := []string{q.PartnerID, ""}
	if q.Reseller {
		partners = partners[:1]
	}
	products := distinct(fold(q.Product), fold(q.SKU), "")
	for _, p := range partners {
		for _, c := range distinct(q.CustomerID, "") {
			for _, pr := range products {
				out = append(out, b.byDims[bookKey{p, c, pr}]...)
			}
		}
	}
	return out
}

func distinct(values ...string) []string {
	out := values[:0:0]
	for _, v := range values {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// Reason says why a rule was not chosen.
type Reason string

// The reasons, in the order they are examined.
const (
	ReasonPartner  Reason = "partner"  // names another partner; never told
	ReasonReseller Reason = "reseller" // names no partner, and the buyer is a reseller; never told
	ReasonCustomer Reason = "customer"
	ReasonProvider Reason = "provider"
	ReasonProduct  Reason = "product"
	ReasonMode     Reason = "mode"
	ReasonRegion   Reason = "region"
	ReasonDate     Reason = "date"     // not valid on the day
	ReasonType     Reason = "type"     // the chosen rule's type goes first
	ReasonSpecific Reason = "specific" // the chosen rule names more
)

// Key is the reason's sentence in the catalogue.
func (r Reason) Key() string { return "price.reason." + string(r) }

// applies gives the reason a rule does not apply, or "".
func (b *Book) applies(r *Rule, q Query) Reason {
	switch {
	case r.PartnerID == "" && q.Reseller:
		return ReasonReseller
	case r.PartnerID != "" && r.PartnerID != q.PartnerID:
		return ReasonPartner
	case r.CustomerID != "" && r.CustomerID != q.CustomerID:
		return ReasonCustomer
	case r.Provider != "" && fold(r.Provider) != fold(q.Provider):
		return ReasonProvider
	case r.Product != "" && fold(r.Product) != fold(q.Product) && fold(r.Product) != fold(q.SKU):
		return ReasonProduct
	case r.Mode != "" && r.Mode != q.Mode:
		return ReasonMode
	case r.Region != "" && fold(r.Region) != fold(q.Region):
		return ReasonRegion
	case !r.holds(q.On):
		return ReasonDate
	}
	return ""
}

// beats tells whether a goes before b for a charge both apply to. Rules that are equal in everything
// compared here are refused when saved; the number decides between drafts not yet saved, so that the
// choice never depends on reading order.
func beats(a, b *Rule, q Query) bool {
	if x, y := typeRank[a.Type], typeRank[b.Type]; x != y {
		return x > y
	}
	if x, y := a.Count(), b.Count(); x != y {
		return x > y
	}
	if x, y := a.bySKU(q), b.bySKU(q); x != y {
		return x
	}
	return a.Number < b.Number
}

func (r *Rule) bySKU(q Query) bool { return r.Product != "" && fold(r.Product) == fold(q.SKU) }

// Runner is a rule that was not chosen, and why.
type Runner struct {
	Rule   *Rule
	Reason Reason
}

// Explain is Resolve with every other rule that could concern the buyer and the reason it was not
// chosen: first those that apply but yield, then those that do not apply, in order of number.
func (b *Book) Explain(q Query) (Chosen, []Runner) {
	c := b.Resolve(q)
	var yields, others []Runner
	for _, r := range b.rules {
		if r == c.Rule {
			continue
		}
		why := b.applies(r, q)
		switch {
		case why == ReasonPartner, why == ReasonReseller:
			// what others pay is nobody else's business: another partner's price, and for a reseller
			// the vendor's general ones, at which its distributor buys
		case why != "":
			others = append(others, Runner{r, why})
		case typeRank[r.Type] < typeRank[c.Type]:
			yields = append(yields, Runner{r, ReasonType})
		default:
			yields = append(yields, Runner{r, ReasonSpecific})
		}
	}
	return c, append(yields, others...)
}
