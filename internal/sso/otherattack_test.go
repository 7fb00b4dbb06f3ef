package sso_test

import (
	"bytes"
	"compress/flate"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"

	"huoban/internal/sso"
	"huoban/internal/sso/samltest"
)

// TestReturns is the group of return addresses: what a browser, a proxy or another parser might read otherwise
// is refused, and what is allowed is rebuilt from its rule.
func TestReturns(t *testing.T) {
	reg := sso.Registration{DefaultReturnID: "home", Returns: []sso.Return{
		{ID: "home", ShortKey: "h", Scheme: "https", Host: "ok.example", PathPrefix: "/home", State: sso.ReturnStateApproved},
		{ID: "shop", ShortKey: "s", Scheme: "https", Host: "ok.example", Port: 8443, PathPrefix: "/", State: sso.ReturnStateApproved},
		{ID: "new", ShortKey: "n", Scheme: "https", Host: "new.example", PathPrefix: "/", State: sso.ReturnStatePending},
	}}
	for wish, want := range map[string]string{
		"https://ok.example/home":               "https://ok.example/home",
		"https://ok.example:443/home/a?b=c&d#e": "https://ok.example/home/a?b=c&d",
		"https://ok.example:8443":               "https://ok.example:8443/",
		"https://ok.example/home/%E4%BA%91":     "https://ok.example/home/%E4%BA%91",
		"/o/x/bills?cycle=2026-10":              "/o/x/bills?cycle=2026-10",
		"https://portal.example/o/x":            "/o/x",
		"":                                      "https://ok.example/home",
	} {
		to, err := sso.ResolveReturn(reg, base, wish)
		if err != nil || to.Address(reg) != want {
			t.Errorf("%q: %q %v, want %q", wish, to.Address(reg), err, want)
		}
	}
	for no, wishes := range map[string][]string{
		"113": {"https://evil", "//evil", `/\evil`, `\\evil`, "/%2f/evil", "https:evil", "https:///evil", "///evil", "/%5cevil", "//ok.example/home"},
		"114": {"javascript:alert(1)", "data:text/html,x", "java\tscript:alert(1)", "https\n://ok.example/home", " https://ok.example/home", "https://ok.example/home ", "JAVASCRIPT://ok.example/home", "http://ok.example/home", "HTTPS://ok.example/home"},
		"115": {"https://ok.example@evil/home", "https://ok.example.evil/home", "https://evil#ok.example/home", "https://ok.example./home", "https://ok.example:444/home", "https://ok%2eexample/home", "https://ok.example:/home", "https://ok.example:0443/home", "https://OK.example/home", "https://[::1]/home"},
		"116": {"https://ok。example/home", "https://ｏｋ.example/home", "https://xn--k-bna.example/home", "https%3A%2F%2Fok.example%2Fhome", "https://ok.example/home/%252e%252e"},
		"117": {"https://ok.example/home/../admin", "https://ok.example/homeX", "https://ok.example/home/%2e%2e/admin", "https://ok.example/home//x", "https://ok.example/", "https://ok.example/home/./x"},
		"118": {"https://ok.example/home?" + strings.Repeat("x", 2048)},
		"-":   {"https://new.example/", "https://ok.example/home\x00", "https://ok.example/home\u200b"},
	} {
		for _, wish := range wishes {
			to, err := sso.ResolveReturn(reg, base, wish)
			if r := sso.RefusalOf(err); r == nil || r.Code != sso.CodeReturnNotAllowed {
				t.Errorf("%s %q: allowed as %+v", no, wish, to)
			}
		}
	}
	for relay, want := range map[string]string{"s": "https://ok.example:8443/", "n": "https://ok.example/home", "https://evil/": "https://ok.example/home", "<script>": "https://ok.example/home", "": "https://ok.example/home"} {
		if got := sso.ResolveShortKey(reg, relay).Address(reg); got != want {
			t.Errorf("119 RelayState %q leads to %q", relay, got)
		}
	}
	gone := sso.Target{ReturnID: "old", Path: "/x"}
	if got := gone.Address(reg); got != "" {
		t.Errorf("a rule that is gone still leads to %q", got)
	}
}

// message is a request or logout message in the making, for the tables of this file.
type message struct {
	param  string
	tree   *etree.Element
	relay  string
	alg    string
	key    *rsa.PrivateKey
	signed func(query string) string // changes the signed query before it is sent
}

