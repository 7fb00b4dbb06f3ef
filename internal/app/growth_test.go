package app

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"huoban/internal/account"
	"huoban/internal/clock"
	"huoban/internal/customer"
	"huoban/internal/cycle"
	"huoban/internal/fault"
	"huoban/internal/foureyes"
	"huoban/internal/invitation"
	"huoban/internal/organisation"
	"huoban/internal/prospect"
	"huoban/internal/scope"
	"huoban/internal/store/storetest"
)

// growing is a vendor with two partners, on one engine, at a time the test sets.
type growing struct {
	t     *testing.T
	a     *App
	clock *clock.Fixed
	ctx   context.Context
	op    scope.Scope
}

func eachGrowing(t *testing.T, run func(g *growing)) {
	t.Helper()
	for engine, db := range map[string]func(t *testing.T) string{"sqlite": func(*testing.T) string { return "" }, "postgres": func(t *testing.T) string { return storetest.PostgresURL(t) }} {
		t.Run(engine, func(t *testing.T) {
			at := clock.At(time.Date(2026, 10, 15, 6, 30, 0, 0, time.UTC))
			a, err := Open(context.Background(), Settings{Addr: "127.0.0.1:0", BaseURL: "http://localhost", Data: t.TempDir(), DB: db(t)}, Options{Clock: at})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { a.Close() })
			g := &growing{t: t, a: a, clock: at, ctx: context.Background(), op: scope.System("operator")}
			g.org("V", organisation.KindVendor, "")
			for _, p := range []string{"P", "Q"} {
				g.org(p, organisation.KindSolution, "V")
			}
			g.person("V", "v-ops", account.RoleOperations)
			// Without an amount for one person everything needs two.
			for _, kind := range []foureyes.Kind{foureyes.KindQuota, foureyes.KindClaim} {
				if _, err := a.FourEyes.Set(g.ctx, scope.Vendor(g.orgID("V"), "", "v-ops", []scope.Item{scope.ItemLimitChange}), foureyes.SetInput{Kind: kind, Currency: "CNY", Amount: "100000"}); err != nil {
					t.Fatal(err)
				}
			}
			for _, p := range []string{"P", "Q"} {
				g.person(p, p+"-admin", account.RoleAdmin)
				g.person(p, p+"-cm", account.RoleManager)
			}
			run(g)
		})
	}
}

func (g *growing) org(code string, kind organisation.Kind, parent string) {
	g.t.Helper()
	if _, err := g.a.Organisations.Add(g.ctx, g.op, organisation.AddInput{Code: code, Kind: kind, Name: code + " Ltd", ParentCode: parent}); err != nil {
		g.t.Fatal(err)
	}
}

func (g *growing) person(org, login, role string) {
	g.t.Helper()
	_, err := g.a.Accounts.AddPerson(g.ctx, g.op, account.AddPersonInput{OrgCode: org, Login: login, Phone: "010-5550 1234", Email: login + "@a.example", Roles: []string{role},
		Password: "Huoban-test-2026", KeepPassword: true})
	if err != nil {
		g.t.Fatal(err)
	}
}

func (g *growing) as(login string) scope.Scope {
	g.t.Helper()
	_, sc, err := g.a.Operator(g.ctx, login, "test")
	if err != nil {
		g.t.Fatal(err)
	}
	return sc
}

func (g *growing) later(d time.Duration) {
	g.t.Helper()
	g.clock.Set(g.clock.Now().Add(d))
	if _, err := g.a.timer().Tick(g.ctx); err != nil {
		g.t.Fatal(err)
	}
}

func (g *growing) details(n int) prospect.Details {
	return prospect.Details{Kind: prospect.KindCompany, Name: fmt.Sprintf("客户 %d", n), Phone: fmt.Sprintf("138%08d", n), Email: fmt.Sprintf("c%d@c.example", n), Relation: customer.KindResale}
}

func (g *growing) file(login string, d prospect.Details) (prospect.Prospect, error) {
	return g.a.Prospects.File(g.ctx, g.as(login), prospect.FileInput{Details: d, Submit: true})
}

