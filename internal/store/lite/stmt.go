package lite

import (
	"fmt"
	"strconv"
	"unsafe"

	"modernc.org/libc"
	engine "modernc.org/sqlite/lib"
)

// Stmt is a prepared statement. It is bound, stepped through and reset, in that order, again and again.
type Stmt struct {
	c     *Conn
	p     uintptr
	order []int // which argument each placeholder takes
	names []string

	space uintptr // what bound texts and bytes are read from
	size  int
}

// maxSpace is how much of a long text's memory a statement keeps for the next one.
const maxSpace = 64 << 10

// Prepare prepares one statement. Placeholders are ? in their order, or $1, $2 and so on.
func (c *Conn) Prepare(text string) (*Stmt, error) {
	sql, err := libc.CString(text)
	if err != nil {
		return nil, err
	}
	defer libc.Xfree(c.tls, sql)
	out := c.tls.Alloc(16)
	defer c.tls.Free(16)
	if err := c.fault(engine.Xsqlite3_prepare_v3(c.tls, c.db, sql, -1, engine.SQLITE_PREPARE_PERSISTENT, out, out+8)); err != nil {
		return nil, err
	}
	s := &Stmt{c: c, p: word(out)}
	rest := libc.GoString(word(out + 8))
	if s.p == 0 || !blank(rest) {
		_ = s.Close()
		return nil, fmt.Errorf("not one statement: %q", text)
	}
	s.names = make([]string, engine.Xsqlite3_column_count(c.tls, s.p))
	for i := range s.names {
		s.names[i] = libc.GoString(engine.Xsqlite3_column_name(c.tls, s.p, int32(i)))
	}
	s.order = make([]int, engine.Xsqlite3_bind_parameter_count(c.tls, s.p))
	for i := range s.order {
		name := libc.GoString(engine.Xsqlite3_bind_parameter_name(c.tls, s.p, int32(i+1)))
		if s.order[i] = i; name == "" {
			continue
		}
		n, err := strconv.Atoi(name[1:])
		if err != nil {
			_ = s.Close()
			return nil, fmt.Errorf("placeholder %s: %w", name, err)
		}
		s.order[i] = n - 1
	}
	return s, nil
}

func blank(text string) bool {
	for _, c := range text {
		if c != ' ' && c != '\n' && c != '\t' && c != '\r' && c != ';' {
			return false
		}
	}
	return true
}

// Close gives the statement back.
func (s *Stmt) Close() error {
	if s.p != 0 {
		engine.Xsqlite3_finalize(s.c.tls, s.p) // answers what the last step did
		s.p = 0
	}
	s.resize(0)
	return nil
}

// Columns are the names of the result's columns; none of a statement without rows.
func (s *Stmt) Columns() []string { return s.names }

// Form is a text that writes itself into the engine's memory; it is at most maxForm bytes long.
type Form interface{ AppendForm(b []byte) []byte }

const maxForm = 64

// Bind gives the placeholders their arguments: nil, int64, float64, string, []byte and Form. Texts and bytes
// are copied.
func (s *Stmt) Bind(args ...any) error {
	need := 0
	for _, at := range s.order {
		if at >= len(args) {
			return fmt.Errorf("argument %d is missing", at+1)
		}
		switch v := args[at].(type) {
		case string:
			need += len(v)
		case []byte:
			need += len(v)
		case Form:
			need += maxForm
		}
	}
	if need+1 > s.size || s.size > maxSpace {
		if !s.resize(max(need+1, 256)) {
			return &Error{engine.SQLITE_NOMEM, "out of memory"}
		}
	}
	free := unsafe.Slice((*byte)(memory(s.space)), s.size)
	used := 0
	for i, arg := range s.order {
		var rc int32
		at := int32(i + 1)
		v := args[arg]
		if b, ok := v.([]byte); ok && b == nil {
			v = nil
		}
		switch v := v.(type) {
		case nil:
			rc = engine.Xsqlite3_bind_null(s.c.tls, s.p, at)
		case int64:
			rc = engine.Xsqlite3_bind_int64(s.c.tls, s.p, at, v)
		case float64:
			rc = engine.Xsqlite3_bind_double(s.c.tls, s.p, at, v)
		case string:
			copy(free[used:], v)
			rc = engine.Xsqlite3_bind_text(s.c.tls, s.p, at, s.space+uintptr(used), int32(len(v)), 0)
			used += len(v)
		case []byte:
			copy(free[used:], v)
			rc = engine.Xsqlite3_bind_blob(s.c.tls, s.p, at, s.space+uintptr(used), int32(len(v)), 0)
			used += len(v)
		case Form:
			n := len(v.AppendForm(free[used:used]))
			rc = engine.Xsqlite3_bind_text(s.c.tls, s.p, at, s.space+uintptr(used), int32(n), 0)
			used += n
		default:
			return fmt.Errorf("argument %d is a %T", arg+1, v)
		}
		if rc != engine.SQLITE_OK {
			return s.c.fault(rc)
		}
	}
	return nil
}

