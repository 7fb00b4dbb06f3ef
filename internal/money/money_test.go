package money

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"huoban/internal/fault"
)

func TestParseExact(t *testing.T) {
	for _, c := range []struct{ in, want, code string }{
		{"20.28022672899", "20.28022672899", ""},
		{"1.81E-8", "0.0000000181", ""},
		{"2.323760000E-9", "0.00000000232376", ""},
		{"0E+3", "0", ""},
		{"-0", "0", ""},
		{"35.2E-7", "0.00000352", ""},
		{".5", "0.5", ""},
		{"5.", "5", ""},
		{"12000", "12000", ""},
		{"1.2e3", "1200", ""},
		{"+1", "", "money.malformed"},
		{"1,000", "", "money.malformed"},
		{"NaN", "", "money.malformed"},
		{"Inf", "", "money.malformed"},
		{"0x10", "", "money.malformed"},
		{"", "", "money.malformed"},
		{"1e", "", "money.malformed"},
		{"1e400", "", "money.out_of_range"},
		{"1e-400", "", "money.out_of_range"},
		{"1e99999999999", "", "money.out_of_range"},
	} {
		x, err := ParseExact(c.in)
		if c.code != "" {
			if !fault.HasCode(err, c.code) {
				t.Errorf("%q: fault %v, want %s", c.in, err, c.code)
			}
			continue
		}
		if err != nil || x.String() != c.want {
			t.Errorf("%q: %s %v, want %s", c.in, x, err, c.want)
		}
	}
}

// TestRound: half away from zero, once.
func TestRound(t *testing.T) {
	for _, c := range []struct {
		in   string
		want Amount
	}{
		{"0.000000005", 1}, {"-0.000000005", -1}, {"0.0000000049", 0}, {"-0.0000000049", 0},
		{"1.000000014999", 100000001}, {"92233720368.54775807", math.MaxInt64},
	} {
		got, err := MustExact(c.in).Amount()
		if err != nil || got != c.want {
			t.Errorf("%s: %d %v, want %d", c.in, got, err, c.want)
		}
	}
	if _, err := MustExact("92233720368.547758075").Amount(); !fault.HasCode(err, "money.out_of_range") {
		t.Errorf("beyond the range: %v", err)
	}
}

func TestAddNeverWraps(t *testing.T) {
	if _, err := Amount(math.MaxInt64).Add(1); !fault.HasCode(err, "money.out_of_range") {
		t.Errorf("overflow: %v", err)
	}
	if _, err := Amount(math.MinInt64).Add(-1); !fault.HasCode(err, "money.out_of_range") {
		t.Errorf("underflow: %v", err)
	}
	if _, err := Amount(math.MinInt64).Neg(); err == nil {
		t.Error("the negation of the least amount does not exist")
	}
}

// TestTruncMinor: 抹零 cuts toward zero to the currency's own smallest unit.
func TestTruncMinor(t *testing.T) {
	for _, c := range []struct {
		in, code, kept, dropped string
	}{
		{"20.28022673", "USD", "20.28", "0.00022673"},
		{"-20.28922673", "USD", "-20.28", "-0.00922673"},
		{"17.23819272", "CNY", "17.23", "0.00819272"},
		{"1234.5678", "JPY", "1234", "0.5678"},
		{"1.23456", "KWD", "1.234", "0.00056"},
		{"1.239", "XXX_", "1.23", "0.009"},
	} {
		a, err := MustExact(c.in).Amount()
		if err != nil {
			t.Fatal(err)
		}
		kept, dropped := a.TruncMinor(c.code)
		if kept.String() != c.kept || dropped.String() != c.dropped {
			t.Errorf("%s %s: %s and %s, want %s and %s", c.in, c.code, kept, dropped, c.kept, c.dropped)
		}
	}
}

func TestExactTextRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`-?[0-9]{1,20}(\.[0-9]{1,18})?(E-?[0-9]{1,2})?`).Draw(t, "text")
		x, err := ParseExact(text)
		if err != nil {
			t.Skip()
		}
		y, err := ParseExact(x.String())
		if err != nil || !x.Equal(y) || x.String() != y.String() {
			t.Fatalf("%s → %s → %s (%v)", text, x, y, err)
		}
		if !x.Add(y.Neg()).IsZero() {
			t.Fatalf("%s minus itself is not zero", x)
		}
	})
}

func FuzzParseExact(f *testing.F) {
	for _, s := range []string{"1", "-1.5E-8", "1e400", "NaN", "0x1p-2", "９"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		x, err := ParseExact(s)
		if err != nil {
			return
		}
		if len(x.String()) > 128 {
			t.Fatalf("%q became %d characters", s, len(x.String()))
		}
		_, _ = x.Amount()
	})
}
