package sorted_test

import (
	"cmp"
	"slices"
	"testing"

	"huoban/internal/sorted"
)

func TestByKeepsTheOrderOfEquals(t *testing.T) {
	type pair struct{ key, was int }
	var list []pair
	for i := range 100 {
		list = append(list, pair{i * 7 % 5, i})
	}
	want := slices.Clone(list)
	byKey := func(a, b pair) int { return cmp.Compare(a.key, b.key) }
	slices.SortStableFunc(want, byKey)
	sorted.By(list, byKey)
	if !slices.Equal(list, want) {
		t.Errorf("got %v, want %v", list, want)
	}
}
