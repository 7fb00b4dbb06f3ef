package relation

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"huoban/internal/customer"
	"huoban/internal/flow"
	"huoban/internal/flow/flowtest"
	"huoban/internal/scope"
)

var (
	items   = []scope.Item{scope.ItemAssociationChange}
	ours    = scope.Partner("p", "x", "lin", items, nil)
	limited = ours.Limited(nil)
	buyer   = scope.Customer("c", "y", "mei", items)
	now     = time.Date(2026, 10, 31, 16, 30, 0, 0, time.UTC) // 1 November, 00:30 in GMT+8
)

func TestMachine(t *testing.T) {
	flowtest.All(t, Flow, "relation_request", "state")
	good := Facts{CustomerID: "c", PartnerID: "p", InForce: true, Kind: customer.KindResale}
	with := func(change func(*Facts)) Facts { f := good; change(&f); return f }
	pair := func(bad Facts) flowtest.Examples[Facts] {
		return flowtest.Examples[Facts]{Pass: flowtest.Example[Facts]{Facts: good, Who: ours, Now: now}, Refuse: flowtest.Example[Facts]{Facts: bad, Who: ours, Now: now}}
	}
	flowtest.Guards(t, Flow, map[string]flowtest.Examples[Facts]{
		"customer_decides": {Pass: flowtest.Example[Facts]{Facts: good, Who: buyer}, Refuse: flowtest.Example[Facts]{Facts: good, Who: ours}},
		"partner_decides":  {Pass: flowtest.Example[Facts]{Facts: good, Who: ours}, Refuse: flowtest.Example[Facts]{Facts: good, Who: limited}},
		"in_force":         pair(with(func(f *Facts) { f.InForce = false })),
		"not_ending":       pair(with(func(f *Facts) { f.EndsAt = now })),
		"not_suspended":    pair(with(func(f *Facts) { f.Suspended = true })),
	})
}

// TestChecks: each check refuses its own case and nothing else.
func TestChecks(t *testing.T) {
	good := Facts{InForce: true, Kind: customer.KindResale, Asked: SidePartner, Wish: KindSwitch, To: customer.KindReferral}
	bad := map[string]func(*Facts){"in_force": func(f *Facts) { f.InForce = false }, "not_ending": func(f *Facts) { f.EndsAt = now }, "none_open": func(f *Facts) { f.Open = true },
		"quiet_self": func(f *Facts) { f.OwnLast = now.AddDate(0, -2, 0) }, "quiet_other": func(f *Facts) { f.OtherLast = now.AddDate(0, -2, 0) },
		"not_suspended": func(f *Facts) { f.Suspended = true }, "other_mode": func(f *Facts) { f.To = f.Kind }}
	for _, g := range Checks {
		f := good
		if !g.Holds(f, ours, now) {
			t.Errorf("%s refuses what is well", g.Name)
		}
		change := bad[g.Name]
		if change == nil {
			t.Errorf("%s has no case", g.Name)
			continue
		}
		change(&f)
		for _, other := range Checks {
			if held := other.Holds(f, ours, now); held == (other.Name == g.Name) {
				t.Errorf("the case of %s: %s says %v", g.Name, other.Name, held)
			}
		}
	}
	asked := time.Date(2026, 8, 1, 2, 0, 0, 0, time.UTC)
	for at, want := range map[time.Time]bool{asked.AddDate(0, 3, 0).Add(-time.Second): false, asked.AddDate(0, 3, 0): true} {
		if over(asked, at) != want {
			t.Errorf("asked %v, at %v: %v", asked, at, !want)
		}
	}
	if Checks[4].Holds(Facts{Asked: SideCustomer, OtherLast: now}, buyer, now) != true {
		t.Error("a customer waits for its partner's quiet months")
	}
}

// TestWhen: the next month begins at midnight in GMT+8.
func TestWhen(t *testing.T) {
	if got, want := WhenNextMonth.At(now), time.Date(2026, 11, 30, 16, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("next month begins %v, want %v", got, want)
	}
	if !WhenConsent.At(now).Equal(now) {
		t.Error("at once is not at once")
	}
}

// TestWalk: nobody answers his own request, and nothing follows an answer.
func TestWalk(t *testing.T) {
	var start State
	flowtest.Walk(t, Flow, flowtest.WalkSpec[State, Action, Facts]{
		Now: now,
		Facts: func(rt *rapid.T, _ State) Facts {
			return Facts{CustomerID: "c", PartnerID: "p", InForce: rapid.Bool().Draw(rt, "in force"), Suspended: rapid.Bool().Draw(rt, "suspended")}
		},
		Who: func(rt *rapid.T) scope.Scope {
			return rapid.SampledFrom([]scope.Scope{ours, limited, buyer}).Draw(rt, "who")
		},
		Begin: func(_ *rapid.T, s State) { start = s },
		Step: func(rt *rapid.T, from State, do Action, to State, f Facts) {
			if from != start || to.Open() || do == ActionAgree && !f.InForce {
				rt.Fatalf("%s from %s to %s", do, from, to)
			}
		},
	})
	for _, s := range []State{StateAwaitingCustomer, StateAwaitingPartner} {
		asker := map[State]scope.Scope{StateAwaitingCustomer: ours, StateAwaitingPartner: buyer}[s]
		for _, do := range []Action{ActionAgree, ActionRefuse} {
			if _, err := Flow.Decide(s, do, Facts{CustomerID: "c", PartnerID: "p", InForce: true}, asker, now); err == nil {
				t.Errorf("who asked may %s in %s", do, s)
			}
		}
	}
	var _ flow.Machine = Flow
}
