package statementstore_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"huoban/internal/audit"
	"huoban/internal/bill"
	"huoban/internal/clock"
	"huoban/internal/customer"
	"huoban/internal/money"
	"huoban/internal/organisation"
	"huoban/internal/price"
	"huoban/internal/scope"
	"huoban/internal/statement"
	"huoban/internal/statementexport"
	"huoban/internal/store"
	"huoban/internal/store/auditstore"
	"huoban/internal/store/billstore"
	"huoban/internal/store/flowstore"
	"huoban/internal/store/orgstore"
	"huoban/internal/store/statementstore"
	"huoban/internal/store/storetest"
	"huoban/internal/store/usagestore"
	"huoban/internal/usage"
)

const month = "2026-09"

var (
	x     = money.MustExact
	now   = time.Date(2026, 10, 6, 8, 0, 0, 0, time.UTC)
	items = []scope.Item{scope.ItemStatementView, scope.ItemStatementChange, scope.ItemStatementIssue, scope.ItemBillView, scope.ItemExpenditureView, scope.ItemExportOwn}
	alice = scope.Partner("S", "alice", "alice", items, nil)
	dora  = scope.Partner("D", "dora", "dora", items, []string{"R"})
	rosa  = scope.Partner("R", "rosa", "rosa", items, nil)
	carl  = scope.Customer("c1", "carl", "carl", items)
)

// world is a vendor V that sells at 0.8 to solution partner S (customers c1, c2) and to distributor D, whose reseller R
// has c3; c4 went from R to D on 2026-09-16. All lines are of 2026-09, in GMT+8.
type world struct {
	t        *testing.T
	db       *store.DB
	clock    *clock.Fixed
	bills    *billstore.Store
	service  *statement.Service
	rendered map[string]int // how often each file was made
	sent     []string
}

func newWorld(t *testing.T, db *store.DB) *world { return newWorldOf(t, db, 0) }

