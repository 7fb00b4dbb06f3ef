package sso

import (
	"fmt"
	"strings"

	"github.com/beevik/etree"
)

const (
	nsProtocol  = "urn:oasis:names:tc:SAML:2.0:protocol"
	nsAssertion = "urn:oasis:names:tc:SAML:2.0:assertion"
	nsDSig      = "http://www.w3.org/2000/09/xmldsig#"
	nsDSig11    = "http://www.w3.org/2009/xmldsig11#"
	nsEnc       = "http://www.w3.org/2001/04/xmlenc#"
	nsEnc11     = "http://www.w3.org/2009/xmlenc11#"
	nsExcC14N   = "http://www.w3.org/2001/10/xml-exc-c14n#"
	nsXSI       = "http://www.w3.org/2001/XMLSchema-instance"
)

// kind describes one element of the closed tree: which children it may have and how many of each.
type kind struct {
	children map[string]child
	text     bool // character data counts; elsewhere only blanks may stand
	open     bool // further children of foreign namespaces are let through, for a later step to refuse
	id       string
	foreign  bool // attributes of foreign namespaces are fine
}

type child struct {
	kind *kind
	most int
}

const many = maxElements

var short = strings.NewReplacer("samlp:", nsProtocol+" ", "saml:", nsAssertion+" ", "ds:", nsDSig+" ", "ds11:", nsDSig11+" ",
	"xenc:", nsEnc+" ", "xenc11:", nsEnc11+" ", "ec:", nsExcC14N+" ")

// of builds a kind from "prefix:Name" keys.
func of(k kind, children map[string]child) *kind {
	k.children = make(map[string]child, len(children))
	for name, c := range children {
		k.children[short.Replace(name)] = c
	}
	return &k
}

var (
	leaf = &kind{}
	// extensions may stand in requests, where nothing of them is read; never in an answer.
	extensions = &kind{open: true}
	textLeaf   = &kind{text: true}

	shapeSignature = signatureShape()
	shapeAssertion = assertionShape()
	shapeEncrypted = encryptedShape()
	shapeStatus    = of(kind{}, map[string]child{
		"samlp:StatusCode": {of(kind{}, map[string]child{"samlp:StatusCode": {of(kind{}, map[string]child{"samlp:StatusCode": {leaf, 1}}), 1}}), 1}, "samlp:StatusMessage": {textLeaf, 1},
	})
	shapeResponse = of(kind{id: "ID"}, map[string]child{
		"saml:Issuer": {textLeaf, 1}, "ds:Signature": {shapeSignature, 1}, "samlp:Status": {shapeStatus, 1},
		"saml:Assertion": {shapeAssertion, 1}, "saml:EncryptedAssertion": {shapeEncrypted, 1},
	})
	shapeLogoutRequest = of(kind{id: "ID"}, map[string]child{
		"saml:Issuer": {textLeaf, 1}, "ds:Signature": {shapeSignature, 1}, "saml:NameID": {textLeaf, 1},
		"samlp:SessionIndex": {textLeaf, many}, "samlp:Extensions": {extensions, 1},
	})
	shapeLogoutResponse = of(kind{id: "ID"}, map[string]child{
		"saml:Issuer": {textLeaf, 1}, "ds:Signature": {shapeSignature, 1}, "samlp:Status": {shapeStatus, 1},
	})
	shapeAuthnRequest = of(kind{id: "ID"}, map[string]child{
		"saml:Issuer": {textLeaf, 1}, "ds:Signature": {shapeSignature, 1}, "samlp:NameIDPolicy": {leaf, 1},
		"samlp:Extensions":            {extensions, 1},
		"samlp:RequestedAuthnContext": {of(kind{}, map[string]child{"saml:AuthnContextClassRef": {textLeaf, many}, "saml:AuthnContextDeclRef": {textLeaf, many}}), 1},
		"samlp:Scoping": {of(kind{}, map[string]child{
			"samlp:IDPList":     {of(kind{}, map[string]child{"samlp:IDPEntry": {leaf, many}, "samlp:GetComplete": {textLeaf, 1}}), 1},
			"samlp:RequesterID": {textLeaf, many}}), 1},
		"saml:Conditions": {of(kind{open: true}, map[string]child{"saml:AudienceRestriction": {audience, many}}), 1},
	})
)

