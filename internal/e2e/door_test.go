package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"huoban/internal/portal"
)

// testThrottle: only failures count, and when they are too many even the right password waits.
func testThrottle(t *testing.T, w *world) {
	c := w.anonymous(t)
	for range 7 {
		c.want(c.post("/login", "username", victim, "password", password), http.StatusSeeOther, "right password")
		c = w.anonymous(t)
	}
	guess := func() reply { return c.post("/login", "username", victim, "password", "wrong-"+password) }
	for i := range 5 {
		r := c.want(guess(), http.StatusUnauthorized, "guess")
		if i == 0 && !strings.Contains(r.body, `value="`+victim+`"`) {
			t.Error("the login typed is lost")
		}
		if strings.Contains(r.body, "wrong-"+password) {
			t.Error("the page repeats the password")
		}
	}
	for name, r := range map[string]reply{"guess": guess(), "right password": c.post("/login", "username", victim, "password", password),
		"right password, other case": c.post("/login", "username", strings.ToUpper(victim), "password", password),
		"program":                    c.do(http.MethodPost, "/login", form("username", victim, "password", password), asProgram)} {
		c.want(r, http.StatusTooManyRequests, name+" while locked")
		if s := seconds(t, r); s < 1 || s > 60 {
			t.Errorf("%s: come again in %d s", name, s)
		}
	}
	unknown := c.want(c.post("/login", "username", "nobody-at-all", "password", password), http.StatusUnauthorized, "unknown login")
	wrong := c.want(c.post("/login", "username", leaver, "password", "wrong"), http.StatusUnauthorized, "wrong password")
	if strings.Replace(unknown.body, "nobody-at-all", leaver, 1) != wrong.body {
		t.Errorf("an unknown login is told from a wrong password:\n%s", firstDifference(strings.Replace(unknown.body, "nobody-at-all", leaver, 1), wrong.body))
	}
	c.want(c.post("/login", "username", leaver, "password", password), http.StatusSeeOther, "others meanwhile")
}

// testFirstChange: a person with a first password reaches nothing but the change of it.
func testFirstChange(t *testing.T, w *world) {
	c := w.anonymous(t)
	r := c.want(c.post("/login", "username", fresh, "password", password), http.StatusSeeOther, "sign-in")
	if !strings.HasPrefix(r.location(), "/account/password") {
		t.Fatalf("a first sign-in leads to %q", r.location())
	}
	found := things{"org": partner, "cycle": theCycle}
	for _, r := range portal.Routes() {
		if !inOrg(r) {
			continue
		}
		path := found.fill(r, "")
		got := c.do(r.Method, path, "")
		if r.Method == http.MethodGet && got.status == http.StatusSeeOther && strings.HasPrefix(got.location(), "/account/password") {
			continue
		}
		c.want(got, http.StatusForbidden, r.Method+" "+path)
	}
	change := func(old, next, repeat string) reply {
		return c.post("/account/password", "current", old, "password", next, "repeat", repeat)
	}
	page := c.want(c.get("/account/password"), http.StatusOK, "the form").page(t)
	if page.Find("form[action='/account/password'] input[name=password]").Length() != 1 || page.Find("input[name=current]").Length() != 1 {
		t.Error("the form does not ask for the old and the new password")
	}
	const next = "Quite-Another-2027"
	wrong := c.want(change("wrong", next, next), http.StatusUnprocessableEntity, "wrong old password").page(t)
	if wrong.Find("#f-current[aria-invalid=true], input[name=current].is-invalid").Length() != 1 {
		t.Error("the refusal does not stand at the old password")
	}
	c.want(change(password, password, password), http.StatusUnprocessableEntity, "the same again")
	c.want(change(password, "short", "short"), http.StatusUnprocessableEntity, "too short")
	c.want(change(password, next, next+"x"), http.StatusUnprocessableEntity, "mistyped")
	c.want(c.get("/o/"+partner+"/bills"), http.StatusForbidden, "still not")
	c.want(change(password, next, next), http.StatusSeeOther, "change")
	c.want(c.get("/o/"+partner+"/bills"), http.StatusOK, "afterwards")
}

// testSecondStep switches two-step sign-in on, signs in with it, and switches it off by the password.
func testSecondStep(t *testing.T, w *world) {
	c := w.signIn(t, second)
	enrol := c.want(c.post("/account/totp"), http.StatusOK, "enrolment").page(t)
	secret := strings.TrimSpace(enrol.Find("code").First().Text())
	if secret == "" {
		t.Fatal("no secret shown")
	}
	code := func(after time.Duration) string {
		text, err := totp.GenerateCode(secret, w.app.Clock.Now().Add(after))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	c.want(c.post("/account/totp", "code", "000000"), http.StatusUnprocessableEntity, "wrong code")
	on := c.want(c.post("/account/totp", "code", code(-30*time.Second)), http.StatusOK, "confirmation")
	if strings.Contains(on.body, secret) {
		t.Error("the secret is shown again")
	}

	in := w.anonymous(t)
	r := in.want(in.post("/login", "username", second, "password", password), http.StatusSeeOther, "first step")
	if !strings.HasPrefix(r.location(), "/login/code") {
		t.Fatalf("the first step leads to %q", r.location())
	}
	in.want(in.get("/o/"+partner), http.StatusSeeOther, "not signed in yet")
	in.want(in.get("/login/code"), http.StatusOK, "page of the second step")
	in.want(in.post("/login/code", "code", "000000"), http.StatusUnauthorized, "wrong code")
	now := code(0)
	in.want(in.post("/login/code", "code", now[:3]+" "+now[3:]), http.StatusSeeOther, "second step")
	in.want(in.get("/o/"+partner), http.StatusOK, "signed in")

	again := w.anonymous(t)
	again.post("/login", "username", second, "password", password)
	again.want(again.post("/login/code", "code", now), http.StatusUnauthorized, "the same code again")

	page := in.get("/account/sessions").page(t)
	if page.Find("form[action='/account/totp'] input[type=password][name=password]").Length() != 1 {
		t.Error("switching off does not ask for the password")
	}
	in.want(in.post("/account/totp", "password", "wrong"), http.StatusUnprocessableEntity, "off with a wrong password")
	in.want(in.post("/account/totp", "password", password), http.StatusSeeOther, "off")
	w.signIn(t, second)
}

// testSessions: the list shows where one is signed in, and ends any of them at once.
func testSessions(t *testing.T, w *world) {
	here, there := w.signIn(t, leaver), w.signIn(t, leaver)
	here.want(here.get("/account/sessions"), http.StatusOK, "list")
	here.want(here.post("/account/sessions/ending"), http.StatusSeeOther, "end the others")
	there.want(there.get("/account/sessions"), http.StatusSeeOther, "ended")
	here.want(here.get("/account/sessions"), http.StatusOK, "one's own goes on")

	stranger := w.signIn(t, partnerFin)
	other := w.signIn(t, leaver)
	action := here.get("/account/sessions").page(t).Find("form[action^='/account/sessions/'][action$='/ending']").
		FilterFunction(func(_ int, s *selection) bool { return s.AttrOr("action", "") != "/account/sessions/ending" }).First().AttrOr("action", "")
	if action == "" {
		t.Fatal("no other session to end")
	}
	stranger.post(action)
	other.want(other.get("/account/sessions"), http.StatusOK, "not ended by a stranger")
	here.want(here.post(action), http.StatusSeeOther, "end that one")
	other.want(other.get("/account/sessions"), http.StatusSeeOther, "ended")
}