func (g *growing) registered(login string, d prospect.Details) prospect.Prospect {
	g.t.Helper()
	p, err := g.file(login, d)
	if err == nil {
		p, err = g.a.Prospects.Do(g.ctx, g.as("v-ops"), p.ID, prospect.ActionApprove, "")
	}
	if err != nil {
		g.t.Fatal(err)
	}
	return p
}

func (g *growing) state(p prospect.Prospect) prospect.State {
	g.t.Helper()
	now, err := g.a.Prospects.Find(g.ctx, g.op, p.ID)
	if err != nil {
		g.t.Fatal(err)
	}
	return now.State
}

func (g *growing) refused(what string, err error, code string) {
	g.t.Helper()
	if !fault.HasCode(err, code) {
		g.t.Errorf("%s: want %s, got %v", what, code, err)
	}
}

// TestRegistrationsExclude: fifteen days to the second, nobody else meanwhile, and no word about who it was.
func TestRegistrationsExclude(t *testing.T) {
	eachGrowing(t, func(g *growing) {
		first := g.registered("P-cm", g.details(1))
		var words []string
		for what, d := range map[string]prospect.Details{"name": {Kind: prospect.KindCompany, Name: "客户　１", Phone: "13900000001", Relation: customer.KindResale},
			"phone":  {Kind: prospect.KindPerson, Name: "他", Phone: "+86 138-0000-0001", Relation: customer.KindReferral},
			"e-mail": {Kind: prospect.KindPerson, Name: "她", Phone: "13900000002", Email: "C1@c.example", Relation: customer.KindReferral}} {
			_, err := g.file("Q-cm", d)
			g.refused("the same "+what, err, "prospect.taken")
			var f *fault.Error
			if errors.As(err, &f) {
				words = append(words, f.Error())
			}
		}
		for _, w := range words {
			if w != words[0] {
				t.Errorf("the answers differ: %q, %q", words[0], w)
			}
		}
		_, err := g.file("P-admin", g.details(1))
		g.refused("the own one again", err, "prospect.duplicate")
		if _, err := g.a.Prospects.Find(g.ctx, g.as("Q-admin"), first.ID); !fault.Is(err, fault.KindNotFound) {
			t.Errorf("another partner finds it: %v", err)
		}
		if _, err := g.a.Prospects.Find(g.ctx, g.as("P-admin"), first.ID); err != nil {
			t.Error(err)
		}
		if got, want := first.ExpiresAt.In(cycle.Zone).Format("2006-01-02 15:04:05"), "2026-10-30 14:30:00"; got != want {
			t.Errorf("it ends %s, want %s", got, want)
		}
		g.later(15*24*time.Hour - time.Second)
		if s := g.state(first); s != prospect.StateRegistered {
			t.Errorf("a second before: %s", s)
		}
		g.later(time.Second)
		if s := g.state(first); s != prospect.StateLapsed {
			t.Errorf("at the end: %s", s)
		}
		if _, err = g.file("Q-cm", g.details(1)); err != nil {
			t.Errorf("after it lapsed: %v", err)
		}
		_, err = g.a.Prospects.Do(g.ctx, g.as("P-cm"), first.ID, prospect.ActionSubmit, "")
		g.refused("the first again", err, "prospect.taken")
	})
}

// TestRegistrationsAreFew: the hundredth passes, the next is refused, and one that ends makes room.
func TestRegistrationsAreFew(t *testing.T) {
	eachGrowing(t, func(g *growing) {
		sc := g.as("P-admin")
		var last prospect.Prospect
		for n := range prospect.MaxOpen {
			p, err := g.a.Prospects.File(g.ctx, sc, prospect.FileInput{Details: g.details(n), Submit: true})
			if err != nil {
				t.Fatalf("%d: %v", n, err)
			}
			last = p
		}
		_, err := g.file("P-cm", g.details(500))
		g.refused("one more", err, "prospect.too_many")
		if _, err := g.file("Q-cm", g.details(501)); err != nil {
			t.Errorf("of another partner: %v", err)
		}
		if _, err := g.a.Prospects.Do(g.ctx, g.as("v-ops"), last.ID, prospect.ActionRefuse, "已由直销跟进"); err != nil {
			t.Fatal(err)
		}
		if _, err := g.file("P-cm", g.details(500)); err != nil {
			t.Errorf("after one was refused: %v", err)
		}
	})
}

