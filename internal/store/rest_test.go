package store_test

import (
	"context"
	"sync"
	"testing"

	"huoban/internal/store"
)

// Rest may come while others ask: nobody is refused, and what comes after it is answered.
func TestRest(t *testing.T) {
	q := store.Query{Name: "note.Stream", Text: "SELECT id, amount_e8, at, body FROM note WHERE amount_e8 >= $2 AND id > $1 ORDER BY id"}
	withNotes(t, func(t *testing.T, db *store.DB) {
		read := func(ctx context.Context) error {
			return db.Stream(ctx, q, []any{"", int64(0)}, func(store.Cells) error { return nil })
		}
		var asking sync.WaitGroup
		for range 24 {
			asking.Go(func() {
				for range 20 {
					if err := db.InRead(t.Context(), read); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		for range 20 {
			if err := db.Rest(t.Context()); err != nil {
				t.Error(err)
			}
		}
		asking.Wait()
		if err := db.Rest(t.Context()); err != nil {
			t.Error(err)
		}
		if err := db.InRead(t.Context(), read); err != nil {
			t.Error(err)
		}
	})
}
