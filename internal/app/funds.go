package app

import (
	"context"

	"huoban/internal/fault"
	"huoban/internal/ledger"
	"huoban/internal/message"
	"huoban/internal/money"
	"huoban/internal/organisation"
	"huoban/internal/passcode"
	"huoban/internal/payment"
	"huoban/internal/scope"
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
	a.TopUps = topup.New(topup.Deps{Store: ledgerstore.NewTopUps(a.DB), Tx: a.DB, Ledger: a.Ledger, Log: a.FlowLog, Audit: a.Audit, Clock: a.Clock, Gateways: gateways,
		Vendors: a.vendorIDs, Confirmed: a.Passcodes.Guard(passcode.OpRemittance), Told: a.tellClaim})
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
	people, err := a.Accounts.Holders(ctx, partnerID, scope.ItemFundsChange)
	if err != nil || len(people) == 0 {
		return err
	}
	var org organisation.Organisation
	if org, err = a.Organisations.ByID(ctx, scope.System("system"), partnerID); err != nil {
		return err
	}
	var notices []message.Notice
	for _, personID := range people {
		notices = append(notices, message.Notice{PersonID: personID, OrgID: partnerID, Category: message.CategoryBill, Code: code, Args: args, Link: "/o/" + org.Code + path})
	}
	return a.Messages.Notify(ctx, notices...)
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
	return a.tellFunds(ctx, c.PartnerID, code, fault.Args{"Amount": c.Amount.String(), "Currency": c.Currency, "Reason": c.Reason}, "/funds/claims")
}