func signatureShape() *kind {
	transform := of(kind{open: true, text: true}, map[string]child{"ec:InclusiveNamespaces": {leaf, 1}, "ds:XPath": {textLeaf, many}})
	reference := of(kind{id: "Id"}, map[string]child{
		"ds:Transforms": {of(kind{}, map[string]child{"ds:Transform": {transform, many}}), 1}, "ds:DigestMethod": {leaf, 1}, "ds:DigestValue": {textLeaf, 1}})
	info := of(kind{id: "Id"}, map[string]child{
		"ds:CanonicalizationMethod": {of(kind{}, map[string]child{"ec:InclusiveNamespaces": {leaf, 1}}), 1},
		"ds:SignatureMethod":        {of(kind{}, map[string]child{"ds:HMACOutputLength": {textLeaf, 1}}), 1},
		"ds:Reference":              {reference, many}})
	return of(kind{id: "Id"}, map[string]child{
		"ds:SignedInfo": {info, 1}, "ds:SignatureValue": {textLeaf, 1}, "ds:KeyInfo": {keyInfoShape(), 1}})
}

func keyInfoShape() *kind {
	serial := of(kind{}, map[string]child{"ds:X509IssuerName": {textLeaf, 1}, "ds:X509SerialNumber": {textLeaf, 1}})
	data := of(kind{}, map[string]child{"ds:X509Certificate": {textLeaf, many}, "ds:X509SubjectName": {textLeaf, many},
		"ds:X509IssuerSerial": {serial, many}, "ds:X509SKI": {textLeaf, many}, "ds11:X509Digest": {textLeaf, many}})
	rsaKey := of(kind{}, map[string]child{"ds:Modulus": {textLeaf, 1}, "ds:Exponent": {textLeaf, 1}})
	ecKey := of(kind{}, map[string]child{"ds11:NamedCurve": {leaf, 1}, "ds11:PublicKey": {textLeaf, 1}})
	return of(kind{id: "Id"}, map[string]child{"ds:X509Data": {data, many}, "ds:KeyName": {textLeaf, many},
		"ds:KeyValue": {of(kind{}, map[string]child{"ds:RSAKeyValue": {rsaKey, 1}, "ds11:ECKeyValue": {ecKey, 1}}), 1}})
}

var audience = of(kind{}, map[string]child{"saml:Audience": {textLeaf, many}})

func assertionShape() *kind {
	confirmation := of(kind{}, map[string]child{"saml:NameID": {textLeaf, 1}, "saml:SubjectConfirmationData": {leaf, 1}})
	subject := of(kind{}, map[string]child{"saml:NameID": {textLeaf, 1}, "saml:SubjectConfirmation": {confirmation, many}})
	conditions := of(kind{open: true}, map[string]child{"saml:AudienceRestriction": {audience, many}, "saml:OneTimeUse": {leaf, 1},
		"saml:ProxyRestriction": {audience, 1}})
	context := of(kind{}, map[string]child{"saml:AuthnContextClassRef": {textLeaf, 1}, "saml:AuthnContextDeclRef": {textLeaf, 1},
		"saml:AuthenticatingAuthority": {textLeaf, many}})
	authn := of(kind{}, map[string]child{"saml:SubjectLocality": {leaf, 1}, "saml:AuthnContext": {context, 1}})
	attribute := of(kind{foreign: true}, map[string]child{"saml:AttributeValue": {textLeaf, many}})
	return of(kind{id: "ID"}, map[string]child{
		"saml:Issuer": {textLeaf, 1}, "ds:Signature": {shapeSignature, 1}, "saml:Subject": {subject, 1},
		"saml:Conditions": {conditions, 1}, "saml:AuthnStatement": {authn, many},
		"saml:AttributeStatement": {of(kind{}, map[string]child{"saml:Attribute": {attribute, many}}), many}})
}

func encryptedShape() *kind {
	cipher := of(kind{}, map[string]child{"xenc:CipherValue": {textLeaf, 1}})
	keyMethod := of(kind{}, map[string]child{"ds:DigestMethod": {leaf, 1}, "xenc11:MGF": {leaf, 1}, "xenc:OAEPparams": {textLeaf, 1}})
	keyData := keyInfoShape().children[short.Replace("ds:X509Data")]
	encKey := of(kind{id: "Id"}, map[string]child{"xenc:EncryptionMethod": {keyMethod, 1}, "xenc:CipherData": {cipher, 1},
		"ds:KeyInfo":         {keyInfoShape(), 1},
		"xenc:ReferenceList": {of(kind{}, map[string]child{"xenc:DataReference": {leaf, 1}}), 1}})
	inner := of(kind{}, map[string]child{"xenc:EncryptedKey": {encKey, 1}, "ds:X509Data": keyData, "ds:KeyName": {textLeaf, 1},
		"ds:RetrievalMethod": {leaf, 1}})
	data := of(kind{id: "Id"}, map[string]child{"xenc:EncryptionMethod": {leaf, 1}, "ds:KeyInfo": {inner, 1}, "xenc:CipherData": {cipher, 1}})
	return of(kind{}, map[string]child{"xenc:EncryptedData": {data, 1}, "xenc:EncryptedKey": {encKey, 1}})
}

