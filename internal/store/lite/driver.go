package lite

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
)

// Connector opens connections for database/sql.
type Connector struct {
	Address string
	Pragmas []string
}

// Connect opens one.
func (k Connector) Connect(context.Context) (driver.Conn, error) {
	c, err := Open(k.Address, k.Pragmas)
	if err != nil {
		return nil, err
	}
	return &Link{c}, nil
}

// Driver is what database/sql asks for; it opens nothing by name.
func (k Connector) Driver() driver.Driver { return byName{} }

type byName struct{}

func (byName) Open(string) (driver.Conn, error) { return nil, errors.New("lite: open a Connector") }

// Link is a connection as database/sql holds it.
type Link struct{ *Conn }

// Prepare is PrepareContext.
func (l *Link) Prepare(text string) (driver.Stmt, error) {
	return l.PrepareContext(context.Background(), text)
}

// PrepareContext prepares a statement.
func (l *Link) PrepareContext(_ context.Context, text string) (driver.Stmt, error) {
	s, err := l.Conn.Prepare(text)
	if err != nil {
		return nil, err
	}
	return &prepared{s: s}, nil
}

// Begin is BeginTx.
func (l *Link) Begin() (driver.Tx, error) { return l.BeginTx(context.Background(), driver.TxOptions{}) }

// BeginTx begins a transaction at the first statement of it.
func (l *Link) BeginTx(context.Context, driver.TxOptions) (driver.Tx, error) {
	return ended{l.Conn}, l.Exec("BEGIN")
}

type ended struct{ c *Conn }

func (t ended) Commit() error   { return t.c.Exec("COMMIT") }
func (t ended) Rollback() error { return t.c.Exec("ROLLBACK") }

// prepared is a statement as database/sql holds it.
type prepared struct {
	s    *Stmt
	args []any
}

func (p *prepared) Close() error  { return p.s.Close() }
func (p *prepared) NumInput() int { return -1 }

func (p *prepared) Exec([]driver.Value) (driver.Result, error) { return nil, errContext }
func (p *prepared) Query([]driver.Value) (driver.Rows, error)  { return nil, errContext }

var errContext = errors.New("lite: statements run with a context")

// bind gives the statement its values.
func (p *prepared) bind(values []driver.NamedValue) error {
	p.args = p.args[:0]
	for i := range values {
		v := values[i].Value
		if on, ok := v.(bool); ok {
			v = int64(0)
			if on {
				v = int64(1)
			}
		}
		p.args = append(p.args, v)
	}
	err := p.s.Bind(p.args...)
	clear(p.args) // hold nobody's bytes
	return err
}

// ExecContext runs the statement to its end.
func (p *prepared) ExecContext(ctx context.Context, values []driver.NamedValue) (driver.Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := p.bind(values); err != nil {
		return nil, err
	}
	release := p.s.c.watch(ctx)
	more, err := p.s.Step()
	for more && err == nil {
		more, err = p.s.Step()
	}
	release()
	n := p.s.c.Changes()
	p.s.Reset()
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return driver.RowsAffected(n), err
}

// QueryContext begins to read the statement's rows, of which one set can be under way at a time.
func (p *prepared) QueryContext(ctx context.Context, values []driver.NamedValue) (driver.Rows, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := p.bind(values); err != nil {
		return nil, err
	}
	return &rows{p.s, ctx, p.s.c.watch(ctx)}, nil
}

// watch interrupts the connection when the context ends, until it is released.
func (c *Conn) watch(ctx context.Context) (release func()) {
	if ctx.Done() == nil {
		return func() {}
	}
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		c.Interrupt()
		close(done)
	})
	return func() {
		if !stop() {
			<-done // an interrupt must not reach the next statement
		}
	}
}

type rows struct {
	s       *Stmt
	ctx     context.Context
	release func()
}

func (r *rows) Columns() []string { return r.s.names }

func (r *rows) Close() error {
	if r.release != nil {
		r.release()
		r.release = nil
		r.s.Reset()
	}
	return nil
}

func (r *rows) Next(row []driver.Value) error {
	more, err := r.s.Step()
	switch {
	case err != nil && r.ctx.Err() != nil:
		return r.ctx.Err()
	case err != nil:
		return err
	case !more:
		return io.EOF
	}
	for i := range row {
		row[i] = r.s.Value(i)
	}
	return nil
}
