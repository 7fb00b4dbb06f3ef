package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/store"
)

var noteColumns = []string{"id", "amount_e8", "at", "done", "body", "exact"}

// notes feeds n rows, using one slice and one buffer again and again.
func notes(n int, at time.Time) store.Next {
	row, body, i := make([]any, 6), make([]byte, 4), 0
	return func() ([]any, bool, error) {
		if i == n {
			return nil, false, nil
		}
		x, err := money.ParseExact(fmt.Sprintf("%d.5", i))
		if err != nil {
			return nil, false, err
		}
		copy(body, fmt.Sprintf("%04d", i%10000))
		row[0], row[1], row[2], row[3] = fmt.Sprintf("k%06d", i), money.Amount(i), store.At(at.Add(time.Duration(i)*time.Second)), i%2 == 0
		row[4], row[5] = body, store.Dec(x)
		if i%3 == 0 {
			row[2], row[3], row[4], row[5] = store.Instant{}, nil, nil, store.Decimal{}
		}
		i++
		return row, true, nil
	}
}

func TestBulk(t *testing.T) {
	read := store.Query{Name: "note.Read", Text: "SELECT id, amount_e8, at, done, body, exact FROM note ORDER BY id"}
	at := time.Date(2024, 9, 30, 23, 59, 59, 123456000, time.UTC)
	withNotes(t, func(t *testing.T, db *store.DB) {
		for _, n := range []int{0, 1, 8, 1003} {
			err := db.InTx(t.Context(), func(ctx context.Context) error {
				if _, err := db.Exec(ctx, store.Query{Name: "note.Clear", Text: "DELETE FROM note"}); err != nil {
					return err
				}
				got, err := db.Bulk(ctx, "note", noteColumns, notes(n, at))
				if err == nil && got != int64(n) {
					t.Errorf("%d rows written, want %d", got, n)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			i := 0
			err = db.Each(t.Context(), read, nil, func(rows *sql.Rows) error {
				var id string
				var amount int64
				var when store.Instant
				var done sql.NullBool
				var body []byte
				var exact store.Decimal
				if err := rows.Scan(&id, &amount, &when, &done, &body, &exact); err != nil {
					return err
				}
				full := i%3 != 0
				if id != fmt.Sprintf("k%06d", i) || amount != int64(i) || done.Valid != full || exact.Valid != full || (body != nil) != full {
					t.Errorf("row %d: %s %d %v %v %v", i, id, amount, done, body, exact)
				}
				if full && (!when.Equal(at.Add(time.Duration(i)*time.Second)) || done.Bool != (i%2 == 0) ||
					string(body) != fmt.Sprintf("%04d", i) || exact.String() != fmt.Sprintf("%d.5", i)) {
					t.Errorf("row %d: %v %v %s %v", i, when, done, body, exact)
				}
				i++
				return nil
			})
			if err != nil || i != n {
				t.Fatalf("%d rows read, want %d: %v", i, n, err)
			}
		}
	})
}

func TestBulkIgnore(t *testing.T) {
	withNotes(t, func(t *testing.T, db *store.DB) {
		for _, step := range []struct{ rows, fresh int }{{150, 150}, {150, 0}, {5000, 4850}, {5003, 3}} {
			err := db.InTx(t.Context(), func(ctx context.Context) error {
				got, err := db.BulkIgnore(ctx, "note", noteColumns, notes(step.rows, time.Unix(0, 0)))
				if err == nil && got != int64(step.fresh) {
					t.Errorf("%d of %d were new, want %d", got, step.rows, step.fresh)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if n := count(t, db); n != 5003 {
			t.Fatalf("%d notes", n)
		}
		// Only a known key is skipped: a row that breaks another rule fails on both engines.
		one := true
		err := db.InTx(t.Context(), func(ctx context.Context) error {
			_, err := db.BulkIgnore(ctx, "note", []string{"id", "amount_e8"}, func() ([]any, bool, error) {
				defer func() { one = false }()
				return []any{"x", -1}, one, nil
			})
			return err
		})
		if !fault.HasCode(err, "store.refused") {
			t.Fatalf("got %v", err)
		}
	})
}

func TestBulkFailureLeavesNothing(t *testing.T) {
	boom := errors.New("boom")
	withNotes(t, func(t *testing.T, db *store.DB) {
		feed := notes(100, time.Unix(0, 0))
		i := 0
		err := db.InTx(t.Context(), func(ctx context.Context) error {
			_, err := db.Bulk(ctx, "note", noteColumns, func() ([]any, bool, error) {
				if i++; i == 50 {
					return nil, false, boom
				}
				return feed()
			})
			if err == nil {
				t.Error("the feed's error was lost")
			}
			return nil
		})
		if !errors.Is(err, boom) {
			t.Fatalf("got %v", err)
		}
		if n := count(t, db); n != 0 {
			t.Fatalf("%d notes are left", n)
		}
		if _, err := db.Bulk(t.Context(), "note", noteColumns, feed); err == nil {
			t.Fatal("bulk outside a transaction")
		}
	})
}

func TestRawTimeIsRefused(t *testing.T) {
	now := time.Unix(0, 0)
	find := store.Query{Name: "note.Since", Text: "SELECT id FROM note WHERE at >= $1"}
	withNotes(t, func(t *testing.T, db *store.DB) {
		for name, try := range map[string]func(ctx context.Context) error{
			"exec":    func(ctx context.Context) error { _, err := db.Exec(ctx, addNote, "a", 1, now); return err },
			"pointer": func(ctx context.Context) error { _, err := db.Exec(ctx, addNote, "a", 1, &now); return err },
			"query": func(ctx context.Context) error {
				rows, err := db.Query(ctx, find, now)
				if err == nil {
					rows.Close()
				}
				return err
			},
			"row":  func(ctx context.Context) error { return db.Row(ctx, find, "note.none", []any{now}, new(string)) },
			"each": func(ctx context.Context) error { return db.Each(ctx, find, []any{now}, nil) },
			"bulk": func(ctx context.Context) error {
				_, err := db.Bulk(ctx, "note", []string{"id", "amount_e8", "at"}, func() ([]any, bool, error) { return []any{"a", 1, now}, true, nil })
				return err
			},
		} {
			if err := db.InTx(t.Context(), try); err == nil || fault.HasCode(err, "note.none") {
				t.Errorf("%s took a raw time: %v", name, err)
			}
		}
	})
}
