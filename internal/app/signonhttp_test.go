package app

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"huoban/internal/fault"
	"huoban/internal/scope"
	"huoban/internal/signon"
	"huoban/internal/sso"
	"huoban/internal/sso/samltest"
)

// platforms is what the partners registered.
type platforms struct {
	mu  sync.Mutex
	all map[string]sso.Registration
}

func (p *platforms) Registration(_ context.Context, name string) (sso.Registration, bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.all {
		if r.ID == name || r.Key == name || r.AccountType == name {
			return r, r.State != sso.StateDeleted, nil
		}
	}
	return sso.Registration{}, false, nil
}

func (p *platforms) Metadata(context.Context, string, bool) ([]byte, error) {
	return []byte("<x/>"), nil
}

func (p *platforms) change(id string, do func(r *sso.Registration)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.all[id]
	do(&r)
	p.all[id] = r
}

// doorway is the portal of a jump over HTTP, on two replicas, and the partners' platforms.
type doorway struct {
	*jump
	reg        *platforms
	srv        [2]*httptest.Server
	idp        map[string]*samltest.IdP
	regA, regB sso.Registration
}

const jumpBase = "http://localhost"

func eachDoorway(t *testing.T, run func(t *testing.T, d *doorway)) {
	t.Helper()
	eachJump(t, func(t *testing.T, j *jump) {
		d := &doorway{jump: j, reg: &platforms{all: map[string]sso.Registration{}}, idp: map[string]*samltest.IdP{}}
		d.regA, d.regB = d.register("one", j.one), d.register("two", j.two)
		for i, a := range []*App{j.a, j.b} {
			h, err := a.handler(d.reg)
			if err != nil {
				t.Fatal(err)
			}
			d.srv[i] = httptest.NewServer(h)
			t.Cleanup(d.srv[i].Close)
		}
		run(t, d)
	})
}

func (d *doorway) register(name string, p signon.Peer) sso.Registration {
	d.idp[p.ID] = samltest.NewIdP(name, jumpDay)
	r := d.idp[p.ID].Registration(name, jumpBase, jumpDay)
	r.ID, r.PartnerID, r.PartnerName, r.BpID, r.AccountType = p.ID, p.Partner.ID, p.Partner.Name, p.Partner.Code, p.AccountType
	d.reg.all[r.ID] = r
	return r
}

// browser keeps cookies as a browser would that talks to the portal's public address.
type browser struct {
	d       *doorway
	cookies map[string]string
	replica int
}

func (d *doorway) browser() *browser { return &browser{d: d, cookies: map[string]string{}} }

type page struct {
	status int
	header http.Header
	body   string
}

func (p page) to() string { return p.header.Get("Location") }

// ask sends a request; cross says that another site's page sends it, which keeps the session's cookie back.
func (b *browser) ask(method, path string, form url.Values, cross bool) page {
	t := b.d.t
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, b.d.srv[b.replica].URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", map[bool]string{true: "cross-site", false: "same-origin"}[cross])
	}
	if strings.HasPrefix(path, "/api/") {
		req.Header.Set("Accept", "application/json")
	}
	for name, value := range b.cookies {
		if !cross || method == http.MethodGet || name == "__Host-sso" {
			req.AddCookie(&http.Cookie{Name: name, Value: value})
		}
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range res.Cookies() {
		b.cookies[k.Name] = k.Value
		if k.MaxAge < 0 {
			delete(b.cookies, k.Name)
		}
		if k.Name == "__Host-sso" && (!k.Secure || !k.HttpOnly || k.SameSite != http.SameSiteNoneMode || k.Path != "/" || k.Domain != "") {
			t.Errorf("cookie %+v", k)
		}
	}
	if res.StatusCode >= 500 {
		t.Errorf("%s %s: %d\n%s", method, path, res.StatusCode, body)
	}
	return page{res.StatusCode, res.Header, string(body)}
}

func (b *browser) get(path string) page { return b.ask(http.MethodGet, path, nil, false) }

