package sso_test

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/beevik/etree"

	"huoban/internal/i18n"
	"huoban/internal/sso"
	"huoban/internal/sso/samltest"
)

// TestOrder gives a message two faults, of each step and of each later one: the earlier code must be named.
func TestOrder(t *testing.T) {
	ch := func(f func(a *samltest.Answer)) func(*samltest.Answer) { return f }
	before := func(f func(r *etree.Element)) func(*samltest.Answer) {
		return ch(func(a *samltest.Answer) {
			old := a.Before
			a.Before = func(r, as *etree.Element) {
				if old != nil {
					old(r, as)
				}
				f(r)
			}
		})
	}
	at := func(path, key, value string) func(*samltest.Answer) {
		return before(func(r *etree.Element) {
			e := r
			if path != "" {
				e = r.FindElement(path)
			}
			if e != nil {
				e.CreateAttr(key, value)
			}
		})
	}
	set := func(path, value string) func(*samltest.Answer) {
		return before(func(r *etree.Element) { r.FindElement(path).SetText(value) })
	}
	faults := []struct {
		code string
		make func(*samltest.Answer)
	}{
		{sso.CodeXMLComment, ch(func(a *samltest.Answer) {
			a.Bytes = func(b []byte) []byte { return append(b, "<!-- -->"...) }
		})},
		{sso.CodeXMLLimits, at("./Status", "v", strings.Repeat("x", 5000))},
		{sso.CodeXMLShape, before(func(r *etree.Element) { r.FindElement(".//Subject").CreateElement("x") })},
		{sso.CodeSigAlg, ch(func(a *samltest.Answer) { a.Assertion.Method = samltest.RSASHA1 })},
		{sso.CodeSigForm, ch(func(a *samltest.Answer) { a.Assertion.Transforms = []string{samltest.Enveloped} })},
		{sso.CodeSigKey, ch(func(a *samltest.Answer) { a.Assertion.Key, a.Assertion.Cert = samltest.Key("stranger"), nil })},
		{sso.CodeMsgVersion, at("", "Version", "1.1")},
		{sso.CodeMsgStatus, at("./Status/StatusCode", "Value", "urn:oasis:names:tc:SAML:2.0:status:Requester")},
		{sso.CodeMsgIssuer, set("./Issuer", "https://x.example")},
		{sso.CodeMsgDestination, at("", "Destination", "https://x.example")},
		{sso.CodeMsgIssueInstant, at("./Assertion", "IssueInstant", "2026-11-20T04:00:00Z")},
		{sso.CodeSubRecipient, at(".//SubjectConfirmationData", "Recipient", "https://x.example")},
		{sso.CodeCondTime, at(".//Conditions", "NotBefore", "2026-11-22T04:00:00Z")},
		{sso.CodeCondAudience, set(".//Audience", "https://x.example")},
		{sso.CodeAuthnOld, at(".//AuthnStatement", "AuthnInstant", "2025-11-21T04:00:00Z")},
		{sso.CodeReqUnknown, at("", "InResponseTo", "_x")},
		{sso.CodeAttrMissing, ch(func(a *samltest.Answer) { a.Attributes = samltest.Attributes("bpId", "P-b") })},
	}
	idp := samltest.NewIdP("a", noon)
	reg := idp.Registration("a", base, noon)
	for i, one := range faults {
		for j := i; j < len(faults); j++ {
			b := book{}
			a := samltest.Answer{IdP: idp, Reg: reg, Now: noon, Request: b.open(reg, noon), Assertion: idp.Default()}
			one.make(&a)
			if j != i {
				faults[j].make(&a)
			}
			_, _, err := sso.VerifyPost(t.Context(), reg, a.Post(), b, noon)
			if r := sso.RefusalOf(err); r == nil || r.Code != one.code {
				t.Errorf("%s and %s: %v", one.code, faults[j].code, err)
			}
		}
	}
}

