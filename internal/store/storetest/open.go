// Package storetest opens fresh migrated databases for tests, one per engine.
package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"huoban/internal/id"
	"huoban/internal/store"
	"huoban/internal/store/migrate"
)

// Each runs the test on every engine, each on its own fresh database. PostgreSQL is the server that
// PORTAL_TEST_PG names; without it its subtest is skipped, or fails where CI=true.
func Each(t *testing.T, run func(t *testing.T, db *store.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { run(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { run(t, Postgres(t)) })
}

// SQLite opens a fresh embedded database: a copy of one that was migrated once for all tests of a program.
func SQLite(t testing.TB) *store.DB {
	t.Helper()
	body, err := migrated()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "portal.db")
	if err := os.WriteFile(path, body, 0o600); err != nil {
		t.Fatal(err)
	}
	return open(t, path)
}

var migrated = sync.OnceValues(func() (body []byte, err error) {
	folder, err := os.MkdirTemp("", "storetest-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	path := filepath.Join(folder, "portal.db")
	db, err := store.Open(context.Background(), path, store.Unsafe())
	if err != nil {
		return nil, err
	}
	_, err = migrate.Up(context.Background(), db)
	if err = errors.Join(err, db.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// Postgres makes and opens a fresh database on the test server.
func Postgres(t testing.TB) *store.DB {
	t.Helper()
	return open(t, PostgresURL(t))
}

// PostgresURL makes a fresh empty database on the test server and gives its URL.
func PostgresURL(t testing.TB) string {
	t.Helper()
	server := os.Getenv("PORTAL_TEST_PG")
	if server == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("PORTAL_TEST_PG is not set: CI must run both engines")
		}
		t.Skip("PORTAL_TEST_PG is not set (make test starts a server itself)")
	}
	name := "t_" + strings.ReplaceAll(id.New(), "-", "")
	admin, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := admin.ExecContext(context.Background(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = admin.ExecContext(context.Background(), fmt.Sprintf("DROP DATABASE %s WITH (FORCE)", name))
		_, _ = admin.ExecContext(context.Background(), "DROP ROLE IF EXISTS "+store.RoleOf(name)+", "+store.TenantRoleOf(name))
		admin.Close()
	})
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

func open(t testing.TB, target string) *store.DB {
	t.Helper()
	ctx := context.Background()
	db, err := store.Open(ctx, target, store.Unsafe()) // thrown away afterwards: no wait for the disk
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := migrate.Up(ctx, db); err != nil {
		t.Fatal(err)
	}
	// As the server does: what the application role may not do must fail in tests too.
	if _, err := db.AsApplication(ctx); err != nil {
		t.Fatal(err)
	}
	return db
}

// Bare opens an empty database that has not been migrated.
func Bare(t testing.TB, engine store.Engine) *store.DB {
	t.Helper()
	target := filepath.Join(t.TempDir(), "portal.db")
	if engine == store.Postgres {
		target = PostgresURL(t)
	}
	db, err := store.Open(context.Background(), target, store.Unsafe())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// PlainOwner opens a fresh unmigrated PostgreSQL database whose owner has no other right, and gives a way
// to act as administrator with {owner} and {role} for the owner's name and the application role's.
func PlainOwner(t testing.TB) (*store.DB, func(text string)) {
	t.Helper()
	target := PostgresURL(t)
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(u.Path, "/")
	admin, err := sql.Open("pgx", target)
	if err != nil {
		t.Fatal(err)
	}
	owner := name + "_owner"
	words := strings.NewReplacer("{owner}", owner, "{role}", store.RoleOf(name), "{tenant}", store.TenantRoleOf(name), "{database}", name)
	run := func(text string) {
		t.Helper()
		if _, err := admin.ExecContext(context.Background(), words.Replace(text)); err != nil {
			t.Fatal(err)
		}
	}
	run("CREATE ROLE {owner} LOGIN PASSWORD '{owner}'")
	run("ALTER DATABASE {database} OWNER TO {owner}")
	run("GRANT ALL ON SCHEMA public TO {owner}")
	u.User = url.UserPassword(owner, owner)
	db, err := store.Open(context.Background(), u.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		db.Close()
		for _, text := range []string{"REASSIGN OWNED BY {owner} TO CURRENT_USER", "DROP OWNED BY {owner}", "DROP ROLE {owner}"} {
			_, _ = admin.ExecContext(context.Background(), words.Replace(text))
		}
		admin.Close()
	})
	return db, run
}

// Insert writes one row given as column, value, column, value …
func Insert(t testing.TB, db *store.DB, table string, pairs ...any) {
	t.Helper()
	var columns []string
	var values []any
	for i := 0; i < len(pairs); i += 2 {
		columns, values = append(columns, pairs[i].(string)), append(values, pairs[i+1])
	}
	err := db.InTx(context.Background(), func(ctx context.Context) error {
		done := false
		_, err := db.Bulk(ctx, table, columns, func() ([]any, bool, error) {
			more := !done
			done = true
			return values, more, nil
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
