package usagestore

import (
	"context"
	"database/sql"
	"encoding/json"
	"math"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/delivery"
	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/scope"
	"huoban/internal/store"
)

var (
	delInsert      = set.Get("delivery.Insert")
	delNextNumber  = set.Get("delivery.NextNumber")
	delList        = set.Get("delivery.List")
	delByNumber    = set.Get("delivery.ByNumber")
	delSetState    = set.Get("delivery.SetState")
	delSetCounts   = set.Get("delivery.SetCounts")
	delWarnings    = set.Get("delivery.Warnings")
	delSetProgress = set.Get("delivery.SetProgress")
	delDelete      = set.Get("delivery.Delete")
	delInsertFile  = set.Get("delivery.InsertFile")
	delFiles       = set.Get("delivery.Files")
	delDeleteFiles = set.Get("delivery.DeleteFiles")
	delFileKnown   = set.Get("delivery.FileKnown")
	delIdle        = set.Get("delivery.Idle")
	delLiveSlots   = set.Get("delivery.LiveSlots")
	delInsChange   = set.Get("delivery.InsertChange")
	delDelChanges  = set.Get("delivery.DeleteChanges")
	delChanges     = set.Get("delivery.Changes")
	perPut         = set.Get("period.Put")
	perMarkFinal   = set.Get("period.MarkFinal")
	perUnmark      = set.Get("period.Unmark")
	perDeleteEmpty = set.Get("period.DeleteEmpty")
	perList        = set.Get("period.List")
	quaDeleteOf    = set.Get("quarantine.DeleteOf")
	conDeleteOf    = set.Get("conformance.DeleteOf")
)

// InsertDelivery keeps a new delivery in state receiving and gives its number.
func (s *Store) InsertDelivery(ctx context.Context, d delivery.Delivery) (int64, error) {
	var n int64
	if err := s.db.Row(ctx, delNextNumber, "delivery.unknown", []any{d.SourceID}, &n); err != nil {
		return 0, err
	}
	_, err := s.db.Exec(ctx, delInsert, d.ID, d.SourceID, n, string(delivery.StateReceiving), int64(1), d.ContentSHA, store.At(d.ReceivedAt),
		nil, d.Actor, int64(d.Files), d.LineCount, d.Quarantined, d.Skipped, d.Dialect, d.Format, int64(0), "[]")
	return n, err
}

// Deliveries lists deliveries in scope, newest first; empty filters match all.
func (s *Store) Deliveries(ctx context.Context, sc scope.Scope, f delivery.Filter) ([]delivery.Delivery, error) {
	limit := f.Limit
	if limit <= 0 {
		limit = 1000
	}
	var out []delivery.Delivery
	err := s.db.Each(ctx, delList, []any{vendorOf(sc), f.SourceID, f.ID, string(f.State), int64(limit)}, func(rows *sql.Rows) error {
		var d delivery.Delivery
		var state string
		var received, published, touched store.Instant
		err := rows.Scan(&d.ID, &d.SourceID, &d.Source, &d.VendorID, &d.Number, &state, &d.Version, &d.ContentSHA, &received, &published,
			&d.Actor, &d.Files, &d.LineCount, &d.Quarantined, &d.Skipped, &d.Dialect, &d.Format, &d.Progress, &touched)
		d.State, d.ReceivedAt, d.PublishedAt, d.TouchedAt = delivery.State(state), received.Time, optTime(published), touched.Time
		out = append(out, d)
		return err
	})
	return out, err
}

// DeliveryIDByNumber finds a delivery by its source's name and its number.
func (s *Store) DeliveryIDByNumber(ctx context.Context, sourceName string, number int64) (string, error) {
	var id string
	err := s.db.Row(ctx, delByNumber, "delivery.unknown", []any{sourceName, number}, &id)
	return id, err
}

