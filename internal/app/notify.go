package app

import (
	"cmp"
	"context"

	"huoban/internal/bill"
	"huoban/internal/company"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/message"
	"huoban/internal/monthclose"
	"huoban/internal/outbox"
	"huoban/internal/scope"
)

// tellPartners rings the bell of everybody at a partner who may see its bills, and writes to them, in
// the transaction that issues them.
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
		args, link := fault.Args{"Cycle": string(c), "Vendor": d.Vendor.Name}, "/o/"+d.Partner.Code+"/bills?cycle="+string(c)
		for _, personID := range people {
			notices = append(notices, message.Notice{PersonID: personID, OrgID: d.Partner.ID, Category: message.CategoryBill, Code: "bill_issued", Args: args, Link: link})
			if err := a.mailPerson(ctx, d.Partner.ID, personID, message.CategoryBill, outbox.Mail{Code: "bill_issued", Args: args, Link: link}); err != nil {
				return err
			}
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

// mailPerson writes to a person who has an address and wants letters of the category, once for each thing the
// letter links to.
func (a *App) mailPerson(ctx context.Context, orgID, personID string, category message.Category, m outbox.Mail) error {
	return a.mailOnce(ctx, orgID, personID, m.Link, category, m)
}

// mailOnce writes to a person who has an address and wants letters of the category, once for each occasion.
func (a *App) mailOnce(ctx context.Context, orgID, personID, occasion string, category message.Category, m outbox.Mail) error {
	if !a.mails {
		return nil
	}
	p, err := a.Accounts.PersonByID(ctx, personID)
	if err != nil {
		return err
	}
	set, err := a.Messages.SettingsOf(ctx, orgID, personID)
	if err != nil || !set.On(message.Way{Category: category, Channel: message.ChannelMail}) {
		return err
	}
	m.To, m.Lang = p.Email, cmp.Or(set.Language, string(i18n.ZhCN))
	return a.sendMail(ctx, m.Code+"/"+personID+"/"+occasion, m)
}

// tellReviewed tells whoever may change a partner's information that the vendor decided about it.
func (a *App) tellReviewed(ctx context.Context, c company.Change) error {
	people, err := a.Accounts.Holders(ctx, c.OrgID, scope.ItemProfileChange)
	if err != nil {
		return err
	}
	code := map[company.State]string{company.StateApproved: "company_approved", company.StateRefused: "company_refused"}[c.State]
	var notices []message.Notice
	for _, personID := range people {
		notices = append(notices, message.Notice{PersonID: personID, OrgID: c.OrgID, Category: message.CategorySystem, Code: code,
			Args: fault.Args{"Name": c.New.Name, "Reason": c.Reason}, Link: "/o/" + c.OrgCode + "/profile"})
	}
	return a.Messages.Notify(ctx, notices...)
}
