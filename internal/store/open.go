// Package store is the only place that speaks SQL.
//
// It owns the connection to one of two engines (embedded SQLite, or PostgreSQL and what speaks its
// protocol), transactions, bulk writing, and the column types; areas below it own the queries of one
// noun each. It does not own rules: domain packages declare the Store interface they need.
//
// Invariants: one SQL text for both engines; every write happens inside InTx or InBulk; a transaction
// function may be run again and so touches nothing but the store; a failed statement dooms its
// transaction on both engines; a transaction is used by one goroutine at a time.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // driver "sqlite"

	"huoban/internal/store/lite"
)

// Engine names the database kind.
type Engine string

// The two engines.
const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
)

// readers bounds the connections that read at once; a reading transaction takes one of half of them, so
// that preparing a statement never waits for the transaction that asks for it.
const readers = 16

// DB is an open database.
type DB struct {
	engine Engine
	path   string  // of the SQLite file
	owner  *sql.DB // migrations and maintenance, never under the application role
	read   *sql.DB // SQLite: query_only connections; PostgreSQL: the application's pool
	writer *writer // SQLite only
	stmts  sync.Map
	moving sync.Map               // by query text: whether it changes what pages show
	inRead chan struct{}          // SQLite: connections of reading transactions there are
	spare  chan *reader           // SQLite: those of them nobody uses
	role   atomic.Pointer[string] // PostgreSQL: the role application connections take
	watch  atomic.Pointer[func(name string)]

	config     *pgx.ConnConfig // PostgreSQL
	turn       chan struct{}   // PostgreSQL: held by the small transaction that writes
	tenant     atomic.Pointer[sql.DB]
	tenantRole string // whose connections tenant holds; set before it
}

// Option changes how a database is opened.
type Option func(*options)

type options struct{ unsafe bool }

// Unsafe lets SQLite not wait for the disk, so that a power cut loses data or the whole file: for
// measurements and databases that are thrown away.
func Unsafe() Option { return func(o *options) { o.unsafe = true } }

// Open connects to a postgres:// URL, or to the SQLite file of that path, which it makes if absent.
// It does not migrate.
func Open(ctx context.Context, target string, opts ...Option) (*DB, error) {
	var o options
	for _, set := range opts {
		set(&o)
	}
	if IsURL(target) {
		return openPostgres(ctx, target)
	}
	return openSQLite(ctx, target, o)
}

// IsURL tells whether the target names a PostgreSQL server rather than a file.
func IsURL(target string) bool {
	return strings.HasPrefix(target, "postgres://") || strings.HasPrefix(target, "postgresql://")
}

func openSQLite(ctx context.Context, path string, o options) (*DB, error) {
	if err := createPrivate(path); err != nil {
		return nil, fmt.Errorf("open sqlite: %w", err)
	}
	wait := "synchronous(FULL)"
	if o.unsafe {
		wait = "synchronous(OFF)"
	}
	common := []string{"busy_timeout(10000)", "journal_mode(WAL)", wait, "foreign_keys(1)", "temp_store(MEMORY)"}
	// Checkpoints are rare because each one waits for the disk; the journal shrinks again afterwards. The
	// writer maps nothing: an import that walks over a large file would count all of it as its own memory.
	// Each setting is given once, because the driver sorts them by their text.
	writing := slices.Concat(common, []string{"cache_size(-24576)", "mmap_size(0)", "wal_autocheckpoint(12000)", "journal_size_limit(67108864)"})
	reading := slices.Concat(common, []string{"cache_size(-8192)", "mmap_size(268435456)", "query_only(1)"})
	address := "file:" + escapePath(path)
	owner, err := sql.Open("sqlite", address+"?"+url.Values{"_pragma": writing, "_txlock": {"immediate"}}.Encode())
	if err != nil {
		return nil, fmt.Errorf("open sqlite: %w", err)
	}
	pool := func(p *sql.DB, limit, idle int) *sql.DB {
		p.SetMaxOpenConns(limit)
		p.SetMaxIdleConns(idle)
		return p
	}
	pool(owner, 1, 0)
	write := pool(sql.OpenDB(lite.Connector{Address: address, Pragmas: writing}), 1, 1)
	read := pool(sql.OpenDB(lite.Connector{Address: address, Pragmas: reading}), readers, readers)
	db := &DB{engine: SQLite, path: path, owner: owner, read: read, writer: newWriter(write), inRead: make(chan struct{}, readers/2), spare: make(chan *reader, readers/2)}
	if err := write.PingContext(ctx); err != nil {
		db.Close()
		return nil, fmt.Errorf("open sqlite %s: %w", path, err)
	}
	return db, nil
}

// createPrivate makes a new file that only its owner may read: it holds everybody's bills and password
// hashes, and its journal takes the same rights. A file that exists is not even opened, because closing it
// would let go the engine's locks of this process.
func createPrivate(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

func escapePath(p string) string {
	return strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(p)
}

func openPostgres(ctx context.Context, target string) (*DB, error) {
	config, err := pgx.ParseConfig(target)
	if err != nil {
		return nil, fmt.Errorf("open postgres: %w", err)
	}
	// Instants are read as UTC whatever the server's own zone.
	config.RuntimeParams["timezone"] = "UTC"
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "portal"
	}
	db := &DB{engine: Postgres, config: config, turn: make(chan struct{}, 1)}
	db.owner = stdlib.OpenDB(*config)
	db.owner.SetMaxOpenConns(4)
	db.owner.SetMaxIdleConns(1)
	db.owner.SetConnMaxIdleTime(time.Minute)
	db.read = stdlib.OpenDB(*config, stdlib.OptionAfterConnect(db.assume), stdlib.OptionResetSession(db.assume))
	db.read.SetMaxOpenConns(readers)
	db.read.SetMaxIdleConns(readers)
	db.read.SetConnMaxIdleTime(db.idle())
	if err := db.read.PingContext(ctx); err != nil {
		db.Close()
		return nil, fmt.Errorf("open postgres: %w", err)
	}
	return db, nil
}

// idle is how long a connection that nobody uses stays open.
func (db *DB) idle() time.Duration { return 5 * time.Minute }

// Engine tells which engine is open.
func (db *DB) Engine() Engine { return db.engine }

// Close ends all connections.
func (db *DB) Close() error {
	var first error
	keep := func(err error) {
		if first == nil {
			first = err
		}
	}
	if db.writer != nil {
		keep(db.writer.close())
	}
	if pool := db.tenant.Load(); pool != nil {
		keep(pool.Close())
	}
	for len(db.spare) > 0 {
		keep((<-db.spare).close())
	}
	keep(db.read.Close())
	keep(db.owner.Close())
	return first
}

// Writer is the owner's pool, for migrations and engine maintenance only.
func (db *DB) Writer() *sql.DB { return db.owner }
