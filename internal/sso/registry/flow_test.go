package registry

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"huoban/internal/flow/flowtest"
	"huoban/internal/scope"
	"huoban/internal/sso"
)

var admin = scope.Partner("P1", "lin", "lin", []scope.Item{scope.ItemAccessConfigChange}, nil)

func TestFlow(t *testing.T) {
	flowtest.All(t, Flow, "sso_idp", "state")
	good := Facts{HasMetadata: true, UsableKey: true, EntityFree: true}
	pass := flowtest.Example[Facts]{Facts: good, Who: admin}
	flowtest.Guards(t, Flow, map[string]flowtest.Examples[Facts]{
		"has_metadata": {Pass: pass, Refuse: flowtest.Example[Facts]{Facts: Facts{UsableKey: true, EntityFree: true}, Who: admin}},
		"usable_key":   {Pass: pass, Refuse: flowtest.Example[Facts]{Facts: Facts{HasMetadata: true, EntityFree: true}, Who: admin}},
		"not_held":     {Pass: pass, Refuse: flowtest.Example[Facts]{Facts: Facts{HasMetadata: true, UsableKey: true, EntityFree: true, Held: true}, Who: admin}},
		"entity_free":  {Pass: pass, Refuse: flowtest.Example[Facts]{Facts: Facts{HasMetadata: true, UsableKey: true}, Who: admin}},
	})
}

// TestWalk: nobody but the operator brings an untested platform in, and none is active without a key.
func TestWalk(t *testing.T) {
	tested := false
	flowtest.Walk(t, Flow, flowtest.WalkSpec[sso.State, Action, Facts]{
		Facts: func(rt *rapid.T, _ sso.State) Facts {
			return Facts{rapid.Bool().Draw(rt, "metadata"), rapid.Bool().Draw(rt, "key"), rapid.Bool().Draw(rt, "free"), rapid.Bool().Draw(rt, "held")}
		},
		Who: func(rt *rapid.T) scope.Scope {
			return rapid.SampledFrom([]scope.Scope{admin, scope.Partner("P1", "x", "x", nil, nil), scope.System("operator"), {}}).Draw(rt, "who")
		},
		Now:   time.Date(2026, 11, 5, 0, 0, 0, 0, time.UTC),
		Begin: func(*rapid.T, sso.State) { tested = false },
		Step: func(rt *rapid.T, from sso.State, do Action, to sso.State, f Facts) {
			tested = tested || do == ActionPassTest || do == ActionActivateUntested
			if to == sso.StateActive && (!tested || !f.HasMetadata || !f.UsableKey || !f.EntityFree) {
				rt.Fatalf("%s brings it in untested or with %+v", do, f)
			}
			if from == sso.StateDeleted {
				rt.Fatal("a deleted registration came back")
			}
		},
	})
}
