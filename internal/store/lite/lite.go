// Package lite calls the SQLite engine directly.
//
// It owns connections without the engine's own mutexes, statements whose values need no memory of their
// own, and a driver for database/sql over both. The engine is modernc.org/sqlite's; its driver opens every
// connection with mutexes, takes a lock and two conversions for each cell, and asks for the names and types
// of the columns at each run, which together cost a small query as much as the engine's work.
//
// It does not own texts, transactions or faults: package store does. Invariant: a connection is used by one
// goroutine at a time, an interrupt apart, which is what makes the mutexes needless.
package lite

import (
	"errors"
	"fmt"
	"unsafe"

	"modernc.org/libc"
	_ "modernc.org/sqlite" // prepares the engine
	engine "modernc.org/sqlite/lib"
)

// Error is what the engine answered. Code is the extended result code.
type Error struct {
	Code int
	text string
}

func (e *Error) Error() string { return fmt.Sprintf("%s (%d)", e.text, e.Code) }

// Conn is a connection.
type Conn struct {
	tls *libc.TLS
	db  uintptr
}

// Open opens the database a file: address names, and makes it if it is absent. Each of the pragmas is run
// in its order, such as "busy_timeout(1000)".
func Open(address string, pragmas []string) (*Conn, error) {
	c := &Conn{tls: libc.NewTLS()}
	name, err := libc.CString(address)
	if err != nil {
		c.tls.Close()
		return nil, err
	}
	defer libc.Xfree(c.tls, name)
	out := c.tls.Alloc(8)
	defer c.tls.Free(8)
	rc := engine.Xsqlite3_open_v2(c.tls, name, out, engine.SQLITE_OPEN_READWRITE|engine.SQLITE_OPEN_CREATE|engine.SQLITE_OPEN_URI|engine.SQLITE_OPEN_NOMUTEX, 0)
	c.db = word(out)
	if rc == engine.SQLITE_OK {
		rc = engine.Xsqlite3_extended_result_codes(c.tls, c.db, 1)
	}
	if err := c.fault(rc); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	for _, p := range pragmas {
		if err := c.Exec("PRAGMA " + p); err != nil {
			return nil, errors.Join(fmt.Errorf("pragma %s: %w", p, err), c.Close())
		}
	}
	return c, nil
}

// Close ends the connection; one whose statements are not closed ends with the last of them.
func (c *Conn) Close() error {
	if c.tls == nil {
		return nil
	}
	rc := engine.Xsqlite3_close_v2(c.tls, c.db)
	err := c.fault(rc)
	c.tls.Close()
	c.db, c.tls = 0, nil
	return err
}

// Interrupt stops what runs on the connection; any goroutine may call it while the connection is open.
func (c *Conn) Interrupt() { engine.Xsqlite3_interrupt(c.tls, c.db) }

// Exec runs one statement, or several, without values.
func (c *Conn) Exec(text string) error {
	sql, err := libc.CString(text)
	if err != nil {
		return err
	}
	defer libc.Xfree(c.tls, sql)
	return c.fault(engine.Xsqlite3_exec(c.tls, c.db, sql, 0, 0, 0))
}

// Changes is how many rows the last writing statement touched.
func (c *Conn) Changes() int64 { return engine.Xsqlite3_changes64(c.tls, c.db) }

// fault is the engine's answer as an error.
func (c *Conn) fault(rc int32) error {
	if rc == engine.SQLITE_OK {
		return nil
	}
	text := engine.Xsqlite3_errstr(c.tls, rc)
	if c.db != 0 && engine.Xsqlite3_extended_errcode(c.tls, c.db) == rc {
		text = engine.Xsqlite3_errmsg(c.tls, c.db)
	}
	return &Error{int(rc), libc.GoString(text)}
}

// memory is an address of the engine's as Go's; it is never one of Go's own.
func memory(at uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&at)) }

// word is the address that stands at an address.
func word(at uintptr) uintptr { return *(*uintptr)(memory(at)) }
