package sso

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/beevik/etree"

	"huoban/internal/fault"
	"huoban/internal/sorted"
)

// AuthnSteps is the path of a console's question, for documents and pages.
func AuthnSteps() []Step { return append([]Step(nil), authnSteps...) }

var authnSteps = []Step{
	{"receiveRequest", LayerEdge, []string{CodeIdPForm, CodeInMethod, CodeInSize, CodeInBase64}, (*check).receiveAuthn},
	{"gateBytes", LayerXML, []string{CodeXMLEncoding, CodeXMLDTD, CodeXMLComment, CodeXMLCDATA, CodeXMLPI}, (*check).gateBytes},
	{"gateTokens", LayerXML, []string{CodeXMLMalformed, CodeXMLLimits}, (*check).gateTokens},
	{"checkRequestShape", LayerXML, []string{CodeXMLShape}, func(c *check) *Refusal {
		return checkShape(c.root, "samlp:AuthnRequest", shapeAuthnRequest)
	}},
	{"checkConsole", LayerMsg, []string{CodeIdPForm, CodeIdPSPUnknown, CodeIdPSPDisabled}, (*check).console},
	{"verifyRequest", LayerSig, []string{CodeIdPSigRequired, CodeIdPSig}, (*check).verifyRequest},
	{"checkRequestDestination", LayerMsg, []string{CodeIdPDest}, (*check).requestDestination},
	{"checkRequestTime", LayerMsg, []string{CodeIdPTime}, (*check).requestTime},
	{"checkRequestVersion", LayerMsg, []string{CodeIdPForm}, (*check).requestVersion},
	{"checkACS", LayerMsg, []string{CodeIdPACS}, (*check).acs},
	{"checkNameIDPolicy", LayerMsg, []string{CodeIdPNameID}, (*check).nameIDPolicy},
	{"checkRequestedContext", LayerMsg, []string{CodeIdPContext}, (*check).requestedContext},
	{"spendRequest", LayerState, []string{CodeIdPReplay}, nil},
}

// VerifyAuthnRequest judges the question of a console. Spending its ID is the caller's.
func VerifyAuthnRequest(ctx context.Context, host Host, post Post, consoles Consoles, now time.Time) (AuthnRequest, []StepResult, error) {
	c := &check{ctx: ctx, host: host, skewSet: host.SkewAllowed, post: post, consoles: consoles, now: now}
	results, err := c.run(authnSteps, false)
	if err != nil {
		return AuthnRequest{}, results, err
	}
	return c.question, results, nil
}

func (c *check) receiveAuthn() *Refusal {
	if r := c.receive(CodeIdPForm); r != nil {
		return r
	}
	if c.in.param != "SAMLRequest" {
		return &Refusal{Code: CodeIdPForm, Expected: "SAMLRequest", Seen: c.in.param}
	}
	return nil
}

func (c *check) console() *Refusal {
	who, plain := issuerOf(c.root)
	if !plain || who == "" {
		return &Refusal{Code: CodeIdPForm, Expected: "Issuer"}
	}
	con, found, err := c.consoles.ConsoleByEntity(c.ctx, who)
	if err != nil {
		c.err = err
		return nil
	}
	if r := c.host.serves(con, found, c.now); r != nil {
		r.Seen = who
		return r
	}
	c.question.Console = con
	c.certs, c.weakUntil = con.Certs, con.WeakKeyUntil
	return nil
}

// Serves tells whether customers of the host's partner may be sent to the console now, at its wish or ours.
func (h Host) Serves(c Console, now time.Time) error {
	if r := h.serves(c, true, now); r != nil {
		r.Step, r.Seen = "checkConsole", c.EntityID
		return r
	}
	return nil
}

func (h Host) serves(c Console, found bool, now time.Time) *Refusal {
	switch {
	case !found || c.State == StateDeleted || c.PartnerID != "" && c.PartnerID != h.PartnerID,
		c.PartnerID == "" && c.VendorID != "" && !slices.Contains(h.Vendors, c.VendorID):
		return &Refusal{Code: CodeIdPSPUnknown}
	case c.State != StateActive || !c.ValidUntil.IsZero() && !now.Before(c.ValidUntil):
		return &Refusal{Code: CodeIdPSPDisabled}
	}
	return nil
}

