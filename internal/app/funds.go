package app

import (
	"context"
	"net/url"
	"slices"

	"huoban/internal/agreement"
	"huoban/internal/contract"
	"huoban/internal/creditline"
	"huoban/internal/fault"
	"huoban/internal/ledger"
	"huoban/internal/message"
	"huoban/internal/money"
	"huoban/internal/passcode"
	"huoban/internal/payment"
	"huoban/internal/scope"
	"huoban/internal/store/contractstore"
	"huoban/internal/store/ledgerstore"
	"huoban/internal/topup"
)

// wireFunds puts the books, the payment of bills and the ways money comes in together.
func (a *App) wireFunds() {
	a.Ledger = &ledger.Service{Store: ledgerstore.New(a.DB), Tx: a.DB, Audit: a.Audit, Clock: a.Clock}
	a.Payments = &payment.Service{Store: ledgerstore.NewPayments(a.DB), Tx: a.DB, Ledger: a.Ledger, Log: a.FlowLog, Audit: a.Audit, Clock: a.Clock, Told: a.tellCollected, Low: a.tellLow}
	a.Ledger.Watch = a.Payments.Watch
	var gateways []topup.Gateway
	if a.Settings.Dev {
		gateways = append(gateways, topup.Simulator{})
	}
	a.Credits = &creditline.Service{Store: ledgerstore.NewCredits(a.DB), Tx: a.DB, Books: a.Ledger, Log: a.FlowLog, Audit: a.Audit, Clock: a.Clock, Limits: a.FourEyes.Of}
	a.TopUps = topup.New(topup.Deps{Store: ledgerstore.NewTopUps(a.DB), Tx: a.DB, Ledger: a.Ledger, Log: a.FlowLog, Audit: a.Audit, Clock: a.Clock, Gateways: gateways,
		Vendors: a.vendorIDs, Confirmed: a.Passcodes.Guard(passcode.OpRemittance), Told: a.tellClaim, Agreed: a.payerAgreed, Held: a.tellHeld, Limits: a.FourEyes.Of})
	a.Agreements = agreement.New(agreement.Deps{Store: contractstore.New(a.DB), Tx: a.DB, Log: a.FlowLog, Audit: a.Audit, Clock: a.Clock, Teller: a.teller(),
		Vendors: a.vendorIDs, Names: a.ownNames, Holds: func(ctx context.Context, x agreement.Agreement) error {
			return a.TopUps.Match(ctx, x.VendorID, x.PartnerID)
		}})
}

// wireContracts puts contracts on the books their plans are paid from.
func (a *App) wireContracts() {
	a.Contracts = contract.New(contract.Deps{Store: contractstore.New(a.DB), Tx: a.DB, Log: a.FlowLog, Audit: a.Audit, Clock: a.Clock, Ledger: a.Ledger, Teller: a.teller(),
		Vendors: a.vendorIDs, Entity: a.entityID, Confirmed: a.Passcodes.Guard(passcode.OpContract)})
}

// entityID is the contracting entity a partner deals with.
func (a *App) entityID(ctx context.Context, vendorID, partnerID string) (string, error) {
	book, err := a.Organisations.EntityBook(ctx, vendorID)
	if err != nil {
		return "", err
	}
	return book.Of(partnerID).ID, nil
}

// ownNames are the names a partner goes by: on bills, and in its reviewed information.
func (a *App) ownNames(ctx context.Context, partnerID string) ([]string, error) {
	org, err := a.Organisations.ByID(ctx, scope.System("system"), partnerID)
	if err != nil {
		return nil, err
	}
	names := []string{org.Name}
	p, found, err := a.Company.Store.Profile(ctx, partnerID)
	if found {
		names = append(names, p.Name, p.NameEN)
	}
	return slices.DeleteFunc(names, func(n string) bool { return n == "" }), err
}

// payerAgreed tells whether a payer is the partner itself, or pays under an agreement in force on the day.
func (a *App) payerAgreed(ctx context.Context, vendorID, partnerID, payer, day string) (bool, error) {
	names, err := a.ownNames(ctx, partnerID)
	if err != nil || slices.ContainsFunc(names, func(n string) bool { return agreement.SameName(n, payer) }) {
		return err == nil, err
	}
	list, err := a.Agreements.Store.Agreements(ctx, agreement.Filter{VendorID: vendorID, PartnerID: partnerID})
	return agreement.InForce(list, payer, day), err
}

// tellHeld tells a partner of a transfer to its account that waits for an agreement, with the way to make one.
func (a *App) tellHeld(ctx context.Context, partnerID string, r topup.Remittance) error {
	return a.tellFunds(ctx, partnerID, "transfer_held", fault.Args{"Amount": r.Amount.String(), "Currency": r.Currency, "Payer": r.PayerName, "Day": r.PaidOn},
		"/agreements/new?"+url.Values{"kind": {string(agreement.KindSingle)}, "payer": {r.PayerName}, "begins": {r.PaidOn}}.Encode())
}

// vendorIDs are the vendors a partner deals with.
func (a *App) vendorIDs(ctx context.Context, partnerID string) ([]string, error) {
	partner, err := a.Organisations.ByID(ctx, scope.System("system"), partnerID)
	if err != nil {
		return nil, err
	}
	list, err := a.Organisations.VendorsOf(ctx, partner)
	ids := make([]string, len(list))
	for i := range list {
		ids[i] = list[i].ID
	}
	return ids, err
}

// tellFunds tells everybody who may change a partner's funds.
func (a *App) tellFunds(ctx context.Context, partnerID, code string, args fault.Args, path string) error {
	return a.teller().Tell(ctx, partnerID, scope.ItemFundsChange, message.Notice{Category: message.CategoryBill, Code: code, Args: args, Link: path})
}

func (a *App) tellCollected(ctx context.Context, b payment.Bill) error {
	code := "bill_paid"
	if b.State != payment.StatePaid {
		code = "bill_unpaid"
	}
	return a.tellFunds(ctx, b.PartnerID, code, fault.Args{"Cycle": string(b.Cycle), "Vendor": b.VendorName, "Paid": b.Paid.String(), "Remaining": b.Remaining().String(), "Currency": b.Currency}, "/funds/bills")
}

func (a *App) tellLow(ctx context.Context, x payment.Alert, balance money.Amount) error {
	return a.tellFunds(ctx, x.PartnerID, "balance_low", fault.Args{"Balance": balance.String(), "Threshold": x.Threshold.String(), "Currency": x.Currency}, "/funds")
}

func (a *App) tellClaim(ctx context.Context, c topup.Claim) error {
	code := map[topup.ClaimState]string{topup.ClaimApproved: "claim_approved", topup.ClaimRefused: "claim_refused"}[c.State]
	return a.tellFunds(ctx, c.PartnerID, code, fault.Args{"Amount": c.Amount.String(), "Currency": c.Currency, "Reason": c.Reason}, "/remittance-claims")
}
