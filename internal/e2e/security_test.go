package e2e

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"huoban/internal/portal"
	"huoban/internal/session"
	"huoban/internal/store/sessionstore"
)

// always is what every answer carries.
var always = map[string]string{
	"X-Content-Type-Options":     "nosniff",
	"X-Frame-Options":            "DENY",
	"Referrer-Policy":            "same-origin",
	"Cross-Origin-Opener-Policy": "same-origin",
}

func checkHeaders(t *testing.T, what string, r reply) {
	t.Helper()
	for name, want := range always {
		if got := r.header.Get(name); got != want && (name != "Referrer-Policy" || got != "no-referrer") {
			t.Errorf("%s: %s is %q, want %q", what, name, got, want)
		}
	}
	policy := r.header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("%s: policy lacks %q: %s", what, want, policy)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
		t.Errorf("%s: policy allows too much: %s", what, policy)
	}
}

func testHeaders(t *testing.T, w *world) {
	found := w.find(t, vendor)
	c := w.signIn(t, "lanhai-admin")
	for _, r := range portal.Routes() {
		got := c.do(r.Method, found.fill(r, ""), "x=%00", header("Sec-Fetch-Site", "cross-site"))
		checkHeaders(t, r.Method+" "+r.Path, got)
		if got.header.Get("X-Request-Id") == "" {
			t.Errorf("%s %s has no request number", r.Method, r.Path)
		}
		if got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s %s may be stored: %q", r.Method, r.Path, got.header.Get("Cache-Control"))
		}
		if r.Method == http.MethodGet && strings.Contains(got.header.Get("Content-Type"), "html") {
			checkInline(t, r.Path, got)
		}
	}
	c = w.anonymous(t)
	static := c.get(c.get("/login").page(t).Find("link[rel=stylesheet]").First().AttrOr("href", "/static/portal.css"))
	c.want(static, http.StatusOK, "style sheet")
	checkHeaders(t, "style sheet", static)
	checkHeaders(t, "absent file", c.get("/static/absent.css"))
}

// checkInline: the policy forbids inline script and style, so there must be none.
func checkInline(t *testing.T, path string, r reply) {
	t.Helper()
	doc := r.page(t)
	if n := doc.Find("script:not([src]), style, [style], [onclick], [onchange], [onload], [onsubmit]").Length(); n > 0 {
		t.Errorf("%s holds %d inline scripts or styles", path, n)
	}
}

// TestForeignForms: other sites may post where a platform's signed messages arrive, and nowhere else.
func TestForeignForms(t *testing.T) {
	allowed := []string{"/saml/sp/:key/acs", "/saml/sp/:key/slo", "/saml/idp/:key/sso", "/saml/idp/:key/slo"}
	for _, r := range portal.Routes() {
		if r.Foreign && (r.Method != http.MethodPost || !slices.Contains(allowed, r.Path)) {
			t.Errorf("%s %s takes forms of other sites", r.Method, r.Path)
		}
	}
}

// testCrossOrigin: no form of another site has an effect.
func testCrossOrigin(t *testing.T, w *world) {
	found := w.find(t, vendor)
	c := w.signIn(t, "lanhai-admin")
	for _, r := range portal.Routes() {
		if r.Method == http.MethodGet {
			continue
		}
		path := found.fill(r, "")
		for name, tweaks := range map[string][]tweak{
			"cross-site": {header("Sec-Fetch-Site", "cross-site")},
			"same-site":  {header("Sec-Fetch-Site", "same-site")},
			"origin":     {header("Origin", "https://evil.example")},
			"null":       {header("Origin", "null")},
			"json":       {header("Origin", "https://evil.example"), asProgram},
		} {
			c.want(c.do(r.Method, path, "", tweaks...), http.StatusForbidden, name+" "+r.Method+" "+path)
		}
	}
	c.want(c.get("/o/"+vendor), http.StatusOK, "still signed in after a foreign sign-out")
	same := c.do(http.MethodPost, "/preferences/language", "", header("Sec-Fetch-Site", "same-origin"))
	if same.status == http.StatusForbidden {
		t.Error("a form of our own is refused")
	}
}

func cookieOf(t *testing.T, r reply) *http.Cookie {
	t.Helper()
	res := http.Response{Header: r.header}
	var last *http.Cookie
	for _, c := range res.Cookies() {
		if strings.HasSuffix(c.Name, "portal") {
			last = c
		}
	}
	if last == nil {
		t.Fatalf("no session cookie in %v", r.header)
	}
	return last
}

