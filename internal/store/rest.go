package store

import "context"

// Rest gives back what connections to SQLite keep for the next question: all reading connections but one,
// and the pages the writer holds. What comes next opens them again. On PostgreSQL the pool's own limit of
// idle time does this.
func (db *DB) Rest(ctx context.Context) error {
	if db.writer == nil {
		return nil
	}
	for range cap(db.spare) {
		select {
		case r := <-db.spare:
			_ = r.close()
			<-db.inRead
		default:
		}
	}
	db.read.SetMaxIdleConns(1)
	db.read.SetMaxIdleConns(readers)
	return db.InTx(ctx, func(ctx context.Context) error {
		_, err := current(ctx, db).conn.ExecContext(ctx, "PRAGMA shrink_memory")
		return err
	})
}
