package withdrawal

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"huoban/internal/flow/flowtest"
	"huoban/internal/money"
	"huoban/internal/scope"
)

var (
	applicant = scope.Partner("p", "1", "lin", applicants, nil)
	stranger  = scope.Partner("q", "2", "mei", applicants, nil)
	clerk     = scope.Vendor("v", "3", "chen", []scope.Item{scope.ItemPayoutReview, scope.ItemPayoutPay})
	colleague = scope.Vendor("v", "4", "zhou", []scope.Item{scope.ItemPayoutReview, scope.ItemPayoutPay})
	elsewhere = scope.Vendor("w", "5", "wu", []scope.Item{scope.ItemPayoutReview, scope.ItemPayoutPay})
	noon      = time.Date(2026, 10, 12, 4, 0, 0, 0, time.UTC)
)

func TestMachine(t *testing.T) {
	flowtest.All(t, Flow, "withdrawal", "state")
	f := Facts{PartnerID: "p", VendorID: "v", First: "chen"}
	two := f
	two.TwoNeeded = true
	case2 := func(a Facts, x scope.Scope, b Facts, y scope.Scope) flowtest.Examples[Facts] {
		return flowtest.Examples[Facts]{Pass: flowtest.Example[Facts]{Facts: a, Who: x}, Refuse: flowtest.Example[Facts]{Facts: b, Who: y}}
	}
	flowtest.Guards(t, Flow, map[string]flowtest.Examples[Facts]{
		"partner_decides": case2(f, applicant, f, stranger), "vendor_decides": case2(f, clerk, f, elsewhere),
		"one_person": case2(f, clerk, two, clerk), "two_persons": case2(two, clerk, f, clerk), "second_person": case2(two, colleague, two, clerk)})
	if !ofVendor.Holds(f, scope.System("system"), noon) {
		t.Error("a bank's answer cannot be told by the program")
	}
}

// TestWalk takes a hundred thousand steps: wherever a request goes, its amount is in exactly one place, it is paid or
// given back once, and what needs two persons was agreed to by two.
func TestWalk(t *testing.T) {
	type books struct{ balance, frozen, transit, bank int }
	var b books
	var first, last string
	steps := 0
	for round := 0; steps < 100_000; round++ {
		flowtest.Walk(t, Flow, flowtest.WalkSpec[State, Action, Facts]{
			Now: noon,
			Facts: func(rt *rapid.T, _ State) Facts {
				steps++
				return Facts{PartnerID: "p", VendorID: "v", First: first, TwoNeeded: rapid.Bool().Draw(rt, "two")}
			},
			Who: func(rt *rapid.T) scope.Scope {
				who := rapid.SampledFrom([]scope.Scope{applicant, stranger, clerk, colleague, elsewhere, scope.System("system")}).Draw(rt, "who")
				last = who.Login()
				return who
			},
			Begin: func(_ *rapid.T, _ State) { b, first = books{frozen: 1}, "" },
			Step: func(rt *rapid.T, from State, do Action, to State, f Facts) {
				switch do {
				case ActionForward:
					first = last
				case ActionApprove, ActionSecond, ActionRetry:
					b.frozen, b.transit = b.frozen-1, b.transit+1
					if do == ActionSecond && last == first {
						rt.Fatalf("%s agreed twice", last)
					}
					if do == ActionApprove && f.TwoNeeded {
						rt.Fatal("one person agreed where two are needed")
					}
				case ActionFail:
					b.transit, b.frozen = b.transit-1, b.frozen+1
				case ActionSucceed:
					b.transit, b.bank = b.transit-1, b.bank+1
				case ActionRefuse, ActionCancel, ActionReturn:
					b.frozen, b.balance = b.frozen-1, b.balance+1
				}
			},
			Invariant: func(rt *rapid.T, s State) {
				if b.balance+b.frozen+b.transit+b.bank != 1 || b.balance < 0 || b.frozen < 0 || b.transit < 0 || b.bank < 0 || s.Undone() != (b.balance == 1) || (s == StateDone) != (b.bank == 1) {
					rt.Fatalf("in %s the amount is at %+v", s, b)
				}
			},
		})
	}
	t.Logf("%d steps", steps)
}

