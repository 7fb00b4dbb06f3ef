package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"time"

	"huoban/internal/fault"
	"huoban/internal/money"
)

// RowCells is one row as the driver gave it, read by place. It is valid until the next row.
type RowCells []driver.Value

// Text is a text column; null is "".
func (c RowCells) Text(i int) string {
	s, _ := c[i].(string)
	return s
}

// Int is a whole number; null is 0.
func (c RowCells) Int(i int) int64 {
	n, _ := c[i].(int64)
	return n
}

// Bytes is a byte column; the slice is the caller's.
func (c RowCells) Bytes(i int) []byte {
	b, _ := c[i].([]byte)
	return b
}

// Time is an instant; null is the zero time.
func (c RowCells) Time(i int) (time.Time, error) {
	var at Instant
	err := at.Scan(c[i])
	return at.Time, err
}

// Dec is an exact decimal; null is absent.
func (c RowCells) Dec(i int) (*money.Exact, error) {
	x, ok, err := c.Exact(i)
	if !ok || err != nil {
		return nil, err
	}
	return &x, nil
}

// Exact is Dec by value; false where it is absent.
func (c RowCells) Exact(i int) (money.Exact, bool, error) {
	s, ok := c[i].(string)
	if !ok {
		return money.Exact{}, false, nil
	}
	x, err := money.ParseExact(s)
	if err != nil {
		return x, false, fmt.Errorf("decimal %q: %w", s, err)
	}
	return x, true, nil
}

// reader is a connection of SQLite that reads for one request at a time, with statements that were
// prepared once. The layers of database/sql cost as much as a small query, so Cells goes below them.
type reader struct {
	*sql.Conn
	stmts map[string]*sql.Stmt
	raws  map[string]rawQuery
	begin driver.StmtExecContext
	end   driver.StmtExecContext
	undo  driver.StmtExecContext
	row   []driver.Value
	args  []driver.NamedValue
}

// rawQuery is a query whose placeholders are plain ones, which SQLite need not look up by name; order
// says which argument each one takes.
type rawQuery struct {
	st    driver.StmtQueryContext
	order []int
}

var placeholder = regexp.MustCompile(`\$(\d+)`)

func (r *reader) rawQuery(text string) (rawQuery, error) {
	if q, ok := r.raws[text]; ok {
		return q, nil
	}
	var q rawQuery
	plain := placeholder.ReplaceAllStringFunc(text, func(p string) string {
		n, _ := strconv.Atoi(p[1:])
		q.order = append(q.order, n-1)
		return "+?" // the plus keeps the engine from planning again for each value
	})
	st, err := r.raw(plain)
	if err != nil {
		return q, err
	}
	q.st = st.(driver.StmtQueryContext)
	r.raws[text] = q
	return q, nil
}

func newReader(ctx context.Context, pool *sql.DB) (*reader, error) {
	conn, err := pool.Conn(context.WithoutCancel(ctx))
	if err != nil {
		return nil, err
	}
	r := &reader{Conn: conn, stmts: map[string]*sql.Stmt{}, raws: map[string]rawQuery{}}
	for text, st := range map[string]*driver.StmtExecContext{"BEGIN": &r.begin, "COMMIT": &r.end, "ROLLBACK": &r.undo} {
		made, err := r.raw(text)
		if err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		*st = made.(driver.StmtExecContext)
	}
	return r, nil
}

// raw prepares below database/sql.
func (r *reader) raw(text string) (st driver.Stmt, err error) {
	err = r.Raw(func(dc any) error {
		st, err = dc.(driver.ConnPrepareContext).PrepareContext(context.Background(), text)
		return err
	})
	return st, err
}

func exec(st driver.StmtExecContext) error {
	_, err := st.ExecContext(context.Background(), nil)
	return err
}

// prepared is a kept statement of database/sql on this connection.
func (r *reader) prepared(ctx context.Context, q Query) (*sql.Stmt, error) {
	if st := r.stmts[q.Text]; st != nil {
		return st, nil
	}
	st, err := r.PrepareContext(context.WithoutCancel(ctx), q.Text)
	if err == nil {
		r.stmts[q.Text] = st
	}
	return st, err
}

// each runs a query below database/sql. It cannot be interrupted, which is why only queries that are
// bounded by themselves come this way.
func (r *reader) each(q Query, args []any, scan func(RowCells) error) error {
	raw, err := r.rawQuery(q.Text)
	if err != nil {
		return err
	}
	r.args = r.args[:0]
	for i, n := range raw.order {
		if n >= len(args) {
			return fmt.Errorf("argument %d is missing", n+1)
		}
		v, err := bind(SQLite, args[n])
		if err != nil {
			return err
		}
		r.args = append(r.args, driver.NamedValue{Ordinal: i + 1, Value: v})
	}
	rows, err := raw.st.QueryContext(context.Background(), r.args)
	if err != nil {
		return err
	}
	defer rows.Close()
	n := len(rows.Columns())
	if cap(r.row) < n {
		r.row = make([]driver.Value, n)
	}
	row := r.row[:n]
	for {
		switch err := rows.Next(row); err {
		case nil:
		case io.EOF:
			return nil
		default:
			return err
		}
		if err := scan(row); err != nil {
			return err
		}
	}
}

