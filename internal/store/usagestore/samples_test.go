package usagestore_test

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"huoban/internal/attribution"
	"huoban/internal/cycle"
	"huoban/internal/delivery"
	"huoban/internal/fault"
	"huoban/internal/source"
)

const samples = "../../../data/samples/"

func TestNotFinalThenFinal(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		src := w.source(source.AddInput{Name: "koku", Dialect: "aws-cur"})
		w.imports("koku", delivery.Input{Paths: []string{samples + "koku-testdata/aws_2023-06-01-not-final.csv"}})
		r := w.imports("koku", delivery.Input{Paths: []string{samples + "koku-testdata/aws_2023-06-01.csv"}, Final: delivery.FinalMark{All: true}})
		w.wantTotals(src.VendorID, "2023-06", map[string]string{" NOK": "3 30"})
		if r.Cycles[0].LineCount != 3 || fmt.Sprint(r.Final) != "[2023-06]" {
			t.Errorf("%+v", r)
		}
	})
}

func TestGCPByProject(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		files, err := filepath.Glob(samples + "gcp-synth/*.csv")
		w.must(err)
		src := w.source(source.AddInput{Name: "gcp", Dialect: "gcp"})
		r := w.imports("gcp", delivery.Input{Paths: files})
		if len(r.Cycles) != 12 || r.LineCount != 500 {
			t.Errorf("%d cycles × currencies, %d lines", len(r.Cycles), r.LineCount)
		}
		_, err = w.rules.Auto(ctx, operator, attribution.AutoInput{Source: "gcp", Partner: "P1", Association: "resale", Key: "project_id"})
		w.must(err)
		for _, c := range r.Cycles {
			for key, got := range w.totals(src.VendorID, c.Cycle) {
				if strings.HasPrefix(key, " ") {
					t.Errorf("%s: unmapped%s %s", c.Cycle, key, got)
				}
			}
		}
		before := w.counts()
		again, err := w.rules.Auto(ctx, operator, attribution.AutoInput{Source: "gcp", Partner: "P1", Association: "resale", Key: "project_id"})
		w.must(err)
		if again.Added+len(again.Moved) != 0 || w.counts() != before {
			t.Errorf("again: %+v", again)
		}
	})
}

func TestWrappedContentIsTheSame(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.source(source.AddInput{Name: "focus"})
		w.imports("focus", delivery.Input{Paths: []string{sample}})
		path := filepath.Join(t.TempDir(), "sample.csv.gz")
		out, err := os.Create(path)
		w.must(err)
		in, err := os.Open(sample)
		w.must(err)
		defer in.Close()
		z := gzip.NewWriter(out)
		_, err = io.Copy(z, in)
		w.must(err)
		w.must(z.Close())
		w.must(out.Close())
		before := w.counts()
		if r := w.imports("focus", delivery.Input{Paths: []string{path}}); !r.SameContent || w.counts() != before {
			t.Errorf("%+v", r)
		}
	})
}

func TestOnlyBadRowsStillBlock(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		src := w.source(source.AddInput{Name: "nova"})
		r := w.imports("nova", delivery.Input{Paths: []string{w.file("a.csv", focusRow{"2026-01", "03", "s1", "VM", "Usage", "oops"})}})
		if r.Quarantined != 1 || r.SameContent || r.Number != 1 {
			t.Errorf("%+v", r)
		}
		if _, n, err := w.store.Blocking(ctx, src.VendorID, "2026-01", 1); err != nil || n != 1 {
			t.Errorf("blocking %d, %v", n, err)
		}
		rows, err := w.del.Quarantine(ctx, operator, delivery.QuarantineFilter{})
		w.must(err)
		if err := w.del.Drop(ctx, operator, "nova/1", []string{rows[0].ID}, " "); !fault.HasCode(err, "delivery.reason_missing") {
			t.Errorf("dropped without reason: %v", err)
		}
		w.must(w.del.Drop(ctx, operator, "nova/1", []string{rows[0].ID}, "test row of the vendor"))
		if _, n, err := w.store.Blocking(ctx, src.VendorID, "2026-01", 1); err != nil || n != 0 {
			t.Errorf("blocking %d, %v", n, err)
		}
		// The next delivery of the source replaces one that had nothing but bad rows.
		w.imports("nova", delivery.Input{Paths: []string{w.file("b.csv", focusRow{"2026-01", "03", "s1", "VM", "Usage", "1"})}})
		d, err := w.del.Find(ctx, operator, "nova/1")
		w.must(err)
		if d.State != delivery.StateSuperseded {
			t.Errorf("state %s", d.State)
		}
	})
}

