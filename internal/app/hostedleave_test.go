package app

import (
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"huoban/internal/scope"
	"huoban/internal/sso"
	"huoban/internal/sso/registry"
)

var ledOn = regexp.MustCompile(`<a class="btn btn-primary" href="([^"]*)" data-send`)

// led is where a page leads to by itself.
func led(p page) string {
	if m := ledOn.FindStringSubmatch(p.body); m != nil {
		return html.UnescapeString(m[1])
	}
	return p.to()
}

// queryPost is a message in the query of an address, as the other side receives it.
func queryPost(address string) sso.Post {
	_, query, _ := strings.Cut(address, "?")
	return sso.Post{Method: http.MethodGet, RawQuery: query}
}

// goes lets a signed-in customer jump to a console.
func (b *browser) goes(s *stage, reg sso.Registration) sso.Accepted {
	b.d.t.Helper()
	req, at, p := b.asks(s, reg, nil)
	if !strings.Contains(p.body, "SAMLResponse") {
		p = b.agrees(at, true)
	}
	acc, status := s.told(reg, req, p)
	if status != "" {
		b.d.t.Fatalf("no jump to %s: %s", reg.EntityID, status)
	}
	return acc
}

func (s *stage) subject(acc sso.Accepted) sso.Subject {
	return sso.Subject{NameID: acc.NameID, SessionIndex: []string{acc.SessionIndex}}
}

// wish is a console's signed wish to end a session.
func (s *stage) wish(reg sso.Registration, who sso.Subject, binding sso.Binding) sso.Outgoing {
	s.t.Helper()
	side := reg.Logout()
	side.Binding = binding
	out, err := sso.BuildLogoutRequest(side, who, sso.NewMessageID(), "relay-1", s.now.Now())
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

// asksOut is a console that is asked to end a session and does.
func (b *browser) asksOut(s *stage, reg sso.Registration, p page, acc sso.Accepted) page {
	t := b.d.t
	t.Helper()
	to := led(p)
	if p.status != http.StatusOK || !strings.HasPrefix(to, reg.SLO+"?") || !strings.Contains(p.body, "跳过") {
		t.Fatalf("%s is not asked: %d %s\n%s", reg.EntityID, p.status, to, p.body)
	}
	m, _, err := sso.VerifyLogout(s.ctx(), reg.Logout(), queryPost(to), asked{}, s.now.Now())
	if err != nil || m.Request == nil || m.Request.Subject.NameID != acc.NameID || len(m.Request.Subject.SessionIndex) != 1 || m.Request.Subject.SessionIndex[0] != acc.SessionIndex {
		t.Fatalf("%s is asked %+v, %v", reg.EntityID, m.Request, err)
	}
	out, err := sso.BuildLogoutResponse(reg.Logout(), m.Request.ID, m.RelayState, false, s.now.Now())
	if err != nil {
		t.Fatal(err)
	}
	b.replica = 1 - b.replica
	next := b.send(out)
	if next.status != http.StatusSeeOther || !strings.Contains(next.to(), "/leaving/") {
		t.Fatalf("the answer of %s: %d %s", reg.EntityID, next.status, next.to())
	}
	if again := b.send(out); again.status != http.StatusForbidden {
		t.Errorf("the same answer again: %d", again.status)
	}
	return b.get(next.to())
}

// TestHostedLogout: a console's wish ends the session here and at every other console, and is answered; so does the
// customer's own. What does not answer is said.
func TestHostedLogout(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		one, two := s.consoles["con"], s.console("two", registry.ConsoleInput{Encrypt: sso.EncryptOff})
		for _, binding := range []sso.Binding{sso.BindingRedirect, sso.BindingPost} {
			b := s.browser()
			b.signsIn("alpha", "/platform/P001")
			first, second := b.goes(s, one), b.goes(s, two)
			p := b.send(s.wish(one, s.subject(first), binding))
			if p.status != http.StatusSeeOther || !strings.Contains(p.to(), "/platform/P001/leaving/") {
				t.Fatalf("a console's wish: %d %s\n%s", p.status, p.to(), p.body)
			}
			if status, _ := b.who(); status != http.StatusUnauthorized {
				t.Errorf("the session here: %d", status)
			}
			p = b.asksOut(s, two, b.get(p.to()), second)
			m := s.answered(one, p)
			if !m.Success || m.Partial {
				t.Errorf("answered %+v", m)
			}
		}
		b := s.browser()
		b.signsIn("alpha", "/platform/P001")
		first, second := b.goes(s, one), b.goes(s, two)
		p := b.ask(http.MethodPost, "/logout", nil, false)
		at := p.to()
		if !strings.Contains(at, "/leaving/") {
			t.Fatalf("the customer leaves: %d %s", p.status, at)
		}
		p = b.asksOut(s, one, b.get(at), first)
		if led(p) == "" || !strings.HasPrefix(led(p), two.SLO) {
			t.Errorf("the second console is not asked: %s", led(p))
		}
		if q := b.get(at); led(q) != "" || !strings.Contains(q.body, "尚未答复") {
			t.Error("back before the answer it is asked again")
		}
		s.now.Set(s.now.Now().Add(6 * time.Second))
		if q := b.get(at); q.status != http.StatusOK || strings.Count(q.body, "未能退出") != 1 || !strings.Contains(q.body, "云控制台") {
			t.Errorf("the end: %d\n%s", q.status, q.body)
		}
		_ = second
		s.leavesPartly(one, two)
	})
}

