package metadata

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"

	"huoban/internal/fault"
)

var goodAlgorithms = map[string]bool{
	dsig.RSASHA256SignatureMethod: true, dsig.RSASHA384SignatureMethod: true, dsig.RSASHA512SignatureMethod: true,
	dsig.ECDSASHA256SignatureMethod: true, dsig.ECDSASHA384SignatureMethod: true, dsig.ECDSASHA512SignatureMethod: true,
}

var goodDigests = map[string]bool{
	"http://www.w3.org/2001/04/xmlenc#sha256": true, "http://www.w3.org/2001/04/xmldsig-more#sha384": true, "http://www.w3.org/2001/04/xmlenc#sha512": true,
}

func badSig(why string) *fault.Error { return fault.Invalid(CodeSig, fault.Args{"why": why}) }

// verified checks the signature of the whole document against the pinned signer and reads the document again
// from the bytes that were digested. The text has passed the limits before.
func verified(body, pinned []byte, now time.Time) (root *node, signer string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = badSig("form").Because(fmt.Errorf("panic: %v", p))
		}
	}()
	cert, err := x509.ParseCertificate(pinned)
	if err != nil {
		return nil, "", badSig("signer").Because(err)
	}
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(bytes.TrimPrefix(body, mark)); err != nil || doc.Root() == nil {
		return nil, "", badSig("form")
	}
	if err := signatureForm(doc.Root()); err != nil {
		return nil, "", err
	}
	v := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{cert}})
	v.IdAttribute = "ID"
	v.Clock = dsig.NewFakeClockAt(now)
	// The signer is named by us, never by the document: a certificate inside it supplies nothing.
	signed, err := v.Validate(withoutKeyInfo(doc.Root()))
	if err != nil {
		return nil, "", badSig("value").Because(err)
	}
	out := etree.NewDocument()
	out.SetRoot(signed)
	text, err := out.WriteToBytes()
	if err != nil {
		return nil, "", badSig("form").Because(err)
	}
	if root, err = read(text); err != nil {
		return nil, "", err
	}
	sum := sha256.Sum256(pinned)
	return root, hex.EncodeToString(sum[:]), nil
}

// signatureForm wants one signature, directly under the root, over the root alone.
func signatureForm(root *etree.Element) *fault.Error {
	var sigs []*etree.Element
	for _, c := range root.ChildElements() {
		if c.Tag == "Signature" && c.NamespaceURI() == nsDS {
			sigs = append(sigs, c)
		}
	}
	if len(sigs) == 0 {
		return badSig("missing")
	}
	info := sigs[0].FindElements("./SignedInfo")
	if len(sigs) > 1 || len(info) != 1 {
		return badSig("form")
	}
	refs := info[0].FindElements("./Reference")
	method, id := info[0].FindElement("./SignatureMethod"), root.SelectAttrValue("ID", "")
	if len(refs) != 1 || method == nil || id == "" || refs[0].SelectAttrValue("URI", "") != "#"+id {
		return badSig("form")
	}
	digest := refs[0].FindElement("./DigestMethod")
	if digest == nil || !goodAlgorithms[method.SelectAttrValue("Algorithm", "")] || !goodDigests[digest.SelectAttrValue("Algorithm", "")] {
		return badSig("algorithm")
	}
	return nil
}

// withoutKeyInfo takes the signer's own word on who he is out of the signature, which does not cover it.
func withoutKeyInfo(root *etree.Element) *etree.Element {
	root = root.Copy()
	for _, c := range root.ChildElements() {
		if c.Tag != "Signature" || c.NamespaceURI() != nsDS {
			continue
		}
		for _, k := range c.ChildElements() {
			if k.Tag == "KeyInfo" {
				c.RemoveChild(k)
			}
		}
	}
	return root
}
