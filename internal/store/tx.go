package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"huoban/internal/fault"
	"huoban/internal/scope"
)

type txKey struct{}

// liveTx is the transaction a context carries. On the SQLite writer tx is nil and statements run on the
// writer's own connection.
type liveTx struct {
	db      *DB
	conn    *sql.Conn
	tx      *sql.Tx
	writer  *writer
	reader  *reader // a reading transaction on SQLite
	ro      bool
	ended   bool
	moved   bool   // it wrote something that pages show
	changed bool   // SQLite: it may have changed something
	failed  error  // the statement that doomed the transaction
	open    string // the query whose rows are being read
	tenant  string // the role it is locked to, on behalf of an actor
	late    []lateValue
}

// maxAttempts bounds the retries of a transaction that lost its place: with 16 writers that all end at
// the audit chain's head 12 were too few for one in forty, 40 are enough.
const maxAttempts = 40

// InTx runs fn in one writing transaction: the single writer on SQLite, where small transactions that
// wait for each other share a commit, and SERIALIZABLE with bounded retry on PostgreSQL. fn may run more
// than once and must touch nothing outside the store. A call inside a running transaction joins it.
// A connection that is lost before the commit is such a loss of place. Faults: store.busy, store.exists,
// store.refused, store.disk_full, store.disk_error, store.read_only, store.not_granted,
// store.connection_lost.
func (db *DB) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	return db.inTx(ctx, false, fn)
}

// InBulk is InTx for long work: it shares its transaction with nobody and uses no savepoint.
func (db *DB) InBulk(ctx context.Context, fn func(ctx context.Context) error) error {
	return db.inTx(ctx, true, fn)
}

func (db *DB) inTx(ctx context.Context, alone bool, fn func(ctx context.Context) error) error {
	if t := current(ctx, db); t != nil {
		if t.ro {
			return errors.New("store: a writing transaction inside a reading one")
		}
		return fn(ctx)
	}
	var err error
	for attempt := range maxAttempts {
		if db.writer != nil {
			err = db.writer.run(ctx, db, alone, func(t *liveTx) error { return fn(context.WithValue(ctx, txKey{}, t)) })
		} else {
			err = db.inTurn(ctx, alone, fn)
		}
		if !retryable(err) {
			return classify(err)
		}
		pause := time.Duration(1<<min(attempt, 8)) * time.Millisecond
		select {
		case <-ctx.Done():
			return fault.Unavailable("store.busy", nil).Because(ctx.Err())
		case <-time.After(pause + rand.N(pause)):
		}
	}
	if lost(err) {
		return classify(err)
	}
	return fault.Unavailable("store.busy", nil).Because(err)
}

// readOnly is a reading transaction of PostgreSQL.
var readOnly = &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead}

// patience is how long a transaction on PostgreSQL waits for its turn.
const patience = 250 * time.Millisecond

// inTurn runs a transaction on PostgreSQL. Nearly all end at the audit chain's head, where of two that run
// at once one must run again, so that small ones of a program go one after the other. None waits for long:
// behind a slow one they run beside it, as those of other programs and long work always do.
func (db *DB) inTurn(ctx context.Context, alone bool, fn func(ctx context.Context) error) error {
	if !alone {
		wait := time.NewTimer(patience)
		select {
		case db.turn <- struct{}{}:
			defer func() { <-db.turn }()
		case <-wait.C:
		case <-ctx.Done():
		}
		wait.Stop()
	}
	return db.once(ctx, db.read, &sql.TxOptions{Isolation: sql.LevelSerializable}, func(ctx context.Context) error { return versioned(ctx, current(ctx, db), fn) })
}

// InRead runs fn on one consistent snapshot without writing.
func (db *DB) InRead(ctx context.Context, fn func(ctx context.Context) error) error {
	if current(ctx, db) != nil {
		return fn(ctx)
	}
	if db.engine == Postgres {
		begun := false
		read := func(ctx context.Context) error { begun = true; return fn(ctx) }
		var err error
		for range readers + 2 { // each dead connection of the pool may come up once
			if err = db.once(ctx, db.read, readOnly, read); begun || !lost(err) {
				break
			}
		}
		return classify(err)
	}
	return classify(db.snapshot(ctx, fn))
}

