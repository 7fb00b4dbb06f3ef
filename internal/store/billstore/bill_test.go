package billstore_test

import (
	"bytes"
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"huoban/internal/bill"
	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/price"
	"huoban/internal/scope"
	"huoban/internal/store"
	"huoban/internal/store/storetest"
	"huoban/internal/usage"
)

func codes(docs []bill.Document) (out string) {
	for _, d := range docs {
		out += d.Partner.Code + " "
	}
	return out
}

func TestDraftIsReadBackAsComputed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.usual()
		w.importPrices("partner,region,factor\n,,0.85\nR,,0.9\n", false)
		r := w.draft()
		w.draft() // again: replaces, does not add
		docs, err := w.store.WithItems(t.Context(), system, bill.Filter{VendorID: "V", Cycle: "2024-09"})
		if err != nil || codes(docs) != "D R S " {
			t.Fatalf("%s, %v", codes(docs), err)
		}
		for i := range docs {
			r.Documents[i].State = bill.StateDraft
			if got, want := docs[i].Canonical(), r.Documents[i].Canonical(); !bytes.Equal(got, want) {
				t.Errorf("read back\n%s\nwritten\n%s", got, want)
			}
			if docs[i].ComputeCode() != docs[i].Code {
				t.Errorf("%s: code %s, computed %s", docs[i].Partner.Code, docs[i].Code, docs[i].ComputeCode())
			}
		}
		// shares of 3.7 by 10.623456789+... cost: they sum to the whole, priced like every line
		sum := money.Exact{}
		for _, d := range docs[1:] {
			sum = sum.Add(d.TaxExact)
		}
		if sum.Sign() <= 0 {
			t.Errorf("no tax was spread: %s", sum)
		}
	})
}

func TestScopeOfBills(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.usual()
		w.draft()
		items := []scope.Item{scope.ItemBillView}
		for _, c := range []struct {
			name string
			sc   scope.Scope
			want string
		}{
			{"system", system, "D R S "},
			{"vendor", scope.Vendor("V", "p", "l", items), "D R S "},
			{"another vendor", scope.Vendor("W", "p", "l", items), ""},
			{"solution partner", scope.Partner("S", "p", "l", items, nil), "S "},
			{"distributor", scope.Partner("D", "p", "l", items, []string{"R"}), "D R "},
			{"distributor that lost its reseller", scope.Partner("D", "p", "l", items, nil), "D "},
			{"reseller", scope.Partner("R", "p", "l", items, nil), "R "},
			{"customer manager", scope.Partner("S", "p", "l", items, nil).Limited([]scope.Window{{CustomerID: "c1"}}), ""},
			{"customer", scope.Customer("c1", "p", "l", items), ""},
			{"nobody", scope.Scope{}, ""},
		} {
			docs, err := w.store.List(t.Context(), c.sc, bill.Filter{})
			if err != nil || codes(docs) != c.want {
				t.Errorf("%s sees %q, want %q (%v)", c.name, codes(docs), c.want, err)
			}
		}
		docs, err := w.store.List(t.Context(), system, bill.Filter{PartnerID: "D"})
		if err != nil || len(docs) != 1 {
			t.Fatal(len(docs), err)
		}
		if _, err := w.store.ByID(t.Context(), scope.Partner("R", "p", "l", items, nil), docs[0].ID); !fault.HasCode(err, "bill.unknown") {
			t.Errorf("a reseller reads the buy side: %v", err)
		}
	})
}

func TestIssuedBillsAndRulesAreFinal(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.usual()
		w.importPrices("factor\n0.85\n", false)
		w.draft()
		w.tx(func(ctx context.Context) error {
			n, err := w.store.SetState(ctx, "V", "2024-09", bill.StateDraft, bill.StateReviewed, now.AddDate(-9, 0, 0))
			if n != 3 {
				t.Errorf("%d bills moved", n)
			}
			return err
		})
		w.tx(func(ctx context.Context) error {
			_, err := w.store.SetState(ctx, "V", "2024-09", bill.StateReviewed, bill.StateIssued, now)
			return err
		})
		err := db.InTx(t.Context(), func(ctx context.Context) error { return w.store.RemoveDraft(ctx, "V", "2024-09") })
		if !fault.HasCode(err, "store.refused") {
			t.Errorf("issued bills were removed: %v", err)
		}
		err = db.InTx(t.Context(), func(ctx context.Context) error {
			_, err := w.store.SetState(ctx, "V", "2024-09", bill.StateIssued, bill.StateDraft, now)
			return err
		})
		if !fault.HasCode(err, "store.refused") {
			t.Errorf("issued bills were reopened: %v", err)
		}
		for _, text := range []string{"update price_rule set factor = '0.5'", "delete from price_rule", "update price_rule set seq = 9"} {
			err = db.InTx(t.Context(), func(ctx context.Context) error {
				_, err := db.Exec(ctx, store.Query{Name: "test", Text: text})
				return err
			})
			if !fault.HasCode(err, "store.refused") {
				t.Errorf("%s: %v", text, err)
			}
		}
	})
}

// collect reads a list page by page.
// collect reads a list page by page to its end, and then back to its beginning: the pages are the same.
func (w *world) collect(doc *bill.Document, f bill.LineFilter, limit int) (rows []bill.LineRow, sum money.Amount) {
	w.t.Helper()
	read := func(at bill.LinePlace) bill.LinePage {
		page, err := w.bills.Lines(context.Background(), system, doc, f, at, limit)
		if err != nil {
			w.t.Fatal(err)
		}
		return page
	}
	var pages []bill.LinePage
	for at := (bill.LinePlace{}); len(pages) == 0 || at.Cursor != ""; {
		if len(pages) == 100 {
			w.t.Fatal("the list does not end")
		}
		page := read(at)
		pages, rows, sum = append(pages, page), append(rows, page.Rows...), sum+page.Sum
		at.Cursor = page.Next
	}
	for i := len(pages) - 1; i > 0; i-- {
		before := read(bill.LinePlace{Cursor: pages[i].Prev, Back: true})
		if want := pages[i-1]; !reflect.DeepEqual(before, want) {
			w.t.Errorf("%+v, page %d of %d back: %s %s, not %s %s", f, i, limit, describe(before.Rows), before.Sum, describe(want.Rows), want.Sum)
		}
	}
	if pages[0].Prev != "" {
		w.t.Errorf("%+v: something stands before the first page", f)
	}
	return rows, sum
}