// TestContactOnFile: a partner nobody could ask back registers nothing.
func TestContactOnFile(t *testing.T) {
	eachGrowing(t, func(g *growing) {
		for _, login := range []string{"P-admin", "P-cm"} {
			if err := g.a.Accounts.SetContact(g.ctx, g.op, login, account.Contact{Name: login, Phone: "010-5550 1234"}); err != nil {
				t.Fatal(err)
			}
		}
		_, err := g.file("P-cm", g.details(1))
		g.refused("without e-mail", err, "prospect.contact_missing")
	})
}

func (g *growing) invite(login string, p *prospect.Prospect) (invitation.Invitation, string) {
	g.t.Helper()
	in := invitation.InviteInput{Relation: customer.KindReferral, Channel: invitation.ChannelLink}
	if p != nil {
		in.ProspectIDs = []string{p.ID}
	}
	made, err := g.a.Invitations.Invite(g.ctx, g.as(login), in)
	if err != nil {
		g.t.Fatal(err)
	}
	return made[0], g.a.Invitations.Token(&made[0])
}

func (g *growing) register(token string, d prospect.Details, login string) (invitation.Joined, error) {
	return g.a.Invitations.Register(g.ctx, invitation.RegisterInput{Token: token, Company: d.Name, Name: "王", Phone: d.Phone, Email: d.Email, Login: login, Password: "Huoban-test-2026", Consent: true})
}

// TestConsentAssociates: the customer belongs to the partner from the moment it consents, in the care of the 客户经理 who
// invited it; the link opens once, and what was registered came true.
func TestConsentAssociates(t *testing.T) {
	eachGrowing(t, func(g *growing) {
		p := g.registered("P-cm", g.details(1))
		i, token := g.invite("P-cm", &p)
		g.later(90 * time.Minute)
		wrong := g.details(1)
		wrong.Phone = "13812345678"
		_, err := g.register(token, wrong, "newcomer")
		g.refused("another phone", err, "invitation.refused")
		joined, err := g.register(token, g.details(1), "newcomer")
		if err != nil {
			t.Fatal(err)
		}
		now := g.clock.Now()
		list, err := g.a.Customers.Of(g.ctx, joined.Organisation.ID)
		if err != nil || len(list) != 1 || !list[0].From.Equal(now) || list[0].Kind != customer.KindReferral || list[0].State != customer.StateActive {
			t.Errorf("association %+v %v", list, err)
		}
		r, err := g.a.Customers.Record(g.ctx, g.as("P-admin"), joined.Organisation.ID)
		if err != nil || r.Manager.Login != "P-cm" || !r.Managed.Equal(now) {
			t.Errorf("in the care of %+v since %v, %v", r.Manager, r.Managed, err)
		}
		if s := g.state(p); s != prospect.StateAssociated {
			t.Errorf("the registration is %s", s)
		}
		tries, err := g.a.Invitations.Tries(g.ctx, &i)
		if err != nil || len(tries) != 2 || tries[0].Reason != "" || tries[1].Reason != invitation.ReasonPhoneDiffers {
			t.Errorf("tries %+v %v", tries, err)
		}
		if _, err := g.a.Invitations.Open(g.ctx, token); !fault.HasCode(err, "invitation.link_over") {
			t.Errorf("the used link opens: %v", err)
		}
		if _, err := g.a.Organisations.ByID(g.ctx, g.as("v-ops"), joined.Organisation.ID); err != nil {
			t.Errorf("the vendor does not know its customer: %v", err)
		}
		_, other := g.invite("Q-cm", nil)
		_, err = g.a.Invitations.Join(g.ctx, joined.Person, other, true)
		g.refused("a second partner", err, "invitation.refused")
		if n := len(fault.From(err).Reason); n != 1 || fault.From(err).Reason[0].Code != "invitation.other_partner" {
			t.Errorf("reasons %v", err)
		}
	})
}

