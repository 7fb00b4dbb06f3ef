package money_test

import (
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"huoban/internal/money"
)

// anyExact draws decimals of every size that matters: cents, 18 decimals, and beyond int64.
func anyExact(label string) *rapid.Generator[money.Exact] {
	return rapid.Custom(func(t *rapid.T) money.Exact {
		c := rapid.OneOf(rapid.Int64(), rapid.Int64Range(-1e6, 1e6), rapid.Just(int64(5)), rapid.Just(int64(-5))).Draw(t, label)
		e := rapid.Int32Range(-20, 2).Draw(t, label+" exponent")
		return money.FromDecimal(decimal.New(c, e))
	})
}

func TestSumIsTheDecimalSum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var fast money.Sum
		slow := money.Exact{}
		for range rapid.IntRange(0, 12).Draw(t, "n") {
			x := anyExact("x").Draw(t, "x")
			if rapid.Bool().Draw(t, "product") {
				y := anyExact("y").Draw(t, "y")
				want, wantErr := x.Mul(y).Amount()
				got, err := fast.AddProduct(x, y)
				if (err == nil) != (wantErr == nil) || got != want {
					t.Fatalf("%s × %s = %s (%v), decimals say %s (%v)", x, y, got, err, want, wantErr)
				}
				if err == nil {
					slow = slow.Add(x.Mul(y))
				}
				continue
			}
			fast.Add(x)
			slow = slow.Add(x)
		}
		if got := fast.Exact(); !got.Equal(slow) || got.String() != slow.String() {
			t.Fatalf("sum %s, decimals say %s", got, slow)
		}
	})
}

func TestProductRoundsHalfAwayFromZero(t *testing.T) {
	for _, c := range []struct{ x, y, want string }{
		{"0.000000005", "1", "0.00000001"}, {"-0.000000005", "1", "-0.00000001"},
		{"0.0000000049", "1", "0"}, {"-0.0000000049", "1", "0"},
		{"0.00000001", "0.5", "0.00000001"}, {"-0.00000003", "0.5", "-0.00000002"},
		{"12345678901.5", "0.85", "10493827066.275"},
	} {
		var s money.Sum
		got, err := s.AddProduct(money.MustExact(c.x), money.MustExact(c.y))
		if err != nil || got.String() != c.want {
			t.Errorf("%s × %s = %s (%v), want %s", c.x, c.y, got, err, c.want)
		}
	}
	var s money.Sum
	if _, err := s.AddProduct(money.MustExact("90000000000"), money.MustExact("2")); err == nil {
		t.Error("a product beyond the range was kept")
	}
}

func TestSplitSumsToTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := anyExact("total").Draw(t, "total")
		weights := rapid.SliceOfN(anyExact("weight"), 1, 9).Draw(t, "weights")
		scale := rapid.IntRange(0, 12).Draw(t, "scale")
		sum := money.Exact{}
		for i, p := range money.Split(total, weights, scale) {
			sum = sum.Add(p)
			if p.Sign()*total.Sign() < 0 {
				t.Fatalf("part %d is %s of %s", i, p, total)
			}
		}
		if !sum.Equal(total) {
			t.Fatalf("parts sum to %s, not %s", sum, total)
		}
	})
}

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		total   string
		weights []string
		scale   int
		want    []string
	}{
		{"1", []string{"1", "1", "1"}, 2, []string{"0.34", "0.33", "0.33"}},
		{"-1", []string{"1", "1", "1"}, 2, []string{"-0.34", "-0.33", "-0.33"}},
		{"10", []string{"2", "0", "-5", "3"}, 8, []string{"4", "0", "0", "6"}},
		{"0.03", []string{"0", "0"}, 2, []string{"0.02", "0.01"}},
		{"0.0000000001", []string{"1", "3"}, 8, []string{"0", "0.0000000001"}},
		{"5", []string{"0.1", "0.2"}, 2, []string{"1.67", "3.33"}},
	} {
		w := make([]money.Exact, len(c.weights))
		for i := range w {
			w[i] = money.MustExact(c.weights[i])
		}
		for i, p := range money.Split(money.MustExact(c.total), w, c.scale) {
			if p.String() != c.want[i] {
				t.Errorf("%s over %v: part %d is %s, want %s", c.total, c.weights, i, p, c.want[i])
			}
		}
	}
	if money.Split(money.MustExact("1"), nil, 2) != nil {
		t.Error("no weights gave parts")
	}
}
