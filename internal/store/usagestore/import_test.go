package usagestore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"huoban/internal/cycle"
	"huoban/internal/delivery"
	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/scope"
	"huoban/internal/source"
	"huoban/internal/usage"
)

const sept, oct = cycle.Cycle("2024-09"), cycle.Cycle("2024-10")

func TestSampleIsImportedOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		src := w.source(source.AddInput{Name: "focus"})
		in := delivery.Input{Paths: []string{sample}, Final: delivery.FinalMark{All: true}}
		r := w.imports("focus", in)
		if r.Added != 1000 || r.Removed+r.Changed != 0 || len(r.Cycles) != 2 || fmt.Sprint(r.Final) != "[2024-09 2024-10]" {
			t.Fatalf("%+v", r)
		}
		w.wantTotals(src.VendorID, sept, map[string]string{" USD": "999 20.28022672899"})
		w.wantTotals(src.VendorID, oct, map[string]string{" USD": "1 0.24"})
		w.auto("focus", "P1")
		before := w.counts()
		r = w.imports("focus", in)
		if !r.SameContent || r.Added+r.Removed+r.Changed != 0 {
			t.Errorf("again: %+v", r)
		}
		w.setMonth(src.VendorID, sept, "issued")
		if r = w.imports("focus", in); !r.SameContent {
			t.Errorf("again, closed: %+v", r)
		}
		if after := w.counts(); after != before {
			t.Errorf("a repeat wrote:\n%s\nbefore:\n%s", after, before)
		}
		for key, got := range w.totals(src.VendorID, sept) {
			if strings.HasPrefix(key, " ") {
				t.Errorf("unmapped after map auto: %s", got)
			}
		}
	})
}

func TestReorderedContentIsTheSame(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.source(source.AddInput{Name: "nova"})
		a := focusRow{"2026-01", "03", "s1", "VM", "Usage", "1.5"}
		b := focusRow{"2026-01", "04", "s2", "DB", "Usage", "2"}
		w.imports("nova", delivery.Input{Paths: []string{w.file("a.csv", a, a, b)}})
		before := w.counts()
		r := w.imports("nova", delivery.Input{Paths: []string{w.file("b.csv", b, a, a)}})
		if !r.SameContent || w.counts() != before {
			t.Errorf("%+v\n%s\nbefore\n%s", r, w.counts(), before)
		}
		w.setMonth(w.vendor("nova"), "2026-01", "draft")
		if r = w.imports("nova", delivery.Input{Paths: []string{w.file("c.csv", a, b, a)}}); !r.SameContent {
			t.Errorf("same content for a draft: %+v", r)
		}
	})
}

func (w *world) vendor(name string) string {
	w.t.Helper()
	src, err := w.sources.ByName(context.Background(), operator, name)
	w.must(err)
	return src.VendorID
}

func TestSnapshotReplacesAndReverts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		src := w.source(source.AddInput{Name: "nova"})
		a := focusRow{"2026-01", "03", "s1", "VM", "Usage", "1.5"}
		b := focusRow{"2026-01", "04", "s2", "DB", "Usage", "2"}
		c := focusRow{"2026-01", "05", "s1", "VM", "Usage", "4"}
		w.imports("nova", delivery.Input{Paths: []string{w.file("a.csv", a, a, b)}, Final: delivery.FinalMark{All: true}})
		w.auto("nova", "P1")
		r := w.imports("nova", delivery.Input{Paths: []string{w.file("b.csv", a, c)}})
		if r.Added != 1 || r.Removed != 2 || r.Cycles[0].RemovedSum.String() != "3.5" || r.Cycles[0].AddedSum.String() != "4" {
			t.Fatalf("%+v", r)
		}
		vanished := false
		for _, warning := range r.Warnings {
			vanished = vanished || warning.Code == "delivery.warning.account_vanished" && warning.Args["sub_account"] == "s2" && warning.Args["sum"] == "2"
		}
		if !vanished {
			t.Errorf("no warning of the vanished account: %v", r.Warnings)
		}
		w.wantTotals(src.VendorID, "2026-01", map[string]string{"s1 USD": "2 5.5"})
		page, err := w.del.Diff(ctx, operator, delivery.DiffInput{Delivery: "nova/2", Limit: 2})
		w.must(err)
		rest, err := w.del.Diff(ctx, operator, delivery.DiffInput{Delivery: "nova/2", After: page.Next})
		w.must(err)
		var kinds []string
		for _, row := range append(page.Rows, rest.Rows...) {
			kinds = append(kinds, string(row.Kind))
		}
		if len(page.Rows) != 2 || fmt.Sprint(kinds) != "[removed added removed]" {
			t.Errorf("difference: %v", kinds)
		}
		if _, err := w.del.Revert(ctx, operator, "nova/1", "mistake"); !fault.HasCode(err, "flow.not_from_state") {
			t.Errorf("reverting a replaced delivery: %v", err)
		}
		// A rule that changes meanwhile must hold for what counts again.
		_, err = w.mapFile("source,key,customer,partner,association,valid_from,valid_to\nnova,s2,zwei,P1,resale,,\n")
		w.must(err)
		_, err = w.del.Revert(ctx, operator, "nova/2", "mistake")
		w.must(err)
		w.wantTotals(src.VendorID, "2026-01", map[string]string{"s1 USD": "2 3", "zwei USD": "1 2"})
		if _, err := w.del.Revert(ctx, operator, "nova/2", "again"); !fault.HasCode(err, "flow.not_from_state") {
			t.Errorf("reverting twice: %v", err)
		}
		_, err = w.del.Revert(ctx, operator, "nova/1", "mistake")
		w.must(err)
		w.wantTotals(src.VendorID, "2026-01", map[string]string{})
		periods, err := w.del.Periods(ctx, operator, src.ID, "")
		w.must(err)
		if len(periods) != 0 {
			t.Errorf("periods left: %+v", periods)
		}
	})
}

func TestDryRunLeavesNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.source(source.AddInput{Name: "nova"})
		a := focusRow{"2026-01", "03", "s1", "VM", "Usage", "1.5"}
		before := w.counts()
		in := delivery.Input{Paths: []string{w.file("a.csv", a, a)}, DryRun: true, Final: delivery.FinalMark{All: true}}
		r := w.imports("nova", in)
		if r.Added != 2 || !r.DryRun || r.Cycles[0].Total.String() != "3" || w.counts() != before {
			t.Errorf("%+v\n%s\nbefore\n%s", r, w.counts(), before)
		}
		in.DryRun = false
		w.imports("nova", in)
		before = w.counts()
		r = w.imports("nova", delivery.Input{Paths: []string{w.file("b.csv", a)}, DryRun: true})
		if r.Removed != 1 || w.counts() != before {
			t.Errorf("%+v\n%s\nbefore\n%s", r, w.counts(), before)
		}
	})
}

// brokenStore fails at the n-th writing of lines, as a killed program does between two batches.
type brokenStore struct {
	delivery.Store
	left *int
	at   string
}

var errKilled = errors.New("killed")

func (b brokenStore) WriteLines(ctx context.Context, lines []*usage.Stored, fresh usage.Dims) error {
	if b.at == "batch" {
		if *b.left--; *b.left == 0 {
			return errKilled
		}
	}
	return b.Store.WriteLines(ctx, lines, fresh)
}

func (b brokenStore) WriteSummaries(ctx context.Context, next usage.NextSummary) error {
	if b.at == "publish" {
		return errKilled
	}
	return b.Store.WriteSummaries(ctx, next)
}

func TestCrashIsResumed(t *testing.T) {
	for _, at := range []string{"batch", "publish"} {
		t.Run(at, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				ctx := context.Background()
				src := w.source(source.AddInput{Name: "focus"})
				in := delivery.Input{Source: "focus", Paths: []string{sample}}
				left := 4
				broken := w.service(150)
				broken.Store = brokenStore{w.store, &left, at}
				if _, err := broken.Import(ctx, operator, in); !errors.Is(err, errKilled) {
					t.Fatal(err)
				}
				w.wantTotals(src.VendorID, sept, map[string]string{})
				list, err := w.del.List(ctx, operator, "focus", 0)
				w.must(err)
				if len(list) != 0 {
					t.Errorf("half a delivery is visible: %+v", list)
				}
				resumed := int64(0)
				in.Progress = func(p delivery.Progress) { resumed = max(resumed, p.Resumed) }
				r, err := w.service(150).Import(ctx, operator, in)
				w.must(err)
				if r.Added != 1000 || resumed < 450 {
					t.Errorf("added %d, resumed %d", r.Added, resumed)
				}
				w.wantTotals(src.VendorID, sept, map[string]string{" USD": "999 20.28022672899"})
			})
		})
	}
}

