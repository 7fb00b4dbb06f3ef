package app

import (
	"testing"
	"time"

	"huoban/internal/account"
	"huoban/internal/customer"
	"huoban/internal/grant"
	"huoban/internal/invitation"
	"huoban/internal/organisation"
	"huoban/internal/prospect"
)

// distributing adds a distributor with its reseller to the world.
func distributing(g *growing) {
	g.t.Helper()
	g.org("D", organisation.KindDistributor, "V")
	g.org("R", organisation.KindReseller, "D")
	for _, o := range []string{"D", "R"} {
		g.person(o, o+"-admin", account.RoleAdmin)
	}
	g.org("W", organisation.KindVendor, "")
	g.person("W", "w-ops", account.RoleOperations)
}

// TestGrants: a distributor registers and invites nobody before its vendor granted it; taken back, nothing new begins and
// what is open stops opening; given again, it opens until its time is over. Others need none.
func TestGrants(t *testing.T) {
	eachGrowing(t, func(g *growing) {
		distributing(g)
		for n, login := range []string{"P-admin", "R-admin"} {
			if _, err := g.file(login, g.details(n)); err != nil {
				t.Errorf("%s needs none: %v", login, err)
			}
		}
		_, err := g.file("D-admin", g.details(5))
		g.refused("before it was asked for", err, "prospect.not_granted")
		_, err = g.a.Invitations.Invite(g.ctx, g.as("D-admin"), invitation.InviteInput{Relation: customer.KindReferral, Channel: invitation.ChannelLink})
		g.refused("a link for anybody", err, "prospect.not_granted")

		x := g.asked("D-admin", "V", "华南区直签客户")
		_, err = g.a.Grants.Begin(g.ctx, g.as("D-admin"), g.orgID("V"), "再次申请")
		g.refused("asked twice", err, "grant.there_already")
		_, err = g.file("D-admin", g.details(5))
		g.refused("while it is reviewed", err, "prospect.not_granted")
		g.grantRefusals(x)

		g.decides("v-ops", x, grant.ActionApprove, "")
		p := g.registered("D-admin", g.details(5))
		waiting, err := g.file("D-admin", g.details(6))
		if err != nil {
			t.Fatal(err)
		}
		_, token := g.invite("D-admin", &p)
		if _, err := g.a.Invitations.Open(g.ctx, token); err != nil {
			t.Errorf("the link of a grant: %v", err)
		}

		g.decides("v-ops", x, grant.ActionRevoke, "年度考核未通过")
		_, err = g.a.Invitations.Open(g.ctx, token)
		g.refused("a link after it was taken back", err, "invitation.link_over")
		_, err = g.register(token, g.details(5), "newcomer")
		g.refused("consent after it was taken back", err, "invitation.link_over")
		_, err = g.a.Prospects.Do(g.ctx, g.as("v-ops"), waiting.ID, prospect.ActionApprove, "")
		g.refused("approval after it was taken back", err, "prospect.not_granted")
		steps, err := g.a.Invitations.Plan(g.ctx, g.as("D-admin"), invitation.InviteInput{ProspectIDs: []string{p.ID}, Relation: customer.KindReferral, Channel: invitation.ChannelLink})
		if err != nil || len(steps) != 1 || steps[0].Refusal == nil || steps[0].Refusal.Code != "prospect.not_granted" {
			t.Errorf("planned after it was taken back: %+v %v", steps, err)
		}
		if s := g.state(p); s != prospect.StateRegistered {
			t.Errorf("what was registered is %s", s)
		}

		g.decides("v-ops", x, grant.ActionGive, "整改完成")
		if _, err = g.register(token, g.details(5), "newcomer"); err != nil {
			t.Errorf("given again: %v", err)
		}
		g.grantTrail(x)
	})
}

// TestGrantGiven: a vendor gives it unasked, to distributors of its own alone.
func TestGrantGiven(t *testing.T) {
	eachGrowing(t, func(g *growing) {
		distributing(g)
		for _, who := range []string{"P", "R", "W"} {
			_, err := g.a.Grants.Begin(g.ctx, g.as("v-ops"), g.orgID(who), "年度规划")
			g.refused("to "+who, err, "grant.other_unknown")
		}
		_, err := g.a.Grants.Begin(g.ctx, g.as("w-ops"), g.orgID("D"), "年度规划")
		g.refused("by a stranger", err, "grant.other_unknown")
		_, err = g.a.Grants.Begin(g.ctx, g.as("R-admin"), g.orgID("V"), "我也要")
		g.refused("a reseller asks", err, "grant.other_unknown")
		_, err = g.a.Grants.Begin(g.ctx, g.as("v-ops"), g.orgID("D"), " ")
		g.refused("without a word", err, "grant.reason_missing")
		if _, err := g.a.Grants.Begin(g.ctx, g.as("v-ops"), g.orgID("D"), "年度规划"); err != nil {
			t.Fatal(err)
		}
		if _, err := g.file("D-admin", g.details(1)); err != nil {
			t.Error(err)
		}
		if list, err := g.a.Grants.Missing(g.ctx, g.as("D-admin")); err != nil || len(list) != 0 {
			t.Errorf("missing %v %v", list, err)
		}
	})
}

func (g *growing) asked(login, vendor, why string) grant.Grant {
	g.t.Helper()
	x, err := g.a.Grants.Begin(g.ctx, g.as(login), g.orgID(vendor), why)
	if err != nil {
		g.t.Fatal(err)
	}
	return x
}

func (g *growing) decides(login string, x grant.Grant, do grant.Action, reason string) {
	g.t.Helper()
	g.later(time.Minute)
	if _, err := g.a.Grants.Do(g.ctx, g.as(login), x.ID, do, reason); err != nil {
		g.t.Fatalf("%s: %v", do, err)
	}
}

// grantRefusals: nobody decides but the vendor, with a reason where it refuses, and nobody else sees it.
func (g *growing) grantRefusals(x grant.Grant) {
	g.t.Helper()
	_, err := g.a.Grants.Do(g.ctx, g.as("D-admin"), x.ID, grant.ActionApprove, "")
	g.refused("by the distributor itself", err, "scope.permission_missing")
	_, err = g.a.Grants.Do(g.ctx, g.as("v-ops"), x.ID, grant.ActionRefuse, "")
	g.refused("without a reason", err, "flow.reason_missing")
	for _, login := range []string{"P-admin", "R-admin", "w-ops"} {
		_, err = g.a.Grants.Find(g.ctx, g.as(login), x.ID)
		g.refused("found by "+login, err, "grant.unknown")
	}
	for login, want := range map[string]int{"v-ops": 1, "D-admin": 1, "P-admin": 0, "R-admin": 0, "w-ops": 0} {
		if list, err := g.a.Grants.List(g.ctx, g.as(login)); err != nil || len(list) != want {
			g.t.Errorf("%s lists %d, %v", login, len(list), err)
		}
	}
}

// grantTrail: each side has a line of each move, and the history tells them in order.
func (g *growing) grantTrail(x grant.Grant) {
	g.t.Helper()
	changes, err := g.a.Grants.History(g.ctx, x.ID)
	if err != nil || len(changes) != 4 {
		g.t.Errorf("history %+v %v", changes, err)
	}
	for _, org := range []string{"V", "D"} {
		var n int
		if err := g.a.DB.Writer().QueryRowContext(g.ctx, "SELECT count(*) FROM audit WHERE org_id = $1 AND object = $2", g.orgID(org), "prospect_grant:"+x.ID).Scan(&n); err != nil || n != 4 {
			g.t.Errorf("%s has %d lines, %v", org, n, err)
		}
	}
}
