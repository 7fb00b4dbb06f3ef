package migrate_test

import (
	"database/sql"
	"slices"
	"testing"

	"huoban/internal/scope"
	"huoban/internal/store"
	"huoban/internal/store/migrate"
	"huoban/internal/store/storetest"
	"huoban/internal/store/transfer"
)

// TestTenancyIsComplete: every table says whose its rows are, and no row of the list is of a table that
// is gone.
func TestTenancyIsComplete(t *testing.T) {
	tables, err := storetest.SQLite(t).Tables(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, table := range tables {
		names = append(names, table.Name)
		_, locked := migrate.Tenancy[table.Name]
		_, shared := migrate.Shared[table.Name]
		if locked == shared {
			t.Errorf("table %s stands in Tenancy: %v, in Shared: %v; it must stand in one of them (internal/store/migrate/tenant.go)", table.Name, locked, shared)
		}
	}
	for _, list := range []map[string]string{migrate.Tenancy, migrate.Shared} {
		for name := range list {
			if !slices.Contains(names, name) {
				t.Errorf("%s is no table", name)
			}
		}
	}
}

// TestEveryTableIsLocked looks at the database itself: policies are forced on every table of Tenancy, an
// actor whose organisation is nobody's sees no row of any, and may write none.
func TestEveryTableIsLocked(t *testing.T) {
	db := storetest.Postgres(t)
	if _, err := transfer.Copy(t.Context(), storetest.Sample(t, 3), db); err != nil {
		t.Fatal(err)
	}
	forced := map[string]bool{}
	each := func(text string, use func(rows *sql.Rows) error) {
		t.Helper()
		if err := db.Each(t.Context(), store.Query{Name: "try", Text: text}, nil, use); err != nil {
			t.Fatal(err)
		}
	}
	each("SELECT c.relname::text FROM pg_class c WHERE c.relrowsecurity AND c.relforcerowsecurity AND (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid) = 2", func(rows *sql.Rows) error {
		var name string
		err := rows.Scan(&name)
		forced[name] = true
		return err
	})
	stranger := scope.With(t.Context(), scope.Partner("nobody", "p", "p", nil, nil))
	for table := range migrate.Tenancy {
		if !forced[table] {
			t.Errorf("%s has no forced policies", table)
		}
		var all, seen int64
		count := store.Query{Name: "try", Text: "SELECT count(*) FROM " + table}
		if err := db.Row(t.Context(), count, "x.none", nil, &all); err != nil {
			t.Fatal(err)
		}
		var open int64 // a notice that names no vendor is for everybody
		if table == "site_notice" {
			if err := db.Row(t.Context(), store.Query{Name: "try", Text: "SELECT count(*) FROM site_notice WHERE vendor_id IS NULL"}, "x.none", nil, &open); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.Row(stranger, count, "x.none", nil, &seen); err != nil || seen != open || all == open {
			t.Errorf("%s shows %d of %d rows to a stranger, want %d: %v", table, seen, all, open, err)
		}
	}
	for _, text := range []string{"DELETE FROM bill RETURNING id", "UPDATE person SET name = 'x' RETURNING id", "SELECT version_id::text FROM goose_db_version", "SELECT kind FROM sign_in_throttle"} {
		if err := db.Each(stranger, store.Query{Name: "try", Text: text}, nil, func(*sql.Rows) error { return nil }); err == nil {
			t.Errorf("%s is allowed to who reads for an actor", text)
		}
	}
}
