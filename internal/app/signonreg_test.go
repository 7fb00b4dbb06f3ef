package app

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"huoban/internal/scope"
	"huoban/internal/sso/registry"
	"huoban/internal/sso/samltest"
)

// TestJumpRegistered: a platform that was registered from its metadata alone brings its customers in, by the keys
// and addresses of our own metadata, and no longer once it is disabled.
func TestJumpRegistered(t *testing.T) {
	eachDoorway(t, func(t *testing.T, d *doorway) {
		for i, a := range []*App{d.a, d.b} {
			h, err := a.Handler()
			if err != nil {
				t.Fatal(err)
			}
			d.srv[i] = httptest.NewServer(h)
			t.Cleanup(d.srv[i].Close)
		}
		idp := samltest.NewIdP("three", jumpDay)
		op := scope.System("operator")
		added, err := d.a.Platforms.Add(d.ctx(), op, registry.AddInput{PartnerID: d.one.Partner.ID, Metadata: idp.Metadata(), AccountType: "HB_THREE", Activate: true})
		if err != nil {
			t.Fatal(err)
		}
		reg, ok, err := d.b.Platforms.Registration(d.ctx(), added.Platform.Key)
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		d.idp[reg.ID] = idp
		b := d.browser()
		for _, path := range []string{"/saml/sp/" + reg.Key + "/metadata", "/authui/saml/metadata.xml?xAccountType=HB_THREE"} {
			if p := b.get(path); p.status != http.StatusOK || !strings.Contains(p.body, reg.ACS) || p.header.Get("Content-Type") != "application/samlmetadata+xml" {
				t.Errorf("%s: %d %s", path, p.status, p.header.Get("Content-Type"))
			}
		}
		for _, path := range []string{"/saml/sp/HB_THREE/metadata", "/authui/saml/metadata.xml", "/authui/saml/metadata.xml?xAccountType=" + reg.Key} {
			if p := b.get(path); p.status != http.StatusNotFound {
				t.Errorf("%s: %d", path, p.status)
			}
		}
		b.enter(reg, "x1")
		if b.saml("registration") != reg.Key || b.saml("partner") != "P001" || b.saml("xAccountId") != "x1" {
			_, all := b.who()
			t.Errorf("session: %v", all)
		}
		if _, err := d.a.Platforms.Do(d.ctx(), op, reg.Key, registry.ActionDisable, "test", false); err != nil {
			t.Fatal(err)
		}
		if status, _ := b.who(); status != http.StatusUnauthorized {
			t.Errorf("a session of a disabled platform answers %d", status)
		}
		if p := d.browser().get("/authui/saml/login?xAccountType=HB_THREE"); p.status != http.StatusForbidden || d.code() != "sso.tenant.disabled" {
			t.Errorf("a disabled platform: %d %s", p.status, d.code())
		}
	})
}
