package attribution

import (
	"sort"
	"time"
)

// endless stands for a missing end while intervals are compared.
var endless = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

func endOf(t time.Time) time.Time {
	if t.IsZero() {
		return endless
	}
	return t
}

// span is a customer during [from, to); an empty customer is none.
type span struct {
	from, to time.Time // to is endless, never zero
	orgID    string
}

// overlay lays new spans over old ones: where they overlap the new one counts, and an empty customer
// cuts a hole. Neighbours with the same customer become one.
func overlay(old, fresh []span) []span {
	out := append([]span(nil), old...)
	for _, n := range fresh {
		var kept []span
		for _, o := range out {
			if !o.from.Before(n.to) || !n.from.Before(o.to) {
				kept = append(kept, o)
				continue
			}
			if o.from.Before(n.from) {
				kept = append(kept, span{o.from, n.from, o.orgID})
			}
			if n.to.Before(o.to) {
				kept = append(kept, span{n.to, o.to, o.orgID})
			}
		}
		if n.orgID != "" {
			kept = append(kept, n)
		}
		out = kept
	}
	sort.Slice(out, func(i, j int) bool { return out[i].from.Before(out[j].from) })
	var joined []span
	for _, o := range out {
		if n := len(joined); n > 0 && joined[n-1].orgID == o.orgID && joined[n-1].to.Equal(o.from) {
			joined[n-1].to = o.to
			continue
		}
		joined = append(joined, o)
	}
	return joined
}

// edit is what rules of one key become: those that end and those that are added.
func edit(kind KeyKind, key string, inForce []Rule, fresh []span) (end, add []Rule) {
	var old []span
	for _, r := range inForce {
		old = append(old, span{r.From, endOf(r.To), r.OrgID})
	}
	want := overlay(old, fresh)
	for i, r := range inForce {
		if !holds(want, old[i]) {
			end = append(end, r)
		}
	}
	for _, w := range want {
		if holds(old, w) {
			continue
		}
		r := Rule{Kind: kind, Key: key, OrgID: w.orgID, From: w.from, To: w.to}
		if w.to.Equal(endless) {
			r.To = time.Time{}
		}
		add = append(add, r)
	}
	return end, add
}

func holds(list []span, x span) bool {
	for _, s := range list {
		if s.orgID == x.orgID && s.from.Equal(x.from) && s.to.Equal(x.to) {
			return true
		}
	}
	return false
}
