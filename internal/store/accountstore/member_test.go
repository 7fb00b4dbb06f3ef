package accountstore_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"huoban/internal/account"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/store"
	"huoban/internal/store/storetest"
)

// letters keeps what would be written.
type letters struct{ sent []account.Link }

func (l *letters) Invite(_ context.Context, _ account.Person, _ organisation.Organisation, link account.Link) (bool, error) {
	l.sent = append(l.sent, link)
	return true, nil
}

func TestInvitation(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db).cast()
		post := &letters{}
		w.accounts.Letters = post
		chief := w.scope(w.person("fangan", "chief", "admin"), "fangan")
		in := account.InviteInput{Login: "li.na", Name: "李娜", Email: "li.na@fangan.example", Roles: []string{"finance"}}
		r, err := w.accounts.Invite(w.ctx, chief, in)
		w.must(err)
		again, err := w.accounts.Invite(w.ctx, chief, in)
		w.must(err)
		if !r.Added || again.Added || again.Person.ID != r.Person.ID || len(post.sent) != 1 {
			t.Fatalf("%+v %+v, %d letters", r, again, len(post.sent))
		}
		if _, err := w.signIn("li.na", "", ""); err == nil {
			t.Error("somebody without a password signs in with none")
		}
		m, err := w.accounts.Member(w.ctx, chief, r.Person.ID)
		w.must(err)
		if m.HasPassword || m.Link == nil || !slices.Equal(m.Roles, []string{"finance"}) {
			t.Errorf("%+v", m)
		}
		first, token, err := w.accounts.ShowLink(w.ctx, chief, r.Person.ID)
		w.must(err)
		if first.ID != post.sent[0].ID || !strings.HasPrefix(token, first.ID+".") {
			t.Errorf("%s %+v", token, first)
		}
		for _, bad := range []string{"", first.ID, first.ID + ".", token[:len(token)-1], token + "A", strings.ToUpper(token), strings.Replace(token, first.ID, r.Person.ID, 1)} {
			_, _, err := w.accounts.Welcome(w.ctx, bad)
			w.refused(err, "account.link_refused")
		}
		w.must(w.accounts.InviteAgain(w.ctx, chief, r.Person.ID))
		_, _, err = w.accounts.Welcome(w.ctx, token)
		w.refused(err, "account.link_refused") // a newer one ends it
		_, token, err = w.accounts.ShowLink(w.ctx, chief, r.Person.ID)
		w.must(err)
		_, err = w.accounts.FollowLink(w.ctx, token, "short")
		w.refused(err, "account.password_short")
		w.clock.Set(w.clock.Now().Add(7 * 24 * time.Hour))
		_, _, err = w.accounts.Welcome(w.ctx, token)
		w.refused(err, "account.link_refused")
		w.clock.Set(w.clock.Now().Add(-time.Microsecond))
		_, err = w.accounts.FollowLink(w.ctx, token, "river-stone-41")
		w.must(err)
		_, err = w.accounts.FollowLink(w.ctx, token, "river-stone-42")
		w.refused(err, "account.link_refused")
		if got, err := w.signIn("li.na", "river-stone-41", ""); err != nil || got.State != account.SignInDone {
			t.Errorf("%+v %v", got, err)
		}
		w.refused(w.accounts.InviteAgain(w.ctx, chief, r.Person.ID), "account.has_password")
	})
}

func TestResetByAdministrator(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db).cast()
		boss := w.person("fangan", "chief", "admin")
		chief, p := w.scope(boss, "fangan"), w.person("fangan", "anna", "finance")
		w.refused(w.accounts.Reset(w.ctx, chief, boss.ID), "account.own_account_reset")
		w.refused(w.accounts.ResetFactor(w.ctx, chief, p.ID), "account.factor_none")
		w.must(w.accounts.Reset(w.ctx, chief, p.ID))
		_, err := w.signIn("anna", right, "")
		w.refused(err, "account.sign_in_refused")
		_, token, err := w.accounts.ShowLink(w.ctx, chief, p.ID)
		w.must(err)
		w.must(w.accounts.Disable(w.ctx, chief, "anna"))
		_, _, err = w.accounts.Welcome(w.ctx, token)
		w.refused(err, "account.link_refused")
		stranger := w.scope(w.person("zongdai", "stranger", "admin"), "zongdai")
		w.refused(w.accounts.Reset(w.ctx, stranger, p.ID), "account.unknown")
		_, err = w.accounts.Member(w.ctx, stranger, p.ID)
		w.refused(err, "account.unknown")
		w.refused(w.accounts.SetCustomerContact(w.ctx, stranger, p.ID, true), "account.unknown")
		if acts := w.acts(); !slices.Contains(acts, "person.reset_password done person:anna") || !slices.Contains(acts, "person.show_link done person:anna") {
			t.Errorf("%v", acts)
		}
	})
}

