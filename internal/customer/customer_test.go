package customer

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"huoban/internal/flow/flowtest"
	"huoban/internal/scope"
)

func day(text string) time.Time {
	if text == "" {
		return time.Time{}
	}
	t, err := time.Parse("2006-01-02", text)
	if err != nil {
		panic(err)
	}
	return t
}

func TestMachine(t *testing.T) {
	flowtest.All(t, Flow, "association", "state")
	item := []scope.Item{scope.ItemAssociationChange}
	mine := Facts{CustomerID: "c1", PartnerID: "p1"}
	taken := mine
	taken.Overlap = &Association{From: day("2024-01-01")}
	asCustomer, asPartner := scope.Customer("c1", "x", "x", item), scope.Partner("p1", "y", "y", item, nil)
	other := scope.Partner("p2", "z", "z", item, nil)
	flowtest.Guards(t, Flow, map[string]flowtest.Examples[Facts]{
		"customer_decides": {Pass: flowtest.Example[Facts]{Facts: mine, Who: asCustomer}, Refuse: flowtest.Example[Facts]{Facts: mine, Who: asPartner}},
		"partner_decides":  {Pass: flowtest.Example[Facts]{Facts: mine, Who: asPartner}, Refuse: flowtest.Example[Facts]{Facts: mine, Who: other}},
		"vendor_decides": {Pass: flowtest.Example[Facts]{Facts: mine, Who: scope.Vendor("v", "w", "w", item)},
			Refuse: flowtest.Example[Facts]{Facts: mine, Who: asPartner}},
		"no_overlap": {Pass: flowtest.Example[Facts]{Facts: mine, Who: asCustomer}, Refuse: flowtest.Example[Facts]{Facts: taken, Who: asCustomer}},
	})
	// A proposal never becomes active by the side that made it.
	for state, proposer := range map[State]scope.Scope{StateAwaitingCustomer: asPartner, StateAwaitingPartner: asCustomer} {
		if _, err := Flow.Decide(state, ActionAccept, mine, proposer, time.Now()); err == nil {
			t.Errorf("%s was accepted by the side that proposed", state)
		}
	}
}

// Walked at random, an association is active only through the consent of the side it waited for.
func TestWalk(t *testing.T) {
	item := []scope.Item{scope.ItemAssociationChange}
	actors := map[scope.Side]scope.Scope{scope.SideCustomer: scope.Customer("c1", "x", "x", item),
		scope.SidePartner: scope.Partner("p1", "y", "y", item, nil), scope.SideVendor: scope.Vendor("v", "w", "w", item)}
	var waits scope.Side
	var last scope.Scope
	flowtest.Walk(t, Flow, flowtest.WalkSpec[State, Action, Facts]{
		Now: day("2026-11-21"),
		Facts: func(rt *rapid.T, _ State) Facts {
			f := Facts{CustomerID: "c1", PartnerID: "p1"}
			if rapid.Bool().Draw(rt, "overlap") {
				f.Overlap = &Association{}
			}
			return f
		},
		Who: func(rt *rapid.T) scope.Scope {
			last = actors[rapid.SampledFrom([]scope.Side{scope.SideCustomer, scope.SidePartner, scope.SideVendor}).Draw(rt, "side")]
			return last
		},
		Begin: func(_ *rapid.T, s State) {
			waits = map[State]scope.Side{StateAwaitingCustomer: scope.SideCustomer, StateAwaitingPartner: scope.SidePartner}[s]
		},
		Step: func(rt *rapid.T, _ State, do Action, to State, f Facts) {
			switch {
			case do == ActionAccept && (last.Side() != waits || f.Overlap != nil):
				rt.Fatalf("%s accepted, %s was waited for, overlap %v", last.Side(), waits, f.Overlap)
			case do == ActionWithdraw && last.Side() == waits:
				rt.Fatalf("%s withdrew what it was asked", last.Side())
			case to == StateEnded && last.Side() != scope.SideVendor:
				rt.Fatalf("%s ended it", last.Side())
			}
		},
	})
}

