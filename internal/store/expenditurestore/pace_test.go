package expenditurestore_test

import (
	"fmt"
	"testing"
	"time"

	"huoban/internal/scope"
	"huoban/internal/store"
	"huoban/internal/store/storetest"
)

func TestPace(t *testing.T) {
	const day = 24 * time.Hour
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		told := func(sc scope.Scope) string {
			p, err := w.svc.Pace(t.Context(), sc, "2024-10")
			if err != nil {
				t.Fatal(err)
			}
			if p == nil {
				return "nothing"
			}
			out := p.Until.Format("01-02 15:04") + " " + p.Before.Format("01-02 15:04")
			for _, r := range p.Rows {
				out += fmt.Sprintf("; %s %s, %s of %s", r.Currency, r.Now, r.Same, r.Past)
			}
			return out
		}
		if got := told(partner("S")); got != "nothing" {
			t.Errorf("no charge in October: %s", got)
		}
		w.slotOf("src", 3, "2024-10")
		// 10 October in GMT+8: the same days of September end where the 11th begins, midnight of this world.
		w.lines(line(3, "c1", "8.5", "Compute", "consumption", 29*day), line(3, "c1", "-0.5", "Compute", "refund", 28*day), line(3, "c1", "2", "Support", "tax", 29*day))
		want := "10-11 00:00 09-11 00:00; USD 8, 13.623456789 of 47.623456789"
		if got := told(partner("S")); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
		if got := told(partner("D", "R")); got != "nothing" {
			t.Errorf("a partner without charges in October: %s", got)
		}
		// The last of October is as far as all of September.
		w.lines(line(3, "c3", "1", "Compute", "consumption", 50*day))
		if got, want := told(partner("D", "R")), "11-01 00:00 10-01 00:00; USD 1, 20 of 20"; got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	})
}
