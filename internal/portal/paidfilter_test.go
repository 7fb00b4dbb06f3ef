package portal

import "testing"

func TestPaidFilterTakes(t *testing.T) {
	for _, c := range []struct {
		f    paidFilter
		want bool
	}{
		{paidFilter{}, true},
		{paidFilter{text: "云帆"}, true},
		{paidFilter{text: "ref-7"}, true},
		{paidFilter{text: "云帆ref"}, false}, // two names are not one
		{paidFilter{from: "2026-10-31", to: "2026-10-31"}, true},
		{paidFilter{from: "2026-11-01"}, false},
		{paidFilter{to: "2026-10-30"}, false},
	} {
		if got := c.f.takes("2026-10-31", "苏州云帆", "REF-7"); got != c.want {
			t.Errorf("%+v takes it: %v", c.f, got)
		}
	}
}
