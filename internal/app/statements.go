package app

import (
	"context"

	"huoban/internal/fault"
	"huoban/internal/message"
	"huoban/internal/outbox"
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
	people, err := a.Accounts.Holders(ctx, s.Customer.ID, scope.ItemExpenditureView)
	if err != nil {
		return err
	}
	args := fault.Args{"Cycle": string(s.Cycle), "Partner": s.Partner.Name, "Number": s.Number}
	link := "/o/" + s.Customer.Code + "/billing/statements/" + s.ID
	var notices []message.Notice
	for _, personID := range people {
		notices = append(notices, message.Notice{PersonID: personID, OrgID: s.Customer.ID, Category: message.CategoryBill, Code: "statement_sent", Args: args, Link: link})
		if err := a.mailPerson(ctx, s.Customer.ID, personID, message.CategoryBill, outbox.Mail{Code: "statement_sent", Args: args, Link: link}); err != nil {
			return err
		}
	}
	return a.Messages.Notify(ctx, notices...)
}