// newWorldOf is the world with more customers of S, of three lines each.
func newWorldOf(t *testing.T, db *store.DB, more int) *world {
	w := &world{t: t, db: db, clock: clock.At(now), bills: billstore.New(db), rendered: map[string]int{}}
	for _, o := range [][3]string{{"V", "vendor", ""}, {"S", "solution", ""}, {"D", "distributor", ""}, {"R", "reseller", "D"},
		{"c1", "customer", ""}, {"c2", "customer", ""}, {"c3", "customer", ""}, {"c4", "customer", ""}} {
		var parent any
		if o[2] != "" {
			parent = o[2]
		}
		w.insert("organisation", "id", o[0], "code", strings.ToUpper(o[0]), "kind", o[1], "name", "名称 "+o[0], "parent_id", parent, "created_at", store.At(now))
	}
	w.insert("contracting_entity", "id", "e", "vendor_id", "V", "code", "main", "name", "Main", "is_default", true, "tax_in_due", false)
	for _, p := range []string{"S", "D"} {
		w.insert("partnership", "vendor_id", "V", "partner_id", p, "entity_id", nil, "created_at", store.At(now))
	}
	handover := time.Date(2026, 9, 15, 16, 0, 0, 0, time.UTC)
	w.associate("c1", "S", time.Time{}, time.Time{})
	w.associate("c2", "S", time.Time{}, time.Time{})
	w.associate("c3", "R", time.Time{}, time.Time{})
	w.associate("c4", "R", time.Time{}, handover)
	w.associate("c4", "D", handover, time.Time{})
	w.insert("source", "id", "src", "vendor_id", "V", "name", "cloud", "dialect", "focus", "zone", "+08:00", "mode", "append", "providers", "", "accounts", "",
		"currencies", "", "base_column", "billed", "key_column", "", "default_kind", "unmapped", "default_org_id", nil, "loose_kind", "spread", "loose_org_id", nil,
		"entity_id", nil, "columns", "", "from_cycle", "", "until_cycle", "", "created_at", store.At(now))
	w.insert("delivery", "id", "d", "source_id", "src", "number", int64(1), "state", "published", "version", int64(1), "content_sha", "d", "received_at", store.At(now),
		"published_at", nil, "actor", "operator", "files", int64(1), "line_count", int64(0), "quarantined", int64(0), "skipped", int64(0), "dialect", "focus",
		"format_version", "1.0", "progress", int64(0), "warnings", "")
	w.insert("delivery_file", "delivery_id", "d", "file_no", int64(1), "name", "d.csv", "sha", "d", "format", "csv", "bytes", int64(1), "line_count", int64(1), "header", "")
	w.insert("slot", "id", int64(1), "delivery_id", "d", "source_id", "src", "vendor_id", "V", "cycle", month, "state", "active", "sealed", false, "replaces", int64(0), "line_count", int64(0))
	chain := audit.NewChain(auditstore.New(db), w.clock, audit.Key{1})
	prices := &price.Service{Tx: db, Store: w.bills, Audit: chain, Clock: w.clock}
	if _, err := prices.Import(context.Background(), scope.System("operator"), price.ImportInput{VendorID: "V", File: strings.NewReader("partner,factor\nS,0.8\nD,0.8\nR,0.9\n")}); err != nil {
		t.Fatal(err)
	}
	lines := &bill.Service{Store: w.bills, LineStore: w.bills, Books: prices, Histories: prices, Reader: usagestore.New(db)}
	orgs := organisation.New(orgstore.NewOrganisations(db), db, chain, w.clock)
	links := customer.New(customer.Deps{Store: orgstore.NewCustomers(db), Tx: db, Audit: chain, Clock: w.clock, Organisations: orgs})
	render := statementexport.Renderer(func(string) func(string) string { return func(key string) string { return key } })
	w.service = statement.New(statement.Deps{Tx: db, Store: statementstore.New(db), Bills: w.bills, Lines: lines, Links: links, Organisations: orgs, Log: flowstore.New(db), Audit: chain, Clock: w.clock,
		Render: func(ctx context.Context, s *statement.Statement, h *statement.Head, logo []byte, lang string) ([]byte, error) {
			w.rendered[s.Number+lang]++
			return render(ctx, s, h, logo, lang)
		},
		Sent: func(_ context.Context, s *statement.Statement) error { w.sent = append(w.sent, s.Number); return nil }})
	w.lines(line("c1", "10.123456789", "Compute", usage.KindConsumption, 3), line("c1", "-1.5", "Compute", usage.KindRefund, 4), line("c1", "2", "Disk", usage.KindConsumption, 20),
		line("c1", "4", "Disk", usage.KindConsumption, 5), line("c1", "0.7", "Compute", usage.KindTax, 6), line("c2", "5", "Compute", usage.KindConsumption, 7),
		line("c3", "20", "Compute", usage.KindConsumption, 8), line("c4", "7", "Compute", usage.KindConsumption, 9), line("c4", "3", "Compute", usage.KindConsumption, 18))
	w.further(more)
	w.issueBills(lines)
	return w
}

// further adds customers m0001 … of S.
func (w *world) further(more int) {
	var lines []*usage.Stored
	for i := 1; i <= more; i++ {
		id := fmt.Sprintf("m%04d", i)
		w.insert("organisation", "id", id, "code", strings.ToUpper(id), "kind", "customer", "name", fmt.Sprintf("客户第%04d号有限公司", i), "parent_id", nil, "created_at", store.At(now))
		w.associate(id, "S", time.Time{}, time.Time{})
		lines = append(lines, line(id, fmt.Sprintf("%d.%08d1", i%97+1, i*7919%100_000_000), "Compute", usage.KindConsumption, i%28+1), line(id, fmt.Sprintf("%d.5", i%13+1), "Disk", usage.KindConsumption, i%28+1),
			line(id, "-0.25", "Compute", usage.KindRefund, i%28+1))
	}
	w.lines(lines...)
}

func (w *world) associate(customerID, partnerID string, from, to time.Time) {
	at := func(t time.Time) any {
		if t.IsZero() {
			return nil
		}
		return store.At(t)
	}
	state := "active"
	if !to.IsZero() {
		state = "ended"
	}
	w.insert("association", "id", "a"+customerID+partnerID, "customer_id", customerID, "partner_id", partnerID, "kind", "resale", "state", state, "valid_from", at(from), "valid_to", at(to),
		"consent_note", "", "version", int64(1), "created_at", store.At(now))
}

