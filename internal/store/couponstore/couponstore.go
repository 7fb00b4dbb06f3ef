// Package couponstore keeps quotas, vouchers, what was done with them and what they paid.
//
// It owns the queries of coupon_quota, coupon, coupon_record and coupon_use; it does not own their rules. Invariant: an
// amount leaves a quota by one statement that has it there, so that two who draw at once never draw more than it has.
package couponstore

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"time"

	"huoban/internal/coupon"
	"huoban/internal/money"
	"huoban/internal/store"
)

//go:embed query/*.sql
var files embed.FS

var (
	q                                 = store.Load(files)
	qNextNumbers                      = q.Get("coupon.NextNumbers")
	qQuotaByID, qQuotasOfVendor       = q.Get("coupon.QuotaByID"), q.Get("coupon.QuotasOfVendor")
	qQuotasOfOwner, qQuotasOfGiver    = q.Get("coupon.QuotasOfOwner"), q.Get("coupon.QuotasOfGiver")
	qByID, qOfVendor                  = q.Get("coupon.ByID"), q.Get("coupon.OfVendor")
	qOfIssuer, qOfHolder, qOfQuota    = q.Get("coupon.OfIssuer"), q.Get("coupon.OfHolder"), q.Get("coupon.OfQuota")
	qUsesOf, qUsesOfOrder             = q.Get("coupon.UsesOf"), q.Get("coupon.UsesOfOrder")
	qUsesOfBill, qUsesOfVendor        = q.Get("coupon.UsesOfBill"), q.Get("coupon.UsesOfVendor")
	qPlanned, qIssuePlan, qRemovePlan = q.Get("coupon.Planned"), q.Get("coupon.IssuePlan"), q.Get("coupon.RemovePlan")
	qUsesOfPartner                    = q.Get("coupon.UsesOfPartner")
	qRipeQuotas                       = q.Get("coupon.RipeQuotas")
	qInsertQuota                      = q.Get("coupon.InsertQuota")
	qSetQuota                         = q.Get("coupon.SetQuota")
	qDraw                             = q.Get("coupon.Draw")
	qReturn                           = q.Get("coupon.Return")
	qRecall                           = q.Get("coupon.Recall")
	qEndingQuotas, qEndingCoupons     = q.Get("coupon.EndingQuotas"), q.Get("coupon.EndingCoupons")
	qRemindedQuota, qRemindedCoupon   = q.Get("coupon.RemindedQuota"), q.Get("coupon.RemindedCoupon")
	qRipe                             = q.Get("coupon.Ripe")
	qSet                              = q.Get("coupon.Set")
	qPairs                            = q.Get("coupon.Pairs")
	qRecords                          = q.Get("coupon.Records")
)

// Store implements coupon.Store.
type Store struct{ db *store.DB }

// New makes the store.
func New(db *store.DB) *Store { return &Store{db} }

// keptLimits are limits as text: amounts are counts of 1e-8.
type keptLimits struct {
	Services  []string `json:"s,omitempty"`
	Products  []string `json:"p,omitempty"`
	Regions   []string `json:"r,omitempty"`
	Modes     []string `json:"m,omitempty"`
	Customers []string `json:"c,omitempty"`
	Orders    []string `json:"o,omitempty"`
	Min       int64    `json:"a,omitempty"`
	Max       int64    `json:"b,omitempty"`
}

func limitsText(l coupon.Limits) (string, error) {
	b, err := json.Marshal(keptLimits{l.Services, l.Products, l.Regions, l.Modes, l.Customers, l.Orders, int64(l.MinOrder), int64(l.MaxOrder)})
	return string(b), err
}

func limitsOf(text string) (coupon.Limits, error) {
	var k keptLimits
	err := json.Unmarshal([]byte(text), &k)
	return coupon.Limits{Services: k.Services, Products: k.Products, Regions: k.Regions, Modes: k.Modes, Customers: k.Customers, Orders: k.Orders,
		MinOrder: money.Amount(k.Min), MaxOrder: money.Amount(k.Max)}, err
}

// NextNumbers are the next numbers of the vendor.
func (s *Store) NextNumbers(ctx context.Context, vendorID string) (quota, voucher int64, err error) {
	err = s.db.Row(ctx, qNextNumbers, "coupon.unknown", []any{vendorID}, &quota, &voucher)
	return quota, voucher, err
}

