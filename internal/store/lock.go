package store

import (
	"context"
	"fmt"
	"hash/fnv"
)

// Lock waits until no other process does the work of that name and keeps them waiting until unlock. It ends
// with the process, however that ends, and holds no transaction: a session's advisory lock on PostgreSQL, a
// locked file beside the database on SQLite. Within one process the caller sees to it.
func (db *DB) Lock(ctx context.Context, name string) (unlock func(), err error) {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // never fails
	if db.engine == SQLite {
		return lockFile(ctx, fmt.Sprintf("%s.lock-%016x", db.path, h.Sum64()))
	}
	conn, err := db.read.Conn(ctx)
	if err != nil {
		return nil, classify(fmt.Errorf("lock %s: %w", name, err))
	}
	key := int64(h.Sum64()) // any 64 bits will do
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", key); err != nil {
		conn.Close()
		return nil, classify(fmt.Errorf("lock %s: %w", name, err))
	}
	return func() {
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", key) // a connection that is lost has let go
		conn.Close()
	}, nil
}
