package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	sqlite "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"huoban/internal/fault"
	"huoban/internal/store/lite"
)

// sqliteError is the engine's answer in an error, from either way to it.
func sqliteError(err error) (code int, text string, ok bool) {
	var direct *lite.Error
	var driven *sqlite.Error
	switch {
	case errors.As(err, &direct):
		return direct.Code, direct.Error(), true
	case errors.As(err, &driven):
		return driven.Code(), driven.Error(), true
	}
	return 0, "", false
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

// errGroupLost tells a member of a group that the whole transaction is gone through no fault of its own.
var errGroupLost = errors.New("store: the shared transaction was lost")

// commitError is what COMMIT itself answered. Whether the transaction stands is unknown where the
// connection was lost meanwhile, so it is never run again by itself.
type commitError struct{ error }

func (e commitError) Unwrap() error { return e.error }

// retryable tells whether a transaction surely left nothing and may do better at another try: it lost its
// place, or its connection before it was to be committed.
func retryable(err error) bool {
	var end commitError
	if errors.Is(err, errGroupLost) || lost(err) && !errors.As(err, &end) {
		return true
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "40001" || pg.Code == "40P01"
	}
	if code, _, ok := sqliteError(err); ok {
		return code&0xff == sqlite3.SQLITE_BUSY || code&0xff == sqlite3.SQLITE_LOCKED
	}
	return false
}

// lost tells whether the connection to the server is gone or could not be made.
func lost(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return strings.HasPrefix(pg.Code, "08") || pg.Code == "57P01" || pg.Code == "57P02" || pg.Code == "57P03"
	}
	_, _, local := sqliteError(err)
	var connect *pgconn.ConnectError
	var link *net.OpError
	switch {
	case local:
		return false
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone), errors.As(err, &connect), errors.As(err, &link):
		return true
	}
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || strings.Contains(err.Error(), "conn closed")
}

// Classify is classify for what maintenance does beside InTx and InRead.
func Classify(err error) error { return classify(err) }

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
		return classifyPostgres(pg, err)
	}
	if code, text, ok := sqliteError(err); ok {
		return classifySQLite(code, text, err)
	}
	if lost(err) {
		return fault.Unavailable("store.connection_lost", nil).Because(err)
	}
	return err
}

func classifyPostgres(pg *pgconn.PgError, err error) error {
	switch pg.Code {
	case "23505":
		return fault.Conflict("store.exists", fault.Args{"constraint": pg.ConstraintName}).Because(err)
	case "P0001", "23514", "23503", "23502":
		return fault.Conflict("store.refused", nil).Because(err)
	case "22003", "22007", "22008": // too large, no instant at all, or one no calendar here has: a cursor by hand
		return fault.Invalid("store.out_of_range", nil).Because(err)
	case "22021":
		return fault.Invalid("store.text_refused", nil).Because(err)
	case "53100":
		return fault.Unavailable("store.disk_full", nil).Because(err)
	case "25006":
		return fault.Unavailable("store.read_only", nil).Because(err)
	case "42501":
		return fault.Conflict("store.not_granted", nil).Because(err)
	case "53300", "40001", "40P01":
		return fault.Unavailable("store.busy", nil).Because(err)
	}
	if lost(pg) {
		return fault.Unavailable("store.connection_lost", nil).Because(err)
	}
	return err
}

func classifySQLite(code int, text string, err error) error {
	switch code {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID:
		return fault.Conflict("store.exists", nil).Because(err)
	case sqlite3.SQLITE_CONSTRAINT_TRIGGER, sqlite3.SQLITE_CONSTRAINT_CHECK,
		sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY, sqlite3.SQLITE_CONSTRAINT_NOTNULL:
		return fault.Conflict("store.refused", nil).Because(err)
	}
	switch code & 0xff {
	case sqlite3.SQLITE_ERROR:
		if strings.Contains(text, "integer overflow") {
			return fault.Invalid("store.out_of_range", nil).Because(err)
		}
	case sqlite3.SQLITE_FULL:
		return fault.Unavailable("store.disk_full", nil).Because(err)
	case sqlite3.SQLITE_READONLY:
		return fault.Unavailable("store.read_only", nil).Because(err)
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fault.Unavailable("store.busy", nil).Because(err)
	case sqlite3.SQLITE_IOERR:
		return fault.Unavailable("store.disk_error", nil).Because(err)
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		return fault.Unavailable("store.cannot_open", nil).Because(err)
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return fault.Unavailable("store.damaged", nil).Because(err)
	}
	return err
}
