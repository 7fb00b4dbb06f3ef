package store

import (
	"database/sql"
	"fmt"

	"huoban/internal/fault"
	"huoban/internal/store/lite"
)

// statement is a prepared text of the writing connection, run by the engine itself: the layers of database/sql
// cost a transaction of ten small statements as much as two of them, those of a driver as much as three.
// Reading rows for database/sql needs a statement of its own.
type statement struct {
	*lite.Stmt
	rows   *sql.Stmt
	writes bool  // by its text
	args   []any // used again by the next run
}

func prepareStatement(c *lite.Conn, text string) (*statement, error) {
	st, err := c.Prepare(text)
	if err != nil {
		return nil, err
	}
	return &statement{Stmt: st, writes: writing.MatchString(text)}, nil
}

// exec runs the statement and tells how many rows it touched. It never looks at a caller's context: an
// interrupted statement would end the transaction of everybody in the group.
func (s *statement) exec(args []any) (int64, error) {
	if err := s.take(args); err != nil {
		return 0, err
	}
	return s.Run()
}

// each reads without the layers of database/sql.
func (s *statement) each(args []any, scan func(RowCells) error) error {
	if err := s.take(args); err != nil {
		return err
	}
	defer s.Reset()
	for {
		if more, err := s.Step(); err != nil || !more {
			return err
		}
		if err := scan(RowCells{st: s.Stmt}); err != nil {
			return err
		}
	}
}

// take binds arguments for a run.
func (s *statement) take(args []any) (err error) {
	s.args = s.args[:0]
	for i, v := range args {
		if v, err = lean(v); err != nil {
			return fmt.Errorf("argument %d: %w", i+1, err)
		}
		s.args = append(s.args, v)
	}
	err = s.Bind(s.args...)
	clear(s.args) // hold no caller's bytes
	return err
}

// lean is bind for SQLite where an instant is written into the engine's memory, without a text of its own.
func lean(v any) (any, error) {
	switch v := v.(type) {
	case string:
		if !plainText(v) {
			return nil, fault.Invalid("store.text_refused", nil)
		}
	case Instant:
		if v.IsZero() {
			return nil, nil
		}
	default:
		return bind(SQLite, v)
	}
	return v, nil
}

// end gives the statement back to the engine.
func (s *statement) end() {
	if s.rows != nil {
		s.rows.Close()
	}
	_ = s.Close()
}
