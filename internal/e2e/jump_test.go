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
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"huoban/internal/app"
	"huoban/internal/clock"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/sso"
	"huoban/internal/sso/registry"
	"huoban/internal/sso/samltest"
)

// salesPlatform is a partner's platform on a host of its own: a page to sign in at, and logout from either side.
type salesPlatform struct {
	t    *testing.T
	idp  *samltest.IdP
	reg  sso.Registration
	now  clock.Clock
	auto bool // whoever comes is signed in here already
}

var requestID = regexp.MustCompile(` ID="([^"]+)"`)

func (s *salesPlatform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	switch {
	case r.URL.Path == "/slo":
		s.logout(w, r)
	case r.URL.Path == "/out":
		s.send(w, r, func() (sso.Outgoing, error) {
			return sso.BuildLogoutRequest(s.mirror(), sso.Subject{NameID: sso.NameID{Value: shopper, Format: string(sso.NameIDTransient)}}, sso.NewMessageID(), "out", s.now.Now())
		})
	case r.URL.Path == "/orders":
		fmt.Fprint(w, `<!doctype html><title>orders</title><p id="orders">orders</p>`)
	case r.URL.Path == "/" || r.FormValue("SAMLRequest") == "":
		fmt.Fprintf(w, `<!doctype html><title>shop</title><a id="jump" href="%s">console</a> <a id="orders" href="%s">orders</a> <a id="out" href="/out">out</a>`,
			html.EscapeString(s.entry()), html.EscapeString(s.entry()+"&service="+url.QueryEscape("http://"+r.Host+"/orders")))
	case r.Method == http.MethodGet && !s.auto:
		fmt.Fprintf(w, `<!doctype html><title>sign in</title><form method="post"><input type="hidden" name="SAMLRequest" value="%s"><input type="hidden" name="RelayState" value="%s">
<button id="in" name="do" value="in">in</button><button id="no" name="do" value="no">no</button></form>`, html.EscapeString(r.FormValue("SAMLRequest")), html.EscapeString(r.FormValue("RelayState")))
	default:
		s.answer(w, r)
	}
}

const shopper = "n-shopper"

// mirror is the portal as the platform sees it.
func (s *salesPlatform) mirror() sso.Partner {
	return sso.Partner{OurEntityID: s.idp.EntityID, OurSLO: s.idp.SLO, Keys: []sso.Key{{Use: sso.KeyUseSign, State: sso.KeyStateCurrent, Private: s.idp.Key, CertDER: s.idp.CertDER}},
		EntityID: s.reg.EntityID, SLO: s.reg.SLO, Binding: sso.BindingRedirect}
}

func (s *salesPlatform) send(w http.ResponseWriter, r *http.Request, build func() (sso.Outgoing, error)) {
	out, err := build()
	if err != nil {
		s.t.Error(err)
		return
	}
	http.Redirect(w, r, out.URL, http.StatusFound)
}

// logout takes the portal's wish and answers it, or says that it took the portal's answer.
func (s *salesPlatform) logout(w http.ResponseWriter, r *http.Request) {
	if r.FormValue("SAMLRequest") == "" {
		fmt.Fprintf(w, `<!doctype html><title>out</title><p id="out">%t</p>`, strings.Contains(string(s.inflated(r.FormValue("SAMLResponse"))), "status:Success"))
		return
	}
	m := requestID.FindSubmatch(s.inflated(r.FormValue("SAMLRequest")))
	if m == nil {
		s.t.Error("a logout without ID")
		return
	}
	s.send(w, r, func() (sso.Outgoing, error) {
		return sso.BuildLogoutResponse(s.mirror(), string(m[1]), r.FormValue("RelayState"), false, s.now.Now())
	})
}

func (s *salesPlatform) inflated(message string) []byte {
	raw, err := base64.StdEncoding.DecodeString(message)
	if err != nil {
		s.t.Error(err)
	}
	text, err := io.ReadAll(flate.NewReader(strings.NewReader(string(raw))))
	if err != nil {
		s.t.Error(err)
	}
	return text
}

func (s *salesPlatform) entry() string {
	return strings.TrimSuffix(s.reg.ACS, "/saml/sp/"+s.reg.Key+"/acs") + "/authui/saml/login?xAccountType=" + s.reg.AccountType + "&isFirstLogin=true"
}

