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
	"strconv"
	"strings"

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
func (a Amount) Fixed8() string { return a.Exact().dec().StringFixed(8) }

// Exact is the amount as a decimal.
func (a Amount) Exact() Exact { return small(int64(a), 8) }

// MarshalJSON writes a decimal string.
func (a Amount) MarshalJSON() ([]byte, error) { return strconv.AppendQuote(nil, a.String()), nil }

// MinorDigits is the number of decimals of the currency's smallest unit by ISO 4217 (CNY 2, JPY 0,
// KWD 3); an unknown code has 2.
func MinorDigits(code string) int {
	if n, often := minorDigits[code]; often {
		return n
	}
	return lookMinorDigits(code)
}

// minorDigits are those of currencies that most amounts are in: each amount that is shown asks for them.
var minorDigits = func() map[string]int {
	out := map[string]int{}
	for _, code := range []string{"CNY", "USD", "EUR", "HKD", "SGD", "JPY", "GBP", "BRL", "MXN", "THB"} {
		out[code] = lookMinorDigits(code)
	}
	return out
}()

func lookMinorDigits(code string) int {
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