// begin goes to the platform and gives the request it carries.
func (b *browser) begin(reg sso.Registration, more string) sso.Request {
	b.d.t.Helper()
	p := b.get("/authui/saml/login?xAccountType=" + reg.AccountType + "&isFirstLogin=true" + more)
	u, err := url.Parse(p.to())
	if err != nil || p.status != http.StatusSeeOther || !strings.HasPrefix(p.to(), reg.SSOURL+"?") {
		b.d.t.Fatalf("entry answers %d, %s", p.status, p.to())
	}
	relay := u.Query().Get("RelayState")
	var id string
	if err := b.d.a.DB.Writer().QueryRowContext(b.d.ctx(), "SELECT request_id FROM sso_request WHERE relay_id = $1", relay).Scan(&id); err != nil {
		b.d.t.Fatal(err)
	}
	if strings.Contains(relay, id[1:]) {
		b.d.t.Error("RelayState tells the request's id")
	}
	r, _, err := b.d.a.SignOn.RequestByID(b.d.ctx(), id)
	if err != nil {
		b.d.t.Fatal(err)
	}
	return sso.Request{ID: r.ID, RelayID: r.RelayID}
}

// say is what the platform answers about an account of its own.
func (d *doorway) say(reg sso.Registration, req sso.Request, account string, more ...string) samltest.Answer {
	d.n++
	pairs := append([]string{"xAccountId", account, "xUserId", account, "name", "星河科技", "xAccountType", reg.AccountType, "bpId", reg.BpID}, more...)
	return samltest.Answer{IdP: d.idp[reg.ID], Reg: reg, Now: d.now.Now(), Request: req, NameID: "n-" + account, Attributes: samltest.Attributes(pairs...)}
}

func (b *browser) post(reg sso.Registration, a samltest.Answer) page {
	b.d.t.Helper()
	return b.ask(http.MethodPost, "/saml/sp/"+reg.Key+"/acs", a.Form(), true)
}

// enter is a customer's first entry, to the end.
func (b *browser) enter(reg sso.Registration, account string) {
	t := b.d.t
	t.Helper()
	p := b.post(reg, b.d.say(reg, b.begin(reg, ""), account))
	if p.status != http.StatusSeeOther || !strings.HasPrefix(p.to(), "/saml/arrive/") {
		t.Fatalf("the answer of %s leads to %d %s\n%s", account, p.status, p.to(), p.body)
	}
	at := p.to()
	if p = b.get(at); p.status == http.StatusOK && strings.Contains(p.body, `value="create"`) {
		p = b.ask(http.MethodPost, at, url.Values{"do": {"create"}, "consent": {"true"}}, false)
	}
	if p.status != http.StatusSeeOther || !strings.HasPrefix(p.to(), "/o/") {
		t.Fatalf("arrival of %s: %d %s\n%s", account, p.status, p.to(), p.body)
	}
	if p = b.get(p.to()); p.status != http.StatusOK || !strings.Contains(p.body, reg.PartnerName) {
		t.Errorf("the first page of %s: %d", account, p.status)
	}
}

// who is what /api/session says.
func (b *browser) who() (int, map[string]any) {
	p := b.get("/api/session")
	out := map[string]any{}
	if err := json.Unmarshal([]byte(p.body), &out); err != nil {
		b.d.t.Errorf("/api/session: %v: %s", err, p.body)
	}
	return p.status, out
}

func (b *browser) saml(name string) string {
	_, all := b.who()
	in, _ := all["saml"].(map[string]any)
	text, _ := in[name].(string)
	return text
}

// TestDoorway is the way of a customer: out, back, consent, in, again without a question, and out on both sides.
func TestDoorway(t *testing.T) {
	eachDoorway(t, func(t *testing.T, d *doorway) {
		b := d.browser()
		if status, _ := b.who(); status != http.StatusUnauthorized {
			t.Errorf("nobody is answered %d", status)
		}
		b.enter(d.regA, "x1")
		if b.saml("xAccountId") != "x1" || b.saml("partner") != "P001" || b.saml("registration") != d.regA.Key || b.saml("nameId") != "n-x1" {
			_, all := b.who()
			t.Errorf("session: %v", all)
		}
		code := b.saml("customer")
		for _, path := range []string{"/o/" + code, "/o/" + code + "/partner", "/saml/leave"} {
			if p := b.get(path); p.status != http.StatusOK || !strings.Contains(p.body, d.regA.PartnerName) {
				t.Errorf("%s: %d", path, p.status)
			}
		}
		b.replica = 1
		p := b.post(d.regA, d.say(d.regA, b.begin(d.regA, "&service="+url.QueryEscape("/o/"+code+"/partner?x=1")), "x1"))
		if p = b.get(p.to()); p.to() != "/o/"+code+"/partner?x=1" {
			t.Errorf("the second time leads to %d %s", p.status, p.to())
		}
		d.logout(b)
		d.peerLogout()
	})
}

