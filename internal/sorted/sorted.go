// Package sorted orders short lists. slices.SortFunc is made anew for every type it is given, some
// twenty kilobytes of program each time; where a list has dozens of entries that speed buys nothing.
// What orders lines of bills and consumption keeps slices.SortFunc.
package sorted

import "sort"

// By orders a list in place by cmp, which answers as cmp.Compare does; equal ones keep their order.
func By[T any](list []T, cmp func(a, b T) int) {
	sort.SliceStable(list, func(i, j int) bool { return cmp(list[i], list[j]) < 0 })
}
