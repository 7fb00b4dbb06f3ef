package sso

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

const excC14N = "http://www.w3.org/2001/10/xml-exc-c14n#"

const (
	algRSA256   = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
	algRSA384   = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384"
	algRSA512   = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"
	algECDSA256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
	algECDSA384 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"
	algECDSA512 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512"
	algSHA256   = "http://www.w3.org/2001/04/xmlenc#sha256"
	algSHA384   = "http://www.w3.org/2001/04/xmldsig-more#sha384"
	algSHA512   = "http://www.w3.org/2001/04/xmlenc#sha512"
	enveloped   = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
)

var (
	signatureAlgs = []string{algRSA256, algRSA384, algRSA512, algECDSA256, algECDSA384, algECDSA512}
	digestAlgs    = []string{algSHA256, algSHA384, algSHA512}
)

// signatures gives the signatures of a shaped tree with the element each stands in.
func signatures(parents ...*etree.Element) []*etree.Element {
	var all []*etree.Element
	for _, p := range parents {
		if s := childOf(p, nsDSig, "Signature"); s != nil {
			all = append(all, s)
		}
	}
	return all
}

// checkAlgorithms takes SHA-256 and better only, and exclusive canonicalisation without comments.
func checkAlgorithms(sig *etree.Element) *Refusal {
	info := childOf(sig, nsDSig, "SignedInfo")
	bad := func(expected, seen string) *Refusal {
		return &Refusal{Code: CodeSigAlg, Expected: expected, Seen: shorten(seen)}
	}
	if alg := attr(childOf(info, nsDSig, "SignatureMethod"), "Algorithm"); !slices.Contains(signatureAlgs, alg) {
		return bad("RSA/ECDSA SHA-256, SHA-384, SHA-512", alg)
	}
	if alg := attr(childOf(info, nsDSig, "CanonicalizationMethod"), "Algorithm"); alg != excC14N {
		return bad(excC14N, alg)
	}
	for _, ref := range childrenOf(info, nsDSig, "Reference") {
		if alg := attr(childOf(ref, nsDSig, "DigestMethod"), "Algorithm"); !slices.Contains(digestAlgs, alg) {
			return bad("SHA-256, SHA-384, SHA-512", alg)
		}
		for _, t := range transforms(ref) {
			if alg := attr(t, "Algorithm"); strings.Contains(alg, "c14n") && alg != excC14N {
				return bad(excC14N, alg)
			}
		}
	}
	return nil
}

func transforms(ref *etree.Element) []*etree.Element {
	return childrenOf(childOf(ref, nsDSig, "Transforms"), nsDSig, "Transform")
}

// checkReference wants one reference, to the element that holds the signature, and the two transforms
// that sign exactly that element.
func checkReference(sig *etree.Element) *Refusal {
	bad := func(expected, seen string) *Refusal {
		return &Refusal{Code: CodeSigForm, Expected: expected, Seen: shorten(seen)}
	}
	info := childOf(sig, nsDSig, "SignedInfo")
	refs := childrenOf(info, nsDSig, "Reference")
	if len(refs) != 1 {
		return bad("1 Reference", fmt.Sprintf("%d Reference", len(refs)))
	}
	want := "#" + attr(sig.Parent(), "ID")
	if uri, _ := attrOk(refs[0], "URI"); uri != want || want == "#" {
		return bad("URI="+want, "URI="+uri)
	}
	ts := transforms(refs[0])
	var algs []string
	for _, t := range ts {
		algs = append(algs, attr(t, "Algorithm"))
	}
	if !slices.Equal(algs, []string{enveloped, excC14N}) {
		return bad(enveloped+" "+excC14N, strings.Join(algs, " "))
	}
	for i, t := range ts {
		for _, c := range t.ChildElements() {
			if i == 0 || full(c) != nsExcC14N+" InclusiveNamespaces" {
				return bad("InclusiveNamespaces", c.FullTag())
			}
		}
		if strings.TrimSpace(textOf(t)) != "" {
			return bad("", "text in Transform")
		}
	}
	return nil
}

