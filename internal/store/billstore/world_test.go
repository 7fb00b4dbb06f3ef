package billstore_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"huoban/internal/audit"
	"huoban/internal/bill"
	"huoban/internal/clock"
	"huoban/internal/money"
	"huoban/internal/price"
	"huoban/internal/scope"
	"huoban/internal/store"
	"huoban/internal/store/billstore"
	"huoban/internal/store/storetest"
	"huoban/internal/store/usagestore"
	"huoban/internal/usage"
)

var (
	x      = money.MustExact
	now    = time.Date(2024, 10, 3, 8, 0, 0, 0, time.UTC)
	system = scope.System("operator")
)

type recorder struct{ entries []audit.Entry }

func (r *recorder) Record(_ context.Context, e audit.Entry) error {
	r.entries = append(r.entries, e)
	return nil
}

// world is a vendor V with solution partner S (customers c1, c2), distributor D and its reseller R
// (customer c3), and one source with lines of 2024-09.
type world struct {
	t      *testing.T
	db     *store.DB
	store  *billstore.Store
	prices *price.Service
	bills  *bill.Service
	audit  *recorder
}

func newWorld(t *testing.T, db *store.DB) *world {
	w := &world{t: t, db: db, store: billstore.New(db), audit: &recorder{}}
	w.prices = &price.Service{Tx: db, Store: w.store, Audit: w.audit, Clock: clock.At(now)}
	w.bills = &bill.Service{Store: w.store, LineStore: w.store, Books: w.prices, Histories: w.prices, Reader: usagestore.New(db)}
	for _, o := range [][3]string{{"V", "vendor", ""}, {"W", "vendor", ""}, {"S", "solution", ""}, {"D", "distributor", ""}, {"R", "reseller", "D"},
		{"c1", "customer", ""}, {"c2", "customer", ""}, {"c3", "customer", ""}} {
		var parent any
		if o[2] != "" {
			parent = o[2]
		}
		w.insert("organisation", "id", o[0], "code", o[0], "kind", o[1], "name", "Name "+o[0], "parent_id", parent, "created_at", store.At(now))
	}
	w.insert("contracting_entity", "id", "e", "vendor_id", "V", "code", "main", "name", "Main", "is_default", true, "tax_in_due", false)
	for _, a := range [][2]string{{"c1", "S"}, {"c2", "S"}, {"c3", "R"}} {
		w.insert("association", "id", "a"+a[0], "customer_id", a[0], "partner_id", a[1], "kind", "resale", "state", "active", "valid_from", nil,
			"valid_to", nil, "consent_note", "", "version", int64(1), "created_at", store.At(now))
	}
	w.insert("source", "id", "src", "vendor_id", "V", "name", "cloud", "dialect", "focus", "zone", "UTC", "mode", "append", "providers", "", "accounts", "",
		"currencies", "", "base_column", "billed", "key_column", "", "default_kind", "unmapped", "default_org_id", nil, "loose_kind", "spread", "loose_org_id", nil,
		"entity_id", nil, "columns", "", "from_cycle", "", "until_cycle", "", "created_at", store.At(now))
	for n := int64(1); n <= 2; n++ {
		d := fmt.Sprint("d", n)
		w.insert("delivery", "id", d, "source_id", "src", "number", n, "state", "published", "version", int64(1), "content_sha", d, "received_at", store.At(now),
			"published_at", nil, "actor", "operator", "files", int64(1), "line_count", int64(0), "quarantined", int64(0), "skipped", int64(0), "dialect", "focus",
			"format_version", "1.0", "progress", int64(0), "warnings", "")
		w.insert("delivery_file", "delivery_id", d, "file_no", int64(1), "name", d+".csv", "sha", d, "format", "csv", "bytes", int64(1), "line_count", int64(1), "header", "")
		w.insert("slot", "id", n, "delivery_id", d, "source_id", "src", "vendor_id", "V", "cycle", "2024-09", "state", "active", "sealed", false,
			"replaces", int64(0), "line_count", int64(0))
	}
	return w
}

func (w *world) insert(table string, pairs ...any) {
	w.t.Helper()
	storetest.Insert(w.t, w.db, table, pairs...)
}

func (w *world) tx(fn func(ctx context.Context) error) {
	w.t.Helper()
	if err := w.db.InTx(context.Background(), fn); err != nil {
		w.t.Fatal(err)
	}
}

// lines writes imported lines with their summaries.
func (w *world) lines(lines ...*usage.Stored) {
	w.t.Helper()
	dims, sums := usage.NewDims(), map[usage.SummaryKey]usage.Sum{}
	for i, l := range lines {
		l.AccountID, l.ProductID, l.ResourceID = l.Account.Hash(), l.Product.Hash(), l.Resource.Hash()
		dims.Accounts[l.AccountID], dims.Products[l.ProductID], dims.Resources[l.ResourceID] = l.Account, l.Product, l.Resource
		l.Key = usage.HashOf(fmt.Sprint(i))
		l.LineNo, l.FileNo, l.ChargeEnd = int64(i+2), 1, l.ChargeStart.Add(time.Hour)
		amount, err := l.Billed.Amount()
		if err != nil {
			w.t.Fatal(err)
		}
		l.Amount = amount
		k := usage.SummaryKey{SlotID: l.SlotID, CustomerID: l.CustomerID, AccountID: l.AccountID, ProductID: l.ProductID, Kind: l.Kind, Currency: l.Currency}
		s := sums[k]
		sums[k] = usage.Sum{Lines: s.Lines + 1, Amount: s.Amount + amount, Exact: s.Exact.Add(l.Billed), Billed: s.Billed.Add(l.Billed)}
	}
	w.tx(func(ctx context.Context) error {
		s := usagestore.New(w.db)
		if err := s.WriteLines(ctx, lines, dims); err != nil {
			return err
		}
		return s.WriteSummaries(ctx, usage.EachOf(sums))
	})
}

func line(slot int64, customer, billed, service string, kind usage.Kind, hour int) *usage.Stored {
	return &usage.Stored{SlotID: slot, CustomerID: customer, Line: usage.Line{ChargeStart: time.Date(2024, 9, 10, hour, 0, 0, 0, time.UTC), Kind: kind,
		Currency: "USD", Billed: x(billed), Account: usage.Account{Provider: "AWS"}, Product: usage.Product{Service: service, Region: "eu"}}}
}

func (w *world) usual() {
	w.lines(line(1, "c1", "10.123456789", "Compute", "consumption", 1), line(1, "c1", "-1.5", "Compute", "refund", 2), line(2, "c1", "2", "Disk", "consumption", 1),
		line(1, "c1", "0", "Disk", "consumption", 3), line(1, "c2", "5", "Compute", "consumption", 1), line(2, "c3", "20", "Compute", "consumption", 1),
		line(1, "~", "3.7", "Tax", "tax", 1))
}

// draft computes and saves the bills of 2024-09.
func (w *world) draft() *bill.Result {
	w.t.Helper()
	var r *bill.Result
	w.tx(func(ctx context.Context) (err error) {
		if r, err = w.bills.Compute(ctx, "V", "2024-09"); err != nil {
			return err
		}
		return w.store.SaveDraft(ctx, "V", "2024-09", r.Documents, now)
	})
	return r
}
