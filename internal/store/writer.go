package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"huoban/internal/fault"
	"huoban/internal/store/lite"
)

// Limits of the SQLite writer.
const (
	maxWaiting  = 4096                  // turns waiting; more are refused, because they would time out anyway
	maxGroup    = 256                   // transactions that share one commit
	groupWindow = 25 * time.Millisecond // a group that has lasted this long takes no more members
	maxPrepared = 512                   // statements kept on the writing connection
)

// writer is the one connection that writes to SQLite. Who holds the turn also runs the functions of those
// who wait, in the same transaction, and commits for all, so that many small transactions cost one wait
// for the disk and no change of goroutine.
//
// A member that is refused before it changed anything leaves nothing to undo. One that fails later
// undoes the group's transaction, which then runs again with a savepoint for each member, as do the
// groups of some time after it: a savepoint costs a small transaction a tenth of its time.
type writer struct {
	pool *sql.DB

	mu    sync.Mutex
	held  bool
	queue []*member

	// What follows belongs to whoever holds the turn.
	conn    *sql.Conn
	engine  *lite.Conn // the same connection
	stmts   map[string]*statement
	careful int // so many members to come get a savepoint
}

// member is one caller. turn brings true to take the turn, or false when its function has been run.
type member struct {
	ctx   context.Context
	db    *DB
	alone bool
	fn    func(t *liveTx) error
	turn  chan bool

	err      error // the outcome; read after turn
	panicked error
}

// group is one transaction on disk, shared by those who came while it ran.
type group struct {
	list  []*member
	timer *time.Timer
	over  atomic.Bool // takes no more members
	moved bool        // a member wrote something that pages show
	late  []lateValue
	lost  *member // by whom all of it must be undone
}

// carefulFor is how many members get a savepoint after one was missing.
const carefulFor = 2048

var errNoReturn = errors.New("store: the transaction's function did not return")

func newWriter(pool *sql.DB) *writer { return &writer{pool: pool, stmts: map[string]*statement{}} }

// run gives fn a transaction: of its own if alone, else possibly one shared with others. fn may run on
// another caller's goroutine.
func (w *writer) run(ctx context.Context, db *DB, alone bool, fn func(t *liveTx) error) error {
	m := &member{ctx: ctx, db: db, alone: alone, fn: fn}
	mine, err := w.enter(m)
	if err != nil {
		return err
	}
	if mine {
		w.lead(m)
	}
	if m.panicked != nil {
		panic(m.panicked)
	}
	return m.err
}

// enter waits for the turn, or for the outcome.
func (w *writer) enter(m *member) (mine bool, err error) {
	w.mu.Lock()
	if !w.held {
		w.held = true
		w.mu.Unlock()
		return true, nil
	}
	if len(w.queue) >= maxWaiting {
		w.mu.Unlock()
		return false, fault.Unavailable("store.busy", nil)
	}
	m.turn = make(chan bool, 1)
	w.queue = append(w.queue, m)
	w.mu.Unlock()
	select {
	case mine := <-m.turn:
		return mine, nil
	case <-m.ctx.Done():
	}
	w.mu.Lock()
	if at := slices.Index(w.queue, m); at >= 0 {
		w.queue = slices.Delete(w.queue, at, at+1)
		w.mu.Unlock()
		return false, fault.Unavailable("store.busy", nil).Because(m.ctx.Err())
	}
	w.mu.Unlock()
	return <-m.turn, nil // the turn came at the same moment: take it, and give it back in order
}

// lead runs a transaction for its caller and for those who wait meanwhile, then gives the turn back.
func (w *writer) lead(m *member) {
	g := &group{}
	settled := false
	defer func() {
		if !settled && len(g.list) > 0 { // a panic, or the goroutine ends
			g.lost = g.list[len(g.list)-1]
			g.lost.err = errNoReturn
			w.settle(g)
		}
		if len(g.list) > 1 {
			runtime.Gosched() // those who come again at once make the next group
		}
		w.pass()
	}()
	if m.err = w.begin(m.ctx); m.err != nil {
		settled = true
		return
	}
	for next := m; next != nil; next = w.next(g) {
		if w.work(g, next); g.lost != nil {
			break
		}
	}
	settled = true
	w.settle(g)
}

func (w *writer) begin(ctx context.Context) error {
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
	return err
}

// next is who joins the group, if anybody who waits may.
func (w *writer) next(g *group) *member {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) == 0 || g.list[0].alone || w.queue[0].alone || len(g.list) >= maxGroup || g.over.Load() {
		return nil
	}
	if g.timer == nil { // who is alone needs none
		g.timer = time.AfterFunc(groupWindow, func() { g.over.Store(true) })
	}
	return w.pop()
}

func (w *writer) pop() *member {
	m := w.queue[0]
	w.queue[0] = nil
	w.queue = w.queue[1:]
	return m
}