func (m message) get() sso.Post {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestSpeed)
	w.Write(samltest.Text(m.tree))
	w.Close()
	query := m.param + "=" + url.QueryEscape(base64.StdEncoding.EncodeToString(b.Bytes()))
	if m.relay != "" {
		query += "&RelayState=" + url.QueryEscape(m.relay)
	}
	if m.key != nil {
		alg, h, sum := m.alg, crypto.SHA256, sha256.New()
		if alg == "" {
			alg = samltest.RSASHA256
		}
		if alg == samltest.RSASHA1 {
			h, sum = crypto.SHA1, sha1.New()
		}
		query += "&SigAlg=" + url.QueryEscape(alg)
		sum.Write([]byte(query))
		sig, err := rsa.SignPKCS1v15(rand.Reader, m.key, h, sum.Sum(nil))
		if err != nil {
			panic(err)
		}
		query += "&Signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(sig))
	}
	if m.signed != nil {
		query = m.signed(query)
	}
	return sso.Post{Method: "GET", RawQuery: query}
}

func (m message) post(sign *samltest.Signing) sso.Post {
	if sign != nil {
		sign.Sign(m.tree)
	}
	return sso.Post{Method: "POST", ContentType: "application/x-www-form-urlencoded",
		Form: url.Values{m.param: {base64.StdEncoding.EncodeToString(samltest.Text(m.tree))}}}
}

func tree(name, dest, issuer string) *etree.Element {
	e := etree.NewElement("samlp:" + name)
	for _, a := range [][2]string{{"xmlns:samlp", samltest.NSProtocol}, {"xmlns:saml", samltest.NSAssertion}, {"ID", sso.NewMessageID()},
		{"Version", "2.0"}, {"IssueInstant", samltest.Stamp(noon)}, {"Destination", dest}} {
		e.CreateAttr(a[0], a[1])
	}
	e.CreateElement("saml:Issuer").SetText(issuer)
	return e
}

func swapParts(query string) string {
	parts := strings.Split(query, "&")
	parts[0], parts[1] = parts[1], parts[0]
	return strings.Join(parts, "&")
}

type wireRow struct {
	name, code string
	post       sso.Post
}

// logoutMessages makes the messages of the group of logout.
type logoutMessages struct {
	idp, other            *samltest.IdP
	reg                   sso.Registration
	book                  book
	mine, foreign, signin sso.Request
}

func newLogoutMessages() logoutMessages {
	idp, other := samltest.NewIdP("a", noon), samltest.NewIdP("b", noon)
	reg := idp.Registration("a", base, noon)
	b := book{}
	mine := samltest.Request(reg, noon)
	mine.Purpose = sso.PurposeLogout
	b[mine.ID] = mine
	foreign := mine
	foreign.ID, foreign.IdPID = sso.NewMessageID(), "b"
	b[foreign.ID] = foreign
	signin := b.open(reg, noon)
	return logoutMessages{idp, other, reg, b, mine, foreign, signin}
}

func (l logoutMessages) request(change func(m *message)) message {
	e := tree("LogoutRequest", l.reg.SLO, l.idp.EntityID)
	e.CreateElement("saml:NameID").SetText("name-1")
	m := message{param: "SAMLRequest", tree: e, relay: "r", key: l.idp.Key}
	if change != nil {
		change(&m)
	}
	return m
}

func (l logoutMessages) response(inResponseTo string, change func(m *message)) message {
	e := tree("LogoutResponse", l.reg.SLO, l.idp.EntityID)
	e.CreateAttr("InResponseTo", inResponseTo)
	code := e.CreateElement("samlp:Status").CreateElement("samlp:StatusCode")
	code.CreateAttr("Value", "urn:oasis:names:tc:SAML:2.0:status:Success")
	m := message{param: "SAMLResponse", tree: e, key: l.idp.Key}
	if change != nil {
		change(&m)
	}
	return m
}

