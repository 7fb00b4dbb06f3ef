// Package peakstore keeps five-minute points and what months come to.
//
// It owns their queries; the rule is internal/peak's. Invariant: months are read only of customers the acting organisation deals
// with or is, whatever the caller asks.
package peakstore

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"

	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/peak"
	"huoban/internal/scope"
	"huoban/internal/store"
)

//go:embed query/*.sql
var files embed.FS

var (
	q             = store.Load(files)
	qByContent    = q.Get("peak.ByContent")
	qImports      = q.Get("peak.Imports")
	qImportByID   = q.Get("peak.ImportByID")
	qImportInsert = q.Get("peak.ImportInsert")
	qImportUpdate = q.Get("peak.ImportUpdate")
	qStaging      = q.Get("peak.Staging")
	qImportDrop   = q.Get("peak.ImportDrop")
	qDaysDrop     = q.Get("peak.DaysDrop")
	qPricesDrop   = q.Get("peak.PricesDrop")
	qBadDrop      = q.Get("peak.BadDrop")
	qOvertaken    = q.Get("peak.Overtaken")
	qSeries       = q.Get("peak.Series")
	qDayPut       = q.Get("peak.DayPut")
	qStagedDay    = q.Get("peak.StagedDay")
	qOvertake     = q.Get("peak.Overtake")
	qEnforce      = q.Get("peak.Enforce")
	qRestore      = q.Get("peak.Restore")
	qTouched      = q.Get("peak.Touched")
	qMonthPut     = q.Get("peak.MonthPut")
	qMonthDrop    = q.Get("peak.MonthDrop")
	qPricePut     = q.Get("peak.PricePut")
	qPriceOf      = q.Get("peak.PriceOf")
	qDays         = q.Get("peak.Days")
	qMonths       = q.Get("peak.Months")
	qBadRows      = q.Get("peak.BadRows")
	_             = peak.Store((*Store)(nil))
)

// Store implements peak.Store.
type Store struct{ db *store.DB }

// New makes the store.
func New(db *store.DB) *Store { return &Store{db} }

func (s *Store) imports(ctx context.Context, query store.Query, args ...any) ([]peak.Import, error) {
	var out []peak.Import
	err := s.db.Cells(ctx, query, args, func(c store.RowCells) (err error) {
		m := peak.Import{ID: c.Text(0), VendorID: c.Text(1), SourceID: c.Text(2), Source: c.Text(3), Number: c.Int(4), Name: c.Text(5), SHA: c.Text(6), State: c.Text(7),
			Actor: c.Text(8), Points: c.Int(10), Resources: c.Int(11), Days: c.Int(12), Replaced: c.Int(13), Quarantined: c.Int(14)}
		m.ReceivedAt, err = c.Time(9)
		out = append(out, m)
		return err
	})
	return out, err
}

// ByContent are the imports in force of a vendor with this content.
func (s *Store) ByContent(ctx context.Context, vendorID, sha string) ([]peak.Import, error) {
	return s.imports(ctx, qByContent, vendorID, sha)
}

// Imports are those of a vendor, the newest first.
func (s *Store) Imports(ctx context.Context, vendorID string, limit int) ([]peak.Import, error) {
	return s.imports(ctx, qImports, vendorID, int64(limit))
}

// ByID reads one; fault peak.import_unknown.
func (s *Store) ByID(ctx context.Context, importID string) (peak.Import, error) {
	list, err := s.imports(ctx, qImportByID, importID)
	if err == nil && len(list) == 0 {
		err = fault.NotFound("peak.import_unknown", nil)
	}
	if err != nil {
		return peak.Import{}, err
	}
	return list[0], nil
}

// InsertImport writes one.
func (s *Store) InsertImport(ctx context.Context, m peak.Import) error {
	_, err := s.db.Exec(ctx, qImportInsert, m.ID, m.VendorID, m.SourceID, m.Number, m.Name, m.SHA, m.State, m.Actor, store.At(m.ReceivedAt), m.Points, m.Resources, m.Days,
		m.Replaced, m.Quarantined)
	return err
}

// UpdateImport writes what became of one.
func (s *Store) UpdateImport(ctx context.Context, m peak.Import) error {
	_, err := s.db.Exec(ctx, qImportUpdate, m.ID, m.Number, m.State, m.Points, m.Resources, m.Days, m.Replaced, m.Quarantined)
	return err
}

// Discard removes what an import brought, and the import itself while it is staging.
func (s *Store) Discard(ctx context.Context, importID string) error {
	for _, one := range []store.Query{qDaysDrop, qPricesDrop, qBadDrop, qImportDrop} {
		if _, err := s.db.Exec(ctx, one, importID); err != nil {
			return err
		}
	}
	return nil
}