// logout leaves everywhere: here first, then the platform is asked and answers.
func (d *doorway) logout(b *browser) {
	t := d.t
	p := b.ask(http.MethodPost, "/saml/leave", nil, false)
	if p.status != http.StatusOK || !strings.Contains(p.body, d.regA.SLOURL) {
		t.Fatalf("leaving: %d\n%s", p.status, p.body)
	}
	if status, _ := b.who(); status != http.StatusUnauthorized {
		t.Errorf("after leaving the session answers %d", status)
	}
	var request, relay string
	if err := d.a.DB.Writer().QueryRowContext(d.ctx(), "SELECT request_id, relay_id FROM sso_request WHERE purpose = 'logout'").Scan(&request, &relay); err != nil {
		t.Fatal(err)
	}
	out, err := sso.BuildLogoutResponse(d.mirror(), request, relay, false, d.now.Now())
	if err != nil {
		t.Fatal(err)
	}
	at := strings.TrimPrefix(out.URL, jumpBase)
	if p := b.ask(http.MethodGet, at, nil, true); p.status != http.StatusOK || !strings.Contains(p.body, d.regA.PartnerName) {
		t.Errorf("the platform's answer: %d\n%s", p.status, p.body)
	}
	if p := b.ask(http.MethodGet, at, nil, true); p.status != http.StatusForbidden {
		t.Errorf("the same answer again: %d", p.status)
	}
}

// mirror is the portal as the platform sees it.
func (d *doorway) mirror() sso.Partner {
	idp := d.idp[d.regA.ID]
	return sso.Partner{OurEntityID: idp.EntityID, OurSLO: idp.SLO, Keys: []sso.Key{{Use: sso.KeyUseSign, State: sso.KeyStateCurrent, Private: idp.Key, CertDER: idp.CertDER}},
		EntityID: d.regA.EntityID, SLO: d.regA.SLO, Binding: sso.BindingRedirect}
}

// peerLogout: the platform ends its customer's sessions without any cookie, at either replica, and no other's.
func (d *doorway) peerLogout() {
	t := d.t
	one, other := d.browser(), d.browser()
	one.enter(d.regA, "x1")
	other.enter(d.regB, "x1")
	for _, name := range []string{"n-nobody", "n-x1"} {
		out, err := sso.BuildLogoutRequest(d.mirror(), sso.Subject{NameID: sso.NameID{Value: name, Format: string(sso.NameIDTransient)}}, sso.NewMessageID(), "relay", d.now.Now())
		if err != nil {
			t.Fatal(err)
		}
		nobody := d.browser()
		nobody.replica = 1
		at := strings.TrimPrefix(out.URL, jumpBase)
		if p := nobody.get(at); p.status != http.StatusSeeOther || !strings.HasPrefix(p.to(), d.regA.SLOURL) {
			t.Errorf("logout of %s: %d %s", name, p.status, p.to())
		}
		if p := nobody.get(at); p.status != http.StatusForbidden || d.code() != "sso.slo.replay" {
			t.Errorf("logout of %s again: %d %s", name, p.status, d.code())
		}
	}
	if status, _ := one.who(); status != http.StatusUnauthorized {
		t.Errorf("after the platform's logout the session answers %d", status)
	}
	if status, _ := other.who(); status != http.StatusOK {
		t.Errorf("the other partner's customer is out too: %d", status)
	}
}

// code is that of the last refusal.
func (d *doorway) code() (code string) {
	if err := d.a.DB.Writer().QueryRowContext(d.ctx(), "SELECT code FROM sso_refusal ORDER BY last_at DESC, id DESC LIMIT 1").Scan(&code); err != nil {
		return err.Error()
	}
	return code
}

