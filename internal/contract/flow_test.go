package contract

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/flow/flowtest"
	"huoban/internal/money"
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
	flowtest.All(t, Flow, "contract", "state")
	f, ended := Facts{PartnerID: "p", VendorID: "v", Begins: "2026-11-05", Ends: "2026-11-05"}, Facts{PartnerID: "p", VendorID: "v", Begins: "2026-11-01", Ends: "2026-11-04"}
	ahead := Facts{PartnerID: "p", VendorID: "v", Begins: "2026-11-06", Ends: "2026-11-07"}
	pair := func(a Facts, x scope.Scope, b Facts, y scope.Scope) flowtest.Examples[Facts] {
		return flowtest.Examples[Facts]{Pass: flowtest.Example[Facts]{Facts: a, Who: x, Now: noon}, Refuse: flowtest.Example[Facts]{Facts: b, Who: y, Now: noon}}
	}
	system := scope.System("system")
	flowtest.Guards(t, Flow, map[string]flowtest.Examples[Facts]{"partners_own": pair(f, lin, f, mei), "vendors_own": pair(f, chen, f, wu), "not_over": pair(f, lin, ended, lin),
		"begun": pair(f, system, ahead, system), "over": pair(ended, system, f, system)})
}

// TestWalk takes a hundred thousand steps: nothing is in force without the vendor's word, or outside its days.
func TestWalk(t *testing.T) {
	steps := 0
	var agreed bool
	var f Facts
	for steps < 100_000 {
		flowtest.Walk(t, Flow, flowtest.WalkSpec[State, Action, Facts]{
			Now:   noon,
			Facts: func(*rapid.T, State) Facts { steps++; return f },
			Who: func(rt *rapid.T) scope.Scope {
				return rapid.SampledFrom([]scope.Scope{lin, mei, chen, wu, scope.System("system")}).Draw(rt, "who")
			},
			Begin: func(rt *rapid.T, s State) {
				agreed = s == StateApproved // a vendor's own
				day := rapid.IntRange(-4, 2).Draw(rt, "begins")
				f = Facts{PartnerID: "p", VendorID: "v", Begins: cycle.Day(noon.AddDate(0, 0, day)), Ends: cycle.Day(noon.AddDate(0, 0, day+rapid.IntRange(0, 3).Draw(rt, "for")))}
			},
			Step: func(rt *rapid.T, _ State, do Action, _ State, f Facts) {
				agreed = agreed || do == ActionApprove
				if do == ActionActivate && f.Begins > cycle.Day(noon) || do == ActionEnd && f.Ends >= cycle.Day(noon) || do == ActionApprove && f.Ends < cycle.Day(noon) {
					rt.Fatalf("%s of %s to %s on %s", do, f.Begins, f.Ends, cycle.Day(noon))
				}
			},
			Invariant: func(rt *rapid.T, s State) {
				if s == StateEffective && !agreed {
					rt.Fatal("in force without the vendor")
				}
			},
		})
	}
}

// TestParse: the bounds, on both sides; the plan is in the order of its days.
func TestParse(t *testing.T) {
	good := Input{Title: "年度框架", Currency: "CNY", Begins: "2026-11-05", Ends: "2027-11-04", Plan: "2026-12-31 1,000.50\n\n2025-11-05，20"}
	for _, x := range []struct {
		change func(*Input)
		kind   Kind
		code   string
	}{
		{func(*Input) {}, KindOnline, ""}, {func(*Input) {}, KindOffline, "contract.paper_no_missing"}, {func(i *Input) { i.PaperNo = "A-1" }, KindOffline, ""}, {func(i *Input) { i.Title = " " }, KindOnline, "contract.title_missing"},
		{func(i *Input) { i.Currency = "元" }, KindOnline, "contract.currency_unknown"}, {func(i *Input) { i.Begins = "2026-11-31" }, KindOnline, "contract.day_malformed"}, {func(i *Input) { i.Ends = "2026-11-04" }, KindOnline, "contract.ends_first"},
		{func(i *Input) { i.Ends = "2031-11-04" }, KindOnline, ""}, {func(i *Input) { i.Ends = "2031-11-05" }, KindOnline, "contract.too_long"}, {func(i *Input) { i.Begins, i.Ends = "2026-01-01", "2026-11-04" }, KindOnline, "contract.over"},
		{func(i *Input) { i.Plan = "2025-11-04 20" }, KindOnline, "contract.plan_early"}, {func(i *Input) { i.Plan = "2027-11-05 20" }, KindOnline, "contract.plan_late"}, {func(i *Input) { i.Plan = "\n " }, KindOnline, "contract.plan_missing"},
		{func(i *Input) { i.Plan = strings.Repeat("2026-12-31 1\n", MaxPlan) }, KindOnline, ""}, {func(i *Input) { i.Plan = strings.Repeat("2026-12-31 1\n", MaxPlan+1) }, KindOnline, "contract.plan_missing"},
		{func(i *Input) { i.Plan = "2026-12-31" }, KindOnline, "contract.plan_malformed"}, {func(i *Input) { i.Plan = "2026-12-31 0" }, KindOnline, "contract.plan_malformed"}, {func(i *Input) { i.Plan = "2026-12-31 -1" }, KindOnline, "contract.plan_malformed"},
		{func(i *Input) { i.Plan = "2026-12-31 1.001" }, KindOnline, "contract.plan_malformed"}, {func(i *Input) { i.Plan = "2026-12-31 1.000000001" }, KindOnline, "contract.plan_malformed"}, {func(i *Input) { i.Plan = "2026-12-31 NaN" }, KindOnline, "contract.plan_malformed"},
		{func(i *Input) { i.Plan = "2026-12-31 1e400" }, KindOnline, "contract.plan_malformed"}, {func(i *Input) { i.Remark = strings.Repeat("字", MaxRemark+1) }, KindOnline, "contract.remark_long"},
	} {
		in := good
		x.change(&in)
		_, err := in.parse(x.kind, noon)
		if x.code == "" && err != nil || x.code != "" && !fault.HasCode(err, x.code) {
			t.Errorf("%+v: %v, want %q", in, err, x.code)
		}
	}
	plan, err := good.parse(KindOnline, noon)
	if err != nil || len(plan) != 2 || plan[0] != (Item{No: 1, PromisedOn: "2025-11-05", Amount: 20 * money.Unit}) || plan[1].Amount != 1000*money.Unit+money.Unit/2 || plan[1].No != 2 {
		t.Error(plan, err)
	}
}
