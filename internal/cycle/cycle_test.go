package cycle

import (
	"testing"
	"time"
)

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		panic(err)
	}
	return t
}

func TestOf(t *testing.T) {
	for _, c := range []struct {
		at   string
		zone *time.Location
		want Cycle
	}{
		{"2024-12-31T16:00:00Z", Zone, "2025-01"},
		{"2024-12-31T15:59:59.999999Z", Zone, "2024-12"},
		{"2024-12-31T16:00:00Z", time.UTC, "2024-12"},
		{"2024-02-29T23:59:59.999999+08:00", Zone, "2024-02"},
		{"2024-03-01T00:00:00+08:00", Zone, "2024-03"},
		{"2023-02-28T23:59:59.999999+08:00", Zone, "2023-02"},
	} {
		if got := Of(at(c.at), c.zone); got != c.want {
			t.Errorf("%s in %s: %s, want %s", c.at, c.zone, got, c.want)
		}
	}
}

func TestParse(t *testing.T) {
	for _, bad := range []string{"", "2024", "2024-13", "2024-00", "24-01", "2024-1", "2024-01-01", "２０24-01", "0000-01"} {
		if _, err := Parse(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	if c, err := Parse("2024-09"); err != nil || c.Next() != "2024-10" || c.Prev() != "2024-08" || c.Add(4) != "2025-01" {
		t.Errorf("neighbours of %s: %s %s %s (%v)", c, c.Next(), c.Prev(), c.Add(4), err)
	}
}

func TestOverAndDeadlines(t *testing.T) {
	c := Must("2024-02")
	if c.Over(at("2024-02-29T23:59:59.999999+08:00"), Zone) || !c.Over(at("2024-03-01T00:00:00+08:00"), Zone) {
		t.Error("the leap February ends with its 29th day")
	}
	if c.Over(at("2024-03-01T00:00:00+08:00"), time.UTC) {
		t.Error("a UTC month is not over at Beijing's midnight")
	}
	if got := c.BillReady(); !got.Equal(at("2024-03-05T12:00:00+08:00")) {
		t.Errorf("bill promised for %s", got)
	}
	if got := c.Reminder(); !got.Equal(at("2024-03-05T09:00:00+08:00")) {
		t.Errorf("reminder at %s", got)
	}
}

func TestParseZone(t *testing.T) {
	for _, c := range []struct {
		in     string
		offset int
		ok     bool
	}{{"UTC", 0, true}, {"+08:00", 28800, true}, {"-03:30", -12600, true}, {"+15:00", 0, false}, {"CST", 0, false}, {"8", 0, false}} {
		z, err := ParseZone(c.in)
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		if _, off := at("2024-01-01T00:00:00Z").In(orUTC(z)).Zone(); c.ok && off != c.offset {
			t.Errorf("%s: offset %d", c.in, off)
		}
	}
}

func orUTC(z *time.Location) *time.Location {
	if z == nil {
		return time.UTC
	}
	return z
}

// TestDays: a date begins and ends in Beijing, wherever the instant was written.
func TestDays(t *testing.T) {
	late := at("2026-11-05T16:00:00Z") // the 6th in Beijing
	if got := Day(late); got != "2026-11-06" {
		t.Errorf("Day = %s", got)
	}
	if got := DayAt("2026-11-05", 1); !got.Equal(late) {
		t.Errorf("the day after begins at %s", got)
	}
	if got := DayAt("2026-13-05", 1); !got.IsZero() {
		t.Errorf("no date begins at %s", got)
	}
	for date, want := range map[string]int{"2026-11-01": 0, "2026-11-06": 0, "2026-11-07": 1, "2026-12-06": 30} {
		if got := DaysUntil(late, date); got != want {
			t.Errorf("%d days until %s, want %d", got, date, want)
		}
	}
}
