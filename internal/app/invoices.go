package app

import (
	"cmp"
	"context"
	"slices"

	"huoban/internal/bill"
	"huoban/internal/invoice"
	"huoban/internal/scope"
	"huoban/internal/store/invoicestore"
	"huoban/internal/usage"
)

// wireInvoices joins 发票管理 with the bills it takes from.
func (a *App) wireInvoices() {
	kept := invoicestore.New(a.DB)
	a.Invoices = invoice.New(invoice.Deps{Store: kept, Tx: a.DB, Bills: a.BillStore, Arrears: a.Payments, Orders: billOrders{a, kept}, Organisations: a.Organisations, People: a.Accounts, Bell: a.Messages,
		Log: a.FlowLog, Audit: a.Audit, Clock: a.Clock})
}

// billOrders finds what a bill consists of: its customers by its items, its orders by its lines. An issued bill never
// changes, so that its lines are read once and their orders kept.
type billOrders struct {
	a    *App
	kept *invoicestore.Store
}

// Shares implements invoice.Orders: what stands with each customer, tax apart unless the bill counts it.
func (o billOrders) Shares(ctx context.Context, sc scope.Scope, of *bill.Document) ([]invoice.Share, error) {
	doc, err := o.a.BillStore.ByID(ctx, sc, of.ID)
	if err != nil {
		return nil, err
	}
	var out []invoice.Share
	at := map[string]int{}
	for i := range doc.Items {
		it := &doc.Items[i]
		if it.Kind == usage.KindTax && !doc.TaxInDue {
			continue
		}
		n, seen := at[it.Customer.ID]
		if !seen {
			n = len(out)
			at[it.Customer.ID], out = n, append(out, invoice.Share{Customer: it.Customer})
		}
		out[n].Lines += it.LineCount
		if out[n].Amount, err = out[n].Amount.Add(it.Amount); err != nil {
			return nil, err
		}
	}
	out = slices.DeleteFunc(out, func(x invoice.Share) bool { return x.Amount <= 0 || x.Customer.ID == "" })
	slices.SortFunc(out, func(a, b invoice.Share) int { return cmp.Compare(a.Customer.Code, b.Customer.Code) })
	return out, nil
}

// Page implements invoice.Orders.
func (o billOrders) Page(ctx context.Context, sc scope.Scope, of *bill.Document, f invoice.OrderFilter) ([]invoice.Order, int, error) {
	if err := o.keep(ctx, sc, of); err != nil {
		return nil, 0, err
	}
	return o.kept.OrderPage(ctx, of.ID, f)
}

// Some implements invoice.Orders.
func (o billOrders) Some(ctx context.Context, sc scope.Scope, of *bill.Document, numbers []string) ([]invoice.Order, error) {
	if err := o.keep(ctx, sc, of); err != nil {
		return nil, err
	}
	return o.kept.OrdersOf(ctx, of.ID, numbers)
}

// keep reads the lines of a bill, which its caller found in scope, unless that was done.
func (o billOrders) keep(ctx context.Context, sc scope.Scope, of *bill.Document) error {
	if _, read, err := o.kept.OrdersRead(ctx, of.ID); err != nil || read {
		return err
	}
	doc, err := o.a.BillStore.ByID(ctx, sc, of.ID)
	if err != nil {
		return err
	}
	list, err := o.read(ctx, sc, &doc)
	if err != nil {
		return err
	}
	return o.kept.KeepOrders(ctx, doc.ID, list, o.a.Clock.Now())
}

// read sums the lines that carry an order number by it, tax apart unless the bill counts it. What is charged by use
// has none.
func (o billOrders) read(ctx context.Context, sc scope.Scope, doc *bill.Document) ([]invoice.Order, error) {
	found := map[string]*invoice.Order{}
	for _, mode := range []usage.ChargingMode{usage.ModeSubscription, usage.ModeReserved, usage.ModeSavingsPlan, usage.ModeOneTime} {
		if !slices.ContainsFunc(doc.Items, func(i bill.Item) bool { return i.Mode == mode }) {
			continue
		}
		err := o.a.Bills.EachLine(ctx, sc, doc, bill.LineFilter{Mode: mode}, func(r *bill.LineRow) (err error) {
			no := r.Line.Resource.OrderNo
			if no == "" || r.Adjusts != nil || r.Line.Kind == usage.KindTax && !doc.TaxInDue {
				return nil
			}
			x := found[no]
			if x == nil {
				x = &invoice.Order{OrderNo: no, Customer: r.Customer, Product: r.Line.Product.Service}
				found[no] = x
			}
			x.Lines++
			x.Amount, err = x.Amount.Add(r.Amount)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	out := make([]invoice.Order, 0, len(found))
	for _, x := range found {
		if x.Amount > 0 { // what was given back altogether is no order to invoice
			out = append(out, *x)
		}
	}
	return out, nil
}
