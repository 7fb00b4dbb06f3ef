package app

import (
	"testing"
	"time"

	"huoban/internal/account"
	"huoban/internal/customer"
	"huoban/internal/fault"
	"huoban/internal/invitation"
	"huoban/internal/relation"
)

// married is a customer of P by a link of its 客户经理, and the login of its administrator.
func (g *growing) married() (invitation.Joined, string) {
	g.t.Helper()
	_, token := g.invite("P-cm", nil)
	j, err := g.register(token, g.details(1), "c-admin")
	if err != nil {
		g.t.Fatal(err)
	}
	g.person(j.Organisation.Code, "c-viewer", account.RoleViewer)
	return j, "c-admin"
}

func asking(customerID string, kind relation.Kind, when relation.When) relation.AskInput {
	return relation.AskInput{CustomerID: customerID, Kind: kind, To: customer.KindResale, When: when, Reason: "业务调整", Understood: true}
}

func (g *growing) associations(customerID string) []customer.Association {
	g.t.Helper()
	all, err := g.a.Customers.Of(g.ctx, customerID)
	if err != nil {
		g.t.Fatal(err)
	}
	return all
}

// TestSwitchWithConsent: the mode changes at the moment of consent, without a gap and without an overlap, and who looks
// after the customer stays; each side asks once in three months.
func TestSwitchWithConsent(t *testing.T) {
	eachGrowing(t, func(g *growing) {
		j, admin := g.married()
		id := j.Organisation.ID
		g.later(time.Hour)
		if _, err := g.a.Relations.Ask(g.ctx, g.as("P-cm"), asking(id, relation.KindSwitch, relation.WhenConsent)); !fault.Is(err, fault.KindDenied) {
			t.Errorf("a 客户经理 asks: %v", err)
		}
		if _, err := g.a.Relations.Ask(g.ctx, g.as("Q-admin"), asking(id, relation.KindDissolve, relation.WhenConsent)); !fault.Is(err, fault.KindNotFound) {
			t.Errorf("a stranger asks: %v", err)
		}
		r, err := g.a.Relations.Ask(g.ctx, g.as("P-admin"), asking(id, relation.KindSwitch, relation.WhenConsent))
		if err != nil {
			t.Fatal(err)
		}
		_, err = g.a.Relations.Ask(g.ctx, g.as(admin), asking(id, relation.KindDissolve, relation.WhenConsent))
		g.refused("while one waits", err, "relation.open")
		for _, login := range []string{"P-admin", "c-viewer"} {
			if _, err := g.a.Relations.Do(g.ctx, g.as(login), r.ID, relation.ActionAgree, ""); !fault.Is(err, fault.KindDenied) {
				t.Errorf("%s agrees: %v", login, err)
			}
		}
		if len(g.associations(id)) != 1 {
			t.Error("a request changed something")
		}
		g.later(time.Hour)
		if r, err = g.a.Relations.Do(g.ctx, g.as(admin), r.ID, relation.ActionAgree, ""); err != nil {
			t.Fatal(err)
		}
		at, all := g.clock.Now(), g.associations(id)
		if len(all) != 2 || !all[0].To.Equal(at) || !all[1].From.Equal(at) || all[1].Kind != customer.KindResale || !r.EffectiveAt.Equal(at) {
			t.Errorf("after the consent: %+v", all)
		}
		rec, err := g.a.Customers.Record(g.ctx, g.as("P-admin"), id)
		if err != nil || rec.Manager.Login != "P-cm" || rec.Kind != customer.KindResale {
			t.Errorf("%+v %v", rec, err)
		}
		_, err = g.a.Relations.Ask(g.ctx, g.as("P-admin"), asking(id, relation.KindDissolve, relation.WhenConsent))
		g.refused("again within three months", err, "relation.asked_lately")
		if _, err = g.a.Relations.Ask(g.ctx, g.as(admin), asking(id, relation.KindDissolve, relation.WhenConsent)); err != nil {
			t.Errorf("the customer has not asked yet: %v", err)
		}
	})
}

