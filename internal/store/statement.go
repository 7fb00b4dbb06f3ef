package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"io"
	"strings"
)

// statement is a prepared text of the writing connection. Writing goes to the driver itself, because the
// layers of database/sql cost a transaction of ten small statements as much as two of them; reading needs
// its rows.
type statement struct {
	driver driver.StmtExecContext
	close  func() error
	order  []int // which argument each placeholder takes; nil is their own order
	rows   *sql.Stmt
	writes bool                // by its text
	args   []driver.NamedValue // used again by the next run
	row    []driver.Value
}

// prepareStatement prepares a text on the driver's connection.
func prepareStatement(dc any, text string) (*statement, error) {
	plain, order := positional(text)
	st, err := dc.(driver.ConnPrepareContext).PrepareContext(context.Background(), plain)
	if err != nil {
		return nil, err
	}
	run, ok := st.(driver.StmtExecContext)
	if !ok {
		st.Close()
		return nil, fmt.Errorf("the driver's %T cannot be run", st)
	}
	return &statement{driver: run, close: st.Close, order: order, writes: writing.MatchString(text)}, nil
}

// exec runs the statement and tells how many rows it touched. It never looks at a caller's context: an
// interrupted statement would end the transaction of everybody in the group.
func (s *statement) exec(args []any) (int64, error) {
	if err := s.take(args); err != nil {
		return 0, err
	}
	res, err := s.driver.ExecContext(context.Background(), s.args)
	clear(s.args) // hold no caller's bytes
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// each reads without the layers of database/sql.
func (s *statement) each(args []any, scan func(RowCells) error) error {
	if err := s.take(args); err != nil {
		return err
	}
	rows, err := s.driver.(driver.StmtQueryContext).QueryContext(context.Background(), s.args)
	clear(s.args)
	if err != nil {
		return err
	}
	defer rows.Close()
	if s.row == nil {
		s.row = make([]driver.Value, len(rows.Columns()))
	}
	for {
		switch err := rows.Next(s.row); err {
		case nil:
		case io.EOF:
			return nil
		default:
			return err
		}
		if err := scan(RowCells{row: s.row}); err != nil {
			return err
		}
	}
}

// take binds arguments for a run.
func (s *statement) take(args []any) error {
	s.args = s.args[:0]
	n := len(s.order)
	if s.order == nil {
		n = len(args)
	}
	for i := range n {
		at := i
		if s.order != nil {
			at = s.order[i]
		}
		if at >= len(args) {
			return fmt.Errorf("argument %d is missing", at+1)
		}
		v, err := bind(SQLite, args[at])
		if err != nil {
			return fmt.Errorf("argument %d: %w", at+1, err)
		}
		s.args = append(s.args, driver.NamedValue{Ordinal: i + 1, Value: v})
	}
	return nil
}

// end gives the statement back to the engine.
func (s *statement) end() {
	if s.rows != nil {
		s.rows.Close()
	}
	_ = s.close()
}

// positional turns "$2 … $1" into "? … ?" and tells which argument each takes: SQLite looks a numbered
// placeholder up in a list of names each time it is given a value.
func positional(text string) (string, []int) {
	var b strings.Builder
	var order []int
	straight := true
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == '\'' || c == '"':
			end := strings.IndexByte(text[i+1:], c)
			if end < 0 {
				end = len(text) - i - 2
			}
			b.WriteString(text[i : i+end+2])
			i += end + 2
		case c == '-' && strings.HasPrefix(text[i:], "--"):
			end := strings.IndexByte(text[i:], '\n')
			if end < 0 {
				end = len(text) - i
			}
			b.WriteString(text[i : i+end])
			i += end
		case c == '$' && i+1 < len(text) && text[i+1] >= '1' && text[i+1] <= '9':
			n := 0
			for i++; i < len(text) && text[i] >= '0' && text[i] <= '9'; i++ {
				n = n*10 + int(text[i]-'0')
			}
			straight = straight && n == len(order)+1
			order = append(order, n-1)
			b.WriteByte('?')
		default:
			b.WriteByte(c)
			i++
		}
	}
	if straight {
		order = nil
	}
	return b.String(), order
}