// checkShape holds the tree against the closed description, root and all. Wrapping attacks need an
// element in a place where none belongs.
func checkShape(root *etree.Element, name string, k *kind) *Refusal {
	if full(root) != short.Replace(name) {
		return &Refusal{Code: CodeXMLShape, Expected: name, Seen: root.FullTag()}
	}
	s := shaper{ids: map[string]bool{}}
	return s.walk(root, k)
}

type shaper struct{ ids map[string]bool }

func (s *shaper) bad(e *etree.Element, what string) *Refusal {
	return &Refusal{Code: CodeXMLShape, Seen: fmt.Sprintf("%s: %s", e.GetPath(), what)}
}

func (s *shaper) walk(e *etree.Element, k *kind) *Refusal {
	if r := s.attributes(e, k); r != nil {
		return r
	}
	counts := map[string]int{}
	for _, tok := range e.Child {
		switch t := tok.(type) {
		case *etree.CharData:
			if !k.text && strings.Trim(t.Data, " \t\r\n") != "" {
				return s.bad(e, "text")
			}
		case *etree.Element:
			name := full(t)
			c, ok := k.children[name]
			if !ok {
				if k.open && harmless(t) {
					continue
				}
				return s.bad(e, "child "+t.FullTag())
			}
			if counts[name]++; counts[name] > c.most {
				return s.bad(e, "second "+t.FullTag())
			}
			if r := s.walk(t, c.kind); r != nil {
				return r
			}
		default:
			return s.bad(e, "neither text nor element")
		}
	}
	return nil
}

// attributes lets no ID stand where none belongs, in no namespace, twice, or in a form others read otherwise.
func (s *shaper) attributes(e *etree.Element, k *kind) *Refusal {
	found := false
	for _, a := range e.Attr {
		if a.Space == "xmlns" || a.Space == "" && a.Key == "xmlns" {
			continue
		}
		if strings.EqualFold(a.Key, "id") {
			if a.Space != "" || a.Key != k.id || !ncName(a.Value) || s.ids[a.Value] {
				return s.bad(e, a.FullKey())
			}
			s.ids[a.Value] = true
			found = true
			continue
		}
		if a.Space != "" && a.Space != "xml" && !k.foreign && a.NamespaceURI() != nsXSI {
			return s.bad(e, a.FullKey())
		}
	}
	if k.id == "ID" && !found {
		return s.bad(e, "no ID")
	}
	return nil
}

// harmless is an unknown element with nothing of SAML, signature or encryption in it and no ID.
func harmless(e *etree.Element) bool {
	switch e.NamespaceURI() {
	case nsProtocol, nsDSig, nsEnc:
		return false
	case nsAssertion:
		if e.Tag == "Assertion" || e.Tag == "EncryptedAssertion" || e.Tag == "Advice" {
			return false
		}
	}
	for _, a := range e.Attr {
		if strings.EqualFold(a.Key, "id") {
			return false
		}
	}
	for _, c := range e.ChildElements() {
		if !harmless(c) {
			return false
		}
	}
	return true
}

func full(e *etree.Element) string { return e.NamespaceURI() + " " + e.Tag }

// child gives the first child of that name, which the shape has shown to be the only one.
func childOf(e *etree.Element, ns, tag string) *etree.Element {
	if e == nil {
		return nil
	}
	for _, c := range e.ChildElements() {
		if c.Tag == tag && c.NamespaceURI() == ns {
			return c
		}
	}
	return nil
}

func childrenOf(e *etree.Element, ns, tag string) []*etree.Element {
	if e == nil {
		return nil
	}
	var all []*etree.Element
	for _, c := range e.ChildElements() {
		if c.Tag == tag && c.NamespaceURI() == ns {
			all = append(all, c)
		}
	}
	return all
}

// attr is the value of an attribute in no namespace; "" when it is absent.
func attr(e *etree.Element, key string) string {
	v, _ := attrOk(e, key)
	return v
}

func attrOk(e *etree.Element, key string) (string, bool) {
	if e == nil {
		return "", false
	}
	for _, a := range e.Attr {
		if a.Space == "" && a.Key == key {
			return a.Value, true
		}
	}
	return "", false
}

// textOf joins all character data of an element.
func textOf(e *etree.Element) string {
	if e == nil {
		return ""
	}
	var b strings.Builder
	for _, tok := range e.Child {
		if c, ok := tok.(*etree.CharData); ok {
			b.WriteString(c.Data)
		}
	}
	return b.String()
}

// parseTree reads a document that passed the gate.
func parseTree(doc []byte) (*etree.Element, *Refusal) {
	d := etree.NewDocument()
	if err := d.ReadFromBytes(doc); err != nil || d.Root() == nil {
		return nil, &Refusal{Code: CodeXMLMalformed}
	}
	return d.Root(), nil
}
