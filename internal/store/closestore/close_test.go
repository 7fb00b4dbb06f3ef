package closestore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"huoban/internal/bill"
	"huoban/internal/fault"
	"huoban/internal/monthclose"
	"huoban/internal/scope"
	"huoban/internal/store"
	"huoban/internal/store/storetest"
)

var canonicalOf = map[string]string{}

func TestFullClose(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.usual(august)
		w.priceFile("Sol,,,,,,normal,billed,0.9,,", "Dis,,,,,,normal,list,0.8,,", "Res,,,,,,normal,billed,0.95,,")
		res := w.mustRun(august, false)
		if got := strings.Join(res.Done, " "); got != "freeze draft" {
			t.Errorf("walked %q", got)
		}
		if w := monthclose.Warnings(res.Checks); len(w) != 1 || w[0].Code != "monthclose.days_without_lines" {
			t.Errorf("warnings: %+v", w)
		}
		if res.Close.State != monthclose.StateDraft || res.Stage != monthclose.StageDraft {
			t.Errorf("stands at %s (%s)", res.Close.State, res.Stage)
		}
		res = w.mustRun(august, true)
		if got := strings.Join(res.Done, " "); got != "review issue" {
			t.Errorf("walked %q", got)
		}
		// Ana: 10.123456789 × 0.9 = 9.1111111101 → 9.11111111; 2.25; refund −1.125; her share of the
		// tax is 3.33 × 11.373456789 / 161.373456789 of Ana, Ben and Cho = 0.23469542, × 0.9, apart.
		sol := w.bill(august, "Sol", "USD")
		if sol.Consumption.String() != "11.36111111" || sol.Refund.String() != "-1.125" || sol.Due.String() != "10.23" {
			t.Errorf("Sol: %s %s due %s", sol.Consumption, sol.Refund, sol.Due)
		}
		if sol.Tax.String() != "0.21122588" {
			t.Errorf("Sol's share of the tax is %s", sol.Tax)
		}
		dis, res1 := w.bill(august, "Dis", "USD"), w.bill(august, "Res", "USD")
		if dis.Due.String() != "104" || res1.Due.String() != "95" {
			t.Errorf("buy side %s, sell side %s", dis.Due, res1.Due)
		}
		if res1.Seller.Code != "Dis" || dis.Seller.Code != "Nova" {
			t.Errorf("sellers %s, %s", res1.Seller.Code, dis.Seller.Code)
		}
		if cny := w.bill(august, "Res", "CNY"); cny.Due.String() != "6.65" {
			t.Errorf("CNY due %s", cny.Due)
		}
		before := w.canonical(august)
		again := w.mustRun(august, true)
		if !again.Nothing || len(again.Done) != 0 || w.canonical(august) != before {
			t.Errorf("the second run did %v", again.Done)
		}
		for engine, other := range canonicalOf {
			if other != before {
				t.Errorf("the canonical export differs from that of %s:\n%s\n%s", engine, other, before)
			}
		}
		canonicalOf[string(db.Engine())] = before
	})
}