// TestIsolation: a customer of one partner's platform never comes in as another partner's.
func TestIsolation(t *testing.T) {
	eachDoorway(t, func(t *testing.T, d *doorway) {
		a, b := d.browser(), d.browser()
		a.enter(d.regA, "x1")
		b.enter(d.regB, "x1") // the same account, NameID and name: row 101
		if a.saml("customer") == b.saml("customer") || b.saml("partner") != "P002" {
			t.Fatal("one customer at two partners")
		}
		before := b.saml("customer")
		// A's platform asserts B's account: a customer of A's own, or nobody; B's is untouched (row 100).
		d.idp[d.regA.ID].EntityID = d.regA.IdPEntityID
		c := d.browser()
		c.enter(d.regA, "only-at-b")
		d.browser().enter(d.regB, "only-at-b")
		if c.saml("partner") != "P001" || b.saml("customer") != before {
			t.Error("an account of the other partner was reached")
		}
		// Linking an account of B's customer at A is refused after proof (row 110).
		var login string
		if err := d.a.DB.Writer().QueryRowContext(d.ctx(), "SELECT p.login FROM person p JOIN organisation o ON o.id = p.org_id WHERE o.code = $1", before).Scan(&login); err != nil {
			t.Fatal(err)
		}
		person, err := d.a.Accounts.PersonByLogin(d.ctx(), login)
		if err != nil {
			t.Fatal(err)
		}
		in := d.answer(d.one, "mine")
		_, err = d.a.SignOn.Bind(d.ctx(), signon.EnterInput{Peer: d.one, Ticket: d.ticket(d.accept(d.a, in).Ticket), Consent: true}, person)
		if !fault.HasCode(err, "sso.link.other_partner") {
			t.Errorf("linked across partners: %v", err)
		}
		// A customer that moved is out with its old session, and refused with its old link (row 111).
		list, err := d.a.Customers.Of(d.ctx(), person.OrgID)
		if err != nil {
			t.Fatal(err)
		}
		d.now.Set(d.now.Now().Add(time.Hour))
		if _, err := d.a.Customers.End(d.ctx(), scope.System("operator"), list[0].ID, time.Time{}); err != nil {
			t.Fatal(err)
		}
		if status, _ := b.who(); status != http.StatusUnauthorized {
			t.Errorf("the session of a customer that moved answers %d", status)
		}
		again := d.browser()
		if p := again.post(d.regB, d.say(d.regB, again.begin(d.regB, ""), "x1")); p.status != http.StatusForbidden || d.code() != "sso.acct.unlinked" {
			t.Errorf("the old link: %d %s", p.status, d.code())
		}
	})
}

// TestUnsolicited: an answer nobody asked for takes over no other customer's session without a word, is taken
// once, and leads where its RelayState names by a key, or home.
func TestUnsolicited(t *testing.T) {
	eachDoorway(t, func(t *testing.T, d *doorway) {
		d.reg.change(d.regA.ID, func(r *sso.Registration) { r.AllowIdPInitiated = true })
		b := d.browser()
		b.enter(d.regA, "x1")
		other := d.browser()
		other.enter(d.regA, "x2")
		mine := b.saml("customer")
		a := d.say(d.regA, sso.Request{}, "x2")
		form := a.Form()
		form.Set("RelayState", "https://evil.example/")
		p := b.ask(http.MethodPost, "/saml/sp/"+d.regA.Key+"/acs", form, true)
		at := p.to()
		if p = b.get(at); p.status != http.StatusOK || b.saml("customer") != mine {
			t.Fatalf("another customer's session gave way: %d", p.status)
		}
		if q := d.browser().ask(http.MethodPost, "/saml/sp/"+d.regA.Key+"/acs", form, true); q.status != http.StatusForbidden || d.code() != "sso.replay.assertion" {
			t.Errorf("again: %d %s", q.status, d.code())
		}
		if q := other.get(at); q.status != http.StatusNotFound {
			t.Errorf("another browser opens the ticket: %d", q.status)
		}
		p = b.ask(http.MethodPost, at, url.Values{"do": {"enter"}}, false)
		if p.status != http.StatusSeeOther || strings.Contains(p.to(), "evil") || b.saml("xAccountId") != "x2" {
			t.Errorf("after the click: %d %s as %s", p.status, p.to(), b.saml("xAccountId"))
		}
		d.reg.change(d.regA.ID, func(r *sso.Registration) { r.State = sso.StateDisabled })
		if _, err := d.a.DB.Writer().ExecContext(d.ctx(), "UPDATE sso_idp SET state = 'disabled' WHERE id = $1", d.regA.ID); err != nil {
			t.Fatal(err)
		}
		if status, _ := b.who(); status != http.StatusUnauthorized {
			t.Errorf("a session of a disabled registration answers %d", status)
		}
	})
}