func (r *reader) close() error {
	for _, st := range r.stmts {
		_ = st.Close()
	}
	for _, q := range r.raws {
		_ = q.st.(driver.Stmt).Close()
	}
	for _, st := range []driver.StmtExecContext{r.begin, r.end, r.undo} {
		_ = st.(driver.Stmt).Close()
	}
	return r.Conn.Close()
}

// takeReader waits for a connection; at most so many exist.
func (db *DB) takeReader(ctx context.Context) (*reader, error) {
	select {
	case r := <-db.spare:
		return r, nil
	default:
	}
	select {
	case r := <-db.spare:
		return r, nil
	case db.inRead <- struct{}{}:
		r, err := newReader(ctx, db.read)
		if err != nil {
			<-db.inRead
		}
		return r, err
	case <-ctx.Done():
		return nil, fault.Unavailable("store.busy", nil).Because(ctx.Err())
	}
}

// giveReader brings a connection back, or ends it where its state is not known.
func (db *DB) giveReader(r *reader, sound bool) {
	if sound {
		db.spare <- r
		return
	}
	_ = r.close()
	<-db.inRead
}

// snapshot is InRead on SQLite.
func (db *DB) snapshot(ctx context.Context, fn func(ctx context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r, err := db.takeReader(ctx)
	if err != nil {
		return err
	}
	t := &liveTx{db: db, conn: r.Conn, reader: r, ro: true}
	sound := false
	defer func() {
		t.ended = true
		db.giveReader(r, sound)
	}()
	if err := exec(r.begin); err != nil {
		return err
	}
	done := false
	defer func() {
		if !done { // fn did not return
			sound = exec(r.undo) == nil
		}
	}()
	err = fn(context.WithValue(ctx, txKey{}, t))
	if err == nil {
		err = t.failed
	}
	done = true
	end := r.end
	if err != nil {
		end = r.undo
	}
	ended := exec(end)
	sound = ended == nil
	if err == nil {
		err = ended
	}
	return err
}

// Cells calls scan for every row of a small query, by the shortest way there is: on SQLite below
// database/sql, where it is not interrupted, so that only queries belong here that end soon by
// themselves. Inside a transaction scan must not run further statements of it.
func (db *DB) Cells(ctx context.Context, q Query, args []any, scan func(RowCells) error) error {
	if err := refuseRaw(q, args); err != nil {
		return err
	}
	t := current(ctx, db)
	if t != nil {
		if err := t.ready(ctx, q); err != nil {
			return err
		}
	}
	switch {
	case t != nil && t.reader != nil:
		db.tell(q)
		t.open = q.Name
		defer func() { t.open = "" }()
		return cellError(q, t.reader.each(q, args, scan))
	case t != nil && t.writer != nil:
		db.tell(q)
		st, err := t.writer.prepared(q)
		if err != nil {
			return t.fail(err)
		}
		t.changed = t.changed || st.writes
		t.open = q.Name
		defer func() { t.open = "" }()
		var stopped error // by scan: it dooms nothing
		err = st.each(args, func(c RowCells) error {
			stopped = scan(c)
			return stopped
		})
		if err == nil || err == stopped {
			return err
		}
		return t.fail(wrap(q, err))
	case t != nil || db.engine != SQLite:
		return db.Each(ctx, q, args, func(rows *sql.Rows) error { return sqlCells(rows, scan) })
	}
	db.tell(q)
	if err := ctx.Err(); err != nil {
		return err
	}
	r, err := db.takeReader(ctx)
	if err != nil {
		return classify(err)
	}
	sound := false
	defer func() { db.giveReader(r, sound) }()
	err = r.each(q, args, scan)
	sound = true
	return classify(cellError(q, err))
}

// cellError names the query of a failure of the engine's; what scan gives is not touched.
func cellError(q Query, err error) error {
	if err == nil || errors.Is(err, errEnough) {
		return err
	}
	return wrap(q, err)
}

func sqlCells(rows *sql.Rows, scan func(RowCells) error) error {
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	row, got, into := make(RowCells, len(names)), make([]any, len(names)), make([]any, len(names))
	for i := range got {
		into[i] = &got[i]
	}
	if err := rows.Scan(into...); err != nil {
		return err
	}
	for i := range got {
		row[i] = got[i]
	}
	return scan(row)
}
