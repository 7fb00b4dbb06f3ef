// Package delivery is one hand-over of files to a source (交付): importing, replacing, reverting.
//
// It owns the delivery's life, the batches, the numbering of equal lines, the comparison with what
// was known before, quarantine and what "final" means. It does not own the meaning of columns
// (ingest), the customer of a line (attribution) or adjustment lines of issued cycles (Correcter).
//
// Invariants: lines of a delivery become visible by one transaction or not at all; the same content
// again writes nothing; a closed cycle's lines never change; every line can show the row it came
// from. See docs/deliveries.md.
package delivery

import (
	"context"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/money"
	"huoban/internal/usage"
)

// Delivery is one hand-over.
type Delivery struct {
	ID          string     `json:"id"`
	SourceID    string     `json:"-"`
	Source      string     `json:"source"`
	VendorID    string     `json:"-"`
	Number      int64      `json:"number"` // counts within the source
	State       State      `json:"state"`
	Version     int64      `json:"-"`
	ContentSHA  string     `json:"content_sha"`
	ReceivedAt  time.Time  `json:"received_at"`
	PublishedAt *time.Time `json:"published_at,omitempty"`
	Actor       string     `json:"actor"`
	Files       int        `json:"files"`
	LineCount   int64      `json:"line_count"`
	Quarantined int64      `json:"quarantined"`
	Skipped     int64      `json:"skipped"`
	Dialect     string     `json:"dialect"`
	Format      string     `json:"format_version"` // e.g. the FOCUS version
	Progress    int64      `json:"-"`              // records committed in batches
	TouchedAt   time.Time  `json:"-"`              // last batch; zero before the first
}

// File is one part of a delivery.
type File struct {
	No        int    `json:"no"`
	Name      string `json:"name"`
	SHA       string `json:"sha256"`
	Format    string `json:"format"`
	Bytes     int64  `json:"bytes"`
	LineCount int64  `json:"line_count"`

	Header []string `json:"-"`
}

// Change is what a delivery meant for one cycle and currency, compared with what was known before.
type Change struct {
	Cycle       cycle.Cycle  `json:"cycle"`
	Currency    string       `json:"currency"`
	LineCount   int64        `json:"line_count"`
	Total       money.Exact  `json:"total"`  // Σ billed of the delivery's lines
	Stored      money.Amount `json:"stored"` // Σ of the rounded base amounts
	Added       int64        `json:"added"`
	AddedSum    money.Exact  `json:"added_sum"`
	Removed     int64        `json:"removed"`
	RemovedSum  money.Exact  `json:"removed_sum"`
	Changed     int64        `json:"changed"`
	ChangedDiff money.Exact  `json:"changed_difference"`
	Late        bool         `json:"late"` // the cycle was issued; the difference became adjustment lines
}

func (c *Change) none() bool { return c.Added == 0 && c.Removed == 0 && c.Changed == 0 }

// Residue is exact base amounts minus stored ones, per cycle, customer and currency; shown, never
// added. Customer is a code, empty for unmapped, "~" for lines to be spread.
type Residue struct {
	Cycle    cycle.Cycle `json:"cycle"`
	Customer string      `json:"customer"`
	Currency string      `json:"currency"`
	Residue  money.Exact `json:"residue"`
}

// Warning does not block. Code is a message key, Args its arguments.
type Warning struct {
	Code string         `json:"code"`
	Args map[string]any `json:"args"`
}

// FinalMark says which periods of a delivery are declared final: all whose month is over, or named
// ones.
type FinalMark struct {
	All    bool
	Cycles []cycle.Cycle
}

func (f FinalMark) asked() bool { return f.All || len(f.Cycles) > 0 }

// Input is one import.
type Input struct {
	Source   string // name
	Paths    []string
	Final    FinalMark
	DryRun   bool
	Progress func(Progress)
}

// Progress is told while an import runs.
type Progress struct {
	File        string
	FileNo      int
	Files       int
	Rows        int64
	Quarantined int64
	Resumed     int64 // rows that an interrupted import had written already
}

// Result is what an import did.
type Result struct {
	DeliveryID  string        `json:"delivery_id,omitempty"`
	Number      int64         `json:"number,omitempty"`
	Source      string        `json:"source"`
	DryRun      bool          `json:"dry_run"`
	SameContent bool          `json:"same_content"`
	Files       int           `json:"files"`
	LineCount   int64         `json:"line_count"`
	Added       int64         `json:"added"`
	Removed     int64         `json:"removed"`
	Changed     int64         `json:"changed"`
	Quarantined int64         `json:"quarantined"`
	Skipped     int64         `json:"skipped"`
	Cycles      []Change      `json:"cycles"`
	Residues    []Residue     `json:"residues"`
	Warnings    []Warning     `json:"warnings"`
	Final       []cycle.Cycle `json:"final"`
}

// Period is one source and cycle.
type Period struct {
	SourceID    string      `json:"-"`
	Source      string      `json:"source"`
	Cycle       cycle.Cycle `json:"cycle"`
	Final       bool        `json:"final"`
	FinalAt     *time.Time  `json:"final_at,omitempty"`
	FinalBy     string      `json:"final_by,omitempty"`
	DaysWithout []int       `json:"days_without_lines"` // days of the month, in the source's zone
}

// LateChange is the difference between what was known of an issued cycle and what arrived for it.
// Added and Removed stream lines with CustomerID as the rules in force now attribute them; a changed
// line is one removed and one added.
type LateChange struct {
	SourceID, Source, VendorID, DeliveryID string
	Cycle                                  cycle.Cycle
	OldSlots                               []int64 // the newest known state before
	NewSlot                                int64
	Added, Removed                         func(ctx context.Context, fn func(*usage.Stored) error) error
}

// Correcter makes adjustment lines of what reaches an issued cycle, inside the publishing
// transaction.
type Correcter interface {
	Late(ctx context.Context, c LateChange) error
}

// Quarantined is a row that could not be read.
type Quarantined struct {
	ID         string         `json:"id"`
	DeliveryID string         `json:"delivery_id"`
	Source     string         `json:"source"`
	Number     int64          `json:"delivery"`
	FileNo     int            `json:"file_no"`
	File       string         `json:"file"`
	LineNo     int64          `json:"line"`
	Cycle      cycle.Cycle    `json:"cycle,omitempty"`
	Column     string         `json:"column,omitempty"`
	Value      string         `json:"value,omitempty"`
	Code       string         `json:"code"`
	Args       map[string]any `json:"args,omitempty"`
	Raw        string         `json:"raw"`
	State      string         `json:"state"` // open, corrected, dropped
	Correction string         `json:"correction,omitempty"`
	Reason     string         `json:"reason,omitempty"`
	DecidedBy  string         `json:"decided_by,omitempty"`
}

// Filter narrows a list of deliveries; empty fields match all.
type Filter struct {
	ID, SourceID string
	State        State
	Limit        int
}

// QuarantineFilter narrows a list of quarantined rows; After is the id of the last row seen.
type QuarantineFilter struct {
	DeliveryID, SourceID, State, After string
	Limit                              int
}

// Standing is a delivery and how many of its slots still count.
type Standing struct {
	ID        string
	State     State
	Version   int64
	LiveSlots int64
}
