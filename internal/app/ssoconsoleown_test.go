package app

import (
	"testing"
	"time"

	"huoban/internal/account"
	"huoban/internal/fault"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/sso"
	"huoban/internal/sso/metadata"
	"huoban/internal/sso/registry"
	"huoban/internal/sso/samltest"
)

// deskOf is the scope of a vendor's staff who look after consoles.
func deskOf(org organisation.Organisation, items ...scope.Item) scope.Scope {
	return scope.Vendor(org.ID, "person-"+org.Code, "desk-"+org.Code, items)
}

func (p *hall) vendor() organisation.Organisation {
	p.t.Helper()
	v, err := p.Organisations.ByCode(p.t.Context(), p.op, "V1")
	if err != nil {
		p.t.Fatal(err)
	}
	return v
}

// TestConsoleWarnings: who looks after a console, and the partner whose customers alone go there, hear of a certificate
// that ends, each time once; a replica that comes second tells nobody.
func TestConsoleWarnings(t *testing.T) {
	eachHall(t, func(t *testing.T, p *hall) {
		ctx, v := t.Context(), p.vendor()
		unread := map[string]scope.Scope{}
		for _, org := range []organisation.Organisation{v, p.one, p.two} {
			who, err := p.Accounts.AddPerson(ctx, p.op, account.AddPersonInput{OrgCode: org.Code, Login: "lin-" + org.Code, Name: "Lin", Password: "Huoban-test-2026", Roles: []string{account.RoleAdmin}})
			if err != nil {
				t.Fatal(err)
			}
			unread[org.Code] = scope.Partner(org.ID, who.Person.ID, "lin", nil, nil)
		}
		idp := samltest.NewIdP("one", jumpDay)
		in := registry.ConsoleInput{Metadata: consoleDocument("https://console.example/sp", "https://console.example/acs", idp), PartnerID: p.one.ID, Name: "控制台"}
		if _, _, err := p.Platforms.AddConsole(ctx, p.op, in); err != nil {
			t.Fatal(err)
		}
		end, told := jumpDay.AddDate(0, 6, 0), 0
		for _, days := range []int{61, 60, 60, 59, 31, 30, 8, 7, 3, 1, 1} {
			p.now.Set(end.Add(-time.Duration(days)*24*time.Hour - time.Minute))
			n, err := p.Platforms.Warn(ctx)
			if err != nil {
				t.Fatal(err)
			}
			told += n
		}
		if told != 6 {
			t.Errorf("told %d times, want 6", told)
		}
		for code, want := range map[string]int64{v.Code: 6, p.one.Code: 6, p.two.Code: 0} {
			if n, err := p.Messages.Unread(ctx, unread[code]); err != nil || n != want {
				t.Errorf("%s: %d messages, want %d: %v", code, n, want, err)
			}
		}
		if _, err := p.Platforms.DisableConsole(ctx, p.op, "https://console.example/sp", "moved"); err != nil {
			t.Fatal(err)
		}
		p.now.Set(end.Add(time.Hour))
		if n, err := p.Platforms.Warn(ctx); err != nil || n != 0 {
			t.Errorf("of one that is disabled: told %d, %v", n, err)
		}
		x, err := p.Platforms.ConsoleStatus(ctx, p.op, "https://console.example/sp")
		if err != nil || x.CertDaysLeft == nil || *x.CertDaysLeft >= 0 || !x.CertEnds.Equal(end) {
			t.Errorf("status %+v: %v", x, err)
		}
	})
}