// TestLinksEnd: seven days, then all the same as a link that never was; sent again it is another.
func TestLinksEnd(t *testing.T) {
	eachGrowing(t, func(g *growing) {
		p := g.registered("P-cm", g.details(1))
		i, token := g.invite("P-cm", &p)
		g.later(7*24*time.Hour - time.Second)
		if _, err := g.a.Invitations.Open(g.ctx, token); err != nil {
			t.Errorf("a second before: %v", err)
		}
		g.later(time.Second)
		_, over := g.a.Invitations.Open(g.ctx, token)
		_, never := g.a.Invitations.Open(g.ctx, "nothing-like-it")
		if fault.From(over).Error() != fault.From(never).Error() || !fault.Is(over, fault.KindNotFound) {
			t.Errorf("over %v, never was %v", over, never)
		}
		i, err := g.a.Invitations.Find(g.ctx, g.as("P-cm"), i.ID)
		if err != nil || i.State != invitation.StateExpired || i.Reason != invitation.ReasonLinkExpired || !i.Reason.Again() {
			t.Errorf("%s %s %v", i.State, i.Reason, err)
		}
		if _, err := g.a.Invitations.Find(g.ctx, g.as("Q-admin"), i.ID); !fault.Is(err, fault.KindNotFound) {
			t.Errorf("another partner finds it: %v", err)
		}
		if i, err = g.a.Invitations.Do(g.ctx, g.as("P-cm"), i.ID, invitation.ActionResend); err != nil {
			t.Fatal(err)
		}
		anew := g.a.Invitations.Token(&i)
		if _, err := g.a.Invitations.Open(g.ctx, token); !fault.Is(err, fault.KindNotFound) || anew == token {
			t.Errorf("the old link: %v", err)
		}
		if _, err := g.register(anew, g.details(1), "newcomer"); err != nil {
			t.Error(err)
		}
	})
}

// TestGeneralLink: many customers, but only new ones, and nobody whom another partner registered.
func TestGeneralLink(t *testing.T) {
	eachGrowing(t, func(g *growing) {
		i, token := g.invite("P-admin", nil)
		var first invitation.Joined
		for n := range 2 {
			var err error
			if first, err = g.register(token, g.details(10+n), fmt.Sprintf("new%d", n)); err != nil {
				t.Fatal(err)
			}
		}
		if i, err := g.a.Invitations.Find(g.ctx, g.op, i.ID); err != nil || i.Joined != 2 || i.State != invitation.StateSent {
			t.Errorf("%+v %v", i, err)
		}
		if r, err := g.a.Customers.Record(g.ctx, g.as("P-admin"), first.Organisation.ID); err != nil || r.Manager.ID != "" {
			t.Errorf("invited by an administrator, in the care of %+v, %v", r, err)
		}
		g.registered("Q-cm", g.details(20))
		_, err := g.register(token, g.details(20), "new20")
		g.refused("registered by another", err, "invitation.refused")
		_, err = g.register(token, g.details(30), "P-admin")
		g.refused("a login that is taken", err, "invitation.login_refused")
		_, err = g.register(token, g.details(30), "no good login")
		g.refused("a login that cannot be", err, "invitation.login_refused")

		g.org("OLD", organisation.KindCustomer, "")
		g.person("OLD", "old-admin", account.RoleAdmin)
		old, err := g.a.Accounts.PersonByLogin(g.ctx, "old-admin")
		if err != nil {
			t.Fatal(err)
		}
		g.later(7*24*time.Hour + time.Second)
		_, token = g.invite("P-admin", nil)
		_, err = g.a.Invitations.Join(g.ctx, old, token, true)
		if f := fault.From(err); f.Code != "invitation.refused" || f.Reason[0].Code != "invitation.account_old" {
			t.Errorf("an old account: %v", err)
		}
		_, err = g.a.Invitations.Join(g.ctx, old, token, false)
		g.refused("without consent", err, "invitation.consent_missing")
		cm, err := g.a.Accounts.PersonByLogin(g.ctx, "Q-admin")
		if err != nil {
			t.Fatal(err)
		}
		_, err = g.a.Invitations.Join(g.ctx, cm, token, true)
		if f := fault.From(err); f.Code != "invitation.refused" || f.Reason[0].Code != "invitation.is_partner" {
			t.Errorf("a partner as customer: %v", err)
		}
	})
}
