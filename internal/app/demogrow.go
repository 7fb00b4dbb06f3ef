package app

import (
	"context"
	"fmt"

	"huoban/internal/account"
	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/demo"
	"huoban/internal/fault"
	"huoban/internal/grant"
	"huoban/internal/invitation"
	"huoban/internal/prospect"
	"huoban/internal/relation"
	"huoban/internal/scope"
	"huoban/internal/subscription"
)

// court lives through one of the plan's days of winning customers: what is filed, decided and invited then. What
// an interrupted run did already stays.
func (m *demoMaker) court(ctx context.Context, s demo.Step) error {
	if _, err := m.app.timer().Tick(ctx); err != nil {
		return err
	}
	if err := m.granted(ctx); err != nil {
		return err
	}
	for _, c := range m.world.Courted(s.Do) {
		if err := m.courted(ctx, c); err != nil {
			return fmt.Errorf("demo: %s: %w", c.Name, err)
		}
	}
	switch s.Do {
	case demo.DoWin:
		return m.general(ctx)
	case demo.DoCourt:
		if err := m.parting(ctx); err != nil {
			return err
		}
		if err := m.funds(ctx); err != nil {
			return err
		}
		return m.subscribe(ctx)
	}
	return nil
}

// granted lets the distributor ask for the grant to win customers of its own, and the vendor give it.
func (m *demoMaker) granted(ctx context.Context) error {
	_, asker, err := m.app.Operator(ctx, "guangzhu-admin", "demo")
	if err != nil {
		return err
	}
	missing, err := m.app.Grants.Missing(ctx, asker)
	if err != nil || len(missing) == 0 {
		return err
	}
	g, err := m.app.Grants.Begin(ctx, asker, missing[0].ID, "华南区自有直签客户约 20 家，由渠道部两名客户经理负责")
	if err != nil {
		return err
	}
	_, reviewer, err := m.app.Operator(ctx, "hengluo-operations", "demo")
	if err != nil {
		return err
	}
	_, err = m.app.Grants.Do(ctx, reviewer, g.ID, grant.ActionApprove, "")
	return err
}

// parting lets a customer ask for the end of its association, which waits for the partner.
func (m *demoMaker) parting(ctx context.Context) error {
	for i := range m.world.Customers {
		c := &m.world.Customers[i]
		if c.Partner != "QIHENG" || c.Moves != 0 {
			continue
		}
		_, sc, err := m.app.Operator(ctx, lower(c.Code)+"-admin", "demo")
		if err != nil {
			return err
		}
		known, err := m.app.Relations.List(ctx, sc)
		if err != nil || len(known) > 0 {
			return err
		}
		_, err = m.app.Relations.Ask(ctx, sc, relation.AskInput{Kind: relation.KindDissolve, When: relation.WhenNextMonth, Reason: "集团统一采购，后续由总部签约", Understood: true})
		return err
	}
	return nil
}

// subscribe lets a partner set up its monthly files and switch them off again before any is carried, because nobody
// receives what the demo sends; the files of the last issued cycle wait.
func (m *demoMaker) subscribe(ctx context.Context) error {
	_, sc, err := m.app.Operator(ctx, "qiheng-admin", "demo")
	if err != nil {
		return err
	}
	if known, err := m.app.Subscriptions.List(ctx, sc); err != nil || len(known) > 0 {
		return err
	}
	first := cycle.Of(m.app.Clock.Now(), cycle.Zone).Add(-2)
	x, err := m.app.Subscriptions.Add(ctx, sc, subscription.Input{Name: "财务系统对接", Kind: subscription.KindBucket, Address: "https://obs.cn-north-4.example.com", Bucket: "qiheng-finance", Prefix: "huoban/monthly",
		Region: "cn-north-4", AccessKey: "DEMOACCESSKEY", Secret: demoPassword + "-0123456789", Content: subscription.ContentSummary, Format: subscription.FormatGzip, FirstCycle: string(first)})
	if err != nil {
		return err
	}
	if _, err := m.app.Subscriptions.Scan(ctx); err != nil {
		return err
	}
	if err := m.app.Worker.Drain(ctx); err != nil {
		return err
	}
	_, err = m.app.Subscriptions.Do(ctx, sc, x.ID, subscription.ActionPause)
	return err
}

