package customer

import (
	"fmt"
	"testing"
	"time"

	"huoban/internal/cycle"
)

func TestCensus(t *testing.T) {
	at := func(text string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04:05", text, cycle.Zone)
		if err != nil {
			t.Fatal(err)
		}
		return v.UTC()
	}
	now := at("2026-11-21 12:00:00")
	one := func(customer, partner string, state State, from, to, created string) Association {
		a := Association{CustomerID: customer, PartnerID: partner, Kind: KindResale, State: state, CreatedAt: at(created)}
		if from != "" {
			a.From = at(from)
		}
		if to != "" {
			a.To = at(to)
		}
		return a
	}
	all := []Association{
		one("old", "p", StateActive, "", "", "2025-06-01 09:00:00"),                                        // from the beginning
		one("new", "p", StateActive, "2026-11-01 00:00:00", "", "2026-10-31 10:00:00"),                     // the first second of November
		one("left", "p", StateEnded, "2026-09-30 23:59:59", "2026-11-20 00:00:00", "2026-09-30 10:00:00"),  // the last of September
		one("again", "p", StateEnded, "2026-05-01 00:00:00", "2026-06-01 00:00:00", "2026-05-01 00:00:00"), // twice
		one("again", "p", StateActive, "2026-10-01 00:00:00", "", "2026-10-01 00:00:00"),                   // the quarter begins
		one("void", "p", StateEnded, "2026-11-02 00:00:00", "2026-11-02 00:00:00", "2026-11-01 00:00:00"),  // never was
		one("waits", "p", StateAwaitingCustomer, "2026-11-10 00:00:00", "", "2026-11-10 00:00:00"),         // not yet
		one("below", "r", StateActive, "2026-11-03 00:00:00", "", "2026-11-03 00:00:00"),                   // a reseller's
		one("unseen", "p", StateActive, "2026-11-04 00:00:00", "", "2026-11-04 00:00:00"),                  // outside the scope
	}
	var entries []Entry
	for i, a := range all {
		if a.CustomerID != "unseen" && i != 3 {
			e := Entry{Association: a}
			if a.CustomerID == "old" {
				e.Manager.ID = "m"
			}
			entries = append(entries, e)
		}
	}
	c := count(now, entries, all, "p", "2026-09", "2026-11")
	if got := fmt.Sprint(c.Customers, c.Associations, c.Quarter, c.Unassigned, c.Kinds, c.Months); got != "3 5 2 2 map[resale:3] [{2026-09 1 0} {2026-10 1 0} {2026-11 1 1}]" {
		t.Errorf("the census says %s", got)
	}
}
