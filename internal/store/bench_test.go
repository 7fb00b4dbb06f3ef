package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"huoban/internal/store"
)

func benchNotes(b *testing.B) *store.DB {
	db, err := store.Open(b.Context(), filepath.Join(b.TempDir(), "portal.db")) // durable, unlike in tests
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	makeVersion(b, db)
	if _, err := db.Writer().Exec(store.Words(store.SQLite, noteTable)); err != nil {
		b.Fatal(err)
	}
	return db
}

// BenchmarkOne is small transactions one after another.
func BenchmarkOne(b *testing.B) {
	db := benchNotes(b)
	i := 0
	for b.Loop() {
		i++
		if err := db.InTx(context.Background(), func(ctx context.Context) error { return add(ctx, db, fmt.Sprint(i)) }); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkMany is the same from 64 writers at once.
func BenchmarkMany(b *testing.B) {
	db := benchNotes(b)
	var i atomic.Int64
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			id := fmt.Sprint(i.Add(1))
			if err := db.InTx(context.Background(), func(ctx context.Context) error { return add(ctx, db, id) }); err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkBulk is rows of one bulk transaction.
func BenchmarkBulk(b *testing.B) {
	db := benchNotes(b)
	err := db.InBulk(context.Background(), func(ctx context.Context) error {
		_, err := db.Bulk(ctx, "note", noteColumns, notes(b.N, time.Unix(0, 0)))
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
}

// BenchmarkPage reads twenty rows, as a list page does.
func BenchmarkPage(b *testing.B) {
	db := benchNotes(b)
	err := db.InBulk(context.Background(), func(ctx context.Context) error {
		_, err := db.Bulk(ctx, "note", noteColumns, notes(10000, time.Unix(0, 0)))
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	q := store.Query{Name: "note.Page", Text: "SELECT id, amount_e8, at, done, body, exact FROM note WHERE id > $1 ORDER BY id LIMIT 20"}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			n := 0
			err := db.Each(context.Background(), q, []any{"k005000"}, func(rows *sql.Rows) error {
				var id string
				var amount int64
				var at store.Instant
				var done sql.NullBool
				var body sql.RawBytes
				var exact sql.NullString
				n++
				return rows.Scan(&id, &amount, &at, &done, &body, &exact)
			})
			if err != nil || n != 20 {
				b.Errorf("%d rows: %v", n, err)
			}
		}
	})
}
