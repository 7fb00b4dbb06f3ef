package store

import (
	"database/sql/driver"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	sqlite "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"huoban/internal/fault"
)

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

func retryable(err error) bool {
	// A connection that turns out to be dead when it is taken has done nothing yet.
	if errors.Is(err, errGroupLost) || errors.Is(err, driver.ErrBadConn) {
		return true
	}
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
		return classifyPostgres(pg, err)
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return classifySQLite(lite, err)
	}
	return err
}

func classifyPostgres(pg *pgconn.PgError, err error) error {
	switch pg.Code {
	case "23505":
		return fault.Conflict("store.exists", fault.Args{"constraint": pg.ConstraintName}).Because(err)
	case "P0001", "23514", "23503", "23502":
		return fault.Conflict("store.refused", nil).Because(err)
	case "22003":
		return fault.Invalid("store.out_of_range", nil).Because(err)
	case "22021":
		return fault.Invalid("store.text_refused", nil).Because(err)
	case "53100":
		return fault.Unavailable("store.disk_full", nil).Because(err)
	case "25006":
		return fault.Unavailable("store.read_only", nil).Because(err)
	case "42501":
		return fault.Conflict("store.not_granted", nil).Because(err)
	case "53300", "57P01", "57P02", "57P03":
		return fault.Unavailable("store.busy", nil).Because(err)
	}
	return err
}

func classifySQLite(lite *sqlite.Error, err error) error {
	switch lite.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID:
		return fault.Conflict("store.exists", nil).Because(err)
	case sqlite3.SQLITE_CONSTRAINT_TRIGGER, sqlite3.SQLITE_CONSTRAINT_CHECK,
		sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY, sqlite3.SQLITE_CONSTRAINT_NOTNULL:
		return fault.Conflict("store.refused", nil).Because(err)
	}
	switch lite.Code() & 0xff {
	case sqlite3.SQLITE_ERROR:
		if strings.Contains(lite.Error(), "integer overflow") {
			return fault.Invalid("store.out_of_range", nil).Because(err)
		}
	case sqlite3.SQLITE_FULL:
		return fault.Unavailable("store.disk_full", nil).Because(err)
	case sqlite3.SQLITE_READONLY:
		return fault.Unavailable("store.read_only", nil).Because(err)
	}
	return err
}
