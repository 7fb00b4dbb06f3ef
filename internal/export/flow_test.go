package export

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"huoban/internal/flow/flowtest"
	"huoban/internal/scope"
)

var (
	own    = []scope.Item{scope.ItemExportOwn}
	owner  = scope.Partner("P1", "lin", "lin", own, nil)
	friend = scope.Partner("P1", "chen", "chen", own, nil)
	task   = Task{ID: "t", OrgID: "P1", PersonID: "lin"}
)

func TestFlow(t *testing.T) {
	flowtest.All(t, Flow, "export_task", "state")
	flowtest.Guards(t, Flow, map[string]flowtest.Examples[Facts]{
		"own_task": {Pass: flowtest.Example[Facts]{Facts: Facts{task}, Who: owner}, Refuse: flowtest.Example[Facts]{Facts: Facts{task}, Who: friend}},
	})
}

func TestWalk(t *testing.T) {
	tries := 0
	flowtest.Walk(t, Flow, flowtest.WalkSpec[State, Action, Facts]{
		Facts: func(*rapid.T, State) Facts { return Facts{task} },
		Who: func(rt *rapid.T) scope.Scope {
			return rapid.SampledFrom([]scope.Scope{owner, friend, scope.System("system"), {}}).Draw(rt, "who")
		},
		Now:   time.Date(2026, 11, 5, 0, 0, 0, 0, time.UTC),
		Begin: func(*rapid.T, State) { tries = 1 },
		Step: func(rt *rapid.T, from State, do Action, to State, _ Facts) {
			if do == ActionRetry {
				tries++
			}
			if from == StateExpired {
				rt.Fatal("an expired file came back")
			}
			if to == StateProcessing && tries < 2 {
				rt.Fatal("a task is made again without being asked")
			}
		},
	})
}

func TestNobodySeesAnothersTask(t *testing.T) {
	for _, who := range []scope.Scope{friend, {}, scope.Partner("P2", "lin", "lin", own, nil), scope.Partner("P1", "", "", own, nil)} {
		if task.visibleTo(who) {
			t.Errorf("%+v sees it", who)
		}
	}
	if (Task{OrgID: "P1"}).visibleTo(scope.Partner("P1", "", "x", own, nil)) {
		t.Error("a task of the operator is seen by a person without id")
	}
}
