package invitation

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"huoban/internal/flow/flowtest"
	"huoban/internal/scope"
)

var (
	items = []scope.Item{scope.ItemProspectChange}
	ours  = scope.Partner("p", "x", "lin", items, nil)
	other = scope.Partner("q", "y", "mei", items, nil)
)

func TestMachine(t *testing.T) {
	flowtest.All(t, Flow, "invitation", "state")
	good := Facts{PartnerID: "p", Registered: true, Granted: true}
	flowtest.Guards(t, Flow, map[string]flowtest.Examples[Facts]{
		"partners_own": {Pass: flowtest.Example[Facts]{Facts: good, Who: ours}, Refuse: flowtest.Example[Facts]{Facts: good, Who: other}},
		"registered":   {Pass: flowtest.Example[Facts]{Facts: good, Who: ours}, Refuse: flowtest.Example[Facts]{Facts: Facts{PartnerID: "p"}, Who: ours}},
		"granted":      {Pass: flowtest.Example[Facts]{Facts: good, Who: ours}, Refuse: flowtest.Example[Facts]{Facts: Facts{PartnerID: "p", Registered: true}, Who: ours}},
		"in_time":      {Pass: flowtest.Example[Facts]{Facts: good, Who: ours}, Refuse: flowtest.Example[Facts]{Facts: Facts{PartnerID: "p", Registered: true, Over: true}, Who: ours}},
	})
}

// TestWalk: an invitation is accepted at most once, never after its time and never by the partner itself.
func TestWalk(t *testing.T) {
	accepted := 0
	flowtest.Walk(t, Flow, flowtest.WalkSpec[State, Action, Facts]{
		Now: time.Date(2026, 10, 15, 6, 30, 0, 0, time.UTC),
		Facts: func(rt *rapid.T, _ State) Facts {
			return Facts{PartnerID: "p", Registered: rapid.Bool().Draw(rt, "registered"), Over: rapid.Bool().Draw(rt, "over"), Granted: rapid.Bool().Draw(rt, "granted")}
		},
		Who: func(rt *rapid.T) scope.Scope {
			return rapid.SampledFrom([]scope.Scope{ours, other, scope.System("system")}).Draw(rt, "who")
		},
		Begin: func(*rapid.T, State) { accepted = 0 },
		Step: func(rt *rapid.T, _ State, do Action, _ State, f Facts) {
			if do == ActionAccept {
				if accepted++; accepted > 1 || f.Over || !f.Granted {
					rt.Fatalf("accepted %d times, over %v, granted %v", accepted, f.Over, f.Granted)
				}
			}
		},
	})
}

// TestReasons: every reason has its words and an advice, and those of the link are cured by sending again.
func TestReasons(t *testing.T) {
	again := 0
	for _, r := range Reasons {
		if r.Again() {
			again++
		}
	}
	if again == 0 || again == len(Reasons) || !ReasonLinkExpired.Again() || ReasonOtherPartner.Again() {
		t.Errorf("%d of %d reasons are cured by sending again", again, len(Reasons))
	}
}
