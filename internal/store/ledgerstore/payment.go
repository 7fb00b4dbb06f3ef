package ledgerstore

import (
	"context"
	"database/sql"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/payment"
	"huoban/internal/store"
)

var (
	qBills     = q.Get("payment.Bills")
	qRipe      = q.Get("payment.Ripe")
	qShares    = q.Get("payment.Shares")
	qBegin     = q.Get("payment.Begin")
	qSetPaid   = q.Get("payment.Set")
	qAlert     = q.Get("payment.Alert")
	qAlerts    = q.Get("payment.Alerts")
	qSaveAlert = q.Get("payment.SaveAlert")
	qDropAlert = q.Get("payment.DropAlert")
)

// Payments implements payment.Store.
type Payments struct{ db *store.DB }

// NewPayments makes the store.
func NewPayments(db *store.DB) *Payments { return &Payments{db} }

func (s *Payments) bills(ctx context.Context, q store.Query, args ...any) ([]payment.Bill, error) {
	var out []payment.Bill
	err := s.db.Each(ctx, q, args, func(rows *sql.Rows) error {
		var b payment.Bill
		var issued, settled store.Instant
		err := rows.Scan(&b.ID, &b.VendorID, &b.PartnerID, &b.SellerID, &b.VendorCode, &b.VendorName, &b.PartnerCode, &b.PartnerName, &b.Cycle, &b.Currency, &b.Code, &b.EntityCode, &b.EntityName, &b.Due,
			&b.Paid, &b.State, &b.Version, &issued, &settled)
		b.IssuedAt, b.SettledAt = issued.Time, settled.Time
		out = append(out, b)
		return err
	})
	return out, err
}

// Bills lists issued bills.
func (s *Payments) Bills(ctx context.Context, f payment.Filter) ([]payment.Bill, error) {
	open := int64(0)
	if f.Open {
		open = 1
	}
	return s.bills(ctx, qBills, f.VendorID, f.PartnerID, f.BillID, open)
}

// Ripe lists what was never collected.
func (s *Payments) Ripe(ctx context.Context, before cycle.Cycle, limit int) ([]payment.Bill, error) {
	return s.bills(ctx, qRipe, string(before), int64(limit))
}

// Shares sums a bill by customer.
func (s *Payments) Shares(ctx context.Context, billID string) ([]payment.Share, error) {
	var out []payment.Share
	err := s.db.Each(ctx, qShares, []any{billID}, func(rows *sql.Rows) error {
		var x payment.Share
		err := rows.Scan(&x.CustomerID, &x.Amount)
		out = append(out, x)
		return err
	})
	return out, err
}

// Begin writes the first state.
func (s *Payments) Begin(ctx context.Context, b payment.Bill, at time.Time) (bool, error) {
	n, err := s.db.Exec(ctx, qBegin, b.ID, store.At(at))
	return n == 1, err
}

// Set writes what was paid.
func (s *Payments) Set(ctx context.Context, b payment.Bill, at time.Time) (bool, error) {
	n, err := s.db.Exec(ctx, qSetPaid, b.ID, b.Version, string(b.State), int64(b.Paid), optAt(b.SettledAt), store.At(at))
	return n == 1, err
}

func optAt(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return store.At(t)
}

func (s *Payments) alerts(ctx context.Context, q store.Query, args ...any) ([]payment.Alert, error) {
	var out []payment.Alert
	err := s.db.Each(ctx, q, args, func(rows *sql.Rows) error {
		var a payment.Alert
		var at store.Instant
		err := rows.Scan(&a.VendorID, &a.PartnerID, &a.Currency, &a.Threshold, &a.UpdatedBy, &at)
		a.UpdatedAt = at.Time
		out = append(out, a)
		return err
	})
	return out, err
}

// Alert reads one.
func (s *Payments) Alert(ctx context.Context, vendorID, partnerID, currency string) (payment.Alert, bool, error) {
	list, err := s.alerts(ctx, qAlert, vendorID, partnerID, currency)
	if err != nil || len(list) == 0 {
		return payment.Alert{}, false, err
	}
	return list[0], true, nil
}

// Alerts lists a partner's.
func (s *Payments) Alerts(ctx context.Context, partnerID string) ([]payment.Alert, error) {
	return s.alerts(ctx, qAlerts, partnerID)
}

// SaveAlert writes one.
func (s *Payments) SaveAlert(ctx context.Context, a payment.Alert) error {
	_, err := s.db.Exec(ctx, qSaveAlert, a.VendorID, a.PartnerID, a.Currency, int64(a.Threshold), a.UpdatedBy, store.At(a.UpdatedAt))
	return err
}

// DropAlert takes one off.
func (s *Payments) DropAlert(ctx context.Context, a payment.Alert) error {
	_, err := s.db.Exec(ctx, qDropAlert, a.VendorID, a.PartnerID, a.Currency)
	return err
}
