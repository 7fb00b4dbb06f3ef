package app

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"math/big"
	"time"

	"huoban/internal/fault"
	"huoban/internal/sso"
	"huoban/internal/sso/registry"
)

// demoConsoles are what customers of the demo's hosted platform can choose: addresses under .example lead nowhere.
var demoConsoles = []struct {
	host, name string
	life       time.Duration // of its certificate, from the demo's day
	given      []sso.Release
}{
	{"console.cloud.example", "云控制台", 40 * 24 * time.Hour, []sso.Release{{Name: "xAccountId", Field: "xAccountId"}, {Name: "name", Field: "name"}, {Name: "email", Field: "email"}}},
	{"market.cloud.example", "云商店卖家中心", 700 * 24 * time.Hour, []sso.Release{{Name: "xAccountId", Field: "xAccountId"}}},
}

// consoles registers them for a partner; those that are there stay as they are.
func (m *demoMaker) consoles(ctx context.Context, partnerID string) error {
	if m.app.Platforms.Usable() != nil {
		return nil // an address that SAML cannot be spoken at
	}
	for _, x := range demoConsoles {
		entity := "https://" + x.host + "/saml/metadata"
		_, err := m.app.Platforms.FindConsole(ctx, m.sc, entity)
		if !fault.HasCode(err, "sso.reg.console_unknown") {
			if err != nil {
				return err
			}
			continue
		}
		body, err := demoConsoleDocument(entity, x.host, m.clock.Now(), x.life)
		if err != nil {
			return err
		}
		if _, _, err := m.app.Platforms.AddConsole(ctx, m.sc, registry.ConsoleInput{Metadata: body, PartnerID: partnerID, Name: x.name, Attributes: x.given}); err != nil {
			return err
		}
	}
	return nil
}

// demoConsoleDocument is a console's metadata with a certificate that lasts so long.
func demoConsoleDocument(entity, host string, now time.Time, life time.Duration) ([]byte, error) {
	pair, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	t := &x509.Certificate{SerialNumber: big.NewInt(now.Unix()), Subject: pkix.Name{CommonName: host}, NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.Add(life)}
	der, err := x509.CreateCertificate(rand.Reader, t, t, pair.Public(), pair)
	if err != nil {
		return nil, fmt.Errorf("make certificate: %w", err)
	}
	return fmt.Appendf(nil, `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="%s"><md:SPSSODescriptor AuthnRequestsSigned="true" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:KeyDescriptor><ds:KeyInfo><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor><md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://%s/saml/slo"/><md:AssertionConsumerService index="0" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://%s/saml/acs"/></md:SPSSODescriptor></md:EntityDescriptor>`,
		entity, base64.StdEncoding.EncodeToString(der), host, host), nil
}
