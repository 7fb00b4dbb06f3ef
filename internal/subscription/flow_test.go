package subscription

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"huoban/internal/fault"
	"huoban/internal/flow/flowtest"
	"huoban/internal/scope"
)

var (
	items   = []scope.Item{scope.ItemSubscriptionChange}
	admin   = scope.Partner("p", "x", "lin", items, nil)
	manager = scope.Partner("p", "m", "chen", items, nil).Limited(nil)
	foreign = scope.Partner("q", "y", "mei", items, nil)
)

func TestMachines(t *testing.T) {
	flowtest.All(t, Flow, "subscription", "state")
	flowtest.Guards(t, Flow, map[string]flowtest.Examples[Facts]{
		"whole_side": {Pass: flowtest.Example[Facts]{Facts: Facts{"p"}, Who: admin}, Refuse: flowtest.Example[Facts]{Facts: Facts{"p"}, Who: manager}},
	})
	flowtest.All(t, DispatchFlow, "dispatch", "state")
	good := DispatchFacts{Facts{"p"}, StateOn}
	flowtest.Guards(t, DispatchFlow, map[string]flowtest.Examples[DispatchFacts]{
		"whole_side":  {Pass: flowtest.Example[DispatchFacts]{Facts: good, Who: admin}, Refuse: flowtest.Example[DispatchFacts]{Facts: good, Who: foreign}},
		"switched_on": {Pass: flowtest.Example[DispatchFacts]{Facts: good, Who: admin}, Refuse: flowtest.Example[DispatchFacts]{Facts: DispatchFacts{Facts{"p"}, StateOff}, Who: admin}},
	})
}

// TestWalk: what expired is never carried again, and nobody but the whole of the own side has a file sent.
func TestWalk(t *testing.T) {
	flowtest.Walk(t, DispatchFlow, flowtest.WalkSpec[DispatchState, DispatchAction, DispatchFacts]{
		Now: time.Date(2026, 11, 5, 0, 0, 0, 0, time.UTC),
		Facts: func(rt *rapid.T, _ DispatchState) DispatchFacts {
			return DispatchFacts{Facts{"p"}, rapid.SampledFrom([]State{StateOn, StateOff}).Draw(rt, "subscription")}
		},
		Who: func(rt *rapid.T) scope.Scope {
			return rapid.SampledFrom([]scope.Scope{admin, manager, foreign, scope.System("system")}).Draw(rt, "who")
		},
		Step: func(rt *rapid.T, from DispatchState, do DispatchAction, to DispatchState, f DispatchFacts) {
			if from == DispatchExpired || do == ActionResend && (f.Subscription != StateOn || to != DispatchWaiting) {
				rt.Fatalf("%s from %s to %s with the subscription %s", do, from, to, f.Subscription)
			}
		},
	})
}

func TestPause(t *testing.T) {
	for _, c := range []struct {
		n     int64
		asked time.Duration
		want  time.Duration
	}{{1, 0, 2 * time.Second}, {2, 0, 4 * time.Second}, {5, 0, 32 * time.Second}, {11, 0, 2048 * time.Second}, {12, 0, time.Hour}, {90, 0, time.Hour},
		{1, 40 * time.Second, 40 * time.Second}, {1, 30 * time.Hour, time.Hour}, {12, time.Second, time.Hour}} {
		if got := Pause(c.n, c.asked); got != c.want {
			t.Errorf("after try %d, asked %s: %s, want %s", c.n, c.asked, got, c.want)
		}
	}
}

func TestValidate(t *testing.T) {
	now := time.Date(2026, 11, 5, 0, 0, 0, 0, time.UTC)
	good := Input{Name: " Files ", Kind: KindBucket, Address: "https://obs.example.com", Bucket: "my-bucket", Prefix: "/a/b/", AccessKey: "ACCESS", Secret: "0123456789abcdef", Content: ContentLines, Format: FormatGzip, FirstCycle: "2026-09"}
	in := good
	if err := in.Validate(true, now); err != nil || in.Name != "Files" || in.Prefix != "a/b" || in.Region != "us-east-1" {
		t.Fatalf("%+v: %v", in, err)
	}
	for code, change := range map[string]func(*Input){
		"subscription.name":              func(in *Input) { in.Name = " " },
		"subscription.kind":              func(in *Input) { in.Kind = "ftp" },
		"subscription.bucket":            func(in *Input) { in.Bucket = "My_Bucket" },
		"subscription.region":            func(in *Input) { in.Region = "a b" },
		"subscription.prefix":            func(in *Input) { in.Prefix = "a/../b" },
		"subscription.access_key":        func(in *Input) { in.AccessKey = "" },
		"subscription.secret":            func(in *Input) { in.Secret = "short" },
		"subscription.content":           func(in *Input) { in.Content = "bills" },
		"subscription.format":            func(in *Input) { in.Format = "xml" },
		"expenditure.cycle_out_of_range": func(in *Input) { in.FirstCycle = "2024-09" },
	} {
		in := good
		change(&in)
		if err := in.Validate(true, now); !fault.HasCode(err, code) {
			t.Errorf("%s: %v", code, err)
		}
	}
	in = good
	if in.Secret = ""; in.Validate(false, now) != nil {
		t.Error("an empty secret does not keep the one there is")
	}
}
