package usagestore

import (
	"context"
	"database/sql"
	"encoding/json"

	"huoban/internal/cycle"
	"huoban/internal/scope"
	"huoban/internal/source"
	"huoban/internal/store"
)

var (
	sourceInsert     = set.Get("source.Insert")
	sourceList       = set.Get("source.List")
	sourceSetTargets = set.Get("source.SetTargets")
	sourceSetEnd     = set.Get("source.SetEnd")
)

// InsertSource keeps a new source.
func (s *Store) InsertSource(ctx context.Context, x source.Source) error {
	providers, err := toJSON(x.Providers)
	if err != nil {
		return err
	}
	accounts, err := toJSON(x.Accounts)
	if err != nil {
		return err
	}
	currencies, err := toJSON(x.Currencies)
	if err != nil {
		return err
	}
	columns, err := toJSON(x.Columns)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, sourceInsert, x.ID, x.VendorID, x.Name, x.Dialect, x.Zone, string(x.Mode), providers, accounts, currencies,
		x.Base, x.KeyColumn, defaultKind(x.DefaultOrgID), orNull(x.DefaultOrgID), string(x.Loose), orNull(x.LooseOrgID),
		orNull(x.EntityID), columns, string(x.From), string(x.Until), store.At(x.CreatedAt))
	return err
}

func defaultKind(orgID string) string {
	if orgID == "" {
		return "unmapped"
	}
	return "organisation"
}

// Sources lists the sources in scope, of that name and id if given, in order of name.
func (s *Store) Sources(ctx context.Context, sc scope.Scope, name, sourceID string) ([]source.Source, error) {
	var out []source.Source
	err := s.db.Each(ctx, sourceList, []any{vendorOf(sc), name, sourceID}, func(rows *sql.Rows) error {
		var x source.Source
		var providers, accounts, currencies, columns, mode, loose, from, until, first string
		var created store.Instant
		err := rows.Scan(&x.ID, &x.VendorID, &x.Vendor, &x.Name, &x.Dialect, &x.Zone, &mode, &providers, &accounts, &currencies,
			&x.Base, &x.KeyColumn, &x.DefaultOrgID, &x.DefaultOrg, &loose, &x.LooseOrgID, &x.LooseOrg, &x.EntityID, &x.Entity,
			&columns, &from, &until, &created, &first)
		if err != nil {
			return err
		}
		if err := unpack(map[any]string{&x.Providers: providers, &x.Accounts: accounts, &x.Currencies: currencies, &x.Columns: columns}); err != nil {
			return err
		}
		x.Mode, x.Loose, x.CreatedAt = source.Mode(mode), source.Loose(loose), created.Time
		x.From, x.Until, x.FirstDelivered = cycle.Cycle(from), cycle.Cycle(until), cycle.Cycle(first)
		out = append(out, x)
		return nil
	})
	return out, err
}

func unpack(texts map[any]string) error {
	for dest, text := range texts {
		if err := json.Unmarshal([]byte(text), dest); err != nil {
			return err
		}
	}
	return nil
}

// SetSourceTargets keeps the key column and where unclaimed and loose lines go.
func (s *Store) SetSourceTargets(ctx context.Context, x source.Source) error {
	_, err := s.db.Exec(ctx, sourceSetTargets, x.ID, x.KeyColumn, defaultKind(x.DefaultOrgID), orNull(x.DefaultOrgID),
		string(x.Loose), orNull(x.LooseOrgID))
	return err
}

// SetSourceSpan keeps from and until.
func (s *Store) SetSourceSpan(ctx context.Context, x source.Source) error {
	_, err := s.db.Exec(ctx, sourceSetEnd, x.ID, string(x.From), string(x.Until))
	return err
}
