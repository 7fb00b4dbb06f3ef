package app

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"

	"huoban/internal/sso"
	"huoban/internal/sso/samltest"
)

// logoutAttack is one row of the group of logout, sent to our address as service provider. Lasting ones are tried at
// both replicas with the same message.
type logoutAttack struct {
	row, code string
	send      func(d *doorway, b *browser) page
}

// loggingOut is a logout message in the making.
type loggingOut struct {
	param, relay, alg string
	tree              *etree.Element
	key               *rsa.PrivateKey
	change            func(query string) string
}

func (d *doorway) logoutTree(name string) *etree.Element {
	e := etree.NewElement("samlp:" + name)
	for _, a := range [][2]string{{"xmlns:samlp", samltest.NSProtocol}, {"xmlns:saml", samltest.NSAssertion}, {"ID", sso.NewMessageID()}, {"Version", "2.0"},
		{"IssueInstant", samltest.Stamp(d.now.Now())}, {"Destination", d.regA.SLO}} {
		e.CreateAttr(a[0], a[1])
	}
	e.CreateElement("saml:Issuer").SetText(d.idp[d.regA.ID].EntityID)
	return e
}

// wishes is a platform's wish to end the session of a subject, changed as the test wishes.
func (d *doorway) wishes(change func(m *loggingOut)) loggingOut {
	m := loggingOut{param: "SAMLRequest", relay: "r", alg: samltest.RSASHA256, tree: d.logoutTree("LogoutRequest"), key: d.idp[d.regA.ID].Key}
	m.tree.CreateElement("saml:NameID").SetText("n-x1")
	change(&m)
	return m
}

// answers is a platform's answer to a logout of ours.
func (d *doorway) answers(inResponseTo string, change func(m *loggingOut)) loggingOut {
	m := loggingOut{param: "SAMLResponse", alg: samltest.RSASHA256, tree: d.logoutTree("LogoutResponse"), key: d.idp[d.regA.ID].Key}
	m.tree.CreateAttr("InResponseTo", inResponseTo)
	m.tree.CreateElement("samlp:Status").CreateElement("samlp:StatusCode").CreateAttr("Value", "urn:oasis:names:tc:SAML:2.0:status:Success")
	change(&m)
	return m
}

// query is the message by redirect.
func (m loggingOut) query(t *testing.T) string {
	t.Helper()
	q := m.param + "=" + url.QueryEscape(samltest.Deflate(string(samltest.Text(m.tree))))
	if m.relay != "" {
		q += "&RelayState=" + url.QueryEscape(m.relay)
	}
	if m.key != nil {
		q += "&SigAlg=" + url.QueryEscape(m.alg)
		kind, sum := crypto.SHA256, sha256.New()
		if m.alg == samltest.RSASHA1 {
			kind, sum = crypto.SHA1, sha1.New()
		}
		sum.Write([]byte(q))
		sig, err := rsa.SignPKCS1v15(rand.Reader, m.key, kind, sum.Sum(nil))
		if err != nil {
			t.Fatal(err)
		}
		q += "&Signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(sig))
	}
	if m.change != nil {
		q = m.change(q)
	}
	return q
}

func (b *browser) slo(reg sso.Registration, query string) page {
	return b.ask(http.MethodGet, "/saml/sp/"+reg.Key+"/slo?"+query, nil, true)
}

func wish(change func(m *loggingOut)) func(d *doorway, b *browser) page {
	return func(d *doorway, b *browser) page { return b.slo(d.regA, d.wishes(change).query(d.t)) }
}

func posted(change func(m *loggingOut), sign func(d *doorway) *samltest.Signing) func(d *doorway, b *browser) page {
	return func(d *doorway, b *browser) page {
		m := d.wishes(change)
		if s := sign(d); s != nil {
			s.Sign(m.tree)
		}
		return b.ask(http.MethodPost, "/saml/sp/"+d.regA.Key+"/slo", url.Values{m.param: {base64.StdEncoding.EncodeToString(samltest.Text(m.tree))}, "RelayState": {m.relay}}, true)
	}
}

