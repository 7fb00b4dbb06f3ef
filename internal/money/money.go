// Package money holds amounts without binary fractions.
//
// Amount is what the portal stores: an int64 count of 1e-8 units, its currency beside it. Exact is
// what a source delivered or a rule computed: a decimal of any scale. Exact becomes Amount by one
// rounding, half away from zero, once per stored figure; the difference is the residue, shown and
// never added. Sums and products are checked and never wrap.
package money

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
	"golang.org/x/text/currency"

	"huoban/internal/fault"
)

// Amount is a count of 1e-8 currency units; range ±92.2 billion units.
type Amount int64

// Unit is one whole currency unit.
const Unit Amount = 1e8

// ErrRange is the fault of an amount beyond the int64 range.
func ErrRange(value string) error {
	return fault.Invalid("money.out_of_range", fault.Args{"value": value})
}

// Add is the checked sum. Fault: money.out_of_range.
func (a Amount) Add(b Amount) (Amount, error) {
	s := a + b
	if (b > 0 && s < a) || (b < 0 && s > a) {
		return 0, ErrRange(fmt.Sprintf("%s + %s", a, b))
	}
	return s, nil
}

// Neg is the checked negation. Fault: money.out_of_range.
func (a Amount) Neg() (Amount, error) {
	if a == math.MinInt64 {
		return 0, ErrRange(a.String())
	}
	return -a, nil
}

// String is the canonical text: no exponent, no trailing zeros, "0" for nothing.
func (a Amount) String() string { return a.Exact().String() }

// Fixed8 always shows eight decimals.
func (a Amount) Fixed8() string { return a.Exact().d.StringFixed(8) }

// Exact is the amount as a decimal.
func (a Amount) Exact() Exact { return Exact{decimal.New(int64(a), -8)} }

// MarshalJSON writes a decimal string.
func (a Amount) MarshalJSON() ([]byte, error) { return strconv.AppendQuote(nil, a.String()), nil }

// MinorDigits is the number of decimals of the currency's smallest unit by ISO 4217 (CNY 2, JPY 0,
// KWD 3); an unknown code has 2.
func MinorDigits(code string) int {
	u, err := currency.ParseISO(code)
	if err != nil {
		return 2
	}
	scale, _ := currency.Standard.Rounding(u)
	return scale
}

// KnownCurrency tells whether code is an ISO 4217 code.
func KnownCurrency(code string) bool {
	_, err := currency.ParseISO(code)
	return err == nil && code == strings.ToUpper(code)
}

// TruncMinor cuts toward zero to the currency's minor unit (抹零); kept + dropped = a.
func (a Amount) TruncMinor(code string) (kept, dropped Amount) {
	step := Amount(math.Pow10(8 - MinorDigits(code)))
	dropped = a % step
	return a - dropped, dropped
}

// IsCents tells whether the amount has at most two decimals.
func (a Amount) IsCents() bool { return a%1e6 == 0 }

// Exact is a decimal of any scale, as delivered or as computed before rounding. The zero value is 0.
type Exact struct{ d decimal.Decimal }

// Limits of a delivered number: no real bill needs more, and hostile input must not cost memory.
const (
	maxDigits = 60
	maxScale  = 40
)

// ParseExact reads a delivered number: digits with an optional point, sign and E notation, as FOCUS
// allows ("1.81E-8"). A leading plus, thousands separators, NaN, Inf and hex are refused, as is a
// number of more than 60 digits or 40 decimals. Fault: money.malformed, money.out_of_range.
func ParseExact(text string) (Exact, error) {
	if !plainNumber(text) {
		return Exact{}, fault.Invalid("money.malformed", fault.Args{"value": clip(text)})
	}
	if len(text) > 128 {
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
	x := Exact{d}.trim()
	if x.d.Exponent() < -maxScale || x.d.NumDigits()+max(0, int(x.d.Exponent())) > maxDigits {
		return Exact{}, ErrRange(clip(text))
	}
	return x, nil
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
	c, e := x.d.Coefficient(), x.d.Exponent()
	if c.Sign() == 0 {
		return Exact{}
	}
	ten, r := big.NewInt(10), new(big.Int)
	for e < 0 {
		q, _ := new(big.Int).QuoRem(c, ten, r)
		if r.Sign() != 0 {
			break
		}
		c, e = q, e+1
	}
	return Exact{decimal.NewFromBigInt(c, e)}
}

// Add, Sub, Mul and Neg are exact.
func (x Exact) Add(y Exact) Exact { return Exact{x.d.Add(y.d)} }

// Sub is the exact difference.
func (x Exact) Sub(y Exact) Exact { return Exact{x.d.Sub(y.d)} }

// Mul is the exact product.
func (x Exact) Mul(y Exact) Exact { return Exact{x.d.Mul(y.d)} }

// Neg is the exact negation.
func (x Exact) Neg() Exact { return Exact{x.d.Neg()} }

// Sign is -1, 0 or 1.
func (x Exact) Sign() int { return x.d.Sign() }

// IsZero tells whether it is nothing.
func (x Exact) IsZero() bool { return x.d.IsZero() }

// Cmp compares values.
func (x Exact) Cmp(y Exact) int { return x.d.Cmp(y.d) }

// Equal compares values, not forms.
func (x Exact) Equal(y Exact) bool { return x.d.Equal(y.d) }

// Scale is the number of decimals needed to write it.
func (x Exact) Scale() int {
	if e := x.trim().d.Exponent(); e < 0 {
		return int(-e)
	}
	return 0
}

// String is the canonical text: no exponent, no trailing zeros, "0" for nothing.
func (x Exact) String() string { return x.trim().d.String() }

// MarshalJSON writes a decimal string.
func (x Exact) MarshalJSON() ([]byte, error) { return strconv.AppendQuote(nil, x.String()), nil }

// Amount rounds to 1e-8, half away from zero. Fault: money.out_of_range.
func (x Exact) Amount() (Amount, error) {
	r := x.d.Round(8).Shift(8)
	i := r.BigInt()
	if !i.IsInt64() {
		return 0, ErrRange(x.String())
	}
	return Amount(i.Int64()), nil
}

// Decimal gives the library's value, for edges such as Parquet and Excel.
func (x Exact) Decimal() decimal.Decimal { return x.d }

// FromDecimal takes the library's value.
func FromDecimal(d decimal.Decimal) Exact { return Exact{d}.trim() }
