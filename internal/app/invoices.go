package app

import (
	"huoban/internal/invoice"
	"huoban/internal/store/invoicestore"
)

// wireInvoices joins 发票管理 with the bills it takes from.
func (a *App) wireInvoices() {
	a.Invoices = invoice.New(invoice.Deps{Store: invoicestore.New(a.DB), Tx: a.DB, Bills: a.BillStore, Organisations: a.Organisations, People: a.Accounts, Bell: a.Messages,
		Log: a.FlowLog, Audit: a.Audit, Clock: a.Clock})
}