// reply answers a logout of ours that waits, or another request.
func reply(purpose string, change func(m *loggingOut)) func(d *doorway, b *browser) page {
	return func(d *doorway, b *browser) page {
		id := "_nobody-asked"
		if purpose != "" {
			id = d.waiting(purpose)
		}
		return b.slo(d.regA, d.answers(id, change).query(d.t))
	}
}

// waiting is a request of ours of that purpose at partner A, or, as "foreign", a logout at partner B.
func (d *doorway) waiting(purpose string) string {
	d.t.Helper()
	peer := d.regA.ID
	if purpose == "foreign" {
		purpose, peer = "logout", d.regB.ID
	}
	var id string
	err := d.a.DB.Writer().QueryRowContext(d.ctx(), "SELECT request_id FROM sso_request WHERE purpose = $1 AND idp_id = $2 AND consumed_at IS NULL ORDER BY created_at DESC", purpose, peer).Scan(&id)
	if err != nil {
		d.t.Fatal(purpose, err)
	}
	return id
}

func asIs(*loggingOut) {}

var logoutAttacks = []logoutAttack{
	{"120 unsigned", sso.CodeSLOSig, wish(func(m *loggingOut) { m.key = nil })},
	{"120 unsigned, by POST", sso.CodeSLOSig, posted(asIs, func(*doorway) *samltest.Signing { return nil })},
	{"120 wrong key", sso.CodeSLOSig, wish(func(m *loggingOut) { m.key = samltest.Key("stranger") })},
	{"120 wrong key, by POST", sso.CodeSLOSig, posted(asIs, func(*doorway) *samltest.Signing { return &samltest.Signing{Key: samltest.Key("stranger")} })},
	{"120 SigAlg sha1", sso.CodeSLOSig, wish(func(m *loggingOut) { m.alg = samltest.RSASHA1 })},
	{"120 order of the query changed", sso.CodeSLOSig, wish(func(m *loggingOut) {
		m.change = func(q string) string {
			p := strings.Split(q, "&")
			p[0], p[1] = p[1], p[0]
			return strings.Join(p, "&")
		}
	})},
	{"120 a parameter twice", sso.CodeSLOForm, wish(func(m *loggingOut) { m.change = func(q string) string { return q + "&RelayState=x" } })},
	{"121 NotOnOrAfter past", sso.CodeSLOTime, func(d *doorway, b *browser) page {
		return wish(func(m *loggingOut) {
			m.tree.CreateAttr("NotOnOrAfter", samltest.Stamp(d.now.Now().Add(-2*time.Minute)))
		})(d, b)
	}},
	{"121 issued ten minutes ago", sso.CodeSLOTime, func(d *doorway, b *browser) page {
		return wish(func(m *loggingOut) {
			m.tree.CreateAttr("IssueInstant", samltest.Stamp(d.now.Now().Add(-10*time.Minute)))
		})(d, b)
	}},
	{"121 replay, at the other replica", sso.CodeSLOReplay, func(d *doorway, b *browser) page {
		q := d.wishes(func(m *loggingOut) { m.tree.SelectElement("NameID").SetText("n-nobody") }).query(d.t)
		if p := b.slo(d.regA, q); p.status != http.StatusSeeOther {
			d.t.Errorf("the first time: %d", p.status)
		}
		b.replica = 1 - b.replica
		return b.slo(d.regA, q)
	}},
	{"124 answer to another partner's request", sso.CodeSLOInResponseTo, reply("foreign", asIs)},
	{"124 answer to a sign-in", sso.CodeSLOInResponseTo, reply("signin", asIs)},
	{"124 answer nobody waits for", sso.CodeSLOInResponseTo, reply("", asIs)},
	{"124 answer unsigned", sso.CodeSLOSig, reply("logout", func(m *loggingOut) { m.key = nil })},
	{"124 answer without issuer", sso.CodeSLOIssuer, reply("logout", func(m *loggingOut) { m.tree.RemoveChild(m.tree.SelectElement("Issuer")) })},
	{"125 no message", sso.CodeSLOForm, func(d *doorway, b *browser) page {
		return b.ask(http.MethodGet, "/saml/sp/"+d.regA.Key+"/slo", nil, true)
	}},
	{"125 no message but a RelayState", sso.CodeSLOForm, func(d *doorway, b *browser) page { return b.slo(d.regA, "RelayState=x") }},
}