func (l logoutMessages) rows() []wireRow {
	request, response, idp, other, reg, mine, foreign, signin := l.request, l.response, l.idp, l.other, l.reg, l.mine, l.foreign, l.signin
	set := func(key, value string) func(m *message) {
		return func(m *message) { m.tree.CreateAttr(key, value) }
	}
	noIssuer := func(m *message) { m.tree.RemoveChild(m.tree.SelectElement("Issuer")) }
	return []wireRow{
		{"0 control, redirect", "", request(nil).get()},
		{"0 control, post", "", request(nil).post(idp.Default())},
		{"0 control, response", "", response(mine.ID, nil).get()},
		{"0 control, foreign parameter", "", request(func(m *message) { m.signed = func(q string) string { return q + "&lang=zh" } }).get()},
		{"120 unsigned", sso.CodeSLOSig, request(func(m *message) { m.key = nil }).get()},
		{"120 unsigned post", sso.CodeSLOSig, request(nil).post(nil)},
		{"120 wrong key", sso.CodeSLOSig, request(func(m *message) { m.key = other.Key }).get()},
		{"120 wrong key, post", sso.CodeSLOSig, request(nil).post(other.Default())},
		{"120 sha1", sso.CodeSLOSig, request(func(m *message) { m.alg = samltest.RSASHA1 }).get()},
		{"120 order changed", sso.CodeSLOSig, request(func(m *message) { m.signed = swapParts }).get()},
		{"120 RelayState changed", sso.CodeSLOSig, request(func(m *message) {
			m.signed = func(q string) string { return strings.Replace(q, "RelayState=r", "RelayState=s", 1) }
		}).get()},
		{"120 parameter twice", sso.CodeSLOForm, request(func(m *message) { m.signed = func(q string) string { return q + "&RelayState=x" } }).get()},
		{"120 name escaped", sso.CodeSLOForm, request(func(m *message) { m.signed = func(q string) string { return q + "&%53AMLRequest=x" } }).get()},
		{"120 algorithms swapped", sso.CodeSLOSig, request(func(m *message) {
			m.signed = func(q string) string { return strings.Replace(q, "rsa-sha256", "rsa-sha512", 1) }
		}).get()},
		{"121 NotOnOrAfter past", sso.CodeSLOTime, request(set("NotOnOrAfter", samltest.Stamp(noon.Add(-2*time.Minute)))).get()},
		{"121 issued 10 min ago", sso.CodeSLOTime, request(set("IssueInstant", samltest.Stamp(noon.Add(-10*time.Minute)))).get()},
		{"121 Version", sso.CodeSLOForm, request(set("Version", "1.1")).get()},
		{"124 without issuer", sso.CodeSLOIssuer, response(mine.ID, noIssuer).get()},
		{"124 other issuer", sso.CodeSLOIssuer, request(func(m *message) { m.tree.SelectElement("Issuer").SetText(other.EntityID) }).get()},
		{"124 other destination", sso.CodeSLODest, request(set("Destination", "https://evil.example/slo")).get()},
		{"124 foreign request", sso.CodeSLOInResponseTo, response(foreign.ID, nil).get()},
		{"124 unknown request", sso.CodeSLOInResponseTo, response("_x", nil).get()},
		{"124 a sign-in's request", sso.CodeSLOInResponseTo, response(signin.ID, nil).get()},
		{"124 unsigned", sso.CodeSLOSig, response(mine.ID, func(m *message) { m.key = nil }).get()},
		{"124 refused there", sso.CodeSLOStatus, response(mine.ID, func(m *message) {
			m.tree.FindElement(".//StatusCode").CreateAttr("Value", "urn:oasis:names:tc:SAML:2.0:status:Requester")
		}).get()},
		{"125 no message", sso.CodeSLOForm, sso.Post{Method: "GET"}},
		{"125 no message, RelayState", sso.CodeSLOForm, sso.Post{Method: "GET", RawQuery: "RelayState=x"}},
		{"125 PUT", sso.CodeSLOForm, sso.Post{Method: "PUT"}},
		{"63 deflate bomb", sso.CodeInSize, bomb("SAMLRequest")},
		{"63 no deflate", sso.CodeInBase64, sso.Post{Method: "GET", RawQuery: "SAMLRequest=" + url.QueryEscape(base64.StdEncoding.EncodeToString([]byte("<x/>")))}},
		{"64 an AuthnRequest", sso.CodeXMLShape, message{param: "SAMLRequest", tree: tree("AuthnRequest", reg.SLO, idp.EntityID), key: idp.Key}.get()},
		{"41 a DTD", sso.CodeXMLDTD, rawGet("SAMLRequest", "<!DOCTYPE x><x/>")},
	}
}

// TestLogoutAttacks is the group of logout.
func TestLogoutAttacks(t *testing.T) {
	l := newLogoutMessages()
	for _, row := range l.rows() {
		t.Run(row.name, func(t *testing.T) {
			_, _, err := sso.VerifyLogout(t.Context(), l.reg.Logout(), row.post, l.book, noon)
			check(t, err, row.code)
		})
	}
}

