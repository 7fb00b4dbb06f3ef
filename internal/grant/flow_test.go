package grant

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"huoban/internal/flow/flowtest"
	"huoban/internal/organisation"
	"huoban/internal/scope"
)

var (
	lin  = scope.Partner("p", "1", "lin", byPartner, nil)
	mei  = scope.Partner("q", "2", "mei", byPartner, nil)
	chen = scope.Vendor("v", "3", "chen", byVendor)
	wu   = scope.Vendor("w", "4", "wu", byVendor)
	noon = time.Date(2026, 11, 5, 4, 0, 0, 0, time.UTC)
)

func TestMachine(t *testing.T) {
	flowtest.All(t, Flow, "prospect_grant", "state")
	f := Facts{PartnerID: "p", VendorID: "v"}
	pair := func(good, bad scope.Scope) flowtest.Examples[Facts] {
		return flowtest.Examples[Facts]{Pass: flowtest.Example[Facts]{Facts: f, Who: good, Now: noon}, Refuse: flowtest.Example[Facts]{Facts: f, Who: bad, Now: noon}}
	}
	flowtest.Guards(t, Flow, map[string]flowtest.Examples[Facts]{"partners_own": pair(lin, mei), "vendors_own": pair(chen, wu)})
}

// TestWalk: whatever happens to a grant, it holds after the word of its own vendor alone, and not after that was taken back.
func TestWalk(t *testing.T) {
	var said bool
	flowtest.Walk(t, Flow, flowtest.WalkSpec[State, Action, Facts]{
		Now:   noon,
		Facts: func(*rapid.T, State) Facts { return Facts{PartnerID: "p", VendorID: "v"} },
		Who: func(rt *rapid.T) scope.Scope {
			return rapid.SampledFrom([]scope.Scope{lin, mei, chen, wu, scope.System("system")}).Draw(rt, "who")
		},
		Begin: func(_ *rapid.T, s State) { said = s == StateGranted },
		Step: func(_ *rapid.T, _ State, do Action, _ State, _ Facts) {
			switch do {
			case ActionApprove, ActionGive:
				said = true
			case ActionRevoke:
				said = false
			}
		},
		Invariant: func(rt *rapid.T, s State) {
			if (s == StateGranted) != said {
				rt.Fatalf("%s, the vendor's word %v", s, said)
			}
		},
	})
}

// TestNeeded: of all kinds the distributor alone wants one.
func TestNeeded(t *testing.T) {
	for _, k := range organisation.Kinds {
		if Needed(k) != (k == organisation.KindDistributor) {
			t.Errorf("%s: %v", k, Needed(k))
		}
	}
}

func TestReason(t *testing.T) {
	for _, bad := range []string{"", " \n", "\xff", string(make([]rune, MaxReason+1))} {
		if _, err := checkReason(bad); err == nil {
			t.Errorf("%q passes", bad)
		}
	}
	if got, err := checkReason(" 生态经理已确认 "); err != nil || got != "生态经理已确认" {
		t.Errorf("%q, %v", got, err)
	}
}