// SetDeliveryState is a compare-and-set; at is the publishing time for deliveries that have none.
func (s *Store) SetDeliveryState(ctx context.Context, d delivery.Delivery, to delivery.State, at time.Time) (bool, error) {
	n, err := s.db.Exec(ctx, delSetState, d.ID, string(d.State), string(to), store.At(at), d.Version)
	return n == 1, err
}

// SetDeliveryCounts keeps what was found while reading.
func (s *Store) SetDeliveryCounts(ctx context.Context, d delivery.Delivery, warnings []delivery.Warning) error {
	text, err := toJSON(warnings)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, delSetCounts, d.ID, int64(d.Files), d.LineCount, d.Quarantined, d.Skipped, d.Dialect, d.Format, text)
	return err
}

// Warnings are what was noted while reading; whole numbers come back as such.
func (s *Store) Warnings(ctx context.Context, deliveryID string) ([]delivery.Warning, error) {
	out := []delivery.Warning{}
	err := s.db.Each(ctx, delWarnings, []any{deliveryID}, func(rows *sql.Rows) error {
		var text string
		if err := rows.Scan(&text); err != nil || text == "" {
			return err
		}
		return json.Unmarshal([]byte(text), &out)
	})
	for _, w := range out {
		for k, v := range w.Args {
			if n, ok := v.(float64); ok && n == math.Trunc(n) && math.Abs(n) < 1<<53 {
				w.Args[k] = int64(n)
			}
		}
	}
	return out, err
}

// SetProgress moves the number of committed records on. Fault: delivery.gone if another import of the
// source took over.
func (s *Store) SetProgress(ctx context.Context, deliveryID string, from, to int64, at time.Time) error {
	n, err := s.db.Exec(ctx, delSetProgress, deliveryID, from, to, store.At(at))
	if err == nil && n != 1 {
		err = fault.Conflict("delivery.gone", nil)
	}
	return err
}

// RemoveDelivery takes an unpublished delivery away with everything it wrote, but not its lines, which
// go with their slots.
func (s *Store) RemoveDelivery(ctx context.Context, deliveryID string) error {
	files, err := s.DeliveryFiles(ctx, deliveryID)
	if err != nil {
		return err
	}
	for _, q := range []store.Query{delDelChanges, quaDeleteOf, conDeleteOf, delDeleteFiles, delDelete} {
		if _, err := s.db.Exec(ctx, q, deliveryID); err != nil {
			return err
		}
	}
	shas := make([]string, len(files))
	for i, f := range files {
		shas[i] = f.SHA
	}
	return s.DropUnused(ctx, shas)
}

// PutFile keeps or updates a part.
func (s *Store) PutFile(ctx context.Context, deliveryID string, f delivery.File) error {
	header, err := toJSON(f.Header)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, delInsertFile, deliveryID, int64(f.No), f.Name, f.SHA, f.Format, f.Bytes, f.LineCount, header)
	return err
}

// DeliveryFiles lists the parts of a delivery in order.
func (s *Store) DeliveryFiles(ctx context.Context, deliveryID string) ([]delivery.File, error) {
	var out []delivery.File
	err := s.db.Each(ctx, delFiles, []any{deliveryID}, func(rows *sql.Rows) error {
		var f delivery.File
		var header string
		if err := rows.Scan(&f.No, &f.Name, &f.SHA, &f.Format, &f.Bytes, &f.LineCount, &header); err != nil {
			return err
		}
		out = append(out, f)
		return json.Unmarshal([]byte(header), &out[len(out)-1].Header)
	})
	return out, err
}

// FileKnown tells whether a published delivery of the source has a part of that content.
func (s *Store) FileKnown(ctx context.Context, sourceID, sha string) (bool, error) {
	var n int64
	err := s.db.Row(ctx, delFileKnown, "delivery.unknown", []any{sourceID, sha}, &n)
	return n > 0, err
}

