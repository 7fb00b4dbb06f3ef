package closestore

import (
	"context"
	"database/sql"
	"time"

	"huoban/internal/adjustment"
	"huoban/internal/bill"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/scope"
	"huoban/internal/store"
	"huoban/internal/usage"
)

var (
	qAdjInsert  = queries.Get("adjustment.Insert")
	qAdjPrice   = queries.Get("adjustment.InsertPrice")
	qAdjMove    = queries.Get("adjustment.InsertMove")
	qAdjByID    = queries.Get("adjustment.ByID")
	qAdjList    = queries.Get("adjustment.List")
	qAdjPrices  = queries.Get("adjustment.Prices")
	qAdjMoves   = queries.Get("adjustment.Moves")
	qAdjDecide  = queries.Get("adjustment.Decide")
	qMovedSeq   = queries.Get("adjustment.MovedSeq")
	qClosedSeq  = queries.Get("adjustment.ClosedSeq")
	qSourceName = queries.Get("adjustment.SourceName")
	qWeights    = queries.Get("adjustment.Weights")
	qAdjSlots   = queries.Get("adjustment.Slots")
)

// Adjustments implements adjustment.Store.
type Adjustments struct{ db *store.DB }

// NewAdjustments opens the area.
func NewAdjustments(db *store.DB) *Adjustments { return &Adjustments{db} }

var _ adjustment.Store = (*Adjustments)(nil)

// Insert writes head and prices.
func (s *Adjustments) Insert(ctx context.Context, a *adjustment.Adjustment) error {
	_, err := s.db.Exec(ctx, qAdjInsert, a.ID, a.VendorID, string(a.Cycle), string(a.Corrects), string(a.Kind), string(a.State), a.Version,
		a.PairID, string(a.Side), null(a.SourceID), a.Key, null(a.CustomerID), null(a.PartnerID), a.Currency, store.Dec(a.Base),
		store.Dec(a.TaxBase), a.LineCount, a.PriceSeq, a.Reason, a.CreatedBy, store.At(a.CreatedAt), a.ApprovedBy, store.At(a.ApprovedAt))
	if err != nil {
		return err
	}
	for _, p := range a.Prices {
		if _, err := s.db.Exec(ctx, qAdjPrice, a.ID, p.PartnerID, string(p.Kind), p.RuleID, p.RuleNumber, p.RuleVersion, string(p.RuleType),
			string(p.Base), store.Dec(p.Factor), p.LineCount, store.Dec(p.SourceExact), store.Dec(p.BaseExact), store.Dec(p.Exact),
			int64(p.Amount)); err != nil {
			return err
		}
	}
	return nil
}

func null(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// AddMove writes one moved line.
func (s *Adjustments) AddMove(ctx context.Context, id string, m adjustment.Move) error {
	start, err := time.Parse(time.RFC3339Nano, m.Place.Start)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, qAdjMove, id, m.Place.SlotID, m.Place.CustomerID, store.At(start), m.Place.Key[:], m.Place.Occurrence, m.Sign)
	return err
}

type scanner interface{ Scan(dest ...any) error }

func scanAdjustment(row scanner, a *adjustment.Adjustment) error {
	var source, customer, partner sql.NullString
	var base, tax store.Decimal
	var created, approved store.Instant
	err := row.Scan(&a.ID, &a.VendorID, &a.Cycle, &a.Corrects, &a.Kind, &a.State, &a.Version, &a.PairID, &a.Side, &source, &a.Key, &customer,
		&partner, &a.Currency, &base, &tax, &a.LineCount, &a.PriceSeq, &a.Reason, &a.CreatedBy, &created, &a.ApprovedBy, &approved)
	a.SourceID, a.CustomerID, a.PartnerID = source.String, customer.String, partner.String
	a.Base, a.TaxBase, a.CreatedAt, a.ApprovedAt = base.Exact, tax.Exact, created.Time, approved.Time
	return err
}

// ByID reads one with its prices. Fault: not_found adjustment.unknown.
func (s *Adjustments) ByID(ctx context.Context, sc scope.Scope, id string) (adjustment.Adjustment, error) {
	var found []adjustment.Adjustment
	err := s.db.Each(ctx, qAdjByID, []any{id}, func(rows *sql.Rows) error {
		var a adjustment.Adjustment
		if err := scanAdjustment(rows, &a); err != nil {
			return err
		}
		found = append(found, a)
		return nil
	})
	if err != nil {
		return adjustment.Adjustment{}, err
	}
	if len(found) == 0 || !sc.SeesVendor(found[0].VendorID) {
		return adjustment.Adjustment{}, fault.NotFound("adjustment.unknown", nil)
	}
	return found[0], s.prices(ctx, &found[0])
}

