package ingest

import (
	"bytes"
	"strconv"
	"time"

	"huoban/internal/cycle"
)

// How a time was written, which decides what it means as an end.
const (
	whenNone    = iota
	whenDate    // a day
	whenInstant // a day and a time
)

// Time is the cell as an instant; zero if absent. A time without zone is read in the dialect's.
func (b *Bound) Time(rec *Record, column int) time.Time {
	at, _ := b.when(rec, column)
	return at
}

// End is the cell as the first instant after a period. A time at second 59 is the last second of the
// period, as Huawei and Alibaba write it.
func (b *Bound) End(rec *Record, column int) time.Time {
	at, kind := b.when(rec, column)
	if kind == whenInstant && at.Second() == 59 {
		return at.Truncate(time.Second).Add(time.Second)
	}
	return at
}

// LastDay is End where a day without time names the last day of the period.
func (b *Bound) LastDay(rec *Record, column int) time.Time {
	at, kind := b.when(rec, column)
	if kind == whenDate {
		return at.AddDate(0, 0, 1)
	}
	return b.End(rec, column)
}

func (b *Bound) when(rec *Record, column int) (time.Time, int) {
	cell := b.Cell(rec, column)
	if cell == nil {
		return time.Time{}, whenNone
	}
	last := &b.lastAt[column]
	if last.text == string(cell) {
		return last.at, last.kind
	}
	at, kind, ok := parseWhen(cell, b.Naive)
	if !ok {
		b.Fail(column, cell, "ingest.time_malformed", nil)
		return time.Time{}, whenNone
	}
	*last = lastTime{text: string(cell), at: at.UTC(), kind: kind, month: cycle.Of(at, b.Zone)}
	return last.at, kind
}

// CycleOf is the month of the cell in the source's zone; "" if absent.
func (b *Bound) CycleOf(rec *Record, column int) cycle.Cycle {
	at := b.Time(rec, column)
	if at.IsZero() {
		return ""
	}
	return b.lastAt[column].month
}

// parseWhen reads ISO dates and times with or without zone ("2024-09-01", "2024-09-01 00:00:00",
// "2023-11-13T10:00Z", "2020-11-09 23:00:00.5+00:00"), slashes instead of dashes, US dates
// ("9/1/2023", "9/1/23") and a trailing "UTC" or "GMT+08:00".
func parseWhen(cell []byte, naive *time.Location) (time.Time, int, bool) {
	n := digits(cell)
	switch {
	case n == 4 && len(cell) >= 8 && (cell[4] == '-' || cell[4] == '/'):
		return parseISO(cell, naive)
	case n >= 1 && n <= 2 && len(cell) > n && cell[n] == '/':
		return parseUS(cell, naive)
	case n == 8 && len(cell) == 8:
		return build(number(cell[:4]), number(cell[4:6]), number(cell[6:]), nil, naive)
	}
	return time.Time{}, whenNone, false
}

func parseISO(cell []byte, naive *time.Location) (time.Time, int, bool) {
	rest := cell[5:]
	m := digits(rest)
	if m < 1 || m > 2 || len(rest) <= m+1 || rest[m] != cell[4] {
		return time.Time{}, whenNone, false
	}
	d := digits(rest[m+1:])
	if d < 1 || d > 2 {
		return time.Time{}, whenNone, false
	}
	day := rest[m+1 : m+1+d]
	return build(number(cell[:4]), number(rest[:m]), number(day), rest[m+1+d:], naive)
}

func parseUS(cell []byte, naive *time.Location) (time.Time, int, bool) {
	m := digits(cell)
	rest := cell[m+1:]
	d := digits(rest)
	if d < 1 || d > 2 || len(rest) < d+3 || rest[d] != '/' {
		return time.Time{}, whenNone, false
	}
	y := digits(rest[d+1:])
	year := 0
	switch y {
	case 2:
		year = 2000 + number(rest[d+1:d+3])
	case 4:
		year = number(rest[d+1 : d+5])
	}
	return build(year, number(cell[:m]), number(rest[:d]), rest[d+1+y:], naive)
}