// TestFits: what came by a wallet goes back by it for eleven months, what came by UnionPay for three, to the day in
// GMT+8; then, or where its owner wants so, to a bank account; incentives by their own way alone.
func TestFits(t *testing.T) {
	at := time.Date(2026, 1, 31, 15, 59, 0, 0, time.UTC) // 31 January, 23:59 in GMT+8
	for _, x := range []struct {
		name   string
		source Source
		kind   Kind
		own    bool // its owner does not want the way it came
		now    time.Time
		want   string
	}{
		{"alipay within eleven months", Source{Way: WayAlipay, At: at}, KindOriginal, false, time.Date(2026, 12, 31, 15, 58, 59, 0, time.UTC), ""},
		{"alipay after eleven months", Source{Way: WayAlipay, At: at}, KindOriginal, false, time.Date(2026, 12, 31, 15, 59, 0, 0, time.UTC), "withdrawal.way_aged"},
		{"and then to a bank", Source{Way: WayAlipay, At: at}, KindCard, false, time.Date(2026, 12, 31, 15, 59, 0, 0, time.UTC), ""},
		{"but not before", Source{Way: WayWeChat, At: at}, KindCard, false, time.Date(2026, 12, 31, 15, 58, 59, 0, time.UTC), "withdrawal.original_instead"},
		{"unless wanted", Source{Way: WayWeChat, At: at}, KindCard, true, at, ""},
		{"unionpay within three months", Source{Way: WayUnionPay, At: at}, KindOriginal, false, time.Date(2026, 4, 30, 15, 0, 0, 0, time.UTC), ""},
		{"unionpay after three months", Source{Way: WayUnionPay, At: at}, KindOriginal, false, time.Date(2026, 5, 1, 16, 0, 0, 0, time.UTC), "withdrawal.way_aged"},
		{"a transfer however old", Source{Way: WayTransfer, At: at}, KindOriginal, false, at.AddDate(5, 0, 0), ""},
		{"a transfer to a bank account unasked", Source{Way: WayTransfer, At: at}, KindCard, false, at, "withdrawal.original_instead"},
		{"of the computing entity age does not count", Source{Way: WayAlipay, At: at, Entity: ComputingEntity}, KindCard, false, at.AddDate(2, 0, 0), "withdrawal.original_instead"},
		{"of the computing entity what came back", Source{Way: WayAlipay, At: at, Entity: ComputingEntity, Returned: true}, KindCard, false, at, ""},
		{"what came back does not go that way again", Source{Way: WayTransfer, At: at, Returned: true}, KindOriginal, false, at, "withdrawal.came_back"},
		{"a change of trade mode has no way back", Source{Way: WayTradeMode, At: at}, KindOriginal, false, at, "withdrawal.no_way_back"},
		{"a change of trade mode to a bank account", Source{Way: WayTradeMode, At: at, Entity: ComputingEntity}, KindCard, false, at, ""},
		{"incentives", Source{Way: WayRebate, At: at}, KindRebate, false, at, ""},
		{"incentives to a bank account as money", Source{Way: WayRebate, At: at}, KindCard, true, at, "withdrawal.rebate_only"},
		{"money as incentives", Source{Way: WayTransfer, At: at}, KindRebate, false, at, "withdrawal.not_rebate"},
	} {
		got := ""
		if f := x.source.Fits(x.kind, x.own, x.now); f != nil {
			got = f.Code
		}
		if got != x.want {
			t.Errorf("%s: %q, want %q", x.name, got, x.want)
		}
	}
}

// TestAmountOf: two decimals, above zero, nothing else.
func TestAmountOf(t *testing.T) {
	for text, want := range map[string]money.Amount{"1": 1e8, "1,234.56": 1234_56000000, " 0.01 ": 1e6, "1.500": 1_50000000} {
		if got, err := AmountOf(text); err != nil || got != want {
			t.Errorf("%q: %v %v", text, got, err)
		}
	}
	for _, text := range []string{"", "0", "-1", "0.001", "1e400", "一百", "NaN", "99999999999999999999", "0.000000001"} {
		if got, err := AmountOf(text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}
