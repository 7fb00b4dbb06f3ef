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
	told := map[string]bool{}
	for i := range docs {
		d := &docs[i]
		if told[d.Partner.ID] {
			continue
		}
		told[d.Partner.ID] = true
		n := message.Notice{Category: message.CategoryBill, Code: "bill_issued", Args: fault.Args{"Cycle": string(c), "Vendor": d.Vendor.Name}, Link: "/bills?cycle=" + string(c)}
		if err := a.tellAndWrite(ctx, d.Partner.ID, scope.ItemBillView, n, ""); err != nil {
			return err
		}
	}
	return nil
}

// remindFinance tells everybody who may run a vendor's close that a month waits for it, on the 5th at
// 09:00 GMT+8.
func (a *App) remindFinance(ctx context.Context, d monthclose.Deadline) error {
	return a.teller().Tell(ctx, d.VendorID, scope.ItemCloseRun, message.Notice{Category: message.CategoryBill, Code: "close_due", Args: fault.Args{"Cycle": string(d.Cycle)}, Link: "/closes/" + string(d.Cycle)})
}

// teller rings for those whom something concerns.
func (a *App) teller() message.Teller {
	return message.Teller{Organisations: a.Organisations, People: a.Accounts, Bell: a.Messages}
}

// tellAndWrite rings for everybody in an organisation who may do an item, and writes to them, once for each occasion: the
// page the notice links to unless another is named.
func (a *App) tellAndWrite(ctx context.Context, orgID string, item scope.Item, n message.Notice, occasion string) error {
	people, err := a.Accounts.Holders(ctx, orgID, item)
	if err != nil || len(people) == 0 {
		return err
	}
	org, err := a.Organisations.ByID(ctx, scope.System("system"), orgID)
	if err != nil {
		return err
	}
	link := "/o/" + org.Code + n.Link
	for _, personID := range people {
		if err := a.mailOnce(ctx, orgID, personID, cmp.Or(occasion, link), n.Category, outbox.Mail{Code: n.Code, Args: n.Args, Link: link}); err != nil {
			return err
		}
	}
	return a.teller().Ring(ctx, orgID, people, n)
}

// mailOnce writes to a person who has an address and wants letters of the category, once for each occasion, in the working
// hours of the zone the person chose.
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
	return a.sendMailAt(ctx, m.Code+"/"+personID+"/"+occasion, m, set.SendAt(a.Clock.Now(), category))
}

// tellReviewed tells whoever may change a partner's information that the vendor decided about it.
func (a *App) tellReviewed(ctx context.Context, c company.Change) error {
	code := map[company.State]string{company.StateApproved: "company_approved", company.StateRefused: "company_refused"}[c.State]
	return a.teller().Tell(ctx, c.OrgID, scope.ItemProfileChange, message.Notice{Category: message.CategorySystem, Code: code, Args: fault.Args{"Name": c.New.Name, "Reason": c.Reason}, Link: "/profile"})
}
