package price

import (
	"slices"
)

// Ties tells whether two rules could claim the same charge with equal right: same type, equally many
// named dimensions, a day in common, and no dimension in which they name different values. Two
// different products are no tie: where one is a charge's SKU and the other its service, the SKU goes
// first. Nor are a rule for everybody and one for a reseller, who takes none of the former.
func Ties(a, b *Rule) bool {
	if a.Type != b.Type || a.Count() != b.Count() || !a.overlaps(b) {
		return false
	}
	if (a.PartnerID == "" && b.ForReseller) || (b.PartnerID == "" && a.ForReseller) {
		return false
	}
	x, y := a.Dims.values(), b.Dims.values()
	for i := range x {
		if x[i] != "" && y[i] != "" && x[i] != y[i] {
			return false
		}
	}
	return true
}

// Change is what saving a row does to the book.
type Change struct {
	Row  Row
	Rule Rule  // the version to write
	Old  *Rule // the version it ends; nil for a new rule
}

// plan decides, row by row, what a file does to the rules in force: nothing for a rule that stands as
// it is, a new version of a rule with the same dimensions, type and first day, or a new rule. taken
// are all numbers and versions ever given. Rows of one file are judged together, so their order does
// not matter for ties.
func plan(live []*Rule, taken map[int64]int64, rows []Row, rules []Rule) (changes []Change, ties []tie, twice []int) {
	after := slices.Clone(live)
	seen := map[string]int{}
	next := int64(0)
	for n := range taken {
		next = max(next, n)
	}
	for i := range rules {
		r := &rules[i]
		key := r.identity()
		if j, ok := seen[key]; ok {
			if !sameContent(&rules[j], r) {
				twice = append(twice, i)
			}
			continue
		}
		seen[key] = i
		at := slices.IndexFunc(after, func(o *Rule) bool { return o.identity() == key })
		if at >= 0 && sameContent(after[at], r) {
			continue
		}
		c := Change{Row: rows[i]}
		if at >= 0 {
			c.Old = after[at]
			r.Number = c.Old.Number
			r.Version = taken[r.Number] + 1
			after[at] = r
		} else {
			next++
			r.Number, r.Version = next, 1
			after = append(after, r)
		}
		taken[r.Number] = r.Version
		c.Rule = *r
		changes = append(changes, c)
	}
	return changes, tiesOf(after, changes), twice
}

type tie struct {
	line        int64
	rule, other *Rule
}

// tiesOf compares each changed rule with every other; old ties cannot exist.
func tiesOf(after []*Rule, changes []Change) []tie {
	changed := map[int64]Row{}
	for _, c := range changes {
		changed[c.Rule.Number] = c.Row
	}
	var out []tie
	for i, a := range after {
		row, isNew := changed[a.Number]
		if !isNew {
			continue
		}
		for j, b := range after {
			_, alsoNew := changed[b.Number]
			if i == j || (alsoNew && j > i) || !Ties(a, b) {
				continue
			}
			out = append(out, tie{row.Line, a, b})
		}
	}
	return out
}

func sameContent(a, b *Rule) bool {
	return a.identity() == b.identity() && a.Base == b.Base && a.Factor.Equal(b.Factor) && a.ValidTo == b.ValidTo
}