// TestExamineFindsSeveral: three mistakes are named in one go, and what was read is shown though not believed.
func TestExamineFindsSeveral(t *testing.T) {
	idp := samltest.NewIdP("a", noon)
	reg := idp.Registration("a", base, noon)
	b := book{}
	a := samltest.Answer{IdP: idp, Reg: reg, Now: noon, Request: b.open(reg, noon), Assertion: &samltest.Signing{Key: idp.Key, Cert: idp.CertDER, Method: samltest.RSASHA1},
		Attributes: samltest.Attributes("customer", "acc-1"),
		Before:     func(r, _ *etree.Element) { r.CreateAttr("Destination", reg.ACS+"/") }}
	got, err := sso.Examine(t.Context(), reg, a.Post(), b, noon)
	if err != nil {
		t.Fatal(err)
	}
	failed := map[string]bool{}
	for _, s := range got.Steps {
		if s.Outcome == sso.OutcomeFailed {
			failed[s.Code] = true
		}
	}
	if got.Failed != 3 || !failed[sso.CodeSigAlg] || !failed[sso.CodeMsgDestination] || !failed[sso.CodeAttrMissing] || got.First == nil || got.First.Code != sso.CodeSigAlg {
		t.Errorf("found %v", failed)
	}
	if len(got.Accepted.Attributes) != 1 || got.Accepted.Attributes[0].Name != "customer" || len(got.XML) == 0 {
		t.Errorf("shown %+v", got.Accepted)
	}
}

// TestSentences: every code a step may refuse with, and every constant of codes.go, has its sentence, and
// every step its title.
func TestSentences(t *testing.T) {
	body, err := os.ReadFile("codes.go")
	if err != nil {
		t.Fatal(err)
	}
	codes := map[string]bool{}
	for _, m := range regexp.MustCompile(`"(sso\.[a-z_]+\.[a-z_0-9]+)"`).FindAllStringSubmatch(string(body), -1) {
		codes[m[1]] = true
	}
	for _, list := range [][]sso.Step{sso.ACSSteps(), sso.SLOSteps(), sso.AuthnSteps(), sso.ConsoleSLOSteps()} {
		for _, s := range list {
			if !i18n.Has(sso.StepKey(s.Name)) {
				t.Errorf("step %s has no title", s.Name)
			}
			if !i18n.Has(sso.RuleKey(s.Name)) {
				t.Errorf("step %s has no rule", s.Name)
			}
			for _, c := range s.Codes {
				if !codes[c] {
					t.Errorf("%s may refuse with %s, which codes.go does not know", s.Name, c)
				}
			}
		}
	}
	for c := range codes {
		if !i18n.Has("fault." + c) {
			t.Errorf("%s has no sentence", c)
		}
	}
	if len(codes) < 70 {
		t.Errorf("only %d codes found", len(codes))
	}
}

const stepsFile = "../../docs/flows/saml-acs.md"

// TestStepsDocument: docs/flows/saml-acs.md is what the lists say. PORTAL_UPDATE=1 writes it anew.
func TestStepsDocument(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("<!-- Written by PORTAL_UPDATE=1 go test -run TestStepsDocument ./internal/sso; change the lists in steps.go, slo.go and idp.go instead. -->\n# SAML messages, step by step\n\n" +
		"Each line is one function; the order is fixed, the first that fails gives the code. Steps marked † are done by the\ncaller, which holds the state; those at the end of an answer are one transaction.\n")
	for _, part := range []struct {
		title string
		list  []sso.Step
	}{{"An answer at the assertion consumer service", sso.ACSSteps()}, {"A logout message", sso.SLOSteps()}, {"A console's sign-in request", sso.AuthnSteps()}, {"A console's logout message", sso.ConsoleSLOSteps()}} {
		fmt.Fprintf(&b, "\n## %s\n\n| # | step | layer | refuses with | rule |\n|---|---|---|---|---|\n", part.title)
		for i, s := range part.list {
			mark := ""
			if s.ByCaller() {
				mark = " †"
			}
			codes := "–"
			if len(s.Codes) > 0 {
				codes = "`" + strings.Join(s.Codes, "` `") + "`"
			}
			fmt.Fprintf(&b, "| %d | `%s`%s | %s | %s | %s |\n", i+1, s.Name, mark, s.Layer, codes, i18n.In(i18n.En, sso.RuleKey(s.Name)))
		}
	}
	if os.Getenv("PORTAL_UPDATE") == "1" {
		if err := os.WriteFile(stepsFile, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(stepsFile)
	if err != nil || !bytes.Equal(have, b.Bytes()) {
		t.Errorf("%s is not what the steps say: PORTAL_UPDATE=1 go test -run TestStepsDocument ./internal/sso (%v)", stepsFile, err)
	}
}
