package peakstore_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"huoban/internal/attribution"
	"huoban/internal/audit"
	"huoban/internal/clock"
	"huoban/internal/cycle"
	"huoban/internal/expenditure"
	"huoban/internal/fault"
	"huoban/internal/organisation"
	"huoban/internal/peak"
	"huoban/internal/scope"
	"huoban/internal/source"
	"huoban/internal/store"
	"huoban/internal/store/expenditurestore"
	"huoban/internal/store/peakstore"
	"huoban/internal/store/storetest"
	"huoban/internal/store/usagestore"
)

var (
	now   = time.Date(2026, 3, 10, 4, 0, 0, 0, time.UTC)
	items = []scope.Item{scope.ItemExpenditureView, scope.ItemDeliveryImport, scope.ItemDeliveryView, scope.ItemDeliveryRevert, scope.ItemQuarantineView}
)

// world is vendor V, partners S and T, customer c1 of S, and c2 that left S for T on 15 February.
type world struct {
	*testing.T
	db  *store.DB
	svc *peak.Service
	dir string
}

type sources struct{}

func (sources) ByName(_ context.Context, _ scope.Scope, name string) (source.Source, error) {
	if name != "src" {
		return source.Source{}, fault.NotFound("source.unknown", nil)
	}
	return source.Source{ID: "src", Name: "src", VendorID: "V"}, nil
}

type organisations struct{}

func (organisations) List(context.Context, scope.Scope) ([]organisation.Organisation, error) {
	return []organisation.Organisation{{ID: "c1", Code: "C1", Kind: organisation.KindCustomer}, {ID: "c2", Code: "C2", Kind: organisation.KindCustomer}, {ID: "S", Code: "S", Kind: organisation.KindSolution}}, nil
}

type rules struct{}

func (rules) Resolver(context.Context, string) (*attribution.Resolver, string, error) {
	move := time.Date(2026, 2, 15, 0, 0, 0, 0, cycle.Zone)
	return attribution.NewResolver(&source.Source{}, []attribution.Rule{{ID: "r1", Key: "acc", OrgID: "c1", To: move}, {ID: "r2", Key: "acc", OrgID: "c2", From: move}}), "", nil
}

type records struct{ list []audit.Entry }

func (r *records) Record(_ context.Context, e audit.Entry) error {
	r.list = append(r.list, e)
	return nil
}

var left = time.Date(2026, 2, 15, 0, 0, 0, 0, cycle.Zone)

func newWorld(t *testing.T, db *store.DB) *world {
	w := &world{T: t, db: db, dir: t.TempDir()}
	spans := &expenditure.Service{Tx: db, Store: expenditurestore.New(db), Reader: usagestore.New(db)}
	w.svc = peak.New(peak.Deps{Store: peakstore.New(db), Tx: db, Sources: sources{}, Organisations: organisations{}, Rules: rules{}, Spans: spans, Audit: &records{},
		Clock: clock.At(now)})
	for _, o := range [][2]string{{"V", "vendor"}, {"S", "solution"}, {"T", "solution"}, {"c1", "customer"}, {"c2", "customer"}} {
		w.insert("organisation", "id", o[0], "code", strings.ToUpper(o[0]), "kind", o[1], "name", "Name "+o[0], "parent_id", nil, "created_at", store.At(now))
	}
	for _, a := range []struct {
		id, customer, partner string
		from, to              time.Time
	}{{"a1", "c1", "S", time.Time{}, time.Time{}}, {"a2", "c2", "S", time.Time{}, left}, {"a3", "c2", "T", left, time.Time{}}} {
		w.insert("association", "id", a.id, "customer_id", a.customer, "partner_id", a.partner, "kind", "resale", "state", "active", "valid_from", store.At(a.from),
			"valid_to", store.At(a.to), "consent_note", "", "version", int64(1), "created_at", store.At(now))
	}
	w.insert("source", "id", "src", "vendor_id", "V", "name", "src", "dialect", "focus", "zone", "UTC", "mode", "append", "providers", "", "accounts", "",
		"currencies", "", "base_column", "billed", "key_column", "", "default_kind", "unmapped", "default_org_id", nil, "loose_kind", "default", "loose_org_id", nil,
		"entity_id", nil, "columns", "", "from_cycle", "", "until_cycle", "", "created_at", store.At(now))
	return w
}

