package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"huoban/internal/store/lite"
)

// Cells is one row of Stream as the engine's driver gives it. Bytes are valid until the next row.
type Cells []any

// Stream reads many rows below database/sql, whose layers cost as much per row as the engine's own
// work: millions of lines are read so. It runs in the transaction of ctx, of which scan must not use
// anything else; scan may run on another goroutine than the caller's.
func (db *DB) Stream(ctx context.Context, q Query, args []any, scan func(row Cells) error) error {
	t := current(ctx, db)
	if t == nil {
		return errors.New("store: " + q.Name + " streams outside a transaction")
	}
	if err := errors.Join(t.ready(ctx, q), refuseRaw(q, args)); err != nil {
		return err
	}
	db.tell(q)
	t.open = q.Name
	defer func() { t.open = "" }()
	var stopped error // of scan: it dooms nothing
	visit := func(row Cells) error {
		stopped = scan(row)
		return stopped
	}
	var err error
	if db.engine == SQLite {
		err = t.streamSQLite(ctx, q, args, visit)
	} else {
		err = t.streamPostgres(ctx, q, args, visit)
	}
	if stopped != nil {
		return stopped
	}
	return t.fail(wrap(q, err))
}

func (t *liveTx) streamSQLite(ctx context.Context, q Query, args []any, scan func(row Cells) error) error {
	return t.conn.Raw(func(dc any) error { return streamLite(ctx, dc.(*lite.Link).Conn, q, args, scan) })
}

func streamLite(ctx context.Context, c *lite.Conn, q Query, args []any, scan func(row Cells) error) error {
	bound := make([]any, len(args))
	var err error
	for i, v := range args {
		if bound[i], err = bind(SQLite, v); err != nil {
			return err
		}
	}
	st, err := c.Prepare(q.Text)
	if err != nil {
		return err
	}
	defer st.Close()
	if err := st.Bind(bound...); err != nil {
		return err
	}
	row := make(Cells, len(st.Columns()))
	held := make([][]byte, len(row)) // pointers to these need no memory of their own
	for n := 0; ; n++ {
		if more, err := st.Step(); err != nil || !more {
			return err
		}
		if n&0x3ff == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		for i := range row {
			row[i] = st.Look(i, &held[i])
		}
		if err := scan(row); err != nil {
			return err
		}
	}
}

// pgEpoch is where PostgreSQL's binary instants begin.
var pgEpoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func (t *liveTx) streamPostgres(ctx context.Context, q Query, args []any, scan func(row Cells) error) error {
	return t.withPgx(func(conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, q.Text, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		fields := rows.FieldDescriptions()
		row := make(Cells, len(fields))
		bytes := make([][]byte, len(fields)) // pointers to these need no memory of their own
		for rows.Next() {
			for i, raw := range rows.RawValues() {
				switch {
				case raw == nil:
					row[i] = nil
				case fields[i].DataTypeOID == pgtype.Int8OID && fields[i].Format == 1:
					row[i] = int64(binary.BigEndian.Uint64(raw))
				case fields[i].DataTypeOID == pgtype.TimestamptzOID && fields[i].Format == 1:
					row[i] = pgEpoch.Add(time.Duration(int64(binary.BigEndian.Uint64(raw))) * time.Microsecond)
				default:
					bytes[i] = raw
					row[i] = &bytes[i]
				}
			}
			if err := scan(row); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}

// Bytes is a text or bytes column; nil is null. It is valid until the next row.
func (c Cells) Bytes(i int) []byte {
	switch v := c[i].(type) {
	case *[]byte:
		return *v
	case []byte:
		return v
	case string:
		return []byte(v)
	}
	return nil
}

// Text is a text column; one equal to was is was, without memory of its own.
func (c Cells) Text(i int, was string) string {
	switch v := c[i].(type) {
	case *[]byte:
		if string(*v) != was {
			return string(*v)
		}
	case string:
		if v != was {
			return v
		}
	}
	return was
}

// Instant is a point in time.
func (c Cells) Instant(i int) (time.Time, error) {
	switch v := c[i].(type) {
	case time.Time:
		return v, nil
	case string:
		if at, ok := parseInstant(v); ok {
			return at, nil
		}
	case *[]byte:
		if at, ok := parseInstant(*v); ok {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("instant from %T", c[i])
}
