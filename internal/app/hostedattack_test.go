package app

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"

	"huoban/internal/scope"
	"huoban/internal/sso"
	"huoban/internal/sso/registry"
	"huoban/internal/sso/samltest"
)

// every answers any request by the same.
type every struct{ sso.Request }

func (e every) RequestByID(_ context.Context, id string) (sso.Request, bool, error) {
	e.ID = id
	return e.Request, true, nil
}

// consoleAttack is one row of the table of attacks on a hosted platform.
type consoleAttack struct {
	row  string
	code string
	do   func(s *stage, b *browser) page
}

// asked sends a question that was changed and signed.
func changed(change func(e *etree.Element)) func(s *stage, b *browser) page {
	return func(s *stage, b *browser) page {
		_, out := s.question(s.consoles["con"], change)
		return b.send(out)
	}
}

func attrs(pairs ...string) func(e *etree.Element) {
	return func(e *etree.Element) {
		for i := 0; i < len(pairs); i += 2 {
			e.CreateAttr(pairs[i], pairs[i+1])
		}
	}
}

// byQuery sends a question by redirect, its query changed as the test wishes.
func byQuery(change func(q string) string) func(s *stage, b *browser) page {
	return func(s *stage, b *browser) page {
		reg := s.consoles["con"]
		out, err := sso.BuildAuthnRequest(reg, sso.Request{ID: sso.NewMessageID(), RelayID: sso.NewToken()}, s.now.Now())
		if err != nil {
			s.t.Fatal(err)
		}
		path, query, _ := strings.Cut(strings.TrimPrefix(out.URL, jumpBase), "?")
		return b.get(path + "?" + change(query))
	}
}

func cutFrom(q, part string) string { head, _, _ := strings.Cut(q, part); return head }

// strangers' consoles have the metadata of a known one and the keys of nobody.
func signedBy(name string, change func(reg *sso.Registration)) func(s *stage, b *browser) page {
	return func(s *stage, b *browser) page {
		reg := s.consoles["con"]
		if name != "" {
			reg.Keys = []sso.Key{{Use: sso.KeyUseSign, State: sso.KeyStateCurrent, Private: samltest.Key(name), CertDER: reg.Keys[0].CertDER}}
		}
		change(&reg)
		_, out := s.question(reg, nil)
		return b.send(out)
	}
}

var consoleAttacks = []consoleAttack{
	{"126 unsigned", sso.CodeIdPSigRequired, byQuery(func(q string) string { return cutFrom(q, "&SigAlg") })},
	{"126 signed by a stranger", sso.CodeIdPSig, signedBy("stranger", func(*sso.Registration) {})},
	{"126 RelayState changed after signing", sso.CodeIdPSig, byQuery(func(q string) string { return strings.Replace(q, "RelayState=", "RelayState=x", 1) })},
	{"127 optional signature, bad one present", sso.CodeIdPSig, func(s *stage, b *browser) page {
		_, out := s.question(s.consoles["lax"], attrs("Destination", s.host.SSO))
		raw, _ := base64.StdEncoding.DecodeString(out.Fields[0].Value)
		out.Fields[0].Value = base64.StdEncoding.EncodeToString([]byte(strings.Replace(string(raw), "ProtocolBinding", "ForceAuthn=\"true\" ProtocolBinding", 1)))
		return b.send(out)
	}},
	{"128 address not registered", sso.CodeIdPACS, changed(attrs("AssertionConsumerServiceURL", "https://evil.example/acs"))},
	{"128 address and index", sso.CodeIdPACS, changed(attrs("AssertionConsumerServiceIndex", "0"))},
	{"128 artifact", sso.CodeIdPACS, changed(attrs("ProtocolBinding", "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact"))},
	{"129 without issuer", sso.CodeIdPForm, changed(func(e *etree.Element) { e.RemoveChild(e.SelectElement("Issuer")) })},
	{"129 unknown", sso.CodeIdPSPUnknown, signedBy("", func(reg *sso.Registration) { reg.EntityID = "https://nobody.example" })},
	{"129 disabled", sso.CodeIdPSPDisabled, func(s *stage, b *browser) page {
		_, out := s.question(s.consoles["off"], nil)
		return b.send(out)
	}},
	{"130 100 h ahead", sso.CodeIdPTime, changed(attrs("IssueInstant", samltest.Stamp(jumpDay.Add(100*time.Hour))))},
	{"130 another destination", sso.CodeIdPDest, changed(attrs("Destination", "https://other.example/sso"))},
	{"131 replay, at the other replica", sso.CodeIdPReplay, func(s *stage, b *browser) page {
		_, out := s.question(s.consoles["con"], nil)
		if p := b.send(out); p.status != http.StatusSeeOther {
			s.t.Errorf("the first time: %d", p.status)
		}
		b.replica = 1
		return b.send(out)
	}},
	{"134 RelayState is script", sso.CodeIdPForm, func(s *stage, b *browser) page {
		_, out := s.question(s.consoles["con"], nil)
		out.Fields[1].Value = strings.Repeat(`"><script>alert(1)</script>`, 50)
		return b.send(out)
	}},
	{"136 a console of another partner's", sso.CodeIdPSPUnknown, func(s *stage, b *browser) page {
		_, out := s.question(s.consoles["theirs"], nil)
		return b.send(out)
	}},
	{"136 launched", sso.CodeIdPSPUnknown, func(s *stage, b *browser) page {
		return b.ask(http.MethodPost, "/saml/idp/"+s.host.Key+"/launch/"+s.consoleID("theirs"), nil, false)
	}},
	{"63 deflate bomb", sso.CodeInSize, func(s *stage, b *browser) page {
		return b.get("/saml/idp/" + s.host.Key + "/sso?SAMLRequest=" + url.QueryEscape(samltest.Deflate(strings.Repeat("<x>", 100_000))))
	}},
	{"41 a DTD", sso.CodeXMLDTD, func(s *stage, b *browser) page {
		return b.get("/saml/idp/" + s.host.Key + "/sso?SAMLRequest=" + url.QueryEscape(samltest.Deflate("<!DOCTYPE x><x/>")))
	}},
	{"a platform nobody has", sso.CodeTenantUnknown, func(_ *stage, b *browser) page { return b.get("/saml/idp/none/sso?SAMLRequest=x") }},
	{"108 the partner is suspended", sso.CodeTenantPartner, func(s *stage, b *browser) page {
		op := scope.System("operator")
		if _, err := s.a.Organisations.Suspend(s.ctx(), op, "P001", "test"); err != nil {
			s.t.Fatal(err)
		}
		defer func() {
			if _, err := s.a.Organisations.Resume(s.ctx(), op, "P001", "test"); err != nil {
				s.t.Fatal(err)
			}
		}()
		_, out := s.question(s.consoles["con"], nil)
		return b.send(out)
	}},
	{"120 logout unsigned", sso.CodeSLOSig, leaving(func(q string) string { return cutFrom(q, "&SigAlg") })},
	{"120 logout, order changed", sso.CodeSLOSig, leaving(func(q string) string {
		parts := strings.Split(q, "&")
		parts[0], parts[1] = parts[1], parts[0]
		return strings.Join(parts, "&")
	})},
	{"121 logout replay", sso.CodeSLOReplay, func(s *stage, b *browser) page {
		out := s.wish(s.consoles["con"], sso.Subject{NameID: sso.NameID{Value: "x"}}, sso.BindingPost)
		b.send(out)
		b.replica = 1
		return b.send(out)
	}},
	{"124 an answer nobody waits for", sso.CodeSLOInResponseTo, func(s *stage, b *browser) page {
		out, err := sso.BuildLogoutResponse(s.consoles["con"].Logout(), sso.NewMessageID(), "", false, s.now.Now())
		if err != nil {
			s.t.Fatal(err)
		}
		return b.send(out)
	}},
	{"124 logout of an unknown console", sso.CodeSLOIssuer, func(s *stage, b *browser) page {
		reg := s.consoles["con"]
		reg.EntityID = "https://nobody.example"
		return b.send(s.wish(reg, sso.Subject{NameID: sso.NameID{Value: "x"}}, sso.BindingRedirect))
	}},
	{"125 no message", sso.CodeSLOForm, func(s *stage, b *browser) page { return b.get("/saml/idp/" + s.host.Key + "/slo") }},
}

