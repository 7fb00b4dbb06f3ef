package e2e

import (
	"compress/flate"
	"context"
	"encoding/base64"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"huoban/internal/app"
	"huoban/internal/clock"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/sso"
	"huoban/internal/sso/registry"
	"huoban/internal/sso/samltest"
)

// salesPlatform is a partner's platform on a host of its own: a sign-in page, and a logout address.
type salesPlatform struct {
	t   *testing.T
	idp *samltest.IdP
	reg sso.Registration
	now clock.Clock
}

var requestID = regexp.MustCompile(` ID="([^"]+)"`)

func (s *salesPlatform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	switch {
	case r.URL.Path == "/slo":
		fmt.Fprint(w, "<!doctype html><title>out</title>")
	case r.URL.Path == "/" || r.FormValue("SAMLRequest") == "":
		fmt.Fprintf(w, `<!doctype html><title>shop</title><a id="jump" href="%s">console</a>`, html.EscapeString(s.entry()))
	case r.Method == http.MethodGet:
		fmt.Fprintf(w, `<!doctype html><title>sign in</title><form method="post"><input type="hidden" name="SAMLRequest" value="%s"><input type="hidden" name="RelayState" value="%s">
<button id="in" name="do" value="in">in</button><button id="no" name="do" value="no">no</button></form>`, html.EscapeString(r.FormValue("SAMLRequest")), html.EscapeString(r.FormValue("RelayState")))
	default:
		s.answer(w, r)
	}
}

func (s *salesPlatform) entry() string {
	return strings.TrimSuffix(s.reg.ACS, "/saml/sp/"+s.reg.Key+"/acs") + "/authui/saml/login?xAccountType=" + s.reg.AccountType + "&isFirstLogin=true"
}

func (s *salesPlatform) answer(w http.ResponseWriter, r *http.Request) {
	raw, err := base64.StdEncoding.DecodeString(r.FormValue("SAMLRequest"))
	if err != nil {
		s.t.Error(err)
	}
	text, err := io.ReadAll(flate.NewReader(strings.NewReader(string(raw))))
	m := requestID.FindSubmatch(text)
	if err != nil || m == nil {
		s.t.Errorf("request %q: %v", text, err)
		return
	}
	a := samltest.Answer{IdP: s.idp, Reg: s.reg, Now: s.now.Now(), Request: sso.Request{ID: string(m[1]), RelayID: r.FormValue("RelayState")},
		Attributes: samltest.Attributes("xAccountId", "shop-1", "xUserId", "shop-1", "name", "星河科技", "mobile", "0086-13800000000", "email", "li@example.com")}
	form := a.Form()
	if r.FormValue("do") == "no" {
		form.Set("SAMLResponse", base64.StdEncoding.EncodeToString([]byte(fmt.Sprintf(`<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="%s" Version="2.0" IssueInstant="%s" Destination="%s" InResponseTo="%s"><saml:Issuer>%s</saml:Issuer><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Responder"><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:AuthnFailed"/></samlp:StatusCode></samlp:Status></samlp:Response>`,
			sso.NewMessageID(), samltest.Stamp(s.now.Now()), s.reg.ACS, m[1], s.idp.EntityID))))
	}
	fmt.Fprintf(w, `<!doctype html><title>back</title><form id="back" method="post" action="%s"><input type="hidden" name="SAMLResponse" value="%s"><input type="hidden" name="RelayState" value="%s"><button>go</button></form><script>document.getElementById('back').submit()</script>`,
		html.EscapeString(s.reg.ACS), form.Get("SAMLResponse"), html.EscapeString(form.Get("RelayState")))
}

