package customer

import (
	"testing"
	"time"

	"huoban/internal/cycle"
)

func TestCountFrom(t *testing.T) {
	at := func(text string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04:05", text, cycle.Zone)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, x := range []struct {
		page           Count
		assigned, from string
	}{
		{CountDashboard, "2026-10-15 14:30:00", "2026-10-15 14:30:00"},
		{CountExpenditure, "2026-10-15 14:30:00", "2026-10-16 00:00:00"},
		{CountPerformance, "2026-10-15 14:30:00", "2026-10-16 00:00:00"},
		{CountExpenditure, "2026-10-15 23:59:59", "2026-10-16 00:00:00"},
		{CountExpenditure, "2026-10-16 00:00:00", "2026-10-17 00:00:00"},
		{CountExpenditure, "2026-12-31 23:59:59", "2027-01-01 00:00:00"},
		{CountExpenditure, "2028-02-28 08:00:00", "2028-02-29 00:00:00"},
		{CountDashboard, "2026-10-16 00:00:00", "2026-10-16 00:00:00"},
	} {
		if got := x.page.From(at(x.assigned)); !got.Equal(at(x.from)) {
			t.Errorf("%s of %s begins %s, want %s", x.page, x.assigned, got.In(cycle.Zone), x.from)
		}
		if got := x.page.From(at(x.assigned).UTC()); !got.Equal(at(x.from)) {
			t.Errorf("%s depends on the zone the time is written in", x.page)
		}
	}
	if !CountExpenditure.From(time.Time{}).IsZero() {
		t.Error("the beginning of time moved")
	}
}
