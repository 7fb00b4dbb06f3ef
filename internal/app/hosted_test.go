package app

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/beevik/etree"

	"huoban/internal/account"
	"huoban/internal/customer"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/sso"
	"huoban/internal/sso/metadata"
	"huoban/internal/sso/registry"
	"huoban/internal/sso/samltest"
)

// stage is the portal as the sales platform of two partners, on two replicas, with consoles and customers.
type stage struct {
	*doorway
	host     sso.Host // of P001
	consoles map[string]sso.Registration
}

const stagePass = "Correct-horse-7-battery"

func eachStage(t *testing.T, run func(t *testing.T, s *stage)) {
	t.Helper()
	eachDoorway(t, func(t *testing.T, d *doorway) {
		for i, a := range []*App{d.a, d.b} {
			h, err := a.Handler()
			if err != nil {
				t.Fatal(err)
			}
			d.srv[i] = httptest.NewServer(h)
			t.Cleanup(d.srv[i].Close)
		}
		s := &stage{doorway: d, consoles: map[string]sso.Registration{}}
		s.console("con", registry.ConsoleInput{PartnerID: d.one.Partner.ID, Name: "云控制台", Encrypt: sso.EncryptOff})
		s.customer("ALPHA", "阿尔法科技", d.one.Partner.ID)
		s.customer("BETA", "贝塔科技", d.two.Partner.ID)
		run(t, s)
	})
}

// console registers a service provider from its metadata, as `portal sso sp add` does.
func (s *stage) console(name string, in registry.ConsoleInput) sso.Registration {
	s.t.Helper()
	op := scope.System("operator")
	row, err := s.a.Platforms.Host(s.ctx(), op, s.one.Partner.ID)
	if err != nil {
		s.t.Fatal(err)
	}
	host, ok, err := s.b.Platforms.HostEntity(s.ctx(), row.Key)
	if err != nil || !ok {
		s.t.Fatal(ok, err)
	}
	s.host = host
	idp := &samltest.IdP{EntityID: host.EntityID, SSO: host.SSO, SLO: host.SLO, Key: host.Keys[0].Private, CertDER: host.Keys[0].CertDER}
	reg := idp.Registration(name, "https://"+name+".example", jumpDay)
	if in.Attributes == nil {
		in.Attributes = []sso.Release{{Name: "xAccountId", Field: "xAccountId"}, {Name: "xUserId", Field: "xUserId"}, {Name: "name", Field: "name"}}
	}
	in.Metadata, err = metadata.Build(metadata.Ours{Role: metadata.RoleSP, EntityID: reg.EntityID, Addresses: []string{reg.ACS}, SLO: reg.SLO, Keys: reg.Keys, SignRequests: true}, jumpDay, true)
	if err != nil {
		s.t.Fatal(err)
	}
	if _, _, err := s.a.Platforms.AddConsole(s.ctx(), op, in); err != nil {
		s.t.Fatal(err)
	}
	s.consoles[name] = reg
	return reg
}

func (s *stage) consoleID(name string) string {
	s.t.Helper()
	var id string
	if err := s.a.DB.Writer().QueryRowContext(s.ctx(), "SELECT id FROM sso_sp WHERE entity_id = $1", s.consoles[name].EntityID).Scan(&id); err != nil {
		s.t.Fatal(err)
	}
	return id
}

// customer makes a customer of a partner, with one person who signs in by password.
func (s *stage) customer(code, name, partnerID string) {
	s.t.Helper()
	op := scope.System("operator")
	org, err := s.a.Organisations.Add(s.ctx(), op, organisation.AddInput{Code: code, Kind: organisation.KindCustomer, Name: name})
	if err != nil {
		s.t.Fatal(err)
	}
	_, err = s.a.Customers.Associate(s.ctx(), op, customer.AssociateInput{CustomerID: org.Organisation.ID, PartnerID: partnerID, Kind: customer.KindResale, From: jumpDay.AddDate(0, -1, 0)})
	if err != nil {
		s.t.Fatal(err)
	}
	_, err = s.a.Accounts.AddPerson(s.ctx(), op, account.AddPersonInput{OrgCode: code, Login: strings.ToLower(code), Name: "张三", Email: strings.ToLower(code) + "@example.com", Phone: "0086-13800000000",
		Roles: []string{account.RoleAdmin}, Password: stagePass, KeepPassword: true})
	if err != nil {
		s.t.Fatal(err)
	}
}

