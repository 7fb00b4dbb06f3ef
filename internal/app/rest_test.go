package app

import (
	"testing"
	"time"
)

func TestRestIsTakenAfterQuiet(t *testing.T) {
	at := func(s float64) time.Time { return time.Unix(0, int64(s*1e9)) }
	s := &rest{seen: -1}
	for _, step := range []struct {
		at          float64
		count       int64
		all         bool
		light, long bool
	}{
		{0, 0, true, false, false},   // the start counts as somebody
		{0.5, 0, true, false, false}, // not long enough
		{1, 0, true, true, false},
		{2, 0, true, false, false}, // once
		{3, 1, false, false, false},
		{9, 1, false, false, false}, // a long answer is no quiet
		{9.5, 1, true, false, false},
		{10, 1, true, true, false}, // a second after the answer was last seen to be wanting
		{69, 1, true, true, true},
		{70, 1, true, false, false},
		{129, 1, true, true, true}, // and again, for what the background left
	} {
		light, long := s.due(step.count, step.all, at(step.at))
		if light != step.light || long != step.long {
			t.Errorf("at %g: light %t long %t, want %t %t", step.at, light, long, step.light, step.long)
		}
	}
}
