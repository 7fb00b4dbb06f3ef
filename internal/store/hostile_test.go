package store_test

import (
	"testing"

	"huoban/internal/fault"
	"huoban/internal/store"
	"huoban/internal/store/storetest"
)

// TestForgedInstantIsRefused: a place in a list comes back from the browser and may hold anything; what is
// no instant was an internal failure on PostgreSQL.
func TestForgedInstantIsRefused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		q := store.Query{Name: "try", Text: "SELECT count(*) FROM message WHERE created_at > $1"}
		for _, text := range []string{"garbage", "0000-01-01T00:00:00.000000Z", "2026-02-30T00:00:00.000000Z", "", "infinity'", "99999999-01-01T00:00:00Z"} {
			var n int64
			err := db.Row(t.Context(), q, "x.none", []any{text}, &n)
			if err != nil && !fault.HasCode(err, "store.out_of_range") {
				t.Errorf("%q: %v", text, err)
			}
		}
	})
}
