// Package samltest makes SAML messages for tests, right ones and broken ones: an IdP with keys, a console,
// answers signed and encrypted in any way an attacker or an old platform might. Nothing else may import it.
//
// It shares no code with the verification: its signing and encryption are written a second time.
package samltest

import (
	"bytes"
	"compress/flate"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"sync"
	"time"

	"github.com/beevik/etree"

	"huoban/internal/sso"
)

// Namespaces of the messages.
const (
	NSProtocol  = "urn:oasis:names:tc:SAML:2.0:protocol"
	NSAssertion = "urn:oasis:names:tc:SAML:2.0:assertion"
	NSDSig      = "http://www.w3.org/2000/09/xmldsig#"
	NSEnc       = "http://www.w3.org/2001/04/xmlenc#"
)

// Keys are made once per test program, because making them is what takes time.
var keys = struct {
	sync.Mutex
	made map[string]*rsa.PrivateKey
}{made: map[string]*rsa.PrivateKey{}}

// Key gives the RSA key of that name, of 2048 bits.
func Key(name string) *rsa.PrivateKey { return KeyOf(name, 2048) }

// KeyOf gives the RSA key of that name and size.
func KeyOf(name string, bits int) *rsa.PrivateKey {
	keys.Lock()
	defer keys.Unlock()
	if k := keys.made[name]; k != nil && k.N.BitLen() == bits {
		return k
	}
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	keys.made[name] = k
	return k
}

// Certify makes a self-signed certificate.
func Certify(key crypto.Signer, name string, from, to time.Time) []byte {
	t := &x509.Certificate{SerialNumber: big.NewInt(from.UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: from, NotAfter: to}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return der
}

// Certificate makes the registered form of a certificate, current and for signing.
func Certificate(der []byte) sso.Certificate {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return sso.Certificate{Use: sso.CertUseSigning, State: sso.CertStateCurrent, DER: der, Fingerprint: sso.Fingerprint(der),
		NotBefore: c.NotBefore, NotAfter: c.NotAfter}
}

// IdP is a sales platform of a partner.
type IdP struct {
	EntityID string
	SSO, SLO string
	Key      *rsa.PrivateKey
	CertDER  []byte
}

// NewIdP makes a platform whose certificate is valid for a year around now.
func NewIdP(name string, now time.Time) *IdP {
	k := Key("idp " + name)
	return &IdP{EntityID: "https://" + name + ".example/idp", SSO: "https://" + name + ".example/sso", SLO: "https://" + name + ".example/slo",
		Key: k, CertDER: Certify(k, name, now.AddDate(0, -6, 0), now.AddDate(0, 6, 0))}
}

// Registration registers the platform with the portal at base: active, signed requests, first entry creates.
func (p *IdP) Registration(id, base string, now time.Time) sso.Registration {
	key := id + "aaaaaaaaaaaaaaaaaaaaaaaaaa"
	at := base + "/saml/sp/" + key[:26]
	sign, decrypt := Key("sp sign"), Key("sp decrypt")
	cert := Certify(sign, "sp", now.AddDate(-1, 0, 0), now.AddDate(2, 0, 0))
	return sso.Registration{ID: id, PartnerID: "partner-" + id, BpID: "P-" + id, PartnerName: "Partner " + id, PartnerActive: true, Key: key[:26],
		AccountType: "HB_" + id, State: sso.StateActive, Version: 1, EntityID: at + "/metadata", ACS: at + "/acs", SLO: at + "/slo",
		Keys: []sso.Key{{Use: sso.KeyUseSign, State: sso.KeyStateCurrent, Private: sign, CertDER: cert},
			{Use: sso.KeyUseDecrypt, State: sso.KeyStateCurrent, Private: decrypt, CertDER: Certify(decrypt, "sp", now.AddDate(-1, 0, 0), now.AddDate(2, 0, 0))}},
		IdPEntityID: p.EntityID, SSOURL: p.SSO, SSOBinding: sso.BindingRedirect, SLOURL: p.SLO, SLOBinding: sso.BindingRedirect,
		Certs: []sso.Certificate{Certificate(p.CertDER)}, SignRequests: true, FirstEntry: sso.FirstEntryCreate, Mapping: sso.VendorMapping()}
}

// Metadata is the platform's metadata file.
func (p *IdP) Metadata() []byte {
	d := etree.NewDocument()
	root := d.CreateElement("md:EntityDescriptor")
	set(root, "xmlns:md", "urn:oasis:names:tc:SAML:2.0:metadata", "xmlns:ds", NSDSig, "entityID", p.EntityID)
	role := root.CreateElement("md:IDPSSODescriptor")
	set(role, "protocolSupportEnumeration", NSProtocol, "WantAuthnRequestsSigned", "true")
	kd := role.CreateElement("md:KeyDescriptor")
	set(kd, "use", "signing")
	kd.CreateElement("ds:KeyInfo").CreateElement("ds:X509Data").CreateElement("ds:X509Certificate").SetText(base64.StdEncoding.EncodeToString(p.CertDER))
	set(role.CreateElement("md:SingleLogoutService"), "Binding", string(sso.BindingRedirect), "Location", p.SLO)
	set(role.CreateElement("md:SingleSignOnService"), "Binding", string(sso.BindingRedirect), "Location", p.SSO)
	out, err := d.WriteToBytes()
	if err != nil {
		panic(err)
	}
	return out
}

func set(e *etree.Element, pairs ...string) *etree.Element {
	for i := 0; i+1 < len(pairs); i += 2 {
		e.CreateAttr(pairs[i], pairs[i+1])
	}
	return e
}

// Stamp writes an instant as SAML does.
func Stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// Deflate writes a text as the redirect binding carries it, before it is escaped.
func Deflate(text string) string {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestCompression) // fails for an unknown level only
	w.Write([]byte(text))
	w.Close()
	return base64.StdEncoding.EncodeToString(b.Bytes())
}
