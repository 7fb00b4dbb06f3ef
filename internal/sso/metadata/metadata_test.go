package metadata_test

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"huoban/internal/fault"
	"huoban/internal/sso"
	"huoban/internal/sso/metadata"
	"huoban/internal/sso/samltest"
)

var now = time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)

func cert(name string, bits int, from, to time.Duration) string {
	return base64.StdEncoding.EncodeToString(samltest.Certify(samltest.KeyOf(name, bits), name, now.Add(from), now.Add(to)))
}

const year = 365 * 24 * time.Hour

func good(name string) string { return cert(name, 2048, -year, year) }

func keys(certs ...string) string {
	var out string
	for _, c := range certs {
		out += `<md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>` + c + `</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`
	}
	return out
}

const open = `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="%s"%s>`

func idp(entity, attr, keys, location string) string {
	return fmt.Sprintf(open, entity, attr) + `<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">` + keys +
		`<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="` + location + `"/></md:IDPSSODescriptor></md:EntityDescriptor>`
}

func group(levels int, inside ...string) string {
	a, b := `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">`, `</md:EntitiesDescriptor>`
	return strings.Repeat(a, levels) + strings.Join(inside, "") + strings.Repeat(b, levels)
}

const (
	entity = "https://idp.example/metadata"
	there  = "https://idp.example/sso"
)

func parse(text string) (metadata.Document, metadata.Entity, error) {
	return metadata.Parse([]byte(text), metadata.Options{Role: metadata.RoleIdP, Now: now})
}

// TestRefused holds the import against what attackers and careless partners bring (rows 134, 137 to 139).
func TestRefused(t *testing.T) {
	a := keys(good("a"))
	whole := idp(entity, "", a, there)
	sp := fmt.Sprintf(open, "https://sp.example", "") + `<md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"/></md:EntityDescriptor>`
	for name, c := range map[string]struct{ text, code, why string }{
		"validUntil over":           {idp(entity, ` validUntil="2026-11-20T07:59:59Z"`, a, there), metadata.CodeExpired, ""},
		"validUntil in 20 years":    {idp(entity, ` validUntil="2046-11-20T07:59:59Z"`, a, there), metadata.CodeExpired, ""},
		"group over":                {strings.Replace(group(1, whole), ">", ` validUntil="2026-01-01T00:00:00Z">`, 1), metadata.CodeExpired, ""},
		"two providers":             {group(1, whole, idp("https://two.example", "", a, there)), metadata.CodeEntities, ""},
		"service provider only":     {sp, metadata.CodeRole, ""},
		"no certificate":            {idp(entity, "", "", there), metadata.CodeKey, "sso.md.key_none"},
		"certificate over":          {idp(entity, "", keys(cert("a", 2048, -2*year, -year)), there), metadata.CodeKey, "sso.md.key_expired"},
		"certificate not yet":       {idp(entity, "", keys(cert("a", 2048, year, 2*year)), there), metadata.CodeKey, "sso.md.key_expired"},
		"encryption only":           {strings.Replace(whole, `use="signing"`, `use="encryption"`, 1), metadata.CodeKey, "sso.md.key_none"},
		"garbage for a certificate": {idp(entity, "", keys("AAAA"), there), metadata.CodeKey, "sso.md.key_unreadable"},
		"private key inside":        {whole + "<!-- -----BEGIN RSA PRIVATE KEY----- -->", metadata.CodeKey, "sso.md.key_private"},
		"3 MB":                      {whole + strings.Repeat(" ", 3<<20), metadata.CodeSize, ""},
		"document type":             {`<!DOCTYPE x [<!ENTITY y "z">]>` + whole, metadata.CodeXML, ""},
		"processing instruction":    {`<?xml-stylesheet href="x"?>` + whole, metadata.CodeXML, ""},
		"10 levels of groups":       {group(10, whole), metadata.CodeXML, ""},
		"30,000 elements":           {group(1, whole, strings.Repeat("<md:x/>", 30000)), metadata.CodeXML, ""},
		"UTF-16":                    {"\xff\xfe<\x00", metadata.CodeXML, ""},
		"declared Latin 1":          {`<?xml version="1.0" encoding="ISO-8859-1"?>` + whole, metadata.CodeXML, ""},
		"two roots":                 {whole + whole, metadata.CodeXML, ""},
		"attribute twice":           {strings.Replace(whole, " entityID", ` entityID="https://x.example" entityID`, 1), metadata.CodeXML, ""},
		"script for an address":     {idp(entity, "", a, "javascript:alert(1)"), metadata.CodeEndpoint, ""},
		"http":                      {idp(entity, "", a, "http://idp.example/sso"), metadata.CodeEndpoint, ""},
		"http to this machine":      {idp(entity, "", a, "http://127.0.0.1/sso"), metadata.CodeEndpoint, ""},
		"credentials in address":    {idp(entity, "", a, "https://a:b@idp.example/sso"), metadata.CodeEndpoint, ""},
		"entity no URI":             {idp("idp", "", a, there), metadata.CodeEntityID, ""},
		"entity too long":           {idp("https://idp.example/"+strings.Repeat("x", 1024), "", a, there), metadata.CodeEntityID, ""},
		"nothing":                   {"", metadata.CodeXML, ""},
	} {
		_, _, err := parse(c.text)
		if fault.From(err).Code != c.code || err == nil || c.why != "" && !fault.HasCode(err, c.why) {
			t.Errorf("%s: %v, want %s %s", name, err, c.code, c.why)
		}
	}
}

