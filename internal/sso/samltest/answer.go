package samltest

import (
	"encoding/base64"
	"net/url"
	"time"

	"github.com/beevik/etree"

	"huoban/internal/sso"
)

// Answer is a Response in the making. What is not said is what a good platform would send.
type Answer struct {
	IdP *IdP
	Reg sso.Registration
	Now time.Time

	Request    sso.Request // zero: unsolicited
	NameID     string
	Attributes []sso.Attribute // nil: xAccountId "acc-1", xUserId "usr-1", a name and the partner's marks

	// Response and Assertion sign each; both nil: the assertion is signed by the platform.
	Response  *Signing
	Assertion *Signing
	Unsigned  bool
	Encrypt   *Encryption

	// Before changes the tree before anything is signed, Inside the assertion after it was signed and before
	// it is encrypted or the Response is signed, After the tree when all is done, Bytes the text.
	Before func(response, assertion *etree.Element)
	Inside func(assertion *etree.Element)
	After  func(response *etree.Element)
	Bytes  func([]byte) []byte
}

// Default signs as the platform does, with KeyInfo.
func (p *IdP) Default() *Signing { return &Signing{Key: p.Key, Cert: p.CertDER} }

// Tree builds the message.
func (a Answer) Tree() *etree.Element {
	doc := etree.NewDocument()
	response := set(doc.CreateElement("samlp:Response"), "xmlns:samlp", NSProtocol, "xmlns:saml", NSAssertion, "ID", sso.NewMessageID(),
		"Version", "2.0", "IssueInstant", Stamp(a.Now), "Destination", a.Reg.ACS)
	if a.Request.ID != "" {
		response.CreateAttr("InResponseTo", a.Request.ID)
	}
	response.CreateElement("saml:Issuer").SetText(a.IdP.EntityID)
	set(response.CreateElement("samlp:Status").CreateElement("samlp:StatusCode"), "Value", "urn:oasis:names:tc:SAML:2.0:status:Success")
	assertion := a.assertion(response)
	if a.Before != nil {
		a.Before(response, assertion)
	}
	if a.Assertion == nil && a.Response == nil && !a.Unsigned {
		a.Assertion = a.IdP.Default()
	}
	if assertion.Parent() != nil {
		if a.Assertion != nil {
			a.Assertion.Sign(assertion)
		}
		if a.Inside != nil {
			a.Inside(assertion)
		}
		if a.Encrypt != nil {
			at := assertion.Index()
			response.RemoveChild(assertion)
			response.InsertChildAt(at, a.Encrypt.seal(assertionBytes(assertion, response)))
		}
	}
	if a.Response != nil {
		a.Response.Sign(response)
	}
	if a.After != nil {
		a.After(response)
	}
	return doc.Root()
}

func (a Answer) assertion(response *etree.Element) *etree.Element {
	as := set(response.CreateElement("saml:Assertion"), "xmlns:saml", NSAssertion, "ID", sso.NewMessageID(), "Version", "2.0", "IssueInstant", Stamp(a.Now))
	as.CreateElement("saml:Issuer").SetText(a.IdP.EntityID)
	subject := as.CreateElement("saml:Subject")
	id := a.NameID
	if id == "" {
		id = "name-1"
	}
	set(subject.CreateElement("saml:NameID"), "Format", string(sso.NameIDTransient)).SetText(id)
	confirmation := set(subject.CreateElement("saml:SubjectConfirmation"), "Method", "urn:oasis:names:tc:SAML:2.0:cm:bearer")
	data := set(confirmation.CreateElement("saml:SubjectConfirmationData"), "NotOnOrAfter", Stamp(a.Now.Add(5*time.Minute)), "Recipient", a.Reg.ACS)
	if a.Request.ID != "" {
		data.CreateAttr("InResponseTo", a.Request.ID)
	}
	conditions := set(as.CreateElement("saml:Conditions"), "NotBefore", Stamp(a.Now.Add(-30*time.Second)), "NotOnOrAfter", Stamp(a.Now.Add(5*time.Minute)))
	conditions.CreateElement("saml:AudienceRestriction").CreateElement("saml:Audience").SetText(a.Reg.EntityID)
	authn := set(as.CreateElement("saml:AuthnStatement"), "AuthnInstant", Stamp(a.Now.Add(-time.Minute)), "SessionIndex", "_s1")
	authn.CreateElement("saml:AuthnContext").CreateElement("saml:AuthnContextClassRef").SetText("urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport")
	statement := as.CreateElement("saml:AttributeStatement")
	list := a.Attributes
	if list == nil {
		list = Attributes("xAccountId", "acc-1", "xUserId", "usr-1", "xAccountType", a.Reg.AccountType, "bpId", a.Reg.BpID,
			"name", "上海云启科技", "mobile", "0086-13800000000", "email", "a@example.com")
	}
	for _, one := range list {
		e := set(statement.CreateElement("saml:Attribute"), "Name", one.Name)
		if one.NameFormat != "" {
			e.CreateAttr("NameFormat", one.NameFormat)
		}
		if one.FriendlyName != "" {
			e.CreateAttr("FriendlyName", one.FriendlyName)
		}
		for _, v := range one.Values {
			e.CreateElement("saml:AttributeValue").SetText(v)
		}
	}
	return as
}

// Attributes makes attributes of name and value pairs.
func Attributes(pairs ...string) []sso.Attribute {
	var all []sso.Attribute
	for i := 0; i+1 < len(pairs); i += 2 {
		all = append(all, sso.Attribute{Name: pairs[i], NameFormat: "urn:oasis:names:tc:SAML:2.0:attrname-format:basic", Values: []string{pairs[i+1]}})
	}
	return all
}

// XML is the message as text.
func (a Answer) XML() []byte {
	out := Text(a.Tree())
	if a.Bytes != nil {
		out = a.Bytes(out)
	}
	return out
}

// Text writes a tree.
func Text(root *etree.Element) []byte {
	d := etree.NewDocument()
	d.SetRoot(root.Copy())
	out, err := d.WriteToBytes()
	if err != nil {
		panic(err)
	}
	return out
}

// Form is the message as the browser posts it.
func (a Answer) Form() url.Values {
	f := url.Values{"SAMLResponse": {base64.StdEncoding.EncodeToString(a.XML())}}
	if a.Request.RelayID != "" {
		f.Set("RelayState", a.Request.RelayID)
	}
	return f
}

// Post is the form with everything around it. The browser's secret is Browser's.
func (a Answer) Post() sso.Post {
	return sso.Post{Method: "POST", ContentType: "application/x-www-form-urlencoded", Form: a.Form(), Browser: Browser, IP: "192.0.2.1"}
}

// Browser is the secret of the cookie that Request was begun with.
const Browser = "browserofthecustomerbrowseroftheo"

// Request makes an open request of a registration.
func Request(reg sso.Registration, now time.Time) sso.Request {
	return sso.Request{ID: sso.NewMessageID(), IdPID: reg.ID, RelayID: sso.NewToken(), BrowserHash: sso.BrowserHash(Browser), Purpose: sso.PurposeSignIn,
		CreatedAt: now.Add(-time.Minute), ExpiresAt: now.Add(9 * time.Minute)}
}
