package creditline_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"huoban/internal/creditline"
	"huoban/internal/flow/flowtest"
	"huoban/internal/foureyes"
	"huoban/internal/money"
	"huoban/internal/scope"
)

func TestFlow(t *testing.T) {
	now := time.Date(2026, 11, 5, 4, 0, 0, 0, time.UTC)
	lender := []scope.Item{scope.ItemCreditChange}
	chen, lin, wu := scope.Vendor("V", "chen", "chen", lender), scope.Vendor("V", "lin", "lin", lender), scope.Vendor("W", "wu", "wu", lender)
	waits := creditline.Facts{VendorID: "V", Case: foureyes.Case{First: "chen", Needed: true}}
	flowtest.All(t, creditline.Flow, "credit_change", "state")
	by := func(pass, refuse scope.Scope) flowtest.Examples[creditline.Facts] {
		return flowtest.Examples[creditline.Facts]{Pass: flowtest.Example[creditline.Facts]{Facts: waits, Who: pass, Now: now}, Refuse: flowtest.Example[creditline.Facts]{Facts: waits, Who: refuse, Now: now}}
	}
	flowtest.Guards(t, creditline.Flow, map[string]flowtest.Examples[creditline.Facts]{"vendors_own": by(lin, wu), "second_person": by(lin, chen), "proposers_own": by(chen, lin)})
	var approved, decided int
	flowtest.Walk(t, creditline.Flow, flowtest.WalkSpec[creditline.State, creditline.Action, creditline.Facts]{
		Facts: func(*rapid.T, creditline.State) creditline.Facts { return waits },
		Who:   func(rt *rapid.T) scope.Scope { return rapid.SampledFrom([]scope.Scope{chen, lin, wu}).Draw(rt, "who") },
		Now:   now, Begin: func(*rapid.T, creditline.State) { approved, decided = 0, 0 },
		Step: func(_ *rapid.T, _ creditline.State, do creditline.Action, _ creditline.State, _ creditline.Facts) {
			decided++
			if do == creditline.ActionApprove {
				approved++
			}
		},
		Invariant: func(rt *rapid.T, _ creditline.State) {
			if decided > 1 || approved > 1 {
				rt.Fatalf("decided %d times", decided)
			}
		},
	})
}

// A line that is raised in small steps still counts whole.
func TestWeight(t *testing.T) {
	for _, c := range []struct{ was, line, want money.Amount }{{0, 100, 100}, {100, 101, 101}, {100, 40, 60}, {100, 0, 100}, {100, 100, 0}} {
		if got := (&creditline.Change{Was: c.was, Line: c.line}).Weight(); got != c.want {
			t.Errorf("from %d to %d weighs %d, not %d", c.was, c.line, got, c.want)
		}
	}
}
