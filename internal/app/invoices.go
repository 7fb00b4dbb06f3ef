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
	a.Invoices = invoice.New(invoice.Deps{Store: invoicestore.New(a.DB), Tx: a.DB, Bills: a.BillStore, Arrears: a.Payments, Orders: billOrders{a}, Organisations: a.Organisations, People: a.Accounts, Bell: a.Messages,
		Log: a.FlowLog, Audit: a.Audit, Clock: a.Clock})
}

// billOrders finds orders by the lines of bills.
type billOrders struct{ a *App }

// OfBill implements invoice.Orders: the lines that carry an order number, summed by it, tax apart unless the bill
// counts it. What is charged by use has none.
func (o billOrders) OfBill(ctx context.Context, sc scope.Scope, of *bill.Document) ([]invoice.Order, error) {
	doc, err := o.a.BillStore.ByID(ctx, sc, of.ID)
	if err != nil {
		return nil, err
	}
	found := map[string]*invoice.Order{}
	for _, mode := range []usage.ChargingMode{usage.ModeSubscription, usage.ModeReserved, usage.ModeSavingsPlan, usage.ModeOneTime} {
		if !slices.ContainsFunc(doc.Items, func(i bill.Item) bool { return i.Mode == mode }) {
			continue
		}
		err := o.a.Bills.EachLine(ctx, sc, &doc, bill.LineFilter{Mode: mode}, func(r *bill.LineRow) error {
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
	slices.SortFunc(out, func(a, b invoice.Order) int {
		return cmp.Or(cmp.Compare(a.Customer.Code, b.Customer.Code), cmp.Compare(a.OrderNo, b.OrderNo))
	})
	return out, nil
}
