package expenditurestore_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"huoban/internal/customer"
	"huoban/internal/expenditure"
	"huoban/internal/fault"
	"huoban/internal/money"
	"huoban/internal/scope"
	"huoban/internal/store"
	"huoban/internal/store/storetest"
	"huoban/internal/usage"
)

var september = expenditure.Filter{Cycle: "2024-09"}

func partner(id string, resellers ...string) scope.Scope {
	return scope.Partner(id, "p", "l", items, resellers)
}

// tell writes rows in short.
func tell(rows []expenditure.LineRow) (out string) {
	for _, r := range rows {
		mark := ""
		if r.Spread {
			mark = "~"
		}
		out += fmt.Sprintf("%s%s %s %s; ", r.Customer.Code, mark, r.Line.Product.Service, r.Line.Billed)
	}
	return out
}

// all reads the list page by page and tells its lines, and then back to its beginning: the pages are the same.
func (w *world) all(sc scope.Scope, f expenditure.Filter, limit int) (told string, rows []expenditure.LineRow, totals *expenditure.Totals) {
	w.t.Helper()
	sum := money.Exact{}
	read := func(at expenditure.LinePlace) *expenditure.LinePage {
		t, page, err := w.svc.List(w.t.Context(), sc, f, at, limit)
		if err != nil {
			w.t.Fatal(err)
		}
		totals = t
		return page
	}
	var pages []*expenditure.LinePage
	for at := (expenditure.LinePlace{}); len(pages) == 0 || at.Cursor != ""; {
		if len(pages) == 100 {
			w.t.Fatal("the list does not end")
		}
		page := read(at)
		pages, rows, sum, told = append(pages, page), append(rows, page.Rows...), sum.Add(page.Sum), told+tell(page.Rows)
		at.Cursor = page.Next
	}
	for i := len(pages) - 1; i > 0; i-- {
		before, want := read(expenditure.LinePlace{Cursor: pages[i].Prev, Back: true}), pages[i-1]
		if tell(before.Rows) != tell(want.Rows) || !before.Sum.Equal(want.Sum) || before.Prev != want.Prev || before.Next != want.Next {
			w.t.Errorf("%+v, page %d of %d back: %s, not %s", f, i, limit, tell(before.Rows), tell(want.Rows))
		}
	}
	if pages[0].Prev != "" {
		w.t.Errorf("%+v: something stands before the first page", f)
	}
	if !sum.Equal(totals.Amount) {
		w.t.Errorf("pages of %d sum to %s, the list to %s", limit, sum, totals.Amount)
	}
	if totals.Lines >= 0 && totals.Lines != int64(len(rows)) {
		w.t.Errorf("%d rows, the list says %d", len(rows), totals.Lines)
	}
	return told, rows, totals
}

const ofC1 = "c1 Database 30; c1 Compute 10.123456789; c1 Compute -1.5; c1 Disk 4; c1 Disk 0; "

func withoutTax(told string) string {
	var kept []string
	for _, l := range strings.SplitAfter(told, "; ") {
		if !strings.Contains(l, "~ Support") {
			kept = append(kept, l)
		}
	}
	return strings.Join(kept, "")
}