func (w *world) issueBills(s *bill.Service) {
	w.t.Helper()
	w.tx(func(ctx context.Context) error {
		r, err := s.Compute(ctx, "V", month)
		if err != nil {
			return err
		}
		if err := w.bills.SaveDraft(ctx, "V", month, r.Documents, now); err != nil {
			return err
		}
		for _, to := range [][2]bill.State{{bill.StateDraft, bill.StateReviewed}, {bill.StateReviewed, bill.StateIssued}} {
			if _, err := w.bills.SetState(ctx, "V", month, to[0], to[1], now); err != nil {
				return err
			}
		}
		return nil
	})
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

func line(customerID, billed, service string, kind usage.Kind, day int) *usage.Stored {
	return &usage.Stored{SlotID: 1, CustomerID: customerID, Line: usage.Line{ChargeStart: time.Date(2026, 9, day, 4, 0, 0, 0, time.UTC), Kind: kind,
		Currency: "CNY", Billed: x(billed), Account: usage.Account{Provider: "AWS"}, Product: usage.Product{Service: service, Region: "eu"}}}
}

func (w *world) lines(lines ...*usage.Stored) {
	w.t.Helper()
	dims, sums := usage.NewDims(), map[usage.SummaryKey]usage.Sum{}
	for i, l := range lines {
		l.AccountID, l.ProductID, l.ResourceID = l.Account.Hash(), l.Product.Hash(), l.Resource.Hash()
		dims.Accounts[l.AccountID], dims.Products[l.ProductID], dims.Resources[l.ResourceID] = l.Account, l.Product, l.Resource
		l.Key = usage.HashOf(fmt.Sprint(i))
		l.LineNo, l.FileNo, l.ChargeEnd = int64(i+2), 1, l.ChargeStart.Add(time.Hour)
		var err error
		if l.Amount, err = l.Billed.Amount(); err != nil {
			w.t.Fatal(err)
		}
		k := usage.SummaryKey{SlotID: l.SlotID, CustomerID: l.CustomerID, AccountID: l.AccountID, ProductID: l.ProductID, Kind: l.Kind, Currency: l.Currency}
		s := sums[k]
		sums[k] = usage.Sum{Lines: s.Lines + 1, Amount: s.Amount + l.Amount, Exact: s.Exact.Add(l.Billed), Billed: s.Billed.Add(l.Billed)}
	}
	w.tx(func(ctx context.Context) error {
		s := usagestore.New(w.db)
		if err := s.WriteLines(ctx, lines, dims); err != nil {
			return err
		}
		return s.WriteSummaries(ctx, usage.EachOf(sums))
	})
}

// as is a context that reads as an actor, which PostgreSQL holds to the actor's rows.
func as(sc scope.Scope) context.Context { return scope.With(context.Background(), sc) }

func (w *world) head(sc scope.Scope) {
	w.t.Helper()
	if _, err := w.service.SaveHead(as(sc), sc, statement.HeadInput{Name: "岚海科技", TaxPercent: "6"}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) rule(sc scope.Scope, in statement.RuleInput) statement.Rule {
	w.t.Helper()
	r, err := w.service.SaveRule(as(sc), sc, in)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) drafts(sc scope.Scope) map[string]statement.Statement {
	w.t.Helper()
	if _, err := w.service.Draft(as(sc), sc, month); err != nil {
		w.t.Fatal(err)
	}
	return w.all(sc, statement.StateDraft)
}

func (w *world) all(sc scope.Scope, state statement.State) map[string]statement.Statement {
	w.t.Helper()
	list, err := w.service.List(as(sc), sc, statement.Filter{State: state})
	if err != nil {
		w.t.Fatal(err)
	}
	out := map[string]statement.Statement{}
	for i := range list {
		full, err := w.service.ByID(as(sc), sc, list[i].ID)
		if err != nil {
			w.t.Fatal(err)
		}
		out[full.Customer.Code] = full
	}
	return out
}