// question is what a console asks, changed as the test wishes, and signed.
func (s *stage) question(reg sso.Registration, change func(e *etree.Element)) (sso.Request, sso.Outgoing) {
	s.t.Helper()
	req := sso.Request{ID: sso.NewMessageID(), RelayID: sso.NewToken()}
	reg.SSOBinding = sso.BindingPost
	out, err := sso.BuildAuthnRequest(reg, req, s.now.Now())
	if err != nil {
		s.t.Fatal(err)
	}
	if change == nil {
		return req, out
	}
	doc := etree.NewDocument()
	raw, err := base64.StdEncoding.DecodeString(out.Fields[0].Value)
	if err == nil {
		err = doc.ReadFromBytes(raw)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	root := doc.Root()
	root.RemoveChild(root.SelectElement("Signature"))
	change(root)
	(&samltest.Signing{Key: reg.Keys[0].Private}).Sign(root)
	out.Fields[0].Value = base64.StdEncoding.EncodeToString(samltest.Text(root))
	return req, out
}

func (b *browser) send(out sso.Outgoing) page {
	form := url.Values{}
	for _, f := range out.Fields {
		form.Set(f.Name, f.Value)
	}
	at := strings.TrimPrefix(out.URL, jumpBase)
	if out.Binding == sso.BindingRedirect {
		return b.get(at)
	}
	return b.ask(http.MethodPost, at, form, true)
}

// asks sends a question and follows to the platform's page.
func (b *browser) asks(s *stage, reg sso.Registration, change func(e *etree.Element)) (sso.Request, string, page) {
	b.d.t.Helper()
	req, out := s.question(reg, change)
	p := b.send(out)
	if p.status != http.StatusSeeOther || !strings.HasPrefix(p.to(), "/platform/P001/jump/") {
		b.d.t.Fatalf("the question leads to %d %s\n%s", p.status, p.to(), p.body)
	}
	return req, p.to(), b.get(p.to())
}

// signsIn fills the platform's form and follows.
func (b *browser) signsIn(login, next string) page {
	b.d.t.Helper()
	p := b.ask(http.MethodPost, "/platform/P001/login", url.Values{"username": {login}, "password": {stagePass}, "next": {next}}, false)
	if p.status != http.StatusSeeOther {
		b.d.t.Fatalf("%s signs in: %d\n%s", login, p.status, p.body)
	}
	return b.get(p.to())
}

func (b *browser) agrees(at string, remember bool) page {
	form := url.Values{"do": {"continue"}}
	if remember {
		form.Set("remember", "true")
	}
	return b.ask(http.MethodPost, at, form, false)
}

var (
	hiddenField = regexp.MustCompile(`<input type="hidden" name="(SAMLResponse|SAMLRequest|RelayState)" value="([^"]*)"`)
	formAction  = regexp.MustCompile(`(?i)<form method="post" action="([^"]*)" data-send`)
)

// carried is the form a page sends on by itself.
func carried(p page) (action string, form url.Values) {
	form = url.Values{}
	for _, m := range hiddenField.FindAllStringSubmatch(p.body, -1) {
		form.Set(m[1], strings.NewReplacer("&#43;", "+", "&#34;", `"`, "&amp;", "&").Replace(m[2]))
	}
	if m := formAction.FindStringSubmatch(p.body); m != nil {
		action = m[1]
	}
	return action, form
}

// told is what the console reads: both locks of the portal as service provider, and the status otherwise.
func (s *stage) told(reg sso.Registration, req sso.Request, p page) (sso.Accepted, string) {
	s.t.Helper()
	action, form := carried(p)
	if p.status != http.StatusOK || action != reg.ACS || form.Get("RelayState") != req.RelayID || !strings.Contains(p.header.Get("Content-Security-Policy"), "form-action 'self' https://"+hostname(reg.ACS)+" https:;") {
		s.t.Fatalf("the answer: %d to %q with %q, policy %s\n%s", p.status, action, form.Get("RelayState"), p.header.Get("Content-Security-Policy"), p.body)
	}
	req.IdPID, req.Purpose, req.BrowserHash, req.CreatedAt, req.ExpiresAt = reg.ID, sso.PurposeSignIn, sso.BrowserHash(samltest.Browser), s.now.Now(), s.now.Now().Add(sso.RequestLife)
	acc, _, err := sso.VerifyPost(s.ctx(), reg, sso.Post{Method: http.MethodPost, ContentType: "application/x-www-form-urlencoded", Form: form, Browser: samltest.Browser},
		asked{req.ID: req}, s.now.Now())
	if err == nil {
		return acc, ""
	}
	if r := sso.RefusalOf(err); r == nil || r.Code != sso.CodeMsgStatus {
		s.t.Fatalf("the console refuses: %v", err)
	}
	return acc, s.status(form)
}

// status is the second-level code of a signed answer without assertion.
func (s *stage) status(form url.Values) string {
	s.t.Helper()
	raw, err := base64.StdEncoding.DecodeString(form.Get("SAMLResponse"))
	doc := etree.NewDocument()
	if err == nil {
		err = doc.ReadFromBytes(raw)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	if doc.FindElement("./Response/Signature") == nil || doc.FindElement("//Assertion") != nil {
		s.t.Error("an error answer is unsigned, or asserts")
	}
	code := doc.FindElement("./Response/Status/StatusCode/StatusCode")
	if code == nil {
		return "none"
	}
	return strings.TrimPrefix(code.SelectAttrValue("Value", ""), "urn:oasis:names:tc:SAML:2.0:status:")
}

func hostname(address string) string {
	u, _ := url.Parse(address)
	return u.Host
}

type asked map[string]sso.Request

func (a asked) RequestByID(_ context.Context, id string) (sso.Request, bool, error) {
	r, ok := a[id]
	return r, ok, nil
}

// TestHostedJump is the way of a customer from a console: sign in at the platform, see what is handed over, agree,
// go; the next time at once; again only where the console wants it.
func TestHostedJump(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		reg, b := s.consoles["con"], s.browser()
		req, at, p := b.asks(s, reg, nil)
		if p.status != http.StatusOK || !strings.Contains(p.body, `action="/platform/P001/login"`) || !strings.Contains(p.body, "云控制台") {
			t.Fatalf("the door: %d\n%s", p.status, p.body)
		}
		if p := b.ask(http.MethodPost, "/platform/P001/login", url.Values{"username": {"alpha"}, "password": {"wrong"}, "next": {at}}, false); p.status != http.StatusUnauthorized || !strings.Contains(p.body, "云控制台") {
			t.Errorf("a wrong password: %d", p.status)
		}
		b.replica = 1
		if p = b.signsIn("alpha", at); p.status != http.StatusOK || !strings.Contains(p.body, `value="continue"`) || !strings.Contains(p.body, "阿尔法科技") || strings.Contains(p.body, "SAMLResponse") {
			t.Fatalf("what is handed over: %d\n%s", p.status, p.body)
		}
		b.replica = 0
		acc, _ := s.told(reg, req, b.agrees(at, true))
		if acc.XAccountID != "ALPHA" || acc.XUserID != "alpha" || acc.Name != "阿尔法科技" || acc.Email != "" || acc.NameID.Format != string(sso.NameIDPersistent) || acc.SessionNotOnOrAfter.IsZero() {
			t.Errorf("told %+v", acc)
		}
		if p := b.get(at); p.status != http.StatusConflict {
			t.Errorf("the same question again: %d", p.status)
		}
		req, _, p = b.asks(s, reg, nil)
		again, _ := s.told(reg, req, p)
		if again.NameID != acc.NameID || again.SessionIndex == acc.SessionIndex || again.AssertionID == acc.AssertionID {
			t.Errorf("the second time %+v, first %+v", again.NameID, acc.NameID)
		}
		s.now.Set(s.now.Now().Add(time.Minute))
		req, at, p = b.asks(s, reg, func(e *etree.Element) { e.CreateAttr("ForceAuthn", "true") })
		if !strings.Contains(p.body, `name="password"`) {
			t.Errorf("ForceAuthn asks nothing: %d", p.status)
		}
		fresh, _ := s.told(reg, req, b.signsIn("alpha", at))
		if !fresh.AuthnInstant.After(again.AuthnInstant) || fresh.NameID != acc.NameID {
			t.Errorf("ForceAuthn: signed in at %s, before at %s", fresh.AuthnInstant, again.AuthnInstant)
		}
		if n := s.count("SELECT COUNT(*) FROM sso_session WHERE side = 'idp' AND host_id = $1", s.host.ID); n != 3 {
			t.Errorf("%d sessions at consoles", n)
		}
		if n := s.count("SELECT COUNT(*) FROM audit WHERE action = 'console.enter'"); n != 3 {
			t.Errorf("%d lines of the audit", n)
		}
	})
}