// trust is who may have signed, and when it is now.
type trust struct {
	certs     []Certificate
	weakUntil time.Time
	now       time.Time
}

// anchor is a registered certificate that may verify.
type anchor struct {
	Certificate
	parsed *x509.Certificate
}

// usableKey tells why a key is too weak, or "". A waiver reaches down to 1024 bits and ends by itself.
func usableKey(pub any, waived bool) string {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		least := 2048
		if waived {
			least = 1024
		}
		if k.N.BitLen() < least || k.E < 65537 {
			return fmt.Sprintf("RSA-%d e=%d", k.N.BitLen(), k.E)
		}
		return ""
	case *ecdsa.PublicKey:
		if k.Curve.Params().BitSize < 256 {
			return "ECDSA-" + fmt.Sprint(k.Curve.Params().BitSize)
		}
		return ""
	}
	return fmt.Sprintf("%T", pub)
}

// UsableKey tells whether a partner's certificate may verify messages, and what is seen when not.
func UsableKey(der []byte, weakUntil, now time.Time) (seen string, ok bool) {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return "unreadable certificate", false
	}
	seen = usableKey(c.PublicKey, now.Before(weakUntil))
	return seen, seen == ""
}

// anchors are the certificates that may verify: current, for signing. Weak ones are left to be named.
func (t trust) anchors() []anchor {
	var all []anchor
	for _, c := range t.certs {
		if c.State != CertStateCurrent || c.Use == CertUseEncryption {
			continue
		}
		if p, err := x509.ParseCertificate(c.DER); err == nil {
			all = append(all, anchor{c, p})
		}
	}
	return all
}

// Fingerprint is the SHA-256 of a certificate in lower-case hex.
func Fingerprint(der []byte) string {
	h := sha256.Sum256(der)
	return hex.EncodeToString(h[:])
}

func (t trust) registered() string {
	var all []string
	for _, a := range t.anchors() {
		all = append(all, Fingerprint(a.DER)[:16])
	}
	return strings.Join(all, " ")
}

// keyed is what KeyInfo says: nothing, a key, or a certificate. It selects among registered ones.
func keyed(sig *etree.Element) (der []byte, named bool) {
	data := childOf(childOf(sig, nsDSig, "KeyInfo"), nsDSig, "X509Data")
	cert := childOf(data, nsDSig, "X509Certificate")
	if cert == nil {
		return nil, false
	}
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(textOf(cert)), ""))
	if err != nil {
		return nil, true
	}
	return der, true
}

// candidates are the registered certificates a signature may be by, or the refusal. A certificate made
// anew for the same key counts as the registered one.
func (t trust) candidates(sig *etree.Element) ([]anchor, *Refusal) {
	all := t.anchors()
	if der, named := keyed(sig); named {
		seen := "?"
		var match []anchor
		if key := keyOf(der, all); key != nil {
			seen = Fingerprint(der)[:16]
			for _, a := range all {
				if bytes.Equal(a.parsed.RawSubjectPublicKeyInfo, key) {
					match = append(match, a)
				}
			}
		}
		if len(match) == 0 {
			return nil, &Refusal{Code: CodeSigKey, Expected: t.registered(), Seen: seen + t.otherUse(der)}
		}
		all = match
	}
	return t.strong(all)
}

// keyOf is the public key of a certificate, which is mostly one of the registered and read already; nil for none.
func keyOf(der []byte, known []anchor) []byte {
	for _, a := range known {
		if bytes.Equal(a.DER, der) {
			return a.parsed.RawSubjectPublicKeyInfo
		}
	}
	p, err := x509.ParseCertificate(der)
	if err != nil {
		return nil
	}
	return p.RawSubjectPublicKeyInfo
}

