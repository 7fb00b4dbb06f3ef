package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"regexp"
	"time"

	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/store/lite"
)

// RowCells is one row, read by place. It is valid until the next row.
type RowCells struct {
	st  *lite.Stmt     // read from the engine itself, or
	row []driver.Value // as the driver gave it
}

// Text is a text column; null is "".
func (c RowCells) Text(i int) string {
	if c.st != nil {
		return string(c.st.View(i))
	}
	s, _ := c.row[i].(string)
	return s
}

// Word is a text column of few values; where it is was, it is without memory of its own.
func (c RowCells) Word(i int, was string) string {
	if c.st != nil {
		if v := c.st.View(i); string(v) != was {
			return string(v)
		}
		return was
	}
	return c.Text(i)
}

// Int is a whole number; null is 0.
func (c RowCells) Int(i int) int64 {
	if c.st != nil {
		return c.st.Int(i)
	}
	n, _ := c.row[i].(int64)
	return n
}

// Bytes is a byte column; who keeps it copies it.
func (c RowCells) Bytes(i int) []byte {
	if c.st != nil {
		return c.st.View(i)
	}
	b, _ := c.row[i].([]byte)
	return b
}

// Time is an instant; null is the zero time.
func (c RowCells) Time(i int) (time.Time, error) {
	if c.st != nil {
		v := c.st.View(i)
		if len(v) == 0 {
			return time.Time{}, nil
		}
		at, ok := parseInstant(v)
		if !ok {
			return at, fmt.Errorf("instant %q is not of the form %s", v, instantForm)
		}
		return at, nil
	}
	var at Instant
	err := at.Scan(c.row[i])
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
	if c.st != nil {
		v := c.st.View(i)
		if v == nil {
			return money.Exact{}, false, nil
		}
		x, err := money.ParseExactBytes(v)
		if err != nil {
			err = fmt.Errorf("decimal %q: %w", v, err)
		}
		return x, err == nil, err
	}
	s, ok := c.row[i].(string)
	if !ok {
		return money.Exact{}, false, nil
	}
	x, err := money.ParseExact(s)
	if err != nil {
		err = fmt.Errorf("decimal %q: %w", s, err)
	}
	return x, err == nil, err
}

// reader is a connection of SQLite that reads for one request at a time, with statements that were
// prepared once. The layers of database/sql cost as much as a small query, so Cells goes below them.
type reader struct {
	*sql.Conn
	engine *lite.Conn // the same connection
	stmts  map[string]*sql.Stmt
	raws   map[string]*lite.Stmt
	begin  *lite.Stmt
	end    *lite.Stmt
	undo   *lite.Stmt
	args   []any
}

var placeholder = regexp.MustCompile(`\$\d+`)

// raw is a kept statement of the engine.
func (r *reader) raw(text string) (*lite.Stmt, error) {
	if st := r.raws[text]; st != nil {
		return st, nil
	}
	// The plus keeps the engine from planning again for each value.
	st, err := r.engine.Prepare(placeholder.ReplaceAllString(text, "+$0"))
	if err == nil {
		r.raws[text] = st
	}
	return st, err
}

func newReader(ctx context.Context, pool *sql.DB) (*reader, error) {
	conn, err := pool.Conn(context.WithoutCancel(ctx))
	if err != nil {
		return nil, err
	}
	r := &reader{Conn: conn, stmts: map[string]*sql.Stmt{}, raws: map[string]*lite.Stmt{}}
	err = conn.Raw(func(dc any) error { r.engine = dc.(*lite.Link).Conn; return nil })
	for text, st := range map[string]**lite.Stmt{"BEGIN": &r.begin, "COMMIT": &r.end, "ROLLBACK": &r.undo} {
		if err == nil {
			*st, err = r.raw(text)
		}
	}
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

// exec runs a word of transaction control.
func exec(st *lite.Stmt) error {
	_, err := st.Step()
	st.Reset()
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
	st, err := r.raw(q.Text)
	if err != nil {
		return err
	}
	r.args = r.args[:0]
	for _, arg := range args {
		v, err := bind(SQLite, arg)
		if err != nil {
			return err
		}
		r.args = append(r.args, v)
	}
	err = st.Bind(r.args...)
	clear(r.args) // hold nobody's bytes
	if err != nil {
		return err
	}
	defer st.Reset()
	for {
		more, err := st.Step()
		if err != nil || !more {
			return err
		}
		if err := scan(RowCells{st: st}); err != nil {
			return err
		}
	}
}

func (r *reader) close() error {
	for _, st := range r.stmts {
		_ = st.Close()
	}
	for _, st := range r.raws {
		_ = st.Close()
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
	row, got, into := make([]driver.Value, len(names)), make([]any, len(names)), make([]any, len(names))
	for i := range got {
		into[i] = &got[i]
	}
	if err := rows.Scan(into...); err != nil {
		return err
	}
	for i := range got {
		row[i] = got[i]
	}
	return scan(RowCells{row: row})
}
