package store

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	sqlite "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"huoban/internal/fault"
)

type txKey struct{}

type liveTx struct {
	db   *DB
	pool *sql.DB
	conn *sql.Conn
	tx   *sql.Tx
	ro   bool
}

const maxAttempts = 12

// InTx runs fn in one writing transaction: the single writer on SQLite, SERIALIZABLE with bounded
// retry on PostgreSQL. fn may run more than once and must touch nothing outside the store. A call
// inside a running transaction joins it.
func (db *DB) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	if t := current(ctx, db); t != nil {
		if t.ro {
			return errors.New("store: a writing transaction inside a reading one")
		}
		return fn(ctx)
	}
	var err error
	for attempt := range maxAttempts {
		err = db.once(ctx, db.write, &sql.TxOptions{Isolation: db.isolation()}, fn)
		if !retryable(err) {
			return classify(err)
		}
		pause := time.Duration(1<<min(attempt, 6)) * time.Millisecond
		select {
		case <-ctx.Done():
			return classify(ctx.Err())
		case <-time.After(pause + rand.N(pause)):
		}
	}
	return fault.Unavailable("store.busy", nil).Because(err)
}

// InRead runs fn on one consistent snapshot without writing.
func (db *DB) InRead(ctx context.Context, fn func(ctx context.Context) error) error {
	if current(ctx, db) != nil {
		return fn(ctx)
	}
	opts := &sql.TxOptions{ReadOnly: true}
	if db.engine == Postgres {
		opts.Isolation = sql.LevelRepeatableRead
	}
	return classify(db.once(ctx, db.read, opts, fn))
}

func (db *DB) isolation() sql.IsolationLevel {
	if db.engine == Postgres {
		return sql.LevelSerializable
	}
	return sql.LevelDefault
}

func (db *DB) once(ctx context.Context, pool *sql.DB, opts *sql.TxOptions, fn func(ctx context.Context) error) (err error) {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	tx, err := conn.BeginTx(ctx, opts)
	if err != nil {
		return err
	}
	done := false
	defer func() {
		if !done {
			_ = tx.Rollback()
		}
	}()
	if err := fn(context.WithValue(ctx, txKey{}, &liveTx{db, pool, conn, tx, opts.ReadOnly})); err != nil {
		return err
	}
	err = tx.Commit()
	done = err == nil
	return err
}

func current(ctx context.Context, db *DB) *liveTx {
	if t, ok := ctx.Value(txKey{}).(*liveTx); ok && t.db == db {
		return t
	}
	return nil
}

// Exec runs a writing query inside the transaction of ctx and tells how many rows it touched.
func (db *DB) Exec(ctx context.Context, q Query, args ...any) (int64, error) {
	t := current(ctx, db)
	if t == nil || t.ro {
		return 0, errors.New("store: " + q.Name + " writes outside a writing transaction")
	}
	st, err := db.stmt(ctx, t.pool, q)
	if err != nil {
		return 0, err
	}
	res, err := t.tx.StmtContext(ctx, st).ExecContext(ctx, args...)
	if err != nil {
		return 0, wrap(q, err)
	}
	return res.RowsAffected()
}

// Query reads rows, in the transaction of ctx if there is one.
func (db *DB) Query(ctx context.Context, q Query, args ...any) (*sql.Rows, error) {
	st, err := db.bound(ctx, q)
	if err != nil {
		return nil, err
	}
	rows, err := st.QueryContext(ctx, args...)
	return rows, wrap(q, err)
}

// Row reads one row into dest. Fault: not_found with the given code when there is none.
func (db *DB) Row(ctx context.Context, q Query, missing string, args []any, dest ...any) error {
	st, err := db.bound(ctx, q)
	if err != nil {
		return err
	}
	err = st.QueryRowContext(ctx, args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return fault.NotFound(missing, nil)
	}
	return wrap(q, err)
}

// Each calls scan for every row.
func (db *DB) Each(ctx context.Context, q Query, args []any, scan func(rows *sql.Rows) error) error {
	rows, err := db.Query(ctx, q, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return wrap(q, err)
		}
	}
	return wrap(q, rows.Err())
}

func (db *DB) bound(ctx context.Context, q Query) (*sql.Stmt, error) {
	if t := current(ctx, db); t != nil {
		st, err := db.stmt(ctx, t.pool, q)
		if err != nil {
			return nil, err
		}
		return t.tx.StmtContext(ctx, st), nil
	}
	return db.stmt(ctx, db.read, q)
}

// stmt prepares once per pool. On SQLite the single writer connection is taken by the transaction
// itself, so its statements are prepared on that connection.
func (db *DB) stmt(ctx context.Context, pool *sql.DB, q Query) (*sql.Stmt, error) {
	key := stmtKey{pool, q.Text}
	if st, ok := db.stmts.Load(key); ok {
		return st.(*sql.Stmt), nil
	}
	var st *sql.Stmt
	var err error
	if t := current(ctx, db); t != nil && db.engine == SQLite && !t.ro {
		return t.tx.PrepareContext(ctx, q.Text)
	}
	st, err = pool.PrepareContext(ctx, q.Text)
	if err != nil {
		return nil, wrap(q, err)
	}
	if old, loaded := db.stmts.LoadOrStore(key, st); loaded {
		st.Close()
		return old.(*sql.Stmt), nil
	}
	return st, nil
}

func wrap(q Query, err error) error {
	if err == nil {
		return nil
	}
	return &queryError{q.Name, err}
}

type queryError struct {
	name string
	err  error
}

func (e *queryError) Error() string { return e.name + ": " + e.err.Error() }
func (e *queryError) Unwrap() error { return e.err }

func retryable(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "40001" || pg.Code == "40P01"
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		code := lite.Code() & 0xff
		return code == sqlite3.SQLITE_BUSY || code == sqlite3.SQLITE_LOCKED
	}
	return false
}

// classify turns drivers' errors into faults, so that nothing above knows a driver.
func classify(err error) error {
	if err == nil {
		return nil
	}
	var f *fault.Error
	if errors.As(err, &f) {
		return err
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code {
		case "23505":
			return fault.Conflict("store.exists", fault.Args{"constraint": pg.ConstraintName}).Because(err)
		case "P0001", "23514", "23503":
			return fault.Conflict("store.refused", nil).Because(err)
		case "22003":
			return fault.Invalid("money.out_of_range", nil).Because(err)
		}
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		switch lite.Code() {
		case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
			return fault.Conflict("store.exists", nil).Because(err)
		case sqlite3.SQLITE_CONSTRAINT_TRIGGER, sqlite3.SQLITE_CONSTRAINT_CHECK, sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
			return fault.Conflict("store.refused", nil).Because(err)
		case sqlite3.SQLITE_FULL:
			return fault.Unavailable("store.disk_full", nil).Because(err)
		case sqlite3.SQLITE_READONLY:
			return fault.Unavailable("store.read_only", nil).Because(err)
		}
	}
	return err
}
