package scope

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
)

func (s Scope) key() string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00%s\x00%v\x00", s.side, s.orgID, s.limited)
	items := make([]string, 0, len(s.items))
	for i := range s.items {
		items = append(items, string(i))
	}
	slices.Sort(items)
	fmt.Fprintf(h, "%q\x00%q\x00", items, slices.Sorted(slices.Values(s.resellers)))
	for _, w := range s.windows {
		fmt.Fprintf(h, "%s\x00%d\x00%d\x00", w.CustomerID, w.From.UnixMicro(), w.To.UnixMicro())
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
