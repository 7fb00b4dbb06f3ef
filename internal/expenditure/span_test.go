package expenditure

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/scope"
)

var (
	epoch = time.Date(2024, 9, 1, 0, 0, 0, 0, time.UTC)
	own   = Party{"p", "P", "Partner"}
)

func day(n int) time.Time { return epoch.AddDate(0, 0, n) }

// drawTime is a day, or unbounded.
func drawTime(t *rapid.T, from int) (time.Time, int) {
	n := rapid.IntRange(from, 21).Draw(t, "day")
	if n == from && from == 0 || n == 21 {
		return time.Time{}, n
	}
	return day(n), n
}

// drawIntervals are intervals that follow each other, as those of one customer do.
func drawIntervals(t *rapid.T, most int) (out [][2]time.Time) {
	at := 0
	for range rapid.IntRange(0, most).Draw(t, "n") {
		if at >= 20 {
			break
		}
		from, n := drawTime(t, at)
		if from.IsZero() && len(out) > 0 || n >= 20 {
			break
		}
		to, m := drawTime(t, n+1)
		out, at = append(out, [2]time.Time{from, to}), m
		if to.IsZero() {
			break
		}
	}
	return out
}

func holds(i [2]time.Time, at time.Time) bool {
	return (i[0].IsZero() || !at.Before(i[0])) && (i[1].IsZero() || at.Before(i[1]))
}

func TestVisibleIsWhatTheScopeSeesAtEachInstant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var links []Link
		var care []Care
		partners := []Party{own, {"r", "R", "Reseller"}, {"x", "X", "Another"}}
		for i := range 3 {
			c := Party{ID: fmt.Sprint("c", i), Code: fmt.Sprint("C", i)}
			for _, in := range drawIntervals(t, 4) {
				links = append(links, Link{c, rapid.SampledFrom(partners).Draw(t, "partner"), rapid.SampledFrom([]customer.Kind{customer.KindResale, customer.KindReferral}).Draw(t, "kind"), in[0], in[1]})
			}
			for n, in := range drawIntervals(t, 4) {
				if !in[0].IsZero() {
					care = append(care, Care{"p", c.ID, Person{ID: fmt.Sprint("m", n), Login: fmt.Sprint("m", n)}, in[0], in[1]})
				}
			}
		}
		sc := scope.Partner("p", "1", "l", nil, rapid.SampledFrom([][]string{nil, {"r"}}).Draw(t, "resellers"))
		if rapid.Bool().Draw(t, "limited") {
			var windows []scope.Window
			for i := range 3 {
				for range 2 { // a person's and a supervisor's may overlap
					for _, in := range drawIntervals(t, 2) {
						windows = append(windows, scope.Window{CustomerID: fmt.Sprint("c", i), From: in[0], To: in[1]})
					}
				}
			}
			sc = sc.Limited(windows)
		}
		spans := Visible(sc, own, links, care)
		for n := -1; n < 23; n++ {
			for _, at := range []time.Time{day(n), day(n).Add(-time.Microsecond)} {
				for i := range 3 {
					id := fmt.Sprint("c", i)
					var want *Link
					for k := range links {
						l := &links[k]
						mine := l.Partner.ID == "p" || l.Partner.ID == "r" && len(sc.Resellers()) > 0
						if mine && l.Customer.ID == id && holds([2]time.Time{l.From, l.To}, at) && sc.SeesCustomerAt(id, at) {
							want = l
						}
					}
					var got []Span
					for _, s := range spans {
						if s.Customer.ID == id && s.covers(at) {
							got = append(got, s)
						}
					}
					if want == nil != (len(got) == 0) || len(got) > 1 {
						t.Fatalf("%s at %s: %d spans, seen %v", id, at, len(got), want != nil)
					}
					if want == nil {
						continue
					}
					manager := ""
					for _, c := range care {
						if c.CustomerID == id && c.PartnerID == want.Partner.ID && holds([2]time.Time{c.From, c.To}, at) {
							manager = c.Manager.ID
						}
					}
					if s := got[0]; s.Partner != want.Partner || s.Relation != want.Kind || s.Manager.ID != manager {
						t.Fatalf("%s at %s: %+v, want %+v and manager %q", id, at, s, want, manager)
					}
				}
			}
		}
	})
}