func testCookies(t *testing.T, w *world) {
	c := w.anonymous(t)
	before := cookieOf(t, c.post("/preferences/theme", "theme", "dark"))
	in := c.post("/login", "username", leaver, "password", password)
	after := cookieOf(t, in)
	if after.Name != "portal" || !after.HttpOnly || after.Secure || after.SameSite != http.SameSiteLaxMode || after.Path != "/" || after.Domain != "" {
		t.Errorf("cookie on http: %+v", after)
	}
	if before.Value == after.Value {
		t.Error("the token before sign-in is that after it")
	}
	old := w.anonymous(t)
	if r := old.get("/o/"+partner, header("Cookie", "portal="+before.Value)); r.status != http.StatusSeeOther {
		t.Errorf("the token from before the sign-in is worth something: %d", r.status)
	}
	c.want(c.get("/o/"+partner), http.StatusOK, "signed in")
	out := c.want(c.post("/logout"), http.StatusSeeOther, "sign-out")
	if out.location() != "/login" {
		t.Errorf("sign-out leads to %q", out.location())
	}
	for name, value := range map[string]string{"ended": after.Value, "invented": strings.Repeat("A", 43), "odd": "%00", "long": strings.Repeat("x", 3000)} {
		r := old.get("/o/"+partner, header("Cookie", "portal="+value))
		if r.status != http.StatusSeeOther {
			t.Errorf("%s token: %d", name, r.status)
		}
	}
}

// testSecureCookie: behind https the cookie is bound to host and TLS.
func testSecureCookie(t *testing.T, w *world) {
	safe := *w.app
	safe.Settings.BaseURL = "https://portal.example"
	var err error
	safe.Sessions, err = session.New(sessionstore.New(safe.DB), safe.DB, safe.Audit, safe.Clock, session.Options{BaseURL: safe.Settings.BaseURL})
	if err != nil {
		t.Fatal(err)
	}
	c := w.anonymous(t)
	c.base = serve(t, &safe)
	r := c.want(c.post("/login", "username", leaver, "password", password), http.StatusSeeOther, "sign-in")
	k := cookieOf(t, r)
	if k.Name != "__Host-portal" || !k.Secure || !k.HttpOnly || k.SameSite != http.SameSiteLaxMode || k.Path != "/" || k.Domain != "" {
		t.Errorf("cookie on https: %+v", k)
	}
	if r.header.Get("Strict-Transport-Security") == "" {
		t.Error("no Strict-Transport-Security on https")
	}
	c.want(c.get("/o/"+partner, header("Cookie", "__Host-portal="+k.Value)), http.StatusOK, "with the cookie")
	c = w.anonymous(t)
	c.base = serve(t, &safe)
	c.want(c.get("/o/"+partner, header("Cookie", "portal="+k.Value)), http.StatusSeeOther, "under the other name")
}

// testAddress: a forwarded address is believed only from networks the operator named.
func testAddress(t *testing.T, w *world) {
	const claimed = "203.0.113.77"
	behind := *w.app
	behind.Settings.TrustedProxies = []string{"127.0.0.0/8", "::1/128"}
	for name, s := range map[string]struct {
		base, want string
	}{"direct": {w.url, "127.0.0.1"}, "trusted proxy": {serve(t, &behind), claimed}} {
		c := w.anonymous(t)
		c.base = s.base
		forwarded := header("X-Forwarded-For", claimed)
		c.want(c.do(http.MethodPost, "/login", form("username", leaver, "password", password), forwarded, header("X-Real-Ip", "198.51.100.1")), http.StatusSeeOther, name)
		page := c.get("/account/sessions", forwarded).page(t)
		row := page.Find("tr").FilterFunction(func(_ int, s *selection) bool { return s.Find(".hb-tag").Length() > 0 })
		if got := strings.TrimSpace(row.Find("td.hb-mono").First().Text()); got != s.want {
			t.Errorf("%s: signed in from %q, want %q", name, got, s.want)
		}
	}
}

// testLimits: bodies are bounded, and what is no request is refused cleanly.
func testLimits(t *testing.T, w *world) {
	c := w.signIn(t, "lanhai-admin")
	big := strings.Repeat("x", 2<<20)
	for _, path := range []string{"/login", "/account/password", "/o/" + vendor + "/closes/" + theCycle + "/freezing", "/o/" + vendor + "/messages/reading"} {
		r := c.do(http.MethodPost, path, "a="+big)
		if r.status < 400 || r.status >= 500 {
			t.Errorf("POST %s with 2 MB: %d", path, r.status)
		}
		r = c.do(http.MethodPost, path, `{"a":"`+big+`"}`, asProgram, header("Content-Type", "application/json"))
		if r.status < 400 || r.status >= 500 {
			t.Errorf("POST %s with 2 MB of JSON: %d", path, r.status)
		}
	}
	found, pages, once := w.find(t, vendor), map[string]bool{}, map[string]bool{}
	for _, r := range portal.Routes() {
		pages[r.Path] = pages[r.Path] || r.Method == http.MethodGet
		once[r.Path] = once[r.Path] || r.Once
	}
	for _, r := range portal.Routes() {
		path := found.fill(r, "")
		for _, method := range []string{http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete, http.MethodPatch, "PROPFIND", "BREW"} {
			got := c.do(method, path, "")
			if method == http.MethodHead && pages[r.Path] {
				if once[r.Path] {
					if got.status != http.StatusNoContent || got.body != "" {
						t.Errorf("HEAD %s: %d with %d bytes, and it may take nothing", path, got.status, len(got.body))
					}
				} else if asked := c.get(path); got.status != asked.status || got.body != "" {
					t.Errorf("HEAD %s: %d with %d bytes, and GET %d", path, got.status, len(got.body), asked.status)
				}
				continue
			}
			if got.status != http.StatusNotFound && got.status != http.StatusMethodNotAllowed {
				t.Errorf("%s %s: %d", method, path, got.status)
			}
		}
	}
}