// TestHostedStatus: where there is no answer the console is told so, signed, and why.
func TestHostedStatus(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		reg := s.consoles["con"]
		passive := func(e *etree.Element) { e.CreateAttr("IsPassive", "true") }
		b := s.browser()
		req, _, p := b.asks(s, reg, passive)
		if _, status := s.told(reg, req, p); status != "NoPassive" {
			t.Errorf("passive without a session: %q", status)
		}
		_, at, _ := b.asks(s, reg, nil)
		b.signsIn("alpha", at)
		req, _, p = b.asks(s, reg, passive)
		if _, status := s.told(reg, req, p); status != "NoPassive" {
			t.Errorf("passive before consent: %q", status)
		}
		req, at, _ = b.asks(s, reg, nil)
		s.told(reg, req, b.agrees(at, true))
		req, _, p = b.asks(s, reg, passive)
		if acc, status := s.told(reg, req, p); status != "" || acc.XAccountID != "ALPHA" {
			t.Errorf("passive with a session: %q", status)
		}
		s.now.Set(s.now.Now().Add(time.Minute))
		req, at, _ = b.asks(s, reg, func(e *etree.Element) { e.CreateAttr("ForceAuthn", "1") })
		if _, status := s.told(reg, req, b.ask(http.MethodPost, at, url.Values{"do": {"cancel"}}, false)); status != "RequestDenied" {
			t.Errorf("cancelled: %q", status)
		}
		for status, change := range map[string]func(e *etree.Element){
			"InvalidNameIDPolicy": func(e *etree.Element) {
				e.SelectElement("NameIDPolicy").CreateAttr("Format", string(sso.NameIDEmail))
			},
			"NoAuthnContext": func(e *etree.Element) {
				class := e.CreateElement("samlp:RequestedAuthnContext").CreateElement("saml:AuthnContextClassRef")
				class.CreateAttr("xmlns:saml", samltest.NSAssertion)
				class.SetText("https://refeds.org/profile/mfa")
			},
		} {
			req, out := s.question(reg, change)
			if _, got := s.told(reg, req, b.send(out)); got != status {
				t.Errorf("%s: %q", status, got)
			}
		}
		req, out := s.question(reg, func(e *etree.Element) {
			e.SelectElement("NameIDPolicy").CreateAttr("Format", string(sso.NameIDTransient))
		})
		acc, _ := s.told(reg, req, func() page { p := b.send(out); return b.agrees(p.to(), false) }())
		if acc.NameID.Format != string(sso.NameIDTransient) {
			t.Errorf("transient: %+v", acc.NameID)
		}
		stranger := s.browser()
		_, at, _ = stranger.asks(s, reg, nil)
		if p := stranger.signsIn("beta", at); p.status != http.StatusForbidden || !strings.Contains(p.body, `value="cancel"`) || strings.Contains(p.body, "SAMLResponse") {
			t.Errorf("a customer of another partner: %d", p.status)
		}
		if p := stranger.agrees(at, true); p.status != http.StatusForbidden {
			t.Errorf("a customer of another partner agrees: %d", p.status)
		}
	})
}

