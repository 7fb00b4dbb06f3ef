package cycle

import "testing"

// FuzzParse: what is taken for a month is one, spelled in one way, and its neighbours lead back to it.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"2026-07", "0000-01", "9999-12", "2026-13", "2026-7", "٢٠٢٦-07", "2026-07\x00", "-001-01", "2026/07", "202607"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse(text)
		if err != nil {
			return
		}
		if again, err := Parse(string(c)); err != nil || again != c || len(c) != len("2026-07") {
			t.Fatalf("%q became %q: %v", text, c, err)
		}
		if !c.Start(Zone).Before(c.End(Zone)) || Of(c.Start(Zone), Zone) != c {
			t.Fatalf("%q from %s to %s", c, c.Start(Zone), c.End(Zone))
		}
	})
}
