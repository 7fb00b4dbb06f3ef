package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"huoban/internal/fault"
	"huoban/internal/store"
	"huoban/internal/store/storetest"
)

var (
	addNote   = store.Query{Name: "note.Add", Text: "INSERT INTO note (id, amount_e8, at) VALUES ($1, $2, $3)"}
	countNote = store.Query{Name: "note.Count", Text: "SELECT count(*) FROM note"}
	sumNote   = store.Query{Name: "note.Sum", Text: "SELECT coalesce(sum(amount_e8), 0) FROM note"}
	listNote  = store.Query{Name: "note.List", Text: "SELECT id FROM note ORDER BY id"}
)

const noteTable = `CREATE TABLE note (
  id {{key}} PRIMARY KEY, amount_e8 {{money}} NOT NULL CHECK (amount_e8 >= 0), at {{instant}}, done {{flag}}, body {{bytes}}, exact {{text}}
) {{strict}}`

// makeVersion makes the one table every writing transaction needs where no migration has run.
func makeVersion(t testing.TB, db *store.DB) {
	t.Helper()
	text := "CREATE TABLE IF NOT EXISTS page_version (id {{int}} PRIMARY KEY, n {{int}} NOT NULL) {{strict}}"
	if _, err := db.Writer().Exec(store.Words(db.Engine(), text)); err != nil {
		t.Fatal(err)
	}
}

func withNotes(t *testing.T, run func(t *testing.T, db *store.DB)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		makeTable(t, db, noteTable)
		run(t, db)
	})
}

func makeTable(t *testing.T, db *store.DB, text string) {
	t.Helper()
	makeVersion(t, db)
	if _, err := db.Writer().ExecContext(t.Context(), store.Words(db.Engine(), text)); err != nil {
		t.Fatal(err)
	}
	if db.Engine() == store.Postgres { // a table of the test's own, which migrations know nothing of
		if _, err := db.Writer().ExecContext(t.Context(), "GRANT ALL ON note TO PUBLIC"); err != nil {
			t.Fatal(err)
		}
	}
}