// build makes the time of a day and what follows it.
func build(y, m, d int, rest []byte, naive *time.Location) (time.Time, int, bool) {
	if y < 1970 || y > 2200 || m < 1 || m > 12 || d < 1 || d > daysIn(y, m) {
		return time.Time{}, whenNone, false
	}
	if len(rest) == 0 {
		return time.Date(y, time.Month(m), d, 0, 0, 0, 0, naive), whenDate, true
	}
	if rest[0] != 'T' && rest[0] != ' ' {
		return time.Time{}, whenNone, false
	}
	clock, rest := rest[1:], []byte(nil)
	var hms [3]int
	i := 0
	for part := 0; part < 3; part++ {
		k := digits(clock[i:])
		if k < 1 || k > 2 {
			return time.Time{}, whenNone, false
		}
		hms[part] = number(clock[i : i+k])
		i += k
		if i >= len(clock) || clock[i] != ':' {
			if part == 0 {
				return time.Time{}, whenNone, false
			}
			break
		}
		if part < 2 {
			i++
		}
	}
	if hms[0] > 23 || hms[1] > 59 || hms[2] > 59 {
		return time.Time{}, whenNone, false
	}
	nanos := 0
	if i < len(clock) && clock[i] == '.' {
		k := digits(clock[i+1:])
		if k < 1 || k > 9 {
			return time.Time{}, whenNone, false
		}
		nanos = number(clock[i+1 : i+1+k])
		for ; k < 9; k++ {
			nanos *= 10
		}
		i += 1 + digits(clock[i+1:])
	}
	rest = clock[i:]
	if hms[0], rest = noon(hms[0], rest); hms[0] > 23 {
		return time.Time{}, whenNone, false
	}
	zone, ok := parseOffset(rest, naive)
	if !ok {
		return time.Time{}, whenNone, false
	}
	return time.Date(y, time.Month(m), d, hms[0], hms[1], hms[2], nanos, zone), whenInstant, true
}

// noon reads AM and PM after a time of twelve hours.
func noon(hour int, rest []byte) (int, []byte) {
	text := bytes.TrimLeft(rest, " ")
	if len(text) < 2 || text[1] != 'M' || (text[0] != 'A' && text[0] != 'P') {
		return hour, rest
	}
	if hour < 1 || hour > 12 {
		return 99, rest
	}
	hour %= 12
	if text[0] == 'P' {
		hour += 12
	}
	return hour, text[2:]
}

func parseOffset(text []byte, naive *time.Location) (*time.Location, bool) {
	text = bytes.TrimSpace(text)
	if len(text) == 0 {
		return naive, true
	}
	if len(text) >= 3 && (string(text[:3]) == "UTC" || string(text[:3]) == "GMT") {
		text = text[3:]
		if len(text) == 0 {
			return time.UTC, true
		}
	}
	if string(text) == "Z" {
		return time.UTC, true
	}
	sign := 1
	switch text[0] {
	case '+':
	case '-':
		sign = -1
	default:
		return nil, false
	}
	text = bytes.ReplaceAll(text[1:], []byte{':'}, nil)
	if digits(text) != len(text) || (len(text) != 2 && len(text) != 4) {
		return nil, false
	}
	seconds := number(text[:2]) * 3600
	if len(text) == 4 {
		if number(text[2:]) > 59 {
			return nil, false
		}
		seconds += number(text[2:]) * 60
	}
	if seconds > 14*3600 {
		return nil, false
	}
	if seconds == 0 {
		return time.UTC, true
	}
	return time.FixedZone("", sign*seconds), true
}

func digits(text []byte) int {
	n := 0
	for n < len(text) && text[n] >= '0' && text[n] <= '9' {
		n++
	}
	return n
}

// number reads digits that were counted before; at most nine.
func number(text []byte) int {
	n, err := strconv.Atoi(string(text))
	if err != nil {
		return -1
	}
	return n
}

func daysIn(y, m int) int {
	return time.Date(y, time.Month(m)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// ParseInstant reads a day and a time as every dialect does; one without zone is read in naive. False for a day
// alone and for what is no time.
func ParseInstant(cell []byte, naive *time.Location) (time.Time, bool) {
	at, kind, ok := parseWhen(cell, naive)
	return at, ok && kind == whenInstant
}
