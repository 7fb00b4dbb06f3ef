package closestore_test

import (
	"testing"

	"huoban/internal/store"
	"huoban/internal/store/storetest"
	"huoban/internal/store/transfer"
)

// TestMoveIssuedDatabase moves a database with an issued cycle to the other engine and back into the
// same: what refuses writes to a closed cycle must not refuse the move, and must stand again after it.
func TestMoveIssuedDatabase(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := newRoad(t, db)
		r.source("focus")
		r.imported(smallFile(t))
		r.mapped()
		r.issue("2024-09")
		for name, target := range map[string]*store.DB{"sqlite": storetest.SQLite(t), "postgres": storetest.Postgres(t)} {
			if _, err := transfer.Copy(r.ctx, db, target); err != nil {
				t.Errorf("to %s: %v", name, err)
				continue
			}
			moved := newRoad(t, target)
			if string(moved.canonical(r.vendor(), "2024-09")) != string(r.canonical(r.vendor(), "2024-09")) {
				t.Errorf("to %s: the bills differ", name)
			}
			if rep := moved.verified(); !rep.Whole() {
				t.Errorf("to %s: %+v", name, rep.Differences)
			}
			refused(t, &world{t: t, ctx: r.ctx, db: target}, "update bill set due_e8 = due_e8 + 1")
		}
	})
}