func (c *check) verifyRequest() *Refusal {
	missing := ""
	if c.question.Console.RequireSigned {
		missing = CodeIdPSigRequired
	}
	return c.verifyMessage(missing, CodeIdPSig)
}

func (c *check) requestDestination() *Refusal {
	if d := attr(c.response, "Destination"); d != c.host.SSO {
		return &Refusal{Code: CodeIdPDest, Expected: c.host.SSO, Seen: d}
	}
	return nil
}

func (c *check) requestTime() *Refusal {
	text := attr(c.response, "IssueInstant")
	t, ok := instant(text)
	if !ok || t.Before(c.now.Add(-issuedWithin-c.skew())) || t.After(c.now.Add(c.skew())) {
		return c.late(CodeIdPTime, "IssueInstant", text)
	}
	q := &c.question
	q.ID, q.IssueInstant, q.RelayState, q.KeepUntil = attr(c.response, "ID"), t, c.in.relay, keepUntil(c.now, t.Add(issuedWithin), c.skew())
	q.ForceAuthn, q.IsPassive = truth(attr(c.response, "ForceAuthn")), truth(attr(c.response, "IsPassive"))
	return nil
}

func truth(s string) bool { return s == "true" || s == "1" }

func (c *check) requestVersion() *Refusal {
	if v := attr(c.response, "Version"); v != "2.0" {
		return &Refusal{Code: CodeIdPForm, Expected: "Version 2.0", Seen: v}
	}
	return nil
}

func (c *check) acs() *Refusal {
	at, byURL := attrOk(c.response, "AssertionConsumerServiceURL")
	index, byIndex := attrOk(c.response, "AssertionConsumerServiceIndex")
	binding, has := attrOk(c.response, "ProtocolBinding")
	if byURL && byIndex || has && binding != string(BindingPost) {
		return &Refusal{Code: CodeIdPACS, Expected: string(BindingPost), Seen: at + " " + index + " " + binding}
	}
	for _, e := range c.question.Console.Endpoints() {
		switch {
		case byURL && e.URL != at, byIndex && strconv.Itoa(e.Index) != index:
			continue
		}
		c.question.ACS = e
		return nil
	}
	return &Refusal{Code: CodeIdPACS, Seen: at + index}
}

// Endpoints are the addresses answers may go to: the POST binding on http or https, the default first.
func (c Console) Endpoints() []Endpoint {
	var good []Endpoint
	for _, e := range c.ACS {
		u, err := url.Parse(e.URL)
		if e.Binding != BindingPost || err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			continue
		}
		good = append(good, e)
	}
	sorted.By(good, func(a, b Endpoint) int {
		switch {
		case a.Default == b.Default:
			return a.Index - b.Index
		case a.Default:
			return -1
		}
		return 1
	})
	return good
}

func (c *check) nameIDPolicy() *Refusal {
	q := &c.question
	q.NameIDFormat = q.Console.NameIDFormat
	if q.NameIDFormat == "" {
		q.NameIDFormat = NameIDTransient
	}
	format := NameIDFormat(attr(childOf(c.response, nsProtocol, "NameIDPolicy"), "Format"))
	switch format {
	case "", NameIDAny:
	case q.NameIDFormat, NameIDTransient:
		// A fresh name tells a console less than the one it was granted.
		q.NameIDFormat = format
	default:
		return &Refusal{Code: CodeIdPNameID, Expected: string(q.NameIDFormat), Seen: string(format), Answer: q.answer("InvalidNameIDPolicy")}
	}
	// A name qualified for another entity, or for a group of them, is one we do not keep.
	if of := attr(childOf(c.response, nsProtocol, "NameIDPolicy"), "SPNameQualifier"); of != "" && of != q.Console.EntityID {
		return &Refusal{Code: CodeIdPNameID, Expected: q.Console.EntityID, Seen: of, Answer: q.answer("InvalidNameIDPolicy")}
	}
	return nil
}