// hostile are texts no page may stumble over.
var hostile = map[string]string{
	"nul":        "%00",
	"nul inside": "a%00b",
	"not utf-8":  "%ff%fe%c0%af",
	"half rune":  "%e4%bd",
	"long":       strings.Repeat("9", 20000),
	"path":       "..%2f..%2fetc%2fpasswd",
	"quote":      "%27%3b%20drop%20table%20person%3b--",
	"markup":     "%3Cscript%3Ealert(1)%3C%2Fscript%3E",
	"template":   "%7b%7b.%7d%7d",
	"newline":    "a%0d%0aSet-Cookie:%20x=1",
	"negative":   "-1",
	"huge":       "99999999999999999999999999",
	"empty":      "",
	"emoji":      "%f0%9f%98%80",
	"bidi":       "%e2%80%ae",
}

var parameters = []string{"cycle", "vendor", "partner", "currency", "entity", "customer", "product", "kind", "mode", "region", "zero", "size",
	"after", "why", "figure", "format", "by", "next", "source", "final", "done", "check", "state", "page", "level", "rule", "q"}

func testHostile(t *testing.T, w *world) {
	found := w.find(t, vendor)
	c := w.signIn(t, "lanhai-admin")
	for _, r := range portal.Routes() {
		for name, text := range hostile {
			path := found.fill(r, "")
			path, query, _ := strings.Cut(path, "?")
			if query != "" {
				query += "&"
			}
			if r.Method == http.MethodGet {
				for _, p := range parameters {
					if len(text) > 1000 && p != "cycle" && p != "after" && p != "why" {
						continue
					}
					answer := c.get(path + "?" + query + p + "=" + text)
					if answer.status >= 500 {
						t.Errorf("GET %s?%s=%s: %d", path, p, name, answer.status)
					}
					if strings.Contains(answer.body, "<script>alert(1)") {
						t.Errorf("GET %s?%s= echoes markup", path, p)
					}
					if answer.header.Get("Set-Cookie") == "x=1" {
						t.Errorf("GET %s?%s= splits the header", path, p)
					}
				}
			} else if answer := c.do(r.Method, hostilePath(r, found, text), "username="+text+"&password="+text+"&confirm="+text+"&reason="+text+"&idempotency_key="+text+"&language="+text+"&org_code="+text); answer.status >= 500 {
				t.Errorf("POST %s with %s: %d", r.Path, name, answer.status)
			}
			if len(r.IDs) > 0 && text != "" {
				if answer := c.get(hostilePath(r, found, text)); answer.status >= 500 {
					t.Errorf("GET %s with %s: %d", r.Path, name, answer.status)
				}
			}
			if r.Name == "logout" {
				c = w.signIn(t, "lanhai-admin")
			}
		}
	}
	c.want(c.get("/o/"+vendor), http.StatusOK, "afterwards")
}

// hostilePath puts the text into every parameter of the path but the organisation.
func hostilePath(r portal.RouteInfo, found things, text string) string {
	if text == "" || len(text) > 1000 {
		text = "x"
	}
	path := r.Path
	for _, id := range r.IDs {
		v := text
		if id == "org" {
			v = found["org"]
		}
		path = strings.Replace(path, ":"+id, v, 1)
	}
	return path
}

// testNext: after sign-in nobody is led to another site.
func testNext(t *testing.T, w *world) {
	for _, next := range []string{"https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)", "/%09/evil.example",
		"/\t/evil.example", "http:evil.example", "/o/../..//evil.example", "///evil.example", "/\r\nSet-Cookie: x=1"} {
		c := w.anonymous(t)
		r := c.want(c.post("/login", "username", leaver, "password", password, "next", next), http.StatusSeeOther, "sign-in")
		u, err := url.Parse(r.location())
		if err != nil || u.Host != "" || u.Scheme != "" || !strings.HasPrefix(r.location(), "/") || strings.HasPrefix(r.location(), "//") || strings.ContainsAny(r.location(), "\\\r\n\t") {
			t.Errorf("next=%q leads to %q", next, r.location())
		}
		for _, form := range []string{"/preferences/language", "/preferences/theme"} {
			r := c.post(form, "language", "en", "theme", "dark", "next", next)
			if u, err := url.Parse(r.location()); err != nil || u.Host != "" || strings.HasPrefix(r.location(), "//") || strings.ContainsAny(r.location(), "\\\r\n\t") {
				t.Errorf("%s with next=%q leads to %q", form, next, r.location())
			}
		}
	}
}

func seconds(t *testing.T, r reply) int {
	t.Helper()
	n, err := strconv.Atoi(r.header.Get("Retry-After"))
	if err != nil {
		t.Errorf("Retry-After is %q", r.header.Get("Retry-After"))
	}
	return n
}
