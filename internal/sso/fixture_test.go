package sso_test

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crewjam/saml"

	"huoban/internal/sso"
)

// modules says where the modules are that signatures depend on, and in which version.
func modules(t *testing.T) map[string][2]string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-json", "github.com/crewjam/saml", "github.com/russellhaering/goxmldsig", "github.com/beevik/etree").Output()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][2]string{}
	for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
		var m struct{ Path, Version, Dir string }
		if err := dec.Decode(&m); err != nil {
			t.Fatal(err)
		}
		found[m.Path] = [2]string{m.Version, m.Dir}
	}
	return found
}

// TestVersions: below goxmldsig 1.6.0 the wrong reference is digested (CVE-2026-33487), below etree 1.7.0 depth has
// no bound. An older one may not come back by another module's wish.
func TestVersions(t *testing.T) {
	found := modules(t)
	for path, least := range map[string][3]int{"github.com/russellhaering/goxmldsig": {1, 6, 1}, "github.com/beevik/etree": {1, 7, 0}, "github.com/crewjam/saml": {0, 5, 1}} {
		var have [3]int
		for i, part := range strings.Split(strings.TrimPrefix(found[path][0], "v"), ".") {
			if i > 2 {
				t.Fatalf("%s %s", path, found[path][0])
			}
			for _, c := range part {
				have[i] = have[i]*10 + int(c-'0')
			}
		}
		if have[0] < least[0] || have[0] == least[0] && (have[1] < least[1] || have[1] == least[1] && have[2] < least[2]) {
			t.Errorf("%s is %s, at least %v is needed", path, found[path][0], least)
		}
	}
}

// TestXSWFixtures posts the nine captured wrapping messages that the library ships, at the time they were made.
func TestXSWFixtures(t *testing.T) {
	dir := filepath.Join(modules(t)["github.com/crewjam/saml"][1], "testdata")
	files, err := filepath.Glob(filepath.Join(dir, "TestXswPermutation*_response"))
	if err != nil || len(files) != 9 {
		t.Fatalf("%d fixtures, %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), "IsRejected_response")
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		metadata, now, at := "TestServiceProviderCanHandleSignedAssertionsResponse_IDPMetadata", time.Date(2014, 7, 17, 1, 2, 59, 0, time.UTC), "http://sp.example.com/demo1/"
		if strings.HasSuffix(name, "One") || strings.HasSuffix(name, "Two") {
			metadata, now, at = "TestSPCanHandleOneloginResponse_IDPMetadata", time.Date(2016, 1, 5, 17, 53, 12, 0, time.UTC), "https://29ee6d2e.ngrok.io/saml/"
		}
		reg := registrationOf(t, filepath.Join(dir, metadata), at)
		text := string(body)
		if raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text)); err != nil || raw[0] != '<' {
			text = base64.StdEncoding.EncodeToString(body)
		}
		post := sso.Post{Method: "POST", ContentType: "application/x-www-form-urlencoded", Form: url.Values{"SAMLResponse": {text}}}
		_, _, err = sso.VerifyPost(t.Context(), reg, post, book{}, now)
		if r := sso.RefusalOf(err); r == nil || r.Code != sso.CodeXMLShape {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func registrationOf(t *testing.T, metadata, at string) sso.Registration {
	t.Helper()
	body, err := os.ReadFile(metadata)
	if err != nil {
		t.Fatal(err)
	}
	var e saml.EntityDescriptor
	if err := xml.Unmarshal(body, &e); err != nil {
		t.Fatal(err)
	}
	reg := sso.Registration{ID: "f", Key: "f", State: sso.StateActive, PartnerActive: true, IdPEntityID: e.EntityID, ACS: at + "acs", EntityID: at + "metadata", Mapping: sso.VendorMapping()}
	for _, role := range e.IDPSSODescriptors {
		for _, k := range role.KeyDescriptors {
			for _, c := range k.KeyInfo.X509Data.X509Certificates {
				der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(c.Data), ""))
				if err != nil {
					t.Fatal(err)
				}
				reg.Certs = append(reg.Certs, sso.Certificate{State: sso.CertStateCurrent, DER: der})
			}
		}
	}
	return reg
}
