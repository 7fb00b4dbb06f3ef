package usagestore_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"huoban/internal/attribution"
	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/delivery"
	"huoban/internal/money"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/source"
	"huoban/internal/store"
	"huoban/internal/store/auditstore"
	"huoban/internal/store/flowstore"
	"huoban/internal/store/orgstore"
	"huoban/internal/store/storetest"
	"huoban/internal/store/usagestore"
	"huoban/internal/usage"
)

var operator = scope.System("operator")

// world is the services over one database, and what reached the makers of adjustment lines.
type world struct {
	t       *testing.T
	db      *store.DB
	store   *usagestore.Store
	sources *source.Service
	rules   *attribution.Service
	del     *delivery.Service
	clock   *clock.Fixed
	moves   []attribution.Move
	late    []string
}

func (w *world) Remap(ctx context.Context, moves []attribution.Move) error {
	for _, m := range moves {
		n := int64(0)
		if err := m.Lines(ctx, func(*usage.Stored) error { n++; return nil }); err != nil {
			return err
		}
		if n != m.LineCount {
			w.t.Errorf("move of %s streams %d lines, says %d", m.Key, n, m.LineCount)
		}
	}
	w.moves = append(w.moves, moves...)
	return nil
}

func (w *world) Late(ctx context.Context, c delivery.LateChange) error {
	for sign, each := range map[string]func(context.Context, func(*usage.Stored) error) error{"+": c.Added, "-": c.Removed} {
		err := each(ctx, func(l *usage.Stored) error {
			w.late = append(w.late, fmt.Sprintf("%s%s %s %s", sign, l.Billed, l.Account.SubAccount, l.Product.Service))
			return nil
		})
		if err != nil {
			return err
		}
	}
	sort.Strings(w.late)
	return nil
}

func newWorld(t *testing.T, db *store.DB) *world {
	w := &world{t: t, db: db, store: usagestore.New(db), clock: clock.At(time.Date(2026, 3, 10, 8, 0, 0, 0, time.UTC))}
	chain := audit.NewChain(auditstore.New(db), w.clock, audit.Key{1})
	orgs := organisation.New(orgstore.NewOrganisations(db), db, chain, w.clock)
	customers := customer.New(customer.Deps{Store: orgstore.NewCustomers(db), Tx: db, Log: flowstore.New(db), Audit: chain, Clock: w.clock,
		Organisations: orgs})
	w.sources = source.New(w.store, db, orgs, chain, w.clock)
	w.rules = attribution.New(attribution.Deps{Store: w.store, Tx: db, Organisations: orgs, Customers: customers, Remap: w, Audit: chain,
		Clock: w.clock})
	w.del = w.service(0)
	w.rules.Rekey = w.del
	return w
}

func (w *world) service(batch int) *delivery.Service {
	chain := audit.NewChain(auditstore.New(w.db), w.clock, audit.Key{1})
	return delivery.New(delivery.Deps{Store: w.store, Tx: w.db, Sources: w.sources, Rules: w.rules, Correct: w, Log: flowstore.New(w.db),
		Audit: chain, Clock: w.clock, BatchRows: batch})
}

func each(t *testing.T, run func(t *testing.T, w *world)) {
	storetest.Each(t, func(t *testing.T, db *store.DB) { run(t, newWorld(t, db)) })
}

func (w *world) source(in source.AddInput) source.Source {
	w.t.Helper()
	if in.Vendor == "" {
		in.Vendor = "NOVA"
	}
	if in.Dialect == "" {
		in.Dialect = "focus"
	}
	r, err := w.sources.Add(context.Background(), operator, in)
	w.must(err)
	return r.Source
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) imports(name string, in delivery.Input) delivery.Result {
	w.t.Helper()
	r, err := w.try(name, in)
	w.must(err)
	return r
}

func (w *world) try(name string, in delivery.Input) (delivery.Result, error) {
	in.Source = name
	return w.del.Import(context.Background(), operator, in)
}

func (w *world) auto(name, partner string) attribution.ChangeResult {
	w.t.Helper()
	r, err := w.rules.Auto(context.Background(), operator, attribution.AutoInput{Source: name, Partner: partner, Association: customer.KindResale})
	w.must(err)
	return r
}

func (w *world) mapFile(text string) (attribution.ChangeResult, error) {
	return w.rules.Import(context.Background(), operator, attribution.ImportInput{File: strings.NewReader(text)})
}

func (w *world) setMonth(vendorID string, c cycle.Cycle, state string) {
	w.t.Helper()
	q := store.Query{Name: "test.SetMonth", Text: "update month_close set state = $3 where vendor_id = $1 and cycle = $2"}
	w.must(w.db.InTx(context.Background(), func(ctx context.Context) error {
		_, err := w.db.Exec(ctx, q, vendorID, string(c), state)
		return err
	}))
}

