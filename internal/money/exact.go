package money

import (
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"huoban/internal/fault"
)

// Exact is a decimal of any scale, as delivered or as computed before rounding. The zero value is 0.
//
// Nearly every figure fits 18 digits and decimals; such a one is two words without memory of its own.
// All others are the library's, with the same results.
type Exact struct {
	c    int64 // the value is c × 10^-s, unless wide
	s    uint8
	wide *decimal.Decimal
}

// small is c × 10^-s.
func small(c int64, s uint8) Exact {
	if c == math.MinInt64 {
		d := decimal.New(c, -int32(s))
		return Exact{wide: &d}
	}
	return Exact{c: c, s: s}
}

// dec is the library's form.
func (x Exact) dec() decimal.Decimal {
	if x.wide != nil {
		return *x.wide
	}
	return decimal.New(x.c, -int32(x.s))
}

// of takes the library's form.
func of(d decimal.Decimal) Exact {
	e := d.Exponent()
	switch digits := d.NumDigits(); {
	case digits > maxFastScale || e < -maxFastScale || e > maxFastScale-int32(digits):
		return Exact{wide: &d}
	case e > 0:
		return small(d.CoefficientInt64()*pow10[e], 0)
	}
	return small(d.CoefficientInt64(), uint8(-e))
}

// Limits of a delivered number: no real bill needs more, and hostile input must not cost memory.
const (
	maxDigits = 60
	maxScale  = 40
	maxText   = 128
)

// ParseExact reads a delivered number: digits with an optional point, sign and E notation, as FOCUS
// allows ("1.81E-8"). A leading plus, thousands separators, NaN, Inf and hex are refused, as is a
// number of more than 60 digits or 40 decimals. Fault: money.malformed, money.out_of_range.
func ParseExact(text string) (Exact, error) {
	if x, ok := parseSmall(text); ok {
		return x, nil
	}
	return parseAny(text)
}

// ParseExactBytes is ParseExact of text that is not a string yet.
func ParseExactBytes(text []byte) (Exact, error) {
	if x, ok := parseSmall(text); ok {
		return x, nil
	}
	return parseAny(string(text))
}

func parseAny(text string) (Exact, error) {
	if !plainNumber(text) {
		return Exact{}, fault.Invalid("money.malformed", fault.Args{"value": clip(text)})
	}
	if len(text) > maxText {
		return Exact{}, ErrRange(clip(text))
	}
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		e, err := strconv.Atoi(text[i+1:])
		if err != nil || e > maxDigits || e < -maxScale-maxDigits {
			return Exact{}, ErrRange(clip(text))
		}
	}
	d, err := decimal.NewFromString(text)
	if err != nil {
		return Exact{}, fault.Invalid("money.malformed", fault.Args{"value": clip(text)}).Because(err)
	}
	d = trim(d)
	if d.Exponent() < -maxScale || d.NumDigits()+max(0, int(d.Exponent())) > maxDigits {
		return Exact{}, ErrRange(clip(text))
	}
	return of(d), nil
}

// parseSmall reads what has no exponent and fits two words. Zeros at the end of the fraction wait until
// another digit needs them.
func parseSmall[T string | []byte](text T) (Exact, bool) {
	if len(text) > maxText {
		return Exact{}, false
	}
	i, negative := 0, false
	if i < len(text) && text[i] == '-' {
		i, negative = 1, true
	}
	var c int64
	digits, some := 0, false
	for ; i < len(text) && text[i]-'0' <= 9; i++ {
		some = true
		if digits == maxFastScale {
			return Exact{}, false
		}
		if c = c*10 + int64(text[i]-'0'); c > 0 {
			digits++
		}
	}
	scale, zeros := 0, 0
	if i < len(text) && text[i] == '.' {
		for i++; i < len(text) && text[i]-'0' <= 9; i++ {
			some = true
			if text[i] == '0' {
				zeros++
				continue
			}
			if scale += zeros + 1; scale > maxFastScale {
				return Exact{}, false
			}
			if c > 0 {
				digits += zeros
			}
			if digits++; digits > maxFastScale {
				return Exact{}, false
			}
			c = c*pow10[zeros+1] + int64(text[i]-'0')
			zeros = 0
		}
	}
	if i < len(text) || !some {
		return Exact{}, false
	}
	if negative {
		c = -c
	}
	return Exact{c: c, s: uint8(scale)}, true
}

// MustExact is ParseExact for constants in tests and tables.
func MustExact(text string) Exact {
	x, err := ParseExact(text)
	if err != nil {
		panic(err)
	}
	return x
}

func plainNumber(s string) bool {
	i, digits := 0, 0
	if i < len(s) && s[i] == '-' {
		i++
	}
	for ; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
		digits++
	}
	if i < len(s) && s[i] == '.' {
		for i++; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
			digits++
		}
	}
	if digits == 0 {
		return false
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		i++
		if i < len(s) && (s[i] == '-' || s[i] == '+') {
			i++
		}
		n := 0
		for ; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
			n++
		}
		if n == 0 {
			return false
		}
	}
	return i == len(s)
}