func leaving(change func(q string) string) func(s *stage, b *browser) page {
	return func(s *stage, b *browser) page {
		out := s.wish(s.consoles["con"], sso.Subject{NameID: sso.NameID{Value: "x"}}, sso.BindingRedirect)
		path, query, _ := strings.Cut(strings.TrimPrefix(out.URL, jumpBase), "?")
		return b.get(path + "?" + change(query))
	}
}

// TestHostedAttacks: each is refused with its code, one sentence, a reference and an audit line; no question waits
// and no console is told anything.
func TestHostedAttacks(t *testing.T) {
	eachStage(t, func(t *testing.T, s *stage) {
		op := scope.System("operator")
		s.console("lax", registry.ConsoleInput{})
		s.console("off", registry.ConsoleInput{})
		s.console("theirs", registry.ConsoleInput{PartnerID: s.two.Partner.ID})
		if _, err := s.a.Platforms.DisableConsole(s.ctx(), op, s.consoles["off"].EntityID, ""); err != nil {
			t.Fatal(err)
		}
		control := func() {
			t.Helper()
			b := s.browser()
			_, at, _ := b.asks(s, s.consoles["con"], nil)
			b.signsIn("alpha", at)
			b.goes(s, s.consoles["con"])
			if p := byQuery(func(q string) string { return q })(s, b); p.status != http.StatusSeeOther {
				t.Errorf("control by redirect: %d", p.status)
			}
		}
		control()
		for _, a := range consoleAttacks {
			s.now.Set(s.now.Now().Add(2 * time.Minute))
			questions, lines := s.count("SELECT COUNT(*) FROM sso_question"), s.count("SELECT COUNT(*) FROM audit WHERE action = 'sso.refuse'")
			got := a.do(s, s.browser())
			if strings.HasPrefix(a.row, "131") {
				questions++ // the first one
			}
			if got.status != http.StatusForbidden || s.code() != a.code {
				t.Errorf("%s: %d with %s, want %s", a.row, got.status, s.code(), a.code)
			}
			if n := s.count("SELECT COUNT(*) FROM audit WHERE action = 'sso.refuse'") - lines; n != 1 {
				t.Errorf("%s: %d audit lines", a.row, n)
			}
			if n := s.count("SELECT COUNT(*) FROM sso_question") - questions; n != 0 {
				t.Errorf("%s: %d questions wait", a.row, n)
			}
			if n := s.count("SELECT COUNT(*) FROM sso_refusal WHERE side = 'idp' AND code = $1", a.code); n == 0 {
				t.Errorf("%s: no refusal kept", a.row)
			}
			if strings.Contains(got.body, "SAMLResponse") || strings.Contains(got.body, "evil.example") || strings.Contains(got.body, a.code) || strings.Contains(got.body, "<script>alert") {
				t.Errorf("%s: the page tells too much", a.row)
			}
		}
		control()
	})
}
