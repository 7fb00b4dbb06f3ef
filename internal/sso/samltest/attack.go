package samltest

import (
	"encoding/base64"
	"net/url"
	"time"

	"github.com/beevik/etree"

	"huoban/internal/sso"
)

// World is what an attack happens in: two partners, each with a platform and a registration, and the caller's
// store, where Open begins a request.
type World struct {
	Now  time.Time
	A, B *IdP
	RegA sso.Registration
	RegB sso.Registration
	Open func(sso.Request)
}

// NewWorld makes two partners of the portal at base.
func NewWorld(base string, now time.Time, open func(sso.Request)) *World {
	a, b := NewIdP("a", now), NewIdP("b", now)
	return &World{Now: now, A: a, B: b, RegA: a.Registration("a", base, now), RegB: b.Registration("b", base, now), Open: open}
}

// Begin opens a request of a registration.
func (w *World) Begin(reg sso.Registration) sso.Request {
	r := Request(reg, w.Now)
	w.Open(r)
	return r
}

// Answer is the control: what platform A answers to an open request.
func (w *World) Answer() Answer {
	return Answer{IdP: w.A, Reg: w.RegA, Now: w.Now, Request: w.Begin(w.RegA)}
}

// Attack is one line of the attack table. Every one is a message at the ACS of registration A.
type Attack struct {
	No    string
	Name  string
	Code  string // "": a control, accepted
	Layer sso.Layer
	// Reg changes registration A first; nil: as it is.
	Reg func(w *World, r *sso.Registration)
	// Make gives the answer; Post, when set, the whole post instead.
	Make func(w *World, a *Answer)
	Post func(w *World) sso.Post
	// After moves the clock before the message arrives.
	After time.Duration
	// NoShape and NoBytes run it once more with that lock taken away.
	NoShape, NoBytes bool
}

// Build makes the registration and the post. The registration is as the attack wants it.
func (t Attack) Build(w *World) (sso.Registration, sso.Post) {
	if t.Reg != nil {
		t.Reg(w, &w.RegA)
	}
	if t.Post != nil {
		return w.RegA, t.Post(w)
	}
	a := w.Answer()
	if t.Make != nil {
		t.Make(w, &a)
	}
	return w.RegA, a.Post()
}

// Evil is what an attacker wants to be believed.
const Evil = "evil"

// evil copies an assertion without its signature and makes the attacker's of it.
func evil(assertion *etree.Element, id string) *etree.Element {
	e := assertion.Copy()
	if s := e.SelectElement("Signature"); s != nil {
		e.RemoveChild(s)
	}
	if id != "" {
		e.CreateAttr("ID", id)
	}
	e.FindElement(".//NameID").SetText(Evil)
	for _, v := range e.FindElements(".//AttributeValue") {
		if v.Parent().SelectAttrValue("Name", "") == "xAccountId" {
			v.SetText(Evil)
		}
	}
	return e
}

func bare(e *etree.Element) *etree.Element {
	c := e.Copy()
	if s := c.SelectElement("Signature"); s != nil {
		c.RemoveChild(s)
	}
	return c
}

// postOf wraps any text as a post.
func postOf(w *World, xml []byte) sso.Post {
	r := w.Begin(w.RegA)
	return sso.Post{Method: "POST", ContentType: "application/x-www-form-urlencoded", Browser: Browser, IP: "192.0.2.1",
		Form: url.Values{"SAMLResponse": {base64.StdEncoding.EncodeToString(xml)}, "RelayState": {r.RelayID}}}
}

// Attacks is the table, in its order; controls stand at the head of each group.
func Attacks() []Attack {
	var all []Attack
	for _, group := range [][]Attack{signatureAttacks(), wrappingAttacks(), encryptionAttacks(), xmlAttacks(), edgeAttacks(),
		messageAttacks(), timeAttacks(), requestAttacks(), tenantAttacks()} {
		all = append(all, Controls()...)
		all = append(all, group...)
		all = append(all, Controls()...)
	}
	return all
}

// Controls are the right messages that stand between the wrong ones.
func Controls() []Attack {
	return []Attack{
		{No: "0", Name: "signed assertion"},
		{No: "0", Name: "signed Response, unsigned assertion", Make: func(w *World, a *Answer) { a.Response = w.A.Default() }},
		{No: "0", Name: "encrypted and signed", Make: func(w *World, a *Answer) {
			a.Assertion, a.Encrypt = w.A.Default(), w.encryption()
		}},
	}
}

func (w *World) encryption() *Encryption {
	for _, k := range w.RegA.Keys {
		if k.Use == sso.KeyUseDecrypt {
			return &Encryption{To: &k.Private.PublicKey}
		}
	}
	panic("no key to decrypt with")
}
