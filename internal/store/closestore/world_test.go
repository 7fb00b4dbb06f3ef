package closestore_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"huoban/internal/adjustment"
	"huoban/internal/audit"
	"huoban/internal/bill"
	"huoban/internal/clock"
	"huoban/internal/cycle"
	"huoban/internal/id"
	"huoban/internal/money"
	"huoban/internal/monthclose"
	"huoban/internal/price"
	"huoban/internal/scope"
	"huoban/internal/store"
	"huoban/internal/store/auditstore"
	"huoban/internal/store/billstore"
	"huoban/internal/store/closestore"
	"huoban/internal/store/flowstore"
	"huoban/internal/store/usagestore"
	"huoban/internal/usage"
)

// world is a small vendor: Nova sells to the solution partner Sol and to the distributor Dis, whose
// reseller is Res. Ana is Sol's customer, Ben is Res's, Cho is Sol's by referral.
type world struct {
	t        *testing.T
	ctx      context.Context
	db       *store.DB
	clock    *clock.Fixed
	org      map[string]string
	source   string
	delivery string
	slots    map[cycle.Cycle]int64
	nextSlot int64
	lineNo   int64
	close    *monthclose.Service
	adjust   *adjustment.Service
	prices   *price.Service
	bills    *billstore.Store
	usage    *usagestore.Store
	vary     func(*usage.Product) // what is sold, where it shall differ from line to line
}

var (
	august    = cycle.Cycle("2026-08")
	september = cycle.Cycle("2026-09")
	october   = cycle.Cycle("2026-10")
	operator  = scope.System("operator")
)

func newWorld(t *testing.T, db *store.DB) *world {
	t.Helper()
	w := &world{t: t, ctx: context.Background(), db: db, clock: clock.At(time.Date(2026, 9, 3, 2, 0, 0, 0, time.UTC)),
		org: map[string]string{}, slots: map[cycle.Cycle]int64{}, bills: billstore.New(db), usage: usagestore.New(db)}
	chain := audit.NewChain(auditstore.New(db), w.clock, audit.Key([32]byte{1, 2, 3}))
	log, kept, adjustments := flowstore.New(db), closestore.New(db), closestore.NewAdjustments(db)
	w.prices = &price.Service{Tx: db, Store: w.bills, Audit: chain, Clock: w.clock}
	compute := &bill.Service{Store: w.bills, Books: w.prices, Reader: w.usage}
	w.close = &monthclose.Service{Tx: db, Store: kept, Bills: w.bills, Compute: compute, Books: w.prices, Audit: chain, Log: log, Clock: w.clock}
	w.adjust = &adjustment.Service{Tx: db, Store: adjustments, Cycles: w.close, Books: w.prices, Parties: w.bills, Audit: chain, Log: log, Clock: w.clock}
	compute.Adjustments = w.adjust
	w.organisations()
	return w
}

// exec runs one statement in a transaction of its own.
func (w *world) exec(text string, args ...any) error {
	return w.db.InTx(w.ctx, func(ctx context.Context) error {
		_, err := w.db.Exec(ctx, store.Query{Name: "test", Text: text}, args...)
		return err
	})
}

func (w *world) must(text string, args ...any) {
	w.t.Helper()
	if err := w.exec(text, args...); err != nil {
		w.t.Fatalf("%s: %v", strings.TrimSpace(text), err)
	}
}

func (w *world) insert(table string, columns string, args ...any) {
	w.t.Helper()
	w.must(fmt.Sprintf("insert into %s (%s) values (%s)", table, columns, store.In(1, len(args))), args...)
}

