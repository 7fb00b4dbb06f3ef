package expenditurestore_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"huoban/internal/expenditure"
	"huoban/internal/money"
	"huoban/internal/scope"
	"huoban/internal/store"
	"huoban/internal/store/expenditurestore"
	"huoban/internal/store/storetest"
	"huoban/internal/store/usagestore"
	"huoban/internal/usage"
)

var (
	x   = money.MustExact
	now = time.Date(2024, 10, 3, 8, 0, 0, 0, time.UTC)
	// midnight is the beginning of 11 September in GMT+8.
	midnight = time.Date(2024, 9, 10, 16, 0, 0, 0, time.UTC)
	items    = []scope.Item{scope.ItemExpenditureView}
)

// world is solution partner S (customer c1 by resale; c2 by referral until midnight, then with T),
// distributor D with reseller R (customer c3), and two sources with lines of 2024-09: src prices from
// the billed column, lst from the list.
type world struct {
	t   *testing.T
	db  *store.DB
	svc *expenditure.Service
}

func newWorld(t *testing.T, db *store.DB) *world {
	w := &world{t: t, db: db, svc: &expenditure.Service{Tx: db, Store: expenditurestore.New(db), Reader: usagestore.New(db)}}
	for _, o := range [][3]string{{"V", "vendor", ""}, {"S", "solution", ""}, {"T", "solution", ""}, {"D", "distributor", ""}, {"R", "reseller", "D"},
		{"c1", "customer", ""}, {"c2", "customer", ""}, {"c3", "customer", ""}} {
		var parent any
		if o[2] != "" {
			parent = o[2]
		}
		w.insert("organisation", "id", o[0], "code", o[0], "kind", o[1], "name", "Name "+o[0], "parent_id", parent, "created_at", store.At(now))
	}
	w.associate("a1", "c1", "S", "resale", "active", time.Time{}, time.Time{})
	w.associate("a2", "c2", "S", "referral", "ended", time.Time{}, midnight)
	w.associate("a3", "c2", "T", "resale", "active", midnight, time.Time{})
	w.associate("a4", "c3", "R", "resale", "active", time.Time{}, time.Time{})
	w.associate("a5", "c3", "S", "resale", "awaiting_customer", time.Time{}, time.Time{})
	w.person("m1", "S")
	w.person("m2", "S")
	w.slot("src", "billed", 1)
	w.slot("lst", "list", 2)
	w.lines(line(1, "c1", "10.123456789", "Compute", "consumption", -2*time.Hour), line(1, "c1", "-1.5", "Compute", "refund", -time.Microsecond),
		line(1, "c1", "4", "Disk", "consumption", 0), line(1, "c1", "0", "Disk", "consumption", time.Hour),
		line(1, "c2", "5", "Compute", "consumption", -time.Microsecond), line(1, "c2", "7", "Compute", "consumption", 0),
		line(2, "c1", "30", "Database", "consumption", time.Hour), line(1, "c3", "20", "Compute", "consumption", 0),
		line(1, "~", "4.6", "Support", "tax", 0), line(1, "", "99", "Compute", "consumption", 0))
	return w
}

func (w *world) associate(id, customer, partner, kind, state string, from, to time.Time) {
	w.insert("association", "id", id, "customer_id", customer, "partner_id", partner, "kind", kind, "state", state, "valid_from", store.At(from),
		"valid_to", store.At(to), "consent_note", "", "version", int64(1), "created_at", store.At(now))
}

func (w *world) person(id, org string) {
	w.insert("person", "id", id, "org_id", org, "login", id, "login_key", id, "name", "Manager "+id, "phone", "", "email", "", "state", "active",
		"password_hash", "", "must_change", false, "supervisor_id", nil, "created_at", store.At(now), "password_changed_at", store.At(now), "last_sign_in_at", nil)
}

func (w *world) assign(id, customer, person string, from, to time.Time) {
	w.insert("assignment", "id", id, "partner_id", "S", "customer_id", customer, "person_id", person, "valid_from", store.At(from), "valid_to", store.At(to),
		"created_by", "admin", "created_at", store.At(now))
}

func (w *world) slot(source, base string, n int64) {
	w.insert("source", "id", source, "vendor_id", "V", "name", source, "dialect", "focus", "zone", "UTC", "mode", "append", "providers", "", "accounts", "",
		"currencies", "", "base_column", base, "key_column", "", "default_kind", "unmapped", "default_org_id", nil, "loose_kind", "spread", "loose_org_id", nil,
		"entity_id", nil, "columns", "", "from_cycle", "", "until_cycle", "", "created_at", store.At(now))
	d := "d-" + source
	w.insert("delivery", "id", d, "source_id", source, "number", int64(1), "state", "published", "version", int64(1), "content_sha", d, "received_at", store.At(now),
		"published_at", nil, "actor", "operator", "files", int64(1), "line_count", int64(0), "quarantined", int64(0), "skipped", int64(0), "dialect", "focus",
		"format_version", "1.0", "progress", int64(0), "warnings", "")
	w.slotOf(source, n, "2024-09")
}

func (w *world) slotOf(source string, n int64, cycle string) {
	w.insert("slot", "id", n, "delivery_id", "d-"+source, "source_id", source, "vendor_id", "V", "cycle", cycle, "state", "active", "sealed", false,
		"replaces", int64(0), "line_count", int64(0))
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

// orders are by which services were bought that are not charged by use.
var orders = map[string]string{"Disk": "CS2409110001", "Database": "CS2409110002"}

// line is charged at midnight + offset and has a list price of twice what is billed.
func line(slot int64, customer, billed, service string, kind usage.Kind, offset time.Duration) *usage.Stored {
	list := x(billed).Mul(x("2"))
	return &usage.Stored{SlotID: slot, CustomerID: customer, Line: usage.Line{ChargeStart: midnight.Add(offset), Kind: kind, Currency: "USD", Billed: x(billed),
		List: &list, Account: usage.Account{Provider: "AWS", SubAccount: "acc-" + customer}, Resource: usage.Resource{ID: "res-" + service, Name: service + " one", OrderNo: orders[service]}, Product: usage.Product{Service: service, Region: "eu", ChargingMode: usage.ModeOnDemand}}}
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
		one, err := l.Line.Sum(map[int64]string{1: "billed", 2: "list", 3: "billed"}[l.SlotID])
		if err != nil {
			w.t.Fatal(err)
		}
		l.Amount = one.Amount
		sum := sums[l.SummaryKey()]
		if err := sum.Add(one); err != nil {
			w.t.Fatal(err)
		}
		sums[l.SummaryKey()] = sum
	}
	w.tx(func(ctx context.Context) error {
		s := usagestore.New(w.db)
		if err := s.WriteLines(ctx, lines, dims); err != nil {
			return err
		}
		return s.WriteSummaries(ctx, usage.EachOf(sums))
	})
}
