package app

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"

	"huoban/internal/sso"
	"huoban/internal/sso/samltest"
)

const confirmAt = "/account/confirmation?next=%2Faccount%2Fsessions"

// TestStepUpHere: a consent is taken back by who signed in lately, or showed the password again; nothing is done by that
// alone.
func TestStepUpHere(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		b := s.browser()
		b.signsIn("alpha", "/platform/P001")
		b.goes(s, s.consoles["con"])
		consents := func() int { return s.count("SELECT COUNT(*) FROM sso_consent") }
		withdrawal := "/account/consoles/" + s.consoleID("con") + "/withdrawal"
		if p := b.get(confirmAt); p.status != http.StatusSeeOther || p.to() != "/account/sessions" {
			t.Errorf("who signed in just now is asked: %d %s", p.status, p.to())
		}
		s.now.Set(s.now.Now().Add(20 * time.Minute))
		if p := b.ask(http.MethodPost, withdrawal, nil, false); p.status != http.StatusSeeOther || p.to() != confirmAt || consents() != 1 {
			t.Fatalf("after twenty minutes: %d %s, %d consents", p.status, p.to(), consents())
		}
		if p := b.get(confirmAt); p.status != http.StatusOK || !strings.Contains(p.body, `name="password"`) || strings.Contains(p.body, `name="code"`) {
			t.Errorf("the page: %d\n%s", p.status, p.body)
		}
		say := func(password string) page {
			return b.ask(http.MethodPost, "/account/confirmation", url.Values{"next": {"/account/sessions"}, "password": {password}}, false)
		}
		if p := say("wrong"); p.status != http.StatusUnprocessableEntity || consents() != 1 {
			t.Errorf("a wrong password: %d", p.status)
		}
		if p := b.ask(http.MethodPost, withdrawal, nil, false); p.to() != confirmAt {
			t.Errorf("after a wrong password: %d %s", p.status, p.to())
		}
		b.replica = 1 - b.replica
		if p := say(stagePass); p.status != http.StatusSeeOther || p.to() != "/account/sessions" || consents() != 1 {
			t.Errorf("the password: %d %s, %d consents", p.status, p.to(), consents())
		}
		if p := b.ask(http.MethodPost, withdrawal, nil, false); p.status != http.StatusSeeOther || p.to() != "/account/sessions" || consents() != 0 {
			t.Errorf("confirmed: %d %s, %d consents", p.status, p.to(), consents())
		}
		s.now.Set(s.now.Now().Add(16 * time.Minute))
		if p := b.get(confirmAt); p.status != http.StatusOK {
			t.Errorf("a quarter of an hour later: %d", p.status)
		}
		for _, next := range []string{"https://evil.example/", "//evil.example", "/\\evil"} {
			if p := b.ask(http.MethodPost, "/account/confirmation", url.Values{"next": {next}, "password": {stagePass}}, false); p.status != http.StatusSeeOther || strings.Contains(p.to(), "evil") {
				t.Errorf("%s leads to %s", next, p.to())
			}
			s.now.Set(s.now.Now().Add(16 * time.Minute))
			b.who()
		}
	})
}

// TestStepUpThere: who came by a partner's platform signs in anew there; the answer must speak of the same person and
// be of a sign-in after the question, opens no session, and confirms the session that asked alone.
func TestStepUpThere(t *testing.T) {
	eachDoorway(t, func(t *testing.T, d *doorway) {
		b, same := d.browser(), d.browser()
		b.enter(d.regA, "x1")
		same.enter(d.regA, "x1")
		d.now.Set(d.now.Now().Add(20 * time.Minute))
		if p := b.get(confirmAt); p.status != http.StatusOK || !strings.Contains(p.body, d.regA.PartnerName) || strings.Contains(p.body, `name="password"`) {
			t.Fatalf("the page: %d\n%s", p.status, p.body)
		}
		same.who() // sessions that came by a platform end when they lie idle
		ask := func() sso.Request {
			t.Helper()
			p := b.ask(http.MethodPost, "/account/confirmation", url.Values{"next": {"/account/sessions"}}, false)
			u, err := url.Parse(led(p))
			if err != nil || !strings.HasPrefix(led(p), d.regA.SSOURL+"?") {
				t.Fatalf("the platform is not asked: %d %s\n%s", p.status, led(p), p.body)
			}
			var id string
			if err := d.a.DB.Writer().QueryRowContext(d.ctx(), "SELECT request_id FROM sso_request WHERE relay_id = $1 AND purpose = 'step_up'", u.Query().Get("RelayState")).Scan(&id); err != nil {
				t.Fatal(err)
			}
			r, _, err := d.a.SignOn.RequestByID(d.ctx(), id)
			if err != nil || !r.ForceAuthn {
				t.Fatalf("%+v, %v", r, err)
			}
			return sso.Request{ID: r.ID, RelayID: r.RelayID}
		}
		sessions := func() int { return d.count("SELECT COUNT(*) FROM sso_session") }
		before := sessions()
		if p := b.post(d.regA, d.say(d.regA, ask(), "x2")); p.status != http.StatusForbidden || d.code() != "sso.step_up.other" {
			t.Errorf("somebody else signed in there: %d %s", p.status, d.code())
		}
		old := d.say(d.regA, ask(), "x1")
		old.Before = func(_, assertion *etree.Element) {
			assertion.FindElement(".//AuthnStatement").CreateAttr("AuthnInstant", samltest.Stamp(d.now.Now().Add(-10*time.Minute)))
		}
		if p := b.post(d.regA, old); p.status != http.StatusForbidden || d.code() != sso.CodeAuthnOld {
			t.Errorf("an old sign-in: %d %s", p.status, d.code())
		}
		answer := d.say(d.regA, ask(), "x1")
		b.replica = 1 - b.replica
		p := b.post(d.regA, answer)
		if p.status != http.StatusSeeOther || p.to() != confirmAt || p.header.Get("Set-Cookie") != "" {
			t.Fatalf("the answer: %d %s %s", p.status, p.to(), p.header.Get("Set-Cookie"))
		}
		if p := b.post(d.regA, answer); p.status != http.StatusForbidden {
			t.Errorf("the answer again: %d %s", p.status, d.code())
		}
		if p := b.get(confirmAt); p.status != http.StatusSeeOther || p.to() != "/account/sessions" {
			t.Errorf("afterwards: %d %s", p.status, p.to())
		}
		if p := same.get(confirmAt); p.status != http.StatusOK {
			t.Errorf("another session of the same person is confirmed too: %d", p.status)
		}
		if n := sessions(); n != before {
			t.Errorf("%d sessions, %d before", n, before)
		}
	})
}