// answer is how the console is told that there is none.
func (q AuthnRequest) answer(status string) *Answer {
	return &Answer{ACS: q.ACS, InResponseTo: q.ID, RelayState: q.RelayState, Status: status}
}

// waysIn are the ways in which customers sign in at a hosted platform: by password over TLS, whose weaker names are
// true of it as well.
var waysIn = []string{contextPrefix + "PasswordProtectedTransport", contextPrefix + "Password", contextPrefix + "unspecified"}

// requestedContext settles which of our ways of signing in the console is told, if it has wishes.
func (c *check) requestedContext() *Refusal {
	q := &c.question
	q.Context = waysIn[0]
	wish := childOf(c.response, nsProtocol, "RequestedAuthnContext")
	if wish == nil {
		return nil
	}
	var wanted []string
	for _, e := range childrenOf(wish, nsAssertion, "AuthnContextClassRef") {
		wanted = append(wanted, textOf(e))
	}
	how := attr(wish, "Comparison")
	for _, have := range waysIn {
		for _, want := range wanted {
			if suits(how, have, want) {
				q.Context = have
				return nil
			}
		}
	}
	return &Refusal{Code: CodeIdPContext, Expected: waysIn[0], Seen: strings.TrimSpace(how + " " + strings.Join(wanted, " ")), Answer: q.answer("NoAuthnContext")}
}

// suits compares a class we have with a wanted one, by the strength both are known for.
func suits(how, have, want string) bool {
	a, b := strength[have], strength[want]
	switch how {
	case "", "exact":
		return have == want
	case "minimum":
		return b > 0 && a >= b
	case "maximum":
		return b > 0 && a <= b
	case "better":
		return b > 0 && a > b
	}
	return false
}

// Granted cuts what is known of a customer down to what the console may have, under the names it wants.
func (c Console) Granted(known map[string]string) []Attribute {
	var out []Attribute
	for _, r := range c.Attributes {
		if v := known[r.Field]; v != "" {
			format := r.NameFormat
			if format == "" {
				format = "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"
			}
			out = append(out, Attribute{Name: r.Name, NameFormat: format, Values: []string{v}})
		}
	}
	return out
}

// BuildResponse asserts who a customer is to a console: assertion and Response both signed, encrypted as the
// console's registration says.
func BuildResponse(h Host, c Console, a Answer, s Statement, now time.Time) (Outgoing, Issued, error) {
	key, err := current(h.Keys)
	if err != nil {
		return Outgoing{}, Issued{}, err
	}
	issued := Issued{ResponseID: NewMessageID(), AssertionID: NewMessageID(), ExpiresAt: now.Add(issuedWithin)}
	assertion := assertionFor(h, c, a, s, issued, now)
	if err := signElement(assertion, key); err != nil {
		return Outgoing{}, Issued{}, err
	}
	root := responseFor(h, a, issued.ResponseID, now)
	addStatus(root, statusSuccess, "")
	body, sealed, err := c.seal(assertion)
	if err != nil {
		return Outgoing{}, Issued{}, err
	}
	issued.Encrypted = sealed
	root.AddChild(body)
	out, err := send(root, "SAMLResponse", BindingPost, a.ACS.URL, a.RelayState, h.Keys, true)
	return out, issued, err
}

// BuildErrorResponse tells a console, signed, that there is no answer and why: Answer.Status.
func BuildErrorResponse(h Host, a Answer, now time.Time) (Outgoing, error) {
	root := responseFor(h, a, NewMessageID(), now)
	top := "Responder"
	if a.Status == "InvalidNameIDPolicy" || a.Status == "NoAuthnContext" {
		top = "Requester"
	}
	second := ""
	if a.Status != "" {
		second = statusPrefix + a.Status
	}
	addStatus(root, statusPrefix+top, second)
	return send(root, "SAMLResponse", BindingPost, a.ACS.URL, a.RelayState, h.Keys, true)
}

func responseFor(h Host, a Answer, id string, now time.Time) *etree.Element {
	root := element("samlp:Response", "xmlns:samlp", nsProtocol, "ID", id, "Version", "2.0", "IssueInstant", stamp(now), "Destination", a.ACS.URL)
	if a.InResponseTo != "" {
		root.CreateAttr("InResponseTo", a.InResponseTo)
	}
	add(root, "saml:Issuer", "xmlns:saml", nsAssertion).SetText(h.EntityID)
	return root
}

