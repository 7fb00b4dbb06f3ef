package store

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"
)

// Column types as schemas spell them. SQLite keeps instants as text and flags as integers, so it knows
// only three of them.
const (
	TypeInt     = "int"
	TypeText    = "text"
	TypeBytes   = "bytes"
	TypeFlag    = "flag"
	TypeInstant = "instant"
)

// Table is what the database itself says about one of our tables.
type Table struct {
	Name       string
	Columns    []Column
	Key        []string // primary key, in its order
	Uniques    []string // other unique indexes: "a, b", with " where" if partial; sorted
	References []string // tables that foreign keys point at; sorted, each once
	Checks     []string // the quoted words of each check, "a|b"; sorted
}

// Column is one column; Type is one of the Type words, or the engine's own name for a stranger.
type Column struct {
	Name    string
	Type    string
	NotNull bool
	Binary  bool // text sorts by its bytes
}

// migrationTable belongs to the migrations, not to the schema.
const migrationTable = "goose_db_version"

// Tables reads the schema, in order of name.
func (db *DB) Tables(ctx context.Context) ([]Table, error) {
	byName := map[string]*Table{}
	read := schemaSQLite
	if db.engine == Postgres {
		read = schemaPostgres
	}
	if err := read(ctx, db, byName); err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	out := make([]Table, 0, len(byName))
	for _, t := range byName {
		sort.Strings(t.Uniques)
		sort.Strings(t.Checks)
		sort.Strings(t.References)
		t.References = slices.Compact(t.References)
		out = append(out, *t)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out, nil
}

// InReferenceOrder sorts tables so that each comes after those it refers to, else by name.
func InReferenceOrder(tables []Table) ([]Table, error) {
	placed := map[string]bool{}
	out := make([]Table, 0, len(tables))
	for len(out) < len(tables) {
		before := len(out)
		for _, t := range tables {
			waits := slices.ContainsFunc(t.References, func(r string) bool { return r != t.Name && !placed[r] })
			if !placed[t.Name] && !waits {
				placed[t.Name] = true
				out = append(out, t)
			}
		}
		if len(out) == before {
			return nil, fmt.Errorf("the foreign keys of %d tables form a circle", len(tables)-before)
		}
	}
	return out, nil
}

// strings reads rows of text columns; null is "".
func (db *DB) texts(ctx context.Context, name, text string, use func(v []string)) error {
	return db.Each(ctx, Query{name, text}, nil, func(rows *sql.Rows) error {
		columns, err := rows.Columns()
		if err != nil {
			return err
		}
		read := make([]sql.NullString, len(columns))
		dest := make([]any, len(columns))
		for i := range read {
			dest[i] = &read[i]
		}
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		v := make([]string, len(read))
		for i := range read {
			v[i] = read[i].String
		}
		use(v)
		return nil
	})
}

var sqliteTypes = map[string]string{"INTEGER": TypeInt, "TEXT": TypeText, "BLOB": TypeBytes}

func schemaSQLite(ctx context.Context, db *DB, out map[string]*Table) error {
	const from = ` FROM sqlite_schema t JOIN `
	const ours = ` WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite\_%' ESCAPE '\' AND t.name <> '` + migrationTable + `' `
	err := db.texts(ctx, "schema.Columns", `SELECT t.name, c.name, c.type, c."notnull", c.pk, t.sql`+from+`pragma_table_info(t.name) c`+ours+`ORDER BY t.name, c.cid`,
		func(v []string) {
			t := out[v[0]]
			if t == nil {
				t = &Table{Name: v[0], Checks: checkWords(v[5])}
				out[v[0]] = t
			}
			kind, known := sqliteTypes[v[2]]
			if !known {
				kind = v[2]
			}
			t.Columns = append(t.Columns, Column{v[1], kind, v[3] == "1" || v[4] != "0", true})
		})
	if err != nil {
		return err
	}
	err = db.texts(ctx, "schema.Keys", `SELECT t.name, c.name`+from+`pragma_table_info(t.name) c`+ours+`AND c.pk > 0 ORDER BY t.name, c.pk`,
		func(v []string) { out[v[0]].Key = append(out[v[0]].Key, v[1]) })
	if err != nil {
		return err
	}
	uniques := uniqueLists{out: out}
	err = db.texts(ctx, "schema.Uniques", `SELECT t.name, i.name, CASE WHEN i.partial THEN ' where' ELSE '' END, c.name`+from+
		`pragma_index_list(t.name) i JOIN pragma_index_info(i.name) c`+ours+`AND i."unique" AND i.origin <> 'pk' ORDER BY t.name, i.name, c.seqno`,
		uniques.add)
	if err != nil {
		return err
	}
	uniques.flush()
	return db.texts(ctx, "schema.References", `SELECT t.name, f."table"`+from+`pragma_foreign_key_list(t.name) f`+ours+`ORDER BY t.name, f.id`,
		func(v []string) { out[v[0]].References = append(out[v[0]].References, v[1]) })
}

var postgresTypes = map[string]string{"bigint": TypeInt, "text": TypeText, "bytea": TypeBytes, "boolean": TypeFlag, "timestamp with time zone": TypeInstant}

func schemaPostgres(ctx context.Context, db *DB, out map[string]*Table) error {
	const ours = ` t.relnamespace = current_schema()::regnamespace AND t.relkind = 'r' AND t.relname <> '` + migrationTable + `' `
	err := db.texts(ctx, "schema.Columns", `SELECT t.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull::text, coalesce(l.collname, '')::text
FROM pg_class t JOIN pg_attribute a ON a.attrelid = t.oid LEFT JOIN pg_collation l ON l.oid = a.attcollation
WHERE`+ours+`AND a.attnum > 0 AND NOT a.attisdropped ORDER BY t.relname, a.attnum`,
		func(v []string) {
			t := out[v[0]]
			if t == nil {
				t = &Table{Name: v[0]}
				out[v[0]] = t
			}
			kind, known := postgresTypes[v[2]]
			if !known {
				kind = v[2]
			}
			t.Columns = append(t.Columns, Column{v[1], kind, v[3] == "true", v[4] == "C" || v[4] == ""})
		})
	if err != nil {
		return err
	}
	const index = `FROM pg_class t JOIN pg_index i ON i.indrelid = t.oid CROSS JOIN LATERAL unnest(i.indkey::int[]) WITH ORDINALITY k(num, pos)
LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.num WHERE` + ours
	err = db.texts(ctx, "schema.Keys", `SELECT t.relname::text, a.attname::text `+index+`AND i.indisprimary ORDER BY t.relname, k.pos`,
		func(v []string) { out[v[0]].Key = append(out[v[0]].Key, v[1]) })
	if err != nil {
		return err
	}
	uniques := uniqueLists{out: out}
	err = db.texts(ctx, "schema.Uniques", `SELECT t.relname::text, i.indexrelid::text, CASE WHEN i.indpred IS NULL THEN '' ELSE ' where' END, a.attname::text `+
		index+`AND i.indisunique AND NOT i.indisprimary ORDER BY t.relname, i.indexrelid, k.pos`, uniques.add)
	if err != nil {
		return err
	}
	uniques.flush()
	const constraint = `FROM pg_class t JOIN pg_constraint c ON c.conrelid = t.oid WHERE` + ours
	err = db.texts(ctx, "schema.References", `SELECT t.relname::text, c.confrelid::regclass::text `+constraint+`AND c.contype = 'f'`,
		func(v []string) { out[v[0]].References = append(out[v[0]].References, v[1]) })
	if err != nil {
		return err
	}
	return db.texts(ctx, "schema.Checks", `SELECT t.relname::text, pg_get_constraintdef(c.oid) `+constraint+`AND c.contype = 'c'`,
		func(v []string) { out[v[0]].Checks = append(out[v[0]].Checks, checkWords(v[1])...) })
}

// uniqueLists gathers rows of (table, index, tail, column) into one text per index.
type uniqueLists struct {
	out         map[string]*Table
	table, name string
	tail        string
	columns     []string
}

func (u *uniqueLists) add(v []string) {
	if u.table != v[0] || u.name != v[1] {
		u.flush()
	}
	u.table, u.name, u.tail = v[0], v[1], v[2]
	u.columns = append(u.columns, v[3])
}

func (u *uniqueLists) flush() {
	if len(u.columns) > 0 {
		t := u.out[u.table]
		t.Uniques = append(t.Uniques, strings.Join(u.columns, ", ")+u.tail)
	}
	u.columns = nil
}

var (
	checkHead  = regexp.MustCompile(`(?i)\bCHECK\s*\(`)
	quotedWord = regexp.MustCompile(`'[^']*'`)
	lineRemark = regexp.MustCompile(`--[^\n]*`)
)

// checkWords finds the quoted words of every check of a schema text; engines write the rest of a check
// each in its own way.
func checkWords(text string) []string {
	text = lineRemark.ReplaceAllString(text, "")
	var out []string
	for _, at := range checkHead.FindAllStringIndex(text, -1) {
		depth, end := 1, at[1]
		for ; end < len(text) && depth > 0; end++ {
			switch text[end] {
			case '(':
				depth++
			case ')':
				depth--
			}
		}
		words := quotedWord.FindAllString(text[at[1]:end], -1)
		sort.Strings(words)
		out = append(out, strings.Join(words, "|"))
	}
	return out
}