func (w *world) organisations() {
	w.t.Helper()
	at := store.At(w.clock.Now())
	for _, o := range [][3]string{{"Nova", "vendor", ""}, {"Sol", "solution", ""}, {"Dis", "distributor", ""}, {"Res", "reseller", "Dis"},
		{"Ana", "customer", ""}, {"Ben", "customer", ""}, {"Cho", "customer", ""}} {
		w.org[o[0]] = id.New()
		var parent any
		if o[2] != "" {
			parent = w.org[o[2]]
		}
		w.insert("organisation", "id, code, kind, name, parent_id, created_at", w.org[o[0]], o[0], o[1], o[0]+" Ltd", parent, at)
	}
	w.insert("contracting_entity", "id, vendor_id, code, name, is_default", id.New(), w.org["Nova"], "main", "Nova Main", true)
	for _, p := range []string{"Sol", "Dis"} {
		w.insert("partnership", "vendor_id, partner_id, created_at", w.org["Nova"], w.org[p], at)
	}
	for _, a := range [][3]string{{"Ana", "Sol", "resale"}, {"Ben", "Res", "resale"}, {"Cho", "Sol", "referral"}} {
		w.insert("association", "id, customer_id, partner_id, kind, state, consent_note, version, created_at",
			id.New(), w.org[a[0]], w.org[a[1]], a[2], "active", "entered_by_vendor", int64(1), at)
	}
	w.source, w.delivery = id.New(), id.New()
	w.insert("source", "id, vendor_id, name, dialect, zone, mode, providers, accounts, currencies, base_column, key_column, default_kind, loose_kind, columns, from_cycle, until_cycle, created_at",
		w.source, w.org["Nova"], "nova", "focus", "UTC", "snapshot", "", "", "", "billed", "", "unmapped", "spread", "{}", "", "", at)
	w.insert("delivery", "id, source_id, number, state, version, content_sha, received_at, actor, files, line_count, quarantined, skipped, dialect, format_version, progress, warnings",
		w.delivery, w.source, int64(1), "published", int64(1), "00", at, "operator", int64(1), int64(0), int64(0), int64(0), "focus", "1.0", int64(0), "[]")
	w.insert("delivery_file", "delivery_id, file_no, name, sha, format, bytes, line_count, header", w.delivery, int64(1), "nova.csv", "00", "csv", int64(1), int64(1), "")
}

// line is one row of a test month.
type line struct {
	customer, key, billed, list string
	kind                        usage.Kind
	currency                    string
	day                         int
}

// deliver adds an active slot with lines to a cycle, with its summaries, and marks it final.
func (w *world) deliver(c cycle.Cycle, final bool, lines ...line) int64 {
	w.t.Helper()
	slot := w.slot(c, "active", lines...)
	w.slots[c] = slot
	w.insert("period", "source_id, cycle, is_final, final_by, final_delivery", w.source, string(c), final, "operator", w.delivery)
	return slot
}

func (w *world) slot(c cycle.Cycle, state string, lines ...line) int64 {
	w.t.Helper()
	w.nextSlot++
	slot := w.nextSlot
	w.insert("slot", "id, delivery_id, source_id, vendor_id, cycle, state, sealed, replaces, line_count", slot, w.delivery, w.source,
		w.org["Nova"], string(c), state, false, int64(0), int64(len(lines)))
	sums := map[usage.SummaryKey]*usage.Sum{}
	for _, l := range lines {
		s := w.line(slot, c, l)
		sum, err := s.Sum("billed")
		if err != nil {
			w.t.Fatal(err)
		}
		k := s.SummaryKey()
		if sums[k] == nil {
			sums[k] = &usage.Sum{}
		}
		if err := sums[k].Add(sum); err != nil {
			w.t.Fatal(err)
		}
	}
	for k, s := range sums {
		w.insert("usage_summary", "slot_id, customer_id, account_id, product_id, kind, currency, line_count, amount_e8, exact, billed",
			slot, k.CustomerID, k.AccountID[:], k.ProductID[:], string(k.Kind), k.Currency, s.Lines, int64(s.Amount), store.Dec(s.Exact), store.Dec(s.Billed))
	}
	return slot
}