func check(t *testing.T, err error, code string) {
	t.Helper()
	if code == "" {
		if err != nil {
			t.Error(err)
		}
		return
	}
	if r := sso.RefusalOf(err); r == nil || r.Code != code || r.Step == "" {
		t.Errorf("got %v, want %s", err, code)
	}
}

func rawGet(param, text string) sso.Post {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestCompression)
	w.Write([]byte(text))
	w.Close()
	return sso.Post{Method: "GET", RawQuery: param + "=" + url.QueryEscape(base64.StdEncoding.EncodeToString(b.Bytes()))}
}

// bomb unpacks to 8 MB out of some 8 KB.
func bomb(param string) sso.Post { return rawGet(param, strings.Repeat("<x>", 8<<20/3)) }

// registry has a console of each kind, that of id and others.
func registry(reg sso.Registration) (known consoles, id string) {
	console := consoleOf(reg, sso.EncryptOff)
	lax, off, old, foreign := console, console, console, console
	lax.EntityID, lax.RequireSigned = "lax", false
	off.EntityID, off.State = "off", sso.StateDisabled
	old.EntityID, old.ValidUntil = "old", noon.Add(-time.Hour)
	foreign.EntityID, foreign.PartnerID = "foreign", "partner-b"
	script := console
	script.EntityID, script.ACS = "script", []sso.Endpoint{{Index: 1, URL: "javascript:alert(1)", Binding: sso.BindingPost}}
	known = consoles{}
	for _, c := range []sso.Console{console, lax, off, old, foreign, script} {
		known[c.EntityID] = c
	}
	return known, console.EntityID
}

