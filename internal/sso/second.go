package sso

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/beevik/etree"
	"github.com/crewjam/saml"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/russellhaering/goxmldsig/etreeutils"
)

// The other library reads one clock for the whole program. It is set here, once; a message judged at
// another instant (a saved one that is explained) waits for the others and has the library to itself.
var library = struct {
	sync.RWMutex
	clock func() time.Time
	at    time.Time
}{}

func init() {
	saml.MaxIssueDelay = issuedWithin + MaxSkew
	saml.MaxClockSkew = MaxSkew
	saml.TimeNow = func() time.Time {
		if !library.at.IsZero() || library.clock == nil {
			return library.at
		}
		return library.clock()
	}
}

// UseClock tells the second lock the time. It belongs into the start of the program; without it every message
// is judged alone.
func UseClock(now func() time.Time) {
	library.Lock()
	library.clock = now
	library.Unlock()
}

// withLibrary runs fn while the library's clock shows about now.
func withLibrary(now time.Time, fn func()) {
	library.RLock()
	if library.clock != nil && library.clock().Sub(now).Abs() < 5*time.Second {
		defer library.RUnlock()
		fn()
		return
	}
	library.RUnlock()
	library.Lock()
	defer library.Unlock()
	library.at = now
	defer func() { library.at = time.Time{} }()
	fn()
}

// crewjamAgrees has the other library read the same message; it must find the same assertion. It knows fewer
// ciphers and would decrypt before verifying, so it gets an encrypted assertion in the clear, and the
// signature of the Response is verified over the message as it came.
func (c *check) crewjamAgrees() *Refusal {
	if c.off.crewjam || !secondLock {
		return nil
	}
	acs, err := url.Parse(c.reg.ACS)
	if err != nil {
		return &Refusal{Code: CodeLibDisagrees, Seen: "ACS"}
	}
	doc, err := c.plainDocument()
	if err != nil {
		return &Refusal{Code: CodeLibDisagrees, Seen: err.Error()}
	}
	ids := []string{attr(c.response, "InResponseTo"), attr(c.confirmationData(), "InResponseTo")}
	var theirs *saml.Assertion
	withLibrary(c.now, func() {
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("panic: %v", p)
			}
		}()
		theirs, err = c.crewjam(acs).ParseXMLResponse(doc, ids, *acs)
	})
	if err != nil {
		var why *saml.InvalidResponseError
		if errors.As(err, &why) {
			err = why.PrivateErr
		}
		// What our own steps below would say more plainly is left to them.
		if c.oursWillSay() {
			return nil
		}
		return &Refusal{Code: CodeLibDisagrees, Seen: err.Error()}
	}
	if theirs.ID != c.got.AssertionID || theirs.Subject == nil || theirs.Subject.NameID == nil ||
		theirs.Subject.NameID.Value != c.got.NameID.Value || !sameAttributes(theirs, c.got.Attributes) {
		if c.oursWillSay() {
			return nil
		}
		return &Refusal{Code: CodeLibDisagrees, Expected: c.got.AssertionID, Seen: theirs.ID}
	}
	return nil
}

// oursWillSay looks ahead: a fault of the protocol is named by the step it belongs to, with its facts, and
// only a disagreement about a message that we would take is one of the libraries.
func (c *check) oursWillSay() bool {
	ahead := *c
	for _, s := range c.list {
		if s.fn == nil || s.Layer != LayerMsg && s.Name != "bindRequest" {
			continue
		}
		if r := ahead.step(s); r != nil {
			return true
		}
	}
	c.err = ahead.err
	return ahead.err != nil
}

