// Package calendar is the working days of China (工作日): which days are worked, which are rest, and what
// n working days from an instant is.
//
// It owns the arithmetic and the shipped arrangement of the State Council for the years it knows; it does not
// own who may change a day (desk) nor where changes are kept. Invariants: a day begins and ends in GMT+08:00;
// a make-up Saturday or Sunday (调休上班) is a working day, a holiday on a weekday is none; every answer tells
// whether the arrangement of each year it touched is known, because a year without one counts by weekends alone.
package calendar

import (
	"slices"
	"strings"
	"time"
)

// Zone dates every day of the calendar.
var Zone = time.FixedZone("GMT+08:00", 8*3600)

// Day is a date in GMT+08:00, "2026-02-14".
type Day string

const layout = "2006-01-02"

// DayOf is the day an instant lies in.
func DayOf(t time.Time) Day { return Day(t.In(Zone).Format(layout)) }

// ParseDay reads a day.
func ParseDay(text string) (Day, bool) {
	t, err := time.Parse(layout, strings.TrimSpace(text))
	return Day(t.Format(layout)), err == nil
}

// Time is the beginning of the day.
func (d Day) Time() time.Time {
	t, _ := time.ParseInLocation(layout, string(d), Zone)
	return t
}

// Year is the year of the day.
func (d Day) Year() int { return d.Time().Year() }

// Next is the day n days on.
func (d Day) Next(n int) Day { return DayOf(d.Time().AddDate(0, 0, n)) }

// End is the last second of the day: something due on it is late after that.
func (d Day) End() time.Time { return d.Time().AddDate(0, 0, 1).Add(-time.Second).UTC() }

// Weekend tells whether the day is a Saturday or Sunday.
func (d Day) Weekend() bool {
	w := d.Time().Weekday()
	return w == time.Saturday || w == time.Sunday
}

// Kind says what a day is that its weekday does not tell.
type Kind string

// The kinds: 放假, 调休上班.
const (
	KindRest Kind = "rest"
	KindWork Kind = "work"
)

// Label is the key of the kind's name.
func (k Kind) Label() string { return "calendar.kind." + string(k) }

// Standing says how far the arrangement of a year is known.
type Standing string

// The standings: published with its make-up days; the holidays of the law alone, before the arrangement is
// published; nothing.
const (
	StandingPublished Standing = "published"
	StandingStatutory Standing = "statutory"
	StandingNone      Standing = "none"
)

// Label is the key of the standing's name.
func (s Standing) Label() string { return "calendar.standing." + string(s) }

// Special is a day that is not what its weekday says.
type Special struct {
	Day  Day
	Kind Kind
	Name string // key of the holiday's name, or what somebody wrote
}

// Calendar answers for the years it knows. It is a value to read; With gives another.
type Calendar struct {
	days  map[Day]Special
	years map[int]Standing
}

// With is the calendar with changed days and with years somebody vouches for. A change to a day as its
// weekday says (a rest on a Sunday) takes a shipped exception away.
func (c *Calendar) With(changes []Special, vouched []int) *Calendar {
	out := &Calendar{days: make(map[Day]Special, len(c.days)+len(changes)), years: make(map[int]Standing, len(c.years)+len(vouched))}
	for k, v := range c.days {
		out.days[k] = v
	}
	for k, v := range c.years {
		out.years[k] = v
	}
	for _, x := range changes {
		out.days[x.Day] = x
	}
	for _, y := range vouched {
		out.years[y] = StandingPublished
	}
	return out
}

// Standing tells how far a year is known.
func (c *Calendar) Standing(year int) Standing {
	if s, ok := c.years[year]; ok {
		return s
	}
	return StandingNone
}

// Special gives what is set for a day; ok is false for an ordinary one.
func (c *Calendar) Special(d Day) (Special, bool) {
	x, ok := c.days[d]
	return x, ok
}

// Year lists the special days of a year in order.
func (c *Calendar) Year(year int) []Special {
	var out []Special
	for d, x := range c.days {
		if d.Year() == year {
			out = append(out, x)
		}
	}
	slices.SortFunc(out, func(a, b Special) int { return strings.Compare(string(a.Day), string(b.Day)) })
	return out
}

// Years lists the years something is known of, in order.
func (c *Calendar) Years() []int {
	var out []int
	for y := range c.years {
		out = append(out, y)
	}
	slices.Sort(out)
	return out
}

// Working tells whether a day is worked.
func (c *Calendar) Working(d Day) bool {
	if x, ok := c.days[d]; ok {
		return x.Kind == KindWork
	}
	return !d.Weekend()
}

// horizon ends a count over a calendar in which nothing is worked.
const horizon = 4000

// Due is the last second of the n-th working day after the day of from; n = 0 is the day itself where it is
// worked, else the next that is. unknown lists the years that were counted without their published arrangement.
func (c *Calendar) Due(from time.Time, n int) (due time.Time, unknown []int) {
	d := DayOf(from)
	left := n
	if n <= 0 {
		d, left = d.Next(-1), 1
	}
	first := d.Year()
	for i := 0; left > 0 && i < horizon; i++ {
		if d = d.Next(1); c.Working(d) {
			left--
		}
	}
	return d.End(), c.unknown(first, d.Year())
}

// Between counts the working days after the day of from, up to and with the day of to: how many have passed.
// Something due after n working days is late exactly when more than n have passed.
func (c *Calendar) Between(from, to time.Time) (n int, unknown []int) {
	a, b := DayOf(from), DayOf(to)
	if b <= a {
		return 0, c.unknown(b.Year(), a.Year())
	}
	for d := a.Next(1); d <= b; d = d.Next(1) {
		if c.Working(d) {
			n++
		}
	}
	return n, c.unknown(a.Year(), b.Year())
}

// unknown lists the years of a span whose arrangement is not published.
func (c *Calendar) unknown(from, to int) []int {
	var out []int
	for y := from; y <= to; y++ {
		if c.Standing(y) != StandingPublished {
			out = append(out, y)
		}
	}
	return out
}
