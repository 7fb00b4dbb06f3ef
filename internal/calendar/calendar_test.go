package calendar

import (
	"slices"
	"testing"
	"time"
)

func at(text string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04:05", text, Zone)
	if err != nil {
		panic(err)
	}
	return t
}

func TestDue(t *testing.T) {
	for _, x := range []struct {
		from string
		n    int
		due  string
		what string
	}{
		{"2026-11-18 10:00:00", 1, "2026-11-19", "a Wednesday"},
		{"2026-11-20 10:00:00", 1, "2026-11-23", "over a weekend"},
		{"2026-11-20 23:59:59", 1, "2026-11-23", "the last second of Friday"},
		{"2026-11-21 00:00:00", 1, "2026-11-23", "on a Saturday: Monday is the first working day after"},
		{"2026-11-20 10:00:00", 3, "2026-11-25", "three over a weekend"},
		{"2026-05-08 16:00:00", 1, "2026-05-09", "Friday before a make-up Saturday"},
		{"2026-05-08 16:00:00", 2, "2026-05-11", "over a make-up Saturday and its Sunday"},
		{"2026-05-09 09:00:00", 1, "2026-05-11", "on the make-up Saturday itself"},
		{"2026-02-13 18:00:00", 1, "2026-02-14", "the make-up Saturday before the Spring Festival"},
		{"2026-02-14 18:00:00", 1, "2026-02-24", "over the Spring Festival"},
		{"2026-02-27 18:00:00", 2, "2026-03-02", "Saturday 28 February is worked"},
		{"2026-09-30 18:00:00", 1, "2026-10-08", "over the National Day"},
		{"2026-09-30 18:00:00", 3, "2026-10-10", "and its make-up Saturday"},
		{"2025-09-30 18:00:00", 2, "2025-10-10", "2025: eight days off"},
		{"2025-10-10 18:00:00", 1, "2025-10-11", "2025: make-up Saturday"},
		{"2026-11-19 10:00:00", 0, "2026-11-19", "on the day itself"},
		{"2026-11-21 10:00:00", 0, "2026-11-23", "no working day: the next one"},
	} {
		due, unknown := Shipped().Due(at(x.from), x.n)
		if DayOf(due) != Day(x.due) || len(unknown) > 0 {
			t.Errorf("%s: %s + %d = %s %v, want %s", x.what, x.from, x.n, DayOf(due), unknown, x.due)
		}
		if !due.Equal(Day(x.due).End()) || due.In(Zone).Format("15:04:05") != "23:59:59" {
			t.Errorf("%s: due at %s", x.what, due.In(Zone))
		}
	}
}

// TestPassedAgreesWithDue: more than n working days have passed exactly from the second after the due time on.
func TestPassedAgreesWithDue(t *testing.T) {
	c := Shipped()
	for d := Day("2025-01-01"); d < "2026-12-01"; d = d.Next(1) {
		from := d.Time().Add(9 * time.Hour)
		for n := 1; n <= 5; n++ {
			due, _ := c.Due(from, n)
			before, _ := c.Between(from, due)
			after, _ := c.Between(from, due.Add(time.Second))
			next, _ := c.Due(due, 1)
			late, _ := c.Between(from, next)
			if before != n || after > n+1 || late != n+1 {
				t.Fatalf("%s + %d: %d passed at %s, %d a second later, %d by %s", d, n, before, due, after, late, next)
			}
		}
	}
}

// TestDaysOff holds the lengths the arrangement names and the count of working days of a year.
func TestDaysOff(t *testing.T) {
	c := Shipped()
	for _, x := range []struct {
		year            int
		rest, made, all int
	}{{2024, 28, 8, 251}, {2025, 28, 5, 248}, {2026, 33, 6, 248}} {
		var rest, made, worked int
		for _, s := range c.Year(x.year) {
			switch s.Kind {
			case KindRest:
				rest++
			case KindWork:
				made++
				if !s.Day.Weekend() {
					t.Errorf("%s is worked anyway", s.Day)
				}
			}
			if !slices.Contains(Holidays, s.Name) {
				t.Errorf("%s has no name: %s", s.Day, s.Name)
			}
		}
		for d := (Day("2000-01-01")).Next(0); d.Year() <= x.year; d = d.Next(1) {
			if d.Year() == x.year && c.Working(d) {
				worked++
			}
		}
		if rest != x.rest || made != x.made || worked != x.all {
			t.Errorf("%d: %d off, %d made up, %d worked", x.year, rest, made, worked)
		}
	}
}

// TestYearsWithoutDataSaySo: a year whose arrangement is not published is named with the answer.
func TestYearsWithoutDataSaySo(t *testing.T) {
	c := Shipped()
	if c.Standing(2026) != StandingPublished || c.Standing(2027) != StandingStatutory || c.Standing(2031) != StandingNone {
		t.Fatal(c.Standing(2026), c.Standing(2027), c.Standing(2031))
	}
	due, unknown := c.Due(at("2026-12-31 10:00:00"), 1)
	if DayOf(due) != "2027-01-04" || !slices.Equal(unknown, []int{2027}) {
		t.Fatal(due, unknown)
	}
	if n, unknown := c.Between(at("2029-12-28 10:00:00"), at("2031-01-02 10:00:00")); n != 264 || !slices.Equal(unknown, []int{2029, 2030, 2031}) {
		t.Fatal(n, unknown)
	}
	vouched := c.With([]Special{{"2027-02-09", KindRest, "spring"}, {"2027-01-30", KindWork, "spring"}, {"2026-05-09", KindRest, "none"}}, []int{2027})
	if _, unknown = vouched.Due(at("2027-01-29 10:00:00"), 1); len(unknown) > 0 || !vouched.Working("2027-01-30") || vouched.Working("2027-02-09") || vouched.Working("2026-05-09") {
		t.Fatal("a changed day does not count", unknown)
	}
	if c.Working("2027-01-30") || !c.Working("2026-05-09") {
		t.Fatal("the shipped calendar was changed")
	}
}

func TestParseDay(t *testing.T) {
	for text, want := range map[string]bool{"2026-02-28": true, " 2026-03-01 ": true, "2026-02-30": false, "": false, "2026-2-3": false, "20260203": false} {
		if _, ok := ParseDay(text); ok != want {
			t.Errorf("%q: %v", text, ok)
		}
	}
}
