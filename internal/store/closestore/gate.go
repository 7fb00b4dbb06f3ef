package closestore

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/money"
	"huoban/internal/monthclose"
	"huoban/internal/store"
	"huoban/internal/usage"
)

var (
	qSources     = queries.Get("gate.Sources")
	qFirst       = queries.Get("gate.First")
	qDelivered   = queries.Get("gate.Delivered")
	qFinal       = queries.Get("gate.Final")
	qQuarantined = queries.Get("gate.Quarantined")
	qUnmapped    = queries.Get("gate.Unmapped")
	qUnmappedRow = queries.Get("gate.UnmappedRows")
	qWaiting     = queries.Get("gate.Waiting")
	qUnspread    = queries.Get("gate.Unspread")
	qAdjusted    = queries.Get("gate.Adjustments")
	qOpenBefore  = queries.Get("gate.OpenBefore")
	qSummaries   = queries.Get("gate.Summaries")
	qAnyLine     = queries.Get("gate.AnyLine")
	qSlotBases   = queries.Get("gate.SlotBases")

	fingerprints = []store.Query{queries.Get("gate.PrintSlots"), queries.Get("gate.PrintSums"), queries.Get("gate.PrintLinks"), queries.Get("gate.PrintCoupons"),
		queries.Get("gate.PrintAdjustments")}
	vendorPrints = []store.Query{queries.Get("gate.PrintEntities"), queries.Get("gate.PrintPartners")}
)

// unmappedRows is how many rows of one key the gate names.
const unmappedRows = 5

// Gate reads what the refusals of a close are decided from.
func (s *Store) Gate(ctx context.Context, vendorID string, c cycle.Cycle) (monthclose.Gate, error) {
	g := monthclose.Gate{Cycle: c}
	var err error
	if g.Vendor, err = s.VendorCode(ctx, vendorID); err != nil {
		return g, err
	}
	sources, err := s.sources(ctx, vendorID)
	if err != nil {
		return g, err
	}
	at := map[string]*monthclose.SourceFacts{}
	for i := range sources {
		at[sources[i].ID] = &sources[i]
	}
	for _, read := range []func(context.Context, string, cycle.Cycle, map[string]*monthclose.SourceFacts, *monthclose.Gate) error{
		s.firstPeriods, s.delivered, s.counts, s.unmapped, s.adjusted} {
		if err := read(ctx, vendorID, c, at, &g); err != nil {
			return g, err
		}
	}
	g.Sources = sources
	return g, nil
}

func (s *Store) sources(ctx context.Context, vendorID string) ([]monthclose.SourceFacts, error) {
	var out []monthclose.SourceFacts
	err := s.db.Each(ctx, qSources, []any{vendorID}, func(rows *sql.Rows) error {
		var f monthclose.SourceFacts
		var zone string
		err := rows.Scan(&f.ID, &f.Name, &zone, &f.From, &f.Until)
		if err != nil {
			return err
		}
		f.Zone, err = cycle.ParseZone(zone)
		out = append(out, f)
		return err
	})
	return out, err
}

func (s *Store) firstPeriods(ctx context.Context, vendorID string, _ cycle.Cycle, at map[string]*monthclose.SourceFacts, _ *monthclose.Gate) error {
	return s.db.Each(ctx, qFirst, []any{vendorID}, func(rows *sql.Rows) error {
		var id string
		var first cycle.Cycle
		if err := rows.Scan(&id, &first); err != nil {
			return err
		}
		if f := at[id]; f != nil {
			f.First = first
		}
		return nil
	})
}

func (s *Store) delivered(ctx context.Context, vendorID string, c cycle.Cycle, at map[string]*monthclose.SourceFacts, g *monthclose.Gate) error {
	err := s.perSource(ctx, qDelivered, vendorID, c, at, func(f *monthclose.SourceFacts, n int64) {
		f.Delivered = true
		g.Lines += n
	})
	if err != nil {
		return err
	}
	return s.db.Each(ctx, qFinal, []any{vendorID, string(c)}, func(rows *sql.Rows) error {
		var id string
		var final bool
		if err := rows.Scan(&id, &final); err != nil {
			return err
		}
		if f := at[id]; f != nil {
			f.Final = final
		}
		return nil
	})
}

