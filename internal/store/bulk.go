package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"huoban/internal/fault"
	"huoban/internal/store/lite"
)

// Next gives the values of one row in the order of the columns, and false when there is no more. The
// slice may be used again for the next row. It must not use the store: the connection is busy.
type Next func() (row []any, more bool, err error)

// Bulk writes many rows into a table inside the transaction of ctx, by COPY on PostgreSQL and by one
// prepared statement on SQLite, and gives how many. Values are what Exec takes: Instant, Decimal, Amount,
// integers, bool, string, []byte, nil.
func (db *DB) Bulk(ctx context.Context, table string, columns []string, next Next) (int64, error) {
	return db.bulk(ctx, table, columns, next, false)
}

// BulkIgnore is Bulk that skips rows whose key is there already and gives how many were new.
func (db *DB) BulkIgnore(ctx context.Context, table string, columns []string, next Next) (int64, error) {
	return db.bulk(ctx, table, columns, next, true)
}

func (db *DB) bulk(ctx context.Context, table string, columns []string, next Next, ignore bool) (rows int64, err error) {
	q := Query{Name: "bulk " + table}
	t := current(ctx, db)
	if t == nil || t.ro {
		return 0, errors.New("store: " + q.Name + " writes outside a writing transaction")
	}
	if err := t.ready(ctx, q); err != nil {
		return 0, err
	}
	for _, name := range append([]string{table}, columns...) {
		if !plainName(name) {
			return 0, fmt.Errorf("store: %s: %q is not a name", q.Name, name)
		}
	}
	db.tell(q)
	t.open = q.Name
	defer func() { t.open = "" }()
	t.changed = true
	source := &feed{engine: db.engine, width: len(columns), next: next, ctx: ctx}
	switch {
	case db.engine == SQLite:
		rows, err = t.insertSQLite(table, columns, source, ignore)
	case ignore:
		rows, err = t.mergePostgres(ctx, table, columns, source)
	default:
		rows, err = t.copyPostgres(ctx, table, columns, source)
	}
	t.wroteBulk(table)
	return rows, t.fail(wrap(q, err))
}

// plainName keeps identifiers in texts built here to what schemas use.
func plainName(s string) bool {
	for i, r := range s {
		if r != '_' && (r < 'a' || r > 'z') && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}

// feed turns a caller's rows into values the engine's driver takes as they are.
type feed struct {
	ctx    context.Context
	engine Engine
	width  int
	next   Next
	row    []any
	at     []boundAt
	err    error
	count  int
}

// boundAt is the instant a column held last, in the driver's form: neighbouring rows often share it, and
// writing it costs more than all else of the row.
type boundAt struct {
	in  time.Time
	out any
}

func (f *feed) Next() bool {
	if f.err != nil {
		return false
	}
	row, more, err := f.next()
	if err == nil && f.count&0x3ff == 0 {
		err = f.ctx.Err()
	}
	if err != nil || !more {
		f.err = err
		return false
	}
	if len(row) != f.width {
		f.err = fmt.Errorf("row %d has %d values for %d columns", f.count+1, len(row), f.width)
		return false
	}
	if f.row == nil {
		f.row, f.at = make([]any, f.width), make([]boundAt, f.width)
	}
	for i, v := range row {
		at, instant := v.(Instant)
		if instant && f.at[i].out != nil && at.Time == f.at[i].in {
			f.row[i] = f.at[i].out
			continue
		}
		if f.row[i], f.err = bind(f.engine, v); f.err != nil {
			return false
		}
		if instant {
			f.at[i] = boundAt{at.Time, f.row[i]}
		}
	}
	f.count++
	return true
}

func (f *feed) Values() ([]any, error) { return f.row, nil }
func (f *feed) Err() error             { return f.err }

// bind gives the driver's own form of a value: PostgreSQL's COPY is binary and takes a time, SQLite the
// fixed-width text.
func bind(e Engine, v any) (any, error) {
	switch v := v.(type) {
	case nil, int64:
		return v, nil
	case string:
		if e == SQLite && !plainText(v) {
			return nil, fault.Invalid("store.text_refused", nil)
		}
		return v, nil
	case []byte:
		if v == nil {
			return nil, nil
		}
		return v, nil
	case bool:
		if e == Postgres {
			return v, nil
		}
		if v {
			return int64(1), nil
		}
		return int64(0), nil
	case Instant:
		if v.IsZero() {
			return nil, nil
		}
		if e == Postgres {
			return v.UTC().Truncate(time.Microsecond), nil
		}
		return v.Value()
	case driver.Valuer:
		got, err := v.Value()
		if err != nil {
			return nil, err
		}
		if _, again := got.(driver.Valuer); again {
			return nil, fmt.Errorf("%T gives another valuer", v)
		}
		return bind(e, got)
	}
	if rawTime(v) {
		return nil, fmt.Errorf("a raw %T; wrap it in store.At", v)
	}
	r := reflect.ValueOf(v)
	switch r.Kind() {
	case reflect.Pointer:
		if r.IsNil() {
			return nil, nil
		}
		return bind(e, r.Elem().Interface())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return r.Int(), nil
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return int64(r.Uint()), nil
	case reflect.String:
		return bind(e, r.String())
	case reflect.Bool:
		return bind(e, r.Bool())
	}
	return nil, fmt.Errorf("a %T cannot be stored", v)
}

// rowsPerInsert is how many rows one statement carries on SQLite; more gains nothing that can be measured.
const rowsPerInsert = 8

// insertSQLite goes to the engine itself: the layers above it cost as much per row as the insert.
func (t *liveTx) insertSQLite(table string, columns []string, source *feed, ignore bool) (rows int64, err error) {
	var args []any
	var kept []byte // the caller may reuse its bytes before the statement runs
	insert := func(n int) (*lite.Stmt, error) {
		return t.writer.engine.Prepare(insertText(table, columns, n, unnamed, ignore))
	}
	run := func(st *lite.Stmt) error {
		if err := st.Bind(args...); err != nil {
			return err
		}
		n, err := st.Run()
		rows += n
		args, kept = args[:0], kept[:0]
		return err
	}
	many, err := insert(rowsPerInsert)
	if err != nil {
		return 0, err
	}
	defer many.Close()
	for source.Next() {
		for _, v := range source.row {
			if b, ok := v.([]byte); ok {
				at := len(kept)
				kept = append(kept, b...)
				v = kept[at:len(kept):len(kept)]
			}
			args = append(args, v)
		}
		if len(args) == rowsPerInsert*len(columns) {
			if err := run(many); err != nil {
				return rows, err
			}
		}
	}
	if source.err != nil || len(args) == 0 {
		return rows, source.err
	}
	rest, err := insert(len(args) / len(columns))
	if err != nil {
		return rows, err
	}
	defer rest.Close()
	return rows, run(rest)
}

// unnamed writes n placeholders for SQLite, which need no names.
func unnamed(_, n int) string { return strings.Repeat(", ?", n)[2:] }

// insertText writes an INSERT of n rows; list writes the placeholders of one.
func insertText(table string, columns []string, n int, list func(from, n int) string, ignore bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "INSERT INTO %s (%s) VALUES ", table, strings.Join(columns, ", "))
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "(%s)", list(i*len(columns)+1, len(columns)))
	}
	if ignore {
		// Not OR IGNORE, which would also skip rows that break another rule without a word.
		b.WriteString(" ON CONFLICT DO NOTHING")
	}
	return b.String()
}
