package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"huoban/internal/fault"
)

// Limits of the SQLite writer.
const (
	maxWaiting  = 4096                  // turns waiting; more are refused, because they would time out anyway
	maxGroup    = 256                   // transactions that share one commit
	groupWindow = 25 * time.Millisecond // a group that has lasted this long takes no more members
	maxPrepared = 512                   // statements kept on the writing connection
)

// writer is the one connection that writes to SQLite. Its holder passes the turn on: while others wait,
// the next one joins the transaction under way, and the last one commits for all, so that many small
// transactions cost one wait for the disk. Each function runs on its caller's own goroutine.
//
// A member that is refused before it changed anything leaves nothing to undo. One that fails later
// undoes the group's transaction, which then runs again with a savepoint for each member, as do the
// groups of some time after it: a savepoint costs a small transaction a tenth of its time.
type writer struct {
	pool *sql.DB

	mu    sync.Mutex
	held  bool
	queue []*turn

	// What follows belongs to whoever holds the turn.
	conn    *sql.Conn
	raw     any // the driver's connection behind conn, which nobody else uses
	stmts   map[string]*statement
	careful int // so many members to come get a savepoint
}

// turn is one caller waiting; ready brings the group to join, or nil to begin a transaction.
type turn struct {
	alone bool
	ready chan *group
}

// group is one transaction on disk, shared by those who came while it ran.
type group struct {
	alone bool
	size  int
	timer *time.Timer
	late  atomic.Bool
	moved bool // a member wrote something that pages show
	done  chan struct{}
	err   error // of the commit; read after done
}

// carefulFor is how many members get a savepoint after one was missing.
const carefulFor = 2048

func newWriter(pool *sql.DB) *writer { return &writer{pool: pool, stmts: map[string]*statement{}} }

// run gives fn a transaction: of its own if alone, else possibly one shared with others.
func (w *writer) run(ctx context.Context, db *DB, alone bool, fn func(t *liveTx) error) error {
	g, err := w.enter(ctx, alone)
	if err != nil {
		return err
	}
	first := g == nil
	if first {
		if g, err = w.begin(ctx, alone); err != nil {
			w.pass(nil)
			return err
		}
	}
	t := &liveTx{db: db, conn: w.conn, writer: w}
	if !first && w.careful > 0 {
		w.careful--
		if err := w.exec("SAVEPOINT member"); err != nil {
			return w.settle(g, t, first, err, true)
		}
		t.saved = true
	}
	returned := false
	defer func() {
		if !returned { // a panic, or the goroutine ends: undo this one's work and let the others go on
			t.ended = true
			_ = w.settle(g, t, first, errors.New("store: the transaction's function did not return"), false)
		}
	}()
	if err = ctx.Err(); err == nil {
		err = fn(t)
	}
	returned, t.ended = true, true
	if err == nil && t.failed != nil {
		err = t.failed
	}
	return w.settle(g, t, first, err, false)
}

// enter waits for the turn.
func (w *writer) enter(ctx context.Context, alone bool) (*group, error) {
	w.mu.Lock()
	if !w.held {
		w.held = true
		w.mu.Unlock()
		return nil, nil
	}
	if len(w.queue) >= maxWaiting {
		w.mu.Unlock()
		return nil, fault.Unavailable("store.busy", nil)
	}
	t := &turn{alone, make(chan *group, 1)}
	w.queue = append(w.queue, t)
	w.mu.Unlock()
	select {
	case g := <-t.ready:
		return g, nil
	case <-ctx.Done():
	}
	w.mu.Lock()
	for i, other := range w.queue {
		if other == t {
			w.queue = append(w.queue[:i], w.queue[i+1:]...)
			w.mu.Unlock()
			return nil, fault.Unavailable("store.busy", nil).Because(ctx.Err())
		}
	}
	w.mu.Unlock()
	return <-t.ready, nil // the turn came at the same moment: take it, and give it back in order
}

func (w *writer) begin(ctx context.Context, alone bool) (*group, error) {
	err := w.connect(ctx)
	if err == nil {
		err = w.exec("BEGIN IMMEDIATE")
	}
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) {
		w.disconnect()
		if err = w.connect(ctx); err == nil {
			err = w.exec("BEGIN IMMEDIATE")
		}
	}
	if err != nil {
		return nil, err
	}
	return &group{alone: alone, done: make(chan struct{})}, nil
}

