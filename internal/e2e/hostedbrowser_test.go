package e2e

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"huoban/internal/account"
	"huoban/internal/clock"
	"huoban/internal/customer"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/sso"
	"huoban/internal/sso/metadata"
	"huoban/internal/sso/registry"
	"huoban/internal/sso/samltest"
)

// gate is a console on a host of its own that, as many do, takes the answer at one address and leads on to another
// site, and answers the question to leave.
type gate struct {
	t      *testing.T
	reg    sso.Registration
	now    clock.Clock
	inside string
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var out sso.Outgoing
	var err error
	switch {
	case r.Method == http.MethodPost:
		text, err := base64.StdEncoding.DecodeString(r.PostFormValue("SAMLResponse"))
		if err != nil || !strings.Contains(string(text), "status:Success") {
			g.t.Errorf("the console is told %q, %v", text, err)
		}
		http.Redirect(w, r, g.inside, http.StatusFound)
		return
	case r.URL.Path == "/slo":
		m := requestID.FindSubmatch((&salesPlatform{t: g.t}).inflated(r.FormValue("SAMLRequest")))
		if m == nil {
			g.t.Error("a logout without ID")
			return
		}
		us := sso.Partner{OurEntityID: g.reg.EntityID, Keys: g.reg.Keys, EntityID: g.reg.IdPEntityID, SLO: g.reg.SLOURL, Binding: sso.BindingRedirect}
		out, err = sso.BuildLogoutResponse(us, string(m[1]), r.FormValue("RelayState"), false, g.now.Now())
	default:
		out, err = sso.BuildAuthnRequest(g.reg, sso.Request{ID: sso.NewMessageID(), RelayID: "relay"}, g.now.Now())
	}
	if err != nil {
		g.t.Error(err)
	}
	http.Redirect(w, r, out.URL, http.StatusFound)
}

// newGate registers a console for the customers of a partner.
func newGate(t *testing.T, w *world, partner organisation.Organisation) (door, inside string) {
	t.Helper()
	ctx, op := w.asTest(), scope.System("operator")
	behind := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `<!doctype html><title>console</title><p id="inside">inside</p>`)
	}))
	t.Cleanup(behind.Close)
	g := &gate{t: t, now: w.app.Clock, inside: behind.URL}
	srv := httptest.NewServer(g)
	t.Cleanup(srv.Close)
	row, err := w.app.Platforms.Host(ctx, op, partner.ID)
	if err != nil {
		t.Fatal(err)
	}
	host, _, err := w.app.Platforms.HostEntity(ctx, row.Key)
	if err != nil {
		t.Fatal(err)
	}
	idp := &samltest.IdP{EntityID: host.EntityID, SSO: host.SSO, SLO: host.SLO, Key: host.Keys[0].Private, CertDER: host.Keys[0].CertDER}
	g.reg = idp.Registration("console", srv.URL, today)
	g.reg.SSOBinding, g.reg.ACS = sso.BindingRedirect, srv.URL+"/acs"
	in := registry.ConsoleInput{PartnerID: partner.ID, Name: "云控制台", NameIDFormat: sso.NameIDTransient, Attributes: []sso.Release{{Name: "name", Field: "name"}}}
	in.Metadata, err = metadata.Build(metadata.Ours{Role: metadata.RoleSP, EntityID: g.reg.EntityID, Addresses: []string{g.reg.ACS}, SLO: srv.URL + "/slo", Keys: g.reg.Keys, SignRequests: true}, today, true)
	if err == nil {
		_, _, err = w.app.Platforms.AddConsole(ctx, op, in)
	}
	if err != nil {
		t.Fatal(err)
	}
	return srv.URL, behind.URL
}

// buyer makes a customer of a partner with one person.
func (w *world) buyer(t *testing.T, partner organisation.Organisation, code, name, login string) {
	t.Helper()
	ctx, op := w.asTest(), scope.System("operator")
	org, err := w.app.Organisations.Add(ctx, op, organisation.AddInput{Code: code, Kind: organisation.KindCustomer, Name: name})
	if err == nil {
		_, err = w.app.Customers.Associate(ctx, op, customer.AssociateInput{CustomerID: org.Organisation.ID, PartnerID: partner.ID, Kind: customer.KindResale, From: today.AddDate(0, -1, 0)})
	}
	if err == nil {
		_, err = w.app.Accounts.AddPerson(ctx, op, account.AddPersonInput{OrgCode: code, Login: login, Name: "李雷", Password: "Huoban-test-2026", Roles: []string{account.RoleAdmin}, KeepPassword: true})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// login signs a person in at a door.
func (b *tab) login(action, who string) {
	b.t.Helper()
	b.truth(fmt.Sprintf(`(() => { const f = document.querySelector('form[action=%q]'); f.username.value = %q; f.password.value = 'Huoban-test-2026'; f.querySelector('button[type=submit]').click(); return true; })()`, action, who))
}

// TestHostedInBrowser: from the page of a hosted platform to a console on another host; again from the console, without
// a question; and out of both.
func TestHostedInBrowser(t *testing.T) {
	browser := chromium(t)
	w, _, base := jumpWorld(t)
	partner, err := w.app.Organisations.ByCode(w.asTest(), scope.System("operator"), "P1")
	if err != nil {
		t.Fatal(err)
	}
	door, inside := newGate(t, w, partner)
	w.buyer(t, partner, "C1", "星河科技（上海）有限公司", "xinghe")

	b := newTab(t, browser, base, phone)
	b.open("/platform/P1")
	b.login("/platform/P1/login", "xinghe")
	b.until("the choice of consoles", "document.querySelector('form[action*=\"/launch/\"]') && document.readyState === 'complete'")
	b.clean("the choice of consoles")
	b.click("form[action*='/launch/'] button")
	b.until("what is handed over", "document.querySelector('input[name=remember]') && document.readyState === 'complete'")
	b.clean("what is handed over")
	if text := b.text("main"); !strings.Contains(text, "星河科技（上海）有限公司") {
		t.Errorf("what is handed over: %s", text)
	}
	if !b.truth("document.querySelector('input[name=remember]').checked") {
		t.Error("the choice is not remembered unless one asks for it")
	}
	b.click("form:has(input[name=remember]) button")
	b.until("inside the console", "document.querySelector('p#inside') && location.origin === '"+inside+"'")
	b.base = door
	b.open("/")
	b.until("inside the console again", "document.querySelector('p#inside') && location.origin === '"+inside+"'")
	b.base = base
	b.open("/platform/P1")
	b.width(desk)
	b.clean("the choice of consoles on a desk")
	b.click("form[action='/platform/P1/leaving'] button")
	b.until("what was left", "location.pathname.startsWith('/platform/P1/leaving/') && !document.querySelector('[data-send]') && document.readyState === 'complete'")
	if text := b.text("main"); strings.Count(text, "已退出") != 3 || strings.Contains(text, "未能") { // here, and both visits
		t.Errorf("left: %s", text)
	}
	b.clean("left")
	b.width(phone)
	b.clean("left on a phone")
	b.open("/platform/P1")
	b.until("the door again", "document.querySelector('input[name=password]')")
	b.clean("the door again")
}
