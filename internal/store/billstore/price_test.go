package billstore_test

import (
	"fmt"
	"strings"
	"testing"

	"huoban/internal/bill"
	"huoban/internal/fault"
	"huoban/internal/price"
	"huoban/internal/store"
	"huoban/internal/store/storetest"
)

func (w *world) importPrices(file string, draft bool) price.ImportResult {
	w.t.Helper()
	r, err := w.prices.Import(w.t.Context(), system, price.ImportInput{VendorID: "V", File: strings.NewReader(file), Draft: draft})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func counts(r price.ImportResult) string {
	return fmt.Sprintf("added %d changed %d same %d", r.Added, r.Changed, r.Same)
}

func TestImportPrices(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		const first = "\xef\xbb\xbfpartner,customer,provider,product,charging_mode,region,type,base,factor,valid_from,valid_to\n" +
			"S,,,,,,普通,billed,0.85,,\nS,c1,aws,Compute,按需,eu,特价,list,0.5,2024-09,2024-10-15\n"
		for i, want := range []string{"added 2 changed 0 same 0", "added 0 changed 0 same 2"} {
			if got := counts(w.importPrices(first, false)); got != want {
				t.Errorf("import %d: %s, want %s", i+1, got, want)
			}
		}
		if got := counts(w.importPrices("partner,factor\nS,0.80\nR,0.9\n", false)); got != "added 1 changed 1 same 0" {
			t.Errorf("a change: %s", got)
		}
		if n := len(w.audit.entries); n != 4 || w.audit.entries[2].Detail["replaces"] != "1.1" || w.audit.entries[2].Detail["ended_seq"] != int64(2) {
			t.Errorf("%d audit rows, third %v", n, w.audit.entries[2].Detail)
		}
		seq, err := w.prices.Seq(t.Context(), "V")
		if err != nil || seq != 2 {
			t.Fatalf("state %d, %v", seq, err)
		}
		for at, want := range map[int64]string{1: "0.85", 2: "0.8"} {
			book, err := w.prices.Book(t.Context(), "V", at)
			if err != nil {
				t.Fatal(err)
			}
			if got := book.Resolve(price.Query{PartnerID: "S", On: "2024-09-01"}); got.Factor.String() != want {
				t.Errorf("state %d: %s, want %s", at, got.Factor, want)
			}
		}
		rules, err := w.prices.List(t.Context(), system, "V")
		if err != nil || len(rules) != 3 || rules[1].ValidFrom != "2024-09-01" || rules[1].Type != price.TypeSpecial || !rules[2].ForReseller {
			t.Errorf("%+v, %v", rules, err)
		}
		if err := w.prices.Withdraw(t.Context(), system, "V", 1); err != nil {
			t.Fatal(err)
		}
		if book, err := w.prices.Newest(t.Context(), "V"); err != nil || book.Seq() != 3 || len(book.Rules()) != 2 {
			t.Errorf("after withdrawal: %v, %v", book, err)
		}
	})
}