func (w *world) insert(table string, pairs ...any) {
	w.Helper()
	storetest.Insert(w, w.db, table, pairs...)
}

const head = "customer,account,product,resource_id,usage_type,time,value,unit,unit_price,currency,discount\n"

func (w *world) write(name, text string) string {
	path := filepath.Join(w.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.Fatal(err)
	}
	return path
}

func (w *world) try(text string) (peak.Outcome, error) {
	return w.svc.Import(w.Context(), scope.System("operator"), peak.Input{Source: "src", Paths: []string{w.write("points.csv", text)}})
}

func (w *world) take(text string) peak.Outcome {
	w.Helper()
	out, err := w.try(text)
	if err != nil {
		w.Fatal(err)
	}
	return out
}

// points are whole days of a customer's resource, of which point n has the value of fn.
func points(customer, resource string, from string, days int, fn func(n int) int) string {
	var b bytes.Buffer
	at, _ := cycle.ParseDay(from)
	for n := range days * peak.PointsPerDay {
		fmt.Fprintf(&b, "%s,,CDN,%s,95peak_1000,%s,%d,Mbit/s,18.5,CNY,0.9\n", customer, resource, at.Add(time.Duration(n)*peak.Interval).Format("2006-01-02 15:04:05"), fn(n))
	}
	return b.String()
}

func ramp(n int) int { return n + 1 }

func partner(id string) scope.Scope { return scope.Partner(id, "p", "l", items, nil) }

func (w *world) list(sc scope.Scope, at cycle.Cycle) (out string) {
	w.Helper()
	list, err := w.svc.List(w.Context(), sc, peak.Filter{Cycle: at})
	if err != nil {
		w.Fatal(err)
	}
	for i := range list.Rows {
		r := &list.Rows[i]
		fee, err := r.Fee()
		if err != nil || r.Billing == nil {
			w.Fatal(err)
		}
		out += fmt.Sprintf("%s %s %s %s: %s of %d, %s days, fee %v; ", r.Customer.Code, r.Resource, r.UsageType, r.State, r.Billing, r.Points, r.EffectiveDays(), fee)
	}
	return out
}

func TestImport(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		january := head + points("C1", "cdn-1", "2026-01-01", 31, ramp) + points("C2", "cdn-2", "2026-01-01", 14, func(n int) int { return n % 2 * 10 })
		first := w.take(january)
		if first.Points != 45*288 || first.Resources != 2 || first.Days != 45 || first.Replaced != 0 || first.Quarantined != 0 || first.Number != 1 || first.SameContent {
			t.Errorf("%+v", first)
		}
		// 8,928 points from 1 up, 446 go: 8,482. 8482 × 18.5 × 0.9 = 141225.3, the whole month. C2: 14 days, half of the points 10; 10 × 18.5 × 0.9 × 14 ÷ 31.
		// C2 belonged to S when January was charged.
		want := "C1 cdn-1 95peak_1000 charged: 8482 of 8928, 31 days, fee 141225.3; C2 cdn-2 95peak_1000 charged: 10 of 4032, 14 days, fee 75.19354839; "
		if got := w.list(partner("S"), "2026-01"); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
		again := w.take(january)
		if !again.SameContent || again.ID != first.ID || again.Number != 1 {
			t.Errorf("the same file again: %+v", again)
		}
		// Corrected: one day of cdn-1, all of its points 9,000. 288 points are above; 158 more of the others go.
		second := w.take(head + points("C1", "cdn-1", "2026-01-10", 1, func(int) int { return 9000 }))
		if second.Replaced != 1 || second.Number != 2 {
			t.Errorf("%+v", second)
		}
		corrected := strings.Replace(want, "8482 of 8928, 31 days, fee 141225.3", "8770 of 8928, 31 days, fee 146020.5", 1)
		if got := w.list(partner("S"), "2026-01"); got != corrected {
			t.Errorf("%s\nwant %s", got, corrected)
		}
		d := w.show(partner("S"), "C1", "2026-01")
		if day := d.Days[9]; day.Import != 2 || day.Before != 1 || d.Days[8].Import != 1 || d.Days[8].Before != 0 {
			t.Errorf("the trace: %d over %d, %d over %d", day.Import, day.Before, d.Days[8].Import, d.Days[8].Before)
		}
		// The first one cannot go before the second; then all is as it was, and the second file may come again.
		sys := scope.System("operator")
		if _, err := w.svc.Revert(t.Context(), sys, first.ID); !fault.HasCode(err, "peak.overtaken") {
			t.Errorf("reverted below another: %v", err)
		}
		for range 2 {
			if m, err := w.svc.Revert(t.Context(), sys, second.ID); err != nil || m.State != peak.ImportReverted {
				t.Fatal(m, err)
			}
			if got := w.list(partner("S"), "2026-01"); got != want {
				t.Errorf("reverted: %s", got)
			}
		}
		if again := w.take(january); !again.SameContent {
			t.Errorf("%+v", again)
		}
		if m, err := w.svc.Revert(t.Context(), sys, first.ID); err != nil || m.State != peak.ImportReverted {
			t.Fatal(m, err)
		}
		if got := w.list(partner("S"), "2026-01"); got != "" {
			t.Errorf("all reverted: %s", got)
		}
		if third := w.take(january); third.SameContent || third.Number != 3 || w.list(partner("S"), "2026-01") != want {
			t.Errorf("%+v", third)
		}
	})
}

