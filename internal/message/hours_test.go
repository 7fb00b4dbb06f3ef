package message

import (
	"slices"
	"testing"
	"time"
)

// TestSendAt: letters wait for the working hours of the zone a person chose, to the second; without one, and where
// accounts are in danger, they go at once.
func TestSendAt(t *testing.T) {
	for _, c := range []struct {
		zone, now, want string
		category        Category
	}{
		{"", "2026-11-21T23:00:00+08:00", "2026-11-21T23:00:00+08:00", CategoryBill},
		{"+08:00", "2026-11-20T09:00:00+08:00", "2026-11-20T09:00:00+08:00", CategoryBill},
		{"+08:00", "2026-11-20T08:59:59+08:00", "2026-11-20T09:00:00+08:00", CategoryBill},
		{"+08:00", "2026-11-20T17:59:59+08:00", "2026-11-20T17:59:59+08:00", CategoryBill},
		{"+08:00", "2026-11-20T18:00:00+08:00", "2026-11-23T09:00:00+08:00", CategoryBill}, // a Friday
		{"+08:00", "2026-11-21T12:00:00+08:00", "2026-11-23T09:00:00+08:00", CategoryCustomer},
		{"+08:00", "2026-11-22T23:59:59+08:00", "2026-11-23T09:00:00+08:00", CategoryCustomer},
		{"+08:00", "2026-11-22T23:59:59+08:00", "2026-11-22T23:59:59+08:00", CategorySystem},
		{"-05:00", "2026-11-23T12:00:00+08:00", "2026-11-23T09:00:00-05:00", CategoryBill}, // still Sunday there
		{"+05:30", "2026-11-23T12:00:00+08:00", "2026-11-23T12:00:00+08:00", CategoryBill},
		{"nowhere", "2026-11-22T12:00:00+08:00", "2026-11-22T12:00:00+08:00", CategoryBill},
	} {
		now, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		want, err := time.Parse(time.RFC3339, c.want)
		if err != nil {
			t.Fatal(err)
		}
		if got := (Settings{Zone: c.zone}).SendAt(now, c.category); !got.Equal(want) {
			t.Errorf("%s of %s in %q: %s, want %s", c.category, c.now, c.zone, got, c.want)
		}
	}
}

func TestZones(t *testing.T) {
	for i, name := range Zones {
		zone, ok := zoneOf(name)
		if !ok || slices.Index(Zones, name) != i || time.Unix(0, 0).In(zone).Format("-07:00") != name {
			t.Errorf("zone %q", name)
		}
	}
	if len(Zones) < 27 || !slices.Contains(Zones, "+08:00") {
		t.Errorf("zones %v", Zones)
	}
}
