package cycle

import (
	"testing"
	"time"
)

// TestAdd: months are counted as the calendar does, near and far, and what is no month is none.
func TestAdd(t *testing.T) {
	for c := Must("1900-01"); c < "2101-01"; c = Cycle(c.Start(time.UTC).AddDate(0, 1, 0).Format("2006-01")) {
		for _, months := range []int{-1213, -25, -13, -12, -11, -1, 0, 1, 11, 12, 13, 97_000, -24_500} {
			want := Cycle(c.Start(time.UTC).AddDate(0, months, 0).Format("2006-01"))
			if got := c.Add(months); got != want {
				t.Fatalf("%s and %d months: %s, want %s", c, months, got, want)
			}
		}
	}
	for _, text := range []string{"", "2026", "2026-1", "2026-00", "2026-13", "2026-20", "2026-0x", "x026-01", "2026/01", "2026-011", "1899-12", " 2026-01", "2026-1a", "２026-01"} {
		if c, err := Parse(text); err == nil {
			t.Errorf("%q is %s", text, c)
		}
	}
}
