package metadata

import (
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"

	"huoban/internal/fault"
	"huoban/internal/sso"
)

// Longest life of a document of ours, which begins with the day, and how long it may be kept without being fetched
// again. A next signing key is published for longer than either before it signs.
const (
	Valid = 7 * 24 * time.Hour
	Cache = 24 * time.Hour
)

// ciphers we can read, the best first.
var ciphers = []string{
	"http://www.w3.org/2009/xmlenc11#aes256-gcm", "http://www.w3.org/2009/xmlenc11#aes128-gcm",
	"http://www.w3.org/2001/04/xmlenc#aes256-cbc", "http://www.w3.org/2001/04/xmlenc#aes128-cbc",
	"http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p",
}

// Ours is an entity of ours as its document shows it. Addresses holds one ACS (of an SP) or one SSO address (of
// an IdP) for each public address the portal has had, the present one first.
type Ours struct {
	Role      Role
	EntityID  string
	Addresses []string
	SLO       string
	Keys      []sso.Key
	// SignRequests says that an SP signs what it asks.
	SignRequests bool
}

// Signer is the current signing key of the entity. Fault: sso.key_missing.
func (o Ours) signer() (sso.Key, error) {
	for _, k := range o.Keys {
		if k.Use == sso.KeyUseSign && k.State == sso.KeyStateCurrent {
			return k, nil
		}
	}
	return sso.Key{}, fault.Unavailable("sso.key_missing", fault.Args{"entity": o.EntityID})
}

// Build writes the document of one entity, valid from now.
func Build(o Ours, now time.Time, signed bool) ([]byte, error) {
	e := o.element(now)
	if signed {
		k, err := o.signer()
		if err != nil {
			return nil, err
		}
		if e, err = sign(e, k); err != nil {
			return nil, err
		}
	}
	return text(e)
}

// BuildGroup writes one document of several entities, signed by one key.
func BuildGroup(name string, all []Ours, by sso.Key, now time.Time, signed bool) ([]byte, error) {
	g := etree.NewElement("md:EntitiesDescriptor")
	g.CreateAttr("xmlns:md", nsMD)
	g.CreateAttr("ID", sso.NewMessageID())
	g.CreateAttr("Name", name)
	g.CreateAttr("validUntil", stamp(now.Add(Valid)))
	for _, o := range all {
		g.AddChild(o.element(now))
	}
	if !signed {
		return text(g)
	}
	g, err := sign(g, by)
	if err != nil {
		return nil, err
	}
	return text(g)
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

func text(e *etree.Element) ([]byte, error) {
	doc := etree.NewDocument()
	doc.CreateProcInst("xml", `version="1.0" encoding="UTF-8"`)
	doc.SetRoot(e)
	return doc.WriteToBytes()
}

// sign puts the signature first under the element, where the schema wants it.
func sign(e *etree.Element, k sso.Key) (*etree.Element, error) {
	c, err := dsig.NewSigningContext(k.Private, [][]byte{k.CertDER})
	if err != nil {
		return nil, fmt.Errorf("sign metadata: %w", err)
	}
	c.Hash = crypto.SHA256
	c.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	if err := c.SetSignatureMethod(dsig.RSASHA256SignatureMethod); err != nil {
		return nil, fmt.Errorf("sign metadata: %w", err)
	}
	out, err := c.SignEnveloped(e)
	if err != nil {
		return nil, fmt.Errorf("sign metadata: %w", err)
	}
	sig := out.RemoveChildAt(len(out.Child) - 1)
	out.InsertChildAt(0, sig)
	return out, nil
}

func (o Ours) element(now time.Time) *etree.Element {
	until := stamp(now.UTC().Truncate(Cache).Add(Valid))
	e := etree.NewElement("md:EntityDescriptor")
	e.CreateAttr("xmlns:md", nsMD)
	e.CreateAttr("ID", o.id(until))
	e.CreateAttr("entityID", o.EntityID)
	e.CreateAttr("validUntil", until)
	e.CreateAttr("cacheDuration", "P1D")
	role := e.CreateElement("md:" + descriptors[o.Role])
	if o.Role == RoleSP {
		role.CreateAttr("AuthnRequestsSigned", fmt.Sprint(o.SignRequests))
		role.CreateAttr("WantAssertionsSigned", "true")
	} else {
		role.CreateAttr("WantAuthnRequestsSigned", "false")
	}
	role.CreateAttr("protocolSupportEnumeration", protocol20)
	o.keys(role)
	for _, b := range []sso.Binding{sso.BindingRedirect, sso.BindingPost} {
		if o.SLO != "" {
			address(role, "SingleLogoutService", b, o.SLO)
		}
	}
	for _, f := range []sso.NameIDFormat{sso.NameIDTransient, sso.NameIDPersistent, sso.NameIDEmail} {
		role.CreateElement("md:NameIDFormat").SetText(string(f))
	}
	for i, u := range o.Addresses {
		if o.Role == RoleIdP {
			address(role, "SingleSignOnService", sso.BindingRedirect, u)
			address(role, "SingleSignOnService", sso.BindingPost, u)
			continue
		}
		a := address(role, "AssertionConsumerService", sso.BindingPost, u)
		a.CreateAttr("index", fmt.Sprint(i))
		a.CreateAttr("isDefault", fmt.Sprint(i == 0))
	}
	return e
}

// id names the document by what is in it, so that the same document, by whatever way it is asked for on a day, is
// the same bytes.
func (o Ours) id(until string) string {
	h := sha256.New()
	fmt.Fprintln(h, o.Role, o.EntityID, until, o.Addresses, o.SLO, o.SignRequests)
	for _, k := range o.Keys {
		fmt.Fprintf(h, "%s %s %x\n", k.Use, k.State, k.CertDER)
	}
	return "_" + hex.EncodeToString(h.Sum(nil)[:16])
}

func address(role *etree.Element, name string, b sso.Binding, location string) *etree.Element {
	a := role.CreateElement("md:" + name)
	a.CreateAttr("Binding", string(b))
	a.CreateAttr("Location", location)
	return a
}

// keys shows every signing key that is, was lately, or will be in use, and the one to encrypt to now: what is
// encrypted to an older one is still read while it retires.
func (o Ours) keys(role *etree.Element) {
	for _, state := range []sso.KeyState{sso.KeyStateCurrent, sso.KeyStateNext, sso.KeyStateRetiring} {
		for _, k := range o.Keys {
			if k.Use == sso.KeyUseSign && k.State == state {
				keyDescriptor(role, "signing", k.CertDER)
			}
		}
	}
	if o.Role != RoleSP {
		return
	}
	for _, k := range o.Keys {
		if k.Use != sso.KeyUseDecrypt || k.State != sso.KeyStateCurrent {
			continue
		}
		d := keyDescriptor(role, "encryption", k.CertDER)
		for _, c := range ciphers {
			d.CreateElement("md:EncryptionMethod").CreateAttr("Algorithm", c)
		}
	}
}

func keyDescriptor(role *etree.Element, use string, der []byte) *etree.Element {
	d := role.CreateElement("md:KeyDescriptor")
	d.CreateAttr("use", use)
	info := d.CreateElement("ds:KeyInfo")
	info.CreateAttr("xmlns:ds", nsDS)
	info.CreateElement("ds:X509Data").CreateElement("ds:X509Certificate").SetText(base64.StdEncoding.EncodeToString(der))
	return d
}
