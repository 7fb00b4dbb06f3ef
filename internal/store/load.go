package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// InLoad runs fn in one transaction, on PostgreSQL of the owner, in which no trigger of ours fires, to fill a
// database with rows that were lawful where they come from: sealed lines and append-only logs among them. On
// SQLite references are looked at when it commits; on PostgreSQL at the end of each statement, so a
// table that refers to itself is written by one Bulk.
func (db *DB) InLoad(ctx context.Context, fn func(ctx context.Context) error) error {
	if current(ctx, db) != nil {
		return fmt.Errorf("store: loading inside another transaction")
	}
	load := func(ctx context.Context) error {
		restore, err := db.silence(ctx)
		if err != nil {
			return err
		}
		t := current(ctx, db)
		if err = fn(ctx); err == nil {
			err = t.writeLate(ctx)
		}
		if err != nil {
			return err
		}
		for _, text := range restore {
			if _, err := db.Exec(ctx, Query{"load.Restore", text}); err != nil {
				return err
			}
		}
		t.moved = false // the version comes with the other rows
		return nil
	}
	var err error
	if db.engine == SQLite {
		err = db.writer.run(ctx, db, true, func(t *liveTx) error { return load(context.WithValue(ctx, txKey{}, t)) })
	} else {
		err = db.once(ctx, db.owner, nil, load)
	}
	if err == nil && db.engine == Postgres {
		// Without this the planner knows nothing of the rows until the server finds the time itself.
		_, err = db.owner.ExecContext(ctx, "ANALYZE")
	}
	return classify(err)
}

// silence puts our triggers out of work inside the transaction and gives the texts that bring them back.
func (db *DB) silence(ctx context.Context) (restore []string, err error) {
	var stop []string
	if db.engine == SQLite {
		stop = append(stop, "PRAGMA defer_foreign_keys = ON")
		err = db.texts(ctx, "load.Triggers", "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY name", func(v []string) {
			stop = append(stop, `DROP TRIGGER "`+strings.ReplaceAll(v[0], `"`, `""`)+`"`)
			restore = append(restore, v[1])
		})
	} else {
		words := map[string]string{"O": "ENABLE TRIGGER", "A": "ENABLE ALWAYS TRIGGER", "R": "ENABLE REPLICA TRIGGER"}
		err = db.texts(ctx, "load.Triggers", `SELECT t.relname::text, g.tgname::text, g.tgenabled::text FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid
WHERE t.relnamespace = current_schema()::regnamespace AND NOT g.tgisinternal AND g.tgenabled <> 'D' ORDER BY 1, 2`, func(v []string) {
			alter, name := "ALTER TABLE "+pgx.Identifier{v[0]}.Sanitize()+" ", pgx.Identifier{v[1]}.Sanitize()
			stop = append(stop, alter+"DISABLE TRIGGER "+name)
			restore = append(restore, alter+words[v[2]]+" "+name)
		})
	}
	if err != nil {
		return nil, err
	}
	for _, text := range stop {
		if _, err := db.Exec(ctx, Query{"load.Silence", text}); err != nil {
			return nil, err
		}
	}
	return restore, nil
}