// List reads adjustments of a vendor in canonical order, with prices; nothing outside the scope.
func (s *Adjustments) List(ctx context.Context, sc scope.Scope, f adjustment.Filter) ([]adjustment.Adjustment, error) {
	if !sc.SeesVendor(f.VendorID) {
		return nil, nil
	}
	var out []adjustment.Adjustment
	err := s.db.Each(ctx, qAdjList, []any{f.VendorID, string(f.Cycle), string(f.State), string(f.Kind)}, func(rows *sql.Rows) error {
		var a adjustment.Adjustment
		if err := scanAdjustment(rows, &a); err != nil {
			return err
		}
		out = append(out, a)
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i := range out {
		if err := s.prices(ctx, &out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *Adjustments) prices(ctx context.Context, a *adjustment.Adjustment) error {
	return s.db.Each(ctx, qAdjPrices, []any{a.ID}, func(rows *sql.Rows) error {
		var p adjustment.Price
		var factor, source, base, exact store.Decimal
		var amount int64
		if err := rows.Scan(&p.PartnerID, &p.Kind, &p.RuleID, &p.RuleNumber, &p.RuleVersion, &p.RuleType, &p.Base, &factor, &p.LineCount,
			&source, &base, &exact, &amount); err != nil {
			return err
		}
		p.Factor, p.SourceExact, p.BaseExact, p.Exact, p.Amount = factor.Exact, source.Exact, base.Exact, exact.Exact, money.Amount(amount)
		a.Prices = append(a.Prices, p)
		return nil
	})
}

// Moves lists the lines of an adjustment.
func (s *Adjustments) Moves(ctx context.Context, sc scope.Scope, id string, fn func(adjustment.Move) error) error {
	if _, err := s.ByID(ctx, sc, id); err != nil {
		return err
	}
	return s.db.Each(ctx, qAdjMoves, []any{id}, func(rows *sql.Rows) error {
		var m adjustment.Move
		var key []byte
		var start store.Instant
		if err := rows.Scan(&m.Place.SlotID, &m.Place.CustomerID, &start, &key, &m.Place.Occurrence, &m.Sign); err != nil {
			return err
		}
		m.Place.Start, m.Place.Key = start.UTC().Format("2006-01-02T15:04:05.000000Z"), usage.Hash(key)
		return fn(m)
	})
}

// Decide writes a decision if the proposal still waits.
func (s *Adjustments) Decide(ctx context.Context, a *adjustment.Adjustment, to adjustment.State, by string, at time.Time) (bool, error) {
	n, err := s.db.Exec(ctx, qAdjDecide, a.ID, a.Version, string(to), string(a.Cycle), by, store.At(at))
	return n == 1, err
}

// BilledSeq is the state of the price book that the customer's lines stand billed with.
func (s *Adjustments) BilledSeq(ctx context.Context, vendorID, sourceID, key, customerID, currency string, c cycle.Cycle) (int64, error) {
	var seq int64
	err := s.db.Row(ctx, qMovedSeq, "adjustment.none", []any{vendorID, sourceID, key, customerID, currency, string(c)}, &seq)
	if !fault.HasCode(err, "adjustment.none") {
		return seq, err
	}
	err = s.db.Row(ctx, qClosedSeq, "monthclose.unknown", []any{vendorID, string(c)}, &seq)
	return seq, err
}

// SourceName gives the name of a source.
func (s *Adjustments) SourceName(ctx context.Context, sourceID string) (string, error) {
	var name string
	err := s.db.Row(ctx, qSourceName, "source.unknown", []any{sourceID}, &name)
	return name, err
}

// Slots are all slots of a cycle.
func (s *Adjustments) Slots(ctx context.Context, vendorID string, c cycle.Cycle) ([]bill.Slot, error) {
	var out []bill.Slot
	err := s.db.Each(ctx, qAdjSlots, []any{vendorID, string(c)}, func(rows *sql.Rows) error {
		var b bill.Slot
		var zone string
		err := rows.Scan(&b.ID, &b.SourceID, &b.SourceName, &zone)
		if err != nil {
			return err
		}
		b.Zone, err = cycle.ParseZone(zone)
		out = append(out, b)
		return err
	})
	return out, err
}

// Weights are what customers were billed for, by currency.
func (s *Adjustments) Weights(ctx context.Context, sourceID string, c cycle.Cycle) (map[string][]usage.Weight, error) {
	all := map[string][]usage.Weight{}
	err := s.db.Each(ctx, qWeights, []any{sourceID, string(c)}, func(rows *sql.Rows) error {
		var w usage.Weight
		var currency string
		var billed store.Decimal
		if err := rows.Scan(&w.CustomerID, &w.Code, &currency, &billed); err != nil {
			return err
		}
		list := all[currency]
		if n := len(list); n > 0 && list[n-1].CustomerID == w.CustomerID {
			list[n-1].Total = list[n-1].Total.Add(billed.Exact)
			return nil
		}
		w.Total = billed.Exact
		all[currency] = append(list, w)
		return nil
	})
	for currency, list := range all {
		all[currency] = usage.Weights(list)
	}
	return all, err
}
