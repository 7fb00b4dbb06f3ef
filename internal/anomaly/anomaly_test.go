package anomaly

import (
	"fmt"
	"strings"
	"testing"

	"huoban/internal/money"
)

func exacts(texts string) (out []money.Exact) {
	for _, x := range strings.Fields(texts) {
		out = append(out, money.MustExact(x))
	}
	return out
}

// tell is a mark in short.
func tell(m Mark) string {
	out := string(m.Kind) + " " + m.Subject
	if m.ByRise {
		out += " rise"
	}
	if m.BySigma {
		out += " sigma"
	}
	return strings.TrimSpace(strings.ReplaceAll(out, "  ", " "))
}

func TestRises(t *testing.T) {
	for _, c := range []struct{ name, now, past, want string }{
		{"half as much again is not above half", "15000", "10000", ""},
		{"a little more than half", "15000.00000001", "10000", "surge rise"},
		{"more than half, of a small amount", "1999", "1000", ""},
		{"twice as much by the least amount", "2000", "1000", "surge rise"},
		{"against nothing there is no rise", "50000", "0", ""},
		{"against a month of refunds", "50000", "-10", ""},
		{"a first month", "50000", "", ""},
		// Mean 10,000, sample deviation 100: the bound is 10,300, but a tenth above the mean is 11,000.
		{"beyond three deviations, within a tenth", "10999", "10000 9900 10100", ""},
		{"beyond both", "11000", "10000 9900 10100", "surge sigma"},
		// Mean 10,000, sample deviation 1,000: the bound is 13,000.
		{"at three deviations", "13000", "10000 9000 11000", ""},
		{"above three deviations", "13000.01", "10000 9000 11000", "surge sigma"},
		{"two months have no deviation", "14000", "10000 10000", ""},
		{"months that were all the same", "11000", "10000 10000 10000", "surge sigma"},
		{"both ways", "30000", "10000 9000 11000", "surge rise sigma"},
		{"above the month before, not above the others", "16000", "10000 20000 21000", "surge rise"},
		{"the seventh month is forgotten", "11000", "10000 10000 10000 10000 10000 10000 99999999", "surge sigma"},
		{"a fall", "100", "10000 9000 11000", ""},
	} {
		var got []string
		for _, m := range Judge("2026-10", History{Now: money.MustExact(c.now), Past: exacts(c.past)}) {
			got = append(got, tell(m))
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%s: %v, want %q", c.name, got, c.want)
		}
	}
}

func TestNewServices(t *testing.T) {
	h := History{Now: money.MustExact("500"), Past: exacts("400"), New: []Product{{"CDN", money.MustExact("100")}, {"WAF", money.MustExact("99.99")}}}
	got := Judge("2026-10", h)
	if len(got) != 1 || tell(got[0]) != "new_service CDN" {
		t.Errorf("%+v", got)
	}
	if h.Past = nil; len(Judge("2026-10", h)) != 0 {
		t.Error("everything of a new customer is new, and nothing unusual")
	}
}

func TestMissingDays(t *testing.T) {
	days := func(text string) (out []int64) {
		for _, r := range text {
			out = append(out, int64(r-'0'))
		}
		return out
	}
	full := strings.Repeat("3", 30)
	for _, c := range []struct{ name, before, now, want string }{
		{"none", full, "1111", ""},
		{"one, and two in a row", full, "1011001", "2026-10-02/02 2026-10-05/06"},
		{"the first and the last known day", full, "0110", "2026-10-01/01 2026-10-04/04"},
		{"nine of ten days before are enough", strings.Repeat("1", 27) + "000", "101", "2026-10-02/02"},
		{"fewer are not", strings.Repeat("1", 26) + "0000", "101", ""},
		{"no month before", "", "101", ""},
	} {
		var got []string
		for _, m := range Judge("2026-10", History{Lines: days(c.now), Before: days(c.before)}) {
			got = append(got, m.Subject)
			if want := fmt.Sprintf("2026-10-%02d/%02d", m.From, m.To); m.Kind != KindMissing || m.Subject != want {
				t.Errorf("%s: %+v", c.name, m)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %q", c.name, got, c.want)
		}
	}
}

func TestPercent(t *testing.T) {
	m := Mark{Amount: money.MustExact("150"), Last: money.MustExact("100")}
	if p, ok := m.Percent(); !ok || p != 50 {
		t.Errorf("%v %v", p, ok)
	}
	if m.Last = (money.Exact{}); func() bool { _, ok := m.Percent(); return ok }() {
		t.Error("a percentage of nothing")
	}
}
