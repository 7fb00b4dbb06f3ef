// Package usagestore keeps sources, deliveries, lines and attribution rules.
//
// It owns their SQL; the rules are those of packages source, delivery, attribution and usage.
// Invariants: a reading for people takes a scope; lines are read in pages by their clustered key, so
// that memory stays flat and the connection is free between pages.
package usagestore

import (
	"context"
	"embed"
	"encoding/json"
	"time"

	"huoban/internal/fault"
	"huoban/internal/scope"
	"huoban/internal/store"
)

//go:embed query/*.sql
var files embed.FS

var set = store.Load(files)

// Store keeps sources, deliveries, lines and attribution rules.
type Store struct{ db *store.DB }

// New makes the store.
func New(db *store.DB) *Store { return &Store{db} }

// InTx runs fn in one writing transaction.
func (s *Store) InTx(ctx context.Context, fn func(context.Context) error) error {
	return s.db.InTx(ctx, fn)
}

// InBulk runs fn in one writing transaction of its own.
func (s *Store) InBulk(ctx context.Context, fn func(context.Context) error) error {
	return s.db.InBulk(ctx, fn)
}

// vendorOf narrows a query to what the scope's side may see of the back office: "" is every vendor.
// Partners and customers see none of it.
func vendorOf(sc scope.Scope) string {
	switch sc.Side() {
	case scope.SideSystem:
		return ""
	case scope.SideVendor:
		return sc.OrgID()
	}
	return "nobody"
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func toJSON(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

func optTime(i store.Instant) *time.Time {
	if i.IsZero() {
		return nil
	}
	t := i.Time
	return &t
}

func missing(err error) bool { return fault.Is(err, fault.KindNotFound) }