func TestTaken(t *testing.T) {
	a := keys(good("a"))
	whole := idp(entity, ` cacheDuration="PT6H" validUntil="2026-11-27T08:00:00Z"`, a, there)
	for name, text := range map[string]string{
		"as it is": whole, "with a mark and a comment": "\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"utf-8\"?><!-- ours -->" + whole, "in a group": group(2, whole),
	} {
		d, e, err := parse(text)
		if err != nil || e.ID != entity || e.SSO.URL != there || e.SSO.Binding != sso.BindingPost || len(e.Certs) != 1 || d.Cache != 6*time.Hour || !e.ValidUntil.Equal(now.Add(7*24*time.Hour)) {
			t.Errorf("%s: %+v %+v: %v", name, d, e, err)
		}
	}
	_, e, err := metadata.Parse([]byte(group(1, whole, idp("https://two.example", "", a, there))), metadata.Options{Role: metadata.RoleIdP, Now: now, Entity: "https://two.example"})
	if err != nil || e.ID != "https://two.example" {
		t.Errorf("chosen of two: %+v: %v", e, err)
	}
	_, e, err = parse(idp(entity, "", keys(cert("weak", 1024, -year, year)), there))
	if err != nil || e.Certs[0].Grade != metadata.GradeWeak || e.Certs[0].Bits != 1024 {
		t.Errorf("a weak key begins: %+v: %v", e, err)
	}
	_, _, err = metadata.Parse([]byte(idp(entity, "", a, "http://127.0.0.1:8000/sso")), metadata.Options{Role: metadata.RoleIdP, Now: now, LocalHTTP: true})
	if err != nil {
		t.Errorf("http on this machine for a portal on it: %v", err)
	}
}

func ours(name string) metadata.Ours {
	k := samltest.Key(name)
	der := samltest.Certify(k, name, now.Add(-year), now.Add(year))
	second := samltest.Certify(samltest.Key(name+"2"), name, now.Add(-year), now.Add(year))
	return metadata.Ours{Role: metadata.RoleSP, EntityID: "https://portal.example/saml/sp/k/metadata", Addresses: []string{"https://portal.example/acs", "https://old.example/acs"},
		SLO: "https://portal.example/slo", SignRequests: true, Keys: []sso.Key{{Use: sso.KeyUseSign, State: sso.KeyStateCurrent, Private: k, CertDER: der},
			{Use: sso.KeyUseSign, State: sso.KeyStateNext, Private: samltest.Key(name + "2"), CertDER: second},
			{Use: sso.KeyUseDecrypt, State: sso.KeyStateCurrent, Private: k, CertDER: der}, {Use: sso.KeyUseDecrypt, State: sso.KeyStateNext, CertDER: second}}}
}

