// Package migrate brings a database to this program's schema: forward only, one text per step for
// both engines except where a file is marked .sqlite.sql or .postgres.sql. On PostgreSQL it also makes
// the application role, which owns nothing and may only read and write rows.
package migrate

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing/fstest"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"huoban/internal/fault"
	"huoban/internal/store"
)

//go:embed sql/*.sql
var files embed.FS

// Result is what a run did.
type Result struct {
	Version int64  `json:"version"`
	Applied int    `json:"applied"`
	Role    string `json:"role,omitempty"` // the application role, "" where there is none
	// Note is a code that says which role is lacking: migrate.role_not_allowed, .tenant_role_not_allowed.
	Note string `json:"note,omitempty"`
}

// Up applies what is missing and gives the version reached.
func Up(ctx context.Context, db *store.DB) (int64, error) {
	r, err := Run(ctx, db)
	return r.Version, err
}

// Run applies what is missing and sees to the application role. It changes nothing, and is quick, where
// all is done already. Fault: migrate.newer.
func Run(ctx context.Context, db *store.DB) (Result, error) {
	applied, err := To(ctx, db, Latest())
	if err != nil {
		return Result{}, err
	}
	r := Result{Version: Latest(), Applied: applied}
	r.Role, r.Note, err = grant(ctx, db)
	return r, err
}

// To applies what is missing up to a version and gives how many steps that were; the application role
// is left as it is. Fault: migrate.newer.
func To(ctx context.Context, db *store.DB, version int64) (int, error) {
	applied, err := applied(ctx, db)
	if err != nil {
		return 0, err
	}
	if err := refuseNewer(applied); err != nil {
		return 0, err
	}
	if !slices.ContainsFunc(versions(), func(v int64) bool { return v <= version && !applied[v] }) {
		return 0, nil
	}
	fsys, err := spelled(db.Engine())
	if err != nil {
		return 0, err
	}
	dialect, opts := goose.DialectSQLite3, []goose.ProviderOption{goose.WithDisableGlobalRegistry(true)}
	if db.Engine() == store.Postgres {
		dialect = goose.DialectPostgres
		l, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300), lock.WithUnlockTimeout(1, 30))
		if err != nil {
			return 0, err
		}
		opts = append(opts, goose.WithSessionLocker(l))
	}
	p, err := goose.NewProvider(dialect, db.Writer(), fsys, opts...)
	if err != nil {
		return 0, fmt.Errorf("migrations: %w", err)
	}
	done, err := p.UpTo(ctx, version)
	if err != nil {
		return 0, fmt.Errorf("migrate: %w", err)
	}
	return len(done), nil
}

// Latest is the version this program knows.
func Latest() int64 {
	all := versions()
	return all[len(all)-1]
}

// Version is the version a database has, 0 when it is empty.
func Version(ctx context.Context, db *store.DB) (int64, error) {
	applied, err := applied(ctx, db)
	var last int64
	for v := range applied {
		last = max(last, v)
	}
	return last, err
}

// Pending is how many steps a database lacks. Fault: migrate.newer.
func Pending(ctx context.Context, db *store.DB) (int, error) {
	applied, err := applied(ctx, db)
	if err == nil {
		err = refuseNewer(applied)
	}
	if err != nil {
		return 0, err
	}
	n := 0
	for _, v := range versions() {
		if !applied[v] {
			n++
		}
	}
	return n, nil
}

func refuseNewer(applied map[int64]bool) error {
	for v := range applied {
		if v > Latest() {
			return fault.Conflict("migrate.newer", fault.Args{"database": v, "program": Latest()})
		}
	}
	return nil
}

// applied reads the steps a database has taken, straight from the table of the migrations: opening
// a database that is up to date costs two small queries.
func applied(ctx context.Context, db *store.DB) (map[int64]bool, error) {
	exists := "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'goose_db_version'"
	if db.Engine() == store.Postgres {
		exists = "SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relname = 'goose_db_version'"
	}
	var n int
	if err := db.Writer().QueryRowContext(ctx, exists).Scan(&n); err != nil {
		return nil, fmt.Errorf("schema version: %w", err)
	}
	out := map[int64]bool{}
	if n == 0 {
		return out, nil
	}
	rows, err := db.Writer().QueryContext(ctx, "SELECT version_id FROM goose_db_version WHERE version_id > 0")
	if err != nil {
		return nil, fmt.Errorf("schema version: %w", err)
	}
	return collect(rows, out)
}

func collect(rows *sql.Rows, out map[int64]bool) (map[int64]bool, error) {
	defer rows.Close()
	for rows.Next() {
		var v int64
		if err := rows.Scan(&v); err != nil {
			return nil, fmt.Errorf("schema version: %w", err)
		}
		out[v] = true
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("schema version: %w", err)
	}
	return out, nil
}

// versions lists the steps of this program in order.
func versions() []int64 {
	names, err := fs.Glob(files, "sql/*.sql")
	if err != nil || len(names) == 0 {
		panic("migrate: no steps")
	}
	var out []int64
	for _, n := range names {
		digits, _, _ := strings.Cut(path.Base(n), "_")
		v, err := strconv.ParseInt(digits, 10, 64)
		if err != nil {
			panic("migrate: " + n + " has no number")
		}
		out = append(out, v)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// spelled is the folder of migrations in the engine's own words.
func spelled(e store.Engine) (fs.FS, error) {
	out := fstest.MapFS{}
	names, err := fs.Glob(files, "sql/*.sql")
	if err != nil {
		return nil, err
	}
	other := map[store.Engine]string{store.SQLite: ".postgres.sql", store.Postgres: ".sqlite.sql"}[e]
	for _, n := range names {
		if strings.HasSuffix(n, other) {
			continue
		}
		body, err := files.ReadFile(n)
		if err != nil {
			return nil, err
		}
		base := strings.NewReplacer(".sqlite.sql", ".sql", ".postgres.sql", ".sql").Replace(path.Base(n))
		out[base] = &fstest.MapFile{Data: []byte(store.Words(e, string(body)))}
	}
	return out, nil
}