func (s *salesPlatform) answer(w http.ResponseWriter, r *http.Request) {
	m := requestID.FindSubmatch(s.inflated(r.FormValue("SAMLRequest")))
	if m == nil {
		s.t.Error("a request without ID")
		return
	}
	a := samltest.Answer{IdP: s.idp, Reg: s.reg, Now: s.now.Now(), Request: sso.Request{ID: string(m[1]), RelayID: r.FormValue("RelayState")}, NameID: shopper,
		Attributes: samltest.Attributes("xAccountId", "shop-1", "xUserId", "shop-1", "name", "星河科技", "mobile", "0086-13800000000", "email", "li@example.com")}
	form := a.Form()
	if r.FormValue("do") == "no" {
		form.Set("SAMLResponse", base64.StdEncoding.EncodeToString([]byte(fmt.Sprintf(`<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="%s" Version="2.0" IssueInstant="%s" Destination="%s" InResponseTo="%s"><saml:Issuer>%s</saml:Issuer><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Responder"><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:AuthnFailed"/></samlp:StatusCode></samlp:Status></samlp:Response>`,
			sso.NewMessageID(), samltest.Stamp(s.now.Now()), s.reg.ACS, m[1], s.idp.EntityID))))
	}
	fmt.Fprintf(w, `<!doctype html><title>back</title><form id="back" method="post" action="%s"><input type="hidden" name="SAMLResponse" value="%s"><input type="hidden" name="RelayState" value="%s"><button>go</button></form><script>document.getElementById('back').submit()</script>`,
		html.EscapeString(s.reg.ACS), form.Get("SAMLResponse"), html.EscapeString(form.Get("RelayState")))
}

// newShop opens a platform on a host of its own.
func newShop(t *testing.T, w *world, name string) (*salesPlatform, *httptest.Server) {
	t.Helper()
	s := &salesPlatform{t: t, idp: samltest.NewIdP(name, today), now: w.app.Clock}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	s.idp.EntityID, s.idp.SSO, s.idp.SLO = srv.URL+"/idp", srv.URL+"/sso", srv.URL+"/slo"
	return s, srv
}

// jumpWorld is a portal at localhost and a platform at 127.0.0.1, so that their cookies are strangers.
func jumpWorld(t *testing.T) (w *world, server *httptest.Server, base string) {
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
	s, shop := newShop(t, w, "shop")
	op := scope.System("operator")
	if _, err := w.app.Organisations.Add(w.asTest(), op, organisation.AddInput{Code: "V1", Kind: organisation.KindVendor, Name: "厂商"}); err != nil {
		t.Fatal(err)
	}
	p, err := w.app.Organisations.Add(w.asTest(), op, organisation.AddInput{Code: "P1", Kind: organisation.KindSolution, Name: "云岫科技", ParentCode: "V1"})
	if err != nil {
		t.Fatal(err)
	}
	added, err := w.app.Platforms.Add(w.asTest(), op, registry.AddInput{PartnerID: p.Organisation.ID, Metadata: s.idp.Metadata(), AccountType: "HB_SHOP", Activate: true, Returns: []string{shop.URL + "/orders"}})
	if err != nil {
		t.Fatal(err)
	}
	var ok bool
	if s.reg, ok, err = w.app.Platforms.Registration(w.asTest(), added.Platform.Key); err != nil || !ok {
		t.Fatal(ok, err)
	}
	return w, shop, base
}

func (b *tab) click(selector string) {
	b.t.Helper()
	b.truth(fmt.Sprintf("(() => { document.querySelector(%q).click(); return true; })()", selector))
}