// leavesPartly: a console that is skipped makes the answer partial; an unknown subject is none of anybody's business.
func (s *stage) leavesPartly(one, two sso.Registration) {
	t := s.t
	t.Helper()
	b, other := s.browser(), s.browser()
	b.signsIn("alpha", "/platform/P001")
	other.signsIn("alpha", "/platform/P001")
	first := b.goes(s, one)
	b.goes(s, two)
	other.goes(s, one)
	stranger := s.browser()
	for _, who := range []sso.Subject{{NameID: sso.NameID{Value: "nobody"}}, {NameID: first.NameID, SessionIndex: []string{"_foreign"}}} {
		if m := s.answered(one, stranger.send(s.wish(one, who, sso.BindingRedirect))); !m.Success || m.Partial {
			t.Errorf("a foreign subject is answered %+v", m)
		}
	}
	if m := s.answered(two, stranger.send(s.wish(two, s.subject(first), sso.BindingRedirect))); !m.Success {
		t.Errorf("another console's subject is answered %+v", m)
	}
	if status, _ := b.who(); status != http.StatusOK {
		t.Errorf("a foreign wish ends the session: %d", status)
	}
	at := stranger.send(s.wish(one, s.subject(first), sso.BindingPost)).to() // without any cookie
	if status, _ := b.who(); status != http.StatusUnauthorized {
		t.Errorf("without cookies the session stays: %d", status)
	}
	if status, _ := other.who(); status != http.StatusOK {
		t.Errorf("the session of another index ends: %d", status)
	}
	stranger.get(at)
	p := stranger.ask(http.MethodPost, at, nil, false)
	if m := s.answered(one, stranger.get(p.to())); m.Success || !m.Partial {
		t.Errorf("skipped, and answered %+v", m)
	}
}

// answered is what the console that asked for a logout is told.
func (s *stage) answered(reg sso.Registration, p page) sso.LogoutResponse {
	s.t.Helper()
	post := queryPost(led(p))
	if !strings.HasPrefix(led(p), reg.SLO+"?") {
		s.t.Fatalf("%s is not answered: %d %s\n%s", reg.EntityID, p.status, led(p), p.body)
	}
	lookup := every{sso.Request{IdPID: reg.ID, Purpose: sso.PurposeLogout, ExpiresAt: s.now.Now().Add(time.Minute)}}
	m, _, err := sso.VerifyLogout(s.ctx(), reg.Logout(), post, lookup, s.now.Now())
	if err != nil || m.Response == nil || m.RelayState != "relay-1" {
		s.t.Fatalf("%s refuses the answer: %+v, %v", reg.EntityID, m, err)
	}
	return *m.Response
}