func questionRows(host sso.Host, reg sso.Registration, id string) []wireRow {
	key := reg.Keys[0].Private
	question := func(issuer string, change func(m *message)) message {
		m := message{param: "SAMLRequest", tree: tree("AuthnRequest", host.SSO, issuer), key: key, relay: `"><script>`}
		if change != nil {
			change(&m)
		}
		return m
	}
	attrs := func(pairs ...string) func(m *message) {
		return func(m *message) {
			for i := 0; i < len(pairs); i += 2 {
				m.tree.CreateAttr(pairs[i], pairs[i+1])
			}
		}
	}
	policy := func(format string) func(m *message) {
		return func(m *message) { m.tree.CreateElement("samlp:NameIDPolicy").CreateAttr("Format", format) }
	}
	context := func(how string, classes ...string) func(m *message) {
		return func(m *message) {
			e := m.tree.CreateElement("samlp:RequestedAuthnContext")
			if how != "" {
				e.CreateAttr("Comparison", how)
			}
			for _, c := range classes {
				e.CreateElement("saml:AuthnContextClassRef").SetText(c)
			}
		}
	}
	unsigned := func(m *message) { m.key = nil }
	return []wireRow{
		{"0 control", "", question(id, nil).get()},
		{"0 control, post", "", question(id, nil).post(&samltest.Signing{Key: key})},
		{"0 control, unsigned where that is fine", "", question("lax", unsigned).get()},
		{"0 control, address", "", question(id, attrs("AssertionConsumerServiceURL", reg.ACS, "ProtocolBinding", string(sso.BindingPost))).get()},
		{"0 control, index", "", question(id, attrs("AssertionConsumerServiceIndex", "1")).get()},
		{"126 unsigned", sso.CodeIdPSigRequired, question(id, unsigned).get()},
		{"126 unsigned post", sso.CodeIdPSigRequired, question(id, nil).post(nil)},
		{"126 badly signed", sso.CodeIdPSig, question(id, func(m *message) { m.key = samltest.Key("stranger") }).get()},
		{"126 sha1", sso.CodeIdPSig, question(id, func(m *message) { m.alg = samltest.RSASHA1 }).get()},
		{"127 optional, bad one present", sso.CodeIdPSig, question("lax", func(m *message) { m.key = samltest.Key("stranger") }).get()},
		{"127 optional, order changed", sso.CodeIdPSig, question("lax", func(m *message) { m.signed = swapParts }).get()},
		{"127 optional, bad one in a post", sso.CodeIdPSig, question("lax", nil).post(&samltest.Signing{Key: samltest.Key("stranger")})},
		{"128 address not registered", sso.CodeIdPACS, question(id, attrs("AssertionConsumerServiceURL", "https://evil.example/acs")).get()},
		{"128 index out of range", sso.CodeIdPACS, question(id, attrs("AssertionConsumerServiceIndex", "7")).get()},
		{"128 both", sso.CodeIdPACS, question(id, attrs("AssertionConsumerServiceIndex", "1", "AssertionConsumerServiceURL", reg.ACS)).get()},
		{"128 artifact", sso.CodeIdPACS, question(id, attrs("ProtocolBinding", "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact")).get()},
		{"129 without issuer", sso.CodeIdPForm, question(id, func(m *message) { m.tree.RemoveChild(m.tree.SelectElement("Issuer")) }).get()},
		{"129 unknown", sso.CodeIdPSPUnknown, question("nobody", nil).get()},
		{"129 disabled", sso.CodeIdPSPDisabled, question("off", nil).get()},
		{"129 metadata run out", sso.CodeIdPSPDisabled, question("old", nil).get()},
		{"130 100 h ahead", sso.CodeIdPTime, question(id, attrs("IssueInstant", samltest.Stamp(noon.Add(100*time.Hour)))).get()},
		{"130 10 min ago", sso.CodeIdPTime, question(id, attrs("IssueInstant", samltest.Stamp(noon.Add(-10*time.Minute)))).get()},
		{"130 other destination", sso.CodeIdPDest, question(id, attrs("Destination", "https://other.example/sso")).get()},
		{"130 Version", sso.CodeIdPForm, question(id, attrs("Version", "1.1")).get()},
		{"133 policy unsupported", sso.CodeIdPNameID, question(id, policy(string(sso.NameIDEmail))).get()},
		{"133 policy transient", "", question(id, policy(string(sso.NameIDTransient))).get()},
		{"133 policy as granted", "", question(id, policy(string(sso.NameIDPersistent))).get()},
		{"133 policy for a group of consoles", sso.CodeIdPNameID, question(id, func(m *message) {
			policy(string(sso.NameIDPersistent))(m)
			m.tree.SelectElement("NameIDPolicy").CreateAttr("SPNameQualifier", "https://group.example")
		}).get()},
		{"- context as we have", "", question(id, context("", "urn:oasis:names:tc:SAML:2.0:ac:classes:X509", "urn:oasis:names:tc:SAML:2.0:ac:classes:Password")).get()},
		{"- context at least", "", question(id, context("minimum", "urn:oasis:names:tc:SAML:2.0:ac:classes:Password")).get()},
		{"- context beyond ours", sso.CodeIdPContext, question(id, context("minimum", "https://refeds.org/profile/mfa")).get()},
		{"- context unknown", sso.CodeIdPContext, question(id, context("exact", "https://example.com/palm")).get()},
		{"134 script address", sso.CodeIdPACS, question("script", nil).get()},
		{"136 another partner's console", sso.CodeIdPSPUnknown, question("foreign", nil).get()},
		{"63 deflate bomb", sso.CodeInSize, bomb("SAMLRequest")},
		{"63 a response", sso.CodeIdPForm, bombless("SAMLResponse")},
	}
}

// TestAuthnRequestAttacks is the group of the IdP's side.
func TestAuthnRequestAttacks(t *testing.T) {
	host, reg := ours(noon)
	known, id := registry(reg)
	for _, row := range questionRows(host, reg, id) {
		t.Run(row.name, func(t *testing.T) {
			got, _, err := sso.VerifyAuthnRequest(t.Context(), host, row.post, known, noon)
			check(t, err, row.code)
			if row.code == "" && got.ACS.URL != reg.ACS {
				t.Errorf("answers to %q", got.ACS.URL)
			}
			if status := map[string]string{sso.CodeIdPNameID: "InvalidNameIDPolicy", sso.CodeIdPContext: "NoAuthnContext"}[row.code]; status != "" {
				a := sso.RefusalOf(err).Answer
				if a == nil || a.Status != status || a.ACS.URL != reg.ACS {
					t.Errorf("the console is told %+v", a)
				} else if out, err := sso.BuildErrorResponse(host, *a, noon); err != nil || len(out.Fields) != 2 {
					t.Errorf("error answer %+v %v", out, err)
				}
			}
		})
	}
	if err := host.Serves(known["foreign"], noon); sso.RefusalOf(err) == nil {
		t.Error("136 a launch to another partner's console")
	}
	if got := known[id].Granted(map[string]string{"account": "a", "email": "secret"}); len(got) != 1 || got[0].Name != "xAccountId" {
		t.Errorf("135 granted %+v", got)
	}
}

func bombless(param string) sso.Post { return rawGet(param, "<x/>") }