func TestRulesChangedWhileInterrupted(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		src := w.source(source.AddInput{Name: "nova"})
		var rows []focusRow
		for i := range 20 {
			rows = append(rows, focusRow{"2026-01", fmt.Sprintf("%02d", i+1), fmt.Sprint("s", i%2), "VM", "Usage", fmt.Sprint(i + 1)})
		}
		in := delivery.Input{Source: "nova", Paths: []string{w.file("a.csv", rows...)}}
		left := 3
		broken := w.service(4)
		broken.Store = brokenStore{w.store, &left, "batch"}
		if _, err := broken.Import(ctx, operator, in); !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
		_, err := w.mapFile("source,key,customer,partner,association,valid_from,valid_to\nnova,s0,zero,P1,resale,,\nnova,s1,one,P1,resale,2026-01-11,\n")
		w.must(err)
		_, err = w.service(4).Import(ctx, operator, in)
		w.must(err)
		w.wantTotals(src.VendorID, "2026-01", map[string]string{" USD": "5 30", "one USD": "5 80", "zero USD": "10 100"})
	})
}

func TestLeftoversAreCleaned(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		w.source(source.AddInput{Name: "focus"})
		left := 3
		broken := w.service(200)
		broken.Store = brokenStore{w.store, &left, "batch"}
		_, err := broken.Import(ctx, operator, delivery.Input{Source: "focus", Paths: []string{sample}})
		if !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
		n, err := w.del.Clean(ctx)
		w.must(err)
		if n != 0 {
			t.Error("a recent leftover was removed, so that it cannot be resumed")
		}
		w.clock.Set(w.clock.Now().Add(25 * time.Hour))
		n, err = w.del.Clean(ctx)
		w.must(err)
		if n != 1 || !strings.Contains(w.counts(), "usage_line 0\n") || !strings.Contains(w.counts(), "kept_chunk 0\n") {
			t.Errorf("cleaned %d:\n%s", n, w.counts())
		}
	})
}

func TestClosingMonthRefusesAndIssuedMonthCorrects(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		src := w.source(source.AddInput{Name: "nova"})
		a := focusRow{"2026-01", "03", "s1", "VM", "Usage", "1.5"}
		b := focusRow{"2026-01", "04", "s2", "DB", "Usage", "2"}
		w.imports("nova", delivery.Input{Paths: []string{w.file("a.csv", a, b)}})
		w.auto("nova", "P1")
		for _, state := range []string{"frozen", "draft", "reviewed"} {
			w.setMonth(src.VendorID, "2026-01", state)
			before := w.counts()
			_, err := w.try("nova", delivery.Input{Paths: []string{w.file("b.csv", a)}})
			if !fault.HasCode(err, "delivery.cycle_not_open") || w.counts() != before {
				t.Errorf("%s: %v\n%s\nbefore\n%s", state, err, w.counts(), before)
			}
		}
		w.setMonth(src.VendorID, "2026-01", "issued")
		late := focusRow{"2026-01", "09", "s1", "VM", "Usage", "7"}
		w.imports("nova", delivery.Input{Paths: []string{w.file("c.csv", a, late)}})
		if fmt.Sprint(w.late) != "[+7 s1 VM -2 s2 DB]" {
			t.Errorf("late: %v", w.late)
		}
		w.wantTotals(src.VendorID, "2026-01", map[string]string{"s1 USD": "1 1.5", "s2 USD": "1 2"})
		// The newest known state is what arrived late.
		w.late = nil
		w.imports("nova", delivery.Input{Paths: []string{w.file("d.csv", a, late, late)}})
		if fmt.Sprint(w.late) != "[+7 s1 VM]" {
			t.Errorf("late again: %v", w.late)
		}
		if _, err := w.del.Revert(context.Background(), operator, "nova/3", "no"); !fault.HasCode(err, "delivery.revert_closed") {
			t.Errorf("revert of late lines: %v", err)
		}
	})
}

func TestAppendRefusesRepeats(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		src := w.source(source.AddInput{Name: "daily", Mode: source.ModeAppend})
		a := focusRow{"2026-01", "03", "s1", "VM", "Usage", "1.5"}
		b := focusRow{"2026-01", "04", "s2", "DB", "Usage", "2"}
		c := focusRow{"2026-01", "05", "s2", "DB", "Usage", "3"}
		one := w.file("1.csv", a)
		w.imports("daily", delivery.Input{Paths: []string{one}})
		w.imports("daily", delivery.Input{Paths: []string{w.file("2.csv", b)}})
		w.wantTotals(src.VendorID, "2026-01", map[string]string{" USD": "2 3.5"})
		if r := w.imports("daily", delivery.Input{Paths: []string{one}}); !r.SameContent {
			t.Errorf("%+v", r)
		}
		if _, err := w.try("daily", delivery.Input{Paths: []string{one, w.file("3.csv", c)}}); !fault.HasCode(err, "delivery.repeated_file") {
			t.Errorf("file again: %v", err)
		}
		before := w.counts()
		if _, err := w.try("daily", delivery.Input{Paths: []string{w.file("4.csv", b, c)}}); !fault.HasCode(err, "delivery.repeated_line") {
			t.Errorf("line again: %v", err)
		}
		if w.counts() != before {
			t.Error("a refused delivery left something")
		}
		_, err := w.del.Revert(context.Background(), operator, "daily/1", "wrong day")
		w.must(err)
		w.wantTotals(src.VendorID, "2026-01", map[string]string{" USD": "1 2"})
	})
}

