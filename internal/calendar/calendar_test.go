package calendar

import (
	"slices"
	"strconv"
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

// TestNotices reads the published years against the words of the notices: 国办发明电〔2023〕7号, 〔2024〕12号 and
// 〔2025〕7号, paragraph by paragraph, days off and days that are worked for them. Every other day is what its weekday says.
func TestNotices(t *testing.T) {
	type paragraph struct {
		name     string
		from, to Day
		made     []Day
	}
	for year, of := range map[int][]paragraph{
		2024: {{"new_year", "2024-01-01", "2024-01-01", nil}, {"spring", "2024-02-10", "2024-02-17", []Day{"2024-02-04", "2024-02-18"}}, {"qingming", "2024-04-04", "2024-04-06", []Day{"2024-04-07"}},
			{"labour", "2024-05-01", "2024-05-05", []Day{"2024-04-28", "2024-05-11"}}, {"dragon_boat", "2024-06-10", "2024-06-10", nil}, {"mid_autumn", "2024-09-15", "2024-09-17", []Day{"2024-09-14"}},
			{"national", "2024-10-01", "2024-10-07", []Day{"2024-09-29", "2024-10-12"}}},
		2025: {{"new_year", "2025-01-01", "2025-01-01", nil}, {"spring", "2025-01-28", "2025-02-04", []Day{"2025-01-26", "2025-02-08"}}, {"qingming", "2025-04-04", "2025-04-06", nil},
			{"labour", "2025-05-01", "2025-05-05", []Day{"2025-04-27"}}, {"dragon_boat", "2025-05-31", "2025-06-02", nil}, {"national", "2025-10-01", "2025-10-08", []Day{"2025-09-28", "2025-10-11"}}},
		2026: {{"new_year", "2026-01-01", "2026-01-03", []Day{"2026-01-04"}}, {"spring", "2026-02-15", "2026-02-23", []Day{"2026-02-14", "2026-02-28"}}, {"qingming", "2026-04-04", "2026-04-06", nil},
			{"labour", "2026-05-01", "2026-05-05", []Day{"2026-05-09"}}, {"dragon_boat", "2026-06-19", "2026-06-21", nil}, {"mid_autumn", "2026-09-25", "2026-09-27", nil},
			{"national", "2026-10-01", "2026-10-07", []Day{"2026-09-20", "2026-10-10"}}},
	} {
		want := map[Day]Special{}
		for _, p := range of {
			for d := p.from; d <= p.to; d = d.Next(1) {
				want[d] = Special{d, KindRest, p.name}
			}
			for _, d := range p.made {
				want[d] = Special{d, KindWork, p.name}
			}
		}
		for d := Day(strconv.Itoa(year) + "-01-01"); d.Year() == year; d = d.Next(1) {
			got, special := Shipped().Special(d)
			if x, named := want[d]; special != named || got != x {
				t.Errorf("%s is %+v, the notice says %+v", d, got, x)
			}
		}
		if Notices[year] == "" {
			t.Errorf("%d has no notice", year)
		}
	}
}