func (w *world) show(sc scope.Scope, customer string, at cycle.Cycle) *peak.Details {
	w.Helper()
	list, err := w.svc.List(w.Context(), sc, peak.Filter{Cycle: at, Customer: customer})
	if err != nil || len(list.Rows) != 1 {
		w.Fatal(list, err)
	}
	d, err := w.svc.Show(w.Context(), sc, list.Rows[0].Series.ID, at)
	if err != nil {
		w.Fatal(err)
	}
	return d
}

// A file may come in any order; memory for two days gives the same as memory for all.
func TestOrderAndMemory(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		rows := slices.Collect(strings.Lines(points("C1", "a", "2026-02-01", 4, ramp) + points("C1", "b", "2026-02-01", 4, ramp) + points("C1", "c", "2026-02-01", 4, ramp)))
		slices.SortFunc(rows, func(a, b string) int { // by time, as an export of all resources stands
			return strings.Compare(a[strings.Index(a, "2026"):], b[strings.Index(b, "2026"):])
		})
		w.svc.OpenDays = 2
		out := w.take(head + strings.Join(rows, ""))
		if out.Points != 12*288 || out.Days != 12 || out.Quarantined != 0 {
			t.Errorf("%+v", out)
		}
		// 1,152 points, 57 go; 1095 × 18.5 × 0.9 × 4 ÷ 28
		got := w.list(partner("S"), "2026-02")
		if strings.Count(got, "charged: 1095 of 1152, 4 days, fee 2604.53571429; ") != 3 {
			t.Error(got)
		}
		// A point that comes again after its day left memory counts once, and differing ones are told.
		rows = append(rows, rows[0], strings.Replace(rows[0], ",1,Mbit", ",2,Mbit", 1))
		if out = w.take(head + strings.Join(rows, "")); out.Points != 12*288 || out.Quarantined != 1 {
			t.Errorf("%+v", out)
		}
	})
}