// settle ends one member's part, then hands the turn on or commits for all, and gives the outcome. A
// member that failed also waits for the commit, because it may have failed over what an earlier member
// wrote.
func (w *writer) settle(g *group, t *liveTx, first bool, err error, lost bool) error {
	switch {
	case lost:
	case err != nil && first:
		// Nothing else is in the transaction yet, so it ends here.
		if e := w.exec("ROLLBACK"); e != nil {
			w.disconnect()
		}
		g.stop()
		w.pass(nil)
		return err
	case err != nil && t.saved:
		lost = w.exec("ROLLBACK TO member") != nil || w.exec("RELEASE member") != nil
	case err != nil && (t.changed || t.failed != nil && !w.within()):
		// It may have failed over what an earlier member wrote, so it runs again as all the others do.
		w.careful = carefulFor
		err, lost = errGroupLost, true
	case err != nil:
	case t.saved:
		lost = w.exec("RELEASE member") != nil
	}
	g.moved = g.moved || err == nil && !lost && t.moved
	g.size++
	if lost {
		// The engine gave up the whole transaction (disk full, read error): all others run again.
		if e := w.exec("ROLLBACK"); e != nil {
			w.disconnect()
		}
		g.err = errGroupLost
		g.finish()
		w.pass(nil)
	} else if !w.pass(g) {
		if e := w.commit(g); e != nil {
			g.err = e
			if e := w.exec("ROLLBACK"); e != nil {
				w.disconnect()
			}
		}
		g.finish()
		w.pass(nil)
	}
	<-g.done
	switch {
	case err == nil:
		return g.err
	case g.err != nil && !lost:
		return errGroupLost
	}
	return err
}

// within tells whether the transaction still stands after a failed statement; the engine gives up the
// whole of it over a full disk.
func (w *writer) within() bool { return w.exec("BEGIN IMMEDIATE") != nil }

// commit ends the group's transaction. The version of what pages show moves once for all of it.
func (w *writer) commit(g *group) error {
	if g.moved {
		st, err := w.prepared(qBump)
		if err == nil {
			_, err = st.exec([]any{int64(rand.N(versionRows))})
		}
		if err != nil {
			return wrap(qBump, err)
		}
	}
	return w.exec("COMMIT")
}

// pass hands the turn to the next in line. With a group it only does so if the next one may join it, and
// tells whether it did; without one it always lets go.
func (w *writer) pass(g *group) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) == 0 {
		if g == nil {
			w.held = false
		}
		return g == nil
	}
	next := w.queue[0]
	if g != nil && (g.alone || next.alone || g.size >= maxGroup || g.late.Load()) {
		return false
	}
	if g != nil && g.timer == nil { // who is alone needs none
		g.timer = time.AfterFunc(groupWindow, func() { g.late.Store(true) })
	}
	w.queue[0] = nil
	w.queue = w.queue[1:]
	next.ready <- g
	return true
}

func (g *group) finish() { g.stop(); close(g.done) }

func (g *group) stop() {
	if g.timer != nil {
		g.timer.Stop()
	}
}

func (w *writer) connect(ctx context.Context) error {
	if w.conn != nil {
		return nil
	}
	conn, err := w.pool.Conn(ctx)
	if err != nil {
		return fmt.Errorf("writer: %w", err)
	}
	if err := conn.Raw(func(dc any) error { w.raw = dc; return nil }); err != nil {
		conn.Close()
		return fmt.Errorf("writer: %w", err)
	}
	w.conn = conn
	return nil
}

func (w *writer) disconnect() {
	if w.conn == nil {
		return
	}
	for text, st := range w.stmts {
		st.end()
		delete(w.stmts, text)
	}
	w.raw = nil
	_ = w.conn.Raw(func(any) error { return driver.ErrBadConn }) // not to be reused
	w.conn.Close()
	w.conn = nil
}

// exec runs a word of transaction control.
func (w *writer) exec(text string) error {
	st, err := w.prepared(Query{text, text})
	if err == nil {
		_, err = st.exec(nil)
	}
	return err
}

func (w *writer) prepared(q Query) (*statement, error) {
	if st, ok := w.stmts[q.Text]; ok {
		return st, nil
	}
	if w.conn == nil {
		return nil, sql.ErrConnDone
	}
	st, err := prepareStatement(w.raw, q.Text)
	if err != nil {
		return nil, wrap(q, err)
	}
	if len(w.stmts) >= maxPrepared {
		for text, old := range w.stmts {
			old.end()
			delete(w.stmts, text)
			break
		}
	}
	w.stmts[q.Text] = st
	return st, nil
}

// query reads by a kept statement; its rows end before it is used again.
func (w *writer) query(q Query, args []any) (*sql.Rows, error) {
	st, err := w.prepared(q)
	if err != nil {
		return nil, err
	}
	if st.rows == nil {
		if st.rows, err = w.conn.PrepareContext(context.Background(), q.Text); err != nil {
			return nil, wrap(q, err)
		}
	}
	return st.rows.QueryContext(context.Background(), args...)
}

// close waits for the one who writes, then ends the connection.
func (w *writer) close() error {
	g, err := w.enter(context.Background(), true)
	if err == nil && g == nil {
		for _, st := range w.stmts {
			st.end()
		}
		clear(w.stmts)
		if w.conn != nil {
			w.conn.Close()
			w.conn = nil
		}
		w.pass(nil)
	}
	return w.pool.Close()
}
