package prospect

import (
	"testing"

	"pgregory.net/rapid"

	"huoban/internal/flow/flowtest"
	"huoban/internal/scope"
)

func TestMachine(t *testing.T) {
	flowtest.All(t, Flow, "prospect", "state")
	items := []scope.Item{scope.ItemProspectChange, scope.ItemProspectReview}
	ours, other := scope.Partner("p", "x", "lin", items, nil), scope.Partner("q", "y", "mei", items, nil)
	vendor, stranger := scope.Vendor("v", "z", "hao", items), scope.Vendor("w", "z", "hao", items)
	facts := Facts{PartnerID: "p", VendorID: "v", Open: MaxOpen - 1, HasPhone: true, HasEmail: true, Granted: true}
	with := func(change func(*Facts)) Facts { f := facts; change(&f); return f }
	pair := func(good, bad Facts) flowtest.Examples[Facts] {
		return flowtest.Examples[Facts]{Pass: flowtest.Example[Facts]{Facts: good, Who: ours}, Refuse: flowtest.Example[Facts]{Facts: bad, Who: ours}}
	}
	flowtest.Guards(t, Flow, map[string]flowtest.Examples[Facts]{
		"partners_own":    {Pass: flowtest.Example[Facts]{Facts: facts, Who: ours}, Refuse: flowtest.Example[Facts]{Facts: facts, Who: other}},
		"vendor_reviews":  {Pass: flowtest.Example[Facts]{Facts: facts, Who: vendor}, Refuse: flowtest.Example[Facts]{Facts: facts, Who: stranger}},
		"granted":         pair(facts, with(func(f *Facts) { f.Granted = false })),
		"contact_on_file": pair(facts, with(func(f *Facts) { f.HasEmail = false })),
		"room_left":       pair(facts, with(func(f *Facts) { f.Open = MaxOpen })),
		"not_twice":       pair(facts, with(func(f *Facts) { f.Match = MatchOwn })),
		"not_yours":       pair(facts, with(func(f *Facts) { f.Match = MatchYours })),
		"not_taken":       pair(facts, with(func(f *Facts) { f.Match = MatchTaken })),
	})
}

// TestWalk: whatever happens to many registrations of one partner, no more than MaxOpen are open, one that is refused
// or associated never opens again, and none is registered without a review.
func TestWalk(t *testing.T) {
	const many = MaxOpen + 3
	rapid.Check(t, func(rt *rapid.T) {
		states := make([]State, many)
		for i := range states {
			states[i] = StateDraft
		}
		who := []scope.Scope{scope.Partner("p", "x", "lin", []scope.Item{scope.ItemProspectChange}, nil),
			scope.Vendor("v", "z", "hao", []scope.Item{scope.ItemProspectReview}), scope.System("system")}
		open := func() (n int) {
			for _, s := range states {
				if s.Open() {
					n++
				}
			}
			return n
		}
		for i := range many - 5 { // begin near the limit
			if open() < MaxOpen-2 {
				states[i] = StatePending
			}
		}
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			i := rapid.IntRange(0, many-1).Draw(rt, "which")
			do := rapid.SampledFrom(Flow.Actions()).Draw(rt, "action")
			actor := rapid.SampledFrom(who).Draw(rt, "who")
			others := open()
			if states[i].Open() {
				others--
			}
			row, err := Flow.Decide(states[i], do, Facts{PartnerID: "p", VendorID: "v", Open: others, HasPhone: true, HasEmail: true, Granted: true}, actor, actorTime)
			if err != nil {
				continue
			}
			if final := states[i] == StateRefused || states[i] == StateAssociated; final {
				rt.Fatalf("%s left %s", do, states[i])
			}
			if row.To == StateRegistered && (do != ActionApprove || actor.Side() == scope.SidePartner) {
				rt.Fatalf("registered by %s of %s", do, actor.Side())
			}
			states[i] = row.To
			if n := open(); n > MaxOpen {
				rt.Fatalf("%d are open", n)
			}
		}
	})
}
