// Package migrate brings a database to this program's schema: forward only, one text per step for
// both engines except where a file is marked .sqlite.sql or .postgres.sql.
package migrate

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"testing/fstest"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"huoban/internal/store"
)

//go:embed sql/*.sql
var files embed.FS

// Up applies what is missing and gives the version reached.
func Up(ctx context.Context, db *store.DB) (int64, error) {
	fsys, err := spelled(db.Engine())
	if err != nil {
		return 0, err
	}
	dialect, opts := goose.DialectSQLite3, []goose.ProviderOption{}
	if db.Engine() == store.Postgres {
		dialect = goose.DialectPostgres
		l, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return 0, err
		}
		opts = append(opts, goose.WithSessionLocker(l))
	}
	p, err := goose.NewProvider(dialect, db.Writer(), fsys, opts...)
	if err != nil {
		return 0, fmt.Errorf("migrations: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return 0, fmt.Errorf("migrate: %w", err)
	}
	return p.GetDBVersion(ctx)
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
