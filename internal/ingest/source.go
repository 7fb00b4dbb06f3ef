package ingest

import (
	"sort"
	"time"

	"huoban/internal/fault"
	"huoban/internal/money"
)

// Source is what the operator declared about where files come from. Only Dialect is needed.
type Source struct {
	Dialect   string            // name or alias, see Dialects
	Zone      *time.Location    // in which a billing period becomes a cycle; nil = the dialect's
	Base      string            // list, contracted or billed; "" = the dialect's
	KeyColumn string            // attribution key: a column, or "tag:NAME"; "" = the dialect's
	Columns   map[string]string // field name → header cell, where a file spells a column differently

	// Rows of other providers, billing accounts or currencies are left out and counted.
	Providers, Accounts, Currencies []string
}

// Validate checks the settings. Faults: ingest.dialect_unknown, ingest.base_unknown,
// ingest.field_unknown, ingest.currency_unknown.
func (s Source) Validate() error {
	d, ok := Lookup(s.Dialect)
	if !ok {
		return fault.Invalid("ingest.dialect_unknown", fault.Args{"dialect": s.Dialect})
	}
	switch s.Base {
	case "", "list", "contracted", "billed":
	default:
		return fault.Invalid("ingest.base_unknown", fault.Args{"base": s.Base})
	}
	for _, f := range sortedKeys(s.Columns) {
		if !d.hasField(f) {
			return fault.Invalid("ingest.field_unknown", fault.Args{"field": f, "dialect": d.Name})
		}
	}
	for _, c := range s.Currencies {
		if !money.KnownCurrency(c) {
			return fault.Invalid("ingest.currency_unknown", fault.Args{"value": c})
		}
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
