package app

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"huoban/internal/fault"
	"huoban/internal/sso"
	"huoban/internal/sso/registry"
	"huoban/internal/sso/samltest"
)

// consoleDocument is a console's metadata with these certificates.
func consoleDocument(entity, acs string, certs ...*samltest.IdP) []byte {
	var keys strings.Builder
	for _, c := range certs {
		text := string(c.Metadata())
		i, j := strings.Index(text, "<ds:X509Certificate>"), strings.Index(text, "</ds:X509Certificate>")
		fmt.Fprintf(&keys, `<md:KeyDescriptor><ds:KeyInfo><ds:X509Data>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`, text[i:j])
	}
	return fmt.Appendf(nil, `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="%s">
<md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">%s
<md:AssertionConsumerService index="0" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="%s"/></md:SPSSODescriptor></md:EntityDescriptor>`, entity, keys.String(), acs)
}

// TestConsoleDocuments: a console's document is followed as long as a certificate that is known stays and answers go
// to known hosts; anything else waits for the operator, who registers anew.
func TestConsoleDocuments(t *testing.T) {
	eachHall(t, func(t *testing.T, p *hall) {
		ctx := t.Context()
		a, b, c := samltest.NewIdP("one", jumpDay), samltest.NewIdP("two", jumpDay), samltest.NewIdP("three", jumpDay)
		const entity, acs = "https://console.example/sp", "https://console.example/acs"
		in := registry.ConsoleInput{URL: "https://console.example/metadata", PartnerID: p.one.ID, Name: "控制台", Attributes: []sso.Release{{Name: "mail", Field: "email"}}}
		add := func(in registry.ConsoleInput) registry.Console {
			t.Helper()
			x, _, err := p.Platforms.AddConsole(ctx, p.op, in)
			if err != nil {
				t.Fatal(err)
			}
			return x
		}
		current := func() string {
			t.Helper()
			x, ok, err := p.Platforms.Store.ConsoleByEntity(ctx, entity)
			if err != nil || !ok {
				t.Fatal(ok, err)
			}
			var out []string
			for _, cert := range x.Certs {
				out = append(out, cert.Fingerprint[:8])
			}
			return fmt.Sprint(out, x.ACS[0].URL, x.Name, len(x.Attributes), x.State)
		}
		wants := func(what, acs string, certs ...*samltest.IdP) {
			t.Helper()
			var out []string
			for _, cert := range certs {
				out = append(out, registry.Fingerprint(cert.CertDER)[:8])
			}
			if got, want := current(), fmt.Sprint(out, acs, "控制台", 1, sso.StateActive); got != want {
				t.Errorf("%s: %s, want %s", what, got, want)
			}
		}
		status := func() registry.ConsoleStatus {
			t.Helper()
			x, err := p.Platforms.ConsoleStatus(ctx, p.op, entity)
			if err != nil {
				t.Fatal(err)
			}
			return x
		}
		day := jumpDay
		follow := func(body []byte) {
			t.Helper()
			p.at.body = body
			day = day.Add(36 * time.Hour)
			p.now.Set(day)
			if _, err := p.Platforms.RefreshDue(ctx); err != nil {
				t.Fatal(err)
			}
		}
		p.at.body = consoleDocument(entity, acs, a)
		first := add(in)
		wants("registered", acs, a)
		follow(consoleDocument(entity, acs, a, b))
		wants("a certificate added", acs, a, b)
		follow(consoleDocument(entity, acs+"/2", b))
		wants("one gone, another path", acs+"/2", b)
		follow(consoleDocument(entity, acs, c))
		wants("no certificate that is known", acs+"/2", b)
		if x := status(); x.Waits == nil || x.Waits.Code != "sso.md.key_jump" || len(x.Waits.Diff.Added) != 1 || len(x.Waits.Diff.Removed) != 1 {
			t.Errorf("waits: %+v", x.Waits)
		}
		follow(consoleDocument(entity, "https://elsewhere.example/acs", b))
		wants("answers to another host", acs+"/2", b)
		follow(consoleDocument("https://other.example/sp", acs, b))
		wants("another entity", acs+"/2", b)
		follow([]byte("<html>"))
		wants("no metadata", acs+"/2", b)
		if x := status(); x.Waits == nil || x.Waits.Code != "sso.md.host_changed" || x.Failing == nil || x.Failing.LastCode != "sso.md.xml" {
			t.Errorf("waits %+v, fails %+v", x.Waits, x.Failing)
		}
		if n := len(p.told); n != 2 || p.told[0] != "sso_console_metadata_pending" {
			t.Errorf("told of what waits: %v", p.told)
		}

		p.at.body = consoleDocument(entity, acs, c)
		again := add(registry.ConsoleInput{URL: in.URL, PartnerID: p.one.ID})
		wants("registered anew", acs, c)
		if x := status(); x.Waits != nil || x.Failing != nil {
			t.Errorf("still waits %+v, fails %+v", x.Waits, x.Failing)
		}
		if again.ID != first.ID {
			t.Errorf("another id: %s, not %s", again.ID, first.ID)
		}
		if same := add(registry.ConsoleInput{URL: in.URL, PartnerID: p.one.ID}); same.MetadataID != again.MetadataID {
			t.Error("the same again is written")
		}
		if _, _, err := p.Platforms.AddConsole(ctx, p.op, registry.ConsoleInput{URL: in.URL, PartnerID: p.two.ID}); !fault.HasCode(err, "sso.reg.console_taken") {
			t.Errorf("for another partner: %v", err)
		}
		p.at.asked = 0
		if _, err := p.Platforms.DisableConsole(ctx, p.op, entity, "over"); err != nil {
			t.Fatal(err)
		}
		follow(consoleDocument(entity, acs, b))
		if p.at.asked != 0 {
			t.Error("a console that is disabled is asked")
		}
	})
}

// TestHostRollover: the key of a hosted platform rolls over by its key, for the operator alone.
func TestHostRollover(t *testing.T) {
	eachHall(t, func(t *testing.T, p *hall) {
		ctx := t.Context()
		h, err := p.Platforms.Host(ctx, p.op, p.one.ID)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Platforms.Rotate(ctx, admin(p.one), h.Key, registry.PhasePublish, true); !fault.HasCode(err, "sso.reg.unknown") {
			t.Errorf("a partner: %v", err)
		}
		var seen [][]sso.KeyState
		for _, phase := range []registry.Phase{registry.PhasePublish, registry.PhaseSwitch, registry.PhaseRetire} {
			status, err := p.Platforms.Rotate(ctx, p.op, h.Key, phase, true)
			if err != nil {
				t.Fatal(phase, err)
			}
			if len(status) != 1 || status[0].Use != sso.KeyUseSign {
				t.Fatalf("%s: %v", phase, status)
			}
			var states []sso.KeyState
			for _, k := range status[0].Keys {
				states = append(states, k.State)
			}
			seen = append(seen, states)
		}
		want := [][]sso.KeyState{{sso.KeyStateCurrent, sso.KeyStateNext}, {sso.KeyStateCurrent, sso.KeyStateRetiring}, {sso.KeyStateCurrent}}
		if !slices.EqualFunc(seen, want, slices.Equal) {
			t.Errorf("%v, want %v", seen, want)
		}
	})
}
