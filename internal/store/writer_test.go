package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"huoban/internal/fault"
	"huoban/internal/id"
	"huoban/internal/store"
	"huoban/internal/store/storetest"
)

// together begins n transactions that all wait until the first one lets them go, so that they share one
// commit, and gives the outcome of each.
func together(t *testing.T, db *store.DB, n int, fn func(ctx context.Context, i int) error) []error {
	t.Helper()
	inside, leave := make(chan bool), make(chan bool)
	out := make([]error, n)
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = db.InBulk(context.Background(), func(context.Context) error {
			close(inside)
			<-leave
			return nil
		})
	})
	<-inside
	var began atomic.Int64
	for i := range n {
		wg.Go(func() {
			began.Add(1)
			out[i] = db.InTx(context.Background(), func(ctx context.Context) error { return fn(ctx, i) })
		})
	}
	for began.Load() < int64(n) {
	}
	close(leave)
	wg.Wait()
	return out
}

// TestGroupSurvivesLoss has members whose failure makes the engine undo everybody's work, as a full disk
// does: all the others must be stored all the same, each once.
func TestGroupSurvivesLoss(t *testing.T) {
	db := storetest.SQLite(t)
	makeTable(t, db, noteTable)
	clash := store.Query{Name: "note.Clash", Text: "INSERT OR ROLLBACK INTO note (id, amount_e8) VALUES ($1, 1)"}
	put(t, db, addNote.Text, []any{"there", 1, nil})
	outcomes := together(t, db, 40, func(ctx context.Context, i int) error {
		if err := add(ctx, db, fmt.Sprint(i)); err != nil {
			return err
		}
		if i%10 == 3 {
			_, err := db.Exec(ctx, clash, "there")
			return err
		}
		return nil
	})
	for i, err := range outcomes {
		if i%10 == 3 && !fault.HasCode(err, "store.exists") || i%10 != 3 && err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
	if n := count(t, db); n != 37 {
		t.Errorf("%d notes, want 37", n)
	}
}

// TestLateValues: what members of a group keep for its end is written once, without what undone members kept,
// and a failure to write it is everybody's.
func TestLateValues(t *testing.T) {
	db := storetest.SQLite(t)
	makeTable(t, db, noteTable)
	type key struct{}
	stop := errors.New("stop")
	var written []string
	write := func(ctx context.Context, v any) error {
		written = append(written, v.(string)) // one writer at a time
		return add(ctx, db, fmt.Sprint("late", len(written)))
	}
	member := func(ctx context.Context, i int) error {
		was, _ := db.Late(ctx, key{})
		text, _ := was.(string)
		if err := add(ctx, db, fmt.Sprint(i)); err != nil {
			return err
		}
		if err := db.SetLate(ctx, key{}, text+"x", write); err != nil {
			return err
		}
		if got, ok := db.Late(ctx, key{}); !ok || got != text+"x" {
			t.Errorf("%v is kept, want %sx", got, text)
		}
		if i%4 == 3 {
			return stop
		}
		return nil
	}
	for i, err := range together(t, db, 40, member) {
		if i%4 == 3 && !errors.Is(err, stop) || i%4 != 3 && err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
	if n := count(t, db); n != 30+len(written) || len(written) >= 30 || len(strings.Join(written, "")) != 30 {
		t.Errorf("%d notes, late values %v", n, written)
	}
	for i, err := range together(t, db, 6, func(ctx context.Context, i int) error {
		if err := add(ctx, db, fmt.Sprint("b", i)); err != nil {
			return err
		}
		return db.SetLate(ctx, key{}, "0", func(context.Context, any) error { return stop })
	}) {
		if !errors.Is(err, stop) {
			t.Errorf("%d: %v", i, err)
		}
	}
	if err := db.SetLate(t.Context(), key{}, "", write); err == nil {
		t.Error("a late value outside a transaction")
	}
}

// TestTwoPrograms writes to one file from two open databases, as a command beside a running server does.
func TestTwoPrograms(t *testing.T) {
	path := filepath.Join(t.TempDir(), "portal.db")
	var dbs []*store.DB
	for range 2 {
		db, err := store.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		dbs = append(dbs, db)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read the file: %v %v", info.Mode(), err)
	}
	makeTable(t, dbs[0], noteTable)
	var wg sync.WaitGroup
	for i := range 60 {
		wg.Go(func() {
			db := dbs[i%2]
			if err := db.InTx(context.Background(), func(ctx context.Context) error { return add(ctx, db, fmt.Sprint(i)) }); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, db := range dbs {
		if n := count(t, db); n != 60 {
			t.Errorf("%d notes, want 60", n)
		}
	}
}

// TestManyStatements uses more different statements than are kept.
func TestManyStatements(t *testing.T) {
	withNotes(t, func(t *testing.T, db *store.DB) {
		err := db.InTx(t.Context(), func(ctx context.Context) error {
			for i := range 1200 {
				q := store.Query{Name: "note.Many", Text: fmt.Sprintf("INSERT INTO note (id, amount_e8) VALUES ('%d', $1)", i)}
				if _, err := db.Exec(ctx, q, i); err != nil {
					return err
				}
			}
			return nil
		})
		if n := count(t, db); err != nil || n != 1200 {
			t.Fatalf("%d notes: %v", n, err)
		}
	})
}

// TestQueueIsBounded fills the queue: what comes then is refused at once instead of waiting without hope.
func TestQueueIsBounded(t *testing.T) {
	db := storetest.SQLite(t)
	makeTable(t, db, noteTable)
	const crowd = 4096 + 50
	var busy atomic.Int64
	refused := make(chan bool, 50)
	inside, leave := make(chan bool), make(chan bool)
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = db.InTx(context.Background(), func(context.Context) error { close(inside); <-leave; return nil })
	})
	<-inside
	for i := range crowd {
		wg.Go(func() {
			err := db.InTx(context.Background(), func(ctx context.Context) error { return add(ctx, db, fmt.Sprint(i)) })
			if fault.HasCode(err, "store.busy") {
				busy.Add(1)
				refused <- true
			} else if err != nil {
				t.Error(err)
			}
		})
	}
	for range 50 {
		<-refused
	}
	close(leave)
	wg.Wait()
	if n := count(t, db); int64(n) != crowd-busy.Load() || busy.Load() != 50 {
		t.Errorf("%d stored, %d refused of %d", n, busy.Load(), crowd)
	}
}

// TestRefusedInAGroup has members that are refused in every way there is: before they changed anything, by
// a rule of the table, after they changed something, by a panic. None of them leaves anything, and all the
// others are stored, each once.
func TestRefusedInAGroup(t *testing.T) {
	db := storetest.SQLite(t)
	makeTable(t, db, noteTable)
	put(t, db, addNote.Text, []any{"there", 1, nil})
	boom := errors.New("boom")
	ways := map[int]func(ctx context.Context, i int) error{
		1: func(context.Context, int) error { return boom },
		2: func(ctx context.Context, _ int) error { return add(ctx, db, "there") },
		3: func(ctx context.Context, i int) error { return errors.Join(add(ctx, db, fmt.Sprint("not ", i)), boom) },
		4: func(ctx context.Context, i int) error {
			return errors.Join(add(ctx, db, fmt.Sprint("not ", i)), add(ctx, db, "there"))
		},
	}
	for range 3 { // the groups after the first have savepoints
		outcomes := together(t, db, 80, func(ctx context.Context, i int) error {
			if way := ways[i%10]; way != nil {
				return way(ctx, i)
			}
			return add(ctx, db, id.New())
		})
		for i, err := range outcomes {
			switch i % 10 {
			case 1, 3:
				if !errors.Is(err, boom) {
					t.Errorf("%d: %v", i, err)
				}
			case 2, 4:
				if !fault.HasCode(err, "store.exists") {
					t.Errorf("%d: %v", i, err)
				}
			default:
				if err != nil {
					t.Errorf("%d: %v", i, err)
				}
			}
		}
	}
	if n := count(t, db); n != 1+3*48 {
		t.Errorf("%d notes, want %d", n, 1+3*48)
	}
	for _, name := range []string{"not 3", "not 4"} {
		if err := db.InTx(t.Context(), func(ctx context.Context) error { return add(ctx, db, name) }); err != nil {
			t.Errorf("%s was left: %v", name, err)
		}
	}
}

// TestPanicInAGroup: a member that panics after it changed something takes nothing and nobody with it.
func TestPanicInAGroup(t *testing.T) {
	db := storetest.SQLite(t)
	makeTable(t, db, noteTable)
	panics := make(chan any, 1)
	var wg sync.WaitGroup
	var once sync.Once
	outcomes := together(t, db, 30, func(ctx context.Context, i int) error {
		if i == 0 { // stands in line behind some of the others; this may run again
			once.Do(func() {
				wg.Go(func() {
					defer func() { panics <- recover() }()
					_ = db.InTx(context.Background(), func(ctx context.Context) error {
						_ = add(ctx, db, "not")
						panic("boom")
					})
				})
			})
		}
		return add(ctx, db, fmt.Sprint(i))
	})
	wg.Wait()
	if got := <-panics; !strings.HasPrefix(fmt.Sprint(got), "boom") {
		t.Errorf("panic %v", got)
	}
	if err := errors.Join(outcomes...); err != nil {
		t.Error(err)
	}
	if n := count(t, db); n != 30 {
		t.Errorf("%d notes, want 30", n)
	}
}