// Who had the customer when the month was charged sees what it comes to, and of the points those of his own time.
func TestWhoSees(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.take(head + points("C1", "r1", "2026-02-01", 2, ramp) + points("C2", "r2", "2026-02-14", 2, ramp) + points("C1", "r1", "2026-03-01", 1, ramp))
		const c1, c2 = "C1 r1 95peak_1000 charged: 548 of 576, 2 days, fee 651.72857143; ", "C2 r2 95peak_1000 charged: 548 of 576, 2 days, fee 651.72857143; "
		assigned := time.Date(2026, 2, 20, 6, 0, 0, 0, time.UTC)
		for _, c := range []struct {
			name string
			sc   scope.Scope
			want string
		}{
			{"the partner", partner("S"), c1},
			{"the partner to whom the customer went", partner("T"), c2},
			{"a customer", scope.Customer("c2", "p", "l", items), c2},
			{"a manager who had it when it was charged", partner("S").Limited([]scope.Window{{CustomerID: "c1", From: assigned}}), c1},
			{"a manager who had given it up", partner("S").Limited([]scope.Window{{CustomerID: "c1", From: assigned, To: assigned.AddDate(0, 0, 3)}}), ""},
			{"a manager of nobody", partner("S").Limited(nil), ""},
			{"the vendor", scope.Vendor("V", "p", "l", items), ""},
		} {
			if got := w.list(c.sc, "2026-02"); got != c.want {
				t.Errorf("%s: %s, want %s", c.name, got, c.want)
			}
		}
		if got := w.list(partner("S"), "2026-03"); !strings.Contains(got, "running") {
			t.Errorf("the month that runs: %s", got)
		}
		d := w.show(partner("T"), "C2", "2026-02")
		if d.Hidden != 288 || len(d.Days) != 1 || d.Days[0].Date != "2026-02-15" || d.Billing.String() != "548" {
			t.Errorf("the next partner: %d hidden, %d days", d.Hidden, len(d.Days))
		}
		marks := map[peak.Mark]int{}
		for slot := range peak.PointsPerDay {
			marks[d.Days[0].Marks[slot]]++
		}
		if marks[peak.MarkDropped] != 28 || marks[peak.MarkBilling] != 1 {
			t.Errorf("%v", marks)
		}
		for name, err := range map[string]error{
			"foreign": func() error { _, err := w.svc.Show(t.Context(), partner("S"), d.Series.ID, "2026-02"); return err }(),
			"vendor": func() error {
				_, err := w.svc.Show(t.Context(), scope.Vendor("V", "p", "l", items), d.Series.ID, "2026-02")
				return err
			}(),
			"unknown": func() error { _, err := w.svc.Show(t.Context(), partner("T"), "nothing", "2026-02"); return err }(),
		} {
			if !fault.HasCode(err, "peak.series_unknown") {
				t.Errorf("%s: %v", name, err)
			}
		}
		_, err := w.svc.List(t.Context(), scope.Scope{}, peak.Filter{Cycle: "2026-02"})
		_, err2 := w.svc.List(t.Context(), partner("S"), peak.Filter{Cycle: "2026-02", Customer: "C9"})
		_, err3 := w.svc.List(t.Context(), partner("S"), peak.Filter{Cycle: "2024-02"})
		if !fault.HasCode(err, "scope.permission_missing") || !fault.HasCode(err2, "expenditure.customer_unknown") || !fault.HasCode(err3, "expenditure.cycle_out_of_range") {
			t.Error(err, err2, err3)
		}
	})
}

