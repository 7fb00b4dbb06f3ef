package agreement

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/flow/flowtest"
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
	flowtest.All(t, Flow, "payment_agreement", "state")
	f := Facts{PartnerID: "p", VendorID: "v", Begins: "2026-11-05", Ends: "2026-11-05", Signed: true}
	with := func(change func(*Facts)) Facts { g := f; change(&g); return g }
	pair := func(a Facts, x scope.Scope, b Facts, y scope.Scope) flowtest.Examples[Facts] {
		return flowtest.Examples[Facts]{Pass: flowtest.Example[Facts]{Facts: a, Who: x, Now: noon}, Refuse: flowtest.Example[Facts]{Facts: b, Who: y, Now: noon}}
	}
	system, ended := scope.System("system"), with(func(g *Facts) { g.Begins, g.Ends = "2026-11-01", "2026-11-04" })
	flowtest.Guards(t, Flow, map[string]flowtest.Examples[Facts]{
		"partners_own": pair(f, lin, f, mei), "vendors_own": pair(f, chen, f, wu), "a_partys": pair(f, chen, f, mei), "signed": pair(f, lin, with(func(g *Facts) { g.Signed = false }), lin),
		"no_other": pair(f, lin, with(func(g *Facts) { g.Taken = true }), lin), "not_over": pair(f, lin, ended, lin),
		"begun": pair(f, system, with(func(g *Facts) { g.Begins = "2026-11-06" }), system), "over": pair(ended, system, f, system)})
}

// TestWalk takes a hundred thousand steps: nothing holds without the vendor's word or before its first day, and what is
// over or void covers no later day.
func TestWalk(t *testing.T) {
	steps := 0
	var agreed bool
	var a Agreement
	for steps < 100_000 {
		flowtest.Walk(t, Flow, flowtest.WalkSpec[State, Action, Facts]{
			Now: noon,
			Facts: func(rt *rapid.T, _ State) Facts {
				steps++
				return Facts{PartnerID: "p", VendorID: "v", Begins: a.Begins, Ends: a.Ends, Signed: rapid.Bool().Draw(rt, "signed"), Taken: rapid.Bool().Draw(rt, "taken")}
			},
			Who: func(rt *rapid.T) scope.Scope {
				return rapid.SampledFrom([]scope.Scope{lin, mei, chen, wu, scope.System("system")}).Draw(rt, "who")
			},
			Begin: func(rt *rapid.T, s State) {
				agreed = s == StateActive
				day := rapid.IntRange(-4, 2).Draw(rt, "begins")
				a = Agreement{Begins: cycle.Day(noon.AddDate(0, 0, day)), Ends: cycle.Day(noon.AddDate(0, 0, day+rapid.IntRange(0, 3).Draw(rt, "for"))), State: s}
				if agreed {
					a.Begins = cycle.Day(noon)
					a.Ends = a.Begins
				}
			},
			Step: func(rt *rapid.T, _ State, do Action, to State, _ Facts) {
				agreed = agreed || do == ActionApprove
				if do == ActionVoid {
					a.EndedAt = noon
				}
				if do == ActionActivate && a.Begins > cycle.Day(noon) || do == ActionExpire && a.Ends >= cycle.Day(noon) {
					rt.Fatalf("%s of %s to %s on %s", do, a.Begins, a.Ends, cycle.Day(noon))
				}
				a.State = to
			},
			Invariant: func(rt *rapid.T, s State) {
				covers := a.Covers(cycle.Day(noon))
				if covers && (!agreed || s == StateVoided || s == StateExpired || !s.Open()) {
					rt.Fatalf("%s covers today, agreed %v", s, agreed)
				}
			},
		})
	}
}

// TestCovers: both days are included, of GMT+8; what was made void covers the days before it.
func TestCovers(t *testing.T) {
	a := Agreement{Payer: "启衡控股（集团）有限公司", Begins: "2026-11-05", Ends: "2026-11-30", State: StateActive}
	voided := a
	voided.State, voided.EndedAt = StateVoided, time.Date(2026, 11, 19, 16, 0, 0, 0, time.UTC) // 00:00 of the 20th in GMT+8
	for _, x := range []struct {
		of    Agreement
		state State
		day   string
		want  bool
	}{
		{a, StateActive, "2026-11-04", false}, {a, StateActive, "2026-11-05", true}, {a, StateActive, "2026-11-30", true}, {a, StateActive, "2026-12-01", false},
		{a, StateExpired, "2026-11-30", true}, {a, StateApproved, "2026-11-05", true}, {a, StateReviewing, "2026-11-05", false}, {a, StateDraft, "2026-11-05", false}, {a, StateRefused, "2026-11-05", false},
		{a, StateDeleted, "2026-11-05", false}, {voided, StateVoided, "2026-11-19", true}, {voided, StateVoided, "2026-11-20", false}, {voided, StateVoided, "2026-11-04", false},
	} {
		x.of.State = x.state
		if got := InForce([]Agreement{x.of}, "启衡控股(集团) 有限公司", x.day); got != x.want {
			t.Errorf("%s on %s: %v", x.state, x.day, got)
		}
	}
	if InForce([]Agreement{a}, "启衡控股", "2026-11-05") {
		t.Error("a part of the name is enough")
	}
	if at := a.EndsAt(); !at.Equal(time.Date(2026, 11, 30, 16, 0, 0, 0, time.UTC)) || !a.BeginsAt().Equal(time.Date(2026, 11, 4, 16, 0, 0, 0, time.UTC)) {
		t.Error(a.BeginsAt(), at)
	}
}

// TestCheck: the bounds, on both sides.
func TestCheck(t *testing.T) {
	good := Input{Kind: KindStanding, PayerKind: PayerCompany, Payer: "启衡控股", Begins: "2026-11-05", Ends: "2027-11-04"}
	for _, x := range []struct {
		change func(*Input)
		code   string
	}{
		{func(*Input) {}, ""}, {func(i *Input) { i.Kind = "for ever" }, "agreement.kind_unknown"}, {func(i *Input) { i.PayerKind = "" }, "agreement.kind_unknown"}, {func(i *Input) { i.Payer = " " }, "agreement.payer_missing"},
		{func(i *Input) { i.Begins = "2026-10-06" }, ""}, {func(i *Input) { i.Begins = "2026-10-05" }, "agreement.too_early"}, {func(i *Input) { i.Ends = "2029-11-04" }, ""}, {func(i *Input) { i.Ends = "2029-11-05" }, "agreement.too_long"},
		{func(i *Input) { i.Ends = "2026-11-04" }, "agreement.ends_first"}, {func(i *Input) { i.Begins = "2026-13-05" }, "agreement.day_malformed"}, {func(i *Input) { i.Ends = "" }, "agreement.day_malformed"},
		{func(i *Input) { i.Begins, i.Ends = "2026-11-01", "2026-11-04" }, "agreement.over"}, {func(i *Input) { i.Kind, i.Begins = KindSingle, "2026-11-04" }, ""}, {func(i *Input) { i.Kind, i.Begins = KindSingle, "2026-11-06" }, "agreement.single_ahead"},
	} {
		in := good
		x.change(&in)
		in = in.tidy()
		err := in.check(noon)
		if x.code == "" && err != nil || x.code != "" && !fault.HasCode(err, x.code) {
			t.Errorf("%+v: %v, want %q", in, err, x.code)
		}
	}
	if in := (Input{Kind: KindSingle, Begins: " 2026-11-05", Ends: "2030-01-01"}).tidy(); in.Ends != "2026-11-05" {
		t.Error(in)
	}
}