func describe(rows []bill.LineRow) (out string) {
	for _, r := range rows {
		out += fmt.Sprintf("%s %s %s %s; ", r.Customer.Code, r.File.Name, r.Line.Product.Service, r.Amount)
	}
	return out
}

func TestLinesOfABill(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.usual()
		w.importPrices("product,factor\ncompute,0.5\n", false)
		w.draft()
		docs, err := w.store.WithItems(t.Context(), system, bill.Filter{PartnerID: "S"})
		if err != nil || len(docs) != 1 {
			t.Fatal(len(docs), err)
		}
		doc := &docs[0]
		all, sum := w.collect(doc, bill.LineFilter{}, 100)
		if sum != doc.Stored() || int64(len(all)) != doc.LineCount {
			t.Errorf("%d lines sum to %s, the bill has %d and %s", len(all), sum, doc.LineCount, doc.Stored())
		}
		want := "c1 d1.csv Compute 5.06172839; c1 d1.csv Compute -0.75; c1 d1.csv Disk 0; c1 d2.csv Disk 2; c1 d1.csv Tax"
		if got := describe(all); !strings.HasPrefix(got, want) {
			t.Errorf("lines %s\nwant %s…", got, want)
		}
		for _, limit := range []int{1, 2, 3, 5} {
			paged, pagedSum := w.collect(doc, bill.LineFilter{}, limit)
			if describe(paged) != describe(all) || pagedSum != sum {
				t.Errorf("pages of %d: %s", limit, describe(paged))
			}
		}
		for _, f := range []bill.LineFilter{{CustomerID: "c2"}, {Product: "Disk"}, {Kind: usage.KindRefund}, {Region: "eu", Product: "Compute"}, {Kind: usage.KindTax}, {Region: "mars"}} {
			rows, sum := w.collect(doc, f, 2)
			var streamed int64
			if err := w.bills.EachLine(t.Context(), system, doc, f, func(*bill.LineRow) error { streamed++; return nil }); err != nil {
				t.Fatal(err)
			}
			if total := doc.LineTotals(f); total.Count != int64(len(rows)) || total.Amount != sum || streamed != total.Count {
				t.Errorf("%+v: %d rows, %d streamed, sum %s; totals %+v", f, len(rows), streamed, sum, total)
			}
		}
		if rows, _ := w.collect(doc, bill.LineFilter{NonZero: true}, 2); len(rows) != len(all)-1 {
			t.Errorf("%d lines are not zero", len(rows))
		}
		if _, err := w.bills.Lines(t.Context(), scope.Partner("R", "", "", nil, nil), doc, bill.LineFilter{}, bill.LinePlace{}, 5); !fault.HasCode(err, "bill.unknown") {
			t.Errorf("another partner reads the lines: %v", err)
		}
		if _, err := w.bills.Lines(t.Context(), system, doc, bill.LineFilter{}, bill.LinePlace{Cursor: "%"}, 5); !fault.HasCode(err, "bill.cursor_malformed") {
			t.Errorf("a broken cursor: %v", err)
		}
	})
}

func TestWhy(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.usual()
		w.importPrices("product,type,factor\ncompute,normal,0.5\n,special,0.9\n", false)
		w.importPrices("product,type,factor\n,special,0.8\n", false)
		w.draft()
		docs, err := w.store.WithItems(t.Context(), system, bill.Filter{PartnerID: "S"})
		if err != nil {
			t.Fatal(err)
		}
		rows, _ := w.collect(&docs[0], bill.LineFilter{}, 100)
		why, err := w.bills.Why(t.Context(), system, &docs[0], rows[0].Place, "c1")
		if err != nil {
			t.Fatal(err)
		}
		if why.Rule.Number != 2 || why.Rule.Version != 2 || why.Day != "2024-09-10" || why.Row.Amount.String() != "8.09876543" || why.Residue.String() != "0.0000000012" {
			t.Errorf("rule %d.%d on %s: %s, residue %s", why.Rule.Number, why.Rule.Version, why.Day, why.Row.Amount, why.Residue)
		}
		if why.Before == nil || why.Before.Rule.Factor.String() != "0.9" || why.Before.Amount.String() != "9.11111111" {
			t.Errorf("before: %+v", why.Before)
		}
		if len(why.Others) != 1 || why.Others[0].Rule.Number != 1 || why.Others[0].Reason != price.ReasonType {
			t.Errorf("others: %+v", why.Others)
		}
		for _, r := range rows {
			if r.Origin != bill.OriginSpread {
				continue
			}
			why, err := w.bills.Why(t.Context(), system, &docs[0], r.Place, r.Customer.ID)
			if err != nil || why.Whole.String() != "3.7" || why.Row.Amount != r.Amount {
				t.Errorf("a part: %+v, %v", why, err)
			}
		}
		gone := rows[0].Place
		gone.Occurrence = 7
		if _, err := w.bills.Why(t.Context(), system, &docs[0], gone, "c1"); !fault.HasCode(err, "bill.line_unknown") {
			t.Errorf("an unknown line: %v", err)
		}
	})
}
