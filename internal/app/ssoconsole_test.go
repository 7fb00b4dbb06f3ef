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
		w := watched{t: t, p: p, entity: "https://console.example/sp", day: jumpDay}
		a, b, c := samltest.NewIdP("one", jumpDay), samltest.NewIdP("two", jumpDay), samltest.NewIdP("three", jumpDay)
		const acs = "https://console.example/acs"
		in := registry.ConsoleInput{URL: "https://console.example/metadata", PartnerID: p.one.ID, Name: "控制台", Attributes: []sso.Release{{Name: "mail", Field: "email"}}}
		p.at.body = consoleDocument(w.entity, acs, a)
		first := w.add(in)
		w.wants("registered", acs, a)
		w.follow(consoleDocument(w.entity, acs, a, b))
		w.wants("a certificate added", acs, a, b)
		w.follow(consoleDocument(w.entity, acs+"/2", b))
		w.wants("one gone, another path", acs+"/2", b)
		w.follow(consoleDocument(w.entity, acs, c))
		w.wants("no certificate that is known", acs+"/2", b)
		if x := w.status(); x.Waits == nil || x.Waits.Code != "sso.md.key_jump" || len(x.Waits.Diff.Added) != 1 || len(x.Waits.Diff.Removed) != 1 {
			t.Errorf("waits: %+v", x.Waits)
		}
		w.follow(consoleDocument(w.entity, "https://elsewhere.example/acs", b))
		w.wants("answers to another host", acs+"/2", b)
		w.follow(consoleDocument("https://other.example/sp", acs, b))
		w.wants("another entity", acs+"/2", b)
		w.follow([]byte("<html>"))
		w.wants("no metadata", acs+"/2", b)
		if x := w.status(); x.Waits == nil || x.Waits.Code != "sso.md.host_changed" || x.Failing == nil || x.Failing.LastCode != "sso.md.xml" {
			t.Errorf("waits %+v, fails %+v", x.Waits, x.Failing)
		}
		if n := len(p.told); n != 2 || p.told[0] != "sso_console_metadata_pending" {
			t.Errorf("told of what waits: %v", p.told)
		}

		p.at.body = consoleDocument(w.entity, acs, c)
		again := w.add(registry.ConsoleInput{URL: in.URL, PartnerID: p.one.ID})
		w.wants("registered anew", acs, c)
		if x := w.status(); x.Waits != nil || x.Failing != nil {
			t.Errorf("still waits %+v, fails %+v", x.Waits, x.Failing)
		}
		if again.ID != first.ID {
			t.Errorf("another id: %s, not %s", again.ID, first.ID)
		}
		if same := w.add(registry.ConsoleInput{URL: in.URL, PartnerID: p.one.ID}); same.MetadataID != again.MetadataID {
			t.Error("the same again is written")
		}
		if _, _, err := p.Platforms.AddConsole(t.Context(), p.op, registry.ConsoleInput{URL: in.URL, PartnerID: p.two.ID}); !fault.HasCode(err, "sso.reg.console_taken") {
			t.Errorf("for another partner: %v", err)
		}
		p.at.asked = 0
		if _, err := p.Platforms.DisableConsole(t.Context(), p.op, w.entity, "over"); err != nil {
			t.Fatal(err)
		}
		w.follow(consoleDocument(w.entity, acs, b))
		if p.at.asked != 0 {
			t.Error("a console that is disabled is asked")
		}
	})
}

// watched is a console whose metadata changes from day to day.
type watched struct {
	t      *testing.T
	p      *hall
	entity string
	day    time.Time
}

func (w *watched) add(in registry.ConsoleInput) registry.Console {
	w.t.Helper()
	x, _, err := w.p.Platforms.AddConsole(w.t.Context(), w.p.op, in)
	if err != nil {
		w.t.Fatal(err)
	}
	return x
}

// wants holds what is in force to its address and its certificates.
func (w *watched) wants(what, acs string, certs ...*samltest.IdP) {
	w.t.Helper()
	x, ok, err := w.p.Platforms.Store.ConsoleByEntity(w.t.Context(), w.entity)
	if err != nil || !ok {
		w.t.Fatal(ok, err)
	}
	var have, want []string
	for _, cert := range x.Certs {
		have = append(have, cert.Fingerprint[:8])
	}
	for _, cert := range certs {
		want = append(want, registry.Fingerprint(cert.CertDER)[:8])
	}
	if got, want := fmt.Sprint(have, x.ACS[0].URL, x.Name, len(x.Attributes), x.State), fmt.Sprint(want, acs, "控制台", 1, sso.StateActive); got != want {
		w.t.Errorf("%s: %s, want %s", what, got, want)
	}
}

func (w *watched) status() registry.ConsoleStatus {
	w.t.Helper()
	x, err := w.p.Platforms.ConsoleStatus(w.t.Context(), w.p.op, w.entity)
	if err != nil {
		w.t.Fatal(err)
	}
	return x
}

// follow lets a day and a half go by, on which the console publishes something.
func (w *watched) follow(body []byte) {
	w.t.Helper()
	w.p.at.body = body
	w.day = w.day.Add(36 * time.Hour)
	w.p.now.Set(w.day)
	if _, err := w.p.Platforms.RefreshDue(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
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