// TestHostedAssociationOver: a customer that is its partner's no longer is led round the consoles it visits before the
// next page, and is nobody until then.
func TestHostedAssociationOver(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		con, b, op := s.consoles["con"], s.browser(), scope.System("operator")
		b.signsIn("alpha", "/platform/P001")
		acc := b.goes(s, con)
		_, who := b.who()
		org, err := s.a.Organisations.ByCode(s.ctx(), op, who["organisation"].(string))
		if err != nil {
			t.Fatal(err)
		}
		list, err := s.a.Customers.Of(s.ctx(), org.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range list {
			if a.InForce(s.now.Now()) {
				if _, err := s.a.Customers.End(s.ctx(), op, a.ID, time.Time{}); err != nil {
					t.Fatal(err)
				}
			}
		}
		b.replica = 1 - b.replica
		if status, _ := b.who(); status != http.StatusUnauthorized {
			t.Errorf("a program is answered %d", status)
		}
		p := b.get("/account/sessions")
		if p.status != http.StatusSeeOther || !strings.Contains(p.to(), "/platform/P001/leaving/") {
			t.Fatalf("the next page: %d %s", p.status, p.to())
		}
		p = b.asksOut(s, con, b.get(p.to()), acc)
		if p.status != http.StatusOK || strings.Contains(p.body, "SAMLRequest") {
			t.Errorf("after the round: %d", p.status)
		}
		if p := b.get("/account/sessions"); p.status != http.StatusSeeOther || !strings.Contains(p.to(), "/login") {
			t.Errorf("afterwards: %d %s", p.status, p.to())
		}
	})
}

// TestLeaveEverywhere: who came by its partner's platform and went on to a console leaves the console first, and then the
// platform is asked; its answer ends it.
func TestLeaveEverywhere(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		reg, con := s.registered("HB_LEAVE", registry.AddInput{}), s.consoles["con"]
		b := s.browser()
		b.enter(reg, "x1")
		acc := b.goes(s, con)
		p := b.ask(http.MethodPost, "/saml/leave", nil, false)
		if p.status != http.StatusSeeOther || !strings.Contains(p.to(), "/platform/P001/leaving/") {
			t.Fatalf("leaving: %d %s\n%s", p.status, p.to(), p.body)
		}
		round := p.to()
		if status, _ := b.who(); status != http.StatusUnauthorized {
			t.Errorf("the session here: %d", status)
		}
		p = b.asksOut(s, con, b.get(round), acc)
		if !strings.HasPrefix(led(p), reg.SLOURL+"?") {
			t.Fatalf("the platform is not asked: %d %s\n%s", p.status, led(p), p.body)
		}
		idp := s.idp[reg.ID]
		theirs := sso.Partner{OurEntityID: idp.EntityID, OurSLO: idp.SLO, Keys: []sso.Key{{Use: sso.KeyUseSign, State: sso.KeyStateCurrent, Private: idp.Key, CertDER: idp.CertDER}},
			EntityID: reg.EntityID, SLO: reg.SLO, Binding: sso.BindingRedirect, Certs: certsOf(reg)}
		m, _, err := sso.VerifyLogout(s.ctx(), theirs, queryPost(led(p)), asked{}, s.now.Now())
		if err != nil || m.Request == nil || m.Request.Subject.NameID.Value != "n-x1" {
			t.Fatalf("the platform reads %+v, %v", m.Request, err)
		}
		out, err := sso.BuildLogoutResponse(theirs, m.Request.ID, m.RelayState, false, s.now.Now())
		if err != nil {
			t.Fatal(err)
		}
		if p := b.ask(http.MethodGet, strings.TrimPrefix(out.URL, jumpBase), nil, true); p.status != http.StatusOK || !strings.Contains(p.body, reg.PartnerName) {
			t.Errorf("the platform's answer: %d\n%s", p.status, p.body)
		}
		if p := b.get(round); p.status != http.StatusOK || led(p) != "" {
			t.Errorf("back on the page of the round: %d %s", p.status, led(p))
		}
	})
}

// certsOf are our keys of a registration as its platform knows them.
func certsOf(reg sso.Registration) (out []sso.Certificate) {
	for _, k := range reg.Keys {
		out = append(out, sso.Certificate{Use: sso.CertUseSigning, State: sso.CertStateCurrent, DER: k.CertDER, Fingerprint: sso.Fingerprint(k.CertDER), NotBefore: jumpDay.AddDate(-1, 0, 0), NotAfter: jumpDay.AddDate(1, 0, 0)})
	}
	return out
}