func TestImportRefusesWholeFiles(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.importPrices("partner,factor\nS,0.85\n", false)
		for _, c := range []struct{ file, code, detail string }{
			{"partner,factor\nS,0.7\nnobody,0.5\n", "price.partner_unknown", "Line=3"},
			{"partner,factor\nc1,0.7\n", "price.partner_unknown", "Line=2"},
			{"customer,factor\nnobody,0.7\n", "price.customer_unknown", "Line=2"},
			{"region,factor\neu,0.7\n", "price.tie", "Other=1"},
			{"region,factor\neu,0.7\neu,0.8\n", "price.row_twice", "Line=3"},
			{"type,factor\nno_discount,0.9\n", "price.no_discount_factor", "Line=2"},
			{"type,factor\ncheap,0.9\n", "price.type_unknown", "Value=cheap"},
			{"factor\n-1\n", "price.factor_range", "Line=2"},
			{"factor\n1e\n", "price.factor_malformed", "Line=2"},
			{"factor,valid_from\n1,2024-02-30\n", "price.date_malformed", "Column=valid_from"},
			{"factor,valid_from,valid_to\n1,2024-02,2024-02\n", "price.interval_empty", "Line=2"},
			{"factor,base\n1,cost\n", "price.base_unknown", "Value=cost"},
			{"factor,charging_mode\n1,rent\n", "price.mode_unknown", "Value=rent"},
			{"factor,region\n1\n", "price.row_width", "Line=2"},
			{"factor,color\n1,red\n", "price.column_unknown", "Column=color"},
			{"partner\nS\n", "price.column_missing", "factor"},
			{"factor\n", "price.file_empty", ""},
			{"vendor,factor\nX,1\n", "price.vendor_unknown", "Value=X"},
		} {
			_, err := w.prices.Import(t.Context(), system, price.ImportInput{VendorID: "V", File: strings.NewReader(c.file)})
			if !fault.HasCode(err, c.code) || !strings.Contains(err.Error(), c.detail) {
				t.Errorf("%q: %v, want %s %s", c.file, err, c.code, c.detail)
			}
		}
		if _, err := w.prices.Import(t.Context(), system, price.ImportInput{File: strings.NewReader("factor\n1\n")}); !fault.HasCode(err, "price.vendor_missing") {
			t.Errorf("two vendors and none named: %v", err)
		}
		if got := counts(w.importPrices("vendor,factor\nW,0.5\n", false)); got != "added 1 changed 0 same 0" {
			t.Errorf("a vendor column: %s", got)
		}
		dry, err := w.prices.Import(t.Context(), system, price.ImportInput{VendorID: "V", File: strings.NewReader("partner,factor\nS,0.1\n"), DryRun: true})
		if err != nil || counts(dry) != "added 0 changed 1 same 0" {
			t.Errorf("dry run: %s, %v", counts(dry), err)
		}
		if seq, err := w.prices.Seq(t.Context(), "V"); err != nil || seq != 1 {
			t.Errorf("refused files and dry runs left state %d, %v", seq, err)
		}
	})
}

// TestSimulationEqualsClose: what a draft shows on a cycle is what the cycle costs with it in force.
func TestSimulationEqualsClose(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.usual()
		w.importPrices("partner,factor\nS,0.95\n", false)
		w.draft()
		w.importPrices("partner,customer,type,factor\nS,,normal,0.85\nR,c3,special,0.7\n", true)
		drafts, err := w.prices.Drafts(t.Context(), system, "V")
		if err != nil || len(drafts) != 2 {
			t.Fatal(len(drafts), err)
		}
		sim, err := w.bills.Simulate(t.Context(), system, "V", "2024-09", drafts)
		if err != nil {
			t.Fatal(err)
		}
		before, err := w.bills.Compute(t.Context(), "V", "2024-09")
		if err != nil {
			t.Fatal(err)
		}
		if n, err := w.prices.Activate(t.Context(), system, "V"); err != nil || n != 2 {
			t.Fatal(n, err)
		}
		after := w.draft()
		if len(sim.Bills) != 3 || len(after.Documents) != 3 {
			t.Fatalf("%d simulated, %d real", len(sim.Bills), len(after.Documents))
		}
		changed := 0
		for i, c := range sim.Bills {
			if got, want := amounts(c.New), amounts(&after.Documents[i]); got != want {
				t.Errorf("simulated %s\nbut closed %s", got, want)
			}
			if got, want := amounts(c.Old), amounts(&before.Documents[i]); got != want {
				t.Errorf("before: %s, was %s", got, want)
			}
			if amounts(c.Old) != amounts(c.New) {
				changed++
			}
		}
		if changed != 2 {
			t.Errorf("%d bills changed, want those of R and S", changed)
		}
		if n, err := w.prices.Discard(t.Context(), system, "V"); err != nil || n != 0 {
			t.Errorf("%d drafts left, %v", n, err)
		}
	})
}

func amounts(d *bill.Document) string {
	return fmt.Sprintf("%s %s/%s/%s/%s/%s due %s exact %s", d.Partner.Code, d.Consumption, d.Refund, d.Adjustment, d.Rounding, d.Tax, d.Due, d.ExactTotal)
}