func TestWhoSeesWhat(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		day := func(n int) time.Time { return midnight.AddDate(0, 0, n) }
		manager := func(windows ...scope.Window) scope.Scope { return partner("S").Limited(windows) }
		for _, c := range []struct {
			name string
			sc   scope.Scope
			want string
		}{
			{"partner, and a customer until it left", partner("S"), ofC1 + "c2 Compute 5; "},
			{"the next partner, from its start", partner("T"), "c2 Compute 7; "},
			{"distributor", partner("D", "R"), "c3 Compute 20; "},
			{"distributor without its reseller", partner("D"), ""},
			{"reseller", partner("R"), "c3 Compute 20; "},
			{"customer", scope.Customer("c2", "p", "l", items), "c2 Compute 5; c2 Compute 7; "},
			{"manager of nobody", manager(), ""},
			{"manager assigned before midnight", manager(scope.Window{CustomerID: "c1", From: midnight.Add(-time.Second)}), "c1 Database 30; c1 Disk 4; c1 Disk 0; "},
			{"manager assigned at midnight", manager(scope.Window{CustomerID: "c1", From: midnight}), ""},
			{"manager until midnight", manager(scope.Window{CustomerID: "c1", From: day(-3), To: midnight}), "c1 Compute 10.123456789; c1 Compute -1.5; "},
			{"manager of two overlapping windows", manager(scope.Window{CustomerID: "c1", From: day(-3), To: day(1)}, scope.Window{CustomerID: "c1", From: midnight}), ofC1},
			{"manager of a customer that left", manager(scope.Window{CustomerID: "c2", From: day(-3)}), "c2 Compute 5; "},
			{"manager of a foreign customer", manager(scope.Window{CustomerID: "c3"}), ""},
			{"vendor", scope.Vendor("V", "p", "l", items), ""},
		} {
			for _, limit := range []int{1, 2, 100} {
				told, _, _ := w.all(c.sc, september, limit)
				if got := withoutTax(told); got != c.want {
					t.Errorf("%s, pages of %d: %s, want %s", c.name, limit, got, c.want)
				}
			}
		}
		if _, _, err := w.svc.List(t.Context(), scope.Scope{}, september, expenditure.LinePlace{}, 5); !fault.HasCode(err, "scope.permission_missing") {
			t.Errorf("nobody: %v", err)
		}
	})
}

func TestForeignCustomersAreAbsent(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.assign("as1", "c1", "m1", midnight, time.Time{})
		for _, f := range []expenditure.Filter{{From: "2024-08-31"}, {Until: "2024-10-01"}, {From: "2024-09-12", Until: "2024-09-11"}, {From: "yesterday"}} {
			f.Cycle = "2024-09"
			_, err := w.svc.Summarise(t.Context(), partner("S"), f)
			_, _, err2 := w.svc.List(t.Context(), partner("S"), f, expenditure.LinePlace{}, 5)
			if !fault.HasCode(err, "expenditure.days_malformed") || !fault.HasCode(err2, "expenditure.days_malformed") {
				t.Errorf("%+v: %v, %v", f, err, err2)
			}
		}
		for _, f := range []expenditure.Filter{{Customer: "c3"}, {Customer: "nobody"}, {Manager: "m2"}, {Manager: "nobody"}} {
			f.Cycle = "2024-09"
			_, _, err := w.svc.List(t.Context(), partner("S"), f, expenditure.LinePlace{}, 5)
			_, err2 := w.svc.Summarise(t.Context(), partner("S"), f)
			if !fault.Is(err, fault.KindNotFound) || !fault.Is(err2, fault.KindNotFound) {
				t.Errorf("%+v: %v, %v", f, err, err2)
			}
		}
		if _, _, err := w.svc.List(t.Context(), partner("S"), september, expenditure.LinePlace{Cursor: "%"}, 5); !fault.HasCode(err, "expenditure.cursor_malformed") {
			t.Errorf("a broken cursor: %v", err)
		}
		// a cursor into a foreign customer shows nothing of it
		_, page, err := w.svc.List(t.Context(), partner("D", "R"), september, expenditure.LinePlace{}, 1)
		if err != nil || page.Next == "" {
			t.Fatal(page, err)
		}
		if _, page, err = w.svc.List(t.Context(), partner("S"), september, expenditure.LinePlace{Cursor: page.Next}, 5); err != nil || len(page.Rows) > 0 {
			t.Errorf("%d rows, %v", len(page.Rows), err)
		}
	})
}

