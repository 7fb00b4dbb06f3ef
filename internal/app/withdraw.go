package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"huoban/internal/allocation"
	"huoban/internal/company"
	"huoban/internal/fault"
	"huoban/internal/foureyes"
	"huoban/internal/invoice"
	"huoban/internal/ledger"
	"huoban/internal/money"
	"huoban/internal/passcode"
	"huoban/internal/scope"
	"huoban/internal/store/withdrawalstore"
	"huoban/internal/withdrawal"
)

// wireWithdrawals joins what moves partners' money with the books it is kept in.
func (a *App) wireWithdrawals() {
	a.Withdrawals = withdrawal.New(withdrawal.Deps{Store: withdrawalstore.New(a.DB), Tx: a.DB, Log: a.FlowLog, Audit: a.Audit, Clock: a.Clock, Ledger: a.Ledger, Organisations: a.Organisations,
		Teller: a.teller(), Identity: a.identityOf, Invoiced: a.invoiced, Apart: func(ctx context.Context, vendorID, partnerID, currency string) (money.Amount, error) {
			return a.Contracts.Paid(ctx, vendorID, partnerID, currency)
		}, Origins: a.originsOf, TwoNeeded: a.twoFor(foureyes.KindWithdrawal), DueBy: a.dueBy, Confirmed: a.Passcodes.Guard(passcode.OpWithdraw)})
	a.Allocations = allocation.New(allocation.Deps{Tx: a.DB, Audit: a.Audit, Clock: a.Clock, Ledger: a.Ledger, Customers: a.Customers, Organisations: a.Organisations,
		Confirmed: a.Passcodes.Guard(passcode.OpAllocate)})
}

// onlineWays are the gateways whose payments go back by rules of their own; any other is online banking.
var onlineWays = []withdrawal.Way{withdrawal.WayAlipay, withdrawal.WayWeChat, withdrawal.WayUnionPay}

// originsOf tells by which gateway money came that was paid online, and to which contracting entity a partner pays.
func (a *App) originsOf(ctx context.Context, vendorID, partnerID string, list []ledger.Movement) (map[string]withdrawal.Origin, error) {
	book, err := a.Organisations.EntityBook(ctx, vendorID)
	if err != nil {
		return nil, err
	}
	entity := book.Of(partnerID)
	out := map[string]withdrawal.Origin{}
	for i := range list {
		o := withdrawal.Origin{EntityID: entity.ID, Entity: entity.Name}
		if id, online := strings.CutPrefix(list[i].Reference, "top_up:"); online {
			t, found, err := a.TopUps.Store.TopUp(ctx, id)
			if err != nil {
				return nil, err
			}
			o.Way = withdrawal.WayBank
			if way := withdrawal.Way(t.Gateway); found && slices.Contains(onlineWays, way) {
				o.Way = way
			}
		}
		out[list[i].EntryID] = o
	}
	return out, nil
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
