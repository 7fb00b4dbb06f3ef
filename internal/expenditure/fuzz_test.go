package expenditure

import (
	"encoding/base64"
	"testing"
)

// FuzzCursor: a place in the list that comes back from a browser is a place or is refused, and a place
// written again is the same.
func FuzzCursor(f *testing.F) {
	f.Add(cursor{Customer: "c", Shares: true, Slot: 7, Start: "2026-07-01T00:00:00.000000Z", Key: []byte{1, 2}, Occur: 1, Skip: 3}.String())
	f.Add(cursor{Customer: "a\"<b>&\\ü\x7f", Slot: -7, Start: "2026", Key: []byte{}, Occur: -1}.String())
	f.Add(cursor{Slot: 1}.String())
	for _, s := range []string{"", "e30", "bnVsbA", "W10", "eyJuIjotMX0", "eyJwIjoxfQ", "%%%", "eyJzIjoxZTk5fQ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseCursor(text)
		if err != nil {
			return
		}
		_ = c.place()
		if want := base64.RawURLEncoding.EncodeToString(c.json()); c.String() != want {
			t.Fatalf("%+v is written as %s, not %s", c, c.String(), want)
		}
		again, err := parseCursor(c.String())
		if err != nil || again.String() != c.String() {
			t.Fatalf("%q: %+v, then %+v: %v", text, c, again, err)
		}
	})
}