func (m *demoMaker) courted(ctx context.Context, c demo.Courtship) error {
	_, manager, err := m.app.Operator(ctx, c.Manager, "demo")
	if err != nil {
		return err
	}
	p, err := m.filed(ctx, manager, c)
	if err != nil {
		return err
	}
	if p.State == prospect.StatePending && c.Verdict != "" {
		_, reviewer, err := m.app.Operator(ctx, "hengluo-operations", "demo")
		if err != nil {
			return err
		}
		if p, err = m.app.Prospects.Do(ctx, reviewer, p.ID, prospect.Action(c.Verdict), c.Reason); err != nil {
			return err
		}
	}
	if p.State != prospect.StateRegistered || c.Channel == "" {
		return nil
	}
	link, err := m.invited(ctx, manager, p, invitation.Channel(c.Channel))
	if err != nil || c.Joins == "" || !link.State.Opens() {
		return err
	}
	_, err = m.app.Invitations.Register(ctx, invitation.RegisterInput{Token: m.app.Invitations.Token(&link), Company: c.Name, Code: c.Code, Name: c.Joins, Phone: c.Phone, Email: c.Email,
		Login: c.Login, Password: demoPassword, Consent: true})
	return err
}

// filed finds or files a registration.
func (m *demoMaker) filed(ctx context.Context, sc scope.Scope, c demo.Courtship) (prospect.Prospect, error) {
	known, err := m.app.Prospects.List(ctx, sc)
	if err != nil {
		return prospect.Prospect{}, err
	}
	for _, p := range known {
		if p.Name == c.Name {
			return p, nil
		}
	}
	return m.app.Prospects.File(ctx, sc, prospect.FileInput{Submit: !c.Draft, Details: prospect.Details{Kind: prospect.KindCompany, Name: c.Name, Phone: c.Phone, Email: c.Email,
		Industry: c.Industry, Relation: customer.Kind(c.Relation), Remark: c.Remark}})
}

// invited finds or sends the invitation of a registration.
func (m *demoMaker) invited(ctx context.Context, sc scope.Scope, p prospect.Prospect, by invitation.Channel) (invitation.Invitation, error) {
	known, err := m.app.Invitations.List(ctx, sc)
	if err != nil {
		return invitation.Invitation{}, err
	}
	for _, i := range known {
		if i.ProspectID == p.ID {
			return i, nil
		}
	}
	made, err := m.app.Invitations.Invite(ctx, sc, invitation.InviteInput{ProspectIDs: []string{p.ID}, Relation: p.Relation, Channel: by})
	if err != nil {
		return invitation.Invitation{}, err
	}
	return made[0], nil
}

// general makes a link for anybody, which a customer of another partner tries in vain.
func (m *demoMaker) general(ctx context.Context) error {
	_, manager, err := m.app.Operator(ctx, "qiheng-manager", "demo")
	if err != nil {
		return err
	}
	known, err := m.app.Invitations.List(ctx, manager)
	if err != nil {
		return err
	}
	for i := range known {
		if known[i].General() {
			return nil
		}
	}
	made, err := m.app.Invitations.Invite(ctx, manager, invitation.InviteInput{Relation: customer.KindReferral, Channel: invitation.ChannelQR})
	if err != nil {
		return err
	}
	for i := range m.world.Customers {
		c := &m.world.Customers[i]
		if c.Partner == "QIHENG" || c.MovedTo == "QIHENG" {
			continue
		}
		p, err := m.app.Accounts.PersonByLogin(ctx, lower(c.Code)+"-admin")
		if err != nil {
			return err
		}
		if _, err = m.app.Invitations.Join(ctx, p, m.app.Invitations.Token(&made[0]), true); !fault.HasCode(err, "invitation.refused") {
			return fmt.Errorf("demo: the customer of another partner was let in: %w", err)
		}
		return nil
	}
	return nil
}

// reachable gives administrators and finance of partners a phone and an address, by which a vendor asks back and codes are sent.
func (m *demoMaker) reachable(ctx context.Context, p demo.Person, n int) error {
	if p.Role != account.RoleAdmin && p.Role != account.RoleFinance || p.Organisation == demo.Vendor {
		return nil
	}
	return m.app.Accounts.SetContact(ctx, m.sc, p.Login, account.Contact{Name: p.Name, Phone: fmt.Sprintf("1390000%04d", 1000+n), Email: p.Login + "@" + lower(p.Organisation) + ".example"})
}