// A line with an identity of its own is charged once, however its repeat arrives.
func TestAppendRefusesRepeatsOfItsOwnKeys(t *testing.T) {
	const head = "line_id,cycle,charge_start,product,category,currency,billed\n"
	each(t, func(t *testing.T, w *world) {
		src := w.source(source.AddInput{Name: "own", Dialect: "huoban"})
		one := "1,2026-01,2026-01-03,VM,usage,CNY,1\n"
		two := "2,2026-01,2026-01-03,VM,usage,CNY,"
		before := w.counts()
		if _, err := w.try("own", delivery.Input{Paths: []string{w.raw("twice.csv", head+one+one)}}); !fault.HasCode(err, "delivery.repeated_line") {
			t.Errorf("twice in one file: %v", err)
		}
		if w.counts() != before {
			t.Error("a refused delivery left something")
		}
		w.imports("own", delivery.Input{Paths: []string{w.raw("1.csv", head+one+two+"bad\n")}})
		w.imports("own", delivery.Input{Paths: []string{w.raw("2.csv", head+two+"5\n")}})
		rows, err := w.del.Quarantine(context.Background(), operator, delivery.QuarantineFilter{})
		w.must(err)
		if len(rows) != 1 {
			t.Fatalf("%d rows in quarantine", len(rows))
		}
		for _, fixed := range []string{two + "5", one[:len(one)-1]} {
			text := "quarantine_id," + head + rows[0].ID + "," + fixed + "\n"
			_, err := w.del.Retry(context.Background(), operator, "own/1", strings.NewReader(text))
			if !fault.HasCode(err, "delivery.correction_repeated") {
				t.Errorf("correction %q: %v", fixed, err)
			}
		}
		w.wantTotals(src.VendorID, "2026-01", map[string]string{" CNY": "2 6"})
		text := "quarantine_id," + head + rows[0].ID + ",3,2026-01,2026-01-03,VM,usage,CNY,7\n"
		_, err = w.del.Retry(context.Background(), operator, "own/1", strings.NewReader(text))
		w.must(err)
		w.wantTotals(src.VendorID, "2026-01", map[string]string{" CNY": "3 13"})
	})
}

func TestAmortisedIsRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.source(source.AddInput{Name: "azure", Dialect: "azure-cost"})
		actual, amortised := "../../../data/samples/finops-toolkit/EA_ActualCost_Small.csv", "../../../data/samples/finops-toolkit/EA_AmortizedCost_Small.csv"
		for _, paths := range [][]string{{amortised}, {actual, amortised}} {
			before := w.counts()
			if _, err := w.try("azure", delivery.Input{Paths: paths}); !fault.HasCode(err, "delivery.amortised") || w.counts() != before {
				t.Errorf("%v: %v", paths, err)
			}
		}
		w.imports("azure", delivery.Input{Paths: []string{actual}})
		if _, err := w.try("azure", delivery.Input{Paths: []string{amortised}}); !fault.HasCode(err, "delivery.amortised") {
			t.Errorf("after the actual: %v", err)
		}
	})
}