func TestEmptyMonth(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		src := w.source(source.AddInput{Name: "nova"})
		empty := w.file("a.csv")
		if _, err := w.try("nova", delivery.Input{Paths: []string{empty}}); !fault.HasCode(err, "delivery.empty") {
			t.Errorf("empty: %v", err)
		}
		r := w.imports("nova", delivery.Input{Paths: []string{empty}, Final: delivery.FinalMark{Cycles: []cycle.Cycle{"2026-01"}}})
		periods, err := w.del.Periods(ctx, operator, src.ID, "")
		w.must(err)
		if len(periods) != 1 || !periods[0].Final || len(periods[0].DaysWithout) != 31 || fmt.Sprint(r.Final) != "[2026-01]" {
			t.Errorf("%+v, %+v", periods, r)
		}
		if _, err := w.try("nova", delivery.Input{Paths: []string{w.file("b.csv")}, Final: delivery.FinalMark{Cycles: []cycle.Cycle{"2026-03"}}}); !fault.HasCode(err, "delivery.month_not_over") {
			t.Errorf("future month: %v", err)
		}
	})
}

func TestSourceIsDeclaredOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		in := source.AddInput{Vendor: "NOVA", Name: "cn", Dialect: "huawei", Currencies: []string{"CNY"}}
		a, err := w.sources.Add(ctx, operator, in)
		w.must(err)
		if !a.Added || a.Source.Zone != "+08:00" || a.Source.Mode != source.ModeSnapshot {
			t.Errorf("%+v", a)
		}
		before := w.counts()
		b, err := w.sources.Add(ctx, operator, in)
		w.must(err)
		if b.Added || b.Source.ID != a.Source.ID || w.counts() != before {
			t.Errorf("%+v", b)
		}
		in.Zone = "UTC"
		if _, err := w.sources.Add(ctx, operator, in); !fault.HasCode(err, "source.taken") {
			t.Errorf("another declaration: %v", err)
		}
		for want, in := range map[string]source.AddInput{
			"source.name_malformed":      {Vendor: "V", Name: "a b", Dialect: "focus"},
			"source.vendor_missing":      {Name: "x", Dialect: "focus"},
			"ingest.dialect_unknown":     {Vendor: "V", Name: "x", Dialect: "morse"},
			"cycle.zone_malformed":       {Vendor: "V", Name: "x", Dialect: "focus", Zone: "CET"},
			"source.span_empty":          {Vendor: "V", Name: "x", Dialect: "focus", From: "2026-02", Until: "2026-01"},
			"organisation.unknown":       {Vendor: "V", Name: "x", Dialect: "focus", Default: "nobody"},
			"ingest.currency_unknown":    {Vendor: "V", Name: "x", Dialect: "focus", Currencies: []string{"XYZ9"}},
			"organisation.kind_mismatch": {Vendor: "P9", Name: "x", Dialect: "focus"},
		} {
			if want == "organisation.kind_mismatch" {
				w.source(source.AddInput{Name: "seed", Vendor: "SEED"})
				w.imports("seed", delivery.Input{Paths: []string{w.file("s.csv", focusRow{"2026-01", "03", "s1", "VM", "Usage", "1"})}})
				w.auto("seed", "P9")
			}
			if _, err := w.sources.Add(ctx, operator, in); !fault.HasCode(err, want) {
				t.Errorf("%s: %v", want, err)
			}
		}
	})
}
