package sso

import (
	"strings"

	"github.com/beevik/etree"
)

const (
	statusPrefix  = "urn:oasis:names:tc:SAML:2.0:status:"
	statusSuccess = statusPrefix + "Success"
)

func (c *check) gateBytes() *Refusal {
	if c.off.bytes {
		return nil
	}
	return gateBytes(c.raw)
}

func (c *check) gateTokens() *Refusal {
	root, r := gateTokens(c.raw)
	if c.off.bytes && (r == nil || r.Code == CodeXMLMalformed) {
		// Without the first lock a DTD may reach the tree reader, which has to cope alone.
		root, r = parseTree(c.raw)
	}
	c.root = root
	return r
}

// shape also finds the assertion. An answer without one is let through to checkStatus only if it says that
// something went wrong over there; nothing of it is believed.
func (c *check) shape() *Refusal {
	if !c.off.shape {
		if r := checkShape(c.root, "samlp:Response", shapeResponse); r != nil {
			return r
		}
	}
	c.response = c.root
	n := len(childrenOf(c.root, nsAssertion, "Assertion")) + len(childrenOf(c.root, nsAssertion, "EncryptedAssertion"))
	if n == 0 {
		code, _ := statusOf(c.root)
		if code == statusSuccess || code == "" {
			return &Refusal{Code: CodeXMLShape, Expected: "1 Assertion", Seen: "0 Assertion"}
		}
		c.noAnswer = true
		return nil
	}
	if n > 1 && !c.off.shape {
		return &Refusal{Code: CodeXMLShape, Expected: "1 Assertion", Seen: "2 Assertion"}
	}
	c.inner = childOf(c.root, nsAssertion, "Assertion")
	return nil
}

func (c *check) sealed() *etree.Element { return childOf(c.root, nsAssertion, "EncryptedAssertion") }

func (c *check) algorithms() *Refusal {
	for _, s := range signatures(c.root, c.inner) {
		if r := checkAlgorithms(s); r != nil {
			return r
		}
	}
	return nil
}

func (c *check) reference() *Refusal {
	for _, s := range signatures(c.root, c.inner) {
		if r := checkReference(s); r != nil {
			return r
		}
	}
	return nil
}

func signed(e *etree.Element) bool { return childOf(e, nsDSig, "Signature") != nil }

func (c *check) policy() *Refusal {
	missing := func(expected string) *Refusal { return &Refusal{Code: CodeSigMissing, Expected: expected} }
	c.note("", signedParts(c.root, c.inner))
	switch {
	case c.reg.WantResponseSigned && !signed(c.root):
		return missing("signed Response")
	case signed(c.root):
		return nil
	case c.inner != nil:
		if !signed(c.inner) {
			return missing("signed Response or Assertion")
		}
	case !isGCM(encryptionMethod(c.sealed())):
		// Without a signature over the cipher text CBC could be probed byte by byte.
		return missing("signed Response, or AES-GCM with a signature inside")
	}
	return nil
}

func signedParts(response, assertion *etree.Element) string {
	var parts []string
	if signed(response) {
		parts = append(parts, "Response")
	}
	if signed(assertion) {
		parts = append(parts, "Assertion")
	}
	return strings.Join(parts, ", ")
}

func (c *check) verify() *Refusal {
	if signed(c.root) {
		v, r := c.trust().verifyWithAny(c.root)
		if r != nil {
			return r
		}
		c.response = v
		c.assertion = childOf(v, nsAssertion, "Assertion")
	}
	if c.inner != nil && signed(c.inner) {
		v, r := c.trust().verifyWithAny(c.inner)
		if r != nil {
			return r
		}
		c.assertion = v
	}
	return nil
}

