package migrate_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"huoban/internal/fault"
	"huoban/internal/store"
	"huoban/internal/store/migrate"
	"huoban/internal/store/storetest"
)

func eachBare(t *testing.T, run func(t *testing.T, db *store.DB)) {
	for _, e := range []store.Engine{store.SQLite, store.Postgres} {
		t.Run(string(e), func(t *testing.T) { run(t, storetest.Bare(t, e)) })
	}
}

func TestVersions(t *testing.T) {
	eachBare(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		if v, err := migrate.Version(ctx, db); v != 0 || err != nil {
			t.Fatalf("an empty database has version %d: %v", v, err)
		}
		before, err := migrate.Pending(ctx, db)
		if err != nil || before == 0 {
			t.Fatalf("%d steps are pending: %v", before, err)
		}
		r, err := migrate.Run(ctx, db)
		if err != nil || r.Applied != before || r.Version != migrate.Latest() {
			t.Fatalf("%+v after %d pending: %v", r, before, err)
		}
		again, err := migrate.Run(ctx, db)
		if err != nil || again.Applied != 0 || again.Role != r.Role {
			t.Fatalf("the second run: %+v: %v", again, err)
		}
		if n, err := migrate.Pending(ctx, db); n != 0 || err != nil {
			t.Fatalf("%d steps are pending: %v", n, err)
		}
		if _, err := db.Writer().Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)"); err != nil {
			t.Fatal(err)
		}
		if _, err := migrate.Up(ctx, db); !fault.HasCode(err, "migrate.newer") {
			t.Fatalf("a newer database was taken: %v", err)
		}
		if _, err := migrate.Pending(ctx, db); !fault.HasCode(err, "migrate.newer") {
			t.Fatalf("a newer database was taken: %v", err)
		}
	})
}

// TestReplicasTogether starts several programs on one empty server at once.
func TestReplicasTogether(t *testing.T) {
	url := storetest.PostgresURL(t)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			db, err := store.Open(context.Background(), url)
			if err != nil {
				t.Error(err)
				return
			}
			defer db.Close()
			if r, err := migrate.Run(context.Background(), db); err != nil || r.Role == "" {
				t.Errorf("%+v: %v", r, err)
			}
		})
	}
	wg.Wait()
}

func TestApplicationRole(t *testing.T) {
	db := storetest.Postgres(t)
	try := func(text string) error {
		return db.InTx(t.Context(), func(ctx context.Context) error {
			_, err := db.Exec(ctx, store.Query{Name: "try", Text: text})
			return err
		})
	}
	texts := []string{
		"DROP TABLE usage_line", "ALTER TABLE usage_line ADD COLUMN more text", "CREATE TABLE more (id text)",
		"ALTER TABLE usage_line DISABLE TRIGGER ALL", "DROP TRIGGER usage_line_sealed ON usage_line",
		"TRUNCATE bill", "DROP SCHEMA public CASCADE", "UPDATE goose_db_version SET version_id = 1",
	}
	for _, table := range migrate.AppendOnly {
		texts = append(texts, "UPDATE "+table+" SET actor = 'x'", "DELETE FROM "+table, "TRUNCATE "+table)
	}
	for _, text := range texts {
		if err := try(text); !fault.HasCode(err, "store.not_granted") {
			t.Errorf("%s: %v", text, err)
		}
	}
	if err := try("DELETE FROM bill"); err != nil {
		t.Errorf("an ordinary write: %v", err)
	}
	// Connections that were open before took the role too.
	var user string
	if err := db.Row(t.Context(), store.Query{Name: "who", Text: "SELECT current_user::text"}, "x.none", nil, &user); err != nil || !strings.HasSuffix(user, "_portal") {
		t.Errorf("reading as %q: %v", user, err)
	}
}

// TestOwnerWithoutRoles runs as a plain owner who may not make roles: everything works, and the result
// says what is lacking.
func TestOwnerWithoutRoles(t *testing.T) {
	db, owner := storetest.PlainOwner(t)
	r, err := migrate.Run(t.Context(), db)
	if err != nil || r.Role != "" || r.Note != "migrate.role_not_allowed" {
		t.Fatalf("%+v: %v", r, err)
	}
	if role, err := db.AsApplication(t.Context()); role != "" || err != nil {
		t.Fatalf("took %q: %v", role, err)
	}
	if err := db.InTx(t.Context(), func(ctx context.Context) error {
		_, err := db.Exec(ctx, store.Query{Name: "try", Text: "DELETE FROM bill"})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	// An administrator makes the role by hand; the next run grants what it needs.
	owner("CREATE ROLE {role} NOLOGIN")
	owner("GRANT {role} TO {owner}")
	if r, err = migrate.Run(t.Context(), db); err != nil || r.Role == "" || r.Note != "migrate.tenant_role_not_allowed" {
		t.Fatalf("%+v: %v", r, err)
	}
	// And the one that reads for actors; without superuser the lock works too, bulk rows take a detour.
	owner("CREATE ROLE {tenant} NOLOGIN")
	owner("GRANT {tenant} TO {owner}")
	if r, err = migrate.Run(t.Context(), db); err != nil || r.Role == "" || r.Note != "" {
		t.Fatalf("%+v: %v", r, err)
	}
	if role, err := db.AsApplication(t.Context()); role != r.Role || err != nil {
		t.Fatalf("took %q: %v", role, err)
	}
	if db.TenantRole() == "" {
		t.Error("no second lock")
	}
	row := []any{"k", int64(1), int64(1), store.At(time.Unix(0, 0))}
	sent := false
	next := func() ([]any, bool, error) { defer func() { sent = true }(); return row, !sent, nil }
	if err := db.InBulk(t.Context(), func(ctx context.Context) error {
		n, err := db.Bulk(ctx, "kept_file", []string{"sha", "bytes", "chunks", "kept_at"}, next)
		if n != 1 {
			t.Errorf("%d rows written", n)
		}
		return err
	}); err != nil {
		t.Errorf("bulk under forced policies: %v", err)
	}
}