// Idle lists the other published and superseded deliveries of a source, so that their state can
// follow their slots.
func (s *Store) Idle(ctx context.Context, sourceID, but string) ([]delivery.Standing, error) {
	var out []delivery.Standing
	err := s.db.Each(ctx, delIdle, []any{sourceID, but}, func(rows *sql.Rows) error {
		var d delivery.Standing
		var state string
		err := rows.Scan(&d.ID, &state, &d.Version)
		d.State = delivery.State(state)
		out = append(out, d)
		return err
	})
	if err != nil {
		return nil, err
	}
	for i := range out {
		if err := s.db.Row(ctx, delLiveSlots, "delivery.unknown", []any{out[i].ID}, &out[i].LiveSlots); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// PutChanges keeps what a delivery meant.
func (s *Store) PutChanges(ctx context.Context, deliveryID string, changes []delivery.Change) error {
	if _, err := s.db.Exec(ctx, delDelChanges, deliveryID); err != nil {
		return err
	}
	for _, c := range changes {
		_, err := s.db.Exec(ctx, delInsChange, deliveryID, string(c.Cycle), c.Currency, c.LineCount, c.Total.String(), int64(c.Stored),
			c.Added, c.AddedSum.String(), c.Removed, c.RemovedSum.String(), c.Changed, c.ChangedDiff.String(), c.Late)
		if err != nil {
			return err
		}
	}
	return nil
}

// Changes lists what a delivery meant, by cycle and currency.
func (s *Store) Changes(ctx context.Context, deliveryID string) ([]delivery.Change, error) {
	out := []delivery.Change{}
	err := s.db.Each(ctx, delChanges, []any{deliveryID}, func(rows *sql.Rows) error {
		var c delivery.Change
		var month string
		var stored int64
		var total, added, removed, diff store.Decimal
		err := rows.Scan(&month, &c.Currency, &c.LineCount, &total, &stored, &c.Added, &added, &c.Removed, &removed, &c.Changed, &diff, &c.Late)
		c.Cycle, c.Stored, c.Total = cycle.Cycle(month), money.Amount(stored), total.Exact
		c.AddedSum, c.RemovedSum, c.ChangedDiff = added.Exact, removed.Exact, diff.Exact
		out = append(out, c)
		return err
	})
	return out, err
}

// EnsurePeriod notes that a source delivered for a cycle.
func (s *Store) EnsurePeriod(ctx context.Context, sourceID string, c cycle.Cycle) error {
	_, err := s.db.Exec(ctx, perPut, sourceID, string(c), false, nil, "", "")
	return err
}

// MarkFinal declares a period final and tells whether it was not.
func (s *Store) MarkFinal(ctx context.Context, sourceID string, c cycle.Cycle, at time.Time, by, deliveryID string) (bool, error) {
	n, err := s.db.Exec(ctx, perMarkFinal, sourceID, string(c), true, store.At(at), by, deliveryID)
	return n == 1, err
}

// ForgetFinal takes back the marks a delivery set, and periods without any delivery.
func (s *Store) ForgetFinal(ctx context.Context, sourceID, deliveryID string) error {
	if _, err := s.db.Exec(ctx, perUnmark, sourceID, deliveryID, false); err != nil {
		return err
	}
	_, err := s.db.Exec(ctx, perDeleteEmpty, sourceID)
	return err
}

// Periods lists source × cycle in scope.
func (s *Store) Periods(ctx context.Context, sc scope.Scope, sourceID string, c cycle.Cycle) ([]delivery.Period, error) {
	var out []delivery.Period
	err := s.db.Each(ctx, perList, []any{vendorOf(sc), sourceID, string(c)}, func(rows *sql.Rows) error {
		var p delivery.Period
		var month string
		var at store.Instant
		err := rows.Scan(&p.SourceID, &p.Source, &month, &p.Final, &at, &p.FinalBy)
		p.Cycle, p.FinalAt = cycle.Cycle(month), optTime(at)
		out = append(out, p)
		return err
	})
	return out, err
}