// TestLogoutTable: each row of the group of logout over HTTP, at the two replicas in turn: refused with its code, kept and
// audited, and the customer stays in; a page that leaves when it is only looked at there is none.
func TestLogoutTable(t *testing.T) {
	eachDoorway(t, func(t *testing.T, d *doorway) {
		in := d.browser()
		in.enter(d.regA, "x1")
		gone := d.browser()
		gone.enter(d.regA, "x2")
		gone.ask(http.MethodPost, "/saml/leave", nil, false) // our logout that waits for its answer
		other := d.browser()
		other.enter(d.regB, "x1")
		other.ask(http.MethodPost, "/saml/leave", nil, false)
		d.browser().begin(d.regA, "")
		for i, row := range logoutAttacks {
			d.now.Set(d.now.Now().Add(time.Second))
			before := d.count("SELECT COALESCE(SUM(repeat_count + 1), 0) FROM sso_refusal")
			b := d.browser()
			b.replica = i % 2
			p := row.send(d, b)
			if got := d.code(); p.status != http.StatusForbidden || got != row.code {
				t.Errorf("%s: %d %s, want %s", row.row, p.status, got, row.code)
			}
			if n := d.count("SELECT COALESCE(SUM(repeat_count + 1), 0) FROM sso_refusal") - before; n != 1 {
				t.Errorf("%s: kept %d times", row.row, n)
			}
			if d.count("SELECT COUNT(*) FROM audit a WHERE a.action = 'sso.refuse' AND a.detail LIKE $1", `%"`+row.code+`"%`) == 0 {
				t.Errorf("%s: no audit line", row.row)
			}
			in.replica = i % 2
			if status, _ := in.who(); status != http.StatusOK {
				t.Fatalf("%s: the customer is out", row.row)
			}
			if d.waiting("logout") == "" {
				t.Fatalf("%s: the request that waits is spent", row.row)
			}
		}
		for _, path := range []string{"/saml/leave", "/logout"} {
			in.get(path)
			if status, _ := in.who(); status != http.StatusOK {
				t.Errorf("125 looking at %s leaves", path)
			}
		}
	})
}

// TestHeadSpendsNothing: a HEAD, as mail scanners send, leaves tickets and questions to who they are for.
func TestHeadSpendsNothing(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		b := s.browser()
		b.signsIn("alpha", "/platform/P001")
		_, at, _ := b.asks(s, s.consoles["con"], nil)
		b.agrees(at, true)
		req, out := s.question(s.consoles["con"], nil)
		p := b.send(out)
		at = p.to()
		for range 2 {
			if p := b.ask(http.MethodHead, at, nil, false); p.status != http.StatusNoContent || p.body != "" {
				t.Errorf("HEAD of a jump: %d", p.status)
			}
		}
		if _, status := s.told(s.consoles["con"], req, b.get(at)); status != "" {
			t.Errorf("after it the question is answered %s", status)
		}
	})
	eachDoorway(t, func(t *testing.T, d *doorway) {
		c := d.browser()
		at := c.post(d.regA, d.say(d.regA, c.begin(d.regA, ""), "x9")).to()
		if p := c.ask(http.MethodHead, at, nil, false); p.status != http.StatusNoContent {
			t.Errorf("HEAD of an arrival: %d", p.status)
		}
		if p := c.get(at); p.status != http.StatusOK || !strings.Contains(p.body, `value="create"`) {
			t.Errorf("after it the arrival is answered %d", p.status)
		}
	})
}