func (s *Store) counts(ctx context.Context, vendorID string, c cycle.Cycle, at map[string]*monthclose.SourceFacts, _ *monthclose.Gate) error {
	err := s.perSource(ctx, qQuarantined, vendorID, c, at, func(f *monthclose.SourceFacts, n int64) { f.Quarantined = n })
	if err != nil {
		return err
	}
	return s.unspread(ctx, vendorID, c, at)
}

// unspread counts lines that wait to be spread where no customer has a total above zero to spread by.
func (s *Store) unspread(ctx context.Context, vendorID string, c cycle.Cycle, at map[string]*monthclose.SourceFacts) error {
	type group struct{ source, currency string }
	some := false
	err := s.db.Each(ctx, qWaiting, []any{vendorID, string(c)}, func(*sql.Rows) error { some = true; return nil })
	if err != nil || !some {
		return err
	}
	waiting, totals := map[group]int64{}, map[group]map[string]money.Exact{}
	err = s.db.Each(ctx, qUnspread, []any{vendorID, string(c)}, func(rows *sql.Rows) error {
		var g group
		var customer, kind string
		var lines int64
		var billed store.Decimal
		if err := rows.Scan(&g.source, &customer, &kind, &g.currency, &lines, &billed); err != nil {
			return err
		}
		switch {
		case customer == usage.CustomerSpread:
			waiting[g] += lines
		case customer != usage.CustomerUnmapped && kind != string(usage.KindTax):
			if totals[g] == nil {
				totals[g] = map[string]money.Exact{}
			}
			totals[g][customer] = totals[g][customer].Add(billed.Exact)
		}
		return nil
	})
	for g, n := range waiting {
		taken := false
		for _, t := range totals[g] {
			taken = taken || t.Sign() > 0
		}
		if f := at[g.source]; f != nil && !taken {
			f.Unspread += n
		}
	}
	return err
}

func (s *Store) perSource(ctx context.Context, q store.Query, vendorID string, c cycle.Cycle, at map[string]*monthclose.SourceFacts,
	set func(*monthclose.SourceFacts, int64)) error {
	return s.db.Each(ctx, q, []any{vendorID, string(c)}, func(rows *sql.Rows) error {
		var id string
		var n int64
		if err := rows.Scan(&id, &n); err != nil {
			return err
		}
		if f := at[id]; f != nil {
			set(f, n)
		}
		return nil
	})
}

// unmapped reads what no rule named from the sums, and the first rows of the first keys from the
// lines.
func (s *Store) unmapped(ctx context.Context, vendorID string, c cycle.Cycle, at map[string]*monthclose.SourceFacts, _ *monthclose.Gate) error {
	type sample struct {
		facts    *monthclose.SourceFacts
		index    int
		slot     int64
		account  []byte
		currency string
	}
	var samples []sample
	err := s.db.Each(ctx, qUnmapped, []any{vendorID, string(c)}, func(rows *sql.Rows) error {
		var source, sub, key, currency string
		var account []byte
		var slot, lines int64
		var billed store.Decimal
		if err := rows.Scan(&source, &slot, &account, &sub, &key, &currency, &lines, &billed); err != nil {
			return err
		}
		f := at[source]
		if f == nil {
			return nil
		}
		if sub != "" {
			key = sub
		}
		i := slices.IndexFunc(f.Unmapped, func(u monthclose.UnmappedKey) bool { return u.Key == key && u.Currency == currency })
		if i < 0 {
			i = len(f.Unmapped)
			f.Unmapped = append(f.Unmapped, monthclose.UnmappedKey{Key: key, Currency: currency})
		}
		f.Unmapped[i].Lines += lines
		f.Unmapped[i].Exact = f.Unmapped[i].Exact.Add(billed.Exact)
		if i < monthclose.NamedKeys {
			samples = append(samples, sample{f, i, slot, slices.Clone(account), currency})
		}
		return nil
	})
	for _, x := range samples {
		if err != nil {
			break
		}
		u := &x.facts.Unmapped[x.index]
		err = s.db.Each(ctx, qUnmappedRow, []any{x.slot, x.account, x.currency, int64(unmappedRows)}, func(rows *sql.Rows) error {
			r := monthclose.UnmappedRow{Source: x.facts.Name, Key: u.Key, Currency: x.currency}
			var billed store.Decimal
			if err := rows.Scan(&r.File, &r.Line, &billed); err != nil {
				return err
			}
			if r.Billed = billed.Exact; len(u.Rows) < unmappedRows {
				u.Rows = append(u.Rows, r)
			}
			return nil
		})
	}
	return err
}

