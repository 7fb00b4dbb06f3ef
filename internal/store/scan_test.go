package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"huoban/internal/fault"
	"huoban/internal/store"
)

// TestScanSeesOneSnapshot: however many connections read, they see what the transaction sees, also after
// somebody wrote meanwhile, and every row once.
func TestScanSeesOneSnapshot(t *testing.T) {
	q := store.Query{Name: "note.Scan", Text: "SELECT id, amount_e8, at, body FROM note WHERE id >= $1 AND id < $2 AND amount_e8 >= $3"}
	add := store.Query{Name: "note.Add", Text: "UPDATE note SET amount_e8 = 7"}
	withNotes(t, func(t *testing.T, db *store.DB) {
		at := time.Date(2024, 2, 29, 23, 59, 59, 123456000, time.UTC)
		err := db.InTx(t.Context(), func(ctx context.Context) error {
			_, err := db.Bulk(ctx, "note", noteColumns, notes(3000, at))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		parts := [][]any{}
		for i := range 6 {
			parts = append(parts, []any{fmt.Sprintf("k%06d", i*500), fmt.Sprintf("k%06d", i*500+500), int64(0)})
		}
		read := func(ctx context.Context) error {
			var n, sum atomic.Int64
			err := db.Scan(ctx, q, parts, func(part int, row store.Cells) error {
				i := row[1].(int64)
				n.Add(1)
				sum.Add(i)
				when, err := row.Instant(2)
				switch {
				case row.Text(0, "") != fmt.Sprintf("k%06d", i) || int64(part) != i/500:
					t.Errorf("part %d: %v", part, row)
				case i%3 == 0 && (row[2] != nil || row.Bytes(3) != nil):
					t.Errorf("row %d: %v", i, row)
				case i%3 != 0 && (err != nil || !when.Equal(at.Add(time.Duration(i)*time.Second)) || string(row.Bytes(3)) != fmt.Sprintf("%04d", i)):
					t.Errorf("row %d: %v %v", i, row, err)
				}
				return nil
			})
			if err == nil && (n.Load() != 3000 || sum.Load() != 3000*2999/2) {
				t.Errorf("%d rows, together %d", n.Load(), sum.Load())
			}
			return err
		}
		if err := errors.Join(db.InRead(t.Context(), read), db.InTx(t.Context(), read)); err != nil {
			t.Fatal(err)
		}
		if err := read(t.Context()); err == nil {
			t.Error("scanned outside a transaction")
		}
		err = db.InRead(t.Context(), func(ctx context.Context) error {
			if _, err := db.Version(ctx); err != nil { // the snapshot begins
				return err
			}
			err := db.InTx(context.WithoutCancel(t.Context()), func(ctx context.Context) error {
				_, err := db.Exec(ctx, add)
				return err
			})
			if err != nil {
				return err
			}
			return read(ctx)
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestScanStops(t *testing.T) {
	q := store.Query{Name: "note.Any", Text: "SELECT id FROM note WHERE id >= $1"}
	withNotes(t, func(t *testing.T, db *store.DB) {
		err := db.InTx(t.Context(), func(ctx context.Context) error {
			_, err := db.Bulk(ctx, "note", noteColumns, notes(30, time.Time{}))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		// The first failure ends all parts and is the one that is told; the transaction goes on.
		enough := fault.Conflict("test.enough", nil)
		err = db.InRead(t.Context(), func(ctx context.Context) error {
			all := [][]any{{""}, {""}, {""}}
			err := db.Scan(ctx, q, all, func(int, store.Cells) error { return enough })
			if !fault.HasCode(err, "test.enough") {
				t.Errorf("stopped with %v", err)
			}
			_, err = db.Version(ctx)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		err = db.InRead(t.Context(), func(ctx context.Context) error {
			return db.Scan(ctx, store.Query{Name: "bad", Text: "SELECT no FROM nothing WHERE 1 = $1"}, [][]any{{int64(1)}, {int64(2)}}, func(int, store.Cells) error { return nil })
		})
		if err == nil {
			t.Error("a query of nothing ran")
		}
	})
}
