package metadata

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"huoban/internal/fault"
	"huoban/internal/sso"
)

const (
	protocol20  = "urn:oasis:names:tc:SAML:2.0:protocol"
	maxEntityID = 1024
	maxURL      = 2048
	maxAhead    = 10 * 365 * 24 * time.Hour
	minRSA      = 2048
	weakRSA     = 1024
	minExponent = 65537
)

// Grade says what a certificate is good for.
type Grade string

// The grades of a certificate. A weak one is taken but verifies nothing without a waiver of staff.
const (
	GradeGood    Grade = "good"
	GradeWeak    Grade = "weak"    // RSA of 1024 to 2047 bits, or a small exponent
	GradeExpired Grade = "expired" // or not valid yet
	GradeUnfit   Grade = "unfit"   // no RSA and no ECDSA, or shorter still
)

// Cert is one certificate of a document.
type Cert struct {
	Use         sso.CertUse
	DER         []byte
	Fingerprint string // SHA-256, lower-case hex
	Algorithm   string // "RSA", "ECDSA" or what else it is
	Bits        int
	NotBefore   time.Time
	NotAfter    time.Time
	Grade       Grade
}

// Endpoint is one address of a document.
type Endpoint struct {
	URL      string
	Response string // where answers go, if elsewhere
	Binding  sso.Binding
	Index    int
	Default  bool
}

// Entity is one entity of a document in the role that was asked for.
type Entity struct {
	ID         string
	SSO        Endpoint   // of an IdP: redirect before POST
	ACS        []Endpoint // of an SP: POST alone
	SLO        Endpoint   // zero: none
	Certs      []Cert
	Ciphers    []string // of an SP, the encryption methods it lists
	WantSigned bool     // IdP: wants signed requests; SP: signs its requests
	ValidUntil time.Time
}

// Document is what a text says.
type Document struct {
	Entities   []Entity // those with the role, in order
	ValidUntil time.Time
	Cache      time.Duration
	Signer     string // fingerprint of the pinned signer that signed it, else empty
	Signed     bool   // some signature is there
}

// Role is whose part an entity plays.
type Role string

// The roles that are read.
const (
	RoleIdP Role = "idp"
	RoleSP  Role = "sp"
)

// Options of reading.
type Options struct {
	Role      Role
	Now       time.Time
	LocalHTTP bool   // the portal itself is served on this machine alone: http to it is taken
	Pinned    []byte // DER of the signer every document must be signed by; nil: none
	Entity    string // which entity of a group is meant; empty: it must be the only one
}

// Parse reads a document and refuses what could not be used. Faults: sso.md.size, .xml, .entities, .role,
// .key, .endpoint, .entity_id, .expired, .sig.
func Parse(body []byte, o Options) (Document, Entity, error) {
	root, err := read(body)
	if err != nil {
		return Document{}, Entity{}, err
	}
	var d Document
	d.Signed = len(root.kids(nsDS, "Signature")) > 0
	if o.Pinned != nil {
		if root, d.Signer, err = verified(body, o.Pinned, o.Now); err != nil {
			return d, Entity{}, err
		}
	}
	if err := d.collect(root, o); err != nil {
		return d, Entity{}, err
	}
	e, err := d.choose(o)
	if err != nil {
		return d, e, err
	}
	return d, e, e.check(o)
}

