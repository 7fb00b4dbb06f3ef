package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"huoban/internal/store"
)

func TestStream(t *testing.T) {
	q := store.Query{Name: "note.Stream", Text: "SELECT id, amount_e8, at, body FROM note WHERE amount_e8 >= $2 AND id > $1 ORDER BY id"}
	withNotes(t, func(t *testing.T, db *store.DB) {
		at := time.Date(2024, 2, 29, 23, 59, 59, 123456000, time.UTC)
		err := db.InTx(t.Context(), func(ctx context.Context) error {
			_, err := db.Bulk(ctx, "note", noteColumns, notes(3000, at))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		n := 1500
		read := func(ctx context.Context) error {
			return db.Stream(ctx, q, []any{"k001400", int64(1500)}, func(row store.Cells) error {
				if got := row.Text(0, ""); got != fmt.Sprintf("k%06d", n) || row[1] != int64(n) {
					t.Errorf("row %d: %v", n, row)
				}
				if n%3 == 0 {
					if row[2] != nil || row.Bytes(3) != nil {
						t.Errorf("row %d: %v", n, row)
					}
				} else if when, err := row.Instant(2); err != nil || !when.Equal(at.Add(time.Duration(n)*time.Second)) || string(row.Bytes(3)) != fmt.Sprintf("%04d", n) {
					t.Errorf("row %d: %v %v", n, row, err)
				}
				n++
				return nil
			})
		}
		if err := db.InRead(t.Context(), read); err != nil || n != 3000 {
			t.Fatalf("%d %v", n, err)
		}
		n = 1500
		if err := db.InTx(t.Context(), read); err != nil || n != 3000 {
			t.Fatalf("%d %v", n, err)
		}
		if err := read(t.Context()); err == nil {
			t.Fatal("streamed outside a transaction")
		}
		// The one who reads may stop, and the transaction goes on.
		enough := errors.New("enough")
		err = db.InRead(t.Context(), func(ctx context.Context) error {
			err := db.Stream(ctx, q, []any{"", int64(0)}, func(store.Cells) error {
				if _, err := db.Query(ctx, q, "", int64(0)); err == nil {
					t.Error("read twice at once")
				}
				return enough
			})
			if !errors.Is(err, enough) {
				t.Errorf("got %v", err)
			}
			n = 1500
			return read(ctx)
		})
		if err != nil || n != 3000 {
			t.Fatalf("%d %v", n, err)
		}
	})
}
