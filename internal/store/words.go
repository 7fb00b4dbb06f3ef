package store

import "strings"

// words are the few places where the two engines spell a schema differently; every migration is
// written once with these and sent to both.
var words = map[Engine]*strings.Replacer{
	SQLite: strings.NewReplacer(
		"{{key}}", "TEXT", "{{text}}", "TEXT", "{{money}}", "INTEGER", "{{int}}", "INTEGER",
		"{{instant}}", "TEXT", "{{flag}}", "INTEGER", "{{bytes}}", "BLOB",
		"{{strict}}", "STRICT", "{{clustered}}", "STRICT, WITHOUT ROWID"),
	Postgres: strings.NewReplacer(
		"{{key}}", `text COLLATE "C"`, "{{text}}", `text COLLATE "C"`, "{{money}}", "bigint", "{{int}}", "bigint",
		"{{instant}}", "timestamptz", "{{flag}}", "boolean", "{{bytes}}", "bytea",
		"{{strict}}", "", "{{clustered}}", ""),
}

// Words spells a schema text for the engine.
func Words(e Engine, text string) string { return words[e].Replace(text) }