func (db *DB) once(ctx context.Context, pool *sql.DB, opts *sql.TxOptions, fn func(ctx context.Context) error) error {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	return db.onceOn(ctx, conn, "", opts, fn)
}

func (db *DB) onceOn(ctx context.Context, conn *sql.Conn, tenant string, opts *sql.TxOptions, fn func(ctx context.Context) error) error {
	defer conn.Close()
	tx, err := conn.BeginTx(ctx, opts)
	if err != nil {
		return err
	}
	t := &liveTx{db: db, conn: conn, tx: tx, ro: opts != nil && opts.ReadOnly, tenant: tenant}
	done := false
	defer func() {
		t.ended = true
		if !done {
			_ = tx.Rollback()
		}
	}()
	if err := fn(context.WithValue(ctx, txKey{}, t)); err != nil {
		return err
	}
	if t.failed != nil {
		return t.failed
	}
	if err = tx.Commit(); err != nil {
		return commitError{err}
	}
	done = true
	return nil
}

func current(ctx context.Context, db *DB) *liveTx {
	if t, ok := ctx.Value(txKey{}).(*liveTx); ok && t.db == db && !t.ended {
		return t
	}
	return nil
}

// ready refuses a statement that one of the engines could not run, so that both refuse it.
func (t *liveTx) ready(ctx context.Context, q Query) error {
	switch {
	case t.failed != nil:
		return fmt.Errorf("%s: after a failed statement: %w", q.Name, t.failed)
	case t.open != "":
		return fmt.Errorf("%s: while the rows of %s are being read", q.Name, t.open)
	}
	return ctx.Err()
}

// fail remembers what doomed the transaction.
func (t *liveTx) fail(err error) error {
	if err != nil && t.failed == nil {
		t.failed = err
	}
	return err
}

// Exec runs a writing query inside the transaction of ctx and tells how many rows it touched.
func (db *DB) Exec(ctx context.Context, q Query, args ...any) (int64, error) {
	t := current(ctx, db)
	if t == nil || t.ro {
		return 0, errors.New("store: " + q.Name + " writes outside a writing transaction")
	}
	if err := errors.Join(t.ready(ctx, q), refuseRaw(q, args)); err != nil {
		return 0, err
	}
	db.tell(q)
	t.wrote(q)
	if t.writer != nil {
		st, err := t.writer.prepared(q)
		var n int64
		if err == nil {
			n, err = st.exec(args)
			t.changed = t.changed || n > 0
		}
		return n, t.fail(wrap(q, err))
	}
	res, err := t.tx.ExecContext(ctx, q.Text, args...)
	if err != nil {
		return 0, t.fail(wrap(q, err))
	}
	return res.RowsAffected()
}

// Query reads rows, in the transaction of ctx if there is one; the caller closes them before the next
// statement of that transaction. Each is safer.
func (db *DB) Query(ctx context.Context, q Query, args ...any) (*sql.Rows, error) {
	if err := refuseRaw(q, args); err != nil {
		return nil, err
	}
	db.tell(q)
	t := current(ctx, db)
	if t == nil {
		return db.pooled(ctx, q, args)
	}
	if err := t.ready(ctx, q); err != nil {
		return nil, err
	}
	var rows *sql.Rows
	var err error
	if t.tx != nil {
		rows, err = t.tx.QueryContext(ctx, q.Text, args...)
	} else {
		// Not a kept statement: nobody tells when these rows end.
		t.changed = true // for all that is known
		rows, err = t.conn.QueryContext(context.WithoutCancel(ctx), q.Text, args...)
	}
	return rows, t.fail(wrap(q, err))
}

// pooled reads outside a transaction. pgx keeps prepared statements per connection by itself.
func (db *DB) pooled(ctx context.Context, q Query, args []any) (*sql.Rows, error) {
	if db.engine == Postgres {
		var rows *sql.Rows
		var err error
		for range readers + 2 {
			if rows, err = db.read.QueryContext(ctx, q.Text, args...); !lost(err) {
				break
			}
		}
		return rows, classify(wrap(q, err))
	}
	st, err := db.stmt(ctx, q)
	if err != nil {
		return nil, err
	}
	rows, err := st.QueryContext(ctx, args...)
	return rows, classify(wrap(q, err))
}