func TestQuarantine(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		src := w.source(source.AddInput{Name: "nova"})
		good := focusRow{"2026-01", "03", "s1", "VM", "Usage", "1.5"}
		bad := focusRow{"2026-01", "04", "s1", "VM", "Usage", "oops"}
		huge := focusRow{"2026-01", "05", "s1", "VM", "Usage", "99999999999999"}
		r := w.imports("nova", delivery.Input{Paths: []string{w.file("a.csv", good, bad, huge)}})
		if r.Quarantined != 2 || r.Added != 1 {
			t.Fatalf("%+v", r)
		}
		rows, n, err := w.store.Blocking(ctx, src.VendorID, "2026-01", 10)
		w.must(err)
		if n != 2 || rows[0].LineNo != 3 || rows[0].Raw == "" || rows[1].Code != "ingest.number_range" {
			t.Errorf("blocking %d: %+v", n, rows)
		}
		var out bytes.Buffer
		w.must(w.del.ExportQuarantine(ctx, operator, "nova/1", nil, &out))
		fixed := strings.Replace(strings.ReplaceAll(out.String(), "99999999999999", "2"), ",oops,oops,oops,oops", ",4,4,4,4", 1)
		if _, err := w.del.Retry(ctx, operator, "nova/1", strings.NewReader(out.String())); !fault.HasCode(err, "delivery.correction_refused") {
			if err == nil {
				t.Error("uncorrected rows were taken")
			}
		}
		got, err := w.del.Retry(ctx, operator, "nova/1", strings.NewReader(fixed))
		w.must(err)
		if got.Corrected != 2 || got.Sums["USD"].String() != "6" {
			t.Errorf("%+v\n%s", got, fixed)
		}
		w.wantTotals(src.VendorID, "2026-01", map[string]string{" USD": "3 7.5"})
		if _, n, err = w.store.Blocking(ctx, src.VendorID, "2026-01", 10); err != nil || n != 0 {
			t.Errorf("still blocking %d, %v", n, err)
		}
		all, err := w.del.Quarantine(ctx, operator, delivery.QuarantineFilter{})
		w.must(err)
		if len(all) != 2 || all[0].State != "corrected" || !strings.Contains(all[0].Raw, "oops") || all[0].Correction == "" {
			t.Errorf("%+v", all)
		}
		if _, err := w.del.Retry(ctx, operator, "nova/1", strings.NewReader(fixed)); !fault.HasCode(err, "delivery.correction_unknown") {
			t.Errorf("corrected twice: %v", err)
		}
	})
}

func TestOriginalRow(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		src := w.source(source.AddInput{Name: "focus"})
		w.imports("focus", delivery.Input{Paths: []string{sample}})
		body, err := os.ReadFile(sample)
		w.must(err)
		physical := strings.Split(string(body), "\n")
		slots, err := w.store.ActiveSlots(ctx, src.VendorID, sept)
		w.must(err)
		n := 0
		w.must(w.store.EachLine(ctx, []int64{slots[0].ID}, func(l *usage.Stored) error {
			if n++; n%97 != 0 {
				return nil
			}
			o, err := w.del.Original(ctx, l.SlotID, l.FileNo, l.LineNo)
			if err != nil {
				return err
			}
			if !strings.HasPrefix(o.RawText, strings.TrimRight(physical[l.LineNo-1], "\r")) {
				t.Errorf("line %d: %s, want %s", l.LineNo, o.RawText, physical[l.LineNo-1])
			}
			for _, c := range o.Cells {
				if c.Column == "BilledCost" && !money.MustExact(c.Text).Equal(l.Billed) {
					t.Errorf("line %d: BilledCost %s, line has %s", l.LineNo, c.Text, l.Billed)
				}
			}
			return nil
		}))
		if n != 999 {
			t.Errorf("%d lines", n)
		}
	})
}

func TestScope(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		nova := w.source(source.AddInput{Name: "nova"})
		w.source(source.AddInput{Name: "other", Vendor: "OTHER"})
		w.imports("nova", delivery.Input{Paths: []string{w.file("a.csv", focusRow{"2026-01", "03", "s1", "VM", "Usage", "1.5"})}})
		items := []scope.Item{scope.ItemDeliveryView, scope.ItemDeliveryImport, scope.ItemSourceView}
		stranger := scope.Vendor(w.vendor("other"), "p", "eve", items)
		if list, err := w.del.List(ctx, stranger, "", 0); err != nil || len(list) != 0 {
			t.Errorf("%v %v", list, err)
		}
		if _, err := w.del.Find(ctx, stranger, "nova/1"); !fault.Is(err, fault.KindNotFound) {
			t.Errorf("find: %v", err)
		}
		if _, err := w.sources.ByName(ctx, stranger, "nova"); !fault.Is(err, fault.KindNotFound) {
			t.Errorf("source: %v", err)
		}
		own := scope.Vendor(nova.VendorID, "p", "ann", items)
		if list, err := w.del.List(ctx, own, "", 0); err != nil || len(list) != 1 {
			t.Errorf("%v %v", list, err)
		}
		partner := scope.Partner(nova.VendorID, "p", "bob", items, nil)
		if list, err := w.sources.List(ctx, partner); err != nil || len(list) != 0 {
			t.Errorf("partner sees %v %v", list, err)
		}
	})
}
