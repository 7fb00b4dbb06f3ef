package migrate_test

import (
	"context"
	"testing"

	"huoban/internal/scope"
	"huoban/internal/store"
	"huoban/internal/store/storetest"
)

// BenchmarkSecondLock is a small read of the program itself and the same one locked to an actor, alone
// and with another actor on the same connection each time.
func BenchmarkSecondLock(b *testing.B) {
	db := storetest.Postgres(b)
	q := store.Query{Name: "bench", Text: "SELECT count(*) FROM source WHERE vendor_id = $1"}
	actor := func(id string) context.Context {
		return scope.With(context.Background(), scope.Partner(id, "p", "p", nil, nil))
	}
	for _, c := range []struct {
		name string
		who  []context.Context
	}{
		{"system", []context.Context{context.Background()}},
		{"actor", []context.Context{actor("a")}},
		{"actors", []context.Context{actor("a"), actor("b")}},
	} {
		b.Run(c.name, func(b *testing.B) {
			var n int64
			for i := 0; b.Loop(); i++ {
				if err := db.Row(c.who[i%len(c.who)], q, "x.none", []any{"v"}, &n); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
