// Package attribution finds whose consumption a line is (归属).
//
// It owns the rules of a source, their validity by charge time, the order in which they are asked,
// the map file, and what happens to lines when rules change. It does not own who a customer's partner
// is (customer), what a line costs (price), or adjustment lines of issued cycles (Remapper).
//
// Invariants: a rule never changes, a change ends one version and adds another; for one key at one
// instant at most one rule is in force; lines of open cycles always follow the rules in force; lines
// of an issued cycle never move. See docs/attribution.md.
package attribution

import (
	"context"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/money"
	"huoban/internal/usage"
)

// KeyKind says what a rule's key is compared with.
type KeyKind string

// An explicit key is "Column=value" or "Tags.name=value"; a plain key is the SubAccountId or, if no
// rule has that, the value of the source's key column.
const (
	KeyExplicit KeyKind = "explicit"
	KeyPlain    KeyKind = "plain"
)

// Rule is one immutable version, in force while EndedSeq is 0, for charges in [From, To); zero times
// are unbounded.
type Rule struct {
	ID, SourceID  string
	Seq, EndedSeq int64
	Kind          KeyKind
	Key           string
	OrgID         string
	From, To      time.Time
	CreatedBy     string
	CreatedAt     time.Time
}

// Remapper makes the pairs of adjustment lines that a change of attribution means for issued cycles.
// It is called inside the transaction of the change, with all moves of one change at once.
type Remapper interface {
	Remap(ctx context.Context, moves []Move) error
}

// Move is the lines of one issued cycle that one key takes from one customer to another. From and To
// may be usage.CustomerUnmapped; they are never spread (refused before). Lines streams the lines as
// they are kept (Stored.CustomerID is their place, not necessarily From, if they were moved before).
type Move struct {
	SourceID, Source, VendorID string
	Key                        string
	Cycle                      cycle.Cycle
	Currency                   string
	From, To                   string
	LineCount                  int64
	Billed                     money.Exact
	Lines                      func(ctx context.Context, fn func(*usage.Stored) error) error
}

// Moved is what a change did, or in a dry run would do, to lines of one cycle and currency.
type Moved struct {
	Cycle     cycle.Cycle `json:"cycle"`
	Currency  string      `json:"currency"`
	From      string      `json:"from"` // customer code; empty unmapped, "~" spread
	To        string      `json:"to"`
	LineCount int64       `json:"line_count"`
	Billed    money.Exact `json:"billed"`
	Issued    bool        `json:"issued"` // becomes a pair of adjustment lines
}

// AccountMove is the customer all lines of an account get, and the rule that says so.
type AccountMove struct {
	Account    usage.Hash
	To, RuleID string
}