// Staging are imports that were never finished.
func (s *Store) Staging(ctx context.Context, vendorID string) (ids []string, err error) {
	err = s.db.Cells(ctx, qStaging, []any{vendorID}, func(c store.RowCells) error {
		ids = append(ids, c.Text(0))
		return nil
	})
	return ids, err
}

// Overtaken tells whether a later import took the place of any day.
func (s *Store) Overtaken(ctx context.Context, importID string) (bool, error) {
	var n int64
	err := s.db.Row(ctx, qOvertaken, "peak.import_unknown", []any{importID}, &n)
	return n > 0, err
}

// Series are those of a vendor.
func (s *Store) Series(ctx context.Context, vendorID string) ([]peak.Series, error) {
	var out []peak.Series
	err := s.db.Cells(ctx, qSeries, []any{vendorID}, func(c store.RowCells) error {
		out = append(out, seriesOf(c))
		return nil
	})
	return out, err
}

func seriesOf(c store.RowCells) peak.Series {
	return peak.Series{ID: c.Text(0), VendorID: c.Text(1), CustomerID: c.Text(2), Product: c.Text(3), Resource: c.Text(4), Name: c.Text(5), Region: c.Text(6),
		UsageType: c.Text(7), Unit: c.Text(8)}
}

// bulk writes rows that are made one by one.
func bulk[T any](ctx context.Context, db *store.DB, table string, columns []string, rows []T, values func(*T) []any) error {
	i := 0
	_, err := db.Bulk(ctx, table, columns, func() ([]any, bool, error) {
		if i == len(rows) {
			return nil, false, nil
		}
		i++
		return values(&rows[i-1]), true, nil
	})
	return err
}

// InsertSeries writes new ones.
func (s *Store) InsertSeries(ctx context.Context, all []peak.Series) error {
	return bulk(ctx, s.db, "peak_series", []string{"id", "vendor_id", "customer_id", "product", "resource", "name", "region", "usage_type", "unit"}, all, func(x *peak.Series) []any {
		return []any{x.ID, x.VendorID, x.CustomerID, x.Product, x.Resource, x.Name, x.Region, x.UsageType, x.Unit}
	})
}

// PutDays writes days of an import that nobody sees yet.
func (s *Store) PutDays(ctx context.Context, importID string, days []peak.Kept) error {
	for i := range days {
		if _, err := s.db.Exec(ctx, qDayPut, days[i].SeriesID, days[i].Date, importID, false, days[i].Packed); err != nil {
			return err
		}
	}
	return nil
}

// StagedDay is what was written of a day.
func (s *Store) StagedDay(ctx context.Context, importID, seriesID, date string) (packed []byte, err error) {
	err = s.db.Each(ctx, qStagedDay, []any{seriesID, date, importID}, func(rows *sql.Rows) error { return rows.Scan(&packed) })
	return packed, err
}

// PutBad writes rows of the quarantine, numbered on.
func (s *Store) PutBad(ctx context.Context, importID string, from int, rows []peak.Bad) error {
	n := int64(from)
	return bulk(ctx, s.db, "peak_quarantine", []string{"import_id", "number", "file", "line_no", "name", "value", "code", "args", "raw"}, rows, func(b *peak.Bad) []any {
		n++
		args, err := json.Marshal(b.Args)
		if err != nil {
			args = []byte("{}")
		}
		return []any{importID, n, b.File, b.Line, b.Column, b.Value, b.Code, string(args), b.Raw}
	})
}

// BadRows reads the quarantine of an import.
func (s *Store) BadRows(ctx context.Context, importID string, limit int) ([]peak.Bad, error) {
	var out []peak.Bad
	err := s.db.Cells(ctx, qBadRows, []any{importID, int64(limit)}, func(c store.RowCells) error {
		b := peak.Bad{File: c.Text(0), Line: c.Int(1), Column: c.Text(2), Value: c.Text(3), Code: c.Text(4), Raw: c.Text(6)}
		err := json.Unmarshal([]byte(c.Text(5)), &b.Args)
		out = append(out, b)
		return err
	})
	return out, err
}

// Publish puts the days of an import in force; those they take the place of are counted.
func (s *Store) Publish(ctx context.Context, importID string) (int64, error) {
	replaced, err := s.db.Exec(ctx, qOvertake, importID, false, true)
	if err != nil {
		return 0, err
	}
	_, err = s.db.Exec(ctx, qEnforce, importID, true)
	return replaced, err
}

// Withdraw removes what an import brought; what it took the place of is in force again.
func (s *Store) Withdraw(ctx context.Context, importID string) error {
	for _, one := range []store.Query{qDaysDrop, qPricesDrop} {
		if _, err := s.db.Exec(ctx, one, importID); err != nil {
			return err
		}
	}
	_, err := s.db.Exec(ctx, qRestore, importID, true)
	return err
}

