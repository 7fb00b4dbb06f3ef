// Package opsview holds the back-office pages of a vendor's staff: deliveries, import, month close.
//
// It owns their markup and props; it does not own the import or the close. Actions are buttons of the
// state machines, shown disabled with their reason and cure.
package opsview

import "huoban/web/templates/part"

// Show is one delivery.
type Show struct {
	Header     part.Header
	Flash      *part.Flash
	Refusal    *part.Refusal
	Conflict   *part.Conflict
	Steps      []part.Step
	Buttons    []part.Button
	Progress   *Progress // while it runs
	Facts      []part.Item
	Files      []File
	Diffs      []Diff
	Quarantine *Quarantine
	Conform    *Conform
	Residues   []Residue
	Warnings   []part.Check
	Events     []part.Event
	Rules      []string
}

// Residue is what rounding to eight decimals left over, for one cycle, customer and currency.
type Residue struct {
	Cycle    string
	Customer string
	Amount   string
}

// Progress is a running import. Poll is the page's own address, asked again until it is gone.
type Progress struct {
	Done  string
	Of    string
	Value int // 0…100; below 0 it is not known
	Speed string
	Note  string
	Poll  string
}

// File is one part of a delivery.
type File struct {
	Name  string
	Rows  string
	Bad   string
	Sum   string // checksum, short
	State part.Status
}

// Diff compares the delivery with the one it replaces, for one cycle and currency.
type Diff struct {
	Title    string // "2024-09 · USD"
	Proof    *part.Tag
	Download string
	Unit     string // "BilledCost (USD)"
	Rows     []DiffRow
	Total    DiffRow
}

// DiffRow is before, added, removed, changed or after.
type DiffRow struct {
	Kind  part.Tag
	Count string
	Sum   string
	Note  string
	Link  *part.Link
}

// Quarantine lists the rows that could not be read.
type Quarantine struct {
	Count  int
	Export string // CSV to correct
	Retry  string // POST address of a multipart form with "file"
	Rows   []BadRow
	More   *part.Link
}

// BadRow is one of them.
type BadRow struct {
	Place  string // file and line
	Value  string // column = text
	Reason string
	Cure   string
}

// Conform is the FOCUS conformance report of a delivery.
type Conform struct {
	Total   string // "621 条规则"
	Percent string
	Width   int
	Summary string
	All     string
	Rows    []Rule
}

// Rule is one rule that did not pass.
type Rule struct {
	ID    string
	Text  string
	Level part.Tag
	Rows  string
}

// Upload is the import form: a multipart POST with source, final, dry_run and files.
type Upload struct {
	Header  part.Header
	Filter  *part.Filter // choices that decide what the form offers
	Action  string
	Hidden  []part.Hidden
	Fields  []part.Field
	Refusal *part.Refusal
	Notes   []string // what is accepted
	Submit  string   // "" = the usual word
}

// Close is the month close of one vendor and cycle.
type Close struct {
	Header   part.Header
	Flash    *part.Flash
	Refusal  *part.Refusal
	Conflict *part.Conflict
	Steps    []part.Step
	Buttons  []part.Button
	Checks   []part.Check // blockers first
	Tags     []part.Tag   // "3 项阻塞", "6 项通过"
	Again    string       // checks again
	Override string       // sentence about overriding, "" = nothing blocks
	Sources  []Source
	Bills    *Grid // nil before there are any
	Events   []part.Event
	Rules    []string
}

// Source is an expected source of the close.
type Source struct {
	Name     string
	Format   string
	Delivery string
	Href     string
	State    part.Status
}
