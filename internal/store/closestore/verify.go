package closestore

import (
	"context"
	"database/sql"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/money"
	"huoban/internal/store"
	"huoban/internal/usage"
	"huoban/internal/verify"
)

var (
	qVerVendors    = queries.Get("verify.Vendors")
	qVerIssued     = queries.Get("verify.Issued")
	qVerDeliveries = queries.Get("verify.Deliveries")
	qVerFiles      = queries.Get("verify.Files")
	qVerSlots      = queries.Get("verify.Slots")
	qVerChunk      = queries.Get("verify.Chunk")
	qVerAmounts    = queries.Get("verify.Amounts")
	qVerSummaries  = queries.Get("verify.Summaries")
	qVerMoveCount  = queries.Get("verify.MoveCount")
	qVerMoved      = queries.Get("verify.Moved")
)

// Filler gives lines their dimensions; usagestore.Store does.
type Filler interface {
	Fill(ctx context.Context, lines []usage.Stored) error
}

// Verify implements verify.Store.
type Verify struct {
	db   *store.DB
	fill Filler
}

// NewVerify opens the area.
func NewVerify(db *store.DB, fill Filler) *Verify { return &Verify{db, fill} }

var _ verify.Store = (*Verify)(nil)

// Vendors lists vendors with their issued cycles.
func (s *Verify) Vendors(ctx context.Context) ([]verify.Vendor, error) {
	var out []verify.Vendor
	err := s.db.Each(ctx, qVerVendors, nil, func(rows *sql.Rows) error {
		var v verify.Vendor
		err := rows.Scan(&v.ID, &v.Code)
		out = append(out, v)
		return err
	})
	for i := range out {
		if err != nil {
			break
		}
		err = s.db.Each(ctx, qVerIssued, []any{out[i].ID}, func(rows *sql.Rows) error {
			var c cycle.Cycle
			err := rows.Scan(&c)
			out[i].Issued = append(out[i].Issued, c)
			return err
		})
	}
	return out, err
}

// Deliveries lists the deliveries of a source with their files and slots.
func (s *Verify) Deliveries(ctx context.Context, sourceID string) ([]verify.Delivery, error) {
	var out []verify.Delivery
	err := s.db.Each(ctx, qVerDeliveries, []any{sourceID}, func(rows *sql.Rows) error {
		var d verify.Delivery
		err := rows.Scan(&d.ID, &d.SourceID, &d.Number, &d.State, &d.LineCount)
		out = append(out, d)
		return err
	})
	for i := range out {
		if err != nil {
			break
		}
		err = s.parts(ctx, &out[i])
	}
	return out, err
}

func (s *Verify) parts(ctx context.Context, d *verify.Delivery) error {
	err := s.db.Each(ctx, qVerFiles, []any{d.ID}, func(rows *sql.Rows) error {
		var f verify.File
		err := rows.Scan(&f.No, &f.Name, &f.SHA, &f.Format, &f.Bytes, &f.LineCount, &f.KeptBytes, &f.KeptRows)
		f.Kept = f.KeptRows >= 0
		d.Files = append(d.Files, f)
		return err
	})
	if err != nil {
		return err
	}
	return s.db.Each(ctx, qVerSlots, []any{d.ID}, func(rows *sql.Rows) error {
		var sl verify.Slot
		err := rows.Scan(&sl.ID, &sl.LineCount, &sl.Cycle, &sl.State, &sl.Sealed)
		d.Slots = append(d.Slots, sl)
		return err
	})
}

// Chunk reads one kept piece.
func (s *Verify) Chunk(ctx context.Context, sha string, no int64) (int64, []byte, error) {
	var first int64
	var body []byte
	err := s.db.Row(ctx, qVerChunk, "verify.chunk_missing", []any{sha, no}, &first, &body)
	return first, body, err
}

// beginning is before every charge; the zero time cannot be written.
var beginning = time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC)

// Amounts reads the stored amounts that follow a place.
func (s *Verify) Amounts(ctx context.Context, slot int64, after *usage.Stored, n int) ([]int64, error) {
	from := usage.Stored{Line: usage.Line{ChargeStart: beginning, Occurrence: -1}}
	if after != nil {
		from = *after
	}
	out := make([]int64, 0, n)
	err := s.db.Each(ctx, qVerAmounts, []any{slot, from.CustomerID, store.At(from.ChargeStart), from.Key[:], from.Occurrence, int64(n)},
		func(rows *sql.Rows) error {
			var v int64
			err := rows.Scan(&v)
			out = append(out, v)
			return err
		})
	return out, err
}

// Summaries reads the sums of a slot.
func (s *Verify) Summaries(ctx context.Context, slot int64) ([]usage.Summary, error) {
	var out []usage.Summary
	err := s.db.Each(ctx, qVerSummaries, []any{slot}, func(rows *sql.Rows) error {
		x := usage.Summary{SummaryKey: usage.SummaryKey{SlotID: slot}}
		var account, product []byte
		var amount int64
		var exact, billed store.Decimal
		if err := rows.Scan(&x.CustomerID, &account, &product, &x.Kind, &x.Currency, &x.Lines, &amount, &exact, &billed); err != nil {
			return err
		}
		x.AccountID, x.ProductID = usage.Hash(account), usage.Hash(product)
		x.Amount, x.Exact, x.Billed = money.Amount(amount), exact.Exact, billed.Exact
		out = append(out, x)
		return nil
	})
	return out, err
}

// Moved reads the lines an adjustment moves.
func (s *Verify) Moved(ctx context.Context, adjustmentID string) ([]usage.Stored, int64, error) {
	var moves int64
	if err := s.db.Row(ctx, qVerMoveCount, "adjustment.unknown", []any{adjustmentID}, &moves); err != nil {
		return nil, 0, err
	}
	var out []usage.Stored
	err := s.db.Each(ctx, qVerMoved, []any{adjustmentID}, func(rows *sql.Rows) error {
		var l usage.Stored
		var key, account, product, resource []byte
		var start, end store.Instant
		var billed, list, contracted store.Decimal
		if err := rows.Scan(&l.SlotID, &l.CustomerID, &start, &key, &l.Occurrence, &end, &l.FileNo, &l.LineNo, &account, &product, &resource,
			&l.Kind, &l.Currency, &billed, &list, &contracted); err != nil {
			return err
		}
		l.ChargeStart, l.ChargeEnd, l.Key = start.Time, end.Time, usage.Hash(key)
		l.AccountID, l.ProductID, l.ResourceID = usage.Hash(account), usage.Hash(product), usage.Hash(resource)
		l.Billed, l.List, l.Contracted = billed.Exact, list.Ptr(), contracted.Ptr()
		out = append(out, l)
		return nil
	})
	if err != nil {
		return nil, moves, err
	}
	for from := 0; from < len(out); {
		to := from
		for to < len(out) && out[to].SlotID == out[from].SlotID {
			to++
		}
		if err := s.fill.Fill(ctx, out[from:to]); err != nil {
			return nil, moves, err
		}
		from = to
	}
	return out, moves, nil
}