func TestFilters(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.assign("as1", "c1", "m1", midnight.AddDate(0, 0, -9), midnight)
		w.assign("as2", "c1", "m2", midnight.Add(-time.Second), time.Time{}) // counts from midnight on
		for _, c := range []struct {
			f    expenditure.Filter
			want string
		}{
			{expenditure.Filter{Customer: "c2"}, "c2 Compute 5; "},
			{expenditure.Filter{Relation: customer.KindReferral}, "c2 Compute 5; "},
			{expenditure.Filter{Manager: "m1"}, "c1 Compute 10.123456789; c1 Compute -1.5; "},
			{expenditure.Filter{Manager: "m2"}, "c1 Database 30; c1 Disk 4; c1 Disk 0; "},
			{expenditure.Filter{Manager: "m2", NonZero: true}, "c1 Database 30; c1 Disk 4; "},
			{expenditure.Filter{Product: "Disk"}, "c1 Disk 4; c1 Disk 0; "},
			{expenditure.Filter{Kind: usage.KindRefund}, "c1 Compute -1.5; "},
			{expenditure.Filter{Region: "mars"}, ""},
			{expenditure.Filter{Mode: usage.ModeSubscription}, ""},
			{expenditure.Filter{Currency: "CNY"}, ""},
			{expenditure.Filter{From: "2024-09-11"}, "c1 Database 30; c1 Disk 4; c1 Disk 0; "},
			{expenditure.Filter{Until: "2024-09-10"}, "c1 Compute 10.123456789; c1 Compute -1.5; c2 Compute 5; "},
			{expenditure.Filter{From: "2024-09-10", Until: "2024-09-11", NonZero: true}, "c1 Database 30; c1 Compute 10.123456789; c1 Compute -1.5; c1 Disk 4; c2 Compute 5; "},
			{expenditure.Filter{From: "2024-09-12"}, ""},
			{expenditure.Filter{Manager: "m2", Until: "2024-09-11"}, "c1 Database 30; c1 Disk 4; c1 Disk 0; "},
			{expenditure.Filter{Resource: "res-Disk"}, "c1 Disk 4; c1 Disk 0; "},
			{expenditure.Filter{Resource: "Compute one", Kind: usage.KindConsumption}, "c1 Compute 10.123456789; c2 Compute 5; "},
			{expenditure.Filter{Account: "acc-c2"}, "c2 Compute 5; "},
			{expenditure.Filter{Account: "acc-c2", Resource: "res-Disk"}, ""},
			{expenditure.Filter{Account: "acc-c3"}, ""},
			{expenditure.Filter{Order: "CS2409110001"}, "c1 Disk 4; c1 Disk 0; "},
			{expenditure.Filter{Order: "CS2409110001", NonZero: true}, "c1 Disk 4; "},
			{expenditure.Filter{Order: "CS2409110002", Manager: "m2", Resource: "res-Database"}, "c1 Database 30; "},
			{expenditure.Filter{Order: "CS2409110002", Manager: "m1"}, ""},
			{expenditure.Filter{Order: "CS24091100"}, ""},
			{expenditure.Filter{Order: "cs2409110001"}, ""},
		} {
			c.f.Cycle = "2024-09"
			for _, limit := range []int{1, 3} {
				told, _, _ := w.all(partner("S"), c.f, limit)
				if got := withoutTax(told); got != c.want {
					t.Errorf("%+v: %s, want %s", c.f, got, c.want)
				}
			}
			var streamed money.Exact
			_, err := w.svc.EachLine(t.Context(), partner("S"), c.f, func(r *expenditure.LineRow) error {
				if r.Line.Kind != usage.KindTax {
					streamed = streamed.Add(r.Line.Billed)
				}
				return nil
			})
			sum, err2 := w.svc.Summarise(t.Context(), partner("S"), c.f)
			if err != nil || err2 != nil || !sum.Total.Amount().Equal(streamed) {
				t.Errorf("%+v: summary %+v, lines %s, %v %v", c.f, sum, streamed, err, err2)
			}
		}
	})
}

