package app

import (
	"context"
	"time"

	"huoban/internal/calendar"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/message"
	"huoban/internal/organisation"
	"huoban/internal/outbox"
	"huoban/internal/scope"
	"huoban/internal/store/deskstore"
)

// remindHour is when staff are told what is late or due, on working days in the portal's zone.
const remindHour = 9

// remindDesk tells the staff of each vendor, once each of its working days, what waits for them beyond its service time
// and what is due that day: each person what that person may decide, in the bell and by mail.
func (a *App) remindDesk(ctx context.Context) error {
	now := a.Clock.Now()
	if now.In(calendar.Zone).Hour() < remindHour {
		return nil
	}
	orgs, err := a.Organisations.List(ctx, scope.System("system"))
	if err != nil {
		return err
	}
	today, settings := calendar.DayOf(now), deskstore.New(a.DB)
	for _, org := range orgs {
		if org.Kind != organisation.KindVendor {
			continue
		}
		days, err := a.Desk.Calendar(ctx, org.ID)
		if err != nil {
			return err
		}
		if !days.Working(today) {
			continue
		}
		told, err := settings.Reminded(ctx, org.ID, today)
		if err != nil {
			return err
		}
		if told {
			continue
		}
		due, err := a.deskDue(ctx, org)
		if err != nil {
			return err
		}
		err = a.DB.InTx(ctx, func(ctx context.Context) error {
			first, err := settings.MarkReminded(ctx, org.ID, today, now)
			if err != nil || !first {
				return err // another replica was first
			}
			for _, d := range due {
				if err := a.tellDue(ctx, org, today, d); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// dueFor is what a person is reminded of.
type dueFor struct {
	personID    string
	late, today int
}

// deskDue reads the desk under the scope of each of the vendor's staff.
func (a *App) deskDue(ctx context.Context, org organisation.Organisation) ([]dueFor, error) {
	people, err := a.Accounts.Holders(ctx, org.ID, scope.ItemHomeAccount)
	if err != nil {
		return nil, err
	}
	pages := a.lists()
	var out []dueFor
	for _, personID := range people {
		sc, err := exportScopes{a}.ScopeOf(ctx, org.ID, personID)
		if fault.Is(err, fault.KindDenied) || fault.Is(err, fault.KindNotFound) {
			continue // left meanwhile
		}
		if err != nil {
			return nil, err
		}
		late, today, err := pages.DeskDue(i18n.With(ctx, i18n.ZhCN), sc, org)
		if err != nil {
			return nil, err
		}
		if late+today > 0 {
			out = append(out, dueFor{personID, late, today})
		}
	}
	return out, nil
}

func (a *App) tellDue(ctx context.Context, org organisation.Organisation, day calendar.Day, d dueFor) error {
	args, link := fault.Args{"Late": d.late, "Today": d.today, "Organisation": org.Name, "Day": string(day)}, "/o/"+org.Code+"/ops"
	if err := a.mailOnce(ctx, org.ID, d.personID, "desk/"+org.Code+"/"+string(day), message.CategorySystem, outbox.Mail{Code: "desk_due", Args: args, Link: link}); err != nil {
		return err
	}
	return a.Messages.Notify(ctx, message.Notice{OrgID: org.ID, PersonID: d.personID, Category: message.CategorySystem, Code: "desk_due", Args: args, Link: link})
}

// remindEvery is how often the portal looks whether staff are to be told.
const remindEvery = 5 * time.Minute
