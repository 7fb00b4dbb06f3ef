package usage

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"

	"huoban/internal/money"
)

// SummaryKey is what lines of a slot are summed by.
type SummaryKey struct {
	SlotID     int64
	CustomerID string
	AccountID  Hash
	ProductID  Hash
	Kind       Kind
	Currency   string
}

// Compare orders keys as the sums are kept.
func (k SummaryKey) Compare(o SummaryKey) int {
	return cmp.Or(cmp.Compare(k.SlotID, o.SlotID), cmp.Compare(k.CustomerID, o.CustomerID), bytes.Compare(k.AccountID[:], o.AccountID[:]),
		bytes.Compare(k.ProductID[:], o.ProductID[:]), cmp.Compare(k.Kind, o.Kind), cmp.Compare(k.Currency, o.Currency))
}

// NextSummary gives one sum after the other, and false when there is no more.
type NextSummary func() (sum Summary, more bool, err error)

// Sum is lines added up: Amount of their rounded base amounts, Exact of the base column as delivered,
// Billed of the billed column.
type Sum struct {
	Lines  int64
	Amount money.Amount
	Exact  money.Exact
	Billed money.Exact
}

// EachOf gives the sums of a map in key order.
func EachOf(sums map[SummaryKey]Sum) NextSummary {
	order := slices.SortedFunc(maps.Keys(sums), SummaryKey.Compare)
	i := 0
	return func() (Summary, bool, error) {
		if i == len(order) {
			return Summary{}, false, nil
		}
		i++
		return Summary{order[i-1], sums[order[i-1]]}, true, nil
	}
}

// Summary is one kept sum.
type Summary struct {
	SummaryKey
	Sum
}

// Add adds another sum. Fault: money.out_of_range.
func (s *Sum) Add(o Sum) error {
	amount, err := s.Amount.Add(o.Amount)
	if err != nil {
		return err
	}
	s.Lines, s.Amount, s.Exact, s.Billed = s.Lines+o.Lines, amount, s.Exact.Add(o.Exact), s.Billed.Add(o.Billed)
	return nil
}

// Neg is the sum taken away.
func (s Sum) Neg() Sum {
	return Sum{-s.Lines, -s.Amount, s.Exact.Neg(), s.Billed.Neg()}
}

// IsZero tells whether nothing is left.
func (s Sum) IsZero() bool {
	return s.Lines == 0 && s.Amount == 0 && s.Exact.IsZero() && s.Billed.IsZero()
}

// SummaryKey is where the line is summed.
func (s *Stored) SummaryKey() SummaryKey {
	return SummaryKey{s.SlotID, s.CustomerID, s.AccountID, s.ProductID, s.Kind, s.Currency}
}

// Sum is the line as a sum of one. base is the source's base column; where the line lacks it, billed
// stands in. Fault: money.out_of_range.
func (l *Line) Sum(base string) (Sum, error) {
	x := l.Base(base)
	if x == nil {
		x = &l.Billed
	}
	amount, err := x.Amount()
	return Sum{1, amount, *x, l.Billed}, err
}

// HashOf is the first 16 bytes of SHA-256 over the fields, each prefixed by its length.
func HashOf(fields ...string) Hash {
	var stack [512]byte
	buf := stack[:0]
	for _, f := range fields {
		buf = binary.AppendUvarint(buf, uint64(len(f)))
		buf = append(buf, f...)
	}
	sum := sha256.Sum256(buf)
	return Hash(sum[:16])
}

// Hash is the account's identity.
func (a *Account) Hash() Hash {
	return HashOf(a.Provider, a.Publisher, a.Issuer, a.BillingAccount, a.BillingAccountName, a.SubAccount, a.SubAccountName, a.SourceKey)
}

// Hash is the product's identity.
func (p *Product) Hash() Hash {
	return HashOf(p.Service, p.ServiceCategory, p.SKU, p.SKUPrice, p.Description, p.Region, p.RegionName, p.ChargeCategory,
		p.ChargeClass, p.ChargeFrequency, p.PricingCategory, string(p.ChargingMode), p.Unit)
}

// Hash is the resource's identity. One without order has the identity it had before orders were kept.
func (r *Resource) Hash() Hash {
	if r.OrderNo == "" {
		return HashOf(r.ID, r.Name, r.Type, r.Tags)
	}
	return HashOf(r.ID, r.Name, r.Type, r.Tags, r.OrderNo)
}

// Dims are dimension rows by their hash.
type Dims struct {
	Accounts  map[Hash]Account
	Products  map[Hash]Product
	Resources map[Hash]Resource
}

// NewDims makes an empty set.
func NewDims() Dims {
	return Dims{map[Hash]Account{}, map[Hash]Product{}, map[Hash]Resource{}}
}
