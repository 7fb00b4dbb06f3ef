package monthclose

import (
	"testing"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/flow/flowtest"
	"huoban/internal/money"
	"huoban/internal/scope"
)

func TestMachine(t *testing.T) {
	flowtest.All(t, Flow, "month_close", "state")
	who := scope.Vendor("v", "p", "lin", []scope.Item{scope.ItemCloseRun})
	blocked := Facts{Checks: []Check{{Code: "monthclose.rows_unmapped", Severity: SeverityBlocker}}}
	flowtest.Guards(t, Flow, map[string]flowtest.Examples[Facts]{
		"ready": {Pass: flowtest.Example[Facts]{Who: who}, Refuse: flowtest.Example[Facts]{Facts: blocked, Who: who}},
	})
}

func TestNextOpen(t *testing.T) {
	for _, c := range []struct {
		states map[cycle.Cycle]State
		want   cycle.Cycle
	}{
		{nil, "2026-01"},
		{map[cycle.Cycle]State{"2026-01": StateOpen}, "2026-01"},
		{map[cycle.Cycle]State{"2026-01": StateIssued, "2026-02": StateDraft}, "2026-03"},
		{map[cycle.Cycle]State{"2026-01": StateFrozen, "2026-02": StateIssued, "2026-03": StateReviewed, "2026-04": StateOpen}, "2026-04"},
		{map[cycle.Cycle]State{"2025-11": StateOpen}, "2026-01"},
	} {
		if got := NextOpen("2025-12", c.states); got != c.want {
			t.Errorf("%v: %s, want %s", c.states, got, c.want)
		}
	}
}

func TestDeadline(t *testing.T) {
	beijing := func(h, m int) time.Time { return time.Date(2026, 9, 5, h, m, 0, 0, cycle.Zone) }
	for _, c := range []struct {
		at              time.Time
		state           State
		remind, overdue bool
	}{
		{beijing(8, 59), StateOpen, false, false},
		{beijing(9, 0), StateOpen, true, false},
		{beijing(11, 59), StateReviewed, true, false},
		{beijing(12, 0), StateDraft, true, true},
		{beijing(12, 0), StateIssued, false, false},
	} {
		d := DeadlineAt("2026-08", c.state, c.at)
		if d.Remind != c.remind || d.Overdue != c.overdue {
			t.Errorf("%s %s: %+v", c.at, c.state, d)
		}
	}
}

func TestStage(t *testing.T) {
	for s, want := range map[State]Stage{StateOpen: StageEstimate, StateFrozen: StageEstimate, StateDraft: StageDraft, StateReviewed: StageDraft, StateIssued: StageFinal} {
		if s.Stage() != want || s.TakesData() != (s == StateOpen) {
			t.Errorf("%s: %s", s, s.Stage())
		}
	}
}

func TestExpected(t *testing.T) {
	for _, c := range []struct {
		f    SourceFacts
		want bool
	}{
		{SourceFacts{}, false},
		{SourceFacts{First: "2026-08"}, true},
		{SourceFacts{First: "2026-09"}, false},
		{SourceFacts{From: "2026-08", First: "2026-09"}, true},
		{SourceFacts{From: "2026-09", First: "2026-07"}, false},
		{SourceFacts{First: "2026-01", Until: "2026-07"}, false},
		{SourceFacts{First: "2026-01", Until: "2026-08"}, true},
	} {
		if c.f.Expected("2026-08") != c.want {
			t.Errorf("%+v: %v", c.f, !c.want)
		}
	}
}

// The month is over when it is over in the zone where it ends last.
func TestMonthOver(t *testing.T) {
	tokyo, _ := cycle.ParseZone("+09:00")
	g := Gate{Vendor: "V", Cycle: "2026-08", Sources: []SourceFacts{
		{Name: "east", Zone: tokyo, First: "2026-08", Delivered: true, Final: true},
		{Name: "utc", Zone: time.UTC, First: "2026-08", Delivered: true, Final: true}}, Lines: 1}
	end := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	for at, over := range map[time.Time]bool{end: true, end.Add(-time.Microsecond): false} {
		g.Now = at
		if blocked := len(Blockers(g.Checks())) > 0; blocked == over {
			t.Errorf("%s: %v", at, g.Checks())
		}
	}
}

func TestOverride(t *testing.T) {
	g := Gate{Vendor: "V", Cycle: "2026-08", Now: time.Date(2026, 9, 2, 0, 0, 0, 0, time.UTC), State: StateDraft, Lines: 1, Stale: true,
		Sources: []SourceFacts{{Name: "s", Zone: time.UTC, First: "2026-08", Delivered: true,
			Unmapped: []UnmappedKey{{Key: "k", Currency: "USD", Lines: 1, Exact: money.MustExact("1")}}}}}
	who := scope.Vendor("v", "p", "lin", []scope.Item{scope.ItemCloseOverride})
	f := Facts{Checks: g.Checks(), Override: Override{Reason: "late cloud"}}
	left := f.Blocking(who)
	if len(left) != 1 || left[0].Code != "monthclose.draft_stale" {
		t.Errorf("an override leaves %v", left)
	}
	if n := len(f.Blocking(scope.Vendor("v", "p", "lin", nil))); n != 3 {
		t.Errorf("without the permission %d blockers", n)
	}
	f.Override.Reason = "  "
	if n := len(f.Blocking(who)); n != 3 {
		t.Errorf("without a reason %d blockers", n)
	}
	if err := Refusal(f.Checks); !fault.HasCode(err, "monthclose.rows_unmapped") || !fault.HasCode(err, "monthclose.source_not_final") {
		t.Errorf("refusal: %v", err)
	}
}

// Beyond the named keys the rest is one reason per currency, and no amount is lost.
func TestManyUnmappedKeys(t *testing.T) {
	f := SourceFacts{Name: "s", Zone: time.UTC, First: "2026-08", Delivered: true, Final: true}
	for i := range NamedKeys + 30 {
		f.Unmapped = append(f.Unmapped, UnmappedKey{Key: string(rune('a' + i)), Currency: []string{"USD", "EUR"}[i%2], Lines: 2, Exact: money.MustExact("0.5")})
	}
	g := Gate{Vendor: "V", Cycle: "2026-08", Now: time.Date(2026, 9, 2, 0, 0, 0, 0, time.UTC), Lines: 1, Sources: []SourceFacts{f}}
	blockers := Blockers(g.Checks())
	if len(blockers) != NamedKeys+2 {
		t.Fatalf("%d reasons", len(blockers))
	}
	for _, c := range blockers[NamedKeys:] {
		if c.Code != "monthclose.more_unmapped" || c.Args["Amount"] != "7.5" || c.Args["Count"] != int64(30) || c.Args["Keys"] != int64(15) {
			t.Errorf("the rest: %+v", c)
		}
	}
}

func TestCSVCell(t *testing.T) {
	for in, want := range map[string]string{"a": "a", "a,b": `"a,b"`, `q"`: `"q"""`, "": ""} {
		if got := csvCell(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}