// Touched are the months an import brought points of.
func (s *Store) Touched(ctx context.Context, importID string) ([]peak.SeriesMonth, error) {
	var out []peak.SeriesMonth
	err := s.db.Cells(ctx, qTouched, []any{importID}, func(c store.RowCells) error {
		out = append(out, peak.SeriesMonth{SeriesID: c.Text(0), Cycle: cycle.Cycle(c.Text(1))})
		return nil
	})
	return out, err
}

// PutMonth writes what a month comes to, over what it was.
func (s *Store) PutMonth(ctx context.Context, m peak.Month) error {
	_, err := s.db.Exec(ctx, qMonthPut, m.SeriesID, string(m.Cycle), int64(m.Points), int64(m.Effective), int64(m.Days), int64(m.Dropped), store.OptDec(m.Billing),
		store.OptDec(m.Peak), store.OptDec(m.Price.Unit), store.OptDec(m.Discount), m.Currency, store.OptDec(m.Guaranteed), store.At(m.ChangedAt))
	return err
}

// DropMonth removes a month without points.
func (s *Store) DropMonth(ctx context.Context, seriesID string, at cycle.Cycle) error {
	_, err := s.db.Exec(ctx, qMonthDrop, seriesID, string(at))
	return err
}

// PutPrice writes what an import says of a month's price.
func (s *Store) PutPrice(ctx context.Context, importID, seriesID string, at cycle.Cycle, p peak.Price) error {
	_, err := s.db.Exec(ctx, qPricePut, seriesID, string(at), importID, store.OptDec(p.Unit), store.OptDec(p.Discount), p.Currency, store.OptDec(p.Guaranteed))
	return err
}

// PriceOf is what the newest import that names one says.
func (s *Store) PriceOf(ctx context.Context, seriesID string, at cycle.Cycle) (p peak.Price, err error) {
	err = s.db.Cells(ctx, qPriceOf, []any{seriesID, string(at)}, func(c store.RowCells) (err error) {
		p, err = priceOf(c, 0)
		return err
	})
	return p, err
}

// priceOf reads unit price, discount, currency and guaranteed bandwidth.
func priceOf(c store.RowCells, i int) (p peak.Price, err error) {
	p.Currency = c.Text(i + 2)
	for n, into := range map[int]**money.Exact{i: &p.Unit, i + 1: &p.Discount, i + 3: &p.Guaranteed} {
		if *into, err = c.Dec(n); err != nil {
			return p, err
		}
	}
	return p, nil
}

// Days are the days in force of a series in a month.
func (s *Store) Days(ctx context.Context, seriesID string, at cycle.Cycle) ([]peak.Kept, error) {
	var out []peak.Kept
	err := s.db.Each(ctx, qDays, []any{seriesID, string(at) + "-01", string(at.Next()) + "-01", true}, func(rows *sql.Rows) error {
		k := peak.Kept{SeriesID: seriesID}
		err := rows.Scan(&k.Date, &k.Packed, &k.Import, &k.Before)
		out = append(out, k)
		return err
	})
	return out, err
}

// Months are those of a cycle, among the customers the organisation deals with or is.
func (s *Store) Months(ctx context.Context, sc scope.Scope, at cycle.Cycle) ([]peak.Entry, error) {
	return s.months(ctx, sc, at, "")
}

// MonthOf is that of one series; false where there is none in reach.
func (s *Store) MonthOf(ctx context.Context, sc scope.Scope, seriesID string, at cycle.Cycle) (peak.Entry, bool, error) {
	list, err := s.months(ctx, sc, at, seriesID)
	if err != nil || len(list) == 0 {
		return peak.Entry{}, false, err
	}
	return list[0], true, nil
}

func (s *Store) months(ctx context.Context, sc scope.Scope, at cycle.Cycle, seriesID string) ([]peak.Entry, error) {
	var out []peak.Entry
	err := s.db.Cells(ctx, qMonths, []any{string(at), seriesID, sc.OrgID()}, func(c store.RowCells) (err error) {
		e := peak.Entry{Series: seriesOf(c)}
		e.Month = peak.Month{SeriesID: e.Series.ID, Cycle: cycle.Cycle(c.Text(9))}
		e.Points, e.Effective, e.Days, e.Dropped = int(c.Int(10)), int(c.Int(11)), int(c.Int(12)), int(c.Int(13))
		if e.Billing, err = c.Dec(14); err != nil {
			return err
		}
		if e.Peak, err = c.Dec(15); err != nil {
			return err
		}
		if e.Price, err = priceOf(c, 16); err != nil {
			return err
		}
		e.ChangedAt, err = c.Time(20)
		out = append(out, e)
		return err
	})
	return out, err
}