func TestOverlap(t *testing.T) {
	for _, c := range []struct {
		aFrom, aTo, bFrom, bTo string
		want                   bool
	}{
		{"", "", "", "", true},
		{"2024-01-01", "2024-02-01", "2024-02-01", "", false},
		{"2024-01-01", "2024-02-02", "2024-02-01", "", true},
		{"", "2024-02-01", "2024-02-01", "", false},
		{"", "2024-02-01", "2024-01-31", "", true},
		{"2024-01-01", "2024-01-01", "", "", false},
		{"2024-03-01", "", "2024-01-01", "2024-02-01", false},
	} {
		if got := overlap(day(c.aFrom), day(c.aTo), day(c.bFrom), day(c.bTo)); got != c.want {
			t.Errorf("overlap(%+v) = %v", c, got)
		}
		if got := overlap(day(c.bFrom), day(c.bTo), day(c.aFrom), day(c.aTo)); got != c.want {
			t.Errorf("overlap is not symmetric for %+v", c)
		}
	}
}

func TestBook(t *testing.T) {
	b := NewBook([]Association{
		{ID: "2", CustomerID: "c1", PartnerID: "p2", Kind: KindReferral, State: StateActive, From: day("2024-10-01")},
		{ID: "1", CustomerID: "c1", PartnerID: "p1", Kind: KindResale, State: StateEnded, To: day("2024-10-01")},
		{ID: "3", CustomerID: "c1", PartnerID: "p3", Kind: KindResale, State: StateAwaitingCustomer},
		{ID: "4", CustomerID: "c2", PartnerID: "p1", Kind: KindResale, State: StateEnded, From: day("2024-01-01"), To: day("2024-01-01")},
		{ID: "5", CustomerID: "c3", PartnerID: "p1", Kind: KindResale, State: StateActive, From: day("2024-05-01"), To: day("2024-06-01")},
	})
	for _, c := range []struct {
		customer string
		at       time.Time
		partner  string
		kind     Kind
	}{
		{"c1", day("1999-01-01"), "p1", KindResale},
		{"c1", day("2024-10-01").Add(-time.Microsecond), "p1", KindResale},
		{"c1", day("2024-10-01"), "p2", KindReferral},
		{"c2", day("2024-01-01"), "", ""},
		{"c3", day("2024-04-30"), "", ""},
		{"c3", day("2024-05-01"), "p1", KindResale},
		{"c3", day("2024-06-01"), "", ""},
		{"c9", day("2024-06-01"), "", ""},
	} {
		partner, kind, ok := b.PartnerAt(c.customer, c.at)
		if partner != c.partner || kind != c.kind || ok != (c.partner != "") {
			t.Errorf("%s at %s: %s %s %v", c.customer, c.at, partner, kind, ok)
		}
	}
	if got := b.CustomersOf("p1"); len(got) != 2 || got[0] != "c1" || got[1] != "c3" {
		t.Errorf("customers of p1: %v", got)
	}
}

// Whatever intervals are entered, refusing overlaps leaves at most one partner at any instant.
func TestNeverTwoPartners(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var kept []Association
		at := func(n int) time.Time {
			if n == 0 {
				return time.Time{}
			}
			return day("2024-01-01").AddDate(0, 0, n)
		}
		for i := range rapid.IntRange(1, 12).Draw(rt, "n") {
			a := Association{ID: string(rune('a' + i)), CustomerID: "c", State: StateActive,
				From: at(rapid.IntRange(0, 20).Draw(rt, "from")), To: at(rapid.IntRange(0, 20).Draw(rt, "to"))}
			if !empty(a.From, a.To) && overlapping(kept, a.From, a.To, "") == nil {
				kept = append(kept, a)
			}
		}
		for n := range 23 {
			in := 0
			for _, a := range kept {
				if covers(a.From, a.To, at(n+1).Add(-time.Hour)) {
					in++
				}
			}
			if in > 1 {
				rt.Fatalf("%d associations on day %d: %+v", in, n, kept)
			}
		}
	})
}

func TestHolds(t *testing.T) {
	open := Association{State: StateActive}
	from := Association{State: StateActive, From: day("2024-01-01"), To: day("2025-01-01")}
	for _, c := range []struct {
		a        Association
		from, to string
		want     bool
	}{
		{open, "", "", true}, {open, "2024-01-01", "", true}, {from, "", "", false}, {from, "2024-01-01", "", false},
		{from, "2024-01-01", "2025-01-01", true}, {from, "2023-12-31", "2025-01-01", false}, {from, "2024-02-01", "2024-03-01", true},
	} {
		if got := holds(c.a, day(c.from), day(c.to)); got != c.want {
			t.Errorf("holds(%v, %q, %q) = %v", c.a, c.from, c.to, got)
		}
	}
}