func (s *Store) quotas(ctx context.Context, query store.Query, args ...any) ([]coupon.Quota, error) {
	var out []coupon.Quota
	err := s.db.Each(ctx, query, args, func(rows *sql.Rows) error {
		var x coupon.Quota
		var from, to, created, changed store.Instant
		var limits string
		err := rows.Scan(&x.ID, &x.VendorID, &x.Number, &x.OwnerID, &x.ParentID, &x.GiverID, &x.Kind, &x.Currency, &x.Value, &x.Balance, &x.Issued, &x.Returned, &x.State,
			&from, &to, &limits, &x.Memo, &x.Change, &x.ProposedBy, &x.DecidedBy, &x.Reason, &x.Version, &created, &changed)
		if err != nil {
			return err
		}
		x.From, x.To, x.CreatedAt, x.Changed = from.Time, to.Time, created.Time, changed.Time
		x.Limits, err = limitsOf(limits)
		out = append(out, x)
		return err
	})
	return out, err
}

// QuotaByID finds one; none is an empty list.
func (s *Store) QuotaByID(ctx context.Context, id string) ([]coupon.Quota, error) {
	return s.quotas(ctx, qQuotaByID, id)
}

// Quotas lists an organisation's, the newest first.
func (s *Store) Quotas(ctx context.Context, of coupon.Side, orgID string) ([]coupon.Quota, error) {
	return s.quotas(ctx, map[coupon.Side]store.Query{coupon.SideVendor: qQuotasOfVendor, coupon.SideOwner: qQuotasOfOwner, coupon.SideGiver: qQuotasOfGiver}[of], orgID)
}

// RipeQuotas lists those that stand beyond their validity.
func (s *Store) RipeQuotas(ctx context.Context, now time.Time, limit int) ([]coupon.Quota, error) {
	return s.quotas(ctx, qRipeQuotas, store.At(now), limit)
}

// InsertQuota writes a new one, whole.
func (s *Store) InsertQuota(ctx context.Context, x coupon.Quota) error {
	limits, err := limitsText(x.Limits)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, qInsertQuota, x.ID, x.VendorID, x.Number, x.OwnerID, key(x.ParentID), x.GiverID, string(x.Kind), x.Currency, int64(x.Value), string(x.State),
		store.At(x.From), store.At(x.To), limits, x.Memo, x.ProposedBy, store.At(x.CreatedAt))
	return err
}

// SetQuota writes what an action changed.
func (s *Store) SetQuota(ctx context.Context, x coupon.Quota, from coupon.QuotaState, version int64) (bool, error) {
	n, err := s.db.Exec(ctx, qSetQuota, x.ID, string(from), version, string(x.State), int64(x.Value), int64(x.Balance), int64(x.Issued), int64(x.Change), x.ProposedBy, x.DecidedBy,
		x.Reason, store.At(x.Changed))
	return n == 1, err
}

// Draw takes an amount out of a quota that has it.
func (s *Store) Draw(ctx context.Context, quotaID string, amount money.Amount, at time.Time) (bool, error) {
	n, err := s.db.Exec(ctx, qDraw, quotaID, int64(amount), store.At(at))
	return n == 1, err
}

// Return puts an amount back.
func (s *Store) Return(ctx context.Context, quotaID string, amount money.Amount, at time.Time) error {
	_, err := s.db.Exec(ctx, qReturn, quotaID, int64(amount), store.At(at))
	return err
}

func (s *Store) coupons(ctx context.Context, query store.Query, args ...any) ([]coupon.Coupon, error) {
	var out []coupon.Coupon
	err := s.db.Each(ctx, query, args, func(rows *sql.Rows) error {
		var x coupon.Coupon
		var from, to, used, created, changed store.Instant
		var limits string
		err := rows.Scan(&x.ID, &x.VendorID, &x.Number, &x.QuotaID, &x.IssuerID, &x.HolderID, &x.Level, &x.Kind, &x.Currency, &x.Face, &x.Balance, &x.Used, &x.Returned, &x.State,
			&from, &to, &limits, &x.LockOrder, &x.Frozen, &x.Memo, &x.IssuedBy, &x.DecidedBy, &x.Reason, &used, &x.Version, &created, &changed)
		if err != nil {
			return err
		}
		x.From, x.To, x.UsedAt, x.CreatedAt, x.Changed = from.Time, to.Time, used.Time, created.Time, changed.Time
		x.Limits, err = limitsOf(limits)
		out = append(out, x)
		return err
	})
	return out, err
}

// CouponByID finds one; none is an empty list.
func (s *Store) CouponByID(ctx context.Context, id string) ([]coupon.Coupon, error) {
	return s.coupons(ctx, qByID, id)
}

// Coupons lists those of an organisation, or those cut from a quota, the newest first.
func (s *Store) Coupons(ctx context.Context, of coupon.Side, id string) ([]coupon.Coupon, error) {
	return s.coupons(ctx, map[coupon.Side]store.Query{coupon.SideVendor: qOfVendor, coupon.SideGiver: qOfIssuer, coupon.SideOwner: qOfHolder, coupon.SideQuota: qOfQuota}[of], id)
}

// RipeCoupons lists those that stand beyond their validity.
func (s *Store) RipeCoupons(ctx context.Context, now time.Time, limit int) ([]coupon.Coupon, error) {
	return s.coupons(ctx, qRipe, store.At(now), limit)
}

