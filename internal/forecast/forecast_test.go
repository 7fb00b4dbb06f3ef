package forecast

import (
	"testing"

	"huoban/internal/cycle"
	"huoban/internal/money"
)

// month has so much on its first day and so much on each other day.
func month(c cycle.Cycle, days int, first, other string) Month {
	m := Month{Cycle: c}
	for d := range days {
		x := other
		if d == 0 {
			x = first
		}
		m.Days = append(m.Days, money.MustExact(x))
	}
	return m
}

func TestAt(t *testing.T) {
	even := []Month{month("2026-01", 30, "10", "10"), month("2026-02", 30, "10", "10"), month("2026-03", 30, "10", "10")}
	// 100 of 390, 200 of 490 and 300 of 590 were charged on the first day, and 10 on each of 29 others.
	early := []Month{month("2026-01", 30, "100", "10"), month("2026-02", 30, "200", "10"), month("2026-03", 30, "300", "10")}
	for _, c := range []struct {
		name              string
		before            []Month
		running           Month
		day               int
		low, likely, high string
		ok                bool
	}{
		{"even months: thrice ten days, the least margin", even, month("2026-04", 30, "20", "20"), 10, "594.00", "600.00", "606.00", true},
		{"the proportions differ: mean, smallest and largest", early, month("2026-04", 30, "200", "0"), 1, "393.33", "554.44", "780.00", true},
		{"the last day is all there is", even, month("2026-04", 31, "20", "20"), 31, "613.80", "620.00", "626.20", true},
		{"shorter months before are cut as many days before their end", []Month{month("2026-01", 28, "10", "10"), even[1], even[2]}, month("2026-04", 31, "10", "10"), 30, "306.90", "310.00", "313.10", true},
		{"two months are too few", even[:2], month("2026-04", 30, "20", "20"), 10, "", "", "", false},
		{"a month without consumption says nothing", []Month{even[0], even[1], month("2026-03", 30, "0", "0")}, month("2026-04", 30, "20", "20"), 10, "", "", "", false},
		{"nothing charged yet", even, month("2026-04", 30, "0", "0"), 10, "", "", "", false},
		{"more refunds than use", even, month("2026-04", 30, "-5", "0"), 10, "", "", "", false},
		{"no day", even, month("2026-04", 30, "20", "20"), 0, "", "", "", false},
	} {
		e, ok := At(c.before, c.running, c.day)
		if ok != c.ok {
			t.Errorf("%s: %v", c.name, ok)
			continue
		}
		if ok && (!e.Low.Exact().Equal(money.MustExact(c.low)) || !e.Likely.Exact().Equal(money.MustExact(c.likely)) || !e.High.Exact().Equal(money.MustExact(c.high))) {
			t.Errorf("%s: %s – %s – %s, want %s – %s – %s", c.name, e.Low, e.Likely, e.High, c.low, c.likely, c.high)
		}
	}
}

func TestOnlyTheLatestMonthsCount(t *testing.T) {
	before := []Month{month("2025-10", 30, "1000", "0")}
	for c := cycle.Cycle("2025-11"); c <= "2026-04"; c = c.Next() {
		before = append(before, month(c, 30, "10", "10"))
	}
	e, ok := At(before, month("2026-05", 30, "10", "10"), 15)
	if !ok || e.Months != Most || !e.Likely.Exact().Equal(money.MustExact("300")) {
		t.Errorf("%+v %v", e, ok)
	}
}

func TestReplayKnowsOnlyThatDay(t *testing.T) {
	all := []Month{month("2026-01", 31, "10", "10"), month("2026-02", 28, "10", "10"), month("2026-03", 31, "10", "10"), month("2026-04", 30, "10", "10"), month("2026-05", 31, "10", "10")}
	for d := 20; d < 31; d++ { // May doubles after the 20th, which nobody could know
		all[4].Days[d] = money.MustExact("20")
	}
	got := Replay(all, 20)
	if len(got) != 2 || got[0].Cycle != "2026-04" || got[1].Cycle != "2026-05" {
		t.Fatalf("%+v", got)
	}
	if !got[0].Hit || got[1].Hit || Hits(got) != 1 {
		t.Errorf("April %v, May %v: May came to %s, estimated up to %s", got[0].Hit, got[1].Hit, got[1].Actual, got[1].Estimate.High)
	}
	// What came after the day, and the months after, change no estimate.
	later := append([]Month{}, all...)
	later[4] = month("2026-05", 31, "10", "10")
	again := Replay(append(later, month("2026-06", 30, "999", "999")), 20)
	if again[1].Estimate != got[1].Estimate || again[0].Estimate != got[0].Estimate {
		t.Errorf("%+v is not %+v", again[1].Estimate, got[1].Estimate)
	}
	if len(Replay(all, 28)) != 2 || len(Replay(all, 30)) != 1 {
		t.Error("a month that was over that day was estimated")
	}
}