func (c *check) crewjam(acs *url.URL) *saml.ServiceProvider {
	var keys []saml.KeyDescriptor
	for _, a := range c.trust().anchors() {
		keys = append(keys, saml.KeyDescriptor{Use: "signing", KeyInfo: saml.KeyInfo{X509Data: saml.X509Data{
			X509Certificates: []saml.X509Certificate{{Data: base64.StdEncoding.EncodeToString(a.DER)}}}}})
	}
	return &saml.ServiceProvider{
		EntityID: c.reg.EntityID,
		AcsURL:   *acs,
		IDPMetadata: &saml.EntityDescriptor{EntityID: c.reg.IdPEntityID, IDPSSODescriptors: []saml.IDPSSODescriptor{{
			SSODescriptor: saml.SSODescriptor{RoleDescriptor: saml.RoleDescriptor{KeyDescriptors: keys}}}}},
		SignatureVerifier: verifier{c},
		// It reads one audience of each restriction, the last; ours have all been read by then.
		ValidateAudienceRestriction: func(*saml.Assertion) error {
			if r := c.audience(); r != nil {
				return r
			}
			return nil
		},
	}
}

// verifier lets the library's signature check use any registered certificate, with or without KeyInfo. The
// library's own part is to find the element it is going to believe; when that is, to the last blank, the one that
// was verified above, the same verification is not done a second time.
type verifier struct{ c *check }

func (v verifier) verified(el *etree.Element) bool {
	ours := v.c.inner
	if el.Tag == "Response" {
		ours = v.c.root
	}
	if !signed(ours) || attr(ours, "ID") != attr(el, "ID") {
		return false
	}
	ctx, err := etreeutils.NSBuildParentContext(ours)
	if err != nil {
		return false
	}
	if ctx, err = ctx.SubContext(ours); err != nil {
		return false
	}
	alone, err := etreeutils.NSDetatch(ctx, ours)
	if err != nil {
		return false
	}
	return sameTree(alone, el)
}

// sameTree tells whether two elements are written alike, to the last blank.
func sameTree(a, b *etree.Element) bool {
	if a.Space != b.Space || a.Tag != b.Tag || len(a.Child) != len(b.Child) || !slices.EqualFunc(a.Attr, b.Attr, func(x, y etree.Attr) bool {
		return x.Space == y.Space && x.Key == y.Key && x.Value == y.Value
	}) {
		return false
	}
	return slices.EqualFunc(a.Child, b.Child, func(x, y etree.Token) bool {
		switch t := x.(type) {
		case *etree.Element:
			other, ok := y.(*etree.Element)
			return ok && sameTree(t, other)
		case *etree.CharData:
			other, ok := y.(*etree.CharData)
			return ok && t.Data == other.Data && t.IsCData() == other.IsCData()
		}
		return false // nothing else passes the gate
	})
}

func (v verifier) VerifySignature(_ *dsig.ValidationContext, el *etree.Element) error {
	if el.Tag == "Response" && v.c.got.Encrypted {
		el = v.c.root
	}
	if v.verified(el) {
		return nil
	}
	_, r := v.c.trust().verifyWithAny(el)
	if r != nil {
		return r
	}
	return nil
}

// plainDocument is the message as it came or, encrypted, with the assertion in the clear.
func (c *check) plainDocument() ([]byte, error) {
	if !c.got.Encrypted {
		return c.raw, nil
	}
	root := c.root.Copy()
	box := childOf(root, nsAssertion, "EncryptedAssertion")
	at := box.Index()
	root.RemoveChild(box)
	root.InsertChildAt(at, c.inner.Copy())
	d := etree.NewDocument()
	d.SetRoot(root)
	return d.WriteToBytes()
}

func sameAttributes(theirs *saml.Assertion, ours []Attribute) bool {
	var all []Attribute
	for _, st := range theirs.AttributeStatements {
		for _, a := range st.Attributes {
			one := Attribute{Name: a.Name}
			for _, v := range a.Values {
				one.Values = append(one.Values, v.Value)
			}
			all = append(all, one)
		}
	}
	return slices.EqualFunc(all, ours, func(a, b Attribute) bool {
		return a.Name == b.Name && slices.Equal(a.Values, b.Values)
	})
}
