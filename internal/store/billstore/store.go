// Package billstore keeps price rules and partner bills.
//
// It owns their SQL; the rules are those of packages price and bill. Invariants: what people read
// takes a scope, and a bill outside it is absent; drafts are replaced whole; an issued bill is
// refused every change by the database itself.
package billstore

import (
	"embed"

	"huoban/internal/bill"
	"huoban/internal/price"
	"huoban/internal/scope"
	"huoban/internal/store"
)

//go:embed query/*.sql
var files embed.FS

var set = store.Load(files)

// Store keeps price rules and bills.
type Store struct{ db *store.DB }

// New makes the store.
func New(db *store.DB) *Store { return &Store{db} }

var (
	_ price.Store    = (*Store)(nil)
	_ bill.Store     = (*Store)(nil)
	_ bill.LineStore = (*Store)(nil)
)

// sideOf is the scope as the queries take it: a side that sees no bill is none.
func sideOf(sc scope.Scope) string {
	if _, limited := sc.Windows(); limited {
		return ""
	}
	return string(sc.Side())
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}
