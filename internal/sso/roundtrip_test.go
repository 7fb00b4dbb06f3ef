package sso_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"huoban/internal/sso"
	"huoban/internal/sso/samltest"
)

// consoles is the caller's registry of consoles, in memory.
type consoles map[string]sso.Console

func (c consoles) ConsoleByEntity(_ context.Context, id string) (sso.Console, bool, error) {
	con, ok := c[id]
	return con, ok, nil
}

// ours makes an IdP of the portal, and the registration a console would have of it.
func ours(now time.Time) (sso.Host, sso.Registration) {
	key := samltest.Key("host")
	der := samltest.Certify(key, "host", now.AddDate(-1, 0, 0), now.AddDate(2, 0, 0))
	h := sso.Host{ID: "h", PartnerID: "partner-a", PartnerActive: true, EntityID: base + "/saml/idp/h/metadata", SSO: base + "/saml/idp/h/sso",
		SLO: base + "/saml/idp/h/slo", Keys: []sso.Key{{Use: sso.KeyUseSign, State: sso.KeyStateCurrent, Private: key, CertDER: der}}}
	idp := &samltest.IdP{EntityID: h.EntityID, SSO: h.SSO, SLO: h.SLO, Key: key, CertDER: der}
	return h, idp.Registration("con", "https://console.example", now)
}

// consoleOf is the console behind a registration, as our registry has it.
func consoleOf(reg sso.Registration, encrypt sso.Encrypt, ciphers ...string) sso.Console {
	sign, decrypt := samltest.Certificate(reg.Keys[0].CertDER), samltest.Certificate(reg.Keys[1].CertDER)
	decrypt.Use = sso.CertUseEncryption
	return sso.Console{ID: "c", EntityID: reg.EntityID, Name: "Console", State: sso.StateActive, RequireSigned: true,
		ACS: []sso.Endpoint{{Index: 1, URL: reg.ACS, Binding: sso.BindingPost}}, SLO: reg.SLO, SLOBinding: sso.BindingRedirect,
		Certs: []sso.Certificate{sign, decrypt}, NameIDFormat: sso.NameIDPersistent, Encrypt: encrypt, Ciphers: ciphers,
		Attributes: []sso.Release{{Name: "xAccountId", Field: "account"}, {Name: "name", Field: "name"}}}
}

// posted is what a browser makes of a message of ours.
func posted(o sso.Outgoing, browser string) sso.Post {
	if o.Binding == sso.BindingRedirect {
		_, query, _ := strings.Cut(o.URL, "?")
		return sso.Post{Method: "GET", RawQuery: query, Browser: browser}
	}
	form := url.Values{}
	for _, f := range o.Fields {
		form.Set(f.Name, f.Value)
	}
	return sso.Post{Method: "POST", ContentType: "application/x-www-form-urlencoded", Form: form, Browser: browser}
}

// TestBothSides lets the portal as IdP sign a customer in at the portal as SP, in every cipher and binding.
func TestBothSides(t *testing.T) {
	host, reg := ours(noon)
	for _, tc := range []struct {
		name    string
		binding sso.Binding
		encrypt sso.Encrypt
		ciphers []string
	}{
		{"redirect, plain", sso.BindingRedirect, sso.EncryptOff, nil},
		{"post, plain", sso.BindingPost, sso.EncryptOff, nil},
		{"none listed", sso.BindingRedirect, sso.EncryptOptional, nil},
		{"gcm 256", sso.BindingRedirect, sso.EncryptRequired, []string{samltest.AES128CBC, samltest.AES256GCM}},
		{"gcm 128", sso.BindingPost, sso.EncryptRequired, []string{samltest.AES128GCM}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			reg := reg
			reg.SSOBinding = tc.binding
			console := consoleOf(reg, tc.encrypt, tc.ciphers...)
			b := book{}
			req := b.open(reg, noon)
			out, err := sso.BuildAuthnRequest(reg, req, noon)
			if err != nil {
				t.Fatal(err)
			}
			question, _, err := sso.VerifyAuthnRequest(t.Context(), host, posted(out, ""), consoles{console.EntityID: console}, noon)
			if err != nil {
				t.Fatal(err)
			}
			if question.ID != req.ID || question.RelayState != req.RelayID || question.ACS.URL != reg.ACS || question.NameIDFormat != sso.NameIDPersistent {
				t.Fatalf("question %+v", question)
			}
			answer, issued, err := sso.BuildResponse(host, console, sso.Answer{ACS: question.ACS, InResponseTo: question.ID, RelayState: question.RelayState},
				sso.Statement{NameID: sso.NameID{Value: "pair-1", Format: string(sso.NameIDPersistent)}, SessionIndex: "_i", AuthnInstant: noon,
					SessionNotOnOrAfter: noon.Add(8 * time.Hour), Attributes: console.Granted(map[string]string{"account": "acc-9", "name": "云启 & <启>", "email": "x@y"})}, noon)
			if err != nil {
				t.Fatal(err)
			}
			got, _, err := sso.VerifyPost(t.Context(), reg, posted(answer, samltest.Browser), b, noon.Add(time.Second))
			if err != nil {
				t.Fatal(err)
			}
			if got.XAccountID != "acc-9" || got.Name != "云启 & <启>" || got.Email != "" || got.NameID.Value != "pair-1" || got.AssertionID != issued.AssertionID ||
				got.Encrypted != (tc.encrypt != sso.EncryptOff) || len(got.Attributes) != 2 {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// TestLogoutRoundTrip sends a logout request and its answer, in both bindings.
func TestLogoutRoundTrip(t *testing.T) {
	host, reg := ours(noon)
	for _, binding := range []sso.Binding{sso.BindingRedirect, sso.BindingPost} {
		reg.SLOBinding = binding
		console := consoleOf(reg, sso.EncryptOff)
		console.SLOBinding = binding
		b := book{}
		req := samltest.Request(reg, noon)
		req.Purpose = sso.PurposeLogout
		b[req.ID] = req
		who := sso.Subject{NameID: sso.NameID{Value: "pair-1", Format: string(sso.NameIDPersistent), SPNameQualifier: "q"}, SessionIndex: []string{"_i", "_j"}}
		out, err := sso.BuildLogoutRequest(reg.Logout(), who, req.ID, req.RelayID, noon)
		if err != nil {
			t.Fatal(err)
		}
		msg, _, err := sso.VerifyLogout(t.Context(), host.Logout(console), posted(out, ""), b, noon)
		if err != nil {
			t.Fatal(err)
		}
		if msg.Request == nil || msg.Request.ID != req.ID || msg.Request.Subject.NameID != who.NameID || len(msg.Request.Subject.SessionIndex) != 2 || msg.RelayState != req.RelayID {
			t.Fatalf("request %+v", msg.Request)
		}
		for _, partial := range []bool{false, true} {
			back, err := sso.BuildLogoutResponse(host.Logout(console), msg.Request.ID, msg.RelayState, partial, noon)
			if err != nil {
				t.Fatal(err)
			}
			msg, _, err := sso.VerifyLogout(t.Context(), reg.Logout(), posted(back, ""), b, noon)
			if err != nil {
				t.Fatal(err)
			}
			if msg.Response == nil || msg.Response.InResponseTo != req.ID || msg.Response.Partial != partial || msg.Response.Success == partial {
				t.Errorf("response %+v", msg.Response)
			}
		}
	}
}
