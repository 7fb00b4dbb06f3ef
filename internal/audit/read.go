package audit

import (
	"context"

	"huoban/internal/scope"
)

// Page is one part of the list, newest first.
type Page struct {
	Rows []Row
	Next int64 // seq to pass as before; 0 at the end
}

// MaxPage is the largest page.
const MaxPage = 100

// InTx is the transactor.
type InTx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// Book is the reading side: each organisation sees its own entries, the system all.
type Book struct {
	tx    InTx
	store Store
	rec   Recorder
}

// NewBook makes the reader; reading is itself recorded by rec.
func NewBook(tx InTx, store Store, rec Recorder) *Book { return &Book{tx, store, rec} }

// List gives entries newest first, before the given seq (0 = from the newest). Opening the list is
// recorded as audit.read; turning its pages is not. Fault: scope.permission_missing.
func (b *Book) List(ctx context.Context, sc scope.Scope, f Filter, before int64, size int) (Page, error) {
	if err := sc.Require(scope.ItemAuditView); err != nil {
		return Page{}, err
	}
	if size < 1 || size > MaxPage {
		size = MaxPage
	}
	var page Page
	all := sc.Side() == scope.SideSystem
	rows, err := b.store.Before(ctx, sc.OrgID(), all, f, before, size+1)
	if err != nil {
		return page, err
	}
	if len(rows) > size {
		rows = rows[:size]
		page.Next = rows[size-1].Seq
	}
	page.Rows = rows
	if before != 0 {
		return page, nil
	}
	return page, b.tx.InTx(ctx, func(ctx context.Context) error {
		return b.rec.Record(ctx, Entry{Actor: sc.Login(), OrgID: sc.OrgID(), Action: "audit.read", Object: "audit:list",
			Detail: map[string]any{"actor": f.Actor, "action": f.Action, "object": f.Object, "outcome": f.Outcome}})
	})
}
