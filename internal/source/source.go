// Package source is where imported files come from (来源): a vendor's declared feed.
//
// It owns the declaration: vendor, dialect, zone, mode, what narrows it, the base column, the
// attribution key and what happens to lines nobody claims. It does not own reading files (ingest),
// what was delivered (delivery) or the rules that find a customer (attribution).
//
// Invariants: a name is unique over all vendors and never changes; zone, dialect and mode are fixed
// once declared, because lines already delivered were read by them.
package source

import (
	"time"

	"huoban/internal/cycle"
	"huoban/internal/ingest"
)

// Mode says what a newer delivery does to an older one of the same period.
type Mode string

// The modes: 快照 replaces, 追加 adds.
const (
	ModeSnapshot Mode = "snapshot"
	ModeAppend   Mode = "append"
)

// Loose says where lines without sub-account and without key go.
type Loose string

// The targets of loose lines: as any other line, one organisation, or spread by cost share.
const (
	LooseDefault      Loose = "default"
	LooseOrganisation Loose = "organisation"
	LooseSpread       Loose = "spread"
)

// Source is a declared feed.
type Source struct {
	ID             string            `json:"-"`
	VendorID       string            `json:"-"`
	Vendor         string            `json:"vendor"` // code
	Name           string            `json:"name"`
	Dialect        string            `json:"dialect"`
	Zone           string            `json:"zone"` // "UTC" or "+08:00"
	Mode           Mode              `json:"mode"`
	Base           string            `json:"base_column"`
	KeyColumn      string            `json:"key_column"`
	Providers      []string          `json:"providers,omitempty"`
	Accounts       []string          `json:"accounts,omitempty"`
	Currencies     []string          `json:"currencies,omitempty"`
	DefaultOrgID   string            `json:"-"` // empty: unmapped
	DefaultOrg     string            `json:"default_customer,omitempty"`
	Loose          Loose             `json:"loose"`
	LooseOrgID     string            `json:"-"`
	LooseOrg       string            `json:"loose_customer,omitempty"`
	EntityID       string            `json:"-"` // empty: as the partner or the vendor has it
	Entity         string            `json:"entity,omitempty"`
	Columns        map[string]string `json:"columns,omitempty"`
	From           cycle.Cycle       `json:"from,omitempty"`
	Until          cycle.Cycle       `json:"until,omitempty"`
	CreatedAt      time.Time         `json:"-"`
	FirstDelivered cycle.Cycle       `json:"first_delivered,omitempty"`
}

// Location is the zone in which its periods and dates are read.
func (s *Source) Location() *time.Location {
	z, err := cycle.ParseZone(s.Zone)
	if err != nil {
		return time.UTC
	}
	return z
}

// Reading is the source as the readers of files need it.
func (s *Source) Reading() ingest.Source {
	return ingest.Source{Dialect: s.Dialect, Zone: s.Location(), Base: s.Base, KeyColumn: s.KeyColumn, Columns: s.Columns,
		Providers: s.Providers, Accounts: s.Accounts, Currencies: s.Currencies}
}

// Expects tells whether the cycle must have a delivery marked final before the month is closed: from
// the declared start, or else the first delivered period, to the declared end.
func (s *Source) Expects(c cycle.Cycle) bool {
	from := s.From
	if from == "" {
		from = s.FirstDelivered
	}
	return from != "" && c >= from && (s.Until == "" || c <= s.Until)
}