// decrypt opens an encrypted assertion, from the verified Response when that is signed, and sends what
// was inside through the same gate.
func (c *check) decrypt() *Refusal {
	box := c.sealed()
	if box == nil {
		if c.reg.WantEncrypted {
			return &Refusal{Code: CodeEncRequired}
		}
		return nil
	}
	if signed(c.root) {
		box = childOf(c.response, nsAssertion, "EncryptedAssertion")
	}
	content, r := readEncrypted(box)
	if r != nil {
		return r
	}
	plain, err := content.decrypt(c.reg.Keys)
	if err != nil {
		return &Refusal{Code: CodeEncFailed}
	}
	c.got.Encrypted = true
	return c.opened(plain)
}

func (c *check) opened(plain []byte) *Refusal {
	if r := gateBytes(plain); r != nil {
		return r
	}
	inner, r := gateTokens(plain)
	if r != nil {
		return r
	}
	if r := checkShape(inner, "saml:Assertion", shapeAssertion); r != nil {
		return r
	}
	c.inner = inner
	if !signed(inner) {
		if !signed(c.root) {
			return &Refusal{Code: CodeSigMissing, Expected: "signed Response or Assertion", Seen: "EncryptedAssertion"}
		}
		c.assertion = inner
		return nil
	}
	sig := childOf(inner, nsDSig, "Signature")
	if r := checkAlgorithms(sig); r != nil {
		return r
	}
	if r := checkReference(sig); r != nil {
		return r
	}
	v, r := c.trust().verifyWithAny(inner)
	if r != nil {
		return r
	}
	c.assertion = v
	return nil
}

// parseVerified refuses unless there is an assertion read from digested bytes, the one that stood in the
// message. When an earlier step failed and this is an examination, the unverified one is shown instead.
func (c *check) parseVerified() *Refusal {
	if c.assertion == nil && c.failed {
		c.assertion = c.inner
		c.fill()
		return nil
	}
	if c.assertion == nil || full(c.assertion) != short.Replace("saml:Assertion") || full(c.response) != short.Replace("samlp:Response") {
		return &Refusal{Code: CodeSigValue, Expected: "Assertion"}
	}
	if !c.off.shape {
		if attr(c.assertion, "ID") != attr(c.inner, "ID") || attr(c.response, "ID") != attr(c.root, "ID") {
			return &Refusal{Code: CodeSigValue, Expected: attr(c.inner, "ID"), Seen: attr(c.assertion, "ID")}
		}
	}
	c.fill()
	return nil
}

func (c *check) fill() {
	g := &c.got
	g.ResponseID, g.AssertionID = attr(c.response, "ID"), attr(c.assertion, "ID")
	g.Issuer = textOf(childOf(c.assertion, nsAssertion, "Issuer"))
	g.NameID = nameIDOf(childOf(childOf(c.assertion, nsAssertion, "Subject"), nsAssertion, "NameID"))
	g.RelayState = c.post.Form.Get("RelayState")
	g.Attributes = attributesOf(c.assertion)
}

func nameIDOf(e *etree.Element) NameID {
	return NameID{Value: textOf(e), Format: attr(e, "Format"), NameQualifier: attr(e, "NameQualifier"), SPNameQualifier: attr(e, "SPNameQualifier")}
}

func attributesOf(assertion *etree.Element) []Attribute {
	var all []Attribute
	for _, st := range childrenOf(assertion, nsAssertion, "AttributeStatement") {
		for _, a := range childrenOf(st, nsAssertion, "Attribute") {
			one := Attribute{Name: attr(a, "Name"), NameFormat: attr(a, "NameFormat"), FriendlyName: attr(a, "FriendlyName")}
			for _, v := range childrenOf(a, nsAssertion, "AttributeValue") {
				one.Values = append(one.Values, textOf(v))
			}
			all = append(all, one)
		}
	}
	return all
}

// statusOf gives the outer and the inner status code.
func statusOf(e *etree.Element) (top, second string) {
	outer := childOf(childOf(e, nsProtocol, "Status"), nsProtocol, "StatusCode")
	return attr(outer, "Value"), attr(childOf(outer, nsProtocol, "StatusCode"), "Value")
}
