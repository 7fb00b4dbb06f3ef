package store

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// Rows of one INSERT … ON CONFLICT, and how many such statements go before a staging table is worth its
// catalogue entries.
const (
	mergeRows   = 200
	mergeChunks = 10
)

// withPgx runs fn on the transaction's own connection.
func (t *liveTx) withPgx(fn func(conn *pgx.Conn) error) error {
	return t.conn.Raw(func(dc any) error { return fn(dc.(*stdlib.Conn).Conn()) })
}

func (t *liveTx) copyPostgres(ctx context.Context, table string, columns []string, source *feed) (rows int64, err error) {
	err = t.withPgx(func(conn *pgx.Conn) error {
		// COPY refuses a table whose policies apply to the role, even where they let everything pass. The
		// application role is above them where migrate was allowed to say so; elsewhere rows take a detour.
		var policed bool
		if err := conn.QueryRow(ctx, "SELECT row_security_active($1::text)", table).Scan(&policed); err != nil {
			return err
		}
		if policed {
			rows, err = copyStaged(ctx, conn, table, columns, source)
			return err
		}
		rows, err = conn.CopyFrom(ctx, pgx.Identifier{table}, columns, source)
		if source.err != nil {
			return source.err
		}
		return err
	})
	return rows, err
}

// mergePostgres adds what is new: a few rows by INSERT, many by COPY into a staging table of this
// transaction.
func (t *liveTx) mergePostgres(ctx context.Context, table string, columns []string, source *feed) (rows int64, err error) {
	err = t.withPgx(func(conn *pgx.Conn) error {
		args := make([]any, 0, mergeRows*len(columns))
		run := func() error {
			tag, err := conn.Exec(ctx, insertText(table, columns, len(args)/len(columns), In, true), args...)
			rows += tag.RowsAffected()
			args = args[:0]
			return err
		}
		for chunks := 0; chunks < mergeChunks; {
			if !source.Next() {
				if source.err != nil || len(args) == 0 {
					return source.err
				}
				return run()
			}
			for _, v := range source.row {
				if b, ok := v.([]byte); ok {
					v = bytes.Clone(b) // the caller may reuse its bytes before the statement runs
				}
				args = append(args, v)
			}
			if len(args) == cap(args) {
				if err := run(); err != nil {
					return err
				}
				chunks++
			}
		}
		n, err := mergeStaged(ctx, conn, table, columns, source)
		rows += n
		return err
	})
	return rows, err
}

func mergeStaged(ctx context.Context, conn *pgx.Conn, table string, columns []string, source *feed) (int64, error) {
	return insertStaged(ctx, conn, table, columns, source, " ON CONFLICT DO NOTHING")
}

func copyStaged(ctx context.Context, conn *pgx.Conn, table string, columns []string, source *feed) (int64, error) {
	return insertStaged(ctx, conn, table, columns, source, "")
}

func insertStaged(ctx context.Context, conn *pgx.Conn, table string, columns []string, source *feed, end string) (int64, error) {
	stage, list := "staged_"+table, strings.Join(columns, ", ")
	for _, text := range []string{
		fmt.Sprintf("CREATE TEMP TABLE IF NOT EXISTS %s ON COMMIT DROP AS SELECT %s FROM %s WITH NO DATA", stage, list, table),
		"TRUNCATE " + stage,
	} {
		if _, err := conn.Exec(ctx, text); err != nil {
			return 0, err
		}
	}
	_, err := conn.CopyFrom(ctx, pgx.Identifier{stage}, columns, source)
	if source.err != nil {
		return 0, source.err
	}
	if err != nil {
		return 0, err
	}
	tag, err := conn.Exec(ctx, fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM %s", table, list, list, stage)+end)
	return tag.RowsAffected(), err
}