func (s *Store) adjusted(ctx context.Context, vendorID string, c cycle.Cycle, _ map[string]*monthclose.SourceFacts, g *monthclose.Gate) error {
	err := s.db.Each(ctx, qAdjusted, []any{vendorID, string(c)}, func(rows *sql.Rows) error {
		var state string
		var n int64
		if err := rows.Scan(&state, &n); err != nil {
			return err
		}
		switch state {
		case "approved":
			g.Adjusted = n
		case "proposed":
			g.Proposed = n
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.db.Each(ctx, qOpenBefore, []any{vendorID, string(c)}, func(rows *sql.Rows) error {
		var before cycle.Cycle
		if err := rows.Scan(&before); err != nil {
			return err
		}
		g.OpenBefore = append(g.OpenBefore, before)
		return nil
	})
}

// Fingerprint names everything a draft is computed from except the price book, whose state has its
// own number: equal fingerprints mean equal bills.
func (s *Store) Fingerprint(ctx context.Context, vendorID string, c cycle.Cycle) (string, error) {
	p := newPrinter()
	read := func(q store.Query, args ...any) error {
		p.row(q.Name)
		return s.db.Each(ctx, q, args, func(rows *sql.Rows) error {
			cols, err := rows.Columns()
			if err != nil {
				return err
			}
			values, dest := make([]any, len(cols)), make([]any, len(cols))
			for i := range values {
				dest[i] = &values[i]
			}
			if err := rows.Scan(dest...); err != nil {
				return err
			}
			for i, v := range values {
				if b, ok := v.([]byte); ok {
					values[i] = string(b)
				}
				p.row(cols[i], "=", fmt.Sprint(values[i]))
			}
			return nil
		})
	}
	for _, q := range fingerprints {
		if err := read(q, vendorID, string(c)); err != nil {
			return "", err
		}
	}
	for _, q := range vendorPrints {
		if err := read(q, vendorID); err != nil {
			return "", err
		}
	}
	return p.text(), nil
}

// Summaries are the kept sums of the active slots.
func (s *Store) Summaries(ctx context.Context, vendorID string, c cycle.Cycle, fn func(monthclose.SumKey, monthclose.Sum) error) error {
	var customer, kind, currency string
	return s.db.Cells(ctx, qSummaries, []any{vendorID, string(c)}, func(r store.RowCells) error {
		customer, kind, currency = r.Word(1, customer), r.Word(4, kind), r.Word(5, currency)
		k := monthclose.SumKey{SlotID: r.Int(0), CustomerID: customer, Kind: usage.Kind(kind), Currency: currency}
		copy(k.AccountID[:], r.Bytes(2))
		copy(k.ProductID[:], r.Bytes(3))
		exact, _, err := r.Exact(8)
		if err != nil {
			return err
		}
		return fn(k, monthclose.Sum{Lines: r.Int(6), Amount: money.Amount(r.Int(7)), Exact: exact})
	})
}

// AnyLine tells whether a slot has a line that starts in [from, to).
func (s *Store) AnyLine(ctx context.Context, slotID int64, from, to time.Time) (found bool, err error) {
	err = s.db.Cells(ctx, qAnyLine, []any{slotID, store.At(from), store.At(to)}, func(store.RowCells) error {
		found = true
		return nil
	})
	return found, err
}

// SlotBases gives base column and zone of each active slot.
func (s *Store) SlotBases(ctx context.Context, vendorID string, c cycle.Cycle) (map[int64]monthclose.SlotBase, error) {
	out := map[int64]monthclose.SlotBase{}
	err := s.db.Each(ctx, qSlotBases, []any{vendorID, string(c)}, func(rows *sql.Rows) error {
		var id int64
		var b monthclose.SlotBase
		var zone string
		err := rows.Scan(&id, &b.Column, &zone)
		if err != nil {
			return err
		}
		b.Zone, err = cycle.ParseZone(zone)
		out[id] = b
		return err
	})
	return out, err
}
