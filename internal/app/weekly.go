package app

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"huoban/internal/audit"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/i18n"
	"huoban/internal/message"
	"huoban/internal/outbox"
	"huoban/internal/scope"
	"huoban/internal/store/liststore"
)

// kindViewMail is the job that words one view of one person for a week.
const kindViewMail = "view.mail"

// viewMail is its payload: what is sent is read when it is sent.
type viewMail struct {
	Token string `json:"token"`
	Week  string `json:"week"`
}

// mailHour is when views are mailed, on Mondays in the portal's zone.
const mailHour = 9

// mailMonday is the last Monday, at the hour of mailing, that is not after now.
func mailMonday(now time.Time) time.Time {
	y, m, d := now.In(cycle.Zone).Date()
	back := (int(now.In(cycle.Zone).Weekday()) + 6) % 7
	at := time.Date(y, m, d-back, mailHour, 0, 0, 0, cycle.Zone)
	if at.After(now) {
		at = at.AddDate(0, 0, -7)
	}
	return at
}

// wireWeekly names the job of views that are mailed.
func (a *App) wireWeekly() {
	a.views = liststore.New(a.DB, a.Clock)
	a.Worker.Handle(kindViewMail, func(ctx context.Context, j outbox.Job, _ outbox.Progress) error {
		var m viewMail
		if err := json.Unmarshal(j.Payload, &m); err != nil {
			return outbox.Permanent(err)
		}
		return a.mailView(ctx, m)
	})
}

// dueViews makes a job of every view that is to be mailed for this week; another replica may do so at once.
func (a *App) dueViews(ctx context.Context) error {
	monday := mailMonday(a.Clock.Now())
	week := monday.Format(time.DateOnly)
	tokens, err := a.views.DueMails(ctx, week, monday)
	if err != nil {
		return err
	}
	for _, token := range tokens {
		err := a.DB.InTx(ctx, func(ctx context.Context) error {
			won, err := a.views.MarkMail(ctx, token, week)
			if err != nil || !won {
				return err
			}
			_, _, err = a.Queue.Enqueue(ctx, outbox.NewJob{Kind: kindViewMail, Key: token + "/" + week, Payload: viewMail{token, week}})
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// mailView reads a view under the scope its person has now and puts the letter into the outbox. Who may not read it
// any more is written no more letters.
func (a *App) mailView(ctx context.Context, job viewMail) error {
	m, found, err := a.views.MailOf(ctx, job.Token)
	if err != nil || !found {
		return err // ended meanwhile
	}
	sc, err := exportScopes{a}.ScopeOf(ctx, m.OrgID, m.PersonID)
	if err != nil {
		return a.endViewMail(ctx, m, err)
	}
	p, err := a.Accounts.PersonByID(ctx, m.PersonID)
	if err != nil {
		return err
	}
	org, err := a.Organisations.ByID(ctx, scope.System("system"), m.OrgID)
	if err != nil {
		return err
	}
	lang, ok := i18n.Parse(m.Lang)
	if !ok {
		lang = i18n.ZhCN
	}
	letter, err := a.lists().WriteView(i18n.With(ctx, lang), sc, org, m.Path, m.Query)
	if err != nil {
		return a.endViewMail(ctx, m, err)
	}
	return a.DB.InTx(ctx, func(ctx context.Context) error {
		args := fault.Args{"Name": m.Name, "List": letter.Title, "Text": letter.Text, "Stop": a.Settings.Base() + "/unsubscribe/" + m.Token}
		if err := a.sendMail(ctx, "weekly_view/"+m.Token+"/"+job.Week, outbox.Mail{To: p.Email, Lang: string(lang), Code: "weekly_view", Args: args, Link: letter.Link}); err != nil {
			return err
		}
		return a.Messages.Notify(ctx, message.Notice{PersonID: m.PersonID, OrgID: m.OrgID, Category: message.CategorySystem, Code: "weekly_view",
			Args: fault.Args{"Name": m.Name, "List": letter.Title, "Week": job.Week}, Link: letter.Link})
	})
}

// endViewMail ends the letters of who may not read the view, and writes that down; another failure is tried again.
func (a *App) endViewMail(ctx context.Context, m liststore.ViewMail, why error) error {
	if f := fault.From(why); f.Kind != fault.KindDenied && f.Kind != fault.KindNotFound && f.Kind != fault.KindInvalid {
		return fmt.Errorf("weekly view: %w", why)
	}
	return a.DB.InTx(ctx, func(ctx context.Context) error {
		if _, err := a.views.EndMail(ctx, m.Token); err != nil {
			return err
		}
		return a.Audit.Record(ctx, audit.Entry{Actor: "system", OrgID: m.OrgID, Action: "list.view_mail_end", Object: "list:" + m.Path, Outcome: "done",
			Detail: map[string]any{"person": m.PersonID, "name": m.Name, "reason": fault.From(why).Code}})
	})
}