// resize makes room for what is bound next.
func (s *Stmt) resize(size int) bool {
	if s.space != 0 {
		libc.Xfree(s.c.tls, s.space)
	}
	if s.space, s.size = 0, size; size > 0 {
		s.space = libc.Xmalloc(s.c.tls, libc.Tsize_t(size))
	}
	if s.space == 0 {
		s.size = 0
	}
	return s.space != 0
}

// Step goes to the next row; false when there is none.
func (s *Stmt) Step() (bool, error) {
	switch rc := engine.Xsqlite3_step(s.c.tls, s.p); rc {
	case engine.SQLITE_ROW:
		return true, nil
	case engine.SQLITE_DONE:
		return false, nil
	default:
		return false, s.c.fault(rc)
	}
}

// Run steps to the end, resets, and tells how many rows the statement touched, if it is one that writes.
func (s *Stmt) Run() (n int64, err error) {
	for more := true; more && err == nil; {
		more, err = s.Step()
	}
	if err == nil {
		n = s.c.Changes()
	}
	s.Reset()
	return n, err
}

// Reset makes the statement ready to be bound and run again.
func (s *Stmt) Reset() {
	engine.Xsqlite3_reset(s.c.tls, s.p) // answers what the last step did
}

// Null tells whether a column of the row is null.
func (s *Stmt) Null(i int) bool {
	return engine.Xsqlite3_column_type(s.c.tls, s.p, int32(i)) == engine.SQLITE_NULL
}

// Int is a whole number of the row; null is 0.
func (s *Stmt) Int(i int) int64 { return engine.Xsqlite3_column_int64(s.c.tls, s.p, int32(i)) }

// View is a text or bytes of the row where the engine holds them: until the next step. Null is nil,
// and so is what is empty.
func (s *Stmt) View(i int) []byte {
	at := engine.Xsqlite3_column_blob(s.c.tls, s.p, int32(i))
	if at == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(memory(at)), engine.Xsqlite3_column_bytes(s.c.tls, s.p, int32(i)))
}

// Value is a column of the row as database/sql knows it.
func (s *Stmt) Value(i int) any {
	switch engine.Xsqlite3_column_type(s.c.tls, s.p, int32(i)) {
	case engine.SQLITE_INTEGER:
		return s.Int(i)
	case engine.SQLITE_FLOAT:
		return engine.Xsqlite3_column_double(s.c.tls, s.p, int32(i))
	case engine.SQLITE_TEXT:
		return string(s.View(i))
	case engine.SQLITE_BLOB:
		return append([]byte{}, s.View(i)...)
	}
	return nil
}

// Look is Value without memory of its own: a text or bytes are put at held, as View gives them, and held is
// the answer.
func (s *Stmt) Look(i int, held *[]byte) any {
	switch engine.Xsqlite3_column_type(s.c.tls, s.p, int32(i)) {
	case engine.SQLITE_NULL:
		return nil
	case engine.SQLITE_INTEGER:
		return s.Int(i)
	case engine.SQLITE_FLOAT:
		return engine.Xsqlite3_column_double(s.c.tls, s.p, int32(i))
	}
	*held = s.View(i)
	return held
}
