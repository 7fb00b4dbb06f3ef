package billstore

import (
	"context"
	"database/sql"

	"huoban/internal/bill"
	"huoban/internal/cycle"
	"huoban/internal/store"
	"huoban/internal/usage"
)

var (
	lineOfCustomer = set.Get("line.OfCustomer")
	lineBack       = set.Get("line.OfCustomerBack")
	lineFiles      = set.Get("line.Files")
)

// firstStart lies before every charge, lastStart behind.
const (
	firstStart = "0001-01-01T00:00:00.000000Z"
	lastStart  = "9999-12-31T23:59:59.999999Z"
)

// CustomerLines is a page of a customer's lines in one slot, in key order after a place or against it before
// one (zero: from the beginning, or the end), dimensions filled in.
func (s *Store) CustomerLines(ctx context.Context, slotID int64, customerID, currency string, f bill.LineFilter, from usage.Place, back bool, limit int) ([]usage.Stored, error) {
	query, start, occurrence := lineOfCustomer, from.Start, from.Occurrence
	if start == "" {
		start, occurrence = firstStart, -1
	}
	if back {
		if query = lineBack; from.Start == "" {
			start = lastStart
		}
	}
	var out []usage.Stored
	args := []any{slotID, customerID, start, from.Key[:], occurrence, currency, f.Product, f.Region, string(f.Kind), string(f.Mode), int64(limit)}
	err := s.db.Each(ctx, query, args, func(rows *sql.Rows) error {
		l := usage.Stored{SlotID: slotID, CustomerID: customerID}
		if err := scanLine(rows, &l); err != nil {
			return err
		}
		out = append(out, l)
		return nil
	})
	return out, err
}

func scanLine(rows *sql.Rows, l *usage.Stored) error {
	var start, end store.Instant
	var key, content, account, product, resource []byte
	var fileNo int64
	var kind, mode string
	var billed, list, contracted, effective, quantity store.Decimal
	a, p, r := &l.Account, &l.Product, &l.Resource
	err := rows.Scan(&start, &key, &l.Occurrence, &content, &end, &fileNo, &l.LineNo, &account, &product, &resource, &kind, &l.Currency,
		&billed, &list, &contracted, &effective, &quantity, &l.RuleID,
		&a.Provider, &a.Publisher, &a.Issuer, &a.BillingAccount, &a.BillingAccountName, &a.SubAccount, &a.SubAccountName, &a.SourceKey,
		&p.Service, &p.ServiceCategory, &p.SKU, &p.SKUPrice, &p.Description, &p.Region, &p.RegionName, &p.ChargeCategory, &p.ChargeClass,
		&p.ChargeFrequency, &p.PricingCategory, &mode, &p.Unit, &r.ID, &r.Name, &r.Type, &r.Tags, &r.OrderNo)
	if err != nil {
		return err
	}
	l.ChargeStart, l.ChargeEnd, l.FileNo, l.Kind, p.ChargingMode = start.Time, end.Time, int(fileNo), usage.Kind(kind), usage.ChargingMode(mode)
	l.Billed, l.List, l.Contracted, l.Effective, l.Quantity = billed.Exact, list.Ptr(), contracted.Ptr(), effective.Ptr(), quantity.Ptr()
	copy(l.Key[:], key)
	copy(l.Content[:], content)
	copy(l.AccountID[:], account)
	copy(l.ProductID[:], product)
	copy(l.ResourceID[:], resource)
	return nil
}

// Files names the files behind the active slots of a cycle.
func (s *Store) Files(ctx context.Context, vendorID string, c cycle.Cycle) (map[bill.FileKey]bill.File, error) {
	out := map[bill.FileKey]bill.File{}
	err := s.db.Each(ctx, lineFiles, []any{vendorID, string(c)}, func(rows *sql.Rows) error {
		var slot, number, fileNo int64
		var name string
		if err := rows.Scan(&slot, &number, &fileNo, &name); err != nil {
			return err
		}
		out[bill.FileKey{SlotID: slot, FileNo: int(fileNo)}] = bill.File{Delivery: number, Name: name}
		return nil
	})
	return out, err
}