// TestOneAnswerManyTimes: fifty at once, at two replicas, are one session.
func TestOneAnswerManyTimes(t *testing.T) {
	eachDoorway(t, func(t *testing.T, d *doorway) {
		b := d.browser()
		b.enter(d.regA, "x1")
		req := b.begin(d.regA, "")
		form := d.say(d.regA, req, "x1").Form()
		before := d.count(living)
		const many = 50
		var wg sync.WaitGroup
		codes := make([]int, many)
		for i := range many {
			one := d.browser()
			one.cookies["__Host-sso"], one.replica = b.cookies["__Host-sso"], i%2
			wg.Go(func() { codes[i] = one.ask(http.MethodPost, "/saml/sp/"+d.regA.Key+"/acs", form, true).status })
		}
		wg.Wait()
		seen := map[int]int{}
		for _, c := range codes {
			seen[c]++
		}
		if seen[http.StatusSeeOther] != 1 || d.count(living)-before != 1 {
			t.Errorf("answers %v, sessions %d", seen, d.count(living)-before)
		}
	})
}

// TestRates: who is refused too often in a minute is refused before anything is read.
func TestRates(t *testing.T) {
	eachDoorway(t, func(t *testing.T, d *doorway) {
		for i := range 21 {
			b := d.browser()
			b.post(d.regA, d.say(d.regA, sso.Request{}, fmt.Sprint("x", i)))
		}
		if d.code() != "sso.in.rate" {
			t.Errorf("the 21st refusal is %s", d.code())
		}
		d.now.Set(d.now.Now().Add(time.Minute))
		d.browser().enter(d.regA, "x1")
	})
}

// TestBindingResult: a partner that wants to know is told by the browser and by a job, signed alike.
func TestBindingResult(t *testing.T) {
	eachDoorway(t, func(t *testing.T, d *doorway) {
		d.reg.change(d.regA.ID, func(r *sso.Registration) { r.NotifyURL = "https://one.example/bound" })
		for do, action := range map[string]string{"create": `"bindAction":1`, "cancel": `"bindAction":0`} {
			b := d.browser()
			p := b.post(d.regA, d.say(d.regA, b.begin(d.regA, ""), "told-"+do))
			at := p.to()
			if p = b.ask(http.MethodPost, at, url.Values{"do": {do}}, false); do == "create" && p.status != http.StatusUnprocessableEntity {
				t.Errorf("without consent: %d", p.status)
			}
			if do == "create" {
				p = b.ask(http.MethodPost, at, url.Values{"do": {do}, "consent": {"true"}}, false)
			}
			if p.status != http.StatusOK || !strings.Contains(p.header.Get("Content-Security-Policy"), "form-action 'self' https://one.example") ||
				!strings.Contains(p.body, `action="https://one.example/bound"`) || !strings.Contains(p.body, `name="bindRequest"`) {
				t.Fatalf("%s: %d %s\n%s", do, p.status, p.header.Get("Content-Security-Policy"), p.body)
			}
			var payload string
			if err := d.a.DB.Writer().QueryRowContext(d.ctx(), "SELECT payload FROM job WHERE kind = 'sso.bind_result' ORDER BY id DESC LIMIT 1").Scan(&payload); err != nil {
				t.Fatal(err)
			}
			d.checkResult(payload, action)
		}
	})
}

// checkResult verifies a result as the partner does: with the certificate of our metadata.
func (d *doorway) checkResult(payload, action string) {
	d.t.Helper()
	var r signon.BindResult
	if err := json.Unmarshal([]byte(payload), &r); err != nil {
		d.t.Fatal(err)
	}
	body, err := base64.StdEncoding.DecodeString(r.BindRequest)
	if err != nil || !strings.Contains(string(body), action) || !strings.Contains(string(body), `"xAccountType":"HB_ONE"`) {
		d.t.Errorf("result %s: %v", body, err)
	}
	sig, err := base64.StdEncoding.DecodeString(r.Signature)
	if err != nil {
		d.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(d.regA.Keys[0].CertDER)
	if err != nil {
		d.t.Fatal(err)
	}
	if err := cert.CheckSignature(x509.SHA256WithRSA, []byte(r.BindRequest), sig); err != nil {
		d.t.Error(err)
	}
}
