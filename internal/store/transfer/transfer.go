package transfer

import (
	"context"
	"database/sql"
	"fmt"

	"huoban/internal/fault"
	"huoban/internal/store"
	"huoban/internal/store/migrate"
)

// Result is what a copy moved and how it was proved; every proof was equal on both sides.
type Result struct {
	From    store.Engine `json:"from"`
	To      store.Engine `json:"to"`
	Version int64        `json:"schema_version"`
	Rows    int64        `json:"rows"`
	Digest  string       `json:"digest"`
	Tables  []Proof      `json:"tables"`
}

// Copy moves every table of one snapshot of from into an empty migrated target, in one transaction, reads
// it back and compares counts, sums of money and content before it commits. Faults:
// transfer.target_not_empty, transfer.not_migrated, transfer.schema_differs, transfer.not_equal.
func Copy(ctx context.Context, from, to *store.DB) (Result, error) {
	version, err := sameVersion(ctx, from, to)
	if err != nil {
		return Result{}, err
	}
	out := Result{From: from.Engine(), To: to.Engine(), Version: version}
	err = from.InRead(ctx, func(read context.Context) error {
		tables, err := from.Tables(read)
		if err != nil {
			return err
		}
		return Fill(ctx, to, tables, func(write context.Context, t store.Table) (Proof, error) {
			p, err := move(read, write, from, to, t)
			out.Tables, out.Rows = append(out.Tables, p), out.Rows+p.Rows
			return p, err
		})
	})
	if err != nil {
		return Result{}, err
	}
	out.Digest = Whole(out.Tables)
	return out, nil
}

func sameVersion(ctx context.Context, from, to *store.DB) (int64, error) {
	for _, db := range []*store.DB{from, to} {
		pending, err := migrate.Pending(ctx, db)
		if err != nil {
			return 0, err
		}
		if pending > 0 {
			return 0, fault.Conflict("transfer.not_migrated", fault.Args{"engine": string(db.Engine()), "pending": pending})
		}
	}
	return migrate.Latest(), nil
}

// Fill loads tables into an empty database within one transaction: load writes one table and gives the
// proof of what it wrote, which is compared with what is then read back. Faults:
// transfer.target_not_empty, transfer.schema_differs, transfer.not_equal.
func Fill(ctx context.Context, to *store.DB, tables []store.Table, load func(ctx context.Context, t store.Table) (Proof, error)) error {
	ordered, err := store.InReferenceOrder(tables)
	if err != nil {
		return err
	}
	return to.InLoad(ctx, func(ctx context.Context) error {
		targets, err := to.Tables(ctx)
		if err != nil {
			return err
		}
		if err := comparable(tables, targets); err != nil {
			return err
		}
		if full, err := firstFull(ctx, to, targets); err != nil {
			return err
		} else if full != "" {
			return fault.Conflict("transfer.target_not_empty", fault.Args{"table": full})
		}
		byName := map[string]store.Table{}
		for _, t := range targets {
			byName[t.Name] = t
		}
		for _, t := range ordered {
			wrote, err := load(ctx, byName[t.Name])
			if err != nil {
				return fmt.Errorf("%s: %w", t.Name, err)
			}
			reads, err := Prove(ctx, to, byName[t.Name])
			if err != nil {
				return fmt.Errorf("%s: %w", t.Name, err)
			}
			if !wrote.equal(reads) {
				return fault.New(fault.KindInternal, "transfer.not_equal", fault.Args{"table": t.Name})
			}
		}
		return nil
	})
}

// Empty tells whether no table of ours holds a row; a database without tables is empty.
func Empty(ctx context.Context, db *store.DB) (bool, error) {
	tables, err := db.Tables(ctx)
	if err != nil {
		return false, err
	}
	full, err := firstFull(ctx, db, tables)
	return full == "", err
}

func firstFull(ctx context.Context, db *store.DB, tables []store.Table) (string, error) {
	for _, t := range tables {
		found := false
		q := store.Query{Name: "transfer empty", Text: "SELECT 1 FROM " + t.Name + " LIMIT 1"}
		if err := db.Each(ctx, q, nil, func(*sql.Rows) error { found = true; return nil }); err != nil {
			return "", err
		}
		if found {
			return t.Name, nil
		}
	}
	return "", nil
}

// comparable refuses a target whose tables or columns are not those of the source.
func comparable(from, to []store.Table) error {
	have := map[string][]string{}
	for _, t := range to {
		have[t.Name] = Columns(t)
	}
	for _, t := range from {
		columns, ok := have[t.Name]
		if !ok || fmt.Sprint(columns) != fmt.Sprint(Columns(t)) {
			return fault.Conflict("transfer.schema_differs", fault.Args{"table": t.Name})
		}
		delete(have, t.Name)
	}
	for name := range have {
		return fault.Conflict("transfer.schema_differs", fault.Args{"table": name})
	}
	return nil
}

func move(read, write context.Context, from, to *store.DB, t store.Table) (Proof, error) {
	r, err := Read(read, from, t)
	if err != nil {
		return Proof{}, err
	}
	defer r.Close()
	return Write(write, to, t, r.Tally, func() ([]any, error) {
		row, _, err := r.Next()
		return row, err
	})
}

// Write fills one table from rows in canonical form, until next gives nil.
func Write(ctx context.Context, to *store.DB, t store.Table, tally *Tally, next func() ([]any, error)) (Proof, error) {
	columns := Columns(t)
	kinds := map[string]string{}
	for _, c := range t.Columns {
		kinds[c.Name] = c.Type
	}
	row := make([]any, len(columns))
	_, err := to.Bulk(ctx, t.Name, columns, func() ([]any, bool, error) {
		values, err := next()
		if err != nil || values == nil {
			return nil, false, err
		}
		for i, v := range values {
			if row[i], err = typed(kinds[columns[i]], v); err != nil {
				return nil, false, fmt.Errorf("%s.%s: %w", t.Name, columns[i], err)
			}
		}
		return row, true, nil
	})
	if err != nil {
		return Proof{}, err
	}
	return tally.Proof(), nil
}

// typed turns a canonical value into what a column of that type takes.
func typed(kind string, v any) (any, error) {
	switch kind {
	case store.TypeFlag:
		if n, ok := v.(int64); ok {
			return n != 0, nil
		}
	case store.TypeInstant:
		if v == nil {
			return nil, nil
		}
		var at store.Instant
		err := at.Scan(v)
		return at, err
	}
	return v, nil
}
