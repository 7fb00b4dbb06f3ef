package audit

import (
	"context"
	"slices"

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
	page, err := b.Older(ctx, sc, f, before, size)
	if err != nil || before != 0 {
		return page, err
	}
	return page, b.Opened(ctx, sc, f)
}

// Opened records that somebody opened the list. Fault: scope.permission_missing.
func (b *Book) Opened(ctx context.Context, sc scope.Scope, f Filter) error {
	if err := sc.Require(scope.ItemAuditView); err != nil {
		return err
	}
	return b.tx.InTx(ctx, func(ctx context.Context) error {
		return b.rec.Record(ctx, Entry{Actor: sc.Login(), OrgID: sc.OrgID(), Action: "audit.read", Object: "audit:list",
			Detail: map[string]any{"actor": f.Actor, "action": f.Action, "object": f.Object, "outcome": f.Outcome}})
	})
}

// Older gives entries newest first, before the given seq (0 = from the newest). Fault:
// scope.permission_missing.
func (b *Book) Older(ctx context.Context, sc scope.Scope, f Filter, before int64, size int) (Page, error) {
	return page(sc, size, func(org string, all bool, size int) ([]Row, error) {
		return b.store.Before(ctx, org, all, f, before, size)
	})
}

// Newer gives the entries that stand before the given seq in the list, newest first; Next tells that there
// are more. Fault: scope.permission_missing.
func (b *Book) Newer(ctx context.Context, sc scope.Scope, f Filter, seq int64, size int) (Page, error) {
	p, err := page(sc, size, func(org string, all bool, size int) ([]Row, error) { return b.store.Newer(ctx, org, all, f, seq, size) })
	slices.Reverse(p.Rows)
	return p, err
}

func page(sc scope.Scope, size int, read func(org string, all bool, size int) ([]Row, error)) (Page, error) {
	var p Page
	if err := sc.Require(scope.ItemAuditView); err != nil {
		return p, err
	}
	if size < 1 || size > MaxPage {
		size = MaxPage
	}
	rows, err := read(sc.OrgID(), sc.Side() == scope.SideSystem, size+1)
	if len(rows) > size {
		rows = rows[:size]
		p.Next = rows[size-1].Seq
	}
	p.Rows = rows
	return p, err
}

// Span counts what matches. Fault: scope.permission_missing.
func (b *Book) Span(ctx context.Context, sc scope.Scope, f Filter) (Span, error) {
	if err := sc.Require(scope.ItemAuditView); err != nil {
		return Span{}, err
	}
	return b.store.Span(ctx, sc.OrgID(), sc.Side() == scope.SideSystem, f)
}