// collect walks groups down to entities.
func (d *Document) collect(root *node, o Options) error {
	others := 0
	var walk func(n *node, level int, until time.Time) error
	walk = func(n *node, level int, until time.Time) error {
		until, err := d.validity(n, until, o.Now)
		if err != nil {
			return err
		}
		if n.is(nsMD, "EntityDescriptor") {
			e, ok, err := entity(n, o)
			if err != nil {
				return err
			}
			if !ok {
				others++
				return nil
			}
			e.ValidUntil = earlier(e.ValidUntil, until)
			d.Entities = append(d.Entities, e)
			return nil
		}
		if !n.is(nsMD, "EntitiesDescriptor") {
			return badXML(n.line, "root")
		}
		if level >= maxGroups {
			return badXML(n.line, "groups")
		}
		for _, c := range n.children {
			if c.is(nsMD, "EntityDescriptor") || c.is(nsMD, "EntitiesDescriptor") {
				if err := walk(c, level+1, until); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if err := walk(root, 0, time.Time{}); err != nil {
		return err
	}
	if len(d.Entities) == 0 {
		return fault.Invalid(CodeRole, fault.Args{"role": strings.ToUpper(string(o.Role)), "others": others})
	}
	return nil
}

// validity notes validUntil and cacheDuration of an element and refuses what is over.
func (d *Document) validity(n *node, until time.Time, now time.Time) (time.Time, error) {
	if v, ok := n.attrs["validUntil"]; ok {
		t, err := time.Parse(time.RFC3339Nano, strings.TrimSpace(v))
		if err != nil {
			return until, badXML(n.line, "valid_until")
		}
		if !t.After(now) || t.After(now.Add(maxAhead)) {
			return until, fault.Invalid(CodeExpired, fault.Args{"until": t.UTC().Format(time.RFC3339)})
		}
		until = earlier(until, t.UTC())
		d.ValidUntil = earlier(d.ValidUntil, t.UTC())
	}
	if v, ok := n.attrs["cacheDuration"]; ok {
		if c, ok := duration(strings.TrimSpace(v)); ok && (d.Cache == 0 || c < d.Cache) {
			d.Cache = c
		}
	}
	return until, nil
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// choose finds the entity that is meant.
func (d *Document) choose(o Options) (Entity, error) {
	if o.Entity != "" {
		for _, e := range d.Entities {
			if e.ID == o.Entity {
				return e, nil
			}
		}
		return Entity{}, fault.Invalid("sso.md.entity_absent", fault.Args{"entity": short(o.Entity), "names": d.names()})
	}
	if len(d.Entities) != 1 {
		return Entity{}, fault.Invalid(CodeEntities, fault.Args{"count": len(d.Entities), "names": d.names()})
	}
	return d.Entities[0], nil
}

func (d *Document) names() string {
	var out []string
	for i, e := range d.Entities {
		if i == 10 {
			out = append(out, "…")
			break
		}
		out = append(out, short(e.ID))
	}
	return strings.Join(out, ", ")
}

func short(s string) string {
	if r := []rune(s); len(r) > 120 {
		return string(r[:120]) + "…"
	}
	return s
}

var descriptors = map[Role]string{RoleIdP: "IDPSSODescriptor", RoleSP: "SPSSODescriptor"}

// entity reads one entity in the role; ok is false when it does not play it.
func entity(n *node, o Options) (e Entity, ok bool, err error) {
	e.ID = n.attrs["entityID"]
	for _, r := range n.kids(nsMD, descriptors[o.Role]) {
		if !slices.Contains(strings.Fields(r.attrs["protocolSupportEnumeration"]), protocol20) {
			continue
		}
		if ok {
			return e, false, badXML(r.line, "roles")
		}
		ok = true
		if err := e.role(r, o); err != nil {
			return e, ok, err
		}
	}
	return e, ok, nil
}

func (e *Entity) role(r *node, o Options) error {
	var d Document
	until, err := d.validity(r, time.Time{}, o.Now)
	if err != nil {
		return err
	}
	e.ValidUntil = until
	for _, k := range r.kids(nsMD, "KeyDescriptor") {
		if err := e.key(k, o.Now); err != nil {
			return err
		}
	}
	e.WantSigned = truth(r.attrs["WantAuthnRequestsSigned"]) || truth(r.attrs["AuthnRequestsSigned"])
	for _, binding := range []sso.Binding{sso.BindingRedirect, sso.BindingPost} {
		if x, ok := endpoint(r, "SingleSignOnService", binding); ok && e.SSO.URL == "" {
			e.SSO = x
		}
		if x, ok := endpoint(r, "SingleLogoutService", binding); ok && e.SLO.URL == "" {
			e.SLO = x
		}
	}
	for i, a := range r.kids(nsMD, "AssertionConsumerService") {
		if a.attrs["Binding"] != string(sso.BindingPost) {
			continue
		}
		index, err := strconv.Atoi(strings.TrimSpace(a.attrs["index"]))
		if err != nil {
			index = i
		}
		e.ACS = append(e.ACS, Endpoint{URL: strings.TrimSpace(a.attrs["Location"]), Binding: sso.BindingPost, Index: index, Default: truth(a.attrs["isDefault"])})
	}
	return nil
}

func truth(s string) bool {
	s = strings.TrimSpace(s)
	return s == "true" || s == "1"
}

func endpoint(r *node, name string, binding sso.Binding) (Endpoint, bool) {
	for _, x := range r.kids(nsMD, name) {
		if x.attrs["Binding"] == string(binding) {
			return Endpoint{URL: strings.TrimSpace(x.attrs["Location"]), Response: strings.TrimSpace(x.attrs["ResponseLocation"]), Binding: binding}, true
		}
	}
	return Endpoint{}, false
}

// key reads one KeyDescriptor; of a chain the first certificate is the entity's.
func (e *Entity) key(k *node, now time.Time) error {
	use := sso.CertUse(k.attrs["use"])
	if use != sso.CertUseAny && use != sso.CertUseSigning && use != sso.CertUseEncryption {
		return badXML(k.line, "use")
	}
	for _, m := range k.kids(nsMD, "EncryptionMethod") {
		e.Ciphers = append(e.Ciphers, m.attrs["Algorithm"])
	}
	for _, info := range k.kids(nsDS, "KeyInfo") {
		for _, data := range info.kids(nsDS, "X509Data") {
			for _, x := range data.kids(nsDS, "X509Certificate")[:min(1, len(data.kids(nsDS, "X509Certificate")))] {
				c, err := certificate(x, use, now)
				if err != nil {
					return err
				}
				if !slices.ContainsFunc(e.Certs, func(o Cert) bool { return o.Use == c.Use && o.Fingerprint == c.Fingerprint }) {
					e.Certs = append(e.Certs, c)
				}
			}
		}
	}
	return nil
}

func certificate(x *node, use sso.CertUse, now time.Time) (Cert, error) {
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(x.text), ""))
	if err != nil {
		return Cert{}, reason(CodeKey, "sso.md.key_unreadable", fault.Args{"line": x.line})
	}
	c, err := Read(der, use, now)
	if err != nil {
		return c, reason(CodeKey, "sso.md.key_unreadable", fault.Args{"line": x.line})
	}
	return c, nil
}

// Read grades a certificate.
func Read(der []byte, use sso.CertUse, now time.Time) (Cert, error) {
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return Cert{}, err
	}
	sum := sha256.Sum256(der)
	c := Cert{Use: use, DER: der, Fingerprint: hex.EncodeToString(sum[:]), NotBefore: parsed.NotBefore.UTC(), NotAfter: parsed.NotAfter.UTC(),
		Algorithm: parsed.PublicKeyAlgorithm.String(), Grade: GradeGood}
	switch k := parsed.PublicKey.(type) {
	case *rsa.PublicKey:
		c.Bits = k.N.BitLen()
		switch {
		case c.Bits < weakRSA:
			c.Grade = GradeUnfit
		case c.Bits < minRSA || k.E < minExponent:
			c.Grade = GradeWeak
		}
	case *ecdsa.PublicKey:
		if c.Bits = k.Params().BitSize; c.Bits < 256 {
			c.Grade = GradeUnfit
		}
	default:
		c.Grade = GradeUnfit
	}
	if c.Grade != GradeUnfit && (now.After(c.NotAfter) || now.Before(c.NotBefore)) {
		c.Grade = GradeExpired
	}
	return c, nil
}

// Signs tells whether a certificate may sign at all.
func (c Cert) Signs() bool { return c.Use == sso.CertUseAny || c.Use == sso.CertUseSigning }

// check refuses an entity that could not be used.
func (e Entity) check(o Options) error {
	if u, err := url.Parse(e.ID); e.ID == "" || len(e.ID) > maxEntityID || err != nil || !u.IsAbs() || hasControl(e.ID) {
		return fault.Invalid(CodeEntityID, fault.Args{"entity": short(e.ID)})
	}
	if o.Role == RoleIdP {
		if err := e.checkKeys(); err != nil {
			return err
		}
		if e.SSO.URL == "" {
			return fault.Invalid(CodeEndpoint, fault.Args{"field": "SingleSignOnService", "value": ""})
		}
		if err := checkURL("SingleSignOnService", e.SSO.URL, o.LocalHTTP); err != nil {
			return err
		}
	} else if len(e.ACS) == 0 {
		return fault.Invalid(CodeEndpoint, fault.Args{"field": "AssertionConsumerService", "value": ""})
	}
	for _, a := range e.ACS {
		if err := checkURL("AssertionConsumerService", a.URL, o.LocalHTTP); err != nil {
			return err
		}
	}
	for _, u := range []string{e.SLO.URL, e.SLO.Response} {
		if u != "" {
			if err := checkURL("SingleLogoutService", u, o.LocalHTTP); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkKeys wants one certificate to verify with; a weak one is a beginning.
func (e Entity) checkKeys() error {
	why, args := "sso.md.key_none", fault.Args{}
	for _, c := range e.Certs {
		if !c.Signs() {
			continue
		}
		switch c.Grade {
		case GradeGood, GradeWeak:
			return nil
		case GradeExpired:
			why, args = "sso.md.key_expired", fault.Args{"fingerprint": c.Fingerprint[:16], "until": c.NotAfter.Format(time.DateOnly), "from": c.NotBefore.Format(time.DateOnly)}
		case GradeUnfit:
			if why == "sso.md.key_none" {
				why, args = "sso.md.key_unfit", fault.Args{"algorithm": c.Algorithm, "bits": c.Bits}
			}
		}
	}
	return reason(CodeKey, why, args)
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f })
}

// checkURL takes https; http leads to this machine alone.
func checkURL(field, text string, localHTTP bool) error {
	refused := fault.Invalid(CodeEndpoint, fault.Args{"field": field, "value": short(text)})
	u, err := url.Parse(text)
	if err != nil || len(text) > maxURL || hasControl(text) || strings.Contains(text, `\`) || u.Host == "" || u.User != nil || u.Opaque != "" || u.Fragment != "" {
		return refused
	}
	if u.Scheme == "https" || u.Scheme == "http" && localHTTP && Local(u.Hostname()) {
		return nil
	}
	return refused
}

// Local tells whether a host is this machine itself.
func Local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.To4() != nil && ip.To4()[0] == 127
}

// LocalBase tells whether a portal of that address is served on this machine alone, over http.
func LocalBase(base string) bool {
	u, err := url.Parse(base)
	return err == nil && u.Scheme == "http" && Local(u.Hostname())
}

// duration reads xs:duration; years and months count 365 and 30 days.
func duration(s string) (time.Duration, bool) {
	rest, ok := strings.CutPrefix(s, "P")
	if !ok || rest == "" {
		return 0, false
	}
	units := map[byte]time.Duration{'Y': 365 * 24 * time.Hour, 'M': 30 * 24 * time.Hour, 'W': 7 * 24 * time.Hour, 'D': 24 * time.Hour}
	clock := map[byte]time.Duration{'H': time.Hour, 'M': time.Minute, 'S': time.Second}
	var sum time.Duration
	for rest != "" {
		if rest[0] == 'T' {
			rest, units = rest[1:], clock
			continue
		}
		n := 0
		for n < len(rest) && (rest[n] >= '0' && rest[n] <= '9' || rest[n] == '.') {
			n++
		}
		if n == 0 || n == len(rest) || n > 9 {
			return 0, false
		}
		v, err := strconv.ParseFloat(rest[:n], 64)
		unit, known := units[rest[n]]
		if err != nil || !known || v > 100*365 && unit >= 24*time.Hour {
			return 0, false
		}
		sum += time.Duration(v * float64(unit))
		rest = rest[n+1:]
	}
	return sum, true
}
