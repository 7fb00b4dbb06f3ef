package invoicestore_test

import (
	"context"
	"fmt"
	"testing"

	"huoban/internal/bill"
	"huoban/internal/fault"
	"huoban/internal/invoice"
	"huoban/internal/money"
	"huoban/internal/scope"
	"huoban/internal/store"
	"huoban/internal/store/invoicestore"
	"huoban/internal/store/storetest"
)

// ordersOf are n orders of four customers.
func ordersOf(n int) []invoice.Order {
	out := make([]invoice.Order, n)
	for i := range out {
		code := fmt.Sprintf("C%d", i%4)
		out[i] = invoice.Order{OrderNo: fmt.Sprintf("CS%06d", i), Customer: bill.Party{ID: "id-" + code, Code: code, Name: "客户 " + code}, Product: "云数据库", Lines: 2, Amount: money.Amount(i+1) * yuan / 100}
	}
	return out
}

// TestKeptOrders: what is kept of a bill is found by stretch, by text and by number, and is kept once.
func TestKeptOrders(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		newWorld(t, db)
		ctx := context.Background()
		s := invoicestore.New(db)
		if _, read, err := s.OrdersRead(ctx, "b8"); read || err != nil {
			t.Fatal("a bill nobody read", err)
		}
		list := ordersOf(130)
		for range 2 {
			if err := s.KeepOrders(ctx, "b8", list, noon); err != nil {
				t.Fatal(err)
			}
		}
		if n, read, err := s.OrdersRead(ctx, "b8"); n != 130 || !read || err != nil {
			t.Fatal(n, read, err)
		}
		seen := map[string]bool{}
		last := ""
		for skip := 0; ; skip += 50 {
			page, total, err := s.OrderPage(ctx, "b8", invoice.OrderFilter{Skip: skip, Limit: 50})
			if err != nil || total != 130 {
				t.Fatal(total, err)
			}
			if len(page) == 0 {
				break
			}
			for _, o := range page {
				if at := o.Customer.Code + o.OrderNo; at <= last || seen[o.OrderNo] {
					t.Fatalf("%s after %s", at, last)
				} else {
					last, seen[o.OrderNo] = at, true
				}
			}
		}
		if len(seen) != 130 {
			t.Fatal(len(seen))
		}
		for text, want := range map[string]int{"cs00012": 10, "c3": 32, "客户 C1": 33, "数据库": 130, "%": 0, "_": 0, "!": 0, "none": 0} {
			page, total, err := s.OrderPage(ctx, "b8", invoice.OrderFilter{Text: text, Limit: 500})
			if err != nil || total != want || len(page) != want {
				t.Errorf("%q: %d of %d, want %d: %v", text, len(page), total, want, err)
			}
		}
		some, err := s.OrdersOf(ctx, "b8", []string{"CS000007", "CS999999", "CS000007", ""})
		if err != nil || len(some) != 1 || some[0] != list[7] {
			t.Error(some, err)
		}
		if other, total, err := s.OrderPage(ctx, "b9", invoice.OrderFilter{Limit: 50}); len(other) != 0 || total != 0 || err != nil {
			t.Error("orders of another bill", len(other), total, err)
		}
	})
}

// billContents is a bill of two customers whose orders are kept.
type billContents struct{ kept *invoicestore.Store }

func (b billContents) Shares(_ context.Context, _ scope.Scope, d *bill.Document) ([]invoice.Share, error) {
	return []invoice.Share{{Customer: bill.Party{ID: "id-C0", Code: "C0"}, Lines: 3, Amount: 600*yuan + 1}, {Customer: bill.Party{ID: "id-C1", Code: "C1"}, Lines: 3, Amount: d.Due - 600*yuan}}, nil
}

func (b billContents) Page(ctx context.Context, _ scope.Scope, d *bill.Document, f invoice.OrderFilter) ([]invoice.Order, int, error) {
	return b.kept.OrderPage(ctx, d.ID, f)
}

func (b billContents) Some(ctx context.Context, _ scope.Scope, d *bill.Document, numbers []string) ([]invoice.Order, error) {
	return b.kept.OrdersOf(ctx, d.ID, numbers)
}