// TestJumpInBrowser: from the shop's page to the portal, back and in again, and out everywhere from either side, in a
// browser, across two hosts; a customer who cancels at the platform; a browser that keeps its cookies from what other
// sites post; the pages on the way at both widths, with axe.
func TestJumpInBrowser(t *testing.T) {
	browser := chromium(t)
	_, shop, base := jumpWorld(t)
	link := "#orders" // back to the shop, at the first entry
	visit := func(b *tab, what string) {
		b.t.Helper()
		b.base = shop.URL
		b.open("/")
		b.click(link)
		b.until("the platform's sign-in", "document.querySelector('#no')")
		b.base = base
		b.click(what)
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
	b.click("button[value=create]")
	b.until("the question for consent", "document.querySelector('[role=alert], .hb-flash.bad')")
	b.click("input[name=consent]")
	b.click("button[value=create]")
	b.until("the shop's own page", "document.querySelector('p#orders') && location.origin === '"+shop.URL+"'")
	link = "#jump"
	visit(b, "#in")
	b.until("own consumption", "location.pathname.endsWith('/expenditure') && document.querySelector('.hb-bar a[href$=\"/partner\"]')")
	b.clean("first page")
	b.click(".hb-bar a[href$='/partner']")
	b.until("my partner", "location.pathname.endsWith('/partner') && document.readyState === 'complete'")
	b.clean("my partner")
	b.width(desk)
	visit(b, "#in") // again, without a question
	b.until("own consumption again", "location.pathname.endsWith('/expenditure') && document.querySelector('.hb-bar a[href=\"/saml/leave\"]')")
	b.click(".hb-bar a[href='/saml/leave']")
	b.until("the ways out", "document.querySelector('form[action=\"/saml/leave\"]')")
	b.clean("leave")
	b.width(phone)
	b.clean("leave on a phone")
	b.click("form[action='/saml/leave'] button")
	b.until("what was reached", "location.origin === '"+base+"' && location.pathname.endsWith('/slo') && document.readyState === 'complete'")
	if text := b.text("main"); b.status() != http.StatusOK || strings.Count(text, "已退出") != 2 || strings.Contains(text, "未能退出") {
		t.Errorf("left everywhere: %d %s", b.status(), text)
	}
	b.clean("left")
	b.width(desk)
	b.clean("left on a desk")
	b.open("/saml/leave")
	b.until("signed out", "location.pathname === '/login'")
	b.kept(shop.URL)
}

// kept: a browser that keeps its cookies from what other sites post is helped by a page of ours, and goes back to the
// shop's own page; then the customer leaves at the shop.
func (b *tab) kept(shop string) {
	b.t.Helper()
	base := b.base
	b.scripts(false)
	b.base = shop
	b.open("/")
	b.click("#orders")
	b.until("the platform's sign-in", "document.querySelector('#no')")
	b.base = base
	b.strict()
	b.click("#in")
	b.until("the platform's answer", "document.querySelector('#back button') && location.origin === '"+shop+"'")
	b.click("#back button")
	b.until("the page that sends it again", "document.querySelector('form[method=post] input[name=hop]') && location.origin === '"+base+"' && document.readyState === 'complete'")
	b.scripts(true) // the page's own had its time; axe needs them
	b.clean("hop")
	b.width(phone)
	b.clean("hop on a phone")
	b.click("form button")
	b.until("the shop's own page, by a browser that keeps its cookies", "document.querySelector('p#orders') && location.origin === '"+shop+"'")
	b.base = shop
	b.open("/")
	b.click("#out")
	b.until("out at the platform, by its own wish", "document.querySelector('p#out') && location.origin === '"+shop+"'")
	if b.text("p#out") != "true" {
		b.t.Error("the portal's answer is no success")
	}
	b.base = base
	b.open("/saml/leave")
	b.until("signed out from there", "location.pathname === '/login'")
}

// scripts lets pages run theirs, or not.
func (b *tab) scripts(on bool) {
	b.t.Helper()
	b.must(chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on}))
}

// strict keeps the cookie of the jump from what other sites post, as browsers do that do not know SameSite=None.
func (b *tab) strict() {
	b.t.Helper()
	got, err := chromedp.Call(b.ctx, network.GetCookies, network.GetCookiesParams{URLs: []string{b.base}})
	if err != nil {
		b.t.Fatal(err)
	}
	yes := true
	for _, k := range got.Cookies {
		if k.Name == "__Host-sso" {
			if k.SameSite != network.CookieSameSiteNone {
				b.t.Errorf("the cookie of the jump is SameSite %s", k.SameSite)
			}
			b.must(chromedp.Call(b.ctx, network.SetCookie, network.SetCookieParams{Name: k.Name, Value: k.Value, URL: b.base, Path: "/", Secure: &yes, HTTPOnly: &yes, SameSite: network.CookieSameSiteStrict}))
			return
		}
	}
	b.t.Fatal("no cookie of the jump")
}

// clean: nothing reaches over the side, and axe finds nothing.
func (b *tab) clean(where string) {
	b.t.Helper()
	b.fits(where)
	b.axe(where, "document")
}
