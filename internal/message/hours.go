package message

import (
	"fmt"
	"time"
)

// Working hours: letters about what is no matter of safety go out from DayBegins to DayEnds of Monday to Friday, in the
// zone a person chose.
const (
	DayBegins = 9
	DayEnds   = 18
)

// Zones are the zones a person may choose, as their distance from UTC, west to east.
var Zones = func() []string {
	var out []string
	for h := -12; h <= 14; h++ {
		out = append(out, fmt.Sprintf("%+03d:00", h))
		switch h {
		case 3, 4, 5, 6, 9:
			out = append(out, fmt.Sprintf("%+03d:30", h)) // Tehran, Kabul, Delhi, Yangon, Adelaide
		}
	}
	return out
}()

// zoneOf reads one of Zones.
func zoneOf(name string) (*time.Location, bool) {
	t, err := time.Parse("-07:00", name)
	if err != nil {
		return nil, false
	}
	_, offset := t.Zone()
	return time.FixedZone(name, offset), true
}

// SendAt is when a letter of a category goes out that is written now: at once without a zone and where accounts are in
// danger, else in the working hours of the zone, now or the next there are.
func (s Settings) SendAt(now time.Time, c Category) time.Time {
	zone, ok := zoneOf(s.Zone)
	if !ok || c == CategorySystem {
		return now
	}
	at := now.In(zone)
	y, m, d := at.Date()
	opens := time.Date(y, m, d, DayBegins, 0, 0, 0, zone)
	works := at.Weekday() != time.Saturday && at.Weekday() != time.Sunday
	switch {
	case works && !at.Before(opens) && at.Hour() < DayEnds:
		return now
	case works && at.Before(opens):
		return opens
	}
	for opens = opens.AddDate(0, 0, 1); opens.Weekday() == time.Saturday || opens.Weekday() == time.Sunday; {
		opens = opens.AddDate(0, 0, 1)
	}
	return opens
}