func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}

// trim removes trailing zeros of the fraction so that equal values have equal form.
func (x Exact) trim() Exact {
	if x.wide != nil {
		return of(trim(*x.wide))
	}
	if x.c == 0 {
		return Exact{}
	}
	for x.s > 0 && x.c%10 == 0 {
		x.c, x.s = x.c/10, x.s-1
	}
	return x
}

func trim(d decimal.Decimal) decimal.Decimal {
	c, e := d.Coefficient(), d.Exponent()
	if c.Sign() == 0 {
		return decimal.Decimal{}
	}
	ten, r := big.NewInt(10), new(big.Int)
	for e < 0 {
		q, _ := new(big.Int).QuoRem(c, ten, r)
		if r.Sign() != 0 {
			break
		}
		c, e = q, e+1
	}
	return decimal.NewFromBigInt(c, e)
}

// level brings two small figures to one scale.
func level(x, y Exact) (a, b int64, s uint8, ok bool) {
	if x.wide != nil || y.wide != nil {
		return 0, 0, 0, false
	}
	a, b, s, ok = x.c, y.c, x.s, true
	switch {
	case x.s < y.s:
		s = y.s
		a, ok = mul(a, pow10[y.s-x.s])
	case x.s > y.s:
		b, ok = mul(b, pow10[x.s-y.s])
	}
	return a, b, s, ok
}

// Add, Sub, Mul and Neg are exact.
func (x Exact) Add(y Exact) Exact {
	if a, b, s, ok := level(x, y); ok {
		if sum := a + b; (sum > a) == (b > 0) && sum != math.MinInt64 {
			return Exact{c: sum, s: s}
		}
	}
	return of(x.dec().Add(y.dec()))
}

// Sub is the exact difference.
func (x Exact) Sub(y Exact) Exact { return x.Add(y.Neg()) }

// Mul is the exact product.
func (x Exact) Mul(y Exact) Exact {
	if c, s, ok := smallProduct(x, y); ok {
		return small(c, s)
	}
	return of(x.dec().Mul(y.dec()))
}

// Neg is the exact negation.
func (x Exact) Neg() Exact {
	if x.wide != nil {
		return of(x.wide.Neg())
	}
	x.c = -x.c
	return x
}

// Sign is -1, 0 or 1.
func (x Exact) Sign() int {
	switch {
	case x.wide != nil:
		return x.wide.Sign()
	case x.c < 0:
		return -1
	case x.c > 0:
		return 1
	}
	return 0
}

// IsZero tells whether it is nothing.
func (x Exact) IsZero() bool { return x.Sign() == 0 }

// Cmp compares values.
func (x Exact) Cmp(y Exact) int {
	if a, b, _, ok := level(x, y); ok {
		switch {
		case a < b:
			return -1
		case a > b:
			return 1
		}
		return 0
	}
	return x.dec().Cmp(y.dec())
}

// Equal compares values, not forms.
func (x Exact) Equal(y Exact) bool { return x.Cmp(y) == 0 }

// Scale is the number of decimals needed to write it.
func (x Exact) Scale() int {
	x = x.trim()
	if x.wide == nil {
		return int(x.s)
	}
	return max(0, -int(x.wide.Exponent()))
}

// String is the canonical text: no exponent, no trailing zeros, "0" for nothing.
func (x Exact) String() string {
	if x = x.trim(); x.wide != nil {
		return x.wide.String()
	}
	var space [24]byte
	return string(x.append(space[:0]))
}

// Append appends the canonical text.
func (x Exact) Append(b []byte) []byte {
	if x = x.trim(); x.wide != nil {
		return append(b, x.wide.String()...)
	}
	return x.append(b)
}

// append writes a small, trimmed figure.
func (x Exact) append(b []byte) []byte {
	c := x.c
	if c < 0 {
		b, c = append(b, '-'), -c
	}
	var digits [20]byte
	i := len(digits)
	for n := 0; c > 0 || n <= int(x.s); n++ {
		if n == int(x.s) && n > 0 {
			i--
			digits[i] = '.'
		}
		i--
		digits[i] = '0' + byte(c%10)
		c /= 10
	}
	return append(b, digits[i:]...)
}

// MarshalJSON writes a decimal string.
func (x Exact) MarshalJSON() ([]byte, error) { return strconv.AppendQuote(nil, x.String()), nil }

// Amount rounds to 1e-8, half away from zero. Fault: money.out_of_range.
func (x Exact) Amount() (Amount, error) {
	if x.wide == nil {
		if a, ok := roundFast(x.c, x.s); ok {
			return a, nil
		}
	}
	i := x.dec().Round(8).Shift(8).BigInt()
	if !i.IsInt64() {
		return 0, ErrRange(x.String())
	}
	return Amount(i.Int64()), nil
}

// Decimal gives the library's value, for edges such as Parquet and Excel.
func (x Exact) Decimal() decimal.Decimal { return x.dec() }

// FromDecimal takes the library's value.
func FromDecimal(d decimal.Decimal) Exact { return of(trim(d)) }
