package app

import (
	"context"
	"time"

	"huoban/internal/allocation"
	"huoban/internal/company"
	"huoban/internal/fault"
	"huoban/internal/foureyes"
	"huoban/internal/invoice"
	"huoban/internal/money"
	"huoban/internal/passcode"
	"huoban/internal/scope"
	"huoban/internal/store/withdrawalstore"
	"huoban/internal/withdrawal"
)

// wireWithdrawals joins what moves partners' money with the books it is kept in.
func (a *App) wireWithdrawals() {
	a.Withdrawals = withdrawal.New(withdrawal.Deps{Store: withdrawalstore.New(a.DB), Tx: a.DB, Log: a.FlowLog, Audit: a.Audit, Clock: a.Clock, Ledger: a.Ledger, Organisations: a.Organisations,
		People: a.Accounts, Bell: a.Messages, Identity: a.identityOf, Invoiced: a.invoiced, TwoNeeded: a.twoFor(foureyes.KindWithdrawal), DueBy: a.dueBy, Confirmed: a.Passcodes.Guard(passcode.OpWithdraw)})
	a.Allocations = allocation.New(allocation.Deps{Tx: a.DB, Audit: a.Audit, Clock: a.Clock, Ledger: a.Ledger, Customers: a.Customers, Organisations: a.Organisations,
		Confirmed: a.Passcodes.Guard(passcode.OpAllocate)})
}

// invoiced is what invoices of a partner hold, and the refusal that leads to the newest of them.
func (a *App) invoiced(ctx context.Context, partnerID, vendorID, currency string) (money.Amount, func(money.Amount) *fault.Error, error) {
	held, requests, err := a.Invoices.Held(ctx, partnerID, vendorID, currency)
	if err != nil || len(requests) == 0 {
		return 0, nil, err
	}
	return held, func(of money.Amount) *fault.Error { return invoice.RefuseWithdrawal(of, requests[0]) }, nil
}

// twoFor tells of amounts whether a vendor wants two persons to decide them.
func (a *App) twoFor(kind foureyes.Kind) func(ctx context.Context, vendorID, currency string, amount money.Amount) (bool, error) {
	return func(ctx context.Context, vendorID, currency string, amount money.Amount) (bool, error) {
		limits, err := a.FourEyes.Of(ctx, vendorID)
		return limits.Needed(kind, currency, amount.Exact()), err
	}
}

// dueBy is the end of the n-th working day of a vendor after an instant.
func (a *App) dueBy(ctx context.Context, vendorID string, from time.Time, days int) (time.Time, error) {
	calendar, err := a.Desk.Calendar(ctx, vendorID)
	if err != nil {
		return time.Time{}, err
	}
	due, _ := calendar.Due(from, days)
	return due, nil
}

// identityOf is the name a partner goes by: that of its reviewed information, else that its vendor entered it under.
// While a change of the name waits for review it is not known.
func (a *App) identityOf(ctx context.Context, partnerID string) (string, bool, error) {
	org, err := a.Organisations.ByID(ctx, scope.System("system"), partnerID)
	if err != nil {
		return "", false, err
	}
	name := org.Name
	p, found, err := a.Company.Store.Profile(ctx, partnerID)
	if err != nil {
		return "", false, err
	}
	if found && p.Name != "" {
		name = p.Name
	}
	changes, err := a.Company.Store.ChangesOf(ctx, partnerID)
	if err != nil {
		return "", false, err
	}
	for i := range changes {
		if changes[i].State == company.StateReviewing && changes[i].New.Name != name {
			return name, false, nil
		}
	}
	return name, true, nil
}