// jumpWorld is a portal at localhost and a platform at 127.0.0.1, so that their cookies are strangers.
func jumpWorld(t *testing.T) (w *world, shop *httptest.Server, base string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	base = fmt.Sprintf("http://localhost:%d", l.Addr().(*net.TCPAddr).Port)
	w = &world{log: &logbook{}}
	w.app, err = app.Open(context.Background(), app.Settings{Addr: l.Addr().String(), BaseURL: base, Data: t.TempDir()},
		app.Options{Clock: clock.StartingAt(today), Log: slog.New(slog.NewTextHandler(w.log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.app.Close() })
	h, err := w.app.Handler()
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(h)
	srv.Listener.Close()
	srv.Listener = l
	srv.Start()
	t.Cleanup(srv.Close)
	s := &salesPlatform{t: t, idp: samltest.NewIdP("shop", today), now: w.app.Clock}
	shop = httptest.NewServer(s)
	t.Cleanup(shop.Close)
	s.idp.EntityID, s.idp.SSO, s.idp.SLO = shop.URL+"/idp", shop.URL+"/sso", shop.URL+"/slo"
	op := scope.System("operator")
	if _, err := w.app.Organisations.Add(w.asTest(), op, organisation.AddInput{Code: "V1", Kind: organisation.KindVendor, Name: "厂商"}); err != nil {
		t.Fatal(err)
	}
	p, err := w.app.Organisations.Add(w.asTest(), op, organisation.AddInput{Code: "P1", Kind: organisation.KindSolution, Name: "云岫科技", ParentCode: "V1"})
	if err != nil {
		t.Fatal(err)
	}
	added, err := w.app.Platforms.Add(w.asTest(), op, registry.AddInput{PartnerID: p.Organisation.ID, Metadata: s.idp.Metadata(), AccountType: "HB_SHOP", Activate: true})
	if err != nil {
		t.Fatal(err)
	}
	var ok bool
	if s.reg, ok, err = w.app.Platforms.Registration(w.asTest(), added.Platform.Key); err != nil || !ok {
		t.Fatal(ok, err)
	}
	return w, shop, base
}

// TestJumpInBrowser: from the shop's page to the portal and out again, in a browser, across two hosts; a
// customer who cancels at the platform; the pages on the way at both widths, with axe.
func TestJumpInBrowser(t *testing.T) {
	browser := chromium(t)
	_, shop, base := jumpWorld(t)
	click := func(b *tab, selector string) {
		b.t.Helper()
		b.truth(fmt.Sprintf("(() => { document.querySelector(%q).click(); return true; })()", selector))
	}
	visit := func(b *tab, what string) {
		b.t.Helper()
		b.base = shop.URL
		b.open("/")
		click(b, "#jump")
		b.until("the platform's sign-in", "document.querySelector('#no')")
		click(b, what)
		b.base = base
	}
	b := newTab(t, browser, base, phone)
	visit(b, "#no")
	b.until("the page of a cancelled sign-in", "document.querySelector('main dl') && location.origin === '"+base+"'")
	if status := b.status(); status != http.StatusForbidden || !strings.Contains(b.text("h1"), "取消") {
		t.Errorf("cancelled at the platform: %d %s", status, b.text("h1"))
	}
	b.clean("cancelled")
	visit(b, "#in")
	b.until("arrival", "document.querySelector('button[value=create]')")
	b.clean("arrival")
	click(b, "button[value=create]")
	b.until("the question for consent", "document.querySelector('[role=alert], .hb-flash.bad')")
	click(b, "input[name=consent]")
	click(b, "button[value=create]")
	b.until("own consumption", "location.pathname.endsWith('/expenditure') && document.querySelector('.hb-bar a[href$=\"/partner\"]')")
	b.clean("first page")
	click(b, ".hb-bar a[href$='/partner']")
	b.until("my partner", "location.pathname.endsWith('/partner') && document.readyState === 'complete'")
	b.clean("my partner")
	b.width(desk)
	visit(b, "#in") // again, without a question
	b.until("own consumption again", "location.pathname.endsWith('/expenditure') && document.querySelector('.hb-bar a[href=\"/saml/leave\"]')")
	click(b, ".hb-bar a[href='/saml/leave']")
	b.until("the ways out", "document.querySelector('form[action=\"/saml/leave\"]')")
	b.clean("leave")
	b.width(phone)
	b.clean("leave on a phone")
	click(b, "form[action='/saml/leave'] button")
	b.until("the platform's logout", "location.origin === '"+shop.URL+"'")
	b.open("/saml/leave")
	b.until("signed out", "location.pathname === '/login'")
}

// clean: nothing reaches over the side, and axe finds nothing.
func (b *tab) clean(where string) {
	b.t.Helper()
	b.fits(where)
	b.axe(where, "document")
}