func assertionFor(h Host, c Console, a Answer, s Statement, issued Issued, now time.Time) *etree.Element {
	as := element("saml:Assertion", "xmlns:saml", nsAssertion, "xmlns:xs", "http://www.w3.org/2001/XMLSchema", "xmlns:xsi", nsXSI,
		"ID", issued.AssertionID, "Version", "2.0", "IssueInstant", stamp(now))
	add(as, "saml:Issuer").SetText(h.EntityID)
	subject := add(as, "saml:Subject")
	addNameID(subject, s.NameID)
	data := add(add(subject, "saml:SubjectConfirmation", "Method", methodBearer), "saml:SubjectConfirmationData",
		"NotOnOrAfter", stamp(issued.ExpiresAt), "Recipient", a.ACS.URL)
	if a.InResponseTo != "" {
		data.CreateAttr("InResponseTo", a.InResponseTo)
	}
	conditions := add(as, "saml:Conditions", "NotBefore", stamp(now.Add(-time.Minute)), "NotOnOrAfter", stamp(issued.ExpiresAt))
	add(add(conditions, "saml:AudienceRestriction"), "saml:Audience").SetText(c.EntityID)
	authn := add(as, "saml:AuthnStatement", "AuthnInstant", stamp(s.AuthnInstant), "SessionIndex", s.SessionIndex)
	if !s.SessionNotOnOrAfter.IsZero() {
		authn.CreateAttr("SessionNotOnOrAfter", stamp(s.SessionNotOnOrAfter))
	}
	class := s.AuthnContext
	if class == "" {
		class = contextPrefix + "PasswordProtectedTransport"
	}
	add(add(authn, "saml:AuthnContext"), "saml:AuthnContextClassRef").SetText(class)
	if len(s.Attributes) == 0 {
		return as
	}
	statement := add(as, "saml:AttributeStatement")
	for _, one := range s.Attributes {
		e := add(statement, "saml:Attribute", "Name", one.Name)
		if one.NameFormat != "" {
			e.CreateAttr("NameFormat", one.NameFormat)
		}
		for _, v := range one.Values {
			add(e, "saml:AttributeValue", "xsi:type", "xs:string").SetText(v)
		}
	}
	return as
}

// seal encrypts the signed assertion, or leaves it. A console that must have it encrypted and shows no key gets nothing.
func (c Console) seal(assertion *etree.Element) (*etree.Element, bool, error) {
	if c.Encrypt == EncryptOff || c.Encrypt == "" {
		return assertion, false, nil
	}
	pub, der := c.encryptionKey()
	if pub == nil {
		if c.Encrypt == EncryptRequired {
			return nil, false, fault.Conflict(CodeIdPNoKey, fault.Args{"entity": c.EntityID})
		}
		return assertion, false, nil
	}
	plain, err := serialise(assertion)
	if err != nil {
		return nil, false, err
	}
	e, err := encrypt(plain, pub, der, wrapFor(c.Ciphers))
	return e, err == nil, err
}

// Seals tells whether answers to the console are encrypted.
func (c Console) Seals() bool {
	pub, _ := c.encryptionKey()
	return pub != nil && c.Encrypt != EncryptOff && c.Encrypt != ""
}

// encryptionKey prefers a certificate made for encryption to one for everything.
func (c Console) encryptionKey() (*rsa.PublicKey, []byte) {
	for _, use := range []CertUse{CertUseEncryption, CertUseAny} {
		for _, cert := range c.Certs {
			if cert.Use != use || cert.State != CertStateCurrent {
				continue
			}
			if p, err := x509.ParseCertificate(cert.DER); err == nil {
				if pub, ok := p.PublicKey.(*rsa.PublicKey); ok && pub.N.BitLen() >= 2048 {
					return pub, cert.DER
				}
			}
		}
	}
	return nil, nil
}

// Base64 writes a certificate as metadata and KeyInfo hold it.
func Base64(der []byte) string { return base64.StdEncoding.EncodeToString(der) }
