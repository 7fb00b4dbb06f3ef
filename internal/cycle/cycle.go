// Package cycle is the bill cycle (账期): a calendar month written YYYY-MM.
//
// It owns the fixed zones in which cycles and deadlines are read. GMT+08:00 rules deadlines,
// assignments and everything the portal itself dates; an imported line belongs to the month of its
// billing period in the zone of its source. No tzdata, no historical daylight saving.
package cycle

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"huoban/internal/fault"
)

// Zone is Beijing time, the portal's own zone.
var Zone = time.FixedZone("GMT+8", 8*3600)

// Cycle is a month "2026-10". The zero value "" is no cycle.
type Cycle string

// Parse reads YYYY-MM. Fault: cycle.malformed.
func Parse(text string) (Cycle, error) {
	if !shaped(text) || text < "1900" {
		return "", fault.Invalid("cycle.malformed", fault.Args{"value": text})
	}
	return Cycle(text), nil
}

// shaped tells whether a text is four digits of a year and two of a month; every page asks several times.
func shaped(text string) bool {
	if len(text) != len("2006-01") || text[4] != '-' {
		return false
	}
	for i := range len(text) {
		if c := text[i]; i != 4 && (c < '0' || c > '9') {
			return false
		}
	}
	return text[5:] >= "01" && text[5:] <= "12"
}

// Must is Parse for constants in tests and tables.
func Must(text string) Cycle {
	c, err := Parse(text)
	if err != nil {
		panic(err)
	}
	return c
}

// Of is the cycle that holds t in the zone.
func Of(t time.Time, zone *time.Location) Cycle { return Cycle(t.In(zone).Format("2006-01")) }

// Start is the first instant of the cycle in the zone.
func (c Cycle) Start(zone *time.Location) time.Time {
	y, _ := strconv.Atoi(string(c[:4]))
	m, _ := strconv.Atoi(string(c[5:]))
	return time.Date(y, time.Month(m), 1, 0, 0, 0, 0, zone)
}

// End is the first instant after the cycle in the zone.
func (c Cycle) End(zone *time.Location) time.Time { return c.Start(zone).AddDate(0, 1, 0) }

// Add moves by whole months.
func (c Cycle) Add(months int) Cycle {
	if shaped(string(c)) {
		n := (int(c[0]-'0')*1000+int(c[1]-'0')*100+int(c[2]-'0')*10+int(c[3]-'0'))*12 + int(c[5]-'0')*10 + int(c[6]-'0') - 1 + months
		if y, m := n/12, n%12+1; n >= 0 && y <= 9999 {
			return Cycle([]byte{byte('0' + y/1000), byte('0' + y/100%10), byte('0' + y/10%10), byte('0' + y%10), '-', byte('0' + m/10), byte('0' + m%10)})
		}
	}
	return Cycle(c.Start(time.UTC).AddDate(0, months, 0).Format("2006-01"))
}

// Next and Prev are the neighbours.
func (c Cycle) Next() Cycle { return c.Add(1) }

// Prev is the cycle before.
func (c Cycle) Prev() Cycle { return c.Add(-1) }

// Over tells whether the cycle has ended in the zone at now.
func (c Cycle) Over(now time.Time, zone *time.Location) bool { return !now.Before(c.End(zone)) }

// BillReady is the promise to partners: 12:00 GMT+8 on the 5th of the following month
// (Source: the original's user manual, 伙伴账单).
func (c Cycle) BillReady() time.Time { return c.End(Zone).AddDate(0, 0, 4).Add(12 * time.Hour) }

// Reminder is 09:00 GMT+8 on the 5th of the following month.
func (c Cycle) Reminder() time.Time { return c.End(Zone).AddDate(0, 0, 4).Add(9 * time.Hour) }

var zoneShape = regexp.MustCompile(`^([+-])([0-9]{2}):([0-9]{2})$`)

// ParseZone reads "UTC" or a fixed offset "+08:00". Fault: cycle.zone_malformed.
func ParseZone(text string) (*time.Location, error) {
	if text == "UTC" || text == "" || text == "+00:00" {
		return time.UTC, nil
	}
	m := zoneShape.FindStringSubmatch(text)
	if m == nil {
		return nil, fault.Invalid("cycle.zone_malformed", fault.Args{"value": text})
	}
	h, _ := strconv.Atoi(m[2])
	mi, _ := strconv.Atoi(m[3])
	if h > 14 || mi > 59 {
		return nil, fault.Invalid("cycle.zone_malformed", fault.Args{"value": text})
	}
	s := h*3600 + mi*60
	if m[1] == "-" {
		s = -s
	}
	if s == 8*3600 {
		return Zone, nil
	}
	return time.FixedZone(fmt.Sprintf("GMT%s", text), s), nil
}