// Whoever may change people and roles cannot become more by it than he is.
func TestNobodyGivesMoreThanHeHas(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db).cast()
		boss := w.person("fangan", "chief", "admin")
		chief := w.scope(boss, "fangan")
		hr := account.Role{Code: "hr", Name: "人事", Items: []scope.Item{scope.ItemStaffView, scope.ItemStaffChange, scope.ItemRoleView, scope.ItemRoleChange}}
		w.must(w.accounts.SaveRole(w.ctx, chief, "fangan", hr))
		clerk := w.person("fangan", "clerk", "hr")
		sc := w.scope(clerk, "fangan")
		w.person("fangan", "anna", "finance")
		_, err := w.accounts.Invite(w.ctx, sc, account.InviteInput{Login: "puppet", Name: "P", Roles: []string{"admin"}})
		w.refused(err, "account.beyond")
		_, err = w.accounts.AddPerson(w.ctx, sc, account.AddPersonInput{OrgCode: "fangan", Login: "puppet", Roles: []string{"finance"}, Password: right})
		w.refused(err, "account.beyond")
		w.refused(w.accounts.SetRoles(w.ctx, sc, "clerk", "fangan", []string{"hr"}), "account.own_roles")
		w.refused(w.accounts.SetRoles(w.ctx, sc, "anna", "fangan", []string{"hr"}), "account.outranked")
		w.refused(w.accounts.Reset(w.ctx, sc, boss.ID), "account.outranked")
		w.refused(w.accounts.SetContact(w.ctx, sc, "chief", account.Contact{Name: "C", Email: "thief@else.example"}), "account.outranked")
		w.refused(w.accounts.Disable(w.ctx, sc, "chief"), "account.outranked")
		bigger := hr
		bigger.Items = append(slices.Clone(hr.Items), scope.ItemBillView)
		w.refused(w.accounts.SaveRole(w.ctx, sc, "fangan", bigger), "account.beyond")
		w.refused(w.accounts.SetRoles(w.ctx, chief, "chief", "fangan", []string{"finance"}), "account.own_roles")
		w.refused(w.accounts.SaveRole(w.ctx, chief, "fangan", account.Role{Code: "hr2", Name: "人事"}), "account.role_name_taken")
		puppet, err := w.accounts.Invite(w.ctx, sc, account.InviteInput{Login: "puppet", Name: "P", Roles: []string{"hr"}})
		w.must(err)
		w.refused(w.accounts.DeleteRoleFor(w.ctx, chief, "fangan", "hr", ""), "account.role_held")
		w.must(w.accounts.DeleteRoleFor(w.ctx, chief, "fangan", "hr", "finance"))
		if got := w.scope(puppet.Person, "fangan"); got.Has(scope.ItemStaffChange) || !got.Has(scope.ItemBillView) {
			t.Errorf("after the role was replaced: %v", got.Held())
		}
	})
}

func TestCustomerContacts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db).cast()
		boss := w.person("fangan", "chief", "admin")
		chief := w.scope(boss, "fangan")
		names := func() []string {
			list, err := w.accounts.Contacts(w.ctx, w.org["fangan"].ID)
			w.must(err)
			var out []string
			for _, p := range list {
				out = append(out, p.Login)
			}
			return out
		}
		if got := names(); !slices.Equal(got, []string{"chief"}) {
			t.Errorf("without any contact: %v", got)
		}
		var last account.Person
		for _, login := range []string{"a1", "a2", "a3", "a4", "a5"} {
			last = w.person("fangan", login, "finance")
			w.must(w.accounts.SetCustomerContact(w.ctx, chief, last.ID, true))
			w.must(w.accounts.SetCustomerContact(w.ctx, chief, last.ID, true))
		}
		w.refused(w.accounts.SetCustomerContact(w.ctx, chief, boss.ID, true), "account.contacts_full")
		w.must(w.accounts.Disable(w.ctx, chief, "a5"))
		w.refused(w.accounts.SetCustomerContact(w.ctx, chief, last.ID, true), "account.disabled")
		w.must(w.accounts.SetCustomerContact(w.ctx, chief, boss.ID, true))
		if got := names(); !slices.Equal(got, []string{"a1", "a2", "a3", "a4", "chief"}) {
			t.Errorf("%v", got)
		}
	})
}

func TestReach(t *testing.T) {
	for _, c := range []struct {
		side          scope.Side
		before, after []string
		reach         account.Reach
		widens        bool
	}{
		{scope.SidePartner, nil, []string{"manager"}, account.ReachOwn, false},
		{scope.SidePartner, nil, []string{"supervisor"}, account.ReachTeam, false},
		{scope.SidePartner, nil, []string{"manager", "finance"}, account.ReachAll, true},
		{scope.SidePartner, []string{"manager"}, []string{"manager", "finance"}, account.ReachAll, true},
		{scope.SidePartner, []string{"supervisor"}, []string{"supervisor", "night"}, account.ReachAll, true},
		{scope.SidePartner, []string{"manager", "finance"}, []string{"manager", "night"}, account.ReachAll, false},
		{scope.SidePartner, []string{"manager"}, []string{"finance"}, account.ReachAll, false},
		{scope.SidePartner, []string{"manager", "finance"}, []string{"manager"}, account.ReachOwn, false},
		{scope.SideVendor, []string{"finance"}, []string{"finance", "auditor"}, account.ReachOrg, false},
	} {
		if got := account.ReachOf(c.side, c.after); got != c.reach {
			t.Errorf("%v: %s", c.after, got)
		}
		if got := account.Widens(c.side, c.before, c.after); got != c.widens {
			t.Errorf("%v to %v: %v", c.before, c.after, got)
		}
	}
}
