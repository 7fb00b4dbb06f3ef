package samltest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"hash"
	"math/big"
	"strings"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

// Algorithms that appear in tests, good and bad.
const (
	RSASHA256   = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
	RSASHA512   = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"
	RSASHA1     = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
	ECDSASHA256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
	HMACSHA256  = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"
	SHA256      = "http://www.w3.org/2001/04/xmlenc#sha256"
	SHA1        = "http://www.w3.org/2000/09/xmldsig#sha1"
	MD5         = "http://www.w3.org/2001/04/xmldsig-more#md5"
	ExcC14N     = "http://www.w3.org/2001/10/xml-exc-c14n#"
	Enveloped   = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
)

// Signing says how an element is signed. The zero value of a field is what a good platform does.
type Signing struct {
	Key        crypto.Signer
	Cert       []byte // into KeyInfo; nil: no KeyInfo
	Method     string
	MethodText *string // written instead of Method
	Digest     string
	C14N       string   // of SignedInfo
	Transforms []string // instead of the two
	URI        *string  // instead of #ID
	Secret     []byte   // of HMAC
	// Info changes SignedInfo before it is signed.
	Info func(info *etree.Element)
}

// Sign puts an enveloped signature behind the Issuer of el.
func (s Signing) Sign(el *etree.Element) {
	or := func(v, d string) string {
		if v == "" {
			return d
		}
		return v
	}
	method, digest, c14n := or(s.Method, RSASHA256), or(s.Digest, SHA256), or(s.C14N, ExcC14N)
	uri := "#" + el.SelectAttrValue("ID", "")
	if s.URI != nil {
		uri = *s.URI
	}
	list := s.Transforms
	if list == nil {
		list = []string{Enveloped, ExcC14N}
	}
	sum := newHash(digest)
	sum.Write(Canonical(alone(el)))

	sig := etree.NewElement("ds:Signature")
	set(sig, "xmlns:ds", NSDSig)
	info := sig.CreateElement("ds:SignedInfo")
	set(info.CreateElement("ds:CanonicalizationMethod"), "Algorithm", c14n)
	name := method
	if s.MethodText != nil {
		name = *s.MethodText
	}
	set(info.CreateElement("ds:SignatureMethod"), "Algorithm", name)
	ref := set(info.CreateElement("ds:Reference"), "URI", uri)
	ts := ref.CreateElement("ds:Transforms")
	for _, t := range list {
		set(ts.CreateElement("ds:Transform"), "Algorithm", t)
	}
	set(ref.CreateElement("ds:DigestMethod"), "Algorithm", digest)
	ref.CreateElement("ds:DigestValue").SetText(base64.StdEncoding.EncodeToString(sum.Sum(nil)))
	if s.Info != nil {
		s.Info(info)
	}
	value := s.value(method, Canonical(alone(info)))
	sig.CreateElement("ds:SignatureValue").SetText(base64.StdEncoding.EncodeToString(value))
	if s.Cert != nil {
		sig.CreateElement("ds:KeyInfo").CreateElement("ds:X509Data").CreateElement("ds:X509Certificate").
			SetText(base64.StdEncoding.EncodeToString(s.Cert))
	}
	at := 0
	if i := el.SelectElement("Issuer"); i != nil {
		at = i.Index() + 1
	}
	el.InsertChildAt(at, sig)
}

func (s Signing) value(method string, body []byte) []byte {
	if method == HMACSHA256 {
		m := hmac.New(sha256.New, s.Secret)
		m.Write(body)
		return m.Sum(nil)
	}
	sum := newHash(method)
	sum.Write(body)
	h := map[int]crypto.Hash{sha1.Size: crypto.SHA1, sha256.Size: crypto.SHA256, sha512.Size: crypto.SHA512}[sum.Size()]
	switch k := s.Key.(type) {
	case *ecdsa.PrivateKey:
		r, t, err := ecdsa.Sign(rand.Reader, k, sum.Sum(nil))
		if err != nil {
			panic(err)
		}
		return append(fill(r, 32), fill(t, 32)...)
	case *rsa.PrivateKey:
		out, err := rsa.SignPKCS1v15(rand.Reader, k, h, sum.Sum(nil))
		if err != nil {
			panic(err)
		}
		return out
	}
	panic("no key to sign with")
}

func fill(n *big.Int, size int) []byte { return n.FillBytes(make([]byte, size)) }

func newHash(alg string) hash.Hash {
	switch {
	case strings.HasSuffix(alg, "sha1"):
		return sha1.New()
	case strings.HasSuffix(alg, "sha512"):
		return sha512.New()
	case strings.HasSuffix(alg, "md5"):
		return md5.New()
	}
	return sha256.New()
}

// Canonical is the exclusive canonical form without comments.
func Canonical(el *etree.Element) []byte {
	out, err := dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("").Canonicalize(el)
	if err != nil {
		panic(err)
	}
	return out
}

// alone copies an element with every namespace in its scope.
func alone(el *etree.Element) *etree.Element {
	c := el.Copy()
	for p := el.Parent(); p != nil; p = p.Parent() {
		for _, a := range p.Attr {
			if (a.Space == "xmlns" || a.Space == "" && a.Key == "xmlns") && c.SelectAttr(a.FullKey()) == nil {
				c.CreateAttr(a.FullKey(), a.Value)
			}
		}
	}
	return c
}
