package billstore

import (
	"context"
	"database/sql"
	"time"

	"huoban/internal/bill"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/id"
	"huoban/internal/price"
	"huoban/internal/scope"
	"huoban/internal/store"
	"huoban/internal/usage"
)

var (
	billList        = set.Get("bill.List")
	billItems       = set.Get("bill.Items")
	billInsert      = set.Get("bill.Insert")
	billDeleteItems = set.Get("bill.DeleteItems")
	billDelete      = set.Get("bill.Delete")
	billIssue       = set.Get("bill.Issue")
	billPriceSeq    = set.Get("bill.PriceSeq")
)

// List gives the bills in scope that match, without items, in canonical order.
func (s *Store) List(ctx context.Context, sc scope.Scope, f bill.Filter) ([]bill.Document, error) {
	return s.list(ctx, sc, "", f)
}

func (s *Store) list(ctx context.Context, sc scope.Scope, billID string, f bill.Filter) ([]bill.Document, error) {
	var out []bill.Document
	args := []any{sideOf(sc), sc.OrgID(), billID, f.VendorID, f.PartnerID, string(f.Cycle), f.Currency, f.EntityID, f.Code}
	err := s.db.Each(ctx, billList, args, func(rows *sql.Rows) error {
		d, err := scanBill(rows)
		if err == nil && sc.SeesBill(d.Vendor.ID, d.Seller.ID, d.Partner.ID) {
			out = append(out, d)
		}
		return err
	})
	return out, err
}

func scanBill(rows *sql.Rows) (bill.Document, error) {
	var d bill.Document
	var state, c string
	var source, exact, tax store.Decimal
	var drafted, issued store.Instant
	err := rows.Scan(&d.ID, &d.Version, &state, &c, &d.Currency, &d.Vendor.ID, &d.Vendor.Code, &d.Vendor.Name, &d.Partner.ID,
		&d.Partner.Code, &d.Partner.Name, &d.Seller.ID, &d.Seller.Code, &d.Seller.Name, &d.Entity.ID, &d.Entity.Code, &d.Entity.Name,
		&d.LineCount, &d.Consumption, &d.Refund, &d.Adjustment, &d.Coupon, &d.Rounding, &d.Tax, &d.TaxInDue, &d.Due,
		&source, &exact, &tax, &d.PriceSeq, &d.Code, &d.OverrideNote, &drafted, &issued)
	d.State, d.Cycle = bill.State(state), cycle.Cycle(c)
	d.SourceTotal, d.ExactTotal, d.TaxExact = source.Exact, exact.Exact, tax.Exact
	d.DraftedAt, d.IssuedAt = drafted.Time, issued.Time
	d.Floored = d.Total() < 0
	return d, err
}

// ByID gives a bill with its items. Fault: bill.unknown, also for one outside the scope.
func (s *Store) ByID(ctx context.Context, sc scope.Scope, billID string) (bill.Document, error) {
	docs, err := s.list(ctx, sc, billID, bill.Filter{})
	if err != nil {
		return bill.Document{}, err
	}
	if len(docs) == 0 || billID == "" {
		return bill.Document{}, fault.NotFound("bill.unknown", nil)
	}
	docs[0].Items, err = s.items(ctx, billID)
	return docs[0], err
}

// WithItems gives the bills in scope that match, with items, in canonical order.
func (s *Store) WithItems(ctx context.Context, sc scope.Scope, f bill.Filter) ([]bill.Document, error) {
	docs, err := s.List(ctx, sc, f)
	if err != nil {
		return nil, err
	}
	for i := range docs {
		if docs[i].Items, err = s.items(ctx, docs[i].ID); err != nil {
			return nil, err
		}
	}
	return docs, nil
}

func (s *Store) items(ctx context.Context, billID string) ([]bill.Item, error) {
	var out []bill.Item
	err := s.db.Each(ctx, billItems, []any{billID}, func(rows *sql.Rows) error {
		var it bill.Item
		var a bill.Adjusts
		var voucher bill.ItemCoupon
		var origin, mode, kind, typ, base, corrects string
		var factor, source, baseSum, exact store.Decimal
		if err := rows.Scan(&it.No, &it.Customer.ID, &it.Customer.Code, &it.Customer.Name, &origin, &it.Provider, &it.Product, &it.Region,
			&mode, &kind, &it.RuleID, &it.RuleNumber, &it.RuleVersion, &typ, &base, &factor, &it.LineCount, &source, &baseSum, &exact,
			&it.Amount, &a.ID, &a.Kind, &corrects, &a.Source, &a.Key, &a.Side, &a.Reason, &voucher.ID, &voucher.Number); err != nil {
			return err
		}
		it.Origin, it.Mode, it.Kind, it.RuleType, it.Base = bill.Origin(origin), usage.ChargingMode(mode), usage.Kind(kind), price.Type(typ), price.Base(base)
		it.Factor, it.SourceExact, it.BaseExact, it.Exact = factor.Exact, source.Exact, baseSum.Exact, exact.Exact
		if voucher.ID != "" {
			it.Coupon = &voucher
		}
		if a.ID != "" {
			a.CorrectsCycle = cycle.Cycle(corrects)
			it.Adjusts = &a
		}
		out = append(out, it)
		return nil
	})
	return out, err
}