// TestHostedNames: a persistent name is a console's own, a mail address only one that was proved.
func TestHostedNames(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		one := s.consoles["con"]
		two := s.console("two", registry.ConsoleInput{Encrypt: sso.EncryptRequired, Attributes: []sso.Release{{Name: "xAccountId", Field: "xAccountId"}}})
		mail := s.console("mail", registry.ConsoleInput{Encrypt: sso.EncryptOff, NameIDFormat: sso.NameIDEmail})
		b := s.browser()
		_, at, _ := b.asks(s, one, nil)
		b.signsIn("alpha", at)
		go1, at1, _ := b.asks(s, one, nil)
		a, _ := s.told(one, go1, b.agrees(at1, false))
		go2, at2, _ := b.asks(s, two, nil)
		c, _ := s.told(two, go2, b.agrees(at2, false))
		if a.NameID.Value == c.NameID.Value || a.NameID.Value == "" || strings.Contains(a.NameID.Value, "alpha") || a.Encrypted || !c.Encrypted || c.Name != "" || len(c.Attributes) != 1 {
			t.Errorf("names %+v, %+v; attributes %v", a.NameID, c.NameID, c.Attributes)
		}
		if a.NameID.NameQualifier != s.host.EntityID || a.NameID.SPNameQualifier != one.EntityID {
			t.Errorf("qualifiers %+v", a.NameID)
		}
		if _, _, p := b.asks(s, one, nil); !strings.Contains(p.body, `value="continue"`) {
			t.Error("a choice nobody wanted remembered is")
		}
		_, at3, p := b.asks(s, mail, nil)
		if p.status != http.StatusForbidden || strings.Contains(p.body, "SAMLResponse") {
			t.Errorf("an address nobody proved: %d", p.status)
		}
		op := scope.System("operator")
		if err := s.a.Accounts.VouchEmail(s.ctx(), op, "alpha"); err != nil {
			t.Fatal(err)
		}
		if p = b.get(at3); !strings.Contains(p.body, "alpha@example.com") {
			t.Errorf("a proved address: %d", p.status)
		}
		req, at4, _ := b.asks(s, mail, nil)
		if m, _ := s.told(mail, req, b.agrees(at4, true)); m.NameID.Value != "alpha@example.com" || m.NameID.Format != string(sso.NameIDEmail) {
			t.Errorf("by mail %+v", m.NameID)
		}
		if err := s.a.Accounts.SetContact(s.ctx(), op, "alpha", account.Contact{Name: "张三", Email: "other@example.com"}); err != nil {
			t.Fatal(err)
		}
		if _, _, p := b.asks(s, mail, nil); p.status != http.StatusForbidden {
			t.Errorf("another address than the one that was proved: %d", p.status)
		}
	})
}

