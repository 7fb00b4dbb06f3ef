// Package store is the only place that speaks SQL.
//
// It owns the connection to one of two engines (embedded SQLite, or PostgreSQL and what speaks its
// protocol), transactions, migrations and the column types; areas below it own the queries of one
// noun each. It does not own rules: domain packages declare the Store interface they need.
//
// Invariants: one SQL text for both engines; every write happens inside InTx; a transaction
// function may be run again and so touches nothing but the store.
package store

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // driver "pgx"
	_ "modernc.org/sqlite"             // driver "sqlite"
)

// Engine names the database kind.
type Engine string

// The two engines.
const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
)

// DB is an open database.
type DB struct {
	engine Engine
	write  *sql.DB
	read   *sql.DB
	stmts  sync.Map // stmtKey → *sql.Stmt
}

type stmtKey struct {
	pool *sql.DB
	text string
}

// Open connects to a postgres:// URL, or to the SQLite file of that path, which it makes if absent.
// It does not migrate.
func Open(ctx context.Context, target string) (*DB, error) {
	if strings.HasPrefix(target, "postgres://") || strings.HasPrefix(target, "postgresql://") {
		return openPostgres(ctx, target)
	}
	return openSQLite(ctx, target)
}

func openSQLite(ctx context.Context, path string) (*DB, error) {
	v := url.Values{}
	for _, p := range []string{"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)",
		"cache_size(-65536)", "mmap_size(268435456)", "temp_store(MEMORY)"} {
		v.Add("_pragma", p)
	}
	v.Set("_txlock", "immediate")
	write, err := sql.Open("sqlite", "file:"+escapePath(path)+"?"+v.Encode())
	if err != nil {
		return nil, fmt.Errorf("open sqlite: %w", err)
	}
	write.SetMaxOpenConns(1)
	v.Del("_txlock")
	v.Add("_pragma", "query_only(1)")
	read, err := sql.Open("sqlite", "file:"+escapePath(path)+"?"+v.Encode())
	if err != nil {
		return nil, fmt.Errorf("open sqlite: %w", err)
	}
	read.SetMaxOpenConns(8)
	read.SetMaxIdleConns(8)
	db := &DB{engine: SQLite, write: write, read: read}
	if err := write.PingContext(ctx); err != nil {
		db.Close()
		return nil, fmt.Errorf("open sqlite %s: %w", path, err)
	}
	return db, nil
}

func escapePath(p string) string {
	return strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(p)
}

func openPostgres(ctx context.Context, target string) (*DB, error) {
	pool, err := sql.Open("pgx", target)
	if err != nil {
		return nil, fmt.Errorf("open postgres: %w", err)
	}
	pool.SetMaxOpenConns(16)
	pool.SetMaxIdleConns(16)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	if err := pool.PingContext(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("open postgres: %w", err)
	}
	return &DB{engine: Postgres, write: pool, read: pool}, nil
}

// Engine tells which engine is open.
func (db *DB) Engine() Engine { return db.engine }

// Close ends all connections.
func (db *DB) Close() error {
	err := db.write.Close()
	if db.read != db.write {
		if e := db.read.Close(); err == nil {
			err = e
		}
	}
	return err
}

// Writer is the writing pool, for migrations and engine maintenance only.
func (db *DB) Writer() *sql.DB { return db.write }
