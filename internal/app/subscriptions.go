package app

import (
	"context"
	"net/netip"

	"huoban/internal/app/carrier"
	"huoban/internal/app/metafetch"
	"huoban/internal/billexport"
	"huoban/internal/customer"
	"huoban/internal/fault"
	"huoban/internal/message"
	"huoban/internal/scope"
	"huoban/internal/sso/metadata"
	"huoban/internal/store/subscriptionstore"
	"huoban/internal/subscription"
)

// couriers is how many files are carried at a time.
const couriers = 4

// wireSubscriptions joins the monthly files of partners with what was consumed and with the way out. Fault:
// settings.file_allow.
func (a *App) wireSubscriptions() error {
	var allow []netip.Prefix
	for _, text := range a.Settings.FileAllow {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return fault.Invalid("settings.file_allow", fault.Args{"value": text})
		}
		allow = append(allow, p)
	}
	out := metafetch.New(metafetch.Options{Allow: allow, LocalHTTP: metadata.LocalBase(a.Settings.Base()), Time: carrier.WholeTime, Answer: carrier.AnswerTime})
	a.Subscriptions = subscription.New(subscription.Deps{Tx: a.DB, Store: subscriptionstore.New(a.DB), Log: a.FlowLog, Audit: a.Audit, Clock: a.Clock, Jobs: a.Queue, Seal: a.Platforms,
		Carrier: &carrier.Carrier{Out: out, Clock: a.Clock}, Reader: a.Expenditure, Mask: billexport.Mask, Scope: a.wholePartner, Told: a.tellGivenUp,
		Holds: func(ctx context.Context, sc scope.Scope, what string, customers []string) error {
			return a.Customers.Saw(ctx, sc, customer.ActExport, what, customers)
		}})
	a.Worker.Handle(subscription.KindMake, a.Subscriptions.MakeHandler())
	a.Courier.Handle(subscription.KindSend, a.Subscriptions.SendHandler())
	return nil
}

// wholePartner is what a partner as a whole sees of its customers' consumption, whoever works there.
func (a *App) wholePartner(ctx context.Context, orgID, login string) (scope.Scope, error) {
	below, err := a.Organisations.Resellers(ctx, orgID)
	if err != nil {
		return scope.Scope{}, err
	}
	var resellers []string
	for _, r := range below {
		resellers = append(resellers, r.ID)
	}
	return scope.Partner(orgID, "", login, []scope.Item{scope.ItemExpenditureView, scope.ItemExpenditureCustomers, scope.ItemExpenditureExport}, resellers), nil
}

// tellGivenUp rings the bell of everybody who may set subscriptions, and writes to them, in the transaction that gives
// a file up.
func (a *App) tellGivenUp(ctx context.Context, s *subscription.Subscription, d *subscription.Dispatch) error {
	return a.tellAndWrite(ctx, s.OrgID, scope.ItemSubscriptionChange, message.Notice{Category: message.CategorySystem, Code: "dispatch_failed",
		Args: fault.Args{"Name": s.Name, "File": d.FileName, "Cycle": string(d.Cycle)}, Link: "/subscriptions/" + s.ID + "/dispatches/" + d.ID}, "")
}