// TestConsoleStaff: a vendor's staff look after the vendor's own consoles, see the operator's that serve their partners,
// and know of no other's.
func TestConsoleStaff(t *testing.T) {
	eachHall(t, func(t *testing.T, p *hall) {
		ctx, v := t.Context(), p.vendor()
		other := p.add(organisation.AddInput{Code: "V2", Kind: organisation.KindVendor, Name: "Other"})
		mine, theirs := deskOf(v, scope.ItemConsoleView, scope.ItemConsoleChange), deskOf(other, scope.ItemConsoleView, scope.ItemConsoleChange)
		looks := deskOf(v, scope.ItemConsoleView)
		a, b := samltest.NewIdP("one", jumpDay), samltest.NewIdP("two", jumpDay)
		file := func(name string, certs ...*samltest.IdP) []byte {
			return consoleDocument("https://"+name+".example/sp", "https://"+name+".example/acs", certs...)
		}
		refused := func(what string, err error, code string) {
			t.Helper()
			if !fault.HasCode(err, code) {
				t.Errorf("%s: %v, want %s", what, err, code)
			}
		}
		_, _, err := p.Platforms.AddConsole(ctx, looks, registry.ConsoleInput{Metadata: file("a", a), PartnerID: p.one.ID})
		refused("registered by who only looks", err, "scope.permission_missing")
		_, _, err = p.Platforms.AddConsole(ctx, theirs, registry.ConsoleInput{Metadata: file("a", a), PartnerID: p.one.ID})
		refused("for a partner of another vendor", err, "organisation.unknown")
		own, _, err := p.Platforms.AddConsole(ctx, mine, registry.ConsoleInput{Metadata: file("a", a), PartnerID: p.one.ID, Name: "甲"})
		if err != nil || own.VendorID != v.ID {
			t.Fatal(own.VendorID, err)
		}
		if same, _, err := p.Platforms.AddConsole(ctx, mine, registry.ConsoleInput{Metadata: file("a", a), PartnerID: p.one.ID}); err != nil || same.ID != own.ID || same.Version != own.Version {
			t.Errorf("the same again: %+v, %v", same, err)
		}
		_, _, err = p.Platforms.AddConsole(ctx, theirs, registry.ConsoleInput{Metadata: file("a", b)})
		refused("another vendor's", err, "sso.reg.console_taken")
		_, err = p.Platforms.FindConsole(ctx, theirs, own.ID)
		refused("found by another vendor", err, "sso.reg.console_unknown")
		_, err = p.Platforms.DisableConsole(ctx, looks, own.ID, "")
		refused("disabled by who only looks", err, "scope.permission_missing")
		_, err = p.Platforms.Consoles(ctx, admin(p.one))
		refused("listed by a partner", err, "sso.reg.operator_only")

		// The operator's for everybody is seen, and not changed, by each vendor.
		all, _, err := p.Platforms.AddConsole(ctx, p.op, registry.ConsoleInput{Metadata: file("all", a)})
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = p.Platforms.AddConsole(ctx, mine, registry.ConsoleInput{Metadata: file("all", b)})
		refused("the operator's anew", err, "sso.reg.console_foreign")
		_, err = p.Platforms.EnableConsole(ctx, theirs, all.ID)
		refused("the operator's enabled", err, "sso.reg.console_foreign")
		for what, c := range map[string]struct {
			sc   scope.Scope
			want int
		}{"its vendor": {looks, 2}, "another vendor": {theirs, 1}, "the operator": {p.op, 2}} {
			if list, err := p.Platforms.ConsoleStatuses(ctx, c.sc); err != nil || len(list) != c.want {
				t.Errorf("%s sees %d, want %d: %v", what, len(list), c.want, err)
			}
		}
		p.consoleChanges(mine, own, a, b)

		// One of a vendor for every partner serves those who deal with that vendor.
		foreign, _, err := p.Platforms.AddConsole(ctx, theirs, registry.ConsoleInput{Metadata: file("foreign", a)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Platforms.Host(ctx, p.op, p.one.ID); err != nil {
			t.Fatal(err)
		}
		h, ok, err := p.Platforms.HostEntityOf(ctx, p.one.ID)
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		if err := h.Serves(foreign.Console, p.now.Now()); sso.RefusalOf(err) == nil {
			t.Errorf("a console of a vendor the partner does not deal with: %v", err)
		}
		if err := h.Serves(all.Console, p.now.Now()); err != nil {
			t.Errorf("the operator's for everybody: %v", err)
		}
	})
}

// consoleChanges: settings, document and state of one console.
func (p *hall) consoleChanges(sc scope.Scope, own registry.Console, a, b *samltest.IdP) {
	t, ctx := p.t, p.t.Context()
	t.Helper()
	set := registry.ConsoleSettings{Name: "乙", NameIDFormat: sso.NameIDTransient, Encrypt: sso.EncryptRequired, RequireSigned: true, Attributes: []sso.Release{{Name: "acc", Field: "xAccountId"}}}
	x, _, err := p.Platforms.SetConsole(ctx, sc, own.ID, set)
	if err != nil || x.Name != "乙" || !x.RequireSigned || x.Encrypt != sso.EncryptRequired || len(x.Attributes) != 1 || len(x.Certs) != 1 {
		t.Fatalf("settings: %+v, %v", x, err)
	}
	set.Attributes, set.RequireSigned = nil, false
	if x, _, err = p.Platforms.SetConsole(ctx, sc, own.ID, set); err != nil || x.RequireSigned || len(x.Attributes) != 0 {
		t.Fatalf("taken back: %+v, %v", x, err)
	}
	if _, _, err := p.Platforms.SetConsole(ctx, sc, own.ID, registry.ConsoleSettings{NameIDFormat: sso.NameIDTransient, Encrypt: sso.EncryptOff, Attributes: []sso.Release{{Name: "x", Field: "password"}}}); !fault.HasCode(err, "sso.reg.attribute") {
		t.Errorf("a field there is not: %v", err)
	}
	if _, err := p.Platforms.ReplaceConsole(ctx, sc, own.ID, consoleDocument("https://b.example/sp", "https://b.example/acs", b), ""); !fault.HasCode(err, "sso.md.entity_absent") {
		t.Errorf("another entity's document: %v", err)
	}
	if _, err := p.Platforms.RefreshConsole(ctx, sc, own.ID); !fault.HasCode(err, "sso.reg.no_url") {
		t.Errorf("one from a file is fetched: %v", err)
	}
	if _, err := p.Platforms.DisableConsole(ctx, sc, own.ID, "维护"); err != nil {
		t.Fatal(err)
	}
	p.at.body = consoleDocument(own.EntityID, "https://a.example/acs", a)
	x, err = p.Platforms.ReplaceConsole(ctx, sc, own.ID, nil, "https://a.example/metadata")
	if err != nil || x.State != sso.StateDisabled || x.Source != registry.SourceURL || x.Name != "乙" {
		t.Fatalf("a document from an address: %+v, %v", x, err)
	}
	if x, err = p.Platforms.EnableConsole(ctx, sc, own.ID); err != nil || x.State != sso.StateActive {
		t.Fatal(x.State, err)
	}
	p.at.body = consoleDocument(own.EntityID, "https://a.example/acs", b)
	taken, err := p.Platforms.RefreshConsole(ctx, sc, own.ID)
	if err != nil || taken.Effect != metadata.EffectPending || taken.Code != metadata.CodeKeyJump {
		t.Fatalf("all keys new: %+v, %v", taken, err)
	}
	if again, err := p.Platforms.RefreshConsole(ctx, sc, own.ID); err != nil || again.Document != taken.Document {
		t.Errorf("the same again: %+v, %v", again, err)
	}
	x, err = p.Platforms.ConfirmConsole(ctx, sc, own.ID, taken.Document)
	if err != nil || len(x.Certs) != 1 || x.Certs[0].Fingerprint != registry.Fingerprint(b.CertDER) {
		t.Fatalf("confirmed: %+v, %v", x, err)
	}
	if _, err := p.Platforms.ConfirmConsole(ctx, sc, own.ID, taken.Document); !fault.HasCode(err, "sso.md.not_pending") {
		t.Errorf("confirmed twice: %v", err)
	}
	if again, err := p.Platforms.RefreshConsole(ctx, sc, own.ID); err != nil || again.Effect != metadata.EffectNothing {
		t.Errorf("after it: %+v, %v", again, err)
	}
}
