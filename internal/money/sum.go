package money

import (
	"math/bits"

	"github.com/shopspring/decimal"
)

// Sum adds many exact decimals. Small figures, which nearly all are, are added as integers of one
// scale without memory; the rest goes the decimal way. Both ways give the same value. The zero
// value is 0.
type Sum struct {
	fast  int64
	scale uint8
	slow  decimal.Decimal
}

const maxFastScale = 18

var pow10 = func() (p [maxFastScale + 1]int64) {
	p[0] = 1
	for i := 1; i < len(p); i++ {
		p[i] = p[i-1] * 10
	}
	return p
}()

// Add adds x.
func (s *Sum) Add(x Exact) {
	if x.wide != nil || !s.addFast(x.c, x.s) {
		s.slow = s.slow.Add(x.dec())
	}
}

// AddSum adds another sum.
func (s *Sum) AddSum(o *Sum) { s.Add(o.Exact()) }

// AddProduct adds x × y exactly and gives the product rounded to 1e-8, half away from zero.
// Fault: money.out_of_range, and nothing is added.
func (s *Sum) AddProduct(x, y Exact) (Amount, error) {
	if c, scale, ok := smallProduct(x, y); ok {
		if a, ok := roundFast(c, scale); ok && s.addFast(c, scale) {
			return a, nil
		}
	}
	p := x.Mul(y)
	a, err := p.Amount()
	if err != nil {
		return 0, err
	}
	s.slow = s.slow.Add(p.dec())
	return a, nil
}

// Exact is the sum.
func (s *Sum) Exact() Exact {
	return FromDecimal(s.slow.Add(decimal.New(s.fast, -int32(s.scale))))
}

// addFast adds c × 10^-scale if everything stays in int64.
func (s *Sum) addFast(c int64, scale uint8) bool {
	fast, at := s.fast, s.scale
	var ok bool
	switch {
	case scale > at:
		if fast, ok = mul(fast, pow10[scale-at]); !ok {
			return false
		}
		at = scale
	case scale < at:
		if c, ok = mul(c, pow10[at-scale]); !ok {
			return false
		}
	}
	sum := fast + c
	if (c > 0 && sum < fast) || (c < 0 && sum > fast) {
		s.slow = s.slow.Add(decimal.New(fast, -int32(at)))
		s.fast, s.scale = c, at
		return true
	}
	s.fast, s.scale = sum, at
	return true
}

func smallProduct(x, y Exact) (c int64, scale uint8, ok bool) {
	if x.wide != nil || y.wide != nil || x.s+y.s > maxFastScale {
		return 0, 0, false
	}
	c, ok = mul(x.c, y.c)
	return c, x.s + y.s, ok
}

func mul(a, b int64) (int64, bool) {
	hi, lo := bits.Mul64(abs(a), abs(b))
	if hi != 0 || lo > 1<<63-1 {
		return 0, false
	}
	if (a < 0) != (b < 0) {
		return -int64(lo), true
	}
	return int64(lo), true
}

func abs(a int64) uint64 {
	if a < 0 {
		return -uint64(a)
	}
	return uint64(a)
}

// roundFast brings c × 10^-scale to 1e-8, half away from zero.
func roundFast(c int64, scale uint8) (Amount, bool) {
	if scale <= 8 {
		v, ok := mul(c, pow10[8-scale])
		return Amount(v), ok
	}
	step := pow10[scale-8]
	q, r := c/step, c%step
	if r >= step-r && r > 0 {
		q++
	} else if r < 0 && -r >= step+r {
		q--
	}
	return Amount(q), true
}