// TestCustomersCycleAndOrders: what a customer's cycle holds its orders cannot hold again, nor the other way round, and
// another customer is not touched.
func TestCustomersCycleAndOrders(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		ctx := context.Background()
		kept := invoicestore.New(db)
		w.s.Orders = billContents{kept}
		if err := kept.KeepOrders(ctx, "b8", ordersOf(8), noon); err != nil {
			t.Fatal(err)
		}
		ask := func(in invoice.Input) (invoice.Request, error) {
			in.Kind, in.Medium, in.Email = invoice.KindOrdinary, invoice.MediumElectronic, "a@b.example"
			r, err := w.s.Draft(ctx, partner, in)
			if err != nil {
				return r, err
			}
			return w.s.Do(ctx, partner, r.ID, invoice.Deed{Do: invoice.ActionSubmit})
		}
		cycleOf := func(customers ...string) invoice.Input {
			in := invoice.Input{Method: invoice.MethodCycle}
			for _, c := range customers {
				in.Customers = append(in.Customers, invoice.CustomerKey{BillID: "b8", CustomerID: c})
			}
			return in
		}
		orders := func(numbers ...string) invoice.Input {
			in := invoice.Input{Method: invoice.MethodOrder}
			for _, no := range numbers {
				in.Orders = append(in.Orders, invoice.OrderKey{BillID: "b8", OrderNo: no})
			}
			return in
		}
		one, err := ask(orders("CS000000")) // ¥0.01 of C0
		if err != nil || one.Parts[0].CustomerID != "id-C0" {
			t.Fatal(one.Parts, err)
		}
		whole, err := ask(cycleOf("id-C0"))
		if err != nil || whole.Amount != 600*yuan-yuan/100 {
			t.Fatal(whole.Amount, err)
		}
		found, err := w.s.Find(ctx, partner, whole.ID)
		if err != nil || len(found.Parts) != 1 || found.Parts[0].CustomerID != "id-C0" || found.Parts[0].OrderNo != "" {
			t.Fatal(found.Parts, err)
		}
		for name, in := range map[string]invoice.Input{"the cycle again": cycleOf("id-C0"), "an order of it": orders("CS000004"), "the order that was first": orders("CS000000")} {
			if _, err := ask(in); !fault.HasCode(err, "invoice.amount_taken") {
				t.Errorf("%s: %v", name, err)
			}
		}
		for name, x := range map[string]struct {
			in   invoice.Input
			code string
		}{"a stranger": {cycleOf("id-C9"), "invoice.customer_unknown"}, "nobody": {cycleOf(""), "invoice.customer_unknown"}, "no such order": {orders("CS9"), "invoice.order_unknown"},
			"both ways at once": {invoice.Input{Method: invoice.MethodOrder, Orders: orders("CS000001").Orders, Customers: cycleOf("id-C1").Customers}, "invoice.choice_mixed"}} {
			if _, err := ask(x.in); !fault.HasCode(err, x.code) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if r, err := ask(cycleOf("id-C1")); err != nil || r.Amount != 400*yuan {
			t.Fatal("another customer", r.Amount, err)
		}
		if _, err := w.s.Do(ctx, partner, whole.ID, invoice.Deed{Do: invoice.ActionCancel}); err != nil {
			t.Fatal(err)
		}
		if r, err := ask(orders("CS000004")); err != nil || r.Amount != yuan*5/100 {
			t.Error("an order of a cancelled cycle", r.Amount, err)
		}
		list, err := w.s.ShareOffers(ctx, partner, "2026-08")
		if err != nil || len(list) != 2 || list[0].Free != 600*yuan-6*yuan/100 || len(list[0].Why) != 0 || list[1].Free != 0 || len(list[1].Why) == 0 {
			t.Errorf("%+v %v", list, err)
		}
	})
}

// BenchmarkOrderPage is a page far down the hundred thousand orders of a bill, and a search among them.
func BenchmarkOrderPage(b *testing.B) {
	db := storetest.SQLite(b)
	newWorld(b, db)
	s, ctx := invoicestore.New(db), context.Background()
	if err := s.KeepOrders(ctx, "b8", ordersOf(100_000), noon); err != nil {
		b.Fatal(err)
	}
	for name, f := range map[string]invoice.OrderFilter{"first": {Limit: 50}, "far": {Skip: 99_000, Limit: 50}, "search": {Text: "cs0999", Limit: 50}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if list, _, err := s.OrderPage(ctx, "b8", f); err != nil || len(list) != 50 {
					b.Fatal(len(list), err)
				}
			}
		})
	}
}
