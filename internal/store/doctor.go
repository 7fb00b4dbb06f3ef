package store

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"runtime/debug"
	"strings"

	"huoban/internal/fault"
)

// Level is how much a finding matters.
type Level string

// The levels of a finding.
const (
	LevelOK      Level = "ok"
	LevelWarning Level = "warning"
	LevelError   Level = "error"
)

// Finding is one thing a check-up found; Code is translated at the edge.
type Finding struct {
	Code  string     `json:"code"`
	Level Level      `json:"level"`
	Args  fault.Args `json:"args,omitempty"`
}

// wantLibc is the modernc.org/libc that the pinned modernc.org/sqlite was made for; another one may
// break it silently.
const wantLibc = "v1.77.1"

// rangeWarning is the part of the range of amounts at which a sum is worth a word.
const rangeWarning = math.MaxInt64 / 10

// Doctor looks at the engine, its settings and the range of every amount. With deep it reads the whole
// file on SQLite. It finds; it changes nothing.
func (db *DB) Doctor(ctx context.Context, deep bool) ([]Finding, error) {
	check := db.doctorSQLite
	if db.engine == Postgres {
		check = db.doctorPostgres
	}
	out, err := check(ctx, deep)
	if err != nil {
		return nil, fmt.Errorf("doctor: %w", err)
	}
	ranges, err := db.doctorRange(ctx)
	if err != nil {
		return nil, fmt.Errorf("doctor: %w", err)
	}
	return append(out, ranges...), nil
}

// finding weighs one measured value.
func finding(code string, good bool, bad Level, args fault.Args) Finding {
	if good {
		bad = LevelOK
	}
	return Finding{code, bad, args}
}

func (db *DB) one(ctx context.Context, text string) (string, error) {
	var v sql.NullString
	err := db.Row(ctx, Query{"doctor", text}, "doctor.nothing", nil, &v)
	return v.String, err
}

func (db *DB) doctorSQLite(ctx context.Context, deep bool) ([]Finding, error) {
	var out []Finding
	version, err := db.one(ctx, "SELECT sqlite_version()")
	if err != nil {
		return nil, err
	}
	out = append(out, Finding{"doctor.engine", LevelOK, fault.Args{"engine": string(SQLite), "version": version}})
	conn, err := db.owner.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	for _, p := range []struct{ pragma, want, code string }{
		{"journal_mode", "wal", "doctor.journal_mode"}, {"synchronous", "2", "doctor.synchronous"}, {"foreign_keys", "1", "doctor.foreign_keys"},
	} {
		var got string
		if err := conn.QueryRowContext(ctx, "PRAGMA "+p.pragma).Scan(&got); err != nil {
			return nil, err
		}
		out = append(out, finding(p.code, got == p.want, LevelError, fault.Args{"value": got, "want": p.want}))
	}
	pragma := "quick_check"
	if deep {
		pragma = "integrity_check"
	}
	var faults []string
	if err := db.texts(ctx, "doctor", "PRAGMA "+pragma+"(20)", func(v []string) { faults = append(faults, v[0]) }); err != nil {
		return nil, err
	}
	whole := len(faults) == 1 && faults[0] == "ok"
	out = append(out, finding("doctor.integrity", whole, LevelError, fault.Args{"check": pragma, "result": strings.Join(faults, "; ")}))
	broken := 0
	if err := db.texts(ctx, "doctor", "PRAGMA foreign_key_check", func([]string) { broken++ }); err != nil {
		return nil, err
	}
	out = append(out, finding("doctor.references", broken == 0, LevelError, fault.Args{"broken": broken}))
	libc := moduleVersion("modernc.org/libc")
	return append(out, finding("doctor.libc", libc == wantLibc || libc == "", LevelWarning, fault.Args{"version": libc, "want": wantLibc})), nil
}

// moduleVersion is the version of a module built into this program, "" where the build does not say.
func moduleVersion(path string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, m := range info.Deps {
		if m.Path == path {
			if m.Replace != nil {
				return m.Replace.Version
			}
			return m.Version
		}
	}
	return ""
}

func (db *DB) doctorPostgres(ctx context.Context, _ bool) ([]Finding, error) {
	values := map[string]string{}
	for _, name := range []string{"server_version", "server_version_num", "server_encoding", "fsync", "full_page_writes", "synchronous_commit"} {
		v, err := db.one(ctx, "SELECT current_setting('"+name+"')")
		if err != nil {
			return nil, err
		}
		values[name] = v
	}
	var number int
	if _, err := fmt.Sscan(values["server_version_num"], &number); err != nil {
		return nil, err
	}
	const oldest = 140000
	out := []Finding{
		finding("doctor.engine", number >= oldest, LevelWarning, fault.Args{"engine": string(Postgres), "version": values["server_version"]}),
		finding("doctor.encoding", values["server_encoding"] == "UTF8", LevelError, fault.Args{"value": values["server_encoding"], "want": "UTF8"}),
		finding("doctor.fsync", values["fsync"] == "on" && values["full_page_writes"] == "on", LevelError, fault.Args{"value": values["fsync"], "want": "on"}),
		finding("doctor.synchronous", values["synchronous_commit"] != "off", LevelError, fault.Args{"value": values["synchronous_commit"], "want": "on"}),
	}
	var isolation string
	if err := db.InTx(ctx, func(ctx context.Context) (err error) {
		isolation, err = db.one(ctx, "SELECT current_setting('transaction_isolation')")
		return err
	}); err != nil {
		return nil, err
	}
	out = append(out, finding("doctor.isolation", isolation == "serializable", LevelError, fault.Args{"value": isolation, "want": "serializable"}))
	user, err := db.one(ctx, "SELECT current_user::text")
	if err != nil {
		return nil, err
	}
	name, err := db.one(ctx, "SELECT current_database()::text")
	if err != nil {
		return nil, err
	}
	return append(out, finding("doctor.role", user == RoleOf(name), LevelWarning, fault.Args{"value": user, "want": RoleOf(name)})), nil
}

// doctorRange warns of amounts that come near the end of what a stored amount can hold.
func (db *DB) doctorRange(ctx context.Context) ([]Finding, error) {
	tables, err := db.Tables(ctx)
	if err != nil {
		return nil, err
	}
	out := []Finding{}
	columns := 0
	for _, t := range tables {
		for _, c := range t.Columns {
			if !strings.HasSuffix(c.Name, "_e8") {
				continue
			}
			columns++
			var low, high sql.NullInt64
			q := Query{"doctor", "SELECT min(" + c.Name + "), max(" + c.Name + ") FROM " + t.Name}
			if err := db.Row(ctx, q, "doctor.nothing", nil, &low, &high); err != nil {
				return nil, err
			}
			if low.Int64 < -rangeWarning || high.Int64 > rangeWarning {
				out = append(out, Finding{"doctor.range", LevelWarning, fault.Args{"table": t.Name, "column": c.Name}})
			}
		}
	}
	if len(out) == 0 {
		out = append(out, Finding{"doctor.ranges", LevelOK, fault.Args{"columns": columns}})
	}
	return out, nil
}
