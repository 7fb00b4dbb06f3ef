package storetest

import (
	"testing"

	"huoban/internal/store"
)

// PrepareAll prepares every named query of every loaded area on the database, so that a column or a word
// that one engine does not know fails here, and reports queries that nothing uses. Call it from a package
// that imports all areas.
func PrepareAll(t *testing.T, db *store.DB) {
	t.Helper()
	queries, unused := store.All()
	for _, q := range queries {
		st, err := db.Writer().PrepareContext(t.Context(), q.Text)
		if err != nil {
			t.Errorf("%s on %s: %v", q.Name, db.Engine(), err)
			continue
		}
		st.Close()
	}
	for _, name := range unused {
		t.Errorf("query %s is used by nothing", name)
	}
}
