package app

import (
	"context"

	"huoban/internal/fault"
	"huoban/internal/grant"
	"huoban/internal/i18n"
	"huoban/internal/invitation"
	"huoban/internal/outbox"
	"huoban/internal/passcode"
	"huoban/internal/prospect"
	"huoban/internal/relation"
	"huoban/internal/store/growstore"
)

// wireGrowth joins the registration of prospects and their invitation with the accounts and associations they lead to.
func (a *App) wireGrowth() {
	a.Grants = grant.New(grant.Deps{Store: growstore.NewGrants(a.DB), Tx: a.DB, Log: a.FlowLog, Audit: a.Audit, Clock: a.Clock, Organisations: a.Organisations, Teller: a.teller()})
	a.Prospects = prospect.New(prospect.Deps{Store: growstore.NewProspects(a.DB), Tx: a.DB, Log: a.FlowLog, Audit: a.Audit, Clock: a.Clock,
		Organisations: a.Organisations, People: a.Accounts, Bell: a.Messages, Grants: a.Grants})
	a.Invitations = invitation.New(invitation.Deps{Store: growstore.NewInvitations(a.DB), Tx: a.DB, Log: a.FlowLog, Audit: a.Audit, Clock: a.Clock,
		Prospects: a.Prospects, Organisations: a.Organisations, Customers: a.Customers, People: a.Accounts, Bell: a.Messages, Letters: inviteLetters{a}, Grants: a.Grants, Secret: a.Key[:]})
	a.Relations = relation.New(relation.Deps{Store: growstore.NewRelations(a.DB), Tx: a.DB, Log: a.FlowLog, Audit: a.Audit, Clock: a.Clock, Customers: a.Customers,
		Organisations: a.Organisations, Teller: a.teller(), Confirmed: a.Passcodes.Guard(passcode.OpRelation)})
}

// inviteLetters sends invitations by mail. A customer that has no account yet is written to in the portal's own
// language; the page of the link has both.
type inviteLetters struct{ a *App }

// Ready implements invitation.Letters.
func (l inviteLetters) Ready() bool { return l.a.mails }

// Send implements invitation.Letters.
func (l inviteLetters) Send(ctx context.Context, key, to string, args fault.Args, link string) error {
	return l.a.sendMail(ctx, key, outbox.Mail{To: to, Lang: string(i18n.ZhCN), Code: "invitation", Args: args, Link: link})
}

// previewLetter words a letter as it would be sent.
func (a *App) previewLetter(ctx context.Context, m outbox.Mail) (subject, text string, err error) {
	return a.letterWriter().Write(ctx, m)
}
