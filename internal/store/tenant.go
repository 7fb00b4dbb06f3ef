package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"huoban/internal/scope"
)

// actorKey is where a connection of the tenant pool remembers for whom it reads.
const actorKey = "portal.actor"

// TenantRoleOf is the name of the role that reads for an actor: it may only read, and only the rows that
// the policies show to the actor's organisation.
func TenantRoleOf(database string) string {
	const longest = 63 // of any PostgreSQL name
	const suffix = "_portal_tenant"
	if len(database) > longest-len(suffix) {
		database = database[:longest-len(suffix)]
	}
	return database + suffix
}

// lockTenants opens the pool whose connections take the tenant role, if migrate could make it.
func (db *DB) lockTenants(ctx context.Context, database string) error {
	role := TenantRoleOf(database)
	var may bool
	err := db.owner.QueryRowContext(ctx,
		"SELECT coalesce((SELECT pg_has_role(current_user, oid, 'member') FROM pg_roles WHERE rolname = $1), false)", role).Scan(&may)
	if err != nil || !may {
		return err
	}
	take := func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "SET ROLE "+pgx.Identifier{role}.Sanitize())
		return err
	}
	pool := stdlib.OpenDB(*db.config, stdlib.OptionAfterConnect(take))
	pool.SetMaxOpenConns(readers)
	pool.SetMaxIdleConns(readers / 2)
	pool.SetConnMaxIdleTime(db.idle())
	db.tenantRole = role
	db.tenant.Store(pool)
	return nil
}

// TenantRole is the role that reads for actors, "" where there is no second lock.
func (db *DB) TenantRole() string {
	if db.tenant.Load() == nil {
		return ""
	}
	return db.tenantRole
}

// locked gives the actor whose rows alone may be read under ctx, and false where the program reads for
// itself or the engine has no such lock.
func (db *DB) locked(ctx context.Context) (scope.Scope, bool) {
	if db.tenant.Load() == nil {
		return scope.Scope{}, false
	}
	return scope.From(ctx)
}

// tenantConn is a connection that sees the actor's rows only. What it sees is set before anything else
// runs on it, outside a transaction, so that no rollback takes it back.
func (db *DB) tenantConn(ctx context.Context, sc scope.Scope) (*sql.Conn, error) {
	conn, err := db.tenant.Load().Conn(ctx)
	if err != nil {
		return nil, err
	}
	settings := tenantSettings(sc)
	key := strings.Join(settings, "|")
	err = conn.Raw(func(dc any) error {
		c := dc.(*stdlib.Conn).Conn()
		own := c.PgConn().CustomData()
		if own[actorKey] == key {
			return nil
		}
		delete(own, actorKey)
		_, err := c.Exec(ctx, "SELECT set_config('portal.org', $1, false), set_config('portal.vendor', $2, false), "+
			"set_config('portal.partner', $3, false), set_config('portal.customer', $4, false)", settings[0], settings[1], settings[2], settings[3])
		if err == nil {
			own[actorKey] = key
		}
		return err
	})
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("lock to the actor: %w", err)
	}
	return conn, nil
}

// tenantSettings are the acting organisation, the vendor it is, the partners it is (itself and its
// resellers, as an array) and the customer it is.
func tenantSettings(sc scope.Scope) []string {
	out := []string{sc.OrgID(), "", "", ""}
	switch sc.Side() {
	case scope.SideVendor:
		out[1] = sc.OrgID()
	case scope.SidePartner:
		out[2] = "{" + strings.Join(append([]string{sc.OrgID()}, sc.Resellers()...), ",") + "}"
	case scope.SideCustomer:
		out[3] = sc.OrgID()
	}
	return out
}

// aside runs one reading of a locked transaction as the program itself, and locks it again.
func (db *DB) aside(ctx context.Context, t *liveTx) (back func() error, err error) {
	role := db.role.Load()
	if t.tenant == "" || role == nil {
		return func() error { return nil }, nil
	}
	if _, locked := scope.From(ctx); locked {
		return func() error { return nil }, nil
	}
	if _, err := t.tx.ExecContext(ctx, "SET LOCAL ROLE "+pgx.Identifier{*role}.Sanitize()); err != nil {
		return nil, t.fail(err)
	}
	return func() error {
		_, err := t.tx.ExecContext(ctx, "SET LOCAL ROLE "+pgx.Identifier{t.tenant}.Sanitize())
		return t.fail(err)
	}, nil
}
