package expenditurestore_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"huoban/internal/customer"
	"huoban/internal/expenditure"
	"huoban/internal/scope"
	"huoban/internal/store"
	"huoban/internal/store/expenditurestore"
	"huoban/internal/store/storetest"
)

// days tells a book in short: each customer's days of the last month, and how it is known.
func (w *world) days(sc scope.Scope, f expenditure.BoardFilter) string {
	w.t.Helper()
	w.svc = &expenditure.Service{Tx: w.db, Store: w.svc.Store, Reader: w.svc.Reader} // which remembers nothing
	b, err := w.svc.Days(w.t.Context(), sc, f)
	if err != nil {
		w.t.Fatal(err)
	}
	out := fmt.Sprintf("%s known %d:", b.Currency, b.Known)
	for _, c := range b.Customers {
		m := c.Months[len(c.Months)-1]
		for d := range m.Amounts {
			if m.Lines[d] > 0 {
				out += fmt.Sprintf(" %s.%d=%s/%d", c.Customer.Code, d+1, m.Amounts[d], m.Lines[d])
			}
		}
	}
	return out
}

// TestDays reads the days of lines before anything is kept, from what is kept, and where a span cuts a day; each
// time they amount to the same, and to the board of the same question.
func TestDays(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		keeper := expenditurestore.New(db)
		f := expenditure.BoardFilter{First: "2024-09", Last: "2024-09", By: expenditure.ByCustomer}
		noon := midnight.Add(30 * time.Minute)
		cut := partner("S").Limited([]scope.Window{{CustomerID: "c1", From: noon}})
		want := map[string]string{
			"partner":      "USD known 11: c1.10=8.623456789/2 c1.11=34/3 c2.10=5/1",
			"distributor":  "USD known 11: c3.11=20/1",
			"cut in a day": "USD known 11: c1.11=30/2", // what was charged at midnight is not this manager's
			"customer":     "USD known 11: c2.10=5/1 c2.11=7/1",
		}
		scopes := map[string]scope.Scope{"partner": partner("S"), "distributor": partner("D", "R"), "cut in a day": cut, "customer": scope.Customer("c2", "p", "l", items)}
		check := func(when string) {
			t.Helper()
			for name, sc := range scopes {
				if got := w.days(sc, f); got != want[name] {
					t.Errorf("%s, %s: %s\nwant %s", when, name, got, want[name])
				}
				if name == "customer" {
					continue
				}
				b, err := w.svc.Board(t.Context(), sc, f)
				if err != nil {
					t.Fatal(err)
				}
				book, err := w.svc.Days(t.Context(), sc, f)
				if err != nil {
					t.Fatal(err)
				}
				all := book.All()
				if got := all[0].Until(31); !got.Equal(b.Total.Amount()) {
					t.Errorf("%s, %s: the days sum to %s, the board to %s", when, name, got, b.Total.Amount())
				}
			}
		}
		check("nothing kept")
		kept := func() int {
			n := 0
			if err := db.Cells(t.Context(), store.Query{Name: "test.days", Text: "select slot_id, day from usage_day"}, nil, func(store.RowCells) error { n++; return nil }); err != nil {
				t.Fatal(err)
			}
			return n
		}
		keep := func() {
			t.Helper()
			if _, err := w.svc.KeepDays(t.Context(), keeper, now); err != nil {
				t.Fatal(err)
			}
			if stale, err := keeper.StaleDays(t.Context(), "2024-01"); err != nil || len(stale) != 0 {
				t.Errorf("stale after keeping: %v %v", stale, err)
			}
		}
		keep()
		if n := kept(); n != 6 { // c1 on two days of one source and one of the other, c2 on two, c3 on one
			t.Errorf("%d days are kept", n)
		}
		check("kept")
		// A kept day that is wrong is not believed.
		w.tx(func(ctx context.Context) error {
			_, err := db.Exec(ctx, store.Query{Name: "test.spoil", Text: "update usage_day set billed = '999' where customer_id = 'c1'"})
			return err
		})
		check("spoilt")
		if stale, err := keeper.StaleDays(t.Context(), "2024-01"); err != nil || len(stale) != 2 {
			t.Errorf("%v %v", stale, err)
		}
		keep()
		check("kept again")
		// A slot that is replaced takes its days with it.
		w.tx(func(ctx context.Context) error {
			_, err := db.Exec(ctx, store.Query{Name: "test.supersede", Text: "update slot set state = 'superseded' where id = 2"})
			return err
		})
		keep()
		if n := kept(); n != 5 {
			t.Errorf("%d days are kept of one source", n)
		}
		if got := w.days(partner("S"), f); strings.Contains(got, "c1.11=34") || !strings.Contains(got, "c1.11=4/2") {
			t.Errorf("without the second source: %s", got)
		}
	})
}

// TestDaysOfUnknown refuses as the board does.
func TestDaysOfUnknown(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		f := expenditure.BoardFilter{First: "2024-09", Last: "2024-09", Filter: expenditure.Filter{Customer: "c3"}}
		if _, err := w.svc.Days(t.Context(), partner("S"), f); err == nil {
			t.Error("days of a foreign customer")
		}
		f.Customer = ""
		if _, err := w.svc.Days(t.Context(), partner("S"), f); err != nil {
			t.Fatal(err)
		}
		if _, err := w.svc.Days(t.Context(), scope.Partner("S", "p", "l", nil, nil), f); err == nil {
			t.Error("what is remembered was given to somebody without permission")
		}
		f.Relation = customer.KindReferral
		if got := w.days(partner("S"), f); got != "USD known 10: c2.10=5/1" {
			t.Error(got)
		}
	})
}
