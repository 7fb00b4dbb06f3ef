package statement

import (
	"context"

	"huoban/internal/bill"
	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/organisation"
	"huoban/internal/scope"
)

// Tx runs a function in one transaction, or reads from one snapshot; fn may be run again.
type Tx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
	InRead(ctx context.Context, fn func(ctx context.Context) error) error
}

// Store keeps rules, letter heads and statements.
type Store interface {
	// Rules are all versions of a partner's rules by number and version.
	Rules(ctx context.Context, partnerID string) ([]Rule, error)
	InsertRule(ctx context.Context, r Rule) error
	EndRule(ctx context.Context, id string, seq int64) error // conflict statement.rules_changed

	// Head is a version of the letter head, the newest for 0; ok is false where there is none.
	Head(ctx context.Context, partnerID string, version int64) (h Head, ok bool, err error)
	Heads(ctx context.Context, partnerID string) ([]Head, error) // the newest first
	InsertHead(ctx context.Context, h Head) error
	Logo(ctx context.Context, partnerID, sha string) ([]byte, error)
	PutLogo(ctx context.Context, partnerID, sha string, body []byte) error

	// List are the statements in scope that match, without lines, by cycle (newest first), currency and customer
	// code; a customer sees those of Shown, without cost.
	List(ctx context.Context, sc scope.Scope, f Filter) ([]Statement, error)
	ByID(ctx context.Context, sc scope.Scope, id string) (Statement, error) // with lines; not_found statement.unknown
	Insert(ctx context.Context, list []*Statement) error
	// Set writes state, number and times if state and version are still as loaded.
	Set(ctx context.Context, s *Statement, from State, version int64) (bool, error)
	LastSerial(ctx context.Context, partnerID string, c cycle.Cycle) (int64, error)

	// File is a kept file of an issued statement; nil where none was made yet. Keeping one that is kept already
	// changes nothing.
	File(ctx context.Context, id, lang string) ([]byte, error)
	KeepFile(ctx context.Context, id, lang string, body []byte) error
}

// Bills are issued partner bills in scope.
type Bills interface {
	List(ctx context.Context, sc scope.Scope, f bill.Filter) ([]bill.Document, error)
	ByID(ctx context.Context, sc scope.Scope, id string) (bill.Document, error)
}

// Lines streams the lines of a bill; bill.Service does.
type Lines interface {
	EachLine(ctx context.Context, sc scope.Scope, doc *bill.Document, f bill.LineFilter, fn func(*bill.LineRow) error) error
}

// Links tells whose customers are whose; customer.Service does.
type Links interface {
	Book(ctx context.Context) (*customer.Book, error)
}

// Organisations finds organisations in scope.
type Organisations interface {
	ByCode(ctx context.Context, sc scope.Scope, code string) (organisation.Organisation, error)
}

// Render makes the file of a statement in a language. It needs no Costing and is given none.
type Render func(ctx context.Context, s *Statement, h *Head, logo []byte, lang string) ([]byte, error)
