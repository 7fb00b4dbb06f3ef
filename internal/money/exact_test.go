package money_test

import (
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"huoban/internal/money"
)

// plain is the library's value as canonical text.
func plain(d decimal.Decimal) string {
	text := d.String() // the library writes no exponent
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	if text == "-0" || text == "" {
		return "0"
	}
	return text
}

// TestExactIsTheDecimal: two words or the library's value, the results are the same.
func TestExactIsTheDecimal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, y := anyExact("x").Draw(t, "x"), anyExact("y").Draw(t, "y")
		if rapid.Bool().Draw(t, "sum") {
			x = x.Add(y)
		}
		a, b := x.Decimal(), y.Decimal()
		for _, c := range []struct {
			op   string
			got  money.Exact
			want decimal.Decimal
		}{{"+", x.Add(y), a.Add(b)}, {"-", x.Sub(y), a.Sub(b)}, {"×", x.Mul(y), a.Mul(b)}, {"neg", x.Neg(), a.Neg()}} {
			if c.got.String() != plain(c.want) || c.got.Sign() != c.want.Sign() || string(c.got.Append(nil)) != c.got.String() {
				t.Fatalf("%s %s %s = %s, decimals say %s", x, c.op, y, c.got, plain(c.want))
			}
		}
		if x.Cmp(y) != a.Cmp(b) || x.Equal(y) != a.Equal(b) {
			t.Fatalf("%s against %s: %d, decimals say %d", x, y, x.Cmp(y), a.Cmp(b))
		}
		units := a.Round(8).Shift(8).BigInt()
		got, err := x.Amount()
		if (err == nil) != units.IsInt64() || err == nil && int64(got) != units.Int64() {
			t.Fatalf("%s rounds to %d (%v), decimals say %s", x, got, err, units)
		}
	})
}

func TestParseExactIsTheDecimal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`-?(0{0,3}[0-9]{0,22})(\.[0-9]{0,12}0{0,12}[0-9]{0,12})?([eE][+-]?[0-9]{1,2})?`).Draw(t, "text")
		want, wantErr := decimal.NewFromString(text)
		got, err := money.ParseExact(text)
		if err == nil && (wantErr != nil || got.String() != plain(want)) {
			t.Fatalf("%q is %s, decimals say %s (%v)", text, got, plain(want), wantErr)
		}
		if err != nil && wantErr == nil && want.NumDigits() < 30 && want.Exponent() > -30 && want.Exponent() < 20 && !strings.ContainsAny(text, "eE") {
			t.Fatalf("%q is refused: %v", text, err)
		}
	})
	for text, want := range map[string]string{"9999999999999999999": "9999999999999999999", "999999999999999999": "999999999999999999",
		"0000000000000000000000001": "1", "-0.00": "0", "1.000000000000000000000": "1", "0.0000000000000000001": "0.0000000000000000001",
		"123456789012345678.9": "123456789012345678.9", "-.5": "-0.5", "5.": "5"} {
		if x, err := money.ParseExact(text); err != nil || x.String() != want {
			t.Errorf("%s is %s (%v), want %s", text, x, err, want)
		}
	}
	for _, text := range []string{"", "-", ".", "1,5", "+1", "1.2.3", "1 ", "０", "1/2", "1:2"} {
		if x, err := money.ParseExact(text); err == nil {
			t.Errorf("%q is taken as %s", text, x)
		}
	}
}
