package app

import (
	"testing"
	"time"

	"huoban/internal/calendar"
	"huoban/internal/clock"
	"huoban/internal/cycle"
	"huoban/internal/invoice"
	"huoban/internal/ledger"
)

// TestDatesAtTheirEdges holds the rules of days one instant before they change and at it, on one clock: a cycle is invoiced
// after the 3rd, statements reach back twelve months, and service times count working days, over make-up Saturdays too.
func TestDatesAtTheirEdges(t *testing.T) {
	on := clock.At(time.Time{})
	mayInvoice := func(c cycle.Cycle) func() bool {
		return func() bool { return !on.Now().Before(invoice.OpensAt(c)) }
	}
	reaches := func(day calendar.Day) func() bool {
		return func() bool { return !day.Time().Before(ledger.Since(on.Now())) }
	}
	inTime := func(from string, days int) func() bool {
		return func() bool {
			due, unknown := calendar.Shipped().Due(edge(t, from), days)
			return len(unknown) == 0 && !on.Now().After(due)
		}
	}
	for _, c := range []struct {
		rule   string
		holds  func() bool
		before string // the last instant
		at     string // the first of what follows
		was    bool   // whether it held before; it does the opposite then
	}{
		{"after the 3rd, a Saturday off", mayInvoice("2026-09"), "2026-10-03 23:59:59.999999", "2026-10-04 00:00:00", false},
		{"after the 3rd, over a year", mayInvoice("2026-12"), "2027-01-03 23:59:59.999999", "2027-01-04 00:00:00", false},
		{"after the 3rd, a leap February", mayInvoice("2028-02"), "2028-03-03 23:59:59.999999", "2028-03-04 00:00:00", false},
		{"twelve months, a make-up Saturday", reaches("2025-10-11"), "2026-10-11 23:59:59.999999", "2026-10-12 00:00:00", true},
		{"twelve months, over 29 February", reaches("2027-02-28"), "2028-02-29 23:59:59.999999", "2028-03-01 00:00:00", true},
		{"twelve months, the 31st", reaches("2026-03-31"), "2027-03-31 23:59:59.999999", "2027-04-01 00:00:00", true},
		{"one working day, a make-up Saturday is one", inTime("2026-05-08 16:00:00", 1), "2026-05-09 23:59:59", "2026-05-10 00:00:00", true},
		{"three working days, over a make-up Saturday and its Sunday", inTime("2026-05-08 16:00:00", 3), "2026-05-12 23:59:59", "2026-05-13 00:00:00", true},
		{"one working day, begun on a make-up Saturday", inTime("2026-10-10 09:00:00", 1), "2026-10-12 23:59:59", "2026-10-13 00:00:00", true},
		{"three working days, over the National Day to its make-up Saturday", inTime("2026-09-30 18:00:00", 3), "2026-10-10 23:59:59", "2026-10-11 00:00:00", true},
		{"one working day, a Saturday off is none", inTime("2026-11-20 10:00:00", 1), "2026-11-23 23:59:59", "2026-11-24 00:00:00", true},
	} {
		on.Set(edge(t, c.before))
		before := c.holds()
		on.Set(edge(t, c.at))
		if after := c.holds(); before != c.was || after == c.was {
			t.Errorf("%s: %v at %s, %v at %s", c.rule, before, c.before, after, c.at)
		}
	}
}

func edge(t *testing.T, text string) time.Time {
	t.Helper()
	x, err := time.ParseInLocation("2006-01-02 15:04:05.999999", text, cycle.Zone)
	if err != nil {
		t.Fatal(err)
	}
	return x
}