// TestHostedPlatform: the platform's own door and choice, and a jump that begins there.
func TestHostedPlatform(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		b := s.browser()
		for path, want := range map[string]int{"/platform/P001": 200, "/platform/P002": 404, "/platform/NONE": 404, "/platform/ALPHA": 404, "/platform/P001/jump/x": 404, "/saml/idp/none/metadata": 404} {
			if p := b.get(path); p.status != want {
				t.Errorf("%s: %d, want %d", path, p.status, want)
			}
		}
		served := b.get("/saml/idp/" + s.host.Key + "/metadata")
		printed, err := s.b.Platforms.AllMetadata(s.ctx(), scope.System("operator"), s.one.Partner.ID, metadata.RoleIdP, true)
		if err != nil || served.body != string(printed) || served.header.Get("Content-Type") != "application/samlmetadata+xml" {
			t.Errorf("the metadata served and printed differ: %v", err)
		}
		p := b.signsIn("alpha", "/platform/P001")
		launch := "/saml/idp/" + s.host.Key + "/launch/" + s.consoleID("con")
		if p.status != http.StatusOK || !strings.Contains(p.body, `action="`+launch+`"`) || !strings.Contains(p.body, "/o/ALPHA/expenditure") {
			t.Fatalf("the choice: %d\n%s", p.status, p.body)
		}
		if p := b.ask(http.MethodPost, launch, nil, true); p.status != http.StatusForbidden {
			t.Errorf("another site launches: %d", p.status)
		}
		p = b.ask(http.MethodPost, launch, nil, false)
		reg := s.consoles["con"]
		reg.AllowIdPInitiated = true
		acc, _ := s.told(reg, sso.Request{}, b.agrees(p.to(), true))
		if acc.XAccountID != "ALPHA" || !acc.Unsolicited() {
			t.Errorf("launched: %+v", acc)
		}
		if p := b.get("/platform/P001"); !strings.Contains(p.body, "/withdrawal") {
			t.Error("what is remembered cannot be withdrawn")
		}
		withdrawal := "/account/consoles/" + s.consoleID("con") + "/withdrawal"
		if p := b.get("/account/sessions"); !strings.Contains(p.body, `action="`+withdrawal+`"`) {
			t.Error("what is remembered does not stand under one's own account")
		}
		for _, want := range []int{http.StatusSeeOther, http.StatusNotFound} {
			if p := b.ask(http.MethodPost, withdrawal, nil, false); p.status != want {
				t.Errorf("withdrawal: %d, want %d", p.status, want)
			}
		}
		if p := b.get(b.ask(http.MethodPost, launch, nil, false).to()); !strings.Contains(p.body, `value="continue"`) {
			t.Error("a consent that was withdrawn stands")
		}
		if p := s.browser().signsIn("beta", "/platform/P001"); p.status != http.StatusForbidden || strings.Contains(p.body, "云控制台") {
			t.Errorf("a customer of another partner: %d", p.status)
		}
	})
}

