package money

import (
	"math/big"
	"slices"

	"github.com/shopspring/decimal"
)

// Split divides total over weights by largest remainder in units of 10^-scale, or finer where total
// itself is finer, so that the parts always sum to total exactly. A weight below zero counts as
// zero; where no weight is left, the parts are equal. Ties go to the earlier weight, so the caller's
// order must not depend on chance. No weights give no parts.
func Split(total Exact, weights []Exact, scale int) []Exact {
	n := len(weights)
	if n == 0 {
		return nil
	}
	scale = max(scale, total.Scale(), 0)
	units := scaled(total, scale)
	negative := units.Sign() < 0
	units.Abs(units)
	shares, sum := wholeWeights(weights)

	type part struct {
		index int
		units *big.Int
		rest  *big.Int
	}
	parts := make([]part, n)
	left := new(big.Int).Set(units)
	for i, w := range shares {
		q, r := new(big.Int).QuoRem(new(big.Int).Mul(units, w), sum, new(big.Int))
		parts[i] = part{i, q, r}
		left.Sub(left, q)
	}
	slices.SortStableFunc(parts, func(a, b part) int { return b.rest.Cmp(a.rest) })
	for i := int64(0); i < left.Int64(); i++ { // left is below n by construction
		parts[i].units.Add(parts[i].units, big.NewInt(1))
	}
	out := make([]Exact, n)
	for _, p := range parts {
		if negative {
			p.units.Neg(p.units)
		}
		out[p.index] = FromDecimal(decimal.NewFromBigInt(p.units, int32(-scale)))
	}
	return out
}

// wholeWeights brings the weights to integers of one scale; sum is above zero.
func wholeWeights(weights []Exact) (shares []*big.Int, sum *big.Int) {
	scale := 0
	for _, w := range weights {
		scale = max(scale, w.Scale())
	}
	shares, sum = make([]*big.Int, len(weights)), new(big.Int)
	for i, w := range weights {
		shares[i] = new(big.Int)
		if w.Sign() > 0 {
			shares[i] = scaled(w, scale)
		}
		sum.Add(sum, shares[i])
	}
	if sum.Sign() == 0 {
		for i := range shares {
			shares[i] = big.NewInt(1)
		}
		sum = big.NewInt(int64(len(shares)))
	}
	return shares, sum
}

// scaled is x × 10^scale, which must be whole.
func scaled(x Exact, scale int) *big.Int { return x.dec().Shift(int32(scale)).BigInt() }