// TestOurs: what we publish is signed by the current key, shows both signing keys of a rollover, one to encrypt to,
// an ACS for each address, and is read by ourselves under the pinned signer.
func TestOurs(t *testing.T) {
	o := ours("ours")
	text, err := metadata.Build(o, now, true)
	if err != nil {
		t.Fatal(err)
	}
	d, e, err := metadata.Parse(text, metadata.Options{Role: metadata.RoleSP, Now: now, Pinned: o.Keys[0].CertDER})
	if err != nil || d.Signer == "" || !e.WantSigned || !e.ValidUntil.Equal(now.Truncate(metadata.Cache).Add(metadata.Valid)) {
		t.Fatalf("%+v %+v: %v", d, e, err)
	}
	uses := map[sso.CertUse]int{}
	for _, c := range e.Certs {
		uses[c.Use]++
	}
	if uses[sso.CertUseSigning] != 2 || uses[sso.CertUseEncryption] != 1 || len(e.ACS) != 2 || !e.ACS[0].Default || len(e.Ciphers) == 0 {
		t.Errorf("%v %+v", uses, e)
	}
	plain, err := metadata.Build(o, now, false)
	if err != nil || strings.Contains(string(plain), "Signature>") {
		t.Errorf("unsigned: %v\n%s", err, plain)
	}
	all, err := metadata.BuildGroup("https://portal.example", []metadata.Ours{o, o}, o.Keys[0], now, true)
	if err != nil || strings.Count(string(all), "<md:EntityDescriptor") != 2 || strings.Count(string(all), "<ds:Signature ") != 1 {
		t.Errorf("group: %v\n%s", err, all)
	}
}

