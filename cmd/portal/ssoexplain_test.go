package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"huoban/internal/app"
	"huoban/internal/organisation"
	"huoban/internal/scope"
	"huoban/internal/sso/registry"
	"huoban/internal/sso/samltest"
)

// portalOf makes a portal with one registered platform, and a server of it.
func portalOf(t *testing.T, data string) (reg registry.Platform, at string, end func()) {
	t.Helper()
	ctx := context.Background()
	a, err := app.Open(ctx, app.Settings{Data: data, BaseURL: "http://localhost"}, app.Options{})
	if err != nil {
		t.Fatal(err)
	}
	op := scope.System("operator")
	if _, err := a.Organisations.Add(ctx, op, organisation.AddInput{Code: "V1", Kind: organisation.KindVendor, Name: "Vendor"}); err != nil {
		t.Fatal(err)
	}
	p, err := a.Organisations.Add(ctx, op, organisation.AddInput{Code: "P001", Kind: organisation.KindSolution, Name: "云启科技", ParentCode: "V1"})
	if err != nil {
		t.Fatal(err)
	}
	added, err := a.Platforms.Add(ctx, op, registry.AddInput{PartnerID: p.Organisation.ID, Metadata: samltest.NewIdP("explain", a.Clock.Now()).Metadata(), AccountType: "HB_EX", Activate: true})
	if err != nil {
		t.Fatal(err)
	}
	h, err := a.Handler()
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	return added.Platform, srv.URL, func() {
		srv.Close()
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestExplain: the reference a person reads out leads staff to the code, the step and a sentence with the facts, as
// text and as JSON, for refusals of several layers.
func TestExplain(t *testing.T) {
	data := t.TempDir()
	reg, at, end := portalOf(t, data)
	acs := "/saml/sp/" + reg.Key + "/acs"
	form := func(doc string) string {
		return url.Values{"SAMLResponse": {base64.StdEncoding.EncodeToString([]byte(doc))}}.Encode()
	}
	cases := []struct{ path, form, code, step, says string }{
		{"/authui/saml/login?xAccountType=HB_NONE", "", "sso.tenant.unknown", "lookupTenant", ""},
		{"/authui/saml/login?xAccountType=HB_EX&service=" + url.QueryEscape("https://evil.example/"), "", "sso.ret.not_allowed", "resolveReturn", "evil.example"},
		{acs, "SAMLResponse=%21%21", "sso.in.base64", "decodeBase64", "base64"},
		{acs, form("<!DOCTYPE x><x/>"), "sso.xml.dtd", "gateBytes", "offset 0"},
		{acs, form("<x/>"), "sso.xml.shape", "checkShape", "x"},
		{acs, form(`<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_a" Version="2.0" IssueInstant="2026-01-01T00:00:00Z">` +
			`<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status><saml:Assertion ID="_b"/></samlp:Response>`), "sso.sig.missing", "checkSignaturePolicy", "Response"},
	}
	shown := regexp.MustCompile(`[A-Z2-7]{10}`)
	refs := make([]string, len(cases))
	for i, c := range cases {
		method, body := http.MethodGet, ""
		if c.form != "" {
			method, body = http.MethodPost, c.form
		}
		req, err := http.NewRequestWithContext(t.Context(), method, at+c.path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "cross-site")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		page, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != http.StatusForbidden {
			t.Fatalf("%s: %d %v", c.code, res.StatusCode, err)
		}
		if strings.Contains(string(page), c.code) {
			t.Errorf("%s: the customer reads the code", c.code)
		}
		if refs[i] = shown.FindString(string(page)); refs[i] == "" {
			t.Fatalf("%s: no reference on the page", c.code)
		}
	}
	end()
	for i, c := range cases {
		var text, doc, said bytes.Buffer
		if code := run(t.Context(), []string{"sso", "explain", strings.ToLower(refs[i]), "--data", data}, &text, &said); code != exitDone {
			t.Fatalf("%s: exit %d, %s", c.code, code, said.String())
		}
		for _, want := range []string{refs[i], c.code, c.step, c.says} {
			if !strings.Contains(text.String(), want) {
				t.Errorf("%s: the text does not say %s:\n%s", c.code, want, text.String())
			}
		}
		if code := run(t.Context(), []string{"sso", "explain", refs[i], "--data", data, "--json"}, &doc, &said); code != exitDone {
			t.Fatalf("%s: exit %d, %s", c.code, code, said.String())
		}
		var d explainJSON
		if err := json.Unmarshal(doc.Bytes(), &d); err != nil {
			t.Fatal(err)
		}
		found := c.code != "sso.tenant.unknown"
		if d.Ref != refs[i] || d.Code != c.code || d.Step != c.step || d.Message == "" || strings.Contains(d.Message, "{{") || (d.Partner == "P001") != found || (d.Registration == reg.Key) != found {
			t.Errorf("%s: %+v", c.code, d)
		}
	}
	var text, said bytes.Buffer
	if code := run(t.Context(), []string{"sso", "explain", "AAAAAAAAAA", "--data", data, "--json"}, &text, &said); code != exitRefused {
		t.Errorf("an unknown reference: exit %d, %s%s", code, text.String(), said.String())
	}
}
