package usage

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"huoban/internal/money"
)

func weights(totals ...string) []Weight {
	var all []Weight
	for i, t := range totals {
		all = append(all, Weight{CustomerID: fmt.Sprint("id", i), Code: fmt.Sprintf("c%02d", i), Total: money.MustExact(t)})
	}
	return Weights(all)
}

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		amount string
		w      []Weight
		want   []string
	}{
		{"1", weights("1", "1", "1"), []string{"0.33333334", "0.33333333", "0.33333333"}},
		{"-1", weights("1", "1", "1"), []string{"-0.33333334", "-0.33333333", "-0.33333333"}},
		{"1", weights("2", "1"), []string{"0.66666667", "0.33333333"}},
		{"0.000000001", weights("1", "3"), []string{"0", "0.000000001"}},
		{"0", weights("1", "3"), []string{"0", "0"}},
		{"10", weights("-5", "0", "7.5", "2.5"), []string{"7.5", "2.5"}},
	} {
		got := Spread(money.MustExact(c.amount), c.w)
		if len(got) != len(c.want) {
			t.Fatalf("%s: %v, want %v", c.amount, got, c.want)
		}
		for i := range got {
			if got[i].String() != c.want[i] {
				t.Errorf("%s part %d: %s, want %s", c.amount, i, got[i], c.want[i])
			}
		}
	}
}

func TestSpreadSums(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amount := money.MustExact(fmt.Sprintf("%d.%012d", rapid.Int64Range(-1e6, 1e6).Draw(t, "whole"), rapid.Int64Range(0, 999999999999).Draw(t, "part")))
		var all []string
		for range rapid.IntRange(1, 20).Draw(t, "n") {
			all = append(all, fmt.Sprintf("%d.%05d", rapid.Int64Range(0, 1e6).Draw(t, "w"), rapid.Int64Range(1, 99999).Draw(t, "f")))
		}
		sum := money.Exact{}
		for _, p := range Spread(amount, weights(all...)) {
			sum = sum.Add(p)
		}
		if !sum.Equal(amount) {
			t.Fatalf("parts sum to %s, not %s", sum, amount)
		}
	})
}

func TestColumn(t *testing.T) {
	l := Line{Account: Account{SubAccount: "a1"}, Resource: Resource{Tags: `{"env":"prod","n":3}`}}
	for name, want := range map[string]string{"SubAccountId": "a1", "Tags.env": "prod", "Tags.n": "3", "Tags.none": "", "Nothing": ""} {
		if got := l.Column(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if KnownColumn("Tags.") || KnownColumn("Nothing") || !KnownColumn("Tags.env") || !KnownColumn("ServiceName") {
		t.Error("KnownColumn")
	}
}