// TestPinned: with a pinned signer nothing else counts (row 144).
func TestPinned(t *testing.T) {
	o, stranger := ours("signer"), ours("stranger")
	signed, err := metadata.Build(o, now, true)
	if err != nil {
		t.Fatal(err)
	}
	plain, _ := metadata.Build(o, now, false)
	foreign, _ := metadata.Build(stranger, now, true)
	changed := strings.Replace(string(signed), "portal.example/acs", "evil.example/acs", 1)
	evil := strings.Replace(string(signed), "<md:SPSSODescriptor", `<md:EntityDescriptor entityID="https://evil.example"/><md:SPSSODescriptor`, 1)
	sha1 := strings.Replace(string(signed), "2001/04/xmldsig-more#rsa-sha256", "2000/09/xmldsig#rsa-sha1", 1)
	for name, text := range map[string]string{"unsigned": string(plain), "other signer": string(foreign), "changed": changed, "element added": evil, "SHA-1": sha1,
		"wrapped": group(1, string(signed[strings.Index(string(signed), "?>")+2:]))} {
		_, _, err := metadata.Parse([]byte(text), metadata.Options{Role: metadata.RoleSP, Now: now, Pinned: o.Keys[0].CertDER})
		if !fault.HasCode(err, metadata.CodeSig) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestJudge is the table of what a newer document may change by itself (rows 143, 144).
func TestJudge(t *testing.T) {
	known := metadata.Known{EntityID: entity, SSO: there, Signing: []string{"a", "b"}}
	entityOf := func(change func(e *metadata.Entity), prints ...string) metadata.Entity {
		e := metadata.Entity{ID: entity, SSO: metadata.Endpoint{URL: there}}
		for _, f := range prints {
			e.Certs = append(e.Certs, metadata.Cert{Fingerprint: f})
		}
		if change != nil {
			change(&e)
		}
		return e
	}
	pinned := known
	pinned.Pinned = true
	for name, c := range map[string]struct {
		known  metadata.Known
		e      metadata.Entity
		signed bool
		effect metadata.Effect
		code   string
	}{
		"the same":                {known, entityOf(nil, "a", "b"), false, metadata.EffectNothing, ""},
		"one added":               {known, entityOf(nil, "a", "b", "c"), false, metadata.EffectApply, ""},
		"one removed":             {known, entityOf(nil, "b"), false, metadata.EffectApply, ""},
		"one of two replaced":     {known, entityOf(nil, "b", "c"), false, metadata.EffectApply, ""},
		"all new":                 {known, entityOf(nil, "c"), false, metadata.EffectPending, metadata.CodeKeyJump},
		"all new, pinned":         {pinned, entityOf(nil, "c"), true, metadata.EffectApply, ""},
		"unsigned, pinned":        {pinned, entityOf(nil, "a", "b", "c"), false, metadata.EffectRefuse, metadata.CodeSig},
		"other entity":            {known, entityOf(func(e *metadata.Entity) { e.ID = "https://evil.example" }, "a", "b"), false, metadata.EffectRefuse, metadata.CodeEntityChanged},
		"other path":              {known, entityOf(func(e *metadata.Entity) { e.SSO.URL = there + "2" }, "a", "b"), false, metadata.EffectApply, ""},
		"other host":              {known, entityOf(func(e *metadata.Entity) { e.SSO.URL = "https://evil.example/sso" }, "a", "b"), false, metadata.EffectPending, metadata.CodeHostChanged},
		"other port":              {known, entityOf(func(e *metadata.Entity) { e.SSO.URL = "https://idp.example:8443/sso" }, "a", "b"), false, metadata.EffectPending, metadata.CodeHostChanged},
		"logout at the same host": {known, entityOf(func(e *metadata.Entity) { e.SLO.URL = "https://idp.example/slo" }, "a", "b"), false, metadata.EffectApply, ""},
		"logout at another":       {known, entityOf(func(e *metadata.Entity) { e.SLO.URL = "https://evil.example/slo" }, "a", "b"), false, metadata.EffectPending, metadata.CodeHostChanged},
		"answers go elsewhere": {known, entityOf(func(e *metadata.Entity) {
			e.SLO.URL, e.SLO.Response = "https://idp.example/slo", "https://evil.example/"
		}, "a", "b"), false, metadata.EffectPending, metadata.CodeHostChanged},
		"no certificate any more":  {known, entityOf(nil), false, metadata.EffectPending, metadata.CodeKeyJump},
		"pinned, signed, new host": {pinned, entityOf(func(e *metadata.Entity) { e.SSO.URL = "https://evil.example/sso" }, "a", "b"), true, metadata.EffectPending, metadata.CodeHostChanged},
	} {
		v := metadata.Judge(c.known, c.e, c.signed)
		if v.Effect != c.effect || v.Code != c.code {
			t.Errorf("%s: %+v, want %s %s", name, v, c.effect, c.code)
		}
	}
	if d := metadata.Judge(known, entityOf(nil, "b", "c"), false).Diff; !cmp.Equal(d, metadata.Diff{Added: []string{"c"}, Removed: []string{"a"}}) {
		t.Errorf("%+v", d)
	}
}

// TestWarnings: 60, 30, 14, 7, 3 and 1 days ahead once each, however often it is asked, then daily.
func TestWarnings(t *testing.T) {
	end := now.Add(70 * 24 * time.Hour)
	var told []int
	given, warned := 0, false
	for h := 0; h < 74*24; h += 5 {
		at := now.Add(time.Duration(h) * time.Hour)
		if days, due := metadata.DueWarning(end, at, given, warned); due {
			told, given, warned = append(told, days), days, true
		}
	}
	if !cmp.Equal(told, []int{60, 30, 14, 7, 3, 1, -1, -2, -3, -4}) {
		t.Error(told)
	}
}

func TestTimes(t *testing.T) {
	for cache, want := range map[time.Duration]time.Duration{0: 24 * time.Hour, time.Minute: time.Hour, 6 * time.Hour: 6 * time.Hour, 999 * time.Hour: 24 * time.Hour} {
		if got := metadata.Next(now, cache, 0).Sub(now); got != want {
			t.Errorf("%s: %s", cache, got)
		}
		if got := metadata.Next(now, cache, 1).Sub(now); got != want+want/10 {
			t.Errorf("%s with jitter: %s", cache, got)
		}
	}
	if metadata.Stale(now, now.Add(7*24*time.Hour)) || !metadata.Stale(now, now.Add(7*24*time.Hour+1)) || metadata.Stale(time.Time{}, now) {
		t.Error("the days of grace")
	}
}

// FuzzParse: whatever comes, the import answers with a fault or with something it can stand by.
func FuzzParse(f *testing.F) {
	a := keys(good("a"))
	signed, err := metadata.Build(ours("ours"), now, true)
	if err != nil {
		f.Fatal(err)
	}
	for _, text := range []string{idp(entity, "", a, there), group(2, idp(entity, "", a, there)), "\xef\xbb\xbf<a/>", string(signed), `<a xmlns:b=""><b:c d="e"/></a>`} {
		f.Add([]byte(text))
	}
	block, _ := pem.Decode(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ours("ours").Keys[0].CertDER}))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, role := range []metadata.Role{metadata.RoleIdP, metadata.RoleSP} {
			for _, pinned := range [][]byte{nil, block.Bytes} {
				d, e, err := metadata.Parse(body, metadata.Options{Role: role, Now: now, Pinned: pinned})
				if err != nil {
					if fault.From(err).Kind != fault.KindInvalid {
						t.Fatalf("not a refusal: %v", err)
					}
					continue
				}
				if e.ID == "" || pinned != nil && d.Signer == "" {
					t.Fatalf("taken: %+v %+v", d, e)
				}
				for _, c := range e.Certs {
					if _, err := x509.ParseCertificate(c.DER); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	})
}