// SaveDraft replaces the draft bills of a vendor's cycle, whole, inside the transaction of ctx. The
// documents get ids and state draft.
func (s *Store) SaveDraft(ctx context.Context, vendorID string, c cycle.Cycle, docs []bill.Document, at time.Time) error {
	if err := s.RemoveDraft(ctx, vendorID, c); err != nil {
		return err
	}
	for i := range docs {
		d := &docs[i]
		d.ID, d.State, d.Version, d.DraftedAt = id.New(), bill.StateDraft, 1, at
		_, err := s.db.Exec(ctx, billInsert, d.ID, d.Vendor.ID, d.Partner.ID, d.Seller.ID, string(d.Cycle), d.Currency, d.Entity.ID,
			d.LineCount, int64(d.Consumption), int64(d.Refund), int64(d.Adjustment), int64(d.Coupon), int64(d.Rounding), int64(d.Tax),
			d.TaxInDue, int64(d.Due), store.Dec(d.SourceTotal), store.Dec(d.ExactTotal), store.Dec(d.TaxExact), d.PriceSeq, d.Code,
			d.OverrideNote, store.At(at))
		if err != nil {
			return err
		}
		if err := s.saveItems(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

var itemColumns = []string{"bill_id", "item_no", "customer_id", "origin", "provider", "product", "region", "charging_mode", "kind",
	"rule_id", "rule_number", "rule_version", "rule_type", "base", "factor", "line_count", "source_exact", "base_exact", "exact",
	"amount_e8", "adjustment_id", "coupon_id"}

func (s *Store) saveItems(ctx context.Context, d *bill.Document) error {
	i := 0
	_, err := s.db.Bulk(ctx, "bill_item", itemColumns, func() ([]any, bool, error) {
		if i == len(d.Items) {
			return nil, false, nil
		}
		it := &d.Items[i]
		i++
		adjustment, voucher := "", ""
		if it.Coupon != nil {
			voucher = it.Coupon.ID
		}
		if it.Adjusts != nil {
			adjustment = it.Adjusts.ID
		}
		return []any{d.ID, int64(it.No), orNull(it.Customer.ID), string(it.Origin), it.Provider, it.Product, it.Region, string(it.Mode),
			string(it.Kind), it.RuleID, it.RuleNumber, it.RuleVersion, string(it.RuleType), string(it.Base), store.Dec(it.Factor),
			it.LineCount, store.Dec(it.SourceExact), store.Dec(it.BaseExact), store.Dec(it.Exact), int64(it.Amount), adjustment, voucher}, true, nil
	})
	return err
}

// RemoveDraft deletes the bills of a vendor's cycle; issued ones are refused by the database.
func (s *Store) RemoveDraft(ctx context.Context, vendorID string, c cycle.Cycle) error {
	if _, err := s.db.Exec(ctx, billDeleteItems, vendorID, string(c)); err != nil {
		return err
	}
	_, err := s.db.Exec(ctx, billDelete, vendorID, string(c))
	return err
}

// SetState moves all bills of a vendor's cycle from one state to the next and tells how many there
// were; at is the time of issue, or zero.
func (s *Store) SetState(ctx context.Context, vendorID string, c cycle.Cycle, from, to bill.State, at time.Time) (int64, error) {
	return s.db.Exec(ctx, billIssue, vendorID, string(c), string(from), string(to), store.At(at))
}

// PriceSeq is the state of the book the stored bills of the cycle were made with.
func (s *Store) PriceSeq(ctx context.Context, vendorID string, c cycle.Cycle) (int64, bool, error) {
	var seq int64
	err := s.db.Row(ctx, billPriceSeq, "bill.unknown", []any{vendorID, string(c)}, &seq)
	return seq, seq >= 0, err
}
