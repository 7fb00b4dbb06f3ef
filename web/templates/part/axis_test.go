package part

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"huoban/internal/i18n"
)

func TestAxisIsRoundAndHoldsAll(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		counted   bool
		zh, en    string
	}{
		{0, 0, false, "0", "0"},
		{0, 100, false, "0 20 40 60 80 100", "0 20 40 60 80 100"},
		{-50, 200, false, "−50 0 50 100 150 200", "−50 0 50 100 150 200"},
		{0, 3, true, "0 1 2 3", "0 1 2 3"},
		{0, 1, true, "0 1", "0 1"},
		{0, 1, false, "0 0.2 0.4 0.6 0.8 1", "0 0.2 0.4 0.6 0.8 1"},
		{0, 0.003, false, "0 0.001 0.002 0.003", "0 0.001 0.002 0.003"},
		{0, 9_100, false, "0 0.2万 0.4万 0.6万 0.8万 1万", "0 2k 4k 6k 8k 10k"},
		{0, 61_000, false, "0 2万 4万 6万 8万", "0 20k 40k 60k 80k"},
		{0, 1_234_567, false, "0 50万 100万 150万", "0 0.5M 1M 1.5M"},
		{0, 480_000_000, false, "0 1亿 2亿 3亿 4亿 5亿", "0 100M 200M 300M 400M 500M"},
		{-2e12, 2e12, false, "−2万亿 −1万亿 0 1万亿 2万亿", "−2,000B −1,000B 0 1,000B 2,000B"},
	} {
		a := AxisOf(c.low, c.high, c.counted)
		for l, want := range map[i18n.Lang]string{i18n.ZhCN: c.zh, i18n.En: c.en} {
			texts, _ := a.Texts(i18n.With(context.Background(), l))
			if got := strings.Join(texts, " "); got != want {
				t.Errorf("%v to %v, %s: %s, want %s", c.low, c.high, l, got, want)
			}
		}
	}
	r := rand.New(rand.NewPCG(7, 1))
	for range 5000 {
		high := math.Pow(10, r.Float64()*18-4)
		low := -high * r.Float64() * float64(r.IntN(2))
		a := AxisOf(low, high, false)
		v := a.Values()
		if a.Low > low*(1-1e-9) || a.High < high*(1-1e-9) || len(v) < 3 || len(v) > 8 || !slices.Contains(v, 0) {
			t.Fatalf("%v to %v: %v", low, high, v)
		}
		if (a.High-a.Low)/(high-low) > 2.2 {
			t.Fatalf("%v to %v: half of the picture is empty: %v", low, high, v)
		}
	}
}

func TestBrief(t *testing.T) {
	for x, want := range map[float64]string{407267.52: "40.7万 407k", 345: "345 345", -1234567890: "−12.3亿 −1.23B", 0.125: "0.125 0.125", 99999999: "1亿 100M", 0: "0 0"} {
		if got := i18n.Brief(i18n.With(context.Background(), i18n.ZhCN), x) + " " + i18n.Brief(i18n.With(context.Background(), i18n.En), x); got != want {
			t.Errorf("%v: %s, want %s", x, got, want)
		}
	}
}

// The figures of an axis stand at their lines, all within the picture and left of what is drawn.
func TestTicksStandAtTheirLines(t *testing.T) {
	for _, kind := range []ChartKind{ChartBars, ChartStacked, ChartLines} {
		c := sample(kind).beside(context.Background())
		ticks := c.ticks(context.Background())
		if len(ticks) != 6 || ticks[1].Text != "0" || ticks[1].Y != c.zero() || ticks[5].Text != "200" || ticks[5].Y != n1(chartTop) {
			t.Errorf("%s: %+v, zero at %s", kind, ticks, c.zero())
		}
		for _, x := range ticks {
			if at := number(t, x.X); at <= 0 || at >= c.left {
				t.Errorf("%s: %s stands at %v, the picture begins at %v", kind, x.Text, at, c.left)
			}
		}
		for _, b := range c.bars() {
			if number(t, b.X) < c.left {
				t.Errorf("%s: %s stands on the axis", kind, b.Say)
			}
		}
	}
}