func (w *world) line(slot int64, c cycle.Cycle, in line) usage.Stored {
	w.t.Helper()
	w.lineNo++
	if in.kind == "" {
		in.kind = usage.KindConsumption
	}
	if in.currency == "" {
		in.currency = "USD"
	}
	customer := in.customer
	if known, ok := w.org[customer]; ok {
		customer = known
	}
	s := usage.Stored{SlotID: slot, CustomerID: customer}
	s.Cycle, s.Kind, s.Currency, s.Billed = c, in.kind, in.currency, money.MustExact(in.billed)
	s.ChargeStart = c.Start(time.UTC).AddDate(0, 0, in.day)
	s.ChargeEnd = s.ChargeStart.Add(time.Hour)
	s.Account = usage.Account{Provider: "Nova", SubAccount: in.key}
	s.Product = usage.Product{Service: "Compute", Region: "eu-1", ChargingMode: usage.ModeOnDemand}
	if w.vary != nil {
		w.vary(&s.Product)
	}
	if in.list != "" {
		x := money.MustExact(in.list)
		s.List = &x
	}
	sum := sha256.Sum256([]byte(fmt.Sprint(in, c)))
	copy(s.Key[:], sum[:])
	s.AccountID, s.ProductID, s.ResourceID = s.Account.Hash(), s.Product.Hash(), s.Resource.Hash()
	a, p := s.Account, s.Product
	w.must("insert into account_dim (id, provider, publisher, issuer, billing_account, billing_account_name, sub_account, sub_account_name, source_key) values ($1, $2, '', '', '', '', $3, '', '') on conflict (id) do nothing",
		s.AccountID[:], a.Provider, a.SubAccount)
	w.must("insert into product_dim (id, service, service_category, sku, sku_price, description, region, region_name, charge_category, charge_class, charge_frequency, pricing_category, charging_mode, unit) values ($1, $2, '', $5, '', '', $3, '', '', '', '', '', $4, '') on conflict (id) do nothing",
		s.ProductID[:], p.Service, p.Region, string(p.ChargingMode), p.SKU)
	w.must("insert into resource_dim (id, resource, name, type, tags) values ($1, '', '', '', '') on conflict (id) do nothing", s.ResourceID[:])
	amount, err := s.Billed.Amount()
	if err != nil {
		w.t.Fatal(err)
	}
	w.insert("usage_line", "slot_id, customer_id, charge_start, line_key, occurrence, content_hash, charge_end, file_no, line_no, account_id, product_id, resource_id, kind, currency, billed, list, amount_e8, rule_id",
		slot, s.CustomerID, store.At(s.ChargeStart), s.Key[:], int64(0), s.Key[:], store.At(s.ChargeEnd), int64(1), w.lineNo, s.AccountID[:], s.ProductID[:],
		s.ResourceID[:], string(s.Kind), s.Currency, store.Dec(s.Billed), store.OptDec(s.List), int64(amount), "")
	return s
}

// usual is a month with every kind of line: both partners, a referral, a refund, a spread tax line.
func (w *world) usual(c cycle.Cycle) {
	w.t.Helper()
	w.deliver(c, true,
		line{customer: "Ana", key: "a-1", billed: "10.123456789", list: "12", day: 1},
		line{customer: "Ana", key: "a-1", billed: "2.5", day: 2},
		line{customer: "Ana", key: "a-2", billed: "-1.25", kind: usage.KindRefund, day: 3},
		line{customer: "Ben", key: "b-1", billed: "100", list: "130", day: 1},
		line{customer: "Ben", key: "b-1", billed: "7", currency: "CNY", day: 1},
		line{customer: "Cho", key: "c-1", billed: "50", day: 4},
		line{customer: "~", key: "", billed: "3.33", kind: usage.KindTax, day: 5})
}

func (w *world) priceFile(rows ...string) {
	w.t.Helper()
	head := "partner,customer,provider,product,charging_mode,region,type,base,factor,valid_from,valid_to\n"
	_, err := w.prices.Import(w.ctx, operator, price.ImportInput{VendorID: w.org["Nova"], File: strings.NewReader(head + strings.Join(rows, "\n") + "\n")})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) run(c cycle.Cycle, issue bool) (monthclose.Result, error) {
	return w.close.Run(w.ctx, operator, monthclose.Input{VendorID: w.org["Nova"], Cycle: c, Issue: issue})
}

func (w *world) mustRun(c cycle.Cycle, issue bool) monthclose.Result {
	w.t.Helper()
	res, err := w.run(c, issue)
	if err != nil {
		w.t.Fatal(err)
	}
	return res
}

// canonical is the canonical export of a cycle's bills.
func (w *world) canonical(c cycle.Cycle) string {
	w.t.Helper()
	docs, err := w.bills.WithItems(w.ctx, operator, bill.Filter{VendorID: w.org["Nova"], Cycle: c})
	if err != nil {
		w.t.Fatal(err)
	}
	var b strings.Builder
	for i := range docs {
		b.Write(docs[i].Canonical())
	}
	return b.String()
}

func (w *world) bill(c cycle.Cycle, partner, currency string) bill.Document {
	w.t.Helper()
	docs, err := w.bills.WithItems(w.ctx, operator, bill.Filter{VendorID: w.org["Nova"], Cycle: c, PartnerID: w.org[partner], Currency: currency})
	if err != nil {
		w.t.Fatal(err)
	}
	if len(docs) != 1 {
		w.t.Fatalf("%s %s %s: %d bills", partner, c, currency, len(docs))
	}
	return docs[0]
}