// strong leaves out keys that are too weak and says so when nothing remains.
func (t trust) strong(all []anchor) ([]anchor, *Refusal) {
	var good []anchor
	weak := ""
	for _, a := range all {
		if seen := usableKey(a.parsed.PublicKey, t.now.Before(t.weakUntil)); seen != "" {
			weak = seen
			continue
		}
		good = append(good, a)
	}
	if len(good) == 0 {
		if weak == "" {
			weak = "no certificate for signing"
		}
		return nil, &Refusal{Code: CodeSigKey, Expected: "RSA ≥ 2048, e ≥ 65537, ECDSA ≥ P-256", Seen: weak}
	}
	return good, nil
}

// otherUse hints that the certificate is registered, but not for this.
func (t trust) otherUse(der []byte) string {
	for _, c := range t.certs {
		if bytes.Equal(c.DER, der) {
			if c.State != CertStateCurrent {
				return " (" + string(c.State) + ")"
			}
			return " (" + string(c.Use) + ")"
		}
	}
	return ""
}

func (t trust) inTime(a anchor) *Refusal {
	if t.now.Before(a.parsed.NotBefore) || t.now.After(a.parsed.NotAfter) {
		return &Refusal{Code: CodeSigCertTime, Expected: t.now.UTC().Format(time.RFC3339), Seen: Fingerprint(a.DER)[:16] + " " +
			a.parsed.NotBefore.UTC().Format(time.DateOnly) + " – " + a.parsed.NotAfter.UTC().Format(time.DateOnly)}
	}
	return nil
}

// verifyWithAny verifies the signature of an element with the registered certificates and gives the
// element read anew from the bytes that were digested.
func (t trust) verifyWithAny(el *etree.Element) (*etree.Element, *Refusal) {
	sig := childOf(el, nsDSig, "Signature")
	candidates, r := t.candidates(sig)
	if r != nil {
		return nil, r
	}
	_, named := keyed(sig)
	late := (*Refusal)(nil)
	for _, a := range candidates {
		verified, err := verifyOne(el, a, t.now)
		switch {
		case err == nil:
			if r := t.inTime(a); r != nil {
				late = r
				continue
			}
			return verified, nil
		case err.Error() == "Signature could not be verified", named:
			// The key fits, or was named: then it is the content that does not.
			if r := t.inTime(a); r != nil {
				late = r
				continue
			}
			return nil, &Refusal{Code: CodeSigValue, Expected: Fingerprint(a.DER)[:16], Seen: err.Error()}
		}
	}
	if late != nil {
		return nil, late
	}
	return nil, &Refusal{Code: CodeSigKey, Expected: t.registered(), Seen: "KeyInfo –"}
}

// verifyOne lets goxmldsig verify against exactly one certificate. KeyInfo is taken out of the copy, so that
// it supplies nothing; validity is judged by us, to be named apart.
func verifyOne(el *etree.Element, a anchor, now time.Time) (*etree.Element, error) {
	alone, err := detach(el)
	if err != nil {
		return nil, err
	}
	if sig := childOf(alone, nsDSig, "Signature"); sig != nil {
		if info := childOf(sig, nsDSig, "KeyInfo"); info != nil {
			sig.RemoveChild(info)
		}
	}
	ctx := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{a.parsed}})
	ctx.IdAttribute = "ID"
	at := now
	if at.Before(a.parsed.NotBefore) || at.After(a.parsed.NotAfter) {
		at = a.parsed.NotBefore
	}
	ctx.Clock = dsig.NewFakeClockAt(at)
	return ctx.Validate(alone)
}

// detach copies an element with the namespaces it inherits, so that it reads alone as it did in its place.
func detach(el *etree.Element) (*etree.Element, error) {
	alone := el.Copy()
	have := map[string]bool{}
	for _, a := range alone.Attr {
		if a.Space == "xmlns" || a.Space == "" && a.Key == "xmlns" {
			have[a.FullKey()] = true
		}
	}
	for p := el.Parent(); p != nil; p = p.Parent() {
		for _, a := range p.Attr {
			if (a.Space == "xmlns" || a.Space == "" && a.Key == "xmlns") && !have[a.FullKey()] {
				have[a.FullKey()] = true
				alone.Attr = append(alone.Attr, etree.Attr{Space: a.Space, Key: a.Key, Value: a.Value})
			}
		}
	}
	return alone, nil
}
