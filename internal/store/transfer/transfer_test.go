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

// TestThereAndBack moves every table over both engines and wants the same content everywhere.
func TestThereAndBack(t *testing.T) {
	ctx := t.Context()
	first := storetest.Sample(t, 40)
	steps := []*store.DB{first, storetest.SQLite(t), storetest.SQLite(t), storetest.Postgres(t)}
	digest := ""
	for i := 1; i < len(steps); i++ {
		r, err := transfer.Copy(ctx, steps[i-1], steps[i])
		if err != nil {
			t.Fatalf("%s to %s: %v", steps[i-1].Engine(), steps[i].Engine(), err)
		}
		if digest == "" {
			digest = r.Digest
		}
		if r.Digest != digest {
			t.Errorf("step %d changed the content", i)
		}
		if r.Rows < int64(40*(len(r.Tables)-1)) || len(r.Tables) < 25 {
			t.Errorf("only %d rows of %d tables were moved", r.Rows, len(r.Tables))
		}
		for _, p := range r.Tables {
			if p.Table == "bill" && p.Sums["due_e8"] != "-15243683492977908860" {
				t.Errorf("sums of bill: %v", p.Sums)
			}
		}
	}
	// The guards are back at work in every target.
	for _, db := range steps[1:] {
		err := db.InTx(ctx, func(ctx context.Context) error {
			_, err := db.Exec(ctx, store.Query{Name: "try", Text: "DELETE FROM audit"})
			return err
		})
		if !fault.HasCode(err, "store.refused") && !fault.HasCode(err, "store.not_granted") {
			t.Errorf("audit rows can be removed on %s: %v", db.Engine(), err)
		}
		if _, err := db.Writer().ExecContext(ctx, "UPDATE transition_log SET actor = 'x'"); err == nil {
			t.Errorf("the owner may change the transition log on %s", db.Engine())
		}
	}
}

func TestFullTargetIsRefused(t *testing.T) {
	from := storetest.Sample(t, 3)
	to := storetest.SQLite(t)
	if _, err := transfer.Copy(t.Context(), from, to); err != nil {
		t.Fatal(err)
	}
	if _, err := transfer.Copy(t.Context(), from, to); !fault.HasCode(err, "transfer.target_not_empty") {
		t.Fatalf("got %v", err)
	}
	if empty, err := transfer.Empty(t.Context(), to); empty || err != nil {
		t.Fatalf("empty %v: %v", empty, err)
	}
	if _, err := transfer.Copy(t.Context(), from, storetest.Bare(t, store.SQLite)); !fault.HasCode(err, "transfer.not_migrated") {
		t.Fatalf("got %v", err)
	}
}

// TestAlteredRowIsFound changes one digit of what arrives: the copy must see it and leave nothing.
func TestAlteredRowIsFound(t *testing.T) {
	from := storetest.Sample(t, 5)
	for _, to := range []*store.DB{storetest.SQLite(t), storetest.Postgres(t)} {
		err := from.InRead(t.Context(), func(read context.Context) error {
			tables, err := from.Tables(read)
			if err != nil {
				return err
			}
			return transfer.Fill(t.Context(), to, tables, func(write context.Context, table store.Table) (transfer.Proof, error) {
				r, err := transfer.Read(read, from, table)
				if err != nil {
					return transfer.Proof{}, err
				}
				defer r.Close()
				money := slices.Index(transfer.Columns(table), "due_e8")
				return transfer.Write(write, to, table, r.Tally, func() ([]any, error) {
					row, _, err := r.Next()
					if row != nil && money >= 0 {
						row[money] = row[money].(int64) + 1
					}
					return row, err
				})
			})
		})
		if !fault.HasCode(err, "transfer.not_equal") {
			t.Errorf("got %v", err)
		}
		if empty, err := transfer.Empty(t.Context(), to); !empty || err != nil {
			t.Errorf("rows are left on %s: %v", to.Engine(), err)
		}
	}
}

func TestProofsSeeOneDigit(t *testing.T) {
	db := storetest.Sample(t, 5)
	prove := func() string {
		var all []transfer.Proof
		err := db.InRead(t.Context(), func(ctx context.Context) error {
			tables, err := db.Tables(ctx)
			for _, table := range tables {
				p, e := transfer.Prove(ctx, db, table)
				if err == nil {
					err = e
				}
				all = append(all, p)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return transfer.Whole(all)
	}
	before := prove()
	for _, text := range []string{
		"UPDATE kept_chunk SET first_line = first_line + 1 WHERE chunk_no = 2",
		"UPDATE price_rule SET factor = '0.86' WHERE id = 'k0001'",
	} {
		if _, err := db.Writer().ExecContext(t.Context(), "SET session_replication_role = replica; "+text); err != nil {
			t.Fatal(err)
		}
		if after := prove(); after == before {
			t.Errorf("not seen: %s", text)
		} else {
			before = after
		}
	}
}
