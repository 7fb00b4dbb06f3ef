package e2e

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"huoban/internal/account"
	"huoban/internal/customer"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/sso"
	"huoban/internal/sso/metadata"
	"huoban/internal/sso/registry"
	"huoban/internal/sso/samltest"
)

// TestHostedInBrowser: from the page of a hosted platform to a console on another host that, as many do, takes the
// answer at one address and leads on to another site; and again from the console, without a question.
func TestHostedInBrowser(t *testing.T) {
	browser := chromium(t)
	w, _, base := jumpWorld(t)
	ctx, op := w.asTest(), scope.System("operator")
	inside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `<!doctype html><title>console</title><p id="inside">inside</p>`)
	}))
	t.Cleanup(inside.Close)
	var reg sso.Registration
	door := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if text, err := base64.StdEncoding.DecodeString(r.PostFormValue("SAMLResponse")); r.Method == http.MethodPost {
			if err != nil || !strings.Contains(string(text), "status:Success") {
				t.Errorf("the console is told %q, %v", text, err)
			}
			http.Redirect(rw, r, inside.URL, http.StatusFound)
			return
		}
		out, err := sso.BuildAuthnRequest(reg, sso.Request{ID: sso.NewMessageID(), RelayID: "relay"}, w.app.Clock.Now())
		if err != nil {
			t.Error(err)
		}
		http.Redirect(rw, r, out.URL, http.StatusFound)
	}))
	t.Cleanup(door.Close)

	partner, err := w.app.Organisations.ByCode(ctx, op, "P1")
	if err != nil {
		t.Fatal(err)
	}
	row, err := w.app.Platforms.Host(ctx, op, partner.ID)
	if err != nil {
		t.Fatal(err)
	}
	host, _, err := w.app.Platforms.HostEntity(ctx, row.Key)
	if err != nil {
		t.Fatal(err)
	}
	idp := &samltest.IdP{EntityID: host.EntityID, SSO: host.SSO, SLO: host.SLO, Key: host.Keys[0].Private, CertDER: host.Keys[0].CertDER}
	reg = idp.Registration("console", door.URL, today)
	reg.SSOBinding = sso.BindingRedirect
	body, err := metadata.Build(metadata.Ours{Role: metadata.RoleSP, EntityID: reg.EntityID, Addresses: []string{door.URL + "/acs"}, Keys: reg.Keys, SignRequests: true}, today, true)
	if err != nil {
		t.Fatal(err)
	}
	reg.ACS = door.URL + "/acs"
	if _, _, err := w.app.Platforms.AddConsole(ctx, op, registry.ConsoleInput{PartnerID: partner.ID, Metadata: body, Name: "云控制台", NameIDFormat: sso.NameIDTransient, Attributes: []sso.Release{{Name: "name", Field: "name"}}}); err != nil {
		t.Fatal(err)
	}
	org, err := w.app.Organisations.Add(ctx, op, organisation.AddInput{Code: "C1", Kind: organisation.KindCustomer, Name: "星河科技（上海）有限公司"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.app.Customers.Associate(ctx, op, customer.AssociateInput{CustomerID: org.Organisation.ID, PartnerID: partner.ID, Kind: customer.KindResale, From: today.AddDate(0, -1, 0)}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.app.Accounts.AddPerson(ctx, op, account.AddPersonInput{OrgCode: "C1", Login: "xinghe", Name: "李雷", Password: "Huoban-test-2026", Roles: []string{account.RoleAdmin}, KeepPassword: true}); err != nil {
		t.Fatal(err)
	}

	b := newTab(t, browser, base, phone)
	b.open("/platform/P1")
	b.truth(`(() => { const f = document.querySelector('form[action="/platform/P1/login"]'); f.username.value = 'xinghe'; f.password.value = 'Huoban-test-2026'; f.querySelector('button[type=submit]').click(); return true; })()`)
	b.until("the choice of consoles", "document.querySelector('form[action*=\"/launch/\"]') && document.readyState === 'complete'")
	b.clean("the choice of consoles")
	b.click("form[action*='/launch/'] button")
	b.until("what is handed over", "document.querySelector('input[name=remember]') && document.readyState === 'complete'")
	b.clean("what is handed over")
	if text := b.text("main"); !strings.Contains(text, org.Organisation.Name) {
		t.Errorf("what is handed over: %s", text)
	}
	if !b.truth("document.querySelector('input[name=remember]').checked") {
		t.Error("the choice is not remembered unless one asks for it")
	}
	b.click("form:has(input[name=remember]) button")
	b.until("inside the console", "document.querySelector('p#inside') && location.origin === '"+inside.URL+"'")
	b.base = door.URL
	b.open("/")
	b.until("inside the console again", "document.querySelector('p#inside') && location.origin === '"+inside.URL+"'")
}
