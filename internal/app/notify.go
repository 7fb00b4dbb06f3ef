package app

import (
	"context"

	"huoban/internal/bill"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/message"
	"huoban/internal/monthclose"
	"huoban/internal/scope"
)

// tellPartners rings the bell of everybody at a partner who may see its bills, in the transaction that
// issues them.
func (a *App) tellPartners(ctx context.Context, vendorID string, c cycle.Cycle, docs []bill.Document) error {
	var notices []message.Notice
	told := map[string]bool{}
	for i := range docs {
		d := &docs[i]
		if told[d.Partner.ID] {
			continue
		}
		told[d.Partner.ID] = true
		people, err := a.Accounts.Holders(ctx, d.Partner.ID, scope.ItemBillView)
		if err != nil {
			return err
		}
		for _, personID := range people {
			notices = append(notices, message.Notice{PersonID: personID, OrgID: d.Partner.ID, Category: message.CategoryBill, Code: "bill_issued",
				Args: fault.Args{"Cycle": string(c), "Vendor": d.Vendor.Name}, Link: "/o/" + d.Partner.Code + "/bills?cycle=" + string(c)})
		}
	}
	return a.Messages.Notify(ctx, notices...)
}

// remindFinance tells everybody who may run a vendor's close that a month waits for it, on the 5th at
// 09:00 GMT+8.
func (a *App) remindFinance(ctx context.Context, d monthclose.Deadline) error {
	org, err := a.Organisations.ByID(ctx, scope.System("system"), d.VendorID)
	if err != nil {
		return err
	}
	people, err := a.Accounts.Holders(ctx, d.VendorID, scope.ItemCloseRun)
	if err != nil {
		return err
	}
	var notices []message.Notice
	for _, personID := range people {
		notices = append(notices, message.Notice{PersonID: personID, OrgID: d.VendorID, Category: message.CategoryBill, Code: "close_due",
			Args: fault.Args{"Cycle": string(d.Cycle)}, Link: "/o/" + org.Code + "/closes/" + string(d.Cycle)})
	}
	return a.Messages.Notify(ctx, notices...)
}