func TestSummary(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		s, err := w.svc.Summarise(t.Context(), partner("S"), september)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, r := range s.Rows {
			got += fmt.Sprintf("%s %s %s %s: %d lines, %s %s, tax %s, discount %s; ", r.Customer.Code, r.Relation, r.Product, r.Mode, r.Lines, r.Consumption, r.Refund, r.Tax, r.Discount)
		}
		// The spread line of 4.6 goes to c1, c2 and c3 by what they were billed: 12.623456789, 12 and 20.
		want := "c1 resale Database on_demand: 1 lines, 30 0, tax 0, discount 30; c1 resale Compute on_demand: 2 lines, 10.123456789 -1.5, tax 0, discount 8.623456789; " +
			"c1 resale Disk on_demand: 2 lines, 4 0, tax 0, discount 4; c1 resale Support on_demand: 1 lines, 0 0, tax 1.30128648, discount 0; " +
			"c2 referral Compute on_demand: 1 lines, 5 0, tax 0, discount 5; "
		if got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
		if s.Currency != "USD" || s.Total.Amount().String() != "47.623456789" || s.Total.Discount.String() != "47.623456789" {
			t.Errorf("%s %+v", s.Currency, s.Total)
		}
		if c := s.Choices; len(c.Customers) != 3 || len(c.Currencies) != 1 || fmt.Sprint(c.Products) != "[Compute Database Disk Support]" {
			t.Errorf("%+v", c)
		}
	})
}

// The dashboard sums to what 客户消费 sums to, whatever it groups by; it counts a manager's customer from the moment
// of the assignment, and over managers and none adds up to all.
func TestBoard(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.assign("as1", "c1", "m1", midnight.AddDate(0, 0, -9), midnight)
		w.assign("as2", "c1", "m2", midnight, time.Time{})
		ask := func(sc scope.Scope, by expenditure.By, f expenditure.Filter) *expenditure.Board {
			t.Helper()
			b, err := w.svc.Board(t.Context(), sc, expenditure.BoardFilter{Filter: f, First: "2024-08", Last: "2024-09", By: by})
			if err != nil {
				t.Fatal(err)
			}
			var groups, cells money.Exact
			for i := range b.Groups {
				groups = groups.Add(b.Groups[i].Total.Amount())
			}
			for i := range b.Cells {
				cells = cells.Add(b.Cells[i].Amount())
			}
			if !groups.Equal(b.Total.Amount()) || !cells.Equal(b.Total.Amount()) || len(b.Cells) != 2 {
				t.Errorf("by %s: groups sum to %s, cycles to %s, all to %s", by, groups, cells, b.Total.Amount())
			}
			return b
		}
		whole, err := w.svc.Summarise(t.Context(), partner("S"), expenditure.Filter{Cycle: "2024-09"})
		if err != nil {
			t.Fatal(err)
		}
		for _, by := range expenditure.Groupings {
			if b := ask(partner("S"), by, expenditure.Filter{}); !b.Total.Amount().Equal(whole.Total.Amount()) || !b.Total.Tax.Equal(whole.Total.Tax) || len(b.Groups) == 0 {
				t.Errorf("by %s: %s and tax %s, 客户消费 has %s and %s", by, b.Total.Amount(), b.Total.Tax, whole.Total.Amount(), whole.Total.Tax)
			}
		}
		tell := func(b *expenditure.Board) (out string) {
			for i := range b.Groups {
				out += b.Groups[i].Key + " " + b.Groups[i].Total.Amount().String() + "; "
			}
			return out
		}
		// Disk 4 and Database 30 are of midnight and later, the others of the evening before.
		if got := tell(ask(partner("S"), expenditure.ByManager, expenditure.Filter{Customer: "c1"})); got != "m2 34; m1 8.623456789; " {
			t.Errorf("by manager: %s", got)
		}
		second := partner("S").Limited([]scope.Window{{CustomerID: "c1", From: midnight}})
		if b := ask(second, expenditure.ByProduct, expenditure.Filter{}); tell(b) != "Database 30; Disk 4; " || !b.Since.Equal(midnight) {
			t.Errorf("the second manager: %s since %s", tell(b), b.Since)
		}
		if _, err := w.svc.Board(t.Context(), partner("S"), expenditure.BoardFilter{Filter: expenditure.Filter{Customer: "c3"}, First: "2024-09", Last: "2024-09"}); !fault.Is(err, fault.KindNotFound) {
			t.Errorf("a foreign customer: %v", err)
		}
	})
}
