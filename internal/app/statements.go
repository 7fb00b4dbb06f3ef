package app

import (
	"context"

	"huoban/internal/fault"
	"huoban/internal/message"
	"huoban/internal/reconcile"
	"huoban/internal/scope"
	"huoban/internal/statement"
	"huoban/internal/statementexport"
	"huoban/internal/store/reconcilestore"
	"huoban/internal/store/statementstore"
)

// wireStatements joins customer statements with bills, associations and the files they are written to, and the
// comparison of lists with the lines people see.
func (a *App) wireStatements() {
	a.Statements = statement.New(statement.Deps{Tx: a.DB, Store: statementstore.New(a.DB), Bills: a.BillStore, Lines: a.Bills, Links: a.Customers, Organisations: a.Organisations,
		Log: a.FlowLog, Audit: a.Audit, Clock: a.Clock, Render: statementexport.Renderer(wordsOf), Sent: a.tellCustomer})
	a.Reconcile = &reconcile.Service{Tx: a.DB, Store: reconcilestore.New(a.DB), Lines: a.Expenditure, Audit: a.Audit, Clock: a.Clock}
}

// tellCustomer rings the bell of everybody at a customer who may see its statements, and writes to them, in the
// transaction that sends one.
func (a *App) tellCustomer(ctx context.Context, s *statement.Statement) error {
	return a.tellAndWrite(ctx, s.Customer.ID, scope.ItemExpenditureView, message.Notice{Category: message.CategoryBill, Code: "statement_sent",
		Args: fault.Args{"Cycle": string(s.Cycle), "Partner": s.Partner.Name, "Number": s.Number}, Link: "/billing/statements/" + s.ID}, "")
}