// TestHostedAtOnce: one question and one answer, however many times they are sent at once, to both replicas.
func TestHostedAtOnce(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		b := s.browser()
		b.signsIn("alpha", "/platform/P001")
		b.goes(s, s.consoles["con"])
		_, out := s.question(s.consoles["con"], nil)
		atOnce := func(do func(b *browser) page) (pages []page) {
			pages = make([]page, 10)
			var wg sync.WaitGroup
			for i := range pages {
				own := s.browser()
				own.replica = i % 2
				for name, value := range b.cookies {
					own.cookies[name] = value
				}
				wg.Go(func() { pages[i] = do(own) })
			}
			wg.Wait()
			return pages
		}
		at, taken := "", 0
		for _, p := range atOnce(func(b *browser) page { return b.send(out) }) {
			if p.status == http.StatusSeeOther {
				at, taken = p.to(), taken+1
			}
		}
		answers := 0
		for _, p := range atOnce(func(b *browser) page { return b.get(at) }) {
			if strings.Contains(p.body, "SAMLResponse") {
				answers++
			}
		}
		if taken != 1 || answers != 1 {
			t.Errorf("%d questions taken, %d answers", taken, answers)
		}
		if n := s.count("SELECT COUNT(*) FROM audit WHERE action = 'console.enter'"); n != 2 {
			t.Errorf("%d jumps in the audit, want the first and this one", n)
		}
	})
}