func count(t *testing.T, db *store.DB) (n int) {
	t.Helper()
	if err := db.Row(t.Context(), countNote, "note.none", nil, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

func add(ctx context.Context, db *store.DB, id string) error {
	_, err := db.Exec(ctx, addNote, id, 1, store.Instant{})
	return err
}

func TestCommitRollbackJoin(t *testing.T) {
	withNotes(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		boom := errors.New("boom")
		if err := db.InTx(ctx, func(ctx context.Context) error { return add(ctx, db, "a") }); err != nil {
			t.Fatal(err)
		}
		if err := db.InTx(ctx, func(ctx context.Context) error {
			if err := add(ctx, db, "b"); err != nil {
				return err
			}
			return boom
		}); !errors.Is(err, boom) {
			t.Fatalf("got %v", err)
		}
		// A joined transaction shares the fate of the outer one, whichever kind it asks for.
		if err := db.InTx(ctx, func(ctx context.Context) error {
			if err := db.InBulk(ctx, func(ctx context.Context) error { return add(ctx, db, "c") }); err != nil {
				return err
			}
			return boom
		}); !errors.Is(err, boom) {
			t.Fatalf("got %v", err)
		}
		if n := count(t, db); n != 1 {
			t.Fatalf("%d notes, want 1", n)
		}
		if err := add(ctx, db, "d"); err == nil {
			t.Fatal("a write outside a transaction was taken")
		}
		err := db.InRead(ctx, func(ctx context.Context) error {
			return db.InTx(ctx, func(ctx context.Context) error { return add(ctx, db, "e") })
		})
		if err == nil {
			t.Fatal("a writing transaction inside a reading one was taken")
		}
	})
}

func TestFailedStatementDoomsTransaction(t *testing.T) {
	withNotes(t, func(t *testing.T, db *store.DB) {
		err := db.InTx(t.Context(), func(ctx context.Context) error {
			if err := add(ctx, db, "a"); err != nil {
				return err
			}
			_ = add(ctx, db, "a")
			return nil
		})
		if !fault.HasCode(err, "store.exists") {
			t.Fatalf("got %v", err)
		}
		if n := count(t, db); n != 0 {
			t.Fatalf("%d notes are left", n)
		}
	})
}

func TestStatementWhileRowsAreRead(t *testing.T) {
	withNotes(t, func(t *testing.T, db *store.DB) {
		err := db.InTx(t.Context(), func(ctx context.Context) error {
			if err := add(ctx, db, "a"); err != nil {
				return err
			}
			return db.Each(ctx, listNote, nil, func(*sql.Rows) error { return add(ctx, db, "b") })
		})
		if err == nil {
			t.Fatal("an engine took a statement while rows were open")
		}
	})
}

func TestPanicInTransaction(t *testing.T) {
	withNotes(t, func(t *testing.T, db *store.DB) {
		func() {
			defer func() {
				if recover() != "boom" {
					t.Error("the panic did not reach its caller")
				}
			}()
			_ = db.InTx(t.Context(), func(ctx context.Context) error {
				_ = add(ctx, db, "a")
				panic("boom")
			})
		}()
		if err := db.InTx(t.Context(), func(ctx context.Context) error { return add(ctx, db, "b") }); err != nil {
			t.Fatal(err)
		}
		if n := count(t, db); n != 1 {
			t.Fatalf("%d notes, want 1", n)
		}
	})
}

// TestCrowd mixes what succeeds, fails, panics, gives up and works in bulk, all at once: each must have
// its own outcome and no other's.
func TestCrowd(t *testing.T) {
	withNotes(t, func(t *testing.T, db *store.DB) {
		var wg sync.WaitGroup
		var stored atomic.Int64
		for i := range 200 {
			wg.Go(func() {
				defer func() { _ = recover() }()
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				run := db.InTx
				if i%17 == 0 {
					run = db.InBulk
				}
				err := run(ctx, func(ctx context.Context) error {
					if err := add(ctx, db, fmt.Sprint("n", i)); err != nil {
						return err
					}
					switch i % 5 {
					case 1:
						return errors.New("refused")
					case 2:
						panic("boom")
					case 3:
						cancel()
						return add(ctx, db, fmt.Sprint("m", i))
					}
					return nil
				})
				if (err == nil) != (i%5 == 0 || i%5 == 4) {
					t.Errorf("%d: %v", i, err)
				}
				if err == nil {
					stored.Add(1)
				}
			})
		}
		wg.Wait()
		if n := count(t, db); int64(n) != stored.Load() || n != 80 {
			t.Fatalf("%d notes, %d answered as stored, want 80", n, stored.Load())
		}
	})
}

func TestWaitingEndsWithContext(t *testing.T) {
	db := storetest.SQLite(t)
	makeTable(t, db, noteTable)
	inside, leave := make(chan bool), make(chan bool)
	done := make(chan error)
	go func() {
		done <- db.InTx(context.Background(), func(ctx context.Context) error {
			close(inside)
			<-leave
			return add(ctx, db, "a")
		})
	}()
	<-inside
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	err := db.InTx(ctx, func(ctx context.Context) error { return add(ctx, db, "b") })
	if !fault.HasCode(err, "store.busy") {
		t.Fatalf("got %v", err)
	}
	close(leave)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if n := count(t, db); n != 1 {
		t.Fatalf("%d notes, want 1", n)
	}
}

// TestSumThenSpend lets many spend from one quota at once: never may more be spent than is there.
func TestSumThenSpend(t *testing.T) {
	withNotes(t, func(t *testing.T, db *store.DB) {
		const quota = 5
		var wg sync.WaitGroup
		var spent atomic.Int64
		for i := range 16 {
			wg.Go(func() {
				err := db.InTx(context.Background(), func(ctx context.Context) error {
					var sum int64
					if err := db.Row(ctx, sumNote, "note.none", nil, &sum); err != nil {
						return err
					}
					if sum >= quota {
						return fault.Conflict("quota.spent", nil)
					}
					return add(ctx, db, fmt.Sprint(i))
				})
				switch {
				case err == nil:
					spent.Add(1)
				case !fault.HasCode(err, "quota.spent") && !fault.HasCode(err, "store.busy"):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := count(t, db); n > quota || int64(n) != spent.Load() || n == 0 {
			t.Fatalf("%d spent, %d answered, quota %d", n, spent.Load(), quota)
		}
	})
}

func TestReadSnapshot(t *testing.T) {
	withNotes(t, func(t *testing.T, db *store.DB) {
		err := db.InRead(t.Context(), func(ctx context.Context) error {
			var before, after int
			if err := db.Row(ctx, countNote, "note.none", nil, &before); err != nil {
				return err
			}
			if err := db.InTx(context.Background(), func(ctx context.Context) error { return add(ctx, db, "a") }); err != nil {
				return err
			}
			if err := db.Row(ctx, countNote, "note.none", nil, &after); err != nil {
				return err
			}
			if before != after {
				t.Errorf("the snapshot moved from %d to %d", before, after)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// TestNoTurnIsWaitedForForEver: on PostgreSQL small transactions take turns, but one that waits for another,
// by whatever mistake, must not stand still for ever behind it.
func TestNoTurnIsWaitedForForEver(t *testing.T) {
	db := storetest.Postgres(t)
	makeTable(t, db, noteTable)
	outer := db.InTx(t.Context(), func(ctx context.Context) error {
		inner := make(chan error)
		go func() {
			inner <- db.InTx(context.Background(), func(ctx context.Context) error { return add(ctx, db, "inner") })
		}()
		return errors.Join(<-inner, add(ctx, db, "outer"))
	})
	if n := count(t, db); outer != nil || n != 2 {
		t.Fatalf("%d notes: %v", n, outer)
	}
}
