package app

import (
	"context"
	"time"

	"huoban/internal/billexport"
	"huoban/internal/customer"
	"huoban/internal/expenditureexport"
	"huoban/internal/export"
	"huoban/internal/i18n"
	"huoban/internal/monthclose"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/statementexport"
	"huoban/internal/store/exportstore"
)

// wireExports joins the export task with its producers and the worker that makes files.
func (a *App) wireExports() {
	a.Exports = export.New(export.Deps{Tx: a.DB, Store: exportstore.New(a.DB), Log: a.FlowLog, Jobs: a.Queue, Audit: a.Audit, Bell: a.Messages,
		Scopes: exportScopes{a}, Clock: a.Clock, Days: keepDays(a.Settings.ExportKeep), Watch: a.Queue, Page: a.exportsPage,
		Holds: func(ctx context.Context, sc scope.Scope, t export.Task, customers []string) error {
			return a.Customers.Saw(ctx, sc, customer.ActExport, t.Kind, customers)
		}})
	billexport.Register(a.Exports, billexport.Deps{
		Known:    func(ctx context.Context) ([]monthclose.Known, error) { return a.Closes.Store.Known(ctx) },
		Estimate: a.Closes.Estimate, Lines: a.Bills, Words: wordsOf})
	expenditureexport.Register(a.Exports, expenditureexport.Deps{Expenditure: a.Expenditure, Words: wordsOf})
	statementexport.Register(a.Exports, statementexport.Deps{Statements: a.Statements, Words: wordsOf})
	a.lists().RegisterLists(a.Exports, func(ctx context.Context, id string) (organisation.Organisation, error) {
		return a.Organisations.ByID(ctx, scope.System("system"), id)
	})
	a.Worker.Handle(export.KindRun, a.Exports.Handler())
}

// keepDays rounds up to whole days: a file is never gone earlier than was set. 0 is the service's own
// length of time.
func keepDays(keep time.Duration) int {
	const day = 24 * time.Hour
	return int((max(keep, 0) + day - 1) / day)
}

// wordsOf translates into the language a person asked in; an unknown one is the portal's own.
func wordsOf(lang string) func(key string) string {
	l, ok := i18n.Parse(lang)
	if !ok {
		l = i18n.ZhCN
	}
	ctx := i18n.With(context.Background(), l)
	return func(key string) string { return i18n.T(ctx, key) }
}

// exportScopes gives the scope a person has now.
type exportScopes struct{ a *App }

// ScopeOf implements export.ScopeFinder.
func (s exportScopes) ScopeOf(ctx context.Context, orgID, personID string) (scope.Scope, error) {
	p, err := s.a.Accounts.PersonByID(ctx, personID)
	if err != nil {
		return scope.Scope{}, err
	}
	return s.a.Accounts.ScopeOf(ctx, p, orgID)
}

// exportsPage is where an organisation's people find their files.
func (a *App) exportsPage(ctx context.Context, orgID string) (string, error) {
	if orgID == "" {
		return "", nil
	}
	org, err := a.Organisations.ByID(ctx, scope.System("system"), orgID)
	if err != nil {
		return "", err
	}
	return "/o/" + org.Code + "/exports", nil
}
