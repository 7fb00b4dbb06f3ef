package cycle

import "time"

// Day is the date an instant lies in, in the portal's own zone: "2026-11-05".
func Day(t time.Time) string { return t.In(Zone).Format(time.DateOnly) }

// ParseDay is the first instant of a date.
func ParseDay(date string) (time.Time, error) {
	return time.ParseInLocation(time.DateOnly, date, Zone)
}

// DayAt is the first instant of the day so many days after a date; zero where the text is none.
func DayAt(date string, after int) time.Time {
	t, err := ParseDay(date)
	if err != nil {
		return time.Time{}
	}
	return t.AddDate(0, 0, after)
}

// DaysUntil counts the calendar days from now to a date, never below none.
func DaysUntil(now time.Time, date string) int {
	return max(0, int(DayAt(date, 0).Sub(DayAt(Day(now), 0))/(24*time.Hour)))
}