var couponColumns = []string{"id", "vendor_id", "number", "quota_id", "issuer_id", "holder_id", "level", "kind", "currency", "face_e8", "balance_e8", "used_e8", "returned_e8",
	"state", "valid_from", "valid_to", "limits", "lock_order", "frozen", "memo", "issued_by", "decided_by", "reason", "used_at", "version", "created_at", "changed_at"}

// InsertCoupons writes new ones.
func (s *Store) InsertCoupons(ctx context.Context, all []coupon.Coupon) error {
	return s.bulk(ctx, "coupon", couponColumns, len(all), func(i int) ([]any, error) {
		x := &all[i]
		limits, err := limitsText(x.Limits)
		return []any{x.ID, x.VendorID, x.Number, key(x.QuotaID), x.IssuerID, x.HolderID, string(x.Level), string(x.Kind), x.Currency, int64(x.Face), int64(x.Balance), int64(x.Used),
			int64(x.Returned), string(x.State), store.At(x.From), store.At(x.To), limits, x.LockOrder, x.Frozen, x.Memo, x.IssuedBy, x.DecidedBy, x.Reason, store.At(x.UsedAt),
			x.Version, store.At(x.CreatedAt), store.At(x.Changed)}, err
	})
}

func (s *Store) bulk(ctx context.Context, table string, columns []string, n int, row func(i int) ([]any, error)) error {
	i := 0
	_, err := s.db.Bulk(ctx, table, columns, func() ([]any, bool, error) {
		if i == n {
			return nil, false, nil
		}
		out, err := row(i)
		i++
		return out, true, err
	})
	return err
}

// Pairs are whose vouchers customers hold.
func (s *Store) Pairs(ctx context.Context) ([]coupon.Pair, error) {
	var out []coupon.Pair
	err := s.db.Each(ctx, qPairs, nil, func(rows *sql.Rows) error {
		var x coupon.Pair
		err := rows.Scan(&x.IssuerID, &x.HolderID)
		out = append(out, x)
		return err
	})
	return out, err
}

// SetCoupon writes what an action changed.
func (s *Store) SetCoupon(ctx context.Context, x coupon.Coupon, from coupon.State, version int64) (bool, error) {
	n, err := s.db.Exec(ctx, qSet, x.ID, string(from), version, string(x.State), int64(x.Balance), int64(x.Used), int64(x.Returned), x.LockOrder, x.Frozen, x.DecidedBy, x.Reason,
		store.At(x.UsedAt), store.At(x.Changed))
	return n == 1, err
}

var recordColumns = []string{"id", "vendor_id", "org_id", "other_id", "operation", "quota_id", "coupon_id", "customer_id", "amount_e8", "currency", "code", "operator", "remark", "at"}

// InsertRecords writes what was done.
func (s *Store) InsertRecords(ctx context.Context, all []coupon.Record) error {
	return s.bulk(ctx, "coupon_record", recordColumns, len(all), func(i int) ([]any, error) {
		x := &all[i]
		return []any{x.ID, x.VendorID, x.OrgID, key(x.OtherID), string(x.Operation), key(x.QuotaID), key(x.CouponID), key(x.CustomerID), int64(x.Amount), x.Currency, x.Code,
			x.Operator, x.Remark, store.At(x.At)}, nil
	})
}

// Records lists an organisation's log, the newest first.
func (s *Store) Records(ctx context.Context, f coupon.RecordFilter) ([]coupon.Record, error) {
	var out []coupon.Record
	err := s.db.Each(ctx, qRecords, []any{f.OrgID, f.QuotaID, f.CouponID}, func(rows *sql.Rows) error {
		var x coupon.Record
		var at store.Instant
		err := rows.Scan(&x.ID, &x.VendorID, &x.OrgID, &x.OtherID, &x.OtherName, &x.Operation, &x.QuotaID, &x.QuotaNumber, &x.CouponID, &x.CouponNumber, &x.CustomerID, &x.CustomerCode,
			&x.CustomerName, &x.Amount, &x.Currency, &x.Code, &x.Operator, &x.Remark, &at)
		x.At = at.Time
		out = append(out, x)
		return err
	})
	return out, err
}

var useColumns = []string{"id", "coupon_id", "vendor_id", "cycle", "partner_id", "currency", "entity_id", "customer_id", "order_id", "seq", "slot_id", "charge_start", "line_key",
	"occurrence", "part", "item_no", "provider", "service", "sku", "region", "charging_mode", "line_e8", "before_e8", "amount_e8", "at", "drafted"}