func TestBadRows(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		row := func(customer, account, time, value, unit, price string) string {
			return fmt.Sprintf("%s,%s,CDN,r,95Peak,%s,%s,%s,%s,CNY,1\n", customer, account, time, value, unit, price)
		}
		text := head + row("C1", "", "2026-02-01 00:00", "1.5", "Mbit/s", "1") +
			row("C9", "", "2026-02-01 00:05", "1", "Mbit/s", "1") + row("S", "", "2026-02-01 00:05", "1", "Mbit/s", "1") +
			row("", "", "2026-02-01 00:05", "1", "Mbit/s", "1") + row("", "none", "2026-02-01 00:05", "1", "Mbit/s", "1") +
			row("C1", "", "2026-02-01 00:07", "1", "Mbit/s", "1") + row("C1", "", "yesterday", "1", "Mbit/s", "1") + row("C1", "", "2026-03-11", "1", "Mbit/s", "1") +
			row("C1", "", "2026-03-12 00:00", "1", "Mbit/s", "1") + row("C1", "", "2026-02-01 00:05", "-1", "Mbit/s", "1") + row("C1", "", "2026-02-01 00:05", "1,2", "Mbit/s", "1") +
			row("C1", "", "2026-02-01 00:05", "1e19", "Mbit/s", "1") + row("C1", "", "2026-02-01 00:05", "", "Mbit/s", "1") + row("C1", "", "2026-02-01 00:05", "1", "Gbit/s", "1") +
			row("C1", "", "2026-02-01 00:05", "1", "Mbit/s", "2") + row("C1", "", "2026-02-01 00:00", "2", "Mbit/s", "1") + row("C1", "", "2026-01-31T16:00:00Z", "1.50", "Mbit/s", "1") +
			row("", "acc", "2026-02-14 23:55", "3", "Mbit/s", "1") + row("", "acc", "2026-02-15 00:00", "4", "Mbit/s", "1")
		out := w.take(text)
		if out.Points != 3 || out.Quarantined != 15 || out.Resources != 2 {
			t.Errorf("%+v", out)
		}
		_, rows, err := w.svc.Quarantine(t.Context(), scope.System("operator"), out.ID)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, b := range rows {
			got += fmt.Sprintf("%d %s; ", b.Line, strings.TrimPrefix(b.Code, "peak."))
		}
		want := "3 customer_unknown; 4 customer_unknown; 5 cell_empty; 6 account_unmapped; 7 time_off_grid; 8 time_malformed; 9 time_malformed; 10 time_ahead; 11 value_negative; " +
			"12 ingest.row_width; 13 value_long; 14 cell_empty; 15 unit_differs; 16 price_differs; 17 point_twice; "
		if got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
		// The account was c1's until the 15th, and c2's from then on.
		if got := w.list(partner("S"), "2026-02"); got != "C1 r 95Peak charged: 3 of 2, 0.00694444444444444444 days, fee 0.00074405; " {
			t.Error(got)
		}
		if got := w.list(partner("T"), "2026-02"); got != "C2 r 95Peak charged: 4 of 1, 0.00347222222222222222 days, fee 0.00049603; " {
			t.Error(got)
		}
		for name, c := range map[string]struct{ text, code string }{
			"no column":   {"customer,product,resource_id,time,value\nC1,CDN,r,2026-02-01 00:00,1\n", "peak.column_missing"},
			"twice":       {"customer,Customer,product,resource_id,usage_type,time,value,unit\n", "peak.column_twice"},
			"nothing":     {head + row("C9", "", "2026-02-01 00:05", "1", "Mbit/s", "1"), "peak.nothing_read"},
			"only a head": {head, "peak.nothing_read"},
		} {
			if _, err := w.try(c.text); !fault.HasCode(err, c.code) {
				t.Errorf("%s: %v", name, err)
			}
		}
		dry, err := w.svc.Import(t.Context(), scope.System("operator"), peak.Input{Source: "src", DryRun: true, Paths: []string{w.write("x.csv", head+row("C1", "", "2026-02-02 00:00", "7", "Mbit/s", "1"))}})
		if err != nil || dry.Points != 1 || dry.ID != "" {
			t.Errorf("%+v %v", dry, err)
		}
		if list, err := w.svc.Imports(t.Context(), scope.System("operator"), 10); err != nil || len(list) != 1 {
			t.Errorf("%+v %v", list, err)
		}
		if n, err := peakstore.New(w.db).Staging(t.Context(), "V"); err != nil || len(n) > 0 {
			t.Errorf("left behind: %v %v", n, err)
		}
	})
}

// An import that was killed leaves nothing anybody sees, and the next one clears it away.
func TestKilledImport(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		ctx, cancel := context.WithCancel(t.Context())
		w.svc.OpenDays = 1
		w.svc.Clock = clockThatEnds{clock.At(now), cancel}
		path := w.write("p.csv", head+points("C1", "r", "2026-02-01", 20, ramp))
		if _, err := w.svc.Import(ctx, scope.System("operator"), peak.Input{Source: "src", Paths: []string{path}}); err == nil {
			t.Fatal("an import went on after its end")
		}
		w.svc.Clock = clock.At(now)
		if got := w.list(partner("S"), "2026-02"); got != "" {
			t.Errorf("seen: %s", got)
		}
		if out, err := w.svc.Import(t.Context(), scope.System("operator"), peak.Input{Source: "src", Paths: []string{path}}); err != nil || out.SameContent || out.Points != 20*288 {
			t.Errorf("%+v %v", out, err)
		}
	})
}

// clockThatEnds ends the import that reads it.
type clockThatEnds struct {
	clock.Clock
	end func()
}

func (c clockThatEnds) Now() time.Time {
	defer c.end()
	return c.Clock.Now()
}
