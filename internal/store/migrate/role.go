package migrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"huoban/internal/store"
)

// AppendOnly names the tables whose rows the application may add but never change, beside the triggers
// that refuse it too.
var AppendOnly = []string{"audit", "transition_log"}

// noteNotAllowed says that the login may neither make the application role nor take it.
const noteNotAllowed = "migrate.role_not_allowed"

// noteNoTenantRole says the same of the role that reads for actors; there is no second lock then.
const noteNoTenantRole = "migrate.tenant_role_not_allowed"

// grantLock keeps replicas that start together from granting at the same time.
const grantLock = 0x706f7274616c

// grant makes the application role and gives it what the program needs. The right to read the
// migrations' own table is given last, so that having it means having all.
func grant(ctx context.Context, db *store.DB) (app, note string, err error) {
	if db.Engine() != store.Postgres {
		return "", "", nil
	}
	conn, err := db.Writer().Conn(ctx)
	if err != nil {
		return "", "", fmt.Errorf("application role: %w", err)
	}
	defer conn.Close()
	var database string
	if err := conn.QueryRowContext(ctx, "SELECT current_database()").Scan(&database); err != nil {
		return "", "", fmt.Errorf("application role: %w", err)
	}
	role, tenant := store.RoleOf(database), store.TenantRoleOf(database)
	tables, err := db.Tables(ctx)
	if err != nil {
		return "", "", err
	}
	var schema string
	if err := conn.QueryRowContext(ctx, "SELECT current_schema()").Scan(&schema); err != nil {
		return "", "", fmt.Errorf("application role: %w", err)
	}
	locks := lockTexts(schema, role, tenant, tables)
	if done, err := allGranted(ctx, conn, role, tables, locks); done || err != nil {
		return role, "", err
	}
	// Of those that begin together one grants; the others wait and find it done. To grant again would take
	// every table away from those that work already.
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", int64(grantLock)); err != nil {
		return "", "", fmt.Errorf("application role: %w", err)
	}
	defer func() {
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", int64(grantLock)) // a lost connection has let go
	}()
	if done, err := allGranted(ctx, conn, role, tables, locks); done || err != nil {
		return role, "", err
	}
	if err := createRole(ctx, conn, role); err != nil {
		if refused(err) {
			return "", noteNotAllowed, nil
		}
		return "", "", fmt.Errorf("application role %s: %w", role, err)
	}
	if err := createRole(ctx, conn, tenant); err != nil {
		if !refused(err) {
			return "", "", fmt.Errorf("tenant role %s: %w", tenant, err)
		}
		locks, note = nil, noteNoTenantRole
	}
	// Above its own policies the application role may COPY; only a superuser can say so, and without it
	// bulk rows take a detour over a temporary table.
	if _, err := conn.ExecContext(ctx, "ALTER ROLE "+pgx.Identifier{role}.Sanitize()+" BYPASSRLS"); err != nil && !refused(err) {
		return "", "", fmt.Errorf("application role %s: %w", role, err)
	}
	if err := grantTables(ctx, conn, role, tables, locks); err != nil {
		return "", "", fmt.Errorf("application role %s: %w", role, err)
	}
	return role, note, nil
}

// allGranted tells whether the role has all its rights and the tables' locks are those of this program.
func allGranted(ctx context.Context, conn *sql.Conn, role string, tables []store.Table, locks []string) (bool, error) {
	done, err := granted(ctx, conn, role, tables)
	if err != nil || !done {
		return false, err
	}
	mark, err := markOf(ctx, conn)
	return err == nil && mark == lockMark(locks), nil
}

// granted tells whether the role exists, may be taken and has its rights on every table.
func granted(ctx context.Context, conn *sql.Conn, role string, tables []store.Table) (bool, error) {
	var known bool
	err := conn.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = $1 AND pg_has_role(current_user, oid, 'member'))`, role).Scan(&known)
	if err != nil || !known {
		return false, err
	}
	var with int
	err = conn.QueryRowContext(ctx, `SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
AND has_table_privilege($1, oid, 'select') AND (relname = 'goose_db_version' OR has_table_privilege($1, oid, 'insert'))`, role).Scan(&with)
	return with == len(tables)+1, err
}

func createRole(ctx context.Context, conn *sql.Conn, role string) error {
	name := pgx.Identifier{role}.Sanitize()
	var exists bool
	if err := conn.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = $1)", role).Scan(&exists); err != nil {
		return err
	}
	if !exists {
		_, err := conn.ExecContext(ctx, "CREATE ROLE "+name+" NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION")
		var pg *pgconn.PgError
		if err != nil && !(errors.As(err, &pg) && (pg.Code == "42710" || pg.Code == "23505")) {
			return err
		}
	}
	_, err := conn.ExecContext(ctx, "GRANT "+name+" TO CURRENT_USER")
	var member bool
	if e := conn.QueryRowContext(ctx, "SELECT pg_has_role(current_user, $1, 'member')", role).Scan(&member); e != nil {
		return e
	}
	if member {
		return nil // as a superuser, or by an administrator's hand
	}
	return err
}

// Granting waits only so long for a table before it lets all of them go and begins again: a program that
// is running meanwhile may hold that table and want one that was granted already, and the server would
// end either of the two after a second.
const (
	grantPatience = "SET LOCAL lock_timeout = '400ms'"
	grantTries    = 100
)

func grantTables(ctx context.Context, conn *sql.Conn, role string, tables []store.Table, locks []string) error {
	for try := 1; ; try++ {
		err := grantOnce(ctx, conn, role, tables, locks, try < grantTries)
		var pg *pgconn.PgError
		if err == nil || try == grantTries || !errors.As(err, &pg) || pg.Code != "55P03" && pg.Code != "40P01" {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50*time.Millisecond + rand.N(100*time.Millisecond)):
		}
	}
}

func grantOnce(ctx context.Context, conn *sql.Conn, role string, tables []store.Table, locks []string, brief bool) error {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if brief {
		if _, err := tx.ExecContext(ctx, grantPatience); err != nil {
			return err
		}
	}
	var schema string
	if err := tx.QueryRowContext(ctx, "SELECT current_schema()").Scan(&schema); err != nil {
		return err
	}
	name := pgx.Identifier{role}.Sanitize()
	texts := []string{"GRANT USAGE ON SCHEMA " + pgx.Identifier{schema}.Sanitize() + " TO " + name}
	only := map[string]bool{}
	for _, t := range AppendOnly {
		only[t] = true
	}
	for _, t := range tables {
		rights := "SELECT, INSERT, UPDATE, DELETE"
		if only[t.Name] {
			rights = "SELECT, INSERT"
		}
		table := pgx.Identifier{t.Name}.Sanitize()
		texts = append(texts, "REVOKE ALL ON "+table+" FROM "+name, "GRANT "+rights+" ON "+table+" TO "+name)
	}
	texts = append(texts, locks...)
	texts = append(texts, "COMMENT ON TABLE goose_db_version IS '"+lockMark(locks)+"'", "GRANT SELECT ON goose_db_version TO "+name)
	for _, text := range texts {
		if _, err := tx.ExecContext(ctx, text); err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
	}
	return tx.Commit()
}

// refused tells whether the server said that the login has not the right.
func refused(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "42501"
}