// TestDissolveNextMonth: the association holds until the month ends, then nobody's; with it ends the care. A refusal
// leaves all as it was, and after the customer asked the partner waits.
func TestDissolveNextMonth(t *testing.T) {
	eachGrowing(t, func(g *growing) {
		j, admin := g.married()
		id := j.Organisation.ID
		r, err := g.a.Relations.Ask(g.ctx, g.as(admin), asking("", relation.KindDissolve, relation.WhenNextMonth))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := g.a.Relations.Do(g.ctx, g.as("P-admin"), r.ID, relation.ActionRefuse, " "); !fault.HasCode(err, "flow.reason_missing") {
			t.Errorf("a refusal without reason: %v", err)
		}
		if _, err := g.a.Relations.Do(g.ctx, g.as("P-admin"), r.ID, relation.ActionRefuse, "合同期内"); err != nil {
			t.Fatal(err)
		}
		if all := g.associations(id); len(all) != 1 || all[0].State != customer.StateActive {
			t.Errorf("after a refusal: %+v", all)
		}
		_, err = g.a.Relations.Ask(g.ctx, g.as("P-admin"), asking(id, relation.KindDissolve, relation.WhenNextMonth))
		g.refused("the customer asked lately", err, "relation.customer_asked_lately")
		g.later(93 * 24 * time.Hour)
		if r, err = g.a.Relations.Ask(g.ctx, g.as("P-admin"), asking(id, relation.KindDissolve, relation.WhenNextMonth)); err != nil {
			t.Fatal(err)
		}
		if r, err = g.a.Relations.Do(g.ctx, g.as(admin), r.ID, relation.ActionAgree, ""); err != nil {
			t.Fatal(err)
		}
		end, all := r.EffectiveAt, g.associations(id)
		if len(all) != 1 || !all[0].To.Equal(end) || !all[0].InForce(end.Add(-time.Microsecond)) || all[0].InForce(end) {
			t.Errorf("ends %v: %+v", end, all)
		}
		rec, err := g.a.Customers.Record(g.ctx, g.as("P-admin"), id)
		if err != nil || len(rec.Cares) != 1 || !rec.Cares[0].To.Equal(end) {
			t.Errorf("the care: %+v %v", rec, err)
		}
		if _, err := g.a.Relations.Find(g.ctx, g.as("Q-admin"), r.ID); !fault.Is(err, fault.KindNotFound) {
			t.Errorf("another partner finds it: %v", err)
		}
	})
}

// TestRequestLapses: what nobody answers within thirty days lapses, changes nothing and tells who asked.
func TestRequestLapses(t *testing.T) {
	eachGrowing(t, func(g *growing) {
		j, admin := g.married()
		id := j.Organisation.ID
		r, err := g.a.Relations.Ask(g.ctx, g.as("P-admin"), asking(id, relation.KindDissolve, relation.WhenConsent))
		if err != nil {
			t.Fatal(err)
		}
		state := func() relation.State {
			now, err := g.a.Relations.Find(g.ctx, g.as("P-admin"), r.ID)
			if err != nil {
				t.Fatal(err)
			}
			return now.State
		}
		if g.later(30*24*time.Hour - time.Second); state() != relation.StateAwaitingCustomer {
			t.Errorf("a second before: %s", state())
		}
		before, err := g.a.Messages.Unread(g.ctx, g.as("P-admin"))
		if err != nil {
			t.Fatal(err)
		}
		if g.later(time.Second); state() != relation.StateLapsed {
			t.Errorf("after thirty days: %s", state())
		}
		if after, err := g.a.Messages.Unread(g.ctx, g.as("P-admin")); err != nil || after != before+1 {
			t.Errorf("%d messages before, %d after, %v", before, after, err)
		}
		_, err = g.a.Relations.Do(g.ctx, g.as(admin), r.ID, relation.ActionAgree, "")
		g.refused("an answer that comes too late", err, "flow.not_from_state")
		if all := g.associations(id); len(all) != 1 || all[0].State != customer.StateActive || !all[0].To.IsZero() {
			t.Errorf("the association: %+v", all)
		}
	})
}