func TestVisibleOfOthers(t *testing.T) {
	links := []Link{{Customer: Party{ID: "c", Code: "C"}, Partner: own, Kind: customer.KindResale}}
	for _, c := range []struct {
		name string
		sc   scope.Scope
		own  Party
		want string
	}{
		{"partner", scope.Partner("p", "1", "l", nil, nil), own, "C P "},
		{"manager of nobody", scope.Partner("p", "1", "l", nil, nil).Limited(nil), own, ""},
		{"customer", scope.Customer("c", "1", "l", nil), Party{ID: "c", Code: "C"}, "C "},
		{"vendor", scope.Vendor("v", "1", "l", nil), Party{ID: "v", Code: "V"}, ""},
		{"system", scope.System("operator"), Party{}, ""},
		{"nobody", scope.Scope{}, Party{}, ""},
	} {
		got := ""
		for _, s := range Visible(c.sc, c.own, links, nil) {
			got += s.Customer.Code + " "
		}
		if got != c.want {
			t.Errorf("%s sees %q, want %q", c.name, got, c.want)
		}
	}
}

func TestCheckCycle(t *testing.T) {
	now := time.Date(2026, 6, 30, 16, 0, 0, 0, time.UTC) // July in Beijing
	for c, ok := range map[string]bool{"2026-08": false, "2026-07": true, "2025-01": true, "2024-12": false} {
		if err := CheckCycle(cycle.Must(c), now); ok != (err == nil) || err != nil && !fault.HasCode(err, "expenditure.cycle_out_of_range") {
			t.Errorf("%s: %v", c, err)
		}
	}
}

// A manager counts a customer from the day after the assignment to the second it is taken back; a supervisor's
// team without a gap where the customer passes from one manager to the other.
func TestCountsFromTheDayAfter(t *testing.T) {
	at := func(text string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04:05", text, cycle.Zone)
		if err != nil {
			t.Fatal(err)
		}
		return v.UTC()
	}
	links := []Link{{Customer: Party{ID: "c", Code: "C"}, Partner: own, Kind: customer.KindResale}}
	first := scope.Window{CustomerID: "c", From: at("2026-10-15 14:30:00"), To: at("2026-10-20 23:59:59")}
	second := scope.Window{CustomerID: "c", From: at("2026-10-20 23:59:59")}
	for name, x := range map[string]struct {
		windows []scope.Window
		want    [][2]string
	}{
		"first":      {[]scope.Window{first}, [][2]string{{"2026-10-16 00:00:00", "2026-10-20 23:59:59"}}},
		"second":     {[]scope.Window{second}, [][2]string{{"2026-10-21 00:00:00", ""}}},
		"supervisor": {[]scope.Window{second, first}, [][2]string{{"2026-10-16 00:00:00", ""}}},
		"an evening": {[]scope.Window{{CustomerID: "c", From: at("2026-10-15 20:00:00"), To: at("2026-10-15 23:59:59")}}, nil},
	} {
		sc := scope.Partner("p", "1", "l", nil, nil).Limited(x.windows)
		var got [][2]string
		for _, s := range Visible(counted(sc, customer.CountExpenditure), own, links, nil) {
			one := [2]string{s.From.In(cycle.Zone).Format("2006-01-02 15:04:05"), ""}
			if !s.To.IsZero() {
				one[1] = s.To.In(cycle.Zone).Format("2006-01-02 15:04:05")
			}
			got = append(got, one)
		}
		if fmt.Sprint(got) != fmt.Sprint(x.want) {
			t.Errorf("%s counts %v, want %v", name, got, x.want)
		}
	}
}