// work runs one member's function, and undoes what it did if it failed.
func (w *writer) work(g *group, m *member) {
	g.list = append(g.list, m)
	first := len(g.list) == 1
	saved := !first && w.careful > 0
	if saved {
		w.careful--
		if m.err = w.exec("SAVEPOINT member"); m.err != nil {
			g.lost = m
			return
		}
	}
	t := &liveTx{db: m.db, conn: w.conn, writer: w, late: g.late}
	m.err = w.call(m, t, first)
	if t.ended = true; m.err == nil {
		m.err = t.failed
	}
	lost := false
	switch {
	case m.err == nil && saved:
		lost = w.exec("RELEASE member") != nil
	case m.err == nil:
	case first:
		lost = true // nothing else is in the transaction yet
	case saved:
		lost = w.exec("ROLLBACK TO member") != nil || w.exec("RELEASE member") != nil
	case t.changed || t.failed != nil && !w.within():
		// It may have failed over what an earlier member wrote, so it runs again as all the others do.
		w.careful, m.err, lost = carefulFor, errGroupLost, true
	}
	if lost {
		g.lost = m
	}
	if m.err == nil {
		g.moved, g.late = g.moved || t.moved, t.late
	}
}

// call runs the function. A panic of another caller's function is handed to that caller.
func (w *writer) call(m *member, t *liveTx, own bool) (err error) {
	if err := m.ctx.Err(); err != nil {
		return err
	}
	if !own {
		defer func() {
			if r := recover(); r != nil {
				m.panicked, err = fmt.Errorf("%v\n%s", r, debug.Stack()), errNoReturn
			}
		}()
	}
	defer func() { t.ended = true }()
	return m.fn(t)
}

// settle commits for all, or undoes everything, and gives each its outcome. A member that failed also
// waits for the commit, because it may have failed over what an earlier member wrote.
func (w *writer) settle(g *group) {
	if g.timer != nil {
		g.timer.Stop()
	}
	var failed error // of everybody
	if g.lost != nil {
		failed = errGroupLost
	} else {
		failed = w.commit(g)
	}
	if failed != nil {
		if w.exec("ROLLBACK") != nil {
			w.disconnect()
		}
	}
	for i, m := range g.list {
		switch {
		case failed == nil || m == g.lost && m.err != nil:
		case m.err == nil:
			m.err = failed
		default:
			m.err = errGroupLost
		}
		if i > 0 {
			m.turn <- false
		}
	}
}

// within tells whether the transaction still stands after a failed statement; the engine gives up the
// whole of it over a full disk.
func (w *writer) within() bool { return w.exec("BEGIN IMMEDIATE") != nil }

// commit ends the group's transaction. Late values are written and the version of what pages show moves once
// for all of it.
func (w *writer) commit(g *group) error {
	if len(g.late) > 0 {
		t := &liveTx{db: g.list[0].db, conn: w.conn, writer: w, late: g.late}
		err := t.writeLate(context.WithValue(context.Background(), txKey{}, t))
		if t.ended = true; err != nil {
			return err
		}
		g.moved = g.moved || t.moved
	}
	if g.moved {
		st, err := w.prepared(qBump)
		if err == nil {
			_, err = st.exec([]any{int64(0)})
		}
		if err != nil {
			return wrap(qBump, err)
		}
	}
	return w.exec("COMMIT")
}

// pass hands the turn to the next in line, or lets it go.
func (w *writer) pass() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue) == 0 {
		w.held = false
		return
	}
	w.pop().turn <- true
}

func (w *writer) connect(ctx context.Context) error {
	if w.conn != nil {
		return nil
	}
	conn, err := w.pool.Conn(ctx)
	if err != nil {
		return fmt.Errorf("writer: %w", err)
	}
	if err := conn.Raw(func(dc any) error { w.engine = dc.(*lite.Link).Conn; return nil }); err != nil {
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
	st, err := prepareStatement(w.engine, q.Text)
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
func (w *writer) query(t *liveTx, q Query, args []any) (*sql.Rows, error) {
	st, err := w.prepared(q)
	if err != nil {
		return nil, err
	}
	t.changed = t.changed || st.writes
	if st.rows == nil {
		if st.rows, err = w.conn.PrepareContext(context.Background(), q.Text); err != nil {
			return nil, wrap(q, err)
		}
	}
	return st.rows.QueryContext(context.Background(), args...)
}

// close waits for the one who writes, then ends the connection.
func (w *writer) close() error {
	if mine, err := w.enter(&member{ctx: context.Background(), alone: true}); err == nil && mine {
		for _, st := range w.stmts {
			st.end()
		}
		clear(w.stmts)
		if w.conn != nil {
			w.conn.Close()
			w.conn = nil
		}
		w.pass()
	}
	return w.pool.Close()
}