// kept reads with a statement that is kept for the next time; the rows must be closed before it is used
// again, which liveTx.open sees to.
func (db *DB) kept(ctx context.Context, t *liveTx, q Query, args []any) (*sql.Rows, error) {
	if err := errors.Join(t.ready(ctx, q), refuseRaw(q, args)); err != nil {
		return nil, err
	}
	db.tell(q)
	var rows *sql.Rows
	var err error
	switch {
	case t.writer != nil:
		rows, err = t.writer.query(t, q, args)
	case t.reader != nil:
		var st *sql.Stmt
		if st, err = t.reader.prepared(ctx, q); err == nil {
			rows, err = st.QueryContext(ctx, args...)
		}
	default:
		rows, err = t.tx.QueryContext(ctx, q.Text, args...)
	}
	return rows, t.fail(wrap(q, err))
}

var errEnough = errors.New("store: enough rows")

// Row reads one row into dest. Fault: not_found with the given code when there is none.
func (db *DB) Row(ctx context.Context, q Query, missing string, args []any, dest ...any) error {
	found := false
	err := db.Each(ctx, q, args, func(rows *sql.Rows) error {
		found = true
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		return errEnough
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	if err == nil && !found {
		return fault.NotFound(missing, nil)
	}
	return err
}

// Each calls scan for every row. Inside a transaction scan must not run further statements of it.
func (db *DB) Each(ctx context.Context, q Query, args []any, scan func(rows *sql.Rows) error) (err error) {
	t := current(ctx, db)
	if t == nil {
		if sc, locked := db.locked(ctx); locked {
			return db.eachLocked(ctx, sc, q, args, scan)
		}
	}
	var rows *sql.Rows
	if t == nil {
		rows, err = db.Query(ctx, q, args...)
	} else {
		var back func() error
		if back, err = db.aside(ctx, t); err != nil {
			return err
		}
		defer func() {
			if e := back(); err == nil {
				err = e
			}
		}()
		if rows, err = db.kept(ctx, t, q, args); err == nil {
			t.open = q.Name
			defer func() { t.open = "" }()
		}
	}
	if err != nil {
		return err
	}
	defer rows.Close()
	return db.scan(t, q, rows, scan)
}

// eachLocked reads outside a transaction on a connection that sees the actor's rows only.
func (db *DB) eachLocked(ctx context.Context, sc scope.Scope, q Query, args []any, scan func(rows *sql.Rows) error) error {
	if err := refuseRaw(q, args); err != nil {
		return err
	}
	db.tell(q)
	conn, err := db.tenantConn(ctx, sc)
	if err != nil {
		return classify(wrap(q, err))
	}
	defer conn.Close()
	rows, err := conn.QueryContext(ctx, q.Text, args...)
	if err != nil {
		return classify(wrap(q, err))
	}
	defer rows.Close()
	return db.scan(nil, q, rows, scan)
}

func (db *DB) scan(t *liveTx, q Query, rows *sql.Rows, scan func(rows *sql.Rows) error) error {
	for rows.Next() {
		if err := scan(rows); err != nil {
			return wrap(q, err)
		}
	}
	if err := wrap(q, rows.Err()); err != nil {
		if t != nil {
			return t.fail(err)
		}
		return classify(err)
	}
	return nil
}

// stmt prepares once for the reading pool of SQLite; database/sql prepares it again on each connection
// that comes to use it, once.
func (db *DB) stmt(ctx context.Context, q Query) (*sql.Stmt, error) {
	if st, ok := db.stmts.Load(q.Text); ok {
		return st.(*sql.Stmt), nil
	}
	st, err := db.read.PrepareContext(ctx, q.Text)
	if err != nil {
		return nil, wrap(q, err)
	}
	if old, loaded := db.stmts.LoadOrStore(q.Text, st); loaded {
		st.Close()
		return old.(*sql.Stmt), nil
	}
	return st, nil
}