// InsertUses writes what vouchers paid.
func (s *Store) InsertUses(ctx context.Context, all []coupon.Use) error {
	return s.bulk(ctx, "coupon_use", useColumns, len(all), func(i int) ([]any, error) {
		x := &all[i]
		var lineKey any // none of an order
		if len(x.Key) > 0 {
			lineKey = x.Key
		}
		return []any{x.ID, x.CouponID, x.VendorID, x.Cycle, x.PartnerID, x.Currency, x.EntityID, key(x.CustomerID), x.OrderID, x.Seq, x.SlotID, x.Start, lineKey, x.Occurrence, x.Part,
			x.ItemNo, x.Provider, x.Service, x.SKU, x.Region, x.Mode, int64(x.Line), int64(x.Before), int64(x.Amount), store.At(x.At), x.Drafted}, nil
	})
}

// Uses lists what a voucher paid; with an order only of that.
func (s *Store) Uses(ctx context.Context, couponID, orderID string) ([]coupon.Use, error) {
	return s.uses(ctx, qUsesOf, couponID, orderID)
}

// OrderUses lists what paid an order of a customer.
func (s *Store) OrderUses(ctx context.Context, c *coupon.Coupon, orderID string) ([]coupon.Use, error) {
	return s.uses(ctx, qUsesOfOrder, c.VendorID, c.IssuerID, orderID, c.HolderID)
}

// BillUses lists what paid the lines of a bill, in their order.
func (s *Store) BillUses(ctx context.Context, b coupon.Bill) ([]coupon.Use, error) {
	return s.uses(ctx, qUsesOfBill, b.VendorID, b.Cycle, b.PartnerID, b.Currency, b.EntityID)
}

// PartnerUses lists what was paid on a partner's bills of a cycle.
func (s *Store) PartnerUses(ctx context.Context, partnerID, cycle string) ([]coupon.Use, error) {
	return s.uses(ctx, qUsesOfPartner, partnerID, cycle)
}

// Planned lists what the drafts of a cycle planned.
func (s *Store) Planned(ctx context.Context, vendorID, cycle string) ([]coupon.Use, error) {
	return s.uses(ctx, qPlanned, vendorID, cycle)
}

// IssuePlan makes what was planned count.
func (s *Store) IssuePlan(ctx context.Context, vendorID, cycle string, at time.Time) error {
	_, err := s.db.Exec(ctx, qIssuePlan, vendorID, cycle, store.At(at))
	return err
}

// RemovePlan forgets what was planned.
func (s *Store) RemovePlan(ctx context.Context, vendorID, cycle string) error {
	_, err := s.db.Exec(ctx, qRemovePlan, vendorID, cycle)
	return err
}

// Recall takes an amount out of a quota again that had come back.
func (s *Store) Recall(ctx context.Context, quotaID string, amount money.Amount, at time.Time) (bool, error) {
	n, err := s.db.Exec(ctx, qRecall, quotaID, int64(amount), store.At(at))
	return n == 1, err
}

// EndingQuotas lists those whose owner is to be told.
func (s *Store) EndingQuotas(ctx context.Context, until time.Time) ([]coupon.Quota, error) {
	return s.quotas(ctx, qEndingQuotas, store.At(until))
}

// EndingCoupons lists those whose holder is to be told.
func (s *Store) EndingCoupons(ctx context.Context, until time.Time) ([]coupon.Coupon, error) {
	return s.coupons(ctx, qEndingCoupons, store.At(until))
}

// Reminded marks one of the two as told.
func (s *Store) Reminded(ctx context.Context, quotaID, couponID string) error {
	query, id := qRemindedQuota, quotaID
	if couponID != "" {
		query, id = qRemindedCoupon, couponID
	}
	_, err := s.db.Exec(ctx, query, id)
	return err
}

// VendorUses lists everything vouchers of a vendor paid.
func (s *Store) VendorUses(ctx context.Context, vendorID string) ([]coupon.Use, error) {
	return s.uses(ctx, qUsesOfVendor, vendorID)
}

func (s *Store) uses(ctx context.Context, query store.Query, args ...any) ([]coupon.Use, error) {
	var out []coupon.Use
	err := s.db.Each(ctx, query, args, func(rows *sql.Rows) error {
		var x coupon.Use
		var at store.Instant
		err := rows.Scan(&x.ID, &x.CouponID, &x.Number, &x.VendorID, &x.Cycle, &x.PartnerID, &x.Currency, &x.EntityID, &x.CustomerID, &x.Customer, &x.OrderID, &x.Seq, &x.SlotID, &x.Start,
			&x.Key, &x.Occurrence, &x.Part, &x.ItemNo, &x.Provider, &x.Service, &x.SKU, &x.Region, &x.Mode, &x.Line, &x.Before, &x.Amount, &at, &x.Drafted)
		x.At = at.Time
		out = append(out, x)
		return err
	})
	return out, err
}

// key is null for none.
func key(id string) any {
	if id == "" {
		return nil
	}
	return id
}
