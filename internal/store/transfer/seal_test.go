package transfer_test

import (
	"context"
	"slices"
	"testing"

	"huoban/internal/fault"
	"huoban/internal/store"
	"huoban/internal/store/storetest"
	"huoban/internal/store/transfer"
)

// TestSealedSlotRefusesWrites uses the sample's slots, of which the first is sealed: its lines stay as they
// are, the others' move freely.
func TestSealedSlotRefusesWrites(t *testing.T) {
	pg, lite := storetest.Sample(t, 3), storetest.SQLite(t)
	if _, err := transfer.Copy(t.Context(), pg, lite); err != nil {
		t.Fatal(err)
	}
	for _, db := range []*store.DB{pg, lite} {
		t.Run(string(db.Engine()), func(t *testing.T) { sealed(t, db) })
	}
}

func sealed(t *testing.T, db *store.DB) {
	ctx := t.Context()
	tables, err := db.Tables(ctx)
	if err != nil {
		t.Fatal(err)
	}
	lines := tables[slices.IndexFunc(tables, func(x store.Table) bool { return x.Name == "usage_line" })]
	columns := transfer.Columns(lines)
	var sample []any
	err = db.InRead(ctx, func(ctx context.Context) error {
		r, err := transfer.Read(ctx, db, lines)
		if err != nil {
			return err
		}
		defer r.Close()
		row, _, err := r.Next()
		sample = slices.Clone(row)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	occurrence := int64(100)
	bulk := func(slots ...int64) error {
		return db.InBulk(ctx, func(ctx context.Context) error {
			i := 0
			_, err := transfer.Write(ctx, db, lines, transfer.NewTally(lines.Name, columns), func() ([]any, error) {
				if i == len(slots) {
					return nil, nil
				}
				i, occurrence = i+1, occurrence+1
				row := slices.Clone(sample)
				row[slices.Index(columns, "slot_id")] = slots[i-1]
				row[slices.Index(columns, "occurrence")] = occurrence
				return row, nil
			})
			return err
		})
	}
	run := func(text string) error {
		return db.InTx(ctx, func(ctx context.Context) error {
			_, err := db.Exec(ctx, store.Query{Name: "try", Text: text})
			return err
		})
	}
	for name, err := range map[string]error{
		"insert":          bulk(1),
		"insert into two": bulk(2, 1, 3),
		"update":          run("UPDATE usage_line SET billed = '2' WHERE slot_id = 1"),
		"move in":         run("UPDATE usage_line SET slot_id = 1, occurrence = 9 WHERE slot_id = 2"),
		"delete":          run("DELETE FROM usage_line WHERE slot_id = 1"),
	} {
		if !fault.HasCode(err, "store.refused") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, err := range map[string]error{
		"insert": bulk(2, 3), "update": run("UPDATE usage_line SET billed = '2' WHERE slot_id = 2"), "delete": run("DELETE FROM usage_line WHERE slot_id = 3"),
	} {
		if err != nil {
			t.Errorf("%s of an open slot: %v", name, err)
		}
	}
}
