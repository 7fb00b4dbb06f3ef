package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// roleKey is where a connection remembers the role it has taken.
const roleKey = "portal.role"

// RoleOf is the name of the application role of a database: it owns nothing and may only read and
// write rows.
func RoleOf(database string) string {
	const longest = 63 // of any PostgreSQL name
	const suffix = "_portal"
	if len(database) > longest-len(suffix) {
		database = database[:longest-len(suffix)]
	}
	return database + suffix
}

// AsApplication makes every connection that serves the program, but not the owner's, take the
// application role before its next use. It gives the role, or "" where there is none: on SQLite, and on a
// PostgreSQL database whose owner may not make roles.
func (db *DB) AsApplication(ctx context.Context) (string, error) {
	if db.engine != Postgres {
		return "", nil
	}
	var database string
	var may bool
	err := db.owner.QueryRowContext(ctx, "SELECT current_database()").Scan(&database)
	if err != nil {
		return "", fmt.Errorf("application role: %w", err)
	}
	role := RoleOf(database)
	err = db.owner.QueryRowContext(ctx,
		"SELECT coalesce((SELECT pg_has_role(current_user, oid, 'member') FROM pg_roles WHERE rolname = $1), false)", role).Scan(&may)
	if err != nil {
		return "", fmt.Errorf("application role: %w", err)
	}
	if !may {
		return "", nil
	}
	db.role.Store(&role)
	conn, err := db.read.Conn(ctx)
	if err != nil {
		db.role.Store(nil)
		return "", fmt.Errorf("application role %s: %w", role, err)
	}
	defer conn.Close()
	var now string
	if err := conn.QueryRowContext(ctx, "SELECT current_user").Scan(&now); err != nil {
		return "", fmt.Errorf("application role %s: %w", role, err)
	}
	if now != role {
		return "", errors.New("application role " + role + " was not taken")
	}
	if err := db.lockTenants(ctx, database); err != nil {
		return "", fmt.Errorf("tenant role: %w", err)
	}
	return role, nil
}

// assume runs when a connection is made and before each reuse, so that a change of role reaches
// connections that were open already.
func (db *DB) assume(ctx context.Context, conn *pgx.Conn) error {
	want := db.role.Load()
	if want == nil {
		return nil
	}
	own := conn.PgConn().CustomData()
	if own[roleKey] == *want {
		return nil
	}
	if _, err := conn.Exec(ctx, "SET ROLE "+pgx.Identifier{*want}.Sanitize()); err != nil {
		return fmt.Errorf("take role %s: %w", *want, err)
	}
	own[roleKey] = *want
	return nil
}
