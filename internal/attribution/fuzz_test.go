package attribution

import (
	"bytes"
	"testing"

	"huoban/internal/fault"
)

// FuzzMap: a map file is read whole or refused with a code; no row without its line.
func FuzzMap(f *testing.F) {
	head := "source,key,customer,partner,association,valid_from,valid_to\n"
	for _, s := range []string{"", head, head + "a,b,c,d,resale,2026-01-01,\n", "\ufeff" + head + "a,\"b\n,c", head + "a,Tags.x=y,,,,2026-02-30,0000-00-00\n", "source,source,key,customer\n1,2,3,4\n", head + "\x00,\xff,=1+1"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		rows, err := readMap(bytes.NewReader(body))
		if err != nil && fault.Is(fault.From(err), fault.KindInternal) {
			t.Fatalf("%v", err)
		}
		for i := range rows {
			if rows[i].line < 2 {
				t.Fatalf("row %d has line %d", i, rows[i].line)
			}
		}
	})
}