func TestRefusals(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.deliver(august, false, line{customer: "Ana", key: "a-1", billed: "1", day: 1}, line{customer: "", key: "a,9", billed: "0.24", day: 2},
			line{customer: "", key: "a,9", billed: "0.01", day: 3})
		w.insert("quarantine", "id, delivery_id, file_no, line_no, cycle, column_name, value, code, args, raw, state, correction, reason, decided_by",
			"q1", w.delivery, int64(1), int64(9), string(august), "BilledCost", "x", "money.malformed", "{}", "x", "open", "", "", "")
		w.clock.Set(time.Date(2026, 8, 31, 23, 59, 59, 0, time.UTC))
		_, err := w.run(august, true)
		want := map[string]string{
			"monthclose.month_not_over":   "portal close --vendor Nova --cycle 2026-08",
			"monthclose.source_not_final": "portal import PATH --source nova --final=2026-08",
			"monthclose.rows_unmapped":    "portal map import FILE.csv",
			"monthclose.rows_quarantined": "portal quarantine list",
		}
		f := fault.From(err)
		if f == nil || f.Code != "monthclose.refused" || len(f.Reason) != len(want) {
			t.Fatalf("refused with %v", err)
		}
		for _, r := range f.Reason {
			if want[r.Code] == "" || r.Args["Command"] != want[r.Code] {
				t.Errorf("%s: command %v", r.Code, r.Args["Command"])
			}
			if r.Code == "monthclose.rows_unmapped" && (r.Args["Amount"] != "0.25" || r.Args["Count"] != int64(2) || r.Args["File"] != "nova.csv" ||
				r.Args["Line"] != int64(2) || r.Args["Template"] != `nova,"a,9",CUSTOMER,PARTNER,resale,,`) {
				t.Errorf("unmapped names %v", r.Args)
			}
		}
		if st, err := w.close.Status(w.ctx, operator, w.org["Nova"], august); err != nil || st.Close.Version != 0 || len(st.Steps) != 0 {
			t.Errorf("a refused close left %+v, %v", st.Close, err)
		}
		nobody := scope.Vendor(w.org["Nova"], "p", "finance", []scope.Item{scope.ItemCloseRun, scope.ItemCloseView})
		_, err = w.close.Run(w.ctx, nobody, monthclose.Input{VendorID: w.org["Nova"], Cycle: august, Override: "because"})
		if !fault.HasCode(err, "scope.permission_missing") {
			t.Errorf("override without the permission: %v", err)
		}
		res, err := w.close.Run(w.ctx, operator, monthclose.Input{VendorID: w.org["Nova"], Cycle: august, Issue: true, Override: "the cloud is late"})
		if err != nil {
			t.Fatal(err)
		}
		kept, err := w.close.Bills.WithItems(w.ctx, operator, bill.Filter{VendorID: w.org["Nova"], Cycle: august})
		if err != nil || len(res.Documents) != 1 || len(kept) != 1 || res.Documents[0].Code != kept[0].Code || kept[0].OverrideNote != "the cloud is late" ||
			kept[0].Code != kept[0].ComputeCode() {
			t.Errorf("the reason does not stand on the bill: %+v, %+v (%v)", res.Documents, kept, err)
		}
	})
}

func TestNothingToClose(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		if _, err := w.run(august, true); !fault.HasCode(err, "monthclose.nothing_to_close") {
			t.Errorf("an empty cycle: %v", err)
		}
		w.usual(august)
		w.clock.Set(time.Date(2026, 10, 2, 0, 0, 0, 0, time.UTC))
		if _, err := w.run(september, true); !fault.HasCode(err, "monthclose.source_missing") {
			t.Errorf("an expected source that delivered nothing: %v", err)
		}
	})
}

func TestStaleDraftAndDiscard(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.usual(august)
		w.mustRun(august, false)
		w.priceFile("Sol,,,,,,normal,billed,0.9,,")
		if _, err := w.run(august, true); !fault.HasCode(err, "monthclose.draft_stale") {
			t.Fatalf("a draft older than its prices: %v", err)
		}
		in := monthclose.Input{VendorID: w.org["Nova"], Cycle: august, Issue: true, Override: "hurry"}
		if _, err := w.close.Run(w.ctx, operator, in); !fault.HasCode(err, "monthclose.draft_stale") {
			t.Fatalf("no override lifts a stale draft: %v", err)
		}
		in.Override, in.Discard, in.Issue = "", true, false
		res, err := w.close.Run(w.ctx, operator, in)
		if err != nil || res.Close.State != monthclose.StateOpen || len(res.Documents) != 0 {
			t.Fatalf("discard: %v, %+v", err, res.Close)
		}
		res = w.mustRun(august, true)
		if res.Close.State != monthclose.StateIssued || w.bill(august, "Sol", "USD").Due.String() != "10.23" {
			t.Errorf("after the discard: %+v", res.Close)
		}
	})
}

// TestKilledBetweenSteps ends the run at every point in turn; a new run must reach the same bills.
func TestKilledBetweenSteps(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		whole := newWorld(t, db)
		whole.usual(august)
		var points []string
		whole.close.Checkpoint = func(point string) error { points = append(points, point); return nil }
		whole.mustRun(august, true)
		want := whole.canonical(august)
		if len(points) != 12 {
			t.Fatalf("points: %v", points)
		}
		for _, kill := range points {
			t.Run(kill, func(t *testing.T) {
				var fresh *store.DB
				if db.Engine() == store.SQLite {
					fresh = storetest.SQLite(t)
				} else {
					fresh = storetest.Postgres(t)
				}
				w := newWorld(t, fresh)
				w.usual(august)
				killed := errors.New("killed")
				w.close.Checkpoint = func(point string) error {
					if point == kill {
						return killed
					}
					return nil
				}
				if _, err := w.run(august, true); !errors.Is(err, killed) {
					t.Fatalf("the run went on: %v", err)
				}
				w.close.Checkpoint = nil
				w.mustRun(august, true)
				if got := w.canonical(august); got != want {
					t.Errorf("after a kill at %s:\n%s\nwant\n%s", kill, got, want)
				}
			})
		}
	})
}

func TestTwoClosesAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.usual(august)
		errs, done := make(chan error, 4), make(chan int, 4)
		for range 4 {
			go func() {
				res, err := w.run(august, true)
				errs <- err
				done <- len(res.Done)
			}()
		}
		total := 0
		for range 4 {
			if err := <-errs; err != nil {
				t.Error(err)
			}
			total += <-done
		}
		if total != 4 {
			t.Errorf("%d moves for one close", total)
		}
		if docs, err := w.bills.List(w.ctx, operator, bill.Filter{VendorID: w.org["Nova"], Cycle: august}); err != nil || len(docs) != 5 {
			t.Errorf("%d bills, %v", len(docs), err)
		}
	})
}

func TestClosedCycleRefusesWrites(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.usual(august)
		w.mustRun(august, true)
		slot := w.slots[august]
		for _, text := range []string{
			"update usage_line set amount_e8 = amount_e8 + 1 where slot_id = %d",
			"delete from usage_line where slot_id = %d",
			"update usage_summary set amount_e8 = 0 where slot_id = %d",
			"delete from usage_summary where slot_id = %d",
			"update slot set sealed = false where id = %d",
			"update slot set state = 'superseded' where id = %d",
			"delete from slot where id = %d",
		} {
			refused(t, w, fmt.Sprintf(text, slot))
		}
		for _, text := range []string{
			"update bill set due_e8 = due_e8 + 1", "delete from bill", "update bill set state = 'draft'",
			"update bill_item set amount_e8 = 0", "delete from bill_item",
			"update month_close set state = 'open'", "delete from month_close",
			"update period set is_final = false", "delete from period",
			"insert into slot (id, delivery_id, source_id, vendor_id, cycle, state, sealed, replaces, line_count) select 99, delivery_id, source_id, vendor_id, cycle, 'active', false, 0, 0 from slot",
			"insert into adjustment (id, vendor_id, cycle, corrects_cycle, kind, state, version, pair_id, side, key, currency, base, tax_base, line_count, price_seq, reason, created_by, created_at, approved_by) select 'x', vendor_id, cycle, cycle, 'staff', 'approved', 1, 'x', '', '', 'USD', '1', '0', 1, 0, 'r', 'a', issued_at, '' from month_close",
		} {
			refused(t, w, text)
		}
	})
}

func refused(t *testing.T, w *world, text string) {
	t.Helper()
	if err := w.exec(text); !fault.HasCode(err, "store.refused") {
		t.Errorf("the closed cycle let pass: %s (%v)", text, err)
	}
}

func TestSummaryMismatch(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.usual(august)
		w.must("update usage_summary set amount_e8 = amount_e8 + 1 where currency = 'CNY'")
		if _, err := w.run(august, false); !fault.HasCode(err, "monthclose.summary_mismatch") {
			t.Errorf("a summary that is not the sum of its lines: %v", err)
		}
	})
}

func TestDryRunWritesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.usual(august)
		res, err := w.close.Run(w.ctx, operator, monthclose.Input{VendorID: w.org["Nova"], Cycle: august, Issue: true, DryRun: true})
		if err != nil || len(res.Documents) != 5 {
			t.Fatalf("%d bills, %v", len(res.Documents), err)
		}
		silent := 0
		for _, c := range res.Checks {
			if c.Code == "monthclose.days_without_lines" {
				silent, _ = c.Args["Count"].(int)
			}
		}
		if silent != 26 {
			t.Errorf("%d days without lines", silent)
		}
		if st, err := w.close.Status(context.Background(), operator, w.org["Nova"], august); err != nil || st.Close.Version != 0 {
			t.Errorf("the dry run left %+v, %v", st.Close, err)
		}
		docs, err := w.close.Estimate(w.ctx, operator, w.org["Nova"], august)
		if err != nil || len(docs) != 5 || docs[0].State != bill.StateEstimate {
			t.Errorf("estimate: %d, %v", len(docs), err)
		}
	})
}