// totals gives "customer currency" → "lines billed" of what counts for a cycle, from lines, and checks
// that the summaries say the same.
func (w *world) totals(vendorID string, c cycle.Cycle) map[string]string {
	w.t.Helper()
	ctx := context.Background()
	slots, err := w.store.ActiveSlots(ctx, vendorID, c)
	w.must(err)
	orgs, err := w.store.Orgs(ctx)
	w.must(err)
	type sum struct {
		n      int64
		billed money.Exact
	}
	lines, sums := map[string]sum{}, map[string]sum{}
	name := func(id, currency string) string {
		if o, ok := orgs[id]; ok {
			id = o.Code
		}
		return id + " " + currency
	}
	for _, slot := range slots {
		n := int64(0)
		w.must(w.store.EachLine(ctx, []int64{slot.ID}, func(l *usage.Stored) error {
			k := name(l.CustomerID, l.Currency)
			lines[k] = sum{lines[k].n + 1, lines[k].billed.Add(l.Billed)}
			n++
			return nil
		}))
		list, err := w.store.SummariesOf(ctx, slot.ID)
		w.must(err)
		for _, x := range list {
			k := name(x.CustomerID, x.Currency)
			sums[k] = sum{sums[k].n + x.Lines, sums[k].billed.Add(x.Billed)}
		}
		if n != slot.LineCount {
			w.t.Errorf("slot %d says %d lines, has %d", slot.ID, slot.LineCount, n)
		}
	}
	text := func(m map[string]sum) map[string]string {
		out := map[string]string{}
		for k, v := range m {
			out[k] = fmt.Sprintf("%d %s", v.n, v.billed)
		}
		return out
	}
	a, b := text(lines), text(sums)
	if fmt.Sprint(a) != fmt.Sprint(b) {
		w.t.Errorf("lines %v, summaries %v", a, b)
	}
	return a
}

func (w *world) wantTotals(vendorID string, c cycle.Cycle, want map[string]string) {
	w.t.Helper()
	if got := w.totals(vendorID, c); fmt.Sprint(got) != fmt.Sprint(want) {
		w.t.Errorf("cycle %s: %v, want %v", c, got, want)
	}
}

// counts is the number of rows of every table.
func (w *world) counts() string {
	w.t.Helper()
	var b bytes.Buffer
	tables := []string{"organisation", "source", "delivery", "delivery_file", "delivery_change", "kept_file", "kept_chunk", "period", "slot",
		"account_dim", "product_dim", "resource_dim", "usage_line", "usage_summary", "quarantine", "conformance", "map_rule", "month_close",
		"association", "audit", "transition_log"}
	for _, table := range tables {
		var n int64
		w.must(w.db.Row(context.Background(), store.Query{Name: "test.Count", Text: "select count(*) from " + table}, "x", nil, &n))
		fmt.Fprintf(&b, "%s %d\n", table, n)
	}
	return b.String()
}

// focusRow is one line of a small FOCUS file.
type focusRow struct {
	month, day, sub, service, category, billed string
}

const focusHeader = "BillingPeriodStart,BillingPeriodEnd,ChargePeriodStart,ChargePeriodEnd,BillingAccountId,BillingAccountName,BillingCurrency," +
	"SubAccountId,SubAccountName,ServiceName,ServiceCategory,ChargeCategory,ChargeClass,ChargeDescription,ChargeFrequency,ProviderName,PublisherName," +
	"InvoiceIssuerName,BilledCost,EffectiveCost,ListCost,ContractedCost,ResourceId,Tags\n"

func (r focusRow) text() string {
	start := cycle.Must(r.month).Start(time.UTC)
	day := start.Format("2006-01-") + r.day + "T00:00:00Z"
	name := ""
	if r.sub != "" {
		name = "Team " + r.sub
	}
	return strings.Join([]string{start.Format(time.RFC3339), start.AddDate(0, 1, 0).Format(time.RFC3339), day, day[:11] + "12:00:00Z", "acct", "Account", "USD",
		r.sub, name, r.service, "Compute", r.category, "", "about " + r.service, "Usage-Based", "Nova", "Nova", "Nova", r.billed, r.billed, r.billed, r.billed,
		"r-" + r.service, `"{""env"": ""prod""}"`}, ",") + "\n"
}

func (w *world) file(name string, rows ...focusRow) string {
	w.t.Helper()
	text := focusHeader
	for _, r := range rows {
		text += r.text()
	}
	return w.raw(name, text)
}

func (w *world) raw(name, text string) string {
	w.t.Helper()
	path := filepath.Join(w.t.TempDir(), name)
	w.must(os.WriteFile(path, []byte(text), 0o600))
	return path
}

const sample = "../../../data/samples/focus-1.0/focus_sample.csv"
